"""Names the way out of a failed proof: a command that works from the state that the failure left."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.publish.desired.release import CARD, MANIFEST
from zoo.publish.plan.listing import manifest_at
from zoo.publish.proof.stranger import Part, ProofError
from zoo.publish.versions.history import NamedRepository, tree_at
from zoo.remote import address_of, api, explained


@dataclass(frozen=True)
class WaysOut:
    """The commands that lead out of a failed proof."""

    again: str = "zoo publish"
    """Publishes what was built, or proves it once more."""
    name: str = ""
    """What `zoo rollback` knows the repository by; empty: the commit is not on main, and there is no way back."""
    hub: str = ""
    """The option by which a command reaches the same Hub, such as ' --hub local'."""
    overwrites: bool = False
    """Whether `again` takes `--overwrite`."""


NOWHERE = WaysOut()


def hinted(problem: ProofError, repository: NamedRepository, revision: str, ways: WaysOut) -> ProofError:
    """Return a failed proof with whose change it is, where that is known, and with the way out."""
    message, part, again = problem.message, problem.part, ways.again
    if part == "unknown":
        return ProofError(message, part, hint=f"make room, or set TMPDIR to another folder, then {again}")
    theirs: list[str] = []
    with suppress(ZooError):  # then what was found out is told, as far as it goes
        theirs = list(_by_others(part, repository, revision))
    if theirs:
        message = f"{message}; others changed '{theirs[0]}'"
    if theirs and ways.overwrites:
        address = address_of(repository.kind, repository.id)
        places = [shlex.quote(f"{address}:{path}") for path in theirs]
        return ProofError(message, part, hint=" --overwrite ".join((again, *places)))
    if ways.name and (before := _before(repository, revision)):
        named = [word for path in theirs for word in ("--overwrite", path)]  # else it leaves alone what they changed
        return ProofError(
            message, part, hint=shlex.join(["zoo", "rollback", f"{ways.name}@{before}", *named]) + ways.hub
        )
    return ProofError(message, part, hint=f"{problem.hint or 'correct it'}, then {again}")


def _by_others(part: Part, repository: NamedRepository, revision: str) -> Iterator[str]:
    """Find the files of ours that others changed and that may be why the proof failed."""
    there = tree_at(repository, revision)
    was = manifest_at(repository, revision).files if part != "snippet" and MANIFEST in there else {}
    for path, ids in was.items():
        of_card = part == "entries" or repository.kind == "dataset"  # a dataset's card says what its files are
        concerns = of_card if path == CARD else part == "content"
        if concerns and ids is not None and path in there and there[path] not in ids:
            yield path


def _before(repository: NamedRepository, revision: str) -> str | None:
    """Return the commit before, unless it is the Hub's own first one, which holds nothing to go back to."""
    with explained(f"look at the commits of {repository}"):
        commits = api().list_repo_commits(repository.id, repo_type=repository.kind, revision=revision)
    if len(commits) < 2:
        return None
    before = str(commits[1].commit_id)
    paths = tree_at(repository, before).keys()
    return before if CARD in paths and paths - {CARD, ".gitattributes"} else None
