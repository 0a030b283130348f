"""Mistakes in recipe files beyond their form: names that lead nowhere, places taken, and what does not fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.hub.frontmatter import KeyPath
from zoo.ids import is_folder
from zoo.metadata import metadata_problems
from zoo.modules.encoders import CUSTOM
from zoo.recipe.chain import licence_mistakes
from zoo.recipe.dataset import Dataset, Source, splits_key
from zoo.recipe.described import LAB, described_mistakes, further_mistakes, language_mistakes, membership_mistakes
from zoo.recipe.family import BaseFile, Family, OwnPhase, Scale, Variant
from zoo.recipe.fits import (
    Sized,
    dev_mistakes,
    length_mistake,
    loss_mistakes,
    prompt_mistakes,
    rows_mistakes,
    scale_mistakes,
    setting_mistakes,
    weight_mistakes,
    width_mistakes,
)
from zoo.recipe.found import Found, in_words, or_, under
from zoo.recipe.schema import Recipe
from zoo.recipe.sources import source_mistakes
from zoo.recipe.splits import SplitPart, parts_of
from zoo.recipe.training import Best, Phase, Train
from zoo.recipe.trials import trial_mistakes, trials
from zoo.recipe.variants import dims_mistakes, promise_mistake, rival_mistakes
from zoo.recipe.yamlfile import explain, key_text
from zoo.steps import STEPS
from zoo.tasks import TASKS

_BUILDERS = """
    arrow audiofolder cache conll csv eval fasta fastq genbank generator harbor hdf5 iceberg imagefolder json lance
    meshfolder mmcif niftifolder pandas parquet pdb pdffolder spark sql text tsfile videofolder vortex webdataset xml
"""
BUILDERS = frozenset(_BUILDERS.split())
"""Names that `datasets` takes for ways of reading files, before it looks for a repository."""
FILES = (".arrow", ".csv", ".gz", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".xlsx", ".zip")
OF_WEIGHTS = ("model", "width", "encoder", "pooling", "modules")
"""What a base model has in common with all that go on from its weights."""
READ = "write path: with the files, relative to the recipe, in the place of dataset:"


@dataclass(frozen=True)
class Vocabulary:
    """Names of the lab that its files may use."""

    suites: Collection[str]
    phases: Mapping[str, Phase]
    """Also those that a base file or a variant has for itself."""
    apps: Collection[str]


# ---- recipes/family.yaml, recipes/families/*.yaml


def family_mistakes(
    name: str, families: Mapping[str, Family], datasets: Mapping[str, Dataset], vocabulary: Vocabulary
) -> Found:
    """Mistakes in the file of a family, at every scale and also in what no recipe uses."""
    family = families[name]
    if name == LAB and "suite" not in family.model_fields_set:
        yield ("suite",), "is missing; write the name of one of suites"
    yield from described_mistakes(family, vocabulary.suites, vocabulary.apps)
    yield from further_mistakes(name, families) if name != LAB else ()
    yield from _suites(family)
    for phase, settings in family.phases.items():
        yield from under(("phases", phase), phase_mistakes(settings, datasets))
    for scale, amounts in family.scales.items():
        yield from under(("scales", scale), _scale(scale, amounts, vocabulary.phases, datasets))


def _suites(family: Family) -> Found:
    told: set[tuple[str, ...]] = set()  # a suite may be another one under a second name
    for suite, tasks in family.suites.items():
        if not tasks:
            what = "is empty, and a mean over no task is none"
            yield ("suites", suite), f"{what}; name a task: `zoo ls --tasks` lists them"
        if tuple(tasks) not in told:
            told.add(tuple(tasks))
            yield from under(("suites", suite), task_mistakes(tasks))


def task_mistakes(tasks: Sequence[str]) -> Found:
    """Mistakes in a list of evaluation tasks; places from the list on."""
    for index, task in enumerate(tasks):
        if task not in TASKS:
            yield (index,), f"no evaluation task '{task}'; {or_(task, TASKS)}"
        elif task in tasks[:index]:
            yield (index,), f"'{task}' stands twice, and a mean would count it twice; take one out"


def _scale(name: str, scale: Scale, phases: Mapping[str, Phase], datasets: Mapping[str, Dataset]) -> Found:
    if name == "full":
        yield (), "'full' is the recipe as it is written; give the scale another name"
    yield from under(("rows",), rows_mistakes(scale.rows))
    yield from _settings(("train",), scale.train)
    for phase, settings in scale.phases.items():
        if phase not in phases:
            yield ("phases", phase), f"no phase '{phase}' in phases; {or_(phase, phases)}"
        yield from _settings(("phases", phase), settings)
    yield from scale_mistakes(scale, phases, datasets)


def _settings(at: KeyPath, settings: Mapping[str, Any]) -> Found:
    """Mistakes in what is laid over a `train`. Each setting there is checked alone."""
    try:
        Train.model_validate(settings)
    except ValidationError as error:
        for problem in error.errors():
            place = (*at, *problem["loc"])
            yield place, explain(place, dict(problem), Train, settings).removeprefix(f"{key_text(place)}: ")


def phase_mistakes(phase: Phase, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes in a phase's datasets, losses and settings; places from the phase on."""
    for index, use in enumerate(phase.data):
        at: KeyPath = ("data", index)
        if use.dataset not in datasets:
            yield (*at, "dataset"), f"no dataset '{use.dataset}'; {or_(use.dataset, datasets)}"
            continue
        if use.dataset in [earlier.dataset for earlier in phase.data[:index]]:
            what = f"'{use.dataset}' stands twice, and only its last loss would train"
            yield (*at, "dataset"), f"{what}; copy its file in recipes/datasets/ under another name"
        if problem := _lacks(use.dataset, datasets[use.dataset], "train"):
            yield (*at, "dataset"), problem
        yield from under((*at, "prompts"), prompt_mistakes(use, datasets[use.dataset]))
        yield from under((*at, "loss"), loss_mistakes(use.loss, use.dataset, datasets[use.dataset]))
    yield from weight_mistakes(phase)
    if phase.dev:
        yield from _dev_mistakes(phase, datasets)
    if phase.best != Best() and phase.dev is None:
        yield ("best",), "there is no `dev` to choose the best by; add a `dev`, or take this out"
    yield from setting_mistakes(phase, datasets)


def _dev_mistakes(phase: Phase, datasets: Mapping[str, Dataset]) -> Found:
    dev = str(phase.dev)
    if dev not in datasets:
        yield ("dev",), f"no dataset '{dev}'; {or_(dev, datasets)}"
    elif wrong := list(dev_mistakes(phase, datasets)):
        yield from wrong
    elif problem := _lacks(dev, datasets[dev], "validation"):
        yield ("dev",), problem


def _lacks(name: str, dataset: Dataset, split: str) -> str | None:
    if split in dataset.splits:
        return None
    return f"'{name}' has no split '{split}'; add {split} to {splits_key(dataset)} in recipes/datasets/{name}.yaml"


# ---- recipes/datasets/*.yaml


def dataset_mistakes(name: str, dataset: Dataset, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes in the file of a dataset.

    Args:
        datasets: all that there are, which it may be made from.
    """
    yield from source_mistakes(name, dataset, datasets)
    for number, source in enumerate(dataset.every_source):
        yield from under(("source",) if dataset.source else ("sources", number), _source_mistakes(source))
    yield from under(("rows",), rows_mistakes(dataset.rows))
    for split in dataset.rows.keys() - set(dataset.splits):
        yield ("rows", split), f"there is no split '{split}' in {splits_key(dataset)}; add it there, or take this out"
    yield from _column_mistakes(dataset)
    if dataset.release:
        yield from under(("release",), language_mistakes(dataset.release.language))
        for found in metadata_problems({"task_categories": dataset.release.task_categories}, "dataset"):
            yield ("release", *found.path), "; ".join(filter(None, [found.message, found.hint]))
    yield from licence_mistakes(dataset)


def _source_mistakes(source: Source) -> Found:
    if source.dataset:
        if problem := _no_repository(source.dataset) or _in_the_way(source.dataset):
            yield ("dataset",), problem
        yield from under(("splits",), _split_mistakes(source.splits))


def _no_repository(name: str) -> str | None:
    """The reason why what looks like an id is none; None when it may be one."""
    if name in BUILDERS:
        return f"'{name}' is what `datasets` reads files with, and no repository; {READ}"
    return f"'{name}' is the name of a file, and no repository; {READ}" if name.endswith(FILES) else None


def _column_mistakes(dataset: Dataset) -> Found:
    if not dataset.texts:
        yield ("columns",), "none of them is a text; add one of type text, before the others"
    named = [step.type for step in dataset.steps]
    for name, column in dataset.columns.items():
        if column.made_by and column.made_by not in named:
            yield ("columns", name, "made_by"), f"no step '{column.made_by}' in steps; add it there"
    yield from _reading_mistakes(dataset)
    for index, step in enumerate(dataset.steps):
        if (
            problem := _step_mistake(index, dataset)
            or _order_mistake(index, dataset)
            or _option_mistake(index, dataset)
        ):
            yield ("steps", index), problem
        if STEPS[step.type].meets_tasks:
            yield from under(("steps", index, "tasks"), task_mistakes(step.tasks))


def _reading_mistakes(dataset: Dataset) -> Found:
    """Columns that are read and made into others by no step, or by two, and those that a step would make of none."""
    shaping = [(index, step.type) for index, step in enumerate(dataset.steps) if STEPS[step.type].reshapes]
    if dataset.reads and not shaping:
        known = [name for name in STEPS if STEPS[name].reshapes]
        yield ("reads",), f"no step makes columns of them; write one of {in_words(known)} in steps, or take this out"
    for index, name in shaping[:1] if not dataset.reads else ():
        example = "reads: {premise: {type: text}, hypothesis: {type: text}, label: {type: class, names: [...]}}"
        yield ("steps", index), f"step '{name}' makes columns of those in reads, and there are none; add {example}"
    for index, name in shaping[1:]:
        yield ("steps", index), f"step '{name}' comes after '{shaping[0][1]}', which made the columns; take one out"


def _option_mistake(index: int, dataset: Dataset) -> str | None:
    """The mistake in a step's options, beside the columns that come to it."""
    step, later = dataset.steps[index], {one.type for one in dataset.steps[index:]}
    entry, came = STEPS[step.type], dataset.columns_before(index)
    if entry.check is None or (entry.reshapes and not dataset.reads):
        return None
    problem = entry.check(step, {name: one for name, one in came.items() if one.made_by not in later}, dataset.columns)
    return f"step '{step.type}': {problem}" if problem else None


def suite_mistakes(dataset: Dataset, suites: Collection[str]) -> Found:
    """Suites that a dataset's steps name and that there are not."""
    for index, step in enumerate(dataset.steps):
        suite = getattr(step, "suite", None) if STEPS[step.type].meets_tasks else None
        if suite is not None and suite not in suites:
            yield ("steps", index, "suite"), f"no suite '{suite}' in family.yaml; {or_(suite, suites)}"


def _step_mistake(index: int, dataset: Dataset) -> str | None:
    """The reason why a step cannot read a dataset's columns, or fill the one that it fills."""
    name = dataset.steps[index].type
    entry, made = STEPS[name], [text for text in dataset.texts if dataset.columns[text].made_by == name]
    there = sum(column.type == "text" for column in dataset.columns_before(index).values())
    if there < entry.texts:
        return f"step '{name}' is for {entry.texts} text columns, and there are {there}; add one to columns"
    if not entry.fills:
        return f"step '{name}' fills no column, as '{made[0]}' says; take made_by out there" if made else None
    if made != dataset.texts[-1:] or len(dataset.columns) > entry.texts:
        last = dataset.texts[-1] if len(dataset.texts) == entry.texts else "negative"
        what = f"step '{name}' fills the last of {entry.texts} text columns, and there must be no others"
        return f"{what}; write columns.{last}: {{type: text, made_by: {name}}}, and leave others out"
    return None


def _order_mistake(index: int, dataset: Dataset) -> str | None:
    """The reason why a step stands in a place that is not its own: twice, or before the step that fills its columns."""
    steps, name = dataset.steps, dataset.steps[index].type
    if STEPS[name].fills and name in [step.type for step in steps[:index]]:
        return f"step '{name}' stands twice, and fills one column; take one out"
    filling = next((step.type for step in steps[index + 1 :] if STEPS[step.type].fills), None)
    if filling and STEPS[name].texts == len(dataset.texts):
        return f"step '{name}' reads the column that '{filling}' fills; write it after '{filling}'"
    return None


def _split_mistakes(splits: Mapping[Any, str]) -> Found:
    if not splits:
        yield (), "is empty; write {train: train}, or whichever splits the source has"
    for place, (ours, theirs) in enumerate(splits.items()):
        at: KeyPath = (ours,)
        parts = parts_of(theirs)
        if any(part is None for part in parts):
            yield at, f"'{theirs}' is no part of a split; write train[:1000], train[:90%], or train+test"
        elif empty := next((part for part in parts if part and part.empty), None):
            yield at, f"'{empty.text}' ends before it begins, so that no row is left; swap its ends"
        elif earlier := next((one for one in list(splits)[:place] if _share_rows(parts, parts_of(splits[one]))), None):
            yield (
                at,
                f"{_sharing(earlier, splits[earlier], ours, theirs)}; write one each, as train[:90%] and train[90%:]",
            )


def _sharing(earlier: str, its: str, ours: str, theirs: str) -> str:
    why = "models are chosen and measured by rows that they were trained on"
    if "train" not in (earlier, ours):
        why = "one set of rows would stand for two"
    what = f"'{theirs}' is our split '{earlier}' too"
    if its != theirs:
        what = f"'{theirs}' has rows of our split '{earlier}', which is '{its}'"
    return f"{what}, so {why}"


def _share_rows(parts: Sequence[SplitPart | None], others: Sequence[SplitPart | None]) -> bool:
    return any(one and other and one.shares(other) for one in parts for other in others)


def _in_the_way(repo_id: str) -> str | None:
    """The reason why libraries would not go to the Hub for this id; None when they would."""
    if is_folder(repo_id) or not Path(repo_id).is_dir():
        return None
    what = f"'{repo_id}' is a folder here, and libraries would read that"
    return f"{what}; rename it, or run zoo in another folder"


# ---- recipes/<base>.yaml


def base_mistakes(
    file: BaseFile, families: Collection[str], datasets: Mapping[str, Dataset], vocabulary: Vocabulary
) -> Found:
    """Mistakes in a base model's file, but for its variants'."""
    yield from dims_mistakes(file.dims, file.base)
    if problem := length_mistake(file.base.max_seq_length):
        yield ("base", "max_seq_length"), problem
    if file.base.reads_with == CUSTOM and file.base.remote_code is None:
        what = f"'{CUSTOM}' is for a model with code of its own, and there is no consent to any"
        way = "leave it out" if file.base.in_folder else f"zoo trust {file.base.model}, or leave it out"
        yield ("base", "encoder"), f"{what}; {way}"
    if problem := _in_the_way(file.base.model):
        yield ("base", "model"), f"{problem}; if that folder is meant, write ./{file.base.model}"
    for at, named in _members(file):
        yield from under(at, membership_mistakes(named.family, families))
        yield from under(at, described_mistakes(named, vocabulary.suites, vocabulary.apps))
    for at, phase in _own_phases(file):
        yield from under(at, phase_mistakes(phase, datasets))


def _members(file: BaseFile) -> Iterator[tuple[KeyPath, BaseFile | Variant]]:
    yield (), file
    for name, variant in file.variants.items():
        yield ("variants", name), variant


def _own_phases(file: BaseFile) -> Iterator[tuple[KeyPath, Phase]]:
    for name, phase in file.phases.items():
        yield ("phases", name), phase
    for name, variant in file.variants.items():
        for index, one in enumerate(variant.phases):
            if isinstance(one, OwnPhase):
                yield ("variants", name, "phases", index), one


# ---- A resolved recipe


def resolved_mistakes(recipe: Recipe) -> Found:
    """Mistakes in a resolved recipe and its parents: what their files would be checked for."""
    line: list[list[Sized]] = []
    for above, member in zip(range(len(recipe.lineage) - 1, -1, -1), recipe.lineage, strict=True):
        own: list[Sized] = [(phase.name, phase, member.dims) for phase in member.phases]
        line += [[(phase.name, phase, member.dims) for phase in trial] for trial in trials(member.phases)]
        yield from under(("parent",) * above, _member_mistakes(member, own, line))


def _member_mistakes(member: Recipe, own: Sequence[Sized], line: Sequence[Sequence[Sized]]) -> Found:
    for index, phase in enumerate(member.phases):
        yield from under(("phases", index), phase_mistakes(phase, member.datasets))
    for trial in trials(member.phases):
        for number, problem in trial_mistakes([phase.name for phase in trial], trial, tried=trial[0].trial is not None):
            yield ("phases", member.phases.index(trial[number])), problem
    parent = member.parent.base if member.parent else member.base
    for fact in OF_WEIGHTS:
        if (ours := getattr(member.base, fact)) != (theirs := getattr(parent, fact)):
            yield ("base", fact), f"'{ours}', and the parent, whose weights it starts from, has '{theirs}'; change both"
    for name, dataset in member.datasets.items():
        yield from under(("datasets", name), dataset_mistakes(name, dataset, member.datasets))
    yield from under(("evaluation", "tasks"), task_mistakes(member.evaluation.tasks))
    measured: dict[str | None, str] = {member.name: "itself", member.base.model: "the base model"}
    if member.parent:
        measured[member.parent.name] = "the parent"
    yield from under(("evaluation", "rivals"), rival_mistakes(member.evaluation.rivals, measured, None))
    wrong = [*dims_mistakes(member.dims, member.base)]
    yield from wrong
    for number, wide in width_mistakes(own, member.base.width):
        yield ("phases", number), wide
    if not wrong and (lacking := promise_mistake(member.dims, member.base.width, line, f"'{member.name}'", "it")):
        yield ("dims",), lacking


# ---- All of a file


def shared(repos: Mapping[str, str]) -> dict[str, str]:
    """{name: the earlier name whose repository it would overwrite}.

    On the Hub letters of either case are the same.
    """
    first: dict[str, str] = {}
    found = {name: first.setdefault(repo.lower(), name) for name, repo in repos.items()}
    return {name: earlier for name, earlier in found.items() if earlier != name}
