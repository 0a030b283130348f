"""Leaks are loud: which rows leave a clean score, what is searched, and who is told."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Lab
from datasets import Dataset, DatasetDict

from zoo.evidence import resampling
from zoo.evidence.findings import findings
from zoo.evidence.overlap import Overlap, OverlapReport, read_overlap
from zoo.evidence.scores import LEAK_MARK, LEGEND, Leak, Measured, Scored
from zoo.leaderboard.table import Cell
from zoo.tasks import TASKS, sharing

ROWS, BAD = 14, 3
WORDS = ("كتاب", "طريق", "مدينة", "بحر", "سماء", "قمر", "نجم", "شجرة", "زهرة", "جبل", "وادي", "نهر", "سفينة", "قطار")
TEXTS = [f"{word} {word}" for word in WORDS]


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
    return {**data, "top_ranked": dict.fromkeys(data["relevant_docs"], data["corpus"]["id"][:])}


def _nested(name: str, rows: Any) -> Any:
    ours = TASKS[name]
    return {ours.subset: {ours.split: rows}}


DATA: dict[str, Any] = {
    "STS17-ar": lambda: _nested("STS17-ar", Dataset.from_dict(_graded())),
    "ArEntail": lambda: {"test": Dataset.from_dict(_judged())},
    "AJGTv2": _classified,
    "Flores-arb-eng": lambda: {"devtest": Dataset.from_dict(_pairs(["eng_Latn", "arb_Arab"], None, []))},
    "Tatoeba-ara-eng": lambda: _nested(
        "Tatoeba-ara-eng", Dataset.from_dict(_pairs(["sentence1", "sentence2"], None, []))
    ),
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
    assert leaked.clean is not None
    whole = [resampling.score(sample.without([row])) for row in leaked.rows]
    best = max(range(len(whole)), key=whole.__getitem__)
    assert leaked.rows[best] == bad, f"without row {leaked.rows[best]} the score is best, and row {bad} is the bad one"
    assert resampling.score(sample) < leaked.clean[0] == pytest.approx(max(whole))


@pytest.mark.parametrize(("name", "values"), [("SIB200-arz", 20), ("AJGTv2", 19)])
def test_where_values_are_not_of_rows_there_is_no_clean_score_and_still_a_leak(name: str, values: int) -> None:
    """A clustering is scored whole; and which rows other values are of than were searched is not guessed."""
    from zoo.evaluate.leaked import LeakedRows

    sample = resampling.Sample("mean", [0.5] * values)  # type: ignore[arg-type]
    report = Overlap(rows=20, exact=2, normalised=0, near=0, rows_found=[3, 8], rows_found_whole=[], examples=[])
    leaked = LeakedRows(name, sample, report)
    assert (len(leaked.rows), leaked.found.tolist(), leaked.clean) == (20, [3, 8], None)


# In sentences


def test_a_finding_names_the_texts_that_the_rows_are_in() -> None:
    of_stsb = {"dataset": "stsb", "recipe": "arabert-matryoshka"}
    sources = {
        "stsb/validation": {**of_stsb, "split": "validation", "inherited": True},
        "stsb/train": {**of_stsb, "split": "train", "inherited": True},
        "nli/train": {"dataset": "nli", "split": "train", "recipe": "arabert-hybrid", "inherited": False},
    }
    counts = {"rows": 1250, "exact": 6, "normalised": 0, "near": 0, "rows_found_whole": [], "examples": []}
    tasks = {
        "STS17-en": {**counts, "rows_found": [1, 2, 3], "found_in": {"stsb/validation": [1, 2, 3]}},
        "STSB-en": {**counts, "rows_found": [1, 2, 7], "found_in": {"nli/train": [7], "stsb/train": [1, 2]}},
        "STS17-ar": {**counts, "rows_found": []},
    }
    numbers = {"training_texts": 9, "similarity": 0.85, "shortest": 4}
    report = OverlapReport.model_validate({"tasks": tasks, "sources": sources, **numbers})
    assert [report.finding(task) for task, found in report.tasks.items() if found.rows_found] == [
        "STS17-en: 3 of 1,250 rows are in the dev split of stsb, which chose the checkpoint of arabert-matryoshka",
        "STSB-en: 3 of 1,250 rows are in what it was trained on or chosen by: 2 in the training text of stsb, through "
        "arabert-matryoshka; 1 in the training text of nli",
    ]


def test_a_corpus_does_not_hide_the_queries(leaky: Lab) -> None:
    scores = leaky.build.scores(RECIPE)
    leak = scores.leaks[0].model_copy(update={"rows": 100, "found": 2})
    counts = {"rows": 9000, "exact": 2, "normalised": 0, "near": 0, "rows_found": [1, 2], "rows_found_whole": []}
    numbers = {"training_texts": 9, "similarity": 0.85, "shortest": 4}
    report = OverlapReport.model_validate({"tasks": {leak.task: {**counts, "examples": []}}, **numbers})
    (sentence,) = findings(report, scores.model_copy(update={"leaks": [leak]}), above=0.01)
    assert " 2 of 9,000 rows (2 of 100 queries among them) are in " in sentence
    assert findings(report, scores.model_copy(update={"leaks": []}), above=0.01) == []


def test_what_leaked_is_counted_in_the_unit_of_its_score() -> None:
    shown = {task: Leak(task=task, rows=200, found=35).shown for task in ("STS17-ar", "Sadeem", "SIB200-arz")}
    assert set(shown.values()) == {"35 of 200 rows leaked", "35 of 200 queries leaked"}
    assert shown["Sadeem"] == "35 of 200 queries leaked"


def test_tasks_that_share_rows_are_named() -> None:
    assert sharing(["STS17-en", "STSB-en"]) == ["STSB and STS17 en share 125 rows: a mean of both counts these twice"]
    assert sharing(["STS17-ar", "STS22-ar", "STS22v2-ar"])[0].startswith("STS22 and STS22-v2 share 193 rows")
    assert sharing(["STS17-ar", "STSB-en"]) == []
    for name in TASKS:
        for other, rows in TASKS[name].shares_rows.items():
            assert 0 < rows <= min(TASKS[name].rows, TASKS[other].rows)


def test_a_marked_number_stands_beside_the_clean_one() -> None:
    clean = Measured(value=82.4, low=80.1, high=84.6)
    score = Scored(value=83.1, low=81.0, high=85.04, leaked=6, clean=clean)
    assert score.shown == "83.10‡ [81.0, 85.0] (82.40)"
    assert score.model_copy(update={"clean": None}).shown == "83.10‡ [81.0, 85.0]"
    assert Scored(value=83.1, low=81.0, high=85.04).shown == "83.10 [81.0, 85.0]"
    cell = Cell.measured(score)
    assert (cell.text, cell.interval, cell.leaked, cell.clean) == ("83.10‡", " [81.0, 85.0] (82.40)", 6, 82.4)


# Through the whole: a built recipe of which a report says that a task's rows are in its dev split

LEAKED = "STS17-ar: 20 of 250 rows are in the dev split of arabic-stsb, which chose the checkpoint"


@pytest.fixture(scope="module")
def leaky(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A copy of the lab in which twenty rows of STS17 are in the dev split; scores and card are made again."""
    from zoo.pipeline.build import Build
    from zoo.recipe import Workspace

    root = tmp_path_factory.mktemp("leaky") / "lab"
    shutil.copytree(lab.workspace.root, root)
    workspace = Workspace(root)
    run = Build(workspace, SCALE).folder(RECIPE)
    found = read_overlap(run.stage("contamination") / "contamination.json")
    rows = list(range(20))
    changed = {"exact": 20, "rows_found": rows, "found_in": {"arabic-stsb/validation": rows}}
    tasks = {**found.tasks, "STS17-ar": found.tasks["STS17-ar"].model_copy(update=changed)}
    receipt = run.receipt("contamination")
    with run.making("contamination", receipt.made_from) as folder:
        (folder / "contamination.json").write_text(found.model_copy(update={"tasks": tasks}).model_dump_json(), "utf-8")
    build = Build(workspace, SCALE)
    build.run(workspace.recipe(RECIPE, scale=SCALE))
    assert {outcome.stage for outcome in build.done.values() if outcome.did == "built"} == {"evaluate", "card"}
    return Lab(workspace, build, list(build.done.values()))


Zoo = Callable[..., tuple[int, str, str]]


def test_every_size_of_the_model_is_marked_and_no_rival(leaky: Lab) -> None:
    scores = leaky.build.scores(RECIPE)
    (leak,) = scores.leaks
    assert (leak.task, leak.rows, leak.found, leak.clean.rows) == ("STS17-ar", 250, 20, 230)
    assert scores.clean == [leak.clean]
    mine = scores.subject("self").name
    for one in scores.scores:
        assert (one.leaked, one.clean is not None) == (
            (20, True) if (one.model, one.task) == (mine, "STS17-ar") else (0, False)
        )
    for mean in scores.means:
        assert (mean.leaked, mean.clean is not None) == ((20, True) if mean.model == mine else (0, False))
        if mean.clean:
            score = scores.score(mine, "STS17-ar", mean.dim)
            assert mean.value - mean.clean.value == pytest.approx(
                (score.value - score.clean.value) / len(mean.tasks), abs=1e-3
            )


def test_build_prints_what_was_found(leaky: Lab, zoo: Zoo) -> None:
    code, out, _ = zoo("build", RECIPE, "--scale", SCALE, cwd=leaky.workspace.root)
    assert code == 0
    assert f"{RECIPE}: {LEAKED}; " in out
    assert re.search(r"; \d+\.\d\d with them, \d+\.\d\d without$", out, re.MULTILINE)
    code, out, _ = zoo("build", RECIPE, "--scale", SCALE, "--json", cwd=leaky.workspace.root)
    assert json.loads(out)["leaked"][RECIPE][0].startswith(LEAKED)


def test_the_card_marks_its_headline_and_says_what_was_searched(leaky: Lab) -> None:
    from zoo.hub.frontmatter import load_yaml
    from zoo.pipeline.build import rendered_card

    card = rendered_card(leaky.build, leaky.workspace.recipe(RECIPE, scale=SCALE))
    scores = leaky.build.scores(RECIPE)
    mine = scores.subject("self")
    leak, headline = scores.leaks[0], scores.headline(mine.name, mine.dims[0])
    assert re.search(rf"\*\*{headline.value:.2f}{LEAK_MARK}\s\[.*\]\s\({headline.clean.value:.2f}\)\*\*", card)
    assert f"{LEGEND}: STS17-ar ({leak.shown})." in card
    assert f"- {LEAKED}; " in card
    assert "- the dev split of arabic-stsb, which chose the checkpoint\n" in card
    assert "Not to be found are translations and paraphrases" in card
    assert "STS22 and STS22-v2 share 193 rows" in card
    (model,) = load_yaml(card.split("---\n")[1]).data["model-index"]
    parent = rendered_card(leaky.build, leaky.workspace.recipe("arabert-matryoshka", scale=SCALE))
    assert not leaky.build.scores("arabert-matryoshka").leaks
    assert re.search(r"GATE-AraBert-v1: STS17‡ [+-]", parent)
    assert f"\n{LEGEND}.\n" in parent
    (name,) = {
        metric["name"]
        for result in model["results"]
        for metric in result["metrics"]
        if result["dataset"]["name"] == TASKS["STS17-ar"].title
    }
    assert name == f"cosine_spearman (20 of 250 rows leaked; {leak.clean.value:.2f} without them)"


def test_the_leaderboard_marks_it_in_every_format(leaky: Lab) -> None:
    from zoo.leaderboard.formats import as_text
    from zoo.leaderboard.tables import Board, tables

    found = tables(Board.of(leaky.workspace, SCALE), ["models"])
    scores = leaky.build.scores(RECIPE)
    score = scores.score(f"zoo/{RECIPE}", "STS17-ar", 768)
    shown = {
        "md": score.shown,
        "tex": rf"{score.value:.2f}\(\ddagger\) {{\scriptsize {{[}}{score.low:.1f}, {score.high:.1f}{{]}} ({score.clean.value:.2f})}}",
        "html": f"<bdi>{score.value:.2f}‡</bdi>",
        "json": f'"clean": {score.clean.value}',
    }
    for form, text in shown.items():
        out = as_text(found, form, leaky.workspace)
        assert text in out, form
        assert "some of its rows are in what the model was trained on or chosen by" in out, form
        assert "STS22 and STS22-v2 share 193 rows" in out, form
    rows = list(csv.DictReader(io.StringIO(as_text(found, "csv", leaky.workspace))))
    assert {row["value"] for row in rows if row["task"] == "STS17: leaked rows"} == {"20"}
    assert str(score.clean.value) in {row["value"] for row in rows if row["task"] == "STS17: without leaked rows"}


def test_compare_marks_it(leaky: Lab, zoo: Zoo) -> None:
    code, out, _ = zoo("compare", RECIPE, "arabert-matryoshka", "--scale", SCALE, cwd=leaky.workspace.root)
    assert code == 0
    score = leaky.build.scores(RECIPE).score(f"zoo/{RECIPE}", "STS17-ar", 768)
    told = " ".join(out.split())
    assert LEGEND in told
    assert f"({score.clean.value:.2f})" in told


def test_publishing_asks_first(leaky: Lab, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, err = zoo("publish", RECIPE, "--scale", SCALE, cwd=leaky.workspace.root)
    assert code == 1
    assert f"{RECIPE}: {LEAKED}" in err
    assert f"publish scores of which more than 1% of a task's rows leaked ({RECIPE})?" in out
    assert "arabert-matryoshka" not in re.findall(r"leaked \((.*)\)\?", out)[0]


def test_status_marks_it(leaky: Lab, zoo: Zoo) -> None:
    _, out, _ = zoo("status", "--scale", SCALE, cwd=leaky.workspace.root)
    assert LEGEND in " ".join(out.split())


def test_what_nobody_looked_for_is_told(leaky: Lab, zoo: Zoo, tmp_path: Path) -> None:
    """A suite that is not the recipe's: its other tasks have no mark, and that is no finding."""
    from zoo.leaderboard.tables import Board, tables
    from zoo.pipeline.build import Build
    from zoo.recipe import Workspace

    root = tmp_path / "lab"
    shutil.copytree(leaky.workspace.root, root)
    family = root / "recipes" / "family.yaml"
    family.write_text(
        family.read_text("utf-8").replace("\nsuites:", "\nsuites:\n  two: [STS22v2-ar, STS17-ar]"), "utf-8"
    )
    run = Build(Workspace(root), SCALE).folder(RECIPE)
    found = read_overlap(run.stage("contamination") / "contamination.json")
    receipt = run.receipt("contamination")
    assert receipt
    with run.making("contamination", receipt.made_from) as folder:
        searched = found.model_copy(update={"tasks": {"STS17-ar": found.tasks["STS17-ar"]}})
        (folder / "contamination.json").write_text(searched.model_dump_json(), "utf-8")
    told = "STS22-v2: not looked for in what {} was trained on; zoo build searches for the tasks of its own suite"
    title = "GATE-AraBert-v1"
    code, out, err = zoo("eval", RECIPE, "--suite", "two", "--scale", SCALE, cwd=root)
    assert code == 0, err
    assert told.format(title) in " ".join(out.split())
    code, out, err = zoo("compare", RECIPE, "arabert-matryoshka", "--suite", "two", "--scale", SCALE, cwd=root)
    assert code == 0, err
    assert told.format(RECIPE) in " ".join(out.split())
    assert told.format("arabert-matryoshka") not in " ".join(out.split())
    board = {table.key: table for table in tables(Board.of(Workspace(root), SCALE), ["models"])}
    notes = {key: [note.en for note in table.notes] for key, table in board.items()}
    assert f"{told.format(title)}." in notes["models-two"]
    assert f"{told.format(title)}." not in notes["models-ara-sts"]
