"""Text in Markdown: whatever is no `Markdown` yet is text, and is escaped when the two meet."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from zoo.characters import clean

MARKS = re.compile(
    r"[\\`*\[\]<>|#~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word it is a letter, and ids have many
    r"|&(?=#?\w+;)"  # would become another character
    r"|^ ?[-+=](?=[-+=\s]|$)"  # a list, a rule, or a heading of the line above
)
NUMBERED = re.compile(r"^( ?\d{1,9})([.)])(?=\s|$)")
NARROW = "\u00a0"  # no line ends at this space
SITE = "https://huggingface.co"


class Markdown(Markup):
    """Text that says it is Markdown. What it is joined with is escaped, as its base class does for HTML."""

    @classmethod
    def escape(cls, text: Any, /) -> Markdown:
        """The text as Markdown: escaped, unless it is Markdown or Markup already."""
        return text if isinstance(text, Markdown) else cls(text if isinstance(text, Markup) else escaped(str(text)))


def escaped(text: str) -> str:
    """Text that shows as it is wherever it stands: it ends no cell and is neither markup nor a block's start."""
    line = re.sub(r"[\t\n ]+", " ", clean(text))
    return NUMBERED.sub(r"\1\\\2", MARKS.sub(_backslash, line))


def _backslash(found: re.Match[str]) -> str:
    return re.sub(r"(?=\S)", r"\\", found[0], count=1)


def isolated(text: object) -> Markdown:
    """Text that stands beside numbers: Arabic would draw them to its other side, and turn an interval around."""
    right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in str(text))
    shown = escaped(str(text))
    return Markdown(f"<bdi>{shown}</bdi>" if right_to_left else shown)


INTERVAL = re.compile(r"(?<=[\d‡%]) \[([-+]?[\d.]+), ([-+]?[\d.]+)\]( %)?")


def unbroken(text: str) -> Markdown:
    """A number with its interval, of ours, on one line of a table's cell however narrow: '79.05 [74.0, 83.0]'."""
    return Markdown(INTERVAL.sub(lambda found: found[0].replace(" ", NARROW), text))


def join(parts: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    """The parts in one text, as Jinja's filter of this name: Markdown as soon as one part is.

    Jinja's own would escape for HTML then.
    """
    found = [_part(part, attribute) if attribute else part for part in parts]
    if any(isinstance(part, Markup) for part in found):
        return Markdown.escape(between).join(found)
    return str(between).join(map(str, found))


def _part(part: Any, attribute: str) -> Any:
    return part[attribute] if isinstance(part, dict) else getattr(part, attribute)


def code(text: object) -> Markdown:
    """Code in a line, between more backticks than it has.

    A '|' would end a table's cell even there, so code with one is shown as plain text.
    """
    line = re.sub(r"[\t\n]", " ", clean(str(text)))
    if "|" in line or not line.strip():
        return Markdown(escaped(line))
    marks = "`" * (_longest_run(line) + 1)
    apart = " " if "`" in (line[0], line[-1]) else ""
    return Markdown(f"{marks}{apart}{line}{apart}{marks}")


def fence(text: object, language: str = "") -> Markdown:
    """A block of code on lines of its own, between more backticks than it has."""
    body = clean(str(text)).strip("\n")
    marks = "`" * max(3, _longest_run(body) + 1)
    return Markdown(f"{marks}{language}\n{body}\n{marks}")


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def string(text: object) -> Markdown:
    """The text as Python writes a string, for a snippet, whose fence no backtick of it may end."""
    return Markdown(string_of(clean(str(text))))


def string_of(data: object) -> str:
    """Data as JSON without three backticks in a row."""
    return json.dumps(data, ensure_ascii=False).replace("```", r"\u0060" * 3)


def in_shell(payload: object) -> Markdown:
    """Data as JSON that can stand between single quotes in a shell's snippet, whose fence no backtick of it may end."""
    return Markdown(string_of(payload).replace("'", r"\u0027"))


def address(url: str) -> Markdown:
    """A URL to show, with what would be markup in it percent-encoded."""
    kept = quote(url, safe="-._~:/?#@&=%+,")
    return Markdown(re.sub(r"(?<![^\W_])_|_(?![^\W_])|~|&(?=#?\w+;)", lambda found: f"%{ord(found[0]):02X}", kept))


def linked(text: str, repo_id: str) -> Markdown:
    """A name of ours as a link to the dataset of that id."""
    return Markdown(f"[{escaped(text)}]({SITE}/datasets/{quote(repo_id)})")


def on_hub(repo_id: str, kind: str = "") -> Markdown:
    """A repository's id as a link to it; `kind` is datasets or spaces, and nothing for models."""
    place = "/".join(part for part in (SITE, kind, quote(repo_id)) if part)
    return Markdown(f"[{escaped(repo_id)}]({place})")
