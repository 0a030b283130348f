"""Losses that recipes name. To add one: one decorated function here.

The function's keyword arguments are the loss's options in a recipe: their names, types and defaults become its schema,
so a misspelt option is found before torch is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, create_model

from zoo.registry import Registry

if TYPE_CHECKING:
    from torch import nn

Model = Any  # a SentenceTransformer; named here without importing it
Label = Literal["class", "score"]


class Options(BaseModel):
    """The part of a recipe that configures one loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str


@dataclass(frozen=True)
class Loss:
    """A loss and the rows it reads: `texts` columns (least, most), then a label of one kind or none."""

    build: Callable[..., nn.Module]
    options: type[Options]
    texts: tuple[int, int]
    label: Label | None


LOSSES: Registry[Loss] = Registry("loss")

Inner = Annotated[Any, "replaced by any registered loss"]


def register(
    name: str, *, texts: tuple[int, int], label: Label | None = None
) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    def add(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        LOSSES.add(name, Loss(build, _options(name, build), texts, label))
        return build

    return add


def _options(name: str, build: Callable[..., Any]) -> type[Options]:
    hints = get_type_hints(build, {**globals(), "nn": SimpleNamespace(Module=Any)}, include_extras=True)
    fields: dict[str, Any] = {"type": (Literal[name], ...)}
    for option in inspect.signature(build).parameters.values():
        if option.kind is option.KEYWORD_ONLY:
            kind = "LossSpec" if hints[option.name] is Inner else hints[option.name]
            fields[option.name] = (kind, ... if option.default is option.empty else option.default)
    return create_model(f"{name.title().replace('_', '')}Loss", __base__=Options, __module__=__name__, **fields)


def build(spec: Options, model: Model) -> nn.Module:
    """The loss that `spec` describes, over `model`."""
    options = {name: getattr(spec, name) for name in type(spec).model_fields if name != "type"}
    return LOSSES[spec.type].build(model, **options)


@register("mnrl", texts=(2, 3))
def mnrl(model: Model, *, scale: PositiveFloat = 20.0) -> nn.Module:
    """(anchor, positive[, negative]): every other row of the batch is a negative too."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    loss: nn.Module = MultipleNegativesRankingLoss(model, scale=scale)
    return loss


@register("matryoshka", texts=(1, 3))
def matryoshka(model: Model, *, inner: Inner, dims: list[PositiveInt] | None = None) -> nn.Module:
    """`inner` at each of `dims` (default: the recipe's); GATE paper, equation 1."""
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss

    loss: nn.Module = MatryoshkaLoss(model, build(inner, model), matryoshka_dims=dims)
    return loss


@register("softmax", texts=(2, 2), label="class")
def softmax(model: Model, *, num_labels: PositiveInt) -> nn.Module:
    """(premise, hypothesis, class): a linear head over (u, v, |u - v|). The head has parameters of its own."""
    from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

    loss: nn.Module = SoftmaxLoss(model, model.get_embedding_dimension(), num_labels)
    return loss


@register("cosent", texts=(2, 2), label="score")
def cosent(model: Model, *, scale: PositiveFloat = 20.0) -> nn.Module:
    """(sentence, sentence, score): ranks pairs by score instead of fitting it; GATE paper, equation 3."""
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    loss: nn.Module = CoSENTLoss(model, scale=scale)
    return loss


def innermost(spec: Options) -> Options:
    """The loss that reads the rows: the inside of a matryoshka."""
    return innermost(spec.inner) if hasattr(spec, "inner") else spec


LossSpec: Any = Annotated[
    Union[tuple(LOSSES[name].options for name in LOSSES)],  # noqa: UP007 - built from the registry
    Field(discriminator="type"),
]
for _name in LOSSES:
    LOSSES[_name].options.model_rebuild(_types_namespace={"LossSpec": LossSpec})
