"""Training that teaches nothing is told: tiny models on rows that cannot teach them, and logs that show it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from training import Heard, PowerCut, Trainings, log, made

from zoo.errors import TrainError
from zoo.recipe.dataset import Dataset
from zoo.recipe.training import DataUse, NamedPhase
from zoo.train.doubts import of_dev_rows, of_log, of_rows, require_graded

WORDS = [
    "الولد",
    "البنت",
    "المعلم",
    "الطبيب",
    "الجار",
    "الكاتب",
    "يقرأ",
    "يكتب",
    "يشتري",
    "يحمل",
    "كتابا",
    "رسالة",
    "تفاحة",
    "صورة",
    "زهرة",
    "في",
    "البيت",
    "السوق",
]
TEXT, SCORE = {"type": "text"}, {"type": "score"}
CLASS = {"type": "class", "names": ["entailment", "neutral", "contradiction"]}
PAIRS = {"anchor": TEXT, "positive": TEXT}
TRIPLETS = {**PAIRS, "negative": TEXT}
GRADED = {"one": TEXT, "other": TEXT, "score": SCORE}
NLI = {"premise": TEXT, "hypothesis": TEXT, "label": CLASS}
MNRL, COSENT, SOFTMAX = {"type": "mnrl"}, {"type": "cosent"}, {"type": "softmax", "num_labels": 3}
DEV = "phases.hybrid.dev"


def sentences(count: int, seed: int = 0) -> list[str]:
    rng = Random(seed)
    return [" ".join(rng.sample(WORDS, 5)) for _ in range(count)]


def rows(columns: Mapping[str, Any], count: int = 64, **given: Any) -> pl.DataFrame:
    """Rows of random sentences; what is given stands in every row, or is the whole column where it is a list."""
    frame: dict[str, Any] = {}
    for place, (name, column) in enumerate(columns.items()):
        default: Any = sentences(count, place)
        if column["type"] != "text":
            default = [row % 3 if column is CLASS else (row % 11) / 10 for row in range(count)]
        value = given.get(name, default)
        frame[name] = value if isinstance(value, list) else [value] * count
    return pl.DataFrame(frame)


class Taught:
    """A phase that was trained on rows of one's own, with what was told and left of it."""

    def __init__(
        self,
        trainings: Trainings,
        folder: Path,
        frame: pl.DataFrame,
        columns: Mapping[str, Any],
        loss: Mapping[str, Any],
        *,
        dev: bool = False,
        progress: Any = None,
        **train: Any,
    ) -> None:
        from zoo.train.work import work

        spec = trainings.spec(device="cpu")
        recipe, (phase,) = spec["recipe"], spec["recipe"]["phases"]
        recipe["datasets"]["mine"] = {"source": {"dataset": "lab/mine"}, "columns": columns}
        phase["data"] = [{"dataset": "mine", "loss": loss}]
        phase["dev"] = phase["dev"] if dev else None
        phase["train"] |= {"max_steps": 4, "eval_steps": 2, **train}
        frame.write_parquet(folder / "mine.parquet")
        spec["splits"]["mine"] = {"train": str(folder / "mine.parquet")}
        self.folder, self.heard = folder / "made", progress or Heard()
        self.folder.mkdir(exist_ok=True)
        work(self.folder, spec, progress=self.heard)
        (self.phase,) = log(self.folder)
        left = self.folder / "doubts.json"
        self.left = json.loads(left.read_text("utf-8")) if left.is_file() else []
        self.doubts = self.phase["doubts"]


SAME = "all 64 training rows of 'mine' have the same 'anchor'"
LONELY = "4 of 4 batches had one row, and the loss ({}) compares the rows of a batch"
NOTHING = "the loss and the gradient are 0 at every logged step: nothing was learned"
NO_DUPLICATES = {"sampler": "no_duplicates"}

CASES: dict[str, tuple[pl.DataFrame, Mapping[str, Any], Mapping[str, Any], dict[str, Any], list[str]]] = {
    "pairs": (rows(PAIRS), PAIRS, MNRL, NO_DUPLICATES, []),
    "graded": (rows(GRADED), GRADED, COSENT, {}, []),
    "nli": (rows(NLI), NLI, SOFTMAX, {}, []),
    "one anchor": (rows(TRIPLETS, anchor=WORDS[0]), TRIPLETS, MNRL, NO_DUPLICATES, [SAME, LONELY.format("mnrl")]),
    "one anchor of pairs": (
        rows(PAIRS, anchor=WORDS[0]),
        PAIRS,
        MNRL,
        NO_DUPLICATES,
        [SAME, NOTHING, LONELY.format("mnrl")],
    ),
    "few anchors": (
        rows(PAIRS, anchor=WORDS[:4] * 16),
        PAIRS,
        {"type": "matryoshka", "inner": MNRL, "dims": [96, 48]},
        NO_DUPLICATES,
        [
            "'الولد' stands in 16 of 64 training rows of 'mine', and once in a batch: "
            "an epoch (4 batches) leaves 12 rows of them out",
            "batches had 4.0 rows on average, not 16: there are few rows, or few without a text in common",
        ],
    ),
    "batches of one": (rows(GRADED), GRADED, COSENT, {"batch_size": 1}, [NOTHING, LONELY.format("cosent")]),
    "batches of one are fine for a classifier": (rows(NLI), NLI, SOFTMAX, {"batch_size": 1}, []),
    "the last batch of one": (
        rows(PAIRS, 17),
        PAIRS,
        MNRL,
        {},
        ["2 of 4 batches had one row, and the loss (mnrl) compares the rows of a batch"],
    ),
    "one score": (
        rows(GRADED, score=0.5),
        GRADED,
        COSENT,
        {},
        ["all 64 training rows of 'mine' have the score '0.5'", NOTHING],
    ),
    "one class": (
        rows(NLI, label=0),
        NLI,
        SOFTMAX,
        {},
        ["all 64 training rows of 'mine' have the class 'entailment'"],
    ),
    "a class that never occurs": (
        rows(NLI, label=[0, 2] * 32),
        NLI,
        SOFTMAX,
        {},
        ["the class 'neutral' never occurs in the 64 training rows of 'mine'"],
    ),
    "a head of one class": (
        rows(NLI, label=0),
        NLI,
        {"type": "softmax", "num_labels": 1},
        {},
        [
            "all 64 training rows of 'mine' have the class 'entailment'",
            NOTHING,
        ],
    ),
    "a warm-up without an end": (
        rows(PAIRS),
        PAIRS,
        MNRL,
        {"max_steps": 1},
        ["the learning rate is 0 at every logged step: nothing was learned"],
    ),
    "an alphabet that the tokenizer does not know": (
        rows(PAIRS, positive=["漢字仮名 交じり文" for _ in range(64)]),
        PAIRS,
        MNRL,
        {},
        [
            "all 64 training rows of 'mine' have the same 'positive'",
            "46% of the tokens of 'mine' are unknown to the tokenizer ('[UNK]')",
        ],
    ),
    "a learning rate that is too small for the weights": (
        rows(PAIRS),
        PAIRS,
        MNRL,
        {"learning_rate": 1e-12},
        ["training moved the weights by less than a millionth: nothing was learned"],
    ),
    "a learning rate that destroys the model": (
        rows(PAIRS),
        PAIRS,
        MNRL,
        {"learning_rate": 0.5, "max_steps": 8},
        ["the trained model gives 32 different texts nearly the same vector: it tells nothing apart"],
    ),
    "negatives that are the positives": (
        rows(TRIPLETS, negative=sentences(64, 1)),
        TRIPLETS,
        MNRL,
        {},
        ["'positive' and 'negative' are the same text in 100% of the training rows of 'mine'"],
    ),
    "scores of a text with itself": (
        rows(GRADED, other=sentences(64, 0)),
        GRADED,
        COSENT,
        {},
        ["'one' and 'other' are the same text in 100% of the training rows of 'mine'"],
    ),
    "pairs of a text with itself, which dropout parts": (rows(PAIRS, positive=sentences(64, 0)), PAIRS, MNRL, {}, []),
    "texts that are cut": (
        rows(PAIRS),
        PAIRS,
        MNRL,
        {"max_seq_length": 4},
        ["100% of the texts of 'mine' are longer than 4 tokens, and were cut there"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_teaches_nothing_is_told(case: str, trainings: Trainings, tmp_path: Path) -> None:
    """On the screen, in the log, and for the receipt; a phase that taught something says nothing."""
    frame, columns, loss, train, doubts = CASES[case]
    taught = Taught(trainings, tmp_path, frame, columns, loss, **train)
    assert taught.doubts == doubts
    assert taught.left == [f"phase 'hybrid': {doubt}" for doubt in doubts]
    assert taught.heard.notes == [f"arabert-hybrid: phase 'hybrid': {doubt}" for doubt in doubts]


def test_a_training_that_changes_no_score_keeps_the_start(trainings: Trainings, tmp_path: Path) -> None:
    taught = Taught(trainings, tmp_path, rows(GRADED, score=1.0), GRADED, COSENT, dev=True)
    score = f"{100 * taught.phase['start']:.2f}"
    assert taught.doubts[-1] == (
        f"the score on 'arabic-stsb' is {score} before training and at every step: "
        "the model is the one that training started from"
    )
    assert taught.phase["best_step"] == 0


def test_doubts_are_the_same_when_training_was_cut_off(trainings: Trainings, tmp_path: Path) -> None:
    """Those of batches as well, which nobody sees twice."""
    case = (rows(PAIRS, 17), PAIRS, MNRL)
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = Taught(trainings, tmp_path / "whole", *case, max_steps=4, save_steps=1)
    with pytest.raises(KeyboardInterrupt):
        Taught(trainings, tmp_path / "cut", *case, max_steps=4, save_steps=1, progress=PowerCut(after=3))
    cut = Taught(trainings, tmp_path / "cut", *case, max_steps=4, save_steps=1)
    assert cut.doubts == whole.doubts
    assert made(cut.folder) == made(whole.folder)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (rows(GRADED, 50, score=0.5), "all rows (50) of its dev 'mine' have the score '0.5'"),
        (rows(GRADED, 1, score=1.0), "all rows (1) of its dev 'mine' have the score '1.0'"),
    ],
)
def test_a_dev_set_of_one_score_is_refused_before_training(frame: pl.DataFrame, told: str, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "dev.parquet")
    phase = NamedPhase.model_validate({"name": "p", "data": [{"dataset": "mine", "loss": "mnrl"}], "dev": "mine"})
    with pytest.raises(TrainError) as caught:
        require_graded(phase, "bug", tmp_path / "dev.parquet")
    assert caught.value.message == f"phase 'p' of 'bug': {told}, by which no checkpoint is the best"
    assert (
        caught.value.hint
        == "name another dataset in phases.p.dev, or set it to null, which keeps the last step's model"
    )


def test_a_dev_set_of_one_score_is_told_before_the_model_is_loaded(trainings: Trainings, tmp_path: Path) -> None:
    from zoo.train.work import work

    spec = trainings.spec(device="cpu")
    rows(GRADED, score=0.0).write_parquet(tmp_path / "dev.parquet")
    spec["splits"]["arabic-stsb"]["validation"] = str(tmp_path / "dev.parquet")
    spec["recipe"]["base"]["model"] = "tests/there-is-none"
    (tmp_path / "made").mkdir()
    with pytest.raises(TrainError, match="of its dev 'arabic-stsb' have the score '0.0'"):
        work(tmp_path / "made", spec)


@pytest.mark.parametrize(
    ("count", "told"), [(3, ["dev 'mine' has 3 rows, too few to tell which step is the best"]), (30, [])]
)
def test_a_dev_set_of_few_rows_is_told(count: int, told: list[str], tmp_path: Path) -> None:
    rows(GRADED, count).write_parquet(tmp_path / "dev.parquet")
    assert list(of_dev_rows("mine", tmp_path / "dev.parquet")) == told


# Of logs alone


def entries(*scores: float | None, loss: float = 1.0, **more: Any) -> list[dict[str, Any]]:
    """A log with a score before every step and after the last."""
    found: list[dict[str, Any]] = []
    for step, score in enumerate(scores):
        trained = {"step": step, "loss": loss, "grad_norm": 1.0, "learning_rate": 0.1, "rows": 16, **more}
        found += [trained] if step else []
        found.append({"step": step, "eval_dev_spearman_cosine": score})
    return found


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ((0.5, 0.6, 0.55), []),
        ((None, 0.1), []),
        ((0.5, None, 0.6), ["1 of 2 scores on 'dev' are no numbers"]),
        (
            (0.5, None, None),
            [
                "2 of 2 scores on 'dev' are no numbers",
                "the score on 'dev' was never better than before training (50.00): "
                "the model is the one that training started from",
            ],
        ),
        (
            (0.5, 0.4, 0.5),
            [
                "the score on 'dev' was never better than before training (50.00, at best 50.00 after it): "
                "the model is the one that training started from"
            ],
        ),
        ((0.5, 0.6, 0.6), []),
        ((0.5, 0.6, 0.6, 0.6), ["the score on 'dev' is 60.00 at every step of training"]),
        (
            (0.5, 0.5),
            [
                "the score on 'dev' is 50.00 before training and at every step: "
                "the model is the one that training started from"
            ],
        ),
    ],
)
def test_what_scores_on_dev_say(scores: Sequence[float | None], told: list[str]) -> None:
    phase = NamedPhase.model_validate({"name": "p", "data": [{"dataset": "mine", "loss": "mnrl"}], "dev": "dev"})
    assert of_log(phase, entries(*scores)) == told


def test_a_gradient_that_is_zero_alone_is_told() -> None:
    phase = NamedPhase.model_validate({"name": "p", "data": [{"dataset": "mine", "loss": "mnrl"}]})
    assert of_log(phase, entries(0.1, 0.2, grad_norm=0.0)) == [
        "the gradient is 0 at every logged step: nothing was learned"
    ]
    assert of_log(phase, entries(0.1, 0.2, grad_norm=None)) == [], "an infinite one is not zero"
    once = [*entries(0.1, 0.2), {**entries(0.1, 0.2)[1], "loss": 0.0, "grad_norm": 0.0, "step": 2}]
    assert of_log(phase, once) == [], "once is not always"


def test_a_label_that_the_loss_does_not_read_is_no_matter(tmp_path: Path) -> None:
    rows(NLI, label=0).write_parquet(tmp_path / "rows.parquet")
    dataset = Dataset.model_validate({"source": {"dataset": "lab/mine"}, "columns": NLI})
    use = DataUse.model_validate({"dataset": "mine", "loss": "mnrl"})
    assert of_rows(use, dataset, tmp_path / "rows.parquet") == []
