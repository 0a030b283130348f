"""A base model, looked at before there is a recipe: width, pooling, prompts, length, as its small files say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from os.path import relpath
from pathlib import Path
from typing import Any

from zoo.errors import RecipeError
from zoo.hub.frontmatter import BrokenYaml, load_yaml
from zoo.hub.vocabulary import LICENSES
from zoo.inquiry.base import positions_of, there, unloadable
from zoo.models.foreign.asked import Read, foreign_code, mapping, modules_of, reader
from zoo.models.identity import ModelSource
from zoo.models.shape import CONFIG, MODULES, OF_LIBRARY, width_of
from zoo.remote import explained

LONGEST = 512
"""Tokens, where a model's files say no length."""
LENGTHS = (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"))
"""Files that say how long texts may be, and their keys."""
FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n---", re.DOTALL)
TOKENIZERS = {"roberta": "bpe", "xlm-roberta": "unigram"}
"""{type of a model: the family of its tokenizer}, where it is not wordpiece."""


@dataclass(frozen=True)
class BaseFacts:
    """The facts that a base model says of itself."""

    model: str
    """Its id, or the path of its folder."""
    width: int
    length: int
    pooling: str | None
    """mean for a plain transformers model; null = it brings its own modules."""
    folder: Path | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt: str | None = None
    license: str | None = None
    needs_consent: bool = False
    """True when it brings code of its own."""
    modules: tuple[str, ...] = ()
    """The classes of its own modules, without their packages."""
    kind: str = "bert"
    """What transformers calls its architecture."""

    def written(self, root: Path) -> str:
        """The model as a recipe of the lab in `root` has it: an id, or a path from there."""
        if self.folder is None:
            return self.model
        path = Path(relpath(self.folder, root.resolve())).as_posix()
        return path if path.startswith("../") else f"./{path}"

    @property
    def miniature(self) -> dict[str, Any]:
        """The stand-in of it on a local Hub; empty for the usual one, and for a folder, which needs none."""
        if self.folder is not None:
            return {}
        pooling = "cls" if "Pooling:cls" in self.modules else "mean"
        names = {"Pooling:cls": pooling, "Pooling:mean": pooling, "Dense": "dense", "Normalize": "normalize"}
        modules = [names[one] for one in self.modules if one in names]
        kind = {"architecture": self.kind, "tokenizer": TOKENIZERS[self.kind]} if self.kind in TOKENIZERS else {}
        return {**kind, **({"modules": modules} if modules else {})}


def look_at_base(base: str) -> BaseFacts:
    """Look at the small files of a model, in a folder or on the Hub. No weights are fetched.

    Args:
        base: a folder's path from the current folder, or an id.

    Raises:
        HubError: no such model, or it is not open to this token. RecipeError: it cannot be a base.
    """
    folder = Path(base).expanduser()
    if folder.is_dir():
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        source = ModelSource(kind="folder", place=str(folder), weights="")
        return _facts(base, folder.resolve(), source, files, reader(str(folder)))
    if folder.is_file():
        raise RecipeError(
            f"'{base}' is a file; a base model is a folder of them", hint="name the folder that it lies in"
        )
    if base.startswith((".", "/", "~")) or base.count("/") > 1:
        raise RecipeError(f"no folder '{base}'", hint="correct the path, or name a model of the Hub: owner/name")
    with explained(f"look up model '{base}'"):
        files, read = there(base, None)
        return _facts(base, None, ModelSource(kind="base", place=base, weights=""), files, read)


def _facts(base: str, folder: Path | None, source: ModelSource, files: set[str], read: Read) -> BaseFacts:
    code = foreign_code(read)
    if folder is None and code:
        source = source.model_copy(update={"kind": "hub"})
    for told in () if folder is None and code else unloadable(source, files, read):
        problem, _, hint = told.partition("; ")
        raise RecipeError(problem, hint=hint or None)
    width = width_of(read, source)
    if width is None:
        raise RecipeError(f"'{base}' does not say how wide its embeddings are", hint="choose another base model")
    settings, config, card = mapping(read, OF_LIBRARY), mapping(read, CONFIG), _card(read)
    prompts = {name: text for name, text in _pairs(settings.get("prompts")) if isinstance(text, str) and text}
    default = settings.get("default_prompt_name")
    licence = card.get("license")
    return BaseFacts(
        base,
        width,
        _length(read, config),
        None if MODULES in files else "mean",
        folder,
        prompts,
        default if default in prompts else None,
        licence if licence in LICENSES else None,
        bool(code),
        tuple(_modules(read)),
        str(config.get("model_type")),
    )


def _length(read: Read, config: Mapping[str, Any]) -> int:
    said = [mapping(read, file).get(key) for file, key in LENGTHS]
    known = [one for one in (*said, positions_of(config)) if isinstance(one, int) and 2 < one < 1_000_000]
    return min(known, default=LONGEST)


def _modules(read: Read) -> list[str]:
    """The classes of a model's modules; of a pooling, also how it pools."""
    found = []
    for folder, kind in modules_of(read).items():
        name = kind.rpartition(".")[2]
        settings = mapping(read, f"{folder}/config.json") if name == "Pooling" else {}
        first = settings.get("pooling_mode_cls_token") or settings.get("pooling_mode") == "cls"
        found.append(f"{name}:{'cls' if first else 'mean'}" if name == "Pooling" else name)
    return found


def _card(read: Read) -> dict[str, Any]:
    """The metadata of a model's card; empty where there is none that can be read."""
    found = FRONT_MATTER.match((read("README.md") or b"").decode("utf-8", "replace"))
    with suppress(BrokenYaml):
        data = load_yaml(found[1]).data if found else None
        return data if isinstance(data, dict) else {}
    return {}


def _pairs(found: Any) -> Any:
    return found.items() if isinstance(found, dict) else ()
