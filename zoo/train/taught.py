"""Loads the models that losses name, frozen, and labels rows with the embeddings of a teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset as Rows
from datasets import Features, List, Value
from sentence_transformers import SentenceTransformer

from zoo.ids import ModelRef
from zoo.losses import teacher_of
from zoo.models.load import load_model
from zoo.recipe.training import DataUse
from zoo.run import digest
from zoo.say import Progress
from zoo.train.beside import require_width, source_of

TAUGHT = "taught"  # in the train folder while it lasts: rows with a teacher's embeddings, mapped into memory
ROWS = 1000  # embedded and written at a time

Load = Callable[[ModelRef], SentenceTransformer]


def loader(commits: Mapping[str, str], device: str | None) -> Load:
    """A function that loads the models that losses name, each once.

    Args:
        commits: {title: commit}, the ingredient `models` of the train stage.
    """

    @cache
    def load(model: ModelRef) -> SentenceTransformer:
        return frozen(load_model(source_of(model, commits[model.title]), device))

    return load


def frozen(model: SentenceTransformer) -> SentenceTransformer:
    """The model in eval mode and without gradients, whatever is done to the loss that it becomes a part of."""
    model.eval().requires_grad_(False)
    model.train = lambda mode=True: model  # a loss that is put into training mode hands that on to all in it
    return model


def with_labels(rows: Rows, use: DataUse, load: Load, train: Path, width: int, progress: Progress) -> Rows:
    """The rows with their teacher's embeddings as labels, or as they are where their loss has no teacher.

    Embedded are the texts as they are, with the teacher's own default prompt. It is done once: a file in the train
    stage's folder keeps the embeddings for training that goes on after a crash.

    Args:
        rows: of text columns alone.
        train: the folder of the train stage.
        width: of the model that is trained.

    Raises:
        TrainError: the teacher has another width than its loss compares it with, or cannot be loaded.
    """
    teacher = teacher_of(use.loss)
    if teacher is None:
        return rows
    file = train / TAUGHT / f"{use.dataset}-{digest(teacher.title)[:12]}.arrow"
    file.parent.mkdir(exist_ok=True)
    columns = rows.column_names

    def embed(batch: Mapping[str, list[str]]) -> dict[str, Any]:
        model = load(teacher)
        texts = [model.encode(batch[column], show_progress_bar=False) for column in columns]
        progress.advance(len(texts[0]))
        return {"label": np.stack(texts, axis=1, dtype=np.float32)}

    if not file.exists():
        for rest in file.parent.glob("tmp*"):  # of an attempt that was killed
            rest.unlink()
        progress.start(f"{use.dataset}: {teacher.model}", len(rows))
    features = Features({**rows.features, "label": List(List(Value("float32")))})
    kept = {"cache_file_name": str(file), "new_fingerprint": digest([use.dataset, teacher.title])}
    found: Rows = rows.map(embed, batched=True, batch_size=ROWS, features=features, load_from_cache_file=True, **kept)
    progress.finish()
    require_width(use.loss, len(found[0]["label"][0]), width)
    return found
