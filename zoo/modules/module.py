"""What a pooling and a module are: decorated functions that make modules of sentence-transformers for a width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import TypeAdapter

from zoo.errors import TrainError
from zoo.options import Chosen, Entry, Options, options_of, require_name, sentence
from zoo.registry import Registry, blamed

if TYPE_CHECKING:
    from torch import nn

F = TypeVar("F", bound=Callable[..., Any])

POOLINGS: Registry[Entry] = Registry("pooling", extensible=True)
MODULES: Registry[Entry] = Registry("module", extensible=True)

PoolingSpec = Annotated[Any, Chosen(POOLINGS)]
ModuleSpec = Annotated[Any, Chosen(MODULES)]
_POOLING: TypeAdapter[Options] = TypeAdapter(PoolingSpec)
_MODULE: TypeAdapter[Options] = TypeAdapter(ModuleSpec)
SAFE = "sentence_transformers."  # what readers can load without running code of ours
SEED = 42  # of new weights, so that a base model is the same model every time it is loaded


def pooling(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: one vector from those of the tokens."""
    return _adding(POOLINGS, name)


def module(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: a vector from a vector of `width`.

    An option named `out` is the width of what comes out, which the recipe's `width` is checked against.
    """
    return _adding(MODULES, name)


def _adding(registry: Registry[Entry], name: str) -> Callable[[F], F]:
    require_name(registry.kind, name)

    def add(build: F) -> F:
        says = sentence(registry.kind, name, build.__doc__)
        registry.add(name, Entry(build, options_of(registry, name, build, takes=["width"]), says))
        return build

    return add


def build_modules(pooling: Any, modules: Sequence[Any], width: int) -> list[nn.Module]:
    """The modules behind a transformer whose tokens have vectors of `width`, in their order.

    New weights are the same whenever they are made.

    Args:
        pooling: as a recipe has it: a name, or {type: name, option: value}.
        modules: the same, of what stands behind the pooling.

    Raises:
        TrainError: a module is of a class that readers of the published model would not have.
    """
    import torch

    made: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        for spec in (_POOLING.validate_python(pooling), *map(_MODULE.validate_python, modules)):
            made.append(one := _made(spec, width))
            width = _width(one) or width
    return made


def _width(made: Any) -> int | None:
    """The number of values in each vector that a module gives; None when it leaves that as it is."""
    return made.get_embedding_dimension() if hasattr(made, "get_embedding_dimension") else None


def _made(spec: Options, width: int) -> nn.Module:
    with blamed(spec.registry, spec.type, f"{spec.registry.kind} '{spec.type}'", TrainError):
        made: nn.Module = spec.registry[spec.type].build(width, **spec.given())
    if not type(made).__module__.startswith(SAFE):
        name = f"{type(made).__module__}.{type(made).__name__}"
        problem = f"{spec.registry.kind} '{spec.type}' makes a '{name}', which readers of the model do not have"
        raise TrainError(problem, hint="make one of sentence_transformers.sentence_transformer.modules")
    return made
