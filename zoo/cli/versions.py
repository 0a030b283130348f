"""release, rollback: a version with its changelog, and the way back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.publish import fleet_named, hub_as_typed, say_change, wait_option
from zoo.cli.session import command, confirm, connect, require_yes, scale_option, workspace, yes_option
from zoo.errors import PublishError

if TYPE_CHECKING:
    from zoo.publish.desired.release import Release
    from zoo.publish.proof.prove import Proof
    from zoo.publish.versions.history import NamedRepository
    from zoo.publish.versions.rollback import Way
    from zoo.publish.versions.version import Draft
    from zoo.recipe import Workspace


@command("release", epilog='Example: zoo release arabert-hybrid v1.2.0 --notes "Trained on twice the pairs."')
@click.argument("name")
@click.argument("version")
@scale_option
@click.option("--notes", default="", help="A paragraph of the changelog's entry.")
@click.option("--supersedes", metavar="ID", help="An older model of the same account, whose readers are told of this.")
@yes_option
def release(name: str, version: str, scale: str, notes: str, supersedes: str | None, yes: bool) -> None:
    """Tag what is published of NAME (a recipe, a dataset, `space`), with an entry in its CHANGELOG.md.

    Where there are several Spaces, each goes by its repository's name.
    """
    require_yes(yes)
    connect()
    from zoo.publish.versions.history import find_repository, tags_of
    from zoo.publish.versions.successor import check_superseded
    from zoo.publish.versions.tags import parse_version
    from zoo.publish.versions.version import draft_version

    repository = find_repository(workspace(), name)
    parse_version(version)
    if supersedes:
        check_superseded(supersedes, repository)
    commit = tags_of(repository).get(version) if supersedes else None
    if commit is None:  # else only word of it in the older model is missing
        commit = _release(draft_version(_built(repository, scale), repository, version, notes), yes)
    told = _supersede(supersedes, repository, yes) if supersedes else None
    say.result({"id": repository.id, "version": version, "commit": commit, "supersedes": supersedes, "told": told})
    if not supersedes:
        return
    say.line(f"{supersedes} names {repository.id} as its new version" + ("" if told else " already"))


def _built(repository: NamedRepository, scale: str) -> Release:
    """Return what would be published of a repository."""
    _, fleet = fleet_named((repository.name,), scale)
    for one in fleet.releases:
        if (one.kind, one.id) == (repository.kind, repository.id):
            return one
    raise PublishError(f"nothing that is built at scale '{scale}' publishes {repository}", hint="zoo status")


def _release(draft: Draft, yes: bool) -> str:
    from zoo.lint.leaks import redacted
    from zoo.publish.versions.version import publish_version

    entry = redacted(draft.entry.strip())  # it may stand in the changelog already, where others can write
    say.line(f"{draft.repository} at {draft.head[:8]} becomes {draft.version}\n\n{entry}\n")
    if not yes:
        confirm("release it?")
    commit = publish_version(draft)
    say.line(f"released {draft.repository} {draft.version} ({commit[:8]})")
    return commit


def _supersede(old: str, repository: NamedRepository, yes: bool) -> bool:
    from zoo.publish.versions.successor import supersede

    if not yes:
        confirm(f"write `new_version: {repository.id}` into the card of '{old}'?")
    return supersede(old, repository) is not None


@command("rollback", epilog="Example: zoo rollback arabert-hybrid@v1.1.0")
@click.argument("target", metavar="NAME@TAG_OR_COMMIT")
@click.option(
    "--overwrite",
    multiple=True,
    metavar="PATH",
    help="Make this file what it was then, whatever others made of it since; one that was not there goes.",
)
@yes_option
@wait_option
def rollback(target: str, overwrite: tuple[str, ...], yes: bool, wait: int) -> None:
    """Put our files of a tag or an earlier commit back, in one new commit, and prove what is there then.

    What others added or changed since stays, unless --overwrite names it.
    """
    require_yes(yes)
    name, at, ref = target.rpartition("@")
    if not (name and at and ref):
        raise click.BadParameter(f"'{target}' is not NAME@TAG or NAME@COMMIT", param_hint="target")
    connect()
    from zoo.lint.leaks import redacted_all
    from zoo.pipeline.collected import listing
    from zoo.publish.desired.release import SCORES
    from zoo.publish.proof import owed
    from zoo.publish.versions.history import find_repository
    from zoo.publish.versions.rollback import put_back, roll_back, way_back

    space = workspace()
    way = way_back(find_repository(space, name), ref, overwrite)
    _say_way(way)
    repository, left = way.repository, owed.Owed(space.root / owed.FILE)
    files = redacted_all([{"action": one.action, "path": one.path, "note": one.note or None} for one in way.changes])
    facts = {"id": repository.id, "commit": way.head, "changes": files}
    if not (way.pending or way.conflicts or repository.key in left):
        say.result({**facts, "collection": None, "proof": None})
        return
    if way.pending and not way.conflicts:
        if not yes:
            confirm("roll back?")
        left.add(repository.key)
    commit = roll_back(way)
    say.note(f"{repository} is at {commit[:8]}, with the files of {way.ref}")
    collection = None
    for title in listing(space, repository.kind, name):
        if slug := put_back(way, title, space.collections.keys() - {title}):
            say.note(f"the collection {slug} has it as it had it then")
            collection = collection or slug
    found = _proved(space, way, commit, wait)
    if not found.later:
        left.remove(repository.key)
    say.line(found.said)
    if any(change.path == SCORES for change in way.pending):
        say.hint("zoo plan: the cards of its siblings and the Space still have the scores that went")
    say.result({**facts, "commit": commit, "collection": collection, "proof": vars(found)})


def _proved(space: Workspace, way: Way, commit: str, wait: int) -> Proof:
    """Prove what a rollback left; of its code, only what this machine rendered once is run."""
    from zoo.publish.proof import rendered
    from zoo.publish.proof.prove import prove_repository
    from zoo.publish.proof.running import Waiting
    from zoo.publish.proof.ways import WaysOut

    repository, hub = way.repository, hub_as_typed()
    with say.progress() as progress:
        return prove_repository(
            repository.kind,
            repository.id,
            commit,
            own=rendered.Rendered(space.root / rendered.FILE).of(repository.kind, repository.id),
            waiting=Waiting(wait, progress),
            ways=WaysOut(f"zoo rollback {repository.name}@{way.ref}{hub}", repository.name, hub),
        )


def _say_way(way: Way) -> None:
    say.line(f"{way.repository}: from {way.head[:8]} back to {way.ref} ({way.source[:8]})")
    for change in way.changes:
        say_change(change)
    if not (way.pending or way.conflicts):
        say.line("  no changes: its files are there already")
