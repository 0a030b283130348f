"""The folder is the architecture: imports point down, and starting up stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "zoo"

# Bottom to top; a module imports only from rows below its own. `zoo.hub` stands beside everything: it knows nobody.
ROWS = [
    {"zoo", "zoo.errors", "zoo.characters", "zoo.plurals", "zoo.hub"},
    {
        "zoo.say",
        "zoo.extras",
        "zoo.arabic",
        "zoo.markdown",
        "zoo.layout",
        "zoo.environment",
        "zoo.cameldata",
        "zoo.metadata",
        "zoo.licences",
        "zoo.languages",
    },
    {"zoo.patience", "zoo.ids"},
    {"zoo.registry", "zoo.run", "zoo.remote", "zoo.templates", "zoo.isolation", "zoo.figures", "zoo.raycluster"},
    {"zoo.options", "zoo.translation"},
    {"zoo.audit", "zoo.review"},
    {"zoo.losses", "zoo.steps", "zoo.modules", "zoo.tasks"},
    {"zoo.plugins"},
    {"zoo.recipe"},
    {"zoo.evidence", "zoo.curves"},
    {"zoo.models", "zoo.stage"},
    {"zoo.data", "zoo.train", "zoo.contamination", "zoo.evaluate", "zoo.cards", "zoo.miniature"},
    {"zoo.doctor", "zoo.lint"},
    {"zoo.publish", "zoo.leaderboard"},
    {"zoo.pipeline"},
    {"zoo.analysis", "zoo.ci", "zoo.depot", "zoo.inquiry", "zoo.quality", "zoo.submit", "zoo.mirror", "zoo.work"},
    {"zoo.starting"},
    {"zoo.cli"},
]
HEAVY = {"torch", "transformers", "sentence_transformers", "mteb", "datasets", "gradio", "huggingface_hub", "numpy"}
HEAVY |= {"matplotlib"}

# Names that several things have on purpose: the reason.
STAGE_FUNCTIONS = ("needs", "part", "ingredients", "spec", "work")
SHARED_NAMES = {
    **dict.fromkeys(STAGE_FUNCTIONS, "every stage has them, for its row of the table"),
    "render": "every format of tables is written so, and is called through its module",
}

# Private names of libraries that are used where there is no public one: why, and the tests that notice when they change.
PRIVATE_NAMES = {
    "_exit": "os: ends a process whose parent is gone, whatever its threads do; documented (test_many)",
    "_generate": "jinja2 calls it to make source of a template, which is overridden (test_templates)",
    "_hf_langs_to_iso_lang_scripts": "mteb knows the languages of datasets by no other name (test_submit)",
    "_calculate_scores": "mteb scores one split of a task by no other name (test_tasks)",
    "_undersample_data": "mteb chooses a classifier's training rows by no other name (test_tasks)",
    "_n_gpu": "transformers' arguments take all GPUs, and no option says one (test_many)",
    "_attn_implementation": "transformers sets it by a public method, and tells it by no public name (test_packing)",
    "_infer_flatten_position_offset": "sentence-transformers: where RoBERTa's positions begin (test_packing)",
    "_flatten_position_offset": "sentence-transformers would add to positions what the collator has (test_packing)",
}


def part(module: str) -> str:
    """The row entry that a module belongs to: zoo.recipe.schema -> zoo.recipe."""
    return ".".join(module.split(".")[:2])


@cache
def import_nodes(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The imports of a file, wherever in it; several tests ask, and parsing it is what takes long."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, wherever in it."""
    found = set()
    for node in import_nodes(path):
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


MODULES = {
    ".".join(["zoo", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "bundles" not in path.parts  # code of stand-ins, as foreign repositories have it: data
}


def imported_modules(path: Path) -> set[str]:
    """Modules of ours that a file imports, at its top, for its types or inside a function."""
    found = set()
    for node in import_nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & MODULES.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = TopologicalSorter({name: imported_modules(path) - {name} for name, path in MODULES.items()})
    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def public_names() -> dict[str, list[str]]:
    """{a public class or function: the modules that define one of that name}.

    Commands and routes are none. The local Hub has a module for each of its tables, and calls functions through it
    (`repos.find`, `trees.find`): of the Hub only classes count.
    """
    found: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        kinds: tuple[type[ast.stmt], ...] = (ast.ClassDef,)
        if not module.startswith("zoo.hub"):
            kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for node in ast.parse(path.read_text("utf-8")).body if not module.startswith("zoo.cli") else ():
            if isinstance(node, kinds) and node.name[0] != "_":
                found.setdefault(node.name, []).append(module)
    return found


def test_one_name_stands_for_one_thing() -> None:
    twice = {name: modules for name, modules in public_names().items() if len(modules) > 1}
    assert {name: twice[name] for name in twice.keys() - SHARED_NAMES.keys()} == {}
    assert SHARED_NAMES.keys() <= twice.keys(), "a name that only one thing has needs no reason"


def test_commits_are_made_in_one_place() -> None:
    made = {str(path.relative_to(PACKAGE)) for path in MODULES.values() if ".create_commit" in path.read_text("utf-8")}
    assert made == {"publish/apply/commit.py"}


def private_names() -> set[str]:
    """Names with one underscore that our code asks things of others for, and defines nowhere."""
    trees = [ast.parse(path.read_text("utf-8")) for path in MODULES.values()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    ours = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    asked = {node.attr for node in nodes if isinstance(node, ast.Attribute) and not is_of_self(node)}
    asked |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in asked - ours if name.startswith("_") and not name.startswith("__")}


def is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_private_names_of_libraries_have_a_reason() -> None:
    assert private_names() == PRIVATE_NAMES.keys() - {"_generate"}


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [one for extra, of in project["optional-dependencies"].items() if extra != "dev" for one in of]
    declared = [*project["dependencies"], *extras]
    names = {re.split(r"[<>=]", one)[0].lower().replace("-", "_") for one in declared}
    known = {name: {one.lower().replace("-", "_") for one in of} for name, of in packages_distributions().items()}
    nodes = [node for path in MODULES.values() for node in import_nodes(path)]
    found = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and node.level == 0}
    found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    foreign = (
        {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"zoo", "pytest"}
    )  # pytest loads zoo.hub.testing itself
    assert {name for name in foreign if not known.get(name, {name}) & names} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["ls"],
        ["build", "--help"],
        ["leaderboard"],
        ["show", "e5-hybrid"],
        ["check"],
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


def test_a_package_is_pinned_in_one_file() -> None:
    """Two pins of one package part ways, and then nothing can be installed."""
    pinned = [
        {line.split("==")[0].strip().casefold() for line in path.read_text("utf-8").splitlines() if "==" in line}
        for path in (PACKAGE.parent / "constraints.txt", PACKAGE.parent / "tests/conformance/requirements.txt")
    ]
    assert not pinned[0] & pinned[1]
