"""Leaderboards as Spaces: a page that nothing runs, with the data behind it, of models that are published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from huggingface_hub import SpaceCardData

from zoo.cards.readme import render
from zoo.cards.voice import speaks_arabic
from zoo.errors import PublishError
from zoo.evidence.scores import ScoreFile
from zoo.layout import EVALUATE
from zoo.leaderboard.formats import csvtable, htmlpage, jsontable
from zoo.leaderboard.ours import Ours
from zoo.leaderboard.table import Table, Text
from zoo.leaderboard.tables import TABLES, Board, tables
from zoo.pipeline.elsewhere import published_scores
from zoo.pipeline.spaces import Publication
from zoo.publish.desired.release import CARD, STATIC, Release, page_release
from zoo.recipe.family import Leaderboard
from zoo.remote import endpoint, is_local
from zoo.run import Run

PAGE, CSV, JSON, MODELS = "index.html", "leaderboard.csv", "leaderboard.json", "models.json"
SHOWN = [name for name in TABLES if name != "2"]
"""The tables of a family of the paper; the second counts rows of datasets that are built here, published or not."""


def leaderboard_space(publication: Publication, wanted: Leaderboard) -> Release:
    """Return the Space of a family's leaderboard.

    A model is on it when it is part of this publication or is published already; one that is only built is not. Of
    those that are not part of this publication, the scores are the published ones.

    Raises:
        PublishError: no model of the family is or would be published. HubError: the Hub cannot be asked.
    """
    workspace, account = publication.build.workspace, publication.account
    repo_id = f"{account}/{wanted.repo}"
    names = workspace.ranked_by(wanted.repo)
    found = _scores(publication, names)
    if not found:
        problem = f"leaderboard '{repo_id}' would show no model: none is on the Hub"
        hint = f"zoo publish {names[0]}{publication.build.as_typed}" if names else "add a recipe of its family"
        raise PublishError(problem, hint=hint)
    board = _board(publication, found)
    made = tables(board, SHOWN if board.paper else ())
    repos = {name: workspace.recipe(name).release.repo for name in found}
    models = [f"{account}/{repo}" for repo in repos.values()]
    licence = workspace.families[workspace.family_of(names[0])].license
    files = {
        PAGE: _page(publication, wanted, made, list(found)).encode(),
        CSV: csvtable.render(made).encode(),
        JSON: jsontable.render(made).encode(),
        MODELS: (json.dumps([{"id": model} for model in models], indent=1) + "\n").encode(),
        CARD: _card(publication, wanted, made, models, licence).encode(),
    }
    return page_release(repo_id, files, needs=models, note=wanted.summary)


def _scores(publication: Publication, names: Sequence[str]) -> dict[str, ScoreFile]:
    """Return {recipe: its scores}: of members as they were built, of others as they were published."""
    build = publication.build
    going = {member.name for member in publication.members}
    others = [name for name in names if name not in going and name not in build.elsewhere]
    ready = [build.workspace.recipe(name, scale=build.scale) for name in others if name in publication.ready]
    there = {**build.elsewhere, **published_scores(publication.account, ready)}
    found = {name: build.scores(name) if name in going else there.get(name) for name in names}
    return {name: scores for name, scores in found.items() if scores}


def _board(publication: Publication, found: Mapping[str, ScoreFile]) -> Board:
    build = publication.build
    files = [(_of_published(scores, found), _results(publication, name)) for name, scores in found.items()]
    real = [pair for pair in files if not pair[0].miniature]
    return Board(build.workspace, build.scale, Ours(real or files), tuple(found))


def _of_published(scores: ScoreFile, published: Mapping[str, ScoreFile]) -> ScoreFile:
    """Return the scores without those of recipes here that are not published: they stood beside as rivals."""
    ours = {f"zoo/{name}" for name in published}
    kept = [
        one for one in scores.subjects if not one.name.startswith("zoo/") or one.role == "baseline" or one.name in ours
    ]
    names = {one.name for one in kept}
    correlations = [one for one in scores.correlations if one.model in names]
    return scores.model_copy(update={"subjects": kept, "correlations": correlations})


def _results(publication: Publication, name: str) -> Path:
    """Return the folder with the rows behind a model's scores; one that is not there for what was built elsewhere."""
    build = publication.build
    run: Run = build.folder(name)
    receipt = run.receipt(EVALUATE)
    return run.folder.parent / "mteb" / str(receipt.made_from.get("hub", "") if receipt else "")


def _page(publication: Publication, wanted: Leaderboard, made: Sequence[Table], names: Sequence[str]) -> str:
    workspace = publication.build.workspace
    return htmlpage.render(
        made,
        title=Text(wanted.title, f"لوحة نتائج {workspace.families[workspace.family_of(names[0])].name}"),
        templates=workspace.folders("cards"),
        arabic=speaks_arabic(workspace.described(name) for name in names),
        files=(CSV, JSON),
        links={
            repo: _address(f"{publication.account}/{repo}")
            for repo in (workspace.recipe(name).release.repo for name in names)
        },
    )


def _address(model: str) -> str:
    """Return the address of a model's page; on the local Hub without its port, which changes."""
    return f"/{model}" if is_local() else f"{endpoint()}/{model}"


def _card(
    publication: Publication, wanted: Leaderboard, made: Sequence[Table], models: Sequence[str], licence: str
) -> str:
    metadata = SpaceCardData(
        title=wanted.title,
        emoji=wanted.emoji,
        colorFrom="green",
        colorTo="blue",
        sdk=STATIC,
        app_file=PAGE,
        pinned=False,
        license=licence,
        models=list(models),
        short_description=wanted.summary or None,
    )
    rehearsal = any(table.rehearsal for table in made)
    templates = publication.build.workspace.folders("cards")
    body = render("board.md.j2", templates, board=wanted, models=models, rehearsal=rehearsal).strip()
    return f"---\n{metadata.to_yaml(line_break=chr(10))}\n---\n\n{body}\n"
