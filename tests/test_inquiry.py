"""`zoo check --hub`: what the Hub knows of models, data and accounts is compared with what recipes say of them."""

from __future__ import annotations

import json
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from conftest import Begin, TestHub
from test_mistakes import (
    BERT,
    BERT_FILE,
    DATASETS,
    E5,
    E5_FILE,
    FAMILY,
    FAMILY_FILE,
    GRADED,
    LABELLED,
    Mistake,
    make,
    told,
)

from zoo.hub.store import Store
from zoo.remote import api

PLUGIN = """from zoo.plugins import graded_pairs, task

graded_pairs("Own", "own.tsv", "Two pairs.")


@task("Gone", kind="STS", metric="cosine_spearman", dataset="lab/asked-gone", revision="0" * 40, rows=2)
def gone(ours):
    "Pairs that nobody has."
"""
ROWS = "sentence1\tsentence2\tscore\nأ\tب\t1\nج\tد\t2\n"
CONFIG = {"model_type": "bert", "hidden_size": 768, "max_position_embeddings": 512}
MODULES = [
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
POOLING = {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
PROMPTS = {"prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": "query"}
E5_CONFIG = {"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 512}
WHOLE = {"tokenizer.json": b"{}", "model.safetensors": b"weights"}


def model(files: dict[str, Any]) -> dict[str, bytes]:
    written = {path: json.dumps(data).encode() for path, data in files.items() if not isinstance(data, bytes)}
    return {**WHOLE, **written}


MODELS = {
    "asked-bert": model({"config.json": CONFIG}),
    "asked-e5": model(
        {
            "config.json": E5_CONFIG,
            "modules.json": MODULES,
            "1_Pooling/config.json": POOLING,
            "config_sentence_transformers.json": PROMPTS,
        }
    ),
    "asked-pickle": {**model({"config.json": CONFIG}), "model.safetensors": b""},
    "asked-code": model({"config.json": {**CONFIG, "auto_map": {"AutoModel": "odd.OddModel"}}}),
    "asked-bare": {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": b"weights"},
    "asked-roberta": model({"config.json": {**CONFIG, "model_type": "roberta", "max_position_embeddings": 514}}),
}
del MODELS["asked-pickle"]["model.safetensors"]
MODELS["asked-pickle"]["pytorch_model.bin"] = b"weights"


def parquet(name: str) -> bytes:
    """One row, with the features that the recipes expect."""
    from datasets import ClassLabel, Dataset, Features, Value

    columns = {"triplets": ["anchor", "positive", "negative"], "pairs": ["anchor", "positive"]}
    texts = columns.get(name, ["sentence1", "sentence2"] if name in ("graded", "stars") else ["premise", "hypothesis"])
    features: dict[str, Any] = {text: Value("string") for text in texts}
    if name == "graded":
        features["score"] = Value("float32")
    if name in ("labelled", "other"):
        features["label"] = ClassLabel(names=["entailment", "neutral", "contradiction"])
    if name == "stars":
        features["score"] = ClassLabel(names=["0", "1", "2", "3", "4", "5"])
    if name == "flags":
        features["label"] = Value("bool")
    row = {key: "نص" if key in texts else 1 for key in features}
    written = BytesIO()
    Dataset.from_list([row], features=Features(features)).to_parquet(written)
    return written.getvalue()


def data(name: str, *splits: str) -> dict[str, bytes]:
    return {
        f"data/{split}-00000-of-00001.parquet": parquet(name) for split in splits or ("train", "validation", "test")
    }


@pytest.fixture(scope="module")
def there(hub: TestHub) -> TestHub:
    """What the recipes name is on the Hub, as they say."""
    with closing(Store(hub.root)) as store:
        for name, files in MODELS.items():
            store.import_commit("model", f"lab/{name}", files)
        for name in (*DATASETS, "stars", "flags"):
            store.import_commit("dataset", f"lab/asked-{name}", data(name))
        configs = {f"{config}/train-00000-of-00001.parquet": parquet("graded") for config in ("ar", "en")}
        front = "".join(
            f"- config_name: {config}\n  data_files:\n  - split: train\n    path: {config}/train-*\n"
            for config in ("ar", "en")
        )
        card = f"---\nconfigs:\n{front}---\n# Two\n".encode()
        store.import_commit("dataset", "lab/asked-two", {**configs, "README.md": card})
        store.import_commit("model", "lab/Asked-Taken", {"README.md": b"# Mine\n"})
    return hub


@pytest.fixture
def lab(tmp_path: Path, there: TestHub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small workspace of the table of mistakes, whose ids are on the Hub."""
    folder = tmp_path / "recipes"
    (folder / "datasets").mkdir(parents=True)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "own.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "own.tsv").write_text(ROWS, "utf-8")
    family = FAMILY.replace("[STS17-ar, STS22-ar]", "[Own]")
    bert = BERT.replace("lab/bert", "lab/asked-bert").replace("repo: Bert", "repo: Asked-Bert")
    e5 = E5.replace("intfloat/multilingual-e5-small", "lab/asked-e5").replace("E5-One", "Asked-One")
    for name, text in ((FAMILY_FILE, family), (BERT_FILE, bert), (E5_FILE, e5)):
        (folder / name).write_text(text, "utf-8")
    for name, columns in DATASETS.items():
        (folder / "datasets" / f"{name}.yaml").write_text(f"source: {{dataset: lab/asked-{name}}}\n{columns}", "utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


FINE = "3 recipes are fine\nplugins/own.py: evaluation task 'Own', evaluation task 'Gone'\n"
BASE_AT = "model: lab/asked-bert"
MISTAKES = {
    "another width": Mistake(
        BERT_FILE, "width: 768", "width: 1024",
        "width:", "base.width: '1024', and 'lab/asked-bert' is 768 wide; write width: 768",
    ),
    "another width, of a model with modules": Mistake(
        E5_FILE, "width: 384", "width: 768",
        "width:", "base.width: '768', and 'lab/asked-e5' is 384 wide; write width: 384",
    ),
    "more positions than there are": Mistake(
        BERT_FILE, "width: 768", "width: 768\n  max_seq_length: 1024",
        "max_seq_length", "base.max_seq_length: '1024', and 'lab/asked-bert' has 512 positions; write max_seq_length: 512",
    ),
    "positions that are counted from the padding": Mistake(
        BERT_FILE, "model: lab/asked-bert", "model: lab/asked-roberta\n  max_seq_length: 514",
        "max_seq_length", "base.max_seq_length: '514', and 'lab/asked-roberta' has 512 positions; write max_seq_length: 512",
    ),
    "no pooling": Mistake(
        BERT_FILE, "  pooling: mean\n", "",
        "base:", "base.pooling: missing, and 'lab/asked-bert' brings no modules.json; write pooling: mean",
    ),
    "a model that is not there": Mistake(
        BERT_FILE, BASE_AT, "model: lab/asked-brt",
        "model:", "base.model: cannot look up model 'lab/asked-brt': no such repository on {hub}; correct the id; private repositories need a token that may read them",
    ),
    "a commit that is not there": Mistake(
        BERT_FILE, BASE_AT, f"model: lab/asked-bert\n  revision: {'a' * 40}",
        "model:", "base.model: cannot look up model 'lab/asked-bert': no such revision on {hub}; name a commit, branch or tag that it has",
    ),
    "a pickle": Mistake(
        BERT_FILE, BASE_AT, "model: lab/asked-pickle",
        "model:", "base.model: 'lab/asked-pickle' has no weights as safetensors; https://huggingface.co/spaces/safetensors/convert makes them: set `base.revision` to its commit",
    ),
    "code of others": Mistake(
        BERT_FILE, BASE_AT, "model: lab/asked-code",
        "model:", "base.model: 'lab/asked-code' asks for code of its own, and no code of others is run: 'odd.OddModel' in odd.py (named in config.json); zoo trust lab/asked-code, which shows that code and asks for consent",
    ),
    "no tokenizer": Mistake(
        BERT_FILE, BASE_AT, "model: lab/asked-bare",
        "model:", "base.model: 'lab/asked-bare' has no tokenizer; choose a model that brings one",
    ),
    "data that are not there": Mistake(
        GRADED, "lab/asked-graded", "lab/asked-grated",
        "source:", "source.dataset: cannot read dataset 'lab/asked-grated': no such repository on {hub}; correct the id; private repositories need a token that may read them",
    ),
    "a split that is not there": Mistake(
        GRADED, "lab/asked-graded", "lab/asked-graded, splits: {train: train, validation: dev}",
        "source:", "source.splits.validation: 'lab/asked-graded' has no split 'dev', but train, validation, test; write splits: {train: train, validation: validation, test: test}",
    ),
    "a column that is not there": Mistake(
        GRADED, "  score: {type: score}", "  score: {type: score, source: similarity}",
        "  score:", "columns.score: the source has no column 'similarity'; it has: sentence1, sentence2, score",
    ),
    "a column that is no text": Mistake(
        GRADED, "sentence2: {type: text}", "sentence2: {type: text, source: score}",
        "sentence2:", "columns.sentence2: is no text at the source but 'float32'; name another column as its source",
    ),
    "a class for a score": Mistake(
        GRADED, "lab/asked-graded}\ncolumns:\n  sentence1: {type: text}\n  sentence2: {type: text}\n  score: {type: score}",
        "lab/asked-labelled}\ncolumns:\n  premise: {type: text}\n  hypothesis: {type: text}\n  label: {type: score}",
        "  label:", "columns.label: is a class at the source (entailment, neutral, contradiction), and no score; write type: class with these names",
    ),
    "classes of other names": Mistake(
        LABELLED, "[entailment, neutral, contradiction]", "[follows, neutral, contradicts]",
        "  label:", "columns.label: the source has the classes entailment, neutral, contradiction, the recipe follows, neutral, contradicts; add values: {entailment: null, contradiction: contradicts}; null drops the row, and the names are follows, neutral, contradicts",
    ),
    "true and false for classes": Mistake(
        LABELLED, "lab/asked-labelled", "lab/asked-flags",
        "  label:", "columns.label: is true or false at the source; add values: {'false': null, 'true': null}; null drops the row, and the names are entailment, neutral, contradiction",
    ),
    "no config": Mistake(
        GRADED, "lab/asked-graded", "lab/asked-two",
        "source:", "source.config: missing; one of: ar, en",
    ),
    "a config that is not there": Mistake(
        GRADED, "lab/asked-graded", "lab/asked-two, config: fr",
        "config:", "source.config: no config 'fr' in 'lab/asked-two'; one of: ar, en",
    ),
    "an account of others": Mistake(
        FAMILY_FILE, "namespace: lab", "namespace: somebody",
        "namespace:", "namespace: 'lab' may not publish as 'somebody'; set ZOO_NAMESPACE to an account of yours",
    ),
    "a guide that is not there": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: gist, guide: {model: lab/asked-brt}}",
        "model: lab/asked-brt", "phases.triplets.data.0.loss.inner.guide.model: cannot look up model 'lab/asked-brt': no such repository on {hub}; correct the id; private repositories need a token that may read them",
    ),
    "a guide of others' code": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: gist, guide: {model: lab/asked-code}}",
        "model: lab/asked-code", "phases.triplets.data.0.loss.inner.guide.model: 'lab/asked-code' asks for code of its own, and no code of others is run: 'odd.OddModel' in odd.py (named in config.json); name another model in its loss: one that transformers loads by itself, without 'auto_map'; consent is for base models",
    ),
    "a guide that is a pickle": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: gist, guide: {model: lab/asked-pickle}}",
        "model: lab/asked-pickle", "phases.triplets.data.0.loss.inner.guide.model: 'lab/asked-pickle' has no weights as safetensors; https://huggingface.co/spaces/safetensors/convert makes them: write that commit as its `revision`",
    ),
    "a teacher of another width": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: mse, teacher: {model: lab/asked-e5}}",
        "model: lab/asked-e5", "phases.triplets.data.0.loss.inner.teacher.model: teacher 'lab/asked-e5' is 384 wide, and loss 'mse' makes 768 numbers in 'bert-matryoshka'; write projection_dim: 384 beside it, or choose another teacher",
    ),
    "a task without data": Mistake(
        FAMILY_FILE, "[Own]", "[Own, Gone]",
        "sts: [", "suites.sts.1: cannot look up the data of task 'Gone' ('lab/asked-gone'): no such repository on {hub}; correct the id; private repositories need a token that may read them",
    ),
}  # fmt: skip
DOUBTS = {
    "a name that is taken": Mistake(
        BERT_FILE, "repo: Asked-Bert-Hybrid", "repo: Asked-Taken",
        "Asked-Taken", "variants.hybrid.repo: model 'lab/Asked-Taken' is on the Hub, and zoo did not make it; look at {hub}/lab/Asked-Taken, or choose another name",
    ),
    "prompts that are lost": Mistake(
        E5_FILE, 'document: "passage: "', 'document: "text: "',
        "prompts:", "base.prompts: the prompt 'document' of 'lab/asked-e5' is not kept: \"passage: \"; write it there",
    ),
    "modules that are lost": Mistake(
        E5_FILE, "width: 384", "width: 384\n  pooling: mean",
        "pooling", "base.pooling: takes the place of the modules that 'lab/asked-e5' brings; leave it out for those: {hub}/lab/asked-e5/blob/main/modules.json",
    ),
}  # fmt: skip


def test_what_is_so_is_fine(lab: Path, zoo: Any, asked: list[str]) -> None:
    assert zoo("check", "--hub") == (0, FINE, "")
    assert not [one for one in asked if one.endswith(".safetensors")]
    assert zoo("check", "--hub", "e5-one")[1].startswith("1 recipe is fine\n"), "a name after --hub is a recipe"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_that_the_hub_knows_is_told(lab: Path, there: TestHub, zoo: Any, name: str) -> None:
    where = make(lab, MISTAKES[name])
    assert zoo("check")[0] == 0, "without the Hub nobody knows"
    code, out, err = zoo("check", "--hub")
    assert (code, out) == (1, "")
    assert told(err) == [f"{where}: {MISTAKES[name].told}".replace("{hub}", there.running.url)]


@pytest.mark.parametrize("name", DOUBTS)
def test_a_doubt_that_the_hub_raises_is_no_error(lab: Path, there: TestHub, zoo: Any, name: str) -> None:
    where = make(lab, DOUBTS[name])
    doubt = DOUBTS[name].told.format(hub=there.running.url)
    assert zoo("check", "--hub") == (0, FINE, f"doubt: {where}: {doubt}\n")


def test_without_a_token_nobody_knows_who_may_publish(
    lab: Path, there: TestHub, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    url = there.running.url
    doubt = (
        f"namespace: no token for {url}, so that nobody can say whether you may publish; hf auth login, or set HF_TOKEN"
    )
    assert zoo("check", "--hub") == (0, FINE, f"doubt: recipes/family.yaml, line 2: {doubt}\n")


def test_what_is_gated_says_where_to_ask(lab: Path, there: TestHub, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(there.root)) as store:
        store.add_user("asked-guest")
        store.import_commit("model", "lab/asked-gate", MODELS["asked-bert"])
        store.import_commit("dataset", "lab/asked-gate", data("graded"))
        guest = store.issue_token("asked-guest", role="write")
    for kind in ("model", "dataset"):
        api().update_repo_settings("lab/asked-gate", gated="manual", repo_type=kind)
    make(lab, Mistake(BERT_FILE, "lab/asked-bert", "lab/asked-gate", "model:", ""))
    make(lab, Mistake(GRADED, "lab/asked-graded", "lab/asked-gate", "source:", ""))
    monkeypatch.setenv("HF_TOKEN", guest)
    monkeypatch.setenv("ZOO_NAMESPACE", "asked-guest")
    url = there.running.url
    way = "access is restricted; ask for access at"
    assert told(zoo("check", "--hub")[2]) == [
        f"recipes/bert.yaml, line 2: base.model: cannot look up model 'lab/asked-gate': {way} {url}/lab/asked-gate",
        "recipes/datasets/graded.yaml, line 1: source.dataset: cannot read dataset 'lab/asked-gate': "
        f"{way} {url}/datasets/lab/asked-gate",
    ]


def test_classes_that_are_numbers_are_scores(lab: Path, zoo: Any) -> None:
    make(lab, Mistake(GRADED, "lab/asked-graded", "lab/asked-stars", "source:", ""))
    make(lab, Mistake(GRADED, "{type: score}", "{type: score, from: [0, 5]}", "  score:", ""))
    assert zoo("check", "--hub") == (0, FINE, "")


def test_a_hub_that_cannot_be_asked_is_one_sentence(lab: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    code, out, err = zoo("check", "--hub")
    assert (code, out, len(err.splitlines())) == (1, "", 2)
    assert err.startswith("error: cannot reach the Hub: ")


def test_a_hub_that_breaks_off_is_told_soon_and_is_no_mistake_of_a_recipe(lab: Path, zoo: Any, begin: Begin) -> None:
    hub = begin({"fault": "drop-before-body", "path": "/api/models$", "count": 2})
    code, out, err = zoo("check", "--hub")
    assert (code, out) == (1, "")
    told_once = f"error: cannot reach the Hub: {hub.url} does not answer (RemoteProtocolError)"
    assert err.splitlines()[0] == told_once, "asked twice, not four times in seven seconds"
    begin({"fault": "drop-before-body", "path": "/api/(models|datasets)/", "count": 1000})
    code, out, err = zoo("check", "--hub")
    assert (code, out, err.count("error: "), err.count("mistake")) == (1, "", 1, 0)


@pytest.mark.parametrize(
    "theirs", [{"prompts": ["query: "]}, {"prompts": {"query": 5}, "default_prompt_name": ["query"]}, ["prompts"]]
)
def test_settings_that_are_none_are_nobodys_mistake(theirs: Any) -> None:
    from zoo.inquiry.base import small_files_told
    from zoo.recipe.schema import Base

    files = {**model({"config.json": CONFIG}), "config_sentence_transformers.json": json.dumps(theirs).encode()}
    told_of_it = small_files_told(
        Base.model_validate({"model": "lab/odd", "width": 768, "pooling": "mean"}), files, files.get
    )
    assert (told_of_it.mistakes, told_of_it.doubts) == ([], [])


def test_builders_are_those_of_the_installed_datasets() -> None:
    from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES  # no public name: a new one would show here

    from zoo.recipe.check import BUILDERS

    assert set(_PACKAGED_DATASETS_MODULES) <= BUILDERS
