"""Does the local Hub pass the official client's own tests? `python -m tests.conformance.run` counts, and leaves with 1.

Everything fetched or made lies under `.zoo/conformance`: the sdist of the client that is installed here, and a virtual
environment with what its tests need beyond ours.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoo.hub import accounts
from zoo.hub.local import local_hub
from zoo.hub.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".zoo" / "conformance"
LOG = PLACE / "pytest.log"
MODES = {"default": ({}, 302), "HF_HUB_DISABLE_XET=1": ({"HF_HUB_DISABLE_XET": "1"}, 297)}  # the rest needs Xet reads
WORKERS = 4
# It asserts that a later request is still under way when an earlier one was answered: ours may have answered both.
RACES = ["tests/test_hf_api.py::TestCommitInBackground::test_run_as_future"]


@dataclass(frozen=True)
class Outcome:
    passed: int
    failed: tuple[str, ...]
    seconds: float


def main() -> None:
    client = version("huggingface_hub")
    tests, python = fetched(client), environment()
    ids = (HERE / "core_tests.txt").read_text("utf-8").split()
    missed = False
    LOG.unlink(missing_ok=True)
    for mode, (variables, bar) in MODES.items():
        outcome = measured(tests, python, ids, variables)
        for test in outcome.failed:
            print(f"  failed: {test}")
        print(
            f"huggingface_hub {client}, {mode}: {outcome.passed} of {len(ids)} tests passed in {outcome.seconds:.0f} s "
            f"(bar: at least {bar})",
            flush=True,
        )
        missed |= outcome.passed < bar
    sys.exit(1 if missed else 0)


def fetched(client: str) -> Path:
    """The client's sdist with our conftest, plugin and sample cards in it, unpacked anew every time."""
    name = f"huggingface_hub-{client}"
    archive = PLACE / f"{name}.tar.gz"
    if not archive.exists():
        options = ["--no-deps", "--no-binary", "huggingface_hub", "--dest", str(PLACE)]
        _run([sys.executable, "-m", "pip", "download", "--quiet", f"huggingface_hub=={client}", *options])
    shutil.rmtree(PLACE / name, ignore_errors=True)
    with tarfile.open(archive) as content:
        content.extractall(PLACE, filter="data")
    tests = PLACE / name / "tests"
    (tests / "__init__.py").touch()
    shutil.copy(HERE / "client_conftest.py", tests / "conftest.py")
    shutil.copytree(HERE / "cards", tests / "fixtures" / "cards")
    shutil.copy(HERE / "hub_under_test.py", PLACE / name)
    shutil.rmtree(PLACE / name / "src")  # the installed client is what is tested
    return PLACE / name


def environment() -> Path:
    """Python of a virtual environment that sees ours: torch need not be installed twice, and ours stays as it is."""
    folder, wanted = PLACE / "venv", (HERE / "requirements.txt").read_text("utf-8")
    python, ready = folder / "bin" / "python", folder / "installed.txt"
    if not ready.exists() or ready.read_text("utf-8") != wanted:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        options = ["--constraint", str(ROOT / "constraints.txt"), "--requirement", str(HERE / "requirements.txt")]
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options])
        ready.write_text(wanted, encoding="utf-8")
    return python


def measured(tests: Path, python: Path, ids: list[str], variables: dict[str, str]) -> Outcome:
    """One run of the tests against a Hub of its own; those that race with it get a second one, with the Hub to itself."""
    with tempfile.TemporaryDirectory(prefix="zoo-conformance-") as folder:
        store = Path(folder) / "hub"
        populate(store, runpy.run_path(str(tests / "tests" / "testing_constants.py")))
        with local_hub(store) as hub:
            given = {"HUB_URL": hub.url, "HF_ENDPOINT": hub.url, "HF_HOME": f"{folder}/home", **variables}
            run = partial(_tested, tests, python, given=clean() | given, report=Path(folder) / "report.xml")
            began = time.monotonic()
            found = run(ids, workers=WORKERS)
            if lost := [test for test in RACES if found.get(_dotted(test)) == "failed"]:
                found |= run(lost, workers=1)
            failed = tuple(sorted(name for name, how in found.items() if how == "failed"))
            passed = sum(how == "passed" for how in found.values())
            return Outcome(passed, failed, time.monotonic() - began)


def _tested(
    tests: Path, python: Path, ids: list[str], *, given: dict[str, str], report: Path, workers: int
) -> dict[str, str]:
    """{test: passed, failed or skipped}."""
    options = ["-p", "no:env", "-p", "no:cacheprovider", "-p", "hub_under_test", "-n", str(workers), "-q"]
    options += ["-o", "addopts=-Werror::FutureWarning --strict-markers", f"--junitxml={report}"]
    report.unlink(missing_ok=True)
    with LOG.open("ab") as log:
        command = [str(python), "-m", "pytest", *options, *ids]
        # the report says what failed
        subprocess.run(command, cwd=tests, env=given, stdout=log, stderr=log, check=False)
    if not report.exists():
        sys.exit(f"the client's tests did not run; see {LOG}")
    cases = ElementTree.parse(report).getroot().iter("testcase")  # our own file
    return {f"{case.get('classname')}.{case.get('name')}": _how({child.tag for child in case}) for case in cases}


def _how(tags: set[str]) -> str:
    return "failed" if {"failure", "error"} & tags else "skipped" if "skipped" in tags else "passed"


def _dotted(id: str) -> str:
    """As the report names a test."""
    return id.replace(".py::", ".").replace("::", ".").replace("/", ".")


def populate(root: Path, constants: dict[str, Any]) -> None:
    """The users, organisations and tokens that the staging Hub has for these tests."""
    store = Store(root)
    store.add_user(constants["USER"], fullname=constants["FULL_NAME"], orgs=["valid_org_hub"])
    store.add_user(constants["OTHER_USER"])
    store.add_user(constants["ENTERPRISE_USER"], orgs=[constants["ENTERPRISE_ORG"]])
    with store.write() as db:
        accounts.add(db, "valid_org_hub", fullname="Dummy Hub Org", is_org=True)
        db.execute("UPDATE accounts SET private_by_default = 1 WHERE name = ?", (constants["ENTERPRISE_ORG"],))
        for who in ("", "OTHER_", "ENTERPRISE_"):
            accounts.add_token(db, constants[f"{who}USER"], constants[f"{who}TOKEN"], "write")
    store.close()


def clean() -> dict[str, str]:
    """Our environment without what would change the client: HUGGINGFACE_CO_STAGING silently overrides HF_ENDPOINT."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING", "PYTEST_"))}
    return kept | {"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "", "DISABLE_SYMLINKS_IN_WINDOWS_TESTS": "1"}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
