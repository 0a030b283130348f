"""Training that runs code of others, to which a recipe has consent: in processes with an own home and no secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import TrainError
from zoo.ids import ModelRef
from zoo.isolation import consented_environment, consented_folder, temporary_folder
from zoo.layout import TRAIN
from zoo.losses import models_of
from zoo.models.foreign.consent import COVERED, LEFT_OUT, WEIGHTS, checked_folder
from zoo.models.identity import ModelSource, base_source
from zoo.pipeline.executors.local import Execute, Task, here
from zoo.pipeline.executors.processes import THREADS, lines, threads_for
from zoo.pipeline.executors.torchrun import Torchrun
from zoo.pipeline.executors.wire import hear
from zoo.recipe import Recipe
from zoo.recipe.remotecode import RemoteCode
from zoo.remote import api, explained
from zoo.say import Progress

HOME = ".zoo-apart-"  # begins names of homes beside the folder that is filled: they may grow as large as the data
KEYLESS = ("tensorboard", "trackio")
"""Trackers that write to this machine alone."""


@dataclass(frozen=True)
class Consenting:
    """Does the work of stages as `execute` does; training that runs code of others is done in processes apart."""

    execute: Execute

    def __call__(self, task: Task, progress: Progress) -> None:
        """Do a stage's work; processes apart have ended afterwards, whatever came of it.

        Raises:
            ZooError: what the stage cannot do, or a process was killed; the code is not what consent was given to.
        """
        if task["stage"] != TRAIN or consented_folder() is not None or not needs_consent(task["spec"]):
            self.execute(task, progress)
            return
        devices = self._devices(task["spec"])
        with apart(task["spec"], Path(task["folder"]).parent) as (spec, environment):
            shared = {THREADS: threads_for(devices)} if devices > 1 else {}
            told = lines({**task, "spec": spec}, devices, {**shared, **environment})
            with closing(told):
                for line in told:
                    hear(line, progress)

    def _devices(self, spec: Mapping[str, Any]) -> int:
        recipe = Recipe.model_validate(spec["recipe"])
        refuse_keys([recipe], spec["report_to"])
        if isinstance(self.execute, Torchrun):
            return self.execute.devices
        if self.execute is not here:
            raise no_cluster(recipe)
        return 1


def needs_consent(spec: Mapping[str, Any]) -> bool:
    """True when training runs code of others: the base model's, or the same in the parent's model."""
    return _consent(Recipe.model_validate(spec["recipe"]), spec) is not None


def _consent(recipe: Recipe, spec: Mapping[str, Any]) -> RemoteCode | None:
    """The consent to the code that training starts with; null: it runs none."""
    members = recipe.lineage if spec["parent"] else [recipe]
    return next((member.base.remote_code for member in reversed(members) if member.base.remote_code), None)


def with_code(recipes: Sequence[Recipe]) -> list[Recipe]:
    """The recipes whose training runs code of others."""
    return [recipe for recipe in recipes if any(member.base.remote_code for member in recipe.lineage)]


def refuse_keys(recipes: Sequence[Recipe], report_to: Sequence[str]) -> None:
    """Raise a TrainError when training that runs code of others shall report to where a key is needed."""
    keyed = [name for name in report_to if name not in KEYLESS]
    if keyed and (found := with_code(recipes)):
        what = f"'{found[0].name}' runs code of '{found[0].base.model}', which gets no key for '{keyed[0]}'"
        raise TrainError(what, hint=" or ".join(f"--report-to {name}" for name in KEYLESS))


def no_cluster(recipe: Recipe) -> TrainError:
    """The error for a recipe whose training runs code of others, on a cluster."""
    what = f"'{recipe.name}' runs code of '{recipe.base.model}', which no cluster gets"
    return TrainError(what, hint=f"build it on this machine: zoo build {recipe.name} --on local")


@contextmanager
def apart(spec: Mapping[str, Any], beside: Path) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield the spec of a training, and the environment of the processes that may run the code of its model.

    The home is removed at the end, as are those of processes that were killed before.

    Args:
        spec: as `zoo.train.ingredients.spec` makes it.
        beside: the folder for their home.

    Raises:
        TrainError, EvaluationError: the code is not what consent was given to. HubError: it cannot be fetched.
    """
    recipe = Recipe.model_validate(spec["recipe"])
    beside.mkdir(parents=True, exist_ok=True)
    with checked_folder(_start(recipe, spec)) as model, temporary_folder(HOME, beside) as folder:
        environment = consented_environment(folder, model)
        _lay_beside(recipe, spec["models"], Path(environment["HF_HOME"]) / "hub")
        yield {**spec, "parent": str(model) if spec["parent"] else None}, environment


def _start(recipe: Recipe, spec: Mapping[str, Any]) -> ModelSource:
    """The model that training starts from: the base, or what the parent's training left."""
    if spec["parent"] is None:
        return base_source(recipe.base, spec["base_revision"])
    code = _consent(recipe, spec)
    return ModelSource(kind="recipe", place=spec["parent"], weights="parent", remote_code=code)


def _lay_beside(recipe: Recipe, commits: Mapping[str, str], cache: Path) -> None:
    """Fetch the models that losses name, and link them into a cache that is read without a Hub."""
    for one in models_of(recipe.phases):
        place = _fetched(one, commits[one.title]).parents[1]  # of snapshots/<commit>
        cache.mkdir(parents=True, exist_ok=True)
        (cache / place.name).symlink_to(place, target_is_directory=True)


def _fetched(model: ModelRef, commit: str) -> Path:
    wanted = [*COVERED, *WEIGHTS]
    with explained(f"load model '{model.model}'"):
        return Path(
            api().snapshot_download(model.model, revision=commit, allow_patterns=wanted, ignore_patterns=LEFT_OUT)
        )
