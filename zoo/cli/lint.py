"""lint: any card or repository, ours or not, against rules with ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo import say
from zoo.cli.services import annotate, as_code_quality, summarise
from zoo.cli.session import command, connect, need, scale_option, workspace
from zoo.errors import HubError, PublishError, WorkspaceError, ZooError, did_you_mean
from zoo.plurals import how_many

if TYPE_CHECKING:
    from zoo.lint.check import LintReport
    from zoo.lint.facts import Facts
    from zoo.lint.repo import CheckedRepo
    from zoo.models.identity import ModelSource
    from zoo.pipeline.build import Build
    from zoo.remote import Kind

KINDS = ["model", "dataset", "space"]
FORMATS = ["text", "json", "sarif", "gitlab"]


@command(
    "lint",
    epilog="zoo lint my-model/ --fix\nzoo lint arabert-hybrid --scale mini\n"
    "zoo lint datasets/owner/name --format sarif > lint.sarif",
)
@click.argument("target", required=False)
@click.option("--fix", "mend", is_flag=True, help="Put right what is safe to put right; folders only.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--snippets", is_flag=True, help="Run the card's Python too: somebody's code, on this machine.")
@click.option("--probe", is_flag=True, help="Load the model too, twice, to see that it is sound: rule L56.")
@click.option("--trust", metavar="COMMIT", help="With --probe: run a Hub id's code as it is at this commit (40 hex).")
@click.option("--offline", is_flag=True, help="Do not ask the Hub; rules that need it are listed as not checked.")
@click.option("--kind", type=click.Choice(KINDS), help="Of a folder.  [default: what its files look like]")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and what each one finds.")
@scale_option
@click.pass_context
def lint(
    ctx: click.Context,
    target: str | None,
    mend: bool,
    form: str,
    snippets: bool,
    probe: bool,
    trust: str | None,
    offline: bool,
    kind: str | None,
    list_rules: bool,
    scale: str,
) -> None:
    """Check a folder, a built recipe or any Hub id (owner/name, datasets/…, spaces/…). Exit code 1: something found."""
    from zoo.ci.placed import of_report

    say.configure(json=say.wants_json() or form == "json")
    if list_rules:
        _say_rules()
        return
    if target is None:
        raise click.UsageError("give a folder, a recipe or a Hub id, or --rules")
    if trust and not probe:
        raise click.UsageError("--trust goes with --probe: nothing else runs a model's code")
    for asked, option in ((probe, "--probe"), (snippets, "--snippets")):
        if asked:  # what they lack would be told as a fault of the model or of its card
            need("eval", having=option)
    if ctx.meta.get("hub") or not (offline and Path(target).is_dir()):  # else nothing of huggingface_hub is needed
        connect()
    repo = _repo(target, scale, offline=offline, kind=kind, snippets=snippets)
    if mend and repo.folder is None:
        raise ZooError(f"--fix changes folders, and '{target}' is none", hint=f"hf download {target} --local-dir DIR")
    if probe and repo.kind == "model":
        repo.model = _model(repo, target, scale, trust)
    report, fixed = _checked(repo, target, mend=mend)
    placed = of_report(report, repo.folder)
    if form == "gitlab":
        as_code_quality(placed)
    else:
        _say(report, fixed, form)
    annotate(placed)
    summarise(f"zoo lint: {_count(report)}", placed)
    ctx.exit(1 if report.findings else 0)


def _model(repo: CheckedRepo, target: str, scale: str, trust: str | None) -> ModelSource:
    """The model that is linted, as `zoo eval` would load it, but for prompts."""
    from zoo.models.foreign.consent import consent_to
    from zoo.models.identity import ModelSource
    from zoo.pipeline.candidates import candidate_of, require_commit
    from zoo.remote import revision_of

    names = _recipes()
    if trust is not None:
        require_commit(names, target, trust)
    if repo.folder is not None:
        return ModelSource(kind="folder", place=str(repo.folder.resolve()), weights=target)
    if repo.given_id is None:
        return candidate_of(workspace(), target, (), scale).model
    revision = revision_of("model", repo.given_id, trust)
    consent = consent_to(repo.given_id, trust, kind="hub") if trust else None
    return ModelSource(kind="hub", place=repo.given_id, revision=revision, weights=revision, remote_code=consent)


def _checked(repo: CheckedRepo, target: str, *, mend: bool) -> tuple[LintReport, list[str]]:
    from zoo.lint.check import check_repository
    from zoo.lint.fix import fix
    from zoo.lint.target import of_folder

    if not mend or repo.folder is None:
        return check_repository(repo, target), []
    folder, options = repo.folder, {"kind": repo.kind, "run_snippets": repo.run_snippets}

    def look() -> LintReport:
        again = of_folder(folder, repo.facts, **options)  # type: ignore[arg-type]
        again.model = repo.model
        return check_repository(again, target)

    fixed, report = fix(folder, look)
    return report, fixed


def _repo(target: str, scale: str, *, offline: bool, kind: str | None, snippets: bool) -> CheckedRepo:
    from zoo.lint import facts
    from zoo.lint.target import of_folder, of_hub

    path = Path(target)
    asked: Facts = facts.NoHub() if offline else facts.hub_facts()
    if path.is_dir():
        return of_folder(path, asked, kind=kind, run_snippets=snippets)  # type: ignore[arg-type]
    if path.exists():
        raise ZooError(f"'{target}' is a file", hint=f"name its folder: zoo lint {path.parent}")
    names = _recipes()
    if target in names:
        return _built(target, scale, asked)
    if offline:
        raise ZooError(f"no folder or recipe '{target}'", hint=did_you_mean(target, names) or "drop --offline")
    try:
        return of_hub(target, run_snippets=snippets)
    except HubError as problem:
        near = did_you_mean(target, names) if "/" not in target else None
        raise HubError(problem.message, hint=near or problem.hint) from None


def _recipes() -> list[str]:
    try:
        return workspace().names
    except WorkspaceError:  # linting needs none
        return []


def _built(name: str, scale: str, asked: Facts) -> CheckedRepo:
    from zoo.lint import files
    from zoo.lint.facts import Coming
    from zoo.lint.target import of_files
    from zoo.pipeline.build import Build

    build = Build(workspace(), scale)
    known = Coming(asked, {(kind, repo_id): licence for kind, repo_id, licence in published_with(build, name)})
    return of_files(files.held_files(release_files(build, name)), known, kind="model")


def published_with(build: Build, name: str) -> Iterator[tuple[Kind, str, str]]:
    """Find (kind, id, licence) of what is published together with a recipe's model: its parents and datasets."""
    for member in build.workspace.recipe(name, scale=build.scale).lineage:
        yield "model", f"{build.account}/{member.release.repo}", member.release.license
        for dataset in member.datasets.values():
            if dataset.release:
                yield "dataset", f"{build.account}/{dataset.release.repo}", dataset.release.license


def release_files(build: Build, name: str) -> Mapping[str, bytes | Path]:
    """Return the files that publishing a recipe's model would put on the Hub.

    Raises:
        PublishError: it is not built.
    """
    from zoo.evidence.scores import FILE as SCORES
    from zoo.layout import CARD, EVALUATE, README, TRAIN
    from zoo.models.foreign.carried import recorded_files
    from zoo.pipeline.asbuilt import as_built
    from zoo.publish.desired.release import model_release

    recipe, run = as_built(build, build.workspace.recipe(name, scale=build.scale)), build.folder(name)
    card, scores = run.stage(CARD) / README, run.stage(EVALUATE) / SCORES
    if not card.is_file():
        raise PublishError(f"recipe '{name}' has no finished stage '{CARD}'", hint=f"zoo build {name}{build.as_typed}")
    return model_release(
        recipe,
        recipe.release.repo,
        model=build.model(name),
        card=card,
        scores=scores,
        recorded=recorded_files(build.receipt(name, TRAIN)),
    ).files


def _say(report: LintReport, fixed: list[str], form: str) -> None:
    from zoo.lint.report import report_as_json, report_as_sarif

    if form == "sarif":
        import json

        say.raw(json.dumps(report_as_sarif(report), ensure_ascii=False, indent=1))
        return
    say.result(report_as_json(report, fixed))
    for did in fixed:
        say.line(f"fixed: {did}")
    for one in report.findings:
        say.line(f"{one.file}:{one.line}: {one.rule} {one.message}")
        if one.hint:
            say.line(f"    {one.hint}")
    _say_summary(report)


def _say_summary(report: LintReport) -> None:
    from zoo.lint.fix import fixable

    for reason in dict.fromkeys(report.unchecked.values()):
        ids = ", ".join(repo_id for repo_id, why in report.unchecked.items() if why == reason)
        say.line(f"not checked: {ids} ({reason})")
    mends = f"; --fix mends {safe}" if (safe := fixable(report.findings)) else ""
    say.line(f"{report.target}: {_count(report)}; {report.checked} rules looked{mends}")


def _count(report: LintReport) -> str:
    return how_many(len(report.findings), "finding") if report.findings else "nothing found"


def _say_rules() -> None:
    from zoo.lint.report import rule_rows

    rows = rule_rows()
    say.result({"rules": rows})
    for row in rows:
        marks = [row["severity"], *(["fix"] if row["fix"] else []), *(["asks the Hub"] if row["hub"] else [])]
        say.line(f"{row['id']}  {row['name']}  ({', '.join(marks)}; {row['kinds']})")
        say.line(f"     {row['finds']}")
        say.line(f"     {row['spares']}")
