"""The similarity Space beside a bare Gradio app with plain `SentenceTransformer.encode`, in the same minutes.

Both offer one model of BERT-base's shape. First paint is Chromium's; answers are asked through the API's queue, each with
texts that nobody asked before. Twenty callers, with a second's pause after each answer, share the cores with the app: a
ratio of the two apps says more than a second. Then the Space alone, for a minute, beside a model that takes 20 seconds to
load and ten callers of that: how long the others wait, and whether memory grows.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import offline, open_browser
from tests.space_load import Running, ask_at_once, entry, random_model, running, slow_model, space_with

CALLERS, SECONDS, MINUTE, ROUNDS = 20, 15.0, 60.0, 3
BARS = {  # what is measured, and the most that it may be
    "first answer of the page, preloaded": 3.0,  # s
    "p95 at 20 callers": 2.0,  # s
    "p95 at 20 callers to the bare app's": 1.0,  # x
    "p95 at 20 callers beside a model that loads": 2.0,  # s
    "memory's growth in a minute": 5.0,  # %
}
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
        page.locator("output").first.wait_for()
        return time.monotonic() - began


def one_caller(app: Running, model: str) -> float:
    """Median seconds of an answer for somebody who is alone."""
    return statistics.median(ask_at_once(app.url, model, callers=1, seconds=5, pause=0.05)[model].seconds)


def p95(app: Running, model: str) -> float:
    found = ask_at_once(app.url, model, callers=CALLERS, seconds=SECONDS)[model]
    assert not found.errors, found.errors[:3]
    return found.percentile(95)


def cold(app: Running, model: str) -> float:
    """Seconds from the start of the process to its first answer."""
    ask_at_once(app.url, model, callers=1, seconds=0.1, pause=0)
    return time.monotonic() - app.began


def beside_one_that_loads(app: Running, model: str, slow: str) -> tuple[float, int, float]:
    """(p95 of the others, their answers, growth of memory in %) in a minute in which ten ask for a slow model."""
    ask_at_once(app.url, model, callers=CALLERS, seconds=5)
    before = app.megabytes
    found = ask_at_once(app.url, model, callers=CALLERS, seconds=MINUTE, others={slow: 10})
    assert not found[model].errors, found[model].errors[:3]
    return found[model].percentile(95), len(found[model].seconds), 100 * (app.megabytes / before - 1)


def main(place: Path) -> bool:
    """Print what was measured; True when all is within the bars."""
    large = random_model(place / "large", layers=12, width=768)
    slow = slow_model(random_model(place / "small", layers=2, width=768), place / "slow", 20)
    listed = [entry(large, "Large", [768, 64]), entry(slow, "Slow", [768, 64])]
    space, bare = space_with(listed, place / "space", FACTS), bare_app(large, place / "bare")
    rows: dict[str, list[float]] = {}

    def both(what: str, measure: Callable[[Running, str], float]) -> None:
        rows[what] = [measure(app, str(large)) for app in (ours, theirs)]

    with running(space) as ours, running(bare) as theirs, open_browser() as browser:
        both("start to the first answer, s", cold)
        rows["first paint, s"] = [first_paint(browser, app.url) for app in (ours, theirs)]
        rows["first answer of the page, s"] = [first_answer(browser, ours.url)]
        both("an answer, alone, s", one_caller)
        both("p95 at 20 callers, s", p95)
        both("memory afterwards, MB", lambda app, _: app.megabytes)
    with running(space) as ours:
        waited, answers, growth = beside_one_that_loads(ours, str(large), str(slow))
        rows["p95 beside a model that loads, s"] = [waited]
        rows["answers in that minute"] = [answers]
        rows["memory's growth in it, %"] = [growth]
    return show(rows)


def show(rows: dict[str, list[float]]) -> bool:
    print(f"{'':<36}{'the Space':>12}{'bare':>12}{'ratio':>9}")
    for what, numbers in rows.items():
        ratio = f"{numbers[0] / numbers[1]:>8.2f}x" if len(numbers) > 1 else ""
        print(f"{what:<36}" + "".join(f"{number:>12.2f}" for number in numbers) + ratio)
    found = [
        rows["first answer of the page, s"][0],
        rows["p95 at 20 callers, s"][0],
        rows["p95 at 20 callers, s"][0] / rows["p95 at 20 callers, s"][1],
        rows["p95 beside a model that loads, s"][0],
        rows["memory's growth in it, %"][0],
    ]
    for (what, bar), number in zip(BARS.items(), found, strict=True):
        print(f"{what}: {number:.2f} (bar: at most {bar:g})")
    return all(number <= bar for bar, number in zip(BARS.values(), found, strict=True))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        sys.exit(0 if main(Path(folder)) else 1)
