"""eval, compare: what models are worth, and which of two is the better one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.session import command, connect, ground, scale_option, tell, workspace
from zoo.errors import ZooError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.evidence.scores import Measure, Measured, Scored, ScoreFile, Verdict
    from zoo.pipeline.evaluation import Request
    from zoo.recipe import Workspace
    from zoo.tasks import MeasureName

suite_option = click.option("--suite", help="A suite of the lab.  [default: a recipe's own, else the lab's]")
task_option = click.option("--task", "tasks", multiple=True, help="A task instead, by our name or mteb's; repeatable.")
jobs_option = click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")


@command("eval", needs=["eval"], epilog="Example: zoo eval sentence-transformers/LaBSE arabert-hybrid --dims 768,256")
@click.argument("targets", nargs=-1)
@suite_option
@task_option
@click.option("--dims", help="Sizes, comma-separated.  [default: a recipe's own, else the model's width]")
@scale_option
@jobs_option
@click.option("--trust", metavar="COMMIT", help="Run the code of one Hub id, as it is at this commit (40 hex digits).")
@click.option("--refresh-published", is_flag=True, help="Fetch MTEB's official scores of the models in our tables.")
def eval_(
    targets: tuple[str, ...],
    suite: str | None,
    tasks: tuple[str, ...],
    dims: str | None,
    scale: str,
    jobs: int,
    trust: str | None,
    refresh_published: bool,
) -> None:
    """Score recipes' models, folders or ids on the Hub with mteb, at every size from one encoding pass.

    Folders and ids need no lab: what was measured is then kept in a cache folder, which is named. A model that cannot
    be scored leaves the others alone; the exit code is then 1.
    """
    if bool(targets) == refresh_published:
        raise click.UsageError("give recipes, folders or Hub ids, or --refresh-published alone")
    if trust and len(targets) != 1:
        raise click.UsageError("--trust is consent to the code of one Hub id: give it alone")
    _refuse_both(suite, tasks)
    if refresh_published:
        _refresh(workspace())
        return
    space = ground()
    sizes = [_dim(dim) for dim in dims.split(",")] if dims else []
    from zoo.pipeline.evaluation import Request, suite_of

    space.require_scale(scale)
    asked = [(target, suite or (None if tasks else suite_of(space, target))) for target in dict.fromkeys(targets)]
    requests = {target: Request.of(space, name, scale, jobs, trust, tasks=tasks) for target, name in asked}
    connect(seed=True, tasks=[task for request in requests.values() for task in request.tasks])
    found, problems = _evaluate_all(requests, sizes)
    facts = {target: scores.model_dump() for target, scores in found.items()}
    if problems:
        tell(problems, facts)
        click.get_current_context().exit(1)
    say.result(facts)


def _refuse_both(suite: str | None, tasks: Sequence[str]) -> None:
    if suite and tasks:
        raise click.UsageError(f"--suite '{suite}' and --task '{tasks[0]}' are two choices of tasks: give one of them")


def _refresh(space: Workspace) -> None:
    connect()
    from zoo.leaderboard.official import refresh

    changed = refresh(space)
    say.table([{name: row[name] for name in row if name != "revision"} for row in changed])
    say.line(f"{how_many(len(changed), 'row')} of recipes/published/mteb-results.csv changed")
    say.result({"changed": changed})


def _evaluate_all(requests: Mapping[str, Request], dims: list[int]) -> tuple[dict[str, ScoreFile], list[ZooError]]:
    from zoo.evidence.scores import UnmeasuredError
    from zoo.pipeline.evaluation import evaluate_target

    found: dict[str, ScoreFile] = {}
    problems: list[ZooError] = []
    for target, request in requests.items():
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
    for line in scores.disclosures:
        say.line(line)
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
    from zoo.evidence.scores import current, mean_name

    places = [(subject, dim) for subject in scores.subjects for dim in subject.dims or (None,)]
    beside = _beside(scores)
    named = [[task, *(f"{task} {name}" for one, name in beside if one == task)] for task in scores.tasks]
    rows: list[dict[str, Any]] = [{"task": name} for names in named for name in names]
    rows += [{"task": mean_name(scores.tasks)}] if mean and len(current(scores.tasks)) > 1 else []
    for subject, dim in places:
        found: list[Measured | Measure | None] = []
        for task in scores.tasks:
            score = scores.score(subject.name, task, dim)
            found += [score, *(score.measure(name) for one, name in beside if one == task)]
        found.append(scores.headline(subject.name, dim))
        for row, one in zip(rows, found, strict=False):
            row[str(dim or subject.title)] = one.shown if one else ""
    return rows


def _beside(scores: ScoreFile) -> list[tuple[str, MeasureName]]:
    """(task, measure) of what is told beside scores; ties only where there are any."""
    return list(dict.fromkeys((score.task, one.name) for score in scores.scores for one in score.measures))


@command("compare", needs=["eval"], epilog="Example: zoo compare arabert-hybrid arabert-matryoshka@256")
@click.argument("first")
@click.argument("second")
@suite_option
@task_option
@scale_option
@jobs_option
def compare(first: str, second: str, suite: str | None, tasks: tuple[str, ...], scale: str, jobs: int) -> None:
    """Tell two models apart on the same rows, or not: NAME, or NAME@DIM for one of its sizes."""
    _refuse_both(suite, tasks)
    space = ground()
    from zoo.evidence.scores import TIE_MARGIN, current
    from zoo.pipeline.evaluation import Request, shared_suite
    from zoo.pipeline.evaluation import compare as judge

    space.require_scale(scale)
    suite = suite or (None if tasks else shared_suite(space, first, second, scale))
    request = Request.of(space, suite, scale, jobs, tasks=tasks)
    connect(seed=True, tasks=request.tasks)
    with say.progress() as progress:
        verdicts = judge(request, first, second, progress=progress)
    rows = [row for verdict in verdicts for row in _verdict_rows(verdict, first, second)]
    say.table(rows, title=_compared(verdicts[0], first, second))
    say.line(f"difference with its 95% interval, paired; tied: it holds zero and stays within {TIE_MARGIN:g} point")
    _say_leaks(number for verdict in verdicts for number in (verdict.first, verdict.second))
    for place, target in enumerate((first, second)):
        unsearched = (verdict.task for verdict in verdicts if verdict.unsearched[place])
        _say_unsearched(target, [task for task in unsearched if task in request.tasks])
    _say_sharing(current(request.tasks))
    say.result(
        {"suite": request.suite, "tasks": list(request.tasks), "verdicts": [_verdict(verdict) for verdict in verdicts]}
    )


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


def _verdict_rows(verdict: Verdict, first: str, second: str) -> list[dict[str, Any]]:
    """A row for the score, and one for each of what stands beside it."""
    rows = [_verdict_row(verdict, first, second)]
    for one in verdict.measures:
        mine, other = (next((m.shown for m in side if m.name == one.name), "0") for side in verdict.measured)
        shown = {first: mine, f"{second} ": other, "difference": one.shown}
        rows.append({**dict.fromkeys(rows[0], ""), "task": f"{verdict.task} {one.name}", **shown})
    return rows


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
