"""The tab that ranks a list of sentences."""

from __future__ import annotations

import encoding
import gradio as gr
import similarity
import texts
from waiting import answers
from words import SpaceError

from tabs.shared import Shared

TAB = "rank"
NAME = "Rank"
HINT = "Write a query and a list of sentences, one per line."


class RankTab:
    """A query and a list: the sentences of the list, the nearest first."""

    tab, name = TAB, NAME

    def __init__(self, shared: Shared) -> None:
        self.shared, self.words, self.pieces = shared, shared.words, shared.pieces

    async def answer(self, model_id: str, dim: int | None, query: str, sentences: str) -> str:
        """The HTML of an answer; an error is shown too."""
        try:
            asked = (texts.written(query, "the query"), *texts.lines(sentences))
            model = self.shared.find(model_id)
            await encoding.need(model)
            best = similarity.best_first(await encoding.encode(model, asked), await encoding.chosen(model, dim))
            return self.pieces.ranking([(asked[index + 1], score) for index, score in best])
        except encoding.StillLoading:
            raise
        except SpaceError as error:
            return self.pieces.notice(error)

    def render(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab."""
        hint, lists = self.pieces.hint(HINT), self.shared.about.lists
        result = self.shared.result("rank", hint)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                query = gr.Textbox(label=self.words.label("Query"), elem_id="query")
                sentences = gr.Textbox(
                    label=self.words.label("Sentences"),
                    elem_id="sentences",
                    lines=6,
                    max_lines=16,
                    info=self.words.label(
                        "one per line, up to {lines} lines and {characters:,} characters",
                        lines=texts.MOST_LINES,
                        characters=texts.MOST_CHARACTERS,
                    ),
                )
                menu, dim = self.shared.model_menu("rank")
                button = gr.Button(self.words.label("Rank"), variant="primary", elem_id="rank")
            with gr.Column(min_width=300):
                result.render()
        rows = [((query_text, listed), query_text) for query_text, listed in lists]
        chosen = self.shared.examples("rank", rows, [query, sentences])

        async def show(model_id: str, dim: int | None, query: str, sentences: str) -> str:
            return await self.answer(model_id, dim, query, sentences)

        async def again(model_id: str, dim: int | None, query: str, sentences: str) -> str:
            return await show(model_id, dim, query, sentences) if query.strip() and sentences.strip() else hint

        inputs = [menu, dim, query, sentences]
        answers([button.click, query.submit], show, inputs, result, self.pieces.loading)
        after = [self.shared.wire_menu(demo, menu, dim), *chosen]
        answers([dim.input], again, inputs, result, self.pieces.loading, after=after)
