"""What a Space's app is told of what it is about: its title, its languages, examples and the paper's pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from zoo.cards.voice import languages_of
from zoo.evidence import published
from zoo.evidence.published import Row
from zoo.recipe.schema import ModelRelease, Paper


def about(title: str, releases: Sequence[ModelRelease], pairs: Sequence[Row]) -> dict[str, Any]:
    """The content of space.json: {title, language, interface, examples, paper}; the last two only where there are any.

    Args:
        releases: of the models that the Space offers.
        pairs: rows of pairs that the paper of one of them may print.
    """
    own = [sentence for release in releases for sentence in release.examples or ()]
    paper = next((one.paper for one in releases if published.is_the_paper(one.paper)), None)
    return {
        "title": title,
        "language": list(dict.fromkeys(code for release in releases for code in release.language)),
        "interface": list(dict.fromkeys(code for release in releases for code in languages_of(release))),
        **({"examples": list(dict.fromkeys(own))} if own else {}),
        **({"paper": _printed(paper, pairs)} if paper and pairs else {}),
    }


def _printed(paper: Paper, rows: Sequence[Row]) -> dict[str, Any]:
    """The pairs that a paper prints, each with its ground truth and what models gave, by their titles."""
    pairs: dict[str, dict[str, Any]] = {}
    for row in rows:
        empty = {
            "table": row["table"],
            "first": row["sentence1"],
            "second": row["sentence2"],
            "truth": "",
            "scores": {},
        }
        pair = pairs.setdefault(row["table"], empty)
        if row["model"]:
            pair["scores"][row["model"]] = row["score"]
        else:
            pair["truth"] = row["score"]
    number = re.search(r"arxiv\.org/abs/([\d.]+)", paper.url)
    cited = f"arXiv:{number[1]}" if number else paper.url
    return {"name": paper.title.partition(":")[0], "cited": cited, "url": paper.url, "pairs": list(pairs.values())}
