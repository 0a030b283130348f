"""Consent to code of others: to one commit, byte for byte; and nothing of it runs in the process that decides."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from conftest import TestHub
from test_foreign import CONFIG, odd_files
from test_prove import push
from test_space_app import tiny_model

from zoo.models.consent import checked_folder, consent_to
from zoo.models.identity import ModelSource
from zoo.recipe.remotecode import RemoteCode

EXTRA = {"sub/more.py": b"x = 1\n", "pytorch_model.bin": b"pickle", "vocab.txt": b"[PAD]\n", ".hidden/evil.py": b"1"}


@pytest.fixture(scope="module")
def odd(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A repository whose model brings its own code: its id and commit."""
    folder = tmp_path_factory.mktemp("odd")
    tiny_model(folder, seed=3)
    files = {**odd_files(folder / "model", {"config.json": CONFIG}, folder / "mark"), **EXTRA}
    return "lab/odd-consent", push("model", "lab/odd-consent", files)


@pytest.fixture
def agreed(odd: tuple[str, str]) -> ModelSource:
    return base_of(*odd, consent_to(*odd))


def base_of(model: str, commit: str, consent: RemoteCode, kind: Any = "base") -> ModelSource:
    return ModelSource(kind=kind, place=model, revision=commit, weights=commit, remote_code=consent, pooling="mean")


def test_a_checked_folder_has_the_agreed_bytes_beside_weights_and_no_pickle(agreed: ModelSource) -> None:
    with checked_folder(agreed) as folder:
        there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert agreed.remote_code is not None
        assert there == {*agreed.remote_code.files, "model.safetensors", "vocab.txt"}
        for path, digest in agreed.remote_code.files.items():
            assert sha256((folder / path).read_bytes()).hexdigest() == digest
            assert not (folder / path).is_symlink()
        assert folder.name == "odd-consent"
    assert not folder.exists()
