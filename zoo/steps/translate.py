"""Texts in another language, by a translation model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PositiveInt

from zoo.characters import blank
from zoo.ids import ModelId, Revision
from zoo.layout import BEFORE, WHY
from zoo.steps.choices import texts_mistake
from zoo.steps.step import Columns, StepResult, StepWork, step
from zoo.translation.cluster import on_a_cluster
from zoo.translation.engine import (
    ComputeType,
    Decoding,
    Engine,
    Translated,
    chosen_type,
    places,
    threads,
)
from zoo.translation.families import language_names
from zoo.translation.memory import TranslationMemory
from zoo.translation.translating import on_this_machine, translate_sentences

if TYPE_CHECKING:
    import polars as pl

ROWS = 20_000  # in memory at once


def _check(options: Any, before: Columns, columns: Columns) -> str | None:
    if options.target_language in language_names(options.source_language):
        return f"source_language and target_language are both '{options.target_language}'; write what it is to become"
    return texts_mistake(options.columns, before)


@step(
    "translate",
    streams=True,
    samples_first=True,
    check=_check,
    packages=("ctranslate2", "sentencepiece"),
    extra="translate",
)
def translate(
    frame: pl.LazyFrame,
    texts: Sequence[str],
    work: StepWork,
    *,
    model: ModelId,
    revision: Revision | None = None,
    source_language: str = "en",
    target_language: str = "ar",
    columns: list[str] | None = None,
    beam_size: PositiveInt = 4,
    compute_type: ComputeType = "auto",
    max_length: PositiveInt | None = None,
    max_batch_tokens: PositiveInt = 2048,
) -> StepResult:
    """Translate texts, each sentence once.

    What they were travels on as `@source.<text>`, beside the rows. Rows are dropped whose text is longer than the model
    can read, or whose translation is empty or has no end. What is translated once is kept for later builds, and a build
    that was cut off goes on with the batch that it was at.

    Args:
        model: on the Hub, of the families opus-mt, NLLB or MADLAD; it is converted for CTranslate2 and kept.
        revision: its commit; null = the newest, which each build resolves and records.
        source_language: as models have it: en, eng or eng_Latn.
        target_language: the same.
        columns: the texts to translate; null = all.
        beam_size: hypotheses that are followed at once.
        compute_type: int8, int8_float16, bfloat16 …; auto = the quickest of the device that loses little.
        max_length: tokens that a text or its translation may have; null = as many as the model can read.
        max_batch_tokens: tokens that are translated at once.
    """
    chosen = list(dict.fromkeys(columns or texts))
    kind, devices = places(work.device)
    asked = (source_language, target_language, chosen_type(compute_type, kind), kind, beam_size, max_length)
    decoding = Decoding(model, work.models[model], *asked)
    engine = Engine(decoding, work.cache, devices, threads())
    with TranslationMemory(work.cache / "translations" / f"{decoding.digest[:16]}.sqlite") as memory:
        done = translate_sentences(
            lambda: _sentences(frame, chosen),
            engine,
            memory,
            folder=work.folder,
            most=max_batch_tokens,
            way=on_a_cluster if work.on == "ray" else on_this_machine,
            label=f"{work.dataset}: {work.split}: sentences",
            progress=work.progress,
        )
        work.progress.note(f"{work.what}: {done}")
        return StepResult(
            _written(frame, chosen, memory, work.folder / "translated.parquet"), facts=_facts(frame, chosen, decoding)
        )


def _sentences(frame: pl.LazyFrame, columns: Sequence[str]) -> Iterator[list[str]]:
    """The texts to translate, some rows' at a time, each once among them."""
    for rows in frame.select(columns).collect_batches(chunk_size=ROWS):
        yield _distinct(rows)


def _distinct(rows: pl.DataFrame) -> list[str]:
    return list(
        dict.fromkeys(
            text for name in rows.columns for text in rows[name].unique(maintain_order=True) if text and not blank(text)
        )
    )


def _facts(frame: pl.LazyFrame, columns: Sequence[str], decoding: Decoding) -> dict[str, float]:
    """Count the different texts of the split, and say by what they were translated: it differs between machines."""
    import polars as pl

    texts = pl.concat([frame.select(pl.col(name).alias("text")) for name in columns])
    told = texts.filter(pl.col("text").str.strip_chars() != "")
    how = f"in {decoding.compute_type} on {decoding.kind} by CTranslate2 {version('ctranslate2')}"
    return {f"sentences, {how}": int(told.select(pl.col("text").hash(1).n_unique()).collect(engine="streaming").item())}


def _written(frame: pl.LazyFrame, columns: Sequence[str], memory: TranslationMemory, path: Path) -> pl.LazyFrame:
    """The rows with their texts translated, as a file."""
    import polars as pl
    from pyarrow.parquet import ParquetWriter

    schema = _translated(pl.DataFrame(schema=frame.collect_schema()), columns, {}).to_arrow().schema
    with ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in frame.collect_batches(chunk_size=ROWS, maintain_order=True):
            known = memory.known(_distinct(rows.select(columns)))
            writer.write_table(_translated(rows, columns, known).to_arrow().cast(schema))
    return pl.scan_parquet(path)


def _translated(rows: pl.DataFrame, columns: Sequence[str], known: Mapping[str, Translated]) -> pl.DataFrame:
    """Rows with their translations, what the texts were before, and why a row has to go."""
    import polars as pl

    found = [[known[text] if text and not blank(text) else Translated(text) for text in rows[name]] for name in columns]
    why = [_why(columns, row) for row in zip(*found, strict=True)]
    before = [pl.col(name).alias(BEFORE + name) for name in columns if BEFORE + name not in rows.columns]
    after = [
        pl.Series(name, [one.text for one in ones], dtype=pl.String) for name, ones in zip(columns, found, strict=True)
    ]
    return rows.with_columns(before).with_columns(*after, pl.Series(WHY, why, dtype=pl.String))


def _why(columns: Sequence[str], row: Sequence[Translated]) -> str | None:
    return next((f"{name} {one.why}" for name, one in zip(columns, row, strict=True) if one.why), None)
