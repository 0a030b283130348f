"""Jordanian tweets: positive or negative (842)."""

from zoo.tasks.task import Task

TASK = Task(
    name="AJGTv2",
    mteb="AJGT.v2",
    subset="default",
    column="AJGT",
    dataset="mteb/ajgt",
    revision="0a3dea7301ee0c051891f04d32f3e8577a9eae36",
    rows=842,
    metric="accuracy",
    kind="Classification",
)
