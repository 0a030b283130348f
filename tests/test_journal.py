"""A training's journal grows while it trains, survives what cuts it off, and is told to people by `zoo logs`."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, workspace_in
from training import PowerCut, Trainings, log

from zoo import say
from zoo.curves.curve import phases_of_journal, phases_of_log
from zoo.curves.journal import Spent, read_journal, settled
from zoo.layout import JOURNAL
from zoo.say import Silent


class Watch(PowerCut):
    """Cuts the power, and remembers how the work was described and how long the journal was at each step."""

    def __init__(self, file: Path, after: int) -> None:
        super().__init__(after)
        self.file = file
        self.lines: list[int] = []

    def advance(self, steps: int = 1) -> None:
        if self.file.is_file():
            self.lines.append(len(read_journal(self.file)))
        super().advance(steps)


@pytest.fixture(scope="module")
def trained(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watch]:
    """A folder in which a training was cut off after its sixth step, and went on from its fourth."""
    folder = tmp_path_factory.mktemp("trained")
    watch = Watch(folder / JOURNAL, after=6)
    with pytest.raises(KeyboardInterrupt):
        trainings.run(folder, progress=watch)
    with (folder / JOURNAL).open("a") as file:
        file.write('{"time": "2026')  # a line that was cut off
    return trainings.run(folder), watch


def test_the_journal_grows_with_every_step_and_goes_on_after_a_cut(trained: tuple[Path, Watch]) -> None:
    folder, watch = trained
    assert watch.lines == sorted(set(watch.lines)), "every step found a longer journal"
    entries = read_journal(folder / JOURNAL)
    told = [(entry["event"], entry["step"]) for entry in entries]
    assert told == [
        ("begin", 0), ("dev", 0), *[("log", step) for step in range(1, 5)], ("dev", 4), ("checkpoint", 4), ("log", 5),
        ("stopped", 6), ("resume", 4), *[("log", step) for step in range(5, 9)], ("dev", 8), ("checkpoint", 8),
        ("end", 8),
    ]  # fmt: skip
    begin, first = entries[0], entries[2]
    assert begin["hardware"]["cpu"]
    assert begin["hardware"]["threads"] >= 1
    assert begin["precision"] == {"asked": "fp32", "used": "fp32", "device": "cpu"}
    assert first["rows"] == 16
    assert 16 * 2 < first["tokens"] < 16 * 2 * 64
    assert first["memory"] > 10**8
    assert {"time", "of", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second"} <= first.keys()
    assert next(entry for entry in entries if entry["event"] == "stopped")["why"] == "interrupted"
    assert len(settled(entries)) == len(told) - 2, "the fifth step counts once, and that it stopped there no more"


def test_journal_and_log_draw_the_same_curve(trained: tuple[Path, Watch]) -> None:
    folder, _ = trained
    assert phases_of_journal(read_journal(folder / JOURNAL)) == phases_of_log(log(folder))


def test_what_was_spent_counts_interrupted_work_too(trained: tuple[Path, Watch]) -> None:
    from zoo.train.ingredients import circumstances

    folder, _ = trained
    spent = circumstances(folder)["training"]
    assert spent == Spent(read_journal(folder / JOURNAL)).facts
    assert len(spent["hardware"]) == 1
    assert spent["rows"] == 10 * 16, "six steps before the cut, four after"
    assert spent["seconds"] > 0
    assert spent["tokens_per_second"] > 0


def test_that_a_training_stopped_counts_until_it_goes_on() -> None:
    begin, stopped = ENTRIES[0], {**ENTRIES[0], "event": "stopped", "why": "interrupted"}
    assert settled([begin, stopped]) == [begin, stopped]
    assert settled([begin, stopped, begin]) == [begin]
    assert settled([begin, stopped, {**begin, "event": "resume"}]) == [begin, {**begin, "event": "resume"}]


def test_energy_is_told_only_of_all_that_was_measured() -> None:
    def session(**measured: float) -> list[dict[str, Any]]:
        at = {"phase": "one", "step": 1, "seconds": 1.0, "busy": 1.0, "rows": 1, "tokens": 1}
        return [{**at, "event": "begin", "hardware": {}}, {**at, "event": "checkpoint", **measured}]

    assert Spent([*session(kwh=1, kg_co2=2), *session(kwh=3, kg_co2=4)]).facts["energy"] == {"kwh": 4, "kg_co2": 6}
    assert Spent([*session(kwh=1, kg_co2=2), *session(kwh=3)]).facts["energy"] == {"kwh": 4}
    assert "energy" not in Spent([*session(kwh=1), *session()]).facts


def test_energy_is_measured_without_a_word_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    pytest.importorskip("codecarbon")
    from zoo.train.energy import Energy

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODECARBON_COUNTRY_ISO_CODE", "SAU")
    monkeypatch.setenv("CODECARBON_SAVE_TO_API", "true")
    monkeypatch.setattr("socket.socket.connect", lambda *any: pytest.fail("it asks the network"))
    energy = Energy()
    energy.begin(forks=True)
    assert energy._starting
    assert not energy._starting.is_alive(), "a process that is forked now would keep its pipes open, and it would wait"
    used = energy.used
    energy.end()
    energy.end()
    assert used["kwh"] > 0
    assert used["kg_co2"] > 0
    assert energy.used == {}
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_trackers_write_beside_the_runs_and_stay(
    trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], capsys: Any
) -> None:
    if not (find_spec("trackio") and find_spec("tensorboard")):
        pytest.skip("no trackers here")
    assert "trackio" not in sys.modules, "it reads its place when it is imported"
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from zoo.train.work import work

    for name in ("TRACKIO_DIR", "TENSORBOARD_LOGGING_DIR", "TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    spec = trainings.spec("phases.hybrid.train.max_steps=4")
    place = tmp_path / "trackers"
    (tmp_path / "train").mkdir()
    asked.clear()
    work(tmp_path / "train", {**spec, "report_to": ["trackio", "tensorboard"], "trackers": str(place)})
    assert not [one for one in asked if "spaces" in one or "trackio" in one]
    out, err = capsys.readouterr()
    assert out == "", "answers go there"
    assert f'TRACKIO_DIR={place}/trackio trackio show --project "zoo"' in err
    events = EventAccumulator(str(place / "tensorboard" / "arabert-hybrid" / "hybrid")).Reload()
    assert [one.step for one in events.Scalars("train/loss")] == [1, 2, 3, 4]
    (file,) = (place / "trackio").glob("*.db")
    with sqlite3.connect(file) as db:
        runs = db.execute("SELECT run_name, count(*) FROM metrics GROUP BY run_name").fetchall()
    assert [name for name, _ in runs] == ["arabert-hybrid-hybrid"]
    assert not [name for name in ("TRACKIO_DIR", "TENSORBOARD_LOGGING_DIR") if name in os.environ]


def place_journal(folder: Path, entries: list[dict[str, Any]], stage: str = ".train.partial") -> Path:
    workspace_in(folder)
    place = folder / "runs" / "arabert-hybrid" / stage / JOURNAL
    place.parent.mkdir(parents=True)
    place.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return place


ENTRIES = [
    {"time": "2026-11-30T12:04:31.000Z", "event": "begin", "phase": "hybrid", "step": 0, "of": 8,
     "hardware": {"cpu": "AMD EPYC", "threads": 2}, "precision": {"used": "fp32"}},
    {"time": "2026-11-30T12:04:33.000Z", "event": "dev", "phase": "hybrid", "step": 0, "of": 8,
     "eval_dev_spearman_cosine": 0.5},
    {"time": "2026-11-30T12:04:35.000Z", "event": "log", "phase": "hybrid", "step": 1, "of": 8, "loss": 1.5, "rows": 16,
     "rows_per_second": 64.2, "tokens_per_second": 2100.0, "memory": 1.9e9, "seconds_left": 400.0},
]  # fmt: skip


@pytest.fixture
def in_riyadh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_riyadh")
def test_logs_are_told_to_people_and_to_programs(zoo: Any, tmp_path: Path) -> None:
    place_journal(tmp_path, ENTRIES)
    code, out, err = zoo("logs", "arabert-hybrid", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "15:04:31  hybrid  0/8  begins on 2026-11-30, AMD EPYC, 2 threads, fp32",
        "15:04:33  hybrid  0/8  dev spearman 0.5000",
        "15:04:35  hybrid  1/8  loss 1.5, 64 rows/s, 2,100 tokens/s, 1.9 GB, 7 min left",
    ]
    code, out, _ = zoo("logs", "arabert-hybrid", "--json", cwd=tmp_path)
    assert json.loads(out) == {"recipe": "arabert-hybrid", "entries": ENTRIES}


def test_logs_without_a_training_say_what_to_do(zoo: Any, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    for command in ("logs", "curve"):
        code, out, err = zoo(command, "arabert-hybrid", "--scale", "mini", cwd=tmp_path)
        assert (code, out) == (1, "")
        assert err == (
            "error: 'arabert-hybrid' is not trained, and is not being trained\n"
            "hint: zoo build arabert-hybrid --scale mini\n"
        )
    assert zoo("logs", "arabert-hybrit", cwd=tmp_path)[0] == 1


def test_another_process_follows_a_training_until_it_ends(tmp_path: Path) -> None:
    """What `zoo build` writes, `zoo logs -f` shows at once; it ends when the stage gets its name."""
    place = place_journal(tmp_path, ENTRIES[:1])
    command = [sys.executable, "-m", "zoo.cli", "logs", "arabert-hybrid", "-f", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline()) == ENTRIES[0]
        with place.open("a") as file:
            for entry in ENTRIES[1:]:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                assert json.loads(process.stdout.readline()) == entry
            file.write(json.dumps({**ENTRIES[0], "event": "end"}) + "\n")
        place.parent.rename(place.parent.with_name("train"))
        assert [json.loads(line)["event"] for line in process.stdout] == ["end"]
        assert process.wait(10) == 0


def test_a_training_that_nobody_goes_on_with_is_not_followed_forever(zoo: Any, tmp_path: Path) -> None:
    place = place_journal(tmp_path, ENTRIES)
    place.parent.with_name(".working").write_text(json.dumps({"process": 2**22 + 1, "stage": "train"}))
    os.utime(place, (0, 0))
    code, out, err = zoo("logs", "arabert-hybrid", "-f", cwd=tmp_path)
    assert (code, len(out.splitlines())) == (0, 3)
    assert err == "hint: nothing is written any more: zoo build arabert-hybrid goes on with it\n"


def test_a_training_that_stopped_is_followed_to_its_reason(zoo: Any, tmp_path: Path) -> None:
    place_journal(tmp_path, [*ENTRIES, {**ENTRIES[-1], "event": "stopped", "why": "interrupted"}])
    code, out, err = zoo("logs", "arabert-hybrid", "-f", cwd=tmp_path)
    assert code == 0
    assert out.splitlines()[-1].endswith("  hybrid  1/8  stopped: interrupted")
    assert err == "hint: nothing is written any more: zoo build arabert-hybrid goes on with it\n"


@pytest.mark.parametrize("busy", ["arabert-hybrid", "arabert-matryoshka", "arabic-stsb"])
def test_a_build_at_work_is_waited_for(zoo: Any, tmp_path: Path, monkeypatch: Any, busy: str) -> None:
    """Also while it makes a parent or a dataset."""
    workspace_in(tmp_path)
    monkeypatch.setattr("zoo.curves.journal.PATIENCE", 0.0)
    (tmp_path / "runs" / busy).mkdir(parents=True)
    worker = tmp_path / "runs" / busy / ".working"
    worker.write_text(json.dumps({"process": os.getpid(), "stage": "data"}))

    def begin(seconds: float) -> None:
        place_train = tmp_path / "runs" / "arabert-hybrid" / "train"
        place_train.mkdir(parents=True)
        (place_train / JOURNAL).write_text(json.dumps(ENTRIES[0]) + "\n")

    for command in ("logs", "curve"):
        code, _, err = zoo(command, "arabert-hybrid", cwd=tmp_path)
        assert (code, err) == (
            1, "error: 'arabert-hybrid' is being built, and has no loss yet\nhint: zoo logs arabert-hybrid -f\n"
        )  # fmt: skip
    monkeypatch.setattr("zoo.curves.journal.time.sleep", begin)
    code, out, err = zoo("logs", "arabert-hybrid", "-f", cwd=tmp_path)
    assert (code, err) == (0, "waiting for the training of 'arabert-hybrid' to begin (zoo build arabert-hybrid)\n")
    assert "  hybrid  0/8  begins" in out


def test_a_build_that_does_not_come_is_not_waited_for(zoo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    workspace_in(tmp_path)
    monkeypatch.setattr("zoo.curves.journal.PATIENCE", 0.0)
    code, _, err = zoo("logs", "arabert-hybrid", "-f", cwd=tmp_path)
    assert (code, err.splitlines()[1]) == (1, "error: 'arabert-hybrid' is not trained, and is not being trained")


def test_a_model_that_is_trained_again_is_followed_anew(zoo: Any, tmp_path: Path, monkeypatch: Any) -> None:
    old = place_journal(tmp_path, ENTRIES, stage="train")
    (old.parents[1] / ".working").write_text(json.dumps({"process": os.getpid(), "stage": "train"}))
    new = old.parents[1] / ".train.partial" / JOURNAL

    def begin(seconds: float) -> None:
        (old.parents[1] / ".working").unlink(missing_ok=True)
        new.parent.mkdir(exist_ok=True)
        new.write_text(json.dumps({**ENTRIES[0], "event": "stopped", "why": "new"}) + "\n")

    monkeypatch.setattr("zoo.curves.journal.time.sleep", begin)
    _, out, _ = zoo("logs", "arabert-hybrid", "-f", cwd=tmp_path)
    assert out.endswith("  hybrid  0/8  stopped: new\n")
    assert len(out.splitlines()) == 1


@pytest.mark.slow
def test_logs_follow_a_training_in_another_process(trainings: Trainings, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    partial = tmp_path / "runs" / "mini" / "arabert-hybrid" / ".train.partial"
    task = {"stage": "train", "folder": str(partial), "spec": trainings.spec(device="cpu")}
    (tmp_path / "task.json").write_text(json.dumps(task))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "zoo.work", str(tmp_path / "task.json")]
    command = [sys.executable, "-m", "zoo.cli", "logs", "arabert-hybrid", "-f", "--scale", "mini"]
    with subprocess.Popen(run, env=environment) as work:
        while not (partial / JOURNAL).is_file():
            assert work.poll() is None
            time.sleep(0.02)
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as logs:
            assert logs.stdout
            lines = [logs.stdout.readline()]
            assert work.poll() is None, "what is written is seen while it trains"
            assert work.wait(120) == 0
            partial.rename(partial.with_name("train"))
            lines += logs.stdout.readlines()
    assert "begins on " in lines[0]
    assert ["/8  loss " in line for line in lines].count(True) == 8
    assert "over after " in lines[-1]


def test_how_a_phase_goes_is_described_while_it_trains(trainings: Trainings, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("zoo.train.show.EVERY", 0.0)

    class Told(Silent):
        said: list[str] = []

        def describe(self, text: str) -> None:
            self.said.append(text)

    trainings.run(tmp_path / "one", "phases.hybrid.train.max_steps=4", progress=Told())
    assert len(Told.said) == 4
    form = r"(loss \S+, )?dev 0\.\d{3}, \d+ rows/s, [\d,]+ tokens/s, [\d.]+ [GM]B, \d+ s left"
    assert all(re.fullmatch(form, text) for text in Told.said), Told.said
    assert "loss" in Told.said[-1]


def test_without_a_terminal_a_line_comes_every_half_a_minute(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    now = 0.0
    monkeypatch.setattr("zoo.say.time.monotonic", lambda: now)
    with say.progress() as progress:
        progress.start("arabert-hybrid: hybrid", 100)
        for _ in range(61):
            progress.advance()
            now += 1.0
            progress.describe("loss 1.5")
        progress.finish()
    lines = [f"arabert-hybrid: hybrid: {step}/100, loss 1.5" for step in (30, 60)]
    assert capsys.readouterr().err.splitlines() == lines


def test_on_a_terminal_what_is_said_stands_below_the_bar_and_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with say.progress() as progress:
        progress.start("one", 100)
        progress.describe("loss 1.5, [red]not markup")
        time.sleep(0.3)
        assert "loss 1.5, [red]not markup" in shown.getvalue()
        assert "-:--:--" not in shown.getvalue()[-150:], "it tells the time that is left"
        progress.start("two", 100)
        before = len(shown.getvalue())
        time.sleep(0.3)
        assert "loss 1.5" not in shown.getvalue()[before + 200 :]
