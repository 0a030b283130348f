"""The models that a Space offers, from models.json or a variable."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verdict import Calibration, calibration_of
from words import SpaceError

FIELDS = {"id", "revision", "title", "dims", "code", "calibration"}


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
    return _mistake_in_calibration(row)


def _mistake_in_calibration(row: dict[str, Any]) -> str | None:
    try:
        _calibration(row)
    except ValueError as why:
        return str(why)
    return None


def _calibration(row: dict[str, Any]) -> Calibration | None:
    return calibration_of(row["calibration"]) if row.get("calibration") is not None else None


def _model(row: dict[str, Any]) -> Model:
    dims = tuple(sorted(set(row.get("dims") or ()), reverse=True))
    title, code = row.get("title") or Path(row["id"]).name, row.get("code")
    return Model(row["id"], row.get("revision"), title, dims, code, _calibration(row))


def find(models: Sequence[Model], model_id: str | None) -> Model:
    """The model of that id; the first when none is asked for."""
    for model in models:
        if model_id in (None, "", model.id):
            return model
    known = ", ".join(model.id for model in models)
    raise SpaceError("No model '{model}'. There are: {known}", model=model_id, known=known)
