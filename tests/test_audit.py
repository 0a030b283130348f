"""The audit of texts: defects are found, good translations are left alone, and the report shows both."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import handmade
import numpy as np
import polars as pl
import pytest
from browser import PHONE, offline, open_browser
from conftest import TestHub
from planted import Planted, measures, planted, sample_page, table
from playwright.sync_api import Page

from zoo.audit.findings import audit_texts
from zoo.audit.report import AuditReport, ExampleRow, ExampleText, audit_page, leave_audit
from zoo.audit.rule import RULES, JudgedRule, Limits
from zoo.hub.store import Store
from zoo.layout import AUDIT, AUDIT_PAGE, STEPS
from zoo.recipe import Dataset
from zoo.registry import Layer, filling
from zoo.steps.step import step

BAR = 0.95


@pytest.fixture(scope="module")
def rows() -> Planted:
    return planted()


def test_planted_defects_are_found_and_nothing_else(rows: Planted) -> None:
    found = measures(rows)
    print(f"\n{table(found)}")
    assert len(rows.texts) == 10_000 + 50 * len(found)
    assert {one.rule for one in found} == RULES.keys() - {"agreement"}
    assert all(one.planted == 50 for one in found)
    assert {one.rule: (one.recall, one.precision) for one in found if min(one.recall, one.precision) < BAR} == {}


FALSE = {
    "The train leaves at 17:45.": "numbers",  # six less a quarter
    "He paid 1 000 euros.": "numbers",
    "OK": "script_share",
    "BMW": "same_as_source",
    "Hi.": "length_ratio",
}
"""{English sentence of a good pair: a rule that complains all the same}."""


def test_pairs_written_by_hand_are_judged_as_people_do() -> None:
    english, arabic = (pl.Series(texts) for texts in zip(*handmade.GOOD, strict=True))
    wrong = audit_texts(arabic, english, Limits()).failures
    assert {english[at]: rule for rule, failed in wrong.items() for at in failed} == FALSE
    for rule, pairs in handmade.BAD.items():
        english, arabic = (pl.Series(texts) for texts in zip(*pairs, strict=True))
        found = audit_texts(arabic, english, Limits()).failures[rule]
        assert len(found) >= 0.9 * len(pairs), (rule, [pair for at, pair in enumerate(pairs) if at not in found])


# One rule after the other


def said(english: str | None, arabic: str, *rules: str, **limits: Any) -> dict[str, str]:
    """{rule: what is wrong}."""
    sources = None if english is None else pl.Series([english], dtype=pl.String)
    found = audit_texts(pl.Series([arabic], dtype=pl.String), sources, Limits(**limits), rules=rules)
    return {rule: told[0] for rule, told in found.failures.items() if told}


@pytest.mark.parametrize(
    ("rule", "english", "arabic", "says"),
    [
        ("numbers", "Three boys swim.", "يسبح الأولاد.", "3 is missing"),
        ("numbers", "Three boys swim.", "يسبح أربعة أولاد.", "3 became 4"),
        ("numbers", "It costs 1,250.5 here.", "ثمنه هنا ١٬٢٥٠٫٦.", "1250.5 became 1250.6"),
        ("numbers", "Boys swim.", "يسبح 7 أولاد.", "7 is not in its source"),
        ("numbers", "It was 2,000,000 then.", "كان ٢٠٠٬٠٠٠ حينها.", "2000000 became 200000"),
        ("quantities", "It is 5 km away.", "يبعد 5 أميال.", "kilometre became mile"),
        ("quantities", "He paid $20.", "دفع 20.", "dollar is missing"),
        ("negation", "He does not swim.", "يسبح.", "the negation of its source is lost"),
        ("negation", "He swims.", "هو لا يسبح.", "it denies what its source says"),
        ("untranslated", "A boy reads a book.", "يقرأ ولد book.", "'book' is not translated"),
        ("untranslated", None, "قال The Quick Brown Fox ذلك", "'The Quick Brown Fox' is not translated"),
        ("repeats", "He came home.", "عاد إلى البيت إلى البيت إلى البيت", "'إلى البيت' 3 times in a row"),
        ("repeats", "He came home.", "عاد إلى بيته القديم هناك إلى بيته القديم هناك", "'إلى بيته القديم هناك' 2 times in a row"),
        ("repeats", None, "جداااااااااااااا", "'ا' 15 times in a row"),
        ("same_as_source", "He came home.", "He came home", "it is its source, word for word"),
        ("odd_characters", None, "كتاب\u200bجديد", "U+200B is a character that nobody sees"),
        ("odd_characters", None, "قال &quot;نعم&quot;", "'&quot;' is HTML for '\"'"),
        ("odd_characters", None, "هذا ⁇ جديد", "'⁇' (U+2047) is left of a model's vocabulary"),
        ("odd_characters", None, "Ù\x87Ø°Ø§ ÙƒØªØ§Ø¨", "U+0087 is a character that nobody sees"),
        ("odd_characters", None, "ÙƒØªØ§Ø¨", "'ÙƒØªØ§Ø¨' was read in a wrong encoding"),
        ("other_language", None, "بچه‌ها در حیاط مدرسه بازی می‌کنند و آواز می‌خوانند", "it reads as 'fa' (100% sure)"),
        ("script_share", None, "kitab jadid جديد", "29% of its letters are of its language's script"),
        ("length_ratio", "The old man walked slowly to the harbour.", "مشى.", "0.21 times as long as its source"),
    ],
)  # fmt: skip
def test_each_rule_says_what_is_wrong(rule: str, english: str | None, arabic: str, says: str) -> None:
    assert said(english, arabic, rule) == {rule: says}


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("It was 1,250.50 then.", "كان ١٢٥٠٫٥ حينها."),
        ("She is twenty-five.", "عمرها ٢٥ عاما."),
        ("She is 25 years old.", "عمرها خمسة وعشرون عاما."),
        ("She is 25 years old.", "عمرها خمسةٌ و عِشرون عاماً."),
        ("Three hundred people came.", "جاء ثلاثمائة شخص."),
        ("3.2 million people came.", "جاء ٣٫٢ ملايين شخص."),
        ("He waited two hours.", "انتظر ساعتين."),
        ("He came at 3 o'clock.", "جاء في الساعة الثالثة."),
        ("It was the 19th century.", "كان ذلك في القرن التاسع عشر."),
        ("One hundred percent of it.", "مئة بالمئة منه."),
        ("They came home on Thursday.", "عادوا إلى البيت يوم الخميس."),
        ("Finish before Tuesday morning.", "أنهوا كل شيء قبل صباح الثلاثاء."),
        ("Next Tuesday and Wednesday are free.", "يوما الثلاثاء والأربعاء القادمان عطلة."),
        ("He has no money.", "ليس لديه مال."),
        ("He can't swim.", "هو غير قادر على السباحة."),
        ("What he said is true.", "ما قاله صحيح."),
        ("He is still here.", "لا يزال هنا."),
        ("You must come.", "لا بد أن تأتي."),
        ("He only drinks water.", "لا يشرب إلا الماء."),
        ("He reads in Malta.", "يقرأ في مالطا."),
        ("Nothing is impossible.", "ليس هناك مستحيل."),
        ("No parking.", "ممنوع الوقوف."),
        ("She plays the lute very very well.", "تعزف على العود جيدا جدا جدا."),
        ("He uses GATE and BERT on an iPhone.", "يستخدم GATE و BERT على هاتف iPhone الجديد."),
        ("See www.example.com for more on how to read.", "انظر www.example.com للمزيد عن القراءة الجيدة."),
        ("2 + 2 = 4", "2 + 2 = 4"),
        ("A book.", "كِتَابٌ."),
        ("My dear.", "عزيزي \u200fهنا"),
    ],
)  # fmt: skip
def test_good_translations_are_left_alone(english: str, arabic: str) -> None:
    assert said(english, arabic) == {}


@pytest.mark.parametrize("source", [None, pl.Series([None, None], dtype=pl.String)])
def test_without_a_source_only_the_text_is_looked_at(source: pl.Series | None) -> None:
    found = audit_texts(pl.Series(["لم يسبح 3 أولاد", None]), source, Limits())
    assert not any(found.failures.values())
    assert found.score.to_list() == [1.0, 1.0]


def test_nothing_is_said_of_a_text_that_is_not_there() -> None:
    found = audit_texts(pl.Series([None, "هو هنا."]), pl.Series(["He has 3 dogs, no cats and 5 km.", None]), Limits())
    assert not any(found.failures.values())


def test_every_rule_can_be_switched_off() -> None:
    off: dict[str, Any] = {
        "numbers": False,
        "quantities": False,
        "negation": False,
        "same_as_source": False,
        "odd_characters": False,
    }
    none: dict[str, Any] = dict.fromkeys(
        ["length_ratio", "script_share", "untranslated", "repeats", "other_language", "agreement"]
    )
    found = audit_texts(pl.Series(["a\u200b 3"]), pl.Series(["not"]), Limits(**off, **none))
    assert found.failures == {}
    assert found.score.to_list() == [1.0]


def test_other_languages_are_held_to_what_can_be_known_of_them() -> None:
    assert said("لم يقرأ 3 كتب", "Er las 4 Bücher", language="de", source_language="ar") == {"numbers": "3 became 4"}
    assert said("لم يقرأ ثلاثة كتب", "Er las keine", language="de", source_language="ar") == {}
    assert said("لم يقرأ كتابا", "He read a book", language="en", source_language="ar") == {
        "negation": "the negation of its source is lost"
    }
    assert said(None, "he read كتاب there", language="en") == {"untranslated": "'كتاب' is not translated"}
    assert "other_language" in said(None, "Der alte Mann ging langsam zum Hafen hinunter.", language="en")


def test_scores_fall_with_what_is_doubtful() -> None:
    english = ["He came home late.", "Nobody but him came.", "Three boys swim."]
    arabic = ["عاد إلى البيت متأخرا.", "جاء هو فقط رغم منعه.", "يسبح أربعة أولاد."]
    clean, doubtful, failed = audit_texts(pl.Series(arabic), pl.Series(english), Limits()).score
    assert clean == 1.0
    assert failed == pytest.approx(1 - RULES["numbers"].weight)
    assert failed < doubtful < 1


class Letters:
    """A model that knows a text by its first letter."""

    def encode(self, texts: list[str], **options: Any) -> Any:
        assert options["normalize_embeddings"]
        return np.array([[1.0, 0.0] if text[0] in "Hه" else [0.0, 1.0] for text in texts], dtype=np.float32)


def test_a_model_is_asked_for_the_meaning() -> None:
    texts, sources = pl.Series(["هو", "كتاب", "كتاب", None]), pl.Series(["He", "He", None, "He"])
    found = audit_texts(texts, sources, Limits(), Letters(), rules=["agreement"])
    assert found.failures == {"agreement": {1: "cosine 0.00 with its source"}}
    assert found.score.round(4).to_list() == [1.0, round(1 - RULES["agreement"].weight, 4), 1.0, 1.0]


def test_numbers_pass_at_a_glance_only_where_they_would_pass_when_read(rows: Planted) -> None:
    english = pl.Series([pair.english for pair in rows.pairs[:3000]])
    texts = pl.Series(rows.texts[:3000])
    for rule in ("numbers", "quantities"):
        plan = RULES[rule].plan(Limits())
        assert isinstance(plan, JudgedRule)
        read = {at for at, row in enumerate(zip(texts, english, strict=True)) if plan.judge(*row) is not None}
        failed = audit_texts(texts, english, Limits(), rules=[rule], told_from=0.01).failures[rule]
        assert read == failed.keys(), rule


# In the data stage


SMALL = planted(300, 5)
SOURCE_OF = {text: pair.english for pair, text in zip(SMALL.pairs, SMALL.texts, strict=True)}
COLUMNS = {"premise": {"type": "text"}, "hypothesis": {"type": "text"}}
AUDITED = {"type": "audit", "columns": ["premise"], "score_only": ["negation"]}


@pytest.fixture(scope="module")
def source(hub: TestHub) -> str:
    from datasets import Dataset as Rows

    made = io.BytesIO()
    Rows.from_dict({"premise": SMALL.texts, "hypothesis": ["جملة"] * len(SMALL.texts)}).to_parquet(made)
    store = Store(hub.root)
    store.import_commit("dataset", "audited/pairs", {"data/train-00000-of-00001.parquet": made.getvalue()})
    store.close()
    from zoo.remote import api

    return str(api().dataset_info("audited/pairs").sha)


@pytest.fixture
def sourced() -> Iterator[None]:
    """A step that leaves what texts were translated from."""
    with filling(Layer()):

        @step("sourced", streams=True)
        def sourced(rows: pl.LazyFrame, texts: list[str]) -> pl.LazyFrame:
            """Add the texts that premises were translated from."""
            return rows.with_columns(pl.col("premise").replace_strict(SOURCE_OF).alias("@source.premise"))

        yield


def stage(folder: Path, revision: str, *steps: Any) -> SimpleNamespace:
    from zoo.data.work import work
    from zoo.remote import revision_of
    from zoo.steps import models_asked

    source = {"dataset": "audited/pairs", "splits": {"train": "train"}}
    dataset = Dataset.model_validate({"source": source, "columns": COLUMNS, "steps": list(steps)})
    notes: list[str] = []
    progress = SimpleNamespace(
        start=lambda label, total: None, advance=lambda steps=1: None, finish=lambda: None, note=notes.append
    )
    spec = {
        "name": "pairs",
        "dataset": dataset.model_dump(mode="json", by_alias=True),
        "came_from": {"revision": revision},
        "revisions": [revision],
        "place": str(folder),
        "cache": str(folder / "cache"),
        "models": {name: revision_of("model", name, None) for name in models_asked(dataset.steps)},
        "device": "cpu",
    }
    folder.mkdir()
    work(folder, json.loads(json.dumps(spec)), progress=progress)
    return SimpleNamespace(folder=folder, notes=notes, dataset=dataset)


@pytest.mark.usefixtures("sourced")
def test_rows_that_fail_are_kept_apart_with_the_reason(source: str, tmp_path: Path) -> None:
    made = stage(tmp_path / "one", source, "sourced", AUDITED)
    kept = pl.read_parquet(made.folder / "rows" / "train.parquet")
    rejected = pl.read_parquet(made.folder / "rejected" / "train.parquet")
    assert len(kept) + len(rejected) == len(SMALL.texts)
    assert kept["@audit"].is_between(0, 1).all()
    assert rejected["@why"].str.contains(r"^[a-z_]+: premise: ").all()
    assert set(rejected["@step"]) == {"audit"}
    assert pl.read_parquet(made.folder / "train.parquet").columns == list(COLUMNS)

    report = json.loads((made.folder / AUDIT).read_text())
    failed = report["splits"][0]["failed"]
    assert failed["numbers"] >= 5
    assert failed["negation"] >= 5, "it only lowers the score, and is counted"
    assert not rejected["@why"].str.contains("negation: ").any()
    assert report["splits"][0]["dropped"] == len(rejected)
    assert report["examples"]["numbers"][0]["why"][0].startswith("numbers: premise: ")
    assert all(row["why"] and row["score"] < 1 for row in report["lowest"]), "what is kept is doubted for a reason"
    assert report["lowest"][0]["texts"][0]["source"]
    assert {"came", "left", "why"} <= json.loads((made.folder / STEPS).read_text())["train"][1].keys()
    assert set(json.loads((made.folder / STEPS).read_text())["train"][1]["why"]) <= RULES.keys(), (
        "few reasons, not a per row"
    )
    shown = [line.split() for line in made.notes]
    assert ["pairs", "numbers", str(failed["numbers"])] in shown
    assert ["pairs", "dropped", str(len(rejected))] in shown

    again = stage(tmp_path / "two", source, "sourced", AUDITED)
    for name in ("train.parquet", "report.json", AUDIT, AUDIT_PAGE, "rejected/train.parquet", "rows/train.parquet"):
        assert (again.folder / name).read_bytes() == (made.folder / name).read_bytes(), name


def test_a_text_of_the_dataset_itself_can_be_the_source(source: str, tmp_path: Path) -> None:
    """Rows that were read with both languages are audited like those that were translated here."""
    with filling(Layer()):

        @step("english", streams=True)
        def english(rows: pl.LazyFrame, texts: list[str]) -> pl.LazyFrame:
            """Make the second text what the first is a translation of."""
            return rows.with_columns(pl.col("premise").replace_strict(SOURCE_OF).alias("hypothesis"))

        @step("sourced", streams=True)
        def sourced(rows: pl.LazyFrame, texts: list[str]) -> pl.LazyFrame:
            """Add the texts that premises were translated from."""
            return rows.with_columns(pl.col("premise").replace_strict(SOURCE_OF).alias("@source.premise"))

        own = stage(tmp_path / "one", source, "english", {"type": "audit", "source": "hypothesis"})
        translated = stage(tmp_path / "two", source, "sourced", AUDITED | {"score_only": []})
    columns = ["premise", "@why"]
    found, wanted = (pl.read_parquet(one.folder / "rejected" / "train.parquet")[columns] for one in (own, translated))
    assert found.equals(wanted)
    report = json.loads((own.folder / AUDIT).read_text())
    (shown,) = report["examples"]["numbers"][0]["texts"]
    assert (shown["column"], shown["source"]) == ("premise", SOURCE_OF[shown["text"]])
    assert all(row["why"] and len(row["texts"]) == 1 for row in report["lowest"])


def test_without_a_source_it_is_said_that_nothing_is_compared(source: str, tmp_path: Path) -> None:
    made = stage(tmp_path / "one", source, "audit", "audit")
    assert sum("no text has a source beside it" in note for note in made.notes) == 2
    report = json.loads((made.folder / AUDIT).read_text())["splits"][0]
    assert report["rows"] == len(SMALL.texts)
    assert report["dropped"] == report["rows"] - len(pl.read_parquet(made.folder / "train.parquet"))


def test_without_an_audit_nothing_is_left(source: str, tmp_path: Path) -> None:
    made = stage(tmp_path / "one", source, "not_empty")
    assert leave_audit(made.folder, "pairs") is None
    assert not (made.folder / AUDIT_PAGE).exists()


def test_no_upper_bound_is_not_taken_for_no_bound() -> None:
    recipe = {"source": {"dataset": "a/b"}, "columns": COLUMNS}
    with pytest.raises(ValueError, match="finite number"):
        Dataset.model_validate({**recipe, "steps": [{"type": "audit", "length_ratio": [0.4, float("inf")]}]})


@pytest.mark.slow  # torch and a model
@pytest.mark.usefixtures("sourced")
def test_a_model_of_the_hub_is_loaded_where_one_is_named(source: str, hub: TestHub, tmp_path: Path) -> None:
    from training import TINY, add_tiny

    add_tiny(hub)
    audit = {**AUDITED, "model": TINY, "agreement": 0.999, "score_only": list(RULES)}
    made = stage(tmp_path / "one", source, "sourced", audit)
    facts = json.loads((made.folder / "report.json").read_text())["train"]["facts"]["audit"]
    assert facts["failed agreement (score only)"] > 0
    assert len(pl.read_parquet(made.folder / "train.parquet")) == len(SMALL.texts), "rules that only score drop nothing"


# The page


EVIL = "<script>document.title='gone'</script><img src=x onerror=alert(1)> {{ 7*7 }} **x** \u202eabc</p></main>"


def sample_report() -> AuditReport:
    """A report to show, with texts of our own."""
    from zoo.audit.report import AuditedSplit

    text = "يبعد البيت القديم سبعة أميال عن المدينة الكبيرة التي تقع على ضفة النهر"
    source = "The old house is five kilometres from the large town on the bank of the river."
    row = ExampleRow("train", 0.06, ["numbers: premise: 5 became 7"], [ExampleText("premise", text, source)])
    bad = ExampleRow(EVIL, 0.5, [EVIL], [ExampleText(EVIL, EVIL, EVIL), ExampleText("b", "كتاب" * 200, None)])
    splits = [AuditedSplit(name, 1_000_000, 12, 0.98, {"numbers": 12, "repeats": 3}) for name in ("train", "test")]
    return AuditReport("arabic-pairs", "ar", "en", splits, {"numbers": [row], "repeats": [bad]}, [row, bad])


def test_a_page_is_read_from_the_right_on_a_phone(tmp_path: Path) -> None:
    (tmp_path / "audit.html").write_text(audit_page(sample_report()), "utf-8")
    with open_browser() as browser:
        tab = offline(browser, viewport=PHONE).new_page()
        tab.route("file://**", lambda route: route.continue_())
        tab.goto((tmp_path / "audit.html").as_uri())
        look_at(tab)


def look_at(tab: Page) -> None:
    assert tab.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert tab.title() == "Audit of arabic-pairs", "texts are no scripts"
    assert tab.locator("img").count() == 0
    assert tab.get_by_text("<U+202E>").count() >= 3
    text, before = tab.locator("p.text").first, tab.locator("p.source").first
    assert (text.get_attribute("lang"), before.get_attribute("lang")) == ("ar", "en")
    edges = (
        "e => { const r = document.createRange(); r.selectNodeContents(e); const last = [...r.getClientRects()].at(-1);\
        const box = e.getBoundingClientRect(); return [last.left - box.left, box.right - last.right]; }"
    )
    left, right = text.evaluate(edges)
    assert right < 1 < left, "Arabic begins at the right"
    left, right = before.evaluate(edges)
    assert left < 1 < right
    assert tab.get_by_role("table").get_by_role("row").count() == 4
    tab.get_by_role("link", name="numbers").focus()
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#numbers")


def test_a_quoted_text_does_not_turn_the_number_behind_it_around() -> None:
    assert re.search(r"'<bdi>[^<]+</bdi>' \d+ times in a row", sample_page())
