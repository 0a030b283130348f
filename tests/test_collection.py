"""Collections and Spaces: what the recipe names is set, and what others made of them stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import TestHub
from small_fleet import card, commits, fleet_of, publish, release, there

from zoo.publish.apply.repository import apply_plan
from zoo.publish.apply.rollout import Rollout
from zoo.publish.desired.fleet import Fleet, Item, WantedCollection
from zoo.publish.desired.release import CARD, MANIFEST, Release, Settings
from zoo.publish.plan.collection import compare_items, moves
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.settings import Runtime, compare_settings
from zoo.remote import api

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
    one = release({"a.txt": b"1"}, "lab/described")
    slug = publish(one, title="Described")[-1].id
    api().update_collection_metadata(slug, description="a person's")
    assert publish(one, title="Described")[-1].did == "unchanged"
    ours = plan_fleet(Fleet("lab", [one], [WantedCollection("Described", "ours")]))
    assert [(change.action, change.path, change.note) for change in ours.collections[0].changes] == [
        ("keep", "description", "others made it 'a person's'; here it is 'ours'")
    ]


def collections() -> dict[str, str]:
    """{slug: title} of the account's."""
    return {one.slug: one.title for one in api().list_collections(owner="lab")}


def test_a_title_that_a_person_gave_is_drift_and_no_second_collection(hub: TestHub) -> None:
    one, other = (release({"a.txt": b"1"}, f"lab/retitled-{name}", note=name) for name in ("one", "other"))
    slug = publish(one, title="Recipe's")[-1].id
    retitled = api().update_collection_metadata(slug, title="A person's").slug
    assert retitled != slug, "the slug has the title in it"
    before = collections()
    found = plan_fleet(fleet_of(one, title="Recipe's"))
    assert found.changed == 0
    assert [(change.action, change.path, change.note) for change in found.collections[0].changes] == [
        ("keep", "title", "others made it 'A person's'; here it is 'Recipe's'")
    ]
    outcome = publish(one, other, title="Recipe's")[-1]
    assert (outcome.did, outcome.id, collections()) == ("updated", retitled, before)
    assert [item.item_id for item in api().get_collection(slug).items] == ["lab/retitled-one", "lab/retitled-other"]
    assert {one.did for one in publish(one, other, title="Recipe's")} == {"unchanged"}


def test_a_new_title_or_description_of_the_recipe_is_set_unless_a_person_wrote_another(hub: TestHub) -> None:
    def fleet(title: str, description: str, content: bytes = b"1") -> Fleet:
        return Fleet("lab", [release({"a.txt": content}, "lab/texts")], [WantedCollection(title, description)])

    def texts() -> tuple[str, str | None]:
        there = api().get_collection(slug)
        return there.title, there.description

    slug = Rollout(plan_fleet(fleet("Texts one", "First."))).run()[-1].id
    found = plan_fleet(fleet("Texts two", "Second."))
    assert [(change.action, change.note) for change in found.collections[0].pending] == [
        ("set", "'Texts one' -> 'Texts two'"),
        ("set", "'First.' -> 'Second.'"),
    ]
    Rollout(found).run()
    assert texts() == ("Texts two", "Second.")
    assert commits("lab/texts") == 2, "the manifest follows with the next change of a file"
    Rollout(plan_fleet(fleet("Texts two", "Second.", b"2"))).run()
    api().update_collection_metadata(slug, title="Texts, says a person", description="Says a person.")
    assert Rollout(plan_fleet(fleet("Texts three", "Third."))).run()[-1].did == "unchanged"
    assert texts() == ("Texts, says a person", "Says a person.")


def test_a_collection_that_was_deleted_is_made_again(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/undone")
    slug = publish(one, title="Undone")[-1].id
    api().delete_collection(slug)
    done = publish(one, title="Undone")
    assert [outcome.did for outcome in done] == ["unchanged", "created"]
    assert publish(release({"a.txt": b"2"}, "lab/undone"), title="Undone")[-1].did == "unchanged"
    assert json.loads(there("lab/undone", MANIFEST))["collection"]["slug"] == done[-1].id


def test_one_that_was_made_again_and_retitled_is_known_by_our_notes(hub: TestHub) -> None:
    """No manifest names it yet: nothing but the collection was to be published when it was made."""
    one = release({"a.txt": b"1"}, "lab/made-again", note="The first of its family")
    data = release({"a.txt": b"1"}, "lab/made-again", kind="dataset", note="What it learnt from")
    api().delete_collection(publish(data, one, title="Made again")[-1].id)
    slug = publish(data, one, title="Made again")[-1].id
    api().update_collection_metadata(slug, description="A person's words")
    ours = Fleet("lab", [one], [WantedCollection("Made again", "Our words")])
    assert Rollout(plan_fleet(ours)).run()[-1].did == "unchanged"
    assert api().get_collection(slug).description == "A person's words"
    retitled = api().update_collection_metadata(slug, title="A person's title").slug
    before = collections()
    assert [outcome.did for outcome in publish(one, title="Made again")] == ["unchanged", "unchanged"]
    assert [outcome.did for outcome in publish(data, title="Made again")] == ["unchanged", "unchanged"], "also alone"
    assert (retitled in before, collections()) == (True, before)


def test_a_dataset_that_two_families_share_leads_neither_to_the_others_collection(hub: TestHub) -> None:
    shared = release({"a.txt": b"1"}, "lab/shared-data", kind="dataset")
    first = publish(shared, release({"a.txt": b"1"}, "lab/family-1"), title="Family one")[-1].id
    second = publish(shared, release({"a.txt": b"1"}, "lab/family-2"), title="Family two")[-1]
    assert (second.did, second.id != first) == ("created", True)
    assert commits("lab/shared-data", "dataset") == 2


def test_a_dataset_that_is_published_alone_knows_the_collection_that_a_person_retitled(hub: TestHub) -> None:
    from zoo.remote import api

    def data(content: bytes) -> Release:
        return release({"a.txt": content}, "lab/alone-data", kind="dataset")

    slug = publish(data(b"1"), release({"a.txt": b"1"}, "lab/alone-model"), title="Alone")[-1].id
    retitled = api().update_collection_metadata(slug, title="By others").slug
    before = collections()
    outcome = publish(data(b"2"), title="Alone")[-1]
    assert (outcome.did, outcome.id, collections()) == ("unchanged", retitled, before)


def test_a_record_of_another_accounts_collection_is_of_no_use(hub: TestHub) -> None:
    from zoo.publish.desired.release import CollectionRecord
    from zoo.publish.plan.collection import find_collection

    listed = {"lab/theirs-" + "a" * 24: "Theirs", "lab/ours-" + "b" * 24: "Ours"}
    copied = [CollectionRecord("other/x-" + "c" * 24, "Ours", "")]
    assert find_collection({}, "Ours", copied, {}).slug is None
    slug = publish(release({"a.txt": b"1"}, "lab/copied"), title="Copied")[-1].id
    assert find_collection(collections() | listed, "Copied", copied, {}).slug == slug
    recorded = [*copied, CollectionRecord(f"lab/earlier-title-{slug[-24:]}", "Copied", "")]
    assert find_collection(collections(), "Another title", recorded, {}).slug == slug


def test_what_was_published_without_a_record_is_known_by_its_title(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/unrecorded")
    publish(one)
    slug = api().create_collection("Unrecorded", namespace="lab", description="old").slug
    api().add_collection_item(slug, "lab/unrecorded", "model")
    found = plan_fleet(Fleet("lab", [one], [WantedCollection("Unrecorded", "new")]))
    assert [(change.action, change.path) for change in found.collections[0].changes] == [("set", "description")]
    publish(release({"a.txt": b"2"}, "lab/unrecorded"), title="Unrecorded")
    renamed = api().update_collection_metadata(slug, title="Recorded now").slug
    outcome = publish(release({"a.txt": b"2"}, "lab/unrecorded"), title="Unrecorded")[-1]
    assert (outcome.did, outcome.id) == ("unchanged", renamed)


def test_a_collection_that_cannot_be_made_holds_up_no_repository(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/no-collection")
    done = publish(one, title="x" * 80)  # too long for the Hub
    assert [outcome.did for outcome in done] == ["created", "failed"]


@pytest.mark.parametrize("said", [5, {"slug": 1}, {"slug": [], "title": {}, "description": "\ud800"}])
def test_a_record_that_somebody_spoilt_is_no_crash(hub: TestHub, said: object) -> None:
    one = release({"a.txt": b"1"}, "lab/spoilt-record")
    publish(one, title="Spoilt")
    manifest = {**json.loads(there("lab/spoilt-record", MANIFEST)), "collection": said}
    content = json.dumps(manifest).encode()
    api().upload_file(path_or_fileobj=content, path_in_repo=MANIFEST, repo_id="lab/spoilt-record")
    assert publish(one, title="Spoilt")[-1].did == "unchanged"


def test_what_somebody_takes_out_while_it_is_published_is_no_crash(hub: TestHub) -> None:
    slug = publish(release({"a.txt": b"1"}, "lab/fleeting", note="first"), title="Fleeting")[-1].id
    found = plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/fleeting", note="second"), title="Fleeting"))
    (item,) = api().get_collection(slug).items
    api().delete_collection_item(slug, item.item_object_id)
    assert Rollout(found).run()[-1].did == "updated"
    again = plan_fleet(fleet_of(release({"a.txt": b"1"}, "lab/fleeting", note="second"), title="Fleeting"))
    assert [change.action for change in again.collections[0].pending] == ["add"]


def test_ours_is_found_among_more_collections_than_one_answer_has(hub: TestHub) -> None:
    one = release({"a.txt": b"1"}, "lab/one-of-many")
    slug = publish(one, title="Of many")[-1].id
    for number in range(101):
        api().create_collection(f"Later {number}", namespace="lab")
    outcome = publish(one, title="Of many")[-1]
    assert (outcome.id, outcome.did) == (slug, "unchanged")


def test_a_note_that_a_cut_off_publication_left_behind_is_still_ours(hub: TestHub) -> None:
    def noted(note: str) -> list[Release]:
        return [release({"a.txt": b"1"}, f"lab/left-{name}", note=note) for name in ("ours", "theirs")]

    slug = publish(*noted("first"), title="Left")[-1].id
    (_, theirs) = api().get_collection(slug).items
    api().update_collection_item(slug, theirs.item_object_id, note="says a person")
    for note in ("second", "third"):  # cut off twice, each time after the repositories' commits
        for one in plan_fleet(fleet_of(*noted(note), title="Left")).plans:
            apply_plan(one)
    collection = plan_fleet(fleet_of(*noted("third"), title="Left")).collections[0]
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
