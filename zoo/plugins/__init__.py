"""What plugins import: one decorator for each kind of thing that recipes can name.

A workspace's plugins are the files of its folder `plugins/`, each of which stands alone:

    from zoo.plugins import loss

    @loss("huber", texts=(2, 2), label="score")
    def huber(model, *, delta: float = 1.0):
        \"\"\"(sentence, sentence, score): fits cosines to scores, and minds a few wrong scores less.\"\"\"
        from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
        from torch import nn

        return CosineSimilarityLoss(model, loss_fct=nn.HuberLoss(delta=delta))

Keyword arguments become options in recipes; the docstring's first line is what `zoo ls --losses` shows. Heavy libraries
are imported inside the function, so that reading recipes stays quick. An installed package names the module that holds
such functions as an entry point of the group `zoo.plugins`.
"""

from __future__ import annotations

from zoo.ids import LoadedModel
from zoo.losses.loss import LossSpec as Inner
from zoo.losses.loss import build_loss, loss
from zoo.modules.module import module, pooling
from zoo.steps.step import step
from zoo.tasks.graded import graded_pairs
from zoo.tasks.task import task

__all__ = ["Inner", "LoadedModel", "build_loss", "graded_pairs", "loss", "module", "pooling", "step", "task"]
