"""The miniature: sentences that agree, rows that mean what they say, and stand-ins that load as the real ones do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import ROOT

from zoo.arabic import normalised
from zoo.miniature import Repository, arabic, english
from zoo.miniature.arabic import Agreement, ArabicVerb, conjugate
from zoo.miniature.datasets import REPOSITORIES
from zoo.miniature.diacritics import synsets
from zoo.miniature.frames import Frame, Split, draw, fits, similarity, split_of
from zoo.miniature.grammar import ask, render
from zoo.miniature.lexicon import Language, lexicon
from zoo.miniature.rows import FramedRow, labelled_pairs, scored_pairs, triplets
from zoo.miniature.standins import stand_in
from zoo.miniature.synonyms import synset_split
from zoo.miniature.tables import Blueprint, repository
from zoo.miniature.tasks import WIDE
from zoo.miniature.vocabularies import tokenizer
from zoo.recipe import Workspace
from zoo.tasks import TASKS

TRAIN = 300
LANGUAGES: tuple[Language, ...] = ("ar", "en")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

MODELS: dict[str, dict[str, Any]] = {
    "arabert": {"architecture": "bert", "tokenizer": "wordpiece", "width": 768},
    "labse": {"architecture": "bert", "tokenizer": "wordpiece", "width": 768, "modules": ("cls", "dense", "normalize")},
    "e5": {
        "architecture": "bert",
        "tokenizer": "unigram",
        "width": 384,
        "modules": ("mean", "normalize"),
    },
    "mpnet": {"architecture": "xlm-roberta", "tokenizer": "unigram", "width": 768, "modules": ("mean",)},
    "neoarabert": {"architecture": "neoarabert", "tokenizer": "wordpiece", "width": 96},
    "distilroberta": {"architecture": "roberta", "tokenizer": "bpe", "width": 768, "language": "en"},
}


def made(name: str) -> Repository:
    return stand_in(f"zoo-tests/{name}", None, **MODELS[name])


def source(id: str, revision: str | None = None) -> Blueprint:
    (found,) = [s for s in REPOSITORIES if s.id == id and revision in (None, s.revision)]
    return found


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tellings(frame: Frame, language: Language) -> set[str]:
    rng = Random(0)
    return {render(frame, language, rng) for _ in range(3000)}


# The same every time


def digest(repositories: Iterable[Repository]) -> str:
    whole = hashlib.sha256()
    for made in repositories:
        for path, content in sorted(made.files.items()):
            whole.update(f"{made.id} {made.revision} {path} {len(content)}".encode() + content)
    return whole.hexdigest()


def samples() -> str:
    """Of everything that is made: both file formats, weights, and a tokenizer of every family."""
    data = [repository(source(id), train=60) for id in ("sentence-transformers/all-nli", "mteb/sts17-crosslingual-sts")]
    data += [repository(wide) for wide in WIDE]
    tokenizers = [tokenizer(family, "en", seed=0).backend_tokenizer.to_str() for family in ("unigram", "bpe")]
    return (
        digest([*data, made("arabert"), made("neoarabert")]) + hashlib.sha256("".join(tokenizers).encode()).hexdigest()
    )


@pytest.mark.slow
def test_another_process_makes_the_same_bytes() -> None:
    """With another hash seed, so that no order of a set can hide in them."""
    code = "import test_miniature; print(test_miniature.samples())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == samples()


def test_modules_and_weights_are_the_same_twice() -> None:
    assert digest([made("labse")]) == digest([made("labse")])


def test_another_seed_makes_other_sentences() -> None:
    here = source("mteb/stsbenchmark-sts")
    assert (
        repository(here, train=60).files["test.jsonl.gz"] != repository(here, train=60, seed=1).files["test.jsonl.gz"]
    )


def test_a_stand_in_may_be_as_wide_as_larger_models() -> None:
    """1024 has no twelfth, by which BERT's heads would share it."""
    made = stand_in("zoo-tests/wide", None, architecture="bert", tokenizer="wordpiece", width=1024)
    config = json.loads(made.files["config.json"])
    assert (config["hidden_size"], config["num_attention_heads"]) == (1024, 8)


def test_making_a_stand_in_leaves_the_callers_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    made("e5")
    assert torch.equal(torch.rand(2), expected)


def test_importing_the_package_is_light() -> None:
    code = "import sys, zoo.miniature; print({'torch', 'transformers', 'datasets', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Words


def test_every_kind_that_a_word_names_exists() -> None:
    words = lexicon()
    known = set(words.nouns)
    for action in words.actions.values():
        assert {*action.actors, *action.objects} <= known, action.name
        assert set(action.places) <= set(words.places), action.name
        assert action.opposite is None or words.actions[action.opposite].opposite == action.name
    for quality in words.qualities.values():
        assert set(quality.actors) <= known, quality.name
        assert quality.opposite is None or quality.opposite in words.qualities


def test_the_grammar_is_wide_and_every_concept_has_words_in_both_languages() -> None:
    words = lexicon()
    assert len(words.actions) >= 60
    assert len(words.named(words.nouns, ("person", "animal"))) >= 40
    for concepts in (words.nouns, words.actions, words.qualities, words.places, words.times):
        for concept in concepts.values():
            assert bool(concept.words["ar"]) == bool(concept.words["en"]), concept.name
    rng = Random(0)
    assert len({draw(rng) for _ in range(2000)}) > 1990


def test_no_mark_of_the_word_files_reaches_a_sentence() -> None:
    rng = Random(0)
    text = " ".join(render(draw(rng), language, rng) for language in LANGUAGES for _ in range(3000))
    assert not set("^!*/|;#_") & set(text)
    assert "  " not in text


# Arabic

SINGULAR, DUAL, PLURAL = Agreement("m", "singular"), Agreement("m", "dual"), Agreement("m", "plural")
SHE, WOMEN, TWO_WOMEN = Agreement("f", "singular"), Agreement("f", "plural"), Agreement("f", "dual")


@pytest.mark.parametrize(
    ("verb", "mood", "agrees", "form"),
    [
        ("كتب يكتب", "present", PLURAL, "يكتبون"),
        ("كتب يكتب", "jussive", PLURAL, "يكتبوا"),
        ("كتب يكتب", "present", TWO_WOMEN, "تكتبان"),
        ("كتب يكتب", "present", WOMEN, "يكتبن"),
        ("قرأ يقرأ", "past", PLURAL, "قرؤوا"),
        ("قرأ يقرأ", "present", PLURAL, "يقرؤون"),
        ("قرأ يقرأ", "present", DUAL, "يقرآن"),
        ("أنشأ ينشئ", "jussive", PLURAL, "ينشئوا"),
        ("نام ينام", "jussive", SINGULAR, "ينم"),
        ("نام ينام", "past", WOMEN, "نمن"),
        ("زار يزور", "jussive", SHE, "تزر"),
        ("زار يزور", "jussive", PLURAL, "يزوروا"),
        ("مشى يمشي", "past", SHE, "مشت"),
        ("مشى يمشي", "past", DUAL, "مشيا"),
        ("مشى يمشي", "past", PLURAL, "مشوا"),
        ("مشى يمشي", "past", WOMEN, "مشين"),
        ("مشى يمشي", "jussive", SINGULAR, "يمش"),
        ("مشى يمشي", "present", PLURAL, "يمشون"),
        ("جر! يجر", "past", WOMEN, "جررن"),
        ("أعلن يعلن", "past", WOMEN, "أعلنّ"),
    ],
)
def test_verbs_agree(verb: str, mood: arabic.Mood, agrees: Agreement, form: str) -> None:
    assert conjugate(ArabicVerb.read(verb), mood, agrees) == form


@pytest.mark.parametrize(
    ("entry", "agrees", "form"),
    [
        ("سعيد/سعداء", PLURAL, "سعداء"),
        ("سعيد/سعداء", WOMEN, "سعيدات"),
        ("سعيد/سعداء", TWO_WOMEN, "سعيدتان"),
        ("عطشان/عطاش/عطشى", SHE, "عطشى"),
        ("عطشان/عطاش/عطشى", TWO_WOMEN, "عطشيان"),
    ],
)
def test_adjectives_agree(entry: str, agrees: Agreement, form: str) -> None:
    assert arabic.adjective(entry, agrees) == form


def test_endings_of_nouns() -> None:
    assert [arabic.accusative(noun) for noun in ("كتاب", "تفاحة", "ماء", "مبنى^", "معجنات")] == [
        "كتابًا",
        "تفاحة",
        "ماء",
        "مبنى",
        "معجنات",
    ]
    assert [arabic.definite(noun) for noun in ("كتاب", "امرأة", "امرأتان")] == ["الكتاب", "المرأة", "المرأتان"]
    assert [arabic.noun_form("بنت/بنات", number) for number in ("singular", "dual", "plural")] == [
        "بنت",
        "بنتان",
        "بنات",
    ]


def test_the_verb_is_singular_before_its_subject_and_agrees_after_it() -> None:
    said = tellings(Frame("nurse", "plural", "arrive"), "ar")
    assert {"تصل الممرضات.", "الممرضات يصلن.", "هناك ممرضات يصلن."} <= said
    assert not {"يصلن الممرضات.", "الممرضات تصل.", "يصل الممرضات."} & said


def test_plurals_of_animals_agree_as_feminine_singular() -> None:
    said = tellings(Frame("dog", "plural", "sleep", quality="tired", tense="past"), "ar")
    assert {"الكلاب المتعبة نامت.", "نامت كلاب متعبة."} <= said


def test_the_past_is_denied_with_lam_and_the_jussive() -> None:
    said = tellings(Frame("boy", "plural", "visit", "doctor", tense="past", negated=True), "ar")
    assert {"الأولاد لم يزوروا الطبيب.", "لم يزر أولاد طبيبًا."} <= said
    assert not any("يزورون" in text or "زار" in text for text in said)


def test_the_present_is_denied_with_la_or_laysa() -> None:
    said = tellings(Frame("woman", "singular", "read", "letter", negated=True), "ar")
    assert {"المرأة لا تقرأ رسالة.", "لا تقرأ امرأة الرسالة.", "ليس هناك امرأة تقرأ خطابًا."} <= said


def test_prepositions_govern_their_object() -> None:
    said = tellings(Frame("child", "singular", "play", "ball"), "ar")
    assert {"الطفل يلعب بالكرة.", "يعبث طفل بكرة."} <= said


def test_questions_ask_for_one_thing_and_give_the_rest() -> None:
    frame = Frame("nurse", "plural", "read", "letter", place="kitchen", time="morning", tense="past")
    asked = {slot: {ask(frame, slot, Random(seed)) for seed in range(200)} for slot in ("subject", "place", "time")}
    assert "أين قرأت الممرضات رسالة صباحًا؟" in asked["place"]
    assert "متى قرأت الممرضات رسالة في المطبخ؟" in asked["time"]
    assert "من قرأ رسالة في المطبخ صباحًا؟" in asked["subject"]
    assert not any("المطبخ" in question for question in asked["place"])
    assert not any("ممرضات" in question for question in asked["subject"])


# English


def test_english_agrees() -> None:
    said = tellings(Frame("man", "dual", "read", "book"), "en")
    assert {"Two men are reading a book.", "There are two men reading the book."} <= said
    said = tellings(Frame("elder", "singular", "eat", "apple", tense="past", negated=True), "en")
    assert "An elder did not eat an apple." in said
    said = tellings(Frame("woman", "plural", "write", "poem"), "en")
    assert {"Ladies are composing verse.", "The women are writing a poem."} <= said
    assert english.EnglishVerb.read("carry") == english.EnglishVerb("carry", "carried", "carrying")


# Meaning


def test_similarity_is_graded_by_meaning() -> None:
    frame = Frame("doctor", "singular", "buy", "car", place="market", time="morning")

    def like(**changed: Any) -> float:
        return similarity(frame, replace(frame, **changed))

    assert like() == 1.0
    degrees = [
        like(),
        like(time=None),
        like(subject="person"),
        like(object="bus"),
        like(subject="minister", object="bus"),
        like(negated=True),
        similarity(frame, Frame("cat", "plural", "sleep")),
    ]
    assert degrees == sorted(degrees, reverse=True)
    assert len(set(degrees)) == len(degrees)
    assert 0.0 <= degrees[-1] < 0.1


def test_similarity_is_symmetric_and_stays_in_its_range() -> None:
    rng = Random(0)
    for a, b in ((draw(rng), draw(rng)) for _ in range(500)):
        assert fits(a)
        assert similarity(a, b) == pytest.approx(similarity(b, a))
        assert 0.0 <= similarity(a, b) <= 1.0


def test_no_event_of_one_split_is_met_in_another() -> None:
    for split in SPLITS:
        rows: list[FramedRow] = [
            *triplets(split, 60, language="ar", seed=0),
            *labelled_pairs(split, 60, language="en", seed=0),
            *scored_pairs(split, 60, languages=("en", "ar"), seed=0),
        ]
        assert {split_of(frame) for row in rows for frame in row.frames} == {split}


def test_what_is_evaluated_tells_of_no_event_that_training_met() -> None:
    evaluated = [row for source in WIDE for table in source.tables(0, 60) for row in table.rows]
    assert {split_of(frame) for row in evaluated for frame in row.frames} == {"test"}


def test_contradictions_keep_more_words_than_paraphrases() -> None:
    def shared(a: object, b: object) -> int:
        return len(set(str(a).split()) & set(str(b).split()))

    rows = [row.values for row in triplets("train", TRAIN, language="ar", seed=0)]
    assert sum(shared(a, p) for a, p, _ in rows) < 0.7 * sum(shared(a, n) for a, _, n in rows)


def test_labels_are_balanced() -> None:
    labels = Counter(row.values[2] for row in labelled_pairs("train", TRAIN, language="ar", seed=0))
    assert labels == {0: TRAIN // 3, 1: TRAIN // 3, 2: TRAIN // 3}


# Datasets


def load(source: Blueprint, folder: Path, config: str | None = None) -> Any:
    from datasets import load_dataset

    files = repository(source, train=TRAIN).files
    return load_dataset(str(write(files, folder / "repository")), config, cache_dir=str(folder / "cache"))


def shape(loaded: Any) -> dict[str, tuple[int, list[str]]]:
    return {split: (table.num_rows, table.column_names) for split, table in loaded.items()}


@pytest.mark.parametrize(
    ("id", "config", "columns", "rows"),
    [
        ("Omartificial-Intelligence-Space/Arabic-NLi-Triplet", None, "anchor positive negative", (300, 30, 30)),
        ("Omartificial-Intelligence-Space/Arabic-NLi-Pair-Class", None, "premise hypothesis label", (300, 30, 30)),
        ("Omartificial-Intelligence-Space/Arabic-stsb", None, "sentence1 sentence2 score", (300, 15, 15)),
        ("sentence-transformers/all-nli", "triplet", "anchor positive negative", (300, 30, 30)),
        ("sentence-transformers/all-nli", "pair-class", "premise hypothesis label", (300, 30, 30)),
        ("sentence-transformers/stsb", None, "sentence1 sentence2 score", (300, 15, 15)),
        ("mteb/stsbenchmark-sts", None, "sentence1 sentence2 score", (15, 15, 1379)),
    ],
)
def test_datasets_load_with_their_columns_and_splits(
    id: str, config: str | None, columns: str, rows: tuple[int, int, int], tmp_path: Path
) -> None:
    names = ("train", "dev" if config else "validation", "test")
    loaded = load(source(id), tmp_path, config)
    assert shape(loaded) == {name: (count, columns.split()) for name, count in zip(names, rows, strict=True)}
    last = loaded["train"].features[columns.split()[-1]].dtype
    assert last == {"negative": "string", "label": "int64", "score": "float64"}[columns.split()[-1]]


def test_translations_are_in_one_column_of_two_fields(tmp_path: Path) -> None:
    rows = load(source("Helsinki-NLP/opus-100"), tmp_path, "ar-en")["train"]
    assert (rows.num_rows, rows.column_names) == (150, ["translation"])
    assert rows.flatten().column_names == ["translation.ar", "translation.en"]
    assert all(not one["ar"].isascii() and one["en"].isascii() for one in rows["translation"])


def test_no_synset_is_trained_on_that_the_task_tests_on() -> None:
    """The recipe splits the source's rows itself, and the task's rows are split already."""
    rule = Workspace(ROOT).datasets["muradif-triplets"].split
    assert rule is not None
    found = {name: rule.split_of(normalised(name)) for name in synsets()}
    assert {name for name, split in found.items() if split == "test"} == {
        name for name in synsets() if synset_split(name) == "test"
    }
    assert Counter(found.values())["validation"] >= 10


def test_scores_fill_their_scale(tmp_path: Path) -> None:
    sts17 = load(source("mteb/sts17-crosslingual-sts"), tmp_path / "17")["test"]
    assert Counter(sts17["lang"]) == {"ar-ar": 250, "en-ar": 250, "en-en": 250}
    assert {min(sts17["score"]) < 0.5, max(sts17["score"]) == 5.0} == {True}
    assert all(0 <= score <= 5 for score in sts17["score"])
    assert len(set(sts17["score"])) >= 15
    sts22 = load(source("mteb/sts22-crosslingual-sts", TASKS["STS22v2-ar"].revision), tmp_path / "22")["test"]
    assert all(1 <= score <= 4 for score in sts22["score"])
    assert {round(score) for score in sts22["score"]} == {1, 2, 3, 4}


def test_sts22_is_its_second_version_and_two_pairs_with_an_empty_side(tmp_path: Path) -> None:
    first, second = (
        list(load(source("mteb/sts22-crosslingual-sts", revision), tmp_path / revision)["test"])
        for revision in (TASKS["STS22-ar"].revision, TASKS["STS22v2-ar"].revision)
    )
    empty = [row for row in first if not (row["sentence1"] and row["sentence2"])]
    assert (len(first), len(second), len(empty)) == (195, 193, 2)
    assert [row for row in first if row not in empty] == second


@pytest.mark.parametrize(
    ("task", "subset"), [("STS17", "ar-ar"), ("STS22", "ar"), ("STS22.v2", "ar"), ("STSBenchmark", "default")]
)
def test_mteb_pins_the_same_revisions_and_counts_the_same_rows(task: str, subset: str) -> None:
    import mteb

    metadata = mteb.get_task(task).metadata
    found = source(metadata.dataset["path"], metadata.dataset["revision"])
    statistics = metadata.descriptive_stats["test"]
    expected = statistics.get("hf_subset_descriptive_stats", {}).get(subset, statistics)["num_samples"]
    tables = [table for table in found.tables(0, TRAIN) if table.split == "test"]
    rows = [row for table in tables if subset in (table.path[5:-9], "default") for row in table.rows]
    assert len(rows) == expected


def test_a_card_says_which_task_has_other_rows_than_mteb_documents() -> None:
    (library,) = [found for found in WIDE if found.rows.get("Sadeem")]
    assert "zoo_rows:\n  Sadeem: 800\n" in repository(library).files["README.md"].decode()
    (same,) = [found for found in WIDE if found.id == "mteb/ajgt"]
    assert "zoo_rows" not in repository(same).files["README.md"].decode()


def test_cards_say_that_the_data_is_generated() -> None:
    for found in (*REPOSITORIES, *WIDE):
        card = repository(found, train=60).files["README.md"].decode()
        assert "**not**\nthe real dataset" in card
        assert "license: apache-2.0" in card
        assert "zoo-miniature" in card


# Stand-ins


@pytest.mark.parametrize("family", ["wordpiece", "unigram", "bpe"])
def test_tokenizers_load_as_they_were_saved(family: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    language: Language = "en" if family == "bpe" else "ar"
    ours = tokenizer(family, language, seed=0)
    ours.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    rng = Random(3)
    texts = [render(draw(rng), language, rng) for _ in range(200)]
    assert loaded(texts).input_ids == ours(texts).input_ids
    assert type(loaded) is type(ours)
    assert not any(loaded.unk_token_id in ids for ids in loaded(texts).input_ids)
    spelt = [loaded.decode(ids, skip_special_tokens=True).replace(" ", "") for ids in loaded(texts).input_ids]
    assert spelt == [text.replace(" ", "") for text in texts], "hamza, tanwin and capitals stay"


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("arabert", ["Transformer", "Pooling"]),
        ("labse", ["Transformer", "Pooling", "Dense", "Normalize"]),
        ("e5", ["Transformer", "Pooling", "Normalize"]),
        ("mpnet", ["Transformer", "Pooling"]),
        ("distilroberta", ["Transformer", "Pooling"]),
    ],
)
def test_stand_ins_load_with_their_modules_and_width(name: str, modules: list[str], tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    repository = made(name)
    assert sum(map(len, repository.files.values())) < 40_000_000
    assert ("modules.json" in repository.files) == bool(MODELS[name].get("modules"))
    assert not [path for path in repository.files if path.endswith((".bin", ".pkl", ".pt"))]
    model = SentenceTransformer(str(write(repository.files, tmp_path)))
    assert [type(module).__name__ for module in model] == modules
    assert model.encode(["نص قصير", "a short text"]).shape == (2, MODELS[name]["width"])
    assert model.prompts == {"query": "", "document": ""}, "none of the real ones has any"
    assert "cls" not in MODELS[name].get("modules", ()) or model[1].pooling_mode == "cls"
