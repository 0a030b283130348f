"""The whole way of models that bring code: consent, training, evaluation, publishing, proof, and readers without us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import USER, TestHub, workspace_in

Zoo = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.slow

MODERN = """base:
  model: zoo-tests/modern
  width: 96
  max_seq_length: 64
  pooling: mean
  miniature: {architecture: modern}
dims: [96, 32]
suite: muradif
variants:
  triplets: {repo: Modern-Matryoshka, phases: [triplets], summary: An encoder with code of its own.}
"""
QUICKER = {
    "rows: {train: 6000, validation: 300, test: 300}": "rows: {train: 600, validation: 100, test: 100}",
    "epochs: 1, batch_size: 64, max_seq_length: 128": "epochs: 1, batch_size: 16, max_seq_length: 32",
    "triplets: {max_steps: 60, eval_steps: 30,": "triplets: {max_steps: 6, eval_steps: 3,",
}


def lab(folder: Path, recipes: dict[str, str], changes: dict[str, str]) -> Path:
    """A workspace with recipes of its own beside the family, and a quicker scale mini."""
    workspace_in(folder)
    for path in (folder / "recipes").glob("*.yaml"):
        if path.stem != "family":
            path.unlink()
    for name, text in recipes.items():
        (folder / "recipes" / f"{name}.yaml").write_text(text, "utf-8")
    family = folder / "recipes" / "family.yaml"
    text = family.read_text("utf-8")
    for ours, less in changes.items():
        assert text.count(ours) == 1, f"{ours} is no longer what scale mini says"
        text = text.replace(ours, less)
    family.write_text(text, "utf-8")
    return folder


def seeded_with(hub: TestHub, folder: Path) -> None:
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    seed(hub.root, Workspace(folder).every_recipe(), progress=Silent())


def done(zoo: Zoo, *arguments: str, cwd: Path) -> str:
    code, out, err = zoo(*arguments, cwd=cwd)
    assert code == 0, err
    return out + err


def published(repo: str) -> str:
    """The commit of a model on the tests' Hub."""
    from zoo.remote import api

    return str(api().model_info(f"{USER}/{repo}").sha)


READ = """
import sys

class Kept:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("zoo", "xformers", "fast_disambig"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Kept())
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(sys.argv[1], revision=sys.argv[2], trust_remote_code=True)
known, flag, banner = model.encode(["عِلْم", "عَلَم", "رَايَة"])
assert known.shape == (int(sys.argv[3]),) and (known == known).all(), known
print("differ" if abs(known - flag).max() > 1e-3 else "same")
"""


def read_by_strangers(folder: Path, repo: str, commit: str, width: int) -> str:
    """Load a published model in a process that has neither zoo nor xformers; whether two homographs differ there."""
    kept = {name: os.environ[name] for name in ("PATH", "HF_ENDPOINT")}
    environment = {**kept, "HOME": str(folder), "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"}
    (folder / "read.py").write_text(READ, "utf-8")
    command = [sys.executable, "read.py", f"{USER}/{repo}", commit, str(width)]
    read = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr[-3000:]
    return read.stdout.strip()


def test_another_architecture_with_code_goes_all_the_way_with_one_file(hub: TestHub, zoo: Zoo, tmp_path: Path) -> None:
    """Nothing runs before consent; then it is trained, published and evaluated, with one file in recipes/."""
    folder = lab(tmp_path, {"modern": MODERN}, QUICKER)
    seeded_with(hub, folder)
    code, _, err = zoo("build", "modern-triplets", "--scale", "mini", cwd=folder)
    assert code != 0
    assert "zoo trust zoo-tests/modern" in err

    done(zoo, "trust", "zoo-tests/modern", "--yes", cwd=folder)
    done(zoo, "build", "modern-triplets", "--scale", "mini", cwd=folder)
    assert "loaded back" in done(zoo, "publish", "modern-triplets", "--scale", "mini", "--yes", cwd=folder)
    commit = published("Modern-Matryoshka")
    assert read_by_strangers(tmp_path, "Modern-Matryoshka", commit, 96)
    code, _, err = zoo("eval", f"{USER}/Modern-Matryoshka", "--suite", "muradif", cwd=folder)
    assert code != 0, "consent to the base is none to what strangers publish"
    told = done(zoo, "eval", f"{USER}/Modern-Matryoshka", "--suite", "muradif", "--trust", commit, cwd=folder)
    assert "Muradif" in told


# The synonym model


SMALLER = {
    "width: 768": "width: 96",
    "dims: [768, 512, 256, 128, 64]": "dims: [96, 32]",
    "suite: synonyms": "suite: muradif",
    "rivals: [arabert-matryoshka]": "rivals: [sibling-synonym]",
}
SIBLING = {
    "U4RASD/NeoAraBERT_MSA": "aubmindlab/bert-base-arabertv02",
    "{architecture: neoarabert}": "{architecture: bert, tokenizer: wordpiece}",
    "repo: NeoAraBERT-MSA-Synonym-Matryoshka-V1": "repo: Sibling-of-AraBERT",
    "rivals: [sibling-synonym], ": "",
}
FEWER = {
    "rows: {train: 6000, validation: 300, test: 300}": "rows: {train: 1200, validation: 200, test: 200}",
    "epochs: 1, batch_size: 64, max_seq_length: 128": "epochs: 1, batch_size: 32, max_seq_length: 32",
}


def changed(text: str, changes: dict[str, str]) -> str:
    for ours, other in changes.items():
        assert ours in text
        text = text.replace(ours, other)
    return text


def accuracy(folder: Path, recipe: str, task: str) -> float:
    """The share of triplets, in percent, that the trained model orders rightly at its full width."""
    scores = json.loads((folder / "runs" / "mini" / recipe / "evaluate" / "scores.json").read_text("utf-8"))["scores"]
    found = [one for one in scores if (one["model"], one["task"]) == (f"zoo/{recipe}", task)]
    return float(max(found, key=lambda one: one["dim"])["value"])


def test_the_synonym_model_is_built_in_four_phases_and_knows_diacritics(hub: TestHub, zoo: Zoo, tmp_path: Path) -> None:
    """One consent; phase 3 is dropped by its scores; synonyms with diacritics are beyond AraBERT's vocabulary."""
    from conftest import ROOT

    ours = changed((ROOT / "recipes" / "neoarabert.yaml").read_text("utf-8"), SMALLER)
    folder = lab(tmp_path, {"neoarabert": ours, "sibling": changed(ours, SIBLING)}, FEWER)
    seeded_with(hub, folder)
    done(zoo, "trust", "U4RASD/NeoAraBERT_MSA", "--yes", cwd=folder)
    told = done(zoo, "build", "neoarabert-synonym", "sibling-synonym", "--scale", "mini", cwd=folder)
    assert "phase 'synonym-3' dropped" in told
    for task in ("Muradif", "Muradif-full"):
        assert accuracy(folder, "neoarabert-synonym", task) > accuracy(folder, "sibling-synonym", task) + 10
    assert "loaded back" in done(zoo, "publish", "neoarabert-synonym", "--scale", "mini", "--yes", cwd=folder)
    commit = published("NeoAraBERT-MSA-Synonym-Matryoshka-V1")
    assert read_by_strangers(tmp_path, "NeoAraBERT-MSA-Synonym-Matryoshka-V1", commit, 96) == "differ"
