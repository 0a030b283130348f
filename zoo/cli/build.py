"""data, build, eval: the stages that make things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from zoo import say
from zoo.cli.session import ZooGroup, command, connect, tell, workspace
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.evidence.scores import Measured, Scored, ScoreFile, Verdict
    from zoo.pipeline.build import Build, Outcome
    from zoo.pipeline.evaluation import Request
    from zoo.recipe import Recipe, Workspace

TRACKERS = ("clearml", "codecarbon", "comet_ml", "mlflow", "neptune", "swanlab", "tensorboard", "trackio", "wandb")
DEVICE = re.compile(r"cpu|(cuda|mps|xpu)(:\d+)?", re.ASCII)

scale_option = click.option("--scale", default="full", show_default=True, help="A scale of recipes/family.yaml.")


ON_HELP = "One stage after another here, or side by side on a Ray cluster: this machine's, or that of RAY_ADDRESS."
FORCE_HELP = "Make a stage again, from nothing: data, train, contamination, evaluate, card."


class StageName(click.ParamType[str]):
    """A stage of the table, which is read only when a name is given."""

    name = "stage"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name of a stage; refuse any other word."""
        from zoo.pipeline.stages import STAGES

        if value not in STAGES:
            raise click.BadParameter(f"'{value}' is none of {', '.join(STAGES)}", ctx, param)
        return value


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
    from zoo.layout import DATA
    from zoo.pipeline.build import Build
    from zoo.stage import NamedDataset, Node

    space = workspace()
    names = datasets or sorted(space.datasets)
    nodes = [Node(DATA, NamedDataset(name, space.dataset(name, scale=scale))) for name in names]
    with say.progress() as progress:
        work = Build(space, scale, force=frozenset({DATA} if force else ()), progress=progress)
        outcomes = [work.make(node) for node in nodes]
    rows = [{"dataset": outcome.name, "did": outcome.did, "why": outcome.why} for outcome in outcomes]
    say.table(rows)
    say.result({"datasets": rows})


data.add_command(data_build)


def device_name(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Refuse what cannot be the name of a device. Whether this machine has the device, only torch can say."""
    if name is not None and not DEVICE.fullmatch(name):
        raise click.BadParameter(f"'{name}' is none of cpu, cuda, cuda:1 (or another number), mps and xpu")
    return name


@command("build", epilog="Example: zoo build arabert-hybrid --hub local --scale mini")
@click.argument("recipes", nargs=-1)
@click.option("--recipe", "file", type=click.Path(path_type=Path), help="A resolved recipe, as `zoo show` prints it.")
@scale_option
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Lay a value over the recipe.")
@click.option("--force", multiple=True, type=StageName(), metavar="STAGE", help=FORCE_HELP)
@click.option(
    "--report-to",
    multiple=True,
    type=click.Choice(TRACKERS),
    metavar="TRACKER",
    help="trackio or tensorboard (in runs/trackers/), wandb …",
)
@click.option("--device", callback=device_name, help="cpu, cuda, cuda:1 …  [default: the best there is]")
@click.option("--gpus", type=click.IntRange(1), default=1, metavar="N", help="Devices that train one model together.")
@click.option("--on", type=click.Choice(["local", "ray"]), default="local", show_default=True, help=ON_HELP)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and why; make nothing.")
def build(
    recipes: tuple[str, ...],
    file: Path | None,
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
    chosen = _recipes(recipes, file, scale, assignments)
    from zoo.cli import places

    if not dry_run:
        places.refuse(device, gpus, on)
    connect(seed=True)
    from zoo.pipeline.build import Build
    from zoo.pipeline.stages import OF_RECIPES
    from zoo.stage import Circumstances

    if dry_run:
        _say_plan(Build(workspace(), chosen[0].scale, force=frozenset(force)), chosen)
        return
    if on == "local":
        _require(chosen, report_to, device, gpus)
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
    say.hint(f"zoo plan {' '.join(recipe.name for recipe in chosen)}{_as_typed(chosen[0].scale)}")


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
    say.table([{"recipe": one.name, "stage": one.stage, "": one.did, "why": one.why} for one in outcomes])
    say.result({"stages": [vars(outcome) for outcome in outcomes]})
    if all(outcome.did == "kept" for outcome in outcomes):
        say.line("nothing to do: every stage is up to date")
    else:
        say.hint("the same without --dry-run makes them")


def _require(recipes: list[Recipe], report_to: tuple[str, ...], device: str | None, gpus: int) -> None:
    """Refuse what would stop the training only after its data were built.

    Asking takes torch and its seconds, so what was built before is not asked for: a stale stage asks for itself.
    """
    from zoo.pipeline.stages import MEASURED
    from zoo.run import Run

    root = workspace().root
    runs = [Run.of(root, recipe.name, recipe.scale) for recipe in recipes]
    built = all(run.finished(stage) for run in runs for stage in MEASURED)
    members = [member for recipe in recipes for member in recipe.lineage]
    fp16 = [member for member in members if any(phase.train.precision == "fp16" for phase in member.phases)]
    if built or not (report_to or device or fp16 or gpus > 1):
        return
    from zoo.models.load import require_device
    from zoo.train.arguments import require_trackers
    from zoo.train.precision import refuse_precision
    from zoo.train.ranks import require_devices

    require_device(device)
    if gpus > 1:
        require_devices(gpus, device)
    require_trackers(report_to)
    refuse_precision(fp16, device)


def _as_typed(scale: str) -> str:
    hub = click.get_current_context().meta.get("hub")
    return (f" --scale {scale}" if scale != "full" else "") + (f" --hub {hub}" if hub else "")


def _recipes(names: tuple[str, ...], file: Path | None, scale: str, assignments: tuple[str, ...]) -> list[Recipe]:
    from zoo.recipe import override

    if bool(names) == bool(file):
        raise click.UsageError("give names of recipes, or --recipe FILE (zoo ls lists the names)")
    workspace()  # its plugins are what a FILE may name, and none that came with it
    found = [_from_file(file, scale)] if file else [workspace().recipe(name, scale=scale) for name in names]
    return [override(recipe, assignments) for recipe in found]


def _from_file(file: Path, scale: str) -> Recipe:
    from zoo.recipe import load_resolved

    recipe = load_resolved(file)
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


suite_option = click.option("--suite", help="A suite of recipes/family.yaml.  [default: the family's]")
jobs_option = click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")


@command("eval", epilog="Example: zoo eval sentence-transformers/LaBSE arabert-hybrid --dims 768,256")
@click.argument("targets", nargs=-1)
@suite_option
@click.option("--dims", help="Sizes, comma-separated.  [default: a recipe's own, else the model's width]")
@scale_option
@jobs_option
@click.option("--refresh-published", is_flag=True, help="Fetch MTEB's official scores of the models in our tables.")
def eval_(
    targets: tuple[str, ...], suite: str | None, dims: str | None, scale: str, jobs: int, refresh_published: bool
) -> None:
    """Score recipes' models, folders or ids on the Hub with mteb, at every size from one encoding pass.

    A model that cannot be scored leaves the others alone; the exit code is then 1.
    """
    if bool(targets) == refresh_published:
        raise click.UsageError("give recipes, folders or Hub ids, or --refresh-published alone")
    space = workspace()
    if refresh_published:
        _refresh(space)
        return
    sizes = [_dim(dim) for dim in dims.split(",")] if dims else []
    from zoo.pipeline.evaluation import Request

    request = Request.of(space, suite, scale, jobs)
    connect(seed=True, tasks=request.tasks)
    found, problems = _evaluate_all(request, targets, sizes)
    facts = {target: scores.model_dump() for target, scores in found.items()}
    if problems:
        tell(problems, facts)
        click.get_current_context().exit(1)
    say.result(facts)


def _refresh(space: Workspace) -> None:
    connect()
    from zoo.leaderboard.official import refresh

    changed = refresh(space)
    say.table([{name: row[name] for name in row if name != "revision"} for row in changed])
    say.line(f"{len(changed)} rows of recipes/published/mteb-results.csv changed")
    say.result({"changed": changed})


def _evaluate_all(
    request: Request, targets: tuple[str, ...], dims: list[int]
) -> tuple[dict[str, ScoreFile], list[ZooError]]:
    from zoo.evidence.scores import UnmeasuredError
    from zoo.pipeline.evaluation import evaluate_target

    found: dict[str, ScoreFile] = {}
    problems: list[ZooError] = []
    for target in dict.fromkeys(targets):
        try:
            with say.progress() as progress:
                found[target] = evaluate_target(request, target, dims, progress=progress)
        except ZooError as problem:
            problems.append(problem)
            if isinstance(problem, UnmeasuredError) and problem.scores:  # of the tasks that could be scored
                found[target] = problem.scores
        if target in found:
            _say_scores(request, target, found[target])
    return found, problems


def _say_scores(request: Request, target: str, scores: ScoreFile) -> None:
    """Print a model's table as soon as it is there; without a mean when tasks of the suite are missing."""
    from zoo.evidence.scores import current

    mine = scores.subjects[0]
    missing = [task for task in request.tasks if task not in scores.tasks]
    without = f" without {', '.join(missing)}" if missing else ""
    say.table(score_rows(scores, mean=not missing), title=f"{mine.title}{scores.aside}: {scores.suite}{without}")
    say.line(f"{mine.title}: {mine.prompted}")
    _say_leaks(scores.scores)
    _say_unsearched(mine.title, scores.unsearched)
    _say_sharing(current(scores.tasks))
    _say_as_base(request.workspace, target)


def _say_as_base(space: Workspace, target: str) -> None:
    """Tell that a Hub id was measured as it is there, where recipes load it otherwise."""
    from zoo.pipeline.candidates import recipes_from

    if recipes := recipes_from(space, target):
        as_base = f"as the base of {', '.join(recipes)} it has the prompts and the pooling of the recipe"
        say.line(f"{target} as its repository is; {as_base}")


def score_rows(scores: ScoreFile, *, mean: bool = True) -> list[dict[str, Any]]:
    """A row per task and, unless told not to, one for the headline mean; a column for each dim and for the baseline.

    All numbers have their intervals.
    """
    from zoo.evidence.scores import mean_name

    places = [(subject, dim) for subject in scores.subjects for dim in subject.dims or (None,)]
    rows: list[dict[str, Any]] = [{"task": task} for task in scores.tasks]
    rows += [{"task": mean_name(scores.tasks)}] if mean and len(scores.tasks) > 1 else []
    for subject, dim in places:
        found: list[Measured] = [scores.score(subject.name, task, dim) for task in scores.tasks]
        found.append(scores.headline(subject.name, dim))
        for row, one in zip(rows, found, strict=False):
            row[str(dim or subject.title)] = one.shown
    return rows


@command("compare", epilog="Example: zoo compare arabert-hybrid arabert-matryoshka@256")
@click.argument("first")
@click.argument("second")
@suite_option
@scale_option
@jobs_option
def compare(first: str, second: str, suite: str | None, scale: str, jobs: int) -> None:
    """Tell two models apart on the same rows, or not: NAME, or NAME@DIM for one of its sizes."""
    space = workspace()
    from zoo.evidence.scores import TIE_MARGIN, current
    from zoo.pipeline.evaluation import Request
    from zoo.pipeline.evaluation import compare as judge

    request = Request.of(space, suite, scale, jobs)
    connect(seed=True, tasks=request.tasks)
    with say.progress() as progress:
        verdicts = judge(request, first, second, progress=progress)
    say.table(
        [_verdict_row(verdict, first, second) for verdict in verdicts], title=_compared(verdicts[0], first, second)
    )
    say.line(f"difference with its 95% interval, paired; tied: it holds zero and stays within {TIE_MARGIN:g} point")
    _say_leaks(number for verdict in verdicts for number in (verdict.first, verdict.second))
    for place, target in enumerate((first, second)):
        unsearched = (verdict.task for verdict in verdicts if verdict.unsearched[place])
        _say_unsearched(target, [task for task in unsearched if task in request.tasks])
    _say_sharing(current(request.tasks))
    say.result({"suite": request.suite, "verdicts": [_verdict(verdict) for verdict in verdicts]})


def _say_leaks(numbers: Iterable[Scored]) -> None:
    """Say what the mark means, where one was shown."""
    from zoo.evidence.scores import LEGEND

    if any(number.leaked for number in numbers):
        say.line(LEGEND)


def _say_unsearched(title: str, tasks: Sequence[str]) -> None:
    """Say which tasks lack a mark only because nobody looked for them."""
    from zoo.evidence.scores import not_searched

    if tasks:
        say.line(not_searched(title, tasks))


def _say_sharing(tasks: list[str]) -> None:
    """Say which tasks of a mean share rows."""
    from zoo.tasks import sharing

    for sentence in sharing(tasks):
        say.line(sentence)


def _compared(verdict: Verdict, first: str, second: str) -> str:
    """Return the title of a comparison, with what marks the models."""
    from zoo.evidence.scores import REHEARSAL

    pairs = zip((first, second), verdict.changes, strict=True)
    names = (f"{name} ({changes})" if changes else name for name, changes in pairs)
    return " less ".join(names) + (f" ({REHEARSAL})" if verdict.miniature else "")


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {**verdict.model_dump(), "verdict": verdict.standing, "tied": verdict.tied}


def _verdict_row(verdict: Verdict, first: str, second: str) -> dict[str, Any]:
    return {
        "task": verdict.task,
        "rows": verdict.rows,
        first: verdict.first.shown,
        f"{second} ": verdict.second.shown,  # the same target twice still has two columns
        "difference": verdict.shown,
        "p": f"{verdict.p:.4f}",
        "verdict": _said(verdict, first, second),
    }


def _said(verdict: Verdict, first: str, second: str) -> str:
    """The better one's name, or why there is none."""
    words = {"ahead": first, "behind": second, "tied": "tied"}
    return words.get(verdict.standing, f"not told apart: {verdict.limit(verdict.rows)}")


def _dim(text: str) -> int:
    if not text.strip().isdigit() or int(text) < 1:
        raise ZooError(f"--dims: '{text}' is not a size", hint="for example --dims 768,256,64")
    return int(text)
