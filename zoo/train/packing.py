"""Packed batches: the texts of a batch as one list of tokens, so that no padding is computed.

sentence-transformers has them for flash attention. Here its switch is set for an attention of ours that runs on every
device, where a probe finds that the model at hand gives the same embeddings. Nothing of a model is subclassed or
renamed, and what is saved is as it would be without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router, Transformer
from torch import Tensor, nn
from transformers import DataCollatorWithFlattening, PreTrainedTokenizerBase

from zoo.modules.module import runs_code_of_others
from zoo.train.attention import PACKED

PADDED = "sdpa"  # the attention that a model has in its place while its batches are padded
KEYS = {"cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"}  # what attention must know of a packed batch
TOLERANCE = 1e-5  # of the largest number in an embedding, with weights in fp32
TOLERANCE_OF_KERNELS = 2e-2  # in bf16, which on CUDA goes another way
PROBE_LENGTH = 512  # words, for a model that says nothing of its longest text
WORDS = ("book", "كتاب", "river", "نهر", "7", "door", "باب")


def pack(model: SentenceTransformer, *, longest: int | None = None) -> str | None:
    """Pack the batches of a model from now on, where its embeddings stay what they were.

    Call it after the model has its adapters and its `max_seq_length`. Random numbers stay as they were.

    Args:
        longest: words of the longest text that the probe reads; null = the model's `max_seq_length`.

    Returns:
        Null, or why they stay padded, in words that follow 'because'.
    """
    parts = transformers_of(model)
    if why := next((why for part in parts if (why := _unfit(part))), None if parts else "it is no transformer"):
        return why
    if all(part.can_flatten_inputs for part in parts):  # for flash attention, which sentence-transformers knows
        return None
    exact = all(one.dtype.itemsize >= 4 for one in model.parameters())
    why = _tried(model if exact else deepcopy(model).float(), longest or model.max_seq_length or PROBE_LENGTH)
    if why is None:
        pack_unchecked(model)
    return why


def pack_together(model: SentenceTransformer, *others: SentenceTransformer) -> str | None:
    """Pack a model and those that read its batches, or none of them: as `pack`, for all.

    A model that is not packed takes a packed batch for one long text, and says nothing.
    """
    for one in (model, *others):
        if why := pack(one, longest=model.max_seq_length):
            for each in (model, *others):
                unpack(each)
            return why if one is model else f"the model that its loss reads cannot be packed: {why}"
    return None


def readers(model: SentenceTransformer, losses: Iterable[nn.Module]) -> list[SentenceTransformer]:
    """Other models in these losses with the same tokenizer, whom a loss gives the batches of `model` as they are."""
    inside = {id(part): part for loss in losses for part in loss.modules() if isinstance(part, SentenceTransformer)}
    inside.pop(id(model), None)
    return [other for other in inside.values() if _vocabulary(other) == _vocabulary(model)]


def pack_unchecked(model: SentenceTransformer) -> None:
    """Pack the batches of a model that a probe has found fit before."""
    for part in transformers_of(model):
        if not part.can_flatten_inputs:  # else sentence-transformers does it itself, for flash attention
            _switch_on(part)


def unpack(model: SentenceTransformer) -> None:
    """Pad the batches of a model again; it can then be saved as one that never was packed."""
    for part in transformers_of(model):
        if part.can_flatten_inputs:
            _switch_off(part)


@contextmanager
def padded(model: SentenceTransformer) -> Iterator[None]:
    """Make a packed model, inside the block, as one that never was, so that it is saved so."""
    parts = [part for part in transformers_of(model) if part.model.config._attn_implementation == PACKED]
    for part in parts:
        _switch_off(part)
    try:
        yield
    finally:
        for part in parts:
            _switch_on(part)


def transformers_of(model: SentenceTransformer) -> list[Transformer]:
    """The modules that read a model's texts: one, or one for each route; none where any is no transformer."""
    first = getattr(model, "_orig_mod", model)[0]  # of a compiled model
    routes = [route[0] for route in first.sub_modules.values()] if isinstance(first, Router) else [first]
    return routes if all(isinstance(route, Transformer) for route in routes) else []


def probe_texts(longest: int) -> list[str]:
    """Texts of no word, one, a few, many, and so many that they are cut."""
    return [" ".join(WORDS[place % len(WORDS)] for place in range(count)) for count in (0, 1, 5, 40, longest)]


def _unfit(part: Transformer) -> str | None:
    """The reason why a module cannot be packed that is known without trying; null where there is none."""
    if runs_code_of_others(part.model):
        return "its code is of others, which knows no packed batches"
    if part.can_flatten_inputs:
        return None
    if part.unpad_inputs is False:
        return "its configuration says unpad_inputs: false"
    if (attention := part.model.config._attn_implementation) != PADDED:
        return f"its attention is '{attention}', not '{PADDED}'"
    if not isinstance(part.tokenizer, PreTrainedTokenizerBase) or list(part.modality_config) != ["text"]:
        return "it reads more than texts"
    return None if part.tokenizer("")["input_ids"] else "its tokenizer gives an empty text no token at all"


def _switch_on(part: Transformer) -> None:
    """Raises a ValueError where the model has attention of its own."""
    part.model.set_attn_implementation(PACKED)
    if part.model.config._attn_implementation != PACKED:
        raise ValueError(f"{type(part.model).__name__} has attention of its own")
    offset = part._infer_flatten_position_offset()  # RoBERTa counts positions from 2
    part.data_collator = DataCollatorWithFlattening(return_flash_attn_kwargs=True, position_ids_start=offset)
    part._flatten_position_offset = 0  # the collator has added it
    if part.model_forward_params is not None:
        part.model_forward_params |= KEYS
    part.can_flatten_inputs = True


def _switch_off(part: Transformer) -> None:
    part.can_flatten_inputs = False
    if part.model.config._attn_implementation == PACKED:
        part.model.set_attn_implementation(PADDED)
    part.preprocess([""])  # a tokenizer keeps how it padded last, and is saved with it


def _tried(model: SentenceTransformer, longest: int) -> str | None:
    """The reason why packed texts are not those that are padded; null where they are. The model is as it was then."""
    texts = probe_texts(longest)
    modes = [(module, module.training) for module in model.modules()]  # a guide's parts are not as the whole
    limits = {False: TOLERANCE, True: TOLERANCE_OF_KERNELS} if model.device.type == "cuda" else {False: TOLERANCE}
    try:
        padded = {half: _encoded(model, texts, half=half) for half in limits}
        pack_unchecked(model)
        off = {half: _distance(_encoded(model, texts, half=half), padded[half]) for half in limits}
    except Exception as error:  # noqa: BLE001 - code of others, which may raise anything
        return f"a try of it ends in '{str(error).splitlines()[0] if str(error) else type(error).__name__}'"
    else:
        wrong = [off[half] for half, limit in limits.items() if not off[half] <= limit]  # what is no number is wrong
        return f"packed embeddings are off by {wrong[0]:.0e} of the padded ones" if wrong else None
    finally:
        unpack(model)
        for module, trains in modes:
            module.training = trains


def _encoded(model: SentenceTransformer, texts: list[str], *, half: bool) -> Tensor:
    with torch.autocast(model.device.type, torch.bfloat16, enabled=half):
        found: Tensor = model.encode(texts, batch_size=2, convert_to_tensor=True, show_progress_bar=False)
    return found.float()


def _distance(found: Tensor, true: Tensor) -> float:
    return ((found - true).abs().max() / true.abs().max()).item()


def _vocabulary(model: SentenceTransformer) -> dict[str, int] | None:
    tokenizer = model.tokenizer
    return tokenizer.get_vocab() if isinstance(tokenizer, PreTrainedTokenizerBase) else None
