"""SemRel2024: relatedness of sentence pairs in Moroccan Arabic (426)."""

from zoo.tasks.task import Task

TASK = Task(
    name="SemRel24-ary",
    mteb="SemRel24STS",
    subset="ary",
    column="SemRel ary",
    dataset="mteb/SemRel24STS",
    revision="f5146bf724c55899ca20502851dc98c5405b67f9",
    rows=426,
)
