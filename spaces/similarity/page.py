"""The page: its tabs, its models, and what stands there when there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from about import About
from api import endpoints
from catalogue import Model
from pieces import Pieces, block
from tabs.compare import CompareTab
from tabs.rank import RankTab
from tabs.shared import Shared
from words import SpaceError

HERE = Path(__file__).parent
STYLES = (HERE / "style.css", HERE / "rtl.css")  # the second is of pages that run from right to left
TABS = (CompareTab, RankTab)


def theme(fonts: Sequence[str]) -> gr.themes.Base:
    """The looks, with the reader's own fonts: nothing is fetched."""
    return gr.themes.Soft(
        primary_hue="teal",
        font=["system-ui", "Segoe UI", *fonts, "Tahoma", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    )


def page(about: About, models: Sequence[Model]) -> gr.Blocks:
    """The whole page of the Space."""
    words, pieces = about.words, Pieces(about)
    shared = Shared(about, models, pieces)
    with gr.Blocks(title=words.line(about.title, " · "), analytics_enabled=False) as demo:
        block(pieces.title())
        for tab in TABS:
            with gr.Tab(words.line(tab.name)):
                tab(shared).render(demo)
        with gr.Accordion(words.line("Models"), open=False):
            block(pieces.models_table(models))
        endpoints(about, models)
    return demo


def excuse(about: About, error: SpaceError) -> gr.Blocks:
    """The page of a Space that has nothing to show yet."""
    pieces = Pieces(about)
    with gr.Blocks(title=about.words.first(about.title)) as demo:
        block(pieces.title() + pieces.notice(error))
    return demo
