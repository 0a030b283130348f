"""The one door to the Hub for all that changes something there: nothing goes through it with a secret in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from zoo.patience import patiently
from zoo.publish.plan.guard import Sent, refuse_secrets

Options = ParamSpec("Options")
T = TypeVar("T")


def send(request: Callable[Options, T], *rest: Options.args, **named: Options.kwargs) -> T:
    """Make a request of the client's, again after a failure that may pass, unless a secret would leave with it.

    Raises:
        PublishError: one of the arguments, or a file that goes up, holds a secret.
    """
    return patiently(searched(request, *rest, **named))


def searched(request: Callable[Options, T], *rest: Options.args, **named: Options.kwargs) -> Callable[[], T]:
    """Return a request that may be made, and repeated, because no secret would leave with it.

    Raises:
        PublishError: one of the arguments, or a file that goes up, holds a secret.
    """
    arguments = inspect.signature(request).bind(*rest, **named).arguments
    together = "".join(f"{name}: {value}\n" for name, value in arguments.items() if isinstance(value, str))
    texts = {**dict(_texts("", arguments)), "what it says": together}  # a variable's name tells what its value is
    refuse_secrets(str(getattr(request, "__name__", "send")).replace("_", " "), texts)
    return partial(request, *rest, **named)


def _texts(name: str, value: Any) -> Iterator[tuple[str, Sent]]:
    """Find all texts in an argument: (what it is, the text)."""
    if isinstance(value, str | bytes):
        yield f"its {name.replace('_', ' ')}", value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(str(key), one)
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value, 1):
            yield from _texts(f"{name} {number}", one)
    elif path := getattr(value, "path_in_repo", None):
        yield f"the name of '{path}'", path
        content = getattr(value, "path_or_fileobj", b"")
        yield path, Path(content) if isinstance(content, str) else content
