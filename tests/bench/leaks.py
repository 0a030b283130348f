"""Which planted leaks the contamination search finds, by kind and length of text, and how many clean rows it accuses.

    python -m tests.bench.leaks                                    # sentences of the miniature's grammar
    python -m tests.bench.leaks xnli.tsv:positive,negative,neutral tatoeba.tsv:ara/eng

A source is a Parquet, CSV or TSV file, the columns of its texts, and after a slash the column by which rows belong
together (their texts say the same). The first source is planted: two texts of each row are a row of the evaluation, and
a copy of one or of both, edited as the kind says, is in the training. For false alarms every source is cut in two by
its groups: each half is the evaluation once and the training once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

from zoo.arabic import normalised
from zoo.contamination.search import overlap

PLANTED = 200
CLEAN = 10_000
SHORT = 6  # words
DIACRITICS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"
VARIANTS = {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ي": "ى", "ة": "ه", "ه": "ة", "ؤ": "و", "ئ": "ي", "ا": "أ"}

Row = tuple[str, ...]
Rows = list[Row]
Edit = Callable[[str, Random, Sequence[str]], str]


# What is done to a text; `others` are texts that have nothing to do with it.


def verbatim(text: str, rng: Random, others: Sequence[str]) -> str:
    return text


def diacritics(text: str, rng: Random, others: Sequence[str]) -> str:
    return "".join(
        letter + (rng.choice(DIACRITICS) if letter.isalpha() and rng.random() < 0.5 else "") for letter in text
    )


def spelling(text: str, rng: Random, others: Sequence[str]) -> str:
    varied = "".join(VARIANTS.get(letter, letter) if rng.random() < 0.5 else letter for letter in text)
    word = max(varied.split(), key=len)
    return varied.replace(word, word[:1] + "\u0640" + word[1:])


def word_of(rng: Random, others: Sequence[str]) -> str:
    return rng.choice(rng.choice(others).split())


def changed(text: str, rng: Random, others: Sequence[str]) -> str:
    words = text.split()
    words[rng.randrange(len(words))] = word_of(rng, others)
    return " ".join(words)


def dropped(text: str, rng: Random, others: Sequence[str]) -> str:
    words = text.split()
    del words[rng.randrange(len(words))]
    return " ".join(words)


def added(text: str, rng: Random, others: Sequence[str]) -> str:
    words = text.split()
    words.insert(rng.randrange(len(words) + 1), word_of(rng, others))
    return " ".join(words)


def swapped(text: str, rng: Random, others: Sequence[str]) -> str:
    words = text.split()
    place = rng.choice([i for i, (one, next_) in enumerate(pairwise(words)) if one != next_])
    words[place : place + 2] = words[place + 1], words[place]
    return " ".join(words)


def inside(text: str, rng: Random, others: Sequence[str]) -> str:
    return f"{rng.choice(others)} {text} {rng.choice(others)}"


EDITS: dict[str, Edit] = {
    "verbatim": verbatim,
    "diacritics": diacritics,
    "spelling variants": spelling,
    "one word changed": changed,
    "one word dropped": dropped,
    "one word added": added,
    "neighbours swapped": swapped,
    "inside a longer text": inside,
}
JOINED = "both sides joined"


def short(row: Row) -> bool | None:
    """Whether both texts have as few words as `SHORT`; None when they differ in that, or an edit could leave nothing."""
    lengths = [len(normalised(text).split()) for text in row]
    if min(lengths) < 2 or len({normalised(text) for text in row}) < len(row):
        return None
    found = {length <= SHORT for length in lengths}
    return found.pop() if len(found) == 1 else None


def planted_rows(rows: Rows, *, shorter: bool) -> Rows:
    found = [pair for row in rows if (pair := next(filter(lambda pair: short(pair) is shorter, pairs([row])), None))]
    Random(0).shuffle(found)
    return found[:PLANTED]


def recall(rows: Rows, leaks: Rows, others: Sequence[str]) -> float:
    """The percent of rows that are found when the leaks are among other training texts."""
    training = [*leaks, *((text,) for text in others)]
    (found,) = overlap({"train": training}, {"planted": rows}).tasks.values()
    return 100 * len(found.rows_found) / len(rows)


def recalls(rows: Rows, others: Sequence[str]) -> Iterator[tuple[str, float | None, float]]:
    """Kind, and the percent of rows that are found when one side is in the training, and when both are in one row."""
    for kind, edit in EDITS.items():
        rng = Random(kind)
        both = [tuple(edit(text, rng, others) for text in row) for row in rows]
        sides = [rng.randrange(2) for _ in rows]
        one = [(row[side], rng.choice(others)) for row, side in zip(both, sides, strict=True)]
        yield kind, recall(rows, one, others), recall(rows, both, others)
    yield JOINED, None, recall(rows, [(" ".join(row), Random(0).choice(others)) for row in rows], others)


# Clean rows


def halves(rows: Rows, groups: Sequence[str]) -> tuple[Rows, Rows]:
    """Pairs of texts, those of a group in one half; without what the halves share but for its spelling."""
    side = {group: place % 2 for place, group in enumerate(dict.fromkeys(groups))}
    parts = [[row for row, group in zip(rows, groups, strict=True) if side[group] == half] for half in (0, 1)]
    here, there = ({normalised(text) for row in part for text in row} for part in parts)
    mine, theirs = ([row for row in part if not {normalised(text) for text in row} & here & there] for part in parts)
    return pairs(mine), pairs(theirs)


def pairs(rows: Rows) -> Rows:
    """Two texts of each row; of rows that have but one, each with the next."""
    if len(rows[0]) == 1:
        return [(one, other) for (one,), (other,) in pairwise(rows)]
    return [pair for row in rows for pair in combinations(row, 2)]


def accused(sources: Sequence[tuple[Rows, Rows]], *, quoted: int = 0) -> dict[bool | None, tuple[int, int]]:
    """By length, the number of clean rows and how many of them are found in the others' training."""
    counts: dict[bool | None, list[int]] = {length: [0, 0] for length in (True, False, None)}
    for mine, theirs in ((0, 1), (1, 0)):
        evaluation = [row for source in sources for row in source[mine]][: CLEAN // 2]
        training = [row for source in sources for row in source[theirs]]
        (found,) = overlap({"train": training}, {"clean": evaluation}).tasks.values()
        for row in evaluation:
            counts[short(row)][0] += 1
        for place in found.rows_found:
            counts[short(evaluation[place])][1] += 1
        if quoted:
            for place in found.rows_found:
                (alone,) = overlap({"train": training}, {"clean": [evaluation[place]]}).tasks.values()
                print(*(f"  {m.kind} {m.similarity:.2f}: {m.evaluation}  <-  {m.training}" for m in alone.examples[:1]))
    return {length: (rows, found) for length, (rows, found) in counts.items()}


# Material


def of_file(said: str) -> tuple[Rows, list[str]]:
    """The rows of a file and the group of each; `said` is PATH:COLUMN,COLUMN/GROUP."""
    import polars as pl

    path, _, columns = said.partition(":")
    names, _, group = columns.partition("/")
    if Path(path).suffix == ".parquet":
        table = pl.read_parquet(path)
    elif Path(path).suffix == ".tsv":
        table = pl.read_csv(path, separator="\t", quote_char=None)
    else:
        table = pl.read_csv(path)
    rows = table.select(names.split(",")).rows()
    groups = [str(value) for value in table[group or names.split(",")[0]]]
    return rows, groups


def of_the_miniature(count: int = 6000) -> tuple[Rows, list[str]]:
    """Triplets of its grammar."""
    from zoo.miniature.rows import triplets

    rows = [tuple(map(str, row.values)) for row in triplets("train", count, language="ar", seed=0)]
    return rows, [row[0] for row in rows]


def report(sources: Sequence[str], *, quoted: int = 0) -> None:
    material = [of_file(said) for said in sources] or [of_the_miniature()]
    rows, _ = material[0]
    print(
        f"{'found, % of ' + str(PLANTED):<24}{'<= 6 words: one side':>22}{'both':>8}{'> 6 words: one side':>22}{'both':>8}"
    )
    lengths = [planted_rows(rows, shorter=shorter) for shorter in (True, False)]
    leaked = {text for chosen in lengths for row in chosen for text in row}
    others = [text for texts, _ in material for row in texts for text in row if leaked.isdisjoint(row)]
    for little, much in zip(*(recalls(chosen, others) for chosen in lengths), strict=True):
        cells = [f"{'-' if value is None else f'{value:.1f}'}" for value in (*little[1:], *much[1:])]
        print(f"{little[0]:<24}{cells[0]:>22}{cells[1]:>8}{cells[2]:>22}{cells[3]:>8}")
    counts = accused([halves(*source) for source in material], quoted=quoted)
    print(f"\n{'clean rows':<24}{'rows':>8}{'accused':>9}{'%':>8}")
    for length, name in ((True, "both <= 6 words"), (False, "both > 6 words"), (None, "one of each, or 1 word")):
        all_, found = counts[length]
        print(f"{name:<24}{all_:>8}{found:>9}{100 * found / max(1, all_):>8.2f}")
    print(f"planted: {', '.join(f'{len(chosen)} rows' for chosen in lengths)}")


if __name__ == "__main__":
    report([said for said in sys.argv[1:] if said != "--quote"], quoted="--quote" in sys.argv)
