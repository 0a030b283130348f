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
from doubts import Doubt
from pieces import block
from words import SpaceError

from tabs.asking import AskingTab

TAB = "compare"
NAME = "Compare"
ASK = "Compare"
HINT = "Write two sentences and press Compare. The first use of a model may take a minute to load it."


class CompareTab(AskingTab):
    """Two sentences, a model and a size: their cosine at every size, or that of every model."""

    tab, name, ask, hint = TAB, NAME, ASK, HINT
    parameters = ("a", "b")
    shares = (1, 1)

    async def answered(self, model: Model, dim: int | None, *texts_asked: str) -> str:
        """The score, what it means, and the scores at the other sizes."""
        pair = texts.pair(*texts_asked)
        await encoding.need(model)
        vectors, doubted = await asyncio.gather(encoding.encode(model, pair), self.doubts(model, pair))
        scores = similarity.similarities(vectors, await encoding.dims_of(model))
        chosen = await encoding.chosen(model, dim)
        return self.pieces.comparison(model, scores, chosen, pair, doubted)

    async def doubts(self, model: Model, pair: tuple[str, str]) -> Sequence[Doubt]:
        """The reasons why a score of these texts means nothing."""
        readings = await encoding.asked(model, lambda loaded: [doubts.reading(loaded, text) for text in pair])
        return doubts.of_pair(pair, readings, self.shared.about.languages)

    def complete(self, *texts: str) -> bool:
        """Whether both sentences are there."""
        return all(text.strip() for text in texts)

    async def opened(self, request: gr.Request, model_id: str, dim: int | None, *texts: str) -> Any:
        """The answer of the page that is opened, also where the model has to be loaded for it; none beside a table."""
        return gr.skip() if "all" in links.asked(request, TAB) else await self.again(model_id, dim, *texts)

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

    def boxes(self) -> list[gr.Textbox]:
        """The boxes of both sentences, with an example in them."""
        paper, own = self.shared.about.paper.pairs, self.shared.about.pairs
        example = next(((pair.first, pair.second) for pair in (*own, *paper)), ("", ""))
        labels = (("Sentence 1", "sentence-1"), ("Sentence 2", "sentence-2"))
        return [
            gr.Textbox(text, label=self.words.label(label), elem_id=elem_id, lines=1, max_lines=6)
            for (label, elem_id), text in zip(labels, example, strict=True)
        ]

    def rows(self) -> list[tuple[Sequence[str], Any]]:
        """Pairs of sentences to try, those of the paper first."""
        paper = self.shared.about.paper
        said = "{paper}, table {table}: ground truth {truth}"
        printed = [
            ([one.first, one.second], self.words.label(said, paper=paper.name, table=one.table, truth=one.truth))
            for one in paper.pairs
        ]
        own = [([one.first, one.second], self.words.label(one.label)) for one in self.shared.about.pairs]
        return [*printed, *own]

    def buttons(self) -> gr.Button:
        """Lay out the button that asks, and the one that asks all models, where there are several."""
        with gr.Row():
            asks = super().buttons()
            several = len(self.shared.models) > 1
            self.every = gr.Button(self.words.label("All models"), elem_id="compare-all", visible=several)
        return asks

    def render(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab; below it stands what the paper printed for its pairs, folded."""
        super().render(demo)
        paper = self.shared.about.paper
        if paper.pairs:
            with gr.Accordion(self.words.label("What the {paper} paper printed", paper=paper.name), open=False):
                block(self.pieces.paper_table())

    def wire(
        self,
        demo: gr.Blocks,
        inputs: list[Any],
        asks: Sequence[Any],
        chosen: Sequence[gr.events.Dependency],
        result: gr.HTML,
    ) -> None:
        """Ask all models, too: when their button is pressed, and when the address says so."""
        super().wire(demo, inputs, asks, chosen, result)
        boxes = inputs[2:]

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
        pressed = self.every.click(show, boxes, result, **common)
        pressed.then(None, boxes, None, js=links.shown(TAB, "a", "b", all="1"), api_visibility="private")
