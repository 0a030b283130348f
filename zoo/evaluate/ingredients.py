"""What the evaluate stage is made from; light, so that asking whether to evaluate needs neither torch nor mteb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from zoo.evidence.scores import Role, Subject
from zoo.evidence.snippets import sentence_pair, sentences_of
from zoo.ids import ModelRef, is_folder, shown_model
from zoo.layout import CONTAMINATION, DATA, EVALUATE, MODEL, OVERLAP, PHASES, TRAIN, split_file
from zoo.models.folder import folder_named
from zoo.models.foreign.carried import recorded_files
from zoo.models.identity import ModelSource, base_source
from zoo.recipe import Recipe
from zoo.recipe.fits import is_scored
from zoo.recipe.schema import Base
from zoo.recipe.training import NamedPhase
from zoo.remote import host
from zoo.run import Receipt, digest, versions
from zoo.stage import NamedDataset, Node, Site
from zoo.tasks import TASKS, pins

STAGE = EVALUATE
FORMAT = 4  # one more whenever the stage leaves other files, or measures otherwise


class Candidate(BaseModel):
    """A model to evaluate: who it is, at which dims (none: its width alone), and where it comes from. Plain data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The name in result files."""
    revision: str
    role: Role
    title: str
    dims: tuple[int, ...]
    model: ModelSource
    identity: str
    """`model.identity.digest` where the evaluation was decided: elsewhere other libraries may give another one."""
    phase: str | None = None
    """Of the role `phase`: the phase of the recipe."""
    sources: tuple[str, ...] | None = None
    """Of the role `phase`: what it was trained on, as the contamination report of the recipe names it; null: all."""

    @classmethod
    def of(
        cls, name: str, revision: str, role: Role, title: str, *, dims: Sequence[int], model: ModelSource
    ) -> Candidate:
        """A candidate with its identity on this machine."""
        identity = model.identity.digest
        return cls(
            name=name, revision=revision, role=role, title=title, dims=tuple(dims), model=model, identity=identity
        )


def needs(recipe: Recipe, site: Site) -> list[Node]:
    """The models to measure, the reports on what they were trained on, and the pairs that people scored."""
    trained = [Node(stage, one) for stage in (TRAIN, CONTAMINATION) for one in _measured(recipe, site)]
    scored = _scored(recipe, "test") or _scored(recipe, "validation")
    pairs = [Node(DATA, NamedDataset(scored, recipe.datasets[scored]))] if scored else []
    return [*trained, *pairs]


def _measured(recipe: Recipe, site: Site) -> list[Recipe]:
    """The recipes whose models are measured: its own, its parent, and its rivals, as this build has them if it does."""
    chosen = {one.name: one for one in site.chosen}
    names = recipe.evaluation.rival_recipes
    rivals = [chosen.get(name) or site.workspace.recipe(name, scale=site.scale) for name in names]
    return [one for one in (recipe, recipe.parent, *rivals) if one]


def part(recipe: Recipe) -> dict[str, Any]:
    """The sizes, the suite and its tasks, and what `--set` changed. What is laid over the base model is part of its
    identity.
    """
    return recipe.model_dump(mode="json", include={"dims", "evaluation", "overrides"})


def ingredients(recipe: Recipe, site: Site) -> dict[str, Any]:
    """The identity of every model, the tasks at their revisions, the libraries that score, and what calibrates."""
    found = score_ingredients(candidates(recipe, site), recipe.evaluation.tasks)
    dev = _scored(recipe, "validation")
    return {**found, **({"calibration": f"{dev}/validation"} if dev else {}), "snippets": sentences_of(recipe.release)}


def spec(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.evaluate.work` needs."""
    sts, dev = _scored(recipe, "test"), _scored(recipe, "validation")
    return measurement(
        candidates(recipe, site),
        recipe.evaluation.suite,
        recipe.evaluation.tasks,
        results_folder(site.runs),
        sts=split_file(site.place(sts, DATA), "test") if sts else None,
        calibration=(f"{dev}/validation", split_file(site.place(dev, DATA), "validation")) if dev else None,
        snippets=(sentences_of(recipe.release), sentence_pair(recipe.release)),
        overlaps=_overlaps(recipe, site),
        overrides=recipe.overrides,
        device=site.circumstances.device,
        jobs=site.circumstances.jobs,
    )


def _overlaps(recipe: Recipe, site: Site) -> dict[str, Path]:
    """{name of a candidate: the report on what its recipe was trained on}."""
    found = {candidate_name(one): site.place(one.name, CONTAMINATION) / OVERLAP for one in _measured(recipe, site)}
    return found | {one.name: found[candidate_name(recipe)] for one in phase_candidates(recipe, site)}


def _scored(recipe: Recipe, split: str) -> str | None:
    """The dataset that chose the last phase's checkpoint, where it has such a split: `test` for the grid of
    correlations, `validation` for the calibration.

    None where there is no such split, or where its rows are triplets, which have no scores to correlate with.
    """
    name = recipe.phases[-1].dev
    return name if name and is_scored(recipe.datasets[name]) and split in recipe.datasets[name].splits else None


def candidates(recipe: Recipe, site: Site) -> list[Candidate]:
    """The models that are evaluated for a recipe: its own, its parent's, the base model, its rivals, and its own after
    each of its phases.
    """
    own = [_trained(recipe, "self", recipe, site)]
    if recipe.parent:
        own.append(_trained(recipe.parent, "parent", recipe, site))
    base = base_candidate(recipe.base, site.base_revision(recipe.base), recipe.dims)
    known = {one.name for one in (recipe, recipe.parent) if one}
    rivals = [_trained(one, "rival", recipe, site) for one in _measured(recipe, site) if one.name not in known]
    models = [_beside(one, site) for one in recipe.evaluation.rival_models]
    return [*own, base, *rivals, *models, *phase_candidates(recipe, site)]


def _beside(rival: ModelRef, site: Site) -> Candidate:
    if not is_folder(rival.model):
        return _of_hub(rival, site)
    revision = site.model_revision(rival)
    source = ModelSource(kind="folder", place=str(folder_named(rival.model, site.workspace.root)), weights=revision)
    return Candidate.of(_name_of(rival.model), revision, "rival", shown_model(rival.model), dims=(), model=source)


def _of_hub(rival: ModelRef, site: Site) -> Candidate:
    """A model of the Hub as its repository is, at its width alone, with the prompts that mteb measures it with."""
    from zoo.evaluate.registered import registered_prompts  # asks mteb, which takes seconds, once

    commit = site.model_revision(rival)
    prompts = registered_prompts(rival.model, results_folder(site.runs))
    source = ModelSource(kind="hub", place=rival.model, revision=commit, weights=commit, prompts=prompts)
    return Candidate.of(rival.model, commit, "rival", rival.model, dims=(), model=source)


def phase_candidates(recipe: Recipe, site: Site) -> list[Candidate]:
    """The models that a recipe's phases made and that its train stage kept, at full width, but for what is its own.

    An own model is there once more where the last phase was dropped and no better than its start.
    """
    receipt, folder = site.receipt(recipe.name, TRAIN), site.place(recipe.name, TRAIN)
    own = _files(receipt, MODEL)
    found = []
    for phase in recipe.phases if recipe.evaluation.phases else ():
        files = _files(receipt, f"{PHASES}/{phase.name}")
        if files and files != own:
            source = _source(recipe, folder / PHASES / phase.name, files, receipt)
            name, title = f"{candidate_name(recipe)}+{phase.name}", f"{recipe.release.repo} after {phase.name}"
            made = Candidate.of(name, receipt.digest[:40], "phase", title, dims=(), model=source)
            of_phase = {"phase": phase.name, "sources": _trained_on(recipe, phase)}
            found.append(made.model_copy(update=of_phase))
    return found


def _trained_on(recipe: Recipe, last: NamedPhase) -> tuple[str, ...]:
    """The sources that parents' phases and a recipe's own, up to one of them, were trained on and chosen by."""
    own = recipe.phases[: recipe.phases.index(last) + 1]
    phases = [*(phase for member in recipe.lineage[:-1] for phase in member.phases), *own]
    names = [f"{use.dataset}/train" for phase in phases for use in phase.data]
    return tuple(dict.fromkeys([*names, *(f"{phase.dev}/validation" for phase in phases if phase.dev)]))


def _files(trained: Receipt, folder: str) -> dict[str, str]:
    """{path in a folder of a train stage: sha256} of what is in it."""
    start = f"{folder}/"
    return {path.removeprefix(start): sha256 for path, sha256 in trained.made.items() if path.startswith(start)}


def _source(recipe: Recipe, folder: Path, files: Mapping[str, str], trained: Receipt) -> ModelSource:
    return ModelSource(
        kind="recipe",
        place=str(folder),
        weights=digest(files),
        width=recipe.base.width,
        remote_code=recipe.base.remote_code,
        own=recorded_files(trained),
    )


def _trained(trained: Recipe, role: Role, recipe: Recipe, site: Site) -> Candidate:
    receipt = site.receipt(trained.name, TRAIN)
    dims = [dim for dim in recipe.dims if dim <= trained.base.width]
    return trained_candidate(trained, site.place(trained.name, TRAIN), receipt, role, dims)


def trained_candidate(recipe: Recipe, folder: Path, trained: Receipt, role: Role, dims: Sequence[int]) -> Candidate:
    """A recipe's own model, in the `folder` of its train stage.

    Its revision is the digest of what that stage made, 40 hex as a commit's.
    """
    files = {path: sha256 for path, sha256 in trained.made.items() if path.startswith(f"{MODEL}/")}
    source = _source(recipe, folder / MODEL, files, trained)
    return Candidate.of(candidate_name(recipe), trained.digest[:40], role, recipe.release.repo, dims=dims, model=source)


def candidate_name(recipe: Recipe) -> str:
    """The name of a recipe's model in result files."""
    return f"zoo/{recipe.name}"


def base_candidate(base: Base, revision: str, dims: Sequence[int]) -> Candidate:
    """The model that a recipe starts from, with the prompts, pooling and length that the recipe gives it."""
    name = _name_of(base.model)
    return Candidate.of(name, revision, "base", base.title, dims=dims, model=base_source(base, revision))


def _name_of(model: str) -> str:
    """The name in result files of a model that a recipe names: its id, or 'local/' and the path of its folder."""
    return f"local/{shown_model(model).removeprefix('./').replace('/', '-')}" if is_folder(model) else model


def score_ingredients(candidates: Sequence[Candidate], tasks: Sequence[str]) -> dict[str, Any]:
    """Everything that decides the scores of some models on some tasks."""
    measures = {task: list(TASKS[task].measures) for task in tasks if TASKS[task].measures}
    return {
        "models": {candidate.name: candidate.revision for candidate in candidates},
        "identities": {candidate.name: candidate.model.identity.facts for candidate in candidates},
        "tasks": pins(tasks),
        "hub": host(),
        "versions": versions("mteb", "sentence-transformers", "scikit-learn", "numpy"),
        **({"measures": measures} if measures else {}),
    }


def measurement(
    candidates: Sequence[Candidate],
    suite: str,
    tasks: Sequence[str],
    results: Path,
    *,
    sts: Path | None = None,
    calibration: tuple[str, Path] | None = None,
    snippets: tuple[Sequence[str], Sequence[str]] | None = None,
    overlaps: Mapping[str, Path] | None = None,
    overrides: Sequence[str] = (),
    device: str | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """All that `zoo.evaluate.work.work` needs, as JSON.

    Args:
        results: the folder of mteb's result files.
        sts: a split of scored sentence pairs for the grid of correlations (Parquet).
        calibration: the name and the file of another, that the first candidate is calibrated on.
        snippets: the sentences that the snippets of the first candidate's card are run on, and the pair with and
            without diacritics, or none.
        overlaps: the contamination stage's report of those candidates that have one, by their names.
        overrides: what `--set` changed of the recipe of the first candidate.
        device: where models are loaded; None: the best there is.
        jobs: processes; each loads the model and scores whole tasks.
    """
    return {
        "suite": suite,
        "tasks": list(tasks),
        "candidates": [candidate.model_dump(mode="json") for candidate in candidates],
        "results": str(results),
        "sts": str(sts) if sts else None,
        "calibration": {"data": calibration[0], "split": str(calibration[1])} if calibration else None,
        "snippets": {"sentences": list(snippets[0]), "pair": list(snippets[1])} if snippets else None,
        "overlaps": {name: str(place) for name, place in (overlaps or {}).items()},
        "overrides": list(overrides),
        "device": device,
        "jobs": jobs,
    }


def results_folder(runs: Path) -> Path:
    """The folder of mteb's result files of one scale. One per Hub: a base model has one name and commit on all."""
    return runs / "mteb" / host()


def folder_name(model: str) -> str:
    """The name that mteb gives a model's folder."""
    return model.replace("/", "__").replace(" ", "_")


def experiment(identity: str | None, dim: int | None) -> Mapping[str, int | str] | None:
    """Facts that mteb files a result under besides the model's name and commit: its `experiment_kwargs`.

    Args:
        identity: None for what has none: the baseline, and whatever the version before measured.
        dim: None for the full width.
    """
    found: dict[str, int | str] = {} if dim is None else {"embed_dim": dim}
    return found | ({"identity": identity} if identity else {}) or None


def samples_folder(results: Path, model: Candidate | Subject) -> Path:
    """The folder of the rows behind a model's scores, and of what was loaded to measure them."""
    return results / "samples" / folder_name(model.name) / model.revision / (model.identity or "")


def sample_path(results: Path, subject: Subject, dim: int | None, task: str) -> Path:
    """Return the path of the rows behind a score, which `load_sample` of zoo.evidence.resampling reads."""
    size = "full" if dim is None else f"embed_dim_{dim}"
    return samples_folder(results, subject) / size / f"{task}.npz"
