"""A submission to MTEB's results repository: one commit on a branch of a clone that the user has. Nothing is sent.

mteb's own `submit_results` leaves the clone on another branch and resets it the next time, and with it the commit that
was not sent yet. Here the commit is made of git objects alone: what is checked out, the index and every other branch
stay as they are.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

from zoo.errors import PublishError, ZooError
from zoo.evaluate import results
from zoo.evaluate.ingredients import folder_name, results_folder
from zoo.evidence.scores import Subject
from zoo.pipeline.build import Build
from zoo.pipeline.fleet import fleet
from zoo.publish.desired.release import SCORES, Release
from zoo.publish.plan.guard import refuse_secrets
from zoo.publish.plan.repository import plan_release
from zoo.recipe import Recipe
from zoo.remote import api, explained
from zoo.tasks import TASKS

UPSTREAM = "embeddings-benchmark/results"
META, SETTINGS = "model_meta.json", "run_settings.jsonl"
NOBODY = "0" * 40  # git's id of a branch that must not exist yet

_NLI = {"XNLI"}  # SNLI is no task of mteb's; MultiNLI, translated, is the training set of XNLI
_STSB = {"STSBenchmark", "STSBenchmarkMultilingualSTS"}
TRAINING_SETS = {
    "sentence-transformers/all-nli": _NLI,
    "sentence-transformers/stsb": _STSB,
    "Omartificial-Intelligence-Space/Arabic-NLi-Triplet": _NLI,
    "Omartificial-Intelligence-Space/Arabic-NLi-Pair-Class": _NLI,
    "Omartificial-Intelligence-Space/Arabic-stsb": _STSB,
}
"""{source of a dataset: mteb's tasks whose training set it is, or a translation of it}; what is not here is of none."""


@dataclass(frozen=True)
class Submission:
    """One published model's results, as they belong into the results repository."""

    recipe: str
    id: str
    revision: str
    """The commit on the Hub."""
    files: Mapping[str, bytes]
    source: str
    """Python that defines mteb's ModelMeta, for a pull request to mteb itself."""
    rehearsal: bool

    @property
    def branch(self) -> str:
        """The name of the branch for this commit of the model."""
        return f"zoo-{self.recipe}-{self.revision[:8]}"

    @property
    def title(self) -> str:
        """The title of the commit and of the pull request."""
        return f"Add results of {self.id} ({self.revision[:8]})"

    @property
    def message(self) -> str:
        """The commit message; of a rehearsal it says that it is not to be sent."""
        return self.title + ("\n\nA rehearsal on generated data: not to be sent." if self.rehearsal else "")


def submissions(build: Build, recipes: Sequence[Recipe]) -> list[Submission]:
    """Submissions of published recipes: what the results repository should hold of each.

    Raises:
        PublishError: one is not published, or another model or other scores than were built; or a rehearsal off the
            local Hub. HubError: the Hub cannot be asked.
    """
    releases = {release.name: release for release in fleet(build, recipes).releases if release.kind == "model"}
    return [_submission(build, recipe, releases[recipe.name]) for recipe in recipes]


def _submission(build: Build, recipe: Recipe, release: Release) -> Submission:
    head = _published(release, build.scale)
    scores, runs = build.scores(recipe.name), build.folder(recipe.name).folder.parent
    subject = scores.subject("self")
    assert subject is not None
    model = _Model(recipe, subject, release.id, head, build.model(recipe.name), results_folder(runs))
    files = {path: content for dim in subject.dims for path, content in model.files(dim).items()}
    return Submission(recipe.name, release.id, head, files, model.source, scores.miniature or build.scale != "full")


def _published(release: Release, scale: str) -> str:
    """The commit on the Hub, which holds what was built; only the card may have been edited there."""
    found = plan_release(release)
    hint = f"zoo publish {release.name}" + ("" if scale == "full" else f" --scale {scale}")
    if found.head is None:
        raise PublishError(f"recipe '{release.name}' is not published as '{release.id}'", hint=hint)
    changed = [change.path for change in found.changes if change.path != "README.md"]
    if changed:
        path = min(changed, key=lambda path: (path != SCORES, path))
        raise PublishError(f"'{release.id}' on the Hub is not what was built: '{path}' differs", hint=hint)
    return found.head


@dataclass(frozen=True)
class _Model:
    """A published model with its results, as mteb describes models."""

    recipe: Recipe
    subject: Subject
    id: str
    revision: str
    folder: Path
    """The trained model."""
    results: Path

    def files(self, dim: int) -> dict[str, bytes]:
        """{path: content} of one size: every task of mteb's that was measured at it."""
        place = f"results/{folder_name(self.id)}/{self.revision}/"
        if dim != self.subject.dims[0]:
            place += f"experiments/embed_dim_{dim}/"
        tasks = [
            task
            for task in TASKS
            if TASKS[task].official and results.stored(self.results, self.subject, dim, TASKS[task])
        ]
        sources = [results.result_path(self.results, self.subject, dim, TASKS[task]) for task in tasks]
        files = {place + path.name: path.read_bytes() for path in sources}
        settings = sources[0].with_name(SETTINGS)
        return {**files, place + META: self._meta_file(dim), place + SETTINGS: settings.read_bytes()}

    def _meta_file(self, dim: int) -> bytes:
        """`model_meta.json` as mteb writes it, with sets in one order."""
        full = dim == self.subject.dims[0]
        facts = self.meta.model_copy(update={"experiment_kwargs": None if full else {"embed_dim": dim}}).to_dict()
        facts["training_datasets"] = sorted(facts["training_datasets"])
        return json.dumps(facts, default=str, indent=4).encode()

    @cached_property
    def meta(self) -> Any:
        from mteb.languages.iso_mappings import _hf_langs_to_iso_lang_scripts  # no public way (2.26); test_submit.py
        from mteb.models import ModelMeta, SentenceTransformerEncoderWrapper
        from mteb.models.model_meta import ScoringFunction
        from mteb.types import Licenses

        release, prompts = self.recipe.release, self._prompts
        weights = [path.stat().st_size for path in self.folder.rglob("*.safetensors")]
        return ModelMeta(
            loader=SentenceTransformerEncoderWrapper,
            loader_kwargs={"model_prompts": prompts} if prompts else {},
            name=self.id,
            revision=self.revision,
            release_date=_created(self.id),
            languages=_hf_langs_to_iso_lang_scripts(release.language),
            n_parameters=self.subject.parameters,
            n_embedding_parameters=_embedding_parameters(self.folder),
            memory_usage_mb=round(sum(weights) / 2**20),
            max_tokens=self.subject.max_seq_length,
            embed_dim=list(self.subject.dims),
            license=release.license if release.license in get_args(Licenses) else None,
            open_weights=True,
            public_training_code=None,
            public_training_data=True,
            framework=["Sentence Transformers", "PyTorch", "safetensors"],
            reference=f"https://huggingface.co/{self.id}",
            similarity_fn_name=ScoringFunction.COSINE,
            use_instructions=bool(prompts),
            training_datasets=training_tasks(self.recipe),
            adapted_from=self.recipe.base.on_hub,
            citation=release.paper.bibtex if release.paper else None,
        )

    @property
    def _prompts(self) -> dict[str, str]:
        return {name: prompt for name, prompt in (self.subject.prompts or {}).items() if prompt}

    @property
    def source(self) -> str:
        name = re.sub(r"\W", "_", self.recipe.release.repo).lower()
        return (
            "from mteb.models.model_meta import ModelMeta, ScoringFunction\n"
            "from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper\n\n"
            f"# trained on {', '.join(sorted(_training_data(self.recipe)))}\n"
            f"{'model_' if name[0].isdigit() else ''}{name} = {self.meta.to_python()}\n"
        )


def training_tasks(recipe: Recipe) -> set[str]:
    """mteb's tasks whose training sets, or translations of them, a recipe and its parents were trained on."""
    return {task for dataset in _training_data(recipe) for task in TRAINING_SETS.get(dataset, ())}


def _training_data(recipe: Recipe) -> set[str]:
    """Ids on the Hub of the datasets that the model was trained on."""
    uses = ((member, use) for member in recipe.lineage for phase in member.phases for use in phase.data)
    return {one for member, use in uses for one in member.datasets[use.dataset].hub_ids}


def _created(model_id: str) -> str | None:
    """The day on which a model appeared on the Hub."""
    with explained(f"look up model '{model_id}'"):
        created = api().model_info(model_id).created_at
    return created.date().isoformat() if created else None


def _embedding_parameters(folder: Path) -> int | None:
    """Numbers in the table of word embeddings; None when the weights name none, or several."""
    from safetensors import safe_open

    found = []
    for path in folder.rglob("*.safetensors"):
        with safe_open(path, framework="numpy") as weights:
            tables = [name for name in weights.keys() if name.endswith("word_embeddings.weight")]  # noqa: SIM118
            found += [prod(weights.get_slice(name).get_shape()) for name in tables]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class BranchChange:
    """A file that the next commit of the branch adds or updates."""

    action: Literal["add", "update"]
    path: str
    content: bytes


@dataclass(frozen=True)
class Pending:
    """The changes that a submission's branch lacks, and the commit that the next one stands on."""

    submission: Submission
    start: str
    tip: str | None
    """Of the branch; None: there is none yet."""
    changes: Sequence[BranchChange]


class Clone:
    """The user's clone of the results repository.

    Raises:
        PublishError: it is none, it has uncommitted work, or git fails.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if self._found("rev-parse", "--git-dir") is None:
            raise PublishError(f"'{folder}' is no git repository", hint=f"git clone https://github.com/{UPSTREAM}")
        if self._run("status", "--porcelain"):
            hint = f"commit or stash it: git -C {folder} status"
            raise PublishError(f"'{folder}' has uncommitted work", hint=hint)
        main = self._commit_of("refs/heads/main") or self._commit_of("refs/remotes/origin/main")
        if main is None or self._found("rev-parse", "--verify", "--quiet", f"{main}:results") is None:
            hint = f"git clone https://github.com/{UPSTREAM}"
            raise PublishError(f"'{folder}' has no folder 'results' on a branch 'main'", hint=hint)
        self.main: str = main

    def pending(self, submission: Submission) -> Pending:
        """Looks only. Files that are there already keep what they have of other subsets."""
        tip = self._commit_of(f"refs/heads/{submission.branch}")
        start = tip or self.main
        changes = []
        for path, content in sorted(submission.files.items()):
            old = self._show(start, path)
            new = content if old is None else merged(path, old, content)
            if new != old:
                changes.append(BranchChange("add" if old is None else "update", path, new))
        return Pending(submission, start, tip, changes)

    def commit(self, pending: Pending) -> str:
        """One commit, on the submission's branch: its id."""
        branch = pending.submission.branch
        files = {change.path: change.content for change in pending.changes}
        refuse_secrets("commit the submission", {"its message": pending.submission.message, **files})
        self._refuse_anonymous()
        if f"branch refs/heads/{branch}" in self._run("worktree", "list", "--porcelain").splitlines():
            hint = f"git -C {self.folder} switch main"
            raise PublishError(f"branch '{branch}' is checked out in '{self.folder}'", hint=hint)
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", pending.start, env=index)
            entries = "".join(f"100644 {self._blob(change.content)}\t{change.path}\n" for change in pending.changes)
            self._run("update-index", "--index-info", stdin=entries.encode(), env=index)
            tree = self._run("write-tree", env=index)
        made = self._run("commit-tree", tree, "-p", pending.start, stdin=pending.submission.message.encode())
        self._run("update-ref", f"refs/heads/{branch}", made, pending.tip or NOBODY)
        return made

    def _blob(self, content: bytes) -> str:
        return self._run("hash-object", "-w", "--stdin", stdin=content)

    def _refuse_anonymous(self) -> None:
        """A guessed name and address would be of this machine, and the commit is for the public."""
        if self._found("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT") is None:
            hint = f"git -C {self.folder} config user.email you@example.org, and user.name"
            raise PublishError(f"git does not know who commits in '{self.folder}'", hint=hint)

    def _commit_of(self, ref: str) -> str | None:
        return self._found("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")

    def _show(self, commit: str, path: str) -> bytes | None:
        done = self._git("show", f"{commit}:{path}")
        return done.stdout if done.returncode == 0 else None

    def _found(self, *arguments: str) -> str | None:
        done = self._git(*arguments)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def _run(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        done = self._git(*arguments, stdin=stdin, env=env)
        if done.returncode:
            said = (done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
            raise PublishError(f"git {arguments[0]} failed in '{self.folder}': {said}")
        return done.stdout.decode().strip()

    def _git(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Whatever repository the caller's own environment names, this one is meant."""
        kept = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
        kept.pop("GIT_INDEX_FILE", None)
        command = ["git", "-C", str(self.folder), *arguments]
        try:
            return subprocess.run(command, input=stdin, env={**kept, **(env or {})}, capture_output=True, check=False)
        except FileNotFoundError:
            raise ZooError("git is not installed", hint="install it, and run the command again") from None


def merged(path: str, old: bytes, new: bytes) -> bytes:
    """A file of the results repository with what we measured: other subsets, and other tasks' settings, stay.

    Scores that are there already leave the file as it is. Of another dataset revision, ours replace all.
    """
    if path.endswith(SETTINGS):
        return b"".join(dict.fromkeys(line + b"\n" for line in [*old.splitlines(), *new.splitlines()]))
    if path.endswith(META):
        return new
    was, now = json.loads(old), json.loads(new)
    if was.get("dataset_revision") != now["dataset_revision"]:
        return new
    both = {**_by_subset(was), **_by_subset(now)}
    if both == _by_subset(was):
        return old
    scores: dict[str, list[Any]] = {}
    for (split, _), entry in both.items():
        scores.setdefault(split, []).append(entry)
    return json.dumps({**now, "scores": scores}, indent=2).encode()


def _by_subset(result: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    return {(split, entry["hf_subset"]): entry for split, entries in result["scores"].items() for entry in entries}
