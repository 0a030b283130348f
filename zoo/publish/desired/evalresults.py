"""`.eval_results/*.yaml`: a model's scores as the Hub's pages and leaderboards read them, a file a task."""

from __future__ import annotations

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from zoo.evidence.scores import Score, ScoreFile, Subject
from zoo.tasks import TASKS

FOLDER = ".eval_results"
SITE = "https://huggingface.co"  # as in cards; a local Hub's address changes every time, and would change the file


def eval_results(scores: ScoreFile, model_id: str) -> dict[str, str]:
    """Return {path: text} for the model, at full width only: the format has no place for a dim.

    Tasks whose data are on no Hub have no place there either. Values are those of the card's `model-index`. No date:
    the Hub takes the commit's, and equal releases stay equal.
    """
    mine = scores.subject("self")
    assert mine is not None
    on_hub = (task for task in scores.tasks if TASKS[task].file is None)
    found = (scores.score(mine.name, task, mine.dims[0]) for task in on_hub)
    return {f"{FOLDER}/{score.task}.yaml": _yaml(_entry(score, mine, scores, model_id)) for score in found}


def _entry(score: Score, mine: Subject, scores: ScoreFile, model_id: str) -> EvalResultEntry:
    """Return one entry. Its ids are as mteb writes them, so that mteb's own entries and ours are of one task."""
    ours = TASKS[score.task]
    return EvalResultEntry(
        dataset_id=ours.dataset,
        task_id=f"{ours.mteb}_{ours.subset}_{ours.split}",
        dataset_revision=ours.revision,
        value=round(score.value, 2),
        source_url=f"{SITE}/{model_id}/blob/main/zoo/scores.json",
        source_name="every size and interval",
        notes=_notes(score, mine, scores),
    )


def _notes(score: Score, mine: Subject, scores: ScoreFile) -> str:
    said = [
        f"mteb {score.mteb or scores.versions['mteb']}",
        f"{score.dim} dims",
        *([f"max_seq_length {mine.max_seq_length}"] if mine.max_seq_length else []),
        f"95% interval {score.low:.1f}-{score.high:.1f}",
    ]
    return ", ".join([*said, *(["rehearsal on generated data"] if scores.miniature else [])])


def _yaml(entry: EvalResultEntry) -> str:
    text: str = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True, width=120)
    return text
