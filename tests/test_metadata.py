"""One truth about metadata: what the Hub says of a card, the linter, the plan and the check of recipes say as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError
from pydantic import BaseModel

from zoo.hub.local import LocalHub, local_hub
from zoo.lint.check import check_repository
from zoo.lint.facts import NoHub
from zoo.lint.files import held_files
from zoo.lint.fix import fix
from zoo.lint.target import of_files, of_folder
from zoo.metadata import metadata_problems
from zoo.publish.plan.guard import refusals
from zoo.recipe.dataset import Dataset
from zoo.recipe.family import BaseFile, Space

INDEX = """model-index:
- name: x
  results:
  - task: {type: STS}
    dataset: {type: mteb/sts17, name: STS17}
    metrics: [{type: cosine_spearman, value: 83.1}]"""


@dataclass(frozen=True)
class Refused:
    """Metadata that the Hub does not take."""

    yaml: str
    hub: str
    """How its answer begins."""
    said: str
    """What the linter and the plan say."""
    hint: str | None = None
    kind: str = "model"
    rule: str = "L46"


ISO = "It must be an ISO 639-1, 639-2 or 639-3 code (two/three letters)"
SMALL = "is no language code: two or three small letters, as 'ar' or 'arz'"
REFUSED = {
    "licence": Refused("license: apache 2", '"license" must be one of [apache-2.0, mit,', "license: 'apache 2': no licence of the Hub's list", "did you mean 'apache-2.0'?"),
    "licence by its name": Refused("license: [mit, 'Apache License, Version 2.0']", '"license[1]" must be one of [', "license[1]: 'Apache License, Version 2.0': no licence of the Hub's list", "did you mean 'apache-2.0'?"),
    "licence of several versions": Refused("license: CC BY", '"license" must be one of [', "license: 'CC BY': no licence of the Hub's list", "did you mean 'cc-by-4.0'?"),
    "licence is no text": Refused("license: 5", '"license" must be one of [', "license: '5': no licence of the Hub's list"),
    "language by its name": Refused("language: english", f'"language" with value "english" is not valid. {ISO}', f"language: 'english' {SMALL}", "did you mean 'en'?"),
    "language with a country": Refused("language: [ar, ar-EG]", '"language[1]" must only contain lowercase characters', f"language[1]: 'ar-EG' {SMALL}", "did you mean 'ar'?"),
    "language with a small country": Refused("language: pt_pt", f'"language" with value "pt_pt" is not valid. {ISO}', f"language: 'pt_pt' {SMALL}", "did you mean 'pt'?"),
    "language in capitals": Refused("language: AR", '"language" must only contain lowercase characters', f"language: 'AR' {SMALL}", "did you mean 'ar'?"),
    "country for a language": Refused("language: jp", f'"language" with value "jp" is not valid. {ISO}', f"language: 'jp' {SMALL}"),
    "Norwegian": Refused("language: [ar, no]", '"language[1]" must be a string', "language[1]: YAML reads this as 'false', which is no text", "write it in quotes"),
    "nothing in a list": Refused("tags: [a, null]", '"tags[1]" must be a string', "tags[1]: empty where a text belongs"),
    "nothing in the configs": Refused("configs: [null]", '"configs[0]" must be of type object', "configs[0]: empty where keys and values belong", kind="dataset"),
    "nothing in the results": Refused("model-index: [{name: x, results: [null]}]", '"model-index[0].results[0]" must be of type object', "model-index[0].results[0]: empty where keys and values belong"),
    "no value": Refused("datasets:", '"datasets" must be a string', "datasets: empty where a text belongs"),
    "an empty id": Refused("base_model: ''", '"base_model" is not allowed to be empty', "base_model: empty"),
    "a year for a tag": Refused("tags: [2024]", '"tags[0]" must be a string', "tags[0]: '2024' where a text belongs"),
    "tags are no list": Refused("tags: arabic", '"tags" must be an array', "tags: 'arabic' where a list belongs"),
    "configs are no list": Refused("configs: {config_name: default}", '"configs" must be an array', "configs: '{'config_name': 'default'}' where a list belongs", kind="dataset"),
    "task is no text": Refused("pipeline_tag: 5", '"pipeline_tag" must be a string', "pipeline_tag: '5' where a text belongs"),
    "categories are no list": Refused("task_categories: translation", '"task_categories" must be an array', "task_categories: 'translation' where a list belongs", kind="dataset"),
    "thumbnail is no text": Refused("thumbnail: [x]", '"thumbnail" must be a string', "thumbnail: '['x']' where a text belongs"),
    "an id that is none": Refused("base_model: a b c", '"base_model" with value "a b c" is not valid. Use a model id from https://hf.co/models.', "base_model: 'a b c' is no id of a model: those are 'account/name'"),
    "an address for an id": Refused("base_model: [x/y, https://huggingface.co/a/b]", '"base_model[1]" with value "https://huggingface.co/a/b" is not valid. Use a model id', "base_model[1]: 'https://huggingface.co/a/b' is no id of a model: those are 'account/name'", "did you mean 'a/b'?"),
    "a folder for an id": Refused("base_model: /workspace/parent", '"base_model" with value "/workspace/parent" is not valid.', "base_model: '/workspace/parent' is no id of a model: those are 'account/name'"),
    "a dataset that is none": Refused("datasets: [librispeech 960h]", '"datasets[0]" with value "librispeech 960h" is not valid.', "datasets[0]: 'librispeech 960h' is no id of a dataset: those are 'account/name'"),
    "another relation": Refused("base_model_relation: finetuned", '"base_model_relation" must be one of [adapter, merge, quantized, finetune]', "base_model_relation: 'finetuned' is none of adapter, merge, quantized, finetune", "did you mean 'finetune'?"),
    "an old key": Refused("languages: [ar]", '"languages" is deprecated. Use "language" instead.', "languages: is 'language' today", "did you mean 'language'?"),
    "results are no list": Refused("model-index: soon", '"model-index" must be an array', "model-index: 'soon' where a list belongs"),
    "results without a name": Refused(INDEX.replace("- name: x\n  results", "- results"), '"model-index[0].name" is required', "model-index[0].name: missing"),
    "no results": Refused("model-index: [{name: x}]", '"model-index[0].results" is required', "model-index[0].results: missing"),
    "a result without a task": Refused(INDEX.replace("task: {type: STS}\n    dataset", "dataset"), '"model-index[0].results[0].task" is required', "model-index[0].results[0].task: missing"),
    "a result without its data's type": Refused(INDEX.replace("type: mteb/sts17, ", ""), '"model-index[0].results[0].dataset.type" is required', "model-index[0].results[0].dataset.type: missing"),
    "metrics are no list": Refused(INDEX.replace("[{type: cosine_spearman, value: 83.1}]", "{type: x, value: 1}"), '"model-index[0].results[0].metrics" must be an array', "model-index[0].results[0].metrics: '{'type': 'x', 'value': 1}' where a list belongs"),
    "a metric without a value": Refused(INDEX.replace(", value: 83.1", ""), '"model-index[0].results[0].metrics[0].value" is required', "model-index[0].results[0].metrics[0].value: missing"),
    "a revision of digits": Refused(INDEX.replace("name: STS17", "name: STS17, revision: 1234"), '"model-index[0].results[0].dataset.revision" must be a string', "model-index[0].results[0].dataset.revision: '1234' where a text belongs"),
    "a source without an address": Refused(f"{INDEX}\n    source: {{name: x}}", '"model-index[0].results[0].source.url" is required', "model-index[0].results[0].source.url: missing"),
    "no number": Refused(INDEX.replace("83.1", ".nan"), '"model-index[0].results[0].metrics[0].value" must be a number', "model-index[0].results[0].metrics[0].value: 'nan' is no number that JSON can hold"),
    "no end": Refused("co2: -.inf", '"co2" cannot be infinity', "co2: '-inf' is no number that JSON can hold"),
    "a key twice": Refused("license: mit\nlanguage: ar\nlanguage: en", "Invalid YAML in README.md: duplicated mapping key (3:1)", "'language' stands twice", "the Hub refuses it; keep one", rule="L41"),
    "a key twice, inside": Refused("model-index:\n- name: x\n  results: []\n  name: y", "Invalid YAML in README.md: duplicated mapping key (4:3)", "'name' stands twice", "the Hub refuses it; keep one", rule="L41"),
    "no YAML": Refused("license: [", "Invalid YAML in README.md: ", "the front matter is not YAML: ", rule="L41"),
    "a list": Refused("- a", '"value" must be of type object', "the front matter is not a mapping of keys to values", rule="L41"),
    "a text": Refused("hello", "The YAML metadata of your README.md is invalid.", "the front matter is not a mapping of keys to values", rule="L41"),
    "only an empty line": Refused("", "The YAML metadata of your README.md is invalid.", "the front matter is not a mapping of keys to values", rule="L41"),
    "an SDK that is none": Refused("sdk: gradoi", '"sdk" must be one of [gradio, docker, static, streamlit]', "sdk: 'gradoi' is none of gradio, docker, static, streamlit", "did you mean 'gradio'?", kind="space"),
    "a colour that is none": Refused("sdk: docker\ncolorFrom: orange", '"colorFrom" must be one of [red, yellow, green, blue, indigo, purple, pink, gray]', "colorFrom: 'orange' is none of red, yellow, green, blue, indigo, purple, pink, gray", "one of: blue, gray, green, indigo, pink, purple, red, yellow", kind="space"),
    "a long description": Refused(f"sdk: docker\nshort_description: {'x' * 61}", '"short_description" length must be less than or equal to 60 characters long', "short_description: has 61 characters, and the Hub takes 60", kind="space"),
    "a file that is no text": Refused("sdk: docker\napp_file: [app.py]", '"app_file" must be a string', "app_file: '['app.py']' where a text belongs", kind="space"),
}  # fmt: skip
TAKEN = {
    "all in order": f"license: apache-2.0\nlanguage: [ar, arz, code]\nbase_model: gpt2\n{INDEX}",
    "a value that is words": INDEX.replace("83.1", "83.1 ± 0.2"),
    "keys that nobody knows": "zoo_version: 1\nextra_gated_fields: {Name: text}",
    "Norwegian in quotes": "language: ['no']",
    "dates elsewhere": "updated: 2024-01-01",
    "one size": "size_categories: n<1K",
    "merge keys": "a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: *a\n  z: 1",
}
WARNED = {
    "task": ("pipeline_tag: sentence similarity", 'The pipeline tag "sentence similarity" is not in the official list: text-classification, ', "did you mean 'sentence-similarity'?"),
    "category": ("task_categories: [sts]", 'The task_categories "sts" is not in the official list: text-classification, ', None),
    "size": ("size_categories: ['10K<n<100k']", 'The size_categories "10K<n<100k" is not in the official list: n<1K, ', "did you mean '10K<n<100K'?"),
}  # fmt: skip


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        for kind in ("model", "dataset", "space"):
            api.create_repo("lab/cards", repo_type=kind, space_sdk="gradio" if kind == "space" else None)
        yield hub


def card(yaml: str) -> str:
    return f"---\n{yaml}\n---\n# A model\n"


def validated(hub: LocalHub, text: str, kind: str) -> tuple[int, dict[str, Any]]:
    from hub_wire import Wire

    answer = Wire(hub)("POST", "/api/validate-yaml", {"content": text, "repoType": kind})
    return answer.status, answer.json()


def findings(text: str, kind: str = "model") -> list[Any]:
    files = held_files({"README.md": text.encode(), "app.py": b"", "modules.json": b"[]"})
    found = check_repository(of_files(files, NoHub(), kind=kind)).findings  # type: ignore[arg-type]
    return [one for one in found if one.rule in ("L41", "L46", "L47")]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_hub_refuses_the_linter_and_the_plan_find(hub: LocalHub, name: str) -> None:
    row = REFUSED[name]
    status, answer = validated(hub, card(row.yaml), row.kind)
    assert (status, answer["errors"][0]["message"].startswith(row.hub)) == (400, True), answer
    with pytest.raises((BadRequestError, ValueError)):
        HfApi(endpoint=hub.url, token=hub.token).create_commit(
            "lab/cards",
            [CommitOperationAdd("README.md", card(row.yaml).encode())],
            commit_message="x",
            repo_type=row.kind,
        )
    [one] = findings(card(row.yaml), row.kind)
    assert (one.rule, one.severity, one.hint) == (row.rule, "error", row.hint)
    assert one.message.startswith(row.said)
    [problem] = refusals(row.kind, "lab/cards", card(row.yaml).encode())  # type: ignore[arg-type]
    assert problem == f"README.md, line {one.line}: {one.message}"


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_hub_takes_nobody_complains_of(hub: LocalHub, name: str) -> None:
    assert validated(hub, card(TAKEN[name]), "model") == (200, {"errors": [], "warnings": []})
    assert findings(card(TAKEN[name])) == []
    assert refusals("model", "lab/cards", card(TAKEN[name]).encode()) == []


@pytest.mark.parametrize("name", WARNED)
def test_what_the_hub_warns_of_the_linter_warns_of(hub: LocalHub, name: str) -> None:
    yaml, message, hint = WARNED[name]
    status, answer = validated(hub, card(yaml), "model")
    assert (status, answer["errors"]) == (200, [])
    assert answer["warnings"][0]["message"].startswith(message)
    [one] = findings(card(yaml))
    assert (one.rule, one.severity, one.hint) == ("L47", "warning", hint)
    assert refusals("model", "lab/cards", card(yaml).encode()) == []


def test_a_commit_of_refused_metadata_says_all_that_is_wrong(hub: LocalHub) -> None:
    from hub_wire import Wire, file

    answer = Wire(hub).commit("lab/cards", file("README.md", card("tags: x\nlanguage: english").encode()))
    assert answer.status == 400
    assert '"tags" must be an array "language" with value "english"' in answer.json()["error"]


@pytest.mark.parametrize("key", ["license", "tags", "pipeline_tag", "model-index", "sdk", "anything"])
@pytest.mark.parametrize("value", ["0x" + "f" * 9000, "[{a: 0x" + "f" * 9000 + "}]", "!!binary aGk=", "!!set {a, b}"])
def test_values_of_any_kind_end_in_an_answer(hub: LocalHub, key: str, value: str) -> None:
    status, answer = validated(hub, card(f"{key}: {value}"), "space")
    assert status == (400 if answer["errors"] else 200)
    assert bool(findings(card(f"{key}: {value}"), "space")) == bool(answer["errors"])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_are_those_of_the_file_whatever_its_line_ends(end: str) -> None:
    text = card("license: mit\ntags:\n- a\n-\nlanguage: ar\nlanguage: en").replace("\n", end)
    assert [(one.rule, one.line) for one in findings(text)] == [("L46", 5), ("L41", 7)]


def test_a_byte_order_mark_hides_the_metadata_and_goes(hub: LocalHub, tmp_path: Path) -> None:
    text = "\ufeff" + card("license: mit\npipeline_tag: sentence-similarity")
    assert validated(hub, text, "model") == (
        200,
        {"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card", "path": []}]},
    )
    assert refusals("model", "lab/cards", text.encode()) == refusals("model", "lab/cards", b"# No metadata") == []
    [one] = findings(text)
    assert one.message == "a byte order mark stands before the front matter, and hides it from the Hub"
    (tmp_path / "README.md").write_text(text, "utf-8")
    fix(tmp_path, lambda: check_repository(of_folder(tmp_path, NoHub(), kind="model")))
    assert (tmp_path / "README.md").read_text("utf-8") == text.removeprefix("\ufeff")


def test_only_what_was_meant_without_a_doubt_is_corrected(tmp_path: Path) -> None:
    wrong = "license: Apache 2\nlanguage:\n- arabic\n- no\n# kept\npipeline_tag: Sentence similarity"
    unsure = "base_model_relation: finetuned\ndatasets: [a b]"
    (tmp_path / "README.md").write_text(card(f"{wrong}\n{unsure}"), "utf-8")
    fix(tmp_path, lambda: check_repository(of_folder(tmp_path, NoHub(), kind="model")))
    right = "license: apache-2.0\nlanguage:\n- ar\n- 'no'\n# kept\npipeline_tag: sentence-similarity"
    assert (tmp_path / "README.md").read_text("utf-8") == card(f"{right}\n{unsure}")


def test_a_library_that_is_nearly_one_and_a_version_that_is_a_number_are_told() -> None:
    [library] = metadata_problems({"library_name": "sentence-transformer"}, "model")
    assert (library.severity, library.hint) == ("warning", "did you mean 'sentence-transformers'?")
    assert list(metadata_problems({"library_name": "our-transformers"}, "model")) == []
    [version] = metadata_problems({"python_version": 3.1}, "space")
    assert version.sentence == "python_version: YAML reads 3.1: a number, which loses the last zero of 3.10"


RECIPES = {
    "license": (BaseFile, "license: apache 2", "'apache 2': no licence of the Hub's list; did you mean 'apache-2.0'?"),
    "language": (BaseFile, "language: [ar, no]", "YAML reads this as 'false', which is no text; write it in quotes"),
    "base": (BaseFile, "base: {model: a b c, width: 8}", "'a b c' is no id of a model: those are 'account/name'"),
    "source": (Dataset, "source: {dataset: a b c}", "'a b c' is no id of a dataset: those are 'account/name'"),
    "release": (
        Dataset,
        "release: {repo: x, title: x, summary: x, language: [ar-EG]}",
        f"'ar-EG' {SMALL}; did you mean 'ar'?",
    ),
    "emoji": (Space, "emoji: 5", "'5' where a text belongs"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_may_not_say_what_the_hub_refuses(name: str, tmp_path: Path) -> None:
    from zoo.errors import RecipeError
    from zoo.recipe.yamlfile import parse, read_yaml

    kind: type[BaseModel]
    kind, yaml, told = RECIPES[name]
    path = tmp_path / "x.yaml"
    path.write_text(yaml, "utf-8")
    with pytest.raises(RecipeError) as caught:
        parse(kind, read_yaml(path))  # type: ignore[type-var]
    assert f": {told}" in caught.value.message
