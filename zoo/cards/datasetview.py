"""What a dataset's card says: its recipe, and the reports of the data stage, as the template reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, TypeVar

from zoo.cards.columns import CLASSES, is_read_from, meaning
from zoo.languages import RIGHT_TO_LEFT, is_arabic
from zoo.layout import shard_name
from zoo.options import Options
from zoo.plurals import how_many
from zoo.recipe import Dataset
from zoo.recipe.chain import own_steps
from zoo.recipe.dataset import SourceWork
from zoo.steps import STEPS
from zoo.steps.step import with_intervals

JUDGING = ("audit", "review")  # steps that have a section of their own
MADE_BY = {"translate": "machine-translated", "audit": "audited", "review": "human-reviewed"}
"""{step: the tag of datasets that went through it}."""
MOST_REASONS = 12
"""Reasons of a step that are listed; what is rarer is counted together."""

Report = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class DatasetFacts:
    """All that the card of a dataset is made from."""

    id: str
    dataset: Dataset
    sizes: Mapping[str, Sequence[int]]
    """{split: the bytes of each file that it is published in}."""
    report: Report
    """What the data stage wrote of the rows."""
    source: Report
    """What the data stage wrote of their sources."""
    notes: Mapping[str, Sequence[Report]] = field(default_factory=dict)
    """{split: notes of its steps}, as in steps.json."""
    glance: Report = field(default_factory=dict)
    """{split: its bytes in memory, and some of its rows}."""
    parents: Mapping[str, str | None] = field(default_factory=dict)
    """{dataset of the workspace that rows come from: its id on the Hub; None where it is not published}."""
    above: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """{dataset of the workspace that rows come from: the steps that they went through there, or before}."""
    checked: Report | None = None
    """What `zoo data check` found."""
    models: Sequence[str] = ()
    """Hub ids of the lab's models that are trained on it."""
    shows_rows: bool = True
    """False where not everybody may read the rows: the card holds none of them."""

    @property
    def went_through(self) -> list[str]:
        """The types of its steps, and what stays true of texts whatever is made of them: some are translated, or all
        are audited."""
        before = [self.above.get(source.parent or "", ()) for source in self.dataset.every_source]
        translated = ["translate"] if any("translate" in steps for steps in before) else []
        audited = ["audit"] if all("audit" in steps for steps in before) else []
        return [*translated, *audited, *own_steps(self.dataset)]

    @property
    def files(self) -> dict[str, list[str]]:
        """{split: the names of its files in the repository}."""
        return {
            split: [f"data/{shard_name(split, number, len(parts))}" for number in range(len(parts))]
            for split, parts in self.sizes.items()
        }


@dataclass(frozen=True)
class DatasetCardView:
    """The tables and lists of a dataset's card."""

    facts: DatasetFacts

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """The steps in their order: {type, options, says, dropped: {split: rows}, facts: {split: in words}}."""
        models = self.facts.source.get("models", {})
        return [
            {
                "type": step.type,
                "options": _options(step, models),
                "says": STEPS[step.type].says,
                "dropped": {split: dropped[place][1] for split, dropped in self._dropped.items()},
                "facts": {
                    split: ", ".join(f"{number} {what}" for what, number in with_intervals(facts).items())
                    for split, facts in self._told(place).items()
                },
            }
            for place, step in enumerate(self.facts.dataset.steps)
        ]

    @cached_property
    def _dropped(self) -> dict[str, list[tuple[str, int]]]:
        """{split: (the step's name in the report, rows that it dropped), in the order of the steps}."""
        return {split: list(found["dropped"].items()) for split, found in self.facts.report.items()}

    def _told(self, place: int) -> dict[str, Mapping[str, float]]:
        """{split: what the step in this place counted or measured}, of splits where it did."""
        found = {
            split: self.facts.report[split].get("facts", {}).get(dropped[place][0])
            for split, dropped in self._dropped.items()
        }
        return {split: facts for split, facts in found.items() if facts}

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The places that rows come from: {dataset, config, path, parent, was, weight, revision}."""
        known = self.facts.source.get("sources") or [self.facts.source]
        return [
            {
                "dataset": one.dataset,
                "config": one.config,
                "path": _files_in_words(one.title) if one.path else None,
                "parent": one.parent,
                "was": [tag for step, tag in MADE_BY.items() if step in self.facts.above.get(one.parent or "", ())],
                "weight": one.weight,
                "revision": (known[place] if place < len(known) else {}).get("revision"),
            }
            for place, one in enumerate(self.facts.dataset.every_source)
        ]

    @property
    def judged(self) -> list[dict[str, Any]]:
        """Findings of audits and reviews: {type, facts: [(what, {split: words})], reasons: [(why, {split: rows})],
        dropped: {split: rows}}.

        Those of audits also have `says`: {rule: what is wrong with a text that breaks it}.
        """
        found = []
        for place, step in enumerate(self.facts.dataset.steps):
            reasons = {split: notes[place]["why"] for split, notes in self.facts.notes.items() if place < len(notes)}
            told = self._told(place)
            if step.type in JUDGING and (told or any(reasons.values())):
                facts = _across({split: with_intervals(counted) for split, counted in told.items()})
                dropped = self.steps[place]["dropped"]
                told_of = {"type": step.type, "facts": facts, "reasons": _fewest(_across(reasons)), "dropped": dropped}
                found.append(told_of)
        return [{**one, "says": _rules() if one["type"] == "audit" else {}} for one in found]

    @property
    def arabic(self) -> bool:
        """Whether its texts are Arabic."""
        return self.facts.dataset.release is not None and is_arabic(self.facts.dataset.release.language)

    @property
    def sampled_early(self) -> bool:
        """Whether a sample of the rows was taken before a step for which a row costs much, and not after them all."""
        return any(STEPS[step.type].samples_first for step in self.facts.dataset.steps)

    @property
    def went_through(self) -> list[str]:
        """The steps that its texts went through, here or before."""
        return self.facts.went_through

    @property
    def samples(self) -> list[tuple[str, list[Any]]]:
        """(split, cells in the order of the columns), a few rows of the first split; none where rows are private."""
        names = list(self.facts.dataset.columns)
        shown = list(self.facts.glance.items())[:1] if self.facts.shows_rows else []
        return [(split, [row[name] for name in names]) for split, found in shown for row in found["rows"]]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns: {name, type, names, names_ar: [(class, in Arabic)], says: in both languages, more: phrases}."""
        dataset = self.facts.dataset
        return [
            {
                "name": name,
                "type": column.type,
                "names": column.names,
                "names_ar": [(one, CLASSES[one]) for one in column.names or () if one in CLASSES],
                "says": meaning(name, dataset),
                "more": is_read_from(name, column),
            }
            for name, column in dataset.columns.items()
        ]

    @property
    def printed(self) -> str:
        """The text that Python prints of the loaded dataset."""
        names = list(self.facts.dataset.columns)
        splits = [
            f"    {split}: Dataset({{\n        features: {names},\n        num_rows: {found['rows']}\n    }})\n"
            for split, found in self.facts.report.items()
        ]
        return "DatasetDict({\n" + "".join(splits) + "})"

    @property
    def translated(self) -> list[dict[str, Any]]:
        """The translations: {model, revision, columns, source, target, sentences: {split: number}, dropped}."""
        known = self.facts.source.get("models", {})
        return [
            {
                "model": step.model,
                "revision": known.get(step.model),
                "columns": step.columns or self.facts.dataset.texts,
                "source": _language_name(step.source_language),
                "target": _language_name(step.target_language),
                "sentences": {split: int(sum(facts.values())) for split, facts in self._told(place).items()},
                "dropped": self.steps[place]["dropped"],
            }
            for place, step in enumerate(self.facts.dataset.steps)
            if step.type == "translate"
        ]

    @property
    def translated_before(self) -> str:
        """The language that a program translated the texts from before they came here, as the recipe has it; or ''."""
        release = self.facts.dataset.release
        return _language_name(release.translated_from) if release and release.translated_from else ""

    @property
    def shared_rows(self) -> int:
        """Rows of a split that stand in another one too, of all pairs of splits together."""
        pairs = [shared for found in self.facts.report.values() for shared in found["shared"].values()]
        return sum(shared[how] for shared in pairs for how in ("exact", "normalised", "near"))

    @property
    def rtl(self) -> bool:
        """Whether all of its texts are written from right to left."""
        languages = self.facts.dataset.release.language if self.facts.dataset.release else []
        return bool(languages) and all(one in RIGHT_TO_LEFT for one in languages)

    @property
    def origins(self) -> list[SourceWork]:
        """The works of its licence chain."""
        return self.facts.dataset.release.origins if self.facts.dataset.release else []

    @property
    def citation(self) -> str:
        """The entry by which people cite the dataset itself, by its id: it has no date, as the card has none."""
        owner, name = self.facts.id.split("/")
        lines = [
            f"title  = {{{name}}},",
            f"author = {{{owner}}},",
            f"url    = {{https://huggingface.co/datasets/{self.facts.id}}}",
        ]
        return "\n".join([f"@misc{{{name.lower()},", *(f"  {line}" for line in lines), "}"])

    @property
    def rows(self) -> int:
        """The rows of all splits."""
        return sum(found["rows"] for found in self.facts.report.values())


def _across(by_split: Mapping[str, Mapping[str, T]]) -> list[tuple[str, dict[str, T]]]:
    """Rows of a table of what was counted in some splits: (what, {split: number, or number in words})."""
    names = dict.fromkeys(name for counted in by_split.values() for name in counted)
    return [(name, {split: counted[name] for split, counted in by_split.items() if name in counted}) for name in names]


def _fewest(reasons: list[tuple[str, dict[str, float]]]) -> list[tuple[str, dict[str, float]]]:
    """The most frequent reasons, and all others together."""
    ranked = sorted(reasons, key=lambda one: -sum(one[1].values()))
    rest = ranked[MOST_REASONS:]
    splits = dict.fromkeys(split for _, counted in rest for split in counted)
    others = {split: sum(counted.get(split, 0) for _, counted in rest) for split in splits}
    return [*ranked[:MOST_REASONS], *([(how_many(len(rest), "rarer reason"), others)] if rest else [])]


def _language_name(code: str) -> str:
    """The name of a language in English, of those that have one here; of others, the code of translation models."""
    names = {"Arabic": ("ar", "ara", "arb", "arb_Arab"), "English": ("en", "eng", "eng_Latn")}
    return next((name for name, codes in names.items() if code in codes), code)


def _rules() -> dict[str, str]:
    """{rule of the audit: what is wrong with a text that breaks it}."""
    from zoo.audit import rules  # noqa: F401  they add themselves; their patterns take a while to compile
    from zoo.audit.rule import RULES

    return {name: rule.says.rstrip(".") for name, rule in RULES.items()}


def _files_in_words(patterns: str) -> str:
    """Patterns of files without the folders above, which are this machine's: nobody else has them."""
    parts = (PurePosixPath(pattern) for pattern in patterns.split(", "))
    return ", ".join(
        part.name if part.is_absolute() else str(PurePosixPath(*(one for one in part.parts if one != "..")))
        for part in parts
    )


def _options(step: Options, models: Mapping[str, str]) -> dict[str, Any]:
    """The options of a step that are not as they are by themselves, and the commit of the model that it names."""
    given = step.given()
    given |= {"revision": models[given["model"]]} if given.get("model") in models else {}
    return {key: one for key, one in given.items() if one != type(step).model_fields[key].default}
