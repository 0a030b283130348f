"""hub: the local Hub."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from signal import SIGTERM, Signals
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.session import ZooGroup, client_home, command, connect, is_hub, local_root, seed_hub
from zoo.cli.session import serve as start
from zoo.errors import HubError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.hub.local import LocalHub
    from zoo.hub.store import Store
    from zoo.remote import Kind

ANSWERS_WITHIN = 2  # seconds
FIRST_PAGE = 1 << 16  # bytes of it that are looked at

root_option = click.option(
    "--root", type=click.Path(path_type=Path), help="Its folder.  [default: .zoo/hub of the lab]"
)


@click.group("hub", cls=ZooGroup, epilog="Example: zoo hub serve --port 0")
def hub() -> None:
    """A Hub on this machine that the real clients talk to."""


@command("serve", hub=False, epilog="zoo hub serve\nzoo hub serve --port 0 --root /tmp/hub")
@root_option
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0 = any free one.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that answer.")
@click.option("--faults", type=click.Path(path_type=Path), help="Rules for what shall go wrong, to test clients with.")
@click.option("--allow-host", metavar="NAME", multiple=True, help="A name that it answers to, beside localhost.")
def serve(root: Path | None, port: int, workers: int, faults: Path | None, allow_host: tuple[str, ...]) -> None:
    """Serve it until Ctrl-C. Prints what to paste into other terminals."""
    root = local_root(root)
    if faults:
        _check_rules(faults, workers)
    running = _started(root, port, workers, faults, allow_host)
    try:
        _announce(running, root)
        code = running.process.wait()
    except KeyboardInterrupt:  # there is nothing that the same command would go on with
        say.note("stopped")
        click.get_current_context().exit(130)
    if code not in (0, -SIGTERM):
        why = f"killed by {Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise HubError(f"the local Hub ended: {why}", hint=f"{root / 'hub.log'} says more")


@command("seed", hub=False, epilog="Example: zoo hub seed")
@root_option
def seed(root: Path | None) -> None:
    """Fill it with generated stand-ins for the base models and datasets that the recipes name."""
    made = seed_hub(local_root(root))
    say.line(
        f"{how_many(len(made), 'repository', 'repositories')} added"
        if made
        else "nothing to do: it has everything already"
    )
    say.result({"added": made})


@command(
    "import", hub=False, epilog="Example: zoo hub import sentence-transformers/LaBSE --from https://huggingface.co"
)
@click.argument("repo_id", metavar="ID")
@click.option("--revision", metavar="REV", help="A branch, a tag or a commit.  [default: main]")
@click.option("--type", "kind", type=click.Choice(["model", "dataset", "space"]), default="model", show_default=True)
@click.option(
    "--from", "source", metavar="URL|DIR", help="A Hub or a folder.  [default: HF_ENDPOINT, else huggingface.co]"
)
@root_option
def import_(repo_id: str, revision: str | None, kind: Kind, source: str | None, root: Path | None) -> None:
    """Bring a repository of another Hub, or a folder, in under its real id and commit. Servers may go on meanwhile."""
    folder = Path(source) if source and "://" not in source else None
    if folder is None:
        _ask_hub(source, root)
    from zoo.mirror import import_folder, import_repository

    with say.progress() as progress:
        if folder:
            found = import_folder(local_root(root), kind, repo_id, folder, revision=revision, progress=progress)
        else:
            found = import_repository(local_root(root), kind, repo_id, revision=revision, progress=progress)
    what = f"{found.kind} {found.id} at {found.commit}"
    say.line(
        f"{what}: {how_many(found.files, 'file')}, {how_many(found.bytes, 'byte')}"
        if found.added
        else f"{what} is here already"
    )
    if found.private:
        say.note("strangers may not read it where it comes from; whoever reaches this Hub may read it here")
    say.result(asdict(found))


def _ask_hub(url: str | None, root: Path | None) -> None:
    """Make a Hub the one in use. Our token is of the Hub that the environment names, and goes to no other."""
    from zoo.remote import endpoint, is_local

    known = endpoint()
    if url and not is_hub(url):
        raise click.BadParameter(f"'{url}' is neither the URL of a Hub nor a folder", param_hint="--from")
    if url:
        click.get_current_context().meta["hub"] = os.environ["HF_ENDPOINT"] = url
    if root and is_local():  # a store that is named needs no workspace around it
        os.environ.setdefault("HF_HOME", str(client_home(root)))
    connect()
    if endpoint() != known:
        os.environ.pop("HF_TOKEN", None)
        os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"  # noqa: S105  (a switch)


@command("gc", hub=False, epilog="Example: zoo hub gc --grace 0")
@root_option
@click.option("--grace", type=click.FloatRange(min=0), metavar="SECONDS", help="Younger files stay.  [default: a day]")
@click.option("--forget-caches", is_flag=True, help="Xet's parts go early too; clients start anew with their caches.")
def gc(root: Path | None, grace: float | None, forget_caches: bool) -> None:
    """Remove files that no commit names. Servers may go on meanwhile."""
    from zoo.hub.sweep import GRACE, sweep

    with _existing_store(local_root(root)) as store:
        swept = sweep(store, grace=GRACE if grace is None else grace, forget_caches=forget_caches)
    staged = how_many(swept.staged, "unfinished upload")
    what = f"{how_many(swept.objects, 'object')}, {how_many(swept.xorbs, 'xorb')} and {staged}"
    say.line(f"removed {what}: {swept.size / 1e6:.1f} MB")
    say.result(asdict(swept))


@command("fsck", hub=False, epilog="Example: zoo hub fsck")
@root_option
@click.pass_context
def fsck(ctx: click.Context, root: Path | None) -> None:
    """Check every file against its hash, every folder, commit and branch against what it names."""
    from zoo.hub.fsck import check

    with _existing_store(local_root(root)) as store:
        found = check(store)
    for problem in found.problems:
        say.line(problem)
    say.line("checked: " + ", ".join(f"{kind} {count:,}" for kind, count in found.checked.items()))
    say.line(how_many(len(found.problems), "problem") if found.problems else "nothing is wrong")
    say.result({"checked": found.checked, "problems": found.problems})
    ctx.exit(1 if found.problems else 0)


def _started(root: Path, port: int, workers: int, faults: Path | None, hosts: Sequence[str]) -> LocalHub:
    ctx = click.get_current_context()
    try:
        return start(ctx, root, port=port, workers=workers, faults=faults, hosts=hosts)
    except HubError:
        url = f"http://127.0.0.1:{port}"
        if port and _is_local_hub(port):
            hint = f"use it: export HF_ENDPOINT={url}; or `zoo hub serve --port 0` for another one"
            raise HubError(f"a local Hub is already at '{url}'", hint=hint) from None
        raise


def _is_local_hub(port: int) -> bool:
    """True when what answers at this port has the first page of a local Hub."""
    from http.client import HTTPConnection, HTTPException

    with closing(HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN)) as connection:
        try:
            connection.request("GET", "/")
            return b"<title>Local Hub</title>" in connection.getresponse().read(FIRST_PAGE)
        except (OSError, HTTPException):
            return False


def _announce(running: LocalHub, root: Path) -> None:
    say.line(f"the local Hub is at {running.url}  (store: {root})")
    say.line()
    say.line(f"export HF_ENDPOINT={running.url}")
    say.line(f"export HF_TOKEN={running.token}")
    say.line(f"export HF_HOME={client_home(root)}")
    say.result({**running.environment(), "HF_HOME": str(client_home(root)), "root": str(root)})
    sys.stdout.flush()
    say.still()


def _check_rules(faults: Path, workers: int) -> None:
    from zoo.hub.faults import EXAMPLE, read_rules

    if workers > 1:
        raise HubError("how often a fault strikes is counted in one process", hint="leave --workers out, or --faults")

    try:
        read_rules(faults)
    except ValueError as problem:
        raise HubError(str(problem), hint=f"name a file of rules like this one: {EXAMPLE}") from None


@contextmanager
def _existing_store(root: Path) -> Iterator[Store]:
    from sqlite3 import DatabaseError

    from zoo.hub.store import Store

    if not (root / "hub.db").exists():
        raise HubError(f"no local Hub in {root}", hint="zoo hub serve makes one; --root DIR names another folder")
    try:
        store = Store(root)
    except DatabaseError as error:
        raise HubError(f"{root / 'hub.db'} cannot be read: {error}") from None
    with closing(store):
        yield store


for part in (serve, seed, import_, gc, fsck):
    hub.add_command(part)
