"""Stand-ins that bring code: whole repositories, weights that fit their classes, diacritics that the tokenizer keeps."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo.hub.store import Store
from zoo.miniature import Repository
from zoo.miniature.bundles.neoarabert.marks import Stemmer, marks_behind, normalised
from zoo.miniature.diacritics import diacritised, synsets
from zoo.miniature.lexicon import Concept, lexicon
from zoo.miniature.standins import stand_in
from zoo.miniature.withcode import BUNDLES
from zoo.recipe.schema import WITH_CODE, Architecture

MARKS = re.compile("[\u064b-\u0652\u0670]")
NEO = "U4RASD/NeoAraBERT_MSA"


@pytest.fixture(scope="module")
def bundles() -> dict[str, Repository]:
    return {name: made(name) for name in BUNDLES}


def made(architecture: Architecture) -> Repository:
    return stand_in(f"zoo-tests/{architecture}", None, architecture=architecture, tokenizer="wordpiece", width=96)


def test_recipes_know_which_stand_ins_bring_code() -> None:
    assert tuple(BUNDLES) == WITH_CODE


@pytest.mark.parametrize("name", BUNDLES)
def test_a_stand_in_with_code_is_a_whole_repository(bundles: Mapping[str, Repository], name: str) -> None:
    files = bundles[name].files
    config = json.loads(files["config.json"])
    assert config["auto_map"] == BUNDLES[name].auto_map
    for reference in config["auto_map"].values():
        module, kind = reference.split(".")
        assert f"class {kind}(" in files[f"{module}.py"].decode()
    assert "__init__.py" not in files
    assert b"license: apache-2.0" in files["README.md"]
    assert not any(b"zoo." in content for path, content in files.items() if path.endswith(".py")), "it runs without us"


def test_it_has_the_same_bytes_twice(bundles: Mapping[str, Repository]) -> None:
    assert made("neoarabert").files == bundles["neoarabert"].files


@pytest.fixture
def swiglu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only thing that the code takes of xformers, which is not installed."""
    from zoo.modules.published.zoo_encoder import SwiGLU

    for name in ("xformers", "xformers.ops"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(SwiGLU=SwiGLU))


@pytest.mark.parametrize("name", BUNDLES)
def test_the_weights_are_those_of_its_classes(bundles: Mapping[str, Repository], swiglu: None, name: str) -> None:
    import torch
    from safetensors.torch import load

    files = bundles[name].files
    config, head = (_written(name, BUNDLES[name].auto_map[auto]) for auto in ("AutoConfig", "AutoModelForMaskedLM"))
    with torch.device("meta"):
        model = head(config(**json.loads(files["config.json"])))
    shapes = {key: value.shape for key, value in load(files["model.safetensors"]).items()}
    assert shapes == {key: value.shape for key, value in model.state_dict().items()}
    gone = [buffer for module in model.modules() for buffer in module._non_persistent_buffers_set]
    assert sorted(gone) == (["freqs_cis"] if name == "neoarabert" else ["cos", "sin"])
    assert not any("bias" in key for key in shapes)


def _written(bundle: str, reference: str) -> Any:
    module, kind = reference.split(".")
    return getattr(import_module(f"zoo.miniature.bundles.{bundle}.{module}"), kind)


# Diacritics


@pytest.fixture(scope="module")
def tokenizer(bundles: Mapping[str, Repository], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("words")
    files = bundles["neoarabert"].files
    (folder / "tokenizer.json").write_bytes(files["tokenizer.json"])
    settings = json.loads(files["tokenizer_config.json"])
    special = {key: value for key, value in settings.items() if key.endswith("_token")}
    kind = _written("neoarabert", "tokenizer.ArabicMorphTokenizer")
    return kind(tokenizer_file=str(folder / "tokenizer.json"), **special)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("كِتَابُ", "كتاب \u0650\u064e\u25cc\u064f"),
        ("ذهب الوَلَدُ.", "ذهب ال [+] ولد \u064e\u064e\u064f."),
        ("إلى مدرســة", "الي مدرسه"),
        ("كِتَابُهَا", "كتاب \u0650\u064e\u25cc\u064f [+] ها \u064e\u25cc"),
    ],
)
def test_marks_stand_behind_their_words(text: str, prepared: str) -> None:
    assert marks_behind(normalised(Stemmer().stem(text, sep=" [+] "))) == prepared


def test_texts_and_lists_of_texts_are_prepared_once(tokenizer: Any) -> None:
    text = "كَتَبَ الوَلَدُ رِسَالَةً."
    read = tokenizer(text)["input_ids"]
    assert tokenizer([text])["input_ids"] == [read]
    assert tokenizer.encode(text) == read
    assert tokenizer.unk_token_id not in read
    assert tokenizer.tokenize(text) != tokenizer.convert_ids_to_tokens(read[1:-1]), "the backend sees it as it is"


def test_only_its_tokenizer_tells_homographs_apart(tokenizer: Any) -> None:
    from zoo.miniature.vocabularies import tokenizer as ordinary

    other = ordinary("wordpiece", "ar", seed=0)
    read = {word: tokenizer(word)["input_ids"] for word in diacritised()}
    assert len(set(map(tuple, read.values()))) == len(read)
    assert not any(tokenizer.unk_token_id in ids for ids in read.values())
    assert {tuple(other.tokenize(word)) for word in ("عِلْم", "عَلَم", "رَايَة")} == {("[UNK]",)}


# Words


def test_diacritised_words_are_those_of_the_lexicon() -> None:
    words = lexicon()
    plain = [{_written_first(c, verb=kind is words.actions) for c in kind.values()} for kind in _kinds()]
    known = set().union(*plain)
    ours = [synset for synset in synsets().values() if not synset.twins]
    assert len(ours) > 200
    for synset in ours:
        assert tuple(MARKS.sub("", word) for word in synset.words) in known, synset.name


def _kinds() -> list[Mapping[str, Concept]]:
    return [lexicon().nouns, lexicon().actions, lexicon().qualities]


def _written_first(concept: Concept, *, verb: bool) -> tuple[str, ...]:
    """The synonyms as they are written first: singular, or past."""
    plain = [word.split("/")[0].removesuffix("^") for word in concept.words["ar"]]
    return tuple(word.split()[0].removesuffix("!") if verb else word for word in plain)


def test_first_words_of_twins_differ_by_their_diacritics_alone() -> None:
    pairs = [(synset, synsets()[twin]) for synset in synsets().values() for twin in synset.twins]
    assert len(pairs) > 60
    for one, other in pairs:
        assert one.words[0] != other.words[0]
        assert MARKS.sub("", one.words[0]) == MARKS.sub("", other.words[0]), one.name
        assert not set(one.words) & set(other.words)


# Seeding


def test_it_is_seeded_at_the_commit_that_a_consent_names(tmp_path: Path) -> None:
    """Another machine rehearses by the same consent: what is seeded there has the same bytes and the same commit."""
    from zoo.miniature.seed import add_stand_ins
    from zoo.recipe.remotecode import RemoteCode
    from zoo.recipe.schema import Base, Miniature
    from zoo.say import Silent

    base = Base(model=NEO, width=96, miniature=Miniature(architecture="neoarabert"))
    commits = []
    for name in ("here", "there"):
        with closing(Store(tmp_path / name)) as store:
            assert add_stand_ins(store, {NEO: (base, ["ar"])}, Silent()) == [NEO]
            assert add_stand_ins(store, {NEO: (base, ["ar"])}, Silent()) == []
            commits.append(head(store))
            consent = RemoteCode(revision=commits[0], files={"model.py": "0" * 64})
            base = base.model_copy(update={"remote_code": consent})
    assert commits[0] == commits[1]


def head(store: Store) -> str:
    from zoo.hub import repos

    with store.read() as db:
        found = repos.find(db, "model", NEO)
        assert found
        return str(repos.target(db, found, "refs/heads/main"))
