"""The page on which a reviewer judges rows, with keys: Gradio, for this machine alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from zoo.characters import clean
from zoo.errors import WorkspaceError, ZooError, of_the_disk
from zoo.review.desk import Desk, DeskRow
from zoo.review.sheet import KEY, PATTERN, SPLIT, STRATUM
from zoo.review.strata import SEPARATOR
from zoo.review.verdicts import VERDICTS, RowVerdict

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr

HERE = Path(__file__).parent
SAYS: Mapping[str, str] = {"accept": "مقبول", "reject": "مرفوض", "unsure": "غير متأكد"}
LABELS = {
    "accept": "مقبول / Accept (A)",
    "reject": "مرفوض / Reject (R)",
    "unsure": "غير متأكد / Unsure (U)",
    "back": "السابق / Back (B)",
    "next": "التالي / Skip (S)",
}
# Keys go by their places on the keyboard: an Arabic layout writes ش where A is.
SCRIPT = """
<script>
document.documentElement.lang = "ar";
const PLACES = {KeyA: "accept", KeyR: "reject", KeyU: "unsure", KeyB: "back", ArrowRight: "back",
                KeyS: "next", ArrowLeft: "next", Digit1: "accept", Digit2: "reject", Digit3: "unsure"};
// A key that comes before the answer to the last one was not meant for the row that is still shown.
let answered = null, until = 0;
const shown = () => document.querySelector("#row .review")?.innerHTML;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const writing = ["TEXTAREA", "INPUT"].includes(document.activeElement?.tagName);
  if (writing) { if (event.key === "Escape") document.activeElement.blur(); return; }
  const box = event.code === "KeyN" && document.querySelector("#note textarea");
  const button = document.getElementById(PLACES[event.code]);
  if (!box && !button) return;
  event.preventDefault();
  if (shown() === answered && performance.now() < until) return;
  if (box) { box.focus(); return; }
  [answered, until] = [shown(), performance.now() + 1500];
  button.click();
});
</script>
"""


def block(body: str) -> str:
    """A piece of the page, written from right to left; the body is HTML already."""
    return f'<div class="review" dir="rtl">{body}</div>'


def heading(desk: Desk, row: DeskRow | None) -> str:
    """The reviewer's name and how far the work is, in HTML."""
    done, of = (row.judged, row.rows) if row else (len(desk.keys()), len(desk.keys()))
    width = 100 * done / of if of else 100
    who = f"<bdi>{escape(desk.reviewer)}</bdi>"
    return block(
        f'<h1>مراجعة العينة <small dir="ltr">Review</small></h1>'
        f'<div role="status">{who} · <span id="progress" dir="ltr">{done} / {of}</span></div>'
        f'<span class="track"><span class="fill" style="width:{width:.1f}%"></span></span>'
    )


def card(row: DeskRow | None, left: int = 0) -> str:
    """A row to judge, in HTML; what is said when there is none."""
    if row is None:
        if left:
            return block(f'<p>آخر الورقة. بقي {left} بلا حكم.</p><p dir="ltr">The end; {left} have no verdict yet.</p>')
        return block('<p id="done">اكتملت المراجعة. شكرًا.</p><p dir="ltr">All rows are judged. Thank you.</p>')
    label, *_ = row.cells.get(STRATUM, "").split(SEPARATOR)
    labelled = next((name for name, cell in reversed(row.cells.items()) if cell == label), None)  # labels stand last
    hidden = (KEY, SPLIT, STRATUM, PATTERN, "audit", labelled)
    shown = [(name, cell) for name, cell in row.cells.items() if name not in hidden and cell]
    terms = "".join(
        f'<dt><bdi>{escape(clean(name))}</bdi></dt><dd dir="auto"{_kind(name)}>{escape(clean(cell))}</dd>'
        for name, cell in shown
    )
    facts = [f"audit {row.cells['audit']}"] if row.cells.get("audit") else []
    where = " · ".join(f"<bdi>{escape(clean(fact))}</bdi>" for fact in [row.cells.get(SPLIT, ""), *facts] if fact)
    chip = f'<span class="label">{escape(clean(label))}</span> ' if labelled and label else ""
    return block(f"<dl>{terms}</dl><p>{chip}<small>{where}</small></p>{said(row)}")


def _kind(name: str) -> str:
    return ' class="before"' if name.startswith("source.") else ""


def said(row: DeskRow) -> str:
    """The verdicts on a row that its reviewer may see, in HTML."""
    mine = [f'<span class="{row.verdict} mine">{SAYS[row.verdict]}</span>'] if row.verdict else []
    others = [
        f'<span class="{verdict if verdict in VERDICTS else ""} other"><bdi>{escape(name)}</bdi>: '
        f"{escape(SAYS.get(verdict, verdict) or '-')}{f' · {escape(clean(note))}' if note else ''}</span>"
        for name, (verdict, note) in row.others.items()
    ]
    return f'<div class="said">{"".join([*mine, *others])}</div>'


@contextmanager
def told_on_the_page() -> Iterator[None]:
    """Show on the page what goes wrong with the sheet; the page stays at the row where it is."""
    try:
        yield
    except (ZooError, OSError) as problem:
        error = of_the_disk(problem) if isinstance(problem, OSError) else problem
        if error is None:
            raise
        raise gr.Error(escape(f"{error.message}. {error.hint or ''}"), print_exception=False) from problem


@dataclass(frozen=True)
class Acts:
    """The answers to what a reviewer does on the page; each is what the page shows then."""

    desk: Desk

    @told_on_the_page()
    def show(self, at: int) -> list[Any]:
        """The row at a place, or what is said past the last one."""
        row = self.desk.row(at)
        if row:
            return [heading(self.desk, row), card(row), row.note, row.pattern, row.pattern, at, row.cells[KEY]]
        first = self.desk.row(0)
        left = first.rows - first.judged if first else 0
        return [heading(self.desk, first), card(None, left), "", "", "", first.rows if first else 0, ""]

    @told_on_the_page()
    def first(self) -> list[Any]:
        """The first row that has no verdict yet."""
        return self.show(self.desk.unjudged())

    @told_on_the_page()
    def judge(self, verdict: RowVerdict, at: int, key: str, note: str, pattern: str, before: str) -> list[Any]:
        """Write a verdict down and show the next row without one."""
        if not key:  # nothing is shown that could be judged
            return self.show(at)
        self.desk.write(key, self.desk.remarks(note, pattern, before, verdict))
        return self.show(self.desk.unjudged(at))

    @told_on_the_page()
    def keep(self, key: str, note: str, pattern: str, before: str) -> str:
        """Write down a note and a pattern that the reviewer has just left; the pattern comes out."""
        if key:
            self.desk.write(key, self.desk.remarks(note, pattern, before))
        return pattern


def page(desk: Desk) -> gr.Blocks:
    """The whole page of a reviewer."""
    acts = Acts(desk)
    with gr.Blocks(title="مراجعة العينة · Review", analytics_enabled=False) as demo:
        place, key, before = gr.State(0), gr.State(""), gr.State("")
        head, body = gr.HTML(apply_default_css=False), gr.HTML(elem_id="row", apply_default_css=False)
        answers = buttons({"accept": "primary", "reject": "stop", "unsure": "secondary"}, size="lg")
        moves = buttons({"back": "secondary", "next": "secondary"}, size="sm")
        note = gr.Textbox(label="ملاحظة / Note (N, Esc)", elem_id="note", max_lines=4, rtl=True)
        wrong = "نص خاطئ أينما ورد / Text that is wrong wherever it stands"
        pattern = gr.Textbox(label=wrong, elem_id="pattern", max_lines=2, rtl=True)
        shown = [head, body, note, pattern, before, place, key]
        written = [key, note, pattern, before]
        for verdict in VERDICTS:
            given = partial(acts.judge, verdict)
            answers[verdict].click(given, [place, *written], shown, api_visibility="private")
        moves["back"].click(lambda at: acts.show(max(0, at - 1)), place, shown, api_visibility="private")
        moves["next"].click(lambda at: acts.show(at + 1), place, shown, api_visibility="private")
        for box in (note, pattern):
            box.blur(acts.keep, written, before, api_visibility="private")
        demo.load(acts.first, None, shown, api_visibility="private")
    return demo


def buttons(kinds: Mapping[str, str], size: str) -> dict[str, gr.Button]:
    """A row of buttons, whose ids the keys click."""
    with gr.Row(elem_classes="answers"):
        return {name: gr.Button(LABELS[name], elem_id=name, variant=kind, size=size) for name, kind in kinds.items()}


def start_page(desk: Desk, *, port: int) -> gr.Blocks:
    """Serve a reviewer's page on this machine alone, until the caller closes it.

    Raises:
        WorkspaceError: the port is taken.
    """
    demo = page(desk)
    try:
        demo.launch(
            server_name="127.0.0.1",
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            ssr_mode=False,
            footer_links=[],
            theme=gr.themes.Soft(primary_hue="teal", font=["system-ui", "Segoe UI", "Noto Sans Arabic", "sans-serif"]),
            css_paths=[HERE / "page.css"],
            head=SCRIPT,
        )
    except OSError as problem:
        if "port" not in str(problem):
            raise
        raise WorkspaceError(f"port '{port}' is taken", hint=f"--port {port + 1}") from problem
    return demo


def serve_page(desk: Desk, *, port: int, started: Callable[[str], None]) -> None:
    """Serve a reviewer's page until it is stopped with Ctrl-C; what was judged is in the sheet.

    Args:
        started: hears the page's address once there is something.

    Raises:
        DataError: the sheet cannot be read. WorkspaceError: the port is taken.
    """
    desk.keys()
    demo = start_page(desk, port=port)
    started(f"http://127.0.0.1:{port}")
    try:
        while demo.is_running:  # a wait without an end would not hear of a signal that another thread got
            time.sleep(0.2)
    except KeyboardInterrupt:
        demo.close(verbose=False)
