"""errors, submit: what is done with models that were measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.evaluate import jobs_option
from zoo.cli.publish import SIGNS
from zoo.cli.session import ZooGroup, command, connect, ground, scale_option, workspace
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.analysis.errors import BandError, ErrorReport, Lexical, Pair
    from zoo.pipeline.build import Build
    from zoo.submit import Clone, Pending, Submission

SHOWN = 90  # characters of a text in a table


@command("errors", needs=["eval"], epilog="Example: zoo errors arabert-hybrid arabert-matryoshka@64 --html errors.html")
@click.argument("targets", nargs=-1, required=True)
@click.option("--task", help="An STS task, by our name or mteb's.  [default: the first of the first one's suite]")
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Pairs of each kind, per model.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write them as one page, side by side.")
@scale_option
@jobs_option
def errors(targets: tuple[str, ...], task: str | None, top: int, html: Path | None, scale: str, jobs: int) -> None:
    """Where models over- and under-estimate similarity: by band, and with shared words. NAME, or NAME@DIM."""
    space = ground()
    from zoo.analysis.gather import check_task, gather
    from zoo.evidence.scores import REHEARSAL
    from zoo.pipeline.evaluation import Request

    request = Request.of(space, None, scale, jobs, tasks=[check_task(space, task, targets[0])])
    connect(seed=True, tasks=request.tasks)
    with say.progress() as progress:
        found = gather(request, targets, top=top, progress=progress)
    _say_report(found.report, found.task, f" ({REHEARSAL})" if found.miniature else "")
    say.result(asdict(found))
    if html:
        from zoo.analysis.page import errors_page
        from zoo.cards.voice import speaks_arabic

        arabic = speaks_arabic(space.described(name) for name in space.names)
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(errors_page(found, space.folders("cards"), arabic=arabic), "utf-8")
        say.note(f"wrote {html}")


def _say_report(report: ErrorReport, task: str, mark: str) -> None:
    title = f"{task}: errors by similarity ({how_many(report.pairs, 'pair')})"
    say.table([_band(one) for one in report.bands], title=f"{title}{mark}")
    say.line("raw: cosine less gold, not calibrated; rank: percentile of the cosine less percentile of gold")
    say.line()
    say.table([_lexical(one) for one in report.lexical], title=f"rank error and shared words (Spearman){mark}")
    lists = {
        "a typical pair of each band": report.typical,
        "false positives with shared words": report.false_positives,
        "over-estimated": report.over,
        "under-estimated": report.under,
    }
    for title, pairs in lists.items():
        say.line()
        say.table([_pair(pair, report.models) for pair in pairs], title=f"{title}: cosine (rank error){mark}")


def _band(one: BandError) -> dict[str, Any]:
    return {
        "model": one.model,
        "similarity": one.band,
        "pairs": one.pairs,
        "raw": _signed(one.raw),
        "|raw|": one.raw_absolute,
        "rank": _signed(one.rank),
        "|rank|": one.rank_absolute,
    }


def _lexical(one: Lexical) -> dict[str, Any]:
    return {
        "model": one.model,
        "words": _signed(one.words),
        "letters": _signed(one.letters),
        "words, lowest band": _signed(one.words_in_lowest),
        "letters, lowest band": _signed(one.letters_in_lowest),
        "false positives": f"{one.false_positives} of {one.lookalikes}",
    }


def _pair(pair: Pair, models: list[str]) -> dict[str, Any]:
    said = {name: f"{one.cosine:.2f} ({_signed(one.rank)})" for name, one in zip(models, pair.said, strict=True)}
    texts = "\n".join(text if len(text) <= SHOWN else f"{text[:SHOWN]}…" for text in (pair.first, pair.second))
    return {"row": pair.row, "gold": f"{pair.gold:.2f} {pair.band}", **said, "pair": texts}


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


@click.group("submit", cls=ZooGroup, epilog="Example: zoo submit mteb arabert-hybrid --clone ../results")
def submit() -> None:
    """Prepare measured results for those who collect them; nothing is sent."""


@command("mteb", needs=["eval"], epilog="Example: zoo submit mteb arabert-hybrid --clone ../results --yes")
@click.argument("recipes", nargs=-1, required=True)
@click.option(
    "--clone",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Your clone of embeddings-benchmark/results.",
)
@scale_option
@click.option("--yes", is_flag=True, help="Commit in the clone; without it, only show what would be.")
def submit_mteb(recipes: tuple[str, ...], clone: Path, scale: str, yes: bool) -> None:
    """Put published models' results on branches of a local clone of MTEB's results repository."""
    space = workspace()
    chosen = [space.recipe(name, scale=scale) for name in dict.fromkeys(recipes)]
    connect()
    from zoo.pipeline.build import Build
    from zoo.submit import Clone, submissions

    place, build = Clone(clone), Build(space, scale)
    pending = [place.pending(submission) for submission in submissions(build, chosen)]
    made = [_submit_one(place, build, one, yes=yes) for one in pending]
    say.result({"clone": str(clone), "submissions": made})
    if not yes and any(one["changes"] for one in made):
        say.hint("the same with --yes commits this in the clone; nothing is sent")


def _submit_one(clone: Clone, build: Build, pending: Pending, *, yes: bool) -> dict[str, Any]:
    submission = pending.submission
    _say_changes(pending)
    commit = clone.commit(pending) if pending.changes and yes else None
    if commit:
        _say_next_steps(clone, submission, commit)
    meta = _write_meta(build, submission) if yes else None
    return {
        "recipe": submission.recipe,
        "id": submission.id,
        "revision": submission.revision,
        "branch": submission.branch,
        "changes": [{"action": change.action, "path": change.path} for change in pending.changes],
        "commit": commit,
        "model_meta": meta and str(meta),
    }


def _say_changes(pending: Pending) -> None:
    submission = pending.submission
    if not pending.changes:
        say.line(f"nothing to do: the clone has the results of {submission.id} ({submission.revision[:8]})")
        return
    say.line(f"branch {submission.branch}, on {pending.start[:8]}")
    for change in pending.changes:
        say.line(f"  {SIGNS[change.action]} {change.path}  ({how_many(len(change.content), 'byte')})")


def _write_meta(build: Build, submission: Submission) -> Path:
    """Write mteb's definition of the model, for a pull request to mteb itself."""
    from zoo.evaluate.wholefiles import write

    place = build.folder(submission.recipe).folder / "submit" / "model_meta.py"
    write(place, submission.source)
    say.line(f"wrote {place}: for mteb/models/model_implementations/ in a pull request to embeddings-benchmark/mteb")
    return place


def _say_next_steps(clone: Clone, submission: Submission, commit: str) -> None:
    say.line(f"committed {commit[:8]}")
    if submission.rehearsal:
        say.line("a rehearsal on generated data: not to be sent")
        return
    say.line("to send it, from a fork of your own:")
    say.line(f"  git -C {clone.folder} push origin {submission.branch}")
    say.line(
        f"  gh pr create --repo embeddings-benchmark/results --head YOU:{submission.branch} "
        f'--title "{submission.title}" --body ""'
    )


submit.add_command(submit_mteb)
