"""Where stages meet: the names of the built-in stages, and of the files that one leaves and another reads.

So do steps of a dataset, in columns.
"""

from __future__ import annotations

from pathlib import Path

DATA = "data"
TRAIN = "train"
CONTAMINATION = "contamination"
EVALUATE = "evaluate"
CARD = "card"
CHECK = "check"  # of a dataset, by `zoo data check`: no stage of a build


# Columns that steps of a dataset leave for one another
EXTRA = "@"
"""What the names of these columns begin with. None of them is published."""
BEFORE = f"{EXTRA}source."
"""What the column begins with of what a text was before it was translated, as in `@source.premise`."""
ROW_SCORE = f"{EXTRA}audit"
"""The column of the audit's score of a row, 0 to 1."""
WHY = f"{EXTRA}why"
"""The column in which a step that streams says why it drops a row; null where it keeps it."""
DROPPED_BY = f"{EXTRA}step"
"""The column of the step that dropped a row which is kept beside the dataset."""

DATA_REPORT = "report.json"  # of data: {split: SplitReport}
DATA_SOURCE = "source.json"
"""Of data: {revision: of the one repository that rows come from, else sources: [{dataset, revision}, {path, files:
{file: sha256}} or {from: dataset} of each], miniature, models: {model of a step: commit} where there are any}."""
MODEL = "model"  # of train: the trained model, as sentence-transformers saves it
ADAPTER = "adapter"  # of train: adapter/<phase>, the adapters that a recipe keeps, as peft saves them
PHASES = "phases"
"""Of train, where the recipe wants its phases measured: phases/<phase>, what the phase made of the model. Not of the
last one that was kept, which made `model`, nor of one that was no better than its start. Never published."""
TRAIN_LOG = "log.json"
"""Of train: [{phase, steps, start: the score before training, best, best_step, precision: {asked, used, device},
packing: {used, why, padding: tokens with padding for each without}, onednn, log, doubts, kept, why}]. Step 0 is the
best where no training was better than none. Such a phase is not kept, and neither is an alternative in whose place
another one is: `why` says which, and by how much it is better. Older logs lack packing, onednn, kept and why."""
JOURNAL = "journal.jsonl"
"""Of train: a line for every entry of the log while it happens, with times, speeds and memory. How the work went, and
no part of what was made: another run of the same ingredients writes another one."""
STEPS = "steps.json"
"""Of data: {split: [{step, options, came, left, why: {reason: rows}, examples: [{why, row}], seconds}]}.
How the rows were made, and no part of them."""
ROWS = "rows"
"""Of data, where steps leave columns for one another: rows/<split>.parquet, the split's rows with those columns too
(`@source.premise`: the text that was translated; `@audit`: 0 to 1)."""
REJECTED = "rejected"
"""Of data: rejected/<split>.parquet, the rows that audit and review dropped, with `@step` and `@why`."""
SHARDS = "shards"
"""Of data, where the file of a split would be too large to be published as one: shards/<split>-00000-of-00003.parquet,
its rows once more. The split's own file is there too, and is what other stages read."""
GLANCE = "glance.json"
"""Of data: {split: {bytes: of its rows in memory, rows: [a few of them, {column: text, or name of its class}]}}, for
the card. Older stages have none."""
AUDIT, AUDIT_PAGE = "audit.json", "audit.html"  # of data, where a step is an audit: an AuditReport, and it as a page
BESIDE = frozenset({JOURNAL, STEPS, GLANCE, AUDIT, AUDIT_PAGE})  # files of stages that are no part of what they made
CHECKED = "checked.json"
"""Of check: {format, target, rows: {split: rows}, roles, miniature, verdicts: {verdict: checks}, checks: [{check, says,
verdict, figure, advice, facts, examples}]}. Its receipt's needs.data has the digest of the rows that it is of."""
OVERLAP = "contamination.json"  # of contamination: an OverlapReport
CORPUS, CORPUS_VECTORS = "corpus.json", "corpus.safetensors"
"""Of evaluate, where people scored the dev set: its validation split's sentences, a list, those of zoo.evidence.corpus;
and the own model's `vectors` of them, float16 at full width, with the digest of these `sentences`. Earlier stages have
none."""
SCORES = "scores.json"  # of evaluate: a ScoreFile
README = "README.md"  # of card
CURVE = "training.png"  # of card: loss and dev scores of the model's own phases
KEPT = "sizes.png"  # of card: what the model keeps of its mean at each size; none of a model of one size
DOUBTS = "doubts.json"  # of any stage that has some: sentences on why its result may be worth less than it seems


def split_file(folder: Path, split: str) -> Path:
    """The Parquet file of a split, in the folder of a data stage."""
    return folder / f"{split}.parquet"


def shard_name(split: str, number: int, count: int) -> str:
    """The name of one of the files that a split is published in, as `push_to_hub` has it."""
    return f"{split}-{number:05}-of-{count:05}.parquet"


def published_files(folder: Path, split: str) -> list[Path]:
    """The files that a split is published in, in their order: its own, or the shards of it."""
    return sorted((folder / SHARDS).glob(f"{split}-*-of-*.parquet")) or [split_file(folder, split)]
