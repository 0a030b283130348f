"""The models that steps read texts with: refused before rows are fetched, loaded when the first split needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.models.identity import ModelSource
from zoo.models.shape import refuse_unfit


@dataclass(frozen=True)
class Encoders:
    """The models of a dataset's steps, each loaded once."""

    models: Mapping[str, str]
    """{id on the Hub: commit}."""
    device: str | None = None
    _loaded: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse models that ask for code of their own.

        Raises:
            EvaluationError: one does. HubError: it cannot be asked.
        """
        for name in self.models:
            refuse_unfit(self._source(name))

    def loaded(self, name: str) -> Any:
        """The model, ready to encode, with the prompts and the length that its repository says.

        Raises:
            EvaluationError: it cannot be loaded.
        """
        from zoo.models.load import load_model  # torch takes seconds, and most datasets need none

        if name not in self._loaded:
            self._loaded[name] = load_model(self._source(name), self.device)
        return self._loaded[name]

    def _source(self, name: str) -> ModelSource:
        return ModelSource(kind="reading", place=name, revision=self.models[name], weights=self.models[name])
