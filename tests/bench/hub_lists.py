"""What a request for a list costs the local Hub's process, in a store full of things and in one with few of them.

CPU time of the server, since others may keep the machine busy; every bar is a ratio of two requests of the same run.
"""

from __future__ import annotations

import statistics
import urllib.request
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection

from zoo.hub import discussions, gitobjects, history, repos, trees
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.repos import MAIN, Repo
from zoo.hub.routes.paging import write_cursor
from zoo.hub.store import Store

FULL = {"files": 100_000, "commits": 10_000, "others": 2_000}
SMALL = {"files": 1_000, "commits": 200, "others": 100}
ROUNDS, REPEATS = 3, 8
BAR = 2.5  # at most so many times as much CPU in the full store as in the small one
PATHS = {
    "tree of a flat folder, 1000": "/api/models/lab/flat/tree/main/d",
    "tree from its middle, 500": f"/api/models/lab/deep/tree/main?recursive=1&limit=500&cursor={write_cursor('04/')}",
    "tree with last commits, 50": f"/api/models/lab/deep/tree/main?recursive=1&expand=1&cursor={write_cursor('04/')}",
    "long history's tree, 50": "/api/models/lab/long/tree/main?expand=1",
    "one file of a flat folder": "/lab/flat/resolve/main/d/000500.txt",
    "expand=sha": "/api/models/lab/flat?expand=sha",
    "page for people": "/lab/deep",
    "files for people": "/lab/deep/tree/main",
    "an owner for people": "/lab",
    "models for people": "/models?library=t1&sort=lastModified",
    "commits, 50": "/api/models/lab/long/commits/main?p=1",
    "lfs-files, 50": "/api/models/lab/long/lfs-files?limit=50",
    "models, 1": "/api/models?limit=1",
    "models by a tag, 5": "/api/models?filter=t1&sort=lastModified&limit=5",
    "models by a name": "/api/models?search=m0001&limit=5",
    "first page for people": "/",
    "discussions, 10": "/api/models/lab/long/discussions",
    "collections, 10": "/api/collections?limit=10",
}


def fill(root: Path, *, files: int, commits: int, others: int) -> None:
    """Make a store with a flat and a deep tree of files, a long history, and other models, discussions, collections."""
    with closing(Store(root)) as store:
        store.import_commit("model", "lab/flat", {f"d/{number:06d}.txt": b"%d" % number for number in range(files)})
        deep = {f"{number % 10:02d}/{number:06d}.txt": b"%d" % number for number in range(files)}
        store.import_commit("model", "lab/deep", deep)
        store.import_commit("model", "lab/long", {f"{number:03d}.txt": b"x" for number in range(60)})
        for number in range(others):
            card = f"---\ntags: [t{number % 10}]\npipeline_tag: fill-mask\n---\n# {number}\n".encode()
            store.import_commit("model", f"lab/m{number:04d}", {"README.md": card})
        with store.write() as db:
            repo = repos.find(db, "model", "lab/long")
            assert repo
            lengthen(db, repo, commits)
            for number in range(others):
                discussions.start(db, repo, "lab", f"{number}", "text")
                row = (f"{number:024d}", "lab", f"collection {number}", None, False, "orange", 0, f"2026-{number:06d}")
                db.execute("INSERT INTO collections VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def lengthen(db: Connection, repo: Repo, commits: int) -> None:
    """Add commits to main, each with another LFS file (whose content is not here) in the place of the one before."""
    head = repos.refs(db, repo)[MAIN]
    tree = history.get(db, repo, head).tree
    for number in range(commits):
        sha256 = f"{number:064x}"
        oid = gitobjects.blob_id(gitobjects.encode_pointer(sha256, number))
        db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, NULL, ?, 1)", (oid, number, sha256))
        tree = trees.edit(db, tree, {"model.bin": oid})
        head = history.record(db, repo, tree=tree, parents=[head], title=f"{number}", author="lab")
    repos.point(db, repo, MAIN, head)


def cpu(process: int) -> float:
    """Seconds of CPU that a process has used, its threads together."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e9


def cost(hub: LocalHub, path: str) -> tuple[float, int]:
    """(CPU seconds of the server, bytes of the answer) of one request; the median of several."""
    spent, size = [cpu(hub.process.pid)], 0
    for _ in range(REPEATS):
        with urllib.request.urlopen(hub.url + path, timeout=300) as answer:
            size = len(answer.read())
        spent.append(cpu(hub.process.pid))
    return statistics.median(after - before for before, after in pairwise(spent)), size


def ratios(place: Path) -> dict[str, float]:
    """Print a table, and return how many times as much each request costs in the full store (median of the rounds)."""
    fill(place / "full", **FULL)
    fill(place / "small", **SMALL)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PATHS}
    sizes = {}
    with local_hub(place / "full") as full, local_hub(place / "small") as small:
        for _ in range(ROUNDS + 1):
            for name, path in PATHS.items():
                (much, sizes[name]), (little, _) = cost(full, path), cost(small, path)
                found[name].append((much, little))
    print(f"{'CPU of the server':<28}{'full':>10}{'small':>10}{'ratio':>8}{'bytes':>11}")
    medians = {}
    for name, rounds in found.items():
        much, little = (statistics.median(side) * 1000 for side in zip(*rounds[1:], strict=True))
        medians[name] = statistics.median(one / other for one, other in rounds[1:])
        print(f"{name:<28}{much:>7.1f} ms{little:>7.1f} ms{medians[name]:>7.2f}x{sizes[name]:>11,}")
    return medians


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        sys.exit(1 if max(ratios(Path(folder)).values()) > BAR else 0)
