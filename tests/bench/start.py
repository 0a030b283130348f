"""Start-up: `zoo --help` and `zoo ls` against bare Python and against `hf --help`."""

import statistics
import sys
from pathlib import Path

from tests.bench.measure import in_turn, show, verdict

BAR = 0.15  # seconds above bare Python, for --help

if __name__ == "__main__":
    bin = Path(sys.executable).parent
    costs = in_turn(
        {
            "bare python": [sys.executable, "-c", "pass"],
            "zoo --help": [str(bin / "zoo"), "--help"],
            "zoo ls": [str(bin / "zoo"), "ls"],
            "hf --help": [str(bin / "hf"), "--help"],
        },
        rounds=7,
    )
    show(costs)
    medians = {name: statistics.median(cost.seconds for cost in found) for name, found in costs.items()}
    print(f"zoo --help : hf --help = {medians['zoo --help'] / medians['hf --help']:.2f}x")
    verdict("zoo --help above bare python", medians["zoo --help"] - medians["bare python"], BAR, unit=" s")
