"""The tab that shows what cutting costs: a ranking by all dimensions beside the same one by fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import encoding
import numpy as np
import rankings
from catalogue import Model
from pieces import table
from rankings import Agreement, Place
from words import Count, SpaceError

from tabs.asking_lists import DOUBTED, SHOWN, Asked, ListTab
from tabs.shared import Shared

TAB = "cutting"
NAME = "What cutting costs"
ASK = "Show"
HINT = "Write a query and press Show."


class NarrowSizes(Shared):
    """The menu of sizes has those below the full one, the smallest chosen."""

    def sizes(self, dims: Sequence[int]) -> tuple[Sequence[int], int | None]:
        """The sizes that vectors can be cut to, and the smallest."""
        return dims[1:], min(dims[1:], default=None)


class CuttingTab(ListTab):
    """The same ranking at full width and cut: what moves, how far they agree, and what is saved."""

    tab, name, ask, hint = TAB, NAME, ASK, HINT

    def __init__(self, shared: Shared) -> None:
        super().__init__(NarrowSizes(shared.about, shared.models, shared.pieces))

    async def answered(self, model: Model, dim: int | None, *texts: str) -> str:
        """Both rankings, and the agreement at every size."""
        asked = await self.asked(model, *texts)
        dims = await encoding.dims_of(model)
        if len(dims) < 2:
            raise SpaceError("{model} has one size only: there is nothing to cut.", model=model.title)
        narrow = dim if dim in dims[1:] else dims[-1]
        return self.result(
            model, {size: rankings.scores(asked.vector, asked.rows, size) for size in dims}, narrow, asked
        )

    # ---- as HTML ----

    def result(self, model: Model, scores: Mapping[int, np.ndarray], narrow: int, asked: Asked) -> str:
        """The answer as HTML; `scores` are {size: (n,)}, the widest first."""
        wide = next(iter(scores))
        first = top(len(asked.sentences))
        found = {size: rankings.agreement(scores[wide], values, first) for size, values in scores.items()}
        parts = [
            self.pieces.doubted(asked.doubts, DOUBTED),
            self.told(found[narrow], wide, narrow),
            '<div class="beside">',
            self.listed(wide, rankings.places(scores[wide], scores[narrow], SHOWN), asked, moves=False),
            self.listed(narrow, rankings.places(scores[narrow], scores[wide], SHOWN), asked, moves=True),
            "</div>",
            self.sizes(found, narrow),
            self.pieces.foot(model, narrow, self.source(asked)),
        ]
        return self.pieces.html("result cutting", "".join(parts))

    def told(self, found: Agreement, wide: int, narrow: int) -> str:
        """The answer in a sentence."""
        said = "Of the first {first} at {wide}, {shared} are still among the first at {narrow}."
        sizes = {"wide": Count(wide, "dimension"), "narrow": Count(narrow, "dimension")}
        return (
            f"<b>{self.words.paragraph(said, first=Count(found.first, 'sentence'), shared=found.shared, **sizes)}</b>"
        )

    def listed(self, dim: int, found: Sequence[Place], asked: Asked, *, moves: bool) -> str:
        """One of both rankings, with what has moved, or without."""
        items = "".join(
            f'<li><span><span class="quiet">{number}</span> {self.moved(place.moved) if moves else ""}</span>'
            f'<span class="sentence" dir="auto">{escape(asked.sentences[place.index])}</span>'
            f'<span class="value" dir="ltr">{place.score:.3f}</span></li>'
            for number, place in enumerate(found, start=1)
        )
        head = self.words.both("{size}", size=Count(dim, "dimension"))
        return f'<section><h3>{head}</h3><ol class="ranking">{items}</ol></section>'

    def moved(self, places: int) -> str:
        """Tell how far a sentence has moved: a mark for the eye, words for the ear; nothing when it has not."""
        if not places:
            return ""
        kind, mark = ("up", "▲") if places > 0 else ("down", "▼")
        text = "up {places}" if places > 0 else "down {places}"
        said = self.words.both(text, places=Count(abs(places), "place"))
        seen = f'<span aria-hidden="true" dir="ltr">{mark}{abs(places)}</span>'
        return f'<span class="moved {kind}">{seen}<span class="unseen">{said}</span></span>'

    def sizes(self, found: Mapping[int, Agreement], narrow: int) -> str:
        """A table: at every size what a million vectors take, and how far its ranking agrees with the full one."""
        both, first = self.words.both, next(iter(found.values())).first
        head = [
            both("dimensions"),
            both("a million vectors in float32"),
            both("the same among the first {first}", first=first),
            both("Kendall τ"),
            both("Spearman ρ"),
        ]
        rows = [
            [
                f"<b>{size}</b>" if size == narrow else str(size),
                f'<span dir="ltr">{rankings.million(size)}</span>',
                f'<span dir="ltr">{one.shared}/{one.first}</span>',
                correlation(one.kendall),
                correlation(one.spearman),
            ]
            for size, one in found.items()
        ]
        said = self.words.paragraph(
            "τ and ρ: agreement with the ranking at full width over all sentences; 1 is the same order."
        )
        return f'<div class="sizes">{table(head, rows)}<div class="quiet">{said}</div></div>'


def top(sentences: int) -> int:
    """Tell how many first texts are compared: of a short list fewer, as all of them are always the same ones."""
    return min(SHOWN, max(1, sentences // 3))


def correlation(value: float | None) -> str:
    """Two digits after the point, or a dash."""
    return "-" if value is None else f'<span dir="ltr">{value:.2f}</span>'
