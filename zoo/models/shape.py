"""What a model's small files say of it before its weights are fetched: how wide it is, and how it pools. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from zoo.errors import EvaluationError, TrainError, ZooError
from zoo.models.foreign.asked import Read, kind_of_error, mapping, modules_of, reader, way_to_safetensors
from zoo.models.foreign.consent import refuse_foreign_code
from zoo.models.identity import ModelSource
from zoo.modules import MODULES as MODULES_BEHIND
from zoo.modules import POOLINGS
from zoo.registry import OURS
from zoo.remote import api, explained

CONFIG, OF_LIBRARY, MODULES = "config.json", "config_sentence_transformers.json", "modules.json"
HIDDEN = ("hidden_size", "d_model", "dim", "n_embd", "emb_dim")
"""What transformers writes of how wide a token's vector is, in config.json, by the type of the model."""
WIDTHS = ("out_features", "embedding_dimension", "word_embedding_dimension")
"""What sentence-transformers writes of how wide a module's output is, in the modules' config.json."""
POOLS = ".Pooling"
POINTER = b"version https://git-lfs"
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
        HubError: the Hub does not answer, and the files were never fetched. EvaluationError: a folder without a model,
            or with pointers in place of large files.
    """
    read = reader(source.place, source.revision)
    if source.in_folder:
        refuse_pointers(source)
    with explained(f"load model '{source.place}'"):
        config, modules = mapping(read, CONFIG), modules_of(read)
        if not config and not modules:
            _require_there(source)
    settings = mapping(read, OF_LIBRARY)
    bare = source.pooling is None and config and not (modules and _pools(settings))
    return Shape(width_of(read, source), _caution(config, settings) if bare else None)


def width_of(read: Read, source: ModelSource) -> int | None:
    """The width of a model's vectors; None where its small files do not say it plainly.

    Args:
        read: gives the model's files, wherever they are.
        source: what is laid over them.
    """
    config = mapping(read, CONFIG)
    texts = config.get("text_config")
    hidden = number_in({**config, **(texts if isinstance(texts, dict) else {})}, HIDDEN)
    if source.pooling is not None:
        return _laid_over(source, hidden)
    modules, settings = modules_of(read), mapping(read, OF_LIBRARY)
    if not modules or not _pools(settings):
        return hidden
    return None if settings.get("truncate_dim") else _width(read, modules)


def number_in(config: Mapping[str, Any], names: Sequence[str]) -> int | None:
    """The first whole number among what a configuration has under these names; None where there is none."""
    found = (config.get(name) for name in names)
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool)), None)


def _pools(settings: Mapping[str, Any]) -> bool:
    """True when a model with modules, of these settings, gives one vector for each text."""
    return bool(settings.get("model_type", "SentenceTransformer") == "SentenceTransformer")


def _laid_over(source: ModelSource, width: int | None) -> int | None:
    """The width behind a recipe's pooling and modules; None behind a plugin's that does not say it."""
    for registry, spec in [(POOLINGS, source.pooling), *((MODULES_BEHIND, one) for one in source.modules)]:
        name, options = (spec, {}) if isinstance(spec, str) else (spec["type"], spec)
        width = options.get("out", width if registry.origin(name) == OURS else None)
    return width


def _require_there(source: ModelSource) -> None:
    """Tell a Hub that does not answer from a repository without these files, and refuse a folder without them."""
    if source.revision is not None:
        api().model_info(source.place, revision=source.revision)
    elif source.in_folder:
        hint = "a folder that sentence-transformers or transformers saved has one of them"
        raise kind_of_error(source.kind)(f"'{source.place}' has neither {MODULES} nor {CONFIG}", hint=hint)


def refuse_pointers(source: ModelSource) -> None:
    """Refuse a model whose folder is not there, or in which pointers of Git LFS stand in place of its large files.

    Raises:
        TrainError, EvaluationError: so it is.
    """
    folder = Path(source.place)
    if not folder.is_dir():
        hint = "every machine that works for this recipe needs it in the same place"
        raise kind_of_error(source.kind)(f"there is no folder '{folder}'", hint=hint)
    small = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size < 1024)
    if found := next((path for path in small if path.read_bytes().startswith(POINTER)), None):
        problem = f"'{found}' is a pointer of Git LFS: the file itself was not fetched"
        raise kind_of_error(source.kind)(problem, hint=f"git -C {quote(str(folder))} lfs pull")


def _width(read: Read, modules: dict[str, str]) -> int | None:
    """The width after the last module that says one; None when a module is of a kind whose width is not plain."""
    width = None
    for folder, kind in modules.items():
        config = mapping(read, f"{folder}/{CONFIG}" if folder else CONFIG)
        said = number_in(config, WIDTHS)
        if kind.endswith(POOLS):
            width = said and said * _ways(config)
        elif said is not None:
            width = said
        elif not kind.endswith(KEEPS_WIDTH):
            return None
    return width


def _ways(config: Mapping[str, Any]) -> int:
    """The number of ways in which a pooling makes a vector, one beside the other, as any version wrote them."""
    modes = config.get("pooling_mode", [name for name in config if name.startswith("pooling_mode_") and config[name]])
    return len(modes) if isinstance(modes, list) and modes else 1


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


def refuse_unfit(source: ModelSource, dims: Sequence[int] = (), *, title: str = "") -> Shape:
    """Refuse what small files show: code of others, another width than the recipe's, sizes beyond the width.

    Args:
        dims: sizes that are asked for.
        title: what people call the model; empty = its place.

    Raises:
        TrainError, EvaluationError: it cannot be used so. HubError: it cannot be asked.
    """
    if source.remote_code:  # that a commit is gone is told with the way to another consent
        refuse_foreign_code(source)
    shape = shape_of(source)
    if not source.remote_code:
        refuse_foreign_code(source)
    if shape.width is not None:
        if source.width is not None and source.width != shape.width:
            raise other_width(source, shape.width)
        if wide := [dim for dim in dims if dim > shape.width]:
            raise too_wide(title or source.place, wide[0], shape.width)
    return shape


def require_safetensors(source: ModelSource) -> None:
    """Refuse a model of the Hub that has no safetensors: a pickle can run code when it is loaded.

    Raises:
        TrainError, EvaluationError: it has none. HubError: it cannot be asked.
    """
    with explained(f"load model '{source.place}'"):
        files = api().list_repo_files(source.place, revision=source.revision)
    if not any(file.endswith(".safetensors") for file in files):
        problem = f"model '{source.place}' has no weights as safetensors, and others can run code when they are loaded"
        raise kind_of_error(source.kind)(problem, hint=way_to_safetensors(source))


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
