"""Events of the page whose model may still have to be loaded: they say so at once, and ask again by themselves."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from encoding import StillLoading
from words import SpaceError, where

AGAIN = 1.0  # seconds

log = logging.getLogger(__name__)


def answers(
    triggers: Sequence[Callable[..., Any]],
    answer: Callable[..., Awaitable[Any]],
    inputs: Sequence[gr.components.Component],
    output: gr.components.Component,
    loading: Callable[[SpaceError], Any],
    *,
    after: Sequence[gr.events.Dependency] = (),
) -> list[gr.events.Dependency]:
    """Wire events to an async answer that calls `await encoding.need(model)` before it encodes.

    While the model is being loaded the output shows what `loading` makes of the error, and the answer is asked again
    every AGAIN seconds with what the boxes say by then. No place of the queue is held meanwhile.

    Args:
        answer: gets the inputs, and gradio's request where it has a parameter annotated `gr.Request`.
        after: events whose end triggers it too.

    Returns:
        The events, so that `.then` can follow them: one after each of `after`, and one of the triggers.
    """
    timer = gr.Timer(AGAIN, active=False)

    @wraps(answer)
    async def shown(*values: Any, **named: Any) -> tuple[Any, gr.Timer]:
        try:
            return await answer(*values, **named), gr.Timer(active=False)
        except StillLoading as error:
            return loading(error), gr.Timer(active=True)
        except Exception as why:  # noqa: BLE001 - an event that fails changes nothing: the timer would go on for ever
            log.error("an answer failed: %s", where(why))  # noqa: TRY400 - a traceback may quote what was typed
            return loading(SpaceError("Something went wrong here. Try again in a while.")), gr.Timer(active=False)

    shown.__signature__ = inspect.signature(answer)  # type: ignore[attr-defined] # gradio reads it
    common = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    outputs = [output, timer]
    timer.tick(shown, inputs, outputs, **common)
    chained = [event.then(shown, inputs, outputs, **common) for event in after]
    return [*chained, gr.on(triggers, shown, inputs, outputs, **common)] if triggers else chained
