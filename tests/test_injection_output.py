"""Whatever recipes, score files and repositories say ends as text on terminals, in tables and in the changelog."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import workspace_in
from hostile import FILES, HIDDEN, TEXTS, WORDS
from hostile_cards import HALF, parts, score_file
from pylatexenc.latexwalker import LatexWalker
from simulated import HYBRID, Model, measure

from zoo import say
from zoo.characters import HIDDEN as REFUSED
from zoo.characters import UNSEEN, visible
from zoo.errors import ZooError
from zoo.evaluate.ingredients import STAGE
from zoo.evidence.scores import FILE, ScoreFile
from zoo.leaderboard.formats import as_text, pictures
from zoo.leaderboard.tables import Board, tables
from zoo.publish.plan.collection import Found, plan_collection
from zoo.publish.versions.changelog import changes_said, scores_said
from zoo.publish.versions.history import VersionChange
from zoo.recipe import Recipe
from zoo.run import Run

# ---- terminals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*HIDDEN.values(), *TEXTS.values()], ids=[*HIDDEN, *TEXTS])
def test_nothing_that_is_printed_steers_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.replace(HALF, "\ud800")
    say.configure(json=False)
    say.line(text)
    say.note(text)
    say.hint(text)
    say.error(ZooError(text, hint=text))
    say.table([{text: text, "n": 1.5}], title=text)
    out, err = capsys.readouterr()
    assert not UNSEEN.search(out + err)
    assert out.startswith(f"{visible(text)}\n")
    assert err == f"{visible(text)}\n{'hint: '}{visible(text)}\nerror: {visible(text)}\nhint: {visible(text)}\n"
    assert "".join(visible(text).split()) in "".join(out.split("\n", 1)[1].split())


def test_markup_in_a_table_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    say.configure(json=False)
    say.table([{"[red]a": "[bold]b[/bold] [link=http://x]c[/link]\\"}], title="[blink]t")
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "[blink]t",
        "[red]a",
        "[bold]b[/bold] [link=http://x]c[/link]\\",
    ]


@pytest.mark.parametrize("text", [*HIDDEN.values(), *TEXTS.values()], ids=[*HIDDEN, *TEXTS])
def test_json_holds_the_text_itself_and_shows_nothing_unseen(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.replace(HALF, "\ud800")
    say.configure(json=True)
    say.result({text: text})
    say.error(ZooError(text))
    say.configure(json=False)
    out = capsys.readouterr().out
    assert not UNSEEN.search(out)
    answer, end = json.JSONDecoder().raw_decode(out)
    assert answer == {text: text}
    assert json.loads(out[end:])["error"] == text


def test_check_names_file_line_and_character_without_a_traceback(zoo: Any, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    path = tmp_path / "recipes" / "family.yaml"
    path.write_text(path.read_text("utf-8").replace("name: GATE", 'name: "GATE\\x1b]0;title\\a\\u202e"', 1), "utf-8")
    code, out, err = zoo("check", cwd=tmp_path)
    line = next(at for at, text in enumerate(path.read_text("utf-8").splitlines(), 1) if text.startswith("name:"))
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"error: recipes/family.yaml, line {line}: name: 'GATE<U+001B>]0;title<U+0007><U+202E>' holds U+001B "
        "(a control character), which nobody sees: take it out",
        "hint: edit recipes/family.yaml, then `zoo check`",
    ]


# ---- tables, the collection, the changelog -------------------------------------------------------------------------

EVERY = [*TEXTS.values(), *HIDDEN.values()]
TITLES = [
    TEXTS["formula"],
    TEXTS["other formula"],
    "-1+cmd",
    "\t=1+1",
    *(" ".join(EVERY[start : start + 12]) for start in range(0, len(EVERY), 12)),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A leaderboard on which hostile texts are models, beside one on which as many harmless names are."""
    workspace = workspace_in(tmp_path_factory.mktemp("board"))
    others = [Model(f"zoo/x{number}", f"model {number}", "base", 0.3, (64, 32)) for number in range(len(TITLES))]
    measure(workspace, "arabert-hybrid", [HYBRID, *others])
    harmless = tables(Board.of(workspace, "mini"), ["models", "retention"])
    path = Run.of(workspace.root, "arabert-hybrid", "mini").stage(STAGE) / FILE
    found = json.loads(path.read_text("utf-8"))
    for subject, title in zip(found["subjects"][1:], TITLES, strict=True):
        subject["title"] = title
    path.write_text(json.dumps(found), "utf-8")
    hostile = tables(Board.of(workspace, "mini"), ["models", "retention"])
    return SimpleNamespace(hostile=(workspace, hostile), harmless=(workspace, harmless))


def test_no_cell_of_a_spreadsheet_becomes_a_formula(board: Any) -> None:
    workspace, found = board.hostile
    rows = list(csv.reader(io.StringIO(as_text(found, "csv", workspace))))
    assert [text for text in TITLES[:4] if not any(f"'{text}" in row for row in rows)] == []
    for cell in (cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))):
        float(cell)
    assert len({len(row) for row in rows}) == 1


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def test_the_page_has_the_same_elements_whatever_models_are_called(board: Any) -> None:
    hostile, harmless = (Tags(as_text(found, "html", space)).found for space, found in (board.hostile, board.harmless))
    assert set(hostile) == set(harmless)
    assert [one for one in hostile if one[0] in ("script", "style")] == [
        one for one in harmless if one[0] in ("script", "style")
    ]


def test_a_table_in_markdown_has_the_same_blocks_whatever_models_are_called(board: Any) -> None:
    hostile, harmless = (as_text(found, "md", space) for space, found in (board.hostile, board.harmless))
    assert not REFUSED.search(hostile)
    shapes = [parts(f"---\na: b\n---\n{text}") for text in (hostile, harmless)]
    assert shapes[0].shape == shapes[1].shape
    assert not shapes[0].links
    assert not shapes[0].html


def test_latex_reads_names_as_text(board: Any) -> None:
    workspace, found = board.hostile
    text = as_text(found, "tex", workspace)
    LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    assert not REFUSED.search(text)
    assert not re.search(r"\\(input|write|include)", text)


def test_a_drawn_figure_is_a_picture_and_nothing_else(board: Any) -> None:
    _, found = board.hostile
    [retention] = [table for table in found if table.key == "retention"]
    root = ElementTree.fromstring(pictures.draw_figure(retention, "svg"))
    assert {one.tag.rsplit("}", 1)[-1] for one in root.iter()} & {"script", "a", "foreignObject", "image"} == set()


@pytest.mark.parametrize("text", [*TEXTS.values(), *HIDDEN.values()], ids=[*TEXTS, *HIDDEN])
def test_a_collection_keeps_its_description_as_it_is(text: str) -> None:
    """It is sent as JSON, and the Hub shows it as text: nothing is escaped, and nothing is lost."""
    plan = plan_collection(text, text, "lab", Found(), [], {})
    assert (plan.title, plan.description) == (text, text)


@pytest.mark.parametrize("text", [*TEXTS.values(), *HIDDEN.values()], ids=[*TEXTS, *HIDDEN])
def test_an_entry_of_the_changelog_names_tasks_and_files_as_text(text: str) -> None:
    """Of score files and repositories on the Hub, which others may have written."""
    entry = parts(f"---\na: b\n---\n{changelog(text)}")
    harmless = parts(f"---\na: b\n---\n{changelog(WORDS)}")
    assert (entry.shape, entry.links, entry.html) == (harmless.shape, harmless.links, harmless.html)
    assert not REFUSED.search(changelog(text))


def changelog(text: str) -> str:
    old, new = (_with_score(text, value) for value in (50.0, 60.0))
    return f"{changes_said([VersionChange('add', text), VersionChange('update', text)], 'v1.0.0')}\n\n{scores_said(old, new, 'v1.0.0', 'v1.1.0')}"


def _with_score(task: str, value: float) -> ScoreFile:
    recipe = Recipe.model_validate(FILES["recipe.yaml"][1])
    found = score_file(recipe, WORDS)
    scores = [score.model_copy(update={"task": task, "value": value}) for score in found.scores]
    return found.model_copy(update={"scores": scores, "tasks": [task]})
