"""A small English lab whose base model is a folder: a tiny BERT made on the spot, pairs in a CSV, no GATE, no Arabic."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

FAMILY = """\
name: Tides
namespace: lab
language: [en]
license: mit
suite: sts
suites: {sts: [STS17-en]}
phases:
  pairs:
    data: [{dataset: tide-pairs, loss: {type: matryoshka, inner: {type: cosent}}}]
    train: {epochs: 1, max_steps: 4, eval_steps: 2, batch_size: 8, max_seq_length: 32, precision: fp32, learning_rate: 1.0e-4}
    dev: tide-pairs
  more:
    data: [{dataset: tide-pairs, loss: {type: cosent}}]
    train: {epochs: 1, max_steps: 2, batch_size: 8, max_seq_length: 32, precision: fp32, learning_rate: 1.0e-5}
"""
BASE = """\
base:
  model: ./checkpoints/tiny
  width: 48
  max_seq_length: 64
  pooling: mean
dims: [48, 16]
variants:
  sts:
    repo: Tide-BERT
    phases: [pairs]
"""
CHILD = """\
  more:
    repo: Tide-BERT-more
    from: tides-sts
    phases: [more]
    dims: [48]
"""
DATASET = """\
source: {path: {train: train.csv, validation: validation.csv}}
columns:
  sentence1: {type: text}
  sentence2: {type: text}
  score: {type: score}
release: {repo: Tide-pairs, title: Pairs of the tide, summary: Sentences of one harbour., license: mit, language: [en]}
"""
TEXT = "the tide comes in slowly over sand and boats wait for water while gulls cry above old stones"


@cache
def tiny_bert() -> dict[str, bytes]:
    """{path: content} of a BERT of two layers, 48 wide, as transformers saves one."""
    from zoo.miniature.standins import stand_in

    made = stand_in("lab/tiny", None, architecture="bert", tokenizer="wordpiece", width=48, language="en")
    return {path: content for path, content in made.files.items() if path != "README.md"}


def put_model(folder: Path) -> Path:
    """Lay the tiny BERT into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in tiny_bert().items():
        (folder / path).write_bytes(content)
    return folder


def put_lab(root: Path, base: str = BASE) -> Path:
    """Lay a workspace without its model into a folder: family, base, dataset and the rows of that."""
    recipes = root / "recipes"
    (recipes / "datasets").mkdir(parents=True)
    (recipes / "family.yaml").write_text(FAMILY, "utf-8")
    (recipes / "tides.yaml").write_text(base, "utf-8")
    (recipes / "datasets" / "tide-pairs.yaml").write_text(DATASET, "utf-8")
    for split, rows in (("train", 90), ("validation", 30)):
        (recipes / "datasets" / f"{split}.csv").write_text(pairs(split, rows), "utf-8")
    return root


def pairs(split: str, rows: int) -> str:
    """A CSV of sentence pairs, the same for the same split; the score is the share of words that are alike."""
    chosen, words = random.Random(split), TEXT.split()
    lines = ["sentence1,sentence2,score"]
    for _ in range(rows):
        first = chosen.sample(words, 6)
        kept = chosen.randint(0, 6)
        second = first[:kept] + chosen.sample(words, 6 - kept)
        lines.append(f"{' '.join(first)},{' '.join(second)},{kept / 6:.2f}")
    return "\n".join(lines) + "\n"
