"""Runs the card's Python in a process of its own. It is somebody's code: only when the user asked for it."""

from __future__ import annotations

import re
import sys
import tempfile
import textwrap
from collections.abc import Iterable
from pathlib import Path

from zoo.isolation import own_environment, run_to_its_end
from zoo.lint.card import Code
from zoo.lint.finding import Problem
from zoo.lint.repo import CheckedRepo

LONGEST = 300  # seconds
SHELL = re.compile(
    r"^(\s*)(?:[!%$]|pip3? install |python3? [\w./-]+\.py|git clone |export \w+=|cd [\w./~-]+$).*$", re.MULTILINE
)
NAMED = """
import sys
with open(sys.argv.pop(), encoding="utf-8") as file:
    program = file.read()
exec(compile(program, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})
"""


def python(code: Code) -> str:
    """Return a snippet as a program: prompts and notebook commands gone, lines where they were."""
    text = textwrap.dedent(code.text)
    if re.search(r"^>>> ", text, re.MULTILINE):
        text = "\n".join(line[4:] if line.startswith((">>> ", "... ")) else "" for line in text.split("\n"))
    return SHELL.sub(r"\1pass", text)


def one_program(snippets: Iterable[Code]) -> str:
    """Return snippets as one program, each on the lines that it has in the card."""
    lines: list[str] = []
    for code in snippets:
        lines += [""] * (code.line - 1 - len(lines))
        lines += python(code).rstrip("\n").split("\n")
    return "\n".join(lines)


def run_snippets(repo: CheckedRepo) -> Problem | None:
    """Run all snippets in order, as one program whose line numbers are the README's; return the first failure.

    They have a home of their own with an empty cache, and none of our secrets. A folder that names itself is loaded
    from the folder: it may not be on the Hub yet.
    """
    program = _program(repo)
    if not program.strip():
        return None
    with tempfile.TemporaryDirectory(prefix="zoo-lint-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (work := folder / "work").mkdir()
        (folder / "program").write_text(program, "utf-8")
        log = folder / "errors.log"
        command = [sys.executable, "-c", NAMED, str(folder / "program")]
        code = run_to_its_end(command, work, own_environment(folder), log, seconds=LONGEST)
        said = log.read_text("utf-8", "replace")
    if code is None:
        return Problem(f"the snippets did not end within {LONGEST} seconds", repo.card.snippets[0].line)
    return _explained(said, repo) if code else None


def _program(repo: CheckedRepo) -> str:
    program = one_program(repo.card.snippets)
    if repo.folder and repo.id:
        program = re.sub(rf"""(["']){re.escape(repo.id)}\1""", lambda _: repr(str(repo.folder.absolute())), program)  # type: ignore[union-attr]
    return program


def _explained(said: str, repo: CheckedRepo) -> Problem:
    at = re.findall(r'File "README\.md", line (\d+)', said)
    line = int(at[-1]) if at else repo.card.snippets[0].line
    last = next((text for text in reversed(said.strip().splitlines()) if text.strip()), "no message")
    return Problem(f"the snippet fails: {last.strip()[:300]}", line)
