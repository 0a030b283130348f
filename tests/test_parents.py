"""Base models that may not be read: one sentence, with the way to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import SCALE, TestHub, workspace_in
from huggingface_hub import HfApi

from zoo.errors import HubError
from zoo.hub.store import Store
from zoo.miniature.seed import seed
from zoo.pipeline.build import Build
from zoo.remote import endpoint
from zoo.say import Silent

RECIPE, BASE = "marbert-matryoshka", "UBC-NLP/MARBERTv2"


@pytest.fixture
def tokens(seeded: TestHub) -> tuple[str, str]:
    """Of a member of the base model's organisation, and of somebody else."""
    store = Store(seeded.root)
    store.add_user("keeper", orgs=[BASE.partition("/")[0]])
    store.add_user("stranger")
    found = store.issue_token("keeper"), store.issue_token("stranger")
    store.close()
    return found


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        (
            {"gated": "manual"},
            f"cannot load model '{BASE}': access is restricted",
            "ask for access at {endpoint}/" + BASE,
        ),
        (
            {"private": True},
            f"cannot look up model '{BASE}': no such repository on {{endpoint}}",
            "correct the id; private repositories need a token that may read them",
        ),
    ],
)
def test_a_base_that_may_not_be_read_is_told(
    seeded: TestHub,
    tokens: tuple[str, str],
    settings: dict[str, Any],
    message: str,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = workspace_in(tmp_path)
    recipe = workspace.recipe(RECIPE, scale=SCALE)
    seed(seeded.root, [recipe], progress=Silent())
    keeper, stranger = tokens
    HfApi(token=keeper).update_repo_settings(BASE, **settings)
    monkeypatch.setenv("HF_TOKEN", stranger)
    try:
        with pytest.raises(HubError) as caught:
            Build(workspace, SCALE).run(recipe)
    finally:
        HfApi(token=keeper).update_repo_settings(BASE, gated=False, private=False)
    assert caught.value.message == message.format(endpoint=endpoint())
    assert caught.value.hint == hint.format(endpoint=endpoint())
    assert not (Build(workspace, SCALE).folder(RECIPE).stage("train")).exists()
