"""Somebody who knows a repository's id alone: a process with an empty cache, without our modules and our token."""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from zoo.cameldata import lend_camel_data
from zoo.errors import PublishError
from zoo.isolation import own_environment, proxies, run_to_its_end
from zoo.lint.card import Code
from zoo.lint.execution import one_program
from zoo.models.foreign.asked import meant
from zoo.publish.desired.release import CARD, SCORES
from zoo.publish.proof.promised import first_unkept, promised
from zoo.remote import Kind, api, explained, listed_id

LONGEST = 3600  # seconds for everything that one process proves, downloads included
SNIPPET_SECONDS = 300  # for all snippets of a card

# as Python, its tempfile and hf_xet say it
FULL = re.compile(r"No space left|File too large|quota exceeded|No usable temporary|os error (27|28|122)")


Part = Literal["content", "entries", "snippet", "unknown"]


class ProofError(PublishError):
    """Something on the Hub is not what was built.

    Args:
        part: what is wrong: the `content` (weights, rows, the app), which whatever needs the repository needs too; only
            the card's `entries`, or a `snippet` of it; `unknown` when nothing was found out.
    """

    def __init__(self, message: str, part: Part = "content", *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.part = part


class NoRoomError(ProofError):
    """Temporary files had no room, so that nothing was found out, good or bad."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, "unknown", hint=hint)


class Stranger:
    """Somebody who knows the id alone: an empty cache, and no token unless the repository is private or gated."""

    python: ClassVar[tuple[str, ...]] = (sys.executable,)
    """The command that runs Python in a clean process."""

    def __init__(self, kind: Kind, repo_id: str, revision: str, folder: Path) -> None:
        from huggingface_hub import get_token

        self.kind, self.repo_id, self.revision, self.folder = kind, repo_id, revision, folder
        self.what = f"{kind} '{repo_id}'"
        self.began = time.monotonic()
        with explained(f"prove {self.what}"):
            info: Any = api().repo_info(repo_id, repo_type=kind, files_metadata=True)
            there: Any = info if info.sha == revision else _at(kind, repo_id, revision)
        self.is_main = info.sha == revision
        """Whether this commit is what readers get who name none."""
        self.listed = {one.rfilename: listed_id(one) for one in there.siblings or ()}
        """{path: git id, or sha256 of what is kept as a large file}."""
        self.token = get_token() if info.private or getattr(info, "gated", False) else None
        self.offline = False

    @property
    def seconds(self) -> float:
        """Seconds since the proof began."""
        return round(time.monotonic() - self.began, 1)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of what the stranger runs: no secrets of ours, and a home with an empty cache."""
        if self.offline:
            return {**own_environment(self.folder), **lend_camel_data(self.folder / "camel"), "HF_HUB_OFFLINE": "1"}
        return {**own_environment(self.folder, self.token), **proxies()}

    def file(self, path: str) -> Path:
        """Download one file of the repository and return its path.

        Raises:
            ProofError: there is no such file. HubError: the Hub cannot be asked.
        """
        if path not in self.listed:
            raise ProofError(f"{self.what} has no '{path}'", "entries" if path in (CARD, SCORES) else "content")
        with explained(f"read '{path}' of {self.what}"):
            cache = self.folder / "read"
            found = api().hf_hub_download(
                self.repo_id, path, repo_type=self.kind, revision=self.revision, cache_dir=cache
            )
        return Path(found)

    def take_along(self) -> None:
        """Download the repository into the stranger's own cache; what it runs from then on has no network, no token.

        For a repository whose code is run: what it could read or fetch is then no more than what was looked at.
        """
        cache, revision = (
            self.folder / "home" / ".cache" / "huggingface" / "hub",
            None if self.is_main else self.revision,
        )
        with explained(f"read {self.what}"):
            api().snapshot_download(self.repo_id, repo_type=self.kind, revision=revision, cache_dir=cache)
        self.offline = True

    def files(self) -> Path:
        """Download all files of the repository and return their folder."""
        place = self.folder / "files"
        with explained(f"read {self.what}"):
            api().snapshot_download(self.repo_id, repo_type=self.kind, revision=self.revision, local_dir=place)
        return place

    def card(self) -> str:
        """Return the text of the repository's README."""
        return self.file(CARD).read_text("utf-8-sig", "replace")

    def run(
        self, function: Callable[..., Any], arguments: Mapping[str, Any], snippets: Sequence[Code] = ()
    ) -> tuple[Any, ProofError | None]:
        """Call `function` in a process of the stranger's, and run snippets after it.

        Returns:
            What the function returned, and how a snippet failed or printed other text than it says (None: all is well).

        Raises:
            ProofError: the function failed, or it took too long.
        """
        calls: list[tuple[str, Mapping[str, Any]]] = [(function.__name__, arguments)]
        if snippets:
            calls.append((_run_snippets.__name__, {"program": one_program(snippets), "seconds": SNIPPET_SECONDS}))
        (self.folder / "calls.json").write_text(json.dumps(calls), "utf-8")
        source = "from __future__ import annotations\nfrom typing import Any\n"
        code = "\n\n".join([source, inspect.getsource(function), inspect.getsource(_run_snippets), FRAME])
        output = self._finish([*self.python, "-c", code])
        facts = self._noted()
        if len(facts["found"]) == len(calls):
            unkept = first_unkept(promised(snippets), facts["found"][1]) if snippets else None
            said = f"{self.what}: its card says that a snippet prints '{unkept}', and it does not"
            return facts["found"][0], ProofError(self.clean(said), "snippet") if unkept else None
        (self.folder / "room").write_bytes(bytes(2**16))  # for want of it a process may say nothing
        if FULL.search(output):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        said = self.clean(_failure(self.what, facts, output, SNIPPET_SECONDS))
        if not facts["found"]:
            raise ProofError(said)
        return facts["found"][0], ProofError(said, "snippet")

    def _noted(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "found.json").read_text("utf-8")))
        except (FileNotFoundError, ValueError):
            return {"found": []}

    def _finish(self, command: Sequence[str]) -> str:
        """Run a command to its end and return what it wrote to stderr."""
        errors = self.folder / "errors.log"
        if run_to_its_end(command, self.folder, self.environment, errors, seconds=LONGEST) is None:
            raise ProofError(f"{self.what} did not load within {LONGEST} seconds")
        return errors.read_text("utf-8", "replace")

    def clean(self, text: str) -> str:
        """Return what a foreign process said as one line, not long, and without the token."""
        line = " ".join(text.split())
        return (line.replace(self.token, "***") if self.token else line)[:400]


@contextmanager
def a_stranger(kind: Kind, repo_id: str, revision: str) -> Iterator[Stranger]:
    """Give a stranger with an empty folder of its own, which goes afterwards.

    Raises:
        NoRoomError: there is no room for temporary files.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="zoo-prove-", ignore_cleanup_errors=True) as folder:
            yield Stranger(kind, repo_id, revision, Path(folder))
    except (OSError, RuntimeError) as error:
        if not FULL.search(str(error)):
            raise
        raise NoRoomError(f"cannot prove {kind} '{repo_id}': there is no room for temporary files") from None


def _at(kind: Kind, repo_id: str, revision: str) -> Any:
    return api().repo_info(repo_id, repo_type=kind, revision=revision, files_metadata=True)


def _failure(what: str, facts: Mapping[str, Any], output: str, seconds: int) -> str:
    said = facts.get("error") or (output.strip().splitlines() or ["it says nothing"])[-1]
    if not facts["found"]:
        meaning = meant(said)
        return f"{what} {meaning}" if meaning else f"{what} does not load: {said}"
    if "error" not in facts and "Timeout (" in output:
        lines = re.findall(r'File "README\.md", line (\d+)', output)
        return f"{what}: the snippets of its card did not end within {seconds} seconds (line {(lines or ['?'])[-1]})"
    at = f", line {facts['line']}" if facts.get("line") else ""
    return f"{what}: a snippet of its card fails: {said} (README.md{at})"


# What it runs: the source of these functions is all that it gets from us.


def load_published(repo_id: str, revision: str, built: str | None, sentences: list[str], code: bool) -> dict[str, Any]:
    """Encode sentences with the published model and the built one; return their largest difference, and any pickles.

    Args:
        code: run the code that both bring.
    """
    from pathlib import Path

    import numpy as np
    from huggingface_hub.constants import HF_HUB_CACHE
    from sentence_transformers import SentenceTransformer

    def encoded(place: str, revision: str | None) -> Any:
        safe = {"trust_remote_code": code, "model_kwargs": {"use_safetensors": True}}
        return SentenceTransformer(place, revision=revision, device="cpu", **safe).encode(sentences)

    theirs = encoded(repo_id, revision)
    unsafe = {".bin", ".pt", ".pth", ".pkl", ".pickle"}
    pickles = sorted(path.name for path in Path(HF_HUB_CACHE).rglob("*") if path.suffix in unsafe)
    ours = encoded(built, None) if built else theirs
    difference = float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else float("inf")
    return {"difference": difference, "pickles": pickles}


def load_dataset(
    repo_id: str, revision: str, built: dict[str, str], asked: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """Load our splits, whole and as a stream; return what was found of each.

    Args:
        asked: {configuration: its splits}; empty: all that there are.
    """
    import pyarrow.parquet as pq
    from datasets import Features, get_dataset_config_names, load_dataset, load_dataset_builder

    found = []
    for config in list(asked) or get_dataset_config_names(repo_id, revision=revision):
        declared = dict(load_dataset_builder(repo_id, config, revision=revision).info.splits or {})
        for split, rows in load_dataset(repo_id, config, revision=revision, verification_mode="no_checks").items():
            if asked and split not in asked[config]:
                continue
            stream = load_dataset(repo_id, config, split=split, revision=revision, streaming=True)
            ours = Features.from_arrow_schema(pq.read_schema(built[split])) if split in built else None
            table = {
                "split": split,
                "rows": len(rows),
                "declared": declared[split].num_examples if split in declared else None,
                "streams": next(iter(stream), None) == next(iter(rows), None),
                "features": str(rows.features),
                "built": str(ours or rows.features),
                "same": ours is None or ours == rows.features,
            }
            found.append(table)
    return found


def ask_space(url: str, model: str, dims: list[int | None], pair: list[str]) -> list[dict[str, Any]]:
    """Ask a Space's API to compare a pair at every dim; return its answers."""
    from concurrent.futures import CancelledError

    from gradio_client import Client  # type: ignore[import-untyped]

    client = Client(url, verbose=False, analytics_enabled=False)

    def answer(dim: int | None) -> Any:
        for last in (False, False, True):  # on a busy machine the client may give up on an answer that is coming
            try:
                return client.predict(*pair, model, dim, api_name="/compare")
            except CancelledError:
                if last:
                    raise
        return None

    return [answer(dim) for dim in dims]


def _run_snippets(program: str, seconds: int) -> str:
    import contextlib
    import faulthandler
    import io
    import os
    import tempfile

    os.chdir(tempfile.mkdtemp())  # what snippets write does not lie beside what we wrote
    faulthandler.dump_traceback_later(seconds, exit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})  # noqa: S102
    faulthandler.cancel_dump_traceback_later()
    return printed.getvalue()


FRAME = """
import json, os, traceback

def note(place=os.path.abspath("found.json"), **facts):
    with open(place, "w", encoding="utf-8") as file:
        json.dump(facts, file)

with open("calls.json", encoding="utf-8") as file:
    calls = json.load(file)
found = []
for name, given in calls:
    try:
        found.append(globals()[name](**given))
        note(found=found)
    except BaseException as error:
        root = error
        while root.__cause__:  # "an error occurred" from a library has the error behind it
            root = root.__cause__
        said = (str(root).strip().splitlines() or [""])[0]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "README.md"]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        note(found=found, error=f"{type(root).__name__}: {said}".rstrip(": "), line=line)
        raise
"""
