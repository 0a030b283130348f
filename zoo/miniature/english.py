"""English words in a sentence: articles, plurals and the three verb forms that the grammar uses."""

from __future__ import annotations

from dataclasses import dataclass

VOWELS = "aeiou"


def with_article(noun: str, *, definite: bool) -> str:
    """The noun with its article. `*` marks a noun that has no indefinite one (*rice)."""
    bare = noun.removeprefix("*")
    if definite:
        return f"the {bare}"
    return bare if noun.startswith("*") else f"{_a(bare)} {bare}"


def _a(word: str) -> str:
    return "an" if word[0] in VOWELS else "a"


def plural(entry: str) -> str:
    """The plural of a noun. The entry is singular[/plural]."""
    singular, *given = entry.split("/")
    if given:
        return given[0]
    if singular.endswith("y") and singular[-2] not in VOWELS:
        return singular[:-1] + "ies"
    return singular + ("es" if singular.endswith(("s", "sh", "ch", "x")) else "s")


@dataclass(frozen=True)
class EnglishVerb:
    """A verb in its three forms; `rest` is the particle or preposition that follows each of them."""

    base: str
    past: str
    participle: str
    rest: str = ""

    @classmethod
    def read(cls, entry: str) -> EnglishVerb:
        """The verb of an entry: base[/past/participle] [particle or preposition]."""
        forms, _, rest = entry.partition(" ")
        base, *given = forms.split("/")
        past, participle = given if given else (_past(base), _participle(base))
        return cls(base, past, participle, rest)


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if base.endswith("y") and base[-2] not in VOWELS else base + "ed"


def _participle(base: str) -> str:
    return base[:-1] + "ing" if base.endswith("e") and not base.endswith("ee") else base + "ing"
