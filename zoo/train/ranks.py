"""Several processes that train one model together, a device each (data parallel). Alone, all of this does nothing.

The first of them, rank 0, writes and speaks; the others compute. What one decides by its clock or its disk, all must
decide alike: a process that waits for others which went another way waits forever.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from torch import distributed
from torch.distributed import FileStore  # type: ignore[attr-defined]  # its stubs do not say so
from torch.utils.data import BatchSampler
from transformers import TrainerCallback

from zoo.environment import MEETING
from zoo.errors import TrainError

Value = TypeVar("Value")
PATIENCE = timedelta(days=7)
"""So long the others wait for what the first does alone, such as a teacher's embeddings; NCCL's own limit is minutes.
They need no shorter one: torchrun ends them when the first ends."""


def meet(device: str | None) -> None:
    """Meet the other processes of this training, where torchrun started some. No device means the best there is."""
    if (ranks := int(os.environ.get("WORLD_SIZE", "1"))) > 1:
        store = FileStore(os.environ[MEETING], ranks)
        rank = int(os.environ["RANK"])
        PartialState(cpu=device == "cpu", timeout=PATIENCE, store=store, rank=rank, world_size=ranks)


def leave() -> None:
    """Part from the others, so that none of them is still listening when the process ends."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def size() -> int:
    """The number of processes that train together; 1 for one that trains alone."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """True in the process that writes and speaks."""
    return size() == 1 or distributed.get_rank() == 0


def wait() -> None:
    """Go on when all processes are here."""
    if size() > 1:
        distributed.barrier()


def in_turn(make: Callable[[], Value]) -> Value:
    """Make something in the first process, then in the others, who find what it left on the disk."""
    if not is_first():
        wait()
        return make()
    made = make()
    wait()
    return made


def agreed(value: Value) -> Value:
    """The first process's value, in all of them."""
    if size() == 1:
        return value
    found: Value = broadcast_object_list([value])[0]
    return found


def require_devices(wanted: int, device: str | None) -> None:
    """Refuse to train on more devices than this machine has. On the CPU, any number of processes share its cores.

    Raises:
        TrainError: there are fewer.
    """
    if device == "cpu":
        return
    best = torch.accelerator.current_accelerator(check_available=True)
    there = torch.accelerator.device_count() if best else 0
    if wanted > there:
        hint = (
            f"--gpus {there}" if there > 1 else "leave --gpus out" if there else "--device cpu takes processes instead"
        )
        raise TrainError(f"--gpus asks for '{wanted}' devices, and this machine has {there}", hint=hint)


class Share(BatchSampler):
    """This process's part of batches that are as many times larger as there are processes.

    All take their parts of the same batch of the same dataset, so that all have the same number of steps, with equally
    many rows: fewer rows than processes, and what is left over at the end of a batch, are left out until the next epoch
    shuffles anew.
    """

    def __init__(self, whole: Any, rank: int, ranks: int) -> None:
        """Take a batch sampler of sentence-transformers, which draws the same in every process."""
        self.whole, self.rank, self.ranks = whole, rank, ranks
        self.batch_size, self.drop_last = whole.batch_size // ranks, whole.drop_last

    def set_epoch(self, epoch: int) -> None:
        """Shuffle as the whole does in that epoch."""
        self.whole.set_epoch(epoch)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the numbers of rows of each batch, 1 to `batch_size` of them."""
        for batch in self.whole:
            rows = len(batch) // self.ranks
            if rows:
                yield batch[self.rank * rows : (self.rank + 1) * rows]

    def __len__(self) -> int:
        """The number of batches, one too many where the last has fewer rows than there are processes."""
        return len(self.whole)


class AverageHeads(TrainerCallback):  # type: ignore[misc]
    """Averages the gradients of parameters that belong to losses: DDP does so with those of the model alone."""

    def __init__(self, parameters: Iterable[torch.Tensor]) -> None:
        self.parameters = list(parameters)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Put the mean over the processes in the place of each gradient. All have a gradient, or none has."""
        for parameter in self.parameters:
            if size() > 1 and parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= size()
