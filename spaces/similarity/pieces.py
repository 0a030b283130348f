"""Pieces of the page as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import gradio as gr
from about import About, PaperPair
from catalogue import Model
from doubts import Doubt
from verdict import Said, closeness, disagreement
from words import Count, SpaceError

LEAD = "How alike are two sentences? Any model, any size of its vectors."


class Pieces:
    """Pieces of the page as HTML, in the words of a Space."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.words = about.words

    def html(self, kind: str, body: str) -> str:
        """A block of the page; the body is HTML already."""
        return f'<div class="zoo {kind}">{body}</div>'

    def title(self) -> str:
        """The heading of the page, and the way to its other languages."""
        heading = f"<h1>{self.words.both(self.about.title)}</h1>"
        return self.html("title", f"<div>{heading}{self.words.paragraph(LEAD)}</div>{self.switch()}")

    def switch(self) -> str:
        """Links to the page in its languages, of which CSS hides the one that is shown; nothing when there is one."""
        links = "".join(
            f'<a class="switch" lang="{code}" dir="{one.direction}" href="?lang={code}">{escape(one.name)}</a>'
            for code, one in self.words.languages.items()
        )
        return f"<nav>{links}</nav>" if len(self.words.languages) > 1 else ""

    def notice(self, error: SpaceError) -> str:
        """A block that tells an error."""
        return self.html("notice wrong", f'<div role="alert">{self.told(error)}</div>')

    def loading(self, error: SpaceError) -> str:
        """A block that tells what is still going on."""
        return self.html("notice", f'<div role="status">{self.told(error)}</div>')

    def told(self, error: SpaceError) -> str:
        """An error as a paragraph."""
        return self.words.paragraph(error.text, **error.values)

    def said(self, said: Said) -> str:
        """A verdict or a doubt, within a line."""
        return self.words.both(said.text, **said.values)

    def hint(self, text: str) -> str:
        """A block that tells what to do."""
        return self.html("notice", self.words.paragraph(text))

    def copy(self) -> str:
        """The button that copies the address of an answer."""
        states = {"idle": "Copy the link", "done": "The link is copied"}
        said = "".join(f'<span class="{state}">{self.words.both(text)}</span>' for state, text in states.items())
        return f'<button type="button" class="copy">{said}</button>'

    # ---- one model ----

    def comparison(
        self, model: Model, scores: Mapping[int, float], dim: int, pair: tuple[str, str], doubts: Sequence[Doubt] = ()
    ) -> str:
        """The score at `dim`, large, with what it means, over a bar for every dim.

        Args:
            doubts: why it means nothing; where there is one it gets no verdict.
        """
        printed = self.about.paper.find(*pair)
        meaning = self.doubted(doubts, doubts[0].head) if doubts else self.verdict(model, scores, dim)
        near = None if doubts else closeness(model, dim, scores[dim])
        parts = [
            f'<div class="score">{self.score(scores[dim])}{meaning}</div>',
            self.bars(model, scores, dim, printed),
            self.printed(model, printed) if printed else "",
            self.foot(model, dim, f"<br>{self.said(near.source)}" if near else ""),
        ]
        return self.html("result doubtful" if doubts else "result", "".join(parts))

    def score(self, score: float) -> str:
        """A cosine, large, with its name."""
        name = f"<small>{self.words.both('cosine similarity')}</small>"
        return f'<div><output dir="ltr">{score:.3f}</output>{name}</div>'

    def doubted(self, doubts: Sequence[Doubt], head: str) -> str:
        """A warning that says why scores mean nothing; nothing without doubts."""
        told = "".join(f"<p>{self.said(doubt)}</p>" for doubt in doubts)
        return f'<div class="doubt" role="alert"><b>{self.words.both(head)}</b>{told}</div>' if doubts else ""

    def verdict(self, model: Model, scores: Mapping[int, float], dim: int) -> str:
        """The meaning of a score by the pairs that people scored; nothing when the model has none."""
        near = closeness(model, dim, scores[dim])
        if near is None:
            return ""
        people = f"<p>{self.said(near.people)}</p>" if near.people else ""
        apart = disagreement(model, scores)
        sizes = f'<p class="apart">{self.said(apart)}</p>' if apart else ""
        return f'<div class="verdict"><b>{self.said(near.said)}</b>{people}{sizes}</div>'

    def bars(self, model: Model, scores: Mapping[int, float], dim: int, printed: PaperPair | None) -> str:
        """A bar for every dim, under lines where the paper's figures are."""
        marks = "".join(
            f'<span class="mark {kind}" style="inset-inline-start:{share:.1%}"></span>'
            for kind, text in self.figures(model, printed)
            if (share := fraction(text)) is not None
        )
        return "".join(
            f'<div class="bar{" chosen" if size == dim else ""}"><span>{size}</span>{bar(score, marks)}'
            f'<span class="value" dir="ltr">{score:.3f}</span></div>'
            for size, score in scores.items()
        )

    def figures(self, model: Model, printed: PaperPair | None) -> list[tuple[str, str]]:
        """(kind, as printed) of what the paper says of a pair: the ground truth, and what this model gave."""
        found = [("truth", printed.truth)] if printed else []
        return [*found, ("paper", printed.scores[model.title])] if printed and model.title in printed.scores else found

    def printed(self, model: Model, printed: PaperPair) -> str:
        """The paper's figures for a pair, with the lines that they have on the bars."""
        names = {"truth": "ground truth", "paper": "this model"}
        facts = [
            f'<span class="key"><span class="mark {kind}"></span>{self.words.both(names[kind])} <b>{escape(text)}</b>'
            "</span>"
            for kind, text in self.figures(model, printed)
        ]
        where = self.words.both("In the {paper} paper, table {table}", paper=self.about.paper.name, table=printed.table)
        return f'<p class="printed">{where}: {" · ".join(facts)}</p>'

    def foot(self, model: Model, dim: int, more: str = "") -> str:
        """The last line of an answer: its model, its size, `more` (HTML already), and the button for its link."""
        which = f"<bdi>{escape(model.title)}</bdi> · {self.words.both('{size}', size=Count(dim, 'dimension'))}"
        return f'<div class="foot"><small>{which}{more}</small>{self.copy()}</div>'

    # ---- lists and tables ----

    def ranking(self, rows: Sequence[tuple[str, float]]) -> str:
        """A list of sentences with their scores, within an answer."""
        items = "".join(
            f'<li><span class="quiet">{place}</span><span class="sentence" dir="auto">{escape(sentence)}</span>'
            f'<span class="value" dir="ltr">{score:.3f}</span>{bar(score)}</li>'
            for place, (sentence, score) in enumerate(rows, start=1)
        )
        return f'<ol class="ranking">{items}</ol>'

    def paper_table(self) -> str:
        """The paper's examples and what its models gave for them."""
        paper = self.about.paper
        heads = [
            f'<span dir="auto">{escape(pair.first)}</span><br><span dir="auto">{escape(pair.second)}</span><br>'
            f"<small>{self.words.both('table {table}', table=pair.table)}</small>"
            for pair in paper.pairs
        ]
        truth = [
            f"<b>{self.words.both('ground truth')}</b>",
            *(f"<b>{escape(pair.truth)}</b>" for pair in paper.pairs),
        ]
        rows = [
            [f"<bdi>{escape(title)}</bdi>", *(escape(pair.scores.get(title, "-")) for pair in paper.pairs)]
            for title in paper.models
        ]
        named = f'<a href="{escape(paper.url)}" dir="ltr">{escape(f"{paper.name}, {paper.cited}")}</a>'
        tables = ", ".join(escape(pair.table) for pair in paper.pairs)
        source = f"{self.words.both('Source')}: {named} · {self.words.both('table {table}', table=tables)}"
        return self.html("paper", table(["", *heads], [truth, *rows]) + f'<p class="quiet">{source}</p>')

    def matrix(
        self, answers: Sequence[tuple[Model, dict[int, float] | SpaceError]], pair: tuple[str, str] = ("", "")
    ) -> str:
        """A table with one row per model, and one column per dim that any of them has; coloured by score."""
        dims = sorted({dim for _, scores in answers if isinstance(scores, dict) for dim in scores}, reverse=True)
        rows = [self.matrix_row(model, answer, dims) for model, answer in answers]
        printed = self.about.paper.find(*pair)
        if printed and dims:
            rows = [[f"<b>{self.words.both('ground truth')}</b>", *([heat(printed.truth)] * len(dims))], *rows]
        head = [self.words.both("model"), *(map(str, dims) if dims else "-")]
        foot = f'<div class="foot">{self.copy()}</div>'
        return self.html("result all-models" + (" truth-first" if printed else ""), table(head, rows) + foot)

    def matrix_row(self, model: Model, answer: dict[int, float] | SpaceError, dims: Sequence[int]) -> list[str]:
        """The cells of a model in that table: its scores, or why it has none."""
        title = f"<bdi>{escape(model.title)}</bdi>"
        if isinstance(answer, SpaceError):
            return [title, f"<small>{self.words.both(answer.text, **answer.values)}</small>"]
        return [title, *(heat(f"{answer[dim]:.3f}") if dim in answer else "" for dim in dims)]


def heat(score: str) -> str:
    """A number, 0 to 1, on a ground that is the darker the higher it is."""
    return f'<span class="heat" dir="ltr" style="--v:{fraction(score) or 0:.2f}">{escape(score)}</span>'


def fraction(text: str) -> float | None:
    """The number from 0 to 1 that a text is; below 0 it is 0. None: it is none, or above 1."""
    if not re.fullmatch(r"-?\d*\.?\d+", text.strip()):
        return None
    value = float(text)
    return max(value, 0.0) if value <= 1 else None


def bar(score: float, marks: str = "") -> str:
    """A track filled as far as a cosine goes; below zero it is empty. Marks are HTML already."""
    fill = f'<span class="fill" style="width:{max(0.0, min(score, 1.0)):.1%}"></span>'
    return f'<span class="track"><span class="groove">{fill}</span>{marks}</span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML of cells that are HTML already.

    The first column is text, the others are numbers; a short row's last cell fills it.
    """

    def filled(cells: Sequence[str], tag: str) -> str:
        first, *numbers, last = cells
        rest = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in numbers)
        span = len(head) - len(cells) + 1
        start = f"<th>{first}</th>" if tag == "th" and first else f"<td>{first}</td>"
        return f'<tr>{start}{rest}<{tag} class="number" colspan="{span}">{last}</{tag}></tr>'

    body = "".join(filled(row, "td") for row in rows)
    inside = f"<table><thead>{filled(head, 'th')}</thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" role="group" tabindex="0">{inside}</div>'  # the keyboard reaches columns that do not fit


def block(content: str, *, elem_id: str | None = None, render: bool = True) -> gr.HTML:
    """A piece of the page with this HTML."""
    return gr.HTML(content, elem_id=elem_id, render=render, apply_default_css=False)
