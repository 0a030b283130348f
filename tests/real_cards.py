"""Cards in the manner of real ones, all written for this project, and what a careful reader finds in each.

The texts are tests/cards/<name>.md; a row here says whose card it is, which files lie beside it, and which rules find
something. Half of them are clean. `REAL_CARDS["..."].repo()` is what the linter looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lint_repos
from lint_repos import Files, as_json

from zoo.lint.facts import Facts, NoHub
from zoo.lint.files import held_files
from zoo.lint.repo import CheckedRepo
from zoo.lint.target import of_files

TEXTS = Path(__file__).with_name("cards")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"5" * 64 + b"\nsize 4711\n"


CODE = {"AutoModel": "modeling_noor.Noor"}


def encoder(width: int = 768, longest: int = 512, kind: str = "Bert", **changed: Any) -> Files:
    """The configs of a sentence encoder that cuts texts at `longest` tokens."""
    config = {"architectures": [f"{kind}Model"], "model_type": kind.lower(), "hidden_size": width}
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    return {
        "config.json": as_json(config | {"max_position_embeddings": 512} | changed),
        "modules.json": as_json(modules),
        "sentence_bert_config.json": as_json({"max_seq_length": longest, "do_lower_case": False}),
        "1_Pooling/config.json": as_json({"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}),
        "model.safetensors": b"",
    }


def plain(kind: str = "Bert", task: str = "ForSequenceClassification", width: int = 768) -> Files:
    """The config of a model without sentence-transformers' modules."""
    config = {"architectures": [f"{kind}{task}"], "model_type": kind.lower(), "hidden_size": width}
    return {"config.json": as_json(config | {"max_position_embeddings": 512}), "model.safetensors": b""}


@dataclass(frozen=True)
class RealCard:
    """A card, whose it is, and the rules that find something in it."""

    id: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    found: frozenset[str] = frozenset()
    kind: str = "model"
    name: str = ""
    held_back: bool = False
    """Whether it was written before the rules were looked at."""

    def repo(self, facts: Facts | None = None) -> CheckedRepo:
        """The repository, as the linter sees it on a Hub that it may not ask."""
        text = (TEXTS / f"{self.name}.md").read_text("utf-8")
        card = text.replace("@TOKEN@", lint_repos.TOKEN).encode()
        files = held_files({**self.files, "README.md": card})
        return of_files(files, facts or NoHub(), kind=self.kind, repo_id=self.id)  # type: ignore[arg-type]


PICKLE = lint_repos.PICKLE
SPLADE = [
    {"path": "", "type": "sentence_transformers.sparse_encoder.models.MLMTransformer"},
    {"path": "1_SpladePooling", "type": "sentence_transformers.sparse_encoder.models.SpladePooling"},
]
NEO = plain(task="Model") | {"modeling_neo.py": b"import torch\n"}
SHARDS = {"data/train-00000-of-00001.parquet": b"", "data/test-00000-of-00001.parquet": b""}
SCRIPT = {"noor_sts.py": b"import datasets\n", "vocab.json": b"{}", "a.csv": b"", "b.csv": b"", "c.csv": b""}
PARQUET = {"train.parquet": lint_repos.parquet(40), "test.parquet": lint_repos.parquet(10)}
LINES = {"train.jsonl": b'{"a": 1}\n' * 1000, "test.jsonl": b'{"a": 1}\n' * 199 + b'{"a": 1}'}
ADAPTER = {"adapter_config.json": b"{}", "adapter_model.safetensors": b""}
PUSHED = {
    "training_args.bin": PICKLE,
    "checkpoint-500/optimizer.pt": PICKLE,
    ".DS_Store": b"x",
    "site.pth": b"import _virtualenv\n",
    "tokens.bin": b"\x80\x04\x00\x01",
}

ROWS: tuple[tuple[Any, ...], ...] = (  # name, id, files, rules, and what else is to say
    # clean
    ("trained-triplets", "lab-noor/arabert-nli-triplets", encoder(), "", {"held_back": True}),
    ("honest-hand-card", "lab-noor/dialect-noor-v1", encoder(longest=128), "", {"held_back": True}),
    ("reranker", "lab-noor/reranker-marbert", plain(), "", {"held_back": True}),
    ("tydi-pairs", "lab-noor/tydi-ar-pairs", SHARDS, "", {"held_back": True, "kind": "dataset"}),
    ("e5-with-prompts", "lab-noor/e5-noor-small", encoder(384), "", {"held_back": True}),
    ("static-vectors", "lab-noor/noor-static-256", {"config.json": b'{"model_type": "model2vec"}'}, ""),
    ("custom-code", "lab-noor/neo-synonym-v1", NEO, ""),
    ("gguf-copy", "lab-noor/noor-embed-GGUF", {"noor-embed-q8_0.gguf": b"GGUF"}, ""),
    ("lora-adapter", "lab-noor/noor-e5-lora", ADAPTER, ""),
    ("arabic-text", "lab-noor/noor-lahajat", encoder(), ""),
    ("script-dataset", "lab-noor/noor-sts", SCRIPT, "", {"kind": "dataset"}),
    ("pair-class-dataset", "lab-noor/nli-pair-class", PARQUET, "", {"kind": "dataset"}),
    ("long-index", "lab-noor/labse-noor", encoder(), ""),
    (
        "splade",
        "lab-noor/splade-arabert",
        encoder() | {"modules.json": as_json(SPLADE), "1_SpladePooling/config.json": b'{"pooling_strategy": "max"}'},
        "",
    ),
    ("for-readers", "lab-noor/noor-base", encoder(), ""),
    ("two-libraries", "lab-noor/noor-xl-embed", encoder(1024), ""),
    (
        "similarity-space",
        "lab-noor/similarity",
        {"app.py": b"import gradio\n", "requirements.txt": b"gradio==6.31.0\n"},
        "",
        {"kind": "space"},
    ),
    ("hybrid", "lab-noor/hybrid-noor", encoder(), ""),
    ("plain-mean-pooling", "lab-noor/noor-bert", plain(task="ForMaskedLM") | {"LICENSE": b"Research only."}, ""),
    ("reader-of-docs", "lab-noor/docs-noor", encoder(), ""),
    ("minilm-sts-ar", "lab-noor/minilm-sts-ar", encoder(384, longest=128), "", {"held_back": True}),
    ("noor-mlm", "lab-noor/noor-mlm", plain(task="ForMaskedLM"), "", {"held_back": True}),
    ("noor-rerank", "lab-noor/noor-rerank", plain("XLMRoberta", width=1024), "", {"held_back": True}),
    ("qwen-noor-lora", "lab-noor/qwen-noor-lora", ADAPTER, "", {"held_back": True}),
    ("noor-setfit", "lab-noor/noor-setfit", encoder(longest=128, kind="XLMRoberta"), "", {"held_back": True}),
    # with faults
    ("student", "lab-noor/noor-mini", encoder(384, kind="XLMRoberta"), "L22"),
    ("noor-large-emb", "lab-noor/noor-large-emb", encoder(kind="XLMRoberta"), "L22 L29 L35", {"held_back": True}),
    (
        "noor-snippet",
        "lab-noor/noor-snippet",
        encoder(384, auto_map=CODE) | {"modeling_noor.py": b""},
        "L24 L35 L36 L53",
        {"held_back": True},
    ),
    ("counted", "lab-noor/counted", LINES, "L20 L50", {"held_back": True, "kind": "dataset"}),
    (
        "copied-from-sibling",
        "lab-noor/minilm-noor-matryoshka",
        encoder(384, longest=128),
        "L10 L16 L19 L35 L49 L50 L52",
        {"held_back": True},
    ),
    ("heading-before-metadata", "lab-noor/sts-noor", encoder(), "L41", {"held_back": True}),
    ("template-left-over", "lab-noor/left-over", encoder(), "L25", {"held_back": True}),
    ("wrong-average", "lab-noor/mpnet-noor", encoder(kind="XLMRoberta"), "L18 L27 L29 L30", {"held_back": True}),
    (
        "dataset-with-pointer",
        "lab-noor/arabic-sts-pairs",
        {"train.parquet": POINTER},
        "L15 L20 L39 L48 L51",
        {"held_back": True, "kind": "dataset"},
    ),
    ("loops-to-itself", "lab-noor/neo-msa", encoder(), "L01 L02"),
    ("two-licences", "lab-noor/saudi-sts", encoder(), "L16 L18"),
    ("misspelt-itself", "lab-noor/silm-embedding-matryoshka-v0.1", encoder(), "L08 L15 L17 L31"),
    ("pasted-results", "lab-noor/pasted-results", encoder(), "L05 L12 L30"),
    ("refused-values", "lab-noor/refused-values", encoder(), "L43 L46 L47"),
    ("everything-pushed", "lab-noor/everything-pushed", encoder() | PUSHED, "L37 L40"),
    ("averages", "lab-noor/averages", encoder(), "L07 L12 L23"),
    (
        "sizes-of-another",
        "lab-noor/minilm-sizes",
        encoder(384) | {"model.safetensors": lint_repos.weights(1250)},
        "L10 L11 L35",
    ),
    ("csv-dataset", "lab-noor/arabic-triplets", {"triplets.csv": b""}, "L20 L33 L36", {"kind": "dataset"}),
    ("e5-without-prompts", "lab-noor/e5-triplets", encoder(384), "L24 L31"),
    ("raw-encoder", "lab-noor/raw-encoder", encoder(auto_map=CODE), "L03 L14 L27 L51 L54"),
    (
        "half-uploaded",
        "lab-noor/noor-embed-v2",
        encoder() | {"model.safetensors": POINTER},
        "L48 L49 L50 L52",
    ),
    ("uncounted-dataset", "lab-noor/scored-pairs", PARQUET, "L09 L13 L34", {"kind": "dataset"}),
    (
        "table-alone",
        "lab-noor/table-alone",
        encoder(dtype="bfloat16") | {"model.safetensors": lint_repos.weights(1250), "tokenizer_config.json": b"{"},
        "L04 L06 L22 L42 L44",
    ),
    ("measured-on-train", "lab-noor/measured-on-train", encoder(), "L26"),
    ("unpinned-space", "lab-noor/similarity", {"app.py": b"import gradio\n"}, "L45 L46", {"kind": "space"}),
)

REAL_CARDS = {
    name: RealCard(repo_id, files, frozenset(rules.split()), name=name, **(rest[0] if rest else {}))
    for name, repo_id, files, rules, *rest in ROWS
}
