"""Writes consent into the files of base models, where nothing else changes: comments and other lines stay."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import yaml
from pydantic import ValidationError

from zoo.characters import brief
from zoo.errors import RecipeError
from zoo.hub.frontmatter import BrokenYaml, load_yaml
from zoo.recipe.family import BaseFile
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.schema import Base, Recipe
from zoo.recipe.yamlfile import parse, read_yaml, shown

KEY, PIN = "remote_code", "revision"
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The end of a line, as YAML has it."""
Edit = tuple[int, int, str]
"""From which character to which, and what stands there afterwards."""


def files_with_base(recipes: Path, model: str) -> dict[Path, dict[str, Any]]:
    """{path: what it says under `base`} of the files whose base model this is, also where they hold a mistake."""
    found = {}
    for path in sorted(recipes.glob("*.yaml")):
        try:
            data = load_yaml(path.read_text("utf-8-sig")).data
        except (OSError, UnicodeDecodeError, BrokenYaml):
            continue
        base = data.get("base") if isinstance(data, dict) else None
        if isinstance(base, dict) and base.get("model") == model:
            found[path] = base
    return found


def consent_in(base: dict[str, Any]) -> RemoteCode | None:
    """The consent that a file holds under `base`; None where there is none, or a malformed one."""
    try:
        return RemoteCode.model_validate(base.get(KEY))
    except ValidationError:
        return None


def require_own_consent(file: Path, recipe: Recipe, recipes: Path, typed: Collection[str]) -> None:
    """Refuse a recipe that came as a file with a consent in it which is somebody else's.

    It is the user's where its commit was typed, or where a recipe of the workspace consents to the same code.

    Args:
        recipes: the folder of the workspace's recipe files.
        typed: the commits whose code may run.

    Raises:
        RecipeError: nobody here consented to what it, or a parent of it, runs; or a commit was typed that is none of
            theirs.
    """
    told, held = shown(file), [one.base for one in recipe.lineage if one.base.remote_code]
    commits = list(dict.fromkeys(base.commit for base in held))
    if odd := [commit for commit in typed if commit not in commits]:
        known = " ".join(f"--trust {commit}" for commit in commits)
        what = f"{told} holds no consent to commit '{brief(odd[0])}'"
        raise RecipeError(f"--trust: {what}", hint=f"it holds {known}" if known else "leave --trust out")
    theirs = [base for base in held if base.commit not in typed and not _is_held(recipes, base)]
    if theirs:
        model, commit = theirs[0].model, theirs[0].commit
        problem = f"{told} came with consent to run code of '{model}', which somebody else gave"
        options = "".join(f" --trust {one}" for one in dict.fromkeys([*typed, *(str(base.commit) for base in theirs)]))
        way = f"zoo build --recipe {quote(str(file))}{options}"
        raise RecipeError(problem, hint=f"read it: zoo trust {model} --revision {commit}; then {way}")


def _is_held(recipes: Path, base: Base) -> bool:
    """True when a recipe file of the workspace consents to the same files of the same commit."""
    assert base.remote_code is not None
    wanted = base.remote_code.model_copy(update={"license": None})
    held = (consent_in(found) for found in files_with_base(recipes, base.model).values())
    return any(one.model_copy(update={"license": None}) == wanted for one in held if one)


def put_consent(path: Path, consent: RemoteCode) -> None:
    """Write consent into the file of a base model, over an earlier one, and correct its revision if it is another.

    The file is replaced at once, or not at all.

    Raises:
        RecipeError: the file has mistakes besides, or is written so that nothing can be put there.
    """
    path = path.resolve()
    before = path.read_bytes().decode("utf-8")
    after = _edited(before, consent)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(after.encode())
        if not _is_meant(after, _wanted(before, consent)):
            hint = f"put it there by hand:\n{consent_block(consent)}"
            raise RecipeError(f"no place for `{KEY}` was found under `base` in {shown(path)}", hint=hint)
        _require_right(path, partial)
        shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _require_right(path: Path, partial: Path) -> None:
    """Refuse a file that would not load afterwards, in words that name the file and not its copy."""
    try:
        parse(BaseFile, read_yaml(partial))
    except RecipeError as problem:
        told = problem.message.replace(shown(partial), shown(path))
        raise RecipeError(told, hint=f"edit {shown(path)}, then give consent again") from None


def _meant(text: str) -> Any:
    return load_yaml(text.removeprefix("\ufeff")).data


def _is_meant(text: str, wanted: Any) -> bool:
    try:
        return bool(_meant(text) == wanted)
    except BrokenYaml:
        return False


def _wanted(before: str, consent: RemoteCode) -> Any:
    data = _meant(before)
    base = {**data["base"], KEY: consent.model_dump(mode="json", exclude_none=True)}
    if base.get(PIN):
        base[PIN] = consent.revision
    return {**data, "base": base}


def consent_block(consent: RemoteCode, indent: int = 2) -> str:
    """The lines of consent as they stand under `base`."""
    space = " " * indent
    lines = [f"{KEY}:", f"  revision: {_scalar(consent.revision)}"]
    lines += [f"  license: {_scalar(consent.license)}"] if consent.license else []
    lines += [
        "  files:",
        *(f"    {_scalar(path)}: {_scalar(digest)}" for path, digest in sorted(consent.files.items())),
    ]
    return "\n".join(f"{space}{line}" for line in lines)


def _scalar(text: str) -> str:
    """A text as YAML reads it as one: digits alone would be a number, also for the readers of newer YAML."""
    plain = yaml.safe_load(text) == text and not text.replace("e", "").replace(".", "").isdigit()
    return text if plain else json.dumps(text)


def _edited(text: str, consent: RemoteCode) -> str:
    root = load_yaml(text.removeprefix("\ufeff")).node
    base = next((value for key, value in _pairs(root) if key.value == "base"), None)
    if not isinstance(base, yaml.MappingNode) or not base.value:
        return text
    mark = len(text) - len(text.removeprefix("\ufeff"))
    for start, end, new in sorted(_edits(text[mark:], base, consent), reverse=True):
        text = text[: mark + start] + new + text[mark + end :]
    return text


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


class _Places:
    """The characters of a text that YAML's marks, which are lines and columns, stand for."""

    def __init__(self, text: str) -> None:
        breaks = list(BREAK.finditer(text))
        self.starts = [0, *(one.end() for one in breaks)]
        self.ends = [*(one.start() for one in breaks), len(text)]
        self.breaks = [one[0] for one in breaks]

    def at(self, mark: yaml.Mark) -> int:
        """The character at a mark."""
        return self.starts[mark.line] + mark.column

    def end(self, line: int) -> int:
        """The character behind the last one of a line."""
        return self.ends[line]


def _edits(text: str, base: yaml.MappingNode, consent: RemoteCode) -> Iterator[Edit]:
    places = _Places(text)
    keys: dict[str, tuple[yaml.Node, yaml.Node]] = {str(key.value): (key, value) for key, value in base.value}
    pin = keys.get(PIN)
    if pin and pin[1].value not in ("", "null", "~", consent.revision):
        yield places.at(pin[1].start_mark), places.at(pin[1].end_mark), _scalar(consent.revision)
    if base.flow_style:
        yield _flow_edit(places, base, keys.get(KEY), consent)
    else:
        yield _block_edit(places, keys, consent)


def _flow_edit(
    places: _Places, base: yaml.MappingNode, old: tuple[yaml.Node, yaml.Node] | None, consent: RemoteCode
) -> Edit:
    new = _in_flow(consent, base.start_mark.column + 2)
    if old:
        return places.at(old[0].start_mark), places.at(old[1].end_mark), new
    end = places.at(base.value[-1][1].end_mark)
    return end, end, f", {new}"


def _block_edit(places: _Places, keys: dict[str, tuple[yaml.Node, yaml.Node]], consent: RemoteCode) -> Edit:
    """Over the lines of an earlier consent, else behind the revision or the model, indented as they are."""
    key, value = keys.get(KEY) or keys.get(PIN) or keys["model"]
    first = key.start_mark.line
    end_of_line = next(iter(places.breaks[first:]), "\n")
    new = consent_block(consent, key.start_mark.column).replace("\n", end_of_line)
    last = max(first, _last(value).line)
    if KEY in keys:
        return places.starts[first], places.end(last), new
    return places.end(last), places.end(last), f"{end_of_line}{new}"


def _last(node: yaml.Node) -> yaml.Mark:
    """The end of what a value says: the mark of a block comes after the blank lines and comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last(node.value[-1][1])
    return node.end_mark


def _in_flow(consent: RemoteCode, column: int) -> str:
    """Consent between braces, over several lines."""
    space = "\n" + " " * column
    said = [f"revision: {_scalar(consent.revision)}"]
    said += [f"license: {_scalar(consent.license)}"] if consent.license else []
    files = ",".join(f"{space}  {_scalar(path)}: {_scalar(digest)}" for path, digest in sorted(consent.files.items()))
    return f"{KEY}: {{{', '.join(said)}, files: {{{files}}}}}"
