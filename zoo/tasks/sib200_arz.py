"""SIB-200 in Egyptian Arabic, mteb has no Standard Arabic one: sentences by topic, seven of them (1,004)."""

from zoo.tasks.task import Task

TASK = Task(
    name="SIB200-arz",
    mteb="SIB200ClusteringS2S",
    subset="arz_Arab",
    column="SIB200",
    dataset="mteb/sib200",
    revision="a74d7350ea12af010cfb1c21e34f1f81fd2e615b",
    rows=1004,
    metric="v_measure",
    kind="Clustering",
)
