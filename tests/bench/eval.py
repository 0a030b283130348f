"""Every dim from one encoding pass against mteb run once per dim with `truncate_dim`: same model, tasks and process."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.measure import verdict

DIMS = (768, 512, 256, 128, 64)
TASKS = ("STS17-ar", "STS22-ar", "STS22v2-ar")
ROUNDS = 2
BAR = 1.0  # all dims, in terms of the peer's time for the full dim alone


def peer(dims: tuple[int, ...], model: str) -> dict[tuple[str, int], float]:
    import mteb
    from sentence_transformers import SentenceTransformer

    from zoo import tasks
    from zoo.evaluate.tasks import load

    found = {}
    for dim in dims:
        encoder = SentenceTransformer(model, truncate_dim=dim)
        for name in TASKS:
            options = {"cache": None, "co2_tracker": False, "show_progress_bar": False}
            result = mteb.evaluate(encoder, load(name), **options).task_results[0]
            found[name, dim] = round(100 * result.scores["test"][0][tasks.TASKS[name].metric], 4)
    return found


def ours(model: str) -> dict[tuple[str, int], float]:
    from zoo.evaluate.stage import Candidate, measure
    from zoo.models import trained_model
    from zoo.say import Silent

    candidate = Candidate("zoo/bench", "0" * 40, "self", "bench", DIMS, lambda: trained_model(Path(model)))
    with tempfile.TemporaryDirectory() as folder:
        (_, scores), _ = measure([candidate], TASKS, Path(folder), progress=Silent())
    return {(score.task, score.dim or 0): score.value for score in scores}


def timed(work: Callable[[], dict[tuple[str, int], float]]) -> tuple[float, dict[tuple[str, int], float]]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> None:
    from zoo.cli.session import prepare
    from zoo.hub.local import local_hub
    from zoo.miniature.seed import seed
    from zoo.recipe import Workspace
    from zoo.say import Silent

    prepare()
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder, local_hub(Path(folder) / "hub") as hub:
        import os

        os.environ.update({**hub.environment(), "HF_HOME": f"{folder}/home", "MTEB_CACHE": f"{folder}/mteb"})
        recipe = Workspace.find().recipe("arabert-matryoshka")
        seed(hub.root, [recipe], progress=Silent())
        from zoo.models import base_model
        from zoo.remote import revision_of

        model = f"{folder}/model"
        base_model(recipe.base, revision_of("model", recipe.base.model, None)).save_pretrained(model)
        peer((DIMS[0],), model)  # imports, and the tasks' data
        rounds = [
            (timed(lambda: peer(DIMS, model)), timed(lambda: ours(model)), timed(lambda: peer((768,), model)))
            for _ in range(ROUNDS)
        ]
    medians = [statistics.median(each[column][0] for each in rounds) for column in range(3)]
    for name, seconds in zip(("mteb, once per dim", "zoo, one pass", "mteb, full dim alone"), medians, strict=True):
        print(f"{name:<24}{seconds:>8.2f} s")
    if rounds[0][0][1] != rounds[0][1][1]:
        sys.exit(f"scores differ: {rounds[0][0][1]} and {rounds[0][1][1]}")
    print(
        f"{len(DIMS)} dims x {len(TASKS)} tasks, scores equal to 4 decimals; once per dim : one pass = "
        f"{medians[0] / medians[1]:.2f}x"
    )
    verdict("all dims, one pass : full dim alone", medians[1] / medians[2], BAR)


if __name__ == "__main__":
    main()
