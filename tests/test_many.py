"""Training in several processes, a device each: on the CPU, where gloo takes the place of NCCL."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest
import torch
from conftest import TestHub, workspace_in
from safetensors.torch import load_file
from training import Heard, Trainings, listening, log, made, recipe_of

from zoo.errors import TrainError, ZooError
from zoo.layout import JOURNAL
from zoo.pipeline.executors.torchrun import Torchrun
from zoo.stage import Circumstances, Node
from zoo.train.ranks import Share, require_devices

ODD = ("phases.hybrid.train.max_steps=12",)  # an epoch of 11, whose last batches are smaller, and one more


@pytest.fixture(scope="module")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(seeded, tmp_path_factory.mktemp("many"))


def train(trainings: Trainings, folder: Path, *settings: str, devices: int = 2, progress: Any = None) -> Path:
    build = trainings.build
    build.circumstances = Circumstances(device="cpu")
    task = build.task(Node("train", recipe_of(*settings)), folder)
    Torchrun(devices)(task, progress or Heard())
    return folder


@pytest.fixture(scope="module")
def whole(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe, trained on two devices; neither dataset can be shared out evenly."""
    return train(trainings, tmp_path_factory.mktemp("whole"), *ODD)


@pytest.mark.slow
def test_two_devices_train_one_model(whole: Path) -> None:
    (phase,) = log(whole)
    assert phase["devices"] == 2
    assert phase["steps"] == 12
    rows = sum(entry.get("rows", 0) for entry in phase["log"])
    assert rows == 200 + 100 + 32, "batch_size is of each device, and the last batches of a dataset are smaller"
    assert phase["best"] is not None
    left = sorted(path.name for path in whole.iterdir())
    assert left == ["heads", JOURNAL, "log.json", "model"], "one of them writes"
    events = [json.loads(line)["event"] for line in (whole / JOURNAL).read_text("utf-8").splitlines()]
    assert (events[0], events.count("begin"), events[-1]) == ("begin", 1, "end")


def test_what_two_devices_learn_is_what_one_learns_from_batches_twice_as_large(
    trainings: Trainings, tmp_path: Path, hub: TestHub
) -> None:
    from zoo.hub.store import Store
    from zoo.miniature.standins import stand_in

    store = Store(hub.root)
    tiny = stand_in("tests/plain-bert", None, architecture="bert", tokenizer="wordpiece", width=96)
    store.import_commit("model", "tests/plain-bert", tiny.files)  # no dropout, so that the rows alone decide
    store.close()
    data = "[{dataset: arabic-nli-pair-class, loss: {type: softmax, num_labels: 3}}]"
    settings = [
        "base.model=tests/plain-bert",
        f"phases.hybrid.data={data}",
        "phases.hybrid.dev=null",
        "phases.hybrid.train.eval_steps=null",
    ]
    settings += ["phases.hybrid.train.learning_rate=0.001", "phases.hybrid.train.max_steps=2"]
    one = trainings.run(tmp_path / "one", *settings, device="cpu")
    heard = Listens()
    two = train(trainings, tmp_path / "two", *settings, "phases.hybrid.train.batch_size=8", progress=heard)
    assert heard.addresses == {"127.0.0.1"}, "other machines cannot take part"
    for name in ("heads/hybrid.safetensors", "model/model.safetensors"):
        first, second = load_file(one / name), load_file(two / name)
        for key, tensor in first.items():
            assert torch.allclose(tensor, second[key], atol=1e-5), f"{name}: {key}"


class Listens(Heard):
    """Notes at which addresses processes listen while they train."""

    addresses: frozenset[str] = frozenset()

    def advance(self, steps: int = 1) -> None:
        self.addresses |= listening()


class KillsOne(Heard):
    """Kills one of the processes that train after some steps."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def advance(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left == 0:
            workers = [one for one in psutil.Process().children(recursive=True) if "--wired" in one.cmdline()]
            workers = [one for one in workers if "torch.distributed.run" not in one.cmdline()]
            assert len(workers) == 2
            workers[-1].kill()


@pytest.mark.slow
def test_a_process_that_is_killed_is_told_and_what_it_did_goes_on(
    trainings: Trainings, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(ZooError, match="a process that did the work was ended by SIGKILL"):
        train(trainings, tmp_path / "cut", *ODD, progress=KillsOne(after=6))
    assert not psutil.Process().children(recursive=True) or not [
        one for one in psutil.Process().children(recursive=True) if "--wired" in one.cmdline()
    ]
    with pytest.raises(TrainError, match="was begun in fp32 on cpu with --gpus 2 and would go on in fp32 on cpu"):
        trainings.run(tmp_path / "cut", *ODD, device="cpu")
    train(trainings, tmp_path / "cut", *ODD)
    assert made(tmp_path / "cut") == made(whole)


def test_work_that_nobody_waits_for_is_ended_as_by_ctrl_c(tmp_path: Path) -> None:
    code = """
        import sys, time, pathlib
        from zoo.pipeline.executors.wire import end_with_parent
        end_with_parent()
        try:
            print("begun", flush=True)
            time.sleep(60)
        finally:
            pathlib.Path(sys.argv[1]).touch()
    """
    command = [sys.executable, "-c", dedent(code), str(tmp_path / "in order")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        time.sleep(0.2)  # it sleeps as well
        process.stdin.close()
        process.wait(timeout=30)
    assert (tmp_path / "in order").exists(), "what it leaves says that its end was no accident"


def test_shares_are_equal_and_nothing_is_drawn_twice() -> None:
    from sentence_transformers.base.sampler import DefaultBatchSampler

    def shares(rows: int) -> list[list[list[int]]]:
        return [list(Share(DefaultBatchSampler(range(rows), 8, False), rank, 2)) for rank in range(2)]

    for rows in (16, 17, 19, 23, 24):
        first, second = shares(rows)
        assert [len(batch) for batch in first] == [len(batch) for batch in second]
        drawn = [row for batch in [*first, *second] for row in batch]
        assert len(drawn) == len(set(drawn)) == rows - rows % 2


@pytest.mark.parametrize("mix", ["proportional", "round_robin"])
def test_all_draw_from_the_same_dataset_at_each_step(mix: str) -> None:
    from sentence_transformers.base.sampler import DefaultBatchSampler, ProportionalBatchSampler, RoundRobinBatchSampler
    from torch.utils.data import ConcatDataset

    kind = {"proportional": ProportionalBatchSampler, "round_robin": RoundRobinBatchSampler}[mix]
    both: ConcatDataset[int] = ConcatDataset([range(43), range(21)])  # type: ignore[list-item]

    def steps(rank: int) -> list[tuple[bool, int]]:
        parts = [Share(DefaultBatchSampler(one, 8, False), rank, 2) for one in both.datasets]
        sampler = kind(both, batch_samplers=parts, generator=torch.Generator(), seed=1)
        sampler.set_epoch(3)
        return [(batch[0] >= 43, len(batch)) for batch in sampler]

    assert steps(0) == steps(1)
    assert {second for second, _ in steps(0)} == {True, False}


def test_devices_that_cannot_be_are_told_before_anything_is_built(zoo: Any, tmp_path: Path) -> None:
    workspace_in(tmp_path)
    build = ("build", "arabert-matryoshka", "--scale", "mini", "--gpus")
    code, _, err = zoo(*build, "2", "--device", "cuda:1", cwd=tmp_path)
    assert (code, err) == (1, "error: --device 'cuda:1' is one device, and --gpus asks for '2'\nhint: --device cuda\n")
    code, _, err = zoo(*build, "64", cwd=tmp_path)
    assert code == 1
    assert err.startswith("error: --gpus asks for '64' devices, and this machine has ")
    assert not (tmp_path / "runs").exists()


def test_more_devices_than_there_are_cannot_be_asked_for() -> None:
    require_devices(64, "cpu")
    with pytest.raises(TrainError, match=r"--gpus asks for '64' devices, and this machine has \d+") as caught:
        require_devices(64, None)
    assert caught.value.hint


def test_gpus_that_nobody_asked_for_are_not_taken(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    from zoo.train.speedups import NONE
    from zoo.train.trainer import Trainer

    model = SentenceTransformer(
        modules=[StaticEmbedding(Tokenizer(WordLevel({"a": 0}, unk_token="a")), embedding_dim=4)]
    )
    arguments = SentenceTransformerTrainingArguments(str(tmp_path), use_cpu=True, per_device_train_batch_size=8)
    arguments._n_gpu = 4 * max(arguments.n_gpu, 1)  # as on a machine with four
    assert arguments.train_batch_size == 32
    trainer = Trainer(comparing=(), speedups=NONE, model=model, args=arguments, loss=CoSENTLoss(model))
    assert trainer.args.train_batch_size == 8
