"""Pairs and triplets from NLI: rows of two texts and a class, as the recipe's `reads` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import PositiveInt

from zoo.layout import BEFORE, ROW_SCORE, WHY
from zoo.steps.choices import classes_mistake, label_of
from zoo.steps.masks import at_places, key, only, places_in_groups, with_reasons
from zoo.steps.step import Columns, StepResult, StepWork, step

if TYPE_CHECKING:
    import polars as pl


def _shape_mistake(before: Columns, columns: Columns, texts: int, example: str) -> str | None:
    read = [column.type for column in before.values()]
    if read != ["text", "text", "class"]:
        found = ", ".join(f"'{name}' ({column.type})" for name, column in before.items())
        return f"makes its rows of two texts and a class, and reads {found}; write the three of them under reads"
    if [column.type for column in columns.values()] != ["text"] * texts:
        return f"makes {texts} texts, and columns are {', '.join(map(repr, columns))}; write {example}"
    return None


def _check_pairs(options: Any, before: Columns, columns: Columns) -> str | None:
    if not options.classes:
        return "keeps nothing; write the classes whose rows are pairs, as in classes: [entailment]"
    example = "columns: {anchor: {type: text}, positive: {type: text}}"
    return _shape_mistake(before, columns, 2, example) or classes_mistake(options.classes, before)


@step("pairs", streams=True, reshapes=True, check=_check_pairs)
def nli_pairs(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    work: StepWork,
    *,
    classes: list[str] = ["entailment"],  # noqa: B006
) -> pl.LazyFrame:
    """Make pairs of the rows that have one of some classes, and drop the others.

    It reads two texts and a class (`reads`), and makes the recipe's two columns of the texts, in their order.

    Args:
        classes: the classes whose rows are pairs.
    """
    import polars as pl

    label, names = label_of(rows, work)
    wanted = [names.index(one) for one in classes]
    others = pl.col(label).replace_strict(dict(enumerate(names)), return_dtype=pl.String, default=None)
    other = ~pl.col(label).is_in(wanted).fill_null(False)
    why = pl.when(other).then(pl.format("its class is '{}'", others.fill_null("none")))
    renamed = dict(zip(texts, work.columns, strict=True))
    made = rows.with_columns(why.alias(WHY)).drop(label)
    sources = {BEFORE + old: BEFORE + new for old, new in renamed.items()}
    return made.rename({**renamed, **{old: new for old, new in sources.items() if old in made.collect_schema()}})


def _check_triplets(options: Any, before: Columns, columns: Columns) -> str | None:
    if options.positive == options.negative:
        return f"positive and negative are both '{options.positive}'; write two classes"
    example = "columns: {anchor: {type: text}, positive: {type: text}, negative: {type: text}}"
    named = (options.positive, options.negative)
    return _shape_mistake(before, columns, 3, example) or classes_mistake(named, before)


@step("triplets", streams=True, reshapes=True, check=_check_triplets)
def nli_triplets(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    work: StepWork,
    *,
    positive: str = "entailment",
    negative: str = "contradiction",
    max_per_anchor: PositiveInt | None = None,
) -> StepResult:
    """Make triplets of premises: a hypothesis that follows is the positive, one that contradicts the hard negative.

    It reads two texts and a class (`reads`), and makes the recipe's three columns. The first positive of a premise
    meets its first negative, the second its second, and so on, so that no text of a row stands in two triplets; what
    is left over is dropped. Triplets come in the order of their positives.

    Args:
        positive: the class of positives.
        negative: the class of negatives.
        max_per_anchor: at most so many triplets of one premise, the first of them; null = all.
    """
    import polars as pl

    label, names = label_of(rows, work)
    one, other = names.index(positive), names.index(negative)
    found = rows.select(key(texts[:1]).alias("premise"), of=pl.col(label)).collect(engine="streaming")
    places = found.with_row_index("row").filter(pl.col("of").is_in([one, other]))
    sides = [places.filter(pl.col("of") == side) for side in (one, other)]
    sides = [side.with_columns(places_in_groups(side["premise"]).alias("rank")) for side in sides]
    most = len(found) if max_per_anchor is None else max_per_anchor
    beyond = pl.concat(sides).filter(pl.col("rank") >= most)
    met = sides[0].filter(pl.col("rank") < most).join(sides[1], on=["premise", "rank"], maintain_order="left")
    made = _beside(rows, texts, work.columns, met, len(found))
    used = at_places(pl.concat([met["row"], met["row_right"]]), len(found))
    reasons = {
        f"its class is neither '{positive}' nor '{negative}'": ~found["of"].is_in([one, other]).fill_null(False),
        f"its premise has {max_per_anchor} triplets": at_places(beyond["row"], len(found)),
        f"its premise has no '{positive}' left for it": ~used & (found["of"] == other),
        f"its premise has no '{negative}' left for it": ~used & (found["of"] == one),
    }
    lost = with_reasons(rows, reasons).filter(pl.col(WHY).is_not_null())
    facts = {"anchors": met["premise"].n_unique(), "rows": len(met)}
    return StepResult(made, len(found) - 2 * len(met), facts, lost)


def _beside(
    rows: pl.LazyFrame, texts: Sequence[str], names: Sequence[str], met: pl.DataFrame, count: int
) -> pl.LazyFrame:
    """The rows of positives, and beside each the hypothesis of its negative; these alone are in memory."""
    import polars as pl

    (premise, hypothesis), (anchor, positive, negative) = texts, names
    there = rows.collect_schema()

    def side(places: pl.Series, renamed: Mapping[str, str], audit: str) -> pl.LazyFrame:
        left = {BEFORE + old: BEFORE + new for old, new in renamed.items()} | {ROW_SCORE: audit}
        taken = [*renamed.items(), *((old, new) for old, new in left.items() if old in there)]
        return only(rows, at_places(places, count)).select(pl.col(old).alias(new) for old, new in taken)

    firsts = side(met["row"], {premise: anchor, hypothesis: positive}, ROW_SCORE)
    seconds = side(met["row_right"], {hypothesis: negative}, f"{ROW_SCORE} of negative").collect(engine="streaming")
    seconds = seconds[met["row_right"].rank("ordinal").cast(pl.Int64) - 1]
    made = pl.concat([firsts, seconds.lazy()], how="horizontal")
    if ROW_SCORE in there:
        both = (ROW_SCORE, f"{ROW_SCORE} of negative")
        made = made.with_columns(pl.min_horizontal(both).alias(ROW_SCORE)).drop(both[1])
    return made.select(*names, *(name for name in made.collect_schema() if name not in names))
