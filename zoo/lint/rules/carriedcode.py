"""The Python that a model's repository carries, and that loading it runs: whether it is there, and the card says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zoo.lint.finding import Problem
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule
from zoo.models.foreign.asked import CONFIGS, MODULES, OURS, names_in

TRUST = "trust_remote_code"
TRUSTED = re.compile(r"\btrust_remote_code\s*=\s*True\b")
CLASS = re.compile(r"\w+\.\w+|transformers_modules\..+")
"""A class in a file of the repository, or in a cache: of others, a library with its own loader may know them."""


def named_classes(repo: CheckedRepo) -> Iterator[tuple[str, str, str]]:
    """Find (file, key, class) of every class in `auto_map` and modules.json that is not sentence-transformers' own."""
    for file in CONFIGS:
        auto_map = repo.mapping(file).get("auto_map")
        for key, value in auto_map.items() if isinstance(auto_map, dict) else ():
            yield from ((file, str(key), one) for one in names_in(value))
    modules = repo.config(MODULES)
    for row in modules if isinstance(modules, list) else ():
        kind = row.get("type") if isinstance(row, dict) else None
        if isinstance(kind, str) and not kind.startswith(OURS):
            yield MODULES, "type", kind


def _file_of(reference: str) -> str:
    return f"{reference.rpartition('.')[0]}.py"


def _carried(repo: CheckedRepo) -> Iterator[tuple[str, str]]:
    """Find (file of code, file that names it) of what loading the model runs."""
    for file, _, reference in named_classes(repo):
        if _file_of(reference) in repo.files:
            yield _file_of(reference), file


@rule("L53", "untold-code", severity="warning", kinds=("model",))
def untold_code(repo: CheckedRepo) -> Iterator[Problem]:
    """The model carries code that loading it runs, and the card does not say so, or loads it without trust.

    Not flagged: `trust_remote_code` anywhere in the card and, where its snippets load the model, in one of them.
    """
    carried = next(_carried(repo), None)
    if carried is None:
        return
    what = f"loading this model runs its '{carried[0]}' (named in {carried[1]})"
    if TRUST not in repo.card.text:
        yield Problem(f"{what}, and the card does not say so", hint=f"say so, and load it with {TRUST}=True, pinned")
    elif not any(TRUSTED.search(code.text) for code in repo.card.snippets):
        for line in [line for line, name in repo.loaded if name == repo.id][:1]:
            yield Problem(f"{what}, and no snippet allows it", line, hint=f"add {TRUST}=True and a revision")


@rule("L54", "missing-code", kinds=("model",), card=False)
def missing_code(repo: CheckedRepo) -> Iterator[Problem]:
    """A config names a class in a file that the repository lacks, so that nobody can load the model.

    Not flagged: classes of other repositories (see L03), and those of packages with a loader of their own.
    """
    for file, key, reference in named_classes(repo):
        if CLASS.fullmatch(reference) and _file_of(reference) not in repo.files:
            hint = "save it again with the file beside it, or take the name out"
            yield Problem(f"{key} is '{reference}', and '{_file_of(reference)}' is not here", 1, file, hint)
