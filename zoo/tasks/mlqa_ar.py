"""MLQA in Arabic: the paragraph that answers a question (5,333 questions, 4,646 paragraphs)."""

from zoo.tasks.task import Task

TASK = Task(
    name="MLQA-ar",
    mteb="MLQARetrieval",
    subset="ara-ara",
    column="MLQA",
    dataset="mteb/MLQARetrieval",
    revision="5bef8b6e2601af974fb1a1cca03fd702229be4b6",
    rows=9979,  # of the dataset's card; mteb documents the Chinese subsets alone
    metric="ndcg_at_10",
    kind="Retrieval",
)
