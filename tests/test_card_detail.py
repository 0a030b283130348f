"""What a model's card tells of tasks that have more than a score, from facts made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile import FILES
from hostile_cards import TEMPLATES, model_facts, of, parts, resolved

from zoo.cards.facts import ModelFacts
from zoo.cards.readme import model_card
from zoo.evidence.fragments import CutWords, ModelCuts, WordsReport
from zoo.evidence.scores import Mean, ScoreFile, current
from zoo.recipe import Recipe

TASKS = ["Muradif", "Muradif-full"]
SUBJECTS = {"self": "one", "base": "raw", "rival": "AraBERT's", "phase": "one after phase"}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setenv("ZOO_NAMESPACE", "lab")
    return resolved({file: data for file, (_, data) in FILES.items()}, tmp_path)[1]


def score(model: str, task: str, value: float) -> dict[str, Any]:
    margin = {"name": "margin", "value": value / 1000, "low": 0.001, "high": 0.2}
    return {
        **of(task),
        "model": model,
        "dim": 64,
        "value": value,
        "low": value - 1,
        "high": value + 1,
        "measures": [margin],
    }


def synonym_facts(recipe: Recipe) -> ModelFacts:
    """A model of one phase that was kept and one that was dropped, beside its base and a rival."""
    values = {"self": 80.0, "base": 70.0, "rival": 31.0, "phase": 75.0}
    last = recipe.phases[-1].name
    subjects = [
        {"name": role, "revision": "1" * 40, "role": role, "title": title, "dims": [64]}
        | ({"phase": "dropped"} if role == "phase" else {})
        for role, title in SUBJECTS.items()
    ]
    difference = {"name": "margin", "difference": 0.049, "low": 0.04, "high": 0.06}
    compared = {"difference": 49.0, "low": 48.0, "high": 50.0, "p": 0.01, "detectable": 1.0, "measures": [difference]}
    pair = {"model": "self", "dim": 64, "rival": "rival", "rival_dim": 64}
    scope = {"model": "self", "task": TASKS[1], "part": TASKS[0], "difference": 0.55, "low": 0.1, "high": 1.0}
    met = {"task": TASKS[1], "name": "synset", "groups": 10, "groups_met": 7, "rows": 40, "rows_met": 28}
    number = {"low": 1.0, "high": 99.0, "dim": 64}
    scores = ScoreFile.model_validate(
        {
            "suite": "muradif",
            "tasks": TASKS,
            "subjects": subjects,
            "scores": [score(role, task, value) for role, value in values.items() for task in TASKS],
            "means": [
                Mean(model=role, tasks=tasks, value=value, **number)
                for role, value in values.items()
                for tasks in (TASKS, current(TASKS))
            ],
            "comparisons": [{"task": task, **pair, **compared} for task in TASKS],
            "met": [met],
            "scopes": [scope],
            "correlations": [],
            "clean": [],
            "versions": {"mteb": "2"},
            "miniature": False,
        }
    )
    few, many = (CutWords(per_word=number, unknown=number / 10, letters=0.1) for number in (1.5, 4.5))
    cuts = {
        "self": ModelCuts(plain=few, marked=few, told_apart=1.0),
        "rival": ModelCuts(plain=few, marked=many, told_apart=0.0),
    }
    words = WordsReport(task=TASKS[0], plain=20, marked=10, models=cuts)
    facts = replace(model_facts(recipe, "x", TASKS, ()), scores=scores, family=[], words=words, official=[])
    assert [entry["phase"] for entry in facts.logs[recipe.name]][-1] == last
    return facts


def spaced(card: str) -> str:
    """The card with plain spaces, where an interval's keep it on one line."""
    return card.replace("\u00a0", " ")


def lines(card: str, start: str) -> list[str]:
    return [line for line in spaced(card).splitlines() if line.startswith(start)]


def test_margins_phases_groups_and_words_stand_in_the_card(recipe: Recipe) -> None:
    card = spaced(model_card(synonym_facts(recipe), TEMPLATES))
    glance = "80.00 [79.0, 81.0]** | AraBERT's: 31.00 [30.0, 32.0] | +49.00 [+48.00, +50.00] |"
    assert f"| Muradif | accuracy | **{glance}" in card
    assert (
        "| Muradif | margin | **0.080 [0.001, 0.200]** | AraBERT's: 0.031 [0.001, 0.200] | +0.049 [+0.040, +0.060] |"
        in card
    )
    assert "## Muradif in detail" in card
    assert lines(card, "| raw | -") == [
        "| raw | - | 70.00 [69.0, 71.0] | 0.070 [0.001, 0.200] | 0 % | 70.00 [69.0, 71.0] | 0.070 [0.001, 0.200] | 0 % |  |"
    ]
    assert "- Muradif (full): 70 % of 10 synsets met in training, with 28 of 40 rows" in card
    assert "- Muradif (full) less Muradif, whose synsets are held out: +0.55 [+0.10, +1.00] points here.\n" in card
    assert "- Muradif (full) has all rows of Muradif" not in card
    assert "Muradif (full) has all rows of Muradif: a mean of both counts these twice." in card
    assert (
        "Words with diacritics become 1.5 pieces each, 15.0 % of them unknown here, and 4.5 pieces each, 45.0 % of them "
        "unknown with the tokenizer of AraBERT's; of words that diacritics alone tell apart, the first keeps 100 % apart"
    ) in card
    shown = [cell for cell in card.splitlines() if "one after phase" in cell]
    assert shown == [], "a phase of one's own is no rival"


def test_tables_are_tables(recipe: Recipe) -> None:
    shape = parts(model_card(synonym_facts(recipe), TEMPLATES)).shape
    assert sum(kind == "table_open" for kind, _ in shape) >= 9


def test_a_card_without_such_tasks_says_nothing_of_them(recipe: Recipe) -> None:
    card = model_card(model_facts(recipe, "rival"), TEMPLATES)
    assert not any(word in card for word in ("in detail", "Phase by phase", "How words are cut", "Margin:"))


def test_what_was_looked_for_of_words_is_told(recipe: Recipe) -> None:
    """Words are not texts that are searched for one by one, their rows are drawn by group, and ties of either are told."""
    facts = synonym_facts(recipe)
    tie = {"name": "ties", "value": 98.0, "low": 96.0, "high": 99.0}
    scores = facts.scores.model_dump(mode="json")
    for one in scores["scores"]:
        one["measures"] += [tie] if one["model"] == "rival" else []
    for one in scores["comparisons"]:
        one["measures"].append({"name": "ties", "difference": -98.0, "low": -99.0, "high": -96.0})
    scores["scopes"].append({**scores["scopes"][0], "model": "base", "difference": 0.6})
    scores["unsearched_beside"] = {"rival": TASKS}
    scores["leaks"] = [{"task": TASKS[1], "rows": 40, "found": 28, "clean": None}]
    card = spaced(model_card(replace(facts, scores=ScoreFile.model_validate(scores)), TEMPLATES))
    told = "| Muradif | ties | **0 %** | AraBERT's: 98.00 [96.0, 99.0] % | -98.00 [-99.00, -96.00] % |"
    assert told in card
    assert "+0.55 [+0.10, +1.00] points here, +0.60 [+0.10, +1.00] for [" in card
    assert "(of Muradif and Muradif (full) both words of a row together) was looked for in" in card
    assert "of Muradif and Muradif (full) over synsets with all of their rows" in card
    assert "98.0 % of the rows of Muradif are ties there." in card
    assert "(28 of 40 rows of synsets met in training)" in card
    assert "of 12 pairs of common words" in card
    assert "\nMuradif, Muradif (full): not looked for in what AraBERT's was trained on; zoo build" in card
