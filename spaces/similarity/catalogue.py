"""The models that a Space offers, from models.json or a variable."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verdict import Calibration, calibration_of
from words import SpaceError

FIELDS = {"id", "revision", "title", "dims", "code", "calibration", "scores", "vectors", "bytes"}


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
    calibration: Calibration | None = None
    """Pairs that people scored, as the model sees them; None: a score has no verdict."""
    scores: Scores | None = None
    """The measured quality of the model; None: nobody measured it, or it is not known here."""
    vectors: str | None = None
    """The file beside models.json with its vectors of the corpus; None: they are made at first use."""
    bytes: int | None = None
    """The memory that its parameters take, about; None: not known before it is loaded."""


@dataclass(frozen=True)
class Task:
    """A task that a model was measured on."""

    title: str
    dataset: str
    """Its id on the Hub, or the name of a file."""
    rows: int
    unit: str
    """The word for its rows: 'pairs', 'texts', 'queries'."""
    leaked: int
    """Rows that were found in what the model was trained on or chosen by."""
    dims: Mapping[int, tuple[float, float, float]]
    """The score, 0 to 100, and the ends of its 95 % interval, at every size."""


@dataclass(frozen=True)
class Scores:
    """The quality of a model, as its evaluation measured it."""

    suite: str
    mean: Mapping[int, tuple[float, float, float]]
    """At every size, over `over` tasks: value, low, high, 0 to 100."""
    mean_name: str
    over: int
    tasks: tuple[Task, ...]
    rehearsal: bool = False
    """Measured on generated data: these numbers say nothing about real text."""
    parameters: int | None = None
    max_seq_length: int | None = None
    """The longest text in tokens; None: not known, or no limit."""
    baseline: float | None = None
    """The mean of one that only counts characters, on the same tasks."""


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
    """The models in a JSON list of objects with the keys FIELDS, all but the id optional, in its order."""
    try:
        rows = json.loads(text)
    except ValueError as why:
        raise bad_listing(f"is not JSON ({why})") from why
    if not isinstance(rows, list):
        raise bad_listing("is not a list")
    for number, row in enumerate(rows, start=1):
        if mistake := _mistake(row):
            raise bad_listing(f"entry {number}: {mistake}")
    models = [_model(row) for row in rows]
    if len({model.id for model in models}) < len(models):
        raise bad_listing("names the same id twice")
    return models


def bad_listing(mistake: str) -> SpaceError:
    """Return the error of a models.json with this mistake."""
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
    vectors = row.get("vectors")
    if vectors is not None and not re.fullmatch(r"vectors/[\w.-]+\.safetensors", str(vectors)):
        return f"vectors '{vectors}' is not a file vectors/NAME.safetensors"
    if row.get("bytes") is not None and (type(row["bytes"]) is not int or row["bytes"] < 1):
        return "'bytes' is not a whole number above 0"
    return _mistake_in_measurements(row)


def _mistake_in_measurements(row: dict[str, Any]) -> str | None:
    try:
        _calibration(row)
        _scores(row)
    except ValueError as why:
        return str(why)
    return None


def _scores(row: dict[str, Any]) -> Scores | None:
    said = row.get("scores")
    if said is None:
        return None
    try:
        return Scores(
            suite=str(said["suite"]),
            mean=_intervals(said["mean"]["dims"]),
            mean_name=str(said["mean"]["name"]),
            over=int(said["mean"]["tasks"]),
            tasks=tuple(map(_task, said["tasks"])),
            rehearsal=bool(said.get("rehearsal")),
            parameters=said.get("parameters"),
            max_seq_length=said.get("max_seq_length"),
            baseline=said.get("baseline"),
        )
    except KeyError as why:
        raise ValueError(f"'scores' lacks {why}") from why
    except (TypeError, ValueError, AttributeError) as why:
        raise ValueError(f"'scores' is not as it must be ({why})") from why


def _task(said: Mapping[str, Any]) -> Task:
    facts = {name: str(said[name]) for name in ("title", "dataset", "unit")}
    return Task(**facts, rows=int(said["rows"]), leaked=int(said["leaked"]), dims=_intervals(said["dims"]))


def _intervals(said: Mapping[str, Any]) -> dict[int, tuple[float, float, float]]:
    """{size: (value, low, high)}, the widest first."""
    found = {int(dim): (float(value), float(low), float(high)) for dim, (value, low, high) in said.items()}
    return dict(sorted(found.items(), reverse=True))


def _calibration(row: dict[str, Any]) -> Calibration | None:
    return calibration_of(row["calibration"]) if row.get("calibration") is not None else None


def _model(row: dict[str, Any]) -> Model:
    dims = tuple(sorted(set(row.get("dims") or ()), reverse=True))
    title, code = row.get("title") or Path(row["id"]).name, row.get("code")
    measured = {"calibration": _calibration(row), "scores": _scores(row)}
    rest = {name: row.get(name) for name in ("vectors", "bytes")}
    return Model(row["id"], row.get("revision"), title, dims, code, **measured, **rest)


def hub() -> str:
    """The address of the Hub that is in use."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def find(models: Sequence[Model], model_id: str | None) -> Model:
    """The model of that id; the first when none is asked for."""
    for model in models:
        if model_id in (None, "", model.id):
            return model
    known = ", ".join(model.id for model in models)
    raise SpaceError("No model '{model}'. There are: {known}", model=str(model_id)[:100], known=known)
