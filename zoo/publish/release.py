"""What one repository should hold, as data: nothing is copied, nothing is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo import cards, data
from zoo.errors import PublishError
from zoo.publish.evalresults import eval_results
from zoo.recipe import Dataset, Recipe, dump
from zoo.remote import Kind
from zoo.run import file_digest
from zoo.scores import ScoreFile

MANIFEST = "zoo/manifest.json"  # the files that we put there; only these are ever deleted

FACTS = {"report": data.REPORT, "source": data.SOURCE}  # files of a data stage that its card is made from

Content = bytes | Path


@dataclass(frozen=True)
class Release:
    kind: Kind
    id: str
    name: str
    """Of the recipe, dataset or Space that it was made from."""
    files: Mapping[str, Content]
    """{path in the repository: content}."""

    def git_id(self, path: str) -> str:
        """sha1 of the file as a git blob (40 hex)."""
        content = self._bytes(path)
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def sha256(self, path: str) -> str:
        content = self.files[path]
        return file_digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()

    def size(self, path: str) -> int:
        content = self.files[path]
        return content.stat().st_size if isinstance(content, Path) else len(content)

    def _bytes(self, path: str) -> bytes:
        content = self.files[path]
        return content.read_bytes() if isinstance(content, Path) else content


def model_release(recipe: Recipe, id: str, *, model: Path, card: Path, scores: Path) -> Release:
    """The trained model, its card, its resolved recipe and its scores, these for programs and for the Hub's pages."""
    files: dict[str, Content] = {str(path.relative_to(model)): path for path in _files(model)}
    if unsafe := [path for path in files if path.endswith((".bin", ".pt", ".pth", ".pkl", ".pickle"))]:
        raise PublishError(
            f"'{recipe.name}' holds a pickle: '{unsafe[0]}'", hint="zoo build it again with --force train"
        )
    files["README.md"] = card
    files["zoo/recipe.yaml"] = dump(recipe).encode()
    files["zoo/scores.json"] = scores
    measured = ScoreFile.model_validate_json(scores.read_text("utf-8"))
    files |= {path: text.encode() for path, text in eval_results(measured, id).items()}
    return _release("model", id, recipe.name, files)


def dataset_release(name: str, dataset: Dataset, id: str, *, folder: Path, templates: cards.Templates) -> Release:
    """Parquet files under the names that the Hub's viewer expects, and the card."""
    parquet = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
    parquet = {split: parquet[split] for split in dataset.source.splits}
    facts = {name: json.loads((folder / file).read_text("utf-8")) for name, file in FACTS.items()}
    sizes = {split: path.stat().st_size for split, path in parquet.items()}
    files: dict[str, Content] = {cards.data_path(split): path for split, path in parquet.items()}
    files["README.md"] = cards.dataset_card(id, dataset, sizes, templates, **facts).encode()
    return _release("dataset", id, name, files)


def space_release(id: str, name: str, app: Path, *, card: str, models: list[dict[str, object]]) -> Release:
    """The app's own files, its card and the models that it offers."""
    files: dict[str, Content] = {str(path.relative_to(app)): path for path in _files(app)}
    files["README.md"] = card.encode()
    files["models.json"] = (json.dumps(models, ensure_ascii=False, indent=1) + "\n").encode()
    return _release("space", id, name, files)


def _release(kind: Kind, id: str, name: str, files: dict[str, Content]) -> Release:
    manifest = json.dumps({"files": sorted([*files, MANIFEST])}, indent=1) + "\n"
    return Release(kind, id, name, dict(sorted({**files, MANIFEST: manifest.encode()}.items())))


def _files(folder: Path) -> list[Path]:
    hidden = {"__pycache__"}
    return sorted(path for path in folder.rglob("*") if path.is_file() and not hidden & set(path.parts))
