"""space: a demo or a leaderboard on this machine, and the folder that would be pushed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from signal import Signals
from typing import Any

import click

from zoo import say
from zoo.cli.publish import fleet_named
from zoo.cli.session import ZooGroup, command, connect, scale_option, workspace
from zoo.errors import WorkspaceError, ZooError

STOPS = (1, 2, 15)  # hang-up, Ctrl-C, end: somebody stops it

name_option = click.option(
    "--name", default="space", metavar="REPO", help="Which one, where there are several: the name of its repository."
)


@click.group("space", cls=ZooGroup, epilog="Example: zoo space serve --scale mini --hub local")
def space() -> None:
    """The demos of the lab."""


@command("build", epilog="Example: zoo space build my-space --scale mini --hub local")
@click.argument("folder", type=click.Path(path_type=Path))
@scale_option
@name_option
def build(folder: Path, scale: str, name: str) -> None:
    """Write the Space's repository into FOLDER, as publishing would push it."""
    connect()
    if folder.exists() and any(folder.iterdir()):
        raise WorkspaceError(f"'{folder}' is not empty", hint="name another folder")
    _write(folder, scale, name)
    say.line(f"wrote {folder}")
    say.result({"folder": str(folder)})


def _write(folder: Path, scale: str, name: str) -> None:
    from zoo.publish.versions.history import published_as

    if not workspace().spaces and not workspace().boards:
        raise WorkspaceError("no recipe leads to a Space", hint="add space: repo, app and title to recipes/family.yaml")
    kind, repo = published_as(workspace(), name)
    if kind != "space":
        raise WorkspaceError(
            f"'{name}' is a {kind}, no Space", hint=f"one of: {', '.join([*workspace().spaces, *workspace().boards])}"
        )
    _, fleet = fleet_named((), scale)
    found = [one for one in fleet.releases if one.kind == kind and one.id.split("/")[1] == repo]
    if not found:
        raise WorkspaceError(f"no model of space '{repo}' is built", hint="zoo status")
    found[0].write(folder)


@command("serve", needs=["space"], epilog="Example: zoo space serve --scale mini --hub local")
@scale_option
@name_option
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
def serve(scale: str, name: str, port: int) -> None:
    """Run the demo here, with the models that are on the Hub in use; a leaderboard is served as it is."""
    connect()
    from zoo.isolation import own_environment, proxies
    from zoo.remote import host

    folder = workspace().root / ".zoo" / "space"
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder, scale, name)
    say.note(f"http://127.0.0.1:{port}")
    if not (folder / "app.py").is_file():  # a page that nothing runs
        lead_to_hub(folder / "index.html")
        say.still()
        _served(
            [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], folder, own_environment(folder)
        )
        return
    models = json.loads((folder / "models.json").read_text("utf-8"))
    home = folder.with_name("served") / host()  # ids and commits of different Hubs are the same: caches are apart
    environment = app_environment(home, models, port)
    if "HF_TOKEN" in environment or any("@" in address for address in proxies().values()):
        _leave_out_code(folder, models)
    say.still()
    _served([sys.executable, "app.py"], folder, environment)


def lead_to_hub(page: Path) -> None:
    """Make links of a page that is served here lead to the local Hub, whose port no published page can name."""
    from zoo.remote import endpoint, is_local

    if is_local():
        page.write_text(page.read_text("utf-8").replace('<a href="/', f'<a href="{endpoint()}/'), "utf-8")


def _served(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run what serves a Space until it ends, and end as it did."""
    from zoo.isolation import run_in_front

    code = run_in_front(command, folder, environment)
    if -code in STOPS:
        click.get_current_context().exit(128 - code)  # as shells tell it
    if code:
        why = f"was killed by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise ZooError(f"the demo {why}", hint="what it printed above says why")


def _leave_out_code(folder: Path, models: Sequence[Mapping[str, Any]]) -> None:
    """Take the models that run code of their own from the app's list: beside a secret none of it is run."""
    kept = [model for model in models if "code" not in model]
    for model in models:
        if "code" in model:
            say.note(f"left out: '{model['id']}' runs code of its own, and the app has a token or a proxy's password")
    (folder / "models.json").write_text(json.dumps(kept, ensure_ascii=False), "utf-8")


def app_environment(folder: Path, models: Iterable[Mapping[str, Any]], port: int) -> dict[str, str]:
    """Return the environment of the app: a home in `folder`, whose cache stays for the next time, and no secrets.

    The token is in it only when one of the models is private or gated.

    Args:
        models: entries of models.json. Of one with `code` the app compares the files itself before it runs them.

    Raises:
        EvaluationError: another of the models asks for code of its own. HubError: the Hub cannot be asked.
    """
    from zoo.cameldata import lend_camel_data
    from zoo.isolation import own_environment, proxies

    server = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    return {**own_environment(folder, _token_for(models)), **proxies(), **lend_camel_data(folder / "camel"), **server}


def _token_for(models: Iterable[Mapping[str, Any]]) -> str | None:
    from huggingface_hub import get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    from zoo.models.foreign.consent import refuse_foreign_code
    from zoo.models.identity import ModelSource
    from zoo.remote import api, explained

    restricted = False
    for entry in models:
        model = str(entry["id"])
        with explained(f"look up model '{model}'"):
            try:
                info = api().model_info(model)
            except RepositoryNotFoundError:  # the page says so: it is not published yet
                continue
        revision = str(info.sha)
        if "code" not in entry:
            refuse_foreign_code(ModelSource(kind="reading", place=model, revision=revision, weights=revision))
        restricted = restricted or bool(info.private or info.gated)
    return get_token() if restricted else None


space.add_command(build)
space.add_command(serve)
