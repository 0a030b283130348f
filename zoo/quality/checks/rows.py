"""Rows that stand twice: in one split, under two classes, or in two splits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from zoo.arabic import normalised_column
from zoo.characters import SEEN
from zoo.data.overlap import SharedRows, split_overlap
from zoo.quality.checked import Checked, Outcome, of_many, quality_check, verdict_on, worst
from zoo.quality.counting import EXAMPLES, rows_at, shown_row
from zoo.quality.material import ROW, Material
from zoo.say import Progress

if TYPE_CHECKING:
    import polars as pl

MANY_TWICE = 0.05  # of a split's rows
MANY_SHARED = 0.01  # of a split's rows, as the data stage doubts them; one row may be like another by chance
MANY_GROUPS = 0.1  # of the rows of a split
NOTHING = r"(?i)^\s*(?:nan|null|n/a|#n/a|undefined|#ref!|#value!|#name\?)\s*$"
APART = 0.2  # of the range of all scores; two of one pair that differ by more say that one is wrong


@quality_check("empty", "Rows without a text, a class or a score.")
def empty(material: Material, progress: Progress) -> Checked:
    """Count rows that lack something, or whose text nobody sees, or is a word for nothing that a program wrote."""
    import polars as pl

    roles, counts, examples = material.roles, dict[str, int](), []
    for split, frame in material.frames.items():
        lacks = {text: _blank(text) for text in roles.texts}
        lacks |= {one: pl.col(one).is_null() for one in (roles.label, roles.score) if one}
        found = frame.select(pl.any_horizontal(lacks.values()).sum()).collect(engine="streaming").item()
        counts[split] = int(found)
        if found:
            named = [pl.when(lack).then(pl.lit(f"no {name}")) for name, lack in lacks.items()]
            note = pl.concat_str(named, separator=", ", ignore_nulls=True).alias("@note")
            rows = frame.with_row_index(ROW).with_columns(note).filter(pl.col("@note") != "").head(EXAMPLES).collect()
            examples += [
                shown_row(split, row[ROW], [row[text] for text in roles.texts], row["@note"])
                for row in rows.iter_rows(named=True)
            ]
    lost = sum(counts.values())
    verdict = verdict_on(lost, material.total, problem=MANY_SHARED)
    advice = "the step not_empty drops them; words as 'nan' become empty before it by {type: map, texts: {nan: ''}}"
    return Checked(verdict, of_many(lost, material.total), counts, examples, advice)


def _blank(text: str) -> pl.Expr:
    import polars as pl

    return ~(pl.col(text).str.contains(SEEN) & ~pl.col(text).str.contains(NOTHING)).fill_null(False)


@quality_check("duplicates", "Rows whose texts stand in the same split before, as they are or spelt otherwise.")
def duplicates(material: Material, progress: Progress) -> Checked:
    """Count the repeated rows of each split."""
    counts: dict[str, dict[str, int]] = {}
    examples, verdicts = [], list[Outcome]()
    for split in material.frames:
        keys = _keys(material, split)
        exact = len(keys) - keys["exact"].n_unique()
        otherwise = len(keys) - keys["spelt"].n_unique() - exact
        counts[split] = {"exact": exact, "spelt otherwise": otherwise}
        verdicts.append(verdict_on(exact + otherwise, len(keys), problem=MANY_TWICE))
        examples += _repeated(material, split, keys)
    exact, otherwise = (sum(one[kind] for one in counts.values()) for kind in ("exact", "spelt otherwise"))
    figure = f"{of_many(exact + otherwise, material.total)}: {exact:,} exact, {otherwise:,} spelt otherwise"
    advice = "{type: unique, normalised: true} among its steps drops them"
    return Checked(worst(verdicts), figure, counts, examples, advice)


def _keys(material: Material, split: str) -> pl.DataFrame:
    """Every row's place, and the hashes of its texts as they are and as they are compared; rows of no words aside."""
    import polars as pl

    if (known := material.found.get(f"keys of {split}")) is not None:
        return known  # type: ignore[no-any-return]
    texts = material.roles.texts
    frame = (
        material.frames[split]
        .with_row_index(ROW)
        .filter(pl.any_horizontal(pl.col(texts).str.contains(r"[\p{L}\p{N}]")))
    )
    graded = [pl.col(one).alias("@grade") for one in (material.roles.label, material.roles.score) if one][:1]
    keys = frame.select(
        ROW,
        pl.struct(texts).hash().alias("exact"),
        pl.struct(_respelt(text) for text in texts).hash().alias("spelt"),
        *graded,
    ).collect(engine="streaming")
    material.found[f"keys of {split}"] = keys
    return keys


def _respelt(text: str) -> pl.Expr:
    import polars as pl

    return pl.col(text).map_batches(normalised_column, pl.String, is_elementwise=True)


def _repeated(material: Material, split: str, keys: pl.DataFrame) -> list[Any]:
    import polars as pl

    again = keys.filter(~pl.col("spelt").is_first_distinct())
    first = keys.filter(pl.col("spelt").is_in(again["spelt"].implode())).unique("spelt", keep="first")
    pairs = again.join(first.select("spelt", before=ROW), on="spelt").sort(ROW).head(EXAMPLES)
    notes = {row[ROW]: f"as row {row['before']}" for row in pairs.iter_rows(named=True)}
    return rows_at(material, split, notes, notes)


@quality_check("two answers", "Rows with the same texts and another class, or scores that are far apart.")
def two_answers(material: Material, progress: Progress) -> Checked:
    """Count the rows of which the same texts are graded otherwise elsewhere in the split."""
    import polars as pl

    roles = material.roles
    if not (roles.label or roles.score):
        return Checked("skipped", "no classes and no scores")
    counts, examples = dict[str, int](), []
    for split in material.frames:
        keys = _keys(material, split).drop_nulls("@grade")
        of = pl.col("@grade")
        differ = of.n_unique() > 1
        if not roles.label:
            scores = keys["@grade"].cast(pl.Float64)
            wide = float(scores.max() or 0) - float(scores.min() or 0)  # type: ignore[arg-type]
            differ = of.max() - of.min() > APART * wide
        both = keys.filter(differ.over("spelt"))
        counts[split] = len(both)
        some = both.sort("spelt", ROW).head(2 * EXAMPLES)
        notes = {row[ROW]: str(row["@grade"]) for row in some.iter_rows(named=True)}
        examples += rows_at(material, split, notes, notes) if notes else []
    found = sum(counts.values())
    verdict = verdict_on(found, material.total, problem=MANY_SHARED)
    advice = "read them: either an answer is wrong, or the texts do not decide it"
    return Checked(verdict, of_many(found, material.total), counts, examples, advice)


@quality_check(
    "shared rows", "Rows of a split that stand in another one too: as they are, spelt otherwise, or but for a word."
)
def shared_rows_of_splits(material: Material, progress: Progress) -> Checked:
    """Count the rows that train, validation and test share."""
    import polars as pl

    names = material.split_names
    if len(names) < 2:
        return Checked("skipped", "one split only")
    texts = material.roles.texts
    frames = {
        ours: material.sample(split, material.most).select(pl.col(texts).fill_null("")) for ours, split in names.items()
    }
    overlap = split_overlap(frames, texts)
    facts, told, verdicts = {}, [], list[Outcome]()
    for ours, others in overlap.shared.items():
        for other, shared in others.items():
            of = material.most_of(names[ours], material.most)
            facts[f"{names[ours]} in {names[other]}"] = {**vars(shared), "whole": shared.whole, "of": of}
            verdicts.append(_of_shared(shared, of))
            if shared.whole:
                told.append(f"{of_many(shared.whole, of)} rows of {names[ours]} in {names[other]}")
    figure = ("; ".join(told) or "none") + material.searched_in_part(names.values())
    examples = _in_train(material, names, overlap.in_train)
    return Checked(worst(verdicts), figure, facts, examples, "overlap: drop in its recipe takes them out of train")


def _of_shared(shared: SharedRows, rows: int) -> Outcome:
    return verdict_on(shared.whole, rows, problem=max(1 / max(1, rows), MANY_SHARED))


def _in_train(material: Material, names: dict[str, str], places: frozenset[int]) -> list[Any]:
    """Rows of train that another split has; places are those in the sample that was searched."""
    if "train" not in names or not places:
        return []
    split = names["train"]
    rows = material.sample(split, material.most).select(ROW).collect()[ROW]
    found = [int(rows[place]) for place in sorted(places)[:EXAMPLES]]
    return rows_at(material, split, found, dict.fromkeys(found, "stands in another split too"))


@quality_check("shared groups", "Rows of a split whose premise or anchor stands in another split too.")
def shared_groups(material: Material, progress: Progress) -> Checked:
    """Count the rows whose group is in two splits; of rows without groups, those of which any text is."""
    import polars as pl

    if len(material.frames) < 2:
        return Checked("skipped", "one split only")
    group = material.roles.group
    columns = [group] if group else material.roles.texts
    seen = {split: _spelt(frame, columns) for split, frame in material.frames.items()}
    facts, told, verdicts, examples = dict[str, Any](), [], list[Outcome](), []
    for other, split in _pairs(list(material.frames)):
        found = (
            seen[split].filter(pl.col("spelt").is_in(seen[other]["spelt"].implode())).unique(ROW, maintain_order=True)
        )
        count, of = len(found), material.rows[split]
        facts[f"{split} in {other}"] = {"rows": count, "of": of}
        verdicts.append(
            verdict_on(count, of, warn=MANY_SHARED, problem=MANY_GROUPS)
            if group
            else "warning"
            if 2 * count > of
            else "ok"
        )
        if count:
            told.append(f"{of_many(count, of)} rows of {split} in {other}")
            some = found[ROW].head(EXAMPLES).to_list()
            examples += rows_at(
                material, split, some, dict.fromkeys(some, f"{group or 'a text'} stands in {other} too")
            )
    what = "" if group else " (a text alone; no column tells groups)"
    advice = f"split by group: split: {{by: group, of: {group or 'COLUMN'}, sizes: {{train: 0.9, test: 0.1}}}}"
    return Checked(worst(verdicts), ("; ".join(told) or "none") + what, facts, examples, advice)


def _spelt(frame: pl.LazyFrame, columns: list[str]) -> pl.DataFrame:
    """(place of a row, hash of one of its texts); texts without letters and digits aside."""
    import polars as pl

    each = [
        frame.with_row_index(ROW).select(ROW, _respelt(one).alias("spelt")).filter(pl.col("spelt").str.len_bytes() > 0)
        for one in columns
    ]
    return pl.concat(each).with_columns(pl.col("spelt").hash()).collect(engine="streaming")


def _pairs(splits: list[str]) -> Iterator[tuple[str, str]]:
    """(earlier, later) for each two splits."""
    for place, later in enumerate(splits):
        for earlier in splits[:place]:
            yield earlier, later
