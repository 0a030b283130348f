"""Tables of a card for tasks that have more than a score: margins, phases, groups met, and how words are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.cards.facts import ModelFacts
from zoo.evidence.fragments import ModelCuts, WordsReport
from zoo.evidence.overlap import MetGroups
from zoo.evidence.scores import Comparison, Measure, Score, ScoreFile, Subject
from zoo.markdown import Markdown, unbroken
from zoo.models.fragmentation import HOMOGRAPHS
from zoo.tasks import TASKS, Task

NONE = "0 %"  # ties are told only where there are any; a margin is always told


@dataclass(frozen=True)
class Duel:
    """One number of this model beside that of the best of the models named to be measured beside it."""

    task: Task
    what: str
    mine: Markdown
    rival: str
    theirs: Markdown
    difference: Markdown


@dataclass(frozen=True)
class DetailedRow:
    """A model, or this one after a phase, with its scores and what is told beside them: (score, margin, ties)."""

    title: str
    mine: bool
    cells: list[Markdown]
    course: dict[str, Any] | None = None
    """The phase, as `ModelCardView.course` has it; null: it is no phase of this model's own."""


class Detail:
    """The part of a card that is about tasks with measures, as `Muradif`; without such tasks there is none."""

    def __init__(self, facts: ModelFacts, mine: Subject, tasks: Sequence[Task]) -> None:
        self.scores: ScoreFile = facts.scores
        self.words: WordsReport | None = facts.words
        self.mine = mine
        self.all = tasks
        self.tasks = [task for task in tasks if task.measures]
        self.grouped = [task for task in tasks if task.groups]

    def __bool__(self) -> bool:
        return bool(self.tasks)

    @property
    def name(self) -> str:
        """The heading's words: the columns of the tasks that are not replaced by another one."""
        named = [task for task in self.tasks if task.superseded_by not in {one.name for one in self.tasks}]
        return " and ".join(task.column for task in named)

    @property
    def grouped_columns(self) -> str:
        """The headings of the tasks whose rows stand in groups: 'Muradif and Muradif (full)'."""
        return " and ".join(task.column for task in self.grouped)

    @property
    def pairs(self) -> int:
        """Number of pairs of words that show whether a tokenizer keeps apart what diacritics alone tell apart."""
        return len(HOMOGRAPHS)

    @property
    def headings(self) -> list[str]:
        """The headings of the cells of `rows`."""
        return _headings(self.tasks)

    @property
    def headings_of_phases(self) -> list[str]:
        """The headings of the cells of `phases`: every task of the card is among them."""
        return _headings(self.all)

    @property
    def rows(self) -> list[DetailedRow]:
        """Every model that was measured, at full width, the best at the first task first."""
        shown = [one for one in self.scores.subjects if one.role != "phase"]
        first = self.tasks[0].name
        shown.sort(key=lambda one: -self._score(one, first).value)
        return [DetailedRow(one.title, one.role == "self", self._cells(one, self.tasks)) for one in shown]

    @property
    def duels(self) -> list[Duel]:
        """This model against the best rival of each task: score and measures; empty where no rival was named, or no
        task has measures.
        """
        return [duel for task in self.all if self.tasks for duel in self._duels(task)]

    def _duels(self, task: Task) -> Iterator[Duel]:
        rivals = self.scores.of_role("rival")
        if not rivals:
            return
        best = max(rivals, key=lambda one: self._score(one, task.name).value)
        mine, theirs = self._score(self.mine, task.name), self._score(best, task.name)
        found = self._comparison(task, best)
        difference = unbroken(found.shown if found else "-")
        yield Duel(task, task.metric, unbroken(mine.shown), best.title, unbroken(theirs.shown), difference)
        between = {one.name: one.shown for one in found.measures} if found else {}
        for name in task.measures:
            ours, other = mine.measure(name), theirs.measure(name)
            if ours or other:
                apart = unbroken(between.get(name, "-"))
                yield Duel(task, name, _shown(ours), best.title, _shown(other), apart)

    def _comparison(self, task: Task, rival: Subject) -> Comparison | None:
        wanted = (task.name, self.mine.name, self.mine.full, rival.name)
        return next(
            (one for one in self.scores.comparisons if (one.task, one.model, one.dim, one.rival) == wanted), None
        )

    def phases(self, course: Sequence[dict[str, Any]]) -> list[DetailedRow]:
        """The base and then this model after each of its own phases; empty where phases were not measured.

        Args:
            course: all phases of the line, as `ModelCardView.course` has them.
        """
        after = {one.phase: one for one in self.scores.of_role("phase")}
        if not after:
            return []
        base = [DetailedRow(one.title, False, self._cells(one, self.all)) for one in self.scores.of_role("base")]
        kept = [one["phase"].name for one in course if one["kept"]]
        found = []
        for one in course:
            name = one["phase"].name
            subject = after.get(name) or (self.mine if kept[-1:] == [name] else None)
            cells = self._cells(subject, self.all) if subject else [Markdown("-")] * len(self.headings_of_phases)
            found.append(DetailedRow(name, subject == self.mine, cells, one))
        return [*base, *found]

    @property
    def met(self) -> list[tuple[Task, MetGroups]]:
        """(task, the groups of it that training met)."""
        return [(task, found) for task in self.tasks if (found := self.scores.groups_met(task.name))]

    @property
    def scopes(self) -> list[tuple[Task, Task, Markdown, Markdown | None]]:
        """(task of all rows, task of those held out, the first score less the second of this model, and of the base).

        The base model's is what the rows themselves make of it: they are others, and easier or harder. None: unknown.
        """
        base = self.scores.subject("base")
        found = []
        for task in self.tasks:
            if one := self.scores.scope(self.mine.name, task.name):
                its = self.scores.scope(base.name, task.name) if base else None
                shown = unbroken(its.shown) if its else None
                found.append((TASKS[one.task], TASKS[one.part], unbroken(one.shown), shown))
        return found

    @property
    def cuts(self) -> list[tuple[str, bool, ModelCuts]]:
        """(title, whether it is this model, how its tokenizer cuts words), least unknown and fewest pieces first."""
        known = self.words.models if self.words else {}
        shown = [one for one in self.scores.subjects if one.name in known and one.role != "phase"]
        found = [(one.title, one.role == "self", known[one.name]) for one in shown]
        return sorted(found, key=lambda row: (row[2].marked.unknown or 0.0, row[2].marked.per_word or 0.0))

    @property
    def told(self) -> str:
        """A sentence on how this model's tokenizer differs from that of the best rival; empty without one."""
        rivals = [one for one in self.scores.of_role("rival") if self.words and one.name in self.words.models]
        if not self.words or not rivals or self.mine.name not in self.words.models:
            return ""
        best = max(rivals, key=lambda one: self._score(one, self.words.task if self.words else "").value)
        ours, theirs = self.words.models[self.mine.name], self.words.models[best.name]
        return (
            f"Words with diacritics become {_of(ours)} here, and {_of(theirs)} with the tokenizer of {best.title}; "
            f"of words that diacritics alone tell apart, the first keeps {100 * ours.told_apart:.0f} % apart and the "
            f"second {100 * theirs.told_apart:.0f} %.{self._tied(best)}"
        )

    def _tied(self, rival: Subject) -> str:
        """A sentence on the rows that are ties to a rival; empty where there are none."""
        assert self.words
        ties = self._score(rival, self.words.task).measure("ties")
        return f" {ties.value:.1f} % of the rows of {TASKS[self.words.task].column} are ties there." if ties else ""

    def _score(self, subject: Subject, task: str) -> Score:
        return self.scores.score(subject.name, task, subject.full)

    def _cells(self, subject: Subject, tasks: Sequence[Task]) -> list[Markdown]:
        cells = []
        for task in tasks:
            found = self._score(subject, task.name)
            cells.append(unbroken(found.shown))
            cells += [_shown(found.measure(name)) for name in task.measures]
        return cells


def _headings(tasks: Sequence[Task]) -> list[str]:
    return [heading for task in tasks for heading in (task.column, *task.measures)]


def _shown(measure: Measure | None) -> Markdown:
    return unbroken(measure.shown if measure else NONE)


def _of(cuts: ModelCuts) -> str:
    """Words for what becomes of words with diacritics: '2.1 pieces each, 0.0 % of them unknown'."""
    return f"{cuts.marked.per_word or 0.0:.1f} pieces each, {100 * (cuts.marked.unknown or 0.0):.1f} % of them unknown"
