"""Numbers of things in Arabic, whose noun changes with the number: one row, two rows, 3 to 10 of them, and more."""

from __future__ import annotations

from typing import NamedTuple

from zoo.markdown import Markdown


class Noun(NamedTuple):
    """The forms of an Arabic noun that stand with numbers."""

    one: str
    two: str
    few: str
    """With 3 to 10."""
    many: str
    """With 11 to 99, in the accusative."""
    whole: str
    """With hundreds and thousands, and none."""


ROW = Noun("صف واحد", "صفان", "صفوف", "صفًا", "صف")

TASK_AFTER = Noun("مهمة واحدة", "مهمتين", "مهام", "مهمة", "مهمة")
"""As it stands after a preposition."""


def counted_in_arabic(number: int, noun: Noun) -> str:
    """Return a number with its noun, in the noun's case: 'صفان', '3 صفوف', '6,000 صف'. The last two digits decide."""
    if number in (1, 2):
        return noun[number - 1]
    return f"{number:,} {form_with(number, noun)}"


def form_with(number: int, noun: Noun) -> str:
    """Return the form of a noun that stands after a number of 0, or of 3 and more."""
    last = number % 100
    if 3 <= last <= 10:
        return noun.few
    return noun.many if last >= 11 else noun.whole


def rows_in_arabic(number: int) -> Markdown:
    """Return a number of rows for an Arabic paragraph; its digits are isolated, so that nothing turns them around."""
    return _isolated(counted_in_arabic(number, ROW))


def tasks_in_arabic(number: int) -> Markdown:
    """Return a number of tasks as it stands after a preposition: 'مهمتين', '3 مهام'; its digits are isolated."""
    return _isolated(counted_in_arabic(number, TASK_AFTER))


def _isolated(told: str) -> Markdown:
    digits, _, noun = told.partition(" ")
    return Markdown(f"<bdi>{digits}</bdi> {noun}" if digits[0].isdigit() else told)
