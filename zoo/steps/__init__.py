"""Steps that the rows of a dataset go through. To add one: one decorated function in a file here, or in `plugins/`.

The function's keyword arguments are the step's options in a recipe.
"""

from __future__ import annotations

from zoo.registry import import_all
from zoo.steps.step import STEPS, StepResult, StepSpec, encoders, run_step

__all__ = ["STEPS", "StepResult", "StepSpec", "encoders", "run_step"]

import_all(__name__, __path__)
