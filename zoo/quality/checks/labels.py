"""Classes and scores: how they are spread."""

from __future__ import annotations

from zoo.quality.checked import Checked, Outcome, quality_check
from zoo.quality.material import Material
from zoo.say import Progress

RARE = 0.2  # of the rows that a class would have if all had as many
MOSTLY = 0.95  # of all rows, in one class
NO_ANSWER = ("-1", "-")  # as SNLI marks rows on which its annotators did not agree
MANY_CLASSES = 100  # more are not told one by one


@quality_check("balance", "How many rows each class has, or how scores are spread.")
def balance(material: Material, progress: Progress) -> Checked:
    """Look at the classes or scores of the split that is trained on."""
    if material.roles.label:
        return _of_classes(material, material.roles.label)
    if material.roles.score:
        return _of_scores(material, material.roles.score)
    return Checked("skipped", "no classes and no scores")


def _of_classes(material: Material, label: str) -> Checked:
    facts: dict[str, dict[str, int]] = {}
    for split, frame in material.frames.items():
        counted = frame.drop_nulls(label).group_by(label).len().sort("len", label, descending=[True, False]).collect()
        facts[split] = {str(name): int(rows) for name, rows in counted.iter_rows()}
    found = facts[material.train]
    if not found:
        return Checked("skipped", f"no class in {material.train}", facts)
    known = list(dict.fromkeys([*(material.classes or ()), *found]))
    rows = sum(found.values())
    shares = ", ".join(  # a Latin word between, else a name in Arabic letters turns the number after it around
        f"{name} in {100 * number / rows:.1f} %" for name, number in list(found.items())[:MANY_CLASSES]
    )
    missing = [name for name in known if name not in found]
    lacks = f"; none of {', '.join(missing)}" if missing else ""
    figure = f"{material.train}: {shares}{lacks}"
    advice = "look at the source; or sample classes alike"
    if unknown := next((name for name in found if name in NO_ANSWER), None):
        advice = f"where '{unknown}' says that there is no answer: values: {{\"{unknown}\": null}} in its recipe"
    return Checked(_verdict(found, known), figure, facts, advice=advice)


def _verdict(found: dict[str, int], known: list[str]) -> Outcome:
    rows, most = sum(found.values()), max(found.values())
    if len(found) < len(known) or len(known) == 1 or most > MOSTLY * rows:
        return "problem"
    return "warning" if min(found.values()) < RARE * rows / len(known) else "ok"


def _of_scores(material: Material, score: str) -> Checked:
    import polars as pl

    facts, of = {}, pl.col(score)
    for split, frame in material.frames.items():
        told = frame.select(
            least=of.min(), most=of.max(), mean=of.mean(), deviation=of.std(), values=of.drop_nulls().n_unique()
        ).collect(engine="streaming")
        facts[split] = told.to_dicts()[0]
    one = facts[material.train]
    if one["mean"] is None:
        return Checked("skipped", f"no score in {material.train}", facts)
    figure = f"{material.train}: {one['least']:g} to {one['most']:g}, mean {one['mean']:.2f}"
    same = [split for split, told in facts.items() if material.rows[split] > 1 and (told["values"] or 0) < 2]
    figure += f"; one value only in {', '.join(same)}" if same else ""
    advice = "a split with one score measures nothing: look at the source"
    return Checked("problem" if same else "ok", figure, facts, advice=advice)
