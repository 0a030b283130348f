"""Names and docstrings can be read alone: every public thing says what it is, and no module hides one of Python's."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A docstring begins with a verb or with the noun that comes out. These words begin riddles instead ("Of a conflict.",
# "As the other one, unless it was heard."); 'whether' may stand, since a sentence with it is understood alone.
RIDDLES = """
    after again also although and as at because before beside but by for from how if in inside into it its nor not of on
    only or since so than that their them then there these they those though to unless until what when where which while
    who whom whose why with within without
"""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def sources() -> list[str]:
    paths = [path for folder in ("zoo", "spaces") for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths if "bundles" not in path.parts)


def definitions(node: ast.Module | ast.ClassDef, above: str = "") -> Iterator[tuple[str, Definition]]:
    """(name, node) of functions, classes and methods, except those inside of functions."""
    for inner in node.body:
        if isinstance(inner, Definition):
            yield f"{above}{inner.name}", inner
        if isinstance(inner, ast.ClassDef):
            yield from definitions(inner, f"{above}{inner.name}.")


def is_command(node: Definition) -> bool:
    """True for a click command, whose docstring is the help that `zoo NAME -h` prints."""
    called = [ast.unparse(found.func) for found in node.decorator_list if isinstance(found, ast.Call)]
    return any(name in ("command", "click.command", "click.group") for name in called)


def complaint(name: str, node: Definition) -> str | None:
    """What is wrong with a docstring; None when nothing is."""
    text = ast.get_docstring(node)
    if text is None:
        public = not any(part.startswith("_") for part in name.split("."))
        return "has none" if public and not is_command(node) else None
    summary = text.partition("\n\n")[0]
    first = summary.split()[0].lower().rstrip(".,:;") if summary else ""
    if first in RIDDLES.split() and not is_command(node):  # a command's name stands beside its help
        return f"begins with '{first}'"
    return None if summary.endswith(".") and " " in summary else f"is no sentence: '{summary}'"


@pytest.mark.parametrize("path", sources())
def test_every_public_thing_has_a_docstring_that_can_be_read_alone(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    wrong = {name: why for name, node in definitions(tree) if (why := complaint(name, node))}
    assert not wrong, "\n".join(f"{path}: the docstring of {name} {why}" for name, why in wrong.items())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def f(): 'Of a conflict.'", "begins with 'of'"),
        ("def f(): 'What others cannot count on.'", "begins with 'what'"),
        ("def _f(): 'As: the other one.'", "begins with 'as'"),
        ("class C: 'A thing'", "is no sentence: 'A thing'"),
        ("class C: 'Branches.'", "is no sentence: 'Branches.'"),
        ("def f(): pass", "has none"),
        ("def _f(): pass", None),
        ("@command('f')\ndef f(): pass", None),
        ("@command('f')\ndef f(): 'Where models err.'", None),
        ("def f(): 'True when both agree.'", None),
    ],
)
def test_riddles_are_found(source: str, why: str | None) -> None:
    ((name, node),) = definitions(ast.parse(source))
    assert complaint(name, node) == why


def test_no_module_has_the_name_of_one_of_pythons() -> None:
    names = {path: {*Path(path).with_suffix("").parts} for path in sources()}
    assert {path for path, parts in names.items() if parts & sys.stdlib_module_names} == set()
