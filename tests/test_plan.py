"""Plans: what people did on the Hub meanwhile, what becomes of it, and plans that are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TestHub
from small_fleet import BODY, KEPT, card, commits, edit, fleet_of, publish, release, shown, there

from zoo.errors import HubError, PublishError
from zoo.publish.apply.commit import MovedError
from zoo.publish.apply.repository import apply_plan
from zoo.publish.apply.rollout import Rollout
from zoo.publish.desired.release import CARD, MANIFEST, RENDERED, Release
from zoo.publish.plan import difference, saved
from zoo.publish.plan.everything import FleetPlan, plan_fleet
from zoo.publish.plan.listing import Target
from zoo.publish.plan.repository import plan_release
from zoo.remote import api

# People on the Hub ---------------------------------------------------------------------------------------------------


def test_an_edit_on_the_hub_and_one_in_the_recipe_are_both_published(hub: TestHub) -> None:
    publish(release({CARD: card(), "a.txt": b"1"}, "lab/edited"))
    edit(
        "lab/edited",
        CARD,
        card(BODY.replace("One.", "One, says a person. نصّ عربي"), pipeline_tag="sentence-similarity"),
    )
    (kept,) = plan_release(release({CARD: card(), "a.txt": b"1"}, "lab/edited")).changes
    assert (kept.action, kept.path) == ("keep", CARD)
    again = release({CARD: card(BODY.replace("Three.", "Four.")), "a.txt": b"1"}, "lab/edited")
    found = plan_release(again)
    assert [(one.path, one.note) for one in found.pending if one.path not in KEPT] == [
        (CARD, "merged with edits made on the Hub")
    ]
    (outcome,) = publish(again)
    assert (outcome.did, outcome.why) == ("updated", None)
    text = there("lab/edited", CARD)
    assert "One, says a person. نصّ عربي" in text
    assert "Four." in text
    assert "pipeline_tag" in text
    assert there("lab/edited", RENDERED) == again.bytes(CARD).decode()
    assert plan_release(again).pending == []
    assert publish(again)[0].did == "unchanged"


def test_what_people_made_of_a_card_is_shown_when_we_have_nothing_new(hub: TestHub, asked: list[str]) -> None:
    ours = release({CARD: card(), "a.txt": b"1"}, "lab/drifted")
    publish(ours)
    plan_release(ours)
    asked.clear()
    assert plan_release(ours).drift is None
    assert len(asked) == 1, "nothing was edited: the card is not read"
    edit("lab/drifted", CARD, card(BODY.replace("Two.", "Two, says a person."), pipeline_tag="sentence-similarity"))
    found = plan_release(ours)
    assert found.drift
    assert (found.pending, found.card) == ([], None)
    assert difference.changed_lines(*found.drift) == [
        "pipeline_tag: - -> sentence-similarity",
        "@@ -4,5 +4,5 @@",
        " One.",
        " ",
        "-Two.",
        "+Two, says a person.",
        " ",
        " Three.",
    ]
    same_as_theirs = release({CARD: card(pipeline_tag="sentence-similarity")}, "lab/drifted")
    assert plan_release(same_as_theirs).drift == found.drift, "they have it already, and more"


def test_a_conflict_is_shown_with_its_lines_and_that_repository_alone_is_left(hub: TestHub) -> None:
    for id in ("lab/clash", "lab/calm"):
        publish(release({CARD: card(), "a.txt": b"1"}, id))
    edit("lab/clash", CARD, card(BODY.replace("Two.", "Two, says a person.")))
    new = [release({CARD: card(BODY.replace("Two.", "Zwei.")), "a.txt": b"2"}, id) for id in ("lab/clash", "lab/calm")]
    (change,) = plan_release(new[0]).conflicts
    assert [(one.theirs, one.ours) for one in change.clashes] == [(("Two, says a person.\n",), ("Zwei.\n",))]
    before = commits("lab/clash")
    clash, calm = publish(*new)
    assert (clash.did, calm.did) == ("conflict", "updated")
    assert clash.hint == ("edit 'README.md' on the Hub until it agrees, or take ours: --overwrite lab/clash:README.md")
    assert (commits("lab/clash"), there("lab/clash", "a.txt")) == (before, "1")
    with pytest.raises(PublishError, match=r"'README.md' of model 'lab/clash' is in conflict"):
        apply_plan(plan_release(new[0]))
    (taken,) = publish(new[0], overwrite=["lab/clash:README.md"])
    assert (taken.did, there("lab/clash", CARD)) == ("updated", new[0].bytes(CARD).decode())


def test_files_of_others_stay_edited_ones_are_kept_deleted_ones_come_back(hub: TestHub) -> None:
    ours = release({"a.txt": b"1", "b.txt": b"2", "c.txt": b"3"}, "lab/drift")
    publish(ours)
    edit("lab/drift", "theirs.txt", b"mine")
    edit("lab/drift", "a.txt", b"edited")
    edit("lab/drift", "b.txt", None)
    found = plan_release(ours)
    assert shown(found.changes) == [("keep", "a.txt"), ("add", "b.txt")]
    assert found.pending[0].note == "put back: it was deleted on the Hub"
    publish(release({"a.txt": b"1", "b.txt": b"2"}, "lab/drift"))
    files = set(api().list_repo_files("lab/drift"))
    assert files == {".gitattributes", "a.txt", "b.txt", "theirs.txt", MANIFEST}
    assert there("lab/drift", "a.txt") == "edited"


def test_the_first_publication_leaves_what_others_put_there(hub: TestHub) -> None:
    api().create_repo("lab/taken")
    edit("lab/taken", "a.txt", b"theirs")
    edit("lab/taken", "same.txt", b"same")
    ours = release({"a.txt": b"ours", "same.txt": b"same"}, "lab/taken")
    assert shown(plan_release(ours).changes) == [("conflict", "a.txt")]
    assert publish(ours)[0].did == "conflict"
    assert publish(ours, overwrite=["lab/taken:a.txt"])[0].did == "updated"
    assert there("lab/taken", "a.txt") == "ours"


def test_a_space_whose_publication_was_cut_off_after_its_creation_is_still_ours(hub: TestHub) -> None:
    api().create_repo("lab/cut-off", repo_type="space", space_sdk="gradio")
    ours = release({CARD: card(sdk="gradio"), "app.py": b"1"}, "lab/cut-off", kind="space")
    assert shown(plan_release(ours).changes) == [("update", CARD), ("add", "app.py")]
    edit("lab/cut-off", CARD, card("mine", sdk="gradio"), "space")
    assert shown(plan_release(ours).conflicts) == [("conflict", CARD)]


def test_a_repository_that_changed_meanwhile_is_planned_again_once(hub: TestHub) -> None:
    publish(release({"a.txt": b"1", "b.txt": b"1"}, "lab/raced"))
    stale = plan_fleet(fleet_of(release({"a.txt": b"2", "b.txt": b"1"}, "lab/raced")))
    edit("lab/raced", "b.txt", b"theirs")
    with pytest.raises(MovedError, match="model 'lab/raced' changed on the Hub while it was being published"):
        apply_plan(stale.plans[0])
    assert Rollout(stale).run()[0].did == "failed", "nobody said that it may go on"
    (outcome,) = Rollout(stale, go_on=lambda _: True).run()
    assert (outcome.did, there("lab/raced", "a.txt"), there("lab/raced", "b.txt")) == ("updated", "2", "theirs")


def test_a_renamed_repository_is_told(hub: TestHub) -> None:
    publish(release({"a.txt": b"1"}, "lab/called-so"))
    api().move_repo("lab/called-so", "lab/called-otherwise")
    with pytest.raises(
        HubError, match="model 'lab/called-so' was renamed to 'lab/called-otherwise' on the Hub"
    ) as told:
        plan_release(release({"a.txt": b"1"}, "lab/called-so"))
    assert told.value.hint == "call it 'called-otherwise' in its recipe too, or rename it back on the Hub"
    assert publish(release({"a.txt": b"1"}, "lab/called-otherwise"))[0].did == "unchanged"


def test_what_a_later_zoo_published_is_left_alone(hub: TestHub) -> None:
    publish(release({"a.txt": b"1"}, "lab/later"))
    edit("lab/later", MANIFEST, json.dumps({"format": 3, "files": []}).encode())
    with pytest.raises(PublishError, match="model 'lab/later' was published by a later zoo than this one"):
        plan_release(release({"a.txt": b"2"}, "lab/later"))
    edit("lab/later", MANIFEST, b"no json")
    assert shown(plan_release(release({"a.txt": b"2"}, "lab/later")).changes) == [("conflict", "a.txt")]


def test_a_file_that_changes_between_the_plan_and_the_push_is_told(hub: TestHub, tmp_path: Path) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    found = plan_release(release({"w.bin": file}, "lab/hasty"))
    file.write_bytes(b"three")
    with pytest.raises(PublishError, match="'w.bin' changed while it was being published"):
        apply_plan(found)
    assert commits("lab/hasty") == 1


# Saved plans ---------------------------------------------------------------------------------------------------------


def stored(path: Path, one: Release) -> tuple[saved.Asked, FleetPlan]:
    asked = saved.Asked(("small",), "full")
    found = plan_fleet(fleet_of(one))
    saved.save_plan(path, asked, found)
    return asked, found


def check(path: Path, one: Release) -> None:
    asked, content = saved.read_plan(path)
    saved.require_unchanged(path, content, asked, plan_fleet(fleet_of(one)))


def test_a_saved_plan_holds_until_something_moves(hub: TestHub, tmp_path: Path) -> None:
    path, first = tmp_path / "plan.json", release({"a.txt": b"1"}, "lab/saved")
    stored(path, first)
    check(path, first)
    with pytest.raises(
        PublishError, match=r"plan 'plan.json' no longer holds: model 'lab/saved' changed here since: 'a"
    ):
        check(path, release({"a.txt": b"2"}, "lab/saved"))
    publish(first)
    second = release({"a.txt": b"2"}, "lab/saved")
    stored(path, second)
    edit("lab/saved", "theirs.txt", b"x")
    with pytest.raises(PublishError, match="no longer holds: model 'lab/saved' changed on the Hub since"):
        check(path, second)


def test_a_saved_plan_names_no_token_and_no_folder(hub: TestHub, tmp_path: Path) -> None:
    file, path = tmp_path / "model.safetensors", tmp_path / "plan.json"
    file.write_bytes(b"weights")
    stored(path, release({"model.safetensors": file}, "lab/discreet"))
    text = path.read_text("utf-8")
    assert hub.running.token not in text
    assert str(tmp_path) not in text


def test_an_edited_plan_is_refused(hub: TestHub, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    stored(path, release({"a.txt": b"1"}, "lab/forged"))
    path.write_text(path.read_text().replace("lab/forged", "lab/forget"))
    with pytest.raises(PublishError, match="was edited"):
        saved.read_plan(path)
    path.write_text("[]")
    with pytest.raises(PublishError, match="is not a plan"):
        saved.read_plan(path)


# Elsewhere than main -------------------------------------------------------------------------------------------------


def test_a_pull_request_is_opened_once_and_then_added_to(hub: TestHub) -> None:
    publish(release({"a.txt": b"1"}, "lab/proposed"))
    for content in (b"2", b"3", b"3"):
        (outcome,) = publish(release({"a.txt": content}, "lab/proposed"), target=Target(pull_request=True))
    assert outcome.did == "unchanged"
    (proposal,) = api().get_repo_discussions("lab/proposed", discussion_type="pull_request")
    assert proposal.title == "zoo: proposed"
    assert (there("lab/proposed", "a.txt"), there("lab/proposed", "a.txt", revision="refs/pr/1")) == ("1", "3")


@pytest.mark.parametrize(("kind", "folder"), [("model", ""), ("dataset", "datasets/")])
def test_the_address_of_a_pull_request_is_told_whether_it_is_new_or_not(hub: TestHub, kind: str, folder: str) -> None:
    (on_main,) = publish(release({"a.txt": b"1"}, "lab/addressed", kind=kind))
    assert on_main.url is None
    proposed = [
        publish(release({"a.txt": content}, "lab/addressed", kind=kind), target=Target(pull_request=True))[0]
        for content in (b"2", b"3", b"3")
    ]
    assert [one.did for one in proposed] == ["updated", "updated", "unchanged"]
    assert {one.url for one in proposed} == {f"{hub.running.url}/{folder}lab/addressed/discussions/1"}
    assert api().get_discussion_details("lab/addressed", 1, repo_type=kind).url == proposed[0].url


def test_another_branch_is_made_when_it_is_missing(hub: TestHub) -> None:
    publish(release({"a.txt": b"1"}, "lab/branched"))
    for content in (b"2", b"3"):
        publish(release({"a.txt": content}, "lab/branched"), target=Target("next"))
    assert (there("lab/branched", "a.txt"), there("lab/branched", "a.txt", revision="next")) == ("1", "3")
    (outcome,) = publish(release({"a.txt": b"1"}, "lab/branched-new"), target=Target("next"))
    assert (outcome.did, there("lab/branched-new", "a.txt", revision="next")) == ("created", "1")


# Two at once ---------------------------------------------------------------------------------------------------------

PUBLISHER = """
import sys
from small_fleet import publish, release
files = {"README.md": b"# same", "model.safetensors": b"weights" * 20000, "who.txt": sys.argv[1].encode()}
for outcome in publish(*(release(files, f"lab/together-{n}") for n in range(3))):
    print(outcome.did)
"""


@pytest.mark.parametrize("same", [True, False])
def test_two_publishers_at_once_leave_one_of_both(hub: TestHub, same: bool) -> None:
    if not same:
        for number in range(3):
            api().delete_repo(f"lab/together-{number}", missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", PUBLISHER]
    names = ("a", "a" if same else "b")
    running = [subprocess.Popen([*command, name], env=environment, stdout=subprocess.PIPE, text=True) for name in names]
    said = [process.communicate(timeout=120)[0].split() for process in running]
    assert all(process.returncode == 0 for process in running)
    for number in range(3):
        assert commits(f"lab/together-{number}") <= (2 if same else 3), "no duplicate commit"
        assert there(f"lab/together-{number}", "who.txt") in names
        assert {one[number] for one in said} & {"created", "updated"}
        assert plan_release(release({"README.md": b"# same"}, f"lab/together-{number}")).conflicts == []
