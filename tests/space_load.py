"""A Space started as on the Hub, its models (one takes its time to load), and callers of its API: many at once, each with texts that nobody asked before."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx
import psutil

from zoo.models.foreign.carried import content_digest

WORDS = [
    "رجل",
    "يقود",
    "سيارة",
    "على",
    "الطريق",
    "القطة",
    "تنام",
    "في",
    "البيت",
    "الأولاد",
    "يلعبون",
    "كرة",
    "القدم",
    "امرأة",
    "تقرأ",
    "كتابا",
    "الطقس",
    "جميل",
    "اليوم",
]

SLOW = '''"""A module that passes on what it gets. Loading it takes {seconds} seconds."""

import time

from torch import nn


class Slow(nn.Module):
    def forward(self, features, **kwargs):
        return features

    @classmethod
    def load(cls, *args, **kwargs):
        time.sleep({seconds})
        return cls()

    def save(self, *args, **kwargs):
        pass
'''
SPACE = Path(__file__).parents[1] / "spaces" / "similarity"
START_SECONDS = 120


# ---- models ----


def random_model(folder: Path, *, layers: int, width: int, seed: int = 0) -> Path:
    """A SentenceTransformer of BERT's shape with random weights, whose words are WORDS; the folder it is in."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    trained = BertWordPieceTokenizer(strip_accents=False, lowercase=False)
    trained.train_from_iterator(WORDS * 4, vocab_size=400, min_frequency=1, show_progress=False)
    (folder / "bert").mkdir(parents=True)
    trained.save_model(str(folder / "bert"))
    tokenizer = BertTokenizerFast(str(folder / "bert" / "vocab.txt"), do_lower_case=False, model_max_length=128)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    modules = [Transformer(str(folder / "bert")), Pooling(width, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "model"))
    shutil.rmtree(folder / "bert")
    return folder / "model"


def slow_model(like: Path, folder: Path, seconds: float) -> Path:
    """A copy of a model with a module of its own code, whose loading takes so many seconds; its folder."""
    shutil.copytree(like, folder)
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    modules.append({"idx": len(modules), "name": "slow", "path": "2_Slow", "type": "slow.Slow"})
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    (folder / "slow.py").write_text(SLOW.format(seconds=seconds), "utf-8")
    (folder / "2_Slow").mkdir()
    return folder


def entry(model: Path, title: str, dims: list[int]) -> dict[str, Any]:
    """The model's entry in models.json; where it has code of its own, with what the app compares it with."""
    found: dict[str, Any] = {"id": str(model), "title": title, "dims": dims}
    if (model / "slow.py").exists():
        found["code"] = content_digest(model)
    return found


# ---- the app ----


@dataclass(frozen=True)
class Running:
    """An app that answers at `url`, and its process."""

    url: str
    process: psutil.Process
    began: float

    @property
    def megabytes(self) -> float:
        """Resident memory of the process and what it started."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / 2**20

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the process has used, its threads together."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def space_with(models: Sequence[dict[str, Any]], folder: Path, facts: dict[str, Any]) -> Path:
    """A copy of the Space with these entries in its models.json, away from the checkout."""
    shutil.copytree(SPACE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "models.json").write_text(json.dumps(models, ensure_ascii=False), "utf-8")
    (folder / "space.json").write_text(json.dumps(facts, ensure_ascii=False), "utf-8")
    return folder


@contextmanager
def running(folder: Path, app: str = "app.py", **variables: str) -> Iterator[Running]:
    """Start an app on a free port, without a Hub, and end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, began = f"http://127.0.0.1:{port}", time.monotonic()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OMP_"))}
    ours = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1", **variables}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, app], cwd=folder, env={**kept, **ours}, stdout=log, stderr=log)
    try:
        wait_for(url, process, folder / "log")
        yield Running(url, psutil.Process(process.pid), began)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the app answers.

    Raises:
        RuntimeError: it ended, or takes too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urlopen(url):
            return
        time.sleep(0.05)
    raise RuntimeError("the app does not start:\n" + log.read_text("utf-8", "replace"))


# ---- callers ----


@dataclass
class Answers:
    """Seconds that each answer took, what went wrong, and how often was asked."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: int = 0

    def percentile(self, share: float) -> float:
        """The time within which so many of 100 answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share / 100 * len(ordered)))]


def sentence(chance: random.Random) -> str:
    """Four to ten of the words that the models know, in an order of its own."""
    return " ".join(chance.choices(WORDS, k=chance.randint(4, 10)))


async def ask(client: httpx.AsyncClient, model: str, chance: random.Random) -> None:
    """Compare two new sentences through the queue, as curl does: each time in a session of its own.

    Raises:
        RuntimeError: the answer is an error.
    """
    data = [sentence(chance), sentence(chance), model, None]
    begun = await client.post("/gradio_api/call/compare", json={"data": data})
    begun.raise_for_status()
    async with client.stream("GET", f"/gradio_api/call/compare/{begun.json()['event_id']}") as stream:
        events = [line async for line in stream.aiter_lines()]
    if "event: complete" not in events:
        raise RuntimeError(" ".join(events))


async def caller(url: str, model: str, until: float, pause: float, number: int, answers: Answers) -> None:
    """Ask until it is time, with a pause after each answer; the first of the callers at least once."""
    chance = random.Random(number)
    await asyncio.sleep(chance.random() * pause)
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        while not answers.asked or time.monotonic() < until:
            answers.asked += 1
            began = time.monotonic()
            try:
                await ask(client, model, chance)
                answers.seconds.append(time.monotonic() - began)
            except (httpx.HTTPError, RuntimeError) as why:
                answers.errors.append(repr(why))
            await asyncio.sleep(pause)


def ask_at_once(
    url: str, model: str, *, callers: int, seconds: float, pause: float = 1.0, others: dict[str, int] | None = None
) -> dict[str, Answers]:
    """{model: answers} of so many callers of one model at once, and of `others` {model: callers} beside them."""
    wanted = {model: callers, **(others or {})}
    found = {one: Answers() for one in wanted}

    async def everybody() -> None:
        until = time.monotonic() + seconds
        asking = [
            caller(url, one, until, pause, 1000 * place + number, found[one])
            for place, (one, count) in enumerate(wanted.items())
            for number in range(count)
        ]
        await asyncio.gather(*asking)

    with ThreadPoolExecutor(1) as apart:  # Playwright has a loop of its own in this thread
        apart.submit(asyncio.run, everybody()).result()
    return found
