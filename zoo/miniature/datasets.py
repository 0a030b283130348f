"""The miniature's dataset repositories: real ids, real columns and splits, rows from our own grammar."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from itertools import groupby
from typing import Any

from zoo.miniature.frames import Split
from zoo.miniature.lexicon import Language
from zoo.miniature.repository import Repository
from zoo.miniature.rows import Pair, Row, document_pairs, labelled_pairs, scored_pairs, triplets
from zoo.remote import MINIATURE_TAG

NAMESPACE = "Omartificial-Intelligence-Space"

# As mteb 2.26 pins them; a test compares.
STS17_REVISION = "faeb762787bd10488a50c8b5be4a3b82e411949c"
STS22_REVISION = "de9d86b3b84231dc21f76c7b7af1f28e2f57f6e3"
STS22_V2_REVISION = "d31f33a128469b20e357535c39b82fb3c3f6f2bd"
STSB_REVISION = "b0fddb56ed78048fa8b90373c8a3cfc37b684831"

# mteb knows how many rows each of these has, and an evaluation may refuse another number.
STS17_ROWS, STS22_V2_ROWS, STSB_ROWS = 250, 193, 1379
EMPTY_SIDES = {17: 0, 101: 1}  # row to the side that has text: the two pairs of STS22 that STS22.v2 leaves out

TRIPLET = {"anchor": "string", "positive": "string", "negative": "string"}
LABELLED = {"premise": "string", "hypothesis": "string", "label": "int64"}
SCORED = {"sentence1": "string", "sentence2": "string", "score": "float64"}

CARD = """---
{front_matter}---
# A miniature stand-in for {id}

Sentences that `zoo` generated from its own grammar, so that recipes can be rehearsed without a network. This is **not**
the real dataset and holds none of its rows; scores on it say nothing about scores on the real one.
"""


@dataclass(frozen=True)
class Table:
    """One file: a split of a configuration, or of one language in it.

    Attributes:
        columns: name to type, as `datasets` names types; one for every value of a row.
    """

    path: str
    split: str
    columns: Mapping[str, str]
    rows: Sequence[Row]
    config: str = "default"

    def records(self) -> list[dict[str, object]]:
        return [dict(zip(self.columns, row.values, strict=True)) for row in self.rows]


# Training data: Parquet

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def _nli(
    make: Callable[..., list[Row]],
    columns: Mapping[str, str],
    language: Language,
    seed: int,
    train: int,
    *,
    config: str = "default",
    names: Mapping[Split, str] | None = None,
) -> list[Table]:
    sizes = {"train": train, "validation": train // 10, "test": train // 10}
    return [
        _parquet_table(
            config, (names or {}).get(split, split), columns, make(split, sizes[split], language=language, seed=seed)
        )
        for split in SPLITS
    ]


def _all_nli(seed: int, train: int) -> list[Table]:
    """Two of the real configurations; their middle split is called dev."""
    names: Mapping[Split, str] = {"validation": "dev"}
    return [
        *_nli(triplets, TRIPLET, "en", seed, train, config="triplet", names=names),
        *_nli(labelled_pairs, LABELLED, "en", seed, train, config="pair-class", names=names),
    ]


def _sts(language: Language, seed: int, train: int) -> list[Table]:
    # As many as labelled pairs: with fewer, the hybrid phase unlearns the order of similarities that triplets taught.
    sizes = {"train": train, "validation": train // 20, "test": train // 20}
    languages: Pair = (language, language)
    return [
        _parquet_table("default", split, SCORED, scored_pairs(split, sizes[split], languages=languages, seed=seed))
        for split in SPLITS
    ]


def _parquet_table(config: str, split: str, columns: Mapping[str, str], rows: Sequence[Row]) -> Table:
    folder = "data" if config == "default" else config
    return Table(f"{folder}/{split}-00000-of-00001.parquet", split, columns, rows, config)


# Evaluation data: JSON lines, a file for each language, as mteb has it

BY_LANGUAGE = {**SCORED, "lang": "string"}


def _sts17(seed: int, train: int) -> list[Table]:
    del train
    pairs: tuple[Pair, ...] = (("ar", "ar"), ("en", "ar"), ("en", "en"))
    return [
        _language_table("-".join(pair), scored_pairs("test", STS17_ROWS, languages=pair, seed=seed + 1, scale=5.0))
        for pair in pairs
    ]


def _sts22(seed: int, train: int) -> list[Table]:
    """STS22.v2 and two pairs more, with nothing on one side."""
    (table,) = _sts22_v2(seed, train)
    rows = list(table.rows)
    for place, kept in EMPTY_SIDES.items():
        texts = [text if side == kept else "" for side, text in enumerate(rows[place].values[:2])]
        rows.insert(place, Row((*texts, 1.0, "ar"), ()))
    return [replace(table, rows=rows)]


def _sts22_v2(seed: int, train: int) -> list[Table]:
    del train
    return [_language_table("ar", document_pairs("test", STS22_V2_ROWS, language="ar", seed=seed + 1))]


def _stsbenchmark(seed: int, train: int) -> list[Table]:
    sizes = {"train": train // 20, "validation": train // 20, "test": STSB_ROWS}
    return [
        Table(
            f"{split}.jsonl.gz",
            split,
            SCORED,
            scored_pairs(split, sizes[split], languages=("en", "en"), seed=seed + 1, scale=5.0),
        )
        for split in SPLITS
    ]


def _language_table(lang: str, rows: Sequence[Row]) -> Table:
    named = [Row((*row.values, lang), row.frames) for row in rows]
    return Table(f"test/{lang}.jsonl.gz", "test", BY_LANGUAGE, named)


# Files


def _parquet(table: Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in table.columns.items()])
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist(table.records(), schema=schema), buffer)
    return buffer.getvalue()


def _json_lines(table: Table) -> bytes:
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in table.records())
    return gzip.compress("".join(lines).encode(), mtime=0)  # a time of day would change the bytes


def _card(source: Source, tables: Sequence[Table]) -> bytes:
    import yaml

    configs = [(config, list(group)) for config, group in groupby(tables, key=lambda table: table.config)]
    front_matter: dict[str, Any] = {
        "license": "apache-2.0",
        "language": list(source.languages),
        "tags": [MINIATURE_TAG],
        "configs": [{"config_name": config, "data_files": _data_files(group)} for config, group in configs],
        "dataset_info": [_info(config, group) for config, group in configs],
    }
    text = yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True)
    return CARD.format(front_matter=text, id=source.id).encode()


def _data_files(tables: Sequence[Table]) -> list[dict[str, object]]:
    return [{"split": split, "path": [table.path for table in group]} for split, group in _by_split(tables)]


def _info(config: str, tables: Sequence[Table]) -> dict[str, object]:
    columns = tables[0].columns
    return {
        "config_name": config,
        "features": [{"name": name, "dtype": kind} for name, kind in columns.items()],
        "splits": [
            {"name": split, "num_examples": sum(len(table.rows) for table in group)}
            for split, group in _by_split(tables)
        ],
    }


def _by_split(tables: Sequence[Table]) -> list[tuple[str, list[Table]]]:
    return [(split, list(group)) for split, group in groupby(tables, key=lambda table: table.split)]


# What there is


@dataclass(frozen=True)
class Source:
    """A repository not made yet.

    Attributes:
        tables: from a seed and the length of an NLI training split.
    """

    id: str
    revision: str | None
    languages: tuple[Language, ...]
    tables: Callable[[int, int], Sequence[Table]]


REPOSITORIES = (
    Source(f"{NAMESPACE}/Arabic-NLi-Triplet", None, ("ar",), partial(_nli, triplets, TRIPLET, "ar")),
    Source(f"{NAMESPACE}/Arabic-NLi-Pair-Class", None, ("ar",), partial(_nli, labelled_pairs, LABELLED, "ar")),
    Source(f"{NAMESPACE}/Arabic-stsb", None, ("ar",), partial(_sts, "ar")),
    Source("sentence-transformers/all-nli", None, ("en",), _all_nli),
    Source("sentence-transformers/stsb", None, ("en",), partial(_sts, "en")),
    Source("mteb/sts17-crosslingual-sts", STS17_REVISION, ("ar", "en"), _sts17),
    Source("mteb/sts22-crosslingual-sts", STS22_REVISION, ("ar",), _sts22),
    Source("mteb/sts22-crosslingual-sts", STS22_V2_REVISION, ("ar",), _sts22_v2),
    Source("mteb/stsbenchmark-sts", STSB_REVISION, ("en",), _stsbenchmark),
)


def repository(source: Source, *, seed: int = 0, train: int = 6000) -> Repository:
    """Its files. `train` is the length of an NLI training split, and other splits follow it; what mteb evaluates on
    keeps its real number of rows whatever `train` is.
    """
    tables = source.tables(seed, train)
    files = {table.path: _parquet(table) if table.path.endswith(".parquet") else _json_lines(table) for table in tables}
    return Repository("dataset", source.id, source.revision, {"README.md": _card(source, tables), **files})


def repositories_of_data(seed: int = 0, *, train: int = 6000) -> Iterator[Repository]:
    """Every dataset of the miniature, each made when it is asked for."""
    return (repository(source, seed=seed, train=train) for source in REPOSITORIES)
