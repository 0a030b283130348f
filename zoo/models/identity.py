"""What decides an embedding, as plain data and known before any model is loaded. Light: no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from zoo.ids import is_folder
from zoo.models.folder import MODULES, folder_named
from zoo.modules.encoders import CUSTOM
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.schema import Base, code_digests, encoder_digest
from zoo.run import digest, versions

ENGINES = ("torch", "transformers", "sentence-transformers")
"""The libraries that compute embeddings."""

Kind = Literal["recipe", "base", "beside", "reading", "folder", "hub"]
"""`beside`: a model that a loss names, beside the base; `reading`: one that a data step or a Space reads texts with."""


@dataclass(frozen=True)
class Identity:
    """Everything that two models must have in common for their embeddings to be the same.

    None stands for what the model's own files say; `weights` covers those files.
    """

    weights: str
    """A commit on the Hub, or a digest of files."""
    pooling: Any
    """As a recipe has it: a name, or {type: name, option: value}."""
    modules: list[Any]
    """What stands behind the pooling, in the same form."""
    plugins: dict[str, str]
    """Digests of the plugins that define the pooling or a module, and of the encoder's file that travels along."""
    prompts: dict[str, str] | None
    default_prompt: str | None
    max_seq_length: int | None
    dtype: str
    backend: str
    versions: dict[str, str]
    """major.minor of the libraries that compute the embeddings."""

    @property
    def facts(self) -> dict[str, Any]:
        """The identity as ingredients of a stage, so that a difference can be told in words."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """12 hex for names of files and folders; other embeddings have another one."""
        return digest(self.facts)[:12]


class ModelSource(BaseModel):
    """The place of a model and what is laid over it: enough to load it in any process (zoo/models/load.py)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    place: str
    """A folder, or an id on the Hub."""
    revision: str | None = None
    """The commit on the Hub; null for a folder."""
    weights: str
    """A commit, or a digest of the files that are loaded."""
    remote_code: RemoteCode | None = None
    """Consent to run code that it brings; null: none of it is run, and a model that asks for any is refused."""
    own: tuple[str, ...] = ()
    """sha256 of zoo's own code in a trained model, as its receipt has it: an earlier zoo may have made it."""
    width: int | None = None
    """How wide its vectors must be; null: as wide as they are."""
    encoder: str | dict[str, Any] | None = None
    """What reads texts before the pooling, as a recipe has it; null: the stock module."""
    pooling: Any = None
    """For plain transformers repositories, as a recipe has it; null: the model has modules of its own."""
    modules: list[Any] = []
    """What stands behind the pooling, as a recipe has it."""
    plugins: dict[str, str] = {}
    """Digests of the plugins that define the pooling or a module."""
    prompts: dict[str, str] | None = None
    """They replace the model's own; null: its own stay."""
    default_prompt: str | None = None
    """Name of the prompt that a plain `encode` adds; null beside null `prompts`: the model's own stays."""
    max_seq_length: int | None = None
    dtype: Literal["stored", "float32", "bfloat16", "float16"] = "stored"
    """stored: as the weights are, or as the repository asks."""
    backend: Literal["torch"] = "torch"

    @property
    def in_folder(self) -> bool:
        """True of a model in a folder that training did not make here."""
        return self.kind == "folder" or (self.kind == "base" and is_folder(self.place))

    @property
    def whole(self) -> ModelSource:
        """This source, with all that is laid over a plain repository of the Hub with consent to its code.

        That is our encoder, and the pooling that sentence-transformers gives such a repository.
        """
        code = self.remote_code
        if self.kind != "hub" or code is None or self.pooling is not None or MODULES in code.files:
            return self
        return self.model_copy(update={"encoder": CUSTOM, "pooling": "mean", "plugins": encoder_digest()})

    @property
    def identity(self) -> Identity:
        """The identity of this model's embeddings when this machine computes them."""
        return Identity(
            weights=self.weights,
            pooling=self.whole.pooling,
            modules=self.modules,
            plugins=self.whole.plugins,
            prompts=self.prompts,
            default_prompt=self.default_prompt,
            max_seq_length=self.max_seq_length,
            dtype=self.dtype,
            backend=self.backend,
            versions={name: minor(version) for name, version in versions(*ENGINES).items()},
        )


def minor(version: str) -> str:
    """The first two numbers of a version: '2.13' of '2.13.0+cpu'."""
    return ".".join(version.partition("+")[0].split(".")[:2])


def base_source(base: Base, revision: str) -> ModelSource:
    """The model that a recipe starts from, with all that the recipe lays over it.

    Args:
        revision: the commit on the Hub, or the digest of its folder (zoo/models/folder.py).
    """
    laid_over = base.model_dump(mode="json", include={"encoder", "pooling", "modules"})
    return ModelSource(
        kind="base",
        place=str(folder_named(base.model)) if base.in_folder else base.model,
        revision=None if base.in_folder else revision,
        weights=revision,
        remote_code=base.remote_code,
        width=base.width,
        encoder=laid_over.get("encoder", CUSTOM if base.reads_with == CUSTOM else None),
        pooling=laid_over["pooling"],
        modules=laid_over["modules"],
        plugins=code_digests(base).get("plugins", {}),
        prompts=base.prompts,
        default_prompt=base.default_prompt,
        max_seq_length=base.max_seq_length,
    )
