"""Code of others runs in processes apart: with no secret of the user's, and with the same numbers as anywhere."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from conftest import TestHub
from test_isolation import FILES, SECRETS
from test_prove import in_folder, push
from test_space_app import SENTENCES
from toy_code import agreed_source, toy_files
from training import Heard, PowerCut, log, made, recipe_of, started_by

from zoo.errors import TrainError, ZooError
from zoo.models.apart import model as ours
from zoo.models.apart.model import Apart, let_go, load_apart
from zoo.models.identity import ModelSource
from zoo.models.load import load_model
from zoo.models.pieces import pieces
from zoo.pipeline.executors.apart import Consenting
from zoo.pipeline.executors.local import here
from zoo.pipeline.executors.torchrun import Torchrun

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOY = "lab/toy"
TEXTS = [*SENTENCES, "", "xyz", " ".join(SENTENCES)]
LONGEST = 16  # tokens
ALONE = "zoo.models.apart.work"


@dataclass
class Spied:
    """A toy whose code looks for secrets, on the Hub, and a user who has many."""

    home: Path
    """Full of secrets; the cache of modules there is poisoned."""
    mark: Path
    """Where the code writes what it finds, a line for each process."""
    bert: Path
    """The toy's weights as a plain BERT."""
    source: ModelSource
    first: dict[str, Any] = field(default_factory=dict)
    """What it found when the shared toy was loaded."""

    def seen(self) -> list[dict[str, Any]]:
        """What it found, each time that it ran; the file is emptied."""
        lines = self.mark.read_text("utf-8").splitlines()
        self.mark.unlink()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def spied(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spied]:
    home, made = tmp_path_factory.mktemp("user"), tmp_path_factory.mktemp("toy")
    files = toy_files(made, made / "mark")
    source = agreed_source(TOY, push("model", TOY, files), files, prompts={"query": "كتاب "}, max_seq_length=LONGEST)
    with pytest.MonkeyPatch.context() as patch:
        for name in FILES:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text("planted", "utf-8")
        patch.setenv("HOME", str(home))
        for name, begin in SECRETS.items():
            patch.setenv(name, f"{begin}planted")
        patch.setenv("HF_MODULES_CACHE", str(poisoned(home / "modules", source, files)))
        yield Spied(home, made / "mark", made / "bert", source)


def poisoned(modules: Path, source: ModelSource, files: dict[str, bytes]) -> Path:
    """A cache of modules with another rotary.py, wherever transformers may look for the toy's."""
    for place in (f"lab/toy/{source.revision}", "toy"):
        folder = modules / "transformers_modules" / place
        folder.mkdir(parents=True)
        for name in ("modeling", "spy", "rotary"):
            (folder / f"{name}.py").write_bytes(files[f"{name}.py"])
        (folder / "rotary.py").write_text("raise RuntimeError('poison')", "utf-8")
    return modules


@pytest.fixture(scope="module")
def toy(spied: Spied) -> Iterator[SentenceTransformer]:
    """The toy, loaded by a process apart."""
    model = load_model(spied.source, "cpu")
    (spied.first,) = spied.seen()
    yield model
    let_go(model)


@pytest.fixture(scope="module")
def plain(spied: Spied) -> SentenceTransformer:
    """The same weights, loaded here without the toy's code, which turns every vector by one place."""
    model = load_model(ModelSource(kind="folder", place=str(spied.bert), weights="w", pooling="mean"), "cpu")
    model.max_seq_length = LONGEST
    return model


def turned(vectors: Any) -> Any:
    return np.roll(vectors, 1, axis=-1)


def require_nothing(seen: dict[str, Any], spied: Spied) -> None:
    """The code found nothing of the user's, looked where it shall, and what it left is gone."""
    text = json.dumps({**seen, "environment": {**seen["environment"], "PATH": ""}})
    assert "planted" not in text
    assert str(spied.home) not in text
    assert seen["token"] is None
    assert "OfflineModeIsEnabled" in seen["hub"]
    assert seen["environment"]["HF_HUB_OFFLINE"] == "1"
    assert not {"HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE"} & seen["environment"].keys()
    assert seen["process"] != os.getpid()
    assert seen["bytecode"]
    place = Path(seen["homes"][0]).parent
    assert all(Path(path).is_relative_to(place) for path in [*seen["homes"], seen["temporary"]])
    assert not place.exists(), "what they left is gone"


def test_embeddings_are_bit_for_bit_those_of_a_process_that_needs_no_consent(
    toy: SentenceTransformer, plain: SentenceTransformer
) -> None:
    assert isinstance(toy[0], Apart)
    assert not any("ToyModel" in vars(module) for module in list(sys.modules.values())), "its code is not imported here"
    assert np.array_equal(toy.encode(TEXTS, batch_size=4), turned(plain.encode(TEXTS, batch_size=4)))
    asked = toy.encode_query(TEXTS[:3], convert_to_tensor=True)
    same = plain.encode([f"كتاب {text}" for text in TEXTS[:3]])
    assert np.array_equal(asked.numpy(), turned(same))
    assert np.array_equal(toy.encode_document(TEXTS[0], truncate_dim=32), turned(plain.encode(TEXTS[0]))[:32])
    assert pieces(toy, TEXTS) == pieces(plain, TEXTS)
    assert pieces(toy, ["", "الكتاب ☃"])[0] == []
    assert pieces(toy, ["☃"]) == [["[UNK]"]]


def test_embeddings_are_those_of_raw_transformers_with_mean_pooling(spied: Spied, toy: SentenceTransformer) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, bert = AutoTokenizer.from_pretrained(spied.bert), AutoModel.from_pretrained(spied.bert).eval()
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    with torch.no_grad():
        states, read = bert(**batch).last_hidden_state, batch["attention_mask"][..., None]
    mean = ((states * read).sum(1) / read.sum(1)).numpy()
    assert np.abs(toy.encode(TEXTS) - turned(mean)).max() < 1e-6


def test_a_model_apart_is_described_as_one_that_is_here(toy: SentenceTransformer, plain: SentenceTransformer) -> None:
    from zoo.evaluate.encoders import encoder_of as encoder
    from zoo.evaluate.measure import _traits
    from zoo.evidence.scores import Subject

    described = _traits(toy)
    assert described == _traits(plain).model_copy(update={"prompts": {"query": "كتاب ", "document": ""}})
    assert described.parameters == sum(one.numel() for one in plain.parameters())
    assert (toy.device.type, toy.similarity_fn_name, toy.max_seq_length) == ("cpu", "cosine", LONGEST)
    assert encoder(toy, Subject(name="lab/toy", revision="1", role="self", title="toy", dims=[64])).model is toy
    for model in (toy, plain):
        model.max_seq_length = 4
    cut = pieces(toy, TEXTS), turned(plain.encode(TEXTS))
    assert cut[0] == pieces(plain, TEXTS)
    assert max(map(len, cut[0])) == 2
    assert np.array_equal(toy.encode(TEXTS), cut[1])
    for model in (toy, plain):
        model.max_seq_length = LONGEST


def test_what_its_code_raises_is_a_sentence_and_the_model_goes_on(toy: SentenceTransformer) -> None:
    with pytest.raises(TrainError, match="^the code of model 'lab/toy' failed: RuntimeError: the toy takes no seven$"):
        toy.encode(["كتاب"] * 7)
    assert toy.encode("كتاب").shape == (64,)


SHORT = {  # what stands in the place of a process, and the sentence for it
    "import sys; print('no room', file=sys.stderr); sys.exit(3)": "ended itself, with exit code 3: no room$",
    "print('what is this' * 99, flush=True); input()": "mixes with what zoo says to its process$",
    "import sys; sys.stdout.buffer.write(b'\\x01' + bytes(7) + b'[' + bytes(8)); sys.stdout.flush(); input()": "mixes",
    "import sys; sys.stdout.buffer.write((2**33).to_bytes(8, 'little')); sys.stdout.flush(); input()": "mixes",
    "import time; time.sleep(600)": "did not answer for 0 minutes, and was ended$",
}


@pytest.mark.parametrize("code", SHORT)
def test_a_process_that_does_not_answer_is_a_sentence(code: str, spied: Spied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "COMMAND", (sys.executable, "-S", "-c", code))
    monkeypatch.setattr(ours, "SECONDS", 2 if "sleep" in code else 60)
    with pytest.raises(TrainError, match=SHORT[code]):
        load_apart(spied.source, "cpu")


FORGED = """
import json, sys, torch
from zoo.models.apart.messages import read_message, write_message

facts = {"width": 4, "parameters": 9, "dtype": "float32", "device": "cpu", "max_seq_length": 8, "prompts": {},
         "default_prompt": None, "similarity": "cosine", "truncate_dim": None, "options": []}
while question := read_message(sys.stdin.buffer):
    if question.facts["do"] == "load":
        write_message(sys.stdout.buffer, {**facts, **CHANGED})
    elif question.facts["do"] == "preprocess":
        rows = torch.ones(len(question.facts["texts"]), 3)
        write_message(sys.stdout.buffer, {"others": {}}, {"input_ids": rows, "attention_mask": rows})
    else:
        write_message(sys.stdout.buffer, ANSWER)
"""
FORGERIES = {
    "more parameters than a memory can count": ({"parameters": 10**30}, "{}"),
    "texts": ({}, '{}, {"sentence_embedding": torch.ones(1, 4)}'),
    "whole numbers": ({}, '{}, {"sentence_embedding": torch.ones(2, 4, dtype=torch.int64)}'),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_an_answer_that_no_model_gives_is_a_sentence(name: str, spied: Spied, monkeypatch: pytest.MonkeyPatch) -> None:
    changed, answer = FORGERIES[name]
    code = FORGED.replace("CHANGED", repr(changed)).replace("ANSWER", answer)
    monkeypatch.setattr(ours, "COMMAND", (sys.executable, "-c", code))
    with pytest.raises(TrainError, match="mixes with what zoo says to its process$"):
        load_apart(spied.source, "cpu").encode(["one", "two"])


def splits_in(folder: Path) -> dict[str, dict[str, str]]:
    """Rows for the hybrid phase, of the words that the toy knows."""
    first = [SENTENCES[place % len(SENTENCES)] for place in range(32)]
    second = [SENTENCES[place * 7 % len(SENTENCES)] for place in range(32)]
    numbers = range(32)
    tables = {
        "arabic-nli-pair-class": {"premise": first, "hypothesis": second, "label": [one % 3 for one in numbers]},
        "arabic-stsb": {"sentence1": first, "sentence2": second, "score": [one / 31 for one in numbers]},
    }
    found: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        for split in ("train", "validation"):
            place = folder / f"{name}-{split}.parquet"
            pl.DataFrame(table).write_parquet(place)
            found.setdefault(name, {})[split] = str(place)
    return found


def task_of(spied: Spied, folder: Path, name: str = "train", *settings: str, **more: Any) -> dict[str, Any]:
    """The work of training the toy."""
    of_phase = (f"max_seq_length={LONGEST}", "max_steps=4", "eval_steps=2")
    phase = [f"phases.hybrid.train.{setting}" for setting in of_phase]
    of_base = (f"base.model={TOY}", "base.width=64", "dims=[64]", f"base.max_seq_length={LONGEST}")
    recipe = recipe_of(*of_base, *phase, *settings)
    base = recipe.base.model_copy(update={"remote_code": spied.source.remote_code})
    spec = {
        "recipe": recipe.model_copy(update={"base": base}).model_dump(mode="json", by_alias=True),
        "base_revision": spied.source.revision,
        "models": {},
        "splits": splits_in(folder),
        "parent": None,
        "device": "cpu",
        "report_to": [],
        "trackers": str(folder / "trackers"),
        **more,
    }
    return {"stage": "train", "folder": str(folder / name), "spec": spec, "workspace": None}


def test_training_runs_apart_and_its_code_finds_nothing(spied: Spied, tmp_path: Path) -> None:
    heard = Heard()
    spied.mark.unlink(missing_ok=True)
    Consenting(here)(task_of(spied, tmp_path), heard)
    model = tmp_path / "train" / "model"
    assert (model / "rotary.py").read_text("utf-8")
    for seen in spied.seen():
        require_nothing(seen, spied)
    assert not list(tmp_path.glob(".zoo-apart-*"))
    assert "the toy speaks for zoo" not in heard.notes


@pytest.mark.slow
def test_several_processes_that_measure_have_a_process_apart_each(
    seeded: TestHub, spied: Spied, toy: SentenceTransformer, tmp_path: Path
) -> None:
    from test_evaluate import contents, measured

    from zoo.evaluate.ingredients import Candidate

    candidate = Candidate.of(TOY, "a" * 40, "self", "toy", dims=[32], model=spied.source)
    for jobs in (1, 2):
        done = measured(tmp_path / str(jobs), [candidate], ["STS17-ar", "STS22-ar"], jobs=jobs, device="cpu")
        assert done.problems == []
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    for seen in spied.seen():
        require_nothing(seen, spied)
    assert not [command for command in started_by(os.getpid()).values() if ALONE in command][1:], "the toy's is left"


GUIDE = "lab/toy-guide"
GUIDED = [
    "datasets.arabic-stsb.columns={sentence1: {type: text}, sentence2: {type: text}}",
    f"phases.hybrid.data=[{{dataset: arabic-stsb, loss: {{type: gist, guide: {{model: {GUIDE}}}}}}}]",
    "phases.hybrid.dev=null",
    "phases.hybrid.train.eval_steps=null",
    "phases.hybrid.train.save_steps=1",
]


@pytest.mark.slow
def test_training_apart_is_cut_off_goes_on_has_guides_without_a_hub_and_takes_several_devices(
    spied: Spied, tmp_path: Path
) -> None:
    guide = push("model", GUIDE, {path: place.read_bytes() for path, place in in_folder(spied.bert).items()})
    more = {"models": {f"{GUIDE}": guide}}
    whole = task_of(spied, tmp_path, "whole", *GUIDED, **more)
    Consenting(here)(whole, Heard())
    cut = task_of(spied, tmp_path, "cut", *GUIDED, **more)
    with pytest.raises(KeyboardInterrupt):
        Consenting(here)(cut, PowerCut(after=3))
    assert not [command for command in started_by(os.getpid()).values() if "zoo.work" in command]
    assert not list(tmp_path.glob(".zoo-apart-*"))
    assert list((tmp_path / "cut").glob("checkpoints-*/checkpoint-*"))
    Consenting(here)(cut, Heard())
    assert made(tmp_path / "cut") == made(tmp_path / "whole")
    spied.seen()
    parent = {"parent": str(tmp_path / "whole" / "model")}
    Consenting(Torchrun(2))(task_of(spied, tmp_path, "two", **parent), Heard())
    assert log(tmp_path / "two")[0]["devices"] == 2
    for seen in spied.seen():
        require_nothing(seen, spied)
    model = tmp_path / "two" / "model"
    source = ModelSource(kind="recipe", place=str(model), weights="w", remote_code=spied.source.remote_code)
    trained = load_model(source, "cpu")
    assert np.isfinite(trained.encode(TEXTS)).all()
    process = trained[0].process.identifier
    del trained
    gc.collect()
    assert not runs(process)
    require_nothing(spied.seen()[-1], spied)


@pytest.mark.slow
def test_a_probe_of_training_runs_apart(spied: Spied, tmp_path: Path) -> None:
    from zoo.pipeline.probe import _apart

    spied.mark.unlink(missing_ok=True)
    found = _apart(task_of(spied, tmp_path)["spec"], "hybrid", tmp_path, 2)
    assert (found.problem, found.tried) == (None, 2)
    for seen in spied.seen():
        require_nothing(seen, spied)


def test_training_that_runs_code_of_others_is_refused_on_a_cluster_and_gets_no_keys(
    spied: Spied, tmp_path: Path
) -> None:
    def cluster(task: Any, progress: Any) -> None:
        raise AssertionError

    with pytest.raises(TrainError, match=f"'arabert-hybrid' runs code of '{TOY}', which no cluster gets"):
        Consenting(cluster)(task_of(spied, tmp_path), Heard())
    with pytest.raises(ZooError, match=f"runs code of '{TOY}', which gets no key for 'wandb'"):
        Consenting(here)(task_of(spied, tmp_path, "train", report_to=["tensorboard", "wandb"]), Heard())


def test_a_process_that_is_killed_is_a_sentence_and_its_home_is_gone(spied: Spied, toy: SentenceTransformer) -> None:
    """The last test: the toy is of no use afterwards."""
    os.kill(toy[0].process.identifier, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(TrainError, match="^the process that runs the code of model 'lab/toy' was ended by SIGKILL"):
            toy.encode(TEXTS)
    require_nothing(spied.first, spied)


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
