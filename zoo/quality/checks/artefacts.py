"""What can be guessed without understanding: classes from one text alone, or from lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from zoo.arabic import normalised
from zoo.quality.checked import Checked, quality_check
from zoo.quality.material import Material
from zoo.say import Progress

if TYPE_CHECKING:
    import polars as pl

TRAINED_ON = 10_000  # rows
MEASURED_ON = 5_000
FEWEST = 100  # rows to measure on; fewer say nothing
LIFT = 0.05  # above the largest class, from which on a guess is worth a warning
STRONG = 0.2  # a correlation with length alone


@dataclass(frozen=True)
class Examined:
    """Rows to train a guess on, and rows to measure it on."""

    train: list[tuple[tuple[str, ...], str]]
    """(texts, class)."""
    test: list[tuple[tuple[str, ...], str]]
    where: str
    """Words on what it is measured on."""


@quality_check(
    "one text alone", "How well classes are told from the hypothesis alone, where the other text should be needed."
)
def one_text_alone(material: Material, progress: Progress) -> Checked:
    """Train a classifier of words and letters on the second text alone, and hold it against the largest class."""
    roles = material.roles
    if roles.shape not in ("pairs with classes", "triplets"):
        return Checked("skipped", "no pairs with classes and no triplets")
    rows = _examined(material)
    if isinstance(rows, str):
        return Checked("skipped", rows)
    what = f"{roles.texts[1]} alone" if roles.label else "a positive told from a negative, without the anchor"
    guesses = _guess_words(
        [texts[-1] for texts, _ in rows.train], _classes(rows.train), [texts[-1] for texts, _ in rows.test]
    )
    return _against_chance(guesses, rows, what)


@quality_check("length alone", "How well classes or scores are told from the lengths of the texts alone.")
def length_alone(material: Material, progress: Progress) -> Checked:
    """Train a classifier on lengths, or correlate the difference of lengths with the scores."""
    shape = material.roles.shape
    if shape == "pairs with scores":
        return _length_and_score(material)
    if shape not in ("pairs with classes", "triplets", "texts with classes"):
        return Checked("skipped", "no classes, scores or triplets")
    rows = _examined(material)
    if isinstance(rows, str):
        return Checked("skipped", rows)
    train, test = (_lengths([texts for texts, _ in some]) for some in (rows.train, rows.test))
    return _against_chance(_guess_numbers(train, _classes(rows.train), test), rows, "lengths alone")


def _classes(rows: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    return [label for _, label in rows]


def _examined(material: Material) -> Examined | str:
    """Rows to train and to measure on, or the reason why there are none.

    Where there is one split only, a fifth of its groups is held out.
    """
    train, held_out = material.train, material.held_out
    what = "positives and negatives" if material.roles.shape == "triplets" else "rows"
    if held_out:
        found = Examined(
            _labelled(material, train, TRAINED_ON), _labelled(material, held_out, MEASURED_ON), f"{what} of {held_out}"
        )
    else:
        rows = _labelled(material, train, TRAINED_ON + MEASURED_ON)
        held = [crc32(normalised(texts[0]).encode()) % 5 == 0 for texts, _ in rows]
        found = Examined(
            [row for row, out in zip(rows, held, strict=True) if not out],
            [row for row, out in zip(rows, held, strict=True) if out],
            f"held-out {what} of {train}",
        )
    if len(found.test) < FEWEST or len(found.train) < FEWEST:
        return f"fewer than {FEWEST} rows to train or measure on"
    return found if len(set(_classes(found.train))) > 1 else "one class only"


def _labelled(material: Material, split: str, most: int) -> list[tuple[tuple[str, ...], str]]:
    """(texts, class) of rows; of a triplet its anchor with the positive, and with the negative."""
    roles = material.roles
    if roles.shape == "triplets":
        assert roles.triplet is not None
        rows = material.sample(split, most // 2).select(roles.triplet).drop_nulls().collect().rows()
        return [((row[0], row[side]), name) for row in rows for side, name in ((1, "positive"), (2, "negative"))]
    assert roles.label is not None
    rows = material.sample(split, most).select([*roles.texts, roles.label]).drop_nulls().collect().rows()
    return [(row[:-1], str(row[-1])) for row in rows]


def _guess_words(train: list[str], classes: list[str], test: list[str]) -> list[str]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=30_000, tokenizer=str.split)
    words.set_params(token_pattern=None)  # else it warns that the tokenizer takes its place
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), min_df=3, sublinear_tf=True, max_features=30_000)
    model = make_pipeline(make_union(words, letters), LogisticRegression(C=2.0, max_iter=200))
    try:
        model.fit([normalised(text) for text in train], classes)
    except ValueError:  # every text is another one, and no word stands in two
        return [max(set(classes), key=classes.count)] * len(test)
    return [str(one) for one in model.predict([normalised(text) for text in test])]


def _guess_numbers(train: Any, classes: list[str], test: Any) -> list[str]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(train, classes)
    return [str(one) for one in model.predict(test)]


def _lengths(rows: list[tuple[str, ...]]) -> Any:
    """(n, features): the logarithms of the lengths, their differences, and these squared."""
    import numpy as np

    signs = np.log1p([[len(text) for text in texts] for texts in rows])
    words = np.log1p([[len(text.split()) for text in texts] for texts in rows])
    difference = signs[:, -1:] - signs[:, :1]
    return np.hstack([signs, words, difference, difference**2, np.abs(difference), signs**2])


def _against_chance(guesses: list[str], rows: Examined, what: str) -> Checked:
    """The share of right guesses with its 95 % interval (Wilson), beside the share of the largest class of train."""
    from scipy.stats import binomtest

    classes = _classes(rows.test)
    right = sum(guess == label for guess, label in zip(guesses, classes, strict=True))
    largest = Counter(_classes(rows.train)).most_common(1)[0][0]
    chance = classes.count(largest) / len(classes)
    interval = binomtest(right, len(classes)).proportion_ci(method="wilson")
    accuracy, low, high = right / len(classes), float(interval.low), float(interval.high)
    told = f"{what}: {100 * accuracy:.1f} % right [{100 * low:.1f}, {100 * high:.1f}]"
    figure = f"{told}, the largest class {100 * chance:.1f} %; on {len(classes):,} {rows.where}"
    facts = {"accuracy": accuracy, "low": low, "high": high, "largest_class": chance, "rows": len(classes)}
    warns = low > chance and accuracy - chance >= LIFT
    advice = "a model may learn this shortcut: measure on pairs where it does not help" if warns else ""
    return Checked("warning" if warns else "ok", figure, facts, advice=advice)


def _length_and_score(material: Material) -> Checked:
    """Spearman's correlation of scores with how alike the lengths are, with its 95 % interval."""
    import numpy as np
    from scipy.stats import spearmanr

    roles = material.roles
    assert roles.score is not None
    split = material.held_out or material.train
    rows = _pairs_with_scores(material, split, [*roles.texts[:2], roles.score])
    scores = rows[roles.score].to_numpy()
    if len(rows) < FEWEST or len(set(scores.tolist())) < 2:
        return Checked("skipped", f"fewer than {FEWEST} rows of {split}, or one score only")
    first, second = (rows[text].str.len_chars().to_numpy().astype(float) for text in roles.texts[:2])
    alike = -np.abs(np.log1p(first) - np.log1p(second))
    if len(set(alike.tolist())) < 2:
        return Checked("skipped", "all texts are equally long")
    rho = float(spearmanr(alike, scores).statistic)
    wide = 1.96 * np.sqrt((1 + rho**2 / 2) / (len(rows) - 3))  # Bonett and Wright's, on Fisher's scale
    low, high = (float(np.tanh(np.arctanh(min(0.999999, max(-0.999999, rho))) + side * wide)) for side in (-1, 1))
    figure = (
        f"Spearman {rho:.2f} [{low:.2f}, {high:.2f}] of score and likeness of lengths; on {len(rows):,} rows of {split}"
    )
    facts = {"spearman": rho, "low": low, "high": high, "rows": len(rows)}
    warns = abs(rho) >= STRONG and low * high > 0
    return Checked(
        "warning" if warns else "ok",
        figure,
        facts,
        advice="lengths tell scores: compare with a baseline" if warns else "",
    )


def _pairs_with_scores(material: Material, split: str, columns: list[str]) -> pl.DataFrame:
    import polars as pl

    rows = material.sample(split, MEASURED_ON).select(columns).drop_nulls()
    return rows.filter(pl.col(columns[-1]).is_not_nan()).collect()
