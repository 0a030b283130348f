"""The frame of all commands: their global options, the Hub in use, and the workspace."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from zoo import extras, say
from zoo.cli.names import offer_names
from zoo.cli.services import annotate
from zoo.environment import prepare
from zoo.errors import HubError, ZooError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.hub.local import LocalHub
    from zoo.recipe import Dataset, Recipe, Workspace


IN_HINTS = re.compile(r"(?<![\w/-])zoo ((?:(?:data|space) )?[a-z]+)\b(?:[^,;:()`]|[,:](?=\S))*(?<!\s)")  # a command


class WithExamples(click.Command):
    """A command whose help ends with examples: the lines of its epilog, none of them folded."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return '-h' and '--help', whoever asks first: click keeps the option as it made it then."""
        return ["-h", "--help"]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples. Whoever pastes one gets all of it."""
        examples = (self.epilog or "").removeprefix("Example: ").splitlines()
        if examples:
            with formatter.section("Examples" if len(examples) > 1 else "Example"):
                formatter.write("".join(f"{'':{formatter.current_indent}}{one}\n" for one in examples))


class ZooGroup(WithExamples, click.Group):
    """A group of commands in the order of the flow, under headings."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._sections: dict[str, list[str]] = {}

    def add_sections(self, sections: Mapping[str, Iterable[click.Command]]) -> None:
        """Add commands under headings."""
        for heading, commands in sections.items():
            for one in commands:
                self.add_command(one)
                self._sections.setdefault(heading, []).append(str(one.name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command, or more where it is long: no sentence is cut."""
        longest = max(map(len, self.commands), default=0)
        for heading, names in (self._sections or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(heading):
                rows = [(f"{name:{longest}}", self.commands[name].get_short_help_str(sys.maxsize)) for name in names]
                formatter.write_dl(rows)


class ZooCommand(WithExamples):
    """A command whose errors hint at commands that do the same in the same place."""

    needs: Sequence[str] = ()
    """Extras without which it does nothing at all."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it. The commands in an error's hint get the options that name the Hub and the scale."""
        try:
            need(*self.needs)
            with say.working(ctx.command_path):
                return super().invoke(ctx)
        except ZooError as problem:
            problem.hint = problem.hint and as_typed(problem.hint)
            raise


def need(*names: str, having: str = "") -> None:
    """Refuse the command where one of these extras of the package is not installed, before it does anything.

    Args:
        having: the option that needs them, when it is not the whole command.

    Raises:
        MissingExtraError: one is not; the hint is the line that installs them.
    """
    if names:
        extras.require(*names, what=f"'{click.get_current_context().command_path}{having and ' '}{having}'")


def as_typed(hint: str) -> str:
    """Return a hint whose commands have `--scale` and `--hub` as they were typed, so that it works when pasted."""
    ctx = click.get_current_context()
    scale = ctx.params.get("scale") if ctx.get_parameter_source("scale") is ParameterSource.COMMANDLINE else None
    typed = {name: value for name, value in (("scale", scale), ("hub", ctx.meta.get("hub"))) if value}

    def completed(found: re.Match[str]) -> str:
        taken = _options_of(ctx, found[1].split())
        if found[1] == "check" and "--probe" not in found[0]:
            taken -= {"scale"}  # mistakes are of no scale
        more = [(f"--{name}", value) for name, value in typed.items() if name in taken and f"--{name}" not in found[0]]
        return " ".join([found[0], *(f"{name} {shlex.quote(value)}" for name, value in more)])

    return IN_HINTS.sub(completed, hint)


def _options_of(ctx: click.Context, names: Sequence[str]) -> set[str]:
    """Return the names of the options that a command takes."""
    at: click.Command | None = ctx.find_root().command
    for name in names:
        at = at.commands.get(name) if isinstance(at, click.Group) else at
    return {str(param.name) for param in at.params} if at else set()


def tell(problems: Sequence[ZooError], facts: Mapping[str, Any] | None = None) -> None:
    """Tell errors without the secrets that they may quote, beside what else a command answers."""
    from zoo.ci.placed import of_problems
    from zoo.lint.leaks import redacted

    for problem in problems:
        problem.message, problem.hint = redacted(problem.message), problem.hint and redacted(problem.hint)
    say.errors(problems, facts)
    annotate(of_problems(problems))


def command(
    name: str, *, hub: bool = True, needs: Sequence[str] = (), **attributes: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` with `--json` and, for commands that may ask a Hub, `--hub`.

    Args:
        needs: extras of the package without which the command does nothing at all.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        made = click.command(name, cls=ZooCommand, **attributes)(function)
        offer_names(made)
        made.needs = needs
        made.params.append(json_option())
        if hub:
            made.params.append(hub_option())
        return made

    return decorate


def json_option() -> click.Option:
    """The option `--json`."""

    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            say.configure(json=True)

    return click.Option(["--json"], is_flag=True, expose_value=False, callback=remember, help="Answer in JSON.")


def hub_option() -> click.Option:
    """The option `--hub`."""

    def remember(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None and not is_hub(value):
            raise click.BadParameter(f"'{value}' is neither a URL nor 'local'")
        if value is not None:
            ctx.meta["hub"] = value

    help_text = "Hub to use: a URL, or `local` for one on this machine.  [default: HF_ENDPOINT, else huggingface.co]"
    return click.Option(["--hub"], metavar="URL|local", expose_value=False, callback=remember, help=help_text)


def is_hub(value: str) -> bool:
    """True for what `--hub` takes."""
    return value == "local" or _is_address(value)


def workspace() -> Workspace:
    """The workspace around the current folder. Its plugins stay in use until the command ends.

    Raises:
        WorkspaceError: there is none. PluginError: one of its plugins is broken.
    """
    from zoo.recipe import Workspace

    return _in_use(Workspace.find())


def _in_use(found: Workspace) -> Workspace:
    ctx = click.get_current_context().find_root()
    if (known := ctx.meta.get("workspace")) is None or known.root != found.root:
        from zoo.plugins.loading import any_plugins

        if any_plugins(found.root):
            _set_environment()  # they import what they like, and huggingface_hub reads it only once
        known = ctx.meta["workspace"] = ctx.with_resource(found.in_use())
    place: Workspace = known
    return place


def ground() -> Workspace:
    """The workspace around the current folder, or the cache folder where there is none. Plugins stay in use.

    Raises:
        WorkspaceError: the environment names a folder that is neither. PluginError: a plugin is broken.
    """
    from zoo.recipe.outside import Outside

    found = _found_or_cache()
    return _in_use(found) if isinstance(found, Outside) else workspace()


def _found_or_cache() -> Workspace:
    """The workspace, without its plugins; where there is none the cache folder, which is named, once."""
    from zoo.recipe import outside

    ctx = click.get_current_context().find_root()
    found = outside.ground()
    if isinstance(found, outside.Outside) and "outside" not in ctx.meta:
        ctx.meta["outside"] = found.root
        if almost := outside.almost_a_lab():
            say.note(f"'{almost / 'recipes'}' has no family.yaml, so that '{almost}' is no lab")
        say.note(f"no lab here: what is kept is in {found.root}")
    return found


def local_root(root: Path | None = None) -> Path:
    """The local Hub's folder: of the workspace, or in the cache folder where there is none."""
    return root.resolve() if root else _found_or_cache().hub


scale_option = click.option("--scale", default="full", show_default=True, help="A scale of recipes/family.yaml.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def require_yes(yes: bool) -> None:
    """Refuse a command that would ask a question where nobody can answer it."""
    if say.wants_json() and not yes:
        raise click.UsageError("with --json there is nobody to ask: add --yes")


def confirm(question: str) -> None:
    """Ask a question and go on after a yes; a no ends the command."""
    try:
        with say.undisturbed():
            click.confirm(question, abort=True)
    except click.Abort as stop:
        if isinstance(stop.__context__, EOFError):
            raise click.UsageError("nobody answered: add --yes") from None
        raise


def connect(
    *,
    seed: bool = False,
    recipes: Sequence[Recipe] | None = None,
    tasks: Iterable[str] = (),
    datasets: Iterable[Dataset] = (),
) -> None:
    """Set the environment for the Hub in use, before anything imports huggingface_hub, which reads it only once.

    With `--hub local`, starts the local Hub for the length of the command; `seed` fills it first with what `recipes`,
    or else all of the workspace, name and it lacks, with the data of `tasks`, and with the models of the steps of
    `datasets`.
    """
    root = _set_environment()
    if seed and root:  # imports transformers, and with it huggingface_hub: not before the environment is set
        seed_hub(root, recipes, tasks, datasets)


def _set_environment() -> Path | None:
    """Set the environment for the Hub in use, once for a command; returns the folder of a local Hub that it started."""
    ctx = click.get_current_context()
    hub: str | None = ctx.meta.get("hub")
    known: dict[str | None, Path | None] = ctx.meta.setdefault("environment", {})
    if hub in known:
        return known[hub]
    root = None
    prepare()
    if hub == "local":
        root = _start_local(ctx)
    elif hub:
        _refuse_password(hub)
        os.environ["HF_ENDPOINT"] = hub.rstrip("/")
    elif hub := os.environ.get("HF_ENDPOINT"):
        if not _is_address(hub):
            raise HubError(f"HF_ENDPOINT is '{hub}', which is no URL", hint="begin it with http:// or https://")
        _refuse_password(hub)
    _keep_caches_apart()
    _be_patient()
    known[hub] = root
    return root


def _be_patient() -> None:
    """Wait as the Hub asks, in every library of this process, and end that on Ctrl-C in threads too."""
    from zoo.patience import install, stop_waiting

    def stop(number: int, frame: Any) -> None:
        stop_waiting()
        signal.default_int_handler(number, frame)

    install(say.countdown())
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, stop)


def _is_address(hub: str) -> bool:
    return urlsplit(hub).scheme in ("http", "https")


def _refuse_password(hub: str) -> None:
    """Refuse an address with a name or a password in it, since addresses are shown in messages."""
    address = urlsplit(hub)
    if address.password or address.username:
        problem = f"the address of the Hub '{address.hostname}' has a name or a password in it"
        raise HubError(problem, hint="leave them out, and set HF_TOKEN")


def _start_local(ctx: click.Context) -> Path:
    root = local_root()
    running = serve(ctx, root)
    os.environ.update(running.environment())
    os.environ["HF_HOME"] = str(client_home(root))
    return root


def serve(
    ctx: click.Context,
    root: Path,
    *,
    port: int = 0,
    workers: int = 1,
    faults: Path | None = None,
    hosts: Sequence[str] = (),
) -> LocalHub:
    """Start the local Hub, which runs until the command ends.

    Raises:
        HubError: it does not start.
    """
    from zoo.hub.local import local_hub

    try:
        return ctx.find_root().with_resource(local_hub(root, port=port, workers=workers, faults=faults, hosts=hosts))
    except RuntimeError as problem:
        raise HubError(str(problem), hint="zoo hub serve --port 0 takes any free port") from None


def client_home(root: Path) -> Path:
    """The folder for caches of a local Hub's clients.

    The real Hub's cache must not see it: ids and commits there are the same.
    """
    return root / "client"


def _keep_caches_apart() -> None:
    from zoo.remote import is_local

    if is_local() and "HF_HOME" not in os.environ:
        os.environ["HF_HOME"] = str(client_home(local_root()))
    os.environ.setdefault(
        "MTEB_CACHE", str(Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "mteb")
    )


def seed_hub(
    root: Path,
    recipes: Sequence[Recipe] | None = None,
    tasks: Iterable[str] = (),
    datasets: Iterable[Dataset] = (),
) -> list[str]:
    """Fill the local Hub with the miniature, as far as recipes need it, or all of the workspace where none are given.

    What it holds already stays.
    """
    from zoo.miniature.seed import seed

    with say.progress() as progress:
        needing = ground().rehearsed.every_recipe() if recipes is None else recipes
        made: list[str] = seed(root, needing, tasks=tasks, datasets=datasets, progress=progress)
    if made:
        repositories = how_many(len(made), "generated repository", "generated repositories")
        say.note(f"seeded the local Hub with {repositories} in {root}")
    return made
