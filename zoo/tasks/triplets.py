"""Synonym triplets as an mteb task, evaluated and filed by mteb like any other: is the synonym the nearer word?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from mteb._create_dataloaders import create_dataloader
from mteb.abstasks import AbsTask
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.get_tasks import _TASKS_REGISTRY
from numpy.typing import NDArray

from zoo.tasks import TASKS

OURS = TASKS["Muradif"]
COLUMNS = ("anchor", "positive", "negative")


class MuradifTriplet(AbsTask):  # type: ignore[misc]
    """Rows of an anchor, a synonym of it, another word, and their synset; the test's synsets are not in training."""

    metadata = TaskMetadata(
        name=OURS.mteb,
        description="Synonym triplets: is a word nearer to its synonym than to another word?",
        reference=f"https://huggingface.co/datasets/{OURS.dataset}",
        dataset={"path": OURS.dataset, "revision": OURS.revision},
        type="PairClassification",  # mteb has no type for triplets
        category="t2t",
        modalities=["text"],
        eval_splits=[OURS.split],
        eval_langs=["ara-Arab"],
        main_score=OURS.metric,
        date=None,
        domains=None,
        task_subtypes=[],
        license="not specified",
        annotations_creators="derived",
        dialect=[],
        sample_creation="created",
        bibtex_citation="",
    )
    abstask_prompt = "Retrieve the synonym of the given word."
    column_names = COLUMNS

    def _evaluate_subset(
        self,
        model: Any,
        data_split: Dataset,
        *,
        encode_kwargs: Any,
        hf_split: str,
        hf_subset: str,
        prediction_folder: Path | None = None,
        timer: Any,
        **options: Any,
    ) -> dict[str, float]:
        """Accuracy and ties as shares of the rows, the mean margin of the cosines."""
        del options
        where = {"hf_split": hf_split, "hf_subset": hf_subset}
        with timer("Encoding", split=hf_split, subset=hf_subset):
            anchor, positive, negative = self._encoded(model, data_split, encode_kwargs, where)
        near, far = cosines(anchor, positive), cosines(anchor, negative)
        if prediction_folder:
            told = {"positive": near.tolist(), "negative": far.tolist()}
            self._save_task_predictions(told, model, prediction_folder, **where)
        return {
            "accuracy": float((near > far).mean()),
            "margin": float((near - far).mean()),
            "ties": float((near == far).mean()),
        }

    def _encoded(
        self, model: Any, rows: Dataset, encode_kwargs: Any, where: dict[str, str]
    ) -> list[NDArray[np.float32]]:
        """Every distinct word once; an array per column."""
        words = list(dict.fromkeys(word for column in COLUMNS for word in rows[column]))
        inputs = create_dataloader(Dataset.from_dict({"text": words}), task_metadata=self.metadata, **encode_kwargs)
        vectors = np.asarray(model.encode(inputs, task_metadata=self.metadata, **where, **encode_kwargs), np.float32)
        place = {word: number for number, word in enumerate(words)}
        return [vectors[[place[word] for word in rows[column]]] for column in COLUMNS]

    def _calculate_descriptive_statistics_from_split(self, split: str, **options: Any) -> Any:
        del options
        assert self.dataset is not None
        return {"num_samples": len(self.dataset[split])}


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of rows; 0 beside a vector of zeros."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    found: NDArray[np.float32] = (first * second).sum(axis=1) / np.maximum(lengths, 1e-12)
    return found


_TASKS_REGISTRY.setdefault(OURS.mteb, MuradifTriplet)  # mteb has no public way to add a task (2.26)
