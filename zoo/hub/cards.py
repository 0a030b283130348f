"""What does a README.md say about its repository? The YAML on top, its mistakes, and the tags that follow from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import yaml

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\r?\n(?P<yaml>.*?)(?:\r?\n)?---[ \t]*(?:\r?\n|$)(?P<body>.*)", re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*|code|multilingual")
_MAX_YAML = 1 << 20  # characters
_MAX_DEPTH = 50  # levels; YAML that can just be read may be too deep to be written again
_MAX_BITS = 1024  # of a number; Python refuses to write down much larger ones
_MAX_VALUES = 100_000  # with every alias written out: a few lines of them can stand for billions
_LICENSES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
    bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc
    cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0
    cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c
    ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa
    unlicense zlib pddl lgpl-lr deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1
    llama3.2 llama3.3 llama4 grok2-community gemma unknown other
"""
LICENSES = tuple(_LICENSES.split())
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
        ValueError: not YAML; the message is one line.
    """
    if len(text) > _MAX_YAML:
        raise ValueError(f"the YAML has more than {_MAX_YAML} characters")
    try:
        return _plain(_loaded(text), iter(range(_MAX_VALUES)), _MAX_DEPTH)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _loaded(text: str) -> object:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    except (ArithmeticError, AttributeError, LookupError) as error:  # from PyYAML, for `!!timestamp x`, `!!bool x`
        raise ValueError(f"a value is not what it claims to be: {error}") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """PyYAML's safe one, which stops at so many values: it takes a kilobyte for each before any can be counted."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next value, as PyYAML composes it."""
        self.nodes += 1
        if self.nodes > _MAX_VALUES:
            raise ValueError(f"the YAML has more than {_MAX_VALUES} values")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _plain(value: object, budget: Iterator[int], depth: int) -> object:
    if next(budget, None) is None:
        raise ValueError(f"the YAML has more than {_MAX_VALUES} values")
    if not depth:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {str(_plain(key, budget, depth - 1)): _plain(inner, budget, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner, budget, depth - 1) for inner in value]
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise ValueError("the YAML has a number that is too large")
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value).encode("utf-8", "replace").decode()


def split(card: str) -> tuple[str | None, str]:
    """Split a card into its YAML (None when there is none) and the Markdown below."""
    match = _FRONT_MATTER.match(card)
    return (match["yaml"], match["body"]) if match else (None, card)


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


def validate(card: str) -> tuple[list[str], list[str]]:
    """Check a card's YAML: (errors, warnings), worded as the Hub words them."""
    text, _ = split(card)
    if text is None:
        return [], ["empty or missing yaml metadata in repo card"]
    try:
        data = parse_yaml(text)
    except ValueError as error:
        return [str(error)], []
    if not isinstance(data, dict):
        return ['"metadata" must be an object'], []
    return list(_errors(data)), list(_warnings(data))


def _errors(data: Mapping[str, object]) -> Iterator[str]:
    for name in _listed(data.get("license")):
        if name not in LICENSES:
            yield f'"license" must be one of [{", ".join(LICENSES)}]'
    for key in ("tags", "datasets", "model-index", "configs"):
        if data.get(key) is not None and not isinstance(data[key], list | str | dict):
            yield f'"{key}" must be an array'
    for position, model in enumerate(_listed(data.get("model-index"))):
        yield from _model_index_errors(model, f"model-index[{position}]")


def _model_index_errors(model: object, where: str) -> Iterator[str]:
    if not isinstance(model, dict):
        yield f'"{where}" must be of type object'
        return
    if not model.get("name"):
        yield f'"{where}.name" is required'
    for position, result in enumerate(_listed(model.get("results"))):
        for part, key in (("task", "type"), ("dataset", "type"), ("dataset", "name")):
            section = result.get(part) if isinstance(result, dict) else None
            if not isinstance(section, dict) or not section.get(key):
                yield f'"{where}.results[{position}].{part}.{key}" is required'


def _warnings(data: Mapping[str, object]) -> Iterator[str]:
    for language in _listed(data.get("language")):
        if not _LANGUAGE.fullmatch(str(language)):
            yield f'"language" "{language}" is not an ISO 639 code in lower case'


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
