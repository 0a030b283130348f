"""What tabs share: the menus of models and sizes, and where their answer goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import encoding
import gradio as gr
import links
from about import About
from catalogue import Model, find
from pieces import Pieces, block
from words import SpaceError, Words


@dataclass(frozen=True)
class Shared:
    """The facts that tabs share: what the page is about, its models, and its pieces of HTML."""

    about: About
    models: Sequence[Model]
    pieces: Pieces

    @property
    def words(self) -> Words:
        """The words of the page."""
        return self.about.words

    def model_menu(self, prefix: str) -> tuple[gr.Dropdown, gr.Radio]:
        """Menus of models and sizes, to be wired by `wire_menu`."""
        offered, usual = self.sizes(self.models[0].dims)
        menu = gr.Dropdown(
            [(model.title, model.id) for model in self.models],
            label=self.words.label("Model"),
            elem_id=f"{prefix}-model",
            filterable=False,
            min_width=240,
        )
        dim = gr.Radio(
            list(offered),
            value=usual,
            label=self.words.label("Dimensions"),
            elem_id=f"{prefix}-dim",
            min_width=240,
        )
        dim.preprocess = lambda value: value  # type: ignore[method-assign] # of a session that gradio forgot; see `chosen`
        return menu, dim

    def wire_menu(self, demo: gr.Blocks, menu: gr.Dropdown, dim: gr.Radio) -> gr.events.Dependency:
        """Let the menu of models fill the menu of sizes; a model listed without sizes is loaded to find them.

        Returns:
            The event of another model, after which an answer can be given again.
        """

        async def dims(model_id: str, dim: int | None) -> dict[str, Any]:
            return await self.dims_menu(model_id, dim)

        if not self.models[0].dims:
            demo.load(dims, [menu, dim], dim, api_visibility="private", concurrency_limit=None)
        return menu.input(
            dims, [menu, dim], dim, api_visibility="private", concurrency_limit=None, show_progress="hidden"
        )

    async def dims_menu(self, model_id: str | None, dim: int | None) -> dict[str, Any]:
        """The update of the menu of sizes: `dim` is chosen where the menu has it."""
        try:
            dims = await encoding.dims_of(self.find(model_id))
        except SpaceError:  # told where an answer is asked for
            dims = ()
        offered, usual = self.sizes(dims)
        return gr.update(choices=list(offered), value=dim if dim in offered else usual)

    def sizes(self, dims: Sequence[int]) -> tuple[Sequence[int], int | None]:
        """The sizes that the menu offers of a model's, and the one that is chosen at first: all, and the widest."""
        return dims, next(iter(dims), None)

    async def menus(self, asked: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The updates of both menus that a link asks for; a model that is not here is the first."""
        model = next((model for model in self.models if model.id == asked.get("m")), self.models[0])
        sizes = await self.dims_menu(model.id, links.number(asked.get("d")))
        return gr.update(value=model.id), sizes

    def find(self, model_id: str | None) -> Model:
        """The model of that id; the first when none is asked for."""
        return find(self.models, model_id)

    def examples(
        self, prefix: str, rows: Sequence[tuple[Sequence[str], Any]], boxes: Sequence[gr.components.Component]
    ) -> list[gr.events.Dependency]:
        """Buttons that fill boxes, and their events.

        Args:
            rows: what the boxes get, and what the button says, as `words.label` gives it.
        """
        if not rows:
            return []
        block(self.pieces.html("examples-title", self.words.both("Examples")))
        events = []
        with gr.Row(elem_id=f"{prefix}-examples", elem_classes="examples"):
            for texts, label in rows:
                button = gr.Button(label, size="sm", variant="secondary", min_width=0)
                fill = f"() => {json.dumps(list(texts))}"
                events.append(button.click(None, None, list(boxes), js=fill, api_visibility="private"))
        return events

    def result(self, prefix: str, hint: str) -> gr.HTML:
        """The place for an answer, which the caller renders."""
        return block(hint, elem_id=f"{prefix}-result", render=False)
