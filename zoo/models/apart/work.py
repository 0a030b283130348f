"""`python -P -m zoo.models.apart.work`: loads one model with its own code, and answers what `model` beside it asks.

It ends as soon as the process that started it is gone.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from zoo.models.apart.messages import Message

    Answer = tuple[dict[str, Any], dict[str, Any]]
    """What JSON can hold, and tensors."""


def serve() -> None:
    """Answer until nobody asks any more."""
    questions, answers = _taken()  # before anything is imported: libraries and models may print

    from zoo.environment import prepare

    prepare()

    import torch

    from zoo.errors import ZooError
    from zoo.models.apart.messages import write_message

    heard = _listened(questions)
    served = Served()
    while True:
        message = heard.get()
        try:
            torch.set_num_threads(message.facts["threads"])
            with torch.inference_mode():
                facts, tensors = served.answer(message)
        except ZooError as problem:
            facts, tensors = {"error": problem.message, "hint": problem.hint}, {}
        except Exception as error:  # noqa: BLE001 - code of others raises anything, and it is told
            facts, tensors = {"error": served.failed(error)}, {}
        write_message(answers, facts, tensors)


def _taken() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for ourselves. Others find an empty stdin, and what they print goes where stderr goes."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return questions, answers


def _listened(questions: BinaryIO) -> queue.SimpleQueue[Message]:
    """Read the questions in a thread, which ends this process at their end, whatever it is doing."""
    from zoo.isolation import end_at_once
    from zoo.models.apart.messages import read_message

    heard: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen() -> None:
        while (message := read_message(questions)) is not None:
            heard.put(message)
        end_at_once()

    threading.Thread(target=listen, daemon=True).start()
    return heard


class Served:
    """The model, and what can be asked of it."""

    model: SentenceTransformer
    place = ""

    def answer(self, message: Message) -> Answer:
        """Do what a message asks for."""
        facts = {name: value for name, value in message.facts.items() if name not in ("do", "threads")}
        does: dict[str, Callable[..., Answer]] = {
            "load": self.load,
            "shorten": self.shorten,
            "preprocess": self.preprocess,
            "forward": self.forward,
            "pieces": self.pieces,
        }
        return does[message.facts["do"]](message.tensors, **facts)

    def failed(self, error: Exception) -> str:
        """The sentence for what the model's code raised."""
        return f"the code of model '{self.place}' failed: {type(error).__name__}: {error}"

    def load(
        self,
        _: dict[str, Any],
        source: dict[str, Any],
        device: str | None,
        attention: str | None,
        workspace: str | None,
    ) -> Answer:
        """Load the model, and return what our process calls the model described."""
        from zoo.models.identity import ModelSource
        from zoo.models.load import load_model
        from zoo.plugins.loading import use

        use(Path(workspace) if workspace else None)
        found = ModelSource.model_validate(source)
        self.place = found.place
        self.model = load_model(found, device, attention=attention).eval()
        return _described(self.model), {}

    def shorten(self, _: dict[str, Any], length: int | None) -> Answer:
        """Cut longer texts from now on."""
        self.model.max_seq_length = length
        return {}, {}

    def preprocess(self, _: dict[str, Any], texts: list[Any], prompt: str | None, options: dict[str, Any]) -> Answer:
        """The features of texts."""
        from torch import Tensor

        features = self.model.preprocess(texts, prompt=prompt, **options)
        tensors = {name: value for name, value in features.items() if isinstance(value, Tensor)}
        return {"others": {name: value for name, value in features.items() if name not in tensors}}, tensors

    def forward(self, tensors: dict[str, Any], others: dict[str, Any], options: dict[str, Any]) -> Answer:
        """The embeddings of texts, from their features."""
        from sentence_transformers.util import batch_to_device

        features = batch_to_device({**tensors, **others}, self.model.device)
        return {}, {"sentence_embedding": self.model(features, **options)["sentence_embedding"]}

    def pieces(self, _: dict[str, Any], texts: list[str]) -> Answer:
        """The pieces that the model reads of each text."""
        from zoo.models.pieces import pieces

        return {"pieces": pieces(self.model, texts)}, {}


def _described(model: SentenceTransformer) -> dict[str, Any]:
    with model.truncate_embeddings(None):
        width = model.get_embedding_dimension()
    return {
        "width": width,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": str(model.device),
        "max_seq_length": model.max_seq_length,
        "prompts": model.prompts,
        "default_prompt": model.default_prompt_name,
        "similarity": model.similarity_fn_name,
        "truncate_dim": model.truncate_dim,
        "options": model.get_model_kwargs(),
    }


if __name__ == "__main__":
    serve()
