"""What a loss is: a decorated function that makes it for a model, and the rows that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from zoo.errors import TrainError
from zoo.options import Chosen, Entry, Options, chosen, options_of, place_of, sentence
from zoo.registry import RegistrationError, Registry, blamed

if TYPE_CHECKING:
    from torch import nn

Model = Any  # a SentenceTransformer; named here without importing it
Label = Literal["class", "score"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Loss(Entry):
    """A loss and the rows it reads: `texts` columns (least, most), then a label of one kind or none.

    `any_size`: it takes embeddings that are cut. `least_rows`: batches of fewer rows teach it nothing.
    """

    texts: tuple[int, int]
    label: Label | None
    any_size: bool = True
    least_rows: int = 1


LOSSES: Registry[Loss] = Registry("loss", extensible=True)

LossSpec = Annotated[Any, Chosen(LOSSES)]
"""A loss and its options, in a recipe and as an option of another loss."""


def loss(
    name: str,
    *,
    texts: tuple[int, int],
    label: Label | None = None,
    any_size: bool = True,
    least_rows: int = 1,
) -> Callable[[F], F]:
    """Register the decorated function `(model, *, option, ...) -> nn.Module` as a loss that recipes can name.

    Args:
        name: what recipes call it.
        texts: how many text columns it reads, at least and at most.
        label: what the column after them holds: `class` (whole numbers from 0), `score` (0 to 1), or nothing.
        any_size: False where it has parameters as wide as the model, so that it cannot stand in a `matryoshka`.
        least_rows: the fewest rows of a batch from which it learns: 2 where it compares them with each other.

    Raises:
        RegistrationError: it is not given as it must be.
    """
    if label is not None and label not in get_args(Label):
        raise RegistrationError(f"loss '{name}' reads a label of kind '{label}'; write label=\"class\" or \"score\"")
    if not (isinstance(texts, tuple) and len(texts) == 2 and 1 <= texts[0] <= texts[1]):
        raise RegistrationError(
            f"loss '{name}' reads texts={texts}; write how many columns at least and at most: (2, 3)"
        )

    def add(build: F) -> F:
        says = sentence("loss", name, build.__doc__)
        options = options_of(LOSSES, name, build, takes=["model"])
        LOSSES.add(name, Loss(build, options, says, texts, label, any_size, least_rows))
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


def nested(spec: Any) -> list[Any]:
    """A loss and those inside of it, the outermost first; the last one reads the rows."""
    inner = getattr(spec, "inner", None)
    return [spec, *(nested(inner) if isinstance(inner, Options) else [])]


def innermost(spec: Any) -> Any:
    """The loss that reads the rows: the inside of a matryoshka."""
    return nested(spec)[-1]


def is_sized(spec: Any) -> bool:
    """True for a loss whose option `dims` is a list of sizes, or stands for the recipe's."""
    return "dims" in type(spec).model_fields and isinstance(spec.dims, list | None)


def sizes(spec: Any, default: list[int]) -> list[int] | None:
    """The sizes at which a loss trains embeddings: its option `dims`, or that of one inside; None: whole ones alone.

    Args:
        default: the recipe's dims, which stand for an option without a value.
    """
    found = next(filter(is_sized, nested(spec)), None)
    return None if found is None else default if found.dims is None else found.dims
