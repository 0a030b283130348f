"""The miniature's dataset repositories: real ids, real columns and splits, rows from our own grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random

from zoo.miniature.frames import Split
from zoo.miniature.lexicon import Language
from zoo.miniature.rows import (
    FramedRow,
    LanguagePair,
    document_pairs,
    labelled_pairs,
    premises,
    scored_pairs,
    translations,
    triplets,
)
from zoo.miniature.synonyms import synonym_triplets
from zoo.miniature.tables import SCORED, TRANSLATION, Blueprint, DataTable, language_table, parquet_table
from zoo.tasks import TASKS

NAMESPACE = "Omartificial-Intelligence-Space"

EMPTY_SIDES = {17: 0, 101: 1}  # row to the side that has text: the two pairs of STS22 that STS22.v2 leaves out

TRIPLET = {"anchor": "string", "positive": "string", "negative": "string"}
SYNONYMS = dict.fromkeys(("context", "anchor_word", "synonym", "irrelevant", "synset"), "string")
TRANSLATED = {"translation": TRANSLATION}
LABELLED = {"premise": "string", "hypothesis": "string", "label": "int64"}

# Training data: Parquet

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def _nli(
    make: Callable[..., list[FramedRow]],
    columns: Mapping[str, str],
    language: Language,
    seed: int,
    train: int,
    *,
    config: str = "default",
    names: Mapping[Split, str] | None = None,
) -> list[DataTable]:
    sizes = {"train": train, "validation": train // 10, "test": train // 10}
    return [
        parquet_table(
            config, (names or {}).get(split, split), columns, make(split, sizes[split], language=language, seed=seed)
        )
        for split in SPLITS
    ]


def _all_nli(seed: int, train: int) -> list[DataTable]:
    """Tables of two of the real configurations; their middle split is called dev."""
    names: Mapping[Split, str] = {"validation": "dev"}
    return [
        *_nli(triplets, TRIPLET, "en", seed, train, config="triplet", names=names),
        *_nli(premises, LABELLED, "en", seed, train, config="pair-class", names=names),
    ]


def _sts(language: Language, seed: int, train: int) -> list[DataTable]:
    # As many as labelled pairs: with fewer, the hybrid phase unlearns the order of similarities that triplets taught.
    sizes = {"train": train, "validation": train // 20, "test": train // 20}
    languages: LanguagePair = (language, language)
    return [
        parquet_table("default", split, SCORED, scored_pairs(split, sizes[split], languages=languages, seed=seed))
        for split in SPLITS
    ]


CONTEXTS = (
    "وَرَدَتْ كَلِمَةُ «{}» فِي السَّطْرِ الأَوَّلِ مِنَ الصَّفْحَةِ.",
    "كَتَبَ التِّلْمِيذُ «{}» عَلَى اللَّوْحِ وَضَبَطَهَا بِالشَّكْلِ.",
    "سَأَلَتِ المُعَلِّمَةُ عَنْ مَعْنَى «{}» فِي هَذَا البَيْتِ.",
    "شَرَحَ المُعْجَمُ لَفْظَةَ «{}» بِمُرَادِفِهَا.",
)


def _muradif(seed: int, train: int) -> list[DataTable]:
    """One split, as the real one: a word in a sentence, a synonym, and a word for something else, with diacritics."""
    del train
    found = (row.values for row in synonym_triplets(Random(f"{seed} synonyms")))
    rows = [
        FramedRow((CONTEXTS[number % len(CONTEXTS)].format(anchor), anchor, positive, negative, synset))
        for number, (anchor, positive, negative, synset) in enumerate(found)
    ]
    return [parquet_table("default", "test", SYNONYMS, rows)]


def _silma(seed: int, train: int) -> list[DataTable]:
    rows = triplets("train", train // 6, language="ar", seed=seed + 2)
    return [parquet_table("default", "train", TRIPLET, rows)]


def _opus(seed: int, train: int) -> list[DataTable]:
    """Arabic sentences and what they say in English, in one column of two fields."""
    sizes = {"train": train // 2, "validation": train // 20, "test": train // 20}
    return [parquet_table("ar-en", split, TRANSLATED, translations(split, sizes[split], seed=seed)) for split in SPLITS]


# Evaluation data: JSON lines, a file for each language, as mteb has it


def _sts17(seed: int, train: int) -> list[DataTable]:
    del train
    pairs: tuple[LanguagePair, ...] = (("ar", "ar"), ("en", "ar"), ("en", "en"))
    rows = TASKS["STS17-ar"].rows
    return [
        language_table("-".join(pair), SCORED, scored_pairs("test", rows, languages=pair, seed=seed + 1, scale=5.0))
        for pair in pairs
    ]


def _sts22(seed: int, train: int) -> list[DataTable]:
    """The table of STS22.v2 and two pairs more, which have no text on one side."""
    (table,) = _sts22_v2(seed, train)
    rows = list(table.rows)
    for place, kept in EMPTY_SIDES.items():
        texts = [text if side == kept else "" for side, text in enumerate(rows[place].values[:2])]
        rows.insert(place, FramedRow((*texts, 1.0, "ar"), ()))
    return [replace(table, rows=rows)]


def _sts22_v2(seed: int, train: int) -> list[DataTable]:
    del train
    rows = document_pairs("test", TASKS["STS22v2-ar"].rows, language="ar", seed=seed + 1)
    return [language_table("ar", SCORED, rows)]


def _stsbenchmark(seed: int, train: int) -> list[DataTable]:
    sizes = {"train": train // 20, "validation": train // 20, "test": TASKS["STSB-en"].rows}
    return [
        DataTable(
            f"{split}.jsonl.gz",
            split,
            SCORED,
            scored_pairs(split, sizes[split], languages=("en", "en"), seed=seed + 1, scale=5.0),
        )
        for split in SPLITS
    ]


# What there is

REPOSITORIES = (
    Blueprint(f"{NAMESPACE}/Arabic-NLi-Triplet", None, ("ar",), partial(_nli, triplets, TRIPLET, "ar")),
    Blueprint(f"{NAMESPACE}/Arabic-NLi-Pair-Class", None, ("ar",), partial(_nli, labelled_pairs, LABELLED, "ar")),
    Blueprint(f"{NAMESPACE}/Arabic-stsb", None, ("ar",), partial(_sts, "ar")),
    Blueprint("sentence-transformers/all-nli", None, ("en",), _all_nli),
    Blueprint("sentence-transformers/stsb", None, ("en",), partial(_sts, "en")),
    Blueprint("U4RASD/Muradif", None, ("ar",), _muradif),
    Blueprint("silma-ai/silma-arabic-triplets-dataset-v1.0", None, ("ar",), _silma),
    Blueprint("Helsinki-NLP/opus-100", None, ("ar", "en"), _opus),
    Blueprint.of("STS17-ar", ("ar", "en"), _sts17),
    Blueprint.of("STS22-ar", ("ar",), _sts22),
    Blueprint.of("STS22v2-ar", ("ar",), _sts22_v2),
    Blueprint.of("STSB-en", ("en",), _stsbenchmark),
)
"""Blueprints of what recipes train on, and of what their own suites evaluate on."""
