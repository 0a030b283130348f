"""Names of columns that say another order than the one in which losses would read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from zoo.hub.frontmatter import KeyPath
from zoo.recipe.dataset import Dataset

_TURNS = (
    ("anchor", "query", "question", "premise", "sentence1", "sentencea", "text1", "texta"),
    ("positive", "pos", "document", "doc", "passage", "answer", "response", "hypothesis", "sentence2", "sentenceb",
     "text2", "textb"),
    ("negative", "neg", "hardnegative"),
)  # fmt: skip
_TURN = {name: turn for turn, names in enumerate(_TURNS) for name in names}


def order_doubts(dataset: Dataset) -> Iterator[tuple[KeyPath, str]]:
    """Find texts whose names, ours or the source's, say another order; each with its place in the dataset's recipe."""
    texts = [(name, dataset.columns[name].source or name) for name in dataset.texts]
    for place in (0, 1):
        known = [(turn, text) for text in texts if (turn := _turn(text[place])) is not None]
        for (turn, earlier), (following, later) in pairwise(known):
            if turn > following:
                which = f"{_shown(*earlier)} stands before {_shown(*later)}"
                yield ("columns", later[0]), f"column {which}, and losses read columns in their order: swap them"
                return


def _turn(name: str) -> int | None:
    """The turn that a name says: 0 comes first, 1 is what fits it, 2 what does not; None: it says no turn."""
    plain = re.sub(r"[^a-z0-9]", "", name.casefold())
    return _TURN.get(plain, _TURN.get(plain.rstrip("0123456789")))


def _shown(ours: str, theirs: str) -> str:
    return f"'{ours}'" if ours == theirs else f"'{ours}' (source '{theirs}')"
