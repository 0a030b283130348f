"""Remembers the code that this machine rendered: a proof runs that, and nothing that others wrote.

The copy of a card that lies in the repository does not say what is ours: whoever can edit the card can edit the copy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from zoo.lint.card import Code, ParsedCard
from zoo.models.foreign.carried import CODE
from zoo.publish.desired.release import CARD, Release, json_bytes, write_whole
from zoo.remote import Kind

FILE = Path(".zoo") / "rendered.json"  # in the workspace


@dataclass(frozen=True)
class OwnCode:
    """The code of one repository that is known to be ours, in every version that was rendered here."""

    cards: Sequence[Sequence[str]] = ()
    """For each card the sha256 of its Python snippets, in their order."""
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """{path: the ids by which a Hub may list our file}, in a Space, and in a model that carries code."""

    def snippets(self, there: Sequence[Code]) -> list[Code]:
        """Return the snippets that are ours, up to the first that somebody changed: later ones may need it."""
        return max((list(_begun(there, card)) for card in self.cards), key=len, default=[])

    def knows(self, code: Code) -> bool:
        """Return whether a snippet is ours, wherever it stands."""
        return any(_sha256(code) in card for card in self.cards)


NOTHING = OwnCode()


class Rendered:
    """The code that this machine rendered, repository by repository.

    A file that cannot be read or written says nothing, and nothing fails: then less is run.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._known = _read(place)

    def of(self, kind: Kind, repo_id: str) -> OwnCode:
        """Return what was rendered for a repository, now and before."""
        return self._known.get(f"{kind} {repo_id}", NOTHING)

    def add(self, releases: Iterable[Release]) -> None:
        """Note what is about to be published."""
        known = {**self._known}
        for one in releases:
            key = f"{one.kind} {one.id}"
            known[key] = _joined(known.get(key, NOTHING), own_code(one))
        if known == self._known:
            return
        self._known = known
        if self._place:
            content = {key: vars(one) for key, one in sorted(known.items())}
            with suppress(OSError):
                self._place.parent.mkdir(parents=True, exist_ok=True)
                write_whole(json_bytes(content), self._place)


def own_code(release: Release) -> OwnCode:
    """Return the code that a release holds: its card's snippets, and its files where they are run."""
    card = release.bytes(CARD).decode("utf-8", "replace") if CARD in release.files else ""
    snippets = [_sha256(code) for code in ParsedCard(card).snippets]
    runs = release.kind == "space" or (release.kind == "model" and any(path.endswith(CODE) for path in release.files))
    ids = release.ids if runs else {}
    files = {path: [one for one in (ids[path].sha256, ids[path].git) if one] for path in sorted(ids)}
    return OwnCode([snippets] if snippets else [], files)


def _begun(there: Sequence[Code], card: Sequence[str]) -> Iterator[Code]:
    rest = iter(there)
    for wanted in card:
        found = next((code for code in rest if _sha256(code) == wanted), None)
        if found is None:
            return
        yield found


def _sha256(code: Code) -> str:
    return hashlib.sha256(code.text.encode()).hexdigest()


def _joined(old: OwnCode, new: OwnCode) -> OwnCode:
    cards = [*old.cards, *(card for card in new.cards if card not in old.cards)]
    files = {path: sorted({*old.files.get(path, ()), *new.files.get(path, ())}) for path in {**old.files, **new.files}}
    return OwnCode(cards, files)


def _read(place: Path | None) -> dict[str, OwnCode]:
    if place:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            found = json.loads(place.read_bytes()).items()
            return {key: OwnCode([list(card) for card in one["cards"]], dict(one["files"])) for key, one in found}
    return {}
