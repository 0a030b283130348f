"""The extras of the package: heavy libraries that are installed only where they are wanted.

Which packages belong to which extra stands in pyproject.toml alone: it is read from the metadata of what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from shlex import quote

from zoo.errors import MissingExtraError

PACKAGE = "hub-zoo"
CHOICES = ("data", "eval", "train", "space", "translate", "ray", "neoarabert", "lora", "trackers", "energy")
"""Extras that a hint may name, the smallest first: each stands behind those that it holds."""
IMPORTED_AS = {"scikit_learn": "sklearn", "pytrec_eval_terrier": "pytrec_eval"}
"""{package: the name of its module, where that is another one}."""
OF_AN_EXTRA = re.compile(r"([\w.-]+)(?:\[([\w.,-]+)\])?.*;.*\bextra == ['\"]([\w.-]+)['\"]")


def require(*extras: str, what: str = "this") -> None:
    """Refuse to begin where a package of one of these extras is not installed.

    Args:
        what: what needs them, which completes '… needs'.

    Raises:
        MissingExtraError: one is not; its hint is the line that installs all of these extras.
    """
    if missing := lacking(*extras):
        raise _error(missing, extras, what)


def lacking(*extras: str) -> list[str]:
    """Modules of these extras that cannot be imported here, without importing any."""
    known = modules()
    wanted = dict.fromkeys(module for extra in extras for module in known.get(extra, ()))
    return [module for module in wanted if not _is_there(module)]


def to_install(*extras: str) -> str:
    """The line that installs extras: `pip install 'hub-zoo[train]'`."""
    wanted = f"{PACKAGE}[{','.join(extras)}]"
    return f"pip install {quote(wanted)}"


def missing_extra(problem: ImportError) -> MissingExtraError | None:
    """The error for an import that failed because an extra is not installed; None when it failed for another reason."""
    module = (problem.name or "").split(".")[0]
    extra = extra_of(module)
    return _error([module], [extra], "this") if extra and not _is_there(module) else None


def extra_of(module: str) -> str | None:
    """The smallest extra that brings a module; None when none does."""
    known = modules()
    return next((extra for extra in CHOICES if module in known.get(extra, ())), None)


@cache
def modules() -> Mapping[str, Sequence[str]]:
    """{extra: the modules of its packages, and of the extras that it holds}; empty where nothing is installed."""
    direct: dict[str, list[tuple[str, list[str]]]] = {}
    for package, held, extra in _declared():
        direct.setdefault(extra, []).append((package, held))

    def collected(extra: str) -> Iterator[str]:
        for package, held in direct.get(extra, ()):
            if package == PACKAGE:
                yield from (module for inner in held for module in collected(inner))
            else:
                name = re.sub(r"[-_.]+", "_", package).lower()
                yield IMPORTED_AS.get(name, name)

    return {extra: list(dict.fromkeys(collected(extra))) for extra in direct}


def _declared() -> Iterator[tuple[str, list[str], str]]:
    """(package, extras of it that are asked for, extra of ours) of each line of the metadata that is of an extra."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:  # a checkout that nobody installed
        return
    for line in lines:
        if found := OF_AN_EXTRA.match(line):
            yield found[1], (found[2] or "").split(","), found[3]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _error(missing: Sequence[str], extras: Sequence[str], what: str) -> MissingExtraError:
    named, are = f"'{missing[0]}'", "is"
    if len(missing) > 1:
        named, are = f"{named} and {len(missing) - 1} more", "are"
    wanted = " and ".join(f"'{extra}'" for extra in extras)
    the = "the extra" if len(extras) == 1 else "the extras"
    return MissingExtraError(f"{what} needs {the} {wanted}: {named} {are} not installed", hint=to_install(*extras))
