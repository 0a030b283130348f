"""What a loss is: a decorated function that makes it for a model, and the rows that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field

from zoo.errors import TrainError
from zoo.ids import ModelRef, is_loaded
from zoo.options import Chosen, Entry, Options, chosen, options_of, place_of, sentence
from zoo.registry import OURS, RegistrationError, Registry, blamed

if TYPE_CHECKING:
    from torch import nn

Model = Any  # a SentenceTransformer; named here without importing it
Label = Literal["class", "score"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Loss(Entry):
    """A loss and the rows it reads: `texts` columns (least, most), then a label of one kind or none.

    `any_size`: it takes embeddings that are cut. `least_rows`: batches of fewer rows teach it nothing. `classes`: its
    label has so many. `cached`: it computes a batch in parts, and gradients behind its back. `by_layer`: it trains
    layers below the last one too.
    """

    texts: tuple[int, int]
    label: Label | None
    any_size: bool = True
    least_rows: int = 1
    classes: int | None = None
    cached: bool = False
    by_layer: bool = False


OTHER_LOSS = "choose another loss: `zoo ls --losses`"

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
    classes: int | None = None,
    cached: bool = False,
    by_layer: bool = False,
) -> Callable[[F], F]:
    """Register the decorated function `(model, *, option, ...) -> nn.Module` as a loss that recipes can name.

    Args:
        name: what recipes call it.
        texts: how many text columns it reads, at least and at most.
        label: what the column after them holds: `class` (whole numbers from 0), `score` (0 to 1), or nothing.
        any_size: False where it has parameters as wide as the model, so that it cannot stand in a `matryoshka`.
        least_rows: the fewest rows of a batch from which it learns: 2 where it compares them with each other.
        classes: how many a label of kind `class` must have, where the loss does not take any number.
        cached: True where it caches gradients, so that it cannot stand in a loss by layers.
        by_layer: True where it wraps a loss and reads layers of the model below the last one.

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
        entry = Loss(build, options, says, texts, label, any_size, least_rows, classes, cached, by_layer)
        LOSSES.add(name, entry)
        return build

    return add


def build_loss(spec: Options, model: Model, *, load: Callable[[ModelRef], Model] | None = None) -> nn.Module:
    """The loss that `spec` describes, over `model`.

    Args:
        load: gives the models that the loss is given beside `model`; null where it names none.

    Raises:
        TrainError: the model is of a kind that the loss refuses; or a plugin's function fails, or makes something else.
    """
    from torch import nn

    if load is not None:
        spec = _with_models(spec, load)
    with blamed(LOSSES, spec.type, f"loss '{spec.type}'", TrainError):
        try:
            made = LOSSES[spec.type].build(model, **spec.given())
        except (AssertionError, ValueError) as refused:
            if LOSSES.origin(spec.type) != OURS:
                raise
            told = str(refused).split("\n")[0] or "its first module is no transformer"
            raise TrainError(f"loss '{spec.type}' does not take this model: {told}", hint=OTHER_LOSS) from refused
    if not isinstance(made, nn.Module):
        problem = f"loss '{spec.type}' makes a '{type(made).__name__}', which is no torch.nn.Module"
        raise TrainError(problem, hint=f"return one in {place_of(LOSSES, spec.type)}")
    return made


def _with_models(spec: Options, load: Callable[[ModelRef], Model]) -> Options:
    """The loss with the models themselves in the options that its function takes as models, in those inside too."""
    found = {name: load(getattr(spec, name)) for name in _loaded(spec)}
    found |= {name: _with_models(one, load) for name, one in spec.given().items() if isinstance(one, Options)}
    return spec.model_copy(update=found)


def _loaded(spec: Options) -> list[str]:
    """The options that are models, and not the names of models."""
    fields = type(spec).model_fields
    return [name for name, one in spec.given().items() if isinstance(one, ModelRef) and is_loaded(fields[name])]


def models_of(part: Any) -> dict[ModelRef, str]:
    """{model that losses in a part of a recipe name beside the base: the first option that names it}."""
    found: dict[ModelRef, str] = {}
    for spec in chosen(part):
        for option, one in spec.given().items() if spec.registry is LOSSES else ():
            if isinstance(one, ModelRef):
                found.setdefault(one, option)
    return found


def teacher_of(spec: Any) -> ModelRef | None:
    """The model whose embeddings of the texts are a loss's labels; None where the rows have what it reads."""
    found = getattr(innermost(spec), "teacher", None)
    return found if isinstance(found, ModelRef) else None


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
