"""Training on several devices of this machine: a process for each, started by torchrun. All else is done here."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass

from zoo.layout import TRAIN
from zoo.pipeline.executors.local import Task, here
from zoo.pipeline.executors.processes import THREADS, lines, threads_for
from zoo.pipeline.executors.wire import hear
from zoo.say import Progress


@dataclass(frozen=True)
class Torchrun:
    """Does the work of `train` in as many processes as there shall be devices."""

    devices: int

    def __call__(self, task: Task, progress: Progress) -> None:
        """Do a stage's work; the processes that train have ended afterwards, whatever came of it.

        Raises:
            ZooError: what the stage cannot do, or a process was killed.
        """
        if task["stage"] != TRAIN:
            here(task, progress)
            return
        environment = {THREADS: threads_for(self.devices), **os.environ}
        with closing(lines(task, self.devices, environment)) as told:
            for line in told:
                hear(line, progress)
