"""SemEval-2017 task 1, track 2: an English image caption and an Arabic one (250)."""

from zoo.tasks.task import Task

TASK = Task(
    name="STS17-en-ar",
    mteb="STS17",
    subset="en-ar",
    column="STS17 en-ar",
    dataset="mteb/sts17-crosslingual-sts",
    revision="faeb762787bd10488a50c8b5be4a3b82e411949c",
    rows=250,
)
