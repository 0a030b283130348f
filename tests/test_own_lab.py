"""A stranger's lab from an empty folder to a release: nothing of ours is in what is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import USER, TestHub
from folder_lab import put_model
from test_starting import TRIPLETS, put_rows

from zoo.miniature.seed import seed
from zoo.recipe import Workspace
from zoo.say import Silent

OURS = re.compile(r"\bgate\b|arabic|[\u0600-\u06ff]|2505\.24581|nacar|omartificial|muradif", re.IGNORECASE)
"""Words of our own family: its name, its language, its paper, its account."""
TASKS = ("STS17-en", "STSB-en")


@pytest.fixture
def lab(hub: TestHub, tmp_path: Path, zoo: Any) -> Workspace:
    """A lab that `zoo init` made of a small English BERT in a folder and a CSV."""
    seed(hub.root, [], tasks=TASKS, progress=Silent())
    put_model(tmp_path / "checkpoints" / "tiny")
    put_rows(tmp_path / "captions.csv", ["anchor", "positive", "negative"], TRIPLETS)
    given = ("--base", "checkpoints/tiny", "--data", "captions.csv", "--language", "en", "--name", "Harbour-BERT")
    code, _, err = zoo("init", "harbour", *given, cwd=tmp_path)
    assert code == 0, err
    return Workspace(tmp_path / "harbour")


def published(repo: str, kind: str) -> Iterator[tuple[str, str]]:
    """Every text file of a repository on the Hub: (path, content)."""
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(repo, repo_type=kind))
    for path in folder.rglob("*"):
        if (
            path.is_file()
            and path.suffix in (".md", ".json", ".yaml", ".py", ".txt", ".css")
            and "tokenizer" not in path.name
            and path.name != "doubts.py"  # it knows the world's scripts by their names
        ):
            yield f"{repo}/{path.relative_to(folder)}", path.read_text("utf-8")


def of_ours(texts: Iterator[tuple[str, str]]) -> list[str]:
    """Lines with words of our family, each with its place."""
    return [
        f"{path}:{at}: {line.strip()}"
        for path, text in texts
        for at, line in enumerate(text.splitlines(), 1)
        if OURS.search(line)
    ]


@pytest.mark.slow
def test_a_lab_of_ones_own_is_published_without_a_word_of_ours(lab: Workspace, zoo: Any) -> None:
    name, scale = "harbour-bert-triplets", ("--scale", "mini")
    assert zoo("check", cwd=lab.root) == (0, "1 recipe is fine\n", "")
    for arguments, expected in (
        (("build", name, *scale), 0),
        (("plan", *scale), 2),
        (("publish", *scale, "--yes"), 0),
        (("release", name, "v1.0.0", *scale, "--yes"), 0),
        (("plan", *scale), 0),
    ):
        code, out, err = zoo(*arguments)
        assert code == expected, f"{arguments}: {out}{err}"
    from huggingface_hub import get_collection, list_collections

    card = dict(published(f"{USER}/Harbour-BERT", "model"))[f"{USER}/Harbour-BERT/README.md"]
    assert "That needs the rows of captions in files where the recipe names them: they are on no Hub." in card
    assert "\ndatasets:" not in card
    assert "../" not in card, "where the base lies on this machine is nobody's business"
    found = of_ours(published(f"{USER}/Harbour-BERT", "model"))
    found += of_ours(published(f"{USER}/harbour-bert-demo", "space"))
    [collection] = [one for one in list_collections(owner=USER) if one.title == "harbour"]
    found += of_ours(iter([("collection", json.dumps(get_collection(collection.slug).__dict__, default=str))]))
    for form in ("md", "html", "csv", "json"):
        code, out, err = zoo("leaderboard", *scale, "--format", form)
        assert code == 0, err
        found += of_ours(iter([(f"leaderboard.{form}", out)]))
    assert not found, "\n".join(found)
