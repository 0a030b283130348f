"""What a model's tokenizer makes of texts: the pieces that the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

AT_ONCE = 256  # texts


def pieces(model: SentenceTransformer, texts: Sequence[str]) -> list[list[str]]:
    """The pieces of each text as the model reads them, cut at its `max_seq_length` and without any prompt.

    Special tokens are left out, but for the one that stands for what is unknown.

    Args:
        model: of this process, or one that a process apart has loaded.
    """
    if (elsewhere := getattr(model[0], "pieces", None)) is not None:
        found: list[list[str]] = elsewhere(texts)
        return found
    tokenizer = model.tokenizer
    if isinstance(tokenizer, Tokenizer):  # of static embeddings
        return [one.tokens for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    batches = [texts[begin : begin + AT_ONCE] for begin in range(0, len(texts), AT_ONCE)]
    return [row for batch in batches for row in _of_batch(model, tokenizer, batch)]


def _of_batch(model: SentenceTransformer, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[str]]:
    features, left_out = model.preprocess(list(texts)), _special(tokenizer)
    rows = zip(features["input_ids"].tolist(), features["attention_mask"].tolist(), strict=True)
    ids = [[one for one, read in zip(*row, strict=True) if read and one not in left_out] for row in rows]
    return [tokenizer.convert_ids_to_tokens(row) for row in ids]


def _special(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The ids of special tokens. The unknown one is none, unless it has another task as well, as GPT-2's has."""
    known = tokenizer.special_tokens_map
    others = {token for name, token in known.items() if name != "unk_token"}
    kept = {tokenizer.unk_token_id} if tokenizer.unk_token not in others else set()
    return set(tokenizer.all_special_ids) - kept
