"""Tells people how two cards differ: the metadata key by key, the text line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import yaml

from zoo.characters import visible
from zoo.lint.front import read_front
from zoo.lint.leaks import Mask

CONTEXT = 2  # lines around a change
LONGEST = 60  # characters of a value


def split_card(card: str) -> tuple[dict[str, Any], str]:
    """Return front matter and text. Front matter that cannot be read counts as text."""
    read, body = read_front(card)
    return (read.data, card[body:]) if read.broken is None else ({}, card)


def metadata_changes(before: str, after: str) -> list[tuple[str, str, str]]:
    """Return (key path, old, new) of all metadata that differ, secrets masked; '-' where there is none."""
    mask = Mask(before, after)
    found = _differences(split_card(before)[0], split_card(after)[0], "")
    return [(visible(mask(at)), _shown(old, mask), _shown(new, mask)) for at, old, new in found]


def _differences(old: Any, new: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key, _NONE), new.get(key, _NONE), f"{at}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and at:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]")
    else:
        yield at, old, new


class _Nothing:
    pass


_NONE = _Nothing()


def _shown(value: Any, mask: Mask) -> str:
    if value is _NONE:
        return "-"
    plain = isinstance(value, str | int | float)
    text = str(value) if plain else yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6)
    text = visible(mask(text.strip()))  # before it is cut short
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def text_changes(before: str, after: str) -> list[str]:
    """Return the unified difference of what follows the front matter: lines that begin with ' ', '+', '-' or '@@'.

    Secrets in them are masked, whoever wrote them.
    """
    mask = Mask(before, after)
    old, new = (split_card(card)[1].splitlines() for card in (before, after))
    lines = list(difflib.unified_diff(old, new, n=CONTEXT, lineterm=""))
    return [visible(mask(line)) for line in lines[2:]]  # the first two would name the files


def changed_lines(before: str, after: str) -> list[str]:
    """Return both for programs: 'key: old -> new' of the metadata, then the lines of the text."""
    return [
        *(f"{key}: {old} -> {new}" for key, old, new in metadata_changes(before, after)),
        *text_changes(before, after),
    ]
