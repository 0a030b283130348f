"""A workspace and its cards made of hostile texts, and what is compared of a card: not its words but what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from conftest import ROOT
from hostile import FILES, WORDS
from markdown_it import MarkdownIt

from zoo.cards.datasetview import DatasetFacts
from zoo.cards.facts import BesideModel, ModelFacts
from zoo.cards.readme import dataset_card, model_card, space_card
from zoo.evidence.overlap import OverlapReport
from zoo.evidence.scores import Kept, Mean, Score, ScoreFile, Subject, current
from zoo.recipe import NamedPhase, Recipe, Workspace, load_resolved
from zoo.tasks import TASKS

TEMPLATES = [ROOT / "cards"]
TASK = "STS17-ar"
UNSHARED = {"sampled_from": None, "shared": {}}  # of a split's report
HALF = "\ue000"  # stands for half of a surrogate pair, which no dumper writes
Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def written(path: Path, data: Any) -> Path:
    """As a careful author quotes it: every text comes back as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(data, Dumper=Dumper, sort_keys=False, width=10**9)
    path.write_text(text.replace(r"\uE000", r"\uD800"), "utf-8")
    return path


def swapped(data: Any, text: str) -> Any:
    """`data` with `text` wherever the harmless words stand, keys too."""
    if isinstance(data, str):
        return text if data == WORDS else data
    if isinstance(data, dict):
        return {swapped(key, text): swapped(value, text) for key, value in data.items()}
    return [swapped(one, text) for one in data] if isinstance(data, list) else data


def resolved(files: dict[str, Any], folder: Path) -> tuple[Workspace, Recipe]:
    for file, data in files.items():
        written(folder / "recipes" / file, data)
    single = (folder / "recipes" / "recipe.yaml").rename(folder / "recipe.yaml")
    written(folder / "recipes" / "datasets" / "scored.yaml", FILES["recipe.yaml"][1]["datasets"]["scored"])
    workspace = Workspace(folder)
    workspace.recipe("base-one", scale="mini")
    return workspace, load_resolved(single)


def score_file(recipe: Recipe, title: str, tasks: Sequence[str] = (TASK,)) -> ScoreFile:
    """With a rival of that title."""
    subjects = [
        Subject(name="zoo/one", revision="1" * 40, role="self", title=recipe.release.repo, dims=[64, 32]),
        Subject(name="lab/base", revision="1" * 40, role="base", title=title, dims=[64]),
    ]
    places = [(one.name, dim) for one in subjects for dim in one.dims]
    number = {"value": 50.0, "low": 40.0, "high": 60.0}
    compared = {"difference": -1.0, "low": -2.0, "high": -0.5, "p": 0.01, "detectable": 1.0}
    rival = {"task": tasks[0], "model": "zoo/one", "dim": 64, "rival": "lab/base", "rival_dim": 64, **compared}
    return ScoreFile.model_validate(
        {
            "suite": "sts",
            "tasks": tasks,
            "subjects": subjects,
            "scores": [Score(model=model, dim=dim, **of(task), **number) for model, dim in places for task in tasks],
            "means": [
                Mean(model=model, dim=dim, tasks=chosen, **number)
                for chosen in (tasks, current(tasks))
                for model, dim in places
            ],
            "comparisons": [rival],
            "kept": [Kept(model="zoo/one", dim=32, **number)],
            "correlations": [],
            "clean": [],
            "versions": {"mteb": title},
            "miniature": False,
        }
    )


def of(task: str) -> dict[str, Any]:
    ours = TASKS[task]
    return {"task": task, "metric": ours.metric, "rows": 9, "dataset": ours.dataset, "revision": ours.revision}


def model_facts(
    recipe: Recipe, title: str, tasks: Sequence[str] = (TASK,), printed: Sequence[str] = (TASK,)
) -> ModelFacts:
    """All that a card of `recipe` may say, with `printed` as the tasks of a table that others printed."""
    scores = score_file(recipe, title, tasks)
    row = {"dim": "64", **dict.fromkeys(printed, title), "average": title}
    overlap = {
        "rows": 9,
        "exact": 0,
        "normalised": 0,
        "near": 0,
        "rows_found": [],
        "rows_found_whole": [],
        "examples": [],
    }
    overlaps = dict.fromkeys(tasks, overlap)
    return ModelFacts(
        id="lab/my_One",
        parent="lab/base",
        datasets={"pairs": "lab/Pairs"},
        recipe=recipe,
        scores=scores,
        family=[scores],
        siblings=[],
        reports={title: {"train": {"rows": 9, "dropped": {"unique": 1}}}},
        contamination=OverlapReport(tasks=overlaps, training_texts=9, similarity=0.85, shortest=4),
        logs={member.name: [log(phase) for phase in member.phases] for member in recipe.lineage},
        training={"hardware": [{"cpu": title, "threads": 2}], "seconds": 61.0, "tokens": 99, "tokens_per_second": 9.0},
        published=[row],
        official=[{"model": title, "source": title, **dict.fromkeys(printed, "99")}],
        doubts=[title],
        beside=[BesideModel(title, "lab/Guide", "1" * 40)],
    )


def log(phase: NamedPhase) -> dict[str, Any]:
    precision = {"asked": "fp32", "used": "fp32", "device": "cpu"}
    scores = {"start": 0.4, "best": 0.5, "best_step": 9, "log": [], "doubts": [], "kept": True, "why": None}
    return {"phase": phase.name, "steps": 9, "precision": precision, **scores}


def cards(workspace: Workspace, recipe: Recipe, title: str) -> dict[str, str]:
    """As they are published; `title` wherever scores and reports, which recipes do not hold, have a name."""
    dataset = recipe.datasets["pairs"]
    dropped = {step.type: 0 for step in dataset.steps}
    report = {"rows": 9, "read": 9, "dropped": dropped, "mean_length": dict.fromkeys(dataset.texts, 1.0), **UNSHARED}
    reports = dict.fromkeys(dataset.splits, report)
    source = {"revision": "1" * 40, "miniature": False}
    sizes = {split: [1, 1] for split in dataset.splits}
    shown = {"bytes": 9, "rows": [dict.fromkeys(dataset.columns, title)]}
    note = [{"why": {title: 1}} for _ in dataset.steps]
    more = {"glance": dict.fromkeys(sizes, shown), "notes": dict.fromkeys(sizes, note), "checked": quality(title)}
    models = {"lab/my_One": score_file(recipe, title)}
    return {
        "model": model_card(model_facts(recipe, title), TEMPLATES),
        "dataset": dataset_card(DatasetFacts("lab/Pairs", dataset, sizes, reports, source, **more), TEMPLATES),
        "space": space_card(
            "lab/demo", workspace.family.space, models, ["lab/Pairs"], TEMPLATES, licence="mit", sdk_version="6.0.0"
        ),
    }


def quality(title: str) -> dict[str, Any]:
    """A report of `zoo data check`."""
    return {"checks": [{"check": "labels", "verdict": "ok", "figure": title}]}


ISOLATES = ["<bdi>", "</bdi>"]  # around whatever is written from right to left


def parts(card: str) -> SimpleNamespace:
    """Front matter, and what the body is to a reader: its blocks and marks in order, links, HTML, code, words."""
    front, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", card, re.DOTALL).groups()
    every = [one for token in GFM.parse(body) for one in [token, *(token.children or [])]]
    isolates = [one.content for one in every if one.type == "html_inline" and one.content in ISOLATES]
    assert isolates == ISOLATES * (len(isolates) // 2), "each is closed before the next one opens"
    every = [one for one in every if one.content not in ISOLATES or one.type != "html_inline"]
    shape: list[tuple[str, int]] = []
    for one in every:  # a code span that would break a table is text, and text is text in however many pieces
        kind = ("text" if one.type == "code_inline" else one.type, one.level)
        if kind[0] != "text" or shape[-1:] != [kind]:
            shape.append(kind)
    return SimpleNamespace(
        front=yaml.safe_load(front),
        shape=shape,
        links=[one.attrs.get("href") or one.attrs.get("src") for one in every if one.type in ("link_open", "image")],
        html=[one.content for one in every if one.type in ("html_block", "html_inline")],
        code=[(one.info, one.markup, one.content) for one in every if one.type in ("fence", "code_block")],
        words=[
            "".join(one.content for one in token.children or [] if one.type in ("text", "code_inline"))
            for token in every
            if token.type == "inline"
        ],
    )
