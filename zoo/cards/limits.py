"""The limits of a model that a reviewer asks for, in sentences made of its recipe and of what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zoo.cards.facts import ModelFacts
from zoo.evidence.snippets import DIACRITICS
from zoo.languages import is_arabic
from zoo.licences import family, shares_alike
from zoo.markdown import Markdown, isolated
from zoo.plurals import enumerated
from zoo.recipe.chain import every_origin, own_steps
from zoo.recipe.dataset import Dataset, DatasetRelease, SourceWork
from zoo.tasks import TASKS

SEARCHES = ("Retrieval", "Reranking")
NAMES = {"ar": "Arabic", "en": "English", "fr": "French", "de": "German", "es": "Spanish", "tr": "Turkish"}
DIALECTS = {
    "arq": "Algerian",
    "ary": "Moroccan",
    "arz": "Egyptian",
    "apc": "Levantine",
    "acm": "Iraqi",
    "ars": "Najdi",
    "aeb": "Tunisian",
}


@dataclass(frozen=True)
class Limit:
    """A sentence or two about one thing that bounds what the model is good for."""

    about: str
    says: str


class ModelLimits:
    """The limits of a model, as far as its recipe and its scores say."""

    def __init__(self, facts: ModelFacts) -> None:
        self.facts = facts
        self.recipe = facts.recipe
        self.tasks = [TASKS[name] for name in facts.scores.tasks]
        self.is_arabic = is_arabic(self.recipe.release.language)

    @property
    def searches(self) -> list[str]:
        """The columns of the tasks that are searches; empty where none was measured."""
        return [task.column for task in self.tasks if task.kind in SEARCHES]

    @property
    def dialects(self) -> list[str]:
        """The columns of the tasks in one dialect, each with its name: 'SemRel24 (Moroccan)'."""
        codes = {task.column: task.subset.replace("-", "_").partition("_")[0] for task in self.tasks}
        return [f"{column} ({DIALECTS[code]})" for column, code in codes.items() if code in DIALECTS]

    @property
    def diacritics(self) -> float | None:
        """The cosine of one sentence with and without diacritics; None: not measured, or not for Arabic."""
        return self.facts.scores.snippets.diacritics if self.facts.scores.snippets else None

    @property
    def datasets(self) -> dict[str, Dataset]:
        """{dataset recipe: dataset} of the phases of the whole line."""
        uses = [(member, use) for member in self.recipe.lineage for phase in member.phases for use in phase.data]
        return {use.dataset: member.datasets[use.dataset] for member, use in uses if use.dataset in member.datasets}

    @property
    def translated(self) -> list[str]:
        """The datasets of which a program translated the texts, as far as recipes say."""
        return [name for name, dataset in self.datasets.items() if is_translated(dataset)]

    @property
    def trained_length(self) -> int | None:
        """The tokens at which the last phase cut texts; None: as the model does."""
        return self.recipe.phases[-1].train.max_seq_length

    def __iter__(self) -> Iterator[Limit]:
        yield Limit("For", self._purpose)
        yield Limit("Not for", NOT_FOR)
        yield Limit("Search", self._search)
        if self.is_arabic:
            yield Limit("Dialects", self._dialects)
            yield Limit("Diacritics", self._diacritics)
        if self.translated:
            yield Limit("Machine translation", self._translated)
        yield Limit("Length", self._length)
        yield Limit("Bias", BIAS)
        yield Limit("Licences", self._licences)

    @property
    def _purpose(self) -> str:
        names = [NAMES.get(code, code) for code in self.recipe.release.language]
        of = f" in {enumerated(names)}" if names else ""
        return f"comparing, grouping and finding near-duplicates of sentences and short texts{of}."

    @property
    def _search(self) -> str:
        if self.searches:
            return f"measured on {enumerated(self.searches)}, and on nothing else."
        return "finding the answer to a question among documents was not measured; no task here is a retrieval."

    @property
    def _dialects(self) -> str:
        trained = "The recipe does not say which dialects the training data are in"
        if self.dialects:
            return f"measured on {enumerated(self.dialects)}. {trained}."
        return f"no task here is in one dialect. {trained}: expect less of it on anything but standard Arabic."

    @property
    def _diacritics(self) -> str:
        if self.facts.words:
            return "measured: see How words are cut."
        if self.diacritics is None:
            return "what they change was not measured."
        plain, marked = DIACRITICS
        told = "they change a vector. The cosine of {} and {}, one sentence without and with them, is {:.2f}. {}"
        return Markdown(told).format(isolated(plain), isolated(marked), self.diacritics, "Write all texts one way.")

    @property
    def _translated(self) -> str:
        return (
            f"the texts of {enumerated(self.translated)} were translated by a program. How people write by "
            "themselves is rare in such text, and its mistakes were learnt."
        )

    @property
    def _length(self) -> str:
        cut = self.recipe.base.max_seq_length
        most = next((one.max_seq_length for one in self.facts.scores.subjects if one.role == "self"), None) or cut
        told = f"what is beyond {most:,} tokens of a text is not read" if most else "no limit is known"
        trained = self.trained_length
        if trained and most and trained < most:
            told += f"; in training texts were cut at {trained:,}, and longer ones were not practised"
        return f"{told}."

    @property
    def _licences(self) -> str:
        untold = [name for name, one in self.datasets.items() if one.release is None]
        works = [f"{work.title}: {work.license}" for work in self._works]
        parts = [f"this model is under {self.recipe.release.license}; the licences of its data are in the table above."]
        parts += [f"Those come from {', '.join(works)}."] if works else []
        parts += [ALIKE] if any(shares_alike(family(one.license)) for one in self._licensed) else []
        parts += [f"The licence of {enumerated(untold)} is not in the recipe."] if untold else []
        base = self.recipe.base
        parts += [] if base.in_folder else [f"That of {base.title} is on its own page."]
        return " ".join(parts)

    @property
    def _works(self) -> list[SourceWork]:
        """The works that the training data are made from, each once."""
        names = self.datasets
        return list({work.title: work for name in names for work in every_origin(name, names)}.values())

    @property
    def _licensed(self) -> list[SourceWork | DatasetRelease]:
        return [*self._works, *(one.release for one in self.datasets.values() if one.release)]


NOT_FOR = (
    "judging whether a text is true, or deciding about people. A cosine says how close two texts are to this model; "
    "which value is close enough depends on your texts, so choose it on some of them."
)
ALIKE = "Some ask that what is made from them be shared alike; whether that reaches a trained model is disputed."
BIAS = "what the base model and the training texts hold of prejudice is in the vectors too, and was not measured."


def is_translated(dataset: Dataset) -> bool:
    """Return whether a program translated a dataset's texts: in a step here, or before, as its recipe says."""
    return "translate" in own_steps(dataset)
