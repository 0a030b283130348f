"""Where `zoo build` does its work: here, on several devices, or on a cluster. What is not there is refused first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.session import need, workspace
from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.pipeline.build import Build
    from zoo.recipe import Recipe

DEVICE = re.compile(r"cpu|(cuda|mps|xpu)(:\d+)?", re.ASCII)


def device_name(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Refuse what cannot be the name of a device. Whether this machine has the device, only torch can say."""
    if name is not None and not DEVICE.fullmatch(name):
        raise click.BadParameter(f"'{name}' is none of cpu, cuda, cuda:1 (or another number), mps and xpu")
    return name


def refuse(device: str | None, gpus: int, on: str) -> None:
    """Refuse several devices where one is named, and a cluster that cannot be, before anything is asked for."""
    if gpus > 1 and device and ":" in device:
        kind = device.split(":")[0]
        raise ZooError(f"--device '{device}' is one device, and --gpus asks for '{gpus}'", hint=f"--device {kind}")
    if on == "ray":
        from zoo.raycluster import require_cluster

        require_cluster()


def require(recipes: list[Recipe], report_to: tuple[str, ...], device: str | None, gpus: int) -> None:
    """Refuse what would stop the training only after its data were built.

    Asking takes torch and its seconds, so what was built before is not asked for: a stale stage asks for itself.
    """
    from zoo.pipeline.executors.apart import refuse_keys
    from zoo.pipeline.stages import MEASURED
    from zoo.run import Run

    refuse_keys(recipes, report_to)
    root = workspace().root
    runs = [Run.of(root, recipe.name, recipe.scale) for recipe in recipes]
    built = all(run.finished(stage) for run in runs for stage in MEASURED)
    members = [member for recipe in recipes for member in recipe.lineage]
    if not built and any(phase.train.lora for member in members for phase in member.phases):
        need("lora")
    fp16 = [member for member in members if any(phase.train.precision == "fp16" for phase in member.phases)]
    if built or not (report_to or device or fp16 or gpus > 1):
        return
    from zoo.models.load import require_device
    from zoo.train.arguments import require_trackers
    from zoo.train.precision import refuse_precision
    from zoo.train.ranks import require_devices

    require_device(device)
    if gpus > 1:
        require_devices(gpus, device)
    require_trackers(report_to)
    refuse_precision(fp16, device)


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
