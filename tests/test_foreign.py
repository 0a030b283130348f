"""Models that bring Python of their own: it is named and never run, nobody is asked, and nothing is trained first."""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub, workspace_in
from test_prove import card, in_folder, push
from test_space_app import tiny_model

from zoo.errors import EvaluationError, PublishError, TrainError
from zoo.models.foreign.asked import code_told, foreign_code, reader
from zoo.models.identity import ModelSource
from zoo.models.load import load_model

Edits = Mapping[str, Any]
"""{file of a model: keys that somebody added, or the whole content of a file that is no JSON object}."""

CODE = """
from pathlib import Path
Path("MARK").write_text("run")
from transformers import BertConfig, BertModel, BertTokenizerFast
class OddConfig(BertConfig): model_type = "odd"
class OddModel(BertModel): config_class = OddConfig
class OddTokenizer(BertTokenizerFast): pass
from sentence_transformers.sentence_transformer.modules import Pooling
class OddPooling(Pooling): pass
"""
CONFIG = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.OddConfig", "AutoModel": "odd.OddModel"}}
NATIVE = {"auto_map": {"AutoModel": "odd.OddModel"}}
TOKENIZER = {"tokenizer_class": "OddTokenizer", "auto_map": {"AutoTokenizer": [None, "odd.OddTokenizer"]}}
PROCESSOR = {"processor_class": "Odd", "auto_map": {"AutoProcessor": "lab/elsewhere--odd.OddTokenizer"}}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "odd.OddPooling"},
]
ODD = {
    "config.json": ({"config.json": CONFIG}, "'odd.OddConfig', 'odd.OddModel' in odd.py (named in config.json)"),
    "native": ({"config.json": NATIVE}, "'odd.OddModel' in odd.py (named in config.json)"),
    "tokenizer": (
        {"tokenizer_config.json": TOKENIZER},
        "'odd.OddTokenizer' in odd.py (named in tokenizer_config.json)",
    ),
    "processor": (
        {"processor_config.json": PROCESSOR},
        "'odd.OddTokenizer' in odd.py of 'lab/elsewhere' (named in processor_config.json)",
    ),
    "kernels": (
        {"config.json": {"attn_implementation": {"": "lab/kernel@main"}}},
        "'lab/kernel@main' in compiled kernels on the Hub (named in config.json)",
    ),
    "settings": (
        {"sentence_bert_config.json": {"model_args": {"attn_implementation": "lab/odd", "allow_all_kernels": True}}},
        "'lab/odd' in compiled kernels on the Hub (named in sentence_bert_config.json)",
    ),
    "modules": ({"modules.json": MODULES}, "'odd.OddPooling' in odd.py (named in modules.json)"),
}
ASKS = "asks for code of its own, and no code of others is run: "


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of two layers, as sentence-transformers saves it."""
    folder = tmp_path_factory.mktemp("plain")
    tiny_model(folder, seed=3)
    return folder / "model"


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that foreign code writes. Whoever is asked says yes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    return tmp_path / "mark"


def odd_files(plain: Path, edits: Edits, mark: Path) -> dict[str, bytes]:
    files = {path: place.read_bytes() for path, place in in_folder(plain).items()}
    for path, added in edits.items():
        there = json.loads(files.get(path, b"{}"))
        files[path] = json.dumps(there | added if isinstance(added, dict) else added).encode()
    return {**files, "odd.py": CODE.replace("MARK", str(mark)).encode()}


def odd_folder(plain: Path, edits: Edits, mark: Path, folder: Path) -> Path:
    for path, content in odd_files(plain, edits, mark).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


# ---- loading ----


@pytest.mark.parametrize("name", ODD)
def test_a_folder_that_asks_for_code_is_refused(name: str, plain: Path, mark: Path, tmp_path: Path) -> None:
    edits, said = ODD[name]
    folder = odd_folder(plain, edits, mark, tmp_path / "odd")
    with pytest.raises(EvaluationError) as told:
        load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")
    assert told.value.message == f"model '{folder}' {ASKS}{said}"
    assert told.value.hint is not None
    assert "choose another model" in told.value.hint
    assert not mark.exists()


@pytest.mark.parametrize("name", [name for name in ODD if name not in ("modules", "settings")])
def test_a_base_that_asks_for_code_is_refused(
    name: str, hub: TestHub, plain: Path, mark: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edits, said = ODD[name]
    commit = push("model", f"lab/odd-{name}", odd_files(plain, edits, mark))
    source = ModelSource(kind="base", place=f"lab/odd-{name}", revision=commit, weights=commit, pooling="mean")
    with pytest.raises(TrainError) as told:
        load_model(source, "cpu")
    assert told.value.message == f"model 'lab/odd-{name}' {ASKS}{said}"
    assert told.value.hint is not None
    asks = "set `base.model`" if name in ("processor", "kernels") else f"zoo trust lab/odd-{name},"
    assert told.value.hint.startswith(asks)
    assert not mark.exists()
    assert capsys.readouterr() == ("", "")


def test_modules_that_a_recipe_replaces_are_not_asked_for(plain: Path, mark: Path, tmp_path: Path) -> None:
    folder = odd_folder(plain, {"modules.json": MODULES}, mark, tmp_path / "odd")
    model = load_model(ModelSource(kind="base", place=str(folder), weights="w", pooling="mean"), "cpu")
    assert model.encode(["نص"]).shape == (1, 64)
    assert not mark.exists()


def test_a_tokenizer_or_an_adapters_base_elsewhere_is_looked_at(plain: Path, mark: Path, tmp_path: Path) -> None:
    other = odd_folder(plain, {"tokenizer_config.json": TOKENIZER}, mark, tmp_path / "other")
    edits = {"sentence_bert_config.json": "tokenizer_name_or_path", "adapter_config.json": "base_model_name_or_path"}
    edits["sentence_roberta_config.json"] = "tokenizer_name_or_path"  # one of its older names
    for file, key in edits.items():
        folder = odd_folder(plain, {file: {key: str(other)}}, mark, tmp_path / file)
        with pytest.raises(EvaluationError) as told:
            load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")
        where = f"odd.py of '{other}' (named in tokenizer_config.json of the model in {file})"
        assert told.value.message == f"model '{folder}' {ASKS}'odd.OddTokenizer' in {where}"
    assert not mark.exists()


def test_what_is_not_named_where_we_look_is_not_run_and_not_advised(plain: Path, mark: Path, tmp_path: Path) -> None:
    """A tokenizer of words that only the library sees is refused by the library."""
    words = "sentence_transformers.sentence_transformer.modules.WordEmbeddings"
    edits: Edits = {
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": words}],
        "wordembedding_config.json": {"tokenizer_class": "odd.OddTokenizer"},
    }
    folder = odd_folder(plain, edits, mark, tmp_path / "odd")
    with pytest.raises(EvaluationError) as told:
        load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")
    assert told.value.message.startswith(f"model '{folder}' asks for code of others")
    assert "trust_remote_code" not in told.value.message
    assert not mark.exists()


BROKEN: dict[str, Edits] = {
    "rows": {"modules.json": [1, 2]},
    "no type": {"modules.json": [{"idx": 0, "name": "0", "path": ""}]},
    "no class": {"modules.json": [{**MODULES[0], "type": "sentence_transformers.base.model.pickle"}]},
    "router": {
        "modules.json": [{**MODULES[0], "type": "sentence_transformers.base.modules.Router"}],
        "router_config.json": {"types": {"a": "sentence_transformers.base.model.pickle"}},
    },
    "settings": {"sentence_bert_config.json": {"none_such": 1}},
    "arguments": {"sentence_bert_config.json": {"model_kwargs": "x"}},
    "prompts": {"config_sentence_transformers.json": [1]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_do_not_fit_together_are_told_in_a_sentence(
    name: str, plain: Path, mark: Path, tmp_path: Path
) -> None:
    folder = odd_folder(plain, BROKEN[name], mark, tmp_path / "odd")
    with pytest.raises(EvaluationError, match="^cannot load model '") as told:
        load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")
    assert told.value.hint == "save it again with sentence-transformers"


def test_a_config_nested_without_end_is_told_too(plain: Path, mark: Path, tmp_path: Path) -> None:
    folder = odd_folder(plain, {}, mark, tmp_path / "odd")
    (folder / "config.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(EvaluationError, match="^cannot load model '"):
        load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")


def test_a_model_names_no_folder_that_is_written_to(plain: Path, mark: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    settings = {"model_kwargs": {"device_map": {"": "disk"}, "offload_folder": str(place)}}
    folder = odd_folder(plain, {"sentence_bert_config.json": settings}, mark, tmp_path / "odd")
    load_model(ModelSource(kind="folder", place=str(folder), weights="w"), "cpu")
    assert not place.exists()


def test_a_load_that_forgets_to_say_no_raises_and_does_not_ask(plain: Path, mark: Path, tmp_path: Path) -> None:
    from transformers import AutoConfig

    folder = odd_folder(plain, {"config.json": CONFIG}, mark, tmp_path / "odd")
    with pytest.raises(ValueError, match="trust_remote_code"):
        AutoConfig.from_pretrained(folder)
    assert sys.stdin.read() == "y\n" * 9
    assert not mark.exists()


def test_every_load_says_whether_remote_code_is_trusted() -> None:
    """In the Space too; it is trusted by `trust` alone, in processes that may run it, where the carried files run."""
    loaders = {"SentenceTransformer", "Transformer", "from_pretrained", "from_config", "CrossEncoder", "SparseEncoder"}
    unsaid = []
    carried = set((ROOT / "zoo" / "modules" / "published").glob("*.py"))
    for path in {*(ROOT / "zoo").rglob("*.py"), *(ROOT / "spaces").rglob("*.py")} - carried:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if any(f"{name}(" in text for name in loaders) else ():
            name = node.func if isinstance(node, ast.Call) else None
            called = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
            said = ast.get_source_segment(text, node) or "" if called in loaders else "trust_remote_code"
            if not any(
                word in said
                for word in ("trust_remote_code", "SAFE", "**safe", "=safe", "**options", "**settings", "trust(")
            ):
                unsaid.append(f"{path}: {said}")
    assert unsaid == []


# ---- pickles ----


@pytest.mark.parametrize("kind", ["folder", "hub", "base"])
def test_a_model_without_safetensors_is_told_without_the_librarys_advice(
    kind: Any, hub: TestHub, plain: Path, tmp_path: Path, mark: Path
) -> None:
    folder = odd_folder(plain, {}, mark, tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    source = ModelSource(kind="folder", place=str(folder), weights="w")
    if kind != "folder":
        commit = push("model", f"lab/pickled-{kind}", in_folder(folder))
        pooling = "mean" if kind == "base" else None
        place = f"lab/pickled-{kind}"
        source = ModelSource(kind=kind, place=place, revision=commit, weights=commit, pooling=pooling)
    with pytest.raises((EvaluationError, TrainError)) as told:
        load_model(source, "cpu")
    problem = "has no weights as safetensors, and others, such as pickles, can run code when they are loaded"
    assert told.value.message == f"model '{source.place}' {problem}"
    assert told.value.hint is not None
    assert "safetensors" in told.value.hint


# ---- what is read ----


def test_long_lists_are_cut_and_broken_files_are_left_to_the_loader(tmp_path: Path) -> None:
    names = {f"AutoModel{number}": f"odd.Odd{number}" for number in range(6)}
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": names}), "utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {', "utf-8")
    (tmp_path / "modules.json").write_text('{"no": "list"}', "utf-8")
    found = foreign_code(reader(str(tmp_path)))
    assert code_told(found) == f"{ASKS}'odd.Odd0', 'odd.Odd1', 'odd.Odd2', 3 more in odd.py (named in config.json)"


def test_modules_name_packages_routes_and_activations(tmp_path: Path) -> None:
    types = ["pylate.models.Dense.Dense", "sentence_transformers.base.modules.Router", "sentence_transformers.x.Dense"]
    rows = [{"path": f"{number}_", "type": kind} for number, kind in enumerate(types)]
    (tmp_path / "modules.json").write_text(json.dumps(rows), "utf-8")
    files = {
        "1_/router_config.json": {"types": {"query": "odd.Route"}},
        "2_/config.json": {"activation_function": "a.B"},
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(json.dumps(content), "utf-8")
    assert code_told(foreign_code(reader(str(tmp_path)))) == (
        f"{ASKS}'pylate.models.Dense.Dense' in the package 'pylate' (named in modules.json); "
        "'odd.Route' in odd.py (named in 1_/router_config.json); 'a.B' in a.py (named in 2_/config.json)"
    )


def test_a_dataset_that_is_made_by_a_script_is_refused(hub: TestHub, mark: Path, zoo: Any, tmp_path: Path) -> None:
    lab = workspace_in(tmp_path / "lab")
    push("dataset", "lab/scripted", {"scripted.py": CODE.replace("MARK", str(mark)).encode()})
    recipe = lab.recipes / "datasets" / "arabic-stsb.yaml"
    recipe.write_text(
        recipe.read_text("utf-8").replace("Omartificial-Intelligence-Space/Arabic-stsb}", "lab/scripted}")
    )
    code, _, err = zoo("data", "build", "arabic-stsb", "--scale", "mini", cwd=lab.root)
    assert (code, mark.exists()) == (1, False)
    assert err.splitlines()[-2:] == [
        "error: dataset 'arabic-stsb': the rows of 'lab/scripted' are made by 'scripted.py', and no code of others is run",
        "hint: set `source` in its recipe to a dataset or a revision with the rows as Parquet",
    ]


# ---- commands ----


def test_no_command_runs_a_strangers_code_or_asks(
    hub: TestHub, plain: Path, mark: Path, zoo: Any, tmp_path: Path
) -> None:
    lab = workspace_in(tmp_path / "lab")
    push("model", "lab/stranger", odd_files(plain, {"config.json": CONFIG}, mark))
    folder = odd_folder(plain, {"modules.json": MODULES}, mark, tmp_path / "odd")
    said = "'odd.OddConfig', 'odd.OddModel' in odd.py (named in config.json)"
    base = ("--set", "base.model=lab/stranger", "--set", "base.revision=null", "--set", "base.width=64")
    build = ("build", "distilroberta-allnli", "--scale", "mini", *base, "--set", "dims=[64,32]")
    for arguments in (build, ("eval", "lab/stranger"), ("eval", str(folder)), ("compare", "lab/stranger", str(folder))):
        code, out, err = zoo(*arguments, cwd=lab.root)
        assert code == 1, err
        assert "asks for code of its own" in err
        assert "hint: " in err
        assert "[y/N]" not in out + err
        assert "Traceback" not in err
        assert said in err or "'odd.OddPooling'" in err
    assert not mark.exists()
    assert not list(lab.root.glob("runs/**/train*")), "nothing was trained"
    code, out, err = zoo(*build, "--json", cwd=lab.root)
    assert code == 1
    assert said in json.dumps(json.loads(err or out))
    assert sys.stdin.read() == "y\n" * 9


def test_a_published_model_that_somebody_gave_code_is_not_loaded(hub: TestHub, plain: Path, mark: Path) -> None:
    from zoo.publish.proof.prove import prove_model

    files = {**odd_files(plain, {"config.json": CONFIG}, mark), "README.md": card(value=None)}
    commit = push("model", "lab/odd-published", files)
    with pytest.raises(PublishError, match=r"^model 'lab/odd-published': its 'config.json' is not what was built, and"):
        prove_model("lab/odd-published", commit, plain)
    assert not mark.exists()
