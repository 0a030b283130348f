"""A dataset as checks read it: its splits as rows of polars, and what each of its columns is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from zoo.recipe.localfiles import SPLIT_NAMES, split_like
from zoo.steps.masks import sampled_places

if TYPE_CHECKING:
    import polars as pl

ROW = "@row"  # the place of a row in its split
MOST = 100_000
"""Rows of a split that slow checks look at, unless more are asked for."""
SEED = 14
BATCH = 50_000
Shape = Literal["pairs with classes", "pairs with scores", "triplets", "pairs", "texts with classes", "texts"]


@dataclass(frozen=True)
class Roles:
    """The parts that the columns of a dataset play."""

    texts: list[str]
    label: str | None = None
    """The column of classes, as words."""
    score: str | None = None
    """The column of numbers that grade a pair."""
    group: str | None = None
    """The text that several rows may have, which belong into one split: a premise or an anchor."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """{column that is not looked at: why}."""

    @property
    def shape(self) -> Shape:
        """The kind of rows that these are."""
        if len(self.texts) == 1:
            return "texts with classes" if self.label else "texts"
        if self.label and len(self.texts) == 2:
            return "pairs with classes"
        if self.score:
            return "pairs with scores"
        return "triplets" if self.triplet else "pairs"

    @property
    def triplet(self) -> tuple[str, str, str] | None:
        """(anchor, positive, negative) of rows that have them; None of others."""
        named = [next((text for text in self.texts if text.casefold().startswith(one)), None) for one in TRIPLET]
        return tuple(named) if all(named) and len(set(named)) == 3 else None  # type: ignore[return-value]

    def in_words(self) -> str:
        """A sentence for people: 'texts: premise, hypothesis; classes: label; not looked at: promptID (ids)'."""
        parts = {"texts": ", ".join(self.texts), "classes": self.label, "scores": self.score}
        told = [f"{part}: {columns}" for part, columns in parts.items() if columns]
        left = ", ".join(f"{name} ({why})" for name, why in self.left_out.items())
        return "; ".join([*told, *([f"not looked at: {left}"] if left else [])])

    def as_json(self) -> dict[str, Any]:
        """The roles as plain data, with the shape of the rows."""
        return {"shape": self.shape, **asdict(self), "left_out": dict(self.left_out)}


TRIPLET = ("anchor", "positive", "negative")


@dataclass(frozen=True)
class Material:
    """A dataset whose rows have texts and classes as strings and scores as floats, and nothing else."""

    title: str
    frames: Mapping[str, pl.LazyFrame]
    """{split: its rows}, train first."""
    roles: Roles
    classes: Sequence[str] | None = None
    """All classes that there should be; None = those that are there."""
    tasks: Sequence[str] | None = ()
    """Evaluation tasks whose rows are looked for; None = the Hub may not be asked."""
    most: int | None = MOST
    """Rows of a split that slow checks look at; None = all."""
    miniature: bool = False
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What one check found and another one asks for too."""

    @cached_property
    def rows(self) -> dict[str, int]:
        """{split: the number of its rows}."""
        import polars as pl

        return {split: int(frame.select(pl.len()).collect().item()) for split, frame in self.frames.items()}

    @property
    def total(self) -> int:
        """The rows of all splits."""
        return sum(self.rows.values())

    @property
    def texts_in_all(self) -> int:
        """The texts of all rows."""
        return self.total * len(self.roles.texts)

    @property
    def split_names(self) -> dict[str, str]:
        """{train, validation or test: the split that is called so here}."""
        found = {ours: next((one for one in self.frames if split_like(one) == ours), None) for ours in SPLIT_NAMES}
        return {ours: split for ours, split in found.items() if split}

    @property
    def train(self) -> str:
        """The split that is trained on, by its name, else the first."""
        return self.split_names.get("train", next(iter(self.frames)))

    @property
    def held_out(self) -> str | None:
        """The split to measure on: test, else validation; None when there is neither."""
        names = self.split_names
        found = names.get("test") or names.get("validation")
        return found if found != self.train else None

    def most_of(self, split: str, most: int | None) -> int:
        """The rows of a split that are looked at when at most so many are."""
        return self.rows[split] if most is None else min(most, self.rows[split])

    def sample(self, split: str, most: int | None) -> pl.LazyFrame:
        """A sample of at most so many rows of a split with their places, always the same ones in their order."""
        import polars as pl

        frame, rows = self.frames[split].with_row_index(ROW), self.rows[split]
        if most is None or rows <= most:
            return frame
        places = sorted(sampled_places(rows, most, SEED))
        return frame.filter(pl.col(ROW).is_in(pl.Series(places, dtype=pl.UInt32).implode()))

    def searched_in_part(self, splits: Iterable[str]) -> str:
        """Words on splits of which a sample alone was searched, to stand behind a figure; empty when there are none."""
        some = [split for split in splits if self.most_of(split, self.most) < self.rows[split]]
        return f"; of {', '.join(some)} a sample of {self.most:,} rows was searched" if some else ""

    def batches(self, split: str, columns: Sequence[str], most: int | None) -> Iterator[pl.DataFrame]:
        """Rows of a sample with these columns, some rows at a time."""
        yield from self.sample(split, most).select(columns).collect_batches(chunk_size=BATCH)


def in_order(splits: Sequence[str]) -> list[str]:
    """The splits of a dataset with train first and test last but for others."""
    known = [split for ours in SPLIT_NAMES for split in splits if split_like(split) == ours]
    return [*known, *(split for split in splits if split not in known)]
