"""Models of the family that are published but not built here: no table loses their rows for that."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoo.evidence.scores import ScoreFile
from zoo.publish.desired.release import SCORES
from zoo.recipe import Recipe
from zoo.remote import api, explained

WORKERS = 8  # most of it is waiting


def published_scores(account: str, recipes: Sequence[Recipe]) -> dict[str, ScoreFile]:
    """{recipe: its scores as they were published}, of those that are on the Hub.

    Raises:
        HubError: the Hub cannot be asked.
    """
    api()  # made once, before the threads
    ids = [f"{account}/{recipe.release.repo}" for recipe in recipes]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = zip(recipes, pool.map(_scores, ids), strict=True)
        return {recipe.name: scores for recipe, scores in found if scores}


def _scores(repo_id: str) -> ScoreFile | None:
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    with explained(f"read '{SCORES}' of model '{repo_id}'"):
        try:
            commit = api().model_info(repo_id).sha  # a download alone answers from the cache for a model that is gone
            text = Path(api().hf_hub_download(repo_id, SCORES, revision=commit)).read_bytes()
        except (RepositoryNotFoundError, EntryNotFoundError):
            return None
    try:
        return ScoreFile.model_validate_json(text)
    except ValueError:  # of another version of zoo
        return None
