"""The front matter of cards: what the Hub, its viewer and its search read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from huggingface_hub import DatasetCardData, EvalResult, ModelCardData

from zoo.cards.datasetview import MADE_BY, DatasetFacts
from zoo.cards.facts import ModelFacts
from zoo.evidence.course import is_kept
from zoo.evidence.scores import ScoreFile
from zoo.evidence.snippets import sentences_of
from zoo.recipe.training import DataUse
from zoo.remote import MINIATURE_TAG, size_category
from zoo.tasks import TASKS

METRIC_IDS = {"cosine_spearman": "spearmanr", "cosine_pearson": "pearsonr", "ndcg": "trec_eval", "map": "trec_eval"}
"""{mteb's name of a metric, without its depth: the Hub's (hf.co/metrics)}, of those that have two.

`accuracy` and `f1` are called so there as well; it knows no average precision and no V-measure, which keep mteb's name.
"""


def model_metadata(facts: ModelFacts) -> ModelCardData:
    """The front matter of a model's card, with its scores as `model-index`, unless they are of no data on the Hub."""
    release, scores = facts.recipe.release, facts.scores
    results = _eval_results(facts)
    tags = ["sentence-transformers", "sentence-similarity", "feature-extraction", *release.tags]
    trained = _trained(facts)
    tags += [f"loss:{name}" for name in sorted(_losses(trained))]
    tags += ["custom_code"] if facts.code else []  # as the Hub calls it
    return ModelCardData(
        language=release.language or None,
        license=release.license,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=[*dict.fromkeys([*tags, *([MINIATURE_TAG] if scores.miniature else [])])],
        base_model=facts.parent,
        base_model_relation="finetune" if facts.parent else None,
        datasets=[repo for name, repo in facts.datasets.items() if name in {use.dataset for use in trained}] or None,
        model_name=_name(facts) if results else None,  # without results it would stand in the card by itself
        eval_results=results or None,
        metrics=_metrics(scores.tasks),
        widget=_widget(facts),
    )


def _widget(facts: ModelFacts) -> list[dict[str, Any]]:
    """The example that the Hub's page of the model offers to try: the sentences of the card's snippets."""
    first, *others = sentences_of(facts.recipe.release)
    return [{"source_sentence": first, "sentences": others}]


def _name(facts: ModelFacts) -> str:
    """The name of the model whose results these are, with what marks them."""
    scale = facts.recipe.scale
    rehearsed = f" (rehearsal: scale '{scale}')" if scale != "full" and not facts.scores.miniature else ""
    return facts.recipe.release.repo + rehearsed + facts.scores.aside


def _trained(facts: ModelFacts) -> list[DataUse]:
    """The data and losses of the phases that were kept; of all where none was."""
    phases = list(zip(facts.recipe.phases, facts.logs[facts.recipe.name], strict=True))
    kept = [phase for phase, log in phases if is_kept(log)] or facts.recipe.phases
    return [use for phase in kept for use in phase.data]


def _losses(uses: Iterable[DataUse]) -> set[str]:
    names = set()
    for use in uses:
        loss = use.loss
        while loss is not None:
            names.add(loss.type)
            loss = getattr(loss, "inner", None)
    return names


def _metrics(tasks: Iterable[str]) -> list[str]:
    """The Hub's names of the tasks' metrics, each once."""
    metrics = [TASKS[name].metric for name in tasks]
    return list(dict.fromkeys(METRIC_IDS.get(metric.partition("_at_")[0], metric) for metric in metrics))


def _metric_name(scores: ScoreFile, task: str) -> str:
    """The metric, and what leaked: the entry has no other place for it, and readers see this one beside the score."""
    leak = scores.leak(task)
    return f"{TASKS[task].metric} ({leak.shown})" if leak else TASKS[task].metric


def _eval_results(facts: ModelFacts) -> list[EvalResult]:
    """The entries of `model-index`: the full width's scores, each with the revision of its data."""
    mine = facts.scores.subject("self")
    assert mine is not None
    return [
        EvalResult(
            task_type=TASKS[name].kind,
            dataset_type=TASKS[name].dataset,
            dataset_name=TASKS[name].title,
            dataset_config=TASKS[name].subset,
            dataset_split=TASKS[name].split,
            dataset_revision=TASKS[name].revision,
            metric_type=TASKS[name].metric,
            metric_name=_metric_name(facts.scores, name),
            metric_value=round(facts.scores.value(mine.name, name, mine.dims[0]), 2),
        )
        for name in facts.scores.tasks
        if TASKS[name].file is None  # a file has no id on the Hub, and a result must name its dataset's
    ]


def dataset_metadata(facts: DatasetFacts) -> DatasetCardData:
    """The front matter that `load_dataset`, the viewer and croissant need: configuration, files, features and sizes."""
    dataset, release = facts.dataset, facts.dataset.release
    assert release is not None
    rows = {split: facts.report[split]["rows"] for split in facts.sizes}
    kinds = [tag for name, tag in MADE_BY.items() if name in facts.went_through]
    tags = [*kinds, *([MINIATURE_TAG] if facts.source["miniature"] else [])]
    return DatasetCardData(
        language=release.language or None,
        license=release.license,
        task_categories=release.task_categories,
        size_categories=size_category(sum(rows.values())),
        pretty_name=release.title,
        tags=tags or None,
        language_creators=["machine-generated"] if "translate" in facts.went_through else None,
        multilinguality=_multilinguality(release.language),
        source_datasets=[*dataset.hub_ids, *filter(None, facts.parents.values())] or None,
        configs=[{"config_name": "default", "data_files": _data_files(facts)}],
        dataset_info=_info(facts, rows),
    )


def _multilinguality(languages: Collection[str]) -> str | None:
    return None if not languages else "monolingual" if len(languages) == 1 else "multilingual"


def _info(facts: DatasetFacts, rows: Mapping[str, int]) -> dict[str, Any]:
    """Features, rows and bytes; those in memory are not known of what an earlier version built."""
    held = {split: facts.glance[split]["bytes"] for split in rows if split in facts.glance}
    in_memory = {split: {"num_bytes": held[split]} for split in held}
    return {
        "features": [_feature(name, column) for name, column in facts.dataset.columns.items()],
        "splits": [{"name": split, **in_memory.get(split, {}), "num_examples": count} for split, count in rows.items()],
        "download_size": sum(sum(parts) for parts in facts.sizes.values()),
        **({"dataset_size": sum(held.values())} if len(held) == len(rows) else {}),
    }


def _data_files(facts: DatasetFacts) -> list[dict[str, str]]:
    """Return patterns that name every split's files and no others, as shards of an earlier version."""
    return [
        {"split": split, "path": files[0] if len(files) == 1 else f"data/{split}-*-of-{len(files):05}.parquet"}
        for split, files in facts.files.items()
    ]


def _feature(name: str, column: Any) -> dict[str, Any]:
    if column.type == "class":
        return {"name": name, "dtype": {"class_label": {"names": dict(enumerate(column.names))}}}
    return {"name": name, "dtype": "string" if column.type == "text" else "float32"}
