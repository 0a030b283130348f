"""What a model's small files say of it before its weights are fetched: how wide it is, and how it pools. No torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from zoo.errors import EvaluationError, TrainError, ZooError
from zoo.models.foreign import MODULES, Read, mapping, modules_of, reader, refuse_foreign_code
from zoo.models.identity import ModelSource
from zoo.remote import api, explained

CONFIG, OF_LIBRARY = "config.json", "config_sentence_transformers.json"
WIDTHS = ("hidden_size", "d_model", "dim", "n_embd")
"""The names that models of transformers have for the width of their tokens' vectors, in config.json."""
OUTPUTS = ("out_features", "embedding_dimension", "word_embedding_dimension")
"""The names that modules of sentence-transformers have for the width of what comes out, in config.json of each."""
POOLS = ".Pooling"
KEEPS_WIDTH = (".Normalize", ".Dropout", ".LayerNorm", ".Transformer")


@dataclass(frozen=True)
class Shape:
    """The width of a model's vectors, and a caution for readers of its scores.

    The width is None when the files do not say it plainly, the caution when the model is loaded as its files say.
    """

    width: int | None
    caution: str | None = None


def shape_of(source: ModelSource) -> Shape:
    """The shape of the model that a source describes. Only small files are read.

    Raises:
        HubError: the Hub does not answer, and the files were never fetched. EvaluationError: a folder without a model.
    """
    read = reader(source.place, source.revision)
    with explained(f"load model '{source.place}'"):
        config = mapping(read, CONFIG)
        if not config and not modules_of(read):
            _require_there(source)
    as_saved = source.pooling is not None or _saved_modules(read) or not config
    return Shape(vector_width(source, read), None if as_saved else _caution(config, mapping(read, OF_LIBRARY)))


def vector_width(source: ModelSource, read: Read) -> int | None:
    """The width of the vectors of the model that a source describes; None when its files do not say it plainly."""
    config = mapping(read, CONFIG)
    inner = config.get("text_config")
    width = first_number({**config, **(inner if isinstance(inner, dict) else {})}, WIDTHS)
    if source.pooling is not None:
        other = source.plugins or any("out" in one for one in source.modules if isinstance(one, dict))
        return None if other else width
    if mapping(read, OF_LIBRARY).get("truncate_dim"):
        return None
    for folder, kind in _saved_modules(read).items():
        width = _behind(kind, mapping(read, str(PurePosixPath(folder, CONFIG))), width)
    return width


def _saved_modules(read: Read) -> dict[str, str]:
    """{folder of a module: its class} of a model that was saved as an encoder; empty for any other."""
    kind = mapping(read, OF_LIBRARY).get("model_type", "SentenceTransformer")
    return modules_of(read) if kind == "SentenceTransformer" else {}


def _require_there(source: ModelSource) -> None:
    """Tell a Hub that does not answer from a repository without these files, and refuse a folder without them."""
    if source.revision is not None:
        api().model_info(source.place, revision=source.revision)
    elif source.kind == "folder":
        hint = "a folder that sentence-transformers or transformers saved has one of them"
        raise EvaluationError(f"'{source.place}' has neither {MODULES} nor {CONFIG}", hint=hint)


def _behind(kind: str, config: Mapping[str, Any], width: int | None) -> int | None:
    """The width behind a module whose input is `width` wide; None when it is of a kind whose width is not plain."""
    said = first_number(config, OUTPUTS)
    if kind.endswith(POOLS):
        each = said or width
        return each and each * _ways(config)
    return said or (width if kind.endswith(KEEPS_WIDTH) else None)


def _ways(config: Mapping[str, Any]) -> int:
    """The number of vectors that a pooling puts beside each other, as today's or an earlier version wrote it."""
    ways = config.get("pooling_mode") or [name for name in config if name.startswith("pooling_mode_") and config[name]]
    return len(ways) if ways and not isinstance(ways, str) else 1


def first_number(found: Mapping[str, Any], keys: Collection[str]) -> int | None:
    """The first whole number that a file's object has under one of these keys; None when it has none."""
    numbers = (found.get(key) for key in keys)
    return next((number for number in numbers if isinstance(number, int) and not isinstance(number, bool)), None)


def _caution(config: dict[str, Any], settings: dict[str, Any]) -> str:
    """Words for how sentence-transformers makes an encoder of what was not saved as one."""
    names = [str(name) for name in config.get("architectures") or []]
    pooling = "last token" if any(name.endswith("ForCausalLM") for name in names) else "mean"
    built = f"measured with {pooling} pooling, which its repository does not name"
    if settings.get("model_type") == "CrossEncoder" or any(
        name.endswith("ForSequenceClassification") for name in names
    ):
        return f"scores pairs of texts and is no encoder (CrossEncoder): {built}"
    return f"has no {MODULES}: {built}"


def refuse_unfit(source: ModelSource, dims: Sequence[int] = ()) -> Shape:
    """Refuse what small files show: code of others, another width than the recipe's, sizes beyond the width.

    Args:
        dims: sizes that are asked for.

    Raises:
        TrainError, EvaluationError: it cannot be used so. HubError: it cannot be asked.
    """
    shape = shape_of(source)
    refuse_foreign_code(source)
    if shape.width is not None:
        if source.width is not None and source.width != shape.width:
            raise other_width(source, shape.width)
        if wide := [dim for dim in dims if dim > shape.width]:
            raise too_wide(source.place, wide[0], shape.width)
    return shape


def other_width(source: ModelSource, width: int) -> ZooError:
    """The error for a model whose vectors are `width` numbers wide, another number than its source says."""
    problem = f"model '{source.place}' is {width} wide, its recipe says '{source.width}'"
    if source.kind == "base":
        return TrainError(problem, hint=f"set base.width: {width}, and dims no wider")
    return EvaluationError(problem, hint="it was changed after training: zoo build it again with --force train")


def too_wide(title: str, dim: int, most: int) -> EvaluationError:
    """The error for a size that is asked for and that a model of width `most` does not have."""
    hint = f"at most {most}: --dims {most} for `zoo eval`, NAME@{most} for `zoo compare` and `zoo errors`"
    return EvaluationError(f"dim '{dim}' is wider than '{title}' ({most})", hint=hint)
