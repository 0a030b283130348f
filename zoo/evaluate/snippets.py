"""Runs what the snippets of a card do, with the model in memory: the card has no torch, and says what they print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sentence_transformers.util import cos_sim

from zoo.evaluate.ingredients import Candidate
from zoo.evaluate.measure import Loaded, MeasuringPlace
from zoo.evaluate.store import Embeddings
from zoo.evidence.scores import Subject
from zoo.evidence.snippets import SnippetRun


def snippet_run(
    candidate: Candidate, subject: Subject, sentences: Sequence[str], pair: Sequence[str], place: MeasuringPlace
) -> SnippetRun:
    """Return what the snippets of cards/model.md.j2 print for these sentences; the texts are kept in the store.

    Args:
        sentences: two or more; the first is the query of the search.
        pair: a sentence without diacritics and with them; empty: not asked.
    """
    query, *documents = sentences
    with Loaded.of(candidate, subject, place) as loaded:
        vectors = np.asarray(loaded.model.encode([*sentences, *pair]))
        asked = np.asarray(loaded.model.encode_query([query]))
        found = np.asarray(loaded.model.encode_document(documents))
    own, marked = vectors[: len(sentences)], vectors[len(sentences) :]
    size = subject.dims[-1]
    return SnippetRun(
        sentences=list(sentences),
        size=size,
        printed={
            "similarity": str(cos_sim(own, own)),
            "search": _ranked(cos_sim(asked, found)[0].tolist(), documents),
            "cut": str(_cosines(own[:, :size]).round(2)),
        },
        diacritics=round(float(cos_sim(*marked)[0, 0]), 2) if len(marked) else None,
    )


def _ranked(scores: Sequence[float], documents: Sequence[str]) -> str:
    found = sorted(zip(scores, documents, strict=True), reverse=True)
    return "\n".join(f"{score:.2f} {text}" for score, text in found)


def _cosines(vectors: Embeddings) -> Embeddings:
    """The dot products of vectors that are scaled to length 1."""
    scaled: Embeddings = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled @ scaled.T
