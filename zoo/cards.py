"""The card stage: README files from templates and measured facts. A fact that is missing stops the card."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import CardData, DatasetCardData, EvalResult, ModelCardData, SpaceCardData
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from zoo import __version__
from zoo.contamination import Report
from zoo.errors import CardError
from zoo.recipe import Dataset, Family, Recipe
from zoo.remote import MINIATURE_TAG
from zoo.run import Run, file_digest
from zoo.scores import CleanScore, Comparison, Mean, Measured, ScoreFile, Subject
from zoo.tasks import TASKS

STAGE = "card"
Templates = Sequence[Path]  # folders, the workspace's own before ours: one template can be replaced alone
FILE = "README.md"


@dataclass(frozen=True)
class ModelFacts:
    """All that a model's card may say."""

    id: str
    parent: str
    """Hub id of the model that training started from."""
    datasets: Mapping[str, str]
    """{dataset recipe: Hub id}, those of this model's own phases."""
    recipe: Recipe
    scores: ScoreFile
    reports: Mapping[str, Mapping[str, Any]]
    """{dataset recipe: the data stage's report}, of the whole lineage."""
    contamination: Report
    """Rows of the tasks that are in the lineage's training text."""
    log: Sequence[Mapping[str, Any]]
    """The train stage's log, a phase each."""
    published: Sequence[Mapping[str, str]]
    """Rows that others printed of a model of this repository's name."""


def made_from(recipe: Recipe, templates: Templates, *, scores: str, train: str, **names: Any) -> dict[str, Any]:
    """The ingredients: digests of the evaluate and train stages, and the names that the card uses."""
    return {
        "release": recipe.release.model_dump(mode="json"),
        "templates": {
            path.name: file_digest(path)
            for folder in reversed(templates)
            for path in sorted(folder.glob("*.j2"))
            if not path.name.endswith(".html.j2")  # pages of other commands
        },
        "scores": scores,
        "train": train,
        **names,
        "zoo": __version__,
    }


def build(run: Run, ingredients: Mapping[str, Any], facts: ModelFacts, templates: Templates) -> None:
    """Write the model's card.

    Raises:
        CardError: the template asks for what was not measured, or is not a template.
    """
    with run.making(STAGE, ingredients) as folder:
        (folder / FILE).write_text(model_card(facts, templates), "utf-8")


def model_card(facts: ModelFacts, templates: Templates) -> str:
    return _card(model_metadata(facts), "model.md.j2", templates, facts=facts, card=ModelCardView(facts))


def dataset_card(
    id: str,
    dataset: Dataset,
    sizes: Mapping[str, int],
    templates: Templates,
    *,
    report: Mapping[str, Any],
    source: Mapping[str, Any],
) -> str:
    """`sizes`: bytes of each split's Parquet file; `report` and `source`: what the data stage wrote of them."""
    metadata = dataset_metadata(dataset, report, sizes, miniature=source["miniature"])
    facts = {"id": id, "dataset": dataset, "release": dataset.release, "report": report, "source": source}
    return _card(metadata, "dataset.md.j2", templates, **facts)


def space_card(
    id: str, family: Family, models: list[str], datasets: list[str], templates: Templates, *, sdk_version: str
) -> str:
    space = family.space
    if space is None:
        raise CardError("recipes/family.yaml has no 'space'", hint="add one, or publish without it")
    metadata = SpaceCardData(
        title=space.title,
        emoji=space.emoji,
        colorFrom="green",
        colorTo="blue",
        sdk="gradio",
        sdk_version=sdk_version,
        app_file="app.py",
        pinned=False,
        license=family.license,
        models=models,
        datasets=datasets,
        short_description=space.summary or None,
    )
    return _card(metadata, "space.md.j2", templates, id=id, space=space, models=models)


def _card(metadata: CardData, template: str, templates: Templates, **facts: Any) -> str:
    front = metadata.to_yaml(line_break="\n")
    return f"---\n{front}\n---\n\n{render(template, templates, **facts).strip()}\n"


def render(template: str, templates: Templates, **facts: Any) -> str:
    """The template with `facts`; every unknown name is an error."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(list(templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"score": _score, "thousands": "{:,}".format, "cell": _cell}
    try:
        return environment.get_template(template).render(**facts, zoo_version=__version__)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or _line_of(error, template)
        where = f"{template}, line {line}" if line else template
        folder = next((folder for folder in templates if (folder / template).is_file()), templates[0])
        raise CardError(f"{where}: {error.message or type(error).__name__}", hint=f"edit {folder / template}") from None


def _line_of(error: TemplateError, template: str) -> int | None:
    """Where in the template it went wrong: jinja puts the template's own lines into the traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(template)]
    return lines[-1] if lines else None


def _score(found: Measured) -> str:
    return f"{found.value:.2f} [{found.low:.1f}, {found.high:.1f}]"


def _cell(text: object) -> str:
    """Text inside a markdown table or line, as text."""
    plain = " ".join(str(text).split())
    for mark in "\\`*_[]<>|#":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


def model_metadata(facts: ModelFacts) -> ModelCardData:
    release, scores = facts.recipe.release, facts.scores
    tags = ["sentence-transformers", "sentence-similarity", "feature-extraction", *release.tags]
    tags += [f"loss:{name}" for name in sorted(_losses(facts.recipe))]
    return ModelCardData(
        language=release.language,
        license=release.license,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=[*dict.fromkeys([*tags, *([MINIATURE_TAG] if scores.miniature else [])])],
        base_model=facts.parent,
        base_model_relation="finetune",
        datasets=list(facts.datasets.values()),
        model_name=release.repo,
        eval_results=_eval_results(facts),
        metrics=["spearmanr"],
    )


def _losses(recipe: Recipe) -> set[str]:
    names = set()
    for phase in recipe.phases:
        for use in phase.data:
            loss = use.loss
            while loss is not None:
                names.add(loss.type)
                loss = getattr(loss, "inner", None)
    return names


def _eval_results(facts: ModelFacts) -> list[EvalResult]:
    """`model-index`: the full width's scores, with the revision of the data they were measured on."""
    mine = facts.scores.subject("self")
    assert mine is not None
    return [
        EvalResult(
            task_type="STS",
            dataset_type=TASKS[name].dataset,
            dataset_name=f"MTEB {TASKS[name].mteb} ({TASKS[name].subset})",
            dataset_config=TASKS[name].subset,
            dataset_split=TASKS[name].split,
            dataset_revision=TASKS[name].revision,
            metric_type=TASKS[name].metric,
            metric_name=TASKS[name].metric,
            metric_value=round(facts.scores.value(mine.name, name, mine.dims[0]), 2),
        )
        for name in facts.scores.tasks
    ]


class ModelCardView:
    """Tables of a model's card, computed."""

    def __init__(self, facts: ModelFacts) -> None:
        self.facts = facts
        self.scores = facts.scores
        mine = facts.scores.subject("self")
        assert mine is not None
        self.mine = mine
        self.tasks = [TASKS[name] for name in facts.scores.tasks]

    @property
    def best(self) -> Mean:
        return self.scores.mean(self.mine.name, self.mine.dims[0])

    @property
    def rivals(self) -> list[dict[str, Any]]:
        """Every measured model at its full width: {title, mine, dim, parameters, scores, mean}, best first."""
        rows = [self._row(subject, subject.dims[0] if subject.dims else None) for subject in self.scores.subjects]
        return sorted(rows, key=lambda row: -row["mean"].value)

    @property
    def rival(self) -> dict[str, Any]:
        """The best of the others."""
        return next(row for row in self.rivals if not row["mine"])

    @property
    def dims(self) -> list[dict[str, Any]]:
        """This model at every dim, with the share of the full width's mean that is left (percent)."""
        rows = [self._row(self.mine, dim) for dim in self.mine.dims]
        return [{**row, "kept": 100 * row["mean"].value / rows[0]["mean"].value} for row in rows]

    def _row(self, subject: Subject, dim: int | None) -> dict[str, Any]:
        return {
            "title": subject.title,
            "mine": subject.role == "self",
            "dim": dim,
            "parameters": subject.parameters,
            "scores": [self.scores.score(subject.name, task, dim) for task in self.scores.tasks],
            "mean": self.scores.mean(subject.name, dim),
        }

    def verdicts(self, verdict: Literal["ahead", "behind", "tied"]) -> list[str]:
        """A line a rival: the tasks on which this model, at full width, is ahead of it, behind it, or neither."""
        lines = []
        for subject in self.scores.subjects:
            found = [one for one in self._against(subject) if _verdict(one) == verdict]
            if found:
                listed = ", ".join(f"{TASKS[one.task].column} {_difference(one)}" for one in found)
                lines.append(f"{_cell(subject.title)}: {listed}")
        return lines

    def _against(self, subject: Subject) -> list[Comparison]:
        full = self.mine.dims[0]
        return [one for one in self.scores.comparisons if one.rival == subject.name and one.dim == full]

    @property
    def clean(self) -> dict[str, CleanScore]:
        """Per task with rows in the training text: the score of the others."""
        return {found.task: found for found in self.scores.clean}

    @property
    def shrinking(self) -> dict[int, list[str]]:
        """Per cut dim, the tasks on which it is told apart from the full width."""
        own = [one for one in self.scores.comparisons if one.rival == self.mine.name and not one.tied]
        return {
            dim: [f"{TASKS[one.task].column} {_difference(one)}" for one in own if one.dim == dim]
            for dim in self.mine.dims[1:]
        }


def _verdict(one: Comparison) -> str:
    if one.tied:
        return "tied"
    return "ahead" if one.difference > 0 else "behind"


def _difference(one: Comparison) -> str:
    return f"{one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]"


def dataset_metadata(
    dataset: Dataset, report: Mapping[str, Any], sizes: Mapping[str, int], *, miniature: bool
) -> DatasetCardData:
    """Front matter that `load_dataset` and the Hub's viewer need: the configuration, its files, features and sizes."""
    release = dataset.release
    assert release is not None
    rows = {split: report[split]["rows"] for split in sizes}
    return DatasetCardData(
        language=release.language,
        license=release.license,
        task_categories=release.task_categories,
        size_categories=_size_category(sum(rows.values())),
        pretty_name=release.title,
        tags=[MINIATURE_TAG] if miniature else None,
        source_datasets=[dataset.source.dataset],
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": data_path(split)} for split in sizes],
            }
        ],
        dataset_info={
            "features": [_feature(name, column) for name, column in dataset.columns.items()],
            "splits": [{"name": split, "num_examples": rows[split]} for split in sizes],
            "download_size": sum(sizes.values()),
        },
    )


def data_path(split: str) -> str:
    """A split's file in its repository, named as `push_to_hub` names it."""
    return f"data/{split}-00000-of-00001.parquet"


def _feature(name: str, column: Any) -> dict[str, Any]:
    if column.type == "class":
        return {"name": name, "dtype": {"class_label": {"names": dict(enumerate(column.names))}}}
    return {"name": name, "dtype": "string" if column.type == "text" else "float32"}


SIZE_LIMITS = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
]


def _size_category(rows: int) -> str:
    return next((name for limit, name in SIZE_LIMITS if rows < limit), "n>10M")
