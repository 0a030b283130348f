"""Proves that what was published is what was built: a stranger's process loads it back into an empty cache."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import PublishError
from zoo.evidence.scores import ScoreFile
from zoo.isolation import Program, running_program
from zoo.layout import DATA_REPORT
from zoo.models.foreign import code_told, foreign_code
from zoo.publish.desired.release import SCORES
from zoo.publish.proof.stranger import NoRoomError, Stranger, a_stranger, ask_space, load_dataset, load_published
from zoo.remote import Kind, api, explained, is_local
from zoo.tasks import TASKS

SENTENCES = ("رجل يقود سيارة", "الأولاد يلعبون كرة القدم", "a short sentence")
TOLERANCE = 1e-6  # the same weights on the same machine; anything more is another model
START_SECONDS = 120  # until a Space answers


@dataclass(frozen=True)
class Proof:
    """Findings of a stranger about a repository that is as it should be."""

    what: str
    """The kind and the id of the repository."""
    seconds: float
    difference: float | None = None
    """A model: the largest difference between its embeddings and the built one's; None: there is none to compare."""
    snippets: int | None = None
    """The snippets of the card that ran; None: it has none, or the commit is not what readers of main get."""
    rows: int | None = None
    """A dataset: its rows over all configurations and splits."""
    answers: int | None = None
    """A Space: the answers of its API, one for each size."""
    later: str | None = None
    """Why it cannot be proved yet."""

    @property
    def said(self) -> str:
        """The findings in one line, for people."""
        if self.later:
            return f"not proved yet: {self.later}"
        parts = [
            "loaded back" if self.answers is None else f"answers at {self.answers} sizes",
            None if self.difference is None else f"embeddings differ by {self.difference:.1e}",
            None if self.rows is None else f"{self.rows:,} rows",
            f"{self.snippets} snippets run" if self.snippets else None,
        ]
        return ", ".join(part for part in parts if part)


def prove_repository(
    kind: Kind, repo_id: str, revision: str, *, built: Path | None = None, name: str = "", back: str | None = None
) -> Proof:
    """Prove a repository at a commit.

    Args:
        built: a model's folder, or a dataset's data stage. None: nothing to compare with, as after a rollback.
        name: what `zoo rollback` knows it by.
        back: the tag or commit to which one can go back when this fails.

    Raises:
        PublishError: it is not what it should be. HubError: the Hub cannot be asked.
    """
    hint = f"zoo rollback {name}@{back}" if name and back else f"correct it, then zoo publish {name}".rstrip()
    try:
        if kind == "model":
            return prove_model(repo_id, revision, built)
        return prove_dataset(repo_id, revision, built) if kind == "dataset" else prove_space(repo_id, revision)
    except NoRoomError as problem:
        again = f"; zoo rollback {name}@{revision[:8]} proves it again" if name else ""
        raise PublishError(problem.message, hint=f"make room, or set TMPDIR to another folder{again}") from None
    except PublishError as problem:
        raise PublishError(problem.message, hint=hint) from None


def prove_model(repo_id: str, revision: str, built: Path | None = None) -> Proof:
    """Prove that a model loads as what was built, and that its card's scores are its own and its snippets run.

    It must load from safetensors and without remote code.

    Raises:
        PublishError: one of these is not so. HubError: the Hub cannot be asked.
    """
    with a_stranger("model", repo_id, revision) as stranger:
        card = stranger.card()
        _refuse_code_of_others(stranger)
        _compare_index(stranger, card)
        folder = str(built.absolute()) if built else None
        arguments = {"repo_id": repo_id, "revision": revision, "built": folder, "sentences": SENTENCES}
        found, snippets = stranger.run(load_published, arguments, card)
        if found["pickles"]:
            raise PublishError(f"'{repo_id}' is loaded from a pickle: '{found['pickles'][0]}'")
        if not found["difference"] <= TOLERANCE:
            differ = f"embeddings differ by '{found['difference']:.2g}'"
            raise PublishError(f"'{repo_id}' loads as another model than was built: {differ}")
        difference = found["difference"] if built else None
        return Proof(stranger.what, stranger.seconds, difference=difference, snippets=snippets)


def prove_dataset(repo_id: str, revision: str, built: Path | None = None) -> Proof:
    """Prove that every split loads, also as a stream, with the rows and features of the data stage `built`.

    Raises:
        PublishError: one of these is not so. HubError: the Hub cannot be asked.
    """
    report = json.loads((built / DATA_REPORT).read_text("utf-8")) if built else {}
    paths = {split: str((built / f"{split}.parquet").absolute()) for split in report} if built else {}
    with a_stranger("dataset", repo_id, revision) as stranger:
        arguments = {"repo_id": repo_id, "revision": revision, "built": paths}
        tables, snippets = stranger.run(load_dataset, arguments, stranger.card())
        if missing := sorted(report.keys() - {table["split"] for table in tables}):
            raise PublishError(f"{stranger.what}: there is no split '{missing[0]}'")
        for table in tables:
            _compare_table(f"{stranger.what}, split '{table['split']}'", table, report.get(table["split"]))
        rows = sum(table["rows"] for table in tables)
        return Proof(stranger.what, stranger.seconds, rows=rows, snippets=snippets)


def prove_space(repo_id: str, revision: str) -> Proof:
    """Prove that a Space's API compares a pair at every size of its first model.

    On a local Hub the app is started from its files, else it is asked where the Hub runs it.

    Raises:
        PublishError: it does not start, or gives no such answers. HubError: the Hub cannot be asked.
    """
    with a_stranger("space", repo_id, revision) as stranger:
        if not is_local():
            later, url = _where(repo_id, revision)
            if later:
                return Proof(stranger.what, stranger.seconds, later=later)
            return _ask(stranger, stranger.file("models.json"), url)
        folder = stranger.files()
        with _started(stranger, folder, stranger.card()) as url:
            return _ask(stranger, folder / "models.json", url)


def _refuse_code_of_others(stranger: Stranger) -> None:
    """Refuse a model whose files name Python to run when it is loaded: we publish none that does."""
    with explained(f"look for code in {stranger.what}"):
        found = foreign_code(lambda path: stranger.file(path).read_bytes() if path in stranger.paths else None)
    if found:
        raise PublishError(f"{stranger.what} {code_told(found)}")


def _compare_index(stranger: Stranger, text: str) -> None:
    """Refuse a card whose `model-index` has other scores than the model's at full width."""
    from huggingface_hub import ModelCard

    try:
        front: Any = ModelCard(text).data
    except ValueError as error:
        raise PublishError(stranger.clean(f"{stranger.what}: its card has no valid front matter: {error}")) from None
    results = front.eval_results or ()
    said = Counter((one.dataset_type, one.dataset_config, one.dataset_split, one.metric_value) for one in results)
    measured = Counter(_measured(stranger) if said or SCORES in stranger.paths else ())
    for one in [*(said - measured), *(measured - said)]:
        where = "its card says" if one in said else f"{SCORES} says"
        what = f"model-index and {SCORES} differ: {where} {one[3]} on {one[0]}, {one[1]}"
        raise PublishError(f"{stranger.what}: {what}")


def _measured(stranger: Stranger) -> Iterator[tuple[str, str, str, float]]:
    from pydantic import ValidationError

    try:
        scores = ScoreFile.model_validate_json(stranger.file(SCORES).read_bytes())
        mine = next(subject for subject in scores.subjects if subject.role == "self")
        for name in scores.tasks:
            task = TASKS[name]
            if task.file is None:  # else the index has no place for it
                yield task.dataset, task.subset, task.split, round(scores.value(mine.name, name, mine.dims[0]), 2)
    except (ValidationError, StopIteration, KeyError):
        raise PublishError(f"{stranger.what}: its '{SCORES}' is none of this version's") from None


def _compare_table(what: str, table: Mapping[str, Any], built: Mapping[str, Any] | None) -> None:
    rows = table["rows"]
    if built and rows != built["rows"]:
        raise PublishError(f"{what} has {rows:,} rows, {built['rows']:,} were built")
    if table["declared"] not in (None, rows):
        raise PublishError(f"{what} has {rows:,} rows, its card says {table['declared']:,}")
    if not table["same"]:
        raise PublishError(f"{what} has other features than were built: {table['features']}, not {table['built']}")
    if not table["streams"]:
        raise PublishError(f"{what} does not give the same first row as a stream")


def _where(repo_id: str, revision: str) -> tuple[str | None, str]:
    """Return why a Space cannot be asked yet (None: it can), and its address."""
    with explained(f"look up space '{repo_id}'"):
        info = api().space_info(repo_id)
    runtime = info.runtime
    if runtime is None or runtime.stage != "RUNNING":
        return f"the Space is {runtime.stage if runtime else 'not started'}", ""
    if runtime.raw.get("sha", revision) != revision:
        return "the Space still runs another commit", ""
    return None, str(info.host)


@contextmanager
def _started(stranger: Stranger, folder: Path, card: str) -> Iterator[str]:
    """Run the Space's app from its files on loopback, and give its address."""
    from huggingface_hub import RepoCard

    app = str(RepoCard(card).data.get("app_file") or "app.py")
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
    raise PublishError(stranger.clean(f"{stranger.what} does not start: {said}"))


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(stranger: Stranger, models: Path, url: str) -> Proof:
    first = json.loads(models.read_text("utf-8"))[0]
    dims = first.get("dims") or [None]
    arguments = {"url": url, "model": first["id"], "dims": dims, "pair": SENTENCES[:2]}
    answers, _ = stranger.run(ask_space, arguments)
    for dim, answer in zip(dims, answers, strict=True):
        score = answer.get("score") if isinstance(answer, dict) else None
        if not isinstance(score, int | float) or not math.isfinite(score) or abs(score) > 1 + TOLERANCE:
            raise PublishError(f"{stranger.what} answers '{answer}' at {dim} dims, not with a cosine")
    return Proof(stranger.what, stranger.seconds, answers=len(answers))
