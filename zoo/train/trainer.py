"""sentence-transformers' Trainer with what it lacks: loss heads in checkpoints, and progress of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformerTrainer
from transformers import TrainerCallback

from zoo.say import Progress

HEAD_FILE = "loss_state.safetensors"


class Trainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Checkpoints the parameters that belong to a loss (a classifier head) and puts them back on resume.

    sentence-transformers 6.2 saves the encoder only, so a resumed SoftmaxLoss would start from a new random head with
    the old head's Adam moments.
    """

    def loss_state(self) -> dict[str, torch.Tensor]:
        """Parameters of the losses that are not the model's, by '<dataset>/<parameter>'."""
        losses = self.loss if isinstance(self.loss, dict) else {"loss": self.loss}
        shared = {id(parameter) for parameter in self.model.parameters()}
        return {
            f"{name}/{key}": parameter
            for name, loss in losses.items()
            for key, parameter in loss.named_parameters()
            if id(parameter) not in shared
        }

    def save_loss_state(self, path: Path) -> None:
        if state := self.loss_state():
            save_file({key: value.detach().cpu().contiguous() for key, value in state.items()}, path)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        self.save_loss_state(Path(output_dir or self.args.output_dir) / HEAD_FILE)

    def _load_from_checkpoint(self, checkpoint_path: str, *args: Any) -> None:
        super()._load_from_checkpoint(checkpoint_path, *args)
        path = Path(checkpoint_path) / HEAD_FILE
        state = self.loss_state()
        saved = load_file(path) if path.is_file() else {}
        if saved.keys() != state.keys():
            raise ValueError(f"{path}: has {sorted(saved)}, the losses have {sorted(state)}")
        with torch.no_grad():
            for key, parameter in state.items():
                parameter.copy_(saved[key])


class ShowProgress(TrainerCallback):  # type: ignore[misc]
    """Steps to a `Progress`, in place of the Trainer's own bars."""

    def __init__(self, progress: Progress, label: str) -> None:
        self.progress = progress
        self.label = label

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.progress.start(self.label, state.max_steps)
        self.progress.advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.progress.advance()

    def on_train_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.progress.finish()
