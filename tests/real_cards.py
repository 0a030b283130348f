"""Cards in the manner of real ones, all written for this project, and what a careful reader finds in each.

The texts are tests/cards/<name>.md; a row here says whose card it is, which files lie beside it, and which rules find
something. Half of them are clean. `REAL_CARDS["..."].repo()` is what the linter looks at.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lint_repos
from lint_repos import Files, as_json

from zoo.lint.facts import Facts, NoHub
from zoo.lint.files import held_files
from zoo.lint.repo import CheckedRepo
from zoo.lint.target import of_files

TEXTS = Path(__file__).with_name("cards")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"5" * 64 + b"\nsize 4711\n"


def encoder(width: int = 768, longest: int = 512, kind: str = "Bert", **changed: Any) -> Files:
    """The configs of a sentence encoder that cuts texts at `longest` tokens."""
    config = {"architectures": [f"{kind}Model"], "model_type": kind.lower(), "hidden_size": width}
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    return {
        "config.json": as_json(config | {"max_position_embeddings": 512} | changed),
        "modules.json": as_json(modules),
        "sentence_bert_config.json": as_json({"max_seq_length": longest, "do_lower_case": False}),
        "1_Pooling/config.json": as_json({"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}),
        "model.safetensors": b"",
    }


def plain(kind: str = "Bert", task: str = "ForSequenceClassification", width: int = 768) -> Files:
    """The config of a model without sentence-transformers' modules."""
    config = {"architectures": [f"{kind}{task}"], "model_type": kind.lower(), "hidden_size": width}
    return {"config.json": as_json(config | {"max_position_embeddings": 512}), "model.safetensors": b""}


@dataclass(frozen=True)
class RealCard:
    """A card, whose it is, and the rules that find something in it."""

    id: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    found: frozenset[str] = frozenset()
    kind: str = "model"
    name: str = ""
    held_back: bool = False
    """Whether it was written before the rules were looked at."""

    def repo(self, facts: Facts | None = None) -> CheckedRepo:
        """The repository, as the linter sees it on a Hub that it may not ask."""
        card = (TEXTS / f"{self.name}.md").read_bytes()
        files = held_files({**self.files, "README.md": card})
        return of_files(files, facts or NoHub(), kind=self.kind, repo_id=self.id)  # type: ignore[arg-type]
