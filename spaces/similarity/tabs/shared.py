"""What tabs share: the menus of models and sizes, and where their answer goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import encoding
import gradio as gr
from about import About
from catalogue import Model, find
from pieces import Pieces, block
from words import SpaceError, Words


@dataclass(frozen=True)
class Shared:
    """What the page is about, its models, and its pieces of HTML."""

    about: About
    models: Sequence[Model]
    pieces: Pieces

    @property
    def words(self) -> Words:
        """The words of the page."""
        return self.about.words

    def model_menu(self, prefix: str) -> tuple[gr.Dropdown, gr.Radio]:
        """Menus of models and sizes, wired to each other; a model listed without sizes is loaded to find them."""
        first = self.models[0].dims
        with gr.Row():
            menu = gr.Dropdown(
                [(model.title, model.id) for model in self.models],
                label=self.words.line("Model"),
                elem_id=f"{prefix}-model",
                filterable=False,
                min_width=240,
            )
            dim = gr.Radio(
                list(first),
                value=first[0] if first else None,
                label=self.words.line("Dimensions"),
                elem_id=f"{prefix}-dim",
                min_width=240,
                rtl=self.words.right_to_left,
            )
        return menu, dim

    def wire_menu(self, demo: gr.Blocks, menu: gr.Dropdown, dim: gr.Radio) -> None:
        """Let the menu of models fill the menu of sizes."""

        async def dims(model_id: str) -> dict:
            return await self.dims_menu(model_id)

        menu.input(dims, menu, dim, api_visibility="private", concurrency_limit=None)
        if not self.models[0].dims:
            demo.load(dims, menu, dim, api_visibility="private", concurrency_limit=None)

    async def dims_menu(self, model_id: str) -> dict:
        """The update of the menu of sizes, the widest chosen."""
        try:
            dims = await encoding.dims_of(self.find(model_id))
        except SpaceError:  # told where an answer is asked for
            dims = ()
        return gr.update(choices=list(dims), value=dims[0] if dims else None)

    def find(self, model_id: str | None) -> Model:
        """The model of that id; the first when none is asked for."""
        return find(self.models, model_id)

    def result(self, prefix: str, hint: str) -> gr.HTML:
        """The place for an answer, which the caller renders."""
        return block(hint, elem_id=f"{prefix}-result", render=False)
