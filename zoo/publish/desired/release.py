"""A release: what one repository should hold, as data. Nothing is copied, nothing is sent."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from zoo.cards.datasetview import DatasetFacts
from zoo.cards.readme import dataset_card
from zoo.errors import PublishError, ZooError
from zoo.evidence.scores import ScoreFile
from zoo.layout import ADAPTER, CURVE, DATA_REPORT, DATA_SOURCE, GLANCE, KEPT, STEPS, published_files
from zoo.publish.desired.digests import Digests, Ids, of_bytes
from zoo.publish.desired.evalresults import eval_results
from zoo.publish.desired.publishedcode import code_facts, code_to_publish
from zoo.recipe import Dataset, Recipe, dump
from zoo.recipe.resolved import as_published
from zoo.remote import Kind, address_of
from zoo.templates import Templates

CARD = "README.md"
STATIC = "static"  # the kind of a Space whose pages nothing runs
RENDERED = "zoo/card.md"  # the card as rendered: what edits made on the Hub are told from
RECIPE = "zoo/recipe.yaml"
SCORES = "zoo/scores.json"
PROVENANCE = "zoo/provenance.json"
MANIFEST = "zoo/manifest.json"  # the files that we put there, and what they were; only these are ever deleted
REQUIREMENTS = "requirements.txt"
CPU_WHEELS = "--extra-index-url https://download.pytorch.org/whl/cpu\n"  # a tenth of the size of those with CUDA
FORMAT = 2  # of the manifest; 1 had names only
MOST_EARLIER = 4  # notes that are remembered

FACTS = {"report": DATA_REPORT, "source": DATA_SOURCE}  # files of a data stage that its card is made from
MORE = {"notes": STEPS, "glance": GLANCE}  # and those that stages of earlier versions lack

Content = bytes | Path


@dataclass(frozen=True)
class Settings:
    """Settings that a Space has beside its files. None: whatever it is there stays."""

    hardware: str | None = None
    sleep: int | None = None
    """Seconds without a visitor until it sleeps."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that must have these values; others that are there stay."""
    secrets: tuple[str, ...] = ()
    """Names that must be there; their values are nobody's business here."""


@dataclass(frozen=True)
class CollectionRecord:
    """The collection that lists a model or Space, as its manifest knows it: people may call it as they like.

    Datasets have none: one may belong to several families.
    """

    slug: str
    """The name in addresses. It changes with the title, but for the 24 hex at its end."""
    title: str
    """The title that the recipe had."""
    description: str


@dataclass(frozen=True)
class Release:
    """Everything that a repository should hold, and what belongs beside it."""

    kind: Kind
    id: str
    name: str
    """The name of the recipe, dataset or Space that it was made from."""
    files: Mapping[str, Content]
    """{path in the repository: content}."""
    needs: frozenset[str] = frozenset()
    """Ids of the repositories that its card names: without them it is not published."""
    note: str = ""
    """What stands beside it in the collection."""
    earlier: tuple[str, ...] = ()
    """Notes that it had before: one may still stand in the collection, which is changed after the repository."""
    collection: CollectionRecord | None = None
    """The collection that lists it; None: it is not known, or there is none."""
    settings: Settings | None = None
    sdk: str = "gradio"
    """What runs a Space, as the Hub spells it: `gradio`, or `static` for pages that nothing runs."""
    digests: Digests = field(default_factory=Digests, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """The kind and the id: a model and a dataset may have the same id."""
        return self.kind, self.id

    @property
    def address(self) -> str:
        """The id as the Hub's pages have it ('datasets/lab/name'): no two repositories share it."""
        return address_of(self.kind, self.id)

    @cached_property
    def ids(self) -> dict[str, Ids]:
        """{path: the ids by which the Hub may list our file}."""
        return {path: _ids(content, self.digests) for path, content in self.files.items()}

    def size(self, path: str) -> int:
        """Return the number of bytes of a file."""
        content = self.files[path]
        return content.stat().st_size if isinstance(content, Path) else len(content)

    def bytes(self, path: str) -> bytes:
        """Return the content of a file."""
        content = self.files[path]
        return content.read_bytes() if isinstance(content, Path) else content

    def write(self, folder: Path) -> None:
        """Write the repository as a folder, the same bytes every time.

        Raises:
            ZooError: the disk is full, or the folder cannot be written.
        """
        try:
            for path, content in self.files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(content, target)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            problem = f"cannot write the release '{self.id}' into '{folder}': {reason}"
            raise ZooError(problem, hint="make room there, or name another folder") from None


def write_whole(content: Content, target: Path, *, private: bool = False) -> None:
    """Write a file under another name first: what has the right name is whole.

    Args:
        private: only the owner may read and write it, also when others could read the one that it replaces.
    """
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        if private:
            partial.touch(mode=0o600)
        if isinstance(content, Path):
            shutil.copyfile(content, partial)
        else:
            partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _ids(content: Content, known: Digests) -> Ids:
    return known.of(content) if isinstance(content, Path) else of_bytes(content)


def model_release(
    recipe: Recipe,
    repo_id: str,
    *,
    model: Path,
    card: Path,
    scores: Path,
    provenance: Mapping[str, Any] | None = None,
    needs: frozenset[str] = frozenset(),
    shown: Collection[str] | None = None,
    digests: Digests | None = None,
    recorded: Collection[str] = (),
) -> Release:
    """Return a release of the trained model, its card, its resolved recipe and its scores.

    The scores go in twice: for programs, and as the Hub's pages read them, of the tasks that it shows (None: of all).

    Args:
        card: beside it are the pictures that it shows.
        recorded: sha256 of zoo's own files that the model carries, as its receipt has them.

    Raises:
        PublishError: the model's folder holds a pickle, or code that may not be published.
    """
    code = code_to_publish(recipe, model, recorded)
    files: dict[str, Content] = {str(path.relative_to(model)): path for path in _files(model)}
    files |= {str(path.relative_to(model.parent)): path for path in _files(model.parent / ADAPTER)}  # that it kept
    if unsafe := [path for path in files if path.endswith((".bin", ".pt", ".pth", ".pkl", ".pickle"))]:
        raise PublishError(
            f"'{recipe.name}' holds a pickle: '{unsafe[0]}'", hint="zoo build it again with --force train"
        )
    files[CARD] = card
    pictures = {name: card.with_name(name) for name in (CURVE, KEPT)}
    files |= {name: picture for name, picture in pictures.items() if picture.is_file()}  # cards of before have none
    files[RECIPE] = dump(as_published(recipe)).encode()
    files[SCORES] = scores
    measured = ScoreFile.model_validate_json(scores.read_text("utf-8"))
    files |= {path: text.encode() for path, text in eval_results(measured, repo_id, shown).items()}
    if provenance:
        files[PROVENANCE] = json_bytes({**provenance, **({"code": code_facts(code)} if code else {})})
    note = recipe.release.summary or ""
    return sealed(Release("model", repo_id, recipe.name, files, needs, note, digests=digests or Digests()))


def dataset_release(
    name: str,
    dataset: Dataset,
    repo_id: str,
    *,
    folder: Path,
    templates: Templates,
    parents: Mapping[str, str | None] | None = None,
    above: Mapping[str, Sequence[str]] | None = None,
    checked: Mapping[str, Any] | None = None,
    models: Sequence[str] = (),
    shows_rows: bool = True,
    provenance: Mapping[str, Any] | None = None,
    digests: Digests | None = None,
) -> Release:
    """Return a release of Parquet files under the names that the Hub's viewer expects, and the card.

    Args:
        folder: of the data stage.
        parents: {dataset of the workspace that rows come from: its id on the Hub; None: it is not published}.
        above: {dataset of the workspace that rows come from: the steps that they went through there, or before}.
        checked: the report of `zoo data check` on these rows; None = the card has none.
        models: Hub ids of the lab's models that are trained on it.
        shows_rows: False keeps rows out of the card, where not everybody may read the dataset.
    """
    parquet = {split: published_files(folder, split) for split in dataset.splits}
    more = {name: file for name, file in MORE.items() if (folder / file).is_file()}
    facts = DatasetFacts(
        repo_id,
        dataset,
        {split: [path.stat().st_size for path in paths] for split, paths in parquet.items()},
        parents=parents or {},
        above=above or {},
        checked=checked,
        models=models,
        shows_rows=shows_rows,
        **{name: json.loads((folder / file).read_text("utf-8")) for name, file in FACTS.items()},
        **{name: json.loads((folder / file).read_text("utf-8")) for name, file in more.items()},
    )
    files: dict[str, Content] = {
        name: path for split, paths in parquet.items() for name, path in zip(facts.files[split], paths, strict=True)
    }
    files[CARD] = dataset_card(facts, templates).encode()
    if provenance:
        files[PROVENANCE] = json_bytes(provenance)
    needs = frozenset(filter(None, facts.parents.values()))
    note = dataset.release.summary if dataset.release else ""
    return sealed(Release("dataset", repo_id, name, files, needs, note, digests=digests or Digests()))


def space_release(
    repo_id: str,
    name: str,
    app: Path,
    *,
    card: str,
    models: list[dict[str, object]],
    more: Mapping[str, Content] | None = None,
    about: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    note: str = "",
    digests: Digests | None = None,
) -> Release:
    """Return a release of the app's own files, its card and the models that it offers.

    Args:
        more: other files by their paths, such as what it searches.
        about: the title, languages and examples (zoo/cards/about.py). Of the app's files of languages only those of
            its own go along, and English; None: all of them.
    """
    files: dict[str, Content] = {str(path.relative_to(app)): path for path in _files(app)}
    if about is not None:
        spoken = {"en", *about["language"], *about["interface"]}
        files = {path: content for path, content in files.items() if _language(path) in (None, *spoken)}
        files["space.json"] = json_bytes(about)
    if REQUIREMENTS in files:
        files[REQUIREMENTS] = _requirements(app / REQUIREMENTS, settings.hardware if settings else None)
    files |= more or {}
    files[CARD] = card.encode()
    files["models.json"] = json_bytes(models)
    needs = frozenset(str(model["id"]) for model in models)
    return sealed(Release("space", repo_id, name, files, needs, note, settings=settings, digests=digests or Digests()))


def _requirements(file: Path, hardware: str | None) -> bytes:
    """Return an app's requirements, and before them where PyTorch's small wheels are when no GPU is meant."""
    text = file.read_text("utf-8")
    on_cpu = hardware is None or hardware.startswith("cpu-")
    wants_torch = re.search(r"^torch\b", text, re.MULTILINE)
    return (CPU_WHEELS + text if on_cpu and wants_torch and "index-url" not in text else text).encode()


def page_release(repo_id: str, files: Mapping[str, Content], *, needs: Collection[str], note: str = "") -> Release:
    """Return a release of a static Space: a page, its data and its card.

    Args:
        needs: ids of the models that it shows.
    """
    name = repo_id.split("/")[1]
    return sealed(Release("space", repo_id, name, files, frozenset(needs), note, sdk=STATIC))


def _language(path: str) -> str | None:
    """Return the language that a file of an app is for, as languages/ar.json is; None: for all."""
    place = PurePosixPath(path)
    return place.stem if place.parts[:-1] == ("languages",) else None


def json_bytes(value: object) -> bytes:
    """Return a value as JSON that people can read, in UTF-8."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def sealed(release: Release) -> Release:
    """Return the release with its manifest, and with the card a second time: the copy that people leave alone."""
    files = {path: content for path, content in release.files.items() if path != MANIFEST}
    if CARD in files:
        files[RENDERED] = files[CARD]
    ids = {path: _ids(content, release.digests) for path, content in sorted(files.items())}
    listed = {path: {"sha256": one.sha256, **({"git": one.git} if one.git else {})} for path, one in ids.items()}
    notes = {"note": release.note, **({"earlier": release.earlier} if release.earlier else {})}
    listing = {"collection": asdict(release.collection)} if release.collection else {}
    files[MANIFEST] = json_bytes({"format": FORMAT, **notes, **listing, "files": listed})
    return replace(release, files=dict(sorted(files.items())))


def remembering(release: Release, notes: Sequence[str], collection: CollectionRecord | None = None) -> Release:
    """Return the release with the notes that were published before its own, and with the collection that lists it."""
    earlier = tuple(note for note in notes if note != release.note)[:MOST_EARLIER]
    new = replace(release, earlier=earlier, collection=collection)
    return release if new == release else sealed(new)


def _files(folder: Path) -> list[Path]:
    hidden = {"__pycache__"}
    return sorted(path for path in folder.rglob("*") if path.is_file() and not hidden & set(path.parts))
