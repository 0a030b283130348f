"""What does this Hub remember? One folder: records in SQLite, large contents in files.

Contents are on disk before the one transaction that names them, so a crash leaves at most contents nobody names.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection

from zoo.hub import accounts, catalog, gitrules, history, lineage, repos, trees
from zoo.hub.database import Database
from zoo.hub.errors import RefusalError
from zoo.hub.gitobjects import EMPTY_TREE
from zoo.hub.objects import CHUNK, Objects, make_private, read_file
from zoo.hub.paths import check_path
from zoo.hub.repos import MAIN, Repo
from zoo.hub.trees import Blob

IMPORTER = "hub-import"


class Store:
    """The folder of a Hub, made when it is missing. Several threads and processes may have it open at once."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        make_private(root)  # also one that an earlier version made for all to read
        self.root = root
        self.objects = Objects(root)
        with _alone(root):
            self._database = Database(root / "hub.db")
            (root / "hub.db").chmod(0o600)  # it holds the key that signs links
            self._derive()
        self._remembered("uuid", uuid.uuid4().hex)
        self.signing_key = bytes.fromhex(self._remembered("signing_key", secrets.token_hex(32)))

    @property
    def uuid(self) -> str:
        """The name by which clients remember what they have sent here.

        It is read anew each time: the sweep may change it while servers run.
        """
        with self.read() as db:
            return str(db.execute("SELECT value FROM meta WHERE key = 'uuid'").fetchone()["value"])

    def change_uuid(self) -> None:
        """Take another `uuid`, so that clients forget what they have sent."""
        with self.write() as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'uuid'", (uuid.uuid4().hex,))

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one unchanging state."""
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that happens whole or, when the block raises, not at all."""
        with self._database.write() as db:
            yield db
            catalog.refresh(db, self.objects)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add_user(self, name: str, *, fullname: str | None = None, orgs: Sequence[str] = ()) -> None:
        """Make sure that the user exists and is a member of `orgs`, which are created as well."""
        with self.write() as db:
            accounts.add(db, name, fullname=fullname)
            accounts.join(db, name, orgs)

    def issue_token(self, user: str, *, role: str = "write") -> str:
        """A new token. It is not kept here, only its hash: whoever loses it asks for another one.

        Raises:
            ValueError: no such user, or the role is neither "write" nor "read".
        """
        token = accounts.new_token()
        with self.write() as db:
            accounts.add_token(db, user, token, role)
        return token

    def has_commit(self, kind: str, repo_id: str, revision: str | None = None) -> bool:
        """True when the repository has this branch, tag or commit id (None: when it has a branch `main`)."""
        with self.read() as db:
            repo = repos.find(db, kind, repo_id)
            if repo is None:
                return False
            try:
                repos.resolve(db, repo, revision or MAIN)
            except RefusalError:
                return False
            return True

    def import_commit(
        self,
        kind: str,
        repo_id: str,
        files: Mapping[str, bytes | Path],
        *,
        commit_id: str | None = None,
        message: str = "import",
        author: str = IMPORTER,
        created: datetime | None = None,
        sdk: str | None = None,
        large: Collection[str] | None = None,
        refs: Collection[str] = (MAIN,),
    ) -> str:
        """Make `files` the content of `refs`, creating the repository and its namespace when they are missing.

        A second time with the same files (or the same `commit_id`) it changes nothing. A namespace made here has no
        members, so nobody can write to it through the Hub.

        Args:
            files: contents, or files to read them from, by path in the repository.
            large: paths of the files to keep as large ones, exactly as listed elsewhere. None: a default
                `.gitattributes` is added, and its rules say which.
            refs: full names of the branches and tags that stand for the commit. A new repository has a main anyway.
            commit_id: 40 hex digits to know this commit by, instead of the id git would give it.
            created: date of the commit, and of the repository when it is new. With a time zone.

        Returns:
            The id of the commit.

        Raises:
            ValueError: `kind`, `repo_id`, `commit_id` or a path is malformed, or `commit_id` is taken by other files.
        """
        _check_import(kind, repo_id, files, commit_id)
        blobs = self._staged(files, large)
        with self.write() as db:
            repo = repos.find(db, kind, repo_id) or _new_repo(db, kind, repo_id, created, sdk)
            trees.save(db, blobs.values(), self.objects)
            tree = trees.edit(db, EMPTY_TREE, {path: blob.oid for path, blob in blobs.items()})
            known = _already(db, repo, tree, commit_id)
            if known:
                return known
            head = repos.target(db, repo, MAIN)
            parents = [head] if head and MAIN in refs else []
            new = history.record(
                db, repo, tree=tree, parents=parents, title=message, author=author, date=created, oid=commit_id
            )
            for ref in refs if head else {*refs, MAIN}:
                repos.point(db, repo, ref, new)
            return new

    def point(self, kind: str, repo_id: str, commit: str, refs: Collection[str]) -> None:
        """Make branches and tags, given by their full names, stand for a commit that the repository has.

        Raises:
            ValueError: there is no such repository.
        """
        with self.write() as db:
            repo = repos.find(db, kind, repo_id)
            if repo is None:
                raise ValueError(f"there is no {kind} '{repo_id}'")
            for ref in refs:
                repos.point(db, repo, ref, commit)

    def _staged(self, files: Mapping[str, bytes | Path], large: Collection[str] | None) -> dict[str, Blob]:
        if large is not None:
            return {path: self._stage(content, as_lfs=path in large) for path, content in files.items()}
        files = {".gitattributes": gitrules.DEFAULT_ATTRIBUTES, **files}
        attributes = files[".gitattributes"]
        rules = (attributes if isinstance(attributes, bytes) else attributes.read_bytes()).decode("utf-8", "replace")
        return {
            path: self._stage(content, as_lfs=_goes_to_lfs(path, content, rules)) for path, content in files.items()
        }

    def _stage(self, content: bytes | Path, *, as_lfs: bool) -> Blob:
        if as_lfs:
            chunks = _chunks(content) if isinstance(content, bytes) else read_file(content)
            return trees.lfs_blob(self.objects.add(chunks)[0], self.objects)
        return trees.stage(content if isinstance(content, bytes) else content.read_bytes(), self.objects)

    def _derive(self) -> None:
        """Make what lists are answered from, in a store of a version that did not keep it yet."""
        query = "SELECT value FROM meta WHERE key = 'derived'"
        with self.read() as db:
            if db.execute(query).fetchone():
                return
        with self.write() as db:
            if db.execute(query).fetchone() is None:  # nobody else did it meanwhile
                trees.split_all(db)
                lineage.note_all(db)
                catalog.refresh_all(db)
                db.execute("INSERT INTO meta VALUES ('derived', '1')")

    def _remembered(self, key: str, value: str) -> str:
        with self.write() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
            return str(db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()["value"])


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait for others that open the store: SQLite does not, while one makes the file or brings it up to date."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _goes_to_lfs(path: str, content: bytes | Path, attributes: str) -> bool:
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    sample = content[:512] if isinstance(content, bytes) else next(read_file(content), b"")[:512]
    return gitrules.goes_to_lfs(path, size=size, sample=sample, attributes=attributes)


def _chunks(content: bytes) -> list[bytes]:
    return [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]


def _check_import(kind: str, repo_id: str, files: Mapping[str, bytes | Path], commit_id: str | None) -> None:
    if kind not in repos.PLURALS:
        raise ValueError(f"a repository is one of {sorted(repos.PLURALS)}, not '{kind}'")
    namespace, _, name = repo_id.partition("/")
    if not (accounts.is_name(namespace) and accounts.is_name(name)):
        raise ValueError(f"'{repo_id}' is not an id of the form namespace/name")
    if commit_id is not None and not (len(commit_id) == 40 and set(commit_id) <= set("0123456789abcdef")):
        raise ValueError(f"commit id '{commit_id}' is not 40 hex digits")
    for path in files:
        try:
            check_path(path)
        except RefusalError as error:
            raise ValueError(error.message) from None


def _new_repo(db: Connection, kind: str, repo_id: str, created: datetime | None, sdk: str | None) -> Repo:
    namespace = repo_id.split("/")[0]
    if not accounts.exists(db, namespace):
        accounts.add(db, namespace, is_org=True)
    return repos.add(db, kind, repo_id, sdk=sdk, created=created)


def _already(db: Connection, repo: Repo, tree: str, commit_id: str | None) -> str | None:
    """The commit that an import would only repeat; None when there is none.

    Raises:
        ValueError: `commit_id` is taken by a commit of other files.
    """
    known = repos.target(db, repo, MAIN)
    if commit_id is not None:
        row = db.execute("SELECT 1 FROM commits WHERE repo = ? AND oid = ?", (repo.id, commit_id)).fetchone()
        known = commit_id if row else None
    if known is None or history.get(db, repo, known).tree == tree:
        return known
    if commit_id is None:
        return None
    raise ValueError(f"commit {commit_id} of {repo.name} is already here with other files")
