"""`zoo lint` of a folder, start-up and all: a card with thousands of results, a thousand files beside a
virtual environment that git leaves out, weights of a gigabyte."""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import in_turn, show, verdict
from tests.lint_repos import CARD, good_model, weights

BAR = 1.0  # seconds

RESULT = """  - task:
      type: Classification
    dataset:
      name: MTEB Task{number} (ar)
      type: lab/task-{number}
      config: ar
      split: test
    metrics:
    - type: accuracy
      value: {value}
"""


def small(folder: Path) -> Path:
    for path, content in good_model().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def large(folder: Path) -> Path:
    small(folder)
    results = "".join(RESULT.format(number=number, value=40 + number % 50) for number in range(1000))
    text = "\n\nA paragraph of prose that says nothing in particular about STS17, 12.5 of it.\n" * 2000
    (folder / "README.md").write_text(CARD.replace("---\n\n# Good", f"{results}---\n\n# Good") + text, "utf-8")
    for number in range(1000):
        (folder / f"notes-{number}.json").write_text('{"note": "one of many"}\n')
    (folder / ".venv" / "lib").mkdir(parents=True)
    for number in range(5000):
        (folder / ".venv" / "lib" / f"module-{number}.py").write_text("token = None\n")
    (folder / ".gitignore").write_text(".venv/\n*.log\n")
    (folder / "model.safetensors").write_bytes(weights(1250))
    with (folder / "extra.safetensors").open("wb") as file:
        file.truncate(10**9)
    return folder


if __name__ == "__main__":
    zoo = str(Path(sys.executable).parent / "zoo")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        folders = {"small": str(small(Path(one))), "large": str(large(Path(other)))}
        costs = in_turn(
            {
                "bare python": [sys.executable, "-c", "pass"],
                **{f"zoo lint, {name}": [zoo, "lint", folder, "--offline"] for name, folder in folders.items()},
            },
            rounds=5,
        )
    show(costs)
    verdict(
        "zoo lint of the large folder", statistics.median(c.seconds for c in costs["zoo lint, large"]), BAR, unit=" s"
    )
