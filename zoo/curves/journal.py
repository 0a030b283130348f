"""The journal of a training (zoo.layout.JOURNAL), read: also while another process writes it.

Every line is a JSON object: {time, event, phase, step, of, seconds, rows, tokens, ...}. Events are begin and resume
(with recipe, hardware, versions, precision), log (with loss, speed, memory, seconds_left), dev (with scores),
checkpoint and end. Seconds, rows and tokens are counted from the last begin or resume of the phase.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.layout import JOURNAL, TRAIN

Entry = Mapping[str, Any]

OPENINGS = ("begin", "resume")
AGAIN = 0.25  # seconds until a journal is looked at again


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
            found = {key: kept for key, kept in found.items() if key[0] != phase or key[2] <= step}
        found.pop((phase, event, step), None)
        found[phase, event, step] = entry
    return list(found.values())


def follow(run: Path) -> Iterator[Entry]:
    """Yield the entries of a training as they are written, until it is over: it is finished, or was begun anew.

    Args:
        run: the folder of a recipe's runs, which has a journal.
    """
    at = journal_place(run)
    assert at is not None
    with at.open("rb") as file:
        rest = b""
        while True:
            ended = _is_over(run, at)  # asked before reading: what is written until now is read below
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            yield from _parsed(lines)
            if ended:
                return
            time.sleep(AGAIN)


def _is_over(run: Path, at: Path) -> bool:
    """True when a journal is not the one of a training under way (any more)."""
    return journal_place(run) != at or at.parent.name == TRAIN


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
