"""What stands behind a plain transformer: a pooling, then modules. To add one: a function here or in `plugins/`.

The function's keyword arguments are its options in a recipe.
"""

from __future__ import annotations

from zoo.modules.module import MODULES, POOLINGS, ModuleSpec, PoolingSpec, build_modules
from zoo.registry import import_all

__all__ = ["MODULES", "POOLINGS", "ModuleSpec", "PoolingSpec", "build_modules"]

import_all(__name__, __path__)
