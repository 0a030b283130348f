"""Words: fragments, scripts and languages, and lengths."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from zoo.languages import COMMON, SPOKEN, identifier
from zoo.quality.checked import Checked, of_many, quality_check, verdict_on
from zoo.quality.checks.characters import counts_in_words, matching
from zoo.quality.counting import EXAMPLES, Kinds, Tally, examples_of, shown_row, tallied
from zoo.quality.material import ROW, Material
from zoo.say import Progress

if TYPE_CHECKING:
    import polars as pl

MANY_WORDLESS = 0.01
MANY_FRAGMENTS = 0.05
SENTENCES = 3  # words of the median text, from which a single word is a fragment
CUT = (
    r"[،,:;؛\-–(\[{«“]\s*$|\s(?:و|أو|في|من|على|إلى|عن|أن|التي|الذي|ال"
    r"|the|a|an|of|and|or|to|in|with|for|that|which)\s*$"
)
OTHER = "another script"
STRANGE = "written in another script"
MIXED = "of two scripts"
MANY_MIXED_UP = 0.2
FEW_LETTERS = 20  # in shorter texts a language is a guess
ASKED = 1000  # texts of a column whose language is asked for
MANY_STRANGE = 0.05
LONG = 400  # words: about the 512 tokens that most models read
MANY_LONG = 0.01


@quality_check(
    "fragments", "Texts without letters, of one word among sentences, with open quotes or brackets, or cut off."
)
def fragments(material: Material, progress: Progress) -> Checked:
    """Count texts that are no whole sentences."""
    found = tallied(material, _fragments(material))
    wordless = found.counts["no letters"]
    others = sum(found.counts.values()) - wordless
    verdict = verdict_on(wordless, found.texts, problem=MANY_WORDLESS)
    if verdict == "ok":
        verdict = verdict_on(others, found.texts, warn=MANY_FRAGMENTS)
    return Checked(verdict, counts_in_words(found), found.counts, found.examples, "the step length drops short texts")


def _fragments(material: Material) -> Kinds:
    import polars as pl

    def unbalanced(text: str) -> pl.Expr:
        def of(signs: str) -> pl.Expr:
            return pl.col(text).str.count_matches(signs)

        pairs = [("«", "»"), ("“", "”"), (r"\(", r"\)"), (r"\[", r"\]")]
        return pl.any_horizontal(of('"') % 2 == 1, *(of(one) != of(other) for one, other in pairs))

    kinds = {
        "no letters": lambda text: ~pl.col(text).str.contains(r"\p{L}") & pl.col(text).str.contains(r"[^\s\p{C}]"),
        "open quotes or brackets": unbalanced,
        **matching({"cut off": CUT}),
    }
    if min(_median_words(material).values()) >= SENTENCES:
        kinds["one word"] = lambda text: pl.col(text).str.strip_chars().str.contains(r"^\p{L}\S*$")
    return kinds


def _median_words(material: Material) -> dict[str, float]:
    import polars as pl

    texts = material.roles.texts
    words = [pl.col(text).str.count_matches(r"\S+").median() for text in texts]
    found = material.frames[material.train].select(words).collect(engine="streaming").to_dicts()[0]
    return {text: float(found[text] or 0) for text in texts}


@quality_check("scripts", "The script that each column is written in, and texts in another one or in two.")
def scripts(material: Material, progress: Progress) -> Checked:
    """Count texts by the script of most of their letters, and those that mix two."""
    counts = {text: Counter[str]() for text in material.roles.texts}
    for frame in material.frames.values():
        for text, found in counts.items():
            found.update(_scripts_of(frame, text))
    mixed = sum(found.pop(MIXED, 0) for found in counts.values())
    main = {text: max(found, key=lambda one: found[one], default=OTHER) for text, found in counts.items()}
    strange = sum(found.total() - found[main[text]] for text, found in counts.items())
    told = [
        f"{text}: {main[text]} {100 * found[main[text]] / max(1, found.total()):.1f} %"
        for text, found in counts.items()
    ]
    kinds: Kinds = {
        **({STRANGE: lambda text: (_script(*_letters(text)) != main[text]).fill_null(False)} if strange else {}),
        **({MIXED: lambda text: _mixed(*_letters(text))} if mixed else {}),
    }
    told += [
        f"{kind}: {of_many(number, material.texts_in_all)}"
        for kind, number in ((STRANGE, strange), (MIXED, mixed))
        if number
    ]
    verdict = verdict_on(strange, material.texts_in_all, warn=MANY_LONG, problem=MANY_MIXED_UP)
    facts = {**{text: dict(found) for text, found in counts.items()}, STRANGE: strange, MIXED: mixed}
    return Checked(
        verdict, "; ".join(told), facts, examples_of(material, kinds), "the step language keeps the texts of one"
    )


def _scripts_of(frame: pl.LazyFrame, text: str) -> dict[str, int]:
    """{script, or `MIXED`: texts}, with the letters of each counted once."""
    import polars as pl

    every, arabic, latin = (pl.col(name) for name in ("every", "arabic", "latin"))
    letters = frame.select(
        one.alias(name) for one, name in zip(_letters(text), ("every", "arabic", "latin"), strict=True)
    )
    told = letters.select(_script(every, arabic, latin).alias("script"), _mixed(every, arabic, latin).alias("mixed"))
    found = told.group_by("script").agg(pl.len(), pl.col("mixed").sum()).collect(engine="streaming").rows()
    counts = {script: rows for script, rows, _ in found if script}
    return {**counts, MIXED: sum(mixed for _, _, mixed in found)}


def _letters(text: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """The numbers of all letters of a column's texts, of Arabic and of Latin ones."""
    import polars as pl

    patterns = (r"\p{L}", r"[\p{Arabic}&&\p{L}]", r"[\p{Latin}&&\p{L}]")
    every, arabic, latin = (pl.col(text).str.count_matches(pattern).fill_null(0) for pattern in patterns)
    return every, arabic, latin


def _script(every: pl.Expr, arabic: pl.Expr, latin: pl.Expr) -> pl.Expr:
    """The script of more than half of a text's letters; null for texts without letters."""
    import polars as pl

    found = pl.when(every == 0).then(None).when(2 * arabic > every).then(pl.lit("Arabic"))
    return found.when(2 * latin > every).then(pl.lit("Latin")).otherwise(pl.lit(OTHER))


def _mixed(every: pl.Expr, arabic: pl.Expr, latin: pl.Expr) -> pl.Expr:
    """True for a text of which 15 % of the letters or more are not of its script."""
    import polars as pl

    return (every > FEW_LETTERS) & (pl.max_horizontal(arabic, latin, every - arabic - latin) < 0.85 * every)


@quality_check("languages", "The language of each column, told by py3langid on a sample of the longer texts.")
def languages(material: Material, progress: Progress) -> Checked:
    """Ask for the language of some texts of the split that is trained on."""
    import polars as pl

    classify = identifier(COMMON).classify
    facts, told, strange, examples = dict[str, dict[str, int]](), [], Counter[str](), []
    for text in material.roles.texts:
        some = material.sample(material.train, 3 * ASKED).select(ROW, text)
        rows = some.filter(pl.col(text).str.count_matches(r"\p{L}") >= FEW_LETTERS).collect()
        rows = rows.gather_every(max(1, len(rows) // ASKED)).head(ASKED)
        said = [(place, words, SPOKEN.get(code := classify(words)[0], code)) for place, words in rows.iter_rows()]
        counter = Counter(language for _, _, language in said)
        facts[text] = dict(counter.most_common())
        if not counter:
            continue
        (main, number), *_ = counter.most_common(1)
        told.append(f"{text}: {main} {100 * number / counter.total():.1f} % of {counter.total():,}")
        strange.update({"strange": counter.total() - number, "asked": counter.total()})
        others = [one for one in said if one[2] != main][:EXAMPLES]
        examples += [
            shown_row(material.train, place, [words], f"looks like {language}") for place, words, language in others
        ]
    if not told:
        return Checked("skipped", "no text is long enough to tell")
    verdict = verdict_on(strange["strange"], strange["asked"], warn=MANY_STRANGE)
    return Checked(verdict, "; ".join(told), facts, examples, "the step language keeps the texts of one")


@quality_check("lengths", "How long texts are, and those that are longer than models read.")
def lengths(material: Material, progress: Progress) -> Checked:
    """Measure the texts of each column, in characters and words."""
    import polars as pl

    facts: dict[str, Any] = {}
    for text in material.roles.texts:
        signs, words = pl.col(text).str.len_chars(), pl.col(text).str.count_matches(r"\S+")
        every = pl.concat([frame.select(text) for frame in material.frames.values()])
        facts[text] = every.select(
            median=signs.median(), p99=signs.quantile(0.99), longest=signs.max(), words=words.median()
        ).collect(engine="streaming").to_dicts()[0]  # fmt: skip
    long: Tally = tallied(
        material, {f"more than {LONG} words": lambda text: pl.col(text).str.count_matches(r"\S+") > LONG}
    )
    told = [
        f"{text}: median {one['median']:.0f} characters ({one['words']:.0f} words), longest {one['longest']:,}"
        for text, one in facts.items()
        if one["median"] is not None
    ]
    too_long = sum(long.counts.values())
    verdict = verdict_on(too_long, long.texts, warn=MANY_LONG)
    figure = "; ".join([*told, *([f"more than {LONG} words: {of_many(too_long, long.texts)}"] if too_long else [])])
    return Checked(
        verdict, figure, {**facts, **long.counts}, long.examples, "models cut long texts: the step length drops them"
    )
