"""SemEval-2017 task 1, track 5: English pairs of image captions (250)."""

from zoo.tasks.task import Task

TASK = Task(
    name="STS17-en",
    mteb="STS17",
    subset="en-en",
    column="STS17 en",
    dataset="mteb/sts17-crosslingual-sts",
    revision="faeb762787bd10488a50c8b5be4a3b82e411949c",
    rows=250,
)
