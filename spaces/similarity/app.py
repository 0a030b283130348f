"""The page: compare two sentences, or rank a list, with any of the Space's models at any of their dimensions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
import similarity
from about import About, Words, about
from similarity import Model, SpaceError

HERE = Path(__file__).parent
STYLES = (HERE / "style.css", HERE / "rtl.css")  # the second is of pages that run from right to left

BANDS = (  # a reading aid, not a calibration: every model has its own scale
    (0.85, "nearly the same meaning"),
    (0.65, "close"),
    (0.40, "related"),
    (-1.0, "different"),
)
LEAD = "How alike are two sentences? Any model, any size of its vectors."
COMPARE_HINT = "Write two sentences and press Compare. The first use of a model may take a minute to load it."
RANK_HINT = "Write a query and a list of sentences, one per line."


def theme(fonts: Sequence[str]) -> gr.themes.Base:
    """The looks, with the reader's own fonts: nothing is fetched."""
    return gr.themes.Soft(
        primary_hue="teal",
        font=["system-ui", "Segoe UI", *fonts, "Tahoma", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    )


# ---- what it looks like ----


def shows(text: str) -> str:
    """The JavaScript that puts this in a result's place: at once, where the server's might come after the answer."""
    return f"() => {json.dumps(text)}"


class Pieces:
    """Pieces of the page as HTML, in the words of a Space."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.words = about.words

    def html(self, kind: str, body: str) -> str:
        """A block of the page, in the direction of its language; the body is HTML already."""
        return f'<div class="zoo {kind}" dir="{self.words.direction}">{body}</div>'

    def title(self) -> str:
        """The heading of the page."""
        heading = f"<h1>{escape(self.words.first(self.about.title))}</h1>"
        return self.html("title", heading + self.words.both(LEAD))

    def notice(self, error: SpaceError) -> str:
        """A block that tells an error."""
        return self.html("notice wrong", f'<div role="alert">{self.told(error)}</div>')

    def told(self, error: SpaceError) -> str:
        """An error as paragraphs."""
        return self.words.both(error.text, **error.values)

    def hint(self, text: str) -> str:
        """A block that tells what to do."""
        return self.html("notice", self.words.both(text))

    def printed(self, model: Model, sentence1: str, sentence2: str) -> str:
        """The paper's figures for this pair, when it is one of its examples; else nothing."""
        paper = self.about.paper
        for pair in paper.pairs:
            if {pair.first, pair.second} == {sentence1.strip(), sentence2.strip()}:
                facts = [f"{self.words.beside('ground truth')} <b>{escape(pair.truth)}</b>"]
                if model.title in pair.scores:
                    facts.append(f"{self.words.beside('this model')} <b>{escape(pair.scores[model.title])}</b>")
                where = self.words.beside("In the {paper} paper, table {table}", paper=paper.name, table=pair.table)
                return f"<p>{where}: {' · '.join(facts)}</p>"
        return ""

    def comparison(self, model: Model, scores: dict[int, float], dim: int, remark: str = "") -> str:
        """The score at `dim`, large, over a bar for every dim."""
        bars = "".join(
            f'<div class="bar{" chosen" if size == dim else ""}"><span>{size}</span>{bar(score)}'
            f'<span class="value" dir="ltr">{score:.3f}</span></div>'
            for size, score in scores.items()
        )
        head = f'<output dir="ltr">{scores[dim]:.3f}</output>{self.band(scores[dim])}'
        foot = f"<small><bdi>{escape(model.title)}</bdi> · {dim} {self.words.line('dimensions')}</small>"
        return self.html("result", f'<div class="score" role="status">{head}</div>{remark}{bars}{foot}')

    def band(self, score: float) -> str:
        """A score in words."""
        _, text = next((row for row in BANDS if score >= row[0]), BANDS[-1])
        return f"<b>{self.words.beside(text)}</b>"

    def ranking(self, rows: Sequence[tuple[str, float]]) -> str:
        """A list of sentences with their scores."""
        items = "".join(
            f'<li><span class="quiet">{place}</span><span class="sentence" dir="auto">{escape(sentence)}</span>'
            f'<span class="value" dir="ltr">{score:.3f}</span>{bar(score)}</li>'
            for place, (sentence, score) in enumerate(rows, start=1)
        )
        return self.html("result", f'<ol class="ranking">{items}</ol>')

    def paper_table(self) -> str:
        """The paper's examples and what its models gave for them."""
        paper = self.about.paper
        heads = [
            f"{escape(pair.first)}<br>{escape(pair.second)}<br>"
            f"<small>{escape(self.words.first('table {table}', table=pair.table))}</small>"
            for pair in paper.pairs
        ]
        truth = [
            f"<b>{self.words.beside('ground truth')}</b>",
            *(f"<b>{escape(pair.truth)}</b>" for pair in paper.pairs),
        ]
        rows = [
            [f"<bdi>{escape(title)}</bdi>", *(escape(pair.scores.get(title, "-")) for pair in paper.pairs)]
            for title in paper.models
        ]
        named = escape(f"{paper.name}, {paper.cited}")
        tables = ", ".join(escape(pair.table) for pair in paper.pairs)
        source = f'Source: <a href="{escape(paper.url)}">{named}</a>, tables {tables}'
        return self.html("paper", table(["", *heads], [truth, *rows]) + f'<p class="quiet" dir="ltr">{source}</p>')

    def models_table(self, models: Sequence[Model]) -> str:
        """The Space's models with their revisions and dims."""
        rows = [
            [
                f"<bdi>{escape(model.title)}</bdi><br><small dir='ltr'>{escape(model.id)}</small>",
                f"<code>{model.revision[:8] if model.revision else '-'}</code>",
                f"<span dir='ltr'>{', '.join(map(str, model.dims)) or '-'}</span>",
            ]
            for model in models
        ]
        return self.html("models", table([self.words.beside("model"), "revision", self.words.beside("dims")], rows))

    def matrix(self, answers: Sequence[tuple[Model, dict[int, float] | SpaceError]]) -> str:
        """A table with one row per model, and one column per dim that any of them has."""
        dims = sorted({dim for _, scores in answers if isinstance(scores, dict) for dim in scores}, reverse=True)
        rows = [self.matrix_row(model, answer, dims) for model, answer in answers]
        return self.html("result", table([self.words.beside("model"), *(map(str, dims) if dims else "-")], rows))

    def matrix_row(self, model: Model, answer: dict[int, float] | SpaceError, dims: Sequence[int]) -> list[str]:
        """The cells of a model in that table: its scores, or why it has none."""
        title = f"<bdi>{escape(model.title)}</bdi>"
        if isinstance(answer, SpaceError):
            return [title, f"<small>{escape(self.words.first(answer.text, **answer.values))}</small>"]
        return [title, *(f'<span dir="ltr">{answer[dim]:.3f}</span>' if dim in answer else "" for dim in dims)]


def bar(score: float) -> str:
    """A track filled as far as a cosine goes; below zero it is empty."""
    return f'<span class="track"><span class="fill" style="width:{max(0.0, min(score, 1.0)):.1%}"></span></span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML of cells that are HTML already.

    The first column is text, the others are numbers; a short row's last cell fills it.
    """

    def filled(cells: Sequence[str], tag: str) -> str:
        first, *numbers, last = cells
        rest = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in numbers)
        span = len(head) - len(cells) + 1
        return f'<tr><{tag}>{first}</{tag}>{rest}<{tag} class="number" colspan="{span}">{last}</{tag}></tr>'

    body = "".join(filled(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{filled(head, "th")}</thead><tbody>{body}</tbody></table></div>'


# ---- what it does ----


class Page:
    """The page of a Space: what it does with its models, and how that is wired."""

    def __init__(self, about: About, models: Sequence[Model]) -> None:
        self.about = about
        self.words = about.words
        self.pieces = Pieces(about)
        self.models = models

    def show_comparison(self, model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
        """The HTML that answers the button Compare; an error is shown too."""
        try:
            model = similarity.find(self.models, model_id)
            scores = similarity.compare(model, sentence1, sentence2)
            remark = self.pieces.printed(model, sentence1, sentence2)
            return self.pieces.comparison(model, scores, similarity.chosen(model, dim), remark)
        except SpaceError as error:
            self.warn(error)
            return self.pieces.notice(error)

    def show_ranking(self, model_id: str, dim: int | None, query: str, sentences: str) -> str:
        """The HTML that answers the button Rank; an error is shown too."""
        try:
            return self.pieces.ranking(similarity.rank(similarity.find(self.models, model_id), query, sentences, dim))
        except SpaceError as error:
            self.warn(error)
            return self.pieces.notice(error)

    def show_all(self, sentence1: str, sentence2: str) -> Iterator[str]:
        """The table of all models, again with one row more whenever a model has answered."""
        try:
            pair = similarity.pair(sentence1, sentence2)
        except SpaceError as error:
            self.warn(error)
            yield self.pieces.notice(error)
            return
        answers = []
        for model in self.models:
            answers.append((model, attempt(model, *pair)))
            yield self.pieces.matrix(answers)

    def warn(self, error: SpaceError) -> None:
        """Show an error above the page, for readers who have scrolled away from the result."""
        gr.Warning(self.pieces.told(error))

    def dims_menu(self, model_id: str) -> dict:
        """The update of the menu of sizes, the widest chosen. A model listed without sizes is loaded to find out."""
        try:
            dims = similarity.dims_of(similarity.find(self.models, model_id))
        except SpaceError as error:
            self.warn(error)
            dims = ()
        return gr.update(choices=list(dims), value=dims[0] if dims else None)

    # ---- how it is wired ----

    def model_and_dim(self, prefix: str, hint: str) -> tuple[gr.Dropdown, gr.Radio, gr.HTML]:
        """Menus of models and sizes, and the place for the result, which the caller renders."""
        first = self.models[0].dims
        with gr.Row():
            menu = gr.Dropdown(
                [(model.title, model.id) for model in self.models],
                label=self.words.line("Model"),
                elem_id=f"{prefix}-model",
                filterable=False,
                min_width=240,
            )
            dim = gr.Radio(
                list(first),
                value=first[0] if first else None,
                label=self.words.line("Dimensions"),
                elem_id=f"{prefix}-dim",
                min_width=240,
                rtl=self.words.right_to_left,
            )
        return menu, dim, block(hint, elem_id=f"{prefix}-result", render=False)

    def choose_model(self, demo: gr.Blocks, menu: gr.Dropdown, dim: gr.Radio) -> None:
        """Wire the menu of models to the menu of sizes."""

        def dims(model_id: str) -> dict:
            return self.dims_menu(model_id)

        menu.input(dims, menu, dim, api_visibility="private")
        if not self.models[0].dims:
            demo.load(dims, menu, dim, api_visibility="private")

    def compare_tab(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab that compares two sentences."""
        hint = self.pieces.hint(COMPARE_HINT)
        example = next(((pair.first, pair.second) for pair in self.about.pairs), ("", ""))
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                first = self.sentence_box("Sentence 1", "sentence-1", example[0])
                second = self.sentence_box("Sentence 2", "sentence-2", example[1])
                menu, dim, result = self.model_and_dim("compare", hint)
                with gr.Row():
                    button = gr.Button(self.words.line("Compare"), variant="primary", elem_id="compare")
                    every = gr.Button(
                        self.words.line("All models"), elem_id="compare-all", visible=len(self.models) > 1
                    )
            with gr.Column(min_width=300):
                result.render()
        pairs, labels = self.examples()
        chosen = gr.Examples(
            pairs,
            [first, second],
            label=self.words.line("Examples"),
            example_labels=labels,
            cache_examples=False,
            preload=False,
        )
        if self.about.paper.pairs:
            heading = self.words.line("What the {paper} paper printed", paper=self.about.paper.name)
            with gr.Accordion(heading, open=False):
                block(self.pieces.paper_table())

        def show(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return self.show_comparison(model_id, dim, sentence1, sentence2)

        def again(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
            return show(model_id, dim, sentence1, sentence2) if sentence1.strip() and sentence2.strip() else hint

        def show_every(sentence1: str, sentence2: str) -> Iterator[str]:
            yield from self.show_all(sentence1, sentence2)

        inputs = [menu, dim, first, second]
        self.choose_model(demo, menu, dim)
        menu.input(None, None, result, js=shows(hint), api_visibility="private")
        gr.on([button.click, first.submit, second.submit], show, inputs, result, api_visibility="private")
        dim.input(again, inputs, result, api_visibility="private")
        chosen.load_input_event.then(again, inputs, result, api_visibility="private")
        every.click(show_every, [first, second], result, api_visibility="private")

    def examples(self) -> tuple[list[list[str]], list[str]]:
        """Pairs of sentences, those of the paper first, and what their buttons say."""
        paper = self.about.paper
        said = "{paper} paper, table {table} · ground truth {truth}"
        printed = [
            ([one.first, one.second], self.words.first(said, paper=paper.name, table=one.table, truth=one.truth))
            for one in paper.pairs
        ]
        pairs, labels = zip(*printed, *(([one.first, one.second], one.label) for one in self.about.pairs), strict=True)
        return list(pairs), list(labels)

    def sentence_box(self, label: str, elem_id: str, example: str) -> gr.Textbox:
        """A box to write a sentence in."""
        return gr.Textbox(
            label=self.words.line(label),
            elem_id=elem_id,
            placeholder=self.words.first("For example: {text}", text=example),
            rtl=self.words.right_to_left,
            lines=2,
            max_lines=6,
        )

    def rank_tab(self, demo: gr.Blocks) -> None:
        """Lay out and wire the tab that ranks a list of sentences."""
        hint, rtl = self.pieces.hint(RANK_HINT), self.words.right_to_left
        queries = [query for query, _ in self.about.lists]
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                query = gr.Textbox(
                    label=self.words.line("Query"), elem_id="query", rtl=rtl, placeholder=queries[0] if queries else ""
                )
                sentences = gr.Textbox(
                    label=self.words.line("Sentences"),
                    elem_id="sentences",
                    rtl=rtl,
                    lines=6,
                    max_lines=16,
                    info=self.words.line(
                        "one per line, up to {lines} lines and {characters:,} characters",
                        lines=similarity.MOST_LINES,
                        characters=similarity.MOST_CHARACTERS,
                    ),
                )
                menu, dim, result = self.model_and_dim("rank", hint)
                button = gr.Button(self.words.line("Rank"), variant="primary", elem_id="rank")
            with gr.Column(min_width=300):
                result.render()
        chosen = gr.Examples(
            [list(row) for row in self.about.lists],
            [query, sentences],
            label=self.words.line("Examples"),
            example_labels=queries,
            cache_examples=False,
            preload=False,
        )

        def show(model_id: str, dim: int | None, query: str, sentences: str) -> str:
            return self.show_ranking(model_id, dim, query, sentences)

        def again(model_id: str, dim: int | None, query: str, sentences: str) -> str:
            return show(model_id, dim, query, sentences) if query.strip() and sentences.strip() else hint

        inputs = [menu, dim, query, sentences]
        self.choose_model(demo, menu, dim)
        menu.input(None, None, result, js=shows(hint), api_visibility="private")
        gr.on([button.click, query.submit], show, inputs, result, api_visibility="private")
        dim.input(again, inputs, result, api_visibility="private")
        chosen.load_input_event.then(again, inputs, result, api_visibility="private")

    def endpoints(self) -> None:
        """Offer `/compare` and `/rank` to gradio_client and curl; an error arrives there as its message."""

        def compare(sentence1: str, sentence2: str, model: str | None = None, dim: int | None = None) -> dict:
            """Cosine: {"model", "dim", "score", "by_dim": {"768": ...}}. Default: first model, full width."""
            try:
                found = similarity.find(self.models, model)
                scores, dim = similarity.compare(found, sentence1, sentence2), similarity.chosen(found, dim)
            except SpaceError as error:
                raise refused(error, self.words) from error
            by_dim = {str(size): score for size, score in scores.items()}
            return {"model": found.id, "dim": dim, "score": scores[dim], "by_dim": by_dim}

        def rank(query: str, sentences: list[str], model: str | None = None, dim: int | None = None) -> list[dict]:
            """[{"sentence", "score"}], best first. Default: first model, full width."""
            try:
                found = similarity.find(self.models, model)
                rows = similarity.rank(found, query, "\n".join(map(one_line, sentences)), dim)
            except SpaceError as error:
                raise refused(error, self.words) from error
            return [{"sentence": sentence, "score": score} for sentence, score in rows]

        gr.api(compare, api_name="compare")
        gr.api(rank, api_name="rank")

    def render(self) -> gr.Blocks:
        """The whole page of the Space."""
        with gr.Blocks(title=self.words.line(self.about.title, " · "), analytics_enabled=False) as demo:
            block(self.pieces.title())
            with gr.Tab(self.words.line("Compare")):
                self.compare_tab(demo)
            with gr.Tab(self.words.line("Rank")):
                self.rank_tab(demo)
            with gr.Accordion(self.words.line("Models"), open=False):
                block(self.pieces.models_table(self.models))
            self.endpoints()
        return demo


def refused(error: SpaceError, words: Words) -> gr.Error:
    """An error as the API answers it."""
    return gr.Error(words.line(error.text, **error.values), print_exception=False)


def attempt(model: Model, sentence1: str, sentence2: str) -> dict[int, float] | SpaceError:
    """The scores of a model, or the error that it ended with."""
    try:
        return similarity.compare(model, sentence1, sentence2)
    except SpaceError as error:
        return error


def block(content: str, *, elem_id: str | None = None, render: bool = True) -> gr.HTML:
    """A piece of the page with this HTML."""
    return gr.HTML(content, elem_id=elem_id, render=render, apply_default_css=False)


def one_line(text: str) -> str:
    """The text with all white space made single spaces."""
    return " ".join(text.split())


def excuse(said: About, error: SpaceError) -> gr.Blocks:
    """The page of a Space that has nothing to show yet."""
    pieces = Pieces(said)
    with gr.Blocks(title=said.words.first(said.title)) as demo:
        block(pieces.title() + pieces.notice(error))
    return demo


def build(said: About) -> gr.Blocks:
    """The page, or the one that tells why there is none."""
    try:
        return Page(said, similarity.catalogue(HERE, os.environ)).render()
    except SpaceError as error:
        return excuse(said, error)


def main() -> None:
    """Run the app. Host and port: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, as gradio reads them."""
    try:
        said = about(HERE)
        demo = build(said)
    except SpaceError as error:
        said = About()
        demo = excuse(said, error)
    styles = STYLES if said.words.right_to_left else STYLES[:1]
    demo.launch(theme=theme(said.fonts), css_paths=list(styles), footer_links=["api"], ssr_mode=False)


if __name__ == "__main__":
    main()
