"""The tab that tells what the models are: what they were measured at, and where they and their paper are."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr
from catalogue import Model, Scores, Task, hub
from pieces import block, table
from words import Count

from tabs.shared import Shared

TAB = "models"
NAME = "Models"
Interval = tuple[float, float, float]


class ModelsTab:
    """The models with their measured quality and links."""

    tab, name = TAB, NAME

    def __init__(self, shared: Shared) -> None:
        self.shared, self.words, self.pieces = shared, shared.words, shared.pieces

    def render(self, _: gr.Blocks) -> None:
        """Lay out the tab: nothing in it is asked for."""
        block(self.html(), elem_id="models-result")

    def html(self) -> str:
        """The whole tab."""
        models = sorted(self.shared.models, key=lambda one: -best(one))
        measured = [model for model in models if model.scores]
        parts = [
            self.rehearsal(measured),
            self.overview(models),
            self.explained(measured),
            *(self.detail(model, model.scores) for model in measured if model.scores),
            self.links(models),
        ]
        return self.pieces.html("result models", "".join(parts))

    def overview(self, models: Sequence[Model]) -> str:
        """A table with a row for each model."""
        both = self.words.both
        head = [
            both("model"),
            both("dimensions"),
            both("mean at the full size"),
            both("mean at the smallest"),
            both("parameters"),
            *([both("revision")] if any(model.revision for model in models) else []),
        ]
        return table(head, [self.row(model)[: len(head)] for model in models])

    def row(self, model: Model) -> list[str]:
        """A model's cells."""
        scores = model.scores
        sizes = list(scores.mean.values()) if scores else []
        return [
            linked(model),
            f'<span dir="ltr">{", ".join(map(str, model.dims)) or "-"}</span>',
            interval(sizes[0]) if sizes else "-",
            interval(sizes[-1]) if len(sizes) > 1 else "-",
            f'<span dir="ltr">{scores.parameters / 1e6:,.1f} M</span>' if scores and scores.parameters else "-",
            f"<code>{model.revision[:8]}</code>" if model.revision else "-",
        ]

    def explained(self, measured: Sequence[Model]) -> str:
        """Tell what the numbers are; nothing when there are none."""
        scores = next((model.scores for model in measured if model.scores), None)
        if scores is None:
            return self.words.paragraph("Nobody has measured these models yet.")
        said = "Mean of {tasks} ({suite}), 0 to 100, with the ends of its 95 % interval."
        told = [self.words.paragraph(said, tasks=Count(scores.over, "task"), suite=scores.suite)]
        if scores.baseline is not None:
            base = "One that only counts characters gets {score} on the same tasks."
            told.append(self.words.paragraph(base, score=f"{scores.baseline:.2f}"))
        return f'<div class="quiet">{"".join(told)}</div>'

    def rehearsal(self, measured: Sequence[Model]) -> str:
        """Tell that these numbers say nothing, where they were measured on generated data."""
        if not any(model.scores and model.scores.rehearsal for model in measured):
            return ""
        said = self.words.paragraph("A rehearsal on generated data: these numbers say nothing about real text.")
        return f'<div class="doubt" role="note">{said}</div>'

    def detail(self, model: Model, scores: Scores) -> str:
        """A model's tasks at every size, folded."""
        dims = list(scores.mean)
        rows = [
            [self.task(task), *(interval(task.dims[dim]) if dim in task.dims else "-" for dim in dims)]
            for task in scores.tasks
        ]
        rows.append([f"<b>{self.words.both('mean')}</b>", *(interval(scores.mean[dim]) for dim in dims)])
        head = [self.words.both("task"), *(f'<span dir="ltr">{dim}</span>' for dim in dims)]
        what = self.words.both("every task at every size")
        return f"<details><summary><bdi>{escape(model.title)}</bdi>: {what}</summary>{table(head, rows)}</details>"

    def task(self, task: Task) -> str:
        """A task's name, its rows, and how many of them the model may have seen."""
        rows = self.words.both("{rows:,} rows", rows=task.rows)
        seen = f" · {self.words.both('{rows:,} of them also in training', rows=task.leaked)}" if task.leaked else ""
        return f"<bdi>{escape(task.title)}</bdi><br><small>{rows}{seen}</small>"

    def links(self, models: Sequence[Model]) -> str:
        """The paper, and what else the models' owners have."""
        paper = self.shared.about.paper
        owners = dict.fromkeys(owner for model in models if (owner := owner_of(model)))
        found = [f'<a href="{escape(paper.url)}"><bdi>{escape(paper.name)}</bdi></a>'] if paper.url else []
        found += [
            f'<a href="{hub()}/{escape(owner)}">{self.words.both("Models and collections of {owner}", owner=owner)}</a>'
            for owner in owners
        ]
        return f"<p>{' · '.join(found)}</p>" if found else ""


def owner_of(model: Model) -> str | None:
    """The owner of a model on the Hub; None for a folder."""
    owner, slash, name = model.id.partition("/")
    return owner if slash and owner and name and "/" not in name and not Path(model.id).exists() else None


def linked(model: Model) -> str:
    """A model's title, linked to its page where it has one, and its id."""
    title, known = f"<bdi>{escape(model.title)}</bdi>", f'<small dir="ltr">{escape(model.id)}</small>'
    if owner_of(model) is None:
        return f"{title}<br>{known}"
    return f'<a href="{hub()}/{escape(model.id)}">{title}</a><br>{known}'


def interval(score: Interval) -> str:
    """A score with the ends of its interval below it, on a line that does not break."""
    value, low, high = score
    return f'<span dir="ltr">{value:.2f}<br><small class="nowrap">{low:.2f}\u2013{high:.2f}</small></span>'


def best(model: Model) -> float:
    """A model's mean at the full size; below all others when nobody measured it."""
    return next(iter(model.scores.mean.values()))[0] if model.scores else -1.0
