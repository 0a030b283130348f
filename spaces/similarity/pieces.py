"""Pieces of the page as HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

import gradio as gr
from about import About
from catalogue import Model
from words import SpaceError

LEAD = "How alike are two sentences? Any model, any size of its vectors."
BANDS = (  # a reading aid, not a calibration: every model has its own scale
    (0.85, "nearly the same meaning"),
    (0.65, "close"),
    (0.40, "related"),
    (-1.0, "different"),
)


def shows(text: str) -> str:
    """The JavaScript that puts this in a result's place: at once, where the server's might come after the answer."""
    return f"() => {json.dumps(text)}"


class Pieces:
    """Pieces of the page as HTML, in the words of a Space."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.words = about.words

    def html(self, kind: str, body: str) -> str:
        """A block of the page, in the direction of its language; the body is HTML already."""
        return f'<div class="zoo {kind}" dir="{self.words.direction}">{body}</div>'

    def title(self) -> str:
        """The heading of the page."""
        heading = f"<h1>{escape(self.words.first(self.about.title))}</h1>"
        return self.html("title", heading + self.words.both(LEAD))

    def notice(self, error: SpaceError) -> str:
        """A block that tells an error."""
        return self.html("notice wrong", f'<div role="alert">{self.told(error)}</div>')

    def told(self, error: SpaceError) -> str:
        """An error as paragraphs."""
        return self.words.both(error.text, **error.values)

    def hint(self, text: str) -> str:
        """A block that tells what to do."""
        return self.html("notice", self.words.both(text))

    def printed(self, model: Model, sentence1: str, sentence2: str) -> str:
        """The paper's figures for this pair, when it is one of its examples; else nothing."""
        paper = self.about.paper
        for pair in paper.pairs:
            if {pair.first, pair.second} == {sentence1.strip(), sentence2.strip()}:
                facts = [f"{self.words.beside('ground truth')} <b>{escape(pair.truth)}</b>"]
                if model.title in pair.scores:
                    facts.append(f"{self.words.beside('this model')} <b>{escape(pair.scores[model.title])}</b>")
                where = self.words.beside("In the {paper} paper, table {table}", paper=paper.name, table=pair.table)
                return f"<p>{where}: {' · '.join(facts)}</p>"
        return ""

    def comparison(self, model: Model, scores: dict[int, float], dim: int, remark: str = "") -> str:
        """The score at `dim`, large, over a bar for every dim."""
        bars = "".join(
            f'<div class="bar{" chosen" if size == dim else ""}"><span>{size}</span>{bar(score)}'
            f'<span class="value" dir="ltr">{score:.3f}</span></div>'
            for size, score in scores.items()
        )
        head = f'<output dir="ltr">{scores[dim]:.3f}</output>{self.band(scores[dim])}'
        foot = f"<small><bdi>{escape(model.title)}</bdi> · {dim} {self.words.line('dimensions')}</small>"
        return self.html("result", f'<div class="score" role="status">{head}</div>{remark}{bars}{foot}')

    def band(self, score: float) -> str:
        """A score in words."""
        _, text = next((row for row in BANDS if score >= row[0]), BANDS[-1])
        return f"<b>{self.words.beside(text)}</b>"

    def ranking(self, rows: Sequence[tuple[str, float]]) -> str:
        """A list of sentences with their scores."""
        items = "".join(
            f'<li><span class="quiet">{place}</span><span class="sentence" dir="auto">{escape(sentence)}</span>'
            f'<span class="value" dir="ltr">{score:.3f}</span>{bar(score)}</li>'
            for place, (sentence, score) in enumerate(rows, start=1)
        )
        return self.html("result", f'<ol class="ranking">{items}</ol>')

    def paper_table(self) -> str:
        """The paper's examples and what its models gave for them."""
        paper = self.about.paper
        heads = [
            f"{escape(pair.first)}<br>{escape(pair.second)}<br>"
            f"<small>{escape(self.words.first('table {table}', table=pair.table))}</small>"
            for pair in paper.pairs
        ]
        truth = [
            f"<b>{self.words.beside('ground truth')}</b>",
            *(f"<b>{escape(pair.truth)}</b>" for pair in paper.pairs),
        ]
        rows = [
            [f"<bdi>{escape(title)}</bdi>", *(escape(pair.scores.get(title, "-")) for pair in paper.pairs)]
            for title in paper.models
        ]
        named = escape(f"{paper.name}, {paper.cited}")
        tables = ", ".join(escape(pair.table) for pair in paper.pairs)
        source = f'Source: <a href="{escape(paper.url)}">{named}</a>, tables {tables}'
        return self.html("paper", table(["", *heads], [truth, *rows]) + f'<p class="quiet" dir="ltr">{source}</p>')

    def models_table(self, models: Sequence[Model]) -> str:
        """The Space's models with their revisions and dims."""
        rows = [
            [
                f"<bdi>{escape(model.title)}</bdi><br><small dir='ltr'>{escape(model.id)}</small>",
                f"<code>{model.revision[:8] if model.revision else '-'}</code>",
                f"<span dir='ltr'>{', '.join(map(str, model.dims)) or '-'}</span>",
            ]
            for model in models
        ]
        return self.html("models", table([self.words.beside("model"), "revision", self.words.beside("dims")], rows))

    def matrix(self, answers: Sequence[tuple[Model, dict[int, float] | SpaceError]]) -> str:
        """A table with one row per model, and one column per dim that any of them has."""
        dims = sorted({dim for _, scores in answers if isinstance(scores, dict) for dim in scores}, reverse=True)
        rows = [self.matrix_row(model, answer, dims) for model, answer in answers]
        return self.html("result", table([self.words.beside("model"), *(map(str, dims) if dims else "-")], rows))

    def matrix_row(self, model: Model, answer: dict[int, float] | SpaceError, dims: Sequence[int]) -> list[str]:
        """The cells of a model in that table: its scores, or why it has none."""
        title = f"<bdi>{escape(model.title)}</bdi>"
        if isinstance(answer, SpaceError):
            return [title, f"<small>{escape(self.words.first(answer.text, **answer.values))}</small>"]
        return [title, *(f'<span dir="ltr">{answer[dim]:.3f}</span>' if dim in answer else "" for dim in dims)]


def bar(score: float) -> str:
    """A track filled as far as a cosine goes; below zero it is empty."""
    return f'<span class="track"><span class="fill" style="width:{max(0.0, min(score, 1.0)):.1%}"></span></span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML of cells that are HTML already.

    The first column is text, the others are numbers; a short row's last cell fills it.
    """

    def filled(cells: Sequence[str], tag: str) -> str:
        first, *numbers, last = cells
        rest = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in numbers)
        span = len(head) - len(cells) + 1
        return f'<tr><{tag}>{first}</{tag}>{rest}<{tag} class="number" colspan="{span}">{last}</{tag}></tr>'

    body = "".join(filled(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{filled(head, "th")}</thead><tbody>{body}</tbody></table></div>'


def block(content: str, *, elem_id: str | None = None, render: bool = True) -> gr.HTML:
    """A piece of the page with this HTML."""
    return gr.HTML(content, elem_id=elem_id, render=render, apply_default_css=False)
