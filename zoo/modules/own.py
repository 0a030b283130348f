"""Files of zoo's own that travel inside published models: each stands alone, and readers run it with their consent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from zoo.run import file_digest

FOLDER = Path(__file__).with_name("published")
ENCODER = "zoo_encoder.py"
ENCODER_CLASS = "zoo_encoder.Encoder"
"""The name of the class in a published model's modules.json."""


@cache
def own_files() -> dict[str, str]:
    """{file name: sha256} of the files of code that zoo puts into models."""
    return {path.name: file_digest(path) for path in sorted(FOLDER.glob("*.py"))}
