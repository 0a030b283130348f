"""Words of the family that zoo brings, in a lab with other models: a paper that is not theirs, a title."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from zoo.hub.frontmatter import KeyPath
from zoo.recipe.described import LAB, family_file
from zoo.recipe.family import BaseFile, Family, Variant

THEIR_ACCOUNT = "Omartificial-Intelligence-Space"
"""The account that the models of the paper are published under."""
SHOWN = 3
"""Names of recipes in a sentence."""
Borrowed = Iterator[tuple[str, KeyPath, str]]
"""The file in recipes/ without its ending, the place in it, and what is to be said of that."""


Bases = Mapping[str, BaseFile]


def borrowed_words(
    families: Mapping[str, Family], bases: Bases, ours: Family, our_bases: Callable[[], Bases]
) -> Borrowed:
    """Find words of our own family in the families of a lab with recipes that are not ours.

    Args:
        families: the lab's, by name.
        bases: the lab's base models' files.
        ours: the family that zoo brings.
        our_bases: gives the base models' files that zoo brings; it is asked only where something is alike.
    """
    borrowed = {family: _alike(said, ours) for family, said in families.items()}
    if not any(borrowed.values()) and families[LAB].namespace != THEIR_ACCOUNT:
        return
    known = {variant.repo for _, _, variant in _members(our_bases())}
    own = [(name, file, variant) for name, file, variant in _members(bases) if variant.repo not in known]
    beside_ours = {
        variant.family or file.family or LAB for _, file, variant in _members(bases) if variant.repo in known
    }
    for family, alike in borrowed.items():
        for key, what in alike.items():
            if key == "leaderboard" and family in beside_ours:  # it ranks ours too
                continue
            inheriting = [
                name
                for name, file, variant in own
                if (variant.family or file.family or LAB) == family
                and key not in file.model_fields_set | variant.model_fields_set
            ]
            if inheriting:
                yield family_file(family), (key,), f"{what}, and {_named(inheriting)} not of it; {_way(key)}"
    if families[LAB].namespace == THEIR_ACCOUNT and own:
        names = _named([name for name, _, _ in own])
        told = f"'{THEIR_ACCOUNT}' is the account of {ours.name}'s models, and {names} not of them"
        yield LAB, ("namespace",), f"{told}; write your own, or null for the token's"


def _alike(said: Family, ours: Family) -> Mapping[str, str]:
    """{key: what stands there and is ours}."""
    found = {}
    if said.paper and ours.paper and said.paper.url == ours.paper.url:
        found["paper"] = f"is the paper of {ours.name}, which cards would cite"
    if said.collection and ours.collection and said.collection.title == ours.collection.title:
        found["collection"] = f"has the title of {ours.name}'s"
    if said.space and ours.space and (said.space.repo, said.space.title) == (ours.space.repo, ours.space.title):
        found["space"] = f"has the title of {ours.name}'s"
    if said.leaderboard and ours.leaderboard and said.leaderboard.repo == ours.leaderboard.repo:
        found["leaderboard"] = f"is called as {ours.name}'s is"
    return found


def _members(bases: Bases) -> Iterator[tuple[str, BaseFile, Variant]]:
    for base, file in bases.items():
        yield from ((f"{base}-{name}", file, variant) for name, variant in file.variants.items())


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    listed = ", ".join(f"'{name}'" for name in names[:SHOWN]) + more
    return f"{listed} {'is' if len(names) == 1 else 'are'}"


def _way(key: str) -> str:
    if key == "leaderboard":
        return "write yours, or take it out"
    return f"write yours, or `{key}: null` there or in the file of that base model"
