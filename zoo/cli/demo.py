"""demo: the whole mission in miniature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from zoo import say
from zoo.cli.build import say_outcome
from zoo.cli.publish import say_published
from zoo.cli.session import command, connect, workspace

if TYPE_CHECKING:
    from zoo.evidence.scores import Mean, ScoreFile

RECIPE, SCALE = "arabert-hybrid", "mini"


@command("demo", hub=False, needs=["train", "space"], epilog="Example: zoo demo --recipe arabert-matryoshka")
@click.option("--recipe", default=RECIPE, show_default=True)
def demo(recipe: str) -> None:
    """Build, evaluate and publish a model on a local Hub: minutes on a laptop, no network."""
    click.get_current_context().meta["hub"] = "local"  # whatever HF_ENDPOINT says
    space = workspace()
    resolved = space.recipe(recipe, scale=SCALE)
    connect(seed=True, recipes=resolved.lineage)
    from zoo.evidence.scores import current
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import fleet, publish

    with say.progress() as progress:
        build = Build(space, SCALE, progress=progress, report=say_outcome)
        build.run(resolved)
        done = publish(build, fleet(build, [resolved]), report=say_published)
    scores = build.scores(recipe)
    say.line()
    say.table(
        _before_and_after(scores),
        title=f"{scores.suite}{scores.aside}: mean over {', '.join(current(scores.tasks))}",
    )
    say.line()
    say.table([{"kind": one.kind, "id": one.id, "did": one.did} for one in done], title="On the local Hub")
    say.line()
    say.line(f"cards and results: {build.folder(recipe).folder}")
    say.hint("zoo hub serve  (look at the Hub in a browser), then zoo space serve --scale mini --hub local")
    say.result(
        {
            "stages": [vars(outcome) for outcome in build.done.values()],
            "published": [vars(one) for one in done],
            "scores": scores.model_dump(),
        }
    )


def _before_and_after(scores: ScoreFile) -> list[dict[str, Any]]:
    """A row for each model, base first, with a column for each dim."""
    order = {"baseline": 0, "base": 1, "rival": 2, "parent": 3, "phase": 4, "self": 5}
    rows = []
    for subject in sorted(scores.subjects, key=lambda subject: order[subject.role]):
        full = str(scores.subjects[0].dims[0])
        means = {str(dim or full): _number(scores.headline(subject.name, dim)) for dim in subject.dims or (None,)}
        rows.append({"model": subject.title, "": subject.role, **means})
    return rows


def _number(mean: Mean) -> float | str:
    return f"{mean.value:.2f}{mean.mark}" if mean.leaked else mean.value
