"""What the tabs have in common that rank texts by a query: those of the corpus, or the reader's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import corpus
import doubts
import encoding
import gradio as gr
import numpy as np
import texts
from catalogue import Model
from doubts import Doubt
from searched import Searched
from words import Count

from tabs.asking import AskingTab
from tabs.shared import Shared

HERE = Path(__file__).parents[1]
SHOWN = 10  # texts of a ranking
DOUBTED = "Do not trust these scores"
_searched: dict[Path, Searched | None] = {}  # one for all tabs: its vectors are large


def searched() -> Searched | None:
    """The corpus of the Space; None: it has none."""
    if HERE not in _searched:
        found = corpus.read(HERE)
        _searched[HERE] = Searched(HERE, found) if found else None
    return _searched[HERE]


@dataclass(frozen=True)
class Asked:
    """A query beside texts."""

    query: str
    sentences: Sequence[str]
    vector: np.ndarray
    """Of the query, (width,)."""
    rows: np.ndarray
    """Of the sentences, (n, width)."""
    own: bool
    """Whether the sentences are the reader's."""
    doubts: Sequence[Doubt]
    """The reasons why nothing can be found by this query."""


class ListTab(AskingTab):
    """A tab with a query and a list; while the list is empty the corpus is asked."""

    parameters = ("q", "l")

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.searched = searched()

    def at_hand(self, model: Model) -> bool:
        """Whether no vectors of the corpus have to be made for it."""
        return super().at_hand(model) and (self.searched is None or model.vectors is not None)

    async def asked(self, model: Model, query: str, listed: str) -> Asked:
        """The query and the texts with their vectors.

        Raises:
            StillLoading: vectors of the corpus are being made. SpaceError: a box is empty, or there is too much in it.
        """
        query = texts.written(query, "the query")
        if self.searched is None or listed.strip():
            sentences = texts.lines(listed)
            await encoding.need(model)
            vectors = await encoding.encode(model, [query, *sentences])
            vector, rows = vectors[0], vectors[1:]
        else:
            sentences = list(self.searched.corpus.sentences)
            await encoding.need(model)
            rows = await self.searched.rows(model)
            vector = (await encoding.encode(model, [query]))[0]
        own = self.searched is None or bool(listed.strip())
        return Asked(query, sentences, vector, rows, own, await self.doubts(model, query))

    async def doubts(self, model: Model, query: str) -> Sequence[Doubt]:
        """The reasons why nothing can be found by this query."""
        reading = await encoding.asked(model, lambda loaded: doubts.reading(loaded, query))
        return doubts.of_text(query, reading, self.shared.about.languages, what="the query")

    def boxes(self) -> list[gr.Textbox]:
        """The boxes of the query and of the reader's own list."""
        about = self.shared.about
        query, listed = next(iter(about.lists), ("", ""))
        if self.searched:
            query, listed = next(iter(about.queries), query), ""
        query_box = gr.Textbox(
            query, label=self.words.label("Query"), elem_id=f"{self.tab}-query", lines=1, max_lines=6
        )
        return [query_box, self.list_box(listed)]

    def list_box(self, listed: str) -> gr.Textbox:
        """The box of the reader's own list."""
        said = "one per line, up to {lines} lines and {characters:,} characters"
        limits = self.words.label(said, lines=texts.MOST_LINES, characters=texts.MOST_CHARACTERS)
        name, inside = self.words.label("Sentences"), None
        if self.searched:
            name, number = self.words.label("Or a list of your own"), len(self.searched.corpus.sentences)
            inside = self.words.label(
                "Empty: {sentences} of the corpus are searched", sentences=Count(number, "sentence")
            )
        return gr.Textbox(
            listed, label=name, info=limits, placeholder=inside, elem_id=f"{self.tab}-list", lines=3, max_lines=12
        )

    def rows(self) -> list[tuple[Sequence[str], Any]]:
        """Queries over the corpus, and queries with lists of their own."""
        about = self.shared.about
        queries = [((query, ""), query) for query in about.queries] if self.searched else []
        lists = [((query, listed), self.words.label("Own list: {query}", query=query)) for query, listed in about.lists]
        return [*queries, *lists]

    def source(self, asked: Asked) -> str:
        """The source of what was searched, as HTML: its name, its licence, and the works that it is made of."""
        number = Count(len(asked.sentences), "sentence")
        if asked.own or self.searched is None:
            return "<br>" + self.words.both("Searched: your own list, {sentences}", sentences=number)
        found = self.searched.corpus
        link = f'<a href="{escape(found.url)}"><bdi>{escape(found.source)}</bdi></a>'
        what = self.words.both("Searched: {sentences} ({split} split) of", sentences=number, split=found.split)
        licence = self.words.both("Licence")
        works = "".join(
            f"<br>{self.words.both('From')} {work(one.title, one.url)} · {licence}: {terms(one.licence, one.terms)}"
            for one in found.origins
        )
        return f"<br>{what} {link} · {licence}: <bdi>{escape(found.licence)}</bdi>{works}"


def work(name: str, url: str | None) -> str:
    """A name, linked where it has an address."""
    shown = f"<bdi>{escape(name)}</bdi>"
    return f'<a href="{escape(url)}">{shown}</a>' if url else shown


def terms(licence: str, said: str | None) -> str:
    """A licence, and what its name does not say, in the work's own words."""
    return f"<bdi>{escape(licence)}</bdi>" + (f' <bdi lang="en">({escape(said)})</bdi>' if said else "")
