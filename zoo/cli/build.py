"""data, build, eval: the stages that make things."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.session import ZooGroup, command, connect, workspace
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.pipeline.build import Outcome
    from zoo.recipe import Recipe

STAGE_NAMES = ("data", "train", "evaluate", "card")  # zoo.pipeline.build.STAGES, without importing it for --help

scale_option = click.option("--scale", default="full", show_default=True, help="A scale of recipes/family.yaml.")


@click.group("data", cls=ZooGroup)
def data() -> None:
    """Build a dataset from its recipe."""


@command("build")
@click.argument("datasets", nargs=-1)
@scale_option
@click.option("--force", is_flag=True, help="Build again what is up to date.")
def data_build(datasets: tuple[str, ...], scale: str, force: bool) -> None:
    """Fetch, check and filter datasets (default: all)."""
    connect(seed=True)
    from zoo import data as stage
    from zoo.run import Run

    space = workspace()
    rows = []
    for name in datasets or sorted(space.datasets):
        dataset, run = space.dataset(name, scale=scale), Run.of(space.root, name, scale)
        revision = stage.source_revision(dataset)
        why = "asked for" if force else run.stale(stage.STAGE, stage.made_from(dataset, revision))
        if why:
            with say.progress() as progress:
                stage.build(name, dataset, run, revision=revision, progress=progress)
        rows.append({"dataset": name, "did": "built" if why else "kept", "why": why or "nothing changed"})
    say.table(rows)
    say.result({"datasets": rows})


data.add_command(data_build)


@command("build", epilog="Example: zoo build arabert-hybrid --hub local --scale mini")
@click.argument("recipes", nargs=-1)
@click.option("--recipe", "file", type=click.Path(path_type=Path), help="A resolved recipe, as `zoo show` prints it.")
@scale_option
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Lay a value over the recipe.")
@click.option("--force", multiple=True, type=click.Choice(STAGE_NAMES), help="Make a stage again, fresh or not.")
@click.option("--report-to", multiple=True, help="Trackers: trackio, tensorboard, wandb.")
@click.option("--device", help="cpu, cuda, cuda:1 …  [default: the best there is]")
def build(
    recipes: tuple[str, ...],
    file: Path | None,
    scale: str,
    assignments: tuple[str, ...],
    force: tuple[str, ...],
    report_to: tuple[str, ...],
    device: str | None,
) -> None:
    """Data, training, evaluation and card: what is missing or stale, parents first."""
    chosen = _recipes(recipes, file, scale, assignments)
    connect(seed=True)
    from zoo.pipeline.build import Build

    with say.progress() as progress:
        work = Build(
            workspace(),
            chosen[0].scale,
            force=frozenset(force),
            report_to=report_to,
            device=device,
            progress=progress,
            report=say_outcome,
        )
        for recipe in chosen:
            work.run(recipe)
    outcomes = list(work.done.values())
    say.result(
        {
            "stages": [vars(outcome) for outcome in outcomes],
            "scores": {recipe.name: work.scores(recipe.name).model_dump() for recipe in chosen},
        }
    )
    if all(outcome.did == "kept" for outcome in outcomes):
        say.line("nothing to do: every stage is up to date")
    say.hint(f"zoo plan {' '.join(recipe.name for recipe in chosen)}{_as_typed(scale)}")


def _as_typed(scale: str) -> str:
    hub = click.get_current_context().meta.get("hub")
    return (f" --scale {scale}" if scale != "full" else "") + (f" --hub {hub}" if hub else "")


def _recipes(names: tuple[str, ...], file: Path | None, scale: str, assignments: tuple[str, ...]) -> list[Recipe]:
    from zoo.recipe import load_resolved, override

    if bool(names) == bool(file):
        raise click.UsageError("give names of recipes, or --recipe FILE (zoo ls lists the names)")
    found = [load_resolved(file)] if file else [workspace().recipe(name, scale=scale) for name in names]
    return [override(recipe, assignments) for recipe in found]


def say_outcome(outcome: Outcome) -> None:
    did = f"{outcome.seconds:6.1f} s" if outcome.did == "built" else "    kept"
    say.step(f"{outcome.name:<24} {outcome.stage:<9} {did}  {outcome.why}")


@command("eval", epilog="Example: zoo eval sentence-transformers/LaBSE --dims 768,256")
@click.argument("target")
@click.option("--suite", help="A suite of recipes/family.yaml.  [default: the family's]")
@click.option("--dims", help="Sizes, comma-separated.  [default: the recipe's, else the model's width]")
@scale_option
def eval_(target: str, suite: str | None, dims: str | None, scale: str) -> None:
    """Score a recipe's model, a folder or any Hub id with mteb."""
    connect(seed=True)
    from zoo.pipeline.evaluation import evaluate_target

    sizes = [_dim(dim) for dim in dims.split(",")] if dims else None
    with say.progress() as progress:
        found = evaluate_target(workspace(), target, suite=suite, dims=sizes, scale=scale, progress=progress)
    say.table(found.rows(), title=f"{target}: {found.suite}, Spearman x 100")
    say.result(found.model_dump())


def _dim(text: str) -> int:
    if not text.strip().isdigit() or int(text) < 1:
        raise ZooError(f"--dims: '{text}' is not a size", hint="for example --dims 768,256,64")
    return int(text)
