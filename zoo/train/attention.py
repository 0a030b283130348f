"""Attention over packed texts: one list of tokens, each of which looks at the tokens of its own text only.

Registered with transformers under PACKED, so that models use it without being changed. There is no padding to compute,
and no mask of tokens x tokens: texts of the same length go through torch's attention together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.utils import is_flash_attn_2_available

PACKED = "packed_sdpa"
"""With 'sdpa' in it transformers refuses models without such attention; with 'flash' it would look for a kernel."""

Groups = tuple[list[tuple[int, int]], Tensor, Tensor]


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    **rest: Any,
) -> tuple[Tensor, None]:
    """Attend within each text of a packed batch; a padded batch is attended to as transformers does.

    Args:
        query: (1, heads, tokens, width), as key and value.
        sliding_window: a token sees those that are fewer than so many places away; null = all of its text.
        cu_seq_lens_q: where each text begins, and last the number of tokens; null = the batch is padded.

    Returns:
        (1, tokens, heads, width), and no weights.
    """
    if cu_seq_lens_q is None:
        out, _ = sdpa_attention_forward(module, query, key, value, mask, dropout=dropout, scaling=scaling, **rest)
        return out, None
    attend = _by_kernel if query.is_cuda and has_kernel(query.dtype, drops=dropout > 0) else _by_length
    states = [one[0].transpose(0, 1) for one in (query, key, value)]
    out = attend(states, cu_seq_lens_q, dropout=dropout, scale=scaling, window=sliding_window)
    return out.unsqueeze(0), None


def packed_mask(*args: Any, attention_mask: Tensor | None = None, **options: Any) -> Tensor | None:
    """Return no mask for a packed batch, which has no attention mask: nothing of tokens x tokens is ever made."""
    return None if attention_mask is None else sdpa_mask(*args, attention_mask=attention_mask, **options)


def _by_length(
    states: Sequence[Tensor], starts: Tensor, *, dropout: float, scale: float | None, window: int | None
) -> Tensor:
    """Attend to all texts of one length at once, a length after the other. (tokens, heads, width) in and out."""
    sizes, order, back = _groups(starts)
    parts, counts = [], [length * count for length, count in sizes]
    ordered = [one.index_select(0, order).split_with_sizes(counts) for one in states]
    for (length, count), *group in zip(sizes, *ordered, strict=True):
        query, key, value = (one.unflatten(0, (count, length)).transpose(1, 2) for one in group)
        band = None if window is None or length <= window else _band(length, window, query.device)
        out = scaled_dot_product_attention(query, key, value, attn_mask=band, dropout_p=dropout, scale=scale)
        parts.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(parts).index_select(0, back)


@lru_cache(maxsize=1)  # every layer asks for those of the same tensor
def _groups(starts: Tensor) -> Groups:
    """Texts sorted by length: [(length, how many)], the order of the tokens then, and the way back."""
    lengths = starts.diff()
    sizes, rows = [], []
    for length in sorted(set(lengths.tolist())):
        first = starts[:-1][lengths == length].long()
        sizes.append((length, len(first)))
        rows.append((first[:, None] + torch.arange(length, device=starts.device)).flatten())
    order = torch.cat(rows)
    return sizes, order, order.argsort()


def _band(length: int, window: int, device: torch.device) -> Tensor:
    place = torch.arange(length, device=device)
    return (place[:, None] - place).abs() < window


def has_kernel(dtype: torch.dtype, *, drops: bool) -> bool:
    """True when CUDA has a kernel here that takes packed texts as they are; torch's own knows no dropout."""
    return dtype in (torch.float16, torch.bfloat16) and (is_flash_attn_2_available() or not drops)


def _by_kernel(
    states: Sequence[Tensor], starts: Tensor, *, dropout: float, scale: float | None, window: int | None
) -> Any:
    """Do what `_by_length` does in one call. Written from the kernels' sources and never run: no GPU was at hand."""
    query, key, value = states
    longest, width = int(starts.diff().max()), -1 if window is None else window - 1
    spans, sides = (starts, starts, longest, longest), (width, width)
    if not is_flash_attn_2_available():
        return varlen_attn(query, key, value, *spans, scale=scale, window_size=sides)
    flash = import_module("flash_attn").flash_attn_varlen_func
    return flash(query, key, value, *spans, dropout_p=dropout, softmax_scale=scale, window_size=sides)


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, packed_mask)
