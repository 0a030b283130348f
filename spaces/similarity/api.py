"""What programs may ask: endpoints for gradio_client and curl, and tools of MCP. Their docstrings are what is shown."""

# No `from __future__ import annotations` here: gradio shows the types of what comes out only where they are no strings.

import inspect
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypedDict

import encoding
import gradio as gr
from about import About
from catalogue import Model, find
from gradio.context import get_blocks_context
from rankings import order, scores
from similarity import similarities
from texts import lines, pair, written
from words import SpaceError


class Comparison(TypedDict):
    """An answer: how alike two sentences are."""

    model: str
    dim: int
    score: float
    by_dim: dict[str, float]


class Ranked(TypedDict):
    """A sentence of a list, and how near it is to the query."""

    sentence: str
    score: float


class Offered(TypedDict):
    """A model of this Space."""

    model: str
    title: str
    dims: list[int]


def endpoints(about: About, offered: Sequence[Model]) -> None:
    """Offer the endpoints `/compare`, `/rank` and `/models`. Called inside a gr.Blocks."""
    example = next(((one.first, one.second) for one in about.pairs), ("", ""))
    asked, listed = next(iter(about.lists), ("", ""))
    first = offered[0].id

    async def compare(sentence1: str, sentence2: str, model: str = first, dim: int = 0) -> Comparison:
        """Compare two sentences: the cosine of their vectors, from -1 to 1, at every size of the model.

        Args:
            sentence1: A sentence of at most 5,000 characters.
            sentence2: The sentence to compare it with.
            model: The id of a model of this Space; /models lists them.
            dim: How many of a vector's first dimensions give `score`: one of the model's sizes; 0 means all.

        Returns:
            The model's id, the size, the cosine at that size, and {size: cosine} for every size.
        """
        found = find(offered, model)
        vectors = await encoding.encode(found, pair(sentence1, sentence2))
        chosen = await encoding.chosen(found, number(dim))
        at_sizes = similarities(vectors, await encoding.dims_of(found))
        by_dim = {str(size): score for size, score in at_sizes.items()}
        return Comparison(model=found.id, dim=chosen, score=at_sizes[chosen], by_dim=by_dim)

    async def rank(query: str, sentences: list[str], model: str = first, dim: int = 0) -> list[Ranked]:
        """Rank sentences by how near they are to a query, the nearest first.

        Args:
            query: A sentence of at most 5,000 characters.
            sentences: At most 100 sentences, of 5,000 characters together.
            model: The id of a model of this Space; /models lists them.
            dim: How many of a vector's first dimensions are used: one of the model's sizes; 0 means all.

        Returns:
            Every sentence with the cosine of its vector and the query's, from -1 to 1.
        """
        found = find(offered, model)
        texts = [written(query, "the query"), *listed_in(sentences)]
        chosen = await encoding.chosen(found, number(dim))
        vectors = await encoding.encode(found, texts)
        cosines = scores(vectors[0], vectors[1:], chosen)
        return [Ranked(sentence=texts[1 + index], score=float(cosines[index])) for index in order(cosines)]

    async def models() -> list[Offered]:
        """List the models of this Space, the default one first, with the sizes that each can be cut to.

        Returns:
            Every model's id, its title and its sizes, the widest first; no sizes where the Space was not told them.
        """
        return [Offered(model=one.id, title=one.title, dims=list(one.dims)) for one in offered]

    endpoint(compare, sentence1=example[0], sentence2=example[1])
    endpoint(rank, query=asked, sentences=listed.splitlines())
    endpoint(models)


def number(asked: float | str | None) -> int | None:
    """The size that was asked for, also where a program wrote it as text; None for the widest.

    Raises:
        SpaceError: it is none.
    """
    text = str(asked or "").strip().removesuffix(".0")  # JSON of some programs has no whole numbers
    if text and not re.fullmatch(r"\d{1,9}", text):
        raise SpaceError("'{dim}' is no number of dimensions", dim=text[:20])
    return int(text or 0) or None


def endpoint(function: Callable[..., Any], **examples: Any) -> None:
    """Offer a function. What its docstring says of each parameter is shown, and these values are its examples."""
    gr.api(told(function), api_name=function.__name__, concurrency_limit=None)
    boxes = list(get_blocks_context().fns.values())[-1].inputs
    for box, (parameter, text) in zip(boxes, described(function).items(), strict=True):
        describe(box, parameter, text)
        if parameter in examples:
            box.example_payload = box.example_value = lambda example=examples[parameter]: example


def describe(box: gr.components.Component, parameter: str, text: str) -> None:
    """Name a parameter in the API's page, where gradio says "1st", and tell what it is."""
    schema = {**box.api_info(), "additional_description": text}
    box.label, box.api_info = parameter, lambda: schema


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose errors programs get as their message, in English."""

    @wraps(function)
    async def answer(*values: Any, **named: Any) -> Any:
        try:
            return await function(*values, **named)
        except SpaceError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return answer


def described(function: Callable[..., Any]) -> dict[str, str]:
    """{parameter: what the docstring says of it}."""
    said = inspect.getdoc(function) or ""
    part = said.partition("Args:\n")[2].partition("\n\n")[0]
    known = dict(re.findall(r"^ +(\w+): (.+)$", part, re.MULTILINE))
    return {parameter: known[parameter] for parameter in inspect.signature(function).parameters}


def listed_in(sentences: list[str] | None) -> list[str]:
    """The sentences of a list, each with all white space made single spaces; empty ones do not count.

    Raises:
        SpaceError: it is no list of texts, is empty, or holds too much.
    """
    if not isinstance(sentences or [], list) or not all(isinstance(one, str) for one in sentences or []):
        raise SpaceError("'sentences' is not a list of texts")
    return lines("\n".join(" ".join(one.split()) for one in sentences or []))
