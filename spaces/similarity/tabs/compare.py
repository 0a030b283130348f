"""The tab that compares two sentences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import doubts
import encoding
import gradio as gr
import links
import similarity
import texts
from catalogue import Model
from pieces import block
from verdict import Said
from waiting import answers
from words import SpaceError

from tabs.shared import Shared

TAB = "compare"
NAME = "Compare"
HINT = "Write two sentences and press Compare. The first use of a model may take a minute to load it."


class CompareTab:
    """Two sentences, a model and a size: their cosine at every size, or that of every model."""

    tab, name = TAB, NAME

    def __init__(self, shared: Shared) -> None:
        self.shared, self.words, self.pieces = shared, shared.words, shared.pieces

    async def answer(self, model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
        """The HTML of an answer; an error is shown too."""
        try:
            pair = texts.pair(sentence1, sentence2)
            model = self.shared.find(model_id)
            await encoding.need(model)
            vectors, doubted = await asyncio.gather(encoding.encode(model, pair), self.doubts(model, pair))
            scores = similarity.similarities(vectors, await encoding.dims_of(model))
            chosen = await encoding.chosen(model, dim)
            return self.pieces.comparison(model, scores, chosen, pair, doubted)
        except encoding.StillLoading:
            raise
        except SpaceError as error:
            return self.pieces.notice(error)

    async def doubts(self, model: Model, pair: tuple[str, str]) -> Sequence[Said]:
        """The reasons why a score of these texts means nothing."""
        readings = await encoding.asked(model, lambda loaded: [doubts.reading(loaded, text) for text in pair])
        return doubts.of_pair(pair, readings, self.shared.about.languages)

    async def answer_all(self, sentence1: str, sentence2: str) -> AsyncIterator[str]:
        """The table of all models, again with one row more whenever a model has answered."""
        try:
            pair = texts.pair(sentence1, sentence2)
        except SpaceError as error:
            yield self.pieces.notice(error)
            return
        found = []
        async for model, vectors in encoding.each(self.shared.models, pair):
            if isinstance(vectors, SpaceError):
                found.append((model, vectors))
            else:
                dims = model.dims or similarity.usual_dims(vectors.shape[1])
                found.append((model, similarity.similarities(vectors, dims)))
            yield self.pieces.matrix(found, pair)

    # ---- how it is laid out and wired ----

    def render(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab."""
        result = self.shared.result("compare", self.pieces.hint(HINT))
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                boxes = self.boxes()
                menu, dim = self.shared.model_menu("compare")
                with gr.Row():
                    button = gr.Button(self.words.label("Compare"), variant="primary", elem_id="compare")
                    several = len(self.shared.models) > 1
                    every = gr.Button(self.words.label("All models"), elem_id="compare-all", visible=several)
            with gr.Column(min_width=300):
                result.render()
        chosen = self.examples(*boxes)
        self.paper()
        self.wire(demo, [menu, dim, *boxes], [button.click, *(box.submit for box in boxes)], chosen, result)
        self.wire_all(demo, boxes, every, result)

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
        hint = self.pieces.hint(HINT)

        async def show(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return await self.answer(model_id, dim, sentence1, sentence2)

        async def again(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return await show(model_id, dim, sentence1, sentence2) if sentence1.strip() and sentence2.strip() else hint

        async def opened(model_id: str, dim: int | None, sentence1: str, sentence2: str, request: gr.Request) -> Any:
            every = "all" in links.asked(request, TAB)
            return gr.skip() if every else await again(model_id, dim, sentence1, sentence2)

        loading = self.pieces.loading
        link = links.shown(TAB, "m", "d", "a", "b")
        asked = answers(asks, show, inputs, result, loading)
        changed = answers([dim.input], again, inputs, result, loading)
        other = answers([], again, inputs, result, loading, after=[self.shared.wire_menu(demo, menu, dim)])
        examples = [answers([], again, inputs, result, loading, after=chosen)] if chosen else []
        for event in (asked, changed, other, *examples):
            event.then(None, inputs, None, js=link, api_visibility="private")
        load = demo.load(self.restored, None, inputs, api_visibility="private", concurrency_limit=None)
        answers([], opened, inputs, result, loading, after=[load])

    async def restored(self, request: gr.Request) -> Any:
        """The updates of the menus and boxes that the address asks for."""
        asked = links.asked(request, TAB)
        if not asked.keys() & {"m", "d", "a", "b"}:
            return [gr.skip()] * 4
        boxes = [gr.update(value=asked[name]) if name in asked else gr.skip() for name in ("a", "b")]
        return [*await self.shared.menus(asked), *boxes]

    def wire_all(self, demo: gr.Blocks, boxes: list[Any], every: gr.Button, result: gr.HTML) -> None:
        """Ask all models when the button is pressed, and when the address says so."""

        async def show(sentence1: str, sentence2: str) -> AsyncIterator[str]:
            async for table in self.answer_all(sentence1, sentence2):
                yield table

        async def opened(request: gr.Request) -> AsyncIterator[Any]:
            asked = links.asked(request, TAB)
            if "all" not in asked:
                yield gr.skip()
                return
            async for table in self.answer_all(asked.get("a", ""), asked.get("b", "")):
                yield table

        common = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
        demo.load(opened, None, result, **common)
        pressed = every.click(show, boxes, result, **common)
        pressed.then(None, boxes, None, js=links.shown(TAB, "a", "b", all="1"), api_visibility="private")

    def boxes(self) -> list[gr.Textbox]:
        """The boxes of both sentences, with an example in them."""
        paper, own = self.shared.about.paper.pairs, self.shared.about.pairs
        example = next(((pair.first, pair.second) for pair in (*own, *paper)), ("", ""))
        labels = (("Sentence 1", "sentence-1"), ("Sentence 2", "sentence-2"))
        return [
            gr.Textbox(text, label=self.words.label(label), elem_id=elem_id, lines=1, max_lines=6)
            for (label, elem_id), text in zip(labels, example, strict=True)
        ]

    def examples(self, first: gr.Textbox, second: gr.Textbox) -> list[gr.events.Dependency]:
        """Pairs of sentences to try, those of the paper first; the events of a chosen one."""
        paper = self.shared.about.paper
        said = "{paper}, table {table}: ground truth {truth}"
        printed = [
            ([one.first, one.second], self.words.label(said, paper=paper.name, table=one.table, truth=one.truth))
            for one in paper.pairs
        ]
        own = [([one.first, one.second], self.words.label(one.label)) for one in self.shared.about.pairs]
        return self.shared.examples("compare", [*printed, *own], [first, second])

    def paper(self) -> None:
        """Lay out what the paper printed for its pairs, folded."""
        paper = self.shared.about.paper
        if paper.pairs:
            with gr.Accordion(self.words.label("What the {paper} paper printed", paper=paper.name), open=False):
                block(self.pieces.paper_table())
