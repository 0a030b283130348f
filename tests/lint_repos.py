"""Repositories for the linter, made by code: a good model, dataset and Space, and for every rule one change that breaks it."""

from __future__ import annotations

import io
import json
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zoo.lint.facts import Known
from zoo.lint.finding import Unchecked

Files = dict[str, bytes]
REVISION = "faeb762787bd10488a50c8b5be4a3b82e411949c"
TOKEN = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmKjHgFdSa"  # put together here, so that nothing looks like one in this file

CARD = f"""---
language:
- ar
license: apache-2.0
library_name: sentence-transformers
pipeline_tag: sentence-similarity
base_model: lab/base-encoder
base_model_relation: finetune
datasets:
- lab/arabic-pairs
- mteb/sts17-crosslingual-sts
# the tags of the Hub's filters
tags:
- sentence-transformers
- arabic
- matryoshka
- loss:MatryoshkaLoss
- loss:CoSENTLoss
- dataset_size:6000
model-index:
- name: Good-Matryoshka
  results:
  - task:
      type: STS
    dataset:
      name: MTEB STS17 (ar-ar)
      type: mteb/sts17-crosslingual-sts
      config: ar-ar
      split: test
      revision: {REVISION}
    metrics:
    - type: cosine_spearman
      value: 78.0862
  - task:
      type: STS
    dataset:
      name: MTEB STS22 (ar)
      type: mteb/sts22-crosslingual-sts
      config: ar
      split: test
    metrics:
    - type: cosine_spearman
      value: 69.0212
  - task:
      type: STS
    dataset:
      name: MTEB STS22.v2 (ar)
      type: mteb/sts22-crosslingual-sts
      config: ar
      split: test
    metrics:
    - type: cosine_spearman
      value: 68.2149
---

# Good-Matryoshka

Finetuned from [lab/base-encoder](https://huggingface.co/lab/base-encoder). It maps sentences to a 16-dimensional vector
space. Trained on [lab/arabic-pairs](https://huggingface.co/datasets/lab/arabic-pairs) with MatryoshkaLoss around CoSENTLoss.
It reaches 78.09 on STS17. In all it was trained on 6,000 pairs.

| | |
|---|---|
| Mean of 3 tasks (ara-sts), 16 numbers | **71.77 [67.6, 75.1]** |
| Embedding sizes | 16, 8 |
| Parameters | 20,000 |
| Longest input | 128 tokens |
| Licence | apache-2.0 |

## Use

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("lab/Good-Matryoshka")
embeddings = model.encode(["القط نائم على السرير", "هرة تنام فوق الفراش"])
print(model.similarity(embeddings, embeddings))
```

```python
small = SentenceTransformer("lab/Good-Matryoshka", truncate_dim=8)
```

## Beside others

| Model | Dim | Parameters | STS17 | STS22 | STS22-v2 | Mean |
|---|---:|---:|---:|---:|---:|---:|
| **Good-Matryoshka** | 16 | 20,000 | 78.09 [72.5, 82.4] | 69.02 [61.2, 75.5] | 68.21 [60.2, 74.7] | 71.77 [67.6, 75.1] |
| character TF-IDF | - | - | 49.39 | 58.47 | 62.08 | 56.65 |
| base encoder | 16 | 20,000 | 48.95 | 44.22 | 42.69 | 45.29 |

The mean counts STS22 and its successor both. As printed elsewhere for a model of this name: STS17 85.31, mean 69.99.
"""

DATA_CARD = """---
language:
- ar
license: cc-by-4.0
size_categories:
- n<1K
task_categories:
- sentence-similarity
configs:
- config_name: default
  data_files:
  - split: train
    path: data/first.parquet
  - split: test
    path: data/sec*.parquet
dataset_info:
  features:
  - name: text
    dtype: string
  splits:
  - name: train
    num_examples: 40
  - name: test
    num_examples: 10
---

# Arabic pairs

| Split | Rows |
|---|---:|
| train | 40 |
| test | 10 |
"""

SPACE_CARD = """---
title: Similarity
emoji: 🌙
sdk: gradio
sdk_version: 6.31.0
app_file: app.py
license: apache-2.0
models:
- lab/Good-Matryoshka
datasets:
- lab/arabic-pairs
---

# Similarity

Compares sentences.
"""


def weights(rows: int, columns: int = 16) -> bytes:
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [0, 4 * rows * columns]}}
    ).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4 * rows * columns)


def parquet(rows: int) -> bytes:
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": [f"جملة رقم {row}" for row in range(rows)]}), file)
    return file.getvalue()


def as_json(content: Any) -> bytes:
    return json.dumps(content, indent=2).encode()


def good_model() -> Files:
    modules = [{"path": "", "type": "…Transformer"}, {"path": "1_Pooling", "type": "…Pooling"}]
    config = {"model_type": "bert", "hidden_size": 16, "dtype": "float32", "max_position_embeddings": 512}
    recipe = "base: {model: lab/base-encoder}\nparent: null\nrelease: {repo: Good-Matryoshka, license: apache-2.0}\n"
    return {
        "README.md": CARD.encode(),
        "config.json": as_json(config),
        "config_sentence_transformers.json": as_json({"prompts": {"query": "", "document": ""}}),
        "modules.json": as_json(modules),
        "sentence_bert_config.json": as_json({"max_seq_length": 128}),
        "1_Pooling/config.json": as_json({"embedding_dimension": 16, "pooling_mode": "mean"}),
        "model.safetensors": weights(1250),
        "zoo/recipe.yaml": recipe.encode(),
    }


def good_dataset() -> Files:
    return {
        "README.md": DATA_CARD.encode(),
        "data/first.parquet": parquet(40),
        "data/second.parquet": parquet(10),
    }


def good_space() -> Files:
    return {
        "README.md": SPACE_CARD.encode(),
        "app.py": b"import gradio\n",
        "requirements.txt": b"gradio==6.31.0\n",
    }


GOOD: dict[str, Callable[[], Files]] = {"model": good_model, "dataset": good_dataset, "space": good_space}


@dataclass
class Shelf:
    """A Hub that has these repositories."""

    has: dict[tuple[str, str], Known] = field(
        default_factory=lambda: {
            ("model", "lab/base-encoder"): Known("lab/base-encoder", ("apache-2.0",)),
            ("model", "lab/Good-Matryoshka"): Known("lab/Good-Matryoshka", ("apache-2.0",), ("lab/base-encoder",)),
            ("dataset", "lab/arabic-pairs"): Known("lab/arabic-pairs"),
            ("dataset", "mteb/sts17-crosslingual-sts"): Known("mteb/sts17-crosslingual-sts"),
        }
    )
    answers: bool = True

    def known(self, kind: str, id: str) -> Known | None:
        if not self.answers:
            raise Unchecked("it does not answer")
        return self.has.get((kind, id))

    def near(self, kind: str, id: str) -> list[str]:
        return [known.id for (k, one), known in self.has.items() if k == kind and one.lower()[:8] == id.lower()[:8]]


@dataclass
class Bad:
    """A good repository in which `change` was made."""

    kind: str
    change: Callable[[Files, Shelf], None]
    repo_id: str | None = None
    """Its id on a Hub, for what only that tells."""


def replaced(
    old: str, new: str, *, file: str = "README.md", times: int | None = None
) -> Callable[[Files, Shelf], None]:
    """`old` becomes `new`, everywhere or so many times."""

    def change(files: Files, _: Shelf) -> None:
        text = files[file].decode()
        assert old in text
        files[file] = text.replace(old, new, -1 if times is None else times).encode()

    return change


def added(path: str, content: bytes) -> Callable[[Files, Shelf], None]:
    return lambda files, _: files.__setitem__(path, content)


def appended(text: str) -> Callable[[Files, Shelf], None]:
    return lambda files, _: files.__setitem__("README.md", files["README.md"] + text.encode())


def without(path: str) -> Callable[[Files, Shelf], None]:
    return lambda files, _: files.__delitem__(path) if path in files else None


def everywhere(old: str, new: str) -> Callable[[Files, Shelf], None]:
    def change(files: Files, shelf: Shelf) -> None:
        for path in ("README.md", "zoo/recipe.yaml"):
            files[path] = files[path].replace(old.encode(), new.encode())

    return change


def _share_alike_base(_: Files, shelf: Shelf) -> None:
    shelf.has["model", "lab/base-encoder"] = Known("lab/base-encoder", ("cc-by-sa-4.0",))


def cut(start: str, end: str) -> Callable[[Files, Shelf], None]:
    """Everything from `start` to before `end` is gone."""

    def change(files: Files, _: Shelf) -> None:
        text = files["README.md"].decode()
        begins = text.index(start)
        files["README.md"] = (text[:begins] + text[text.index(end, begins) :]).encode()

    return change


def _second_index(files: Files, _: Shelf) -> None:
    text = files["README.md"].decode()
    entry = text[text.index("- name: Good-Matryoshka\n") : text.index("---\n\n#")]
    files["README.md"] = text.replace(entry, entry + entry).encode()


def _letters(files: Files, _: Shelf) -> None:
    model = {"type": "BPE", "vocab": {"[UNK]": 0, "ا": 1, "ب": 2}, "merges": []}
    files |= {"tokenizer.json": as_json({"model": model}), "vocab.txt": "[UNK]\nباب\n##ها\n".encode()}


SCOPES = "\n| Rows | This model | Best other |\n|---|---:|---:|\n| Held-out | 80.09 | 30.98 (full set) |\n"
REMOTE = '\n```python\nmodel = SentenceTransformer("lab/Good-Matryoshka", trust_remote_code=True)\n```\n'
DOT = "\n```python\nsmall = embeddings[:, :8]\nprint(small @ small.T)\n```\n"

PRINTED = (
    "\n```\nSentenceTransformer(\n  (0): Transformer({'max_seq_length': 512, 'architecture': 'BertModel'})\n"
    "  (1): Pooling({'embedding_dimension': 16, 'pooling_mode': 'mean'})\n)\n```\n"
)
PICKLE = pickle.dumps(OrderedDict(a=1), 2)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"5" * 64 + b"\nsize 4711\n"
SIBLING = 'model = SentenceTransformer("lab/Better-Matryoshka")'


def carrying(*files_of_code: str) -> Callable[[Files, Shelf], None]:
    """Config.json names a class of its own, and these files of code are there."""

    def change(files: Files, _: Shelf) -> None:
        config = json.loads(files["config.json"]) | {"auto_map": {"AutoModel": "modeling.Own"}}
        files["config.json"] = as_json(config)
        files.update(dict.fromkeys(files_of_code, b"class Own: ...\n"))

    return change


BAD: dict[str, Bad] = {
    "L01": Bad("model", everywhere("lab/base-encoder", "lab/Good-Matryoshka")),
    "L02": Bad("model", replaced("https://huggingface.co/lab/base-encoder", "https://hf-mirror.com/lab/base-encoder")),
    "L03": Bad("model", appended(REMOTE)),
    "L04": Bad("model", appended(SCOPES)),
    "L05": Bad("model", _second_index),
    "L06": Bad("model", replaced("loss:CoSENTLoss", "loss:CosineSimilarityLoss")),
    "L07": Bad("model", replaced("| 49.39 |", "| - |")),
    "L08": Bad("model", replaced("dataset_size:6000", "dataset_size:75000")),
    "L09": Bad("model", replaced("license: apache-2.0\n", "")),
    "L10": Bad("model", replaced("| 128 tokens |", "| 768 tokens |")),
    "L11": Bad("model", replaced("| Parameters | 20,000 |", "| Parameters | 135M |")),
    "L12": Bad("model", replaced("reaches 78.09", "reaches 78.08")),
    "L13": Bad("dataset", replaced("| train | 40 |", "| train | 50 |")),
    "L14": Bad("model", replaced("Trained on [lab/arabic-pairs]", "Trained on [lab/arabic-triplets]")),
    "L15": Bad("model", replaced('("lab/Good-Matryoshka", trunc', '("lab/Good-Matryoska", trunc')),
    "L16": Bad("model", replaced("Finetuned from [lab/base-encoder]", "Finetuned from [lab/older-encoder]")),
    "L17": Bad("model", replaced("MatryoshkaLoss", "SoftmaxLoss")),
    "L18": Bad("model", replaced("| Licence | apache-2.0 |", "| Licence | CC BY-NC 4.0 |")),
    "L19": Bad("model", appended("\n- **Output Dimensionality:** 16 tokens\n")),
    "L20": Bad("dataset", replaced("- n<1K", "- 10K<n<100K")),
    "L21": Bad("dataset", cut("configs:", "dataset_info:")),
    "L22": Bad("model", cut("model-index:", "---\n\n#")),
    "L23": Bad("model", replaced("The mean counts STS22 and its successor both. ", "")),
    "L24": Bad("model", replaced('"query": ""', '"query": "query: "', file="config_sentence_transformers.json")),
    "L25": Bad("model", appended("\n## Limits\n\nTODO: write them down.\n")),
    "L26": Bad("model", replaced("split: test", "split: train", times=1)),
    "L27": Bad("model", without("modules.json")),
    "L28": Bad("model", everywhere("lab/arabic-pairs", "lab/arabic-pear")),
    "L29": Bad("model", replaced("| 56.65 |", "| 58.65 |")),
    "L30": Bad("model", replaced("reaches 78.09", "reaches 79.80")),
    "L31": Bad("model", appended(DOT)),
    "L32": Bad("model", _share_alike_base),
    "L33": Bad("dataset", replaced("data/sec*.parquet", "data/dev*.parquet")),
    "L34": Bad("dataset", added("data/first.parquet", parquet(39))),
    "L35": Bad("model", replaced("16-dimensional", "768-dimensional")),
    "L36": Bad("model", replaced("model.encode([", "model.encode(")),
    "L37": Bad("model", added("pytorch_model.bin", PICKLE)),
    "L38": Bad("model", replaced("license: apache-2.0", "license: mit", file="zoo/recipe.yaml")),
    "L39": Bad("model", added("upload.py", f'api = HfApi(token="{TOKEN}")\n'.encode())),
    "L40": Bad("model", added(".cache/huggingface/download/model.lock", b"")),
    "L41": Bad("model", replaced("---\nlanguage:", "\ufeff---\nlanguage:")),
    "L42": Bad("model", replaced("}", "", file="config_sentence_transformers.json")),
    "L43": Bad("model", replaced("- arabic\n", "- arabic\n- arabic\n")),
    "L44": Bad("model", replaced('"float32"', '"bfloat16"', file="config.json")),
    "L45": Bad("space", replaced("sdk_version: 6.31.0\n", "")),
    "L46": Bad("model", replaced("- ar\n", "- AR\n")),
    "L47": Bad("model", replaced("pipeline_tag: sentence-similarity", "pipeline_tag: Sentence Similarity")),
    "L48": Bad("model", added("onnx/model.onnx", POINTER)),
    "L49": Bad("model", appended(PRINTED)),
    "L50": Bad(
        "model", replaced('SentenceTransformer("lab/Good-Matryoshka"', 'SentenceTransformer("lab/base-encoder"')
    ),
    "L51": Bad("model", appended('\n```python\nmodel = SentenceTransformer("Good-Matryoshka")\n```\n')),
    "L55": Bad("model", _letters),
    "L52": Bad("model", replaced("\n# Good-Matryoshka", "\n# Best-Matryoshka"), repo_id="lab/Good-Matryoshka"),
    "L53": Bad("model", carrying("modeling.py")),
    "L54": Bad("model", carrying()),
}
