"""Belebele in Standard Arabic: the FLORES passage that a question is about (900 questions, 488 passages)."""

from zoo.tasks.task import Task

TASK = Task(
    name="Belebele-arb",
    mteb="BelebeleRetrieval",
    subset="arb_Arab-arb_Arab",
    column="Belebele",
    dataset="mteb/belebele",
    revision="979a211276faa22f671e69d096634193567cfd05",
    rows=1388,
    metric="ndcg_at_10",
    kind="Retrieval",
)
