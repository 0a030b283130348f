"""What people do to a repository on the Hub, and what becomes of it: nothing of theirs is lost, nothing of ours left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from hub_wire import Wire, file
from small_fleet import BODY, card, commits, edit, fleet_of, publish, release, shown, there

from zoo.errors import HubError, PublishError
from zoo.publish.apply.repository import apply_plan
from zoo.publish.apply.rollout import Published, Rollout
from zoo.publish.desired.release import CARD, MANIFEST, Settings
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.listing import Target
from zoo.publish.plan.repository import Plan, plan_release
from zoo.publish.proof.owed import Owed
from zoo.remote import api


@pytest.mark.parametrize("ignored", ["*.safetensors\n", "*\n"])
def test_what_the_hub_would_ignore_is_sent_all_the_same(hub: TestHub, ignored: str) -> None:
    id = f"lab/ignored-{len(ignored)}"
    publish(release({CARD: card(), "model.safetensors": b"1" * 9000}, id))
    edit(id, ".gitignore", ignored.encode())
    again = release({CARD: card(), "model.safetensors": b"2" * 9000, "new.txt": b"3"}, id)
    assert publish(again)[0].did == "updated"
    assert (there(id, "model.safetensors"), there(id, "new.txt")) == ("2" * 9000, "3")
    assert plan_release(again).changes == []


def test_a_card_that_is_not_utf8_there_is_a_conflict_and_stays(hub: TestHub) -> None:
    publish(release({CARD: card()}, "lab/latin"))
    latin = card(BODY.replace("One.", "Un café.")).decode().encode("latin-1")
    answer = Wire(hub.running).commit("lab/latin", file(CARD, latin))  # the client refuses it, git does not
    assert answer.status == 200
    again = release({CARD: card(BODY.replace("Three.", "Four."))}, "lab/latin")
    (outcome,) = publish(again)
    assert (outcome.did, outcome.why) == ("conflict", "'README.md' is not UTF-8 on the Hub, and changed here")
    assert plan_release(again).head == answer.json()["commitOid"]
    assert publish(again, overwrite=["lab/latin:README.md"])[0].did == "updated"
    assert "Four." in there("lab/latin", CARD)


LONG = BODY.replace("Three.\n", "Three.\n\nFour.\n\nFive.\n")


def raw(id: str, path: str = CARD) -> bytes:
    return Path(api().hf_hub_download(id, path)).read_bytes()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("windows", lambda text: text.replace("\n", "\r\n") + "\r\nA note from Windows.\r\n"),
        ("mixed", lambda text: text.replace("Two.\n", "Two, says a person.\r\n").replace("Four.\n", "Four.\r\n")),
        ("only-ends", lambda text: text.replace("\n", "\r\n")),
        ("no-end", lambda text: text.replace("\n", "\r\n").rstrip() + " And more."),
    ],
)
def test_line_ends_that_people_saved_stay_through_our_updates(hub: TestHub, name: str, saved: Any) -> None:
    id = f"lab/ends-{name}"
    publish(release({CARD: card(LONG)}, id))
    theirs = saved(card(LONG).decode()).encode()
    edit(id, CARD, theirs)
    assert publish(release({CARD: card(LONG)}, id))[0].did == "unchanged"
    assert raw(id) == theirs
    for number in ("1.", "Une."):
        ours = release({CARD: card(LONG.replace("One.", number), tags=["a"])}, id)
        assert publish(ours)[0].did == "updated"
        end = b"\n" if name == "mixed" else b"\r\n"
        front, new = b'license: "mit"' + end, b'tags: ["a"]' + end
        assert raw(id) == theirs.replace(b"One.", number.encode()).replace(front, front + new)
        assert plan_release(ours).pending == []
        assert publish(ours)[0].did == "unchanged"


def test_a_byte_order_mark_is_left_alone_and_goes_with_our_next_update(hub: TestHub) -> None:
    one = release({CARD: card(LONG)}, "lab/marked")
    publish(one)
    marked = b"\xef\xbb\xbf" + card(LONG.replace("Two.", "Two, says a person."))
    assert Wire(hub.running).commit("lab/marked", file(CARD, marked)).status == 200
    assert publish(one)[0].did == "unchanged"
    two = release({CARD: card(LONG.replace("Four.", "4."), language="ar")}, "lab/marked")
    assert publish(two)[0].did == "updated"
    expected = LONG.replace("Two.", "Two, says a person.").replace("Four.", "4.")
    assert raw("lab/marked") == card(expected, language="ar")
    assert api().model_info("lab/marked").card_data["language"] == "ar", "behind the mark the Hub found nothing"
    assert publish(two)[0].did == "unchanged"


def test_a_key_that_both_sides_add_to_the_metadata_is_a_conflict(hub: TestHub) -> None:
    publish(release({CARD: card(a=1, b=2, c=3)}, "lab/keys"))
    edit("lab/keys", CARD, card(a=1, b=2, c=3, language="ar"))
    front, body = card(a=1, b=2, c=3).decode().split("\n", 1)
    ours = release({CARD: f'{front}\nlanguage: "en"\n{body}'.encode()}, "lab/keys")
    (conflict,) = plan_release(ours).conflicts
    assert (conflict.path, conflict.note) == (CARD, "'language' was added on the Hub and here")


def test_an_edit_that_would_make_the_card_contradict_the_recipe_is_a_conflict(hub: TestHub) -> None:
    recipe = b"release: {license: mit}\n"
    publish(release({CARD: card(), "zoo/recipe.yaml": recipe}, "lab/licensed"))
    edit("lab/licensed", CARD, card().replace(b'"mit"', b'"apache-2.0"'))
    again = release({CARD: card(BODY.replace("Three.", "Four.")), "zoo/recipe.yaml": recipe}, "lab/licensed")
    (conflict,) = plan_release(again).conflicts
    assert conflict.note == (
        "was edited on the Hub so that, merged, line 2: license is 'apache-2.0', and zoo/recipe.yaml says 'mit'"
    )


@pytest.mark.parametrize(("theirs", "ours"), [("other", "other/a.txt"), ("other/a.txt", "other")])
def test_a_file_of_others_is_not_replaced_by_a_folder_nor_the_other_way_round(
    hub: TestHub, theirs: str, ours: str
) -> None:
    id = f"lab/in-the-way-{len(ours)}"
    publish(release({CARD: card()}, id))
    edit(id, theirs, b"a person's")
    (outcome,) = publish(release({CARD: card(), ours: b"1"}, id))
    assert (outcome.did, outcome.why) == ("conflict", f"'{ours}' others have '{theirs}'")
    assert there(id, theirs) == "a person's"


def test_a_conflict_that_comes_up_while_publishing_holds_up_nobody_else(hub: TestHub) -> None:
    parent = release({CARD: card(), "a.txt": b"1"}, "lab/late")
    child = release({CARD: card(), "a.txt": b"1"}, "lab/late-child", needs=frozenset(["lab/late"]))
    publish(parent, child)
    new = [
        release({CARD: card(), "a.txt": b"2"}, "lab/late"),
        release({CARD: card(), "a.txt": b"2"}, "lab/late-child", needs=frozenset(["lab/late"])),
    ]
    found = plan_fleet(fleet_of(*new))
    head = edit("lab/late", "a.txt", b"a person's")
    done = Rollout(found).run()
    assert [(one.did, one.why) for one in done] == [
        ("conflict", "'a.txt' changed on the Hub and here"),
        ("updated", None),
    ]
    assert done[0].commit == head


def test_what_was_planned_again_is_what_is_proved(hub: TestHub) -> None:
    publish(release({CARD: card(), "a.txt": b"1"}, "lab/proved"))
    found = plan_fleet(fleet_of(release({CARD: card(), "a.txt": b"2"}, "lab/proved")))
    head = edit("lab/proved", "theirs.txt", b"a person's")
    proved: list[str | None] = []
    Rollout(found, go_on=lambda _: True, prove=lambda plan, _: proved.append(plan.head)).run()
    assert proved == [head], "going back leads to what they made, not before it"


def test_a_proof_that_was_not_made_is_made_up_for(hub: TestHub, tmp_path: Path) -> None:
    one = release({CARD: card(), "a.txt": b"1"}, "lab/owed")
    proved: list[str] = []

    def roll_out(problem: Exception | None = None) -> Published:
        def prove(_: Plan, commit: str) -> None:
            if problem:
                raise problem
            proved.append(commit)

        return Rollout(plan_fleet(fleet_of(one)), prove=prove, owed=Owed(tmp_path / "owed.json")).run()[0]

    apply_plan(plan_release(one))  # what was published by others is not proved
    assert (roll_out().did, proved) == ("unchanged", [])
    one = release({CARD: card(), "a.txt": b"2"}, "lab/owed")
    assert roll_out(PublishError("it does not load")).did == "failed"
    again = roll_out(PublishError("it does not load"))
    assert (again.did, again.why) == ("failed", "it does not load")
    done = roll_out()
    assert (done.did, proved) == ("unchanged", [done.commit])
    roll_out()
    assert proved == [done.commit], "once"
    (tmp_path / "owed.json").write_text('["127.0.0', "utf-8")  # which ones were owed, nobody knows
    roll_out()
    assert proved == [done.commit, done.commit]
    roll_out()
    assert len(proved) == 2


@pytest.mark.parametrize("manifest", ["[" * 50_000, json.dumps({"files": {}, "note": "\ud800"}), "\xff", "[]"])
def test_a_manifest_that_somebody_spoilt_says_nothing(hub: TestHub, manifest: str) -> None:
    id = f"lab/spoilt-{abs(hash(manifest)) % 10**6}"
    publish(release({CARD: card(), "a.txt": b"1"}, id))
    edit(id, MANIFEST, manifest.encode("latin-1"))
    assert shown(plan_release(release({CARD: card(), "a.txt": b"2"}, id)).changes) == [("conflict", "a.txt")]


def test_a_model_and_a_space_of_one_id_are_two_repositories(hub: TestHub) -> None:
    model = release({CARD: card(), "a.txt": b"1"}, "lab/same")
    space = release(
        {CARD: card(sdk="gradio"), "a.txt": b"1"}, "lab/same", kind="space", settings=Settings(variables={"A": "1"})
    )
    publish(model, space)
    changed = release(
        {CARD: card(sdk="gradio"), "a.txt": b"1"}, "lab/same", kind="space", settings=Settings(variables={"A": "2"})
    )
    assert [one.did for one in publish(model, changed)] == ["unchanged", "updated"]
    for kind in ("model", "space"):
        edit("lab/same", "a.txt", b"a person's", kind)
    new = release({CARD: card(sdk="gradio"), "a.txt": b"2"}, "lab/same", kind="space")
    done = publish(release({CARD: card(), "a.txt": b"2"}, "lab/same"), new, overwrite=["spaces/lab/same:a.txt"])
    assert [one.did for one in done] == ["conflict", "updated"]
    assert (there("lab/same", "a.txt"), there("lab/same", "a.txt", "space")) == ("a person's", "2")
    with pytest.raises(PublishError, match="names no file"):
        publish(model, new, overwrite=["datasets/lab/same:a.txt"])


def test_what_would_be_there_is_written_with_what_people_made_of_the_card(hub: TestHub) -> None:
    publish(release({CARD: card()}, "lab/expected"))
    edit("lab/expected", CARD, card(BODY.replace("One.", "One, says a person.")))
    kept = plan_release(release({CARD: card()}, "lab/expected"))
    merged = plan_release(release({CARD: card(BODY.replace("Three.", "Four."))}, "lab/expected"))
    assert "says a person" in kept.expected.bytes(CARD).decode()
    assert all(said in merged.expected.bytes(CARD).decode() for said in ("says a person", "Four."))


def test_a_token_in_somebodys_edit_is_not_published_again(hub: TestHub) -> None:
    publish(release({CARD: card()}, "lab/theirs-leaked"))
    token = "hf_" + "aZ3kq9Lm2Wx7Tn5Bv8Yc1Df4Gh6Jp0RsQe"
    edit("lab/theirs-leaked", CARD, card(BODY.replace("One.", f"One: {token}")))
    (outcome,) = publish(release({CARD: card(BODY.replace("Three.", "Four."))}, "lab/theirs-leaked"))
    assert (outcome.did, token in str(outcome.why)) == ("conflict", False)
    assert outcome.hint == (
        "edit 'README.md' on the Hub until it agrees, or take ours: --overwrite lab/theirs-leaked:README.md"
    )


# Where it goes -------------------------------------------------------------------------------------------------------


def test_a_branch_is_made_although_main_has_the_same(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/branched-same")
    publish(one)
    (outcome,) = publish(one, target=Target("next"))
    assert (outcome.did, there("lab/branched-same", "a.txt", revision="next")) == ("updated", "1")
    assert publish(one, target=Target("next"))[0].did == "unchanged"
    assert commits("lab/branched-same") == 2, "and the Hub's first"


PROPOSED = Target(pull_request=True)


def proposals(id: str) -> dict[int, str]:
    """{number: status} of its pull requests."""
    return {one.num: one.status for one in api().get_repo_discussions(id, discussion_type="pull_request")}


def test_a_pull_request_that_cannot_be_merged_gives_way_to_one_that_can(hub: TestHub) -> None:
    id = "lab/moved-on"
    publish(release({CARD: card(LONG), "a.txt": b"1"}, id))
    ours = release({CARD: card(LONG.replace("One.", "1.")), "a.txt": b"2"}, id)
    publish(ours, target=PROPOSED)
    edit(id, CARD, card(LONG.replace("Four.", "Four, says a person.")))
    found = plan_release(ours, PROPOSED)
    assert shown(found.changes)[:2] == [("update", CARD), ("update", "a.txt")], "not up to date"
    assert [(one.path, one.note) for one in found.changes if one.action == "keep"] == [
        (
            "pull request #1",
            "main changed too, so that it cannot be merged: a new one takes its place, it is closed",
        )
    ]
    (outcome,) = publish(ours, target=PROPOSED)
    assert (outcome.did, str(outcome.url).rpartition("/")[2]) == ("updated", "2")
    assert proposals(id) == {1: "closed", 2: "open"}
    assert api().get_discussion_details(id, 1).events[-1].content.endswith("#2 takes its place")
    assert publish(ours, target=PROPOSED)[0].did == "unchanged"
    api().merge_pull_request(id, 2)
    assert there(id, CARD).encode() == card(LONG.replace("One.", "1.").replace("Four.", "Four, says a person."))
    assert publish(ours, target=PROPOSED)[0].did == "unchanged"
    assert publish(ours)[0].did == "unchanged"


def test_nothing_is_added_to_a_pull_request_that_could_not_be_merged_with_it(hub: TestHub) -> None:
    """It can be merged as it is; what would come now collides with what main has since."""
    id = "lab/overtaken-later"
    first = release({"a.txt": b"1", "b.txt": b"1"}, id)
    publish(first)
    edit(id, "a.txt", None)
    publish(first, target=PROPOSED)
    edit(id, "notes.txt", b"a person's")
    publish(first, target=PROPOSED)
    assert proposals(id) == {1: "open"}, "what people have beside it does not collide"
    publish(release({"a.txt": b"1", "b.txt": b"2"}, id))
    third = release({"a.txt": b"1", "b.txt": b"3"}, id)
    publish(third, target=PROPOSED)
    assert proposals(id) == {1: "closed", 2: "open"}
    assert publish(third, target=PROPOSED)[0].did == "unchanged"
    api().merge_pull_request(id, 2)
    assert (there(id, "b.txt"), there(id, "notes.txt")) == ("3", "a person's")


def test_a_conflict_with_main_is_shown_for_a_pull_request_as_for_main(hub: TestHub) -> None:
    id = "lab/clashes"
    publish(release({CARD: card(LONG)}, id))
    ours = release({CARD: card(LONG.replace("One.", "1."))}, id)
    publish(ours, target=PROPOSED)
    edit(id, CARD, card(LONG.replace("One.", "One, says a person.")))
    (conflict,) = plan_release(ours, PROPOSED).conflicts
    assert [(clash.theirs, clash.ours) for clash in conflict.clashes] == [(("One, says a person.\n",), ("1.\n",))]
    assert publish(ours, target=PROPOSED)[0].did == "conflict"
    assert proposals(id) == {1: "open"}
    assert publish(ours, target=PROPOSED, overwrite=[f"{id}:{CARD}"])[0].did == "updated"
    assert proposals(id) == {1: "closed", 2: "open"}


def test_a_pull_request_with_commits_of_others_stays_open_when_it_cannot_be_merged(hub: TestHub) -> None:
    id = "lab/reviewed"
    publish(release({CARD: card(LONG), "a.txt": b"1"}, id))
    publish(release({CARD: card(LONG), "a.txt": b"2"}, id), target=PROPOSED)
    api().upload_file(path_or_fileobj=b"r", path_in_repo="review.txt", repo_id=id, revision="refs/pr/1")
    ours = release({CARD: card(LONG), "a.txt": b"3"}, id)
    assert publish(ours, target=PROPOSED)[0].did == "updated"
    assert (proposals(id), there(id, "review.txt", revision="refs/pr/1")) == ({1: "open"}, "r")
    edit(id, "a.txt", b"a person's")
    edit(id, CARD, card(LONG))
    publish(ours, target=PROPOSED, overwrite=[f"{id}:a.txt"])
    assert proposals(id) == {1: "open", 2: "open"}
    assert there(id, "review.txt", revision="refs/pr/1") == "r"
    assert publish(ours, target=PROPOSED)[0].did == "unchanged"


def test_a_pull_request_that_people_retitle_merge_or_close_is_known(hub: TestHub) -> None:
    id = "lab/retitled"

    def propose(content: bytes) -> str:
        return str(publish(release({CARD: card(), "a.txt": content}, id), target=PROPOSED)[0].did)

    publish(release({CARD: card(), "a.txt": b"1"}, id))
    assert propose(b"2") == "updated"
    api().rename_discussion(id, 1, new_title="Better, says a person")
    api().comment_discussion(id, 1, comment="why?")
    assert (propose(b"2"), propose(b"3"), proposals(id)) == ("unchanged", "updated", {1: "open"})
    api().create_pull_request(id, "by hand, of the same account")
    assert (propose(b"3"), proposals(id)) == ("unchanged", {1: "open", 2: "draft"})
    api().merge_pull_request(id, 1)
    assert (propose(b"3"), there(id, "a.txt")) == ("unchanged", "3")
    assert propose(b"4") == "updated"
    api().change_discussion_status(id, 3, new_status="closed", comment="no")
    assert (propose(b"4"), proposals(id)) == ("updated", {1: "merged", 2: "draft", 3: "closed", 4: "open"})


def test_a_pull_request_has_nothing_to_add_to_what_main_has(hub: TestHub) -> None:
    id = "lab/overtaken"
    publish(release({CARD: card(), "a.txt": b"1"}, id))
    new = release({CARD: card(), "a.txt": b"2"}, id)
    publish(new, target=PROPOSED)
    newest = release({CARD: card(), "a.txt": b"3"}, id)
    publish(newest)
    assert plan_release(newest, PROPOSED).changes == []
    assert publish(newest, target=PROPOSED)[0].url is None
    assert proposals(id) == {1: "open"}


def test_a_tag_is_no_branch(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/tagged")
    publish(one)
    api().create_tag("lab/tagged", tag="v1")
    with pytest.raises(HubError, match="'v1' is a tag of model 'lab/tagged'"):
        plan_release(one, Target("v1"))
