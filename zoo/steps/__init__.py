"""Steps that the rows of a dataset go through. To add one: one decorated function in a file here, or in `plugins/`.

The function's keyword arguments are the step's options in a recipe.
"""

from __future__ import annotations

from zoo.layout import EXTRA, WHY
from zoo.registry import import_all
from zoo.steps.step import (
    STEPS,
    StepResult,
    StepSpec,
    StepWork,
    encoders,
    files_of,
    models_asked,
    packages_of,
    run_step,
    tasks_met,
)

__all__ = [
    "EXTRA",
    "STEPS",
    "WHY",
    "StepResult",
    "StepSpec",
    "StepWork",
    "encoders",
    "files_of",
    "models_asked",
    "packages_of",
    "run_step",
    "tasks_met",
]

import_all(__name__, __path__)
