"""A translation model at work: batches of sentences in, what became of each out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from zoo.errors import DataError
from zoo.run import digest
from zoo.translation.conversion import converted
from zoo.translation.families import Codec, codec_of
from zoo.translation.repository import small_files

ComputeType = Literal["auto", "int8", "int8_float16", "int8_bfloat16", "float16", "bfloat16", "float32"]
PREFERRED = {"cpu": ("int8", "float32"), "cuda": ("int8_float16", "int8_bfloat16", "bfloat16", "float16", "float32")}
IN_FLIGHT = 2  # batches for each that is translated, so that none waits for the next
FORMAT = 1  # one more whenever the same settings give other translations


@dataclass(frozen=True)
class Translated:
    """The outcome for a sentence: its translation, or why it has none."""

    text: str | None
    why: str | None = None


@dataclass(frozen=True)
class Decoding:
    """All that decides a translation."""

    model: str
    commit: str
    source_language: str
    target_language: str
    compute_type: str
    """A type of CTranslate2, as `chosen_type` gives it."""
    kind: str
    """The kind of device: cpu or cuda."""
    beam_size: int
    max_length: int | None
    """Tokens that a sentence or its translation may have; None = what the model can read."""

    @property
    def digest(self) -> str:
        """64 hex digits that are other ones for other settings."""
        return digest({**asdict(self), "ctranslate2": version("ctranslate2"), "format": FORMAT})


def places(device: str | None) -> tuple[str, list[int]]:
    """The kind of device and the numbers of those that translate: all GPUs, or the one that `device` names."""
    import ctranslate2

    kind, _, number = (device or "").partition(":")
    if kind == "cuda" or (not kind and ctranslate2.get_cuda_device_count()):
        return "cuda", [int(number)] if number else list(range(max(1, ctranslate2.get_cuda_device_count())))
    return "cpu", [0]


def chosen_type(asked: str, kind: str) -> str:
    """The compute type for `auto`: the quickest that loses little and that the device has.

    Raises:
        DataError: the device has not the type that is asked for.
    """
    import ctranslate2

    there = ctranslate2.get_supported_compute_types(kind)
    if asked == "auto":
        return next(one for one in PREFERRED[kind] if one in there)
    if asked not in there:
        hint = f"write compute_type: auto, or one of {', '.join(sorted(there))}"
        raise DataError(f"compute_type '{asked}' is none that {kind} has on this machine", hint=hint)
    return asked


def threads() -> int:
    """The batches that are translated at once on the CPU: one for each core that is ours."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(int(given), cores) if given.isdigit() and int(given) else cores


@dataclass(frozen=True)
class Engine:
    """A model that translates as it was asked to. It is fetched and loaded when the first sentence comes."""

    decoding: Decoding
    cache: Path
    """The folder that converted models are kept in."""
    devices: Sequence[int] = (0,)
    workers: int = 1
    """Batches that a CPU translates at once."""

    @cached_property
    def codec(self) -> Codec:
        """The model's tokens.

        Raises:
            HubError: the model cannot be read. DataError: it does not translate, or not from and into these languages.
        """
        asked = self.decoding
        folder = small_files(asked.model, asked.commit)
        return codec_of(asked.model, folder, asked.source_language, asked.target_language)

    @cached_property
    def translator(self) -> Any:
        """The model, loaded by CTranslate2.

        Raises:
            HubError: it cannot be read. DataError: it cannot be converted.
        """
        import ctranslate2

        asked, each = self.decoding, 1 if self.decoding.kind == "cuda" else self.workers
        folder = converted(asked.model, asked.commit, asked.compute_type, self.cache)
        return ctranslate2.Translator(
            str(folder),
            device=asked.kind,
            device_index=list(self.devices),
            compute_type=asked.compute_type,
            inter_threads=each,
            intra_threads=1,  # several batches side by side are quicker than several threads for one
        )

    @property
    def longest(self) -> int:
        """Tokens that a sentence or its translation may have."""
        return min(self.codec.longest, self.decoding.max_length or self.codec.longest)

    @property
    def in_flight(self) -> int:
        """Batches to begin before the first is waited for."""
        return IN_FLIGHT * (len(self.devices) if self.decoding.kind == "cuda" else self.workers)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """The numbers of tokens of sentences."""
        return [len(tokens) for tokens in self.codec.tokens(texts)]

    def begin(self, texts: Sequence[str]) -> Callable[[], list[Translated]]:
        """Begin to translate a batch of sentences, none of them too long; what comes out waits for the translations."""
        codec = self.codec
        prefix = [list(codec.prefix)] * len(texts) if codec.prefix else None
        begun = self.translator.translate_batch(
            codec.tokens(texts),
            target_prefix=prefix,
            asynchronous=True,
            beam_size=self.decoding.beam_size,
            max_input_length=0,  # it would cut sentences, and say nothing
            max_decoding_length=self.longest,
            return_end_token=True,
        )
        return lambda: self._told([one.result().hypotheses[0] for one in begun])

    def _told(self, hypotheses: Sequence[Sequence[str]]) -> list[Translated]:
        ended = [bool(tokens) and tokens[-1] == "</s>" for tokens in hypotheses]
        bare = [tokens[:-1] if end else tokens for tokens, end in zip(hypotheses, ended, strict=True)]
        texts = self.codec.texts(bare)
        return [self._outcome(text, end) for text, end in zip(texts, ended, strict=True)]

    def _outcome(self, text: str, ended: bool) -> Translated:
        if not ended:
            return Translated(None, f"its translation has not ended after {self.longest} tokens")
        return Translated(text) if text else Translated(None, "its translation is empty")

    @property
    def too_long(self) -> Translated:
        """The outcome for sentences that are longer than they may be."""
        return Translated(None, f"is longer than the {self.longest} tokens that are translated")
