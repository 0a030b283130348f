"""Phases as a curriculum: alternatives from one start, what hurts is dropped, and why stands in the log and the card."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from conftest import ROOT
from datasets import Dataset as Rows
from hostile import FILES
from hostile_cards import TEMPLATES, model_facts, resolved
from training import KILLED, Heard, Trainings, log, made, recipe_of

from zoo.cards.readme import model_card
from zoo.curves.curve import phases_of_log
from zoo.errors import RecipeError, TrainError
from zoo.evidence.course import became, best_trained
from zoo.evidence.resampling import Sample, save
from zoo.recipe import Recipe, Workspace, dump, override
from zoo.recipe.dataset import Dataset
from zoo.recipe.training import Lora, NamedPhase
from zoo.run import file_digest
from zoo.say import Silent
from zoo.train import course
from zoo.train.doubts import require_graded, require_rows
from zoo.train.shares import rows_read, sampled

DEV, PAIRS = "arabic-stsb", "arabic-nli-pair-class"
COSENT = [{"dataset": DEV, "loss": "cosent"}]
SHORT = {"max_steps": 12, "eval_steps": 4, "batch_size": 16, "learning_rate": 1e-3, "precision": "fp32"}


def phase(name: str, trial: int | None = None, **train: Any) -> dict[str, Any]:
    settings = {"name": name, "data": COSENT, "dev": DEV, "train": {**SHORT, **train}}
    return NamedPhase.model_validate({**settings, "trial": trial}).model_dump(mode="json")


COURSE = [
    phase("good"),
    phase("harmful", learning_rate=0.3, max_steps=4),
    phase("alone", 1, seed=5, learning_rate=1e-4),
    phase("first", 2, seed=1),
    {**phase("second", 2), "data": [{"dataset": PAIRS, "loss": {"type": "softmax", "num_labels": 3}}, *COSENT]},
    phase("last"),
]
"""A phase that helps, one that does not, one that is tried against going on without it and helps by less than chance,
two alternatives of which the second has a head, and one that goes on."""


@pytest.fixture(scope="module")
def spec(trainings: Trainings) -> dict[str, Any]:
    found = trainings.spec(device="cpu")
    found["recipe"]["phases"] = COURSE
    return found


def train(folder: Path, spec: dict[str, Any], progress: Any = None) -> Path:
    from zoo.train.work import work

    folder.mkdir(exist_ok=True)
    work(folder, spec, progress=progress or Silent())
    return folder


@pytest.fixture(scope="module")
def whole(spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    heard = Heard()
    folder = train(tmp_path_factory.mktemp("course") / "whole", spec, heard)
    return SimpleNamespace(folder=folder, heard=heard, log={entry["phase"]: entry for entry in log(folder)})


def test_what_hurts_is_dropped_and_recorded_with_its_scores(whole: SimpleNamespace) -> None:
    """Its start is what the next phase starts from."""
    found = whole.log
    assert list(found) == ["good", "harmful", "alone", "first", "second", "last"]
    assert [name for name, one in found.items() if one["kept"] and name != "last"] == ["good", "first"]
    assert found["alone"]["start"] == found["good"]["best"] < found["alone"]["best"]
    assert found["harmful"]["start"] == found["good"]["best"] == found["first"]["start"] == found["second"]["start"]
    assert found["last"]["start"] == found["first"]["best"] < found["second"]["best"]
    assert (found["harmful"]["best_step"], found["harmful"]["why"]) == (0, None)
    score, step = best_trained(found["harmful"]) or (1, 0)
    assert score < found["harmful"]["start"]
    assert step == 4


def test_an_alternative_that_may_be_better_by_chance_replaces_none(whole: SimpleNamespace) -> None:
    why = whole.log["second"]["why"]
    low, high = map(float, re.fullmatch(r"tied with 'first': \+\d\.\d\d \[(\S+), (\S+)\]", why).groups())  # type: ignore[union-attr]
    assert low < 0 < high
    assert not (whole.folder / "heads").exists(), "the head of the alternative that was dropped is nobody's"
    assert not list(whole.folder.glob("*phase-*"))
    assert not {"dev.npz", "before.npz", "log.json"} & {path.name for path in (whole.folder / "model").iterdir()}


def test_one_line_says_what_became_of_each_phase(whole: SimpleNamespace) -> None:
    told = [note.removeprefix("arabert-hybrid: phase ") for note in whole.heard.notes if "at step" in note]
    assert [note.split(" (")[0] for note in told] == [
        "'good' kept",
        "'harmful' dropped: no step was better than the start",
        f"'alone' dropped: {whole.log['alone']['why']}",
        "'first' kept",
        f"'second' dropped: {whole.log['second']['why']}",
        f"'last' {became(whole.log['last'])}",
    ]
    good = whole.log["good"]
    assert told[0].endswith(f"({100 * good['start']:.2f} -> {100 * good['best']:.2f} at step {good['best_step']})")


def test_doubts_about_what_was_dropped_are_not_the_models(whole: SimpleNamespace) -> None:
    assert "was never better than before training" in whole.log["harmful"]["doubts"][-1]
    assert not (whole.folder / "doubts.json").exists()


class Cut(Silent):
    """Ends the work at the third step of a phase, or when it is told what became of one."""

    def __init__(self, name: str, *, judged: bool = False) -> None:
        self.name, self.judged, self.steps, self.here = name, judged, 0, False

    def start(self, label: str, total: int | None) -> None:
        self.here = label.endswith(self.name)

    def advance(self, steps: int = 1) -> None:
        self.steps += self.here and not self.judged
        if self.steps == 6:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        if self.judged and f"phase '{self.name}' dropped" in text:
            raise KeyboardInterrupt


def test_a_course_that_was_cut_off_ends_in_the_same_bits(
    whole: SimpleNamespace, spec: dict[str, Any], tmp_path: Path
) -> None:
    """Within an alternative, between two phases, and while the alternatives, or one alone, were judged."""
    for cut in (
        Cut("harmful", judged=True),
        Cut("alone"),
        Cut("alone", judged=True),
        Cut("second"),
        Cut("second", judged=True),
    ):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", spec, cut)
    assert (tmp_path / "cut" / "phase-first").is_dir()
    assert made(train(tmp_path / "cut", spec)) == made(whole.folder)


@pytest.mark.slow
def test_a_course_that_is_killed_ends_in_the_same_bits(spec: dict[str, Any], tmp_path: Path) -> None:
    """With SIGKILL, wherever in it the counts of files lead."""
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    moments = [f"file:{count}" for count in (20, 90, 130, 60, 170, 110)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    environment["PYTHONPATH"] = str(KILLED.parent)  # safe paths may be asked for
    command = [sys.executable, str(KILLED), str(tmp_path), *moments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert sum("killed" in line for line in done.stdout.splitlines()) >= 4, done.stdout
    assert made(tmp_path / "cut") == made(tmp_path / "whole")


# Judgements, of phases that are over


def no_start(device: str | None) -> Any:
    raise AssertionError("the start was judged already")


def alternative(folder: Path, name: str, noise: float | None, before: float | None = None) -> None:
    """A phase's folder: its model was never better than the start, or ranks 200 rows with so much noise.

    Args:
        before: the noise of the start, where the phase is tried against it.
    """
    (folder / f"phase-{name}").mkdir(parents=True)
    entry = {"phase": name, "start": 0.1, "best_step": 0 if noise is None else 4, "doubts": [name]}
    (folder / f"phase-{name}" / "log.json").write_text(json.dumps(entry))
    gold = np.linspace(0, 1, 200)
    for file, much in (("dev", noise), ("before", before)):
        values = gold + (much or 0) * np.random.default_rng(len(name + file)).normal(size=200)
        save(Sample("spearman", values, gold), folder / f"phase-{name}" / f"{file}.npz")


@pytest.mark.parametrize(
    ("noises", "kept", "whys"),
    [
        ([1.0, 1.0], "a", [None, "tied with 'a': "]),
        ([1.0, 0.1], "bb", ["'bb' is better: +", None]),
        ([0.1, 1.0], "a", [None, "worse than 'a': -"]),
        ([None, 1.0], "bb", [None, None]),
        ([None, None], "a", [None, None]),
        ([1.0, 0.2, 0.02], "ccc", ["'bb' is better: +", "'ccc' is better: +", None]),
    ],
)
def test_the_first_is_kept_until_one_is_better_by_more_than_chance(
    noises: list[float | None], kept: str, whys: list[str | None], tmp_path: Path
) -> None:
    names = ["a", "bb", "ccc"][: len(noises)]
    for name, noise in zip(names, noises, strict=True):
        alternative(tmp_path, name, noise)
    phases = [NamedPhase.model_validate(phase(name, 1)) for name in names]
    outcome = course.judged(phases, tmp_path, tmp_path / "dev.parquet", None, no_start)
    assert outcome.model == tmp_path / f"phase-{kept}"
    assert [entry["kept"] for entry in outcome.log] == [
        name == kept and noises != [None] * len(noises) for name in names
    ]
    for entry, why in zip(outcome.log, whys, strict=True):
        assert (entry["why"] or "").startswith(why or "")
        assert bool(entry["why"]) == bool(why)
    assert len(course.doubts(outcome.log)) == (len(names) if noises == [None] * len(noises) else 1)


@pytest.mark.parametrize(
    ("noise", "before", "kept", "why"),
    [
        (0.1, 1.0, True, "better than without it: +"),
        (1.0, 0.1, False, "worse than without it: -"),
        (0.5, 0.5, False, "tied with going on without it: "),
        (None, 0.5, False, None),
    ],
)
def test_one_alone_is_kept_when_it_is_better_than_going_on_without_by_more_than_chance(
    noise: float | None, before: float, kept: bool, why: str | None, tmp_path: Path
) -> None:
    alternative(tmp_path, "a", noise, before)
    (own,) = phases = [NamedPhase.model_validate(phase("a", 1))]
    outcome = course.judged(phases, tmp_path, tmp_path / "dev.parquet", None, no_start)
    (entry,) = outcome.log
    assert (entry["kept"], (entry["why"] or "")[: len(why or "")]) == (kept, why or "")
    assert became(entry).startswith(f"{'kept' if kept else 'dropped'}: {why or 'no step was better than the start'}")
    assert outcome.model == (None if why and not kept else course.folder_of(tmp_path, own))
    plain = [NamedPhase.model_validate(phase("a"))]
    outcome = course.judged(plain, tmp_path, tmp_path / "dev.parquet", None, no_start)
    assert outcome.log[0]["kept"] is (noise is not None), "without `try` it is asked only whether a step was better"


@pytest.mark.parametrize("anchors", [1, 3])
def test_few_anchors_tell_nothing_even_when_all_rows_agree(anchors: int, tmp_path: Path) -> None:
    """Their interval has no width: 100.00 [100.00, 100.00]."""
    groups = np.arange(40) % anchors
    for trial, file in ((["a"], "before"), (["a", "b"], "dev")):
        shutil.rmtree(tmp_path, ignore_errors=True)
        for name in trial:
            alternative(tmp_path, name, 1.0)
        save(Sample("mean", np.zeros(40), groups=groups), tmp_path / f"phase-a/{file}.npz")
        save(Sample("mean", np.ones(40), groups=groups), tmp_path / f"phase-{trial[-1]}/dev.npz")
        phases = [NamedPhase.model_validate(phase(name, 1)) for name in trial]
        *_, entry = course.judged(phases, tmp_path, tmp_path / "dev.parquet", None, no_start).log
        told = f"by {'1 anchor' if anchors == 1 else '3 anchors'} of dev"
        assert not entry["kept"]
        assert entry["why"].startswith("cannot be told from ")
        assert entry["why"].endswith(told)


def test_a_start_without_a_score_is_beaten_by_every_score(tmp_path: Path) -> None:
    """As where all its embeddings are alike: there is nothing to compare with."""
    alternative(tmp_path, "a", 1.0)
    entry = {"phase": "a", "start": None, "best": 0.3, "best_step": 4, "doubts": []}
    (tmp_path / "phase-a" / "log.json").write_text(json.dumps(entry))
    phases = [NamedPhase.model_validate(phase("a", 1))]
    outcome = course.judged(phases, tmp_path, tmp_path / "dev.parquet", None, no_start)
    assert (outcome.model, became(outcome.log[0])) == (tmp_path / "phase-a", "kept: without it no score is a number")


def test_what_a_kill_left_of_a_judgement_is_no_part_of_the_model(tmp_path: Path) -> None:
    from zoo.train.work import _tidy

    for name in ("model.safetensors", "log.json", "dev.npz", ".dev.npz.123", ".before.npz.9"):
        (tmp_path / name).touch()
    _tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_sizes_that_only_a_dropped_phase_trained_are_a_doubt() -> None:
    sized = {**phase("sized"), "data": [{"dataset": DEV, "loss": {"type": "matryoshka", "inner": "cosent"}}]}
    sized["data"][0]["loss"]["dims"] = [96, 48]
    recipe = recipe_of("phases.hybrid.train.epochs=1")
    phases = [NamedPhase.model_validate(one) for one in (sized, phase("plain"))]
    recipe = recipe.model_copy(update={"parent": None, "dims": [96, 48], "phases": phases})
    kept, dropped = ([{"phase": "sized", "best_step": step}, {"phase": "plain", "best_step": 3}] for step in (4, 0))
    assert course.lost_sizes(recipe, kept) == []
    (told,) = course.lost_sizes(recipe, dropped)
    assert told.startswith("no phase that was kept trains 48 of the sizes 96, 48: ")
    child = recipe.model_copy(update={"name": "child", "parent": recipe, "phases": phases[1:]})
    assert course.lost_sizes(child, dropped[1:]) == [], "what a parent lost is its own doubt"


def test_logs_of_earlier_versions_say_it_by_the_best_step() -> None:
    assert became({"best_step": 0}) == "dropped: no step was better than the start"
    assert became({"best_step": None}) == became({"best_step": 3}) == "kept"


def test_the_score_that_decides_is_named_since_others_may_have_its_value() -> None:
    """Accuracies of few rows are often the same at two sizes."""
    full, small = "eval_dev_accuracy_cosine", "eval_dev_8_accuracy_cosine"
    entries = [{"step": 0, small: 0.7, full: 0.7}, {"step": 2, small: 0.9, full: 0.6}]
    found = {"phase": "p", "steps": 2, "start": 0.7, "best": 0.7, "best_step": 0, "log": entries}
    assert best_trained({**found, "metric": full}) == (0.6, 2)
    assert phases_of_log([{**found, "metric": full}])[0].dev == [(0, 0.7), (2, 0.6)]
    assert best_trained(found) == (0.9, 2), "of earlier versions, where it was a correlation"


# Triplets and weights


TRIPLETS = "triplets"
DROPPED = [
    {"dataset": DEV, "loss": "cosent", "weight": 2},
    {"dataset": PAIRS, "loss": {"type": "softmax", "num_labels": 3}, "weight": 1},
]


@pytest.fixture(scope="module")
def of_triplets(spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One phase by weight that is tried beside the base model, on triplets of which it can make half right."""
    folder = tmp_path_factory.mktemp("triplets")
    pairs = pl.read_parquet(spec["splits"][PAIRS]["train"]).head(40)
    texts = {"anchor": pairs["premise"], "positive": pairs["hypothesis"], "negative": pairs["hypothesis"].reverse()}
    pl.DataFrame(texts).write_parquet(folder / "dev.parquet")
    found = json.loads(json.dumps(spec))
    columns = {name: {"type": "text"} for name in texts}
    dataset = Dataset.model_validate({"source": {"dataset": "lab/triplets"}, "columns": columns})
    found["recipe"]["datasets"][TRIPLETS] = dataset.model_dump(mode="json", by_alias=True)
    found["splits"][TRIPLETS] = {"validation": str(folder / "dev.parquet")}
    own = phase("alone", 1, max_steps=8, learning_rate=1e-5)
    found["recipe"]["phases"] = [{**own, "data": DROPPED, "dev": TRIPLETS, "best": {"metric": "accuracy"}}]
    return found


def test_a_phase_is_judged_on_triplets_beside_the_base_model(of_triplets: dict[str, Any], tmp_path: Path) -> None:
    """It is dropped, and what is left is the base model; the log has the rows that were read by weight."""
    from zoo.train.work import beginning

    recipe = Recipe.model_validate(of_triplets["recipe"])
    (entry,) = log(train(tmp_path / "whole", of_triplets))
    assert (entry["kept"], entry["rows"]) == (False, {DEV: 100, PAIRS: 50})
    scores = {one["step"]: one["eval_dev_accuracy_cosine"] for one in entry["log"] if "loss" not in one}
    assert (list(scores), entry["start"]) == ([0, 4, 8], scores[0])
    assert became(entry).startswith(("dropped: tied with going on without it: ", "dropped: no step was better"))
    base = beginning(of_triplets, recipe, recipe.phases[0], None)("cpu")
    base.save_pretrained(str(tmp_path / "base"), create_model_card=False)
    assert file_digest(tmp_path / "whole/model/model.safetensors") == file_digest(tmp_path / "base/model.safetensors")
    for cut in (Cut("alone"), Cut("alone", judged=True)):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", of_triplets, cut)
    assert made(train(tmp_path / "cut", of_triplets)) == made(tmp_path / "whole")


def test_triplets_of_one_anchor_are_drawn_together(of_triplets: dict[str, Any], tmp_path: Path) -> None:
    from zoo.train.work import beginning

    recipe = Recipe.model_validate(of_triplets["recipe"])
    rows = pl.read_parquet(of_triplets["splits"][TRIPLETS]["validation"])
    pl.concat([rows, rows]).write_parquet(tmp_path / "dev.parquet")
    begin = beginning(of_triplets, recipe, recipe.phases[0], None)
    (tmp_path / "phase-alone").mkdir()
    found = course.dev_sample(tmp_path / "dev.npz", recipe.phases[0], tmp_path / "dev.parquet", lambda: begin("cpu"))
    assert (found.statistic, len(found.values), set(found.values) <= {0, 1}) == ("mean", 80, True)
    assert found.groups is not None
    assert len(set(found.groups)) == rows["anchor"].n_unique()


@pytest.mark.parametrize(
    ("counts", "weights", "read"),
    [
        ({"a": 100, "b": 40}, {"a": 1, "b": 1}, {"a": 40, "b": 40}),
        ({"a": 100, "b": 40}, {"a": 200, "b": 27}, {"a": 100, "b": 14}),
        ({"a": 100, "b": 40}, {"a": None, "b": None}, {"a": 100, "b": 40}),
        ({"a": 100, "b": 1}, {"a": 0.001, "b": 1}, {"a": 1, "b": 1}),
    ],
)
def test_weights_are_shares_of_an_epoch_in_which_no_row_is_repeated(
    counts: dict[str, int], weights: dict[str, float | None], read: dict[str, int], tmp_path: Path
) -> None:
    for name, count in counts.items():
        pl.DataFrame({"n": range(count)}).write_parquet(tmp_path / f"{name}.parquet")
    splits = {name: {"train": str(tmp_path / f"{name}.parquet")} for name in counts}
    data = [{"dataset": name, "loss": "mnrl", "weight": weight} for name, weight in weights.items()]
    own = NamedPhase.model_validate({"name": "p", "data": data})
    assert rows_read(own, splits) == read
    assert "weight" not in own.data[0].model_dump() or weights["a"], "recipes without weights are what they were"
    if read["b"] < 2:
        with pytest.raises(TrainError, match="'a' has, by its weight, 1 training row, and loss 'mnrl' compares"):
            require_rows(own, "r", splits)


def test_the_sample_of_a_dataset_is_the_same_every_time() -> None:
    rows = Rows.from_dict({"n": list(range(50))})
    first, again, other = (sampled(rows, 20, seed=seed)["n"] for seed in (1, 1, 2))
    assert list(first) == list(again) == sorted(set(first)) != list(other)
    assert sampled(rows, 50, seed=1) is rows


def test_triplets_that_tell_nothing_choose_no_checkpoint(tmp_path: Path) -> None:
    own = NamedPhase.model_validate({**phase("p"), "dev": TRIPLETS, "best": {"metric": "accuracy"}})
    rows = pl.DataFrame({"anchor": ["a", "b"], "positive": ["c", "d"], "negative": ["c", "d"]})
    rows.write_parquet(tmp_path / "dev.parquet")
    told = "all rows \\(2\\) of its dev 'triplets' have one text as 'positive' and 'negative', by which no"
    with pytest.raises(TrainError, match=told):
        require_graded(own, "r", tmp_path / "dev.parquet")


# Recipes


ALTERNATIVES = """
  again:
    data: [{dataset: arabic-stsb, loss: cosent}]
    dev: arabic-stsb
  unscored:
    data: [{dataset: arabic-stsb, loss: cosent}]
  elsewhere:
    data: [{dataset: arabic-stsb, loss: cosent}]
    dev: stsb
  shorter:
    data: [{dataset: arabic-stsb, loss: cosent}]
    dev: arabic-stsb
    best: {metric: pearson, dim: 64}

scales:"""


def lab(folder: Path, phases: str) -> Workspace:
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    for file, old, new in (("family", "\nscales:", ALTERNATIVES), ("arabert", "phases: [hybrid]", f"phases: {phases}")):
        path = folder / "recipes" / f"{file}.yaml"
        assert old in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    return Workspace(folder)


def test_a_recipe_may_try_phases(tmp_path: Path) -> None:
    space = lab(tmp_path, "[{try: [hybrid, again]}]")
    assert space.problems() == []
    recipe = override(space.recipe("arabert-hybrid"), ["phases.again.train.epochs=3"])
    assert [(one.name, one.trial, one.train.epochs) for one in recipe.phases] == [("hybrid", 1, 5), ("again", 1, 3)]
    assert Recipe.model_validate(yaml.safe_load(dump(recipe))) == recipe
    alone = lab(tmp_path / "alone", "[{try: [hybrid]}]").recipe("arabert-hybrid")
    assert [(one.name, one.trial) for one in alone.phases] == [("hybrid", 1)]
    assert Recipe.model_validate(yaml.safe_load(dump(alone))) == alone
    with pytest.raises(
        RecipeError, match=r"^--set: phases\.again: 'again' has no dev, by which the better phase is cho"
    ):
        override(recipe, ["phases.again.dev=null"])


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        ("[{try: []}]", "0.try: "),
        ("[{try: [unscored]}]", "0.try.0: 'unscored' has no dev, by which it is kept or dropped; add dev to phases.un"),
        ("[{try: [hybrid, agin]}]", "0.try.1: no phase 'agin' in family.yaml; did you mean 'again'?"),
        ("[{try: [hybrid, again]}, hybrid]", "1: 'hybrid' stands twice, and would be trained once; raise its epochs"),
        ("[{try: [hybrid, unscored]}]", "0.try.1: 'unscored' has no dev, by which the better phase is chosen; add dev"),
        (
            "[{try: [hybrid, elsewhere]}]",
            "0.try.1: 'elsewhere' has dev 'stsb', and 'hybrid', its alternative, 'arabic-stsb'; write the same in both",
        ),
        (
            "[{try: [hybrid, shorter]}]",
            "0.try.1: 'shorter' has best 'pearson' at dim '64', and 'hybrid', its alternative, 'spearman' at dim 'full'",
        ),
        ("[{tri: [hybrid]}]", "0.tri: unknown key 'tri'"),
    ],
)
def test_alternatives_that_cannot_be_compared_are_mistakes(phases: str, told: str, tmp_path: Path) -> None:
    (problem,) = lab(tmp_path, phases).problems()
    assert f"variants.hybrid.phases.{told}" in problem.message


# The card


def test_the_cards_table_is_the_course(whole: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_NAMESPACE", "lab")
    _, recipe = resolved({file: data for file, (_, data) in FILES.items()}, tmp_path)
    (own,) = recipe.phases
    both = [own.model_copy(update={"name": name, "trial": 1}) for name in ("first", "second")]
    kept = own.train.model_copy(update={"lora": Lora(keep=True)})
    elsewhere = [own.data[0].model_copy(update={"dataset": "other"})]
    both = [both[0].model_copy(update={"train": kept}), both[1].model_copy(update={"train": kept, "data": elsewhere})]
    recipe = recipe.model_copy(update={"phases": [own, *both]})
    facts = model_facts(recipe, "a title")
    logs = [*facts.logs[recipe.name][:1], whole.log["first"], whole.log["second"]]
    card = model_card(replace(facts, logs={**facts.logs, recipe.name: logs}), TEMPLATES)
    rows = [line for line in card.splitlines() if line.startswith("| **") and "with" in line][-3:]
    first, second = logs[1:]
    assert [row.split(" | ")[3:] for row in rows] == [
        ["40.00", "50.00", "9", "kept |"],
        [
            f"{100 * first['start']:.2f}",
            f"{100 * first['best']:.2f}",
            str(first["best_step"]),
            "kept, of alternatives |",
        ],
        [
            f"{100 * second['start']:.2f}",
            f"{100 * second['best']:.2f}",
            str(second["best_step"]),
            f"dropped: {second['why']} |",
        ],
    ]
    assert rows[1].split(" | ")[2] == f"spearman on {own.dev} at {recipe.base.width}"
    assert "those of dropped phases included" in card
    assert "Of these, only phases that were dropped read other." in card
    assert "The adapters of first are in `adapter/` too" in card
    child = recipe.model_copy(update={"name": "child", "parent": recipe, "phases": [own]})
    card = model_card(replace(facts, recipe=child, logs={recipe.name: logs, "child": logs[:1]}), TEMPLATES)
    assert "This model's own training took 9 steps:" in card, "what its parent dropped is no part of it"
