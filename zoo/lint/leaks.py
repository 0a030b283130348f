"""Finds tokens, keys and passwords in text, also escaped or broken over lines, and never repeats them.

What they look like is data (secrets.toml): the rules of gitleaks that tell a token by its beginning, extended. No
scanner is used whole. Of the 1,174 secrets and 127 look-alikes of tests/secrets_table.py there were

| | found | false alarms |
|---|---:|---:|
| gitleaks 8.30.1 | 55 % | 10 |
| betterleaks 2.0 | 61 % | 13 |
| kingfisher 1.5 | 52 % | 11 |
| detect-secrets 1.5.0, with its rules for entropy | 100 % | 120 |
| detect-secrets 1.5.0, without them | 34 % | 16 |
| this module | 99.8 % | 0 |

They do not read escaped and broken tokens, passwords in addresses, and what the Hub signs; some are programs of 20 to
60 MB. In 204 MB of other packages' files this one raised an alarm twice, once for a real token; it reads 8 MB/s.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from zoo.lint.secretrules import SecretRule, is_secret, secret_rules

MOST = 200  # of a text; whoever has more knows enough
LONGEST = 2**16  # characters of a secret that is found whole where two pieces of a text meet
PART = 8  # characters of a secret that are not shown alone either
BEFORE = 256  # characters before a secret that may count
LONGEST_BROKEN = 2**10  # characters of a token that stands on several lines
MOST_LINES = 5

ESCAPE = re.compile(  # of Markdown, JSON, Python and shells; of HTML and addresses; and characters of no width
    r"\\(?:(?P<end>\r?\n[ \t]*)|u00(?P<code>[2-7][0-9a-fA-F])|(?P<control>[nrt])|(?P<sign>[!-/:-@\[-`{-~]))"
    r"|(?P<html>&(?:#\d{2,3}|#[xX][2-7][0-9a-fA-F]|quot|apos|amp|lt|gt);)|%(?P<percent>[2-7][0-9a-fA-F])"
    r"|[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff\u00ad\u034f\u061c\u180e]"
)
LINE_END = re.compile(r"""["'`]?[ \t]*\r?\n[ \t>|#+]*["'`]?|["'][ \t]*\+[ \t]*["']""")
BROKEN = re.compile(rf"(?<![A-Za-z0-9])[\w.:+/=-]{{8,512}}+(?:{LINE_END.pattern})", re.ASCII)
SIGNATURE = re.compile(r"""verify_?token\\*["']?\s*:\s*(?:[>|][+-]?\s+)?\\*["']?$""", re.IGNORECASE)
"""Stands before what the Hub signs verified results with: a JSON web token that everybody may read."""


@dataclass(frozen=True)
class Secret:
    """A secret that was found; its text is not kept."""

    kind: str
    line: int
    masked: str
    """The public prefix and the length; nothing of the secret itself."""


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    hidden: tuple[int, int]
    rule: SecretRule

    @property
    def told(self) -> str:
        prefix = self.rule.prefix
        begin, end = (self.start, self.end) if prefix else self.hidden
        return f"{prefix}… ({end - begin} characters)"


def find_secrets(text: str) -> list[Secret]:
    """Find every secret of a text, in order. Placeholders are none."""
    return [Secret(one.rule.kind, text.count("\n", 0, one.start) + 1, one.told) for one in _found(text)]


def find_secrets_in_pieces(pieces: Iterable[str]) -> Iterator[Secret]:
    """Find the secrets of a text that is too long for `find_secrets`, read piece by piece, also across two pieces."""
    return islice(_across(pieces), MOST)


def _across(pieces: Iterable[str]) -> Iterator[Secret]:
    held, known, line = "", 0, 1  # what was searched already is held as well: what stands before a secret counts
    for piece in chain(pieces, [""]):
        held += piece
        end = max(known, len(held) - LONGEST) if piece else len(held)
        for one in _found(held):
            if known <= one.start < end:
                yield Secret(one.rule.kind, line + held.count("\n", 0, one.start), one.told)
        cut = max(0, end - BEFORE)
        line += held.count("\n", 0, cut)
        held, known = held[cut:], end - cut


def redacted(text: str) -> str:
    """Return the text with every secret masked."""
    for one in reversed(_found(text)):
        text = f"{text[: one.hidden[0]]}…{text[one.hidden[1] :]}"
    return text


def redacted_all(value: Any) -> Any:
    """Return plain JSON values with the secrets of every text in them masked, those of keys too."""
    if isinstance(value, dict):
        return {redacted_all(key): redacted_all(one) for key, one in value.items()}
    if isinstance(value, list):
        return [redacted_all(one) for one in value]
    return redacted(value) if isinstance(value, str) else value


class Mask:
    """Takes the secrets of some texts, and every part of them, out of what is told about those texts.

    A line of a private key or a value that was cut short cannot be told for a secret by itself.
    """

    def __init__(self, *texts: str) -> None:
        hidden = [text[one.hidden[0] : one.hidden[1]] for text in texts for one in _found(text)]
        wholes = [*hidden, *(ESCAPE.sub(_meant, secret) for secret in hidden)]
        self._parts = {one[at : at + PART] for one in wholes for at in range(max(1, len(one) - PART + 1))}

    def __call__(self, text: str) -> str:
        """Return a text without them, and without the secrets that it has besides."""
        if not self._parts:
            return redacted(text)
        known = [False] * len(text)
        for at in range(len(text)):
            if text[at : at + PART] in self._parts:
                known[at : at + PART] = [True] * PART
        runs = groupby(zip(text, known, strict=False), key=itemgetter(1))
        return redacted("".join("…" if secret else "".join(char for char, _ in run) for secret, run in runs))


def _found(text: str) -> list[_Found]:
    """Find secrets in the text as it is, without its escapes, and over the ends of its lines; none overlap."""
    plain = _View(text)
    unescaped = plain.without(ESCAPE) if ESCAPE.search(text) else plain
    views = [plain] if unescaped is plain else [plain, unescaped]
    found = [one for view in views for one in islice(view.secrets(), 5 * MOST)]  # some are found several times
    found += islice(unescaped.broken_tokens({one.start for one in found}), MOST)
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (not one.rule.prefix, one.start, -one.end)):
        if len(kept) < MOST and not any(other.start < one.end and one.start < other.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


class _View:
    """A text from which something was taken out, and where in the whole text its parts were."""

    def __init__(self, text: str, here: Sequence[int] = (0,), there: Sequence[int] = (0,)) -> None:
        self.text = text
        self.here = here
        """Where in `text` the parts begin, ascending from 0."""
        self.there = there
        """Where in the whole text they do."""

    def without(self, what: re.Pattern[str], begin: int = 0, end: int | None = None, most: int | None = None) -> _View:
        """Return a part of the text without escapes, or with its first lines joined."""
        text, end = self.text, len(self.text) if end is None else min(end, len(self.text))
        parts, here, there, at, size = [], [0], [self.place(begin)], begin, 0
        for found in islice(what.finditer(text, begin, end), most):
            kept = text[at : found.start()] + _meant(found)
            parts.append(kept)
            at, size = found.end(), size + len(kept)
            here.append(size)
            there.append(self.place(at))
        return _View("".join([*parts, text[at:end]]), here, there)

    def place(self, index: int) -> int:
        """Return where in the whole text a character is."""
        part = bisect_right(self.here, index) - 1
        return self.there[part] + index - self.here[part]

    @cached_property
    def _tokens(self) -> list[tuple[int, str, SecretRule]]:
        return list(secret_rules()[0].starting(self.text))

    def secrets(self) -> Iterator[_Found]:
        """Find what the rules say; overlaps are left in."""
        lower = self.text.replace("İ", "I").lower()  # that letter alone would become two
        for index, _, rule in chain(self._tokens, secret_rules()[1].starting(lower)):
            if one := self._secret(rule, rule.pattern.match(self.text, index)):
                yield one

    def broken_tokens(self, known: Container[int]) -> Iterator[_Found]:
        """Find the tokens that go on after the end of a line.

        Args:
            known: where in the whole text secrets begin that were found already: they are whole, or have any length.
        """
        for index, _, rule in self._tokens:
            if BROKEN.match(self.text, index) and not _is_signature(self.text, index):
                for lines in range(1, MOST_LINES):
                    joined = self.without(LINE_END, index, index + LONGEST_BROKEN, most=lines)
                    found = rule.pattern.match(joined.text)
                    one = joined._secret(rule, found)
                    if (
                        found
                        and one
                        and (one.start not in known or is_secret("value", joined.after_joint(found.end())))
                    ):
                        yield one
                        break

    def after_joint(self, index: int) -> str:
        """Return what stands before `index` and after the last place where something was taken out."""
        return self.text[self.here[bisect_right(self.here, index - 1) - 1] : index]

    def _secret(self, rule: SecretRule, found: re.Match[str] | None) -> _Found | None:
        """Return what was found, with its places in the whole text; None when it is no secret."""
        if found is None:
            return None
        name = str(found.lastgroup)
        begin = found.start() if rule.prefix else found.start(name)
        if not is_secret(rule.check, found[name]) or _is_signature(self.text, begin):
            return None
        start, end = self.place(found.start()), self.place(found.end() - 1) + 1
        return _Found(start, end, (self.place(found.start(name)), self.place(found.end(name) - 1) + 1), rule)


def _meant(found: re.Match[str]) -> str:
    """Return what an escape stands for; nothing for an escaped line end or a character of no width."""
    groups = found.groupdict()
    if code := groups.get("code") or groups.get("percent"):
        return chr(int(code, 16))
    if groups.get("html"):
        return unescape(groups["html"])
    return {"n": "\n", "r": "\r", "t": "\t"}.get(groups.get("control") or "", groups.get("sign") or "")


def _is_signature(text: str, start: int) -> bool:
    return text.startswith("eyJ", start) and SIGNATURE.search(text, max(0, start - 60), start) is not None
