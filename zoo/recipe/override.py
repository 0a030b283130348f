"""`--set a.b=c`: values laid over a resolved recipe, held to what recipe files are held to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from zoo.characters import brief, refusal
from zoo.errors import RecipeError
from zoo.hub.frontmatter import BrokenYaml, KeyPath, load_yaml
from zoo.recipe.check import resolved_mistakes
from zoo.recipe.othernames import nearest_key
from zoo.recipe.schema import Recipe
from zoo.recipe.section import Section
from zoo.recipe.yamlfile import explain, key_path, key_text

NO_RESULT = re.compile(r"(name|(datasets\.[^.]+\.)?release|base\.miniature|phases\.[^.]+\.train\.save_steps)(\.|$)")
"""Keys whose values change nothing of what is measured; with another one a recipe is not itself any more."""

Keys = tuple[str | int, ...]


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """`recipe` with `a.b=c` laid over it; list items go by number or by `name`. What changed is noted in `overrides`.

    Raises:
        RecipeError: no such key, or a value that does not fit.
    """
    data = _without_notes(_whole(recipe, recipe.model_dump(mode="json", by_alias=True)))
    assigned: dict[Keys, str] = {}
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        if not equals:
            raise RecipeError(
                f"'{assignment}' is not key=value", hint="for example --set phases.triplets.train.epochs=2"
            )
        keys, named = _assign(data, path, _value(value, assignment), recipe)
        assigned[keys] = named
    _dims_follow(data, recipe.dims)
    try:
        changed = Recipe.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        told = explain(key_path(problem), dict(problem), Recipe, data)
        raise RecipeError(f"--set: {told}", hint=f"zoo show {recipe.name}") from None
    if wrong := [f"{_shown(at, data)}: {problem}" for at, problem in resolved_mistakes(changed)]:
        told = wrong[0] if len(wrong) == 1 else "\n  ".join([f"{len(wrong)} mistakes", *wrong])
        raise RecipeError(f"--set: {told}", hint=f"zoo show {recipe.name}")
    was = _whole(recipe, recipe.model_dump(mode="json", by_alias=True))
    values = {named: new for keys, named in assigned.items() if (new := _at(data, keys)) != _at(was, keys)}
    return _noted(changed, recipe, values)


def _whole(value: Any, dumped: Any) -> Any:
    """What was dumped of a value, with settings that are not written where they are left alone."""
    if isinstance(value, Section):
        fields = {field.alias or name: getattr(value, name) for name, field in type(value).model_fields.items()}
        return {
            key: _whole(one, dumped[key] if key in dumped else to_jsonable_python(one)) for key, one in fields.items()
        }
    if isinstance(value, list):
        return [_whole(one, its) for one, its in zip(value, dumped, strict=True)]
    if isinstance(value, dict):
        return {key: _whole(value[key], its) for key, its in dumped.items()}
    return dumped


def _without_notes(recipe: dict[str, Any]) -> dict[str, Any]:
    """A dumped recipe without what was changed before, which no assignment can take back."""
    recipe.pop("overrides", None)
    return {**recipe, "parent": _without_notes(recipe["parent"]) if recipe["parent"] else None}


def _at(data: Any, keys: Keys) -> Any:
    """The value at a place; None where there is no such place."""
    for key in keys:
        inside = key in (data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ())
        data = data[key] if inside else None
    return data


def _noted(changed: Recipe, was: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe and its parents with what was changed of them, besides what was before."""
    before = dict(note.split("=", 1) for note in was.overrides)
    now = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items() if _counts(key)}
    notes = [f"{key}={value}" for key, value in {**before, **now}.items()]
    above = {key.removeprefix("parent."): value for key, value in values.items() if key.startswith("parent.")}
    parent = _noted(changed.parent, was.parent, above) if changed.parent and was.parent else changed.parent
    return changed.model_copy(update={"overrides": notes, "parent": parent})


def _counts(key: str) -> bool:
    """True when another value under a key makes another model, or another measurement of it."""
    while key.startswith("parent."):
        key = key.removeprefix("parent.")
    return not NO_RESULT.match(key)


def _dims_follow(data: dict[str, Any], dims: list[int]) -> None:
    """Give the losses that had the recipe's dims its new ones, as if they were resolved from its files again."""
    if data["dims"] != dims and isinstance(data["phases"], list):
        for loss in _sections(data["phases"]):
            if loss.get("dims") == dims:
                loss["dims"] = data["dims"]


def _sections(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a part of a recipe."""
    if isinstance(part, dict):
        yield part
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _sections(one)


def _shown(at: KeyPath, place: Any) -> str:
    """A key path as `--set` takes it: with the names of phases, not their numbers."""
    parts = []
    for part in at:
        place = place[part] if part in (place if isinstance(place, dict) else range(len(place or ()))) else None
        named = isinstance(part, int) and isinstance(place, dict) and "name" in place
        parts.append(place["name"] if named else part)
    return key_text(tuple(parts))


def _value(text: str, assignment: str) -> Any:
    """The value after the '=', held to what recipe files are held to."""
    try:
        found = load_yaml(text).check_once().data
    except BrokenYaml:
        raise RecipeError(f"--set: '{brief(assignment)}' is not YAML after the '='", hint="quote the value") from None
    if why := next(filter(None, map(refusal, _strings(found))), None):
        raise RecipeError(f"--set: {why}", hint="zoo show R")
    return found


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from _strings([*data, *data.values()])
    elif isinstance(data, list):
        for part in data:
            yield from _strings(part)


def _assign(data: dict[str, Any], path: str, value: Any, recipe: Recipe) -> tuple[Keys, str]:
    """Put a value into its place; its keys and its path in words, with the names of list items that have one."""
    keys: list[str | int] = []
    named: list[str] = []
    above: Any = data
    place: Any = data
    parts = path.split(".")
    for key in parts:
        above, at = place, _index(place, key, path)
        if above[at] is None and len(keys) + 1 < len(parts):
            above[at] = _begun(recipe, (*keys, at))
        place = above[at]
        keys.append(at)
        named.append(place["name"] if isinstance(at, int) and isinstance(place, dict) and "name" in place else str(at))
    above[keys[-1]] = value
    return tuple(keys), ".".join(named)


def _begun(recipe: Recipe, keys: Keys) -> dict[str, Any] | None:
    """The settings, all as they are by default, of a part that a recipe does without; None where it is no such part."""
    owner: Any = recipe
    for key in keys[:-1]:
        owner = getattr(owner, str(key), None) if isinstance(owner, Section) else owner[key] if owner else None
    field = type(owner).model_fields.get(str(keys[-1])) if isinstance(owner, Section) else None
    kinds = [kind for kind in get_args(field.annotation) if isinstance(kind, type)] if field else []
    for kind in kinds:
        if issubclass(kind, Section) and not any(one.is_required() for one in kind.model_fields.values()):
            return kind().model_dump(mode="json")
    return None


def _index(place: Any, key: str, path: str) -> Any:
    known = {name: index for name, (index, _) in _parts(place).items()}
    if key in known:
        return known[key]
    first = path.partition(".")[0]
    near = _inside(place, key) if key == first else None
    where = f" in '{path}'" if path != key else ""
    raise RecipeError(f"--set: no key '{key}'{where}", hint=near or nearest_key(key, known) or "zoo show R")


def _parts(place: Any) -> dict[str, tuple[Any, Any]]:
    """{what `--set` calls a part of a section or a list: (its key or number, the part)}."""
    if isinstance(place, dict):
        return {key: (key, part) for key, part in place.items()}
    if not isinstance(place, list):
        return {}
    named = {part["name"]: (at, part) for at, part in enumerate(place) if isinstance(part, dict) and "name" in part}
    return {**named, **{str(at): (at, part) for at, part in enumerate(place)}}


def _inside(place: Any, key: str) -> str | None:
    """A hint with the whole path of a key that stands further inside, the least deep of them."""
    found = sorted((path for path in _paths(place) if path.endswith(f".{key}")), key=lambda path: path.count("."))
    return f"did you mean '{found[0]}'?" if found else None


def _paths(place: Any, above: str = "") -> Iterator[str]:
    """The paths of all keys except a parent's."""
    for name, (_, part) in _parts(place).items():
        if name != "parent":
            yield f"{above}{name}"
            yield from _paths(part, f"{above}{name}.")
