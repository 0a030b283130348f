"""Reviews of an online clothes shop: one to five stars (977)."""

from zoo.tasks.task import Task

TASK = Task(
    name="OnlineStoreReviewv2",
    mteb="OnlineStoreReviewSentimentClassification.v2",
    subset="default",
    column="Store",
    dataset="mteb/online_store_review_sentiment",
    revision="de0e8eed65adf1cbc58f8743a5f5c5df556de4c4",
    rows=977,
    metric="accuracy",
    kind="Classification",
)
