"""All routes over one store: the application that uvicorn serves."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection
from pathlib import Path

from zoo.hub.routes import (
    accounts,
    branches,
    collected,
    commits,
    content,
    discussions,
    lfs,
    listings,
    pages,
    people,
    repos,
    shelves,
    spaces,
    viewer,
    xet,
)
from zoo.hub.routing import Hub
from zoo.hub.store import Store

# The first route that fits answers: fixed paths stand before those where a repository's name could be anything.
ROUTES = [
    route
    for topic in (
        accounts,
        people,
        spaces,
        lfs,
        xet,
        collected,
        listings,
        branches,
        commits,
        discussions,
        repos,
        content,
        viewer,
        shelves,
        pages,
    )
    for route in topic.ROUTES
]


def create_app(store: Store, hosts: Collection[str] = ()) -> Hub:
    """The ASGI application over a store, which stays open: whoever opened it closes it.

    Args:
        hosts: names by which it may be called, beside those of this machine for itself.
    """
    return Hub(store, ROUTES, hosts)


def create_worker(root: Path, hosts: Collection[str]) -> Hub:
    """The application in one of several processes on one store; the process ends with the one that started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return create_app(Store(root), hosts)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
