"""FLORES-200: the English translation of a Standard Arabic sentence (1,012)."""

from zoo.tasks.task import Task

TASK = Task(
    name="Flores-arb-eng",
    mteb="FloresBitextMining",
    subset="arb_Arab-eng_Latn",
    column="FLORES ar-en",
    dataset="mteb/FloresBitextMining",
    revision="2144d16cc15edd22d4a9237d12bff5f31f5c07fc",
    rows=1012,
    split="devtest",
    metric="f1",
    kind="BitextMining",
    shares_rows={"Flores-eng-arb": 1012},
)
