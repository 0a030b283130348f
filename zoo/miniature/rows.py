"""Rows of the miniature datasets: pairs and triplets of sentences whose relation is known from their frames.

The surface misleads on purpose: what means the same is told in other words, what denies it keeps the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from zoo.miniature import edits
from zoo.miniature.edits import Edit
from zoo.miniature.frames import Frame, Split, draw, similarity, split_of
from zoo.miniature.grammar import render
from zoo.miniature.lexicon import Language

ENTAILED, NEUTRAL, CONTRADICTED = 0, 1, 2
Wording = Literal["near", "far", "any"]
LanguagePair = tuple[Language, Language]


@dataclass(frozen=True)
class FramedRow:
    """One row of a dataset and the frames that its sentences were made from, where any were."""

    values: tuple[str | float | int | tuple[str, ...], ...]
    frames: tuple[Frame, ...] = ()


def triplets(split: Split, count: int, *, language: Language, seed: int) -> list[FramedRow]:
    """Rows of (anchor, positive, negative)."""
    return distinct(count, lambda rng, _: _triplet(split, language, rng), f"{seed} triplets {split} {language}")


def translations(split: Split, count: int, *, seed: int) -> list[FramedRow]:
    """Rows of one value: an Arabic sentence and an English one for the same frame."""
    rows = distinct(count, lambda rng, _: _translation(split, rng), f"{seed} translations {split}")
    return [FramedRow(((str(row.values[0]), str(row.values[1])),), row.frames) for row in rows]


def labelled_pairs(split: Split, count: int, *, language: Language, seed: int) -> list[FramedRow]:
    """Rows of (premise, hypothesis, label): the three labels in turn, shuffled."""
    name = f"{seed} labelled {split} {language}"
    rows = distinct(count, lambda rng, made: _labelled(split, made % 3, language, rng), name)
    Random(name).shuffle(rows)
    return rows


def premises(split: Split, count: int, *, language: Language, seed: int) -> list[FramedRow]:
    """Rows of (premise, hypothesis, label), as people write them: to each premise in turn one of every label."""
    name = f"{seed} premises {split} {language}"
    wide = distinct(-(-count // len(MENUS)), lambda rng, _: _premise(split, language, rng), name)
    rows = [
        FramedRow((row.values[0], hypothesis, label), (row.frames[0], frame))
        for row in wide
        for label, hypothesis, frame in zip(MENUS, row.values[1:], row.frames[1:], strict=True)
    ]
    return rows[:count]


def scored_pairs(
    split: Split, count: int, *, languages: LanguagePair, seed: int, scale: float = 1.0
) -> list[FramedRow]:
    """Rows of (sentence1, sentence2, score).

    The score is in 0…scale, in 25 steps as averaged human scores are.
    """
    name = f"{seed} scored {split} {languages}"
    rows = distinct(count, lambda rng, made: _scored(split, CHANGES[made % len(CHANGES)], languages, scale, rng), name)
    Random(name).shuffle(rows)
    return rows


def document_pairs(split: Split, count: int, *, language: Language, seed: int) -> list[FramedRow]:
    """Rows of (sentence1, sentence2, score), with texts of three to six sentences.

    The score is 1 (different news) to 4 (the same news).
    """
    return distinct(count, lambda rng, _: _documents(split, language, rng), f"{seed} documents {split} {language}")


def distinct(count: int, make: Callable[[Random, int], FramedRow | None], name: str) -> list[FramedRow]:
    """Rows unlike each other, with unlike texts in each; `make` is asked again where it gives None.

    The name seeds all choices, so that the same name gives the same rows.
    """
    rng, rows, seen = Random(name), list[FramedRow](), set[tuple[object, ...]]()
    while len(rows) < count:
        row = make(rng, len(rows))
        texts = tuple(value for value in row.values if isinstance(value, str)) if row else ()
        if row and len(set(texts)) == len(texts) and texts not in seen:
            seen.add(texts)
            rows.append(row)
    return rows


def drawn(split: Split, rng: Random) -> Frame:
    """A random frame of the split."""
    while split_of(frame := draw(rng)) != split:
        pass
    return frame


# Sentences that share few or many words

TELLINGS = 4
"""Number of sentences to choose among when the wording is to be near to a given one, or far from it."""


def tell(frame: Frame, language: Language, rng: Random, *, beside: str = "", wording: Wording = "any") -> str:
    """A sentence for the frame; `near` and `far` say how many words it should share with the one beside it."""
    if wording == "any":
        return render(frame, language, rng)
    tellings = [render(frame, language, rng) for _ in range(TELLINGS)]
    return (max if wording == "near" else min)(tellings, key=lambda text: _shared_words(text, beside))


def _shared_words(a: str, b: str) -> float:
    left, right = set(a.rstrip(".").split()), set(b.rstrip(".").split())
    return len(left & right) / len(left | right)


# One row each

ENTAILMENTS: Mapping[Edit, int] = {edits.keep: 4, edits.generalise: 3, edits.drop: 3}
CONTRADICTIONS: Mapping[Edit, int] = {edits.deny: 4, edits.oppose: 3, edits.swap_object: 3, edits.swap_quality: 1}
OPEN: Mapping[Edit, int] = {edits.detail: 3, edits.swap_place: 2, edits.swap_time: 2, edits.swap_subject: 1}
MENUS = {ENTAILED: ENTAILMENTS, NEUTRAL: OPEN, CONTRADICTED: CONTRADICTIONS}


def edited_frame(frame: Frame, menu: Mapping[Edit, int], rng: Random) -> Frame | None:
    """The frame after one edit, chosen by weight; None unless it applies and gives a frame of the same split."""
    edit = rng.choices(tuple(menu), tuple(menu.values()))[0]
    return _in_split(edit(frame, rng), split_of(frame))


def _in_split(frame: Frame | None, split: Split) -> Frame | None:
    return frame if frame and split_of(frame) == split else None


def _triplet(split: Split, language: Language, rng: Random) -> FramedRow | None:
    frame = drawn(split, rng)
    entailed, denied = edited_frame(frame, ENTAILMENTS, rng), edited_frame(frame, CONTRADICTIONS, rng)
    if not entailed or not denied:
        return None
    anchor = tell(frame, language, rng)
    positive = tell(entailed, language, rng, beside=anchor, wording="far")
    negative = tell(denied, language, rng, beside=anchor, wording="near")
    return FramedRow((anchor, positive, negative), (frame, entailed, denied))


def _translation(split: Split, rng: Random) -> FramedRow:
    frame = drawn(split, rng)
    return FramedRow((render(frame, "ar", rng), render(frame, "en", rng)), (frame,))


def _labelled(split: Split, label: int, language: Language, rng: Random) -> FramedRow | None:
    frame = drawn(split, rng)
    other = edited_frame(frame, MENUS[label], rng)
    if not other:
        return None
    premise = tell(frame, language, rng)
    wording: Wording = "far" if label == ENTAILED else "near"
    return FramedRow((premise, tell(other, language, rng, beside=premise, wording=wording), label), (frame, other))


def _premise(split: Split, language: Language, rng: Random) -> FramedRow | None:
    """A premise, and a hypothesis of every label."""
    frame = drawn(split, rng)
    others = [edited_frame(frame, menu, rng) for menu in MENUS.values()]
    known = [other for other in others if other]
    if len(known) < len(others):
        return None
    premise = tell(frame, language, rng)
    wordings: list[Wording] = ["far" if label == ENTAILED else "near" for label in MENUS]
    told = [tell(other, language, rng, beside=premise, wording=how) for other, how in zip(known, wordings, strict=True)]
    return FramedRow((premise, *told), (frame, *known))


CHANGES: Sequence[tuple[Edit, ...]] = (
    *[(edits.keep,)] * 4,
    (edits.generalise,),
    (edits.drop,),
    (edits.detail,),
    (edits.generalise, edits.drop),
    (edits.swap_place,),
    (edits.swap_time, edits.generalise),
    *[(edits.swap_object,)] * 2,
    *[(edits.swap_subject,)] * 2,
    (edits.oppose,),
    (edits.swap_subject, edits.swap_object),
    (edits.swap_subject, edits.oppose),
    *[(edits.deny,)] * 2,
    (edits.deny, edits.swap_subject),
    *[(edits.decoy,)] * 3,
    *[(edits.unrelated,)] * 3,
)
"""Edits between the two sentences of a scored pair, from paraphrase to nothing in common; taken in turn."""


def _changed(frame: Frame, change: Sequence[Edit], rng: Random) -> Frame | None:
    after: Frame | None = frame
    for edit in change:
        after = edit(after, rng) if after else None
    return _in_split(after, split_of(frame))


def _scored(
    split: Split, change: Sequence[Edit], languages: LanguagePair, scale: float, rng: Random
) -> FramedRow | None:
    frame = drawn(split, rng)
    other = _changed(frame, change, rng)
    if not other:
        return None
    closeness = similarity(frame, other)
    first = tell(frame, languages[0], rng)
    second = tell(other, languages[1], rng, beside=first, wording=_misleading(closeness, rng))
    return FramedRow((first, second, round(round(closeness * 25) / 25 * scale, 2)), (frame, other))


MISLEADING = 0.15
"""Share of the sentences whose wording hides how close they are; tuned so that n-grams are of some use."""


def _misleading(closeness: float, rng: Random) -> Wording:
    if rng.random() > MISLEADING:
        return "any"
    return "far" if closeness > 0.6 else "near"


UNRELATED_NEWS = 0.2
"""Mean similarity of the sentences of unrelated texts, when each is matched with its best."""


def _documents(split: Split, language: Language, rng: Random) -> FramedRow:
    news = [drawn(split, rng) for _ in range(rng.randint(3, 6))]
    other = _other_news(news, rng.random(), rng)
    closeness = max(0.0, (_matched(news, other) - UNRELATED_NEWS) / (1 - UNRELATED_NEWS))
    first = [tell(frame, language, rng) for frame in news]
    second = [_retold(frame, a, text, language, rng) for frame, a, text in zip(other, news, first, strict=True)]
    rng.shuffle(second)
    return FramedRow((" ".join(first), " ".join(second), round(1 + 3 * closeness, 2)), (*news, *other))


def _retold(frame: Frame, original: Frame, beside: str, language: Language, rng: Random) -> str:
    return tell(frame, language, rng, beside=beside, wording=_misleading(similarity(frame, original), rng))


def _other_news(news: Sequence[Frame], kept: float, rng: Random) -> list[Frame]:
    """The events, each kept with probability `kept` or else replaced by another one.

    What replaces it is a decoy, its opposite, its denial, or something unrelated.
    """
    replaced = ((edits.decoy,), (edits.oppose,), (edits.deny,), (edits.unrelated,))
    told = [_changed(frame, (edits.keep,) if rng.random() < kept else rng.choice(replaced), rng) for frame in news]
    return [frame or drawn(split_of(news[0]), rng) for frame in told]


def _matched(a: Sequence[Frame], b: Sequence[Frame]) -> float:
    """The mean similarity of every sentence to its best match on the other side, both ways."""
    best = [max(similarity(x, y) for y in b) for x in a] + [max(similarity(x, y) for x in a) for y in b]
    return sum(best) / len(best)
