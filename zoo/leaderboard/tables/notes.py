"""Notes under tables: how ours were measured, and what is known to be wrong with the printed ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zoo.evidence import published
from zoo.evidence.published import PAPER_TASKS
from zoo.evidence.scores import LEAK_MARK, LEGEND, current, not_searched
from zoo.leaderboard.ours import Place
from zoo.leaderboard.table import Provenance, Text, ltr
from zoo.leaderboard.tables.board import Board, official_mean
from zoo.leaderboard.words import COMPUTED, MEASURED, MTEB, PAPER
from zoo.tasks import TASKS, shared_rows, sharing

TWICE = Text(
    "The paper's mean counts STS22 and STS22-v2, which replaces it and shares its pairs; the mean without STS22, which "
    "ranks, counts every pair once.",
    "يحسب متوسط الورقة STS22 و STS22-v2 معا، مع أن الثانية حلت محل الأولى وتشاركها أزواجها؛ "
    "أما المتوسط دون STS22، وبه الترتيب، فيحسب كل زوج مرة واحدة.",
)
PARAMETERS = Text(
    "Parameters as printed: the 135M of the two mpnet rows should be 278M, the 278M of the two E5 rows 118M "
    "(safetensors headers of those models).",
    "عدد المعاملات كما طبع: 135M في صفي mpnet صوابه 278M، و 278M في صفي E5 صوابه 118M (من ترويسات safetensors لتلك "
    "النماذج).",
)
WRONG_PARAMETERS = {
    "Omartificial-Intelligence-Space/E5-all-nli-triplet-Matryoshka",
    "intfloat/multilingual-e5-small",
    "Omartificial-Intelligence-Space/Arabic-all-nli-triplet-Matryoshka",
    "sentence-transformers/paraphrase-multilingual-mpnet-base-v2",
}
WIDTHS = Text(
    "The GATE models' sizes as printed hold for four of the five bases: E5 is 384 wide, so that its sizes are 384, "
    "256, 128 and 64.",
    "أحجام نماذج GATE المطبوعة تصح لأربعة من النماذج الأساس الخمسة: عرض E5 هو 384، فأحجامه 384 و 256 و 128 و 64.",
)
SPLITS = Text(
    "Known errors as printed: the 571K of the triplets is their total (557,850 for training); the 8.63K of STS is the "
    "total of the three splits, and its test split has 1.38K pairs, not 1.68K.",
    "أخطاء معروفة في المطبوع: 571K هو مجموع الثلاثيات كلها (للتدريب 557,850)؛ و 8.63K هو مجموع أقسام STS الثلاثة، "
    "وقسم اختبارها 1.38K زوج لا 1.68K.",
)
UNTRAINED = Text(
    "The row L_CE has the scores that table 3 prints for the base model: it is the model before any of this training.",
    "صف L_CE فيه الأرقام التي يطبعها الجدول 3 للنموذج الأساس: فهو النموذج قبل هذا التدريب كله.",
)
NO_DIMS = Text(
    "The mteb results repository has nothing at less than the full width to hold the cut sizes against.",
    "ليس في مستودع نتائج mteb شيء دون العرض الكامل تقاس به الأحجام المقصوصة.",
)
NO_BARS = Text(
    "Printed: the values that the paper's text gives; the text gives none for text-embedding-3-small.",
    "المطبوع هنا هو ما يذكره نص الورقة من قيم؛ ولا يذكر النص قيمة لـ text-embedding-3-small.",
)
GRID = Text(
    "Printed: what the paper's text says of the figure; its curves carry no numbers. Ours: coefficients x 100 on the "
    "test split of the STS dataset, vectors cut and not scaled back to length 1. TF-IDF has no sizes to cut and "
    "is left out.",
    "المطبوع: ما يقوله نص الورقة عن الشكل، فمنحنياته بلا أرقام. قياسنا: المعاملات × 100 على قسم الاختبار من بيانات "
    "STS، والمتجهات مقصوصة لم تعد إلى طول 1. لا أحجام لـ TF-IDF فلا يظهر هنا.",
)
SHARE = Text(
    "Percent of the full width's mean (without superseded tasks) that each size keeps.",
    "النسبة المئوية التي يحتفظ بها كل حجم من متوسط العرض الكامل (دون المهام المستبدلة).",
)
NOTHING_YET = Text(
    "Nothing of ours is measured yet at this scale: zoo build.", "لم يقس شيء من نماذجنا بهذا المقياس بعد: zoo build."
)
MINIATURE = Text(
    "Ours: the miniature, generated data and two-layer models.",
    "قياسنا على النسخة المصغرة: بيانات مولدة ونماذج من طبقتين.",
)
MINIATURE_BESIDE = Text(
    "Ours: the miniature, generated data and two-layer models; not comparable with the paper's figures.",
    "قياسنا على النسخة المصغرة: بيانات مولدة ونماذج من طبقتين؛ لا تقارن بأرقام الورقة.",
)
REAL = Text(
    "Ours: measured by zoo on the data and revisions that mteb pins.",
    "قياسنا: قاسته zoo على البيانات والإصدارات التي يثبتها mteb.",
)
LEAKED = Text(
    f"{LEGEND}.",
    f"{LEAK_MARK} بعض صفوفها موجود فيما دُرّب عليه النموذج أو اختير به؛ وبين القوسين النتيجة من دونها.",
)
INTERVALS = Text(
    "In brackets: 95% intervals of a bootstrap over the rows. Speed compares only what one machine measured.",
    "بين القوسين: فترات ثقة 95٪ بإعادة المعاينة على الصفوف. لا تقارن السرعة إلا بما قاسه الجهاز نفسه.",
)


def grouped(tasks: Sequence[str]) -> Text:
    """Return which of these tasks' rows are drawn in groups."""
    units = {task: unit for task in tasks if (unit := TASKS[task].groups)}
    names, unit = _columns(units), next(iter(units.values()))
    return Text(
        f"{names}: the intervals are over {unit}s, each drawn with all of its rows.",
        f"{ltr(names)}: فترات الثقة بإعادة معاينة المجموعات ({ltr(unit)}) بكل صفوفها.",
    )


def ranking(tasks: Sequence[str]) -> Text:
    """Return what ranks over these tasks mean."""
    names = _columns(current(tasks))
    return Text(
        "Rank, within this table: one more than the number of its rows that are better by a paired 95% interval of "
        f"the mean over {names}. Rows can share one, and one with wide intervals can rank above a higher mean.",
        f"الرتبة في هذا الجدول: واحد زائد عدد صفوفه الأفضل بفترة 95٪ مزدوجة لمتوسط {ltr(names)}. "
        "وقد تشترك صفوف في رتبة، وقد يسبق صف واسع الفترات صفا أعلى متوسطا.",
    )


def reading_notes(board: Board, tasks: Sequence[str] = PAPER_TASKS) -> list[Text]:
    """Return what a reader must know of our columns of scores on these tasks."""
    places = board.ours.places(tasks)
    if board.ours.files and not places:
        return [*_left_out(board), none_on(tasks)]
    leaked = [LEAKED] if any(place.marked(tasks) for place in places) else []
    leaked += [grouped(tasks)] if any(TASKS[task].groups for task in tasks) else []
    return [*measured_notes(board), *leaked, *_unsearched(places), *([ranking(tasks)] if places else [])]


def measured_notes(board: Board) -> list[Text]:
    """Return what a reader must know of whatever we measured: what is left out, on which data, and the intervals."""
    source = (MINIATURE_BESIDE if board.paper else MINIATURE) if board.ours.miniature else REAL
    return [*_left_out(board), *([source, INTERVALS] if board.ours.files else [NOTHING_YET])]


def _left_out(board: Board) -> list[Text]:
    stale, others = ", ".join(board.ours.unread), ", ".join(board.ours.rehearsed)
    old = Text(
        f"Left out, measured by another version of zoo: {stale}. zoo build or zoo eval them again.",
        f"لم يدرج ما قاسه إصدار آخر من zoo: {ltr(stale)}. أعد zoo build أو zoo eval لها.",
    )
    rehearsed = Text(
        f"Left out, measured on generated data: {others}.", f"لم يدرج ما قيس على بيانات مولدة: {ltr(others)}."
    )
    return [*([old] if stale else []), *([rehearsed] if others else [])]


def none_on(tasks: Sequence[str]) -> Text:
    """Return the note of a table that has no column of ours, as ours were measured on other tasks."""
    names = _columns(tasks)
    return Text(
        f"Nothing of ours is measured on all of {names} at this scale.",
        f"لم يقس شيء من نماذجنا على {ltr(names)} كلها بهذا المقياس.",
    )


def _unsearched(places: Iterable[Place]) -> list[Text]:
    """Return a note for each of our models of which tasks were not looked for in what it was trained on."""
    own = {place.subject.title: _lacking(place) for place in places}
    arabic = "لم يُبحث عنه فيما دُرّب عليه"
    return [
        Text(f"{not_searched(title, tasks)}.", f"{arabic} {ltr(title)}: {ltr(_columns(tasks))}.")
        for title, tasks in own.items()
        if tasks
    ]


def _lacking(place: Place) -> list[str]:
    """The tasks that were not looked for in what a place's model was trained on."""
    if place.subject.role == "self":
        return place.file.unsearched
    return place.file.unsearched_beside.get(place.subject.name, [])


def _columns(tasks: Iterable[str]) -> str:
    return ", ".join(TASKS[task].column for task in tasks)


def sharing_notes(board: Board, tasks: Sequence[str]) -> list[Text]:
    """Return a note for each two tasks that share rows and that a mean of the table counts both."""
    tasks = tasks if board.papers(tasks) else current(tasks)
    arabic = [
        f"يشترك {ltr(TASKS[one].column)} و {ltr(TASKS[other].column)} في {rows:,} من الصفوف: متوسطهما يحسبها مرتين."
        for one, other, rows in shared_rows(tasks)
    ]
    return [Text(f"{en}.", ar) for en, ar in zip(sharing(tasks), arabic, strict=True)]


def slips(board: Board, rows: Iterable[published.Row]) -> dict[tuple[str, str], published.Slip]:
    """Return {(model, task): how the printed score is not mteb's own, rounded}."""
    found: dict[tuple[str, str], published.Slip] = {}
    for row in rows:
        official = board.official(row["model"]) or {}
        for task in PAPER_TASKS:
            if official.get(task) and (slip := published.slip(row[task], official[task])):
                found[row["model"], task] = slip
    return found


def slip_notes(board: Board, rows: Sequence[published.Row]) -> list[Text]:
    """Return the notes that list those scores."""
    found = slips(board, rows)
    cut, other = (_listed(board, rows, found, kind) for kind in ("cut off", "differs"))
    notes = []
    if cut:
        notes.append(Text(f"Decimals cut off instead of rounded: {cut}.", f"كسور عشرية بترت ولم تقرب: {ltr(cut)}."))
    if other:
        notes.append(
            Text(
                f"Further from mteb's own results than rounding explains: {other}.",
                f"أبعد عن نتائج mteb نفسها مما يفسره التقريب: {ltr(other)}.",
            )
        )
    return notes


def _listed(
    board: Board, rows: Sequence[published.Row], found: Mapping[tuple[str, str], published.Slip], kind: published.Slip
) -> str:
    parts = []
    for row in rows:
        official = board.official(row["model"]) or {}
        for task in (task for task in PAPER_TASKS if found.get((row["model"], task)) == kind):
            name = row["model"].rsplit("/", 1)[-1]
            parts.append(f"{name} {TASKS[task].column} {row[task]} ({official[task]})")
    return ", ".join(parts)


def unequal_means_notes(board: Board, rows: Iterable[published.Row]) -> list[Text]:
    """Return a note for each printed mean that the scores give over two of the three tasks only."""
    notes = []
    for row in rows:
        over_two = official_mean(board, row["model"], PAPER_TASKS[:2])
        over_all = official_mean(board, row["model"], PAPER_TASKS)
        if not (row["average"] and over_two and over_all):
            continue
        if published.is_mean(row["average"], over_two) and not published.is_mean(row["average"], over_all):
            notes.append(_unequal(row, over_two, over_all))
    return notes


def _unequal(row: published.Row, over_two: float, over_all: float) -> Text:
    name, printed = row["model"].rsplit("/", 1)[-1], row["average"]
    return Text(
        f"Unequal means: the {printed} of {name} matches the mean of STS17 and STS22 only ({over_two:.2f} in the mteb "
        f"results repository); over all three tasks it is {over_all:.2f}. Bars of other task sets cannot be compared; "
        "where a score is missing we print no mean.",
        f"متوسطات غير متكافئة: {printed} لنموذج {ltr(name)} يوافق متوسط STS17 و STS22 وحدهما ({over_two:.2f} في مستودع "
        f"نتائج mteb)؛ وعلى المهام الثلاث كلها هو {over_all:.2f}. لا تقارن أعمدة مهام مختلفة؛ "
        "وحيث تنقص درجة لا نطبع متوسطا.",
    )


def origins_of(
    board: Board, rows: Iterable[published.Row], *, mteb: bool = True, ours: bool = True
) -> dict[Provenance, str]:
    """Return {source: where exactly} of the numbers of a table."""
    rows = list(rows)
    found = {PAPER: _joined(row["source"] for row in rows), COMPUTED: _joined(row["source"] for row in rows)}
    official = [board.official(row["model"]) for row in rows] if mteb else []
    if any(official):
        found[MTEB] = _joined(row["source"] for row in official if row)
    if ours and board.ours.files:
        found[MEASURED] = versions_shown(board)
    return found if mteb else {source: where for source, where in found.items() if source is not COMPUTED}


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(parts))


def versions_shown(board: Board) -> str:
    """Return the library versions that ours were measured with."""
    return _joined(
        ", ".join(f"{name} {version}" for name, version in file.versions.items()) for file, _ in board.ours.files
    )
