"""Guesses what the columns of a dataset are that no recipe describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zoo.characters import brief
from zoo.errors import DataError, did_you_mean
from zoo.quality.material import Roles

if TYPE_CHECKING:
    import polars as pl

LOOKED_AT = 2000  # rows
LABELS = ("label", "labels", "gold_label", "class", "category", "relation", "target", "sentiment", "label_text")
SCORES = ("score", "similarity", "similarity_score", "relatedness", "relatedness_score", "rating", "gold_score")
GROUPS = ("premise", "anchor", "query", "question", "context")
FIRST = (
    "anchor",
    "premise",
    "query",
    "question",
    "sentence1",
    "text1",
    "positive",
    "hypothesis",
    "sentence2",
    "text2",
    "negative",
)
BESIDE = {  # columns about a row, by their names
    *(
        "id",
        "idx",
        "index",
        "uid",
        "uuid",
        "guid",
        "pairid",
        "promptid",
        "qid",
        "docid",
        "url",
        "link",
        "source",
        "attribution",
    ),
    *(
        "license",
        "licence",
        "genre",
        "domain",
        "split",
        "language",
        "lang",
        "date",
        "timestamp",
        "created_at",
        "annotator",
    ),
    *("annotator_labels", "author", "user", "username", "file", "filename", "topic", "type", "model", "version"),
}
OWN_COLUMN = "what lists and objects hold is checked when it has a column of its own; --text names one of strings"
MOST_CLASSES = 30
SHORT = 30  # characters of a class's name


def guessed_roles(
    sample: pl.DataFrame, classes: Mapping[str, Sequence[str]], asked: Mapping[str, Sequence[str]]
) -> Roles:
    """Roles of the columns, from its name, its type and some rows.

    Args:
        sample: some rows, all columns.
        classes: {column: its classes}, of those whose source names them.
        asked: {"texts", "label" or "score": columns that were named}; what is named is not guessed.

    Raises:
        DataError: there is no column of texts, or one that was named is not there or is of another kind.
    """
    import polars as pl

    _require_asked(sample, asked)
    label = next(iter(asked.get("label", ())), None) or (None if asked.get("score") else _label(sample, classes))
    score = next(iter(asked.get("score", ())), None) or (None if label else _score(sample))
    others = [name for name in sample.columns if name not in (label, score)]
    texts = list(asked.get("texts", ())) or [name for name in others if _why_no_text(sample, name) is None]
    if not sample.columns:
        raise DataError("no column of texts: its rows have lists and objects alone", hint=OWN_COLUMN)
    if not texts:
        told = ", ".join(
            f"{brief(name, 30)} ({_why_no_text(sample, name) or kind})" for name, kind in sample.schema.items()
        )
        named = "name the columns of texts: --text COLUMN" if pl.String in sample.dtypes else OWN_COLUMN
        raise DataError(f"no column of texts: {told}", hint=named)
    left = {name: _why_no_text(sample, name) or "not named" for name in others if name not in texts}
    texts = texts if asked.get("texts") else sorted(texts, key=_place)
    return Roles(texts, label, score, _group(texts), left)


def _require_asked(sample: pl.DataFrame, asked: Mapping[str, Sequence[str]]) -> None:
    """Refuse columns that were named and cannot be what they were named as."""
    import polars as pl

    every = [name for names in asked.values() for name in names]
    for name in every:
        if name not in sample.columns:
            raise DataError(f"there is no column '{name}'", hint=did_you_mean(name, sample.columns))
        if every.count(name) > 1:
            raise DataError(f"column '{name}' is named twice", hint="name it once: as --text, as --label or as --score")
    kinds = {name: str(sample[name].dtype).partition("(")[0].lower() for name in every}
    for name in asked.get("texts", ()):
        if sample[name].dtype != pl.String:
            raise DataError(f"column '{name}' holds no texts: {kinds[name]}", hint=OWN_COLUMN)
    for name in asked.get("label", ()):
        if sample[name].dtype.is_nested() or sample[name].dtype == pl.Binary:
            raise DataError(f"column '{name}' holds no classes: {kinds[name]}", hint=OWN_COLUMN)
    for name in asked.get("score", ()):
        if not _is_numeric(sample, name):
            raise DataError(f"column '{name}' holds no numbers: {kinds[name]}", hint="name another column as --score")


def _place(name: str) -> int:
    low = name.casefold()
    return next((place for place, one in enumerate(FIRST) if low.startswith(one)), len(FIRST))


def _group(texts: Sequence[str]) -> str | None:
    if len(texts) < 2:
        return None
    return next((text for text in texts if text.casefold() in GROUPS), None)


def _label(sample: pl.DataFrame, classes: Mapping[str, Sequence[str]]) -> str | None:
    if classes:
        return next((name for name in classes if name.casefold() in LABELS), next(iter(classes)))
    named = [name for name in sample.columns if name.casefold() in LABELS and _few_values(sample, name)]
    return named[0] if named else None


def _few_values(sample: pl.DataFrame, name: str) -> bool:
    import polars as pl

    column = sample[name].drop_nulls()
    if column.dtype == pl.String and (column.str.len_chars().max() or 0) > SHORT:  # type: ignore[operator]
        return False
    whole = column.dtype.is_integer() or column.dtype in (pl.String, pl.Boolean)
    return whole and 0 < column.n_unique() <= MOST_CLASSES


def _score(sample: pl.DataFrame) -> str | None:
    numeric = [name for name in sample.columns if _is_numeric(sample, name)]
    named = [name for name in numeric if name.casefold() in (*SCORES, *LABELS)]
    floats = [name for name in numeric if sample[name].dtype.is_float() and name.casefold() not in BESIDE]
    return named[0] if named else floats[0] if len(floats) == 1 else None


def _is_numeric(sample: pl.DataFrame, name: str) -> bool:
    import polars as pl

    column = sample[name].drop_nulls()
    if column.dtype == pl.String:
        full = column.filter(column.str.strip_chars() != "")
        return len(full) > 0 and full.str.strip_chars().cast(pl.Float64, strict=False).null_count() == 0
    return column.dtype.is_numeric()


def _why_no_text(sample: pl.DataFrame, name: str) -> str | None:
    """The reason why a column is not looked at; None when it is one of texts."""
    import polars as pl

    column = sample[name]
    if column.dtype != pl.String:
        return str(column.dtype).partition("(")[0].lower()
    if name.casefold().replace("_", "") in {one.replace("_", "") for one in BESIDE}:
        return "about the row, by its name"
    if len(column.drop_nulls()) and _is_numeric(sample, name):
        return "numbers"
    if len(full := column.drop_nulls()) and not full.str.contains(r"\p{L}").any():
        return "no letters"
    if len(sample) >= LOOKED_AT and column.n_unique() <= MOST_CLASSES:
        return "a few values"
    return None
