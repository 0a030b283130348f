"""Tatoeba: the English translation of an Arabic sentence (1,000)."""

from zoo.tasks.task import Task

TASK = Task(
    name="Tatoeba-ara-eng",
    mteb="Tatoeba",
    subset="ara-eng",
    column="Tatoeba",
    dataset="mteb/tatoeba-bitext-mining",
    revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
    rows=1000,
    metric="f1",
    kind="BitextMining",
)
