"""Where do the values of a card's front matter lead? To repositories that are here, or to filtered lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from urllib.parse import urlencode

from zoo.hub import access, repos
from zoo.hub.accounts import User

# Key of a card -> parameter of a list of repositories. The Hub's own lists have the same parameters.
LISTED_BY = {
    "pipeline_tag": "pipeline_tag",
    "task_categories": "task_categories",
    "library_name": "library",
    "language": "language",
    "license": "license",
    "tags": "other",
    "size_categories": "size_categories",
}
_NAMING = {  # key of a card -> (kind of repository that it names, prefix of its tag)
    "base_model": ("model", "base_model:"),
    "new_version": ("model", ""),
    "models": ("model", ""),
    "datasets": ("dataset", "dataset:"),
    "source_datasets": ("dataset", ""),
}
_TITLES = {
    "pipeline_tag": "Task",
    "task_categories": "Task",
    "library_name": "Library",
    "language": "Language",
    "license": "Licence",
    "base_model": "Made from",
    "datasets": "Datasets",
    "models": "Models",
    "new_version": "Newer version",
    "source_datasets": "Sources",
    "size_categories": "Size",
    "tags": "Tags",
}


@dataclass(frozen=True)
class Chip:
    """A value of a card and the path that it leads to; None when it leads nowhere."""

    text: str
    href: str | None


def chips(
    db: Connection, user: User | None, kind: str, short: Mapping[str, list[str]]
) -> tuple[dict[str, list[Chip]], dict[str, list[Chip]]]:
    """({title: chips} of what people look for, {key: chips} of the rest) of the short values of a card.

    Args:
        kind: of the repository that has the card; its lists are the ones that chips lead to.
        short: from `rendering.facts`.
    """
    named = {(_NAMING[key][0], value) for key in short.keys() & _NAMING.keys() for value in short[key]}
    known = {key: repo for key, repo in repos.find_each(db, named).items() if access.may_see(repo, user)}

    def chip(key: str, value: str) -> Chip:
        if key in _NAMING:
            repo = known.get((_NAMING[key][0], value.lower()))
            tag = _NAMING[key][1]
            alike = listing("models", other=f"{tag}{value}") if tag and kind == "model" else None
            return Chip(value, repo.web_path if repo else alike)
        parameter = LISTED_BY.get(key)
        return Chip(value, listing(repos.PLURALS[kind], **{parameter: value}) if parameter else None)

    made = {key: [chip(key, value) for value in values] for key, values in short.items()}
    main = {title: made[key] for key, title in _TITLES.items() if key in made}
    return main, {key: value for key, value in made.items() if key not in _TITLES}


def listing(shelf: str, **conditions: str) -> str:
    """The path of a list of repositories that fit the conditions."""
    return f"/{shelf}?{urlencode(conditions)}" if conditions else f"/{shelf}"
