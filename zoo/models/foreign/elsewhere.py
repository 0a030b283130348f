"""What a model's files fetch or import from elsewhere: no consent to these files can cover that, so it is refused.

Which file can do what was read in transformers 5.23 and sentence-transformers 6.2, and tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from zoo.characters import brief
from zoo.models.foreign.asked import (
    CONFIGS,
    ELSEWHERE,
    KERNELS,
    MODULES,
    OURS,
    ROUTER,
    SETTINGS,
    mapping,
    modules_of,
    names_in,
)

Files = Mapping[str, bytes]
"""{path in a model: content} of all its code and JSON."""

GENERATION = "custom_generate"
LOADING = ("model", "tokenizer", "processor", "config")
ARGUMENTS = tuple(f"{of}_{name}" for of in LOADING for name in ("args", "kwargs"))
HARMLESS = {
    "trust_remote_code",  # sentence-transformers leaves it out
    "torch_dtype",
    "dtype",
    "attn_implementation",  # without a slash, which is looked for
    "add_pooling_layer",
    "padding_side",
}
"""Arguments of `from_pretrained` that a model's settings may have: others name files, commits or code."""
REFERENCE = "auto_map"


def fetched_code(files: Files) -> list[str]:
    """Return what these files take from elsewhere, each in words with the file that names it; mostly nothing."""
    found: dict[str, None] = {}
    for path in sorted(files):
        found |= dict.fromkeys(_of_file(path, files))
    return list(found)


def _of_file(path: str, files: Files) -> Iterator[str]:
    where = PurePosixPath(path)
    if where.parts[0] == GENERATION:
        yield f"'{path}' would be run to generate text"
    if where.suffix != ".json":
        return
    if where.name in SAYING and not _is_read(files[path]):
        yield f"'{path}' is no JSON, so that nobody can tell what it names"
    content = mapping(files.get, path)
    yield from _references(path, content, files)
    for names, look in BY_NAME.items():
        if where.name in names:
            yield from look(path, content, files)


def _is_read(content: bytes) -> bool:
    """False for what libraries, which have more room for depth, may understand although we do not."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _references(path: str, content: Any, files: Files) -> Iterator[str]:
    """Yield classes and kernels that a file names, at any depth, and that are not in this repository."""
    places = [content]
    while places:
        place = places.pop()
        if isinstance(place, dict):
            for key, value in place.items():
                if key == REFERENCE:
                    yield from (told for one in names_in(value) if (told := _class(path, one, files)))
                if KERNELS.fullmatch(str(key)):
                    yield from (
                        f"'{brief(one)}' is a compiled kernel on the Hub ({path})"
                        for one in names_in(value)
                        if "/" in one
                    )
        if isinstance(place, dict | list):
            inside = place.values() if isinstance(place, dict) else place
            places += [one for one in inside if isinstance(one, dict | list)]


def _class(path: str, reference: str, files: Files) -> str | None:
    """The reason why a class that a file names is not this repository's own; None when it is."""
    if "--" in reference:
        return f"'{brief(reference)}' is code of another repository, from its newest commit ({path})"
    module, _, _ = reference.rpartition(".")
    if f"{module}.py" not in files:
        return f"'{brief(reference)}' is in no file of the repository ({path})"
    return None


def _modules(path: str, content: Any, files: Files) -> Iterator[str]:
    """A class that is in no file of the repository is imported from whatever is installed."""
    kinds = modules_of(lambda _: files.get(path)).values()  # also below: a module may be a whole model
    yield from (told for one in kinds if not one.startswith(OURS) and (told := _class(path, one, files)))


def _router(path: str, content: Any, files: Files) -> Iterator[str]:
    is_one = path.endswith(ROUTER) or "structure" in content  # older ones have it in their config.json
    kinds = names_in(content.get("types") if is_one else None)
    yield from (told for one in kinds if not one.startswith(OURS) and (told := _class(path, one, files)))


def _other_model(path: str, content: Any, files: Files) -> Iterator[str]:
    key = ELSEWHERE[PurePosixPath(path).name]
    if other := content.get(key):
        yield f"`{key}` loads parts of '{brief(other)}', with its code ({path})"


def _arguments(path: str, content: Any, files: Files) -> Iterator[str]:
    for name in ARGUMENTS:
        given = content.get(name) or {}
        odd = [key for key in given if key not in HARMLESS] if isinstance(given, dict) else [name]
        yield from (f"`{name}` changes how files are loaded: '{brief(one)}' ({path})" for one in odd)


def _activation(path: str, content: Any, files: Files) -> Iterator[str]:
    called = content.get("activation_function")
    if isinstance(called, str) and "." in called and not called.startswith("torch.nn."):
        yield f"'{brief(called)}' would be imported from whatever is installed ({path})"


def _words(path: str, content: Any, files: Files) -> Iterator[str]:
    called = content.get("tokenizer_class")
    if called is not None and not str(called).startswith(OURS):
        yield f"'{brief(called)}' would be imported from whatever is installed ({path})"


BY_NAME: dict[tuple[str, ...], Callable[[str, Any, Files], Iterator[str]]] = {
    (MODULES,): _modules,
    (ROUTER, "config.json"): _router,
    tuple(ELSEWHERE): _other_model,
    SETTINGS: _arguments,
    ("config.json",): _activation,
    ("wordembedding_config.json",): _words,
}
"""{names of files: what looks into them for code from elsewhere}."""
SAYING = {*CONFIGS, *(name for names in BY_NAME for name in names)}
"""Names of files that can say which code is loaded."""
