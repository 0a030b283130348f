"""The README and docs/ are true: their commands exist, the table says what was printed, paths lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import click
import pytest
import readme
import yaml

from zoo.cli import cli
from zoo.recipe import Workspace

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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
    shown = [
        name for page in PAGES for name in re.findall(r"(?:^|`)zoo ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    ]
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
        if recipe.base.miniature.architecture == "neoarabert":  # it is built by consent alone: `zoo trust`
            continue
        assert re.fullmatch(r"\d+\.\d", rows[recipe.name][5]), (
            "run `make docs` after building every recipe at scale mini"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page: Path) -> None:
    """Of commands that are shown with options, in a line of code of their own or within a sentence."""
    for line in re.findall(r"(?:^|`)(zoo [a-z][^`#\n]*)", page.read_text("utf-8"), re.MULTILINE):
        names = [name for name in every_command() if line.startswith(f"zoo {name} ")]
        known = {option for name in names for param in every_command()[name].params for option in param.opts}
        shown = set(re.findall(r"(?<=\s)--?[a-z-]+", line))
        assert not names or shown <= known, line


def test_settings_that_the_docs_show_are_recipes() -> None:
    from zoo.recipe.training import Phase

    shown, *_ = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "training.md").read_text("utf-8"), re.DOTALL)
    assert Phase.model_validate(yaml.safe_load(shown)).train.lora


def test_the_recipes_of_the_page_on_remote_code_are_recipes() -> None:
    from zoo.recipe.family import BaseFile
    from zoo.recipe.remotecode import RemoteCode

    text = (ROOT / "docs" / "remote-code.md").read_text("utf-8")
    consent, other = (
        yaml.safe_load(re.sub(r"\b[0-9a-f]{4}\.\.\.", "a" * 64, one))
        for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    )
    assert RemoteCode.model_validate(consent["base"]["remote_code"]).license
    assert BaseFile.model_validate(other).variants


def test_the_page_on_datasets_has_every_step_and_dataset() -> None:
    from zoo.recipe.dataset import Dataset
    from zoo.steps import STEPS

    text = (ROOT / "docs" / "datasets.md").read_text("utf-8")
    firsts = {heading: re.findall(r"^\| (.*?) \|", body, re.MULTILINE)[1:] for heading, body in _sections(text)}
    assert sorted(", ".join(firsts["Steps"]).split(", ")) == sorted(STEPS)
    assert set(", ".join(firsts["The family"]).split(", ")) <= set(Workspace(ROOT).datasets)
    named = re.findall(r"`(\{type: [^`]*\})`", text)
    steps = [yaml.safe_load(step) for step in named]
    Dataset.model_validate({"source": {"path": "a.csv"}, "columns": {"a": {"type": "text"}}, "steps": steps})
    assert len(steps) > 1


def _sections(text: str) -> list[tuple[str, str]]:
    return [(one.partition("\n")[0], one.partition("\n")[2]) for one in text.split("\n## ")]


def test_the_makefile_has_every_target_that_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE)):
        assert re.search(rf"^{target}[:\s]", makefile, re.MULTILINE), target


def own_data() -> tuple[list[str], dict[str, str]]:
    """The blocks of commands in the README's section on one's own data, and {file: what it says to write there}."""
    section = TEXT.split("## Your own data\n")[1].split("\n## ")[0]
    commands = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    files = re.findall(r"```yaml\n# (recipes/[^\n]*)\n(.*?)```", section, re.DOTALL)
    return commands, dict(files)


def test_the_recipes_of_ones_own_data_are_recipes() -> None:
    from zoo.recipe import Dataset
    from zoo.recipe.family import BaseFile
    from zoo.recipe.training import Phase

    files = {file: yaml.safe_load(text) for file, text in own_data()[1].items()}
    assert Dataset.model_validate(files["recipes/datasets/pairs.yaml"]).split
    assert BaseFile.model_validate(files["recipes/mine.yaml"]).variants
    assert Phase.model_validate(files["recipes/family.yaml, under phases"]["pairs"]).data


@pytest.mark.slow
def test_a_csv_becomes_a_dataset_on_the_hub_and_a_model(seeded: Any, tmp_path: Path) -> None:
    """With the README's lines as they stand."""
    from huggingface_hub import HfApi

    (before, after), files = own_data()
    lines = [f"ما معنى الكلمة رقم {at}؟,معناها رقم {at} في القائمة" for at in range(200)]
    (tmp_path / "pairs.csv").write_text("\n".join(["question,answer", *lines]), "utf-8")
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(block: str, place: Path) -> None:
        done = subprocess.run(["bash", "-e", "-c", block], cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run(before, tmp_path)
    lab = tmp_path / "my-lab"
    phase = textwrap.indent(files.pop("recipes/family.yaml, under phases"), "  ")
    family = lab / "recipes" / "family.yaml"
    family.write_text(family.read_text("utf-8").replace("\nphases:\n", f"\nphases:\n{phase}", 1), "utf-8")
    for file, text in files.items():
        (lab / file).write_text(text, "utf-8")
    run(after, lab)
    found = HfApi().list_repo_files("lab/My-Pairs", repo_type="dataset")
    assert {"data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet", "README.md"} <= set(found)
    assert (lab / "runs" / "mine-pairs" / "train" / "model" / "model.safetensors").is_file()
