"""`python tests/hub_fuzz.py --seconds 600`: requests that no client would send, to every route of a running Hub.

Each starts as a request that the Hub accepts, so that what is then changed about it gets past the first check. Run it
again with the seed it printed to repeat a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import math
import os
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
from hub_fuzz_data import drawn, matching, oversized
from hub_fuzz_world import MARKER, Request, World, visitors
from hub_wire import Wire
from hypothesis import HealthCheck, Phase, given, settings

from zoo.hub import fsck
from zoo.hub.errors import DISK_FULL_PAGE
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.server import create_app
from zoo.hub.store import Store

BATCH = 250  # requests to the same repositories, of which some are gone at its end
MEGABYTES = 300  # of the server
_MEANT = (501, 503)  # not supported, and come back later


@dataclass
class Answer:
    """A response that has been read."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Report:
    """Counts of answers by route and status, and what was wrong."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)  # by route and complaint: the shortest request seen

    def without(self, family: int, routes: list[str]) -> list[str]:
        """Routes that never gave an answer of 2xx, or of 4xx."""
        seen = {route for route, status in self.answers if status // 100 == family}
        return [route for route in routes if route not in seen]

    def statuses(self) -> dict[int, int]:
        """{status: how many answers had it}."""
        totals: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            totals[status] += count
        return dict(sorted(totals.items()))

    def fail(self, complaint: str, request: Request) -> None:
        """Note a complaint, with the shortest request that led to it."""
        text = f"{complaint}\n  {request.raw[:3000]!r}"
        known = self.failures.get(complaint)
        self.failures[complaint] = min(known or text, text, key=len)


@dataclass
class Fuzz:
    """A run of the fuzz against one Hub."""

    hub: LocalHub
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        store = Store(self.hub.root)
        self.routes = create_app(store).routes
        self.visitors = visitors(store, self.hub.token)
        store.close()
        self.names = [f"{route.method} {route.path}" for route in self.routes]

    def run(self, seed: int, *, seconds: float = math.inf, batches: float = math.inf) -> None:
        """Batch after batch until time is up; the first asks every route for what it can do."""
        until, number = time.monotonic() + seconds, 0
        while number == 0 or (number < batches and time.monotonic() < until):
            try:
                world = World(Wire(self.hub), number, self.visitors)
            except AssertionError as error:
                self.report.failures[f"preparing {number}"] = f"the fuzz cannot prepare: {error}"
            else:
                if number == 0:
                    self._tour(world)
                self._batch(world, seed + number, until)
            number += 1

    def _tour(self, world: World) -> None:
        for route in self.routes:
            for request in (world.request(route), oversized(world.request(route))):
                self._judge(request)

    def _batch(self, world: World, seed: int, until: float) -> None:
        @hypothesis.seed(seed)
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(drawn(world, self.routes))
        def requests_are_answered(request: Request) -> None:
            if time.monotonic() < until:
                complaint = self._judge(request)
                assert complaint is None, complaint

        with contextlib.suppress(AssertionError, hypothesis.errors.Flaky):  # noted already, and shrunk by now
            requests_are_answered()

    def _judge(self, request: Request) -> str | None:
        """The complaint about the answer, if there is one, which the report then has too."""
        route = matching(self.routes, request.method, request.target)
        try:
            answer = exchange(self.hub.url, request)
        except (OSError, http.client.HTTPException) as error:
            complaint = None if request.is_broken else f"{route}: no answer ({type(error).__name__})"
        else:
            self.report.answers[route, answer.status] += 1
            found = next(complaints(answer, request), None)
            complaint = f"{route}: {found}" if found else None
        if complaint:
            self.report.fail(complaint, request)
        return complaint

    def finish(self) -> list[str]:
        """Sentences on everything that is wrong, now that the Hub has seen it all."""
        found = list(self.report.failures.values())
        answering = [name for name in self.names if DISK_FULL_PAGE not in name]  # which tells everybody the same
        found += [f"{name}: never answered with 2xx" for name in self.report.without(2, answering)]
        found += [f"{name}: never answered with 4xx" for name in self.report.without(4, self.names)]
        if Wire(self.hub)("GET", "/api/models").status != 200:
            found.append("the Hub does not answer any more")
        found += [f"in the Hub's log: {line}" for line in _errors((self.hub.root / "hub.log").read_text("utf-8"))]
        found += [f"memory: {peak:.0f} MB" for peak in _peak(self.hub) if peak > MEGABYTES]
        store = Store(self.hub.root)
        found += [f"fsck: {problem}" for problem in fsck.check(store).problems]
        store.close()
        return found


def exchange(url: str, request: Request) -> Answer:
    """Send the bytes as they are; returns the answer.

    Of a broken request the end is closed, or the Hub would wait for the rest.
    """
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough
            connection.sendall(request.raw)
            if request.is_broken:
                connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection, method=request.method)
        response.begin()
        return Answer(response.status, response.headers, response.read())


def complaints(answer: Answer, request: Request) -> Iterator[str]:
    """Sentences on what is wrong with an answer."""
    if answer.status >= 500 and answer.status not in _MEANT:
        yield f"answered with {answer.status}"
    explained = answer.headers["X-Error-Message"] or answer.headers["X-Error-Code"]
    if answer.status >= 400 and not explained and not request.is_broken:
        yield f"answered with {answer.status} and does not say why"
    if "json" in (answer.headers["Content-Type"] or "") and request.method != "HEAD" and _malformed(answer.body):
        yield "its JSON is malformed"
    if request.is_foreign and MARKER in answer.body:
        yield "shows what is private"


def _malformed(body: bytes) -> bool:
    def refused(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(body, parse_constant=refused)
    except ValueError:
        return True
    return False


def _errors(log: str) -> list[str]:
    """Where every kind of traceback leaves our code, and with what."""
    found = set()
    for trace in log.split("Traceback (most recent call last):")[1:]:
        places = re.findall(r'/(zoo/[^"]*", line \d+)', trace)
        errors = re.findall(r"^\w[\w.]*(?:: .{0,200}|$)", trace, re.MULTILINE)
        found.add(" ".join([*places[-1:], *errors[:1]]))
    return sorted(found)


def _peak(hub: LocalHub) -> Iterator[float]:
    status = Path(f"/proc/{hub.process.pid}/status")
    if status.exists():
        yield int(status.read_text("utf-8").split("VmHWM:")[1].split()[0]) / 1024


def main() -> int:
    """Run the fuzz for so many seconds, then print what was answered and what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:.0f} seconds", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        os.environ["HF_HOME"] = f"{folder}/client"
        with local_hub(Path(folder) / "hub") as hub:
            fuzz = Fuzz(hub)
            fuzz.run(options.seed, seconds=options.seconds)
            found = fuzz.finish()
    answers = fuzz.report.answers
    for name in fuzz.names:
        good, bad = (sum(n for (r, s), n in answers.items() if r == name and s // 100 == f) for f in (2, 4))
        print(f"{good:7} good {bad:7} refused  {name}")
    print(f"{sum(answers.values())} answers to {len(fuzz.names)} routes by status: {fuzz.report.statuses()}")
    print("\n".join(found) or "nothing is wrong")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
