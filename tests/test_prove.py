"""The proof after a push: what is on the Hub loads, counts and answers as what was built, or it is told what differs."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TestHub
from test_space_app import DIMS, tiny_model

from zoo.errors import PublishError
from zoo.evidence.scores import Score, ScoreFile, Subject
from zoo.hub import repos
from zoo.hub.store import Store
from zoo.lint.card import ParsedCard
from zoo.plugins.loading import plugged
from zoo.publish.apply.repository import apply_plan
from zoo.publish.desired.release import Release, sealed
from zoo.publish.plan.repository import plan_release
from zoo.publish.proof import running, stranger
from zoo.publish.proof.promised import is_same
from zoo.publish.proof.prove import Proof, prove_dataset, prove_model, prove_repository, prove_space
from zoo.publish.proof.rendered import OwnCode, Rendered, own_code
from zoo.publish.proof.running import Waiting
from zoo.publish.proof.stranger import ProofError
from zoo.publish.proof.ways import WaysOut
from zoo.recipe import Workspace
from zoo.remote import Kind, api
from zoo.say import Silent
from zoo.tasks import TASKS

TASK = "STS17-ar"
USE = """
import os
from huggingface_hub import get_token
from sentence_transformers import SentenceTransformer
model = SentenceTransformer("{id}")
assert get_token() is None and not any("lab-secret" in value for value in os.environ.values())
"""


def scores(value: float = 71.25, *, task: str = TASK) -> bytes:
    """A score file with one score of a model 64 wide."""
    mine = Subject(name="zoo/tiny", revision="a" * 40, role="self", title="tiny", dims=DIMS)
    ours = TASKS[task]
    facts = {"dataset": ours.dataset, "revision": ours.revision, "rows": 250, "metric": ours.metric}
    one = Score(model=mine.name, task=task, dim=DIMS[0], value=value, low=value - 4, high=value + 3, **facts)
    empty: dict[str, Any] = {"means": [], "comparisons": [], "correlations": [], "clean": [], "versions": {}}
    found = ScoreFile(suite="ara-sts", tasks=[task], subjects=[mine], scores=[one], miniature=True, **empty)
    return found.model_dump_json(indent=1).encode()


def card(*snippets: str, value: float | None = 71.25) -> bytes:
    """A model's README with these snippets and a model-index of one score (None: without)."""
    from huggingface_hub import EvalResult, ModelCardData

    ours = TASKS[TASK]
    result = {"task_type": "STS", "dataset_type": ours.dataset, "dataset_name": "STS17", "metric_type": ours.metric}
    places = {"dataset_config": ours.subset, "dataset_split": ours.split, "dataset_revision": ours.revision}
    results = None if value is None else [EvalResult(metric_value=value, **result, **places)]
    front = ModelCardData(license="apache-2.0", model_name="tiny", eval_results=results).to_yaml()
    code = "".join(f"```python\n{textwrap.dedent(snippet).strip()}\n```\n\n" for snippet in snippets)
    return f"---\n{front}\n---\n\n# tiny\n\n{code}".encode()


def push(
    kind: str, id: str, files: Mapping[str, bytes | Path], *, private: bool = False, without: tuple[str, ...] = ()
) -> str:
    """One commit, made as anybody makes one: its id."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api().create_repo(
        id, repo_type=kind, private=private, exist_ok=True, space_sdk="gradio" if kind == "space" else None
    )
    adds = [
        CommitOperationAdd(path, str(content) if isinstance(content, Path) else content)
        for path, content in files.items()
    ]
    deletes = [CommitOperationDelete(path) for path in without]
    return str(api().create_commit(id, [*adds, *deletes], commit_message="by hand", repo_type=kind).oid)


def own(kind: Kind, files: Mapping[str, bytes | Path]) -> OwnCode:
    """What is known to be ours of a repository with these files."""
    return own_code(Release(kind, "lab/own", "own", dict(files)))


def in_folder(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


@dataclass
class Tiny:
    folder: Path
    commit: str
    own: OwnCode
    id: str = "lab/prove-tiny"


@pytest.fixture(scope="module")
def tiny(hub: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A small model on the Hub as it was built, with a card whose two snippets run."""
    root = tmp_path_factory.mktemp("tiny")
    tiny_model(root, seed=1)
    files = {**in_folder(root / "model"), "zoo/scores.json": scores(), "README.md": two_snippets(Tiny.id)}
    return Tiny(root / "model", push("model", Tiny.id, files), own("model", files))


def two_snippets(id: str) -> bytes:
    return card(USE.format(id=id), 'assert model.encode(["نص"]).shape == (1, 64)\n')


@pytest.mark.usefixtures("cold")
def test_a_model_as_it_was_built_is_proved(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_API_KEY", "lab-secret")
    found = prove_model(tiny.id, tiny.commit, tiny.folder, tiny.own)
    assert found == Proof(f"model '{tiny.id}'", found.seconds, difference=0.0, snippets=2)
    assert found.said == "loaded back, embeddings differ by 0.0e+00, 2 snippets run"


def test_a_dead_snippet_is_told_with_its_line_and_the_token_of_a_private_repository_is_not(hub: TestHub) -> None:
    import os

    fails = "raise RuntimeError('no ' + os.environ['HF_TOKEN'])"
    dead = data_card(3) + f"```python\nimport os\n```\n\n```python\n{fails}\n```\n".encode()
    commit = push("dataset", "lab/prove-dead", {**table(3), "README.md": dead}, private=True)
    with pytest.raises(PublishError) as told:
        prove_dataset("lab/prove-dead", commit, own=own("dataset", {"README.md": dead}))
    line = 1 + dead.decode().splitlines().index(fails)
    said = f"dataset 'lab/prove-dead': a snippet of its card fails: RuntimeError: no *** (README.md, line {line})"
    assert told.value.message == said
    assert os.environ["HF_TOKEN"] not in str(told.value)


def test_of_errors_behind_one_another_the_first_is_told(hub: TestHub) -> None:
    fails = b"```python\ntry:\n    {}['rows']\nexcept KeyError as error:\n    raise ValueError('an error occurred') from error\n```\n"
    files = {**table(3), "README.md": data_card(3) + fails}
    commit = push("dataset", "lab/prove-behind", files)
    with pytest.raises(PublishError, match=r"a snippet of its card fails: KeyError: 'rows' \(README.md, line \d+\)"):
        prove_dataset("lab/prove-behind", commit, own=own("dataset", files))


def test_a_snippet_that_prints_other_than_the_card_says_is_told(hub: TestHub) -> None:
    says = 'rows = 3\nfor row in range(rows):\n    print(row, "of", rows)\n# 0 of 3\n# 1 of 3\n# {} of 3'
    right, wrong = ({**table(3), "README.md": data_card(3) + fenced(says.format(last))} for last in ("2.00", "9"))
    commit = push("dataset", "lab/prove-prints", right)
    assert prove_dataset("lab/prove-prints", commit, own=own("dataset", right)).snippets == 1
    commit = push("dataset", "lab/prove-prints", wrong)
    with pytest.raises(PublishError, match=r"its card says that a snippet prints '9 of 3', and it does not"):
        prove_dataset("lab/prove-prints", commit, own=own("dataset", wrong))


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        ("tensor([[1.0000, 0.6869],", "tensor([[1.0000, 0.6871],", True),
        ("[[1.   0.71]", "[[1.0000 0.7101]", True),
        ("[[1.   0.71]", "[[1.   0.73]", False),
        ("0.69 رجل", "0.70 رجل", True),
        ("0.69 رجل", "0.69 امرأة", False),
        ("-0.20", "0.20", False),
        ("[1. 2.]", "[1.]", False),
    ],
)
def test_numbers_that_another_machine_rounds_otherwise_are_the_same(said: str, printed: str, same: bool) -> None:
    assert is_same(said, printed) is same


def test_a_snippet_without_end_is_cut_off(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "SNIPPET_SECONDS", 2)
    files = {**table(3), "README.md": data_card(3) + b"```python\nwhile True:\n    pass\n```\n"}
    commit = push("dataset", "lab/prove-endless", files)
    with pytest.raises(PublishError, match=r"the snippets of its card did not end within 2 seconds \(line \d+\)"):
        prove_dataset("lab/prove-endless", commit, own=own("dataset", files))


def test_snippets_of_a_commit_that_readers_do_not_get_are_not_run(hub: TestHub) -> None:
    dead = data_card(3) + b"```python\nraise SystemExit\n```\n"
    first = push("dataset", "lab/prove-older", {**table(3), "README.md": dead})
    push("dataset", "lab/prove-older", {"README.md": data_card(3)})
    found = prove_dataset("lab/prove-older", first, own=own("dataset", {"README.md": dead}))
    assert (found.rows, found.snippets) == (3, None)


def test_a_card_whose_index_is_not_the_scores_is_told(hub: TestHub) -> None:
    commit = push("model", "lab/prove-index", {"README.md": card(value=88.0), "zoo/scores.json": scores()})
    with pytest.raises(PublishError, match=r"differ: its card says 88.0 on mteb/sts17-crosslingual-sts, ar-ar"):
        prove_model("lab/prove-index", commit)
    commit = push("model", "lab/prove-index", {"README.md": card(value=None)})
    with pytest.raises(PublishError, match=r"differ: zoo/scores.json says 71.25 on mteb/sts17"):
        prove_model("lab/prove-index", commit)
    commit = push("model", "lab/prove-index", {"zoo/scores.json": b"{}"})
    with pytest.raises(PublishError, match=r"its 'zoo/scores.json' is none of this version's"):
        prove_model("lab/prove-index", commit)


LEAFLETS = (
    'from zoo.plugins import graded_pairs\n\ngraded_pairs("Leaflets", "leaflets.tsv", "Sentences of leaflets.")\n'
)


def test_an_index_need_not_have_a_task_whose_data_are_a_file(hub: TestHub, tmp_path: Path) -> None:
    for folder in ("plugins", "recipes"):
        (tmp_path / folder).mkdir()
    (tmp_path / "recipes" / "family.yaml").touch()  # else it is no lab, and has no plugins
    (tmp_path / "plugins" / "leaflets.py").write_text(LEAFLETS, "utf-8")
    (tmp_path / "leaflets.tsv").write_text("sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n", "utf-8")
    with plugged(Workspace(tmp_path).plugins):
        own, official = (json.loads(scores(task=task)) for task in ("Leaflets", TASK))
        both = {**own, "tasks": ["Leaflets", TASK], "scores": own["scores"] + official["scores"]}
        files = {"README.md": card(value=None), "zoo/scores.json": json.dumps(both).encode()}
        commit = push("model", "lab/prove-file", files)
        with pytest.raises(PublishError, match=r"differ: zoo/scores.json says 71.25 on mteb/sts17"):
            prove_model("lab/prove-file", commit)  # it misses the other task


def test_a_model_without_a_card_is_told(hub: TestHub) -> None:
    commit = push("model", "lab/prove-bare", {"a.txt": b"a"})
    with pytest.raises(PublishError, match="model 'lab/prove-bare' has no 'README.md'") as told:
        prove_repository("model", "lab/prove-bare", commit, ways=WaysOut("zoo publish bare"))
    assert told.value.hint == "correct it, then zoo publish bare"


@pytest.mark.slow
def test_weights_in_a_pickle_are_not_loaded(tiny: Tiny, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(tiny.folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
    files: dict[str, Any] = {**in_folder(tiny.folder), "pytorch_model.bin": tmp_path / "pytorch_model.bin"}
    del files["model.safetensors"]
    commit = push("model", "lab/prove-pickle", {**files, "README.md": card(value=None)})
    with pytest.raises(PublishError, match="model 'lab/prove-pickle' has no weights as safetensors"):
        prove_model("lab/prove-pickle", commit, tiny.folder)


# What others wrote


def writes(mark: Path) -> str:
    """A snippet that shows that it was run here."""
    return f"import pathlib\npathlib.Path({str(mark)!r}).write_text('run')"


def fenced(*snippets: str) -> bytes:
    return "".join(f"```python\n{snippet}\n```\n\n" for snippet in snippets).encode()


def test_snippets_of_others_are_counted_and_not_run(hub: TestHub, tmp_path: Path) -> None:
    """Not even when somebody writes them into our copy of the card as well."""
    ours, theirs = fenced("rows = 3", "assert rows == 3"), fenced("import no_such_module", writes(tmp_path / "mark"))
    theirs_first = fenced(writes(tmp_path / "first")) + ours + theirs
    files = {**table(3), "README.md": data_card(3) + theirs_first, "zoo/card.md": data_card(3) + theirs_first}
    commit = push("dataset", "lab/prove-colleague", files)
    found = prove_dataset("lab/prove-colleague", commit, own=own("dataset", {"README.md": data_card(3) + ours}))
    assert (found.snippets, found.not_run, found.behind) == (2, 3, 0)
    assert found.said == "loaded back, 3 rows, 2 snippets run, 3 snippets by others not run"
    assert prove_dataset("lab/prove-colleague", commit).said == "loaded back, 3 rows, 5 snippets by others not run"
    assert list(tmp_path.iterdir()) == []


def test_what_comes_after_a_snippet_that_others_changed_is_not_run(hub: TestHub) -> None:
    """It would fail for want of what the changed one made."""
    ours, changed = ("one = 1", "two = 2", "assert two == 2"), ("one = 1", "deux = 2", "assert two == 2")
    commit = push("dataset", "lab/prove-edited", {**table(3), "README.md": data_card(3) + fenced(*changed)})
    found = prove_dataset("lab/prove-edited", commit, own=own("dataset", {"README.md": data_card(3) + fenced(*ours)}))
    said = "1 snippet run, 1 snippet by others not run, 1 snippet of ours after a change by others not run"
    assert found.said == f"loaded back, 3 rows, {said}"


def test_what_was_rendered_once_is_known_the_next_time(tmp_path: Path) -> None:
    place = tmp_path / ".zoo" / "rendered.json"
    old, new = ({"README.md": data_card(3) + fenced(code)} for code in ("a = 1", "a = 2"))
    for files in (old, new):
        Rendered(place).add([Release("dataset", "lab/rows", "rows", dict(files))])
    known = Rendered(place).of("dataset", "lab/rows")
    assert [len(known.snippets(ParsedCard(files["README.md"].decode()).snippets)) for files in (old, new)] == [1, 1]
    assert Rendered(place).of("model", "lab/rows").cards == ()
    place.write_text('{"dataset lab/rows": {"cards": 5}}', "utf-8")
    assert Rendered(place).of("dataset", "lab/rows").cards == (), "a file that cannot be read says nothing"


def edited_metadata(id: str, how: str) -> None:
    """What people do to a published card: the metadata editor, an editor that adds a BOM, one on Windows."""
    from huggingface_hub import metadata_update

    text = Path(api().hf_hub_download(id, "README.md")).read_bytes()
    if how == "result":
        task, dataset = {"type": "STS", "name": "STS"}, {"name": "A colleague's test", "type": "lab/other"}
        metrics = [{"type": "cosine_spearman", "value": 0.5, "name": "x"}]
        results = [{"task": task, "dataset": dataset, "metrics": metrics}]
        metadata_update(id, {"model-index": [{"name": "tiny", "results": results}]})
    elif how == "meta":
        metadata_update(id, {"tags": ["legal-search"], "pipeline_tag": "feature-extraction"}, overwrite=True)
    else:
        changed = "\ufeff".encode() + text if how == "bom" else text.replace(b"\n", b"\r\n") + b"\r\nA note.\r\n"
        api().upload_file(path_or_fileobj=changed, path_in_repo="README.md", repo_id=id)


@pytest.mark.parametrize("how", ["result", "meta", "bom", "crlf"])
def test_what_people_add_to_a_card_fails_no_proof(tiny: Tiny, how: str) -> None:
    id = f"lab/prove-{how}"
    files = {**in_folder(tiny.folder), "README.md": card("two = 2"), "zoo/scores.json": scores()}
    apply_plan(plan_release(sealed(Release("model", id, how, dict(files)))))
    edited_metadata(id, how)
    later = sealed(Release("model", id, how, {**files, "notes.txt": b"1"}))
    made = apply_plan(plan_release(later))
    assert made
    found = prove_model(id, made.commit, tiny.folder, own("model", files))
    assert found.said == "loaded back, embeddings differ by 0.0e+00, 1 snippet run"


# Datasets


def rows(count: int, **columns: Any) -> Any:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    made = {"text": [f"جملة {number}" for number in range(count)], "label": [number % 2 for number in range(count)]}
    return Dataset.from_dict(made, features=features)


def table(count: int, split: str = "train") -> dict[str, bytes]:
    """{path in the repository: Parquet}."""
    import io

    content = io.BytesIO()
    rows(count).to_parquet(content)
    return {f"data/{split}-00000-of-00001.parquet": content.getvalue()}


def data_card(count: int, features: str = "") -> bytes:
    """Front matter as the Hub's viewer wants it."""
    files = "configs:\n- config_name: default\n  data_files:\n  - {split: train, path: data/train-*}\n"
    sizes = f"dataset_info:\n  splits:\n  - {{name: train, num_examples: {count}}}\n{features}"
    return f"---\nlicense: apache-2.0\n{files}{sizes}---\n\n# rows\n\n".encode()


@pytest.fixture
def data_stage(hub: TestHub, tmp_path: Path) -> Path:
    """What a data stage leaves of one split with seven rows."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows(7).to_parquet(folder / "train.parquet")
    (folder / "report.json").write_text(json.dumps({"train": {"rows": 7}}), "utf-8")
    return folder


def test_a_dataset_as_it_was_built_is_proved(data_stage: Path) -> None:
    snippet = (
        b'```python\nfrom datasets import load_dataset\nassert len(load_dataset("lab/prove-rows")["train"]) == 7\n```\n'
    )
    files = {**table(7), "README.md": data_card(7) + snippet}
    commit = push("dataset", "lab/prove-rows", files)
    found = prove_dataset("lab/prove-rows", commit, data_stage, own("dataset", files))
    assert found == Proof("dataset 'lab/prove-rows'", found.seconds, rows=7, snippets=1)
    assert found.said == "loaded back, 7 rows, 1 snippet run"


def test_a_configuration_and_a_split_that_somebody_added_are_theirs(data_stage: Path) -> None:
    """Even a configuration that cannot be loaded."""
    shutil.copy(data_stage / "train.parquet", data_stage / "test.parquet")
    (data_stage / "report.json").write_text(json.dumps({"train": {"rows": 7}, "test": {"rows": 7}}), "utf-8")
    split = "  - {{split: {}, path: data/train-*}}\n"
    front = data_card(7).decode().replace("dataset_info", split.format("test") + "dataset_info")
    theirs = split.format("dev") + "- config_name: theirs\n  data_files: theirs.csv\ndataset_info"
    added = front.replace("dataset_info", theirs)
    files = {**table(7), "zoo/card.md": front.encode(), "README.md": added.encode(), "theirs.csv": b"\0\xff"}
    commit = push("dataset", "lab/prove-config", files)
    assert prove_dataset("lab/prove-config", commit, data_stage).said == "loaded back, 14 rows"


# Spaces


def space_files(**changed: bytes) -> dict[str, bytes | Path]:
    app = {name: path for name, path in in_folder(ROOT / "spaces" / "similarity").items() if "__pycache__" not in name}
    listing = json.dumps([{"id": Tiny.id, "revision": None, "title": "tiny", "dims": DIMS}]).encode()
    front = b"---\ntitle: Pairs\nsdk: gradio\nsdk_version: 6.31.0\napp_file: app.py\n---\n"
    return {**app, "README.md": front, "models.json": listing, **changed}


def test_a_space_answers_at_every_size(tiny: Tiny) -> None:
    commit = push("space", "lab/prove-space", space_files())
    found = prove_space("lab/prove-space", commit, own("space", space_files()))
    assert found == Proof("space 'lab/prove-space'", found.seconds, answers=3)
    assert found.said == "answers at 3 sizes"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"app.py": b"raise SystemExit\n"}, "'app.py' is by others"),
        ({"numpy.py": b"raise SystemExit\n"}, "'numpy.py' is by others"),
        ({"models.json": b"[]"}, "'models.json' is by others"),
        ({"README.md": b"---\nsdk: gradio\napp_file: -c\n---\n"}, "the app that its card names, '-c', is by others"),
    ],
)
def test_a_space_is_not_run_when_a_file_of_it_is_by_others(hub: TestHub, changed: dict[str, bytes], why: str) -> None:
    id = f"lab/prove-theirs-{len(why)}"
    commit = push("space", id, {**space_files(), **changed})
    found = prove_repository("space", id, commit, own=own("space", space_files()))
    assert (found.said, found.answers) == (f"not proved: {why}", None)
    assert prove_space(id, commit).unproved == "which of its files are ours is not known on this machine"


@pytest.fixture
def elsewhere(hub: TestHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.0.0.0 leads to the same Hub, and is not taken for one of this machine: it runs its Spaces itself."""
    monkeypatch.setenv("HF_ENDPOINT", hub.running.url.replace("127.0.0.1", "0.0.0.0"))


def as_if(hub: TestHub, id: str, **runtime: Any) -> None:
    """Let the Hub say of a Space that it is at a stage."""
    with closing(Store(hub.root)) as store, store.write() as db:
        repo = repos.find(db, "space", id)
        assert repo is not None
        repos.change(db, repo, runtime={**repo.runtime, "as_if": runtime})


@pytest.mark.usefixtures("elsewhere")
def test_a_space_that_the_hub_does_not_run_yet_is_proved_later(hub: TestHub) -> None:
    commit = push("space", "lab/prove-paused", space_files())
    api().pause_space("lab/prove-paused")
    found = prove_space("lab/prove-paused", commit, own("space", space_files()))
    assert found.said == "not proved yet: the Space is PAUSED: hf spaces restart lab/prove-paused, then publish again"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        ({"stage": "BUILD_ERROR", "errorMessage": "Job failed with exit code: 1"}, "Job failed with exit code: 1"),
        ({"stage": "RUNTIME_ERROR", "errorMessage": "Memory limit\nexceeded"}, "Memory limit exceeded"),
        ({"stage": "CONFIG_ERROR"}, "CONFIG_ERROR"),
        ({"stage": "NO_APP_FILE"}, "NO_APP_FILE"),
        ({"stage": "DELETING"}, "DELETING"),
    ],
)
def test_a_space_that_cannot_run_fails_its_proof(hub: TestHub, runtime: dict[str, str], said: str) -> None:
    id = "lab/prove-" + runtime["stage"].lower().replace("_", "-")
    commit = push("space", id, space_files())
    as_if(hub, id, **runtime)
    with pytest.raises(ProofError, match=rf"does not run, it is {runtime['stage']}.*{said}|it is {said}$") as told:
        prove_repository("space", id, commit, own=own("space", space_files()), ways=WaysOut("zoo publish"))
    assert re.fullmatch(
        rf"hf spaces logs {id}( --build)? says more; correct it, then zoo publish", told.value.hint or ""
    )
    as_if(hub, id, **runtime, sha="0" * 40)
    found = prove_space(id, commit, own("space", space_files()))
    assert found.later == "the Space still runs another commit", "it is not this one that cannot run"
    push("space", id, {"notes.md": b"1"})
    assert prove_space(id, commit, own("space", space_files())).said == "not proved: the Hub runs what is on main"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("stage", ["BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING", "NEW_ONE"])
def test_a_space_that_is_being_built_is_not_waited_for_unasked(hub: TestHub, stage: str) -> None:
    id = "lab/prove-" + stage.lower().replace("_", "-")
    commit = push("space", id, space_files())
    as_if(hub, id, stage=stage)
    assert prove_space(id, commit, own("space", space_files())).said == f"not proved yet: the Space is {stage}"


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.usefixtures("elsewhere")
def test_a_space_that_is_being_built_is_waited_for_as_long_as_asked(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "POLL_SECONDS", 0.05)
    id, notes, ours = "lab/prove-built", Notes(), own("space", space_files())
    commit = push("space", id, space_files())
    as_if(hub, id, stage="BUILDING")
    assert prove_space(id, commit, ours, Waiting(0.2, notes)).later == "the Space is BUILDING"
    assert notes.said == [f"space '{id}': the Space is BUILDING; it is waited for, 0 seconds at most"]
    ends = threading.Timer(0.3, as_if, (hub, id), {"stage": "BUILD_ERROR", "errorMessage": "no gradio"})
    ends.start()
    with pytest.raises(ProofError, match="it is BUILD_ERROR: no gradio"):
        prove_space(id, commit, ours, Waiting(60))
    ends.join()
