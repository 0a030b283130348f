"""SemRel2024: relatedness of sentence pairs in Standard Arabic (595)."""

from zoo.tasks.task import Task

TASK = Task(
    name="SemRel24-arb",
    mteb="SemRel24STS",
    subset="arb",
    column="SemRel arb",
    dataset="mteb/SemRel24STS",
    revision="f5146bf724c55899ca20502851dc98c5405b67f9",
    rows=595,
)
