"""The Space under load: what is in memory, who waits for whom, and what programs are told of its endpoints."""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement
from space_load import SPACE, WORDS, Running, entry, random_model, running, sentence, slow_model, space_with

FACTS = {"title": "Arabic sentence similarity", "language": ["ar"], "interface": ["en", "ar"]}


@pytest.fixture(scope="module")
def parts() -> Iterator[SimpleNamespace]:
    """Modules of the Space, found as Python finds them on the Hub: beside app.py."""
    before = set(sys.modules)
    sys.path.insert(0, str(SPACE))
    names = (
        "shelf",
        "batches",
        "machine",
        "encoding",
        "catalogue",
        "words",
        "api",
        "about",
        "texts",
        "waiting",
        "rankings",
        "similarity",
        "page",
        "app",
    )
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(SPACE))
    for name in set(sys.modules) - before:
        if str(SPACE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


# ---- what is in memory ----


@dataclass
class Book:
    """Something of so many bytes."""

    title: str
    nbytes: int = 40


class Library:
    """Loads books one at a time when it is told to, and counts how often each was loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def load(self, title: str) -> Book:
        self.gate.wait(10)
        self.loaded.append(title)
        if title == "lost":
            raise OSError("no such book")
        return Book(title, 500 if title == "atlas" else 40)


@pytest.fixture
def library() -> Library:
    return Library()


def titles(shelf: Any, *asked: str) -> set[str]:
    return {title for title in asked if shelf.state(title) == "ready"}


def test_what_was_used_longest_ago_leaves_when_bytes_run_out(parts: SimpleNamespace, library: Library) -> None:
    shelf = parts.shelf.Shelf(library.load, 100)
    for title in ("a", "b", "a", "c"):
        assert shelf.use(title).result(10).title == title
    assert titles(shelf, "a", "b", "c") == {"a", "c"}
    assert library.loaded == ["a", "b", "c"]


def test_what_is_larger_than_the_budget_is_kept_alone(parts: SimpleNamespace, library: Library) -> None:
    shelf = parts.shelf.Shelf(library.load, 100)
    for title in ("a", "atlas"):
        shelf.use(title).result(10)
    assert titles(shelf, "a", "atlas") == {"atlas"}
    shelf.use("b").result(10)
    assert titles(shelf, "b", "atlas") == {"b"}


def test_many_who_ask_at_once_load_once(parts: SimpleNamespace, library: Library) -> None:
    library.gate.clear()
    shelf = parts.shelf.Shelf(library.load, 100)
    asked = [shelf.use("a") for _ in range(20)]
    assert shelf.state("a") == "loading"
    library.gate.set()
    assert len({id(one.result(10)) for one in asked}) == 1
    assert library.loaded == ["a"]


def test_a_loan_throws_out_nothing_and_is_no_use(parts: SimpleNamespace, library: Library) -> None:
    shelf = parts.shelf.Shelf(library.load, 100)
    for title in ("a", "b"):
        shelf.use(title).result(10)
    assert shelf.borrow("c").result(10).title == "c"
    shelf.borrow("a").result(10)
    assert titles(shelf, "a", "b", "c") == {"a", "b"}
    shelf.use("d").result(10)
    assert titles(shelf, "a", "b", "d") == {"b", "d"}, "a was borrowed since, and not used"


def test_a_loan_that_fits_stays_and_leaves_first(parts: SimpleNamespace, library: Library) -> None:
    shelf = parts.shelf.Shelf(library.load, 100)
    shelf.use("a").result(10)
    shelf.borrow("b").result(10)
    assert titles(shelf, "a", "b") == {"a", "b"}
    shelf.use("c").result(10)
    assert titles(shelf, "a", "b", "c") == {"a", "c"}


def test_a_failure_is_told_for_a_moment_and_forgotten(parts: SimpleNamespace, library: Library) -> None:
    shelf = parts.shelf.Shelf(library.load, 100, failures_last=0.2)
    for _ in range(2):
        with pytest.raises(OSError, match="no such book"):
            shelf.use("lost").result(10)
    assert library.loaded == ["lost"], "who asks again and again, and waits for nothing, gets to know of it"
    time.sleep(0.25)
    with pytest.raises(OSError, match="no such book"):
        shelf.use("lost").result(10)
    assert library.loaded == ["lost", "lost"]


@pytest.mark.parametrize(
    ("said", "files", "bytes_", "cores"),
    [
        ({"MEMORY": "16Gi", "CPU_CORES": "2"}, {}, 16 * 2**30, 2),
        ({"MEMORY": "500 MB"}, {"cpu.max": "150000 100000\n"}, 500 * 10**6, 2),
        ({}, {"memory.max": "1048576\n", "cpu.max": "50000 100000\n"}, 2**20, 1),
        ({"MEMORY": "much"}, {"memory/memory.limit_in_bytes": "2097152\n"}, 2**21, None),
        ({}, {"memory.max": "max\n", "cpu.max": "max 100000\n"}, None, None),
    ],
)
def test_a_container_has_less_than_its_machine(
    parts: SimpleNamespace, tmp_path: Path, said: dict, files: dict, bytes_: int | None, cores: int | None
) -> None:
    import os

    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "ascii")
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert parts.machine.memory(said, tmp_path) == (bytes_ or whole)
    every = len(os.sched_getaffinity(0))
    assert parts.machine.cores(said, tmp_path) == (
        min(cores, every) if cores and "CPU_CORES" not in said else cores or every
    )


# ---- texts of many callers ----


def doubled(texts: list[str]) -> np.ndarray:
    return np.array([[len(text), 2 * len(text)] for text in texts], dtype=np.float32)


def test_texts_that_come_while_a_batch_runs_are_encoded_together(parts: SimpleNamespace) -> None:
    gate, seen = threading.Event(), []

    def encode(texts: list[str]) -> np.ndarray:
        gate.wait(10)
        seen.append(len(texts))
        return doubled(texts)

    with ThreadPoolExecutor(2) as pool:
        batches = parts.batches.Batches(encode, pool)
        first = batches.encode(["a"])
        time.sleep(0.05)
        later = [batches.encode(["bb", "ccc"]) for _ in range(20)]
        asked = batches.ask(lambda: "from the tokenizer")
        gate.set()
        assert first[0].result(10).tolist() == [1, 2]
        assert [[row.result(10).tolist() for row in one] for one in later] == [[[2, 4], [3, 6]]] * 20
        assert asked.result(10) == "from the tokenizer"
    assert seen == [1, 32, 8]


def test_a_batch_that_fails_fails_alone(parts: SimpleNamespace) -> None:
    def encode(texts: list[str]) -> np.ndarray:
        if "bad" in texts:
            raise RuntimeError("out of memory")
        return doubled(texts)

    with ThreadPoolExecutor(1) as pool:
        batches = parts.batches.Batches(encode, pool)
        with pytest.raises(RuntimeError, match="out of memory"):
            batches.encode(["bad"])[0].result(10)
        assert batches.encode(["a"])[0].result(10).tolist() == [1, 2]


def test_one_callers_text_fails_nobody_elses(parts: SimpleNamespace) -> None:
    gate = threading.Event()

    def encode(texts: list[str]) -> np.ndarray:
        gate.wait(10)
        if "bad" in texts:
            raise TypeError("TextInputSequence must be str")
        return doubled(texts)

    with ThreadPoolExecutor(1) as pool:
        batches = parts.batches.Batches(encode, pool)
        batches.encode(["first"])
        good, bad, fine = batches.encode(["a", "bad", "bb"])
        gate.set()
        assert [good.result(10).tolist(), fine.result(10).tolist()] == [[1, 2], [2, 4]]
        with pytest.raises(TypeError):
            bad.result(10)


def test_an_essay_has_a_batch_of_its_own(parts: SimpleNamespace) -> None:
    gate, seen = threading.Event(), []

    def encode(texts: list[str]) -> np.ndarray:
        gate.wait(10)
        seen.append(len(texts))
        return doubled(texts)

    with ThreadPoolExecutor(1) as pool:
        batches = parts.batches.Batches(encode, pool)
        rows = batches.encode(["a"])
        time.sleep(0.05)
        rows += batches.encode(["b", "c" * 5000, "d"])
        gate.set()
        assert [row.result(10)[0] for row in rows] == [1, 1, 5000, 1]
    assert seen == [1, 1, 1, 1]


def test_vectors_in_memory_stay_within_their_bytes(parts: SimpleNamespace) -> None:
    memory = parts.encoding.Remembered(10_000)
    place = parts.encoding.Place("lab/x", None, None)
    for number in range(100):
        memory.put(place, f"{number}", np.zeros(100, dtype=np.float32))
        memory.get(place, "0")
    assert memory.taken <= 10_000
    assert memory.get(place, "0") is not None, "it was used all the time"
    assert memory.get(place, "50") is None
    assert memory.get(place, "99") is not None


# ---- models of the Space ----


@pytest.fixture(scope="module")
def models(parts: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Entries of a small model, of one that takes two seconds to load, and of one that is not there."""
    root = tmp_path_factory.mktemp("models")
    quick = random_model(root / "quick", layers=2, width=64)
    slow = slow_model(quick, root / "slow", 2)
    listed = [entry(quick, "Quick", [64, 32]), entry(slow, "Slow", [64]), {"id": str(root / "none"), "title": "None"}]
    found = parts.catalogue.parse_models(json.dumps(listed))
    return SimpleNamespace(quick=found[0], slow=found[1], absent=found[2], every=found)


def test_nobody_waits_for_a_model_that_others_load(parts: SimpleNamespace, models: SimpleNamespace) -> None:
    encoding = parts.encoding

    async def everybody() -> tuple[float, float, list[float]]:
        await encoding.encode(models.quick, ["سيارة"])
        asked = asyncio.create_task(encoding.encode(models.slow, ["سيارة"]))
        began = time.monotonic()
        with pytest.raises(encoding.StillLoading, match="Slow is being loaded"):
            await encoding.need(models.slow)
        told, waits = time.monotonic() - began, []
        while encoding.state(models.slow) == "loading":
            start = time.monotonic()
            await encoding.encode(models.quick, [f"سيارة {len(waits)}", "القطة"])
            waits.append(time.monotonic() - start)
            await asyncio.sleep(0.02)
        return told, len(await asked), waits

    told, rows, waits = asyncio.run(everybody())
    assert (rows, told < 1) == (1, True)
    assert len(waits) > 10
    assert sorted(waits)[len(waits) // 2] < 0.3, "while the other took two seconds"


def test_texts_of_many_callers_are_encoded_as_if_alone(parts: SimpleNamespace, models: SimpleNamespace) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [[" ".join(WORDS[: 1 + (one + two) % 12]) + f" {one}" for two in range(7)] for one in range(9)]

    async def everybody() -> list[np.ndarray]:
        return await asyncio.gather(*(parts.encoding.encode(models.quick, mine) for mine in texts))

    alone = SentenceTransformer(models.quick.id)
    for mine, found in zip(texts, asyncio.run(everybody()), strict=True):
        np.testing.assert_allclose(found, alone.encode(mine), atol=1e-5)
        assert not found.flags.writeable


def test_all_models_answer_or_say_why_not_and_those_in_memory_are_first(
    parts: SimpleNamespace, models: SimpleNamespace
) -> None:
    async def table() -> list[tuple[str, str]]:
        found = parts.encoding.each([models.absent, models.quick], ["سيارة"])
        return [(model.title, getattr(rows, "text", "vectors")) async for model, rows in found]

    failed = "{model} could not be loaded. Try another model, or this one again in a while."
    assert asyncio.run(table()) == [("Quick", "vectors"), ("None", failed)]


def test_what_fails_is_told_and_never_as_a_load_that_goes_on(
    parts: SimpleNamespace, models: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub's TimeoutError looks like that of waiting, and an error of the model's own code may be any."""
    encoding = parts.encoding
    for error in (TimeoutError("the Hub"), AttributeError("of its own code"), AssertionError()):

        def load(place: Any, error: Exception = error) -> Book:
            raise error

        monkeypatch.setattr(encoding, "_shelf", parts.shelf.Shelf(load, 100))
        with pytest.raises(parts.words.SpaceError, match="Slow could not be loaded"):
            asyncio.run(encoding.need(models.slow))


def test_a_question_that_the_tokenizer_fails_is_told_without_the_text(
    parts: SimpleNamespace, models: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(loaded: Any) -> None:
        raise UnicodeError("a secret text")

    with pytest.raises(parts.words.SpaceError, match="Quick cannot read this text"):
        asyncio.run(parts.encoding.asked(models.quick, fails))
    assert "UnicodeError in fails:" in caplog.text
    assert "secret" not in caplog.text


def test_an_answer_that_fails_asks_no_more(parts: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    """Gradio changes no output when an event fails: a timer that was on would stay on."""
    import gradio as gr

    async def answer(text: str) -> str:
        raise RuntimeError("a secret text")

    with gr.Blocks() as demo:
        box, out = gr.Textbox(), gr.HTML()
        parts.waiting.answers([box.submit], answer, [box], out, str)
    shown = next(one for one in demo.fns.values() if len(one.outputs) == 2)
    told, timer = asyncio.run(shown.fn("?"))
    assert told == "Something went wrong here. Try again in a while."
    assert timer.active is False
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_more_than_a_hundred_who_wait_are_told_to_come_back(
    parts: SimpleNamespace, models: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = parts.encoding
    gate = threading.Event()
    shelf = parts.shelf.Shelf(lambda place: gate.wait(10) and Book("x"), 100)
    monkeypatch.setattr(encoding, "_shelf", shelf)

    async def crowd() -> list[Any]:
        asked = [asyncio.create_task(encoding.encode(models.slow, ["؟"])) for _ in range(encoding.MOST_WAIT)]
        await asyncio.sleep(0)
        with pytest.raises(encoding.StillLoading):
            await encoding.encode(models.slow, ["؟"])
        for one in asked:
            one.cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    assert len(asyncio.run(crowd())) == encoding.MOST_WAIT
    gate.set()


# ---- what programs are told ----


@pytest.fixture(scope="module")
def told(parts: SimpleNamespace, models: SimpleNamespace) -> dict[str, Any]:
    """The endpoints of a page, as gradio describes them."""
    import gradio as gr

    with gr.Blocks() as demo:
        parts.api.endpoints(parts.about.about(SPACE), models.every)
    return demo.get_api_info()["named_endpoints"]


def test_every_endpoint_and_parameter_is_described_by_its_name(told: dict[str, Any]) -> None:
    """Public names of gradio alone make it so; a new gradio may need others."""
    assert set(told) == {"/compare", "/rank", "/models"}
    for endpoint in told.values():
        assert endpoint["description"].endswith(".")
        for one in endpoint["parameters"]:
            assert one["label"] == one["parameter_name"]
            assert one["python_type"]["description"].endswith(".")
    kinds = {one["label"]: one["python_type"]["type"] for one in told["/rank"]["parameters"]}
    assert kinds == {"query": "str", "sentences": "list[str]", "model": "str", "dim": "int"}
    (answer,) = told["/compare"]["returns"]
    assert answer["python_type"]["type"] == "dict(model: str, dim: int, score: float, by_dim: dict(str, float))"


def test_examples_of_endpoints_are_sentences_and_no_defaults(told: dict[str, Any], models: SimpleNamespace) -> None:
    first, second, model, dim = told["/compare"]["parameters"]
    assert not first["parameter_has_default"]
    assert len(first["example_input"].split()) > 2
    assert first["example_input"] != second["example_input"]
    assert (model["parameter_default"], dim["parameter_default"]) == (models.quick.id, 0)
    assert len(told["/rank"]["parameters"][1]["example_input"]) > 2


def test_what_gradio_keeps_of_callers_is_little(parts: SimpleNamespace, models: SimpleNamespace) -> None:
    """Every call of the API without a session of its own is a new one, which gradio keeps."""
    import tracemalloc

    from gradio.state_holder import SessionState

    demo = parts.page.page(parts.about.about(SPACE), models.every)
    kept = [SessionState(demo)]
    tracemalloc.start()
    kept += [SessionState(demo) for _ in range(5)]
    one = tracemalloc.get_traced_memory()[0] / 5
    tracemalloc.stop()
    assert parts.app.MOST_SESSIONS * one < 150 * 2**20


def test_a_reader_whom_gradio_forgot_keeps_the_sizes_of_another_model(
    parts: SimpleNamespace, models: SimpleNamespace
) -> None:
    """What a menu offers is of the session: in a new one it is that of the first model."""
    import gradio as gr

    with gr.Blocks():
        _, dim = parts.page.Shared(parts.about.about(SPACE), models.every, None).model_menu("compare")
    assert dim.preprocess(48) == 48
    with pytest.raises(parts.words.SpaceError, match="No dimension 48"):
        asyncio.run(parts.encoding.chosen(models.quick, 48))


def test_a_cosine_is_not_above_one(parts: SimpleNamespace) -> None:
    vectors = np.repeat(np.random.default_rng(0).normal(size=(200, 1, 96)).astype(np.float32), 2, axis=1)
    for same in vectors:
        assert parts.similarity.similarities(same, [96])[96] <= 1
        assert parts.rankings.scores(same[0], same[1:], 96)[0] <= 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (0, None),
        (None, None),
        ("", None),
        (64, 64),
        (64.0, 64),
        (" 64 ", 64),
        ("٦٤", 64),
        (-64, "'-64' is no"),
        ("²", "'²' is no"),
        ("9" * 5000, "'99999999999999999999' is no"),
        ([64], "'.64.' is no"),
    ],
)
def test_a_size_may_come_as_text(parts: SimpleNamespace, asked: Any, found: int | str | None) -> None:
    if isinstance(found, str):
        with pytest.raises(parts.words.SpaceError, match=f"^{found}"):
            parts.api.number(asked)
    else:
        assert parts.api.number(asked) == found


@pytest.mark.parametrize("sentences", ["سيارة", ["a", 1], {"a": 1}, 3])
def test_what_is_no_list_of_texts_is_not_ranked(parts: SimpleNamespace, sentences: Any) -> None:
    with pytest.raises(parts.words.SpaceError, match="^'sentences' is not a list of texts"):
        parts.api.listed_in(sentences)


@pytest.mark.parametrize("text", [3, ["a"], {"path": "/etc/passwd"}, "half a character \ud800"])
def test_what_is_no_text_is_told(parts: SimpleNamespace, text: Any) -> None:
    with pytest.raises(parts.words.SpaceError, match=r"^There is no text in the query\.$"):
        parts.texts.written(text, "the query")


# ---- what it needs ----


@pytest.mark.parametrize(
    ("hardware", "on_cpu"), [(None, True), ("cpu-basic", True), ("zero-a10g", False), ("t4-small", False)]
)
def test_a_space_without_a_gpu_asks_for_small_wheels(hardware: str | None, on_cpu: bool) -> None:
    """Read as pip reads it, and every range but PyTorch's has what is tested here."""
    from zoo.publish.desired.release import Settings, space_release

    settings = Settings(hardware=hardware)
    release = space_release("lab/demo", "demo", SPACE, card="# Demo\n", models=[], settings=settings)
    lines = bytes(release.files["requirements.txt"]).decode().splitlines()
    options = [line for line in lines if line.startswith("-")]
    wanted = {one.name: one for one in (Requirement(line.partition(" #")[0]) for line in lines if line not in options)}
    assert options == (["--extra-index-url https://download.pytorch.org/whl/cpu"] if on_cpu else [])
    assert "2.11.0" in wanted.pop("torch").specifier
    assert {"gradio", "sentence-transformers"} < wanted.keys()
    assert [name for name, one in wanted.items() if version(name) not in one.specifier] == []


# ---- a minute of it ----


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The Space on two cores with a model of BERT-base's shape, and one that takes twenty seconds to load."""
    root = tmp_path_factory.mktemp("loaded")
    large = random_model(root / "large", layers=12, width=768)
    slow = slow_model(random_model(root / "small", layers=2, width=768), root / "slow", 20)
    listed = [entry(large, "Large", [768, 64]), entry(slow, "Slow", [768, 64])]
    with running(space_with(listed, root / "space", FACTS)) as app:
        yield app


@pytest.mark.slow
def test_twenty_callers_for_a_minute_wait_for_nobody(loaded: Running) -> None:
    """Through gradio's own client, which takes most of the time; `make bench-space` does without, and knows seconds.

    Five more ask for the model that loads: before it is there everybody else has had answers, on a busy machine too.
    When it is there memory stays as it is for a minute.
    """
    from gradio_client import Client

    clients = [Client(loaded.url, verbose=False) for _ in range(25)]
    large, slow = (one["model"] for one in clients[0].predict(api_name="/models"))
    for client in clients[:20]:
        client.predict(WORDS[0], WORDS[1], large, api_name="/compare")

    def keep_asking(number: int, until: float) -> list[tuple[float, float]]:
        chance, model, asked = random.Random(number), slow if number >= 20 else large, []
        while time.monotonic() < until:
            began = time.monotonic()
            clients[number].predict(sentence(chance), sentence(chance), model, api_name="/compare")
            asked.append((began, time.monotonic()))
            time.sleep(1)
        return asked

    with ThreadPoolExecutor(25) as callers:
        start = time.monotonic()
        first = list(callers.map(keep_asking, range(25), [start + 30] * 25))
        before = loaded.megabytes
        list(callers.map(keep_asking, range(25), [time.monotonic() + 60] * 25))
    there = min(ended for asked in first[20:] for _, ended in asked)
    assert there - start > 19, "the model did take its time"
    meanwhile = [[ended - began for began, ended in asked if ended < there] for asked in first[:20]]
    assert min(map(len, meanwhile)) >= 2, "nobody waited for it"
    assert loaded.megabytes < 1.1 * before


@pytest.mark.slow
def test_endpoints_are_tools_of_mcp(loaded: Running) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def tools() -> tuple[dict[str, Any], str]:
        way = streamable_http_client(f"{loaded.url}/gradio_api/mcp/")
        async with way as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            listed = {one.name: one for one in (await session.list_tools()).tools}
            name = next(name for name in listed if name.endswith("compare"))
            answer = await session.call_tool(name, {"sentence1": WORDS[0], "sentence2": WORDS[0]})
            return listed, answer.content[0].text

    listed, answer = asyncio.run(tools())
    assert {name.rpartition("_")[2] for name in listed} == {"compare", "rank", "models"}
    compare = next(one for name, one in listed.items() if name.endswith("compare"))
    assert compare.inputSchema["properties"]["sentence2"]["description"] == "The sentence to compare it with."
    assert "'score': 1.0" in answer or "'score': 0.99" in answer
