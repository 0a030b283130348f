"""Low-rank adapters (LoRA): trained in the place of a model's weights, and merged into them when a phase is over.

Checkpoints hold what is trained alone; the rest is the model that training started from, the same every time.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from sentence_transformers import SentenceTransformer

from zoo.errors import TrainError
from zoo.extras import to_install
from zoo.modules.module import runs_code_of_others
from zoo.recipe.schema import Base
from zoo.recipe.training import Lora

TRAINED = "trained.safetensors"  # in a checkpoint, in place of the model
CONFIG = "adapter_config.json"  # peft's


@dataclass(frozen=True)
class Adapters:
    """The adapters in a model, which is a stock model again once they are merged."""

    model: SentenceTransformer
    tuner: Any
    """The PeftModel around the transformers model, whose layers it replaced."""

    def content(self) -> bytes:
        """All that training changes, as a safetensors file: the same bytes for the same numbers."""
        state = self._trained()
        return save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})

    def digest(self) -> str:
        """The sha256 of `content`."""
        return sha256(self.content()).hexdigest()

    def load(self, path: Path) -> None:
        """Put back what `content` was written from.

        Raises:
            ValueError: the file is of another model or other adapters.
        """
        state, saved = self._trained(), load_file(path)
        if saved.keys() != state.keys():
            raise ValueError(f"{path}: has {len(saved)} tensors, and {len(state)} are trained")
        with torch.no_grad():
            for name, tensor in state.items():
                tensor.copy_(saved[name])

    def _trained(self) -> dict[str, torch.Tensor]:
        frozen = {name for name, parameter in self.model.named_parameters() if not parameter.requires_grad}
        return {name: tensor for name, tensor in self.model.state_dict().items() if name not in frozen}

    def moved(self) -> float:
        """The distance that the adapters move the model's weights, as a share of the length of these."""
        from peft.tuners.lora import LoraLayer

        layers: list[Any] = [layer for layer in self.model.modules() if isinstance(layer, LoraLayer)]
        with torch.no_grad():
            away = sum(float(layer.get_delta_weight("default").float().square().sum()) for layer in layers)
            length = sum(float(layer.get_base_layer().weight.float().square().sum()) for layer in layers)
        return math.sqrt(away / length) if length else math.inf

    def keep(self, folder: Path, base: Base) -> None:
        """Write the adapters as peft reads them, the same bytes for the same numbers.

        They name the model that they belong to where that is the base model, and none where it is one that was trained
        from it before.
        """
        self.tuner.save_pretrained(str(folder))
        (folder / "README.md").unlink(missing_ok=True)  # peft's, which knows nothing of this model
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        of_base = config["base_model_name_or_path"] == base.model  # else it is a folder of this machine
        config["base_model_name_or_path"] = base.model if of_base else None
        config["revision"] = base.revision if of_base else None
        if runs_code_of_others(self.tuner.get_base_model()):
            config["auto_mapping"] = None  # names a copy of that code in a cache of this process
        if isinstance(config["target_modules"], list):
            config["target_modules"].sort()  # peft keeps a set
        (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True), "utf-8")

    def merge(self) -> None:
        """Add the adapters to the weights and take them out of the model."""
        self.tuner.merge_and_unload(safe_merge=True)


def adapted(model: SentenceTransformer, lora: Lora, what: str) -> Adapters:
    """Put new adapters into a model, in place, and let nothing else of its transformer be trained.

    Args:
        what: begins the sentences of errors, e.g. "phase 'sts' of 'arabert-sts'".

    Raises:
        TrainError: peft is not installed, or the model has no layer of these names.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise TrainError(f"{what} trains adapters, and peft is not installed", hint=to_install("lora")) from None
    config = LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=lora.targets)
    try:
        with warnings.catch_warnings():  # peft asks transformers by a name that goes away in its version 6
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
            return Adapters(model, get_peft_model(model.transformers_model, config))
    except ValueError:
        raise TrainError(_unknown(model, lora, what), hint="write targets: all-linear, or some of these") from None


def _unknown(model: SentenceTransformer, lora: Lora, what: str) -> str:
    layers = {name.rpartition(".")[2] for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)}
    wanted = ", ".join(lora.targets)
    return f"{what} has lora.targets '{wanted}', and no layer is called so; linear ones: {', '.join(sorted(layers))}"
