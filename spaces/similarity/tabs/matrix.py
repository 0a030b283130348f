"""The tab that compares up to 30 sentences with each other, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import encoding
import gradio as gr
import numpy as np
import rankings
import texts
from catalogue import Model
from words import SpaceError

from tabs.asking import AskingTab

TAB = "matrix"
NAME = "Matrix"
ASK = "Compare all"
HINT = "Write some sentences, one per line."
FEWEST, MOST = 2, 30


class MatrixTab(AskingTab):
    """Every sentence of a list beside every other."""

    tab, name, ask, hint = TAB, NAME, ASK, HINT
    parameters = ("s",)
    shares = (1, 2)

    async def answered(self, model: Model, dim: int | None, *texts_asked: str) -> str:
        """The heat map of the sentences."""
        sentences = listed(texts_asked[0])
        await encoding.need(model)
        chosen = await encoding.chosen(model, dim)
        cosines = rankings.pairwise_cosines(await encoding.encode(model, sentences), chosen)
        return self.result(model, chosen, sentences, cosines)

    def boxes(self) -> list[gr.Textbox]:
        """The box of the sentences."""
        _, example = next(iter(self.shared.about.matrices), ("", ()))
        said = "one per line, from {fewest} to {most}; Shift+Enter compares"
        info = self.words.label(said, fewest=FEWEST, most=MOST)
        label = self.words.label("Sentences")
        text = "\n".join(example)
        return [gr.Textbox(text, label=label, info=info, elem_id="matrix-sentences", lines=6, max_lines=16)]

    def rows(self) -> list[tuple[Sequence[str], Any]]:
        """Lists to try."""
        return [(("\n".join(rows),), self.words.label(name)) for name, rows in self.shared.about.matrices]

    # ---- as HTML ----

    def result(self, model: Model, dim: int, sentences: Sequence[str], cosines: np.ndarray) -> str:
        """The answer as HTML: what is nearest and furthest, the map, and the sentences by number for narrow screens."""
        items = "".join(f'<li><span dir="auto">{escape(sentence)}</span></li>' for sentence in sentences)
        listing = f'<ol class="numbered" aria-hidden="true">{items}</ol>'  # the map's own headings are read
        said = self.words.paragraph("Colours run from the lowest score of two of these sentences to the highest.")
        low, high = (f'<span class="heat" style="--v:{shade}"></span>' for shade in (0, 1))
        legend = f'<div class="legend">{low}{said}{high}</div>'
        body = self.told(sentences, cosines) + listing + self.map(sentences, cosines) + legend
        return self.pieces.html("result", body + self.pieces.foot(model, dim))

    def told(self, sentences: Sequence[str], cosines: np.ndarray) -> str:
        """The nearest two and the furthest two."""
        nearest, furthest = rankings.extremes(cosines)
        near = self.words.both("Nearest to each other ({score})", score=f"{cosines[nearest]:.2f}")
        far = self.words.both("Furthest apart ({score})", score=f"{cosines[furthest]:.2f}")
        return "".join(
            f"<p>{said}: <bdi>{escape(sentences[one])}</bdi> ↔ <bdi>{escape(sentences[other])}</bdi></p>"
            for said, (one, other) in ((near, nearest), (far, furthest))
        )

    def map(self, sentences: Sequence[str], cosines: np.ndarray) -> str:
        """The heat map as a table with headings on both sides."""
        head = "".join(
            f'<th scope="col"><span aria-hidden="true">{number}</span>'
            f'<span class="unseen" dir="auto">{escape(one)}</span></th>'
            for number, one in enumerate(sentences, start=1)
        )
        shades = rankings.shades(cosines)
        body = "".join(
            f'<tr><th scope="row"><div class="name"><span>{number}</span>'
            f'<span class="sentence" dir="auto">{escape(one)}</span></div></th>'
            f"{cells(cosines[number - 1], shades[number - 1], number - 1)}</tr>"
            for number, one in enumerate(sentences, start=1)
        )
        caption = self.words.both("Cosine similarity of every sentence with every other")
        corner = f'<th scope="col">{self.words.both("Sentences")}</th>'
        whole = (
            f"<table><caption>{caption}</caption><thead><tr>{corner}{head}</tr></thead><tbody>{body}</tbody></table>"
        )
        return f'<div class="wide heatmap" role="group" tabindex="0">{whole}</div>'


def cells(values: np.ndarray, shades: np.ndarray, own: int) -> str:
    """The cells of a row; a sentence beside itself has no colour."""
    return "".join(
        '<td class="own" dir="ltr">1</td>'
        if column == own
        else f'<td dir="ltr" style="--v:{shade:.2f}">{value:.2f}</td>'.replace("-0.00", "0.00")
        for column, (value, shade) in enumerate(zip(values, shades, strict=True))
    )


def listed(text: str | None) -> list[str]:
    """The sentences in the box.

    Raises:
        SpaceError: there are fewer than two, or too many.
    """
    found = texts.lines(text)
    if not FEWEST <= len(found) <= MOST:
        wanted = "Write from {fewest} to {most} sentences, one per line. There are {found} now."
        raise SpaceError(wanted, fewest=FEWEST, most=MOST, found=len(found))
    return found
