"""Tables of a model's card, computed from its facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from zoo import markdown
from zoo.cards.facts import ModelFacts
from zoo.evidence.findings import findings
from zoo.evidence.scores import LEGEND, CleanScore, Comparison, Mean, ScoreFile, Subject
from zoo.markdown import Markdown
from zoo.tasks import TASKS, sharing


class ModelCardView:
    """Tables and lines of a model's card, computed when the template asks for them."""

    def __init__(self, facts: ModelFacts) -> None:
        self.facts = facts
        self.scores = facts.scores
        mine = facts.scores.subject("self")
        assert mine is not None
        self.mine = mine
        self.tasks = [TASKS[name] for name in facts.scores.tasks]

    @property
    def best(self) -> Mean:
        """The mean score of this model at its full width."""
        return self.scores.mean(self.mine.name, self.mine.dims[0])

    @property
    def rivals(self) -> list[dict[str, Any]]:
        """All measured models at their full width: {title, mine, dim, parameters, scores, mean}, best first."""
        rows = [row(self.scores, subject, full_dim(subject)) for subject in self.scores.subjects]
        return sorted(rows, key=_best_first)

    @property
    def rival(self) -> dict[str, Any]:
        """The best of the other models, a row of `rivals`."""
        return next(row for row in self.rivals if not row["mine"])

    @property
    def family(self) -> list[dict[str, Any]]:
        """This model and its siblings as their own cards have them: rows of `rivals`; none when it has no siblings."""
        rows = [
            {**row(scores, subject, full_dim(subject)), "mine": scores is self.scores}
            for scores in (self.scores, *self.facts.family)
            if (subject := scores.subject("self"))
        ]
        return sorted(rows, key=_best_first) if len(rows) > 1 else []

    @property
    def dims(self) -> list[dict[str, Any]]:
        """This model at every dim, with the share of the full width's mean that is left (percent)."""
        rows = [row(self.scores, self.mine, dim) for dim in self.mine.dims]
        return [{**row, "kept": 100 * row["mean"].value / rows[0]["mean"].value} for row in rows]

    def verdicts(self, verdict: Literal["ahead", "behind", "tied"]) -> list[Markdown]:
        """Lines, one for a rival: the tasks on which this model, at full width, has that verdict."""
        lines = []
        for subject in self.scores.subjects:
            found = [one for one in self._against(subject) if _verdict(one) == verdict]
            if found:
                lines.append(Markdown("{}: {}").format(markdown.isolated(subject.title), _listed(found)))
        return lines

    def _against(self, subject: Subject) -> list[Comparison]:
        full = self.mine.dims[0]
        return [one for one in self.scores.comparisons if one.rival == subject.name and one.dim == full]

    @property
    def printed(self) -> list[dict[str, Any]]:
        """Printed rows with a task of ours: {dim, scores: [(task, score)], mean: None unless of the same tasks}."""
        rows = [
            {
                "dim": row["dim"],
                "scores": [(task, row[task.name]) for task in self.tasks if row.get(task.name)],
                "mean": row["average"] if _tasks_of(row) == set(self.scores.tasks) else None,
            }
            for row in self.facts.published
        ]
        return [row for row in rows if row["scores"]]

    @property
    def legend(self) -> str:
        """What the mark of scores means of which rows leaked; empty where none has it."""
        return LEGEND if self.scores.marked else ""

    @property
    def findings(self) -> list[str]:
        """A sentence for each task of which rows were found, with its scores with and without them."""
        return findings(self.facts.contamination, self.scores)

    @property
    def sharing(self) -> list[str]:
        """A sentence for each two of the tasks that share rows."""
        return sharing(self.scores.tasks)

    @property
    def clean(self) -> dict[str, CleanScore]:
        """{task: score on the rows that are not in the training text}, of tasks that have some in it."""
        return {found.task: found for found in self.scores.clean}

    @property
    def shrinking(self) -> dict[int, Markdown]:
        """{cut dim: tasks on which it is told apart from the full width}."""
        own = [one for one in self.scores.comparisons if one.rival == self.mine.name and not one.tied]
        return {dim: _listed([one for one in own if one.dim == dim]) for dim in self.mine.dims[1:]}


def row(scores: ScoreFile, subject: Subject, dim: int | None) -> dict[str, Any]:
    """The facts of a model at a dim, as `ModelCardView.rivals` has them."""
    return {
        "title": subject.title,
        "mine": subject.role == "self",
        "dim": dim,
        "parameters": subject.parameters,
        "scores": [scores.score(subject.name, task, dim) for task in scores.tasks],
        "mean": scores.mean(subject.name, dim),
    }


def full_dim(subject: Subject) -> int | None:
    """The full width of a model; None when it has no dims."""
    return subject.dims[0] if subject.dims else None


def _tasks_of(row: Mapping[str, str]) -> set[str]:
    """The tasks of a printed row that have a score in it: its average is over these."""
    return {name for name, score in row.items() if name in TASKS and score}


def _best_first(row: Mapping[str, Any]) -> float:
    return -float(row["mean"].value)


def _verdict(one: Comparison) -> str:
    if one.tied:
        return "tied"
    return "ahead" if one.difference > 0 else "behind"


def _listed(found: Sequence[Comparison]) -> Markdown:
    lines = (f"{TASKS[one.task].column} {one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]" for one in found)
    return Markdown(", ".join(lines))  # tasks are ours, and numbers are numbers
