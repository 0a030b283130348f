"""Frames: what a sentence says, apart from its words, and how close two of them are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from zoo.miniature.arabic import Number
from zoo.miniature.lexicon import lexicon

Split = Literal["train", "validation", "test"]
Tense = Literal["present", "past"]


@dataclass(frozen=True)
class Frame:
    """An event: who does what to what, where and when.

    All fields but `number`, `tense` and `negated` are names of concepts.
    """

    subject: str
    number: Number
    action: str
    object: str | None = None
    place: str | None = None
    time: str | None = None
    quality: str | None = None
    tense: Tense = "present"
    negated: bool = False


def split_of(frame: Frame) -> Split:
    """The split that a frame belongs to.

    The core alone decides (subject, action, object), so that a core met in training is never met in evaluation.
    """
    return _split_of_core(f"{frame.subject} {frame.action} {frame.object}")


@cache
def _split_of_core(core: str) -> Split:
    bucket = hashlib.sha256(core.encode()).digest()[0] * 10 // 256
    return "train" if bucket < 6 else "validation" if bucket < 8 else "test"


# What can be said


@cache
def actors_of(action: str) -> tuple[str, ...]:
    """Concepts that can do this action."""
    return lexicon().named(lexicon().nouns, lexicon().actions[action].actors)


@cache
def objects_of(action: str, subject: str) -> tuple[str, ...]:
    """Concepts that this subject can do the action to, itself left out: a cat does not chase a cat."""
    kinds = lexicon().actions[action].objects
    return tuple(o for o in lexicon().named(lexicon().nouns, kinds) if o != subject) if kinds else ()


@cache
def places_of(action: str) -> tuple[str, ...]:
    """Places where this action can happen."""
    return lexicon().named(lexicon().places, lexicon().actions[action].places)


@cache
def times() -> tuple[str, ...]:
    """Times at which anything can happen."""
    return lexicon().named(lexicon().times, ())


@cache
def qualities_of(subject: str) -> tuple[str, ...]:
    """Adjectives that this subject can have."""
    return tuple(name for name, quality in lexicon().qualities.items() if lexicon().within(subject, quality.actors))


def fits(frame: Frame) -> bool:
    """True when the actor can do it, to this object, in this place."""
    objects = objects_of(frame.action, frame.subject)
    return (
        frame.subject in actors_of(frame.action)
        and (frame.object in objects if objects else frame.object is None)
        and (frame.place is None or frame.place in places_of(frame.action))
        and (frame.quality is None or frame.quality in qualities_of(frame.subject))
    )


def draw(rng: Random) -> Frame:
    """A random frame that makes sense."""
    action = rng.choice(tuple(lexicon().actions))
    subject = rng.choice(actors_of(action))
    objects = objects_of(action, subject)
    return Frame(
        subject,
        number=rng.choices(("singular", "plural", "dual"), (6, 3, 1))[0],
        action=action,
        object=rng.choice(objects) if objects else None,
        place=_sometimes(rng, 0.6, places_of(action)),
        time=_sometimes(rng, 0.5, times()),
        quality=_sometimes(rng, 0.4, qualities_of(subject)),
        tense=rng.choice(("present", "past")),
        negated=rng.random() < 0.1,
    )


def _sometimes(rng: Random, share: float, choices: Sequence[str]) -> str | None:
    return rng.choice(choices) if rng.random() < share else None


# How close two frames are

CORE = {"action": 0.4, "subject": 0.3, "object": 0.3}
DETAILS = {"place": 0.14, "time": 0.08, "quality": 0.08}
DROPPED = 0.5  # a detail that only one side gives
NEGATED = 0.3  # what is left when one side denies the other
ONE_OR_MANY = 0.9
WEAKEST = 0.5  # how far the worst match of the core pulls the whole down: another object is another event


def similarity(a: Frame, b: Frame) -> float:
    """Closeness of two frames, 0 (nothing in common) to 1 (the same meaning); symmetric, blind to the words chosen."""
    core = {slot: _core_closeness(a, b, slot) for slot in CORE if slot_of(a, slot) or slot_of(b, slot)}
    details = {slot: _detail_closeness(a, b, slot) for slot in DETAILS if slot_of(a, slot) or slot_of(b, slot)}
    weights = {slot: weight for slot, weight in {**CORE, **DETAILS}.items() if slot in core or slot in details}
    mean = sum(weights[slot] * closeness for slot, closeness in {**core, **details}.items()) / sum(weights.values())
    weakest = 1 - WEAKEST * (1 - min(core.values()))
    return mean * weakest * (1.0 if a.negated == b.negated else NEGATED)


def slot_of(frame: Frame, slot: str) -> str | None:
    """The concept in this slot of a frame; None when the slot is empty."""
    value: str | None = getattr(frame, slot)
    return value


def _core_closeness(a: Frame, b: Frame, slot: str) -> float:
    left, right = slot_of(a, slot), slot_of(b, slot)
    if left is None or right is None:
        return 0.0
    same_count = slot != "subject" or a.number == b.number
    return closeness(left, right) * (1.0 if same_count else ONE_OR_MANY)


def _detail_closeness(a: Frame, b: Frame, slot: str) -> float:
    left, right = slot_of(a, slot), slot_of(b, slot)
    return closeness(left, right) if left and right else DROPPED


@cache
def closeness(a: str, b: str) -> float:
    """Closeness of two concepts by the steps up to the nearest one that they share.

    The same concept has 1, its parent 0.8, opposites 0, sisters 0.35.
    """
    if a == b:
        return 1.0
    if b in opposites(a):
        return 0.0
    up, down = lexicon().lineage(a), lexicon().lineage(b)
    shared = next((c for c in up if c in down), None)
    if shared is None:
        return 0.0
    steps = sorted((up.index(shared), down.index(shared)))
    return {(0, 1): 0.8, (0, 2): 0.6, (1, 1): 0.35, (1, 2): 0.2}.get((steps[0], steps[1]), 0.1)


def opposites(name: str) -> tuple[str, ...]:
    """The opposite of an action or a quality, if it has one."""
    words = lexicon()
    concept = words.actions.get(name) or words.qualities.get(name)
    return (concept.opposite,) if concept and concept.opposite else ()
