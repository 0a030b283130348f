"""Lists of the local Hub: right across the ends of pages, true to the history, the same in an old store, and cheap."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count, islice, pairwise
from pathlib import Path

import pytest
from hub_wire import Wire, file, lfs_file, upload_lfs

from zoo.hub import catalog, history, lineage, repos, trees
from zoo.hub.catalog import Search
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.repos import MAIN, Repo
from zoo.hub.store import Store

_numbers = count()
NAMES = ["a", "a.b", "a/b", "a/c/d", "a0", "b/a", "b/ä", "b/ا", "b-", "c", "z/z/z/z"]
DERIVED = ("tree_pieces", "lineage", "changes", "lfs_files", "catalog", "catalog_tags", "stale")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def wire(hub: LocalHub) -> Wire:
    return Wire(hub)


@pytest.fixture
def name(wire: Wire) -> str:
    """A new model repository."""
    number = next(_numbers)
    assert wire("POST", "/api/repos/create", {"name": f"m{number}"}).status == 200
    return f"lab/m{number}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store")) as store:
        yield store


def pages(wire: Wire, path: str, between: Callable[[], object] = lambda: None) -> list[list[dict]]:
    """The answers of a list, page by page, as its links lead through it."""
    found, following = [], path
    while following:
        answer = wire("GET", following)
        assert answer.status == 200, answer.body
        found.append(answer.json())
        link = answer.headers["Link"]
        following = link[1 : link.index(">")].removeprefix(wire.hub.url) if link else ""
        between()
    return found


def listed(wire: Wire, path: str) -> list[dict]:
    return [item for page in pages(wire, path) for item in page]


# Trees ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("below", ["", "/a", "/b", "/z/z"])
@pytest.mark.parametrize("options", ["", "&recursive=1", "&recursive=1&expand=1"])
def test_pages_of_a_tree_are_the_whole_tree_in_gits_order(wire: Wire, limit: int, below: str, options: str) -> None:
    path = "/api/models/lab/tree"
    if wire("POST", "/api/repos/create", {"name": "tree"}).status == 200:
        paths = [path for path in NAMES if not path.startswith("a/")]
        wire.commit("lab/tree", *(file(path) for path in paths if path != "a"), file("a/b"), file("a/c/d"))
    whole = wire("GET", f"{path}/tree/main{below}?{options}").json()
    found = pages(wire, f"{path}/tree/main{below}?limit={limit}{options}")
    assert [item for page in found for item in page] == whole
    assert {len(page) for page in found[:-1]} <= {limit}
    keys = [item["path"] + ("/" if item["type"] == "directory" else "") for item in whole]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys)) > 0


def test_a_page_goes_on_behind_the_last_one_when_the_branch_moves(wire: Wire, name: str) -> None:
    wire.commit(name, *(file(f"f{number}") for number in range(6)))
    gone = iter(["f0", "f4"])

    def remove() -> None:
        path = next(gone, None)
        if path:
            assert wire.commit(name, {"key": "deletedFile", "value": {"path": path}}).status == 200

    found = pages(wire, f"/api/models/{name}/tree/main?limit=2", remove)
    assert [[item["path"] for item in page] for page in found] == [[".gitattributes", "f0"], ["f1", "f2"], ["f3", "f5"]]


def test_a_cursor_of_another_list_is_refused(wire: Wire, name: str) -> None:
    link = wire("GET", "/api/models?limit=1").headers["Link"]
    cursor = link.split("cursor=")[1].split(">")[0] if link else "x"
    for path in (f"/api/models/{name}/tree/main", "/api/models", "/api/collections", f"/api/models/{name}/likers"):
        assert wire("GET", f"{path}?cursor=x").status == 400
    answer = wire("GET", f"/api/models/{name}/tree/main?cursor={cursor}")
    assert (answer.status, "is not a cursor" in answer.json()["error"]) == (400, True)


def flat(store: Store, files: int, *, repo: str = "lab/flat") -> tuple[Repo, str]:
    """A repository with a folder that has so many files; and its commit."""
    commit = store.import_commit("model", repo, {f"d/{number:06d}.txt": b"x" for number in range(files)})
    with store.read() as db:
        found = repos.find(db, "model", repo)
        assert found
        return found, commit


def test_a_large_folder_is_read_in_pieces_that_make_the_whole(store: Store) -> None:
    repo, commit = flat(store, 3500)
    with store.read() as db:
        tree = history.get(db, repo, commit).tree
        assert db.execute("SELECT count(*) FROM tree_pieces").fetchone()[0] == 14
        whole = [node.path for node in trees.listing(db, tree, recursive=True)]
        found, after = [], ""
        while nodes := trees.listing(db, tree, recursive=True, after=after, limit=997):
            found += [node.path for node in nodes]
            after = nodes[-1].key
        assert found == whole
        assert len(found) == 3502
        asked = ["d/000000.txt", "d/000999.txt", "d/001000.txt", "d/003499.txt", "d/003500.txt", "d/", "d", "d/0", ""]
        assert list(trees.find_each(db, tree, asked)) == [*asked[:4], "d"]
        edited = trees.edit(db, tree, {"d/001000.txt": None, "d/x/y": trees.find_each(db, tree, asked)[asked[0]].oid})
        changed = {path: bool(after) for path, _, after in trees.differences(db, tree, edited)}
        assert changed == {"d/001000.txt": False, "d/x/y": True}


# History --------------------------------------------------------------------------------------------------------------
def walked_log(db: sqlite3.Connection, repo: Repo, oid: str) -> list[str]:
    found = [oid]
    while parents := history.get(db, repo, found[-1]).parents:
        found.append(parents[0])
    return found


def walked_change(db: sqlite3.Connection, repo: Repo, log: list[str], path: str) -> str:
    """The newest commit of a log that changed a path, by looking at every one."""

    def content(oid: str) -> object:
        return trees.find(db, history.get(db, repo, oid).tree, path)

    return next((new for new, old in pairwise(log) if content(new) != content(old)), log[-1])


def test_the_last_change_of_a_path_is_the_one_that_walking_finds(store: Store) -> None:
    """Branches, merges and reverts at random: what was asked of tables is what the history says."""
    luck = random.Random(7)
    store.import_commit("model", "lab/m", {})
    with store.write() as db:
        repo = repos.find(db, "model", "lab/m")
        assert repo
        blobs = [trees.stage(b"%d" % number, store.objects) for number in range(3)]
        trees.save(db, blobs, store.objects)
        heads = [repos.refs(db, repo)[MAIN]]
        for number in range(150):
            base = luck.choice(heads[-4:])
            paths = luck.sample(["a", "d/b", "d/c", "d/e/f", "g/h"], luck.randint(1, 2))
            tree = trees.edit(
                db,
                history.get(db, repo, base).tree,
                {path: luck.choice([None, *blobs]) and luck.choice(blobs).oid for path in paths},
            )
            parents = [base, luck.choice(heads)] if number % 7 == 0 else [base]
            date = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
            heads.append(history.record(db, repo, tree=tree, parents=parents, title=f"{number}", author="a", date=date))
        for head in luck.sample(heads, 25):
            log = walked_log(db, repo, head)
            assert [commit.oid for commit in history.log(db, repo, head)] == log
            assert history.length(db, repo, head) == len(log)
            for skip in (1, len(log) // 2, len(log) - 1, len(log)):
                assert [commit.oid for commit in history.log(db, repo, head, skip=skip)] == log[skip:]
            there = [node.path for node in trees.listing(db, history.get(db, repo, head).tree, recursive=True)]
            found = history.last_changes(db, repo, head, there)
            assert {path: commit.oid for path, commit in found.items()} == {
                path: walked_change(db, repo, log, path) for path in there
            }


def test_pages_of_commits_stay_in_place_while_the_branch_moves(wire: Wire, name: str) -> None:
    for number in range(6):
        wire.commit(name, file("f", b"%d" % number), header={"summary": f"change {number}"})
    path = f"/api/models/{name}/commits/main?limit=3"
    found = pages(wire, path, lambda: wire.commit(name, file("f", b"%d" % next(_numbers)), header={"summary": "later"}))
    titles = [[commit["title"] for commit in page] for page in found]
    assert titles == [["change 5", "change 4", "change 3"], ["change 2", "change 1", "change 0"], ["initial commit"]]
    assert wire("GET", path).headers["X-Total-Count"] == "10"
    assert [commit["title"] for commit in wire("GET", f"/api/models/{name}/commits/main?p=1").json()] == []


def test_lfs_files_are_listed_once_with_the_commit_that_brought_them(wire: Wire, name: str) -> None:
    oids = [upload_lfs(wire, b"weights %d" % next(_numbers), name) for _ in range(5)]
    for number, oid in enumerate(oids):
        wire.commit(name, lfs_file("w.bin", oid), lfs_file(f"copy{number}.bin", oid), file("note", b"%d" % number))
    wire("POST", f"/api/models/{name}/super-squash/main", {})
    found = pages(wire, f"/api/models/{name}/lfs-files?limit=2")
    assert [len(page) for page in found] == [2, 2, 1]
    items = [item for page in found for item in page]
    assert [item["oid"] for item in items] == oids[::-1]
    assert {(item["ref"], item["size"]) for item in items} <= {("refs/heads/main", size) for size in (9, 10, 11)}
    dates = [item["pushedAt"] for item in items]
    assert dates == sorted(dates, reverse=True)
    gone = {"deletions": {"sha": [items[0]["fileOid"]], "rewriteHistory": True}}
    assert wire("POST", f"/api/models/{name}/lfs-files/batch", gone).status == 200
    assert [item["oid"] for item in listed(wire, f"/api/models/{name}/lfs-files")] == oids[-2::-1]
    left = {item["path"] for item in listed(wire, f"/api/models/{name}/tree/main")}
    assert left & {"w.bin", "copy4.bin", "copy3.bin"} == {"copy3.bin"}
    wanted = {"operation": "download", "objects": [{"oid": oid, "size": 9} for oid in oids]}
    answers = wire("POST", f"/{name}.git/info/lfs/objects/batch", wanted).json()["objects"]
    assert ["error" in answer for answer in answers] == [False] * 4 + [True]


# Repositories ---------------------------------------------------------------------------------------------------------
def card(*tags: str, pipeline: str = "fill-mask") -> bytes:
    return f"---\nlanguage: ar\nlicense: mit\npipeline_tag: {pipeline}\ntags: [{', '.join(tags)}]\n---\n".encode()


def shelf(store: Store, size: int = 5) -> None:
    """Models `lab/m0` …, each a day younger than the one before; every second is private, of `other`."""
    for number in range(size):
        readme = card(f"t{number % 2}", "all", pipeline="fill-mask" if number % 3 else "feature-extraction")
        owner = "other" if number % 2 else "lab"
        date = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        store.import_commit("model", f"{owner}/M{number}", {"README.md": readme}, created=date)
    with store.write() as db:
        db.execute("UPDATE repos SET private = 1 WHERE name LIKE 'other/%'")


def names(store: Store, **wanted: object) -> list[str]:
    """The names that a search finds, read two by two."""
    options = {key: wanted.pop(key) for key in ("sort", "ascending") if key in wanted}
    user, found, after = wanted.pop("user", None), [], None
    with store.read() as db:
        while page := catalog.search(db, user, Search("model", **wanted), limit=2, after=after, **options):  # type: ignore[arg-type]
            found += [each.repo.name for each in page]
            after = (page[-1].rank, page[-1].repo.id)
    return found


def test_repositories_are_found_by_what_their_cards_say_as_of_now(store: Store) -> None:
    shelf(store)
    public = ["lab/M4", "lab/M2", "lab/M0"]
    assert names(store) == public
    assert names(store, ascending=True) == public[::-1]
    assert names(store, tags=["t0", "license:mit"]) == names(store, tags=["mit", "language:ar"]) == public
    assert names(store, tags=["t1"]) == names(store, tags=["ense:mit"]) == names(store, tags=["language:mit"]) == []
    assert names(store, pipeline_tag="feature-extraction") == ["lab/M0"]
    assert names(store, words=["m2"]) == names(store, words=["LAB", "M2"], author="LAB") == ["lab/M2"]
    assert names(store, author="la") == names(store, gated=True) == names(store, words=["%"]) == []
    store.import_commit("model", "lab/M0", {"README.md": card("fresh")})
    assert names(store, tags=["fresh"]) == names(store, sort="lastModified")[:1] == ["lab/M0"]
    assert names(store, tags=["t0"]) == public[:2]
    with store.write() as db:
        store_like = [("ann", "lab/M0"), ("ann", "lab/M2"), ("bob", "lab/M2")]
        db.executemany("INSERT INTO likes SELECT id, ?, '' FROM repos WHERE name = ?", store_like)
    assert names(store, sort="likes") == ["lab/M2", "lab/M0", "lab/M4"]
    with store.write() as db:
        db.execute("DELETE FROM likes WHERE user = 'ann'")
        repo = repos.find(db, "model", "lab/M4")
        assert repo
        repos.delete(db, repo)
    assert names(store, sort="likes", ascending=True) == ["lab/M0", "lab/M2"]


def test_a_list_over_the_wire_has_the_facts_that_were_asked_for(wire: Wire, name: str) -> None:
    wire.commit(name, file("README.md", card("wire")), file("w/x"), file(".eval_results/r.yaml", b"- a: 1\n"))
    path = "/api/models?filter=wire&"
    (plain,), (full,) = (wire("GET", f"{path}{option}").json() for option in ("", "full=1"))
    assert (plain["id"], plain["modelId"], plain["pipeline_tag"]) == (name, name, "fill-mask")
    assert plain.keys() & {"siblings", "cardData", "evalResults"} == set()
    described = wire("GET", f"/api/models/{name}").json()
    assert {key: full[key] for key in full if key in described} == {key: described[key] for key in full}
    for expand in ("sha", "siblings", "evalResults", "usedStorage"):
        (found,) = wire("GET", f"{path}expand={expand}").json()
        assert found == {"_id": plain["_id"], "id": name, "modelId": name, expand: described[expand]}
        assert wire("GET", f"/api/models/{name}?expand={expand}").json() == found
    assert described["evalResults"] == [{"filename": ".eval_results/r.yaml", "verified": False, "data": {"a": 1}}]
    private = wire("PUT", f"/api/models/{name}/settings", {"private": True})
    assert (private.status, wire("GET", path, token=None).json()) == (200, [])
    assert len(wire("GET", path).json()) == 1


def test_collections_discussions_and_likes_come_page_by_page(wire: Wire, name: str) -> None:
    slugs = []
    for number in range(3):
        wanted = {"title": f"ÉTÉ {name} {number}", "namespace": "lab", "private": number == 1}
        slugs.append(wire("POST", "/api/collections", wanted).json()["slug"])
    for _ in range(12):
        wire("POST", f"/api/models/{name}/discussions", {"title": "a", "description": ""})
    wire("POST", f"/api/models/{name}/discussions/1/status", {"status": "closed"})
    wire("POST", f"/api/collections/{slugs[0]}/item", {"item": {"type": "model", "id": name}})
    mine = "/api/collections?limit=1&q=%C3%A9t%C3%A9%20" + name.replace("/", "%2F")
    assert [item["slug"] for item in listed(wire, mine)] == [slugs[0], slugs[2], slugs[1]]
    assert len(wire("GET", mine.replace("limit=1", "limit=9"), token=None).json()) == 2
    assert [item["slug"] for item in listed(wire, f"/api/collections?item=models/{name}&owner=LAB")] == [slugs[0]]
    assert listed(wire, "/api/collections?item=models/lab/none") == []
    counts = [
        wire("GET", f"/api/models/{name}/discussions?{query}").json() for query in ("p=0", "p=1", "status=closed")
    ]
    assert [(found["count"], len(found["discussions"])) for found in counts] == [(12, 10), (12, 2), (1, 1)]
    wire("POST", f"/api/models/{name}/like", {})
    assert [item["user"] for item in listed(wire, f"/api/models/{name}/likers")] == ["lab"]
    assert name in [item["repo"]["name"] for item in listed(wire, "/api/users/lab/likes")]


# Old stores -----------------------------------------------------------------------------------------------------------
def told(store: Store) -> object:
    """What the lists of a store say."""
    with store.read() as db:
        repo = repos.find(db, "model", "lab/flat")
        assert repo
        head = repos.refs(db, repo)[MAIN]
        changes = history.last_changes(db, repo, head, ["d", "d/000000.txt", "w.bin", "README.md"])
        files = trees.listing(db, history.get(db, repo, head).tree, recursive=True, after="d/000998.txt", limit=4)
        rows = [tuple(row) for name in DERIVED for row in db.execute(f"SELECT * FROM {name}")]
    return changes, files, rows, names(store), names(store, tags=["all"]), names(store, sort="likes")


def test_a_store_of_an_earlier_version_answers_the_same_once_it_was_opened(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        shelf(store)
        flat(store, 2000)
        for number in range(5):
            weights = b"\0%d" % number
            store.import_commit(
                "model", "lab/flat", {"w.bin": weights, "README.md": card("x"), "d/000000.txt": weights}
            )
        before = told(store)
    with closing(sqlite3.connect(tmp_path / "hub.db")) as old:
        for tree in [row[0] for row in old.execute("SELECT DISTINCT tree FROM tree_pieces")]:
            pieces = old.execute("SELECT body FROM tree_pieces WHERE tree = ? ORDER BY key", (tree,)).fetchall()
            old.execute("UPDATE trees SET body = ? WHERE oid = ?", (b"".join(piece for (piece,) in pieces), tree))
        old.commit()
        triggers = old.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        old.executescript(";".join(f"DROP TRIGGER {name}" for (name,) in triggers))
        old.executescript(";".join(f"DROP TABLE {name}" for name in DERIVED))
        old.execute("DELETE FROM meta WHERE key = 'derived'")
        old.commit()
    with closing(Store(tmp_path)) as store:
        assert told(store) == before
        store.import_commit("model", "lab/flat", {"README.md": card("later")})
        assert names(store, tags=["later"]) == ["lab/flat"]


# Costs ----------------------------------------------------------------------------------------------------------------
def steps(store: Store, work: Callable[[sqlite3.Connection], object]) -> int:
    """Steps of SQLite's machine, in tens, that the work takes."""
    taken = count()
    with store.read() as db:
        db.set_progress_handler(lambda: next(taken) < 0, 10)
        work(db)
        db.set_progress_handler(None, 0)
    return next(taken)


def grown(tmp_path: Path, build: Callable[[Store, int], Callable[[sqlite3.Connection], object]], size: int) -> float:
    """How many times as many steps the work takes in a store of ten times the size."""
    taken = []
    for factor in (1, 10):
        with closing(Store(tmp_path / f"{factor}")) as store:
            taken.append(steps(store, build(store, size * factor)))
    return taken[1] / taken[0]


def test_a_page_of_a_tree_takes_as_many_steps_whatever_is_in_the_tree(tmp_path: Path) -> None:
    def build(store: Store, size: int) -> Callable[[sqlite3.Connection], object]:
        repo, commit = flat(store, size)

        def page(db: sqlite3.Connection) -> object:
            tree = history.get(db, repo, commit).tree
            return trees.listing(db, tree, recursive=True, after=f"d/{size // 2:06d}.txt", limit=100)

        return page

    assert grown(tmp_path, build, 500) < 1.5


def test_the_last_changes_take_as_many_steps_whatever_the_history(tmp_path: Path) -> None:
    def build(store: Store, size: int) -> Callable[[sqlite3.Connection], object]:
        repo, head = flat(store, 20)
        with store.write() as db:
            blob = trees.find(db, history.get(db, repo, head).tree, "d/000000.txt")
            assert blob
            for number in range(size):
                tree = trees.edit(
                    db, history.get(db, repo, head).tree, {f"{number % 7}": blob.oid, f"{(number + 1) % 7}": None}
                )
                head = history.record(db, repo, tree=tree, parents=[head], title=f"{number}", author="a")

        def look(db: sqlite3.Connection) -> object:
            paths = [f"d/{number:06d}.txt" for number in range(20)]
            older = islice(history.log(db, repo, head, skip=size - 9), 9)
            return history.last_changes(db, repo, head, paths), list(older)

        return look

    assert grown(tmp_path, build, 60) < 1.8, "the way to an ancestor grows with the logarithm"


def test_a_page_of_models_takes_as_many_steps_whatever_the_hub_holds(tmp_path: Path) -> None:
    def build(store: Store, size: int) -> Callable[[sqlite3.Connection], object]:
        with store.write() as db:
            for number in range(size):
                repos.add(
                    db, "model", f"lab/m{number}", sdk=None, created=datetime(2026, 1, 1 + number % 28, tzinfo=UTC)
                )
        return lambda db: [catalog.search(db, None, Search("model"), limit=3, sort=sort) for sort in catalog.SORTS]

    assert grown(tmp_path, build, 40) < 1.5


def test_a_fact_that_needs_no_files_reads_none(store: Store) -> None:
    from zoo.hub import info

    repo, _ = flat(store, 2000)
    sha = steps(store, lambda db: info.describe(db, store.objects, repo, names=["sha"]))
    everything = steps(store, lambda db: info.describe(db, store.objects, repo))
    assert sha * 50 < everything


def test_only_short_cards_are_remembered(store: Store) -> None:
    from zoo.hub import info

    with store.write() as db:
        for text, is_same in ((b"short", True), (b"long " * 20_000, False)):
            blob = trees.stage(text, store.objects)
            trees.save(db, [blob], store.objects)
            tree = trees.edit(db, EMPTY_TREE, {"README.md": blob.oid})
            first, second = (info.card(db, store.objects, tree) for _ in range(2))
            assert (first is second, first.text) == (is_same, text.decode())


# Pull requests as patches ---------------------------------------------------------------------------------------------
def test_the_diff_of_a_pull_request_is_a_patch_that_git_applies(wire: Wire, name: str, tmp_path: Path) -> None:
    before = {"text.md": "أ\nb\nc\n", "bare": "no end", "gone": "x\n", "moved from": "same\n" * 9, "empty": ""}
    after = {
        "text.md": "أ\nB\nc\n\fd\n",
        "bare": "no end\nyet",
        "new/ملف": "سطر\n",
        "moved to": "same\n" * 9,
        "was empty": "",
    }
    binary, large = b"\0\xff" * 40, b"long line\n" * 9000
    wire.commit(name, *(file(path, text.encode()) for path, text in before.items()))
    weights = lfs_file("w.bin", upload_lfs(wire, b"weights", name))
    gone = [{"key": "deletedFile", "value": {"path": path}} for path in ("gone", "moved from")]
    lines = [*(file(path, text.encode()) for path, text in after.items()), *gone]
    answer = wire("POST", f"/api/models/{name}/commit/main?create_pr=1", _commit(*lines, weights)).json()
    number = answer["pullRequestUrl"].rpartition("/")[2]
    path = f"/api/models/{name}/discussions/{number}"
    found = wire("GET", f"{path}?diff=1").json()
    assert (found["changes"], found["filesWithConflicts"]) == ({"base": MAIN}, [])
    assert "diff" not in wire("GET", path).json()
    tree = tmp_path / "tree"
    tree.mkdir()
    for old, text in before.items():
        (tree / old).write_text(text, "utf-8", newline="")
    subprocess.run(["git", "apply", "-"], input=found["diff"].encode(), cwd=tree, check=True)
    made = {str(path.relative_to(tree)): path.read_bytes().decode() for path in tree.rglob("*") if path.is_file()}
    pointer = made.pop("w.bin")
    assert pointer.startswith("version https://git-lfs.github.com/spec/v1\noid sha256:")
    assert made == {**{old: before[old] for old in ("empty",)}, **after}
    wire.commit(name, file("binary", binary), file("large.txt", large), rev=f"refs%2Fpr%2F{number}")
    wire("POST", f"{path}/merge", {})
    merged = wire("GET", f"{path}?diff=1").json()
    assert "Binary files /dev/null and b/binary differ\n" in merged["diff"]
    assert "Binary files /dev/null and b/large.txt differ\n" in merged["diff"]
    assert merged["diff"].startswith(found["diff"][:40])
    assert len(merged["changes"]["mergeCommitId"]) == 40


def _commit(*lines: dict) -> bytes:
    header = {"key": "header", "value": {"summary": "propose"}}
    return b"\n".join(json.dumps(line).encode() for line in (header, *lines))


def test_a_diff_of_very_many_files_says_how_many_are_left(wire: Wire, name: str) -> None:
    lines = [file(f"f{number:03d}", b"%d\n" % number) for number in range(230)]
    answer = wire("POST", f"/api/models/{name}/commit/main?create_pr=1", _commit(*lines)).json()
    path = f"/api/models/{name}/discussions/{answer['pullRequestUrl'].rpartition('/')[2]}"
    diff = wire("GET", f"{path}?diff=1").json()["diff"]
    assert (diff.count("diff --git"), diff.endswith("(30 more files)\n")) == (200, True)


# Limits ---------------------------------------------------------------------------------------------------------------
LIMITS = {
    "summary": ("POST", "/api/models/{name}/commit/main", "summary", 500),
    "description": ("POST", "/api/models/{name}/commit/main", "description", 65_536),
    "title": ("POST", "/api/models/{name}/discussions", "title", 255),
    "text": ("POST", "/api/models/{name}/discussions", "description", 65_536),
    "comment": ("POST", "/api/models/{name}/discussions/1/comment", "comment", 65_536),
    "new title": ("POST", "/api/models/{name}/discussions/1/title", "title", 255),
    "reason": ("POST", "/api/models/{name}/discussions/1/status", "comment", 65_536),
    "collection": ("POST", "/api/collections", "description", 150),
    "tag": ("POST", "/api/models/{name}/tag/main", "message", 65_536),
    "squash": ("POST", "/api/models/{name}/super-squash/main", "message", 65_536),
}


@pytest.mark.parametrize("case", LIMITS)
def test_what_people_write_may_be_as_long_as_its_limit(wire: Wire, name: str, case: str) -> None:
    method, path, key, most = LIMITS[case]
    wire("POST", f"/api/models/{name}/discussions", {"title": "first", "description": ""})
    for length, status in ((most, 200), (most + 1, 400)):
        number = next(_numbers)
        wanted = {"title": f"a {number}", "description": "", "namespace": "lab", "status": "open", "tag": f"t{number}"}
        wanted |= {"summary": "s", key: "ا" * length}
        body = (
            _with_header({"summary": wanted["summary"], "description": wanted["description"]}, number)
            if "/commit/" in path
            else wanted
        )
        answer = wire(method, path.format(name=name), body)
        assert answer.status == status, answer.body
        if status == 400:
            assert f"'{key}' may have at most {most} characters, and has {most + 1}" in answer.json()["error"]


def _with_header(header: dict, number: int) -> bytes:
    return (
        json.dumps({"key": "header", "value": header}).encode() + b"\n" + json.dumps(file("f", b"%d" % number)).encode()
    )


def test_names_of_branches_and_notes_of_items_have_limits_too(wire: Wire, name: str) -> None:
    answer = wire("POST", f"/api/models/{name}/branch/{'b' * 201}", {})
    assert (answer.status, "at most 200 characters" in answer.json()["error"]) == (400, True)
    wanted = {"title": f"notes {next(_numbers)}", "namespace": "lab"}
    slug = wire("POST", "/api/collections", wanted).json()["slug"]
    added = {"item": {"type": "model", "id": name}}
    assert wire("POST", f"/api/collections/{slug}/items", added | {"note": "n" * 501}).status == 400
    assert wire("POST", f"/api/collections/{slug}/items", added | {"note": "n" * 500}).status == 200


# Pages for people -----------------------------------------------------------------------------------------------------
def test_a_page_shows_so_many_files_and_leads_to_the_others(wire: Wire, name: str) -> None:
    long = "# long\n\n" + "word " * 200_000
    wire.commit(name, file("README.md", long.encode()), *(file(f"d/{n:03d}") for n in range(450)))
    assert len(wire("GET", f"/{name}").body) < 400_000
    path, found, sizes = f"/{name}/tree/main/d", list[str](), []
    while path:
        html = wire("GET", path).body.decode()
        found += [part.split('"')[0] for part in html.split(f'href="/{name}/blob/main/')[1:]]
        sizes.append(len(html))
        path = html.split("?cursor=")[1].split('"')[0] if "?cursor=" in html else ""
        path = path and f"/{name}/tree/main/d?cursor={path}"
    assert found == [f"d/{n:03d}" for n in range(450)]
    assert (len(sizes), max(sizes) < 400_000) == (3, True)


def test_the_first_page_shows_some_and_leads_to_all(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store, store.write() as db:
        for number in range(260):
            repos.add(db, "model", f"lab/m{number:03d}", sdk=None, created=None)
    with local_hub(tmp_path) as hub:
        wire = Wire(hub)
        first = wire("GET", "/").body.decode()
        assert (first.count('href="/lab/m'), '<a rel="next" href="/models">More models</a>' in first) == (20, True)
        path, counts = "/models", []
        while path:
            html = wire("GET", path).body.decode()
            counts.append(html.count('href="/lab/m'))
            path = html.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in html else ""
        assert counts == [100, 100, 60]


def test_the_lineage_of_a_merged_pull_request_is_that_of_main(wire: Wire, name: str) -> None:
    answer = wire("POST", f"/api/models/{name}/commit/main?create_pr=1", _commit(file("f"))).json()
    number = answer["pullRequestUrl"].rpartition("/")[2]
    wire.commit(name, file("g"))
    assert wire("POST", f"/api/models/{name}/discussions/{number}/merge", {}).status == 200
    shown = wire("GET", f"/api/models/{name}/tree/main?expand=1").json()
    titles = {item["path"]: item["lastCommit"]["title"] for item in shown}
    assert titles == {".gitattributes": "initial commit", "f": "propose (#1)", "g": "change"}
    commits = wire("GET", f"/api/models/{name}/commits/main")
    assert [commit["title"] for commit in commits.json()] == ["propose (#1)", "change", "initial commit"]
    with closing(Store(wire.hub.root)) as store, store.read() as db:  # type: ignore[union-attr]
        repo = repos.find(db, "model", name)
        assert repo
        assert len(lineage.Line(db, repo.id, repos.refs(db, repo)[MAIN])) == 3
