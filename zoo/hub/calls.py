"""What does a handler get to work with? The request with its body on disk when it is large, and who sent it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from zoo.hub import access, accounts, errors, repos
from zoo.hub.accounts import User
from zoo.hub.errors import bad_request
from zoo.hub.objects import adopt
from zoo.hub.repos import KINDS, Repo, Revision
from zoo.hub.store import Store

IN_MEMORY = 1 << 20  # bytes of a body; the rest of a larger one goes to disk as it arrives
ALL_IN_MEMORY = 32 << 20  # bytes of all bodies together; from there on all that arrives goes to disk
MAX_DOCUMENT = 8 << 20  # bytes of a body that is parsed in one piece
_MAX_FIELD = 10_000  # bytes of a field in a form, where a path may have 3,000; decoding takes seventy times as many
MAX_DEPTH = 100  # levels of objects and lists inside each other
MAX_TITLE, MAX_TEXT = 255, 65_536  # characters of what people write: a line, and a text
MAX_VALUES = 100_000  # in one piece of JSON; one of two characters takes thirty times their memory when it is parsed


@dataclass
class MemoryInUse:
    """The bytes of bodies that a process has in memory: many that never end must not fill it."""

    size: int = 0


class Body:
    """A request's body, hashed while it arrives. Call `discard` when the request is done."""

    def __init__(self, staged: Path, held: MemoryInUse) -> None:
        self._staged, self._held = staged, held
        self._file: FileIO | None = None
        self._memory = bytearray()
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The sha256 (64 hex digits) of what has arrived."""
        return self._digest.hexdigest()

    async def receive(self, request: Request, limit: int) -> None:
        """Read the body: a small one into memory, a larger one to disk while it arrives.

        Raises:
            RefusalError: 413, there are more than `limit` bytes, or the sender says so; the rest is not read.
        """
        if int(request.headers.get("content-length", "0")) > limit:  # the server has checked that it is a number
            raise _too_large(limit)
        writing: asyncio.Task[None] | None = None
        try:
            async for chunk in request.stream():
                self.size += len(chunk)
                if self.size > limit:
                    raise _too_large(limit)
                self._memory += chunk
                self._held.size += len(chunk)
                if len(self._memory) > IN_MEMORY or self._held.size > ALL_IN_MEMORY:
                    if writing:
                        await writing
                    writing = asyncio.create_task(self._write(self._taken()))  # while more arrives
                del chunk  # it would wait here for the next one
        finally:
            if writing:
                await writing
        if self._file is None:
            self._digest.update(self._memory)
        else:
            await self._write(self._taken())

    def open(self) -> BinaryIO:
        """Open the whole body for reading, from its first byte."""
        return io.BytesIO(self._memory) if self._file is None else self._staged.open("rb")

    def move_to(self, target: Path) -> None:
        """Move the body to a file on the same filesystem; it is safely on disk when this returns."""
        if self._file is None:
            self._staged.write_bytes(self._memory)
        adopt(self._staged, target)

    def discard(self) -> None:
        """Close the body and delete what of it is on disk, unless it was moved."""
        if self._file is not None:
            self._file.close()
        self._held.size -= len(self._taken())
        self._staged.unlink(missing_ok=True)

    def _taken(self) -> bytearray:
        """Take out of memory, and return, the bytes that wait there to be written."""
        taken, self._memory = self._memory, bytearray()
        return taken

    async def _write(self, content: bytearray) -> None:
        try:
            await run_in_threadpool(self._spill, content)
        finally:
            self._held.size -= len(content)

    def _spill(self, content: bytearray) -> None:
        self._file = self._file or self._staged.open("xb", buffering=0)
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) or 0 :]
        self._digest.update(content)


class Call:
    """One request on its way through a handler.

    `db` is a transaction that the router opened (for writing when the route says so) and commits when the handler
    returns; an exception undoes everything.
    """

    def __init__(
        self,
        request: Request,
        params: Mapping[str, str],
        store: Store,
        db: Connection,
        body: Body,
        *,
        public: bool = False,
    ) -> None:
        self.request, self.params, self.store, self.db, self.body = request, params, store, db, body
        self.query = request.query_params
        self.user = None if public else self._authenticate()

    # Who asks ---------------------------------------------------------------------------------------------------------
    def _authenticate(self) -> User | None:
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return None
        user = accounts.of_token(self.db, token.strip()) if scheme.lower() == "bearer" else None
        if user is None:  # not treated as anonymous: whoever sends a token expects to be known
            raise errors.invalid_token()
        return user

    def login(self, *, to_write: bool = False) -> User:
        """The user who asks. `to_write` also wants a token that may change things.

        Raises:
            RefusalError: 401, the caller sent no token; 403, the token may only read.
        """
        if self.user is None:
            raise errors.login_required()
        if to_write and self.user.role != "write":
            raise errors.forbidden("you need a write token for this")
        return self.user

    def writer(self, namespace: str, what: str = "write there") -> User:
        """The user who asks, when they may write to `namespace`.

        Raises:
            RefusalError: 401, the caller sent no token; 403, they may not, and `what` says what they wanted to do.
        """
        user = self.login()
        if not user.may_write_to(namespace):
            raise errors.forbidden(f"you need a write token of a member of '{namespace}' to {what}")
        return user

    # What is asked for ------------------------------------------------------------------------------------------------
    @property
    def kind(self) -> str:
        """The kind of repository that the path is about: model, dataset or space."""
        return KINDS[(self.params.get("kind") or "models").rstrip("/")]

    def repo(self) -> Repo:
        """The repository named in the path, also when it has been renamed since. Raises as `find_repo` does."""
        return self.find_repo(self.kind, self.params["repo"])

    def find_repo(self, kind: str, name: str) -> Repo:
        """A repository by its name of today or an earlier one.

        Raises:
            RefusalError: 404 (401 without a token), there is none, or the caller may not know of it.
        """
        repo = repos.find(self.db, kind, name)
        if repo is None or not self.may_see(repo):
            raise errors.repo_not_found(anonymous=self.user is None)
        return repo

    def may_see(self, repo: Repo) -> bool:
        """True when the repository is public, or the caller belongs to its namespace."""
        return access.may_see(repo, self.user)

    def may_read(self, repo: Repo) -> bool:
        """True when the caller may read the repository's files: it is not gated, or they were let in."""
        return access.may_read(self.db, repo, self.user)

    def readable_repo(self) -> Repo:
        """The repository named in the path, when the caller may read its files.

        Raises:
            RefusalError: as `repo`; 403 (401 without a token), it is gated and the caller was not let in.
        """
        repo = self.repo()
        if not self.may_read(repo):
            status = 403 if self.user else 401
            message = f"Access to {repo.kind} {repo.name} is restricted and you are not in the authorized list."
            raise errors.RefusalError(
                status, f"{message} Visit {self.base}{repo.web_path} to ask for access.", code="GatedRepo"
            )
        return repo

    def writable_repo(self) -> Repo:
        """The repository named in the path, when the caller may write to it. Raises as `repo` and `writer` do."""
        repo = self.repo()
        self.writer(repo.namespace, "write to this repository")
        return repo

    def revision(self, repo: Repo) -> Revision:
        """The commit that the path asks for by a branch, a tag or an id."""
        return repos.resolve(self.db, repo, self.params["rev"])

    # How it is asked --------------------------------------------------------------------------------------------------
    @property
    def base(self) -> str:
        """The address of this Hub as the caller wrote it, so that they can follow our links."""
        return f"{self.request.url.scheme}://{self.request.headers.get('host', '127.0.0.1')}"

    def flag(self, name: str) -> bool:
        """True when the query says `name=1` (or true, on, yes)."""
        return self.query.get(name, "").lower() in ("1", "true", "on", "yes")

    def number(self, name: str, default: int, *, low: int = 0, high: int = 1 << 40) -> int:
        """A query parameter that is a whole number: 400 when it is below `low` or no number, cut off at `high`."""
        text = self.query.get(name) or str(default)
        if not (text.isascii() and text.isdigit() and len(text) < 15 and int(text) >= low):
            raise bad_request(f"'{name}' must be a whole number of at least {low}, not '{text[:40]}'")
        return min(int(text), high)

    def several(self, name: str) -> list[str]:
        """All values of a query parameter, written `name=` or `name[]=`."""
        return [*self.query.getlist(name), *self.query.getlist(f"{name}[]")]

    def document(self) -> bytes:
        """The body in one piece. Only for routes that accept small ones."""
        with self.body.open() as file:
            return file.read()

    def json(self) -> Fields:
        """The body as a JSON object; an empty body counts as an empty object."""
        content = self.document()
        return Fields(parse_object(content, "the request body") if content.strip() else {})

    def form(self) -> dict[str, list[str]]:
        """The body as an HTML form: {name: values}."""
        if max(map(len, self.document().split(b"&", MAX_VALUES))) > _MAX_FIELD:
            raise errors.RefusalError(413, f"a field of the form has more than {_MAX_FIELD} bytes")
        try:
            return parse_qs(self.document().decode(), errors="strict", max_num_fields=MAX_VALUES)
        except ValueError as error:
            raise bad_request(f"the form is malformed: {error}") from None


class Fields:
    """A JSON object from outside. Each method says which type it wants, and raises a 400 when it finds another one."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, default: str | None = None, *, most: int | None = None) -> str:
        """The string at `key`, of at most `most` characters; `default`, where one is given, when there is none."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise bad_request(f"'{key}' must be a string")
        if most is not None and len(value) > most:
            raise bad_request(f"'{key}' may have at most {most} characters, and has {len(value)}: shorten it")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """The whole number at `key`, from 0 up to 2^50."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 50:
            raise bad_request(f"'{key}' must be a whole number from 0 on")
        return value

    def flag(self, key: str) -> bool:
        """The truth value at `key`; false when there is none."""
        value = self.values.get(key) or False
        if not isinstance(value, bool):
            raise bad_request(f"'{key}' must be true or false")
        return value

    def fields(self, key: str) -> Fields:
        """The object at `key`."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise bad_request(f"'{key}' must be an object")
        return Fields(value)

    def list(self, key: str) -> list[Fields]:
        """The list of objects at `key`; empty when there is none."""
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise bad_request(f"'{key}' must be a list of objects")
        return [Fields(item) for item in value]

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of strings at `key`; empty when there is none."""
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise bad_request(f"'{key}' must be a list of strings")
        return tuple(value)


def _too_large(limit: int) -> errors.RefusalError:
    return errors.RefusalError(413, f"a request body may have at most {limit} bytes here")


def _finite(text: str) -> float:
    """The number that `text` says. Python also reads NaN and 1e999, which no answer in JSON could hold.

    Raises:
        ValueError: it is not finite.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    return number


def parse_object(content: bytes, what: str) -> dict[str, object]:
    """The JSON object in `content`, of which every part can be written down again, as UTF-8 and as JSON.

    Raises:
        RefusalError: 400 or 413, it is malformed, too deep or too large; the message calls it `what`.
    """
    marks = {sign: content.count(sign) for sign in (b",", b"[", b"{")}
    if sum(marks.values()) > MAX_VALUES:
        raise errors.RefusalError(413, f"{what} has too many values; send files in base64, or through LFS")
    if len(content) > MAX_DOCUMENT and not content.isascii():  # one wide character makes all of them four bytes wide
        raise errors.RefusalError(413, f"{what} is a long text; send it in base64, or through LFS")
    try:
        # Decoded here: by itself, `json` would guess UTF-16, and let halves of surrogate pairs pass.
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_finite, parse_float=_finite)
        if b"\\u" in content:  # an escape can smuggle in half a surrogate pair, which SQLite and UTF-8 refuse
            _check_texts(value)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"{what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise bad_request(f"{what} must be a JSON object")
    if marks[b"["] + marks[b"{"] > MAX_DEPTH and _is_deep(value):
        raise bad_request(f"{what} is nested more than {MAX_DEPTH} times")
    return value


def _check_texts(value: object) -> None:
    """See that every text in a JSON value can be written as UTF-8, one by one: all in one piece take much memory.

    Raises:
        ValueError: one has half a surrogate pair.
        RecursionError: lists and objects are nested too deeply.
    """
    if isinstance(value, str):
        value.encode()
    if isinstance(value, dict):
        for key in value:
            key.encode()
    for inner in _inside(value):
        _check_texts(inner)


def _is_deep(value: object) -> bool:
    """True when lists and objects are nested more than `MAX_DEPTH` times: too deep to be surely written again."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
