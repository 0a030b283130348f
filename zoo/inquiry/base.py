"""A base model's small files against its recipe: width, length, modules, tokenizer, weights, prompts, code."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from zoo.errors import TrainError
from zoo.inquiry.answers import Answers, Inquiry
from zoo.models.foreign.asked import Read, code_told, foreign_code, mapping, reader, way_to_load, way_to_safetensors
from zoo.models.foreign.consent import refuse_foreign_code
from zoo.models.identity import ModelSource, base_source
from zoo.models.shape import CONFIG, MODULES, OF_LIBRARY, number_in, width_of
from zoo.recipe.schema import Base
from zoo.remote import api, endpoint, explained

TOKENIZERS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
)
LENGTHS = ("max_position_embeddings", "n_positions")
FROM_PADDING = ("camembert", "longformer", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl")
"""Types of models that count positions from the padding's id on, so that two of them are never used."""
SAVE_AGAIN = "save it there with sentence-transformers or transformers: save_pretrained"
RELATIVE = ("mt5", "t5", "umt5")
"""Types of models for which a number of positions is no limit."""


def ask_base(base: Base) -> Inquiry:
    """Compare what a recipe says of its base model with the repository.

    Raises:
        HubError: there is none, it is not open to this token, or it has no such revision.
    """
    if base.remote_code:
        try:
            refuse_foreign_code(base_source(base, base.remote_code.revision))
        except TrainError as refused:
            return Inquiry([(("base", "remote_code"), f"{refused.message}; {refused.hint}")])
    with explained(f"look up model '{base.model}'"):
        return small_files_told(base, *there(base.model, base.commit))


def ask_origin(base: Base) -> Inquiry:
    """Ask whether the model on the Hub is there of which a folder is said to be made.

    Raises:
        HubError: it is not, or it is not open to this token.
    """
    with explained(f"look up model '{base.origin}'"):
        api().model_info(str(base.origin))
    return Inquiry()


def there(model: str, revision: str | None) -> tuple[set[str], Read]:
    """The names of a repository's files, and what reads the small ones among them. What fails is huggingface_hub's."""
    info = api().model_info(model, revision=revision)
    files = {one.rfilename for one in info.siblings or ()}
    return files, _among(files, reader(model, info.sha))


def small_files_told(base: Base, files: Collection[str], read: Read) -> Inquiry:
    """Compare what a recipe says of its base model with the small files of a repository, which has these `files`."""
    width = width_of(read, _source(base))
    return Inquiry([*_mistakes(base, files, read, width)], [*_doubts(base, files, read)])


def _source(base: Base) -> ModelSource:
    """The base model under the name that its recipe has for it."""
    return base_source(base, base.revision or "").model_copy(update={"place": base.model})


def _among(files: Collection[str], read: Read) -> Read:
    return lambda path: read(path) if path in files else None


def _mistakes(base: Base, files: Collection[str], read: Read, width: int | None) -> Answers:
    config = mapping(read, CONFIG)
    for told in unloadable(_source(base), files, read):
        yield ("base", "model"), told
    if base.pooling is None and MODULES not in files:
        yield ("base", "pooling"), f"missing, and '{base.model}' brings no modules.json; write pooling: mean"
    yield from _numbers(base, config, width)


def unloadable(source: ModelSource, files: Collection[str], read: Read) -> Iterator[str]:
    """Sentences on why a model cannot be loaded, told by its small files: its code, weights and tokenizer."""
    name = source.place
    if not mapping(read, CONFIG).get("model_type"):
        way = SAVE_AGAIN if source.in_folder else "choose a model of transformers"
        yield f"'{name}' has no config.json that says what it is; {way}"
    code = foreign_code(read, whole=source.pooling is None) if source.remote_code is None else []
    if code:
        yield f"'{name}' {code_told(code)}; {way_to_load(source, code)}"
    if not any(path.endswith(".safetensors") for path in files):
        yield f"'{name}' has no weights as safetensors; {way_to_safetensors(source)}"
    if not any(PurePosixPath(path).name in TOKENIZERS for path in files):
        way = "save its tokenizer there: save_pretrained" if source.in_folder else "choose a model that brings one"
        yield f"'{name}' has no tokenizer; {way}"


def _numbers(base: Base, config: Mapping[str, Any], width: int | None) -> Answers:
    if width is not None and width != base.width:
        yield ("base", "width"), f"'{base.width}', and '{base.model}' is {width} wide; write width: {width}"
    longest = positions_of(config)
    if longest is not None and base.max_seq_length > longest:
        what = f"'{base.max_seq_length}', and '{base.model}' has {longest} positions"
        yield ("base", "max_seq_length"), f"{what}; write max_seq_length: {longest}"


def positions_of(config: Mapping[str, Any]) -> int | None:
    kind = config.get("model_type")
    positions = None if kind in RELATIVE else number_in(config, LENGTHS)
    return positions and positions - (2 if kind in FROM_PADDING else 0)


def _doubts(base: Base, files: Collection[str], read: Read) -> Answers:
    if base.pooling is not None and MODULES in files:
        what = f"takes the place of the modules that '{base.model}' brings"
        place = f"{base.model}/{MODULES}" if base.in_folder else f"{endpoint()}/{base.model}/blob/main/{MODULES}"
        yield ("base", "pooling"), f"{what}; leave it out for those: {place}"
    theirs = mapping(read, OF_LIBRARY)
    prompts = theirs.get("prompts")
    pairs = prompts.items() if isinstance(prompts, dict) else ()
    brought = {name: text for name, text in pairs if text and isinstance(text, str)}
    for name, text in brought.items():
        if text not in base.prompts.values():
            what = f"the prompt '{name}' of '{base.model}' is not kept: {json.dumps(text, ensure_ascii=False)}"
            yield ("base", "prompts"), f"{what}; write it there"
    default = theirs.get("default_prompt_name")
    if isinstance(default, str) and default in brought and base.default_prompt is None:
        what = f"'{base.model}' has the default prompt '{default}', and the recipe none"
        yield ("base", "default_prompt"), f"{what}; write default_prompt: {default}"
