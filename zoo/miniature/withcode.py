"""Stand-ins for models that bring code of their own: classes from `bundles/`, weights that fit them, a tokenizer.

Nothing here runs that code: who rehearses with a stand-in consents to it, as to the real one's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from zoo.miniature import vocabularies
from zoo.miniature.lexicon import Language
from zoo.miniature.vocabularies import MAX_LENGTH, TokenizerFamily

if TYPE_CHECKING:
    from torch import Tensor

Bundle = Literal["neoarabert", "modern"]

BUNDLES = Path(__file__).parent / "bundles"
LAYERS, FEED_FORWARD = 2, 512
SPREAD = 0.02
"""Standard deviation of the weights."""

AUTO_MAPS: dict[Bundle, dict[str, str]] = {
    "neoarabert": {
        "AutoConfig": "model.NeoAraBERTConfig",
        "AutoModel": "model.NeoAraBERT",
        "AutoModelForMaskedLM": "model.NeoAraBERTLMHead",
    },
    "modern": {
        "AutoConfig": "configuration_modern.ModernConfig",
        "AutoModel": "modeling_modern.ModernModel",
        "AutoModelForMaskedLM": "modeling_modern.ModernForMaskedLM",
    },
}
MODEL_TYPES: dict[Bundle, str] = {"neoarabert": "neoarabert", "modern": "zoo-modern"}


def files_with_code(
    bundle: Bundle, tokenizer: TokenizerFamily, *, width: int, heads: int, language: Language, seed: int
) -> dict[str, bytes]:
    """The files of such a repository but its card; weights are drawn from torch's random numbers."""
    if bundle == "neoarabert":
        vocabulary = vocabularies.marked_vocabulary(seed=seed)
        words, size = _tokenizer_with_code(vocabulary), len(vocabulary)
    else:
        words, size = _ordinary(tokenizer, language, seed)
    config = _config(bundle, size, width, heads)
    return {**_code(bundle), **words, "config.json": _json(config), "model.safetensors": _weights(bundle, config)}


def _code(bundle: Bundle) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((BUNDLES / bundle).glob("*.py")) if path.stem != "__init__"}


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _config(bundle: Bundle, vocabulary: int, width: int, heads: int) -> dict[str, Any]:
    auto_map = AUTO_MAPS[bundle]
    return {
        "architectures": [auto_map["AutoModelForMaskedLM"].split(".")[1]],
        "auto_map": auto_map,
        "dtype": "float32",
        "hidden_size": width,
        "intermediate_size": FEED_FORWARD,
        "max_position_embeddings": MAX_LENGTH,
        "model_type": MODEL_TYPES[bundle],
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

    shapes = (_neoarabert if bundle == "neoarabert" else _modern)(config)
    tensors: dict[str, Tensor] = {
        name: torch.ones(shape) if len(shape) == 1 else torch.randn(shape) * SPREAD for name, shape in shapes
    }
    return save(tensors, metadata={"format": "pt"})


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _neoarabert(config: Mapping[str, Any]) -> Shapes:
    """Names and shapes of the parameters, those of one number per feature being scales."""
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
