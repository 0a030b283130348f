"""Which parts of code are keywords, texts, comments? Lines cut into coloured pieces, within limits of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_BY_ENDING = {
    "py": "python", "json": "json", "jsonl": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "sh": "bash",
    "html": "html", "css": "css", "js": "javascript", "cff": "yaml", "bib": "bibtex", "tex": "latex", "ini": "ini",
}  # fmt: skip
_NAMES = {*_BY_ENDING.values(), "xml", "diff"}
_OTHER_NAMES = {"py": "python", "sh": "bash", "shell": "bash", "console": "bash", "yml": "yaml", "js": "javascript"}
KINDS = ("k", "s", "c", "m", "f")  # classes in the style sheet: keyword, string, comment, number, function
_MAX_TEXT, _MAX_LINE = 100_000, 2_000  # characters; a lexer's time can grow with the square of a line's length
_MAX_SECONDS = 1.0

Pieces = list[tuple[str, str]]


def pieces(text: str, name: str) -> list[Pieces] | None:
    """[(class, text), ...] of every line; None when the language is not known, or it would take long.

    Args:
        name: of a file, by whose ending the language is known, or of a language.
    """
    lexer = _lexer(name)
    if lexer is None or len(text) > _MAX_TEXT or max(map(len, text.split("\n"))) > _MAX_LINE:
        return None
    lines: list[Pieces] = [[]]
    for kind, piece in _within_time(lexer, text):
        first, *others = piece.split("\n")
        lines[-1].append((kind, first))
        lines += [[(kind, other)] for other in others]
    return [[(kind, piece) for kind, piece in line if piece] for line in lines]


def code_html(code: str, name: str) -> str:
    """The HTML of code with its classes; empty when the language is not known, or it would take long."""
    lines = pieces(code, name) or []
    marked = [_marked(kind, text) for line in lines for kind, text in [*line, ("", "\n")]]
    return "".join(marked).removesuffix("\n")


def _marked(kind: str, text: str) -> str:
    return f'<span class="{kind}">{escape(text)}</span>' if kind else escape(text)


def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name

    ending = name.lower().rpartition(".")[2]
    known = _BY_ENDING.get(ending) or _OTHER_NAMES.get(ending, ending)
    return get_lexer_by_name(known, stripnl=False, ensurenl=False) if known in _NAMES else None


def _within_time(lexer: Lexer, text: str) -> Iterator[tuple[str, str]]:
    """(class, text) of each token; what is left when time is over comes without a class."""
    from pygments.token import Comment, Keyword, Name, Number, String

    classes = {Keyword: "k", String: "s", Comment: "c", Number: "m", Name.Function: "f", Name.Class: "f", Name.Tag: "k"}
    end, done = time.monotonic() + _MAX_SECONDS, 0
    for token, piece in lexer.get_tokens(text):
        done += len(piece)
        yield next((kind for of, kind in classes.items() if token in of), ""), piece
        if time.monotonic() > end:
            yield "", text[done:]
            return
