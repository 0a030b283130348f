"""Which rows share a batch, where sentence-transformers' samplers do not do."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset as Rows
from sentence_transformers.base.sampler import DefaultBatchSampler

from zoo.recipe.training import Train

TRIES = 64  # batches that a row is offered to; one whose texts are in all of these waits for the next epoch


def batch_sampler(train: Train) -> Any:
    """The `batch_sampler` of sentence-transformers' training arguments for a phase's `sampler`."""
    return {"batch": "batch_sampler", "no_duplicates": SpreadRepeats}.get(train.sampler, train.sampler)


class SpreadRepeats(DefaultBatchSampler):  # type: ignore[misc]
    """Batches in which no text stands twice, in any column but the label's; all of them about as large.

    An epoch has as many batches as it has without this rule. A text that stands in more rows than there are batches is
    once in each of them, and rows that find no place are left out of the epoch, others in every one. The batches are
    the same for the same rows, seed and epoch. It takes the time of a look at each row, however often texts repeat.
    """

    def __init__(self, dataset: Rows, *args: Any, **options: Any) -> None:
        super().__init__(dataset, *args, **options)
        self.repeats = repeats(dataset, leave_out=self.valid_label_columns or ())

    def __len__(self) -> int:
        rows, size = len(self.repeats), int(self.batch_size)
        return rows // size if self.drop_last else -(-rows // size)

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng([self.seed, self.epoch])
        yield from spread(self.repeats, len(self), self.batch_size, random)


def repeats(dataset: Rows, *, leave_out: Sequence[str] = ()) -> list[tuple[int, ...]]:
    """The numbers of those texts of each row that stand elsewhere too."""
    columns = [name for name in dataset.column_names if name not in leave_out]
    table = dataset.select_columns(columns).with_format("arrow")[:]
    chunks = [chunk.cast(pa.string()) for column in table.columns for chunk in column.chunks]
    texts = pa.chunked_array(chunks, pa.string())
    numbers = texts.combine_chunks().dictionary_encode("encode").indices.to_numpy().reshape(len(columns), -1)
    often = (np.bincount(numbers.ravel()) > 1).tolist()
    return [tuple(number for number in row if often[number]) for row in zip(*numbers.tolist(), strict=True)]


def spread(repeated: Sequence[tuple[int, ...]], count: int, size: int, random: np.random.Generator) -> list[list[int]]:
    """Lay rows into at most `count` batches of at most `size`, so that no number stands twice in one.

    Rows whose numbers are frequent come first, while there is room everywhere. Each goes to the batch that has waited
    longest for a row.

    Args:
        repeated: each row's numbers.
    """
    batches: list[list[int]] = [[] for _ in range(count)]
    taken: list[set[int]] = [set() for _ in range(count)]
    line = deque(range(count))
    for row in _order(repeated, random):
        passed = []
        for _ in range(min(TRIES, len(line))):
            batch = line.popleft()
            if taken[batch].isdisjoint(repeated[row]):
                batches[batch].append(row)
                taken[batch].update(repeated[row])
                if len(batches[batch]) < size:
                    line.append(batch)
                break
            passed.append(batch)
        line.extendleft(reversed(passed))
    return [batches[number] for number in random.permutation(count) if batches[number]]


def _order(repeated: Sequence[tuple[int, ...]], random: np.random.Generator) -> list[int]:
    """All rows, those with the most frequent number first; those with the same one stand together, in random order."""
    uses = np.bincount([number for numbers in repeated for number in numbers] or [0])
    ties = random.permutation(len(uses))
    most = [max(numbers, key=lambda number: uses[number], default=-1) for numbers in repeated]
    often = np.array([uses[number] if number >= 0 else 0 for number in most])
    tie = np.array([ties[number] for number in most])
    return np.lexsort((random.permutation(len(repeated)), tie, -often)).tolist() if len(repeated) else []
