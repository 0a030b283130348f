"""The Space's tabs that rank, cut and compare lists, and tell of its models: their controls in a real Chromium."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from browser import DESKTOP, PHONE, findings, offline, open_browser
from playwright.sync_api import Browser, Page, expect
from safetensors.numpy import save_file
from test_space_app import ARABIC, DIMS, SENTENCES, SPACE, cosine, serve, tiny_model

CORPUS = [f"{first} {last}" for first, last in product(SENTENCES, ("", "اليوم", "في البيت", "سيارة", "القدم"))]
QUERY = "الرجال يلعبون كرة"
OWN = SENTENCES[1:]
TASK = {"title": "STS17", "dataset": "lab/sts17", "unit": "pairs", "rows": 250, "leaked": 12}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("models")
    one, two = (tiny_model(root / name, seed=seed) for seed, name in enumerate(("one", "two"), start=3))
    return SimpleNamespace(one=one, two=two, root=root)


@pytest.fixture(scope="module")
def space(models: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Space with a corpus; the vectors of its first model came along, those of the second are made at first use."""
    folder = tmp_path_factory.mktemp("space") / "similarity"
    shutil.copytree(SPACE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    listing = [
        {
            "id": str(models.root / "one" / "model"),
            "title": "First",
            "dims": DIMS,
            "vectors": "vectors/one.safetensors",
            "scores": measured(),
        },
        {"id": str(models.root / "two" / "model"), "title": "Second", "dims": DIMS[:2]},
        {"id": "lab/unreachable", "revision": "0" * 40, "title": "Unreachable", "dims": DIMS[:1]},
    ]
    work = {"title": "A work", "license": "CC BY-SA 4.0", "url": "https://example.org/work"}
    source = {"source": "Our sentences", "dataset": "lab/sentences", "split": "validation", "licence": "mit"}
    write(folder / "models.json", listing)
    write(folder / "space.json", ARABIC)
    write(folder / "corpus.json", {**source, "origins": [work], "sentences": CORPUS})
    (folder / "vectors").mkdir()
    digest = hashlib.sha256("\0".join(CORPUS).encode()).hexdigest()
    vectors = models.one.encode(CORPUS).astype(np.float16)
    save_file({"vectors": vectors}, folder / "vectors" / "one.safetensors", metadata={"sentences": digest})
    with serve(folder) as url:
        yield url


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def measured() -> dict[str, Any]:
    dims = {str(dim): [70.25 + dim / 64, 68.5, 72.75] for dim in DIMS}
    return {
        "suite": "Arabic",
        "mean": {"name": "mean", "dims": dims, "tasks": 1},
        "tasks": [{**TASK, "dims": dims}],
        "parameters": 135_000_000,
        "baseline": 41.5,
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as started:
        yield started


@contextmanager
def opened(browser: Browser, address: str, tab: str, **options: Any) -> Iterator[Page]:
    """The page with that tab open, when its first answer is there."""
    with offline(browser, **{"viewport": DESKTOP, "locale": "en", **options}) as context:
        page = context.new_page()
        page.goto(f"{address}?tab={tab}" if "?" not in address else address)
        page.locator(f"#{tab}-result .result").wait_for()
        yield page


def choose(page: Page, tab: str, title: str) -> None:
    page.locator(f"#{tab}-model input").click()
    page.get_by_role("option", name=title).click()


def nearest(model: Any, query: str, sentences: Sequence[str], dim: int) -> list[str]:
    return sorted(sentences, key=lambda sentence: -cosine(model, query, sentence, dim))


def test_search_finds_in_the_corpus_and_says_where_it_is_from(
    browser: Browser, space: str, models: SimpleNamespace
) -> None:
    with opened(browser, space, "search") as page:
        box, found = page.locator("#search-query textarea"), page.locator("#search-result .sentence")
        expect(found).to_have_text(nearest(models.one, box.input_value(), CORPUS, 64)[:10])
        box.fill(QUERY)
        box.press("Enter")
        expect(found).to_have_text(nearest(models.one, QUERY, CORPUS, 64)[:10])
        result = page.locator("#search-result")
        source = "Searched: 30 sentences (validation split) of Our sentences · Licence: mit"
        expect(result).to_contain_text(source, use_inner_text=True)
        expect(result.get_by_role("link", name="A work")).to_have_attribute("href", "https://example.org/work")
        page.locator("#search-dim").get_by_label("16").click()
        expect(found).to_have_text(nearest(models.one, QUERY, CORPUS, 16)[:10])
        choose(page, "search", "Second")  # its vectors did not come along
        expect(page.locator("#search-result")).to_contain_text("Second · 64 dimensions", use_inner_text=True)
        expect(found).to_have_text(nearest(models.two, QUERY, CORPUS, 64)[:10])


def test_a_list_of_ones_own_is_ranked_whole_and_its_link_brings_it_back(
    browser: Browser, space: str, models: SimpleNamespace
) -> None:
    with opened(browser, space, "search") as page:
        page.locator("#search-query textarea").fill(QUERY)
        page.locator("#search-list textarea").fill("\n".join(OWN))
        page.locator("#search").click()
        expect(page.locator("#search-result .sentence")).to_have_text(nearest(models.one, QUERY, OWN, 64))
        page.wait_for_function("new URL(location).searchParams.get('l')")
        link = page.url
    with opened(browser, link, "search") as page:
        expect(page.locator("#search-list textarea")).to_have_value("\n".join(OWN))
        expect(page.locator("#search-result .sentence")).to_have_text(nearest(models.one, QUERY, OWN, 64))
        page.get_by_role("button", name=f"Own list: {'أشعر بألم في رأسي'}").click()
        expect(page.locator("#search-result .sentence")).to_have_count(4)


def test_what_is_chosen_stands_in_the_address_and_a_link_to_a_model_keeps_the_example(
    browser: Browser, space: str, models: SimpleNamespace
) -> None:
    second = str(models.root / "two" / "model")
    with opened(browser, f"{space}?tab=search&m={quote(second)}", "search") as page:
        example = page.locator("#search-query textarea").input_value()
        assert example
        expect(page.locator("#search-result")).to_contain_text("Second · 64 dimensions", use_inner_text=True)
        page.locator("#search-examples button").nth(1).click()  # not the last
        page.wait_for_function("now => ![null, now].includes(new URL(location).searchParams.get('q'))", arg=example)
        choose(page, "search", "First")
        page.wait_for_function("new URL(location).searchParams.get('m').includes('one')")


@pytest.mark.parametrize(
    ("tab", "box", "text", "told"),
    [
        ("search", "query", " ", "Write the query first."),
        ("cutting", "list", "جملة\n" * 101, "The list is too long: 101 lines; the limit is 100."),
        ("matrix", "sentences", "جملة", "Write from 2 to 30 sentences, one per line. There are 1 now."),
        ("matrix", "sentences", "جملة\n" * 31, "There are 31 now."),
    ],
)
def test_a_mistake_is_told_once(browser: Browser, space: str, tab: str, box: str, text: str, told: str) -> None:
    with opened(browser, space, tab) as page:
        page.locator(f"#{tab}-{box} textarea").fill(text)
        page.locator(f"#{tab}").click()
        expect(page.get_by_role("alert")).to_have_count(1)
        expect(page.get_by_role("alert")).to_contain_text(told)


def test_nonsense_finds_something_and_gets_a_warning(browser: Browser, space: str) -> None:
    with opened(browser, f"{space}?tab=search&q={quote('😀😀')}", "search") as page:
        expect(page.locator("#search-result .doubt")).to_contain_text("Do not trust these scores")


def test_cutting_shows_both_rankings_and_what_has_moved(browser: Browser, space: str, models: SimpleNamespace) -> None:
    with opened(browser, f"{space}?tab=cutting&d=16&q={quote(QUERY)}", "cutting") as page:
        wide, narrow = nearest(models.one, QUERY, CORPUS, 64), nearest(models.one, QUERY, CORPUS, 16)
        lists = page.locator("#cutting-result .beside section")
        expect(lists.nth(0).locator(".sentence")).to_have_text(wide[:10])
        expect(lists.nth(1).locator(".sentence")).to_have_text(narrow[:10])
        moved = [wide.index(one) - place for place, one in enumerate(narrow[:10])]
        marks = [f"{'▲' if places > 0 else '▼'}{abs(places)}" for places in moved if places]
        expect(page.locator("#cutting-result .moved [aria-hidden]")).to_have_text(marks)
        same = len(set(wide[:10]) & set(narrow[:10]))
        said = f"Of the first 10 sentences at 64 dimensions, {same} are still among the first at 16 dimensions."
        expect(page.locator("#cutting-result")).to_contain_text(said, use_inner_text=True)
        expect(page.locator("#cutting-result tbody tr")).to_have_count(3)
        expect(page.locator("#cutting-result tbody tr").nth(2)).to_contain_text("64 MB")
        expect(page.locator("#cutting-dim label")).to_have_text(["32", "16"])
        page.locator("#cutting-dim").get_by_label("32").click()
        expect(lists.nth(1).locator(".sentence")).to_have_text(nearest(models.one, QUERY, CORPUS, 32)[:10])
        page.wait_for_function("new URL(location).searchParams.get('d') === '32'")


def test_the_matrix_has_a_score_for_every_two_sentences(browser: Browser, space: str, models: SimpleNamespace) -> None:
    with opened(browser, f"{space}?tab=matrix&s={quote(chr(10).join(OWN))}", "matrix") as page:
        rows = page.locator("#matrix-result tbody tr")
        expect(rows).to_have_count(len(OWN))
        scores = [
            "1" if one == other else f"{cosine(models.one, one, other, 64):.2f}".replace("-0.00", "0.00")
            for one, other in product(OWN, OWN)
        ]
        expect(page.locator("#matrix-result td")).to_have_text(scores)
        heads = page.locator("#matrix-result thead th")
        expect(heads.nth(1)).to_have_text(f"1{OWN[0]}")  # the sentence is for those who do not see the number's row
        button = page.get_by_role("button", name="one word, many meanings")
        button.click()
        expect(rows).to_have_count(6)
        page.wait_for_function("new URL(location).searchParams.get('s').includes('عين')")


def test_models_are_told_with_intervals_and_links(browser: Browser, space: str) -> None:
    with opened(browser, space, "models") as page:
        rows = page.locator("#models-result table").first.locator("tbody tr")
        expect(rows).to_have_count(3)
        expect(rows.nth(0)).to_contain_text("71.25\n68.50–72.75", use_inner_text=True)
        expect(rows.nth(2).get_by_role("link")).to_have_attribute("href", re.compile("/lab/unreachable$"))
        page.locator("#models-result summary").click()
        expect(page.locator("#models-result details")).to_contain_text("STS17")
        expect(page.locator("#models-result details")).to_contain_text("12 of them also in training")


def test_a_model_that_does_not_load_or_cannot_be_cut_is_said_so(browser: Browser, space: str) -> None:
    with opened(browser, space, "search") as page:
        choose(page, "search", "Unreachable")
        expect(page.get_by_role("alert")).to_contain_text("Unreachable could not be loaded")


SCREENS = [
    ("ar", "dark", PHONE),
    *(
        pytest.param(*screen, marks=pytest.mark.slow)
        for screen in (("en", "light", PHONE), ("ar", "light", DESKTOP), ("en", "dark", DESKTOP))
    ),
]


@pytest.mark.parametrize(("language", "scheme", "size"), SCREENS)
def test_everybody_can_read_and_reach_the_tabs(
    browser: Browser, space: str, language: str, scheme: str, size: Any
) -> None:
    """No serious finding of axe, no sideways scroll, one language, and numbers from left to right."""
    with opened(browser, space, "search", viewport=size, color_scheme=scheme, locale=language) as page:
        for tab in ("search", "cutting", "models", "matrix"):
            if tab != "search":  # which is open
                page.goto(f"{space}?tab={tab}")
            page.locator(f"#{tab}-result .result").wait_for()
            assert findings(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            shown = page.locator("body").inner_text()
            assert "__i18n__" not in shown
            assert ("Dimensions" in shown, "عدد الأبعاد" in shown)[language == "ar"] or tab == "models"
            assert {"en": "similarity", "ar": "تشابه"}[language] in shown
        expect(page.locator("#matrix-result td").first).to_have_css("direction", "ltr")
        head, wide = page.locator("#matrix-result tbody th").first, page.locator("#matrix-result .heatmap")
        before = head.bounding_box()
        wide.evaluate("box => { box.scrollLeft = document.dir === 'rtl' ? -200 : 200 }")
        assert head.bounding_box()["x"] == pytest.approx(before["x"], abs=2), "the first column stays"
