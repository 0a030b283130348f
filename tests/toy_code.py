"""A tiny model that brings its own code, and looks for secrets when that code runs."""

from __future__ import annotations

import json
from pathlib import Path

from test_prove import in_folder
from test_space_app import tiny_model

from zoo.models.foreign.consent import ModelCode
from zoo.models.identity import ModelSource

MODELING = '''
"""A BERT of its own name, whose vectors are turned by rotary.py."""
from transformers import BertConfig, BertModel

from .rotary import turned
from .spy import look

look("MARK", __file__)


class ToyConfig(BertConfig):
    model_type = "toy"


class ToyModel(BertModel):
    config_class = ToyConfig

    def forward(self, *args, **options):
        if len(options["input_ids"]) == 7:
            raise RuntimeError("the toy takes no seven")
        print("the toy prints, as code of others may")
        found = super().forward(*args, **options)
        found.last_hidden_state = turned(found.last_hidden_state)
        return found
'''
ROTARY = """
def turned(states):
    return states.roll(1, dims=-1)
"""
SPY = """
import json
import os
import tempfile
from pathlib import Path


def look(mark, module):
    home = Path.home()
    (home / "loot").write_text("taken", "utf-8")
    (Path(tempfile.gettempdir()) / "loot").write_text("taken", "utf-8")
    files = [path for path in home.rglob("*") if path.is_file()]
    seen = {
        "process": os.getpid(),
        "environment": dict(os.environ),
        "homes": [str(home), os.path.expanduser("~"), os.environ["HF_HOME"], os.environ["HF_MODULES_CACHE"], module],
        "temporary": tempfile.gettempdir(),
        "files": [path.read_text(errors="replace")[:100] for path in files],
        "token": __import__("huggingface_hub").get_token(),
        "hub": reached(),
        "bytecode": __import__("sys").dont_write_bytecode,
    }
    print(json.dumps({"zoo": "note", "values": ["the toy speaks for zoo"]}), flush=True)
    with Path(mark).open("a", encoding="utf-8") as file:
        file.write(json.dumps(seen) + "\\n")


def reached():
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info("lab/toy", token=False))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
AUTO_MAP = {"AutoConfig": "modeling.ToyConfig", "AutoModel": "modeling.ToyModel"}


def toy_files(folder: Path, mark: Path, *, seed: int = 3, **changed: str) -> dict[str, bytes]:
    """The files of a plain transformers repository; `folder` is for making them, `mark` for what its code finds.

    Args:
        changed: other code, by the names of its files without '.py'.
    """
    tiny_model(folder, seed=seed)
    files = {path: place.read_bytes() for path, place in in_folder(folder / "bert").items()}
    config = json.loads(files["config.json"]) | {"model_type": "toy", "architectures": ["ToyModel"]}
    code = {"modeling": MODELING.replace("MARK", str(mark)), "rotary": ROTARY, "spy": SPY, **changed}
    files["config.json"] = json.dumps(config | {"auto_map": AUTO_MAP}).encode()
    return {**files, **{f"{name}.py": text.encode() for name, text in code.items()}}


def agreed_source(model: str, commit: str, files: dict[str, bytes], **more: object) -> ModelSource:
    """The source of a model to whose code somebody consented."""
    covered = {path: text for path, text in files.items() if path.endswith((".py", ".json", ".jinja"))}
    consent = ModelCode(model, commit, covered).consent
    facts = {"kind": "base", "place": model, "revision": commit, "weights": commit, "pooling": "mean", **more}
    return ModelSource.model_validate({**facts, "remote_code": consent.model_dump()})
