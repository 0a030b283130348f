"""The Spaces of a lab: demos of its models, as a publication has them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.cards import thumbnail
from zoo.cards.about import about
from zoo.cards.readme import space_card
from zoo.cards.voice import languages_of
from zoo.errors import PublishError
from zoo.evidence.published import PAIRS, printed_rows
from zoo.evidence.scores import ScoreFile
from zoo.evidence.snippets import sentences_of
from zoo.layout import TRAIN
from zoo.models.foreign.carried import CarriedCode, carried_code, recorded_files
from zoo.pipeline.build import Build
from zoo.pipeline.collected import offered_by
from zoo.pipeline.offered import entry_of
from zoo.pipeline.searched import VECTORS, searched_files
from zoo.publish.desired.digests import Digests
from zoo.publish.desired.release import Content, Release, Settings, space_release
from zoo.recipe import Dataset, Recipe
from zoo.recipe.family import Space
from zoo.remote import api, explained


@dataclass(frozen=True)
class Publication:
    """The publication that a Space is part of."""

    build: Build
    account: str
    members: Sequence[Recipe]
    """The recipes whose models go along."""
    ready: Collection[str]
    """The names of all recipes that are built."""
    known: Digests
    datasets: Collection[str] = ()
    """The names of the datasets that go along."""
    private: bool = False
    """Whether new repositories are made as private ones."""


def demo(publication: Publication, space: Space) -> Release:
    """Return a demo: it offers the models of this publication and those that are on the Hub already, as far as it names
    them.
    """
    build, account = publication.build, publication.account
    workspace = build.workspace
    app = _app(build, space.app)
    names = offered_by(workspace, space.repo)
    offered = on_the_hub(publication, names)
    if not offered:
        problem = f"space '{account}/{space.repo}' would offer no model: none is on the Hub"
        raise PublishError(problem, hint=f"zoo publish {names[0]}{build.as_typed}")
    carried = {f"{account}/{recipe.release.repo}": _carried(build, recipe, app, space) for recipe in offered}
    left_out = {model: why for model, (_, why) in carried.items() if why}
    if len(left_out) == len(offered):
        model, why = next(iter(left_out.items()))
        raise PublishError(f"space '{account}/{space.repo}' would offer no model: {model} is left out, as {why}")
    offered = [recipe for recipe in offered if f"{account}/{recipe.release.repo}" not in left_out]
    scores = {
        f"{account}/{recipe.release.repo}": build.elsewhere.get(recipe.name) or build.scores(recipe.name)
        for recipe in offered
    }
    repo_id = f"{account}/{space.repo}"
    more = searched_files(build, repo_id, offered, publication.datasets, private=publication.private)
    picture = _picture(space, offered, scores)
    collection = workspace.collection_of(names[0])
    card = space_card(
        repo_id,
        space,
        scores,
        [f"{account}/{one.release.repo}" for one in used_by(offered).values() if one.release],
        workspace.folders("cards"),
        licence=workspace.families[workspace.family_of(names[0])].license,
        sdk_version=_sdk_version(app),
        with_code=[model for model, (code, _) in carried.items() if code and model not in left_out],
        left_out=left_out,
        papers=list({one.url: one for recipe in offered if (one := recipe.release.paper)}.values()),
        collection=collection.title if collection else "",
        picture=thumbnail.FILE if picture else None,
        examples=sentences_of(offered[0].release),
    )
    return space_release(
        repo_id,
        space.repo if len(workspace.spaces) > 1 else space.app,
        app,
        card=card,
        models=[
            entry_of(model, found, carried[model][0], _vectors_of(model, more))
            for model, found in scores.items()
            if found.subject("self")
        ],
        more={**more, thumbnail.FILE: picture} if picture else more,
        settings=Settings(space.hardware, space.sleep, space.variables, tuple(space.secrets)),
        note=space.summary,
        about=about(space.title, [one.release for one in offered], printed_rows(workspace.recipes, PAIRS)),
        digests=publication.known,
    )


def _picture(space: Space, offered: Sequence[Recipe], scores: Mapping[str, ScoreFile]) -> bytes | None:
    """The picture of a Space, as PNG; None where nothing was measured."""
    measured = [(model, found, subject) for model, found in scores.items() if (subject := found.subject("self"))]
    drawn = [
        thumbnail.Drawn(model.split("/")[1], found.headline(subject.name, subject.full).value, subject.dims)
        for model, found, subject in measured
    ]
    if not drawn:
        return None
    arabic = any("ar" in languages_of(recipe.release) for recipe in offered)
    rehearsal = any(found.miniature for found in scores.values())
    return thumbnail.thumbnail(space.title, space.summary, drawn, arabic=arabic, rehearsal=rehearsal)


def _carried(build: Build, recipe: Recipe, app: Path, space: Space) -> tuple[CarriedCode | None, str | None]:
    """The code that a model carries, and why the Space leaves the model out; None and None for one without code."""
    if recipe.base.remote_code is None:
        return None, None
    if not build.folder(recipe.name).finished(TRAIN):
        return None, "what code it carries is not known on this machine"
    code = carried_code(recipe.base, build.model(recipe.name), recorded_files(build.receipt(recipe.name, TRAIN)))
    if code and space.secrets:
        return code, f"its code could read the Space's secret '{space.secrets[0]}'"
    text = (app / "requirements.txt").read_text("utf-8").lower().replace("_", "-")
    required = set(re.findall(r"^[a-z0-9.-]+", text, re.MULTILINE))
    if code and (missing := [package for package in code.packages if package.lower() not in required]):
        return code, f"its code needs {missing[0]}, which {app.name}/requirements.txt does not name"
    return code, None


def _app(build: Build, name: str) -> Path:
    places = (folder / name for folder in build.workspace.folders("spaces"))
    app = next((place for place in places if (place / "app.py").is_file()), None)
    if app is None:
        raise PublishError(f"no app '{name}' in spaces/", hint="correct space.app in recipes/, then `zoo check`")
    return app


def _vectors_of(model: str, more: Mapping[str, Content]) -> str | None:
    """The file of a model's vectors of the corpus; None: there is none."""
    path = f"{VECTORS}/{model.split('/')[1]}.safetensors"
    return path if path in more else None


def on_the_hub(publication: Publication, names: Collection[str]) -> list[Recipe]:
    """Return those of the recipes whose models go along in a publication, or are on the Hub already."""
    build, account = publication.build, publication.account
    going = {member.name for member in publication.members}
    return [
        recipe
        for recipe in (build.workspace.recipe(name, scale=build.scale) for name in names)
        if recipe.name in going
        or recipe.name in build.elsewhere
        or (recipe.name in publication.ready and _exists(f"{account}/{recipe.release.repo}"))
    ]


def _sdk_version(app: Path) -> str:
    """The gradio that the app's own requirements pin: the Space's card must ask for the same."""
    found = re.search(
        r"^gradio(?:\[[^\]]*\])?==([\d.]+)\s*$", (app / "requirements.txt").read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        hint = "write gradio==<version> on a line of its own"
        raise PublishError(f"'{app.name}/requirements.txt' does not pin gradio", hint=hint)
    return found[1]


def _exists(repo_id: str) -> bool:
    with explained(f"look for '{repo_id}'"):
        return api().repo_exists(repo_id)


def used_by(recipes: Sequence[Recipe]) -> dict[str, Dataset]:
    """Return all datasets that recipes and their parents were trained on, by name."""
    members = (member for recipe in recipes for member in recipe.lineage)
    found = {name: dataset for member in members for name, dataset in member.datasets.items()}
    return dict(sorted(found.items()))
