"""Tweets by emotion: eight of them (1,008)."""

from zoo.tasks.task import Task

TASK = Task(
    name="TweetEmotionv2",
    mteb="TweetEmotionClassification.v2",
    subset="default",
    column="Emotion",
    dataset="mteb/TweetEmotionClassification",
    revision="930d65840c089406ceed5241b1a9ba7294e5eeae",
    rows=1008,
    metric="accuracy",
    kind="Classification",
)
