"""Mr. TyDi in Arabic: rank the answer above hard negatives (918 questions, 4,586 passages)."""

from zoo.tasks.task import Task

TASK = Task(
    name="NamaaMrTydi",
    mteb="NamaaMrTydiReranking",
    subset="default",
    column="MrTyDi",
    dataset="mteb/NamaaMrTydiReranking",
    revision="4d574b8caf8463c741b84a293aea8ace67801cdc",
    rows=5504,
    metric="map_at_1000",
    kind="Reranking",
)
