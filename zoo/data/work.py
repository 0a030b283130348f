"""Fetches, checks and writes every split of a dataset, after the steps of its recipe."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import steps
from zoo.audit.report import leave_audit
from zoo.data.columns import ColumnPlace
from zoo.data.digests import DIGESTS, KnownDigests
from zoo.data.doubts import data_doubts
from zoo.data.encoders import Encoders
from zoo.data.flow import Flow
from zoo.data.gathering import split_reader
from zoo.data.glance import glance
from zoo.data.overlap import SharedRows, split_overlap
from zoo.data.report import SplitReport
from zoo.data.rows import room_for
from zoo.data.stepping import require_no_more, stepped
from zoo.data.writing import write_split
from zoo.errors import DataError
from zoo.layout import DATA, DATA_REPORT, DATA_SOURCE, EXTRA, GLANCE, REJECTED, ROWS, STEPS, split_file
from zoo.recipe import Dataset
from zoo.recipe.dataset import splits_key
from zoo.recipe.yamlfile import shown
from zoo.registry import blamed
from zoo.remote import is_miniature
from zoo.run import leave_doubts
from zoo.say import SILENT, Progress
from zoo.steps import StepResult, StepWork
from zoo.tasks import TASKS

if TYPE_CHECKING:
    import polars as pl

UNDERWAY = ".underway"  # in the stage's folder, until it is done


@dataclass(frozen=True)
class _Making:
    """A dataset in the making: its recipe, and what its steps may ask."""

    name: str
    dataset: Dataset
    folder: Path
    spec: Mapping[str, Any]
    encoders: Encoders
    progress: Progress

    def stepped(self, split: str, number: int, rows: pl.LazyFrame) -> StepResult:
        """The rows of a split after a step."""
        step, entry = self.dataset.steps[number], steps.STEPS[self.dataset.steps[number].type]
        encoder = self.encoders.loaded(step.model) if entry.encodes and step.model else None
        return stepped(self.name, self.dataset, number, rows, encoder, self._work(split, number))

    def _work(self, split: str, number: int) -> StepWork:
        columns = {**self.dataset.columns, **self.dataset.columns_before(number)}
        kept = self.folder / UNDERWAY / split / f"step-{number:02}"
        kept.mkdir(parents=True, exist_ok=True)
        return StepWork(
            dataset=self.name,
            split=split,
            step=self.dataset.steps[number].type,
            folder=kept,
            cache=Path(self.spec["cache"]),
            place=Path(self.spec["place"]),
            classes={name: column.names for name, column in columns.items() if column.names},
            models=self.spec.get("models", {}),
            device=self.spec.get("device"),
            on=self.spec.get("on", "local"),
            progress=self.progress,
            columns=list(self.dataset.columns),
            task_rows=partial(self._task_rows, number),
        )

    def _task_rows(self, number: int) -> dict[str, list[tuple[str, ...]]]:
        """{task that a step holds rows against: the texts of its rows}, from the Hub at its pinned revision."""
        from zoo.tasks.loading import loaded_task, rows_of  # mteb takes seconds

        names = steps.tasks_met([self.dataset.steps[number]], self.spec.get("suites", {}))
        return {name: rows_of(loaded_task(name), TASKS[name]) for name in names}


def work(folder: Path, spec: Mapping[str, Any], *, progress: Progress = SILENT) -> None:
    """Fetch, check, filter and write every split, and tell what became of the rows.

    Args:
        spec: {name, dataset: its recipe, came_from: what the sources are, as the stage leaves it, models: {model of a
            step: its commit}, device: that they encode on, place: the folder of its recipe, cache: a folder for what
            later builds use again, built: {other dataset: folder of its data stage}, suites: {suite that a step names:
            its tasks}}.

    Raises:
        HubError: the source cannot be read. DataError: it is not what the recipe says, or a step fails.
        EvaluationError: a step's model asks for code of its own, or cannot be loaded.
    """
    os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", "1")  # what is read ahead is in memory
    name, dataset = spec["name"], Dataset.model_validate(spec["dataset"])
    encoded = steps.encoders(dataset.steps)
    models = {model: commit for model, commit in spec.get("models", {}).items() if model in encoded}
    making = _Making(name, dataset, folder, spec, Encoders(models, spec.get("device")), progress)
    progress.start(f"{name}: data", len(dataset.splits))
    flows: dict[str, Flow] = {}
    read = split_reader(name, dataset, spec, folder / UNDERWAY)
    for split in dataset.splits:
        flows[split] = _through_steps(making, split, read)
        progress.advance()
    _require_same_files(name, spec)
    shared = _apart(making, flows)
    progress.finish()
    reports = {split: _report(dataset, flow, shared[split]) for split, flow in flows.items()}
    _write(folder, dataset, flows, reports)
    (folder / DATA_SOURCE).write_text(json.dumps(_came_from(dataset, spec)), "utf-8")
    doubts = data_doubts(dataset, {split: flow.frame for split, flow in flows.items()}, reports)
    leave_doubts(folder, doubts)
    audited = leave_audit(folder, name)
    _clear(folder)
    _tell(name, reports, doubts, progress)
    for line in audited.table() if audited else []:
        progress.note(f"{name:<24} {line}")


def _require_same_files(name: str, spec: Mapping[str, Any]) -> None:
    """Refuse rows of files that changed since they were looked at: the receipt would say what was not read.

    Raises:
        DataError: one did, or is gone.
    """
    known = KnownDigests(Path(spec["cache"]) / DIGESTS)
    files = [file for source in spec["came_from"].get("sources", []) for file in source.get("files", {}).items()]
    for file, digest in files:
        if known.of(path := Path(spec["place"]) / file) != digest:
            problem = f"dataset '{name}': '{shown(path)}' changed while it was read"
            raise DataError(problem, hint="when it is written whole, run it again")


def _clear(folder: Path) -> None:
    """Remove what was underway; what is removed in part is never gone on with."""
    gone = folder / f"{UNDERWAY}.done"
    shutil.rmtree(gone, ignore_errors=True)
    (folder / UNDERWAY).rename(gone)
    shutil.rmtree(gone)


def _came_from(dataset: Dataset, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The facts about its sources that the stage leaves."""
    hub = [
        (source.dataset, revision)
        for source, revision in zip(dataset.every_source, spec["revisions"], strict=True)
        if source.dataset
    ]
    built = [json.loads((Path(folder) / DATA_SOURCE).read_text("utf-8")) for folder in spec.get("built", {}).values()]
    miniature = any(is_miniature(*one) for one in hub) or any(parent["miniature"] for parent in built)
    models = {"models": dict(spec["models"])} if spec.get("models") else {}
    return {**spec["came_from"], "miniature": miniature, **models}


def _write(folder: Path, dataset: Dataset, flows: Mapping[str, Flow], reports: Mapping[str, SplitReport]) -> None:
    import polars as pl

    for split, flow in flows.items():
        write_split(flow, dataset, split_file(folder, split))
        if any(name.startswith(EXTRA) for name in flow.frame.collect_schema()):
            (folder / ROWS).mkdir(exist_ok=True)
            with room_for(beside := split_file(folder / ROWS, split)):
                flow.frame.sink_parquet(beside)
        if rejected := flow.rejected():
            (folder / REJECTED).mkdir(exist_ok=True)
            with room_for(beside := split_file(folder / REJECTED, split)):
                pl.scan_parquet(rejected, missing_columns="insert").sink_parquet(beside)
    told = {split: asdict(report) for split, report in reports.items()}
    for split in told:
        if not told[split]["facts"]:
            del told[split]["facts"]  # as reports of earlier versions, which stay as they are
    (folder / DATA_REPORT).write_text(json.dumps(told, indent=1), "utf-8")
    seen = {split: glance(split_file(folder, split), dataset) for split in flows}
    (folder / GLANCE).write_text(json.dumps(seen, ensure_ascii=False, indent=1), "utf-8")
    notes = {split: [asdict(note) for note in flow.notes] for split, flow in flows.items()}
    (folder / STEPS).write_text(json.dumps(notes, ensure_ascii=False, indent=1), "utf-8")


def _tell(name: str, reports: Mapping[str, SplitReport], doubts: Sequence[str], progress: Progress) -> None:
    for split, report in reports.items():
        for line in report.lines():
            progress.note(f"{name:<24} {split:<13} {line}")
    for doubt in doubts:
        progress.note(f"doubt: {DATA} of '{name}': {doubt}")


def _report(dataset: Dataset, flow: Flow, shared: Mapping[str, SharedRows]) -> SplitReport:
    import polars as pl

    means = flow.frame.select(pl.col(dataset.texts).str.len_chars().mean()).collect(engine="streaming").row(0)
    lengths = {text: round(float(mean), 1) for text, mean in zip(dataset.texts, means, strict=True)}
    return SplitReport(flow.read, dict(flow.dropped), flow.sampled_from, flow.rows, lengths, dict(shared), flow.facts)


def _through_steps(making: _Making, split: str, read: Any) -> Flow:
    import polars as pl

    name, dataset = making.name, making.dataset
    flow = Flow.of(making.folder / UNDERWAY / split)
    flow.begin(partial(read, split))
    for number, step in enumerate(dataset.steps):
        if number < len(flow.notes):
            continue  # it was done before the stage was cut off
        if steps.STEPS[step.type].samples_first:
            first = next(text for text, column in dataset.columns_before(number).items() if column.type == "text")
            flow.sample(_limits(dataset).get(split), together=first)  # triplets are made of rows of one premise
        options = step.model_dump(mode="json", by_alias=True, exclude={"type"})
        keep = steps.STEPS[step.type].keeps_dropped
        run, check = partial(making.stepped, split, number), partial(require_no_more, name, step)
        with blamed(step.registry, step.type, f"dataset '{name}': step '{step.type}'", DataError):  # while it streams
            flow.through(step.type, options, run, keep_dropped=keep, check=check)
    flow.settle()
    _require_rows(making, split, flow)
    missing = flow.frame.select(pl.col(list(dataset.columns)).null_count()).collect(engine="streaming")
    for column in missing.columns:
        if rows := missing[column][0]:
            problem = f"has no value in {rows:,} of {flow.rows:,} rows"
            raise ColumnPlace(name, split, column).error(problem, "add not_empty to steps, and these rows are dropped")
    return flow


def _limits(dataset: Dataset) -> dict[str, int]:
    return {str(split): rows for split, rows in dataset.rows.items()}


def _require_rows(making: _Making, split: str, flow: Flow) -> None:
    if not flow.rows:
        name, dataset = making.name, making.dataset
        took = ", ".join(f"{rows:,} by {step}" for step, rows in flow.dropped.items() if rows) or "no step took any"
        others = f"name the other splits in {splits_key(dataset)}, without '{split}'"
        hint = f"correct columns or steps in its recipe; or {others}"
        problem = f"dataset '{name}': no rows left in split '{split}': {flow.read:,} read; dropped: {took}"
        raise DataError(problem, hint=hint)


def _apart(making: _Making, flows: Mapping[str, Flow]) -> Mapping[str, Mapping[str, SharedRows]]:
    """Make the splits samples, drop training rows of others if the recipe says so; what they shared before comes out.

    It is done in one go, and anew when it was cut off.
    """
    dataset, limits = making.dataset, _limits(making.dataset)
    late = {"train"} if dataset.overlap == "drop" else set()  # so that as many are left as the recipe says
    for split, flow in flows.items():
        if split not in late:
            flow.sample(limits.get(split))
    overlap = split_overlap({split: flow.frame for split, flow in flows.items()}, dataset.texts)
    for split in late & flows.keys():
        flows[split].without("overlap", overlap.in_train)
        flows[split].sample(limits.get(split))
        _require_rows(making, split, flows[split])
    return overlap.shared
