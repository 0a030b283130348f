"""A small fleet made of a few files, published by a process of its own: what can be killed, and run again."""

from __future__ import annotations

import sys
from pathlib import Path

from zoo.publish.apply.rollout import Published, Rollout
from zoo.publish.desired.fleet import Fleet, WantedCollection
from zoo.publish.desired.release import CARD, Release, sealed
from zoo.publish.plan.everything import plan_fleet

BODY = "# {name}\n\nFirst.\n\nSecond.\n\nVersion {version}.\n"
WEIGHTS = b"\0weights\xff" * 8000  # goes to the large files


def card(name: str, version: int, first: str = "First.") -> bytes:
    return f"---\nlicense: mit\n---\n\n{BODY.format(name=name, version=version).replace('First.', first)}".encode()


def small(name: str, version: int, *, kind: str = "model", needs: tuple[str, ...] = (), folder: Path) -> Release:
    """Text, weights that change with the version, and a file that only this version has."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}-{version}"
    if not weights.exists():
        weights.write_bytes(name.encode() + WEIGHTS + b"%d" % version)
    files = {CARD: card(name, version), "config.json": b"{}\n", f"only-{version}.txt": b"x\n", "w.bin": weights}
    return sealed(Release(kind, f"lab/{name}", name, dict(files), frozenset(needs)))  # type: ignore[arg-type]


def fleet(version: int, folder: Path) -> Fleet:
    data = small("data", version, kind="dataset", folder=folder)
    parent = small("parent", version, needs=("lab/data",), folder=folder)
    child = small("child", version, needs=("lab/parent",), folder=folder)
    space = small("space", version, kind="space", needs=("lab/child",), folder=folder)
    return Fleet("lab", [data, parent, child, space], [WantedCollection("World")])


def publish(version: int, folder: Path) -> list[Published]:
    return Rollout(plan_fleet(fleet(version, folder)), go_on=lambda _: True).run()


if __name__ == "__main__":
    done = publish(int(sys.argv[1]), Path(sys.argv[2]))
    for one in done:
        print(one.did, one.id, one.why or "")
    sys.exit(any(one.missed for one in done))
