"""runs: what was built, taken to the Hub and back, so that CI need not train what a workstation built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.session import ZooGroup, command, confirm, connect, require_yes, scale_option, workspace, yes_option
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.depot.kept import KeptStage
    from zoo.depot.pull import ToPull
    from zoo.depot.push import ToPush


@click.group("runs", cls=ZooGroup, epilog="Example: zoo runs push arabert-hybrid")
def runs() -> None:
    """Take what was built to the Hub, and have it elsewhere."""


names_argument = click.argument("names", nargs=-1)


def repository_option(name: str) -> Callable[[Any], Any]:
    """The option that names another repository than the one of recipes/family.yaml."""
    return click.option(
        name, "place", metavar="DATASET", help="Dataset on the Hub.  [default: `runs` of recipes/family.yaml]"
    )


@command("push", epilog="Example: zoo build arabert-hybrid && zoo runs push arabert-hybrid")
@names_argument
@repository_option("--to")
@click.option("--public", is_flag=True, help="Let everybody read the repository.")
@scale_option
@yes_option
def push(names: tuple[str, ...], place: str | None, public: bool, scale: str, yes: bool) -> None:
    """Push finished stages of recipes and datasets, or of all, with their receipts: in one commit, nothing twice.

    Models go with them. The repository is made as a private one when it is missing.
    """
    require_yes(yes)
    connect()
    from zoo.depot.push import push_stages, stages_to_push
    from zoo.depot.repository import runs_repository
    from zoo.pipeline.build import Build

    build = Build(workspace(), scale)
    asked = stages_to_push(build, names, runs_repository(build, place), public=public)
    _say_stages(asked.new)
    if asked.new and not yes:
        confirm(_question(asked, public=public))
    with say.progress() as progress:
        commit = push_stages(build, asked, public=public, progress=progress)
    told = f"pushed {_count(asked.new)} to {asked.repository}"
    say.line(told if commit else f"nothing to push: {asked.repository} has it all")
    say.result({"repository": asked.repository.id, "commit": commit, "pushed": _facts(asked.new)})


def _question(asked: ToPush, *, public: bool) -> str:
    what = "public" if public else "private"
    made = f", a new {what} one" if asked.creates else ""
    return f"push {_count(asked.new)} to {asked.repository}{made}?"


@command("pull", epilog="Example: git clone LAB && cd LAB && zoo runs pull && zoo plan")
@names_argument
@repository_option("--from")
@scale_option
def pull(names: tuple[str, ...], place: str | None, scale: str) -> None:
    """Pull what was built of today's recipes, or of those named: each stage whole, and as its receipt says.

    What was built of another version of a recipe stays where it is, and is told.
    """
    connect()
    from zoo.depot.pull import pull_stages, stages_to_pull
    from zoo.depot.repository import runs_repository
    from zoo.pipeline.build import Build

    build = Build(workspace(), scale)
    asked = stages_to_pull(build, names, runs_repository(build, place))
    with say.progress() as progress:
        pull_stages(build, asked, progress=progress, report=lambda one: say.note(f"pulled {one.stage:<14} {one.name}"))
    _say_left(asked, build.as_typed, named=bool(names))
    told = f"pulled {_count(asked.new)} from {asked.repository}"
    say.line(told if asked.new else f"nothing to pull from {asked.repository}: {_count(asked.here)} here already")
    left = {"stale": dict(asked.stale), "missing": list(asked.missing)}
    say.result({"repository": asked.repository.id, "commit": asked.commit, "pulled": _facts(asked.new), **left})


def _say_left(asked: ToPull, as_typed: str, *, named: bool) -> None:
    for name, why in asked.stale.items():
        say.note(f"stale: what is kept of '{name}' is of another version: {why}")
    if asked.stale:
        say.hint(f"zoo build {' '.join(asked.stale)}{as_typed}, then zoo runs push{as_typed}")
    if asked.missing and named:
        say.note(f"never pushed: {', '.join(asked.missing)}")


def _say_stages(stages: Any) -> None:
    for one in stages:
        say.line(f"  + {one.name} {one.stage}")


def _count(stages: Any) -> str:
    return how_many(len(stages), "stage")


def _facts(stages: Any) -> list[dict[str, str]]:
    def facts(one: KeptStage) -> dict[str, str]:
        return {"name": one.name, "stage": one.stage, "folder": one.folder}

    return [facts(one) for one in stages]


for subcommand in (push, pull):
    runs.add_command(subcommand)
