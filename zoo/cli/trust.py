"""trust: consent to the code that a model brings, after it was shown."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.session import command, connect, tell, yes_option
from zoo.errors import RecipeError, WorkspaceError, ZooError

if TYPE_CHECKING:
    from zoo.inquiry.trust import CodeReview

MOST_REACHES = 40  # lines; all of them are in the answer as JSON


@command("trust", epilog="Example: zoo trust U4RASD/NeoAraBERT_MSA")
@click.argument("model", metavar="ID")
@click.option("--revision", help="A commit, branch or tag.  [default: what a recipe pins, else main]")
@yes_option
@click.pass_context
def trust(ctx: click.Context, model: str, revision: str | None, yes: bool) -> None:
    """Show the code that a model on the Hub brings, and write consent to it into the recipes of that base.

    Nothing of it runs here. Consent is to one commit, byte for byte; another commit needs another consent.
    """
    _require_id(model)
    recipes = _recipes()
    connect(seed=recipes is not None and _is_whole())
    from zoo.inquiry.trust import code_review

    found = code_review(recipes, model, revision)
    if not found.code.is_needed:
        say.line(f"{model} asks for no code of its own at {found.code.revision[:8]}: it needs no consent")
        say.result({**_facts(found), "written": []})
        return
    _show(found)
    if found.is_given:
        say.line(f"the consent in {_names(found)} is to exactly this")
    elif found.recipes and not yes and (problem := _nobody_to_ask(found)):
        tell([problem], {**_facts(found), "written": []})
        ctx.exit(1)
    elif found.recipes and not yes and not _agreed(found):
        say.line("nothing was written")
        ctx.exit(1)
    else:
        _write(found)
        return
    say.result({**_facts(found), "written": []})


def _require_id(model: str) -> None:
    if "/" not in model or "://" in model or Path(model).is_dir():
        problem = f"'{model}' is no id on the Hub, and consent is to a commit there"
        raise ZooError(problem, hint=_meant(model) or "name it as owner/name")


def _meant(name: str) -> str | None:
    """The command that is meant by the name of a recipe, or by the address of a model's page."""
    from zoo.recipe import Workspace

    if page := re.match(r"https?://[^/]+/([^/?#]+/[^/?#]+)", name):
        return f"zoo trust {page[1]}"
    with suppress(WorkspaceError, RecipeError):
        base = Workspace.find().recipe(name).base
        return None if base.in_folder else f"zoo trust {base.model}"
    return None


def _recipes() -> Path | None:
    """The folder of recipe files around the current folder, also of those with mistakes: this command mends some."""
    from zoo.recipe import Workspace

    with suppress(WorkspaceError):
        return Workspace.find().recipes
    return None


def _is_whole() -> bool:
    """True when recipes can be read, so that a local Hub can be filled with what they name."""
    from zoo.recipe import Workspace

    return not Workspace.find().problems()


def _nobody_to_ask(found: CodeReview) -> ZooError | None:
    if sys.stdin.isatty() and not say.wants_json():
        return None
    commit = f"--revision {found.code.revision} --yes"
    problem = "consent was not given: there is no terminal to ask at, and nothing was written"
    return ZooError(problem, hint=f"zoo trust {found.code.model} {commit}, when you have read {found.place}")


def _agreed(found: CodeReview) -> bool:
    question = f"Let this code run, here and where these recipes are built, and write that into {_names(found)}?"
    with say.undisturbed():
        return click.confirm(question)


def _write(found: CodeReview) -> None:
    from zoo.recipe.consented import consent_block, put_consent

    consent = found.code.consent
    if not found.recipes:
        say.line(f"no recipe here has {found.code.model} as its base; this is the consent to put under `base`:")
        say.line(consent_block(consent))
    for path in found.recipes:
        put_consent(path, consent)
        say.line(f"wrote consent to {found.code.revision[:8]} into recipes/{path.name}")
    say.result({**_facts(found), "written": [str(path) for path in found.recipes]})
    if found.recipes:
        names = _with_base(found.code.model)
        say.hint(f"zoo check {names} --probe, then zoo build {names}" if names else "zoo check")


def _with_base(model: str) -> str:
    """The names of a model's recipes; none where the workspace has mistakes."""
    from zoo.recipe import Workspace

    space = Workspace.find()
    if space.problems():
        return ""
    return " ".join(recipe.name for recipe in space.every_recipe() if recipe.base.model == model)


def _names(found: CodeReview) -> str:
    return ", ".join(f"recipes/{path.name}" for path in found.recipes)


def _show(found: CodeReview) -> None:
    code = found.code
    title = f"{code.model} at {code.revision}: code, and the JSON that says which code is loaded"
    say.table([{**row, "sha256": row["sha256"][:8]} for row in found.rows], title=title)
    say.line(f"it imports {', '.join(found.packages) or 'nothing but Python'}")
    for lack in found.lacks:
        say.line(f"it needs {lack.what}: {lack.hint}")
    say.line(f"licence: {_licence_told(code.license)}")
    _show_reaches(found)
    if found.before:
        say.line(f"since the last consent, to {found.before.revision[:8]}:")
        say.line(found.changes if found.changes is not None else "its commit is not there any more to compare with")
    say.line(f"read it: {found.place}")


def _licence_told(licence: str | None) -> str:
    """The licence in words, and whether it lets a model be published, which carries the code of its base."""
    from zoo.licences import family, forbids, may_be_passed_on

    if licence is None:
        unnamed = "its card names none that the Hub knows; without `license` under base.remote_code"
        return f"{unnamed} a model is built, and not published"
    said = f"its card says '{licence}'"
    if not may_be_passed_on(licence):
        return f"{said}, which is not known to allow to pass the code on: a model is built, and not published"
    if why := forbids(family(licence), {family(licence)}):
        return f"{said}: {why}, so that a model is built, and not published"
    return said


def _show_reaches(found: CodeReview) -> None:
    reaches = found.reaches
    say.line("it reaches for nothing beyond tensors that is easy to see" if not reaches else "it reaches for:")
    for one in reaches[:MOST_REACHES]:
        say.line(f"  {one.file}:{one.line}  {one.name}  ({one.what})")
    if len(reaches) > MOST_REACHES:
        say.line(f"  and {len(reaches) - MOST_REACHES} more")


def _facts(found: CodeReview) -> dict[str, Any]:
    from dataclasses import asdict

    needed = found.code.is_needed
    return {
        "model": found.code.model,
        "revision": found.code.revision,
        "needs_consent": needed,
        "files": found.rows,
        "packages": found.packages,
        "missing": [lack.what for lack in found.lacks],
        "license": found.code.license,
        "reaches": [asdict(one) for one in found.reaches],
        "changes": found.changes,
        "recipes": [str(path) for path in found.recipes],
        "remote_code": found.code.consent.model_dump(mode="json", exclude_none=True) if needed else None,
    }
