"""`make docs`: the README's table of recipes from the results in runs/mini, and pictures of a card, a plan, the
leaderboard, the Space and the curves of trainings.

Needs what `make demo` built; recipes that are not built at scale mini keep '-' in their column.
"""

from __future__ import annotations

import io
import os
import pty
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from folder_lab import put_model
from review_page import draw_review

from zoo.evaluate.ingredients import STAGE
from zoo.evidence import published
from zoo.evidence.scores import current, read_scores
from zoo.recipe import Recipe, Workspace
from zoo.run import Run

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / ".github" / "images"
OTHER_RATE = ("learning_rate: 2.0e-5", "learning_rate: 2.0e-4")
WHO = ("a man", "a woman", "the cook", "a nurse", "the child", "a farmer", "my neighbour", "two boys")
DOES = ("rides a bicycle", "cooks soup", "runs", "sings a song", "reads a map", "drives a truck", "is cycling")
WHERE = ("in the city", "by the river", "near the school", "at the market", "behind the house")
SPACE_VIEWS = (  # name, tab, language, colours, width, height
    ("space-compare", "compare", "en", "light", 1280, 860),
    ("space-search", "search", "ar", "dark", 1280, 860),
    ("space-phone", "compare", "ar", "light", 360, 780),
    ("space-phone-dark", "cutting", "en", "dark", 360, 780),
)
SPACE_START = 300  # seconds; the app loads torch and a model
BEGIN, END = "<!-- recipes: made by `make docs`, checked by tests/test_docs.py -->\n", "<!-- /recipes -->\n"


def printed_mean(workspace: Workspace, recipe: Recipe) -> str:
    """The headline mean of the scores that the paper printed for a repository of this name at full width."""
    rows = published.of_repository(workspace.recipes, recipe.release.repo)
    tasks = current(recipe.evaluation.tasks)
    found = (published.printed_mean(row, tasks) for row in rows if row["dim"] == str(recipe.dims[0]))
    return next((f"{mean:.2f}" for mean in found), "-")


def measured_means(workspace: Workspace, recipe: Recipe) -> tuple[str, str]:
    """Ours on the miniature: the headline means of the base model and of the trained one."""
    run = Run.of(workspace.root, recipe.name, "mini")
    if run.receipt(STAGE) is None:
        return "-", "-"
    scores = read_scores(run.stage(STAGE))
    found = [scores.subject("base"), scores.subject("self")]
    base, mine = (f"{scores.headline(subject.name, subject.full).value:.1f}" for subject in found if subject)
    return base, mine


def table(workspace: Workspace) -> str:
    lines = [
        "| recipe | starts from | sizes | printed | miniature: base | miniature: trained |",
        "|---|---|---|---:|---:|---:|",
    ]
    for recipe in workspace.every_recipe(scale="mini"):
        start = recipe.parent.name if recipe.parent else recipe.base.model
        dims = ", ".join(map(str, recipe.dims))
        base, mine = measured_means(workspace, recipe)
        lines.append(f"| {recipe.name} | {start} | {dims} | {printed_mean(workspace, recipe)} | {base} | {mine} |")
    return "\n".join(lines) + "\n"


def write_table(workspace: Workspace) -> None:
    path = ROOT / "README.md"
    text = path.read_text("utf-8")
    head, rest = text.split(BEGIN)
    path.write_text(head + BEGIN + table(workspace) + END + rest.split(END)[1], "utf-8")


def draw_card() -> None:
    """The published card as the local Hub shows it, in a browser."""
    from browser import open_browser

    from zoo.hub.local import local_hub

    with local_hub(ROOT / ".zoo" / "hub") as hub, open_browser() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 1250})
        page.goto(f"{hub.url}/{hub.user}/GATE-AraBert-v1")
        page.locator("article h1, main h1").last.scroll_into_view_if_needed()
        page.evaluate("document.querySelectorAll('h1')[document.querySelectorAll('h1').length - 1].scrollIntoView()")
        page.screenshot(path=PICTURES / "card.png")


def draw_plan() -> None:
    """What `zoo plan` says on a terminal when one learning rate has changed and its model is built again, in a lab of
    one's own that `zoo init` made from a small English BERT in a folder and a CSV.
    """
    from browser import open_browser

    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        lab, at = _small_lab(Path(folder)), ["--scale", "mini", "--hub", "local"]
        family = lab / "recipes" / "family.yaml"
        _zoo(lab, "build", "my-model-pairs", *at)
        _zoo(lab, "publish", "--yes", *at)
        family.write_text(family.read_text("utf-8").replace(*OTHER_RATE), "utf-8")
        _zoo(lab, "build", "my-model-pairs", *at)
        said = on_a_terminal([sys.executable, "-m", "zoo.cli", "plan", *at], lab)
        drawn = as_svg(f"$ zoo plan {' '.join(at)}\n{said}")
        page = browser.new_page(viewport={"width": 1000, "height": 640})
        page.set_content(f'<body style="margin:0">{drawn}')
        page.screenshot(path=PICTURES / "plan.png")


def _small_lab(place: Path) -> Path:
    put_model(place / "small-bert")
    rows = [f"{who} {does} {where}" for who in WHO for does in DOES for where in WHERE]
    lines = [f"{row} today,today {row}" for row in rows]
    (place / "pairs.csv").write_text("\n".join(["anchor,positive", *lines]), "utf-8")
    given = ["--base", "small-bert", "--data", "pairs.csv", "--language", "en", "--name", "my-model"]
    _zoo(place, "init", "my-lab", *given)
    return place / "my-lab"


def _zoo(place: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "zoo.cli", *arguments], cwd=place, check=True)


def on_a_terminal(command: list[str], place: Path) -> str:
    """The output with its colours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=place, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    while chunk := _read(ours):
        said += chunk
    os.close(ours)
    assert process.wait() == 2, said.decode()
    return said.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


def as_svg(text: str) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=110, file=io.StringIO())
    console.print(Text.from_ansi(text))
    return console.export_svg(title="zoo plan")


def draw_leaderboard() -> None:
    from browser import open_browser

    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        command = [sys.executable, "-m", "zoo.cli", "leaderboard", "--scale", "mini", "--format", "html"]
        subprocess.run([*command, "--out", folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto(f"file://{folder}/leaderboard.html")
        page.screenshot(path=PICTURES / "leaderboard.png")


def draw_space(url: str) -> None:
    """The Space that answers at an address: in both languages and colours, on a desk and a phone."""
    from browser import offline, open_browser

    with open_browser() as browser:
        for name, tab, language, scheme, width, height in SPACE_VIEWS:
            size = {"width": width, "height": height}
            with offline(browser, viewport=size, color_scheme=scheme, locale=language) as context:
                page = context.new_page()
                page.goto(f"{url}?tab={tab}")
                page.locator(f"#{tab}-result .result").wait_for(timeout=SPACE_START * 1000)
                if width < 640:
                    page.locator(f"#{tab}-result").evaluate("answer => answer.scrollIntoView()")
                page.wait_for_timeout(500)  # gradio's tabs fade in
                page.screenshot(path=PICTURES / f"{name}.png")


@contextmanager
def served_space() -> Iterator[str]:
    """The address at which `zoo space serve` answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["space", "serve", "--scale", "mini", "--hub", "local", "--port", str(port)]
    served = subprocess.Popen([sys.executable, "-m", "zoo.cli", *command], cwd=ROOT)
    url, deadline = f"http://127.0.0.1:{port}/", time.monotonic() + SPACE_START
    try:
        while served.poll() is None and time.monotonic() < deadline and not _answers(url):
            time.sleep(0.5)
        yield url
    finally:
        served.terminate()
        served.wait(30)


def _answers(url: str) -> bool:
    with suppress(OSError), urlopen(url):
        return True
    return False


def draw_curve() -> None:
    """Loss and dev scores of models that the demo and the table are made of."""
    names = ("arabert-matryoshka", "marbert-matryoshka", "e5-matryoshka", "mpnet-matryoshka")
    there = [name for name in names if Run.of(ROOT, name, "mini").finished("train")]
    command = [sys.executable, "-m", "zoo.cli", "curve", *there, "--scale", "mini"]
    subprocess.run([*command, "--out", PICTURES / "curve.png"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def draw_audit() -> None:
    """The page of the family's audit, where the family is built at scale mini."""
    from browser import open_browser

    page_file = Run.of(ROOT, "arabic-nli-pair-class-nmt", "mini").stage("data") / "audit.html"
    if page_file.exists():
        with open_browser() as browser:
            page = browser.new_page(viewport={"width": 1000, "height": 1000})
            page.goto(page_file.as_uri())
            page.screenshot(path=PICTURES / "audit.png")


if __name__ == "__main__":
    write_table(Workspace(ROOT))
    PICTURES.mkdir(parents=True, exist_ok=True)
    draw_card()
    draw_plan()
    draw_leaderboard()
    with served_space() as address:
        draw_space(address)
    draw_curve()
    draw_audit()
    draw_review(PICTURES / "review.png")
