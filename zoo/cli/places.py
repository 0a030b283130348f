"""Where `zoo build` does its work: here, on several devices, or on a cluster, and how that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import say
from zoo.cli.session import workspace
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.pipeline.build import Build
    from zoo.recipe import Recipe


def refuse(device: str | None, gpus: int, on: str) -> None:
    """Refuse several devices where one is named, and a cluster that cannot be, before anything is asked for."""
    if gpus > 1 and device and ":" in device:
        kind = device.split(":")[0]
        raise ZooError(f"--device '{device}' is one device, and --gpus asks for '{gpus}'", hint=f"--device {kind}")
    if on == "ray":
        from zoo.pipeline.executors.cluster import require_cluster

        require_cluster()


def run(work: Build, recipes: list[Recipe], on: str, gpus: int) -> list[ZooError]:
    """Run a build where it shall be done. What comes out are the errors that left other recipes alone."""
    if on == "ray":
        return _on_ray(work, recipes, gpus)
    if gpus > 1:
        from zoo.pipeline.executors.torchrun import Torchrun

        work.execute = Torchrun(gpus)
    with say.progress() as progress:
        work.progress = progress
        return work.run(*recipes)


def _on_ray(work: Build, recipes: list[Recipe], gpus: int) -> list[ZooError]:
    from zoo.pipeline.executors.board import Workboard
    from zoo.pipeline.executors.cluster import Cluster
    from zoo.pipeline.executors.walks import SideBySide

    board = Workboard(say.note) if say.is_live() else Workboard(say.note, begun=say.note)
    on_cpu = work.circumstances.device == "cpu"
    asked = {str(stage): resources for stage, resources in workspace().family.resources.items()}
    cluster = Cluster(asked, work.runs, board, devices=gpus, on_cpu=on_cpu)
    work.execute, work.walk = cluster, SideBySide(cluster.stop)
    with cluster.connected(), say.live(board.rows):
        return work.run(*recipes)
