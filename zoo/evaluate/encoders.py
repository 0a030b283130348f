"""What mteb evaluates: a model that encodes every text once, its views at smaller dims, and the baseline."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from mteb.models import ModelMeta, SentenceTransformerEncoderWrapper
from mteb.models.model_meta import ScoringFunction
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer, SimilarityFunction
from sklearn.feature_extraction.text import TfidfVectorizer

from zoo.say import Progress
from zoo.scores import Subject

Embeddings = NDArray[np.float32]
ENCODERS = ("encode", "encode_query", "encode_document")


def meta(subject: Subject, dim: int | None) -> ModelMeta:
    """mteb's identity of a subject at a dim: cut dims are experiments, in folders of their own.

    Without it mteb would file every local model and every dim under one name and answer with the first one's scores.
    """
    full = dim is None or dim == subject.dims[0]
    return ModelMeta.create_empty(
        {
            "name": subject.name,
            "revision": subject.revision,
            "embed_dim": subject.dims or None,
            "max_tokens": subject.max_seq_length,
            "n_parameters": subject.parameters,
            "similarity_fn_name": ScoringFunction.COSINE,
            "training_datasets": set(),
            "experiment_kwargs": None if full else {"embed_dim": dim},
        }
    )


def encode_once(model: SentenceTransformer, progress: Progress) -> None:
    """Make `model` keep every embedding it computes, so that each distinct text is encoded once for all tasks and dims.

    Keyed by function, prompt and text; rows are of full width. Replaces the model's encode functions in place: mteb's
    wrapper calls them with all texts of a column at once.
    """
    kept: dict[tuple[str, str | None, str], Embeddings] = {}

    def remembering(name: str, encode: Callable[..., Any], texts: Sequence[str], **options: Any) -> Embeddings:
        keys = [(name, options.get("prompt"), text) for text in texts]
        new = list(dict.fromkeys(key for key in keys if key not in kept))
        if new:
            rows = encode([text for _, _, text in new], **{**options, "show_progress_bar": False})
            kept.update(zip(new, np.asarray(rows, dtype=np.float32), strict=True))
            progress.advance(len(new))
        return np.stack([kept[key] for key in keys])

    for name in ENCODERS:
        setattr(model, name, partial(remembering, name, getattr(model, name)))


def encoder(model: SentenceTransformer, subject: Subject) -> Any:
    """mteb's own wrapper with our identity on it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mteb 2.26 calls names that ST 6 renamed
        wrapper = SentenceTransformerEncoderWrapper(model)
    wrapper.mteb_model_meta = meta(subject, None)
    return wrapper


class DimView:
    """An encoder's first `dim` numbers. Not scaled back to length 1: cosine does not need it, and mteb does not."""

    def __init__(self, full: Any, subject: Subject, dim: int) -> None:
        self._full = full
        self._dim = dim
        self.mteb_model_meta = meta(subject, dim)

    def encode(self, *args: Any, **options: Any) -> Any:
        return self._full.encode(*args, **options)[:, : self._dim]

    def similarity(self, first: Any, second: Any) -> Any:
        return self._full.similarity(first, second)

    def similarity_pairwise(self, first: Any, second: Any) -> Any:
        return self._full.similarity_pairwise(first, second)


class CharacterTfidf:
    """TF-IDF over character 2- to 5-grams within words: what similar spelling alone achieves.

    Fitted on the texts that it is to compare; knows nothing else.
    """

    subject = Subject(name="zoo/char-tfidf", revision="1", role="baseline", title="character TF-IDF", dims=[])

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True).fit(texts)
        self.mteb_model_meta = meta(self.subject, None)
        self.similarity = SimilarityFunction.to_similarity_fn("cosine")
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn("cosine")

    def encode(self, inputs: Any, **options: Any) -> Embeddings:
        texts = [text for batch in inputs for text in batch["text"]]
        return np.asarray(self._vectorizer.transform(texts).toarray(), dtype=np.float32)
