"""Words that a family, a base file and a variant have alike: whose a recipe takes, and mistakes in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from zoo.hub.frontmatter import KeyPath
from zoo.recipe.family import BaseFile, Described, Family
from zoo.recipe.found import Found, or_

LAB = "family"
"""The name of the lab's first family, whose file is recipes/family.yaml."""
LAB_WIDE = ("namespace", "scales", "resources", "runs")
Said = Sequence[tuple[str, KeyPath, Described]]
"""All that describe models: the file, the place in it, and what stands there."""


def family_file(name: str) -> str:
    """The file of a family in recipes/, without '.yaml'."""
    return name if name == LAB else f"families/{name}"


def taken_from(lab: Family, *above: Described) -> Described:
    """The description of a model, of all that stand `above` it, the farthest first: each key by the nearest with it."""
    said: dict[str, Any] = {"suite": lab.suite}
    for one in above:
        said |= {name: getattr(one, name) for name in Described.model_fields if name in one.model_fields_set}
    return Described().model_copy(update=said)


def said_in(families: Mapping[str, Family], bases: Mapping[str, BaseFile]) -> Said:
    """All that describe models, in the order in which they are read."""
    return [
        *((family_file(name), (), family) for name, family in families.items()),
        *(one for name, file in bases.items() for one in _said_in_base(name, file)),
    ]


def _said_in_base(name: str, file: BaseFile) -> Iterator[tuple[str, KeyPath, Described]]:
    yield name, (), file
    for variant, one in file.variants.items():
        yield name, ("variants", variant), one


def described_mistakes(said: Described, suites: Collection[str], apps: Collection[str]) -> Found:
    """Mistakes in what a family, a base file or a variant says of models; places from there on."""
    if said.suite is None and "suite" in said.model_fields_set:
        yield ("suite",), f"is null, and something has to be measured; {or_('', suites)}, or leave it out"
    if said.suite is not None and said.suite not in suites:
        yield ("suite",), f"no suite '{said.suite}' in family.yaml; {or_(said.suite, suites)}"
    yield from language_mistakes(said.language)
    space = said.space
    if space and space.app not in apps:
        yield ("space", "app"), f"no folder '{space.app}' in spaces/; {or_(space.app, apps)}"
    for index, secret in enumerate(space.secrets if space else ()):
        if space and secret in space.variables:
            what = f"'{secret}' is one of the variables too, which everybody may read"
            yield ("space", "secrets", index), f"{what}; take one out"


def language_mistakes(languages: Sequence[str] | None) -> Found:
    """Mistakes in a list of languages, each of which is one; empty and None say nothing."""
    for index, code in enumerate(languages or ()):
        if code in (languages or ())[:index]:
            yield ("language", index), f"'{code}' stands twice; take one out"


def membership_mistakes(named: str | None, families: Collection[str]) -> Found:
    """The mistake of a base file or a variant that names a family which there is not."""
    if named is not None and named not in families:
        yield ("family",), f"{no_family(named)}; {or_(named, families)}"


def no_family(name: str) -> str:
    """The sentence on a family that there is not."""
    return f"no family '{name}', as there is no recipes/{family_file(name)}.yaml"


def further_mistakes(name: str, families: Mapping[str, Family]) -> Found:
    """Mistakes of a further family: keys of the whole lab, and names of suites or phases that mean others before it."""
    ours = families[name]
    for key in LAB_WIDE:
        if key in ours.model_fields_set:
            yield (key,), f"'{key}' is the whole lab's; move it into recipes/family.yaml"
    for earlier, family in families.items():
        if earlier == name:
            return
        for kind in ("suites", "phases"):
            theirs, own = getattr(family, kind), getattr(ours, kind)
            for word in own.keys() & theirs.keys():
                if own[word] != theirs[word]:
                    what = f"'{word}' is another one in recipes/{family_file(earlier)}.yaml"
                    yield (kind, word), f"{what}; give it another name, or take it out"


def shared_name_mistakes(file: str, said: Said, names: Collection[str]) -> Found:
    """Spaces and collections of a file that go by a name which means something else already.

    Args:
        names: of recipes and datasets.
    """
    yield from _twice(file, said)
    yield from _board_names(file, said, names)
    yield from _space_names(file, said, {*names, "space"})


def _twice(file: str, said: Said) -> Found:
    """Spaces of one repository, and collections of one title, that a file describes otherwise than one before it."""
    first: dict[tuple[str, str], tuple[str, Any]] = {}
    for place, at, one in said:
        for kind, key, word in (("space", "repo", "Space"), ("collection", "title", "collection")):
            if (mine := getattr(one, kind)) is None:
                continue
            name = getattr(mine, key)
            where, earlier = first.setdefault((kind, name.lower()), (place, mine))
            if place == file and mine != earlier:
                what = f"the {word} '{name}' is described in another way in recipes/{where}.yaml"
                yield (*at, kind, key), f"{what}; write the same in both, or choose another {key}"


def _space_names(file: str, said: Said, taken: Collection[str]) -> Found:
    if len({one.space.repo for _, _, one in said if one.space}) < 2:
        return  # the only one goes by `space`
    for place, at, one in said:
        if place == file and one.space and one.space.repo in taken:
            what = f"'{one.space.repo}' is what a recipe, a dataset or all Spaces go by on the command line"
            yield (*at, "space", "repo"), f"{what}, and of several Spaces each goes by its repo; choose another repo"


def _board_names(file: str, said: Said, taken: Collection[str]) -> Found:
    """Find leaderboards that go by the name of something else: a recipe, a dataset, a Space, or one before it."""
    known = {*taken, "space", *(one.space.repo for _, _, one in said if one.space)}
    for place, at, one in said:
        board = one.leaderboard if isinstance(one, Family) else None
        if board is None:
            continue
        if place == file and board.repo in known:
            what = f"'{board.repo}' is what a recipe, a dataset or a Space goes by on the command line"
            yield (*at, "leaderboard", "repo"), f"{what}; choose another repo"
        known.add(board.repo)
