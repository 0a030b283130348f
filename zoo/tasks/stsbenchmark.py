"""The STS benchmark's English test split (1,379)."""

from zoo.tasks.task import Task

TASK = Task(
    name="STSB-en",
    mteb="STSBenchmark",
    subset="default",
    column="STSB",
    dataset="mteb/stsbenchmark-sts",
    revision="b0fddb56ed78048fa8b90373c8a3cfc37b684831",
    rows=1379,
    shares_rows={"STS17-en": 125},
)
