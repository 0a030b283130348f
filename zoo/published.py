"""Scores that others printed: recipes/published/*.csv, one table a file, copied as printed."""

from __future__ import annotations

import csv
from pathlib import Path

Row = dict[str, str]


def table(recipes: Path, name: str) -> list[Row]:
    """The rows of recipes/published/<name>.csv; none when there is no such file."""
    path = recipes / "published" / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_repository(recipes: Path, repo: str) -> list[Row]:
    """What was printed of models whose repository has this name: one row a dim."""
    rows = [row for path in sorted((recipes / "published").glob("*.csv")) for row in table(recipes, path.stem)]
    mine = [row for row in rows if row["model"].rsplit("/", 1)[-1] == repo]
    return list({row["dim"]: row for row in mine}.values())
