"""Versions and the way back, on repositories of an account of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from conftest import RECIPE, SCALE, Lab, TestHub, workspace_in
from secrets_table import Draw
from test_prove import data_card, push, scores, table

from zoo.errors import HubError, PublishError, RecipeError
from zoo.hub import accounts, history
from zoo.hub.store import Store
from zoo.publish.apply.repository import apply_plan
from zoo.publish.desired.release import Release, sealed
from zoo.publish.plan.repository import plan_release
from zoo.publish.versions.changelog import CHANGELOG, entry_in, with_entry
from zoo.publish.versions.history import NamedRepository, compare_trees, find_repository, tags_of, tree_at
from zoo.publish.versions.rollback import Way, put_back, roll_back, way_back
from zoo.publish.versions.successor import naming, supersede
from zoo.publish.versions.tags import newest, parse_version
from zoo.publish.versions.version import draft_version, publish_version
from zoo.remote import api

OWNER = "historian"
VERSIONS = "vMAJOR.MINOR.PATCH, for example v1.2.0, or v1.2.0-rc.1 before it"
CARD = b"---\nlicense: apache-2.0\n---\n\n# small\n"


@dataclass
class Account:
    """A user of the Hub, and a token of theirs that may only read."""

    store: Store
    reader: str

    def trees(self, id: str, kind: str = "model") -> list[str]:
        """Git's ids of a repository's trees, newest first."""
        from zoo.hub import repos

        with self.store.read() as db:
            repo = repos.find(db, kind, id)
            assert repo is not None
            return [commit.tree for commit in history.log(db, repo, repos.resolve(db, repo, "main").commit)]


@pytest.fixture(scope="module")
def store(hub: TestHub) -> Iterator[Store]:
    with closing(Store(hub.root)) as opened:
        opened.add_user(OWNER)
        yield opened


@pytest.fixture
def account(store: Store, monkeypatch: pytest.MonkeyPatch) -> Account:
    token, reader = (store.issue_token(OWNER, role=role) for role in accounts.ROLES)
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setenv("ZOO_NAMESPACE", OWNER)
    return Account(store, reader)


def sealed_model(id: str, name: str, files: dict[str, Any]) -> Release:
    return sealed(Release("model", id, name, files))


def release(id: str, **files: bytes) -> Release:
    named = {path.replace("_", "."): content for path, content in files.items()}
    return sealed_model(id, "small", {"README.md": CARD, **named})


def publish(release: Release) -> NamedRepository:
    apply_plan(plan_release(release))
    return NamedRepository(release.kind, release.id, release.name)


def released(release: Release, version: str, notes: str = "") -> str:
    return publish_version(draft_version(release, publish(release), version, notes))


def read(id: str, path: str, revision: str = "main") -> str:
    return Path(api().hf_hub_download(id, path, revision=revision)).read_text("utf-8")


def titles(id: str) -> list[str]:
    return [commit.title for commit in api().list_repo_commits(id)]


# Releases


def test_the_first_version_has_a_changelog_and_a_tag_on_it(account: Account) -> None:
    id = f"{OWNER}/first"
    commit = released(release(id, a_txt=b"1"), "v1.0.0", notes="It *works*.\n\n## v9.9.9")
    assert tags_of(NamedRepository("model", id, "first")) == {"v1.0.0": commit}
    day = api().list_repo_commits(id)[1].created_at.date()
    assert read(id, CHANGELOG) == (
        f"# Changelog\n\n## v1.0.0 ({day})\n\nIt *works*.\n\n\\## v9.9.9\n\nThe first version: 5 files.\n"
    )
    assert titles(id)[0] == "release v1.0.0"
    assert not plan_release(release(id, a_txt=b"1")).pending, "a changelog is no drift"


def test_the_next_version_says_what_changed_and_how_scores_moved(account: Account) -> None:
    id = f"{OWNER}/second"
    one = sealed_model(id, "small", {"README.md": CARD, "a.txt": b"1", "b.txt": b"2", "zoo/scores.json": scores(70)})
    two = sealed_model(id, "small", {"README.md": CARD, "a.txt": b"3", "c.txt": b"4", "zoo/scores.json": scores(71.5)})
    released(one, "v1.0.0")
    released(two, "v1.1.0")
    entry = read(id, CHANGELOG).split("## ")[1]
    assert entry.split("\n", 1)[1] == (
        "\nSince v1.0.0:\n\n"
        "- Added: `c.txt`\n- Changed: `a.txt`, `zoo/manifest.json`, `zoo/scores.json`\n- Deleted: `b.txt`\n\n"
        "| Task | v1.0.0 | v1.1.0 | Difference |\n|---|---:|---:|---:|\n"
        "| STS17-ar | 70.00 [66.0, 73.0] | 71.50 [67.5, 74.5] | +1.50 |\n\n"
        "In brackets: 95% intervals of each score. A rehearsal: measured on generated data.\n\n"
    )
    assert read(id, CHANGELOG).count("\n## ") == 2


@pytest.mark.parametrize(
    ("version", "message", "hint"),
    [
        ("1.2.0", "'1.2.0' is not a version", VERSIONS),
        ("v1.02.0", "'v1.02.0' is not a version", VERSIONS),
        ("v1.10.0", f"version 'v1.10.0' of model '{OWNER}/older' exists already", "zoo release small v1.10.1"),
        ("v1.9.0", f"version 'v1.9.0' of model '{OWNER}/older' is older than 'v1.10.0'", "zoo release small v1.10.1"),
    ],
)
def test_a_version_that_is_none_or_not_newer_is_refused(
    account: Account, version: str, message: str, hint: str
) -> None:
    wanted = release(f"{OWNER}/older")
    repository = publish(wanted)
    if not tags_of(repository):
        publish_version(draft_version(wanted, repository, "v1.10.0"))
        api().create_tag(repository.id, tag="paper")  # other tags are nobody's version
    with pytest.raises(PublishError) as told:
        draft_version(wanted, repository, version)
    assert (told.value.message, told.value.hint) == (message, hint)


def test_what_is_not_on_the_hub_as_it_was_built_gets_no_version(account: Account) -> None:
    id = f"{OWNER}/stale"
    with pytest.raises(PublishError, match=f"model '{id}' is not on http://127.0.0.1"):
        draft_version(release(id), NamedRepository("model", id, "small"), "v1.0.0")
    repository = publish(release(id))
    with pytest.raises(PublishError, match=r"differs from what was built \(2 changes\)") as told:
        draft_version(release(id, a_txt=b"new"), repository, "v1.0.0")
    assert told.value.hint == "zoo publish small"


def test_a_release_cut_off_before_its_tag_is_finished_by_the_same_command(account: Account) -> None:
    wanted = release(f"{OWNER}/cut")
    repository = publish(wanted)
    commit = publish_version(draft_version(wanted, repository, "v1.0.0"))
    api().delete_tag(repository.id, tag="v1.0.0")
    assert publish_version(draft_version(wanted, repository, "v1.0.0")) == commit
    assert tags_of(repository) == {"v1.0.0": commit}
    assert len(titles(repository.id)) == 3, "the Hub's first, the publication, the release"


def test_a_repository_that_moved_gets_neither_entry_nor_tag(account: Account) -> None:
    wanted = release(f"{OWNER}/moved")
    repository = publish(wanted)
    found = draft_version(wanted, repository, "v1.0.0")
    push("model", repository.id, {"theirs.txt": b"1"})
    with pytest.raises(HubError, match=f"model '{OWNER}/moved' changed on the Hub meanwhile") as told:
        publish_version(found)
    assert told.value.hint == "zoo release small v1.0.0"
    assert tags_of(repository) == {}


def test_a_token_that_may_only_read_releases_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = release(f"{OWNER}/readonly")
    repository = publish(wanted)
    monkeypatch.setenv("HF_TOKEN", account.reader)
    with pytest.raises(HubError, match=f"the token of '{OWNER}' may only read") as told:
        publish_version(draft_version(wanted, repository, "v1.0.0"))
    assert str(told.value.hint).endswith("then hf auth login")
    assert tags_of(repository) == {}


def test_an_entry_goes_above_the_others_and_replaces_its_own() -> None:
    text = with_entry("", "v1.0.0", "## v1.0.0 (day)\n\none")
    text = with_entry(text, "v1.1.0", "## v1.1.0 (day)\n\ntwo")
    assert text == "# Changelog\n\n## v1.1.0 (day)\n\ntwo\n\n## v1.0.0 (day)\n\none\n"
    assert with_entry(text, "v1.1.0", "## v1.1.0 (later)\n\n2") == text.replace("(day)\n\ntwo", "(later)\n\n2")
    assert with_entry(text, "v1.1.01", "## x").count("## ") == 3


ENTRY = "## v1.1.0 (day)\n\nOurs.\n\n- a\n- b"
OF_PEOPLE = {
    "no head, no sections": "We changed a lot.\nRead on.\n",
    "another head": "# سجل التغييرات\n\nBy hand.\n\n## Why\n\nBecause.\n",
    "keep a changelog": "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [v1.0.0] - 2026-01-02\n\n- first\n\n[v1.0.0]: https://x.y\n",
    "without v": "# Changes\n\n## 1.0.0\n\n- first\n### 0.9.0\n- before\n",
    "large headings": "# v1.0.0\n\ntext\n\n# v0.9.0\n\ntext\n",
    "underlined headings": "Changes\n=======\n\nv1.0.0\n------\n\ntext\n",
    "code": "# Changelog\n\n```\n## v1.1.0\n```\n\n> ## v1.1.0\n\n## v1.0.0\n\ntext",
    "windows": "# Changelog\r\n\r\n## v1.0.0\r\n\r\n- first\r\n",
    "a byte order mark": "\ufeff## v1.0.0\n\n- first\n",
    "mixed line ends": "# Changelog\n\r\n## v1.0.0\r\n\n- first\n",
    "blank": " \n\n",
}


@pytest.mark.parametrize("text", OF_PEOPLE.values(), ids=OF_PEOPLE)
def test_our_entry_is_added_to_what_people_made_of_the_changelog(text: str) -> None:
    made = with_entry(text, "v1.1.0", ENTRY)
    newline = "\r\n" if text.startswith("# Changelog\r\n") else "\n"
    marks = "#" if text.startswith("# v") else "##"
    ours = ENTRY.replace("##", marks, 1).replace("\n", newline) + newline
    assert made.count(ours) == 1
    before, after = made.split(ours)
    kept = text if text.strip() else "# Changelog\n"
    assert any(
        before.rstrip("\r\n") == kept[:at].rstrip("\r\n") for at in range(len(kept) + 1) if after.endswith(kept[at:])
    )
    assert (before + after).replace("\r", "").replace("\n", "") == kept.replace("\r", "").replace("\n", "")
    assert entry_in(made, "v1.1.0").rstrip() == ours.rstrip()
    if "v1.0.0\n" in text.replace("\r", ""):
        assert made.index(ours) < made.rindex("v1.0.0"), "the newest stands first"
    assert with_entry(made, "v1.1.0", ENTRY) == made


@pytest.mark.parametrize(
    "heading", ["## v1.1.0", "## [1.1.0] - 2026-01-02", "# Version 1.1.0", "v1.1.0 (soon)\n---", "### **v1.1.0**"]
)
def test_an_entry_is_found_however_its_heading_is_written(heading: str) -> None:
    text = f"# Changes\n\n{heading}\n\ntext\n"
    assert entry_in(text, "v1.1.0") == f"{heading}\n\ntext\n"
    assert entry_in(text, "v1.1.0-rc.1") == entry_in(text, "v1.1.1") == ""


def test_a_changelog_that_a_person_rewrote_stays_and_has_our_entry_too(account: Account) -> None:
    id = f"{OWNER}/rewritten"
    released(release(id, a_txt=b"1"), "v1.0.0")
    theirs = "# What is new\r\n\r\nAll of it, says a person.\r\n"
    push("model", id, {CHANGELOG: theirs.encode()})
    released(release(id, a_txt=b"2"), "v1.1.0")
    place = api().hf_hub_download(id, CHANGELOG)
    text = Path(place).read_bytes().decode()
    assert text.startswith(theirs)
    assert "## v1.1.0 (" in text
    assert "## v1.0.0" not in text, "they took it out"
    assert "\n" not in text.replace("\r\n", "")


def test_an_entry_that_a_person_wrote_for_the_version_is_not_replaced(account: Account) -> None:
    id = f"{OWNER}/foretold"
    wanted = release(id)
    repository = publish(wanted)
    push("model", id, {CHANGELOG: b"# Changelog\n\n## [1.0.0] - soon\n\nA person's.\n"})
    with pytest.raises(PublishError) as told:
        draft_version(wanted, repository, "v1.0.0")
    assert told.value.message == (f"'CHANGELOG.md' of model '{id}' has an entry of v1.0.0 already, which others wrote")
    assert told.value.hint == "call its heading something else there, or release another version"
    publish_version(draft_version(wanted, repository, "v1.0.1"))
    assert "A person's." in read(id, CHANGELOG)


def test_an_entry_of_ours_that_was_never_tagged_is_made_again(account: Account) -> None:
    id = f"{OWNER}/untagged"
    released(release(id), "v1.0.0", notes="stale")
    api().delete_tag(id, tag="v1.0.0")
    push("model", id, {"theirs.txt": b"1"})
    released(release(id), "v1.0.0", notes="fresh")
    text = read(id, CHANGELOG)
    assert ("fresh" in text, "stale" in text, text.count("## v1.0.0")) == (True, False, 1)
    api().delete_tag(id, tag="v1.0.0")
    push("model", id, {CHANGELOG: text.replace("fresh", "a person's").encode()})
    with pytest.raises(PublishError, match="which others wrote"):
        released(release(id), "v1.0.0")


def test_candidates_come_before_their_version(account: Account) -> None:
    id = f"{OWNER}/candidate"
    for number, version in enumerate(("v1.0.0", "v1.1.0-rc.2", "v1.1.0-rc.10", "v1.1.0")):
        released(release(id, a_txt=b"%d" % number), version)
    repository = NamedRepository("model", id, "small")
    assert newest(tags_of(repository)) == "v1.1.0"
    since = [line for line in read(id, CHANGELOG).splitlines() if line.startswith("Since")]
    assert since == ["Since v1.0.0:", "Since v1.1.0-rc.2:", "Since v1.0.0:"], "of a final one: since the final one"
    for late in ("v1.1.0-rc.11", "v1.1.0"):
        with pytest.raises(PublishError) as told:
            draft_version(release(id, a_txt=b"3"), repository, late)
        assert told.value.hint == "zoo release small v1.1.1"
    roll_back(way_back(repository, "v1.1.0-rc.2"))
    assert read(id, "a.txt") == "1"


def test_after_a_candidate_comes_its_version(account: Account) -> None:
    wanted = release(f"{OWNER}/candidates")
    released(wanted, "v2.0.0-rc.1")
    with pytest.raises(PublishError) as told:
        draft_version(wanted, NamedRepository("model", wanted.id, "small"), "v1.9.0")
    assert told.value.hint == "zoo release small v2.0.0"


@pytest.mark.parametrize("tag", ["v1.0", "1.0.0", "v1.0.0+cu12", "v1.0.0-01", "v1.0.0-", "vv1.0.0", "v1.0.٣"])
def test_what_is_no_version_is_told(tag: str) -> None:
    with pytest.raises(PublishError, match="is not a version"):
        parse_version(tag)


def test_line_ends_of_a_superseded_card_stay(account: Account) -> None:
    old, new = f"{OWNER}/old-windows", NamedRepository("model", f"{OWNER}/new-windows", "small")
    publish(release(old))
    publish(release(new.id))
    push("model", old, {"README.md": CARD.replace(b"\n", b"\r\n")})
    assert supersede(old, new)
    text = Path(api().hf_hub_download(old, "README.md")).read_bytes()
    assert text == CARD.replace(b"---\n", f"---\nnew_version: {new.id}\n".encode(), 1).replace(b"\n", b"\r\n")


def test_a_superseded_model_names_its_successor_once(account: Account) -> None:
    old, new = f"{OWNER}/old", NamedRepository("model", f"{OWNER}/new", "small")
    publish(release(old))
    publish(release(new.id))
    assert supersede(old, new)
    assert api().model_info(old).card_data["new_version"] == new.id
    assert supersede(old, new) is None
    assert len(titles(old)) == 3
    before, after = CARD.decode().splitlines(), read(old, "README.md").splitlines()
    assert [line for line in after if line not in before] == [f"new_version: {new.id}"]
    with pytest.raises(PublishError, match="model 'lab/old' is not of the account 'historian'"):
        supersede("lab/old", new)
    with pytest.raises(PublishError, match="cannot supersede itself"):
        supersede(new.id, new)
    with pytest.raises(HubError, match="no such repository"):
        supersede(f"{OWNER}/nobody", new)


@pytest.mark.parametrize(
    ("card", "named"),
    [
        (
            "---\n# ours\nlicense: 'mit' # legal\n---\nHi\n",
            "---\nnew_version: o/n\n# ours\nlicense: 'mit' # legal\n---\nHi\n",
        ),
        ("---\r\nlicense: mit\r\n---\r\n", "---\r\nnew_version: o/n\r\nlicense: mit\r\n---\r\n"),
        ("---\nnew_version: o/m # x\nlicense: mit\n---\n", "---\nnew_version: o/n # x\nlicense: mit\n---\n"),
        ("\ufeff---\nlicense: mit\n---\n", "\ufeff---\nnew_version: o/n\nlicense: mit\n---\n"),
        ("Hi\n", "---\nnew_version: o/n\n---\n\nHi\n"),
        ("", "---\nnew_version: o/n\n---\n\n"),
    ],
)
def test_a_successor_is_one_line_of_the_metadata(card: str, named: str) -> None:
    assert naming(card, "o/n") == named
    assert naming(named, "o/n") == named


def test_a_card_that_cannot_be_read_is_left_alone() -> None:
    with pytest.raises(PublishError, match=r"the card of it, line \d: the front matter is not YAML"):
        naming("---\na: [\n---\n", "o/n")


def test_a_changelog_that_is_no_text_is_told(account: Account) -> None:
    one = publish(release(f"{OWNER}/no-text"))
    push("model", one.id, {CHANGELOG: b"# Caf\xe9\n"})
    with pytest.raises(PublishError, match="'CHANGELOG.md' of model 'historian/no-text' is not UTF-8"):
        draft_version(release(one.id), one, "v1.0.0")


# The way back


@pytest.fixture
def two_versions(account: Account, request: pytest.FixtureRequest) -> NamedRepository:
    """v1.0.0 and v1.1.0 differ in updates, one of them of a large file, in an addition and in deletions."""
    id = f"{OWNER}/two-{crc32(request.node.name.encode())}"
    big = {"model.safetensors": b"\0" * 100_000, "a.txt": b"1", "gone.txt": b"2", "data/deep.txt": b"5"}
    released(sealed_model(id, "small", {"README.md": CARD, **big}), "v1.0.0")
    new = {"model.safetensors": b"\1" * 100_000, "a.txt": b"3", "new.txt": b"4"}
    released(sealed_model(id, "small", {"README.md": CARD + b"\nMore.\n", **new}), "v1.1.0")
    return NamedRepository("model", id, "small")


def files_at(repository: NamedRepository, revision: str) -> dict[str, str]:
    """{path: id}, without the changelog: a history goes on."""
    return {path: one for path, one in tree_at(repository, revision).items() if path != CHANGELOG}


def test_rolling_back_gives_the_old_tree_in_a_new_commit(account: Account, two_versions: NamedRepository) -> None:
    before = titles(two_versions.id)
    way = way_back(two_versions, "v1.0.0")
    assert {(change.action, change.path) for change in way.changes} >= {
        ("update", "model.safetensors"),
        ("add", "gone.txt"),
        ("delete", "new.txt"),
    }
    roll_back(way)
    assert titles(two_versions.id) == ["back to v1.0.0", *before], "history is kept"
    assert files_at(two_versions, "main") == files_at(two_versions, "v1.0.0"), "byte for byte those of v1.0.0"
    assert files_at(two_versions, "main") != files_at(two_versions, "v1.1.0")
    assert tags_of(two_versions).keys() == {"v1.0.0", "v1.1.0"}


def test_a_folder_becomes_the_file_again_that_it_was(account: Account) -> None:
    id = f"{OWNER}/folder"
    publish(sealed_model(id, "folder", {"README.md": CARD, "x": b"file"}))
    first = str(api().model_info(id).sha)
    publish(sealed_model(id, "folder", {"README.md": CARD, "z": b"file"}))
    publish(sealed_model(id, "folder", {"README.md": CARD, "x/y.txt": b"folder"}))
    roll_back(way_back(NamedRepository("model", id, "folder"), first))
    trees = account.trees(id)
    assert trees[0] == trees[3]


def test_rolling_back_twice_makes_one_commit_and_forth_again_another(
    account: Account, two_versions: NamedRepository
) -> None:
    top = way_back(two_versions, "v1.1.0").head
    first = roll_back(way_back(two_versions, "v1.0.0"))
    assert roll_back(way_back(two_versions, "v1.0.0")) == first
    roll_back(way_back(two_versions, top[:8]))
    trees = account.trees(two_versions.id)
    assert trees[0] == trees[2]
    assert titles(two_versions.id)[:2] == [f"back to {top[:8]}", "back to v1.0.0"]


def test_the_changelog_goes_on_through_a_rollback(account: Account, two_versions: NamedRepository) -> None:
    roll_back(way_back(two_versions, "v1.0.0"))
    assert "v1.1.0" in read(two_versions.id, CHANGELOG)
    released(sealed_model(two_versions.id, "small", {"README.md": CARD, "z.txt": b"6"}), "v1.2.0")
    text = read(two_versions.id, CHANGELOG)
    assert [line.split()[1] for line in text.splitlines() if line.startswith("## ")] == ["v1.2.0", "v1.1.0", "v1.0.0"]


def test_a_rollback_of_what_moved_changes_nothing(account: Account, two_versions: NamedRepository) -> None:
    way = way_back(two_versions, "v1.0.0")
    head = push("model", two_versions.id, {"theirs.txt": b"1"})
    with pytest.raises(HubError, match="changed on the Hub meanwhile") as told:
        roll_back(way)
    assert told.value.hint == "zoo rollback small@v1.0.0"
    assert api().model_info(two_versions.id).sha == head


def test_what_people_added_after_the_tag_stays_unless_it_is_named(
    account: Account, two_versions: NamedRepository
) -> None:
    theirs = {"notes.md": b"a person's", "data/theirs.txt": b"1", ".gitattributes": b"*.x filter=lfs\n"}
    push("model", two_versions.id, theirs)
    way = way_back(two_versions, "v1.0.0")
    assert {one.path: one.note for one in way.changes if one.action == "keep"} == dict.fromkeys(
        ("data/theirs.txt", "notes.md"), "others put it there since: it stays"
    )
    roll_back(way)
    assert {path: read(two_versions.id, path).encode() for path in theirs} == theirs
    assert read(two_versions.id, "a.txt") == "1"
    roll_back(way_back(two_versions, "v1.0.0", ["notes.md"]))
    assert {"notes.md", "data/theirs.txt"} & files_at(two_versions, "main").keys() == {"data/theirs.txt"}
    with pytest.raises(PublishError, match="--overwrite 'data/thers.txt' names no file of model") as told:
        way_back(two_versions, "v1.1.0", ["data/thers.txt"])
    assert told.value.hint == "did you mean 'data/theirs.txt'?"


def test_a_file_of_people_that_the_tag_has_too_stays_as_it_is_now(
    account: Account, two_versions: NamedRepository
) -> None:
    push("model", two_versions.id, {"notes.md": b"1", "other.md": b"1"})
    api().create_tag(two_versions.id, tag="then")
    push("model", two_versions.id, {"notes.md": b"2"}, without=("other.md",))
    roll_back(way_back(two_versions, "v1.0.0"))
    roll_back(way_back(two_versions, "then"))
    assert (read(two_versions.id, "notes.md"), read(two_versions.id, "a.txt")) == ("2", "3")
    assert "other.md" not in files_at(two_versions, "main"), "they deleted it"
    roll_back(way_back(two_versions, "then", ["notes.md", "other.md"]))
    assert (read(two_versions.id, "notes.md"), read(two_versions.id, "other.md")) == ("1", "1")


@pytest.mark.parametrize("path", ["a.txt", "new.txt"])
def test_a_file_of_ours_that_people_changed_goes_back_only_when_it_is_named(
    account: Account, two_versions: NamedRepository, path: str
) -> None:
    push("model", two_versions.id, {path: b"a person's"})
    head, way = api().model_info(two_versions.id).sha, way_back(two_versions, "v1.0.0")
    assert [(one.path, one.note) for one in way.conflicts] == [(path, "others changed it since")]
    with pytest.raises(PublishError, match=f"'{path}' of model '{two_versions.id}': others changed it since") as told:
        roll_back(way)
    assert told.value.hint == (f"zoo rollback small@v1.0.0 --overwrite {path}; what they made of it stays in history")
    assert api().model_info(two_versions.id).sha == head
    roll_back(way_back(two_versions, "v1.0.0", [path]))
    assert files_at(two_versions, "main") == files_at(two_versions, "v1.0.0")


def test_a_file_that_both_versions_have_and_people_changed_stays(account: Account) -> None:
    id = f"{OWNER}/unchanged"
    repository = NamedRepository("model", id, "small")
    for number in (1, 2):
        released(release(id, a_txt=b"%d" % number, same_txt=b"same"), f"v{number}.0.0")
    push("model", id, {"same.txt": b"a person's"})
    way = way_back(repository, "v1.0.0")
    assert [(one.action, one.note) for one in way.changes if one.path == "same.txt"] == [
        ("keep", "others changed it: it stays")
    ]
    roll_back(way)
    assert (read(id, "a.txt"), read(id, "same.txt")) == ("1", "a person's")


def test_what_people_wrote_into_the_card_since_is_in_the_card_of_the_version(account: Account) -> None:
    id = f"{OWNER}/carded"
    repository, body = NamedRepository("model", id, "small"), "\n".join(f"Line {n}.\n" for n in range(9))
    texts = [CARD.decode() + "\n" + body.replace("Line 7", name) for name in ("First", "Second")]
    for number, text in enumerate(texts):
        released(sealed_model(id, "small", {"README.md": text.encode()}), f"v{number + 1}.0.0")
    theirs = texts[1].replace("Line 2.", "Line 2, says a person.").replace("\n", "\r\n")
    push("model", id, {"README.md": theirs.encode()})
    way = way_back(repository, "v1.0.0")
    assert [(one.action, one.note) for one in way.changes if one.path == "README.md"] == [
        ("update", "merged with what others made of it since")
    ]
    roll_back(way)
    text = Path(api().hf_hub_download(id, "README.md")).read_bytes().decode()
    assert text == theirs.replace("Second", "First")
    assert plan_release(sealed_model(id, "small", {"README.md": texts[0].encode()})).pending == []
    push("model", id, {"README.md": texts[0].replace("First", "Says a person").encode()})
    (conflict,) = way_back(repository, "v2.0.0").conflicts
    assert [clash.theirs for clash in conflict.clashes] == [("Says a person.\n",)]
    roll_back(way_back(repository, "v2.0.0", ["README.md"]))
    assert read(id, "README.md") == texts[1]


def test_what_nobody_published_with_zoo_goes_back_only_when_it_is_named(account: Account) -> None:
    id = f"{OWNER}/by-hand"
    first = push("model", id, {"README.md": CARD + b"1", "a.txt": b"1", "gone.txt": b"1"})
    push("model", id, {"README.md": CARD + b"2", "b.txt": b"1"}, without=("gone.txt",))
    repository = NamedRepository("model", id, "small")
    assert {(one.action, one.path) for one in way_back(repository, first).changes} == {
        ("conflict", "README.md"),
        ("add", "gone.txt"),
        ("keep", "b.txt"),
    }
    roll_back(way_back(repository, first, ["README.md"]))
    assert (read(id, "README.md").encode(), read(id, "b.txt")) == (CARD + b"1", "1")


def test_a_conflict_on_the_way_back_asks_nothing_and_shows_both_sides(place: Path, zoo: Any) -> None:
    id = f"{OWNER}/arabic-similarity"
    for text in (b"1", b"2"):
        publish(sealed(Release("space", id, "space", {"README.md": CARD, "a.txt": text})))
    first = api().list_repo_commits(id, repo_type="space")[1].commit_id[:8]
    push("space", id, {"a.txt": b"a person's"})
    code, out, err = zoo("rollback", f"space@{first}", cwd=place)
    assert (code, "  ! a.txt  others changed it since" in out, "roll back?" in out) == (1, True, False)
    assert f"hint: zoo rollback space@{first} --overwrite a.txt" in err
    assert not (place / ".zoo" / "owed.json").exists(), "nothing was changed that a proof is owed for"
    api().delete_repo(id, repo_type="space")


def test_a_secret_in_the_name_of_a_persons_file_is_masked_for_programs_too(place: Path, zoo: Any) -> None:
    id, token = f"{OWNER}/arabic-similarity", "hf_" + Draw(11)(34)
    publish(sealed(Release("space", id, "space", {"README.md": CARD})))
    push("space", id, {f"{token}.txt": b"a person's"})
    code, out, _ = zoo("rollback", f"space@{api().space_info(id).sha[:8]}", "--yes", "--json", cwd=place)
    assert (code, token in out, json.loads(out)["changes"]) == (0, False, [])
    first = api().list_repo_commits(id, repo_type="space")[1].commit_id[:8]
    code, out, _ = zoo("rollback", f"space@{first}", "--yes", "--json", cwd=place)
    assert (code, token in out, [one["path"] for one in json.loads(out)["changes"]]) == (0, False, ["hf_….txt"])
    code, out, _ = zoo("rollback", f"space@{first}", "--yes", f"--{token}", "--json", cwd=place)
    assert (code, token in out) == (1, False)
    api().delete_repo(id, repo_type="space")


def test_a_renamed_repository_is_not_followed_by_a_version_nor_by_the_way_back(
    account: Account, two_versions: NamedRepository
) -> None:
    other = f"{OWNER}/renamed-by-a-person"
    api().move_repo(two_versions.id, other)
    try:
        for does in (
            lambda: way_back(two_versions, "v1.0.0"),
            lambda: draft_version(release(two_versions.id), two_versions, "v2.0.0"),
        ):
            with pytest.raises(HubError, match=f"'{two_versions.id}' was renamed to '{other}' on the Hub"):
                does()
    finally:
        api().delete_repo(other)


def test_an_unknown_tag_is_told_with_the_nearest(account: Account, two_versions: NamedRepository) -> None:
    with pytest.raises(PublishError, match=f"no tag or commit 'v1.0' in model '{two_versions.id}'") as told:
        way_back(two_versions, "v1.0")
    assert told.value.hint == "did you mean 'v1.0.0'?"
    with pytest.raises(PublishError) as told:
        way_back(two_versions, "friday")
    assert told.value.hint == "one of: v1.0.0, v1.1.0"


def test_a_commit_from_before_the_first_publication_is_no_way_back(account: Account) -> None:
    one = publish(release(f"{OWNER}/first-only"))
    first = api().list_repo_commits(one.id)[-1].commit_id
    with pytest.raises(PublishError, match="has no 'README.md': nothing was published there yet") as told:
        way_back(one, first[:8])
    assert told.value.hint == "there is no earlier version of it"
    with pytest.raises(PublishError, match="no tag or commit 'v9'") as told:
        way_back(one, "v9")
    assert told.value.hint == "there is no earlier version of it"
    published = api().model_info(one.id).sha
    publish(release(one.id, b_txt=b"1"))
    with pytest.raises(PublishError, match="no tag or commit 'v9'") as told:
        way_back(one, "v9")
    assert told.value.hint == f"take a commit, for example {published[:8]}"


def test_a_strangers_commit_in_a_pull_request_is_no_way_back(account: Account, two_versions: NamedRepository) -> None:
    proposed = (
        api().upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=two_versions.id, create_pr=True).oid
    )
    with pytest.raises(PublishError, match="no tag or commit"):
        way_back(two_versions, proposed)


def test_what_was_taken_out_of_the_collection_is_put_back_and_what_is_there_stays(account: Account) -> None:
    inside, outside = (publish(release(f"{OWNER}/{name}")) for name in ("inside", "outside"))
    slug = api().create_collection("Ours", namespace=OWNER).slug
    api().add_collection_item(slug, inside.id, "model", note="mine")
    assert put_back(nowhere_from(inside), "Ours") is None
    assert put_back(nowhere_from(outside), "Ours") == slug
    assert [(item.item_id, item.note) for item in api().get_collection(slug).items] == [
        (inside.id, "mine"),
        (outside.id, None),
    ]
    assert put_back(nowhere_from(inside), "No such title") is None


def nowhere_from(repository: NamedRepository) -> Way:
    return way_back(repository, str(api().model_info(repository.id).sha))


def test_the_note_of_the_version_comes_back_with_it_unless_somebody_wrote_another(account: Account) -> None:
    from zoo.publish.apply.rollout import Rollout
    from zoo.publish.desired.fleet import Fleet, Item, WantedCollection
    from zoo.publish.plan.everything import plan_fleet

    id, repository = f"{OWNER}/noted", NamedRepository("model", f"{OWNER}/noted", "noted")

    def publish_as(note: str) -> Item:
        one = sealed(Release("model", id, "noted", {"README.md": CARD, "a.txt": note.encode()}, note=note))
        Rollout(plan_fleet(Fleet(OWNER, [one], [WantedCollection("Notes")]))).run()
        return listed()

    def listed() -> Item:
        (slug,) = [one.slug for one in api().list_collections(owner=OWNER) if one.title == "Notes"]
        (item,) = api().get_collection(slug).items
        return Item(item.item_type, item.item_id, item.note or "")

    first = publish_as("first") and str(api().model_info(id).sha)
    assert publish_as("second").note == "second"
    way = way_back(repository, first)
    roll_back(way)
    assert put_back(way, "Notes")
    assert listed().note == "first"
    assert put_back(way, "Notes") is None
    assert publish_as("third").note == "third", "and it is still ours"
    (slug,) = [one.slug for one in api().list_collections(owner=OWNER) if one.title == "Notes"]
    api().update_collection_item(slug, api().get_collection(slug).items[0].item_object_id, note="a person's")
    way = way_back(repository, first)
    roll_back(way)
    assert put_back(way, "Notes") is None
    assert listed().note == "a person's"


def test_two_trees_compare() -> None:
    changes = compare_trees({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    assert [(one.action, one.path) for one in changes] == [("update", "b"), ("add", "c"), ("delete", "a")]


# On the command line


@pytest.fixture
def place(account: Account, tmp_path: Path) -> Path:
    return workspace_in(tmp_path).root


def test_names_of_recipes_datasets_and_the_space_lead_to_their_repositories(account: Account, tmp_path: Path) -> None:
    space = workspace_in(tmp_path)
    assert find_repository(space, "arabert-hybrid") == NamedRepository(
        "model", f"{OWNER}/GATE-AraBert-v1", "arabert-hybrid"
    )
    assert find_repository(space, "arabic-stsb") == NamedRepository("dataset", f"{OWNER}/Arabic-stsb", "arabic-stsb")
    assert find_repository(space, "space") == NamedRepository("space", f"{OWNER}/arabic-similarity", "space")
    with pytest.raises(RecipeError, match="no recipe or dataset 'arabic-stb'") as told:
        find_repository(space, "arabic-stb")
    assert told.value.hint == "did you mean 'arabic-stsb'?"


def test_a_dataset_goes_back_by_its_name_and_is_proved(place: Path, zoo: Any) -> None:
    id = f"{OWNER}/Arabic-stsb"
    publish(sealed(Release("dataset", id, "arabic-stsb", {**table(3), "README.md": data_card(3)})))
    api().create_tag(id, tag="v1.0.0", repo_type="dataset")
    worse = {**table(2), "README.md": data_card(3), "extra.txt": b"1"}
    publish(sealed(Release("dataset", id, "arabic-stsb", worse)))
    bad = push("dataset", id, {"theirs.txt": b"1"})
    code, out, err = zoo("rollback", "arabic-stsb@v1.0.0", "--yes", cwd=place)
    assert (code, out.splitlines()[1:]) == (
        0,
        [
            "  ~ data/train-00000-of-00001.parquet",
            "  ~ zoo/manifest.json",
            "  - extra.txt",
            "  = theirs.txt  others put it there since: it stays",
            "loaded back, 3 rows",
        ],
    ), err
    code, out, _ = zoo("rollback", "arabic-stsb@v1.0.0", "--yes", cwd=place)
    assert (code, out.splitlines()[2:]) == (0, ["  no changes: its files are there already"])
    code, out, _ = zoo("rollback", "arabic-stsb@v1.0.0", "--yes", "--json", cwd=place)
    told = json.loads(out)
    assert ([one["action"] for one in told["changes"]], told["proof"]) == (["keep"], None)
    good = api().dataset_info(id).sha
    code, out, err = zoo("rollback", f"arabic-stsb@{bad[:10]}", "--yes", cwd=place)
    assert code == 1
    assert err.splitlines()[-2:] == [
        f"error: dataset '{id}', split 'train' has 2 rows, its card says 3",
        f"hint: zoo rollback arabic-stsb@{good}",
    ]
    code, out, _ = zoo("rollback", f"arabic-stsb@{bad[:10]}", "--yes", cwd=place)
    assert (code, "already" in out) == (1, True), "its proof is owed"
    code, out, _ = zoo("rollback", f"arabic-stsb@{good}", "--yes", cwd=place)
    assert (code, out.splitlines()[-1]) == (0, "loaded back, 3 rows")
    api().delete_repo(id, repo_type="dataset")  # others publish under this id


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["release", "arabert-hybrid", "1.0"], "error: '1.0' is not a version"),
        (["release", "arabert-hybrid", "v1.0.0"], "error: recipe 'arabert-matryoshka' has no finished stage 'train'"),
        (["release", "nothing", "v1.0.0"], "error: no recipe or dataset 'nothing'"),
        (["release", "space", "v1.0.0", "--supersedes", "x/y"], "supersedes no model"),
        (["rollback", "arabert-hybrid"], "'arabert-hybrid' is not NAME@TAG or NAME@COMMIT"),
        (["rollback", "marbert-hybrid@v1.0.0"], "is not on http"),
        (["rollback", "marbert-hybrid@v1.0.0", "--json"], "with --json there is nobody to ask: add --yes"),
    ],
)
def test_mistakes_are_told_in_a_sentence(place: Path, zoo: Any, arguments: list[str], said: str) -> None:
    code, out, err = zoo(*arguments, cwd=place)
    assert code in (1, 2)
    assert said in err + out
    assert "Traceback" not in err


def test_nothing_happens_without_a_yes(place: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    id = f"{OWNER}/Arabic-NLi-Triplet"
    for text in (b"1", b"2"):
        publish(sealed(Release("dataset", id, "arabic-nli-triplet", {"README.md": CARD, "a.txt": text})))
    second, first, *_ = (one.commit_id for one in api().list_repo_commits(id, repo_type="dataset"))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, _ = zoo("rollback", f"arabic-nli-triplet@{first}", cwd=place)
    assert (code, "  ~ a.txt" in out) == (1, True)
    assert api().dataset_info(id).sha == second
    api().delete_repo(id, repo_type="dataset")  # others publish under this id


def test_numbers_of_versions_are_compared_as_numbers() -> None:
    assert parse_version("v1.10.0") > parse_version("v1.9.9")


@pytest.mark.slow
def test_what_was_built_and_published_is_released_and_supersedes_its_parent(
    lab: Lab, account: Account, zoo: Any
) -> None:
    at, old, new = lab.workspace.root, f"{OWNER}/Arabic-Triplet-Matryoshka-V2", f"{OWNER}/GATE-AraBert-v1"
    scale = ["--scale", SCALE, "--yes"]
    try:
        code, _, err = zoo("publish", RECIPE, *scale, cwd=at)
        assert code == 0, err
        for name in ("arabic-nli-triplet", "space", RECIPE):
            code, out, err = zoo("release", name, "v1.0.0", *scale, cwd=at)
            assert (code, "The first version: " in out) == (0, True), err
        assert zoo("plan", RECIPE, "--scale", SCALE, cwd=at)[0] == 0
        for told in ("", " already"):  # the tag is there: only word of it is missing
            code, out, err = zoo("release", RECIPE, "v1.0.0", "--supersedes", old, *scale, cwd=at)
            assert (code, out) == (0, f"{old} names {new} as its new version{told}\n"), err
        code, out, err = zoo("rollback", "arabert-matryoshka@v1.0.0", "--yes", cwd=at)
        assert (code, "no tag or commit 'v1.0.0'" in err) == (1, True)
        before = api().list_repo_commits(old)[1].commit_id
        code, out, err = zoo("rollback", f"arabert-matryoshka@{before}", "--yes", cwd=at)
        assert (code, out.splitlines()[1]) == (0, "  = README.md  others changed it: it stays"), err
        code, out, err = zoo("rollback", f"arabert-matryoshka@{before}", "--overwrite", "README.md", "--yes", cwd=at)
        assert (code, out.splitlines()[1:]) == (0, ["  ~ README.md", "loaded back, 3 snippets run"]), err
    finally:
        os.environ["ZOO_NAMESPACE"] = "lab"
        for recipe in lab.workspace.recipe(RECIPE, scale=SCALE).lineage:
            lab.again().card(recipe)
