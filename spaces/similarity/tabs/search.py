"""The tab that searches: a query over the corpus, or over the reader's own list."""

from __future__ import annotations

import encoding
import rankings
from catalogue import Model

from tabs.asking_lists import DOUBTED, SHOWN, Asked, ListTab

TAB = "search"
NAME = "Search"
ASK = "Search"
HINT = "Write a query and press Search."


class SearchTab(ListTab):
    """The sentences that are nearest to a query, with their scores."""

    tab, name, ask, hint = TAB, NAME, ASK, HINT

    async def answered(self, model: Model, dim: int | None, *texts: str) -> str:
        """The nearest sentences: the first ten of the corpus, or all of the reader's list."""
        asked = await self.asked(model, *texts)
        chosen = await encoding.chosen(model, dim)
        return self.result(model, chosen, asked)

    def result(self, model: Model, dim: int, asked: Asked) -> str:
        """The answer as HTML."""
        scores = rankings.scores(asked.vector, asked.rows, dim)
        first = rankings.order(scores)[: None if asked.own else SHOWN]
        rows = [(asked.sentences[index], float(scores[index])) for index in first]
        doubted = self.pieces.doubted(asked.doubts, DOUBTED)
        head = self.words.paragraph("The nearest first, with cosine similarity")
        listed = self.pieces.ranking(rows)
        foot = self.pieces.foot(model, dim, self.source(asked))
        return self.pieces.html("result", f"{doubted}{head}{listed}{foot}")
