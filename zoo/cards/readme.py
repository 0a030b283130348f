"""README files of models, datasets and Spaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huggingface_hub import CardData, SpaceCardData

from zoo.cards.facts import ModelFacts
from zoo.cards.metadata import dataset_metadata, model_metadata
from zoo.cards.view import ModelCardView, row
from zoo.errors import CardError
from zoo.evidence.scores import LEGEND, TIE_MARGIN, Measured, ScoreFile, as_set
from zoo.markdown import Markdown
from zoo.options import Options
from zoo.recipe import Dataset, Family
from zoo.steps import STEPS
from zoo.templates import Filters, Templates, as_markdown


def model_card(facts: ModelFacts, templates: Templates) -> str:
    """The README of a model."""
    view = ModelCardView(facts)
    return _card(model_metadata(facts), "model.md.j2", templates, facts=facts, card=view, margin=TIE_MARGIN)


def dataset_card(
    repo_id: str,
    dataset: Dataset,
    sizes: Mapping[str, int],
    templates: Templates,
    *,
    report: Mapping[str, Any],
    source: Mapping[str, Any],
) -> str:
    """The README of a dataset.

    Args:
        sizes: bytes of each split's Parquet file.
        report: what the data stage wrote of the rows.
        source: what the data stage wrote of their source.
    """
    metadata = dataset_metadata(dataset, report, sizes, miniature=source["miniature"])
    facts = {"id": repo_id, "dataset": dataset, "release": dataset.release, "report": report, "source": source}
    return _card(metadata, "dataset.md.j2", templates, **facts, steps=_steps(dataset, report, source.get("models", {})))


def _steps(dataset: Dataset, report: Mapping[str, Any], models: Mapping[str, str]) -> list[dict[str, Any]]:
    """The dataset's steps: {type, options, says, dropped: {split: rows}, facts: {split: in words}}.

    A split's report has them in their order. `models` are the commits of those that steps read texts with.
    """
    counts = {split: list(found["dropped"].items()) for split, found in report.items()}
    return [
        {
            "type": step.type,
            "options": _options(step, models),
            "says": STEPS[step.type].says,
            "dropped": {split: dropped[place][1] for split, dropped in counts.items()},
            "facts": {
                split: ", ".join(f"{number:,} {what}" for what, number in facts.items())
                for split, dropped in counts.items()
                if (facts := report[split].get("facts", {}).get(dropped[place][0]))
            },
        }
        for place, step in enumerate(dataset.steps)
    ]


def _options(step: Options, models: Mapping[str, str]) -> dict[str, Any]:
    """The options of a step that are not as they are by themselves, and the commit of the model that it names."""
    given = step.given()
    given |= {"revision": models[given["model"]]} if given.get("model") in models else {}
    return {key: one for key, one in given.items() if one != type(step).model_fields[key].default}


def space_card(
    repo_id: str,
    family: Family,
    models: Mapping[str, ScoreFile],
    datasets: list[str],
    templates: Templates,
    *,
    sdk_version: str,
) -> str:
    """The README of a Space. `models` holds the scores of those that it offers, by Hub id."""
    space = family.space
    if space is None:
        raise CardError("recipes/family.yaml has no 'space'", hint="add one, or publish without it")
    metadata = SpaceCardData(
        title=space.title,
        emoji=space.emoji,
        colorFrom="green",
        colorTo="blue",
        sdk="gradio",
        sdk_version=sdk_version,
        app_file="app.py",
        pinned=False,
        license=family.license,
        models=list(models),
        datasets=datasets,
        short_description=space.summary or None,
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
    return _card(metadata, "space.md.j2", templates, **facts)


def _card(metadata: CardData, template: str, templates: Templates, **facts: Any) -> str:
    front = metadata.to_yaml(line_break="\n")
    return f"---\n{front}\n---\n\n{render(template, templates, **facts).strip()}\n"


def _score(found: Measured) -> Markdown:
    return Markdown(found.shown)


def _share(found: Measured) -> Markdown:
    return Markdown(f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]")


def _figure(printed: str | float) -> Markdown:
    return Markdown(f"{float(printed):.2f}")


FILTERS: Filters = {"score": _score, "share": _share, "figure": _figure}


def render(template: str, templates: Templates, **facts: Any) -> str:
    """The rendered template; every unknown name is an error, and a fact is text unless a filter says otherwise."""
    return as_markdown(template, templates, FILTERS, **facts)
