"""The rules at work on texts: for each, a score from 0 to 1, and what is wrong with those that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.audit.rule import BARE, RULES, SOURCE, TEXT, JudgedRule, Limits, MeasuredRule, Rule
from zoo.audit.rules import COSINE

if TYPE_CHECKING:
    import polars as pl

_UNSEEN_MARKS = "[\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200c-\u200f\u061c]"  # tatweel, tashkeel, joiners, direction
AT_ONCE = 64  # texts that a model encodes together


@dataclass(frozen=True)
class AuditFindings:
    """The findings in the texts of one column."""

    score: pl.Series
    """For each text, 0 to 1: the product of 1 - weight x share over the rules that complain; 1 = none does."""
    failures: Mapping[str, Mapping[int, str]]
    """{rule: {place of a text that fails, or that is to be told: what is wrong with it}}, of all rules that ran."""


def audit_texts(
    texts: pl.Series,
    sources: pl.Series | None,
    limits: Limits,
    encoder: Any = None,
    *,
    rules: Sequence[str] = (),
    told_from: float = 1.0,
) -> AuditFindings:
    """Hold texts to the rules.

    Args:
        texts: strings; nothing is said of nulls.
        sources: what they were translated from, as long; None = nobody knows, and two-sided rules are left out.
        encoder: a model that reads both languages, for `agreement`.
        rules: those to run, by name; none = all that `limits` leaves on.
        told_from: how bad a text must be to be told, 0 to 1; 1 = it fails.
    """
    import polars as pl

    pairs = pl.DataFrame({TEXT: texts, SOURCE: pl.Series([None] * len(texts), dtype=pl.String)})
    if sources is not None:
        pairs = pairs.with_columns(sources.alias(SOURCE))
    bare = pl.col(TEXT).str.replace_all(_UNSEEN_MARKS, "")
    pairs = pairs.with_columns((bare if limits.language == "ar" else pl.col(TEXT)).alias(BARE))
    if encoder is not None and sources is not None:
        pairs = pairs.with_columns(_cosines(pairs, encoder))
    running = _running(limits, two_sided=sources is not None, encoded=COSINE in pairs.columns, wanted=rules)
    plans = {one.name: plan for one in running if (plan := one.plan(limits)) is not None}
    looked = pairs.select(*(_looked(plan, RULES[name].two_sided).alias(name) for name, plan in plans.items()))
    shares, failures = {}, {}
    for name, plan in plans.items():
        find = _measured if isinstance(plan, MeasuredRule) else _judged
        shares[name], failures[name] = find(plan, looked[name], pairs, told_from)  # type: ignore[arg-type]
    return AuditFindings(_scores(len(texts), shares), failures)


def _running(limits: Limits, *, two_sided: bool, encoded: bool, wanted: Sequence[str]) -> list[Rule]:
    known = [one for name, one in RULES.items() if not wanted or name in wanted]
    return [one for one in known if (two_sided or not one.two_sided) and (encoded or one.name != "agreement")]


def _looked(plan: MeasuredRule | JudgedRule, two_sided: bool) -> pl.Expr:
    import polars as pl

    if isinstance(plan, MeasuredRule):
        return plan.value
    there = pl.col(TEXT).is_not_null() & pl.col(SOURCE).is_not_null() if two_sided else pl.col(TEXT).is_not_null()
    return (plan.screen & there).fill_null(value=False)


def _measured(
    plan: MeasuredRule, values: pl.Series, pairs: pl.DataFrame, least: float
) -> tuple[pl.Series, dict[int, str]]:
    import polars as pl

    shares = pl.select(plan.share(pl.lit(values)).fill_null(0.0).fill_nan(0.0)).to_series()
    places = (shares >= least).arg_true()
    return shares, {place: plan.tell(value) for place, value in zip(places, values.gather(places), strict=True)}


def _judged(
    plan: JudgedRule, screened: pl.Series, pairs: pl.DataFrame, least: float
) -> tuple[pl.Series, dict[int, str]]:
    import polars as pl

    places = screened.arg_true()
    if plan.glance:
        parts = pairs[places].select(plan.glance.text.alias(TEXT), plan.glance.source.alias(SOURCE))
        doubtful = [not plan.glance.fine(*both) for both in parts.iter_rows()]
        places = places.filter(pl.Series(doubtful, dtype=pl.Boolean))
    near = pairs.select(BARE if plan.of_bare else TEXT, SOURCE)[places]
    told = ((place, plan.judge(*row)) for place, row in zip(places, near.iter_rows(), strict=True) if row[0])
    found = {place: complaint for place, complaint in told if complaint}
    shares = pl.zeros(len(screened), pl.Float64, eager=True)
    if found:
        shares = shares.scatter(list(found), [complaint.share for complaint in found.values()])
    return shares, {place: complaint.says for place, complaint in found.items() if complaint.share >= least}


def _scores(count: int, shares: Mapping[str, pl.Series]) -> pl.Series:
    import polars as pl

    score = pl.ones(count, pl.Float64, eager=True)
    for name, share in shares.items():
        score = score * (1 - RULES[name].weight * share)
    return score


def _cosines(pairs: pl.DataFrame, encoder: Any) -> pl.Series:
    """The cosine of each text and its source; null where one of them is missing."""
    import polars as pl

    both = pairs.with_row_index("at").drop_nulls([TEXT, SOURCE])
    texts = pl.concat([both[TEXT], both[SOURCE]]).unique(maintain_order=True)
    vectors = encoder.encode(
        texts.to_list(), batch_size=AT_ONCE, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
    )
    place = {text: at for at, text in enumerate(texts)}
    first, second = ([place[text] for text in both[name]] for name in (TEXT, SOURCE))
    cosines = (vectors[first] * vectors[second]).sum(axis=1)
    return (
        pl.DataFrame({"at": both["at"], COSINE: cosines})
        .join(pairs.with_row_index("at").select("at"), on="at", how="right")
        .sort("at")[COSINE]
    )
