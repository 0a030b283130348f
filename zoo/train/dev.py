"""The scores of a phase on its `dev`, and the one by which it chooses its best checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.util import pairwise_cos_sim

from zoo.losses import sizes
from zoo.recipe import Recipe
from zoo.recipe.training import NamedPhase, Phase

CORRELATIONS = {"spearman": spearmanr, "pearson": pearsonr}


def metric_of(phase: Phase) -> str:
    """The key in the log of the score that decides which of a phase's checkpoints is the best: the highest is."""
    return f"eval_{_name(phase.best.dim)}_{phase.best.metric}_cosine"


def _name(dim: int | None) -> str:
    return f"dev_{dim}" if dim else "dev"


class DevScores(BaseEvaluator):  # type: ignore[misc]
    """Scores a model by the cosines of a text of every row with the others, at every size from one encoding.

    Pairs with scores are correlated with the cosines. The numbers are those of sentence-transformers'
    EmbeddingSimilarityEvaluator, which encodes once for each size, and a text as often as it occurs. Triplets have an
    accuracy: the share of rows in which the positive is nearer to the anchor than the negative, and not as near.
    """

    def __init__(
        self, columns: Sequence[Sequence[str]], scores: Sequence[float] | None, dims: Sequence[int | None]
    ) -> None:
        """Take the texts of every row, and the scores of pairs.

        Args:
            columns: first and second texts; or anchors, positives and negatives.
            scores: of pairs; null = the rows are triplets.
            dims: sizes to which embeddings are cut; null = not at all.
        """
        super().__init__()
        self.texts = list(dict.fromkeys(text for column in columns for text in column))
        places = {text: place for place, text in enumerate(self.texts)}
        self.columns = [torch.tensor([places[text] for text in column]) for column in columns]
        self.scores = scores
        self.dims = dims

    def __call__(
        self, model: SentenceTransformer, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return {'dev_spearman_cosine': -1 … 1, 'dev_256_accuracy_cosine': …}; a score may be no number."""
        cosines = self.cosines(model)
        return {
            f"{_name(dim)}_{metric}_cosine": value
            for dim, found in cosines.items()
            for metric, value in self._measured(found).items()
        }

    def cosines(self, model: SentenceTransformer) -> dict[int | None, list[NDArray[Any]]]:
        """{dim: the cosines of every row's first text with its second one, and with its third where there is one}."""
        vectors = model.encode(self.texts, convert_to_tensor=True, show_progress_bar=False).float().cpu()
        first, *others = self.columns
        return {
            dim: [pairwise_cos_sim(vectors[first, :dim], vectors[other, :dim]).numpy() for other in others]
            for dim in self.dims
        }

    def _measured(self, cosines: Sequence[NDArray[Any]]) -> dict[str, float]:
        if self.scores is None:
            return {"accuracy": _accuracy(*cosines)}
        return {name: float(of(self.scores, cosines[0]).statistic) for name, of in CORRELATIONS.items()}


def _accuracy(near: NDArray[Any], far: NDArray[Any]) -> float:
    return float((near > far).mean()) if np.isfinite(near + far).all() else math.nan


def dev_scores(rows: pl.DataFrame, dims: Sequence[int | None]) -> DevScores:
    """The evaluator of the rows of a dev set: its columns are texts, and behind two of them a score.

    Args:
        dims: sizes to which embeddings are cut; null = not at all.
    """
    *texts, last = (rows.to_series(place).to_list() for place in range(3))
    graded = rows.dtypes[2].is_numeric()
    return DevScores(texts if graded else [*texts, last], last if graded else None, dims)


def evaluator(recipe: Recipe, phase: NamedPhase, file: Path) -> DevScores:
    """Make the evaluator that scores a model on the rows of a Parquet file with the columns of the phase's `dev`.

    It scores the whole embedding and the smaller sizes of the recipe, where a loss of the phase trains at sizes.
    """
    assert phase.dev
    rows = pl.read_parquet(file, columns=list(recipe.datasets[phase.dev].columns))
    sized = any(sizes(use.loss, recipe.dims) for use in phase.data)
    smaller = [dim for dim in recipe.dims if sized and dim < recipe.base.width]
    return dev_scores(rows, list(dict.fromkeys([None, *smaller, phase.best.dim])))
