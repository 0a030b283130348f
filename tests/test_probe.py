"""`zoo check --probe`: what training takes here, tried on a few steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import TestHub
from training import SETTINGS, TINY, Trainings, log, recipe_of

from zoo.cli.probe import _time
from zoo.pipeline.probe import KILLED
from zoo.recipe.training import NamedPhase
from zoo.train.probed import less_memory


@pytest.fixture(scope="module")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(seeded, tmp_path_factory.mktemp("probes"))


def test_a_phase_is_probed_on_rows_as_they_come_and_on_the_longest(trainings: Trainings, tmp_path: Path) -> None:
    from zoo.train.probe import probe_phase

    phase = probe_phase(trainings.spec(device="cpu"), "hybrid", tmp_path, steps=4)
    assert (phase.problem, phase.steps, phase.tried, phase.evaluations, phase.checkpoints) == (None, 8, 4, 3, 2)
    assert phase.precision == "trains in fp32 on the CPU"
    assert phase.step
    assert phase.evaluation
    assert phase.checkpoint
    assert phase.free
    assert phase.padding
    assert 0 < phase.step[0] <= phase.step[1] <= phase.step[2]
    assert phase.memory is not None
    assert phase.memory_longest is not None
    assert phase.memory < phase.free
    assert (phase.cut, phase.packed) == (0, True)
    (built,) = log(trainings.run(tmp_path / "built", device="cpu"))
    assert phase.padding == built["packing"]["padding"] > 1
    assert phase.tokens["50"] < phase.tokens["99"] <= phase.tokens["100"] < 30
    assert phase.seconds
    whole = 8 * phase.step[1] + 3 * phase.evaluation + 2 * phase.checkpoint
    assert phase.seconds[1] == pytest.approx(whole)


TAUGHT = [
    "datasets.arabic-stsb.columns={sentence1: {type: text}, sentence2: {type: text}}",
    f"phases.hybrid.data=[{{dataset: arabic-stsb, loss: {{type: mse, teacher: {{model: {TINY}}}}}}}]",
    "phases.hybrid.dev=null",
    "phases.hybrid.train.eval_steps=null",
]
BY_SCORE = ["phases.hybrid.train.scheduler=reduce_lr_on_plateau", "phases.hybrid.train.early_stopping_patience=2"]


@pytest.mark.filterwarnings("error:You are trying to modify a model with PEFT for a second time")
@pytest.mark.parametrize(
    ("settings", "labelled"),
    [(["phases.hybrid.train.lora={r: 2}"], 0), (BY_SCORE, 0), (TAUGHT, 2)],
    ids=["adapters", "a scheduler by score", "a teacher, who labels these rows too"],
)
def test_the_longest_rows_are_tried_with_whatever_the_phase_has(
    settings: list[str], labelled: int, trainings: Trainings, tmp_path: Path
) -> None:
    from zoo.train.probe import probe_phase

    found = probe_phase(trainings.spec(*settings, device="cpu"), "hybrid", tmp_path, steps=1)
    assert (found.problem, found.tried) == (None, 1)
    assert found.memory_longest is not None
    assert len(list(tmp_path.rglob("taught/*.arrow"))) == labelled


KILLS = """
import os
import signal
from zoo.plugins import loss

@loss("greedy", texts=(2, 2), label="score", least_rows=2)
def greedy(model):
    \"\"\"Ends its process as the system does when memory runs out.\"\"\"
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_probe_leaves_the_run_alone_and_outlives_a_kill(trainings: Trainings, zoo: Any) -> None:
    root, runs = trainings.build.workspace.root, trainings.build.runs
    before = sorted(runs.rglob("*"))
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    probe = ["check", "arabert-hybrid", "--probe", "--scale", "mini", "--device", "cpu", "--json", *settings]
    code, answer, told = zoo(*probe, cwd=root)
    assert code == 0, told
    (found,) = json.loads(answer)["probes"]
    assert (found["start"], found["built"], found["fits"]) == ("'tests/tiny-bert'", [], True)
    assert found["seconds"] == found["phases"][0]["seconds"]
    assert found["phases"][0]["memory"] > 10**7
    (kept,) = set(runs.rglob("*")) - {*before, runs / "backbones"}
    assert kept.parent == runs / "backbones"
    assert found["backbone"]["problems"] == []
    before = sorted(runs.rglob("*"))
    (root / "plugins").mkdir()
    (root / "plugins" / "greedy.py").write_text(KILLS)
    code, answer, told = zoo(*probe, "--set", "phases.hybrid.data.1.loss={type: greedy}", cwd=root)
    assert code == 1
    error = json.loads(answer)["error"]
    assert error == f"phase 'hybrid' of 'arabert-hybrid': {KILLED}"
    assert json.loads(answer)["hint"].startswith("--set phases.hybrid.train.gradient_checkpointing=true")
    assert sorted(runs.rglob("*")) == before


def test_what_training_would_stop_for_is_a_problem_of_the_phase(trainings: Trainings, tmp_path: Path) -> None:
    from zoo.train.probe import probe_phase

    spec = trainings.spec("base.max_seq_length=600", "phases.hybrid.train.max_seq_length=600", device="cpu")
    found = probe_phase(spec, "hybrid", tmp_path, steps=1)
    assert found.problem == "the model of 'arabert-hybrid' has places for 512 tokens, and max_seq_length is 600"
    spec = trainings.spec("phases.hybrid.train.learning_rate=1.0e+30", device="cpu")
    found = probe_phase(spec, "hybrid", tmp_path, steps=5)
    assert str(found.problem).startswith("phase 'hybrid' of 'arabert-hybrid' has loss 'nan' at step 3, of the rows of")
    assert found.cut == 0, "what was known before is told"


def test_the_longest_rows_are_those_with_most_tokens(tmp_path: Path) -> None:
    from zoo.train.lengths import Lengths, facts

    rows = pl.DataFrame({"one": ["a", "a b c d", "a b", "a b c"], "two": ["a", "a", "a b c d e f", "a b"]})
    rows.write_parquet(tmp_path / "rows.parquet")
    words = Lengths(tmp_path / "rows.parquet", ["one", "two"], {"one": "", "two": ""}, tokenizer=None, limit=4)
    assert words.longest(2)["one"].to_list() == ["a b", "a b c d"]
    assert len(words.longest(9)) == 9
    told = facts([words])
    assert told["cut"] == 1 / 8, "of eight texts, one has more than 4 words"
    assert told["tokens"] == {"50": 2, "95": 6, "99": 6, "100": 6}


def phase_of(**train: Any) -> NamedPhase:
    phase = recipe_of().phases[0]
    return phase.model_copy(update={"train": phase.train.model_copy(update=train)})


def test_a_phase_that_does_not_fit_is_told_what_makes_it_smaller() -> None:
    long = {"50": 20, "95": 100, "99": 200, "100": 900}
    at = "--set phases.hybrid.train"
    assert less_memory(phase_of(max_seq_length=512), tokens=long, bf16=True) == [
        f"{at}.gradient_checkpointing=true: the same result in a third more time; goes on from the last checkpoint",
        f"{at}.precision=bf16: half of the activations; starts training anew",
        f"{at}.max_seq_length=200: cuts 1 % of the texts; starts training anew",
        f"{at}.batch_size=8 {at}.gradient_accumulation_steps=2: as many rows in a step, but a row is compared with 7 "
        "others, not 15; starts training anew",
    ]
    small = phase_of(gradient_checkpointing=True, precision="bf16", batch_size=2)
    assert less_memory(small, tokens={}, bf16=True) == []


def test_advice_is_settings_that_can_be_set() -> None:
    for advice in less_memory(phase_of(max_seq_length=512), tokens={"99": 200, "100": 900}, bf16=True):
        settings = [word for word in advice.split(": ")[0].split() if word != "--set"]
        assert recipe_of(*settings) != recipe_of()


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0042, "4 ms"), (12.34, "12.3 s"), (75, "75 s"), (200, "3 min"), (7500, "2 h 5 min")],
)
def test_times_are_told_as_in_logs_and_those_of_steps_more_exactly(seconds: float, told: str) -> None:
    assert _time(seconds) == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--probe"], "--probe takes names of recipes (zoo ls lists them)"),
        (["arabert-hybrid", "--scale", "mini"], "--scale, --set and --device go with --probe"),
        (["arabert-hybrid", "--probe", "--device", "gpu"], "'gpu' is none of cpu, cuda"),
    ],
)
def test_options_of_a_probe_alone_say_nothing(arguments: list[str], message: str, zoo: Any) -> None:
    code, _, told = zoo("check", *arguments)
    assert code == 1
    assert message in told
