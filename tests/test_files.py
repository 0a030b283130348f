"""Rows of files on this machine: each kind is read as it is meant, and a broken one is told with its row and a way out."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from zoo.data import lines
from zoo.errors import DataError
from zoo.recipe import Dataset

PAIR = {"anchor": {"type": "text"}, "positive": {"type": "text"}}
SCORED = {**PAIR, "score": {"type": "score"}}
FIRST, SECOND = "الولد يقرأ درسا", "البنت تكتب نصا"
CSV = f"anchor,positive,score\n{FIRST},كتاب,0.5\n{SECOND},رسالة,1\n"
ROWS = [{"anchor": FIRST, "positive": "كتاب", "score": 0.5}, {"anchor": SECOND, "positive": "رسالة", "score": 1.0}]
JSONL = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in ROWS)

Made = Callable[..., dict[str, pl.DataFrame]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the recipe, where people type their commands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_stage(place: Path, source: Any, columns: Any, **recipe: Any) -> dict[str, pl.DataFrame]:
    """What the data stage makes of one source, or of a list of them, by split."""
    from zoo.data.work import work

    several = {"sources": source} if isinstance(source, list) else {"source": source}
    dataset = Dataset.model_validate({**several, "columns": columns, "steps": [], **recipe})
    spec = {
        "name": "mine",
        "dataset": dataset.model_dump(mode="json", by_alias=True),
        "came_from": {"sources": []},
        "revisions": [None] * len(dataset.every_source),
        "built": {name: str(place / name) for name in dataset.parents},
        "place": str(place),
        "cache": str(place / "cache"),
    }
    folder = place / f"out-{len(list(place.iterdir()))}"
    folder.mkdir()
    work(folder, json.loads(json.dumps(spec)))
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


@pytest.fixture
def rows(place: Path) -> Made:
    """`rows(source, columns)`: what the data stage makes of a source, by split."""

    def made(source: Any, columns: Any = SCORED, **recipe: Any) -> dict[str, pl.DataFrame]:
        return in_stage(place, source, columns, **recipe)

    return made


def zst(content: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(content, asbytes=True)
    return packed


def parquet(rows: list[dict[str, Any]]) -> bytes:
    import io

    pl.DataFrame(rows).write_parquet(file := io.BytesIO())
    return file.getvalue()


def arrow(rows: list[dict[str, Any]], *, stream: bool) -> bytes:
    table, sink = pl.DataFrame(rows).to_arrow(), pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def with_separator(separator: str) -> bytes:
    return CSV.replace(",", separator).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.encode()),
        ("a.csv", CSV.replace("\n", "\r\n").encode()),
        ("a.csv", CSV.replace("\n", "\r").encode()),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("a.csv", with_separator(";")),
        ("a.csv", with_separator("|")),
        ("a.csv", with_separator("\t")),
        ("a.tsv", with_separator("\t")),
        ("a.csv", CSV.replace("كتاب,", '"كتاب",').replace("score\n", "score\n\n").encode()),
        ("a.csv.gz", gzip.compress(CSV.encode())),
        ("a.csv.bz2", bz2.compress(CSV.encode())),
        ("a.csv.xz", lzma.compress(CSV.encode())),
        ("a.csv.zst", zst(CSV.encode())),
        ("a.jsonl", JSONL.encode()),
        ("a.JSONL", JSONL.replace("\n", "\n\n").encode()),
        ("a.json", b"\xef\xbb\xbf" + JSONL.replace("{", '{"nested": {"a": [1]}, ').encode()),
        ("a.jsonl.zst", zst(JSONL.encode())),
        ("a.parquet", parquet(ROWS)),
        ("a.parquet.gz", gzip.compress(parquet(ROWS))),
        ("a.arrow", arrow(ROWS, stream=True)),
        ("a.arrow", arrow(ROWS, stream=False)),
        ("a.arrow.gz", gzip.compress(arrow(ROWS, stream=False))),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(place: Path, rows: Made, name: str, content: bytes) -> None:
    (place / name).write_bytes(content)
    assert rows({"path": name})["train"].to_dicts() == ROWS


def test_cells_keep_what_they_hold(place: Path, rows: Made) -> None:
    (place / "a.csv").write_text('anchor,positive\n"قال ""نعم"", ثم\nمضى",007\n,NA\n', "utf-8")
    assert rows({"path": "a.csv"}, PAIR)["train"].rows() == [('قال "نعم", ثم\nمضى', "007"), ("", "NA")]
    (place / "a.tsv").write_text('anchor\tpositive\n"نعم\t5" طول\n"قال ""لا"""\t"\n', "utf-8")
    assert rows({"path": "a.tsv"}, PAIR)["train"].rows() == [('"نعم', '5" طول'), ('قال "لا"', '"')]
    (place / "b.csv").write_text("anchor~positive\nأ,ب~ج\n", "utf-8")
    assert rows({"path": "b.csv", "separator": "~"}, PAIR)["train"].rows() == [("أ,ب", "ج")]
    (place / "c.csv").write_text("anchor;positive;a,b\n" + "أ, ب;ج, د;1\n" * 3, "utf-8")
    assert rows({"path": "c.csv"}, PAIR)["train"]["positive"].to_list() == ["ج, د"] * 3


def test_labels_of_files_are_read_as_those_of_the_hub(place: Path, rows: Made) -> None:
    label = {"type": "class", "names": ["no", "yes"]}
    columns = {"anchor": {"type": "text"}, "label": label}
    (place / "a.csv").write_text("anchor,label\nأ,yes\nب,0\nت,1.0\nث,\n", "utf-8")
    (place / "a.jsonl").write_text('{"anchor": "أ", "label": 1}\n{"anchor": "ب", "label": 0.0}\n', "utf-8")
    (place / "b.jsonl").write_text('{"anchor": "أ", "label": true}\n{"anchor": "ب"}\n', "utf-8")
    assert rows({"path": "a.csv"}, columns, steps=["not_empty"])["train"]["label"].to_list() == [1, 0, 1]
    assert rows({"path": "a.jsonl"}, columns)["train"]["label"].to_list() == [1, 0]
    assert rows({"path": "b.jsonl"}, columns, steps=["not_empty"])["train"]["label"].to_list() == [1]


def test_classes_that_a_file_names_keep_their_meaning(place: Path, rows: Made) -> None:
    from datasets import ClassLabel
    from datasets import Dataset as Rows

    columns = {"anchor": {"type": "text"}, "label": {"type": "class", "names": ["no", "yes"]}}
    made = Rows.from_dict({"anchor": ["أ", "ب"], "label": [0, 1]}).cast_column("label", ClassLabel(names=["yes", "no"]))
    made.to_parquet(place / "a.parquet")
    with pa.ipc.new_stream(place / "b.arrow", made.data.table.schema) as writer:
        writer.write_table(made.data.table)
    for name in ("a.parquet", "b.arrow"):
        assert rows({"path": name}, columns)["train"]["label"].to_list() == [1, 0]


def test_patterns_folders_and_splits_of_files(place: Path, rows: Made) -> None:
    (place / "data").mkdir()
    for name, text in (("a.csv", CSV), ("b.csv", CSV), ("c.jsonl", JSONL), ("README.md", "# Data")):
        (place / "data" / name).write_text(text, "utf-8")
    assert len(rows({"path": "data"})["train"]) == 6
    assert len(rows({"path": "data/*.csv"})["train"]) == 4
    assert len(rows({"path": "**/*.csv"})["train"]) == 4
    assert len(rows({"path": str(place / "data" / "*.csv")})["train"]) == 4
    found = rows({"path": {"train": ["data/a.csv", "data/c.jsonl"], "test": "data/b.csv"}})
    assert {split: len(frame) for split, frame in found.items()} == {"train": 4, "test": 2}


FAULTS: list[tuple[str, bytes, str, str]] = [
    (
        "utf-8",
        CSV.encode().replace("رسالة".encode(), b"\xd8\xd8"),
        "'a.csv', line 3: byte 91 (0xd8) is no UTF-8",
        "correct the line; or drop the broken bytes: iconv -c -f UTF-8 -t UTF-8 a.csv > utf8.tmp; mv utf8.tmp a.csv",
    ),
    (
        "cp1256",
        CSV.encode("cp1256"),
        "'a.csv', line 2: byte 22 (0xc7) is no UTF-8; as Windows-1256 it reads 'الولد يقرأ د'",
        "iconv -f CP1256 -t UTF-8 a.csv > utf8.tmp && mv utf8.tmp a.csv",
    ),
    (
        "cp1252",
        CSV.encode().split(b"\n")[0] + "\nein schöner Tag,Grüße,1".encode("cp1252"),
        "'a.csv', line 2: byte 29 (0xf6) is no UTF-8; as Windows-1252 it reads 'ein schöner Tag,Grü'",
        "iconv -f CP1252 -t UTF-8 a.csv > utf8.tmp && mv utf8.tmp a.csv",
    ),
    (
        "utf-16",
        CSV.encode("utf-16"),
        "'a.csv' is in UTF-16, and files of rows are in UTF-8",
        "iconv -f UTF-16 -t UTF-8 a.csv > utf8.tmp && mv utf8.tmp a.csv",
    ),
    (
        "utf-16 without a mark",
        CSV.encode("utf-16-le"),
        "'a.csv' is in UTF-16LE, and files of rows are in UTF-8",
        "iconv -f UTF-16LE -t UTF-8 a.csv > utf8.tmp && mv utf8.tmp a.csv",
    ),
    (
        "nul",
        CSV.encode().replace("كتاب".encode(), b"\0"),
        "'a.csv', line 2: holds a NUL character",
        "tr -d '\\000' < a.csv > clean.tmp && mv clean.tmp a.csv",
    ),
    ("empty", b"", "'a.csv' is empty", "write rows into it, or take it out of `path`"),
    (
        "a cell more",
        CSV.encode().replace("رسالة".encode(), "رسالة, ثم".encode()),
        "'a.csv', row 2 (line 3): has 4 cells, and the header 3",
        "put a text with a comma in it in quotes: sed -n 3p a.csv",
    ),
    (
        "a cell less",
        CSV.encode() + FIRST.encode() + b"\n",
        "'a.csv', row 3 (line 4): has 1 cell, and the header 3",
        "add the cells that are missing, empty ones too: sed -n 4p a.csv",
    ),
    (
        "open quote",
        CSV.encode().replace("كتاب".encode(), '"كتاب'.encode()),
        "'a.csv', row 1 (line 2): a quote is opened and not closed",
        'close it, or double quotes that belong to the text (""): sed -n 2p a.csv',
    ),
    (
        "quote within",
        CSV.encode().replace("كتاب".encode(), '"كتاب" قديم'.encode()),
        "'a.csv', row 1 (line 2): something stands behind the quote that closes a cell",
        'double quotes that belong to the text, as in "he said ""yes""": sed -n 2p a.csv',
    ),
    (
        "two of a name",
        CSV.encode().replace(b"positive", b"anchor"),
        "'a.csv': columns 1 and 2 are both called 'anchor'",
        "give one of them another name in the file's first line",
    ),
    (
        "no header",
        CSV.encode().partition(b"\n")[2],
        f"'a.csv': its first line names none of the columns anchor, positive, score, but '{FIRST}', 'كتاب', '0.5'",
        "has it no header? sed -i '1i anchor,positive,score' a.csv; else write columns.anchor.source: its name there",
    ),
    (
        "no such column",
        CSV.encode().replace(b"positive", b"positives"),
        "dataset 'mine', split 'train': column 'positive' is to come from 'positive', which the source does not have",
        "columns.positive: set source to positives; it has anchor, positives, score",
    ),
    (
        "late text among numbers",
        CSV.encode().replace(b",1\n", b",high\n"),
        "dataset 'mine', split 'train': column 'score' holds 'high', which is no number (the first: 'a.csv', row 2 "
        "(line 3))",
        "columns.score: add values: {high: null}, with the score that each stands for; null drops the row",
    ),
    (
        "beyond the scale",
        CSV.encode().replace(b",1\n", b",5\n"),
        "dataset 'mine', split 'train': column 'score' has scores from 0.5 to 5, and scores are 0 to 1 (the first: "
        "'a.csv', row 2 (line 3))",
        "columns.score: add from: [0, 5], or whatever ends the source's scale has",
    ),
    (
        "a spreadsheet",
        b"PK\x03\x04" + bytes(60),
        "'a.csv' is a spreadsheet or another ZIP archive by its bytes",
        "save the sheet as 'CSV UTF-8', or unzip the archive",
    ),
    ("parquet", parquet(ROWS), "'a.csv' is Parquet by its bytes", "mv a.csv a.parquet, and name it so in `path`"),
    ("gzip", gzip.compress(b"a"), "'a.csv' is gzip by its bytes", "mv a.csv a.csv.gz, and name it so in `path`"),
    (
        "git's pointer",
        b"version https://git-lfs.github.com/spec/v1\n",
        "'a.csv' is Git's pointer to a file, and not the file",
        "git lfs pull",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told", "way"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_broken_csv_is_told(place: Path, rows: Made, content: bytes, told: str, way: str) -> None:
    (place / "a.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        rows({"path": "a.csv"})
    assert (caught.value.message, caught.value.hint) == (told, way)


@pytest.mark.parametrize(
    ("text", "told", "way"),
    [
        (
            JSONL.replace("1.0", '"high"'),
            "'a.jsonl', line 2: 'score' is a text, \"high\", and a number in line 1",
            "write all of them as number, or all as text: sed -n 2p a.jsonl",
        ),
        (
            JSONL.replace('"كتاب"', '["كتاب", "دفتر"]'),
            "'a.jsonl', line 1: 'positive' is a list, '['كتاب', 'دفتر']'",
            "write a plain value there, or name another column as the source of 'positive'",
        ),
        (
            JSONL.replace('"كتاب"', "7").replace('"رسالة"', "8"),
            "dataset 'mine', split 'train': column 'positive' is not text at the source (Float64)",
            "columns.positive: set source to a column of texts; it has anchor",
        ),
        (
            JSONL.replace("}\n", ", }\n"),
            "'a.jsonl', line 1, character 65: is no JSON (Expecting property name enclosed in double quotes)",
            "correct it; a row is one object in one line: sed -n 1p a.jsonl",
        ),
        (
            JSONL + "null\n",
            "'a.jsonl', line 3: is no object but 'null'",
            'write each row as {"column": "value"}',
        ),
        (
            JSONL.replace("كتاب", r"\ud83d"),
            "'a.jsonl', line 1: 'positive' holds half of a letter, as \\ud83d alone is",
            "correct the text: sed -n 1p a.jsonl",
        ),
        (
            JSONL.replace("كتاب", r"\u0000"),
            "'a.jsonl', line 1: 'positive' holds a NUL character",
            "take \\u0000 out of the text: sed -n 1p a.jsonl",
        ),
        (
            JSONL.replace("positive", "positives"),
            "dataset 'mine', split 'train': column 'positive' is to come from 'positive', which the source does not have",
            "columns.positive: set source to positives; it has anchor, positives, score",
        ),
        ("\n\n", "'a.jsonl' has no rows", "write rows into it, or take it out of `path`"),
    ],
)  # fmt: skip
def test_a_broken_line_of_json_is_told(place: Path, rows: Made, text: str, told: str, way: str) -> None:
    (place / "a.jsonl").write_text(text, "utf-8")
    with pytest.raises(DataError) as caught:
        rows({"path": "a.jsonl"})
    assert (caught.value.message, caught.value.hint) == (told, way)


@pytest.mark.parametrize("indent", [None, 1])
def test_commands_of_hints_put_files_right(place: Path, rows: Made, indent: int | None) -> None:
    for name, content in (
        ("a.json", json.dumps(ROWS, ensure_ascii=False, indent=indent).encode()),
        ("b.csv", CSV.encode("utf-16")),
        ("c.csv", CSV.encode("cp1256")),
        ("d.csv", CSV.replace("كتاب", "كت\0اب").encode()),
        ("e.csv", CSV.encode() + b"\xff"),
    ):
        (place / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            rows({"path": name})
        command = str(caught.value.hint).removeprefix("correct the line; or drop the broken bytes: ")
        subprocess.run(command, shell=True, check=False)
        if name != "e.csv":
            assert rows({"path": name})["train"].to_dicts() == ROWS
    assert (place / "e.csv").read_bytes() == CSV.encode()


@pytest.mark.parametrize(
    ("files", "path", "told", "way"),
    [
        (["pairs.csv"], "pair.csv", "no file 'pair.csv' in '{place}'", "did you mean 'pairs.csv'?"),
        (
            [],
            "data/*.csv",
            "no file 'data/*.csv' in '{place}'",
            "paths are relative to the recipe: mkdir -p data, and put it there",
        ),
        (["a.xlsx"], "a.xlsx", "'a.xlsx' is of no kind that rows are read from ('.xlsx')", "save the sheet as 'CSV UTF-8', and name that file"),
        (
            ["train.csv", "test.csv"],
            "*.csv",
            "dataset 'mine': '*.csv' finds files of test and of train, and all would be train",
            "write path: {test: test.csv, train: train.csv}",
        ),
        (
            ["snli_train.csv", "snli_dev.csv"],
            "*.csv",
            "dataset 'mine': '*.csv' finds files of validation and of train, and all would be train",
            "write path: {validation: snli_dev.csv, train: snli_train.csv}",
        ),
        (
            ["a.csv", "b.csv"],
            {"train": "*.csv", "test": "b.csv"},
            "'b.csv' is read as train and as test",
            "name it under one of path.train and path.test",
        ),
    ],
)  # fmt: skip
def test_a_path_that_leads_to_no_rows_is_told(
    place: Path, rows: Made, files: list[str], path: Any, told: str, way: str
) -> None:
    for name in files:
        (place / name).write_text(CSV, "utf-8")
    with pytest.raises(DataError) as caught:
        rows({"path": path})
    assert (caught.value.message.replace("''", "'{place}'").replace("'.'", "'{place}'"), caught.value.hint) == (
        told,
        way,
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.parquet", parquet(ROWS)[:-40], "'a.parquet' cannot be read as Parquet: "),
        ("a.parquet", b"not one", "'a.parquet' cannot be read as Parquet: "),
        ("a.arrow", arrow(ROWS, stream=False)[:300], "'a.arrow' cannot be read as Arrow: "),
        ("a.csv.gz", gzip.compress(CSV.encode())[:-12], "'a.csv.gz' cannot be unpacked: "),
        ("a.csv.zst", zst(CSV.encode())[:-12], "'a.csv.zst' cannot be unpacked: "),
        ("a.csv.xz", CSV.encode(), "'a.csv.xz' cannot be unpacked: "),
        ("a.parquet.gz", gzip.compress(parquet(ROWS))[:-12], "'a.parquet.gz' cannot be unpacked: "),
        ("a.arrow.xz", lzma.compress(arrow(ROWS, stream=False))[:-40], "'a.arrow.xz' cannot be unpacked: "),
        ("a.parquet.zst", zst(parquet(ROWS))[:-12], "'a.parquet.zst' cannot be unpacked: "),
    ],
)
def test_a_file_that_is_not_whole_is_told(place: Path, rows: Made, name: str, content: bytes, told: str) -> None:
    (place / name).write_bytes(content)
    with pytest.raises(DataError, match=told):
        rows({"path": name})


def test_a_line_without_end_is_told_before_it_fills_the_memory(
    place: Path, rows: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    (place / "a.jsonl.gz").write_bytes(gzip.compress(b"[" + b" " * 1000))
    with pytest.raises(DataError, match=r"'a\.jsonl\.gz', line 1: has more than 100 characters"):
        rows({"path": "a.jsonl.gz"})


@pytest.mark.parametrize("path", ["data", "data/*.csv", "data/b.csv"])
def test_a_link_to_nothing_is_told_and_not_left_out(place: Path, rows: Made, path: str) -> None:
    (place / "data").mkdir()
    (place / "data" / "a.csv").write_text(CSV, "utf-8")
    (place / "data" / "b.csv").symlink_to("/gone/b.csv")
    with pytest.raises(DataError, match="'data/b.csv' is a link to '/gone/b.csv', which is not there") as caught:
        rows({"path": path})
    subprocess.run(str(caught.value.hint).partition("link: ")[2], shell=True, check=True)
    assert sorted(one.name for one in (place / "data").iterdir()) == ["a.csv"]


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_texts_of_parquet_and_arrow_are_utf_8_too(place: Path, rows: Made, ending: str) -> None:
    import pyarrow.parquet

    content = pa.array([b"whole", b"half \xd9", None], pa.binary()).buffers()
    table = pa.table({"anchor": pa.Array.from_buffers(pa.string(), 3, content), "positive": ["a", "b", "c"]})
    if ending == "parquet":
        pyarrow.parquet.write_table(table, place / "a.parquet")
    else:
        with pa.ipc.new_stream(place / "a.arrow", table.schema) as writer:
            writer.write_table(table)
    told = f"column 'anchor' holds bytes that are no UTF-8 in 'a.{ending}', row 2: 'half \ufffd'"
    with pytest.raises(DataError, match=told):
        rows({"path": f"a.{ending}"}, PAIR)


def test_a_column_without_any_value_holds_texts_that_are_missing(place: Path, rows: Made) -> None:
    pl.DataFrame({"anchor": ["a", "b"], "positive": [None, None]}).write_parquet(place / "a.parquet")
    (place / "b.csv").write_text(CSV, "utf-8")
    assert len(rows([{"path": "a.parquet"}, {"path": "b.csv"}], PAIR, steps=["not_empty"])["train"]) == 2


def test_a_cell_that_is_too_long_is_told(place: Path, rows: Made) -> None:
    (place / "a.csv").write_text(f"anchor,positive\n{'x' * 4_000_001},y\n", "utf-8")
    with pytest.raises(DataError, match=r"'a.csv', row 1 \(line 2\): a cell has more than 4,000,000 characters"):
        rows({"path": "a.csv"}, PAIR)


def test_files_of_one_split_must_be_alike(place: Path, rows: Made) -> None:
    (place / "b.csv").write_text(CSV, "utf-8")
    (place / "c.csv").write_text(CSV.replace("score", "grade"), "utf-8")
    with pytest.raises(DataError) as caught:
        rows({"path": {"train": ["b.csv", "c.csv"]}})
    assert caught.value.message == "'c.csv' has no column 'score', as 'b.csv' has, but anchor, positive, grade"
    found = rows([{"path": "b.csv"}, {"path": "c.csv", "columns": {"score": "grade"}}])
    assert found["train"].to_dicts() == ROWS * 2
