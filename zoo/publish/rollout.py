"""Applies the plan of a fleet, one repository after the other; one that fails holds up only what needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from zoo.errors import ZooError
from zoo.publish.apply import MovedError, apply, way_out
from zoo.publish.collection import apply_collection
from zoo.publish.fleet import FleetPlan
from zoo.publish.plan import Plan, plan
from zoo.publish.prove import Proof
from zoo.publish.space import apply_settings
from zoo.say import Progress, Silent

Did = Literal["created", "updated", "unchanged", "conflict", "failed", "skipped"]


@dataclass(frozen=True)
class Published:
    """What came of one repository or collection."""

    kind: str
    id: str
    did: Did
    commit: str | None = None
    proof: float | None = None
    """Largest difference between embeddings of the published model and the built one."""
    proved: str | None = None
    """What a stranger found of it, in a line."""
    why: str | None = None
    """It is not there as it should be."""
    hint: str | None = None

    @property
    def missed(self) -> bool:
        return self.did in ("conflict", "failed", "skipped")


def _nothing(_outcome: Published) -> None:
    pass


def _no_proof(_plan: Plan, _commit: str) -> Proof | None:
    return None


def _never(_plan: Plan) -> bool:
    return False


@dataclass
class Rollout:
    """One publication. Datasets and models come first, then the Space, then the collection that lists them all."""

    found: FleetPlan
    private: bool = False
    prove: Callable[[Plan, str], Proof | None] = _no_proof
    """Asked of every plan that was applied, with the commit it made."""
    go_on: Callable[[Plan], bool] = _never
    """Asked when the Hub moved meanwhile and a new plan, which it gets, has no conflicts."""
    report: Callable[[Published], None] = _nothing
    progress: Progress = field(default_factory=Silent)
    done: list[Published] = field(default_factory=list)

    def run(self) -> list[Published]:
        for one in self.found.plans:
            self._note(self._repository(one))
        if self.found.collection is not None:
            self._note(self._collection())
        return self.done

    def _note(self, outcome: Published) -> None:
        self.done.append(outcome)
        self.report(outcome)

    @property
    def _lacking(self) -> set[str]:
        """What others cannot count on. A repository in conflict is there, only not as new as ours."""
        return {one.id for one in self.done if one.did in ("failed", "skipped")}

    def _repository(self, plan: Plan) -> Published:
        release = plan.release
        if missing := sorted(release.needs & self._lacking):
            return Published(release.kind, release.id, "skipped", why=f"it needs '{missing[0]}'")
        try:
            return self._apply(plan)
        except ZooError as problem:
            did: Did = "conflict" if plan.conflicts else "failed"
            return Published(release.kind, release.id, did, plan.head, why=problem.message, hint=problem.hint)

    def _apply(self, plan: Plan) -> Published:
        release, first = plan.release, plan.head is None
        if plan.conflicts and not plan.problems:
            path = plan.conflicts[0].path
            why = f"'{path}' {plan.conflicts[0].note}"
            return Published(release.kind, release.id, "conflict", plan.head, why=why, hint=way_out(release, path))
        commit = self._commit(plan)
        beside = self.found.settings.get(release.id, ())
        if release.settings and beside:
            apply_settings(release.id, release.settings, list(beside))
        try:
            proof = self.prove(plan, commit) if commit else None
        except ZooError as problem:
            return Published(release.kind, release.id, "failed", commit, why=problem.message, hint=problem.hint)
        changed = self.found.changes(plan)
        did: Did = ("created" if first else "updated") if changed else "unchanged"
        found = (proof.difference, proof.said) if proof else (None, None)
        return Published(release.kind, release.id, did, commit or plan.head, *found)

    def _commit(self, old: Plan) -> str | None:
        try:
            return apply(old, private=self.private, progress=self.progress)
        except MovedError:
            new = plan(old.release, self.found.target, self.found.overwrite)
            if new.conflicts or new.problems or not self.go_on(new):
                raise
            return apply(new, private=self.private, progress=self.progress) or new.head

    def _collection(self) -> Published:
        collection = self.found.collection
        assert collection is not None
        where = collection.slug or collection.title
        if lacking := sorted(self._lacking):
            return Published("collection", where, "skipped", why=f"it lists '{lacking[0]}'")
        try:
            slug = apply_collection(collection, private=self.private) if collection.pending else str(collection.slug)
        except ZooError as problem:
            return Published("collection", where, "failed", why=problem.message, hint=problem.hint)
        did: Did = ("created" if collection.slug is None else "updated") if collection.pending else "unchanged"
        return Published("collection", slug, did)
