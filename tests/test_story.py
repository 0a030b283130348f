"""The story that the README tells: a fleet is published, one learning rate changes, and everything goes back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Lab

MODEL, PARENT, SPACE = "lab/GATE-AraBert-v1", "lab/Arabic-Triplet-Matryoshka-V2", "lab/arabic-similarity"
CARD = {"README.md", "zoo/card.md", "zoo/manifest.json"}
RATE, OTHER = "learning_rate: 5.0e-5}", "learning_rate: 7.0e-5}"


def zoo(place: Path, *arguments: str, leaves: int = 0) -> Any:
    """What the command answers; on a local Hub of the workspace's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MTEB_"))}
    command = [sys.executable, "-m", "zoo.cli", *arguments, "--hub", "local", "--json"]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == leaves, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return json.loads(done.stdout)


def changed(plan: Any) -> dict[str, list[str]]:
    return {
        unit["id"]: [change["path"] for change in unit["changes"] if change["action"] != "keep"]
        for unit in plan["units"]
        if unit["changes"]
    }


@pytest.mark.slow
def test_one_learning_rate_changes_one_model_and_everything_goes_back(lab: Lab, tmp_path: Path) -> None:
    place = tmp_path / "lab"
    shutil.copytree(lab.workspace.root, place, ignore=shutil.ignore_patterns("eval"))
    at = ("--scale", SCALE)
    zoo(place, "build", RECIPE, *at)
    zoo(place, "publish", RECIPE, *at, "--yes")
    assert changed(zoo(place, "plan", RECIPE, *at)) == {}
    zoo(place, "release", RECIPE, "v1.0.0", *at, "--yes")

    family = place / "recipes" / "family.yaml"
    text = family.read_text("utf-8")
    assert text.count(RATE) == 1
    family.write_text(text.replace(RATE, OTHER), "utf-8")
    assert changed(zoo(place, "plan", RECIPE, *at)) == {}, "what is published is what was built, not what was edited"
    stages = zoo(place, "build", RECIPE, *at)["stages"]
    built = {(one["name"], one["stage"]) for one in stages if one["did"] == "built"}
    assert built == {(RECIPE, "train"), (RECIPE, "evaluate"), (RECIPE, "card"), ("arabert-matryoshka", "card")}
    plan = changed(zoo(place, "plan", RECIPE, *at, leaves=2))
    assert plan.keys() == {MODEL, PARENT, SPACE}, "the data and the collection stay as they are"
    assert set(plan[PARENT]) == set(plan[SPACE]) == CARD, "its row in the family's table and in the Space's"
    assert {"model.safetensors", "README.md", "zoo/recipe.yaml", "zoo/scores.json"} <= set(plan[MODEL])
    assert "tokenizer.json" not in plan[MODEL]
    zoo(place, "publish", RECIPE, *at, "--yes")
    assert changed(zoo(place, "plan", RECIPE, *at)) == {}

    zoo(place, "rollback", f"{RECIPE}@v1.0.0", "--yes")
    family.write_text(text, "utf-8")
    zoo(place, "build", RECIPE, *at)
    plan = changed(zoo(place, "plan", RECIPE, *at, leaves=2))
    assert plan.keys() == {MODEL, PARENT, SPACE}
    assert set(plan[MODEL]) == CARD, "trained again, the model is the same to the last bit; how long it took is not"
    zoo(place, "publish", RECIPE, *at, "--yes")
    assert changed(zoo(place, "plan", RECIPE, *at)) == {}
