"""Pulls stages that another machine built: those of today's recipes, each whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from zoo.depot.here import checks_of, file_here, kept_here, nodes_of, recipe_difference
from zoo.depot.kept import MADE, ROWS, KeptStage
from zoo.depot.repository import RunsRepository, kept_by_stage, look_at
from zoo.errors import HubError, PublishError
from zoo.layout import CARD, DATA, EVALUATE, TRAIN
from zoo.patience import patiently
from zoo.pipeline.build import Build
from zoo.remote import api, explained
from zoo.run import file_digest, remove
from zoo.say import SILENT, Progress
from zoo.stage import Node

WORKERS = 8  # files that are fetched together
DECIDING = (EVALUATE, TRAIN)
"""Stages that are chosen first: what they were made from comes with them, and decides about the others."""
Key = tuple[str, str]


@dataclass(frozen=True)
class ToPull:
    """The stages that would be pulled, and what is kept of another recipe than today's."""

    repository: RunsRepository
    commit: str
    """40 hex."""
    new: Sequence[KeptStage]
    here: Sequence[KeptStage]
    """What is on this machine already."""
    stale: Mapping[str, str] = field(default_factory=dict)
    """{recipe or dataset of which only other versions are kept: the first difference from today's}."""
    missing: Sequence[str] = ()
    """Recipes of which nothing is kept."""


def stages_to_pull(build: Build, names: Sequence[str], repository: RunsRepository) -> ToPull:
    """Decide what comes down: for each stage the newest that was made from today's recipe, with all that it needs.

    Raises:
        HubError: there is no such repository. PublishError: its index is not as zoo wrote it.
    """
    nodes = nodes_of(build, names)
    listing, everything = look_at(repository)
    if listing.head is None:
        hint = "zoo runs push on the machine that builds; a private repository needs HF_TOKEN with the right to read"
        raise HubError(f"there are no runs in {repository}, or this token may not read them", hint=hint)
    kept = kept_by_stage(everything, build.scale)
    mine = {node.key: one for node in nodes if (one := _here(build, *node.key))}
    keys = [node.key for node in nodes]
    candidates = {node.key: [*filter(None, [mine.get(node.key)]), *kept.get(node.key, [])] for node in nodes}
    before: dict[Key, Collection[Key]] = {node.key: {*keys[:at]} for at, node in enumerate(nodes)}
    fitting = {node.key: [*_fitting(node, candidates[node.key], before[node.key])] for node in nodes}
    chosen: dict[Key, KeptStage] = {}
    for stage in [*DECIDING, None]:
        for node in reversed(nodes):
            if stage in (node.stage, None):
                chosen = _with(node.key, fitting, chosen) or chosen
    chosen |= {key: one for key in checks_of(nodes) if (one := _check(build, key, kept, chosen))}
    here = [one for key, one in chosen.items() if (known := mine.get(key)) and known.made == one.made]
    new = [one for one in chosen.values() if one not in here]
    return ToPull(repository, listing.head, new, here, *_left(nodes, candidates, chosen))


def _fitting(node: Node, candidates: Sequence[KeptStage], before: Collection[Key]) -> Iterator[KeptStage]:
    """Find those of today's recipe. What would need itself, or what comes later, is of nobody's recipe."""
    for one in candidates:
        if recipe_difference(node, one) is None and all(key in before for key, _ in one.needs):
            yield one


def _here(build: Build, name: str, stage: str) -> KeptStage | None:
    """Return a finished stage of this machine; one that somebody edited is none, and is put aside."""
    try:
        return kept_here(build, name, stage)
    except PublishError:
        return None


def _with(
    key: Key, fitting: Mapping[Key, Sequence[KeptStage]], chosen: dict[Key, KeptStage], made: str | None = None
) -> dict[Key, KeptStage] | None:
    """Return the choice with this stage and all that it was made from; None when that is not to be had.

    Args:
        made: the digest of what it must have made; None: any.
    """
    if key in chosen:
        return chosen if made in (None, chosen[key].receipt.digest) else None
    for one in fitting.get(key, ()):
        if made not in (None, one.receipt.digest):
            continue
        found: dict[Key, KeptStage] | None = chosen
        for need, digest in one.needs:
            found = _with(need, fitting, found, digest) if found is not None else None
        if found is not None:
            return {**found, key: one}
    return None


def _check(
    build: Build, key: Key, kept: Mapping[Key, Sequence[KeptStage]], chosen: Mapping[Key, KeptStage]
) -> KeptStage | None:
    """Return the report of `zoo data check` on the rows that were chosen, unless there is one here."""
    data = chosen.get((key[0], DATA))
    if data is None or build.folder(key[0]).finished(key[1]):
        return None
    return next((one for one in kept.get(key, ()) if dict(one.needs) == {data.key: data.receipt.digest}), None)


def _left(
    nodes: Sequence[Node], candidates: Mapping[Key, Sequence[KeptStage]], chosen: Mapping[Key, KeptStage]
) -> tuple[dict[str, str], list[str]]:
    """Return why recipes and datasets are not pulled, or not whole: {name: difference}, and names without anything."""
    stale: dict[str, str] = {}
    missing: list[str] = []
    for node in nodes:
        if node.key in chosen or node.stage == CARD or node.name in stale:
            continue
        if newest := next(iter(candidates[node.key]), None):
            gone = f"'{node.stage}' was made from what is not there any more"
            stale[node.name] = recipe_difference(node, newest) or gone
        elif node.name not in missing:
            missing.append(node.name)
    return stale, [name for name in missing if name not in stale]


def pull_stages(
    build: Build,
    asked: ToPull,
    *,
    progress: Progress = SILENT,
    report: Callable[[KeptStage], None] = lambda one: None,
) -> None:
    """Fetch the stages. Each gets its name when every byte is what its receipt says; cut off, it goes on.

    What stood in the place of one is put aside as `<stage>.before`.

    Raises:
        HubError: the Hub cannot be asked. PublishError: a file is not what the receipt says.
    """
    progress.start("fetching files", sum(len(one.files) for one in asked.new))
    for one in asked.new:
        run = build.folder(one.name)
        with run.alone(one.stage):
            work = run.folder / f".{one.stage}.pulled"
            _fetch(asked, one, work, progress)
            arrived = work / one.folder
            _verify(asked, one, arrived)
            for path in one.rows:
                place = file_here(build, one, f"{one.folder}/{ROWS}/{path}")
                place.parent.mkdir(parents=True, exist_ok=True)
                (arrived / ROWS / path).replace(place)
            run.take(one.stage, arrived / MADE, one.receipt)
            shutil.rmtree(work)
        report(one)
    progress.finish()


def _fetch(asked: ToPull, one: KeptStage, work: Path, progress: Progress) -> None:
    """Fetch the files of a stage into a folder, as the repository has them; what is there already is not sent again."""

    def fetch(path: str) -> None:
        patiently(
            lambda: api().hf_hub_download(
                asked.repository.id, path, repo_type="dataset", revision=asked.commit, local_dir=work
            )
        )
        progress.advance()

    with explained(f"fetch '{one.stage}' of '{one.name}' from {asked.repository}"), ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(fetch, one.files))


def _verify(asked: ToPull, one: KeptStage, arrived: Path) -> None:
    for path in _wrong(one, arrived):
        remove(arrived)
        problem = f"'{path}' of {asked.repository} is not what the receipt of '{one.name}' says: nothing of it is taken"
        hint = "take back the commit that changed it, or delete the repository and run zoo runs push again"
        raise PublishError(problem, hint=hint)


def _wrong(one: KeptStage, arrived: Path) -> Iterator[str]:
    for path, sha256 in one.files.items():
        if file_digest(arrived / path.removeprefix(f"{one.folder}/")) != sha256:
            yield path
