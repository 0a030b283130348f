"""The page: compare two Arabic sentences, or rank a list, with any of the Space's models at any of their dimensions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
import similarity
from similarity import Model, SpaceError

HERE = Path(__file__).parent
THEME = gr.themes.Soft(
    primary_hue="teal",
    font=["system-ui", "Segoe UI", "Noto Sans Arabic", "Tahoma", "sans-serif"],  # the reader's own: nothing is fetched
    font_mono=["ui-monospace", "Consolas", "monospace"],
)

BANDS = (  # a reading aid, not a calibration: every model has its own scale
    (0.85, "المعنى واحد تقريبًا", "nearly the same meaning"),
    (0.65, "معنى متقارب", "close"),
    (0.40, "بينهما صلة", "related"),
    (-1.0, "معنى مختلف", "different"),
)

PAPER = "https://arxiv.org/abs/2505.24581"
PAPER_PAIRS = (  # GATE paper, arXiv:2505.24581, tables 6, 7 and 8: sentences and ground truth as printed
    (6, "رجل يعزف على الغيتار", "رجل يقود سيارة", "0.1"),
    (7, "الرجال يلعبون كرة القدم", "الأولاد يلعبون كرة القدم", "0.72"),
    (8, "رجل يقوم بخدعة بطاقات", "رجل يقوم بخدعة ورق", "1"),
)
PAPER_SCORES = {  # the same tables: what its models gave, as printed
    "GATE-AraBert-v1": ("0.04", "0.81", "0.73"),
    "Arabic-Triplet-Matryoshka-V2": ("0.48", "0.661", "0.87"),
    "Arabic-all-nli-triplet-Matryoshka": ("0.48", "0.685", "0.91"),
    "Arabic-labse-Matryoshka": ("0.32", "0.835", "0.84"),
    "Marbert-all-nli-triplet-Matryoshka": ("0.38", "0.836", "0.85"),
}
OUR_PAIRS = (
    ("إعادة صياغة · paraphrase", "الطقس جميل اليوم", "الجو رائع هذا النهار"),
    ("نفي · negation", "اشتريت الكتاب من المكتبة", "لم أشترِ الكتاب من المكتبة"),
    ("لهجة · dialect", "كيف حالك اليوم؟", "إزيك عامل إيه النهارده؟"),
    ("تشكيل · diacritics", "كتب الطالب الدرس", "كَتَبَ الطَّالِبُ الدَّرْسَ"),
)
OUR_LISTS = (
    (
        "أين أتعلم البرمجة؟",
        "دورات مجانية لتعليم كتابة الشيفرة\nأفضل المطاعم في المدينة\n"
        "كتب للمبتدئين في علوم الحاسوب\nمواعيد القطارات اليوم",
    ),
    (
        "أشعر بألم في رأسي",
        "عندي صداع منذ الصباح\nرأس المال في الشركات\nنصائح لتخفيف الصداع\nالطقس حار في الصيف",
    ),
)

# ---- what it looks like ----


def html(kind: str, body: str) -> str:
    """A block of the page, written from right to left; the body is HTML already."""
    return f'<div class="zoo {kind}" dir="rtl">{body}</div>'


def both(ar: str, en: str) -> str:
    """Two paragraphs of HTML, Arabic and English, from plain text."""
    return f'<p>{escape(ar)}</p><p class="quiet" dir="ltr">{escape(en)}</p>'


def notice(error: SpaceError) -> str:
    """A block that tells an error."""
    return html("notice wrong", f'<div role="alert">{both(error.ar, error.en)}</div>')


def hint(ar: str, en: str) -> str:
    """A block that tells what to do."""
    return html("notice", both(ar, en))


COMPARE_HINT = hint(
    "اكتب جملتين ثم اضغط «قارن». أول استعمال لنموذج قد يأخذ دقيقة حتى يُحمَّل.",
    "Write two sentences and press Compare. The first use of a model may take a minute to load it.",
)
RANK_HINT = hint(
    "اكتب جملة البحث وقائمة من الجمل، جملة في كل سطر.",
    "Write a query and a list of sentences, one per line.",
)


def bar(score: float) -> str:
    """A track filled as far as a cosine goes; below zero it is empty."""
    return f'<span class="track"><span class="fill" style="width:{max(0.0, min(score, 1.0)):.1%}"></span></span>'


def band(score: float) -> str:
    """A score in words, in HTML."""
    _, ar, en = next((row for row in BANDS if score >= row[0]), BANDS[-1])
    return f'<b>{ar} <small dir="ltr">{en}</small></b>'


def printed(model: Model, sentence1: str, sentence2: str) -> str:
    """The GATE paper's figures for this pair, in HTML, when it is one of its examples; else nothing."""
    for place, (number, first, second, truth) in enumerate(PAPER_PAIRS):
        if {first, second} == {sentence1.strip(), sentence2.strip()}:
            facts = [f"الدرجة المرجعية <small>ground truth</small> <b>{truth}</b>"]
            if model.title in PAPER_SCORES:
                facts.append(f"هذا النموذج <small>this model</small> <b>{PAPER_SCORES[model.title][place]}</b>")
            return f"<p>في ورقة GATE، جدول {number} <small>table {number}</small>: {' · '.join(facts)}</p>"
    return ""


def comparison(model: Model, scores: dict[int, float], dim: int, remark: str = "") -> str:
    """The score at `dim`, large, over a bar for every dim."""
    bars = "".join(
        f'<div class="bar{" chosen" if size == dim else ""}"><span>{size}</span>{bar(score)}'
        f'<span class="value" dir="ltr">{score:.3f}</span></div>'
        for size, score in scores.items()
    )
    head = f'<output dir="ltr">{scores[dim]:.3f}</output>{band(scores[dim])}'
    foot = f"<small><bdi>{escape(model.title)}</bdi> · {dim} بُعدًا / dimensions</small>"
    return html("result", f'<div class="score" role="status">{head}</div>{remark}{bars}{foot}')


def ranking(rows: Sequence[tuple[str, float]]) -> str:
    """A list of sentences with their scores, in HTML."""
    items = "".join(
        f'<li><span class="quiet">{place}</span><span class="sentence" dir="auto">{escape(sentence)}</span>'
        f'<span class="value" dir="ltr">{score:.3f}</span>{bar(score)}</li>'
        for place, (sentence, score) in enumerate(rows, start=1)
    )
    return html("result", f'<ol class="ranking">{items}</ol>')


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML of cells that are HTML already.

    The first column is text, the others are numbers; a short row's last cell fills it.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        first, *numbers, last = cells
        rest = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in numbers)
        span = len(head) - len(cells) + 1
        return f'<tr><{tag}>{first}</{tag}>{rest}<{tag} class="number" colspan="{span}">{last}</{tag}></tr>'

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(head, "th")}</thead><tbody>{body}</tbody></table></div>'


def paper_table() -> str:
    """The GATE paper's examples and what its models gave for them, in HTML."""
    head = ["", *(f"{first}<br>{second}<br><small>جدول {number}</small>" for number, first, second, _ in PAPER_PAIRS)]
    truth = ["<b>الدرجة المرجعية <small>ground truth</small></b>", *(f"<b>{pair[3]}</b>" for pair in PAPER_PAIRS)]
    rows = [[f"<bdi>{name}</bdi>", *scores] for name, scores in PAPER_SCORES.items()]
    source = f'<p class="quiet" dir="ltr">Source: <a href="{PAPER}">GATE, arXiv:2505.24581</a>, tables 6-8</p>'
    return html("paper", table(head, [truth, *rows]) + source)


def models_table(models: Sequence[Model]) -> str:
    """The Space's models with their revisions and dims, in HTML."""
    rows = [
        [
            f"<bdi>{escape(model.title)}</bdi><br><small dir='ltr'>{escape(model.id)}</small>",
            f"<code>{model.revision[:8] if model.revision else '-'}</code>",
            f"<span dir='ltr'>{', '.join(map(str, model.dims)) or '-'}</span>",
        ]
        for model in models
    ]
    return html("models", table(["النموذج <small>model</small>", "revision", "الأبعاد <small>dims</small>"], rows))


def matrix(answers: Sequence[tuple[Model, dict[int, float] | SpaceError]]) -> str:
    """A table in HTML with one row per model, and one column per dim that any of them has."""
    dims = sorted({dim for _, scores in answers if isinstance(scores, dict) for dim in scores}, reverse=True)
    rows = [matrix_row(model, answer, dims) for model, answer in answers]
    return html("result", table(["النموذج <small>model</small>", *(map(str, dims) if dims else "-")], rows))


def matrix_row(model: Model, answer: dict[int, float] | SpaceError, dims: Sequence[int]) -> list[str]:
    """The cells of a model in that table: its scores, or why it has none."""
    title = f"<bdi>{escape(model.title)}</bdi>"
    if isinstance(answer, SpaceError):
        return [title, f"<small>{escape(answer.ar)}</small>"]
    return [title, *(f'<span dir="ltr">{answer[dim]:.3f}</span>' if dim in answer else "" for dim in dims)]


# ---- what it does ----


def show_comparison(models: Sequence[Model], model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
    """The HTML that answers the button Compare; an error is shown too."""
    try:
        model = similarity.find(models, model_id)
        scores = similarity.compare(model, sentence1, sentence2)
        return comparison(model, scores, similarity.chosen(model, dim), printed(model, sentence1, sentence2))
    except SpaceError as error:
        warn(error)
        return notice(error)


def show_ranking(models: Sequence[Model], model_id: str, dim: int | None, query: str, sentences: str) -> str:
    """The HTML that answers the button Rank; an error is shown too."""
    try:
        return ranking(similarity.rank(similarity.find(models, model_id), query, sentences, dim))
    except SpaceError as error:
        warn(error)
        return notice(error)


def show_all(models: Sequence[Model], sentence1: str, sentence2: str) -> Iterator[str]:
    """The table of all models, again with one row more whenever a model has answered."""
    try:
        pair = similarity.pair(sentence1, sentence2)
    except SpaceError as error:
        warn(error)
        yield notice(error)
        return
    answers = []
    for model in models:
        answers.append((model, attempt(model, *pair)))
        yield matrix(answers)


def attempt(model: Model, sentence1: str, sentence2: str) -> dict[int, float] | SpaceError:
    """The scores of a model, or the error that it ended with."""
    try:
        return similarity.compare(model, sentence1, sentence2)
    except SpaceError as error:
        return error


def warn(error: SpaceError) -> None:
    """Show an error above the page, for readers who have scrolled away from the result."""
    gr.Warning(both(error.ar, error.en))


def dims_menu(models: Sequence[Model], model_id: str) -> dict:
    """The update of the menu of sizes, the widest chosen. A model listed without sizes is loaded to find out."""
    try:
        dims = similarity.dims_of(similarity.find(models, model_id))
    except SpaceError as error:
        warn(error)
        dims = ()
    return gr.update(choices=list(dims), value=dims[0] if dims else None)


# ---- how it is wired ----


def block(content: str, *, elem_id: str | None = None, render: bool = True) -> gr.HTML:
    """A piece of the page with this HTML."""
    return gr.HTML(content, elem_id=elem_id, render=render, apply_default_css=False)


def model_and_dim(models: Sequence[Model], prefix: str, hint: str) -> tuple[gr.Dropdown, gr.Radio, gr.HTML]:
    """Menus of models and sizes, and the place for the result, which the caller renders."""
    first = models[0].dims
    with gr.Row():
        menu = gr.Dropdown(
            [(model.title, model.id) for model in models],
            label="النموذج / Model",
            elem_id=f"{prefix}-model",
            filterable=False,
            min_width=240,
        )
        dim = gr.Radio(
            list(first),
            value=first[0] if first else None,
            label="عدد الأبعاد / Dimensions",
            elem_id=f"{prefix}-dim",
            min_width=240,
            rtl=True,
        )
    return menu, dim, block(hint, elem_id=f"{prefix}-result", render=False)


def choose_model(demo: gr.Blocks, models: Sequence[Model], menu: gr.Dropdown, dim: gr.Radio) -> None:
    """Wire the menu of models to the menu of sizes."""

    def dims(model_id: str) -> dict:
        return dims_menu(models, model_id)

    menu.input(dims, menu, dim, api_visibility="private")
    if not models[0].dims:
        demo.load(dims, menu, dim, api_visibility="private")


def compare_tab(demo: gr.Blocks, models: Sequence[Model]) -> None:
    """Lay out and wire the tab that compares two sentences."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            first = sentence_box("الجملة الأولى / Sentence 1", "sentence-1", "مثال: الطقس جميل اليوم")
            second = sentence_box("الجملة الثانية / Sentence 2", "sentence-2", "مثال: الجو رائع هذا النهار")
            menu, dim, result = model_and_dim(models, "compare", COMPARE_HINT)
            with gr.Row():
                button = gr.Button("قارن / Compare", variant="primary", elem_id="compare")
                every = gr.Button("كل النماذج / All models", elem_id="compare-all", visible=len(models) > 1)
        with gr.Column(min_width=300):
            result.render()
    pairs, labels = examples()
    chosen = gr.Examples(
        pairs, [first, second], label="أمثلة / Examples", example_labels=labels, cache_examples=False, preload=False
    )
    with gr.Accordion("ماذا طبعت ورقة GATE؟ / What the GATE paper printed", open=False):
        block(paper_table())

    def show(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
        return show_comparison(models, model_id, dim, sentence1, sentence2)

    def again(model_id: str, dim: int | None, sentence1: str, sentence2: str) -> str:
        return show(model_id, dim, sentence1, sentence2) if sentence1.strip() and sentence2.strip() else COMPARE_HINT

    def show_every(sentence1: str, sentence2: str) -> Iterator[str]:
        yield from show_all(models, sentence1, sentence2)

    inputs = [menu, dim, first, second]
    choose_model(demo, models, menu, dim)
    menu.input(lambda: COMPARE_HINT, None, result, api_visibility="private")
    gr.on([button.click, first.submit, second.submit], show, inputs, result, api_visibility="private")
    dim.input(again, inputs, result, api_visibility="private")
    chosen.load_input_event.then(again, inputs, result, api_visibility="private")
    every.click(show_every, [first, second], result, api_visibility="private")


def examples() -> tuple[list[list[str]], list[str]]:
    """Pairs of sentences, and what their buttons say."""
    paper = [
        ([one, two], f"ورقة GATE، جدول {number} · المرجع {truth} ground truth")
        for number, one, two, truth in PAPER_PAIRS
    ]
    ours = [([one, two], label) for label, one, two in OUR_PAIRS]
    pairs, labels = zip(*paper, *ours, strict=True)
    return list(pairs), list(labels)


def sentence_box(label: str, elem_id: str, placeholder: str) -> gr.Textbox:
    """A box to write an Arabic sentence in."""
    return gr.Textbox(label=label, elem_id=elem_id, placeholder=placeholder, rtl=True, lines=2, max_lines=6)


def rank_tab(demo: gr.Blocks, models: Sequence[Model]) -> None:
    """Lay out and wire the tab that ranks a list of sentences."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            query = gr.Textbox(label="جملة البحث / Query", elem_id="query", rtl=True, placeholder="أين أتعلم البرمجة؟")
            sentences = gr.Textbox(
                label="الجمل / Sentences",
                elem_id="sentences",
                rtl=True,
                lines=6,
                max_lines=16,
                info=f"جملة في كل سطر، حتى {similarity.MOST_LINES} سطر و{similarity.MOST_CHARACTERS:,} حرف / "
                f"one per line, up to {similarity.MOST_LINES} lines and {similarity.MOST_CHARACTERS:,} characters",
            )
            menu, dim, result = model_and_dim(models, "rank", RANK_HINT)
            button = gr.Button("رتّب / Rank", variant="primary", elem_id="rank")
        with gr.Column(min_width=300):
            result.render()
    queries = [query for query, _ in OUR_LISTS]
    chosen = gr.Examples(
        [list(row) for row in OUR_LISTS],
        [query, sentences],
        label="أمثلة / Examples",
        example_labels=queries,
        cache_examples=False,
        preload=False,
    )

    def show(model_id: str, dim: int | None, query: str, sentences: str) -> str:
        return show_ranking(models, model_id, dim, query, sentences)

    def again(model_id: str, dim: int | None, query: str, sentences: str) -> str:
        return show(model_id, dim, query, sentences) if query.strip() and sentences.strip() else RANK_HINT

    inputs = [menu, dim, query, sentences]
    choose_model(demo, models, menu, dim)
    menu.input(lambda: RANK_HINT, None, result, api_visibility="private")
    gr.on([button.click, query.submit], show, inputs, result, api_visibility="private")
    dim.input(again, inputs, result, api_visibility="private")
    chosen.load_input_event.then(again, inputs, result, api_visibility="private")


def one_line(text: str) -> str:
    """The text with all white space made single spaces."""
    return " ".join(text.split())


def endpoints(models: Sequence[Model]) -> None:
    """Offer `/compare` and `/rank` to gradio_client and curl; an error arrives there as its message."""

    def compare(sentence1: str, sentence2: str, model: str | None = None, dim: int | None = None) -> dict:
        """Cosine similarity: {"model", "dim", "score", "by_dim": {"768": ...}}. Default: first model, full width."""
        try:
            found = similarity.find(models, model)
            scores, dim = similarity.compare(found, sentence1, sentence2), similarity.chosen(found, dim)
        except SpaceError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return {"model": found.id, "dim": dim, "score": scores[dim], "by_dim": {str(d): s for d, s in scores.items()}}

    def rank(query: str, sentences: list[str], model: str | None = None, dim: int | None = None) -> list[dict]:
        """[{"sentence", "score"}], best first. Default: first model, full width."""
        try:
            rows = similarity.rank(similarity.find(models, model), query, "\n".join(map(one_line, sentences)), dim)
        except SpaceError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return [{"sentence": sentence, "score": score} for sentence, score in rows]

    gr.api(compare, api_name="compare")
    gr.api(rank, api_name="rank")


TITLE = html(
    "title",
    "<h1>تشابه الجمل العربية</h1><p>كم تتقارب جملتان في المعنى؟ قارن بين النماذج وعند كل حجم للمتجه.</p>"
    '<p class="quiet" dir="ltr">How alike are two Arabic sentences? Any model, any size of its vectors.</p>',
)


def page(models: Sequence[Model]) -> gr.Blocks:
    """The whole page of the Space."""
    with gr.Blocks(title="تشابه الجمل العربية · Arabic sentence similarity", analytics_enabled=False) as demo:
        block(TITLE)
        with gr.Tab("قارن بين جملتين / Compare"):
            compare_tab(demo, models)
        with gr.Tab("رتّب قائمة / Rank"):
            rank_tab(demo, models)
        with gr.Accordion("النماذج / Models", open=False):
            block(models_table(models))
        endpoints(models)
    return demo


def excuse(error: SpaceError) -> gr.Blocks:
    """The page of a Space that has nothing to show yet."""
    with gr.Blocks(title="تشابه الجمل العربية") as demo:
        block(TITLE + notice(error))
    return demo


def build() -> gr.Blocks:
    """The page, or the one that tells why there is none."""
    try:
        return page(similarity.catalogue(HERE, os.environ))
    except SpaceError as error:
        return excuse(error)


if __name__ == "__main__":  # host and port: GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, as gradio reads them
    build().launch(theme=THEME, css_paths=[HERE / "style.css"], footer_links=["api"], ssr_mode=False)
