"""The report on a built dataset, kept beside its rows with a receipt that says which rows it is of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zoo.errors import DataError
from zoo.layout import CHECK, CHECKED, DATA, DATA_SOURCE
from zoo.pipeline.asbuilt import dataset_as_built
from zoo.pipeline.build import Build
from zoo.quality.check import checked_material
from zoo.quality.checked import FORMAT
from zoo.quality.checks.contamination import UNSEARCHED
from zoo.quality.reading import material_of_built
from zoo.remote import host
from zoo.run import versions
from zoo.say import Progress
from zoo.tasks import pins


def check_built(
    build: Build, name: str, *, tasks: Sequence[str] | None, most: int | None, progress: Progress
) -> tuple[dict[str, Any], bool]:
    """The report on a dataset of the workspace, and whether it was there already.

    It is kept in `runs/`, where its publication finds it. It is made anew when the rows, the tasks or the libraries
    are others, or when the last one could not read every task.

    Args:
        tasks: evaluation tasks whose rows are looked for; None = the Hub is not asked.
        most: rows of a split that slow checks look at; None = all.

    Raises:
        DataError: the dataset is not built.
    """
    run, dataset = build.folder(name), build.workspace.dataset(name, scale=build.scale)
    if run.receipt(DATA) is None:
        raise DataError(f"dataset '{name}' is not built", hint=f"zoo data build {name}{build.as_typed}")
    dataset, folder = dataset_as_built(build, name), run.stage(DATA)
    made_from = {
        "format": FORMAT,
        "recipe": {"columns": dataset.model_dump(mode="json", by_alias=True)["columns"]},
        "needs": {DATA: {name: build.digest(name, DATA)}},
        "tasks": pins(tasks or ()),
        "asked": tasks is not None,
        "most": most,
        "hub": host(),
        "versions": versions("polars", "scikit-learn", "py3langid", "mteb"),
    }
    if run.stale(CHECK, made_from) is None and _searched_all(kept := _read(build, name)):
        return kept, True
    miniature = bool(json.loads((folder / DATA_SOURCE).read_text("utf-8")).get("miniature"))
    material = material_of_built(name, dataset, folder, tasks=tasks, most=most, miniature=miniature)
    with run.making(CHECK, made_from, fresh=True) as place:
        report = checked_material(material, progress=progress).as_json()
        (place / CHECKED).write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    return report, False


def _read(build: Build, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((build.folder(name).stage(CHECK) / CHECKED).read_text("utf-8"))
    return found


def _searched_all(report: dict[str, Any]) -> bool:
    return not any(UNSEARCHED in one["facts"] for one in report["checks"])
