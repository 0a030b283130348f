"""Hotel reviews from Booking.com: four grades (1,020)."""

from zoo.tasks.task import Task

TASK = Task(
    name="HotelReviewv2",
    mteb="HotelReviewSentimentClassification.v2",
    subset="default",
    column="Hotels",
    dataset="mteb/HotelReviewSentimentClassification",
    revision="f5e6a24acbed4182114ffdf46747090b3f51e836",
    rows=1020,
    metric="accuracy",
    kind="Classification",
)
