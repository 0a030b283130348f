"""What a model's tokenizer makes of texts: the pieces that the model reads, as people read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerBase

AT_ONCE = 256  # texts
UNKNOWN = "[UNK]"
"""The piece for what a tokenizer does not know, whatever the tokenizer calls it."""


def pieces(model: SentenceTransformer, texts: Sequence[str]) -> list[list[str]] | None:
    """The pieces of each text as the model reads them, cut at its `max_seq_length` and without any prompt.

    They are as the vocabulary has them ('##ها', '▁كتاب'), but that those of bytes are the text that they stand for (a
    part of a letter: '\\xd9'), and that what is unknown is UNKNOWN. Other special tokens are left out. None: the model
    has no vocabulary of pieces, as one that counts words.

    Args:
        model: of this process, or one that a process apart has loaded.
    """
    if (elsewhere := getattr(model[0], "pieces", None)) is not None:
        found: list[list[str]] | None = elsewhere(texts)
        return found
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

    tokenizer = model.tokenizer
    if isinstance(tokenizer, Tokenizer):  # of static embeddings
        return [one.tokens for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        return None
    read, batches = _reading(tokenizer), [texts[begin : begin + AT_ONCE] for begin in range(0, len(texts), AT_ONCE)]
    return [[read(one) for one in row] for batch in batches for row in _ids(model, tokenizer, batch)]


def _ids(model: SentenceTransformer, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    features, left_out = model.preprocess(list(texts)), _special(tokenizer)
    rows = zip(features["input_ids"].tolist(), features["attention_mask"].tolist(), strict=True)
    return [[one for one, seen in zip(*row, strict=True) if seen and one not in left_out] for row in rows]


def _special(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The ids of special tokens. The unknown one is none, unless it has another task as well, as GPT-2's has."""
    known = tokenizer.special_tokens_map
    others = {token for name, token in known.items() if name != "unk_token"}
    kept = {tokenizer.unk_token_id} if tokenizer.unk_token not in others else set()
    return set(tokenizer.all_special_ids) - kept


def _reading(tokenizer: Any) -> Callable[[int], str]:
    """Return what gives the piece of an id. Bytes of a byte-level vocabulary become text."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    codes = {char: byte for byte, char in bytes_to_unicode().items()} if "ByteLevel" in repr(decoder) else {}

    @cache
    def read(one: int) -> str:
        piece = UNKNOWN if one == tokenizer.unk_token_id else str(tokenizer.convert_ids_to_tokens(one))
        known = bool(codes) and all(char in codes for char in piece)
        return bytes(codes[char] for char in piece).decode("utf-8", "backslashreplace") if known else piece

    return read
