"""Which checkpoints are whole, and which of them to go on from. Light: knows files, and nothing of torch.

A checkpoint is a folder `checkpoint-<step>` that the Trainer writes a file at a time. Its mark is written first, empty,
and again when every file is on the disk, with the digest of each. So one that was cut off, or damaged later, is told
from one that is whole, and a folder that we did not write from both.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import TrainError
from zoo.run import file_digest

MARK = "whole.json"  # {relative path: sha256}
STATE = "trainer_state.json"  # the Trainer's: its log, and the best step so far
KEPT = 2  # checkpoints: the newest, and the best or else the one before
NAME = re.compile(r"checkpoint-(\d+)")
DROPPED = ".dropped-"
TRAINERS = ("eval", "runs")  # folders that the Trainer and its trackers make beside checkpoints
SIGNS = (MARK, STATE, "modules.json", "config.json", "model.safetensors", "trained.safetensors", "optimizer.pt")
"""Files by which a checkpoint of ours is known, even one whose mark is gone."""

ONWARD = ("optimizer.pt", "scheduler.pt")  # of no use to those who only want the model

Note = Callable[[str], None]


# Writing


def begin(folder: Path) -> None:
    """Mark `folder` as a checkpoint of ours that is being written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("{}")


def seal(folder: Path) -> None:
    """Mark `folder` as whole, once all that is in it has reached the disk."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MARK]
    for path in files:
        _flush(path)
    digests = {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
    (folder / MARK).write_text(json.dumps(digests, indent=1))
    _flush(folder / MARK)
    _flush(folder)


def _flush(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # Windows cannot open folders
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rotate(folder: Path, *, newest: int, best: int | None) -> None:
    """Remove all checkpoints but KEPT: the newest, the best, and those just before while there is room."""
    steps = [step_of(path) for path in _ours(folder)]
    wanted = dict.fromkeys([newest, *([best] if best else []), *steps])
    for step in list(wanted)[KEPT:]:
        discard(place(folder, step))


def discard(checkpoint: Path) -> None:
    """Remove a checkpoint so that, if this is cut off, nobody takes the rest of it for one."""
    dropped = checkpoint.with_name(DROPPED + checkpoint.name)
    shutil.rmtree(dropped, ignore_errors=True)
    checkpoint.rename(dropped)
    shutil.rmtree(dropped)


# Reading


def newest_whole(folder: Path, note: Note) -> Path | None:
    """The newest checkpoint that training can go on from; null when there is none.

    What is not whole is removed, and `note` is told why. A checkpoint whose best predecessor is gone is no use either:
    at the end of the phase the best one is loaded.

    Raises:
        TrainError: something that zoo did not write is in the way. Nothing is removed then.
    """
    if not folder.is_dir():
        return None
    refuse_foreign(folder)
    for rest in folder.glob(f"{DROPPED}*"):
        shutil.rmtree(rest)
    for checkpoint in _ours(folder):
        if why := problem(checkpoint) or _best_is_gone(checkpoint):
            note(f"'{checkpoint.name}' is dropped: {why}")
            discard(checkpoint)
        else:
            return checkpoint
    return None


def problem(checkpoint: Path, *, goes_on: bool = True) -> str | None:
    """The reason why a checkpoint is not whole, for people; null when it is.

    Args:
        goes_on: false = only its model is wanted, so what training alone needs is not read, most of its bytes.
    """
    try:
        digests = json.loads((checkpoint / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        digests = None
    if not digests or not isinstance(digests, dict):
        return "it was cut off while it was written"
    for name, digest in digests.items():
        if not (checkpoint / name).is_file():
            return f"its file '{name}' is missing"
        if (goes_on or name not in ONWARD) and file_digest(checkpoint / name) != digest:
            return f"its file '{name}' is not as it was written"
    return None


def weights(checkpoint: Path) -> dict[str, str]:
    """{relative path: sha256} of the model's weights, as they were written."""
    digests = json.loads((checkpoint / MARK).read_text("utf-8"))
    return {name: digest for name, digest in digests.items() if name.endswith(".safetensors")}


def state_of(checkpoint: Path) -> Mapping[str, Any]:
    """The state of the Trainer when it wrote the checkpoint."""
    found: Mapping[str, Any] = json.loads((checkpoint / STATE).read_text("utf-8"))
    return found


def require_best(folder: Path, *, step: int, metric: str, value: float) -> Path:
    """The checkpoint of the best step, whole, with the score in its log that the whole phase's log has.

    Raises:
        TrainError: it is gone, damaged, or of another training.
    """
    checkpoint = place(folder, step)
    why = problem(checkpoint, goes_on=False) if checkpoint.is_dir() else "it is gone"
    if why is None:
        scored = [entry.get(metric) for entry in state_of(checkpoint)["log_history"] if entry["step"] == step]
        why = None if value in scored else f"its log does not have the score '{value}'"
    if why:
        hint = "run it again: it goes on from the newest checkpoint that is whole, or from the start"
        raise TrainError(f"the best checkpoint '{checkpoint}' cannot be used: {why}", hint=hint)
    return checkpoint


def refuse_foreign(folder: Path) -> None:
    """Raise a TrainError when `folder` holds what zoo did not write. What is hidden (.DS_Store) does not count."""
    top = [path for path in folder.iterdir() if path.name not in TRAINERS and not _is_ours(path)]
    for path in sorted([*top, *(one for checkpoint in _ours(folder) for one in _added(checkpoint))]):
        if path.name.startswith("."):
            continue
        hint = f"move it elsewhere, then run it again: training goes on. To start anew: rm -r '{folder}'"
        raise TrainError(f"'{path}' is no checkpoint that zoo wrote, and would be lost at the end", hint=hint)


def _added(checkpoint: Path) -> list[Path]:
    """Files in a checkpoint that was sealed which are not of it; none of one that was cut off, as nobody can tell."""
    try:
        digests = json.loads((checkpoint / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    files = [path for path in checkpoint.rglob("*") if path.is_file() and path.name != MARK]
    known = digests if isinstance(digests, dict) else {}
    return [path for path in files if path.relative_to(checkpoint).as_posix() not in known] if known else []


def is_the_last(checkpoint: Path) -> bool:
    """True when nothing is left to train after it."""
    state = state_of(checkpoint)
    return bool(state["global_step"] >= state["max_steps"])


def place(folder: Path, step: int) -> Path:
    """The folder of the checkpoint of a step."""
    return folder / f"checkpoint-{step}"


def step_of(checkpoint: Path) -> int:
    """The step at which a checkpoint was written, which its name tells."""
    found = NAME.fullmatch(checkpoint.name)
    assert found, checkpoint
    return int(found[1])


def _ours(folder: Path) -> list[Path]:
    """Our checkpoints, whole or not, the newest first."""
    return sorted((path for path in folder.iterdir() if _is_ours(path)), key=step_of, reverse=True)


def _is_ours(path: Path) -> bool:
    """True of a folder that has a checkpoint's name and file, and of one that was cut off before its first."""
    if not NAME.fullmatch(path.name) or not path.is_dir():
        return False
    return any((path / name).is_file() for name in SIGNS) or not any(path.iterdir())


def _best_is_gone(checkpoint: Path) -> str | None:
    best = state_of(checkpoint).get("best_global_step")
    if not best or place(checkpoint.parent, best) == checkpoint:
        return None
    other = place(checkpoint.parent, best)
    why = problem(other, goes_on=False) if other.is_dir() else "it is gone"
    return f"the best one before it, '{other.name}', cannot be used: {why}" if why else None
