"""Sentence pairs in English and Arabic that mean the same, and defects of known kinds that are planted in some.

Half of the pairs are the miniature's; half are richer: numbers in digits and words, units, names, negations.

    python -m tests.planted    # the table of recall and precision
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import polars as pl

from zoo.audit.findings import audit_texts
from zoo.audit.report import AuditedSplit, AuditReport, ExampleRow, ExampleText, audit_page
from zoo.audit.rule import RULES, Limits
from zoo.miniature.frames import draw
from zoo.miniature.grammar import render

CLEAN, OF_EACH = 10_000, 50
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
NAMES = [("Sara", "سارة"), ("Omar", "عمر"), ("Layla", "ليلى"), ("Hassan", "حسن"), ("Mona", "منى"), ("Khalid", "خالد")]
CITIES = [("Riyadh", "الرياض"), ("Cairo", "القاهرة"), ("Tunis", "تونس"), ("Amman", "عمان"), ("Basra", "البصرة")]
SMALL = [
    (3, "three", "ثلاثة"), (4, "four", "أربعة"), (5, "five", "خمسة"), (6, "six", "ستة"), (7, "seven", "سبعة"),
    (8, "eight", "ثمانية"), (9, "nine", "تسعة"), (10, "ten", "عشرة"),
]  # fmt: skip
LARGE = [
    (12, "twelve", "اثنا عشر"), (15, "fifteen", "خمسة عشر"), (20, "twenty", "عشرين"), (25, "twenty-five", "خمسة وعشرين"),
    (30, "thirty", "ثلاثين"), (48, "forty-eight", "ثمانية وأربعين"), (60, "sixty", "ستين"), (90, "ninety", "تسعين"),
    (100, "one hundred", "مئة"), (300, "three hundred", "ثلاثمائة"), (1500, "1,500", "١٬٥٠٠"), (2.5, "2.5", "٢٫٥"),
    (2000000, "two million", "مليوني"), (7350, "7,350", "7350"), (1987, "1987", "١٩٨٧"),
]  # fmt: skip
UNITS = {
    "length": [("kilometres", "كيلومترات", "كيلومترا"), ("metres", "أمتار", "مترا"), ("miles", "أميال", "ميلا")],
    "weight": [("kilograms", "كيلوغرامات", "كيلوغراما"), ("tons", "أطنان", "طنا"), ("grams", "غرامات", "غراما")],
    "time": [("hours", "ساعات", "ساعة"), ("days", "أيام", "يوما"), ("weeks", "أسابيع", "أسبوعا"),
             ("minutes", "دقائق", "دقيقة"), ("months", "أشهر", "شهرا"), ("years", "سنوات", "سنة")],
    "money": [("dollars", "دولارات", "دولارا"), ("euros", "يورو", "يورو")],
}  # fmt: skip
COUNTED = [
    ("{name} walked {length} before the sun rose over {city}.", "مشى {name} {length} قبل أن تشرق الشمس على {city}."),
    ("The farm sold {weight} of dates to a shop in {city}.", "باعت المزرعة {weight} من التمر لمتجر في {city}."),
    ("The bridge was closed for {time} while workers repaired it.", "أغلق الجسر {time} بينما كان العمال يصلحونه."),
    ("{name} paid {money} for an old carpet at the market.", "دفع {name} {money} ثمنا لسجادة قديمة في السوق."),
    ("After {time} of rain, the river rose again near {city}.", "بعد {time} من المطر ارتفع النهر ثانية قرب {city}."),
    ("The new school in {city} is {length} from the station.", "تبعد المدرسة الجديدة في {city} {length} عن المحطة."),
    ("{name} waited {time} for the doctor to call.", "انتظر {name} {time} حتى اتصل الطبيب."),
    ("A ticket from {city} costs {money} in summer.", "ثمن التذكرة من {city} {money} في الصيف."),
]
NUMBERED = [
    ("There are {n} books on the shelf in the hall.", "يوجد {n} كتب على الرف في القاعة."),
    ("{name} invited {n} neighbours to the feast in {city}.", "دعا {name} {n} جيران إلى الوليمة في {city}."),
    ("The library of {city} lent {n} novels last spring.", "أعارت مكتبة {city} {n} رواية في الربيع الماضي."),
    ("{n} sailors returned to the harbour before noon.", "عاد {n} بحارا إلى الميناء قبل الظهر."),
    ("{name} planted {n} olive trees behind the house.", "غرس {name} {n} شجرة زيتون خلف البيت."),
]
PLAIN = [
    (
        "The baker opens the shop early and greets the people who pass.",
        "يفتح الخباز الدكان باكرا ويحيي الناس الذين يمرون.",
    ),
    ("{name} wrote a long letter to a friend who lives in {city}.", "كتب {name} رسالة طويلة إلى صديق يسكن في {city}."),
    ("The children are singing an old song in the garden of the school.", "يغني الأطفال أغنية قديمة في حديقة المدرسة."),
    ("What {name} said made the whole family laugh.", "ما قاله {name} أضحك العائلة كلها."),
    ("{name} still works at the hospital in {city}.", "لا يزال {name} يعمل في المستشفى في {city}."),
    ("The nurse carries warm milk to the patients every evening.", "تحمل الممرضة الحليب الدافئ إلى المرضى كل مساء."),
    ("The train from {city} arrived late because of the fog.", "وصل القطار من {city} متأخرا بسبب الضباب."),
    ("You must try the fish in {city}, said {name}.", "لا بد أن تجرب السمك في {city}، قال {name}."),
    ("{name} uses the GATE model for all of the lessons.", "يستخدم {name} نموذج GATE في الدروس كلها."),
]
DENIED = [
    ("{name} did not find the key of the old door.", "لم يجد {name} مفتاح الباب القديم."),
    ("The shop in {city} is not open on Friday.", "المتجر في {city} ليس مفتوحا يوم الجمعة."),
    ("{name} doesn't know the way to the station.", "لا يعرف {name} الطريق إلى المحطة."),
    ("Nobody has seen the cat since the storm.", "لم ير أحد القطة منذ العاصفة."),
    ("We will never forget the kindness of the people of {city}.", "لن ننسى أبدا لطف أهل {city}."),
    ("There is no water in the well behind the mosque.", "لا ماء في البئر خلف المسجد."),
    ("{name} isn't a teacher but a painter from {city}.", "ليست {name} معلمة بل رسامة من {city}."),
    ("{name} went to {city} without telling the others.", "ذهب {name} إلى {city} دون أن يخبر الآخرين."),
    ("They haven't finished the road to the village yet.", "لم ينتهوا من الطريق إلى القرية بعد."),
    ("Nothing grows on that hill in the winter.", "لا ينبت شيء على ذلك التل في الشتاء."),
]  # fmt: skip
PERSIAN = [
    "این کتاب را دیروز از بازار بزرگ شهر خریدم و هنوز نخوانده‌ام",
    "پدرم هر روز صبح پیش از کار چای می‌نوشد و روزنامه می‌خواند",
    "بچه‌ها در حیاط مدرسه بازی می‌کنند و آواز می‌خوانند",
    "میں کل صبح بازار گیا تھا اور وہاں سے کچھ پھل خریدے",
    "ہمارے گاؤں میں ایک پرانا کنواں ہے جس کا پانی بہت ٹھنڈا ہے",
]  # two languages that share the script


@dataclass(frozen=True)
class Pair:
    """A sentence in English and in Arabic, and what it has that can be broken."""

    english: str
    arabic: str
    kind: str = "plain"
    number: str = ""
    """The number in the Arabic sentence."""
    unit: str = ""
    """The unit in the Arabic sentence."""


def clean_pairs(count: int, seed: int = 1) -> list[Pair]:
    """Pairs that mean the same: every second one the miniature's."""
    rng = Random(seed)
    return [_of_miniature(rng) if at % 2 else _rich(rng) for at in range(count)]


def _of_miniature(rng: Random) -> Pair:
    frame = draw(rng)
    english, arabic = render(frame, "en", rng), render(frame, "ar", rng)
    return Pair(english, arabic, "denied" if frame.negated else "plain")


def _rich(rng: Random) -> Pair:
    kind = rng.choice(["counted", "numbered", "plain", "denied"])
    english, arabic = rng.choice({"counted": COUNTED, "numbered": NUMBERED, "plain": PLAIN, "denied": DENIED}[kind])
    (name, name_ar), (city, city_ar) = rng.choice(NAMES), rng.choice(CITIES)
    value, word, word_ar = rng.choice(SMALL + LARGE)
    if kind == "numbered" and value == int(value) and rng.random() < 0.5:
        digits = f"{int(value)}"
        word, word_ar = rng.choice([(digits, digits), (digits, digits.translate(EASTERN)), (word, digits)])
    units = {what: rng.choice(choices) for what, choices in UNITS.items()}
    few = value <= 10 and value == int(value)
    said = {what: f"{word} {unit[0]}" for what, unit in units.items()}
    said_ar = {what: f"{word_ar} {unit[1] if few else unit[2]}" for what, unit in units.items()}
    unit = next((units[what][1 if few else 2] for what in units if f"{{{what}}}" in arabic), "")
    return Pair(
        _capital(english.format(name=name, city=city, n=word, **said)),
        arabic.format(name=name_ar, city=city_ar, n=word_ar, **said_ar),
        kind,
        number=word_ar if kind in ("counted", "numbered") else "",
        unit=unit,
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


# Defects


def cut_or_swollen(pair: Pair, rng: Random) -> str:
    words = pair.arabic.split()
    if rng.random() < 0.5:
        return " ".join(words[: max(1, len(words) // 5)])
    return " ".join([pair.arabic, *(text.format(name="سارة", city="تونس") for _, text in rng.sample(PLAIN, 3))])


def in_latin(pair: Pair, rng: Random) -> str:
    letters = dict(zip("ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإآؤئ", "abttjhkddrzsssdtzAgfqklmnhwyaaaaaawy", strict=True))
    words = pair.arabic.split()
    keep = rng.randrange(max(1, len(words) // 4))
    return " ".join([*words[:keep], *("".join(letters.get(one, one) for one in word) for word in words[keep:])])


def left_in_english(pair: Pair, rng: Random) -> str:
    words, left = pair.arabic.split(), [word for word in pair.english.split() if word.isalpha() and word.islower()]
    long = [word for word in left if len(word) > 3]
    start = rng.randrange(len(long))
    place = rng.randrange(len(words))
    return " ".join([*words[:place], *long[start : start + rng.choice([1, 2, 3])], *words[place + 1 :]])


def other_number(pair: Pair, rng: Random) -> str:
    kind = rng.choice(["changed", "dropped", "changed"])
    others = [word for _, _, word in SMALL + LARGE if word != pair.number and word not in pair.arabic]
    changed = pair.arabic.replace(pair.number, "" if kind == "dropped" else rng.choice(others), 1)
    return " ".join(changed.split())


def other_unit(pair: Pair, rng: Random) -> str:
    ours = [unit for of in UNITS.values() for unit in of]
    others = [unit[2] for unit in ours if pair.unit not in unit]
    return pair.arabic.replace(pair.unit, rng.choice(others), 1)


def denied_or_not(pair: Pair, rng: Random) -> str:
    words = pair.arabic.split()
    negations = {"لا", "لم", "لن", "ليس", "ليست", "دون"}
    if pair.kind == "denied":
        return " ".join(word for word in words if word not in negations)
    return " ".join([rng.choice(["لم", "لا", "ليس", "لن"]), *words])


def in_a_loop(pair: Pair, rng: Random) -> str:
    words = pair.arabic.rstrip(".").split()
    size = rng.choice([1, 2, 3, 4])
    start = rng.randrange(max(1, len(words) - size))
    phrase = words[start : start + size]
    return " ".join([*words[: start + size], *phrase * rng.choice([2, 3, 5]), *words[start + size :]]) + "."


def untouched(pair: Pair, rng: Random) -> str:
    return rng.choice([pair.english, pair.english, pair.english.rstrip("."), pair.english.lower()])


def with_odd_characters(pair: Pair, rng: Random) -> str:
    place = rng.randrange(1, len(pair.arabic))
    odd = rng.choice(
        ["\u200b", "\u202e", "\ufeff", "\ufffd", "&quot;", "▁", "\u00ad", "\x07", " ⁇ ", "&#39;", "\ue000"]
    )
    broken = pair.arabic.encode().decode("cp1252", "ignore") if rng.random() < 0.15 else ""
    return broken or pair.arabic[:place] + odd + pair.arabic[place:]


def in_another_language(pair: Pair, rng: Random) -> str:
    return rng.choice(PERSIAN)


ALL = frozenset(RULES)


@dataclass(frozen=True)
class Kind:
    """A kind of defect: how it is made, of which pairs, and which other rules may well complain too."""

    plant: Callable[[Pair, Random], str]
    fits: Callable[[Pair], bool] = lambda pair: True
    also: frozenset[str] = frozenset()


LOST = frozenset({"numbers", "quantities", "negation"})  # what goes with words that are lost
KINDS: Mapping[str, Kind] = {
    "length_ratio": Kind(cut_or_swollen, lambda pair: len(pair.arabic.split()) >= 5, LOST),
    "script_share": Kind(in_latin, also=LOST | {"untranslated"}),
    "untranslated": Kind(
        left_in_english,
        lambda pair: any(len(word) > 3 and word.isalpha() and word.islower() for word in pair.english.split()),
        LOST | {"script_share", "length_ratio"},
    ),
    "numbers": Kind(other_number, lambda pair: bool(pair.number), frozenset({"quantities"})),
    "quantities": Kind(other_unit, lambda pair: bool(pair.unit)),
    "negation": Kind(denied_or_not),
    "repeats": Kind(in_a_loop, also=LOST | {"length_ratio"}),
    "same_as_source": Kind(untouched, also=ALL),
    "odd_characters": Kind(with_odd_characters, also=LOST | {"untranslated", "script_share", "length_ratio"}),
    "other_language": Kind(in_another_language, lambda pair: len(pair.english) > 40, LOST | {"length_ratio"}),
}
"""{rule that must find it: the defect}."""


@dataclass(frozen=True)
class Measure:
    """How well a rule finds the defects of its kind."""

    rule: str
    found: int
    planted: int
    false: int
    """Complaints about clean rows, and about rows with a defect that this rule has nothing to do with."""
    false_in_clean: int

    @property
    def recall(self) -> float:
        return self.found / self.planted

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.false)


@dataclass(frozen=True)
class Planted:
    """Pairs, some with a defect."""

    pairs: list[Pair]
    texts: list[str]
    kinds: list[str]
    """For each, the rule that must find its defect; '' = it is clean."""


def planted(clean: int = CLEAN, of_each: int = OF_EACH, seed: int = 2) -> Planted:
    """Clean pairs with defects among them."""
    rng = Random(seed)
    rows = [(pair, pair.arabic, "") for pair in clean_pairs(clean, seed)]
    others = clean_pairs(of_each * 40, seed + 1)
    for name, kind in KINDS.items():
        fitting = (pair for pair in others if kind.fits(pair))
        made = ((pair, kind.plant(pair, rng), name) for pair in fitting)
        rows += [row for row, _ in zip((row for row in made if row[1] != row[0].arabic), range(of_each), strict=False)]
    rng.shuffle(rows)
    return Planted(*(list(part) for part in zip(*rows, strict=True)))


def measures(rows: Planted, limits: Limits | None = None) -> list[Measure]:
    """Recall and precision of each rule."""
    english = pl.Series([pair.english for pair in rows.pairs])
    failures = audit_texts(pl.Series(rows.texts), english, limits or Limits()).failures
    return [_measure(rule, rows.kinds, failures[rule]) for rule in KINDS]


def _measure(rule: str, kinds: list[str], failed: Mapping[int, str]) -> Measure:
    due = {at for at, kind in enumerate(kinds) if kind == rule}
    tolerated = {at for at, kind in enumerate(kinds) if kind and rule in KINDS[kind].also}
    wrong = failed.keys() - due - tolerated
    in_clean = sum(not kinds[at] for at in wrong)
    return Measure(rule, len(due & failed.keys()), len(due), len(wrong), in_clean)


def sample_page() -> str:
    """The audit's page of some planted defects, for a picture."""
    rows = planted(400, 4, seed=8)
    english = pl.Series([pair.english for pair in rows.pairs])
    found = audit_texts(pl.Series(rows.texts), english, Limits())
    examples: dict[str, list[ExampleRow]] = {}
    for rule, failed in found.failures.items():
        for at, says in [one for one in failed.items() if rows.kinds[one[0]] == rule][:3]:
            texts = [ExampleText("premise", rows.texts[at], rows.pairs[at].english)]
            row = ExampleRow("train", round(found.score[at], 2), [f"{rule}: premise: {says}"], texts)
            examples.setdefault(rule, []).append(row)
    failed_by = {rule: len(failed) for rule, failed in found.failures.items() if failed}
    dropped = len(set().union(*found.failures.values()))
    split = AuditedSplit("train", len(rows.texts), dropped, round(found.score.mean(), 4), failed_by)  # type: ignore[arg-type]
    return audit_page(AuditReport("arabic-pairs", "ar", "en", [split], examples, []))


def table(found: list[Measure]) -> str:
    lines = [f"{'rule':<16}{'planted':>9}{'found':>7}{'false':>7}{'in clean':>10}{'recall':>8}{'precision':>11}"]
    lines += [
        f"{one.rule:<16}{one.planted:>9}{one.found:>7}{one.false:>7}{one.false_in_clean:>10}"
        f"{one.recall:>8.3f}{one.precision:>11.3f}"
        for one in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measures(planted())))
