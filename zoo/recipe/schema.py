"""What recipes are made of, and the resolved recipe: one file with nothing left to look up."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveInt, StringConstraints, Tag, field_validator, model_validator

from zoo.ids import ModelId, ModelPlace, ModelRef, Revision, is_folder, shown_model
from zoo.modules import EncoderSpec, ModuleSpec, PoolingSpec
from zoo.modules.encoders import CUSTOM, STOCK
from zoo.modules.own import ENCODER, own_files
from zoo.options import NameOf, digests
from zoo.recipe.dataset import Dataset
from zoo.recipe.remotecode import RemoteCode
from zoo.recipe.section import Name, Section
from zoo.recipe.training import NamedPhase, added
from zoo.recipe.words import Address, Language, License, RepoName
from zoo.tasks import TASKS

ROLES = ("query", "document")
"""What sentence-transformers and mteb call the two sides of a search."""
_SYNONYMS = {
    "query": ("queries", "question", "questions"),
    "document": ("doc", "docs", "passage", "passages", "corpus"),
}


def role_like(name: str) -> str | None:
    """The role that a prompt's name means in other words or another spelling; None for a name of its own."""
    spelt = name.casefold()
    meant = next((role for role, words in _SYNONYMS.items() if spelt in words), None)
    return meant or next(iter(get_close_matches(spelt, ROLES, cutoff=0.8)), None)


Architecture = Literal["bert", "roberta", "xlm-roberta", "neoarabert", "modern"]
WITH_CODE = ("neoarabert", "modern")
"""Architectures whose repositories bring code of their own."""


class Miniature(Section):
    """The shape of a base model's stand-in on the local Hub: same architecture and tokenizer family, two layers."""

    architecture: Architecture = "bert"
    """neoarabert and modern bring code of their own; the tokenizer of the first is code too, and knows diacritics."""
    tokenizer: Literal["wordpiece", "bpe", "unigram"] = "wordpiece"
    """The family of its tokenizer."""
    modules: tuple[Literal["mean", "cls", "dense", "normalize"], ...] = ()
    """The sentence-transformers modules that the repository brings; none for a plain transformers repository."""


class Base(Section):
    """The model that training starts from."""

    model: ModelPlace
    """An id on the Hub, or a folder: './checkpoints/x', '../x' or '/models/x', from the workspace on."""
    origin: ModelId | None = added(None)
    """Of a folder: the model on the Hub that it was made from, which the card names; null = it is a model of one's
    own."""
    revision: Revision | None = None
    """Commit to use; null = the newest, which each build resolves and records."""
    remote_code: RemoteCode | None = added(None)
    """Consent to run code of the repository, as `zoo trust` writes it; null = none of it is run."""
    width: PositiveInt
    """Numbers per embedding; checked against the model when it is loaded."""
    max_seq_length: PositiveInt = 512
    """Tokens of a text that the model reads; the rest is cut off."""
    encoder: EncoderSpec | None = added(None)
    """What reads texts, before the pooling; null = `custom` where there is consent to remote code, else
    `transformer`."""
    pooling: PoolingSpec | None = None
    """For plain transformers repositories; null = the repository brings its own modules."""
    modules: list[ModuleSpec] = []
    """What stands behind the pooling, in this order."""
    prompts: dict[str, str] = {}
    """What stands before a text: `query` and `document` are the roles that libraries know, other names are for
    `encode(prompt_name=...)`. Saved in the model; prompts that its repository brings and that are not here are not
    kept."""
    default_prompt: str | None = None
    """Name of the prompt that training, evaluation and a plain `encode` use."""
    miniature: Miniature = Miniature()
    """The shape of its stand-in for rehearsals on the local Hub."""

    @property
    def in_folder(self) -> bool:
        """True when the model is a folder, and not on the Hub."""
        return is_folder(self.model)

    @property
    def title(self) -> str:
        """The name of the model for people: its id, or its folder, as `shown_model` has them."""
        return shown_model(self.model)

    @property
    def on_hub(self) -> str | None:
        """The id of the model on the Hub, or of the one that its folder was made from; null = there is none."""
        return self.origin if self.in_folder else self.model

    @property
    def commit(self) -> str | None:
        """The commit that the recipe pins, by its `revision` or by its consent; null = the newest."""
        return self.revision or (self.remote_code.revision if self.remote_code else None)

    @property
    def awaits_consent(self) -> bool:
        """True when the recipe itself tells that the model brings code of its own, and holds no consent to it."""
        return not self.in_folder and self.remote_code is None and self.miniature.architecture in WITH_CODE

    @property
    def reads_with(self) -> str | None:
        """The name of the encoder; null = the repository brings its own modules."""
        if self.pooling is None:
            return None
        return self.encoder.type if self.encoder else CUSTOM if self.remote_code else STOCK

    @model_validator(mode="after")
    def _folder_has_no_commit(self) -> Base:
        if not self.in_folder:
            if self.origin is not None:
                raise ValueError(
                    f"origin '{self.origin}' is for a model in a folder, and '{self.model}' is on the Hub; take it out"
                )
            return self
        if self.revision is not None:
            raise ValueError(f"revision is a commit of the Hub, and '{self.model}' is a folder; take it out")
        if self.remote_code is not None:
            what = f"remote_code is consent to a commit of the Hub, and '{self.model}' is a folder"
            raise ValueError(f"{what}; push it to a repository of yours, and name that")
        return self

    @model_validator(mode="after")
    def _consent_is_to_this_commit(self) -> Base:
        consent = self.remote_code
        if consent and self.revision not in (None, consent.revision):
            what = f"consent is to '{consent.revision[:8]}', and revision is '{str(self.revision)[:8]}'"
            raise ValueError(f"{what}; write the same commit in both, or `zoo trust {self.model}` for another consent")
        return self

    @field_validator("prompts")
    @classmethod
    def _roles_are_spelt_as_libraries_do(cls, prompts: dict[str, str]) -> dict[str, str]:
        for name in prompts:
            if name not in ROLES and (role := role_like(name)):
                raise ValueError(f"'{name}' is no role that libraries look for; did you mean '{role}'?")
        return prompts

    @model_validator(mode="after")
    def _default_prompt_exists(self) -> Base:
        if self.default_prompt is not None and self.default_prompt not in self.prompts:
            known = f"one of: {', '.join(sorted(self.prompts))}" if self.prompts else "write the prompt there too"
            raise ValueError(f"default_prompt '{self.default_prompt}' is not one of prompts; {known}")
        return self

    @model_validator(mode="after")
    def _modules_fit(self) -> Base:
        if self.modules and self.pooling is None:
            raise ValueError("modules stand behind a pooling, and there is none; a repository brings its own")
        if self.encoder and self.pooling is None:
            raise ValueError("encoder stands before a pooling, and there is none; write pooling: mean")
        out = [module.out for module in self.modules if hasattr(module, "out")]
        if out and out[-1] != self.width:
            raise ValueError(f"modules end in {out[-1]} numbers, width is {self.width}")
        return self


def encoder_digest() -> dict[str, str]:
    """{"encoder 'custom'": digest of its file}, as an identity and a receipt have it."""
    return {f"encoder '{CUSTOM}'": own_files()[ENCODER]}


def code_digests(base: Base, *parts: Any) -> dict[str, dict[str, str]]:
    """The ingredient {"plugins": {"encoder 'custom'": digest of its file}} of code beside zoo's version, or {}.

    Such are plugins that a base model or other parts of a recipe name, and files of ours that travel with the model.
    """
    found = digests(base, *parts).get("plugins", {})
    if base.reads_with == CUSTOM:
        found = {**found, **encoder_digest()}
    return {"plugins": found} if found else {}


TaskName = Annotated[str, NameOf(TASKS)]
"""An evaluation task; that there is one of the name is checked with its place (zoo/recipe/check.py)."""


class RivalModel(ModelRef):
    """A model of the Hub, or one in a folder, that is measured beside a recipe's own."""

    model: ModelPlace

    @model_validator(mode="after")
    def _folder_has_no_commit(self) -> RivalModel:
        if is_folder(self.model) and self.revision is not None:
            raise ValueError(f"revision is a commit of the Hub, and '{self.model}' is a folder; take it out")
        return self


def _form_of_rival(rival: Any) -> str:
    return "[model]" if isinstance(rival, dict | ModelRef) or "/" in str(rival) else "[name]"


Rival = Annotated[Annotated[Name, Tag("[name]")] | Annotated[RivalModel, Tag("[model]")], Discriminator(_form_of_rival)]
"""Another recipe, by its name, or a model: of the Hub, {model: ..., revision: ...}, or in a folder, {model: ./...}."""


class Beside(Section):
    """Models that are measured beside the recipe's own, its parent and its base."""

    rivals: list[Rival] = added([])
    """Other recipes and models, of the Hub or in folders, measured on the same tasks. A recipe is trained first
    where it is not."""
    phases: bool = added(False)
    """True: what each phase made of the model is kept and measured too, also what was dropped. It is not published."""


class Evaluation(Beside):
    """The suite that evaluates the model, its tasks, and what else is measured on them."""

    suite: Name
    tasks: list[TaskName] = Field(min_length=1)

    @property
    def rival_recipes(self) -> list[str]:
        """The names of the rivals that are recipes."""
        return [one for one in self.rivals if isinstance(one, str)]

    @property
    def rival_models(self) -> list[RivalModel]:
        """The rivals that are models of the Hub or in folders."""
        return [one for one in self.rivals if isinstance(one, RivalModel)]


class Paper(Section):
    """The paper to cite."""

    title: str
    """The title of the paper."""
    url: Address
    """Where it is read."""
    bibtex: str
    """How it is cited; the card quotes it."""


CardLanguage = Literal["en", "ar"]
"""A language that cards can be written in."""
Example = Annotated[str, StringConstraints(min_length=1)]
"""A short sentence, for snippets of a card and the Space."""


class ModelRelease(Section):
    """The model's repository on the Hub and what its card says that is not measured."""

    repo: RepoName
    license: License = "apache-2.0"
    language: list[Language] = []
    tags: list[str] = []
    summary: str | None = None
    paper: Paper | None = None
    family: Name | None = added(None)
    """The family that it belongs to; null = the lab's first."""
    authors: list[str] = added([])
    """Names of people, as a citation has them."""
    citation: str | None = added(None)
    """BibTeX of the model itself, where there is no paper."""
    cards: list[CardLanguage] | None = added(None)
    """Languages that its card is written in; null = English, and Arabic where `language` has it."""
    examples: list[Example] | None = added(None)
    """Short sentences for the card's snippets and the Space; null = ours, in Arabic or English."""


class Recipe(Section):
    """One model, resolved: what `zoo show` prints, `zoo build --recipe` reads and the published model carries."""

    name: Name
    scale: Name = "full"
    overrides: list[str] = Field([], exclude_if=lambda changes: not changes)
    """What `--set` changed of the recipe, as 'key=value': then it is not the recipe of that name any more."""
    base: Base
    dims: list[PositiveInt] = Field(min_length=1)
    """Embedding sizes that are trained and evaluated, largest first."""
    parent: Recipe | None = None
    """The recipe whose trained model this one starts from, instead of `base`."""
    datasets: dict[Name, Dataset]
    phases: list[NamedPhase] = Field(min_length=1)
    evaluation: Evaluation
    release: ModelRelease

    @property
    def lineage(self) -> list[Recipe]:
        """This recipe and its parents, oldest first."""
        return [*(self.parent.lineage if self.parent else []), self]
