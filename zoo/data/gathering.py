"""The rows of a dataset's splits from all of its sources: of the Hub, of files, of other datasets as they are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from zoo.data.columns import frame_schema, recipe_frames
from zoo.data.localrows import FileRows, RowFile, row_file
from zoo.data.rows import HubRows, RawRows, written
from zoo.data.source import read_split
from zoo.data.splitting import write_splits
from zoo.errors import DataError
from zoo.layout import split_file
from zoo.recipe import Dataset
from zoo.recipe.dataset import Column, Source
from zoo.recipe.localfiles import LocalFile, files_read_as_one, local_files
from zoo.recipe.yamlfile import shown

if TYPE_CHECKING:
    import polars as pl

SEED = 42
"""Of the rows that are taken of a source by its weight: the same every time, on every machine."""


def split_reader(name: str, dataset: Dataset, spec: Mapping[str, Any], underway: Path) -> Callable[[str, Path], int]:
    """Return the function that writes the rows of a split to a path, as the recipe reads them, and counts them.

    Args:
        spec: {revisions: the commit of each source, null of those that are not on the Hub, place: the recipe's folder,
            built: {other dataset: folder of its data stage}}.
        underway: a folder for what is needed until the stage is done.

    Raises:
        HubError: a source cannot be read. DataError: it is not what the recipe says.
    """
    found = _Gathering(name, dataset, spec, underway)
    return found.write_by_rule if dataset.split else found.write


@dataclass(frozen=True)
class _Gathering:
    """The sources of a dataset in the making."""

    name: str
    dataset: Dataset
    spec: Mapping[str, Any]
    underway: Path

    def write(self, split: str, path: Path) -> int:
        """Write the rows of a split that the sources have."""
        theirs = [(number, [split]) for number, source in self._numbered if split in source.names]
        return written(self._frames(theirs, split), path, self._schema)

    def write_by_rule(self, split: str, path: Path) -> int:
        """Write the rows that fall into a split; all are read, and written beside, when the first is asked for."""
        from pyarrow.parquet import read_metadata

        made = self.underway / ".split"
        if not made.exists():
            assert self.dataset.split is not None
            theirs = [(number, source.names) for number, source in self._numbered]
            texts = [ours for ours, column in self.dataset.read_columns.items() if column.type == "text"]
            texts = [text for text in texts if text in self._schema]
            frames = self._frames(theirs, "*")
            write_splits(self.name, self.dataset.split, frames, texts, self._schema, made)
        if not path.exists():  # it was moved before the stage was cut off
            split_file(made, split).rename(path)
        return int(read_metadata(path).num_rows)

    @cached_property
    def _numbered(self) -> list[tuple[int, Source]]:
        return list(enumerate(self.dataset.every_source))

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return frame_schema(self.dataset.read_columns)

    @cached_property
    def _files(self) -> dict[int, dict[str, list[LocalFile]]]:
        """{number of a source: its files by split}."""
        place = Path(self.spec["place"])
        found = {number: local_files(source, place) for number, source in self._numbered if source.path}
        for number in found if self.dataset.split is None else ():
            if doubt := files_read_as_one(self.dataset.every_source[number], found[number]):
                what, _, way = doubt.partition("; ")
                raise DataError(f"dataset '{self.name}': {what}", hint=way)
        return found

    def _frames(self, theirs: Sequence[tuple[int, Sequence[str]]], split: str) -> Iterator[pl.DataFrame]:
        """The rows of these splits of the sources, one source after the other, as many as their weights allow."""
        rows = {number: [self._rows(number, name) for name in names] for number, names in theirs}
        counts = {number: sum(map(len, parts)) for number, parts in rows.items()}
        takes = self._takes(split, counts)
        for number, parts in rows.items():
            frames = (frame for part in parts for frame in self._chosen(number, part, split))
            yield from _sampled(frames, counts[number], takes[number])

    def _takes(self, split: str, counts: Mapping[int, int]) -> dict[int, int]:
        """The numbers of rows that are taken of each source: all, or as their weights say."""
        weights = {number: source.weight for number, source in self._numbered if source.weight}
        if not weights:
            return dict(counts)
        if (empty := next((number for number in counts if not counts[number]), None)) is not None:
            title = self.dataset.every_source[empty].title
            problem = f"dataset '{self.name}': source '{title}' has no rows{f' of {split}' if split != '*' else ''}"
            problem += ", and by their weights none would be taken of the others"
            raise DataError(problem, hint=f"sources: take '{title}' out, or the weights of all")
        least = min((counts[number] / weights[number] for number in counts), default=0)
        return {number: min(count, round(least * weights[number])) for number, count in counts.items()}

    def _chosen(self, number: int, rows: RawRows, split: str) -> Iterator[pl.DataFrame]:
        source = self.dataset.every_source[number]
        title = source.title if len(self._numbered) > 1 else None
        also = self._group(source, rows)
        return recipe_frames(self.name, split, source_columns(self.dataset, source), rows, also=also, source=title)

    def _group(self, source: Source, rows: RawRows) -> str | None:
        of = group_column(self.dataset, source)
        if of is not None and of not in rows.column_names:
            problem = f"dataset '{self.name}': '{source.title}' has no column '{of}' to split by"
            raise DataError(problem, hint=f"set split.of to one that it has: {', '.join(rows.column_names)}")
        return of

    def _rows(self, number: int, split: str) -> RawRows:
        source = self.dataset.every_source[number]
        if source.dataset:
            return HubRows(read_split(self.name, source, split, self.spec["revisions"][number]))
        wanted = wanted_columns(self.dataset, source)
        if source.parent:
            return FileRows([self._of_parent(source, split)], wanted)
        folder = self.underway / ".sources"
        files = [
            row_file(file, wanted, source.separator, folder / f"{number}-{split}-{at:03}")
            for at, file in enumerate(self._files[number][split])
        ]
        return FileRows(files, wanted)

    def _of_parent(self, source: Source, split: str) -> RowFile:
        folder = Path(self.spec["built"][source.parent])
        theirs = source.splits[split]  # type: ignore[index]
        path = split_file(folder, theirs)
        if not path.exists():
            there = sorted(one.stem for one in folder.glob("*.parquet"))
            problem = f"dataset '{self.name}': '{source.parent}' has no split '{theirs}', but {', '.join(there)}"
            raise DataError(problem, hint=f"set source.splits to {{{', '.join(f'{one}: {one}' for one in there)}}}")
        return RowFile(path, shown(path))


def source_columns(dataset: Dataset, source: Source) -> dict[str, Column]:
    """The columns that are read, with the names that they have in this source."""
    return {
        ours: column.model_copy(update={"source": source.columns[ours]}) if ours in source.columns else column
        for ours, column in dataset.read_columns.items()
    }


def group_column(dataset: Dataset, source: Source) -> str | None:
    """The column of a source that tells the groups of a split; None when none does."""
    if dataset.split is None or dataset.split.of is None:
        return None
    of = dataset.split.of
    column = source_columns(dataset, source).get(of)
    return (column.source if column else source.columns.get(of)) or of


def wanted_columns(dataset: Dataset, source: Source) -> list[str]:
    """The columns of a source that are read, by its own names, each once."""
    read = [column.source or ours for ours, column in source_columns(dataset, source).items() if not column.made_by]
    group = group_column(dataset, source)
    return list(dict.fromkeys([*read, *([group] if group else [])]))


def _sampled(frames: Iterator[pl.DataFrame], rows: int, take: int) -> Iterator[pl.DataFrame]:
    """A sample of so many of the rows, in their order."""
    import polars as pl

    if take >= rows:
        yield from frames
        return
    random = Random(SEED)  # noqa: S311 - no secret
    for frame in frames:
        keep = []
        for _ in range(len(frame)):
            keep.append(random.random() * rows < take)
            rows, take = rows - 1, take - keep[-1]
        yield frame.filter(pl.Series(keep, dtype=pl.Boolean))
