"""The sentences that a Space searches: those of the pairs that a model is calibrated on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain, islice

MOST = 1_000  # sentences: a page that searches them ships their vectors for each of its models


def corpus_of(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return the distinct sentences of pairs, in the pairs' order, at most a thousand: the same list every time.

    Without those that hold nothing but white space.
    """
    written = (text for text in chain.from_iterable(zip(first, second, strict=True)) if text.strip())
    return list(islice(dict.fromkeys(written), MOST))


def digest_of_sentences(sentences: Sequence[str]) -> str:
    """Return 64 hex digits that tell lists of sentences apart."""
    return hashlib.sha256("\0".join(sentences).encode("utf-8", "surrogatepass")).hexdigest()
