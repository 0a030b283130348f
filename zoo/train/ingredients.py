"""What the train stage is made from and what it leaves; light, so that asking whether to train needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.curves.journal import Spent, read_journal
from zoo.layout import DATA, JOURNAL, MODEL, TRAIN, TRAIN_LOG, split_file
from zoo.models.folder import file_digests
from zoo.recipe import Recipe
from zoo.recipe.schema import code_digests
from zoo.remote import host
from zoo.run import versions
from zoo.stage import NamedDataset, Node, Site
from zoo.train.beside import commits

STAGE = TRAIN
FORMAT = 3  # one more whenever the stage leaves other files, or trains otherwise
HEADS = "heads"  # heads/<phase>.safetensors: parameters of losses, where they have any
IN_FOLDER = "./folder"  # in the place of a base model's path in receipts
INDIFFERENT = {"save_steps", "packing", "dataloader_num_workers", "gradient_checkpointing", "torch_compile"}
"""Settings of a phase that change nothing of what comes out but its last bits: another value must not train again."""


def needs(recipe: Recipe, site: Site) -> list[Node]:
    """Data to train on and to choose the best checkpoint by, and the parent's model."""
    data = [Node(DATA, NamedDataset(name, dataset)) for name, dataset in recipe.datasets.items()]
    return [*data, *([Node(TRAIN, recipe.parent)] if recipe.parent else [])]


def part(recipe: Recipe) -> dict[str, Any]:
    """The base model and the phases, without what changes nothing of what comes out."""
    base = recipe.base.model_dump(
        mode="json", exclude={"miniature": True, "origin": True, "remote_code": {"license": True}}
    )
    if recipe.base.in_folder:  # its digest is an ingredient, and decides: the folder may go to another place
        base["model"] = IN_FOLDER
    kept = {"evaluation": {"phases": True}} if recipe.evaluation.phases else {}  # the models after them stay here
    return {
        "base": base,
        **kept,
        "phases": [phase.model_dump(mode="json", exclude={"train": INDIFFERENT}) for phase in recipe.phases],
    }


def ingredients(recipe: Recipe, site: Site) -> dict[str, Any]:
    """The commits of the base model and of those that losses name, and the libraries that train."""
    return {
        **({"base_files": file_digests(recipe.base.model)} if recipe.base.in_folder else {}),
        "base_revision": site.base_revision(recipe.base),
        "hub": host(),
        "versions": versions("torch", "transformers", "sentence-transformers"),
        **commits(recipe, site),
        **code_digests(recipe.base, recipe.phases),
    }


def spec(recipe: Recipe, site: Site, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data that `zoo.train.work` needs."""
    return {
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "base_revision": made_from["base_revision"],
        "models": made_from.get("models", {}),
        "splits": {
            name: {split: str(split_file(site.place(name, DATA), split)) for split in dataset.splits}
            for name, dataset in recipe.datasets.items()
        },
        "parent": str(site.place(recipe.parent.name, TRAIN) / MODEL) if recipe.parent else None,
        "device": site.circumstances.device,
        "report_to": list(site.circumstances.report_to),
        "trackers": str(site.runs / "trackers"),
    }


def circumstances(folder: Path) -> dict[str, Any]:
    """The precision and the device of every phase, and how many devices, from the log of a finished stage; the rest
    from its journal.

    Hardware, seconds, rows, tokens and energy are as `zoo.curves.journal.Spent` has them, where there is a journal.
    """
    log = json.loads((folder / TRAIN_LOG).read_text("utf-8"))
    journal = folder / JOURNAL
    training = Spent(read_journal(journal)).facts if journal.is_file() else {}
    devices = {phase["phase"]: phase["devices"] for phase in log if "devices" in phase}
    return {
        "precision": {phase["phase"]: phase["precision"] for phase in log},
        **({"devices": devices} if devices else {}),
        **({"training": training} if training else {}),
    }
