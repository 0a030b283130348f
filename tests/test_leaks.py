"""Leaks are loud: which rows leave a clean score, what is searched, and who is told."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import ROOT
from datasets import Dataset, DatasetDict

from zoo.contamination.ingredients import searched
from zoo.evidence import resampling
from zoo.evidence.overlap import Match, Overlap, OverlapReport, SearchedText
from zoo.evidence.scores import LEAK_MARK, Measured, Scored
from zoo.recipe import Workspace
from zoo.tasks import TASKS, shared_rows, sharing

ROWS, BAD = 14, 3
TEXTS = [f"{word} {word}" for word in "كتاب طريق مدينة بحر سماء قمر نجم شجرة زهرة جبل وادي نهر سفينة قطار".split()]


# The right rows leave: one row of each kind is wrong, and its place is not the place that it has in the scores


def _pairs(columns: list[str], label: str | None, values: list[Any]) -> dict[str, list[Any]]:
    """Equal texts, but for the bad row's."""
    others = [TEXTS[(BAD + 1) % ROWS] if at == BAD else text for at, text in enumerate(TEXTS)]
    return {columns[0]: TEXTS, columns[1]: others, **({label: values} if label else {})}


def _graded() -> dict[str, list[Any]]:
    """The more words a row shares, the higher its score; the bad one shares few and has the highest."""
    scores = [ROWS if at == BAD else at for at in range(ROWS)]
    second = [" ".join(TEXTS[: at + 1]) for at in range(ROWS)]
    return {"sentence1": [" ".join(TEXTS)] * ROWS, "sentence2": second, "score": scores}


def _judged() -> dict[str, list[Any]]:
    """Even rows are equal texts, odd ones are not; the bad one says otherwise."""
    second = [text if at % 2 == 0 else TEXTS[at - 1] for at, text in enumerate(TEXTS)]
    return {"sentence1": TEXTS, "sentence2": second, "labels": [int(at % 2 == 0 or at == BAD) for at in range(ROWS)]}


def _classified() -> DatasetDict:
    words = ("جميل رائع", "سيئ قبيح")
    test = [f"{words[(at % 2) ^ (at == BAD)]} {TEXTS[at]}" for at in range(ROWS)]
    train = {"text": [words[at % 2] for at in range(40)], "label": [at % 2 for at in range(40)]}
    labels = [at % 2 for at in range(ROWS)]
    return DatasetDict(train=Dataset.from_dict(train), test=Dataset.from_dict({"text": test, "label": labels}))


def _searched() -> dict[str, Any]:
    """Queries whose ids sort in another order than they stand in, one of them without a document of its own."""
    ids = [f"q{(at * 5 + 7) % ROWS}" for at in range(ROWS)]
    assert ids != sorted(ids)
    texts = [TEXTS[(BAD + 1) % ROWS] if at == BAD else text for at, text in enumerate(TEXTS)]
    relevant = {name: {f"d{at}": 1} for at, name in enumerate(ids) if at != 1}
    documents = [f"d{at}" for at in range(ROWS)]
    return {
        "queries": Dataset.from_dict({"id": ids, "text": texts}),
        "corpus": Dataset.from_dict({"id": documents, "text": TEXTS, "title": [""] * ROWS}),
        "relevant_docs": relevant,
        "top_ranked": None,
    }


def _reranked() -> dict[str, Any]:
    data = _searched()
    return {**data, "top_ranked": {name: data["corpus"]["id"][:] for name in data["relevant_docs"]}}


def _nested(name: str, rows: Any) -> Any:
    ours = TASKS[name]
    return {ours.subset: {ours.split: rows}}


DATA: dict[str, Any] = {
    "STS17-ar": lambda: _nested("STS17-ar", Dataset.from_dict(_graded())),
    "ArEntail": lambda: {"test": Dataset.from_dict(_judged())},
    "AJGTv2": _classified,
    "Flores-arb-eng": lambda: {"devtest": Dataset.from_dict(_pairs(["eng_Latn", "arb_Arab"], None, []))},
    "Tatoeba-ara-eng": lambda: _nested("Tatoeba-ara-eng", Dataset.from_dict(_pairs(["sentence1", "sentence2"], None, []))),
    "Sadeem": lambda: _nested("Sadeem", _searched()),
    "NamaaMrTydi": lambda: _nested("NamaaMrTydi", _reranked()),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # mteb's own
@pytest.mark.parametrize("name", DATA)
def test_a_row_that_was_found_leaves_the_score_of_its_kind(name: str) -> None:
    from zoo.evaluate.encoders import CharacterTfidf
    from zoo.evaluate.leaked import LeakedRows
    from zoo.evaluate.measure import _evaluate
    from zoo.tasks.loading import rows_of, task_of, task_texts

    ours, task = TASKS[name], task_of(TASKS[name])
    task.dataset, task.data_loaded = DATA[name](), True
    rows = rows_of(task, ours)
    bad = BAD - 1 if ours.kind in ("Retrieval", "Reranking") else BAD  # the query without a document is no row
    sample = _evaluate(CharacterTfidf(task_texts(task, ours)), task, name, None, 32).sample
    assert rows_of(task, ours) == rows, "mteb changes the data while it evaluates"
    report = Overlap(rows=len(rows), exact=1, normalised=0, near=0, rows_found=[bad], rows_found_whole=[], examples=[])
    leaked = LeakedRows(name, sample, report)
    assert leaked.found.tolist() == [bad]
    assert leaked.rest is not None and leaked.clean is not None
    whole = [resampling.score(sample.without([row])) for row in leaked.rows]
    best = max(range(len(whole)), key=whole.__getitem__)
    assert leaked.rows[best] == bad, f"without row {leaked.rows[best]} the score is best, and row {bad} is the bad one"
    assert resampling.score(sample) < leaked.clean[0] == pytest.approx(max(whole))
