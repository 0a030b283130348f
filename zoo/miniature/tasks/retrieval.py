"""Passages and questions about them: five retrieval tasks, and one that ranks a question's candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from zoo.miniature import edits
from zoo.miniature.edits import Edit
from zoo.miniature.frames import Frame, draw, split_of
from zoo.miniature.grammar import AskedSlot, ask, render
from zoo.miniature.rows import FramedRow, distinct
from zoo.miniature.tables import STRINGS, Blueprint, DataTable, parquet_table

DOCUMENTS = {"id": "string", "title": "string", "text": "string"}
QUERIES = {"id": "string", "text": "string"}
RELEVANT = {"query-id": "string", "corpus-id": "string", "score": "int64"}
RANKED = {"query-id": "string", "corpus-ids": STRINGS}

SENTENCES = 3
"""Sentences in a passage; each can be asked about."""

ANYTHING: Sequence[AskedSlot] = ("subject", "place", "time")
SETTING: Sequence[AskedSlot] = ("place", "time")  # candidates to rank may tell of others who did the same


@dataclass(frozen=True)
class Library:
    """Passages and questions; question n is answered by passage n modulo their number."""

    passages: Sequence[str]
    questions: Sequence[str]

    def answer(self, question: int) -> int:
        """The number of the passage that answers a question."""
        return question % len(self.passages)


def _library(questions: int, passages: int, name: str) -> Library:
    def passage(rng: Random, made: int) -> FramedRow:
        del made
        frames = tuple(_asked_about(rng) for _ in range(SENTENCES))
        return FramedRow((" ".join(render(frame, "ar", rng) for frame in frames),), frames)

    rows = distinct(passages, passage, name)

    def question(rng: Random, made: int) -> FramedRow:
        return FramedRow((_question(rows[made % passages].frames[made // passages], ANYTHING, rng),))

    return Library(_texts(rows), _texts(distinct(questions, question, f"{name} asked")))


def _texts(rows: Sequence[FramedRow]) -> list[str]:
    return [str(row.values[0]) for row in rows]


def _asked_about(rng: Random) -> Frame:
    """A frame of something that happened, with a place and a time, so that where and when can be answered."""
    while True:
        frame = draw(rng)
        if frame.place and frame.time and not frame.negated and split_of(frame) == "test":
            return frame


def _question(frame: Frame, slots: Sequence[AskedSlot], rng: Random) -> str:
    return ask(frame, rng.choice(slots), rng)


# As mteb reads them: a configuration each for documents, queries and what is relevant


def _tables(prefix: str, relevant: str, splits: dict[str, tuple[int, int]], seed: int, train: int) -> list[DataTable]:
    """Tables of documents, queries and relevance for every split.

    `splits` says how many questions and passages each has; `relevant` names the configuration of relevance.
    """
    del train
    made = {split: _library(*sizes, f"{seed} {prefix} {split} {sizes}") for split, sizes in splits.items()}
    return [
        *[parquet_table(f"{prefix}corpus", split, DOCUMENTS, _documents(library)) for split, library in made.items()],
        *[parquet_table(f"{prefix}queries", split, QUERIES, _queries(library)) for split, library in made.items()],
        *[parquet_table(relevant, split, RELEVANT, _relevant(library)) for split, library in made.items()],
    ]


def _documents(library: Library) -> list[FramedRow]:
    return [FramedRow((f"d{number}", "", text)) for number, text in enumerate(library.passages)]


def _queries(library: Library) -> list[FramedRow]:
    return [FramedRow((f"q{number}", text)) for number, text in enumerate(library.questions)]


def _relevant(library: Library) -> list[FramedRow]:
    return [FramedRow((f"q{number}", f"d{library.answer(number)}", 1)) for number in range(len(library.questions))]


SADEEM = (200, 600)


def _sadeem(seed: int, train: int) -> list[DataTable]:
    """One configuration whose splits are the three tables. All have all columns, empty where they say nothing."""
    del train
    columns = {"query-id": "string", "corpus-id": "string", "text": "string"}
    library = _library(*SADEEM, f"{seed} sadeem")
    rows = {
        "queries": [FramedRow((query_id, "", text)) for query_id, text in (row.values for row in _queries(library))],
        "corpus": [
            FramedRow(("", document_id, text)) for document_id, _, text in (row.values for row in _documents(library))
        ],
        "qrels": [
            FramedRow((query, document, "")) for query, document, _ in (row.values for row in _relevant(library))
        ],
    }
    return [parquet_table("test", split, columns, table) for split, table in rows.items()]


BELEBELE = (900, 488)
"""Questions and passages, as many as mteb counts."""


def _belebele(seed: int, train: int) -> list[DataTable]:
    """A row for every question, with its passage; passages are told apart by their link."""
    del train
    columns = {"link": "string", "question_number": "int64", "flores_passage": "string", "question": "string"}
    library = _library(*BELEBELE, f"{seed} belebele")
    rows = [
        FramedRow(
            (f"https://example.org/{answer}", 1 + number // len(library.passages), library.passages[answer], question)
        )
        for number, question in enumerate(library.questions)
        for answer in [library.answer(number)]
    ]
    return [parquet_table("arb_Arab", "test", columns, rows)]


# Reranking

ASKED = 200
DISTRACTIONS: Sequence[Edit] = (edits.swap_subject, edits.decoy, edits.decoy, edits.unrelated)
"""Edits that make the candidates beside the answer: much the same, or something else in the same setting."""


def _reranking(seed: int, train: int) -> list[DataTable]:
    del train
    candidates = 1 + len(DISTRACTIONS)
    ids = [tuple(f"d{query}-{number}" for number in range(candidates)) for query in range(ASKED)]
    rows = distinct(ASKED, _candidates, f"{seed} reranking")
    texts = [[str(value) for value in row.values] for row in rows]
    documents = [
        FramedRow((document_id, "", text))
        for own, (_, *told) in zip(ids, texts, strict=True)
        for document_id, text in zip(own, told, strict=True)
    ]
    relevant = [
        FramedRow((f"q{query}", document_id, int(document_id == own[0])))
        for query, own in enumerate(ids)
        for document_id in own
    ]
    return [
        parquet_table("corpus", "test", DOCUMENTS, documents),
        parquet_table(
            "queries", "test", QUERIES, [FramedRow((f"q{query}", asked)) for query, (asked, *_) in enumerate(texts)]
        ),
        parquet_table("default", "test", RELEVANT, relevant),
        parquet_table("top_ranked", "test", RANKED, [FramedRow((f"q{query}", own)) for query, own in enumerate(ids)]),
    ]


def _candidates(rng: Random, made: int) -> FramedRow | None:
    """A row of (question, answer, distractions); None when one of the distractions does not apply."""
    del made
    frame = _asked_about(rng)
    others = [edit(frame, rng) for edit in DISTRACTIONS]
    told = tuple(render(other, "ar", rng) for other in (frame, *others) if other)
    return FramedRow((_question(frame, SETTING, rng), *told), (frame,)) if all(others) else None


def _source(task: str, prefix: str, relevant: str, **splits: tuple[int, int]) -> Blueprint:
    """The blueprint of a retrieval task. The first of `splits` is the one that is scored."""
    scored = sum(next(iter(splits.values())))
    return Blueprint.of(task, ("ar",), partial(_tables, prefix, relevant, splits), rows=scored)


BLUEPRINTS = (
    Blueprint.of("Sadeem", ("ar",), _sadeem, rows=sum(SADEEM)),
    _source("MIRACL-ar", "ar-", "ar-qrels", dev=(100, 700)),
    _source("MLQA-ar", "ara-ara-", "ara-ara-qrels", test=(300, 260), validation=(30, 26)),
    Blueprint.of("Belebele-arb", ("ar",), _belebele),
    Blueprint.of("NamaaMrTydi", ("ar",), _reranking, rows=ASKED * (2 + len(DISTRACTIONS))),
)
