"""What we say of an evaluation task before mteb is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One subset and split of an mteb task, scored by one number.

    `name` is ours and goes into recipes and scores; `column` is its heading in tables. `kind` is mteb's type of task.
    `rows` is the size that mteb documents: pairs, texts to classify, or queries and documents together.
    `superseded_by` is the task that replaces it (a mean over both counts one test set twice). `store`: keep its
    embeddings on disk; off for a corpus that is too large.
    """

    name: str
    mteb: str
    subset: str
    column: str
    dataset: str
    revision: str
    rows: int
    split: str = "test"
    metric: str = "cosine_spearman"
    kind: str = "STS"
    superseded_by: str | None = None
    store: bool = True
