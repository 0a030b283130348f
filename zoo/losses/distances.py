"""Distances of what belongs together, and of what does not, a margin apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from zoo.losses.loss import Model, Positive, loss

if TYPE_CHECKING:
    from torch import nn

PairDistance = Literal["cosine_distance", "euclidean", "manhattan"]


@loss("triplet", texts=(3, 3))
def triplet(
    model: Model,
    *,
    distance_metric: Literal["cosine", "euclidean", "manhattan"] = "euclidean",
    triplet_margin: Positive = 5.0,
) -> nn.Module:
    """(anchor, positive, negative): the negative is farther from the anchor than the positive, by a margin."""
    from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric, TripletLoss

    metric = getattr(TripletDistanceMetric, distance_metric.upper())
    made: nn.Module = TripletLoss(model, distance_metric=metric, triplet_margin=triplet_margin)
    return made


@loss("contrastive", texts=(2, 2), label="class", classes=2)
def contrastive(
    model: Model, *, distance_metric: PairDistance = "cosine_distance", margin: Positive = 0.5
) -> nn.Module:
    """(sentence, sentence, class): pairs of the second class come closer, those of the first go a margin apart."""
    from sentence_transformers.sentence_transformer.losses import ContrastiveLoss, SiameseDistanceMetric

    metric = getattr(SiameseDistanceMetric, distance_metric.upper())
    made: nn.Module = ContrastiveLoss(model, distance_metric=metric, margin=margin)
    return made


@loss("online_contrastive", texts=(2, 2), label="class", classes=2, least_rows=2)
def online_contrastive(
    model: Model, *, distance_metric: PairDistance = "cosine_distance", margin: Positive = 0.5
) -> nn.Module:
    """(sentence, sentence, class): contrastive, of the hard pairs of a batch alone."""
    from sentence_transformers.sentence_transformer.losses import OnlineContrastiveLoss, SiameseDistanceMetric

    metric = getattr(SiameseDistanceMetric, distance_metric.upper())
    made: nn.Module = OnlineContrastiveLoss(model, distance_metric=metric, margin=margin)
    return made
