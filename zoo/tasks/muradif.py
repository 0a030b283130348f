"""Muradif: is a word's synonym nearer to it than another word? Rows of synonym groups not met in training (11,103).

mteb has no such task; ours is `zoo.tasks.triplets.py`. U4RASD/Muradif is one test split without triplets: they, and
the split by synonym group of the NeoAraBERT synonym model's card, are a data set of our own, which is not on the public
Hub yet. Until it is, the revision is the miniature's.
"""

from zoo.tasks.task import Task

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
)
