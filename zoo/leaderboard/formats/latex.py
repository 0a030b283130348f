"""Writes tables as a LaTeX document that pdflatex compiles; each is a table of its own to copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zoo.leaderboard.rehearsal import warning
from zoo.leaderboard.table import Cell, Row, Table

HEAD = r"""% pdflatex compiles this file as it is; to use a table in a paper, copy it and load the same packages.
\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage{amssymb,booktabs,graphicx}
\begin{document}
"""
FOOT = "\\end{document}\n"
FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"  # shrinks what is too wide, enlarges nothing

MARKS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # after the end of a row it would open an option
    "]": "{]}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "×": r"\(\times\)",
    "‡": r"\(\ddagger\)",
    "✓": r"\(\checkmark\)",
    "✗": r"\(\times\)",
}


ROWS = 26  # that fit on a page with the notes below them


def render(tables: Sequence[Table]) -> str:
    """Return a document of all tables."""
    return HEAD + "\n".join(part for table in tables for part in _pages(table)) + FOOT


def _pages(table: Table) -> list[str]:
    """Cut a long table into several, the notes under the last."""
    parts = [table.rows[start : start + ROWS] for start in range(0, len(table.rows), ROWS)]
    return [_page(table, rows, number, len(parts)) for number, rows in enumerate(parts, start=1)]


def _page(table: Table, rows: Sequence[Row], number: int, count: int) -> str:
    columns = table.shown
    key = "".join(mark for mark in table.key if mark.isalnum())
    caption = latex_escaped(_caption(table.title.en) + (f", part {number} of {count}" if count > 1 else ""))
    warned = warning([table])
    bold = rf"\textbf{{{latex_escaped(warned.en)}}}" if warned else ""
    below = [latex_escaped(note.en) for note in (*table.notes, *table.credits)] if number == count else []
    notes = "\n\n".join(filter(None, (bold, *below)))
    return "\n".join(
        [
            r"\begin{table}[p]",
            r"\centering",
            rf"\caption{{{caption}}}",
            rf"\label{{tab:{key}{'' if number == 1 else f'-{number}'}}}",
            FIT,
            rf"\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in columns)}}}",
            r"\toprule",
            _line([latex_escaped(column.label.en) for column in columns]),
            _line([_small(column.source.name.en if column.source else "") for column in columns]),
            r"\midrule",
            *(_line([_shown(table.cell(row, column)) for column in columns]) for row in rows),
            r"\bottomrule",
            r"\end{tabular}}",
            "",
            rf"\begin{{flushleft}}\footnotesize {notes}\end{{flushleft}}" if notes else "",
            r"\end{table}",
            "",
        ]
    )


def _caption(title: str) -> str:
    """Return the caption: LaTeX numbers tables itself, so the paper's number goes behind."""
    number, _, rest = title.partition(": ")
    return f"{rest} ({number.lower()} of the paper)" if number.startswith(("Table", "Figure")) else title


def _line(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _shown(cell: Cell) -> str:
    return " ".join(part for part in (latex_escaped(cell.text), _small(cell.interval.strip())) if part)


def _small(text: str) -> str:
    return rf"{{\scriptsize {latex_escaped(text)}}}" if text else ""


def latex_escaped(text: str) -> str:
    """Return text that LaTeX prints as it is; what Latin 1 lacks as its code point, at which pdflatex would stop."""
    return "{}".join("".join(map(_mark, part)) for part in re.split("(?<=-)(?=-)", text))  # no -- as a dash


def _mark(mark: str) -> str:
    if mark in MARKS:
        return MARKS[mark]
    if mark.isspace():
        return " "
    return mark if mark.isprintable() and ord(mark) < 256 else rf"\texttt{{U+{ord(mark):04X}}}"
