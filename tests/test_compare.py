"""What differs between what was published, what is there and what we have, and what it costs to find out."""

from __future__ import annotations

import json
import os
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from small_fleet import BODY, KEPT, card, fleet_of, publish, release, shown

from zoo.publish.desired.digests import Digests, Ids, of_bytes
from zoo.publish.desired.release import CARD, MANIFEST, RENDERED
from zoo.publish.plan import difference
from zoo.publish.plan.change import PlannedChange
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.files import compare_files
from zoo.publish.plan.listing import Listing
from zoo.publish.plan.merge import merge_texts

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
    remote = Listing("f" * 40, files, {"f": ids[was]} if was else {})
    found = [change.action for change in compare_files(wanted, remote) if change.path == "f"]
    assert found == ([EXPECTED[case]] if EXPECTED[case] else [])
    if EXPECTED[case] in ("conflict", "keep"):
        overwritten = [change.action for change in compare_files(wanted, remote, {"f"}) if change.path == "f"]
        assert overwritten == ["update" if ours else "delete"]


def test_the_table_above_is_whole() -> None:
    sides = product((None, "a"), (None, "a", "b"), (None, "a", "b", "c"))
    told_apart = {case for case in sides if case[1] or case[2]}
    relevant = {(w, t, o) for w, t, o in told_apart if not (o == "c" and (w, t) != ("a", "b"))}
    relevant -= {(None, None, "b"), (None, "a", "b"), (None, "a", None), (None, "b", "b")}  # the same with other names
    assert relevant | {("a", None, None)} == set(EXPECTED)


def test_a_file_that_goes_and_comes_is_renamed() -> None:
    wanted = release({"new.txt": b"same", "other.txt": b"more"})
    remote = Listing("f" * 40, {"old.txt": of_bytes(b"same").git or ""}, {"old.txt": of_bytes(b"same")})
    (renamed, other) = [change for change in compare_files(wanted, remote) if change.path not in KEPT]
    assert renamed == PlannedChange("rename", "new.txt", 4, "was old.txt", "old.txt")
    assert (other.action, other.path) == ("add", "other.txt")


def test_a_manifest_of_the_first_format_owns_files_without_saying_what_they_were() -> None:
    wanted = release({CARD: card(), "config.json": b"{}"})
    files = {CARD: "0" * 40, "config.json": "1" * 40, "gone.txt": "2" * 40}
    remote = Listing("f" * 40, files, dict.fromkeys(files))
    assert shown(compare_files(wanted, remote)) == [
        ("conflict", CARD),
        ("update", "config.json"),
        ("delete", "gone.txt"),
    ]


# Merging -------------------------------------------------------------------------------------------------------------

LINES = "".join(f"line {number}\n" for number in range(9))


def test_changes_in_different_places_are_both_there() -> None:
    theirs, ours = LINES.replace("line 2\n", "theirs\n"), LINES.replace("line 7\n", "ours\n") + "more\n"
    made = merge_texts(LINES, theirs, ours)
    assert made.clashes == ()
    assert made.text == LINES.replace("line 2\n", "theirs\n").replace("line 7\n", "ours\n") + "more\n"
    assert merge_texts(LINES, ours, theirs).text == made.text


def test_changes_of_the_same_lines_clash_unless_they_are_the_same() -> None:
    theirs, ours = LINES.replace("line 4\n", "theirs\n"), LINES.replace("line 4\n", "ours\n")
    (clash,) = merge_texts(LINES, theirs, ours).clashes
    assert (clash.line, clash.theirs, clash.ours) == (5, ("theirs\n",), ("ours\n",))
    assert merge_texts(LINES, ours, ours) == merge_texts(LINES, LINES, ours) == merge_texts(LINES, ours, LINES)


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
        made = merge_texts("".join(base), "".join(sides[0]), "".join(sides[1]))
        if not made.clashes:
            result = made.text.splitlines(keepends=True)
            for lines in sides:
                assert {line for line in lines if line not in base} <= set(result)
                assert not (set(base) - set(lines)) & set(result)


# Looking -------------------------------------------------------------------------------------------------------------


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


# For people ----------------------------------------------------------------------------------------------------------


def test_a_cards_difference_is_its_keys_and_its_lines() -> None:
    before = card(tags=["a", "b"], language="ar").decode()
    after = card(BODY.replace("Two.", "نصّ\u202e."), tags=["a", "c"], datasets=["lab/d"]).decode()
    assert difference.metadata_changes(before, after) == [
        ("tags[1]", "b", "c"),
        ("language", "ar", "-"),
        ("datasets", "-", "[lab/d]"),
    ]
    assert difference.text_changes(before, after)[1:] == [" One.", " ", "-Two.", "+نصّ<U+202E>.", " ", " Three."]


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
