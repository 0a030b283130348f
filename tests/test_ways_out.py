"""The way out that a failed proof hints at is one that works: each hint is run as the command that it is."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub, workspace_in
from small_fleet import edit, fleet_of, release
from test_prove import as_if, card, data_card, fenced, in_folder, own, push, rows, scores, space_files, table
from test_space_app import tiny_model

from zoo.hub.store import Store
from zoo.publish.apply.rollout import Published, Rollout
from zoo.publish.desired.release import Release, sealed
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.repository import Plan
from zoo.publish.proof.prove import Proof, prove_repository
from zoo.publish.proof.stranger import Part, ProofError
from zoo.publish.proof.ways import WaysOut
from zoo.publish.versions.history import NamedRepository, tree_at
from zoo.remote import Kind, api

OWNER = "wayfarer"
MODEL, DATASET, SPACE = (
    NamedRepository("model", f"{OWNER}/GATE-AraBert-v1", "arabert-hybrid"),
    NamedRepository("dataset", f"{OWNER}/Arabic-stsb", "arabic-stsb"),
    NamedRepository("space", f"{OWNER}/arabic-similarity", "space"),
)
Files = dict[str, bytes | Path]


@pytest.fixture(scope="module")
def owner(hub: TestHub) -> str:
    """A token of the account that all this happens in."""
    with closing(Store(hub.root)) as store:
        store.add_user(OWNER)
        return store.issue_token(OWNER, role="write")


@pytest.fixture
def place(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that publishes there."""
    monkeypatch.setenv("HF_TOKEN", owner)
    monkeypatch.setenv("ZOO_NAMESPACE", OWNER)
    return Path(workspace_in(tmp_path / "lab").root)


@pytest.fixture(scope="module")
def tiny(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model."""
    root = tmp_path_factory.mktemp("tiny")
    tiny_model(root, seed=2)
    return root / "model"


@dataclass
class Bad:
    """A commit that fails its proof."""

    said: str
    changed: Mapping[str, bytes] = field(default_factory=dict)
    part: Part = "content"


def other_weights(tiny: Path, place: Path) -> bytes:
    from safetensors.numpy import load_file, save_file

    weights = load_file(tiny / "model.safetensors")
    name = next(name for name in weights if name.endswith("LayerNorm.weight"))
    weights[name][0] += 0.01
    save_file(weights, place / "other.safetensors", metadata={"format": "pt"})
    return (place / "other.safetensors").read_bytes()


def with_pickle(tiny: Path, place: Path) -> dict[str, bytes]:
    """Files that add a layer whose weights are in a pickle."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(tiny), device="cpu")
    model.append(Dense(64, 64))
    model.save_pretrained(str(place / "dense"))
    torch.save(model[-1].state_dict(), place / "dense.bin")
    files = {f"2_Dense/{path.name}": path.read_bytes() for path in (place / "dense" / "2_Dense").glob("*.json")}
    files["2_Dense/pytorch_model.bin"] = (place / "dense.bin").read_bytes()
    return {**files, "modules.json": (place / "dense" / "modules.json").read_bytes()}


def bad_model(how: str, tiny: Path, place: Path) -> Bad:
    if how == "weights":
        return Bad(
            "loads as another model than was built: embeddings differ by '0.",
            {"model.safetensors": other_weights(tiny, place)},
        )
    if how == "pickle":
        return Bad("is loaded from a pickle: 'pytorch_model.bin'", with_pickle(tiny, place))
    if how == "config":
        return Bad("does not load: ", {"config.json": b"{}"})
    if how == "index":
        return Bad("its card says 88.0 on", {"README.md": card(value=88.0)}, "entries")
    return Bad("a snippet of its card fails: ZeroDivisionError", {"README.md": card("1 / 0")}, "snippet")


@pytest.mark.parametrize("how", ["weights", "pickle", "config", "index", "snippet"])
def test_the_way_back_from_a_bad_model(how: str, tiny: Path, place: Path, zoo: Any) -> None:
    good: Files = {**in_folder(tiny), "README.md": card("two = 2"), "zoo/scores.json": scores()}
    go_back(MODEL, good, bad_model(how, tiny, place), zoo, place, built=tiny)


BAD_ROWS = {
    "rows": Bad("has 6 rows, 7 were built", table(6)),
    "features": Bad(
        "'label': Value('int64')}, not {",
        {"README.md": data_card(7, "  features:\n  - {name: text, dtype: string}\n  - {name: label, dtype: int64}\n")},
    ),
    "split": Bad("there is no split 'train'", {"README.md": data_card(7).replace(b"split: train", b"split: test")}),
    "said": Bad("has 7 rows, its card says 8", {"README.md": data_card(8)}, "entries"),
    "file": Bad("does not load: ", {"data/train-00000-of-00001.parquet": b"none"}),
    "snippet": Bad("a snippet of its card fails: ", {"README.md": data_card(7) + fenced("1 / 0")}, "snippet"),
}


@pytest.mark.parametrize("how", BAD_ROWS)
def test_the_way_back_from_a_bad_dataset(how: str, place: Path, zoo: Any) -> None:
    built = place / "data"
    built.mkdir()
    rows(7).to_parquet(built / "train.parquet")
    (built / "report.json").write_text(json.dumps({"train": {"rows": 7}}), "utf-8")
    go_back(DATASET, {**table(7), "README.md": data_card(7)}, BAD_ROWS[how], zoo, place, built=built)


def test_the_way_back_from_what_others_changed_names_their_files(place: Path, zoo: Any) -> None:
    built = place / "data"
    built.mkdir()
    rows(7).to_parquet(built / "train.parquet")
    (built / "report.json").write_text(json.dumps({"train": {"rows": 7}}), "utf-8")
    (path,) = table(6)
    before = published(DATASET, {**table(7), "README.md": data_card(7)})
    commit = push("dataset", DATASET.id, table(6))
    with pytest.raises(ProofError, match=f"has 6 rows, 7 were built; others changed '{path}'") as told:
        prove_repository("dataset", DATASET.id, commit, built=built, ways=WaysOut("zoo rollback x@y", DATASET.name))
    assert told.value.hint == f"zoo rollback {DATASET.name}@{before} --overwrite {path}"
    code, out, err = zoo(*shlex.split(told.value.hint)[1:], "--yes", cwd=place)
    assert code == 0, out + err
    head = str(api().dataset_info(DATASET.id).sha)
    assert tree_at(DATASET, head) == tree_at(DATASET, before)


NONSENSE = b"""
import gradio as gr

gr.Interface(lambda a, b, model, dim: {"score": 7.5}, ["text", "text", "text", "number"], "json", api_name="compare").launch()
"""
BAD_SPACES = {
    "start": Bad("does not start: ModuleNotFoundError", {"app.py": b"import no_such_module\n"}),
    "answer": Bad("not with a cosine", {"app.py": NONSENSE}),
}


@pytest.mark.parametrize("how", ["start", pytest.param("answer", marks=pytest.mark.slow)])
def test_the_way_back_from_a_bad_space(how: str, place: Path, zoo: Any) -> None:
    go_back(SPACE, dict(space_files()), BAD_SPACES[how], zoo, place)


def published(repository: NamedRepository, files: Mapping[str, bytes | Path]) -> str:
    """The commit that publishing these files makes; also of files that it would refuse."""
    whole = sealed(Release(repository.kind, repository.id, repository.name, dict(files)))
    return push(repository.kind, repository.id, whole.files)


def go_back(
    repository: NamedRepository, good: Files, bad: Bad, zoo: Any, place: Path, *, built: Path | None = None
) -> None:
    """Prove what is bad, then do what is hinted at."""
    before, commit = published(repository, good), published(repository, {**good, **bad.changed})
    ways = WaysOut("zoo publish", repository.name, overwrites=True)
    with pytest.raises(ProofError) as told:
        prove_repository(
            repository.kind,
            repository.id,
            commit,
            built=built,
            own=own(repository.kind, {**good, **bad.changed}),
            ways=ways,
        )
    assert (bad.said in told.value.message, told.value.part) == (True, bad.part), told.value.message
    assert told.value.hint == f"zoo rollback {repository.name}@{before}"
    code, out, err = zoo(*shlex.split(told.value.hint)[1:], "--yes", cwd=place)
    assert code == 0, out + err
    head = api().repo_info(repository.id, repo_type=repository.kind).sha
    assert tree_at(repository, str(head)) == tree_at(repository, before)
    code, out, err = zoo(*shlex.split(told.value.hint)[1:], "--yes", cwd=place)
    assert (code, out.splitlines()[1:], err) == (0, ["  no changes: its files are there already"], "")
    assert api().repo_info(repository.id, repo_type=repository.kind).sha == head, "a second time nothing is done"


def test_the_way_back_from_a_space_that_the_hub_cannot_build(
    hub: TestHub, place: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.running.url.replace("127.0.0.1", "0.0.0.0"))
    broken = {**space_files(), "requirements.txt": b"gradio==0\n"}
    published(SPACE, space_files())
    commit, ours = published(SPACE, broken), own("space", broken)
    as_if(hub, SPACE.id, stage="BUILD_ERROR", errorMessage="no gradio 0")
    ways = WaysOut("zoo publish", "space")
    with pytest.raises(ProofError, match="it is BUILD_ERROR: no gradio 0") as told:
        prove_repository("space", SPACE.id, commit, own=ours, ways=ways)
    as_if(hub, SPACE.id, stage="BUILDING")  # as it is after the next commit
    known = {f"space {SPACE.id}": vars(own("space", space_files()))}
    (place / ".zoo").mkdir()
    (place / ".zoo" / "rendered.json").write_text(json.dumps(known), "utf-8")
    arguments = [*shlex.split(str(told.value.hint))[1:], "--yes", "--wait", "0"]
    code, out, err = zoo(*arguments, cwd=place)
    assert (code, out.splitlines()[-1]) == (0, "not proved yet: the Space is BUILDING"), err
    code, out, err = zoo(*arguments, cwd=place)
    assert (code, out.splitlines()[-1]) == (0, "not proved yet: the Space is BUILDING"), "its proof is owed"
    as_if(hub, SPACE.id)
    api().delete_repo(SPACE.id, repo_type="space")


def test_the_hubs_own_first_commit_is_no_way_back(place: Path) -> None:
    id = f"{OWNER}/first"
    api().create_repo(id, repo_type="space", space_sdk="gradio")
    files = space_files(**{"app.py": b"import no_such_module\n"})
    commit = push("space", id, files)
    ways = WaysOut("zoo publish --scale mini", "space")
    with pytest.raises(ProofError) as told:
        prove_repository("space", id, commit, own=own("space", files), ways=ways)
    assert told.value.hint == "correct it, then zoo publish --scale mini"


@pytest.mark.parametrize(
    ("path", "said"), [("model.safetensors", "another model than was built"), ("README.md", "its card says 88.0 on")]
)
def test_what_somebody_changed_is_overwritten_as_hinted(path: str, said: str, tiny: Path, place: Path) -> None:
    """Going back would lead to what they made of it."""
    files: Files = {**in_folder(tiny), "README.md": card(), "zoo/scores.json": scores()}
    id = f"{OWNER}/changed-{path.split('.')[0].lower()}"

    def prove(plan: Plan, commit: str) -> Proof:
        ways = WaysOut(f"zoo publish {plan.release.name}", plan.release.name, overwrites=True)
        return prove_repository("model", id, commit, built=tiny, ways=ways)

    def roll_out(version: int, *overwrite: str) -> Published:
        found = plan_fleet(fleet_of(release({**files, "v.txt": b"%d" % version}, id)), overwrite=overwrite)
        return Rollout(found, prove=prove).run()[0]

    assert roll_out(1).did == "created"
    edit(id, path, card(value=88.0) if path == "README.md" else other_weights(tiny, place))
    failed = roll_out(2)
    assert (failed.did, said in str(failed.why)) == ("failed", True), failed.why
    assert str(failed.why).endswith(f"; others changed '{path}'")
    words = shlex.split(str(failed.hint))
    assert words == ["zoo", "publish", id.split("/")[1], "--overwrite", f"{id}:{path}"]
    done = roll_out(2, words[-1])
    assert (done.did, done.why, done.proof) == ("updated", None, 0.0)


def failing(part: Part, of: str) -> Any:
    def prove(plan: Plan, _: str) -> Proof | None:
        if plan.release.id == of:
            raise ProofError(f"{of} is not as it should be", part)
        return None

    return prove


@pytest.mark.parametrize(
    ("part", "did", "why"),
    [
        ("snippet", "created", None),
        ("entries", "created", None),
        ("content", "skipped", "it needs '{}', which is not what was built"),
        ("unknown", "skipped", "it needs '{}', which could not be proved"),
    ],
)
def test_a_failed_proof_holds_up_only_what_depends_on_what_failed(
    place: Path, part: Part, did: str, why: str | None
) -> None:
    parent = f"{OWNER}/{part}-parent"
    children: list[tuple[Kind, str]] = [("model", f"{OWNER}/{part}-child"), ("space", f"{OWNER}/{part}-space")]
    needing = [release({"README.md": card()}, id, kind=kind, needs=frozenset({parent})) for kind, id in children]
    found = plan_fleet(fleet_of(release({"README.md": card()}, parent), *needing))
    done = Rollout(found, prove=failing(part, parent)).run()
    assert (done[0].did, done[0].failed) == ("failed", part)
    assert [(one.did, one.why) for one in done[1:]] == [(did, why.format(parent) if why else None)] * 2
