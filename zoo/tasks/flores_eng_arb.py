"""FLORES-200: the Standard Arabic translation of an English sentence (1,012)."""

from zoo.tasks.task import Task

TASK = Task(
    name="Flores-eng-arb",
    mteb="FloresBitextMining",
    subset="eng_Latn-arb_Arab",
    column="FLORES en-ar",
    dataset="mteb/FloresBitextMining",
    revision="2144d16cc15edd22d4a9237d12bff5f31f5c07fc",
    rows=1012,
    split="devtest",
    metric="f1",
    kind="BitextMining",
)
