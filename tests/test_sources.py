"""Several sources, other datasets as sources, and splits by group: which rows come, where they fall, what is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from conftest import TestHub, workspace_in
from test_files import in_stage

from zoo.arabic import normalised
from zoo.data.digests import LARGE, KnownDigests
from zoo.data.rows import HubRows
from zoo.errors import DataError
from zoo.hub.store import Store
from zoo.inquiry.source import ask_source
from zoo.recipe import Dataset, Workspace
from zoo.recipe.dataset import number_of
from zoo.remote import api, endpoint
from zoo.run import Run

PAIR = {"anchor": {"type": "text"}, "positive": {"type": "text"}}
THIRDS = {"train": 0.7, "test": 0.3}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")


def numbered(letter: str, count: int) -> list[dict[str, Any]]:
    return [{"anchor": f"{letter} {at}", "positive": f"كلمة {at}", "synset": at // 4} for at in range(count)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of 100, 40 and 10 rows."""
    monkeypatch.chdir(tmp_path)
    for name, count in (("a", 100), ("b", 40), ("c", 10)):
        write(tmp_path / f"{name}.jsonl", numbered(name, count))
    return tmp_path


def letters(frame: Any) -> dict[str, int]:
    return dict(Counter(text[0] for text in frame["anchor"]))


def test_sources_come_one_after_the_other_and_each_gives_the_splits_that_it_has(place: Path) -> None:
    found = in_stage(place, [{"path": {"train": "a.jsonl", "test": "c.jsonl"}}, {"path": "b.jsonl"}], PAIR)
    assert {split: letters(frame) for split, frame in found.items()} == {
        "train": {"a": 100, "b": 40},
        "test": {"c": 10},
    }
    assert found["train"]["anchor"].to_list()[99:101] == ["a 99", "b 0"]


@pytest.mark.parametrize(
    ("weights", "taken"),
    [
        ({"a": 1, "b": 1}, {"a": 40, "b": 40}),
        ({"a": 3, "b": 1}, {"a": 100, "b": 33}),
        ({"a": 0.5, "b": 0.5, "c": 0.1}, {"a": 40, "b": 40, "c": 8}),
        ({"c": 2, "a": 1}, {"c": 10, "a": 5}),
    ],
)
def test_weights_take_a_sample_of_whoever_has_more(place: Path, weights: dict[str, float], taken: Any) -> None:
    sources = [{"path": f"{name}.jsonl", "weight": weight} for name, weight in weights.items()]
    found, again = (in_stage(place, sources, PAIR)["train"] for _ in range(2))
    assert letters(found) == taken
    assert found.equals(again)
    places = [int(text[2:]) for text in found["anchor"] if text[0] == "a"]
    assert places == sorted(set(places)), "in the source's order, none twice"


def test_a_source_without_rows_takes_none_from_the_others_in_silence(place: Path) -> None:
    (place / "none.csv").write_text("anchor,positive\n", "utf-8")
    with pytest.raises(DataError) as caught:
        in_stage(place, [{"path": "none.csv", "weight": 1}, {"path": "a.jsonl", "weight": 1}], PAIR)
    assert caught.value.message.startswith(
        "dataset 'mine': source 'none.csv' has no rows of train, and by their weights"
    )


def test_a_split_by_group_keeps_groups_together(place: Path) -> None:
    rule = {"by": "group", "of": "synset", "sizes": THIRDS}
    found = in_stage(place, {"path": "*.jsonl"}, PAIR, split=rule)
    groups = {split: {int(text[2:]) // 4 for text in frame["anchor"]} for split, frame in found.items()}
    assert not groups["train"] & groups["test"]
    assert sum(map(len, found.values())) == 150
    assert 20 < len(found["test"]) < 70
    assert list(found["train"].columns) == ["anchor", "positive"]
    more = in_stage(place, [{"path": "c.jsonl"}, {"path": "a.jsonl"}], PAIR, split=rule)
    assert set(more["test"]["anchor"]) <= set(found["test"]["anchor"]), "a group stays where it is"
    other = in_stage(place, {"path": "*.jsonl"}, PAIR, split={**rule, "seed": 2})
    assert set(other["test"]["anchor"]) != set(found["test"]["anchor"])


def test_groups_are_told_by_what_words_mean_and_not_by_their_spelling(place: Path) -> None:
    spelt = ["الوَلَدُ", "الولد", "الولـــد!", "إمرأة", "امراه"]
    write(place / "d.jsonl", [{"anchor": text, "positive": str(at)} for at, text in enumerate(spelt * 5)])
    rule = {"by": "group", "of": "anchor", "sizes": {"train": 0.5, "test": 0.5}, "seed": 2}
    found = in_stage(place, [{"path": "d.jsonl"}, {"path": "a.jsonl"}], PAIR, split=rule)
    sides = {split: {normalised(text) for text in frame["anchor"]} for split, frame in found.items()}
    assert not sides["train"] & sides["test"]


def test_groups_of_signs_alone_stay_together(place: Path) -> None:
    rows = [{"anchor": "😂" if at % 2 else "…", "positive": f"كلمة {at}"} for at in range(20)]
    write(place / "d.jsonl", rows)
    rule = {"by": "group", "of": "anchor", "sizes": {"train": 0.5, "test": 0.5}, "seed": 2}
    found = in_stage(place, [{"path": "d.jsonl"}, {"path": "a.jsonl"}], PAIR, split=rule)
    assert not set(found["train"]["anchor"]) & set(found["test"]["anchor"])


def test_a_number_that_is_none_is_no_group_and_a_list_is_told(place: Path) -> None:
    groups = {"synset": [float("nan")] * 60, "several": [["a"]] * 60}
    texts = {"anchor": [f"نص {at}" for at in range(60)], "positive": ["كلمة"] * 60}
    pl.DataFrame({**texts, **groups}).write_parquet(place / "e.parquet")
    rule = {"by": "group", "of": "synset", "sizes": THIRDS}
    assert 5 < len(in_stage(place, {"path": "e.parquet"}, PAIR, split=rule)["test"]) < 35
    with pytest.raises(DataError) as caught:
        in_stage(place, {"path": "e.parquet"}, PAIR, split={**rule, "of": "several"})
    assert caught.value.message == "dataset 'mine': the column of split.of holds no plain values (List(String))"


def test_rows_without_a_group_are_split_by_their_texts(place: Path) -> None:
    write(place / "e.jsonl", [{"anchor": f"نص {at}", "positive": "كلمة", "synset": None} for at in range(60)])
    found = in_stage(place, {"path": "e.jsonl"}, PAIR, split={"by": "group", "of": "synset", "sizes": THIRDS})
    rows = in_stage(place, {"path": "e.jsonl"}, PAIR, split={"by": "row", "sizes": THIRDS})
    assert found["test"].equals(rows["test"])
    assert 5 < len(found["test"]) < 35


def test_the_number_of_a_group_never_changes() -> None:
    assert [round(number_of(text, seed), 6) for text, seed in (("ولد", 1), ("ولد", 2), ("", 1))] == [
        0.035268,
        0.491074,
        0.172426,
    ]


@pytest.mark.parametrize(
    ("rule", "told", "way"),
    [
        (
            {"by": "group", "of": "synsets", "sizes": THIRDS},
            "dataset 'mine': 'c.jsonl' has no column 'synsets' to split by",
            "set split.of to one that it has: anchor, positive, synset",
        ),
        (
            {"by": "group", "of": "synset", "sizes": {"train": 0.9, "validation": 0.05, "test": 0.05}},
            "dataset 'mine': split 'validation' is left without rows: train 10, validation 0, test 0, of 3 groups of "
            "'synset'",
            "set split.seed to SEED, or give it more in split.sizes",
        ),
        (
            {"by": "group", "of": "kind", "sizes": THIRDS},
            "dataset 'mine': split 'test' is left without rows: train 10, test 0, of 1 group of 'kind'",
            "name another column in split.of, or fewer splits in split.sizes",
        ),
    ],
)
def test_a_split_that_cannot_be_made_is_told(place: Path, rule: Any, told: str, way: str) -> None:
    if rule["of"] == "kind":
        write(place / "c.jsonl", [{**row, "kind": "اسم"} for row in numbered("c", 10)])
    with pytest.raises(DataError) as caught:
        in_stage(place, {"path": "c.jsonl"}, PAIR, split=rule)
    assert caught.value.message == told
    seed = str(caught.value.hint).partition("split.seed to ")[2].partition(",")[0]
    assert caught.value.hint == way.replace("SEED", seed)
    if seed:
        assert len(in_stage(place, {"path": "c.jsonl"}, PAIR, split={**rule, "seed": int(seed)})) == 3


# In a workspace

WORDS = "columns:\n  anchor: {type: text}\n  positive: {type: text}\n"


@pytest.fixture
def lab(hub: TestHub, tmp_path: Path) -> Path:
    """A workspace with a dataset `words` of a file, and `some` that is made from it."""
    folder = workspace_in(tmp_path).recipes / "datasets"
    (folder / "data").mkdir()
    write(folder / "data" / "words.jsonl", numbered("a", 20))
    (folder / "words.yaml").write_text(f"source: {{path: data/*.jsonl}}\n{WORDS}steps: [not_empty]\n", "utf-8")
    some = "source: {from: words, splits: {train: train}, columns: {anchor: positive, positive: anchor}}\n"
    (folder / "some.yaml").write_text(f"{some}{WORDS}rows: {{train: 5}}\n", "utf-8")
    return tmp_path


def source_of(lab: Path, name: str) -> Any:
    return json.loads((Run.of(lab, name, "full").stage("data") / "source.json").read_text("utf-8"))


def test_a_dataset_made_from_another_is_built_after_it_and_again_with_it(lab: Path, zoo: Any) -> None:
    code, out, err = zoo("data", "build", "some", cwd=lab)
    assert code == 0, err
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["words", "built"], ["some", "built"]]
    assert source_of(lab, "some") == {"sources": [{"from": "words"}], "miniature": False}
    ((file, sha256),) = source_of(lab, "words")["sources"][0]["files"].items()
    assert (file, len(sha256)) == ("data/words.jsonl", 64)
    _, out, _ = zoo("data", "build", "--force", "some")
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["words", "kept"], ["some", "built"]]
    write(lab / "recipes" / "datasets" / "data" / "words.jsonl", numbered("b", 20))
    _, out, _ = zoo("data", "build", "some")
    assert "sources.0.files.data/words.jsonl changed" in out
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["words", "built"], ["some", "built"]]
    write(lab / "recipes" / "datasets" / "data" / "more.jsonl", numbered("c", 2))
    _, out, _ = zoo("data", "build", "words")
    assert "built" in out


def test_datasets_made_from_each_other_are_refused_wherever_they_are_named(lab: Path, zoo: Any) -> None:
    words = lab / "recipes" / "datasets" / "words.yaml"
    words.write_text(
        words.read_text("utf-8").replace("path: data/*.jsonl", "from: some, splits: {train: train}"), "utf-8"
    )
    told = "source.from: is made from itself: 'some' from 'words' from 'some'; name another dataset"
    for command in (("check",), ("data", "build", "some"), ("plan",)):
        code, _, err = zoo(*command, cwd=lab)
        assert code == 1
        assert told in err, command


def test_a_resolved_recipe_brings_the_datasets_that_its_own_are_made_from(lab: Path, zoo: Any) -> None:
    family = lab / "recipes" / "family.yaml"
    text = family.read_text("utf-8")
    family.write_text(text.replace("{dataset: arabic-nli-triplet,", "{dataset: some,", 1), "utf-8")
    recipe = Workspace(lab).recipe("arabert-matryoshka")
    assert {"some", "words"} <= recipe.datasets.keys()
    code, out, err = zoo("show", "arabert-matryoshka", cwd=lab)
    assert code == 0, err
    (lab / "mine.yaml").write_text(out, "utf-8")
    for name in ("some", "words"):
        (lab / "recipes" / "datasets" / f"{name}.yaml").unlink()
    family.write_text(text, "utf-8")
    code, out, err = zoo("build", "--recipe", "mine.yaml", "--dry-run", cwd=lab)
    assert code == 0, err
    order = [line.split()[0] for line in err.splitlines() + out.splitlines() if " data " in line]
    assert order.index("words") < order.index("some")


def test_a_file_that_is_gone_is_told_before_anything_is_built(lab: Path, zoo: Any) -> None:
    (lab / "recipes" / "datasets" / "data" / "words.jsonl").unlink()
    told = "no file 'data/*.jsonl' in 'recipes/datasets'"
    for command in (("check",), ("data", "build", "words")):
        code, _, err = zoo(*command, cwd=lab)
        assert code == 1
        assert told in err


def test_a_file_that_changes_while_it_is_read_is_told(lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = lab / "recipes" / "datasets" / "more.jsonl"
    write(file, numbered("a", 40))
    recipe = "source: {path: more.jsonl}\ncolumns: {anchor: {type: text}, positive: {type: text}}\nsteps: [slow]\n"
    (lab / "recipes" / "datasets" / "more.yaml").write_text(recipe, "utf-8")
    (lab / "plugins").mkdir()
    head = "from zoo.plugins import step\n@step('slow')\ndef slow(frame, texts):\n    'Waits.'\n"
    more = f"    with open({str(file)!r}, 'a') as file:\n        print(file=file)\n    return frame\n"
    (lab / "plugins" / "slow.py").write_text(head + more, "utf-8")
    code, _, err = zoo("data", "build", "more", cwd=lab)
    assert code == 1
    assert "dataset 'more': 'recipes/datasets/more.jsonl' changed while it was read" in err
    (lab / "plugins" / "slow.py").write_text(f"{head}    return frame\n", "utf-8")
    code, _, err = zoo("data", "build", "more", cwd=lab)
    assert code == 0, err


def test_large_files_are_hashed_when_they_changed_and_not_before(tmp_path: Path) -> None:
    large, kept = tmp_path / "large.csv", tmp_path / "cache" / "digests.json"
    large.write_bytes(bytes(LARGE))
    first = KnownDigests(kept).of(large)
    seen = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({key: [*one[:2], "known"] for key, one in seen.items()}), "utf-8")
    assert KnownDigests(kept).of(large) == "known"
    large.write_bytes(bytes(LARGE) + b"1")
    assert KnownDigests(kept).of(large) not in (first, "known")
    kept.write_text("no json", "utf-8")
    assert len(KnownDigests(kept).of(large)) == 64


# On the Hub


@pytest.fixture
def shelf(hub: TestHub, place: Path) -> str:
    """A dataset on the Hub with rows of train, in an account of the token."""
    name = f"lab/shelf-{uuid4().hex[:8]}"  # nothing of it is in a cache
    api().create_repo(name, repo_type="dataset")
    api().upload_file(path_or_fileobj=place / "c.jsonl", path_in_repo="train.jsonl", repo_id=name, repo_type="dataset")
    return name


def on_hub(workspace: Workspace, text: str) -> Workspace:
    (workspace.recipes / "datasets" / "mixed.yaml").write_text(text, "utf-8")
    return Workspace(workspace.root)


def test_a_repository_beside_files_is_read_at_the_commit_that_the_receipt_has(shelf: str, lab: Path, zoo: Any) -> None:
    shelves = f"sources:\n  - {{dataset: {shelf}, splits: {{train: train}}}}\n  - {{path: data/words.jsonl}}\n{WORDS}"
    on_hub(Workspace(lab), shelves)
    code, _, err = zoo("data", "build", "mixed", cwd=lab)
    assert code == 0, err
    hub, files = source_of(lab, "mixed")["sources"]
    assert hub == {"dataset": shelf, "revision": api().dataset_info(shelf).sha}
    assert files["files"].keys() == {"data/words.jsonl"}
    _, out, _ = zoo("data", "build", "mixed")
    assert "kept" in out


def test_a_repository_that_moved_is_followed(shelf: str, lab: Path, zoo: Any) -> None:
    on_hub(Workspace(lab), f"source: {{dataset: {shelf}, splits: {{train: train}}}}\n{WORDS}")
    api().move_repo(shelf, f"{shelf}-moved", repo_type="dataset")
    code, _, err = zoo("data", "build", "mixed", cwd=lab)
    assert code == 0, err
    dataset = Workspace(lab).datasets["mixed"]
    told = ask_source(dataset, dataset.every_source[0], ("source",)).doubts
    assert told == [(("source", "dataset"), f"'{shelf}' moved to '{shelf}-moved'; write that")]


def test_a_gated_source_is_read_by_who_was_let_in_and_tells_others_where_to_ask(
    hub: TestHub, shelf: str, lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_hub(Workspace(lab), f"source: {{dataset: {shelf}, splits: {{train: train}}}}\n{WORDS}")
    api().update_repo_settings(shelf, gated="manual", repo_type="dataset")
    store = Store(hub.root)
    store.add_user("stranger")
    stranger = store.issue_token("stranger")
    store.close()
    with monkeypatch.context() as other:
        other.setenv("HF_TOKEN", stranger)
        code, _, err = zoo("data", "build", "mixed", cwd=lab)
    assert zoo("data", "build", "mixed", cwd=lab)[0] == 0
    assert code == 1
    assert f"cannot read dataset '{shelf}': access is restricted" in err
    assert f"ask for access at {endpoint()}/datasets/{shelf}" in err


# Cut off

MOMENTS = (
    ".sources/0-train-000.parquet",
    ".sources/0-train-000.json",
    ".split-underway/train.parquet",
    ".split/test.parquet",
    "train/00.parquet",
    "train/state.json",
    "test/00.parquet",
)
STAGE = """
import json, sys
from pathlib import Path
from zoo.data.work import work
work(Path(sys.argv[1]), json.loads(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_stage_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", numbered("a", 40_000))
    rule = {"by": "group", "of": "synset", "sizes": THIRDS}
    dataset = Dataset.model_validate({"source": {"path": "a.jsonl"}, "columns": PAIR, "split": rule})
    spec = {
        "name": "mine",
        "dataset": dataset.model_dump(mode="json", by_alias=True),
        "came_from": {"sources": []},
        "revisions": [None],
        "place": str(tmp_path),
        "cache": str(tmp_path / "cache"),
    }
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", STAGE, str(folder), json.dumps(spec)])

    assert start(whole).wait() == 0
    killed = 0
    for moment in MOMENTS:
        child, file = start(cut), cut / ".underway" / moment
        while child.poll() is None and not file.exists():
            time.sleep(0.002)
        killed += child.poll() is None
        child.kill()
        child.wait()
    assert killed >= 4, "some moments pass too fast"
    assert start(cut).wait() == 0
    for name in ("train.parquet", "test.parquet", "report.json", "source.json"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    assert not (cut / ".underway").exists()


def test_fields_of_a_column_are_columns_of_their_own() -> None:
    """As translations have them: {"translation": {"ar": ..., "en": ...}}."""
    from datasets import Dataset as Rows

    rows = HubRows(Rows.from_dict({"translation": [{"ar": "كتاب", "en": "book"}], "n": [1]}))
    assert rows.column_names == ["translation.ar", "translation.en", "n"]
    assert rows.column("translation.ar").to_list() == ["كتاب"]
    (batch,) = rows.batches(["translation.en"])
    assert batch["translation.en"].to_list() == ["book"]
