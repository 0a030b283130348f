"""The demo in a workspace of its own: first run (build and publish) and second (nothing to do)."""

import sys
import tempfile
from pathlib import Path

from tests.bench.measure import run, show, verdict

MINUTES, GIGABYTES = 5, 4  # on two cores, packages installed

if __name__ == "__main__":
    zoo = str(Path(sys.executable).parent / "zoo")
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        run([zoo, "init", f"{folder}/lab", "--like", "gate"])
        costs = {name: [run([zoo, "demo"], cwd=f"{folder}/lab")] for name in ("first", "second")}
    show(costs)
    peak = max(cost.megabytes for found in costs.values() for cost in found) / 1024
    if peak > GIGABYTES:
        sys.exit(f"peak memory: {peak:.2f} GB (bar: at most {GIGABYTES} GB)")
    verdict("first demo", costs["first"][0].seconds / 60, MINUTES, unit=" min")
