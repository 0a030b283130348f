"""Links to answers: the address of the page says which tab, model, size and texts an answer is of."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

FIRST_TAB = "compare"


def asked(request: gr.Request, tab: str) -> Mapping[str, str]:
    """What the address asks of a tab: {parameter: text}; nothing when it is of another tab."""
    said = dict(request.query_params)
    return said if said.get("tab", FIRST_TAB) == tab else {}


def number(text: str | None) -> int | None:
    """The whole number that a parameter is; None when it is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 7 else None


def shown(tab: str, *names: str, **fixed: str) -> str:
    """JavaScript that puts an answer's link into the address and the answer in view.

    It goes to `.then(None, inputs, None, js=...)` after the event.

    Args:
        names: of the parameters, in the order of the inputs.
        fixed: parameters that are always the same.
    """
    pairs = ", ".join([*names, *(f'{name}: "{value}"' for name, value in fixed.items())])
    return f'({", ".join(names)}) => zoo.answered("{tab}", {{ {pairs} }})'
