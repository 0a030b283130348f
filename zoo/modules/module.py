"""What an encoder, a pooling and a module are: decorated functions that make modules of sentence-transformers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import TypeAdapter

from zoo.errors import TrainError
from zoo.modules.own import own_files
from zoo.options import Chosen, Entry, Options, options_of, require_name, sentence
from zoo.registry import Registry, blamed
from zoo.run import file_digest

if TYPE_CHECKING:
    from torch import nn

F = TypeVar("F", bound=Callable[..., Any])

ENCODERS: Registry[Entry] = Registry("encoder", extensible=True)
POOLINGS: Registry[Entry] = Registry("pooling", extensible=True)
MODULES: Registry[Entry] = Registry("module", extensible=True)

EncoderSpec = Annotated[Any, Chosen(ENCODERS)]
PoolingSpec = Annotated[Any, Chosen(POOLINGS)]
ModuleSpec = Annotated[Any, Chosen(MODULES)]
_ENCODER: TypeAdapter[Options] = TypeAdapter(EncoderSpec)
_POOLING: TypeAdapter[Options] = TypeAdapter(PoolingSpec)
_MODULE: TypeAdapter[Options] = TypeAdapter(ModuleSpec)
SAFE = "sentence_transformers."  # what readers can load without running code of ours
LAID_OUT = "transformers_modules."  # where transformers puts the files that a model brings, before it imports them
SEED = 42  # of new weights, so that a base model is the same model every time it is loaded


def encoder(name: str) -> Callable[[F], F]:
    """Register the decorated function `(place, settings, *, option, ...) -> Module`: vectors of tokens, from texts.

    `settings` are the arguments by which a stock `Transformer` loads the model in `place`.
    """
    return _adding(ENCODERS, name, takes=["place", "settings"])


def pooling(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: one vector from those of the tokens."""
    return _adding(POOLINGS, name)


def module(name: str) -> Callable[[F], F]:
    """Register the decorated function `(width, *, option, ...) -> Module`: a vector from a vector of `width`.

    An option named `out` is the width of what comes out, which the recipe's `width` is checked against.
    """
    return _adding(MODULES, name)


def _adding(registry: Registry[Entry], name: str, *, takes: Sequence[str] = ("width",)) -> Callable[[F], F]:
    require_name(registry.kind, name)

    def add(build: F) -> F:
        says = sentence(registry.kind, name, build.__doc__)
        registry.add(name, Entry(build, options_of(registry, name, build, takes=takes), says))
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


def build_encoder(encoder: Any, place: str, settings: Mapping[str, Any]) -> Any:
    """The first module of a model: it reads texts, and gives a vector for each token.

    Args:
        encoder: as a recipe has it: a name, or {type: name, option: value}.
        place: of a transformers model: a folder, or an id on the Hub.
        settings: the arguments by which a stock `Transformer` loads it.

    Raises:
        TrainError: it is of a class that readers of the published model would not have.
    """
    return _made(_ENCODER.validate_python(encoder), place, settings)


def runs_code_of_others(made: object) -> bool:
    """True for a module whose class a model's own files define."""
    return type(made).__module__.startswith(LAID_OUT)


def travels(made: nn.Module) -> bool:
    """True for a module whose class is in a file of zoo's own that sentence-transformers saves with the model."""
    kind = type(made).__module__
    file = Path(getattr(sys.modules.get(kind), "__file__", None) or "")
    return runs_code_of_others(made) and file.is_file() and own_files().get(file.name) == file_digest(file)


def _width(made: Any) -> int | None:
    """The number of values in each vector that a module gives; None when it leaves that as it is."""
    return made.get_embedding_dimension() if hasattr(made, "get_embedding_dimension") else None


def _made(spec: Options, *given: Any) -> nn.Module:
    with blamed(spec.registry, spec.type, f"{spec.registry.kind} '{spec.type}'", TrainError):
        made: nn.Module = spec.registry[spec.type].build(*given, **spec.given())
    if not type(made).__module__.startswith(SAFE) and not travels(made):
        name = f"{type(made).__module__}.{type(made).__name__}"
        problem = f"{spec.registry.kind} '{spec.type}' makes a '{name}', which readers of the model do not have"
        raise TrainError(problem, hint="make one of sentence_transformers.sentence_transformer.modules")
    return made
