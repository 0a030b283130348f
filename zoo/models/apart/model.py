"""Models whose code is others': a process apart has loaded them, and ours hands it texts and takes embeddings.

That process has a home of its own, no secrets and no Hub, and ends with the model. What it says is data alone.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from torch import Tensor, nn

from zoo.characters import brief
from zoo.errors import ZooError
from zoo.isolation import consented_environment, end_program, last_line, temporary_folder, with_package
from zoo.models.apart.messages import GarbledError, Message, read_message, write_message
from zoo.models.foreign.asked import kind_of_error
from zoo.models.foreign.consent import checked_folder
from zoo.models.identity import ModelSource
from zoo.plugins.loading import root_in_use

SECONDS = 1800  # for one answer: a large model on a slow disk is loaded by then
EMBEDDING = "sentence_embedding"
LONGEST_TOLD = 200  # characters of what the process said last
MOST = 2**40  # parameters: more is no model
COMMAND = (sys.executable, "-P", "-m", "zoo.models.apart.work")


class LoadedFacts(BaseModel):
    """A model that another process has loaded, described."""

    model_config = ConfigDict(extra="forbid")

    width: int | None = Field(ge=1, le=MOST)
    parameters: int = Field(ge=1, le=MOST)
    dtype: Literal["float64", "float32", "bfloat16", "float16"]
    device: str = Field(pattern=r"^(cpu|cuda|mps|xpu)(:\d{1,3})?$")
    max_seq_length: float | None
    prompts: dict[str, str | None]
    default_prompt: str | None
    similarity: str
    truncate_dim: int | None
    options: list[str]
    """Names of what its `forward` can be given besides texts."""


def load_apart(source: ModelSource, device: str | None = None, *, attention: str | None = None) -> SentenceTransformer:
    """The model that a source with consent describes, loaded by a process apart; its embeddings are the same.

    It encodes, and can be asked for `pieces`. It has neither a tokenizer nor weights here, and is not trained.

    Args:
        device: where the other process computes.
        attention: an `attn_implementation` of transformers; null: the best that the model has.

    Raises:
        TrainError, EvaluationError: its code is not what consent was given to, or it cannot be loaded. HubError: it
            cannot be fetched.
    """
    process = ProcessApart(source)
    try:
        facts = process.load(device, attention)
        module = Apart(process, facts)
        weakref.finalize(module, process.close)
        options = {"device": facts.device, "truncate_dim": facts.truncate_dim, "trust_remote_code": False}
        model = SentenceTransformer(modules=[module], **options)
    except BaseException:
        process.close()
        raise
    model.prompts, model.default_prompt_name = facts.prompts, facts.default_prompt
    model.similarity_fn_name = facts.similarity
    return model.eval()


def let_go(model: SentenceTransformer) -> None:
    """End the process that has loaded a model, where there is one; the model is of no use afterwards."""
    if isinstance(module := model[0], Apart):
        module.process.close()


class Apart(InputModule):  # type: ignore[misc]
    """The whole of a model that a process apart has loaded, as the only module of one that we have."""

    def __init__(self, process: ProcessApart, facts: LoadedFacts) -> None:
        super().__init__()
        self.process = process
        self.forward_kwargs = set(facts.options)
        self._width, self._longest = facts.width, facts.max_seq_length
        one = torch.zeros((), dtype=getattr(torch, facts.dtype), device=facts.device)
        self.counted = nn.Parameter(one.expand(facts.parameters), requires_grad=False)  # takes the memory of one

    def _apply(self, *_args: Any, **_options: Any) -> Apart:
        """Stay as it is: the weights are elsewhere, and what stands for them would take their memory when moved."""
        return self

    @property
    def max_seq_length(self) -> float | None:
        """The longest text in tokens; longer ones are cut."""
        return self._longest

    @max_seq_length.setter
    def max_seq_length(self, length: int | None) -> None:
        """Cut longer texts from now on."""
        self.process.ask("shorten", length=length)
        self._longest = length

    def get_embedding_dimension(self) -> int | None:
        """The width of the vectors."""
        return self._width

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **options: Any) -> dict[str, Any]:
        """The features of texts, with tensors on the CPU."""
        return _features(self.process.ask("preprocess", texts=list(inputs), prompt=prompt, options=options))

    def forward(self, features: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The features, and the embeddings beside them: of whole texts alone."""
        tensors = {name: value for name, value in features.items() if isinstance(value, Tensor)}
        others = {name: value for name, value in features.items() if name not in tensors}
        found = self.process.ask("forward", tensors, others=others, options=options).tensors
        if not self._fits(found, tensors.get("attention_mask")):
            raise self.process.garbled()
        return {**features, EMBEDDING: found[EMBEDDING].to(self.counted.device)}

    def _fits(self, found: Mapping[str, Tensor], mask: Tensor | None) -> bool:
        """Whether an answer is a vector for each text: code of others can answer in the place of its process."""
        one = found.get(EMBEDDING)
        if one is None or not one.is_floating_point() or one.ndim != 2:
            return False
        texts = len(mask) if mask is not None and mask.ndim == 2 else len(one)
        return one.shape == (texts, self._width or one.shape[1])

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """The pieces that the model reads of each text, as `zoo.models.pieces` has them."""
        found = self.process.ask("pieces", texts=list(texts)).facts.get("pieces")
        if not isinstance(found, list) or len(found) != len(texts) or not all(isinstance(row, list) for row in found):
            raise self.process.garbled()
        return [[str(piece) for piece in row] for row in found]

    def save(self, output_path: str, *_args: Any, **_options: Any) -> None:
        """Raise an error: what is trained is saved by the process that trains it."""
        raise ValueError(f"nothing of '{self.process.place}' is here to be saved")


def _features(message: Message) -> dict[str, Any]:
    others = message.facts.get("others")
    return {**message.tensors, **(others if isinstance(others, dict) else {})}


class ProcessApart:
    """A process that runs the code of one model, and answers one question at a time."""

    def __init__(self, source: ModelSource) -> None:
        """Start it, with a checked copy of the model.

        Raises:
            TrainError, EvaluationError: the code is not what consent was given to. HubError: it cannot be fetched.
        """
        self.place = source.place
        self._source, self._lock, self._overdue = source, threading.Lock(), False
        self._over: ZooError | None = None
        with ExitStack() as stack:
            self._model = stack.enter_context(checked_folder(source))
            folder = stack.enter_context(temporary_folder("zoo-apart-"))
            self._said = folder / "said"
            self._process = _started(folder, self._model, self._said)
            stack.callback(self._end)
            self._open = stack.pop_all()

    @property
    def identifier(self) -> int:
        """The number by which the system knows it."""
        return self._process.pid

    def load(self, device: str | None, attention: str | None) -> LoadedFacts:
        """Let it load the model.

        Raises:
            TrainError, EvaluationError: it cannot be loaded.
        """
        place = root_in_use()
        answer = self.ask(
            "load",
            source=self._source.model_dump(mode="json"),
            device=device,
            attention=attention,
            workspace=str(place) if place else None,
        )
        try:
            return LoadedFacts.model_validate(answer.facts)
        except ValidationError:
            raise self.garbled() from None

    def ask(self, what: str, tensors: Mapping[str, Tensor] | None = None, **facts: Any) -> Message:
        """Send a question and wait for its answer; it is computed with as many threads as this process has.

        Raises:
            TrainError, EvaluationError: the model's code failed, or its process has ended.
        """
        if self._over is not None:
            raise self._over
        try:
            with self._lock, self._watched():
                write_message(
                    _there(self._process.stdin), {**facts, "do": what, "threads": torch.get_num_threads()}, tensors
                )
                answer = read_message(_there(self._process.stdout))
        except OSError:
            answer = None
        except GarbledError:
            raise self.garbled() from None
        except BaseException:  # as by Ctrl-C: the next answer would be that to this question
            self.close()
            raise
        if answer is None:
            raise self._ended()
        if "error" in answer.facts:
            raise self._told(answer.facts)
        return answer

    def _watched(self) -> ExitStack:
        """End the process when it takes too long."""

        def end() -> None:
            self._overdue = True
            self._process.kill()

        timer = threading.Timer(SECONDS, end)
        timer.daemon = True
        timer.start()
        stack = ExitStack()
        stack.callback(timer.cancel)
        return stack

    def _told(self, facts: Mapping[str, Any]) -> ZooError:
        """The error that it sent; the folder of its copy means the model."""
        said = str(facts["error"]).replace(str(self._model), self.place)
        hint = facts.get("hint")
        told = brief(str(hint), LONGEST_TOLD * 2) if hint else None
        return self._error(brief(said, LONGEST_TOLD * 2), told or HINT.format(model=self.place))

    def garbled(self) -> ZooError:
        """End the process, and return the error for an answer that is none."""
        self.close()
        self._over = self._error(f"the code of model '{self.place}' mixes with what zoo says to its process", None)
        return self._over

    def _ended(self) -> ZooError:
        """The error for a process that is gone, with what it said last."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        code, who = self._process.returncode, f"the process that runs the code of model '{self.place}'"
        last = last_line(self._said)
        said = f": {brief(last, LONGEST_TOLD)}" if last else ""
        if self._overdue:
            problem, hint = f"{who} did not answer for {SECONDS // 60} minutes, and was ended", None
        elif code is not None and code < 0:
            hint = "run it again: what is done is kept. When memory was short: fewer --jobs"
            problem = f"{who} was ended by {signal.Signals(-code).name}{said}"
        else:
            problem, hint = f"{who} ended itself, with exit code {code}{said}", None
        self.close()
        self._over = self._error(problem, hint or HINT.format(model=self.place))
        return self._over

    def _error(self, problem: str, hint: str | None) -> ZooError:
        return kind_of_error(self._source.kind)(problem, hint=hint)

    def close(self) -> None:
        """End the process and what it started, and remove its home. A second time it does nothing."""
        if self._over is None:
            self._over = self._error(f"the process that runs the code of model '{self.place}' was ended", None)
        self._open.close()

    def _end(self) -> None:
        end_program(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _there(pipe).close()


HINT = "its code is not zoo's: read it with zoo trust {model}, or choose another model"


def _started(folder: Path, model: Path, said: Path) -> subprocess.Popen[bytes]:
    """Start the process in a folder of its own. What its code prints goes to the file `said`."""
    environment = with_package(consented_environment(folder, model))
    with said.open("wb") as errors:
        return subprocess.Popen(
            COMMAND,
            cwd=folder / "home",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )


def _there(pipe: Any) -> BinaryIO:
    assert pipe is not None
    found: BinaryIO = pipe
    return found
