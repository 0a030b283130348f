"""The sentences that the page searches, and the vectors of them that came along.

For the page:

    found = corpus.read(HERE)                          # None: there is nothing to search
    rows = corpus.vectors(HERE, model, found)          # None: there are none: encode found.sentences at first use
    if rows is None or not corpus.agrees(rows, await encoding.encode(model, found.sentences[:1])): ...
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from catalogue import Model, hub
from safetensors import SafetensorError, safe_open
from words import SpaceError

FILE = "corpus.json"
NEAR = 0.999  # cosine of a vector that came along and of one made here: half precision costs less than that

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A work that the sentences come from, under its own licence."""

    title: str
    licence: str
    url: str | None = None
    terms: str | None = None


@dataclass(frozen=True)
class Corpus:
    """Sentences to search, and what must be told of them."""

    sentences: tuple[str, ...]
    source: str
    """The title of the dataset."""
    dataset: str
    """Its id on the Hub."""
    split: str
    licence: str
    origins: tuple[Work, ...] = ()

    @property
    def url(self) -> str:
        """The address of the dataset, on the Hub that is in use."""
        return f"{hub()}/datasets/{self.dataset}"

    @property
    def digest(self) -> str:
        """64 hex digits that a file of vectors names the sentences by."""
        return hashlib.sha256("\0".join(self.sentences).encode("utf-8", "surrogatepass")).hexdigest()


def read(folder: Path) -> Corpus | None:
    """The corpus in this folder; None: there is none.

    Raises:
        SpaceError: corpus.json has a mistake.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return _corpus(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as why:
        mistake = f"is not as it must be ({type(why).__name__}: {why})"
        raise SpaceError("corpus.json {mistake}", mistake=mistake) from why


def _corpus(said: Mapping[str, Any]) -> Corpus:
    sentences = said["sentences"]
    if not isinstance(sentences, list) or not sentences or not all(isinstance(one, str) for one in sentences):
        raise ValueError("sentences is not a list of texts")
    works = [Work(one["title"], one["license"], one.get("url"), one.get("terms")) for one in said.get("origins", ())]
    about = {name: str(said[name]) for name in ("source", "dataset", "split", "licence")}
    return Corpus(tuple(sentences), **about, origins=tuple(works))


def vectors(folder: Path, model: Model, corpus: Corpus) -> np.ndarray | None:
    """The model's vectors of the sentences, (n, width) float32, read-only; None: there are none of just these."""
    if model.vectors is None:
        return None
    try:
        with safe_open(str(folder / model.vectors), "numpy") as file:
            same = (file.metadata() or {}).get("sentences") == corpus.digest
            rows = file.get_tensor("vectors") if same else None
    except (OSError, SafetensorError):
        log.exception("%s cannot be read", model.vectors)
        return None
    if rows is None or rows.ndim != 2 or len(rows) != len(corpus.sentences):
        return None
    found: np.ndarray = rows.astype(np.float32)
    found.flags.writeable = False
    return found


def agrees(rows: np.ndarray, fresh: np.ndarray) -> bool:
    """Whether vectors that came along are of the model as it is now: the first of them beside one made here, (1, w)."""
    if rows.shape[1] != fresh.shape[1]:
        return False
    one, other = rows[0], fresh[0]
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return lengths > 0 and float(one @ other) / lengths >= NEAR
