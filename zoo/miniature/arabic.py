"""Arabic words in a sentence: agreement, negation, the article. Unvocalised, except for tanwin on its alif."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zoo.miniature.lexicon import Gender

Number = Literal["singular", "dual", "plural"]
Mood = Literal["past", "present", "jussive"]


@dataclass(frozen=True)
class Agreement:
    """Gender and number that a verb or an adjective takes over from its subject."""

    gender: Gender
    number: Number


VERB_BEFORE_SUBJECT: Number = "singular"  # رقص الأولاد، but الأولاد رقصوا


def agreement(gender: Gender, number: Number, *, human: bool) -> Agreement:
    """The agreement with a noun. Plurals of animals and things agree as feminine singular."""
    return Agreement("f", "singular") if number == "plural" and not human else Agreement(gender, number)


# Nouns and adjectives


def definite(noun: str) -> str:
    """The word with its article. A noun and its adjective each take one, so call it on both."""
    return "ال" + noun.removeprefix("ا") if noun.startswith("امرأ") else "ال" + noun


def dual(noun: str) -> str:
    """The dual of a singular, in the nominative."""
    if noun.endswith("ة"):
        return noun[:-1] + "تان"
    return noun[:-1] + "يان" if noun.endswith("ى") else noun + "ان"


def accusative(noun: str) -> str:
    """The singular as an indefinite object. `^` marks a noun that shows no ending; ة، اء، ات and ى show none either."""
    bare = noun.removesuffix("^")
    return bare if noun.endswith(("^", "ة", "اء", "ات", "ى")) else bare + "ًا"


def plain_noun(noun: str) -> str:
    """The noun without the lexicon's mark `^`."""
    return noun.removesuffix("^")


def noun_form(entry: str, number: Number) -> str:
    """A noun in this number, in the nominative. The entry is singular/plural."""
    singular, plural = entry.split("/")
    return {"singular": singular, "dual": dual(singular), "plural": plural}[number]


def adjective(entry: str, agrees: Agreement) -> str:
    """The form of an adjective that agrees. The entry is masculine/its plural[/feminine]."""
    masculine, plural, *rest = entry.split("/")
    feminine = rest[0] if rest else masculine + "ة"
    singular = feminine if agrees.gender == "f" else masculine
    if agrees.number == "singular":
        return singular
    if agrees.number == "dual":
        return dual(singular)
    return feminine_plural(feminine) if agrees.gender == "f" else plural


def feminine_plural(feminine: str) -> str:
    """The feminine plural of a feminine singular."""
    return feminine[:-1] + ("يات" if feminine.endswith("ى") else "ات")


# Verbs


@dataclass(frozen=True)
class ArabicVerb:
    """A verb: third person singular masculine in past and present, and the preposition of its object."""

    past: str
    present: str
    preposition: str = ""
    doubled: bool = False

    @classmethod
    def read(cls, entry: str) -> ArabicVerb:
        """The verb of an entry: past present [preposition], with `!` after a past whose last letter is doubled."""
        past, present, *preposition = entry.split()
        return cls(past.removesuffix("!"), present, " ".join(preposition), past.endswith("!"))


def conjugate(verb: ArabicVerb, mood: Mood, agrees: Agreement) -> str:
    """The third person of a verb in a mood, agreeing with its subject."""
    if mood == "past":
        return _past(verb, agrees)
    form = _present(verb, agrees.number, agrees.gender, jussive=mood == "jussive")
    feminine_prefix = agrees.gender == "f" and agrees.number != "plural"
    return "ت" + form[1:] if feminine_prefix else form


def _past(verb: ArabicVerb, agrees: Agreement) -> str:
    masculine = agrees.gender == "m"
    if agrees.number == "singular":
        return verb.past if masculine else _past_feminine(verb)
    if agrees.number == "dual":
        return _join_alif(verb.past, weak="يا") if masculine else _past_feminine(verb) + "ا"
    return _past_plural(verb) if masculine else _with_nun(_past_before_consonant(verb))


def _past_feminine(verb: ArabicVerb) -> str:
    return verb.past[:-1] + "ت" if verb.past.endswith("ى") else verb.past + "ت"


def _past_plural(verb: ArabicVerb) -> str:
    if verb.past.endswith("أ"):
        return verb.past[:-1] + "ؤوا"
    return verb.past.removesuffix("ى") + "وا"


def _past_before_consonant(verb: ArabicVerb) -> str:
    """The stem before an ending that starts with a consonant: نام - نمن، جر - جررن، مشى - مشين."""
    if verb.past.endswith("ى"):
        return verb.past[:-1] + "ي"
    if _hollow(verb):
        return verb.past[:-2] + verb.past[-1]
    return verb.past + verb.past[-1] if verb.doubled else verb.past


def _present(verb: ArabicVerb, number: Number, gender: Gender, *, jussive: bool) -> str:
    stem = verb.present
    if number == "singular":
        return _present_short(verb) if jussive else stem
    if number == "dual":
        return _join_alif(stem, weak="يا") + ("" if jussive else "ن")
    if gender == "f":
        return _with_nun(_present_before_consonant(verb))
    return _present_plural(stem) + ("ا" if jussive else "ن")


def _present_short(verb: ArabicVerb) -> str:
    """The jussive: a weak last radical falls, and so does the long vowel of a hollow verb (لم ينم، لم يمش)."""
    if verb.present.endswith(("ي", "ى")):
        return verb.present[:-1]
    return verb.present[:-2] + verb.present[-1] if _hollow(verb) else verb.present


def _present_plural(stem: str) -> str:
    if stem.endswith("أ"):
        return stem[:-1] + "ؤو"
    return stem[:-1] + "و" if stem.endswith(("ي", "ى")) else stem + "و"


def _present_before_consonant(verb: ArabicVerb) -> str:
    if verb.present.endswith("ى"):
        return verb.present[:-1] + "ي"
    if _hollow(verb):
        return verb.present[:-2] + verb.present[-1]
    return verb.present + verb.present[-1] if verb.doubled else verb.present


def _hollow(verb: ArabicVerb) -> bool:
    return verb.past[-2] == "ا" and verb.present[-2] in "اوي"


def _join_alif(stem: str, weak: str) -> str:
    if stem.endswith("أ"):
        return stem[:-1] + "آ"
    return stem[:-1] + weak if stem.endswith(("ى", "ي")) else stem + "ا"


def _with_nun(stem: str) -> str:
    return stem + "ّ" if stem.endswith("ن") else stem + "ن"
