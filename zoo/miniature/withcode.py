"""Stand-ins for models that bring code of their own: classes from `bundles/`, weights that fit them, a tokenizer.

Nothing here runs that code: who rehearses with a stand-in consents to it, as to the real one's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.miniature import vocabularies
from zoo.miniature.lexicon import Language
from zoo.miniature.vocabularies import MAX_LENGTH, TokenizerFamily

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent / "bundles"
LAYERS, FEED_FORWARD = 2, 512
SPREAD = 0.02
"""Standard deviation of the weights."""
Shapes = Iterator[tuple[str, tuple[int, ...]]]
"""Names and shapes of the parameters, those of one number per feature being scales."""


@dataclass(frozen=True)
class Bundle:
    """An architecture whose code stands in `bundles/`, in a folder of its name.

    To add one: such a folder, a row in BUNDLES, and its name in `zoo.recipe.schema.Architecture`.
    """

    model_type: str
    auto_map: Mapping[str, str]
    shapes: Callable[[Mapping[str, Any]], Shapes]
    """Gives the parameters for a config."""
    reads_with_code: bool = False
    """True: its tokenizer is code too, over WordPieces; False: it is one of transformers' own."""


def files_with_code(
    name: str, tokenizer: TokenizerFamily, *, width: int, heads: int, language: Language, seed: int
) -> dict[str, bytes]:
    """The files of such a repository but its card; weights are drawn from torch's random numbers.

    Args:
        name: of the architecture, among BUNDLES.
    """
    bundle = BUNDLES[name]
    if bundle.reads_with_code:
        vocabulary = vocabularies.marked_vocabulary(seed=seed)
        words, size = _tokenizer_with_code(vocabulary), len(vocabulary)
    else:
        words, size = _ordinary(tokenizer, language, seed)
    config = _config(bundle, size, width, heads)
    return {**_code(name), **words, "config.json": _json(config), "model.safetensors": _weights(bundle, config)}


def _code(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((FOLDER / name).glob("*.py")) if path.stem != "__init__"}


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _config(bundle: Bundle, vocabulary: int, width: int, heads: int) -> dict[str, Any]:
    return {
        "architectures": [bundle.auto_map["AutoModelForMaskedLM"].split(".")[1]],
        "auto_map": dict(bundle.auto_map),
        "dtype": "float32",
        "hidden_size": width,
        "intermediate_size": FEED_FORWARD,
        "max_position_embeddings": MAX_LENGTH,
        "model_type": bundle.model_type,
        "num_attention_heads": heads,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "vocab_size": vocabulary,
    }


# Tokenizers


def _ordinary(family: TokenizerFamily, language: Language, seed: int) -> tuple[dict[str, bytes], int]:
    tokenizer = vocabularies.tokenizer(family, language, seed=seed)
    with TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}, len(tokenizer)


def _tokenizer_with_code(vocabulary: Mapping[str, int]) -> dict[str, bytes]:
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    settings = {
        **special,
        "auto_map": {"AutoTokenizer": [None, "tokenizer.ArabicMorphTokenizer"]},
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": MAX_LENGTH,
        "tokenizer_class": "ArabicMorphTokenizer",
    }
    return {
        "tokenizer.json": vocabularies.wordpiece_backend(vocabulary).to_str(pretty=True).encode(),
        "tokenizer_config.json": _json(settings),
        "special_tokens_map.json": _json(special),
        "vocab.txt": "".join(f"{piece}\n" for piece in vocabulary).encode(),
    }


# Weights


def _weights(bundle: Bundle, config: Mapping[str, Any]) -> bytes:
    import torch
    from safetensors.torch import save

    shapes = bundle.shapes(config)
    tensors: dict[str, Tensor] = {
        name: torch.ones(shape) if len(shape) == 1 else torch.randn(shape) * SPREAD for name, shape in shapes
    }
    return save(tensors, metadata={"format": "pt"})


def _neoarabert(config: Mapping[str, Any]) -> Shapes:
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    inner = 8 * ((2 * config["intermediate_size"] // 3 + 7) // 8)
    yield "model.encoder.weight", (vocabulary, width)
    for layer in range(config["num_hidden_layers"]):
        block = f"model.transformer_encoder.{layer}"
        yield f"{block}.qkv.weight", (3 * width, width)
        yield f"{block}.wo.weight", (width, width)
        yield f"{block}.ffn.w12.weight", (2 * inner, width)
        yield f"{block}.ffn.w3.weight", (width, inner)
        yield f"{block}.attention_norm.weight", (width,)
        yield f"{block}.ffn_norm.weight", (width,)
    yield "model.layer_norm.weight", (width,)
    yield "decoder.weight", (vocabulary, width)


def _modern(config: Mapping[str, Any]) -> Shapes:
    width, vocabulary, inner = config["hidden_size"], config["vocab_size"], config["intermediate_size"]
    yield "model.embeddings.weight", (vocabulary, width)
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}"
        yield f"{block}.attn_norm.weight", (width,)
        yield f"{block}.Wqkv.weight", (3 * width, width)
        yield f"{block}.Wo.weight", (width, width)
        yield f"{block}.mlp_norm.weight", (width,)
        yield f"{block}.Wi.weight", (2 * inner, width)
        yield f"{block}.Wd.weight", (width, inner)
    yield "model.final_norm.weight", (width,)
    yield "decoder.weight", (vocabulary, width)


BUNDLES = {
    "neoarabert": Bundle(
        "neoarabert",
        {
            "AutoConfig": "model.NeoAraBERTConfig",
            "AutoModel": "model.NeoAraBERT",
            "AutoModelForMaskedLM": "model.NeoAraBERTLMHead",
        },
        _neoarabert,
        reads_with_code=True,
    ),
    "modern": Bundle(
        "zoo-modern",
        {
            "AutoConfig": "configuration_modern.ModernConfig",
            "AutoModel": "modeling_modern.ModernModel",
            "AutoModelForMaskedLM": "modeling_modern.ModernForMaskedLM",
        },
        _modern,
    ),
}
"""{name of an architecture, as `miniature` in a recipe has it: what stands in for it}."""
