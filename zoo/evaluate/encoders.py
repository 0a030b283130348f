"""What mteb evaluates: a model that encodes every text once, its views at smaller dims, and the baseline."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from mteb.models import ModelMeta, SentenceTransformerEncoderWrapper
from mteb.models.model_meta import ScoringFunction
from sentence_transformers import SentenceTransformer, SimilarityFunction
from sklearn.feature_extraction.text import TfidfVectorizer

from zoo.characters import brief
from zoo.errors import EvaluationError, ZooError
from zoo.evaluate.ingredients import experiment
from zoo.evaluate.results import cut
from zoo.evaluate.store import Embeddings, EmbeddingStore, key_of
from zoo.evidence.scores import Subject
from zoo.models.pieces import pieces
from zoo.say import Progress

ENCODERS = ("encode", "encode_query", "encode_document")
CHUNK = 1024
"""Texts between two writes to the store: what a crash loses at most."""


def meta(subject: Subject, dim: int | None) -> ModelMeta:
    """A subject at a dim, as mteb files it: what decides its embeddings and cut dims are experiments in own folders.

    Without it mteb would file every local model and every dim under one name and answer with the first one's scores.
    """
    return ModelMeta.create_empty(
        {
            "name": subject.name,
            "revision": subject.revision,
            "embed_dim": subject.dims or None,
            "max_tokens": subject.max_seq_length,
            "n_parameters": subject.parameters,
            "similarity_fn_name": ScoringFunction.COSINE,
            "training_datasets": set(),
            "experiment_kwargs": experiment(subject.identity, cut(subject, dim)),
        }
    )


class Remembering:
    """A model's encode functions with a store under them, so that each distinct text is encoded once.

    Rows are of full width and keyed by function, prompt and text. What the store lacks is encoded longest first, so
    that batches hold texts of like length, and kept every `CHUNK` texts.
    """

    def __init__(self, model: SentenceTransformer, store: EmbeddingStore, progress: Progress, *, title: str) -> None:
        self._model, self._store, self._progress, self._title = model, store, progress, title
        self._functions: dict[str, Callable[..., Any]] = {name: getattr(model, name) for name in ENCODERS}
        self.storing = True
        """Switched off for corpora that are too large to keep."""
        self._seconds = 0.0
        self._computing = False
        self._tokens: Any = 0
        model[0].register_forward_pre_hook(self._count)
        for name in ENCODERS:
            setattr(model, name, partial(self._encode, name))

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens that the model read in a second, padding not counted; None before it has encoded anything."""
        return round(int(self._tokens) / self._seconds, 1) if self._seconds else None

    def _count(self, _module: Any, inputs: tuple[Any, ...]) -> None:
        """Add the tokens of a batch; static embeddings read no padding and give no mask."""
        features = inputs[0]
        self._tokens = self._tokens + (
            features["attention_mask"].sum() if "attention_mask" in features else features["input_ids"].numel()
        )

    def _encode(self, function: str, inputs: Sequence[str], **options: Any) -> Embeddings:
        if self._computing:  # `encode_query` and `encode_document` call `encode`
            return np.asarray(self._functions[function](inputs, **options))
        places: dict[str, list[int]] = {}
        for place, text in enumerate(inputs):
            places.setdefault(text, []).append(place)
        distinct = list(places)
        keys = [key_of(function, options.get("prompt"), text) for text in distinct]
        rows = np.empty((len(inputs), self._model.get_embedding_dimension()), np.float32)
        lacking = self._store.get(keys, rows, list(places.values())) if self.storing else list(range(len(keys)))
        lacking.sort(key=lambda number: -len(distinct[number]))
        for begin in range(0, len(lacking), CHUNK):
            chunk = lacking[begin : begin + CHUNK]
            new = self._compute(function, [distinct[number] for number in chunk], options)
            for number, row in zip(chunk, new, strict=True):
                rows[places[distinct[number]]] = row
            if self.storing:
                self._store.put(zip((keys[number] for number in chunk), new, strict=True))
            self._progress.advance(len(chunk))
        return rows

    def _compute(self, function: str, texts: list[str], options: Mapping[str, Any]) -> Embeddings:
        began, self._computing = time.perf_counter(), True
        try:
            rows = self._functions[function](texts, **{**options, "show_progress_bar": False})
        except ZooError:
            raise
        except Exception as error:  # of files that do not fit together, some load and fail here, with anything
            hint = "is it an embedding model? Its modules.json names what is done to a text, and in which order"
            said = f"{type(error).__name__}: {brief(error)}"
            raise EvaluationError(f"'{self._title}' cannot encode texts: {said}", hint=hint) from error
        finally:
            self._computing = False
        self._seconds += time.perf_counter() - began
        return self._checked(np.asarray(rows, np.float32), texts)

    def _checked(self, rows: Embeddings, texts: Sequence[str]) -> Embeddings:
        """Constant or infinite vectors would be scored, as if they meant something.

        Where all texts are the same to the tokenizer, as words that it knows none of, so are their vectors: they tie.

        Raises:
            EvaluationError: not numbers, all of them the same, or of another width than the model says.
        """
        if rows.shape[1] != (width := self._model.get_embedding_dimension()):
            problem = f"'{self._title}' returns vectors of {rows.shape[1]} numbers, its files say {width}"
            raise EvaluationError(problem, hint="correct the width in the config.json of its last module")
        if not np.isfinite(rows).all():
            hint = "train it again, with a lower learning rate or in fp32"
            raise EvaluationError(f"'{self._title}' returns vectors with values that are not numbers", hint=hint)
        if len(rows) > 1 and (rows == rows[0]).all() and not self._reads_alike(texts):
            hint = "its training may have collapsed: lower the learning rate"
            raise EvaluationError(f"'{self._title}' returns the same vector for {len(rows)} texts", hint=hint)
        return rows

    def _reads_alike(self, texts: Sequence[str]) -> bool:
        """True when the tokenizer makes the same pieces of all texts."""
        read = pieces(self._model, texts)
        return read is not None and len(set(map(tuple, read))) == 1


def encoder_of(model: SentenceTransformer, subject: Subject) -> Any:
    """mteb's own wrapper of a model, under the subject's name."""
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
        """Encode at full width, and keep the first numbers of every embedding."""
        return self._full.encode(*args, **options)[:, : self._dim]

    def similarity(self, first: Any, second: Any) -> Any:
        """Compare every embedding with every other, as the full encoder does."""
        return self._full.similarity(first, second)

    def similarity_pairwise(self, first: Any, second: Any) -> Any:
        """Compare embeddings pair by pair, as the full encoder does."""
        return self._full.similarity_pairwise(first, second)


class CharacterTfidf:
    """TF-IDF over character 2- to 5-grams within words: what similar spelling alone achieves.

    Fitted on the texts that it is to compare; knows nothing else. Keeps all n-grams of a small task, and of a large one
    as many of the most frequent as 1 GB of dense vectors holds.
    """

    subject = Subject(name="zoo/char-tfidf", revision="2", role="baseline", title="character TF-IDF", dims=[])
    _BUDGET = 10**9 // 4  # numbers
    _AT_ONCE = 50_000  # texts that mteb asks for at once, at most

    def __init__(self, texts: Sequence[str]) -> None:
        most = self._BUDGET // min(len(texts), self._AT_ONCE)
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=most, dtype=np.float32
        ).fit(texts)
        self.mteb_model_meta = meta(self.subject, None)
        self.similarity = SimilarityFunction.to_similarity_fn("cosine")
        self.similarity_pairwise = SimilarityFunction.to_similarity_pairwise_fn("cosine")

    def encode(self, inputs: Any, **options: Any) -> Embeddings:
        """The vectors of the texts in mteb's batches, (n, d) float32."""
        texts = [text for batch in inputs for text in batch["text"]]
        return np.asarray(self._vectorizer.transform(texts).toarray(), dtype=np.float32)
