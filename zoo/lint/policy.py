"""Says which files belong in a repository: for the linter, and before every upload."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.lint.files import Files, Stored, held_files
from zoo.lint.finding import Finding, Problem
from zoo.lint.pickled import runs_code

LARGEST = 50 * 10**9  # bytes: what the Hub takes
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
WEIGHTS = re.compile(r"(?i)(?:^|/)[^/]*model[^/]*$")
LEAVE = "delete it, or leave it out of the upload"
STRAYS = (
    (
        re.compile(r"(^|/)(\.cache|__pycache__|\.ipynb_checkpoints|\.pytest_cache|\.mypy_cache|\.ruff_cache)(?=/)"),
        "a cache",
    ),
    (re.compile(r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini)$"), "a desktop's own file"),
    (re.compile(r"(^|/)(\.venv|venv|node_modules|\.idea|\.vscode)(?=/)"), "a tool's own folder"),
    (re.compile(r"(^|/)checkpoint-\d+(?=/)"), "a training checkpoint"),
    (re.compile(r"(^|/)(wandb|runs|lightning_logs|mlruns)(?=/.*(events\.out|\.wandb$|meta\.yaml$))"), "a training log"),
    (re.compile(r"\.(swp|swo|orig|rej|tmp|partial)$|~$"), "an editor's or a download's leftover"),
    (re.compile(r"(^|/)(\.env|\.netrc|\.git-credentials|id_rsa|id_ed25519|\.pypirc)$"), "a file of credentials"),
)


def check_policy(contents: Mapping[str, bytes | Path]) -> list[Finding]:
    """Return what of a release must not go up.

    Args:
        contents: {path in the repository: content}.
    """
    files = held_files(contents)
    found = [
        *(("L37", "pickle", one) for one in pickles(files)),
        *(("L40", "file-policy", one) for one in strays(files)),
    ]
    return [
        Finding(rule_id, name, "error", one.message, one.file, one.line or 1, one.hint) for rule_id, name, one in found
    ]


def pickles(files: Files) -> Iterator[Problem]:
    """Find files that run code when they are loaded, among those with the names that such files have."""
    for path, file in files.items():
        if path.lower().endswith(PICKLES) and runs_code(file):
            hint = "keep model.safetensors alone: save_pretrained writes it" if WEIGHTS.search(path) else LEAVE
            yield Problem(f"'{path}' is a pickle: loading it runs its code", 1, path, hint)


def strays(files: Files) -> Iterator[Problem]:
    """Find caches, checkpoints, leftovers, credentials, links, and files that are too large for the Hub."""
    seen = set()
    for path, file in files.items():
        if path.endswith("/"):
            yield Problem(f"'{path}' is a tool's own folder", 1, path, "delete it, or name it in .gitignore")
            continue
        for pattern, what in STRAYS:
            if found := pattern.search(path):
                place = path[: found.end()]
                if place not in seen:
                    yield Problem(f"'{place}' is {what}", 1, path, LEAVE)
                seen.add(place)
                break
        if file.size > LARGEST:
            yield Problem(
                f"'{path}' has {file.size / 1e9:.0f} GB, more than the Hub takes", 1, path, "cut it into shards"
            )
        if isinstance(file, Stored) and file.link:
            yield Problem(f"'{path}' is a symbolic link or no plain file", 1, path, "put the file itself there")
