"""The journal of a training (zoo.layout.JOURNAL), read: also while another process writes it.

Every line is a JSON object: {time, event, phase, step, of, seconds, rows, tokens, ...}. Events are begin and resume
(with recipe, hardware, versions, precision), log (with loss, speed, memory, seconds_left), dev (with scores),
checkpoint, end, and stopped (with why: a training that did not come to its end). Seconds, rows and tokens are counted
from the last begin or resume of the phase.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from zoo.layout import JOURNAL, TRAIN
from zoo.run import AT_WORK

Entry = Mapping[str, Any]

OPENINGS = ("begin", "resume")
AGAIN = 0.25  # seconds until a journal is looked at again
QUIET = 60.0  # seconds without a line, after which nobody goes on
PATIENCE = 600.0  # seconds for a build to begin: a local Hub that is filled for the first time takes minutes
LONGEST = 16_384  # bytes of a line, or more


def journal_place(run: Path) -> Path | None:
    """The journal in the folder of a recipe's runs: of the training that is under way, else of the finished one."""
    places = (run / f".{TRAIN}.partial" / JOURNAL, run / TRAIN / JOURNAL)
    return next((place for place in places if place.is_file()), None)


def read_journal(file: Path) -> list[Entry]:
    """All entries of a journal, in the order in which they were written. A line that was cut off is left out."""
    return list(_parsed(file.read_bytes().split(b"\n")))


def _parsed(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"event", "phase", "step"} <= entry.keys():
            yield entry


def settled(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count: of each phase, event and step the last; what a resumed training did not keep is gone."""
    found: dict[tuple[str, str, int], Entry] = {}
    for entry in entries:
        phase, event, step = str(entry["phase"]), str(entry["event"]), int(entry["step"])
        if event in OPENINGS:
            lasts = {key for key in found if key[0] != phase or (key[2] <= step and key[1] != "stopped")}
            found = {key: kept for key, kept in found.items() if key in lasts}
        found.pop((phase, event, step), None)
        found[phase, event, step] = entry
    return list(found.values())


def at_work(folder: Path, stage: str | None = None) -> bool:
    """True when a process of this machine makes something in a folder of runs.

    Args:
        stage: the one that counts; None = any.
    """
    try:
        worker = json.loads((folder / AT_WORK).read_bytes())
        return stage in (None, worker["stage"]) and psutil.pid_exists(worker["process"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def has_begun(folders: Sequence[Path]) -> bool:
    """Wait for a training to have a journal; False when nothing was at work in any folder for PATIENCE seconds.

    Args:
        folders: of the recipe's runs, then those of all that is made before its training.
    """
    seen = time.monotonic()
    while not is_told(folders[0]):
        if any(map(at_work, folders)):
            seen = time.monotonic()
        elif time.monotonic() - seen >= PATIENCE:
            return False
        time.sleep(AGAIN)
    return True


def is_told(run: Path) -> bool:
    """True when there is a journal, and not only that of a model which is being trained again."""
    at = journal_place(run)
    return at is not None and not (at.parent.name == TRAIN and at_work(run, TRAIN))


def follow(folders: Sequence[Path]) -> Iterator[Entry]:
    """Yield the entries of a training as they are written, until it is over: finished, begun anew, or `deserted`.

    Args:
        folders: as `has_begun` has them; there is a journal in the first.
    """
    at = journal_place(folders[0])
    assert at is not None
    with at.open("rb") as file:
        rest = b""
        while True:
            ended = _is_over(folders[0], at) or deserted(folders)  # asked first: what is there by now is read below
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            yield from _parsed(lines)
            if ended:
                return
            time.sleep(AGAIN)


def _is_over(run: Path, at: Path) -> bool:
    """True when a journal is not the one of a training under way (any more)."""
    return journal_place(run) != at or at.parent.name == TRAIN


def deserted(folders: Sequence[Path]) -> bool:
    """True when a training was begun, no process here goes on with it, and it stopped or is silent for QUIET seconds.

    Args:
        folders: as `has_begun` has them.
    """
    at = journal_place(folders[0])
    if at is None or at.parent.name == TRAIN or any(map(at_work, folders)):
        return False
    with suppress(FileNotFoundError):  # it has just got its name
        return _has_stopped(at) or time.time() - at.stat().st_mtime >= QUIET
    return False


def _has_stopped(file: Path) -> bool:
    with file.open("rb") as journal:
        journal.seek(max(0, file.stat().st_size - LONGEST))
        last = list(_parsed(journal.read().split(b"\n")))[-1:]
    return bool(last and last[0]["event"] == "stopped")


class Spent:
    """Hardware, seconds, tokens and energy of a whole training, from all entries of its journal.

    Steps that were trained twice, as a crash came between, count twice: the time was spent.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        sessions: list[list[Entry]] = []
        for entry in entries:
            if entry["event"] in OPENINGS:
                sessions.append([])
            if sessions:
                sessions[-1].append(entry)
        self._sessions = sessions

    def _total(self, key: str) -> float:
        """The sum over sessions of a number that each counts from its beginning."""
        return float(sum(max((entry.get(key) or 0 for entry in session), default=0) for session in self._sessions))

    @property
    def facts(self) -> dict[str, Any]:
        """The facts as JSON: {hardware: [...], seconds, rows, tokens, tokens_per_second, energy: {kwh, kg_co2}}.

        What was not measured is left out, energy also when only a part of the training was measured.
        """
        if not self._sessions:
            return {}
        hardware = [session[0]["hardware"] for session in self._sessions if "hardware" in session[0]]
        busy, tokens = self._total("busy"), int(self._total("tokens"))
        return {
            "hardware": [one for place, one in enumerate(hardware) if one not in hardware[:place]],
            "seconds": round(self._total("seconds"), 1),
            "rows": int(self._total("rows")),
            "tokens": tokens,
            **({"tokens_per_second": round(tokens / busy, 1)} if busy else {}),
            **self._energy,
        }

    @property
    def _energy(self) -> dict[str, Any]:
        if not all(any("kwh" in entry for entry in session) for session in self._sessions):
            return {}
        weighed = all(any("kg_co2" in entry for entry in session) for session in self._sessions)
        names = ("kwh", *(["kg_co2"] if weighed else []))
        return {"energy": {name: float(f"{self._total(name):.3g}") for name in names}}
