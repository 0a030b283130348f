"""The local Hub's store: what it keeps, and what an import does."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zoo.hub import history, repos, trees
from zoo.hub.store import Store

PINNED = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "store")
    yield store
    store.close()


def test_an_imported_commit_keeps_its_id(store: Store) -> None:
    assert not store.has_commit("dataset", "mteb/sts17")
    commit = store.import_commit("dataset", "mteb/sts17", {"data.csv": b"a,b\n"}, commit_id=PINNED)
    assert commit == PINNED
    assert store.has_commit("dataset", "mteb/sts17", PINNED)
    assert store.has_commit("dataset", "MTEB/sts17", "main")
    assert not store.has_commit("model", "mteb/sts17")
    assert not store.has_commit("dataset", "mteb/sts17", "f" * 40)


def test_a_second_import_changes_nothing(store: Store) -> None:
    first = store.import_commit("model", "lab/m", {"a": b"1"})
    assert store.import_commit("model", "lab/m", {"a": b"1"}) == first
    assert store.import_commit("model", "lab/m", {"a": b"1"}, commit_id=PINNED) == PINNED
    assert store.import_commit("model", "lab/m", {"a": b"1"}, commit_id=PINNED) == PINNED
    with store.read() as db:
        repo = repos.find(db, "model", "lab/m")
        assert repo
        assert [commit.oid for commit in history.log(db, repo, PINNED)] == [PINNED, first]


def test_an_import_is_exactly_its_files_and_large_ones_are_lfs(store: Store, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"\0" * 3_000_000)
    store.import_commit("model", "lab/m", {"old.txt": b"old"})
    commit = store.import_commit(
        "model",
        "lab/m",
        {"model.safetensors": weights, "deep/er/a.txt": b"hi", "vocab.txt": b"w\n" * 1_000_000},
        created=datetime(2024, 5, 6, tzinfo=UTC),
        message="الإصدار الأول",
    )
    with store.read() as db:
        repo = repos.find(db, "model", "lab/m")
        assert repo
        found = history.get(db, repo, commit)
        files = trees.files(db, found.tree)
    assert (found.date, found.title) == ("2024-05-06T00:00:00.000Z", "الإصدار الأول")
    assert sorted(files) == [".gitattributes", "deep/er/a.txt", "model.safetensors", "vocab.txt"]
    assert [path for path, blob in files.items() if blob.is_lfs] == ["model.safetensors"]
    assert files["vocab.txt"].data is None, "two megabytes of text are a file, not a row"
    assert files["vocab.txt"].read(store.objects) == b"w\n" * 1_000_000
    assert files["model.safetensors"].read(store.objects) == weights.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kernel", "lab/m", {}), "a repository is one of"),
        (("model", "m", {}), "'m' is not an id of the form namespace/name"),
        (("model", "lab/m", {"../x": b""}), "Invalid path"),
    ],
)
def test_malformed_imports_are_refused(store: Store, arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store.import_commit(*arguments)
    with pytest.raises(ValueError, match="is not 40 hex digits"):
        store.import_commit("model", "lab/m", {}, commit_id="main")


def test_a_commit_id_stands_for_one_content_only(store: Store) -> None:
    store.import_commit("model", "lab/m", {"a": b"1"}, commit_id=PINNED)
    with pytest.raises(ValueError, match="is already here with other files"):
        store.import_commit("model", "lab/m", {"a": b"2"}, commit_id=PINNED)


def test_a_token_is_kept_only_as_its_hash(store: Store) -> None:
    store.add_user("lab", fullname="The Lab", orgs=["team"])
    store.add_user("lab")
    token = store.issue_token("lab")
    assert token.startswith("hf_")
    assert token != store.issue_token("lab")
    kept = b"".join(path.read_bytes() for path in store.root.rglob("*") if path.is_file())
    assert token.encode() not in kept
    with pytest.raises(ValueError, match="no user 'nobody' on this Hub"):
        store.issue_token("nobody")
    with pytest.raises(ValueError, match="role is one of"):
        store.issue_token("lab", role="admin")


def test_reopening_gives_the_same_store(store: Store) -> None:
    again = Store(store.root)
    assert (again.uuid, again.signing_key) == (store.uuid, store.signing_key)
    again.close()


def test_a_failed_transaction_leaves_no_trace(store: Store) -> None:
    def half_done() -> None:
        with store.write() as db:
            db.execute("INSERT INTO accounts (name, fullname, is_org) VALUES ('half', 'done', 0)")
            db.execute("INSERT INTO members VALUES ('half', 'nowhere')")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY constraint failed"):
        half_done()
    with store.read() as db:
        assert db.execute("SELECT 1 FROM accounts WHERE name = 'half'").fetchone() is None


def test_editing_a_tree_adds_replaces_and_removes(store: Store) -> None:
    blob = trees.stage(b"x", store.objects)
    with store.write() as db:
        trees.save(db, [blob], store.objects)
        tree = trees.edit(db, trees.EMPTY_TREE, {"a/b/c": blob.oid, "a/d": blob.oid, "e": blob.oid})
        assert list(trees.files(db, tree)) == ["a/b/c", "a/d", "e"]
        assert list(trees.files(db, trees.edit(db, tree, {"a/b/c": None}))) == ["a/d", "e"]
        assert list(trees.files(db, trees.edit(db, tree, {"a": None}))) == ["e"]
        assert list(trees.files(db, trees.edit(db, tree, {"a": blob.oid}))) == ["a", "e"]
        assert trees.edit(db, tree, {"a": None, "e": None}) == trees.EMPTY_TREE
