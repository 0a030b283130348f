"""Translation on a Ray cluster: batches go to engines on its machines, by Ray Data, and come back as they are done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.raycluster import cluster_joined, passed_on, require_cluster
from zoo.translation.backlog import Batch
from zoo.translation.engine import Decoding, Engine, Translated
from zoo.translation.translating import Answer

AT_ONCE = 64  # batches for each engine in one go: then what is done is kept, whatever happens to the next ones


def on_a_cluster(engine: Engine, batches: Iterator[Batch]) -> Iterator[Answer]:
    """Translate batches on the cluster of this block, or else of RAY_ADDRESS, or else on one of this machine.

    Raises:
        ZooError: Ray is not installed, or the cluster does not answer.
    """
    require_cluster()
    import ray

    with nullcontext() if ray.is_initialized() else cluster_joined():
        engines = max(1, int(ray.cluster_resources().get("GPU" if engine.decoding.kind == "cuda" else "CPU", 1)))
        while some := list(islice(batches, AT_ONCE * engines)):
            yield from _answers(engine, some, min(engines, len(some)))


def _answers(engine: Engine, batches: list[Batch], engines: int) -> Iterator[Answer]:
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    gpu = engine.decoding.kind == "cuda"
    rows = ray.data.from_items([{"sentences": list(batch)} for batch in batches], override_num_blocks=len(batches))
    told = rows.map(
        ClusterEngine,
        fn_constructor_args=(asdict(engine.decoding), str(engine.cache), passed_on()),
        concurrency=engines,
        num_cpus=0 if gpu else 1,
        num_gpus=1 if gpu else 0,
    )
    for row in told.iter_rows():
        answers = [Translated(text or None, why or None) for text, why in zip(row["texts"], row["whys"], strict=True)]
        yield tuple(row["sentences"]), answers


class ClusterEngine:
    """An engine in a process of the cluster. It converts the model where its machine has not done so before."""

    def __init__(self, decoding: dict[str, Any], cache: str, environment: dict[str, str]) -> None:
        os.environ.update(environment)
        self._engine = Engine(Decoding(**decoding), Path(cache))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Translate the sentences of a row of Ray Data."""
        sentences = list(row["sentences"])
        answers = self._engine.begin(sentences)()
        return {
            "sentences": sentences,
            "texts": [
                answer.text or "" for answer in answers
            ],  # of a column of nothing but nulls nobody knows the type
            "whys": [answer.why or "" for answer in answers],
        }
