"""SemEval-2022 task 8: Arabic pairs of news articles (195, two of them with an empty side)."""

from zoo.tasks.task import Task

TASK = Task(
    name="STS22-ar",
    mteb="STS22",
    subset="ar",
    column="STS22",
    dataset="mteb/sts22-crosslingual-sts",
    revision="de9d86b3b84231dc21f76c7b7af1f28e2f57f6e3",
    rows=195,
    superseded_by="STS22v2-ar",
    shares_rows={"STS22v2-ar": 193},
)
