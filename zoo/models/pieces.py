"""The subword pieces that a model's tokenizer cuts texts into, as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

UNKNOWN = "[UNK]"
"""The piece for what a tokenizer has no piece for, whatever the tokenizer calls it."""
BATCH = 256  # texts at once


def pieces(model: SentenceTransformer, texts: Sequence[str]) -> list[list[str]] | None:
    """Cut texts as the model does, without prompts and without an end; None: it has no vocabulary that can be read.

    Pieces are as the vocabulary has them ('##ها', '▁كتاب'), those of bytes as the text that they stand for. Tokens that
    every text gets, such as [CLS], are left out. What the tokenizer has no piece for is UNKNOWN.
    """
    asked = getattr(model[0], "pieces", None)
    if callable(asked):  # a model that is loaded in another process is asked there
        return asked(texts)  # type: ignore[no-any-return]
    from transformers import PreTrainedTokenizerBase

    tokenizer = model.tokenizer
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        return None
    return list(_cut(tokenizer, texts))


def _cut(tokenizer: Any, texts: Sequence[str]) -> Iterator[list[str]]:
    unknown = tokenizer.unk_token_id
    left_out = {*tokenizer.all_special_ids} - {unknown}
    read = _reading(tokenizer)
    for at in range(0, len(texts), BATCH):
        # Called, as the model calls it: what a tokenizer of its own does with a text happens in no other method.
        for row in tokenizer(list(texts[at : at + BATCH]), padding=False, truncation=False, verbose=False)["input_ids"]:
            yield [UNKNOWN if one == unknown else read(one) for one in row if one not in left_out]


def _reading(tokenizer: Any) -> Callable[[int], str]:
    """Return what gives the piece of an id. Bytes of a byte-level vocabulary become text, parts of letters '\\xd9'."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    codes = {char: byte for byte, char in bytes_to_unicode().items()} if "ByteLevel" in repr(decoder) else {}

    @cache
    def read(one: int) -> str:
        piece = str(tokenizer.convert_ids_to_tokens(one))
        known = bool(codes) and all(char in codes for char in piece)
        return bytes(codes[char] for char in piece).decode("utf-8", "backslashreplace") if known else piece

    return read
