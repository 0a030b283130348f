"""The similarity Space: its functions, its page in a real Chromium, and its API, with two tiny real models."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from browser import DESKTOP, findings, offline, open_browser
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from zoo.cards.arabiccounts import Noun, form_with

ROOT = Path(__file__).parents[1]
SPACE = ROOT / "spaces" / "similarity"
DIMS = [64, 32, 16]
SENTENCES = [
    "رجل يعزف على الغيتار",
    "رجل يقود سيارة",
    "الأولاد يلعبون كرة القدم",
    "الرجال يلعبون كرة القدم",
    "القطة تنام في البيت",
    "الطقس جميل اليوم",
]
FIRST, SECOND = PAIR = SENTENCES[0], SENTENCES[1]
ARABIC = {"title": "Arabic sentence similarity", "language": ["ar"], "interface": ["en", "ar"]}
ENGLISH = {"title": "Plain sentences", "language": ["en"], "interface": ["en"]}
FRENCH = {**ENGLISH, "language": ["fr"], "examples": ["Il fait beau", "Le temps est superbe", "Le train part"]}
START_SECONDS = 180  # torch is imported beside it, on a machine that may be busy


# ---- two small models, a Space that offers them ----


def tiny_model(folder: Path, *, seed: int):
    """A SentenceTransformer of two layers and width 64, with random weights, that knows the words of SENTENCES."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    tokenizer = wordpiece()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=DIMS[0],
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=64,
        initializer_range=0.4,  # wide, so that sentences do not all look the same
    )
    BertModel(config).save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    bert = Transformer(str(folder / "bert"))
    model = SentenceTransformer(modules=[bert, Pooling(DIMS[0], pooling_mode="mean")], device="cpu")
    model.save_pretrained(str(folder / "model"))
    return model


def wordpiece():
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    trained = BertWordPieceTokenizer(strip_accents=False, lowercase=False)
    trained.train_from_iterator(SENTENCES, vocab_size=300, min_frequency=1, show_progress=False)
    return BertTokenizerFast(tokenizer_object=trained._tokenizer, do_lower_case=False, model_max_length=64)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("models")
    return SimpleNamespace(one=tiny_model(root / "one", seed=1), two=tiny_model(root / "two", seed=2), root=root)


@pytest.fixture(scope="module")
def space(models: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the Space answers: a copy, away from the checkout, as it would lie on the Hub."""
    folder = tmp_path_factory.mktemp("space") / "similarity"
    shutil.copytree(SPACE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    listing = [
        {
            "id": str(models.root / "one" / "model"),
            "title": "النموذج الأول",
            "dims": DIMS,
            "calibration": calibration(),
        },
        {"id": str(models.root / "two" / "model"), "title": "Second", "dims": DIMS[:2]},
        {"id": "lab/unreachable", "revision": "0" * 40, "title": "Unreachable", "dims": DIMS},
    ]
    (folder / "models.json").write_text(json.dumps(listing, ensure_ascii=False), "utf-8")
    (folder / "space.json").write_text(json.dumps({**ARABIC, "paper": printed_by_paper()}, ensure_ascii=False), "utf-8")
    with serve(folder) as url:
        yield url


def calibration() -> dict[str, Any]:
    """Pairs that people scored, as models see them: at 64 any two texts are far apart, at 16 near to each other."""
    low, high = [0.0, 0.999], [-1.0, -0.5]
    gold = [[0.1, 0.3], [0.5, 0.9]]
    sizes = {"64": low, "32": low, "16": high}
    return {
        "data": "arabic-stsb/validation",
        "rows": 300,
        "dims": {dim: {"quantiles": knots, "gold": gold} for dim, knots in sizes.items()},
    }


def printed_by_paper() -> dict[str, Any]:
    """The paper's pairs, as the release of the shipped family's Space has them."""
    from zoo.cards.about import about
    from zoo.evidence.published import PAIRS, printed_rows
    from zoo.recipe import Workspace

    release = Workspace(ROOT).recipe("arabert-hybrid").release
    found: dict[str, Any] = about("", [release], printed_rows(ROOT / "recipes", PAIRS))["paper"]
    return found


@contextmanager
def serve(folder: Path, *, offline: bool = True) -> Iterator[str]:
    """The address of app.py, run in a process of its own on a free port, and without a Hub unless asked otherwise."""
    port, log = free_port(), folder.parent / "server.log"
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONSAFEPATH", "SPACE_MODELS")
    }
    env |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": str(int(offline))}
    with log.open("wb") as output:
        app = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=env, stdout=output, stderr=output)
    try:
        yield wait_for(f"http://127.0.0.1:{port}/", app, log)
    finally:
        app.terminate()
        app.wait(10)


def wait_for(url: str, app: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while app.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urlopen(url):
            return url
        time.sleep(0.1)
    pytest.fail("the Space does not start:\n" + log.read_text("utf-8"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- the functions ----


@pytest.fixture(scope="module")
def parts() -> Iterator[Any]:
    """The Space's modules, found the way Python finds them on the Hub: beside app.py."""
    sys.path.insert(0, str(SPACE))
    before = set(sys.modules)
    yield SimpleNamespace(**{path.stem: importlib.import_module(path.stem) for path in SPACE.glob("*.py")})
    sys.path.remove(str(SPACE))
    for name in set(sys.modules) - before:
        if str(SPACE) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture(scope="module")
def similarity(parts: Any) -> ModuleType:
    return parts.similarity


def cosine(model, sentence1: str, sentence2: str, dim: int) -> float:
    one, two = model.encode([sentence1, sentence2])[:, :dim]
    return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))


def test_every_dim_is_the_cosine_of_that_many_numbers(similarity: ModuleType) -> None:
    vectors = np.array([[1, 0, 1], [1, 0, -1]], dtype=np.float32)
    assert similarity.similarities(vectors, [3, 2]) == pytest.approx({3: 0.0, 2: 1.0})


def test_a_vector_of_zeros_is_like_nothing(similarity: ModuleType) -> None:
    assert similarity.similarities(np.array([[0, 0, 1], [1, 1, 1]], dtype=np.float32), [2]) == {2: 0.0}


def test_ranking_puts_the_nearest_first_and_keeps_the_order_of_equals(parts: Any) -> None:
    vectors = np.array([[1, 0], [0, 1], [2, 0], [1, 1], [5, 0]], dtype=np.float32)
    assert parts.rankings.order(parts.rankings.scores(vectors[0], vectors[1:], 2)).tolist() == [1, 3, 2, 0]


def test_models_json_gives_titles_and_sorted_dims(parts: Any) -> None:
    text = json.dumps([{"id": "lab/GATE-AraBert-v1", "revision": "a" * 40, "dims": [64, 768, 256]}, {"id": "lab/x"}])
    assert parts.catalogue.parse_models(text) == [
        parts.catalogue.Model("lab/GATE-AraBert-v1", "a" * 40, "GATE-AraBert-v1", (768, 256, 64)),
        parts.catalogue.Model("lab/x", None, "x", ()),
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[", "models.json is not JSON"),
        ("{}", "models.json is not a list"),
        ('["lab/x"]', "entry 1: is not an object"),
        ('[{"title": "x"}]', "entry 1: 'id' is missing"),
        ('[{"id": "lab/x"}, {"id": "lab/y", "revision": "main"}]', "entry 2: revision 'main' is not 40 hex digits"),
        ('[{"id": "lab/x", "dims": [0]}]', "entry 1: 'dims' is not a list of whole numbers above 0"),
        ('[{"id": "lab/x", "dim": [64]}]', "entry 1: unknown key 'dim'"),
        ('[{"id": "lab/x"}, {"id": "lab/x"}]', "models.json names the same id twice"),
    ],
)
def test_a_mistake_in_models_json_is_named(parts: Any, text: str, mistake: str) -> None:
    with pytest.raises(parts.words.SpaceError, match=re.escape(mistake)):
        parts.catalogue.parse_models(text)


def test_models_json_goes_before_the_variable(parts: Any, tmp_path: Path) -> None:
    env = {"SPACE_MODELS": "lab/one, /models/two/,"}
    assert [(model.id, model.title) for model in parts.catalogue.catalogue(tmp_path, env)] == [
        ("lab/one", "one"),
        ("/models/two", "two"),
    ]
    (tmp_path / "models.json").write_text('[{"id": "lab/three"}]', "utf-8")
    assert [model.id for model in parts.catalogue.catalogue(tmp_path, env)] == ["lab/three"]


def test_a_model_without_dims_offers_its_width_and_the_powers_of_two_below(similarity: ModuleType) -> None:
    assert similarity.usual_dims(768) == (768, 512, 256, 128, 64)
    assert similarity.usual_dims(384) == (384, 256, 128, 64)
    assert similarity.usual_dims(64) == (64,)


def test_text_is_bounded_and_the_bound_is_said(parts: Any) -> None:
    with pytest.raises(
        parts.words.SpaceError, match=r"Too much text in the query: 5,001 characters; the limit is 5,000"
    ):
        parts.texts.written("س" * 5001, "the query")
    with pytest.raises(parts.words.SpaceError, match="too long: 101 lines; the limit is 100"):
        parts.texts.lines("سطر\n\n" * 101)
    with pytest.raises(parts.words.SpaceError, match="Write the query first"):
        parts.texts.written("  \n", "the query")


def test_a_model_narrower_than_its_entry_is_reported(parts: Any, models: SimpleNamespace) -> None:
    wide = parts.catalogue.Model(str(models.root / "one" / "model"), None, "one", (768, 64))
    with pytest.raises(parts.words.SpaceError, match="gives one 768 dimensions, but it has 64"):
        asyncio.run(parts.encoding.encode(wide, [FIRST, SECOND]))


def test_a_model_listed_without_dims_is_asked_for_them(parts: Any, models: SimpleNamespace) -> None:
    (listed,) = parts.catalogue.parse_ids(str(models.root / "two" / "model"))
    assert asyncio.run(parts.encoding.dims_of(listed)) == (64,)


def test_what_readers_type_is_never_markup(parts: Any) -> None:
    assert "<script>" not in parts.pieces.Pieces(parts.about.About()).ranking([("<script>alert(1)</script>", 0.5)])


def test_what_a_model_is_called_is_never_markup(parts: Any) -> None:
    hostile = '</bdi><script>alert(1)</script><img src=x onerror="alert(1)" title=\''
    model = parts.catalogue.Model(hostile, None, hostile, (64,))
    error = parts.words.SpaceError("{model} could not be loaded.", model=hostile)
    pieces = parts.pieces.Pieces(parts.about.About(title=hostile))
    shared = importlib.import_module("tabs.shared").Shared(pieces.about, [model], pieces)
    listed = importlib.import_module("tabs.models").ModelsTab(shared).html()
    shown = [pieces.comparison(model, {64: 0.5}, 64, PAIR), listed, pieces.title()]
    for html in [*shown, pieces.matrix([(model, {64: 0.5}), (model, error)]), pieces.notice(error)]:
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def said(parts: Any, folder: Path, facts: dict[str, Any] | None) -> Any:
    """What a Space in this folder is about that was published with these facts."""
    shutil.copytree(SPACE / "languages", folder / "languages")
    if facts is not None:
        (folder / "space.json").write_text(json.dumps(facts), "utf-8")
    return parts.about.about(folder)


def is_latin(text: str) -> bool:
    return not re.search("[\u0600-\u06ff]", text)


@pytest.mark.parametrize("facts", [ENGLISH, FRENCH, None], ids=["English", "French", "none"])
def test_a_page_of_another_language_than_arabic_is_in_english(
    parts: Any, tmp_path: Path, facts: dict[str, Any] | None
) -> None:
    about = said(parts, tmp_path, facts)
    pieces = parts.pieces.Pieces(about)
    model = parts.catalogue.Model("lab/x", None, "x", (64,))
    error = parts.words.SpaceError("Write {what} first.", what="the query")
    shown = [pieces.title(), pieces.comparison(model, {64: 0.5}, 64, PAIR), pieces.notice(error)]
    shown += [text for pair in about.pairs for text in (pair.label, pair.first, pair.second)]
    assert is_latin("".join(shown))
    assert about.words.label("Compare") == "Compare"
    assert "<nav>" not in shown[0], "nothing to switch to"
    assert not about.paper.pairs


def test_braces_in_a_title_are_braces(parts: Any, tmp_path: Path) -> None:
    about = said(parts, tmp_path, {**ARABIC, "title": "Sets {a, b} and {}"})
    assert "<h1>Sets {a, b} and {}</h1>" in parts.pieces.Pieces(about).title()
    assert about.words.label(about.title) == about.title


def test_examples_of_the_family_come_before_ours(parts: Any, tmp_path: Path) -> None:
    about = said(parts, tmp_path, FRENCH)
    first, *others = FRENCH["examples"]
    assert [(pair.first, pair.second) for pair in about.pairs] == [(first, other) for other in others]
    assert about.lists == ((first, "\n".join(others)),)


def test_a_page_of_two_languages_has_the_examples_of_both(parts: Any, tmp_path: Path) -> None:
    about = said(parts, tmp_path, {**ARABIC, "title": "Two", "language": ["ar", "en"]})
    assert {is_latin(pair.first) for pair in about.pairs} == {True, False}
    assert (about.words.plain("Compare", "ar"), about.words.plain("Compare")) == ("قارن", "Compare")
    assert "<h1>Two</h1>" in parts.pieces.Pieces(about).title()


def test_arabic_examples_do_not_make_the_page_arabic(parts: Any, tmp_path: Path) -> None:
    about = said(parts, tmp_path, {**ARABIC, "interface": ["en"]})
    assert not is_latin(about.pairs[0].first)
    assert is_latin(parts.pieces.Pieces(about).title())


def test_every_text_of_the_page_is_there_in_arabic() -> None:
    """Those of the code are found by what takes a text, and by the names of constants that are one."""
    words = json.loads((SPACE / "languages" / "ar.json").read_text("utf-8"))["words"]
    texts = {text for path in SPACE.rglob("*.py") for text in texts_of(ast.parse(path.read_text("utf-8")))}
    assert len(texts) > 50
    assert sorted(text for text in texts - words.keys() if text != "{size}") == []


def texts_of(tree: ast.Module) -> set[str]:
    """The texts that a file has for the page: what takes one is given it, or a variable that has it."""
    nodes = list(ast.walk(tree))
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    given = [node.args[0] for node in calls if getattr(node.func, "attr", getattr(node.func, "id", "")) in TAKES]
    named = {one.id for one in given if isinstance(one, ast.Name)} | CONSTANTS
    given += [
        node.value for node in nodes if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in named
    ]
    return {one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)}


TAKES = {"both", "paragraph", "label", "hint", "SpaceError", "Said", "Doubt"}
CONSTANTS = {"LEAD", "HINT", "NAME", "ASK", "COMPARE_HINT"}

COUNTED = {  # of the number, what stands in Arabic
    0: "0 بُعد",
    1: "بُعد واحد",
    2: "بُعدان",
    3: "3 أبعاد",
    10: "10 أبعاد",
    11: "11 بُعدًا",
    64: "64 بُعدًا",
    99: "99 بُعدًا",
    100: "100 بُعد",
    102: "102 بُعد",
    103: "103 أبعاد",
    512: "512 بُعدًا",
    768: "768 بُعدًا",
    1_024: "1,024 بُعدًا",
}


@pytest.mark.parametrize(("number", "arabic"), COUNTED.items())
def test_a_noun_has_the_form_of_its_number(parts: Any, tmp_path: Path, number: int, arabic: str) -> None:
    words = said(parts, tmp_path, ARABIC).words
    count = parts.words.Count(number, "dimension")
    assert words.plain("{size}", "ar", size=count) == arabic
    assert words.plain("{size}", size=count) == (f"{number:,} dimension" if number == 1 else f"{number:,} dimensions")


def test_cards_count_in_arabic_as_the_page_does(parts: Any) -> None:
    """The Space stands alone, so the grammar of numbers is there twice."""
    noun = Noun("one", "two", "few", "many", "other")
    for number in (0, *range(3, 1_000)):
        assert form_with(number, noun) == parts.words.form("ar", number), number


def test_the_languages_have_the_nouns_of_english_in_every_form(parts: Any) -> None:
    arabic = json.loads((SPACE / "languages" / "ar.json").read_text("utf-8"))["counts"]
    assert arabic.keys() == parts.words.NOUNS.keys()
    assert all(forms.keys() == {"one", "two", "few", "many", "other"} for forms in arabic.values())


ASKS = [  # (the address, headers) and the language of the page
    ("", {}, "en"),
    ("", {"accept-language": "ar-EG,ar;q=0.9,en;q=0.8"}, "ar"),
    ("", {"accept-language": "fr-FR, en;q=0.2, ar;q=0.7"}, "ar"),
    ("", {"accept-language": "fr"}, "en"),
    ("", {"accept-language": "en", "cookie": "a=b; lang=ar"}, "ar"),
    ("en", {"accept-language": "ar", "cookie": "lang=ar"}, "en"),
    ("tr", {"accept-language": "ar"}, "ar"),
    ('"><script>', {"accept-language": "q=;;,ar;q=x", "cookie": '="\x00'}, "ar"),
]


@pytest.mark.parametrize(("asked", "headers", "language"), ASKS)
def test_the_page_is_in_the_language_that_address_cookie_and_browser_say(
    parts: Any, asked: str, headers: dict[str, str], language: str
) -> None:
    assert parts.web.chosen(["en", "ar"], asked, headers) == language
    assert parts.web.chosen(["en"], asked, headers) == "en"


def test_previews_are_told_once_and_what_they_tell_is_no_markup(parts: Any) -> None:
    html = (Path(importlib.import_module("gradio").__file__).parent / "templates/frontend/index.html").read_text(
        "utf-8"
    )
    preview = parts.web.Preview('"><script>alert(1)</script>', "Say & see")
    front = parts.web.Front(None, languages={}, preview=preview, script="1;")
    page = front.page(html, parts.words.Language("ar", "", "rtl"))
    assert re.findall(r'<html\s+lang="ar" dir="rtl"', page)
    assert (page.count("og:title"), page.count("og:description"), page.count("og:image")) == (1, 1, 0)
    assert "twitter:" not in page
    assert "<script>alert(1)" not in page
    assert "Say &amp; see" in page


def test_the_document_and_its_preview_have_the_title_of_their_language(parts: Any, tmp_path: Path) -> None:
    about = said(parts, tmp_path, ARABIC)
    preview = parts.web.Preview(about.title, parts.pieces.LEAD)
    front = parts.web.Front(None, languages={}, preview=preview, script="")
    html = '<html lang="en"><meta charset="utf-8" /><script>gradio_config = {"title":"Arabic sentence similarity"}'
    page = front.page(html, about.words.languages["ar"])
    arabic = "تشابه الجمل العربية"
    assert f'og:title" content="{arabic}"' in page
    assert json.loads(page.rsplit("= ")[-1]) == {"title": arabic}
    assert about.title in front.page(html, about.words.languages["en"])


def test_a_score_says_what_people_gave_such_pairs_and_a_doubt_takes_the_verdict_away(parts: Any) -> None:
    known = parts.verdict.calibration_of(calibration())
    model = parts.catalogue.Model("lab/x", None, "x", (64, 32, 16), calibration=known)
    pieces, scores = parts.pieces.Pieces(parts.about.About()), {64: 0.5, 32: 0.5, 16: 0.5}
    sure = pieces.comparison(model, scores, 64, PAIR)
    assert "Closer than 50 % of the pairs that people scored" in sure
    assert "The sizes disagree" in sure
    assert "arabic-stsb" in sure
    doubt = parts.doubts.of_pair(("😀", "😂"))
    doubted = pieces.comparison(model, scores, 64, ("😀", "😂"), doubt)
    assert "Do not trust this score" in doubted
    assert "only numbers, symbols or emojis" in doubted
    assert "Closer than" not in doubted
    plain = pieces.comparison(parts.catalogue.Model("lab/x", None, "x", (64,)), {64: 0.5}, 64, PAIR)
    assert "0.500" in plain
    assert 'class="verdict"' not in plain


@pytest.mark.parametrize(
    ("text", "share"),
    [("0.72", 0.72), (".5", 0.5), ("1", 1.0), ("-0.1", 0.0), ("3.6", None), ("-", None), ("", None), ("1/2", None)],
)
def test_a_printed_figure_has_its_place_on_the_bar_when_it_is_one(parts: Any, text: str, share: float | None) -> None:
    assert parts.pieces.fraction(text) == share


def test_a_mistake_in_space_json_is_named(parts: Any, tmp_path: Path) -> None:
    with pytest.raises(parts.words.SpaceError) as caught:
        said(parts, tmp_path, {**ENGLISH, "interface": ["en", "tr"]})
    assert str(caught.value) == "space.json names the language 'tr', which has no file"
    (tmp_path / "space.json").write_text("{", "utf-8")
    with pytest.raises(parts.words.SpaceError) as caught:
        parts.about.about(tmp_path)
    assert str(caught.value).startswith("space.json is not JSON (")


# ---- the page ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser, space: str) -> Iterator[Page]:
    with opened(browser, space) as page:
        yield page


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """The Space's page in a browser that speaks English, when its first answer is there."""
    with offline(browser, **{"viewport": DESKTOP, "locale": "en-GB", **options}) as context:
        page = context.new_page()
        page.goto(address)
        page.locator("#compare-result output, #compare-result table").first.wait_for()
        yield page


def type_pair(page: Page, sentence1: str, sentence2: str) -> None:
    page.locator("#sentence-1 textarea").fill(sentence1)
    page.locator("#sentence-2 textarea").fill(sentence2)
    page.locator("#compare").click()


# Every context is cut off from the network, so each of these also shows that the page needs nothing from outside.


def test_the_page_shows_the_models_own_cosine_at_the_chosen_dim(page: Page, models: SimpleNamespace) -> None:
    type_pair(page, FIRST, SECOND)
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.one, FIRST, SECOND, 64):.3f}")
    page.locator("#compare-dim").get_by_label("16").click()
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.one, FIRST, SECOND, 16):.3f}")
    bars = [f"{cosine(models.one, FIRST, SECOND, dim):.3f}" for dim in DIMS]
    expect(page.locator("#compare-result .bar .value")).to_have_text(bars)


def test_another_model_brings_its_own_dims_and_scores(page: Page, models: SimpleNamespace) -> None:
    choose(page, "Second")
    expect(page.locator("#compare-dim label")).to_have_text(["64", "32"])
    type_pair(page, FIRST, SECOND)
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.two, FIRST, SECOND, 64):.3f}")


def choose(page: Page, title: str) -> None:
    page.locator("#compare-model input").click()
    page.get_by_role("option", name=title).click()


def test_all_models_stand_in_one_table_even_when_one_does_not_load(page: Page, models: SimpleNamespace) -> None:
    page.locator("#sentence-1 textarea").fill(FIRST)
    page.locator("#sentence-2 textarea").fill(SECOND)
    page.locator("#compare-all").click()
    rows = page.locator("#compare-result tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text(re.compile(r"ground truth\s*0\.1"), use_inner_text=True)
    expect(rows.nth(2)).to_contain_text(f"{cosine(models.two, FIRST, SECOND, 32):.3f}")
    expect(rows.nth(3)).to_contain_text("Unreachable could not be loaded")
    assert "all=1" in page.url


def test_an_example_of_the_paper_fills_the_boxes_and_names_its_ground_truth(page: Page) -> None:
    page.get_by_role("button", name="table 7").click()
    expect(page.locator("#sentence-2 textarea")).to_have_value("الأولاد يلعبون كرة القدم")
    expect(page.locator("#compare-result .printed")).to_contain_text("ground truth 0.72", use_inner_text=True)
    expect(page.locator("#compare-result .bar .mark.truth").first).to_have_attribute("style", re.compile(r"72\.0%"))


def test_an_empty_box_is_told_once(page: Page) -> None:
    type_pair(page, "", SECOND)
    expect(page.get_by_role("alert")).to_have_text(["Write the first sentence first."], use_inner_text=True)


def test_a_model_that_does_not_load_is_a_message_not_a_traceback(page: Page) -> None:
    choose(page, "Unreachable")
    type_pair(page, FIRST, SECOND)
    expect(page.locator("#compare-result")).to_contain_text("Unreachable could not be loaded")
    assert "Traceback" not in page.content()


def test_an_answer_is_there_at_first_sight_and_enter_gives_another(page: Page, models: SimpleNamespace) -> None:
    shown = [page.locator(f"#sentence-{number} textarea").input_value() for number in (1, 2)]
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.one, *shown, 64):.3f}")
    page.locator("#sentence-1 textarea").fill(FIRST)
    page.locator("#sentence-2 textarea").fill(SECOND)
    page.locator("#sentence-2 textarea").press("Enter")
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.one, FIRST, SECOND, 64):.3f}")
    expect(page.locator("#compare-result .verdict")).to_contain_text("of the pairs that people scored")
    page.locator("#sentence-2 textarea").press("Shift+Enter")
    assert page.locator("#sentence-2 textarea").input_value() == SECOND + "\n"


def test_another_model_and_another_size_answer_again_with_the_keyboard_alone(
    page: Page, models: SimpleNamespace
) -> None:
    type_pair(page, FIRST, SECOND)
    page.locator("#compare-dim input").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.one, FIRST, SECOND, 32):.3f}")
    choose(page, "Second")
    expect(page.locator("#compare-dim label")).to_have_text(["64", "32"])
    expect(page.locator("#compare-result output")).to_have_text(f"{cosine(models.two, FIRST, SECOND, 32):.3f}")


def test_a_link_opens_the_answer_it_was_copied_from(page: Page, browser: Browser, models: SimpleNamespace) -> None:
    choose(page, "Second")
    type_pair(page, FIRST, SECOND)
    score = f"{cosine(models.two, FIRST, SECOND, 64):.3f}"
    expect(page.locator("#compare-result output")).to_have_text(score)
    page.wait_for_function("new URL(location).searchParams.get('b')")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#compare-result .copy").click()
    expect(page.locator("#compare-result .copy")).to_have_text("The link is copied", use_inner_text=True)
    link = page.evaluate("navigator.clipboard.readText()")
    with opened(browser, link, locale="ar-EG") as other:
        expect(other.locator("#compare-result output")).to_have_text(score)
        expect(other.locator("#compare-model input")).to_have_value("Second")
        expect(other.locator("#sentence-1 textarea")).to_have_value(FIRST)
        other.get_by_role("link", name="English").click()
        expect(other.locator("html")).to_have_attribute("lang", "en")
        expect(other.locator("#compare-result output")).to_have_text(score)


def test_an_address_that_asks_for_what_is_not_here_opens_the_page(browser: Browser, space: str) -> None:
    with opened(browser, f"{space}?m=lab/none&d=99999999&tab=compare&lang=xx&a=<script>&b={SECOND}") as page:
        expect(page.locator("#sentence-1 textarea")).to_have_value("<script>")
        expect(page.locator("#compare-dim input").first).to_be_checked()


QUICK = {("en", "dark", 1280), ("ar", "light", 360)}  # between them every value once; the others are slow
SCREENS = [
    pytest.param(
        language,
        scheme,
        size,
        id=f"{language}-{scheme}-{size['width']}",
        marks=[] if (language, scheme, size["width"]) in QUICK else [pytest.mark.slow],
    )
    for language in ("en", "ar")
    for scheme in ("light", "dark")
    for size in (DESKTOP, {"width": 360, "height": 780})
]


@pytest.mark.parametrize(("language", "scheme", "size"), SCREENS)
def test_everybody_can_read_and_reach_it(browser: Browser, space: str, language: str, scheme: str, size: Any) -> None:
    """No serious finding of axe and no sideways scroll, one language, and the answer in view after an event.

    The panel of the API is gradio's own, with buttons without names: it is closed here, and not looked at.
    """
    with opened(browser, space, viewport=size, color_scheme=scheme, locale=language) as page:
        root = page.locator("html")
        expect(root).to_have_attribute("lang", language)
        expect(root).to_have_attribute("dir", {"en": "ltr", "ar": "rtl"}[language])
        expect(page).to_have_title({"en": "Arabic sentence similarity", "ar": "تشابه الجمل العربية"}[language])
        page.locator("#compare").click()
        page.wait_for_function("location.search.length > 1")
        expect(page.locator("#compare-result output")).to_be_in_viewport()
        page.locator("#compare-all").click()
        expect(page.locator("#compare-result tbody tr").nth(2)).to_be_visible()
        assert findings(page, without=".api-docs") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        shown = page.locator("body").inner_text()
        assert ("Sentence 1" in shown, "الجملة الأولى" in shown) == (language == "en", language == "ar")
        assert "__i18n__" not in shown


def test_every_tab_is_reached_on_a_phone_and_nothing_moves_for_who_wants_it_still(browser: Browser, space: str) -> None:
    with opened(browser, space, viewport={"width": 360, "height": 780}, reduced_motion="reduce") as page:
        assert page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration") == "1e-05s"
        for tab in (
            "matrix",
            "models",
        ):  # the last two: gradio hides what does not fit in a menu, unless told otherwise
            name = page.get_by_role("tab").nth(("compare", "search", "cutting", "matrix", "models").index(tab))
            expect(name).to_be_in_viewport()
            name.click()
            expect(page.locator(f"#tab-{tab}")).to_be_visible()
            page.wait_for_function("tab => new URL(location).searchParams.get('tab') == tab", arg=tab)


def test_arabic_runs_from_right_to_left_on_an_english_page_too(page: Page) -> None:
    for box in ("#sentence-1 textarea", "#sentence-2 textarea"):
        expect(page.locator(box)).to_have_css("unicode-bidi", "plaintext")
    page.locator("footer").get_by_role("button").first.click()
    expect(page.locator(".api-docs").first).to_have_css("direction", "ltr")


def test_a_space_without_models_says_so_on_the_page(browser: Browser, tmp_path: Path) -> None:
    folder = shutil.copytree(SPACE, tmp_path / "similarity", ignore=shutil.ignore_patterns("__pycache__"))
    with serve(folder) as url, offline(browser) as context:
        page = context.new_page()
        page.goto(url)
        expect(page.get_by_role("alert")).to_contain_text("put a models.json beside app.py")
        assert is_latin(page.content()), "and in English, where nothing says what it is about"


# ---- the API ----


@pytest.fixture(scope="module")
def client(space: str) -> Client:
    return Client(space, verbose=False)


def test_the_api_compares(client: Client, models: SimpleNamespace) -> None:
    answer = client.predict(FIRST, SECOND, str(models.root / "two" / "model"), 32, api_name="/compare")
    assert answer["dim"] == 32
    assert answer["score"] == pytest.approx(cosine(models.two, FIRST, SECOND, 32), abs=1e-4)
    assert list(answer["by_dim"]) == ["64", "32"]


def test_the_api_ranks_with_the_first_model_at_full_width(client: Client, models: SimpleNamespace) -> None:
    query, *sentences = SENTENCES
    answer = client.predict(query=query, sentences=sentences, api_name="/rank")
    expected = sorted((cosine(models.one, query, sentence, 64) for sentence in sentences), reverse=True)
    assert [row["score"] for row in answer] == pytest.approx(expected, abs=1e-4)


def test_the_api_refuses_in_words(client: Client) -> None:
    with pytest.raises(AppError, match="Write the second sentence first"):
        client.predict(FIRST, " ", api_name="/compare")
    with pytest.raises(AppError, match=r"No dimension 48\. النموذج الأول has 64, 32, 16"):
        client.predict(FIRST, SECOND, None, 48, api_name="/compare")
    with pytest.raises(AppError, match="No model 'lab/other'"):
        client.predict(FIRST, SECOND, "lab/other", api_name="/compare")
