"""Consent to code of others: to one commit, byte for byte; and nothing of it runs in the process that decides."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TestHub, workspace_in
from test_foreign import CODE, CONFIG, odd_files
from test_prove import push
from test_space_app import tiny_model

from zoo.errors import DataError, EvaluationError, RecipeError, TrainError
from zoo.inquiry.base import ask_base
from zoo.models.foreign.consent import ModelCode, checked_folder, code_of, consent_to, difference, refuse_foreign_code
from zoo.models.foreign.elsewhere import fetched_code
from zoo.models.foreign.reaches import Reach, reaches
from zoo.models.identity import ModelSource
from zoo.models.shape import refuse_unfit
from zoo.recipe.consented import put_consent
from zoo.recipe.family import BaseFile
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.yamlfile import parse, read_yaml

EXTRA = {"sub/more.py": b"x = 1\n", "pytorch_model.bin": b"pickle", "vocab.txt": b"[PAD]\n", ".hidden/evil.py": b"1"}


@pytest.fixture(scope="module")
def odd(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A repository whose model brings its own code: its id and commit."""
    folder = tmp_path_factory.mktemp("odd")
    tiny_model(folder, seed=3)
    files = {**odd_files(folder / "model", {"config.json": CONFIG}, folder / "mark"), **EXTRA}
    return "lab/odd-consent", push("model", "lab/odd-consent", files)


@pytest.fixture(scope="module")
def plain_odd(hub: TestHub, odd: tuple[str, str]) -> dict[str, bytes]:
    """The code and JSON of that repository, without weights."""
    return dict(code_of(*odd).files)


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


# ---- what is compared ----

CHANGES = {
    "one byte": ({"odd.py": lambda was: was.replace(b"odd", b"odb", 1)}, r"'odd.py' is \w{8} \(consent: \w{8}\)"),
    "JSON": ({"config.json": lambda was: was + b" "}, r"'config.json' is \w{8} \(consent: \w{8}\)"),
    "one more": ({"numpy.py": lambda was: b"import os"}, r"'numpy.py' \(\w{8}\) is not in the consent"),
    "one more below": ({"a/b.json": lambda was: b"{}"}, r"'a/b.json' \(\w{8}\) is not in the consent"),
    "one less": ({"sub/more.py": lambda was: None}, r"'sub/more.py' is missing \(consent: \w{8}\)"),
    "four": (
        {f"m{number}.py": lambda was: b"" for number in range(4)},
        r"'m0.py' .*; 'm1.py' .*; 'm2.py' \(\w{8}\) is not in the consent; 1 more",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("kind", ["base", "hub"])
def test_what_is_not_as_agreed_is_refused(name: str, kind: Any, agreed: ModelSource, tmp_path: Path) -> None:
    """Also where somebody changed the cache: the bytes are compared, and not only the commit."""
    edits, said = CHANGES[name]
    with checked_folder(agreed) as folder:
        shutil.copytree(folder, tmp_path / "model")
    for path, edit in edits.items():
        place = tmp_path / "model" / path
        new = edit(place.read_bytes() if place.exists() else b"")
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True) if new is None else place.write_bytes(new)
    source = agreed.model_copy(update={"kind": kind, "place": str(tmp_path / "model")})
    for refused in (lambda: checked_folder(source).__enter__(), lambda: refuse_unfit(source)):
        with pytest.raises((TrainError, EvaluationError)) as told:
            refused()
        assert re.fullmatch(f"the code of model '.*' is not what consent was given to: {said}", told.value.message)
        assert told.value.hint is not None
        assert told.value.hint.startswith(f"zoo trust {tmp_path / 'model'}")


def test_a_commit_that_the_hub_does_not_have_is_told_with_the_way_to_another_consent(agreed: ModelSource) -> None:
    assert agreed.remote_code is not None
    gone = agreed.remote_code.model_copy(update={"revision": "0" * 40})
    with pytest.raises(TrainError, match=r"^consent is to commit '00000000' of 'lab/odd-consent', which .* not have$"):
        refuse_unfit(agreed.model_copy(update={"remote_code": gone, "revision": "0" * 40}))


def test_a_trained_model_carries_agreed_code_and_zoos_own_alone(agreed: ModelSource, tmp_path: Path) -> None:
    with checked_folder(agreed) as folder:
        shutil.copytree(folder, tmp_path / "model")
    trained = agreed.model_copy(update={"kind": "recipe", "place": str(tmp_path / "model"), "revision": None})
    (tmp_path / "model" / "config.json").write_text('{"auto_map": {"AutoModel": "odd.OddModel"}}', "utf-8")  # ours
    (tmp_path / "model" / "sub" / "more.py").unlink()  # and not all of it is saved
    with checked_folder(trained) as folder:
        assert (folder / "odd.py").is_file()
    (tmp_path / "model" / "odd.py").rename(tmp_path / "model" / "sub" / "more.py")
    with pytest.raises(EvaluationError, match=r"'sub/more.py' is \w{8} \(consent: \w{8}\)$") as told:
        refuse_unfit(trained)
    assert told.value.hint == "zoo build it again with --force train"
    (tmp_path / "model" / "sub" / "more.py").rename(tmp_path / "model" / "odd.py")
    (tmp_path / "model" / "config.json").write_text('{"auto_map": {"AutoModel": "a/b--odd.OddModel"}}', "utf-8")
    with pytest.raises(EvaluationError, match="takes code from elsewhere"):
        refuse_unfit(trained)
    (tmp_path / "model" / "config.json").write_text("{}", "utf-8")
    (tmp_path / "model" / "zoo_encoder.py").write_bytes(b"# as it was\n")
    with pytest.raises(EvaluationError, match=r"'zoo_encoder.py' is \w{8} \(consent: \w{8}\)$"):
        refuse_unfit(trained)
    refuse_foreign_code(trained.model_copy(update={"own": (sha256(b"# as it was\n").hexdigest(),)}))  # by its receipt


@pytest.mark.parametrize("kind", ["folder", "beside", "reading"])
def test_consent_covers_no_folder_and_no_model_that_something_else_names(kind: Any, agreed: ModelSource) -> None:
    with pytest.raises(ValueError, match="never laid out"):
        refuse_unfit(agreed.model_copy(update={"kind": kind}))


# ---- what no consent covers ----

ST = "sentence_transformers.sentence_transformer.modules."
ELSEWHERE: dict[str, tuple[str, Any, str]] = {
    "config": ("config.json", {"auto_map": {"AutoModel": "a/b--m.M"}}, "'a/b--m.M' is code of another repository"),
    "below": ("config.json", {"text_config": {"auto_map": {"A": "a/b--m.M"}}}, "'a/b--m.M' is code of another"),
    "tokenizer": ("tokenizer_config.json", {"auto_map": {"A": [None, "a/b--t.T"]}}, "'a/b--t.T' is code of another"),
    "processor": ("processor_config.json", {"auto_map": {"A": "a/b--p.P"}}, "'a/b--p.P' is code of another"),
    "no file": ("config.json", {"auto_map": {"AutoModel": "../up.M"}}, "'../up.M' is in no file of the repository"),
    "modules": ("modules.json", [{"path": "", "type": "a/b--m.M"}], "'a/b--m.M' is code of another repository"),
    "installed": ("modules.json", [{"path": "", "type": "os.path.M"}], "'os.path.M' is in no file of the repository"),
    "router": ("1_R/router_config.json", {"types": {"q": "shutil.M"}}, "'shutil.M' is in no file of the repository"),
    "older router": (
        "1_R/config.json",
        {"types": {"q": "shutil.M"}, "structure": {"q": ["q"]}},
        "'shutil.M' is in no file of the repository",
    ),
    "whole model": ("1_S/modules.json", [{"path": "", "type": "a/b--m.M"}], "'a/b--m.M' is code of another"),
    "dense": ("2_D/config.json", {"activation_function": "os.getcwd"}, "'os.getcwd' would be imported from whatever"),
    "words": ("wordembedding_config.json", {"tokenizer_class": "o.T"}, "'o.T' would be imported from whatever"),
    "tokens of": ("sentence_bert_config.json", {"tokenizer_name_or_path": "a/b"}, "`tokenizer_name_or_path` loads"),
    "older name": ("0_T/sentence_roberta_config.json", {"tokenizer_name_or_path": "a/b"}, "loads parts of 'a/b'"),
    "arguments": (
        "sentence_bert_config.json",
        {"model_kwargs": {"code_revision": "main"}},
        "`model_kwargs` changes how",
    ),
    "adapter": ("adapter_config.json", {"base_model_name_or_path": "a/b"}, "`base_model_name_or_path` loads parts of"),
    "kernel": ("config.json", {"attn_implementation": "a/kernel"}, "'a/kernel' is a compiled kernel on the Hub"),
    "kernels": ("sentence_bert_config.json", {"model_args": {"attn_implementation": "a/k"}}, "'a/k' is a compiled"),
    "generation": ("custom_generate/generate.py", "1", "'custom_generate/generate.py' would be run to generate text"),
}
FINE = {
    "config.json": {
        "auto_map": {"A": "m.M", "B": ["m.M", None]},
        "activation_function": "gelu",
        "_name_or_path": "a/b",
    },
    "modules.json": [{"path": "", "type": f"{ST}Transformer"}, {"path": "1_", "type": "m.M"}],
    "2_Dense/config.json": {"activation_function": "torch.nn.modules.activation.Tanh"},
    "sentence_bert_config.json": {"max_seq_length": 8, "model_kwargs": {"dtype": "float32"}, "tokenizer_args": {}},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_code_from_elsewhere_is_refused_whatever_is_agreed(name: str) -> None:
    path, content, said = ELSEWHERE[name]
    found = fetched_code({path: json.dumps(content).encode(), "m.py": b""})
    assert len(found) == 1
    assert said in found[0]
    assert path in found[0]


def test_what_is_in_the_repository_or_in_the_libraries_is_fine() -> None:
    files = {path: json.dumps(content).encode() for path, content in FINE.items()}
    assert fetched_code({**files, "m.py": b"", "broken.json": b"{", "deep.json": b"[" * 9999}) == []


def test_what_we_cannot_read_and_a_library_might_is_refused() -> None:
    deep = b'{"auto_map": {"AutoModel": "a/b--m.M"}, "more": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert fetched_code({"config.json": deep}) == ["'config.json' is no JSON, so that nobody can tell what it names"]
    nested = json.dumps({"auto_map": {"A": "m.M"}}).replace('"m.M"', "[" * 500 + '"a/b--m.M"' + "]" * 500)
    assert fetched_code({"config.json": nested.encode()}) == [
        "'a/b--m.M' is code of another repository, from its newest commit (config.json)"
    ]


# ---- what people see ----

REACHING = """
import os, requests as r
from os import environ
from urllib.request import urlopen
from .more import x
def f(model, path):
    model.eval(); os.environ["A"]; open(path); path.write_text(""); os.environ["B"]
    exec("1"); subprocess.run([])
"""


def test_what_code_reaches_for_is_told_by_line() -> None:
    told = [f"{one.line} {one.name} {one.what}" for one in reaches({"m.py": REACHING.encode(), "x.json": b"{}"})]
    assert told == [
        "2 requests network",
        "3 os.environ environment",
        "4 urllib.request.urlopen network",
        "7 open() files",
        "7 path.write_text files",
        "8 exec() other code",
    ]
    found = reaches({"broken.py": b"def", "zero.py": b"\0"})
    assert [one.what for one in found] == ["a character that nobody sees", "cannot be read", "cannot be read"]


def test_characters_that_turn_code_around_are_told() -> None:
    code = b"\xef\xbb\xbfx = 1\r\n\x0c\r\n# " + "\u202e".encode() + b"\r\ny = 2\r# z\r\n"
    assert reaches({"m.py": code, "vocab.json": code}) == [Reach("m.py", 3, "U+202E", "a character that nobody sees")]
    assert reaches({"m.py": b"x = 1\r\n\x0cy = 2\r\n"}) == []


def test_the_difference_names_files_and_commits_and_leaves_long_files_out() -> None:
    old = ModelCode(
        "lab/x", "1" * 40, {"m.py": b"a\nb\n", "long.json": b"1" * 100_001, "gone.py": b"x\n", "same.py": b"s"}
    )
    new = ModelCode("lab/x", "2" * 40, {"m.py": b"a\nc\n", "long.json": b"2", "same.py": b"s"})
    assert difference(old, new).splitlines() == [
        *["--- gone.py (11111111)", "+++ gone.py (22222222)", "@@ -1 +0,0 @@", "-x"],
        *["--- m.py (11111111)", "+++ m.py (22222222)", "@@ -1,2 +1,2 @@", " a", "-b", "+c"],
        "long.json: 100,001 bytes became 1 others",
    ]


# ---- recipes ----

REST = """dims: [64, 32]
variants:
  matryoshka: {repo: Odd, phases: [triplets], summary: A test.}  # the end
"""
FILES = {
    "block": "# yaml-language-server: $schema=schema.json\nbase:\n  model: MODEL   # brings code\n\n  # as wide as that\n  width: 64\n  pooling: mean\n\n# sizes\n",
    "pinned": f"base:\n    width: 64\n    revision: {'f' * 40}  # newest\n    model: MODEL\n    pooling: mean\n",
    "flow": "base: {model: MODEL, width: 64, pooling: mean}  # short\n",
    "lines": "base: {\n  model: MODEL,  # it\n  revision: null,\n  pooling: mean, width: 64  # wide\n  }\n",
    "null": "base:\n  remote_code:\n  model: MODEL\n  width: 64\n  pooling: mean\n",
    "last": "base:\n  width: 64\n  pooling: mean\n  model: MODEL\n",
    "old mac": "base:\r  model: MODEL\r  width: 64\r  pooling: mean\r",
    "windows": "base:\r\n  model: MODEL  # it\r\n  width: 64\r\n  pooling: mean\r\n",
}
ONE = RemoteCode(revision="a" * 40, files={"m.py": "b" * 64, "sub/x.json": "1" * 64}, license="mit")
OTHER = RemoteCode(revision="1" * 40, files={"-m.py": "c" * 64})


@pytest.mark.parametrize("name", FILES)
def test_consent_is_written_where_it_belongs_and_other_lines_stay(name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    text = FILES[name].replace("MODEL", "lab/x") + REST
    path.write_bytes(text.encode())
    for consent in (ONE, ONE, OTHER, ONE):
        put_consent(path, consent)
        base = parse(BaseFile, read_yaml(path)).base
        assert base.remote_code == consent
        assert base.commit == consent.revision
        lines = path.read_bytes().decode().replace('"', "").split("\n")
        if name not in ("null", "flow", "lines", "old mac"):
            kept = [line.replace("f" * 40, consent.revision) for line in text.split("\n")]
            assert [line for line in lines if line in kept] == kept
        for comment in re.findall(r"#.*", text):
            assert path.read_bytes().decode().count(comment) == 1
    first = path.read_bytes()
    put_consent(path, ONE)
    assert path.read_bytes() == first
    assert [one.name for one in tmp_path.iterdir()] == ["odd.yaml"]


def test_a_file_in_which_nothing_can_be_put_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    for text, said in (
        ("x: &a {model: lab/x, width: 64}\nbase: *a\n" + REST, "no place for `remote_code` was found under `base` in"),
        (FILES["block"].replace("width: 64", "wide: 64") + REST, "odd.yaml"),
        (
            FILES["last"].replace("model: MODEL", "model: >-\n    lab/x\n") + REST,
            "no place for `remote_code` was found",
        ),
        (FILES["block"].replace("model: MODEL", "? model\n  : lab/x") + REST, "no place for `remote_code` was found"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(RecipeError, match=re.escape(said)):
            put_consent(path, ONE)
        assert path.read_text("utf-8") == text
        assert [one.name for one in tmp_path.iterdir()] == ["odd.yaml"]


# ---- commands ----

ODD_RECIPE = FILES["block"] + REST


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Whoever is asked says yes; it is no terminal."""
    given = io.StringIO("y\n" * 9)
    monkeypatch.setattr(sys, "stdin", given)
    return given


@pytest.fixture
def odd_lab(odd: tuple[str, str], tmp_path: Path) -> Any:
    """A workspace with a recipe whose base brings code of its own."""
    lab = workspace_in(tmp_path / "lab")
    for path in lab.recipes.glob("*.yaml"):
        if path.name not in ("family.yaml", "arabert.yaml"):
            path.unlink()
    (lab.recipes / "odd.yaml").write_text(ODD_RECIPE.replace("MODEL", odd[0]), "utf-8")
    return lab


def test_trust_shows_the_code_and_writes_nothing_where_nobody_can_be_asked(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, stdin: io.StringIO
) -> None:
    model, commit = odd
    before = (odd_lab.recipes / "odd.yaml").read_text("utf-8")
    code, out, err = zoo("trust", model, cwd=odd_lab.root)
    assert code == 1
    assert f"{model} at {commit}" in out
    assert re.search(r"^odd\.py +\d+ +[0-9a-f]{8}$", out, re.MULTILINE)
    assert "\nit imports sentence_transformers, transformers\n" in out
    assert "odd.py:3  (...).write_text  (files)" in out
    said = f"hint: zoo trust {model} --revision {commit} --yes, when you have read "
    assert (
        err.splitlines()[-2] == "error: consent was not given: there is no terminal to ask at, and nothing was written"
    )
    assert err.splitlines()[-1].startswith(said)
    assert stdin.read() == "y\n" * 9
    assert (odd_lab.recipes / "odd.yaml").read_text("utf-8") == before


def test_trust_writes_consent_once_and_the_recipe_loads(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, stdin: io.StringIO
) -> None:
    model, commit = odd
    code, out, err = zoo("trust", model, "--yes", cwd=odd_lab.root)
    assert (code, out.splitlines()[-1]) == (0, f"wrote consent to {commit[:8]} into recipes/odd.yaml"), err
    text = (odd_lab.recipes / "odd.yaml").read_text("utf-8")
    assert "# as wide as that" in text
    recipe = type(odd_lab)(odd_lab.root).recipe("odd-matryoshka")
    assert recipe.base.remote_code == consent_to(model, commit)
    code, out, err = zoo("trust", model, cwd=odd_lab.root)
    assert (code, out.splitlines()[-1]) == (0, "the consent in recipes/odd.yaml is to exactly this")
    code, out, err = zoo("trust", model, "--json", cwd=odd_lab.root)
    assert json.loads(out)["remote_code"]["files"] == recipe.base.remote_code.files
    assert ask_base(recipe.base.model_copy(update={"max_seq_length": 64})).mistakes == []
    assert (odd_lab.recipes / "odd.yaml").read_text("utf-8") == text


def test_another_commit_is_shown_as_a_difference_and_put_over_a_revision_that_contradicts(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, plain_odd: dict[str, bytes]
) -> None:
    model, commit = odd[0] + "-later", push("model", odd[0] + "-later", plain_odd)
    path = odd_lab.recipes / "odd.yaml"
    path.write_text(ODD_RECIPE.replace("MODEL", model), "utf-8")
    assert zoo("trust", model, "--yes", cwd=odd_lab.root)[0] == 0
    later = push("model", model, {"odd.py": plain_odd["odd.py"] + b"import socket\n"})
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"  model: {model}", f"  model: {model}\n  revision: {later}"), "utf-8")
    code, _, err = zoo("check", cwd=odd_lab.root)
    assert code == 1
    assert f"`zoo trust {model}`" in err
    code, out, err = zoo("trust", model, "--yes", cwd=odd_lab.root)
    assert code == 0, err
    assert f"since the last consent, to {commit[:8]}:" in out
    assert "+import socket" in out
    assert f"+++ odd.py ({later[:8]})" in out
    code, out, err = zoo("trust", model, "--revision", commit, "--yes", cwd=odd_lab.root)
    assert code == 0, err
    assert parse(BaseFile, read_yaml(path)).base.revision == commit
    assert zoo("check", cwd=odd_lab.root)[0] == 0


def test_trust_of_what_needs_none_of_what_no_recipe_has_and_of_what_no_consent_covers(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, plain_odd: dict[str, bytes]
) -> None:
    (odd_lab.recipes / "odd.yaml").unlink()
    code, out, err = zoo("trust", odd[0], cwd=odd_lab.root)
    assert code == 0, err
    assert "this is the consent to put under `base`:\n  remote_code:\n    revision: " in out
    native = {path: content for path, content in plain_odd.items() if path != "config.json"}
    push("model", "lab/odd-native", {**native, "config.json": b'{"model_type": "bert"}'})
    code, out, err = zoo("trust", "lab/odd-native", cwd=odd_lab.root)
    assert code == 0
    assert "lab/odd-native asks for no code of its own at " in out
    settings = json.dumps({"auto_map": {"AutoTokenizer": [None, "lab/other--odd.T"]}}).encode()
    push("model", "lab/odd-elsewhere", {**plain_odd, "tokenizer_config.json": settings})
    code, out, err = zoo("trust", "lab/odd-elsewhere", "--yes", cwd=odd_lab.root)
    assert (code, out) == (1, "")
    assert "model 'lab/odd-elsewhere' takes code from elsewhere, which no consent covers: 'lab/other--odd.T'" in err
    code, out, err = zoo("trust", "nothing", cwd=odd_lab.root)
    assert (code, err.splitlines()[-1]) == (1, "hint: name it as owner/name")
    code, out, err = zoo("trust", "lab/odd-native", "--revision", "v9", cwd=odd_lab.root)
    assert (code, err.splitlines()[-1]) == (1, "hint: name a commit, branch or tag that it has")
    assert "cannot look up model 'lab/odd-native' at 'v9': no such revision on http" in err


def test_nothing_runs_or_is_asked_whatever_is_typed(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, stdin: io.StringIO, tmp_path: Path
) -> None:
    model, commit = odd
    build = ("build", "odd-matryoshka", "--scale", "mini")
    for arguments, way in (
        (build, f"zoo trust {model}"),
        (("check", "odd-matryoshka", "--hub"), f"zoo trust {model}"),
        (("eval", model), f"zoo eval {model} --trust {commit}, if you have read its code"),
    ):
        code, out, err = zoo(*arguments, cwd=odd_lab.root)
        assert code == 1, out + err
        assert f"{model}' asks for code of its own" in err
        assert way in err
    assert zoo("trust", model, "--yes", cwd=odd_lab.root)[0] == 0
    path = odd_lab.recipes / "odd.yaml"
    right = type(odd_lab)(odd_lab.root).recipe("odd-matryoshka").base.remote_code.files["odd.py"]
    path.write_text(path.read_text("utf-8").replace(right, "b" * 64), "utf-8")
    for arguments in (build, ("check", "odd-matryoshka", "--hub"), ("eval", model)):
        code, out, err = zoo(*arguments, cwd=odd_lab.root)
        assert code == 1, out + err
        said = (
            f"the code of model '{model}' is not what consent was given to: 'odd.py' is {right[:8]} (consent: bbbbbbbb)"
        )
        assert said in err
        assert f"zoo trust {model}" in err
    assert not list(odd_lab.root.glob("runs/**/train*"))
    assert stdin.read() == "y\n" * 9


@pytest.mark.parametrize(
    ("target", "trust", "said"),
    [
        (
            "odd-matryoshka",
            "1" * 40,
            "--trust: 'odd-matryoshka' is a recipe, which holds the consent to its code itself",
        ),
        ("recipes", "1" * 40, "--trust: 'recipes' is a folder, and consent is to a commit on the Hub"),
        ("lab/odd-consent", "main", "--trust: 'main' is not the whole name of a commit: 40 of the characters"),
        ("lab/odd-consent", "1" * 40, "cannot look up model 'lab/odd-consent' at '1111"),
    ],
)
def test_trust_for_an_evaluation_is_to_a_commit_on_the_hub(
    target: str, trust: str, said: str, odd_lab: Any, zoo: Any
) -> None:
    code, _, err = zoo("eval", target, "--trust", trust, cwd=odd_lab.root)
    assert code == 1
    assert f"error: {said}" in err


def test_an_evaluation_takes_consent_to_the_commit_that_was_typed(odd: tuple[str, str], odd_lab: Any) -> None:
    from zoo.evaluate.ingredients import results_folder
    from zoo.pipeline.candidates import candidate_of
    from zoo.run import Run, versions

    prompts = results_folder(Run.of(odd_lab.root, "any", "mini").folder.parent) / "prompts.json"
    prompts.parent.mkdir(parents=True)
    prompts.write_text(json.dumps({"mteb": versions("mteb")["mteb"], "models": {odd[0]: None}}), "utf-8")
    found = candidate_of(odd_lab, odd[0], [64], "mini", odd[1])
    assert found.model.remote_code == consent_to(*odd)
    assert found.revision == odd[1]
    assert candidate_of(odd_lab, odd[0], [64], "mini").model.remote_code is None
    refuse_unfit(found.model, found.dims)


def test_consent_that_is_malformed_is_told_at_its_line(odd_lab: Any, zoo: Any) -> None:
    path = odd_lab.recipes / "odd.yaml"
    lines = ["  remote_code:", "    revision: abc", "    files: {../up.py: x, m.py: 1}", "    licence: mit", ""]
    path.write_text(path.read_text("utf-8").replace("  width", "\n".join(lines) + "  width", 1), "utf-8")
    code, _, err = zoo("check", cwd=odd_lab.root)
    assert code == 1
    for said in (
        "line 7: base.remote_code.revision: 'abc': a revision is the whole name of a commit",
        "line 8: base.remote_code.files",
        "line 9: base.remote_code.licence: unknown key 'licence'; did you mean 'license'?",
    ):
        assert said in err


def test_a_parent_with_another_consent_is_a_mistake(odd: tuple[str, str], odd_lab: Any, zoo: Any) -> None:
    assert zoo("trust", odd[0], "--yes", cwd=odd_lab.root)[0] == 0
    child = ODD_RECIPE.replace("MODEL", odd[0]).replace("Odd,", "Odd-2, from: odd-matryoshka,")
    (odd_lab.recipes / "other.yaml").write_text(child.replace("[triplets]", "[hybrid]"), "utf-8")
    code, _, err = zoo("check", cwd=odd_lab.root)
    assert code == 1
    count = len(consent_to(*odd).files)
    told = f"'odd-matryoshka' has consent to {count} files of commit '{odd[1][:8]}', and this file no consent to code"
    assert f"variants.matryoshka.from: {told}; `zoo trust {odd[0]}` writes the same into both files" in err
    assert zoo("trust", odd[0], "--yes", cwd=odd_lab.root)[0] == 0
    assert zoo("check", cwd=odd_lab.root)[0] == 0


def test_a_consent_that_came_with_a_file_is_not_the_users(
    odd: tuple[str, str], odd_lab: Any, zoo: Any, tmp_path: Path
) -> None:
    """A published recipe holds its author's consent; its own code runs only where the user gives one too."""
    model, commit = odd
    mark, lab = Path(odd_mark(odd)), odd_lab
    assert zoo("trust", model, "--yes", cwd=lab.root)[0] == 0
    _, shown, _ = zoo("show", "odd-matryoshka", "--scale", "mini", cwd=lab.root)
    (lab.root / "their recipe.yaml").write_text(shown, "utf-8")
    build = ("build", "--recipe", "their recipe.yaml", "--dry-run")
    code, out, err = zoo(*build, cwd=lab.root)  # the recipe here consents to the same bytes
    assert code == 0, out + err
    (lab.recipes / "odd.yaml").write_text(ODD_RECIPE.replace("MODEL", model), "utf-8")
    for arguments in (build, build[:-1]):
        code, out, err = zoo(*arguments, cwd=lab.root)
        assert (code, out) == (1, "")
        assert f"error: their recipe.yaml came with consent to run code of '{model}', which somebody else gave" in err
        way = f"zoo build --recipe 'their recipe.yaml' --trust {commit}"
        assert f"hint: read it: zoo trust {model} --revision {commit}; then {way}" in err
    code, out, err = zoo(*build, "--trust", commit, cwd=lab.root)
    assert code == 0, out + err
    code, _, err = zoo(*build, "--trust", "f" * 40, cwd=lab.root)
    assert (code, err.splitlines()[-1]) == (1, f"hint: it holds --trust {commit}")
    data = yaml.safe_load(shown)  # consent of a parent alone
    parent = {**data, "name": "parent"}
    child = {**data, "base": {**data["base"], "remote_code": None, "encoder": None}, "parent": parent}
    (lab.root / "child.yaml").write_text(yaml.safe_dump(child, sort_keys=False), "utf-8")
    code, _, err = zoo("build", "--recipe", "child.yaml", "--dry-run", cwd=lab.root)
    assert code == 1
    assert f"child.yaml came with consent to run code of '{model}'" in err
    code, _, err = zoo("build", "odd-matryoshka", "--trust", commit, cwd=lab.root)
    assert (code, "--trust is for --recipe FILE" in err) == (1, True)
    assert not mark.exists()
    assert not list(lab.root.glob("runs/**/train*"))


def odd_mark(odd: tuple[str, str]) -> str:
    """What the code writes when it runs."""
    found = re.search(rb'Path\("(.*?)"\)', code_of(*odd).files["odd.py"])
    assert found is not None
    return found[1].decode()


class Terminal(io.StringIO):
    """A standard input at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "written"), [("y\nrest", True), ("n\nrest", False), ("\nrest", False), ("", False)])
def test_at_a_terminal_trust_asks_once(
    typed: str, written: bool, odd: tuple[str, str], odd_lab: Any, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    before = (odd_lab.recipes / "odd.yaml").read_text("utf-8")
    code, out, err = zoo("trust", odd[0], cwd=odd_lab.root)
    assert code == (0 if written else 1), err
    assert (out + err).count("[y/N]") == 1
    assert ((odd_lab.recipes / "odd.yaml").read_text("utf-8") != before) is written
    assert sys.stdin.read() == typed.partition("\n")[2]
    assert ("nothing was written" in out) is (typed not in ("", "y\nrest"))


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        (None, "its card names none that the Hub knows; without `license` under base.remote_code a model is built"),
        ("other", "which is not known to allow to pass the code on: a model is built, and not published"),
        ("cc-by-nc-nd-4.0", "it allows no derivatives, so that a model is built, and not published"),
        ("cc-by-sa-4.0", "its card says 'cc-by-sa-4.0'"),
    ],
)
def test_what_a_licence_means_for_publishing_is_told_before_anything_is_trained(licence: str, told: str) -> None:
    from zoo.cli.trust import _licence_told

    assert told in _licence_told(licence)


def test_what_is_no_id_is_told_with_the_command_that_was_meant(odd: tuple[str, str], odd_lab: Any, zoo: Any) -> None:
    for typed in ("odd-matryoshka", f"https://huggingface.co/{odd[0]}", f"https://huggingface.co/{odd[0]}/tree/main"):
        code, out, err = zoo("trust", typed, cwd=odd_lab.root)
        assert (code, out) == (1, "")
        assert err.splitlines()[-1] == f"hint: zoo trust {odd[0]}"


def test_a_recipe_that_awaits_consent_is_fine_and_says_so(zoo: Any, tmp_path: Path) -> None:
    """Nothing is asked of a Hub for that: the recipe's own stand-in tells that its base brings code."""
    workspace_in(tmp_path)
    told = "neoarabert-synonym: 'U4RASD/NeoAraBERT_MSA' brings code of its own"
    for command in (("check", "neoarabert-synonym"), ("check",), ("ls",)):
        code, _, err = zoo(*command, cwd=tmp_path)
        assert code == 0
        assert told in err
        assert "zoo trust U4RASD/NeoAraBERT_MSA" in err
        facts = json.loads(zoo(*command, "--json", cwd=tmp_path)[1])
        assert facts["awaiting_consent"] == {"neoarabert-synonym": "U4RASD/NeoAraBERT_MSA"}
    assert told not in zoo("check", "arabert-hybrid", cwd=tmp_path)[2]


def test_a_converter_runs_no_code_of_others_and_asks_nobody(
    stdin: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the library would ask for fifteen seconds, as it does unless zoo has loaded a model before."""
    from transformers import AutoModel, AutoTokenizer, dynamic_module_utils

    from zoo.translation.conversion import _converter, convert

    monkeypatch.setattr(dynamic_module_utils, "TIME_OUT_REMOTE_CODE", 15)
    mark = tmp_path / "mark"
    files = {"odd.py": CODE.replace("MARK", str(mark)), "config.json": json.dumps(CONFIG)}
    files["tokenizer_config.json"] = json.dumps({"auto_map": {"AutoTokenizer": [None, "odd.OddTokenizer"]}})
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match="cannot be converted"):
        convert("lab/odd", tmp_path, "int8", tmp_path / "converted")
    converter = _converter()(str(tmp_path))
    for load, kind in ((converter.load_tokenizer, AutoTokenizer), (converter.load_model, AutoModel)):
        with pytest.raises(ValueError, match="trust_remote_code"):
            load(kind, str(tmp_path))
    assert stdin.read() == "y\n" * 9
    assert not mark.exists()


@pytest.mark.slow
def test_yes_from_a_pipe_runs_nothing_in_a_process_that_begins(
    odd: tuple[str, str], odd_lab: Any, plain_odd: dict[str, bytes]
) -> None:
    mark = Path(re.search(rb'Path\("(.*?)"\)', plain_odd["odd.py"])[1].decode())  # type: ignore[index]
    for arguments, said in (
        (("eval", odd[0]), "asks for code of its own"),
        (("eval", "arabert-hybrid"), "is not trained"),
        (("build", "odd-matryoshka", "--scale", "mini"), "asks for code of its own"),
        (("trust", odd[0]), "consent was not given"),
    ):
        command = [sys.executable, "-m", "zoo.cli", *arguments]
        done = subprocess.run(command, cwd=odd_lab.root, input="y\n" * 99, text=True, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        assert said in done.stderr
        assert "[y/N]" not in done.stdout + done.stderr
    assert not mark.exists()
