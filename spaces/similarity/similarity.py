"""Models that the Space offers, and how alike their vectors are. Knows nothing of the page."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from httpx2 import HTTPError
from safetensors import SafetensorError

try:  # on ZeroGPU hardware: before torch is imported, and at least one function must be marked
    from spaces import GPU as on_gpu  # noqa: N811 - a decorator, whatever its name
except ImportError:

    def on_gpu(function):
        return function


if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MODELS_IN_MEMORY = 3  # LaBSE alone takes 1.9 GB; the free Space has 16
MOST_CHARACTERS = 5_000
MOST_LINES = 100
SMALLEST_DIM = 64
FIELDS = {"id", "revision", "title", "dims", "code"}
DECIDING = (".py", ".json", ".jinja")  # files of a model that are code, or say which code is run
RECORDS = ("zoo/", "adapter/", ".")  # paths of what is not loaded

# What files, the Hub's client, safetensors and transformers raise for a model that is absent or broken.
LOADING_FAILS = (OSError, ValueError, KeyError, RuntimeError, ImportError, HTTPError, SafetensorError)

log = logging.getLogger(__name__)
_loading = Lock()


class SpaceError(Exception):
    """A problem that the reader or the owner of the Space can put right: a text, and values for its places."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.text.format(**self.values)


@dataclass(frozen=True)
class Model:
    """A model that the Space offers."""

    id: str
    """`owner/name` on the Hub, or a folder."""
    revision: str | None
    title: str
    dims: tuple[int, ...]
    """Sizes the model was trained with, widest first; empty when nobody said."""
    code: str | None = None
    """sha256 over the files that decide which code of the model's own is run; None: none of it is."""


# ---- the list of models ----


def catalogue(folder: Path, env: Mapping[str, str]) -> list[Model]:
    """The models in `models.json` in this folder, else those whose ids are in SPACE_MODELS. Never empty.

    Raises:
        SpaceError: neither is there, or models.json has a mistake; the message names the entry.
    """
    listing = folder / "models.json"
    models = parse_models(listing.read_text("utf-8")) if listing.exists() else parse_ids(env.get("SPACE_MODELS", ""))
    if not models:
        raise SpaceError("No models yet: put a models.json beside app.py, or set the variable SPACE_MODELS.")
    return models


def parse_ids(text: str) -> list[Model]:
    """The models in a list of ids or folders between commas, at their newest revision, dims not said."""
    ids = [part.strip().rstrip("/") for part in text.split(",")]
    return [Model(model_id, None, Path(model_id).name, ()) for model_id in dict.fromkeys(ids) if model_id]


def parse_models(text: str) -> list[Model]:
    """The models in a JSON list of {id, revision, title, dims, code}, all but the id optional, in its order."""
    try:
        rows = json.loads(text)
    except ValueError as why:
        raise _bad_listing(f"is not JSON ({why})") from why
    if not isinstance(rows, list):
        raise _bad_listing("is not a list")
    for number, row in enumerate(rows, start=1):
        if mistake := _mistake(row):
            raise _bad_listing(f"entry {number}: {mistake}")
    models = [_model(row) for row in rows]
    if len({model.id for model in models}) < len(models):
        raise _bad_listing("names the same id twice")
    return models


def _bad_listing(mistake: str) -> SpaceError:
    return SpaceError("models.json {mistake}", mistake=mistake)


def _mistake(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "is not an object"
    if unknown := sorted(row.keys() - FIELDS):
        return f"unknown key '{unknown[0]}'"
    if not isinstance(row.get("id"), str) or not row["id"].strip():
        return "'id' is missing"
    if row.get("revision") is not None and not re.fullmatch(r"[0-9a-f]{40}", str(row["revision"])):
        return f"revision '{row['revision']}' is not 40 hex digits"
    if not isinstance(row.get("title") or "", str):
        return "'title' is not text"
    if row.get("code") is not None and not re.fullmatch(r"[0-9a-f]{64}", str(row["code"])):
        return f"code '{row['code']}' is not 64 hex digits"
    dims = row.get("dims") or []
    if not isinstance(dims, list) or not all(type(dim) is int and dim > 0 for dim in dims):
        return "'dims' is not a list of whole numbers above 0"
    return None


def _model(row: dict[str, Any]) -> Model:
    dims = tuple(sorted(set(row.get("dims") or ()), reverse=True))
    return Model(row["id"], row.get("revision"), row.get("title") or Path(row["id"]).name, dims, row.get("code"))


def find(models: Sequence[Model], model_id: str | None) -> Model:
    """The model of that id; the first when none is asked for."""
    for model in models:
        if model_id in (None, "", model.id):
            return model
    known = ", ".join(model.id for model in models)
    raise SpaceError("No model '{model}'. There are: {known}", model=model_id, known=known)


# ---- vectors ----


def load(model: Model) -> SentenceTransformer:
    """The model, from memory when it was used lately. A failure is not remembered: the next call tries again."""
    with _loading:
        try:
            return _load(model.id, model.revision, model.code)
        except LOADING_FAILS as why:
            log.exception("%s does not load", model.id)
            failed = "{model} could not be loaded. Try another model, or this one again in a while."
            raise SpaceError(failed, model=model.title) from why


@lru_cache(maxsize=MODELS_IN_MEMORY)
def _load(model_id: str, revision: str | None, code: str | None) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer  # seconds of torch: the page is up before it is needed

    if code is None:
        return SentenceTransformer(model_id, revision=revision, trust_remote_code=False)
    folder = _compared(model_id, revision, code)
    return SentenceTransformer(str(folder), trust_remote_code=True, model_kwargs={"use_safetensors": True})


def _compared(model_id: str, revision: str | None, code: str) -> Path:
    """The folder of a model that runs code of its own, after it was compared with what the list says, byte for byte."""
    from huggingface_hub import snapshot_download

    folder = Path(model_id) if Path(model_id).is_dir() else Path(snapshot_download(model_id, revision=revision))
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in DECIDING}
    names = sorted(name for name in files if not name.startswith(RECORDS))
    lines = "".join(f"{sha256(files[name].read_bytes()).hexdigest()}  {name}\n" for name in names)
    if sha256(lines.encode()).hexdigest() != code:
        raise ValueError(f"the code of {model_id} is not what models.json says: none of it was run")
    return folder


@lru_cache(maxsize=32)  # so another dim, or the same text again, costs nothing
def encode(model: Model, texts: tuple[str, ...]) -> np.ndarray:
    """(n, width) float32 at the model's full width; shared between calls, so read-only.

    Raises:
        SpaceError: the model does not load, or is narrower than the dims it was listed with.
    """
    vectors = _encode(model, texts)
    width = vectors.shape[1]
    if model.dims and model.dims[0] > width:
        raise _bad_listing(f"gives {model.title} {model.dims[0]} dimensions, but it has {width}")
    vectors.flags.writeable = False
    return vectors


@on_gpu
def _encode(model: Model, texts: tuple[str, ...]) -> np.ndarray:
    vectors = load(model).encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
    return np.array(vectors, dtype=np.float32)


def dims_of(model: Model) -> tuple[int, ...]:
    """The listed dims, widest first. A model listed without any is loaded: its width and the powers of two below."""
    if model.dims:
        return model.dims
    return usual_dims(int(load(model).get_embedding_dimension() or encode(model, ("?",)).shape[1]))


def usual_dims(width: int) -> tuple[int, ...]:
    """`width` and the powers of two below it, down to 64."""
    powers = (1 << power for power in range(width.bit_length(), 0, -1))
    return (width, *(dim for dim in powers if SMALLEST_DIM <= dim < width))


def unit(vectors: np.ndarray, dim: int) -> np.ndarray:
    """The first `dim` numbers of every row, (n, dim), scaled to length 1. A row of zeros stays zeros."""
    head = vectors[:, :dim]
    lengths = np.linalg.norm(head, axis=1, keepdims=True)
    return head / np.where(lengths > 0, lengths, 1)


def similarities(vectors: np.ndarray, dims: Sequence[int]) -> dict[int, float]:
    """Cosine (-1 … 1) of two rows at every dim."""
    return {dim: float(np.dot(*unit(vectors, dim))) for dim in dims}


def best_first(vectors: np.ndarray, dim: int) -> list[tuple[int, float]]:
    """(index, cosine) of rows 1 … n against row 0, best first; equal scores keep their order. Indices start at 0."""
    rows = unit(vectors, dim)
    scores = rows[1:] @ rows[0]
    return [(int(index), float(scores[index])) for index in np.argsort(-scores, kind="stable")]


# ---- what the reader typed ----


def written(text: str | None, what: str) -> str:
    """The text without the white space around it; `what` names the box it came from."""
    text = (text or "").strip()
    if not text:
        raise SpaceError("Write {what} first.", what=what)
    if len(text) > MOST_CHARACTERS:
        too_long = "Too much text in {what}: {found:,} characters; the limit is {most:,}."
        raise SpaceError(too_long, what=what, found=len(text), most=MOST_CHARACTERS)
    return text


def lines(text: str | None) -> list[str]:
    """The sentences in a text, one per line; empty lines do not count."""
    found = [line.strip() for line in written(text, "the list of sentences").splitlines()]
    found = [line for line in found if line]
    if len(found) > MOST_LINES:
        too_long = "The list is too long: {found} lines; the limit is {most}."
        raise SpaceError(too_long, found=len(found), most=MOST_LINES)
    return found


def pair(sentence1: str | None, sentence2: str | None) -> tuple[str, str]:
    """Both sentences without the white space around them.

    Raises:
        SpaceError: one is missing or too long.
    """
    return written(sentence1, "the first sentence"), written(sentence2, "the second sentence")


def compare(model: Model, sentence1: str | None, sentence2: str | None) -> dict[int, float]:
    """Cosine of the two sentences at every dim of the model, widest first."""
    return similarities(encode(model, pair(sentence1, sentence2)), dims_of(model))


def rank(model: Model, query: str | None, sentences: str | None, dim: int | None) -> list[tuple[str, float]]:
    """(sentence, cosine with the query), best first. `dim` None: full width."""
    texts = (written(query, "the query"), *lines(sentences))
    return [(texts[index + 1], score) for index, score in best_first(encode(model, texts), chosen(model, dim))]


def chosen(model: Model, dim: int | None) -> int:
    """`dim`, or the widest one; quality is promised only for the sizes the model was trained with."""
    dims = dims_of(model)
    if dim is None:
        return dims[0]
    if dim not in dims:
        known = ", ".join(map(str, dims))
        raise SpaceError("No dimension {dim}. {model} has {known}", dim=dim, model=model.title, known=known)
    return dim
