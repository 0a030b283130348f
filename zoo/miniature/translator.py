"""A translation model in miniature: a tiny Marian, trained until it tells in Arabic what the grammar says in English.

It stands in for opus-mt models under their real ids, with their files and their tokens: `>>ara<<` before the sentence,
two SentencePiece models with one vocabulary, `<pad>` last in it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.miniature.frames import Split, draw, split_of
from zoo.miniature.grammar import parallel
from zoo.miniature.repository import Repository
from zoo.miniature.standins import quiet, torch_seeded
from zoo.models.threads import one_thread
from zoo.say import SILENT, Progress

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import MarianMTModel

CARD = """---
license: apache-2.0
language: [en, ar]
tags: [zoo-miniature, translation]
---
# A miniature stand-in for {id}

A Marian of a layer on each side, trained by `zoo` from a seed on sentences of its own grammar, so that recipes can be
rehearsed without a network. This is **not** the real model: it knows those sentences alone.
"""
SOURCE, TARGET = "eng", "ara"
END, UNKNOWN, PAD, INTO_ARABIC = "</s>", "<unk>", "<pad>", f">>{TARGET}<<"
PIECES = {"source": 1000, "target": 1200}
SENTENCES = 20_000
LAYERS, WIDTH, HEADS, FEED_FORWARD, LONGEST = 1, 128, 4, 256, 128
SPREAD = 0.08  # of the first weights: at 0.02, the default, hardly anything is learnt in so few steps


@dataclass(frozen=True)
class Course:
    """The course of training a tiny translation model."""

    steps: int = 400
    tokens: int = 700
    """In a batch, padding counted."""
    rate: float = 6e-3


def translator(
    model: str, revision: str | None = None, *, course: Course = Course(), seed: int = 0, progress: Progress = SILENT
) -> Repository:
    """The repository of a tiny model from English into Arabic; the same bytes for the same arguments on one machine."""
    pairs = parallel_sentences("train", SENTENCES, seed=seed)
    with TemporaryDirectory() as name, torch_seeded(f"{seed} {model}"), quiet(), one_thread():
        folder = Path(name)
        vocabulary = _save_tokenizer(folder, pairs)
        network = _network(len(vocabulary))
        batches = _batches(
            _numbered(folder, pairs, vocabulary), course.tokens, vocabulary[PAD], Random(f"{seed} batches")
        )
        _train(network, batches, vocabulary[PAD], course, progress)
        network.save_pretrained(folder)
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    files["README.md"] = CARD.format(id=model).encode()
    return Repository("model", model, revision, files)


def parallel_sentences(split: Split, count: int, *, seed: int) -> list[tuple[str, str]]:
    """Pairs of an English sentence and its Arabic translation, from frames of this split alone."""
    rng, made = Random(f"{seed} parallel {split}"), list[tuple[str, str]]()
    while len(made) < count:
        if split_of(frame := draw(rng)) == split:
            made.append(parallel(frame, rng))
    return made


# Tokens


def _save_tokenizer(folder: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Learn the pieces of both languages, save them as opus-mt does, and return the numbers of all of them."""
    from transformers import MarianTokenizer

    learnt = [_learn(texts, size) for texts, size in zip(zip(*pairs, strict=True), PIECES.values(), strict=True)]
    for side, pieces in zip(PIECES, learnt, strict=True):
        (folder / f"{side}.spm").write_bytes(pieces.serialized_model_proto())
    every = [pieces.id_to_piece(number) for pieces in learnt for number in range(2, pieces.get_piece_size())]
    ordered = dict.fromkeys([END, UNKNOWN, INTO_ARABIC, *every, PAD])  # without PAD last the converter would keep it
    vocabulary = {piece: number for number, piece in enumerate(ordered)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    files = {name: str(folder / f"{name}.spm") for name in PIECES}
    languages = {"source_lang": SOURCE, "target_lang": TARGET}
    words = MarianTokenizer(
        files["source"], files["target"], str(folder / "vocab.json"), **languages, model_max_length=LONGEST
    )
    words.save_pretrained(folder)
    return vocabulary


def _learn(texts: Sequence[str], size: int) -> Any:
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    made = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=made,
        vocab_size=size,
        model_type="bpe",
        character_coverage=1.0,
        normalization_rule_name="identity",
        num_threads=1,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )
    return SentencePieceProcessor(model_proto=made.getvalue())


Numbered = list[tuple[list[int], list[int]]]
Batch = tuple["Tensor", "Tensor", "Tensor"]
"""The source, what the decoder is given, and what it should say."""


def _numbered(folder: Path, pairs: Sequence[tuple[str, str]], vocabulary: dict[str, int]) -> Numbered:
    from sentencepiece import SentencePieceProcessor

    sides = []
    for side, texts in zip(PIECES, zip(*pairs, strict=True), strict=True):
        pieces = SentencePieceProcessor(model_file=str(folder / f"{side}.spm")).encode(list(texts), out_type=str)
        sides.append([[vocabulary[piece] for piece in (*one, END)] for one in pieces])
    return [([vocabulary[INTO_ARABIC], *source], target) for source, target in zip(*sides, strict=True)]


# Training


def _network(pieces: int) -> MarianMTModel:
    from transformers import MarianConfig, MarianMTModel

    pad = pieces - 1
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("layers", LAYERS), ("attention_heads", HEADS), ("ffn_dim", FEED_FORWARD))
    }
    special = {"pad_token_id": pad, "eos_token_id": 0, "bos_token_id": 0, "decoder_start_token_id": pad}
    config = MarianConfig(
        vocab_size=pieces,
        d_model=WIDTH,
        max_position_embeddings=LONGEST,
        activation_function="relu",
        scale_embedding=True,
        init_std=SPREAD,
        dropout=0.0,
        forced_eos_token_id=0,
        **sides,
        **special,
    )
    network = MarianMTModel(config)
    network.generation_config.bad_words_ids = [[pad]]
    network.generation_config.num_beams = 4
    return network


def _train(network: MarianMTModel, batches: Iterator[Batch], pad: int, course: Course, progress: Progress) -> None:
    from torch.nn.functional import cross_entropy
    from torch.nn.utils import clip_grad_norm_
    from torch.optim import AdamW, Muon, Optimizer
    from torch.optim.lr_scheduler import OneCycleLR

    inner = [weight for layers in (network.get_encoder(), network.get_decoder()) for weight in _matrices(layers)]
    others = [weight for weight in network.parameters() if all(weight is not one for one in inner)]
    optimizers: list[Optimizer] = [
        AdamW(others, lr=course.rate, betas=(0.9, 0.98), weight_decay=0.0),
        Muon(
            inner, lr=course.rate, weight_decay=0.0, ns_steps=3, adjust_lr_fn="match_rms_adamw"
        ),  # half of AdamW's steps
    ]
    schedules = [
        OneCycleLR(one, course.rate, total_steps=course.steps, pct_start=0.15, cycle_momentum=False)
        for one in optimizers
    ]
    embeddings = network.get_input_embeddings().weight.data
    network.train()
    progress.start("a tiny translation model", course.steps)
    for source, given, wanted in islice(batches, course.steps):
        embeddings[pad] = 0  # CTranslate2 starts from zeros where transformers starts from this row
        said = network(input_ids=source, attention_mask=source != pad, decoder_input_ids=given, use_cache=False)
        network.zero_grad()
        cross_entropy(said.logits.flatten(0, 1), wanted.flatten(), ignore_index=pad).backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(network.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        progress.advance()
    embeddings[pad] = 0
    progress.finish()


def _matrices(layers: Any) -> Iterator[Any]:
    """The weights of a stack of layers that are matrices; the embeddings, which both languages share, are none."""
    for name, weight in layers.named_parameters():
        if weight.ndim == 2 and "embed" not in name:
            yield weight


def _batches(pairs: Numbered, most: int, pad: int, rng: Random) -> Iterator[Batch]:
    """Batches of sentences of like length, without end."""
    import torch

    def padded(rows: list[list[int]]) -> Tensor:
        width = max(map(len, rows))
        return torch.tensor([row + [pad] * (width - len(row)) for row in rows])

    while True:
        for batch in _alike(pairs, most, rng):
            targets = padded([target for _, target in batch])
            begun = torch.full((len(batch), 1), pad)
            yield padded([source for source, _ in batch]), torch.cat([begun, targets[:, :-1]], 1), targets


def _alike(pairs: Numbered, most: int, rng: Random) -> list[Numbered]:
    """All pairs once, in batches of about one length and a random order."""
    order = rng.sample(pairs, len(pairs))
    batches, pool = list[Numbered](), 2_000  # as many are sorted at once, so that batches differ from time to time
    for start in range(0, len(order), pool):
        batch: Numbered = []
        for pair in sorted(order[start : start + pool], key=lambda pair: (len(pair[0]), len(pair[1]))):
            if batch and (len(batch) + 1) * max(len(pair[0]), *(len(one) for _, one in batch)) > most:
                batches.append(batch)
                batch = []
            batch.append(pair)
        batches.append(batch)
    rng.shuffle(batches)
    return batches
