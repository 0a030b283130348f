"""What `zoo check` tells of models in folders: their small files against their recipes. No Hub is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from zoo.errors import TrainError
from zoo.hub.frontmatter import KeyPath
from zoo.ids import is_folder
from zoo.inquiry.answers import Inquiry, Question, Told, answered, told_by_file
from zoo.inquiry.base import small_files_told, unloadable
from zoo.models.folder import deciding_files, folder_named, why_missing
from zoo.models.foreign.asked import ELSEWHERE, Read, reader
from zoo.models.identity import ModelSource, base_source
from zoo.models.shape import refuse_pointers
from zoo.recipe import Workspace
from zoo.recipe.schema import Base, RivalModel


def look_into_folders(space: Workspace, names: Collection[str]) -> Told:
    """Compare what these recipes and their parents say of models in folders with those. No Hub is asked.

    Raises:
        RecipeError: a recipe cannot be resolved.
    """
    members = {one.name for name in names for one in space.recipe(name).lineage}
    asked = []
    for name, file in space.bases.items():
        variants = {made: one for made, one in file.variants.items() if f"{name}-{made}" in members}
        if file.base.in_folder and variants:
            asked.append(Question(name, ("base", "model"), partial(folder_told, file.base, space.root)))
        for made, variant in variants.items():
            asked += _of_rivals(name, ("variants", made, "evaluation", "rivals"), variant.evaluation.rivals, space.root)
    with space.in_use():
        return told_by_file(space, [(question, answered(question)) for question in asked])


def _of_rivals(file: str, at: KeyPath, rivals: Sequence[str | RivalModel], root: Path) -> Iterator[Question]:
    for index, one in enumerate(rivals):
        if isinstance(one, RivalModel) and is_folder(one.model):
            place = (*at, index, "model")
            yield Question(file, place, partial(_rival_told, place, one.model, folder_named(one.model, root)))


def _rival_told(at: KeyPath, model: str, folder: Path) -> Inquiry:
    if problem := why_missing(model, folder):
        return Inquiry([(at, f"{problem[0]}; {problem[1]}")])
    source = ModelSource(kind="folder", place=model, weights="")
    return Inquiry([(at, told) for told in unloadable(source, deciding_files(folder), _own(reader(str(folder))))])


def folder_told(base: Base, root: Path) -> Inquiry:
    """Compare what a recipe says of its base model with the small files in its folder.

    Args:
        root: the workspace, which must be in use.
    """
    folder = folder_named(base.model, root)
    if problem := why_missing(base.model, folder):
        return Inquiry([(("base", "model"), f"{problem[0]}; {problem[1]}")])
    try:
        refuse_pointers(base_source(base, ""))
    except TrainError as refused:
        return Inquiry([(("base", "model"), f"{refused.message}; {refused.hint}")])
    return small_files_told(base, deciding_files(folder), _own(reader(str(folder))))


def _own(read: Read) -> Read:
    """Reads a folder's files but for those that name another model, for which a Hub would be asked: a build does."""
    return lambda path: None if PurePosixPath(path).name in ELSEWHERE else read(path)
