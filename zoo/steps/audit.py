"""Rows that keep to rules, translated ones against their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PositiveInt

from zoo.audit.rule import FAILED, RULES, Limits, RuleName
from zoo.ids import ModelId, Revision, text_like
from zoo.layout import BEFORE, ROW_SCORE, WHY
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, StepResult, StepWork, step

if TYPE_CHECKING:
    import polars as pl

FINDINGS = "findings.parquet"
BATCH = 50_000
"""Rows that are looked at together."""

Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Code = Annotated[str, text_like(r"^[a-z]{2,3}$", "a language is a code of two or three small letters, as 'ar' or 'en'")]
_DEFAULT = Limits()


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    low, high = options.length_ratio or (0, 1)
    if low >= high:
        return f"length_ratio '[{low:g}, {high:g}]' is kept by no text; write the least first, as in [0.4, 2]"
    texts = [name for name, column in before.items() if column.type == "text"]
    if options.source and not set(options.columns or texts) - {options.source}:
        return f"source: '{options.source}' is held against itself; name another text in columns, or take source out"
    named = [options.source] if options.source else None
    return texts_mistake(options.columns, before) or texts_mistake(named, before, "source")


@step("audit", encodes=True, streams=True, keeps_dropped=True, check=_check)
def audit(
    rows: pl.LazyFrame,
    texts: Sequence[str],
    encoder: Any,
    work: StepWork,
    *,
    columns: list[str] | None = None,
    source: str | None = None,
    language: Code = _DEFAULT.language,
    source_language: Code = _DEFAULT.source_language,
    length_ratio: Annotated[list[Ratio], Field(min_length=2, max_length=2)] | None = [0.4, 2.0],  # noqa: B006
    script_share: Share | None = _DEFAULT.script_share,
    untranslated: PositiveInt | None = _DEFAULT.untranslated,
    numbers: bool = _DEFAULT.numbers,
    quantities: bool = _DEFAULT.quantities,
    negation: bool = _DEFAULT.negation,
    repeats: Annotated[int, Field(ge=2)] | None = _DEFAULT.repeats,
    same_as_source: bool = _DEFAULT.same_as_source,
    odd_characters: bool = _DEFAULT.odd_characters,
    other_language: Share | None = _DEFAULT.other_language,
    agreement: Annotated[float, Field(gt=-1, lt=1)] | None = _DEFAULT.agreement,
    score_only: list[RuleName] = [],  # noqa: B006
    model: ModelId | None = None,
    revision: Revision | None = None,
) -> StepResult:
    """Drop rows with a text that breaks a rule; translated texts are compared with their sources.

    Each row is also scored in `@audit`: 1 = no rule complains; every rule that does multiplies the score by 1 less its
    weight, or less a part of it where the text only comes near the threshold. A second audit goes on from
    the first one's score.

    Args:
        columns: texts to look at; null = all, but for `source`.
        source: the text of the dataset that the others are translations of; null = what the step translate has read.
        language: of the texts. Numbers in words, units and negation are known in ar and en.
        source_language: of the texts that they were translated from.
        length_ratio: [least, most] characters for each of the source's; null = any.
        script_share: least share of letters that are of the language's script; null = any.
        untranslated: so many words in Latin letters that are no names are too many; null = any number.
        numbers: the numbers must be those of the source, in digits or words.
        quantities: numbers must count the same units as in the source.
        negation: a text denies if its source does.
        repeats: so often in a row no words may stand; null = any number.
        same_as_source: a text must not be its source.
        odd_characters: no invisible characters, no HTML, no pieces of a model's vocabulary, no wrong encoding.
        other_language: so sure py3langid must be that a text is in another language; null = it is not asked.
        agreement: least cosine of text and source; without `model` nothing is measured.
        score_only: rules that lower the score and drop nothing.
        model: on the Hub, which reads both languages; null = none.
        revision: its commit; null = the newest, which each build resolves and records.
    """
    import polars as pl

    known = rows.collect_schema()
    chosen = [name for name in columns or texts if name != source]
    limits = Limits(
        language=language,
        source_language=source_language,
        length_ratio=(length_ratio[0], length_ratio[1]) if length_ratio else None,
        script_share=script_share,
        untranslated=untranslated,
        numbers=numbers,
        quantities=quantities,
        negation=negation,
        repeats=repeats,
        same_as_source=same_as_source,
        odd_characters=odd_characters,
        other_language=other_language,
        agreement=agreement,
    )
    before = {name: source or BEFORE + name for name in chosen}
    sources = {name: one if one in known else None for name, one in before.items()}
    if not any(sources.values()):
        work.progress.note(f"{work.what}: no text has a source beside it, so that none is compared with it")
    auditor = _Auditor(sources, limits, frozenset(score_only), encoder)
    looked_at = dict.fromkeys([*chosen, *filter(None, sources.values()), *([ROW_SCORE] if ROW_SCORE in known else [])])
    _write_findings(auditor, rows.select(list(looked_at)), work.folder / FINDINGS)
    kept = [name for name in known if name not in (ROW_SCORE, WHY)]
    found = pl.scan_parquet(work.folder / FINDINGS)
    return StepResult(pl.concat([rows.select(kept), found], how="horizontal"), facts=auditor.facts)


@dataclass
class _Auditor:
    """The rules as a recipe sets them, at work on a split; counts what they find."""

    sources: Mapping[str, str | None]
    """{text: the column of what it was translated from; None = it was not}."""
    limits: Limits
    score_only: frozenset[str]
    encoder: Any
    failed: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    score: float = 0.0

    def looked_at(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Score and reason of every row."""
        import polars as pl

        from zoo.audit.findings import audit_texts  # its patterns take a while to compile, and most commands need none

        score = (
            batch[ROW_SCORE].cast(pl.Float64)
            if ROW_SCORE in batch.columns
            else pl.ones(len(batch), pl.Float64, eager=True)
        )
        why: dict[int, list[str]] = {}
        failing: set[tuple[str, int]] = set()
        for name, source in self.sources.items():
            found = audit_texts(batch[name], batch[source] if source else None, self.limits, self.encoder)
            score = score * found.score
            for rule, failures in found.failures.items():
                failing |= {(rule, place) for place in failures}
                for place, says in failures.items() if rule not in self.score_only else ():
                    why.setdefault(place, []).append(f"{rule}: {name}: {says}")
        self.failed.update(rule for rule, _ in failing)
        self.rows, self.score = self.rows + len(batch), self.score + float(score.sum())
        reasons = pl.Series([None] * len(batch), dtype=pl.String)
        if why:
            reasons = reasons.scatter(list(why), ["; ".join(said) for said in why.values()])
        return pl.DataFrame({ROW_SCORE: score.round(4).cast(pl.Float32), WHY: reasons})

    @property
    def facts(self) -> dict[str, float]:
        """{what was counted: the number}, rules in their order."""
        aside = dict.fromkeys(self.score_only, " (score only)")
        counted = {f"{FAILED}{rule}{aside.get(rule, '')}": self.failed[rule] for rule in RULES if self.failed[rule]}
        return {**counted, "mean score": round(self.score / self.rows, 4)} if self.rows else {}


def _write_findings(auditor: _Auditor, rows: pl.LazyFrame, path: Path) -> None:
    """Write score and reason of every row, in their order."""
    import polars as pl
    from pyarrow.parquet import ParquetWriter

    empty = pl.DataFrame(schema={ROW_SCORE: pl.Float32, WHY: pl.String}).to_arrow()
    with ParquetWriter(path, empty.schema) as writer:
        for batch in rows.collect_batches(chunk_size=BATCH, maintain_order=True):
            writer.write_table(auditor.looked_at(batch).to_arrow().cast(empty.schema))
