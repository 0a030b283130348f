"""Collections and Spaces: what the recipe names is set, and what others made of them stays."""

from __future__ import annotations

import json
from typing import Any

from conftest import TestHub
from small_fleet import card, commits, fleet_of, publish, release, there

from zoo.publish.apply.repository import apply_plan
from zoo.publish.apply.rollout import Rollout
from zoo.publish.desired.fleet import Fleet, Item
from zoo.publish.desired.release import CARD, MANIFEST, Release, Settings
from zoo.publish.plan.collection import compare_items, moves
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.settings import Runtime, compare_settings

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


def test_a_description_that_the_recipe_does_not_have_is_left_to_people(hub: TestHub) -> None:
    from zoo.remote import api

    one = release({"a.txt": b"1"}, "lab/described")
    slug = publish(one, title="Described")[-1].id
    api().update_collection_metadata(slug, description="a person's")
    assert publish(one, title="Described")[-1].did == "unchanged"
    ours = plan_fleet(Fleet("lab", [one], "Described", "ours"))
    assert ours.collection
    assert [(change.path, change.note) for change in ours.collection.pending] == [
        ("description", "'a person's' -> 'ours'")
    ]


def test_what_somebody_takes_out_while_it_is_published_is_no_crash(hub: TestHub) -> None:
    from zoo.remote import api

    slug = publish(release({"a.txt": b"1"}, "lab/fleeting", note="first"), title="Fleeting")[-1].id
    found = plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/fleeting", note="second"), title="Fleeting"))
    (item,) = api().get_collection(slug).items
    api().delete_collection_item(slug, item.item_object_id)
    assert Rollout(found).run()[-1].did == "updated"
    again = plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/fleeting", note="second"), title="Fleeting"))
    assert again.collection
    assert [change.action for change in again.collection.pending] == ["add"]


def test_ours_is_found_among_more_collections_than_one_answer_has(hub: TestHub) -> None:
    from zoo.remote import api

    one = release({"a.txt": b"1"}, "lab/one-of-many")
    slug = publish(one, title="Of many")[-1].id
    for number in range(101):
        api().create_collection(f"Later {number}", namespace="lab")
    outcome = publish(one, title="Of many")[-1]
    assert (outcome.id, outcome.did) == (slug, "unchanged")


def test_a_note_that_a_cut_off_publication_left_behind_is_still_ours(hub: TestHub) -> None:
    from zoo.remote import api

    def noted(note: str) -> list[Release]:
        return [release({"a.txt": b"1"}, f"lab/left-{name}", note=note) for name in ("ours", "theirs")]

    slug = publish(*noted("first"), title="Left")[-1].id
    (_, theirs) = api().get_collection(slug).items
    api().update_collection_item(slug, theirs.item_object_id, note="says a person")
    for note in ("second", "third"):  # cut off twice, each time after the repositories' commits
        for one in plan_fleet(fleet_of(*noted(note), title="Left")).plans:
            apply_plan(one)
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
    assert [(one.action, one.path, one.note) for one in found.settings["space", "lab/set-up"]] == [
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
