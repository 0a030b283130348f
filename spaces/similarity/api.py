"""What gradio_client and curl may ask: `/compare` and `/rank`; an error arrives there as its message."""

from __future__ import annotations

from collections.abc import Sequence

import encoding
import gradio as gr
import similarity
import texts
from catalogue import Model, find
from words import SpaceError, Words


def endpoints(models: Sequence[Model], words: Words) -> None:
    """Offer them; to be called within the page's Blocks."""

    async def compare(sentence1: str, sentence2: str, model: str | None = None, dim: int | None = None) -> dict:
        """Cosine: {"model", "dim", "score", "by_dim": {"768": ...}}. Default: first model, full width."""
        try:
            found, pair = find(models, model), texts.pair(sentence1, sentence2)
            scores = similarity.similarities(await encoding.encode(found, pair), await encoding.dims_of(found))
            dim = await encoding.chosen(found, dim)
        except SpaceError as error:
            raise refused(error, words) from error
        by_dim = {str(size): score for size, score in scores.items()}
        return {"model": found.id, "dim": dim, "score": scores[dim], "by_dim": by_dim}

    async def rank(query: str, sentences: list[str], model: str | None = None, dim: int | None = None) -> list[dict]:
        """[{"sentence", "score"}], best first. Default: first model, full width."""
        try:
            found = find(models, model)
            asked = (texts.written(query, "the query"), *texts.lines("\n".join(map(one_line, sentences))))
            rows = similarity.best_first(await encoding.encode(found, asked), await encoding.chosen(found, dim))
        except SpaceError as error:
            raise refused(error, words) from error
        return [{"sentence": asked[index + 1], "score": score} for index, score in rows]

    gr.api(compare, api_name="compare", concurrency_limit=None)
    gr.api(rank, api_name="rank", concurrency_limit=None)


def refused(error: SpaceError, words: Words) -> gr.Error:
    """An error as the API answers it."""
    return gr.Error(words.line(error.text, **error.values), print_exception=False)


def one_line(text: str) -> str:
    """The text with all white space made single spaces."""
    return " ".join(text.split())
