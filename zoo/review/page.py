"""The page on which a reviewer judges rows, with keys: Gradio, for this machine alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const writing = ["TEXTAREA", "INPUT"].includes(document.activeElement?.tagName);
  if (writing) { if (event.key === "Escape") document.activeElement.blur(); return; }
  const box = event.code === "KeyN" && document.querySelector("#note textarea");
  const button = document.getElementById(PLACES[event.code]);
  if (box) box.focus(); else if (button) button.click(); else return;
  event.preventDefault();
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


def attempt(act: Callable[[], Any]) -> None:
    """Do something with the sheet; what goes wrong is shown on the page, which stays where it is."""
    try:
        act()
    except (ZooError, OSError) as problem:
        error = of_the_disk(problem) if isinstance(problem, OSError) else problem
        if error is None:
            raise
        raise gr.Error(escape(f"{error.message}. {error.hint or ''}"), print_exception=False) from problem


def page(desk: Desk) -> gr.Blocks:
    """The whole page of a reviewer."""
    with gr.Blocks(title="مراجعة العينة · Review", analytics_enabled=False) as demo:
        place, key = gr.State(0), gr.State("")
        head, body = gr.HTML(apply_default_css=False), gr.HTML(elem_id="row", apply_default_css=False)
        with gr.Row(elem_classes="answers"):
            variants = {"accept": "primary", "reject": "stop", "unsure": "secondary"}
            buttons = {name: gr.Button(LABELS[name], elem_id=name, variant=kind) for name, kind in variants.items()}
        with gr.Row(elem_classes="answers"):
            moves = {name: gr.Button(LABELS[name], elem_id=name, size="sm") for name in ("back", "next")}
        note = gr.Textbox(label="ملاحظة / Note (N, Esc)", elem_id="note", lines=1, max_lines=4, rtl=True)
        pattern = gr.Textbox(
            label="نص خاطئ أينما ورد / Text that is wrong wherever it stands",
            elem_id="pattern",
            lines=1,
            max_lines=2,
            rtl=True,
        )
        shown = [head, body, note, pattern, place, key]
        wire(demo, desk, buttons, moves, shown)
    return demo


def wire(
    demo: gr.Blocks, desk: Desk, buttons: Mapping[str, gr.Button], moves: Mapping[str, gr.Button], shown: list[Any]
) -> None:
    """Let buttons judge and move, and boxes keep what is written into them."""
    _, _, note, pattern, place, key = shown

    def show(at: int) -> list[Any]:
        found: list[DeskRow | None] = []
        attempt(lambda: found.append(desk.row(at)))
        row = found[0]
        if row is None:
            left = desk.row(0)
            return [
                heading(desk, left),
                card(None, left.rows - left.judged if left else 0),
                "",
                "",
                len(desk.keys()),
                "",
            ]
        return [heading(desk, row), card(row), row.note, row.pattern, at, row.cells[KEY]]

    def judge(verdict: RowVerdict) -> Callable[..., list[Any]]:
        def judged(at: int, of: str, noted: str, wrong: str) -> list[Any]:
            if of:  # else the last row is judged already
                attempt(lambda: desk.judge(of, verdict, noted, wrong))
                at = desk.unjudged(at)
            return show(at)

        return judged

    def keep(of: str, noted: str, wrong: str) -> None:
        if of:
            attempt(lambda: desk.write(of, desk.remarks(noted, wrong)))

    for verdict in VERDICTS:
        buttons[verdict].click(judge(verdict), [place, key, note, pattern], shown, api_visibility="private")
    moves["back"].click(lambda at: show(max(0, at - 1)), place, shown, api_visibility="private")
    moves["next"].click(lambda at: show(at + 1), place, shown, api_visibility="private")
    for box in (note, pattern):
        box.blur(keep, [key, note, pattern], None, api_visibility="private")
    demo.load(lambda: show(desk.unjudged()), None, shown, api_visibility="private")


def start_page(desk: Desk, *, port: int, wait: bool) -> gr.Blocks:
    """Serve a reviewer's page on this machine alone.

    Args:
        wait: until it is stopped; otherwise the caller closes it.

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
            prevent_thread_lock=not wait,
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


def serve_page(path: Path, lock: Path, reviewer: str, *, compare: bool, port: int) -> None:
    """Serve the page until it is stopped with Ctrl-C; what was judged is in the sheet.

    Raises:
        DataError: the sheet cannot be read. WorkspaceError: the port is taken.
    """
    desk = Desk(path, lock, reviewer, compare)
    desk.keys()
    start_page(desk, port=port, wait=True)
