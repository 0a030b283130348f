"""Translation: the same text whatever happens on the way, and a sentence for what cannot be translated."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from operator import eq
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from conftest import TestHub
from test_data import PAIR, Heard, parquet

from zoo.errors import DataError, ZooError
from zoo.hub.store import Store
from zoo.miniature.translator import parallel_sentences
from zoo.translation.engine import Decoding, Engine, Translated
from zoo.translation.families import NAMES, codec_of
from zoo.translation.memory import TranslationMemory
from zoo.translation.repository import safe_weights
from zoo.translation.translating import on_this_machine, pace, translate_sentences

SENTENCES = [english for english, _ in parallel_sentences("test", 60, seed=5)]
REFERENCES = [arabic for _, arabic in parallel_sentences("test", 60, seed=5)]
LONG = " ".join(["The happy writer is swaying at dusk"] * 20)
PARALLEL = {
    "sentence1": [*SENTENCES[:30], SENTENCES[0], None, " "],
    "sentence2": [*SENTENCES[30:], LONG, "A cat.", "A dog."],
}


@pytest.fixture(scope="session")
def model(translator: Mapping[str, str], hub: TestHub) -> str:
    """The tiny model on the tests' Hub, and a dataset in English beside it."""
    with_rows = {"data/train-00000-of-00001.parquet": parquet(PARALLEL)}
    store = Store(hub.root)
    store.import_commit("dataset", "english/pairs", with_rows)
    store.close()
    return next(iter(translator))


@dataclass
class Translating:
    """A data stage that translates, and what people are told of it."""

    place: Path
    commits: Mapping[str, str]

    def spec(self, name: str, step: Mapping[str, Any]) -> dict[str, Any]:
        from zoo.recipe import Dataset
        from zoo.remote import api

        dataset = Dataset.model_validate(
            {
                "source": {"dataset": "english/pairs", "splits": {"train": "train"}},
                "columns": PAIR,
                "steps": [{"type": "translate", "model": next(iter(self.commits)), **step}, "not_empty"],
            }
        )
        sha = api().dataset_info("english/pairs").sha
        return {
            "name": name,
            "dataset": dataset.model_dump(mode="json", by_alias=True),
            "came_from": {"revision": sha},
            "revisions": [sha],
            "models": dict(self.commits),
            "place": str(self.place),
            "cache": str(self.place / "cache"),
        }

    def build(self, name: str = "arabic", /, **step: Any) -> tuple[Path, list[str]]:
        from zoo.data.work import work

        folder, heard = self.place / name, Told()
        folder.mkdir(exist_ok=True)
        work(folder, json.loads(json.dumps(self.spec(name, step))), progress=heard)
        return folder, heard.notes


class Told(Heard):
    def describe(self, text: str) -> None: ...


@pytest.fixture
def translating(model: str, translator: Mapping[str, str], tmp_path: Path, once: Callable[..., Path]) -> Translating:
    """A workplace whose cache has the converted model, so that a test does not wait for its conversion."""
    made = Translating(tmp_path, translator)
    kept = once("converted", lambda folder: Translating(folder, translator).build())
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "translators").symlink_to(kept / "cache" / "translators")
    return made


@pytest.fixture
def engine(translating: Translating) -> Callable[..., Engine]:
    def made(workers: int = 1, **more: Any) -> Engine:
        (name, commit), *_ = translating.commits.items()
        asked = {"source_language": "en", "target_language": "ar", "compute_type": "int8", "kind": "cpu"}
        decoding = Decoding(name, commit, **{**asked, "beam_size": 4, "max_length": None, **more})
        return Engine(decoding, translating.place / "cache", workers=workers)

    return made


def translated(engine: Engine, sentences: Sequence[str], folder: Path, most: int) -> list[str | None]:
    folder.mkdir()
    with TranslationMemory(folder / "memory.sqlite") as memory:
        how = {"folder": folder, "most": most, "way": on_this_machine, "label": "", "progress": Told()}
        translate_sentences(lambda: [sentences], engine, memory, **how)
        return [memory.known([sentence])[sentence].text for sentence in sentences]


# The miniature


def test_the_miniature_translates_visibly_better_than_chance(engine: Callable[..., Engine], tmp_path: Path) -> None:
    from sacrebleu import corpus_chrf

    texts = [text or "" for text in translated(engine(), SENTENCES, tmp_path / "a", 2048)]
    chance = corpus_chrf(texts, [REFERENCES[1:] + REFERENCES[:1]]).score
    assert corpus_chrf(texts, [REFERENCES]).score > 35 > 20 > chance


def test_a_frame_is_told_in_both_languages_with_the_same_choices() -> None:
    pairs = parallel_sentences("train", 3_000, seed=1)
    assert len(dict(pairs)) == len(dict.fromkeys(pairs)), "one English sentence has one translation"
    there_is = [(english, arabic) for english, arabic in pairs if " there " in f" {english.lower()}"]
    assert there_is
    assert all("هناك" in arabic for _, arabic in there_is)
    assert sum(arabic.startswith(("في ", "على ", "عند ")) for english, arabic in pairs if ", " in english) > 50


# The same text


def test_text_depends_on_no_thread_and_hardly_on_the_batch(engine: Callable[..., Engine], tmp_path: Path) -> None:
    """Sums come out otherwise in other batches, by so little that only a sentence on the brink of two is another one."""
    ways = [(1, 40), (2, 40), (1, 300), (2, 10_000)]
    texts = [translated(engine(workers), SENTENCES, tmp_path / f"{workers}-{most}", most) for workers, most in ways]
    assert texts[1] == texts[0]
    assert all(sum(map(eq, one, texts[0])) >= 0.95 * len(SENTENCES) for one in texts[2:])
    assert None not in texts[0]


KILLED = """
import json, os, signal, sys
from pathlib import Path
from zoo.data.work import work

left = int(sys.argv[3])

def die_in_time(frame, event, what):
    global left
    left -= event == "call" and "/zoo/translation/" in frame.f_code.co_filename
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(die_in_time)
work(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text("utf-8")))
"""
"""A stage that is killed when so many functions of ours have been called."""


def killed_and_finished(translating: Translating, moments: Sequence[int]) -> dict[str, bytes]:
    """Files of a stage that was killed at these moments, one after the other, and then done."""
    folder, spec = translating.place / "arabic", translating.place / "spec.json"
    folder.mkdir()
    spec.write_text(json.dumps(translating.spec("arabic", {"max_batch_tokens": 20})), "utf-8")
    kept = []
    for calls in (*moments, 10**9):
        command = [sys.executable, "-c", KILLED, folder, spec, str(calls)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == (0 if calls == 10**9 else -9), done.stderr
        kept.append(known(translating.place / "cache"))
    print(f"sentences that were kept when it was killed: {kept}")
    return files(folder)


def known(cache: Path) -> int:
    """The number of sentences that a memory knows."""
    for path in (cache / "translations").glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as base:
            return int(base.execute("select count(*) from translation").fetchone()[0])
    return 0


def files(folder: Path) -> dict[str, bytes]:
    """What a stage left, but for the times in its notes."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "steps.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    "moments", [(430, 500), pytest.param(Random(1).choices(range(1, 900), k=10), marks=pytest.mark.slow)]
)
def test_a_kill_at_any_moment_changes_no_byte(translating: Translating, moments: Sequence[int]) -> None:
    killed = killed_and_finished(translating, moments)
    undisturbed = Translating(translating.place / "undisturbed", translating.commits)
    undisturbed.place.mkdir()
    (undisturbed.place / "cache").mkdir()
    (undisturbed.place / "cache" / "translators").symlink_to(translating.place / "cache" / "translators")
    assert killed == files(undisturbed.build(max_batch_tokens=20)[0])


def test_a_memory_that_is_gone_or_another_one_is_not_counted_on(engine: Callable[..., Engine], tmp_path: Path) -> None:
    """A stage that was cut off on one machine goes on on another, which chooses other settings and has another memory."""

    def done(name: str, sentences: Sequence[str], way: Any = on_this_machine) -> list[str]:
        with TranslationMemory(tmp_path / name) as memory:
            how = {"folder": tmp_path, "most": 300, "way": way, "label": "", "progress": Told()}
            translate_sentences(lambda: [sentences], engine(), memory, **how)
            return sorted(memory.known(sentences))

    assert done("one.sqlite", SENTENCES[:3]) == sorted(SENTENCES[:3])
    cut: Any = lambda engine, batches: iter(())  # noqa: E731
    assert done("one.sqlite", SENTENCES[:6], cut) == sorted(SENTENCES[:3])
    assert done("other.sqlite", SENTENCES[:6]) == sorted(SENTENCES[:6])
    (tmp_path / "one.sqlite").unlink()
    assert done("one.sqlite", SENTENCES[:6]) == sorted(SENTENCES[:6])


def test_a_damaged_memory_is_told_with_what_to_remove(tmp_path: Path) -> None:
    (path := tmp_path / "a b.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match="keeps what was translated before, is damaged: file is not") as caught:
        TranslationMemory(path)
    assert caught.value.hint == f"rm '{path}'*"


@pytest.mark.slow
def test_a_cluster_gives_the_same_text(translating: Translating, monkeypatch: pytest.MonkeyPatch) -> None:
    here, _ = translating.build("here")
    spec = {**translating.spec("there", {}), "on": "ray", "cache": str(translating.place / "other")}
    from zoo.data.work import work

    (there := translating.place / "there").mkdir()
    work(there, json.loads(json.dumps(spec)), progress=Told())
    assert files(here)["train.parquet"] == files(there)["train.parquet"]


# What the step leaves


def test_originals_stay_beside_and_what_cannot_be_translated_is_told(translating: Translating) -> None:
    folder, notes = translating.build()
    rows = pl.read_parquet(folder / "rows" / "train.parquet")
    assert rows.columns == ["sentence1", "sentence2", "@source.sentence1", "@source.sentence2"]
    assert rows["@source.sentence1"].to_list()[:5] == SENTENCES[:5]
    assert rows.filter(pl.col("@source.sentence1") == SENTENCES[0])["sentence1"].n_unique() == 1
    report = json.loads((folder / "report.json").read_text("utf-8"))["train"]
    assert report["dropped"] == {"translate": 1, "not_empty": 2}, "nulls and blanks are no business of it"
    told = f"sentences, in int8 on cpu by CTranslate2 {version('ctranslate2')}"
    assert report["facts"] == {"translate": {told: 63}}
    note = json.loads((folder / "steps.json").read_text("utf-8"))["train"][0]
    assert note["why"] == {"sentence2 is longer than the 128 tokens that are translated": 1}
    assert note["examples"][0]["row"]["@source.sentence2"].startswith("The happy writer")
    assert any("62 sentences translated" in line for line in notes)
    assert json.loads((folder / "source.json").read_text("utf-8"))["models"] == dict(translating.commits)


def test_another_dataset_asks_the_memory_first(translating: Translating) -> None:
    first, _ = translating.build("one")
    second, notes = translating.build("two", columns=["sentence1"])
    assert any("0 sentences translated" in line for line in notes)
    one, two = (pl.read_parquet(folder / "train.parquet") for folder in (first, second))
    assert two["sentence1"].to_list()[:20] == one["sentence1"].to_list()[:20]
    assert two["sentence2"].to_list()[:20] == PARALLEL["sentence2"][:20]


def test_other_settings_have_another_memory(engine: Callable[..., Engine]) -> None:
    more: list[dict[str, Any]] = [
        {},
        {"beam_size": 1},
        {"compute_type": "float32"},
        {"max_length": 64},
        {"kind": "cuda"},
    ]
    assert len({engine(**one).decoding.digest for one in more}) == len(more)


def test_the_first_answer_is_final(tmp_path: Path) -> None:
    with TranslationMemory(tmp_path / "a.sqlite") as one, TranslationMemory(tmp_path / "a.sqlite") as other:
        one.keep([("a", Translated("أ")), ("b", Translated(None, "is empty"))])
        other.keep([("a", Translated("ب")), ("c", Translated("ج"))])
        assert one.known(["c", "a", "b", "d"]) == {
            "a": Translated("أ"),
            "b": Translated(None, "is empty"),
            "c": Translated("ج"),
        }


def test_speed_is_told_in_words() -> None:
    assert pace(50, 3_000, 2.0) == "25.0 sentences/s, 2:00 left"
    assert pace(10, 36_000, 10.0) == "1.0 sentences/s, 10:00:00 left"


# What cannot be


@pytest.mark.parametrize(
    ("step", "told", "way"),
    [
        (
            {"target_language": "fr"},
            "does not translate from en to fr: it knows no 'fr'",
            "write target_language as this one has it: ara",
        ),
        (
            {"source_language": "de"},
            "does not translate from de to ar: it knows no 'de'",
            "write source_language as this one has it: eng",
        ),
        ({"compute_type": "float16"}, "compute_type 'float16' is none that cpu has", "write compute_type: auto"),
    ],
)
def test_what_the_model_or_the_machine_lacks_is_told(
    translating: Translating, step: dict[str, Any], told: str, way: str
) -> None:
    with pytest.raises(DataError) as caught:
        translating.build(**step)
    assert told in caught.value.message
    assert way in str(caught.value.hint)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"columns": ["sentence3"]}, "sentence3"),
        ({"source_language": "eng", "target_language": "en"}, "source_language and target_language are both 'en'"),
    ],
)
def test_what_the_recipe_cannot_mean_is_told_before_any_row_is_read(options: dict[str, Any], told: str) -> None:
    from zoo.recipe import Dataset
    from zoo.steps.step import STEPS

    recipe = {
        "source": {"dataset": "a/b"},
        "columns": PAIR,
        "steps": [{"type": "translate", "model": "a/b", **options}],
    }
    dataset = Dataset.model_validate(recipe)
    check = STEPS["translate"].check
    assert check
    assert told in str(check(dataset.steps[0], dataset.columns, dataset.columns))


@pytest.mark.parametrize(
    ("refs", "way"),
    [
        ((), "https://huggingface.co/spaces/safetensors/convert opens a pull request"),
        (("refs/pr/1",), "write revision: "),
    ],
)
def test_pickled_weights_are_refused_with_a_way_out(
    hub: TestHub, translator: Mapping[str, str], tmp_path: Path, refs: Sequence[str], way: str
) -> None:
    name = f"pickled/opus-{len(refs)}"
    with closing(Store(hub.root)) as store:
        safe = {"config.json": b"{}", "model.safetensors": b"safe"}
        asked = [store.import_commit("model", name, safe, refs=refs)] if refs else []
        commit = store.import_commit("model", name, {"config.json": b"{}", "pytorch_model.bin": b"pickled"})
    with pytest.raises(DataError) as caught:
        safe_weights(name, commit)
    assert caught.value.message == (
        f"model '{name}' has its weights only as 'pytorch_model.bin', and zoo reads safetensors alone"
    )
    assert way in str(caught.value.hint)
    assert all(f"revision: {one}" in str(caught.value.hint) for one in asked)


def test_a_missing_extra_is_named_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.recipe import Dataset
    from zoo.steps import packages_of

    recipe = {"source": {"dataset": "a/b"}, "columns": PAIR, "steps": [{"type": "translate", "model": "a/b"}]}
    dataset = Dataset.model_validate(recipe)
    assert packages_of(dataset.steps) == ["ctranslate2", "sentencepiece"]
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    monkeypatch.setattr("zoo.steps.step.find_spec", lambda name: None if sys.modules.get(name, 1) is None else name)
    with pytest.raises(ZooError, match="'sentencepiece' is not installed, and the step 'translate' needs it") as caught:
        packages_of(dataset.steps)
    assert caught.value.hint == "pip install 'hub-zoo[translate]'"


FULL = """
import json, resource, sys
from pathlib import Path
from zoo.errors import of_the_disk
from zoo.data.work import work

spec = json.loads(Path(sys.argv[2]).read_text("utf-8"))
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    work(Path(sys.argv[1]), spec)
except OSError as problem:
    print(of_the_disk(problem).message)
"""


def test_a_full_disk_is_told_and_nothing_is_lost(translating: Translating) -> None:
    (folder := translating.place / "arabic").mkdir()
    spec = translating.place / "spec.json"
    spec.write_text(json.dumps(translating.spec("arabic", {"max_batch_tokens": 60})), "utf-8")
    command = [sys.executable, "-c", FULL, folder, spec]
    full = subprocess.run([*command, "33000"], capture_output=True, text=True)
    assert full.stdout.startswith("there is no room for "), full.stdout + full.stderr
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.stdout, again.returncode) == ("", 0), again.stderr
    assert pl.read_parquet(folder / "train.parquet").height == 30


# Families


def pieces_of(folder: Path, name: str, symbols: Sequence[str] = ()) -> None:
    """A SentencePiece model of English words."""
    from sentencepiece import SentencePieceTrainer

    SentencePieceTrainer.train(
        sentence_iterator=iter([english for english, _ in parallel_sentences("train", 300, seed=2)]),
        model_prefix=str(folder / Path(name).stem),
        vocab_size=200,
        model_type="bpe",
        user_defined_symbols=list(symbols),
        minloglevel=2,
    )
    (folder / f"{Path(name).stem}.model").rename(folder / name)


def family(folder: Path, kind: str) -> Path:
    """The small files of a model of a family."""
    config: dict[str, Any] = {"model_type": {"nllb": "m2m_100", "madlad": "t5"}.get(kind, "marian")}
    if kind == "nllb":
        pieces_of(folder, "sentencepiece.bpe.model")
        special = {"additional_special_tokens": ["arb_Arab", "eng_Latn", "arz_Arab"]}
        (folder / "special_tokens_map.json").write_text(json.dumps(special), "utf-8")
        config["max_position_embeddings"] = 1024
    elif kind == "madlad":
        pieces_of(folder, "spiece.model", ["<2ar>", "<2fr>"])
    else:
        for side in ("source", "target"):
            pieces_of(folder, f"{side}.spm")
        tokens = [">>ara<<", ">>arz<<"] if kind == "several" else []
        (folder / "vocab.json").write_text(
            json.dumps({one: place for place, one in enumerate(["</s>", *tokens])}), "utf-8"
        )
        languages = {"source_lang": "en", "target_lang": "mul" if kind == "several" else "ar"}
        (folder / "tokenizer_config.json").write_text(json.dumps(languages), "utf-8")
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("kind", "target", "begins", "prefix", "refused"),
    [
        ("one pair", "ar", "", (), "it knows no 'de'"),
        ("several", "ar", ">>ara<<", (), "it knows no 'de'"),
        ("several", "arz", ">>arz<<", (), "it knows no 'de'"),
        ("nllb", "ar", "eng_Latn", ("arb_Arab",), "it knows no 'de'"),
        ("nllb", "arz_Arab", "eng_Latn", ("arz_Arab",), "it knows no 'de'"),
        ("madlad", "ar", "<2ar>", (), "it knows no 'de'"),
    ],
)
def test_each_family_names_languages_in_its_own_way(
    tmp_path: Path, kind: str, target: str, begins: str, prefix: tuple[str, ...], refused: str
) -> None:
    codec = codec_of("a/b", family(tmp_path, kind), "en", target)
    (tokens,) = codec.tokens(["The cat is swaying."])
    assert tokens[: bool(begins)] == [begins] * bool(begins)
    assert tokens[-1] == "</s>"
    assert codec.prefix == prefix
    assert codec.texts([[*prefix, *[token for token in tokens if token not in (begins, "</s>")]]]) == [
        "The cat is swaying."
    ]
    assert codec.longest == (1024 if kind == "nllb" else 512)
    with pytest.raises(DataError, match=refused):
        codec_of("a/b", tmp_path, "en", "de")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "model 'a/b' has no config.json that can be read"),
        ({"config.json": '{"model_type": "bert"}'}, "model 'a/b' is of the type 'bert', which does not translate"),
        ({"config.json": '{"model_type": "marian"}', "vocab.json": "{}"}, "model 'a/b' has no 'source.spm'"),
    ],
)
def test_what_is_no_translation_model_is_told(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError) as caught:
        codec_of("a/b", tmp_path, "en", "ar")
    assert caught.value.message.startswith(told)
    assert "Helsinki-NLP/opus-mt-en-ar" in str(caught.value.hint)


def test_no_name_of_a_language_stands_for_two() -> None:
    every = [name for names in NAMES for name in names]
    assert len(every) == len(set(every))
