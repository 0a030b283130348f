"""Marks tables whose numbers of ours come from a rehearsal, so that no part of them passes for the real thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo.evidence.scores import REHEARSAL
from zoo.leaderboard.table import Provenance, Table, Text, ltr
from zoo.leaderboard.words import MEASURED

GENERATED = Text(REHEARSAL, "تجربة: بيانات مولدة")
REHEARSED = Provenance(MEASURED.key, Text("rehearsal", "تجربة"), ours=True)
"""Stands in the place of MEASURED: the same columns, and each of them says what it is."""


def of_scale(scale: str) -> Text:
    """Return the mark of what was measured on real data, of models that were trained at a scale of their own."""
    return Text(f"rehearsal: scale '{scale}'", f"تجربة: المقياس {ltr(scale)}")


WARNING = Text(
    "Rehearsal. What we measured here compares models of this rehearsal with each other, and says nothing about real "
    "text.",
    "تجربة. ما قسناه هنا يقارن نماذج هذه التجربة بعضها ببعض، ولا يدل على نصوص حقيقية.",
)
WARNING_BESIDE = Text(
    "Rehearsal. What we measured here compares models of this rehearsal with each other, and says nothing about real "
    "text or the paper's figures.",
    "تجربة. ما قسناه هنا يقارن نماذج هذه التجربة بعضها ببعض، ولا يدل على نصوص حقيقية ولا يقارن بأرقام الورقة.",
)


def warning(tables: Iterable[Table]) -> Text | None:
    """Return what a reader of these tables is warned of; None: none of them is of a rehearsal."""
    tables = list(tables)
    if not any(table.rehearsal for table in tables):
        return None
    printed = any(column.source and not column.source.ours for table in tables for column in table.shown)
    return WARNING_BESIDE if printed else WARNING


def marked(table: Table, why: Text | None) -> Table:
    """Return a table whose title, columns and sources say that it is a rehearsal; as it is when nothing of it is.

    Args:
        why: the mark; None: no rehearsal.
    """
    if why is None or not any(column.source == MEASURED for column in table.shown):
        return table
    return replace(
        table,
        title=Text(f"{table.title.en} ({why.en})", f"{table.title.ar} ({why.ar})"),
        columns=[replace(one, source=REHEARSED) if one.source == MEASURED else one for one in table.columns],
        sources={REHEARSED if source == MEASURED else source: where for source, where in table.sources.items()},
        rehearsal=why,
    )
