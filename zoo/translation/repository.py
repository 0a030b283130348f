"""The files of a translation model on the Hub: small ones first, then its weights, which must be safetensors."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import DataError
from zoo.remote import api, explained
from zoo.translation.families import FILES

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
PICKLED = ("pytorch_model.bin", "tf_model.h5", "rust_model.ot")
LOOKED_AT = 10  # pull requests of a repository that may bring safetensors


def small_files(model: str, commit: str) -> Path:
    """The folder with all that a model has but its weights.

    Raises:
        HubError: it cannot be read.
    """
    return _fetched(model, commit, FILES)


def safe_weights(model: str, commit: str) -> Path:
    """The folder with a model's weights too.

    Raises:
        HubError: they cannot be read. DataError: they are pickled, which is code that would run here.
    """
    with explained(f"read model '{model}'"):
        files = api().list_repo_files(model, revision=commit)
    if not any(file.endswith(".safetensors") for file in files):
        found = next((file for file in files if file in PICKLED), None)
        what = f"its weights only as '{found}'" if found else "no weights"
        raise DataError(f"model '{model}' has {what}, and zoo reads safetensors alone", hint=_way_out(model))
    return _fetched(model, commit, (*FILES, *WEIGHTS))


def _fetched(model: str, commit: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    with explained(f"read model '{model}'"):
        return Path(snapshot_download(model, revision=commit, allow_patterns=list(patterns)))


def _way_out(model: str) -> str:
    """The commit of a pull request that brings safetensors, as the Hub's bot opens them; else how to get one."""
    with explained(f"read model '{model}'"):
        requests = api().list_repo_refs(model, include_pull_requests=True).pull_requests or []
        for request in requests[:LOOKED_AT]:
            if "model.safetensors" in api().list_repo_files(model, revision=request.target_commit):
                return f"write revision: {request.target_commit} beside it: {request.ref} of the model has them"
    space = "https://huggingface.co/spaces/safetensors/convert"
    return f"{space} opens a pull request that has them; write its commit as the step's revision"
