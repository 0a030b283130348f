"""All commands of `zoo`. The modules import click and nothing heavy: `zoo --help` is instant.

Commands parse, call one function of the core, and say what came of it.
"""

from __future__ import annotations

import sys

import click

from zoo import __version__, say
from zoo.cli import analysis, build, demo, hub, lint, publish, space, tables, versions, workspace
from zoo.cli.session import ZooGroup, hub_option, json_option
from zoo.errors import ZooError, of_the_disk


@click.group(
    cls=ZooGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="All commands take --json and -h, those that ask a Hub --hub too. First steps: zoo demo",
)
@click.version_option(__version__, prog_name="zoo")
def cli() -> None:
    """One recipe per base model: train, evaluate and publish embedding models on the Hugging Face Hub."""


COMMANDS = (
    workspace.init,
    workspace.ls,
    workspace.show,
    workspace.check,
    workspace.schema,
    workspace.doctor,
    build.data,
    build.build,
    build.eval_,
    build.compare,
    analysis.errors,
    tables.card,
    tables.leaderboard,
    lint.lint,
    publish.plan,
    publish.publish,
    publish.status,
    versions.release,
    versions.rollback,
    analysis.submit,
    space.space,
    hub.hub,
    demo.demo,
)
for command in COMMANDS:
    cli.add_command(command)
cli.params += [hub_option(), json_option()]  # before the command's name they mean the same as after it


def _masked(problem: ZooError) -> ZooError:
    """Return the error without the secrets that it may quote from a text."""
    from zoo.lint.leaks import redacted

    problem.message, problem.hint = redacted(problem.message), problem.hint and redacted(problem.hint)
    return problem


def main() -> None:
    """Run the command line, then exit.

    The code is 0 when it is done, 1 for something that the user can put right, 2 for wrong usage (or a plan with
    changes), and 130 when it was stopped.
    """
    try:
        code = cli.main(standalone_mode=False)
    except ZooError as problem:
        say.error(_masked(problem))
        code = 1
    except OSError as problem:
        if (told := of_the_disk(problem)) is None:
            raise
        say.error(told)
        code = 1
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; run the same command to go on", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
