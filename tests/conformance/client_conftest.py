"""The fixtures that the client's tests ask for. Its sdist leaves its own conftest out; this one takes that place.

Copied to `tests/conftest.py` of the unpacked sdist, which is why it imports from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.hf_api import RepoUrl

from . import testing_constants
from .testing_utils import repo_name

AGENTS = ("AGENT", "AI_AGENT", "CLAUDECODE", "CLAUDE_CODE")  # the `hf` command writes otherwise when one is set


class RepoFactory(Protocol):
    """The tests annotate with it."""

    def __call__(self, repo_type: str = "model", repo_id: str | None = None, **options: object) -> RepoUrl: ...


@pytest.fixture(autouse=True)
def caches_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    places = {
        "HF_HOME": home,
        "HF_HUB_CACHE": home / "hub",
        "HUGGINGFACE_HUB_CACHE": home / "hub",
        "HF_XET_CACHE": home / "xet",
        "HF_ASSETS_CACHE": home / "assets",
        "HF_TOKEN_PATH": home / "token",
        "HF_STORED_TOKENS_PATH": home / "stored_tokens",
    }
    for name, place in places.items():
        monkeypatch.setattr(constants, name, str(place))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_EXPERIMENTAL_WARNING", True)
    for name in AGENTS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def marked_for_xet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for marker, disabled in (("xet", False), ("no_xet", True)):
        if request.node.get_closest_marker(marker):
            monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disabled)


@pytest.fixture(autouse=True)
def marked_as_deprecated(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("deprecated") is None:
        yield
        return
    with pytest.warns(FutureWarning):
        yield


@pytest.fixture(scope="session")
def api() -> HfApi:
    return HfApi(endpoint=testing_constants.ENDPOINT_STAGING, token=testing_constants.TOKEN)


@pytest.fixture
def repo_factory(api: HfApi) -> Iterator[RepoFactory]:
    made = []

    def make(repo_type: str = "model", repo_id: str | None = None, **options: object) -> RepoUrl:
        if repo_type == "space":
            options.setdefault("space_sdk", "static")
        url = api.create_repo(repo_id or repo_name(), repo_type=repo_type, **options)
        made.append((url, options.get("token")))
        return url

    yield make
    for url, token in made:
        api.delete_repo(url.repo_id, repo_type=url.repo_type, missing_ok=True, token=token)


@pytest.fixture
def new_repo_id(api: HfApi) -> Iterator[str]:
    repo_id = f"{testing_constants.USER}/{repo_name()}"
    yield repo_id
    api.delete_repo(repo_id, missing_ok=True)
