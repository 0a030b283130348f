"""What must not go up, and what is told before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TestHub
from small_fleet import card, fleet_of, publish, release

from zoo.errors import HubError, PublishError
from zoo.publish.apply.preflight import preflight
from zoo.publish.desired.fleet import Fleet
from zoo.publish.desired.release import CARD
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.publish.plan.guard import problems

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
    from zoo.remote import api

    assert not api().repo_exists("lab/leaky")


@pytest.mark.parametrize("where", [0, 1, 4_999_990, 5_000_000, 9_999_980, 11_999_000])
def test_a_secret_in_a_text_of_many_megabytes_stops_it_too(tmp_path: Path, where: int) -> None:
    token, file = b"hf_" + b"aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE", tmp_path / "vocabulary.json"
    text = "سطر من القاموس\n".encode() * 450_000
    file.write_bytes(text[:where] + b"\n" + token + b"\n" + text[where:])
    line = text[:where].count(b"\n") + 2
    assert problems({"v.json": file}) == [f"v.json, line {line}: Hugging Face token hf_… (37 characters)"]


def test_weights_are_not_searched_for_secrets(tmp_path: Path) -> None:
    token, file = b"hf_" + b"aZ3kQ9xW7bN5vR1tY8uL2pD6sF4gH0jCmE", tmp_path / "model.safetensors"
    file.write_bytes(b"\x08\0\0\0\0\0\0\0{}      " + b"w" * 6_000_000 + token)
    assert problems({"model.safetensors": file}) == []


def test_what_needs_a_repository_that_failed_waits_for_it(hub: TestHub) -> None:
    base = release({"pytorch_model.bin": b"\x80\x04."}, "lab/parent")
    child = release({"a.txt": b"1"}, "lab/child", needs=frozenset({"lab/parent"}))
    grandchild = release({"a.txt": b"1"}, "lab/grandchild", needs=frozenset({"lab/child"}))
    other = release({"a.txt": b"1"}, "lab/other")
    done = publish(base, child, grandchild, other, title="Partly")
    assert [one.did for one in done] == ["failed", "skipped", "skipped", "created", "skipped"]
    assert done[1].why == "it needs 'lab/parent'"
    assert "is a pickle" in str(done[0].why)


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("lab/two--dashes", "model 'lab/two--dashes' cannot be called so: Cannot have -- or .. in repo_id"),
        ("other/fine", "'lab' may not publish as 'other'"),
    ],
)
def test_names_that_would_be_refused_are_told_before_anything_is_sent(hub: TestHub, id: str, message: str) -> None:
    one = release({"a.txt": b"1"}, id)
    with pytest.raises(HubError, match=message):
        preflight(FleetPlan(Fleet(id.split("/")[0], [one], None, ""), []))


def test_a_card_that_the_hub_does_not_take_is_told_before_anything_is_sent(hub: TestHub) -> None:
    bad = plan_fleet(
        fleet_of(release({"a.txt": b"1"}, "lab/sent-first"), release({CARD: card(license="none-such")}, "lab/bad"))
    )
    with pytest.raises(PublishError, match="the Hub does not take the card of model 'lab/bad': .*license"):
        preflight(bad)


@pytest.mark.parametrize(("role", "message"), [("read", "the token of 'lab' may only read"), (None, "no token for")])
def test_a_token_that_cannot_write_is_told(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch, role: str | None, message: str
) -> None:
    from contextlib import closing

    from zoo.hub.store import Store

    if role:
        with closing(Store(hub.root)) as store:
            monkeypatch.setenv("HF_TOKEN", store.issue_token("lab", role=role))
    else:
        monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match=message):
        preflight(plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/unwritten"))))


def test_overwrite_must_name_a_file_of_ours(hub: TestHub) -> None:
    with pytest.raises(PublishError, match="--overwrite 'lab/none:README.md' names no file that is published here"):
        plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/some")), overwrite=["lab/none:README.md"])
    with pytest.raises(PublishError, match="--overwrite 'lab/some:README.mdd' names no file") as caught:
        plan_fleet(fleet_of(release({CARD: card()}, "lab/some")), overwrite=["lab/some:README.mdd"])
    assert caught.value.hint == "did you mean 'README.md'?"
