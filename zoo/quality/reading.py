"""Opens a dataset for checks: one that a recipe built, one on the Hub, or files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.characters import brief
from zoo.data.rows import HubRows, written
from zoo.errors import DataError, HubError
from zoo.hub.metadata import REPO_ID
from zoo.layout import split_file
from zoo.quality.material import NAMES, Material, Roles, in_order
from zoo.quality.roles import LOOKED_AT, guessed_roles
from zoo.recipe import Dataset
from zoo.remote import api, endpoint, explained, is_miniature

if TYPE_CHECKING:
    import polars as pl

Asked = Mapping[str, Sequence[str]]
"""{"texts", "label" or "score": columns that were named on the command line}."""
Classes = Mapping[str, Sequence[str]]
SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".arrow")


def material_of_built(name: str, dataset: Dataset, folder: Path, **options: Any) -> Material:
    """The rows that a finished data stage left in its folder."""
    import polars as pl

    roles = roles_of(dataset)
    frames = {str(split): pl.scan_parquet(split_file(folder, split)) for split in dataset.splits}
    label = dataset.label
    classes = list(label[1].names or ()) if label and label[1].names else None
    known = {roles.label: classes} if roles.label and classes else {}
    return Material(name, _as_roles(frames, roles, known), roles, classes, **options)


def roles_of(dataset: Dataset) -> Roles:
    """The parts that the columns of a recipe play."""
    label = dataset.label
    classes = label[0] if label and label[1].type == "class" else None
    score = label[0] if label and label[1].type == "score" else None
    group = dataset.split.of if dataset.split and dataset.split.of in dataset.texts else None
    known = next((text for text in dataset.texts if text.casefold() in ("premise", "anchor")), None)
    return Roles(dataset.texts, classes, score, group or (known if len(dataset.texts) > 1 else None))


def hub_id(target: str) -> str:
    """The id of a dataset on the Hub that was named by it, by `datasets/owner/name` or by its page's address.

    Raises:
        DataError: nothing on a Hub is called that, so it was meant to be a file.
    """
    found = target
    for address in (endpoint(), "https://huggingface.co"):
        found = found.removeprefix(address)
    found = found.strip("/").removeprefix("datasets/") if found != target else found.removeprefix("datasets/")
    if re.fullmatch(REPO_ID, found) and Path(found).suffix not in SUFFIXES:
        return found
    near = Path(target).parent
    there = f"ls {quote(str(near))}" if near.is_dir() else f"there is no folder '{near}' either"
    raise DataError(f"there is no file or folder '{brief(target)}'", hint=there)


@contextmanager
def material_of_hub(
    repo: str, config: str | None, revision: str | None, asked: Asked, **options: Any
) -> Iterator[Material]:
    """The rows of a dataset on the Hub in use, until the block ends.

    Raises:
        HubError: it is not there, or may not be read. DataError: its rows cannot be read, or have no texts.
    """
    commit = _commit(repo, revision)
    splits = _splits_of_hub(repo, config, commit)
    rows = {split: HubRows(splits[split]) for split in in_order(list(splits))}
    first = next(iter(rows.values()))
    classes = {name: one.names for name, one in first.features.items() if getattr(one, "names", None)}
    sample = next(iter(first.batches(first.column_names, LOOKED_AT)))
    roles = guessed_roles(sample, classes, asked)
    title = repo if config is None else f"{repo} ({config})"
    columns = [name for name in (*roles.texts, roles.label, roles.score) if name]
    with TemporaryDirectory(prefix="zoo-check-") as place:
        frames = {
            split: _kept(one, columns, Path(place, f"{number}.parquet"))
            for number, (split, one) in enumerate(rows.items())
        }
        yield Material(
            title,
            _as_roles(frames, roles, classes),
            roles,
            classes.get(roles.label or ""),
            miniature=is_miniature(repo, commit),
            **options,
        )


def _commit(repo: str, revision: str | None) -> str:
    """The commit to read, which is there."""
    from huggingface_hub.errors import RevisionNotFoundError

    with explained(f"look up dataset '{repo}'"):
        try:
            return str(api().dataset_info(repo, revision=revision).sha)
        except RevisionNotFoundError:
            problem = f"dataset '{repo}' has no revision '{revision}' on {endpoint()}"
            raise HubError(problem, hint="correct --revision, or leave it out") from None


def _kept(rows: HubRows, columns: Sequence[str], path: Path) -> pl.LazyFrame:
    """The columns of a split in a file, of which polars reads no more at once than it needs."""
    import polars as pl

    schema = next(iter(rows.batches(columns, 1)), pl.DataFrame()).schema
    written(rows.batches(columns), path, schema)
    return pl.scan_parquet(path)


def _splits_of_hub(repo: str, config: str | None, commit: str) -> dict[str, Any]:
    """{split: its rows}, as `datasets` loads them."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

    again = f"zoo data check {repo} --config"
    try:
        with explained(f"read dataset '{repo}'"):
            found: dict[str, Any] = load_dataset(repo, config, revision=commit)
    except DatasetNotFoundError as error:
        raise HubError(
            f"cannot read dataset '{repo}': {_first(error)}", hint=f"look at {endpoint()}/datasets/{repo}"
        ) from None
    except ValueError as error:
        if "onfig" not in str(error):
            raise DataError(
                f"dataset '{repo}' cannot be read: {_first(error)}", hint=f"look at {endpoint()}/datasets/{repo}"
            ) from None
        names = _configs(repo, commit)
        what = f"has no configuration '{config}'" if config else f"has {len(names)} configurations"
        raise DataError(
            f"dataset '{repo}' {what}: {', '.join(names)}", hint=f"{again} {names[0] if names else 'NAME'}"
        ) from None
    except FileNotFoundError:
        problem = f"dataset '{repo}' has no files that hold rows"
        raise DataError(problem, hint=f"look at {endpoint()}/datasets/{repo}/tree/main") from None
    except DatasetGenerationError as error:
        told = str(error.__cause__ or error).strip().splitlines()[-1]
        names = _configs(repo, commit)
        hint = f"{again} {names[0]}" if len(names) > 1 else f"look at {endpoint()}/datasets/{repo}/tree/main"
        raise DataError(f"the files of '{repo}' cannot be read as one: {brief(told)}", hint=hint) from None
    except RuntimeError as error:
        if "Dataset scripts" not in str(error):
            raise
        problem = f"the rows of '{repo}' are made by a script, and no code of others is run"
        raise DataError(problem, hint=f"zoo data check {repo} --revision refs/convert/parquet") from None
    full = {split: rows for split, rows in found.items() if len(rows)}
    if not full:
        raise DataError(f"dataset '{repo}' has no rows", hint=f"look at {endpoint()}/datasets/{repo}")
    return full


def _configs(repo: str, commit: str) -> list[str]:
    from datasets import get_dataset_config_names

    names: list[str] = get_dataset_config_names(repo, revision=commit)
    return names


def _first(error: Exception) -> str:
    return brief(str(error).splitlines()[0].rstrip("."), 200)


@contextmanager
def material_of_files(path: Path, asked: Asked, **options: Any) -> Iterator[Material]:
    """The rows of a file, or of all files of a folder, until the block ends.

    Files whose names hold train, validation, dev or test are these splits; all others are train.

    Raises:
        DataError: there are none, one cannot be read, or they have no texts.
    """
    files = _files_by_split(path)
    with TemporaryDirectory(prefix="zoo-check-") as place:
        frames = {split: _of_files(files[split], Path(place)) for split in in_order(list(files))}
        sample = next(iter(frames.values())).head(LOOKED_AT).collect()
        if not len(sample):
            raise DataError(f"'{path}' has no rows", hint="name a file with some")
        roles = guessed_roles(sample, {}, asked)
        yield Material(path.name, _as_roles(frames, roles, {}), roles, **options)


def _files_by_split(path: Path) -> dict[str, list[Path]]:
    files = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise DataError(f"'{path}' holds no rows: no {', '.join(SUFFIXES)}", hint="name a file, or another folder")
    if path.is_file() and path.suffix not in SUFFIXES:
        raise DataError(f"'{path}' is none of {', '.join(SUFFIXES)}", hint="write its rows as one of them")
    found: dict[str, list[Path]] = {}
    for file in files:
        words = set(re.split(r"[^a-z]+", file.stem.casefold()))
        split = next((ours for ours, names in NAMES.items() if words & names), "train") if path.is_dir() else "train"
        found.setdefault(split, []).append(file)
    return found


def _of_files(files: Sequence[Path], place: Path) -> pl.LazyFrame:
    """The rows of files of one split; what polars cannot scan is read once and kept as Parquet."""
    import polars as pl
    from polars.exceptions import PolarsError

    frames = []
    for number, file in enumerate(files):
        try:
            frame = _scanned(file)
            frame.head(1).collect()
            if file.suffix != ".parquet":
                kept = place / f"{abs(hash(file))}-{number}.parquet"
                frame.sink_parquet(kept)
                frame = pl.scan_parquet(kept)
        except (PolarsError, UnicodeDecodeError, OSError) as error:
            problem = f"'{file}' cannot be read: {brief(str(error).splitlines()[0], 200)}"
            raise DataError(problem, hint="look at its bytes, or write it again as UTF-8 or Parquet") from None
        frames.append(frame)
    return pl.concat(frames, how="diagonal_relaxed")


def _scanned(file: Path) -> pl.LazyFrame:
    import polars as pl

    kind = file.suffix
    if kind == ".parquet":
        return pl.scan_parquet(file)
    if kind == ".arrow":
        return pl.scan_ipc(file)
    if kind in (".jsonl", ".ndjson"):
        return pl.scan_ndjson(file, infer_schema_length=LOOKED_AT)
    if kind == ".json":
        return pl.read_json(file).lazy()
    quote, separator = ('"', ",") if kind == ".csv" else (None, "\t")
    return pl.scan_csv(file, separator=separator, quote_char=quote, infer_schema=False, encoding="utf8")


def _as_roles(frames: Mapping[str, pl.LazyFrame], roles: Roles, classes: Mapping[str, Any]) -> dict[str, pl.LazyFrame]:
    """The rows with texts and classes as strings and scores as floats, in the order of the roles."""
    return {split: frame.select(_columns(frame, split, roles, classes)) for split, frame in frames.items()}


def _columns(frame: pl.LazyFrame, split: str, roles: Roles, classes: Mapping[str, Any]) -> list[pl.Expr]:
    import polars as pl

    there = frame.collect_schema()
    wanted = [name for name in (*roles.texts, roles.label, roles.score) if name]
    if missing := [name for name in wanted if name not in there]:
        known = ", ".join(f"'{brief(name, 30)}'" for name in there)
        raise DataError(f"split '{split}' has no column '{missing[0]}', as others have", hint=f"it has {known}")
    kept = [pl.col(text).cast(pl.String) for text in roles.texts]
    if roles.label:
        names = dict(enumerate(classes.get(roles.label) or ()))
        label = pl.col(roles.label)
        kept.append(
            label.replace_strict(names, default=None, return_dtype=pl.String) if names else label.cast(pl.String)
        )
    if roles.score:
        score = pl.col(roles.score)
        stripped = score.str.strip_chars() if there[roles.score] == pl.String else score
        kept.append(stripped.cast(pl.Float64, strict=False).fill_nan(None))
    return kept
