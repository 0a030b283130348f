"""Tables of a model's card, computed from its facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from zoo import markdown
from zoo.cameldata import DATABASE, FETCH
from zoo.cards.detail import Detail
from zoo.cards.facts import ModelFacts
from zoo.cards.limits import ModelLimits
from zoo.cards.official import OfficialModel, official_models
from zoo.cards.pictures import kept_lines
from zoo.cards.voice import speaks_arabic
from zoo.characters import clean
from zoo.curves.words import spent_in_words
from zoo.evidence import published
from zoo.evidence.course import Phase, became, best_trained, is_kept
from zoo.evidence.findings import findings
from zoo.evidence.published import PAPER_TASKS
from zoo.evidence.scores import (
    LEAK_MARK,
    LEGEND,
    CleanScore,
    Comparison,
    Mean,
    ScoreFile,
    Standing,
    Subject,
    current,
    mean_name,
    not_searched,
    superseded,
)
from zoo.evidence.snippets import Snippet, sentences_of
from zoo.markdown import Markdown, unbroken
from zoo.models.foreign.requirements import STEMMER, pip_name
from zoo.recipe import Recipe
from zoo.recipe.training import NamedPhase
from zoo.recipe.trials import is_tried_alone, trials
from zoo.tasks import TASKS, Task, sharing

ENOUGH = 95
"""The percent of its mean that a model has to keep at a smaller size, by the low end of the interval too."""

PLAIN = re.compile(r"[a-z][a-z_]{2,}")
"""Names of prompts that a shell takes for nothing else."""


class ModelCardView:
    """Tables and lines of a model's card, computed when the template asks for them."""

    def __init__(self, facts: ModelFacts) -> None:
        self.facts = facts
        self.scores = facts.scores
        mine = facts.scores.subject("self")
        assert mine is not None
        self.mine = mine
        self.tasks = [TASKS[name] for name in facts.scores.tasks]
        self.detail = Detail(facts, mine, self.tasks)

    @property
    def arabic(self) -> bool:
        """Whether the card has a paragraph in Arabic."""
        return speaks_arabic([self.facts.recipe.release])

    @property
    def examples(self) -> list[str]:
        """The sentences of the snippets, two to four."""
        return sentences_of(self.facts.recipe.release)

    def printed_by(self, snippet: Snippet) -> Markdown:
        """The output of a snippet, as comments under it; empty where it was not run on these sentences."""
        run = self.scores.snippets
        if run is None or run.sentences != self.examples:
            return Markdown("")
        lines = [clean(line) for line in run.printed[snippet].splitlines()]
        return Markdown("".join(f"# {line}\n" for line in lines))  # after '# ' nothing ends a fence

    @property
    def limits(self) -> ModelLimits:
        """The limits of the model: what it is for and not for."""
        return ModelLimits(self.facts)

    @property
    def has_picture(self) -> bool:
        """Whether a picture shows what the model keeps at each size."""
        return bool(kept_lines(self.scores))

    @property
    def described_picture(self) -> Markdown:
        """The words for who cannot see that picture: what is kept at each cut size, with intervals."""
        told = [
            f"{subject.title}: " + ", ".join(f"{kept.value:.1f} % at {kept.dim}" for kept in line if kept)
            for subject, line in kept_lines(self.scores)
        ]
        return Markdown("Share of its own mean that a model keeps at smaller sizes. {}").format("; ".join(told))

    @property
    def serves(self) -> bool:
        """Whether a server of embeddings can load it: it has no code of its own and no layers behind its pooling."""
        prompt = self.facts.recipe.base.default_prompt
        return self.facts.code is None and self.mean_pooled and (prompt is None or PLAIN.fullmatch(prompt) is not None)

    @property
    def requests(self) -> dict[str, Markdown]:
        """The requests to such a server, as JSON that stands between single quotes in a shell."""
        first, *others = self.examples
        return {
            "embed": markdown.in_shell({"inputs": self.examples, "normalize": True, "truncate": True}),
            "similarity": markdown.in_shell({"inputs": {"source_sentence": first, "sentences": others}}),
        }

    def licence_of(self, name: str) -> str:
        """The licence of a dataset; a dash where its recipe says none."""
        dataset = self.limits.datasets.get(name)
        return dataset.release.license if dataset and dataset.release else "-"

    def translation_of(self, name: str) -> str:
        """Whether a program translated a dataset's texts, as far as its recipe says."""
        return "by a program" if name in self.limits.translated else "-"

    @staticmethod
    def libraries(versions: Mapping[str, str]) -> str:
        """Libraries with their versions: 'torch 2.13.0, transformers 5.23.0'."""
        return ", ".join(f"{name} {version}" for name, version in versions.items())

    @property
    def cut(self) -> list[int]:
        """The sizes below the full width, largest first."""
        return self.mine.dims[1:]

    @property
    def mean_pooled(self) -> bool:
        """Whether an embedding is the mean over the tokens, and nothing stands behind it."""
        base = self.facts.recipe.base
        return base.pooling is not None and base.pooling.type == "mean" and not base.modules

    @property
    def camel(self) -> tuple[str, str] | None:
        """The name of the data that a stemmer in the code reads, and the command that fetches it; None: it has none."""
        needed = pip_name(STEMMER) in (self.facts.code.packages if self.facts.code else ())
        return (DATABASE, FETCH) if needed else None

    @property
    def counted(self) -> list[Task]:
        """The tasks of the headline mean: those that no other task of the suite replaces."""
        return [TASKS[name] for name in current(self.scores.tasks)]

    @property
    def replaced(self) -> str:
        """The headings of the tasks that the headline mean leaves out; empty when it leaves none out."""
        return superseded(self.scores.tasks)

    @property
    def papers(self) -> bool:
        """Whether the mean over all tasks is the one that the paper prints: over these tasks and no others."""
        return published.is_the_paper(self.facts.recipe.release.paper) and set(self.scores.tasks) == set(PAPER_TASKS)

    @property
    def mean_name(self) -> str:
        """The name of the headline mean, as in comparisons and on the leaderboard: 'mean', or 'mean without STS22'."""
        return mean_name(self.scores.tasks)

    @property
    def mean_heading(self) -> str:
        """The same name as the heading of a column."""
        return f"M{self.mean_name[1:]}"

    @property
    def best(self) -> Mean:
        """The headline mean of this model at its full width."""
        return self.scores.headline(self.mine.name, self.mine.full)

    @property
    def over_all(self) -> Mean:
        """The mean of this model at its full width over all tasks."""
        return self.scores.mean(self.mine.name, self.mine.full)

    @property
    def rivals(self) -> list[dict[str, Any]]:
        """All that was measured for this card, at full width: {title, mine, dim, parameters, scores, mean, over_all}.

        The best come first.
        """
        shown = [subject for subject in self.scores.subjects if subject.role != "phase"]
        rows = [row(self.scores, subject, subject.full) for subject in shown]
        return sorted(rows, key=_best_first)

    @property
    def rival(self) -> dict[str, Any]:
        """The best of the other models, siblings among them: a row of `rivals` or of `family`."""
        others = [row for row in (*self.rivals, *self.family) if not row["mine"]]
        return min(others, key=_best_first)

    @property
    def table(self) -> list[dict[str, Any]]:
        """All of `rivals`, and those of `family` that are none of them: one row for a model, the best first."""
        known = {row["title"] for row in self.rivals}
        return sorted([*self.rivals, *(row for row in self.family if row["title"] not in known)], key=_best_first)

    @property
    def family(self) -> list[dict[str, Any]]:
        """This model and its siblings as their own cards have them: rows of `rivals`; none when it has no siblings."""
        rows = [
            {**row(scores, subject, subject.full), "mine": scores is self.scores}
            for scores in (self.scores, *self.facts.family)
            if (subject := scores.subject("self"))
        ]
        return sorted(rows, key=_best_first) if len(rows) > 1 else []

    @property
    def dims(self) -> list[dict[str, Any]]:
        """This model at every dim, as rows of `rivals`; `kept`: the share of the headline mean, None at full width."""
        return [
            {**row(self.scores, self.mine, dim), "kept": self.scores.kept_at(self.mine.name, dim)}
            for dim in self.mine.dims
        ]

    @property
    def pick(self) -> Markdown:
        """The smallest size that keeps `ENOUGH` of the headline mean, in words; empty: nothing is known."""
        known = [kept for dim in self.cut if (kept := self.scores.kept_at(self.mine.name, dim))]
        if not known:
            return Markdown("")
        kept = min((one for one in known if one.low >= ENOUGH), key=lambda one: one.dim, default=None)
        if kept is None:
            told = f"no smaller size keeps {ENOUGH} % of the mean at the low end of its interval"
            return Markdown(f"{self.mine.full} dimensions: {told}")
        share = unbroken(f"{kept.value:.1f} [{kept.low:.1f}, {kept.high:.1f}]")
        told = f"the smallest that keeps {ENOUGH} % of the mean even at the low end of its interval: {share} %"
        return Markdown(f"{kept.dim} dimensions: {told}")

    def unusual(self, phase: NamedPhase) -> str:
        """Settings of a phase that are not as usual, in words; empty when there are none."""
        return unusual(phase)

    def verdicts(self, standing: Standing, *, siblings: bool = False) -> list[Markdown]:
        """Lines, one for a rival: the tasks on which this model stands so to it, both at full width.

        Args:
            siblings: of the rest of the family instead of what was measured beside the model.
        """
        lines = []
        beside = {subject.title for subject in self.scores.subjects}
        for title, found in self._compared:
            if (title in beside) is siblings:
                continue
            if chosen := [one for one in found if one.standing == standing]:
                shown = Markdown(", ".join(self._difference(one) for one in chosen))  # words of ours, and numbers
                lines.append(Markdown("{}: {}").format(markdown.isolated(title), shown))
        return lines

    @property
    def _compared(self) -> list[tuple[str, list[Comparison]]]:
        """(title of a rival or sibling, this model against it at full width)."""
        others = [subject for subject in self.scores.subjects if subject.role not in ("self", "phase")]
        rivals = {subject.name: subject.title for subject in others}
        siblings = [subject for scores in self.facts.family if (subject := scores.subject("self"))]
        known = [one for one in self.scores.comparisons if one.dim == self.mine.full]
        known += [one for one in self.facts.siblings if one.rival not in rivals]
        titles = {**rivals, **{subject.name: subject.title for subject in siblings}}
        return [(title, [one for one in known if one.rival == name]) for name, title in titles.items()]

    def _difference(self, one: Comparison) -> str:
        limit = f" ({one.limit(self._rows[one.task])})" if one.standing == "not told apart" else ""
        return f"{self._shown(one)}{limit}"

    def _shown(self, one: Comparison) -> str:
        mark = LEAK_MARK if {(one.model, one.task), (one.rival, one.task)} & self._leaked else ""
        return f"{TASKS[one.task].column}{mark} {unbroken(one.shown)}"

    @cached_property
    def _leaked(self) -> set[tuple[str, str]]:
        """(model, task) of every score with the mark, of this model, of its rivals and of its siblings."""
        files = (self.scores, *self.facts.family)
        return {(one.model, one.task) for scores in files for one in scores.scores if one.leaked}

    @property
    def _rows(self) -> dict[str, int]:
        return {one.task: one.rows for one in self.scores.scores if one.model == self.mine.name}

    @property
    def compared_siblings(self) -> list[str]:
        """The titles of the family's models that were not measured beside this one."""
        beside = {subject.title for subject in self.scores.subjects}
        return [title for title, _ in self._compared if title not in beside]

    @property
    def uncompared(self) -> list[str]:
        """The titles of siblings that no rows here tell apart from this model."""
        return [title for title, found in self._compared if not found]

    @property
    def trained_on(self) -> str:
        """The training's time, speed, machine and energy in words; empty where no journal was kept of it."""
        return spent_in_words(self.facts.training)

    def measured_on(self, task: Task) -> Markdown:
        """The size of a task in its own unit, and the metric of its score: '250 rows, cosine_spearman'."""
        return Markdown(f"{self._rows[task.name]:,} {task.unit}, {task.metric}")

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
        """The meaning of the mark of scores of which rows leaked; empty where none of the card has it."""
        return LEGEND if self._leaked else ""

    @property
    def unsearched(self) -> list[str]:
        """A sentence for each model beside this one of which nobody looked whether it met the tasks before."""
        titles = {subject.name: subject.title for subject in self.scores.subjects}
        return [not_searched(titles[name], tasks) for name, tasks in self.scores.unsearched_beside.items()]

    @property
    def findings(self) -> list[str]:
        """A sentence for each task of which rows were found, with its scores with and without them."""
        return findings(self.facts.contamination, self.scores)

    @property
    def sharing(self) -> list[str]:
        """A sentence for each two of the tasks that share rows."""
        return sharing(self.scores.tasks)

    @property
    def official(self) -> list[OfficialModel]:
        """Well-known models as printed, best first; none in a rehearsal: generated and real data never meet."""
        if self.scores.miniature:
            return []
        return official_models(
            self.facts.official, self.scores.tasks, [*(title for title, _ in self._compared), self.mine.title]
        )

    @property
    def higher(self) -> list[tuple[Task, list[OfficialModel]]]:
        """(task, models whose printed score of it is above ours, best first), of tasks with such models."""
        found = [(task, self._higher(task.name)) for task in self.counted]
        return [(task, models) for task, models in found if models]

    def _higher(self, task: str) -> list[OfficialModel]:
        ours = self.scores.value(self.mine.name, task, self.mine.full)
        models = [one for one in self.official if one.value(task) > ours]
        return sorted(models, key=lambda one: one.value(task), reverse=True)

    @property
    def course(self) -> list[dict[str, Any]]:
        """The phases of the whole line, oldest first, each with what came of it.

        {phase, recipe: its name, log, kept, chosen_by, before and after: scores in points, step, became: in words}.
        What was not scored is None.
        """
        return [
            _of_course(member, phase, entry)
            for member in self.facts.recipe.lineage
            for phase, entry in zip(member.phases, self.facts.logs[member.name], strict=True)
        ]

    @property
    def tried(self) -> set[str]:
        """The ways in which phases were tried: 'beside others', and 'alone', beside going on without."""
        ways = [trial for member in self.facts.recipe.lineage for trial in trials(member.phases)]
        return {"alone" if is_tried_alone(trial) else "beside others" for trial in ways if trial[0].trial}

    @property
    def only_dropped(self) -> list[str]:
        """The datasets, by their recipes, of which only phases that were dropped read rows."""
        read: dict[bool, set[str]] = {True: set(), False: set()}
        for one in self.course:
            used = {use.dataset for use in one["phase"].data} | ({one["phase"].dev} if one["phase"].dev else set())
            read[one["kept"]] |= used
        return sorted(read[False] - read[True])

    @property
    def adapters(self) -> list[str]:
        """The phases of this recipe whose adapters are published beside the model."""
        own = (one for one in self.course if one["recipe"] == self.facts.recipe.name and one["kept"])
        return [one["phase"].name for one in own if one["phase"].train.lora and one["phase"].train.lora.keep]

    @property
    def clean(self) -> dict[str, CleanScore]:
        """{task: score on the rows that are not in the training text}, of tasks that have some in it."""
        return {found.task: found for found in self.scores.clean}

    @property
    def same_when_cut(self) -> list[int]:
        """The cut dims at which no task's score can be told from that of the full width."""
        return [dim for dim, tasks in self.shrinking.items() if not tasks]

    @property
    def shrinking(self) -> dict[int, Markdown]:
        """{cut dim: tasks whose score there differs from that of the full width by more than chance}."""
        own = [one for one in self.scores.comparisons if one.rival == self.mine.name]
        told = [one for one in own if one.standing in ("ahead", "behind")]
        return {
            dim: Markdown(", ".join(self._shown(one) for one in told if one.dim == dim)) for dim in self.mine.dims[1:]
        }


def unusual(phase: NamedPhase) -> str:
    """Settings of a phase that are not as usual, but for those that its line says already: 'optim sgd, lora r 8'."""
    train, said = phase.train, {"epochs", "max_steps", "batch_size", "learning_rate", "precision"}
    silent = said | {"eval_steps", "save_steps", "seed", "packing", "dataloader_num_workers", "torch_compile"}
    default = {name: field.get_default() for name, field in type(train).model_fields.items()}
    found = {name: value for name in default if (value := getattr(train, name)) != default[name] and name not in silent}
    words = [f"{name} {_in_words(value)}".replace(" True", "") for name, value in found.items()]
    words += [f"{use.dataset}'s {name} after '{text}'" for use in phase.data for name, text in use.prompts.items()]
    return ", ".join(words)


def _in_words(value: Any) -> str:
    """A setting's value; of one made of several, those that are not as usual."""
    if isinstance(value, BaseModel):
        return " ".join(f"{name} {_in_words(one)}" for name, one in value.model_dump().items() if one is not False)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_in_words(one)}" for name, one in value.items())
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _of_course(member: Recipe, phase: NamedPhase, log: Phase) -> dict[str, Any]:
    after, dim = best_trained(log), phase.best.dim or member.base.width
    chosen = ", of alternatives" if phase.trial and is_kept(log) and not log.get("why") else ""
    return {
        "phase": phase,
        "recipe": member.name,
        "log": log,
        "kept": is_kept(log),
        "chosen_by": f"{phase.best.metric} on {phase.dev} at {dim}" if phase.dev else "the last step",
        "before": 100 * log["start"] if log["start"] is not None else None,
        "after": 100 * after[0] if after else None,
        "step": after[1] if after else None,
        "became": Markdown(became(log) + chosen),  # our words
    }


def row(scores: ScoreFile, subject: Subject, dim: int | None) -> dict[str, Any]:
    """The facts of a model at a dim, as `ModelCardView.rivals` has them."""
    return {
        "title": subject.title,
        "mine": subject.role == "self",
        "dim": dim,
        "parameters": subject.parameters,
        "scores": [scores.score(subject.name, task, dim) for task in scores.tasks],
        "mean": scores.headline(subject.name, dim),
        "over_all": scores.mean(subject.name, dim),
    }


def _tasks_of(row: Mapping[str, str]) -> set[str]:
    """The tasks of a printed row that have a score in it: its average is over these."""
    return {name for name, score in row.items() if name in TASKS and score}


def _best_first(row: Mapping[str, Any]) -> float:
    return -float(row["mean"].value)
