"""What does a README.md say about its repository? The YAML on top, and the tags that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from zoo.hub.frontmatter import BLOCK, load_yaml

_PREFIXES = {  # card key -> prefix of its tags
    "language": "",
    "license": "license:",
    "library_name": "",
    "pipeline_tag": "",
    "datasets": "dataset:",
    "base_model": "base_model:",
    "task_categories": "task_categories:",
    "size_categories": "size_categories:",
}


def parse_yaml(text: str) -> object:
    """The document as plain JSON values: no dates, no NaN, keys are strings.

    Raises:
        ValueError: not YAML, or a key stands twice in it; the message is one line.
    """
    return _plain(load_yaml(text).check_once().data)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value).encode("utf-8", "replace").decode()


def split(card: str) -> tuple[str | None, str]:
    """Split a card into its YAML (None when there is none) and the Markdown below."""
    block = BLOCK.match(card)
    return (block["yaml"], card[block.end() :]) if block else (None, card)


def metadata(card: str) -> dict[str, object]:
    """The values in a card's YAML; empty when there is none or it is broken."""
    text, _ = split(card)
    try:
        loaded = parse_yaml(text or "")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def tags(data: Mapping[str, object]) -> list[str]:
    """Tags of a repository, in the order of the card and without repeats."""
    found = [str(tag) for tag in _listed(data.get("tags"))]
    for key, prefix in _PREFIXES.items():
        found += [prefix + str(value) for value in _listed(data.get(key))]
    return list(dict.fromkeys([*found, "region:us"]))


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
