"""Words of the recipes that zoo brings, which models of another lab would be published with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zoo.characters import brief
from zoo.hub.frontmatter import KeyPath
from zoo.recipe.described import Said
from zoo.recipe.family import Family

PARTS = {"paper": "title", "collection": "title", "space": "repo"}
"""{key: the key in it that tells one from another}."""
WAYS = {
    "name": "write the name of your own family",
    "paper": "write yours, or paper: null",
    "collection": "write a title of your own, or collection: null",
    "space": "write a Space of your own, or space: null",
    "tags": "write yours, or tags: null",
}


def borrowed(models: Mapping[str, Said], ours: Family) -> Iterator[tuple[str, KeyPath, str]]:
    """Places that say of other models what `ours` says of those that zoo brings: file, key path, sentence.

    Tags alone are no sign: others have them too.

    Args:
        models: {recipe that zoo does not bring: those that describe it, the farthest first}.
    """
    told: set[tuple[str, KeyPath]] = set()
    for recipe, above in models.items():
        found = list(_of_one(above, ours))
        for file, at, shown in found if any(at[-1] != "tags" for _, at, _ in found) else ():
            if (file, at) not in told:
                told.add((file, at))
                what = f"'{brief(shown)}' belongs to the recipes that come with zoo, and '{recipe}' is none of them"
                key = next(str(part) for part in at if part in WAYS)
                yield file, at, f"{what}; {WAYS[key]}"


def _of_one(above: Said, ours: Family) -> Iterator[tuple[str, KeyPath, str]]:
    """Places of what a model has of ours, each with what is shown of it."""
    file, _, family = above[0]
    if isinstance(family, Family) and family.name == ours.name:
        yield file, ("name",), family.name
    for key in ("paper", "collection", "space", "tags"):
        nearest = next(((file, at, one) for file, at, one in reversed(above) if key in one.model_fields_set), None)
        theirs = getattr(ours, key)
        if nearest is None or not (mine := getattr(nearest[2], key)) or not theirs:
            continue
        file, at, _ = nearest
        if key == "tags" and mine == theirs:
            yield file, (*at, key), ", ".join(mine)
        elif (part := PARTS.get(key)) and getattr(mine, part) == getattr(theirs, part):
            yield file, (*at, key, part), getattr(mine, part)
