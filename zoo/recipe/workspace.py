"""A workspace: a folder with `recipes/`. Finds recipes by name and resolves them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from zoo.characters import brief, refusal
from zoo.errors import RecipeError, WorkspaceError, did_you_mean
from zoo.losses import LOSSES, innermost
from zoo.recipe.files import BaseFile, Family, Mistakes, Scale, SourceFile, Variant, explain, name_of, parse, read
from zoo.recipe.schema import Dataset, Evaluation, NamedPhase, Phase, Recipe, Release, Train
from zoo.tasks import TASKS

NOT_BASES = {"family.yaml"}


def shipped() -> Path:
    """The folder that holds our own recipes, cards and spaces: the checkout, or the package data of a wheel."""
    package = Path(__file__).parents[1]
    return package / "shipped" if (package / "shipped").is_dir() else package.parent


@dataclass(frozen=True)
class Workspace:
    root: Path
    _files: dict[Path, SourceFile] = field(default_factory=dict, compare=False)

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The nearest folder upwards that has `recipes/family.yaml`; `ZOO_WORKSPACE` names another one."""
        start = Path(os.environ.get("ZOO_WORKSPACE") or start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "recipes" / "family.yaml").is_file():
                return cls(folder)
        raise WorkspaceError(f"no recipes/family.yaml in '{start}' or above it", hint="zoo init my-lab && cd my-lab")

    @property
    def recipes(self) -> Path:
        return self.root / "recipes"

    def folders(self, name: str) -> list[Path]:
        """`cards` or `spaces`: the workspace's own, when it has one, before ours."""
        return [folder for folder in dict.fromkeys((self.root / name, shipped() / name)) if folder.is_dir()]

    @cached_property
    def family(self) -> Family:
        return parse(Family, self._read(self.recipes / "family.yaml"))

    @cached_property
    def bases(self) -> dict[str, BaseFile]:
        paths = (path for path in sorted(self.recipes.glob("*.yaml")) if path.name not in NOT_BASES)
        return {name_of(path): parse(BaseFile, self._read(path)) for path in paths}

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        paths = sorted((self.recipes / "datasets").glob("*.yaml"))
        return {name_of(path): parse(Dataset, self._read(path)) for path in paths}

    @property
    def names(self) -> list[str]:
        """Every recipe's name, `<file>-<variant>`."""
        return [f"{base}-{variant}" for base, file in self.bases.items() for variant in file.variants]

    def _read(self, path: Path) -> SourceFile:
        if path not in self._files:
            self._files[path] = read(path)
        return self._files[path]

    def recipe(self, name: str, *, scale: str = "full") -> Recipe:
        """The resolved recipe.

        Raises:
            RecipeError: no such recipe, or one that cannot be resolved: all reasons at once.
        """
        return self._resolve(name, self._scale(scale), scale)

    def every_recipe(self, *, scale: str = "full") -> list[Recipe]:
        return [self.recipe(name, scale=scale) for name in self.names]

    def dataset(self, name: str, *, scale: str = "full") -> Dataset:
        if name not in self.datasets:
            raise RecipeError(f"no dataset '{name}' in recipes/datasets/", hint=did_you_mean(name, self.datasets))
        return _limited(self.datasets[name], self._scale(scale))

    def _scale(self, name: str) -> Scale:
        scales = {"full": Scale(), **self.family.scales}
        if name not in scales:
            raise RecipeError(f"no scale '{name}' in recipes/family.yaml", hint=did_you_mean(name, scales))
        return scales[name]

    def _split(self, name: str) -> tuple[str, Variant]:
        """The base's name and the variant of a recipe's name.

        Raises:
            RecipeError: there is none of that name.
        """
        for base, file in self.bases.items():
            if name.startswith(f"{base}-") and name[len(base) + 1 :] in file.variants:
                return base, file.variants[name[len(base) + 1 :]]
        raise RecipeError(f"no recipe '{name}' in recipes/", hint=did_you_mean(name, self.names))

    def _resolve(self, name: str, scale: Scale, scale_name: str) -> Recipe:
        base, variant = self._split(name)
        self._check(base)
        file = self.bases[base]
        phases = [self._phase(phase, file.dims, scale) for phase in variant.phases]
        names = {use.dataset for phase in phases for use in phase.data} | {phase.dev for phase in phases if phase.dev}
        suite = file.suite or self.family.suite
        return Recipe(
            name=name,
            scale=scale_name,
            base=file.base,
            dims=file.dims,
            parent=self._resolve(variant.parent, scale, scale_name) if variant.parent else None,
            datasets={known: _limited(self.datasets[known], scale) for known in sorted(names)},
            phases=phases,
            evaluation=Evaluation(suite=suite, tasks=self._tasks(suite)),
            release=Release(
                repo=variant.repo,
                license=file.license or self.family.license,
                language=file.language or self.family.language,
                tags=self.family.tags,
                summary=variant.summary,
                paper=self.family.paper,
            ),
        )

    def _check(self, base: str) -> None:
        """Every name in a base's file leads somewhere, and losses fit the columns that they read.

        Raises:
            RecipeError: with every mistake of the file.
        """
        file = self.bases[base]
        mistakes = self._read(self.recipes / f"{base}.yaml").mistakes()
        _check_dims(file, mistakes)
        suite = file.suite or self.family.suite
        if suite not in self.family.suites:
            mistakes.add(("suite",), f"suite: no suite '{suite}' in family.yaml; {_or(suite, self.family.suites)}")
        for name, variant in file.variants.items():
            at = ("variants", name)
            if problem := self._wrong_parent(f"{base}-{name}", variant):
                mistakes.add((*at, "from"), f"from: {problem}")
            for index, phase in enumerate(variant.phases):
                for problem in self._wrong_phase(phase):
                    mistakes.add((*at, "phases", index), f"phases: {problem}")
        mistakes.check()

    def _wrong_parent(self, name: str, variant: Variant) -> str | None:
        line = [name]
        parent = variant.parent
        while parent is not None:
            if parent not in self.names:
                return f"no recipe '{parent}'; {_or(parent, self.names)}" if len(line) == 1 else None
            if parent in line:
                return f"'{variant.parent}' descends from itself: {' -> '.join([*line, parent])}"
            line.append(parent)
            parent = self._split(parent)[1].parent
        return None

    def _wrong_phase(self, name: str) -> list[str]:
        if name not in self.family.phases:
            return [f"no phase '{name}' in family.yaml; {_or(name, self.family.phases)}"]
        return wrong_phase(name, self.family.phases[name], self.datasets)

    def _phase(self, name: str, dims: list[int], scale: Scale) -> NamedPhase:
        """The family's phase with the recipe's dims and the scale's settings laid over it."""
        given = self.family.phases[name].model_dump()
        for use in given["data"]:
            _fill_dims(use["loss"], dims)
        given["train"] = self._train(given["train"], scale, name)
        return NamedPhase.model_validate({**given, "name": name})

    def _train(self, settings: dict[str, Any], scale: Scale, phase: str) -> Train:
        try:
            return Train.model_validate({**settings, **scale.train, **scale.phases.get(phase, {})})
        except ValidationError as error:
            mistakes = self._read(self.recipes / "family.yaml").mistakes()
            for problem in error.errors():
                ends = ((phase, *problem["loc"]), ("train", *problem["loc"]))
                at = next(at for at in mistakes.lines if at[0:1] == ("scales",) and at[-2:] in ends)
                mistakes.add(at, explain(at, dict(problem), Train))
            mistakes.check()
            raise

    def _tasks(self, suite: str) -> list[str]:
        tasks = self.family.suites[suite]
        mistakes = self._read(self.recipes / "family.yaml").mistakes()
        for index, task in enumerate(tasks):
            if task not in TASKS:
                at = ("suites", suite, index)
                mistakes.add(at, f"suites.{suite}: no evaluation task '{task}'; {_or(task, TASKS)}")
        mistakes.check()
        return tasks


def _or(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or "see `zoo ls`"


def _limited(dataset: Dataset, scale: Scale) -> Dataset:
    return dataset.model_copy(update={"rows": {**dataset.rows, **scale.rows}})


def _fill_dims(loss: dict[str, Any], dims: list[int]) -> None:
    """A matryoshka without dims gets the recipe's."""
    if "dims" in loss and loss["dims"] is None:
        loss["dims"] = dims
    if "inner" in loss:
        _fill_dims(loss["inner"], dims)


def _check_dims(file: BaseFile, mistakes: Mistakes) -> None:
    if file.dims != sorted(set(file.dims), reverse=True):
        mistakes.add(("dims",), f"dims: '{file.dims}' are not in decreasing order")
    if too_wide := [dim for dim in file.dims if dim > file.base.width]:
        mistakes.add(("dims",), f"dims: '{too_wide[0]}' is wider than the model ({file.base.width})")


def wrong_phase(name: str, phase: Phase, datasets: Mapping[str, Dataset]) -> list[str]:
    """What is wrong with a phase's datasets and losses."""
    used = [*(use.dataset for use in phase.data), *([phase.dev] if phase.dev else [])]
    wrong = [f"'{name}': no dataset '{gone}'; {_or(gone, datasets)}" for gone in used if gone not in datasets]
    for use in phase.data:
        if use.dataset in datasets and (problem := misfit(use.loss, datasets[use.dataset])):
            wrong.append(f"'{name}', dataset '{use.dataset}': {problem}")
    if phase.dev and phase.dev in datasets and not _is_scored(datasets[phase.dev]):
        wrong.append(f"'{name}': dev dataset '{phase.dev}' has no score column")
    return wrong


def _is_scored(dataset: Dataset) -> bool:
    return dataset.label is not None and dataset.label[1].type == "score" and len(dataset.texts) == 2


def misfit(loss: Any, dataset: Dataset) -> str | None:
    """Why `loss` cannot read `dataset`'s columns; None when it can."""
    inner = innermost(loss)
    needs = LOSSES[inner.type]
    least, most = needs.texts
    if not least <= len(dataset.texts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"loss '{inner.type}' reads {wanted} text columns, not {len(dataset.texts)}"
    has = dataset.label[1].type if dataset.label else None
    if has != needs.label:
        return f"loss '{inner.type}' reads {_label(needs.label)}, the dataset has {_label(has)}"
    classes = len(dataset.label[1].names or []) if dataset.label else 0
    if needs.label == "class" and inner.num_labels != classes:  # type: ignore[attr-defined]
        return f"loss '{inner.type}' has num_labels {inner.num_labels}, the dataset {classes} classes"  # type: ignore[attr-defined]
    return None


def _label(kind: str | None) -> str:
    return f"a {kind} column" if kind else "no label"


def dump(recipe: Recipe) -> str:
    """The resolved recipe as the one file that `zoo show` prints."""
    data = recipe.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def load_resolved(path: Path) -> Recipe:
    """A recipe from a file that `zoo show` printed.

    Raises:
        RecipeError: as for any recipe file, or a loss that cannot read its dataset.
    """
    source = read(path)
    if isinstance(source.data, dict) and "variants" in source.data:
        hint = f"zoo show {path.stem}-{next(iter(source.data['variants'] or ['hybrid']))} > mine.yaml"
        raise RecipeError(f"'{path}' is the file of a base model, not a resolved recipe", hint=hint)
    recipe = parse(Recipe, source)
    mistakes = source.mistakes()
    for member in recipe.lineage:
        for phase in member.phases:
            for problem in wrong_phase(phase.name, phase, member.datasets):
                mistakes.add(("phases",), f"phases: {problem}")
        for task in member.evaluation.tasks:
            if task not in TASKS:
                mistakes.add(("evaluation", "tasks"), f"no evaluation task '{task}'; {_or(task, TASKS)}")
        if too_wide := [dim for dim in member.dims if dim > member.base.width]:
            mistakes.add(("dims",), f"dims: '{too_wide[0]}' is wider than the model ({member.base.width})")
    mistakes.check()
    return recipe


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """`recipe` with `a.b=c` laid over it; list items go by number or by `name`.

    Raises:
        RecipeError: no such key, or a value that does not fit.
    """
    data = recipe.model_dump(mode="json", by_alias=True)
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        if not equals:
            raise RecipeError(
                f"'{assignment}' is not key=value", hint="for example --set phases.triplets.train.epochs=2"
            )
        _assign(data, path.split("."), _value(value, assignment), path)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        given = brief(problem["input"])
        raise RecipeError(f"--set: {place}: '{given}': {problem['msg']}", hint="zoo show R") from None


def _value(text: str, assignment: str) -> Any:
    """What stands after the '=', held to what recipe files are held to."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"--set: '{brief(assignment)}' is not YAML after the '='", hint="quote the value") from None
    if why := next(filter(None, map(refusal, _strings(found))), None):
        raise RecipeError(f"--set: {why}", hint="zoo show R")
    return found


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from _strings([*data, *data.values()])
    elif isinstance(data, list):
        for part in data:
            yield from _strings(part)


def _assign(data: Any, keys: list[str], value: Any, path: str) -> None:
    *parents, last = keys
    for key in parents:
        data = data[_index(data, key, path)]
    data[_index(data, last, path)] = value


def _index(data: Any, key: str, path: str) -> Any:
    if isinstance(data, list):
        named = {item["name"]: index for index, item in enumerate(data) if isinstance(item, dict) and "name" in item}
        known = {**named, **{str(index): index for index in range(len(data))}}
        if key in known:
            return known[key]
    elif isinstance(data, dict):
        known = dict.fromkeys(data, 0)
        if key in data:
            return key
    else:
        known = {}
    raise RecipeError(f"--set: no key '{key}' in '{path}'", hint=did_you_mean(key, known) or "zoo show R")
