"""How the tokenizers of the models that were measured cut the words of a task, as data: why they differ on them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from zoo.errors import EvaluationError

FILE = "fragmentation.json"
"""Of evaluate, where a task's rows are words in groups: a `WordsReport`."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CutWords(_Fact):
    """The pieces that words are cut into, of a task or of sentences.

    Every share is 0 to 1; null where there is nothing to count.
    """

    per_word: float | None
    """Pieces for each word."""
    unknown: float | None
    """Share of the pieces that stand for what the tokenizer does not know."""
    letters: float | None
    """Share of single letters, or of parts of one, among the pieces with letters."""


class ModelCuts(_Fact):
    """One model's way with the words of a task."""

    plain: CutWords
    """The words without their diacritics."""
    marked: CutWords
    """The words that have diacritics, with them."""
    told_apart: float
    """Share of pairs of words that only diacritics tell apart and that are cut into other pieces, 0 to 1."""


class WordsReport(_Fact):
    """The ways of all subjects' tokenizers with one task's words."""

    task: str
    plain: int
    """Number of distinct words without diacritics."""
    marked: int
    """Number of distinct words that have some."""
    models: dict[str, ModelCuts]
    """{name of a subject: its cuts}; without those that have no vocabulary of pieces, as the baseline."""


def read_fragments(folder: Path) -> WordsReport | None:
    """The report of a finished evaluate stage on tokenizers; None where its suite has no task of words.

    Raises:
        EvaluationError: the file is damaged.
    """
    if not (folder / FILE).is_file():
        return None
    try:
        return WordsReport.model_validate_json((folder / FILE).read_bytes())
    except ValidationError:
        hint = f"zoo build {folder.parent.name} --force {folder.name}"
        raise EvaluationError(f"'{folder / FILE}' holds no report on words", hint=hint) from None
