"""What stops a training though its recipe is right, told so that people can put it right: memory, disk, numbers."""

from __future__ import annotations

import errno
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers.integrations import get_reporting_integration_callbacks

from zoo.characters import brief
from zoo.errors import NO_ROOM, TrainError
from zoo.modules.module import runs_code_of_others
from zoo.recipe.training import NamedPhase
from zoo.train import checkpoints
from zoo.train.precision import has_bf16
from zoo.train.probed import STARTS_ANEW, less_memory

NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|bad_alloc", re.IGNORECASE)
NOT_WRITTEN = re.compile(r"PytorchStreamWriter|os error 2[78]\b|No space left|File too large")
"""What torch and safetensors say, in place of an OSError, when a file cannot be written to its end."""
LONG_INDEX = re.compile(r"index out of range in self|device-side assert|CUBLAS_STATUS_EXECUTION_FAILED")
AT_WORK = ".at-work"  # among the checkpoints of a phase while it is trained
PROBE = "`zoo check --probe` tries how much it needs"
SHOWN = 3  # rows of a batch that are shown
TEXT = 40  # characters of a text that are shown


@dataclass(frozen=True)
class Batch:
    """The batch that a loss is computed of.

    Args:
        columns: what the loss is given of each text column: `input_ids`, (rows, tokens); of packed texts (1, tokens),
            and `cu_seq_lens_q`, where each begins and the last one ends.
    """

    dataset: str
    columns: Sequence[Mapping[str, Any]]

    def texts(self) -> list[list[torch.Tensor]]:
        """Token ids of every text, column by column; where they are padded, with the padding."""
        return [_unpacked(column["input_ids"], column.get("cu_seq_lens_q")) for column in self.columns]

    @property
    def size(self) -> tuple[int, int]:
        """Rows, and tokens of the longest text."""
        texts = self.texts()
        return len(texts[0]), max(len(ids) for column in texts for ids in column)

    def shown(self, tokenizer: Any) -> str:
        """The first rows of the batch, each text cut short."""
        rows = [*zip(*self.texts(), strict=False)]
        first = ["(" + ", ".join(f"'{_text(tokenizer, ids)}'" for ids in row) + ")" for row in rows[:SHOWN]]
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        return f"the rows of '{self.dataset}' {', '.join(first)}{more}"


def _unpacked(ids: torch.Tensor, ends: torch.Tensor | None) -> list[torch.Tensor]:
    return list(ids) if ends is None else list(ids[0].tensor_split(ends[1:-1].tolist()))


def _text(tokenizer: Any, ids: torch.Tensor) -> str:
    return brief(tokenizer.decode(ids[: 2 * TEXT], skip_special_tokens=True), TEXT)


class _Watch:
    """Knows the batch that a loss is computed of, and stops at the first loss that is no number.

    On a CPU every loss is looked at. On a GPU looking waits for all that was begun there, so a batch's answer is
    fetched beside the work and looked at with the next batch.
    """

    def __init__(self, trainer: Any, datasets: list[str]) -> None:
        self.trainer = trainer
        self.batch: Batch | None = None
        self._asked: tuple[int, Batch, torch.Tensor, Any] | None = None
        losses = trainer.loss if isinstance(trainer.loss, dict) else {datasets[0]: trainer.loss}
        self._hooks = [
            hook
            for name, loss in losses.items()
            for hook in (
                loss.register_forward_pre_hook(lambda loss, given, name=name: self._begins(name, given)),
                loss.register_forward_hook(lambda loss, given, made: self._came_out(made)),
            )
        ]

    def close(self) -> None:
        """Look at batches no longer."""
        for hook in self._hooks:
            hook.remove()

    @property
    def step(self) -> int:
        """The step that is being computed."""
        return int(self.trainer.state.global_step) + 1

    def _begins(self, dataset: str, given: Any) -> None:
        self.batch = Batch(dataset, list(given[0]))

    def _came_out(self, made: Any) -> None:
        assert self.batch
        total = torch.stack(list(made.values())).sum().detach() if isinstance(made, Mapping) else made.detach()
        if total.device.type != "cuda":
            self._look(self.step, self.batch, total)
            return
        if self._asked:
            step, batch, answer, fetched = self._asked
            fetched.synchronize()
            self._look(step, batch, answer)
        answer = total.to("cpu", non_blocking=True)
        fetched = torch.cuda.Event()  # type: ignore[no-untyped-call]
        fetched.record()
        self._asked = self.step, self.batch, answer, fetched

    def _look(self, step: int, batch: Batch, loss: torch.Tensor) -> None:
        if not math.isfinite(value := float(loss)):
            raise _NoNumberError(step, batch, value)


class _NoNumberError(Exception):
    def __init__(self, step: int, batch: Batch, loss: float) -> None:
        super().__init__()
        self.step, self.batch, self.loss = step, batch, loss


@contextmanager
def troubles_told(
    trainer: Any, phase: NamedPhase, error: Callable[..., TrainError], note: Callable[[str], None]
) -> Iterator[None]:
    """Turn what stops training inside of the libraries into one sentence each, with the step and the batch.

    Args:
        trainer: whose `train` is called inside.
        error: makes the error of what happened in this phase, and of a hint.
        note: takes a sentence on an attempt before this one that had no time to say why it ended.

    Raises:
        TrainError: a loss is no number, or memory or disk are full. Checkpoints that are whole stay.
    """
    watch = _Watch(trainer, [use.dataset for use in phase.data])
    try:
        with _marked(trainer, note):
            yield
    except _NoNumberError as found:
        raise _of_numbers(found, trainer, error) from None
    except (MemoryError, RuntimeError, SafetensorError, OSError, IndexError) as problem:
        if (told := _told(problem, watch, phase, error)) is None:
            raise
        raise told from problem
    finally:
        watch.close()


@contextmanager
def _marked(trainer: Any, note: Callable[[str], None]) -> Iterator[None]:
    """Leave a mark that only an end without a word leaves behind, and tell of one. Of several processes one does.

    One of the others that finds a trouble removes it: the first is then ended in the middle of its work.
    """
    mark = Path(trainer.args.output_dir) / AT_WORK
    if not trainer.is_world_process_zero():
        try:
            yield
        except Exception:
            mark.unlink(missing_ok=True)
            raise
        return
    if mark.is_file():
        note(f"the attempt before ended without a word: was it killed, or out of memory? {PROBE}")
    mark.touch()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _told(problem: Exception, watch: _Watch, phase: NamedPhase, error: Callable[..., TrainError]) -> TrainError | None:
    said = str(problem)
    if _is_of_memory(problem):
        return _of_memory(watch, phase, error)
    full = problem.errno in NO_ROOM if isinstance(problem, OSError) else NOT_WRITTEN.search(said)
    if full:
        return _of_disk(watch.trainer, error)
    if LONG_INDEX.search(said):
        hint = "is base.max_seq_length above what it was made for, or its tokenizer another model's?"
        return error(f"gives the model a token or a place that it does not have, {_at(watch)}", hint=hint)
    return None


def _at(watch: _Watch) -> str:
    batch = watch.batch
    if batch is None:
        return f"at step {watch.step}"
    rows, longest = batch.size
    return f"at step {watch.step}: {rows} rows of '{batch.dataset}', the longest text {longest} tokens"


def _of_memory(watch: _Watch, phase: NamedPhase, error: Callable[..., TrainError]) -> TrainError:
    kind = watch.trainer.model.device.type
    ways = less_memory(phase, tokens={}, bf16=has_bf16(kind))
    where = "of the GPU " if kind == "cuda" else ""
    return error(f"ran out of memory {where}{_at(watch)}", hint="; or ".join(ways) or "use a larger machine")


def _is_of_memory(problem: Exception) -> bool:
    return isinstance(problem, MemoryError) or (
        isinstance(problem, RuntimeError) and bool(NO_MEMORY.search(str(problem)))
    )


@contextmanager
def full_memory_told(what: str) -> Iterator[None]:
    """Turn what libraries raise when memory is full before the first step or after the last one into one sentence.

    Args:
        what: begins the sentence, e.g. "phase 'sts' of 'arabert-sts'".

    Raises:
        TrainError: memory is full.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not _is_of_memory(problem):
            raise
        hint = "end what else is using it, or use a larger machine, then run it again: what was trained is kept"
        raise TrainError(
            f"{what} ran out of memory outside of its steps, as for loading a model", hint=hint
        ) from problem


def _of_disk(trainer: Any, error: Callable[..., TrainError]) -> TrainError:
    folder, step = Path(trainer.args.output_dir), trainer.state.global_step
    last = checkpoints.newest_whole(folder, lambda why: None)  # what was cut off takes no room any more
    went_on = f"it goes on from step {checkpoints.step_of(last)}" if last else "it starts anew"
    what = f"finds no room for its checkpoint of step {step} in '{folder}'"
    return error(what, hint=f"make room, then run it again: {went_on}")


def _of_numbers(found: _NoNumberError, trainer: Any, error: Callable[..., TrainError]) -> TrainError:
    """The error for a loss that is no number: by its rows, or by weights that ran away in the steps before."""
    dataset, shown = found.batch.dataset, found.batch.shown(trainer.model.tokenizer)
    what = f"has loss '{found.loss}' at step {found.step}, of {shown}"
    if not all(bool(weight.isfinite().all()) for weight in trainer.model.parameters()):
        what += "; the weights are no numbers since the step before"
    rows = f"leave such rows out by steps in recipes/datasets/{dataset}.yaml"
    way = f"lower learning_rate, or use precision: fp32, or {rows}"
    return error(what, hint=f"{way}: each {STARTS_ANEW}, and the checkpoints that are whole are put aside")


def require_positions(model: Any, what: str) -> None:
    """Raise a TrainError when texts may be longer than the model has places for, which torch tells in riddles.

    Args:
        what: the model, for people, as "'arabert-hybrid'".
    """
    places = [
        module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
        for name, module in model.named_modules()
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding)
    ]
    places += _own_places(model)
    longest = model.max_seq_length
    if places and (longest is None or longest > min(places)):
        told = f"the model of {what} has places for {min(places)} tokens, and max_seq_length is {longest}"
        raise TrainError(told, hint=f"write max_seq_length: {min(places)} under `base`, or leave it out")


def _own_places(model: Any) -> list[int]:
    """The places that code of others computes by itself, in tables that no checkpoint holds; mostly none."""
    encoder = model.transformers_model
    found = getattr(encoder.config, "max_position_embeddings", None) if runs_code_of_others(encoder) else None
    return [found] if isinstance(found, int) and found > 0 else []


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn what torch and safetensors raise on a full disk into the OSError that it is.

    Args:
        folder: where is written.
    """
    try:
        yield
    except (SafetensorError, RuntimeError) as problem:
        if not NOT_WRITTEN.search(str(problem)):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from problem


# Trackers


class _Guarded:
    """A tracker whose failures are told once, and after which it is left alone: training goes on without it."""

    def __init__(self, tracker: Any, told: Callable[[str], None]) -> None:
        self.tracker, self.told, self.failed = tracker, told, False

    def __getattr__(self, event: str) -> Any:
        method = getattr(self.tracker, event)

        def call(*given: Any, **named: Any) -> Any:
            if self.failed:
                return None
            try:
                return method(*given, **named)
            except Exception as problem:  # noqa: BLE001 - a library of others' that asks a service may raise anything
                self.failed = True
                name = type(self.tracker).__name__.removesuffix("Callback")
                first = (str(problem).splitlines() or [""])[0]
                self.told(f"{name} is told no more: {type(problem).__name__}: {brief(first)}")
                return None

        return call if event.startswith("on_") else method


def guard_trackers(trainer: Any, told: Callable[[str], None]) -> None:
    """Let the training go on without a tracker that fails.

    Args:
        told: takes one sentence on each tracker that failed.
    """
    kinds = tuple(get_reporting_integration_callbacks(trainer.args.report_to))
    handler = trainer.callback_handler
    handler.callbacks = [_Guarded(one, told) if isinstance(one, kinds) else one for one in handler.callbacks]
