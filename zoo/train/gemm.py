"""oneDNN in place of torch's default library for fp32 products, where this processor is exact and much faster with it.

torch calls the switch "bf16". On a processor without bf16 tiles (AMX) oneDNN still computes in fp32, and on some twice
as fast; with them it would really use bf16. So a product is tried before the switch is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import linear

from zoo.models.threads import one_thread

EXACT = 2e-6  # of the largest number of a product, from the product in float64
CLEARLY = 1.4
"""So many times faster it must be. Processors were seen at 1.0 to 1.2 and at 1.7 to 2.2: a noisy measurement between
does not choose, and two builds on one machine are of the same bits."""
ROUNDS = 12
SHAPE = (1024, 768, 768)  # tokens of a small batch through a layer of BERT: 15 ms
CHECKED = 64  # rows of the product


@contextmanager
def onednn(used: bool = True) -> Iterator[None]:
    """Send fp32 products on the CPU through oneDNN inside the block, if it is `used`."""
    switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    try:
        if used:
            switch.fp32_precision = "bf16"
        yield
    finally:
        switch.fp32_precision = before


@cache
def is_exact() -> bool:
    """True when a product through oneDNN is as exact as fp32 is."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    left, right = _factors()
    with onednn():
        found = linear(left, right)[:CHECKED]
    true = linear(left[:CHECKED].double(), right.double())
    return bool((found - true).abs().max() < EXACT * true.abs().max())


@cache
def factor() -> float | None:
    """Measure how many times less CPU time oneDNN takes here; null where it is not exact.

    It is the lower quartile of several rounds: on a busy machine single ones were 1.8 where quiet ones are 1.1.
    """
    if not is_exact():
        return None
    left, right = _factors()
    with one_thread():
        rounds = [(_seconds(left, right, used=False), _seconds(left, right, used=True)) for _ in range(ROUNDS)]
    return round(sorted(default / through for default, through in rounds)[ROUNDS // 4], 2)


def pays() -> bool:
    """True when oneDNN is exact and clearly faster on this machine."""
    return (factor() or 0) >= CLEARLY


def _factors() -> tuple[Tensor, Tensor]:
    rows, inner, columns = SHAPE
    numbers = torch.Generator().manual_seed(0)
    return torch.randn(rows, inner, generator=numbers), torch.randn(columns, inner, generator=numbers)


def _seconds(left: Tensor, right: Tensor, *, used: bool) -> float:
    with onednn(used):
        linear(left, right)  # the first call prepares
        begun = time.process_time()
        linear(left, right)
        return time.process_time() - begun
