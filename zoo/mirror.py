"""Brings a repository of another Hub, or a folder, into a local Hub's store, under its real id and commit.

The door of a registry without a network: whoever pins a commit gets the same bytes here.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from sqlite3 import DatabaseError
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from zoo.errors import HubError
from zoo.publish.desired.digests import of_file
from zoo.remote import Kind, api, explained, listed_id
from zoo.say import SILENT, Progress

if TYPE_CHECKING:
    from zoo.hub.store import Store

WORKERS = 8  # files that are fetched together: most of it is waiting
TITLE = "import"  # of the commits that imports make
ARRIVING = "imports"  # in the store's folder: what has arrived of imports that were cut off
COMMIT = re.compile(r"[0-9a-f]{40}")
LARGE = 64  # hex digits of the name of a large file's content, sha256 or Xet's; git's has 40
CONTENT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
UNWANTED = {".git", ".cache", "__pycache__"}  # of a folder: what tools leave there


@dataclass(frozen=True)
class Snapshot:
    """The files of a repository at one commit, as somebody else lists them."""

    kind: Kind
    id: str
    commit: str | None
    """40 hex; None: a folder that says nothing of where it comes from, so that git's own id is taken."""
    listed: Mapping[str, str | None]
    """{path: git id of a small file, or sha256 of a large one}; None: nobody says."""
    large: frozenset[str] | None = None
    """Paths of the files that are kept as large ones; None: by the rules of `.gitattributes`."""
    refs: tuple[str, ...] = ("refs/heads/main",)
    """Full names of the branches and tags that stand for this commit."""
    created: datetime | None = None
    private: bool = False
    """Whether strangers may not read it there: it is private or gated."""
    sdk: str | None = None
    size: int = 0
    """Bytes of all files."""


@dataclass(frozen=True)
class Imported:
    """The outcome of an import."""

    kind: Kind
    id: str
    commit: str
    files: int
    bytes: int
    added: bool
    """False: the store had it already."""
    private: bool
    """Whether strangers may not read it where it comes from; here everybody may."""
    refs: tuple[str, ...]
    """Full names of the branches and tags that stand for the commit."""


def import_repository(
    root: Path, kind: Kind, repo_id: str, *, revision: str | None = None, progress: Progress = SILENT
) -> Imported:
    """Fetch a commit of a repository from the Hub in use into the store in `root`, which is made when missing.

    Every byte is checked against what that Hub lists. Cut off, a repeat fetches only what is missing.

    Args:
        revision: a branch, a tag or a commit; None: main.

    Raises:
        HubError: that Hub cannot be asked, its bytes are not what it lists, or the store has other content there.
    """
    with explained(f"import {kind} '{repo_id}'"):
        found = _snapshot(kind, repo_id, revision)
    _check(found, repo_id)
    _refuse_others(root, found)
    place = root / ARRIVING / f"{kind}-{found.commit}"
    with _room(), _alone(place):
        if known := _known(root, found):
            return known
        with explained(f"import {kind} '{repo_id}'"):
            files = _gathered(found, partial(_fetched, found, place), progress)
        made = _kept(root, found, files)
        shutil.rmtree(place, ignore_errors=True)
        return made


def import_folder(
    root: Path, kind: Kind, repo_id: str, folder: Path, *, revision: str | None = None, progress: Progress = SILENT
) -> Imported:
    """Take the files of a folder as a repository's commit into the store in `root`, which is made when missing.

    In a client's cache (`snapshots/COMMIT`) files are links whose targets are named by their content: those are
    checked, and the commit is the folder's name.

    Args:
        revision: the commit to know it by, 40 hex; None: the folder's name when it is one, else git's own id.

    Raises:
        HubError: it is no folder, has no files or damaged ones, or the store has other content there.
    """
    if not folder.is_dir():
        raise HubError(f"'{folder}' is no folder", hint="--from takes a folder, or the URL of a Hub")
    if revision and not COMMIT.fullmatch(revision):
        raise HubError(f"'{revision}' is not a commit of 40 hex digits", hint="a folder has no branches or tags")
    paths = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    if not paths:
        raise HubError(f"'{folder}' has no files", hint="name the folder that holds the repository's README.md")
    commit = revision or (folder.resolve().name if COMMIT.fullmatch(folder.resolve().name) else None)
    listed = {path: _content_named(place) for path, place in paths.items()}
    size = sum(place.stat().st_size for place in paths.values())
    found = Snapshot(kind, repo_id, commit, listed, _large(listed), size=size)
    _check(found, repo_id)
    for path, place in paths.items():
        _refuse_pointer(path, place)
    _refuse_others(root, found)
    with _room():
        return _kept(root, found, _gathered(found, lambda path, _again: paths[path], progress))


def _snapshot(kind: Kind, repo_id: str, revision: str | None) -> Snapshot:
    from huggingface_hub.hf_api import RepoFile

    from zoo.hub.repos import is_ref

    info: Any = api().repo_info(repo_id, repo_type=kind, revision=revision)
    options: dict[str, Any] = {"repo_type": kind, "revision": info.sha, "recursive": True}
    files = [one for one in api().list_repo_tree(repo_id, **options) if isinstance(one, RepoFile)]
    refs = api().list_repo_refs(repo_id, repo_type=kind)
    return Snapshot(
        kind,
        info.id,
        info.sha,
        {one.path: listed_id(one) for one in files},
        frozenset(one.path for one in files if one.lfs),
        tuple(one.ref for one in (*refs.branches, *refs.tags) if one.target_commit == info.sha and is_ref(one.ref)),
        info.last_modified,
        bool(info.private or getattr(info, "gated", False)),
        getattr(info, "sdk", None),
        sum(one.size for one in files),
    )


def _check(found: Snapshot, asked: str) -> None:
    """Refuse what a store cannot keep, or what was not asked for, before any of it becomes a path here.

    Raises:
        HubError: the id, the commit or the path of a file is none.
    """
    from zoo.hub.accounts import is_name
    from zoo.hub.errors import RefusalError
    from zoo.hub.paths import check_path

    namespace, _, name = found.id.partition("/")
    if not (is_name(namespace) and is_name(name)):
        raise HubError(f"'{found.id}' is not the id of a repository", hint="ACCOUNT/NAME, for example lab/model")
    if found.id.lower() != asked.lower():
        raise HubError(
            f"{found.kind} '{asked}' is called '{found.id}' there", hint=f"import it by that name: {found.id}"
        )
    if found.commit is not None and not COMMIT.fullmatch(found.commit):
        raise HubError(f"'{found.commit}' is not a commit of 40 hex digits", hint="name another Hub: --from URL")
    try:
        for path in found.listed:
            check_path(path)
    except RefusalError as error:
        problem = f"{found.kind} '{found.id}' has a file that cannot be kept here: {error.message}"
        raise HubError(problem, hint="have it renamed where it comes from, or import another commit") from None


def _refuse_pointer(path: str, place: Path) -> None:
    """Refuse a file that only says where its content is: a clone without its large files has those."""
    from zoo.hub.gitobjects import MAX_POINTER, decode_pointer

    if place.stat().st_size <= MAX_POINTER and decode_pointer(place.read_bytes()):
        raise HubError(f"'{path}' is a Git LFS pointer, not the file itself", hint="run `git lfs pull` in that folder")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Wait for another import of the same commit: both would fetch into one folder."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Path(f"{place}.lock")
    with FileLock(lock):
        yield
        lock.unlink(missing_ok=True)  # whoever waits for it finds that the store has the commit


def _fetched(found: Snapshot, place: Path, path: str, again: bool) -> Path:
    fetch = partial(api().hf_hub_download, repo_type=found.kind, revision=found.commit, local_dir=place)
    return Path(fetch(found.id, path, force_download=again))


def _gathered(found: Snapshot, fetch: Callable[[str, bool], Path], progress: Progress) -> dict[str, Path]:
    """Fetch and check every file. A damaged one is fetched once more: an attempt that was cut off may have left it."""

    def checked(path: str) -> tuple[str, Path]:
        for again in (False, True):
            got, wanted = fetch(path, again), found.listed[path]
            if wanted is None or wanted in of_file(got) or wanted == _xet_hash(got):
                progress.advance(got.stat().st_size)
                return path, got
        problem = f"'{path}' of {found.kind} '{found.id}' has other bytes than its listing says"
        raise HubError(problem, hint="it is damaged where it comes from: mend it there, or import another commit")

    progress.start(f"{found.id}, bytes", found.size)
    pool = ThreadPoolExecutor(WORKERS)
    try:
        return dict(pool.map(checked, found.listed))
    finally:
        pool.shutdown(cancel_futures=True)
        progress.finish()


def _refuse_others(root: Path, found: Snapshot) -> None:
    """Refuse an id under which the store has something that did not come from an import."""
    with closing(_store(root)) as store:
        by = _made_by(store, found)
    if by is not None:
        problem = f"{found.kind} '{found.id}' is in '{root}' already, and no import put it there: '{by}'"
        raise HubError(problem, hint="take another store: --root DIR")


def _known(root: Path, found: Snapshot) -> Imported | None:
    """Return the outcome when the store has this commit already; its branches and tags are brought up to date."""
    with closing(_store(root)) as store:
        if found.commit is None or not store.has_commit(found.kind, found.id, found.commit):
            return None
        store.point(found.kind, found.id, found.commit, found.refs)
    return _imported(found, found.commit, added=False)


def _store(root: Path) -> Store:
    from zoo.hub.store import Store

    try:
        return Store(root)
    except (OSError, DatabaseError) as error:
        raise HubError(
            f"the store in '{root}' cannot be opened: {error}", hint="--root DIR names another one"
        ) from None


def _made_by(store: Store, found: Snapshot) -> str | None:
    """Return the title of the newest commit of main when something else than an import made it, else None."""
    from zoo.hub import history, repos
    from zoo.hub.store import IMPORTER

    with store.read() as db:
        repo = repos.find(db, found.kind, found.id)
        head = repos.refs(db, repo).get(repos.MAIN) if repo else None
        if repo is None or head is None:
            return None
        newest = history.get(db, repo, head)
    return None if (newest.author, newest.title) == (IMPORTER, TITLE) else newest.title


def _kept(root: Path, found: Snapshot, files: Mapping[str, Path]) -> Imported:
    from zoo.hub.errors import RefusalError

    with closing(_store(root)) as store:
        try:
            commit = store.import_commit(
                found.kind,
                found.id,
                files,
                commit_id=found.commit,
                message=TITLE,
                created=found.created,
                sdk=found.sdk,
                large=found.large,
                refs=found.refs,
            )
        except ValueError as error:
            raise HubError(str(error), hint="take another store: --root DIR") from None
        except RefusalError as error:  # a file that is a folder too, or only points to content that is nowhere
            problem = f"{found.kind} '{found.id}' cannot be kept here: {error.message}"
            raise HubError(problem, hint="it is damaged where it comes from: import another commit") from None
    return _imported(found, commit, added=True)


def _imported(found: Snapshot, commit: str, *, added: bool) -> Imported:
    return Imported(found.kind, found.id, commit, len(found.listed), found.size, added, found.private, found.refs)


def _files(folder: Path) -> list[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if not UNWANTED & set(path.relative_to(folder).parts)]


def _content_named(place: Path) -> str | None:
    """Return the id in the name of a link's target, as a client's cache has them; None: it has none."""
    name = place.resolve().name
    return name if place.is_symlink() and CONTENT.fullmatch(name) else None


def _xet_hash(place: Path) -> str:
    """Return the hash by which Xet knows a file's content; a client's cache names files by it."""
    import hf_xet

    return str(hf_xet.hash_files([str(place)])[0].hash)


def _large(listed: Mapping[str, str | None]) -> frozenset[str] | None:
    """Return the files with the names that a cache gives to large ones; None: not all files are named."""
    if None in listed.values():
        return None
    return frozenset(path for path, name in listed.items() if name and len(name) == LARGE)


@contextmanager
def _room() -> Iterator[None]:
    """Say what to do when something cannot be read, or when there is no room for what arrives."""
    try:
        yield
    except (OSError, DatabaseError) as error:
        why = str(error)
        if isinstance(error, OSError) and error.strerror:
            why = error.strerror + (f": '{error.filename}'" if error.filename else "")
        is_full = "full" in why or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        hint = f"{'make room' if is_full else 'mend it'} there and run it again: what has arrived stays"
        raise HubError(f"cannot import: {why}", hint=hint) from None
