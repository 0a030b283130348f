"""Translation: the engine against `generate` of transformers at its fastest, with the tiny model of the miniature.

The same sentences, beam and lengths, in batches of sentences of like length; `early_stopping=True`, without which
`generate` searches on and takes longer. CPU seconds of one thread, the best of several rounds in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.data import Line

SENTENCES, ROUNDS, BEAM, LONGEST = 500, 3, 4, 128
BATCH, TOKENS = 32, 2048  # `generate` is slower at 8 and at 64; ours takes what the step takes by default


def lines() -> Iterator[Line]:
    """Speed and likeness of both compute types."""
    from sacrebleu import corpus_chrf

    from zoo.miniature.translator import parallel_sentences, translator

    pairs = parallel_sentences("test", SENTENCES, seed=3)
    english, arabic = (list(texts) for texts in zip(*pairs, strict=True))
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").mkdir()
        for file, content in translator("Helsinki-NLP/opus-mt-en-ar").files.items():
            (folder / "model" / file).write_bytes(content)
        ways = {"generate": peer(folder / "model"), **{kind: ours(folder, kind) for kind in ("float32", "int8")}}
        texts, seconds = measured(ways, english)
    alike = {kind: sum(map(str.__eq__, texts[kind], texts["generate"])) / SENTENCES for kind in texts}
    chrf = {kind: corpus_chrf(texts[kind], [arabic]).score for kind in texts}
    told = f"{seconds['generate']:.2f} s of generate; chrF {chrf['generate']:.1f}"
    for kind, bar in (("float32", 3.0), ("int8", 4.0)):
        faster = seconds["generate"] / seconds[kind]
        yield Line(f"translation in {kind}", faster, bar, "at least", how=f"{seconds[kind]:.2f} s for {told}")
    yield Line("float32: the same text as generate", 100 * alike["float32"], 99.0, "at least", "%")
    away = abs(chrf["int8"] - chrf["float32"])
    yield Line(
        "int8: chrF away from float32", away, 0.5, "at most", "", how=f"{100 * alike['int8']:.1f} % the same text"
    )


Way = Callable[[list[str]], list[str]]


def measured(ways: dict[str, Way], sentences: list[str]) -> tuple[dict[str, list[str]], dict[str, float]]:
    """The texts of every way, and its least CPU seconds, each in turn after a round that is not counted."""
    import torch

    torch.set_num_threads(1)
    texts: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for number in range(ROUNDS + 1):
        for kind, way in ways.items():
            began = time.process_time()
            texts[kind] = way(sentences)
            if number:
                seconds[kind] = min(seconds.get(kind, 1e9), time.process_time() - began)
    return texts, seconds


def in_order(sentences: list[str], lengths: list[int], translated: Callable[[list[str]], list[str]]) -> list[str]:
    """Translations in the order of their sentences, which go the longest first."""
    order = sorted(range(len(sentences)), key=lambda place: -lengths[place])
    found = dict(zip(order, translated([sentences[place] for place in order]), strict=True))
    return [found[place] for place in range(len(sentences))]


def peer(folder: Path) -> Way:
    """`generate` with sorted batches."""
    import torch
    from transformers import MarianMTModel, MarianTokenizer

    model, words = MarianMTModel.from_pretrained(folder).eval(), MarianTokenizer.from_pretrained(folder)

    def batch(texts: list[str]) -> list[str]:
        asked = words([f">>ara<< {text}" for text in texts], return_tensors="pt", padding=True)
        with torch.inference_mode():
            made = model.generate(**asked, num_beams=BEAM, early_stopping=True, max_length=LONGEST)
        found: list[str] = words.batch_decode(made, skip_special_tokens=True)
        return [text.strip() for text in found]

    def every(texts: list[str]) -> list[str]:
        return [text for start in range(0, len(texts), BATCH) for text in batch(texts[start : start + BATCH])]

    return lambda sentences: in_order(sentences, [len(words.tokenize(one)) for one in sentences], every)


def ours(folder: Path, compute_type: str) -> Way:
    """The engine as the step uses it, with its model on this disk."""
    from zoo.translation.backlog import packed
    from zoo.translation.conversion import convert
    from zoo.translation.engine import Decoding, Engine
    from zoo.translation.families import codec_of

    class Here(Engine):
        codec = codec_of("here", folder / "model", "en", "ar")

    convert("here", folder / "model", compute_type, folder / compute_type)
    engine = Here(Decoding("here", "here", "en", "ar", compute_type, "cpu", BEAM, LONGEST), folder)
    vars(engine)["translator"] = loaded(folder / compute_type, compute_type)

    def every(sentences: list[str]) -> list[str]:
        sized = zip(engine.lengths(sentences), sentences, strict=True)
        begun = [engine.begin(batch) for batch in packed(sized, TOKENS)]
        return [answer.text or "" for wait in begun for answer in wait()]

    return lambda sentences: in_order(sentences, engine.lengths(sentences), every)


def loaded(folder: Path, compute_type: str) -> Any:
    from ctranslate2 import Translator

    return Translator(str(folder), compute_type=compute_type, inter_threads=1, intra_threads=1)
