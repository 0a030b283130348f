"""Rotary positions as complex numbers."""

import torch


def precompute_freqs_cis(dim: int, end: int, theta: float = 10000.0) -> torch.Tensor:
    """The rotation of every pair of numbers at every position: (end, dim // 2) complex64 of length 1."""
    speeds = 1.0 / theta ** (torch.arange(0, dim, 2)[: dim // 2].float() / dim)
    angles = torch.outer(torch.arange(end).float(), speeds)
    return torch.polar(torch.ones_like(angles), angles)


def apply_rotary_emb(
    queries: torch.Tensor, keys: torch.Tensor, freqs_cis: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotate queries and keys, both (batch, length, heads, dim), by rotations (batch, length, pairs)."""
    turned = freqs_cis.unsqueeze(2)
    return _rotated(queries, turned), _rotated(keys, turned)


def _rotated(vectors: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    pairs = torch.view_as_complex(vectors.float().reshape(*vectors.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turned).flatten(3).type_as(vectors)
