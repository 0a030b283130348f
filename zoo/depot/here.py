"""The stages of recipes and datasets on this machine: which there can be, and those that are finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from zoo.depot.kept import ROWS, KeptStage
from zoo.errors import PublishError
from zoo.layout import BESIDE, CHECK, DATA, EVALUATE
from zoo.pipeline.build import Build
from zoo.pipeline.stages import OF_RECIPES, STAGES
from zoo.run import file_digest, first_difference
from zoo.stage import NamedDataset, Node


def nodes_of(build: Build, names: Sequence[str]) -> list[Node]:
    """Every stage of these recipes and datasets and of all that they need, each after what it needs.

    Without a name, of the whole workspace.

    Raises:
        RecipeError: there is no recipe or dataset of a name.
    """
    workspace, scale = build.workspace, build.scale
    recipes = [name for name in names if name not in workspace.datasets] if names else workspace.names
    found = [workspace.recipe(name, scale=scale) for name in recipes]
    named = [name for name in names if name in workspace.datasets] if names else list(workspace.datasets)
    data = [Node(DATA, NamedDataset(name, workspace.dataset(name, scale=scale))) for name in named]
    members = {member.name: member for recipe in found for member in recipe.lineage}.values()
    return build.ordered([*data, *(Node(stage, member) for stage in OF_RECIPES for member in members)])


def checks_of(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """(name, stage) of what `zoo data check` leaves of the datasets, which is no stage of a build."""
    return [(node.name, CHECK) for node in nodes if node.stage == DATA]


def kept_here(build: Build, name: str, stage: str) -> KeptStage | None:
    """A finished stage of this machine as the repository would keep it; None when it is not finished.

    Raises:
        PublishError: somebody edited one of its files.
    """
    run = build.folder(name)
    if not run.finished(stage):
        return None
    receipt = build.receipt(name, stage)
    if edited := run.edited(stage):
        place = (run.stage(stage) / edited[0]).relative_to(build.workspace.root)
        again = f"zoo data build {name}" if stage == DATA else f"zoo build {name} --force {stage}"
        raise PublishError(f"'{place}' is not as zoo made it", hint=f"{again}{build.as_typed}")
    folder = run.stage(stage)
    return KeptStage(
        scale=build.scale,
        name=name,
        stage=stage,
        made_from=receipt.made_from,
        made=receipt.made,
        seconds=receipt.seconds,
        circumstances=receipt.circumstances,
        doubts=receipt.doubts,
        beside={path.name: file_digest(path) for path in sorted(folder.glob("*")) if _goes_along(build, path)},
        rows=_rows(build, name) if stage == EVALUATE else {},
    )


def _goes_along(build: Build, path: Path) -> bool:
    """True for a journal or a report beside what was made, unless it names a folder of this machine."""
    return path.name in BESIDE and place_named(build, path.read_bytes()) is None


def place_named(build: Build, text: bytes) -> str | None:
    """The folder of this machine that a text names, which is nobody's business and is nowhere else; None: none."""
    places = [str(build.workspace.root), str(Path.home())]
    return next((one for one in places if one.count("/") > 1 and one.encode() in text), None)  # '/root' is any text's


def _rows(build: Build, name: str) -> dict[str, str]:
    """{path in the folder of the runs: sha256} of the rows behind a model's scores, as cards compare them."""
    beside = [path for rows in build.rows(name).values() for path in sorted(rows.parent.glob(f"{rows.stem}.*"))]
    return {path.relative_to(build.runs).as_posix(): file_digest(path) for path in beside}


def file_here(build: Build, kept: KeptStage, path: str) -> Path:
    """The file of this machine that is kept as `path` in the repository."""
    part, _, rest = path.removeprefix(f"{kept.folder}/").partition("/")
    return (build.runs if part == ROWS else build.place(kept.name, kept.stage)) / rest


def recipe_difference(node: Node, kept: KeptStage) -> str | None:
    """The first thing of a recipe that is not what a stage was made from; None: there is none."""
    today = json.loads(json.dumps(STAGES[node.stage].part(node.item)))
    return first_difference(kept.made_from.get("recipe", {}), today)
