"""Tables 3, 4 and 5 of the GATE paper: our scores beside the printed ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo import published
from zoo.errors import EvaluationError
from zoo.evaluate.ingredients import STAGE
from zoo.recipe import Workspace
from zoo.run import Run
from zoo.scores import ScoreFile, read_scores
from zoo.tasks import TASKS

TASK_NAMES = ("STS17-ar", "STS22-ar", "STS22v2-ar")
COLUMNS = [TASKS[name].column for name in TASK_NAMES]


@dataclass(frozen=True)
class Table:
    title: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        rows = [dict(zip(self.header, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


@dataclass(frozen=True)
class _Ours:
    """Our measurements, found by the repository's name or the base model's id."""

    files: Sequence[ScoreFile]

    @classmethod
    def of(cls, workspace: Workspace, scale: str) -> _Ours:
        runs = (Run.of(workspace.root, name, scale) for name in workspace.names)
        return cls([read_scores(run.stage(STAGE)) for run in runs if run.receipt(STAGE)])

    def row(self, model: str, dim: int) -> tuple[list[str], str]:
        """Scores of the tasks and their mean as text, then the number of parameters; '-' for what was not measured."""
        for file in self.files:
            for subject in file.subjects:
                if model.rsplit("/", 1)[-1] == subject.title.rsplit("/", 1)[-1]:
                    try:
                        values = [file.value(subject.name, task, dim) for task in TASK_NAMES]
                    except EvaluationError:
                        continue
                    scores = [f"{value:.2f}" for value in [*values, sum(values) / len(values)]]
                    return scores, _millions(subject.parameters)
        return ["-"] * (len(TASK_NAMES) + 1), "-"

    @property
    def notes(self) -> list[str]:
        if not self.files:
            return ["Nothing of ours is measured yet at this scale: zoo build."]
        if any(file.miniature for file in self.files):
            return [
                "Ours: the miniature, generated data and two-layer models; not comparable with the paper's figures."
            ]
        return ["Ours: measured by zoo on the data and revisions that mteb pins."]


def _millions(parameters: int | None) -> str:
    return "-" if parameters is None else f"{parameters / 1e6:.1f}M"


def _header(*first: str) -> list[str]:
    sources = [f"{column} ({who})" for who in ("paper", "ours") for column in (*COLUMNS, "Average")]
    return [*first, *sources]


def _printed(row: published.Row) -> list[str]:
    return [*(row[task] for task in TASK_NAMES), row["average"]]


TWICE = "The average counts STS22 and STS22-v2, which replaces it and shares its pairs, as the paper does."


def table_3(workspace: Workspace, scale: str) -> Table:
    """Matryoshka models against their base models."""
    ours = _Ours.of(workspace, scale)
    rows = []
    for row in published.table(workspace.recipes, "gate-table3"):
        scores, parameters = ours.row(row["model"], int(row["dim"]))
        rows.append([_name(row), row["dim"], row["parameters"], parameters, *_printed(row), *scores])
    title = "Table 3: Matryoshka models and their base models"
    header = _header("Model", "Dim", "Parameters (paper)", "Parameters (ours)")
    printed_wrong = (
        "Parameters as printed: the 135M of the two mpnet rows should be 278M, the 278M of the two E5 rows 118M "
        "(safetensors headers of those models)."
    )
    return Table(title, header, rows, [*ours.notes, TWICE, printed_wrong])


def table_4(workspace: Workspace, scale: str) -> Table:
    """What each loss adds."""
    ours = _Ours.of(workspace, scale)
    rows = [
        [row["loss"], _name(row), *_printed(row), *ours.row(row["model"], int(row["dim"]))[0]]
        for row in published.table(workspace.recipes, "gate-table4")
    ]
    return Table("Table 4: effect of the losses", _header("Loss", "Model"), rows, [*ours.notes, TWICE])


def table_5(workspace: Workspace, scale: str) -> Table:
    """One model at every dim."""
    ours = _Ours.of(workspace, scale)
    rows = [
        [row["dim"], *_printed(row), *ours.row(row["model"], int(row["dim"]))[0]]
        for row in published.table(workspace.recipes, "gate-table5")
    ]
    title = "Table 5: Arabic-Triplet-Matryoshka-V2 at every embedding size"
    return Table(title, _header("Dim"), rows, [*ours.notes, TWICE])


def _name(row: published.Row) -> str:
    return row["model"].rsplit("/", 1)[-1]


TABLES: dict[str, Callable[[Workspace, str], Table]] = {"3": table_3, "4": table_4, "5": table_5}


def as_markdown(table: Table) -> str:
    numeric = [all(_is_number(row[index]) for row in table.rows) for index in range(len(table.header))]
    lines = [
        f"## {table.title}",
        "",
        f"| {' | '.join(table.header)} |",
        f"|{'|'.join('---:' if right else '---' for right in numeric)}|",
        *(f"| {' | '.join(row)} |" for row in table.rows),
        "",
        *table.notes,
        "",
    ]
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).isdigit()


def as_csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", *table.header])
    writer.writerows([table.title.split(":")[0], *row] for row in table.rows)
    return out.getvalue()
