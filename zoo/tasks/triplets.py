"""Word triplets as an mteb task, evaluated and filed by mteb like any other: is the positive the nearer word?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from mteb import AbsTask
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoo.tasks.own import metadata_of
from zoo.tasks.task import TASKS, Task

COLUMNS = ("anchor", "positive", "negative")
ROUNDING = 1e-6
"""Of a difference of float32 cosines. One text in two batches is not the same to the last bit, on a GPU above all."""


def triplets_task(ours: Task) -> AbsTask:
    """mteb's task over a dataset of triplets on the Hub. mteb has no type for them; `PairClassification` is nearest."""
    facts = {"license": "not specified", "annotations_creators": "derived", "sample_creation": "created"}
    address = f"https://huggingface.co/datasets/{ours.dataset}"
    superseding = TASKS[ours.superseded_by].mteb if ours.superseded_by else None
    said = {"metadata": metadata_of(ours, reference=address, **facts), "superseded_by": superseding}
    return type(ours.mteb, (Triplets,), said)()


class Triplets(AbsTask):  # type: ignore[misc]
    """Rows of an anchor, a synonym of it, another word, and the name of their group."""

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
        """Accuracy and ties as shares of the rows, and the mean margin of the cosines."""
        del options
        where = {"hf_split": hf_split, "hf_subset": hf_subset}
        with timer("Encoding", split=hf_split, subset=hf_subset):
            anchor, positive, negative = self._encoded(model, data_split, encode_kwargs, where)
        near, far = even(cosines(anchor, positive), cosines(anchor, negative))
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
        """Encode every distinct word once; an array (n, width) per column."""
        words = list(dict.fromkeys(word for column in COLUMNS for word in rows[column]))
        inputs = DataLoader(Dataset.from_dict({"text": words}), batch_size=encode_kwargs.get("batch_size", 32))
        vectors = np.asarray(model.encode(inputs, task_metadata=self.metadata, **where, **encode_kwargs), np.float32)
        place = {word: number for number, word in enumerate(words)}
        return [vectors[[place[word] for word in rows[column]]] for column in COLUMNS]

    def _calculate_descriptive_statistics_from_split(self, split: str, **options: Any) -> Any:
        del options
        assert self.dataset is not None
        return {"num_samples": len(self.dataset[split])}


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of every pair of rows, (n,); 0 beside a vector of zeros."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    found: NDArray[np.float32] = (first * second).sum(axis=1) / np.maximum(lengths, 1e-12)
    return found


def even(near: NDArray[np.float32], far: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both cosines of every row, the second as the first where only rounding tells them apart: a tie, not a coin."""
    return near, np.where(np.abs(near - far) < ROUNDING, near, far)
