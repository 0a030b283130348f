"""Whether a model is sound: its tokenizer beside its config, and with `--probe` what two processes load of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo.lint.files import MOST_BYTES
from zoo.lint.finding import Problem, Unchecked
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule
from zoo.models.backbone.probe import probe_backbone
from zoo.models.backbone.report import FEWEST_ROWS, LEAST_FILLED, language_of

TOKENIZER, WORDS = "tokenizer.json", "vocab.txt"
LONGEST_ENTRY = 60  # bytes of a piece and its number or score, far more than they have on the average
AGAIN = "save the tokenizer again from its original files, and look at what it makes of a sentence"


@rule("L55", "empty-tokenizer", kinds=("model",), card=False)
def empty_tokenizer(repo: CheckedRepo) -> Iterator[Problem]:
    """The vocabulary of tokenizer.json is empty, or not the one that config.json or vocab.txt speak of.

    Not flagged: a vocabulary that is padded, special tokens beyond it, tables of letters or bytes, files too long to
    read.
    """
    for path in sorted(path for path in repo.files if path.rpartition("/")[2] == TOKENIZER):
        folder = path.removesuffix(TOKENIZER)
        rows = _rows(repo.mapping(f"{folder}config.json"))
        size = repo.files[path].size
        if size > MOST_BYTES or (rows and size > LONGEST_ENTRY * rows):
            continue  # so much cannot be far too little
        if (found := _wrong(repo, folder, repo.mapping(path), rows)) is not None:
            yield Problem(found, 1, path, AGAIN)


def _wrong(repo: CheckedRepo, folder: str, tokenizer: dict[str, Any], rows: int | None) -> str | None:
    """Return a sentence on what is wrong with a tokenizer."""
    model = tokenizer.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict | list) or not isinstance(model, dict):
        return None
    added, kind = tokenizer.get("added_tokens"), model.get("type")
    pieces, count = len(vocabulary), len(vocabulary) + (len(added) if isinstance(added, list) else 0)
    if pieces == 0:
        return "the vocabulary is empty: every text becomes unknown tokens, or nothing"
    if kind == "BPE" and not model.get("merges") and f"{folder}{WORDS}" in repo.files and _is_wordpiece(repo, folder):
        return f"a BPE of {pieces:,} pieces without merges, and {WORDS} is of WordPiece: words fall into letters"
    if rows is None or rows < FEWEST_ROWS:
        return None
    if count < LEAST_FILLED * rows:
        return f"{count:,} pieces, and config.json has vocab_size {rows:,}: most vectors are never used"
    return f"{pieces:,} pieces, and config.json has vocab_size {rows:,}: some have no vector" if pieces > rows else None


def _rows(config: dict[str, Any]) -> int | None:
    texts = config.get("text_config")
    found = {**config, **(texts if isinstance(texts, dict) else {})}.get("vocab_size")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _is_wordpiece(repo: CheckedRepo, folder: str) -> bool:
    words = repo.files[f"{folder}{WORDS}"].head(MOST_BYTES).decode("utf-8", "replace").split("\n")
    return any(word.startswith("##") for word in words)


@rule("L56", "broken-backbone", kinds=("model",), card=False)
def broken_backbone(repo: CheckedRepo) -> Iterator[Problem]:
    """Words fall into letters, or embeddings are no numbers, or differ: found with `--probe`, by loading it twice.

    Not flagged: what a tokenizer makes of diacritics, and words of languages that zoo has no sentences in.
    """
    if repo.model is None:
        return
    report = probe_backbone(repo.model, language_of(repo.strings("language")))
    if report.failed and report.hint:  # it was not loaded: nothing is known of what it computes
        raise Unchecked(report.failed)
    for _, what, hint in report.troubles():
        yield Problem(what, 1, "config.json", hint)
