"""A pytest plugin: a Hub on this machine, for the tests of any project that talks to the Hugging Face Hub.

    pytest_plugins = ["zoo.hub.testing"]          # in the project's conftest.py

Tests that take the fixture `local_hub` talk to it with the real clients. It is started when the first test asks for it,
one for each process that runs tests, and is gone at the end.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.hub import accounts
from zoo.hub.local import LocalHub
from zoo.hub.local import local_hub as serving
from zoo.hub.store import Store

PORTS = range(20_000, 32_000)  # below those that the system hands out: nobody gets ours before we do
HOME = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Say where the Hub will be: clients read it when they are imported, and test modules import them."""
    home = config.stash[HOME] = Path(tempfile.mkdtemp(prefix="hub-for-tests-"))
    os.environ.update(
        HF_ENDPOINT=f"http://127.0.0.1:{free_port()}",
        HF_TOKEN=accounts.new_token(),
        HF_HOME=str(home / "client"),
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_UPDATE_CHECK="1",
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was stored and fetched."""
    shutil.rmtree(config.stash[HOME], ignore_errors=True)


@pytest.fixture(scope="session")
def local_hub_root(pytestconfig: pytest.Config) -> Path:
    """The folder of what the Hub stores. A fixture of the same name may fill one, and return that."""
    return pytestconfig.stash[HOME] / "hub"


@pytest.fixture(scope="session")
def local_hub(local_hub_root: Path) -> Iterator[LocalHub]:
    """The Hub: its `url`, and the account `user` with the `token` that clients find in the environment."""
    token, port = os.environ["HF_TOKEN"], int(os.environ["HF_ENDPOINT"].rpartition(":")[2])
    with closing(Store(local_hub_root)) as store:
        store.add_user("lab")
        with store.write() as db:
            accounts.add_token(db, "lab", token, "write")
    with serving(local_hub_root, port=port) as running:
        yield replace(running, token=token)


def free_port() -> int:
    """A port that is free now, and that nobody is given unasked.

    Raises:
        RuntimeError: none of a hundred is free.
    """
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port for a local Hub")
