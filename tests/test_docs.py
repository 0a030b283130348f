"""The README and docs/ are true: their commands exist, the table says what was printed, paths lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import folder_lab
import pytest
import readme
import reference
import yaml
from blocks import PAGES, ROOT, Block, blocks, command_of, lines_of, wrong_with, wrong_with_recipe
from conftest import TestHub, workspace_in

from zoo import say
from zoo.cli import cli
from zoo.hub.faults import FaultRule
from zoo.hub.store import Store
from zoo.plugins.loading import GROUP, Plugins, plugged, read_plugins
from zoo.recipe import Workspace

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
def test_commands_within_sentences_exist(page: Path) -> None:
    """Their names and options; those in blocks are held against click below."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for line in re.findall(r"`(zoo [a-z][^`]*)`", prose):
        command = command_of(line.split()[1:])[1]
        known = {option for param in command.params for option in param.opts}
        assert set(re.findall(r"(?<=\s)--?[a-z-]+", line)) <= known | {"--hub", "--json", "-h"}, line


# Every block of code ------------------------------------------------------------------------------------------------

BLOCKS = blocks()
RUN = ("init", "ls", "show", "check", "schema", "hub gc", "hub fsck")
"""Commands whose lines in the docs are run as they stand, in a lab of our recipes."""
NOT_RUN_WITH = {
    "--base": "needs a base and data: tests/test_own_lab.py",
    "--hub": "asks a Hub that has it all: tests/test_inquiry.py",
    "--probe": "trains: tests/test_probe.py",
}
"""{option of these commands with which a line is held against click alone: why, and where it is run}."""
ASKS = ("zoo", "init", "my-lab")  # on a terminal, as people type it: tests/test_starting.py
NOT_RUN = {
    "add base": "reads a base: tests/test_starting.py",
    "add dataset": "reads data: tests/test_starting.py",
    "build": "trains; tests/test_build.py, and the slow test below runs the README's lines",
    "card": "needs what is trained: tests/test_cards.py",
    "compare": "needs what is trained: tests/test_evaluate.py, tests/test_outside.py",
    "completion": "a script for a shell: tests/test_terminal.py",
    "curve": "needs what is trained: tests/test_curve.py",
    "data build": "run by the slow test below",
    "data check": "run by the slow test below",
    "data review": "run by the slow test below",
    "demo": "minutes: `make demo`",
    "doctor": "looks at this machine: tests/test_cli.py",
    "errors": "needs what is trained: tests/test_analysis.py",
    "eval": "measures: tests/test_outside.py",
    "hub import": "asks huggingface.co: tests/test_mirror.py",
    "hub seed": "half a minute: tests/test_miniature.py",
    "hub serve": "serves until it is stopped: tests/test_hub_local.py",
    "leaderboard": "needs what is trained: tests/test_leaderboard.py",
    "lint": "names repositories of others: tests/test_lint.py",
    "logs": "needs what is trained: tests/test_journal.py",
    "plan": "needs what is trained: tests/test_publish.py",
    "publish": "needs what is trained: tests/test_publish.py",
    "release": "needs what is published: tests/test_versions.py",
    "rollback": "needs what is published: tests/test_versions.py",
    "runs pull": "needs what is trained: tests/test_ci.py",
    "runs push": "needs what is trained: tests/test_ci.py",
    "space build": "needs what is trained: tests/test_families.py",
    "space serve": "serves until it is stopped: tests/test_cli.py",
    "status": "needs what is trained: tests/test_publish.py",
    "submit mteb": "needs what is trained: tests/test_submit.py",
    "trust": "asks a question: tests/test_consent.py",
}
"""{command whose lines in the docs are held against click alone: why, and where it is run}."""
CHECKED_ELSEWHERE = {
    "recipes.md": "each block is checked as the part that it is an example of, when the page is made (tests/reference.py)",
}
TEXTS = {
    "error: 'zoo build' needs the extra 'train': 'accelerate' and 14 more are not installed": "an answer: tests/test_install.py",
    "error: 2 mistakes in recipes/arabert.yaml": "an answer: test_the_mistakes_in_the_readme_are_what_zoo_says",
    "recipes/*.yaml ─> recipe ─> data ─> train ─> evaluate ─> cards ─> lint, publish ─> any Hub": "a drawing",
}
"""{first line of a block that is no code: what it is}."""


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_of_code_is_right(block: Block, tmp_path: Path) -> None:
    if block.page not in CHECKED_ELSEWHERE:
        assert block.language in CHECKS, f"nothing checks '{block.language}': name another language, or write what does"
        with plugged(plugins_in(tmp_path, [one for one in plugins() if one.page == block.page])):
            assert CHECKS[block.language](block) is None


def bash_is_right(block: Block) -> str | None:
    wrong = {" ".join(words): problem for words in lines_of(block.text) if (problem := wrong_with(words))}
    say.configure(json=False)  # lines with --json have been parsed
    return "\n".join(f"{line}: {problem}" for line, problem in wrong.items()) or None


def yaml_is_right(block: Block) -> str | None:
    if block.file == "faults.yaml":
        return None if FaultRule(**yaml.safe_load(block.text)[0]) else "no rule"
    content = yaml.safe_load(block.text)
    if isinstance(content, dict) and "jobs" in content:  # a workflow
        steps = [step["run"] for job in content["jobs"].values() for step in job["steps"] if "run" in step]
        return next(filter(None, (bash_is_right(replace(block, text=step)) for step in steps)), None)
    return wrong_with_recipe(block.text)


def python_is_code(block: Block) -> str | None:
    compile(block.text, str(block), "exec")  # and run below
    return None


def text_is_known(block: Block) -> str | None:
    known = block.text.splitlines()[0] in TEXTS
    return None if known else f"write in TEXTS what the block at {block} is, or name its language"


def toml_is_right(block: Block) -> str | None:
    groups = tomllib.loads(block.text)["project"]["entry-points"]
    return None if list(groups) == [GROUP] else f"plugins are looked for in the group {GROUP}"


CHECKS = {
    "bash": bash_is_right,
    "yaml": yaml_is_right,
    "python": python_is_code,
    "toml": toml_is_right,
    "text": text_is_known,
}


def typed(page_blocks: list[Block]) -> dict[tuple[str, ...], str]:
    """{words of a command of zoo: its name} of blocks of bash."""
    found = {}
    for words in (words for block in page_blocks if block.language == "bash" for words in lines_of(block.text)):
        if words[0] == "zoo":
            found[tuple(words)] = command_of(words[1:])[0]
    return found


def test_every_command_of_a_block_is_run_or_has_a_reason() -> None:
    names = set(typed(BLOCKS).values())
    assert names - {*RUN, *NOT_RUN} == set(), "write in NOT_RUN why, and where it is run"
    assert not {*RUN} & NOT_RUN.keys()


def quick() -> list[tuple[str, ...]]:
    return [
        words
        for words, name in typed(BLOCKS).items()
        if name in RUN and words != ASKS and not NOT_RUN_WITH.keys() & {*words}
    ]


@pytest.mark.parametrize("words", quick(), ids=" ".join)
def test_quick_commands_of_blocks_run(words: tuple[str, ...], hub: TestHub, tmp_path: Path, zoo: Any) -> None:
    with closing(Store(workspace_in(tmp_path).hub)):  # empty, for gc and fsck
        pass
    code, _, err = zoo(*words[1:], cwd=tmp_path)
    assert code == 0, err


def plugins() -> list[Block]:
    return [block for block in BLOCKS if block.language == "python" and "from zoo.plugins import" in block.text]


def pages_with_tests() -> dict[str, list[Block]]:
    """{page: its blocks that are files of a project's tests}."""
    files = [block for block in BLOCKS if re.match(r"(conftest|test_\w+)\.py", Path(block.file or "").name)]
    return {block.page: [one for one in files if one.page == block.page] for block in files}


def plugins_in(place: Path, found: list[Block]) -> Plugins:
    """The plugins of some blocks, read from a folder, with the file that one of them names."""
    for folder in ("data", "plugins", "recipes"):
        (place / folder).mkdir(exist_ok=True)
    (place / "recipes" / "family.yaml").touch()  # else it is no lab, and has no plugins
    (place / "data" / "leaflets.tsv").write_text("sentence1\tsentence2\tscore\n" + "a\tb\t1\nc\td\t4\n" * 20, "utf-8")
    for block in found:
        (place / (block.file or "plugins/it.py")).write_text(block.text, "utf-8")
    return read_plugins(place)


@pytest.mark.parametrize("block", plugins(), ids=str)
def test_plugins_add_what_the_docs_say(block: Block, tmp_path: Path) -> None:
    found = plugins_in(tmp_path, [block])
    found.require()
    assert any(found.added().values())


def lab_of(page: str, place: Path, zoo: Any) -> None:
    """The lab that a page builds: an empty one, its plugins and its recipes, with a tiny model and pairs on disk."""
    assert zoo("init", str(place), "--empty")[0] == 0
    mine = [block for block in BLOCKS if block.page == page and block.file]
    plugins_in(place, [block for block in mine if block in plugins()])
    (place / "recipes" / "datasets").mkdir()
    for block in mine:
        (place / str(block.file)).write_text(block.text, "utf-8")
    lay_model(place / "checkpoints" / "mine")
    lay_pairs(place / "data")


def lay_model(folder: Path, language: str = "en") -> None:
    """Lay a tiny BERT, 384 wide, into a folder."""
    from zoo.miniature.standins import stand_in

    made = stand_in("lab/tiny", None, architecture="bert", tokenizer="wordpiece", width=384, language=language)
    folder.mkdir(parents=True)
    for path, content in made.files.items():
        (folder / path).write_bytes(content)


def lay_pairs(folder: Path) -> None:
    """Lay files of graded pairs into a folder: rows to train on, to choose by, and a task."""
    folder.mkdir(exist_ok=True)
    (folder / "leaflets.tsv").write_text(folder_lab.pairs("leaflets", 40).replace(",", "\t"), "utf-8")
    for split in ("train", "validation"):
        text = folder_lab.pairs(split, 40).replace("sentence1,sentence2", "first,second")
        (folder / f"{split}.csv").write_text(text, "utf-8")


EXTENDED = {
    "recipes/harbour.yaml": {
        "{type: cosent}": "{type: huber, delta: 0.2}",
        "pooling: mean": "modules: [{type: squeeze, out: 96}, normalize]\n  pooling: later_more",
        "width: 384": "width: 96",
        "dims: [384, 96]": "suite: harbour\ndims: [96, 32]",
    },
    "recipes/datasets/notices.yaml": {"steps: [": "steps: [{type: shorter, than: 200}, "},
    "recipes/family.yaml": {"\nsuites:\n": "\nsuites:\n  harbour: [Leaflets]\n"},
}
"""{file of that lab: {what stands there: what the page says to write}}."""


@pytest.fixture
def extended(tmp_path: Path, zoo: Any) -> Path:
    """The lab of the page on extending, with all its plugins in use."""
    lab_of("extending.md", tmp_path, zoo)
    for file, changes in EXTENDED.items():
        text = (tmp_path / file).read_text("utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / file).write_text(text, "utf-8")
    return tmp_path


def test_the_lab_of_the_page_on_extending_is_fine(extended: Path, zoo: Any) -> None:
    assert zoo("check", cwd=extended)[1].splitlines() == [
        "1 recipe is fine",
        "plugins/captions.py: evaluation task 'Captions'",
        "plugins/heads.py: pooling 'later_more', module 'squeeze'",
        "plugins/huber.py: loss 'huber'",
        "plugins/leaflets.py: evaluation task 'Leaflets'",
        "plugins/shorter.py: step 'shorter'",
    ]


@pytest.mark.slow
def test_the_lab_of_the_page_on_extending_is_built(extended: Path, hub: TestHub, zoo: Any) -> None:
    code, _, err = zoo("build", "harbour-graded", "--scale", "mini", cwd=extended)
    assert code == 0, err
    run = extended / "runs" / "mini"
    (pooling,) = (run / "harbour-graded" / "train" / "model").glob("1_*/config.json")
    assert "weightedmean" in pooling.read_text("utf-8")
    assert '"Leaflets"' in (run / "harbour-graded" / "evaluate" / "scores.json").read_text("utf-8")
    assert "shorter" in (run / "notices" / "data" / "steps.json").read_text("utf-8")


@pytest.mark.parametrize("page", pages_with_tests())
def test_files_of_tests_pass(page: str, tmp_path: Path) -> None:
    for block in pages_with_tests()[page]:
        (tmp_path / str(block.file)).write_text(block.text, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout


SCRIPTS = ("train.py", "recompute.py")
"""Programs of the pages, each of which has a test of its own below."""


def script(name: str) -> str:
    return next(block.text for block in BLOCKS if block.file == name)


def run_script(text: str, place: Path) -> str:
    environment = {**os.environ, "HF_HOME": str(place / "home"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_script_that_is_compared_with_a_recipe_trains(tmp_path: Path) -> None:
    lay_model(tmp_path / "checkpoints" / "mine")
    lay_pairs(tmp_path / "data")
    run_script(script("train.py"), tmp_path)
    assert (tmp_path / "out" / "final" / "modules.json").is_file()


@pytest.mark.slow
def test_a_score_is_computed_again_by_hand(seeded: TestHub, tmp_path: Path, zoo: Any) -> None:
    """Of a folder, whose scores are laid beside it on the Hub as a published model has them."""
    from huggingface_hub import HfApi

    lay_model(tmp_path / "mine", language="ar")
    code, out, err = zoo("eval", "./mine", "--task", "STS17-ar", "--json", cwd=tmp_path)
    assert code == 0, err
    (tmp_path / "mine" / "zoo").mkdir()
    (tmp_path / "mine" / "zoo" / "scores.json").write_text(json.dumps(json.loads(out)["./mine"]), "utf-8")
    HfApi().create_repo("lab/by-hand", exist_ok=True)
    HfApi().upload_folder(folder_path=tmp_path / "mine", repo_id="lab/by-hand")
    said = run_script(script("recompute.py").replace("my-account/my-model", "lab/by-hand"), tmp_path)
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d+(?=[\s,)]|$)", said)]
    (value, again), (low, high, low_again, high_again) = numbers[:2], numbers[2:]
    assert again == pytest.approx(value, abs=0.05)
    assert (low_again, high_again) == pytest.approx((low, high), abs=0.1)


def snippets() -> list[Block]:
    others = [*plugins(), *(block for page in pages_with_tests().values() for block in page)]
    others += [block for block in BLOCKS if block.file in SCRIPTS]
    return [block for block in BLOCKS if block.language == "python" and block not in others]


@pytest.mark.parametrize("block", snippets(), ids=str)
def test_snippets_run(block: Block, hub: TestHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


def test_the_mistakes_in_the_readme_are_what_zoo_says(tmp_path: Path, zoo: Any) -> None:
    """Two keys of a shipped recipe are misspelt, as in the README."""
    shown = next(block.text for block in BLOCKS if block.text.startswith("error: 2 mistakes"))
    path = workspace_in(tmp_path).recipes / "arabert.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("pooling:", "poling:", 1).replace("from:", "form:", 1), "utf-8")
    code, _, err = zoo("check", cwd=tmp_path)
    assert (code, re.sub(r"line \d+", "line N", err)) == (1, re.sub(r"line \d+", "line N", shown))


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_references_are_up_to_date(name: str) -> None:
    assert reference.untold() == []
    assert (ROOT / "docs" / name).read_text("utf-8") == reference.PAGES[name](), "run `make reference`"


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
