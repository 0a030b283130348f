"""From recipes to models: a walk over stages, each made when it is missing or stale, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from zoo.errors import CardError, HubError, ZooError
from zoo.evaluate.ingredients import sample_path
from zoo.evidence.scores import ScoreFile
from zoo.ids import ModelRef, is_folder
from zoo.layout import CARD, DATA, EVALUATE, README, TRAIN
from zoo.models.backbone.probe import kept_backbone, refuse_broken
from zoo.models.backbone.report import BackboneReport, language_of
from zoo.models.folder import folder_revision
from zoo.models.identity import base_source
from zoo.models.shape import refuse_unfit
from zoo.pipeline.asbuilt import Built, as_built
from zoo.pipeline.executors.apart import Consenting
from zoo.pipeline.executors.local import Execute, here
from zoo.pipeline.executors.walks import Walk, one_by_one
from zoo.pipeline.stages import MEASURED, OF_RECIPES, STAGES
from zoo.recipe import Recipe
from zoo.recipe.schema import Base
from zoo.remote import namespace, revision_of
from zoo.say import Progress, Silent
from zoo.stage import Circumstances, NamedDataset, Node, Stage
from zoo.train.beside import refuse_beside

BACKBONES = "backbones"  # beside the runs: reports on base models
UNPUBLISHED = "local"  # the account in cards that are rendered without one; publishing needs one and renders anew


@dataclass(frozen=True)
class Outcome:
    """The outcome for one stage: what a build did with it, or would do, and why."""

    name: str
    stage: str
    did: Literal["built", "kept", "would build"]
    why: str
    seconds: float


def _nothing(outcome: Outcome) -> None:
    pass


@dataclass
class Build(Built):
    """One build: recipes at one scale in one workspace. Every stage is looked at once."""

    force: frozenset[str] = frozenset()
    circumstances: Circumstances = field(default_factory=Circumstances)
    elsewhere: Mapping[str, ScoreFile] = field(default_factory=dict)
    """{recipe that is not built here: its published scores}; looked up when something is published."""
    progress: Progress = field(default_factory=Silent)
    execute: Execute = here
    """Does the work of a stage, here or elsewhere."""
    walk: Walk = one_by_one
    report: Callable[[Outcome], None] = _nothing
    done: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    chosen: Sequence[Recipe] = ()
    _revisions: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def run(self, *recipes: Recipe) -> list[ZooError]:
        """Make every stage of the recipes and of their parents that is missing or stale.

        What comes out are the errors of what could not be made, where the walk leaves the others alone.

        Raises:
            ZooError: a stage cannot be made; what was made before it stays. TrainError: a base model cannot be used;
                nothing was made.
        """
        with self.workspace.in_use():
            nodes = self._ordered(recipes)
            if self.walk is one_by_one:  # others leave it to the training, which fails alone
                self._refuse_unfit_bases()
            return self.walk(nodes, self.make, self._needs, self._after)

    def plan(self, *recipes: Recipe) -> list[Outcome]:
        """Foresee what `run` would do, and why. Nothing is made; the Hub is asked what it has now."""
        with self.workspace.in_use():
            for node in self._ordered(recipes):
                self._foresee(node)
        return list(self.done.values())

    def _refuse_unfit_bases(self) -> None:
        """Refuse models that ask for code of their own or have another width, before data are built for them.

        What is trained on the same base needs no question: a build that changes nothing asks none.
        """
        for recipe in self.chosen:
            if not self._was_trained_on(recipe):
                refuse_unfit(base_source(recipe.base, self.base_revision(recipe.base)))
                if recipe.base.remote_code is not None:  # libraries break such models without a word
                    refuse_broken(base_source(recipe.base, self.base_revision(recipe.base)), backbone_of(self, recipe))
                refuse_beside(recipe, self.model_revision)

    def _was_trained_on(self, recipe: Recipe) -> bool:
        """True when what is trained began with the same base model, read by the same libraries."""
        receipt, stage = self.folder(recipe.name).receipt(TRAIN), STAGES[TRAIN]
        if receipt is None:
            return False
        was = {**receipt.made_from, **receipt.made_from["recipe"]}
        now = {**stage.ingredients(recipe, self), **stage.part(recipe)}
        return all(was.get(name) == now.get(name) for name in ("base", "base_revision", "hub", "versions", "plugins"))

    def _ordered(self, recipes: Sequence[Recipe]) -> list[Node]:
        _ = self._recipes  # a mistake in any of them is told before hours of training
        self.chosen = list({member.name: member for recipe in recipes for member in recipe.lineage}.values())
        goals = [Node(stage, member) for recipe in recipes for stage in OF_RECIPES for member in recipe.lineage]
        return self.ordered(goals)

    def ordered(self, goals: Sequence[Node]) -> list[Node]:
        """The goals and all that they need, each once and after what it needs."""
        found: dict[tuple[str, str], Node] = {}
        for goal in goals:
            self._visit(goal, found, goals)
        return list(found.values())

    def _visit(self, node: Node, found: dict[tuple[str, str], Node], goals: Sequence[Node]) -> None:
        if node.key in found:
            return
        stage = STAGES[node.stage]
        wanted = {goal.key for goal in goals}
        first = [other for other in stage.after(node.item, self) if other.key in wanted]
        for other in [*stage.needs(node.item, self), *first]:
            self._visit(other, found, goals)
        found[node.key] = node

    # One node

    def make(self, node: Node) -> Outcome:
        """Make one stage unless its receipt holds. What it needs must be finished.

        Raises:
            ZooError: it cannot be made; what was there stays.
        """
        if (known := self.done.get(node.key)) is not None:
            return known
        stage, run, forced = STAGES[node.stage], self.folder(node.name), node.stage in self.force
        node = self._to_make(node)
        made_from = self.made_from(node)
        why = "asked for" if forced else run.stale(node.stage, made_from)
        if why is not None:
            with run.alone(node.stage):
                if not forced:  # another zoo may have made it while this one waited
                    why = run.stale(node.stage, made_from)
                if why is not None:
                    self._work(node, stage, made_from, fresh=forced)
        receipt = run.receipt(node.stage)
        assert receipt is not None, f"{node.name}: {node.stage} left no receipt"
        did: Literal["built", "kept"] = "built" if why else "kept"
        return self._tell(Outcome(*node.key, did, why or "nothing changed", receipt.seconds))

    def _work(self, node: Node, stage: Stage, made_from: dict[str, Any], *, fresh: bool) -> None:
        spec = {**stage.spec(node.item, self, made_from), "fresh": fresh}
        run = self.folder(node.name)
        changes = {"overrides": node.item.overrides} if isinstance(node.item, Recipe) and node.item.overrides else {}

        def circumstances(folder: Path) -> dict[str, Any]:
            return {**stage.circumstances(folder), **changes}

        with run.filling(node.stage, made_from, fresh=fresh, circumstances=circumstances) as folder:
            Consenting(self.execute)(self._task(node, folder, spec), self.progress)

    def _foresee(self, node: Node) -> None:
        before = (self.done[other.key] for other in self._before(node) if other.key in self.done)
        first = next((outcome for outcome in before if outcome.did == "would build"), None)
        run = self.folder(node.name)
        if node.stage in self.force:
            why: str | None = "asked for"
        elif run.receipt(node.stage) is None:
            why = "not built yet"
        elif first:
            why = f"'{first.stage}' of '{first.name}' is made again"
        else:
            why = run.stale(node.stage, self.made_from(self._to_make(node)))
        self._tell(Outcome(*node.key, "would build" if why else "kept", why or "nothing changed", 0.0))

    def task(self, node: Node, folder: Path) -> dict[str, Any]:
        """The work of a node as JSON for `python -m zoo.work`, which fills `folder` in another process."""
        node = self._to_make(node)
        spec = STAGES[node.stage].spec(node.item, self, self.made_from(node))
        return self._task(node, folder, spec)

    def _task(self, node: Node, folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
        return {"stage": node.stage, "folder": str(folder), "spec": spec, "workspace": str(self.workspace.root)}

    def _before(self, node: Node) -> list[Node]:
        """The nodes that what is made of a node may depend on."""
        return [*self._needs(node), *self._after(node)]

    def _after(self, node: Node) -> list[Node]:
        return STAGES[node.stage].after(node.item, self)

    def _needs(self, node: Node) -> list[Node]:
        stage = STAGES[node.stage]
        found = stage.needs(node.item, self)
        if stage.of_built and isinstance(node.item, Recipe):
            found = found + [Node(name, member) for member in node.item.lineage for name in MEASURED]
        return found

    def _tell(self, outcome: Outcome) -> Outcome:
        self.done[outcome.name, outcome.stage] = outcome
        self.report(outcome)
        return outcome

    def _to_make(self, node: Node) -> Node:
        if STAGES[node.stage].of_built and isinstance(node.item, Recipe):
            return replace(node, item=as_built(self, node.item))
        return node

    def made_from(self, node: Node) -> dict[str, Any]:
        """The ingredients of a stage, as its receipt has them."""
        stage = STAGES[node.stage]
        needs: dict[str, dict[str, str]] = {}
        for need in stage.needs(node.item, self):
            needs.setdefault(need.stage, {})[need.name] = self.digest(*need.key)
        return {
            "format": stage.format,
            **stage.ingredients(node.item, self),
            "recipe": stage.part(node.item),
            "needs": needs,
        }

    # What stages ask (zoo.stage.Site)

    @cached_property
    def account(self) -> str:
        """The account to publish under, or a word for none."""
        try:
            return namespace(self.workspace.family.namespace)
        except HubError:
            return UNPUBLISHED

    def base_revision(self, base: Base) -> str:
        """The commit of a base model that this build uses, 40 hex digits; the Hub is asked once.

        Of one in a folder it is the digest of what decides its embeddings.
        """
        return self._commit(base.model, base.commit)

    def model_revision(self, model: ModelRef) -> str:
        """The commit of a model that a recipe names beside its base; the Hub is asked once."""
        return self._commit(model.model, model.revision)

    def _commit(self, model: str, revision: str | None) -> str:
        key = model, revision
        if key not in self._revisions:
            found = folder_revision(model, self.workspace.root) if is_folder(model) else revision_of("model", *key)
            self._revisions[key] = found
        return self._revisions[key]

    def siblings(self, recipe: Recipe) -> dict[str, ScoreFile]:
        """Scores of the others for the same language and tasks, by recipe; none that was built with `--set`."""
        others = [
            other
            for other in self._recipes
            if other.name != recipe.name and other.release.language == recipe.release.language
        ]
        found = {other.name: self._scores_of(other.name) for other in others}
        wanted = recipe.evaluation.tasks
        return {
            name: scores for name, scores in found.items() if scores and scores.tasks == wanted and not scores.overrides
        }

    def rows(self, name: str) -> dict[str, Path]:
        """{task: the file of the rows behind a recipe's own score at full width}; empty when others measured it."""
        mine = None if name in self.elsewhere else self.scores(name).subject("self")
        if mine is None:
            return {}
        receipt = self.receipt(name, EVALUATE).made_from
        results = self.runs / "mteb" / str(receipt["hub"])
        return {task: sample_path(results, mine, mine.full, task) for task in receipt["tasks"]}

    def _scores_of(self, name: str) -> ScoreFile | None:
        if name in self.elsewhere:
            return self.elsewhere[name]
        run = self.folder(name)
        if (
            not run.finished(EVALUATE)
            or self.receipt(name, EVALUATE).made_from.get("format") != STAGES[EVALUATE].format
        ):
            return None  # not measured, or otherwise than what it would stand beside
        return self.scores(name)

    @cached_property
    def _recipes(self) -> list[Recipe]:
        """The workspace's, at this scale."""
        known = self.scale in ("full", *self.workspace.family.scales)  # a recipe's file may bring a scale of its own
        return self.workspace.every_recipe(scale=self.scale) if known else []

    def card(self, recipe: Recipe) -> Outcome:
        """Fill a recipe's card, of what was built.

        Raises:
            PublishError: its stages do not belong together.
        """
        return self.make(Node(CARD, recipe))

    def data(self, name: str, recipe: Recipe) -> Outcome:
        """Make one of a recipe's datasets."""
        return self.make(Node(DATA, NamedDataset(name, recipe.datasets[name])))


def backbone_of(build: Build, recipe: Recipe) -> BackboneReport:
    """The report on a recipe's base model, which is kept beside the runs: a second time it costs nothing.

    Raises:
        ZooError: it cannot be fetched, or its code is not what consent was given to.
    """
    source = base_source(recipe.base, build.base_revision(recipe.base))
    return kept_backbone(source, language_of(recipe.release.language), build.runs / BACKBONES)


def rendered_card(build: Build, recipe: Recipe) -> str:
    """The card of a built recipe, rendered anew when it is stale.

    Raises:
        CardError: the recipe is not evaluated yet. PublishError: only a part of it was built again.
    """
    run = build.folder(recipe.name)
    if any(run.receipt(stage) is None for stage in MEASURED):
        raise CardError(f"recipe '{recipe.name}' is not built", hint=f"zoo build {recipe.name}{build.as_typed}")
    build.card(recipe)
    return (run.stage(CARD) / README).read_text("utf-8")
