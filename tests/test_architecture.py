"""The folder is the architecture: imports point down, and starting up stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "zoo"

# Bottom to top; a module imports only from rows below its own. `zoo.hub` stands beside everything: it knows nobody.
ROWS = [
    {"zoo", "zoo.errors", "zoo.characters", "zoo.hub"},
    {"zoo.say", "zoo.arabic", "zoo.markdown"},
    {"zoo.registry", "zoo.run", "zoo.remote", "zoo.templates"},
    {"zoo.options"},
    {"zoo.losses", "zoo.steps", "zoo.modules", "zoo.tasks"},
    {"zoo.plugins"},
    {"zoo.recipe"},
    {"zoo.evidence"},
    {"zoo.models"},
    {"zoo.data", "zoo.train", "zoo.contamination", "zoo.evaluate", "zoo.cards", "zoo.miniature"},
    {"zoo.doctor", "zoo.lint"},
    {"zoo.publish", "zoo.leaderboard"},
    {"zoo.pipeline"},
    {"zoo.analysis", "zoo.submit"},
    {"zoo.cli"},
]
HEAVY = {"torch", "transformers", "sentence_transformers", "mteb", "datasets", "gradio", "huggingface_hub", "numpy"}
HEAVY |= {"matplotlib"}


def part(module: str) -> str:
    """The row entry that a module belongs to: zoo.recipe.schema -> zoo.recipe."""
    return ".".join(module.split(".")[:2])


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names if node.module == "zoo")}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {part(name) for name in found if name.split(".")[0] == "zoo"}


def known_parts() -> set[str]:
    return {f"zoo.{path.stem}" for path in PACKAGE.glob("*") if path.suffix in ("", ".py") and path.stem[0] != "_"}


def test_every_module_has_a_row() -> None:
    assert known_parts() - {"zoo.py"} <= set().union(*ROWS)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    names = ["zoo", *path.relative_to(PACKAGE).with_suffix("").parts]
    me = part(".".join(name for name in names if name != "__init__"))
    row = next(index for index, members in enumerate(ROWS) if me in members)
    below = set().union(*ROWS[:row], {me, "zoo"})
    if me == "zoo.hub":
        below = {"zoo", "zoo.hub"}
    modules = {name for name in imports(path) if is_module(name)}
    assert modules <= below, f"{me} imports upwards or sideways: {sorted(modules - below)}"


def is_module(name: str) -> bool:
    """Whether a name is a file or folder of ours, and not something that one of them defines."""
    path = PACKAGE / name.removeprefix("zoo").lstrip(".")
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["ls"],
        ["build", "--help"],
        ["leaderboard"],
        ["show", "e5-hybrid"],
        ["ls", "--tasks"],
        ["ls", "--modules"],
    ],
)
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom zoo.cli import main\n"
        f"sys.argv = ['zoo', *{arguments!r}]\n"
        "try:\n    main()\nfinally:\n    print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    imported = set(ast.literal_eval(done.stderr.strip().splitlines()[-1]))
    assert "zoo" in imported
    assert not imported & HEAVY
