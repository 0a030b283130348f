"""Steps that stream: the rows that they leave, the reasons that they give, and options that fit no dataset."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stepped import stepped, work_of

from zoo.arabic import normalised, normalised_column
from zoo.errors import DataError
from zoo.recipe import Dataset
from zoo.recipe.check import dataset_mistakes, suite_mistakes
from zoo.steps import STEPS

NLI = ["entailment", "neutral", "contradiction"]
READS = {"premise": {"type": "text"}, "hypothesis": {"type": "text"}, "label": {"type": "class", "names": NLI}}
TRIPLET = {name: {"type": "text"} for name in ("anchor", "positive", "negative")}
PAIR = {name: {"type": "text"} for name in ("anchor", "positive")}


# The same spelling, fast


@given(st.text(st.characters(codec="utf-8"), max_size=12) | st.text("اأإىيةـً\u0654\u0653 .؟x1١Aﷺ\u200dﻻ", max_size=12))
@settings(max_examples=100, deadline=None)
def test_columns_are_normalised_as_texts_are(text: str) -> None:
    column = pl.Series([text, None, "plain", text + "\u0640"], dtype=pl.String)
    assert normalised_column(column).to_list() == [normalised(text), None, "plain", normalised(text + "\u0640")]


def test_every_character_is_normalised_as_it_is_alone() -> None:
    letters = [chr(code) for code in range(0x3000)]  # beyond, each is looked at alone
    assert normalised_column(pl.Series(letters)).to_list() == list(map(normalised, letters))


# Texts


@pytest.mark.parametrize(
    ("options", "text", "made"),
    [
        ({"tatweel": True}, "كتـــاب", "كتاب"),
        ({"diacritics": "drop"}, "الوَلَدُ هٰذا ﷺ مؤمن", "الولد هذا ﷺ مؤمن"),
        ({"diacritics": "drop"}, "و\u0654", "و\u0654"),  # hamza above is a part of the letter
        ({"alef": True}, "أحمد إلى آخر ٱلنهار ا\u0654", "احمد الى اخر النهار ا"),
        ({"ya": True}, "على عربی", "علي عربي"),
        ({"ta_marbuta": True}, "مدرسة", "مدرسه"),
        ({"digits": "western"}, "١٢٣ ۴۵ 6", "123 45 6"),
        ({"digits": "arabic"}, "123 ۴۵ ٦", "١٢٣ ٤٥ ٦"),
        ({"zero_width": True}, "\ufeffمي\u200cخواهم\u200f", "ميخواهم"),
        ({"white_space": True}, " \tأ \n ب\u00a0", "أ ب"),
        ({"forms": True}, "ﻻ ﺑﺎب ﷲ", "لا باب الله"),
        ({"tatweel": True, "alef": True, "white_space": True}, " أـب  ", "اب"),
    ],
)
def test_texts_are_spelt_as_the_recipe_says(options: dict[str, Any], text: str, made: str) -> None:
    found = stepped("normalise", {"a": [text, None], "b": [text, text]}, ["a", "b"], columns=["a"], **options)
    assert found.left.rows() == [(made, text), (None, text)]


@pytest.mark.parametrize(
    ("options", "left", "why"),
    [
        ({"least": 3}, ["سبع كلمات", "abc"], ["'a' has fewer than 3 characters"]),
        ({"least": 2, "unit": "words"}, ["سبع كلمات"], ["'a' has fewer than 2 words"] * 2),
        ({"most": 3}, ["ab", "abc"], ["'a' has more than 3 characters"]),
        ({"least": 3, "most": 5}, ["abc"], ["'a' has fewer than 3 characters", "'a' has more than 5 characters"]),
    ],
)
def test_lengths_are_between_what_the_recipe_says(options: dict[str, Any], left: list[str], why: list[str]) -> None:
    found = stepped("length", {"a": ["ab", "سبع كلمات", "abc"], "b": ["b"] * 3}, ["a", "b"], columns=["a"], **options)
    assert (sorted(found.left["a"]), sorted(found.why)) == (sorted(left), sorted(why))


def test_texts_of_a_row_may_differ_in_length_as_much_as_the_recipe_says() -> None:
    found = stepped("length", {"a": ["ab", "a", ""], "b": ["abcd", "abc", "a"]}, ["a", "b"], ratio=2)
    assert found.left["a"].to_list() == ["ab"]
    assert found.why == ["one text is more than 2 times as long as another"] * 2


SPOKEN = [
    "ذهب الولد إلى المدرسة في الصباح",
    "رايح فين النهارده يا صاحبي",
    "این کتاب را دیروز از کتابخانه گرفتم",
    "یہ کتاب میں نے کل خریدی تھی",
    "The boy went to school in the morning",
    "الولد رأى كلمة English في الكتاب",
    "123 ؟",
]


def test_the_script_tells_arabic_and_a_model_the_rest() -> None:
    found = stepped("language", {"a": SPOKEN}, ["a"])
    assert found.left["a"].to_list() == [SPOKEN[0], SPOKEN[1], SPOKEN[5], SPOKEN[6]]
    assert found.why == ["'a' is in 'fa'", "'a' is in 'ur'", "'a' is not in Arabic script"]
    english = stepped("language", {"a": SPOKEN[:1] + SPOKEN[4:5]}, ["a"], languages=["en"])
    assert (english.left["a"].to_list(), english.why) == ([SPOKEN[4]], ["'a' is in 'ar'"])
    both = stepped("language", {"a": SPOKEN}, ["a"], languages=["ar", "en"])
    assert both.why == ["'a' is in 'fa'", "'a' is in 'ur'"]


@pytest.mark.parametrize(
    ("options", "text", "made"),
    [
        ({"texts": {"n/a": "لا شيء"}}, "n/a", "لا شيء"),
        ({"texts": {"n/a": "x"}}, "it is n/a", "it is n/a"),
        ({"replace": {"،": ",", "؟": "?"}}, "من؟ أنا،", "من? أنا,"),
        ({"patterns": {r"(\d+)%": "${1} percent"}}, "5% of 10%", "5 percent of 10 percent"),
        ({"replace": {"a": "b"}, "patterns": {"b+": "c"}}, "ab", "c"),
        ({"patterns": {r"[\p{Arabic}&&\p{L}]+": "$$${0}$$"}}, "كم dollars", "$كم$ dollars"),
    ],
)
def test_texts_have_something_put_in_the_place_of_something_else(options: dict[str, Any], text: str, made: str) -> None:
    assert stepped("map", {"a": [text, None]}, ["a"], **options).left["a"].to_list() == [made, None]


def test_a_pattern_that_polars_does_not_know_is_told() -> None:
    with pytest.raises(DataError, match=r"step 'map': pattern 'a\(\?=b\)' is none that polars knows: .*look") as caught:
        stepped("map", {"a": ["ab"]}, ["a"], patterns={"a(?=b)": "c"})
    assert caught.value.hint == "write it without looking ahead or behind, or use replace"


# Labels


def test_classes_become_others_or_none() -> None:
    rows = {"a": list("abcd"), "label": [0, 1, 2, None]}
    found = stepped("relabel", rows, ["a"], work_of({"label": NLI}), classes={"neutral": "contradiction"})
    assert found.left["label"].to_list() == [0, 2, 2, None]
    found = stepped("relabel", rows, ["a"], work_of({"label": NLI}), classes={"neutral": None, "entailment": "neutral"})
    assert (found.left["label"].to_list(), found.why) == ([1, 2, None], ["its class is 'neutral'"])


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"ends": [0.2, 0.7]}, [0.0, 0.0, 0.6, 1.0, None]),
        ({"ends": [0.7, 0.2]}, [1.0, 1.0, 0.4, 0.0, None]),
        ({"ends": [0.2, 0.7], "outside": "drop"}, [0.0, 0.6, None]),
    ],
)
def test_scores_are_stretched(options: dict[str, Any], left: list[float | None]) -> None:
    rows = {"a": list("abcde"), "score": [0.1, 0.2, 0.5, 1.0, None], "@audit": [0.5] * 5}
    found = stepped("rescale", rows, ["a"], **options)
    assert found.left["score"].to_list() == [one if one is None else pytest.approx(one) for one in left]
    assert set(found.why) <= {"its score is not from 0.2 to 0.7"}


# Rows


def test_the_same_rows_are_drawn_every_time_and_stay_in_order() -> None:
    rows = {"a": list(map(str, range(100)))}
    drawn = [stepped("sample", rows, ["a"], rows=10, seed=seed).left["a"].to_list() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] == sorted(drawn[0], key=int)
    assert drawn[0] != drawn[2]
    assert [
        len(one.left) for one in (stepped("sample", rows, ["a"], share=0.25), stepped("sample", rows, ["a"], rows=900))
    ] == [25, 100]


def test_rows_that_stand_in_evaluation_tasks_go() -> None:
    work = work_of(tasks={"STS17": [("القط نائم", "كلب")], "pairs": [("طائر", "...")]})
    rows = {"a": ["القطّ نائم!", "قمر", "شمس", "؟؟"], "b": ["x", "طائر", "y", "z"]}
    found = stepped("dedupe_against", rows, ["a", "b"], work, tasks=["STS17", "pairs"])
    assert found.left["a"].to_list() == ["شمس", "؟؟"]
    assert found.why == ["its 'a' stands in task 'STS17'", "its 'b' stands in task 'pairs'"]
    spelt = stepped("dedupe_against", rows, ["a", "b"], work, suite="ara-sts", normalised=False)
    assert spelt.left["a"].to_list() == ["القطّ نائم!", "شمس", "؟؟"]


ROWS = {
    "premise": ["p", "q", "p", "p", "q", "p", "r", "p", "p"],
    "hypothesis": ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    "label": [2, 0, 0, 1, 2, 0, 0, 2, 2],
}


def test_entailments_and_contradictions_of_a_premise_make_triplets() -> None:
    work = work_of({"label": NLI}, list(TRIPLET))
    found = stepped("triplets", ROWS, ["premise", "hypothesis"], work)
    assert found.left.rows(named=True) == [
        {"anchor": "q", "positive": "2", "negative": "5"},
        {"anchor": "p", "positive": "3", "negative": "1"},
        {"anchor": "p", "positive": "6", "negative": "8"},
    ]
    assert found.why == [
        "its class is neither 'entailment' nor 'contradiction'",
        "its premise has no 'contradiction' left for it",
        "its premise has no 'entailment' left for it",
    ]
    assert (found.facts, found.dropped) == ({"anchors": 2, "rows": 3}, 3)
    capped = stepped("triplets", ROWS, ["premise", "hypothesis"], work, max_per_anchor=1)
    assert capped.left["positive"].to_list() == ["2", "3"]
    assert capped.why.count("its premise has 1 triplets") == 3
    other = stepped("triplets", ROWS, ["premise", "hypothesis"], work, positive="neutral")
    assert other.left.rows() == [("p", "4", "1")]


def test_triplets_keep_what_their_texts_were_translated_from() -> None:
    more = {"@source.premise": ["P", "Q"], "@source.hypothesis": ["A", "B"], "@audit": [0.9, 0.4]}
    rows = {"premise": ["p", "p"], "hypothesis": ["a", "b"], "label": [0, 2], **more}
    found = stepped("triplets", rows, ["premise", "hypothesis"], work_of({"label": NLI}, list(TRIPLET)))
    assert found.left.rows(named=True) == [
        {"anchor": "p", "positive": "a", "negative": "b"}
        | {"@source.anchor": "P", "@source.positive": "A", "@audit": 0.4, "@source.negative": "B"}
    ]


def test_no_triplets_are_a_frame_without_rows() -> None:
    rows = {"premise": ["p"], "hypothesis": ["a"], "label": [0]}
    found = stepped("triplets", rows, ["premise", "hypothesis"], work_of({"label": NLI}, list(TRIPLET)))
    assert found.left.schema == dict.fromkeys(TRIPLET, pl.String)
    assert found.left.is_empty()


def test_rows_of_some_classes_are_pairs() -> None:
    rows = {**ROWS, "@source.premise": ROWS["hypothesis"]}
    found = stepped("pairs", rows, ["premise", "hypothesis"], work_of({"label": NLI}, list(PAIR)), classes=["neutral"])
    assert found.left.rows(named=True) == [{"anchor": "p", "positive": "4", "@source.anchor": "4"}]
    assert found.why[:2] == ["its class is 'contradiction'", "its class is 'entailment'"]


# Recipes


def mistakes(steps: list[Any], columns: Any = None, **recipe: Any) -> list[str]:
    dataset = Dataset.model_validate(
        {"source": {"dataset": "lab/rows"}, "columns": columns or PAIR, "steps": steps, **recipe}
    )
    found = [*dataset_mistakes("mine", dataset, {}), *suite_mistakes(dataset, ["ara-sts"])]
    return [f"{'.'.join(map(str, at))}: {told}" for at, told in found]


SHAPED: dict[str, Any] = {"columns": TRIPLET, "reads": READS}


@pytest.mark.parametrize(
    ("steps", "recipe", "told"),
    [
        (["triplets"], {"columns": TRIPLET}, "steps.0: step 'triplets' makes columns of those in reads, and there are none; add reads: {"),
        (["not_empty"], SHAPED, "reads: no step makes columns of them; write one of pairs, triplets in steps"),
        (["triplets", "pairs"], SHAPED, "steps.1: step 'pairs' comes after 'triplets', which made the columns"),
        (["triplets"], {**SHAPED, "columns": PAIR}, "makes 3 texts, and columns are 'anchor', 'positive'; write columns: {"),
        (["triplets"], {**SHAPED, "reads": PAIR}, "reads 'anchor' (text), 'positive' (text); write the three of them under reads"),
        ([{"type": "triplets", "positive": "entailmnt"}], SHAPED, "'entailmnt' is no class of 'label'; did you mean 'entailment'?"),
        ([{"type": "triplets", "negative": "entailment"}], SHAPED, "positive and negative are both 'entailment'; write two"),
        (["true_negatives", "triplets"], SHAPED, "steps.0: step 'true_negatives' is for 3 text columns, and there are 2"),
        ([{"type": "pairs", "classes": []}], {**SHAPED, "columns": PAIR}, "keeps nothing; write the classes"),
        ([{"type": "length", "least": 3, "columns": ["premise"]}], {}, "columns: 'premise' is no column here; one of: anchor, positive"),
        ([{"type": "length", "least": 3, "columns": []}], {}, "columns is empty; take it out"),
        ([{"type": "length", "least": 9, "most": 3}], {}, "least '9' is above most '3'; swap them"),
        (["length"], {}, "drops nothing; write least, most or ratio"),
        ([{"type": "length", "ratio": 2, "columns": ["anchor"]}], {}, "ratio compares texts, and there is one"),
        (["normalise"], {}, "changes nothing; write what it is to change, as in {type: normalise, tatweel: true}"),
        (["map"], {}, "changes nothing; write replace: {old: new}"),
        ([{"type": "map", "patterns": {"(": "x"}}], {}, "patterns: '(' is no regular expression"),
        ([{"type": "map", "patterns": {r"\p{Arabic}+": "x", "(a)": r"\1b"}}], {}, r"patterns: '\1b' writes a group as '\1'; write ${1}"),
        ([{"type": "map", "patterns": {"(a)": "$1b"}}], {}, "asks for group '1b', which '(a)' does not have; write ${1}b, or $$ for"),
        ([{"type": "map", "patterns": {"(a)": "${2}"}}], {}, "asks for group '2', which '(a)' does not have; write one that"),
        ([{"type": "map", "replace": {"": "x"}}], {}, "replace: '' stands everywhere"),
        ([{"type": "relabel", "classes": {"neutral": None}}], {}, "needs a column of classes, and there are 'anchor', 'positive'"),
        ([{"type": "relabel", "classes": {"neutral": "no"}}], {"columns": READS}, "'no' is no class of 'label'"),
        ([{"type": "rescale", "ends": [0, 1]}], {}, "needs a column of scores, and there is none"),
        ([{"type": "rescale", "ends": [1, 1]}], {}, "ends: both are 1"),
        (["sample"], {}, "says neither rows nor share; write one of them"),
        ([{"type": "sample", "rows": 5, "share": 0.5}], {}, "says both rows and share"),
        (["dedupe_against"], {}, "names no tasks; write suite: ara-sts"),
        ([{"type": "dedupe_against", "tasks": ["STS99"]}], {}, "steps.0.tasks.0: no evaluation task 'STS99'"),
        ([{"type": "dedupe_against", "suite": "ara-stz"}], {}, "steps.0.suite: no suite 'ara-stz' in family.yaml; did you mean 'ara-sts'?"),
        ([{"type": "language", "languages": ["arabic"]}], {}, "languages: 'arabic' is none that can be told"),
        ([{"type": "language", "languages": []}], {}, "languages is empty; write [ar]"),
        ([{"type": "translate", "model": "lab/nmt", "columns": ["ancor"]}], {}, "columns: 'ancor' is no column here; did you mean 'anchor'?"),
        ([{"type": "audit", "columns": ["ancor"]}], {}, "columns: 'ancor' is no column here; did you mean 'anchor'?"),
        ([{"type": "audit", "length_ratio": [2, 0.5]}], {}, "length_ratio '[2, 0.5]' is kept by no text; write the least first"),
        ([{"type": "audit", "source": "ancor"}], {}, "source: 'ancor' is no column here; did you mean 'anchor'?"),
        ([{"type": "audit", "columns": ["anchor"], "source": "anchor"}], {}, "source: 'anchor' is held against itself"),
    ],
)  # fmt: skip
def test_options_that_fit_no_dataset_are_told_before_any_row_is_read(
    steps: list[Any], recipe: dict[str, Any], told: str
) -> None:
    assert told in "\n".join(mistakes(steps, **recipe))


def test_steps_that_fit_are_fine() -> None:
    steps = ["not_empty", {"type": "relabel", "classes": {"neutral": None}}, "triplets", "true_negatives", "unique"]
    assert mistakes([*steps, {"type": "dedupe_against", "suite": "ara-sts"}], **SHAPED) == []


def test_every_step_says_in_a_sentence_what_it_is_for() -> None:
    assert all(STEPS[name].says.endswith(".") for name in STEPS)


def test_a_sample_of_groups_takes_them_whole() -> None:
    from zoo.steps.masks import sampled_groups

    groups = pl.Series([group for group in range(100) for _ in range(3)])
    places = sampled_groups(groups, 31, 1)
    assert len(places) == 30
    assert places == sorted(places) == sampled_groups(groups, 31, 1)
    assert groups.gather(places).value_counts()["count"].to_list() == [3] * 10
    assert len(sampled_groups(pl.Series([7] * 50), 20, 1)) == 20, "of one group alone, rows are drawn"
