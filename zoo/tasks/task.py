"""What we say of an evaluation task before mteb is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One subset and split of an mteb task, scored by one number.

    `name` is ours and goes into recipes and scores; `column` is its heading in tables. `rows` is the size that mteb
    documents, `superseded_by` the mteb task that replaces it (a mean over both counts one test set twice).
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
