"""What is in a dataset? Its configurations and splits as the card names them, and some rows of one split.

Files come from anybody, so another process reads them, which may use little memory and time and cannot harm this one.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo.hub.errors import RefusalError
from zoo.hub.objects import Objects
from zoo.hub.trees import Blob

FORMATS = ("parquet", "csv", "tsv", "jsonl", "ndjson", "json")
_COMPRESSED = ".gz"
_USUAL = {"train": "train", "training": "train", "validation": "validation", "valid": "validation", "dev": "validation",
          "val": "validation", "test": "test", "testing": "test", "eval": "test"}  # fmt: skip
# As `datasets` has it; one that it refuses is not shown, nor one that is no part of an address.
_CONFIG, _SPLIT = re.compile(r"(?!\.+$)[^<>:/\\|?*]{1,100}"), re.compile(r"(?=.{1,100}$)\w+(\.\w+)*")
_MAX_CONFIGS, _MAX_SPLITS, _MAX_PATTERNS, _MAX_PATTERN = 100, 50, 50, 300
_ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH")  # by which Python may find its libraries; nothing secret
_SECONDS = 15  # until a reading is given up
_AT_ONCE = threading.BoundedSemaphore(2)  # each takes a core and some memory
_PLACES = threading.BoundedSemaphore(24)  # of those who read or wait: the server has forty threads for all requests
_PATIENCE = 10  # seconds to wait for the others
_MAX_KNOWN = 16
_KNOWN: dict[bytes, dict[str, Any]] = {}  # {digest of a question: its answer}: many look at the same page


@dataclass(frozen=True)
class Split:
    """A split of a configuration, and the patterns of its files' paths."""

    config: str
    name: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class RowPage:
    """Some rows of a split as texts; None is a value that is missing.

    Args:
        more: there are rows behind these.
        count: rows of the split; None when only reading all of it would tell.
    """

    columns: list[str]
    rows: list[list[str | None]]
    more: bool
    count: int | None


def splits(data: Mapping[str, object], paths: Sequence[str]) -> list[Split]:
    """The splits of a dataset, in the order of its card; without `configs` there, by the names of the files."""
    configs = data.get("configs")
    found = [split for one in configs[:_MAX_CONFIGS] for split in _of_config(one)] if isinstance(configs, list) else []
    usable = [one for one in found if _CONFIG.fullmatch(one.config) and _SPLIT.fullmatch(one.name)]
    return usable or _by_names(paths)


def files(split: Split, paths: Sequence[str]) -> list[str]:
    """The paths that belong to a split, of those whose format can be read."""
    readable = [path for path in paths if _format(path)]
    found = {path: None for pattern in split.patterns for path in readable if _fits(path, pattern)}
    return list(found)


def read(blobs: Mapping[str, Blob], objects: Objects, *, skip: int, limit: int) -> RowPage:
    """`limit` rows behind the first `skip` ones of files {path: content}, which are read as one.

    Raises:
        ValueError: they cannot be read, or not in time; the message is a sentence for people.
    """
    if any(_format(path) == "parquet" for path in blobs) and find_spec("pyarrow") is None:
        raise ValueError("Rows of Parquet files are shown where pyarrow is installed, too: pip install pyarrow")
    asked = {"files": [_source(path, blob, objects) for path, blob in blobs.items()], "skip": skip, "limit": limit}
    with _turn(_PLACES, 0), _turn(_AT_ONCE, _PATIENCE):
        answer = _known(json.dumps(asked).encode())
    if "error" in answer:
        raise ValueError(f"These rows cannot be read: {answer['error']}")
    return RowPage(answer["columns"], answer["rows"], answer["more"], answer["count"])


@contextmanager
def _turn(places: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not places.acquire(timeout=seconds):
        raise RefusalError(503, "Others look at rows just now", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        places.release()


def _known(question: bytes) -> dict[str, Any]:
    key = hashlib.sha256(question).digest()
    answer = _KNOWN.get(key) or _asked(question)
    _KNOWN[key] = answer
    for oldest in list(_KNOWN)[:-_MAX_KNOWN]:
        _KNOWN.pop(oldest, None)
    return answer


def _asked(question: bytes) -> dict[str, Any]:
    root = str(Path(__file__).resolve().parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from zoo.hub.rowreader import main; main()"
    command = [sys.executable, "-I", "-c", code]
    environment = _ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, timeout=_SECONDS, check=False, env=environment
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise ValueError("Reading these rows takes too long to be done here.") from None
    except ValueError:  # it was ended for taking too much, or its library crashed
        raise ValueError("These rows cannot be read within the memory and time that there is for a page.") from None
    return answer


def _source(path: str, blob: Blob, objects: Objects) -> dict[str, str]:
    facts = {"format": _format(path) or "", "gzip": "yes" if path.endswith(_COMPRESSED) else ""}
    if blob.data is None:
        return facts | {"path": str(objects.located(blob.sha256 or ""))}
    return facts | {"content": base64.b64encode(blob.data).decode()}


def _format(path: str) -> str | None:
    ending = path.lower().removesuffix(_COMPRESSED).rpartition(".")[2]
    return ending if ending in FORMATS else None


def _of_config(config: object) -> list[Split]:
    if not isinstance(config, dict):
        return []
    name, given = str(config.get("config_name", "default")), config.get("data_files")
    folder = str(config.get("data_dir") or "").strip("/")
    listed = given if isinstance(given, list) else [given]
    found = []
    if all(isinstance(one, str) for one in listed):  # no split is named: all are for training
        listed = [{"split": "train", "path": listed}]
    for one in listed[:_MAX_SPLITS]:
        if isinstance(one, dict):
            found.append(Split(name, str(one.get("split", "train")), _patterns(one.get("path"), folder)))
    if not any(split.patterns for split in found):
        return [Split(name, "train", (f"{folder}/**" if folder else "**",))]
    return found


def _patterns(given: object, folder: str) -> tuple[str, ...]:
    listed = given if isinstance(given, list) else [given]
    texts = [one.removeprefix("./") for one in listed[:_MAX_PATTERNS] if isinstance(one, str)]
    return tuple(f"{folder}/{one}" if folder else one for one in texts if len(one) <= _MAX_PATTERN)


def _fits(path: str, pattern: str) -> bool:
    """True when a path fits a pattern, in which a star also stands for slashes."""
    return path == pattern or (any(sign in pattern for sign in "*?[") and fnmatch.fnmatchcase(path, pattern))


def _by_names(paths: Sequence[str]) -> list[Split]:
    """A split for each of the usual words in the names of files; all the files are for training if there is none."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if _format(path):
            words = re.split(r"[^a-z]+", path.lower())
            name = next((_USUAL[word] for word in reversed(words) if word in _USUAL), "train")
            found.setdefault(name, []).append(path)
    order = ["train", "validation", "test"]
    return [Split("default", name, tuple(found[name])) for name in sorted(found, key=order.index)]
