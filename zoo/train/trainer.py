"""sentence-transformers' Trainer with what it lacks: loss heads in checkpoints, whole checkpoints, counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformerTrainer
from transformers import TrainerCallback, TrainerControl, TrainerState

from zoo.models.load import saved_model
from zoo.train import checkpoints, ranks
from zoo.train.adapters import TRAINED, Adapters
from zoo.train.pace import Pace
from zoo.train.packing import padded
from zoo.train.speedups import Speedups

HEAD_FILE = "loss_state.safetensors"
ROWS = "rows"  # in the log, of training: rows since the entry before
LONELY = "batches_of_one_row"  # in the log, where there are some whose loss compares rows


class Trainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Checkpoints the parameters that belong to a loss (a classifier head) beside the model, and puts them back.

    sentence-transformers 6.2 saves the encoder only, so a resumed SoftmaxLoss would start from a new random head with
    the old head's Adam moments. And it logs how many rows the batches had: a checkpoint is written where the log is,
    so nothing of that is lost.
    """

    def __init__(
        self,
        *,
        comparing: Collection[str],
        speedups: Speedups,
        adapters: Adapters | None = None,
        **options: Any,
    ) -> None:
        """Take what the Trainer of sentence-transformers takes.

        Args:
            comparing: datasets whose loss compares the rows of a batch with each other.
            speedups: how it computes; the model is set to it already.
            adapters: those that are trained in place of the model's weights.
        """
        self.comparing = comparing
        self.speedups = speedups
        self.adapters = adapters
        self.pace = Pace()
        self.seen = dict.fromkeys((ROWS, LONELY), 0)  # since the last log
        arguments = options["args"]
        arguments._n_gpu = min(arguments.n_gpu, 1)  # or it would take all GPUs there are unasked, by DataParallel
        super().__init__(**options)
        self.add_callback(self.pace)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of a batch, whose rows are counted."""
        rows, dataset = _rows(inputs), inputs.get("dataset_name")
        self.seen[ROWS] += rows
        self.pace.count(inputs, rows)
        self.seen[LONELY] += rows == 1 and (dataset in self.comparing if dataset else bool(self.comparing))
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, with a loss, how many rows it is the mean of."""
        if "loss" in logs:
            seen = {**self.seen, ROWS: self.seen[ROWS] * ranks.size()}  # the others have equally many
            logs = {**logs, **{name: count for name, count in seen.items() if count}}
            self.seen = dict.fromkeys(self.seen, 0)
        super().log(logs, start_time)

    def get_batch_sampler(self, dataset: Any, batch_size: int, *options: Any, **named: Any) -> Any:
        """Return what makes a dataset's batches; one of several processes gets its share of larger ones."""
        if ranks.size() == 1:
            return super().get_batch_sampler(dataset, batch_size, *options, **named)
        named["drop_last"] = False  # sentence-transformers asks for that, as its own shares would not be equal
        whole = super().get_batch_sampler(dataset, batch_size * ranks.size(), *options, **named)
        return ranks.Share(whole, self.args.process_index, ranks.size())

    def get_train_dataloader(self) -> Any:
        """Return the batches of this process. accelerate would share them out again, and not equally many to each."""
        if ranks.size() == 1:
            return super().get_train_dataloader()
        return self._build_dataloader(self.train_dataset, self.args.train_batch_size, dataset_kind="train")

    def loss_state(self) -> dict[str, torch.Tensor]:
        """Parameters of the losses that are trained and not the model's, by '<dataset>/<parameter>'."""
        losses = self.loss if isinstance(self.loss, dict) else {"loss": self.loss}
        shared = {id(parameter) for parameter in self.model.parameters()}
        return {
            f"{name}/{key}": parameter
            for name, loss in losses.items()
            for key, parameter in loss.named_parameters()
            if id(parameter) not in shared and parameter.requires_grad
        }

    def save_loss_state(self, path: Path) -> None:
        """Write the losses' parameters to `path`; no file where no loss has any."""
        if state := self.loss_state():
            save_file({key: value.detach().cpu().contiguous() for key, value in state.items()}, path)

    def load_loss_state(self, path: Path) -> None:
        """Put the losses' parameters back as `save_loss_state` wrote them."""
        state = self.loss_state()
        saved = load_file(path) if path.is_file() else {}
        if saved.keys() != state.keys():
            raise ValueError(f"{path}: has {sorted(saved)}, the losses have {sorted(state)}")
        with torch.no_grad():
            for key, parameter in state.items():
                parameter.copy_(saved[key])

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write model and losses as the first part of a checkpoint; no card and no pickle of the arguments."""
        folder = Path(output_dir or self.args.output_dir)
        if self.args.should_save:
            checkpoints.begin(folder)
        ranks.wait()  # the others write beside it, and only into what is marked as ours
        if self.args.should_save:
            if self.adapters:
                (folder / TRAINED).write_bytes(self.adapters.content())
            else:
                with padded(self.model):
                    self.model.save_pretrained(str(folder), create_model_card=False)
            self.save_loss_state(folder / HEAD_FILE)

    def load_model(self, checkpoint: Path) -> None:
        """Put model and losses back as `save_model` wrote them."""
        if self.adapters:
            self.adapters.load(checkpoint / TRAINED)
        else:
            self.model.load_state_dict(saved_model(checkpoint, device="cpu").state_dict())
        self.load_loss_state(checkpoint / HEAD_FILE)

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        """Load the model as `load_model` does, where the Trainer goes on: its own way knows no adapters without it."""
        self.load_model(Path(checkpoint_path))


def _rows(inputs: Mapping[str, Any]) -> int:
    """The number of rows in a batch. Texts that are joined in one list of tokens come with the places of each."""
    for name, value in inputs.items():
        if name.endswith("cu_seq_lens_q"):
            return len(value) - 1  # the last is where the last text ends
        if name.endswith("offsets"):
            return len(value)
    return len(next(value for name, value in inputs.items() if name.endswith("input_ids")))


class SealCheckpoints(TrainerCallback):  # type: ignore[misc]
    """Marks a checkpoint as whole once the Trainer has written it, and only then removes older ones."""

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **rest: Any) -> None:
        """Mark the new checkpoint as whole, then remove older ones."""
        ranks.wait()  # every process has written its part
        if not args.should_save:
            return
        folder = Path(args.output_dir)
        checkpoints.seal(checkpoints.place(folder, state.global_step))
        checkpoints.rotate(folder, newest=state.global_step, best=state.best_global_step)


class StopAtNonsense(TrainerCallback):  # type: ignore[misc]
    """Ends the training with an error at the first logged loss that is no number, before it is saved."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        self.error = error

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **rest: Any) -> None:
        """Raise the error when the logged loss is not a finite number."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise self.error(f"has loss '{loss}' at step {state.global_step}")
