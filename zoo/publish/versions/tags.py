"""Versions as tags write them: v1.2.0, and before it v1.2.0-rc.1. Semantic Versioning says which one is newer."""

from __future__ import annotations

from collections.abc import Iterable

from semantic_version import Version

from zoo.errors import PublishError

EXAMPLES = "vMAJOR.MINOR.PATCH, for example v1.2.0, or v1.2.0-rc.1 before it"


def parse_version(tag: str) -> Version:
    """Return v1.2.0 or v1.2.0-rc.1 as a version that can be compared; rc.2 < rc.10 < the final one.

    Raises:
        PublishError: it is not written as a version is.
    """
    found = version_of(tag)
    if found is None:
        raise PublishError(f"'{tag}' is not a version", hint=EXAMPLES)
    return found


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names; None: it names none."""
    number = tag.removeprefix("v")
    if number == tag or not tag.isascii() or "+" in tag:  # builds have no order
        return None
    try:
        return Version(number)
    except ValueError:
        return None


def newest(tags: Iterable[str], *, final: bool = False) -> str | None:
    """Return the tag of the newest version; None: no tag names one.

    Args:
        final: leaves out those that come before a release, such as v1.2.0-rc.1.
    """
    found = {tag: version for tag in tags if (version := version_of(tag)) and not (final and version.prerelease)}
    return max(found, key=lambda tag: found[tag], default=None)
