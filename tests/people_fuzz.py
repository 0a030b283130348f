"""`python tests/people_fuzz.py --seconds 600`: people and `zoo publish` at work on the same repositories, at random.

After every step of ours it is checked that no text and no file of a person's was lost, that what changed is what the
plan said, in one commit a repository, and that nothing is left to do. A failure prints its seed: run it again with
`--seed`, which repeats it step by step.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from people import CARD, CHANGELOG, CONFIG, KINDS, NEEDS, People, Place

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.publish.desired.fleet import Fleet
    from zoo.publish.plan.everything import FleetPlan

STEPS = 60  # with one account, then a new one begins
BODY = "# {name}\n\nFirst.\n\nSecond.\n\nThird.\n\nVersion {version}.\n\nFourth.\n"
TITLE = "World"


@dataclass
class Run(People):
    """People and publishes under one account."""

    folder: Path = Path()
    tagged: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def step(self) -> None:
        """Let people or us do one thing, and look whether everything of theirs is still there."""
        ours = self.ours
        doers: list[Callable[[Place], str]] = [*self.people, *ours]
        weights = [1.0] * len(self.people) + list(ours.values())
        (do,) = self.rng.choices(doers, weights)
        place = self.rng.choice(list(self.names.values()))
        self.said.append(f"{do.__name__} {place.name}")
        self.said[-1] += f": {do(place)}"
        if self.tagged["published"]:
            for one in self.names.values():
                self.nothing_lost(one)
            self.collection_kept()

    @property
    def ours(self) -> dict[Callable[[Place], str], float]:
        """What we do, and how often."""
        return {
            self.publish: 3, self.publish_next: 4, self.publish_pull_request: 3, self.publish_alone: 1,
            self.publish_older: 1, self.publish_twice: 1, self.publish_meanwhile: 1, self.publish_killed: 0.7,
            self.release: 3, self.roll_back: 3,
        }  # fmt: skip

    @property
    def fleet(self) -> Fleet:
        """The fleet as it is built now; every version changes the card and the weights, and has a file of its own."""
        from zoo.publish.desired.fleet import Fleet
        from zoo.publish.desired.release import Release, sealed

        releases = []
        for name, needs in NEEDS.items():
            card = f"---\nlicense: mit\n---\n\n{BODY.format(name=name, version=self.version)}".encode()
            weights = self.folder / f"{name}-{self.version}"
            weights.write_bytes(
                b"\0" + f"{name} {self.version // 2}".encode() * 3000
            )  # every second version has new ones
            files = {CARD: card, CONFIG: b'{"version": %d}' % (self.version // 3), "w.bin": weights}
            files[f"only-{self.version}.txt"] = b"x\n"
            ids = frozenset(f"{self.account}/{one}" for one in needs)
            kind: Any = KINDS.get(name, "model")
            releases.append(
                sealed(Release(kind, f"{self.account}/{name}", name, files, ids, f"{name}, {self.version}"))
            )
        from zoo.publish.desired.fleet import WantedCollection

        return Fleet(self.account, releases, [WantedCollection(TITLE, "All of it.")])

    def plan(self, target: Any = None, overwrite: Any = (), names: Collection[str] = ()) -> FleetPlan:
        from zoo.publish.plan.everything import plan_fleet
        from zoo.publish.plan.listing import MAIN

        fleet = self.fleet
        releases = [one for one in fleet.releases if not names or one.name in names]
        return plan_fleet(replace(fleet, releases=releases), target or MAIN, overwrite)

    def told_of_renaming(self, place: Place) -> str:
        """Return what we say of a repository that goes by another name."""
        try:
            self.plan()
        except ZooError as error:
            return error.message
        raise AssertionError(f"{place.name}: nothing was said of '{place.renamed}'")

    def publish_next(self, place: Place) -> str:
        """Publish the next version, which has another file and another line in its card."""
        self.version += 1
        return self.publish(place)

    def publish(self, _place: Place) -> str:
        """Publish, choose what is to become of conflicts, and publish again."""
        found = self._applied(self.plan())
        self.tagged["published"] += 1
        if found.blocked and self.rng.random() < 0.6:
            overwrite = [f"{one.release.address}:{change.path}" for one in found.plans for change in one.conflicts]
            for one in found.plans:
                for change in one.conflicts:  # people chose ours
                    place = self.names[one.release.name]
                    place.lines.pop(change.path, None)
                    place.files.pop(change.path, None)
                    if change.path == CARD:
                        place.tags = []
            found = self._applied(self.plan(overwrite=overwrite))
            assert not found.blocked, "in conflict although ours was chosen"
            return f"version {self.version}, overwrote {overwrite}"
        return f"version {self.version}"

    def publish_alone(self, place: Place) -> str:
        """Publish one with what it needs, at another time than the rest."""
        needed = [place.name]
        for name in needed:
            needed += NEEDS[name]
        self._applied(self.plan(names=needed))
        return f"version {self.version}"

    def publish_older(self, place: Place) -> str:
        """Publish what a colleague has built, who is a version behind."""
        self.version = max(1, self.version - 1)
        return self.publish(place)

    def publish_twice(self, _place: Place) -> str:
        """Publish the next version from two machines at the same time."""
        self.version += 1
        return self._watched(lambda plan: self._at_once([plan, plan]), 0)

    def publish_meanwhile(self, place: Place) -> str:
        """Publish the next version while somebody writes into a card."""
        self.version += 1

        def act(plan: FleetPlan) -> None:
            self.said.append(f"  meanwhile {place.name}: {self.write_line(place)}, {self.add_file(place)}")
            self._rolled_out(plan)

        return self._watched(act, 2)

    def publish_killed(self, _place: Place) -> str:
        """Publish the next version in a process that is killed, or done before that."""
        self.version += 1
        command = [sys.executable, __file__, "--publish", self.account, str(self.version), str(self.folder)]

        def act(_plan: FleetPlan) -> None:
            environment = {
                name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"
            }  # our siblings
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
                assert process.stdout
                assert process.stdout.readline(), "it did not begin"
                time.sleep(self.rng.uniform(0, 0.6))
                process.send_signal(signal.SIGKILL)
            time.sleep(0.2)  # what it asked for last is carried out yet

        return self._watched(act, 0)

    def _watched(self, act: Callable[[FleetPlan], None], more: int) -> str:
        """Let something publish; check that each repository has what was planned or what it had, in one commit.

        Args:
            more: commits that people may have made meanwhile.
        """
        plan = self.plan()
        before = {one.release.name: self._commits(one) for one in plan.plans}
        act(plan)
        for one in self.plan().plans:
            made = self._commits(one) - before[one.release.name]
            assert made <= 1 + more or not before[one.release.name], f"{one.release.name}: {made} commits"
        return f"version {self.version}"

    def _rolled_out(self, plan: FleetPlan) -> None:
        from zoo.publish.apply.rollout import Rollout

        outcomes = Rollout(plan, go_on=lambda _: True).run()
        assert not (bad := [it for it in outcomes if it.did == "failed"]), f"failed: {bad}"

    def _at_once(self, plans: Sequence[FleetPlan]) -> None:
        with ThreadPoolExecutor(len(plans)) as pool:
            list(pool.map(self._rolled_out, plans))

    def _applied(self, plan: FleetPlan) -> FleetPlan:
        """Publish a plan; check that what changed is what it said, and return the plan that is left."""
        from zoo.publish.apply.rollout import Rollout

        before = {one.release.name: (self._tree(one), self._commits(one)) for one in plan.plans}
        outcomes = Rollout(plan).run()
        for one in plan.plans:
            self._as_planned(one, *before[one.release.name], next(it for it in outcomes if it.id == one.release.id))
        left = self.plan(plan.target, names=[one.release.name for one in plan.plans])
        conflicted = {one.release.id for one in plan.plans if one.conflicts}
        assert not (bad := [it for it in outcomes if it.did == "failed"]), f"failed: {bad}"
        assert conflicted == {it.id for it in outcomes if it.did == "conflict"}, "conflicts are told"
        pending = {one.release.id: left.changes(one) for one in left.plans if one.release.id not in conflicted}
        assert not any(pending.values()), f"left after publishing: {pending}, {outcomes}"
        assert conflicted or not any(one.pending for one in left.collections), f"left: {left.collections}"
        return left

    def _tree(self, plan: Any) -> dict[str, str]:
        place, target = self.names[plan.release.name], plan.target
        return place.tree(target.revision or "main") if plan.head and not target.missing else {}

    def _commits(self, plan: Any) -> int:
        return self.names[plan.release.name].commits(plan.target.revision or "main") if plan.head else 0

    def _as_planned(self, plan: Any, before: dict[str, str], commits: int, outcome: Any) -> None:
        place, name = self.names[plan.release.name], plan.release.name
        number = int(outcome.url.rpartition("/")[2]) if outcome.url else plan.target.number
        after_plan = replace(plan, head=outcome.commit, target=replace(plan.target, number=number, missing=False))
        after = self._tree(after_plan)
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        blocked = bool(plan.conflicts or plan.problems)
        said = set() if blocked else {*plan.sent, *plan.deleted}
        extra = set() if before else {".gitattributes"}
        if number and not plan.target.number:  # compared with main
            changed = {path for path in place.tree().keys() | after.keys() if place.tree().get(path) != after.get(path)}
        assert changed - extra == said - extra, f"{name}: planned {sorted(said)}, changed {sorted(changed)}"
        made = self._commits(after_plan) - commits
        if plan.head and not (number and not plan.target.number):
            assert made == bool(said), f"{name}: {made} commits for {sorted(said)}"

    def publish_pull_request(self, _place: Place) -> str:
        from zoo.publish.plan.listing import Target

        if not self.tagged["published"]:
            return "nothing"
        self._applied(self.plan(Target(pull_request=True)))
        return f"version {self.version}"

    def _repository(self, place: Place) -> Any:
        from zoo.publish.versions.history import NamedRepository

        return NamedRepository(place.kind, place.repo_id, place.name)  # type: ignore[arg-type]

    def release(self, place: Place) -> str:
        """Release what is published, or a candidate; nothing but the changelog may change."""
        from zoo.publish.versions.tags import newest, parse_version
        from zoo.publish.versions.version import draft_version, publish_version

        if not self.tagged["published"]:
            return "nothing"
        before, tags = place.tree(), self._tags(place)
        last = parse_version(newest(tags) or "v1.0.0")
        new = last.next_minor() if last.prerelease == () else last.next_patch()
        version = self.rng.choice([f"v{new}", f"v{new}", f"v{new}-rc.1", f"v{last.next_patch()}"])
        release = next(one for one in self.fleet.releases if one.name == place.name)
        try:
            publish_version(draft_version(release, self._repository(place), version, f"Notes {self.word()}."))
        except ZooError as error:
            assert (place.tree(), self._tags(place)) == (before, tags), f"{place.name}: refused, and changed"
            return f"{version} refused: {error.message} ({error.hint})"
        place.versions.append(version)
        after = place.tree()
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert changed == {CHANGELOG}, f"{place.name}: a release changed {sorted(changed)}"
        text = place.read(CHANGELOG).decode()
        assert all(one in text for one in place.lines.get(CHANGELOG, ())), f"{place.name}: the changelog lost a line"
        return version

    def _tags(self, place: Place) -> dict[str, str]:
        from zoo.publish.versions.history import tags_of

        return tags_of(self._repository(place))

    def roll_back(self, place: Place) -> str:
        """Go back to a version, a tag of people's or a commit: what people have beside it stays unless it is named."""
        from zoo.publish.versions.rollback import way_back

        if not self.tagged["published"]:
            return "nothing"
        ref, repository = self._earlier(place), self._repository(place)
        try:
            way = way_back(repository, ref)
            chosen = [one.path for one in way.conflicts if self.rng.random() < 0.7]
            if (own := self._own(place)) and self.rng.random() < 0.2:
                chosen.append(own)
            way = way_back(repository, ref, chosen)
        except ZooError as error:
            return f"{ref} refused: {error.message} ({error.hint})"
        if not way.conflicts:
            for path in chosen:
                place.files.pop(path, None)
                place.lines.pop(path, None)
                place.tags = [] if path == CARD else place.tags
        return f"{ref}: {self._went(place, way)}, overwrote {chosen}"

    def _went(self, place: Place, way: Any) -> str:
        from zoo.publish.versions.rollback import put_back, roll_back, way_back

        before, commits = place.tree(), place.commits()
        try:
            roll_back(way)
            put_back(way, TITLE)
        except ZooError as error:
            assert place.tree() == before, f"{place.name}: refused, and changed"
            return f"refused: {error.message} ({error.hint})"
        after = place.tree()
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert changed == {one.path for one in way.pending}, f"{place.name}: {sorted(changed)} for {way.pending}"
        assert place.commits() - commits == bool(way.pending), f"{place.name}: more than one commit"
        again = way_back(way.repository, way.ref)
        assert not again.pending, f"{place.name}: a second time there is {again.pending}"
        return f"{len(way.pending)} changes"

    def _earlier(self, place: Place) -> str:
        from zoo.remote import api

        commits = [one.commit_id for one in api().list_repo_commits(place.repo_id, repo_type=place.kind)]
        refs = [*place.versions, *place.versions, *place.versions, *self._tags(place), self.rng.choice(commits)[:12]]
        return self.rng.choice(refs)


def run(seed: int, steps: int, folder: Path, account: str) -> None:
    """Let people and publishes do as many steps.

    Raises:
        AssertionError: something was lost, or is not as it was said; with the steps that led to it.
    """
    one = Run(account, random.Random(seed), folder=folder)
    try:
        one.publish(one.names["data"])
        for _ in range(steps):
            one.step()
    except Exception as error:
        trace = "\n".join(f"  {number}. {line}" for number, line in enumerate(one.said, 1))
        raise AssertionError(f"seed {seed}, after\n{trace}\n{type(error).__name__}: {error}") from error


@contextlib.contextmanager
def account_of(root: Path, name: str) -> Iterator[None]:
    """Make an account on the Hub in `root`, and be it until the block ends."""
    from zoo.hub.store import Store

    with contextlib.closing(Store(root)) as store:
        store.add_user(name)
        token = store.issue_token(name, role="write")
    before = os.environ.get("HF_TOKEN")
    os.environ["HF_TOKEN"] = token
    try:
        yield
    finally:
        os.environ.pop("HF_TOKEN", None)
        os.environ.update({"HF_TOKEN": before} if before else {})


def publish(account: str, version: str, folder: str) -> int:
    """Publish a version; say a word when it begins."""
    one = Run(account, random.Random(0), version=int(version), folder=Path(folder))
    plan = one.plan()
    print("begun", flush=True)
    one._rolled_out(plan)
    return 0


def main() -> int:
    """Run until the time is over; return 1 when something was lost."""
    from zoo.hub.local import local_hub

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, help="of one failure, repeated")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--publish", nargs=3, metavar=("ACCOUNT", "VERSION", "FOLDER"), help="only that, to be killed")
    given = parser.parse_args()
    if given.publish:
        return publish(*given.publish)
    with tempfile.TemporaryDirectory() as place, local_hub(Path(place) / "hub") as hub:
        os.environ.update(hub.environment(), HF_HOME=f"{place}/home", HF_HUB_DISABLE_PROGRESS_BARS="1")
        until, done = time.monotonic() + given.seconds, 0
        first = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
        while time.monotonic() < until and not (given.seed is not None and done):
            folder = Path(place) / f"built-{done}"
            folder.mkdir()
            with account_of(hub.root, f"people{done}"):
                try:
                    run(first + done, given.steps, folder, f"people{done}")
                except AssertionError as error:
                    print(error, file=sys.stderr)
                    return 1
            done += 1
        print(f"{done} x {given.steps} steps from seed {first}: nothing was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
