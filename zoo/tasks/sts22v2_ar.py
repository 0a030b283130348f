"""SemEval-2022 task 8 without the pairs that have an empty side (193)."""

from zoo.tasks.task import Task

TASK = Task(
    name="STS22v2-ar",
    mteb="STS22.v2",
    subset="ar",
    column="STS22-v2",
    dataset="mteb/sts22-crosslingual-sts",
    revision="d31f33a128469b20e357535c39b82fb3c3f6f2bd",
    rows=193,
)
