"""Restaurant reviews from qaym.com: positive or negative (2,048)."""

from zoo.tasks.task import Task

TASK = Task(
    name="RestaurantReviewv2",
    mteb="RestaurantReviewSentimentClassification.v2",
    subset="default",
    column="Restaurants",
    dataset="mteb/restaurant_review_sentiment",
    revision="5d28c1e8fb393173a849696ed178b90a6f78754a",
    rows=2048,
    metric="accuracy",
    kind="Classification",
)
