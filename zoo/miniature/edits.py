"""Edits of a frame, one change at a time: to what follows from it, what denies it, or what it leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from zoo.miniature.frames import (
    DETAILS,
    Frame,
    actors_of,
    closeness,
    draw,
    fits,
    objects_of,
    opposites,
    places_of,
    qualities_of,
    slot_of,
    times,
)
from zoo.miniature.lexicon import Concept, lexicon

Edit = Callable[[Frame, Random], Frame | None]
"""A new frame, or None where the edit does not apply."""


def keep(frame: Frame, rng: Random) -> Frame | None:
    """The frame itself: other words and another order will say it."""
    del rng
    return frame


def generalise(frame: Frame, rng: Random) -> Frame | None:
    """The frame with a more general concept: a doctor becomes a person, an apple fruit.

    None under a denial: that nobody ate an apple does not say that nobody ate fruit.
    """
    slots = [slot for slot in ("subject", "object", "place") if _hypernym(slot_of(frame, slot))]
    if frame.negated or not slots:
        return None
    slot = rng.choice(slots)
    wider = _with(frame, slot, _hypernym(slot_of(frame, slot)))
    return wider if fits(wider) else None


def drop(frame: Frame, rng: Random) -> Frame | None:
    """The frame without one of its details; None under a denial, from which that does not follow."""
    given = [slot for slot in DETAILS if slot_of(frame, slot)]
    return _with(frame, rng.choice(given), None) if given and not frame.negated else None


def deny(frame: Frame, rng: Random) -> Frame | None:
    """The frame denied, or affirmed when it was denied before."""
    del rng
    return replace(frame, negated=not frame.negated)


def oppose(frame: Frame, rng: Random) -> Frame | None:
    """The frame with the opposite action or, where there is none, another of its kind."""
    words = lexicon()
    here = words.actions[frame.action]
    sisters = [n for n, a in words.actions.items() if a.parent == here.parent and a.objects == here.objects != ()]
    others = opposites(frame.action) or tuple(n for n in sisters if n != frame.action)
    return _fitting(replace(frame, action=rng.choice(others))) if others else None


def swap_object(frame: Frame, rng: Random) -> Frame | None:
    """The frame with another object."""
    return _swap(frame, rng, "object", objects_of(frame.action, frame.subject))


def swap_subject(frame: Frame, rng: Random) -> Frame | None:
    """The frame with another subject."""
    return _swap(frame, rng, "subject", actors_of(frame.action))


def swap_quality(frame: Frame, rng: Random) -> Frame | None:
    """The frame with another adjective for its subject."""
    return _swap(frame, rng, "quality", qualities_of(frame.subject))


def swap_place(frame: Frame, rng: Random) -> Frame | None:
    """The frame in another place."""
    return _swap(frame, rng, "place", places_of(frame.action))


def swap_time(frame: Frame, rng: Random) -> Frame | None:
    """The frame at another time."""
    return _swap(frame, rng, "time", times())


def detail(frame: Frame, rng: Random) -> Frame | None:
    """The frame with one more detail, which nothing supports."""
    choices = {"place": places_of(frame.action), "time": times(), "quality": qualities_of(frame.subject)}
    missing = [slot for slot in choices if not slot_of(frame, slot)]
    if not missing:
        return None
    slot = rng.choice(missing)
    return _with(frame, slot, rng.choice(choices[slot]))


def decoy(frame: Frame, rng: Random) -> Frame | None:
    """Another event with the same setting: many shared words, little shared meaning."""
    other = draw(rng)
    return _fitting(replace(other, place=frame.place, time=frame.time, tense=frame.tense, negated=frame.negated))


def unrelated(frame: Frame, rng: Random) -> Frame | None:
    """Any other frame, whatever this one says."""
    del frame
    return draw(rng)


def _fitting(frame: Frame) -> Frame | None:
    return frame if fits(frame) else None


def _swap(frame: Frame, rng: Random, slot: str, choices: Sequence[str]) -> Frame | None:
    """The frame with another filler of this slot, half of the time one of the same kind where there is any.

    A taxi for a bus misleads more than a taxi for a poem.
    """
    here = slot_of(frame, slot)
    others = [c for c in choices if here and closeness(here, c) < 0.5 and c != here]
    near = [c for c in others if here and closeness(here, c) > 0.3]
    pool = near if near and rng.random() < 0.5 else others
    return _fitting(_with(frame, slot, rng.choice(pool))) if pool else None


def _with(frame: Frame, slot: str, value: str | None) -> Frame:
    return replace(frame, **{slot: value})  # type: ignore[arg-type]


def _hypernym(name: str | None) -> str | None:
    """The nearest more general concept that has words."""
    words = lexicon()
    named: Mapping[str, Concept] = {**words.nouns, **words.places}
    return next((up for up in words.lineage(name)[1:] if up in named and named[up].words["ar"]), None) if name else None
