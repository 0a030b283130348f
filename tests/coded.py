"""A tiny model that brings code of its own, as training saves it: a transformers class of ours, pooling behind it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

WORDS = "رجل يقود سيارة يعزف على الغيتار الأولاد يلعبون كرة القدم a short sentence man drives car plays the guitar"
FILE = "toy_model.py"
SOURCE = '''"""A toy: word vectors, turned by what their places say."""
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class ToyConfig(PretrainedConfig):
    model_type = "zoo-toy"

    def __init__(self, vocab_size=64, hidden_size=64, **kwargs):
        super().__init__(**kwargs)
        self.vocab_size, self.hidden_size = vocab_size, hidden_size


class Toy(PreTrainedModel):
    config_class = ToyConfig

    def __init__(self, config):
        super().__init__(config)
        self.words = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, input_ids, attention_mask=None, **kwargs):
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        return BaseModelOutput(self.words(input_ids) * torch.cos(places)[:, None])
'''


def coded_model(folder: Path, source: str = SOURCE, *, width: int = 64) -> Path:
    """Write the model into `folder`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertTokenizerFast

    base = folder.with_name(f"{folder.name}-base")
    base.mkdir(parents=True)
    (base / FILE).write_text(source, "utf-8")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS.split())]
    (base / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    BertTokenizerFast(vocab=str(base / "vocab.txt")).save_pretrained(base)
    auto = {"AutoConfig": "toy_model.ToyConfig", "AutoModel": "toy_model.Toy"}
    config = {"model_type": "zoo-toy", "auto_map": auto, "hidden_size": width, "architectures": ["Toy"]}
    write_json(base / "config.json", {**config, "vocab_size": len(words)})
    from safetensors.torch import save_file

    torch.manual_seed(1)
    save_file({"words.weight": torch.randn(len(words), width)}, base / "model.safetensors", {"format": "pt"})
    trusted: dict[str, Any] = {"trust_remote_code": True}
    transformer = Transformer(
        str(base), model_kwargs=dict(trusted), config_kwargs=dict(trusted), processor_kwargs=dict(trusted)
    )
    modules = [transformer, Pooling(transformer.get_embedding_dimension(), "mean")]
    model = SentenceTransformer(modules=modules, device="cpu", **trusted)
    model.max_seq_length = 8
    model.save(str(folder), create_model_card=False)
    return folder


def write_json(path: Path, content: Any) -> None:
    import json

    path.write_text(json.dumps(content), "utf-8")


def hashes(folder: Path, *endings: str) -> dict[str, str]:
    """{path: sha256} of a folder's files with these endings."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in endings)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def consent(folder: Path, licence: str | None = "mit") -> dict[str, Any]:
    """Consent to the code of the base that `coded_model` made beside `folder`."""
    base = folder.with_name(f"{folder.name}-base")
    return {"revision": "c" * 40, "files": hashes(base, ".py", ".json", ".jinja"), "license": licence}
