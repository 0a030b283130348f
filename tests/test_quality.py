"""Checks of a dataset: planted faults are found, clean rows are not blamed, and no text gets out of its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from conftest import ROOT, TestHub, workspace_in
from test_data import NLI, SENTENCES, parquet, sts

from zoo.errors import DataError
from zoo.quality.check import checked_material
from zoo.quality.checked import CHECKS, Checked
from zoo.quality.checks import IN_ORDER
from zoo.quality.material import Material, Roles
from zoo.quality.page import check_page
from zoo.quality.personal import found_in, masked
from zoo.quality.roles import guessed_roles
from zoo.say import SILENT

PAIR = Roles(["premise", "hypothesis"], label="label", group="premise")
SCORED = Roles(["sentence1", "sentence2"], score="score")
TEXT = Roles(["text"])


def material(roles: Roles = PAIR, **splits: dict[str, list[Any]]) -> Material:
    frames = {split: pl.LazyFrame(rows, strict=False) for split, rows in splits.items()}
    return Material("mine", frames, roles)


def said(check: str, roles: Roles = PAIR, **splits: dict[str, list[Any]]) -> Checked:
    return CHECKS[check].run(material(roles, **splits), SILENT)


def texts(*more: str) -> dict[str, list[Any]]:
    """Forty sentences, and these after them."""
    return {"text": [*SENTENCES, *more]}


def words(count: int, start: int = 0) -> dict[str, list[Any]]:
    """Pairs with classes in words that nothing tells, no text twice, none like those that start elsewhere."""
    chance, places = Random(start), range(start, start + count)
    return {
        "premise": [f"{chance.choice(SENTENCES)} يوم {at}" for at in places],
        "hypothesis": [f"{chance.choice(SENTENCES)} رقم {at}" for at in places],
        "label": [chance.choice(NLI) for _ in places],
    }


def test_every_check_has_its_place_in_the_report() -> None:
    assert {check.run for check in CHECKS.values()} == set(IN_ORDER)


def test_clean_rows_are_not_blamed() -> None:
    report = checked_material(material(train=words(240), test=words(120, 1000)))
    verdicts = {name: one.verdict for name, one in report.checks.items()}
    assert {name for name, verdict in verdicts.items() if verdict not in ("ok", "skipped")} == set(), report.checks
    assert verdicts["contamination"] == "skipped"
    assert report.as_json()["verdicts"]["problem"] == 0


@pytest.mark.parametrize(
    ("check", "roles", "splits", "verdict", "figure"),
    [
        ("empty", TEXT, {"train": texts("", " \u200f", "nan", "NULL")}, "problem", "4 of 44 (9.1 %)"),
        ("empty", PAIR, {"train": {**words(3), "label": ["entailment", None, "neutral"]}}, "problem", "1 of 3 (33.3 %)"),
        (
            "duplicates",
            TEXT,
            {"train": texts(SENTENCES[0], SENTENCES[1].replace("ا", "أ"), f"{SENTENCES[2]}!")},
            "problem",
            "3 of 43 (7.0 %): 1 exact, 2 spelt otherwise",
        ),
        ("duplicates", TEXT, {"train": texts("...", "؟", "!")}, "ok", "0 of 43 (0.0 %): 0 exact, 0 spelt otherwise"),
        (
            "two answers",
            PAIR,
            {"train": {"premise": ["قط", "قِط", "كلب"], "hypothesis": ["حيوان"] * 3, "label": NLI}},
            "problem",
            "2 of 3 (66.7 %)",
        ),
        ("two answers", SCORED, {"train": {"sentence1": ["قط"] * 2, "sentence2": ["كلب"] * 2, "score": [0.5, 0.5]}}, "ok", "0 of"),
        ("shared rows", SCORED, {"train": sts([0.1, 0.9] * 10), "dev": sts([0.1, 0.9] * 3)}, "problem", "6 of 6 (100.0 %) rows of dev in train"),
        (
            "shared groups",
            PAIR,
            {"train": words(30), "test": {**words(10, 99), "hypothesis": ["غير ذلك"] * 10, "premise": [*words(5)["premise"], *words(5, 99)["premise"]]}},
            "problem",
            "5 of 10 (50.0 %) rows of test in train",
        ),
        ("balance", PAIR, {"train": {**words(40), "label": ["neutral"] * 39 + ["entailment"]}}, "problem", "train: neutral in 97.5 %"),
        ("balance", PAIR, {"train": {**words(40), "label": ["0", "1"] * 19 + ["-1", "0"]}}, "warning", "train: 0 in 50.0 %"),
        ("balance", SCORED, {"train": sts([0.5] * 9)}, "problem", "train: 0.5 to 0.5, mean 0.50; one value only in train"),
        ("invisible characters", TEXT, {"train": texts("كتاب\u200bجديد", "a\u202eb", "م\x07")}, "problem", "control characters in 1"),
        ("invisible characters", TEXT, {"train": texts("می\u200cروم")}, "ok", "joiners and direction marks in 1 of 41"),
        ("encoding", TEXT, {"train": texts("Ø§Ù„Ù‚Ø·", "cafÃ©", "ÇáæáÏ íÞÑÃ", "ق\ufffdط")}, "problem", "Arabic in UTF-8 read as Latin in 1"),
        ("encoding", TEXT, {"train": texts("Ça va, café déjà naïve?", "R&D <3 ??", "«كتاب»", "100 %")}, "ok", "none"),
        ("encoding", TEXT, {"train": texts("خبز &amp; ملح<br/>")}, "problem", "HTML entities in 1"),
        ("fragments", TEXT, {"train": texts("123", "؟!")}, "problem", "no letters in 2 of 42"),
        ("fragments", TEXT, {"train": texts("قط", 'قال "نعم', "ذهب إلى", "البيت (الكبير", "وقف ثم،")}, "warning", "open quotes"),
        ("scripts", TEXT, {"train": texts("A cat sleeps", "ينام the cat on the كبير sofa")}, "warning", "text: Arabic 95.2 %"),
        ("languages", TEXT, {"train": texts(*["این کتاب را نمی‌خوانم و نمی‌دانم چرا"] * 9)}, "warning", "text: ar 81.6 %"),
        ("lengths", TEXT, {"train": texts("كلمة " * 500)}, "warning", "text: median"),
        ("personal data", TEXT, {"train": texts("راسلنا على sara@mail.sa")}, "warning", "e-mail in 1 of 41"),
        ("personal data", TEXT, {"train": texts("الهوية ١٠٠٠٠٠٠٠٠٨")}, "problem", "national id (Saudi Arabia) in 1 of 41"),
    ],
)  # fmt: skip
def test_planted_faults_are_found(check: str, roles: Roles, splits: Any, verdict: str, figure: str) -> None:
    found = said(check, roles, **splits)
    assert (found.verdict, found.figure[: len(figure)]) == (verdict, figure), found.figure
    assert verdict == "ok" or found.examples or check in ("balance", "lengths")


def test_a_class_of_the_hypothesis_alone_is_a_warning() -> None:
    signs = {"entailment": "نعم", "neutral": "ربما", "contradiction": "لا أحد"}
    train, test = words(300), words(150, 999)
    for rows in (train, test):
        rows["hypothesis"] = [
            f"{signs[label]} {text}" for label, text in zip(rows["label"], rows["hypothesis"], strict=True)
        ]
    found = said("one text alone", train=train, test=test)
    assert found.verdict == "warning"
    assert found.figure.startswith(
        "hypothesis alone: 100.0 % right [97.5, 100.0], the largest class 32.7 %; on 150 rows of test"
    )
    lengths = {label: text * (at + 1) for at, (label, text) in enumerate(signs.items())}
    for rows in (train, test):
        rows["hypothesis"] = [f"{lengths[label] * 3}" for label in rows["label"]]
    assert said("length alone", train=train, test=test).verdict == "warning"


def test_splits_are_known_by_words_in_their_names() -> None:
    found = material(
        train=words(3), validation_matched=words(3, 9), validation_mismatched=words(3, 20), challenge=words(3)
    )
    assert found.split_names == {"train": "train", "validation": "validation_matched"}
    assert found.held_out == "validation_matched"


def test_a_long_text_without_spaces_takes_no_time() -> None:
    assert (
        said("personal data", TEXT, train=texts("ab." * 100_000 + "@", "1" * 300_000, "a@" * 100_000)).verdict == "ok"
    )


def test_positives_that_look_like_positives_are_a_warning() -> None:
    roles = Roles(["anchor", "positive", "negative"], group="anchor")
    rows = {
        "anchor": SENTENCES * 10,
        "positive": [f"حقا {one}" for one in SENTENCES * 10],
        "negative": SENTENCES[::-1] * 10,
    }
    found = said("one text alone", roles, train=rows)
    assert found.verdict == "warning"
    assert "a positive told from a negative, without the anchor: 100.0 % right" in found.figure
    assert found.figure.endswith(" held-out positives and negatives of train")


def test_lengths_that_tell_scores_are_a_warning() -> None:
    rows = {
        "sentence1": ["كلمة"] * 200,
        "sentence2": ["كلمة " * (1 + at % 9) for at in range(200)],
        "score": [1 - (at % 9) / 9 for at in range(200)],
    }
    found = said("length alone", SCORED, train=rows)
    assert (found.verdict, found.figure[:13]) == ("warning", "Spearman 1.00")


# Personal data


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("اكتب إلى sara.k@mail.edu.sa غدا", ["e-mail"]),
        ("someone@example.com", []),
        ("جواله 0551234567 أو +966 55 123 4567", ["phone", "phone"]),
        ("هاتف ٠١٠١٢٣٤٥٦٧٨", ["phone"]),
        ("(212) 555-0173", ["phone"]),
        ("من 1990-2000 وعام 2024 وعددهم 1,234,567", []),
        ("في 2024-05-17 الساعة 10:30", []),
        ("رقم الهوية 1000000008", ["national id (Saudi Arabia)"]),
        ("رقم 1000000009 بلا معنى", []),
        ("عدد السكان 1400000000", []),
        ("الرقم القومي 29801310123456", ["national id (Egypt)"]),
        ("رقم 29813310123456", []),
        ("SA03 8000 0000 6080 1016 7519", ["IBAN"]),
        ("SA03 8000 0000 6080 1016 7518", []),
        ("4111 1111 1111 1111", []),
        ("4539 5787 6362 1486", ["payment card"]),
        ("الخادم 8.8.8.8 والمحلي 192.168.1.1 والنسخة 1.2.3", ["IP address"]),
        ("https://mail.sa/u?id=1000000008", ["web address"]),
        ("pi = 3.14159265358979", []),
    ],
)
def test_personal_data_is_told_from_other_numbers(text: str, kinds: list[str]) -> None:
    assert [kind.name for kind, _, _ in found_in(text)] == kinds
    for _, begin, end in found_in(text):
        assert text[begin:end] not in masked(text)
    assert masked(text) == text or kinds


def test_personal_data_is_shown_nowhere_whole() -> None:
    report = checked_material(
        material(TEXT, train=texts("", "sara@mail.sa قال <b>لي</b> 0551234567", "a\u200b sara@mail.sa"))
    )
    told = json.dumps(report.as_json(), ensure_ascii=False)
    assert "sara@" not in told
    assert "0551234567" not in told
    assert "sa••@••••.••" in told


# Columns


@pytest.mark.parametrize(
    ("columns", "texts", "label", "score", "left"),
    [
        ({"label": [0, 1], "premise": ["ا", "ب"], "hypothesis": ["ت", "ث"]}, ["premise", "hypothesis"], "label", None, []),
        ({"hypothesis": ["ت"], "gold_label": ["neutral"], "premise": ["ا"], "pairID": ["7n"]}, ["premise", "hypothesis"], "gold_label", None, ["pairID"]),
        ({"sentence2": ["ت"], "sentence1": ["ا"], "score": ["0.5"], "genre": ["news"]}, ["sentence1", "sentence2"], None, "score", ["genre"]),
        ({"negative": ["ت"], "positive": ["ا"], "anchor": ["ب"], "idx": [1]}, ["anchor", "positive", "negative"], None, None, ["idx"]),
        ({"text": ["كلام طويل"], "answers": [["a"]], "year": ["2024"]}, ["text"], None, None, ["answers", "year"]),
        ({"sentence1": ["ا"], "sentence2": ["ب"], "label": [0.7]}, ["sentence1", "sentence2"], None, "label", []),
        ({"question": ["ا"], "answer": ["ب"], "grade": ["0,31"]}, ["question", "answer"], None, None, ["grade"]),
    ],
)  # fmt: skip
def test_columns_are_guessed(
    columns: Any, texts: list[str], label: str | None, score: str | None, left: list[str]
) -> None:
    roles = guessed_roles(pl.DataFrame(columns), {}, {})
    assert (roles.texts, roles.label, roles.score, list(roles.left_out)) == (texts, label, score, left)


def test_columns_that_are_named_are_not_guessed() -> None:
    frame = pl.DataFrame({"a": ["قط"], "b": ["كلب"], "n": [0.5]})
    assert guessed_roles(frame, {}, {"texts": ["b"]}).texts == ["b"]
    with pytest.raises(DataError, match="there is no column 'c'"):
        guessed_roles(frame, {}, {"texts": ["c"]})
    with pytest.raises(DataError, match=r"no column of texts: n \(float64\)"):
        guessed_roles(frame.select("n"), {}, {})
    with pytest.raises(DataError, match="its rows have lists and objects alone"):
        guessed_roles(frame.select(), {}, {})


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"texts": ["tags"]}, "column 'tags' holds no texts: list"),
        ({"label": ["meta"]}, "column 'meta' holds no classes: struct"),
        ({"score": ["a"]}, "column 'a' holds no numbers: string"),
        ({"texts": ["a"], "label": ["a"]}, "column 'a' is named twice"),
    ],
)
def test_a_column_is_named_as_what_it_can_be(asked: dict[str, list[str]], told: str) -> None:
    frame = pl.DataFrame({"a": ["قط"], "label": [1], "tags": [["x"]], "meta": [{"en": "x"}]})
    with pytest.raises(DataError, match=told):
        guessed_roles(frame, {"label": ["no", "yes"]}, asked)
    with pytest.raises(DataError, match="no column of texts") as caught:
        guessed_roles(frame.select("meta"), {}, {})
    assert "what lists and objects hold is checked when it has a column of its own" in str(caught.value.hint)
    found = guessed_roles(frame, {"label": ["no", "yes"]}, {"score": ["label"]})
    assert (found.label, found.score) == (None, "label")


def test_what_is_missing_is_named() -> None:
    found = said("empty", train={**words(3), "premise": ["قط", "", "كلب"], "label": ["entailment", None, None]})
    assert [one.note for one in found.examples] == ["no premise, no label", "no label"]


# The page


def test_nothing_hostile_gets_out_of_its_place_on_the_page() -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=y>{{ 7 * 7 }}'
    roles = Roles([attack], left_out={f"{attack}2": attack})
    frames = {attack: pl.LazyFrame({attack: [*SENTENCES, f"\u202e{attack}", attack, attack]})}
    report = checked_material(Material(attack, frames, roles)).as_json()
    page = check_page(report, [ROOT / "cards"])
    assert "<script" not in page
    assert "<img" not in page
    assert "49" not in page.split("</style>")[1].split("zoo ")[0] or "{{ 7 * 7 }}" in page
    assert "\u202e" not in page
    assert "&lt;U+202E&gt;" in page
    assert 'dir="auto"' in page
    assert "width=device-width" in page


# The command


Zoo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    rows = words(60)
    lines = ["premise,hypothesis,label"]
    lines += [",".join(row) for row in zip(rows["premise"], rows["hypothesis"], rows["label"], strict=True)]
    lines += [lines[1], "راسلنا,0551234567 اتصل,neutral"]
    (path := tmp_path / "pairs.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_file_is_checked_without_a_workspace(zoo: Zoo, csv: Path) -> None:
    code, out, _ = zoo("data", "check", str(csv), "--offline", cwd=csv.parent)
    assert code == 0
    assert "duplicates            warning  1 of 62 (1.6 %): 1 exact, 0 spelt otherwise" in out
    assert "  train 61 (phone): 05•••••••• اتصل" in out
    page = csv.parent / "made" / "check.html"
    code, out, _ = zoo(
        "data", "check", str(csv), "--offline", "--json", "--strict", "--html", str(page), cwd=csv.parent
    )
    report = json.loads(out)
    assert (code, report["rows"], report["verdicts"]["problem"]) == (0, {"train": 62}, 0)
    assert report["roles"] == {"shape": "pairs with classes", "texts": ["premise", "hypothesis"], "label": "label", "score": None, "group": "premise", "left_out": {}}  # fmt: skip
    assert page.read_text("utf-8").count("<tr>") == len(CHECKS) + 1
    csv.write_text(csv.read_text("utf-8") + "هويته,1000000008 وهي له,neutral\n", "utf-8")
    assert zoo("data", "check", str(csv), "--offline", "--strict", cwd=csv.parent)[0] == 1
    assert zoo("data", "check", str(csv), "--offline", cwd=csv.parent)[0] == 0


def test_splits_of_a_folder_go_by_the_names_of_its_files(zoo: Zoo, tmp_path: Path) -> None:
    for name, start in (("train-00000-of-00002", 0), ("train-00001-of-00002", 50), ("dev", 100), ("my_test", 150)):
        (tmp_path / f"{name}.parquet").write_bytes(parquet(words(30, start)))
    code, out, _ = zoo("data", "check", str(tmp_path), "--offline", "--json")
    assert (code, json.loads(out)["rows"]) == (0, {"train": 60, "validation": 30, "test": 30})


def test_rows_are_found_in_folders_of_a_folder(zoo: Zoo, tmp_path: Path) -> None:
    """As a clone of a dataset's repository has them, and as `save_to_disk` does."""
    from datasets import Dataset, DatasetDict

    splits = {split: Dataset.from_dict(words(rows)) for split, rows in (("train", 60), ("test", 30))}
    DatasetDict(splits).save_to_disk(tmp_path / "saved")
    (tmp_path / "cloned" / "data").mkdir(parents=True)
    (tmp_path / "cloned" / "dataset_infos.json").write_text("{}")
    (tmp_path / "cloned" / "data" / "dev.csv").write_text("text\n" + "\n".join(SENTENCES), "utf-8")
    found = [zoo("data", "check", str(tmp_path / one), "--offline", "--json")[1] for one in ("saved", "cloned")]
    assert [json.loads(one)["rows"] for one in found] == [{"train": 60, "test": 30}, {"validation": len(SENTENCES)}]
    code, _, err = zoo("data", "check", str(tmp_path / "cloned"), "--offline", "--config", "a")
    assert (code, "is a file or folder here, which has no --config and no --revision" in err) == (1, True)
    (tmp_path / "none").mkdir()
    assert "none' has no files of rows" in zoo("data", "check", str(tmp_path / "none"), "--offline")[2]


@pytest.mark.parametrize(
    ("arguments", "told", "hint"),
    [
        (["nobody/nothing"], "no such repository", "correct the id"),
        (["checks/pairs"], "dataset 'checks/pairs' has 2 configurations: ", "zoo data check checks/pairs --config"),
        (["checks/pairs", "--config", "no"], "dataset 'checks/pairs' has no configuration 'no'", "--config"),
        (["checks/gated"], "restricted", "ask for access at"),
        (["checks/pairs", "--revision", "no"], "dataset 'checks/pairs' has no revision 'no'", "correct --revision"),
        (["checks/numbers"], "no column of texts: n (int64)", "--text names one of strings"),
        (["checks/empty"], "dataset 'checks/empty' has no files that hold rows", "/tree/main"),
        (["nowhere.csv"], "there is no file or folder 'nowhere.csv'", "ls ."),
        (["made/nowhere.csv"], "there is no file or folder 'made/nowhere.csv'", "there is no folder 'made'"),
        (["arabic-stsp"], "no dataset, file or folder 'arabic-stsp'", "did you mean 'arabic-stsb'?"),
        (["arabic-stsb", "--label", "score"], "'arabic-stsb' is a dataset of this workspace", "zoo data check --help"),
        (["arabic-stsb"], "dataset 'arabic-stsb' is not built", "zoo data build arabic-stsb"),
        (["broken.csv"], "'broken.csv'", "sed -n 3p broken.csv"),
    ],
)
def test_what_cannot_be_checked_is_told(
    foreign: TestHub, zoo: Zoo, lab_folder: Path, arguments: list[str], told: str, hint: str
) -> None:
    code, _, err = zoo("data", "check", *arguments, "--offline", cwd=lab_folder)
    assert code == 1
    assert told in err
    assert hint in err.partition("hint:")[2]


@pytest.fixture(scope="module")
def foreign(hub: TestHub) -> TestHub:
    """Datasets of strangers on the Hub."""
    from zoo.hub import repos
    from zoo.hub.store import Store

    store = Store(hub.root)
    card = "\n".join(
        ["---", "configs:", *[f"- {{config_name: {one}, data_files: {one}.parquet}}" for one in "ab"], "---"]
    )
    pairs = {f"{one}.parquet": parquet(words(30)) for one in "ab"}
    store.import_commit("dataset", "checks/pairs", {**pairs, "README.md": card.encode()})
    store.import_commit("dataset", "checks/gated", {"train.parquet": parquet(words(30))})
    store.import_commit("dataset", "checks/numbers", {"train.parquet": parquet({"n": [1, 2]})})
    store.import_commit("dataset", "checks/empty", {"README.md": b"# Nothing\n"})
    with store.write() as db:
        found = repos.find(db, "dataset", "checks/gated")
        assert found is not None
        repos.change(db, found, gated="manual")
    store.close()
    return hub


@pytest.fixture(scope="module")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checked")
    workspace_in(folder)
    (folder / "broken.csv").write_text("premise,hypothesis\nا,ب\nا,ب,ت\n", "utf-8")
    return folder


def test_one_configuration_of_the_hub_is_checked(foreign: TestHub, zoo: Zoo, lab_folder: Path) -> None:
    code, out, err = zoo(
        "data", "check", "datasets/checks/pairs", "--config", "a", "--offline", "--json", cwd=lab_folder
    )
    assert code == 0, err
    report = json.loads(out)
    assert (report["target"], report["rows"]) == ("checks/pairs (a)", {"train": 30})


def rehearsed(folder: Path, rows: Sequence[tuple[str, str]]) -> None:
    lines = "".join(f"{one}\t{other}\n" for one, other in rows)
    (folder / "recipes" / "datasets" / "mine.tsv").write_text(f"anchor\tpositive\n{lines}", "utf-8")


def test_the_report_on_a_built_dataset_is_kept_and_goes_into_its_card(hub: TestHub, zoo: Zoo, tmp_path: Path) -> None:
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import _checked
    from zoo.recipe import Workspace

    workspace_in(tmp_path)
    recipe = "source: {path: mine.tsv}\ncolumns:\n  anchor: {type: text}\n  positive: {type: text}\n"
    (tmp_path / "recipes" / "datasets" / "mine.yaml").write_text(recipe, "utf-8")
    rehearsed(tmp_path, list(zip(SENTENCES[:20], SENTENCES[20:], strict=True)))
    assert zoo("data", "build", "mine", cwd=tmp_path)[0] == 0
    build = Build(Workspace(tmp_path), "full")
    assert _checked(build, "mine") is None
    code, out, _ = zoo("data", "check", "mine", "--offline")
    assert code == 0
    assert "mine: " in out
    report = _checked(build, "mine")
    assert report is not None
    assert report["rows"] == {"train": 20}
    assert "nothing changed since it was checked" in zoo("data", "check", "mine", "--offline")[1]
    rehearsed(tmp_path, list(zip(SENTENCES[:19], SENTENCES[21:], strict=True)))
    assert zoo("data", "build", "mine")[0] == 0
    assert _checked(build, "mine") is None, "it is of other rows"
    assert "nothing changed" not in zoo("data", "check", "mine", "--offline")[1]


def test_rows_of_evaluation_tasks_are_found(seeded: TestHub) -> None:
    from zoo.tasks import TASKS
    from zoo.tasks.loading import loaded_task, rows_of

    rows = rows_of(loaded_task("STS17-ar"), TASKS["STS17-ar"])[:7]
    frame = pl.LazyFrame({"sentence1": [*SENTENCES, *(row[0] for row in rows)]})
    tasks = ["STS17-ar", "Muradif"]
    found = CHECKS["contamination"].run(Material("mine", {"train": frame}, Roles(["sentence1"]), tasks=tasks), SILENT)
    assert found.verdict == "problem"
    assert found.figure.startswith("STS17-ar: 7 of 250 rows (2.8 %)")
    assert found.examples[0].note == "exact: a row of STS17-ar"
    assert ("not searched" in found.facts) == ("not searched: Muradif" in found.figure)
