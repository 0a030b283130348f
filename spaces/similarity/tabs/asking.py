"""What tabs have in common that ask one model about texts: their layout, events, links, and the first answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import encoding
import gradio as gr
import links
from catalogue import Model
from waiting import answers
from words import SpaceError

from tabs.shared import Shared


class AskingTab(ABC):
    """A tab with boxes of texts, a model and a size, whose answer stands beside them."""

    tab: str
    """In addresses and ids."""
    name: str
    hint: str
    ask: str
    """What the button says."""
    parameters: tuple[str, ...]
    """The names of the boxes' texts in addresses."""
    shares: tuple[int, int] = (2, 3)
    """Of the page's width that the boxes and the answer have."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self.words, self.pieces = shared, shared.words, shared.pieces

    @abstractmethod
    async def answered(self, model: Model, dim: int | None, *texts: str) -> str:
        """The HTML of an answer. What the reader typed is looked at before `encoding.need` asks for the model.

        Raises:
            StillLoading: what it needs will be there in a moment. SpaceError: the reader can put something right.
        """

    @abstractmethod
    def boxes(self) -> list[gr.Textbox]:
        """The boxes of its texts, with an example in them."""

    @abstractmethod
    def rows(self) -> list[tuple[Sequence[str], Any]]:
        """Examples: what the boxes get, and what the button says."""

    def complete(self, *texts: str) -> bool:
        """Whether there is enough in the boxes to answer without being asked."""
        return bool(texts[0].strip())

    def buttons(self) -> gr.Button:
        """Lay out the buttons, and return the one that asks."""
        return gr.Button(self.words.label(self.ask), variant="primary", elem_id=self.tab)

    def at_hand(self, model: Model) -> bool:
        """Whether an answer that nobody asked for costs little."""
        return encoding.state(model) == "ready"

    # ---- answers ----

    async def answer(self, model_id: str, dim: int | None, *texts: str) -> str:
        """The HTML of an answer; an error is shown too."""
        try:
            return await self.answered(self.shared.find(model_id), dim, *texts)
        except encoding.StillLoading:
            raise
        except SpaceError as error:
            return self.pieces.notice(error)

    async def again(self, model_id: str, dim: int | None, *texts: str) -> str:
        """The answer when a menu or an example was chosen; the hint while a box is empty."""
        return await self.answer(model_id, dim, *texts) if self.complete(*texts) else self.pieces.hint(self.hint)

    async def opened(self, request: gr.Request, model_id: str, dim: int | None, *texts: str) -> Any:
        """The answer of the page that is opened: that of the address, or the example's where it costs little."""
        if links.asked(request, self.tab):
            return await self.again(model_id, dim, *texts)
        if not self.at_hand(self.shared.find(model_id)):
            return gr.skip()
        try:
            return await self.again(model_id, dim, *texts)
        except encoding.StillLoading:
            return gr.skip()

    async def restored(self, request: gr.Request) -> Any:
        """The updates of the menus and boxes that the address asks for."""
        asked = links.asked(request, self.tab)
        if not asked.keys() & {"m", "d", *self.parameters}:
            return [gr.skip()] * (2 + len(self.parameters))
        # A box that a link leaves out was empty when it was made: the example's text would be another question.
        of_texts = asked.keys() & set(self.parameters)
        boxes = [gr.update(value=asked.get(name, "")) if of_texts else gr.skip() for name in self.parameters]
        return [*await self.shared.menus(asked), *boxes]

    # ---- how it is laid out and wired ----

    def render(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab."""
        result = self.shared.result(self.tab, self.pieces.hint(self.hint))
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300, scale=self.shares[0]):
                boxes = self.boxes()
                menu, dim = self.shared.model_menu(self.tab)
                button = self.buttons()
            with gr.Column(min_width=300, scale=self.shares[1]):
                result.render()
        chosen = self.shared.examples(self.tab, self.rows(), boxes)
        self.wire(demo, [menu, dim, *boxes], [button.click, *(box.submit for box in boxes)], chosen, result)

    def wire(
        self,
        demo: gr.Blocks,
        inputs: list[Any],
        asks: Sequence[Any],
        chosen: Sequence[gr.events.Dependency],
        result: gr.HTML,
    ) -> None:
        """Answer when it is asked for, when a menu or an example is chosen, and when the page is opened."""
        menu, dim, *_ = inputs
        loading = self.pieces.loading
        other = [self.shared.wire_menu(demo, menu, dim), *chosen]
        events = answers(asks, self.answer, inputs, result, loading)
        events += answers([dim.input], self.again, inputs, result, loading, after=other)
        link = links.shown(self.tab, "m", "d", *self.parameters)
        for event in events:
            event.then(None, inputs, None, js=link, api_visibility="private")
        common = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
        load = demo.load(self.restored, None, inputs, **common)
        answers([], self.opened, inputs, result, loading, after=[load])
