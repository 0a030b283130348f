"""A workspace: a folder with `recipes/`. Finds recipes by name and resolves them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from zoo.environment import lab_above
from zoo.errors import RecipeError, WorkspaceError, ZooError, did_you_mean
from zoo.plugins.loading import Plugins, plugged, read_plugins
from zoo.recipe.borrowed import Borrowed, borrowed_words
from zoo.recipe.chain import with_origins
from zoo.recipe.check import (
    Vocabulary,
    base_mistakes,
    dataset_mistakes,
    family_mistakes,
    shared,
    suite_mistakes,
)
from zoo.recipe.dataset import Dataset
from zoo.recipe.described import (
    LAB,
    Said,
    family_file,
    no_family,
    said_in,
    shared_name_mistakes,
    taken_from,
)
from zoo.recipe.doubts import base_doubts, family_doubts
from zoo.recipe.family import BaseFile, Collection, Described, Family, Leaderboard, Scale, Space, Variant
from zoo.recipe.fits import Sized
from zoo.recipe.found import collect, under
from zoo.recipe.order import order_doubts
from zoo.recipe.schema import Evaluation, ModelRelease, Recipe
from zoo.recipe.section import Section
from zoo.recipe.sources import file_mistakes
from zoo.recipe.training import NamedPhase, Phase
from zoo.recipe.trials import numbered
from zoo.recipe.variants import parent_mistake, rival_mistakes, variant_mistakes
from zoo.recipe.yamlfile import Mistakes, SourceFile, name_of, parse, read_yaml, shown

S = TypeVar("S", bound=Section)
NOT_BASES = {"family.yaml"}
SAID_OF_A_MODEL = ("license", "language", "tags", "paper", "authors", "citation", "cards", "examples")
NEARLY = {".yaml", ".yml"}  # in letters of either case


def shipped() -> Path:
    """The folder that holds our own recipes, cards and spaces: the checkout, or the package data of a wheel."""
    package = Path(__file__).parents[1]
    return package / "shipped" if (package / "shipped").is_dir() else package.parent


@dataclass(frozen=True)
class Workspace:
    """A folder with `recipes/`. Files are read when they are first needed, and once."""

    root: Path
    _files: dict[Path, SourceFile] = field(default_factory=dict, compare=False)

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The nearest folder upwards that has `recipes/family.yaml`; `ZOO_WORKSPACE` names another one."""
        start = Path(os.environ.get("ZOO_WORKSPACE") or start or Path.cwd()).resolve()
        if folder := lab_above(start):
            return cls(folder)
        raise WorkspaceError(f"no recipes/family.yaml in '{start}' or above it", hint="zoo init my-lab && cd my-lab")

    @property
    def recipes(self) -> Path:
        """The folder of the recipe files."""
        return self.root / "recipes"

    @property
    def suites_from(self) -> str:
        """The place of the suites, for people."""
        return "recipes/family.yaml"

    @property
    def hub(self) -> Path:
        """The folder of the local Hub."""
        return self.root / ".zoo" / "hub"

    @property
    def rehearsed(self) -> Workspace:
        """The workspace whose models and data fill the local Hub."""
        return self

    def folders(self, name: str) -> list[Path]:
        """`cards` or `spaces`: the workspace's own, when it has one, before ours."""
        return [folder for folder in dict.fromkeys((self.root / name, shipped() / name)) if folder.is_dir()]

    @cached_property
    def plugins(self) -> Plugins:
        """Plugins in `plugins/*.py` and installed packages, as they were when they were first asked for."""
        return read_plugins(self.root)

    @contextmanager
    def in_use(self) -> Iterator[Workspace]:
        """Let everything in the block find what the workspace's plugins add.

        Raises:
            PluginError: one of them is broken.
        """
        with plugged(self.plugins):
            yield self

    @cached_property
    def family(self) -> Family:
        """The checked content of recipes/family.yaml: the lab's, and its first family's."""
        with self.in_use():
            return parse(Family, self._read(self._family_path))

    @cached_property
    def families(self) -> dict[str, Family]:
        """{name: family}; `family` is that of recipes/family.yaml, and first."""
        with self.in_use():
            further = {_family_name(path): self._parsed(path, Family) for path in self._further_paths}
        return {LAB: self.family, **further}

    @property
    def suite(self) -> str:
        """The suite that evaluates where no other one is asked for: that of recipes/family.yaml.

        Raises:
            RecipeError: there is none.
        """
        self._check_family(LAB)
        return str(self.family.suite)

    @cached_property
    def suites(self) -> dict[str, list[str]]:
        """{name: evaluation tasks} of all families."""
        return {name: tasks for family in self.families.values() for name, tasks in family.suites.items()}

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """{name: phase} of all families, without those that a base file or a variant has for itself."""
        return {name: phase for family in self.families.values() for name, phase in family.phases.items()}

    def described(self, name: str) -> Described:
        """The description of a recipe's model, by its variant, its base file and its family, the nearest first.

        Raises:
            RecipeError: there is no such recipe, or it names a family that there is not.
        """
        return taken_from(self.family, *(one for _, _, one in self.above(name)))

    def above(self, name: str) -> Said:
        """Return what describes a recipe's model: its family, its base file and its variant.

        Raises:
            RecipeError: there is no such recipe, or it names a family that there is not.
        """
        base, variant = self.place_of(name)
        family, file = self.family_of(name), self.bases[base]
        if family not in self.families:
            raise RecipeError(no_family(family), hint=did_you_mean(family, self.families))
        own = file.variants[variant]
        return [(family_file(family), (), self.families[family]), (base, (), file), (base, ("variants", variant), own)]

    def family_of(self, name: str) -> str:
        """The name of a recipe's family, which there may be or not."""
        base, variant = self._split(name)
        return variant.family or self.bases[base].family or LAB

    def space_of(self, name: str) -> Space | None:
        """The Space that offers a recipe's model."""
        return self.described(name).space

    def collection_of(self, name: str) -> Collection | None:
        """The collection that lists a recipe's model."""
        return self.described(name).collection

    @property
    def spaces(self) -> dict[str, Space]:
        """{name of the repository: Space} of all that recipes lead to, in their order."""
        return {space.repo: space for name in self.names if (space := self.space_of(name))}

    @property
    def boards(self) -> dict[str, Leaderboard]:
        """{name of the repository: leaderboard} of the families that have one."""
        return {found.repo: found for family in self.families.values() if (found := family.leaderboard)}

    def ranked_by(self, repo: str) -> list[str]:
        """The names of the recipes whose family's leaderboard has this repository."""
        families = {
            name for name, family in self.families.items() if family.leaderboard and family.leaderboard.repo == repo
        }
        return [name for name in self.names if self.family_of(name) in families]

    @property
    def collections(self) -> dict[str, Collection]:
        """{title: collection} of all that recipes lead to, in their order."""
        return {found.title: found for name in self.names if (found := self.collection_of(name))}

    @cached_property
    def bases(self) -> dict[str, BaseFile]:
        """{name: file of a base model}."""
        with self.in_use():
            return {name_of(path): self._parsed(path, BaseFile) for path in self._base_paths}

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """{name: dataset recipe}."""
        with self.in_use():
            return {name_of(path): self._parsed(path, Dataset) for path in self._dataset_paths}

    @property
    def _family_path(self) -> Path:
        return self.recipes / "family.yaml"

    @property
    def _further_paths(self) -> list[Path]:
        return sorted((self.recipes / "families").glob("*.yaml"))

    @property
    def _base_paths(self) -> list[Path]:
        return [path for path in sorted(self.recipes.glob("*.yaml")) if path.name not in NOT_BASES]

    @property
    def _dataset_paths(self) -> list[Path]:
        return sorted((self.recipes / "datasets").glob("*.yaml"))

    @property
    def names(self) -> list[str]:
        """Names of all recipes, `<file>-<variant>`."""
        return list(self._variants)

    @property
    def _variants(self) -> dict[str, Variant]:
        return {f"{base}-{name}": made for base, file in self.bases.items() for name, made in file.variants.items()}

    def _read(self, path: Path) -> SourceFile:
        if path not in self._files:
            self._files[path] = read_yaml(path)
        return self._files[path]

    def recipe(self, name: str, *, scale: str = "full") -> Recipe:
        """The resolved recipe.

        Raises:
            RecipeError: no such recipe, or one that cannot be resolved: all reasons at once.
        """
        with self.in_use():
            return self._resolve(name, self._scale(scale), scale)

    def every_recipe(self, *, scale: str = "full") -> list[Recipe]:
        """All recipes, resolved.

        Raises:
            RecipeError: one cannot be, or two recipes or two datasets would overwrite each other on the Hub.
        """
        for name in self.datasets:
            self._check_dataset(name)
        return [self.recipe(name, scale=scale) for name in self.names]

    def dataset(self, name: str, *, scale: str = "full") -> Dataset:
        """The recipe of a dataset, with the scale's numbers of rows.

        Raises:
            RecipeError: there is none, or it would overwrite another one on the Hub.
        """
        if name not in self.datasets:
            raise RecipeError(f"no dataset '{name}' in recipes/datasets/", hint=did_you_mean(name, self.datasets))
        self._with_parents([name])
        return _limited(with_origins(name, self.datasets), self._scale(scale))

    def datasets_behind(self, datasets: Iterable[Dataset], *, scale: str = "full") -> list[Dataset]:
        """Return these datasets, and those of the workspace that their rows come from.

        Raises:
            RecipeError: one of the latter is not there.
        """
        found = list(datasets)
        for dataset in found:  # grows on the way
            parents = [self.dataset(source.parent, scale=scale) for source in dataset.every_source if source.parent]
            found += [parent for parent in parents if parent not in found]
        return found

    def problems(self) -> list[ZooError]:
        """Errors in the workspace's files, at any scale: one per file, with all of its mistakes."""
        folders = (self.recipes, self.recipes / "families", self.recipes / "datasets")
        strays = [_stray(path) for folder in folders for path in _strays(folder)]
        if self.plugins.problems:  # what recipes may name cannot be told yet
            return [*strays, *self.plugins.problems]
        with self.in_use():
            return [*strays, *self._mistakes()]

    def doubts(self) -> list[str]:
        """Sentences on what is right in the files and may be meant otherwise, each with its file, line and key path.

        Raises:
            RecipeError: a file cannot be read.
        """
        families = self.families.items()
        found = [collect(family_doubts(family), self.mistakes_in(family_file(name))) for name, family in families]
        found += [collect(base_doubts(file), self.mistakes_in(name)) for name, file in self.bases.items()]
        found += [
            collect(order_doubts(dataset), self.mistakes_in(name, dataset=True))
            for name, dataset in self.datasets.items()
        ]
        found += [collect(iter([(at, told)]), self.mistakes_in(file)) for file, at, told in self._borrowed()]
        return [sentence for mistakes in found for sentence in mistakes.sentences()]

    def _borrowed(self) -> Borrowed:
        ours = Workspace(shipped())
        if self.recipes.resolve() != ours.recipes.resolve():
            yield from borrowed_words(self.families, self.bases, ours.family, lambda: ours.bases)

    def mistakes_in(self, name: str, *, dataset: bool = False) -> Mistakes:
        """An empty collection for the mistakes of a file: of a base model, a dataset, or a family (`family_file`)."""
        folder = self.recipes / "datasets" if dataset else self.recipes
        return self._read(folder / f"{name}.yaml").mistakes()

    def _mistakes(self) -> list[RecipeError]:
        kinds: dict[Path, type[Section]] = dict.fromkeys([self._family_path, *self._further_paths], Family)
        kinds |= {**dict.fromkeys(self._base_paths, BaseFile), **dict.fromkeys(self._dataset_paths, Dataset)}
        unread = _caught(partial(self._parse, path, kind) for path, kind in kinds.items())
        if unread:  # where names lead cannot be told yet
            return unread
        datasets = _caught(partial(self._check_dataset, name) for name in self.datasets)
        datasets += _caught(partial(self.check_files, name) for name in self.datasets)
        bases = _caught(partial(self._check, base) for base in self.bases)
        families = _caught(partial(self._check_family, name) for name in self.families)
        return [*families, *datasets, *bases]

    def _parse(self, path: Path, kind: type[Section]) -> None:
        _family_name(path) if path in self._further_paths else name_of(path)
        self._parsed(path, kind)

    def _parsed(self, path: Path, kind: type[S]) -> S:
        source = self._read(path)
        keys = source.data.keys() if isinstance(source.data, dict) else set()
        for other, has, folder in (
            (Dataset, {"source", "columns"}, self.recipes / "datasets"),
            (BaseFile, {"base", "variants"}, self.recipes),
        ):
            if other is not kind and has <= keys:
                what = "a dataset" if other is Dataset else "a base model"
                hint = f"mv {quote(shown(path))} {quote(shown(folder))}/"
                raise RecipeError(f"'{shown(path)}' is the recipe of {what}, in the folder of others", hint=hint)
        return parse(kind, source)

    @property
    def scales(self) -> list[str]:
        """Names of all scales, `full` first."""
        return ["full", *self.family.scales]

    def require_scale(self, name: str) -> None:
        """Refuse a scale that is none of the lab's.

        Raises:
            RecipeError: it is none.
        """
        self._scale(name)

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
        if name in self.datasets:
            raise RecipeError(f"'{name}' is a dataset, no recipe of a model", hint=f"zoo data build {name}")
        raise RecipeError(f"no recipe '{name}' in recipes/", hint=did_you_mean(name, self.names))

    def _resolve(self, name: str, scale: Scale, scale_name: str) -> Recipe:
        base, variant = self._split(name)
        self._check_families()
        self._check(base)
        file, said, known = self.bases[base], self.described(name), self.phases_of(name)
        dims = variant.dims or file.dims
        phases = [_phase(one, trial, known[one], dims, scale) for one, trial in numbered(variant)]
        names = {use.dataset for phase in phases for use in phase.data} | {phase.dev for phase in phases if phase.dev}
        datasets = self._with_parents(names)
        suite, family = str(said.suite), self.family_of(name)
        return Recipe(
            name=name,
            scale=scale_name,
            base=file.base,
            dims=dims,
            parent=self._resolve(variant.parent, scale, scale_name) if variant.parent else None,
            datasets={known: _limited(with_origins(known, self.datasets), scale) for known in datasets},
            phases=phases,
            evaluation=Evaluation(suite=suite, tasks=self.suites[suite], **dict(variant.evaluation)),
            release=ModelRelease(
                repo=variant.repo,
                summary=variant.summary,
                family=family if family != LAB else None,
                **{key: getattr(said, key) for key in SAID_OF_A_MODEL},
            ),
        )

    def place_of(self, name: str) -> tuple[str, str]:
        """The name of a recipe's file, and of its variant there.

        Raises:
            RecipeError: there is no such recipe.
        """
        base, _ = self._split(name)
        return base, name[len(base) + 1 :]

    def phases_of(self, name: str) -> dict[str, Phase]:
        """{name: phase} of all that a recipe may train: the families', its file's and its own, the nearest last."""
        base, variant = self._split(name)
        return {**self.phases, **self.bases[base].phases, **variant.own_phases}

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        apps = {path.name for folder in self.folders("spaces") for path in folder.iterdir() if path.is_dir()}
        own = {name: phase for one in self.names for name, phase in self.phases_of(one).items()}
        return Vocabulary(self.suites, {**own, **self.phases}, apps)

    @cached_property
    def said(self) -> Said:
        """All that describe models in its files, in the order in which they are read."""
        return said_in(self.families, self.bases)

    def _check_families(self) -> None:
        for name in self.families:
            self._check_family(name)

    def _check_family(self, name: str) -> None:
        file = family_file(name)
        mistakes = self.mistakes_in(file)
        collect(family_mistakes(name, self.families, self.datasets, self._vocabulary), mistakes)
        collect(shared_name_mistakes(file, self.said, [*self.names, *self.datasets]), mistakes).check()

    def _check(self, base: str) -> None:
        """Check that the names in a base's file lead somewhere, and no repository is an earlier recipe's.

        Raises:
            RecipeError: with every mistake of the file.
        """
        file, mistakes = self.bases[base], self.mistakes_in(base)
        parents = {name: variant.parent for name, variant in self._variants.items()}
        bases = {f"{one}-{name}": (one, made.base) for one, made in self.bases.items() for name in made.variants}
        collect(base_mistakes(file, self.families, self.datasets, self._vocabulary), mistakes)
        collect(shared_name_mistakes(base, self.said, [*self.names, *self.datasets]), mistakes)
        overwritten = shared({name: variant.repo for name, variant in self._variants.items()})
        for name, variant in file.variants.items():
            wrong = parent_mistake(f"{base}-{name}", parents, bases)
            line = None if wrong else self._line(f"{base}-{name}")
            known = self.phases_of(f"{base}-{name}")
            collect(variant_mistakes(variant, file, name, line, wrong, known, self.family.namespace), mistakes)
            measured = {f"{base}-{name}": "itself", variant.parent: "the parent", file.base.model: "the base model"}
            found = rival_mistakes(variant.evaluation.rivals, measured, parents)
            collect(under(("variants", name, "evaluation", "rivals"), found), mistakes)
            if (owner := self._split(f"{base}-{name}")[0]) != base:
                mistakes.add(("variants", name), f"variants.{name}: recipes/{owner}.yaml has '{base}-{name}' already")
            elif earlier := overwritten.get(f"{base}-{name}"):
                problem = f"'{variant.repo}' is the repository of recipe '{earlier}' too; choose another name"
                mistakes.add(("variants", name, "repo"), f"variants.{name}.repo: {problem}")
        mistakes.check()

    def _with_parents(self, names: Iterable[str]) -> list[str]:
        """The names of these datasets and of those that they are made from, each of which is checked."""
        found, more = set[str](), list(names)
        while more:
            found.add(name := more.pop())
            self._check_dataset(name)  # its parents are there
            more += [parent for parent in self.datasets[name].parents if parent not in found]
        return sorted(found)

    def _line(self, name: str) -> list[list[Sized]] | None:
        """The phases of a recipe's parents and its own, oldest first, each with its alternatives.

        None when there is no such phase or parent.
        """
        base, variant = self._split(name)
        if variant.parent is not None and variant.parent not in self._variants:
            return None
        above = self._line(variant.parent) if variant.parent else []
        known = self.phases_of(name)
        if above is None or any(phase not in known for trial in variant.trials for phase in trial):
            return None
        dims = variant.dims or self.bases[base].dims
        own = [[(phase, known[phase], dims) for phase in trial] for trial in variant.trials]
        return [*above, *own]

    def _check_dataset(self, name: str) -> None:
        repos = {known: dataset.release.repo for known, dataset in self.datasets.items() if dataset.release}
        mistakes = self.mistakes_in(name, dataset=True)
        collect(dataset_mistakes(name, with_origins(name, self.datasets), self.datasets), mistakes)
        collect(suite_mistakes(self.datasets[name], self.suites), mistakes)
        if earlier := shared(repos).get(name):
            problem = f"'{repos[name]}' is the repository of dataset '{earlier}' too; choose another name"
            mistakes.add(("release", "repo"), f"release.repo: {problem}")
        mistakes.check()

    def check_files(self, name: str) -> None:
        """Check that the paths in a dataset's recipe lead to files.

        Raises:
            RecipeError: one leads to none, or to what is no file of rows.
        """
        mistakes = self.mistakes_in(name, dataset=True)
        collect(file_mistakes(self.datasets[name], self.recipes / "datasets"), mistakes).check()


def _phase(name: str, trial: int | None, phase: Phase, dims: list[int], scale: Scale) -> NamedPhase:
    """A phase with the recipe's dims and the scale's settings laid over it."""
    given = phase.model_dump()
    for use in given["data"]:
        if isinstance(use["loss"], dict):
            _fill_dims(use["loss"], dims)
    given["train"] |= {**scale.train, **scale.phases.get(name, {})}
    return NamedPhase.model_validate({**given, "name": name, "trial": trial})


def _family_name(path: Path) -> str:
    """The name of a further family.

    Raises:
        RecipeError: it is no name, or that of the lab's own file.
    """
    if (name := name_of(path)) == LAB:
        raise RecipeError(f"'{shown(path)}' is called like recipes/family.yaml", hint="rename it, as the family is")
    return name


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
    there = {split: rows for split, rows in scale.rows.items() if split in dataset.splits}
    return dataset.model_copy(update={"rows": {**dataset.rows, **there}})


def _fill_dims(loss: dict[str, Any], dims: list[int]) -> None:
    """Give a matryoshka loss without dims the recipe's. A loss without options is its name alone."""
    if "dims" in loss and loss["dims"] is None:
        loss["dims"] = dims
    if isinstance(inner := loss.get("inner"), dict):
        _fill_dims(inner, dims)
