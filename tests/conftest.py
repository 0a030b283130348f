"""One local Hub for the whole test run, in a process of its own, and what is built on it.

huggingface_hub reads its environment when it is imported, so the Hub is up and the variables are set before any test
module is. Nothing is mocked: what the tests talk to is what users rehearse on.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.session import prepare
from zoo.hub.local import LocalHub, local_hub

ROOT = Path(__file__).parents[1]
RECIPE, SCALE = "arabert-hybrid", "mini"

_resources = ExitStack()


@dataclass
class TestHub:
    __test__ = False

    running: LocalHub
    home: Path

    @property
    def root(self) -> Path:
        return self.running.root


def pytest_configure(config: pytest.Config) -> None:
    home = Path(tempfile.mkdtemp(prefix="zoo-tests-"))
    _resources.callback(shutil.rmtree, home, ignore_errors=True)
    running = _resources.enter_context(local_hub(home / "hub"))
    prepare()
    os.environ.update(running.environment())
    os.environ.update({"HF_HOME": str(home / "client"), "MTEB_CACHE": str(home / "client" / "mteb")})
    for name in ("ZOO_WORKSPACE", "ZOO_NAMESPACE", "HUGGINGFACE_CO_STAGING"):
        os.environ.pop(name, None)
    config.stash[HUB] = TestHub(running, home)


HUB = pytest.StashKey[TestHub]()


def pytest_unconfigure() -> None:
    _resources.close()


@pytest.fixture(scope="session")
def hub(pytestconfig: pytest.Config) -> TestHub:
    return pytestconfig.stash[HUB]


@pytest.fixture(scope="session")
def seeded(hub: TestHub) -> TestHub:
    """The Hub with the miniature in it: the datasets, and the stand-in that `RECIPE` starts from."""
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    seed(hub.root, [Workspace(ROOT).recipe(RECIPE)], progress=Silent())
    return hub


def workspace_in(folder: Path) -> Any:
    """A workspace of its own with our recipes."""
    from zoo.recipe import Workspace

    shutil.copytree(ROOT / "recipes", folder / "recipes")
    return Workspace(folder)


@dataclass
class Lab:
    """A workspace in which `RECIPE` and its parent are built at scale mini, with the paper's losses and all dims."""

    workspace: Any
    build: Any
    outcomes: list[Any]

    def again(self, **options: Any) -> Any:
        """A new build in the same workspace, read from disk."""
        from zoo.pipeline.build import Build
        from zoo.recipe import Workspace

        return Build(Workspace(self.workspace.root), SCALE, **options)


@pytest.fixture(scope="session")
def lab(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Trained for real, once: about a minute on two cores."""
    from zoo.pipeline.build import Build

    workspace = workspace_in(tmp_path_factory.mktemp("lab"))
    build = Build(workspace, SCALE)
    build.run(workspace.recipe(RECIPE, scale=SCALE))
    return Lab(workspace, build, list(build.done.values()))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Requests that leave this process."""
    import httpx2

    seen: list[str] = []
    real = httpx2.HTTPTransport.handle_request

    def note(self: Any, request: Any) -> Any:
        seen.append(f"{request.method} {request.url.path}")
        return real(self, request)

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", note)
    return seen


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Any]]:
    """`zoo(*arguments, cwd=...)` as the shell runs it: (exit code, stdout, stderr)."""
    import sys

    from zoo import say
    from zoo.cli import main

    def run(*arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
        if cwd:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["zoo", *arguments])
        say.configure(json=False)
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    yield run
    say.configure(json=False)
