"""`zoo check --probe`: whether a base model can be built on, and what training would take on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zoo.isolation import with_package
from zoo.layout import DATA, TRAIN
from zoo.models.backbone.report import BackboneReport
from zoo.pipeline.build import Build, backbone_of
from zoo.pipeline.executors.apart import apart, needs_consent
from zoo.plugins.loading import root_in_use
from zoo.recipe import Recipe
from zoo.train import ingredients as train
from zoo.train.beside import commits
from zoo.train.probed import FOUND, PhaseProbe, less_memory

STEPS = 20  # of each phase
KILLED = "was ended by the system, as happens when memory runs out"


@dataclass(frozen=True)
class Probe:
    """The time and memory that training a recipe would take, phase by phase."""

    recipe: str
    start: str
    """The model that was loaded, in words."""
    built: Sequence[str]
    """Datasets that had to be built first."""
    phases: Sequence[PhaseProbe]
    """Empty where the base is broken: nothing was trained."""
    backbone: BackboneReport
    """What its base model does with words, padding and positions, as two processes load it."""

    @property
    def fits(self) -> bool:
        """False when a phase would certainly not get through."""
        return not self.backbone.problems() and all(phase.problem is None for phase in self.phases)

    @property
    def seconds(self) -> tuple[float, float, float] | None:
        """Seconds of all phases, [low, mean, high]; null when one could not be timed."""
        found = [phase.seconds for phase in self.phases]
        if not found or None in found:
            return None
        low, mean, high = (sum(times) for times in zip(*(one for one in found if one), strict=True))
        return low, mean, high

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            **asdict(self),
            "seconds": self.seconds,
            "fits": self.fits,
            "phases": [_facts(one) for one in self.phases],
            "backbone": {**self.backbone.model_dump(mode="json"), "problems": self.backbone.problems()},
        }


def _facts(phase: PhaseProbe) -> dict[str, Any]:
    return {**asdict(phase), "seconds": phase.seconds}


def probe(build: Build, recipe: Recipe, *, steps: int = STEPS) -> Probe:
    """Load a recipe's base model in two processes, and try some steps of each of its own phases in one of its own.

    A base that is broken is not trained. The recipe's run is left alone; its datasets are built when they are missing
    or stale.

    Raises:
        ZooError: data cannot be built, or the Hub does not answer.
    """
    with build.workspace.in_use():
        build.progress.start(f"{recipe.name}: loads '{recipe.base.model}' twice", None)
        backbone = backbone_of(build, recipe)
        build.progress.finish()
        if backbone.problems():
            return Probe(recipe.name, f"'{recipe.base.model}'", [], [], backbone)
        needs = [node for node in train.needs(recipe, build) if node.stage == DATA]
        new = [node for node in needs if node.key not in build.done]
        built = [node.name for node in new if build.make(node).did == "built"]
        spec, start = _spec(build, recipe)
        build.runs.mkdir(parents=True, exist_ok=True)
        phases = []
        for phase in recipe.phases:
            build.progress.start(f"{recipe.name}: tries {steps} steps of '{phase.name}'", None)
            with tempfile.TemporaryDirectory(prefix=".probe-", dir=build.runs) as folder:
                found = _apart(spec, phase.name, Path(folder), steps)
            build.progress.finish()
            if found.problem == KILLED:
                found = replace(found, advice=less_memory(phase, tokens=found.tokens, bf16=False))
            phases.append(found)
    return Probe(recipe.name, start, built, phases, backbone)


def _spec(build: Build, recipe: Recipe) -> tuple[dict[str, Any], str]:
    """The spec of the train stage, and the model it starts from: the base's where the parent's is not built."""
    spec = train.spec(recipe, build, {"base_revision": build.base_revision(recipe.base), **commits(recipe, build)})
    parent = recipe.parent
    if parent and not build.folder(parent.name).finished(TRAIN):
        return {**spec, "parent": None}, f"'{recipe.base.model}', as '{parent.name}' is not built yet"
    return spec, f"'{parent.name}', as it was built" if parent else f"'{recipe.base.model}'"


def _apart(spec: Mapping[str, Any], phase: str, folder: Path, steps: int) -> PhaseProbe:
    if not needs_consent(spec):
        return _probed(spec, phase, folder, steps, os.environ)
    with apart(spec, folder) as (checked, environment):
        return _probed(checked, phase, folder, steps, environment)


def _probed(
    spec: Mapping[str, Any], phase: str, folder: Path, steps: int, environment: Mapping[str, str]
) -> PhaseProbe:
    """Probe a phase in a process of this environment."""
    task = folder / "task.json"
    root = root_in_use()
    facts = {"workspace": str(root) if root else None, "spec": spec, "phase": phase, "steps": steps}
    task.write_text(json.dumps(facts), "utf-8")
    command = [sys.executable, "-P", "-m", "zoo.train.probe", str(task)]
    done = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=with_package(environment),
    )
    found = _left(phase, folder)
    if done.returncode == -signal.SIGKILL:
        return replace(found, problem=KILLED)
    if done.returncode:
        raise RuntimeError(f"the probe of '{phase}' ended with code {done.returncode}:\n{done.stderr}")
    return found


def _left(phase: str, folder: Path) -> PhaseProbe:
    """Reads what a probe has found, be it that its process was ended."""
    try:
        facts = json.loads((folder / FOUND).read_text("utf-8"))
    except (OSError, ValueError):
        return PhaseProbe(phase)
    return PhaseProbe(**{**facts, "step": tuple(facts["step"]) if facts["step"] else None})
