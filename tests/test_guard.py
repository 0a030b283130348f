"""What must not go up, and what is told before anything is sent."""

from __future__ import annotations

import ast
import json
import pickle
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from huggingface_hub import CommitOperationAdd
from secrets_table import Draw
from small_fleet import card, commits, edit, fleet_of, publish, release

from zoo.cli import publish as cli_publish
from zoo.errors import HubError, PublishError
from zoo.hub.store import Store
from zoo.publish.apply.preflight import preflight
from zoo.publish.apply.rollout import Rollout
from zoo.publish.desired.fleet import Fleet, WantedCollection
from zoo.publish.desired.release import CARD, Settings
from zoo.publish.plan import guard, saved
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.publish.plan.guard import problems
from zoo.publish.sending import searched, send
from zoo.publish.versions.history import NamedRepository
from zoo.publish.versions.version import draft_version
from zoo.remote import api

# What must not go up -------------------------------------------------------------------------------------------------


def test_a_secret_stops_its_repository_and_is_not_repeated(hub: TestHub) -> None:
    token = "hf_" + "aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE"[:34]
    leaky = release({CARD: card(), "notes.txt": f"one\nkey = {token}\n".encode()}, "lab/leaky")
    fine = release({"a.txt": b"1"}, "lab/not-leaky")
    stopped, went = publish(leaky, fine)
    assert (stopped.did, went.did) == ("failed", "created")
    assert stopped.why == (
        "model 'lab/leaky' must not be published: notes.txt, line 2: Hugging Face token hf_… (37 characters)"
    )
    assert token not in repr(stopped)
    assert not api().repo_exists("lab/leaky")


@pytest.mark.parametrize("where", [0, 1, 4_999_990, 5_000_000, 9_999_980, 11_999_000])
def test_a_secret_in_a_text_of_many_megabytes_stops_it_too(tmp_path: Path, where: int) -> None:
    token, file = b"hf_" + b"aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE", tmp_path / "vocabulary.json"
    text = "سطر من القاموس\n".encode() * 450_000
    file.write_bytes(text[:where] + b"\n" + token + b"\n" + text[where:])
    line = text[:where].count(b"\n") + 2
    assert problems({"v.json": file}) == [f"v.json, line {line}: Hugging Face token hf_… (37 characters)"]


def test_a_text_in_utf_16_is_searched_too() -> None:
    text = "HF_TOKEN=hf_" + "aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE\r\n"
    assert problems({"a.env": text.encode("utf-16")}) == ["a.env, line 1: Hugging Face token hf_… (37 characters)"]


def test_weights_are_not_searched_for_secrets(tmp_path: Path) -> None:
    token, file = b"hf_" + b"aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE", tmp_path / "model.safetensors"
    file.write_bytes(b"\x08\0\0\0\0\0\0\0{}      " + b"w" * 6_000_000 + token)
    assert problems({"model.safetensors": file}) == []


def test_what_needs_a_repository_that_failed_waits_for_it(hub: TestHub) -> None:
    base = release({"pytorch_model.bin": pickle.dumps(print)}, "lab/parent")
    child = release({"a.txt": b"1"}, "lab/child", needs=frozenset({"lab/parent"}))
    grandchild = release({"a.txt": b"1"}, "lab/grandchild", needs=frozenset({"lab/child"}))
    other = release({"a.txt": b"1"}, "lab/other")
    done = publish(base, child, grandchild, other, title="Partly")
    assert [one.did for one in done] == ["failed", "skipped", "skipped", "created", "skipped"]
    assert done[1].why == "it needs 'lab/parent'"
    assert "is a pickle" in str(done[0].why)


def test_a_name_that_would_be_refused_is_told_before_anything_is_sent(hub: TestHub) -> None:
    fleet = fleet_of(release({"a.txt": b"1"}, "lab/two--dashes"))
    with pytest.raises(HubError, match="'lab/two--dashes' cannot be called so: Cannot have -- or .. in repo_id"):
        preflight(FleetPlan(fleet, []))


def test_a_card_that_the_hub_does_not_take_is_told_before_anything_is_sent(hub: TestHub) -> None:
    bad = release({CARD: card(license="none-such")}, "lab/bad")
    (problem,) = plan_fleet(fleet_of(bad)).plans[0].problems
    assert problem.startswith("README.md, line 2: ")
    assert "'none-such'" in problem
    (outcome,) = publish(bad)
    assert (outcome.did, problem in str(outcome.why)) == ("failed", True)
    assert not api().repo_exists("lab/bad")


def test_a_token_that_cannot_write_is_told(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(hub.root)) as store:
        monkeypatch.setenv("HF_TOKEN", store.issue_token("lab", role="read"))
    with pytest.raises(HubError, match="the token of 'lab' may only read"):
        preflight(plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/unwritten"))))


def test_overwrite_must_name_a_file_of_ours(hub: TestHub) -> None:
    with pytest.raises(PublishError, match="--overwrite 'lab/none:README.md' names no file that is published here"):
        plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/some")), overwrite=["lab/none:README.md"])
    with pytest.raises(PublishError, match="--overwrite 'lab/some:README.mdd' names no file") as caught:
        plan_fleet(fleet_of(release({CARD: card()}, "lab/some")), overwrite=["lab/some:README.mdd"])
    assert caught.value.hint == "did you mean 'README.md'?"


# Everything that leaves goes through one door ------------------------------------------------------------------------

DRAW = Draw(9)
TOKEN = "hf_" + DRAW(34)
KEY = DRAW(40, "0123456789abcdef")  # only the name of its variable tells what it is
PRIVATE = "-----BEGIN RSA " + f"PRIVATE KEY-----\n{DRAW.block(6)}\n-----END RSA PRIVATE KEY-----\n"
READING = re.compile(
    r"(get|list|repo|model|dataset|space|file|whoami|snapshot_download|hf_hub_download|auth_check|endpoint$)(_|$)?"
)


def writing_calls(path: Path) -> list[tuple[int, str, bool]]:
    """Return (line, method, whether `send` or `searched` is given it) of each method of the client that writes."""
    tree = ast.parse(path.read_text("utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        of_client = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
        if not of_client or getattr(node.value.func, "id", "") != "api" or READING.match(node.attr):
            continue
        parent = parents[node]
        door = isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in ("send", "searched")
        found.append((node.lineno, node.attr, door and parent.args[0] is node))
    return found


def test_every_request_that_writes_to_the_hub_goes_through_the_one_door() -> None:
    package = Path(guard.__file__).parents[2]
    calls = {
        path: writing_calls(path) for path in package.rglob("*.py") if "hub" not in path.relative_to(package).parts
    }
    beside = [
        f"{path.relative_to(package)}:{line} {name}"
        for path, all in calls.items()
        for line, name, door in all
        if not door
    ]
    assert beside == []
    names = {name for all in calls.values() for _, name, _ in all}
    assert {"create_commit", "preupload_lfs_files", "create_tag", "create_collection", "add_space_variable"} <= names


def test_nothing_of_the_client_that_writes_is_used_but_its_methods() -> None:
    package, taken = Path(guard.__file__).parents[2], set()
    for path in package.rglob("*.py"):
        if "hub" in path.relative_to(package).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "huggingface_hub":
                taken |= {alias.name for alias in node.names}
    verbs = [
        "upload",
        "create",
        "delete",
        "update",
        "add_",
        "request",
        "set_",
        "push",
        "merge",
        "rename",
        "move",
        "post",
    ]
    ours = {"set_client_factory"}  # changes the client here, nothing there
    assert [name for name in taken - ours if name.lower().startswith(tuple(verbs))] == []


def test_the_rows_of_a_table_are_searched(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ["one\ntwo", *["text"] * 3000, f"my token is {TOKEN}", "last"]
    columns = {"number": range(len(texts)), "text": pa.array(texts, pa.large_string()), "empty": [None] * len(texts)}
    place = tmp_path / "train.parquet"
    pq.write_table(pa.table(columns), place, row_group_size=1000)
    found = problems({"data/train.parquet": place})
    assert found == [f"data/train.parquet, row 3002: Hugging Face token hf_… ({len(TOKEN)} characters)"]
    assert problems({"data/train.parquet": b"PAR1 and nothing that could be read"}) == []
    assert len(problems({"notes.txt": f"PAR1\ntoken: {TOKEN}\n".encode()})) == 1
    words = pa.array(["a", TOKEN, "b"]).dictionary_encode()
    for column in (words, [["a"], [TOKEN], None], [{"a": [TOKEN]}, None, {"a": []}], [b"a", TOKEN.encode(), b"c"]):
        pq.write_table(pa.table({"n": [1, 2, 3], "text": column}), tmp_path / "odd.parquet")
        assert len(problems({"odd.parquet": tmp_path / "odd.parquet"})) == 1


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"commit_message": f"with {TOKEN}"}, "its commit message"),
        ({"commit_description": f"with {TOKEN}"}, "its commit description"),
        ({"operations": [CommitOperationAdd("notes.txt", f"a\n{TOKEN}".encode())]}, "notes.txt, line 2"),
        ({"operations": [CommitOperationAdd(f"{TOKEN}.txt", b"a")]}, "the name of 'hf_…"),
    ],
    ids=["title", "description", "content", "path"],
)
def test_a_commit_with_a_secret_in_it_is_not_made(hub: TestHub, arguments: dict[str, Any], where: str) -> None:
    api().create_repo("lab/door", exist_ok=True)
    before = commits("lab/door")
    call = {"operations": [], "commit_message": "x", **arguments}
    with pytest.raises(PublishError) as caught:
        send(api().create_commit, "lab/door", **call)
    assert where in caught.value.message
    assert TOKEN not in caught.value.message
    assert commits("lab/door") == before


def test_a_file_of_a_commit_is_read_once_for_its_plan_and_once_more_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("fine")
    assert guard.told_secrets({"notes": file}) == []
    file.write_text(f"no longer: {TOKEN}")
    assert guard.told_secrets({"notes": file}) == ["notes, line 1: Hugging Face token hf_… (37 characters)"]


def test_a_tag_and_the_variables_of_a_space_are_searched(hub: TestHub) -> None:
    with pytest.raises(PublishError, match="its tag message, line 1: Hugging Face token"):
        searched(api().create_tag, "lab/x", tag="v1.0.0", tag_message=TOKEN)
    with pytest.raises(PublishError, match="Weights|assigned secret"):
        searched(api().add_space_variable, "lab/x", "WANDB_API_KEY", KEY)


def test_a_secret_in_a_variable_is_a_problem_of_the_plan_and_masked_in_it(hub: TestHub) -> None:
    settings = Settings(variables={"WANDB_API_KEY": KEY, "MODE": "fast"})
    space = release({"app.py": b"1", CARD: card(sdk="gradio")}, "lab/keyed", kind="space", settings=settings)
    found = plan_fleet(fleet_of(space))
    [problem] = found.plans[0].problems
    assert problem == "variable WANDB_API_KEY, line 1: assigned secret … (40 characters)"
    assert found.blocked
    notes = [change.note for change in found.settings[space.key]]
    assert notes == ["fast", "…"]
    [outcome] = publish(space)
    assert (outcome.did, KEY in repr(outcome)) == ("failed", False)
    assert not api().repo_exists("lab/keyed", repo_type="space")


def test_a_secret_in_a_collections_texts_stops_it(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/listed")
    fleet = Fleet("lab", [one], [WantedCollection("Leaky", f"Ask with {TOKEN}.\n{PRIVATE}")])
    found = plan_fleet(fleet)
    assert [problem.split(" …")[0] for problem in found.collections[0].problems] == [
        "the description, line 1: Hugging Face token hf_… (37 characters)",
        "the description, line 2: private key",
    ]
    assert found.collections[0] in found.blocked
    done = Rollout(found).run()
    assert [one.did for one in done] == ["created", "failed"]
    assert "it must not be published: the description, line 1: Hugging Face token" in str(done[1].why)
    assert TOKEN not in repr(done)
    assert not [one for one in api().list_collections(owner="lab") if one.title == "Leaky"]


def test_notes_of_a_version_are_searched_before_anything_is_asked() -> None:
    repository = NamedRepository("model", "lab/none", "none")
    with pytest.raises(PublishError, match="cannot release .*: its notes, line 2: Hugging Face token hf_…"):
        draft_version(release({CARD: card()}, "lab/none"), repository, "v1.0.0", f"Better.\n{TOKEN}")


# What is shown is masked ---------------------------------------------------------------------------------------------


def shown_of(found: FleetPlan, capsys: pytest.CaptureFixture[str]) -> str:
    """Return all that is told of a plan: for people, for programs, and in its file."""
    cli_publish._say_plan(found)
    asked = saved.Asked((), "full")
    return capsys.readouterr().out + json.dumps(cli_publish._units(found)) + json.dumps(saved.described(asked, found))


def test_a_secret_that_somebody_put_into_a_card_is_masked_in_the_drift(
    hub: TestHub, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = release({CARD: card()}, "lab/masked")
    publish(mine)
    long = "sk-" + "proj-" + DRAW(150)
    theirs = card(f"# Small\n\nOne.\n\n{PRIVATE}\nuse hf\\_{TOKEN[3:]}\n\nThree.\n", key=f"a {long}")
    edit("lab/masked", CARD, theirs)
    text = shown_of(plan_fleet(fleet_of(mine)), capsys)
    assert "changed on the Hub" in text
    for secret in (TOKEN[3:], long[8:], PRIVATE.splitlines()[2]):
        assert not [at for at in range(len(secret) - 9) if secret[at : at + 10] in text]


def test_a_secret_in_a_line_that_clashes_is_masked(hub: TestHub, capsys: pytest.CaptureFixture[str]) -> None:
    body = "# Small\n\nOne {}.\n"
    publish(release({CARD: card(body.format(1))}, "lab/clashed"))
    edit("lab/clashed", CARD, card(body.format(TOKEN)))
    text = shown_of(plan_fleet(fleet_of(release({CARD: card(body.format(2))}, "lab/clashed"))), capsys)
    assert "on the Hub:" in text
    assert TOKEN[3:13] not in text


def test_a_saved_plan_is_for_its_owner_alone_also_where_an_open_one_was(hub: TestHub, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("{}")
    file.chmod(0o644)
    found = plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/saved")))
    saved.save_plan(file, saved.Asked((), "full"), found)
    assert file.stat().st_mode & 0o777 == 0o600
    asked, content = saved.read_plan(file)
    saved.require_unchanged(file, content, asked, found)


def test_a_plan_with_a_secret_is_saved_masked_and_found_unchanged(hub: TestHub, tmp_path: Path) -> None:
    one = release({"a.txt": b"1"}, "lab/saved-leak")
    found = plan_fleet(Fleet("lab", [one], [WantedCollection(f"Leaky {TOKEN}")]))
    saved.save_plan(tmp_path / "p.json", saved.Asked((), "full"), found)
    assert TOKEN[3:13] not in (tmp_path / "p.json").read_text()
    asked, content = saved.read_plan(tmp_path / "p.json")
    saved.require_unchanged(tmp_path / "p.json", content, asked, found)


def test_a_signature_of_verified_results_does_not_stop_a_publication(hub: TestHub) -> None:
    signed = f"---\nlicense: mit\n---\n\n# x\n\nverifyToken: {DRAW.jwt()}\n".encode()
    results = f"- dataset:\n    id: lab/x\n  value: 76.1\n  verifyToken: {DRAW.jwt()}\n".encode()
    assert guard.problems({CARD: signed, ".eval_results/x.yaml": results}) == []
