"""A dataset on the Hub: shards of a large split, what goes up again when rows change, and nothing stale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TestHub
from huggingface_hub import DatasetCard

from zoo.remote import api

ID = "lab/Sharded"
RECIPE: dict[str, Any] = {
    "source": {"path": {"train": "rows.jsonl", "test": "other.jsonl"}},
    "columns": {"anchor": {"type": "text"}, "positive": {"type": "text"}},
    "release": {"repo": "Sharded", "title": "Sharded", "summary": "Some.", "license": "cc-by-4.0"},
}
FAMILY = "name: lab\nsuite: own\nsuites: {own: [STS17-ar]}\nphases: {}\n"


def rows(count: int, *, begin: int = 0) -> list[dict[str, str]]:
    """Rows that compression makes little of, so that bytes follow rows."""
    from hashlib import sha256

    return [
        {"anchor": f"جملة {at} {sha256(str(at).encode()).hexdigest()}", "positive": f"أخرى {at}"}
        for at in range(begin, begin + count)
    ]


def write(path: Path, found: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), "utf-8")


@pytest.fixture
def lab(hub: TestHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one dataset of its own files, published in shards of 20 kB."""
    monkeypatch.setattr("zoo.data.shards.SHARD_BYTES", 20_000)
    api().delete_repo(ID, repo_type="dataset", missing_ok=True)
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "recipes" / "datasets"
    place.mkdir(parents=True)
    (place.parent / "family.yaml").write_text(FAMILY, "utf-8")
    (place / "sharded.yaml").write_text(yaml.safe_dump(RECIPE), "utf-8")
    write(place / "rows.jsonl", rows(1000))
    write(place / "other.jsonl", rows(20, begin=5000))
    return tmp_path


def changes(zoo: Any, lab: Path) -> dict[str, str]:
    """{path: what `zoo plan` would do with it}, of the dataset as it is built now."""
    code, _, err = zoo("data", "build", "sharded", cwd=lab)
    assert code == 0, err
    _, out, err = zoo("plan", "sharded", "--json")
    (unit,) = [one for one in json.loads(out)["units"] if one["kind"] == "dataset"]
    return {one["path"]: one["action"] for one in unit["changes"]}


def publish(zoo: Any, lab: Path) -> str:
    """Publish the dataset as it is built, and return the commit."""
    code, _, err = zoo("publish", "sharded", "--yes", cwd=lab)
    assert code == 0, err
    assert "loaded back" in err or "unchanged" in err
    return str(api().dataset_info(ID).sha)


def data_files() -> list[str]:
    return sorted(path for path in api().list_repo_files(ID, repo_type="dataset") if path.startswith("data/"))


def loaded(commit: str, cache: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(ID, revision=commit, cache_dir=str(cache))


OURS = {"README.md", "zoo/card.md", "zoo/manifest.json", "zoo/provenance.json"}


def test_a_large_split_is_published_in_shards_and_only_those_that_changed_go_up_again(
    lab: Path, zoo: Any, tmp_path: Path
) -> None:
    assert set(changes(zoo, lab).values()) == {"create", "add"}
    commit = publish(zoo, lab)
    assert data_files() == ["data/test-00000-of-00001.parquet", *(f"data/{shard(at)}" for at in range(4))]
    assert publish(zoo, lab) == commit, "nothing changed, so there is no commit"
    found = loaded(commit, tmp_path / "cache")
    assert found["train"].to_list() == rows(1000)
    info = DatasetCard.load(ID, repo_type="dataset").data.to_dict()["dataset_info"]
    assert {one["name"]: one["num_examples"] for one in info["splits"]} == {"train": 1000, "test": 20}
    sizes = {one["name"]: one["num_bytes"] for one in info["splits"]}
    assert abs(sizes["train"] - found["train"].data.nbytes) < 100, "but for offsets at the borders of shards"
    assert info["dataset_size"] == sum(sizes.values())
    listed = api().dataset_info(ID, files_metadata=True).siblings or []
    assert info["download_size"] == sum(one.size or 0 for one in listed if one.rfilename.startswith("data/"))

    place = lab / "recipes" / "datasets" / "rows.jsonl"
    other = rows(1000)
    other[600]["positive"] = "كلمة أخرى"
    write(place, other)
    third = f"data/{shard(2)}"
    assert {path for path in changes(zoo, lab) if path not in OURS} == {third}, "a row of it is another one"
    write(place, rows(1010))
    assert {path for path in changes(zoo, lab) if path not in OURS} == {f"data/{shard(3)}"}, "rows follow in the last"


def shard(number: int, count: int = 4) -> str:
    return f"train-{number:05}-of-{count:05}.parquet"


@pytest.mark.slow
def test_no_shard_split_or_feature_of_before_is_left_on_the_hub(lab: Path, zoo: Any, tmp_path: Path) -> None:
    changes(zoo, lab)
    first = publish(zoo, lab)
    card = api().hf_hub_download(ID, "README.md", repo_type="dataset", revision=first)
    edited = Path(card).read_text("utf-8").replace("## Columns", "A sentence of a person's.\n\n## Columns")
    api().upload_file(path_or_fileobj=edited.encode(), path_in_repo="README.md", repo_id=ID, repo_type="dataset")
    write(lab / "recipes" / "datasets" / "rows.jsonl", rows(100))
    columns = {"query": {"type": "text", "source": "anchor"}, "answer": {"type": "text", "source": "positive"}}
    recipe = {**RECIPE, "source": {"path": "rows.jsonl"}, "columns": columns}
    (lab / "recipes" / "datasets" / "sharded.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
    changes(zoo, lab)
    found = loaded(publish(zoo, lab), tmp_path / "cache")
    assert data_files() == ["data/train-00000-of-00001.parquet"]
    assert {split: (len(part), part.column_names) for split, part in found.items()} == {
        "train": (100, ["query", "answer"])
    }
    text = DatasetCard.load(ID, repo_type="dataset")
    assert "A sentence of a person's." in text.text
    assert [one["split"] for one in text.data.to_dict()["configs"][0]["data_files"]] == ["train"]
    assert [one["name"] for one in text.data.to_dict()["dataset_info"]["features"]] == ["query", "answer"]
