"""What every part of a recipe is: a frozen model without unknown keys, and text of a form that people can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from zoo.ids import ALLOWED, text_like

__all__ = ["ALLOWED", "NAME", "Name", "Section", "text_like"]

NAME = r"^[a-z0-9][a-z0-9.-]*$"
Name = Annotated[str, text_like(NAME, "a name is made of a-z, 0-9, '.' and '-', the first of them a letter or a digit")]


class Section(BaseModel):
    """A part of a recipe: frozen, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
