"""Opens a dataset for checks: one that a recipe built, one on the Hub, or files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.characters import brief
from zoo.data.lines import lines_of
from zoo.data.localrows import FileRows, row_file
from zoo.data.records import table_of
from zoo.data.rows import HubRows, RawRows, written
from zoo.errors import DataError, HubError
from zoo.hub.metadata import REPO_ID
from zoo.layout import split_file
from zoo.plurals import how_many
from zoo.quality.material import Material, Roles, in_order
from zoo.quality.roles import LOOKED_AT, guessed_roles
from zoo.recipe import Dataset
from zoo.recipe.dataset import Source
from zoo.recipe.localfiles import FORMS, LocalFile, local_files, split_like
from zoo.remote import api, endpoint, explained, is_miniature

if TYPE_CHECKING:
    import polars as pl

Asked = Mapping[str, Sequence[str]]
"""{"texts", "label" or "score": columns that were named on the command line}."""
Classes = Mapping[str, Sequence[str]]
ABOUT_ROWS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""Files that `datasets` leaves beside rows, which are none."""


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
    if re.fullmatch(REPO_ID, found) and not is_of_rows(Path(found)):
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
    title = repo if config is None else f"{repo} ({config})"
    with TemporaryDirectory(prefix="zoo-check-") as place:
        rows = {split: HubRows(one) for split, one in splits.items()}
        yield _material(title, rows, asked, Path(place), miniature=is_miniature(repo, commit), **options)


def _material(title: str, rows: Mapping[str, RawRows], asked: Asked, place: Path, **options: Any) -> Material:
    """The rows of all splits with the columns that play a part, in files that polars reads bit by bit."""
    rows = {split: rows[split] for split in in_order(list(rows)) if len(rows[split])}
    if not rows:
        raise DataError(f"'{title}' has no rows", hint="name a dataset or a file with some")
    first = next(iter(rows.values()))
    classes = {name: list(one.names) for name, one in first.features.items() if getattr(one, "names", None)}
    roles = guessed_roles(next(iter(first.batches(first.column_names, LOOKED_AT))), classes, asked)
    frames = {
        split: _kept(split, one, roles, place / f"{number}.parquet") for number, (split, one) in enumerate(rows.items())
    }
    return Material(title, _as_roles(frames, roles, classes), roles, classes.get(roles.label or ""), **options)


def _commit(repo: str, revision: str | None) -> str:
    """The commit to read, which is there."""
    from huggingface_hub.errors import RevisionNotFoundError

    with explained(f"look up dataset '{repo}'"):
        api().auth_check(repo, repo_type="dataset")  # of a gated one `datasets` tells another Hub's address
        try:
            return str(api().dataset_info(repo, revision=revision).sha)
        except RevisionNotFoundError:
            problem = f"dataset '{repo}' has no revision '{revision}' on {endpoint()}"
            raise HubError(problem, hint="correct --revision, or leave it out") from None


def _kept(split: str, rows: RawRows, roles: Roles, path: Path) -> pl.LazyFrame:
    import polars as pl

    columns = [name for name in (*roles.texts, roles.label, roles.score) if name]
    if missing := [name for name in columns if name not in rows.column_names]:
        known = ", ".join(f"'{brief(name, 30)}'" for name in rows.column_names)
        raise DataError(f"split '{split}' has no column '{missing[0]}', as others have", hint=f"it has {known}")
    schema = next(iter(rows.batches(columns, 1))).schema
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
        what = f"has no configuration '{config}'" if config else f"has {how_many(len(names), 'configuration')}"
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
    return found


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
    with TemporaryDirectory(prefix="zoo-check-") as place:
        rows = {split: _local_rows(files, Path(place, split)) for split, files in _files_by_split(path).items()}
        yield _material(path.name, rows, asked, Path(place), **options)


def _files_by_split(path: Path) -> dict[str, list[LocalFile]]:
    inside = _inside(path) if path.is_dir() else []
    if not inside:
        return dict(local_files(Source(path=str(path.absolute())), path.parent))
    (files,) = local_files(Source(path={"train": inside}), path).values()
    found: dict[str, list[LocalFile]] = {}
    for file in files:
        words = (file.path.name, str(file.path.relative_to(path.absolute())))  # train/data-00000.arrow is train too
        found.setdefault(next(filter(None, map(split_like, words)), "train"), []).append(file)
    return found


def _inside(folder: Path) -> list[str]:
    """The files of rows in a folder; in folders in it, where it has none itself."""
    found = [
        one
        for one in sorted(folder.absolute().rglob("*"))
        if is_of_rows(one) and one.is_file() and one.name not in ABOUT_ROWS and not _hidden(one, folder)
    ]
    return [str(one) for one in [one for one in found if one.parent == folder.absolute()] or found]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part[0] in "._" for part in path.relative_to(folder.absolute()).parts)


def is_of_rows(path: Path) -> bool:
    """True for the name of a file that rows are read from, compressed or not."""
    return any(suffix in FORMS for suffix in path.suffixes)


def _local_rows(files: Sequence[LocalFile], place: Path) -> FileRows:
    wanted = [name for file in files[:1] for name in columns_in(file)]
    return FileRows([row_file(file, wanted, None, place / str(number)) for number, file in enumerate(files)], [])


def columns_in(file: LocalFile) -> list[str]:
    """The names of the columns of a file of text, from its first lines; of JSON those with plain values.

    Files that have a schema are read whole, and need none.
    """
    if file.form in ("parquet", "arrow"):
        return []
    if file.form == "json":
        return _keys(list(islice(lines_of(file), LOOKED_AT)))
    return [name for name in dict.fromkeys(table_of(file, [], None).columns) if name]


def _keys(lines: Sequence[str]) -> list[str]:
    """The keys of objects in lines of JSON; none when a line is broken, which whoever reads the rows tells better."""
    try:
        rows = [json.loads(line) for line in lines if line.strip()]
    except ValueError:
        return []
    rows = [row for row in rows if isinstance(row, dict)]
    nested = {key for row in rows for key, value in row.items() if isinstance(value, list | dict)}
    return [key for key in dict.fromkeys(key for row in rows for key in row) if key not in nested]


def _as_roles(frames: Mapping[str, pl.LazyFrame], roles: Roles, classes: Mapping[str, Any]) -> dict[str, pl.LazyFrame]:
    """The rows with texts and classes as strings and scores as floats, in the order of the roles."""
    return {split: frame.select(_columns(frame, roles, classes)) for split, frame in frames.items()}


def _columns(frame: pl.LazyFrame, roles: Roles, classes: Mapping[str, Any]) -> list[pl.Expr]:
    import polars as pl

    kept = [pl.col(text).cast(pl.String) for text in roles.texts]
    if roles.label:
        names = dict(enumerate(classes.get(roles.label) or ()))
        label = pl.col(roles.label)
        kept.append(
            label.replace_strict(names, default=None, return_dtype=pl.String) if names else label.cast(pl.String)
        )
    if roles.score:
        score = pl.col(roles.score)
        stripped = score.str.strip_chars() if frame.collect_schema()[roles.score] == pl.String else score
        kept.append(stripped.cast(pl.Float64, strict=False).fill_nan(None))
    return kept
