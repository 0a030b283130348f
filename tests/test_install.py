"""A light install: what it holds, what works in it, and how a command asks for the extra that it needs.

The quick tests keep from a process all that `pip install hub-zoo` would not bring. Those that install for real, from
PyPI, are `network`: `make install-check`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from conftest import RECIPE, ROOT, SCALE, Lab
from hatchling.build import prepare_metadata_for_build_wheel

from zoo import extras

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HEAVY = {"torch", "transformers", "sentence_transformers", "mteb", "gradio", "datasets", "polars", "pyarrow", "scipy"}
HEAVY |= {"matplotlib", "pandas", "sklearn", "accelerate", "ray"}
MOST_MEGABYTES = 200  # of a light install's site-packages, pip's own among them

ABSENT = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""
SEVERAL = """
import contextlib, io, json, sys
from zoo import say
from zoo.cli import main

answers = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["zoo", *arguments]
    say.configure(json=False)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            answers.append([int(end.code or 0), out.getvalue(), err.getvalue()])
heavy = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([answers, heavy]))
"""


def named(requirement: str) -> str:
    """The package of a requirement, as metadata are looked up by."""
    return re.split(r"[\s<>=;\[(!~]", requirement)[0].lower().replace("_", "-")


def closure(packages: list[str]) -> set[str]:
    """Packages and all that they bring, without their extras."""
    found: set[str] = set()
    while packages:
        name = named(packages.pop())
        if name not in found:
            found.add(name)
            packages += [
                line for line in distribution(name).requires or () if "extra ==" not in line and _is_for_us(line)
            ]
    return found


def _is_for_us(requirement: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate()


LIGHT = closure(list(PROJECT["dependencies"]))
MODULES = {
    module: {name.lower().replace("_", "-") for name in packages}
    for module, packages in packages_distributions().items()
}


@pytest.fixture(scope="session")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the metadata of this very checkout, as pip would write them."""
    folder = tmp_path_factory.mktemp("metadata")
    with contextlib.chdir(ROOT):
        prepare_metadata_for_build_wheel(str(folder))
    return folder


def environment(folder: Path, metadata: Path, *held: str) -> dict[str, str]:
    """The environment of processes in which nothing can be imported but what a light install and `held` bring."""
    there = LIGHT | closure([*held])
    absent = {module for module, packages in MODULES.items() if not packages & (there | {"hub-zoo"})}
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(ABSENT.format(absent=absent), "utf-8")
    paths = os.pathsep.join(map(str, (folder, metadata, ROOT)))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MTEB_"))}
    return {**clean, "PYTHONPATH": paths, "HOME": str(folder), "COLUMNS": "120"}


class Light:
    """`zoo` as a light install would run it."""

    def __init__(self, folder: Path, metadata: Path, *held: str) -> None:
        self.environment = environment(folder, metadata, *held)

    def zoo(self, *arguments: str, cwd: Path) -> Any:
        command = [sys.executable, "-m", "zoo.cli", *arguments]
        return subprocess.run(command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False)

    def several(self, commands: list[list[str]], cwd: Path) -> tuple[list[Any], set[str]]:
        """What several commands in one process answered, and the modules that it had loaded then."""
        code = [sys.executable, "-c", SEVERAL, json.dumps(commands)]
        done = subprocess.run(code, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers, modules = json.loads(done.stdout)
        return [SimpleNamespace(code=code, out=out, err=err) for code, out, err in answers], set(modules)


@pytest.fixture(scope="session")
def light(metadata: Path, tmp_path_factory: pytest.TempPathFactory) -> Light:
    return Light(tmp_path_factory.mktemp("light"), metadata)


@pytest.fixture
def declared(metadata: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The extras in this process are those of the checkout, whatever was installed when."""
    monkeypatch.syspath_prepend(metadata)
    extras.modules.cache_clear()
    yield
    extras.modules.cache_clear()


def test_a_light_install_brings_nothing_heavy() -> None:
    brought = {module for module, packages in MODULES.items() if packages & LIGHT}
    assert brought.isdisjoint(HEAVY)
    assert {"click", "rich", "pydantic", "huggingface_hub", "starlette", "numpy"} <= brought


@pytest.mark.usefixtures("declared")
def test_extras_are_those_of_the_metadata_by_the_names_of_their_modules() -> None:
    known = extras.modules()
    assert known.keys() == PROJECT["optional-dependencies"].keys() == {*extras.CHOICES, "all", "dev"}
    assert set(known["all"]) == {module for extra in extras.CHOICES for module in known[extra]}
    assert {module for module in known["all"] if module not in MODULES} == set()
    assert set(known["data"]) < set(known["eval"]) < set(known["train"])
    assert [extras.extra_of(name) for name in ("polars", "torch", "accelerate", "gradio", "peft", "click")] == [
        "data", "eval", "train", "space", "lora", None
    ]  # fmt: skip


ASKED = {
    "build arabert-hybrid": ("'zoo build' needs the extra 'train'", "train"),
    "data build": ("'zoo data build' needs the extra 'data'", "data"),
    "data check rows.csv": ("'zoo data check' needs the extra 'data'", "data"),
    "data review arabic-stsb --serve": ("'zoo data review' needs the extra 'data'", "data"),
    "eval some/model": ("'zoo eval' needs the extra 'eval'", "eval"),
    "compare a b": ("'zoo compare' needs the extra 'eval'", "eval"),
    "errors a": ("'zoo errors' needs the extra 'eval'", "eval"),
    "lint arabert-hybrid --probe": ("'zoo lint --probe' needs the extra 'eval'", "eval"),
    "lint recipes --snippets": ("'zoo lint --snippets' needs the extra 'eval'", "eval"),
    "submit mteb a --clone .": ("'zoo submit mteb' needs the extra 'eval'", "eval"),
    "check arabert-hybrid --probe": ("'zoo check --probe' needs the extra 'train'", "train"),
    "leaderboard --format html": ("'zoo leaderboard --format html' needs the extra 'eval'", "eval"),
    "leaderboard --format png --out pictures": ("'zoo leaderboard --format png' needs the extra 'eval'", "eval"),
    "leaderboard --out pictures": ("'zoo leaderboard --out' needs the extra 'eval'", "eval"),
    "curve arabert-hybrid --out a.png": ("'zoo curve --out' needs the extra 'eval'", "eval"),
    "space serve": ("'zoo space serve' needs the extra 'space'", "space"),
    "demo": ("'zoo demo' needs the extras 'train' and 'space'", "train,space"),
    "hub seed --root hub": ("what fills the local Hub needs the extra 'eval'", "eval"),
}


def test_a_command_asks_for_its_extra_before_it_does_anything(light: Light, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    before = sorted(tmp_path.rglob("*"))
    answers, _ = light.several([command.split() for command in ASKED], cwd=tmp_path)
    for command, answer in zip(ASKED, answers, strict=True):
        said, hint = ASKED[command]
        assert answer.code == 1, command
        problem, way = answer.err.splitlines()
        assert re.fullmatch(rf"error: {re.escape(said)}: '\w+'( and \d+ more are| is) not installed", problem)
        assert way == f"hint: pip install 'hub-zoo[{hint}]'"
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and "hub" not in path.parts] == []


def test_an_import_deeper_down_ends_in_the_same_sentence(light: Light, tmp_path: Path) -> None:
    """Of a plugin that imports torch too, which makes every command of its workspace need it."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    code = "import sys\nfrom zoo import cli\ncli.cli.main = lambda **_: __import__('polars.selectors')\ncli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=light.environment, capture_output=True, text=True, check=False
    )
    told = "error: this needs the extra 'data': 'polars' is not installed\nhint: pip install 'hub-zoo[data]'\n"
    assert (done.returncode, done.stderr) == (1, told)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text("import torch\n", "utf-8")
    done = light.zoo("ls", cwd=tmp_path)
    assert done.stderr == "error: plugins/mine.py, line 1: no module 'torch'\nhint: pip install 'hub-zoo[eval]'\n"


def test_what_ci_tries_of_a_light_install_works_in_one(light: Light, tmp_path: Path) -> None:
    """The commands of .github/workflows/seams.yml, each in a line of its own, where the first that fails ends the job."""
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "seams.yml").read_text("utf-8"))["jobs"]["light"]
    script = job["steps"][-1]["run"]
    start, enter, *rest = [line for line in script.splitlines() if not line.startswith("python")]
    assert (enter, "&&" in script) == ("cd lab", False)
    commands = [re.split(r" (?:>|\|\|) ", line)[0].split()[1:] for line in (start, *rest)]
    (made,), _ = light.several(commands[:1], cwd=tmp_path)
    answers, _ = light.several(commands[1:], cwd=tmp_path / "lab")
    for line, answer in zip((start, *rest), (made, *answers), strict=True):
        assert answer.code in ((0, 1) if "test $? -eq 1" in line else (0,)), (line, answer.err)


@pytest.fixture(scope="module")
def built(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained lab, with a local Hub of its own that is empty."""
    return shutil.copytree(lab.workspace.root, tmp_path_factory.mktemp("built") / "lab")


def test_what_others_built_is_shown_by_a_light_install(light: Light, built: Path) -> None:
    of_scale = ["--scale", SCALE]
    commands = [["ls", *of_scale], ["show", RECIPE], ["check"], ["card", RECIPE, *of_scale], ["leaderboard", *of_scale]]
    commands += [
        ["curve", RECIPE, *of_scale],
        ["logs", RECIPE, *of_scale],
        ["lint", f"runs/{SCALE}/{RECIPE}/card", "--offline"],
    ]
    answers, modules = light.several(commands, cwd=built)
    assert [answer.code for answer in answers] == [0] * len(commands), [answer.err for answer in answers]
    assert re.search(rf"^{RECIPE} .* {SCALE} *$", answers[0].out, re.MULTILINE), "built whole at that scale"
    assert "SentenceTransformer" in answers[3].out
    assert "nothing found" in answers[-1].out
    assert modules.isdisjoint(HEAVY)


def test_tables_that_nobody_could_search_stay_here_and_proofs_are_owed(light: Light, built: Path) -> None:
    """The Parquet files of a dataset are published where they can be searched; a model's proof comes later."""
    name, way = "arabert-matryoshka", "pip install 'hub-zoo[data]'"
    asked = ["--scale", SCALE, "--hub", "local"]
    plan = light.zoo("plan", name, *asked, cwd=built)
    assert plan.returncode == 2, plan.stderr
    assert f"  ! data/train-00000-of-00001.parquet cannot be searched for secrets here: {way}" in plan.stdout
    with unpublished(built, "arabic-nli-triplet", "arabic-stsb"):
        done = light.zoo("publish", name, "--yes", *asked, cwd=built)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not proved yet: to load it back, pip install 'hub-zoo[eval]'" in done.stderr
    owed = [line.split()[1] for line in json.loads((built / ".zoo" / "owed.json").read_text("utf-8"))]
    assert owed == ["model"]
    drawn = "left as they are, as their pictures cannot be drawn here: arabic-similarity, arabic-leaderboard"
    assert f"{drawn}; {way}" in plan.stdout + plan.stderr


@contextlib.contextmanager
def unpublished(built: Path, *datasets: str) -> Iterator[None]:
    """For the length of the block these datasets stay here: what needs them does not wait for them."""
    texts = {path: path.read_text("utf-8") for name in datasets for path in built.glob(f"recipes/datasets/{name}.yaml")}
    for path, text in texts.items():
        path.write_text(re.sub(r"(?ms)^release:.*?(?=^\S|\Z)", "", text), "utf-8")
    yield
    for path, text in texts.items():
        path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def ran(*command: str | Path, cwd: Path) -> str:
    """What a command printed, in an environment without our modules."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTHON"))}
    return subprocess.run(command, cwd=cwd, env=clean, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
@pytest.mark.network
def test_a_light_wheel_is_small_and_enough(wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From PyPI into an empty environment outside the checkout, and used there."""
    ran(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    bin, began = tmp_path / "venv" / "bin", time.monotonic()
    ran(bin / "pip", "install", "--quiet", wheel, cwd=tmp_path)
    seconds, packages = time.monotonic() - began, next((tmp_path / "venv" / "lib").glob("*/site-packages"))
    megabytes = sum(path.lstat().st_blocks * 512 for path in packages.rglob("*")) / 1e6
    with capsys.disabled():
        print(f"\nlight install: {megabytes:.0f} MB in {seconds:.0f} s")
    assert megabytes < MOST_MEGABYTES
    absent = f"import importlib.util as u; print([name for name in {sorted(HEAVY)} if u.find_spec(name)])"
    assert ran(bin / "python", "-c", absent, cwd=tmp_path) == "[]\n"
    ran(bin / "zoo", "init", "lab", "--like", "gate", cwd=tmp_path)
    lab = tmp_path / "lab"
    listed = json.loads(ran(bin / "zoo", "ls", "--json", cwd=lab))
    assert len(listed["recipes"]) >= 1
    assert "fine" in ran(bin / "zoo", "check", cwd=lab)
    (lab / "card").mkdir()
    (lab / "card" / "README.md").write_text("---\nlicense: mit\n---\n\n# A model\n", "utf-8")
    assert "rules looked" in ran(bin / "zoo", "lint", "card", "--offline", cwd=lab)


UV = """#!/bin/sh
# What uv does for `hf extensions install`, with pip; the repository's archive is this checkout.
case "$1" in
  venv) exec "{python}" -m venv "$2" ;;
  pip) exec "$5" -m pip install --quiet "{wheel}" ;;
esac
"""


@pytest.mark.slow
@pytest.mark.network
def test_hf_runs_us_as_an_extension(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By huggingface_hub's own code, from where it has made the environment: it fetches from GitHub by uv, or by pip."""
    from huggingface_hub.cli import extensions

    (tmp_path / "uv").write_text(UV.format(python=sys.executable, wheel=wheel), "utf-8")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert extensions._normalize_repo_id("lab/hf-zoo") == ("lab", "hf-zoo", "zoo")
    where = {"owner": "lab", "repo_name": "hf-zoo", "short_name": "zoo"}
    place = extensions._install_python_extension(extension_dir=tmp_path / "hf-zoo", **where)
    assert ran(place, "--version", cwd=tmp_path).startswith("zoo, version ")
    assert extensions._execute_extension_binary(place, ["ls", "--losses"]) in (0, 1)
