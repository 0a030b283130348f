"""A tiny encoder with code and tokenizer of its own, as NeoAraBERT's repository is built: for tests of our module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
WORDS = [
    "قلم",
    "دفتر",
    "نافذة",
    "بحر",
    "جبل",
    "طريق",
    "حديقة",
    "سوق",
    "نهر",
    "قمر",
    "شجرة",
    "باب",
    "مطر",
    "صديق",
    "رسالة",
]
ROTARY = """
import torch


def precompute(size, end, base=10000.0):
    rates = 1.0 / (base ** (torch.arange(0, size, 2)[: size // 2].float() / size))
    angles = torch.outer(torch.arange(end), rates)
    return torch.polar(torch.ones_like(angles), angles)


def turned(x, table):
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * table[None, : x.shape[1], None]).flatten(3).type_as(x)
"""
MODEL = """
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput
from xformers.ops import SwiGLU

from .rotary import precompute, turned


class ToyConfig(PretrainedConfig):
    model_type = "toyencoder"

    def __init__(self, vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                 intermediate_size=48, max_position_embeddings=64, pad_token_id=0, **kwargs):
        super().__init__(pad_token_id=pad_token_id, **kwargs)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.max_position_embeddings = max_position_embeddings


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        size = config.hidden_size
        self.heads = config.num_attention_heads
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.wo = nn.Linear(size, size, bias=False)
        self.ffn = SwiGLU(size, config.intermediate_size, size, bias=False)
        self.first, self.second = Norm(size), Norm(size)

    def forward(self, x, mask, table):
        batch, length, size = x.shape
        q, k, v = self.qkv(self.first(x)).view(batch, length, 3, self.heads, size // self.heads).unbind(2)
        q, k = turned(q, table), turned(k, table)
        q, k, v = (one.transpose(1, 2) for one in (q, k, v))
        found = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.wo(found.transpose(1, 2).reshape(batch, length, size))
        return x + self.ffn(self.second(x))


class ToyBase(PreTrainedModel):
    config_class = ToyConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, 0.0, 0.3)


class Toy(ToyBase):
    def __init__(self, config):
        super().__init__(config)
        self.encoder = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.norm = Norm(config.hidden_size)
        table = precompute(config.hidden_size // config.num_attention_heads, config.max_position_embeddings)
        self.register_buffer("freqs_cis", table, persistent=False)
        self.post_init()

    def get_input_embeddings(self):
        return self.encoder

    def forward(self, input_ids, attention_mask=None, **kwargs):
        mask = None if attention_mask is None else attention_mask[:, None, None, :].bool()
        x = self.encoder(input_ids)
        for layer in self.layers:
            x = layer(x, mask, self.freqs_cis)
        return BaseModelOutput(last_hidden_state=self.norm(x))


class ToyLMHead(ToyBase):
    def __init__(self, config):
        super().__init__(config)
        self.model = Toy(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, **kwargs):
        return MaskedLMOutput(logits=self.decoder(self.model(input_ids, attention_mask).last_hidden_state))
"""
ROUGH = MODEL.replace("nn.init.normal_(module.weight, 0.0, 0.3)", "module.weight.data.uniform_(-1, 1)")
ROUGH = ROUGH.replace("(nn.Linear, nn.Embedding)", "(nn.Linear, nn.Embedding, Norm)").replace(
    "torch.ones(size))", "torch.ones(size))\n        self.register_buffer('scale', torch.ones(1), persistent=False)"
)
"""Initialises in place, in modules with a buffer that no checkpoint holds: from_pretrained does it after loading too."""
STEMMER = """
import threading


class Stemmer:
    def __init__(self):
        self.lock = threading.Lock()  # as one in another language: no pickle takes it

    def stem(self, text, sep="[+]", preserve_diacritics=True):
        return " ".join(word[:2] + sep + word[2:] if word.startswith("ال") and len(word) > 3 else word
                        for word in text.split())
"""
TOKENIZER = """
import re

from transformers import PreTrainedTokenizerFast
from {stemmer} import Stemmer

MARKS = re.compile("[\\u064b-\\u0652]")


def behind(word):
    marks = "".join(MARKS.findall(word))
    return MARKS.sub("", word) + (" " + marks if marks else "")


class ToyTokenizer(PreTrainedTokenizerFast):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stemmer = Stemmer()

    def prepared(self, text):
        stemmed = self.stemmer.stem(text, sep="[+]", preserve_diacritics=True)
        return " ".join(behind(word) for word in stemmed.replace("[+]", " [+] ").split())

    def __call__(self, text, *args, **kwargs):
        one = isinstance(text, str)
        return super().__call__(self.prepared(text) if one else [self.prepared(t) for t in text], *args, **kwargs)

    def encode(self, text, *args, **kwargs):
        return super().encode(self.prepared(text), *args, **kwargs)
"""
TEXTS = ["قَلَمٌ في الدفتر", "البحر والجبل", "شجرة الحديقة قرب النهر الكبير", "باب"]


def vocabulary() -> list[str]:
    letters = sorted({letter for word in [*WORDS, *" ".join(TEXTS).split()] for letter in word})
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[+]", *WORDS, *letters, *(f"##{one}" for one in letters)]


def tokenizer_json() -> str:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    words = {word: index for index, word in enumerate(vocabulary())}
    made = Tokenizer(WordPiece(words, unk_token="[UNK]"))
    made.pre_tokenizer = BertPreTokenizer()
    made.add_special_tokens([AddedToken(one, special=True) for one in vocabulary()[:6]])
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made.to_str()


def write_toy(
    folder: Path, *, stemmer: str = ".stemmer", code: dict[str, str] | None = None, ordinary: bool = False
) -> Path:
    """Write a repository of code, tokenizer and weights from a fixed seed.

    Args:
        stemmer: the module that the tokenizer takes its stemmer from.
        code: {file: source} in addition, or in the place of ours.
        ordinary: with a tokenizer of transformers' own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"rotary.py": ROTARY, "model.py": MODEL, "tokenizer.py": TOKENIZER.replace("{stemmer}", stemmer)}
    files |= {"stemmer.py": STEMMER} if stemmer == ".stemmer" else {}
    for name, text in {**files, **(code or {})}.items():
        (folder / name).write_text(text, "utf-8")
    heads = {"AutoConfig": "ToyConfig", "AutoModel": "Toy", "AutoModelForMaskedLM": "ToyLMHead"}
    write_json(
        folder / "config.json",
        {
            "architectures": ["ToyLMHead"],
            "auto_map": {name: f"model.{kind}" for name, kind in heads.items()},
            "model_type": "toyencoder",
            "vocab_size": len(vocabulary()),
            "max_position_embeddings": 64,
            "pad_token_id": 0,
            **SIZE,
        },
    )
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    write_json(
        folder / "tokenizer_config.json",
        {
            **({} if ordinary else {"auto_map": {"AutoTokenizer": [None, "tokenizer.ToyTokenizer"]}}),
            "tokenizer_class": "PreTrainedTokenizerFast" if ordinary else "ToyTokenizer",
            "model_max_length": 48,
            **special,
        },
    )
    write_json(folder / "special_tokens_map.json", special)
    (folder / "tokenizer.json").write_text(tokenizer_json(), "utf-8")
    (folder / "vocab.txt").write_text("\n".join(vocabulary()), "utf-8")
    save_file(weights(), folder / "model.safetensors", {"format": "pt"})
    return folder


def weights() -> dict[str, torch.Tensor]:
    numbers = torch.Generator().manual_seed(7)
    width, inner, words = SIZE["hidden_size"], SIZE["intermediate_size"], len(vocabulary())
    shapes: dict[str, Sequence[int]] = {"model.encoder.weight": (words, width), "decoder.weight": (words, width)}
    shapes |= {"decoder.bias": (words,), "model.norm.weight": (width,)}
    for layer in range(SIZE["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.qkv.weight": (3 * width, width), f"{at}.wo.weight": (width, width)}
        shapes |= {f"{at}.ffn.w12.weight": (2 * inner, width), f"{at}.ffn.w3.weight": (width, inner)}
        shapes |= {f"{at}.first.weight": (width,), f"{at}.second.weight": (width,)}
    return {name: torch.randn(shape, generator=numbers) * 0.3 for name, shape in shapes.items()}


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), "utf-8")


STEMS = {"قلم": "قَلَم", "دفتر": "دَفتَر", "بحر": "بَحر", "جبل": "جَبَل", "شجرة": "شَجَرَة", "حديقة": "حَدِيقَة"}


def write_mini_camel(folder: Path) -> Path:
    """Write a morphological database of a few words in CAMeL's format, as fast_disambig reads it."""
    place = folder / "calima-msa-r13"
    place.mkdir(parents=True)
    free = ("diac", "lex", "d3tok", "bw", "gloss")
    lines = ["###DEFINES###", "DEFINE pos pos:noun pos:noun_prop", *(f"DEFINE {one} {one}:*open*" for one in free)]
    lines += [
        "###DEFAULTS###",
        *(f"DEFAULT pos:{pos} diac:* lex:* bw:* gloss:* d3tok:*" for pos in ("noun", "noun_prop")),
    ]
    lines += ["###ORDER###", "ORDER diac lex bw gloss pos d3tok d3seg"]
    lines += ["###TOKENIZATIONS###", "TOKENIZATION d3tok d3seg", "###STEMBACKOFF###", "STEMBACKOFF NOAN_PROP Nall"]
    lines += ["###PREFIXES###", "\tP0\tdiac: bw: gloss: d3tok: d3seg:"]
    lines += ["ال\tPAl\tdiac:ال bw:Al/DET+ gloss:the d3tok:ال+_ d3seg:ال+_"]
    lines += ["###SUFFIXES###", "\tS0\tdiac: bw: gloss: d3tok: d3seg:", "###STEMS###"]
    for word, marked in STEMS.items():
        facts = f"diac:{marked} lex:{marked}_1 bw:{marked}/NOUN gloss:w pos:noun d3tok:{marked} d3seg:{marked}"
        lines.append(f"{word}\tN\t{facts} pos_logprob:-1.0 lex_logprob:-2.0 pos_lex_logprob:-2.0")
    lines += ["###TABLE AB###", "P0 N", "PAl N", "###TABLE BC###", "N S0", "###TABLE AC###", "P0 S0", "PAl S0"]
    (place / "morphology.db").write_text("\n".join(lines) + "\n", "utf-8")
    (place / "model.json").write_text("{}")
    return folder
