"""What stands above every page of a repository: its name, and tabs for what else there is of it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from zoo.hub import discussions
from zoo.hub.calls import Call
from zoo.hub.repos import Repo


@dataclass(frozen=True)
class Tab:
    """A link to a page of a repository; `count` is how many things are there, where that is known."""

    name: str
    href: str
    is_current: bool
    count: int | None = None


@dataclass(frozen=True)
class Heading:
    """A repository, the revision that is looked at, and the tabs of its pages."""

    repo: Repo
    revision: str
    tabs: list[Tab]

    @property
    def path(self) -> str:
        """The path of the repository as it stands in addresses."""
        return quote(self.repo.web_path)


def heading(call: Call, repo: Repo, current: str, revision: str = "main") -> Heading:
    """The heading of a page of `repo` at a revision; `current` is the name of the tab that it belongs to."""
    path, at = quote(repo.web_path), quote(revision, safe="")
    hrefs = {"Card": path, "Rows": f"{path}/viewer", "Files": f"{path}/tree/{at}", "Commits": f"{path}/commits/{at}"}
    if repo.kind != "dataset":
        del hrefs["Rows"]
    talks = discussions.newest(call.db, repo, limit=0)[1]
    tabs = [Tab(name, href, name == current) for name, href in hrefs.items()]
    return Heading(repo, revision, [*tabs, Tab("Community", f"{path}/discussions", current == "Community", talks)])
