"""The page: its tabs, its models, and what stands there when there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from about import About
from api import endpoints
from catalogue import Model
from pieces import Pieces, block
from tabs.compare import CompareTab
from tabs.cutting import CuttingTab
from tabs.matrix import MatrixTab
from tabs.models import ModelsTab
from tabs.search import SearchTab
from tabs.shared import Shared
from words import SpaceError, Words

STYLE = Path(__file__).parent / "style.css"
SCRIPT = Path(__file__).parent / "page.js"
TABS = (CompareTab, SearchTab, CuttingTab, MatrixTab, ModelsTab)

TOKENS = {  # colours of gradio's that do not have the contrast of 4.5 to 1, or 3 to 1 at a control's edge
    "color_accent": "*primary_700",
    "block_label_text_color": "*primary_800",
    "block_title_text_color": "*primary_800",
    "block_label_background_fill_dark": "*primary_800",
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_background_fill_dark": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_800",
    "button_secondary_background_fill_hover_dark": "*primary_700",
    "checkbox_label_background_fill_selected": "*primary_700",
    "checkbox_label_background_fill_selected_dark": "*primary_700",
    "checkbox_background_color_selected": "*primary_900",
    "checkbox_border_color_selected": "*primary_900",
    "checkbox_border_color": "*neutral_500",
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_300",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_300",
    "input_placeholder_color": "*neutral_600",
    "input_placeholder_color_dark": "*neutral_300",
    "input_border_color": "*neutral_400",
    "link_text_color": "*primary_700",
    "link_text_color_visited": "*primary_800",
    "link_text_color_hover": "*primary_900",
    "link_text_color_active": "*primary_900",
    "link_text_color_dark": "*primary_300",
    "link_text_color_visited_dark": "*primary_300",
    "link_text_color_hover_dark": "*primary_200",
    "link_text_color_active_dark": "*primary_200",
}


def theme(fonts: Sequence[str]) -> gr.themes.Base:
    """The looks, with the reader's own fonts: nothing is fetched."""
    return gr.themes.Soft(
        primary_hue="teal",
        font=["system-ui", "Segoe UI", *fonts, "Tahoma", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(**TOKENS)


def one_language(words: Words) -> str:
    """CSS that shows the texts of the page's language, and the links to the others."""
    others = [
        f':root[lang="{code}"] {what}'
        for code in words.languages
        for what in (f'.said:not([lang="{code}"])', f'.switch[lang="{code}"]')
    ]
    return f"{', '.join(others)} {{ display: none !important; }}"


def page(about: About, models: Sequence[Model]) -> gr.Blocks:
    """The whole page of the Space."""
    words, pieces = about.words, Pieces(about)
    shared = Shared(about, models, pieces)
    with gr.Blocks(title=about.title, analytics_enabled=False) as demo:
        block(pieces.title())
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            for kind in TABS:
                with gr.Tab(words.label(kind.name), id=kind.tab, elem_id=f"tab-{kind.tab}") as tab:
                    kind(shared).render(demo)
                tab.select(None, None, None, js=f'() => zoo.opened("{kind.tab}")', api_visibility="private")
        load = demo.load(opened, None, tabs, api_visibility="private", queue=False)
        load.then(None, None, None, js="() => zoo.started()", api_visibility="private")
        endpoints(about, models)
    return demo


def opened(request: gr.Request) -> Any:
    """The update that opens the tab which the address names."""
    asked = request.query_params.get("tab")
    return gr.update(selected=asked) if asked in {kind.tab for kind in TABS} else gr.skip()


def excuse(about: About, error: SpaceError) -> gr.Blocks:
    """The page of a Space that has nothing to show yet."""
    pieces = Pieces(about)
    with gr.Blocks(title=about.title) as demo:
        block(pieces.title() + pieces.notice(error))
    return demo
