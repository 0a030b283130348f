"""From recipes to models: which stages must run, in which order, and what came of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from zoo.cards import ingredients as cards
from zoo.cards.facts import ModelFacts
from zoo.cards.work import build as build_card
from zoo.contamination import ingredients as searching
from zoo.data import ingredients as data
from zoo.errors import CardError, HubError
from zoo.evaluate import ingredients as evaluating
from zoo.evaluate.ingredients import Candidate
from zoo.evidence import published
from zoo.evidence.overlap import OverlapReport
from zoo.evidence.scores import Role, ScoreFile
from zoo.pipeline.asbuilt import Built, as_built
from zoo.pipeline.candidates import base_candidate, trained_candidate
from zoo.recipe import Dataset, Recipe
from zoo.remote import namespace, revision_of
from zoo.run import Run, digest
from zoo.say import Progress, Silent
from zoo.templates import Templates
from zoo.train import ingredients as training

STAGES = (data.STAGE, training.STAGE, searching.STAGE, evaluating.STAGE, cards.STAGE)
UNPUBLISHED = "local"  # the account in cards that are rendered without one; publishing needs one and renders anew


@dataclass(frozen=True)
class Outcome:
    """What a build did with one stage, and why."""

    name: str
    stage: str
    did: Literal["built", "kept"]
    why: str
    seconds: float


def _nothing(outcome: Outcome) -> None:
    pass


@dataclass
class Build(Built):
    """One build: recipes at one scale in one workspace. Every stage is looked at once."""

    force: frozenset[str] = frozenset()
    report_to: Sequence[str] = ()
    device: str | None = None
    jobs: int = 1
    """Processes that evaluate."""
    elsewhere: Mapping[str, ScoreFile] = field(default_factory=dict)
    """{recipe that is not built here: its published scores}; looked up when something is published."""
    progress: Progress = field(default_factory=Silent)
    report: Callable[[Outcome], None] = _nothing
    done: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    _revisions: dict[str, str] = field(default_factory=dict)

    def run(self, *recipes: Recipe) -> None:
        """Every stage of the recipes and of their parents that is missing or stale; cards last, for they name siblings.

        Raises:
            ZooError: a stage cannot be made; what was made before it stays.
        """
        with self.workspace.in_use():
            self._run(recipes)

    def _run(self, recipes: Sequence[Recipe]) -> None:
        _ = self._recipes  # a mistake in any of them is told before hours of training
        for recipe in recipes:
            for member in recipe.lineage:
                for name in member.datasets:
                    self.data(name, member)
                self.train(member)
            for member in recipe.lineage:
                self.contamination(member)
                self.evaluate(member)
        for recipe in recipes:
            for member in recipe.lineage:
                self.card(member)

    @cached_property
    def account(self) -> str:
        try:
            return namespace(self.workspace.family.namespace)
        except HubError:
            return UNPUBLISHED

    def data(self, name: str, recipe: Recipe) -> None:
        if (name, data.STAGE) in self.done:
            return
        dataset = recipe.datasets[name]
        revision = data.source_revision(dataset)
        made_from = data.made_from(dataset, revision)
        self._stage(name, data.STAGE, made_from, partial(self._data, name, dataset, revision, made_from))

    def _data(self, name: str, dataset: Dataset, revision: str, made_from: Mapping[str, Any], run: Run) -> None:
        from zoo.data.work import work  # polars and datasets: only when there is something to fetch

        with run.making(data.STAGE, made_from) as folder:
            work(folder, data.spec_of(name, dataset, revision), progress=self.progress)

    def train(self, recipe: Recipe) -> None:
        made_from = training.made_from(
            recipe,
            base_revision=self._base_revision(recipe),
            data={name: self.digest(name, data.STAGE) for name in recipe.datasets},
            parent=self.digest(recipe.parent.name, training.STAGE) if recipe.parent else None,
        )
        self._stage(recipe.name, training.STAGE, made_from, partial(self._train, recipe, made_from))

    def _train(self, recipe: Recipe, made_from: Mapping[str, Any], run: Run) -> None:
        from zoo.train.phases import train  # torch takes seconds: only when there is something to train

        train(
            recipe,
            run,
            made_from,
            splits={name: data.splits(self.folder(name)) for name in recipe.datasets},
            parent=self.model(recipe.parent.name) if recipe.parent else None,
            progress=self.progress,
            report_to=self.report_to,
            device=self.device,
        )

    def contamination(self, recipe: Recipe) -> None:
        columns = searching.training_columns(recipe)
        digests = {name: self.digest(name, data.STAGE) for name in columns}
        made_from = searching.made_from(recipe.evaluation.tasks, digests)
        self._stage(recipe.name, searching.STAGE, made_from, partial(self._contamination, recipe, made_from))

    def _contamination(self, recipe: Recipe, made_from: Mapping[str, Any], run: Run) -> None:
        from zoo.contamination.work import find_overlap  # mteb takes seconds

        files = {
            data.splits(self.folder(name))["train"]: columns
            for name, columns in searching.training_columns(recipe).items()
        }
        find_overlap(run, made_from, recipe.evaluation.tasks, files, progress=self.progress)

    def evaluate(self, recipe: Recipe) -> None:
        candidates, evaluation, sts = self._candidates(recipe), recipe.evaluation, self._sts(recipe)
        made_from = evaluating.made_from(
            candidates,
            evaluation.suite,
            evaluation.tasks,
            sts=self.digest(sts, data.STAGE) if sts else None,
            contamination=self.digest(recipe.name, searching.STAGE),
        )
        self._stage(recipe.name, evaluating.STAGE, made_from, partial(self._evaluate, recipe, made_from, candidates))

    def _candidates(self, recipe: Recipe) -> list[Candidate]:
        """Who is evaluated for a recipe: its model, its parent's, and the base model."""
        own = [self._trained(recipe, "self", recipe.dims)]
        if recipe.parent:
            own.append(self._trained(recipe.parent, "parent", recipe.dims))
        return [*own, base_candidate(recipe.base, self._base_revision(recipe), recipe.dims, self.device)]

    def _trained(self, recipe: Recipe, role: Role, dims: Sequence[int]) -> Candidate:
        return trained_candidate(recipe, self.weights(recipe.name), self.model(recipe.name), role, dims, self.device)

    def _sts(self, recipe: Recipe) -> str | None:
        """The dataset of the grid of correlations: the one that chose the last phase's checkpoint, its test split."""
        name = recipe.phases[-1].dev
        return name if name and "test" in data.splits(self.folder(name)) else None

    def _evaluate(
        self, recipe: Recipe, made_from: Mapping[str, Any], candidates: Sequence[Candidate], run: Run
    ) -> None:
        from zoo.evaluate.stage import evaluate  # torch and mteb take seconds

        sts = self._sts(recipe)
        evaluate(
            recipe.evaluation.suite,
            recipe.evaluation.tasks,
            run,
            made_from,
            candidates,
            results=evaluating.results_folder(run.folder.parent),
            sts=data.splits(self.folder(sts))["test"] if sts else None,
            overlap=run.stage(searching.STAGE) / searching.REPORT,
            progress=self.progress,
            jobs=self.jobs,
        )

    @cached_property
    def _recipes(self) -> list[Recipe]:
        """The workspace's, at this scale."""
        known = self.scale in ("full", *self.workspace.family.scales)  # a recipe's file may bring a scale of its own
        return self.workspace.every_recipe(scale=self.scale) if known else []

    def _siblings(self, recipe: Recipe) -> dict[str, str]:
        """{recipe: digest of its scores} of the others for the same language and tasks."""
        others = [
            other
            for other in self._recipes
            if other.name != recipe.name and other.release.language == recipe.release.language
        ]
        found = {other.name: self._scored(other.name, recipe.evaluation.tasks) for other in others}
        return {name: scored for name, scored in found.items() if scored}

    def _scored(self, name: str, tasks: Sequence[str]) -> str | None:
        """The digest of scores on just these tasks."""
        if name in self.elsewhere:
            published = self.elsewhere[name]
            return digest(published.model_dump(mode="json")) if published.tasks == list(tasks) else None
        receipt = self.folder(name).receipt(evaluating.STAGE)
        return receipt.digest if receipt and list(receipt.made_from["tasks"]) == list(tasks) else None

    def card(self, recipe: Recipe) -> None:
        """Of what was built, whatever the recipe has become since.

        Raises:
            PublishError: its stages do not belong together.
        """
        recipe, account = as_built(self, recipe), self.account
        templates = self.workspace.folders("cards")
        made_from = cards.made_from(
            recipe,
            templates,
            scores=self.digest(recipe.name, evaluating.STAGE),
            train=self.digest(recipe.name, training.STAGE),
            account=account,
            family=self._siblings(recipe),
        )
        make = partial(self._card, recipe, made_from, templates, account)
        self._stage(recipe.name, cards.STAGE, made_from, make)

    def _card(self, recipe: Recipe, made_from: Mapping[str, Any], templates: Templates, account: str, run: Run) -> None:
        own = {use.dataset: recipe.datasets[use.dataset] for phase in recipe.phases for use in phase.data}
        used = {use.dataset for member in recipe.lineage for phase in member.phases for use in phase.data}
        facts = ModelFacts(
            id=f"{account}/{recipe.release.repo}",
            parent=f"{account}/{recipe.parent.release.repo}" if recipe.parent else recipe.base.model,
            datasets={
                name: f"{account}/{dataset.release.repo}" if dataset.release else dataset.source.dataset
                for name, dataset in own.items()
            },
            recipe=recipe,
            scores=self.scores(recipe.name),
            family=[self.elsewhere.get(name) or self.scores(name) for name in self._siblings(recipe)],
            reports={name: _json(self.folder(name).stage(data.STAGE) / data.REPORT) for name in sorted(used)},
            contamination=OverlapReport.model_validate(_json(run.stage(searching.STAGE) / searching.REPORT)),
            log=_json(run.stage(training.STAGE) / training.LOG),
            published=published.of_repository(self.workspace.recipes, recipe.release.repo),
        )
        build_card(run, made_from, facts, templates)

    def _stage(self, name: str, stage: str, made_from: Mapping[str, Any], make: Callable[[Run], None]) -> None:
        """Make the stage unless its receipt holds."""
        if (name, stage) in self.done:
            return
        run = self.folder(name)
        why = "asked for" if stage in self.force else run.stale(stage, made_from)
        if why is not None:
            make(run)
        receipt = run.receipt(stage)
        assert receipt is not None, f"{name}: {stage} left no receipt"
        outcome = Outcome(name, stage, "built" if why else "kept", why or "nothing changed", receipt.seconds)
        self.done[name, stage] = outcome
        self.report(outcome)

    def _base_revision(self, recipe: Recipe) -> str:
        base = recipe.base
        if base.model not in self._revisions:
            self._revisions[base.model] = revision_of("model", base.model, base.revision)
        return self._revisions[base.model]


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def rendered_card(build: Build, recipe: Recipe) -> str:
    """The card of a built recipe, rendered anew when it is stale.

    Raises:
        CardError: the recipe is not evaluated yet. PublishError: only a part of it was built again.
    """
    run = build.folder(recipe.name)
    if any(run.receipt(stage) is None for stage in (training.STAGE, evaluating.STAGE)):
        raise CardError(f"recipe '{recipe.name}' is not built", hint=f"zoo build {recipe.name}{build.as_typed}")
    build.card(recipe)
    return (run.stage(cards.STAGE) / cards.FILE).read_text("utf-8")
