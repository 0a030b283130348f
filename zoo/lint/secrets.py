"""Tokens, keys and passwords in text: found, and never repeated.

Own patterns: detect-secrets 1.5.0 was tried. It has none for Hugging Face, its import takes 0.1 s, and its entropy
rules take commit ids and digests, of which cards are full, for secrets; what is left when those are off is below.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

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
LEAST_BITS = 3.0  # per character; 'xxxxxxxx' has 0, a random token of thirty characters about 4.5
STAND_INS = re.compile(r"(?i)x{4,}|your|example|placeholder|redacted|dummy|changeme|\.{3}|\*{3}|<|\$\{|1234567890")


@dataclass(frozen=True)
class Secret:
    kind: str
    line: int
    masked: str
    """Its public prefix and its length; nothing of the secret itself."""


def find(text: str) -> list[Secret]:
    """Every secret of a text, in order. Placeholders are none."""
    return [
        Secret(kind, text.count("\n", 0, start) + 1, f"{_public(prefix)}… ({length} characters)")
        for start, kind, prefix, length, _ in sorted(_found(text))
    ]


def redacted(text: str) -> str:
    """The text with every secret masked."""
    for _, _, _, length, (begin, end) in sorted(_found(text), reverse=True):
        text = f"{text[:begin]}…{text[end:]}" if length else text
    return text


def _found(text: str) -> Iterator[tuple[int, str, str, int, tuple[int, int]]]:
    taken: list[tuple[int, int]] = []
    for kind, pattern in COMPILED:
        for found in pattern.finditer(text):
            span = found.span(2)
            overlaps = any(begin < found.end() and found.start() < end for begin, end in taken)
            if not overlaps and (not found[2] or _is_random(found[2])):
                taken.append(found.span())
                if len(taken) > MOST:
                    return
                yield found.start(), kind, found[1], len(found[0]), span


def _is_random(value: str) -> bool:
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    if len(value) < 16:  # a password in an address: short ones count
        return not STAND_INS.search(value) and value.lower() not in DEFAULTS and len(counts) > 3
    return bits >= LEAST_BITS and not STAND_INS.search(value)


def _public(prefix: str) -> str:
    """What everybody may see: the kind of token, not an account's name or a variable's."""
    return prefix if re.fullmatch(r"[A-Za-z]+[_-](?:[a-z]+[_-])*|AKIA|ASIA|AIza|eyJ", prefix) else ""
