"""Consent to code of others: its files are fetched, compared byte for byte and laid out. None of them runs here.

What is laid out are the bytes that were compared, in a folder that nobody else writes to. Light: no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from zoo.characters import brief
from zoo.errors import ZooError
from zoo.isolation import temporary_folder
from zoo.models.foreign.asked import code_told, foreign_code, kind_of_error, reader, way_to_load
from zoo.models.foreign.carried import DECIDING, agreed_code, code_of_zoo
from zoo.models.foreign.elsewhere import fetched_code
from zoo.models.foreign.requirements import require_all
from zoo.models.identity import Kind, ModelSource
from zoo.recipe.remotecode import CodePath, RemoteCode
from zoo.recipe.words import License
from zoo.remote import api, endpoint, explained

COVERED = tuple(f"*{ending}" for ending in DECIDING)
"""What consent names. JSON says which code is loaded."""
WEIGHTS = ("*.safetensors", "*.txt", "*.model", "*.tiktoken", "*.vocab", "*.bpe", "*.spm")
"""What is laid beside the code: weights and vocabularies. No pickles, and nothing that Python imports."""
LEFT_OUT = ["onnx/*.txt", "openvino/*.txt", "*/.*", ".*"]
MOST_TOLD = 3  # files in an error
MOST_COMPARED = 100_000  # bytes of a file whose lines are compared; a longer one is a vocabulary
_PATH: TypeAdapter[str] = TypeAdapter(CodePath)
_LICENSE: TypeAdapter[str] = TypeAdapter(License)


@dataclass(frozen=True)
class ModelCode:
    """The code and JSON of a model's repository at a commit."""

    model: str
    revision: str
    files: Mapping[str, bytes]
    """{path: content}; without what consent cannot name, such as hidden files: that is never laid out."""
    license: str | None = None
    """What the repository's card says."""
    folder: Path | None = None
    """Where the files lie to be read."""

    @cached_property
    def digests(self) -> dict[str, str]:
        """{path: sha256}."""
        return {path: sha256(content).hexdigest() for path, content in sorted(self.files.items())}

    @property
    def consent(self) -> RemoteCode:
        """The block of a recipe that consents to exactly these files."""
        return RemoteCode(revision=self.revision, files=self.digests, license=self.license)

    @property
    def is_needed(self) -> bool:
        """True when the model's files ask for code of its own, so that it does not load without consent."""
        return bool(foreign_code(self.files.get))


def code_of(model: str, revision: str | None = None) -> ModelCode:
    """Fetch the code and JSON of a repository.

    Args:
        revision: a commit, a branch or a tag; null: main.

    Raises:
        HubError: there is no such repository or revision, or the Hub does not answer.
    """
    with explained(f"look up model '{model}'" + (f" at '{revision}'" if revision else "")):
        info = api().model_info(model, revision=revision)
        folder = Path(api().snapshot_download(model, revision=info.sha, allow_patterns=list(COVERED)))
    said = info.card_data.get("license") if info.card_data else None
    return ModelCode(model, str(info.sha), _covered(folder), _licence(said), folder)


def consent_to(model: str, revision: str | None = None, *, kind: Kind = "base") -> RemoteCode:
    """The block of a recipe that consents to the code of a repository as it is at a revision.

    Args:
        kind: what the model is used as.

    Raises:
        HubError: it cannot be fetched. TrainError, EvaluationError: it takes code from elsewhere, which no consent
            covers.
    """
    code = code_of(model, revision)
    refuse_fetching(ModelSource(kind=kind, place=model, weights=code.revision), code.files)
    return code.consent


def _licence(said: object) -> str | None:
    try:
        return _LICENSE.validate_python(said)
    except ValidationError:
        return None


def _covered(folder: Path) -> dict[str, bytes]:
    """{path: content} of what consent can name; other paths are neither compared nor laid out."""
    found = {str(path.relative_to(folder).as_posix()): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: place.read_bytes() for path, place in found.items() if _is_nameable(path)}


def _is_nameable(path: str) -> bool:
    try:
        return bool(_PATH.validate_python(path))
    except ValidationError:
        return False


@contextmanager
def checked_folder(source: ModelSource) -> Iterator[Path]:
    """Yield a fresh folder with a model that has consent: the files that were compared, its weights and vocabulary.

    It is removed afterwards. Of a repository every file of code and JSON must be the one that consent names; of a model
    that was trained here, each file of code must be one of those, or a file of zoo's own.

    Args:
        source: with `remote_code`, of kind `base`, `hub` or `recipe`.

    Raises:
        TrainError, EvaluationError: a file was changed, is missing or came in addition, takes code from elsewhere, or
            needs a package or data that this machine lacks.
        HubError: it cannot be fetched.
    """
    files, weights = _checked(source)
    require_all(source, files)
    with temporary_folder("zoo-consented-") as temporary:
        folder = Path(temporary, PurePosixPath(source.place).name)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for path, place in weights.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(place.resolve())
        yield folder


def refuse_foreign_code(source: ModelSource) -> None:
    """Refuse a model whose files ask for Python of its own, unless consent covers all of it. Nothing is loaded.

    Of a Hub only small files are fetched, and with consent all code and JSON.

    Raises:
        TrainError, EvaluationError: it asks for some; the message names it. HubError: the Hub cannot be asked.
    """
    if source.remote_code is not None:
        _verified(source)
        return
    with explained(f"load model '{source.place}'"):
        found = foreign_code(reader(source.place, source.revision), whole=source.pooling is None)
    if found:
        raise kind_of_error(source.kind)(f"model '{source.place}' {code_told(found)}", hint=way_to_load(source, found))


def _checked(source: ModelSource) -> tuple[dict[str, bytes], dict[str, Path]]:
    """The verified content of a model's code and JSON, and {path: file} of what is laid beside it."""
    return _verified(source), _weights_in(_fetched(source, WEIGHTS))


def _fetched(source: ModelSource, patterns: Sequence[str]) -> Path:
    """The folder that has a model's files of these names: its own, or the cache of what the Hub has at the commit."""
    if Path(source.place).is_dir():
        return Path(source.place)
    commit = _consent(source).revision
    from huggingface_hub.errors import RevisionNotFoundError

    with explained(f"load model '{source.place}'"):
        try:
            place = api().snapshot_download(
                source.place, revision=commit, allow_patterns=list(patterns), ignore_patterns=LEFT_OUT
            )
        except RevisionNotFoundError:
            problem = f"consent is to commit '{commit[:8]}' of '{source.place}', which {endpoint()} does not have"
            hint = CONSENT_AGAIN[source.kind].format(model=source.place)
            raise kind_of_error(source.kind)(problem, hint=hint) from None
    return Path(place)


def _weights_in(folder: Path) -> dict[str, Path]:
    found = {path.relative_to(folder): path for pattern in WEIGHTS for path in folder.rglob(pattern) if path.is_file()}
    return {str(path): place for path, place in found.items() if not any(part[0] == "." for part in path.parts)}


def _verified(source: ModelSource) -> dict[str, bytes]:
    consent = _consent(source)
    files = _covered(_fetched(source, COVERED))
    differing = _strange(files, source) if source.kind == "recipe" else _differing(files, consent)
    if differing:
        problem = f"the code of model '{source.place}' is not what consent was given to: {_listed(differing)}"
        raise kind_of_error(source.kind)(problem, hint=CONSENT_AGAIN[source.kind].format(model=source.place))
    refuse_fetching(source, files)
    return files


CONSENT_AGAIN = {
    "base": "zoo trust {model}",
    "hub": "zoo trust {model}, which shows what it is now",
    "recipe": "zoo build it again with --force train",
}


def _consent(source: ModelSource) -> RemoteCode:
    if source.remote_code is None or source.kind not in CONSENT_AGAIN:
        raise ValueError(f"a model of kind '{source.kind}' without consent is never laid out")
    return source.remote_code


def _differing(files: Mapping[str, bytes], consent: RemoteCode) -> list[str]:
    """Files of a repository that are not as consent has them, in words; code first."""
    said = []
    for path in sorted({*files, *consent.files}, key=lambda one: (not one.endswith(".py"), one)):
        now = sha256(files[path]).hexdigest() if path in files else None
        agreed = consent.files.get(path)
        if now is None:
            said.append(f"'{path}' is missing (consent: {str(agreed)[:8]})")
        elif agreed is None:
            said.append(_additional(path, now))
        elif now != agreed:
            said.append(f"'{path}' is {now[:8]} (consent: {agreed[:8]})")
    return said


def _strange(files: Mapping[str, bytes], source: ModelSource) -> list[str]:
    """Code in a trained model that is neither what consent names nor zoo's own, in words."""
    agreed, own = agreed_code(source.remote_code), code_of_zoo(source.own)
    said = []
    for path, content in files.items():
        name, now = PurePosixPath(path).name, sha256(content).hexdigest()
        known = agreed.get(name, set()) | own.get(name, set())
        if path.endswith(".py") and now not in known:
            wanted = ", ".join(one[:8] for one in sorted(known))
            said.append(f"'{path}' is {now[:8]} (consent: {wanted})" if known else _additional(path, now))
    return said


def _additional(path: str, digest: str) -> str:
    return f"'{path}' ({digest[:8]}) is not in the consent"


def _listed(parts: Sequence[str]) -> str:
    more = [f"{len(parts) - MOST_TOLD} more"] if len(parts) > MOST_TOLD else []
    return "; ".join([*parts[:MOST_TOLD], *more])


def refuse_fetching(source: ModelSource, files: Mapping[str, bytes]) -> None:
    """Refuse a model that takes code from elsewhere: no consent to its own files covers that.

    Raises:
        TrainError, EvaluationError: it does; the message names what.
    """
    if found := fetched_code(files):
        raise fetching(source, found)


def fetching(source: ModelSource, found: Sequence[str]) -> ZooError:
    """The error for a model that takes code from elsewhere."""
    problem = f"model '{source.place}' takes code from elsewhere, which no consent covers: {_listed(found)}"
    hint = "choose a model whose repository has all of its code, or put both into one of your own"
    return kind_of_error(source.kind)(problem, hint=hint)


def difference(old: ModelCode, new: ModelCode) -> str:
    """The unified diff between two commits of a model's code; of long files only that they differ."""
    lines: list[str] = []
    for path in sorted({*old.files, *new.files}, key=lambda one: (not one.endswith(".py"), one)):
        before, after = old.files.get(path, b""), new.files.get(path, b"")
        if before == after and (path in old.files) == (path in new.files):
            continue
        if max(len(before), len(after)) > MOST_COMPARED:
            lines.append(f"{brief(path)}: {len(before):,} bytes became {len(after):,} others")
            continue
        then, now = (content.decode("utf-8", "backslashreplace").splitlines() for content in (before, after))
        names = [f"{path} ({code.revision[:8]})" for code in (old, new)]
        lines += unified_diff(then, now, names[0], names[1], lineterm="")
    return "\n".join(lines)
