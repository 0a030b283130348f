"""Personal data in text: what it looks like, and the text without it.

Patterns alone find much that is none: what has a check sum or a date in it is tested, and digits of any script count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address

from zoo.arabic import AS_WESTERN

CANDIDATE = r"(?:[0-9٠-٩۰-۹][ ()./-]*){7}|@|://|(?i:www)\.|\d+\.\d+\.\d+\.\d+|[A-Z]{2}\d{2}[ A-Z0-9]{11}"
"""For polars: texts that may hold some. Whatever `found_in` finds is in such a text."""
SHOWN = 2  # characters of a value that stay
EXAMPLES_OF_HOSTS = re.compile(r"@(?:[\w-]+\.)*(?:example|test|invalid|localhost)(?:\.\w+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class PersonalKind:
    """A kind of personal data: its name, its pattern, the test that what matches must pass, and how grave it is."""

    name: str
    pattern: re.Pattern[str]
    is_one: Callable[[str], bool]
    grave: bool = False
    """True when it names one person or an account, and a test says that it is no chance."""
    harmless: bool = False
    """True when it is told, and no reason for a warning."""


def _always(value: str) -> bool:
    return True


def _digits(value: str) -> str:
    return re.sub(r"\D", "", value)


def passes_luhn(number: str) -> bool:
    """True when the last of some digits is the check digit of the others, by Luhn's formula."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


def _is_saudi(number: str) -> bool:
    return passes_luhn(number) and not number.endswith("000")  # round numbers are amounts


def _is_egyptian(number: str) -> bool:
    """Century, date of birth, governorate, serial and check digit: 2 98 01 31 01 2345 6."""
    year = {"2": 1900, "3": 2000}[number[0]] + int(number[1:3])
    try:
        born = date(year, int(number[3:5]), int(number[5:7]))
    except ValueError:
        return False
    return born <= date.today() and (1 <= int(number[7:9]) <= 35 or number[7:9] == "88")


def _is_iban(value: str) -> bool:
    compact = value.replace(" ", "")
    if not 15 <= len(compact) <= 34:
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def _is_card(value: str) -> bool:
    return passes_luhn(_digits(value)) and len(set(_digits(value))) > 2


def _is_public_address(value: str) -> bool:
    try:
        return ip_address(value).is_global
    except ValueError:
        return False


def _is_phone(value: str) -> bool:
    return 9 <= len(_digits(value)) <= 15 and len(set(_digits(value))) > 2


def _is_mail(value: str) -> bool:
    return EXAMPLES_OF_HOSTS.search(value) is None


ALONE = r"(?<![\w.,/-])", r"(?![\w/-]|[.,]\d)"  # around numbers, which are no parts of longer ones
KINDS = (
    PersonalKind(
        "web address", re.compile(r"(?:https?://|www\.)[^\s<>\"'«»،؛]+", re.IGNORECASE), _always, harmless=True
    ),
    PersonalKind(
        "e-mail", re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,24}", re.IGNORECASE), _is_mail
    ),
    PersonalKind(
        "IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _is_iban, grave=True
    ),
    PersonalKind(
        "payment card",
        re.compile(ALONE[0] + r"[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,4}" + ALONE[1]),
        _is_card,
        grave=True,
    ),
    PersonalKind("national id (Egypt)", re.compile(ALONE[0] + r"[23]\d{13}" + ALONE[1]), _is_egyptian, grave=True),
    PersonalKind("national id (Saudi Arabia)", re.compile(ALONE[0] + r"[12]\d{9}" + ALONE[1]), _is_saudi, grave=True),
    PersonalKind(
        "phone",
        re.compile(
            r"(?<![\w.,/+-])(?:(?:\+|00)[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){6,11}"
            r"|05\d[ -]?\d{3}[ -]?\d{4}|01[0125]\d[ -]?\d{3}[ -]?\d{4}"
            r"|\(\d{3}\) ?\d{3}[ -]\d{4}|\d{3}-\d{3}-\d{4})" + ALONE[1]
        ),
        _is_phone,
    ),
    PersonalKind("IP address", re.compile(ALONE[0] + r"\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)"), _is_public_address),
)


def found_in(text: str) -> Iterator[tuple[PersonalKind, int, int]]:
    """(kind, begin, end) of personal data in a text; each place counts once, as the first kind that it is."""
    plain, taken = text.translate(AS_WESTERN), [False] * len(text)
    for kind in KINDS:
        for one in kind.pattern.finditer(plain):
            begin, end = one.span()
            if not any(taken[begin:end]) and kind.is_one(one[0]):
                taken[begin:end] = [True] * (end - begin)
                yield kind, begin, end


def masked(text: str) -> str:
    """The text with personal data hidden but for the first letters of each: 'call 05•• ••• ••••'."""
    for _, begin, end in sorted(found_in(text), key=lambda one: one[1], reverse=True):
        hidden = re.sub(r"\w", "•", text[begin + SHOWN : end])
        text = text[: begin + SHOWN] + hidden + text[end:]
    return text
