"""A workspace: a folder with `recipes/`. Finds recipes by name and resolves them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from shlex import quote
from typing import Any

import yaml
from pydantic import ValidationError

from zoo.characters import brief, refusal
from zoo.errors import RecipeError, WorkspaceError, did_you_mean
from zoo.recipe.check import base_mistakes, collect, family_mistakes, parent_mistake, resolved_mistakes, shared
from zoo.recipe.files import (
    BaseFile,
    Family,
    Scale,
    SourceFile,
    Variant,
    explain,
    key_path,
    name_of,
    parse,
    read,
    shown,
)
from zoo.recipe.schema import Dataset, Evaluation, NamedPhase, Recipe, Release, Section

NOT_BASES = {"family.yaml"}
NEARLY = {".yaml", ".yml"}  # in letters of either case


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
        return parse(Family, self._read(self._family_path))

    @cached_property
    def bases(self) -> dict[str, BaseFile]:
        return {name_of(path): parse(BaseFile, self._read(path)) for path in self._base_paths}

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return {name_of(path): parse(Dataset, self._read(path)) for path in self._dataset_paths}

    @property
    def _family_path(self) -> Path:
        return self.recipes / "family.yaml"

    @property
    def _base_paths(self) -> list[Path]:
        return [path for path in sorted(self.recipes.glob("*.yaml")) if path.name not in NOT_BASES]

    @property
    def _dataset_paths(self) -> list[Path]:
        return sorted((self.recipes / "datasets").glob("*.yaml"))

    @property
    def names(self) -> list[str]:
        """Every recipe's name, `<file>-<variant>`."""
        return list(self._variants)

    @property
    def _variants(self) -> dict[str, Variant]:
        return {f"{base}-{name}": made for base, file in self.bases.items() for name, made in file.variants.items()}

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
        """All of them, resolved.

        Raises:
            RecipeError: one cannot be, or two recipes or two datasets would overwrite each other on the Hub.
        """
        for name in self.datasets:
            self._check_dataset(name)
        return [self.recipe(name, scale=scale) for name in self.names]

    def dataset(self, name: str, *, scale: str = "full") -> Dataset:
        if name not in self.datasets:
            raise RecipeError(f"no dataset '{name}' in recipes/datasets/", hint=did_you_mean(name, self.datasets))
        self._check_dataset(name)
        return _limited(self.datasets[name], self._scale(scale))

    def problems(self) -> list[RecipeError]:
        """What is wrong with the workspace's files, at any scale: an error per file, with all of its mistakes."""
        kinds: dict[Path, type[Section]] = {self._family_path: Family, **dict.fromkeys(self._base_paths, BaseFile)}
        kinds |= dict.fromkeys(self._dataset_paths, Dataset)
        strays = [_stray(path) for folder in (self.recipes, self.recipes / "datasets") for path in _strays(folder)]
        unread = _caught(partial(self._parse, path, kind) for path, kind in kinds.items())
        if unread:  # where names lead cannot be told yet
            return strays + unread
        datasets = _caught(partial(self._check_dataset, name) for name in self.datasets)
        bases = _caught(partial(self._check, base) for base in self.bases)
        return [*strays, *_caught([self._check_family]), *datasets, *bases]

    def _parse(self, path: Path, kind: type[Section]) -> None:
        name_of(path)
        parse(kind, self._read(path))

    @property
    def scales(self) -> list[str]:
        """`full` first."""
        return ["full", *self.family.scales]

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
        self._check_family()
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
            evaluation=Evaluation(suite=suite, tasks=self.family.suites[suite]),
            release=Release(
                repo=variant.repo,
                license=file.license or self.family.license,
                language=file.language or self.family.language,
                tags=self.family.tags,
                summary=variant.summary,
                paper=self.family.paper,
            ),
        )

    def _check_family(self) -> None:
        apps = {path.name for folder in self.folders("spaces") for path in folder.iterdir() if path.is_dir()}
        mistakes = self._read(self._family_path).mistakes()
        collect(family_mistakes(self.family, self.datasets, apps), mistakes).check()

    def _check(self, base: str) -> None:
        """Every name in a base's file leads somewhere, and no repository in it is an earlier recipe's.

        Raises:
            RecipeError: with every mistake of the file.
        """
        file, mistakes = self.bases[base], self._read(self.recipes / f"{base}.yaml").mistakes()
        parents = {name: variant.parent for name, variant in self._variants.items()}
        collect(base_mistakes(file, self.family, lambda name: parent_mistake(f"{base}-{name}", parents)), mistakes)
        overwritten = shared({name: variant.repo for name, variant in self._variants.items()})
        for name, variant in file.variants.items():
            if (owner := self._split(f"{base}-{name}")[0]) != base:
                mistakes.add(("variants", name), f"variants.{name}: recipes/{owner}.yaml has '{base}-{name}' already")
            elif earlier := overwritten.get(f"{base}-{name}"):
                problem = f"variants.{name}.repo: '{variant.repo}' is the repository of recipe '{earlier}' too"
                mistakes.add(("variants", name, "repo"), problem)
        mistakes.check()

    def _check_dataset(self, name: str) -> None:
        repos = {known: dataset.release.repo for known, dataset in self.datasets.items() if dataset.release}
        if earlier := shared(repos).get(name):
            mistakes = self._read(self.recipes / "datasets" / f"{name}.yaml").mistakes()
            problem = f"release.repo: '{repos[name]}' is the repository of dataset '{earlier}' too"
            mistakes.add(("release", "repo"), problem)
            mistakes.check()

    def _phase(self, name: str, dims: list[int], scale: Scale) -> NamedPhase:
        """The family's phase with the recipe's dims and the scale's settings laid over it."""
        given = self.family.phases[name].model_dump()
        for use in given["data"]:
            _fill_dims(use["loss"], dims)
        given["train"] |= {**scale.train, **scale.phases.get(name, {})}
        return NamedPhase.model_validate({**given, "name": name})


def _strays(folder: Path) -> list[Path]:
    """Files that somebody took for recipes and that nothing reads."""
    return [path for path in sorted(folder.glob("*")) if path.suffix.lower() in NEARLY and path.suffix != ".yaml"]


def _stray(path: Path) -> RecipeError:
    right = f"{path.stem}.yaml"
    problem = f"'{shown(path)}' is not read: the names of recipe files end in '.yaml'"
    return RecipeError(problem, hint=f"rename it to {quote(right)}, or take it out of {shown(path.parent)}/")


def _caught(checks: Iterable[Callable[[], None]]) -> list[RecipeError]:
    found = []
    for check in checks:
        try:
            check()
        except RecipeError as problem:
            found.append(problem)
    return found


def _limited(dataset: Dataset, scale: Scale) -> Dataset:
    return dataset.model_copy(update={"rows": {**dataset.rows, **scale.rows}})


def _fill_dims(loss: dict[str, Any], dims: list[int]) -> None:
    """A matryoshka without dims gets the recipe's."""
    if "dims" in loss and loss["dims"] is None:
        loss["dims"] = dims
    if "inner" in loss:
        _fill_dims(loss["inner"], dims)


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
        name = f"{path.stem}-{next(iter(source.data['variants'] or ['hybrid']))}"
        hint = f"zoo show {quote(name)} > mine.yaml"
        raise RecipeError(f"'{path}' is the file of a base model, not a resolved recipe", hint=hint)
    recipe = parse(Recipe, source)
    collect(resolved_mistakes(recipe), source.mistakes()).check()
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
        _assign(data, path, _value(value, assignment))
    try:
        changed = Recipe.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        told = explain(key_path(problem), dict(problem), Recipe)
        raise RecipeError(f"--set: {told}", hint=f"zoo show {recipe.name}") from None
    if wrong := next(resolved_mistakes(changed), None):
        raise RecipeError(f"--set: {wrong[1]}", hint=f"zoo show {recipe.name}")
    return changed


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


def _assign(recipe: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place: Any = recipe
    for key in parents:
        place = place[_index(place, key, path)]
    place[_index(place, last, path)] = value


def _index(place: Any, key: str, path: str) -> Any:
    known = {name: index for name, (index, _) in _parts(place).items()}
    if key in known:
        return known[key]
    first = path.partition(".")[0]
    near = _inside(place, key) if key == first else None
    where = f" in '{path}'" if path != key else ""
    raise RecipeError(f"--set: no key '{key}'{where}", hint=near or did_you_mean(key, known) or "zoo show R")


def _parts(place: Any) -> dict[str, tuple[Any, Any]]:
    """What `--set` calls each part of a section or a list, to its key or number and itself."""
    if isinstance(place, dict):
        return {key: (key, part) for key, part in place.items()}
    if not isinstance(place, list):
        return {}
    named = {part["name"]: (at, part) for at, part in enumerate(place) if isinstance(part, dict) and "name" in part}
    return {**named, **{str(at): (at, part) for at, part in enumerate(place)}}


def _inside(place: Any, key: str) -> str | None:
    """A hint with the whole path of a key that stands further inside, the least deep of them."""
    found = sorted((path for path in _paths(place) if path.endswith(f".{key}")), key=lambda path: path.count("."))
    return f"did you mean '{found[0]}'?" if found else None


def _paths(place: Any, above: str = "") -> Iterator[str]:
    """Of every key but a parent's."""
    for name, (_, part) in _parts(place).items():
        if name != "parent":
            yield f"{above}{name}"
            yield from _paths(part, f"{above}{name}.")
