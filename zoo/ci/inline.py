"""Text that anybody may have written, in Markdown for a page where it must not become markup or mention somebody."""

from __future__ import annotations

from zoo.characters import brief
from zoo.lint.leaks import redacted
from zoo.markdown import code

LONGEST = 500  # characters of a sentence


def inline(text: object) -> str:
    """Code in a line, also in a table, without secrets. A '|', which would end a cell, is drawn as a line."""
    return str(code(brief(redacted(str(text)), LONGEST).replace("|", "│")))
