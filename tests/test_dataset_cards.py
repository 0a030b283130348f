"""What the cards of datasets tell beyond their recipes, in both languages, and the picture of a Space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from test_own_datasets import facts, said

from zoo.cards.arabiccounts import rows_in_arabic
from zoo.cards.datasetview import DatasetFacts
from zoo.cards.thumbnail import Drawn, thumbnail

SOURCE = {"source": {"path": "own.csv"}}


def arabic(recipe: dict[str, Any], **more: Any) -> DatasetFacts:
    """The facts of a dataset of Arabic texts."""
    release = {"repo": "Own", "title": "Own", "summary": "Own.", "language": ["ar"]}
    return replace(facts({**SOURCE, "release": release, **recipe}, {}), **more)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "<bdi>0</bdi> صف"),
        (1, "صف واحد"),
        (2, "صفان"),
        (3, "<bdi>3</bdi> صفوف"),
        (10, "<bdi>10</bdi> صفوف"),
        (11, "<bdi>11</bdi> صفًا"),
        (99, "<bdi>99</bdi> صفًا"),
        (100, "<bdi>100</bdi> صف"),
        (103, "<bdi>103</bdi> صفوف"),
        (6000, "<bdi>6,000</bdi> صف"),
    ],
)
def test_rows_are_counted_as_arabic_counts_them(number: int, told: str) -> None:
    assert rows_in_arabic(number) == told


def test_rows_stand_in_a_card_only_where_everybody_may_read_them() -> None:
    glance = {"train": {"bytes": 9, "rows": [{"anchor": "نص | أول", "positive": "نص ثان"}]}}
    shown = arabic({}, glance=glance)
    table = (
        '<div dir="rtl">\n\n| anchor | positive |\n|---|---|\n| <bdi>نص \\| أول</bdi> | <bdi>نص ثان</bdi> |\n\n</div>'
    )
    assert table in said(shown)
    hidden = said(replace(shown, shows_rows=False))
    assert "نص ثان" not in hidden
    assert "## Rows\n" not in hidden


def test_a_card_says_what_loading_prints_and_who_is_trained_on_the_rows() -> None:
    card = said(arabic({}, models=["lab/One"]))
    printed = "DatasetDict({\n    train: Dataset({\n        features: ['anchor', 'positive'],\n        num_rows: 9\n    })\n})"
    assert f"print(rows)\n```\n\n```text\n{printed}\n```\n" in card
    assert "alone or with others: [lab/One](https://huggingface.co/lab/One)." in card
    assert "## Models" not in said(arabic({}))


def test_columns_are_explained_with_their_way_from_the_source() -> None:
    columns = {
        "premise": {"type": "text", "source": "text_a"},
        "negative_2": {"type": "text"},
        "score": {"type": "score", "from": [0, 5]},
    }
    card = said(arabic({"columns": columns}))
    assert "| `premise` | text | the sentence that is taken as true; called 'text\\_a' at the source |" in card.replace(
        "text_a", "text\\_a"
    )
    assert "| `negative_2` | text | a text that does not mean what the anchor means |" in card
    assert "1 = the same meaning; 0 to 5 at the source |" in card
    assert "- العمود <bdi>`premise`</bdi>: الجملة التي يُسلَّم بصحتها." in card


def test_a_translation_is_told_in_plain_words_and_figures() -> None:
    steps = [{"type": "translate", "model": "lab/en-ar"}]
    one = arabic({"steps": steps})
    told = {"translate": {"sentences, in int8": 1204}}
    report = {"train": {**one.report["train"], "dropped": {"translate": 7}, "facts": told}}
    card = said(replace(one, report=report, source={**one.source, "models": {"lab/en-ar": "1" * 40}}))
    sentence = (
        "Nobody wrote these texts in Arabic: a program, [lab/en-ar](https://huggingface.co/lab/en-ar) at `11111111`, "
    )
    assert sentence + "translated anchor and positive from English (1,204 different sentences in train)." in card
    assert "were dropped: 7 in train." in card
    assert "**Machine translation.**" in card
    assert "**Machine translation.**" not in said(arabic({}))


def test_a_translation_before_the_recipe_is_told_as_well() -> None:
    release = {"repo": "Own", "title": "Own", "summary": "Own.", "language": ["ar"], "translated_from": "en"}
    card = said(arabic({"release": release}))
    assert "A program translated the texts from English before they came here." in card
    assert "**Machine translation.**" in card
    assert "هذه النصوص مترجمة آليًا." in card
    assert "- machine-translated\n" in card
    assert "translated the texts from" not in said(arabic({}))


def test_rows_come_first_in_a_card_then_arabic_then_use() -> None:
    card = said(arabic({}, glance={"train": {"bytes": 9, "rows": [{"anchor": "a", "positive": "b"}]}}))
    places = [card.index(text) for text in ("## Rows\n", "**بالعربية.**", "## Use\n", "## Columns\n")]
    assert places == sorted(places)


def test_a_picture_of_a_space_is_the_same_for_equal_facts() -> None:
    models = [Drawn("One", 81.5, (768, 64)), Drawn("Two", 79.0, (384,))]
    first, second = (thumbnail("Own", "Own models.", models, arabic=True, rehearsal=False) for _ in range(2))
    assert first == second
    assert first is not None
    assert first.startswith(b"\x89PNG")
    assert first[16:24] == (1200).to_bytes(4, "big") + (630).to_bytes(4, "big")
