"""Places in recipe files that are no mistakes, and may be meant otherwise."""

from __future__ import annotations

from zoo.recipe.family import BaseFile, Family
from zoo.recipe.fits import setting_doubts
from zoo.recipe.found import Found, under

PROMPTED = {"e5": ("E5 models are", {"query": "query: ", "document": "passage: "})}
"""{a word in a base model's name: (who they are, the prompts that they were trained with)}."""


def _prompted(model: str) -> tuple[str, dict[str, str]] | None:
    words = model.rpartition("/")[2].lower().split("-")
    return next((found for word, found in PROMPTED.items() if word in words), None)


def family_doubts(family: Family) -> Found:
    """Places in family.yaml that are right, and with which models may turn out worse than they could be."""
    for name, phase in family.phases.items():
        yield from under(("phases", name, "train"), setting_doubts(phase.train))


def base_doubts(file: BaseFile) -> Found:
    """Places in a base model's file that are right, and with which models may turn out worse than they could be."""
    base = file.base
    if (found := _prompted(base.on_hub or base.model)) and not base.prompts.get(base.default_prompt or ""):
        who, prompts = found
        told = f"{who} made for texts that begin with '{prompts['query']}'"
        written = ", ".join(f'{name}: "{text}"' for name, text in prompts.items())
        way = (
            "default_prompt: query"
            if base.prompts.get("query")
            else f"prompts: {{{written}}} and default_prompt: query"
        )
        use = "training, evaluation and a plain encode would use none"
        yield ("base", "default_prompt"), f"{told}, and {use}; write {way}"
    for name, text in base.prompts.items():
        if text and not text[-1].isspace():
            what = f"'{text}' ends without a space, so it is read as one with the first word"
            yield ("base", "prompts", name), f'{what}; write "{text} "'
