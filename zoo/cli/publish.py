"""plan, publish, status: what is on the Hub and what should be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from zoo import say
from zoo.cli.session import command, confirm, connect, require_yes, scale_option, workspace, yes_option
from zoo.errors import PublishError
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.pipeline.build import Build
    from zoo.publish.apply.rollout import Published
    from zoo.publish.desired.fleet import Fleet
    from zoo.publish.plan.change import PlannedChange
    from zoo.publish.plan.everything import FleetPlan
    from zoo.publish.plan.repository import Plan
    from zoo.publish.plan.saved import Asked

SIGNS = {
    "create": "+",
    "add": "+",
    "update": "~",
    "set": "~",
    "rename": ">",
    "move": ">",
    "delete": "-",
    "keep": "=",
    "conflict": "!",
    "missing": "?",
}
COLOURS = {"+": "green", "~": "yellow", ">": "cyan", "-": "red", "!": "magenta", "?": "magenta"}
BRANCH = re.compile(r"(?![0-9a-f]{40}$)(?!.*(\.\.|//|\.lock$|[./]$))\w[\w./-]*")
MOST_LINES = 40  # of a card's difference

LEAKED = 0.01  # of a task's rows; more than that is not published unasked
SAID_BY_PLANS = ("scale", "revision", "pr", "overwrite")

overwrite_option = click.option(
    "--overwrite", multiple=True, metavar="ID:PATH", help="Take our file, whatever was done to it on the Hub."
)
wait_option = click.option(
    "--wait",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long a Space may take to be built and started; later than that it is proved by the next publish.",
)
pr_option = click.option("--pr", is_flag=True, help="A pull request for each repository, or what it lacks by now.")
revision_option = click.option("--revision", metavar="BRANCH", help="Another branch than main, made when missing.")


def fleet_named(names: Sequence[str], scale: str, *, private: bool = False) -> tuple[Build, Fleet]:
    """Return what these names stand for, or all that is built, as a fleet; say which recipes were edited since.

    Raises:
        PublishError: nothing is built at this scale.
    """
    from zoo.pipeline.asbuilt import edited_since
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import fleet, select

    build = Build(workspace(), scale)
    chosen = select(build, names)
    if not names and not chosen.recipes:
        raise _nothing_built(build)
    found = fleet(build, chosen.recipes, chosen.datasets, chosen.spaces, private=private)
    for what, edited in edited_since(build, chosen.recipes).items():
        say.note(f"built before {what}: {', '.join(edited)}")
        say.hint(f"zoo build {' '.join(edited)}{build.as_typed}")
    return build, found


def _nothing_built(build: Build) -> PublishError:
    """Return an error for a scale at which no model is built, with what is there instead."""
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import built, built_datasets

    if datasets := built_datasets(build):
        hint = f"zoo {click.get_current_context().info_name} {' '.join(datasets)}{build.as_typed}"
        return PublishError(f"no model is built at scale '{build.scale}', and datasets go by their names", hint=hint)
    scales = (other for other in build.workspace.scales if other != build.scale)
    others = [other for other in scales if built(Build(build.workspace, other))]
    hint = f"add --scale {others[0]}: there it is" if others else build.way_to_build()
    return PublishError(f"nothing is built at scale '{build.scale}'", hint=hint)


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command what plan and publish are asked alike, as one `Asked`; the Hub is connected first."""

    @wraps(function)
    def run(
        *rest: Any, names: tuple[str, ...], scale: str, revision: str | None, pr: bool, overwrite: Any, **others: Any
    ) -> None:
        if pr and revision:
            raise click.UsageError("--pr goes to a pull request, --revision to a branch: give one of them")
        if revision and not BRANCH.fullmatch(revision):
            raise click.BadParameter(f"'{revision}' is not the name of a branch", param_hint="--revision")
        connect()
        from zoo.publish.plan.saved import Asked

        function(*rest, asked=Asked(names, scale, revision, pr, overwrite), **others)

    return scale_option(overwrite_option(pr_option(revision_option(run))))


@command("plan", epilog="zoo plan arabert-hybrid\nzoo plan --out friday.json && zoo publish friday.json")
@click.argument("names", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan: zoo publish FILE applies just that.")
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    help="Write our files, as they would be, into folders.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "md"]),
    default="text",
    show_default=True,
    help="md: for the comment on a pull request.",
)
@click.pass_context
@asking
def plan(ctx: click.Context, asked: Asked, out: Path | None, write: Path | None, form: str) -> None:
    """Show what publishing would change. Exit code 2 when something would.

    NAMES are of recipes, which bring their parents, their datasets and their Spaces along, of datasets, which bring
    those that they are made from, or of Spaces: `space` is all of them.
    """
    if out and out.suffix != ".json":
        raise click.BadParameter(f"'{out}' does not end in '.json', which tells plans from recipes", param_hint="--out")
    if form == "md" and say.wants_json():
        raise click.UsageError("--json is another format than --format md: give one of them")
    from zoo.ci.comment import plan_as_markdown
    from zoo.ci.github import add_to_summary, runs_here
    from zoo.publish.plan import saved
    from zoo.publish.plan.everything import plan_fleet
    from zoo.publish.plan.rights import why_refused

    _, fleet = fleet_named(asked.names, asked.scale)
    found = plan_fleet(fleet, asked.target, asked.overwrite)
    if write:
        for one in found.plans:
            one.expected.write(write / f"{one.release.kind}s" / one.release.id)
    if out:  # before anything is said: a reader that has seen enough ends us
        saved.save_plan(out, asked, found)
    refused = why_refused(found) if found.changed else None
    if form == "md" or runs_here():
        add_to_summary(markdown := plan_as_markdown(found, refused))
    if form == "md":
        say.raw(markdown)
        ctx.exit(2 if found.changed or found.blocked else 0)
    _say_plan(found)
    if refused:
        say.line(f"it cannot be published from here: {refused.message}")
        say.hint(str(refused.hint))
    elif out and found.changed and not found.blocked:
        say.hint(_command(str(out)))
    for note in fleet.notes:
        say.line(f"note: {note}")
    told = {"error": refused.message, "hint": refused.hint} if refused else None
    say.result({"units": _units(found), "changed": found.changed, "refused": told, "notes": fleet.notes})
    ctx.exit(2 if found.changed or found.blocked else 0)


def _units(found: FleetPlan) -> list[dict[str, Any]]:
    from zoo.lint.leaks import redacted_all
    from zoo.publish.plan.difference import changed_lines, metadata_changes

    units: list[dict[str, Any]] = [
        {
            "kind": one.release.kind,
            "id": one.release.id,
            "head": one.head,
            "changes": [_as_json(change) for change in found.changes(one)],
            "kept": [_as_json(change) for change in one.changes if change.action == "keep"],
            "conflicts": [_as_json(change) for change in one.conflicts],
            "problems": list(one.problems),
            "missing": [_as_json(change) for change in found.beside(one) if change.action == "missing"],
            "metadata": [{"key": key, "old": old, "new": new} for key, old, new in metadata_changes(*one.card)]
            if one.card
            else [],
            "drift": changed_lines(*one.drift) if one.drift else [],
        }
        for one in found.plans
    ]
    for listed in found.collections:
        changes = [_as_json(change) for change in listed.pending]
        facts = {"id": listed.slug or listed.title, "changes": changes, "problems": listed.problems}
        units.append({"kind": "collection", **facts})
    return [redacted_all(unit) for unit in units]


def _as_json(change: PlannedChange) -> dict[str, Any]:
    facts = {"action": change.action, "path": change.path, "bytes": change.size, "note": change.note or None}
    clashes = [{"line": one.line, "hub": "".join(one.theirs), "ours": "".join(one.ours)} for one in change.clashes]
    return {**facts, **({"clashes": clashes} if clashes else {})}


def _say_plan(found: FleetPlan) -> None:
    for one in found.plans:
        _say_repository(one, [*one.changes, *found.beside(one)])
    for listed in found.collections:
        _line(f"collection {listed.slug or listed.title}" + ("" if listed.changes else ": no changes"))
        for change in listed.changes:
            say_change(change)
        for problem in listed.problems:
            _line(f"  ! {problem}", "magenta")
    waiting = any(one.target.number for one in found.plans)
    say.line(f"{found.changed} of {found.count} would change" if found.changed else _nothing(waiting=waiting))
    if found.blocked:
        as_they_are = "as it is" if len(found.blocked) == 1 else "as they are"
        say.line(f"{len(found.blocked)} cannot be published {as_they_are}")


def _nothing(*, waiting: bool) -> str:
    """Return why nothing is to be done."""
    return f"nothing to publish: {'pull requests hold what is new' if waiting else 'the Hub is up to date'}"


def _say_repository(plan: Plan, changes: list[PlannedChange]) -> None:
    from zoo.publish.plan.change import way_out
    from zoo.publish.plan.files import OURS

    release, private = plan.release, " (private)" if plan.private else ""
    nothing = "" if changes or plan.problems else ": no changes"
    if plan.target.number:
        nothing += f" in pull request #{plan.target.number}"
    _line(f"{release.kind} {release.id}{private}{nothing}")
    for change in changes:
        if change.path not in OURS or len(changes) == 1:  # records follow what they record
            say_change(change)
        if change.action == "conflict":
            _say_clashes(change)
            _line(f"      {way_out(release, change.path)}")
    for problem in plan.problems:
        _line(f"  ! {problem}", "magenta")
    if (cards := plan.card or plan.drift) and not plan.conflicts:
        _say_card(*cards)


def say_change(change: PlannedChange) -> None:
    """Print a change of a plan with its sign."""
    sign = SIGNS[change.action]
    size = f"  ({how_many(change.size, 'byte')})" if change.size else ""
    note = f"  {change.note}" if change.note else ""
    _line(f"  {sign} {change.path}{size}{note}", COLOURS.get(sign))


def _say_clashes(change: PlannedChange) -> None:
    for clash in change.clashes:
        _line(f"      line {clash.line} on the Hub:")
        for mark, lines in (("hub ", clash.theirs), ("ours", clash.ours)):
            for line in lines or ("(nothing)\n",):
                _line(f"      {mark} | {line.rstrip()}")


def _say_card(before: str, after: str) -> None:
    from zoo.publish.plan import difference

    for key, old, new in difference.metadata_changes(before, after):
        _line(f"      {key}: {old} -> {new}", "yellow")
    lines = difference.text_changes(before, after)
    for line in lines[:MOST_LINES]:
        _line(f"      {line}", {"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))
    if len(lines) > MOST_LINES:
        _line(f"      … {how_many(len(lines) - MOST_LINES, 'more line')}")


def _line(text: str, colour: str | None = None) -> None:
    """Print a line without the secrets in it."""
    from zoo.lint.leaks import redacted

    say.line(redacted(text), colour)


@command("publish", epilog="Example: zoo publish arabert-hybrid --pr")
@click.argument("names", nargs=-1, metavar="[NAMES]... | FILE")
@yes_option
@click.option("--private", is_flag=True, help="Create new repositories as private ones.")
@wait_option
@click.pass_context
@asking
def publish(ctx: click.Context, asked: Asked, yes: bool, private: bool, wait: int) -> None:
    """Publish built recipes with their parents, datasets, Spaces and collections: one commit per repository.

    NAMES are of recipes, of datasets, or of Spaces: `space` is all of them.
    FILE is a plan that `zoo plan --out FILE` saved: exactly that is done, or nothing.
    """
    require_yes(yes)
    from zoo.ci.comment import outcomes_as_markdown
    from zoo.ci.github import add_to_summary
    from zoo.pipeline.fleet import roll_out
    from zoo.publish.proof.running import Waiting
    from zoo.publish.proof.ways import WaysOut

    file = _plan_file(ctx, asked.names)
    asked, build, found = _from_file(file) if file else (asked, *_from_names(asked, private=private))
    leaked = _leaked(build, found)
    for name, sentences in leaked.items():
        for sentence in sentences:
            say.note(f"{name}: {sentence}")
    if (found.changed or found.blocked) and not yes:
        _confirm(found, leaked)
    again = _again_command(asked, private=private)
    with say.progress() as progress:
        build.progress = progress
        done = roll_out(
            build,
            found,
            private=private,
            report=say_published,
            go_on=lambda one: not file and _again(one, yes),
            waiting=Waiting(wait, progress),
            ways=WaysOut(again, hub=hub_as_typed()),
        )
    add_to_summary(outcomes_as_markdown(done))
    say.result({"published": [vars(outcome) for outcome in done], "leaked": leaked})
    if all(outcome.did == "unchanged" for outcome in done):
        say.line(_nothing(waiting=any(outcome.url for outcome in done)))
    if missed := [outcome for outcome in done if outcome.missed]:
        _say_missed(missed, len(done), again)
        ctx.exit(1)


def _plan_file(ctx: click.Context, names: Sequence[str]) -> Path | None:
    """Return the saved plan among the names; recipes' names have no suffix."""
    found = [Path(name) for name in names if name.endswith(".json")]
    typed = [name for name in SAID_BY_PLANS if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if found and (len(names) > 1 or typed):
        besides = f"'--{typed[0]}'" if typed else "another name"
        raise click.UsageError(f"a saved plan says what goes where, without {besides} beside it: zoo publish FILE")
    return found[0] if found else None


def _from_names(asked: Asked, *, private: bool = False) -> tuple[Build, FleetPlan]:
    from zoo.publish.plan.everything import plan_fleet

    build, fleet = fleet_named(asked.names, asked.scale, private=private)
    return build, plan_fleet(fleet, asked.target, asked.overwrite)


def _from_file(file: Path) -> tuple[Asked, Build, FleetPlan]:
    from zoo.publish.plan import saved

    asked, content = saved.read_plan(file)
    build, found = _from_names(asked)
    saved.require_unchanged(file, content, asked, found)
    return asked, build, found


def _leaked(build: Build, found: FleetPlan) -> dict[str, list[str]]:
    """{recipe that would be published: sentences on its tasks of which more than `LEAKED` of the rows leaked}."""
    from zoo.layout import EVALUATE

    plans = [one for one in found.plans if one.release.kind == "model" and found.changes(one)]
    built = [one.release.name for one in plans if build.folder(one.release.name).finished(EVALUATE)]
    sentences = {name: build.findings(name, above=LEAKED) for name in built}
    return {name: said for name, said in sentences.items() if said}


def _confirm(found: FleetPlan, leaked: Mapping[str, list[str]]) -> None:
    from zoo.remote import endpoint

    _say_plan(found)
    for note in found.fleet.notes:
        say.line(f"note: {note}")
    if leaked:
        confirm(f"publish scores of which more than {LEAKED:.0%} of a task's rows leaked ({', '.join(leaked)})?")
    question = f"publish {found.changed} of {found.count} as '{found.fleet.account}' to {endpoint()}?"
    confirm(question)


def _again(new: Plan, yes: bool) -> bool:
    """Ask whether to go on: a repository changed meanwhile, and what we would do now has no conflicts."""
    if yes:
        return True
    say.note(f"{new.release.kind} '{new.release.id}' changed on the Hub meanwhile; now it would be:")
    _say_repository(new, list(new.changes))
    with say.undisturbed():
        return click.confirm("go on with that?")


def say_published(outcome: Published) -> None:
    """Tell what came of one repository or collection."""
    proof = f"  {outcome.proved}" if outcome.proved else ""
    commit = f"  {outcome.commit[:8]}" if outcome.commit else ""
    why = f"  {outcome.why}" if outcome.why else ""
    url = f"  {outcome.url}" if outcome.url else ""
    say.note(f"{outcome.kind:<10} {outcome.did:<9} {outcome.id}{commit}{url}{proof}{why}")


def _say_missed(missed: list[Published], count: int, again: str) -> None:
    say.line(f"{len(missed)} of {count} {'was' if len(missed) == 1 else 'were'} not published")
    for outcome in missed:
        if outcome.hint:
            say.hint(outcome.hint)
    say.hint(f"to go on: {again}")


def _again_command(asked: Asked, *, private: bool) -> str:
    """Return what was asked for, to be typed again."""
    words = [*asked.names]
    words += ["--private"] if private else []
    words += ["--scale", asked.scale] if asked.scale != "full" else []
    words += ["--pr"] if asked.pull_request else []
    words += ["--revision", asked.branch] if asked.branch else []
    words += [word for place in asked.overwrite for word in ("--overwrite", place)]
    return _command(*words)


def _command(*words: str) -> str:
    """Return a `zoo publish` command for the Hub in use."""
    return shlex.join(["zoo", "publish", *words]) + hub_as_typed()


def hub_as_typed() -> str:
    """Return the option that names the Hub, for hints; empty when none was typed."""
    hub = click.get_current_context().meta.get("hub")
    return f" --hub {shlex.quote(hub)}" if hub else ""


@command("status", epilog="Example: zoo status --scale mini --hub local")
@scale_option
@click.pass_context
def status(ctx: click.Context, scale: str) -> None:
    """The whole fleet: what is built and evaluated, and whether the Hub has it as it is.

    Exit code 2 when publishing would change something.
    """
    connect()
    from zoo.evidence.scores import LEAK_MARK, LEGEND
    from zoo.pipeline.build import Build
    from zoo.pipeline.status import fleet_status

    rows, changed = fleet_status(Build(workspace(), scale))
    _say_fleet(rows, scale)
    if any(LEAK_MARK in str(row.get("mean")) for row in rows):
        say.line(LEGEND)
    for doubt in dict.fromkeys(doubt for row in rows for doubt in row.get("doubts") or ()):
        say.line(f"doubt: {doubt}")
    say.result({"scale": scale, "fleet": rows, "changed": changed})
    ctx.exit(2 if changed else 0)


def _say_fleet(rows: Sequence[Mapping[str, Any]], scale: str) -> None:
    """Print a table for each kind of thing, and in one line the recipes of which nothing is built."""
    from zoo.layout import DATA
    from zoo.pipeline.stages import OF_RECIPES

    nothing = [row["name"] for row in rows if row["kind"] == "model" and not (row["built"] or row["published"])]
    there = [row for row in rows if row["name"] not in nothing or row["kind"] != "model"]
    whole: dict[str | None, str] = {", ".join(OF_RECIPES): "yes", DATA: "yes"}
    for place, kind in enumerate(dict.fromkeys(row["kind"] for row in there)):
        if place:
            say.line()
        of_kind = [row for row in there if row["kind"] == kind]
        say.table([_status_row(row, whole) for row in of_kind])
    if nothing:
        if there:
            say.line()
        say.line(f"not built: {', '.join(nothing)}")
        say.hint(f"zoo build {nothing[0]}" + ("" if scale == "full" else f" --scale {scale}"))


def _status_row(row: Mapping[str, Any], whole: Mapping[str | None, str]) -> dict[str, Any]:
    """Return a row of the fleet as people read it, named by its kind."""
    rest = {name: value for name, value in row.items() if name not in ("kind", "name")}
    built, doubts = row.get("built"), len(row.get("doubts") or ())
    told = {"built": whole.get(built, built), "doubts": doubts or None, "published": row.get("published") or "no"}
    return {row["kind"]: row["name"], **rest, **told}
