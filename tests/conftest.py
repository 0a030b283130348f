"""One local Hub for each process that runs tests, started when the first test needs it, and what is built on it.

Nothing is mocked: what the tests talk to is what users rehearse on. What takes long (the miniature, the trained lab) is
made once per run: by the first worker that needs it, and copied by the others.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from warm import warm_python

from zoo.cli.session import prepare
from zoo.hub import accounts
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.store import Store

if TYPE_CHECKING:
    from training import Trainings

ROOT = Path(__file__).parents[1]
RECIPE, SCALE = "arabert-hybrid", "mini"
USER = "lab"
PORTS = range(20_000, 32_000)  # below those that the system hands out: nobody gets ours before we do

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

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
    """Say where the Hub will be: huggingface_hub reads its environment when it is imported, and test modules import it."""
    home = Path(tempfile.mkdtemp(prefix="zoo-tests-"))
    _resources.callback(shutil.rmtree, home, ignore_errors=True)
    config.stash[HOME] = home
    prepare()
    os.environ.update(
        HF_ENDPOINT=f"http://127.0.0.1:{_port()}",
        HF_TOKEN=accounts.new_token(),
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_UPDATE_CHECK="1",
        HF_HOME=str(home / "client"),
        MTEB_CACHE=str(home / "client" / "mteb"),
    )
    for name in ("ZOO_WORKSPACE", "ZOO_NAMESPACE", "HUGGINGFACE_CO_STAGING", "GITHUB_ACTIONS", "HF_OIDC_RESOURCE"):
        os.environ.pop(name, None)
    if WORKER:  # workers that each use every core wait for one another
        share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        os.environ["OMP_NUM_THREADS"] = str(max(1, share))


HOME = pytest.StashKey[Path]()


def pytest_unconfigure() -> None:
    _resources.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several workers: one trains the lab while others do what needs none; at the end light files even out the rest."""
    if WORKER:
        needs = {item.path: set[str]() for item in items}
        for item in items:
            needs[item.path].update(getattr(item, "fixturenames", ()))
        first = next((path for path, names in needs.items() if "lab" in names), None)
        items.sort(key=lambda item: _turn(item.path == first, needs[item.path]))


def _turn(first: bool, needs: set[str]) -> int:
    if first:
        return 0
    return 2 if "lab" in needs else 1 if "hub" in needs else 3


def _port() -> int:
    """A port that is free now, and that nobody is given unasked."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port for the tests' Hub")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`once(name, fill)`: a folder that the first worker fills. Nobody may change it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if WORKER else base

    def made(name: str, fill: Callable[[Path], None]) -> Path:
        folder = shared / f"once-{name}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                partial = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=shared))
                fill(partial)
                partial.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def warm(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """The command of a Python that has loaded the libraries already, for proofs. Tests of the process are `cold`."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        return (sys.executable,)
    return _resources.enter_context(warm_python(pytestconfig.stash[HOME]))


@pytest.fixture(scope="session")
def hub(request: pytest.FixtureRequest, once: Callable[..., Path], warm: tuple[str, ...]) -> TestHub:
    """The Hub of this process; the miniature is in it if a test of this run needs that."""
    from zoo.publish.proof.stranger import Stranger

    home = request.config.stash[HOME]
    if any("seeded" in getattr(item, "fixturenames", ()) for item in request.session.items):
        shutil.copytree(once("seeded", fill_with_miniature), home / "hub")
    token = os.environ["HF_TOKEN"]
    with closing(Store(home / "hub")) as store:
        store.add_user(USER)
        with store.write() as db:
            accounts.add_token(db, USER, token, "write")
    Stranger.python = warm
    running = _resources.enter_context(local_hub(home / "hub", port=int(os.environ["HF_ENDPOINT"].rsplit(":", 1)[1])))
    return TestHub(replace(running, token=token), home)


Begin = Callable[..., LocalHub]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """`begin(rule, ...)`: a Hub whose faults hold from then on; this process and its children are its clients."""
    from zoo.remote import api

    client = api()  # made before anything is patched, so that it goes back to the tests' own Hub
    with ExitStack() as stack:

        def start(*rules: dict[str, Any], root: Path = tmp_path) -> LocalHub:
            stack.close()
            faults = tmp_path / "faults.json"
            faults.write_text(json.dumps(rules), "utf-8")
            hub = stack.enter_context(local_hub(root / "hub", faults=faults))
            for name, value in hub.environment().items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("HF_HOME", str(root / "client"))
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
            template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
            monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
            monkeypatch.setattr(client, "endpoint", hub.url)
            return hub

        yield start


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs begin with nothing loaded, as users' do."""
    from zoo.publish.proof.stranger import Stranger

    monkeypatch.setattr(Stranger, "python", (sys.executable,))


def fill_with_miniature(root: Path) -> None:
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    seed(root, [Workspace(ROOT).recipe(RECIPE)], progress=Silent())


@pytest.fixture(scope="session")
def seeded(hub: TestHub) -> TestHub:
    """The Hub with the miniature in it: the datasets, and the stand-in that `RECIPE` starts from."""
    return hub


TRANSLATOR = "Helsinki-NLP/opus-mt-en-ar"


def fill_with_translator(folder: Path) -> None:
    from zoo.miniature.translator import Course, translator

    for name, content in translator(
        TRANSLATOR, course=Course(steps=200, tokens=500)
    ).files.items():  # a third of the time
        (folder / name).write_bytes(content)


@pytest.fixture(scope="session")
def translator(hub: TestHub, once: Callable[..., Path]) -> dict[str, str]:
    """{the tiny translation model on the tests' Hub, under the real id: its commit}. Trained once per run."""
    folder = once("translator", fill_with_translator)
    with closing(Store(hub.root)) as store:
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        return {TRANSLATOR: store.import_commit("model", TRANSLATOR, files)}


def workspace_in(folder: Path) -> Any:
    """A workspace of its own with our recipes."""
    from zoo.recipe import Workspace

    shutil.copytree(ROOT / "recipes", folder / "recipes")
    return Workspace(folder)


QUICK = {
    "epochs: 1, batch_size: 64, max_seq_length: 128": "epochs: 1, batch_size: 32, max_seq_length: 128",
    "triplets: {max_steps: 60, eval_steps: 30, learning_rate: 1.0e-3}": "triplets: {max_steps: 20, eval_steps: 10, learning_rate: 1.0e-3}",
    "hybrid: {max_steps: 30, eval_steps: 15, learning_rate: 5.0e-5}": "hybrid: {max_steps: 6, eval_steps: 3, learning_rate: 5.0e-5}",
}


def quick(workspace: Any) -> None:
    """Make its scale mini a sixth of the work: still enough to lift the scores."""
    path = workspace.recipes / "family.yaml"
    text = path.read_text("utf-8")
    for ours, less in QUICK.items():
        assert text.count(ours) == 1, f"{ours} is no longer what scale mini says"
        text = text.replace(ours, less)
    path.write_text(text, "utf-8")


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


def train_lab(folder: Path) -> None:
    """Trained for real."""
    from zoo.pipeline.build import Build

    workspace = workspace_in(folder)
    quick(workspace)
    build = Build(workspace, SCALE)
    build.run(workspace.recipe(RECIPE, scale=SCALE))
    (folder / "outcomes.json").write_text(json.dumps([asdict(outcome) for outcome in build.done.values()]), "utf-8")


@pytest.fixture(scope="session")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """The recipe of eight steps with its data built. Tests train it into folders of their own, and change no data."""
    from training import Trainings

    return Trainings(seeded, tmp_path_factory.mktemp("trainings"))


@pytest.fixture(scope="session")
def lab(seeded: TestHub, once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A copy of the trained lab for the tests of this process, which put back what they change."""
    from zoo.pipeline.build import Build
    from zoo.recipe import Workspace

    folder = tmp_path_factory.mktemp("lab") / "lab"
    shutil.copytree(once("lab", train_lab), folder)
    outcomes = [SimpleNamespace(**one) for one in json.loads((folder / "outcomes.json").read_text("utf-8"))]
    workspace = Workspace(folder)
    return Lab(workspace, Build(workspace, SCALE), outcomes)


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
