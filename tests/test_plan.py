"""Plans: what differs, what people did on the Hub meanwhile, and what becomes of both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub

from zoo.errors import HubError, PublishError
from zoo.publish import difference, saved
from zoo.publish.apply import MovedError, apply
from zoo.publish.collection import Item, compare_items, moves
from zoo.publish.digests import Digests, Ids, of_bytes
from zoo.publish.fleet import Fleet, FleetPlan, plan_fleet, preflight
from zoo.publish.guard import problems
from zoo.publish.listing import Remote, Target
from zoo.publish.merge import merge
from zoo.publish.plan import Change, compare, plan
from zoo.publish.release import CARD, MANIFEST, RENDERED, Content, Release, Settings, sealed
from zoo.publish.rollout import Rollout
from zoo.publish.space import Runtime, compare_settings

KEPT = {MANIFEST, RENDERED}
BODY = "# Small\n\nOne.\n\nTwo.\n\nThree.\n"


def release(files: dict[str, Content], id: str = "lab/small", **rest: Any) -> Release:
    return sealed(Release(rest.pop("kind", "model"), id, id.split("/")[1], dict(files), **rest))


def card(body: str = BODY, **metadata: Any) -> bytes:
    front = "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"license": "mit", **metadata}.items())
    return f"---\n{front}---\n\n{body}".encode()


def fleet_of(*releases: Release, title: str | None = None) -> Fleet:
    return Fleet("lab", releases, title, "")


def publish(*releases: Release, title: str | None = None, **options: Any) -> list[Any]:
    return Rollout(plan_fleet(fleet_of(*releases, title=title), **options)).run()


def edit(id: str, path: str, content: bytes | None, kind: str = "model") -> str:
    """Somebody else's commit."""
    from zoo.remote import api

    if content is None:
        return str(api().delete_file(path, id, repo_type=kind).oid)
    return str(api().upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=id, repo_type=kind).oid)


def there(id: str, path: str, kind: str = "model", revision: str | None = None) -> str:
    from zoo.remote import api

    return Path(api().hf_hub_download(id, path, repo_type=kind, revision=revision)).read_text("utf-8")


def commits(id: str, kind: str = "model") -> int:
    from zoo.remote import api

    return len(api().list_repo_commits(id, repo_type=kind))


def shown(changes: Any) -> list[tuple[str, str]]:
    return [(change.action, change.path) for change in changes if change.path not in KEPT]


# Comparing, which is pure --------------------------------------------------------------------------------------------

A, B, C = (of_bytes(text) for text in (b"a", b"b", b"c"))
EXPECTED = {
    # (was, theirs, ours): action
    (None, None, "a"): "add",
    (None, "a", "a"): None,
    (None, "b", "a"): "conflict",
    (None, "b", None): None,
    ("a", None, "a"): "add",
    ("a", None, "b"): "add",
    ("a", None, None): None,
    ("a", "a", None): "delete",
    ("a", "b", None): "conflict",
    ("a", "a", "a"): None,
    ("a", "a", "b"): "update",
    ("a", "b", "a"): "keep",
    ("a", "b", "b"): None,
    ("a", "b", "c"): "conflict",
}


@pytest.mark.parametrize("kind", ["git", "sha256"])
@pytest.mark.parametrize("case", EXPECTED)
def test_every_combination_of_what_was_what_is_and_what_should_be(case: Any, kind: str) -> None:
    was, theirs, ours = case
    ids = {"a": A, "b": B, "c": C}
    wanted = release({"f": ours.encode()} if ours else {})
    files = {"f": getattr(ids[theirs], kind)} if theirs else {}
    remote = Remote("f" * 40, files, {"f": ids[was]} if was else {})
    found = [change.action for change in compare(wanted, remote) if change.path == "f"]
    assert found == ([EXPECTED[case]] if EXPECTED[case] else [])
    if EXPECTED[case] in ("conflict", "keep"):
        overwritten = [change.action for change in compare(wanted, remote, {"f"}) if change.path == "f"]
        assert overwritten == ["update" if ours else "delete"]


def test_the_table_above_is_whole() -> None:
    sides = product((None, "a"), (None, "a", "b"), (None, "a", "b", "c"))
    told_apart = {case for case in sides if case[1] or case[2]}
    relevant = {(w, t, o) for w, t, o in told_apart if not (o == "c" and (w, t) != ("a", "b"))}
    relevant -= {(None, None, "b"), (None, "a", "b"), (None, "a", None), (None, "b", "b")}  # the same with other names
    assert relevant | {("a", None, None)} == set(EXPECTED)


def test_a_file_that_goes_and_comes_is_renamed() -> None:
    wanted = release({"new.txt": b"same", "other.txt": b"more"})
    remote = Remote("f" * 40, {"old.txt": of_bytes(b"same").git or ""}, {"old.txt": of_bytes(b"same")})
    (renamed, other) = [change for change in compare(wanted, remote) if change.path not in KEPT]
    assert renamed == Change("rename", "new.txt", 4, "was old.txt", "old.txt")
    assert (other.action, other.path) == ("add", "other.txt")


def test_a_manifest_of_the_first_format_owns_files_without_saying_what_they_were() -> None:
    wanted = release({CARD: card(), "config.json": b"{}"})
    files = {CARD: "0" * 40, "config.json": "1" * 40, "gone.txt": "2" * 40}
    remote = Remote("f" * 40, files, dict.fromkeys(files))
    assert shown(compare(wanted, remote)) == [("conflict", CARD), ("update", "config.json"), ("delete", "gone.txt")]


# Merging -------------------------------------------------------------------------------------------------------------

LINES = "".join(f"line {number}\n" for number in range(9))


def test_changes_in_different_places_are_both_there() -> None:
    theirs, ours = LINES.replace("line 2\n", "theirs\n"), LINES.replace("line 7\n", "ours\n") + "more\n"
    made = merge(LINES, theirs, ours)
    assert made.clashes == ()
    assert made.text == LINES.replace("line 2\n", "theirs\n").replace("line 7\n", "ours\n") + "more\n"
    assert merge(LINES, ours, theirs).text == made.text


def test_changes_of_the_same_lines_clash_unless_they_are_the_same() -> None:
    theirs, ours = LINES.replace("line 4\n", "theirs\n"), LINES.replace("line 4\n", "ours\n")
    (clash,) = merge(LINES, theirs, ours).clashes
    assert (clash.line, clash.theirs, clash.ours) == (5, ("theirs\n",), ("ours\n",))
    assert merge(LINES, ours, ours) == merge(LINES, LINES, ours) == merge(LINES, ours, LINES)


def test_merging_loses_nothing() -> None:
    """Random edits: with no clash, what each side added is there and what each side removed is gone."""
    import random

    chance = random.Random(5)
    for _ in range(300):
        base = [f"{number}\n" for number in range(12)]
        sides = []
        for name in ("t", "o"):
            lines = [f"{name}{line}" if chance.random() < 0.1 else line for line in base if chance.random() > 0.08]
            lines.insert(chance.randrange(len(lines) + 1), f"{name}new\n")
            sides.append(lines)
        made = merge("".join(base), "".join(sides[0]), "".join(sides[1]))
        if not made.clashes:
            result = made.text.splitlines(keepends=True)
            for lines in sides:
                assert {line for line in lines if line not in base} <= set(result)
                assert not (set(base) - set(lines)) & set(result)


# People on the Hub ---------------------------------------------------------------------------------------------------


def test_an_edit_on_the_hub_and_one_in_the_recipe_are_both_published(hub: TestHub) -> None:
    publish(release({CARD: card(), "a.txt": b"1"}, "lab/edited"))
    edit(
        "lab/edited",
        CARD,
        card(BODY.replace("One.", "One, says a person. نصّ عربي"), pipeline_tag="sentence-similarity"),
    )
    (kept,) = plan(release({CARD: card(), "a.txt": b"1"}, "lab/edited")).changes
    assert (kept.action, kept.path) == ("keep", CARD)
    again = release({CARD: card(BODY.replace("Three.", "Four.")), "a.txt": b"1"}, "lab/edited")
    found = plan(again)
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
    assert plan(again).pending == []
    assert publish(again)[0].did == "unchanged"


def test_what_people_made_of_a_card_is_shown_when_we_have_nothing_new(hub: TestHub, asked: list[str]) -> None:
    ours = release({CARD: card(), "a.txt": b"1"}, "lab/drifted")
    publish(ours)
    plan(ours)
    asked.clear()
    assert plan(ours).drift is None
    assert len(asked) == 1, "nothing was edited: the card is not read"
    edit("lab/drifted", CARD, card(BODY.replace("Two.", "Two, says a person."), pipeline_tag="sentence-similarity"))
    found = plan(ours)
    assert found.drift
    assert (found.pending, found.card) == ([], None)
    assert difference.lines(*found.drift) == [
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
    assert plan(same_as_theirs).drift == found.drift, "they have it already, and more"


def test_a_conflict_is_shown_with_its_lines_and_that_repository_alone_is_left(hub: TestHub) -> None:
    for id in ("lab/clash", "lab/calm"):
        publish(release({CARD: card(), "a.txt": b"1"}, id))
    edit("lab/clash", CARD, card(BODY.replace("Two.", "Two, says a person.")))
    new = [release({CARD: card(BODY.replace("Two.", "Zwei.")), "a.txt": b"2"}, id) for id in ("lab/clash", "lab/calm")]
    (change,) = plan(new[0]).conflicts
    assert [(one.theirs, one.ours) for one in change.clashes] == [(("Two, says a person.\n",), ("Zwei.\n",))]
    before = commits("lab/clash")
    clash, calm = publish(*new)
    assert (clash.did, calm.did) == ("conflict", "updated")
    assert clash.hint == ("edit 'README.md' on the Hub until it agrees, or take ours: --overwrite lab/clash:README.md")
    assert (commits("lab/clash"), there("lab/clash", "a.txt")) == (before, "1")
    with pytest.raises(PublishError, match=r"'README.md' of model 'lab/clash' is in conflict"):
        apply(plan(new[0]))
    (taken,) = publish(new[0], overwrite=["lab/clash:README.md"])
    assert (taken.did, there("lab/clash", CARD)) == ("updated", new[0].bytes(CARD).decode())


def test_files_of_others_stay_edited_ones_are_kept_deleted_ones_come_back(hub: TestHub) -> None:
    ours = release({"a.txt": b"1", "b.txt": b"2", "c.txt": b"3"}, "lab/drift")
    publish(ours)
    edit("lab/drift", "theirs.txt", b"mine")
    edit("lab/drift", "a.txt", b"edited")
    edit("lab/drift", "b.txt", None)
    found = plan(ours)
    assert shown(found.changes) == [("keep", "a.txt"), ("add", "b.txt")]
    assert found.pending[0].note == "put back: it was deleted on the Hub"
    publish(release({"a.txt": b"1", "b.txt": b"2"}, "lab/drift"))
    from zoo.remote import api

    files = set(api().list_repo_files("lab/drift"))
    assert files == {".gitattributes", "a.txt", "b.txt", "theirs.txt", MANIFEST}
    assert there("lab/drift", "a.txt") == "edited"


def test_the_first_publication_leaves_what_others_put_there(hub: TestHub) -> None:
    from zoo.remote import api

    api().create_repo("lab/taken")
    edit("lab/taken", "a.txt", b"theirs")
    edit("lab/taken", "same.txt", b"same")
    ours = release({"a.txt": b"ours", "same.txt": b"same"}, "lab/taken")
    assert shown(plan(ours).changes) == [("conflict", "a.txt")]
    assert publish(ours)[0].did == "conflict"
    assert publish(ours, overwrite=["lab/taken:a.txt"])[0].did == "updated"
    assert there("lab/taken", "a.txt") == "ours"


def test_a_space_whose_publication_was_cut_off_after_its_creation_is_still_ours(hub: TestHub) -> None:
    from zoo.remote import api

    api().create_repo("lab/cut-off", repo_type="space", space_sdk="gradio")
    ours = release({CARD: card(sdk="gradio"), "app.py": b"1"}, "lab/cut-off", kind="space")
    assert shown(plan(ours).changes) == [("update", CARD), ("add", "app.py")]
    edit("lab/cut-off", CARD, card("mine", sdk="gradio"), "space")
    assert shown(plan(ours).conflicts) == [("conflict", CARD)]


def test_a_repository_that_changed_meanwhile_is_planned_again_once(hub: TestHub) -> None:
    publish(release({"a.txt": b"1", "b.txt": b"1"}, "lab/raced"))
    stale = plan_fleet(fleet_of(release({"a.txt": b"2", "b.txt": b"1"}, "lab/raced")))
    edit("lab/raced", "b.txt", b"theirs")
    with pytest.raises(MovedError, match="model 'lab/raced' changed on the Hub while it was being published"):
        apply(stale.plans[0])
    assert Rollout(stale).run()[0].did == "failed", "nobody said that it may go on"
    (outcome,) = Rollout(stale, go_on=lambda _: True).run()
    assert (outcome.did, there("lab/raced", "a.txt"), there("lab/raced", "b.txt")) == ("updated", "2", "theirs")


def test_a_renamed_repository_is_told(hub: TestHub) -> None:
    from zoo.remote import api

    publish(release({"a.txt": b"1"}, "lab/called-so"))
    api().move_repo("lab/called-so", "lab/called-otherwise")
    with pytest.raises(HubError, match="model 'lab/called-so' was renamed to 'lab/called-otherwise' on the Hub"):
        plan(release({"a.txt": b"1"}, "lab/called-so"))


def test_what_a_later_zoo_published_is_left_alone(hub: TestHub) -> None:
    publish(release({"a.txt": b"1"}, "lab/later"))
    edit("lab/later", MANIFEST, json.dumps({"format": 3, "files": []}).encode())
    with pytest.raises(PublishError, match="model 'lab/later' was published by a later zoo than this one"):
        plan(release({"a.txt": b"2"}, "lab/later"))
    edit("lab/later", MANIFEST, b"no json")
    assert shown(plan(release({"a.txt": b"2"}, "lab/later")).changes) == [("conflict", "a.txt")]


def test_a_file_that_changes_between_the_plan_and_the_push_is_told(hub: TestHub, tmp_path: Path) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    found = plan(release({"w.bin": file}, "lab/hasty"))
    file.write_bytes(b"three")
    with pytest.raises(PublishError, match="'w.bin' changed while it was being published"):
        apply(found)
    assert commits("lab/hasty") == 1


# Looking -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Requests that leave this process."""
    import httpx2

    seen: list[str] = []
    real = httpx2.HTTPTransport.handle_request

    def note(self: Any, request: Any) -> Any:
        seen.append(f"{request.method} {request.url.path}")
        return real(self, request)

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", note)
    return seen


def test_a_look_is_three_requests_and_the_next_one_is_one(hub: TestHub, asked: list[str]) -> None:
    many = [release({CARD: card(), **{f"{n}.txt": b"%d" % n for n in range(18)}}, f"lab/many-{m}") for m in range(3)]
    publish(*many)
    asked.clear()
    assert plan_fleet(fleet_of(*many)).changed == 0
    assert len(asked) <= 3 * len(many), asked
    asked.clear()
    assert plan_fleet(fleet_of(*many)).changed == 0
    assert len(asked) == len(many), asked


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    file, place = tmp_path / "weights", tmp_path / ".zoo" / "digests.sqlite"
    file.write_bytes(b"weights")
    old = time.time() - 60
    os.utime(file, (old, old))
    first = Digests(place)
    assert first.of(file) == of_bytes(b"weights")
    second = Digests(place)
    assert (second.of(file), second.hashed) == (first.of(file), 0)
    file.write_bytes(b"changed")
    os.utime(file, (old, old + 1))
    assert (second.of(file), second.hashed) == (of_bytes(b"changed"), 1)
    place.write_bytes(b"this is no database" * 100)
    third = Digests(place)
    assert (third.of(file), third.hashed) == (of_bytes(b"changed"), 1)
    assert Digests(place).of(file) == of_bytes(b"changed")


def test_a_receipts_word_is_taken_for_a_large_file_that_is_older(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(10 * 2**20 + 1)
    known, when = Digests(), file.stat().st_mtime_ns
    known.learn(file, "a" * 64, when)
    assert (known.of(file), known.hashed) == (Ids("a" * 64, None), 0)
    other = Digests()
    other.learn(file, "a" * 64, when - 1)
    assert other.of(file) != Ids("a" * 64, None)


def test_a_file_written_this_very_moment_is_read_again(tmp_path: Path) -> None:
    known, file = Digests(), tmp_path / "config.json"
    file.write_bytes(b"{1}")
    known.of(file)
    state = file.stat()
    file.write_bytes(b"{2}")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert known.of(file) == of_bytes(b"{2}")


def test_files_above_the_hubs_limit_have_one_id(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(10 * 2**20 + 1)
    ids = Digests().of(file)
    assert ids.git is None
    assert ids == Ids(ids.sha256, None)


# Saved plans ---------------------------------------------------------------------------------------------------------


def stored(path: Path, one: Release) -> tuple[saved.Asked, FleetPlan]:
    asked = saved.Asked(("small",), "full")
    found = plan_fleet(fleet_of(one))
    saved.save(path, asked, found)
    return asked, found


def check(path: Path, one: Release) -> None:
    asked, content = saved.read(path)
    saved.compare(path, content, asked, plan_fleet(fleet_of(one)))


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
        saved.read(path)
    path.write_text("[]")
    with pytest.raises(PublishError, match="is not a plan"):
        saved.read(path)


# Collections and Spaces ----------------------------------------------------------------------------------------------


def test_ours_stand_in_order_in_the_places_that_ours_have() -> None:
    a, b, x, y = (Item("model", name) for name in "abxy")
    assert moves([x, b, a, y], [a, b]) == [(a, 1)]
    assert moves([a, x, b], [a, b]) == []
    assert [(one.action, one.path) for one in compare_items([x, b], [a, b], {})] == [
        ("add", "model a"),
        ("move", "model a"),
    ]


def test_a_collection_has_its_order_and_its_notes_and_those_of_others(hub: TestHub) -> None:
    from zoo.remote import api

    one, two, data = (
        release({"a.txt": b"1"}, "lab/coll-1", note="the first"),
        release({"a.txt": b"1"}, "lab/coll-2", note="ملاحظة"),
        release({"a.txt": b"1"}, "lab/coll-data", kind="dataset"),
    )
    publish(release({"a.txt": b"1"}, "lab/coll-theirs"))
    slug = publish(two, data, title="Ordered")[-1].id
    api().add_collection_item(slug, "lab/coll-theirs", "model", note="ours is nice")
    outcome = publish(data, one, two, title="Ordered")[-1]
    listed = [(item.item_id, item.note) for item in api().get_collection(slug).items]
    assert listed == [
        ("lab/coll-1", "the first"),
        ("lab/coll-2", "ملاحظة"),
        ("lab/coll-theirs", "ours is nice"),
        ("lab/coll-data", None),
    ]
    assert outcome.did == "updated"
    assert publish(data, one, two, title="Ordered")[-1].did == "unchanged"


def test_a_note_of_ours_follows_the_recipe_and_one_that_people_wrote_stays(hub: TestHub) -> None:
    from zoo.remote import api

    def noted(note: str) -> Any:
        both = [release({"a.txt": b"1"}, f"lab/note-{name}", note=note) for name in ("ours", "theirs")]
        return publish(*both, title="Noted")[-1]

    slug = noted("first").id
    (_, theirs) = api().get_collection(slug).items
    api().update_collection_item(slug, theirs.item_object_id, note="says a person")
    assert noted("second").did == "updated"
    assert [item.note for item in api().get_collection(slug).items] == ["second", "says a person"]
    assert noted("second").did == "unchanged"


def test_a_note_that_a_cut_off_publication_left_behind_is_still_ours(hub: TestHub) -> None:
    from zoo.remote import api

    def noted(note: str) -> list[Release]:
        return [release({"a.txt": b"1"}, f"lab/left-{name}", note=note) for name in ("ours", "theirs")]

    slug = publish(*noted("first"), title="Left")[-1].id
    (_, theirs) = api().get_collection(slug).items
    api().update_collection_item(slug, theirs.item_object_id, note="says a person")
    for note in ("second", "third"):  # cut off twice, each time after the repositories' commits
        for one in plan_fleet(fleet_of(*noted(note), title="Left")).plans:
            apply(one)
    collection = plan_fleet(fleet_of(*noted("third"), title="Left")).collection
    assert collection
    assert [(one.action, one.path, one.note) for one in collection.changes] == [
        ("set", "model lab/left-ours", "note: third"),
        ("keep", "model lab/left-theirs", "its note was written by others"),
    ]
    before = commits("lab/left-ours")
    assert [one.did for one in publish(*noted("third"), title="Left")] == ["unchanged", "unchanged", "updated"]
    assert {one.did for one in publish(*noted("third"), title="Left")} == {"unchanged"}
    assert commits("lab/left-ours") == before
    assert [item.note for item in api().get_collection(slug).items] == ["third", "says a person"]


def test_a_note_that_comes_back_is_not_remembered_twice(hub: TestHub) -> None:
    for note in ("first", "second", "first", "first"):
        publish(release({"a.txt": b"1"}, "lab/back", note=note))
    manifest = json.loads(there("lab/back", MANIFEST))
    assert (manifest["note"], manifest["earlier"], commits("lab/back")) == ("first", ["second"], 4)
    for number in range(9):
        publish(release({"a.txt": b"1"}, "lab/back", note=f"note {number}"))
    assert json.loads(there("lab/back", MANIFEST))["earlier"] == ["note 7", "note 6", "note 5", "note 4"]


def test_settings_that_the_recipe_names_are_set_and_others_stay(hub: TestHub) -> None:
    from zoo.remote import api

    wanted = Settings("cpu-upgrade", 3600, {"LANGUAGE": "ar"}, ("KEY", "OTHER"))
    space = release({"app.py": b"1", CARD: card(sdk="gradio")}, "lab/set-up", kind="space", settings=wanted)
    (outcome,) = publish(space)
    assert outcome.did == "created"
    api().add_space_variable("lab/set-up", "THEIRS", "1")
    api().add_space_secret("lab/set-up", "KEY", "not shown anywhere")
    found = plan_fleet(fleet_of(space))
    assert [(one.action, one.path, one.note) for one in found.settings["lab/set-up"]] == [
        ("missing", "secret OTHER", "hf spaces secrets add lab/set-up -s OTHER")
    ]
    assert found.changed == 0
    runtime = api().get_space_runtime("lab/set-up")
    assert (runtime.requested_hardware, runtime.sleep_time) == ("cpu-upgrade", 3600)
    assert {key: one.value for key, one in api().get_space_variables("lab/set-up").items()} == {
        "LANGUAGE": "ar",
        "THEIRS": "1",
    }


def test_comparing_settings_is_pure() -> None:
    there = Runtime("cpu-basic", 60, {"A": "1"}, frozenset({"KEY"}))
    wanted = Settings("zero-a10g", None, {"A": "2", "B": "3"}, ("KEY",))
    assert [(one.path, one.note) for one in compare_settings(wanted, there, "lab/s")] == [
        ("hardware", "cpu-basic -> zero-a10g"),
        ("variable A", "1 -> 2"),
        ("variable B", "3"),
    ]


# Elsewhere than main -------------------------------------------------------------------------------------------------


def test_a_pull_request_is_opened_once_and_then_added_to(hub: TestHub) -> None:
    from zoo.remote import api

    publish(release({"a.txt": b"1"}, "lab/proposed"))
    for content in (b"2", b"3", b"3"):
        (outcome,) = publish(release({"a.txt": content}, "lab/proposed"), target=Target(pull_request=True))
    assert outcome.did == "unchanged"
    (proposal,) = api().get_repo_discussions("lab/proposed", discussion_type="pull_request")
    assert proposal.title == "zoo: proposed"
    assert (there("lab/proposed", "a.txt"), there("lab/proposed", "a.txt", revision="refs/pr/1")) == ("1", "3")


@pytest.mark.parametrize(("kind", "folder"), [("model", ""), ("dataset", "datasets/")])
def test_the_address_of_a_pull_request_is_told_whether_it_is_new_or_not(hub: TestHub, kind: str, folder: str) -> None:
    from zoo.remote import api

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


# For people ----------------------------------------------------------------------------------------------------------


def test_a_cards_difference_is_its_keys_and_its_lines() -> None:
    before = card(tags=["a", "b"], language="ar").decode()
    after = card(BODY.replace("Two.", "نصّ\u202e."), tags=["a", "c"], datasets=["lab/d"]).decode()
    assert difference.metadata(before, after) == [
        ("tags[1]", "b", "c"),
        ("language", "ar", "-"),
        ("datasets", "-", "[lab/d]"),
    ]
    assert difference.text(before, after)[1:] == [" One.", " ", "-Two.", "+نصّ<U+202E>.", " ", " Three."]


def test_a_release_is_the_same_folder_every_time(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    source.write_bytes(b"weights")
    for name in ("one", "two"):
        release({CARD: card(), "sub/model.safetensors": source}).write(tmp_path / name)
    found = [
        {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two")
    ]
    assert found[0] == found[1]
    assert set(found[0]) == {CARD, "sub/model.safetensors", MANIFEST, RENDERED}
    manifest = json.loads(found[0][MANIFEST])
    assert (manifest["format"], set(manifest["files"])) == (2, set(found[0]) - {MANIFEST})


PUBLISHER = """
import sys
from test_plan import publish, release
files = {"README.md": b"# same", "model.safetensors": b"weights" * 20000, "who.txt": sys.argv[1].encode()}
for outcome in publish(*(release(files, f"lab/together-{n}") for n in range(3))):
    print(outcome.did)
"""


@pytest.mark.parametrize("same", [True, False])
def test_two_publishers_at_once_leave_one_of_both(hub: TestHub, same: bool) -> None:
    from zoo.remote import api

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
        assert plan(release({"README.md": b"# same"}, f"lab/together-{number}")).conflicts == []
