"""plan, publish, status: what is on the Hub and what should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.build import scale_option
from zoo.cli.session import command, connect, workspace
from zoo.errors import PublishError

if TYPE_CHECKING:
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import Fleet, Published

SIGNS = {"create": "+", "add": "+", "update": "~", "delete": "-"}


def _fleet(names: tuple[str, ...], scale: str) -> tuple[Build, Fleet]:
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import built, fleet

    build = Build(workspace(), scale)
    recipes = [build.workspace.recipe(name, scale=scale) for name in names] or built(build)
    if not recipes:
        hint = f"zoo build {build.workspace.names[0]}" + ("" if scale == "full" else f" --scale {scale}")
        raise PublishError(f"nothing is built at scale '{scale}'", hint=hint)
    return build, fleet(build, recipes)


@command("plan")
@click.argument("names", nargs=-1)
@scale_option
@click.pass_context
def plan(ctx: click.Context, names: tuple[str, ...], scale: str) -> None:
    """Show what publishing would change. Exit code 2 when something would."""
    connect()
    from zoo.pipeline.fleet import collection_plan, plans

    _, fleet = _fleet(names, scale)
    found: list[dict[str, Any]] = []
    for one in plans(fleet):
        changes = [{"action": c.action, "path": c.path, "bytes": c.size} for c in one.changes]
        found.append({"kind": one.release.kind, "id": one.release.id, "changes": changes})
    if collection := collection_plan(fleet):
        changes = [{"action": c.action, "path": c.path, "bytes": 0} for c in collection.changes]
        found.append({"kind": "collection", "id": collection.slug or collection.title, "changes": changes})
    for unit in found:
        _say_changes(unit)
    changed = [unit for unit in found if unit["changes"]]
    say.line(f"{len(changed)} of {len(found)} would change" if changed else "nothing to publish: the Hub is up to date")
    say.result({"units": found, "changed": len(changed)})
    ctx.exit(2 if changed else 0)


def _say_changes(unit: dict[str, Any]) -> None:
    say.line(f"{unit['kind']} {unit['id']}" + ("" if unit["changes"] else ": no changes"))
    for change in unit["changes"]:
        size = f"  ({change['bytes']:,} bytes)" if change["bytes"] else ""
        say.line(f"  {SIGNS[change['action']]} {change['path']}{size}")


@command("publish")
@click.argument("names", nargs=-1)
@scale_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--private", is_flag=True, help="Create new repositories as private ones.")
def publish(names: tuple[str, ...], scale: str, yes: bool, private: bool) -> None:
    """Publish built recipes with their parents, datasets, Space and collection: one commit per repository."""
    if say.wants_json() and not yes:
        raise click.UsageError("with --json there is nobody to ask: add --yes")
    connect()
    from zoo.pipeline.fleet import publish as publish_fleet
    from zoo.remote import endpoint

    build, fleet = _fleet(names, scale)
    if not yes:
        click.confirm(f"publish {len(fleet.releases)} repositories as '{fleet.account}' to {endpoint()}?", abort=True)
    done = publish_fleet(build, fleet, private=private, report=say_published)
    say.result({"published": [vars(outcome) for outcome in done]})
    if all(outcome.did == "unchanged" for outcome in done):
        say.line("nothing to publish: the Hub is up to date")


def say_published(outcome: Published) -> None:
    proof = "" if outcome.proof is None else f"  loaded back, embeddings differ by {outcome.proof:.1e}"
    commit = f"  {outcome.commit[:8]}" if outcome.commit else ""
    say.step(f"{outcome.kind:<10} {outcome.did:<9} {outcome.id}{commit}{proof}")


@command("status")
@scale_option
def status(scale: str) -> None:
    """Every recipe: what is built, and whether the Hub has it as it is."""
    connect()
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import fleet_status

    rows = fleet_status(Build(workspace(), scale))
    say.table(rows)
    say.result({"scale": scale, "recipes": rows})
