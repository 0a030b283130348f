"""The similarity Space beside a bare Gradio app with plain `SentenceTransformer.encode`, in the same minutes.

Both offer one model of BERT-base's shape. First paint is Chromium's; answers are asked through the API's queue, each with
texts that nobody asked before, by twenty callers with a second's pause after each answer. The apps are measured in
turns, so that a ratio of the two says something on a busy machine too; so does CPU time. Where a bar is in seconds they
are those of a machine that has nothing else to do: what is measured is divided by how much longer than its CPU time a
fixed piece of work takes then. Then the Space alone, beside a model that takes 20 seconds to load and ten callers of
that: how long the others wait, and whether memory grows in the minute after it. About four minutes.
"""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import offline, open_browser
from tests.space_load import Running, ask_at_once, entry, random_model, running, slow_model, space_with

CALLERS, SECONDS, ROUNDS, LOADING = 20, 8.0, 3, 20  # seconds
BARS = {  # what is measured, and the most that it may be
    "first answer of the page, preloaded, idle s": 3.0,
    "p95 at 20 callers, idle s": 2.0,
    "p95 at 20 callers to the bare app's, x": 1.1,
    "CPU an answer at 20 callers to the bare app's, x": 1.0,
    "p95 beside a model that loads to that without, x": 1.5,
    "memory's growth in a minute, %": 5.0,
}
COMPARED = ("p95 at 20 callers, s", "CPU an answer then, s", "p95 beside a model that loads, and without, s")
FACTS = {"title": "Arabic sentence similarity", "language": ["ar"], "interface": ["en", "ar"]}
BARE = """
import gradio as gr
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("{model}")


def compare(first: str, second: str, name: str, dim: str) -> float:
    one, two = model.encode([first, second])
    return float(model.similarity(one, two))


with gr.Blocks() as demo:
    boxes = [gr.Textbox(), gr.Textbox(), gr.Textbox(visible=False), gr.Textbox(visible=False)]
    answer = gr.Number()
    gr.Button("Compare").click(compare, boxes, answer, api_name="compare")
demo.launch(ssr_mode=False)
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def bare_app(model: Path, folder: Path) -> Path:
    """The folder of the app that anybody would write."""
    folder.mkdir()
    (folder / "app.py").write_text(BARE.format(model=model), "utf-8")
    return folder


def stretch() -> float:
    """How much longer than its CPU time a piece of work takes now; 1 on a machine with nothing else to do."""
    wall, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < 0.3:
        sum(range(10_000))
    return max(1.0, (time.monotonic() - wall) / (time.process_time() - cpu))


def first_paint(browser: Browser, url: str) -> float:
    """Median seconds to the first paint of the page, each time with an empty cache."""
    found = []
    for _ in range(ROUNDS):
        with offline(browser) as context:
            page = context.new_page()
            page.goto(url)
            page.wait_for_function(PAINT)
            found.append(page.evaluate(PAINT) / 1000)
    return statistics.median(found)


def first_answer(browser: Browser, url: str) -> float:
    """Seconds from the address to the answer that the page shows by itself, once the model is in memory."""
    with offline(browser) as context:
        page = context.new_page()
        began = time.monotonic()
        page.goto(url)
        page.locator("#compare-result output").first.wait_for()
        return time.monotonic() - began


def one_caller(app: Running, model: str) -> float:
    """Median seconds of an answer for somebody who is alone."""
    return statistics.median(ask_at_once(app.url, model, callers=1, seconds=3, pause=0.05)[model].seconds)


def twenty(app: Running, model: str) -> tuple[float, float]:
    """(p95 of the answers, CPU seconds of the app an answer) with twenty callers."""
    ask_at_once(app.url, model, callers=CALLERS, seconds=2)
    before = app.cpu
    found = ask_at_once(app.url, model, callers=CALLERS, seconds=SECONDS)[model]
    assert not found.errors, found.errors[:3]
    return found.percentile(95), (app.cpu - before) / len(found.seconds)


def cold(app: Running, model: str) -> float:
    """Seconds from the start of the process to its first answer."""
    ask_at_once(app.url, model, callers=1, seconds=0.1, pause=0)
    return time.monotonic() - app.began


def beside_one_that_loads(app: Running, model: str, slow: str) -> tuple[float, int]:
    """(p95 of the others, their answers) while ten ask for a model that is slow to load."""
    found = ask_at_once(app.url, model, callers=CALLERS, seconds=LOADING + 5, others={slow: 10})
    assert not found[model].errors, found[model].errors[:3]
    return found[model].percentile(95), len(found[model].seconds)


def growth(app: Running, model: str) -> float:
    """Percent by which the app's memory grows in a minute of twenty callers."""
    before = app.megabytes
    ask_at_once(app.url, model, callers=CALLERS, seconds=60)
    return 100 * (app.megabytes / before - 1)


def main(place: Path) -> bool:
    """Print what was measured; True when all is within the bars."""
    large = random_model(place / "large", layers=12, width=768)
    slow = slow_model(random_model(place / "small", layers=2, width=768), place / "slow", LOADING)
    listed = [entry(large, "Large", [768, 64]), entry(slow, "Slow", [768, 64])]
    space, bare = space_with(listed, place / "space", FACTS), bare_app(large, place / "bare")
    rows: dict[str, list[float]] = {}

    def both(what: str, measure: Callable[[Running, str], float]) -> None:
        rows[what] = [measure(app, str(large)) for app in (ours, theirs)]

    with running(space) as ours, running(bare) as theirs, open_browser() as browser:
        both("start to the first answer, s", cold)
        rows["first paint, s"] = [first_paint(browser, app.url) for app in (ours, theirs)]
        slower = [stretch()]
        rows["first answer of the page, s"] = [first_answer(browser, ours.url)]
        slower.append(stretch())
        rows["first answer of the page, idle s"] = [rows["first answer of the page, s"][0] / statistics.mean(slower)]
        both("an answer, alone, s", one_caller)
        crowd, slower = [], [stretch()]
        for _ in range(ROUNDS):
            crowd.append([twenty(app, str(large)) for app in (ours, theirs)])
            slower.append(stretch())
        rows["p95 at 20 callers, s"] = medians([[p95 for p95, _ in one] for one in crowd])
        rows["p95 at 20 callers, idle s"] = [one / statistics.mean(slower) for one in rows["p95 at 20 callers, s"]]
        rows["CPU an answer then, s"] = medians([[cpu for _, cpu in one] for one in crowd])
        both("memory afterwards, MB", lambda app, _: app.megabytes)
    with running(space) as ours:
        cold(ours, str(large))
        alone, _ = twenty(ours, str(large))
        waited, answers = beside_one_that_loads(ours, str(large), str(slow))
        rows["p95 beside a model that loads, and without, s"] = [waited, alone]
        rows["answers meanwhile"] = [answers]
        rows["memory's growth in a minute, %"] = [growth(ours, str(large))]
    return show(rows)


def medians(rounds: list[list[float]]) -> list[float]:
    """The median of the rounds, for either app."""
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def show(rows: dict[str, list[float]]) -> bool:
    """Print what was measured, and beside each bar what counts for it; True when all is within the bars."""
    print(f"{'':<48}{'the Space':>12}{'bare':>12}{'ratio':>9}")
    for what, numbers in rows.items():
        ratio = f"{numbers[0] / numbers[1]:>8.2f}x" if len(numbers) > 1 else ""
        print(f"{what:<48}" + "".join(f"{number:>12.2f}" for number in numbers) + ratio)
    found = [
        rows["first answer of the page, idle s"][0],
        rows["p95 at 20 callers, idle s"][0],
        *(one / other for one, other in (rows[what] for what in COMPARED)),
        rows["memory's growth in a minute, %"][0],
    ]
    for (what, bar), number in zip(BARS.items(), found, strict=True):
        print(f"{what}: {number:.2f} (bar: at most {bar:g})")
    return all(number <= bar for bar, number in zip(BARS.values(), found, strict=True))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through `running`, which ends its apps
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        sys.exit(0 if main(Path(folder)) else 1)
