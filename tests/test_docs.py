"""The README is true: its commands exist, its table says what was printed, its paths lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import readme

from zoo.cli import cli
from zoo.recipe import Workspace

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


def every_command() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in cli.commands.items():
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {child}": sub for child, sub in command.commands.items()}
    return found


def test_every_command_is_in_the_readme() -> None:
    for name, command in every_command().items():
        assert isinstance(command, click.Group) or f"zoo {name}" in TEXT, f"the README does not show `zoo {name}`"


def test_every_command_in_the_readme_exists() -> None:
    shown = re.findall(r"(?:^|`)zoo ([a-z]+)", TEXT, re.MULTILINE)
    assert len(shown) > 10
    assert set(shown) <= set(cli.commands)


@pytest.mark.parametrize("name", sorted(every_command()))
def test_every_command_explains_itself(name: str, zoo: Any) -> None:
    code, out, _ = zoo(*name.split(), "--help")
    assert code == 0
    assert every_command()[name].help.splitlines()[0].split()[0] in out
    if not isinstance(every_command()[name], click.Group):
        assert "--json" in out


def test_the_table_of_recipes_has_all_and_the_printed_figures() -> None:
    workspace = Workspace(ROOT)
    rows = {cells[0]: cells for line in TEXT.splitlines() if len(cells := line.strip("| ").split(" | ")) == 6}
    for recipe in workspace.every_recipe():
        assert rows[recipe.name][3] == readme.printed_mean(workspace, recipe)
        assert re.fullmatch(r"\d+\.\d", rows[recipe.name][5]), (
            "run `make docs` after building every recipe at scale mini"
        )


def test_paths_in_the_readme_exist() -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_the_makefile_has_every_target_that_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE)):
        assert re.search(rf"^{target}[:\s]", makefile, re.MULTILINE), target
