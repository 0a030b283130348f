"""Sentences for frames: picks synonyms, definiteness and word order, and makes everything agree."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Literal

from zoo.miniature import arabic, english
from zoo.miniature.frames import Frame
from zoo.miniature.lexicon import Concept, Language, lexicon

AskedSlot = Literal["subject", "place", "time"]


def render(frame: Frame, language: Language, rng: Random) -> str:
    """One of the many sentences that say what the frame says."""
    return _arabic(frame, rng) if language == "ar" else _english(frame, rng)


def _word(concept: Concept, language: Language, rng: Random) -> str:
    return rng.choice(concept.words[language])


def _setting(frame: Frame, language: Language, rng: Random) -> list[str]:
    """The words for place and time, in either order."""
    words = lexicon()
    phrases = [_word(words.places[frame.place], language, rng)] if frame.place else []
    phrases += [_word(words.times[frame.time], language, rng)] if frame.time else []
    rng.shuffle(phrases)
    return phrases


# Arabic


def _arabic(frame: Frame, rng: Random) -> str:
    setting = _setting(frame, "ar", rng)
    order = rng.choices(("SVO", "VSO", "fronted", "there is"), (4, 4, 2 if setting else 0, 1))[0]
    if order == "there is" and frame.tense == "present":
        return _arabic_there_is(frame, setting, rng)
    agrees = _agreement(frame)
    subject = _arabic_subject(frame, agrees, rng, definite=rng.random() < 0.6)
    if order == "SVO":
        clause = [subject, *_arabic_predicate(frame, agrees, rng)]
    else:
        before_subject = arabic.Agreement(agrees.gender, arabic.VERB_BEFORE_SUBJECT)
        verb, *objects = _arabic_predicate(frame, before_subject, rng)
        clause = [verb, subject, *objects]
    return _sentence([setting[0], *clause, *setting[1:]] if order == "fronted" else [*clause, *setting])


def _arabic_there_is(frame: Frame, setting: list[str], rng: Random) -> str:
    agrees = _agreement(frame)
    subject = _arabic_subject(frame, agrees, rng, definite=False)
    predicate = _arabic_predicate(frame, agrees, rng, denied=False)
    return _sentence(["ليس هناك" if frame.negated else "هناك", subject, *predicate, *setting])


def _agreement(frame: Frame) -> arabic.Agreement:
    words = lexicon()
    human = words.within(frame.subject, ("person",))
    return arabic.agreement(words.nouns[frame.subject].gender or "m", frame.number, human=human)


def _arabic_subject(frame: Frame, agrees: arabic.Agreement, rng: Random, *, definite: bool) -> str:
    words = lexicon()
    parts = [arabic.noun_form(_word(words.nouns[frame.subject], "ar", rng), frame.number)]
    if frame.quality:
        parts.append(arabic.adjective(_word(words.qualities[frame.quality], "ar", rng), agrees))
    return " ".join(arabic.definite(part) for part in parts) if definite else " ".join(parts)


def _arabic_predicate(frame: Frame, agrees: arabic.Agreement, rng: Random, *, denied: bool | None = None) -> list[str]:
    """The verb with its negation, then the object where there is one."""
    verb = arabic.ArabicVerb.read(_word(lexicon().actions[frame.action], "ar", rng))
    negated = frame.negated if denied is None else denied
    phrase = _arabic_verb(verb, frame, agrees, negated=negated)
    return [phrase, _arabic_object(frame.object, verb.preposition, rng)] if frame.object else [phrase]


def _arabic_verb(verb: arabic.ArabicVerb, frame: Frame, agrees: arabic.Agreement, *, negated: bool) -> str:
    """The verb with its negation: لا before the present; لم before the jussive, which denies the past."""
    if not negated:
        return arabic.conjugate(verb, frame.tense, agrees)
    if frame.tense == "present":
        return "لا " + arabic.conjugate(verb, "present", agrees)
    return "لم " + arabic.conjugate(verb, "jussive", agrees)


def _arabic_object(name: str, preposition: str, rng: Random) -> str:
    noun = _word(lexicon().nouns[name], "ar", rng).split("/")[0]
    definite = rng.random() < 0.4
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
    agrees = _agreement(frame)
    gender = "m" if slot == "subject" else agrees.gender
    verb, *objects = _arabic_predicate(asked, arabic.Agreement(gender, arabic.VERB_BEFORE_SUBJECT), rng)
    subject = [] if slot == "subject" else [_arabic_subject(asked, agrees, rng, definite=True)]
    return " ".join([QUESTIONS[slot], verb, *subject, *objects, *_setting(asked, "ar", rng)]) + "؟"


# English


def _english(frame: Frame, rng: Random) -> str:
    setting = _setting(frame, "en", rng)
    there_is = frame.tense == "present" and rng.random() < 0.15
    clause = _english_there_is(frame, rng) if there_is else _english_clause(frame, rng)
    if setting and rng.random() < 0.25:
        return _sentence([setting[0] + ",", *clause, *setting[1:]])
    return _sentence([*clause, *setting])


def _english_clause(frame: Frame, rng: Random) -> list[str]:
    subject = _english_subject(frame, rng, definite=rng.random() < 0.5)
    verb = english.EnglishVerb.read(_word(lexicon().actions[frame.action], "en", rng))
    return [subject, _english_verb(verb, frame), *_english_object(frame, verb, rng)]


def _english_there_is(frame: Frame, rng: Random) -> list[str]:
    there = "there is" if frame.number == "singular" else "there are"
    subject = _english_subject(frame, rng, definite=False)
    if frame.negated:
        subject = "no " + (subject.split(" ", 1)[1] if frame.number == "singular" else subject)
    verb = english.EnglishVerb.read(_word(lexicon().actions[frame.action], "en", rng))
    return [there, subject, verb.participle, *_english_object(frame, verb, rng)]


def _english_subject(frame: Frame, rng: Random, *, definite: bool) -> str:
    words = lexicon()
    entry = _word(words.nouns[frame.subject], "en", rng)
    noun = entry.split("/")[0] if frame.number == "singular" else english.plural(entry)
    phrase = f"{_word(words.qualities[frame.quality], 'en', rng)} {noun}" if frame.quality else noun
    if frame.number == "singular":
        return english.with_article(phrase, definite=definite)
    counted = f"two {phrase}" if frame.number == "dual" else phrase
    return f"the {counted}" if definite else counted


def _english_verb(verb: english.EnglishVerb, frame: Frame) -> str:
    if frame.tense == "past":
        return f"did not {verb.base}" if frame.negated else verb.past
    be = "is" if frame.number == "singular" else "are"
    return f"{be} not {verb.participle}" if frame.negated else f"{be} {verb.participle}"


def _english_object(frame: Frame, verb: english.EnglishVerb, rng: Random) -> list[str]:
    particle = [verb.rest] if verb.rest else []
    if not frame.object:
        return particle
    noun = _word(lexicon().nouns[frame.object], "en", rng).split("/")[0]
    return [*particle, english.with_article(noun, definite=rng.random() < 0.4)]


def _sentence(parts: list[str]) -> str:
    text = " ".join(parts)
    return text[0].upper() + text[1:] + "."
