"""Whether a model can be built on, in words: what its tokenizer makes of words, and whether its numbers hold. Light."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from zoo.arabic import DIACRITICS
from zoo.characters import brief
from zoo.evidence.fragments import CutWords
from zoo.languages import is_arabic
from zoo.models.fragmentation import HOMOGRAPHS
from zoo.plurals import how_many

Language = Literal["ar", "en"]

MARKED = (
    "قَرَأَ الطَّالِبُ كِتَابًا جَدِيدًا فِي المَكْتَبَةِ",
    "ذَهَبَتِ المُعَلِّمَةُ إِلَى المَدْرَسَةِ فِي الصَّبَاحِ",
    "يَلْعَبُ الأَطْفَالُ قُرْبَ البَيْتِ الكَبِيرِ",
    "السَّمَاءُ صَافِيَةٌ وَالبَحْرُ هَادِئٌ اليَوْمَ",
    "كَتَبَ الرَّجُلُ رِسَالَةً طَوِيلَةً إِلَى صَدِيقِهِ",
    "شَرِبَتِ البِنْتُ كَأْسًا مِنَ المَاءِ البَارِدِ",
    "سَافَرَ التَّاجِرُ مِنَ المَدِينَةِ إِلَى القَرْيَةِ",
    "عَلِمَ الوَلَدُ أَنَّ العِلْمَ نُورٌ",
)
PLAIN: dict[Language, tuple[str, ...]] = {
    "ar": tuple(re.sub(*DIACRITICS, text) for text in MARKED),
    "en": (
        "the student read a new book in the library",
        "the teacher went to the school in the morning",
        "the children are playing near the big house",
        "the sky is clear and the sea is calm today",
        "the man wrote a long letter to his friend",
        "the girl drank a glass of cold water",
        "the merchant travelled from the city to the village",
        "the boy knew that knowledge is light",
    ),
}
NAMES: dict[Language, str] = {"ar": "Arabic", "en": "English"}

MOST_UNKNOWN = 0.05  # of the pieces of plain sentences
MOST_LETTERS = 0.8
FEWEST_ROWS = 1000  # of an embedding table; a smaller one is of letters or bytes on purpose, as ByT5's
LEAST_FILLED = 0.5  # of an embedding's rows, by the tokenizer
MOST_APART = 1e-4  # relative difference of two embeddings of one text, in float32
SAME = 1e-6  # relative difference between two processes of one machine and one thread
LONGEST_TRIED = 2048  # tokens; attention over more takes minutes on a CPU

REBUILT = "write pooling: mean and no encoder under `base`: zoo's own encoder then rebuilds it from the model's files"
OTHER_FILES = "take all of its files from one commit, or choose another model"
OF_CODE = "its code has to be put right by its authors; choose another model"


class BackboneReport(BaseModel):
    """The findings about one model. Null is what was not reached, or cannot be asked of such a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    language: Language | None
    """The language of the sentences that it was asked about; null: none that zoo has sentences in."""
    loaded: Literal["stock", "code", "rebuilt"] = "stock"
    """The way it was loaded: by the libraries alone, with code of its own, or with that and by zoo's encoder."""
    failed: str | None = None
    """The reason why it could not be loaded, or run at all."""
    hint: str | None = None
    vocabulary: int | None = None
    """Pieces of the tokenizer, without tokens that were added to them."""
    rows: int | None = None
    """Rows of the embedding: ids below have a vector."""
    plain: CutWords | None = None
    """Pieces of sentences without diacritics."""
    marked: CutWords | None = None
    """Pieces of the same sentences with them: Arabic alone."""
    told_apart: float | None = None
    """Share of homographs that are cut into other pieces because of their diacritics."""
    comes_back: float | None = None
    """Share of plain sentences whose letters are there again when their tokens are made text."""
    comes_back_marked: float | None = None
    """Share of sentences with diacritics that come back with them."""
    finite: bool | None = None
    """False when a number is none, in either process."""
    batch: float | None = None
    """Largest relative difference between a sentence alone and in a batch."""
    padding: float | None = None
    """Relative difference between a sentence alone and beside a long one."""
    order: float | None = None
    """Relative difference between a sentence and its words in reverse; null: it is no transformer."""
    processes: float | None = None
    """Largest relative difference between two processes that load it."""
    length: int | None = None
    """The longest text in tokens; longer ones are cut."""
    takes: int | None = None
    """The most tokens that it computes, where that is less than `length`."""
    beyond: str | None = None
    """The trouble with a text that is longer; null: it is cut, and all is well, or it is too long to be tried."""
    buffers: tuple[str, ...] = ()
    """Tensors that no file holds and that are not what the model's own code computes."""
    unlike: tuple[str, ...] = ()
    """Weights with other numbers than in the model's file."""
    made_up: int = 0
    """Weights that the file does not have."""

    def problems(self) -> list[str]:
        """Sentences on what is broken, each with its number, what it means and a hint; empty: it can be built on."""
        return [f"{what}: {hint}" for _, what, hint in self.troubles()]

    def table(self) -> list[dict[str, Any]]:
        """Everything in words: rows of what was looked at, what was found, and whether that is fine."""
        broken = {name for name, _, _ in self.troubles()}
        rows = [("loads", self.failed and "no"), *self._of_words(), *self._of_numbers()]
        return [
            {"looked at": _TITLES[name], "found": found, "fine": "no" if name in broken else _FINE.get(name, "yes")}
            for name, found in rows
            if found is not None
        ]

    def _of_words(self) -> Iterator[tuple[str, str | None]]:
        for name, title in (("per_word", "{:.1f}"), ("unknown", "{:.0%}"), ("letters", "{:.0%}")):
            both = [(getattr(one, name), kind) for one, kind in ((self.plain, "plain"), (self.marked, "marked")) if one]
            told = [f"{title.format(value)} {_KINDS[kind]}" for value, kind in both if value is not None]
            yield name, ", ".join(told) or None
        both = [(self.comes_back, "plain"), (self.comes_back_marked, "marked")]
        yield (
            "comes_back",
            ", ".join(f"{value:.0%} {_KINDS[kind]}" for value, kind in both if value is not None) or None,
        )
        count = len(HOMOGRAPHS)
        yield "told_apart", None if self.told_apart is None else f"{round(self.told_apart * count)} of {count}"
        yield "ids", None if self.rows is None else f"{self.vocabulary:,} pieces, {self.rows:,} vectors"

    def _of_numbers(self) -> Iterator[tuple[str, str | None]]:
        yield "finite", None if self.finite is None else "yes" if self.finite else "no"
        for name in ("batch", "padding", "order", "processes"):
            value = getattr(self, name)
            yield name, None if value is None else f"{value:.1e}" if value else "none"
        tried = "cut" if self.length and self.length <= LONGEST_TRIED else "not tried"
        yield "beyond", None if self.length is None else f"{self.length:,} tokens; longer: {self.beyond or tried}"
        loaded = self.finite is not None and (self.rows is not None or self.vocabulary is not None)
        yield "buffers", f"{len(self.buffers)} of other numbers" if loaded else None
        yield "unlike", f"{len(self.unlike)} of other numbers" if loaded else None

    @property
    def _way_out(self) -> str:
        """The hint for what libraries make wrongly of right files."""
        return {"stock": OTHER_FILES, "code": REBUILT, "rebuilt": OF_CODE}[self.loaded]

    def troubles(self) -> Iterator[tuple[str, str, str]]:
        """Find what is broken, causes first: (what was looked at, sentence, hint)."""
        if self.failed:
            yield "loads", self.failed, self.hint or OTHER_FILES
        yield from self._of_files()
        yield from self._of_tokens()
        yield from self._of_outputs()
        if self.beyond:
            fits = (
                f"set max_seq_length to {self.takes}"
                if self.takes
                else "set a max_seq_length that it has positions for"
            )
            yield "beyond", f"a text beyond its {self.length} tokens {self.beyond}", fits

    def _of_files(self) -> Iterator[tuple[str, str, str]]:
        if self.unlike:
            count = f"{len(self.unlike)} of its tensors {'has' if len(self.unlike) == 1 else 'have'}"
            what = f"{count} other numbers than its file ({_some(self.unlike)})"
            yield "unlike", f"{what}, as when code draws weights anew after they were read", self._way_out
        if self.buffers:
            what = f"{_tensors(self.buffers)} not what its code computes ({_some(self.buffers)})"
            yield "buffers", f"{what}: transformers left memory as it happened to be", self._way_out

    def _of_tokens(self) -> Iterator[tuple[str, str, str]]:
        if self.vocabulary is not None and self.rows is not None:
            what = f"its tokenizer has {self.vocabulary:,} pieces, and its embedding {self.rows:,} vectors"
            if self.vocabulary > self.rows:
                yield "ids", f"{what}, so that some pieces have none; the tokenizer is another model's", OTHER_FILES
            elif self.rows >= FEWEST_ROWS and self.vocabulary < LEAST_FILLED * self.rows:
                yield (
                    "ids",
                    f"{what}, so that most are never used; the tokenizer was not read as it was saved",
                    self._way_out,
                )
        if self.plain is None or self.language is None:
            return
        name = NAMES[self.language]
        if (unknown := self.plain.unknown or 0) > MOST_UNKNOWN:
            what = f"{unknown:.0%} of the pieces of plain {name} sentences are unknown to its tokenizer"
            yield (
                "unknown",
                f"{what}, which loses them",
                f"choose a model whose vocabulary has {name}, or its own tokenizer",
            )
        if (letters := self.plain.letters or 0) > MOST_LETTERS and (self.rows or 0) >= FEWEST_ROWS:
            what = f"words fall into letters ({letters:.0%} of the pieces of plain {name} sentences are single letters)"
            yield "letters", f"{what}, as when transformers gives a tokenizer an empty BPE", self._way_out

    def _of_outputs(self) -> Iterator[tuple[str, str, str]]:
        if self.finite is False:
            yield "finite", "some of its embeddings are no numbers (NaN or infinite)", self._way_out
        if (apart := self.processes) is not None and apart > SAME:
            why = f"; {self.made_up} weights are in no file and are made up" if self.made_up else ""
            what = f"two processes that load it give other embeddings (apart by {apart:.1e} of their length){why}"
            yield "processes", f"{what}, so that no score can be had again", self._way_out
        for name, beside in (("batch", "in a batch of others"), ("padding", "beside a longer one")):
            if (apart := getattr(self, name)) is not None and apart > MOST_APART:
                what = f"a sentence has another embedding {beside} (apart by {apart:.1e} of its length)"
                yield name, f"{what}, as when the attention mask is ignored", OF_CODE
        if self.order is not None and self.order <= SAME:
            yield "order", "the order of words changes nothing, as when positions are lost", self._way_out


_TITLES = {
    "loads": "loads",
    "per_word": "pieces for each word",
    "unknown": "unknown pieces",
    "letters": "pieces of one letter",
    "comes_back": "sentences that come back from their tokens",
    "told_apart": "homographs told apart by diacritics",
    "ids": "tokenizer and embedding",
    "finite": "every embedding is numbers",
    "batch": "difference alone and in a batch",
    "padding": "difference alone and beside a long text",
    "order": "difference when words change places",
    "processes": "difference between two processes",
    "beyond": "longest text",
    "buffers": "tensors that no file holds",
    "unlike": "weights beside their file",
}
_KINDS = {"plain": "plain", "marked": "with diacritics"}
_FINE = dict.fromkeys(("per_word", "comes_back", "told_apart"), "")  # told, and never a reason to refuse


def _tensors(names: Sequence[str]) -> str:
    return how_many(len(names), "tensor that no file holds is", "tensors that no file holds are")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"'{brief(names[0])}'{more}"


def language_of(languages: Sequence[str]) -> Language | None:
    """The language to ask a model about, of those that it is for; null: zoo has sentences in none of them."""
    if is_arabic(languages):
        return "ar"
    return "en" if {"en", "eng"} & {*languages} else None
