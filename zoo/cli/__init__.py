"""All commands of `zoo`. The modules import click and nothing heavy: `zoo --help` is instant.

Commands parse, call one function of the core, and say what came of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from itertools import takewhile

import click
from click.exceptions import NoArgsIsHelpError

from zoo import __version__, say
from zoo.cli import (
    analysis,
    build,
    completion,
    demo,
    evaluate,
    hub,
    lint,
    logs,
    publish,
    runs,
    space,
    starting,
    tables,
    trust,
    versions,
    workspace,
)
from zoo.cli.session import ZooGroup, hub_option, json_option, tell
from zoo.errors import ZooError, did_you_mean, of_the_disk
from zoo.extras import missing_extra

UNEXPECTED = re.compile(r"Got unexpected extra arguments? \((.*)\)")  # click's words
CHOSEN = re.compile(r"'(.*)' is not one of (.*)\.", re.DOTALL)

COMMANDS: dict[str, tuple[click.Command, ...]] = {
    "Recipes": (starting.init, starting.add, workspace.ls, workspace.show, workspace.check, trust.trust),
    "Build": (build.data, build.build, logs.logs, logs.curve, runs.runs),
    "Measure": (evaluate.eval_, evaluate.compare, analysis.errors, tables.leaderboard, tables.card),
    "Publish": (
        lint.lint,
        publish.plan,
        publish.publish,
        publish.status,
        versions.release,
        versions.rollback,
        space.space,
        analysis.submit,
    ),
    "This machine": (demo.demo, hub.hub, workspace.doctor, workspace.schema, completion.completion),
}
"""{heading of `zoo -h`: its commands}, in the order of the flow. A new command is named here, once."""


@click.group(
    cls=ZooGroup,
    context_settings={"max_content_width": 110},
    epilog="zoo demo\nzoo init my-lab && cd my-lab && zoo ls\nzoo COMMAND -h",
)
@click.version_option(__version__, "-V", "--version", prog_name="zoo")
def cli() -> None:
    """One recipe per base model: train, evaluate and publish embedding models on the Hugging Face Hub.

    All commands take --json and -h, those that ask a Hub --hub too.
    """


cli.add_sections(COMMANDS)
cli.params += [hub_option(), json_option()]  # before the command's name they mean the same as after it


def main() -> None:
    """Run the command line, then exit.

    The code is 0 when it is done, 1 when something is wrong (also with the command as it was typed), and 130 when it
    was stopped. 2 says only that there are changes: of `zoo plan` and `zoo status`.
    """
    say.ready()
    try:
        code = cli.main(prog_name="zoo", standalone_mode=False)
    except ZooError as problem:
        code = _failed(problem)
    except ImportError as problem:
        if (lacking := missing_extra(problem)) is None:
            raise
        code = _failed(lacking)
    except OSError as problem:
        if (told := of_the_disk(problem)) is None:
            raise
        code = _failed(told)
    except click.ClickException as problem:
        code = _misused(problem)
    except (click.Abort, KeyboardInterrupt) as stop:
        code = _stopped(stop)
    sys.exit(code if isinstance(code, int) else 0)


def _failed(problem: ZooError) -> int:
    try:
        tell([problem])
    except OSError:  # there is no room for the answer itself
        say.configure(json=False)
        tell([problem])
    return 1


def _misused(problem: click.ClickException) -> int:
    """Tell wrong usage as all other errors are told. It may come before the options were looked at, `--json` too."""
    typed = list(takewhile(lambda word: word != "--", sys.argv[1:]))
    say.configure(json=say.wants_json() or "--json" in typed)
    ctx = getattr(problem, "ctx", None)
    way = f"{ctx.command_path if ctx else 'zoo'} --help"
    if isinstance(problem, NoArgsIsHelpError):
        say.note(problem.format_message())
        return _failed(ZooError("no command was given", hint=way))
    return _failed(ZooError(_in_our_words(problem), hint=_meant(problem) or way))


def _in_our_words(problem: click.ClickException) -> str:
    """Return what click says as we say it: lower case, the place before a colon, the value in quotes, no full stop."""
    if isinstance(problem, click.MissingParameter):
        message = f"missing {problem.param.param_type_name if problem.param else 'value'} {_place(problem)}"
    elif isinstance(problem, click.BadParameter) and (place := _place(problem)):
        message = f"{place}: {problem.message}"
    elif isinstance(problem, click.NoSuchOption | click.NoSuchCommand):
        message = problem.message
    else:
        message = UNEXPECTED.sub(r"unexpected argument '\1'", problem.format_message())
    return (message if message[:2].isupper() else message[:1].lower() + message[1:]).rstrip(".")


def _place(problem: click.BadParameter) -> str:
    """Return the option or the argument that a value was given to, or should have been, as it is typed."""
    if isinstance(problem.param_hint, str):
        return problem.param_hint
    if isinstance(problem.param, click.Option):
        return max(problem.param.opts, key=len)
    return problem.param.metavar or str(problem.param.name).upper() if problem.param else ""


def _meant(problem: click.ClickException) -> str | None:
    """Return a hint to what was meant: a command, an option or a choice that is spelt alike; None: nothing is."""
    if isinstance(problem, click.NoSuchCommand):
        groups = {name: group for name, group in cli.commands.items() if isinstance(group, click.Group)}
        found = [
            f"zoo {name} {problem.command_name}"
            for name, group in groups.items()
            if problem.command_name in group.commands
        ]
        if found:
            return ", or ".join(found)
    if isinstance(problem, click.NoSuchOption | click.NoSuchCommand) and problem.possibilities:
        return _near(_typed(problem), problem.possibilities)
    chosen = CHOSEN.fullmatch(problem.message)
    return _near(chosen[1], re.findall("'(.*?)'", chosen[2])) if chosen else None


def _typed(problem: click.NoSuchOption | click.NoSuchCommand) -> str:
    return problem.option_name if isinstance(problem, click.NoSuchOption) else problem.command_name


def _near(typed: str, known: Collection[str]) -> str | None:
    """Return a hint to the one that is spelt alike; None: none is. Dashes, which all options have, make none alike."""
    hints = {f"did you mean '{name.lstrip('-')}'?": f"did you mean '{name}'?" for name in known}
    return hints.get(did_you_mean(typed.lstrip("-"), (name.lstrip("-") for name in known)) or "")


def _stopped(stop: BaseException) -> int:
    """Tell that a command was stopped: by Ctrl-C, which click makes an Abort of, or by an answer."""
    way = "run the same command to go on"
    if say.wants_json():
        tell([ZooError("stopped", hint=way)])
    else:
        say.note(f"stopped; {way}")
    asked = isinstance(stop, click.Abort) and not isinstance(stop.__cause__ or stop.__context__, KeyboardInterrupt)
    return 1 if asked else 130
