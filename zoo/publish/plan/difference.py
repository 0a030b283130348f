"""Tells people how two cards differ: the metadata key by key, the text line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import yaml

from zoo.characters import visible
from zoo.lint.front import read_front

CONTEXT = 2  # lines around a change
LONGEST = 60  # characters of a value


def split_card(card: str) -> tuple[dict[str, Any], str]:
    """Return front matter and text. Front matter that cannot be read counts as text."""
    read, body = read_front(card)
    return (read.data, card[body:]) if read.broken is None else ({}, card)


def metadata_changes(before: str, after: str) -> list[tuple[str, str, str]]:
    """Return (key path, old, new) of all metadata that differ; '-' where there is none."""
    return list(_differences(split_card(before)[0], split_card(after)[0], ""))


def _differences(old: Any, new: Any, at: str) -> Iterator[tuple[str, str, str]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key, _NONE), new.get(key, _NONE), f"{at}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and at:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]")
    else:
        yield visible(at), _shown(old), _shown(new)


class _Nothing:
    pass


_NONE = _Nothing()


def _shown(value: Any) -> str:
    if value is _NONE:
        return "-"
    text = visible(
        str(value)
        if isinstance(value, str | int | float)
        else yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6).strip()
    )
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def text_changes(before: str, after: str) -> list[str]:
    """Return the unified difference of what follows the front matter: lines that begin with ' ', '+', '-' or '@@'."""
    old, new = (split_card(card)[1].splitlines() for card in (before, after))
    lines = list(difflib.unified_diff(old, new, n=CONTEXT, lineterm=""))
    return [visible(line) for line in lines[2:]]  # the first two would name the files


def changed_lines(before: str, after: str) -> list[str]:
    """Return both for programs: 'key: old -> new' of the metadata, then the lines of the text."""
    return [
        *(f"{key}: {old} -> {new}" for key, old, new in metadata_changes(before, after)),
        *text_changes(before, after),
    ]
