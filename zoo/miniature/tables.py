"""A dataset repository before it is files: its tables, its card, and how both are written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from typing import Any

from zoo.miniature.lexicon import Language
from zoo.miniature.repository import Repository
from zoo.miniature.rows import FramedRow
from zoo.remote import MINIATURE_TAG
from zoo.tasks import TASKS

SCORED = {"sentence1": "string", "sentence2": "string", "score": "float64"}
STRINGS = "list<string>"
TRANSLATION = "translation<ar, en>"
BENCHMARK = ("benchmark:official", "benchmark:eval-yaml")  # how the Hub marks those whose results it shows
ROWS_KEY = "zoo_rows"  # in a card: our task names to the numbers of rows here, where mteb documents others

CARD = """---
{front_matter}---
# A miniature stand-in for {id}

Sentences that `zoo` generated from its own grammar, so that recipes can be rehearsed without a network. This is **not**
the real dataset and holds none of its rows; scores on it say nothing about scores on the real one.
"""


@dataclass(frozen=True)
class DataTable:
    """One file of a dataset: a split of a configuration, or of one language in it.

    Attributes:
        columns: name to type, as `datasets` names types, or `STRINGS`, or `TRANSLATION`; one for every value of a row.
    """

    path: str
    split: str
    columns: Mapping[str, str]
    rows: Sequence[FramedRow]
    config: str = "default"

    def records(self) -> list[dict[str, object]]:
        """The rows as {column: value}."""
        return [dict(zip(self.columns, row.values, strict=True)) for row in self.rows]


def parquet_table(config: str, split: str, columns: Mapping[str, str], rows: Sequence[FramedRow]) -> DataTable:
    """A table in one Parquet file, which has the name that the Hub's own files have."""
    folder = "data" if config == "default" else config
    return DataTable(f"{folder}/{split}-00000-of-00001.parquet", split, columns, rows, config)


def language_table(lang: str, columns: Mapping[str, str], rows: Sequence[FramedRow]) -> DataTable:
    """A table in JSON lines, of one language or pair that is named in a column, as mteb has them."""
    named = [FramedRow((*row.values, lang), row.frames) for row in rows]
    return DataTable(f"test/{lang}.jsonl.gz", "test", {**columns, "lang": "string"}, named)


@dataclass(frozen=True)
class Blueprint:
    """A dataset repository that is not made yet.

    Attributes:
        tables: makes them from a seed and the length of an NLI training split.
        rows: tasks of ours that have another number of rows here than mteb documents; the card says so.
    """

    id: str
    revision: str | None
    languages: tuple[Language, ...]
    tables: Callable[[int, int], Sequence[DataTable]]
    rows: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        task: str,
        languages: tuple[Language, ...],
        tables: Callable[[int, int], Sequence[DataTable]],
        *,
        rows: int | None = None,
    ) -> Blueprint:
        """The blueprint of the repository that a task reads, at the revision that it pins."""
        ours = TASKS[task]
        return cls(ours.dataset, ours.revision, languages, tables, {task: rows} if rows else {})


def repository(source: Blueprint, *, seed: int = 0, train: int = 6000) -> Repository:
    """The files of a dataset repository, made from its blueprint.

    `train` is the length of an NLI training split, and other splits follow it. What mteb evaluates on keeps its
    number of rows whatever `train` is.
    """
    tables = source.tables(seed, train)
    files = {table.path: _parquet(table) if table.path.endswith(".parquet") else _json_lines(table) for table in tables}
    files = {"README.md": _card(source, tables), **_registration(source), **files}
    return Repository("dataset", source.id, source.revision, files)


# Files


def _parquet(table: DataTable) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {STRINGS: pa.list_(pa.string()), TRANSLATION: pa.struct({"ar": pa.string(), "en": pa.string()})}
    schema = pa.schema([(name, types.get(kind) or pa.type_for_alias(kind)) for name, kind in table.columns.items()])
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist(table.records(), schema=schema), buffer)
    return buffer.getvalue()


def _json_lines(table: DataTable) -> bytes:
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in table.records())
    return gzip.compress("".join(lines).encode(), mtime=0)  # a time of day would change the bytes


def _registration(source: Blueprint) -> dict[str, bytes]:
    """The file by which a dataset is registered as a benchmark on the Hub, with every task of ours that reads it."""
    import yaml

    tasks = [task for name in TASKS if (task := TASKS[name]).dataset == source.id and task.official]
    if not tasks:
        return {}
    content = {
        "name": source.id,
        "description": "A miniature stand-in.",
        "evaluation_framework": "mteb",
        "tasks": [{"id": task.result_id, "config": task.subset, "split": task.split} for task in tasks],
    }
    return {"eval.yaml": yaml.safe_dump(content, sort_keys=False).encode()}


def _card(source: Blueprint, tables: Sequence[DataTable]) -> bytes:
    import yaml

    configs = [(config, list(group)) for config, group in groupby(tables, key=lambda table: table.config)]
    front_matter: dict[str, Any] = {
        "license": "apache-2.0",
        "language": list(source.languages),
        "tags": [MINIATURE_TAG, *(BENCHMARK if _registration(source) else ())],
        "configs": [{"config_name": config, "data_files": _data_files(group)} for config, group in configs],
        "dataset_info": [_info(config, group) for config, group in configs],
    }
    if source.rows:
        front_matter[ROWS_KEY] = dict(source.rows)
    text = yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True)
    return CARD.format(front_matter=text, id=source.id).encode()


def _data_files(tables: Sequence[DataTable]) -> list[dict[str, object]]:
    return [{"split": split, "path": [table.path for table in group]} for split, group in _by_split(tables)]


def _info(config: str, tables: Sequence[DataTable]) -> dict[str, object]:
    columns = tables[0].columns
    return {
        "config_name": config,
        "features": [_feature(name, kind) for name, kind in columns.items()],
        "splits": [
            {"name": split, "num_examples": sum(len(table.rows) for table in group)}
            for split, group in _by_split(tables)
        ],
    }


def _feature(name: str, kind: str) -> dict[str, Any]:
    if kind == TRANSLATION:
        return {"name": name, "dtype": {"translation": {"languages": ["ar", "en"]}}}
    return {"name": name, "list": "string"} if kind == STRINGS else {"name": name, "dtype": kind}


def _by_split(tables: Sequence[DataTable]) -> list[tuple[str, list[DataTable]]]:
    return [(split, list(group)) for split, group in groupby(tables, key=lambda table: table.split)]
