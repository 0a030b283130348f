"""Judges a trial of phases that started from the same model: which is kept, and why the others are dropped.

All that is judged by stands in the phases' folders, so that the judgement is the same after training was cut off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sentence_transformers import SentenceTransformer

from zoo.evidence.course import is_kept
from zoo.evidence.resampling import Contrast, Resamples, Sample, compare_samples, load_sample, save
from zoo.layout import TRAIN_LOG
from zoo.models.load import saved_model
from zoo.recipe.fits import untrained
from zoo.recipe.found import in_words
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase
from zoo.recipe.trials import is_tried_alone
from zoo.train.dev import dev_scores

PREDICTED = "dev.npz"  # of an alternative: what its model makes of the rows of `dev`
BEFORE = "before.npz"  # of a phase that is tried alone: the same of the model that it starts from

FEWEST = 6
"""Rows, those of one anchor counted as one: of so many, chance prefers one model in all less often than once in 20."""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """The end of a trial: an entry of the log for each of its phases, and the folder of the model to go on from."""

    log: list[Entry]
    model: Path | None
    """None = none was kept, and the model is the one that they started from."""


def judged(
    trial: Sequence[NamedPhase],
    folder: Path,
    dev: Path | None,
    device: str | None,
    start: Callable[[str | None], SentenceTransformer],
) -> Judgement:
    """Choose among phases that are over. The first that is better than the start is kept, and a later one in its place
    when the paired 95% interval of the difference on `dev` is above zero. One that is tried alone is kept when that of
    its difference from the start is.

    Args:
        trial: alternatives, or a phase alone.
        folder: of the train stage; the phases' own are in it.
        dev: the rows on which they were scored; None for a phase without any, which is kept.
        device: encodes these rows.
        start: loads the model that they started from onto a device.
    """
    log = [json.loads((folder_of(folder, phase) / TRAIN_LOG).read_text("utf-8")) for phase in trial]
    log = [{**entry, "kept": entry["best_step"] != 0, "why": None} for entry in log]
    if is_tried_alone(trial) and log[0]["kept"]:
        assert dev
        return _beside_the_start(trial[0], log[0], folder, dev, device, start)
    better = [place for place, entry in enumerate(log) if entry["kept"]]
    best = better[0] if better else 0  # where none is, the folder of each holds the model that it started from
    for place in better[1:]:
        assert dev
        earlier, later = (_predicted(trial[one], folder, dev, device) for one in (best, place))
        found = compare_samples(later, earlier, Resamples.of(later))
        loser, why = place, _beaten(found, log[best]["phase"])
        if few := _too_few(later):
            why = f"cannot be told from '{log[best]['phase']}' by {few}"
        elif found.low > 0:
            loser, why, best = best, f"'{log[place]['phase']}' is better: {_shown(found)}", place
        log[loser] |= {"kept": False, "why": why}
    return Judgement(log, folder_of(folder, trial[best]))


def _beside_the_start(
    phase: NamedPhase,
    entry: Entry,
    folder: Path,
    dev: Path,
    device: str | None,
    start: Callable[[str | None], SentenceTransformer],
) -> Judgement:
    own = folder_of(folder, phase)
    if entry["start"] is None:
        return Judgement([{**entry, "why": "without it no score is a number"}], own)
    before = dev_sample(own / BEFORE, phase, dev, lambda: start(device))
    found = compare_samples(_predicted(phase, folder, dev, device), before, Resamples.of(before))
    kept = found.low > 0
    word = "better than" if kept else "worse than" if found.high < 0 else "tied with going on"
    why = f"{word} without it: {_shown(found)}"
    if few := _too_few(before):
        kept, why = False, f"cannot be told from going on without it by {few}"
    entry = {**entry, "kept": kept, "why": why}
    return Judgement([entry], own if kept else None)


def folder_of(folder: Path, phase: NamedPhase) -> Path:
    """The folder of a phase that is over, in that of the train stage."""
    return folder / f"phase-{phase.name}"


def doubts(log: Sequence[Entry]) -> list[str]:
    """The doubts about the phases that made the model: those that were kept, or all where none was."""
    counted = [entry for entry in log if is_kept(entry)] or log
    return [f"phase '{entry['phase']}': {doubt}" for entry in counted for doubt in entry["doubts"]]


def lost_sizes(recipe: Recipe, log: Sequence[Entry]) -> list[str]:
    """A doubt about the sizes that the recipe promises and that only phases trained which were dropped; or none."""
    kept = {entry["phase"] for entry in log if is_kept(entry)}
    *before, own = recipe.lineage
    line = [(phase.name, phase, member.dims) for member in before for phase in member.phases]
    line += [(phase.name, phase, own.dims) for phase in own.phases if phase.name in kept]
    lacking, _, _ = untrained(recipe.dims, recipe.base.width, line)
    what = f"no phase that was kept trains {in_words(lacking)} of the sizes {in_words(recipe.dims)}"
    return [f"{what}: a cut embedding may be worth much less than a whole one"] if lacking else []


def _too_few(sample: Sample) -> str:
    """Words for the rows of `dev` where they are too few for an interval that means something; else empty."""
    count = len(sample.values) if sample.groups is None else len(set(sample.groups.tolist()))
    what = "rows" if sample.groups is None else "anchors"
    return f"{count} {what if count > 1 else what[:-1]} of dev" if count < FEWEST else ""


def _beaten(found: Contrast, best: str) -> str:
    return f"{'worse than' if found.high < 0 else 'tied with'} '{best}': {_shown(found)}"


def _shown(found: Contrast) -> str:
    return f"{found.difference:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def _predicted(phase: NamedPhase, folder: Path, dev: Path, device: str | None) -> Sample:
    own = folder_of(folder, phase)
    return dev_sample(own / PREDICTED, phase, dev, lambda: saved_model(own, device))


def dev_sample(kept: Path, phase: NamedPhase, dev: Path, load: Callable[[], SentenceTransformer]) -> Sample:
    """The sample that a model makes of the rows of `dev`, at the dim that its phase is chosen by; the file keeps it.

    Of pairs these are the cosines beside the scores; of triplets, whether each is right, those of one anchor together.
    """
    if not kept.is_file():
        rows, model = pl.read_parquet(dev), load()
        model.max_seq_length = min(model.max_seq_length or phase.train.max_seq_length, phase.train.max_seq_length)
        cosines = dev_scores(rows, [phase.best.dim]).cosines(model)[phase.best.dim]
        if phase.best.metric == "accuracy":
            near, far = cosines
            anchors = rows.to_series(0).rank("dense").to_numpy()
            save(Sample("mean", (near > far).astype(float), groups=anchors), kept)
        else:
            save(Sample(phase.best.metric, cosines[0], rows.to_series(2).to_numpy()), kept)
    return load_sample(kept)
