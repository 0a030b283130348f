"""A column of texts without spelling habits, as an expression of polars: `zoo.arabic.normalised` by the million."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

LETTERS = {
    **dict.fromkeys("أإآٱٲٳ", "ا"),
    **dict.fromkeys("ىئیې", "ي"),
    "ؤ": "و",
    "ء": "",
    "ة": "ه",
    "ھ": "ه",
    "ک": "ك",
    **{chr(0x660 + one): str(one) for one in range(10)},
    **{chr(0x6F0 + one): str(one) for one in range(10)},
}
UNSPOKEN = (  # tashkeel and tatweel, and what nobody sees
    r"[\u{610}-\u{61a}\u{640}\u{64b}-\u{65f}\u{670}\u{6d6}-\u{6dc}\u{6df}-\u{6e8}\u{6ea}-\u{6ed}\u{897}-\u{89f}"
    r"\u{8c9}-\u{8e1}\u{8e3}-\u{8ff}\p{Cf}]"
)
BETWEEN = r"[\p{P}\p{S}\p{C}\s]+"


def respelt(column: str) -> pl.Expr:
    """The words of a column's texts as they are compared, one space between them; null stays null."""
    import polars as pl

    plain = pl.col(column).str.normalize("NFKC").str.to_lowercase().str.replace_all(UNSPOKEN, "")
    plain = plain.str.replace_many(list(LETTERS), list(LETTERS.values()))
    return plain.str.replace_all(BETWEEN, " ").str.strip_chars()
