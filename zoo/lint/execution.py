"""Runs the card's Python in a process of its own. It is somebody's code: only when the user asked for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap

from zoo.lint.card import Code
from zoo.lint.finding import Problem
from zoo.lint.repo import CheckedRepo

LONGEST = 300  # seconds
SHELL = re.compile(
    r"^(\s*)(?:[!%$]|pip3? install |python3? [\w./-]+\.py|git clone |export \w+=|cd [\w./~-]+$).*$", re.MULTILINE
)
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN_PATH")


def python(code: Code) -> str:
    """Return a snippet as a program: prompts and notebook commands gone, lines where they were."""
    text = textwrap.dedent(code.text)
    if re.search(r"^>>> ", text, re.MULTILINE):
        text = "\n".join(line[4:] if line.startswith((">>> ", "... ")) else "" for line in text.split("\n"))
    return SHELL.sub(r"\1pass", text)


def run_snippets(repo: CheckedRepo) -> Problem | None:
    """Run all snippets in order, as one program whose line numbers are the README's; return the first failure.

    Tokens stay out of its environment. A folder that names itself is loaded from the folder: it may not be on the Hub
    yet.
    """
    program = _program(repo)
    if not program.strip():
        return None
    hidden = {name: value for name, value in os.environ.items() if name not in TOKENS}
    environment = {**hidden, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory(prefix="zoo-lint-") as place:
        command = [sys.executable, "-c", _named(program)]
        try:
            done = subprocess.run(
                command, cwd=place, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return Problem(f"the snippets did not end within {LONGEST} seconds", repo.card.snippets[0].line)
    return None if done.returncode == 0 else _explained(done, repo)


def _program(repo: CheckedRepo) -> str:
    lines: list[str] = []
    for code in repo.card.snippets:
        lines += [""] * (code.line - 1 - len(lines))
        lines += python(code).rstrip("\n").split("\n")
    program = "\n".join(lines)
    if repo.folder and repo.id:
        program = re.sub(rf"""(["']){re.escape(repo.id)}\1""", lambda _: repr(str(repo.folder.absolute())), program)  # type: ignore[union-attr]
    return program


def _named(program: str) -> str:
    return f"exec(compile({program!r}, 'README.md', 'exec', dont_inherit=True), {{'__name__': '__main__'}})"


def _explained(done: subprocess.CompletedProcess[str], repo: CheckedRepo) -> Problem:
    at = re.findall(r'File "README\.md", line (\d+)', done.stderr)
    line = int(at[-1]) if at else repo.card.snippets[0].line
    last = next((text for text in reversed(done.stderr.strip().splitlines()) if text.strip()), "no message")
    return Problem(f"the snippet fails: {last.strip()[:300]}", line)
