"""Prompts that mteb registers for models on the Hub, with a copy on disk: importing mteb takes seconds."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from zoo.evaluate.wholefiles import read_json, write
from zoo.run import versions

FILE = "prompts.json"  # beside mteb's results


def registered_prompts(model_id: str, folder: Path) -> dict[str, str] | None:
    """The prompts that mteb measures a model with; None when it names none, or does not know the model.

    Args:
        folder: where the copy is. One of another version of mteb is forgotten.
    """
    version, place = versions("mteb")["mteb"], folder / FILE
    known = _kept(read_json(place), version)
    if model_id not in known:
        known[model_id] = _asked(model_id)
        write(place, json.dumps({"mteb": version, "models": known}, ensure_ascii=False, indent=1))
    return known[model_id]


def is_looked_up(model_id: str, folder: Path) -> bool:
    """True when the copy on disk knows the model's prompts, so that asking for them takes no time."""
    return model_id in _kept(read_json(folder / FILE), versions("mteb")["mteb"])


def _kept(data: Any, version: str) -> dict[str, dict[str, str] | None]:
    """The models in the file; empty when it is not there, damaged, or of another version."""
    if not isinstance(data, dict) or data.get("mteb") != version or not isinstance(data.get("models"), dict):
        return {}
    return {name: prompts for name, prompts in data["models"].items() if _are_prompts(prompts)}


def _are_prompts(found: Any) -> bool:
    return found is None or (isinstance(found, dict) and all(isinstance(text, str) for text in found.values()))


def _asked(model_id: str) -> dict[str, str] | None:
    import mteb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of models that were renamed
        try:
            meta = mteb.get_model_meta(model_id)
        except KeyError:
            return None
    prompts = (meta.loader_kwargs or {}).get("model_prompts")
    return {str(name): str(text) for name, text in prompts.items()} if prompts else None
