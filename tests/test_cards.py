"""Cards: only what was measured, one template replaceable alone, nothing that a name can break."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile import FILES
from hostile_cards import TASK, TEMPLATES, UNSHARED, model_facts, parts, resolved

from zoo.cards.datasetview import DatasetFacts
from zoo.cards.facts import BesideModel
from zoo.cards.ingredients import ingredients
from zoo.cards.readme import dataset_card, model_card, render
from zoo.contamination import ingredients as contamination
from zoo.errors import CardError
from zoo.pipeline.build import Build
from zoo.plugins.loading import plugged
from zoo.publish.desired import provenance
from zoo.recipe import Dataset, Recipe, Workspace
from zoo.remote import size_category
from zoo.run import Run, first_difference, versions
from zoo.tasks import TASKS
from zoo.tasks.task import METRICS

OURS = Path(__file__).parents[1] / "cards"


LEAFLETS = """from zoo.plugins import graded_pairs

graded_pairs("Leaflets", "leaflets.tsv", "Sentences of leaflets.", column="Leaflets")
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, Recipe]:
    """A workspace, and a recipe of it."""
    monkeypatch.setenv("ZOO_NAMESPACE", "lab")
    return resolved({file: data for file, (_, data) in FILES.items()}, tmp_path)


def changed(recipe: Recipe, **update: Any) -> Recipe:
    return Recipe.model_validate({**recipe.model_dump(mode="json", by_alias=True), **update})


def with_leaflets(workspace: Workspace) -> None:
    write(workspace.root / "plugins", "leaflets.py", LEAFLETS)
    write(workspace.root, "leaflets.tsv", "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n")


def dataset_text(dataset: Dataset, dropped: dict[str, int]) -> str:
    """The card of `dataset` when its steps, in this order, were those that dropped rows."""
    steps = [name.split()[0] for name in dropped]
    dataset = Dataset.model_validate({**dataset.model_dump(mode="json"), "steps": steps})
    found = {"rows": 9, "read": 9, "dropped": dropped, "mean_length": dict.fromkeys(dataset.texts, 1.0), **UNSHARED}
    source = {"revision": "1" * 40, "miniature": False}
    return dataset_card(DatasetFacts("lab/Pairs", dataset, {"train": [1]}, {"train": found}, source), TEMPLATES)


def printed_line(card: str) -> str | None:
    """The line with what others printed; none when the card has no such section."""
    return next((line for line in card.splitlines() if line.startswith("at 64 dimensions: ")), None)


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_a_fact_that_is_missing_stops_the_card_and_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "# {{ title }}\n\nscore {{ scroe }}\n")
    with pytest.raises(CardError) as caught:
        render("model.md.j2", [mine, OURS], title="a", score=1.0)
    assert caught.value.message == "model.md.j2, line 3: 'scroe' is undefined"
    assert caught.value.hint == f"edit {mine / 'model.md.j2'}"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_doubts_stand_before_where_it_wins(made: tuple[Workspace, Recipe], language: str) -> None:
    """And a card without any has no such words."""
    release = {**made[1].release.model_dump(mode="json"), "language": [language]}
    facts = replace(model_facts(changed(made[1], release=release), "7"), doubts=["train of 'a': 100% of *it*", "two"])
    card = model_card(facts, TEMPLATES)
    assert r"- train of 'a': 100% of \*it\*" in card
    places = [card.index(f"## {name}\n") for name in ("At a glance", "Doubts", "Use")]
    assert places == sorted(places)
    assert places[-1] < card.index("## Where it wins")
    assert ("ما يدعو إلى الشك" in card) == (language == "ar")
    card = model_card(replace(facts, doubts=[]), TEMPLATES)
    assert "Doubts" not in card
    assert "الشك" not in card


def test_models_that_losses_were_given_are_linked_with_their_commits(made: Any) -> None:
    beside = [BesideModel("guide", "lab/G", "1" * 40), BesideModel("teacher", "lab/T", "2" * 40)]
    card = model_card(replace(model_facts(made[1], "7"), beside=beside), TEMPLATES)
    told = card.split("## Phases")[1].split("## Limits")[0]
    assert (
        "Its losses asked models that were not trained: the guide [lab/G](https://huggingface.co/lab/G) at `11111111`,\n"
        "the teacher [lab/T](https://huggingface.co/lab/T) at `22222222`.\n\n"
    ) in told
    assert "not trained" not in model_card(replace(model_facts(made[1], "7"), beside=[]), TEMPLATES)


def test_a_broken_template_says_where(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "fine\n{% if x %}\n")
    with pytest.raises(CardError, match=r"model.md.j2, line 2: Unexpected end of template"):
        render("model.md.j2", [mine], x=1)


def test_one_template_can_be_replaced_alone(tmp_path: Path) -> None:
    """It finds our macros, though its own folder has none."""
    mine = write(tmp_path / "cards", "model.md.j2", '{% from "_macros.j2" import number %}{{ number(n) }}')
    assert render("model.md.j2", [mine, OURS], n=8996608) == "8,996,608"


def test_templates_cannot_reach_into_python(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(CardError, match="unsafe"):
        render("model.md.j2", [mine])


def test_names_stay_text_in_tables(tmp_path: Path) -> None:
    mine = write(tmp_path / "cards", "model.md.j2", "| {{ name }} |")
    hostile = "a|b\n# <script>[x](javascript:1) {{ 7*7 }}"
    shown = render("model.md.j2", [mine], name=hostile)
    assert shown == r"| a\|b \# \<script\>\[x\](javascript:1) {{ 7\*7 }} |"


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (20_000_000, "10M<n<100M"), (10**12, "n>1T")],
)
def test_sizes_have_the_names_that_the_hub_knows(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_a_card_is_stale_when_a_name_that_it_prints_has_changed(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    site = Build(workspace, "mini")
    before = changed(recipe, parent=recipe.model_dump(mode="json", by_alias=True))

    def why(**update: Any) -> str | None:
        return first_difference(ingredients(before, site), ingredients(changed(before, **update), site))

    assert why() is None
    parent, datasets = (before.model_dump(mode="json", by_alias=True)[part] for part in ("parent", "datasets"))
    assert why(parent={**parent, "release": {**parent["release"], "repo": "Two"}}) == (
        "names.parent changed (lab/One -> lab/Two)"
    )
    pairs = datasets["pairs"]
    other = {**pairs, "release": {**pairs["release"], "repo": "Others"}}
    assert why(datasets={**datasets, "pairs": other}) == "names.datasets.pairs changed (lab/Pairs -> lab/Others)"
    assert why(datasets={**datasets, "pairs": {**pairs, "release": None}}) == (
        "names.datasets.pairs changed (lab/Pairs -> lab/pairs)"
    )


def test_a_card_is_stale_when_its_tasks_are_called_otherwise(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    with_leaflets(workspace)
    recipe = recipe.model_copy(update={"evaluation": recipe.evaluation.model_copy(update={"tasks": ["Leaflets"]})})

    def found() -> dict[str, Any]:
        again = Workspace(workspace.root)  # plugins are read once for a workspace
        with plugged(again.plugins):
            return ingredients(recipe, Build(again, "mini"))["tasks"]["Leaflets"]

    before = found()
    write(workspace.root / "plugins", "leaflets.py", LEAFLETS.replace('column="Leaflets"', 'column="Package leaflets"'))
    after = found()
    assert (before["column"], after["column"]) == ("Leaflets", "Package leaflets")
    assert before["pin"] != after["pin"]
    assert after["says"] == "Sentences of leaflets."


SHORT = """from zoo.plugins import step

@step("short")
def short(frame, texts):
    \"\"\"Drop rows with more than 40 words.\"\"\"
    return frame
"""


def test_a_datasets_card_names_its_own_steps_and_what_each_dropped(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    write(workspace.root / "plugins", "short.py", SHORT)
    with plugged(Workspace(workspace.root).plugins):
        card = dataset_text(recipe.datasets["pairs"], {"short": 1204, "unique": 0, "short 2": 7})
    assert (
        "at `11111111`, and went through these steps:\n\n"
        "- `short`: Drop rows with more than 40 words. Dropped: 1,204 in train.\n"
        "- `unique`: Drop rows whose texts stand in an earlier row. Dropped: 0 in train.\n"
        "- `short`: Drop rows with more than 40 words. Dropped: 7 in train.\n\n"
        "## Limits"
    ) in card


def test_the_card_of_a_dataset_without_steps_says_so(made: tuple[Workspace, Recipe]) -> None:
    assert "`11111111`, as they are there.\n\n## Limits" in dataset_text(made[1].datasets["pairs"], {})


def test_whether_a_card_is_stale_is_asked_without_jinja() -> None:
    code = "import sys, zoo.cards.ingredients; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("tasks", "printed", "line"),
    [
        (["STS17-ar", "STS22-ar"], ["STS17-ar", "STS22-ar"], "at 64 dimensions: STS17 7, STS22 7, mean 7."),
        (["STS17-ar", "SIB200-arz"], ["STS17-ar", "STS22-ar"], "at 64 dimensions: STS17 7."),
        (["STS17-ar"], ["STS17-ar", "STS22-ar"], "at 64 dimensions: STS17 7."),
        (["SIB200-arz"], ["STS17-ar", "STS22-ar"], None),
    ],
    ids=["the same tasks", "one that was not printed", "fewer than were printed", "none that was printed"],
)
def test_of_a_printed_row_the_card_has_our_tasks_and_a_mean_of_the_same_tasks(
    tasks: list[str], printed: list[str], line: str | None, made: tuple[Workspace, Recipe]
) -> None:
    card = model_card(model_facts(made[1], "7", tasks, printed), TEMPLATES)
    assert printed_line(card) == line
    assert ("For comparison, as printed" in card) == (line is not None)


@pytest.mark.parametrize("kind", METRICS)
def test_scores_stand_under_the_kind_and_metric_of_their_task(kind: str, made: tuple[Workspace, Recipe]) -> None:
    name = next(task for task in TASKS if TASKS[task].kind == kind)
    front = parts(model_card(model_facts(made[1], "7", [name]), TEMPLATES)).front
    [result] = front["model-index"][0]["results"]
    metric = TASKS[name].metric
    assert result["task"] == {"type": kind}
    assert result["metrics"][0]["type"] == metric
    hubs = {"cosine_spearman": "spearmanr", "ndcg_at_10": "trec_eval", "map_at_1000": "trec_eval"}
    assert front["metrics"] == [hubs.get(metric, metric)]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("STS17-ar", "9 rows, cosine_spearman"),
        ("AJGTv2", "9 rows, accuracy"),
        ("Sadeem", "9 queries, ndcg_at_10"),
        ("SIB200-arz", "9 clusterings, v_measure"),
    ],
)
def test_a_score_is_said_to_be_of_its_own_unit_and_metric(task: str, said: str, made: tuple[Workspace, Recipe]) -> None:
    assert said in model_card(model_facts(made[1], "7", [task]), TEMPLATES)


LOSES = "- behind on STS17 (50.00) by printed figures, which are not of our measuring: "


def test_well_known_models_stand_as_printed_beside_what_was_measured_on_real_data(
    made: tuple[Workspace, Recipe],
) -> None:
    tasks = ["STS17-ar", "STS22-ar", "STS22v2-ar"]
    facts = model_facts(made[1], "7", tasks)
    source = "https://github.com/embeddings-benchmark/results @ f4cc6c8b"
    rows = [
        {"model": name, "STS17-ar": first, "STS22v2-ar": second, "source": source}
        for name, first, second in [("lab/less", "49.99", "60"), ("lab/more", "80.5", "61"), ("lab/half", "90", "")]
    ]
    facts = replace(facts, official=[*rows, {**rows[0], "model": "other/7"}])
    card = model_card(facts, TEMPLATES)
    table = card.partition("### As printed elsewhere")[2].partition("## ")[0]
    assert "| Model | STS17 | STS22-v2 | Mean without STS22 |" in table
    names = ["lab/more", "lab/less", "lab/half"]
    found = [line for line in table.splitlines() if line.startswith("| [")]
    assert [name in line for name, line in zip(names, found, strict=True)] == [True] * 3, "what we measured is left out"
    assert found[0].endswith("| 80.50 | 61.00 | 70.75 |")
    assert found[2].endswith("| 90.00 | - | - |")
    (line,) = (line for line in card.splitlines() if line.startswith(LOSES))
    assert [name for name in names if name in line] == ["lab/more", "lab/half"]
    assert line.index("lab/half") < line.index("lab/more")
    rehearsal = replace(facts, scores=facts.scores.model_copy(update={"miniature": True}))
    assert not any(name in model_card(rehearsal, TEMPLATES) for name in names), "generated and real data never meet"


def test_the_papers_mean_is_over_its_tasks_alone(made: tuple[Workspace, Recipe]) -> None:
    paper = {"title": "A paper", "url": "https://arxiv.org/abs/2505.24581", "bibtex": "@misc{paper}"}
    recipe = changed(made[1], release={**made[1].release.model_dump(mode="json"), "paper": paper})
    tasks = ["STS17-ar", "STS22-ar", "STS22v2-ar"]
    assert "| Mean with STS22 (paper's mean) |" in model_card(model_facts(recipe, "7", tasks), TEMPLATES)
    other = model_card(model_facts(recipe, "7", [*tasks, "AJGTv2"]), TEMPLATES)
    assert "| Mean with STS22 |" in other
    assert "paper's mean" not in other
    assert "the paper counts both" not in other
    another = {**paper, "url": "https://acr.ps/neoarabert"}
    recipe = changed(made[1], release={**made[1].release.model_dump(mode="json"), "paper": another})
    assert "paper's mean" not in model_card(model_facts(recipe, "7", tasks), TEMPLATES), "which did not print it"


def test_a_model_of_another_scale_is_a_rehearsal_on_real_data_too(made: tuple[Workspace, Recipe]) -> None:
    card = model_card(model_facts(changed(made[1], scale="mini"), "7", [TASK]), TEMPLATES)
    assert " (rehearsal)\n" in card
    assert "> **Rehearsal.** This model was trained at scale `mini`" in card
    assert "(rehearsal: scale 'mini')" in card.partition("\n# ")[0].replace("''", "'")
    assert "rehearsal" not in model_card(model_facts(changed(made[1], scale="full"), "7", [TASK]), TEMPLATES).lower()


def test_the_arabic_text_says_which_kinds_of_tasks(made: tuple[Workspace, Recipe]) -> None:
    recipe = changed(made[1], release={**made[1].release.model_dump(mode="json"), "language": ["ar"]})

    def found(*tasks: str) -> str:
        card = model_card(model_facts(recipe, "7", tasks), TEMPLATES)
        return next(line for line in card.splitlines() if line.startswith("- **النتائج:**"))

    assert 'على مهمة واحدة من تشابه النصوص: <span dir="ltr">50.00' in found(TASK)
    assert 'على مهمتين من تشابه النصوص وتصنيف النصوص: <span dir="ltr">50.00' in found(TASK, "AJGTv2")


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (
            95.0,
            "32 dimensions: the smallest that keeps 95 % of the mean even at the low end of its interval: 97.0\u00a0[95.0,\u00a099.0] %",
        ),
        (94.9, "64 dimensions: no smaller size keeps 95 % of the mean at the low end of its interval"),
    ],
)
def test_a_card_says_which_size_to_pick(low: float, said: str, made: tuple[Workspace, Recipe]) -> None:
    facts = model_facts(made[1], "7", [TASK])
    kept = facts.scores.kept[0].model_copy(update={"value": 97.0, "low": low, "high": 99.0})
    scores = facts.scores.model_copy(update={"kept": [kept]})
    assert f"| Size to pick | {said} |" in model_card(replace(facts, scores=scores), TEMPLATES)
    unknown = facts.scores.model_copy(update={"kept": []})
    assert "Size to pick" not in model_card(replace(facts, scores=unknown), TEMPLATES)


def test_energy_is_written_as_people_write_numbers(made: tuple[Workspace, Recipe]) -> None:
    facts = model_facts(made[1], "7", [TASK])
    for energy, said in [
        ({"kwh": 4.79e-06}, "under 0.001 kWh"),
        ({"kwh": 1234.5, "kg_co2": 9.0}, "about 1,234.500 kWh"),
    ]:
        card = model_card(replace(facts, training={**facts.training, "energy": energy}), TEMPLATES)
        assert said in card, energy
        assert "4.79e" not in card


def test_a_task_whose_data_are_a_file_has_no_place_in_the_model_index(made: tuple[Workspace, Recipe]) -> None:
    workspace, recipe = made
    with_leaflets(workspace)
    with plugged(Workspace(workspace.root).plugins):
        both, alone = (
            parts(model_card(model_facts(recipe, "7", tasks), TEMPLATES)).front
            for tasks in ([TASK, "Leaflets"], ["Leaflets"])
        )
    assert [result["dataset"]["name"] for result in both["model-index"][0]["results"]] == [TASKS[TASK].title]
    assert "model-index" not in alone
    assert "model_name" not in alone
    assert alone["metrics"] == ["spearmanr"]


def test_provenance_tells_the_libraries_that_trained_from_those_that_measured(
    made: tuple[Workspace, Recipe], tmp_path: Path
) -> None:
    run = Run(tmp_path / "run")
    trained, measured = (
        {"torch": "2.1", "sentence-transformers": "5.0"},
        {"sentence-transformers": "5.1", "mteb": "2.0"},
    )
    with run.making("train", {"base_revision": "1" * 40, "versions": trained}) as folder:
        write(folder / "model", "model.safetensors", "weights")
    said = provenance.of_model(made[1], run, None, {}, stages=["train"], measured_with=measured)
    assert (said["format"], said["versions"], said["measured_with"]) == (2, trained, measured)


def test_overlap_is_searched_again_with_other_libraries(made: tuple[Workspace, Recipe]) -> None:
    """Its rows are places in the rows that mteb reads with datasets."""
    workspace, recipe = made
    found = contamination.ingredients(recipe, Build(workspace, "mini"))
    assert found["versions"] == versions("mteb", "datasets")
