"""SemRel2024: relatedness of sentence pairs in Algerian Arabic (583)."""

from zoo.tasks.task import Task

TASK = Task(
    name="SemRel24-arq",
    mteb="SemRel24STS",
    subset="arq",
    column="SemRel arq",
    dataset="mteb/SemRel24STS",
    revision="f5146bf724c55899ca20502851dc98c5405b67f9",
    rows=583,
)
