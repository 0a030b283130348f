"""The environment that heavy libraries read on import: they speak only when something is wrong."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

from zoo.errors import WorkspaceError

VARIABLES = {
    # Waiting threads sleep. OpenMP's default, spinning, costs nothing on an idle machine and triples the time of a
    # step when something else wants a core (recipes/LOG.md).
    "OMP_WAIT_POLICY": "PASSIVE",
    "DATASETS_VERBOSITY": "error",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_VERBOSITY": "error",  # its lines about retries: zoo tells how long it waits, and what did not answer
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Keeps the current folder, which may be a downloaded one, out of what the processes that we start import from."""

MEETING = "ZOO_MEETING"
"""Names the file by which processes of one training find each other; torch's own way is a port that anybody may ask."""


def lab_above(folder: Path) -> Path | None:
    """The nearest folder, from this one upwards, that is a lab: it has recipes/family.yaml; None where none is."""
    return next((one for one in (folder, *folder.parents) if (one / "recipes" / "family.yaml").is_file()), None)


def cache_folder() -> Path:
    """The folder for what is measured where there is no lab: `ZOO_CACHE`, else `zoo` among the user's caches.

    It is made where it is not there.

    Raises:
        WorkspaceError: it is a file, or cannot be made.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.environ.get("ZOO_CACHE") or Path(caches) / "zoo").expanduser().resolve()
    hint = "export ZOO_CACHE=DIR names another folder"
    if folder.exists() and not folder.is_dir():
        raise WorkspaceError(f"the cache folder '{folder}' is a file", hint=hint)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"cannot make the cache folder '{folder}': {error.strerror}", hint=hint) from None
    return folder


def prepare() -> None:
    """Set what the libraries read when they are imported. What the user has set stays."""
    for name, value in {**VARIABLES, **SAFE_PATH}.items():
        os.environ.setdefault(name, value)
    for name in ("datasets", "mteb", "sentence_transformers", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # scipy's, of correlations with a constant: a score that is no number is told in a sentence, with its task.
    warnings.filterwarnings("ignore", "An input array is (nearly )?constant")
