"""Normalised text: spellings that Arabic writers take for the same are the same, and words stay words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.arabic import normalised


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("قَرَأَ الوَلَدُ كِتابًا", "قرأ الولد كتابا"),  # tashkeel
        ("هٰذا القمر", "هذا القمر"),  # superscript alif
        ("ســـلام", "سلام"),  # tatweel
        ("أين إلى آخر ٱلطريق", "اين الى اخر الطريق"),  # alif with hamza, madda, wasla
        ("مشى على الرصيف", "مشي علي الرصيف"),  # alif maqsura
        ("مدينة جميلة", "مدينه جميله"),  # ta marbuta
        ("سؤال عن شيء", "سوال عن شي"),  # hamza on its seats, and alone
        ("هذا شئ", "هذا شىء"),
        ("١٢ و٣٤", "12 و34"),  # Arabic-Indic digits
        ("۱۲ کتاب یمانی", "12 كتاب يماني"),  # as a Persian keyboard writes it
        ("«مرحبا»، قال: أهلا!", "مرحبا قال اهلا"),  # punctuation
        ("أولا،ثانيا", "اولا ثانيا"),
        ("\u202bمرحبا\u202c \u200fبك\u200e", "مرحبا بك"),  # bidi controls
        ("من\u200cهنا", "منهنا"),  # zero-width non-joiner
        (" من  هنا\n\tإلى\u00a0هناك ", "من هنا الي هناك"),
        ("ﻻ ﺷﻚ", "لا شك"),  # presentation forms
        ("A Book, a BOOK", "a book a book"),
        ("STRASSE №５", "strasse no5"),
    ],
)
def test_spelling_habits_make_no_difference(text: str, same: str) -> None:
    assert normalised(text) == normalised(same)


@pytest.mark.parametrize("pair", [("قلب", "كلب"), ("كتب", "كاتب"), ("في بيت", "فيبيت"), ("12", "21"), ("سار", "صار")])
def test_other_words_stay_other_words(pair: tuple[str, str]) -> None:
    assert normalised(pair[0]) != normalised(pair[1])


@pytest.mark.parametrize("text", ["", " \n", "!؟…", "\u200f", "ـــ"])
def test_nothing_is_left_of_what_has_no_letters(text: str) -> None:
    assert normalised(text) == ""


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x6FF)))
def test_normalised_text_is_left_as_it_is(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert once == " ".join(once.split())
