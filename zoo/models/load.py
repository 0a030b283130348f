"""Loads models as recipes describe them: a base model from the Hub, or one that we trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from zoo import modules
from zoo.errors import EvaluationError, TrainError
from zoo.recipe.schema import Base, Recipe
from zoo.remote import explained

LOADING = {"use_safetensors": True}  # never a pickle
ACCELERATORS = ("cuda", "mps", "xpu")


def require_device(name: str | None) -> None:
    """Nothing without a name: the best there is.

    Raises:
        TrainError: this machine has no such device.
    """
    if name is None:
        return
    known = ["cpu"]
    for kind in ACCELERATORS:
        count = torch.get_device_module(kind).device_count()
        known += [kind, *(f"{kind}:{index}" for index in range(count))] if count else []
    if name not in known:
        raise TrainError(f"this machine has no device '{name}'", hint=f"--device takes one of: {', '.join(known)}")


def starting_model(
    recipe: Recipe, *, base_revision: str, parent: Path | None, device: str | None
) -> SentenceTransformer:
    """Ready to train: right width, prompts and similarity.

    Raises:
        TrainError: no such device; the model cannot be loaded, or is not as wide as the recipe says.
    """
    require_device(device)
    model = (
        SentenceTransformer(str(parent), device=device) if parent else base_model(recipe.base, base_revision, device)
    )
    model.prompts = {"query": "", "document": "", **recipe.base.prompts}
    model.default_prompt_name = recipe.base.default_prompt
    model.similarity_fn_name = "cosine"
    return model


def base_model(base: Base, revision: str, device: str | None = None) -> SentenceTransformer:
    """The untrained model, pooled as the recipe says."""
    require_device(device)
    try:
        with _explained(base.model):
            model = _pooled(base, revision, device) if base.pooling else _whole(base, revision, device)
    except (OSError, ValueError) as error:
        message = str(error).strip().splitlines()[0]
        raise TrainError(f"cannot load model '{base.model}': {message}", hint="see `base` in its recipe") from error
    if (width := model.get_embedding_dimension()) != base.width:
        hint = f"set base.width: {width}, and dims no wider"
        raise TrainError(f"model '{base.model}' is {width} wide, its recipe says '{base.width}'", hint=hint)
    model.max_seq_length = base.max_seq_length
    return model


@contextmanager
def _explained(id: str) -> Iterator[None]:
    """As `explained`, also for what transformers wraps into an OSError of its own."""
    from huggingface_hub.errors import HfHubHTTPError

    with explained(f"load model '{id}'"):
        try:
            yield
        except OSError as error:
            if isinstance(error.__cause__, HfHubHTTPError):
                raise error.__cause__ from None
            raise


def _whole(base: Base, revision: str, device: str | None) -> SentenceTransformer:
    return SentenceTransformer(base.model, revision=revision, device=device, model_kwargs=LOADING)


def _pooled(base: Base, revision: str, device: str | None) -> SentenceTransformer:
    at: dict[str, Any] = {"revision": revision}
    transformer = Transformer(base.model, model_kwargs={**at, **LOADING}, processor_kwargs=at, config_kwargs=at)
    behind = modules.build(base, transformer.get_embedding_dimension())
    return SentenceTransformer(modules=[transformer, *behind], device=device)


def trained_model(folder: Path, device: str | None = None) -> SentenceTransformer:
    """A model that a train stage saved."""
    require_device(device)
    return SentenceTransformer(str(folder), device=device, model_kwargs=LOADING)


def hub_model(id: str, revision: str) -> SentenceTransformer:
    """Any model on the Hub that sentence-transformers can load without remote code.

    Raises:
        HubError: it cannot be fetched. EvaluationError: it cannot be loaded.
    """
    try:
        with _explained(id):
            return SentenceTransformer(id, revision=revision, model_kwargs=LOADING, trust_remote_code=False)
    except (OSError, ValueError) as error:
        message = str(error).strip().splitlines()[0]
        raise EvaluationError(f"cannot load model '{id}': {message}", hint="is it an embedding model?") from error
