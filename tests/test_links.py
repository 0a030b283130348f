"""Every link of every published card and page of the local Hub leads somewhere, and few lead away from it."""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2
from conftest import RECIPE, SCALE, Begin, Lab, fill_with_miniature

OUTSIDE = {
    # papers, and the works that rows come from
    "arxiv.org",
    "aclanthology.org",
    "nlp.stanford.edu",
    "cims.nyu.edu",
    "ixa2.si.ehu.eus",
    # licences
    "creativecommons.org",
    # documentation, and where zoo itself is
    "github.com",
    "sbert.net",
    "huggingface.github.io",
}
"""Hosts that a card or a page may lead to."""
LINK = re.compile(r"""<(?:a|img|link|source|form|script)\b[^>]*?\s(?:href|src|action)=["']([^"']*)["']""")
LARGE = ("/resolve/", "/raw/")


def links(html: str) -> Iterator[str]:
    """Return every address that a page names as a link, a picture or a file of its own."""
    return (unescape(found) for found in LINK.findall(html))


def shape(address: str) -> str:
    """Return what many addresses have in common: pages and orders of a list, splits, files of past commits."""
    return re.sub(r"/(?:(viewer)|(tree|blob|resolve|raw|commits?)/[0-9a-f]{40}).*", r"/\1\2", urlsplit(address).path)


def crawl(start: str, token: str | None = None) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return {address that does not answer: pages that lead there} and {address elsewhere: pages that lead there}.

    Of addresses of one shape, the first is followed.
    """
    here = urlsplit(start).netloc
    headers = {"accept": "text/html", **({"authorization": f"Bearer {token}"} if token else {})}
    dead: dict[str, set[str]] = {}
    away: dict[str, set[str]] = {}
    seen, left = {shape(start)}, deque([(start, start)])
    with httpx2.Client(headers=headers, timeout=60) as client:
        while left:
            address, origin = left.popleft()
            only_asked = any(part in address for part in LARGE)
            answer = client.request("HEAD" if only_asked else "GET", address, follow_redirects=True)
            if answer.status_code != 200:
                dead.setdefault(address, set()).add(origin)
            if only_asked or "text/html" not in answer.headers.get("content-type", ""):
                continue
            for link in links(answer.text):
                whole = urldefrag(urljoin(str(answer.url), link)).url
                parts = urlsplit(whole)
                if parts.scheme not in ("http", "https"):
                    continue
                if parts.netloc != here:
                    away.setdefault(whole, set()).add(address)
                elif shape(whole) not in seen:
                    seen.add(shape(whole))
                    left.append((whole, address))
    return dead, away


def test_every_link_resolves_and_few_lead_away(
    lab: Lab, once: Callable[..., Path], begin: Begin, tmp_path: Path
) -> None:
    """On a Hub of its own, with the miniature and all that the trained lab publishes."""
    from zoo.pipeline.fleet import fleet
    from zoo.publish.apply.rollout import Rollout
    from zoo.publish.plan.everything import plan_fleet

    shutil.copytree(once("seeded", fill_with_miniature), tmp_path / "hub")
    hub = begin(root=tmp_path)
    build = lab.again()
    done = Rollout(plan_fleet(fleet(build, [build.workspace.recipe(RECIPE, scale=SCALE)]))).run()
    assert not [one.why for one in done if one.missed]
    dead, away = crawl(f"{hub.url}/")
    assert dead == {}
    strange = {address: sorted(pages)[:2] for address, pages in away.items() if urlsplit(address).netloc not in OUTSIDE}
    assert strange == {}
