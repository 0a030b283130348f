"""Losses that recipes name. To add one: one decorated function in a file here, or in a workspace's `plugins/`.

The function's keyword arguments are the loss's options in a recipe.
"""

from __future__ import annotations

from zoo.losses.loss import (
    LOSSES,
    Loss,
    LossSpec,
    build_loss,
    innermost,
    is_sized,
    losses_blamed,
    models_of,
    nested,
    sizes,
    teacher_of,
)
from zoo.registry import import_all

__all__ = [
    "LOSSES",
    "Loss",
    "LossSpec",
    "build_loss",
    "innermost",
    "is_sized",
    "losses_blamed",
    "models_of",
    "nested",
    "sizes",
    "teacher_of",
]

import_all(__name__, __path__)
