"""Proof that what was published is what was built: load it back into an empty cache and compare."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from zoo.errors import PublishError
from zoo.remote import explained

SENTENCES = ("رجل يقود سيارة", "الأولاد يلعبون كرة القدم", "a short sentence")
TOLERANCE = 1e-6  # the same weights on the same machine; anything more is another model


def prove(id: str, revision: str, built: Path) -> float:
    """The largest difference between embeddings of the published model and of the built one.

    Raises:
        HubError: it cannot be loaded back. PublishError: it is another model.
    """
    with tempfile.TemporaryDirectory(prefix="zoo-prove-") as cache, explained(f"load '{id}' back"):
        published = SentenceTransformer(id, revision=revision, cache_folder=cache, trust_remote_code=False)
        theirs = published.encode(list(SENTENCES))
    ours = SentenceTransformer(str(built)).encode(list(SENTENCES))
    difference = float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else float("inf")
    if not difference <= TOLERANCE:
        problem = f"'{id}' loads as another model than was built: embeddings differ by '{difference:.2g}'"
        raise PublishError(problem, hint="zoo publish it again; if that does not help, tell us")
    return difference
