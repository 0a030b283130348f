"""One fleet, and every place that shows a number of it: no two figures for one thing, to the last digit shown."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Lab, TestHub
from hostile_cards import TEMPLATES, parts

from zoo.cards.readme import space_card
from zoo.cli.evaluate import score_rows
from zoo.evidence.scores import ScoreFile, mean_name
from zoo.hub.frontmatter import load_yaml
from zoo.leaderboard.formats import as_text
from zoo.leaderboard.tables import Board, tables
from zoo.miniature.seed import seed
from zoo.pipeline.build import Build, rendered_card
from zoo.pipeline.status import fleet_status
from zoo.publish.desired.evalresults import eval_results
from zoo.publish.versions.changelog import scores_said
from zoo.recipe import Workspace
from zoo.say import Silent
from zoo.tasks import TASKS

PARENT = "arabert-matryoshka"
TITLES = {RECIPE: "GATE-AraBert-v1", PARENT: "Arabic-Triplet-Matryoshka-V2"}
OTHER = {RECIPE: PARENT, PARENT: RECIPE}
Rows = dict[str, dict[str, str]]


def table_under(text: str, heading: str = "") -> Rows:
    """{first cell of a row: {column: cell}} of the first table after a heading."""
    lines = (text.partition(heading)[2] if heading else text).replace("\u00a0", " ").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    end = next((number for number in range(first, len(lines)) if not lines[number].startswith("|")), len(lines))
    head, _, *rows = [[cell.strip().strip("*") for cell in line[1:-1].split("|")] for line in lines[first:end]]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def shown(found: dict[str, float]) -> str:
    return f"{found['value']:.2f} [{found['low']:.1f}, {found['high']:.1f}]"


def of_table(table: dict[str, Any], title: str, dim: int | None, heading: str) -> dict[str, Any]:
    """A cell of a table of the leaderboard's JSON, by the heading of its column."""
    key = next(one["key"] for one in table["columns"] if one["label"] == heading and one["source"] != "computed")
    rows = [row for row in table["rows"] if row["model"]["text"] == title]
    (row,) = [row for row in rows if dim is None or row["dim"]["value"] == dim]
    return row[key]


def eval_rows(scores: ScoreFile) -> list[dict[str, Any]]:
    """The table of `zoo eval` of the recipe: it measures a model beside the baseline alone."""
    alone = [subject for subject in scores.subjects if subject.role in ("self", "baseline")]
    return score_rows(scores.model_copy(update={"subjects": alone}))


@dataclass(frozen=True)
class Said:
    """Everything that is said of the two models of the lab."""

    scores: dict[str, ScoreFile]
    cards: dict[str, str]
    boards: dict[str, Any]
    status: dict[str, Any]
    space: str
    changelog: dict[str, str]

    def card_tables(self, recipe: str, title: str) -> dict[str, dict[str, str]]:
        """The rows of a model in the tables of a recipe's card."""
        return {"beside others": table_under(self.cards[recipe], "## Beside others")[title]}


@pytest.fixture(scope="module")
def said(lab: Lab) -> Said:
    scores = {name: lab.build.scores(name) for name in TITLES}
    board = as_text(tables(Board.of(lab.workspace, SCALE), ["models", "retention"]), "json", lab.workspace)
    models = {f"lab/{TITLES[name]}": found for name, found in scores.items()}
    none = {name: found.model_copy(update={"scores": _others(found)}) for name, found in scores.items()}
    return Said(
        scores,
        {name: rendered_card(lab.build, lab.workspace.recipe(name, scale=SCALE)) for name in TITLES},
        {table["key"]: table for table in json.loads(board)["tables"]},
        {str(row["name"]): row.get("mean") for row in fleet_status(lab.again())[0]},
        space_card("lab/demo", lab.workspace.family.space, models, [], TEMPLATES, licence="mit", sdk_version="6.0.0"),
        {name: scores_said(none[name], scores[name], "v1.0.0", "v1.1.0") for name in TITLES},
    )


def _others(found: ScoreFile) -> list[Any]:
    """Scores as of another version: all of them changed."""
    return [one.model_copy(update={"value": one.value + 1}) for one in found.scores]


@pytest.fixture(scope="module")
def once_compared() -> dict[str, Any]:
    return {}


@pytest.fixture
def compared(lab: Lab, zoo: Callable[..., Any], once_compared: dict[str, Any]) -> SimpleNamespace:
    """`zoo compare` of the model and its parent: {task: verdict}, and what people read."""
    if not once_compared:
        arguments = ("compare", RECIPE, PARENT, "--scale", SCALE)
        code, text, err = zoo(*arguments, cwd=lab.workspace.root)
        assert code == 0, err
        _, out, _ = zoo(*arguments, "--json", cwd=lab.workspace.root)
        once_compared.update(text=text, verdicts={one["task"]: one for one in json.loads(out)["verdicts"]})
    return SimpleNamespace(**once_compared)


@pytest.mark.parametrize("recipe", TITLES)
def test_a_models_headline_mean_is_one_figure(said: Said, compared: SimpleNamespace, recipe: str) -> None:
    title, name = TITLES[recipe], mean_name(said.scores[recipe].tasks)
    heading = f"M{name[1:]}"
    assert heading == "Mean without STS22"
    found = {
        "at a glance": table_under(said.cards[recipe], "## At a glance")[
            "Mean of 2 tasks (STS17, STS22-v2), 768 dimensions, with its 95% interval"
        ][""],
        "at every size": table_under(said.cards[recipe], "## At every size")["768"][heading],
        "compare": shown(compared.verdicts[name]["first" if recipe == RECIPE else "second"]),
        "status": said.status[recipe],
        "leaderboard": shown(of_table(said.boards["models-ara-sts"], title, 768, heading)),
        "eval": next(row["768"] for row in eval_rows(said.scores[recipe]) if row["task"] == name),
        "space": table_under(said.space)[f"[lab/{title}](https://huggingface.co/lab/{title})"]["Mean at full width"],
        "changelog": table_under(said.changelog[recipe])[name]["v1.1.0"],
        **{where: row[heading] for where, row in said.card_tables(recipe, title).items()},
        **{f"the other's {where}": row[heading] for where, row in said.card_tables(OTHER[recipe], title).items()},
    }
    assert len(found) >= 9
    assert set(found.values()) == {found["at a glance"]}, found


def test_a_space_names_the_suites_of_means_that_are_of_several(said: Said, lab: Lab) -> None:
    other = said.scores[PARENT].model_copy(update={"suite": "other"})
    models = {"lab/a": said.scores[RECIPE], "lab/b": other}
    card = space_card("lab/demo", lab.workspace.family.space, models, [], TEMPLATES, licence="mit", sdk_version="6.0.0")
    assert [row["Suite"] for row in table_under(card).values()] == ["ara-sts", "other"]
    assert "Means of different suites are not comparable." in card
    assert "Suite" not in said.space


def test_a_changelog_marks_the_version_that_is_not_the_recipe_and_pairs_no_rehearsal_with_real_scores(
    said: Said,
) -> None:
    new = said.scores[RECIPE]
    old = new.model_copy(update={"scores": _others(new), "overrides": ["dims=[64]"]})
    text = scores_said(old, new, "v1.0.0", "v1.1.0")
    assert " v1.0.0 was built with `--set dims=[64]`." in text
    assert "v1.1.0 was built" not in text
    assert scores_said(old.model_copy(update={"miniature": False}), new, "v1.0.0", "v1.1.0") == ""


def test_the_best_rival_is_the_best_of_all_that_the_card_shows(said: Said) -> None:
    for recipe, card in said.cards.items():
        shown_means = {
            name: float(row["Mean without STS22"].split()[0])
            for name, row in table_under(card, "## Beside others").items()
            if name != TITLES[recipe]
        }
        best = max(shown_means, key=lambda name: shown_means[name])
        assert table_under(card, "## At a glance")["Best rival measured beside it"][""].startswith(f"{best}: ")


@pytest.mark.parametrize("recipe", TITLES)
def test_a_score_is_one_figure(said: Said, compared: SimpleNamespace, recipe: str) -> None:
    title, scores = TITLES[recipe], said.scores[recipe]
    index = parts(said.cards[recipe]).front["model-index"][0]["results"]
    values = eval_results(scores, f"lab/{title}")
    for number, task in enumerate(scores.tasks):
        column = TASKS[task].column
        [entry] = load_yaml(values[f".eval_results/{task}.yaml"]).data
        found = {
            "at every size": table_under(said.cards[recipe], "## At every size")["768"][column],
            "overlap": table_under(said.cards[recipe], "### Overlap")[column]["Score"],
            "compare": shown(compared.verdicts[task]["first" if recipe == RECIPE else "second"]),
            "leaderboard": shown(of_table(said.boards["models-ara-sts"], title, 768, column)),
            "eval": eval_rows(scores)[number]["768"],
            "changelog": table_under(said.changelog[recipe])[task]["v1.1.0"],
            **{where: row[column] for where, row in said.card_tables(recipe, title).items()},
            **{f"the other's {where}": row[column] for where, row in said.card_tables(OTHER[recipe], title).items()},
        }
        assert set(found.values()) == {found["at every size"]}, found
        assert index[number]["metrics"][0]["value"] == entry["value"] == float(found["eval"].split()[0])
        assert index[number]["metrics"][0]["type"] in entry["notes"]


def test_a_share_that_is_kept_is_one_figure(said: Said) -> None:
    for recipe, title in TITLES.items():
        for dim, row in table_under(said.cards[recipe], "## At every size").items():
            cell = of_table(said.boards["retention"], title, None, dim)
            bounds = f" [{cell['low']:.1f}, {cell['high']:.1f}]" if "low" in cell else ""
            assert row["Kept, %"] == f"{cell['text']}{bounds}"


def differences(card: str, title: str) -> dict[str, tuple[str, str]]:
    """{task's heading: (standing, 'difference [low, high]')} of the lines on one rival."""
    section = card.partition("## Where it wins")[2].partition("## At every size")[0].replace("\u00a0", " ")
    section = section.replace("- too few rows to say against ", "- not told apart from ")
    found = {}
    for standing, text in re.findall(
        rf"^- ([a-z ]+?)(?: of| with| from)? {re.escape(title)}: (.*)$", section, re.MULTILINE
    ):
        for column, numbers in re.findall(r"([\w.-]+) ([+-][\d.]+ \[[^]]*\])", text):
            found[column] = (standing, numbers)
    return found


def test_the_difference_of_two_siblings_is_one_figure(said: Said, compared: SimpleNamespace) -> None:
    """In the model's card, the other way round in its parent's, and in `zoo compare`."""
    ours, theirs = (differences(said.cards[one], TITLES[OTHER[one]]) for one in (RECIPE, PARENT))
    mirror = {"ahead": "behind", "behind": "ahead"}
    for task in said.scores[RECIPE].tasks:
        one, column = compared.verdicts[task], TASKS[task].column
        numbers = f"{one['difference']:+.2f} [{one['low']:+.2f}, {one['high']:+.2f}]"
        other = f"{-one['difference']:+.2f} [{-one['high']:+.2f}, {-one['low']:+.2f}]"
        assert numbers in compared.text
        assert ours[column] == (one["verdict"], numbers)
        assert theirs[column] == (mirror.get(one["verdict"], one["verdict"]), other)
        if one["verdict"] == "not told apart":
            limit = f"{one['rows']} rows cannot show less than {one['detectable']:.1f} points"
            assert limit in said.cards[RECIPE]
            assert limit in said.cards[PARENT]
            assert f"not told apart: {limit}" in compared.text


@pytest.mark.slow
def test_a_suite_of_other_kinds_has_their_types_metrics_and_units(lab: Lab, seeded: TestHub, tmp_path: Path) -> None:
    """Classification and retrieval, built with what was trained."""
    place = tmp_path / "lab"
    shutil.copytree(lab.workspace.root, place)
    family = place / "recipes" / "family.yaml"
    family.write_text(
        family.read_text("utf-8").replace("[STS17-ar, STS22-ar, STS22v2-ar]", "[AJGTv2, Sadeem]"), "utf-8"
    )
    recipe = Workspace(place).recipe(PARENT, scale=SCALE)
    seed(seeded.root, [recipe], progress=Silent())
    build = Build(Workspace(place), SCALE)
    build.run(recipe)
    card, scores = rendered_card(build, recipe), build.scores(PARENT)
    front = parts(card).front
    found = [(one["task"]["type"], one["metrics"][0]["type"]) for one in front["model-index"][0]["results"]]
    assert found == [("Classification", "accuracy"), ("Retrieval", "ndcg_at_10")]
    assert front["metrics"] == ["accuracy", "trec_eval"]
    [entry] = load_yaml(eval_results(scores, "lab/m")[".eval_results/Sadeem.yaml"]).data
    assert entry["notes"].startswith("ndcg_at_10, mteb ")
    for task, unit in (("AJGTv2", "rows, accuracy"), ("Sadeem", "queries, ndcg_at_10")):
        assert f"{scores.score(f'zoo/{PARENT}', task, 768).rows} {unit}" in card
    mean = scores.headline(f"zoo/{PARENT}", 768).shown
    assert (
        table_under(card, "## At a glance")["Mean of 2 tasks (AJGT, Sadeem), 768 dimensions, with its 95% interval"][""]
        == mean
    )
    assert table_under(card, "## Beside others")[TITLES[PARENT]]["Mean"] == mean
