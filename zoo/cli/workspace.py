"""ls, show, check, schema, doctor: recipes, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.places import device_name
from zoo.cli.probe import probed
from zoo.cli.services import annotate, as_code_quality, summarise
from zoo.cli.session import command, connect, ground, is_hub, need, tell, workspace
from zoo.errors import RecipeError, WorkspaceError, ZooError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.recipe import Workspace


LISTS = {
    "tasks": ("evaluation task",),
    "losses": ("loss",),
    "steps": ("step",),
    "modules": ("encoder", "pooling", "module"),
}
"""Options of `zoo ls` to the kinds of things that recipes can name."""


@command("ls", hub=False, epilog="zoo ls --scale mini\nzoo ls --datasets\nzoo ls --tasks --json")
@click.option("--scale", default="full", help="Show how far runs of this scale are.")
@click.option("--datasets", "what", flag_value="datasets", help="List datasets and which of them are built.")
@click.option("--tasks", "what", flag_value="tasks", help="List the evaluation tasks that suites can name.")
@click.option("--losses", "what", flag_value="losses", help="List the losses that phases can name.")
@click.option("--steps", "what", flag_value="steps", help="List the steps that datasets can name.")
@click.option("--modules", "what", flag_value="modules", help="List the encoders, poolings and modules of base models.")
def ls(scale: str, what: str | None) -> None:
    """List recipes and how far each is built; or what recipes can name, ours and that of plugins."""
    if what == "datasets":
        _list_datasets(scale)
    elif what:
        _list_choices(what)
    else:
        _list_recipes(scale)


def _list_choices(what: str) -> None:
    from zoo.plugins.listing import listed

    space = ground()
    rows = [row for kind in LISTS[what] for row in listed(kind)]
    say.table([{**row, "options": ", ".join(row["options"]) or None} if "options" in row else row for row in rows])
    say.result({"workspace": str(space.root), what: rows})


def _list_datasets(scale: str) -> None:
    from zoo.layout import DATA
    from zoo.run import Run

    space = workspace()
    rows = [
        {
            "dataset": name,
            "rows from": ", ".join(source.title for source in dataset.every_source),
            "steps": ", ".join(step.type for step in dataset.steps) or None,
            "repository": dataset.release.repo if dataset.release else None,
            "built": "data" if Run.of(space.root, name, scale).finished(DATA) else None,
        }
        for name, dataset in space.datasets.items()
    ]
    say.table(rows)
    say.result({"workspace": str(space.root), "scale": scale, "datasets": rows})


def _list_recipes(scale: str) -> None:
    from zoo.evidence.scores import as_set
    from zoo.layout import TRAIN
    from zoo.pipeline.asbuilt import overrides_of
    from zoo.run import Run

    space = workspace()
    space.family  # noqa: B018  # its mistakes are told, also where no recipe needs it
    rows = []
    for recipe in space.every_recipe(scale=scale):
        built = _built(space, recipe.name, scale)
        changes = overrides_of(Run.of(space.root, recipe.name, scale)) if TRAIN in built else None
        elsewhere = {other: _built(space, recipe.name, other) for other in space.scales if other != scale}
        rows.append(
            {
                "recipe": recipe.name,
                "base model": recipe.base.model,
                "dims": ", ".join(map(str, recipe.dims)),
                "repository": recipe.release.repo,
                "built": ", ".join(built) or None,
                **({"built with": as_set(changes)} if changes else {}),
                "built at other scales": {other: stages for other, stages in elsewhere.items() if stages},
            }
        )
    say.table([_how_far(row, scale) for row in rows], spare=["base model"])
    waiting = _tell_waiting(space, [str(row["recipe"]) for row in rows])
    say.result({"workspace": str(space.root), "scale": scale, "recipes": rows, "awaiting_consent": waiting})
    if rows:
        say.hint(f"zoo show {rows[0]['recipe']}")
        small = " --scale mini" if "mini" in space.scales else ""
        say.hint(f"zoo build {rows[0]['recipe']} --hub local{small}")
    else:
        say.line("no recipe yet")
        say.hint("zoo add base ID|FOLDER")


def _built(space: Workspace, recipe: str, scale: str) -> list[str]:
    """The stages of a recipe that are finished at a scale."""
    from zoo.pipeline.stages import OF_RECIPES
    from zoo.run import Run

    run = Run.of(space.root, recipe, scale)
    return [stage for stage in OF_RECIPES if run.finished(stage)]


def _how_far(row: Mapping[str, Any], scale: str) -> dict[str, Any]:
    """A row of the list for people: the scales at which a recipe is built, with the stages where some are missing."""
    from zoo.pipeline.stages import OF_RECIPES

    here = {scale: row["built"].split(", ")} if row["built"] else {}
    found = {**here, **row["built at other scales"]}.items()
    built = [one if len(stages) == len(OF_RECIPES) else f"{one} ({', '.join(stages)})" for one, stages in found]
    shown = {name: value for name, value in row.items() if name not in ("dims", "built at other scales")}
    return {**shown, "built": ", ".join(built) or None}


@command(
    "show",
    hub=False,
    epilog="zoo show arabert-hybrid > mine.yaml\nzoo show arabert-hybrid --set phases.hybrid.train.epochs=2",
)
@click.argument("recipe")
@click.option("--scale", default="full")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Lay a value over the recipe.")
def show(recipe: str, scale: str, assignments: tuple[str, ...]) -> None:
    """Print a recipe resolved: one file with nothing left to look up."""
    from zoo.recipe import dump, override

    resolved = override(workspace().recipe(recipe, scale=scale), assignments)
    if say.wants_json():
        say.result(resolved.model_dump(mode="json", by_alias=True))
    else:
        say.raw(dump(resolved))


@command(
    "check",
    hub=False,
    epilog="zoo check\nzoo check arabert-hybrid --hub\nzoo check arabert-hybrid --probe --scale mini",
)
@click.argument("recipes", nargs=-1)
@click.option(
    "--hub",
    is_flag=False,
    flag_value="",
    metavar="[URL|local]",
    help="Ask a Hub too whether all is as the recipes say.  [without a value: HF_ENDPOINT, else huggingface.co]",
)
@click.option(
    "--probe",
    is_flag=True,
    help="Load the base twice, to see that it is sound; train 20 steps of each phase, and say what training takes.",
)
@click.option("--scale", default="full", show_default=True, help="What to probe at: a scale of recipes/family.yaml.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Probe with a value over the recipe.")
@click.option("--format", "form", type=click.Choice(["text", "gitlab"]), default="text", show_default=True)
@click.option("--device", callback=device_name, help="Probe on cpu, cuda, cuda:1 …  [default: the best there is]")
@click.pass_context
def check(
    ctx: click.Context,
    recipes: tuple[str, ...],
    hub: str | None,
    probe: bool,
    scale: str,
    assignments: tuple[str, ...],
    form: str,
    device: str | None,
) -> None:
    """Check recipes before any GPU time: every mistake of every file at once."""
    from zoo.recipe import Workspace

    recipes = _hub_or_recipe(ctx, recipes, hub)
    if probe and not recipes:
        raise click.UsageError("--probe takes names of recipes (zoo ls lists them)")
    if form != "text" and (probe or say.wants_json()):
        raise click.UsageError("--format gitlab goes without --probe and --json")
    if probe:
        need("train", having="--probe")
    if not probe and (assignments or device or scale != "full"):
        raise click.UsageError("--scale, --set and --device go with --probe")
    space = Workspace.find()  # broken plugins are among what is told
    problems = _problems(space, recipes) if recipes else space.problems()
    doubts = [] if problems else space.doubts()
    if not problems:
        from zoo.inquiry.folders import look_into_folders

        inside = look_into_folders(space, recipes or space.names)
        problems, doubts = list(inside.problems), [*doubts, *inside.doubts]
    if not problems and "hub" in ctx.meta:
        problems, found = _answers(ctx, recipes)
        doubts += found
    for doubt in doubts:
        say.note(f"doubt: {doubt}")
    _tell_services(problems, doubts, form)
    if probe and not problems:
        ctx.exit(probed(recipes, scale, assignments, device, doubts))
    elif form == "text" or problems:
        _tell_checked(ctx, space, recipes, problems, doubts)


def _tell_services(problems: list[ZooError], doubts: list[str], form: str) -> None:
    """Tell GitHub, or print GitLab's report; errors are annotated where they are told."""
    from zoo.ci.placed import of_doubts, of_problems

    warned = of_doubts(doubts)
    found = [*of_problems({problem.message: problem for problem in problems}.values()), *warned]
    if form == "gitlab":
        as_code_quality(found)
    annotate(warned)
    count = sum(one.severity == "error" for one in found)
    summarise(f"zoo check: {how_many(count, 'mistake') if count else 'no mistakes'}", found)


def _hub_or_recipe(ctx: click.Context, recipes: tuple[str, ...], hub: str | None) -> tuple[str, ...]:
    """Take a value of `--hub` that is no Hub for the first recipe: `zoo check --hub arabert-hybrid`."""
    if hub is None:
        return recipes
    ctx.meta["hub"] = hub if is_hub(hub) else ""
    return recipes if is_hub(hub) or not hub else (hub, *recipes)


def _answers(ctx: click.Context, recipes: tuple[str, ...]) -> tuple[list[ZooError], list[str]]:
    """The mistakes that the Hub in use knows of, and doubts."""
    connect(seed=True)
    ctx.meta["connected"] = True
    from zoo.inquiry.everything import inquire

    space = workspace()
    found = inquire(space, recipes or space.names)
    return list(found.problems), found.doubts


def _tell_checked(
    ctx: click.Context, space: Workspace, recipes: tuple[str, ...], problems: list[ZooError], doubts: list[str]
) -> None:
    facts = {"recipes": list(recipes) or space.names if not problems else list(recipes), "doubts": doubts}
    if unique := list({problem.message: problem for problem in problems}.values()):
        tell(unique, {**facts, "problems": [problem.message for problem in unique]})
        ctx.exit(1)
    count = len(facts["recipes"])
    say.line(f"{how_many(count, 'recipe')} {'is' if count == 1 else 'are'} fine")
    waiting = _tell_waiting(space, facts["recipes"])
    added = space.plugins.added()
    for plugin, what in added.items():
        say.line(f"{plugin}: {', '.join(what) or 'adds nothing'}")
    say.result({**facts, "awaiting_consent": waiting, "plugins": added, "problems": []})


def _tell_waiting(space: Workspace, names: Iterable[str]) -> dict[str, str]:
    """Tell which recipes cannot be built before somebody consents to code; return {recipe: its base model}."""
    bases = {name: space.recipe(name).base for name in names}
    waiting = {name: base.model for name, base in bases.items() if base.awaits_consent}
    for name, model in waiting.items():
        say.note(f"{name}: '{model}' brings code of its own, so that consent comes before zoo build: zoo trust {model}")
    return waiting


def _problems(space: Workspace, recipes: tuple[str, ...]) -> list[ZooError]:
    """The mistakes that keep these recipes from being resolved."""
    found: list[ZooError] = []
    for name in recipes:
        try:
            for dataset in {one for member in space.recipe(name).lineage for one in member.datasets}:
                space.check_files(dataset)
        except RecipeError as problem:
            found.append(problem)
    return found


@command("schema", hub=False, epilog="Example: zoo schema --write")
@click.option("--write", is_flag=True, help="Write recipes/schema.json instead of printing.")
def schema(write: bool) -> None:
    """Print the JSON schema of recipe files, for editors."""
    from zoo.recipe.jsonschema import text

    with suppress(WorkspaceError):  # outside of any, the schema of what zoo itself brings
        workspace()
    if write:
        path = workspace().recipes / "schema.json"
        path.write_text(text(), "utf-8")
        say.line(f"wrote {path}")
    else:
        say.raw(text())


@command("doctor", epilog="Example: zoo doctor --hub local")
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Look at the environment: versions, Hub, token, workspace, free disk."""
    connect()
    from zoo.doctor import examine

    found = examine()
    say.table([{"what": item.what, "": "ok" if item.fine else "!", "found": item.found} for item in found])
    facts = {"checks": [{"what": item.what, "ok": item.fine, "found": item.found} for item in found]}
    bad = [item for item in found if not item.fine]
    if not bad:
        say.result(facts)
        return
    names = ", ".join(f"'{item.what}'" for item in bad)
    hints = "; ".join(dict.fromkeys(item.hint for item in bad if item.hint))
    tell([ZooError(f"{len(bad)} of {len(found)} checks failed: {names}", hint=hints or None)], facts)
    ctx.exit(1)
