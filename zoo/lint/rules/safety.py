"""What must not be on a Hub: pickles, secrets, what does not belong in a repository."""

from __future__ import annotations

from collections.abc import Iterator

from zoo.lint import leaks, policy
from zoo.lint.files import MOST_BYTES, HubFile
from zoo.lint.finding import CARD, Problem
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule

TEXTS = (
    ".md",
    ".py",
    ".json",
    ".yaml",
    ".yml",
    ".txt",
    ".toml",
    ".cfg",
    ".ini",
    ".sh",
    ".env",
    ".ipynb",
    ".js",
    ".html",
)
BULKY = {"tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "special_tokens_map.json"}
MOST_SECRETS_BYTES = 1_000_000
MOST_REQUESTS = 40


@rule("L37", "pickle", card=False)
def pickle(repo: CheckedRepo) -> Iterator[Problem]:
    """A file that runs code when it is loaded: a pickle, beside safetensors or instead of them.

    Not flagged: `.bin` files of OpenVINO, ONNX and CTranslate2, which are no pickles.
    """
    return policy.pickles(repo.files)


@rule("L39", "secret", card=False)
def secret(repo: CheckedRepo) -> Iterator[Problem]:
    """Something that looks like a token, a key or a password; it is shown masked.

    Not flagged: placeholders (`hf_xxx`), commit ids, digests, vocabularies, files of more than a megabyte.
    """
    for path in _texts(repo):
        text = repo.files[path].head(MOST_BYTES).decode("utf-8", "replace")
        for found in leaks.find_secrets(text):
            hint = "revoke it now: what was published once is known"
            yield Problem(f"{found.kind}: {found.masked}", found.line, path, hint)


def _texts(repo: CheckedRepo) -> list[str]:
    names = [path for path in repo.files if path.endswith(TEXTS) or "." not in path.rpartition("/")[2].lstrip(".")]
    good = [
        path for path in names if path.rpartition("/")[2] not in BULKY and repo.files[path].size <= MOST_SECRETS_BYTES
    ]
    remote = any(isinstance(repo.files[path], HubFile) for path in good)
    return sorted(good, key=lambda path: (path != CARD, path))[: MOST_REQUESTS if remote else None]


@rule("L40", "file-policy", severity="warning", card=False)
def file_policy(repo: CheckedRepo) -> Iterator[Problem]:
    """Caches, checkpoints, symbolic links, or files that are too large for the Hub.

    Not flagged: the symbolic links of huggingface_hub's own cache.
    """
    return policy.strays(repo.files)


@rule("L48", "lfs-pointer", card=False)
def lfs_pointer(repo: CheckedRepo) -> Iterator[Problem]:
    """A file is only git LFS's pointer to it, so that whoever loads it finds a text of three lines.

    Not flagged: pointers that a text quotes.
    """
    for path in repo.pointers:
        yield Problem(f"'{path}' is a pointer of git LFS, not the file itself", 1, path, "git lfs pull")
