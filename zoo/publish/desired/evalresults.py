"""`.eval_results/*.yaml`: a model's scores as the Hub's pages and leaderboards read them, a file a task.

The Hub shows only results on registered benchmarks: datasets with an `eval.yaml` that its team has put on a list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml
from huggingface_hub.errors import EntryNotFoundError

from zoo.evidence.scores import Score, ScoreFile, Subject
from zoo.hub.frontmatter import load_yaml
from zoo.remote import api, explained
from zoo.tasks import TASKS

FOLDER = ".eval_results"
REGISTRATION = "eval.yaml"  # of a benchmark's dataset
DOCUMENTATION = "https://huggingface.co/docs/hub/eval-results"
SITE = "https://huggingface.co"  # as in cards; a local Hub's address changes every time, and would change the file


def shown_tasks(tasks: Iterable[str]) -> set[str]:
    """Return those of the tasks whose results the Hub shows.

    Their dataset is a registered benchmark (the Hub lists it as an official one), and its `eval.yaml` has the task.

    Raises:
        HubError: the Hub cannot be asked.
    """
    found = {name: TASKS[name] for name in tasks if TASKS[name].file is None}
    if not found:
        return set()
    with explained("list the benchmarks that the Hub shows results of"):
        listed = {one.id: one.sha for one in api().list_datasets(benchmark="official", expand=["sha"])}
        ids = {task.dataset: _task_ids(task.dataset, listed.get(task.dataset)) for task in found.values()}
    return {name for name, task in found.items() if task.result_id in ids[task.dataset]}


def _task_ids(dataset: str, commit: str | None) -> set[str]:
    """Return the ids of the tasks in a benchmark's `eval.yaml`; none when it has no such file, or another one."""
    if commit is None:
        return set()
    try:
        path = api().hf_hub_download(dataset, REGISTRATION, repo_type="dataset", revision=commit)
        found = load_yaml(Path(path).read_text("utf-8")).data
        return {str(task["id"]) for task in found["tasks"]}
    except (EntryNotFoundError, ValueError, KeyError, TypeError):
        return set()


def not_shown(tasks: Iterable[str], shown: Collection[str]) -> str | None:
    """Return a sentence about results that are not written for the Hub's pages, for people; None: all are."""
    lacking = sorted(name for name in set(tasks) - set(shown) if TASKS[name].file is None)
    if not lacking:
        return None
    return (
        f"the Hub will not show results of {', '.join(lacking)} beside the card: the data are no registered benchmark"
        f" ({DOCUMENTATION})"
    )


def eval_results(scores: ScoreFile, model_id: str, shown: Collection[str] | None = None) -> dict[str, str]:
    """Return {path: text} for the model, at full width only: the format has no place for a dim.

    `shown`: the tasks to write; None: all. Tasks whose data are on no Hub have no place there either. Values are those
    of the card's `model-index`. No date: the Hub takes the commit's, and equal releases stay equal.
    """
    mine = scores.subject("self")
    assert mine is not None
    on_hub = (task for task in scores.tasks if TASKS[task].file is None and (shown is None or task in shown))
    found = (scores.score(mine.name, task, mine.dims[0]) for task in on_hub)
    return {f"{FOLDER}/{score.task}.yaml": _yaml(_entry(score, mine, scores, model_id)) for score in found}


def _entry(score: Score, mine: Subject, scores: ScoreFile, model_id: str) -> EvalResultEntry:
    """Return one entry."""
    ours = TASKS[score.task]
    return EvalResultEntry(
        dataset_id=ours.dataset,
        task_id=ours.result_id,
        dataset_revision=ours.revision,
        value=round(score.value, 2),
        source_url=f"{SITE}/{model_id}/blob/main/zoo/scores.json",
        source_name="every size and interval",
        notes=_notes(score, mine, scores),
    )


def _notes(score: Score, mine: Subject, scores: ScoreFile) -> str:
    said = [
        score.metric,
        f"mteb {score.mteb or scores.versions['mteb']}",
        f"{score.dim} dims",
        *([f"max_seq_length {mine.max_seq_length}"] if mine.max_seq_length else []),
        f"95% interval {score.low:.1f} to {score.high:.1f}",
        *([leak.shown] if (leak := scores.leak(score.task)) else []),
        *scores.marks,
    ]
    return ", ".join(said)


def _yaml(entry: EvalResultEntry) -> str:
    text: str = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True, width=120)
    return text
