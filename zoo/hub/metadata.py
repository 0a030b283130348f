"""By which rules does the Hub refuse a card's metadata, or warn of it? The one place that knows them.

The local Hub answers by them; the rest of zoo asks here before anything is sent. The words are the real Hub's, as
people report them (its schema is written in Joi, its YAML is read by js-yaml); where nobody reported them they are
what Joi says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zoo.hub.frontmatter import BLOCK, BrokenYaml, KeyPath, load_yaml
from zoo.hub.vocabulary import COLORS, LANGUAGES, LICENSES, PIPELINE_TAGS, RELATIONS, SDKS, SIZES, SPECIAL_LANGUAGES

REPO_ID = r"^([A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*$"  # no \w: that takes letters of every script
LONGEST_DESCRIPTION = 60  # characters of a Space's short_description
MISSING = "empty or missing yaml metadata in repo card"
INVALID = "The YAML metadata of your README.md is invalid."

_TEXTS = ("pipeline_tag", "library_name", "thumbnail", "license_name", "license_link", "pretty_name", "new_version")
_TEXT_OR_TEXTS = ("language", "datasets", "base_model", "metrics", "models", "size_categories")
_LISTS_OF_TEXTS = ("tags", "task_categories", "task_ids")
_LISTS = ("configs", "model-index", "widget")
_SPACE_TEXTS = ("title", "emoji", "app_file", "short_description")
_PARTS = (  # of a result: key, texts that it needs, texts that it may have
    ("task", ("type",), ("name",)),
    ("dataset", ("type", "name"), ("config", "split", "revision")),
    ("source", ("url",), ("name",)),
)
_RENAMED = {"languages": "language", "licenses": "license"}
_IDS = {
    "base_model": "Use a model id from https://hf.co/models.",
    "models": "Use a model id from https://hf.co/models.",
    "datasets": "If possible, use a dataset id from https://hf.co/datasets.",
}
_NO_LANGUAGE = (
    'It must be an ISO 639-1, 639-2 or 639-3 code (two/three letters), or a special value like "code", "multilingual".'
    "\nIf you want to use BCP-47 identifiers, you can specify them in language_bcp47."
)


@dataclass(frozen=True)
class MetadataFault:
    """A place in a card's metadata that the Hub refuses, or warns of."""

    path: KeyPath
    """The key and what it holds; empty for the whole."""
    message: str
    """The Hub's words. They name the place."""
    said: str
    """Words to follow the place, with the value in quotes."""
    severity: Literal["error", "warning"] = "error"
    value: str | bool | None = None
    """What stands there, when that is a text or a truth."""
    known: Collection[str] = ()
    """What may stand there, when that is a list."""


def card_faults(card: str, kind: str) -> list[MetadataFault]:
    """Return what the Hub says of a card.

    Args:
        kind: "model", "dataset" or "space".
    """
    block = BLOCK.match(card)
    if block is None:
        return [MetadataFault((), MISSING, "there is none", "warning")]
    try:
        data = load_yaml(block["yaml"]).check_once().data
    except BrokenYaml as problem:
        return [MetadataFault((), f"Invalid YAML in README.md: {problem}", str(problem))]
    if isinstance(data, list):
        return [MetadataFault((), '"value" must be of type object', "a list where keys and values belong")]
    if not isinstance(data, dict):
        return [MetadataFault((), INVALID, "no keys and values")]
    return list(metadata_faults(data, kind))


def metadata_faults(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataFault]:
    """Return what the Hub says of metadata, as YAML loads them; also of a part of them. One fault for each place."""
    told: set[KeyPath] = set()
    for fault in _all_faults(data, kind):
        if fault.path not in told:
            told.add(fault.path)
            yield fault


def _all_faults(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataFault]:
    yield from _wrong_keys(data)
    yield from _wrong_licenses(data)
    yield from _wrong_types(data, kind)
    yield from _wrong_numbers(data)
    yield from _wrong_languages(data)
    yield from _wrong_ids(data)
    yield from _wrong_choices(data, kind)
    yield from _unofficial(data)
    for at, model in _entries((), data, "model-index"):
        yield from _wrong_index(at, model)


def label(path: KeyPath) -> str:
    """The place as the Hub writes it: model-index[0].results[1].task."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".") or "value"


def _fault(path: KeyPath, message: str, said: str, value: object = None, known: Collection[str] = ()) -> MetadataFault:
    kept = value if isinstance(value, str | bool) else None
    return MetadataFault(path, f'"{label(path)}" {message}', said, "error", kept, known)


def _no_text(path: KeyPath, value: object) -> Iterator[MetadataFault]:
    """Whatever is no text; YAML 1.1, which Python reads, takes `no` for false."""
    if value is None:
        yield _fault(path, "must be a string", "empty where a text belongs")
    elif not isinstance(value, str):
        said = f"{_shown(value)} where a text belongs"
        if isinstance(value, bool):
            said = f"YAML reads this as '{str(value).lower()}', which is no text"
        yield _fault(path, "must be a string", said, value)
    elif not value:
        yield _fault(path, "is not allowed to be empty", "empty")


def _no_list(path: KeyPath, value: object) -> Iterator[MetadataFault]:
    if not isinstance(value, list):
        yield _fault(path, "must be an array", f"{_shown(value)} where a list belongs", value)


def _shown(value: object) -> str:
    return "empty" if value is None else f"'{value}'"


def _wrong_keys(data: Mapping[Any, Any]) -> Iterator[MetadataFault]:
    for old, new in _RENAMED.items():
        if old in data:
            yield _fault((old,), f'is deprecated. Use "{new}" instead.', f"is '{new}' today", old, (new,))


def _wrong_types(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataFault]:
    for key in (*_TEXTS, *(_SPACE_TEXTS if kind == "space" else ())):
        if key in data:
            yield from _no_text((key,), data[key])
    for key in (*_TEXT_OR_TEXTS, *_LISTS_OF_TEXTS, *_LISTS):
        if key not in data:
            continue
        value = data[key]
        if key not in _TEXT_OR_TEXTS:
            yield from _no_list((key,), value)
        elif not isinstance(value, list):
            yield from _no_text((key,), value)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if key not in _LISTS:
                yield from _no_text((key, index), item)
            elif item is None:
                yield _fault((key, index), "must be of type object", "empty where keys and values belong")


def _wrong_numbers(value: object, path: KeyPath = ()) -> Iterator[MetadataFault]:
    """Numbers that JSON cannot carry, wherever they stand."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _wrong_numbers(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _wrong_numbers(inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        message = "must be a number" if math.isnan(value) else "cannot be infinity"
        yield _fault(path, message, f"'{value}' is no number that JSON can hold", value)


def _wrong_licenses(data: Mapping[Any, Any]) -> Iterator[MetadataFault]:
    if "license" not in data:
        return
    for path, value in _listed("license", data["license"]):
        if value not in LICENSES:
            said = f"{_shown(value)}: no licence of the Hub's list"
            yield _fault(path, f"must be one of [{', '.join(LICENSES)}]", said, value, LICENSES)


def _wrong_languages(data: Mapping[Any, Any]) -> Iterator[MetadataFault]:
    for path, value in _texts(data, "language"):
        known = (*LANGUAGES, *SPECIAL_LANGUAGES)
        said = f"'{value}' is no language code: two or three small letters, as 'ar' or 'arz'"
        if value != value.lower():
            yield _fault(path, "must only contain lowercase characters", said, value, known)
        elif value and value not in known and not re.fullmatch("[a-z]{3}", value):
            yield _fault(path, f'with value "{value}" is not valid. {_NO_LANGUAGE}', said, value, known)


def _wrong_ids(data: Mapping[Any, Any]) -> Iterator[MetadataFault]:
    for key, advice in _IDS.items():
        for path, value in _texts(data, key):
            if value and not re.fullmatch(REPO_ID, value):
                what = "a dataset" if key == "datasets" else "a model"
                said = f"'{value}' is no id of {what}: those are 'account/name'"
                yield _fault(path, f'with value "{value}" is not valid. {advice}', said, value)


def _wrong_choices(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataFault]:
    choices = {"sdk": SDKS, "colorFrom": COLORS, "colorTo": COLORS} if kind == "space" else {}
    for key, known in (choices | {"base_model_relation": RELATIONS}).items():
        if key in data and data[key] not in known:
            said = f"{_shown(data[key])} is none of {', '.join(known)}"
            yield _fault((key,), f"must be one of [{', '.join(known)}]", said, data[key], known)
    words = data.get("short_description") if kind == "space" else None
    if isinstance(words, str) and len(words) > LONGEST_DESCRIPTION:
        message = f"length must be less than or equal to {LONGEST_DESCRIPTION} characters long"
        said = f"has {len(words)} characters, and the Hub takes {LONGEST_DESCRIPTION}"
        yield _fault(("short_description",), message, said)


def _unofficial(data: Mapping[Any, Any]) -> Iterator[MetadataFault]:
    """Find what the Hub takes, and tells that it does not know it."""
    lists = {"pipeline_tag": PIPELINE_TAGS, "task_categories": PIPELINE_TAGS, "size_categories": SIZES}
    for key, known in lists.items():
        for path, value in _texts(data, key):
            if value and value not in known:
                name = "pipeline tag" if key == "pipeline_tag" else key
                message = f'The {name} "{value}" is not in the official list: {", ".join(known)}'
                yield MetadataFault(path, message, f"'{value}' is not in the Hub's list", "warning", value, known)


def _wrong_index(at: KeyPath, model: object) -> Iterator[MetadataFault]:
    yield from _wrong_parts(at, model, needs=("name",), lists=("results",))
    for place, result in _entries(at, model, "results"):
        yield from _wrong_parts(place, result, mappings=("task", "dataset"), lists=("metrics",))
        for key, needs, may in _PARTS:
            if isinstance(result, Mapping) and key in result:
                yield from _wrong_parts((*place, key), result[key], needs=needs, may=may)
        for spot, metric in _entries(place, result, "metrics"):
            yield from _wrong_parts(spot, metric, needs=("type",), may=("name", "config"))
            if isinstance(metric, Mapping) and metric.get("value") is None:
                yield _fault((*spot, "value"), "is required", "missing")


def _wrong_parts(
    at: KeyPath,
    parent: object,
    *,
    needs: tuple[str, ...] = (),
    may: tuple[str, ...] = (),
    mappings: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> Iterator[MetadataFault]:
    """Find what is wrong with keys and values: they need some texts, mappings and lists, and may have other texts."""
    if not isinstance(parent, Mapping):
        yield _fault(at, "must be of type object", f"{_shown(parent)} where keys and values belong", parent)
        return
    for key in (*needs, *mappings, *lists):
        if key not in parent:
            yield _fault((*at, key), "is required", "missing")
        elif key in lists:
            yield from _no_list((*at, key), parent[key])
    for key in (*needs, *may):
        if key in parent:
            yield from _no_text((*at, key), parent[key])


def _entries(at: KeyPath, parent: object, key: str) -> Iterator[tuple[KeyPath, object]]:
    """The items of a list; nothing of what is none."""
    value = parent.get(key) if isinstance(parent, Mapping) else None
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield (*at, key, index), item


def _listed(key: str, value: object) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, list):
        yield from (((key, index), item) for index, item in enumerate(value))
    else:
        yield (key,), value


def _texts(data: Mapping[Any, Any], key: str) -> Iterator[tuple[KeyPath, str]]:
    for path, value in _listed(key, data.get(key)):
        if isinstance(value, str):
            yield path, value
