"""Where stages meet: the names of the built-in stages, and of the files that one leaves and another reads."""

from __future__ import annotations

from pathlib import Path

DATA = "data"
TRAIN = "train"
CONTAMINATION = "contamination"
EVALUATE = "evaluate"
CARD = "card"

DATA_REPORT = "report.json"  # of data: {split: SplitReport}
DATA_SOURCE = "source.json"  # of data: {revision, miniature}
MODEL = "model"  # of train: the trained model, as sentence-transformers saves it
TRAIN_LOG = "log.json"
"""Of train: [{phase, steps, start: the score before training, best, best_step, precision: {asked, used, device},
packing: {used, why, padding: tokens with padding for each without}, onednn, log, doubts}]. Step 0 is the best where no
training was better than none."""
JOURNAL = "journal.jsonl"
"""Of train: a line for every entry of the log while it happens, with times, speeds and memory. How the work went, and
no part of what was made: another run of the same ingredients writes another one."""
BESIDE = frozenset({JOURNAL})  # files of stages that are no part of what they made
OVERLAP = "contamination.json"  # of contamination: an OverlapReport
SCORES = "scores.json"  # of evaluate: a ScoreFile
README = "README.md"  # of card
DOUBTS = "doubts.json"  # of any stage that has some: sentences on why its result may be worth less than it seems


def split_file(folder: Path, split: str) -> Path:
    """The Parquet file of a split, in the folder of a data stage."""
    return folder / f"{split}.parquet"
