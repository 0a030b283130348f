"""Judges a trial of phases that started from the same model: which is kept, and why the others are dropped.

All that is judged by stands in the phases' folders, so that the judgement is the same after training was cut off.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sentence_transformers.util import pairwise_cos_sim

from zoo.evidence.course import is_kept
from zoo.evidence.resampling import Contrast, Resamples, Sample, compare_samples, load_sample, save
from zoo.layout import TRAIN_LOG
from zoo.models.load import saved_model
from zoo.recipe.fits import untrained
from zoo.recipe.found import in_words
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase

PREDICTED = "dev.npz"  # of an alternative: the cosines that its model gives the rows of `dev`, and their scores

Entry = dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """The end of a trial: an entry of the log for each of its phases, and the folder of the model to go on from."""

    log: list[Entry]
    model: Path


def judged(trial: Sequence[NamedPhase], folder: Path, dev: Path | None, device: str | None) -> Judgement:
    """Choose among phases that are over. The first that is better than the start is kept, and a later one in its place
    when the paired 95% interval of the difference on `dev` is above zero.

    Args:
        trial: alternatives, or a phase alone.
        folder: of the train stage; the phases' own are in it.
        dev: the rows on which they were scored; None for a phase without any, which is kept.
        device: encodes these rows.
    """
    log = [json.loads((folder_of(folder, phase) / TRAIN_LOG).read_text("utf-8")) for phase in trial]
    log = [{**entry, "kept": entry["best_step"] != 0, "why": None} for entry in log]
    better = [place for place, entry in enumerate(log) if entry["kept"]]
    best = better[0] if better else 0  # where none is, the folder of each holds the model that it started from
    for place in better[1:]:
        assert dev
        earlier, later = (_predicted(trial[one], folder, dev, device) for one in (best, place))
        found = compare_samples(later, earlier, Resamples.of(later))
        loser, why = place, _beaten(found, log[best]["phase"])
        if found.low > 0:
            loser, why, best = best, f"'{log[place]['phase']}' is better: {_shown(found)}", place
        log[loser] |= {"kept": False, "why": why}
    return Judgement(log, folder_of(folder, trial[best]))


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


def _beaten(found: Contrast, best: str) -> str:
    return f"{'worse than' if found.high < 0 else 'tied with'} '{best}': {_shown(found)}"


def _shown(found: Contrast) -> str:
    return f"{found.difference:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def _predicted(phase: NamedPhase, folder: Path, dev: Path, device: str | None) -> Sample:
    """The cosines of an alternative's saved model for the rows of `dev`, at the dim that it was chosen by."""
    kept = folder_of(folder, phase) / PREDICTED
    if not kept.is_file():
        rows = pl.read_parquet(dev)
        model = saved_model(folder_of(folder, phase), device)
        model.max_seq_length = min(model.max_seq_length or phase.train.max_seq_length, phase.train.max_seq_length)
        first, second = (
            model.encode(rows.to_series(column).to_list(), truncate_dim=phase.best.dim, show_progress_bar=False)
            for column in (0, 1)
        )
        values = pairwise_cos_sim(first, second).cpu().numpy()
        save(Sample(phase.best.metric, values, rows.to_series(2).to_numpy()), kept)
    return load_sample(kept)
