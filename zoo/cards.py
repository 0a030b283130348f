"""The card stage: README files from templates and measured facts. A fact that is missing stops the card."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import CardData, DatasetCardData, EvalResult, ModelCardData, SpaceCardData
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from zoo import __version__, markdown
from zoo.contamination import Report
from zoo.errors import CardError
from zoo.markdown import Markdown
from zoo.recipe import Dataset, Family, Recipe
from zoo.remote import MINIATURE_TAG, size_category
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
    family: Sequence[ScoreFile]
    """Of other recipes for the same language and tasks."""
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
    id: str,
    family: Family,
    models: Mapping[str, ScoreFile],
    datasets: list[str],
    templates: Templates,
    *,
    sdk_version: str,
) -> str:
    """`models`: {Hub id: scores} of those that the Space offers."""
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
        models=list(models),
        datasets=datasets,
        short_description=space.summary or None,
    )
    rows = [
        {"id": model, **_row(scores, subject, _full(subject)), "dims": subject.dims, "suite": scores.suite}
        for model, scores in models.items()
        if (subject := scores.subject("self"))
    ]
    miniature = any(scores.miniature for scores in models.values())
    return _card(metadata, "space.md.j2", templates, id=id, space=space, models=rows, miniature=miniature)


def _card(metadata: CardData, template: str, templates: Templates, **facts: Any) -> str:
    front = metadata.to_yaml(line_break="\n")
    return f"---\n{front}\n---\n\n{render(template, templates, **facts).strip()}\n"


def render(template: str, templates: Templates, **facts: Any) -> str:
    """The template with `facts`; every unknown name is an error, and a fact is text unless a filter says otherwise."""
    environment = _Environment(
        loader=FileSystemLoader(list(templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,  # what macros return is Markdown
        finalize=Markdown.escape,
    )
    environment.filters |= FILTERS
    try:
        return environment.get_template(template).render(**facts, zoo_version=__version__)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or _line_of(error, template)
        where = f"{template}, line {line}" if line else template
        folder = next((folder for folder in templates if (folder / template).is_file()), templates[0])
        raise CardError(f"{where}: {error.message or type(error).__name__}", hint=f"edit {folder / template}") from None


class _Environment(SandboxedEnvironment):
    """Escapes for Markdown where Jinja knows HTML only: `a ~ b` becomes `[a, b] | join`."""

    def _generate(self, source: nodes.Template, *rest: Any, **options: Any) -> str:
        return super()._generate(_Joined().visit(source), *rest, **options)


class _Joined(NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        parts = nodes.List(node.nodes)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno, environment=node.environment)


def _line_of(error: TemplateError, template: str) -> int | None:
    """Where in the template it went wrong: jinja puts the template's own lines into the traceback."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(template)]
    return lines[-1] if lines else None


def _score(found: Measured) -> Markdown:
    return Markdown(found.shown)


FILTERS = {
    "score": _score,
    "thousands": "{:,}".format,
    "join": markdown.join,
    "code": markdown.code,
    "fence": markdown.fence,
    "isolated": markdown.isolated,
    "string": markdown.string,
    "address": markdown.address,
    "on_hub": markdown.on_hub,
}


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
        rows = [_row(self.scores, subject, _full(subject)) for subject in self.scores.subjects]
        return sorted(rows, key=_best_first)

    @property
    def rival(self) -> dict[str, Any]:
        """The best of the others."""
        return next(row for row in self.rivals if not row["mine"])

    @property
    def family(self) -> list[dict[str, Any]]:
        """This model and its siblings as their own cards have them: rows of `rivals`; none when it has no siblings."""
        rows = [
            {**_row(scores, subject, _full(subject)), "mine": scores is self.scores}
            for scores in (self.scores, *self.facts.family)
            if (subject := scores.subject("self"))
        ]
        return sorted(rows, key=_best_first) if len(rows) > 1 else []

    @property
    def dims(self) -> list[dict[str, Any]]:
        """This model at every dim, with the share of the full width's mean that is left (percent)."""
        rows = [_row(self.scores, self.mine, dim) for dim in self.mine.dims]
        return [{**row, "kept": 100 * row["mean"].value / rows[0]["mean"].value} for row in rows]

    def verdicts(self, verdict: Literal["ahead", "behind", "tied"]) -> list[Markdown]:
        """A line a rival: the tasks on which this model, at full width, is ahead of it, behind it, or neither."""
        lines = []
        for subject in self.scores.subjects:
            found = [one for one in self._against(subject) if _verdict(one) == verdict]
            if found:
                lines.append(Markdown("{}: {}").format(markdown.isolated(subject.title), _listed(found)))
        return lines

    def _against(self, subject: Subject) -> list[Comparison]:
        full = self.mine.dims[0]
        return [one for one in self.scores.comparisons if one.rival == subject.name and one.dim == full]

    @property
    def clean(self) -> dict[str, CleanScore]:
        """Per task with rows in the training text: the score of the others."""
        return {found.task: found for found in self.scores.clean}

    @property
    def shrinking(self) -> dict[int, Markdown]:
        """Per cut dim, the tasks on which it is told apart from the full width."""
        own = [one for one in self.scores.comparisons if one.rival == self.mine.name and not one.tied]
        return {dim: _listed([one for one in own if one.dim == dim]) for dim in self.mine.dims[1:]}


def _row(scores: ScoreFile, subject: Subject, dim: int | None) -> dict[str, Any]:
    return {
        "title": subject.title,
        "mine": subject.role == "self",
        "dim": dim,
        "parameters": subject.parameters,
        "scores": [scores.score(subject.name, task, dim) for task in scores.tasks],
        "mean": scores.mean(subject.name, dim),
    }


def _full(subject: Subject) -> int | None:
    return subject.dims[0] if subject.dims else None


def _best_first(row: Mapping[str, Any]) -> float:
    return -float(row["mean"].value)


def _verdict(one: Comparison) -> str:
    if one.tied:
        return "tied"
    return "ahead" if one.difference > 0 else "behind"


def _listed(found: Sequence[Comparison]) -> Markdown:
    lines = (f"{TASKS[one.task].column} {one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]" for one in found)
    return Markdown(", ".join(lines))  # tasks are ours, and numbers are numbers


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
        size_categories=size_category(sum(rows.values())),
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
