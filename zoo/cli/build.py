"""data, build: the stages that make things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from zoo import say
from zoo.cli import places
from zoo.cli.quality import data_check
from zoo.cli.review import data_review
from zoo.cli.session import ZooGroup, as_typed, command, connect, need, scale_option, tell, workspace
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.pipeline.build import Build, Outcome
    from zoo.recipe import Recipe

TRACKERS = ("clearml", "codecarbon", "comet_ml", "mlflow", "neptune", "swanlab", "tensorboard", "trackio", "wandb")
ON_HELP = "One stage after another here, or side by side on a Ray cluster: this machine's, or that of RAY_ADDRESS."
DATA_ON_HELP = "Translate here, or on a Ray cluster: this machine's, or that of RAY_ADDRESS."
TRUST_HELP = "Run the code that FILE consents to, as it is at this commit (40 hex digits)."
FORCE_HELP = "Make a stage again, from nothing: data, train, contamination, evaluate, card."


class StageName(click.ParamType[str]):
    """A stage of the table, which is read only when a name is given."""

    name = "stage"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a stage; refuse any other word."""
        from zoo.pipeline.stages import STAGES

        name: str = click.Choice([*STAGES]).convert(value, param, ctx)
        return name


@click.group("data", cls=ZooGroup, epilog="Example: zoo data build arabic-stsb --scale mini --hub local")
def data() -> None:
    """Build a dataset from its recipe, and check it or any other."""


@command("build", needs=["data"], epilog="Example: zoo data build arabic-stsb --scale mini --hub local")
@click.argument("datasets", nargs=-1)
@scale_option
@click.option("--force", is_flag=True, help="Build again what is up to date.")
@click.option("--on", type=click.Choice(["local", "ray"]), default="local", show_default=True, help=DATA_ON_HELP)
def data_build(datasets: tuple[str, ...], scale: str, force: bool, on: Literal["local", "ray"]) -> None:
    """Fetch, check and filter datasets (default: all)."""
    space = workspace()
    names = datasets or sorted(space.datasets)
    places.refuse(None, 1, on)
    chosen = {name: space.dataset(name, scale=scale) for name in names}
    connect(seed=True, datasets=space.datasets_behind(chosen.values(), scale=scale))
    from zoo.layout import AUDIT_PAGE, DATA
    from zoo.pipeline.build import Build
    from zoo.stage import Circumstances, NamedDataset, Node

    nodes = [Node(DATA, NamedDataset(name, dataset)) for name, dataset in chosen.items()]
    with say.progress() as progress:
        there = Circumstances(on=on)
        work = Build(space, scale, circumstances=there, progress=progress)
        forced = frozenset({DATA} if force else ())
        again = Build(space, scale, force=forced, circumstances=there, progress=progress)
        named = {node.key for node in nodes}  # what they are made from is not made again
        outcomes = [(again if node.key in named else work).make(node) for node in work.ordered(nodes)]
    rows = [{"dataset": outcome.name, "did": outcome.did, "why": outcome.why} for outcome in outcomes]
    say.table(rows)
    for node in nodes:
        if (page := work.folder(node.name).stage(DATA) / AUDIT_PAGE).exists():
            say.note(f"audit of '{node.name}': {page}")
    say.result({"datasets": rows})


data.add_command(data_build)
data.add_command(data_check)
data.add_command(data_review)


@command("build", epilog="zoo build arabert-hybrid --hub local --scale mini\nzoo build arabert-hybrid --dry-run")
@click.argument("recipes", nargs=-1)
@click.option("--recipe", "file", type=click.Path(path_type=Path), help="A resolved recipe, as `zoo show` prints it.")
@click.option("--trust", multiple=True, metavar="COMMIT", help=TRUST_HELP)
@scale_option
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Lay a value over the recipe.")
@click.option("--force", multiple=True, type=StageName(), metavar="STAGE", help=FORCE_HELP)
@click.option(
    "--report-to",
    multiple=True,
    type=click.Choice(TRACKERS),
    metavar="TRACKER",
    help="trackio or tensorboard (in trackers/ beside the runs), wandb …",
)
@click.option("--device", callback=places.device_name, help="cpu, cuda, cuda:1 …  [default: the best there is]")
@click.option("--gpus", type=click.IntRange(1), default=1, metavar="N", help="Devices that train one model together.")
@click.option("--on", type=click.Choice(["local", "ray"]), default="local", show_default=True, help=ON_HELP)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and why; make nothing.")
def build(
    recipes: tuple[str, ...],
    file: Path | None,
    trust: tuple[str, ...],
    scale: str,
    assignments: tuple[str, ...],
    force: tuple[str, ...],
    report_to: tuple[str, ...],
    device: str | None,
    gpus: int,
    on: str,
    dry_run: bool,
) -> None:
    """Data, training, evaluation and card: what is missing or stale, parents first."""
    if trust and file is None:
        raise click.UsageError("--trust is for --recipe FILE: recipes hold the consent that `zoo trust` writes")
    chosen = _recipes(recipes, file, trust, scale, assignments)
    if not dry_run:
        need("train")
        places.refuse(device, gpus, on)
    data = [dataset for recipe in chosen for one in recipe.lineage for dataset in one.datasets.values()]
    connect(seed=True, datasets=data)  # a recipe brings what its datasets are made from
    from zoo.pipeline.build import Build
    from zoo.pipeline.stages import OF_RECIPES
    from zoo.stage import Circumstances

    if dry_run:
        _say_plan(Build(workspace(), chosen[0].scale, force=frozenset(force)), chosen)
        return
    if on == "local":
        places.require(chosen, report_to, device, gpus)
    work = Build(
        workspace(),
        chosen[0].scale,
        force=frozenset(force),
        circumstances=Circumstances(device, report_to),
        report=say_outcome,
    )
    problems = places.run(work, chosen, on, gpus)
    _say_built(work, [recipe for recipe in chosen if (recipe.name, OF_RECIPES[-1]) in work.done], problems)
    if problems:
        click.get_current_context().exit(1)
    say.hint(as_typed(f"zoo plan {' '.join(recipe.name for recipe in chosen)}{work.as_typed}"))


def _say_built(work: Build, recipes: list[Recipe], problems: list[ZooError]) -> None:
    """Tell what a build came to, and all that speaks against its models: doubts, leaks, changes by `--set`.

    Args:
        recipes: those that are built.
        problems: why others are not.
    """
    from zoo.cards.ingredients import doubts_of
    from zoo.layout import TRAIN

    outcomes = list(work.done.values())
    doubts = {recipe.name: doubts_of(recipe, work.runs) for recipe in recipes}
    leaked = {recipe.name: work.findings(recipe.name) for recipe in recipes}
    scores = {recipe.name: work.scores(recipe.name).model_dump() for recipe in recipes}
    stages = [vars(outcome) for outcome in outcomes]
    phases = {recipe.name: _phases(work.folder(recipe.name).stage(TRAIN)) for recipe in recipes}
    facts = {"stages": stages, "scores": scores, "leaked": leaked, "doubts": doubts, "phases": phases}
    if problems:
        tell(problems, facts)
    else:
        say.result(facts)
    for doubt in dict.fromkeys(doubt for found in doubts.values() for doubt in found):
        say.line(f"doubt: {doubt}")
    if not problems and all(outcome.did == "kept" for outcome in outcomes):
        say.line("nothing to do: every stage is up to date")
    for name, sentences in leaked.items():
        for sentence in sentences:
            say.line(f"{name}: {sentence}")
    _say_overrides(recipes)


def _phases(trained: Path) -> dict[str, str]:
    """{phase: what became of it}, from the log of training."""
    from zoo.evidence.course import became
    from zoo.layout import TRAIN_LOG

    return {phase["phase"]: became(phase) for phase in json.loads((trained / TRAIN_LOG).read_text("utf-8"))}


def _say_overrides(recipes: list[Recipe]) -> None:
    """Tell that what was built with `--set` is not the recipe that it has the name of."""
    from zoo.evidence.scores import as_set

    for recipe in recipes:
        if recipe.overrides:
            marked = "cards and tables say so, and those of its siblings leave it out"
            say.line(f"'{recipe.name}' is built with {as_set(recipe.overrides)}: {marked}")


def _say_plan(build: Build, recipes: list[Recipe]) -> None:
    """Print what a build would make, and why."""
    outcomes = build.plan(*recipes)
    say.table([{"recipe": one.name, "stage": one.stage, "did": one.did, "why": one.why} for one in outcomes])
    say.result({"stages": [vars(outcome) for outcome in outcomes]})
    if all(outcome.did == "kept" for outcome in outcomes):
        say.line("nothing to do: every stage is up to date")
    else:
        say.hint("the same without --dry-run makes them")


def _recipes(
    names: tuple[str, ...], file: Path | None, trust: tuple[str, ...], scale: str, assignments: tuple[str, ...]
) -> list[Recipe]:
    from zoo.recipe import override

    if bool(names) == bool(file):
        raise click.UsageError("give names of recipes, or --recipe FILE (zoo ls lists the names)")
    workspace()  # its plugins are what a FILE may name, and none that came with it
    found = [_from_file(file, trust, scale)] if file else [workspace().recipe(name, scale=scale) for name in names]
    return [override(recipe, assignments) for recipe in found]


def _from_file(file: Path, trust: tuple[str, ...], scale: str) -> Recipe:
    from zoo.recipe import load_resolved
    from zoo.recipe.consented import require_own_consent

    recipe = load_resolved(file)
    require_own_consent(file, recipe, workspace().recipes, trust)
    typed = click.get_current_context().get_parameter_source("scale") is ParameterSource.COMMANDLINE
    if typed and scale != recipe.scale:
        raise click.UsageError(
            f"'{file}' is of scale '{recipe.scale}', which '--scale {scale}' beside it cannot change"
        )
    return recipe


def say_outcome(outcome: Outcome) -> None:
    """Tell what a build did with one stage, how long it took, and why."""
    did = f"{outcome.seconds:6.1f} s" if outcome.did == "built" else "    kept"
    say.note(f"{outcome.name:<24} {outcome.stage:<13} {did}  {outcome.why}")
