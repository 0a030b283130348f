"""Runs one phase of a recipe, and goes on with one that was cut off."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from datasets import Dataset as Rows
from datasets import load_dataset
from sentence_transformers import SentenceTransformer
from torch import nn
from transformers import PrinterCallback, TrainerState, set_seed

from zoo.errors import TrainError
from zoo.layout import ADAPTER, JOURNAL, TRAIN_LOG
from zoo.losses import build_loss, losses_blamed
from zoo.recipe.dataset import Dataset
from zoo.recipe.schema import Recipe
from zoo.recipe.training import DataUse, NamedPhase
from zoo.run import file_digest
from zoo.say import Progress
from zoo.train import checkpoints, ranks
from zoo.train.activations import compute_again
from zoo.train.adapters import TRAINED, Adapters, adapted
from zoo.train.arguments import arguments, prompts_by_column
from zoo.train.dev import evaluator, metric_of
from zoo.train.doubts import (
    compares,
    drift,
    of_dev_rows,
    of_few_rows,
    of_log,
    of_repeats,
    of_rows,
    of_tokens,
    of_vectors,
    start_score,
    start_wins,
)
from zoo.train.gemm import onednn
from zoo.train.ingredients import HEADS
from zoo.train.journal import Journal, ending_told
from zoo.train.packing import unpack
from zoo.train.precision import Precision, require_used
from zoo.train.rates import rates
from zoo.train.rhythm import Rhythm
from zoo.train.shares import row_count, rows_read, sampled
from zoo.train.show import ShowProgress
from zoo.train.speedups import Speedups, Training, set_speedups
from zoo.train.stopping import StopEarly, is_over
from zoo.train.taught import Load, loader, with_labels
from zoo.train.trainer import HEAD_FILE, SealCheckpoints, StopAtNonsense, Trainer
from zoo.train.troubles import guard_trackers, require_positions, troubles_told

BEGUN_IN = ".precision"  # beside the checkpoints
Splits = Mapping[str, Mapping[str, str]]  # {dataset: {split: Parquet file}}


@dataclass(frozen=True)
class PhaseRun:
    """One phase of a recipe that trains a model in `folder`, where its checkpoints are while it lasts."""

    recipe: Recipe
    phase: NamedPhase
    start: Callable[[str | None], SentenceTransformer]
    """Loads the model that training starts from onto a device, the same every time."""
    device: str | None
    folder: Path
    splits: Splits
    precision: Precision
    report_to: Sequence[str]
    progress: Progress
    models: Mapping[str, str]
    """{title: commit} of the models that losses name."""

    @property
    def checkpoints(self) -> Path:
        """The folder of the phase's checkpoints while it lasts."""
        return self.folder / f"checkpoints-{self.phase.name}"

    @property
    def done(self) -> Path:
        """The folder of the phase's model and log once it is over."""
        return self.folder / f"phase-{self.phase.name}"

    @cached_property
    def model(self) -> SentenceTransformer:
        """The model that is trained."""
        return self.start(self.device)

    @cached_property
    def adapters(self) -> Adapters | None:
        """The adapters that are trained in place of its weights, where the recipe has some."""
        lora = self.phase.train.lora
        return adapted(self.model, lora, self.name) if lora else None

    @cached_property
    def read(self) -> dict[str, int]:
        """{dataset: rows of it that an epoch reads}."""
        return rows_read(self.phase, self.splits)

    @property
    def name(self) -> str:
        """The phase as sentences name it."""
        return f"phase '{self.phase.name}' of '{self.recipe.name}'"

    def run(self) -> None:
        """Train, go back to the best checkpoint, and save model, heads and log: the first of several processes does.

        When no step is better on dev than the start, the start itself is saved, and no heads, which belong to others.

        Raises:
            TrainError: the loss or every score is no number, a checkpoint is in the way, or the best one is lost.
        """
        full_length = self.model.max_seq_length
        self.shorten()
        self._require_same_precision()
        last = ranks.agreed(ranks.is_first() and checkpoints.newest_whole(self.checkpoints, self._note)) or None
        doubts = self._told(self._doubts_of_data()) if ranks.is_first() else []
        trainer = self._trainer(begins=last is None)
        with onednn(trainer.speedups.onednn):
            state = self._trained(trainer, last)
            if ranks.is_first():
                self._finish(trainer, state, doubts, full_length)
        ranks.wait()

    def shorten(self) -> None:
        """Let the model read no more of a text than the phase's `max_seq_length`.

        Raises:
            TrainError: it has no places for so many tokens.
        """
        longest = self.phase.train.max_seq_length
        self.model.max_seq_length = min(self.model.max_seq_length or longest, longest)
        require_positions(self.model, f"'{self.recipe.name}'")

    def _finish(self, trainer: Trainer, state: TrainerState, doubts: list[str], full_length: int | None) -> None:
        log = {**self._log(state), **trainer.speedups.logged}
        start = self.start("cpu")
        distance = self.adapters.moved() if self.adapters else drift(self.model, start)
        doubts += self._told(of_log(self.phase, log["log"], distance=distance))
        unpack(self.model)
        best = self._back_to_the_best(trainer, log)
        kept = start if log["best_step"] == 0 else self.model
        if kept is self.model:
            trainer.save_loss_state(self.folder / HEADS / f"{self.phase.name}.safetensors")
            doubts += self._told(self._doubts_of_vectors())
            self._merge(best)
        self.model.max_seq_length = full_length
        self._save(kept, {**log, "doubts": doubts}, best)
        shutil.rmtree(self.checkpoints)

    def _told(self, doubts: list[str]) -> list[str]:
        for doubt in doubts:
            self._note(doubt)
        return doubts

    def _doubts_of_data(self) -> list[str]:
        dev = self.phase.dev
        found = list(of_dev_rows(dev, Path(self.splits[dev]["validation"]))) if dev else []
        for use in self.phase.data:
            dataset, file = self.recipe.datasets[use.dataset], Path(self.splits[use.dataset]["train"])
            found += of_rows(use, dataset, file)
            found += of_few_rows(self.phase, use, self.read[use.dataset])
            if self.read[use.dataset] == row_count(file):  # else a sample is read, in which a text stands less often
                found += of_repeats(use, dataset.texts, file, self.phase.train)
            found += of_tokens(
                use,
                dataset,
                file,
                self.model.tokenizer,
                longest=self.model.max_seq_length,
                prompts=prompts_by_column(self.recipe, use),
                seed=self.phase.train.seed,
            )
        return found

    def _doubts_of_vectors(self) -> list[str]:
        name, seed = self.phase.data[0].dataset, self.phase.train.seed
        column, file = self.recipe.datasets[name].texts[0], Path(self.splits[name]["train"])
        return list(of_vectors(self.model, column, file, seed=seed))

    def _require_same_precision(self) -> None:
        """Refuse to go on in another precision than the phase was begun in: the log could not say which it was."""
        begun, now = self.checkpoints / BEGUN_IN, f"{self.precision.used} on {self.precision.device}"
        now += f" with --gpus {ranks.size()}" if ranks.size() > 1 else ""
        was = begun.read_text("utf-8") if begun.is_file() else ""  # so is one that was cut off, or had no room
        if was not in ("", now):
            hint = "use the device of before, or start anew with --force train"
            raise self._error(f"was begun in {was} and would go on in {now}", hint=hint)
        ranks.wait()
        self.checkpoints.mkdir(exist_ok=True)
        if not was:
            begun.write_text(now, "utf-8")

    def _note(self, text: str) -> None:
        self.progress.note(f"{self.recipe.name}: phase '{self.phase.name}': {text}")

    def _error(self, what: str, hint: str = "lower learning_rate, or use precision: fp32") -> TrainError:
        return TrainError(f"{self.name} {what}", hint=hint)

    def _trained(self, trainer: Trainer, last: Path | None) -> TrainerState:
        if last is not None and self._is_the_end(last):
            trainer.load_model(last)  # transformers would train a step more
            return TrainerState.load_from_json(str(last / checkpoints.STATE))
        if last is not None:
            trainer.load_loss_state(last / HEAD_FILE)  # the Trainer itself loads the model and the rest
        blamed = losses_blamed(self.phase.data, self.name)
        with ending_told(trainer), blamed, troubles_told(trainer, self.phase, self._error, self._note):
            trainer.train(resume_from_checkpoint=str(last) if last else None)
        return trainer.state

    def _is_the_end(self, checkpoint: Path) -> bool:
        log = checkpoints.state_of(checkpoint)["log_history"]
        return checkpoints.is_the_last(checkpoint) or is_over(self.phase.train, metric_of(self.phase), log)

    def _merge(self, best: Path | None) -> None:
        """Make a stock model of one with adapters, which are kept beside it where the recipe says so."""
        if self.adapters is None or self.phase.train.lora is None:
            return
        if best is not None and checkpoints.weights(best)[TRAINED] != self.adapters.digest():
            raise self._error(f"ended with other adapters than its best checkpoint, '{best.name}'", hint="run it again")
        if self.phase.train.lora.keep:
            self.adapters.keep(self.folder / ADAPTER / self.phase.name, self.recipe.base)
        self.adapters.merge()

    def _back_to_the_best(self, trainer: Trainer, log: Mapping[str, Any]) -> Path | None:
        """Load the checkpoint that scored best, which may not be the last; null where none beat the start."""
        if not log["best_step"]:
            return None
        metric = metric_of(self.phase)
        best = checkpoints.require_best(self.checkpoints, step=log["best_step"], metric=metric, value=log["best"])
        trainer.load_model(best)
        return best

    def _trainer(self, *, begins: bool) -> Trainer:
        set_seed(self.phase.train.seed)  # before the losses: a head starts from random weights, the Trainer seeds later
        recipe, phase, adapters = self.recipe, self.phase, self.adapters
        if phase.train.gradient_checkpointing:
            compute_again(self.model, self.name)
        own = rates(phase.train, self.model, self.name)
        load = loader(self.models, self.device)
        data = {use.dataset: self._labelled(use, load) for use in phase.data}
        losses = {use.dataset: build_loss(use.loss, self.model, load=load) for use in phase.data}
        several = len(phase.data) > 1
        self.model.model_card_data.widget = [{"text": ""}]  # the card is ours: do not read the data for examples
        trainer = Trainer(
            model=self.model,
            args=arguments(recipe, phase, self.precision, self.checkpoints, self.report_to, begins=begins, rates=own),
            train_dataset=data if several else next(iter(data.values())),
            loss=losses if several else next(iter(losses.values())),
            evaluator=evaluator(recipe, phase, Path(self.splits[phase.dev]["validation"])) if phase.dev else None,
            comparing={use.dataset for use in phase.data if compares(use)},
            adapters=adapters,
            speedups=self._speedups(data, list(losses.values()), begins=begins),
        )
        require_used(self.precision, trainer.accelerator.mixed_precision)
        guard_trackers(trainer, self._note)
        trainer.remove_callback(PrinterCallback)  # it prints to stdout when the bars are off
        for callback in (
            Rhythm(phase.train, evaluates=phase.dev is not None),
            StopAtNonsense(self._error),
            *([StopEarly(phase.train, metric_of(phase))] if phase.train.early_stopping_patience else []),
            SealCheckpoints(),
            ranks.AverageHeads(trainer.loss_state().values()),
            *([self._journal(trainer)] if ranks.is_first() else []),
            ShowProgress(self.progress, f"{recipe.name}: {phase.name}", trainer.pace, self.precision.device),
        ):
            trainer.add_callback(callback)
        return trainer

    def _speedups(self, data: Mapping[str, Rows], losses: Sequence[nn.Module], *, begins: bool) -> Speedups:
        prompts = {use.dataset: prompts_by_column(self.recipe, use) for use in self.phase.data}
        texts = [(data[name].select_columns(list(columns)), columns) for name, columns in prompts.items()]
        training = Training(self.model, losses, self.phase.train, self.precision, texts)
        return ranks.in_turn(lambda: set_speedups(self.checkpoints, training, self._note, begins=begins))

    def _labelled(self, use: DataUse, load: Load) -> Rows:
        width = self.model.get_embedding_dimension()
        rows = self._rows(use.dataset)
        labelled = ranks.in_turn(lambda: with_labels(rows, use, load, self.folder, width, self.progress))
        return sampled(labelled, self.read[use.dataset], seed=self.phase.train.seed)

    def _journal(self, trainer: Trainer) -> Journal:
        about = {
            "recipe": self.recipe.name,
            "precision": asdict(self.precision),
            "metric": trainer.args.metric_for_best_model,
            **trainer.speedups.logged,
        }
        file = self.folder / JOURNAL
        return Journal(file, trainer.pace, phase=self.phase.name, device=self.precision.device, about=about)

    def _rows(self, name: str) -> Rows:
        """The training rows, columns in the order in which the loss reads them, the label under the Trainer's name."""
        dataset: Dataset = self.recipe.datasets[name]
        rows = load_dataset("parquet", data_files=self.splits[name]["train"], split="train")
        rows = rows.select_columns(list(dataset.columns))
        return rows.rename_column(dataset.label[0], "label") if dataset.label and dataset.label[0] != "label" else rows

    def _save(self, model: SentenceTransformer, log: Mapping[str, Any], best: Path | None = None) -> None:
        """Write model and log under `done`, at once."""
        work = self.done.with_name(f".{self.done.name}")
        shutil.rmtree(work, ignore_errors=True)
        model.save_pretrained(str(work), create_model_card=False)
        if best is not None:
            self._require_same_weights(work, best)
        (work / TRAIN_LOG).write_text(json.dumps(log, allow_nan=False, sort_keys=True), "utf-8")
        work.rename(self.done)

    def _require_same_weights(self, saved: Path, best: Path) -> None:
        """Raise unless what is saved are the weights of the best checkpoint, byte for byte."""
        for name, digest in checkpoints.weights(best).items():
            if name not in (HEAD_FILE, TRAINED) and file_digest(saved / name) != digest:
                what = f"ended with other weights in '{name}' than its best checkpoint, '{best.name}', has"
                raise self._error(what, hint="run it again")

    def _log(self, state: TrainerState) -> dict[str, Any]:
        """The report of the phase in the train stage's log: the same however often it was interrupted.

        Raises:
            TrainError: the phase has a dev set, and no score on it is a number.
        """
        entries = [plain_entry(entry) for entry in state.log_history if "train_runtime" not in entry]
        start, best, step = start_score(self.phase, entries), state.best_metric, state.best_global_step
        if self.phase.dev and start_wins(start, best if step else None):
            best, step = start, 0
        elif self.phase.dev and not step:
            what = f"has no score on '{self.phase.dev}' that is a number: the embeddings are all alike"
            hint = "lower learning_rate, or use precision: fp32"
            raise self._error(what, hint="look at its texts and at max_seq_length" if start is None else hint)
        return {
            "phase": self.phase.name,
            "steps": state.global_step,
            **({"metric": metric_of(self.phase)} if self.phase.dev else {}),
            "start": start,
            "best": best if self.phase.dev else None,
            "best_step": step if self.phase.dev else None,
            "precision": asdict(self.precision),
            **({"rows": self.read} if self.phase.data[0].weight else {}),
            **({"devices": ranks.size()} if ranks.size() > 1 else {}),
            "log": entries,
        }


def plain_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A log entry in strict JSON without what differs from run to run; what is no number becomes null."""
    kept = {key: value for key, value in entry.items() if not key.endswith(("_runtime", "_per_second"))}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in kept.items()
    }
