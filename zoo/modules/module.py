"""What a pooling and a module are: decorated functions that make modules of sentence-transformers for a width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from zoo.errors import TrainError
from zoo.options import Chosen, Entry, Options, options_of, sentence
from zoo.registry import Registry

if TYPE_CHECKING:
    from torch import nn

F = TypeVar("F", bound=Callable[..., Any])

POOLINGS: Registry[Entry] = Registry("pooling", extensible=True)
MODULES: Registry[Entry] = Registry("module", extensible=True)

PoolingSpec = Annotated[Any, Chosen(POOLINGS)]
ModuleSpec = Annotated[Any, Chosen(MODULES)]
SAFE = "sentence_transformers."  # what readers can load without running code of ours
SEED = 42  # of new weights, so that a base model is the same model every time it is loaded


def pooling(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: one vector from the tokens', each of `width`."""
    return _adding(POOLINGS, name)


def module(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: a vector from a vector of `width`.

    An option named `out` is the width of what comes out, which the recipe's `width` is checked against.
    """
    return _adding(MODULES, name)


def _adding(registry: Registry[Entry], name: str) -> Callable[[F], F]:
    def add(build: F) -> F:
        says = sentence(registry.kind, name, build.__doc__)
        registry.add(name, Entry(build, options_of(registry, name, build), says))
        return build

    return add


def build(pooling: Options, modules: Sequence[Options], width: int) -> list[nn.Module]:
    """The modules that stand behind a transformer whose tokens have vectors of `width`, in their order.

    New weights are the same whenever they are made.

    Raises:
        TrainError: a module is of a class that readers of the published model would not have.
    """
    import torch

    made: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        for spec in (pooling, *modules):
            one = spec.registry[spec.type].build(width, **spec.given())
            _require_known(spec, one)
            made.append(one)
            width = one.get_embedding_dimension() if hasattr(one, "get_embedding_dimension") else width
    return made


def _require_known(spec: Options, made: nn.Module) -> None:
    if not type(made).__module__.startswith(SAFE):
        name = f"{type(made).__module__}.{type(made).__name__}"
        problem = f"{spec.registry.kind} '{spec.type}' makes a '{name}', which readers of the model do not have"
        raise TrainError(problem, hint="make one of sentence_transformers.sentence_transformer.modules")
