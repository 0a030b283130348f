"""completion: what the shell offers after Tab."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from zoo import say
from zoo.cli.session import command

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_ZOO_COMPLETE"  # click's name for it; the shell's function sets it and runs zoo


@command(
    "completion",
    hub=False,
    epilog="""zoo completion bash > ~/.local/share/bash-completion/completions/zoo
zoo completion zsh > ~/.zfunc/_zoo
zoo completion fish > ~/.config/fish/completions/zoo.fish
eval "$(zoo completion bash)\"""",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and names.

    Names of recipes, datasets, tasks and suites are those of the lab around the current folder.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # the choice knows no other shells
    script = kind(ctx.find_root().command, {}, "zoo", VARIABLE).source()
    if say.wants_json():
        say.result({"shell": shell, "script": script})
    else:
        say.raw(script)
