"""Code of others runs in a process apart: with no secret of the user's, and with the same numbers as anywhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import TestHub
from test_isolation import FILES, SECRETS, require_nothing_of
from test_prove import push
from toy_code import agreed_source, toy_files

from zoo.models.apart import Apart, let_go, load_apart
from zoo.models.identity import ModelSource
from zoo.models.load import load_model
from zoo.models.pieces import pieces

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOY = "lab/toy"
TEXTS = ["كتاب الولد جميل", "الولد", "", "ذهب الولد الى المدرسة مع كتاب جميل جدا", "xyz"]


@pytest.fixture(scope="module")
def spied(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, ModelSource]]:
    """A user's home full of secrets, what the toy's code finds, and the toy; the user's cache of modules is poisoned."""
    home, mark = tmp_path_factory.mktemp("user"), tmp_path_factory.mktemp("mark") / "mark"
    files = toy_files(tmp_path_factory.mktemp("toy"), mark)
    source = agreed_source(TOY, push("model", TOY, files), files, prompts={"query": "ask: "}, max_seq_length=16)
    with pytest.MonkeyPatch.context() as patch:
        for name in FILES:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text("planted", "utf-8")
        patch.setenv("HOME", str(home))
        for name, begin in SECRETS.items():
            patch.setenv(name, f"{begin}planted")
        patch.setenv("HF_MODULES_CACHE", str(poisoned(home / "modules", source, files)))
        yield home, mark, source


def poisoned(modules: Path, source: ModelSource, files: dict[str, bytes]) -> Path:
    """A cache of modules with another rotary.py, wherever transformers may look for the toy's."""
    assert source.revision
    for place in (f"lab/toy/{source.revision}", "toy"):
        folder = modules / "transformers_modules" / place
        folder.mkdir(parents=True)
        for name in ("modeling", "spy", "rotary"):
            (folder / f"{name}.py").write_bytes(files[f"{name}.py"])
        (folder / "rotary.py").write_text("raise RuntimeError('poison')", "utf-8")
    return modules


@pytest.fixture(scope="module")
def toy(spied: tuple[Path, Path, ModelSource]) -> Iterator[SentenceTransformer]:
    """The toy, loaded by a process apart."""
    model = load_model(spied[2], "cpu")
    yield model
    let_go(model)


def test_x(toy) -> None:
    print(toy.encode(TEXTS))
