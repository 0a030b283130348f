"""How alike vectors are, at every size. Knows nothing of models and pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST_DIM = 64


def usual_dims(width: int) -> tuple[int, ...]:
    """`width` and the powers of two below it, down to 64."""
    powers = (1 << power for power in range(width.bit_length(), 0, -1))
    return (width, *(dim for dim in powers if SMALLEST_DIM <= dim < width))


def unit(vectors: np.ndarray, dim: int) -> np.ndarray:
    """The first `dim` numbers of every row, (n, dim), scaled to length 1. A row of zeros stays zeros."""
    head = vectors[:, :dim]
    lengths = np.linalg.norm(head, axis=1, keepdims=True)
    return head / np.where(lengths > 0, lengths, 1)


def similarities(vectors: np.ndarray, dims: Sequence[int]) -> dict[int, float]:
    """Cosine (-1 … 1) of two rows at every dim."""
    return {dim: float(np.clip(np.dot(*unit(vectors, dim)), -1, 1)) for dim in dims}
