"""The scores of a phase on its `dev`, and the one by which it chooses its best checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from datasets import load_dataset
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
    """Correlates scores of pairs with the cosines of a model's embeddings, at every size from one encoding.

    The numbers are those of sentence-transformers' EmbeddingSimilarityEvaluator, which encodes once for each size, and
    a text as often as it occurs.
    """

    def __init__(
        self, first: Sequence[str], second: Sequence[str], scores: Sequence[float], dims: Sequence[int | None]
    ) -> None:
        """Take the two texts and the score of every pair.

        Args:
            dims: sizes to which embeddings are cut; null = not at all.
        """
        super().__init__()
        places = {text: place for place, text in enumerate(dict.fromkeys([*first, *second]))}
        self.texts = list(places)
        self.pairs = [torch.tensor([places[text] for text in column]) for column in (first, second)]
        self.scores = list(scores)
        self.dims = dims

    def __call__(
        self, model: SentenceTransformer, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return {'dev_spearman_cosine': -1 … 1, 'dev_256_pearson_cosine': …}; a score may be no number."""
        vectors = model.encode(self.texts, convert_to_tensor=True, show_progress_bar=False).float().cpu()
        found = {}
        for dim in self.dims:
            first, second = (vectors[places, :dim] for places in self.pairs)
            cosines = pairwise_cos_sim(first, second).numpy()
            for metric, correlate in CORRELATIONS.items():
                found[f"{_name(dim)}_{metric}_cosine"] = float(correlate(self.scores, cosines).statistic)
        return found


def evaluator(recipe: Recipe, phase: NamedPhase, file: Path) -> DevScores:
    """Make the evaluator that scores a model on the rows of a Parquet file with the columns of the phase's `dev`.

    It scores the whole embedding and the smaller sizes of the recipe, where a loss of the phase trains at sizes.
    """
    assert phase.dev
    rows = load_dataset("parquet", data_files=str(file), split="train")
    first, second, score = (list(rows[column]) for column in recipe.datasets[phase.dev].columns)
    sized = any(sizes(use.loss, recipe.dims) for use in phase.data)
    smaller = [dim for dim in recipe.dims if sized and dim < recipe.base.width]
    return DevScores(first, second, score, dims=list(dict.fromkeys([None, *smaller, phase.best.dim])))
