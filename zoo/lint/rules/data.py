"""Datasets: what the card declares against the files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from zoo.extras import lacking, to_install
from zoo.hub.vocabulary import SIZES
from zoo.lint.files import MOST_BYTES
from zoo.lint.finding import Problem, Unchecked
from zoo.lint.printed import COUNT, Printed, counted
from zoo.lint.repo import ID, CheckedRepo
from zoo.lint.rule import rule
from zoo.lint.weights import parquet_rows
from zoo.remote import size_category

SHARD = re.compile(r"(?:^|/)(?:train|test|validation|dev|[\w.]+)-\d{5}-of-\d{5}[\w.-]*\.\w+$")
TELLING = re.compile(  # the Hub's own convention, by file or folder; metadata.csv belongs to images and sounds
    r"(?i)(?:^|[^a-z])(?:train(?:ing)?|test(?:ing)?|valid(?:ation)?|dev|eval(?:uation)?)(?:[^a-z]|$)|(?:^|/)metadata\.\w+$"
)
SPLITS = {"train": "train", "training": "train", "test": "test", "validation": "validation", "dev": "validation"}
ROWS = re.compile(
    rf"(?i){COUNT}[ -](training|train|test|validation|dev) (?:rows|pairs|triplets|examples|samples|sentences)\b"
)

TOLD = re.compile(rf"(?i){COUNT} (?:rows|pairs|triplets|examples|samples)\b")
MOST_FILES = 100  # of which the rows are counted: on a Hub each is a request
COUNTS = re.compile(r"(?i)(num(ber of)? )?(rows|examples)$")


def _infos(repo: CheckedRepo) -> list[dict[str, Any]]:
    info = repo.front.get("dataset_info")
    return [one for one in (info if isinstance(info, list) else [info]) if isinstance(one, dict)]


def _splits(info: dict[str, Any]) -> dict[str, int]:
    """Return {split: rows} as declared."""
    splits = info.get("splits")
    named = [one for one in (splits if isinstance(splits, list) else []) if isinstance(one, dict)]
    return {str(one.get("name")): one["num_examples"] for one in named if _count(one.get("num_examples"))}


def _count(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 10**15


@rule("L13", "split-sizes", kinds=("dataset",))
def split_sizes(repo: CheckedRepo) -> Iterator[Problem]:
    """The text gives a split another number of rows than `dataset_info`: often the total, called the train split.

    Not flagged: rounded numbers, datasets of several configurations.
    """
    declared = _splits(_infos(repo)[0]) if len(_infos(repo)) == 1 else {}
    for line, split, digits, scale in _said(repo) if declared else ():
        rows = declared.get(split)
        if rows is not None and not counted(digits, scale).rounds(rows):
            yield Problem(
                f"{digits}{scale or ''} rows in split '{split}', and dataset_info has {rows:,}", line, doubtful=True
            )


def _said(repo: CheckedRepo) -> Iterator[tuple[int, str, str, str | None]]:
    for line, found in repo.places(ROWS):
        yield line, SPLITS[found[3].lower()], found[1], found[2]
    for table in repo.card.tables:
        at = table.column(COUNTS, start=1)
        for row in table.rows:
            rows = re.fullmatch(rf"(?i){COUNT}", row.cell(at))
            if rows and row.cells[0].lower() in SPLITS:
                yield row.line, SPLITS[row.cells[0].lower()], rows[1], rows[2]


@rule("L20", "size-category", severity="warning", kinds=("dataset",), fixable=True)
def size_categories(repo: CheckedRepo) -> Iterator[Problem]:
    """`size_categories` is not the one that the rows, as declared or counted, fall into.

    Not flagged: datasets without `dataset_info` whose files are neither Parquet nor JSON lines; the category of a
    single configuration among several; when only the text tells how many rows there are, a category above them.
    """
    totals = [sum(_splits(info).values()) for info in _infos(repo) if _splits(info)]
    said = repo.strings("size_categories")
    if not totals and len(said) == 1 and said[0] in SIZES and (rows := _rows_of_files(repo)):
        totals = [rows]
    fitting = {size_category(rows) for rows in [*totals, sum(totals)]}
    if totals and len(said) == 1 and said[0] not in fitting:
        right, front = size_category(sum(totals)), repo.card.front
        listed = isinstance(repo.front["size_categories"], list)
        path = ("size_categories", 0) if listed else ("size_categories",)
        fix = front.replaced(repo.card.text, path, right, f"size_categories: {said[0]} is {right}")
        message = f"size_categories is '{said[0]}', and {sum(totals):,} rows are '{right}'"
        yield Problem(message, front.line("size_categories"), fix=fix)
    elif not totals and len(said) == 1 and said[0] in SIZES:
        least = max((shown.value for shown in _told(repo)), default=0)
        if least and SIZES.index(size_category(int(least))) > SIZES.index(said[0]):
            message = f"size_categories is '{said[0]}', and the text tells of {int(least):,} rows"
            yield Problem(message, repo.card.front.line("size_categories"), hint=f"'{size_category(int(least))}'")


def _rows_of_files(repo: CheckedRepo) -> int | None:
    """Return the rows of the files of a dataset of one configuration; None when they cannot be told."""
    configs = repo.front.get("configs")
    return None if isinstance(configs, list) and len(configs) > 1 else _stored(repo, repo.data_files)


def _told(repo: CheckedRepo) -> Iterator[Printed]:
    """Find the numbers of rows that sentences tell, but for those about other repositories."""
    for line in repo.card.sentences:
        for found in TOLD.finditer(line.text) if not re.search(ID, line.text) else ():
            yield counted(found[1], found[2])


@rule("L21", "no-configs", severity="warning", kinds=("dataset",))
def no_configs(repo: CheckedRepo) -> Iterator[Problem]:
    """Several data files and no `configs`, so that the viewer and `load_dataset` have to guess the splits.

    Not flagged: one file alone, names that tell the split (`train-00000-of-00001.parquet`, `my-test.csv`),
    vocabularies, and datasets with a script of their own, which reads the files.
    """
    if any(path.endswith(".py") and "/" not in path for path in repo.files):
        return
    loose = [path for path in repo.data_files if not SHARD.search(path) and not TELLING.search(path)]
    if len(loose) > 1 and "configs" not in repo.front:
        hint = "configs: [{config_name: default, data_files: [{split: train, path: …}]}]"
        yield Problem(f"{len(loose)} data files and no configs: {', '.join(sorted(loose)[:3])}", 1, hint=hint)


@rule("L33", "data-files-match-nothing", kinds=("dataset",))
def data_files_match_nothing(repo: CheckedRepo) -> Iterator[Problem]:
    """A pattern of `data_files` matches no file of the repository, so that the dataset does not load.

    Not flagged: addresses, and files inside archives.
    """
    configs = repo.front.get("configs")
    for index, config in enumerate(configs if isinstance(configs, list) else []):
        for pattern in _patterns(config.get("data_files")) if isinstance(config, dict) else ():
            base = str(config.get("data_dir") or "").strip("/")
            whole = f"{base}/{pattern}".lstrip("/") if base else pattern.removeprefix("./")
            if "://" not in whole and not any(_fits(path, whole) for path in repo.files):
                line = repo.card.front.line("configs", index, "data_files") or repo.card.front.line("configs")
                yield Problem(f"no file matches '{whole}'", line, hint="correct the path, or upload the file")


def _fits(path: str, pattern: str) -> bool:
    """Match as the Hub does, or more: a folder's name stands for what is in it."""
    return fnmatchcase(path, pattern.replace("**/", "*")) or path.startswith(f"{pattern.rstrip('/')}/")


def _patterns(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _patterns(one)
    elif isinstance(value, dict):
        yield from _patterns(value.get("path") if "path" in value else list(value.values()))


@rule("L34", "stale-dataset-info", kinds=("dataset",))
def stale_dataset_info(repo: CheckedRepo) -> Iterator[Problem]:
    """`dataset_info` declares another number of rows than its Parquet or JSON lines files have.

    Not flagged: splits with other files than these, or without `configs` that say which files are theirs.
    """
    infos = {str(info.get("config_name") or "default"): _splits(info) for info in _infos(repo)}
    configs = repo.front.get("configs")
    for index, config in enumerate(configs if isinstance(configs, list) else []):
        declared = infos.get(str(config.get("config_name") or "default"), {}) if isinstance(config, dict) else {}
        files = config.get("data_files") if declared else None
        for part in files if isinstance(files, list) else []:
            split = str(part.get("split")) if isinstance(part, dict) else ""
            rows = _stored(repo, list(_patterns(part))) if split in declared else None
            if rows is not None and rows != declared[split]:
                line = repo.card.front.line("dataset_info") or repo.card.front.line("configs", index)
                yield Problem(
                    f"split '{split}' is declared with {declared[split]:,} rows, and its files have {rows:,}", line
                )


def _stored(repo: CheckedRepo, patterns: list[str]) -> int | None:
    paths = [path for path in repo.files if any(_fits(path, one) for one in patterns)]
    counts = [_rows_of(repo, path) for path in paths[:MOST_FILES]]
    return None if not paths or len(paths) > MOST_FILES or None in counts else sum(count or 0 for count in counts)


def _rows_of(repo: CheckedRepo, path: str) -> int | None:
    file = repo.files[path]
    if path.endswith(".parquet"):
        if lacking("data"):
            raise Unchecked(f"to count the rows of a table, {to_install('data')}")
        return parquet_rows(file)
    if not path.endswith(".jsonl") or file.size > MOST_BYTES or path in repo.pointers:
        return None
    return sum(bool(line.strip()) for line in file.head(MOST_BYTES).splitlines())
