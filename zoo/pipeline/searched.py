"""What a demo searches: sentences that the lab publishes itself, and the vectors that its models gave them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from zoo.evidence.corpus import digest_of_sentences
from zoo.layout import CORPUS, CORPUS_VECTORS, DATA, EVALUATE
from zoo.pipeline.build import Build
from zoo.publish.desired.release import Content, json_bytes
from zoo.recipe import Dataset, Recipe
from zoo.remote import api, explained

FILE = "corpus.json"
VECTORS = "vectors"


def searched_files(
    build: Build, repo_id: str, offered: Sequence[Recipe], going: Collection[str], *, private: bool = False
) -> dict[str, Content]:
    """Return {path in the Space: content} of corpus.json and of the vectors that are here; empty: nothing to search.

    The sentences are of the validation split that the first of the models is calibrated on, one after the other, as
    far as this lab publishes them and everybody may read them. Vectors of a model that was measured elsewhere are those
    that the Space has.

    Args:
        repo_id: the Space's.
        going: names of the datasets that are published with the Space.
        private: new repositories are made as private ones.
    """
    account = repo_id.split("/")[0]
    for recipe in offered:
        name = _calibrated_on(build, recipe)
        if name and everybody_reads(build, name, account, going, private=private):
            return _files(build, repo_id, name, recipe, offered)
    return {}


def _calibrated_on(build: Build, recipe: Recipe) -> str | None:
    """The dataset whose sentences an evaluation here has left."""
    if not (build.place(recipe.name, EVALUATE) / CORPUS).is_file() or recipe.name in build.elsewhere:
        return None
    calibration = build.scores(recipe.name).calibration
    name = calibration.data.split("/")[0] if calibration else ""
    return name if build.folder(name).finished(DATA) else None


def everybody_reads(build: Build, name: str, account: str, going: Collection[str], *, private: bool) -> bool:
    """Return whether a dataset is published by this lab, now or earlier, for everybody: neither private nor gated.

    Args:
        going: names of the datasets that are published now.
        private: new repositories are made as private ones.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    known = build.workspace.datasets.get(name)
    if known is None or known.release is None:
        return False
    repo_id = f"{account}/{known.release.repo}"
    with explained(f"look for dataset '{repo_id}'"):
        try:
            info = api().dataset_info(repo_id)
        except RepositoryNotFoundError:
            return name in going and not private
    return not info.private and not info.gated


def _files(build: Build, repo_id: str, name: str, first: Recipe, offered: Sequence[Recipe]) -> dict[str, Content]:
    dataset = build.workspace.datasets[name]
    sentences = json.loads((build.place(first.name, EVALUATE) / CORPUS).read_text("utf-8"))
    said = json_bytes({**_source(name, dataset, repo_id.split("/")[0]), "sentences": sentences})
    digest = digest_of_sentences(sentences)
    found = {f"{VECTORS}/{one.release.repo}.safetensors": one for one in offered}
    vectors = {path: file for path, one in found.items() if (file := _vectors(build, repo_id, path, one, digest))}
    return {FILE: said, **vectors}


def _source(name: str, dataset: Dataset, account: str) -> dict[str, object]:
    """The facts that are told of the sentences: where they are from, and the licences of their way there."""
    assert dataset.release is not None, f"{name} is published"
    works = [one.model_dump(include={"title", "license", "url", "terms"}) for one in dataset.release.origins]
    return {
        "source": dataset.release.title,
        "dataset": f"{account}/{dataset.release.repo}",
        "split": "validation",
        "licence": dataset.release.license,
        "origins": works,
    }


def _vectors(build: Build, repo_id: str, path: str, recipe: Recipe, digest: str) -> Path | None:
    """A model's vectors of just these sentences, from here or from the Space as it is; None: there are none."""
    here = build.place(recipe.name, EVALUATE) / CORPUS_VECTORS
    file = _published(repo_id, path) if recipe.name in build.elsewhere else here
    return file if file and file.is_file() and _told(file).get("sentences") == digest else None


def _published(repo_id: str, path: str) -> Path | None:
    """A file of the Space as it is on the Hub; None: it has none of that name."""
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    with explained(f"fetch '{path}' of space '{repo_id}'"):
        try:
            return Path(api().hf_hub_download(repo_id, path, repo_type="space"))
        except (EntryNotFoundError, RepositoryNotFoundError):
            return None


def _told(path: Path) -> Mapping[str, str]:
    """The metadata of a file of vectors."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        found: Mapping[str, str] = json.loads(file.read(size)).get("__metadata__", {})
    return found
