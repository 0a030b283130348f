"""Sadeem: the passage that answers a question (2,089 questions, 22,979 passages)."""

from zoo.tasks.task import Task

TASK = Task(
    name="Sadeem",
    mteb="SadeemQuestionRetrieval",
    subset="default",
    column="Sadeem",
    dataset="sadeem-ai/sadeem-ar-eval-retrieval-questions",
    revision="3cb0752b182e5d5d740df547748b06663c8e0bd9",
    rows=25068,
    metric="ndcg_at_10",
    kind="Retrieval",
)
