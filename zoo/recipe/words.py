"""Words that a recipe says and the Hub reads: names, licences, languages, addresses, in the spelling that it knows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from zoo.ids import as_the_client
from zoo.metadata import as_the_hub
from zoo.recipe.section import NAME, text_like

# ASCII only, as on the Hub: \w would take letters of every script, and joiners that nobody sees.
RepoName = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}$",
        "the name of a repository is made of A-Z, a-z, 0-9, '_', '.' and '-', at most 96 of them",
    ),
    AfterValidator(as_the_client),
]
Identifier = Annotated[str, StringConstraints(pattern=NAME)]
"""A category or a flavour of hardware, as the Hub writes them."""
License = Annotated[str, StringConstraints(pattern=NAME), BeforeValidator(as_the_hub("license"))]
Language = Annotated[
    str,
    text_like(
        r"^([a-z]{2,3}|code|multilingual)$", "a language is a code of two or three small letters, as 'ar' or 'arz'"
    ),
    BeforeValidator(as_the_hub("language")),
]
Address = Annotated[
    str,
    text_like(
        r"^https?://[A-Za-z0-9.-]+(:\d+)?([/?#][A-Za-z0-9._~:/?#@&=%+,-]*)?$",
        "an address starts with 'https://', and characters that addresses cannot hold are percent-encoded",
    ),
]
"""http or https; other characters percent-encoded."""
Split = Literal["train", "validation", "test"]
