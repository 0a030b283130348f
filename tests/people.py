"""People at work on repositories that we publish to: what they do there, and what of it nobody else may take away."""

from __future__ import annotations

import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CARD, CHANGELOG, CONFIG = "README.md", "CHANGELOG.md", "config.json"
NEEDS = {"data": (), "parent": ("data",), "child": ("parent",), "space": ("child",)}
KINDS = {"data": "dataset", "space": "space"}  # the others are models
BOM = "\ufeff"


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
    branches: dict[str, str] = field(default_factory=dict)
    """{a person's branch: its head}."""
    proposed: dict[int, dict[str, bytes]] = field(default_factory=dict)
    """{pull request of ours: what people committed to it}."""
    renamed: str | None = None
    versions: list[str] = field(default_factory=list)
    """The versions that we released."""

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

    def write(self, path: str, content: bytes, revision: str | None = None) -> str:
        from zoo.remote import api

        options: dict[str, Any] = {"repo_id": self.repo_id, "repo_type": self.kind, "revision": revision}
        return str(api().upload_file(path_or_fileobj=content, path_in_repo=path, **options).oid)

    def card(self) -> str | None:
        return self.read(CARD).decode() if CARD in self.tree() else None


@dataclass
class People(ABC):
    """Everybody but us. What fails is raised as an AssertionError."""

    account: str
    rng: random.Random
    names: dict[str, Place] = field(default_factory=dict)
    collected: dict[str, str] = field(default_factory=dict)
    """{what: text that people gave it} of the collection: its title, its description, and the note beside an id."""
    version: int = 1
    count: int = 0

    def __post_init__(self) -> None:
        self.names = {name: Place(name, self.account) for name in NEEDS}

    @property
    def people(self) -> list[Callable[[Place], str]]:
        """What people do."""
        return [
            self.add_file, self.delete_file, self.rename_file, self.write_line, self.write_line, self.edit_version,
            self.edit_ours, self.delete_ours, self.move_ours, self.take_our_next_name, self.tag_card, self.add_result,
            self.save_crlf, self.save_bom, self.delete_card, self.write_changelog, self.write_our_entry,
            self.delete_changelog, self.delete_record, self.retitle, self.curate, self.drop_collection,
            self.merge_pull_request, self.work_on_pull_request, self.close_pull_request, self.rename_repository,
            self.show, self.tag, self.branch_off,
        ]  # fmt: skip

    def nothing_lost(self, place: Place) -> None:
        """Check that people's files are there as they left them, and their lines in what others write too."""
        tree = place.tree()
        for path, content in place.files.items():
            assert path in tree, f"{place.name}: '{path}' of a person is gone"
            assert place.read(path) == content, f"{place.name}: '{path}' of a person has another content"
        for path, lines in place.lines.items():
            there = place.read(path).decode() if path in tree else ""
            assert not (lost := [line for line in lines if line not in there]), f"{place.name}, {path}: lost {lost}"
        for number, files in place.proposed.items():
            for path, content in files.items():
                assert place.read(path, f"refs/pr/{number}") == content, f"{place.name} #{number}: '{path}'"
        if place.branches:
            from zoo.remote import api

            refs = api().list_repo_refs(place.repo_id, repo_type=place.kind)
            heads = {one.name: one.target_commit for one in refs.branches}
            assert place.branches.items() <= heads.items(), f"{place.name}: a person's branch is another"

    def collection_kept(self) -> None:
        """Check that the collection has the texts that people gave it."""
        from zoo.remote import api

        for one in self._collections() if self.collected else []:
            found = api().get_collection(one.slug)
            notes = {item.item_id: item.note for item in found.items}
            there = {"title": found.title, "description": found.description, **notes}
            assert self.collected.items() <= there.items(), f"the collection: {self.collected} became {there}"

    def word(self) -> str:
        self.count += 1
        return f"word{self.count}-{self.rng.randrange(10**6)}"

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
        if (text := place.card()) is None:
            return "nothing"
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
        text = place.card() or ""
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

        if not (place.card() or BOM).startswith("---"):
            return "nothing"
        tag = self.word()
        tags = [*place.tags, tag]
        metadata_update(place.repo_id, {"tags": tags}, repo_type=place.kind, overwrite=True)
        place.tags = tags
        place.lines.setdefault(CARD, set()).add(tag)
        return tag

    def add_result(self, place: Place) -> str:
        from huggingface_hub import metadata_update

        if place.kind != "model" or not (place.card() or BOM).startswith("---"):
            return "nothing"
        word = self.word()
        metric = {"type": "cosine_spearman", "value": 0.5, "name": word}
        result = {"task": {"type": "STS"}, "dataset": {"name": word, "type": f"lab/{word}"}, "metrics": [metric]}
        metadata_update(place.repo_id, {"model-index": [{"name": place.name, "results": [result]}]}, overwrite=True)
        place.lines.setdefault(CARD, set()).add(word)
        return word

    def save_crlf(self, place: Place) -> str:
        if CARD not in place.tree():
            return "nothing"
        place.write(CARD, place.read(CARD).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        return "saved"

    def save_bom(self, place: Place) -> str:
        text = place.card()
        if text is None or text.startswith(BOM):
            return "nothing"
        place.write(CARD, f"{BOM}{text}".encode())
        return "saved"

    def delete_card(self, place: Place) -> str:
        return self._delete(place, CARD)

    def delete_changelog(self, place: Place) -> str:
        return self._delete(place, CHANGELOG)

    def delete_record(self, place: Place) -> str:
        from zoo.publish.desired.release import MANIFEST, RENDERED

        return self._delete(place, self.rng.choice([MANIFEST, RENDERED]))

    def _delete(self, place: Place, path: str) -> str:
        from zoo.remote import api

        if path not in place.tree():
            return "nothing"
        api().delete_file(path, place.repo_id, repo_type=place.kind)
        place.lines.pop(path, None)
        place.files.pop(path, None)
        if path == CARD:
            place.tags = []
        return path

    def move_ours(self, place: Place) -> str:
        """Give a file of ours another name: it is theirs then."""
        from huggingface_hub import CommitOperationCopy, CommitOperationDelete

        from zoo.remote import api

        old = self.rng.choice([CONFIG, "w.bin"])
        if old not in place.tree():
            return "nothing"
        new = f"moved/{self.word()}-{old}"
        place.files[new] = place.read(old)
        place.files.pop(old, None)
        changes = [CommitOperationCopy(old, new), CommitOperationDelete(old)]
        api().create_commit(place.repo_id, changes, commit_message="moved", repo_type=place.kind)
        return f"{old} -> {new}"

    def show(self, place: Place) -> str:
        """Let everybody, or only some, read it."""
        from zoo.remote import api

        gates: list[Any] = ["auto", "manual", False]
        choices = [{"private": one} for one in (True, False)]
        chosen = self.rng.choice(choices if place.kind == "space" else [*choices, *({"gated": one} for one in gates)])
        api().update_repo_settings(place.repo_id, repo_type=place.kind, **chosen)
        return str(chosen)

    def tag(self, place: Place) -> str:
        """Tag the head as people do, some like a version."""
        from zoo.remote import api

        shapes = ["v0.{}.0", "v1.{}.7", "{}.0.0", "v{}", "v1.{}", "before-{}", "v1.{}.0-beta.1"]
        name = self.rng.choice(shapes).format(self.rng.randrange(9))
        api().create_tag(place.repo_id, tag=name, repo_type=place.kind, exist_ok=True)
        return name

    def branch_off(self, place: Place) -> str:
        from zoo.remote import api

        name = self.rng.choice(["dev", "people/try", "zoo"]) + f"-{self.word()}"
        api().create_branch(place.repo_id, branch=name, repo_type=place.kind)
        place.branches[name] = place.write(CARD, self.word().encode(), revision=name)
        return name

    def write_changelog(self, place: Place) -> str:
        there = place.read(CHANGELOG).decode() if CHANGELOG in place.tree() else ""
        line = f"- A person changed {self.word()}."
        shape = self.rng.choice(["{line}\n\n{there}", "{there}\n{line}\n", "# What is new\n\n{line}\n{there}"])
        if self.rng.random() < 0.3:  # written anew, without what was there
            place.lines.pop(CHANGELOG, None)
            there = ""
        text = shape.format(line=line, there=there)
        ends = self.rng.choice(["\n", "\n", "\r\n"])
        place.write(CHANGELOG, text.replace("\r\n", "\n").replace("\n", ends).encode())
        place.lines.setdefault(CHANGELOG, set()).add(line)
        return line

    def write_our_entry(self, place: Place) -> str:
        """Announce the version that we would release next."""
        there = place.read(CHANGELOG).decode() if CHANGELOG in place.tree() else "# Changelog\n"
        heading = self.rng.choice(["## v{}", "## [{}] - 2026-11-30", "### Version {}"]).format(
            f"1.{len(place.versions) + 1}.0"
        )
        line = f"- A person announced {self.word()}."
        place.write(CHANGELOG, f"{there}\n{heading}\n\n{line}\n".encode())
        place.lines.setdefault(CHANGELOG, set()).add(line)
        return heading

    def _collections(self) -> list[Any]:
        from zoo.remote import api

        return list(api().list_collections(owner=self.account))

    def retitle(self, _place: Place) -> str:
        from zoo.remote import api

        for one in self._collections():
            what = self.rng.choice(["title", "description"])
            self.collected[what] = f"Our models, {self.word()}"
            api().update_collection_metadata(one.slug, **{what: self.collected[what]})  # type: ignore[arg-type]
            return self.collected[what]
        return "nothing"

    def drop_collection(self, _place: Place) -> str:
        from zoo.remote import api

        for one in self._collections():
            api().delete_collection(one.slug)
            self.collected.clear()
            return one.slug
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
                self.collected.pop(place.repo_id, None)
                return "taken out"
            self.collected[place.repo_id] = f"noted by a person, {self.word()}"
            api().update_collection_item(found.slug, item.item_object_id, note=self.collected[place.repo_id])
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
        place.files.update(place.proposed.pop(number, {}))
        return f"{place.name} #{number}"

    def work_on_pull_request(self, _place: Place) -> str:
        """Commit to a pull request, call it something else, or say something there."""
        from zoo.remote import api

        found = self._pull_request()
        if found is None:
            return "nothing"
        place, number = found
        where: dict[str, Any] = {"repo_id": place.repo_id, "repo_type": place.kind, "discussion_num": number}
        act = self.rng.choice(["commit", "commit", "rename", "comment"])
        if act == "rename":
            api().rename_discussion(new_title=f"Of people, {self.word()}", **where)
        elif act == "comment":
            api().comment_discussion(comment=self.word(), **where)
        else:
            path, content = f"notes-{self.word()}.txt", self.word().encode()
            place.write(path, content, revision=f"refs/pr/{number}")
            place.proposed.setdefault(number, {})[path] = content
        return f"{act} at {place.name} #{number}"

    def close_pull_request(self, _place: Place) -> str:
        from zoo.remote import api

        found = self._pull_request()
        if found is None:
            return "nothing"
        place, number = found
        api().change_discussion_status(place.repo_id, number, "closed", repo_type=place.kind)
        place.proposed.pop(number, None)
        return f"{place.name} #{number}"

    def rename_repository(self, place: Place) -> str:
        """Rename it: what is published meanwhile must not make a second one. Renamed back at the next turn."""
        from zoo.remote import api

        new = f"{self.account}/{place.name}-{self.word()}"
        api().move_repo(place.repo_id, new, repo_type=place.kind)
        place.renamed = new
        said = self.told_of_renaming(place)
        assert new in said, said
        assert api().repo_info(place.repo_id, repo_type=place.kind).id == new, "another one was made"
        api().move_repo(new, place.repo_id, repo_type=place.kind)
        place.renamed = None
        return f"to {new} and back"

    @abstractmethod
    def told_of_renaming(self, place: Place) -> str:
        """Return what we say of a repository that goes by another name."""
