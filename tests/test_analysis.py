"""Errors by band and by shared words, and the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import offline, open_browser
from conftest import RECIPE, ROOT, SCALE, Lab
from scipy.stats import spearmanr

from zoo.analysis.errors import BANDS, NO, Pair, Pairs, Predictions, correlation, error_report, percentiles, scaled
from zoo.analysis.gather import Gathered
from zoo.analysis.page import SHOWN, errors_page

GUITAR = ("رجل يعزف على العود", "رجل يعزف على الطبل في العيد")
TEXTS = [
    GUITAR,
    ("القطة نائمة", "السفينة تبحر"),
    ("طفلة تقرأ قصة", "طفل يقرأ كتابًا"),
    ("الولد يشرب الماء", "الولدُ يشرب المـاء"),
]
GOLD = np.array([0.1, 0.0, 0.6, 1.0])


def predicted(*cosines: float, model: str = "m") -> Predictions:
    return Predictions(model, np.array(cosines), GOLD)


def test_the_papers_examples_are_in_the_bands_that_it_names() -> None:
    pairs = Pairs([("", "")] * 5, np.array([0.1, 0.72, 1.0, 0.25, 0.75]))
    assert [[bool(inside) for inside in pairs.within(band)] for band in BANDS] == [
        [True, False, False, False, False],
        [False, True, False, True, False],
        [False, False, True, False, True],
    ]


def test_gold_scores_of_every_scale_become_0_to_1() -> None:
    assert scaled([1, 2.5, 4], 1, 4).tolist() == [0, 0.5, 1]
    assert scaled([0, 5], 0, 5).tolist() == [0, 1]


def test_a_model_that_ranks_perfectly_has_raw_errors_and_no_rank_errors() -> None:
    high = predicted(0.91, 0.9, 0.92, 0.93)
    assert high.raw.tolist() == pytest.approx([0.81, 0.9, 0.32, -0.07])
    assert high.rank.tolist() == [0, 0, 0, 0]


def test_no_monotone_rescaling_changes_rank_errors() -> None:
    random = np.random.default_rng(0)
    gold, cosine = random.random(50).round(1), random.random(50).round(1)
    assert np.array_equal(Predictions("a", cosine, gold).rank, Predictions("b", np.exp(7 * cosine), gold).rank)


def test_ties_share_a_percentile_and_percentiles_are_half_on_average() -> None:
    assert percentiles(np.array([3.0, 1.0, 3.0, 9.0])).tolist() == pytest.approx([0.5, 0, 0.5, 1])
    assert percentiles(np.random.default_rng(1).integers(0, 5, 99).astype(float)).mean() == pytest.approx(0.5)
    assert percentiles(np.array([7.0])).tolist() == [0]


def test_correlation_is_scipys_and_none_where_there_is_none() -> None:
    random = np.random.default_rng(2)
    first, second = random.integers(0, 9, 60).astype(float), random.random(60)
    assert correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert correlation(first, np.ones(60)) is None
    assert correlation(first[:1], second[:1]) is None


def test_overlap_is_of_normalised_words_and_of_letters() -> None:
    pairs = Pairs(TEXTS, GOLD)
    assert pairs.words.tolist() == pytest.approx([3 / 7, 0, 0, 1])
    assert pairs.letters[2] > 0, "stems are seen where no word is the same"
    assert pairs.letters[3] == 1


def test_a_lookalike_has_low_gold_and_as_many_words_in_common_as_the_median_pair() -> None:
    assert Pairs(TEXTS, GOLD).lookalikes.tolist() == [True, False, False, False]


def test_the_report_says_how_far_each_model_errs_in_each_band() -> None:
    made = error_report(
        Pairs(TEXTS, GOLD), [predicted(0.9, 0.2, 0.5, 0.8)], predicted(0.1, 0.0, 0.6, 1.0, model="y"), top=2
    )
    mine = {one.band: one for one in made.bands if one.model == "m"}
    assert (mine["no"].pairs, mine["moderate"].pairs, mine["high"].pairs) == (2, 1, 1)
    assert (mine["no"].raw, mine["no"].raw_absolute) == pytest.approx((0.5, 0.5))
    assert mine["no"].rank == pytest.approx((2 / 3 + 0) / 2)
    assert mine["high"].rank == pytest.approx(2 / 3 - 1)
    assert all(one.rank == one.raw == 0 for one in made.bands if one.model == "y")


def test_pairs_are_the_models_own_worst_and_the_yardstick_brings_none() -> None:
    first, second = predicted(0.9, 0.5, 0.2, 0.8, model="a"), predicted(0.1, 0.9, 0.5, 0.3, model="b")
    made = error_report(Pairs(TEXTS, GOLD), [first, second], predicted(0.3, 0.2, 0.9, 0.1, model="y"), top=1)
    assert made.models == ["a", "b", "y"]
    assert [pair.row for pair in made.over] == [1, 0], "the worst of each, the largest error first"
    assert {pair.row for pair in made.under} == {2, 3}
    assert [pair.row for pair in made.false_positives] == [0]
    assert [pair.band for pair in made.typical] == ["no", "moderate", "high"]
    assert (made.over[1].first, made.over[1].second) == GUITAR
    assert [said.cosine for said in made.over[1].said] == [0.9, 0.1, 0.3]


def test_false_positives_are_counted_against_the_lookalikes() -> None:
    made = error_report(
        Pairs(TEXTS, GOLD), [predicted(0.9, 0.2, 0.5, 0.8)], predicted(0, 0.1, 0.6, 1, model="y"), top=2
    )
    assert [(one.model, one.false_positives, one.lookalikes) for one in made.lexical] == [("m", 1, 1), ("y", 0, 1)]


def rendered(texts: list[tuple[str, str]], *, arabic: bool = False) -> str:
    yardstick = predicted(0.1, 0.0, 0.6, 1.0, model="spelling")
    made = error_report(Pairs(texts, GOLD), [predicted(0.9, 0.2, 0.5, 0.8, model="<b>mine</b>")], yardstick, top=5)
    return errors_page(Gathered("STS17-ar", True, made), [ROOT / "cards"], arabic=arabic)


def test_the_page_needs_nothing_else_and_takes_text_for_text() -> None:
    html = rendered([("<script>alert(1)</script>", "ن" * (SHOWN + 9)), *TEXTS[1:]])
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;b&gt;mine&lt;/b&gt;" in html
    assert "://" not in html
    assert f"<details><summary>…</summary>{'ن' * 9}</details>" in html


def test_the_page_says_that_cosines_are_not_calibrated_and_that_it_is_a_rehearsal() -> None:
    html = rendered(TEXTS)
    assert "Cosines are not calibrated" in html
    assert "<b>Rehearsal.</b>" in html
    assert "<b>no</b> from 0.0 to below 0.25," in html


def test_the_page_is_readable_on_a_phone_and_in_the_dark() -> None:
    with open_browser() as browser:
        looks = {}
        for scheme in ("light", "dark"):
            context = offline(browser, viewport={"width": 360, "height": 800}, color_scheme=scheme)
            shown = context.new_page()
            shown.set_content(rendered(TEXTS))
            assert shown.evaluate("document.documentElement.scrollWidth") == 360
            looks[scheme] = shown.evaluate("getComputedStyle(document.body).backgroundColor")
            text = shown.locator(".text").first
            assert text.evaluate("node => getComputedStyle(node).direction") == "rtl"
        assert looks["light"] != looks["dark"]


def test_the_page_is_in_arabic_too_and_the_address_says_which() -> None:
    assert 'class="ar"' not in rendered(TEXTS), "a lab that speaks no Arabic"
    with open_browser() as browser:
        context = offline(browser, viewport={"width": 360, "height": 800})
        context.route(
            "http://errors.test/*",
            lambda route: route.fulfill(body=rendered(TEXTS, arabic=True), content_type="text/html; charset=utf-8"),
        )
        page = context.new_page()
        page.goto("http://errors.test/")
        direction = "getComputedStyle(document.body).direction"
        assert page.evaluate(direction) == "ltr"
        page.get_by_text("العربية").click()
        page.reload()
        assert page.evaluate(direction) == "rtl", "it is in the address"
        assert page.locator("h1").inner_text() == "الأخطاء في STS17-ar (تجربة)"
        assert page.locator(".en").filter(visible=True).count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert Axe().run(page).response["violations"] == []
        page.get_by_text("English").click()
        assert page.evaluate(direction) == "ltr"


def test_errors_of_two_models_from_what_was_measured(lab: Lab, zoo: Any, tmp_path: Path) -> None:
    place = tmp_path / "out" / "errors.html"
    asked = ("errors", RECIPE, f"{RECIPE}@64", "arabert-matryoshka", "--scale", SCALE, "--top", "3")
    code, out, err = zoo(*asked, "--html", str(place), "--json", cwd=lab.workspace.root)
    assert code == 0, err
    made = json.loads(out)["report"]
    names = ["GATE-AraBert-v1", "GATE-AraBert-v1@64", "Arabic-Triplet-Matryoshka-V2", "character TF-IDF"]
    assert made["models"] == names
    assert sum(one["pairs"] for one in made["bands"] if one["model"] == names[0]) == made["pairs"] == 250
    assert all(name in place.read_text("utf-8") for name in names)
    worst = made["over"][0]
    cosine = score_of(lab, worst)
    assert worst["said"][0]["cosine"] == pytest.approx(cosine, abs=1e-4), "of the texts beside it"
    spelling = next(one for one in made["lexical"] if one["model"] == "character TF-IDF")
    assert spelling["words_in_lowest"] > 0.5, "similar spelling is all that it knows"


def score_of(lab: Lab, pair: dict[str, Any]) -> float:
    from sentence_transformers import SentenceTransformer

    first, second = SentenceTransformer(str(lab.build.model(RECIPE))).encode([pair["first"], pair["second"]])
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def test_a_second_time_neither_measures_nor_asks(lab: Lab, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("errors", RECIPE, "--scale", SCALE, "--json")
    first = zoo(*asked, cwd=lab.workspace.root)
    (texts,) = lab.workspace.root.rglob("STS17-ar-faeb7627.json")
    before = texts.stat().st_mtime_ns
    assert zoo(*asked, cwd=lab.workspace.root) == first
    assert texts.stat().st_mtime_ns == before
    texts.write_text(texts.read_text("utf-8").replace("رجل", "جمل", 1) + " ", "utf-8")
    assert zoo(*asked, cwd=lab.workspace.root) == first, "texts that are not what was written are fetched again"


def test_people_see_tables(lab: Lab, zoo: Any) -> None:
    code, out, _ = zoo("errors", RECIPE, "--scale", SCALE, cwd=lab.workspace.root)
    assert code == 0
    assert out.startswith("STS17-ar: errors by similarity (250 pairs)")
    assert "raw: cosine less gold, not calibrated; rank: percentile" in out
    assert "false positives with shared words: cosine (rank error)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "STS17-arr"], "error: no evaluation task 'STS17-arr'\nhint: did you mean 'STS17-ar'?\n"),
        (["--task", "XNLI-ar"], "error: task 'XNLI-ar' has no graded pairs but is of kind PairClassification\n"),
    ],
)
def test_a_task_without_graded_pairs_is_told(arguments: list[str], message: str, lab: Lab, zoo: Any) -> None:
    code, _, err = zoo("errors", RECIPE, "--scale", SCALE, *arguments, cwd=lab.workspace.root)
    assert code == 1
    assert err.startswith(message)


def test_a_model_that_is_not_there_is_told(lab: Lab, zoo: Any) -> None:
    code, _, err = zoo("errors", "arabert-hybrd", "--scale", SCALE, cwd=lab.workspace.root)
    assert (code, err) == (1, "error: no recipe or folder 'arabert-hybrd'\nhint: did you mean 'arabert-hybrid'?\n")


def test_empty_texts_overlap_nothing() -> None:
    pairs = Pairs([("", ""), ("!", "نص")], np.array([0.0, 1.0]))
    assert pairs.words.tolist() == [0, 0]
    assert not pairs.lookalikes.any()
    assert pairs.within(NO).tolist() == [True, False]
    right = Predictions("m", np.array([0.1, 0.2]), pairs.gold)
    made = error_report(pairs, [right], right, top=3)
    assert made.false_positives == made.over == made.under == []
    assert all(isinstance(pair, Pair) for pair in made.typical)
