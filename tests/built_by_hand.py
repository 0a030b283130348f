"""A lab whose stages are a few bytes each, with receipts as a build leaves them: nothing is trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from conftest import workspace_in

from zoo.layout import CONTAMINATION, DATA, TRAIN
from zoo.pipeline.build import Build
from zoo.pipeline.stages import STAGES
from zoo.recipe import Workspace
from zoo.stage import NamedDataset, Node

NAME, SCALE = "arabert-matryoshka", "mini"
STAGES_BY_HAND = 4


def lab(folder: Path) -> Build:
    """A clone of the lab: its recipes, and nothing built."""
    return Build(workspace_in(folder), SCALE)


def built(folder: Path, words: str = "first") -> Build:
    """The lab with the stages of one recipe but for its evaluation; `words` are what they made."""
    build = lab(folder)
    make(build, words)
    return build


def make(build: Build, words: str) -> None:
    recipe = build.workspace.recipe(NAME, scale=SCALE)
    data = [Node(DATA, NamedDataset(name, recipe.datasets[name])) for name in sorted(recipe.datasets)]
    for node in [*data, Node(TRAIN, recipe), Node(CONTAMINATION, recipe)]:
        stage = STAGES[node.stage]
        needs: dict[str, dict[str, str]] = {}
        for need in stage.needs(node.item, build):
            needs.setdefault(need.stage, {})[need.name] = build.digest(*need.key)
        made_from = {"format": stage.format, "recipe": stage.part(node.item), "needs": needs}
        with build.folder(node.name).making(node.stage, made_from, fresh=True) as work:
            (work / "model").mkdir()
            (work / "model" / "weights.bin").write_bytes(f"{node.name} {node.stage} {words}".encode() * 1000)
            (work / "made.json").write_text(f'"{words}"', "utf-8")
            (work / "journal.jsonl").write_text("{}\n", "utf-8")


def edit(build: Build, file: str, old: str, new: str) -> Build:
    """The lab with a recipe edited."""
    path = build.workspace.recipes / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return Build(Workspace(build.workspace.root), SCALE)


def content(build: Build) -> dict[str, bytes]:
    """{path: content} of all that is in the runs but receipts and what a run keeps for itself."""
    files = (path for path in build.runs.rglob("*") if path.is_file())
    found = {path.relative_to(build.runs).as_posix(): path.read_bytes() for path in files}
    return {path: text for path, text in found.items() if "/." not in path and not path.endswith("receipt.json")}


def clone(build: Build, folder: Path) -> Build:
    """The lab as a colleague has it: its recipes as they are now."""
    shutil.copytree(build.workspace.recipes, folder / "recipes")
    return Build(Workspace(folder), SCALE)


def said(told: Any) -> str:
    """An error and its hint in one line."""
    return f"{told.value.message}; {told.value.hint}"
