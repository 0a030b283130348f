"""The score by which a phase chooses its best checkpoint."""

from __future__ import annotations

from pathlib import Path

from datasets import load_dataset
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

from zoo.recipe import Recipe
from zoo.recipe.training import NamedPhase

METRIC = "eval_dev_spearman_cosine"  # of the evaluator that is called 'dev'; the highest is the best


def evaluator(recipe: Recipe, phase: NamedPhase, file: Path) -> EmbeddingSimilarityEvaluator:
    """Make the evaluator that scores a model on the rows of a Parquet file with the columns of the phase's `dev`."""
    assert phase.dev
    rows = load_dataset("parquet", data_files=str(file), split="train")
    first, second, score = (rows[column] for column in recipe.datasets[phase.dev].columns)
    return EmbeddingSimilarityEvaluator(list(first), list(second), list(score), name="dev", write_csv=False)
