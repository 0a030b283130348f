"""Tweets: sarcastic or not (1,949)."""

from zoo.tasks.task import Task

TASK = Task(
    name="TweetSarcasmv2",
    mteb="TweetSarcasmClassification.v2",
    subset="default",
    column="Sarcasm",
    dataset="mteb/tweet_sarcasm",
    revision="3a20898e2ea3303844e907d55f7a815a7644150d",
    rows=1949,
    metric="accuracy",
    kind="Classification",
)
