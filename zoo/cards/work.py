"""Writes a model's card, and draws how it was trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.cards.facts import BesideModel, ModelFacts
from zoo.cards.ingredients import doubts_of, names_of
from zoo.cards.pictures import draw_sizes, kept_lines
from zoo.cards.readme import model_card
from zoo.curves.curve import TrainingCurve, phases_of_log
from zoo.curves.pictures import draw_curves
from zoo.evidence.fragments import read_fragments
from zoo.evidence.overlap import read_overlap
from zoo.evidence.scores import REHEARSAL, ScoreFile, read_scores
from zoo.evidence.siblings import MeasuredModel, against
from zoo.layout import CONTAMINATION, CURVE, DATA_REPORT, EVALUATE, KEPT, MODEL, OVERLAP, README, TRAIN_LOG
from zoo.losses import models_of
from zoo.models.foreign.carried import carried_code
from zoo.recipe import Recipe
from zoo.say import SILENT, Progress


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Fill the template with what the other stages left.

    Args:
        spec: {recipe, account, runs: folder, templates: folders, stages: {name: folder}, trained: {recipe: its train
            stage}, models: {recipe: {title: commit}, of those that its losses name}, drawn: {picture: file} of those
            that are there, versions: {library: version} of the training, data: {dataset: folder}, rows: {task: file},
            family: [{scores, rows} of a sibling], printed and official: rows that others printed}.

    Raises:
        CardError: the template asks for what was not measured, or is not a template.
    """
    templates = [Path(place) for place in spec["templates"]]
    facts = facts_of(spec)
    (folder / README).write_text(model_card(facts, templates), "utf-8")
    drawn = {} if spec.get("fresh") else spec["drawn"]
    for name, draw in pictures_of(facts).items():
        (folder / name).write_bytes(Path(drawn[name]).read_bytes() if name in drawn else draw())


def pictures_of(facts: ModelFacts) -> dict[str, Callable[[], bytes]]:
    """{picture that the card shows: what draws it}."""
    curve = curve_of(facts)
    found: dict[str, Callable[[], bytes]] = {CURVE: lambda: draw_curves([curve], "png")}
    return found | ({KEPT: lambda: draw_sizes(facts.scores, curve.rehearsal)} if kept_lines(facts.scores) else {})


def curve_of(facts: ModelFacts) -> TrainingCurve:
    """The curve of the model's own phases, with the mark of a rehearsal where it is one."""
    recipe, miniature = facts.recipe, facts.scores.miniature
    mark = REHEARSAL if miniature else None if recipe.scale == "full" else f"rehearsal: scale '{recipe.scale}'"
    return TrainingCurve(recipe.name, phases_of_log(facts.logs[recipe.name]), mark)


def facts_of(spec: Mapping[str, Any]) -> ModelFacts:
    """All that the card may say, read from the stages' files."""
    recipe = Recipe.model_validate(spec["recipe"])
    stages = {name: Path(place) for name, place in spec["stages"].items()}
    names = names_of(recipe, spec["account"])
    mine = MeasuredModel(read_scores(stages[EVALUATE]), _paths(spec["rows"]))
    family = [MeasuredModel(ScoreFile.model_validate(one["scores"]), _paths(one["rows"])) for one in spec["family"]]
    return ModelFacts(
        id=names.model,
        parent=names.parent,
        datasets=names.datasets,
        every_dataset=names.every_dataset,
        recipe=recipe,
        scores=mine.scores,
        family=[one.scores for one in family],
        siblings=against(mine, family),
        reports={name: _json(Path(place) / DATA_REPORT) for name, place in spec["data"].items()},
        contamination=read_overlap(stages[CONTAMINATION] / OVERLAP),
        logs={name: _json(Path(place) / TRAIN_LOG) for name, place in spec["trained"].items()},
        training=spec["training"],
        versions=spec["versions"],
        published=spec["printed"],
        official=spec["official"],
        doubts=doubts_of(recipe, Path(spec["runs"])),
        beside=_beside(recipe, spec["models"]),
        words=read_fragments(stages[EVALUATE]),
        code=carried_code(recipe.base, Path(spec["trained"][recipe.name]) / MODEL, spec["recorded"]),
    )


def _beside(recipe: Recipe, commits: Mapping[str, Mapping[str, str]]) -> list[BesideModel]:
    found = [
        BesideModel(role, model.model, commits[member.name][model.title])
        for member in recipe.lineage
        for model, role in models_of(member.phases).items()
    ]
    return list(dict.fromkeys(found))


def _paths(rows: Mapping[str, str]) -> dict[str, Path]:
    return {task: Path(path) for task, path in rows.items()}


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
