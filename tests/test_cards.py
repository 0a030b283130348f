"""Cards: only what was measured, one template replaceable alone, nothing that a name can break."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.cards.readme import render
from zoo.errors import CardError
from zoo.remote import size_category

OURS = Path(__file__).parents[1] / "cards"


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_a_fact_that_is_missing_stops_the_card_and_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "# {{ title }}\n\nscore {{ scroe }}\n")
    with pytest.raises(CardError) as caught:
        render("model.md.j2", [mine, OURS], title="a", score=1.0)
    assert caught.value.message == "model.md.j2, line 3: 'scroe' is undefined"
    assert caught.value.hint == f"edit {mine / 'model.md.j2'}"


def test_a_broken_template_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "fine\n{% if x %}\n")
    with pytest.raises(CardError, match=r"model.md.j2, line 2: Unexpected end of template"):
        render("model.md.j2", [mine], x=1)


def test_one_template_can_be_replaced_alone(tmp_path: Path) -> None:
    """It finds our macros, though its own folder has none."""
    mine = write(tmp_path / "cards", "model.md.j2", '{% from "_macros.j2" import number %}{{ number(n) }}')
    assert render("model.md.j2", [mine, OURS], n=8996608) == "8,996,608"


def test_templates_cannot_reach_into_python(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(CardError, match="unsafe"):
        render("model.md.j2", [mine])


def test_names_stay_text_in_tables(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "| {{ name }} |")
    hostile = "a|b\n# <script>[x](javascript:1) {{ 7*7 }}"
    shown = render("model.md.j2", [mine], name=hostile)
    assert shown == r"| a\|b \# \<script\>\[x\](javascript:1) {{ 7\*7 }} |"


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (20_000_000, "10M<n<100M"), (10**12, "n>1T")],
)
def test_sizes_have_the_names_that_the_hub_knows(rows: int, name: str) -> None:
    assert size_category(rows) == name
