"""What was built, told from receipts: a recipe may have been edited since, and what is published is what was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.errors import PublishError, TrainError
from zoo.evidence.findings import findings
from zoo.evidence.overlap import read_overlap
from zoo.evidence.scores import ScoreFile, as_set, read_scores
from zoo.ids import is_folder
from zoo.layout import CONTAMINATION, DATA, EVALUATE, MODEL, OVERLAP, TRAIN
from zoo.models.folder import file_digests
from zoo.pipeline.stages import MEASURED, STAGES
from zoo.recipe import Dataset, Recipe, Workspace
from zoo.recipe.schema import code_digests
from zoo.run import Receipt, Run, first_difference
from zoo.stage import NamedDataset
from zoo.train.ingredients import IN_FOLDER


@dataclass
class Built:
    """Everything that the recipes of one workspace were built into, at one scale."""

    workspace: Workspace
    scale: str

    def at(self, scale: str) -> Built:
        """The same workspace, as built at another scale."""
        return Built(self.workspace, scale)

    def folder(self, name: str) -> Run:
        """The run of a recipe or dataset at this scale."""
        return Run.of(self.workspace.root, name, self.scale)

    @property
    def runs(self) -> Path:
        """The folder of all runs of this scale."""
        return self.folder("any").folder.parent

    def place(self, name: str, stage: str) -> Path:
        """The folder of a stage, finished or not."""
        return self.folder(name).stage(stage)

    def model(self, name: str) -> Path:
        """The trained model's folder."""
        return self.place(name, TRAIN) / MODEL

    def scores(self, name: str) -> ScoreFile:
        """The scores that a recipe's evaluation wrote."""
        return read_scores(self.place(name, EVALUATE))

    def findings(self, name: str, *, above: float = 0.0) -> list[str]:
        """The sentences of `zoo.evidence.findings` on a recipe that is evaluated."""
        return findings(read_overlap(self.place(name, CONTAMINATION) / OVERLAP), self.scores(name), above=above)

    @property
    def as_typed(self) -> str:
        """The option that names the scale, for hints."""
        return "" if self.scale == "full" else f" --scale {self.scale}"

    def way_to_build(self, names: Sequence[str] = ()) -> str:
        """The command that builds something of these recipes and datasets, or of the lab, for hints."""
        if data := [name for name in names if name in self.workspace.datasets]:
            return f"zoo data build {data[0]}{self.as_typed}"
        recipe = next(iter([*names, *self.workspace.names]), None)
        return f"zoo build {recipe}{self.as_typed}" if recipe else "zoo add dataset DATA, then zoo add base MODEL"

    def digest(self, name: str, stage: str) -> str:
        """The digest of what the stage made."""
        return self.receipt(name, stage).digest

    def receipt(self, name: str, stage: str) -> Receipt:
        """The receipt of a finished stage."""
        found = self.folder(name).receipt(stage)
        assert found is not None, f"{name}: {stage} must be made before it is used"
        return found


def as_built(built: Built, recipe: Recipe) -> Recipe:
    """The recipe that the stages were made from; its names, licence and words are today's.

    Raises:
        PublishError: the stages do not belong together, or another version of zoo made them.
    """
    try:
        for what in _misfits(built, recipe):
            raise PublishError(f"recipe '{recipe.name}' is half built: {what}", hint=_way(built, recipe))
        if old := next((stage for stage in MEASURED if not _is_readable(built, recipe.name, stage)), None):
            problem = f"recipe '{recipe.name}' was built by another version of zoo, and '{old}' is read otherwise now"
            raise PublishError(problem, hint=_way(built, recipe))
        return Recipe.model_validate(_parts_as_built(built, recipe))
    except (KeyError, ValidationError):
        problem = f"recipe '{recipe.name}' was built by another version of zoo"
        raise PublishError(problem, hint=_way(built, recipe)) from None


def _parts_as_built(built: Built, recipe: Recipe) -> dict[str, Any]:
    """Today's recipe with what the receipts carry laid over it."""
    whole = recipe.model_dump(mode="json", exclude={"parent", "datasets"})
    for stage in MEASURED:
        whole = _laid_over(whole, _made_from(built, recipe.name, stage)["recipe"])
    return {
        **whole,
        "base": _with_words(whole["base"], recipe),
        "parent": as_built(built, recipe.parent) if recipe.parent else None,
        "datasets": {name: _dataset(built, recipe, name) for name in sorted(_needs(built, recipe.name, TRAIN)[DATA])},
    }


def _with_words(base: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The base as it was built, with today's words on it, as others are today's.

    They are the licence of the code that it was consented to run, and the place and the origin of a folder.
    """
    consent, today = base.get("remote_code"), recipe.base.remote_code
    if base["model"] == IN_FOLDER and recipe.base.in_folder:
        base = {**base, "model": recipe.base.model}
    elif not is_folder(base["model"]):
        base = {**base, "origin": None}
    return {**base, **({"remote_code": {**consent, "license": today.license if today else None}} if consent else {})}


def _laid_over(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """The part's values in the place of the whole's. Of a section, what the part does not have stays the whole's; but
    an evaluation's part is all of it, without what was left alone.
    """
    if "suite" in part.get("evaluation", {}):
        whole = {**whole, "evaluation": {}}
    sections = {name: {**whole[name], **value} for name, value in part.items() if isinstance(value, dict)}
    return {**whole, **part, **sections}


def _dataset(built: Built, recipe: Recipe, name: str) -> dict[str, Any]:
    known = recipe.datasets.get(name)
    return {**(_release(known) if known else {}), **_made_from(built, name, DATA)["recipe"]}


def _release(dataset: Dataset) -> dict[str, Any]:
    """The part of a dataset's recipe that its stage is not made from. A key that a receipt lacks was left out then."""
    return dataset.model_dump(mode="json", include={"release"})


def dataset_as_built(built: Built, name: str) -> Dataset:
    """The recipe of a dataset that its stage was made from; its repository and its card's words are today's.

    Raises:
        PublishError: it is not built, or another version of zoo built it.
    """
    today = built.workspace.dataset(name, scale=built.scale)
    try:
        return Dataset.model_validate({**_release(today), **_made_from(built, name, DATA)["recipe"]})
    except (KeyError, ValidationError):
        problem = f"dataset '{name}' was built by another version of zoo"
        raise PublishError(problem, hint=f"zoo data build {name}{built.as_typed}") from None


def dataset_to_publish(built: Built, name: str) -> Dataset:
    """The recipe of a dataset as `dataset_as_built`, of one that is made from what is there.

    Raises:
        PublishError: as `dataset_as_built`, or this version reads it otherwise, or a dataset that it is made from was
            built again since.
    """
    dataset = dataset_as_built(built, name)
    if not _is_readable(built, name, DATA):
        problem = f"dataset '{name}' was built by another version of zoo, and is read otherwise now"
        raise PublishError(problem, hint=f"zoo data build {name}{built.as_typed}")
    for parent, digest in _needs(built, name, DATA).get(DATA, {}).items():
        if digest != _receipt(built, parent, DATA).digest:
            problem = f"dataset '{name}' was made before '{parent}' was made again"
            raise PublishError(problem, hint=f"zoo data build {name}{built.as_typed}")
    return dataset


def overrides_of(run: Run) -> list[str]:
    """The changes that `--set` made to the recipe that the trained model of a run was built from.

    Its evaluation says it; where that is of another model, or was never finished, its training does.
    """
    trained, evaluated = run.receipt(TRAIN), run.receipt(EVALUATE)
    if trained is None:
        return []
    if evaluated and trained.digest in evaluated.made_from.get("needs", {}).get(TRAIN, {}).values():
        return [str(change) for change in evaluated.made_from["recipe"].get("overrides", [])]
    return [str(change) for change in trained.circumstances.get("overrides", [])]


def edited_part(built: Built, recipe: Recipe) -> str | None:
    """The part of a recipe that is not what was built; null when `zoo build` would find nothing of it to do."""
    was = as_built(built, recipe)
    if was.overrides != recipe.overrides:
        return f"{as_set(was.overrides)} was left out"
    pairs = [(STAGES[stage].part(was), STAGES[stage].part(recipe)) for stage in MEASURED]
    pairs += [({"datasets": _data_parts(was)}, {"datasets": _data_parts(recipe)})]
    pairs += [(_plugins(built, recipe), code_digests(recipe.base, recipe.phases))]
    pairs += [_base_files(built, recipe)]
    found = next(filter(None, (first_difference(before, now) for before, now in pairs)), None)
    return found or (edited_part(built, recipe.parent) if recipe.parent else None)


def _data_parts(recipe: Recipe) -> dict[str, Any]:
    return {name: STAGES[DATA].part(NamedDataset(name, dataset)) for name, dataset in recipe.datasets.items()}


def _plugins(built: Built, recipe: Recipe) -> dict[str, Any]:
    """The plugins that the recipe was trained with, as the ingredient that says so."""
    made_from = _made_from(built, recipe.name, TRAIN)
    return {"plugins": made_from["plugins"]} if "plugins" in made_from else {}


def _base_files(built: Built, recipe: Recipe) -> tuple[dict[str, Any], dict[str, Any]]:
    """The files of a base model in a folder, as they were trained from and as they are; none of one that is gone.

    What was built from a folder can be published without it.
    """
    was = _made_from(built, recipe.name, TRAIN).get("base_files")
    if was is None or not recipe.base.in_folder:
        return {}, {}
    try:
        return {"base_files": was}, {"base_files": file_digests(recipe.base.model, built.workspace.root)}
    except TrainError:
        return {}, {}


def edited_since(built: Built, recipes: Iterable[Recipe]) -> dict[str, list[str]]:
    """{what is not what was built: the recipes of which that is true}."""
    found: dict[str, list[str]] = {}
    for recipe in recipes:
        if what := edited_part(built, recipe):
            found.setdefault(what, []).append(recipe.name)
    return found


def _misfits(built: Built, recipe: Recipe) -> Iterator[str]:
    """Stages that were made from what is there no more."""
    for stage in MEASURED:
        for needed, made in _needs(built, recipe.name, stage).items():
            for name, digest in made.items():
                if digest != _receipt(built, name, needed).digest:
                    of = "" if name == recipe.name else f" of '{name}'"
                    yield f"'{stage}' was made before '{needed}'{of} was made again"


def _needs(built: Built, name: str, stage: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = _made_from(built, name, stage)["needs"]
    return found


def _is_readable(built: Built, name: str, stage: str) -> bool:
    """True when this version of zoo leaves such files at this stage itself."""
    return bool(_made_from(built, name, stage).get("format") == STAGES[stage].format)


def _made_from(built: Built, name: str, stage: str) -> dict[str, Any]:
    return _receipt(built, name, stage).made_from


def _receipt(built: Built, name: str, stage: str) -> Receipt:
    receipt = built.folder(name).receipt(stage)
    if receipt is None:
        dataset = STAGES[stage].of == "dataset"
        kind, command = ("dataset", "zoo data build") if dataset else ("recipe", "zoo build")
        scales = built.workspace.scales
        other = next((scale for scale in scales if built.at(scale).folder(name).finished(stage)), None)
        hint = f"add --scale {other}: there it is" if other else f"{command} {name}{built.as_typed}"
        raise PublishError(f"{kind} '{name}' has no finished stage '{stage}'", hint=hint)
    return receipt


def _way(built: Built, recipe: Recipe) -> str:
    return f"zoo build {recipe.name}{built.as_typed}"
