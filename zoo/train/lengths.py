"""How long the rows of a dataset are for a model: what is cut, what padding adds, and which rows are the longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from transformers import PreTrainedTokenizerBase

SAMPLE = 2000  # rows whose tokens are counted
CANDIDATES = 4  # times as many rows as are asked for are counted to find the longest
CHARACTERS = 40  # of a text for each token that the model reads; what stands behind is not counted
PERCENTILES = (50, 95, 99, 100)


@dataclass(frozen=True)
class Lengths:
    """The texts of one dataset's training rows, as the model reads them.

    Args:
        file: Parquet.
        columns: of the rows that are trained on.
        prompts: {column that holds texts: what stands before them in training}.
        tokenizer: the model's; of a kind that is not transformers', a word counts as a token.
        limit: tokens that the model reads of a text, special ones and the prompt's included.
        seed: of the sample.
    """

    file: Path
    columns: Sequence[str]
    prompts: Mapping[str, str]
    tokenizer: Any
    limit: int
    seed: int = 42

    def of_sample(self) -> list[tuple[int, ...]]:
        """Tokens of the texts of sampled rows, uncut: a tuple for each row."""
        count = self.rows
        return self._counted(Random(self.seed).sample(range(count), min(SAMPLE, count)))  # noqa: S311 - no secret

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(pl.scan_parquet(self.file).select(pl.len()).collect().item())

    def longest(self, count: int) -> pl.DataFrame:
        """The `count` rows that have the most tokens after the cut; of fewer rows, all of them again and again."""
        size = pl.sum_horizontal(pl.col(text).str.len_chars().clip(upper_bound=self._read) for text in self.prompts)
        places = pl.scan_parquet(self.file).select(size.arg_sort(descending=True).head(CANDIDATES * count))
        candidates: list[int] = places.collect().to_series().to_list()
        tokens = self._counted(candidates)
        order = sorted(range(len(candidates)), key=lambda at: -sum(min(one, self.limit) for one in tokens[at]))
        best = [candidates[at] for at in order[:count]]
        return self._taken([best[at % len(best)] for at in range(count)])

    @property
    def _read(self) -> int:
        return CHARACTERS * self.limit

    def _taken(self, places: Sequence[int]) -> pl.DataFrame:
        rows = pl.scan_parquet(self.file).select(list(self.columns))
        return rows.select(pl.all().gather(list(places))).collect()

    def _counted(self, places: Sequence[int]) -> list[tuple[int, ...]]:
        rows = self._taken(places)
        texts = {text: rows[text].str.slice(0, self._read).to_list() for text in self.prompts}
        counts = [self._tokens([prompt + text for text in texts[name]]) for name, prompt in self.prompts.items()]
        return list(zip(*counts, strict=True))

    def _tokens(self, texts: list[str]) -> list[int]:
        if not isinstance(self.tokenizer, PreTrainedTokenizerBase):
            return [len(text.split()) for text in texts]
        return [len(ids) for ids in self.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]


def facts(found: Sequence[Lengths]) -> dict[str, Any]:
    """The parts `cut` and `tokens` of a `zoo.train.probed.PhaseProbe`, of all datasets together.

    Each dataset counts by its number of rows.
    """
    cut = texts = 0.0
    lengths: list[int] = []
    for one in found:
        sample = one.of_sample()
        weight = one.rows / len(sample)
        flat = list(chain(*sample))
        lengths += flat
        cut += weight * sum(tokens > one.limit for tokens in flat)
        texts += weight * len(flat)
    return {"cut": cut / texts, "tokens": _percentiles(lengths)}


def _percentiles(lengths: Sequence[int]) -> dict[str, int]:
    ordered = sorted(lengths)
    return {str(share): ordered[max(0, -(-share * len(ordered) // 100) - 1)] for share in PERCENTILES}
