"""Loss and dev curves: the same from journal and log, on a terminal and in pictures whose bytes are always the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import workspace_in

from zoo.curves.curve import TrainingCurve, phases_of_journal, phases_of_log, smoothed
from zoo.curves.pictures import _look, draw_curves
from zoo.curves.terminal import draw_on_terminal
from zoo.layout import JOURNAL

KEY = "eval_dev_spearman_cosine"


def phase(name: str, steps: int, best: int, key: str = KEY) -> dict[str, Any]:
    """A phase of a finished training's log, with a loss that is no number in the middle."""
    losses = [{"step": step, "epoch": 0.1, "loss": None if step == 2 else 9.0 / step} for step in range(1, steps + 1)]
    scores = [{"step": step, "epoch": 0.1, key: 0.5 if step == best else 0.4} for step in (0, steps // 2, steps)]
    entries = sorted([*losses, *scores], key=lambda entry: entry["step"])
    return {"phase": name, "steps": steps, "start": 0.4, "best": 0.5, "best_step": best, "log": entries}


LOG = [phase("triplets", 8, 4), phase("hybrid", 4, 4, key="eval_dev_256_pearson_cosine")]


def begun(steps: int) -> list[dict[str, Any]]:
    """The journal of a training that goes on."""
    at = {"phase": "triplets", "of": 8}
    logged = [{**at, "event": "log", "step": step, "loss": 2.0 / step} for step in range(1, steps + 1)]
    return [{**at, "event": "begin", "step": 0, "metric": KEY}, {**at, "event": "dev", "step": 0, KEY: 0.4}, *logged]


def write(folder: Path, log: Any = None, journal: list[dict[str, Any]] | None = None, name: str = "marbert") -> None:
    run = folder / "runs" / "mini" / f"{name}-matryoshka"
    if log is not None:
        (run / "train").mkdir(parents=True)
        (run / "train" / "log.json").write_text(json.dumps(log))
    if journal is not None:
        (run / ".train.partial").mkdir(parents=True)
        (run / ".train.partial" / JOURNAL).write_text("\n".join(map(json.dumps, journal)))


def test_phases_stand_behind_one_another() -> None:
    curve = TrainingCurve("one", phases_of_log(LOG))
    assert curve.begins == [0, 8]
    assert [step for step, _ in curve.loss[0]] == [1, 3, 4, 5, 6, 7, 8], "what is no number has no point"
    assert curve.dev == [[(0, 0.4), (4, 0.5), (8, 0.4)], [(8, 0.4), (10, 0.4), (12, 0.5)]]
    assert curve.best == [(4, 0.5), (12, 0.5)], "by the score that chose it, whatever it is called"


def test_a_phase_that_was_dropped_is_marked_and_has_no_star() -> None:
    log = [LOG[0], {**LOG[1], "kept": False}, phase("more", 4, 0)]
    curve = TrainingCurve("one", phases_of_log(log))
    assert [one.title for one in curve.phases] == ["triplets", "hybrid (dropped)", "more (dropped)"]
    assert curve.best == [(4, 0.5)]
    assert "hybrid (dropped) from step 8" in draw_on_terminal([curve])


def test_no_two_curves_of_a_family_look_alike() -> None:
    looks = [_look(number) for number in range(36)]
    assert all(look not in looks[:place] for place, look in enumerate(looks))


def test_the_best_of_a_running_phase_is_not_known_yet() -> None:
    (one,) = phases_of_journal(begun(3))
    assert (one.steps, one.best, one.dev) == (8, None, [(0, 0.4)])
    assert [step for step, _ in one.loss] == [1, 2, 3]


def test_steps_that_a_resumed_training_lost_are_gone() -> None:
    again = {"phase": "triplets", "of": 8, "event": "resume", "step": 2, "metric": KEY}
    (one,) = phases_of_journal([*begun(5), again])
    assert [step for step, _ in one.loss] == [1, 2]


def test_smoothing_keeps_the_first_and_follows() -> None:
    assert smoothed([]) == []
    jumping = [(step, float(step % 2)) for step in range(100)]
    assert smoothed(jumping)[0] == (0, 0.0)
    assert all(abs(value - 0.5) < 0.1 for _, value in smoothed(jumping)[50:])


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_picture_has_the_same_bytes_every_time(form: Any) -> None:
    curves = [TrainingCurve("one <b>$x$</b>", phases_of_log(LOG), "rehearsal: scale 'mini'")]
    picture = draw_curves(curves, form)
    assert picture == draw_curves(curves, form)
    assert picture.startswith(b"\x89PNG" if form == "png" else b"<?xml")
    assert len(picture) < 100_000
    assert picture != draw_curves([TrainingCurve("one", phases_of_log(LOG[:1]))], form)


def test_without_dev_scores_there_is_one_panel() -> None:
    (one,) = phases_of_log([{"phase": "a", "steps": 2, "log": [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]}])
    tall, flat = (draw_curves([TrainingCurve("x", found)], "png") for found in (phases_of_log(LOG), [one]))
    assert int.from_bytes(flat[20:24]) < int.from_bytes(tall[20:24])


def test_curves_on_a_terminal_and_in_a_file(zoo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_in(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write(tmp_path, log=LOG)
    write(tmp_path, journal=begun(5), name="labse")
    names = ("marbert-matryoshka", "labse-matryoshka")
    code, out, err = zoo("curve", *names, "--scale", "mini", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "loss, smoothed" in out
    assert "dev score" in out
    assert "⣀ marbert-matryoshka   o labse-matryoshka" in out
    assert "marbert-matryoshka: triplets from step 0, hybrid from step 8" in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = zoo("curve", names[1], "--scale", "mini", "--out", "curve.svg", "--json", cwd=tmp_path)
    assert json.loads(out)["curves"][0]["phases"][0]["loss"] == [[step, 2.0 / step] for step in range(1, 6)]
    assert (tmp_path / "curve.svg").read_bytes().startswith(b"<?xml")


def test_a_picture_of_another_kind_is_refused(zoo: Any, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    code, _, err = zoo("curve", "labse-matryoshka", "--out", "curve.pdf", cwd=tmp_path)
    assert code == 1
    assert "'curve.pdf' ends neither in .png nor in .svg" in err
    code, _, err = zoo("curve", "labse-matryoshka", "--out", "no where/curve.PNG", cwd=tmp_path)
    assert (code, err) == (1, "error: there is no folder 'no where'\nhint: mkdir -p 'no where'\n")
