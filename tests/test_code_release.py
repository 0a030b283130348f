"""A model that carries code: what of it is published, how its card says so, and how it is proved."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coded import FILE, SOURCE, coded_model, consent
from conftest import ROOT, TestHub
from hostile import FILES
from hostile_cards import TEMPLATES, model_facts, resolved, score_file
from lint_repos import TOKEN
from test_prove import in_folder, own, push

from zoo.cards.facts import ModelFacts
from zoo.cards.readme import model_card, space_card
from zoo.errors import PublishError
from zoo.lint.card import ParsedCard
from zoo.lint.execution import one_program
from zoo.models.foreign.carried import carried_code, content_digest
from zoo.publish.desired.release import CARD, PROVENANCE, Release, model_release
from zoo.publish.plan.repository import plan_release
from zoo.publish.proof.prove import prove_model
from zoo.publish.proof.stranger import ProofError
from zoo.recipe import Recipe
from zoo.run import file_digest

ID = "lab/my_One"
ORIGIN = "lab/toy-base"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model's folder."""
    return coded_model(tmp_path_factory.mktemp("coded") / "model")


@pytest.fixture(scope="module")
def recipe(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The recipe of a base with code, with consent to it."""
    files = {file: data for file, (_, data) in FILES.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_NAMESPACE", "lab")
        _, found = resolved(files, tmp_path_factory.mktemp("recipe"))
    return consenting(found, folder)


def consenting(recipe: Recipe, folder: Path, licence: str | None = "mit", **release: Any) -> Recipe:
    data = recipe.model_dump(mode="json", by_alias=True)
    base = {**data["base"], "model": ORIGIN, "revision": None, "remote_code": consent(folder, licence), "modules": []}
    base["pooling"] = "mean"
    return Recipe.model_validate({**data, "parent": None, "base": base, "release": {**data["release"], **release}})


def facts_of(recipe: Recipe, folder: Path) -> ModelFacts:
    return replace(model_facts(recipe, "rival"), id=ID, code=carried_code(recipe.base, folder), family=[])


def released(recipe: Recipe, folder: Path, place: Path) -> Release:
    """The release of the model with its real card."""
    place.mkdir(exist_ok=True)
    (place / "README.md").write_text(model_card(facts_of(recipe, folder), TEMPLATES), "utf-8")
    (place / "scores.json").write_text(score_file(recipe, "rival").model_dump_json(), "utf-8")
    files = {"model": folder, "card": place / "README.md", "scores": place / "scores.json"}
    return model_release(recipe, ID, **files, provenance={"format": 2})


def test_a_release_holds_the_code_and_says_where_it_comes_from(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    release = released(recipe, folder, tmp_path)
    assert [path for path in release.files if path.endswith(".py")] == [FILE]
    told = json.loads(release.bytes(PROVENANCE))["code"]
    assert told["from"] == {"id": ORIGIN, "revision": "c" * 40, "license": "mit"}
    assert told["files"] == {FILE: consent(folder)["files"][FILE]}
    said = release.bytes(CARD).decode()
    assert all(part in said for part in (ORIGIN, "c" * 40, told["files"][FILE], "trust_remote_code", "- custom_code"))
    assert f"\nzoo build --recipe zoo/recipe.yaml --trust {'c' * 40}\n```\n" in said
    assert f'```bash\nzoo trust "{ORIGIN}" --revision {"c" * 40}\n```\n' in said


REFUSED = {
    "no licence": ({"licence": None}, "says no licence under which", "write `license` under base.remote_code"),
    "a licence of its own": ({"licence": "other"}, "under 'other', which is not known to allow", "correct `license`"),
    "share alike": (
        {"licence": "cc-by-sa-4.0"},
        "under 'cc-by-sa-4.0' and would be published under 'apache-2.0': what is made from it must carry the same",
        "write license: cc-by-sa-4.0 in the recipe of",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_code_that_may_not_be_passed_on_stops_the_release(
    case: str, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    options, said, hint = REFUSED[case]
    with pytest.raises(PublishError, match=re.escape(said)) as told:
        released(consenting(recipe, folder, **options, license="apache-2.0"), folder, tmp_path)
    assert str(told.value.hint).startswith(hint)


def test_the_way_out_that_the_hint_names_works(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    assert released(consenting(recipe, folder, "cc-by-sa-4.0", license="cc-by-sa-4.0"), folder, tmp_path).files


def copied(folder: Path, place: Path) -> Path:
    for path, file in in_folder(folder).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(file.read_bytes())
    return place


def test_other_code_stops_the_release(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    model = copied(folder, tmp_path / "model")
    (model / FILE).write_text(SOURCE + "\n", "utf-8")
    with pytest.raises(PublishError, match=f"'{FILE}' in the model's folder is neither a file that consent"):
        released(recipe, model, tmp_path)
    (model / FILE).write_text(SOURCE, "utf-8")
    config = json.loads((model / "config.json").read_text("utf-8"))
    config["auto_map"]["AutoModel"] = "lab/other--toy_model.Toy"
    (model / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(PublishError, match=r"would take code from elsewhere: 'lab/other--toy_model.Toy' is code of an"):
        released(recipe, model, tmp_path)


def test_an_earlier_encoder_of_ours_is_known_by_the_receipt(recipe: Recipe, folder: Path, tmp_path: Path) -> None:
    model = copied(folder, tmp_path / "model")
    (model / "zoo_encoder.py").write_bytes(b"# as it was\n")
    was = file_digest(model / "zoo_encoder.py")
    found = [carried_code(recipe.base, model, recorded) for recorded in ([], [was])]
    assert [one.unknown for one in found if one] == [("zoo_encoder.py",), ()]


def test_a_plan_shows_code_as_code_and_secrets_in_it_stop_it(
    recipe: Recipe, folder: Path, tmp_path: Path, hub: TestHub
) -> None:
    plan = plan_release(replace(released(recipe, folder, tmp_path), id="lab/planned"))
    assert {one.path: one.note for one in plan.changes if one.note} == {FILE: "code: loading the model runs it"}
    assert plan.problems == []
    model = copied(folder, tmp_path / "model")
    (model / FILE).write_text(f'{SOURCE}\nTOKEN = "{TOKEN}"\n', "utf-8")
    base = copied(folder.with_name(f"{folder.name}-base"), tmp_path / "model-base")
    (base / FILE).write_bytes((model / FILE).read_bytes())
    secret = released(consenting(recipe, model), model, tmp_path / "card")
    assert [one.partition(", line")[0] for one in plan_release(secret).problems] == [FILE]


@pytest.mark.usefixtures("cold")
def test_it_is_published_proved_and_its_snippets_agree(
    recipe: Recipe, folder: Path, tmp_path: Path, hub: TestHub
) -> None:
    release = released(recipe, folder, tmp_path)
    commit = push("model", ID, {path: release.bytes(path) for path in release.files})
    found = prove_model(ID, commit, folder, own("model", release.files))
    assert (found.difference, found.snippets) == (0.0, 4)
    there: dict[str, Any] = {}
    exec(one_program(ParsedCard(release.bytes(CARD).decode()).snippets), there)
    assert float(abs(there["vectors"].numpy() - there["small"]).max()) < 1e-6
    assert there["small"].shape == (len(there["sentences"]), 32)
    long = there["tokenizer"](" على الغيتار" * 9, truncation=True)
    assert len(long["input_ids"]) == there["model"].max_seq_length == 8
    changed = push("model", ID, {FILE: SOURCE.replace("cos", "sin").encode()})
    with pytest.raises(ProofError, match=f"its '{FILE}' is not what was built, and none of its code was run"):
        prove_model(ID, changed, folder, own("model", release.files))
    assert prove_model(ID, changed).unproved == "whether its code is ours is not known here"


def test_the_space_runs_the_code_that_its_list_names_and_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "spaces" / "similarity")
    catalogue, encoding, words = map(importlib.import_module, ("catalogue", "encoding", "words"))
    entry = {"id": str(copied(folder, tmp_path / "model")), "dims": [64]}
    [without, right, wrong] = (
        catalogue.parse_models(json.dumps([{**entry, **code}]))[0]
        for code in ({}, {"code": content_digest(folder)}, {"code": "0" * 64})
    )
    assert asyncio.run(encoding.encode(right, ["رجل يقود سيارة", "رجل يعزف"])).shape == (2, 64)
    for refused in (without, wrong):
        with pytest.raises(words.SpaceError, match="could not be loaded"):
            asyncio.run(encoding.encode(refused, ["رجل"]))
    with pytest.raises(words.SpaceError, match="entry 1: code 'short' is not 64 hex digits"):
        catalogue.parse_models(json.dumps([{**entry, "code": "short"}]))


def test_the_card_of_a_space_says_which_models_run_code_and_which_are_left_out(recipe: Recipe, tmp_path: Path) -> None:
    workspace, _ = resolved({file: data for file, (_, data) in FILES.items()}, tmp_path)
    given: dict[str, Any] = {"datasets": [], "templates": TEMPLATES, "licence": "mit", "sdk_version": "6.0.0"}
    models = {ID: score_file(recipe, "rival")}
    code = space_card(
        "lab/demo",
        workspace.family.space,
        models,
        **given,
        with_code=[ID],
        left_out={"lab/other": "its code could read"},
    )
    assert "runs code that the model carries" in code
    assert "Not offered here: [lab/other](https://huggingface.co/lab/other), as its code could read." in code
