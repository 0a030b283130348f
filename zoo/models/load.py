"""Loads the models that sources describe: from the Hub, from a folder, with what a recipe lays over them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedTokenizerBase, dynamic_module_utils

from zoo import modules
from zoo.characters import brief
from zoo.errors import TrainError, ZooError
from zoo.isolation import consented_folder
from zoo.models.folder import folder_revision
from zoo.models.foreign.asked import kind_of_error, meant, way_to_load, way_to_safetensors
from zoo.models.foreign.trusted import trust
from zoo.models.identity import ModelSource, base_source
from zoo.models.shape import other_width, refuse_unfit
from zoo.modules.encoders import STOCK
from zoo.recipe.schema import Base, Recipe
from zoo.remote import explained

LOADING = {"use_safetensors": True, "allow_all_kernels": False, "device_map": None, "offload_folder": None}
"""Never a pickle, no compiled code of anybody's, and no folder that a model's own files name is written to."""
MADE_UP = re.compile(r"^(.+?) *\| *(?:\x1b\[\d+m)?MISSING", re.MULTILINE)  # in transformers' report
OTHER_SIZES = "ignore_mismatched_sizes"  # in its error, which speaks of a report above
ACCELERATORS = ("cuda", "mps", "xpu")

dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0  # wherever a library forgets to say False, it raises and does not ask


def require_device(name: str | None) -> None:
    """Refuse a device that this machine lacks; no name means the best there is.

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
    recipe: Recipe,
    *,
    base_revision: str,
    parent: Path | None,
    device: str | None,
    dtype: Literal["float32", "bfloat16"] = "float32",
    attention: str | None = None,
) -> SentenceTransformer:
    """A model that is ready to train: right width, prompts and similarity.

    Args:
        dtype: of its weights, however they were stored.
        attention: an `attn_implementation` of transformers; null: the best that the model has.

    Raises:
        TrainError: no such device; the model cannot be loaded, has not that attention, or is not as wide as the recipe
            says.
    """
    require_device(device)
    source = base_source(recipe.base, base_revision).model_copy(update={"dtype": dtype})
    if source.remote_code is not None and consented_folder() is None:
        raise ValueError(f"training '{recipe.name}' runs code of others, and this process may not")
    if parent is None:
        model = load_model(source, device, attention=attention)
        _require_unchanged(recipe.base, base_revision)
    else:
        with _attending(attention, recipe.base.model):
            model = saved_model(parent, device, **_weights(source, attention))
    _put_prompts(model, recipe.base.prompts, recipe.base.default_prompt)
    model.similarity_fn_name = "cosine"
    return model


def saved_model(folder: Path, device: str | None = None, **options: Any) -> SentenceTransformer:
    """A model that training saved, as it was, but for options that transformers takes when it loads weights.

    In a process that runs a model's code with consent, what it has saved is loaded with that code.

    Raises:
        TrainError: it has code of another origin.
    """
    return SentenceTransformer(str(folder), device=device, model_kwargs={**LOADING, **options}, **trust(folder))


def base_model(base: Base, revision: str, device: str | None = None) -> SentenceTransformer:
    """The untrained model with the pooling, prompts and length that the recipe says.

    Raises:
        TrainError: no such device; the model cannot be loaded, or is not as wide as the recipe says.
    """
    return load_model(base_source(base, revision), device)


def load_model(source: ModelSource, device: str | None = None, *, attention: str | None = None) -> SentenceTransformer:
    """The model that a source describes, ready to encode.

    One with consent to its code is loaded by a process apart, which alone runs that code (zoo/models/apart/model.py).

    Args:
        attention: an `attn_implementation` of transformers; null: the best that the model has.

    Raises:
        HubError: it cannot be fetched. TrainError, EvaluationError: it cannot be loaded, asks for code of its own, or
            has another width than the source says; or there is no such device.
    """
    if source.remote_code is not None:
        if (place := consented_folder()) is None:
            from zoo.models.apart.model import load_apart

            return load_apart(source, device, attention=attention)
        source = source.whole.model_copy(update={"place": str(place), "revision": None})
    require_device(device)
    if source.remote_code is None:
        refuse_unfit(source)
    try:
        with _explained(source.place), _attending(attention, source.place), _reported() as report:
            load, weights = _pooled if source.pooling else _whole, _weights(source, attention)
            model = load(source, device, weights)
    except ZooError:
        raise
    except Exception as error:  # for files that do not fit together, libraries raise anything
        raise _unloadable(source, error) from error
    _require_width(model, source)
    _require_whole(model, source, report)
    if source.prompts is not None:
        _put_prompts(model, source.prompts, source.default_prompt or _default_of(model, source))
    if source.max_seq_length is not None:
        model.max_seq_length = source.max_seq_length
    return model


def _put_prompts(model: SentenceTransformer, prompts: Mapping[str, str], default: str | None) -> None:
    """Replace the prompts of a model: those that its repository brings and nobody names are not kept."""
    model.prompts = {"query": "", "document": "", **prompts}
    model.default_prompt_name = default


def _default_of(model: SentenceTransformer, source: ModelSource) -> str | None:
    """A recipe decides about the default prompt too; for a model of the Hub its own stays, if it still has a text."""
    name: str | None = model.default_prompt_name
    return name if source.kind == "hub" and name in (source.prompts or {}) else None


def _require_width(model: SentenceTransformer, source: ModelSource) -> None:
    """Refuse a model whose vectors are not as wide as its source says."""
    width = model.get_embedding_dimension()
    if source.width is not None and width != source.width:
        raise other_width(source, width)


def _require_whole(model: SentenceTransformer, source: ModelSource, report: Sequence[str]) -> None:
    """Refuse a model with weights made up at random, or without a word in its tokenizer: both would get a score.

    A base model may lack weights: those that training adds. And nobody reads what BERT's pooler makes.
    """
    missing = [name for name in MADE_UP.findall("\n".join(report)) if "pooler" not in name]
    kind, what = kind_of_error(source.kind), f"model '{source.place}'"
    if missing and source.kind != "base":
        problem = f"{what} lacks weights, which would be made up at random: {brief(', '.join(missing))}"
        raise kind(problem, hint=_way(source))
    tokenizer = model.tokenizer
    if isinstance(tokenizer, PreTrainedTokenizerBase) and len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise kind(f"{what} has a tokenizer without a vocabulary: is a file missing?", hint=_way(source))


def _require_unchanged(base: Base, revision: str) -> None:
    """Refuse a base's folder that has another model by now than the one that receipts would name."""
    if base.in_folder and base.remote_code is None and folder_revision(base.model) != revision:
        problem = f"the model in '{base.model}' changed after this command had looked at it"
        raise TrainError(problem, hint="wait until nothing writes there, then run the command again")


class _Kept(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


@contextmanager
def _reported() -> Iterator[list[str]]:
    """Yield what transformers reports of the loading of weights, which it only logs; it is not printed."""
    logger, kept = logging.getLogger("transformers.modeling_utils"), list[str]()
    level, propagate, handler = logger.level, logger.propagate, _Kept(kept)
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield kept
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


HINTS = {
    "base": "zoo check --hub, which compares `base` in its recipe with the model's files",
    "beside": "is it an embedding model? See `loss` in the recipe's phases",
    "reading": "is it an embedding model?",
    "hub": "is it an embedding model?",
    "folder": "save it again with sentence-transformers",
    "recipe": "zoo build it again with --force train",
}


def _way(source: ModelSource) -> str:
    """The hint for a model that cannot be loaded; no Hub knows anything of a folder."""
    return HINTS["folder" if source.in_folder else source.kind]


def _unloadable(source: ModelSource, error: Exception) -> ZooError:
    """The error for a model that a library refuses; advice of the library's to run code or pickles is left out."""
    text, kind, what = str(error).strip(), kind_of_error(source.kind), f"model '{source.place}'"
    if (meaning := meant(text)) is not None:
        hint = way_to_safetensors(source) if "safetensors" in meaning else way_to_load(source)
        return kind(f"{what} {meaning}", hint=hint)
    if OTHER_SIZES in text:
        return kind(f"{what} has weights of other sizes than its config.json says", hint=_way(source))
    first = (text.splitlines() or [type(error).__name__])[0]
    if not isinstance(error, OSError | ValueError | ImportError):  # what the others say is no sentence
        first = f"{type(error).__name__}: {first}"
    return kind(f"cannot load {what}: {first}", hint=_way(source))


@contextmanager
def _explained(place: str) -> Iterator[None]:
    """Explain failures of the Hub as `explained` does, also those that transformers wraps into an OSError."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    with explained(f"load model '{place}'"):
        try:
            yield
        except OSError as error:
            if isinstance(error.__cause__, HfHubHTTPError | LocalEntryNotFoundError):
                raise error.__cause__ from None
            raise


@contextmanager
def _attending(attention: str | None, place: str) -> Iterator[None]:
    """Turn what transformers raises of an attention that a model, or this machine, lacks into a sentence."""
    try:
        yield
    except (ValueError, ImportError) as error:
        if attention is None or not re.search(r"atten|attn", str(error), re.IGNORECASE):
            raise
        problem = f"model '{place}' cannot have attn_implementation '{attention}': {brief(str(error).splitlines()[0])}"
        raise TrainError(problem, hint="leave attn_implementation out: then it has the best that there is") from None


def _whole(source: ModelSource, device: str | None, weights: dict[str, Any]) -> SentenceTransformer:
    """A model with modules of its own, or with those that sentence-transformers gives a plain repository."""
    options: dict[str, Any] = {"revision": source.revision, "device": device, "backend": source.backend}
    options |= _trust(source)
    return SentenceTransformer(source.place, model_kwargs=weights, **options)


def _pooled(source: ModelSource, device: str | None, weights: dict[str, Any]) -> SentenceTransformer:
    """A plain transformers model with the source's pooling and modules after it."""
    at: dict[str, Any] = {"revision": source.revision, **_trust(source)}
    settings = {
        "model_kwargs": {**at, **weights},
        "processor_kwargs": dict(at),
        "config_kwargs": dict(at),
        "backend": source.backend,
    }
    transformer = modules.build_encoder(source.encoder or STOCK, source.place, settings)
    behind = modules.build_modules(source.pooling, source.modules, transformer.get_embedding_dimension())
    return SentenceTransformer(modules=[transformer, *behind], device=device, **_trust(source))


def _trust(source: ModelSource) -> dict[str, bool]:
    """Code of others is run where there is consent to it, and we are in a process that may."""
    return {"trust_remote_code": source.remote_code is not None and consented_folder() is not None}


def _weights(source: ModelSource, attention: str | None) -> dict[str, Any]:
    dtype = {} if source.dtype == "stored" else {"dtype": source.dtype}
    return {**LOADING, **dtype, **({"attn_implementation": attention} if attention else {})}
