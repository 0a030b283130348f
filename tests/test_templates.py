"""Templates of a workspace: whatever stands in them, one sentence says what is wrong and where."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zoo.cards.readme import FILTERS
from zoo.errors import CardError
from zoo.templates import as_html, as_markdown

DOUBLED = '{% set all = namespace(text="a" * 1000) %}{% for i in range(40) %}{% set all.text = all.text ~ all.text %}{% endfor %}'


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (b'{{ "a" * 10**10 }}', "line 1: it takes more than 512 MB"),
        (b'\n{{ "%4000000000d" % 1 }}', "line 2: it takes more than 512 MB"),
        (b'\n{{ "{:4000000000}".format(1) }}', "line 2: it takes more than 512 MB"),
        (b'{{ "a" | center(4000000000) }}', "line 1: it takes more than 512 MB"),
        (DOUBLED.encode(), "line 1: it takes more than 512 MB"),
        (b"{% for i in range(10**9) %}{% endfor %}", "line 1: OverflowError: Range too big."),
        (b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "line 1: RecursionError: "),
        (b'{% include "page.md.j2" %}', "line 1: RecursionError: "),
        (b"\n\n{{ 1 / 0 }}", "line 3: ZeroDivisionError: division by zero"),
        (b'{{ 1 + "a" }}', "line 1: TypeError: "),
        (b"{{ facts.nothing }}", "line 1: 'facts' is undefined"),
        (b"{% if %}", "line 1: Expected an expression"),
        (b'\n{% extends "none.md.j2" %}', "line 2: there is no template 'none.md.j2' beside it"),
        (b'{% include "../secret.j2" %}', "line 1: there is no template '../secret.j2' beside it"),
        (b"\xff\xfe", "page.md.j2: UnicodeDecodeError: "),
    ],
)
@pytest.mark.parametrize("render", [as_markdown, as_html])
def test_a_template_that_cannot_be_filled_is_told_with_its_place(
    template: bytes, told: str, render: object, tmp_path: Path
) -> None:
    (tmp_path / "page.md.j2").write_bytes(template)
    with pytest.raises(CardError) as caught:
        render("page.md.j2", [tmp_path], {})  # type: ignore[operator]
    assert told in caught.value.message
    assert caught.value.hint == f"edit {tmp_path / 'page.md.j2'}"


def test_templates_in_threads_leave_no_limit_behind(tmp_path: Path) -> None:
    """The limit of memory is the process's, so it is set and taken away by one at a time."""
    resource = pytest.importorskip("resource")
    (tmp_path / "page.md.j2").write_text("{% for i in range(4000) %}{{ i }}{% endfor %}", "utf-8")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with ThreadPoolExecutor(8) as pool:
        [pool.submit(as_html, "page.md.j2", [tmp_path], {}) for _ in range(4)]
        list(pool.map(lambda _: as_markdown("page.md.j2", [tmp_path], {}), range(4)))
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_mistake_in_an_included_template_is_told_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "page.md.j2").write_text('One\n{% include "part.md.j2" %}', "utf-8")
    (tmp_path / "part.md.j2").write_text("\n\n{{ 1 / 0 }}", "utf-8")
    with pytest.raises(CardError, match=r"^part\.md\.j2, line 3: ZeroDivisionError") as caught:
        as_markdown("page.md.j2", [tmp_path], {})
    assert caught.value.hint == f"edit {tmp_path / 'part.md.j2'}"


def test_a_mistake_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "page.md.j2").write_text("{{ 1 | score }}", "utf-8")
    with pytest.raises(AttributeError):
        as_markdown("page.md.j2", [tmp_path], FILTERS)
