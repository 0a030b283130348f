"""Muradif: is a word's synonym nearer to it than another word? Rows of synonym groups not met in training (11,103).

mteb has no such task: it evaluates ours. U4RASD/Muradif is one test split without triplets: they, and
the split by synonym group of the NeoAraBERT synonym model's card, are a data set of our own, which is not on the public
Hub yet. Until it is, the revision is the miniature's.
"""

from typing import Any

from zoo.tasks.task import Task


def make(ours: Task) -> Any:
    """Make mteb's task of it."""
    from zoo.tasks.triplets import triplets_task  # mteb takes seconds

    return triplets_task(ours)


TASK = Task(
    name="Muradif",
    mteb="MuradifTriplet",
    subset="default",
    column="Muradif",
    dataset="Omartificial-Intelligence-Space/Muradif-Triplets",
    revision="0fd6162ec5fd35e5b6b045375fafcc8da2406a28",
    rows=11103,
    metric="accuracy",
    kind="PairClassification",
    groups="synset",
    measures=("margin", "ties"),
    make=make,
    languages=("ara-Arab",),
)
