"""A file of graded sentence pairs as an evaluation task: one call in a workspace's `plugins/`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.characters import brief
from zoo.options import sentence
from zoo.plurals import how_many
from zoo.registry import RegistrationError, being_imported
from zoo.run import file_digest
from zoo.tasks.task import TASKS, Task, own_name, register

COLUMNS = ("sentence1", "sentence2", "score")


@dataclass(frozen=True)
class GradedFile:
    """The AbsTask of such a task; a thing with a name, so that tasks are equal when what they say is."""

    least: float
    most: float

    def __call__(self, ours: Task) -> Any:
        """Make mteb's task, with its rows."""
        from zoo.tasks.own import graded_pairs_task  # mteb takes seconds

        assert ours.file is not None
        return graded_pairs_task(ours, read_pairs(ours.file, self.least, self.most), self.least, self.most)


def graded_pairs(
    name: str,
    file: str,
    says: str,
    *,
    least: float = 0,
    most: float = 5,
    column: str | None = None,
    languages: Iterable[str] = ("ara-Arab",),
) -> None:
    """Register a TSV file of sentence pairs with gold scores as an STS task (Spearman of cosine similarities).

    Its first line names the columns: sentence1, sentence2, score. There are no quotes and no escapes in it.

    Args:
        name: what suites call the task.
        file: path of the file, from the workspace's folder.
        says: one sentence on it, for people.
        least: the lowest score that annotators could give, `most` the highest.
        column: heading in tables; null = its name.
    """
    path = (being_imported().folder or Path()) / file
    rows = len(read_pairs(path, least, most))
    register(
        Task(
            name,
            own_name(name),
            subset="default",
            column=column or name,
            dataset=file,
            revision=file_digest(path)[:40],
            rows=rows,
            make=GradedFile(least, most),
            languages=tuple(languages),
            file=path,
            says=sentence(TASKS.kind, name, says),
        )
    )


def read_pairs(path: Path, least: float, most: float) -> list[tuple[str, str, float]]:
    """The rows of such a file.

    Raises:
        RegistrationError: it is not there, or a line of it is none; all scores are the same.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    except OSError as error:
        raise RegistrationError(f"cannot read '{path}': {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RegistrationError(f"'{path}' is not UTF-8 (byte {error.start})") from None
    except ValueError:
        raise RegistrationError(f"'{path}' is empty") from None
    if tuple(head) != COLUMNS:
        raise RegistrationError(f"'{path}', line 1: '{brief(' '.join(head))}' where '{' '.join(COLUMNS)}' belongs")
    rows = [_row(line, f"'{path}', line {at}", least, most) for at, line in enumerate(lines, 2) if line]
    if len({score for _, _, score in rows}) < 2:
        raise RegistrationError(
            f"'{path}' has {how_many(len(rows), 'row')} and no two scores that differ: nothing can be compared"
        )
    return rows


def _row(line: list[str], where: str, least: float, most: float) -> tuple[str, str, float]:
    if len(line) != len(COLUMNS):
        raise RegistrationError(
            f"{where}: {how_many(len(line), 'column')} where {len(COLUMNS)} belong, with tabs between them"
        )
    first, second, given = line
    if not first.strip() or not second.strip():
        raise RegistrationError(f"{where}: a sentence is empty")
    try:
        score = float(given)
    except ValueError:
        raise RegistrationError(f"{where}: '{brief(given)}' is no number") from None
    if not least <= score <= most:
        raise RegistrationError(f"{where}: score '{brief(given)}' is not from {least:g} to {most:g}")
    return first, second, score
