"""Files that a dataset's recipe names: which ones a pattern finds, and how each of them is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from glob import glob, has_magic
from os.path import expanduser
from pathlib import Path
from shlex import quote
from typing import Literal

from zoo.errors import DataError
from zoo.recipe.dataset import Source
from zoo.recipe.yamlfile import shown

Form = Literal["json", "csv", "tsv", "parquet", "arrow"]
FORMS: Mapping[str, Form] = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
}
PACKINGS = (".gz", ".bz2", ".xz", ".zst")
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "eval", "evaluation"),
}
"""Our splits, and what others call them."""
WAYS = {
    ".xlsx": "save the sheet as 'CSV UTF-8', and name that file",
    ".xls": "save the sheet as 'CSV UTF-8', and name that file",
    ".ods": "save the sheet as CSV in UTF-8, and name that file",
    ".zip": "unzip it, and name the files in it",
    ".tar": "unpack it, and name the files in it",
    ".txt": "rename it to .tsv or .csv, if its first line names columns",
}


SHOWN = 5  # names of files in a message


@dataclass(frozen=True)
class LocalFile:
    """A file of rows."""

    path: Path
    form: Form
    packing: str
    """The suffix that says how it is compressed; empty = it is not."""

    @property
    def title(self) -> str:
        """The path for messages, as people would type it."""
        return shown(self.path)


def local_files(source: Source, place: Path) -> dict[str, list[LocalFile]]:
    """{our split: its files, in the order of their names} of a source that has a `path`.

    Args:
        place: the folder that the recipe is in.

    Raises:
        DataError: a pattern finds no file, or one that nothing here reads; or a file would be read twice.
    """
    assert source.path is not None
    named = source.path if isinstance(source.path, dict) else {"train": source.path}
    found = {
        str(split): list(_found([many] if isinstance(many, str) else many, place)) for split, many in named.items()
    }
    _refuse_twice(found)
    return found


def files_read_as_one(source: Source, found: Mapping[str, Sequence[LocalFile]]) -> str | None:
    """The doubt about one pattern whose files are named as splits, with the way out; None when nothing is."""
    if not isinstance(source.path, str):
        return None
    named = {ours: file for file in found["train"] if (ours := split_like(file.path.name.split(".")[0]))}
    if len(named) < 2:
        return None
    folder = Path(source.path) if not has_magic(source.path) else Path(source.path).parent
    way = ", ".join(f"{ours}: {(folder / file.path.name).as_posix()}" for ours, file in named.items())
    return f"'{source.path}' finds files of {' and of '.join(named)}, and all would be train; write path: {{{way}}}"


def split_like(name: str) -> str | None:
    """Our split that a name of a split or of a file speaks of, as in `validation_matched`; None when of none."""
    words = set(re.split(r"[^a-z]+", name.casefold()))
    return next((ours for ours, names in SPLIT_NAMES.items() if words & {ours, *names}), None)


def _found(patterns: Sequence[str], place: Path) -> Iterator[LocalFile]:
    for pattern in map(expanduser, patterns):
        paths = _paths(pattern, place)
        if not paths:
            raise _none(pattern, place)
        yield from (_file(path) for path in paths)


def _paths(pattern: str, place: Path) -> list[Path]:
    """The files of a pattern. A name with brackets in it may be a file's; of a folder, what is no data is left out.

    Raises:
        DataError: one of them is a link to a file that is not there.
    """
    there = place / pattern
    if there.is_dir():
        found = [path for path in there.iterdir() if _form(path) and path.name[0] not in "._"]
    elif there.is_file() or there.is_symlink():
        found = [there]
    else:
        names = glob(pattern, root_dir=place, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        found = [place / name for name in names]
    if lost := next((path for path in found if path.is_symlink() and not path.exists()), None):
        hint = f"fetch that file, or remove the link: rm {quote(_typed(lost))}"
        raise DataError(f"'{_typed(lost)}' is a link to '{lost.readlink()}', which is not there", hint=hint)
    return sorted(path for path in found if path.is_file())


def _typed(path: Path) -> str:
    """The path of a link, and not of what it leads to."""
    return (Path(shown(path.parent)) / path.name).as_posix()


def _none(pattern: str, place: Path) -> DataError:
    there = place / pattern
    if there.is_dir():
        problem = f"folder '{shown(there)}' has no files of rows"
        return DataError(problem, hint=f"put files there that end in {', '.join(FORMS)}, or name another folder")
    problem = f"no file '{pattern}' in '{shown(place)}'"
    if not there.parent.is_dir():
        hint = f"paths are relative to the recipe: mkdir -p {quote(shown(there.parent))}, and put it there"
        return DataError(problem, hint=hint)
    beside = sorted(one.name for one in there.parent.iterdir() if one.is_file() and _form(one))
    if near := next(iter(get_close_matches(there.name, beside, 1)), None):
        return DataError(problem, hint=f"did you mean '{(Path(pattern).parent / near).as_posix()}'?")
    there_are = f"what is there: {', '.join(beside[:SHOWN])}" if beside else "no file of rows is there"
    return DataError(problem, hint=f"put it there, or correct the name; {there_are}")


def _form(path: Path) -> Form | None:
    name = path.with_suffix("") if path.suffix.lower() in PACKINGS else path
    return FORMS.get(name.suffix.lower())


def _file(path: Path) -> LocalFile:
    if form := _form(path):
        suffix = path.suffix.lower()
        return LocalFile(path, form, suffix if suffix in PACKINGS else "")
    ending = path.suffix.lower()
    way = WAYS.get(ending, f"name files that end in {', '.join(FORMS)}, also with {', '.join(PACKINGS)} behind")
    raise DataError(f"'{shown(path)}' is of no kind that rows are read from ('{ending or 'no suffix'}')", hint=way)


def _refuse_twice(found: Mapping[str, Sequence[LocalFile]]) -> None:
    seen: dict[Path, str] = {}
    for split, files in found.items():
        for file in files:
            if (before := seen.setdefault(path := file.path.resolve(), split)) != split:
                problem = f"'{file.title}' is read as {before} and as {split}"
                raise DataError(problem, hint=f"name it under one of path.{before} and path.{split}")
            if sum(one.path.resolve() == path for one in files) > 1:
                hint = f"take one of them out of path.{split}"
                raise DataError(f"'{file.title}' is found by two patterns of {split}", hint=hint)
