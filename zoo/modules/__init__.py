"""What stands behind a plain transformer: a pooling, then modules. To add one: a function here or in `plugins/`.

The function's keyword arguments are its options in a recipe.
"""

from __future__ import annotations

from zoo.modules.module import MODULES, POOLINGS, ModuleSpec, PoolingSpec, build_modules
from zoo.modules.own import own_files
from zoo.registry import import_all

__all__ = ["MODULES", "POOLINGS", "ModuleSpec", "PoolingSpec", "build_modules", "own_files"]

import_all(__name__, __path__)
