"""How a phase computes: packed or padded, through which library. Decided when it begins, and kept beside its
checkpoints, so that it goes on as it was begun and ends in the same bits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from datasets import Dataset as Rows
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from torch import nn

from zoo.recipe.training import Train
from zoo.train import gemm
from zoo.train.packing import pack_together, pack_unchecked, readers, transformers_of, unpack
from zoo.train.precision import Precision

KEPT_IN = ".speedups.json"  # beside the checkpoints
NOT_ASKED = "the recipe says packing: false"
BATCHES = 10  # of each dataset, whose tokens are counted


@dataclass(frozen=True)
class Speedups:
    """Choices that make a phase fast and leave its results as they are."""

    packed: bool
    why: str | None
    """Why its batches are padded; null where they are packed."""
    padding: float | None
    """Tokens of padded batches for each token of a text, in a sample of the rows; null where the model is no
    transformer."""
    onednn: bool
    onednn_factor: float | None
    """How many times faster oneDNN was in the probe; null where it was not tried, or not exact."""

    @property
    def logged(self) -> dict[str, Any]:
        """The part that is the same in every build on a machine."""
        return {"packing": {"used": self.packed, "why": self.why, "padding": self.padding}, "onednn": self.onednn}


NONE = Speedups(packed=False, why="an earlier version of zoo began it", padding=None, onednn=False, onednn_factor=None)


@dataclass(frozen=True)
class Training:
    """A phase as far as its speedups depend on it."""

    model: SentenceTransformer
    losses: Sequence[nn.Module]
    train: Train
    precision: Precision
    texts: Sequence[tuple[Rows, Mapping[str, str]]]
    """Of each dataset, the columns of texts and what stands before the texts of each."""


def set_speedups(folder: Path, training: Training, note: Callable[[str], None], *, begins: bool = True) -> Speedups:
    """Pack the batches of a phase's model, or leave them padded, as was decided when it began in `folder`.

    Call it when the model has its length and adapters, and its losses are there.

    Args:
        note: is told why batches are padded, or packed, where that was not asked for.
        begins: false when the phase goes on from a checkpoint; where nothing was decided then, it stays without.
    """
    choice = _kept(folder / KEPT_IN)
    otherwise = _asked_otherwise(choice, training.train) if choice else None
    if choice is None or (otherwise and begins):
        choice = _decided(training, note) if begins else NONE
        _keep(folder / KEPT_IN, choice)
    elif otherwise:
        note(f"goes on {otherwise}, as it was begun; --force train starts anew")
    if choice.packed:
        for model in (training.model, *readers(training.model, training.losses)):
            pack_unchecked(model)
    else:
        unpack(training.model)  # flash attention comes packed
    return replace(choice, onednn=choice.onednn and gemm.is_exact())  # it may go on, on another machine


def _decided(training: Training, note: Callable[[str], None]) -> Speedups:
    why = _why_padded(training)
    if why and training.train.packing:
        note(f"computes padding too, because {why}")
    single = training.precision.used == "fp32" and training.precision.device == "cpu"
    return Speedups(
        packed=why is None,
        why=why,
        padding=padding(training),
        onednn=single and gemm.pays(),
        onednn_factor=gemm.factor() if single else None,
    )


def _asked_otherwise(choice: Speedups, train: Train) -> str | None:
    """The way in which a phase goes on although the recipe now says otherwise; null where it says the same."""
    if choice.packed and not train.packing:
        return "with packed batches"
    return "with padding" if choice.why == NOT_ASKED and train.packing else None


def _why_padded(training: Training) -> str | None:
    if not training.train.packing:
        return NOT_ASKED
    if training.train.torch_compile:
        return "torch_compile would compile anew for every batch"
    return pack_together(training.model, *readers(training.model, training.losses))


def padding(training: Training) -> float | None:
    """Tokens of padded batches for each token of a text, packed or not: the same for the same rows, model and seed.

    As sentence-transformers pads: the first column to its longest text, the others together to theirs. Each dataset
    counts as often as it is trained on. Null for a model that is no transformer.
    """
    if not (parts := transformers_of(training.model)):
        return None
    size, numbers = training.train.batch_size, Random(training.train.seed)  # noqa: S311 - a sample, no secret
    padded = real = 0.0
    for rows, prompts in training.texts:
        sample = rows.select(numbers.sample(range(len(rows)), min(len(rows), BATCHES * size)))
        lengths = [_lengths(parts[0], sample[name], prompt) for name, prompt in prompts.items()]
        times = (len(rows) if training.train.mix == "proportional" else 1) / len(sample)
        real += times * sum(map(sum, lengths))
        for start in range(0, len(sample), size):
            first, *others = (column[start : start + size] for column in lengths)
            longest = max((max(other) for other in others), default=0)
            padded += times * len(first) * (max(first) + len(others) * longest)
    return round(padded / real, 2)


def _lengths(part: Transformer, texts: Sequence[str], prompt: str) -> list[int]:
    read = part.preprocess(list(texts), prompt=prompt or None)
    packed = part.can_flatten_inputs
    found: list[int] = (read["cu_seq_lens_q"].diff() if packed else read["attention_mask"].sum(dim=1)).tolist()
    return found


def _kept(place: Path) -> Speedups | None:
    try:
        found: Mapping[str, Any] = json.loads(place.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Speedups(**found)


def _keep(place: Path, speedups: Speedups) -> None:
    work = place.with_name(f"{place.name}.{os.getpid()}")  # processes that train together all write it
    with work.open("w", encoding="utf-8") as file:
        json.dump(asdict(speedups), file)
        file.flush()
        os.fsync(file.fileno())  # it must not be lost when a checkpoint after it is not
    work.replace(place)
