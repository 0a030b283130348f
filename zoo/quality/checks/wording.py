"""Words: fragments, scripts and languages, and lengths."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from zoo.quality.checked import Checked, judged, of_many, quality_check
from zoo.quality.checks.characters import listed, matching
from zoo.quality.counting import EXAMPLES, Kinds, Tally, shown, tallied
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
SCRIPTS = {"Arabic": r"\p{Arabic}", "Latin": r"\p{Latin}", "Cyrillic": r"\p{Cyrillic}", "Han": r"\p{Han}"}
OTHER = "another script"
FEW_LETTERS = 20  # in shorter texts a language is a guess
ASKED = 1000  # texts of a column whose language is asked for
ARABIC = {"arz": "ar", "ary": "ar"}  # what py3langid calls Egyptian and Moroccan
MANY_STRANGE = 0.05
LONG = 400  # words: about the 512 tokens that most models read
MANY_LONG = 0.01


@quality_check("fragments", "Texts without letters, of one word among sentences, with open quotes or brackets, or cut off.")
def fragments(material: Material, progress: Progress) -> Checked:
    """Count texts that are no whole sentences."""
    found = tallied(material, _fragments(material))
    wordless = found.counts["no letters"]
    others = sum(found.counts.values()) - wordless
    verdict = judged(wordless, found.texts, problem=MANY_WORDLESS)
    if verdict == "ok":
        verdict = judged(others, found.texts, warn=MANY_FRAGMENTS)
    return Checked(verdict, listed(found), found.counts, found.examples, "the step length drops short texts")


def _fragments(material: Material) -> Kinds:
    import polars as pl

    def unbalanced(text: str) -> pl.Expr:
        def of(signs: str) -> pl.Expr:
            return pl.col(text).str.count_matches(signs)

        pairs = [("«", "»"), ("“", "”"), (r"\(", r"\)"), (r"\[", r"\]")]
        return pl.any_horizontal(of('"') % 2 == 1, *(of(one) != of(other) for one, other in pairs))

    kinds = {
        "no letters": lambda text: ~pl.col(text).str.contains(r"\p{L}"),
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
    import polars as pl

    counts: dict[str, Counter[str]] = {text: Counter() for text in material.roles.texts}
    for frame in material.frames.values():
        for text, counter in counts.items():
            some = frame.select(_script(text).alias("script")).group_by("script").agg(pl.len()).collect(engine="streaming")
            counter.update({script: rows for script, rows in some.iter_rows() if script})
    main = {text: max(counter, key=lambda one: counter[one], default=OTHER) for text, counter in counts.items()}
    strange = tallied(
        material,
        {
            "written in another script": lambda text: (_script(text) != main[text]).fill_null(False),
            "of two scripts": lambda text: _mixed(text, main[text]),
        },
    )
    told = [
        f"{text}: {name} {100 * counter[name] / max(1, counter.total()):.1f} %"
        for text, counter in counts.items()
        if (name := main[text])
    ]
    verdict = judged(strange.counts["written in another script"], strange.texts, warn=MANY_LONG, problem=0.2)
    facts = {"scripts": {text: dict(counter) for text, counter in counts.items()}, **strange.counts}
    figure = "; ".join([*told, *([listed(strange)] if any(strange.counts.values()) else [])])
    return Checked(verdict, figure, facts, strange.examples, "the step language keeps the texts of one")


def _letters(text: str, script: str) -> pl.Expr:
    import polars as pl

    return pl.col(text).str.count_matches(rf"[{SCRIPTS.get(script, '')}&&\p{{L}}]" if script in SCRIPTS else r"\p{L}")


def _script(text: str) -> pl.Expr:
    """The script of more than half of a text's letters; null for texts without letters."""
    import polars as pl

    every = _letters(text, "")
    found = pl.when(every == 0).then(None)
    for script in SCRIPTS:
        found = found.when(2 * _letters(text, script) > every).then(pl.lit(script))
    return found.otherwise(pl.lit(OTHER))


def _mixed(text: str, script: str) -> pl.Expr:
    """True for a text of a column's script of which 15 % to 50 % of the letters are of another one."""
    every, own = _letters(text, ""), _letters(text, script)
    return (every > FEW_LETTERS) & (own < 0.85 * every) & (2 * own > every)


@quality_check("languages", "The language of each column, told by py3langid on a sample of the longer texts.")
def languages(material: Material, progress: Progress) -> Checked:
    """Ask for the language of some texts of the split that is trained on."""
    import polars as pl
    from py3langid import classify

    facts, told, strange, examples = dict[str, dict[str, int]](), [], Counter[str](), []
    for text in material.roles.texts:
        rows = material.sample(material.train, 3 * ASKED).select(ROW, text)
        rows = rows.filter(pl.col(text).str.count_matches(r"\p{L}") >= FEW_LETTERS).head(ASKED).collect()
        said = [(place, words, _as_one(classify(words)[0])) for place, words in rows.iter_rows()]
        counter = Counter(language for _, _, language in said)
        facts[text] = dict(counter.most_common())
        if not counter:
            continue
        (main, number), *_ = counter.most_common(1)
        told.append(f"{text}: {main} {100 * number / counter.total():.1f} % of {counter.total():,}")
        strange.update({"strange": counter.total() - number, "asked": counter.total()})
        others = [one for one in said if one[2] != main][:EXAMPLES]
        examples += [shown(material.train, place, [words], f"looks like {language}") for place, words, language in others]
    if not told:
        return Checked("skipped", "no text is long enough to tell")
    verdict = judged(strange["strange"], strange["asked"], warn=MANY_STRANGE)
    return Checked(verdict, "; ".join(told), facts, examples, "the step language keeps the texts of one")


def _as_one(language: str) -> str:
    return ARABIC.get(language, language)


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
    verdict = judged(too_long, long.texts, warn=MANY_LONG)
    figure = "; ".join([*told, *([f"more than {LONG} words: {of_many(too_long, long.texts)}"] if too_long else [])])
    return Checked(verdict, figure, {**facts, **long.counts}, long.examples, "models cut long texts: the step length drops them")
