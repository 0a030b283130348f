"""Sentences for frames: picks synonyms, definiteness and word order, and makes everything agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, TypeVar

from zoo.miniature import arabic, english
from zoo.miniature.frames import Frame
from zoo.miniature.lexicon import Concept, Language, lexicon

AskedSlot = Literal["subject", "place", "time"]


T = TypeVar("T")
OPENINGS = ("fronted", "there is")  # what both languages can open with instead of the subject


def render(frame: Frame, language: Language, rng: Random) -> str:
    """One of the many sentences that say what the frame says."""
    return (_arabic if language == "ar" else _english)(frame, _Choices(rng))


def parallel(frame: Frame, rng: Random) -> tuple[str, str]:
    """An English sentence that says what the frame says, and its Arabic translation: the same choices in both.

    English words decide which Arabic synonyms stand for them, so that one English sentence has one translation.
    """
    choices = _Choices(rng)
    return _english(frame, choices), _arabic(frame, choices)


@dataclass
class _Choices:
    """Choices that a telling of a frame makes, each drawn when it is first asked for and then kept."""

    rng: Random
    made: dict[str, object] = field(default_factory=dict)

    def once(self, what: str, draw: Callable[[], T]) -> T:
        """The choice that was made before under this name, or else is drawn now."""
        if what not in self.made:
            self.made[what] = draw()
        return self.made[what]  # type: ignore[return-value]

    def word(self, slot: str, concept: Concept, language: Language) -> str:
        """A synonym for a concept: of the same number in both languages, as far as there are as many."""
        words = concept.words[language]
        return words[self.once(f"word of {slot}", lambda: self.rng.randrange(len(words))) % len(words)]

    def definite(self, slot: str, share: float) -> bool:
        """Whether a noun has its article."""
        return self.once(f"article of {slot}", lambda: self.rng.random() < share)

    def ordered(self, phrases: list[str]) -> list[str]:
        """The phrases in a random order."""
        places = self.once("order of phrases", lambda: self._shuffled(len(phrases)))
        return [phrases[place] for place in places]

    def _shuffled(self, count: int) -> Sequence[int]:
        places = list(range(count))
        self.rng.shuffle(places)
        return places


def _setting(frame: Frame, language: Language, choices: _Choices) -> list[str]:
    """The words for place and time, in either order."""
    words = lexicon()
    phrases = [choices.word("place", words.places[frame.place], language)] if frame.place else []
    phrases += [choices.word("time", words.times[frame.time], language)] if frame.time else []
    return choices.ordered(phrases)


# Arabic


def _arabic(frame: Frame, choices: _Choices) -> str:
    setting = _setting(frame, "ar", choices)
    weights = (4, 4, 2 if setting else 0, 1)
    order = choices.once("order", lambda: choices.rng.choices(("SVO", "VSO", *OPENINGS), weights)[0])
    if order == "there is" and frame.tense == "present":
        return _arabic_there_is(frame, setting, choices)
    agrees = _agreement(frame)
    subject = _arabic_subject(frame, agrees, choices, definite=choices.definite("subject", 0.6))
    if order == "SVO":
        clause = [subject, *_arabic_predicate(frame, agrees, choices)]
    else:
        before_subject = arabic.Agreement(agrees.gender, arabic.VERB_BEFORE_SUBJECT)
        verb, *objects = _arabic_predicate(frame, before_subject, choices)
        clause = [verb, subject, *objects]
    return _sentence([setting[0], *clause, *setting[1:]] if order == "fronted" else [*clause, *setting])


def _arabic_there_is(frame: Frame, setting: list[str], choices: _Choices) -> str:
    agrees = _agreement(frame)
    subject = _arabic_subject(frame, agrees, choices, definite=False)
    predicate = _arabic_predicate(frame, agrees, choices, denied=False)
    return _sentence(["ليس هناك" if frame.negated else "هناك", subject, *predicate, *setting])


def _agreement(frame: Frame) -> arabic.Agreement:
    words = lexicon()
    human = words.within(frame.subject, ("person",))
    return arabic.agreement(words.nouns[frame.subject].gender or "m", frame.number, human=human)


def _arabic_subject(frame: Frame, agrees: arabic.Agreement, choices: _Choices, *, definite: bool) -> str:
    words = lexicon()
    parts = [arabic.noun_form(choices.word("subject", words.nouns[frame.subject], "ar"), frame.number)]
    if frame.quality:
        parts.append(arabic.adjective(choices.word("quality", words.qualities[frame.quality], "ar"), agrees))
    return " ".join(arabic.definite(part) for part in parts) if definite else " ".join(parts)


def _arabic_predicate(
    frame: Frame, agrees: arabic.Agreement, choices: _Choices, *, denied: bool | None = None
) -> list[str]:
    """The verb with its negation, then the object where there is one."""
    verb = arabic.ArabicVerb.read(choices.word("action", lexicon().actions[frame.action], "ar"))
    negated = frame.negated if denied is None else denied
    phrase = _arabic_verb(verb, frame, agrees, negated=negated)
    return [phrase, _arabic_object(frame.object, verb.preposition, choices)] if frame.object else [phrase]


def _arabic_verb(verb: arabic.ArabicVerb, frame: Frame, agrees: arabic.Agreement, *, negated: bool) -> str:
    """The verb with its negation: لا before the present; لم before the jussive, which denies the past."""
    if not negated:
        return arabic.conjugate(verb, frame.tense, agrees)
    if frame.tense == "present":
        return "لا " + arabic.conjugate(verb, "present", agrees)
    return "لم " + arabic.conjugate(verb, "jussive", agrees)


def _arabic_object(name: str, preposition: str, choices: _Choices) -> str:
    noun = choices.word("object", lexicon().nouns[name], "ar").split("/")[0]
    definite = choices.definite("object", 0.4)
    if not preposition:
        return arabic.definite(arabic.plain_noun(noun)) if definite else arabic.accusative(noun)
    bare = arabic.definite(arabic.plain_noun(noun)) if definite else arabic.plain_noun(noun)
    return preposition + bare if preposition == "ب" else f"{preposition} {bare}"


QUESTIONS: dict[AskedSlot, str] = {"subject": "من", "place": "أين", "time": "متى"}


def ask(frame: Frame, slot: AskedSlot, rng: Random) -> str:
    """An Arabic question that the frame answers: who, where or when. It tells everything else that the frame says."""
    asked = replace(
        frame,
        place=None if slot == "place" else frame.place,
        time=None if slot == "time" else frame.time,
        negated=False,
    )
    agrees, choices = _agreement(frame), _Choices(rng)
    gender = "m" if slot == "subject" else agrees.gender
    verb, *objects = _arabic_predicate(asked, arabic.Agreement(gender, arabic.VERB_BEFORE_SUBJECT), choices)
    subject = [] if slot == "subject" else [_arabic_subject(asked, agrees, choices, definite=True)]
    return " ".join([QUESTIONS[slot], verb, *subject, *objects, *_setting(asked, "ar", choices)]) + "؟"


# English


def _english(frame: Frame, choices: _Choices) -> str:
    setting = _setting(frame, "en", choices)
    there_is = frame.tense == "present" and choices.rng.random() < 0.15
    clause = _english_there_is(frame, choices) if there_is else _english_clause(frame, choices)
    fronted = bool(setting) and choices.rng.random() < 0.25
    choices.once("order", lambda: "there is" if there_is else "fronted" if fronted else "SVO")
    return _sentence([setting[0] + ",", *clause, *setting[1:]] if fronted else [*clause, *setting])


def _english_clause(frame: Frame, choices: _Choices) -> list[str]:
    subject = _english_subject(frame, choices, definite=choices.definite("subject", 0.5))
    verb = english.EnglishVerb.read(choices.word("action", lexicon().actions[frame.action], "en"))
    return [subject, _english_verb(verb, frame), *_english_object(frame, verb, choices)]


def _english_there_is(frame: Frame, choices: _Choices) -> list[str]:
    there = "there is" if frame.number == "singular" else "there are"
    subject = _english_subject(frame, choices, definite=False)
    if frame.negated:
        subject = "no " + (subject.split(" ", 1)[1] if frame.number == "singular" else subject)
    verb = english.EnglishVerb.read(choices.word("action", lexicon().actions[frame.action], "en"))
    return [there, subject, verb.participle, *_english_object(frame, verb, choices)]


def _english_subject(frame: Frame, choices: _Choices, *, definite: bool) -> str:
    words = lexicon()
    entry = choices.word("subject", words.nouns[frame.subject], "en")
    noun = entry.split("/")[0] if frame.number == "singular" else english.plural(entry)
    quality = choices.word("quality", words.qualities[frame.quality], "en") if frame.quality else ""
    phrase = f"{quality} {noun}" if quality else noun
    if frame.number == "singular":
        return english.with_article(phrase, definite=definite)
    counted = f"two {phrase}" if frame.number == "dual" else phrase
    return f"the {counted}" if definite else counted


def _english_verb(verb: english.EnglishVerb, frame: Frame) -> str:
    if frame.tense == "past":
        return f"did not {verb.base}" if frame.negated else verb.past
    be = "is" if frame.number == "singular" else "are"
    return f"{be} not {verb.participle}" if frame.negated else f"{be} {verb.participle}"


def _english_object(frame: Frame, verb: english.EnglishVerb, choices: _Choices) -> list[str]:
    particle = [verb.rest] if verb.rest else []
    if not frame.object:
        return particle
    noun = choices.word("object", lexicon().nouns[frame.object], "en").split("/")[0]
    return [*particle, english.with_article(noun, definite=choices.definite("object", 0.4))]


def _sentence(parts: list[str]) -> str:
    text = " ".join(parts)
    return text[0].upper() + text[1:] + "."
