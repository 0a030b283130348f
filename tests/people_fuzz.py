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
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.publish.desired.fleet import Fleet
    from zoo.publish.plan.everything import FleetPlan

CARD, CHANGELOG, CONFIG = "README.md", "CHANGELOG.md", "config.json"
STEPS = 60  # with one account, then a new one begins
BODY = "# {name}\n\nFirst.\n\nSecond.\n\nThird.\n\nVersion {version}.\n\nFourth.\n"
NEEDS = {"data": (), "parent": ("data",), "child": ("parent",), "space": ("child",)}
KINDS = {"data": "dataset", "space": "space"}  # the others are models
RECORDS = ("zoo/",)  # ours alone


@dataclass
class Place:
    """A repository, and what people have there that nobody but they may take away."""

    name: str
    account: str
    files: dict[str, bytes] = field(default_factory=dict)
    """{path: content} of people's own files, and of files of ours that they changed."""
    lines: dict[str, set[str]] = field(default_factory=dict)
    """{path: lines that people wrote} into texts that others write as well."""
    tags: list[str] = field(default_factory=list)
    renamed: str | None = None

    @property
    def kind(self) -> str:
        return KINDS.get(self.name, "model")

    @property
    def repo_id(self) -> str:
        return f"{self.account}/{self.name}"

    def tree(self, revision: str = "main") -> dict[str, str]:
        from huggingface_hub.hf_api import RepoFile

        from zoo.remote import api

        listed = api().list_repo_tree(self.repo_id, repo_type=self.kind, recursive=True, revision=revision)
        return {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in listed if isinstance(one, RepoFile)}

    def read(self, path: str, revision: str = "main") -> bytes:
        from zoo.remote import api

        commit = api().repo_info(self.repo_id, repo_type=self.kind, revision=revision).sha
        return Path(api().hf_hub_download(self.repo_id, path, repo_type=self.kind, revision=commit)).read_bytes()

    def commits(self, revision: str = "main") -> int:
        from zoo.remote import api

        return len(api().list_repo_commits(self.repo_id, repo_type=self.kind, revision=revision))

    def write(self, path: str, content: bytes) -> None:
        from zoo.remote import api

        api().upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=self.repo_id, repo_type=self.kind)


@dataclass
class Run:
    """People and publishes under one account. What fails is raised as an AssertionError."""

    account: str
    rng: random.Random
    folder: Path
    version: int = 1
    names: dict[str, Place] = field(default_factory=dict)
    tagged: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.names = {name: Place(name, self.account) for name in NEEDS}

    def step(self) -> None:
        """Let people or us do one thing, and look whether everything of theirs is still there."""
        doers: list[Callable[[Place], str]] = [*self.people, *self.ours]
        weights = [1] * len(self.people) + [2, 3, 2, 2, 1]
        (do,) = self.rng.choices(doers, weights)
        place = self.rng.choice(list(self.names.values()))
        self.said.append(f"{do.__name__} {place.name}")
        self.said[-1] += f": {do(place)}"
        for one in self.names.values():
            self.nothing_lost(one)

    @property
    def people(self) -> list[Callable[[Place], str]]:
        """What people do."""
        return [
            self.add_file, self.delete_file, self.rename_file, self.write_line, self.write_line, self.edit_version,
            self.edit_ours, self.delete_ours, self.take_our_next_name, self.tag_card, self.add_result, self.save_crlf,
            self.write_changelog, self.retitle, self.curate, self.merge_pull_request, self.close_pull_request,
            self.rename_repository,
        ]  # fmt: skip

    @property
    def ours(self) -> list[Callable[[Place], str]]:
        """What we do."""
        return [self.publish, self.publish_next, self.publish_pull_request, self.release, self.roll_back]

    def nothing_lost(self, place: Place) -> None:
        """Check that people's files are there as they left them, and their lines in what others write too."""
        if place.renamed or not self.tagged["published"]:
            return
        tree = place.tree()
        for path, content in place.files.items():
            assert path in tree, f"{place.name}: '{path}' of a person is gone"
            assert place.read(path) == content, f"{place.name}: '{path}' of a person has another content"
        for path, lines in place.lines.items():
            there = place.read(path).decode() if path in tree else ""
            assert not (lost := [line for line in lines if line not in there]), f"{place.name}, {path}: lost {lost}"

    def word(self) -> str:
        self.count += 1
        return f"word{self.count}-{self.rng.randrange(10**6)}"

    # people

    def add_file(self, place: Place) -> str:
        path = self.rng.choice(["notes", "figures/plot", "zoo-notes"]) + f"-{self.word()}.txt"
        place.files[path] = self.word().encode()
        place.write(path, place.files[path])
        return path

    def _own(self, place: Place) -> str | None:
        own = sorted(path for path in place.files if path.endswith(".txt") and "-word" in path)
        return self.rng.choice(own) if own else None

    def delete_file(self, place: Place) -> str:
        from zoo.remote import api

        path = self._own(place)
        if path is None:
            return "nothing"
        api().delete_file(path, place.repo_id, repo_type=place.kind)
        del place.files[path]
        return path

    def rename_file(self, place: Place) -> str:
        from huggingface_hub import CommitOperationCopy, CommitOperationDelete

        from zoo.remote import api

        old = self._own(place)
        if old is None:
            return "nothing"
        new = f"moved/{self.word()}-word.txt"
        changes = [CommitOperationCopy(old, new), CommitOperationDelete(old)]
        api().create_commit(place.repo_id, changes, commit_message="renamed", repo_type=place.kind)
        place.files[new] = place.files.pop(old)
        return f"{old} -> {new}"

    def write_line(self, place: Place) -> str:
        """Put a paragraph between two others, in the ends of line that the card has."""
        text = place.read(CARD).decode()
        end = "\r\n" if "\r\n" in text else "\n"
        front, _, body = text.partition(f"{end}---{end}")
        parts = body.split(end * 2)
        line = f"A person wrote {self.word()}."
        parts.insert(self.rng.randrange(1, len(parts) + 1), line)
        place.write(CARD, f"{front}{end}---{end}{(end * 2).join(parts)}".encode())
        place.lines.setdefault(CARD, set()).add(line)
        return line

    def edit_version(self, place: Place) -> str:
        """Change a line that the next version changes too."""
        text = place.read(CARD).decode()
        line = f"Version {self.word()} by a person."
        found = next((one for one in text.splitlines() if one.startswith("Version ")), None)
        if found is None:
            return "nothing"
        place.write(CARD, text.replace(found, line, 1).encode())
        place.lines[CARD] = {one for one in place.lines.get(CARD, set()) if one != found} | {line}
        return line

    def edit_ours(self, place: Place) -> str:
        path = self.rng.choice([CONFIG, "w.bin", *(one for one in place.tree() if one.startswith("only-"))])
        place.files[path] = b'{"person": "%s"}' % self.word().encode()
        place.write(path, place.files[path])
        return path

    def delete_ours(self, place: Place) -> str:
        from zoo.remote import api

        path = self.rng.choice([CONFIG, "w.bin"])
        if path not in place.tree():
            return "nothing"
        api().delete_file(path, place.repo_id, repo_type=place.kind)
        place.files.pop(path, None)
        return path

    def take_our_next_name(self, place: Place) -> str:
        path = f"only-{self.version + 1}.txt"
        place.files[path] = self.word().encode()
        place.write(path, place.files[path])
        return path

    def tag_card(self, place: Place) -> str:
        from huggingface_hub import metadata_update

        tag = self.word()
        tags = [*place.tags, tag]
        metadata_update(place.repo_id, {"tags": tags}, repo_type=place.kind, overwrite=True)
        place.tags = tags
        place.lines.setdefault(CARD, set()).add(tag)
        return tag

    def add_result(self, place: Place) -> str:
        from huggingface_hub import metadata_update

        if place.kind != "model":
            return "nothing"
        word = self.word()
        metric = {"type": "cosine_spearman", "value": 0.5, "name": word}
        result = {"task": {"type": "STS"}, "dataset": {"name": word, "type": f"lab/{word}"}, "metrics": [metric]}
        metadata_update(place.repo_id, {"model-index": [{"name": place.name, "results": [result]}]}, overwrite=True)
        place.lines.setdefault(CARD, set()).add(word)
        return word

    def save_crlf(self, place: Place) -> str:
        place.write(CARD, place.read(CARD).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        return "saved"

    def write_changelog(self, place: Place) -> str:
        there = place.read(CHANGELOG).decode() if CHANGELOG in place.tree() else ""
        line = f"- A person changed {self.word()}."
        shape = self.rng.choice(["{line}\n\n{there}", "{there}\n{line}\n", "# What is new\n\n{line}\n{there}"])
        if self.rng.random() < 0.3:  # written anew, without what was there
            place.lines.pop(CHANGELOG, None)
            there = ""
        place.write(CHANGELOG, shape.format(line=line, there=there).encode())
        place.lines.setdefault(CHANGELOG, set()).add(line)
        return line

    def _collections(self) -> list[Any]:
        from zoo.remote import api

        return list(api().list_collections(owner=self.account))

    def retitle(self, _place: Place) -> str:
        from zoo.remote import api

        for one in self._collections():
            title = f"Our models, {self.word()}"
            api().update_collection_metadata(one.slug, title=title)
            return title
        return "nothing"

    def curate(self, place: Place) -> str:
        from zoo.remote import api

        for one in self._collections():
            found = api().get_collection(one.slug)
            item = next((item for item in found.items if item.item_id == place.repo_id), None)
            if item is None:
                return "nothing"
            if self.rng.random() < 0.5:
                api().delete_collection_item(found.slug, item.item_object_id)
                return "taken out"
            api().update_collection_item(found.slug, item.item_object_id, note=f"noted by a person, {self.word()}")
            return "noted"
        return "nothing"

    def _pull_request(self) -> tuple[Place, int] | None:
        """Return one of the pull requests that are open."""
        from zoo.remote import api

        options: dict[str, Any] = {"discussion_type": "pull_request", "discussion_status": "open"}
        found = [
            (place, one.num)
            for place in self.names.values()
            for one in api().get_repo_discussions(place.repo_id, repo_type=place.kind, **options)
        ]
        return self.rng.choice(found) if found else None

    def merge_pull_request(self, _place: Place) -> str:
        from huggingface_hub.errors import HfHubHTTPError

        from zoo.remote import api

        found = self._pull_request()
        if found is None:
            return "nothing"
        place, number = found
        with contextlib.suppress(HfHubHTTPError):
            api().change_discussion_status(place.repo_id, number, "open", repo_type=place.kind)
        try:
            api().merge_pull_request(place.repo_id, number, repo_type=place.kind)
        except HfHubHTTPError as error:
            return f"refused: {error.server_message}"
        return f"{place.name} #{number}"

    def close_pull_request(self, _place: Place) -> str:
        from zoo.remote import api

        found = self._pull_request()
        if found is None:
            return "nothing"
        place, number = found
        api().change_discussion_status(place.repo_id, number, "closed", repo_type=place.kind)
        return f"{place.name} #{number}"

    def rename_repository(self, place: Place) -> str:
        """Rename it: what is published meanwhile must not make a second one. Renamed back at the next turn."""
        from zoo.remote import api

        new = f"{self.account}/{place.name}-{self.word()}"
        api().move_repo(place.repo_id, new, repo_type=place.kind)
        place.renamed = new
        try:
            self.plan()
        except ZooError as error:
            said = error.message
        else:
            raise AssertionError(f"{place.name}: nothing was said of '{new}'")
        assert api().repo_info(place.repo_id, repo_type=place.kind).id == new, said
        api().move_repo(new, place.repo_id, repo_type=place.kind)
        place.renamed = None
        return f"to {new} and back"

    # ours

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
        return Fleet(self.account, releases, "World", "All of it.")

    def plan(self, target: Any = None, overwrite: Any = ()) -> FleetPlan:
        from zoo.publish.plan.everything import plan_fleet
        from zoo.publish.plan.listing import MAIN

        return plan_fleet(self.fleet, target or MAIN, overwrite)

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

    def _applied(self, plan: FleetPlan) -> FleetPlan:
        """Publish a plan; check that what changed is what it said, and return the plan that is left."""
        from zoo.publish.apply.rollout import Rollout

        before = {one.release.name: (self._tree(one), self._commits(one)) for one in plan.plans}
        outcomes = Rollout(plan).run()
        for one in plan.plans:
            self._as_planned(one, *before[one.release.name], next(it for it in outcomes if it.id == one.release.id))
        left = self.plan(plan.target)
        conflicted = {one.release.id for one in plan.plans if one.conflicts}
        assert not (bad := [it for it in outcomes if it.did == "failed"]), f"failed: {bad}"
        assert conflicted == {it.id for it in outcomes if it.did == "conflict"}, "conflicts are told"
        pending = {one.release.id: left.changes(one) for one in left.plans if one.release.id not in conflicted}
        assert not any(pending.values()), f"left after publishing: {pending}"
        assert conflicted or not (left.collection and left.collection.pending), f"left: {left.collection}"
        return left

    def _tree(self, plan: Any) -> dict[str, str]:
        place, target = self.names[plan.release.name], plan.target
        return place.tree(target.revision or "main") if plan.head and not target.missing else {}

    def _commits(self, plan: Any) -> int:
        return self.names[plan.release.name].commits(plan.target.revision or "main") if plan.head else 0

    def _as_planned(self, plan: Any, before: dict[str, str], commits: int, outcome: Any) -> None:
        from dataclasses import replace

        place, name = self.names[plan.release.name], plan.release.name
        number = int(outcome.url.rpartition("/")[2]) if outcome.url else None
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
        """Release what is published; nothing but the changelog may change."""
        from zoo.publish.versions.version import draft_version, publish_version

        if not self.tagged["published"]:
            return "nothing"
        before, version = place.tree(), f"v1.{self.tagged[place.name] + 1}.0"
        release = next(one for one in self.fleet.releases if one.name == place.name)
        try:
            publish_version(draft_version(release, self._repository(place), version, f"Notes {self.word()}."))
        except ZooError as error:
            return f"refused: {error.message}"
        self.tagged[place.name] += 1
        after = place.tree()
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert changed == {CHANGELOG}, f"{place.name}: a release changed {sorted(changed)}"
        return version

    def roll_back(self, place: Place) -> str:
        """Go back to a version that was released: what people have beside it stays."""
        from zoo.publish.versions.rollback import roll_back, way_back

        if not self.tagged[place.name]:
            return "nothing"
        version = f"v1.{self.rng.randint(1, self.tagged[place.name])}.0"
        commits = place.commits()
        try:
            way = way_back(self._repository(place), version)
            roll_back(way)
        except ZooError as error:
            return f"refused: {error.message}"
        assert place.commits() - commits == bool(way.changes), f"{place.name}: more than one commit"
        return version


def run(seed: int, steps: int, folder: Path, account: str) -> None:
    """Let people and publishes do as many steps.

    Raises:
        AssertionError: something was lost, or is not as it was said; with the steps that led to it.
    """
    one = Run(account, random.Random(seed), folder)
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


def main() -> int:
    """Run until the time is over; return 1 when something was lost."""
    from zoo.hub.local import local_hub

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, help="of one failure, repeated")
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
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
