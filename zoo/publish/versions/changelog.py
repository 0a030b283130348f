"""The changelog of a repository: CHANGELOG.md, with an entry for each version, the newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zoo.errors import PublishError
from zoo.evidence.scores import Score, ScoreFile
from zoo.markdown import code, escaped
from zoo.publish.desired.release import SCORES
from zoo.publish.versions.history import NamedRepository, VersionChange, compare_trees, text_at, tree_at

CHANGELOG = "CHANGELOG.md"  # written on the Hub alone: no release holds it, and none counts it as drift
MOST_FILES = 20  # named in an entry


def with_entry(changelog: str, version: str, entry: str) -> str:
    """Return the changelog with the entry above the others. One of the same version, which was never tagged, goes."""
    kept = changelog.replace(entry_in(changelog, version) or "\0", "") if changelog else "# Changelog\n"
    first = re.search(r"^## ", kept, re.MULTILINE)
    head, rest = (kept[: first.start()], kept[first.start() :]) if first else (kept, "")
    return "\n\n".join(part.strip() for part in (head, entry, rest) if part.strip()) + "\n"


def entry_in(changelog: str, version: str) -> str:
    """Return a version's part of the file; empty when it has none."""
    found = re.search(rf"^## {re.escape(version)}(?!\S).*?(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


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

    Empty when one of them has no scores, or no task is in both.
    """
    if old is None or new is None:
        return ""
    before, after = _by_task(old), _by_task(new)
    shared = [key for key in after if key in before]
    rows = [(key[0], before[key], after[key]) for key in shared if before[key] != after[key]]
    if not rows:
        return "The same scores." if shared else ""
    table = [f"| Task | {was} | {now} | Difference |", "|---|---:|---:|---:|"]
    for task, one, other in rows:
        table.append(f"| {escaped(task)} | {one.shown} | {other.shown} | {other.value - one.value:+.2f} |")
    return "\n".join([*table, "", "In brackets: 95% intervals of each score."])


def _by_task(scores: ScoreFile) -> dict[tuple[str, str, str], Score]:
    mine = scores.subject("self")
    if mine is None or not mine.dims:
        return {}
    own = [score for score in scores.scores if (score.model, score.dim) == (mine.name, mine.dims[0])]
    return {(score.task, score.dataset, score.revision): score for score in own}
