"""Brings a model's results into one shape, wherever it keeps them: model-index, `.eval_results`, `zoo/scores.json`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.lint.finding import CARD
from zoo.lint.front import Front
from zoo.lint.printed import Printed, own_unit


def folded(name: str) -> str:
    """Return a task's name so that STS22-v2, STS22.v2 and sts22 v2 are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Result:
    """A task, and every value that may be printed for it: one per metric, the exact ones where they are known."""

    task: str
    config: str
    dataset: str
    split: str | None
    values: tuple[float, ...]
    file: str
    line: int | None

    def rounds_to(self, shown: Printed) -> bool:
        """Return whether a value rounds to what is shown; one stored rounded may be off by half of its last digit."""
        return any(shown.rounds(value, slack=_slack(value, shown)) for value in self._scaled(shown))

    def is_cut_to(self, shown: Printed) -> bool:
        """Return whether what is shown is a value with its last digits cut off."""
        return any(shown.truncates(value) and own_unit(value) < shown.unit for value in self._scaled(shown))

    def _scaled(self, shown: Printed) -> list[float]:
        """Return the values on the scale of what is shown: 0.7808 is printed as 78.08 and the other way round."""
        return [
            value * factor
            for value in self.values
            for factor in (1, *((100,) if abs(value) <= 1 < abs(shown.value) else ()))
        ] + [value / 100 for value in self.values if abs(shown.value) <= 1 < abs(value)]


def _slack(value: float, shown: Printed) -> float:
    unit = own_unit(value)
    return 0.5 * unit if 1e-3 <= unit < shown.unit else 0.0


@dataclass(frozen=True)
class StoredMean:
    """A mean over tasks in `zoo/scores.json`: the model's own, or one that was measured beside it."""

    title: str
    own: bool
    dim: int | None
    full: bool
    """Whether the dim is the full width."""
    tasks: int
    """The number of tasks that it is over."""
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Scores:
    """The part of `zoo/scores.json` that the linter needs; empty when there is no such file."""

    rows: tuple[tuple[str, str, str, float], ...] = ()
    """(dataset, revision, metric, value) of the model itself at full width."""
    means: tuple[StoredMean, ...] = ()

    def values(self, dataset: str, revision: str, metric: str) -> list[float]:
        """Return the model's own scores on a dataset."""
        return [row[3] for row in self.rows if row[:3] == (dataset, revision, metric)]

    def own_means(self, *, tasks: int | None = None, dim: int | None = None) -> list[StoredMean]:
        """Return the model's own means; those over so many tasks, at that width, where these are given."""
        return [one for one in self.means if one.own and tasks in (None, one.tasks) and dim in (None, one.dim)]

    def rival_means(self, title: str, counts: Collection[int]) -> list[StoredMean]:
        """Return the means of the model of that title at full width, over so many tasks where any number is given."""
        means = [one for one in self.means if not one.own and one.full and one.title == title]
        return [one for one in means if one.tasks in counts or not counts]


def stored_scores(found: dict[str, Any]) -> Scores:
    """Read the content of `zoo/scores.json`; what is not as zoo writes it is left out."""
    subjects = _list(found.get("subjects"))
    own = next((one for one in subjects if one.get("role") == "self"), None)
    if own is None:
        return Scores()
    full = [one for one in _numbered(found, "scores", own) if one.get("dim") == _width(own)]
    keys = ("dataset", "revision", "metric")
    rows = tuple((*(str(one.get(key)) for key in keys), float(one["value"])) for one in full)
    return Scores(rows, tuple(mean for subject in subjects for mean in _means(found, subject)))  # type: ignore[arg-type]


def _numbered(found: dict[str, Any], key: str, subject: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a subject's entries of a list, those with a value."""
    named = [one for one in _list(found.get(key)) if one.get("model") == subject.get("name")]
    return [one for one in named if _number(one.get("value"))]


def _width(subject: dict[str, Any]) -> int | None:
    dims = subject.get("dims")
    return max((dim for dim in dims if isinstance(dim, int)), default=None) if isinstance(dims, list) else None


def _means(found: dict[str, Any], subject: dict[str, Any]) -> Iterator[StoredMean]:
    for one in _numbered(found, "means", subject):
        dim, tasks = one.get("dim"), one.get("tasks")
        yield StoredMean(
            title=str(subject.get("title")),
            own=subject.get("role") == "self",
            dim=dim if isinstance(dim, int) else None,
            full=dim == _width(subject),
            tasks=len(tasks) if isinstance(tasks, list) else 0,
            value=float(one["value"]),
            low=one["low"] if _number(one.get("low")) else None,
            high=one["high"] if _number(one.get("high")) else None,
        )


def read_results(front: Front, entries: Sequence[tuple[str, Any]], scores: Scores) -> list[Result]:
    """Return one result for each task and configuration."""
    merged: dict[tuple[str, str, str], Result] = {}
    for one in [*_of_index(front, scores), *_of_entries(entries)]:
        key = (folded(one.task), folded(one.config), one.dataset)
        if key not in merged:
            merged[key] = one
        elif one.file == merged[key].file == CARD:
            merged[key] = Result(
                **{**vars(merged[key]), "values": tuple(dict.fromkeys((*merged[key].values, *one.values)))}
            )
    return list(merged.values())


def index_values(front: Front) -> Iterator[tuple[int | None, dict[str, Any], dict[str, Any]]]:
    """Find (line, dataset, metric) of every number of the model-index."""
    for first, model in enumerate(_list(front.data.get("model-index"))):
        for second, result in enumerate(_list(model.get("results"))):
            dataset = result.get("dataset") if isinstance(result.get("dataset"), dict) else {}
            for third, metric in enumerate(_list(result.get("metrics"))):
                if _number(metric.get("value")):
                    path = ("model-index", first, "results", second, "metrics", third)
                    yield front.line(*path, "value"), dataset or {}, metric


def _of_index(front: Front, scores: Scores) -> Iterator[Result]:
    for line, dataset, metric in index_values(front):
        named = re.sub(r"^MTEB\s+", "", str(dataset.get("name") or ""))
        task, _, config = named.partition(" (")
        known = scores.values(str(dataset.get("type")), str(dataset.get("revision")), str(metric.get("type")))
        split = dataset.get("split")
        yield Result(
            task.strip(),
            config.rstrip(")") or str(dataset.get("config") or ""),
            str(dataset.get("type") or ""),
            str(split) if split else None,
            tuple(known) or (float(metric["value"]),),
            CARD,
            line,
        )


def _of_entries(entries: Sequence[tuple[str, Any]]) -> Iterator[Result]:
    for path, content in entries:
        for entry in _list(content):
            dataset = entry.get("dataset")
            if isinstance(dataset, dict) and _number(entry.get("value")):
                task, *rest = str(dataset.get("task_id") or "").split("_")
                config = rest[0] if rest else ""
                yield Result(task, config, str(dataset.get("id")), None, (float(entry["value"]),), path, None)


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
