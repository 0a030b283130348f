"""What a loss is: a decorated function that makes it for a model, and the rows that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from zoo.errors import TrainError
from zoo.options import Chosen, Entry, Options, chosen, options_of, place_of, sentence
from zoo.registry import Registry, blamed

if TYPE_CHECKING:
    from torch import nn

Model = Any  # a SentenceTransformer; named here without importing it
Label = Literal["class", "score"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Loss(Entry):
    """A loss and the rows it reads: `texts` columns (least, most), then a label of one kind or none."""

    texts: tuple[int, int]
    label: Label | None
    compares: bool = False
    """True when it compares the rows of a batch with each other, so that a batch of one row teaches little."""


LOSSES: Registry[Loss] = Registry("loss", extensible=True)

LossSpec = Annotated[Any, Chosen(LOSSES)]
"""A loss and its options, in a recipe and as an option of another loss."""


def loss(name: str, *, texts: tuple[int, int], label: Label | None = None, compares: bool = False) -> Callable[[F], F]:
    """Register the decorated function `(model, *, option, ...) -> nn.Module` as a loss that recipes can name.

    Args:
        name: what recipes call it.
        texts: how many text columns it reads, at least and at most.
        label: what the column after them holds: `class` (whole numbers from 0), `score` (0 to 1), or nothing.
        compares: true when it compares the rows of a batch with each other.
    """

    def add(build: F) -> F:
        says = sentence("loss", name, build.__doc__)
        LOSSES.add(name, Loss(build, options_of(LOSSES, name, build, takes=["model"]), says, texts, label, compares))
        return build

    return add


def build_loss(spec: Options, model: Model) -> nn.Module:
    """The loss that `spec` describes, over `model`.

    Raises:
        TrainError: a plugin's function fails, or makes something else.
    """
    from torch import nn

    with blamed(LOSSES, spec.type, f"loss '{spec.type}'", TrainError):
        made = LOSSES[spec.type].build(model, **spec.given())
    if not isinstance(made, nn.Module):
        problem = f"loss '{spec.type}' makes a '{type(made).__name__}', which is no torch.nn.Module"
        raise TrainError(problem, hint=f"return one in {place_of(LOSSES, spec.type)}")
    return made


@contextmanager
def losses_blamed(specs: Any, what: str) -> Iterator[None]:
    """Turn what plugins' losses raise while they are used into one sentence each, which `what` begins."""
    with ExitStack() as stack:
        for name in {one.type for one in chosen(specs) if one.registry is LOSSES}:
            stack.enter_context(blamed(LOSSES, name, f"{what}: loss '{name}'", TrainError, in_its_file=True))
        yield


def innermost(spec: Any) -> Any:
    """The loss that reads the rows: the inside of a matryoshka."""
    inner = getattr(spec, "inner", None)
    return innermost(inner) if isinstance(inner, Options) else spec
