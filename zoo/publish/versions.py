"""Versions of a repository: a tag, an entry in its changelog, and word of it in the model that it supersedes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.errors import PublishError
from zoo.evidence.scores import Score, ScoreFile
from zoo.lint import front
from zoo.markdown import code, escaped
from zoo.publish.history import Change, Repository, commit_to, compare, tags, text, tree
from zoo.publish.plan import plan
from zoo.publish.release import CARD, SCORES, Release
from zoo.remote import api, explained

CHANGELOG = "CHANGELOG.md"  # written on the Hub alone: no release holds it, and none counts it as drift
MOST_FILES = 20  # named in an entry


@dataclass(frozen=True)
class Draft:
    """A version that could be released."""

    repository: Repository
    version: str
    head: str
    """The commit it stands on."""
    entry: str
    changelog: str
    """The whole file, the entry in it."""
    made: bool = False
    """`head` has the entry already, and lacks only the tag."""


def parse(version: str) -> tuple[int, int, int]:
    """v1.2.0 as numbers.

    Raises:
        PublishError: it is no such version.
    """
    found = _numbers(version)
    if found is None:
        raise PublishError(f"'{version}' is not a version", hint="vMAJOR.MINOR.PATCH, for example v1.2.0")
    return found


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = re.fullmatch(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def draft(release: Release, repository: Repository, version: str, notes: str = "") -> Draft:
    """The next version of what is on the Hub, which must be what `release` says.

    Raises:
        PublishError: the version is none, is not newer than the newest, or the Hub holds something else.
        HubError: the Hub cannot be asked.
    """
    wanted, known = parse(version), tags(repository)
    numbered = {numbers: tag for tag in known if (numbers := _numbers(tag))}
    last = numbered[max(numbered)] if numbered else None
    if last and wanted <= max(numbered):
        what = "exists already" if version in known else f"is older than '{last}'"
        major, minor, patch = max(numbered)
        hint = f"zoo release {repository.name} v{major}.{minor}.{patch + 1}"
        raise PublishError(f"version '{version}' of {repository} {what}", hint=hint)
    found = plan(release)
    if found.head is None or found.pending or found.conflicts:
        problem = f"{repository} differs from what was built ({len([*found.pending, *found.conflicts])} changes)"
        raise PublishError(problem, hint=f"zoo publish {repository.name}")
    return _drafted(repository, version, found.head, (last, known[last]) if last else None, notes)


def _drafted(repository: Repository, version: str, head: str, last: tuple[str, str] | None, notes: str) -> Draft:
    with explained(f"look at the commits of {repository}"):
        newest = api().list_repo_commits(repository.id, repo_type=repository.kind, revision=head)[0]
    old = text(repository, CHANGELOG, head)
    if newest.title == _title(version) and _entry_in(old, version):
        return Draft(repository, version, head, _entry_in(old, version), old, made=True)
    if last and not _entry_in(old, last[0]):
        old = text(repository, CHANGELOG, last[1]) or old  # a rollback took its entry away: it comes back
    entry = _entry(repository, version, f"{newest.created_at:%Y-%m-%d}", head, last, notes)
    return Draft(repository, version, head, entry, with_entry(old, version, entry))


def publish_version(draft: Draft) -> str:
    """The commit that the tag stands for: one that adds the entry. Cut off before the tag, a repeat makes but that.

    Raises:
        HubError: the Hub refused, or the repository changed since the draft was made.
    """
    from huggingface_hub import CommitOperationAdd

    repository, commit = draft.repository, draft.head
    if not draft.made:
        add = CommitOperationAdd(CHANGELOG, draft.changelog.encode())
        again = f"zoo release {repository.name} {draft.version}"
        commit = commit_to(repository, [add], _title(draft.version), parent=draft.head, again=again)
    with explained(f"tag {repository} as '{draft.version}'"):
        api().create_tag(repository.id, tag=draft.version, revision=commit, repo_type=repository.kind)
    return commit


def _title(version: str) -> str:
    return f"release {version}"


def with_entry(changelog: str, version: str, entry: str) -> str:
    """The entry above the others; one of the same version, which was never tagged, goes."""
    kept = changelog.replace(_entry_in(changelog, version) or "\0", "") if changelog else "# Changelog\n"
    first = re.search(r"^## ", kept, re.MULTILINE)
    head, rest = (kept[: first.start()], kept[first.start() :]) if first else (kept, "")
    return "\n\n".join(part.strip() for part in (head, entry, rest) if part.strip()) + "\n"


def _entry_in(changelog: str, version: str) -> str:
    """A version's part of the file; empty when it has none."""
    found = re.search(rf"^## {re.escape(version)}(?!\S).*?(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def _entry(repository: Repository, version: str, date: str, head: str, last: tuple[str, str] | None, notes: str) -> str:
    now = tree(repository, head)
    parts = [f"## {version} ({date})", re.sub(r"^(#+ )", r"\\\1", notes.strip(), flags=re.MULTILINE)]
    if last is None:
        parts.append(f"The first version: {len(now.keys() - {CHANGELOG})} files.")
    else:
        tag, commit = last
        parts.append(_said(compare(tree(repository, commit), now), tag))
        parts.append(_score_table(_scores(repository, commit), _scores(repository, head), tag, version))
    return "\n\n".join(part for part in parts if part)


def _said(changes: Sequence[Change], since: str) -> str:
    lines = []
    changes = [change for change in changes if change.path != CHANGELOG]
    for action, did in {"add": "Added", "update": "Changed", "delete": "Deleted"}.items():
        if paths := [change.path for change in changes if change.action == action]:
            shown = ", ".join(code(path) for path in paths[:MOST_FILES])
            more = f" and {len(paths) - MOST_FILES} more" if len(paths) > MOST_FILES else ""
            lines.append(f"- {did}: {shown}{more}")
    return "\n".join([f"Since {since}:", "", *lines]) if lines else f"The same files as {since}."


def _scores(repository: Repository, commit: str) -> ScoreFile | None:
    """None: it has none, or one of another format."""
    from pydantic import ValidationError

    try:
        return ScoreFile.model_validate_json(text(repository, SCORES, commit))
    except (ValidationError, PublishError):
        return None


def _score_table(old: ScoreFile | None, new: ScoreFile | None, was: str, now: str) -> str:
    """The full width's scores at both commits, of tasks whose data are the same."""
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


def supersede(old: str, repository: Repository) -> str | None:
    """Tell readers of model `old` of its successor, in a line of its card's metadata: the commit.

    None when they are told already.

    Raises:
        PublishError: they are not two models of one account, or the card cannot be read. HubError: the Hub refused.
    """
    from huggingface_hub import CommitOperationAdd

    check_superseded(old, repository)
    model = Repository("model", old, repository.name)
    with explained(f"look up {model}"):
        head = str(api().model_info(old).sha)
    card = text(model, CARD, head)
    new = naming(card, repository.id, str(model))
    if new == card:
        return None
    again = f"zoo release {repository.name} again"
    add = CommitOperationAdd(CARD, new.encode())
    return commit_to(model, [add], f"superseded by {repository.id}", parent=head, again=again)


def naming(card: str, successor: str, what: str = "it") -> str:
    """The card with `new_version`; all that people wrote into its metadata stays as they wrote it.

    Raises:
        PublishError: the metadata cannot be read.
    """
    block = front.BLOCK.match(card)
    if block is None:
        return f"---\nnew_version: {successor}\n---\n\n{card}"
    found, _ = front.read(card)
    if found.broken:
        raise PublishError(f"the card of {what}, line {found.broken[0]}: {found.broken[1]}", hint="correct it there")
    if "new_version" in found.spans:
        fix = found.replaced(card, "new_version", successor, "")
        return card[: fix.start] + fix.text + card[fix.end :]
    newline = "\r\n" if "\r\n" in card[: block.start(1)] else "\n"
    return f"{card[: block.start(1)]}new_version: {successor}{newline}{card[block.start(1) :]}"


def check_superseded(old: str, repository: Repository) -> None:
    """As `supersede` does, before anything is changed."""
    account = repository.id.split("/")[0]
    if repository.kind != "model":
        raise PublishError(f"{repository} supersedes no model", hint="only models have a newer version")
    if old == repository.id:
        raise PublishError(f"{repository} cannot supersede itself", hint="name the older model")
    if old.split("/")[0] != account:
        raise PublishError(f"model '{old}' is not of the account '{account}'", hint=f"{account}/NAME")
    with explained(f"look up model '{old}'"):
        api().model_info(old)
