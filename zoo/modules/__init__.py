"""What models consist of: an encoder, then a pooling, then modules. To add one: a function here or in `plugins/`.

The function's keyword arguments are its options in a recipe.
"""

from __future__ import annotations

from zoo.modules.module import (
    ENCODERS,
    MODULES,
    POOLINGS,
    EncoderSpec,
    ModuleSpec,
    PoolingSpec,
    build_encoder,
    build_modules,
)
from zoo.modules.own import own_files
from zoo.registry import import_all

__all__ = [
    "ENCODERS",
    "MODULES",
    "POOLINGS",
    "EncoderSpec",
    "ModuleSpec",
    "PoolingSpec",
    "build_encoder",
    "build_modules",
    "own_files",
]

import_all(__name__, __path__)
