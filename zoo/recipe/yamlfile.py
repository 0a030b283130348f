"""Recipe files: YAML in, checked sections out; all mistakes of a file at once, each with its line and key path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from zoo.characters import brief, refusal
from zoo.errors import RecipeError
from zoo.hub.frontmatter import BrokenYaml, KeyPath, load_yaml
from zoo.options import json_schema
from zoo.recipe.othernames import nearest_key
from zoo.recipe.section import ALLOWED, NAME, Section
from zoo.registry import EXTENSIBLE

LONGEST = 500  # characters of a mistake
EXAMPLES = {
    "columns": "sentence1: {type: text}",
    "from": "[0, 5]",
    "prompts": '{query: "query: "}',
    "rows": "{train: 1000}",
    "source": "{dataset: lab/my-data}",
    "splits": "{train: train, validation: dev}",
    "suites": "my-suite: [STS17-ar]",
    "train": "{epochs: 1}",
    "values": "{-1: null}",
    "variants": "my-variant: {repo: My-Model, phases: [triplets]}",
}
"""{key: what may stand there}, for those who wrote something else."""
S = TypeVar("S", bound=Section)


@dataclass
class Mistakes:
    """A collection of what is wrong with one file, to be raised all at once."""

    path: Path
    lines: dict[KeyPath, int] = field(default_factory=dict)
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, at: KeyPath, message: str) -> None:
        """Note a mistake at a key path; its line is that of the nearest key above that the file has."""
        while at and at not in self.lines:
            at = at[:-1]
        self.found.append((self.lines.get(at, 1), brief(message, LONGEST)))

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            RecipeError: there were mistakes.
        """
        if not self.found:
            return
        name = shown(self.path)
        hint = f"edit {name}, then `zoo check`"
        if missing := self._missing():
            hint = f"put the plugin that defines {' and '.join(missing)} into plugins/; or {hint}"
        if len(self.found) == 1:
            line, message = self.found[0]
            raise RecipeError(f"{name}, line {line}: {message}", hint=hint)
        listed = "\n".join(f"  line {line}: {message}" for line, message in sorted(self.found))
        raise RecipeError(f"{len(self.found)} mistakes in {name}\n{listed}", hint=hint)

    def sentences(self) -> list[str]:
        """Return what was noted: sentences that begin with the file and the line."""
        name = shown(self.path)
        return [f"{name}, line {line}: {message}" for line, message in sorted(self.found)]

    def _missing(self) -> list[str]:
        """Names that are not there and are like none that is: a plugin of another workspace may define them."""
        named = re.compile(rf"\bno ((?:{'|'.join(EXTENSIBLE)}) '[^']*'); (?!did you mean)")
        return list(dict.fromkeys(found[1] for _, message in sorted(self.found) if (found := named.search(message))))


@dataclass(frozen=True)
class SourceFile:
    """A parsed file and the line of every key in it."""

    path: Path
    data: Any
    lines: dict[KeyPath, int]

    def mistakes(self) -> Mistakes:
        """An empty collection for this file's mistakes."""
        return Mistakes(self.path, self.lines)


def name_of(path: Path) -> str:
    """The name of a recipe file, which its recipes or its dataset are called by.

    Raises:
        RecipeError: it is no name.
    """
    if not re.fullmatch(NAME, path.stem):
        problem = f"'{brief(path.name)}' in {shown(path.parent)}/ is no name: a-z, 0-9, '.' and '-' are"
        right = re.sub(r"[^a-z0-9.]+", "-", path.stem.lower()).strip(".-")
        raise RecipeError(problem, hint=f"rename it to {right}.yaml" if right else "rename that file")
    return path.stem


def read_yaml(path: Path) -> SourceFile:
    """Parse a file without building anything but plain data.

    Raises:
        RecipeError: no such file, not UTF-8, not YAML, a key that stands twice, or a character that nobody sees.
    """
    text = _text(path)
    try:
        loaded = load_yaml(text)
    except BrokenYaml as problem:
        where = f", line {problem.line}, column {problem.column}" if problem.line else ""
        sentence = f"{shown(path)}{where}: not YAML: {brief(problem.what, LONGEST)}"
        usual = "mind indentation, colons and quotes there"
        there = "".join(text.splitlines()[problem.line - 1 :][:1]) if problem.line else ""
        way = "indent with spaces there, not with tabs" if "\t" in there else usual
        raise RecipeError(sentence, hint=way) from None
    source = SourceFile(path, loaded.data, loaded.lines)
    mistakes = source.mistakes()
    for at, line, _ in loaded.twice:
        mistakes.found.append((line, f"'{brief(at[-1])}' stands twice"))
    if loaded.node is not None:
        _note_texts(loaded.node, (), mistakes)
    mistakes.check()
    return source


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"cannot read '{shown(path)}': {error.strerror}", hint="check the path") from None
    except UnicodeDecodeError as error:
        raise RecipeError(f"'{shown(path)}' is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
    mistakes = Mistakes(path)
    mistakes.found += [(at, why) for at, line in enumerate(text.split("\n"), 1) if (why := refusal(line.strip(" ")))]
    mistakes.check()
    return text


def _note_texts(node: yaml.Node, at: KeyPath, mistakes: Mistakes) -> None:
    """Note characters that nobody sees and that are written as escapes, so that the file does not hold them."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, str(key.value))
            _note_texts(key, here, mistakes)
            _note_texts(value, here, mistakes)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_texts(value, (*at, index), mistakes)
    elif why := refusal(node.value):
        mistakes.add(at, f"{key_text(at)}: {why}")


def key_text(at: KeyPath) -> str:
    """The key path as people write it: phases.triplets.data.0.loss."""
    return ".".join(brief(part) for part in at) or "the file"


def parse(kind: type[S], source: SourceFile) -> S:
    """The file's content as a section of this kind.

    Raises:
        RecipeError: with every mistake of the file.
    """
    mistakes = source.mistakes()
    try:
        return kind.model_validate(source.data)
    except ValidationError as error:
        for problem in error.errors():
            at = key_path(problem)
            mistakes.add(at, explain(at, dict(problem), kind, source.data))
    mistakes.check()
    raise AssertionError("unreachable: a ValidationError has errors")


def key_path(problem: Mapping[str, Any]) -> KeyPath:
    """The place in the file of one of pydantic's errors, without marks as pydantic's for a wrong key, '[key]'."""
    return tuple(part for part in problem["loc"] if not re.fullmatch(r"\[\w+\]", str(part)))


def explain(at: KeyPath, problem: dict[str, Any], kind: type[Section], data: Any) -> str:
    """One of pydantic's errors about `data` in our words; `at` is the key path to show."""
    key = key_text(at)
    given = "empty" if problem["input"] is None else f"'{brief(problem['input'])}'"
    match problem["type"]:
        case "extra_forbidden":
            near = nearest_key(str(at[-1]), _known_keys(kind, key_path(problem), data))
            return f"{key}: unknown key '{brief(at[-1])}'" + (f"; {near}" if near else "")
        case "missing":
            return f"{key}: missing"
        case "no_such_entry" | "no_type":
            return f"{key}: {problem['msg']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            way = _as_keys(at, problem["input"])
            return (
                f"{key}: {given} where keys and values belong{way}" if at or problem["input"] else "the file is empty"
            )
        case "string_pattern_mismatch":
            return f"{key}: {given}: {ALLOWED[problem['ctx']['pattern']]}{_without_account(at, problem['input'])}"
        case "string_type" if isinstance(problem["input"], bool | int | float | date):
            return f"{key}: {_read_as(problem['input'])}"
        case "string_type" if problem["input"] is None:
            return f"{key}: is empty; write a text, or leave it out"
        case "int_parsing" if (number := _whole_number(problem["input"])) is not None:
            return f"{key}: {given} is a text for YAML; write {number}"
        case "too_short" if not problem["input"]:
            return f"{key}: is empty; write one or more"
        case "list_type" if at[-1:] == ("from",):
            return f"{key}: {given}: write the two ends: {EXAMPLES['from']}"
        case "list_type" if isinstance(problem["input"], bool):
            read = str(problem["input"]).lower()
            return f"{key}: YAML reads this as '{read}'; write a list, and in it the word in quotes: [\"no\"]"
        case "list_type" if isinstance(problem["input"], str | int | float):
            return f"{key}: {given}: write a list: [{brief(problem['input'])}]"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}"
        case _:
            message = problem["msg"][0].lower() + problem["msg"][1:]
            return f"{key}: {given}: {message}"


def _as_keys(at: KeyPath, given: Any) -> str:
    """The way to write something with keys; empty where nobody can say."""
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        return "; take out the '-' before its keys"
    if isinstance(given, str) and at[-2:-1] == ("columns",):
        return f"; write {{type: {brief(given)}}}"
    example = EXAMPLES.get(str(at[-1])) if at else None
    return f"; write it as {example}" if example else ""


def _without_account(at: KeyPath, given: Any) -> str:
    name = str(given).rpartition("/")[2]
    return f"; write '{brief(name)}': the account is `namespace`" if at[-1:] == ("repo",) and name != given else ""


def _read_as(given: bool | float | date) -> str:
    if isinstance(given, bool):
        return f"YAML reads this as '{str(given).lower()}'; put the word in quotes"
    kind = "date" if isinstance(given, date) else "number"
    return f"'{brief(given)}' is a {kind} for YAML; write \"{brief(given)}\""


def _whole_number(text: Any) -> int | None:
    """The number that a text means which YAML does not read as one: 1e5, 50,000."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+", str(text)):
        return int(str(text).replace(",", ""))
    return int(float(text)) if re.fullmatch(r"\d{1,3}e\d{1,2}", str(text)) else None


def _known_keys(kind: type[Section], loc: KeyPath, data: Any) -> set[str]:
    """Keys that may stand beside the unknown one: follow `loc` down through the JSON schema, and `data` beside it."""
    schema = json_schema(kind)
    place: dict[str, Any] = {"$ref": f"#/$defs/{kind.__name__}"}
    for part in loc[:-1]:
        place, data = _step(_follow(schema, place, data), part), _part(data, part)
    return set(_follow(schema, place, data).get("properties", {}))


def _part(data: Any, part: str | int) -> Any:
    try:
        return data[part]
    except (KeyError, IndexError, TypeError):
        return None


def _follow(schema: dict[str, Any], place: dict[str, Any], data: Any) -> dict[str, Any]:
    """The schema that holds for `data`: behind references, and among choices the one that its `type` names."""
    if "$ref" in place:
        return _follow(schema, schema["$defs"][place["$ref"].rsplit("/", 1)[-1]], data)
    if "discriminator" in place:
        chosen = place["discriminator"]["mapping"].get(_part(data, "type"))
        return _follow(schema, {"$ref": chosen}, data) if chosen else {}
    choices = (choice for choice in place.get("anyOf", []) if choice.get("type") != "null")
    first = next(choices, None)
    return _follow(schema, first, data) if first else place


def _step(place: dict[str, Any], part: str | int) -> dict[str, Any]:
    if isinstance(part, int):
        found: dict[str, Any] = place.get("items", {})
        return found
    properties = place.get("properties", {})
    rest: Any = place.get("additionalProperties") or next(iter(place.get("patternProperties", {}).values()), {})
    chosen: dict[str, Any] = properties.get(part) or (rest if isinstance(rest, dict) else {})
    return chosen


def shown(path: Path) -> str:
    """The path as the user would type it."""
    try:
        return brief(path.resolve().relative_to(Path.cwd()), LONGEST)
    except ValueError:
        return brief(path, LONGEST)
