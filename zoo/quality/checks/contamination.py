"""Rows of evaluation tasks that stand in a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import EvaluationError, HubError, PluginError, UnansweredError
from zoo.plurals import how_many
from zoo.quality.checked import Checked, Outcome, ShownRow, quality_check, worst
from zoo.quality.counting import EXAMPLES, short_text
from zoo.quality.material import BATCH, Material
from zoo.say import Progress

if TYPE_CHECKING:
    from zoo.evidence.overlap import Overlap

LEAKED = 0.01  # of a task's rows, above which publishing asks
UNSEARCHED = "not searched"
"""Key of the tasks whose data could not be had, in the facts: {task: why}."""
Rows = Mapping[str, list[tuple[str, ...]]]


@quality_check(
    "contamination", "Rows of the evaluation tasks that stand in it: as they are, spelt otherwise, near, or inside."
)
def contaminated(material: Material, progress: Progress) -> Checked:
    """Search train and validation, or all splits where they are not told apart, for the rows of every task."""
    if material.tasks is None:
        return Checked("skipped", "the Hub was not asked for the tasks' rows")
    if not material.tasks:
        return Checked("skipped", "no workspace here that names evaluation tasks")
    evaluation, missing = _rows_of_tasks(material.tasks, progress)
    if not evaluation:
        return Checked(
            "skipped", f"no task's rows could be read: {next(iter(missing.values()))}", {UNSEARCHED: missing}
        )
    splits = _searched(material)
    found = _search(material, splits, evaluation, progress)
    verdicts = {task: _verdict(one) for task, one in found.items()}
    hits = {task: one for task, one in found.items() if one.rows_found}
    told = [
        f"{task}: {len(one.rows_found):,} of {one.rows:,} rows ({100 * one.share:.1f} %)" for task, one in hits.items()
    ]
    searched = f"{how_many(len(evaluation), 'task')} searched for in {', '.join(splits)}"
    parts = ["; ".join(told) or "none", searched, *([f"not searched: {', '.join(missing)}"] if missing else [])]
    facts: dict[str, Any] = {task: _facts(one) for task, one in found.items()}
    facts |= {UNSEARCHED: missing} if missing else {}
    examples = [one for task, overlap in hits.items() for one in _examples(task, overlap)]
    advice = (
        f"{{type: dedupe_against, tasks: [{', '.join(hits)}]}} among its steps drops what is spelt alike"
        if hits
        else ""
    )
    return Checked(
        worst(list(verdicts.values())), "; ".join(parts) + material.searched_in_part(splits), facts, examples, advice
    )


def _rows_of_tasks(tasks: Any, progress: Progress) -> tuple[Rows, dict[str, str]]:
    """The rows of the tasks, and why some cannot be had."""
    from zoo.tasks import TASKS
    from zoo.tasks.loading import loaded_task, rows_of

    found, missing = dict[str, list[tuple[str, ...]]](), dict[str, str]()
    progress.start("rows of the evaluation tasks", len(tasks))
    for name in tasks:
        progress.describe(name)
        try:
            found[name] = rows_of(loaded_task(name), TASKS[name])
        except UnansweredError as problem:  # nor will the others be answered
            missing |= {one: problem.message for one in tasks if one not in found}
            break
        except (HubError, EvaluationError, PluginError) as problem:
            missing[name] = problem.message
        progress.advance()
    progress.finish()
    return found, missing


def _searched(material: Material) -> list[str]:
    names = material.split_names
    return [names[ours] for ours in ("train", "validation") if ours in names] or list(material.frames)


def _search(material: Material, splits: list[str], evaluation: Rows, progress: Progress) -> Mapping[str, Overlap]:
    from zoo.contamination.search import overlap

    rows = sum(material.most_of(split, material.most) for split in splits)
    progress.start("rows searched for those of the tasks", rows)
    found = overlap({split: _passing(material, split, progress) for split in splits}, evaluation).tasks
    progress.finish()
    return found


def _passing(material: Material, split: str, progress: Progress) -> Iterator[tuple[str, ...]]:
    for batch in material.batches(split, material.roles.texts, material.most):
        for row in batch.iter_rows():
            yield tuple(text for text in row if text)
        progress.advance(min(BATCH, len(batch)))


def _verdict(found: Overlap) -> Outcome:
    if found.share > LEAKED:
        return "problem"
    return "warning" if found.rows_found else "ok"


def _facts(found: Overlap) -> dict[str, int]:
    kinds = {kind: getattr(found, kind) for kind in ("exact", "normalised", "near", "contained")}
    return {"rows": found.rows, "found": len(found.rows_found), **kinds}


def _examples(task: str, found: Overlap) -> list[ShownRow]:
    return [
        ShownRow(
            one.source, None, [short_text(one.training), short_text(one.evaluation)], f"{one.kind}: a row of {task}"
        )
        for one in found.examples[:EXAMPLES]
    ]
