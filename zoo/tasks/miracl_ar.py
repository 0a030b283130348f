"""MIRACL in Arabic with hard negatives: Wikipedia passages for questions (1,000 questions, 192,103 passages)."""

from zoo.tasks.task import Task

TASK = Task(
    name="MIRACL-ar",
    mteb="MIRACLRetrievalHardNegatives",
    subset="ar",
    column="MIRACL",
    dataset="mteb/MIRACLRetrievalHardNegatives",
    revision="d7d94fa4b946cec4a27c84653aa0cf6b33f74a3c",
    rows=193103,
    split="dev",
    metric="ndcg_at_10",
    kind="Retrieval",
    store=False,
)
