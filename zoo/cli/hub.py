"""hub: the local Hub."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from zoo import say
from zoo.cli.session import ZooGroup, client_home, command, local_root, seed_hub
from zoo.cli.session import serve as start

root_option = click.option("--root", type=click.Path(path_type=Path), help="Its folder.  [default: .zoo/hub]")


@click.group("hub", cls=ZooGroup)
def hub() -> None:
    """A Hub on this machine that the real clients talk to."""


@command("serve", hub=False)
@root_option
@click.option("--port", type=int, default=8642, show_default=True, help="0 = any free one.")
def serve(root: Path | None, port: int) -> None:
    """Serve it until Ctrl-C. Prints what to paste into other terminals."""
    root = local_root(root)
    running = start(click.get_current_context(), root, port=port)
    say.line(f"the local Hub is at {running.url}  (store: {root})")
    say.line()
    say.line(f"export HF_ENDPOINT={running.url}")
    say.line(f"export HF_TOKEN={running.token}")
    say.line(f"export HF_HOME={client_home(root)}")
    say.result({**running.environment(), "HF_HOME": str(client_home(root)), "root": str(root)})
    sys.stdout.flush()
    running.process.wait()


@command("seed", hub=False)
@root_option
def seed(root: Path | None) -> None:
    """Fill it with generated stand-ins for the base models and datasets that the recipes name."""
    made = seed_hub(local_root(root))
    say.line(f"{len(made)} repositories added" if made else "nothing to do: it has everything already")
    say.result({"added": made})


hub.add_command(serve)
hub.add_command(seed)
