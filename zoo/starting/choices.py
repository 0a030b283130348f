"""Choices that the columns and rows of data leave: loss, settings, dev rows, and how rows are split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.arabic import normalised
from zoo.recipe.dataset import SplitRule
from zoo.starting.roles import NLI, Kind, RoleColumn, RowShape

SIZED = {"pairs": "mnrl", "triplets": "mnrl", "scores": "cosent"}
"""{kind of rows: the loss that reads them}, at several sizes."""
SMALLEST = 32
"""Numbers: the least embedding size that is proposed."""
SIZES = {"train": 0.9, "validation": 0.05, "test": 0.05}
FEW = 400
"""Groups, below which validation and test get twice the share."""
SEEDS = 100
LENGTHS = (32, 64, 128, 256)
LETTERS = 3
"""Of a text for each of its tokens, as few as in scripts whose words are cut often."""
LARGE = 20_000
"""Rows from which on one epoch is enough."""
MOST_HELD, LEAST_HELD = 500, 10
SAYS = {
    "triplets": "anchor, positive and negative",
    "pairs": "two texts that belong together",
    "scores": "two texts and how alike they are",
    "classes": "two texts and a class",
}
"""{kind of rows: what they are, for people}."""


@dataclass(frozen=True)
class PhaseChoice:
    """A phase that trains on a dataset."""

    name: Kind
    dataset: str
    loss: dict[str, Any]
    train: dict[str, Any]
    length_why: str
    dev: str | None
    best: dict[str, str] | None
    no_dev: str


def sizes_from(width: int, kind: Kind) -> list[int]:
    """The embedding sizes to train, from the width down by halves to 32 or more; of classes the width alone."""
    dims = [width]
    while kind in SIZED and dims[-1] % 2 == 0 and dims[-1] // 2 >= SMALLEST:
        dims.append(dims[-1] // 2)
    return dims


def phase_for(
    dataset: str,
    kind: Kind,
    classes: int,
    *,
    validated: bool,
    longest: int = 512,
    rows: Sequence[Mapping[str, Any]] = (),
    whole: bool = False,
) -> PhaseChoice:
    """The phase that suits rows of a kind.

    Args:
        classes: how many there are; 0 for rows without.
        validated: the dataset has a validation split.
        longest: tokens that the model reads of a text.
        rows: the first of them, for the length of their texts; none = nothing is known of them.
        whole: they are all that there are; else there may be millions.
    """
    inner = SIZED.get(kind)
    loss = {"type": "matryoshka", "inner": {"type": inner}} if inner else {"type": "softmax", "num_labels": classes}
    tokens, why = _length(rows, longest)
    train: dict[str, Any] = {
        "epochs": 3 if whole and len(rows) < LARGE else 1,
        "batch_size": 16 if whole and len(rows) < 2000 else 64,
    }
    train |= {"learning_rate": 2e-5, "warmup": 0.1, "max_seq_length": tokens, "precision": "bf16"}
    if inner == "mnrl":
        train["sampler"] = "no_duplicates"
    chooses = validated and kind in ("triplets", "scores")
    no_dev = "Rows here have no validation split." if kind in ("triplets", "scores") else "Rows here are neither."
    best = {"metric": "accuracy"} if chooses and kind == "triplets" else None
    return PhaseChoice(kind, dataset, loss, train, why, dataset if chooses else None, best, no_dev)


def _length(rows: Sequence[Mapping[str, Any]], longest: int) -> tuple[int, str]:
    """Tokens that nearly every text has room in, and a sentence that says so."""
    letters = sorted(len(value) for row in rows for value in row.values() if isinstance(value, str))
    if not letters:
        return min(128, longest), "max_seq_length cuts longer texts."
    most = letters[int(0.98 * (len(letters) - 1))]
    tokens = next((one for one in LENGTHS if one * LETTERS >= most), 512)
    return min(tokens, longest), f"98 % of the texts have at most {most} letters; max_seq_length cuts longer ones."


def split_for(shape: RowShape, rows: Sequence[Mapping[str, Any]]) -> SplitRule | None:
    """The rule that makes a validation split of rows that have none; None where nothing would read it."""
    if shape.kind not in ("triplets", "scores"):
        return None
    of = shape.texts[0]
    groups = {normalised(str(row.get(of.source))) or str(row.get(of.source)) for row in rows}
    sizes = SIZES if len(groups) >= FEW else {"train": 0.8, "validation": 0.1, "test": 0.1}
    rules = (SplitRule(by="group", of=of.name, sizes=sizes, seed=seed) for seed in range(1, SEEDS))
    fills = (rule for rule in rules if len(groups) >= 10 * FEW or {rule.split_of(one) for one in groups} == set(sizes))
    return next(fills, None)


def held_out(
    shape: RowShape, rows: Sequence[Mapping[str, Any]], tested: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, float]]:
    """Pairs with scores from 0 to 1, of the test split where there is one, else of every tenth row or so.

    Pairs of texts that belong together have 1, and beside them stands a pair of texts that do not.
    """
    wanted = min(MOST_HELD, max(LEAST_HELD, len(rows) // 10))
    chosen = tested[:MOST_HELD] or rows[:: max(1, len(rows) // wanted)][:wanted]
    texts = [tuple(" ".join(str(row.get(column.source) or "").split()) for column in shape.texts) for row in chosen]
    whole = [(row, cells) for row, cells in zip(chosen, texts, strict=True) if all(cells)]
    score = _scored(shape.columns[-1])
    if score is not None:
        graded = [(cells[0], cells[1], score(row)) for row, cells in whole]
        return [(first, second, value) for first, second, value in graded if value is not None]
    return [pair for at, (_, cells) in enumerate(whole) for pair in _matched(cells, [one for _, one in whole], at)]


def _matched(cells: tuple[str, ...], every: Sequence[tuple[str, ...]], at: int) -> list[tuple[str, str, float]]:
    other = cells[2] if len(cells) > 2 else every[(at + len(every) // 2) % len(every)][1]
    return [(cells[0], cells[1], 1.0), *([(cells[0], other, 0.0)] if other != cells[1] else [])]


def _scored(column: RoleColumn) -> Any:
    """A function from a row to its score from 0 to 1, or None where it has none; None when rows have no scores."""
    graded = {name: 1 - place / 2 for place, name in enumerate(NLI)}
    names = list(column.facts.get("names", ()))
    if column.type == "class" and set(names) == set(NLI):
        return lambda row: graded.get(_class_of(row.get(column.source), names))
    if column.type != "score":
        return None
    low, high = column.facts.get("from", (0, 1))

    def score(row: Mapping[str, Any]) -> float | None:
        value = row.get(column.source)
        return None if value in (None, "") else (float(value) - low) / (high - low)

    return score


def _class_of(value: Any, names: Sequence[str]) -> str:
    """The name of a class that a source may have by its number."""
    text = str(value)
    return names[int(text)] if text.isdecimal() and int(text) < len(names) else text
