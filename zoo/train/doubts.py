"""What makes a phase's training worth less than it seems: in its rows, its tokens, its log, and in what came out.

All of it is told from what does not change when training is cut off and goes on, so the sentences are the same then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import torch
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedTokenizerBase

from zoo.errors import TrainError
from zoo.losses import LOSSES, innermost
from zoo.plurals import how_many
from zoo.recipe.dataset import Dataset
from zoo.recipe.training import DataUse, NamedPhase, Train
from zoo.train.dev import metric_of
from zoo.train.shares import row_count, rows_read
from zoo.train.trainer import LONELY, ROWS

SAMPLE = 1000  # rows whose tokens are counted
UNKNOWN = 0.2  # of the tokens may be unknown
CUT = 0.5  # of the texts may be cut
FEW = 30  # rows of a dev set; by fewer, the best step is the best by chance
ALONE = 0.1  # of the batches may be of one row: the last of an epoch often is
FILLED = 0.5  # of a batch, on average, where the sampler leaves rows out
TWICE = 0.5  # of the rows may have one text in two columns
QUOTED = 40  # letters of a text
TOLD_APART = 32  # texts that the trained model must tell apart
ALIKE = 0.999  # cosine of two texts that it does not tell apart
STAYED = 1e-6  # of the length of all weights: what one step of a sensible learning rate moves a hundred times
STILL = 3  # scores on dev that are one number; two may be by chance

Entry = Mapping[str, Any]


# The rows


def require_graded(phase: NamedPhase, recipe: str, file: Path) -> None:
    """Raise a TrainError when all rows of the dev split have the same score, or triplets without a nearer text."""
    assert phase.dev
    rows = pl.read_parquet(file)
    last = rows.to_series(-1)
    if last.dtype.is_numeric():
        why = f"have the score '{last[0]}'" if last.n_unique() == 1 else ""
    else:
        why = f"have one text as '{rows.columns[1]}' and '{last.name}'" if rows.to_series(1).equals(last) else ""
    if not why:
        return
    where = f"phase '{phase.name}' of '{recipe}': all rows ({len(rows)}) of its dev '{phase.dev}'"
    hint = f"name another dataset in phases.{phase.name}.dev, or set it to null, which keeps the last step's model"
    raise TrainError(f"{where} {why}, by which no checkpoint is the best", hint=hint)


def require_rows(phase: NamedPhase, recipe: str, splits: Mapping[str, Mapping[str, str]]) -> None:
    """Raise a TrainError when fewer training rows of a dataset are read than its loss needs in a batch.

    Args:
        splits: {dataset: {split: Parquet file}}.
    """
    read = rows_read(phase, splits)
    for use in phase.data:
        count, loss = read[use.dataset], innermost(use.loss).type
        if count >= LOSSES[loss].least_rows:
            continue
        by = ", by its weight," if count < row_count(Path(splits[use.dataset]["train"])) else ""
        what = f"phase '{phase.name}' of '{recipe}': dataset '{use.dataset}' has{by} {count} training row"
        why = f"s, and loss '{loss}' compares a row with the others of its batch" if compares(use) else "s"
        hint = "raise its weight" if by else f"see steps and rows in recipes/datasets/{use.dataset}.yaml"
        raise TrainError(what + (why.removeprefix("s") if count == 1 else why), hint=hint)


def of_few_rows(phase: NamedPhase, use: DataUse, count: int) -> Iterator[str]:
    """A sentence on a dataset of which so many rows are read that they do not fill one batch."""
    if count < (size := phase.train.batch_size):
        then = f": a row is compared with {how_many(count - 1, 'other')}, not {size - 1}" if compares(use) else ""
        yield f"all {count:,} training rows of '{use.dataset}' are fewer than a batch of {size:,}{then}"


def of_dev_rows(name: str, file: Path) -> Iterator[str]:
    """A sentence on a dev set of so few rows that it cannot tell one step from another."""
    if (count := row_count(file)) < FEW:
        yield f"dev '{name}' has {how_many(count, 'row')}, too few to tell which step is the best"


def of_rows(use: DataUse, dataset: Dataset, file: Path) -> list[str]:
    """Sentences on columns of the training rows that are the same everywhere, and on classes that never occur."""
    rows = pl.scan_parquet(file).select(list(dataset.columns))
    kinds = rows.select(pl.col(dataset.texts).n_unique()).collect().row(0)
    count = row_count(file)
    same = [text for text, number in zip(dataset.texts, kinds, strict=True) if number == 1 < count]
    found = [f"all {count:,} training rows of '{use.dataset}' have the same '{text}'" for text in same]
    return [*found, *_of_twins(use, dataset, rows), *_of_label(use, dataset, rows, count)]


def _of_twins(use: DataUse, dataset: Dataset, rows: pl.LazyFrame) -> Iterator[str]:
    """Sentences on columns with the same text. A pair of twins without a label is no mistake: dropout parts them."""
    for one, other in combinations(dataset.texts, 2):
        share = rows.select((pl.col(one) == pl.col(other)).mean()).collect().item() or 0
        if share > TWICE and (dataset.label or other not in dataset.texts[:2]):
            yield f"'{one}' and '{other}' are the same text in {share:.0%} of the training rows of '{use.dataset}'"


def _of_label(use: DataUse, dataset: Dataset, rows: pl.LazyFrame, count: int) -> Iterator[str]:
    if dataset.label is None or LOSSES[innermost(use.loss).type].label is None:
        return
    name, column = dataset.label
    there = rows.select(pl.col(name).unique()).collect().to_series().drop_nulls().sort().to_list()
    names = dict(enumerate(column.names)) if column.names else {value: value for value in there}
    word = "class" if column.names else "score"
    if len(there) == 1:
        yield f"all {count:,} training rows of '{use.dataset}' have the {word} '{names[there[0]]}'"
        return
    for value in sorted(names.keys() - set(there)):
        yield f"the class '{names[value]}' never occurs in the {count:,} training rows of '{use.dataset}'"


def of_repeats(use: DataUse, texts: Sequence[str], file: Path, train: Train) -> Iterator[str]:
    """A sentence on the text that stands in more rows than there are batches, each of which has it once.

    A text that stands in all rows is told elsewhere.

    Args:
        texts: the dataset's columns of texts.
    """
    rows = pl.scan_parquet(file).select(texts)
    count = rows.select(pl.len()).collect().item()
    batches = -(-count // train.batch_size)
    each = rows.select(pl.concat_list(texts).list.unique().explode().alias("text"))
    uses = each.group_by("text").len().filter(pl.col("len").is_between(batches, count, closed="none"))
    if train.sampler != "no_duplicates" or (often := uses.sort("len", "text").last().collect()).is_empty():
        return
    text, most = often.row(0)
    told = text if len(text) <= QUOTED else f"{text[:QUOTED]} …"
    what = f"'{told}' stands in {most:,} of {count:,} training rows of '{use.dataset}'"
    yield f"{what}, and once in a batch: an epoch ({batches:,} batches) leaves {most - batches:,} rows of them out"


# The tokens


def of_tokens(
    use: DataUse,
    dataset: Dataset,
    file: Path,
    tokenizer: Any,
    *,
    longest: int | None,
    prompts: Mapping[str, str],
    seed: int,
) -> Iterator[str]:
    """Sentences on a sample of the training texts: too many tokens unknown, too many texts cut.

    Args:
        tokenizer: the model's; of a kind that is not transformers', nothing is said.
        longest: tokens that the model reads of a text, special ones and the prompt's included; null = all.
        prompts: {column: what stands before its texts in training}.
        seed: of the sample.
    """
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        return
    rows = pl.read_parquet(file, columns=dataset.texts)
    sample = rows.sample(min(SAMPLE, len(rows)), seed=seed)
    columns = {name: _tokens(tokenizer, sample[name].drop_nulls().to_list()) for name in dataset.texts}
    tokens = [text for column in columns.values() for text in column]
    if (unknown := _unknown(tokenizer, tokens)) > UNKNOWN:
        yield f"{unknown:.0%} of the tokens of '{use.dataset}' are unknown to the tokenizer ('{tokenizer.unk_token}')"
    marks = tokenizer.num_special_tokens_to_add()
    beside = {name: marks + len(_tokens(tokenizer, [prompts.get(name, "")])[0]) for name in columns}
    lengths = [len(text) + beside[name] for name, column in columns.items() for text in column]
    cut = sum(length > longest for length in lengths) / len(lengths) if longest and lengths else 0
    if cut > CUT:
        yield f"{cut:.0%} of the texts of '{use.dataset}' are longer than {longest} tokens, and were cut there"


def _tokens(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    if not texts:
        return []
    found: list[list[int]] = tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
    return found


def _unknown(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[Sequence[int]]) -> float:
    """The share of the tokens that stand for what the tokenizer does not know; 0 where it knows every byte."""
    total = sum(len(text) for text in tokens)
    if tokenizer.unk_token_id is None or not total:
        return 0.0
    return sum(text.count(tokenizer.unk_token_id) for text in tokens) / total


# The log


def of_log(phase: NamedPhase, log: Sequence[Entry], *, distance: float = math.inf) -> list[str]:
    """Sentences on what the log shows: nothing to learn, batches without others, scores that say nothing.

    Args:
        distance: what `drift` says of the weights after training.
    """
    trained = [entry for entry in log if "loss" in entry]
    return [*_of_sums(trained, distance), *_of_batches(phase, trained), *(_of_dev(phase, log) if phase.dev else [])]


def start_score(phase: NamedPhase, log: Sequence[Entry]) -> float | None:
    """The score of the untrained start on dev; null when there is none that is a number."""
    metric = metric_of(phase)
    return next((entry[metric] for entry in log if entry["step"] == 0 and metric in entry), None)


def start_wins(start: float | None, best: float | None) -> bool:
    """True when no step of training scored better on dev than the start. Null is a score that is no number."""
    return start is not None and (best is None or start >= best)


def _of_sums(trained: Sequence[Entry], distance: float) -> Iterator[str]:
    named = {"loss": "the loss", "grad_norm": "the gradient", "learning_rate": "the learning rate"}
    zero = [word for name, word in named.items() if trained and all(entry.get(name) == 0 for entry in trained)]
    if zero:
        yield f"{' and '.join(zero)} {'is' if len(zero) == 1 else 'are'} 0 at every logged step: nothing was learned"
    elif distance < STAYED:
        yield "training moved the weights by less than a millionth: nothing was learned"


def _of_batches(phase: NamedPhase, trained: Sequence[Entry]) -> Iterator[str]:
    steps, rows = max((entry["step"] for entry in trained), default=0), sum(entry[ROWS] for entry in trained)
    lonely, train = sum(entry.get(LONELY, 0) for entry in trained), phase.train
    batches = steps * train.gradient_accumulation_steps
    if lonely > ALONE * batches:
        compare = ", ".join(sorted({innermost(use.loss).type for use in phase.data if compares(use)}))
        yield f"{lonely:,} of {batches:,} batches had one row, and the loss ({compare}) compares the rows of a batch"
    elif train.sampler == "no_duplicates" and rows < FILLED * train.batch_size * batches:
        why = "there are few rows, or few without a text in common"
        yield f"batches had {rows / batches:.1f} rows on average, not {train.batch_size}: {why}"


def compares(use: DataUse) -> bool:
    """True when the loss compares the rows of a batch with each other."""
    return LOSSES[innermost(use.loss).type].least_rows > 1


def _of_dev(phase: NamedPhase, log: Sequence[Entry]) -> Iterator[str]:
    start, metric = start_score(phase, log), metric_of(phase)
    scores = [entry[metric] for entry in log if metric in entry and entry["step"] > 0]
    numbers = [score for score in scores if score is not None]
    if len(numbers) < len(scores):
        yield f"{len(scores) - len(numbers)} of {len(scores)} scores on '{phase.dev}' are no numbers"
    if start_wins(start, max(numbers, default=None)):
        assert start is not None
        after = f", at best {100 * max(numbers):.2f} after it" if numbers else ""
        same = f"is {100 * start:.2f} before training and at every step"
        never = f"was never better than before training ({100 * start:.2f}{after})"
        what = same if {start} == set(numbers) else never
        yield f"the score on '{phase.dev}' {what}: the model is the one that training started from"
    elif len(numbers) >= STILL and len(set(numbers)) == 1:
        yield f"the score on '{phase.dev}' is {100 * numbers[0]:.2f} at every step of training"


# The model


def drift(model: SentenceTransformer, start: SentenceTransformer) -> float:
    """The distance of the weights of a model from those of its start, as a share of the length of these."""
    away, length = 0.0, 0.0
    with torch.no_grad():
        for new, old in zip(model.parameters(), start.parameters(), strict=True):
            away += float((new.cpu().float() - old.cpu().float()).square().sum())
            length += float(old.float().square().sum())
    return math.sqrt(away / length) if length else math.inf


def of_vectors(model: SentenceTransformer, column: str, file: Path, *, seed: int) -> Iterator[str]:
    """A sentence on a trained model that gives different texts of a column nearly the same vector.

    Args:
        seed: of the sample of texts.
    """
    different = pl.read_parquet(file, columns=[column])[column].drop_nulls().unique(maintain_order=True)
    texts = different.sample(min(TOLD_APART, len(different)), seed=seed).to_list()
    if len(texts) < TOLD_APART:
        return
    vectors = model.encode(texts, normalize_embeddings=True, convert_to_tensor=True, show_progress_bar=False)
    if (vectors @ vectors.T).min() > ALIKE:
        yield f"the trained model gives {len(texts)} different texts nearly the same vector: it tells nothing apart"
