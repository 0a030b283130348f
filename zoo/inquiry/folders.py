"""What `zoo check` tells of base models in folders: their small files against their recipes. No Hub is asked."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path, PurePosixPath

from zoo.errors import TrainError
from zoo.inquiry.answers import Inquiry, Question, Told, answered, told_by_file
from zoo.inquiry.base import small_files_told
from zoo.models.folder import base_folder, deciding_files, why_missing
from zoo.models.foreign.asked import ELSEWHERE, Read, reader
from zoo.models.identity import base_source
from zoo.models.shape import refuse_pointers
from zoo.recipe import Workspace
from zoo.recipe.schema import Base


def look_into_folders(space: Workspace, names: Collection[str]) -> Told:
    """Compare what these recipes and their parents say of base models in folders with those. No Hub is asked.

    Raises:
        RecipeError: a recipe cannot be resolved.
    """
    members = {one.name for name in names for one in space.recipe(name).lineage}
    asked = []
    for name, file in space.bases.items():
        if file.base.in_folder and any(f"{name}-{variant}" in members for variant in file.variants):
            ask = partial(folder_told, file.base, base_folder(file.base, space.root))
            asked.append(Question(name, ("base", "model"), ask))
    with space.in_use():
        return told_by_file(space, [(question, answered(question)) for question in asked])


def folder_told(base: Base, folder: Path) -> Inquiry:
    """Compare what a recipe says of its base model with the small files in its folder."""
    if problem := why_missing(base, folder):
        return Inquiry([(("base", "model"), f"{problem[0]}; {problem[1]}")])
    try:
        refuse_pointers(base_source(base, ""))
    except TrainError as refused:
        return Inquiry([(("base", "model"), f"{refused.message}; {refused.hint}")])
    return small_files_told(base, deciding_files(folder), _own(reader(str(folder))))


def _own(read: Read) -> Read:
    """Reads a folder's files but for those that name another model, for which a Hub would be asked: a build does."""
    return lambda path: None if PurePosixPath(path).name in ELSEWHERE else read(path)
