"""Who is asking, and what may they do? Users, organisations and tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
import string
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.hub.database import timestamp

_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
ROLES = ("write", "read")
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class User:
    """An account, its organisations, and the role of the token that it came with."""

    name: str
    fullname: str
    orgs: tuple[str, ...]
    role: str

    def belongs_to(self, namespace: str) -> bool:
        """True when `namespace` is this user or one of their organisations: enough to read what is private there."""
        return namespace.lower() in (self.name.lower(), *(org.lower() for org in self.orgs))

    def may_write_to(self, namespace: str) -> bool:
        """True when the token may write, and `namespace` is this user or one of their organisations."""
        return self.role == "write" and self.belongs_to(namespace)


def is_name(text: str) -> bool:
    """True when an account or a repository may have this name."""
    return bool(_NAME.fullmatch(text)) and not text.endswith((".git", ".lock", "."))


def _digest(token: str) -> str:
    """The sha256 of a token (64 hex digits), the only form in which tokens are kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def add(db: sqlite3.Connection, name: str, *, fullname: str | None = None, is_org: bool = False) -> None:
    """Add an account. When it is there already, only a new `fullname` makes a difference.

    Raises:
        ValueError: an account cannot have this name.
    """
    if not is_name(name):
        raise ValueError(f"'{name}' is not a name for an account")
    db.execute(
        "INSERT INTO accounts (name, fullname, is_org) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (name, fullname or name, is_org),
    )
    if fullname:
        db.execute("UPDATE accounts SET fullname = ? WHERE name = ?", (fullname, name))


def join(db: sqlite3.Connection, user: str, orgs: Sequence[str]) -> None:
    """Make the user a member of `orgs`, which are added where they are missing."""
    for org in orgs:
        add(db, org, is_org=True)
        db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (user, org))


def new_token() -> str:
    """A token that nobody can guess, of the form of the real ones, so that whatever looks for those finds it too."""
    return "hf_" + "".join(secrets.choice(_LETTERS) for _ in range(34))


def add_token(db: sqlite3.Connection, user: str, token: str, role: str) -> None:
    """Record that a token belongs to a user.

    Raises:
        ValueError: no such user, or the role is not one of `ROLES`.
    """
    if role not in ROLES:
        raise ValueError(f"a token's role is one of {ROLES}, not '{role}'")
    if not exists(db, user):
        raise ValueError(f"no user '{user}' on this Hub")
    db.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?)", (_digest(token), user, role, timestamp()))


def exists(db: sqlite3.Connection, name: str) -> bool:
    """True when there is a user or an organisation of this name, in letters of either case."""
    return db.execute("SELECT 1 FROM accounts WHERE name = ?", (name,)).fetchone() is not None


def fullname(db: sqlite3.Connection, name: str) -> str:
    """The full name of an account; `name` itself when there is no such account."""
    row = db.execute("SELECT fullname FROM accounts WHERE name = ?", (name,)).fetchone()
    return str(row["fullname"]) if row else name


def private_by_default(db: sqlite3.Connection, name: str) -> bool:
    """True when new repositories of this account are private unless their creator says otherwise."""
    row = db.execute("SELECT private_by_default FROM accounts WHERE name = ?", (name,)).fetchone()
    return bool(row and row["private_by_default"])


def of_token(db: sqlite3.Connection, token: str) -> User | None:
    """The owner of a token; None when this Hub did not issue it."""
    row = db.execute("SELECT user, role FROM tokens WHERE sha256 = ?", (_digest(token),)).fetchone()
    return named(db, row["user"], role=row["role"]) if row else None


def named(db: sqlite3.Connection, name: str, *, role: str = "read") -> User | None:
    """The user of this name, as if they had come with a token of this role; None when there is none."""
    row = db.execute("SELECT name, fullname FROM accounts WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    orgs = db.execute("SELECT org FROM members WHERE user = ? ORDER BY org", (row["name"],))
    return User(row["name"], row["fullname"], tuple(org["org"] for org in orgs), role)
