"""README files of models, datasets and Spaces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import CardData, SpaceCardData

from zoo.cards.arabiccounts import rows_in_arabic, tasks_in_arabic
from zoo.cards.datasetview import JUDGING, DatasetCardView, DatasetFacts
from zoo.cards.facts import ModelFacts
from zoo.cards.metadata import dataset_metadata, model_metadata
from zoo.cards.view import ModelCardView, row
from zoo.evidence.scores import LEGEND, TIE_MARGIN, Measured, ScoreFile, as_set
from zoo.markdown import SITE, Markdown, unbroken
from zoo.recipe.family import Space
from zoo.recipe.schema import Paper
from zoo.templates import Filters, Templates, as_markdown


def model_card(facts: ModelFacts, templates: Templates) -> str:
    """The README of a model."""
    view = ModelCardView(facts)
    return _card(model_metadata(facts), "model.md.j2", templates, facts=facts, card=view, margin=TIE_MARGIN)


def dataset_card(facts: DatasetFacts, templates: Templates) -> str:
    """The README of a dataset."""
    view = DatasetCardView(facts)
    told = {name: getattr(facts, name) for name in ("id", "dataset", "source", "report", "parents", "checked")}
    more = {"release": facts.dataset.release, "steps": view.steps, "card": view, "judging": JUDGING}
    return _card(dataset_metadata(facts), "dataset.md.j2", templates, **told, **more)


def space_card(
    repo_id: str,
    space: Space,
    models: Mapping[str, ScoreFile],
    datasets: list[str],
    templates: Templates,
    *,
    licence: str,
    sdk_version: str,
    with_code: Sequence[str] = (),
    left_out: Mapping[str, str] | None = None,
    papers: Sequence[Paper] = (),
    collection: str = "",
    picture: str | None = None,
    examples: Sequence[str] = (),
) -> str:
    """The README of a Space.

    Args:
        models: {Hub id of a model that it offers: its scores}.
        with_code: those of them that run code of their own.
        left_out: {Hub id of a model that it does not offer: why}.
        papers: of its models, each once.
        collection: the title of the lab's collection that lists it.
        picture: the path of its picture in the repository; None = it has none.
        examples: two sentences or more, of which the snippet compares the first two; () = it compares none.
    """
    metadata = SpaceCardData(
        title=space.title,
        emoji=space.emoji,
        colorFrom="green",
        colorTo="blue",
        sdk="gradio",
        sdk_version=sdk_version,
        app_file="app.py",
        pinned=False,
        license=licence,
        models=list(models),
        datasets=datasets,
        short_description=space.summary or None,
        thumbnail=f"{SITE}/spaces/{repo_id}/resolve/main/{picture}" if picture else None,
    )
    rows = [
        {
            "id": model,
            **row(scores, subject, subject.full),
            "dims": subject.dims,
            "suite": scores.suite,
            "changes": as_set(scores.overrides),
        }
        for model, scores in models.items()
        if (subject := scores.subject("self"))
    ]
    miniature = any(scores.miniature for scores in models.values())
    leaked = LEGEND if any(found["mean"].leaked for found in rows) else ""
    facts = {"id": repo_id, "space": space, "models": rows, "miniature": miniature, "leaked": leaked}
    facts |= {"with_code": with_code, "left_out": left_out or {}, "datasets": datasets, "papers": papers}
    facts |= {
        "collection": collection,
        "picture": picture,
        "address": _address(repo_id),
        "site": SITE,
        "examples": examples,
    }
    return _card(metadata, "space.md.j2", templates, **facts)


def _address(repo_id: str) -> str:
    """The address of a Space's own page on the Hub, beside its repository's."""
    return f"https://{re.sub('[^a-z0-9]+', '-', repo_id.lower()).strip('-')}.hf.space"


def _card(metadata: CardData, template: str, templates: Templates, **facts: Any) -> str:
    front = metadata.to_yaml(line_break="\n")
    return f"---\n{front}\n---\n\n{render(template, templates, **facts).strip()}\n"


def _score(found: Measured) -> Markdown:
    return unbroken(found.shown)


def _share(found: Measured) -> Markdown:
    return unbroken(f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]")


def _figure(printed: str | float) -> Markdown:
    return Markdown(f"{float(printed):.2f}")


def _fraction(number: float | None) -> Markdown:
    return Markdown("-" if number is None else f"{number:.2f}")


def _percent(part: float | None) -> Markdown:
    return Markdown("-" if part is None else f"{100 * part:.1f}")


FILTERS: Filters = {
    "score": _score,
    "share": _share,
    "figure": _figure,
    "fraction": _fraction,
    "percent": _percent,
    "rows_in_arabic": rows_in_arabic,
    "tasks_in_arabic": tasks_in_arabic,
}


def render(template: str, templates: Templates, **facts: Any) -> str:
    """The rendered template; every unknown name is an error, and a fact is text unless a filter says otherwise."""
    return as_markdown(template, templates, FILTERS, **facts)
