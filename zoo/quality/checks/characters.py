"""Characters that nobody sees, and text that was read in the wrong encoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zoo.quality.checked import Checked, of_many, quality_check, verdict_on
from zoo.quality.counting import Kinds, Tally, tallied
from zoo.quality.material import Material
from zoo.say import Progress

if TYPE_CHECKING:
    import polars as pl

MANY = 0.01  # of all texts
WINDOWS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # what bytes 80 to 9f are in cp1252
HIGH = rf"[\u{{80}}-\u{{bf}}{WINDOWS}]"
UNSEEN = {
    "control characters": r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]",
    "characters of no width": r"[\u{ad}\u{34f}\u{200b}\u{2060}-\u{2065}\u{206a}-\u{206f}\u{feff}\u{3164}\u{ffa0}]",
    "characters that turn text around": r"[\u{202a}-\u{202e}\u{2066}-\u{2069}]",
    "tags": r"[\u{e0000}-\u{e0fff}]",
}
HARMLESS = {
    "joiners and direction marks": r"[\u{61c}\u{200c}-\u{200f}]",
    "unusual spaces": r"[\u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
}
MISREAD = {
    "Arabic in UTF-8 read as Latin": rf"(?:[ØÙÚÛ]{HIGH}\s*){{2,}}",
    "Latin in UTF-8 read as Latin-1": rf"[ÃÂ]{HIGH}|â€[{WINDOWS}\u{{80}}-\u{{9f}}¦]",
    "Arabic in cp1256 read as Latin": r"(?:^|\s)[À-ÖØ-öø-ÿ]{4,}(?:[\s.,،؟]|$)",
    "replacement characters": r"\u{fffd}",
    "question marks in letters' stead": r"(?:\?{2,}\s+){2,}\?{2,}",
    "HTML entities": r"&(?:amp|quot|apos|lt|gt|nbsp|#[0-9]{2,5}|#x[0-9a-fA-F]{2,5});",
    "HTML tags": r"</?(?:br|p|b|i|u|em|strong|div|span|a|ref)(?: [^<>]*)?/?>",
    "escapes": r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}",
    "private characters": r"[\u{e000}-\u{f8ff}]",
}


def _matching(pattern: str) -> Callable[[str], pl.Expr]:
    import polars as pl

    return lambda text: pl.col(text).str.contains(pattern)


def matching(patterns: dict[str, str]) -> Kinds:
    """Kinds of texts, each by the regular expression that is somewhere in them."""
    return {kind: _matching(pattern) for kind, pattern in patterns.items()}


def counts_in_words(tally: Tally) -> str:
    """Counts of what was found, in words: '3 control characters, 12 HTML entities'; 'none' when nothing was."""
    found = [f"{kind} in {of_many(number, tally.texts)}" for kind, number in tally.counts.items() if number]
    return "; ".join(found) or "none"


@quality_check("invisible characters", "Texts with characters that nobody sees, which make equal words differ.")
def invisible(material: Material, progress: Progress) -> Checked:
    """Count texts with them; joiners and direction marks are part of writing, and are told alone."""
    found = tallied(material, matching({**UNSEEN, **HARMLESS}))
    grave = sum(found.counts[kind] for kind in UNSEEN)
    verdict = verdict_on(grave, found.texts, problem=MANY)
    advice = "{type: normalise, zero_width: true} among its steps takes those of no width out" if grave else ""
    return Checked(verdict, counts_in_words(found), found.counts, found.examples, advice)


@quality_check("encoding", "Texts that were read in another encoding than they were written in, or still have markup.")
def encoding(material: Material, progress: Progress) -> Checked:
    """Count texts with the traces of it."""
    found = tallied(material, matching(MISREAD))
    verdict = verdict_on(sum(found.counts.values()), found.texts, problem=MANY)
    advice = "read the source again in its own encoding; what was replaced is lost"
    return Checked(verdict, counts_in_words(found), found.counts, found.examples, advice)
