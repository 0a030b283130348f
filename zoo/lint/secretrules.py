"""The kinds of secrets and what tells them, read from secrets.toml when the first text is searched."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Any

SEPARATOR = (  # between a name and its value: in Python, JSON, YAML, shells, tables, and calls with both as arguments
    r"""(?:\\*["'`])?[\])]?(?:,?\s*\\*["']?value\\*["']?)?\s{0,20}(?:=>|:=|==?|:|,(?=\s*\\*["'])|\|)"""
    r"""\s{0,20}(?:[>|]-?\s+)?[bru]?(?:\\*["'`])?"""
)
VALUE = r"[\w+/.=~!#%^*@$:?-]"
QUOTED = r"""[^\s"'`\\<>{}\[\],;|]"""

STAND_IN = re.compile(
    r"(?i)x{4,}|0{6,}|\.{3}|\*{3}|<|\$\{|\{\{|%\(|^\$\(|^\$\w+$|your|example|placeholder|redacted|dummy|changeme|sample"
    r"|replace|insert|12345678|abcdefgh|IiOiIxMjM0NTY3ODkwIi"
)
ORDINARY = re.compile(  # of passwords in addresses: what documentation and test databases have
    r"(?i)(?:[_.-]|%20|a|my|the|some|user|name|db|hf|api|access|admin|root|test|default|pass|word|passwd|pwd|secret|token|key"
    r"|guest|postgres|mysql|mongo|redis|rabbitmq|change|it|me|here|\d{1,3})+"
)
PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[!#%^*@&$+=~?]")
CAPITALISED = re.compile(r"[A-Z][a-z]{2,}")
ENCODED = re.compile(r"[A-Za-z0-9+/]{40}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
LEAST_BITS = 3.0  # per character; 'xxxxxxxx' has 0, a random token of thirty characters about 4.5
LEAST_CHANGES = 0.15  # per character, between letters, digits and capitals inside a word; random text has 0.3 to 0.5
LEAST_OF_TOKENS = 0.08  # of what has a token's beginning as well; names of classes have 0.06


@dataclass(frozen=True)
class SecretRule:
    """A kind of secret: what it begins with, and the pattern that is tried there."""

    kind: str
    pattern: re.Pattern[str]
    """Its group `secret`, `quoted` or `spaced` is what nobody may see."""
    check: str
    """What the secret must be like besides: a key of `CHECKS`."""
    prefix: str = ""
    """What may be shown of it: it tells the kind, and nothing of whose secret it is."""


@dataclass(frozen=True)
class SecretRules:
    """Rules, and one pattern for all that their secrets begin with: it is searched for first, which is far faster."""

    beginning: re.Pattern[str]
    rules: Mapping[str, Sequence[SecretRule]]
    """{beginning: the rules for it}."""

    def starting(self, text: str) -> Iterator[tuple[int, str, SecretRule]]:
        """Find the places where a rule may be tried: (index, beginning, rule), longer beginnings first."""
        found = self.beginning.search(text)
        while found:
            for end in range(found.end(), found.start(), -1):
                start = text[found.start() : end]
                for rule in self.rules.get(start, ()):
                    yield found.start(), start, rule
            found = self.beginning.search(text, found.start() + 1)


@cache
def secret_rules() -> tuple[SecretRules, SecretRules]:
    """Return the rules for tokens, and those for what only the text around it tells.

    The beginnings of the latter are in small letters: they are looked for in a text of small letters.
    """
    data = tomllib.loads(Path(__file__).with_name("secrets.toml").read_text("utf-8"))
    tokens = {
        start: [_token(kind, body, start)] for kind, (body, *starts) in data["tokens"].items() for start in starts
    }
    context: dict[str, list[SecretRule]] = {}
    for row in data["context"]:
        rule = _in_context(row)
        for start in row["starts"]:
            context.setdefault(start, []).append(rule)
    return SecretRules(any_of(tokens), tokens), SecretRules(any_of(context), context)


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for the longest of some words at a place, which reads each letter once."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return re.compile(_branches(tree))


def _branches(node: Mapping[str, Any]) -> str:
    ways = [re.escape(char) + _branches(rest) for char, rest in node.items() if char]
    return f"(?:{'|'.join(ways)})" + "?" * ("" in node) if ways else ""


def _token(kind: str, body: str, start: str) -> SecretRule:
    pattern = rf"(?<![A-Za-z0-9]){re.escape(start)}(?P<secret>{body})(?![A-Za-z0-9])"
    return SecretRule(kind, re.compile(pattern, re.ASCII), "token", start)


def _in_context(row: dict[str, str]) -> SecretRule:
    pattern = row["pattern"]
    for name, part in {"{sep}": SEPARATOR, "{value}": VALUE, "{quote}": QUOTED}.items():
        pattern = pattern.replace(name, part)
    return SecretRule(row["kind"], re.compile(pattern, re.ASCII | re.IGNORECASE), row["check"])


def is_secret(check: str, body: str) -> bool:
    """Return whether what a rule's pattern found is a secret, and not a placeholder, a name or prose."""
    return CHECKS[check](body)


def _is_token(body: str) -> bool:
    """Tell a token from the names of classes and functions that have its beginning and length too."""
    return _is_spread(body) and (not re.search("[a-z]", body) or _changes(body) >= LEAST_OF_TOKENS * len(body))


def _is_value(body: str) -> bool:
    if "://" in body or not _is_spread(body):
        return False
    return _changes(body) >= LEAST_CHANGES * len(body) or UUID.fullmatch(body) is not None


def _is_password(body: str) -> bool:
    return not STAND_IN.search(body) and not ORDINARY.fullmatch(body) and len(set(body)) > 3


def _is_private_key(body: str) -> bool:
    """Tell a key from the prose and the dots of examples, which follow the line that begins a private key, too."""
    return any(_is_spread(found[0]) for found in ENCODED.finditer(body))


def _is_spread(body: str) -> bool:
    if len(body) > 16 and len(set(body)) < 2**LEAST_BITS:  # fewer bits than that, without counting
        return False
    counts = Counter(body)
    bits = -sum(count / len(body) * log2(count / len(body)) for count in counts.values())
    return bits >= min(LEAST_BITS, log2(len(body)) - 1) and not STAND_IN.search(body)


def _changes(body: str) -> float:
    """Return how often letters, digits and capitals take turns inside words; half where a capitalised word begins."""
    pieces = list(PIECE.finditer(body))
    turns = [new for old, new in pairwise(pieces) if old.end() == new.start()]
    return sum(0.5 if CAPITALISED.fullmatch(new[0]) else 1.0 for new in turns)


CHECKS = {
    "token": _is_token,
    "value": _is_value,
    "password in an address": _is_password,
    "private key": _is_private_key,
}
