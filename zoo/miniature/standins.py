"""Stand-ins for base models: the real architecture, tokenizer family and modules, two layers deep, random weights."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from zoo.miniature import vocabularies
from zoo.miniature.lexicon import Language
from zoo.miniature.repository import Repository
from zoo.miniature.vocabularies import MAX_LENGTH, TokenizerFamily
from zoo.miniature.withcode import BUNDLES, files_with_code
from zoo.recipe.schema import Architecture

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

Module = Literal["mean", "cls", "dense", "normalize"]

LAYERS, HEADS, FEED_FORWARD = 2, 12, 512  # fewer heads where the width has no twelfth
NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}  # a third of a CPU step; too few steps to need it

CARD = """---
license: apache-2.0
language: {language}
tags: [zoo-miniature]
---
# A miniature stand-in for {id}

Random weights in two layers, made by `zoo` from a seed, so that recipes can be rehearsed without a network. This is
**not** the real model: it has the same architecture, tokenizer family and width, and has learnt nothing.
"""


def stand_in(
    model_id: str,
    revision: str | None,
    *,
    architecture: Architecture,
    tokenizer: TokenizerFamily,
    modules: Sequence[Module] = (),
    width: int,
    language: Language = "ar",
    seed: int = 0,
) -> Repository:
    """A model repository; the same bytes for the same arguments. It brings no prompts: recipes lay them over.

    Args:
        modules: what sentence-transformers puts after the transformer, pooling first; () makes a plain transformers
            repository. Those that bring code are such.
        width: of the embeddings.
    """
    card = {"README.md": CARD.format(id=model_id, language=language).encode()}
    if architecture in BUNDLES:
        with torch_seeded(f"{seed} {model_id}"), quiet():
            made = files_with_code(
                architecture, tokenizer, width=width, heads=_heads(width), language=language, seed=seed
            )
        return Repository("model", model_id, revision, made | card)
    words = vocabularies.tokenizer(tokenizer, language, seed=seed)
    with TemporaryDirectory() as folder, torch_seeded(f"{seed} {model_id}"), quiet():
        saved = _save_transformer(Path(folder, "transformer"), _config(architecture, words, width), words)
        saved = _save_modules(saved, Path(folder, "sentence"), modules, width) if modules else saved
        files = {path.relative_to(saved).as_posix(): path.read_bytes() for path in _files(saved)}
    return Repository("model", model_id, revision, files | card)


def _heads(width: int) -> int:
    return next(heads for heads in range(HEADS, 0, -1) if width % heads == 0)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def quiet() -> Iterator[None]:
    """Show no progress bars and no advice of transformers inside the block, for files that take a moment."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it recommends sacremoses
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def torch_seeded(name: str) -> Iterator[None]:
    """Seed torch's random numbers from a name inside the block; the caller's random state is restored."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]))
        yield


def _config(architecture: Architecture, words: PreTrainedTokenizerBase, width: int) -> PretrainedConfig:
    from transformers import BertConfig, RobertaConfig, XLMRobertaConfig

    configs = {"bert": BertConfig, "roberta": RobertaConfig, "xlm-roberta": XLMRobertaConfig}
    # RoBERTa counts positions from the padding id, so it needs two more of them.
    shape = {"max_position_embeddings": MAX_LENGTH + (0 if architecture == "bert" else 2)}
    types = {"type_vocab_size": 2 if architecture == "bert" else 1}
    return configs[architecture](
        vocab_size=len(words),
        hidden_size=width,
        num_hidden_layers=LAYERS,
        num_attention_heads=_heads(width),
        intermediate_size=FEED_FORWARD,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        **shape,
        **types,
        **NO_DROPOUT,
    )


def _save_transformer(folder: Path, config: PretrainedConfig, words: PreTrainedTokenizerBase) -> Path:
    from transformers import AutoModel

    AutoModel.from_config(config, trust_remote_code=False).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _save_modules(transformer: Path, folder: Path, modules: Sequence[Module], width: int) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer

    safe = {"trust_remote_code": False}
    first = Transformer(str(transformer), model_kwargs=safe, processor_kwargs=safe, config_kwargs=safe)
    model = SentenceTransformer(modules=[first, *(_module(name, width) for name in modules)], **safe)
    model.save(str(folder), create_model_card=False)
    return folder


def _module(name: Module, width: int) -> nn.Module:
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling

    made: dict[Module, Callable[[], nn.Module]] = {
        "mean": lambda: Pooling(width, pooling_mode="mean"),
        "cls": lambda: Pooling(width, pooling_mode="cls"),
        "dense": lambda: Dense(width, width),  # tanh is its default, as in LaBSE
        "normalize": Normalize,
    }
    return made[name]()
