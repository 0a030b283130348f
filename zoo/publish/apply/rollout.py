"""Applies the plan of a fleet, one repository after the other; one that fails holds up only what needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

from zoo.errors import ZooError
from zoo.lint.leaks import redacted
from zoo.publish.apply.collection import apply_collection, create_collection
from zoo.publish.apply.commit import MovedError, Pushed
from zoo.publish.apply.repository import CORRECT, apply_plan
from zoo.publish.apply.settings import apply_settings
from zoo.publish.desired.release import CollectionRecord
from zoo.publish.plan.change import way_out
from zoo.publish.plan.collection import CollectionPlan
from zoo.publish.plan.everything import FleetPlan
from zoo.publish.plan.listing import MAIN, pull_request_url
from zoo.publish.plan.repository import Plan, listed_by, plan_release
from zoo.publish.proof.owed import Owed
from zoo.publish.proof.prove import Proof
from zoo.publish.proof.stranger import Part, ProofError
from zoo.remote import explained
from zoo.say import Progress, Silent

PROOFS = min(4, os.cpu_count() or 1)  # at a time: each loads a model twice

LACKING = {None: "", "content": ", which is not what was built", "unknown": ", which could not be proved"}

Did = Literal["created", "updated", "unchanged", "conflict", "failed", "skipped"]


@dataclass(frozen=True)
class Published:
    """The outcome for one repository or collection."""

    kind: str
    id: str
    did: Did
    commit: str | None = None
    url: str | None = None
    """The address of the pull request that it waits in; None: it went to a branch."""
    proof: float | None = None
    """The largest difference between embeddings of the published model and the built one."""
    proved: str | None = None
    """What a stranger found of it, in a line."""
    not_run: int = 0
    """The snippets of its card that others wrote or changed; they were not run."""
    failed: Part | None = None
    """What is wrong with it according to its proof; None: nothing, or nothing was proved."""
    why: str | None = None
    """Why it is not there as it should be; None: it is."""
    hint: str | None = None

    @property
    def missed(self) -> bool:
        """Whether it is not there as it should be."""
        return self.did in ("conflict", "failed", "skipped")

    @property
    def lacking(self) -> str | None:
        """The reason why what needs it must not be published; None: it may be, for the weights, rows or app are right.

        A repository in conflict is there, only not as new as ours.
        """
        if self.did not in ("failed", "skipped") or self.failed in ("entries", "snippet"):
            return None
        return f"'{self.id}'{LACKING[self.failed]}"


def _nothing(_outcome: Published) -> None:
    pass


def _no_proof(_plan: Plan, _commit: str) -> Proof | None:
    return None


def _never(_plan: Plan) -> bool:
    return False


def by_depth(plans: Sequence[Plan]) -> list[Plan]:
    """Sort plans: first what needs nothing, then what needs only that, and so on, so that the fewest wait."""
    depth: dict[str, int] = {}
    for one in plans:  # what is needed stands before who needs it
        depth[one.release.id] = 1 + max((depth[needed] for needed in one.release.needs if needed in depth), default=-1)
    return sorted(plans, key=lambda one: depth[one.release.id])


def _proved(outcome: Published, proof: Future[Proof | None]) -> Published:
    try:
        found = proof.result()
    except ZooError as problem:
        part = problem.part if isinstance(problem, ProofError) else "unknown"
        return replace(outcome, did="failed", why=problem.message, hint=problem.hint, failed=part)
    if found is None:
        return outcome
    return replace(outcome, proof=found.difference, proved=found.said, not_run=found.not_run)


def _is_for_later(proof: Future[Proof | None]) -> bool:
    found = proof.result()
    return found is not None and found.later is not None


@dataclass
class Rollout:
    """One publication. Datasets and models come first, then the Spaces, then the collections that list them."""

    found: FleetPlan
    private: bool = False
    prove: Callable[[Plan, str], Proof | None] = _no_proof
    """Called with every plan that was applied and the commit that it made."""
    go_on: Callable[[Plan], bool] = _never
    """Called with a new plan when the Hub moved meanwhile and it has no conflicts: whether to apply that one."""
    report: Callable[[Published], None] = _nothing
    progress: Progress = field(default_factory=Silent)
    owed: Owed = field(default_factory=Owed)
    done: list[Published] = field(default_factory=list)
    _records: dict[str, CollectionRecord] = field(default_factory=dict)
    _proving: dict[tuple[str, str], tuple[Published, Future[Proof | None]]] = field(default_factory=dict)

    def run(self) -> list[Published]:
        """Publish everything and return every outcome.

        While one repository is proved the next ones go up; who needs it waits for its proof.
        """
        self._records = {one.title: record for one in self.found.collections if (record := self._record(one))}
        pool = ThreadPoolExecutor(PROOFS)
        try:
            for one in by_depth(self.found.plans):
                self._settle(one.release.needs)
                self._repository(one, pool)
            self._settle_all()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        place = {one.release.key: index for index, one in enumerate(self.found.plans)}
        self.done.sort(key=lambda one: place[one.kind, one.id])
        for collection in self.found.collections:
            self._note(self._collection(collection))
        return self.done

    def _record(self, collection: CollectionPlan) -> CollectionRecord | None:
        """Return a collection as manifests name it. It is made first: they go up in the only commit there is."""
        listed = [one for one in self.found.plans if one.release.key in collection.keys]
        goes = any(one.pending and not one.problems and not one.conflicts for one in listed)
        if not (collection.slug or goes):
            return None
        try:
            with explained(f"publish collection '{collection.title}'"):
                slug = collection.slug or create_collection(collection, private=self.private)
        except ZooError:  # tried again at the end, and told then
            return None
        return CollectionRecord(slug, collection.title, collection.description)

    def _listed_by(self, plan: Plan) -> CollectionRecord | None:
        """Return the collection that a manifest names: the first that lists the repository."""
        titles = (one.title for one in self.found.collections if plan.release.key in one.keys)
        return next((self._records[title] for title in titles if title in self._records), None)

    def _note(self, outcome: Published) -> None:
        proved, why, hint = (text and redacted(text) for text in (outcome.proved, outcome.why, outcome.hint))
        outcome = replace(outcome, proved=proved, why=why, hint=hint)
        self.done.append(outcome)
        self.report(outcome)

    def _settle(self, repo_ids: Collection[str]) -> None:
        """Wait until the proofs of these repositories are known, and take in what is known of others."""
        for key, (outcome, proof) in list(self._proving.items()):
            if outcome.id in repo_ids or proof.done():
                del self._proving[key]
                outcome = _proved(outcome, proof)
                if not outcome.missed and not _is_for_later(proof):
                    self.owed.remove(key)
                self._note(outcome)

    def _settle_all(self) -> None:
        self.progress.start("proofs", len(self._proving))
        for _, repo_id in list(self._proving):
            self._settle([repo_id])
            self.progress.advance()
        self.progress.finish()

    @property
    def _lacking(self) -> dict[str, str]:
        """{id of a repository that is not there or not right: what is said of it to those that need it}."""
        return {one.id: why for one in self.done if (why := one.lacking)}

    def _repository(self, plan: Plan, pool: ThreadPoolExecutor) -> None:
        release, lacking = plan.release, self._lacking
        if missing := sorted(release.needs & lacking.keys()):
            self._note(Published(release.kind, release.id, "skipped", why=f"it needs {lacking[missing[0]]}"))
            return
        try:
            plan, outcome, made = self._apply(plan)
        except ZooError as problem:
            did: Did = "conflict" if plan.conflicts else "failed"
            self._note(Published(release.kind, release.id, did, plan.head, why=problem.message, hint=problem.hint))
            return
        if made is None and release.key in self.owed and not outcome.missed and plan.target == MAIN:
            made = plan.head
        if made:
            self._proving[release.key] = outcome, pool.submit(self.prove, plan, made)
        else:
            self._note(outcome)

    def _apply(self, plan: Plan) -> tuple[Plan, Published, str | None]:
        """Apply a plan: return the one that was applied, what came of it, and the commit that is to be proved."""
        release, first = plan.release, plan.head is None
        plan, commit = self._commit(plan)
        if plan.conflicts and not plan.problems:
            path = plan.conflicts[0].path
            why, hint = f"'{path}' {plan.conflicts[0].note}", way_out(release, path)
            return plan, Published(release.kind, release.id, "conflict", plan.head, why=why, hint=hint), None
        if release.settings and (beside := self.found.beside(plan)):
            apply_settings(release.id, release.settings, beside)
        did: Did = ("created" if first else "updated") if self.found.changes(plan) else "unchanged"
        number = commit.pull_request if commit else plan.target.number
        url = pull_request_url(release, number) if number else None
        head = commit.commit if commit else plan.head
        return plan, Published(release.kind, release.id, did, head, url), commit.commit if commit else None

    def _commit(self, old: Plan) -> tuple[Plan, Pushed | None]:
        """Commit, and return the plan that was applied: a new one when the repository changed meanwhile.

        A plan with conflicts is not applied.
        """
        if old.conflicts and not old.problems:
            return old, None
        if old.pending:
            self.owed.add(old.release.key)
        try:
            return old, apply_plan(listed_by(old, self._listed_by(old)), private=self.private, progress=self.progress)
        except MovedError:
            new = plan_release(old.release, self.found.target, self.found.overwrite)
            if new.conflicts and not new.problems:
                return new, None
            if new.problems or not self.go_on(new):
                raise
            made = apply_plan(listed_by(new, self._listed_by(new)), private=self.private, progress=self.progress)
            return new, made or (Pushed(new.head, new.target.number) if new.head else None)

    def _collection(self, collection: CollectionPlan) -> Published:
        where = collection.slug or collection.title
        if lacking := sorted((repo, why) for repo, why in self._lacking.items() if repo in collection.ids):
            return Published("collection", where, "skipped", why=f"it lists {lacking[0][1]}")
        if problems := collection.problems:
            why = f"it must not be published: {problems[0]}"
            return Published("collection", redacted(where), "failed", why=why, hint=CORRECT)
        try:
            record = self._records.get(collection.title)
            known = replace(collection, slug=record.slug) if record else collection
            slug = apply_collection(known, private=self.private) if collection.pending else str(collection.slug)
        except ZooError as problem:
            return Published("collection", where, "failed", why=problem.message, hint=problem.hint)
        did: Did = ("created" if collection.slug is None else "updated") if collection.pending else "unchanged"
        return Published("collection", slug, did)
