"""What the Hub refuses or warns of in metadata, in words for people, with what was meant. The rules are zoo.hub's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from zoo.characters import brief
from zoo.errors import did_you_mean
from zoo.hub.frontmatter import KeyPath
from zoo.hub.metadata import MetadataFault, label, metadata_faults
from zoo.hub.vocabulary import LANGUAGES, LICENSES

LIBRARIES = ("sentence-transformers", "transformers", "setfit", "peft", "diffusers", "timm", "model2vec", "pylate")
ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:datasets/|models/)?([^/\s]+/[^/\s?#]+).*")
FILLERS = re.compile(r"\b(?:the|licen[cs]e|version)\b|v(?=\d)|,")
CODES = {name: code for code, name in LANGUAGES.items()}
LONGEST = 300  # characters of a sentence


@dataclass(frozen=True)
class MetadataProblem:
    """A place in metadata that the Hub refuses (an error), or takes and reads otherwise than meant (a warning)."""

    path: KeyPath
    message: str
    """Words to follow the key, with the value in quotes."""
    severity: Literal["error", "warning"]
    hint: str | None
    meant: str | None
    """The text that was meant without a doubt; None: a person must say."""

    @property
    def sentence(self) -> str:
        """The key and the message."""
        return f"{label(self.path)}: {self.message}"


def metadata_problems(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataProblem]:
    """Return what is wrong with metadata, or with a part of them.

    Args:
        data: as YAML loads them.
        kind: "model", "dataset" or "space".
    """
    for fault in metadata_faults(data, kind):
        meant = _meant(fault)
        hint = f"did you mean '{meant}'?" if meant else _hint(fault)
        if isinstance(fault.value, bool):
            hint = "write it in quotes"
        yield MetadataProblem(fault.path, brief(fault.said, LONGEST), fault.severity, hint, meant)
    yield from _quietly_taken(data, kind)


def _quietly_taken(data: Mapping[Any, Any], kind: str) -> Iterator[MetadataProblem]:
    """Return what the Hub takes without a word, and nobody means."""
    library = data.get("library_name")
    if isinstance(library, str) and library not in LIBRARIES:
        for near in get_close_matches(library, LIBRARIES, n=1, cutoff=0.9):  # 'my-transformers' is a name of its own
            message, hint = f"'{brief(library)}' is no library of the Hub", f"did you mean '{near}'?"
            yield MetadataProblem(("library_name",), message, "warning", hint, None)
    for key in ("sdk_version", "python_version") if kind == "space" else ():
        if isinstance(data.get(key), float):
            message = f"YAML reads {data[key]}: a number, which loses the last zero of 3.10"
            yield MetadataProblem((key,), message, "warning", "write it in quotes", None)


def _meant(fault: MetadataFault) -> str | None:
    key = fault.path[0] if len(fault.path) in (1, 2) else None
    if fault.value is None:
        return None
    if key == "license":
        named = _licences(fault.value)
        return named[0] if len(named) == 1 else None
    if key == "language":
        return _language(fault.value)
    if key in ("base_model", "datasets", "models"):
        found = ADDRESS.fullmatch(str(fault.value).strip())
        return found[1] if found else None
    return next((one for one in fault.known if one.lower() == _hyphened(fault.value)), None)


def _hyphened(value: object) -> str:
    return re.sub(r"[\s_-]+", "-", str(value).strip().lower())


def _licences(value: object) -> list[str]:
    """The ids that a licence's name may stand for, the newest version last: 'Apache License, Version 2.0', 'CC BY'."""
    name = _hyphened(FILLERS.sub(" ", str(value).lower()))
    if name in LICENSES:
        return [name]
    return [one for one in LICENSES if name and re.fullmatch(rf"{re.escape(name)}(-[\d.]+|\.\d)", one)]


def _language(value: object) -> str | None:
    if value is False:
        return "no"
    name = _hyphened(value)
    return name if name in LANGUAGES else CODES.get(name)


def _hint(fault: MetadataFault) -> str | None:
    value = _hyphened(fault.value) if isinstance(fault.value, str) else ""
    if fault.path[:1] == ("language",) and isinstance(fault.value, str):
        first = value.split("-")[0]
        near = [CODES[name] for name in get_close_matches(value, CODES, n=1)]
        code = first if re.fullmatch("[a-z]{2,3}", first) and first != value else next(iter(near), None)
        return f"did you mean '{code}'?" if code else None
    if fault.path[:1] == ("license",) and (named := _licences(fault.value)):
        return f"did you mean '{named[-1]}'?"
    return did_you_mean(value, fault.known)


def as_the_hub(key: str, kind: str = "model") -> Callable[[object], object]:
    """A check for pydantic: the value itself, when the Hub takes it for a key of metadata.

    Its ValueError says what is wrong, and what was meant.
    """

    def check(value: object) -> object:
        for problem in metadata_problems({key: value}, kind):
            if problem.severity == "error":
                raise ValueError("; ".join(filter(None, [problem.message, problem.hint])))
        return value

    return check
