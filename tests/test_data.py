"""The data stage: rows become what the recipe says, or a sentence says why not and what to write."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from conftest import TestHub
from stepped import stepped

from zoo.errors import DataError, RecipeError
from zoo.hub.frontmatter import load_yaml
from zoo.recipe import Dataset

NLI = ["entailment", "neutral", "contradiction"]
OTHER_WAY = ["contradiction", "neutral", "entailment"]
PAIR = {"sentence1": {"type": "text"}, "sentence2": {"type": "text"}}
PAIR_OF_NLI = {"premise": {"type": "text"}, "hypothesis": {"type": "text"}}
SCORED = {**PAIR, "score": {"type": "score"}}
TRIPLET = {name: {"type": "text"} for name in ("anchor", "positive", "negative")}
SUBJECTS = ["المعلم", "الطبيب", "المهندس", "الفلاح", "الكاتب", "السائق", "الجار", "الطفل", "الحارس", "البائع"]
ENDS = [
    "يقرأ كتابا قديما في البيت",
    "يحمل حقيبة ثقيلة إلى السوق",
    "ينظف نافذة كبيرة قرب النهر",
    "يكتب رسالة طويلة لصديقه",
]
SENTENCES = [f"{subject} {end}" for end in ENDS for subject in SUBJECTS]
"""Forty, of five words or more, each unlike the one ten places on in all but a word."""


def labelled(**more: Any) -> dict[str, Any]:
    return {
        "premise": {"type": "text"},
        "hypothesis": {"type": "text"},
        "label": {"type": "class", "names": NLI, **more},
    }


def scored(**more: Any) -> dict[str, Any]:
    return {**PAIR, "score": {"type": "score", **more}}


def nli(labels: list[Any]) -> dict[str, list[Any]]:
    count = len(labels)
    return {
        "premise": [SENTENCES[at % 40] for at in range(count)],
        "hypothesis": [f"{SENTENCES[(at * 7 + at // 40) % 40]} اليوم {at}" for at in range(count)],
        "label": labels,
    }


def sts(scores: list[Any], start: int = 0) -> dict[str, list[Any]]:
    places = range(start, start + len(scores))
    return {
        "sentence1": [SENTENCES[at % 40] for at in places],
        "sentence2": [SENTENCES[(at + 13) % 40] for at in places],
        "score": scores,
    }


def with_names(rows: dict[str, list[Any]], column: str, names: list[str]) -> Any:
    """Rows whose column is a ClassLabel with these names."""
    from datasets import ClassLabel
    from datasets import Dataset as Rows

    return Rows.from_dict(rows).cast_column(column, ClassLabel(names=names))


SORTED = nli([label for label in range(3) for _ in range(120)])
LEAKY = sts([round(at / 20, 2) for at in range(20)])
SOURCES: dict[str, Callable[[], dict[str, Any]]] = {
    "minus1": lambda: {"train": nli([0, 1, 2, -1] * 5), "validation": nli([0, 1, 2]), "test": nli([-1, -1])},
    "sorted": lambda: {"train": SORTED},
    "stars": lambda: {"train": sts([0.0, 2.5, 5.0, 1.0])},
    "words": lambda: {"train": nli(NLI * 4)},
    "leaky": lambda: {"train": LEAKY, "validation": head(LEAKY, 5), "test": head(LEAKY, 10)},
    "one-anchor": lambda: {
        "train": {"anchor": [SENTENCES[0]] * 9, "positive": SENTENCES[1:10], "negative": SENTENCES[11:20]}
    },
    "label-order": lambda: {"train": with_names(nli([0, 1, 2, 2]), "label", OTHER_WAY)},
    "text-scores": lambda: {"train": sts(["0.53", " 1 ", "0", ""])},
    "train-only": lambda: {"train": sts([0.1, 0.9])},
    "dev": lambda: {"train": sts([0.1, 0.9]), "dev": sts([0.2, 0.8], 5)},
    "arabic": lambda: {
        "train": {
            "sentence1": ["الولد يقرأ كتابا", "الوَلَدُ يَقرأُ كتابًا", "الولـــد يقرأ كتابا", "\u200f", "\u00a0 ", None, "..."],
            "sentence2": ["كتاب", "كتاب", "كتاب", "\u200b\u200e", "كتاب", "كتاب", "؟"],
            "score": [0.9, 0.1, 0.5, 0.5, 0.5, 0.5, 0.2],
        }
    },
    "nan": lambda: {"train": sts([0.5, float("nan"), None, 0.7])},
    "constant": lambda: {"train": sts([0.1, 0.9, 0.4]), "validation": sts([0.5] * 4, 20)},
    "grouped": lambda: {
        "train": {"anchor": SENTENCES[:10], "positive": SENTENCES[10:20]},
        "validation": {"anchor": SENTENCES[:6], "positive": SENTENCES[30:36]},
        "test": {"anchor": SENTENCES[20:24], "positive": [*SENTENCES[10:11], *SENTENCES[36:39]]},
    },
    "shares": lambda: {"train": sts([at / 20 for at in range(20)]), "validation": sts([0.5, 4.0] * 5, 20)},
    "twins": lambda: {"train": {"sentence1": SENTENCES, "sentence2": SENTENCES, "score": [0.1, 0.9] * 20}},
    "unlike": lambda: {"train": sts([0.1, 0.9]), "test": {"sentence1": SENTENCES[:2], "grade": [0.1, 0.9]}},
    "long": lambda: {"train": nli([0, 2, 1, 0, 2, 0, 2] * 500), "validation": nli([0, 2, 1] * 60)},
    "halved": lambda: {"train": {name: values[:1] * 6 + values[1:5] for name, values in LEAKY.items()}},
}  # fmt: skip


def head(rows: dict[str, list[Any]], count: int) -> dict[str, list[Any]]:
    return {name: values[:count] for name, values in rows.items()}


@pytest.fixture(scope="session")
def sources(hub: TestHub) -> Mapping[str, str]:
    """{awkward dataset `awkward/<name>` on the Hub: its commit}."""
    from zoo.hub.store import Store
    from zoo.remote import api

    store = Store(hub.root)
    for name, splits in SOURCES.items():
        files = {f"data/{split}-00000-of-00001.parquet": parquet(rows) for split, rows in splits().items()}
        store.import_commit("dataset", f"awkward/{name}", files)
    card = [f"- {{config_name: {name}, data_files: {name}.parquet}}" for name in ("pairs", "pairs-ar")]
    both = {f"{name}.parquet": parquet(sts([0.1, 0.9])) for name in ("pairs", "pairs-ar")}
    readme = "\n".join(["---", "configs:", *card, "---"])
    store.import_commit("dataset", "awkward/configs", {**both, "README.md": readme.encode()})
    store.import_commit("dataset", "awkward/bare", {"README.md": b"# Nothing yet\n"})
    store.close()
    return {name: str(api().dataset_info(f"awkward/{name}").sha) for name in [*SOURCES, "configs", "bare"]}


def parquet(rows: Any) -> bytes:
    from datasets import Dataset as Rows

    made = io.BytesIO()
    (Rows.from_dict(rows) if isinstance(rows, dict) else rows).to_parquet(made)
    return made.getvalue()


@dataclass
class Heard:
    """A `Progress` that keeps what people are told."""

    notes: list[str] = field(default_factory=list)

    def start(self, label: str, total: int | None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def finish(self) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(" ".join(text.split()))


@dataclass
class Made:
    """What a data stage left."""

    folder: Path
    notes: list[str]

    @property
    def report(self) -> Any:
        return json.loads((self.folder / "report.json").read_text("utf-8"))

    @property
    def doubts(self) -> list[str]:
        file = self.folder / "doubts.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else []

    def rows(self, split: str = "train") -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{split}.parquet")


Build = Callable[..., Made]


def spec_of(
    place: Path,
    name: str,
    revision: str,
    columns: dict[str, Any],
    splits: Sequence[str],
    *,
    config: str | None = None,
    **recipe: Any,
) -> dict[str, Any]:
    """What the stage of an awkward dataset is made from."""
    theirs = {split: split for split in splits or ["train"]}
    source = {"dataset": f"awkward/{name}", "config": config, "splits": theirs}
    dataset = Dataset.model_validate({"source": source, "columns": columns, **recipe})
    return {
        "name": name,
        "dataset": dataset.model_dump(mode="json", by_alias=True),
        "came_from": {"revision": revision},
        "revisions": [revision],
        "place": str(place),
        "cache": str(place / "cache"),
    }


@pytest.fixture
def build(sources: Mapping[str, str], tmp_path: Path) -> Build:
    """`build(name, columns, splits, **recipe)`: the data stage of an awkward dataset."""

    def made(name: str, columns: dict[str, Any], *splits: str, config: str | None = None, **recipe: Any) -> Made:
        from zoo.data.work import work

        spec = spec_of(tmp_path, name, sources[name], columns, splits, config=config, **recipe)
        folder, heard = tmp_path / str(len(list(tmp_path.iterdir()))), Heard()
        folder.mkdir()
        work(folder, json.loads(json.dumps(spec)), progress=heard)
        return Made(folder, heard.notes)

    return made


def read(rows: Any, columns: dict[str, Any]) -> pl.DataFrame:
    """The recipe's columns of rows in memory."""
    from datasets import Dataset as Rows

    from zoo.data.columns import frame_schema, recipe_frames
    from zoo.data.rows import HubRows, written

    dataset = Dataset.model_validate({"source": {"dataset": "a/b"}, "columns": columns})
    there = HubRows(Rows.from_dict(rows) if isinstance(rows, dict) else rows)
    with TemporaryDirectory() as folder:
        frames = recipe_frames("mine", "train", dataset.columns, there)
        written(frames, path := Path(folder, "rows.parquet"), frame_schema(dataset.columns))
        return pl.read_parquet(path)


def refused(rows: Any, columns: dict[str, Any]) -> tuple[str, str]:
    """(what is wrong, the edit) of rows in memory."""
    with pytest.raises(DataError) as caught:
        read(rows, columns)
    message = caught.value.message.removeprefix("dataset 'mine', split 'train': ")
    return message, str(caught.value.hint)


# Classes go by their names


def test_classes_of_the_source_keep_their_meaning(build: Build) -> None:
    made = build("label-order", labelled())
    assert made.rows()["label"].to_list() == [2, 1, 0, 0], "contradiction is 0 at the source and 2 in the recipe"


@pytest.mark.parametrize(
    ("names", "label", "found"),
    [
        (["Neutral", "CONTRADICTION", "entailment "], {}, [1, 2, 0]),
        (["0", "1", "2"], {}, [0, 1, 2]),  # names that say nothing
        (["neutral", "entailment"], {}, [1, 0]),  # fewer than ours
        (["yes", "no", "maybe"], {"values": {"yes": "entailment", "no": "contradiction", "maybe": None}}, [0, 2, None]),
        (["no", "yes", "maybe"], {"values": {0: "contradiction", 1: "entailment", "maybe": "neutral"}}, [2, 0, 1]),
    ],
)
def test_names_of_classes_are_mapped_by_name(names: list[str], label: Any, found: list[Any]) -> None:
    rows = with_names(nli(list(range(len(names)))), "label", names)
    assert read(rows, labelled(**label))["label"].to_list() == found


@pytest.mark.parametrize(
    ("names", "told", "way"),
    [
        (
            ["entails", "neutral", "contradiction"],
            "column 'label' has the classes 'entails, neutral, contradiction' at the source and 'entailment, neutral, "
            "contradiction' in the recipe: nothing says what 'entails' is",
            "add values: {entails: entailment}; null drops the row, and the names are entailment, neutral, contradiction",
        ),
        (
            ["entailment", "not_entailment"],
            "column 'label' has the classes 'entailment, not_entailment' at the source and 'entailment, neutral, "
            "contradiction' in the recipe: nothing says what 'not_entailment' is",
            "add values: {not_entailment: null}; null drops the row, and the names are "
            "entailment, neutral, contradiction",
        ),
        (
            ["a", "neutral", "b"],
            "column 'label' has the classes 'a, neutral, b' at the source and 'entailment, neutral, contradiction' in "
            "the recipe: nothing says what 'a', 'b' is",
            "add values: {a: null, b: null}; null drops the row, and the names are entailment, neutral, contradiction",
        ),
    ],
)
def test_a_class_that_the_recipe_does_not_know_is_told(names: list[str], told: str, way: str) -> None:
    rows = with_names(nli([0, 1, 0]), "label", names)
    assert refused(rows, labelled()) == (told, f"columns.label: {way}")


def test_words_become_the_classes_that_they_name(build: Build) -> None:
    assert build("words", labelled()).rows()["label"].to_list() == [0, 1, 2] * 4


@pytest.mark.parametrize(
    ("labels", "label", "found"),
    [
        (["Neutral", " entailment", "contradiction"], {}, [1, 0, 2]),
        (["e", "c", "-"], {"values": {"e": "entailment", "c": "contradiction", "-": None}}, [0, 2, None]),
        (["2", "0", ""], {}, [2, 0, None]),
        ([1.0, 2.0, float("nan")], {}, [1, 2, None]),
        ([1, 2, 3], {"values": {1: "entailment", 2: "neutral", 3: "contradiction"}}, [0, 1, 2]),
        ([True, False, None], {"values": {"true": "entailment", "False": "neutral"}}, [0, 1, None]),
        ([True, False], {"values": {1: "entailment", 0: "neutral"}}, [0, 1]),
        (["True", "False"], {"values": {"True": "entailment", "False": "neutral"}}, [0, 1]),
        ([5.0, 0.0, None], {"values": {5.0: "neutral"}}, [1, 0, None]),
        ([0, 1, 2], {"values": {"0.0": "contradiction", "1.0": "neutral", "2.0": "entailment"}}, [2, 1, 0]),
        (["0.0", "1.0", "2"], {}, [0, 1, 2]),
        ([None, None, None], {}, [None, None, None]),
    ],
)
def test_labels_without_names_become_classes(labels: list[Any], label: Any, found: list[Any]) -> None:
    assert read(nli(labels), labelled(**label))["label"].to_list() == found


def test_a_label_below_zero_is_told_and_is_dropped_or_mapped(build: Build) -> None:
    with pytest.raises(DataError) as caught:
        build("minus1", labelled())
    assert caught.value.message == (
        "dataset 'minus1', split 'train': column 'label' holds '-1' in 5 of 20 rows, and the recipe's classes are "
        "0 entailment, 1 neutral, 2 contradiction"
    )
    assert str(caught.value.hint).startswith("columns.label: add values: {-1: null}; null drops the row")
    made = build("minus1", labelled(values={-1: None}))
    assert made.rows()["label"].to_list() == [0, 1, 2] * 5
    assert made.report["train"]["dropped"]["not_empty"] == 5
    assert build("minus1", labelled(values={-1: "neutral"})).rows()["label"].to_list() == [0, 1, 2, 1] * 5
    with pytest.raises(DataError) as caught:
        build("minus1", labelled(values={-1: None}), "train", "test")
    told = "dataset 'minus1': no rows left in split 'test': 2 read; dropped: 2 by not_empty"
    assert caught.value.message == told
    assert "name the other splits in source.splits, without 'test'" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("labels", "listed"),
    [
        ([0, 1, 3], "'3' in 1 of 3 rows"),
        ([0.5, 1.0, 0.5], "'0.5' in 2 of 3 rows"),
        (["--1", "neutral", "entailment"], "'--1' in 1 of 3 rows"),
        (["entailment", "entailmnt", "neutral"], "'entailmnt' in 1 of 3 rows"),
        (["a", "b", "c", "d", "e", "f", "g"], "'a', 'b', 'c', 'd', 'e' and 2 more in 7 of 7 rows"),
    ],
)
def test_labels_that_no_class_stands_for_are_listed(labels: list[Any], listed: str) -> None:
    told, way = refused(nli(labels), labelled())
    assert told.startswith(f"column 'label' holds {listed}, and the recipe's classes are 0 entailment, 1 neutral")
    assert way.startswith("columns.label: add values: {")
    assert "entailmnt: entailment" in way if "entailmnt" in labels else "null" in way


@pytest.mark.parametrize("names", [["yes", "no"], ["True", "False"], ["1", "0"]])
def test_true_and_false_go_by_their_names_and_never_by_their_places(names: list[str]) -> None:
    column = {"type": "class", "names": names}
    assert read(nli([True, False]), {**PAIR_OF_NLI, "label": column})["label"].to_list() == [0, 1]
    told, way = refused(nli([True, False]), labelled())
    assert told.startswith("column 'label' holds 'False', 'True' in 2 of 2 rows")
    assert way.startswith("columns.label: add values: {'false': null, 'true': null}; null drops the row")


def test_classes_that_are_numbered_from_one_are_not_taken_for_those_from_zero() -> None:
    _, way = refused(nli([1, 2, 3]), labelled())
    numbered = "add values: {1: entailment, 2: neutral, 3: contradiction}, if they are numbered from 1 in this order"
    assert way == f"columns.label: {numbered}"


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        (["-", "?", "entailment", "a: b", "#1"], labelled()),
        (["True", "No", "null", "~", "0,5"], labelled()),
        (["0.5", "entailment", "-0", "1e3", "0x1"], labelled()),
        ([True, False, None], labelled()),
        ([1, 2, 3], labelled()),
        ([-1.0, 0.5, float("inf")], labelled()),
        (["0,5", "50%", "None", "N/A", "0.5"], scored()),
        ([float("inf"), 0.5], scored()),
        (["yes", "no", "0.5"], scored()),
    ],
)
def test_values_that_a_hint_asks_for_are_yaml_and_enough(labels: list[Any], columns: dict[str, Any]) -> None:
    label = next(name for name, column in columns.items() if column["type"] != "text")
    rows = nli(labels) if label == "label" else sts(labels)
    _, way = refused(rows, columns)
    written = re.search(r"add (values: \{.*?\})(;|,| and)", way)
    assert written, way
    read(rows, {**columns, label: {**columns[label], **load_yaml(written[1]).check_once().data}})


# Scores go from 0 to 1


def test_scores_of_another_scale_are_told_and_scaled(build: Build) -> None:
    with pytest.raises(DataError) as caught:
        build("stars", SCORED)
    told = "dataset 'stars', split 'train': column 'score' has scores from 0 to 5, and scores are 0 to 1"
    assert (caught.value.message, caught.value.hint) == (
        told, "columns.score: add from: [0, 5], or whatever ends the source's scale has"
    )  # fmt: skip
    assert build("stars", scored(**{"from": [0, 5]})).rows()["score"].to_list() == pytest.approx([0, 0.5, 1, 0.2])


def test_text_becomes_numbers(build: Build) -> None:
    assert build("text-scores", SCORED).rows()["score"].to_list() == pytest.approx([0.53, 1, 0])


@pytest.mark.parametrize(
    ("scores", "score", "found"),
    [
        ([1, 3, 5], {"from": [1, 5]}, [0, 0.5, 1]),
        ([-1.0, 0.0, 1.0], {"from": [-1, 1]}, [0, 0.5, 1]),
        ([0, 5, 10], {"from": [10, 0]}, [1, 0.5, 0]),  # a distance
        (["2.5", "5", None], {"from": [0, 5]}, [0.5, 1, None]),
        ([4, 0, -1], {"from": [0, 4], "values": {-1: None}}, [1, 0, None]),
        (["high", "low", "0.5"], {"values": {"high": 1, "low": 0}}, [1, 0, 0.5]),
        (["x", "0.5", " "], {"values": {"x": None}}, [None, 0.5, None]),
        ([True, False, None], {}, [1, 0, None]),
        ([0, 1, 1], {}, [0, 1, 1]),
        ([0.25, float("nan"), None], {}, [0.25, None, None]),
        ([1.0000002, -0.0000002, 0.5], {}, [1, 0, 0.5]),  # a cosine in 32 bits
        (["high", "low"], {"from": [1, 5], "values": {"high": 5, "low": 1}}, [1, 0]),
        (["1.0", "3"], {"from": [1, 5], "values": {1: None}}, [None, 0.5]),
    ],
)
def test_scores_are_scaled(scores: list[Any], score: Any, found: list[Any]) -> None:
    assert read(sts(scores), scored(**score))["score"].to_list() == found


def test_classes_in_place_of_scores_need_a_score_each() -> None:
    rows = with_names(sts([0, 1, 1]), "score", ["equivalent", "different"])
    told, way = refused(rows, SCORED)
    assert told == "column 'score' has classes at the source, 'equivalent', 'different', whose numbers are no scores"
    assert way.startswith("columns.score: add values: {equivalent: 0.0, different: 0.0}, with the score that each")
    assert read(rows, scored(values={"equivalent": 1, "different": 0}))["score"].to_list() == [1, 0, 0]
    stars = with_names(sts([0, 1, 4]), "score", ["1", "2", "3", "4", "5"])
    assert read(stars, scored(**{"from": [1, 5]}))["score"].to_list() == [0, 0.25, 1], "names that are numbers"


@pytest.mark.parametrize(
    ("scores", "score", "told", "way"),
    [
        ([1.5, 4.0], {}, "has scores from 1.5 to 4, and scores are 0 to 1", "add from: [1, 5], or"),
        ([-0.2, 0.9], {}, "has scores from -0.2 to 0.9, and", "add from: [-1, 1], or"),
        ([0, 73], {}, "has scores from 0 to 73, and", "add from: [0, 100], or"),
        ([-3, 200], {}, "has scores from -3 to 200, and", "add from: [-3, 200], or"),
        (
            [-1, 4],
            {},
            "has scores from -1 to 4, and",
            "if -1 stands for no score, add values: {-1: null} and from: [0, 5]; else add from: [-1, 4]",
        ),
        (
            [-1, 0.9],
            {},
            "has scores from -1 to 0.9, and",
            "if -1 stands for no score, add values: {-1: null}; else add from: [-1, 1]",
        ),
        ([0.5, float("inf")], {}, "holds 'inf'", "add values: {inf: null}; null drops the row"),
        ([0, 6], {"from": [0, 5]}, "has scores from 0 to 6, not from 0 to 5", "correct from"),
        (["0.5", "n/a"], {}, "holds 'n/a', which is no number", "add values: {n/a: null}, with the score"),
        ([[0.5], [0.7]], {}, "is no number at the source (List(Float64))", "set source to a column of numbers"),
    ],
)
def test_scores_that_are_none_are_told(scores: list[Any], score: Any, told: str, way: str) -> None:
    problem, hint = refused(sts(scores), scored(**score))
    assert problem.startswith(f"column 'score' {told}")
    assert way in hint


def test_scores_that_are_missing_are_dropped_or_told(build: Build) -> None:
    made = build("nan", SCORED)
    assert made.rows()["score"].to_list() == pytest.approx([0.5, 0.7])
    assert made.notes[0] == "nan train 4 rows read, 2 dropped by not_empty, 2 left"
    with pytest.raises(DataError) as caught:
        build("nan", SCORED, steps=["unique"])
    told = "dataset 'nan', split 'train': column 'score' has no value in 2 of 4 rows"
    hint = "columns.score: add not_empty to steps, and these rows are dropped"
    assert (caught.value.message, caught.value.hint) == (told, hint)


# Which columns


def test_two_columns_may_come_from_one() -> None:
    rows = sts([0.2, 0.6])
    found = read(rows, {"a": {"type": "text", "source": "sentence1"}, "b": {"type": "text", "source": "sentence1"}})
    assert found["a"].to_list() == found["b"].to_list() == rows["sentence1"]
    columns = {**PAIR, "score": {"type": "class", "names": ["low", "high"], "source": "score", "values": {"0.2": "low", "0.6": "high"}}}  # fmt: skip
    assert read(rows, columns)["score"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("column", "told", "way"),
    [
        ({"type": "text", "source": "sentense2"}, "is to come from 'sentense2', which the source does not have", "set source to sentence2; it has sentence1, sentence2, score"),
        ({"type": "text", "source": "score"}, "is not text at the source (Float64)", "set source to a column of texts; it has sentence1, sentence2"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_told(column: Any, told: str, way: str) -> None:
    problem, hint = refused(sts([0.2]), {"sentence1": {"type": "text"}, "other": column})
    assert problem == f"column 'other' {told}"
    assert hint.startswith(f"columns.other: {way}")


@pytest.mark.parametrize(
    ("name", "splits", "told", "hint"),
    [
        ("train-only", ["train", "validation"], "Unknown split \"validation\". Should be one of ['train']", "source: set splits: {train: train}"),
        ("dev", ["train", "validation"], "Unknown split \"validation\". Should be one of ['train', 'dev']", "source: set splits: {train: train, validation: dev}"),
    ],
)  # fmt: skip
def test_a_split_that_is_not_there_is_told_with_those_that_are(
    build: Build, name: str, splits: list[str], told: str, hint: str
) -> None:
    with pytest.raises(DataError) as caught:
        build(name, SCORED, *splits)
    assert (caught.value.message, caught.value.hint) == (f"dataset '{name}': {told}", hint)


@pytest.mark.parametrize(
    ("name", "theirs", "told", "hint"),
    [
        ("leaky", "train[500:]", "'train[500:]' of 'awkward/leaky' has no rows", "source.splits.test: name others, or leave test out"),
        ("unlike", "test", "the files of 'awkward/unlike' cannot be read as one: because column names don't match", "set source.config to one whose files are alike"),
        ("bare", "train", "'awkward/bare' has no files that hold rows", "look at http"),
    ],
)  # fmt: skip
def test_a_source_that_gives_no_rows_is_told(
    sources: Mapping[str, str], name: str, theirs: str, told: str, hint: str
) -> None:
    from zoo.data.source import read_split

    dataset = Dataset.model_validate({"source": {"dataset": f"awkward/{name}", "splits": {"test": theirs}}, "columns": SCORED})  # fmt: skip
    with pytest.raises(DataError) as caught:
        read_split("mine", dataset.every_source[0], "test", sources[name])
    assert caught.value.message == f"dataset 'mine': {told}"
    assert str(caught.value.hint).startswith(hint)


@pytest.mark.parametrize("config", [None, "pairs-en"])
def test_a_configuration_that_is_not_there_is_told_with_those_that_are(build: Build, config: str | None) -> None:
    with pytest.raises(DataError) as caught:
        build("configs", SCORED, config=config)
    assert caught.value.hint == "source: set config to one of pairs, pairs-ar"
    assert len(build("configs", SCORED, config="pairs-ar").rows()) == 2


@pytest.mark.parametrize(
    ("columns", "doubt"),
    [
        ({"positive": {}, "anchor": {}, "negative": {}}, "column 'positive' stands before 'anchor'"),
        ({"anchor": {}, "negative_1": {}, "positive": {}}, "column 'negative_1' stands before 'positive'"),
        ({"hypothesis": {}, "premise": {}}, "column 'hypothesis' stands before 'premise'"),
        ({"Answer": {}, "title": {}, "question": {}}, "column 'Answer' stands before 'question'"),
        ({"sentence2": {}, "sentence1": {}}, "column 'sentence2' stands before 'sentence1'"),
        ({"a": {"source": "positive"}, "b": {"source": "anchor"}}, "column 'a' (source 'positive') stands before 'b' (source 'anchor')"),
        ({"anchor": {}, "positive": {}, "negative": {}, "negative_2": {}}, None),
        ({"query": {}, "passage": {}}, None),
        ({"text_a": {}, "text_b": {}}, None),
        ({"one": {}, "two": {}}, None),
    ],
)  # fmt: skip
def test_names_that_say_another_order_are_doubtful(columns: dict[str, Any], doubt: str | None) -> None:
    from zoo.recipe.order import order_doubts

    typed = {name: {"type": "text", **column} for name, column in columns.items()}
    found = [told for _, told in order_doubts(Dataset.model_validate({"source": {"dataset": "a/b"}, "columns": typed}))]
    assert found == ([f"{doubt}, and losses read columns in their order: swap them"] if doubt else [])


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("{type: class, names: [a, b, a]}", "'a' stands twice; name every class once"),
        ("{type: class, names: [a, b], values: {x: c}}", "values: 'x' becomes 'c', which is none of names: ['a', 'b']"),
        ("{type: text, values: {x: y}}", "values: 'x' becomes 'y', but texts stay what they are"),
        ("{type: score, values: {x: high}}", "values: 'x' becomes 'high', which is no number"),
        ("{type: class, names: [a, b], values: {no: a}}", "YAML reads a key here as 'false'; put the word in quotes"),
        ("{type: score, from: [5, 5]}", "from: both ends are 5"),
        ("{type: score, from: [0, 5, 10]}", "from: '[0, 5, 10]': list should have at most 2 items"),
        ("{type: class, names: [a, b], from: [0, 5]}", "from belongs to columns of type score"),
    ],
)
def test_mappings_that_make_no_sense_are_mistakes_of_the_recipe(tmp_path: Path, column: str, told: str) -> None:
    from zoo.recipe.yamlfile import parse, read_yaml

    path = tmp_path / "mine.yaml"
    path.write_text(f"source: {{dataset: a/b}}\ncolumns:\n  a: {{type: text}}\n  label: {column}\n", "utf-8")
    with pytest.raises(RecipeError, match=r"line 4: columns\.label") as caught:
        parse(Dataset, read_yaml(path))
    assert told in caught.value.message


# Which rows


def test_fewer_rows_are_a_sample_of_what_is_left_in_the_sources_order(build: Build) -> None:
    made = build("sorted", labelled(), rows={"train": 60})
    found = made.rows()
    assert min(found["label"].value_counts()["count"]) > 10, "the head would have one class alone"
    places = [SORTED["hypothesis"].index(text) for text in found["hypothesis"]]
    assert (len(places), places) == (60, sorted(places))
    assert made.rows().equals(build("sorted", labelled(), rows={"train": 60}).rows())
    assert made.notes[0] == "sorted train 360 rows read, 60 left, sampled from 360"
    more = build("halved", SCORED, rows={"train": 4})
    assert more.notes[0] == "halved train 10 rows read, 5 dropped by unique, 4 left, sampled from 5"


def test_texts_without_a_visible_character_are_empty(build: Build) -> None:
    made = build("arabic", SCORED)
    assert made.rows()["sentence1"].to_list()[-1] == "..."
    assert made.report["train"]["dropped"] == {"not_empty": 3, "unique": 0}


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("", True), (" \t\n\u3000", True), ("\u200b\u200e", True), ("\u2066\u2069", True), ("\ufeff", True),
        ("\u00ad\u061c", True), ("\u3164", True), ("\u2800", True), ("\ufe0f", True), ("\x00\x1f", True),
        (".", False), ("؟", False), ("\u200fا", False), ("😀", False), ("0", False), ("\u200d👍", False),
    ],
)  # fmt: skip
def test_a_text_is_blank_when_nobody_sees_it(text: str, empty: bool) -> None:
    from zoo.characters import blank

    assert blank(text) == empty
    found = stepped("not_empty", {"a": ["x", text], "b": ["y", "z"]}, ["a", "b"])
    assert found.why == (["'a' has nothing that can be seen"] if empty else [])


def test_rows_that_differ_in_spelling_alone_can_be_dropped(build: Build) -> None:
    made = build("arabic", SCORED, steps=["not_empty", {"type": "unique", "normalised": True}])
    assert made.rows()["score"].to_list() == pytest.approx([0.9, 0.2])
    assert made.report["train"]["dropped"] == {"not_empty": 3, "unique": 2}


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["أحمد", "احمد", "إحمد!"], ["أحمد"]),
        (["...", "؟؟", "..."], ["...", "؟؟"]),
        (["A dog", "a  DOG.", "a cat"], ["A dog", "a cat"]),
    ],
)
def test_unique_compares_normalised_text_when_asked(texts: list[str], kept: list[str]) -> None:
    found = stepped("unique", {"a": texts, "score": [0.1, 0.2, 0.3]}, ["a"], normalised=True)
    assert found.left["a"].to_list() == kept
    assert found.why == ["its texts stand in an earlier row"] * (3 - len(kept))


def test_a_step_that_takes_most_rows_is_a_doubt(build: Build) -> None:
    rows = build("arabic", SCORED, steps=["not_empty", {"type": "unique", "normalised": True}])
    assert not [doubt for doubt in rows.doubts if "dropped" in doubt], "two of four are no more than half"
    made = build("halved", SCORED, steps=["not_empty", "unique", {"type": "unique", "normalised": True}])
    assert made.report["train"]["dropped"] == {"not_empty": 0, "unique": 5, "unique 2": 0}
    assert not made.doubts
    with pytest.raises(DataError, match=r"no rows left in split 'test': 2 read; dropped: 2 by not_empty"):
        build("minus1", labelled(values={-1: None}), "test")
    most = build("minus1", labelled(values={-1: None, 0: None, 2: None}))
    assert "'not_empty' dropped 15 of 20 rows of train: look at steps, and at the source" in most.doubts  # fmt: skip
    assert any(note.startswith("doubt: data of 'minus1': 'not_empty' dropped 15") for note in most.notes)


@pytest.mark.parametrize(
    ("name", "columns", "splits", "doubt"),
    [
        ("constant", SCORED, ["train", "validation"], "column 'score' is '0.5' in all 4 rows of validation: nothing can be learnt from it or measured by it"),
        ("one-anchor", TRIPLET, ["train"], f"column 'anchor' is '{SENTENCES[0]}' in all 9 rows of train: nothing can be learnt from it or measured by it"),
        ("label-order", labelled(values={"neutral": None}), ["train"], "no row of train has the class 'neutral'"),
        ("leaky", {**PAIR, "sentence2": {"type": "text", "source": "sentence1"}}, ["train"], None),
        ("shares", scored(**{"from": [0, 5]}), ["train"], "all scores of train are from 0 to 1 at the source, and from is [0, 5]: take from out if its scale is 0 to 1"),
        ("shares", scored(), ["train"], None),
        ("twins", SCORED, ["train"], "columns 'sentence1' and 'sentence2' are the same in 40 of 40 rows of train: look at their sources"),
        ("shares", scored(**{"from": [0, 1]}), ["train"], None),
    ],
)  # fmt: skip
def test_columns_that_say_nothing_are_doubtful(
    build: Build, name: str, columns: Any, splits: list[str], doubt: str | None
) -> None:
    made = build(name, columns, *splits)
    assert made.doubts == ([doubt] if doubt else [])


# Splits


def test_rows_of_train_that_are_in_other_splits_are_told_and_can_be_dropped(build: Build) -> None:
    told = build("leaky", SCORED, "train", "validation", "test")
    assert {split: len(told.rows(split)) for split in told.report} == {"train": 20, "validation": 5, "test": 10}
    assert "leaky test 10 found in train too: 10 as they are" in told.notes
    assert told.doubts == [
        "5 of 5 rows of validation stand in train too: `overlap: drop` takes them out of train",
        "10 of 10 rows of test stand in train too: `overlap: drop` takes them out of train",
        "5 of 10 rows of test stand in validation too",
    ]
    made = build("leaky", SCORED, "train", "validation", "test", overlap="drop", rows={"train": 8})
    assert {split: len(made.rows(split)) for split in made.report} == {"train": 8, "validation": 5, "test": 10}
    assert not set(made.rows()["sentence1"]) & set(made.rows("test")["sentence1"])
    assert made.notes[0] == "leaky train 20 rows read, 10 dropped by overlap, 8 left, sampled from 10"
    assert made.doubts == ["5 of 10 rows of test stand in validation too"]


def test_splits_that_cut_groups_apart_are_doubtful(build: Build) -> None:
    made = build("grouped", {"anchor": {"type": "text"}, "positive": {"type": "text"}}, "train", "validation", "test")
    assert made.doubts == [
        "6 of 6 rows of validation have a text that stands in train: rows of one text belong into one "
        "split, or validation says little of new texts"
    ]
    assert made.report["test"]["shared"]["train"] == {"exact": 0, "normalised": 0, "near": 0, "text": 1}


FIRST = ("الوَلَدُ يَقرأُ كتابًا في البيت", "يكتب الكاتب رسالة")


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (FIRST, "exact"),
        (FIRST[::-1], "exact"),
        (("الولد يقرأ كتابا فى البيت.", "يكتب الكاتب رساله"), "normalised"),
        (("الولد يقرأ كتابا في المدرسة", "يكتب الكاتب رسالة"), "near"),  # one changed
        (("الولد يقرأ كتابا في البيت", "يكتب الكاتب رسالة طويلة"), "near"),  # one more
        (("الولد يقرأ في البيت", "يكتب الكاتب رسالة"), "near"),  # one less
        (("الولد في البيت يقرأ كتابا", "يكتب الكاتب رسالة"), "near"),  # moved
        (("الولد يقرأ كتابا في المدرسة", "يكتب الطبيب رسالة"), None),
        (("الولد يقرأ كتابا في البيت", "ينام الطفل"), "text"),
        (("...", "؟"), None),
    ],
)
def test_kinds_of_rows_that_splits_share(row: tuple[str, str], kind: str | None) -> None:
    from zoo.data.overlap import split_overlap

    frames = {"train": pl.LazyFrame([FIRST, ("!!", "—")], ["a", "b"], orient="row"), "test": pl.LazyFrame([row], ["a", "b"], orient="row")}  # fmt: skip
    found = split_overlap(frames, ["a", "b"])
    shared = found.shared["test"]["train"]
    assert {name: count for name, count in vars(shared).items() if count} == ({kind: 1} if kind else {})
    assert found.in_train == ({0} if kind in ("exact", "normalised", "near") else set())


def test_short_rows_are_near_to_nothing() -> None:
    from zoo.data.overlap import split_overlap

    frames = {"train": pl.LazyFrame({"a": ["الولد في البيت"]}), "validation": pl.LazyFrame({"a": ["الولد في السوق"]})}
    assert split_overlap(frames, ["a"]).shared["validation"]["train"].whole == 0


GARDEN = ("جَنَّة", "فِرْدَوْس", "جُنُون")


@pytest.mark.parametrize(
    ("row", "shared"),
    [
        (("جِنَّة", "جُنُون", "فِرْدَوْس"), 0),  # frenzy
        (("جَنَّةٌ", "فِرْدَوْس", "جُنُون"), 1),  # the ending is the sentence's
        (("جنة", "جنون", "فردوس"), 1),  # may be either
        (GARDEN, 1),
    ],
)
def test_rows_that_diacritics_alone_tell_apart_are_others(row: tuple[str, ...], shared: int) -> None:
    from zoo.data.overlap import split_overlap

    columns = ["anchor", "positive", "negative"]
    rows = {"train": [GARDEN, ("علم", "جهل", "نور")], "test": [row, ("عِلْم", "نُور", "جَهْل")]}
    found = split_overlap({name: pl.LazyFrame(many, columns, orient="row") for name, many in rows.items()}, columns)
    assert found.shared["test"]["train"].whole == 1 + shared
    assert found.in_train == ({0, 1} if shared else {1})


# Where it is said


def test_the_screen_and_the_card_say_what_became_of_the_rows(
    build: Build, sources: Mapping[str, str], tmp_path: Path, zoo: Any
) -> None:
    from conftest import ROOT, workspace_in

    from zoo.cards.datasetview import DatasetFacts
    from zoo.cards.readme import dataset_card
    from zoo.run import Run

    workspace = workspace_in(tmp_path / "lab")
    recipe = "source: {dataset: awkward/leaky}\ncolumns: {sentence1: {type: text}, sentence2: {type: text}, score: {type: score}}\n"
    recipe += "overlap: drop\nrows: {train: 8}\nrelease: {repo: Leaky, title: Leaky, summary: Some.}\n"
    (workspace.recipes / "datasets" / "leaky.yaml").write_text(recipe, "utf-8")
    status, _, err = zoo("data", "build", "leaky", cwd=workspace.root)
    assert status == 0, err
    lines = [" ".join(line.split()) for line in err.splitlines()]
    assert "leaky train 20 rows read, 10 dropped by overlap, 8 left, sampled from 10" in lines
    assert "leaky test 10 found in train too: 10 as they are" in lines
    assert "doubt: data of 'leaky': 5 of 10 rows of test stand in validation too" in lines
    run = Run.of(workspace.root, "leaky", "full")
    receipt = run.receipt("data")
    assert receipt is not None
    assert receipt.doubts == ["5 of 10 rows of test stand in validation too"]
    facts = {name: json.loads((run.stage("data") / f"{name}.json").read_text("utf-8")) for name in ("report", "source")}
    dataset = type(workspace)(workspace.root).dataset("leaky")
    sizes = {split: [1] for split in facts["report"]}
    card = dataset_card(DatasetFacts("lab/Leaky", dataset, sizes, **facts), [ROOT / "cards"])
    assert "The 8 rows of train are a random sample of the 10 that were left." in card
    assert "| test | train | 10 | 0 | 0 | 0 |\n| test | validation | 5 | 0 | 0 |" in card
    assert "These were found before 10 rows of train that stand in another split were dropped." in card


# Kills


def test_data_that_are_killed_at_ten_moments_end_in_the_same_bytes(
    sources: Mapping[str, str], hub: TestHub, tmp_path: Path
) -> None:
    steps = [
        *("not_empty", {"type": "normalise", "alef": True}, {"type": "unique", "normalised": True}),
        *({"type": "length", "least": 3}, "triplets", "true_negatives", "unique", {"type": "sample", "share": 0.9}),
    ]
    more = {"reads": labelled(), "steps": steps, "overlap": "drop", "rows": {"train": 700}}
    spec = spec_of(tmp_path, "long", sources["long"], TRIPLET, ["train", "validation"], **more)
    (tmp_path / "spec.json").write_text(json.dumps(spec), "utf-8")
    moments = [
        *(f"file:{number}" for number in (4, 9, 17, 26, 12)),
        *(f"share:{share}" for share in (0.3, 0.5, 0.4, 0.2, 0.6)),
    ]
    command = [sys.executable, str(Path(__file__).parent / "killed_data.py"), str(tmp_path), *moments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    told = done.stdout.splitlines()
    assert not done.returncode, (told, done.stderr)
    assert [line.split()[1] for line in told].count("killed") >= 8, told
    assert told[-1] == "never exit 0", (told, done.stderr)
    files = {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file()}
    assert files == {path.relative_to(tmp_path / "cut") for path in (tmp_path / "cut").rglob("*") if path.is_file()}
    for name in files - {Path("steps.json")}:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes(), (name, told)


CRAMPED = """
import json, resource, sys
from pathlib import Path
from zoo.data.flow import Flow
from zoo.data.work import work
from zoo.errors import ZooError

through = Flow.through
def cramped(*arguments, **options):
    resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
    through(*arguments, **options)
Flow.through = cramped
try:
    work(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text("utf-8")))
except ZooError as problem:
    sys.stderr.write(problem.message)
    sys.exit(1)
"""


def test_a_disk_that_is_full_in_a_step_is_told(sources: Mapping[str, str], tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "long", sources["long"], labelled(), ["train", "validation"])
    (tmp_path / "spec.json").write_text(json.dumps(spec), "utf-8")
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", CRAMPED, str(tmp_path / "out"), str(tmp_path / "spec.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no room for '" in done.stderr.splitlines()[-1], done.stderr
