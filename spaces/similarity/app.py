"""The Space: compare two sentences, or rank a list, with any of its models at any of their dimensions."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import encoding
import gradio as gr
from about import About, about
from catalogue import Model, catalogue
from page import SCRIPT, STYLE, excuse, one_language, page, theme
from pieces import LEAD
from starlette.middleware import Middleware
from web import Front, Preview
from words import SpaceError

HERE = Path(__file__).parent
MOST_EVENTS = 300  # at once: the queue's places are those of all functions together
MOST_SESSIONS = 500  # that gradio keeps: each takes 140 kB, a call of the API is one, and its own limit is 10,000


def build(said: About) -> tuple[gr.Blocks, list[Model]]:
    """The page and the models that it offers, or the one that tells why there is none."""
    try:
        models = catalogue(HERE, os.environ)
    except SpaceError as error:
        return excuse(said, error), []
    return page(said, models), models


def front(said: About) -> Middleware:
    """The middleware that rewrites the page before the browser gets it."""
    preview = Preview(said.title, LEAD)
    return Middleware(Front, languages=said.words.languages, preview=preview, script=SCRIPT.read_text("utf-8"))


def main() -> None:
    """Run the app. Host and port: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, as gradio reads them."""
    try:
        said = about(HERE)
        demo, models = build(said)
    except SpaceError as error:
        said, models = About(), []
        demo = excuse(said, error)
    demo.launch(
        theme=theme(said.fonts),
        css=one_language(said.words),
        css_paths=[STYLE],
        i18n=said.words.labels(),
        app_kwargs={"middleware": [front(said)]},
        footer_links=["api"],
        ssr_mode=False,
        max_threads=MOST_EVENTS,
        state_session_capacity=MOST_SESSIONS,
        mcp_server=find_spec("mcp") is not None,
        prevent_thread_lock=True,
    )
    for model in models[:1]:  # not before: gradio gives up where it does not answer itself while torch is imported
        encoding.preload(model)
    demo.block_thread()


if __name__ == "__main__":
    main()
