"""Personal data in texts."""

from __future__ import annotations

from collections import Counter

from zoo.quality.checked import Checked, ShownRow, of_many, quality_check
from zoo.quality.counting import EXAMPLES, shown_row
from zoo.quality.material import ROW, Material
from zoo.quality.personal import CANDIDATE, KINDS, found_in
from zoo.say import Progress


@quality_check("personal data", "Phones, e-mails, national ids, accounts and addresses in texts; none is shown whole.")
def personal(material: Material, progress: Progress) -> Checked:
    """Search all texts that have an @, an address or seven digits."""
    counts, examples = Counter[str](), dict[str, list[ShownRow]]()
    for split in material.frames:
        for text in material.roles.texts:
            _search(material, split, text, counts, examples)
    order = [kind for kind in KINDS if counts[kind.name]]
    figure = (
        "; ".join(f"{kind.name} in {of_many(counts[kind.name], material.texts_in_all)}" for kind in order) or "none"
    )
    verdict = (
        "problem"
        if any(kind.grave for kind in order)
        else "warning"
        if any(not kind.harmless for kind in order)
        else "ok"
    )
    shown_rows = [row for kind in order for row in examples[kind.name]]
    advice = "look at them, and drop or mask what names people before it is published"
    return Checked(verdict, figure, dict(counts), shown_rows, advice)  # type: ignore[arg-type]


def _search(
    material: Material, split: str, text: str, counts: Counter[str], examples: dict[str, list[ShownRow]]
) -> None:
    import polars as pl

    rows = material.frames[split].with_row_index(ROW).select(ROW, text).filter(pl.col(text).str.contains(CANDIDATE))
    for batch in rows.collect_batches(chunk_size=10_000):
        for place, words in batch.iter_rows():
            for name in {kind.name for kind, _, _ in found_in(words)}:
                counts[name] += 1
                if len(some := examples.setdefault(name, [])) < EXAMPLES:
                    some.append(shown_row(split, place, [words], name))
