"""Less memory for more time: activations that are computed again instead of kept."""

from __future__ import annotations

from sentence_transformers import SentenceTransformer

from zoo.errors import TrainError


def compute_again(model: SentenceTransformer, what: str) -> None:
    """Let the layers of a model keep only what they were given, and compute the rest again on the way back.

    The Trainer's own switch asks sentence-transformers' model by a name that transformers gives up.

    Args:
        what: begins the sentence of the error, e.g. "phase 'sts' of 'arabert-sts'".

    Raises:
        TrainError: the model cannot.
    """
    encoder = model.transformers_model
    if encoder is None or not encoder.supports_gradient_checkpointing:
        problem = f"{what} asks for gradient_checkpointing, which its model does not have"
        raise TrainError(problem, hint="leave it out, and lower batch_size or max_seq_length")
    encoder.activation_checkpointing_enable({"use_reentrant": False})
