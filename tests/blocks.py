"""The blocks of code in README.md and docs/, and what it takes for one to be right."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from zoo.cli import cli
from zoo.recipe import Dataset
from zoo.recipe.family import BaseFile, Family
from zoo.recipe.training import Phase

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LEFT_OUT = re.compile(r"\b([0-9a-f]{4})\.\.\.")  # the rest of a digest
EXTRAS = re.compile(r"hub-zoo\[([a-z,]+)\]")
FOREIGN = {
    "cd": "the shell's own",
    "cp": "of everybody's machine",
    "export": "the shell's own",
    "hf": "huggingface_hub's",
    "mkdir": "of everybody's machine",
    "source": "the shell's own",
    "tensorboard": "an extra's own command, which serves until it is stopped",
    "trackio": "an extra's own command, which serves until it is stopped",
}
"""{command that is neither ours nor pip's or make's: whose it is}; what it is given is not looked at."""


@dataclass(frozen=True)
class Block:
    """A block of code: its page, the line that it begins in, its language, and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that its first line says it is."""
        found = re.match(r"# ([\w./-]+\.(?:py|yaml|yml))\b(?!, under)", self.text)
        return found and found[1]


def blocks() -> list[Block]:
    """All blocks of all pages, in order."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        assert text.count("\n```") % 2 == 0, f"{page.name} has a block without an end"
        for block in re.finditer(r"^```(\S*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, block.start()) + 1
            found.append(Block(page.name, line, block[1], block[2]))
    return found


# Lines of a shell ----------------------------------------------------------------------------------------------------


def lines_of(text: str) -> list[list[str]]:
    """The commands in a block of bash, as words; what stands in <angle brackets> is one word."""
    text = re.sub(r"<[^<>\n]+>", "PLACEHOLDER", text.replace("\\\n", " "))
    found = []
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        found += [words for words in _split(list(lexer)) if words]
    return found


def _split(words: list[str]) -> Iterator[list[str]]:
    """Commands between `&&`, `;` and `|`; files behind `>` are none of their words."""
    command: list[str] = []
    words = iter(words)  # type: ignore[assignment]
    for word in words:
        if word in ("&&", ";", "|", "||"):
            yield command
            command = []
        elif word in (">", ">>", "<"):
            next(iter(words), None)
        elif command or not re.match(r"[A-Z_]+=", word):  # a variable for one command
            command.append(word)
    yield command


def wrong_with(words: list[str]) -> str | None:
    """What is wrong with a command; None when it may be typed so."""
    name = words[0]
    if name == "zoo":
        return wrong_with_zoo(words[1:])
    if name in ("uvx", "uv", "pip", "pipx"):
        at = words.index("zoo") if "zoo" in words and name == "uvx" else len(words)
        return _wrong_extras(words[:at]) or (wrong_with_zoo(words[at + 1 :]) if at < len(words) else None)
    if name == "make":
        makefile = (ROOT / "Makefile").read_text("utf-8")
        unknown = [word for word in words[1:] if "=" not in word and not re.search(rf"^{word}[:\s]", makefile, re.M)]
        return f"the Makefile has no '{unknown[0]}'" if unknown else None
    return None if name in FOREIGN else f"'{name}' is nobody's: write in tests/blocks.py whose it is"


def _wrong_extras(words: list[str]) -> str | None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = [extra for word in words for found in EXTRAS.findall(word) for extra in found.split(",")]
    unknown = [extra for extra in named if extra not in known]
    return f"there is no extra '{unknown[0]}'" if unknown else None


def command_of(words: list[str]) -> tuple[str, click.Command, list[str]]:
    """(its name, a command of zoo, the words that it gets). Options of all commands may come first."""
    words, at, names = list(words), cli, []
    command: click.Command = at
    while isinstance(command, click.Group) and words:
        word = words.pop(0)
        if word == "--hub":
            words.pop(0)
        elif word not in ("--json", "-h", "--help", "-V", "--version"):
            if word not in command.commands:
                raise click.UsageError(f"no command '{word}'")
            command = command.commands[word]
            names.append(word)
    return " ".join(names), command, words


def wrong_with_zoo(words: list[str]) -> str | None:
    """What click would say of `zoo WORDS`. Whether files are there is not asked."""
    try:
        name, command, rest = command_of(words)
        if not isinstance(command, click.Group):
            command.make_context(name, rest)
    except click.exceptions.Exit:
        return None
    except click.BadParameter as problem:
        return None if "does not exist" in problem.message else problem.format_message()
    except click.UsageError as problem:
        return problem.format_message()
    return None


# Recipes -------------------------------------------------------------------------------------------------------------


def wrong_with_recipe(text: str) -> str | None:
    """None when YAML is a recipe file or keys of one; else what is wrong with it as the most likely of them.

    A key that stands there more than once shows ways to write it, each of which must be one.
    """
    node = yaml.compose(LEFT_OUT.sub(lambda start: start[1] * 16, text), yaml.SafeLoader)
    build = yaml.SafeLoader("").construct_document
    keys = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    if len(set(keys)) == len(keys):
        return _wrong_as_any(build(node))
    ways = (yaml.MappingNode(node.tag, [pair]) for pair in node.value)
    return next(filter(None, (_wrong_as_any(build(way)) for way in ways)), None)


def _wrong_as_any(found: Any) -> str | None:
    told = [wrong_as_part(found, model) for model in (BaseFile, Dataset, Family, Phase)]
    told += [wrong_as_part(found, dict[str, Phase])]
    return min(filter(None, told), key=len) if all(told) else None


def wrong_as_part(value: Any, kind: Any) -> str | None:
    """What is wrong with keys of a file, but for those that are left out at its top."""
    if kind is Dataset and isinstance(value, dict) and not {"source", "sources"} & value.keys():
        value = {"source": {"dataset": "lab/left-out"}, **value}
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        inside = 2 if not (isinstance(kind, type) and issubclass(kind, BaseModel)) else 3
        wrong = [one for one in error.errors() if not (one["type"] == "missing" and len(one["loc"]) < inside)]
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong) or None
    return None
