# SPDX-License-Identifier: Apache-2.0
"""The first module of an embedding model whose repository brings its own model code and tokenizer.

This one file travels with the model, and needs nothing but sentence-transformers. It is stock `Transformer`, with what
goes wrong on transformers 5 put right, silently wrong as it would be otherwise:

* a tokenizer class with an `__init__` of its own is given an empty vocabulary in the place of its tokenizer.json;
* buffers that no checkpoint holds (rotary tables) are left as the memory happened to be;
* weights that a model initialises in place are initialised again over those that were loaded;
* `model.to(torch.bfloat16)` takes the imaginary part of complex buffers away;
* a tokenizer that cannot be built is reported as a missing processor, and one with parts of its own cannot be pickled.

Models that use xformers for its SwiGLU layer alone work without xformers.
"""

from __future__ import annotations

import copyreg
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.dynamic_module_utils import get_class_from_dynamic_module
from transformers.models.auto.tokenization_auto import get_tokenizer_config
from transformers.utils import cached_file

OLDEST = {"sentence-transformers": (6, 2), "transformers": (5, 23)}
"""The versions that this file was written for; older ones have other insides."""


def require_versions() -> None:
    """Raise an ImportError, in one sentence, when an installed library is older than this file."""
    for name, oldest in OLDEST.items():
        found = tuple(int(part) for part in re.findall(r"\d+", version(name))[:2])
        if found < oldest:
            wanted = ".".join(map(str, oldest))
            raise ImportError(f"this model needs {name} {wanted} or newer, not {version(name)}: pip install -U {name}")


require_versions()

try:  # after the versions were looked at, so that older libraries are told from missing ones
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers.initialization import no_init_weights
except ImportError as problem:
    raise ImportError(f"this model does not know these sentence-transformers and transformers: {problem}") from problem

STAND_IN = "zoo_encoder.py"  # the origin of the modules that stand in for xformers
OF_CODE = ("AutoConfig", "AutoModel", "AutoTokenizer")
"""The classes of others that a saved model consists of: heads of another training are not among its weights."""
OF_LOADING = ("is_local", "local_files_only", "trust_remote_code", "cache_dir", "subfolder", "token")
"""Words of one loading that transformers writes down as if they were settings of a tokenizer."""
OF_THE_FILE = ("vocab", "vocab_file", "merges", "merges_file", "tokenizer_file", "tokenizer_object", "name_or_path")
"""What a tokenizer is made of: it stands in tokenizer.json."""


class Encoder(Transformer):  # type: ignore[misc]
    """A transformers model with its tokenizer, exactly as their files say, that computes vectors of tokens."""

    def __init__(self, model_name_or_path: str, **settings: Any) -> None:
        """Load model and tokenizer; takes what `Transformer` takes.

        Raises:
            ImportError: a package that the model's code imports is not installed.
            ValueError: the tokenizer is not the one that its tokenizer.json says.
        """
        tokens = dict(settings.get("processor_kwargs") or {})
        try:
            super().__init__(model_name_or_path, **settings)
        except ImportError as error:
            if not stand_in_helps(str(error)):
                raise
            stand_in_for_xformers()
            self.__init__(model_name_or_path, **settings)  # type: ignore[misc]
            return
        except ValueError:
            raise_own_reason(model_name_or_path, tokens)
            raise
        weights = dict(settings.get("model_kwargs") or {})
        with torch.no_grad():
            restore_weights(self.model, stored_weights(model_name_or_path, where(weights)))
            restore_buffers(self.model)
        self.processor: Any = restored(self.processor, model_name_or_path, tokens)
        self.input_formatter.processor = self.processor

    def save(self, output_path: str, *arguments: Any, **settings: Any) -> None:
        """Write model, tokenizer and code into a folder, complete in itself, the same bytes wherever it was loaded."""
        if backend := getattr(self.processor, "backend_tokenizer", None):  # it is saved with how it padded last
            backend.no_padding()
            backend.no_truncation()
        super().save(output_path, *arguments, **settings)
        tidy(Path(output_path))

    def _apply(self, change: Callable[[Tensor], Tensor], recurse: bool = True) -> Encoder:
        """Move or cast all parameters and buffers, complex ones without losing their imaginary part."""
        complex_ones = {name: one for name, one in self.named_buffers() if one.is_complex()}
        for name in complex_ones:
            put(self, name, None)
        try:
            super()._apply(change, recurse)
        finally:
            device = next(self.parameters()).device
            for name, one in complex_ones.items():
                put(self, name, one.to(device))
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle so that the stand-in for xformers is there before the classes of the model are looked up."""
        return unpickled, (type(self), stands_in()), self.__getstate__()


def unpickled(kind: type[Encoder], without_xformers: bool) -> Encoder:
    """Return an encoder without content, which pickle fills."""
    if without_xformers and stand_in_helps("xformers"):
        stand_in_for_xformers()
    return kind.__new__(kind)


# xformers


class SwiGLU(nn.Module):
    """The layer of xformers, with the same parameters, in plain torch."""

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        out_features: int | None = None,
        bias: bool = True,
        *,
        _pack_weights: bool = True,
    ) -> None:
        """Make the layer; packed weights are the first two of its three matrices in one."""
        super().__init__()
        out = out_features or in_features
        self.packed = _pack_weights
        if _pack_weights:
            self.w12 = nn.Linear(in_features, 2 * hidden_features, bias=bias)
        else:
            self.w1 = nn.Linear(in_features, hidden_features, bias=bias)
            self.w2 = nn.Linear(in_features, hidden_features, bias=bias)
        self.w3 = nn.Linear(hidden_features, out, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return silu(x w1) * (x w2), times w3."""
        gate, value = self.w12(x).chunk(2, dim=-1) if self.packed else (self.w1(x), self.w2(x))
        found: Tensor = self.w3(nn.functional.silu(gate) * value)
        return found


def stands_in() -> bool:
    """Return True when what is imported as xformers is the stand-in."""
    spec = getattr(sys.modules.get("xformers"), "__spec__", None)
    return spec is not None and spec.origin == STAND_IN


def stand_in_helps(problem: str) -> bool:
    """Return True when xformers is what an error speaks of, and it is not there."""
    if "xformers" not in problem or sys.modules.get("xformers"):
        return False
    try:
        return find_spec("xformers") is None
    except (ImportError, ValueError):  # somebody keeps it out
        return True


def stand_in_for_xformers() -> None:
    """Let `from xformers.ops import SwiGLU` find the layer of this file, in this process."""
    package, ops = ModuleType("xformers"), ModuleType("xformers.ops")
    package.__spec__ = ModuleSpec("xformers", None, origin=STAND_IN, is_package=True)
    ops.__spec__ = ModuleSpec("xformers.ops", None, origin=STAND_IN)
    package.__path__ = []
    vars(package)["ops"], vars(ops)["SwiGLU"], vars(ops)["__getattr__"] = ops, SwiGLU, not_here
    sys.modules.update({"xformers": package, "xformers.ops": ops})


def not_here(name: str) -> Any:
    """Raise the error for a part of xformers that nothing stands in for."""
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(f"this model needs '{name}' of xformers, which is not installed: pip install xformers")


# Weights and buffers


def where(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that say where files are, as `cached_file` takes them."""
    names = ("subfolder", "token", "cache_dir", "revision", "local_files_only")
    return {name: settings[name] for name in names if settings.get(name) is not None}


def stored_weights(place: str, at: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of a model's safetensors files by its name there; nothing where it has no such files."""
    missing = {"_raise_exceptions_for_missing_entries": False}
    whole = cached_file(place, "model.safetensors", **at, **missing)
    index = None if whole else cached_file(place, "model.safetensors.index.json", **at, **missing)
    parts = sorted(set(json.loads(Path(index).read_text("utf-8"))["weight_map"].values())) if index else []
    for path in [whole] if whole else [cached_file(place, part, **at) for part in parts]:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dictionary
                yield name, file.get_tensor(name)


def restore_weights(model: nn.Module, stored: Iterator[tuple[str, Tensor]]) -> None:
    """Put back, in place, weights that were made up at random after they had been loaded."""
    before = f"{getattr(model, 'base_model_prefix', '')}."
    here = model.state_dict()
    for name, value in stored:
        found = here.get(name, here.get(name.removeprefix(before)))
        if found is None or found.shape != value.shape or found.is_meta:
            continue
        wanted = value.to(found.device, found.dtype)
        if not torch.equal(found, wanted):
            found.copy_(wanted)


def restore_buffers(model: nn.Module) -> None:
    """Compute buffers again that no checkpoint holds, as the model's class does when it is made.

    A class of transformers' own has done that.
    """
    kept = model.state_dict().keys()
    lost = {name: buffer for name, buffer in model.named_buffers() if name not in kept}
    if not lost or not is_brought(model):
        return
    with no_init_weights():
        fresh = dict(type(model)(model.config).named_buffers())
    for name, buffer in lost.items():
        if name in fresh:
            kind = fresh[name].dtype if fresh[name].is_complex() else buffer.dtype
            put(model, name, fresh[name].to(buffer.device, kind))


def is_brought(made: object) -> bool:
    """Return True for an object whose class a model's own files define."""
    return type(made).__module__.startswith("transformers_modules.")


def put(model: nn.Module, name: str, value: Tensor | None) -> None:
    """Set a buffer, named as `named_buffers` does."""
    path, _, key = name.rpartition(".")
    setattr(model.get_submodule(path), key, value)


# The tokenizer


def restored(tokenizer: Any, place: str, settings: Mapping[str, Any]) -> Any:
    """Return a tokenizer of the same class and settings with the model of its tokenizer.json.

    One that is as its file says, and one of a library's own class, is returned as it is.

    Raises:
        ValueError: its class cannot be made from the file.
    """
    kind = type(tokenizer)
    if not is_brought(tokenizer) or not hasattr(tokenizer, "backend_tokenizer"):
        return tokenizer
    copyreg.pickle(kind, reduced)
    missing = {"_raise_exceptions_for_missing_entries": False}
    file = cached_file(place, "tokenizer.json", **where(settings), **missing)
    if file is None or is_of(tokenizer, file):
        return tokenizer
    given = {name: value for name, value in settings.items() if name != "trust_remote_code"}
    # only a class without an __init__ of its own is given the file
    plain: Any = type(kind.__name__, (kind,), {"__module__": kind.__module__})
    found = plain.from_pretrained(place, **given)
    found.__class__ = kind
    found.model_max_length = tokenizer.model_max_length
    if not is_of(found, file):
        raise ValueError(f"the tokenizer of '{place}' is not the one that its tokenizer.json says")
    return found


def is_of(tokenizer: Any, file: str) -> bool:
    """Return True when a tokenizer divides words by the vocabulary and the rules that a tokenizer.json holds."""
    return bool(model_of(tokenizer.backend_tokenizer) == model_of(Tokenizer.from_file(file)))


def model_of(backend: Any) -> Any:
    """Return the vocabulary and the rules of a tokenizer."""
    return json.loads(backend.to_str())["model"]


def raise_own_reason(place: str, settings: Mapping[str, Any]) -> None:
    """Build a tokenizer of a repository's own class alone, so that it raises what AutoProcessor keeps to itself."""
    at = where(settings)
    auto_map = get_tokenizer_config(place, **at).get("auto_map")
    names = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else auto_map
    wanted = [name for name in ([names] if isinstance(names, str) else names or []) if name]
    if wanted and settings.get("trust_remote_code"):
        get_class_from_dynamic_module(wanted[-1], place, **at).from_pretrained(place, **at)


def made_again(kind: type[PreTrainedTokenizerBase], backend: str, settings: Mapping[str, Any]) -> Any:
    """Return a tokenizer of a class with this backend, as JSON, and these settings."""
    copyreg.pickle(kind, reduced)
    return kind(tokenizer_object=Tokenizer.from_str(backend), **settings)


def reduced(tokenizer: Any) -> Any:
    """Return what pickle and deepcopy need of a tokenizer with parts of its own that they cannot take."""
    settings = {name: value for name, value in tokenizer.init_kwargs.items() if name not in OF_THE_FILE}
    settings |= {"model_max_length": tokenizer.model_max_length, "padding_side": tokenizer.padding_side}
    return made_again, (type(tokenizer), tokenizer.backend_tokenizer.to_str(), settings)


# Saving


def tidy(folder: Path) -> None:
    """Take out of a saved model what names classes that are not in it, or belongs to the machine that saved it."""
    change(folder / "config.json", with_short_auto_map)
    change(folder / "tokenizer_config.json", without_loading)


def change(file: Path, by: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write a JSON file anew, if there is one."""
    if file.is_file():
        content = by(json.loads(file.read_text("utf-8")))
        file.write_text(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")


def with_short_auto_map(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config that names only classes which the folder has, without the place it was loaded from."""
    config = {name: value for name, value in config.items() if name != "_name_or_path"}
    if isinstance(config.get("auto_map"), dict):
        config["auto_map"] = {name: own for name, own in config["auto_map"].items() if name in OF_CODE}
    return config


def without_loading(config: dict[str, Any]) -> dict[str, Any]:
    """Return a tokenizer's settings without those of one loading, and without what stands in tokenizer.json."""
    return {name: value for name, value in config.items() if name not in (*OF_LOADING, *OF_THE_FILE)}
