"""`zoo init` and `zoo add`: files that are filled from what a base model and data say, and that are right at once."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TestHub
from folder_lab import put_model

from zoo.errors import DataError
from zoo.hub.store import Store
from zoo.recipe import Family, Workspace
from zoo.recipe.dataset import Dataset
from zoo.recipe.family import BaseFile
from zoo.starting.choices import held_out, phase_for, sizes_from, split_for
from zoo.starting.lab import flow
from zoo.starting.roles import SeenColumn, shape_of_rows
from zoo.starting.rows import look_at_data

WHO = ("a man", "a woman", "two boys", "the cook", "a nurse", "the child", "a farmer", "my neighbour")
DOES = (
    ("rides a bicycle", "is cycling", "sleeps in a chair"),
    ("cooks soup", "is making soup", "reads a map"),
    ("runs in the park", "jogs outside", "sits at home"),
    ("sings a song", "is singing", "drives a truck"),
)
WHERE = ("in the city", "by the river", "near the school", "at the market", "behind the house")
TRIPLETS = [tuple(f"{who} {does} {where}" for does in three) for who in WHO for three in DOES for where in WHERE]
SCORED = [(at, row[0], row[1 + at % 2], (4.5, 1.5)[at % 2]) for at, row in enumerate(TRIPLETS)]


def put_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        writer.writerows(rows)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a base model in `bert` and data in several shapes."""
    put_model(tmp_path / "bert")
    put_rows(tmp_path / "triplets.csv", ["query", "positive", "negative"], TRIPLETS)
    put_rows(tmp_path / "scores.tsv", ["id", "sentence_1", "sentence_2", "score"], SCORED, "\t")
    lines = [json.dumps({"premise": a, "hypothesis": b, "label": "entailment"}) for a, b, _ in TRIPLETS]
    lines += [json.dumps({"premise": a, "hypothesis": c, "label": "contradiction"}) for a, _, c in TRIPLETS]
    (tmp_path / "nli.jsonl").write_text("\n".join(lines), "utf-8")
    folder = tmp_path / "split"
    folder.mkdir()
    for split, rows in (("train", TRIPLETS[:100]), ("dev", TRIPLETS[100:130]), ("test", TRIPLETS[130:])):
        put_rows(folder / f"{split}.csv", ["question", "answer"], (row[:2] for row in rows))
    return tmp_path


def init(zoo: Any, place: Path, *more: str, data: str = "triplets.csv", language: str = "en") -> Workspace:
    code, _, err = zoo("init", "lab", "--base", "bert", "--data", data, "--language", language, *more, cwd=place)
    assert code == 0, err
    return Workspace(place / "lab")


# ---- Columns


def seen(**columns: Sequence[Any]) -> list[SeenColumn]:
    return [SeenColumn(name, values) for name, values in columns.items()]


TEXTS = [f"a long sentence of number {at}, which is no class" for at in range(20)]
GRADES, WORDS, NUMBERS = [0.1, 0.5, 0.9, 1] * 5, ["entailment", "neutral"] * 10, [0, 1] * 10


@pytest.mark.parametrize(
    ("columns", "kind", "written"),
    [
        (
            seen(negative=TEXTS, anchor=TEXTS, positive=TEXTS),
            "triplets",
            {"anchor": {}, "positive": {}, "negative": {}},
        ),
        (seen(question=TEXTS, answer=TEXTS, id=list(range(20))), "pairs", {"positive": {"source": "answer"}}),
        (seen(left=TEXTS, right=TEXTS), "pairs", {"anchor": {"source": "left"}}),
        (seen(sentence1=TEXTS, sentence2=TEXTS, score=GRADES), "scores", {"sentence1": {}, "score": {}}),
        (seen(a=TEXTS, b=TEXTS, similarity=[1, 5] * 10), "scores", {"score": {"source": "similarity", "from": [1, 5]}}),
        (seen(a=TEXTS, b=TEXTS, label=[0.5, 4.75, 3.2] * 5), "scores", {"score": {"source": "label", "from": [0, 5]}}),
        (seen(a=TEXTS, b=TEXTS, score=[-300, 7] * 10), "scores", {"score": {"from": [-300, 7]}}),
        (seen(premise=TEXTS, hypothesis=TEXTS, label=WORDS), "classes", {"hypothesis": {}}),
        (seen(text1=TEXTS, text2=TEXTS, label=NUMBERS), "classes", {"label": {"names": ["0", "1"]}}),
        (seen(q=TEXTS, a=TEXTS, label=[1, 3] * 10), "classes", {"label": {"values": {"1": "1", "3": "3"}}}),
    ],
)
def test_columns_are_known_by_names_and_values(columns: Any, kind: str, written: dict[str, Any]) -> None:
    shape = shape_of_rows("data", columns)
    found = {column.name: column.written for column in shape.columns}
    assert shape.kind == kind
    for name, facts in written.items():
        assert found[name].items() >= facts.items()
    dataset = Dataset.model_validate({"source": {"path": "x.csv"}, "columns": found})  # texts first, classes named
    assert list(dataset.columns) == list(found)


@pytest.mark.parametrize("columns", [seen(text=TEXTS), seen(a=TEXTS, b=TEXTS, c=TEXTS), seen(id=[1, 2]), []])
def test_columns_that_nothing_can_be_trained_on_are_named(columns: Any) -> None:
    with pytest.raises(DataError, match="'data' has no columns that a model can be trained on") as caught:
        shape_of_rows("data", columns)
    assert "anchor and positive" in str(caught.value.hint)


def test_choices_fit_what_recipes_allow() -> None:
    assert sizes_from(768, "pairs") == [768, 384, 192, 96, 48]
    assert (sizes_from(100, "scores"), sizes_from(768, "classes"), sizes_from(48, "pairs")) == ([100, 50], [768], [48])
    chosen = phase_for("rows", "triplets", 0, validated=True, longest=100, rows=[{"a": "x" * 700}] * 30)
    assert (chosen.dev, chosen.best, chosen.train["max_seq_length"]) == ("rows", {"metric": "accuracy"}, 100)
    assert (chosen.train["epochs"], chosen.train["batch_size"]) == (1, 64)  # 30 rows of who knows how many
    few = phase_for("rows", "triplets", 0, validated=True, rows=[{"a": "x"}] * 30, whole=True).train
    assert (few["epochs"], few["batch_size"]) == (3, 16)
    assert phase_for("rows", "classes", 3, validated=True).loss == {"type": "softmax", "num_labels": 3}


def test_a_split_of_few_rows_has_rows_in_every_part() -> None:
    rows = [{"anchor": f"text {at}", "positive": "p", "negative": "n"} for at in range(12)]
    rule = split_for(shape_of_rows("data", seen(anchor=TEXTS, positive=TEXTS, negative=TEXTS)), rows)
    assert rule is not None
    assert {rule.split_of(row["anchor"]) for row in rows} == {"train", "validation", "test"}


def test_held_out_rows_are_graded_by_what_rows_say() -> None:
    rows = [{"premise": f"p{at}", "hypothesis": f"h{at}", "label": at % 3} for at in range(30)]
    columns = [
        *seen(premise=TEXTS, hypothesis=TEXTS),
        SeenColumn("label", [0, 1, 2], ["entailment", "neutral", "contradiction"]),
    ]
    assert held_out(shape_of_rows("data", columns), rows, [])[:2] == [("p0", "h0", 1.0), ("p3", "h3", 1.0)]
    pairs = held_out(
        shape_of_rows("data", seen(question=TEXTS, answer=TEXTS)),
        [{"question": f"q{at}", "answer": f"a{at}"} for at in range(4)],
        [],
    )
    assert pairs[:2] == [("q0", "a0", 1.0), ("q0", "a2", 0.0)]


@pytest.mark.parametrize(
    "value", ["no", "on", "12", "1.5", "a b", "a: b", "#x", "./a", "../b-c/d", "x[:95%]", "é", "2.0e-5", "a.", ""]
)
def test_values_are_read_back_as_they_were(value: str) -> None:
    assert yaml.safe_load(flow({"key": [value, 2e-5, 1, None, True, {value: 0.25}]})) == {
        "key": [value, 2e-5, 1, None, True, {value: 0.25}]
    }


# ---- A lab


def test_a_lab_is_right_at_once_and_says_what_its_base_and_data_are(place: Path, zoo: Any) -> None:
    lab = init(zoo, place, "--name", "My-Model", "--namespace", "me", "--ci", "github")
    assert zoo("check", cwd=lab.root)[:2] == (0, "1 recipe is fine\n")
    recipe = lab.recipe("my-model-triplets")
    assert (recipe.base.model, recipe.base.width, recipe.base.pooling.type) == ("../bert", 48, "mean")
    assert (recipe.release.repo, recipe.release.language, recipe.release.paper) == ("My-Model", ["en"], None)
    assert recipe.evaluation.tasks == ["STS17-en", "STSB-en"]
    assert (recipe.phases[0].dev, recipe.phases[0].best.metric) == ("triplets", "accuracy")
    assert lab.family.namespace == "me"
    assert (lab.root / ".gitignore").read_text("utf-8") == "runs/\n.zoo/\n"
    assert yaml.safe_load((lab.root / ".github/workflows/zoo.yml").read_text("utf-8"))["name"] == "zoo"
    assert lab.recipe("my-model-triplets", scale="mini").phases[0].train.max_steps == 20


@pytest.mark.parametrize(
    ("data", "recipe", "loss"),
    [("scores.tsv", "lab-scores", "cosent"), ("nli.jsonl", "lab-classes", "softmax"), ("split", "lab-pairs", "mnrl")],
)
def test_rows_decide_the_phase(place: Path, zoo: Any, data: str, recipe: str, loss: str) -> None:
    lab = init(zoo, place, data=data)
    assert zoo("check", cwd=lab.root)[0] == 0
    [use] = lab.recipe(recipe).phases[0].data
    assert loss in json.dumps(use.loss.model_dump(mode="json"))


def test_a_language_without_tasks_is_measured_by_rows_that_are_held_out(place: Path, zoo: Any) -> None:
    lab = init(zoo, place, data="split", language="de")
    code, out, _ = zoo("check", cwd=lab.root)
    assert (code, out) == (0, "1 recipe is fine\nplugins/held_out.py: evaluation task 'Held-out'\n")
    assert lab.recipe("lab-pairs").evaluation.tasks == ["Held-out"]
    assert list(lab.datasets["split"].splits) == ["train", "validation", "test"]
    graded = (lab.root / "data" / "held-out.tsv").read_text("utf-8").splitlines()
    assert graded[:2] == ["sentence1\tsentence2\tscore", "\t".join([*TRIPLETS[130][:2], "1"])]


def test_every_key_of_a_family_is_explained(place: Path, zoo: Any) -> None:
    text = (init(zoo, place).recipes / "family.yaml").read_text("utf-8")
    for key in Family.model_fields:
        assert f"\n{key}:" in text or f"\n# {key}:" in text, f"family.yaml says nothing of {key}"
    keys = "|".join(Family.model_fields)
    family = Family.model_validate(
        yaml.safe_load(re.sub(rf"(?m)^# ({keys}):", r"\1:", text))
    )  # what comments offer is right
    assert family.model_fields_set == set(Family.model_fields)
    base = (place / "lab" / "recipes" / "lab.yaml").read_text("utf-8")
    assert {"base", "dims", "variants"} <= BaseFile.model_fields.keys() & yaml.safe_load(base).keys()


def test_a_base_with_modules_and_prompts_keeps_them(place: Path, zoo: Any) -> None:
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    modules += [{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    modules += [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
    said = {"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"}
    for path, facts in {
        "modules.json": modules,
        "1_Pooling/config.json": {"word_embedding_dimension": 48, "pooling_mode_cls_token": True},
        "2_Dense/config.json": {"in_features": 48, "out_features": 64},
        "config_sentence_transformers.json": said,
        "sentence_bert_config.json": {"max_seq_length": 96},
    }.items():
        (place / "bert" / path).parent.mkdir(exist_ok=True)
        (place / "bert" / path).write_text(json.dumps(facts), "utf-8")
    (place / "bert" / "README.md").write_text("---\nlicense: mit\nlanguage: en\n---\n# x", "utf-8")
    recipe = init(zoo, place).recipe("lab-triplets")
    base = recipe.base
    assert (base.width, base.max_seq_length, base.pooling, recipe.dims) == (64, 96, None, [64, 32])
    assert (base.prompts, base.default_prompt, recipe.release.license) == ({"query": "query: "}, "query", "mit")


def test_bases_and_datasets_are_added(place: Path, zoo: Any) -> None:
    lab = init(zoo, place)
    assert zoo("add", "base", "../bert", "--name", "Other", cwd=lab.root)[:2] == (0, "wrote recipes/other.yaml\n")
    assert zoo("add", "dataset", "../scores.tsv")[:2] == (0, "wrote recipes/datasets/scores.yaml\n")
    assert zoo("check")[0] == 0
    code, _, err = zoo("add", "dataset", "../scores.tsv")
    assert (code, err.splitlines()[0]) == (1, "error: 'recipes/datasets/scores.yaml' is there already")
    commented = (lab.recipes / "datasets" / "scores.yaml").read_text("utf-8").split("base model's file:\n")[1]
    phase = yaml.safe_load("\n".join(line.removeprefix("# ") for line in commented.splitlines()))
    assert phase["scores"]["dev"] == "scores"


def test_an_empty_lab_has_nothing_to_publish_and_says_what_comes_first(hub: TestHub, place: Path, zoo: Any) -> None:
    assert zoo("init", "lab", "--empty", cwd=place)[0] == 0
    told = "error: nothing is built at scale 'full'\nhint: zoo add dataset DATA, then zoo add base MODEL\n"
    for command in (("plan",), ("publish", "--yes"), ("runs", "push", "--yes")):
        assert zoo(*command, cwd=place / "lab")[::2] == (1, told), command


def test_columns_that_no_loss_reads_are_told(place: Path, zoo: Any) -> None:
    """A score that nobody knows by its name would be left out in silence, and its pairs be taken as alike."""
    put_rows(place / "odd.csv", ['first #1: "q"', "second\n{x}", "how alike"], [(a, b, 1) for a, b, _ in TRIPLETS])
    code, _, err = zoo("init", "lab", "--base", "bert", "--data", "odd.csv", "--language", "eng", cwd=place)
    assert (code, err.splitlines()[0]) == (0, "odd.csv: two texts that belong together; not read: 'how alike'")
    lab = Workspace(place / "lab")
    assert "# Not read: 'how alike'." in (lab.recipes / "datasets" / "odd.yaml").read_text("utf-8")
    assert lab.datasets["odd"].columns["positive"].source == "second\n{x}"
    assert lab.recipe("lab-pairs").release.language == ["en"]  # the code of two letters, with its suite
    assert lab.recipe("lab-pairs").evaluation.suite == "eng-sts"
    lengths = {lab.recipe("lab-pairs", scale=scale).phases[0].train.max_seq_length for scale in ("full", "mini")}
    assert lengths == {32}  # a rehearsal reads no more of a text than the real thing


def test_an_empty_lab_is_filled_later(place: Path, zoo: Any) -> None:
    assert zoo("init", "lab", "--empty", cwd=place)[2] == "hint: cd lab && zoo add dataset DATA && zoo add base MODEL\n"
    assert zoo("check", cwd=place / "lab")[:2] == (0, "0 recipes are fine\n")
    assert "there is no dataset here to train it on\nhint: zoo add dataset DATA" in zoo("add", "base", "../bert")[2]
    assert zoo("add", "dataset", "../nli.jsonl")[0] == 0
    assert zoo("add", "base", "../bert")[0] == 0
    assert zoo("check")[:2] == (0, "1 recipe is fine\n")


@pytest.mark.usefixtures("seeded")
def test_what_the_hub_has_is_looked_at_there(place: Path, zoo: Any) -> None:
    data = "Omartificial-Intelligence-Space/Arabic-NLi-Pair-Class"
    base = "aubmindlab/bert-base-arabertv02"
    code, _, err = zoo("init", "lab", "--base", base, "--data", data, "--language", "ar", cwd=place)
    assert code == 0, err
    assert "zoo build lab-classes --scale mini" in err
    lab = Workspace(place / "lab")
    assert lab.datasets["arabic-nli-pair-class"].columns["label"].names == ["entailment", "neutral", "contradiction"]
    assert lab.recipe("lab-classes").base.width == 768
    assert lab.recipe("lab-classes").phases[0].train.epochs == 1  # only its first rows were read
    several = zoo("add", "dataset", "sentence-transformers/all-nli", cwd=lab.root)
    assert several[2].startswith(
        "error: 'sentence-transformers/all-nli' has several configurations\nhint: --config takes"
    )
    assert zoo("add", "dataset", "sentence-transformers/all-nli", "--config", "triplet")[0] == 0
    assert zoo("check")[0] == 0


def test_a_base_of_the_hub_with_code_of_its_own_is_pointed_to_consent(hub: TestHub, place: Path, zoo: Any) -> None:
    files = {path.name: path.read_bytes() for path in (place / "bert").iterdir()}
    config = {**json.loads(files["config.json"]), "auto_map": {"AutoModel": "odd.Odd"}}
    with closing(Store(hub.root)) as store:
        store.import_commit("model", "odd/coded", {**files, "config.json": json.dumps(config).encode(), "odd.py": b""})
    given = ("--base", "odd/coded", "--data", "triplets.csv", "--language", "en")
    code, _, err = zoo("init", "lab", *given, cwd=place)
    assert code == 0
    assert "'odd/coded' brings code of its own, which runs by consent alone" in err
    assert "hint: cd lab && zoo trust odd/coded && zoo check" in err
    assert "zoo trust odd/coded" in (place / "lab" / "recipes" / "lab.yaml").read_text("utf-8")
    assert zoo("check", cwd=place / "lab")[0] == 0


# ---- Bad input


WANTED = ("--base", "bert", "--data", "triplets.csv", "--language", "en")


def with_(**other: str) -> tuple[str, ...]:
    given = {"base": "bert", "data": "triplets.csv", "language": "en"} | other
    return tuple(word for option, value in given.items() for word in (f"--{option}", value))


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        ((), "--base, --data and --language are missing, and there is no terminal", "zoo init lab --base MODEL"),
        (("--base", "bert", "--data", "triplets.csv"), "--language is missing", "--data triplets.csv --language en"),
        (with_(base="nothing"), "cannot look up model 'nothing'", "correct the id"),
        (with_(base="./nothing"), "no folder './nothing'", "owner/name"),
        (with_(base="split"), "'split' has no config.json", "save it there with"),
        (with_(base="coded"), "'coded' asks for code of its own", "take these names out"),
        (with_(data="nothing.csv"), "no file or folder 'nothing.csv'", "owner/name"),
        (with_(data="nobody/nothing"), "cannot read dataset 'nobody/nothing'", "correct the id"),
        (with_(data="one.csv"), "'one.csv' has no columns that a model can be trained on: 'text'", "name its columns"),
        (with_(data="empty.csv"), "'empty.csv' is empty", "write rows"),
        (with_(data="few.csv", language="de"), "'few.csv' has 1 rows, too few", "more rows"),
        (with_(language="english-ish"), "--language 'english-ish': ", "did you mean 'en'?"),
        (with_(language="xx"), "--language 'xx': ", ""),
        (with_(language="en, ar"), "--language 'en, ar': one language here", "--language en; family.yaml takes others"),
        (with_(name="a b"), "--name 'a b': the name of a repository is made of A-Z", "correct --name"),
        (with_(base="one.csv"), "'one.csv' is a file; a base model is a folder", "name the folder"),
        (with_(data="head.csv"), "'head.csv' has the names of columns and no rows", "write rows"),
        ((*WANTED, "--like", "gate"), "--like copies recipes as they are", "zoo init --help"),
        ((*WANTED, "--empty"), "--empty is a lab without them", "zoo init --help"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_bad_input_makes_nothing(place: Path, zoo: Any, arguments: tuple[str, ...], told: str, hint: str) -> None:
    coded = put_model(place / "coded")
    config = json.loads((coded / "config.json").read_text("utf-8"))
    (coded / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "odd.Odd"}}), "utf-8")
    put_rows(place / "one.csv", ["text"], [["a sentence"], ["another sentence"]])
    put_rows(place / "few.csv", ["anchor", "positive"], [["a sentence", "another"]])
    put_rows(place / "head.csv", ["anchor", "positive"], [])
    (place / "empty.csv").write_text("", "utf-8")
    before = sorted(place.rglob("*"))
    code, out, err = zoo("init", "lab", *arguments, cwd=place)
    assert (code, out) == (1, "")
    assert told in err
    assert hint in err.partition("hint: ")[2]
    assert sorted(place.rglob("*")) == before


def test_a_folder_with_files_is_left_alone_and_one_of_git_is_not(place: Path, zoo: Any) -> None:
    lab = place / "lab"
    lab.mkdir()
    (lab / "notes.txt").write_text("mine", "utf-8")
    told = "error: 'lab' has files already: 'notes.txt'\nhint: zoo init in a folder of its own\n"
    assert zoo("init", "lab", *WANTED, cwd=place) == (1, "", told)
    (lab / "notes.txt").unlink()
    (lab / ".git").mkdir()
    assert init(zoo, place).names == ["lab-triplets"]
    assert zoo("init", "lab", *WANTED, cwd=place)[2].startswith("error: 'lab' has recipes already")


def test_a_lab_that_fails_half_way_leaves_nothing(place: Path, zoo: Any) -> None:
    (place / "lab" / ".gitignore").mkdir(parents=True)
    code, _, err = zoo("init", "lab", *WANTED, cwd=place)
    assert (code, err.startswith("error: cannot start a workspace in 'lab': Is a directory")) == (1, True), err
    assert [path.name for path in (place / "lab").iterdir()] == [".gitignore"]


def test_a_terminal_is_asked(place: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "zoo.cli", "init", "lab"]
    with subprocess.Popen(command, cwd=place, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        said = os.read(ours, 1000).decode()
        while "Base model" not in said:
            said += os.read(ours, 1000).decode()
        time.sleep(1.5)  # whoever reads the question
        os.write(ours, b"bert\ntriplets.csv\nen\n")
        process.wait(60)
        said += os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, said
    assert "Base model (a folder, or owner/name on the Hub): bert" in said, "nothing moves over a question"
    assert Workspace(place / "lab").names == ["lab-triplets"]


def test_a_folder_of_files_names_its_splits(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    found = look_at_data("split")
    assert (list(found.splits), len(found.rows), len(found.tested)) == (["train", "validation", "test"], 100, 30)
    source = found.source(place / "lab" / "recipes" / "datasets")
    assert source["path"]["validation"] == "../../../split/dev.csv"


# ---- Words of ours in a lab with other models


@pytest.mark.parametrize(
    ("mine", "told"),
    [
        (
            "",
            [
                "line 8: paper: is the paper of GATE",
                "collection: has the title",
                "space: has the title",
            ],
        ),
        ("paper: null\ncollection: null\nspace: null\n", []),
    ],
)
def test_a_lab_that_carries_our_words_for_other_models_is_told(
    place: Path, zoo: Any, mine: str, told: list[str]
) -> None:
    assert zoo("init", "lab", "--like", "gate", cwd=place)[0] == 0
    assert "doubt" not in zoo("check", cwd=place / "lab")[2]
    base = "base: {model: ../bert, width: 48, pooling: mean}\ndims: [48]\nsuite: eng-sts\n"
    variants = "variants: {nli: {repo: Mine, phases: [allnli]}}\n"
    (place / "lab" / "recipes" / "mine.yaml").write_text(base + mine + variants, "utf-8")
    doubts = [line for line in zoo("check")[2].splitlines() if line.startswith("doubt: ")]
    assert len(doubts) == len(told)
    for doubt, words in zip(doubts, told, strict=True):
        assert words in doubt
        assert "'mine-nli' is not of it" in doubt
    family = place / "lab" / "recipes" / "family.yaml"
    text = family.read_text("utf-8").replace("namespace: null", "namespace: Omartificial-Intelligence-Space")
    family.write_text(text, "utf-8")
    assert "is the account of GATE's models, and 'mine-nli' is not of them" in zoo("check")[2]


def test_a_plugin_that_imports_the_hubs_client_leaves_the_hub_in_use(place: Path) -> None:
    """The client reads its Hub once, when it is imported: what plugins import comes after `--hub` was heeded."""
    command = [sys.executable, "-m", "zoo.cli"]
    subprocess.run([*command, "init", "lab", "--empty"], cwd=place, check=True, capture_output=True)
    (place / "lab" / "plugins" / "mine.py").write_text("import huggingface_hub\n", "utf-8")
    asked = [*command, "add", "base", "nobody/nothing", "--hub", "local"]
    dead = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(asked, cwd=place / "lab", env=dead, capture_output=True, text=True)
    assert "no such repository on http://127.0.0.1:" in done.stderr


# ---- Words of others

HOSTILE = "a\u2028b\u202e#: {x} {{ 7*7 }} \x85\x7f '\"\\ \ud800é"
EVIL = 'rows"""\nimport os; os.abort()\n"""\\'


def test_what_a_base_says_of_itself_stays_what_it_says(place: Path, zoo: Any) -> None:
    assert yaml.safe_load(flow({HOSTILE: [HOSTILE]})) == {HOSTILE: [HOSTILE]}
    prompts = {"query": "find: {{ 7*7 }} #\u00a0'\"\\ ", "a: b\n- c": "x"}
    settings = {"prompts": prompts, "default_prompt_name": "a: b\n- c"}
    (place / "bert" / "config_sentence_transformers.json").write_text(json.dumps(settings), "utf-8")
    recipe = init(zoo, place).recipe("lab-triplets")
    assert (recipe.base.prompts, recipe.base.default_prompt) == (prompts, "a: b\n- c")


def test_names_of_others_end_no_comment_and_no_docstring(place: Path, zoo: Any) -> None:
    data = f"{EVIL}.csv".replace("/", "-")
    (place / "triplets.csv").rename(place / data)
    lab = init(zoo, place, data=data, language="de")
    assert zoo("check", cwd=lab.root)[0] == 0
    code = compile((lab.root / "plugins" / "held_out.py").read_text("utf-8"), "held_out.py", "exec")
    assert set(code.co_names) == {"zoo.plugins", "graded_pairs", "__doc__"}
    [made] = (lab.recipes / "datasets").glob("*.yaml")
    assert yaml.safe_load(made.read_text("utf-8"))["source"]["path"] == f"../../../{data}"


def test_modules_of_others_are_named_on_one_line(hub: TestHub, place: Path, zoo: Any) -> None:
    files = {path.name: path.read_bytes() for path in (place / "bert").iterdir()}
    first = {"path": "", "type": "sentence_transformers.models.Transformer"}
    modules = [first, {"path": "1_Odd", "type": "odd.Odd)\ndims: [7]\nvariants: {} # \u2028"}]
    files |= {"modules.json": json.dumps(modules).encode(), "1_Odd/config.json": b'{"out_features": 48}'}
    with closing(Store(hub.root)) as store:
        store.import_commit("model", "odd/lines", files)
    given = ("--base", "odd/lines", "--data", "triplets.csv", "--language", "en")
    code, _, err = zoo("init", "lab", *given, cwd=place)
    assert code == 0, err
    assert list(yaml.safe_load((place / "lab" / "recipes" / "lab.yaml").read_text("utf-8"))) == [
        "base",
        "dims",
        "variants",
    ]
