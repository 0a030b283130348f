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
    import re
    from html.parser import HTMLParser
    from pathlib import Path

    from huggingface_hub import hf_hub_download

    def read(path: str) -> str:
        return Path(hf_hub_download(repo_id, path, repo_type="space", revision=revision)).read_text("utf-8")

    def plain(value: Any) -> Any:
        try:
            return round(float(value), 4)
        except (TypeError, ValueError):
            return str("" if value is None else value).removeprefix("'")

    class Page(HTMLParser):
        """Reads {table: (keys of its columns, rows of cells)}; a cell has what is written and what a sort goes by."""

        def __init__(self) -> None:
            super().__init__()
            self.tables: dict[str, tuple[list[str], list[list[dict[str, Any]]]]] = {}
            self.table, self.tag = "", ""
            self.cell: dict[str, Any] | None = None

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found = dict(attrs)
            if tag == "section":
                self.table = found.get("id") or ""
                self.tables[self.table] = ([], [])
            if not self.table:
                return
            keys, rows = self.tables[self.table]
            if tag == "tr":
                rows.append([])
            elif "data-key" in found:
                keys.append(found["data-key"])
            elif "data-value" in found and rows:
                cell = self.cell = {**found, "bdi": "", "small": ""}
                rows[-1].append(cell)
            self.tag = tag

        def handle_endtag(self, tag: str) -> None:
            self.tag = ""
            if tag in ("td", "th"):
                self.cell = None

        def handle_data(self, data: str) -> None:
            if self.cell is not None and self.tag in ("bdi", "small"):
                self.cell[self.tag] += data

    def differs(cell: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Whether a cell of the page says something else than the data, to a program or to the eye."""
        bounds = [wanted.get(key) for key in ("low", "high")]
        hidden = [plain(cell.get(key)) for key in ("data-value", "data-low", "data-high")]
        beside = [bound for bound in (*bounds, wanted.get("clean")) if bound is not None]
        written = [float(number) for number in re.findall(r"-?[0-9]+(?:[.][0-9]+)?", cell["small"])]
        return (
            cell["bdi"] != wanted.get("text", "-")
            or hidden != [plain(wanted.get("value")), *map(plain, bounds)]
            or (bool(written) and len(written) != len(beside))
            or any(abs(one - other) > 0.051 for one, other in zip(written, beside, strict=False))
        )

    def unlike(table: dict[str, Any], rows: set[Any]) -> str | None:
        """A sentence on the first number of a table that the page or the CSV does not have as it is."""
        key, labels = table["key"], {column["key"]: column["label"] for column in table["columns"]}
        keys, cells = page.tables.get(key, ([], []))
        shown = [row for row in cells if row]
        naming = "model" if "model" in labels else next(iter(labels))
        if len(shown) != len(table["rows"]) or not set(keys) <= set(labels):
            return f"table '{key}' of the page is not that of leaderboard.json"
        for wanted, row in zip(table["rows"], shown, strict=True):
            model = (wanted[naming] or {}).get("value", "")
            for column, cell in zip(keys, row, strict=False):
                if differs(cell, wanted[column] or {}):
                    what = f"'{cell['bdi']}' of '{model}' in table '{key}'"
                    return f"the page has no data for {what}: leaderboard.json has other figures"
            for column, label in labels.items():
                number = wanted[column]
                if number is None or column in (naming, "dim"):
                    continue
                dim, task = (
                    (label, computed[-1]) if label.isdigit() else ((wanted.get("dim") or {}).get("value"), label)
                )
                bounds = [plain(number.get(one)) for one in ("low", "high")]
                ways = [plain(number[one]) for one in ("value", "text")]  # what the paper printed stays as printed
                if not any((key, *map(plain, (model, dim, task)), way, *bounds) in rows for way in ways):
                    return f"leaderboard.csv has no '{number['text']}' of '{model}' on {label} in table '{key}'"
        return None

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
    page.feed(read("index.html"))
    rows = list(csv.DictReader(read("leaderboard.csv").splitlines()))
    data: set[Any] = set()
    for row in rows:
        model, size, task, *figures = (plain(row[one]) for one in ("model", "dim", "task", "value", "low", "high"))
        for dim in (size, ""):  # not every table of the page has a column for it
            data.add((row["table"], model, dim, task, *figures))
    tables = json.loads(read("leaderboard.json"))["tables"]
    cells = [cell for _, found in page.tables.values() for row in found for cell in row]
    numbers = sum(bool(cell["data-value"]) and "data-names" not in cell for cell in cells)
    facts: dict[str, Any] = {"numbers": numbers, "measured": 0, "strange": None}
    if not numbers or set(page.tables) != {table["key"] for table in tables}:
        return {
            **facts,
            "strange": "the page has no numbers" if not numbers else "the page has other tables than leaderboard.json",
        }
    if strange := next(filter(None, (unlike(table, data) for table in tables)), None):
        return {**facts, "strange": strange}
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
