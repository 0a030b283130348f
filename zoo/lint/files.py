"""The files of a repository, wherever they are: listed with their sizes, read only when a rule asks.

A large file is never read whole.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from zoo.errors import ZooError
from zoo.remote import Kind, api, explained

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MOST_BYTES = 5_000_000  # of a text; anything longer is not read
MOST_FILES = 100_000
GITIGNORE = ".gitignore"
TOOLS = {".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox"}
SNAPSHOT = re.compile(r"/snapshots/[0-9a-f]{40}(/|$)")  # huggingface_hub's cache is symlinks to its blobs


class File(Protocol):
    """A file of a repository, wherever it is."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    def head(self, count: int, start: int = 0) -> bytes:
        """Return at most `count` bytes from `start`; from the end when `start` is negative."""


Files = Mapping[str, File]


@dataclass(frozen=True)
class Stored:
    """A file on this disk. `link`: a symbolic link that leaves the folder, or no plain file; it is not read."""

    path: Path
    size: int
    link: bool = False

    def head(self, count: int, start: int = 0) -> bytes:
        """Return at most `count` bytes from `start`; none of a link.

        Raises:
            ZooError: it cannot be read, or is gone since it was listed.
        """
        if self.link:
            return b""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.size + start) if start < 0 else start)
                return file.read(count)
        except OSError as error:
            raise _unreadable(error) from None


@dataclass(frozen=True)
class Held:
    """A file in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.content)

    def head(self, count: int, start: int = 0) -> bytes:
        """Return at most `count` bytes from `start`."""
        begin = max(0, self.size + start) if start < 0 else start
        return self.content[begin : begin + count]


@dataclass(frozen=True)
class HubFile:
    """A file on the Hub: only the bytes that are asked for are fetched."""

    kind: Kind
    repo: str
    revision: str
    path: str
    size: int

    def head(self, count: int, start: int = 0) -> bytes:
        """Return at most `count` bytes from `start`; a small file is fetched whole, once.

        Raises:
            HubError: the Hub cannot be asked.
        """
        if self.size == 0:
            return b""
        begin = max(0, self.size + start) if start < 0 else start
        return self._bytes[begin : begin + count] if self.size <= MOST_BYTES else self._ranged(begin, count)

    @cached_property
    def _bytes(self) -> bytes:
        return self._ranged(0, self.size)

    def _ranged(self, start: int, count: int) -> bytes:
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        url = hf_hub_url(self.repo, self.path, repo_type=self.kind, revision=self.revision, endpoint=api().endpoint)
        headers = build_hf_headers(library_name="zoo") | {"Range": f"bytes={start}-{start + count - 1}"}
        with (
            explained(f"read '{self.path}' of {self.kind} '{self.repo}'"),
            get_session().stream("GET", url, headers=headers, follow_redirects=True) as response,
        ):
            hf_raise_for_status(response)
            skip = start if response.status_code == 200 else 0  # a server without ranges sends everything
            data = b""
            for piece in response.iter_bytes():
                data += piece
                if len(data) >= skip + count:
                    break
        return data[skip : skip + count]


def folder_files(path: Path) -> dict[str, File]:
    """Return the files below a folder that git would take; symbolic links are listed, not followed.

    `.gitignore` files count from the folder downwards: one that is named is looked at although a `.gitignore` above it
    leaves it out. Folders of tools, which hold thousands of files, are listed as one entry with a slash at its end.
    Git itself is not asked: the settings of somebody's folder can make it run their programs.

    Raises:
        ZooError: it is not a folder that can be read, or far too large for a repository.
    """
    found: dict[str, File] = {}
    ignored: dict[str, GitIgnoreSpec] = {}
    for parent, folders, names in os.walk(path, onerror=_refuse):
        here = Path(parent).relative_to(path).as_posix().removeprefix(".").lstrip("/")
        here = f"{here}/" if here else ""
        if GITIGNORE in names:
            ignored[here] = _ignore_spec(Path(parent, GITIGNORE))
        links = [name for name in folders if Path(parent, name).is_symlink()]
        taken = [name for name in folders if name not in (".git", *links) and not _left_out(f"{here}{name}/", ignored)]
        found |= {
            f"{here}{name}/": Stored(Path(parent, name), 0, link=True)
            for name in taken
            if is_tools_folder(parent, name)
        }
        folders[:] = sorted(name for name in taken if f"{here}{name}/" not in found)
        for name in sorted([*names, *links]):
            if name != ".git" and not _left_out(f"{here}{name}", ignored):
                found[f"{here}{name}"] = stored_file(Path(parent, name))
        if len(found) > MOST_FILES:
            raise ZooError(f"'{path}' has more than {MOST_FILES:,} files", hint="name the folder of one repository")
    return found


def is_tools_folder(parent: str, name: str) -> bool:
    """Return whether a folder is a virtual environment, or one that tools fill again."""
    return name in TOOLS or os.path.isfile(Path(parent, name, "pyvenv.cfg"))  # noqa: PTH113 - False where it may not look


def _ignore_spec(file: Path) -> GitIgnoreSpec:
    """Read a `.gitignore`; one that is a link or no text says nothing, as with git."""
    from pathspec import GitIgnoreSpec  # black and hatch read them with it; patterns of git are not fnmatch's

    lines = stored_file(file).head(MOST_BYTES).decode("utf-8", "replace").splitlines()
    return GitIgnoreSpec.from_lines(lines)


def _left_out(path: str, ignored: Mapping[str, GitIgnoreSpec]) -> bool:
    """Return whether git leaves a path out: the deepest `.gitignore` that speaks of it decides."""
    folders = ["", *(path[: at + 1] for at, letter in enumerate(path[:-1]) if letter == "/")]
    for folder in reversed(folders):
        said = ignored[folder].check_file(path[len(folder) :]).include if folder in ignored else None
        if said is not None:
            return said
    return False


def _refuse(error: OSError) -> None:
    raise _unreadable(error)


def _unreadable(error: OSError) -> ZooError:
    hint = "correct its permissions" if isinstance(error, PermissionError) else "try again"
    return ZooError(f"'{error.filename}' cannot be read: {error.strerror}", hint=hint)


def stored_file(path: Path) -> Stored:
    """Return a file on this disk without reading it. Links are followed only inside huggingface_hub's cache."""
    cached = bool(SNAPSHOT.search(path.absolute().as_posix()))
    try:
        info = path.stat() if cached else path.lstat()
    except OSError:  # a link that leads nowhere
        return Stored(path, 0, link=True)
    return Stored(path, info.st_size, link=not stat.S_ISREG(info.st_mode))


def held_files(contents: Mapping[str, bytes | Path]) -> dict[str, File]:
    """Return the files of what is about to be published, as a release holds them."""
    return {path: stored_file(held) if isinstance(held, Path) else Held(held) for path, held in contents.items()}


def hub_files(kind: Kind, repo_id: str, revision: str | None = None) -> tuple[dict[str, File], str]:
    """Return the listing of a repository at one commit, and its id as the Hub spells it.

    Raises:
        HubError: it is not there, or the Hub does not answer.
    """
    from huggingface_hub.hf_api import RepoFile

    with explained(f"look at {kind} '{repo_id}'"):
        info = api().repo_info(repo_id, repo_type=kind, revision=revision)
        commit = str(info.sha)
        tree = api().list_repo_tree(repo_id, repo_type=kind, revision=commit, recursive=True)
        listed = [item for item in tree if isinstance(item, RepoFile)]
    return {item.path: HubFile(kind, info.id, commit, item.path, item.size) for item in listed}, info.id
