"""XNLI in Arabic: does the hypothesis follow, or contradict? Neutral pairs are left out (1,365)."""

from zoo.tasks.task import Task

TASK = Task(
    name="XNLI-ar",
    mteb="XNLI",
    subset="ar",
    column="XNLI",
    dataset="mteb/xnli",
    revision="09698e0180d87dc247ca447d3a1248b931ac0cdb",
    rows=1365,
    metric="max_ap",
    kind="PairClassification",
)
