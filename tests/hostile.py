"""Texts that would do harm, and every place in a recipe file where a text may stand, found in the schema itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import find, settings
from hypothesis import strategies as some

from zoo.recipe import Dataset, Family, Recipe
from zoo.recipe.family import BaseFile, Described

# ---- texts that recipes take, and that must stay text ----

TEXTS = {
    "front matter": "\n---\nlicense: evil\n---\n",
    "document ends": "...\n--- !!map\nlicense: evil\n",
    "unclosed": ": [unclosed",
    "anchor and tag": '&anchor *alias !!python/object/apply:os.system ["x"]',
    "YAML comment": "a # b: {c, d} %e @f `g` \"h\" 'i' | j > k",
    "YAML no": "no",
    "YAML number": "0o17",
    "expression": "{{ 7*7 }}{% for x in y %}{# gone #}",
    "into Python": "{{ ''.__class__.__mro__ }}",
    "row and heading": "| a | b |\n|---|---|\n# heading",
    "setext heading": "title\n=====\nother\n-----",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "other HTML": "</div></bdi><!-- <style>*{display:none}</style> <?php ?> <![CDATA[ x ]]>",
    "links": "[click](javascript:alert(1)) ![seen](http://x/p.png) <http://x> [a][b]\n\n[b]: javascript:x",
    "out of the fence": "```\n# out of the fence\n~~~~\n````\n",
    "backticks": "`` ` ``` code `",
    "division": "</div>",
    "comment ends": "-->",
    "emphasis": "*a* __b__ _c_ **d** ~~e~~ snake_case_name a*b*c",
    "entities": "&lt;script&gt; &#60;b&#62; &amp; AT&T &copy",
    "list": "- a\n- b\n1. c\n+ d\n> e",
    "number and dot": "1. first",
    "dash": "-",
    "rule": "---",
    "backslashes": "\\# \\[a\\](b) \\",
    "indented": "    code\n\n\tmore code",
    "Arabic": "نموذج عربي: «نص» ١٢٣ (تجربة) - كَلِمات | عمود",
    "Arabic with marks": "می\u200cخواهم \u200fعربي\u200e (a) \u061c5% 👩\u200d🔬",
    "formula": "=cmd|' /C calc'!A0",
    "other formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "LaTeX": "\\input{/etc/passwd} $x$ %& #1 {~^_}",
}
LONG = "words " * 5_000 + "| end"  # 30 kB: it stands at twenty places of a recipe, and one of a megabyte is refused

# ---- texts with a character that nobody sees, which recipes refuse ----

HIDDEN = {
    "override": "safe \u202egnp.exe",
    "embedding": "\u202aa\u202bb\u202cc",
    "isolates": "عربي \u2066a\u2067b\u2068c\u2069",
    "zero width": "a\u200bdmin",
    "word joiner": "a\u2060b",
    "byte order mark": "a\ufeffb",
    "soft hyphen": "a\u00adb",
    "tags": "a\U000e0041\U000e007f",
    "escape": "\x1b[31m\x1b]0;title\x07",
    "C1 escape": "\x9b31m",
    "NUL": "a\x00b",
    "carriage return": "good\rbad ",
    "backspace": "a\x08b",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028---\u2029b",
    "half of a pair": "a\ue000b",
    "filler": "a\u3164b",
}

WORDS = "harmless words"


@dataclass(frozen=True)
class Place:
    """Where in a file a text may stand."""

    path: str
    """`space.variables.*` is a value of that mapping, `columns.<key>` a key."""
    closed: bool
    """A pattern, or a list of words, says what may stand there."""
    given: bool
    """The file that we start from has it."""
    put: Callable[[str], Any]
    """The whole file's data with the text there."""


AGAIN = re.compile(rf"(variants\.\*\.)?({'|'.join(Described.model_fields)})\b|phases\b")
"""Places in a base's file that are those of a family's again."""


def places(kind: type[Any], data: Any) -> dict[str, Place]:
    """Every one of a kind of file; where there are several alike, one that `data` has."""
    schema = _schema(kind)
    found: dict[str, Place] = {}
    for place in _places(schema, schema, data, "", lambda whole: whole):
        if kind is BaseFile and AGAIN.match(place.path):
            continue
        if place.path not in found or (place.given and not found[place.path].given):
            found[place.path] = place
    return found


@cache
def _schema(kind: type[Any]) -> Any:
    return kind.model_json_schema()


Whole = Callable[[Any], Any]


def _places(schema: Any, node: Any, data: Any, path: str, whole: Whole) -> Iterator[Place]:
    node = _follow(schema, node, data)
    kind = node.get("type")
    if kind == "string" or (kind is None and not node.keys() - {"description", "title", "default"}):
        closed = bool(node.keys() & {"pattern", "enum", "const"})
        yield Place(path, closed, data is not None, whole)
    elif kind == "array":
        first, *rest = data or [None]
        yield from _places(schema, node["items"], first, f"{path}[]", lambda one: whole([one, *rest]))
    elif kind == "object" and "properties" in node:
        yield from _in_section(schema, node, data, path, whole)
    elif kind == "object":
        yield from _in_mapping(schema, node, data or {}, path, whole)


def _in_section(schema: Any, node: Any, data: Any, path: str, whole: Whole) -> Iterator[Place]:
    around = data if data is not None else example(schema, node)
    for name, child in node["properties"].items():
        if name != "parent":  # a recipe in a recipe: the same places again
            at = f"{path}.{name}".lstrip(".")

            def with_it(one: Any, name: str = name) -> Any:
                return whole({**around, name: one})

            yield from _places(schema, child, data and data.get(name), at, with_it)


def _in_mapping(schema: Any, node: Any, data: dict[str, Any], path: str, whole: Whole) -> Iterator[Place]:
    patterns = node.get("patternProperties", {})
    child = next(iter(patterns.values()), node.get("additionalProperties"))
    child = {} if child is True else child
    closed = bool(patterns) or "propertyNames" in node
    key, value = next(iter(data.items()), (_name(node), example(schema, child)))
    others = {name: one for name, one in data.items() if name != key}
    yield Place(f"{path}.<key>", closed, bool(data), lambda one: whole({one: value, **others}))
    for name, one in (data or {key: None}).items():

        def with_value(new: Any, name: str = name) -> Any:
            return whole({**data, name: new})

        yield from _places(schema, child, one, f"{path}.*", with_value)


def _name(node: Any) -> str:
    allowed = node.get("propertyNames", {}).get("enum", ["name"])
    return str(next((matching(pattern) for pattern in node.get("patternProperties", {})), allowed[0]))


def _follow(schema: Any, node: Any, data: Any = None) -> Any:
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in node:
            node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        elif "discriminator" in node:
            choices = node["discriminator"]["mapping"]
            node = {"$ref": choices[data["type"]] if data else next(iter(choices.values()))}
        else:
            return node


def example(schema: Any, node: Any) -> Any:
    """The least that the schema takes."""
    node = _follow(schema, node)
    if "const" in node or "enum" in node:
        return node.get("const") or node["enum"][0]
    match node.get("type"):
        case "object":
            return {name: example(schema, node["properties"][name]) for name in node.get("required", [])}
        case "array":
            return [example(schema, node["items"])] if node.get("minItems") else []
        case "integer" | "number":
            return 1
        case _:
            return matching(node["pattern"]) if "pattern" in node else WORDS


@cache
def matching(pattern: str) -> str:
    return find(
        some.from_regex(pattern, fullmatch=True), lambda text: bool(text.strip()), settings=settings(database=None)
    )


# ---- the files that we start from: small, and with a text wherever one may stand and makes sense ----

PAPER = {"title": WORDS, "url": "https://example.org/paper_1", "bibtex": WORDS}
PAIRS = {"type": "text"}
SIZES = {"type": "matryoshka", "inner": {"type": "cosent"}, "dims": [64, 32]}
USES = [{"dataset": "pairs", "loss": {"type": "softmax", "num_labels": 2}}, {"dataset": "scored", "loss": SIZES}]
STAGE = {"data": USES, "dev": "scored"}
FAMILY = {
    "name": WORDS,
    "tags": [WORDS],
    "authors": [WORDS],
    "citation": WORDS,
    "examples": [WORDS, "other words"],
    "paper": PAPER,
    "suite": "sts",
    "suites": {"sts": ["STS17-ar", "STS22-ar"]},
    "phases": {"only": STAGE},
    "scales": {"mini": {"train": {"epochs": 1}, "phases": {"only": {"epochs": 1}}}},
    "collection": {"title": WORDS, "description": WORDS},
    "space": {
        "repo": "demo",
        "app": "similarity",
        "title": WORDS,
        "emoji": WORDS,
        "summary": WORDS,
        "variables": {"A_NAME": WORDS},
    },
}
BASE = {
    "base": {"model": "lab/base", "width": 64, "pooling": "mean", "prompts": {"query": WORDS}, "default_prompt": None},
    "dims": [64, 32],
    "variants": {"one": {"repo": "One", "phases": ["only"], "summary": WORDS}},
}
RELEASE = {"repo": "Pairs", "title": WORDS, "summary": WORDS, "task_categories": ["sentence-similarity"]}
WORK = {"title": WORDS, "license": "apache-2.0", "terms": WORDS, "bibtex": WORDS, "url": "https://example.org/work_1"}
DATASET = {
    "source": {"dataset": "lab/pairs", "config": WORDS, "splits": {"train": WORDS}},
    "columns": {WORDS: {**PAIRS, "source": WORDS}, "b": PAIRS, "label": {"type": "class", "names": [WORDS, "other"]}},
    "release": {**RELEASE, "summary_ar": WORDS, "origins": [WORK]},
}
SCORED = {"source": {"dataset": "lab/scored"}, "columns": {"a": PAIRS, "b": PAIRS, "score": {"type": "score"}}}
RECIPE = {
    "name": "base-one",
    "base": BASE["base"],
    "dims": [64, 32],
    "datasets": {"pairs": DATASET, "scored": SCORED},
    "phases": [{**STAGE, "name": "only"}],
    "evaluation": {"suite": "sts", "tasks": ["STS17-ar"]},
    "release": {"repo": "One", "tags": [WORDS], "summary": WORDS, "paper": PAPER},
}
FILES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "family.yaml": (Family, FAMILY),
    "base.yaml": (BaseFile, BASE),
    "datasets/pairs.yaml": (Dataset, DATASET),
    "recipe.yaml": (Recipe, RECIPE),
}
PLACES = [(file, place) for file, (kind, data) in FILES.items() for place in places(kind, data).values()]
