"""The module for models with code and tokenizer of their own: what it puts right, and that it travels with them."""

from __future__ import annotations

import copy
import importlib.metadata
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT
from own_code import BROKEN_STEMMER, REAL_STEMMER, ROUGH, TEXTS, write_mini_camel, write_toy
from safetensors.torch import load_file, save_file

from zoo.cameldata import lend_camel_data
from zoo.errors import TrainError
from zoo.isolation import CONSENTED
from zoo.models.identity import ModelSource, base_source
from zoo.models.load import load_model, saved_model
from zoo.modules import own_files
from zoo.modules.own import FOLDER
from zoo.recipe import Workspace
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.schema import Base, code_digests

CONSENT = RemoteCode(revision="0" * 40, files={"model.py": "0" * 64})


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy") / "bundle")


@pytest.fixture(scope="module")
def model(toy: Path) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        yield loaded(toy, patch)


def loaded(folder: Path, patch: pytest.MonkeyPatch, **laid_over: Any) -> Any:
    """A bundle as a process apart loads it: here it is code of our own."""
    patch.setenv(CONSENTED, str(folder))
    at = {"kind": "base", "place": "lab/toy", "weights": "0", "remote_code": CONSENT, **laid_over}
    return load_model(ModelSource(encoder="custom", pooling="mean", **at), "cpu")


@pytest.fixture(scope="module")
def saved(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def far(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).max())


def test_tokens_weights_and_buffers_are_those_of_the_files(model: Any, toy: Path) -> None:
    pieces = model.tokenizer.convert_ids_to_tokens(model.preprocess(["كِتَابُ الوَلَدِ"])["input_ids"][0])
    assert pieces[:3] == ["[CLS]", "كتاب", "\u0650\u064e\u25cc"]
    assert "[+]" in pieces
    assert type(model.tokenizer).__name__ == "ArabicMorphTokenizer"
    assert model.tokenizer.model_max_length == model.max_seq_length == 512
    assert json.loads(model.tokenizer.backend_tokenizer.to_str())["model"]["type"] == "WordPiece"
    stored = load_file(toy / "model.safetensors")
    for name, value in model[0].model.state_dict().items():
        assert torch.equal(value, stored[f"model.{name}"])
    table = model[0].model.freqs_cis
    assert torch.allclose(table.abs(), torch.ones(512, 8))
    assert torch.allclose(table.angle()[:3, 0], torch.tensor([0.0, 1.0, 2.0]))


@pytest.mark.parametrize("way", ["pickle", "deepcopy", "torch"])
def test_it_survives_copies(model: Any, way: str) -> None:
    before, kept = model.encode(TEXTS), io.BytesIO()
    torch.save(model, kept)
    kept.seek(0)
    ways = {
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "deepcopy": lambda: copy.deepcopy(copy.deepcopy(model)),
        "torch": lambda: torch.load(kept, weights_only=False),
    }
    assert far(ways[way]().encode(TEXTS), before) == 0


def test_casting_keeps_complex_buffers(model: Any) -> None:
    half = copy.deepcopy(model).to(torch.bfloat16)
    assert half[0].model.freqs_cis.dtype == torch.complex64
    assert far(half.encode(TEXTS, convert_to_tensor=True).float(), model.encode(TEXTS)) < 0.05


def test_what_is_saved_is_complete_and_names_nothing_else(saved: Path, model: Any, tmp_path: Path) -> None:
    own = {"model.py", "rotary.py", "marks.py", "tokenizer.py", "zoo_encoder.py"}
    assert {path.name for path in saved.glob("*.py")} == own
    read = {path.name: json.loads(path.read_text("utf-8")) for path in saved.glob("*.json")}
    assert read["config.json"]["auto_map"] == {"AutoConfig": "model.NeoAraBERTConfig", "AutoModel": "model.NeoAraBERT"}
    assert read["modules.json"][0] == {"idx": 0, "name": "0", "path": "", "type": "zoo_encoder.Encoder"}
    assert read["tokenizer.json"]["model"]["type"] == "WordPiece"
    assert not read["tokenizer_config.json"].keys() & {"is_local", "local_files_only", "vocab", "name_or_path"}
    text = "".join(path.read_text("utf-8") for path in saved.rglob("*.json"))
    assert str(saved.parent) not in text
    assert str(Path.home()) not in text
    model.save_pretrained(str(tmp_path / "again"), create_model_card=False)
    assert contents(tmp_path / "again") == contents(saved)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_was_saved_loads_again_exactly(
    saved: Path, toy: Path, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONSENTED, str(toy))
    again = saved_model(saved, "cpu")
    assert far(again.encode(TEXTS), model.encode(TEXTS)) == 0
    again.save_pretrained(str(tmp_path / "third"), create_model_card=False)
    assert contents(tmp_path / "third") == contents(saved)


def test_code_of_another_origin_in_a_saved_model_is_not_run(
    saved: Path, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setenv(CONSENTED, str(toy))
    folder = tmp_path / "changed"
    shutil.copytree(saved, folder)
    (folder / "rotary.py").write_text((folder / "rotary.py").read_text() + "\n")
    with pytest.raises(TrainError, match=r"rotary.py' is neither code that there is consent to, nor zoo's own"):
        saved_model(folder, "cpu")


READER = """
import json, sys
sys.modules.update({"zoo": None, "xformers": None, "fast_disambig": None})  # as where they are not installed
import numpy as np, torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

folder, place, texts, pools = json.loads(sys.argv[1])
model = SentenceTransformer(folder, trust_remote_code=True, device="cpu")
found = {"encoded": model.encode(texts)}
with torch.no_grad():
    read = model.tokenizer(texts, padding=True, return_tensors="pt")
    raw = AutoModel.from_pretrained(folder, trust_remote_code=True)
    raw.freqs_cis = sys.modules[type(raw).__module__].precompute_freqs_cis(16, 512)
    vectors, mask = raw(**read).last_hidden_state, read["attention_mask"].unsqueeze(-1)
    found["raw"] = ((vectors * mask).sum(1) / mask.sum(1)).numpy()
if pools:
    pool = model.start_multi_process_pool(["cpu"])
    found["spread"] = model.encode(texts, pool=pool)
    model.stop_multi_process_pool(pool)
np.savez(place, **found)
"""


def read_by_others(python: Sequence[str], folder: Path, place: Path, *, pools: bool = False) -> Any:
    """What a process makes of a saved model that has neither zoo nor xformers nor fast_disambig."""
    command = [*python, "-c", READER, json.dumps([str(folder), str(place / "found.npz"), TEXTS, pools])]
    environment = {**os.environ, "HF_MODULES_CACHE": str(place / "code")}
    done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return np.load(place / "found.npz")


def test_readers_without_zoo_and_xformers_get_the_same(
    saved: Path, model: Any, tmp_path: Path, warm: tuple[str, ...]
) -> None:
    found, expected = read_by_others(warm, saved, tmp_path), model.encode(TEXTS)
    assert far(found["encoded"], expected) == 0
    assert far(found["raw"], expected) < 1e-6


@pytest.mark.slow
def test_processes_of_a_pool_compute_the_same(saved: Path, model: Any, tmp_path: Path) -> None:
    found = read_by_others([sys.executable], saved, tmp_path, pools=True)
    assert far(found["spread"], model.encode(TEXTS)) < 1e-6


def test_weights_that_are_initialised_in_place_are_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_toy(tmp_path / "rough", ROUGH)
    made, stored = loaded(folder, monkeypatch), load_file(folder / "model.safetensors")
    assert all(torch.equal(value, stored[f"model.{name}"]) for name, value in made[0].model.state_dict().items())


def test_weights_in_several_files_are_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    folder = write_toy(tmp_path / "parts", ROUGH)
    stored = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-0000{number % 2 + 1}-of-00002.safetensors" for number, name in enumerate(sorted(stored))}
    for place in set(places.values()):
        save_file({name: stored[name] for name, at in places.items() if at == place}, folder / place, {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert far(loaded(folder, monkeypatch).encode(TEXTS), model.encode(TEXTS)) == 0


def test_an_ordinary_tokenizer_passes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = loaded(write_toy(tmp_path / "ordinary", bundle="modern"), monkeypatch)
    assert type(made.tokenizer).__module__.startswith("transformers.")
    before = made.encode(TEXTS)
    assert far(copy.deepcopy(made).encode(TEXTS), before) == 0
    assert far(pickle.loads(pickle.dumps(made)).encode(TEXTS), before) == 0
    made.save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    assert {path.name for path in (tmp_path / "saved").glob("*.py")} == {
        "configuration_modern.py",
        "modeling_modern.py",
        "zoo_encoder.py",
    }
    assert far(saved_model(tmp_path / "saved", "cpu").encode(TEXTS), before) == 0


def test_a_repository_of_the_hub_without_modules_gets_encoder_and_mean(
    toy: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONSENTED, str(toy))
    source = ModelSource(kind="hub", place="lab/toy", weights="0" * 40, remote_code=CONSENT)
    assert source.identity.pooling == "mean"
    assert source.identity.plugins == {"encoder 'custom'": own_files()["zoo_encoder.py"]}
    assert far(load_model(source, "cpu").encode(TEXTS), model.encode(TEXTS)) == 0


@pytest.mark.parametrize("library", ["sentence-transformers", "transformers"])
def test_older_libraries_are_told_in_a_sentence(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (FOLDER / "zoo_encoder.py").read_text()
    real = importlib.metadata.version
    monkeypatch.setattr("importlib.metadata.version", lambda name: "5.1.0" if name == library else real(name))
    with pytest.raises(
        ImportError, match=rf"^this model needs {library} \d\.\d+ or newer, not 5\.1\.0: pip install -U"
    ):
        exec(compile(source, "zoo_encoder.py", "exec"), {"__name__": "old"})


def test_receipts_and_identities_have_the_encoders_file_where_it_is_used() -> None:
    base = Workspace(ROOT).recipe("arabert-matryoshka").base
    ours = {"encoder 'custom'": own_files()["zoo_encoder.py"]}
    assert code_digests(base) == {}
    assert base_source(base, "0" * 40).identity.plugins == {}
    assert not base.model_dump().keys() & {"encoder", "remote_code"}, "receipts of before hold"
    coded = base.model_copy(update={"remote_code": CONSENT})
    assert code_digests(coded) == {"plugins": ours}
    assert base_source(coded, "0" * 40).identity.plugins == ours
    assert base_source(coded, "0" * 40).encoder == "custom"
    stock = Base.model_validate({**coded.model_dump(), "encoder": "transformer"})
    assert code_digests(stock) == {}
    assert base_source(stock, "0" * 40).encoder == "transformer"
    assert code_digests(coded.model_copy(update={"pooling": None})) == {}


def lent(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables by which a process apart finds a database of our own words."""
    patch.setenv("FAST_DISAMBIG_DATA_DIR", str(write_mini_camel(folder / "mine")))
    return lend_camel_data(folder / "lent")


def test_a_tokenizer_with_the_real_stemmer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fast_disambig")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in lent(tmp_path, monkeypatch).items():
        monkeypatch.setenv(name, value)
    made = loaded(write_toy(tmp_path / "real", REAL_STEMMER), monkeypatch)
    cut = {
        word: "[+]" in made.tokenizer.decode(made.preprocess([word])["input_ids"][0]) for word in ("القلم", "والقلم")
    }
    assert cut == {"القلم": True, "والقلم": False}, "the mini database knows one article; the stand-in's stemmer both"
    assert far(copy.deepcopy(made).encode(TEXTS), made.encode(TEXTS)) == 0


def test_the_true_reason_is_told_when_a_tokenizer_cannot_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainError, match="RuntimeError: no dictionary of stems"):
        loaded(write_toy(tmp_path / "broken", BROKEN_STEMMER), monkeypatch)


def test_the_encoder_imports_nothing_of_zoo() -> None:
    assert own_files().keys() == {"zoo_encoder.py"}
    for path in FOLDER.glob("*.py"):
        assert "import zoo" not in path.read_text()
        assert "from zoo" not in path.read_text()
