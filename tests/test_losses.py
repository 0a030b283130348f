"""Every loss trains, alone and inside of others; models that losses name are ingredients, and are never trained."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from conftest import TestHub, workspace_in
from safetensors.numpy import load_file
from training import TINY, PowerCut, Trainings, made, recipe_of

from zoo.errors import TrainError, ZooError
from zoo.ids import LoadedModel, ModelRef
from zoo.losses import LOSSES, build_loss, teacher_of
from zoo.pipeline.build import Build
from zoo.plugins import loss
from zoo.publish.desired.provenance import of_model
from zoo.recipe.training import DataUse
from zoo.registry import Layer, filling
from zoo.say import Silent
from zoo.stage import Node

GUIDE = "tests/guide"  # with another tokenizer than TINY, and another width
TEACHER = "tests/teacher"  # as wide as TINY
ROWS = 16
STEPS = 6

OWN, OTHER, WIDE = ({"model": name} for name in (TINY, GUIDE, TEACHER))
GIST = {"type": "gist", "guide": OTHER, "temperature": 0.05}
CACHED_GIST = {**GIST, "type": "cached_gist", "mini_batch_size": 4}
DIMS = {"dims": [96, 48], "weights": [1, 0.5]}
TRAINED: dict[str, tuple[Any, str]] = {
    "mnrl": ("mnrl", "triplets"),
    "mnrl both ways": ({"type": "mnrl", "symmetric": True}, "pairs"),
    "cached_mnrl": ({"type": "cached_mnrl", "mini_batch_size": 4}, "triplets"),
    "cosent": ("cosent", "scored"),
    "angle": ("angle", "scored"),
    "cosine": ("cosine", "scored"),
    "softmax": ({"type": "softmax", "num_labels": 3}, "classes"),
    "triplet": ({"type": "triplet", "distance_metric": "cosine", "triplet_margin": 0.5}, "triplets"),
    "contrastive": ("contrastive", "two classes"),
    "online_contrastive": ({"type": "online_contrastive", "distance_metric": "euclidean"}, "two classes"),
    "mse": ({"type": "mse", "teacher": WIDE}, "pairs"),
    "distil": ({"type": "distil", "teacher": OTHER, "projection_dim": 64}, "pairs"),
    "gist": (GIST, "triplets"),
    "gist, one tokenizer": ({**GIST, "guide": OWN}, "pairs"),
    "cached_gist": (CACHED_GIST, "pairs"),
    "matryoshka": ({"type": "matryoshka", "inner": "mnrl", **DIMS}, "triplets"),
    "matryoshka, a size at a time": ({"type": "matryoshka", "inner": "cosent", "n_dims_per_step": 1, **DIMS}, "scored"),
    "matryoshka over cached_mnrl": ({"type": "matryoshka", "inner": "cached_mnrl", **DIMS}, "triplets"),
    "matryoshka over gist": ({"type": "matryoshka", "inner": GIST, **DIMS}, "pairs"),
    "matryoshka over cached_gist": ({"type": "matryoshka", "inner": CACHED_GIST, **DIMS}, "pairs"),
    "matryoshka over mse": ({"type": "matryoshka", "inner": {"type": "mse", "teacher": WIDE}, **DIMS}, "pairs"),
    "adaptive_layer": ({"type": "adaptive_layer", "inner": "mnrl"}, "pairs"),
    "adaptive_layer over softmax": (
        {"type": "adaptive_layer", "inner": {"type": "softmax", "num_labels": 3}, "layer_weighting": "log"},
        "classes",
    ),
    "adaptive_layer over matryoshka": (
        {"type": "adaptive_layer", "inner": {"type": "matryoshka", "inner": "cosent", **DIMS}},
        "scored",
    ),
    "matryoshka_2d": ({"type": "matryoshka_2d", "inner": "mnrl", "n_dims_per_step": None, **DIMS}, "pairs"),
    "matryoshka_2d over gist": ({"type": "matryoshka_2d", "inner": GIST, **DIMS}, "pairs"),
}
"""{what: (a loss, the rows that it reads)}. Every loss there is has a row of its name."""


def spec_of(written: Any) -> Any:
    return DataUse.model_validate({"dataset": "any", "loss": written}).loss


@pytest.fixture(scope="module")
def trainings(trainings: Trainings, seeded: TestHub) -> Trainings:
    """The recipe's, with models on the Hub that losses name."""
    put(seeded, GUIDE)
    put(seeded, TEACHER, width=96)
    put(seeded, f"{GUIDE}-remote", remote)
    put(seeded, f"{GUIDE}-pickled", pickled)
    return trainings


def put(hub: TestHub, name: str, change: Callable[[dict[str, bytes]], dict[str, bytes]] = dict, width: int = 64) -> str:
    """A model that may be a guide, on the Hub; its commit."""
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    options = {"architecture": "roberta", "tokenizer": "bpe", "modules": ("mean", "normalize")}
    files = stand_in(name, None, width=width, **options).files  # type: ignore[arg-type]
    store = Store(hub.root)
    commit = store.import_commit("model", name, change(dict(files)))
    store.close()
    return str(commit)


@pytest.fixture(scope="module")
def student(trainings: Trainings) -> Any:
    from zoo.models.load import base_model

    base = recipe_of().base
    return base_model(base, trainings.build.base_revision(base), "cpu").eval()


@pytest.fixture(scope="module")
def load(trainings: Trainings) -> Any:
    from zoo.train.taught import loader

    commits = {name: trainings.build.model_revision(ModelRef(model=name)) for name in (TINY, GUIDE, TEACHER)}
    return loader(commits, "cpu")


@pytest.fixture(scope="module")
def rows(trainings: Trainings) -> dict[str, tuple[list[list[str]], Any]]:
    """{kind: (columns of texts, labels)} of the miniature's data."""
    splits = trainings.spec()["splits"]
    pairs, graded = (
        pl.read_parquet(splits[name]["train"]).head(ROWS) for name in ("arabic-nli-pair-class", "arabic-stsb")
    )
    columns = [pairs[name].to_list() for name in ("premise", "hypothesis")]
    classes = torch.tensor(pairs["label"].to_list())
    return {
        "pairs": (columns, None),
        "triplets": ([*columns, columns[1][1:] + columns[1][:1]], None),
        "classes": (columns, classes),
        "two classes": (columns, (classes == 0).long()),
        "scored": ([graded[name].to_list() for name in ("sentence1", "sentence2")], torch.tensor(graded["score"])),
    }


def test_every_loss_has_a_row() -> None:
    assert set(LOSSES) <= set(TRAINED)


@pytest.mark.parametrize("name", TRAINED)
def test_a_loss_trains_and_is_lower_after(name: str, student: Any, load: Any, rows: Any) -> None:
    written, kind = TRAINED[name]
    (texts, labels), spec, model = rows[kind], spec_of(written), deepcopy(student)
    torch.manual_seed(0)
    if teacher := teacher_of(spec):
        labels = torch.stack([load(teacher).encode(column, convert_to_tensor=True) for column in texts], dim=1)
    built = build_loss(spec, model, load=load).train()
    model.eval()

    def value() -> torch.Tensor:
        random.seed(0)  # of the layers and sizes that are chosen
        return built([model.preprocess(column) for column in texts], labels)

    def measured() -> float:
        with torch.no_grad():
            return float(value())

    trained = [parameter for parameter in built.parameters() if parameter.requires_grad]
    optimizer, before = torch.optim.AdamW(trained, lr=1e-3), measured()
    for _ in range(STEPS):
        optimizer.zero_grad()
        value().backward()
        optimizer.step()
    assert measured() < before, (before, measured())


def test_a_guide_is_frozen_in_a_loss_that_is_trained(student: Any, load: Any, rows: Any) -> None:
    guide, model = load(ModelRef(model=GUIDE)), deepcopy(student)
    built = build_loss(spec_of({"type": "matryoshka", "inner": GIST, "dims": [96]}), model, load=load)
    before = {name: value.clone() for name, value in guide.state_dict().items()}
    optimizer = torch.optim.AdamW(built.train().parameters(), lr=0.1, weight_decay=0.5)
    built([model.preprocess(column) for column in rows["pairs"][0]], None).backward()
    optimizer.step()
    assert guide in list(built.modules()), "packing looks for models there"
    assert not any(module.training for module in guide.modules())
    assert all(torch.equal(before[name], value) for name, value in guide.state_dict().items())


def test_a_plugin_is_given_the_model_that_its_option_names(student: Any, load: Any) -> None:
    with filling(Layer()):

        @loss("own", texts=(2, 2))
        def own(model: Any, *, guide: LoadedModel | None = None) -> Any:
            """Keep what is given."""
            made = torch.nn.Module()
            made.guide = guide
            return made

        assert build_loss(spec_of("own"), student, load=load).guide is None
        guided = spec_of({"type": "own", "guide": OTHER})
        assert build_loss(guided, student, load=load).guide is load(ModelRef(model=GUIDE))


# As the train stage does it

DATA = "phases.hybrid.data="
TEXTS = "datasets.arabic-stsb.columns={sentence1: {type: text}, sentence2: {type: text}}"
SOFTMAX = "{dataset: arabic-nli-pair-class, loss: {type: softmax, num_labels: 3}}"
FAST = "phases.hybrid.train.learning_rate=1.0e-3"
PLAIN = (TEXTS, FAST, "phases.hybrid.dev=null", "phases.hybrid.train.eval_steps=null")


def by(written: str, *beside: str) -> tuple[str, ...]:
    return (*PLAIN, f"{DATA}[{', '.join([*beside, f'{{dataset: arabic-stsb, loss: {written}}}'])}]")


SETTINGS = {
    "a guide and a head": by(f"{{type: gist, guide: {{model: {GUIDE}}}}}", SOFTMAX),
    "a teacher": by(f"{{type: distil, teacher: {{model: {GUIDE}}}, projection_dim: 64}}"),
}


@pytest.mark.parametrize(
    ("what", "kept"),
    [
        ("a guide and a head", ["arabic-nli-pair-class/classifier.bias", "arabic-nli-pair-class/classifier.weight"]),
        ("a teacher", ["loss/projection.bias", "loss/projection.weight"]),
    ],
)
def test_training_that_was_cut_off_ends_in_the_same_bits(
    trainings: Trainings, what: str, kept: list[str], tmp_path: Path
) -> None:
    settings = (*SETTINGS[what], "phases.hybrid.train.save_steps=2", "phases.hybrid.train.max_steps=4")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    trainings.run(whole, *settings)
    with pytest.raises(KeyboardInterrupt):
        trainings.run(cut, *settings, progress=PowerCut(after=3))
    saved = sorted(cut.glob("checkpoints-*/checkpoint-*/loss_state.safetensors"))[-1]
    assert sorted(load_file(saved)) == kept, "no second model is a part of a checkpoint"
    assert (cut / "taught").is_dir() == (what == "a teacher"), "its embeddings are computed once"
    trainings.run(cut, *settings)
    assert made(cut) == made(whole)
    assert sorted(load_file(cut / "heads" / "hybrid.safetensors")) == kept
    assert sorted(path.name for path in cut.iterdir() if path.is_dir()) == ["heads", "model"]


def test_a_teacher_labels_texts_as_it_embeds_them(trainings: Trainings, load: Any, tmp_path: Path) -> None:
    from datasets import Dataset

    from zoo.say import SILENT
    from zoo.train.taught import with_labels

    use = DataUse.model_validate({"dataset": "any", "loss": {"type": "mse", "teacher": WIDE}})
    texts = Dataset.from_dict({"one": ["نص", "نص آخر"], "other": ["كلمة", "جملة قصيرة"]})
    asked: list[ModelRef] = []

    def counted(model: ModelRef) -> Any:
        asked.append(model)
        return load(model)

    for _ in range(2):
        rows = with_labels(texts, use, counted, tmp_path, 96, SILENT)
        found = torch.stack(list(rows["label"]))
        wanted = torch.stack([load(asked[0]).encode(texts[name][:], convert_to_tensor=True) for name in texts.features])
        torch.testing.assert_close(found, wanted.transpose(0, 1), rtol=0, atol=1e-6)
    assert asked == [ModelRef(model=TEACHER)], "the second time they are read"
    with pytest.raises(TrainError, match="teacher 'tests/teacher' is 96 wide, and loss 'mse' makes 64 numbers"):
        with_labels(texts, use, counted, tmp_path, 64, SILENT)


# What cannot be a guide, and what it is recorded as


def remote(files: dict[str, bytes]) -> dict[str, bytes]:
    config = json.loads(files["config.json"])
    return {**files, "config.json": json.dumps({**config, "auto_map": {"AutoModel": "mine.Mine"}}).encode()}


def pickled(files: dict[str, bytes]) -> dict[str, bytes]:
    weights = files.pop("model.safetensors")
    return {**files, "pytorch_model.bin": weights}


UNFIT = {
    "code of its own": (
        f"{{type: gist, guide: {{model: {GUIDE}-remote}}}}",
        "model 'tests/guide-remote' asks for code of its own, and no code of others is run: 'mine.Mine'",
        "name another model in its loss",
    ),
    "a pickle": (
        f"{{type: gist, guide: {{model: {GUIDE}-pickled}}}}",
        "model 'tests/guide-pickled' has no weights as safetensors",
        "write that commit as its `revision`",
    ),
    "a teacher of another width": (
        f"{{type: distil, teacher: {{model: {GUIDE}}}}}",
        "teacher 'tests/guide' is 64 wide, and loss 'distil' makes 96 numbers",
        "write projection_dim: 64 beside it, or choose another teacher",
    ),
    "a projection that leads elsewhere": (
        f"{{type: mse, teacher: {{model: {TEACHER}}}, projection_dim: 64}}",
        "teacher 'tests/teacher' is 96 wide, and loss 'mse' makes 64 numbers",
        "leave projection_dim out, or choose another teacher",
    ),
    "one that is not there": (
        "{type: gist, guide: {model: tests/nobody}}",
        "model 'tests/nobody'",
        "",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_model_that_cannot_be_used_is_refused_before_data_are_built(
    trainings: Trainings, tmp_path: Path, name: str
) -> None:
    written, told, hint = UNFIT[name]
    build = Build(workspace_in(tmp_path), "mini")
    with pytest.raises(ZooError) as caught:
        build.run(recipe_of(*by(written)))
    assert told in caught.value.message
    assert hint in (caught.value.hint or "")
    assert not list(build.runs.rglob("*"))


def test_another_commit_of_a_guide_makes_training_stale(trainings: Trainings, seeded: TestHub) -> None:
    first = put(seeded, "tests/moving")
    settings = (*by("{type: gist, guide: {model: tests/moving}}"), "phases.hybrid.train.max_steps=1")
    recipe, build = recipe_of(*settings), trainings.build
    assert build.make(Node("train", recipe)).did == "built"
    receipt = build.receipt(recipe.name, "train")
    assert receipt.made_from["models"] == {"tests/moving": first}
    known = of_model(recipe, build.folder(recipe.name), None, {}, stages=["train"], measured_with={})
    assert known["models"] == receipt.made_from["models"], "the published model says so too"
    second = put(seeded, "tests/moving", lambda files: {**files, "NEW.md": b"new"})
    again = Build(build.workspace, "mini")
    why = again.folder(recipe.name).stale("train", again.made_from(Node("train", recipe)))
    assert why == f"models.tests/moving changed ({first[:8]} -> {second[:8]})"
    pinned = recipe_of(*by(f"{{type: gist, guide: {{model: tests/moving, revision: {first}}}}}"))
    assert again.made_from(Node("train", pinned))["models"] == {f"tests/moving@{first}": first}
    assert "models" not in again.made_from(Node("train", recipe_of())), "nothing of before is stale"


def test_the_miniature_has_stand_ins_for_guides_and_teachers(trainings: Trainings, seeded: TestHub) -> None:
    from zoo.miniature.seed import seed
    from zoo.models.shape import shape_of
    from zoo.train.beside import source_of

    teacher = ModelRef(model="tests/unseen")
    recipe = recipe_of(*by(f"{{type: mse, teacher: {{model: {teacher.model}}}, projection_dim: 32}}"))
    assert seed(seeded.root, [recipe], progress=Silent()) == ["tests/unseen"]
    assert shape_of(source_of(teacher, trainings.build.model_revision(teacher))).width == 32
