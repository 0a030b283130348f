"""A folder is a base model: what it may hold, what is told of one that cannot be used, and what others see of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TestHub
from folder_lab import BASE, CHILD, put_lab, put_model, tiny_bert

from zoo.cards.ingredients import names_of
from zoo.errors import TrainError
from zoo.ids import as_a_folder, is_folder, shown_model
from zoo.miniature.seed import named_models
from zoo.models.folder import deciding_files, folder_named, folder_revision
from zoo.models.identity import base_source
from zoo.pipeline.build import Build
from zoo.recipe import Workspace
from zoo.recipe.resolved import as_published, load_resolved
from zoo.recipe.schema import Base
from zoo.train.ingredients import part

MODEL = "checkpoints/tiny"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A workspace whose base is the folder of a tiny BERT."""
    put_model(tmp_path / "lab" / MODEL)
    return put_lab(tmp_path / "lab", BASE + CHILD)


def edit(lab: Path, old: str, new: str) -> None:
    path = lab / "recipes" / "tides.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def config(**changes: Any) -> bytes:
    return json.dumps({**json.loads(tiny_bert()["config.json"]), **changes}).encode()


@pytest.mark.parametrize(
    ("written", "meant"),
    [("./a/b/", "./a/b"), ("../a", "../a"), ("../../a", "../../a"), ("/a//b", "/a/b"), ("./a/./b", "./a/b")],
)
def test_the_path_of_a_folder_is_written_in_one_way(written: str, meant: str) -> None:
    assert is_folder(written)
    assert as_a_folder(written) == meant == Base(model=written, width=8).model


def test_a_path_leads_from_the_workspace_wherever_the_command_runs(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = Workspace(lab).bases["tides"].base
    monkeypatch.chdir(lab.parent)
    with Workspace(lab).in_use():
        source = base_source(base, "f" * 40)
    assert (source.place, source.revision, source.weights) == (str((lab / MODEL).resolve()), None, "f" * 40)


def test_what_decides_embeddings_is_the_identity_and_the_rest_is_not(lab: Path) -> None:
    """Weights, configurations, vocabularies and modules count; notes, pickles, hidden files and checkpoints do not."""
    base, folder = "./checkpoints/tiny", lab / MODEL
    before = folder_revision(base, lab)
    assert len(before) == 40
    for name in ("README.md", "optimizer.pt", "trainer_state.json", ".gitattributes", "checkpoint-5/model.safetensors"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"{}")
    assert folder_revision(base, lab) == before
    found = {before}
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole + b" ")
        found.add(folder_revision(base, lab))
        (folder / name).write_bytes(whole)
    (folder / "modules.json").write_text('[{"path": "1_Pooling", "type": "x"}, {"path": "../out", "type": "x"}]')
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{}")
    assert {"modules.json", "1_Pooling/config.json"} <= deciding_files(folder).keys()
    assert not any(".." in path for path in deciding_files(folder))
    assert len(found | {folder_revision(base, lab)}) == 5


def as_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (shutil.rmtree, "'./checkpoints/tiny' is no folder: there is no '{folder}'"),
    "a file": (as_a_file, "'./checkpoints/tiny' is a file, and no folder"),
    "empty": (
        lambda folder: remove(folder, "*"),
        "'./checkpoints/tiny' has no file of a model: '{folder}'; put the model there",
    ),
    "no config": (
        lambda folder: remove(folder, "config.json"),
        "'./checkpoints/tiny' has no config.json that says what it is; save it there with sentence-transformers",
    ),
    "no tokenizer": (
        lambda folder: remove(folder, "tokenizer*"),
        "'./checkpoints/tiny' has no tokenizer; save its tokenizer there: save_pretrained",
    ),
    "pickles": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "'./checkpoints/tiny' has no weights as safetensors; save it again with sentence-transformers, which writes",
    ),
    "adapters": (
        lambda folder: (folder / "adapter_config.json").write_text("{}"),
        "'./checkpoints/tiny' has adapters, and no whole model; merge them into it: merge_and_unload of peft",
    ),
    "pointers": (
        lambda folder: (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n"),
        "is a pointer of Git LFS: the file itself was not fetched; git -C {folder} lfs pull",
    ),
    "code": (
        lambda folder: (folder / "config.json").write_bytes(config(auto_map={"AutoModel": "odd.OddModel"})),
        "no code of others is run: 'odd.OddModel' in odd.py (named in config.json); take these names out of its files",
    ),
    "width": (
        lambda folder: (folder / "config.json").write_bytes(config(hidden_size=96)),
        "base.width: '48', and './checkpoints/tiny' is 96 wide; write width: 96",
    ),
    "positions": (
        lambda folder: (folder / "config.json").write_bytes(config(max_position_embeddings=32)),
        "base.max_seq_length: '64', and './checkpoints/tiny' has 32 positions; write max_seq_length: 32",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_check_tells_what_is_wrong_with_a_folder(lab: Path, zoo: Any, asked: list[str], name: str) -> None:
    spoil, told = WRONG[name]
    spoil(lab / MODEL)
    code, _, err = zoo("check", cwd=lab)
    assert code == 1
    assert told.format(folder=(lab / MODEL).resolve()) in err
    assert "recipes/tides.yaml, line " in err
    assert "Traceback" not in err
    assert asked == [], "no Hub knows anything of a folder"


def test_check_finds_nothing_where_all_is_well(lab: Path, zoo: Any, asked: list[str]) -> None:
    assert zoo("check", cwd=lab) == (0, "2 recipes are fine\n", "")
    assert asked == []


def test_a_folder_without_modules_needs_a_pooling(lab: Path, zoo: Any) -> None:
    edit(lab, "  pooling: mean\n", "")
    told = "base.pooling: missing, and './checkpoints/tiny' brings no modules.json; write pooling: mean"
    assert told in zoo("check", cwd=lab)[2]


def test_consent_is_to_a_commit_and_a_folder_has_none(lab: Path, zoo: Any) -> None:
    consent = f"remote_code: {{revision: {40 * 'a'}, files: {{odd.py: {64 * 'b'}}}}}"
    edit(lab, "  pooling: mean\n", f"  pooling: mean\n  {consent}\n")
    told = "remote_code is consent to a commit of the Hub, and './checkpoints/tiny' is a folder"
    assert told in zoo("check", cwd=lab)[2]
    code, _, err = zoo("trust", "./checkpoints/tiny", cwd=lab)
    assert code == 1
    assert "'./checkpoints/tiny' is no id on the Hub, and consent is to a commit there" in err


def test_the_hub_is_asked_for_the_origin_alone(lab: Path, zoo: Any, hub: TestHub, asked: list[str]) -> None:
    edit(lab, "  width: 48\n", "  width: 48\n  origin: lab/nowhere-at-all\n")
    _, _, err = zoo("check", "tides-sts", "--hub", hub.running.url, cwd=lab)
    assert "base.origin: cannot look up model 'lab/nowhere-at-all': no such repository" in err
    assert not any("tiny" in one for one in asked)


def test_a_build_without_its_folder_says_so_before_anything_is_made(lab: Path, zoo: Any, hub: TestHub) -> None:
    shutil.rmtree(lab / MODEL)
    code, _, err = zoo("build", "tides-sts", cwd=lab)
    assert code == 1
    assert f"model './checkpoints/tiny' is no folder: there is no '{(lab / MODEL).resolve()}'" in err
    assert "put the model there, or correct the path in the recipe" in err
    assert not (lab / "runs" / "tides-sts" / "train").exists()
    with pytest.raises(TrainError, match="is no folder"):
        Build(Workspace(lab), "full").base_revision(Workspace(lab).bases["tides"].base)


def test_a_folder_that_somebody_writes_to_meanwhile_is_not_taken_for_what_it_was(lab: Path) -> None:
    from zoo.models.load import starting_model

    space = Workspace(lab)
    with space.in_use():
        recipe, seen = space.recipe("tides-sts"), folder_revision(space.bases["tides"].base.model)
        starting_model(recipe, base_revision=seen, parent=None, device="cpu")
        (lab / MODEL / "config.json").write_bytes(config(hidden_dropout_prob=0.5))
        with pytest.raises(TrainError, match="changed after this command had looked at it"):
            starting_model(recipe, base_revision=seen, parent=None, device="cpu")


def test_training_is_made_from_the_files_and_not_from_where_they_lie(lab: Path) -> None:
    here = Workspace(lab).recipe("tides-sts")
    edit(lab, "model: ./checkpoints/tiny", f"model: {lab}/{MODEL}")
    there = Workspace(lab).recipe("tides-sts")
    edit(lab, f"model: {lab}/{MODEL}", "model: lab/bert")
    assert part(here) == part(there) != part(Workspace(lab).recipe("tides-sts"))
    assert folder_revision(here.base.model, lab) == folder_revision(there.base.model, lab)
    assert folder_named(here.base.model, lab) == folder_named(there.base.model, lab)


def test_no_path_of_the_disk_is_published(lab: Path) -> None:
    edit(lab, "model: ./checkpoints/tiny", f"model: {lab}/{MODEL}")
    recipe = as_published(Workspace(lab).recipe("tides-more"))
    assert [member.base.model for member in recipe.lineage] == ["./tiny", "./tiny"]
    assert recipe.base.title == "./tiny"


def test_the_card_names_the_origin_or_nothing(lab: Path) -> None:
    space = Workspace(lab)
    assert names_of(space.recipe("tides-sts"), "lab").parent is None
    assert names_of(space.recipe("tides-more"), "lab").parent == "lab/Tide-BERT"
    edit(lab, "  width: 48\n", "  width: 48\n  origin: google-bert/bert-base-uncased\n")
    assert names_of(Workspace(lab).recipe("tides-sts"), "lab").parent == "google-bert/bert-base-uncased"
    assert part(space.recipe("tides-sts")) == part(Workspace(lab).recipe("tides-sts")), "a word, which trains nothing"


def test_a_resolved_recipe_is_read_back(lab: Path, zoo: Any) -> None:
    code, out, _ = zoo("show", "tides-more", cwd=lab)
    assert code == 0
    (lab / "mine.yaml").write_text(out, "utf-8")
    with Workspace(lab).in_use():
        assert load_resolved(lab / "mine.yaml") == Workspace(lab).recipe("tides-more")


def test_the_local_hub_gets_no_stand_in_for_a_folder(lab: Path) -> None:
    recipes = [Workspace(lab).recipe("tides-sts")]
    assert named_models(recipes) == {}
    edit(lab, "model: ./checkpoints/tiny", "model: lab/bert")
    assert named_models([Workspace(lab).recipe("tides-sts")]).keys() == {"lab/bert"}


def test_a_child_may_lie_in_another_file_of_the_same_folder(lab: Path, zoo: Any) -> None:
    (lab / "recipes" / "tides.yaml").write_text(BASE, "utf-8")
    other = BASE.replace(
        "  sts:\n    repo: Tide-BERT\n    phases: [pairs]\n", CHILD.replace("dims: [48]", "dims: [48]")
    )
    (lab / "recipes" / "waves.yaml").write_text(other, "utf-8")
    assert zoo("check", cwd=lab)[0] == 0
    (lab / "recipes" / "waves.yaml").write_text(other.replace("/tiny", "/other"), "utf-8")
    told = "'tides-sts' is made of './checkpoints/tiny', and this file is of './checkpoints/other'"
    assert told in zoo("check", cwd=lab)[2]


def test_a_folder_with_modules_of_its_own_keeps_them(lab: Path, tmp_path: Path) -> None:
    from zoo.models.load import base_model

    mean = base_model(Base(model=str(lab / MODEL), width=48, pooling={"type": "mean"}), 40 * "a", "cpu")
    mean.save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    own = base_model(Base(model=str(tmp_path / "saved"), width=48), 40 * "b", "cpu")
    assert (mean.encode(["the tide"]) == own.encode(["the tide"])).all()
    with pytest.raises(TrainError, match=r"there is no folder '/nowhere/at/all'"):
        base_model(Base(model="/nowhere/at/all", width=48), 40 * "c", "cpu")


RIVAL = "    evaluation: {rivals: [{model: ./checkpoints/other}]}\n"


def test_a_rival_may_lie_in_a_folder(lab: Path, zoo: Any, asked: list[str]) -> None:
    edit(lab, "    phases: [pairs]\n", f"    phases: [pairs]\n{RIVAL}")
    told = "variants.sts.evaluation.rivals.0.model: './checkpoints/other' is no folder: there is no"
    assert told in zoo("check", cwd=lab)[2]
    (put_model(lab / "checkpoints" / "other") / "tokenizer.json").unlink()
    (lab / "checkpoints" / "other" / "tokenizer_config.json").unlink()
    assert "rivals.0.model: './checkpoints/other' has no tokenizer" in zoo("check", cwd=lab)[2]
    put_model(lab / "checkpoints" / "other")
    assert zoo("check", cwd=lab)[0] == 0
    assert asked == []
    assert named_models([Workspace(lab).recipe("tides-sts")]) == {}
    edit(lab, "./checkpoints/other", "/models/other")
    published = as_published(Workspace(lab).recipe("tides-sts"))
    assert [one.model for one in published.evaluation.rival_models] == ["./other"]


@pytest.mark.parametrize(
    ("rival", "told"),
    [
        ("{model: ./checkpoints/tiny}", "'./checkpoints/tiny' is the base model, which is measured anyway"),
        ("{model: ./a, revision: " + 40 * "a" + "}", "revision is a commit of the Hub, and './a' is a folder"),
        ("{model: /x/a}, {model: /y/a}", "'/y/a' and '/x/a' would have one name in tables; give one folder another"),
        ("./a", "'./a' is the id alone; write {model: ./a}"),
    ],
)
def test_rivals_that_cannot_be_are_told(lab: Path, zoo: Any, rival: str, told: str) -> None:
    edit(lab, "    phases: [pairs]\n", f"    phases: [pairs]\n    evaluation: {{rivals: [{rival}]}}\n")
    assert told in zoo("check", cwd=lab)[2]


@pytest.mark.slow
def test_a_folder_is_trained_measured_published_and_proven(
    lab: Path, zoo: Any, seeded: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import snapshot_download

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    edit(lab, "model: ./checkpoints/tiny", f"model: {lab}/{MODEL}\n  origin: lab/older-bert")
    edit(lab, "    phases: [pairs]\n", f"    phases: [pairs]\n{RIVAL}")
    put_model(lab / "checkpoints" / "other")
    code, _, err = zoo("build", "tides-more", cwd=lab)
    assert code == 0, err
    code, out, err = zoo("publish", "--yes", cwd=lab)
    assert code == 0, err
    assert (out + err).count("loaded back") == 3, out + err

    for repo in ("lab/Tide-BERT", "lab/Tide-BERT-more"):
        folder = Path(snapshot_download(repo))
        for path in folder.rglob("*"):
            assert not path.is_file() or str(lab).encode() not in path.read_bytes(), f"{path} says where the lab is"
    folder = Path(snapshot_download("lab/Tide-BERT"))
    recipe = yaml.safe_load((folder / "zoo" / "recipe.yaml").read_text("utf-8"))
    assert recipe["base"]["model"] == "./tiny"
    provenance = json.loads((folder / "zoo" / "provenance.json").read_text("utf-8"))
    revision = folder_revision(f"{lab}/{MODEL}", lab)
    assert provenance["base"] == {"folder": "./tiny", "digest": revision, "origin": "lab/older-bert"}
    card = (folder / "README.md").read_text("utf-8")
    assert yaml.safe_load(card.split("---")[1])["base_model"] == "lab/older-bert"
    assert "a model of the lab's own, `./tiny`, which was made from [lab/older-bert]" in card
    titles = [subject["title"] for subject in json.loads((folder / "zoo" / "scores.json").read_text())["subjects"]]
    assert {"./tiny", "./checkpoints/other"} <= set(titles)

    nothing = [sys.executable, "-c", NO_CHANGE]
    done = subprocess.run(nothing, cwd=lab, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stdout + done.stderr

    path = lab / MODEL / "config.json"
    path.write_bytes(config(note="changed"))
    _, out, _ = zoo("build", "tides-more", "--dry-run", cwd=lab)
    assert "base_files.config.json changed" in out
    assert "base_files.config.json changed" in " ".join(zoo("status", cwd=lab)[1].split())
    assert "base_files.config.json changed" in zoo("plan", "tides-more", cwd=lab)[2]
    path.write_bytes(tiny_bert()["config.json"])
    shutil.move(lab / MODEL, lab / "elsewhere")
    edit(lab, f"model: {lab}/{MODEL}", "model: ./elsewhere")
    _, out, _ = zoo("build", "tides-more", "--dry-run", "--json", cwd=lab)
    did = {(one["name"], one["stage"]): one["did"] for one in json.loads(out)["stages"]}
    assert did["tides-sts", "train"] == did["tides-more", "train"] == "kept"

    edit(lab, "model: ./elsewhere\n  origin: lab/older-bert", "model: lab/on-the-hub")
    assert "base.model changed (./folder -> lab/on-the-hub)" in " ".join(zoo("status", cwd=lab)[1].split())


NO_CHANGE = """
import sys
sys.argv = ["zoo", "plan"]
from zoo.cli import main
try:
    main()
except SystemExit as left:
    print(left.code or 0, [name for name in ("torch", "transformers") if name in sys.modules])
"""


@pytest.mark.parametrize("command", ["status", "plan", "card"])
def test_what_another_version_of_zoo_built_is_told(lab: Path, zoo: Any, hub: TestHub, command: str) -> None:
    """Its files are of another form: nothing of this version reads them."""
    for name in ("tides-sts",):
        for stage in ("train", "contamination", "evaluate"):
            place = lab / "runs" / name / stage
            place.mkdir(parents=True)
            made_from = {"format": 1, "needs": {}, "recipe": {}}
            receipt = {"format": 2, "made_from": made_from, "made": {}, "seconds": 1.0}
            (place / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    code, out, err = zoo(command, *(["tides-sts"] if command != "status" else []), cwd=lab)
    assert "Traceback" not in out + err
    said = " ".join((out + err).split())
    assert "recipe 'tides-sts' was built by another version of zoo" in said
    if command != "status":
        assert code == 1
        assert "hint: zoo build tides-sts" in err


@pytest.mark.parametrize(
    ("model", "shown"),
    [("./checkpoints/a", "./checkpoints/a"), ("../../home/ada/a", "./a"), ("/home/ada/a", "./a"), ("ada/a", "ada/a")],
)
def test_a_model_outside_the_workspace_is_shown_without_its_place(model: str, shown: str) -> None:
    assert shown_model(model) == shown
