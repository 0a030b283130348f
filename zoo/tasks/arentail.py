"""ArEntail: does one news headline follow from another? (1,000)"""

from zoo.tasks.task import Task

TASK = Task(
    name="ArEntail",
    mteb="ArEntail",
    subset="default",
    column="ArEntail",
    dataset="arbml/ArEntail",
    revision="4da4316c6e3287746ab74ff67dd252ad128fceff",
    rows=1000,
    metric="max_ap",
    kind="PairClassification",
)
