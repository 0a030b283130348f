"""What the repository says of a stage that it keeps: the receipt, and the digest of every file.

Others may write to the repository, so everything that is read from it is checked before anything is done with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from zoo.errors import PublishError
from zoo.layout import TRAIN
from zoo.recipe.section import NAME
from zoo.run import RECEIPT, Receipt, digest

FORMAT = 1
INDEX = "runs.json"
MADE, ROWS = "made", "rows"
"""Folders of a kept stage: what is in the stage's own folder, and the rows behind scores, which lie beside the runs."""
RESULTS = re.compile(r"mteb/[^/]+/samples/[^/]+/([0-9a-f]{40})/.+\.(npz|json)")
"""Where those rows lie in the folder of a scale's runs: under the digest of the model that they are of."""


def _safe(path: str) -> str:
    """A relative path that leads out of no folder, on any system."""
    parts = path.split("/")
    if not path.isprintable() or re.search(r'[\\*?"<>|]|^[A-Za-z]:', path) or not all(parts) or {".", ".."} & {*parts}:
        raise ValueError(f"'{path}' is no path inside of a folder")
    return path


def _result(path: str) -> str:
    if not RESULTS.fullmatch(path):
        raise ValueError(f"'{path}' is not among the results")
    return path


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SafePath = Annotated[str, AfterValidator(_safe)]
RowsPath = Annotated[SafePath, AfterValidator(_result)]
SafeName = Annotated[str, Field(pattern=NAME)]
NEEDS = TypeAdapter(dict[str, dict[str, str]])


class KeptStage(BaseModel):
    """A finished stage that the repository keeps. Two of the same content are one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: SafeName
    name: SafeName
    stage: SafeName
    made_from: dict[str, Any]
    """Its `needs` say which stages: {stage: {name: digest of what it made}}."""
    made: dict[SafePath, Sha256]
    seconds: float
    circumstances: dict[str, Any] = {}
    doubts: list[str] = []
    beside: dict[SafePath, Sha256] = {}
    """Files of the stage's folder that are no part of what it made."""
    rows: dict[RowsPath, Sha256] = {}
    """{path in the folder of the scale's runs: sha256} of the rows behind the scores."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse files that would lie in each other's place, and rows of models that are not its own."""
        paths = {*self.made, *self.beside}
        if clash := sorted(paths & {str(folder) for path in paths for folder in PurePosixPath(path).parents}):
            raise ValueError(f"'{clash[0]}' is a file and a folder")
        if RECEIPT in paths:
            raise ValueError(f"'{RECEIPT}' is no file that a stage makes")
        mine = [made[:40] for key, made in self.needs if key == (self.name, TRAIN)]
        for path in self.rows:
            if (found := RESULTS.fullmatch(path)) and found[1] not in mine:
                raise ValueError(f"'{path}' is not of the model of '{self.name}'")
        return self

    @property
    def key(self) -> tuple[str, str]:
        """The name and the stage."""
        return self.name, self.stage

    @property
    def receipt(self) -> Receipt:
        """The receipt that the stage gets where it is pulled."""
        return Receipt(self.made_from, self.made, self.seconds, {}, self.circumstances, self.doubts)

    @property
    def needs(self) -> list[tuple[tuple[str, str], str]]:
        """((name, stage), digest of what it made) of all that the stage was made from."""
        needs = NEEDS.validate_python(self.made_from.get("needs", {}))
        return [((name, stage), made) for stage, of in needs.items() for name, made in of.items()]

    @property
    def folder(self) -> str:
        """The place in the repository, which its content names."""
        facts = self.model_dump(mode="json", exclude={"seconds"})
        return f"{self.scale}/{self.name}/{self.stage}/{digest(facts)[:16]}"

    @property
    def files(self) -> dict[str, str]:
        """{path in the repository: sha256} of every file."""
        made = {f"{self.folder}/{MADE}/{path}": sha256 for path, sha256 in {**self.made, **self.beside}.items()}
        return made | {f"{self.folder}/{ROWS}/{path}": sha256 for path, sha256 in self.rows.items()}


def index_text(kept: Sequence[KeptStage]) -> str:
    """The index as the repository has it, what was pushed last at its end."""
    stages = [{"folder": one.folder, **one.model_dump(mode="json")} for one in kept]
    return json.dumps({"format": FORMAT, "stages": stages}, ensure_ascii=False, indent=1) + "\n"


def read_index(text: bytes, where: str) -> list[KeptStage]:
    """The stages that an index lists.

    Args:
        where: the repository, for people.

    Raises:
        PublishError: it is damaged, somebody changed an entry, or a newer zoo wrote it.
    """
    try:
        data = json.loads(text)
        if data["format"] > FORMAT:
            raise PublishError(f"'{INDEX}' of {where} was written by a newer zoo", hint="pip install --upgrade hub-zoo")
        return [_checked(dict(one)) for one in data["stages"]]
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        hint = "take back the commit that changed it, or delete the repository and run zoo runs push again"
        raise PublishError(f"'{INDEX}' of {where} is not as zoo wrote it: {said.splitlines()[0]}", hint=hint) from None


def _checked(entry: dict[str, Any]) -> KeptStage:
    folder = entry.pop("folder")
    kept = KeptStage.model_validate(entry)
    if kept.folder != folder:
        raise ValueError(f"'{folder}' was changed")
    return kept
