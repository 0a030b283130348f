"""What we say of an evaluation task before mteb is imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from zoo.characters import brief
from zoo.hub.metadata import REPO_ID
from zoo.options import sentence
from zoo.registry import RegistrationError, Registry, being_imported

F = TypeVar("F", bound=Callable[..., Any])
MeasureName = Literal["margin", "ties"]

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"  # it becomes the name of files
DEPTHS = "1|3|5|10|20|100|1000"  # to which mteb scores rankings
METRICS = {
    "STS": r"cosine_(spearman|pearson)",
    "PairClassification": r"max_ap|accuracy",
    "Classification": r"accuracy",
    "Clustering": r"v_measure",
    "BitextMining": r"f1",
    "Retrieval": rf"(ndcg|map)_at_({DEPTHS})",
    "Reranking": rf"(ndcg|map)_at_({DEPTHS})",
}
"""{mteb's type of task: its scores that can be told from rows, and so have intervals (zoo/evaluate/samples.py)}."""
COMMIT = r"[0-9a-f]{40}"
LANGUAGE = r"[a-z]{3}-[A-Z][a-z]{3}"


@dataclass(frozen=True)
class Task:
    """One subset and split of an mteb task, scored by one number.

    `name` is ours and goes into recipes and scores; `column` is its heading in tables. `kind` is mteb's type of task;
    `mteb` is mteb's name of it, and of its result files. `rows` is the size that mteb documents: pairs, texts to
    classify, or queries and documents together. `superseded_by` is the task that replaces it (a mean over both counts
    one test set twice). `shares_rows` has the rows that are in another task as well, by that task; one of the two says
    it. `store`: keep its embeddings on disk; off for a corpus that is too large. `groups` is the column that names what
    rows have in common, so that they are drawn together and may be met together in training: a synset; its plural is
    the name and an s. `measures` are what is told of it beside its score (zoo/evidence/scores.py).

    A task that mteb does not know has `make`, which gets this and returns an AbsTask for mteb to evaluate. Its data is
    on the Hub, or a `file`: then `dataset` is the file's name and `revision` its digest.
    """

    name: str
    mteb: str
    subset: str
    column: str
    dataset: str
    revision: str
    rows: int
    split: str = "test"
    metric: str = "cosine_spearman"
    kind: str = "STS"
    superseded_by: str | None = None
    shares_rows: Mapping[str, int] = field(default_factory=dict, hash=False)
    store: bool = True
    groups: str | None = None
    measures: tuple[MeasureName, ...] = ()
    make: Callable[[Task], Any] | None = None
    languages: tuple[str, ...] = ()
    """Of a task that mteb does not know, as `ara-Arab`."""
    file: Path | None = None
    says: str = ""

    @property
    def official(self) -> bool:
        """True when mteb itself has the task, so that its results repository takes the scores."""
        return self.make is None

    @property
    def result_id(self) -> str:
        """The id of the task in `.eval_results` and in its dataset's `eval.yaml`, as mteb writes it."""
        return f"{self.mteb}_{self.subset}_{self.split}"

    @property
    def unit(self) -> str:
        """The plural of what its score is taken over: rows, queries or clusterings."""
        return UNITS.get(self.kind, "rows")

    @property
    def title(self) -> str:
        """The title that readers of a card look for: mteb's name of the task and the subset, or our own name."""
        return f"MTEB {self.mteb} ({self.subset})" if self.official else self.name


UNITS = {"Retrieval": "queries", "Reranking": "queries", "Clustering": "clusterings"}
"""{mteb's type of task: what its score is the mean over}; of every other type it is rows."""

TASKS: Registry[Task] = Registry("evaluation task", extensible=True)


def shared_rows(tasks: Sequence[str]) -> list[tuple[str, str, int]]:
    """(task, other task, rows that are in both) for those of the tasks that share rows: a mean counts them twice."""
    return [(name, other, rows) for name in tasks for other, rows in TASKS[name].shares_rows.items() if other in tasks]


def sharing(tasks: Sequence[str]) -> list[str]:
    """A sentence for each two of the tasks that share rows: 'STSB and STS17 en share 125 rows: ...', or 'Muradif (full)
    has all rows of Muradif: ...'.
    """
    return [
        f"{_sharing(TASKS[one], TASKS[other], rows)}: a mean of both counts these twice"
        for one, other, rows in shared_rows(tasks)
    ]


def _sharing(one: Task, other: Task, rows: int) -> str:
    if one.groups and rows == other.rows:  # fewer in a rehearsal
        return f"{one.column} has all rows of {other.column}"
    return f"{one.column} and {other.column} share {rows:,} rows"


def pins(tasks: Iterable[str]) -> dict[str, str]:
    """{task: what its scores are of}: the revision of its data, and the digest of the plugin, if one defines it."""
    digests = {name: TASKS.origin(name).digest for name in tasks}
    return {
        name: TASKS[name].revision if digest is None else f"{TASKS[name].revision}+{digest}"
        for name, digest in digests.items()
    }


def task(
    name: str,
    *,
    kind: str,
    metric: str,
    dataset: str,
    revision: str,
    rows: int,
    subset: str = "default",
    split: str = "test",
    column: str | None = None,
    languages: Iterable[str] = ("ara-Arab",),
    store: bool = True,
) -> Callable[[F], F]:
    """Register a task that mteb does not know: the decorated function gets the `Task` and returns mteb's AbsTask of it.

    Args:
        name: what suites call it; letters, digits, '.', '_' and '-'.
        kind: mteb's type of task, e.g. `Retrieval`.
        metric: the score that counts, as the AbsTask names it, e.g. `ndcg_at_10`.
        dataset: the id of its data on the Hub, at the commit `revision` (40 hex), with `rows` rows.
        column: its heading in tables; null = its name.

    Raises:
        RegistrationError: one of them is not as it must be.
    """
    spoken = tuple(languages)

    def add(make: F) -> F:
        _require_facts(name, dataset, revision, rows, spoken)
        says = sentence("evaluation task", name, make.__doc__)
        facts = {"dataset": dataset, "revision": revision, "rows": rows, "metric": metric, "kind": kind}
        places = {"subset": subset, "split": split, "column": column or name, "languages": spoken}
        register(Task(name, own_name(name), **facts, **places, store=store, make=make, says=says))  # type: ignore[arg-type]
        return make

    return add


def _require_facts(name: str, dataset: str, revision: str, rows: int, languages: Sequence[str]) -> None:
    """Refuse facts of a plugin's task over which mteb or the Hub would stumble much later."""
    if not re.fullmatch(COMMIT, revision):
        raise RegistrationError(f"the revision of evaluation task '{name}' is no commit: 40 of 0-9 and a-f")
    if not re.fullmatch(REPO_ID, dataset):
        problem = f"the data of evaluation task '{name}' are '{brief(dataset)}', which is no id: 'account/name'"
        raise RegistrationError(problem)
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise RegistrationError(f"evaluation task '{name}' has rows={rows!r}; write how many it evaluates")
    wrong = (f"'{brief(one)}'" for one in languages if not re.fullmatch(LANGUAGE, one))
    if shown := next(wrong, None if languages else "none"):
        raise RegistrationError(f"the language of evaluation task '{name}' is {shown}; write it as 'ara-Arab'")


def own_name(name: str) -> str:
    """The name by which mteb files a plugin's task: with the plugin's digest, for after an edit it is another task."""
    digest = being_imported().digest
    return f"{name}-{digest[:8]}" if digest else name


def register(found: Task) -> None:
    """Add a task that mteb does not know.

    Raises:
        RegistrationError: its name is none or taken, or scores of its kind cannot be resampled.
    """
    if not re.fullmatch(NAME, found.name):
        problem = f"'{brief(found.name)}' is no name of an evaluation task: A-Z, a-z, 0-9, '.', '_' and '-' are"
        raise RegistrationError(problem)
    if found.kind not in METRICS:
        raise RegistrationError(
            f"evaluation task '{found.name}' is of kind '{found.kind}', not of: {', '.join(METRICS)}"
        )
    if not re.fullmatch(METRICS[found.kind], found.metric):
        problem = (
            f"evaluation task '{found.name}' is scored by '{found.metric}', which has no intervals for {found.kind}"
        )
        raise RegistrationError(f"{problem}: {METRICS[found.kind]}")
    TASKS.add(found.name, found)
