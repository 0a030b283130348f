"""What the code of a model needs is told before any of it runs: packages, and the data of CAMeL Tools."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_code import write_mini_camel, write_toy

from zoo import cameldata
from zoo.errors import TrainError
from zoo.isolation import consented_environment
from zoo.models.foreign.requirements import loaded_files, missing, needed_packages, require_all
from zoo.models.identity import ModelSource

SOURCE = ModelSource(kind="base", place="lab/toy", weights="0")
CONFIG = b'{"auto_map": {"AutoModel": "model.Toy", "AutoModelForMaskedLM": "head.ToyHead"}}'


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No CAMeL data anywhere."""
    for name in cameldata.SEARCHED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import torch, json\nfrom einops.layers import x", ["einops", "torch"]),
        ("from xformers.ops import SwiGLU", []),
        ("from xformers.ops import SwiGLU, unbind", ["xformers"]),
        ("import xformers.ops", ["xformers"]),
        ("try:\n    import einops\nexcept ImportError:\n    einops = None", []),
        ("if is_flash_attn_2_available():\n    import flash_attn", []),
        ("if torch_is_new:\n    import einops", ["einops"]),
        ("def later():\n    import einops", ["einops"]),
        ("from .rotary import turned", ["numba"]),
        ("from . import rotary", ["numba"]),
        ("this is no Python", []),
    ],
)
def test_packages_that_loaded_code_imports(code: str, needed: list[str]) -> None:
    files = {"config.json": CONFIG, "model.py": code.encode(), "rotary.py": b"import numba", "head.py": b"import jax"}
    assert needed_packages(files) == needed


def test_only_what_is_loaded_counts(tmp_path: Path) -> None:
    folder = write_toy(tmp_path / "toy", {"export.py": "import jax"})
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".py", ".json")}
    assert loaded_files(files) == ["marks.py", "model.py", "rotary.py", "tokenizer.py"]
    assert needed_packages(files) == ["torch", "transformers"]
    assert missing(files) == []


def test_a_missing_package_is_told_with_its_install() -> None:
    files = {"config.json": CONFIG, "model.py": b"import quite_absent"}
    with pytest.raises(
        TrainError, match=r"^model 'lab/toy' needs the package 'quite_absent', which is not inst"
    ) as told:
        require_all(SOURCE, files)
    assert told.value.hint == "its card says what to install: pip's package of that name may be another"


def test_the_stemmer_has_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.models.foreign.requirements.find_spec", lambda name: None)
    files = {"config.json": CONFIG, "model.py": b"from fast_disambig.camel import Stemmer"}
    assert [lack.hint for lack in missing(files)] == ["pip install 'hub-zoo[neoarabert]'"]


def test_missing_data_is_told_before_anything_is_fetched(homeless: Path) -> None:
    pytest.importorskip("fast_disambig")
    files = {"config.json": CONFIG, "model.py": b"from fast_disambig.camel import Stemmer"}
    with pytest.raises(TrainError) as told:
        require_all(SOURCE, files)
    place = homeless / "home" / ".camel_tools" / "data" / "calima-msa-r13"
    assert str(told.value) == (
        f"model 'lab/toy' needs the data 'calima-msa-r13' of CAMeL Tools (GPLv2), which is not in '{place}'"
    )
    assert told.value.hint is not None
    assert cameldata.FETCH in told.value.hint


@pytest.mark.parametrize("variable", [*cameldata.SEARCHED, None])
def test_data_of_the_user_is_lent_to_a_process_apart(
    variable: str | None, homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = homeless / "data" if variable else homeless / "home" / ".camel_tools" / "data"
    write_mini_camel(where)
    if variable:
        monkeypatch.setenv(variable, str(where))
    found = consented_environment(homeless / "apart", homeless / "model")
    lent = Path(found["CAMELTOOLS_DATA"])
    assert found["FAST_DISAMBIG_DATA_DIR"] == str(lent)
    assert lent.is_relative_to(homeless / "apart")
    assert (lent / "calima-msa-r13" / "morphology.db").read_text("utf-8").startswith("###DEFINES###")
