"""A planted leak is found, whole, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, product
from pathlib import Path
from random import Random
from time import process_time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.leaks import EDITS
from zoo.contamination.alike import Likeness, Passage, are_joined, inside, near, no_chance, together, word_similarity
from zoo.contamination.ingredients import searched_texts
from zoo.contamination.search import chunks, overlap, text_rows
from zoo.evidence.overlap import Match, Overlap, OverlapReport
from zoo.miniature.rows import FramedRow, document_pairs, scored_pairs, triplets
from zoo.recipe import Workspace

ROOT = Path(__file__).parents[1]

# Twenty sentences of an evaluation set, the last ten of them beside what training has: lightly edited.
LEAKED = [
    "يحمل ساعي البريد الطرود إلى القرى البعيدة كل صباح",
    "أغلقت البلدية الجسر القديم أسبوعين من أجل ترميمه",
    "جلس الجيران حول الموقد يتبادلون الحكايات حتى منتصف الليل",
    "لم تصل القافلة إلى الواحة إلا بعد ثلاثة أيام من العطش",
    "زرعت جدتي شجرة ليمون أمام الباب قبل أن أولد",
    "ينتظر المسافرون القطار المتأخر على رصيف المحطة الباردة",
    "وعد المدرب لاعبيه بمكافأة كبيرة إذا فازوا بالبطولة",
    "تعلمت أختي العزف على العود من تسجيلات خالها القديمة",
    "انقطعت الكهرباء عن الحي كله أثناء العاصفة الرملية",
    "وضع الخباز الأرغفة الساخنة على الرف قبل طلوع الشمس",
]
EDITED = {
    "اشترى عمي سيارة حمراء صغيرة من المعرض الجديد يوم الخميس": "اشترى عمي سيارة زرقاء صغيرة من المعرض الجديد يوم الخميس",
    "ترسم الطالبة خريطة كبيرة للعالم على جدار الصف": "ترسم الطالبة خريطة كبيرة ملونة للعالم على جدار الصف",
    "رفض القاضي الاستماع إلى الشاهد لأنه تأخر كثيرا عن الجلسة": "رفض القاضي الاستماع إلى الشاهد لأنه تأخر عن الجلسة",
    "هبت رياح قوية على الساحل فعاد الصيادون إلى الميناء": "هبّت رياحٌ قويّةٌ على الساحلِ، فعاد الصيّادون إلى الميناء!",
    "أعد الطباخ وليمة فاخرة لضيوف الملك القادمين من الشرق": "اعد الطباخ وليمه فاخره لضيوف الملك القادمين من الشرق",
    "تبحث الشرطة منذ أسبوع عن لص سرق لوحة نادرة": "تبحث الشرطة منذ إسبوعين عن لص سرق لوحة نادرة",
    "قال المهندس إن السد سيكتمل في نهاية العام المقبل": "قال المهندس إن السد سوف يكتمل في نهاية العام المقبل",
    "نام الطفل باكرا و ترك ألعابه مبعثرة في أرجاء الغرفة": "نام الطفل باكرا وترك ألعابه مبعثرة في ارجاء الغرفة",
    "ارتفع سعر الخبز ٢٠ بالمئة خلال شهر واحد فقط": "ارتفع سعر الخبز 20 بالمئة خلال شهر واحد فقط.",
    "كانت المكتبة العامة مزدحمة بالطلاب قبيل موسم الامتحانات": "كانت المكتبة العامة مزدحمة بالطلبة قبيل موسم الإمتحانات",
}
# On the same subjects, in part in the same words: clean.
BESIDE = [
    "يحمل ساعي البريد رسالة واحدة إلى المدينة",
    "أعادت البلدية فتح الجسر القديم بعد أسبوعين من ترميمه",
    "جلس الجيران أمام التلفاز يتابعون المباراة حتى منتصف الليل",
    "وصلت القافلة إلى الواحة بعد ثلاثة أيام دون أن يعطش أحد",
    "زرعت أمي شجرة تفاح خلف البيت بعد أن ولد أخي",
    "اشترت خالتي سيارة بيضاء كبيرة من صديقها يوم الأحد",
    "رفض الشاهد الجواب لأن القاضي تأخر كثيرا عن الجلسة",
    "صباح الخير يا جدتي",
    "من أجل ذلك",
]


def scored(split: str, count: int, seed: int) -> list[tuple[str, str]]:
    return sides(scored_pairs(split, count, languages=("ar", "ar"), seed=seed))  # type: ignore[arg-type]


def sides(rows: list[FramedRow]) -> list[tuple[str, str]]:
    return [(str(row.values[0]), str(row.values[1])) for row in rows]


def clean(count: int) -> list[str]:
    rows = triplets("train", count // 3 + 1, language="ar", seed=0)
    return [str(text) for row in rows for text in row.values][:count]


def loose(texts: Iterable[str]) -> dict[str, Iterator[tuple[str]]]:
    """Training rows of one text each."""
    return {"train": ((text,) for text in texts)}


def of_one(training: str, evaluation: str) -> Overlap:
    return overlap(loose([training]), {"task": [(evaluation,)]}).tasks["task"]


def kinds(found: Overlap) -> tuple[int, int, int]:
    return found.exact, found.normalised, found.near


# The leak of twenty


def test_a_planted_leak_is_found_and_nothing_else() -> None:
    evaluation = [(text,) for text in [*LEAKED, *EDITED]]
    training = [*clean(1000 - len(BESIDE)), *BESIDE, *LEAKED, *EDITED.values()]
    report = overlap(loose(training), {"planted": evaluation, "miniature": scored("test", 250, 1)})
    assert report.tasks["planted"].rows_found == list(range(20))
    assert kinds(report.tasks["planted"]) == (10, 3, 7)
    assert report.tasks["miniature"].rows_found == []
    assert not report.clean


def test_clean_training_text_raises_no_alarm() -> None:
    """Of one grammar, whose sentences share words and patterns, and with nothing but that in common."""
    evaluation = {
        "sts": scored("test", 1379, 1),
        "documents": sides(document_pairs("test", 193, language="ar", seed=1)),
        "ours": [(text,) for text in [*LEAKED, *EDITED]],
    }
    report = overlap(loose([*clean(6000), *BESIDE]), evaluation)
    assert report.clean
    assert report.training_texts == 6000 + len(BESIDE)


def changed(words: list[str], place: int) -> list[str]:
    return [*words[:place], "عنقاء", *words[place + 1 :]]


def inserted(words: list[str], place: int) -> list[str]:
    return [*words[:place], "عنقاء", *words[place:]]


def dropped(words: list[str], place: int) -> list[str]:
    return [*words[:place], *words[place + 1 :]]


def joined(words: list[str], place: int) -> list[str]:
    place = min(place, len(words) - 2)
    return [*words[:place], words[place] + words[place + 1], *words[place + 2 :]]


@pytest.mark.parametrize("edit", [changed, inserted, dropped, joined])
def test_one_word_edited_in_seven_or_more_is_always_found(edit: Callable[[list[str], int], list[str]]) -> None:
    sentences = [text for row in scored("test", 250, 1) for text in row if len(text.split()) >= 7]
    rng = Random(0)
    training = [" ".join(edit(words, rng.randrange(len(words)))) for words in map(str.split, sentences)]
    report = overlap(loose(training), {"task": [(text,) for text in sentences]})
    assert report.tasks["task"].rows_found == list(range(len(sentences)))
    assert len(sentences) > 100


# Leaks by kind and by length

BRIEF = [
    "أضاع الراعي خروفا أبيض", "خبأت السنجابة جوزها تحت الصخرة", "يصلح النجار كرسيا مكسورا اليوم", "ابتلع الحوت قارب البحار",
    "نسيت الممرضة مظلتها في العيادة", "يطعم البستاني حمائم القصر خبزا", "كسر الهر مزهرية الجارة مساء", "ربح الحداد سباق الدراجات",
]  # fmt: skip
ALWAYS, OFTEN = 1.0, 0.7
SPELT = dict.fromkeys(("verbatim", "diacritics", "spelling variants"), (ALWAYS, ALWAYS))
RECALL = {  # (one side of a pair in the training, both sides in a row of it) of texts of 4 to 6 words
    **SPELT,
    "one word changed": (0.0, ALWAYS),
    "one word dropped": (0.0, ALWAYS),
    "one word added": (OFTEN, ALWAYS),
    "neighbours swapped": (ALWAYS, ALWAYS),
    "inside a longer text": (OFTEN, ALWAYS),
    "both sides joined": (OFTEN, ALWAYS),
}


def joined_sides(row: tuple[str, str]) -> tuple[str, str]:
    return " ".join(row), BESIDE[0]


@pytest.mark.parametrize("kind", RECALL)
@pytest.mark.parametrize("texts", [BRIEF, LEAKED], ids=["short", "long"])
def test_leaks_are_found_by_kind(kind: str, texts: list[str]) -> None:
    rng, others = Random(0), [*clean(300), *BESIDE]
    rows = list(zip(texts[::2], texts[1::2], strict=True))
    if kind == "both sides joined":
        both = one = list(map(joined_sides, rows))
    else:
        both = [tuple(EDITS[kind](text, rng, others) for text in row) for row in rows]
        one = [(row[0], BESIDE[0]) for row in both]
    background = [(text,) for text in others]
    least = RECALL[kind] if texts is BRIEF else (ALWAYS, ALWAYS)
    for leaks, share in zip((one, both), least, strict=True):
        found = overlap({"train": [*background, *leaks]}, {"task": rows}).tasks["task"]
        assert len(found.rows_found) >= share * len(rows)
    assert found.rows_found_whole == found.rows_found


def test_a_pair_alike_to_one_training_text_is_no_leak() -> None:
    pair = ("أضاع الراعي خروفا أبيض", "أضاع الراعي خروفا أسود")
    training = [("أضاع الراعي خروفا صغيرا", BESIDE[0]), ("أضاع الراعي خروفا صغيرا", "أضاع الراعي خروفا صغيرا")]
    assert overlap({"train": training}, {"task": [pair]}).clean


def test_common_words_meet_by_chance() -> None:
    """Of five words that stand in many training texts, four in a row say nothing."""
    text = "على سطح البيت في القرية"
    rest = ["سطح البيت", "في القرية", "على الطريق"] * 100
    near_it, holding_it = "على سطح البيت في المدينة", f"نام الهر {text} حتى الصباح"
    assert overlap(loose([*rest, near_it, holding_it]), {"task": [(text,)]}).clean
    assert not overlap(loose([*rest, text]), {"task": [(text,)]}).clean


def test_documents_of_which_most_is_inside_are_found() -> None:
    words = " ".join(clean(60)).split()
    text, rest = " ".join(words[:100]), " ".join(words[100:])
    found = of_one(f"{rest} {' '.join(words[5:95])} {rest}", text).examples[0]
    assert (found.kind, found.similarity) == ("contained", 0.9)
    assert of_one(f"{rest} {' '.join(words[:80])} {rest}", text).rows_found == []


def test_a_match_says_which_source_it_is_from() -> None:
    sources = {"nli": [(BESIDE[0],), (LEAKED[0],)], "sts": [(LEAKED[1], LEAKED[0])]}
    report = overlap(sources, {"task": [(LEAKED[0],), (LEAKED[1],)]})
    assert [match.source for match in report.tasks["task"].examples] == ["nli", "sts"]
    assert report.training_texts == 4


def test_reports_of_before_are_read() -> None:
    match = {"kind": "near", "similarity": 0.9, "evaluation": "أ", "training": "ب"}
    counts = {"rows": 1, "exact": 0, "normalised": 0, "near": 1, "rows_found": [0], "rows_found_whole": [0]}
    task = Overlap.model_validate({**counts, "examples": [match]})
    assert (task.contained, task.examples[0].source) == (0, "")


# What counts as what


@pytest.mark.parametrize(
    ("training", "evaluation", "kind"),
    [
        ("نام الطفل", "نام الطفل", "exact"),
        ("  نام الطفل\n", "نام الطفل", "exact"),
        ("نامَ الطِّفلُ", "نام الطفل", "normalised"),
        ("إشترى أحمد أرنبا", "اشترى احمد ارنبا", "normalised"),
        ("نام الطفل.", "«نام» الطفل", "normalised"),
        ("The cat SLEPT", "the cat slept.", "normalised"),
        ("يلعب الطفال في الحديقة", "يلعب الأطفال في الحديقة", "near"),
        ("نام الطفل", "نام الطفلة", None),  # too short to be near
        ("يلعب الأولاد في الحديقة", "يلعب الأطفال في الحديقة", None),  # another word of four is another sentence
        ("في الحديقة يلعب الأطفال الصغار كل يوم", "يلعب الأطفال الصغار كل يوم في الحديقة", None),
    ],
)
def test_kinds(training: str, evaluation: str, kind: str | None) -> None:
    found = of_one(training, evaluation)
    assert [match.kind for match in found.examples] == ([kind] if kind else [])


@pytest.mark.parametrize("text", ["", "  ", "\n", "؟!", "\u200f"])
def test_texts_without_words_are_like_no_other(text: str) -> None:
    assert overlap(loose(["", " ", "…", "ـ"]), {"task": [(text, "نام الطفل")]}).clean


def test_the_strongest_match_of_a_row_counts() -> None:
    text = LEAKED[0]
    vowelled, near = text.replace("يحمل", "يَحمِل"), text.replace("الطرود", "الصناديق")
    found = overlap(loose([near, vowelled, text]), {"task": [(text,)], "other": [(near, vowelled)]})
    assert kinds(found.tasks["task"]) == (1, 0, 0)
    assert kinds(found.tasks["other"]) == (1, 0, 0)


def test_rows_are_found_by_any_text_and_whole_by_all() -> None:
    rows = [(LEAKED[0], LEAKED[1]), (LEAKED[2], BESIDE[0]), (BESIDE[1], BESIDE[2]), (LEAKED[3], ""), ("", " ")]
    found = overlap(loose(LEAKED), {"pairs": rows}).tasks["pairs"]
    assert (found.rows, found.exact) == (5, 3)
    assert found.rows_found == [0, 1, 3]
    assert found.rows_found_whole == [0, 3]


def test_examples_are_the_strongest_five_in_the_order_of_rows() -> None:
    edited = list(EDITED.items())
    rows = [edited[0][0], edited[3][0], edited[1][0], LEAKED[1], LEAKED[0], edited[2][0], LEAKED[2]]
    found = overlap(loose([*LEAKED, *EDITED.values()]), {"task": [(row,) for row in rows]}).tasks["task"]
    assert [match.evaluation for match in found.examples] == [
        LEAKED[1],
        LEAKED[0],
        LEAKED[2],
        edited[3][0],
        edited[0][0],
    ]
    assert found.examples[-1] == Match(
        kind="near", similarity=0.9, evaluation=edited[0][0], training=EDITED[edited[0][0]], source="train"
    )


# Reading


@settings(deadline=None, max_examples=30)
@given(st.permutations([*LEAKED[:3], *EDITED.values(), *EDITED, *BESIDE]))
def test_the_order_of_training_texts_makes_no_difference(training: list[str]) -> None:
    rows = {"task": [(text, beside) for text, beside in zip(EDITED, BESIDE, strict=False)]}
    assert overlap(loose(training), rows) == overlap(loose(sorted(training)), rows)


def test_training_text_is_read_once_as_it_comes() -> None:
    def stream() -> Iterator[str]:
        yield from chain(BESIDE, LEAKED)

    report = overlap(loose(stream()), {"task": [(LEAKED[4],)]})
    assert report.training_texts == len(BESIDE) + len(LEAKED)
    assert report.tasks["task"].exact == 1


def test_a_report_survives_json() -> None:
    report = overlap(loose(EDITED.values()), {"task": [(text,) for text in EDITED], "none": []})
    assert OverlapReport.model_validate_json(report.model_dump_json()) == report


def test_the_rows_of_a_parquet_file_are_read_in_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "train.parquet"
    pl.DataFrame({"a": ["x", None], "label": [0, 1], "b": ["y", "z"]}).write_parquet(file)
    assert list(text_rows(file, ["b", "a"])) == [("y", "x"), ("z",)]


def test_what_is_searched_is_of_the_whole_lineage() -> None:
    recipe = Workspace(ROOT).recipe("arabert-hybrid")
    assert {name: text.title for name, text in searched_texts(recipe).items()} == {
        "arabic-nli-triplet/train": "the training text of arabic-nli-triplet, through arabert-matryoshka",
        "arabic-stsb/validation": "the dev split of arabic-stsb, which chose the checkpoint",
        "arabic-nli-pair-class/train": "the training text of arabic-nli-pair-class",
        "arabic-stsb/train": "the training text of arabic-stsb",
    }
    english = searched_texts(Workspace(ROOT).recipe("distilroberta-allnli"))
    assert english["stsb/validation"].title == "the dev split of stsb, which chose the checkpoint"


# Nothing is missed: the index against comparing every pair

WORDS = st.sampled_from(
    ["دار", "دور", "دارنا", "كتاب", "كتابه", "كتب", "باب", "بابنا", "من", "منا", "في", "فيدار", "مندار"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
ROWS = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=5)


def found_by_comparing(training: list[list[str]], evaluation: list[list[str]]) -> list[int]:
    """The rows that are found when each is compared with every training row."""
    words = [text.split() for row in training for text in row]
    times = Counter(chain.from_iterable(words))

    def counts(found: Likeness | None) -> bool:
        return found is not None and (found.certain or no_chance((times[word] for word in found.shared), len(words)))

    def ways(text: str, theirs: str) -> list[Likeness]:
        found = [inside(text.split(), Passage(theirs.split())), near(text.split(), theirs.split())]
        return [way for way in found if way]

    def alone(text: str) -> bool:
        theirs = [" ".join(other) for other in words]
        return any(text == other or any(way.alone and counts(way) for way in ways(text, other)) for other in theirs)

    def in_one_row(first: str, second: str) -> bool:
        return first != second and any(
            counts(together(one, other))
            for row in training
            for here, there in product(range(len(row)), repeat=2)
            for one, other in product(ways(first, row[here])[-1:], ways(second, row[there])[-1:])
            if (
                are_joined(first.split(), second.split(), Passage(row[here].split()))
                if here == there
                else row[here] != row[there]
            )
        )

    return [
        place
        for place, row in enumerate(evaluation)
        if any(map(alone, row)) or (len(row) == 2 and in_one_row(row[0], row[1]))
    ]


@settings(deadline=None)
@given(ROWS, ROWS)
def test_the_index_finds_what_comparing_every_row_does(training: list[list[str]], evaluation: list[list[str]]) -> None:
    found = overlap({"train": training}, {"task": evaluation}).tasks["task"].rows_found
    assert found == found_by_comparing(training, evaluation)


@pytest.mark.parametrize(
    ("a", "b", "similarity"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "a b x d", 0.75),
        ("a b c d", "a b c", 0.75),
        ("a b c d", "a bc d", 0.75),  # two words as one
        ("a beautiful day d", "a beautifull day d", 0.875),  # a spelling variant is half a step
        ("a b", "c d", 0.0),
    ],
)
def test_word_similarity(a: str, b: str, similarity: float) -> None:
    assert word_similarity(a.split(), b.split()) == similarity
    assert word_similarity(b.split(), a.split()) == similarity


def test_texts_of_hundreds_of_words_are_compared() -> None:
    rng = Random(0)
    words = [word for text in clean(60) for word in text.split()]
    edited = [word if rng.random() > 0.1 else "عنقاء" for word in words]
    found = of_one(" ".join(edited), " ".join(words))
    assert kinds(found) == (0, 0, 1)


def test_a_book_and_a_word_a_million_times_take_no_longer_than_their_words() -> None:
    """Both were quadratic: eleven seconds for a megabyte, and seven gigabytes for the word."""
    rng = Random(0)
    words = ["".join(rng.choices("بتثجحخدر", k=6)) for _ in range(2000)]
    evaluation = [(" ".join(rng.choices(words, k=8)), f"نعم {number}") for number in range(800)]
    book = " ".join(chain.from_iterable(evaluation)) + " كلام آخر" * 100_000
    started = process_time()  # of this process: the same however busy the machine is
    found = overlap({"book": [(book,)], "word": [("نعم " * 300_000,)]}, {"task": evaluation}).tasks["task"]
    assert found.contained == len(evaluation)
    assert process_time() - started < 5


def test_long_texts_end_a_chunk_sooner() -> None:
    rows = [("نعم " * 200_000,)] * 6 + [("لا",)] * 5000
    assert [len(some) for some in chunks(rows)] == [3, 3, 4096, 904]
