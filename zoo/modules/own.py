"""Files of zoo's own that trained models carry, so that they load where there is no zoo. Nothing here imports them."""

from __future__ import annotations

from pathlib import Path

from zoo.run import file_digest

CARRIED = Path(__file__).parent / "carried"
"""The folder of these files: each stands alone, and imports nothing of zoo."""


def own_files() -> dict[str, str]:
    """{name: sha256} of the files that zoo puts beside a trained model, such as the module of a custom encoder."""
    return {path.name: file_digest(path) for path in sorted(CARRIED.glob("*.py"))}
