"""What people see of a model's code before they consent to it. Nothing of it runs, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import HubError
from zoo.models.foreign.consent import ModelCode, code_of, difference, refuse_fetching
from zoo.models.foreign.reaches import Reach, reaches
from zoo.models.foreign.requirements import Lack, missing, needed_packages
from zoo.models.identity import ModelSource
from zoo.recipe.consented import consent_in, files_with_base
from zoo.recipe.remotecode import RemoteCode
from zoo.remote import endpoint, is_local


@dataclass(frozen=True)
class CodeReview:
    """The code of a model at a commit, and what recipes consented to before."""

    code: ModelCode
    recipes: Mapping[Path, RemoteCode | None]
    """{file whose base model it is: the consent in it}."""
    before: RemoteCode | None
    """The last consent, when it is to something else."""
    changes: str | None
    """What became of the code since then; None: there was no other consent, or its commit is not there any more."""

    @property
    def place(self) -> str:
        """The page where the code can be read; of a local Hub, which may end before, the folder with its files."""
        page = f"{endpoint()}/{self.code.model}/tree/{self.code.revision}"
        return str(self.code.folder) if is_local() and self.code.folder else page

    @property
    def is_given(self) -> bool:
        """True when every recipe that needs this consent has it."""
        return bool(self.recipes) and all(one == self.code.consent for one in self.recipes.values())

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each file: path, bytes, sha256; code first."""
        paths = sorted(self.code.files, key=lambda path: (not path.endswith(".py"), path))
        return [
            {"file": path, "bytes": len(self.code.files[path]), "sha256": self.code.digests[path]} for path in paths
        ]

    @property
    def packages(self) -> list[str]:
        """The packages that the code imports and cannot do without."""
        return needed_packages(self.code.files)

    @property
    def lacks(self) -> list[Lack]:
        """The packages and data that it needs and that this machine lacks."""
        return missing(self.code.files)

    @property
    def reaches(self) -> list[Reach]:
        """The places where the code reaches for the environment, the network, processes, files or other code."""
        return reaches(self.code.files)


def code_review(recipes: Path | None, model: str, revision: str | None) -> CodeReview:
    """Fetch a model's code and compare it with the last consent.

    Args:
        recipes: the folder of recipe files; null: there is none.
        revision: a commit, branch or tag; null: the commit that a recipe pins, else main.

    Raises:
        HubError: there is no such repository or revision. TrainError: it takes code from elsewhere.
    """
    bases = files_with_base(recipes, model) if recipes else {}
    pinned = next((str(base["revision"]) for base in bases.values() if base.get("revision")), None)
    code = code_of(model, revision or pinned)
    if code.is_needed:
        refuse_fetching(ModelSource(kind="base", place=model, weights=code.revision), code.files)
    held = {path: consent_in(base) for path, base in bases.items()}
    before = next((one for one in held.values() if one and one.files != code.digests), None)
    return CodeReview(code, held, before, _changes(before, code) if before else None)


def _changes(before: RemoteCode, code: ModelCode) -> str | None:
    with suppress(HubError):  # commits can be taken out of a repository
        old = code_of(code.model, before.revision)
        if old.digests == before.files:
            return difference(old, code)
    return None
