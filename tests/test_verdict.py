"""What the Space says of a score: read off pairs that people scored, or not at all where a text means nothing."""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

SPACE = Path(__file__).parents[1] / "spaces" / "similarity"
NAMES = ("verdict", "doubts", "words", "catalogue", "corpus")
ARABIC = "يلعب الأطفال في الحديقة"


@pytest.fixture(scope="module")
def space() -> Iterator[SimpleNamespace]:
    """The Space's modules, found the way Python finds them on the Hub: beside app.py."""
    before = set(sys.modules)
    sys.path.insert(0, str(SPACE))
    found: dict[str, ModuleType] = {name: importlib.import_module(name) for name in NAMES}
    yield SimpleNamespace(**found)
    sys.path.remove(str(SPACE))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(SPACE)):
            del sys.modules[name]


def calibrated(space: SimpleNamespace, rows: int = 300, **dims: Any) -> SimpleNamespace:
    """A model of the catalogue, as far as a verdict asks it: at 768, cosines are spread evenly from 0 to 0.5."""
    gold = [[place / 40, place / 20] for place in range(21)]
    wide = {"quantiles": [place / 200 for place in range(101)], "gold": gold}
    said = {"data": "arabic-stsb/validation", "rows": rows, "dims": {"768": wide, **dims}}
    return SimpleNamespace(calibration=space.verdict.calibration_of(json.loads(json.dumps(said))))


# ---- closeness ----


@pytest.mark.parametrize(
    ("score", "percent", "said"),
    [
        (0.415, 83, "Closer than 83 % of the pairs that people scored"),
        (0.25, 50, "Closer than 50 % of the pairs that people scored"),
        (0.0, 1, "Closer than 1 % of the pairs that people scored"),  # the least alike of them: not below all
        (0.5, 99, "Closer than 99 % of the pairs that people scored"),
        (0.51, 100, "Closer than all 300 pairs that people scored"),
        (-0.2, 0, "Further apart than all 300 pairs that people scored"),
    ],
)
def test_a_score_is_told_as_the_share_of_pairs_below_it(
    space: SimpleNamespace, score: float, percent: int, said: str
) -> None:
    found = space.verdict.closeness(calibrated(space), 768, score)
    assert (found.percent, str(found.said)) == (percent, said)


def test_it_tells_what_people_gave_and_what_it_rests_on(space: SimpleNamespace) -> None:
    found = space.verdict.closeness(calibrated(space), 768, 0.4)
    scale = "(0: nothing in common, 1: the same meaning)"
    assert str(found.people) == f"Half of the pairs like this one got 0.4 to 0.8 from people {scale}"
    assert str(found.source) == "Number of pairs: 300, from arabic-stsb (validation split); margin: ±5 points"
    outside = space.verdict.closeness(calibrated(space, rows=1500), 768, 0.9)
    assert outside.people is None, "nobody scored such a pair"
    assert str(outside.source) == "Number of pairs: 1,500, from arabic-stsb (validation split)"


def test_without_a_calibration_there_is_no_verdict(space: SimpleNamespace) -> None:
    assert space.verdict.closeness(SimpleNamespace(calibration=None), 768, 0.9) is None
    assert space.verdict.closeness(calibrated(space), 32, 0.9) is None
    assert space.verdict.disagreement(SimpleNamespace(calibration=None), {768: 0.9}) is None


def test_sizes_are_compared_by_shares_of_pairs_not_by_cosines(space: SimpleNamespace) -> None:
    narrow = {"quantiles": [0.5 + place / 200 for place in range(101)]}
    model = calibrated(space, **{"64": narrow})
    assert space.verdict.disagreement(model, {768: 0.4, 64: 0.9}) is None, "80 % at both"
    found = space.verdict.disagreement(model, {768: 0.4, 64: 0.6})
    told = "The sizes disagree: closer than 80 % of the pairs at 768 dimensions, than 20 % at 64"
    assert str(found) == told


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ([], "'calibration' is not an object of data, rows and dims"),
        ({"data": "a", "rows": 0, "dims": {}}, "'calibration' has no text as data, or no whole number above 0 as rows"),
        ({"data": "a", "rows": 9, "dims": {"x": {}}}, "'calibration' has dims that are no sizes"),
        ({"data": "a", "rows": 9, "dims": {"64": {}}}, "'calibration' at 64 has no quantiles that rise"),
        ({"data": "a", "rows": 9, "dims": {"64": {"quantiles": [1, 0]}}}, "'calibration' at 64 has no quantiles"),
        ({"data": "a", "rows": 9, "dims": {"64": {"quantiles": [0, 1], "gold": [1]}}}, "'calibration' at 64 has gold"),
    ],
)
def test_a_mistake_in_a_calibration_is_told(space: SimpleNamespace, said: Any, mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        space.verdict.calibration_of(said)


# ---- doubts ----


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        ("😀", "🚀🎉", ["symbols", "symbols"]),
        ("123", "...", ["symbols", "symbols"]),
        ("ا", "ب", ["letter", "letter"]),
        ("\u200b\u200f", "\u3164", ["empty", "empty"]),
        ("ا" * 5000, ARABIC, ["repeated"]),
        ("هههههههه", ARABIC, ["repeated"]),
        ("قلب " * 9, ARABIC, ["repeated"]),
        ("hello world", ARABIC, ["script"]),
        (ARABIC, ARABIC, ["same"]),
        (ARABIC, f"{ARABIC}\u200f", ["same"]),
        (ARABIC, ARABIC.replace(" ", "  "), ["same"]),
        (ARABIC, "يقرأ الأولاد كتبًا", []),
        ("نعم", "لا", []),
        ("أحب القهوة ☕", "أحب iPhone", []),
        ("كتب الطالب الدرس", "كَتَبَ الطَّالِبُ الدَّرْسَ", []),
    ],
)
def test_pairs_that_mean_nothing_are_doubted_and_others_are_not(
    space: SimpleNamespace, first: str, second: str, kinds: list[str]
) -> None:
    found = space.doubts.of_pair((first, second), languages=["ar"])
    assert [doubt.kind for doubt in found] == kinds
    assert all(str(doubt) and "{" not in str(doubt) for doubt in found)


def test_a_text_is_asked_for_the_scripts_of_the_models_languages_alone(space: SimpleNamespace) -> None:
    def kinds(text: str, *languages: str) -> list[str]:
        return [doubt.kind for doubt in space.doubts.of_text(text, None, languages, what="the query")]

    assert kinds("hello world") == kinds("hello world", "ar", "en") == kinds("hello world", "xx") == []
    assert kinds("我喜欢喝茶", "ar", "en") == kinds("привет мир", "en-US") == ["script"]
    assert kinds("水", "zh") == [], "one sign may be a word"


def loaded(tokenizer: Any, most: int | float | None = 16, **prompts: str) -> SimpleNamespace:
    """What a reading asks of a model."""
    default = next(iter(prompts), None)
    return SimpleNamespace(tokenizer=tokenizer, max_seq_length=most, prompts=prompts, default_prompt_name=default)


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Any]:
    """Small tokenizers of the kinds that models have."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import BPE, Unigram, WordPiece
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = {word: place for place, word in enumerate(["[UNK]", "[CLS]", "[SEP]", *ARABIC.split(), "اليوم"])}
    pieces = Tokenizer(WordPiece(words, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", words["[CLS]"]), ("[SEP]", words["[SEP]"])]
    pieces.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    unigram = Tokenizer(Unigram([("<unk>", 0.0), *((f"▁{word}", -1.0) for word in ARABIC.split())], unk_id=0))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    byte = Tokenizer(
        BPE({letter: place for place, letter in enumerate(letters)} | {f"<{n}>": 256 + n for n in range(900)}, [])
    )
    byte.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return {
        "bert": PreTrainedTokenizerFast(tokenizer_object=pieces, unk_token="[UNK]", model_max_length=16),
        "xlm-r": PreTrainedTokenizerFast(tokenizer_object=unigram, unk_token="<unk>"),
        "roberta": PreTrainedTokenizerFast(tokenizer_object=byte),
        "static": pieces,
        "none": object(),
    }


@pytest.mark.parametrize(
    ("kind", "text", "kinds"),
    [
        ("bert", ARABIC, []),
        ("bert", "سافر المعلم غدًا", ["unknown"]),
        ("xlm-r", ARABIC, []),
        ("xlm-r", "水火木", ["unknown"]),
        ("roberta", ARABIC, ["spelt", "cut"]),  # no piece is unknown to bytes
        ("static", ARABIC, []),
        ("static", "سافر المعلم غدًا", ["unknown"]),
        ("none", ARABIC, []),
    ],
)
def test_tokenizers_of_every_kind_are_asked(
    space: SimpleNamespace, tokenizers: dict[str, Any], kind: str, text: str, kinds: list[str]
) -> None:
    reading = space.doubts.reading(loaded(tokenizers[kind]), text)
    found = space.doubts.of_text(text, reading, what="the query")
    assert [doubt.kind for doubt in found][:1] == kinds[:1]
    assert (reading is None) == (kind == "none")


@pytest.mark.parametrize(("most", "lost"), [(12, 0), (10, 2), (3, 9), (2, 10), (None, 0), (float("inf"), 0)])
def test_words_that_are_not_read_are_counted(
    space: SimpleNamespace, tokenizers: dict[str, Any], most: float | None, lost: int
) -> None:
    text = " ".join([*ARABIC.split(), "اليوم"] * 2)  # ten words, a piece each, between two special pieces
    found = space.doubts.reading(loaded(tokenizers["bert"], most), text)
    assert (found.words, found.lost) == (10, lost)
    assert [doubt.kind for doubt in space.doubts.of_text(text, found, what="the query")] == ["cut"] * bool(lost)


def test_a_prompt_takes_room_and_texts_that_read_alike_are_doubted(
    space: SimpleNamespace, tokenizers: dict[str, Any]
) -> None:
    model = loaded(tokenizers["bert"], 6, query="يلعب الأطفال")
    assert space.doubts.reading(model, ARABIC).lost == 2
    pair = (f"{ARABIC} اليوم غدًا", f"{ARABIC} اليوم أمس")
    readings = [space.doubts.reading(loaded(tokenizers["bert"]), text) for text in pair]
    assert [doubt.kind for doubt in space.doubts.of_pair(pair, readings, ["ar"])] == ["alike"]


def test_every_sentence_is_there_in_arabic_with_the_same_places(space: SimpleNamespace) -> None:
    words = json.loads((SPACE / "languages" / "ar.json").read_text("utf-8"))["words"]
    trees = [ast.parse(Path(str(module.__file__)).read_text("utf-8")) for module in (space.verdict, space.doubts)]
    said = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [node for node in said if getattr(node.func, "id", "") in ("Said", "Doubt") and node.args]
    texts = [node.args[0].value for node in named if isinstance(node.args[0], ast.Constant)]
    texts += [space.verdict.ONE, space.verdict.BETWEEN, space.verdict.DISAGREE, space.doubts.OTHER_SCRIPT]
    assert len(texts) > 15
    places = re.compile(r"{\w+}")
    wrong = [text for text in texts if set(places.findall(text)) != set(places.findall(words.get(text, "")))]
    assert not [text for text in texts if text not in words]
    assert not wrong
    assert {space.doubts.Doubt("", kind=kind).head for kind in ("same", "cut")} <= words.keys()
    assert not [script for script in space.doubts.SCRIPTS if script not in words]


# ---- the calibration that evaluation makes ----


def test_a_calibration_is_numpys_quantiles_and_a_band_of_what_people_gave() -> None:
    from zoo.evaluate.calibration import size_calibration

    generator = np.random.default_rng(7)
    gold = generator.random(400)
    cosines = 0.5 * gold + 0.1 * generator.standard_normal(400)
    found = size_calibration(cosines, gold)
    assert found.quantiles == np.quantile(cosines, np.arange(101) / 100).round(3).tolist()
    exact = [(cosines < score).mean() for score in cosines]
    told = np.interp(cosines, found.quantiles, np.linspace(0, 1, 101))
    assert np.abs(told - exact).max() < 0.02
    near = gold[np.argsort(cosines)][160:240]  # a fifth of the pairs, about the middle
    assert found.gold[10] == pytest.approx(tuple(np.quantile(near, [0.25, 0.75])), abs=0.02)
    for side in zip(*found.gold, strict=True):
        assert list(side) == sorted(side)
    assert all(low <= high for low, high in found.gold)


def test_a_file_of_scores_without_a_calibration_is_as_it_was() -> None:
    from zoo.evidence.scores import ScoreFile

    empty: dict[str, Any] = {name: [] for name in ("tasks", "subjects", "scores", "means", "comparisons")}
    file = ScoreFile(suite="none", correlations=[], clean=[], versions={}, miniature=True, **empty)
    assert "calibration" not in file.model_dump_json()


def test_a_corpus_is_the_pairs_distinct_sentences_in_their_order() -> None:
    from zoo.evidence.corpus import MOST, corpus_of

    assert corpus_of(["a", "b", "a"], ["c", " ", "d"]) == ["a", "c", "b", "d"]
    assert len(corpus_of([f"a{n}" for n in range(MOST)], [f"b{n}" for n in range(MOST)])) == MOST


# ---- what stands in models.json and corpus.json ----


def entry(**changed: Any) -> str:
    """A models.json of one model, measured on one task at one size."""
    at = {"768": [80.0, 78.0, 82.0]}
    task = {"title": "STS17", "dataset": "mteb/sts17", "rows": 250, "unit": "pairs", "leaked": 0, "dims": at}
    mean = {"name": "mean", "tasks": 1, "dims": at}
    scores = {"suite": "ara-sts", "mean": mean, "tasks": [task], "baseline": 55.7}
    vectors = "vectors/x.safetensors"
    said = {"id": "lab/x", "dims": [768], "scores": scores, "vectors": vectors, "bytes": 4, **changed}
    return json.dumps([said])


def test_a_models_measured_quality_is_read(space: SimpleNamespace) -> None:
    (model,) = space.catalogue.parse_models(entry())
    assert model.scores.mean == model.scores.tasks[0].dims == {768: (80.0, 78.0, 82.0)}
    assert (model.vectors, model.bytes, model.scores.rehearsal) == ("vectors/x.safetensors", 4, False)
    (plain,) = space.catalogue.parse_models('[{"id": "lab/x"}]')
    assert (plain.scores, plain.calibration, plain.vectors, plain.bytes) == (None, None, None, None)


@pytest.mark.parametrize(
    ("changed", "mistake"),
    [
        ({"vectors": "../x.safetensors"}, "vectors '../x.safetensors' is not a file vectors/NAME.safetensors"),
        ({"bytes": 0}, "'bytes' is not a whole number above 0"),
        ({"calibration": {}}, "'calibration' is not an object of data, rows and dims"),
        ({"scores": {}}, "'scores' lacks 'suite'"),
        ({"scores": {"suite": "s", "mean": {"dims": {"64": [1]}}}}, "'scores' is not as it must be"),
    ],
)
def test_a_mistake_in_what_was_measured_is_named(space: SimpleNamespace, changed: dict[str, Any], mistake: str) -> None:
    with pytest.raises(space.words.SpaceError) as caught:
        space.catalogue.parse_models(entry(**changed))
    assert str(caught.value).startswith(f"models.json entry 1: {mistake}")


def test_a_corpus_is_read_with_its_licences_and_vectors_of_just_its_sentences(
    space: SimpleNamespace, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    from zoo.evidence.corpus import digest_of_sentences

    assert space.corpus.read(tmp_path) is None
    works = [{"title": "STS benchmark", "license": "other", "url": None, "terms": "of parts"}]
    facts = {"source": "STS", "dataset": "lab/sts", "split": "validation", "licence": "mit", "origins": works}
    (tmp_path / "corpus.json").write_text(json.dumps({**facts, "sentences": ["a", "b"]}), "utf-8")
    found = space.corpus.read(tmp_path)
    assert (found.sentences, found.origins[0].terms) == (("a", "b"), "of parts")
    assert found.url.endswith("/datasets/lab/sts")
    (tmp_path / "vectors").mkdir()
    rows = np.eye(2, 4, dtype=np.float16)
    (model,) = space.catalogue.parse_models(entry())
    assert space.corpus.vectors(tmp_path, model, found) is None, "the file is not there"
    for digest, there in ((digest_of_sentences(["a", "b"]), True), (digest_of_sentences(["a", "c"]), False)):
        save_file({"vectors": rows}, tmp_path / model.vectors, metadata={"sentences": digest})
        assert (space.corpus.vectors(tmp_path, model, found) is not None) == there
    assert space.corpus.agrees(rows, np.eye(1, 4))
    assert not space.corpus.agrees(rows, np.eye(1, 4, 1)), "of another version of the model"
    (tmp_path / "corpus.json").write_text(json.dumps({**facts, "sentences": "a"}), "utf-8")
    with pytest.raises(space.words.SpaceError, match=r"corpus\.json is not as it must be \(ValueError: sentences is"):
        space.corpus.read(tmp_path)
