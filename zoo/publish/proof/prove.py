"""Proves that what was published is what was built: a stranger's process loads it back into an empty cache."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.evidence.scores import ScoreFile
from zoo.extras import lacking, to_install
from zoo.isolation import Program, running_program
from zoo.layout import DATA_REPORT
from zoo.lint.card import Code, ParsedCard
from zoo.lint.results import index_values
from zoo.models.foreign.asked import code_told, foreign_code
from zoo.models.foreign.carried import CODE, DECIDING, RECORDS
from zoo.models.foreign.elsewhere import fetched_code
from zoo.plurals import how_many
from zoo.publish.desired.release import CARD, MANIFEST, RENDERED, SCORES, STATIC
from zoo.publish.proof.board import COMPUTED, read_board
from zoo.publish.proof.rendered import NOTHING, OwnCode
from zoo.publish.proof.running import NOT_AT_ALL, Waiting, running
from zoo.publish.proof.stranger import ProofError, Stranger, a_stranger, ask_space, load_dataset, load_published
from zoo.publish.proof.ways import NOWHERE, WaysOut, hinted
from zoo.publish.versions.changelog import CHANGELOG
from zoo.publish.versions.history import NamedRepository
from zoo.remote import Kind, explained, is_local
from zoo.tasks import TASKS

MODELS = "models.json"  # of a Space
PAGE = "index.html"  # of a Space that nothing runs
TEXTS = {CARD, MANIFEST, RENDERED, CHANGELOG, ".gitattributes"}  # of a Space's files those that nobody runs

PROVED_WITH: Mapping[Kind, str] = {"model": "eval", "dataset": "data", "space": "space"}
"""{kind: the extra without which it cannot be loaded back, so that its proof is owed}."""
SENTENCES = ("رجل يقود سيارة", "الأولاد يلعبون كرة القدم", "a short sentence")
TOLERANCE = 1e-6  # the same weights on the same machine; anything more is another model
START_SECONDS = 120  # until a Space answers that is started here


@dataclass(frozen=True)
class Proof:
    """Findings of a stranger about a repository that is as it should be."""

    what: str
    """The kind and the id of the repository."""
    seconds: float
    difference: float | None = None
    """A model: the largest difference between its embeddings and the built one's; None: there is none to compare."""
    snippets: int | None = None
    """The snippets of the card that ran; None: none of ours, or the commit is not what readers of main get."""
    not_run: int = 0
    """The snippets of the card that others wrote or changed; nobody's code runs unasked."""
    behind: int = 0
    """The snippets of ours that did not run either, because others changed one before them."""
    rows: int | None = None
    """A dataset: its rows over all configurations and splits of ours."""
    answers: int | None = None
    """A Space: the answers of its API, one for each size."""
    numbers: int | None = None
    """A leaderboard: the numbers of its page, each of which is in its data."""
    later: str | None = None
    """Why it cannot be proved yet."""
    unproved: str | None = None
    """Why it cannot be proved at all."""

    @property
    def said(self) -> str:
        """The findings in one line, for people."""
        if self.later or self.unproved:
            return f"not proved yet: {self.later}" if self.later else f"not proved: {self.unproved}"
        parts = [
            "loaded back" if self.answers is None else f"answers at {how_many(self.answers, 'size')}",
            None if self.difference is None else f"embeddings differ by {self.difference:.1e}",
            None if self.rows is None else how_many(self.rows, "row"),
            None if self.numbers is None else f"{how_many(self.numbers, 'number')} as in its data and models",
            f"{how_many(self.snippets, 'snippet')} run" if self.snippets else None,
            f"{how_many(self.not_run, 'snippet')} by others not run" if self.not_run else None,
            f"{how_many(self.behind, 'snippet')} of ours after a change by others not run" if self.behind else None,
        ]
        return ", ".join(part for part in parts if part)


def prove_repository(
    kind: Kind,
    repo_id: str,
    revision: str,
    *,
    built: Path | None = None,
    own: OwnCode = NOTHING,
    waiting: Waiting = NOT_AT_ALL,
    ways: WaysOut = NOWHERE,
) -> Proof:
    """Prove a repository at a commit; later, where what loads it is not installed.

    Args:
        built: a model's folder, or a dataset's data stage. None: nothing to compare with, as after a rollback.
        own: the code that is ours: only that is run.
        waiting: how long a Space may take until it runs.
        ways: the commands of which one is hinted at when this fails.

    Raises:
        ProofError: it is not what it should be. HubError: the Hub cannot be asked.
    """
    if lacking(PROVED_WITH[kind]) and not (kind == "space" and PAGE in own.files):
        return Proof(f"{kind} '{repo_id}'", 0, later=f"to load it back, {to_install(PROVED_WITH[kind])}")
    try:
        if kind == "model":
            return prove_model(repo_id, revision, built, own)
        if kind == "dataset":
            return prove_dataset(repo_id, revision, built, own)
        return prove_space(repo_id, revision, own, waiting)
    except ProofError as problem:
        raise hinted(problem, NamedRepository(kind, repo_id, ""), revision, ways) from None


def prove_model(repo_id: str, revision: str, built: Path | None = None, own: OwnCode = NOTHING) -> Proof:
    """Prove that a model loads as what was built, that its card has its scores, and that our snippets of it run.

    It must load from safetensors, and run no code but what was built: that is run without a network and a token.

    Raises:
        ProofError: one of these is not so. HubError: the Hub cannot be asked.
    """
    with a_stranger("model", repo_id, revision) as stranger:
        card = ParsedCard(stranger.card())
        code = _carries_code(stranger)
        _compare_index(stranger, card)
        if code:
            if not built and not own.files:
                return Proof(stranger.what, stranger.seconds, unproved="whether its code is ours is not known here")
            _compare_code(stranger, built, own)
            stranger.take_along()
        folder = str(built.absolute()) if built else None
        arguments = {"repo_id": repo_id, "revision": revision, "built": folder, "sentences": SENTENCES, "code": code}
        chosen = _chosen(stranger, card, own)
        found, failure = stranger.run(load_published, arguments, chosen.run)
        if found["pickles"]:
            raise ProofError(f"'{repo_id}' is loaded from a pickle: '{found['pickles'][0]}'")
        if not found["difference"] <= TOLERANCE:
            differ = f"embeddings differ by '{found['difference']:.2g}'"
            raise ProofError(f"'{repo_id}' loads as another model than was built: {differ}")
        if failure:
            raise failure
        difference = found["difference"] if built else None
        return Proof(stranger.what, stranger.seconds, difference=difference, **chosen.counted)


def prove_dataset(repo_id: str, revision: str, built: Path | None = None, own: OwnCode = NOTHING) -> Proof:
    """Prove that every split of ours loads, also as a stream, with the rows and features of the data stage `built`.

    Configurations and splits that others added are theirs.

    Raises:
        ProofError: one of these is not so. HubError: the Hub cannot be asked.
    """
    report = json.loads((built / DATA_REPORT).read_text("utf-8")) if built else {}
    paths = {split: str((built / f"{split}.parquet").absolute()) for split in report} if built else {}
    with a_stranger("dataset", repo_id, revision) as stranger:
        card = ParsedCard(stranger.card())
        arguments = {"repo_id": repo_id, "revision": revision, "built": paths, "asked": _configurations(stranger)}
        chosen = _chosen(stranger, card, own)
        tables, failure = stranger.run(load_dataset, arguments, chosen.run)
        if missing := sorted(report.keys() - {table["split"] for table in tables}):
            raise ProofError(f"{stranger.what}: there is no split '{missing[0]}'")
        for table in tables:
            _compare_table(f"{stranger.what}, split '{table['split']}'", table, report.get(table["split"]))
        if failure:
            raise failure
        rows = sum(table["rows"] for table in tables)
        return Proof(stranger.what, stranger.seconds, rows=rows, **chosen.counted)


def prove_space(repo_id: str, revision: str, own: OwnCode = NOTHING, waiting: Waiting = NOT_AT_ALL) -> Proof:
    """Prove that a Space's API compares a pair at every size of its first model, when all that runs is ours.

    On a local Hub the app is started from its files, else it is asked where the Hub runs it.

    Raises:
        ProofError: it does not start, or gives no such answers. HubError: the Hub cannot be asked.
    """
    with a_stranger("space", repo_id, revision) as stranger:
        front = ParsedCard(stranger.card()).front.data
        app = str(front.get("app_file") or "app.py")
        if front.get("sdk") == STATIC:
            return _prove_board(stranger)
        if theirs := _not_ours(stranger, own, app):
            return Proof(stranger.what, stranger.seconds, unproved=theirs)
        if not is_local() and not stranger.is_main:
            return Proof(stranger.what, stranger.seconds, unproved="the Hub runs what is on main")
        if not is_local():
            later, url = running(repo_id, revision, waiting)
            if later:
                return Proof(stranger.what, stranger.seconds, later=later)
            return _ask(stranger, stranger.file(MODELS), url)
        folder = stranger.files()
        with _started(stranger, folder, app) as url:
            return _ask(stranger, folder / MODELS, url)


def _prove_board(stranger: Stranger) -> Proof:
    """Prove that a leaderboard's page shows what its data and its models' published scores say; nothing of it is run.

    The scores are those on main now: at another commit of the page only its data is compared.
    """
    models = [one["id"] for one in json.loads(stranger.file(MODELS).read_text("utf-8"))] if stranger.is_main else []
    arguments = {"models": models, "scores": SCORES, "computed": COMPUTED}
    found, _ = stranger.run(read_board, {"repo_id": stranger.repo_id, "revision": stranger.revision, **arguments})
    if found["strange"]:
        raise ProofError(f"{stranger.what}: {found['strange']}")
    return Proof(stranger.what, stranger.seconds, numbers=found["numbers"])


def _carries_code(stranger: Stranger) -> bool:
    """Return whether loading a model runs Python that its own repository holds.

    Raises:
        ProofError: its files take code from elsewhere, or name what is not there.
    """
    with explained(f"look for code in {stranger.what}"):
        found = foreign_code(lambda path: stranger.file(path).read_bytes() if path in stranger.listed else None)
        if not found:
            return False
        if not any(path.endswith(CODE) for path in stranger.listed):
            raise ProofError(f"{stranger.what} {code_told(found)}")
        elsewhere = fetched_code({path: stranger.file(path).read_bytes() for path in _deciding(stranger)})
    if elsewhere:
        raise ProofError(f"{stranger.what} takes code from elsewhere: {elsewhere[0]}")
    return True


def _deciding(stranger: Stranger) -> list[str]:
    return [path for path in sorted(stranger.listed) if path.endswith(DECIDING) and not path.startswith(RECORDS)]


def _compare_code(stranger: Stranger, built: Path | None, own: OwnCode) -> None:
    """Refuse a model of which code, or what says which code is run, is not what was built."""
    for path in _deciding(stranger):
        ours = stranger.listed[path] in own.files.get(path, ())
        if built:
            ours = (built / path).is_file() and stranger.file(path).read_bytes() == (built / path).read_bytes()
        if not ours:
            raise ProofError(f"{stranger.what}: its '{path}' is not what was built, and none of its code was run")


@dataclass(frozen=True)
class _Chosen:
    """The snippets of a card that are run, and how many are not."""

    run: Sequence[Code]
    counted: Mapping[str, Any]


def _chosen(stranger: Stranger, card: ParsedCard, own: OwnCode) -> _Chosen:
    """Choose the snippets that are ours; readers of main get them, of other commits none is run."""
    if not stranger.is_main:
        return _Chosen([], {})
    ours, theirs = own.snippets(card.snippets), sum(not own.knows(code) for code in card.snippets)
    counts = {"snippets": len(ours) or None, "not_run": theirs, "behind": len(card.snippets) - len(ours) - theirs}
    return _Chosen(ours, counts)


def _not_ours(stranger: Stranger, own: OwnCode, app: str) -> str | None:
    """Return why a Space's app is not run: a file there, or what its card calls the app, is not ours."""
    if not own.files:
        return "which of its files are ours is not known on this machine"
    for path, listed in sorted(stranger.listed.items()):
        if path not in TEXTS and listed not in own.files.get(path, ()):
            return f"'{path}' is by others"
    return None if app in own.files else f"the app that its card names, '{app}', is by others"


def _compare_index(stranger: Stranger, card: ParsedCard) -> None:
    """Refuse a card that lacks a score of the model at full width, or has another one in its place.

    What else is in its `model-index` is others'.
    """
    if card.front.broken:
        raise ProofError(f"{stranger.what}: its card cannot be read: {card.front.broken[1]}", "entries")
    said: dict[Place, list[float]] = {}
    for _, dataset, metric in index_values(card.front):
        place = (dataset.get("type"), dataset.get("config"), dataset.get("split"), metric.get("type"))
        said.setdefault(place, []).append(metric["value"])
    for place, value in _measured(stranger) if SCORES in stranger.listed else ():
        values = said.get(place, [])
        if value not in values:
            says = f"its card says {values[0]}" if values else f"{SCORES} says {value}"
            what = f"model-index and {SCORES} differ: {says} on {place[0]}, {place[1]}"
            raise ProofError(f"{stranger.what}: {what}", "entries")


Place = tuple[Any, Any, Any, Any]  # dataset, configuration, split, metric


def _measured(stranger: Stranger) -> Iterator[tuple[Place, float]]:
    from pydantic import ValidationError

    try:
        scores = ScoreFile.model_validate_json(stranger.file(SCORES).read_bytes())
        mine = next(subject for subject in scores.subjects if subject.role == "self")
        for name in scores.tasks:
            task = TASKS[name]
            if task.file is None:  # else the index has no place for it
                value = round(scores.value(mine.name, name, mine.dims[0]), 2)
                yield (task.dataset, task.subset, task.split, task.metric), value
    except (ValidationError, StopIteration, KeyError):
        raise ProofError(f"{stranger.what}: its '{SCORES}' is none of this version's", "entries") from None


def _configurations(stranger: Stranger) -> dict[str, list[str]]:
    """Return {configuration: splits} of the card as it was rendered, without what others added to it since."""
    if RENDERED not in stranger.listed:
        return {}
    front = ParsedCard(stranger.file(RENDERED).read_text("utf-8", "replace")).front.data
    found: dict[str, list[str]] = {}
    with suppress(KeyError, TypeError, ValueError):  # of a copy that somebody edited
        for one in front["configs"]:
            found[str(one["config_name"])] = [str(file["split"]) for file in one["data_files"]]
    return found


def _compare_table(what: str, table: Mapping[str, Any], built: Mapping[str, Any] | None) -> None:
    rows = table["rows"]
    if built and rows != built["rows"]:
        raise ProofError(f"{what} has {how_many(rows, 'row')}, {built['rows']:,} were built")
    if not table["same"]:
        raise ProofError(f"{what} has other features than were built: {table['features']}, not {table['built']}")
    if not table["streams"]:
        raise ProofError(f"{what} does not give the same first row as a stream")
    if table["declared"] not in (None, rows):
        raise ProofError(f"{what} has {how_many(rows, 'row')}, its card says {table['declared']:,}", "entries")


@contextmanager
def _started(stranger: Stranger, folder: Path, app: str) -> Iterator[str]:
    """Run the Space's app from its files on loopback, and give its address."""
    port, log = _free_port(), stranger.folder / "app.log"
    server = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    environment = {**stranger.environment, **server}
    with running_program([*stranger.python, app], folder, environment, log) as process:
        yield _answering(stranger, f"http://127.0.0.1:{port}/", process, log)


def _answering(stranger: Stranger, url: str, process: Program, log: Path) -> str:
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))  # loopback is not asked for through a proxy
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(url, timeout=10).close()
        except OSError:
            time.sleep(0.2)
        else:
            return url
    said = (log.read_text("utf-8", "replace").strip().splitlines() or ["it says nothing"])[-1]
    raise ProofError(stranger.clean(f"{stranger.what} does not start: {said}"))


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(stranger: Stranger, models: Path, url: str) -> Proof:
    offered = json.loads(models.read_text("utf-8"))
    first = next((one for one in offered if "code" not in one), offered[0])  # what has code was proved by itself
    dims = first.get("dims") or [None]
    arguments = {"url": url, "model": first["id"], "dims": dims, "pair": SENTENCES[:2]}
    answers, _ = stranger.run(ask_space, arguments)
    for dim, answer in zip(dims, answers, strict=True):
        score = answer.get("score") if isinstance(answer, dict) else None
        if not isinstance(score, int | float) or not math.isfinite(score) or abs(score) > 1 + TOLERANCE:
            raise ProofError(f"{stranger.what} answers '{answer}' at {dim} dims, not with a cosine")
    return Proof(stranger.what, stranger.seconds, answers=len(answers))
