"""The sentences that stand under keys in the code, for those who write recipe files: in the schema and in its docs."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from zoo.losses.words import SHARED
from zoo.options import Options
from zoo.recipe.section import Section
from zoo.registry import EXTENSIBLE

COMMON = {
    "app": "The folder of spaces/ that is the app.",
    "description": "What it is, in a sentence.",
    "emoji": "Stands beside the title on the Hub.",
    "language": "Languages of the texts, by their codes on the Hub.",
    "license": "The id of the licence, as the Hub writes it.",
    "name": "The name, for people.",
    "repo": "The repository's name; the account is `namespace`, ZOO_NAMESPACE or the token's own.",
    "rows": "At most so many rows of a split.",
    "suite": "The suite that evaluates.",
    "suites": "Evaluation tasks under a name; `zoo ls --tasks` lists them.",
    "summary": "What it is, in a sentence or two, for the page on the Hub.",
    "tags": "Words by which the Hub finds it.",
    "title": "The heading that readers see.",
}
"""{key that several parts have: what it means in each}. A key's own sentence comes before it."""


def with_meanings(schema: dict[str, Any]) -> dict[str, Any]:
    """Put the meaning of each key into a JSON schema of recipe files, where the code tells it."""
    models = {model.__name__: model for model in _models(BaseModel)}
    options = {entry.options.__name__: entry for entry in _entries()}
    for name, definition in schema["$defs"].items():
        if entry := options.get(name):
            ours = entry.build.__module__.startswith("zoo.")  # a plugin may mean something else by the same name
            common = SHARED if ours and entry.options.registry.kind == "loss" else {}
            said = common | of_arguments(entry.build.__doc__ or "")
        else:
            said = COMMON | (of_fields(models[name]) if name in models else {})
        for key, found in definition.get("properties", {}).items():
            if key in said:
                found["description"] = said[key]
    return schema


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Sections of recipe files; options are told by the function that takes them."""
    for model in base.__subclasses__():
        if not issubclass(model, Options):
            yield model
            yield from _models(model)


def _entries() -> Iterator[Any]:
    for registry in EXTENSIBLE.values():
        yield from (entry for name in registry if hasattr(entry := registry[name], "options"))


def of_fields(model: type[BaseModel]) -> dict[str, str]:
    """{key as files have it: the docstring under the field}, those of the classes above it too."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one not in (BaseModel, Section):
            found |= _under(one)
    return {model.model_fields[name].alias or name: text for name, text in found.items() if name in model.model_fields}


def _under(model: type) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for field, said in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(said, ast.Expr):
            text = ast.literal_eval(said.value) if isinstance(said.value, ast.Constant) else ""
            found[field.target.id] = " ".join(str(text).split())
    return found


def of_arguments(docstring: str) -> dict[str, str]:
    """{argument: its sentences in the part `Args:` of a docstring}."""
    _, _, part = inspect.cleandoc(docstring).partition("\nArgs:\n")
    part = part.partition("\nRaises:")[0].partition("\nReturns:")[0]
    found = re.findall(r"^ {4}([\w, ]+): ((?:.|\n(?! {4}\S|\S))*)", part, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in found for name in names.split(", ")}
