"""Proves a leaderboard: a stranger reads the page, its data and its models' scores, and compares number by number."""

from __future__ import annotations

from typing import Any

COMPUTED = ("Rank", "kept of the full width, %")
"""What is computed from the rows behind the scores, which are not published: it is in no score file."""


def read_board(repo_id: str, revision: str, models: list[str], scores: str, computed: list[str]) -> dict[str, Any]:
    """Compare a leaderboard's page with its data, and the data with the published scores of its models.

    Args:
        models: ids of the models whose scores are read; empty: the page is compared with its data alone.
        scores: the path of the score file in a model's repository.
        computed: the tasks of numbers that no score file has.

    Returns:
        {numbers: how many the page shows, measured: how many of the data are in the score files, strange: a sentence on
        the first number that is not where it should be, or None}.
    """
    import csv
    import json
    from html.parser import HTMLParser
    from pathlib import Path

    from huggingface_hub import hf_hub_download

    def read(path: str) -> Path:
        return Path(hf_hub_download(repo_id, path, repo_type="space", revision=revision))

    def plain(value: Any) -> Any:
        try:
            return round(float(value), 4)
        except (TypeError, ValueError):
            return str(value or "").removeprefix("'")

    class Page(HTMLParser):
        table = ""

        def __init__(self) -> None:
            super().__init__()
            self.cells: list[tuple[Any, ...]] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found = dict(attrs)
            if tag == "section":
                self.table = found.get("id") or ""
            if "data-value" in found and "data-names" not in found and found["data-value"]:
                bounds = (found.get("data-low"), found.get("data-high"))
                self.cells.append((self.table, plain(found["data-value"]), *map(plain, bounds)))

    def measured(value: Any, model: str | None, dim: Any, into: set[Any]) -> None:
        if isinstance(value, list):
            for one in value:
                measured(one, model, dim, into)
        if not isinstance(value, dict):
            return
        model, dim = value.get("model", model), value.get("dim", dim)
        if model and isinstance(value.get("value"), int | float):
            into.add((model, plain(dim), plain(value["value"]), "", ""))
            into.add((model, plain(dim), *(plain(value.get(key)) for key in ("value", "low", "high"))))
        for one in value.values():
            measured(one, model, dim, into)

    page = Page()
    page.feed(read("index.html").read_text("utf-8"))
    with read("leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = {(row["table"], *(plain(row[key]) for key in ("value", "low", "high"))) for row in rows}
    facts: dict[str, Any] = {"numbers": len(page.cells), "measured": 0, "strange": None}
    lost = [cell for cell in page.cells if cell not in data]
    if lost or not page.cells:
        what = f"'{lost[0][1]}' of table '{lost[0][0]}'" if lost else "a number"
        return {**facts, "strange": f"the page has no data for {what}" if lost else "the page has no numbers"}
    if not models:
        return facts
    known: dict[str, set[Any]] = {}
    for model in models:
        file = json.loads(Path(hf_hub_download(model, scores)).read_text("utf-8"))
        found: set[Any] = set()
        measured([file[key] for key in ("scores", "means", "correlations")], None, None, found)
        for subject in file["subjects"]:
            mine = known.setdefault(subject["title"].rsplit("/", 1)[-1], set())
            at_sizes = {one[1:] for one in found if one[0] == subject["name"]}
            for dim in [None, *subject["dims"]]:
                at_sizes |= {
                    (plain(dim), plain(subject.get(key)), "", "") for key in ("parameters", "tokens_per_second")
                }
            mine |= at_sizes | {
                ("", *one[1:]) for one in at_sizes
            }  # some tables name no size: they are of the full one
    for row in rows:
        if not row["source"].startswith(("measured", "rehearsal")) or row["task"] in computed:
            continue
        if row["task"].endswith(": leaked rows"):
            continue
        name = row["model"].removeprefix("'").rsplit("/", 1)[-1]
        number: Any = tuple(plain(row[one]) for one in ("dim", "value", "low", "high"))
        same = (known[one] for one in known if name == one or name.startswith(one + " ("))
        if not any(number in one for one in same):
            strange = f"'{row['value']}' of '{row['model']}' on {row['task']} is in no {scores} of its models"
            return {**facts, "strange": strange}
        facts["measured"] += 1
    return facts
