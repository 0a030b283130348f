"""What is in a file of weights? Names, shapes and types of its tensors, read from the header that it begins with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from zoo.hub.calls import parse_object
from zoo.hub.errors import RefusalError

_MAX_HEADER = 4 << 20  # bytes
_MAX_DIMENSIONS, _MAX_SIZE, _MAX_TYPE = 16, 1 << 50, 20
SHOWN = 500


@dataclass(frozen=True)
class Tensor:
    """A tensor as the header tells of it: what it is called, its type such as F32, and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """The number of values in it."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Weights:
    """The tensors of a file in the safetensors format, in the order of their names, and what it says beside."""

    tensors: list[Tensor]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """The number of values in the file."""
        return sum(tensor.parameters for tensor in self.tensors)

    @property
    def types(self) -> dict[str, int]:
        """{type: number of values that have it}, the most frequent first."""
        count: Counter[str] = Counter()
        for tensor in self.tensors:
            count[tensor.dtype] += tensor.parameters
        return dict(count.most_common())


def read_weights(file: BinaryIO, size: int) -> Weights:
    """The tensors in a safetensors file of `size` bytes. Only the header is read.

    Raises:
        ValueError: it has no such header, or one of more than 4 MB; the message is a sentence for people.
    """
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= size - 8:
        raise ValueError("The header of this file is broken: it says that it is longer than the file.")
    if length > _MAX_HEADER:
        raise ValueError(f"The header of this file has {length} bytes, too many to be shown here.")
    try:
        header = parse_object(file.read(length), "the header")
    except RefusalError as error:
        raise ValueError(f"The header of this file is broken: {error.message}.") from None
    metadata = header.pop("__metadata__", {})
    texts = {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}
    return Weights([_tensor(name, header[name]) for name in sorted(header)], texts)


def _tensor(name: str, facts: object) -> Tensor:
    dtype, shape = (facts.get("dtype"), facts.get("shape")) if isinstance(facts, dict) else (None, None)
    if not (isinstance(dtype, str) and len(dtype) <= _MAX_TYPE and isinstance(shape, list) and _possible(shape)):
        raise ValueError(f"The header of this file is broken: it does not say what tensor '{name[:80]}' is.")
    return Tensor(name, dtype, tuple(shape))


def _possible(shape: list[object]) -> bool:
    """True when a tensor can have this shape: not many dimensions, each a whole number from 0 on."""
    return len(shape) <= _MAX_DIMENSIONS and all(type(one) is int and 0 <= one < _MAX_SIZE for one in shape)
