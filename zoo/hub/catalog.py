"""Which repositories fit a search, and in which order? Answered by SQL from one row for each, a page at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zoo.hub import cards, history, info, repos
from zoo.hub.accounts import User
from zoo.hub.errors import RefusalError, bad_request
from zoo.hub.info import Head
from zoo.hub.objects import Objects
from zoo.hub.repos import MAIN, Repo

# What lists can be sorted by. Downloads are not counted here: those repositories are all alike, the newest first.
SORTS = {
    "createdAt": "created",
    "lastModified": "changed",
    "likes": "likes",
    "downloads": "created",
    "trendingScore": "created",
}
_MOST = 100  # words and tags that are looked for; SQLite refuses a thousand
_NEWEST = 300  # repositories whose tags are offered to filter by


@dataclass(frozen=True)
class Search:
    """The conditions on a list of repositories of a kind; None and empty stand for no condition.

    Args:
        words: pieces of the name, in letters of either case; all must be there.
        tags: tags, or what follows the colon of one, or `language:` and a tag; all must be there.
    """

    kind: str
    author: str = ""
    words: Sequence[str] = ()
    tags: Sequence[str] = ()
    pipeline_tag: str | None = None
    gated: bool | None = None


@dataclass(frozen=True)
class Listed:
    """A repository in a list: what its card says, and the value that it was sorted by."""

    repo: Repo
    head: Head
    rank: str | int


def search(
    db: sqlite3.Connection,
    user: User | None,
    wanted: Search,
    *,
    limit: int,
    sort: str = "createdAt",
    ascending: bool = False,
    after: tuple[str | int, int] | None = None,
) -> list[Listed]:
    """The first `limit` repositories that fit and that the user (None: anybody) may see.

    Args:
        sort: one of `SORTS`.
        after: the `rank` of a repository and its `Repo.id`: begin behind it.
    """
    column = SORTS[sort]
    conditions = [*_conditions(wanted), _visible(user)]
    if any(wanted.tags) or wanted.pipeline_tag is not None:  # what a card says is for who may read it
        conditions.append(_readable(user))
    if after:
        sign = ">" if ascending else "<"
        conditions.append((f"(catalog.{column}, catalog.repo) {sign} (?, ?)", after))
    order = "ASC" if ascending else "DESC"
    query = f"""SELECT repos.*, card, changed, head, catalog.likes, catalog.{column} AS rank
        FROM catalog JOIN repos ON repos.id = catalog.repo WHERE {" AND ".join(text for text, _ in conditions)}
        ORDER BY catalog.{column} {order}, catalog.repo {order} LIMIT ?"""  # noqa: S608  (our own words only)
    rows = db.execute(query, [*(value for _, values in conditions for value in values), limit])
    return [_listed(row) for row in rows.fetchall()]


def tags(db: sqlite3.Connection, kind: str) -> list[str]:
    """All tags of repositories of a kind that everybody may read, sorted."""
    query = """SELECT DISTINCT tag FROM catalog_tags AS tags JOIN repos ON repos.id = tags.repo
        WHERE whole AND kind = ? AND NOT private AND gated = '' ORDER BY tag"""
    return [row["tag"] for row in db.execute(query, (kind,))]


def newest_tags(db: sqlite3.Connection, kind: str) -> list[str]:
    """The tags, sorted, of the newest repositories of a kind that everybody may read: what a list can be filtered by.

    Only so many are looked at that a page with them takes no longer in a full store.
    """
    query = """SELECT DISTINCT tag FROM catalog_tags WHERE whole AND repo IN (
        SELECT repo FROM catalog JOIN repos ON repos.id = repo WHERE catalog.kind = ? AND NOT private AND gated = ''
        ORDER BY catalog.created DESC LIMIT ?) ORDER BY tag"""
    return [row["tag"] for row in db.execute(query, (kind, _NEWEST))]


def refresh(db: sqlite3.Connection, objects: Objects) -> None:
    """Bring the rows of all repositories up to date that a transaction has changed; called before it ends."""
    for row in db.execute("SELECT stale.repo FROM stale JOIN repos ON repos.id = stale.repo").fetchall():
        _record(db, objects, repos.get(db, row["repo"]))
    db.execute("DELETE FROM stale")


def refresh_all(db: sqlite3.Connection) -> None:
    """Note that the rows of all repositories are to be made anew."""
    db.execute("INSERT OR IGNORE INTO stale SELECT id FROM repos")


def _record(db: sqlite3.Connection, objects: Objects, repo: Repo) -> None:
    commit = repos.target(db, repo, MAIN)
    found = history.get(db, repo, commit) if commit else None
    data = _card(db, objects, found.tree) if found else {}
    likes = db.execute("SELECT count(*) FROM likes WHERE repo = ?", (repo.id,)).fetchone()[0]
    pipeline = data.get("pipeline_tag")
    pipeline = pipeline if isinstance(pipeline, str) else None
    changed = found.date if found else repo.modified
    row = (repo.id, repo.kind, repo.created, changed, likes, pipeline, commit, json.dumps(data))
    db.execute("INSERT OR REPLACE INTO catalog VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.execute("DELETE FROM catalog_tags WHERE repo = ?", (repo.id,))
    spelled = {tag.partition(":")[2]: 0 for tag in cards.tags(data)} | dict.fromkeys(cards.tags(data), 1)
    db.executemany("INSERT INTO catalog_tags VALUES (?, ?, ?)", ((repo.id, *tag) for tag in spelled.items() if tag[0]))


def _card(db: sqlite3.Connection, objects: Objects, tree: str) -> Mapping[str, object]:
    try:
        return info.card(db, objects, tree).data
    except RefusalError:  # a store that lost an object can still be written to
        return {}


def _conditions(wanted: Search) -> list[tuple[str, Sequence[str | int]]]:
    found: list[tuple[str, Sequence[str | int]]] = [("catalog.kind = ?", (wanted.kind,))]
    words, tags = (dict.fromkeys(filter(None, texts)) for texts in (wanted.words, wanted.tags))
    if len(words) + len(tags) > _MOST:
        raise bad_request(
            f"a search may have at most {_MOST} words and tags, and this one has {len(words) + len(tags)}"
        )
    if wanted.author:
        found.append(("repos.name BETWEEN ? AND ?", (f"{wanted.author}/", f"{wanted.author}0")))  # "0" follows "/"
    found += [("instr(lower(repos.name), ?)", (word.lower(),)) for word in words]
    found += [_tagged(tag) for tag in tags]
    if wanted.pipeline_tag is not None:
        found.append(("pipeline_tag = ?", (wanted.pipeline_tag,)))
    if wanted.gated is not None:
        found.append(("(repos.gated <> '') = ?", (wanted.gated,)))
    return found


def _tagged(tag: str) -> tuple[str, Sequence[str]]:
    tagged = "catalog.repo IN (SELECT repo FROM catalog_tags WHERE tag = ? {})"
    language = tag.removeprefix("language:")
    if language == tag:
        return tagged.format(""), (tag,)
    return f"({tagged.format('')} OR {tagged.format('AND whole')})", (tag, language)


def _visible(user: User | None) -> tuple[str, Sequence[str]]:
    """The condition that `access.may_see` checks for one repository."""
    theirs, values = _theirs(user)
    return f"(NOT private OR {theirs})", values


def _readable(user: User | None) -> tuple[str, Sequence[str]]:
    """The condition that `access.may_read` checks for one repository that the user may see."""
    theirs, values = _theirs(user)
    let_in = "repos.id IN (SELECT repo FROM access_requests WHERE user = ? AND status = 'accepted')"
    return f"(repos.gated = '' OR {theirs} OR {let_in})", (*values, user.name if user else "")


def _theirs(user: User | None) -> tuple[str, Sequence[str]]:
    mine = [user.name, *user.orgs] if user else []
    namespace = "substr(repos.name, 1, instr(repos.name, '/') - 1)"
    text = f"lower({namespace}) IN (SELECT lower(value) FROM json_each(?))"  # noqa: S608  (our own words only)
    return text, (json.dumps(mine),)


def _listed(row: sqlite3.Row) -> Listed:
    card: Mapping[str, object] = json.loads(row["card"])
    head = Head(row["head"], row["changed"], card, row["likes"])
    return Listed(repos.of_row(row), head, row["rank"])
