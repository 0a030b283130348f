"""What plugins import: one decorator for each kind of thing that recipes can name.

A workspace's plugins are the files of its folder `plugins/`, each of which stands alone:

    from zoo.plugins import loss

    @loss("angle", texts=(2, 2), label="score", least_rows=2)
    def angle(model, *, scale: float = 20.0):
        \"\"\"(sentence, sentence, score): ranks pairs by the angle between them.\"\"\"
        from sentence_transformers.sentence_transformer.losses import AnglELoss

        return AnglELoss(model, scale=scale)

Keyword arguments become options in recipes; the docstring's first line is what `zoo ls --losses` shows. Heavy libraries
are imported inside the function, so that reading recipes stays quick. An installed package names the module that holds
such functions as an entry point of the group `zoo.plugins`.
"""

from __future__ import annotations

from zoo.losses.loss import LossSpec as Inner
from zoo.losses.loss import build_loss, loss
from zoo.modules.module import module, pooling
from zoo.steps.step import step
from zoo.tasks.graded import graded_pairs
from zoo.tasks.task import task

__all__ = ["Inner", "build_loss", "graded_pairs", "loss", "module", "pooling", "step", "task"]
