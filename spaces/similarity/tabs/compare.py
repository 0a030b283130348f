"""The tab that compares two sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator

import encoding
import gradio as gr
import similarity
import texts
from pieces import block, shows
from waiting import answers
from words import SpaceError

from tabs.shared import Shared

NAME = "Compare"
HINT = "Write two sentences and press Compare. The first use of a model may take a minute to load it."


class CompareTab:
    """Two sentences, a model and a size: their cosine at every size, or that of every model."""

    name = NAME

    def __init__(self, shared: Shared) -> None:
        self.shared, self.words, self.pieces = shared, shared.words, shared.pieces

    async def answer(self, model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
        """The HTML of an answer; an error is shown too."""
        try:
            pair = texts.pair(sentence1, sentence2)
            model = self.shared.find(model_id)
            await encoding.need(model)
            vectors = await encoding.encode(model, pair)
            scores = similarity.similarities(vectors, await encoding.dims_of(model))
            remark = self.pieces.printed(model, *pair)
            return self.pieces.comparison(model, scores, await encoding.chosen(model, dim), remark)
        except encoding.StillLoading:
            raise
        except SpaceError as error:
            return self.pieces.notice(error)

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
            yield self.pieces.matrix(found)

    def render(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab."""
        hint = self.pieces.hint(HINT)
        example = next(((pair.first, pair.second) for pair in self.shared.about.pairs), ("", ""))
        result = self.shared.result("compare", hint)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                first = self.sentence_box("Sentence 1", "sentence-1", example[0])
                second = self.sentence_box("Sentence 2", "sentence-2", example[1])
                menu, dim = self.shared.model_menu("compare")
                with gr.Row():
                    button = gr.Button(self.words.line("Compare"), variant="primary", elem_id="compare")
                    several = len(self.shared.models) > 1
                    every = gr.Button(self.words.line("All models"), elem_id="compare-all", visible=several)
            with gr.Column(min_width=300):
                result.render()
        chosen = self.examples(first, second)
        self.paper()

        async def show(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return await self.answer(model_id, dim, sentence1, sentence2)

        async def again(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return await show(model_id, dim, sentence1, sentence2) if sentence1.strip() and sentence2.strip() else hint

        async def show_every(sentence1: str, sentence2: str) -> AsyncIterator[str]:
            async for table in self.answer_all(sentence1, sentence2):
                yield table

        inputs = [menu, dim, first, second]
        self.shared.wire_menu(demo, menu, dim)
        menu.input(None, None, result, js=shows(hint), api_visibility="private")
        answers([button.click, first.submit, second.submit], show, inputs, result, self.pieces.notice)
        answers([dim.input], again, inputs, result, self.pieces.notice, after=chosen.load_input_event)
        every.click(show_every, [first, second], result, api_visibility="private", concurrency_limit=None)

    def sentence_box(self, label: str, elem_id: str, example: str) -> gr.Textbox:
        """A box to write a sentence in."""
        return gr.Textbox(
            label=self.words.line(label),
            elem_id=elem_id,
            placeholder=self.words.first("For example: {text}", text=example),
            rtl=self.words.right_to_left,
            lines=2,
            max_lines=6,
        )

    def examples(self, first: gr.Textbox, second: gr.Textbox) -> gr.Examples:
        """Pairs of sentences to try, those of the paper first."""
        paper = self.shared.about.paper
        said = "{paper} paper, table {table} · ground truth {truth}"
        printed = [
            ([one.first, one.second], self.words.first(said, paper=paper.name, table=one.table, truth=one.truth))
            for one in paper.pairs
        ]
        own = [([one.first, one.second], one.label) for one in self.shared.about.pairs]
        pairs, labels = zip(*printed, *own, strict=True)
        return gr.Examples(
            list(pairs),
            [first, second],
            label=self.words.line("Examples"),
            example_labels=list(labels),
            cache_examples=False,
            preload=False,
        )

    def paper(self) -> None:
        """What the paper printed for its pairs, folded."""
        paper = self.shared.about.paper
        if paper.pairs:
            with gr.Accordion(self.words.line("What the {paper} paper printed", paper=paper.name), open=False):
                block(self.pieces.paper_table())
