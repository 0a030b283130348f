"""In which order the stages of a build are made: one after another, or side by side where none needs the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Any

from zoo.errors import ZooError
from zoo.stage import Node

Key = tuple[str, str]  # of a node
Before = Callable[[Node], Sequence[Node]]
Walk = Callable[[Sequence[Node], Callable[[Node], Any], Before, Before], list[ZooError]]
"""Makes nodes, which stand in an order that works; by what each needs and what it comes after, another may do.

What comes out are the errors of nodes that could not be made, where the walk went on with those that do not need them.
"""


def one_by_one(nodes: Sequence[Node], make: Callable[[Node], Any], needs: Before, after: Before) -> list[ZooError]:
    """Make one node after another. The first that cannot be made ends it with its error."""
    for node in nodes:
        make(node)
    return []


class SideBySide:
    """Makes every node as soon as those that it needs are made, each in a thread of its own that waits for others.

    Stages of one recipe come one after another: they share the lock of its folder.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        """Take what ends the work that threads wait for; it is called when the walk is broken off."""
        self.stop = stop

    def __call__(
        self, nodes: Sequence[Node], make: Callable[[Node], Any], needs: Before, after: Before
    ) -> list[ZooError]:
        """Make the nodes; what needs one that could not be made is left out.

        A mistake of ours in one is raised when the others are made.
        """
        known = {node.key: node for node in nodes}
        hard = {node.key: {need.key for need in needs(node)} & known.keys() for node in nodes}
        sorter = TopologicalSorter(_with_the_rest(nodes, hard, after))
        sorter.prepare()
        failed: dict[Key, Exception | None] = {}
        running: dict[Future[Any], Key] = {}
        pool = ThreadPoolExecutor(max(1, len(nodes)))
        try:
            while sorter.is_active():
                for key in sorter.get_ready():
                    if hard[key] & failed.keys():
                        failed[key] = None
                        sorter.done(key)
                    else:
                        running[pool.submit(make, known[key])] = key
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key = running.pop(future)
                    if isinstance(problem := future.exception(), Exception):
                        failed[key] = problem
                    sorter.done(key)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        for problem in failed.values():
            if problem and not isinstance(problem, ZooError):
                raise problem
        return [problem for problem in failed.values() if isinstance(problem, ZooError)]


def _with_the_rest(nodes: Sequence[Node], hard: dict[Key, set[Key]], after: Before) -> dict[Key, set[Key]]:
    """{node: those that come before it}: what it needs, what it comes after, and the one before in the same folder."""
    graph = {node.key: hard[node.key] | ({other.key for other in after(node)} & hard.keys()) for node in nodes}
    last: dict[str, Key] = {}
    for node in nodes:
        if node.name in last:
            graph[node.key].add(last[node.name])
        last[node.name] = node.key
    return graph
