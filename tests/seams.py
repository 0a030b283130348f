"""Where we hang on the insides of others: `python -m tests.seams [SEAM..]` says which seam a newer release breaks.

Runs with what is installed here, whatever constraints.txt says; the summary names each library whose release is another
one than the tested one. .github/workflows/seams.yml runs it against the newest releases.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Seam:
    """Libraries of which insides are used, and the tests that notice when these change."""

    libraries: tuple[str, ...]
    tests: tuple[str, ...]


SEAMS = {
    "Trainer": Seam(
        ("sentence-transformers", "transformers", "accelerate", "datasets", "torch"),
        ("test_packing.py", "test_samplers.py", "test_checkpoints.py", "test_settings.py", "test_losses.py"),
    ),
    "mteb": Seam(
        ("mteb", "sentence-transformers", "datasets"), ("test_tasks.py", "test_evaluate.py", "test_submit.py")
    ),
    "Hub client": Seam(
        ("huggingface_hub", "hf-xet", "httpx2", "datasets"),
        ("test_hub_clients.py", "test_hub_api.py", "test_patience.py", "test_mirror.py", "test_publish.py"),
    ),
}


def main(names: list[str]) -> int:
    """Run the tests of these seams (default: of all) and say what broke; the exit code is 1 when something did."""
    if unknown := set(names) - SEAMS.keys():
        sys.exit(f"no seam '{min(unknown)}'; one of: {', '.join(SEAMS)}")
    tested = pins()
    said = [told(name, SEAMS[name], tested) for name in names or SEAMS]
    text = "\n".join(f"- {sentence}" for sentence in said)
    print(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"Python {sys.version.split()[0]}\n\n{text}\n\n")
    return int(any("broke" in sentence for sentence in said))


def pins() -> dict[str, str]:
    """{package: the release that is tested}."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def told(name: str, seam: Seam, tested: dict[str, str]) -> str:
    """Run the tests of a seam, and say how they went with which releases."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = [f"tests/{test}" for test in seam.tests]
        command = [sys.executable, "-m", "pytest", "-m", "not slow and not network", f"--junit-xml={report}", *files]
        subprocess.run(command, cwd=ROOT, check=False)
        failed = broken(report)
    releases = ", ".join(release(library, tested) for library in seam.libraries)
    if not failed:
        return f"{name} holds with {releases}"
    return f"{name} broke with {releases}: {len(failed)} tests, {', '.join(failed[:20])}"


def broken(report: Path) -> list[str]:
    """The tests that failed, or that could not even be collected."""
    if not report.exists():
        return ["pytest itself"]
    cases = ElementTree.parse(report).iter("testcase")
    return [
        str(case.get("name")) for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]


def release(library: str, tested: dict[str, str]) -> str:
    """A library with its release here, and the tested one where that is another."""
    try:
        here = version(library)
    except PackageNotFoundError:
        return f"{library} (not installed)"
    known = tested.get(library, here)
    return f"{library} {here}" if here == known else f"{library} {here} (tested: {known})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
