"""Finds tokens, keys and passwords in text, and never repeats them.

Own patterns: detect-secrets 1.5.0 was tried. It has none for Hugging Face, its import takes 0.1 s, and its entropy
rules take commit ids and digests, of which cards are full, for secrets; what is left when those are off is below.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

STARTS = {  # what tokens of a kind begin with: looked for first, which is some ten times as fast as the pattern alone
    "Hugging Face token": ("hf_", "api_org_"),
    "Hugging Face OAuth token": ("hf_oauth_",),
    "AWS access key": ("AKIA", "ASIA"),
    "GitHub token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "GitLab token": ("glpat-",),
    "Slack token": ("xox",),
    "OpenAI key": ("sk-",),
    "Google API key": ("AIza",),
    "PyPI token": ("pypi-AgE",),
    "Stripe key": ("sk_live_", "rk_live_"),
    "JSON web token": ("eyJ",),
    "private key": ("-----BEGIN ",),
}
PATTERNS = (
    ("Hugging Face token", r"(?<![A-Za-z0-9])(hf_|api_org_)([A-Za-z0-9]{30,60})(?![A-Za-z0-9_])"),
    ("Hugging Face OAuth token", r"\b(hf_oauth_)([A-Za-z0-9._-]{20,})"),
    ("AWS access key", r"\b(AKIA|ASIA)([A-Z0-9]{16})\b"),
    ("GitHub token", r"\b(gh[pousr]_|github_pat_)([A-Za-z0-9_]{30,})"),
    ("GitLab token", r"\b(glpat-)([\w-]{20,})"),
    ("Slack token", r"\b(xox[abpors]-)([A-Za-z0-9-]{10,})"),
    ("OpenAI key", r"\b(sk-(?:proj-|ant-|svcacct-)?)([A-Za-z0-9_-]{32,})"),
    ("Google API key", r"\b(AIza)([\w-]{35})(?![\w-])"),
    ("PyPI token", r"\b(pypi-)(AgE[\w-]{50,})"),
    ("Stripe key", r"\b([sr]k_live_)([A-Za-z0-9]{20,})"),
    ("JSON web token", r"(?<![\w-])(eyJ)([\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{15,})"),
    ("private key", r"(-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----)()"),
    ("password in an address", r"\b([a-z][a-z0-9+]{1,15}://[\w.-]{1,99}:)([^\s:@/{}<>$*]{6,200})(?=@\w)"),
    (
        "assigned secret",
        r"""(?i)\b((?:[a-z]+_)*(?:api_?key|secret(?:_key)?|access_?token|auth_?token|token|passw(?:or)?d)["']?\s*[:=]\s*["'])"""
        r"""([A-Za-z0-9+/_=.-]{20,200})(?=["'])""",
    ),
    (
        "assigned secret",
        r"""\b((?:WANDB_API_KEY|HF_TOKEN|HUGGING_FACE_HUB_TOKEN|[A-Z_]+_SECRET_KEY)\s*=\s*)([A-Za-z0-9+/_.-]{20,})""",
    ),
)
COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in PATTERNS)
DEFAULTS = {"password", "passwd", "postgres", "secret", "username", "token", "api_key", "apikey", "guest1", "mysecret"}
MOST = 200  # of a text; whoever has more knows enough
LONGEST = 2**16  # characters of a token that is found whole where two pieces of a text meet
LEAST_BITS = 3.0  # per character; 'xxxxxxxx' has 0, a random token of thirty characters about 4.5
STAND_INS = re.compile(r"(?i)x{4,}|your|example|placeholder|redacted|dummy|changeme|\.{3}|\*{3}|<|\$\{|1234567890")


@dataclass(frozen=True)
class Secret:
    """A secret that was found; its text is not kept."""

    kind: str
    line: int
    masked: str
    """The public prefix and the length; nothing of the secret itself."""


def find_secrets(text: str) -> list[Secret]:
    """Find every secret of a text, in order. Placeholders are none."""
    return [
        _secret(kind, text.count("\n", 0, start) + 1, prefix, length)
        for start, kind, prefix, length, _ in sorted(_found(text))
    ]


def find_tokens(pieces: Iterable[str]) -> Iterator[Secret]:
    """Find the secrets of a text that is too long for `find_secrets`, read piece by piece, also across two pieces.

    Only what can be told by its beginning (`STARTS`): assigned secrets and passwords in addresses are not looked for,
    which would take ten times as long.
    """
    return islice(_tokens(pieces), MOST)


def _tokens(pieces: Iterable[str]) -> Iterator[Secret]:
    held, line = "\n", 0  # the first character held was looked at before: what stands before a token counts
    for piece in chain(pieces, [""]):
        held += piece
        end = max(1, len(held) - LONGEST) if piece else len(held)
        for start, kind, prefix, length, _ in sorted(_found(held, short=False)):
            if 1 <= start < end:
                yield _secret(kind, line + held.count("\n", 0, start), prefix, length)
        line += held.count("\n", 0, end - 1)
        held = held[end - 1 :]


def redacted(text: str) -> str:
    """Return the text with every secret masked."""
    for _, _, _, length, (begin, end) in sorted(_found(text), reverse=True):
        text = f"{text[:begin]}…{text[end:]}" if length else text
    return text


def _secret(kind: str, line: int, prefix: str, length: int) -> Secret:
    return Secret(kind, line, f"{_public(prefix)}… ({length} characters)")


def _found(text: str, *, short: bool = True) -> Iterator[tuple[int, str, str, int, tuple[int, int]]]:
    """Find secrets; `short`: also those that only a pattern tells."""
    taken: list[tuple[int, int]] = []
    for kind, pattern in COMPILED:
        starts = STARTS.get(kind, ())
        for found in _beginning(text, pattern, starts) if starts else pattern.finditer(text) if short else ():
            span = found.span(2)
            overlaps = any(begin < found.end() and found.start() < end for begin, end in taken)
            if not overlaps and (not found[2] or _is_random(found[2])):
                taken.append(found.span())
                if len(taken) > MOST:
                    return
                yield found.start(), kind, found[1], len(found[0]), span


def _beginning(text: str, pattern: re.Pattern[str], starts: Iterable[str]) -> Iterator[re.Match[str]]:
    """Find matches as `pattern.finditer` does, of a pattern that begins with one of `starts`."""
    for start in starts:
        place = text.find(start)
        while place >= 0:
            found = pattern.match(text, place)
            if found:
                yield found
            place = text.find(start, found.end() if found else place + 1)


def _is_random(value: str) -> bool:
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    if len(value) < 16:  # a password in an address: short ones count
        return not STAND_INS.search(value) and value.lower() not in DEFAULTS and len(counts) > 3
    return bits >= LEAST_BITS and not STAND_INS.search(value)


def _public(prefix: str) -> str:
    """Return what everybody may see: the kind of token, not an account's name or a variable's."""
    return prefix if re.fullmatch(r"[A-Za-z]+[_-](?:[a-z]+[_-])*|AKIA|ASIA|AIza|eyJ", prefix) else ""
