"""Consent to code of others: what a recipe says of the Python that a model's repository brings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zoo.ids import Revision
from zoo.recipe.section import Section, text_like
from zoo.recipe.words import License

CodePath = Annotated[
    str,
    text_like(
        r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(py|json|jinja)$",
        "a file of consent is a path in the repository that ends in .py, .json or .jinja",
    ),
]
Sha256 = Annotated[str, text_like(r"^[0-9a-f]{64}$", "a sha256 is 64 of the characters 0-9 and a-f")]


class RemoteCode(Section):
    """Consent to run the code that a repository brings: of one commit, byte for byte. `zoo trust` writes it.

    JSON is pinned like code, as it says which code is run.
    """

    revision: Revision
    """The commit that was read."""
    files: dict[CodePath, Sha256] = Field(min_length=1)
    """{path in the repository: sha256} of every file that ends in .py, .json or .jinja."""
    license: License | None = None
    """The licence of the code. A model that carries it is published only where there is one that allows it."""
