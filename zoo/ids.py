"""Names, ids and commits as recipes write them, and a model that stands in a recipe beside its base."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic.fields import FieldInfo

from zoo.characters import brief
from zoo.hub.metadata import REPO_ID
from zoo.metadata import as_the_hub

ALLOWED: dict[str, str] = {}
"""Pattern to what it allows, for people."""


def text_like(pattern: str, allowed: str) -> StringConstraints:
    """A constraint on text, and what the pattern allows, in words for people."""
    ALLOWED[pattern] = allowed
    return StringConstraints(pattern=pattern)


def as_the_client(name: str) -> str:
    """Refuse what huggingface_hub's `validate_repo_id` refuses, before anything asks a Hub."""
    for sign, where, right in (("--", "with '--' in it", "-"), ("..", "with '..' in it", ".")):
        if sign in name:
            meant = re.sub(f"[{sign[0]}]+", right, name)
            raise ValueError(f"'{name}': the Hub takes no name {where}; write '{meant}'")
    if ending := re.search(r"(\.git|[.-])+$", name):
        raise ValueError(
            f"'{name}': the Hub takes no name that ends in '{ending[0]}'; write '{name[: ending.start()]}'"
        )
    return name


RepoId = Annotated[
    str,
    text_like(
        REPO_ID,
        "an id is 'account/name', each made of A-Z, a-z, 0-9, '_', '.' and '-'",
    ),
    AfterValidator(as_the_client),
]
Revision = Annotated[
    str, text_like(r"^[0-9a-f]{40}$", "a revision is the whole name of a commit: 40 of the characters 0-9 and a-f")
]
ModelId = Annotated[RepoId, BeforeValidator(as_the_hub("base_model"))]
FOLDER = r"^(\.\.?|~[^/]*)?/|^(\.\.?|~)$"
"""How a text begins that means a folder of this machine, and no id on the Hub."""


def is_folder(model: str) -> bool:
    """True of a model that a recipe names by its folder: './checkpoints/x', '../x' or '/models/x'."""
    return re.match(FOLDER, model) is not None


def as_a_folder(model: str) -> str:
    """The path of a model's folder without a slash at its end.

    Raises:
        ValueError: it begins with a home, which is another one on another machine, or is no folder's but all of them.
    """
    if model.startswith("~"):
        raise ValueError(f"'{model}' begins with a home; write './...', '../...' or '/...'")
    parts = [part for part in model.split("/") if part not in ("", ".")]
    if not [part for part in parts if part != ".."]:
        raise ValueError(f"'{model}' is no folder of a model; write its path, as './checkpoints/x'")
    start = model.partition("/")[0] if not model.startswith("..") else ""
    return "/".join([*([start] if start or model.startswith("/") else []), *parts])


def shown_model(model: str) -> str:
    """The name of a model for people: its id, or the path of its folder as the recipe has it.

    Of one outside the workspace it is the last part: where else it lies on this machine is nobody's business.
    """
    return f"./{model.rpartition('/')[2]}" if model.startswith(("/", "../")) else model


def _form_of_model(model: Any) -> str:
    return "[folder]" if isinstance(model, str) and is_folder(model) else "[id]"


ModelFolder = Annotated[
    str, text_like(FOLDER, "the folder of a model begins with './', '../' or '/'"), AfterValidator(as_a_folder)
]
ModelPlace = Annotated[
    Annotated[ModelId, Tag("[id]")] | Annotated[ModelFolder, Tag("[folder]")], Discriminator(_form_of_model)
]
"""A model on the Hub by its id, or one in a folder, from the workspace on."""


class ModelRef(BaseModel):
    """A model of the Hub that a recipe names beside its base: a loss's guide or teacher, say. It is never trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelId
    """Its id on the Hub."""
    revision: Revision | None = None
    """Commit to use; null = the newest, which each build resolves and records."""

    @model_validator(mode="before")
    @classmethod
    def _has_keys(cls, data: Any) -> Any:
        written = brief(data) if isinstance(data, str) else None
        if written is not None:
            raise ValueError(f"'{written}' is the id alone; write {{model: {written}}}, and a revision to pin it")
        return data

    @property
    def title(self) -> str:
        """The name under which receipts have its commit: the id, with the commit behind it where the recipe has one."""
        return f"{self.model}@{self.revision}" if self.revision else self.model


class _Loaded:
    """Annotates an option that names a model and is given to the function as the model itself."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler.generate_schema(ModelRef)


def is_loaded(field: FieldInfo) -> bool:
    """True of an option whose function is given the model itself, and not its name; also of one that may be null."""
    inside = [one for kind in get_args(field.annotation) for one in getattr(kind, "__metadata__", ())]
    return any(isinstance(one, _Loaded) for one in (*field.metadata, *inside))


LoadedModel = Annotated[Any, _Loaded()]
"""A ModelRef in recipes. The function whose option it is gets a SentenceTransformer, in eval mode and never trained."""
