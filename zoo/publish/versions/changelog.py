"""The changelog of a repository: CHANGELOG.md, with an entry for each version, the newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from semantic_version import Version

from zoo.errors import EvaluationError, PublishError
from zoo.evidence.scores import LEAK_MARK, LEGEND, Measured, Score, ScoreFile, as_set, mean_name
from zoo.hub.frontmatter import BYTE_ORDER_MARK
from zoo.markdown import code, escaped
from zoo.publish.desired.release import SCORES
from zoo.publish.versions.history import NamedRepository, VersionChange, compare_trees, text_at, tree_at
from zoo.publish.versions.tags import version_of

CHANGELOG = "CHANGELOG.md"  # written on the Hub alone: no release holds it, and none counts it as drift
MOST_FILES = 20  # named in an entry

# A heading of a version: "v1.2.0 (2026-11-30)", "[1.2.0] - 2026-11-30", "Version 1.2.0", "1.2.0-rc.1".
_VERSION = re.compile(r"(?i:version |release )?[\[*`]*(?i:v)?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?![\w.+-])")


def with_entry(changelog: str, version: str, entry: str) -> str:
    """Return the changelog with the entry above those of other versions; all else stays as it is, line ends too.

    An entry of the same version goes: whoever calls this knows that it is ours and was never tagged.
    """
    mark, text = changelog[: changelog.startswith(BYTE_ORDER_MARK)], changelog.removeprefix(BYTE_ORDER_MARK)
    lines = _lines(text if text.strip() else "# Changelog\n")
    if old := _part_of(lines, version):
        del lines[old.start : old.end]
    found = _version_headings(lines)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    level, at = (found[0].level, found[0].start) if found else (2, _first_section(lines))
    ours = [f"{line}{newline}" for line in f"{'#' * level}{entry.strip().removeprefix('##')}".split("\n")]
    above, below = "".join(lines[:at]), "".join(lines[at:])
    return mark + above + _blank_line(above, newline) + "".join(ours) + (newline if below.strip() else "") + below


def entry_in(changelog: str, version: str) -> str:
    """Return a version's part of the file, however its heading is written; empty when it has none."""
    lines = _lines(changelog.removeprefix(BYTE_ORDER_MARK))
    found = _part_of(lines, version)
    return "".join(lines[found.start : found.end]) if found else ""


@dataclass(frozen=True)
class _Heading:
    """A heading of a changelog and the lines that stand under it, from `start` up to `end`."""

    level: int
    version: Version | None
    start: int
    end: int


def _lines(text: str) -> list[str]:
    """Cut a text where Markdown ends lines, line ends kept."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def _headings(lines: Sequence[str]) -> list[_Heading]:
    """Find the headings that are no part of a list, a quotation or a block of code."""
    tokens = MarkdownIt().parse("".join(lines))
    found = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            named = _VERSION.match(inline.content)
            found.append((int(token.tag[1:]), version_of(f"v{named[1]}") if named else None, token.map[0]))
    ends = [
        next((start for other, _, start in found[place + 1 :] if other <= level), len(lines))
        for place, (level, _, _) in enumerate(found)
    ]
    return [_Heading(*one, end) for one, end in zip(found, ends, strict=True)]


def _version_headings(lines: Sequence[str]) -> list[_Heading]:
    return [one for one in _headings(lines) if one.version]


def _part_of(lines: Sequence[str], version: str) -> _Heading | None:
    return next((one for one in _version_headings(lines) if one.version == version_of(version)), None)


def _first_section(lines: Sequence[str]) -> int:
    """Return the line of the first section, the end when there is none: what stands before it belongs to the title."""
    return next((one.start for one in _headings(lines) if one.level > 1), len(lines))


def _blank_line(above: str, newline: str) -> str:
    """Return what must follow a text so that a blank line ends it."""
    if not above:
        return ""
    missing = 2 - len(re.findall(r"\r\n|\r|\n", above[len(above.rstrip("\r\n")) :]))
    return newline * max(missing, 0)


def entry_for(
    repository: NamedRepository, version: str, date: str, head: str, last: tuple[str, str] | None, notes: str
) -> str:
    """Return the entry of a version: its notes, the files that changed, and how its scores did.

    Args:
        date: of the commit, YYYY-MM-DD.
        head: the commit that the version stands on.
        last: (tag, commit) of the version before; None: this is the first.
    """
    now = tree_at(repository, head)
    parts = [f"## {version} ({date})", re.sub(r"^(#+ )", r"\\\1", notes.strip(), flags=re.MULTILINE)]
    if last is None:
        parts.append(f"The first version: {len(now.keys() - {CHANGELOG})} files.")
    else:
        tag, commit = last
        parts.append(changes_said(compare_trees(tree_at(repository, commit), now), tag))
        parts.append(scores_said(_scores(repository, commit), _scores(repository, head), tag, version))
    return "\n\n".join(part for part in parts if part)


def changes_said(changes: Sequence[VersionChange], since: str) -> str:
    """Return which files were added, changed and deleted, as a list in Markdown; the changelog itself aside."""
    lines = []
    changes = [change for change in changes if change.path != CHANGELOG]
    for action, did in {"add": "Added", "update": "Changed", "delete": "Deleted"}.items():
        if paths := [change.path for change in changes if change.action == action]:
            shown = ", ".join(code(path) for path in paths[:MOST_FILES])
            more = f" and {len(paths) - MOST_FILES} more" if len(paths) > MOST_FILES else ""
            lines.append(f"- {did}: {shown}{more}")
    return "\n".join([f"Since {since}:", "", *lines]) if lines else f"The same files as {since}."


def _scores(repository: NamedRepository, commit: str) -> ScoreFile | None:
    """Return the scores as of a commit; None: it has none, or they are in another format."""
    from pydantic import ValidationError

    try:
        return ScoreFile.model_validate_json(text_at(repository, SCORES, commit))
    except (ValidationError, PublishError):
        return None


def scores_said(old: ScoreFile | None, new: ScoreFile | None, was: str, now: str) -> str:
    """Return a table of the scores at full width at both commits, of tasks whose data are the same.

    Empty when one of them has no scores, no task is in both, or only one was measured on generated data.
    """
    if old is None or new is None or old.miniature != new.miniature:
        return ""
    before, after = _by_task(old), _by_task(new)
    shared = [key for key in after if key in before]
    rows: list[tuple[str, Measured, Measured]] = [(key[0], before[key], after[key]) for key in shared]
    rows = [row for row in rows if row[1] != row[2]]
    if not rows:
        return "The same scores." if shared else ""
    if len(before) == len(after) == len(shared) > 1 and (was_mean := _headline(old)) and (mean := _headline(new)):
        rows.append((mean_name(new.tasks), was_mean, mean))
    table = [f"| Task | {was} | {now} | Difference |", "|---|---:|---:|---:|"]
    for task, one, other in rows:
        table.append(f"| {escaped(task)} | {one.shown} | {other.shown} | {other.value - one.value:+.2f} |")
    legend = ["", f"{LEGEND}."] if any(LEAK_MARK in line for line in table) else []
    return "\n".join([*table, "", f"In brackets: 95% intervals of each score.{_marks({was: old, now: new})}", *legend])


def _marks(versions: Mapping[str, ScoreFile]) -> str:
    """Return sentences of what the scores are not to be taken for; empty: they are the recipe's, on real data."""
    built = {version: as_set(scores.overrides) for version, scores in versions.items() if scores.overrides}
    rehearsal = " A rehearsal: measured on generated data." if any(one.miniature for one in versions.values()) else ""
    return rehearsal + "".join(f" {version} was built with {code(changes)}." for version, changes in built.items())


def _headline(scores: ScoreFile) -> Measured | None:
    """Return the headline mean at full width; None: it was not taken, as in a file that others wrote."""
    mine = scores.subject("self")
    assert mine is not None
    try:
        return scores.headline(mine.name, mine.full)
    except EvaluationError:
        return None


def _by_task(scores: ScoreFile) -> dict[tuple[str, str, str], Score]:
    mine = scores.subject("self")
    if mine is None or not mine.dims:
        return {}
    own = [score for score in scores.scores if (score.model, score.dim) == (mine.name, mine.dims[0])]
    return {(score.task, score.dataset, score.revision): score for score in own}
