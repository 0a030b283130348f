"""space: the Gradio demo on this machine, and the folder that would be pushed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from zoo import say
from zoo.cli.build import scale_option
from zoo.cli.publish import _fleet
from zoo.cli.session import ZooGroup, command, connect, workspace
from zoo.errors import WorkspaceError, ZooError


@click.group("space", cls=ZooGroup)
def space() -> None:
    """The family's demo."""


@command("build")
@click.argument("folder", type=click.Path(path_type=Path))
@scale_option
def build(folder: Path, scale: str) -> None:
    """Write the Space's repository into FOLDER, as publishing would push it."""
    connect()
    if folder.exists() and any(folder.iterdir()):
        raise WorkspaceError(f"'{folder}' is not empty", hint="name another folder")
    _write(folder, scale)
    say.line(f"wrote {folder}")
    say.result({"folder": str(folder)})


def _write(folder: Path, scale: str) -> None:
    _, fleet = _fleet((), scale)
    release = next((release for release in fleet.releases if release.kind == "space"), None)
    if release is None:
        raise WorkspaceError("recipes/family.yaml has no 'space'", hint="add one: repo, app and title")
    for path, content in release.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.read_bytes() if isinstance(content, Path) else content)


@command("serve")
@scale_option
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
def serve(scale: str, port: int) -> None:
    """Run the demo here, with the models that are on the Hub in use."""
    connect()
    folder = workspace().root / ".zoo" / "space"
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder, scale)
    say.note(f"http://127.0.0.1:{port}")
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    done = subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=False)
    if done.returncode > 0:
        raise ZooError(f"the demo ended with exit code {done.returncode}", hint="what it printed above says why")


space.add_command(build)
space.add_command(serve)
