"""`python -m tests.bench.apart [WIDTH]`: CPU seconds of encoding by a process apart, beside those of encoding here."""

from __future__ import annotations

import hashlib
import os
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import torch

from zoo.isolation import CONSENTED
from zoo.miniature.withcode import files_with_code
from zoo.models.identity import ModelSource
from zoo.models.load import load_model

MOST = 1.3  # times the CPU seconds of encoding here
ROUNDS = 3
WORDS = ["قلم", "دفتر", "نافذة", "بحر", "جبل", "طريق", "حديقة", "سوق", "نهر", "قمر", "قَلَم", "بَحر", "شَجَرَة"]


def stand_in(folder: Path, width: int) -> ModelSource:
    """Write a stand-in of NeoAraBERT, with consent to its code."""
    torch.manual_seed(7)
    files = files_with_code("neoarabert", "wordpiece", width=width, heads=max(2, width // 64), language="ar", seed=0)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    code = {name: hashlib.sha256(text).hexdigest() for name, text in files.items() if name.endswith((".py", ".json"))}
    consent = {"revision": "a" * 40, "files": code, "license": "mit"}
    facts = {"kind": "base", "place": str(folder), "weights": "a" * 40, "pooling": "mean", "encoder": "custom"}
    return ModelSource.model_validate({**facts, "revision": "a" * 40, "remote_code": consent})


def measure(folder: Path, width: int) -> float:
    source = stand_in(folder, width)
    torch.set_num_threads(1)
    chosen = random.Random(1)
    texts = [" ".join(chosen.choices(WORDS, k=chosen.randint(3, 14))) for _ in range(2000)]
    apart = load_model(source, "cpu")
    os.environ[CONSENTED] = str(folder)
    here = load_model(source, "cpu")
    ours, theirs = psutil.Process(), psutil.Process(apart[0].process.identifier)

    def seconds(model: object, *processes: psutil.Process) -> tuple[float, np.ndarray]:
        before = sum(sum(one.cpu_times()[:2]) for one in processes)
        found = model.encode(texts, batch_size=32, show_progress_bar=False)
        return sum(sum(one.cpu_times()[:2]) for one in processes) - before, found

    rounds = [(seconds(here, ours), seconds(apart, ours, theirs)) for _ in range(ROUNDS + 1)][1:]
    assert all(np.array_equal(one[1], other[1]) for one, other in rounds), "other bits"
    least = [min(found[place][0] for found in rounds) for place in (0, 1)]
    print(f"width {width}: {least[0]:.2f} CPU s here, {least[1]:.2f} apart: {least[1] / least[0]:.2f}x, the same bits")
    return least[1] / least[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        widths = [int(one) for one in sys.argv[1:]] or [96, 768]
        place = [Path(temporary, str(width)) for width in widths]
        ratios = [one.mkdir() or measure(one, width) for one, width in zip(place, widths, strict=True)]
    sys.exit(max(ratios) > MOST)
