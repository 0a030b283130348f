"""Fetches MTEB's official scores anew, from the parquet behind its leaderboard into recipes/published/."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import EvaluationError
from zoo.evidence.published import OFFICIAL, Row, printed_rows
from zoo.recipe import Workspace
from zoo.remote import api, explained
from zoo.tasks import TASKS

DATASET = "mteb/results"
COLUMNS = ("model_name", "model_revision", "task_name", "split", "subset", "score")


def refresh(workspace: Workspace) -> list[Row]:
    """Rewrite the rows of the models that our tables show; a model that MTEB does not list keeps its row.

    Returns the rows that changed.

    Raises:
        HubError: the Hub cannot be asked. EvaluationError: the dataset has another form than we know, or there is no
            row here.
    """
    before = printed_rows(workspace.recipes, OFFICIAL)
    if not before:
        problem = f"recipes/published/{OFFICIAL}.csv names no model whose scores could be fetched"
        raise EvaluationError(
            problem, hint=f"write a row for each: model,revision,{','.join(list(TASKS)[:2])},...,source"
        )
    with explained(f"read the official scores in '{DATASET}'"):
        sha = api().dataset_info(DATASET).sha
        names = api().list_repo_files(DATASET, repo_type="dataset", revision=sha)
        parquet = [name for name in names if name.endswith(".parquet")]
        files = [api().hf_hub_download(DATASET, name, repo_type="dataset", revision=sha) for name in parquet]
    if not files:
        raise EvaluationError(f"'{DATASET}' holds no parquet file", hint="it may have moved: look at the Hub")
    scores = _scores(files, {row["model"] for row in before})
    after = [_updated(row, scores, f"{DATASET} @ {sha}") for row in before]
    _write(workspace.recipes / "published" / f"{OFFICIAL}.csv", after)
    return [new for old, new in zip(before, after, strict=True) if new != old]


def _scores(files: Iterable[str], models: set[str]) -> dict[tuple[str, str, str], str]:
    """Return {(model, revision, task): score x 100, four decimals: a printed score is compared at its own."""
    import polars as pl

    frame = pl.scan_parquet(list(files))
    if missing := set(COLUMNS) - set(frame.collect_schema().names()):
        hint = "its form has changed: update zoo, or edit the table by hand"
        raise EvaluationError(f"'{DATASET}' has no column '{min(missing)}'", hint=hint)
    rows = frame.select(COLUMNS).filter(pl.col("model_name").is_in(sorted(models))).collect()
    return {
        (row["model_name"], row["model_revision"], name): f"{100 * row['score']:.4f}"
        for row in rows.iter_rows(named=True)
        for name in _tasks_of(row)
    }


def _tasks_of(row: dict[str, object]) -> list[str]:
    where = (row["task_name"], row["split"], row["subset"])
    return [name for name in TASKS if (TASKS[name].mteb, TASKS[name].split, TASKS[name].subset) == where]


def _updated(row: Row, scores: dict[tuple[str, str, str], str], source: str) -> Row:
    """Return a row with the scores of its own revision, or of the only other one there is."""
    revisions = {revision for model, revision, _ in scores if model == row["model"]}
    revision = row["revision"] if row["revision"] in revisions else next(iter(revisions), None)
    if revision is None or (len(revisions) > 1 and row["revision"] not in revisions):
        return row
    found = {name: _kept(row[name], scores.get((row["model"], revision, name), "")) for name in row if name in TASKS}
    changed = {**row, **found, "revision": revision}
    return row if changed == row else {**changed, "source": source}


def _kept(old: str, new: str) -> str:
    """Return a score's new text, or the old one of an equal number."""
    return old if old and new and float(old) == float(new) else new


def _write(path: Path, rows: list[Row]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")
