"""The linter: one bad repository per rule, none of which any other rule complains about, and good ones that none does."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from lint_repos import BAD, CARD, GOOD, PICKLE, TOKEN, Files, Shelf, good_model

from zoo.errors import ZooError
from zoo.lint import files as sources
from zoo.lint import leaks, policy
from zoo.lint.check import LintReport, check_repository
from zoo.lint.facts import NoHub
from zoo.lint.fix import fix
from zoo.lint.report import report_as_sarif
from zoo.lint.rules import rules
from zoo.lint.target import of_files, of_folder, split_target

Zoo = Callable[..., tuple[int, str, str]]


def lint(files: Mapping[str, bytes | Path], shelf: Any = None, **options: Any) -> LintReport:
    return check_repository(of_files(sources.held_files(files), shelf or Shelf(), **options))


def found(report: LintReport) -> list[str]:
    return [one.rule for one in report.findings]


def said(report: LintReport) -> list[tuple[str, int, str]]:
    return [(one.rule, one.line, one.message) for one in report.findings]


def broken(rule: str) -> tuple[Files, Shelf]:
    files, shelf = GOOD[BAD[rule].kind](), Shelf()
    BAD[rule].change(files, shelf)
    return files, shelf


def written(files: Files, folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_repository_is_clean(kind: str) -> None:
    report = lint(GOOD[kind]())
    assert said(report) == []
    assert report.kind == kind
    assert report.unchecked == {}


@pytest.mark.parametrize("id", sorted(set(rules()) - {"L56"}))  # it loads the model (test_backbone)
def test_one_change_is_found_by_its_rule_and_no_other(id: str) -> None:
    files, shelf = broken(id)
    report = lint(files, shelf, repo_id=BAD[id].repo_id)
    assert set(found(report)) == {id}, said(report)
    assert all(one.line >= 1 for one in report.findings)


@pytest.mark.parametrize("id", sorted(rules()))
def test_every_rule_says_what_it_finds_and_what_it_spares(id: str) -> None:
    rule = rules()[id]
    assert re.fullmatch(r"[^.].*\.", rule.documentation)
    assert rule.spares.startswith("Not flagged: ")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)


def test_places_are_those_in_the_file() -> None:
    for id, text in (("L30", "reaches 79.80"), ("L43", "- arabic\n"), ("L36", "model.encode("), ("L11", "135M")):
        files, shelf = broken(id)
        line = lint(files, shelf).findings[0].line
        assert text.strip() in files["README.md"].decode().split("\n")[line - 1]


def test_rules_that_need_the_hub_say_that_they_did_not_look() -> None:
    report = lint(good_model(), Shelf(answers=False))
    assert report.findings == []
    assert report.unchecked == dict.fromkeys(["L01", "L28", "L32"], "it does not answer")


def test_a_loop_over_several_models_is_found() -> None:
    from zoo.lint.facts import Known

    shelf = Shelf()
    shelf.has["model", "lab/base-encoder"] = Known("lab/base-encoder", (), ("lab/Good-Matryoshka",))
    [one] = lint(good_model(), shelf).findings
    assert one.message == "base_model leads back to the model itself: lab/base-encoder -> lab/Good-Matryoshka"


FIXABLE = [id for id in sorted(rules()) if rules()[id].fixable]


def repaired(id: str) -> tuple[Files, Shelf]:
    if id == "L28":  # only a spelling is safe to correct
        files, shelf = good_model(), Shelf()
        files["README.md"] = files["README.md"].replace(b"- lab/arabic-pairs", b"- lab/Arabic-Pairs")
        shelf.has["dataset", "lab/Arabic-Pairs"] = shelf.has["dataset", "lab/arabic-pairs"]
        return files, shelf
    return broken(id)


@pytest.mark.parametrize("id", FIXABLE)
def test_fixed_repositories_are_clean_and_a_second_time_changes_nothing(id: str, tmp_path: Path) -> None:
    files, shelf = repaired(id)
    folder = written(files, tmp_path)
    assert found(check_repository(of_folder(folder, shelf))) == [id]
    did, report = fix(folder, lambda: check_repository(of_folder(folder, shelf)))
    assert len(did) == 1
    assert said(report) == []
    after = {path: (folder / path).read_bytes() for path in files}
    assert fix(folder, lambda: check_repository(of_folder(folder, shelf)))[0] == []
    assert {path: (folder / path).read_bytes() for path in files} == after


@pytest.mark.parametrize("id", ["L02", "L05", "L28", "L41", "L43", "L46", "L47"])
def test_a_fix_gives_back_the_good_card_byte_for_byte(id: str, tmp_path: Path) -> None:
    files, shelf = repaired(id)
    folder = written(files, tmp_path)
    fix(folder, lambda: check_repository(of_folder(folder, shelf)))
    assert (folder / "README.md").read_text("utf-8") == CARD


def test_fixes_of_one_file_are_made_together_and_line_ends_stay(tmp_path: Path) -> None:
    files, shelf = broken("L43")
    BAD["L02"].change(files, shelf)
    files["README.md"] = files["README.md"].replace(b"\n", b"\r\n")
    folder = written(files, tmp_path)
    did, report = fix(folder, lambda: check_repository(of_folder(folder, shelf)))
    assert did == ["tags: 'arabic' once", "https://hf-mirror.com is https://huggingface.co"]
    assert said(report) == []
    assert (folder / "README.md").read_bytes() == CARD.replace("\n", "\r\n").encode()


def test_two_indexes_with_other_results_are_not_merged(tmp_path: Path) -> None:
    files, shelf = broken("L05")
    text = files["README.md"].decode()
    at = text.rindex("value: 78.0862")
    folder = written({**files, "README.md": (text[:at] + "value: 70.5" + text[at + 14 :]).encode()}, tmp_path)
    did, report = fix(folder, lambda: check_repository(of_folder(folder, shelf)))
    assert did == []
    assert "L05" in found(report)


def test_the_command_prints_places_hints_and_a_summary(zoo: Zoo, tmp_path: Path) -> None:
    folder = written(broken("L30")[0], tmp_path)
    code, out, _ = zoo("lint", str(folder), "--offline")
    line = CARD.split("It reaches")[0].count("\n") + 1
    index = CARD.split("value: 78.0862")[0].count("\n") + 1
    assert out.splitlines() == [
        f"README.md:{line}: L30 79.80 for STS17, and the results have 78.0862",
        f"    from README.md:{index}",
        "not checked: L01, L28, L32 (the Hub was not asked)",
        f"{folder}: 1 finding; 47 rules looked",
    ]
    assert code == 1


def test_a_clean_folder_exits_with_0(zoo: Zoo, tmp_path: Path) -> None:
    code, out, _ = zoo("lint", str(written(good_model(), tmp_path)), "--offline")
    assert code == 0
    assert out.splitlines()[-1] == f"{tmp_path}: nothing found; 47 rules looked"


def test_the_command_fixes_and_says_so(zoo: Zoo, tmp_path: Path) -> None:
    folder = written(broken("L43")[0], tmp_path)
    code, out, _ = zoo("lint", str(folder), "--offline", "--fix")
    assert code == 0
    assert out.splitlines()[0] == "fixed: tags: 'arabic' once"
    assert "fixed" not in zoo("lint", str(folder), "--offline", "--fix")[1]


def test_json_has_every_finding(zoo: Zoo, tmp_path: Path) -> None:
    code, out, _ = zoo("lint", str(written(broken("L43")[0], tmp_path)), "--offline", "--format", "json")
    answer = json.loads(out)
    assert code == 1
    assert [(one["rule"], one["severity"], one["fixable"]) for one in answer["findings"]] == [("L43", "warning", True)]
    assert answer["not_checked"].keys() == {"L01", "L28", "L32"}


def test_sarif_has_what_its_schema_asks_for(zoo: Zoo, tmp_path: Path) -> None:
    code, out, _ = zoo("lint", str(written(broken("L39")[0], tmp_path)), "--offline", "--format", "sarif")
    document = json.loads(out)
    assert code == 1
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "zoo lint"
    assert [one["id"] for one in driver["rules"]] == sorted(rules())
    assert all(one["shortDescription"]["text"] for one in driver["rules"])
    assert {one["defaultConfiguration"]["level"] for one in driver["rules"]} <= {"none", "note", "warning", "error"}
    [result] = run["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "L39"
    assert result["level"] == "error"
    assert result["message"]["text"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "upload.py"}, "region": {"startLine": 1}}
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert {one["associatedRule"]["id"] for one in invocation["toolExecutionNotifications"]} == {"L01", "L28", "L32"}


def test_sarif_addresses_are_addresses() -> None:
    files = good_model() | {"my weights/optimizer نسخة.pt": PICKLE}
    [result] = report_as_sarif(lint(files))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", uri)


def test_rules_are_listed(zoo: Zoo) -> None:
    code, out, _ = zoo("lint", "--rules")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("L")] == sorted(rules())
    assert len(json.loads(zoo("lint", "--rules", "--json")[1])["rules"]) == len(rules())


# ---- secrets -------------------------------------------------------------------------------------------------------

SECRETS = [
    TOKEN,
    "AKIA" + "Q3EGRIS7LMVZX2TB",
    "ghp_" + "a8Kd0fLq2mZx7Vb3nTy6Rw9Ue4Ph1Jc5Sg0o",
    "https://omar:" + "s3cr3t-Pa55@hub.lab.example/x",
    'api_key = "' + "q8Zr2Lk9Xv4Tn7Wb1Ym6Hc3" + '"',
]


@pytest.mark.parametrize("secret", SECRETS, ids=["hf", "aws", "github", "address", "assigned"])
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_a_secret_is_in_no_output(secret: str, form: str, zoo: Zoo, tmp_path: Path) -> None:
    files = good_model()
    card = (
        files["README.md"]
        .decode()
        .replace("Finetuned from [lab/base-encoder]", f"TODO: {secret}\n\nFinetuned from [x/{secret}]")
    )
    files |= {"README.md": card.encode(), f"{TOKEN}.pkl": PICKLE, ".env": f"K={secret}\n".encode()}
    code, out, err = zoo("lint", str(written(files, tmp_path)), "--offline", "--format", form)
    assert code == 1
    assert "L39" in out
    hidden = re.split(r"hf_|AKIA|ghp_|omar:|\"|@", secret)
    for part in (
        one for one in hidden if len(one) > 9 and "hub.lab" not in one and "api_key" not in one and "http" not in one
    ):
        assert part not in out + err
    assert TOKEN not in out + err


def test_secrets_are_found_masked_with_their_lines() -> None:
    [one] = leaks.find_secrets(f"first\nlogin(token={TOKEN!r})\n")
    assert (one.kind, one.line, one.masked) == ("Hugging Face token", 2, f"hf_… ({len(TOKEN)} characters)")
    assert leaks.redacted(f"a {TOKEN} b") == "a hf_… b"


@pytest.mark.parametrize(("before", "count"), [("     ", 1), ("xxxxx", 0)])
def test_what_stands_before_a_token_counts_where_two_pieces_meet(before: str, count: int) -> None:
    for short in range(50):
        pieces = [before + TOKEN + " " * (leaks.LONGEST - short), "\n"]
        assert len(list(leaks.find_secrets_in_pieces(pieces))) == count


# ---- policy --------------------------------------------------------------------------------------------------------


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, PICKLE)
    return file.getvalue()


def test_policy_refuses_pickles_caches_checkpoints_and_links(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    contents: dict[str, bytes | Path] = {
        "README.md": b"# x",
        "model.safetensors": b"x",
        "openvino/openvino_model.bin": b"\x00\x01weights",
        "training_args.bin": PICKLE,
        "weights.bin": zipped("archive/data.pkl"),
        "head.pt": PICKLE,
        "site.pth": b"import _virtualenv\n",
        "tokens.bin": b"\x80\x04\x00\x01",
        "plain.pt": zipped("archive/weights"),
        "__pycache__/app.cpython-311.pyc": b"",
        "checkpoint-500/optimizer.json": b"",
        "docs/.DS_Store": b"",
        "link.txt": tmp_path / "link",
    }
    assert sorted((one.rule, one.file) for one in policy.check_policy(contents)) == [
        ("L37", "head.pt"),
        ("L37", "training_args.bin"),
        ("L37", "weights.bin"),
        ("L40", "__pycache__/app.cpython-311.pyc"),
        ("L40", "checkpoint-500/optimizer.json"),
        ("L40", "docs/.DS_Store"),
        ("L40", "link.txt"),
    ]


def test_a_file_larger_than_the_hub_takes_is_found_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.safetensors").open("wb") as file:
        file.truncate(60 * 10**9)
    [one] = policy.check_policy({"huge.safetensors": tmp_path / "huge.safetensors"})
    assert one.message == "'huge.safetensors' has 60 GB, more than the Hub takes"


# ---- what must not be flagged --------------------------------------------------------------------------------------

BY_CONTENT = f"""
```python
folder = snapshot_download("lab/Good-Matryoshka")
if sha256(Path(folder, "modeling.py").read_bytes()).hexdigest() != "{"a1" * 32}":
    raise SystemExit
```

```python
m = SentenceTransformer(folder, trust_remote_code=True)
```
"""
FINE = {
    "a shell session called Python": "\n```python\npip install x\npython run.py --all\n$ ls\n```\n",
    "await": "\n```python\nawait model.encode_async(texts)\n```\n",
    "mit in prose": "\n## License\n\nWritten at MIT in Boston.\n",
    "cut vectors": "\nRecall moves by half a point at 8 dimensions, or at 12 dimensions.\n",
    "bibtex outside code": "\n@misc{a, title={{BERT}}, year={2019}}\n",
    "a mean over fewer, said so": "\n| | |\n|---|---|\n| Mean of 2 tasks | 73.55 |\n",
    "an auto-generated card": "\n- **Maximum Sequence Length:** 128 tokens\n- **Output Dimensionality:** 16 dimensions\n<!-- - **License:** Unknown -->\n",
    "other models": "\nUnlike the 768-dimensional LaBSE (471M parameters), it is small. LaBSE scores 72.4 on STS17.\n",
    "training length": "\n## Training\n\nMax sequence length 64, batch 32.\n",
    "dim table": "\n| Dim | STS17 | Mean |\n|---:|---:|---:|\n| 16 | 78.09 | 71.8 |\n| 8 | 70.11 | 66.0 |\n",
    "other metric": "\nPearson on STS17 is another matter: it reaches 75.5 Pearson on STS17.\n",
    "several numbers": "\nSTS17 goes from 48.95 to 78.09, which is 29.14 points.\n",
    "todo in prose": "\nA todo list, and the word TODO in a sentence, are fine. Spanish: todo el mundo.\n",
    "comment": "\n<!-- TODO: more [More Information Needed] -->\n",
    "jinja in code": "\n```html\n<p>{{ name }}</p>\n```\n",
    "local services": "\nServed at http://localhost:8080/v1/embeddings and http://127.0.0.1:7860.\n",
    "mirror as endpoint": "\n```bash\nexport HF_ENDPOINT=https://hf-mirror.com\n```\n",
    "base's licence": "\nThe base model is released under CC BY-SA 4.0.\n",
    "cosine on cut": "\n```python\nfrom numpy.linalg import norm\nsmall = embeddings[:, :8]\nsmall = small / norm(small)\nprint(small @ small.T)\n```\n",
    "pinned remote code": f'\n```python\nm = SentenceTransformer("lab/Good-Matryoshka", trust_remote_code=True, revision="{"a" * 40}")\n```\n',
    "remote code compared by content": BY_CONTENT,
    "sessions": "\n```python\n>>> 1 + 1\n2\n```\n\n```python\n!pip install x\n%time 1\n```\n",
    "another model in a snippet": '\n```python\nother = SentenceTransformer("sentence-transformers/LaBSE")\n```\n',
    "arabic": "\nيبلغ النموذج 78.09 على STS17، وطول الجملة الأقصى 128 رمزًا.\n",
    "a mean of something else": "\nThe average length is 12.5 words, and the mean score of 3.7 was given by people.\n",
    "scopes as columns": "\n| | Held-out | Full set |\n|---|---:|---:|\n| This model | 80.09 | 80.64 |\n",
    "both scopes in a cell": "\n| Model | Muradif |\n|---|---|\n| Good-Matryoshka | 80.64 (full) / 80.09 (held-out) |\n",
    "a rounded count": "\nIt has 20K parameters, or 0.02M parameters.\n",
    "one digit less": "\nIt scores 78.1 on STS17.\n",
}


@pytest.mark.parametrize("name", FINE)
def test_fine_text_is_left_alone(name: str) -> None:
    files = good_model()
    files["README.md"] += FINE[name].encode()
    assert said(lint(files)) == []


UNTOLD = {
    "and the card does not say so": "",
    "and no snippet allows it": "\nIt wants trust_remote_code.\n",
}


@pytest.mark.parametrize("said_so", UNTOLD)
def test_what_a_card_says_of_the_code_that_its_model_carries(said_so: str) -> None:
    files, shelf = broken("L53")
    assert said(lint({**files, "README.md": files["README.md"] + BY_CONTENT.encode()}, shelf)) == []
    [one] = lint({**files, "README.md": files["README.md"] + UNTOLD[said_so].encode()}, shelf).findings
    assert (one.rule, said_so in one.message) == ("L53", True), one.message


def test_prompts_that_the_snippet_uses_are_fine() -> None:
    files, shelf = broken("L24")
    files["README.md"] = files["README.md"].replace(b'encode(["', b'encode(["query: ')
    assert said(lint(files, shelf)) == []


def test_a_loss_tag_of_the_recipe_is_fine() -> None:
    files, shelf = broken("L06")
    files["zoo/recipe.yaml"] += b"phases: [{data: [{loss: {type: cosinesimilarity}}]}]\n"
    assert said(lint(files, shelf)) == []


def test_scores_of_our_own_make_numbers_exact() -> None:
    files = good_model()
    row = {
        "model": "m",
        "task": "STS17-ar",
        "metric": "cosine_spearman",
        "dim": 16,
        "dataset": "mteb/sts17-crosslingual-sts",
    }
    from lint_repos import REVISION, as_json

    scores = {
        "subjects": [{"name": "m", "role": "self", "dims": [16, 8]}],
        "scores": [{**row, "revision": REVISION, "value": 60.5}],
    }
    files["zoo/scores.json"] = as_json(scores)
    assert set(found(lint(files))) == {"L29", "L30", "L38"}


OURS = {"name": "good", "scale": "mini", "release": {"repo": "Good-Matryoshka", "license": "apache-2.0"}}
STORED = [  # model, dim, tasks, value, low, high
    ("own", 16, ["STS17-ar", "STS22-ar", "STS22v2-ar"], 71.7741, 67.6432, 75.1001),
    ("own", 16, ["STS17-ar", "STS22v2-ar"], 73.1506, 69.0, 76.9),
    ("own", 8, ["STS17-ar", "STS22-ar", "STS22v2-ar"], 72.9012, 68.8, 76.1),
    ("rival", 16, ["STS17-ar", "STS22-ar", "STS22v2-ar"], 45.2874, 38.2, 51.4),
    ("rival", 16, ["STS17-ar", "STS22v2-ar"], 45.82, 38.9, 52.1),
    ("rival", 8, ["STS17-ar", "STS22-ar", "STS22v2-ar"], 44.01, 37.2, 50.4),
    ("spelling", None, ["STS17-ar", "STS22-ar", "STS22v2-ar"], 56.6482, 50.4, 62.0),
]


def measured_model() -> Files:
    """The good model with our scores and a row of its best rival."""
    subjects = [
        {"name": "own", "role": "self", "title": "Good-Matryoshka", "dims": [16, 8]},
        {"name": "rival", "role": "base", "title": "قاعدة_base", "dims": [16, 8]},
        {"name": "spelling", "role": "baseline", "title": "character TF-IDF", "dims": []},
    ]
    means = [dict(zip(("model", "dim", "tasks", "value", "low", "high"), row, strict=True)) for row in STORED]
    files = good_model() | {"zoo/scores.json": json.dumps({"subjects": subjects, "means": means}).encode()}
    files["zoo/recipe.yaml"] = json.dumps(OURS).encode()
    rival = "| Best rival measured beside it | character TF-IDF: 56.65 [50.4, 62.0] |\n| Embedding sizes"
    files["README.md"] = files["README.md"].replace(b"| Embedding sizes", rival.encode(), 1)
    return files


OWN_ROW = "| Mean of 3 tasks (ara-sts), 16 numbers | **71.77 [67.6, 75.1]** |"
RIVAL_ROW = "| Best rival measured beside it | character TF-IDF: 56.65 [50.4, 62.0] |"


def glance(row: str) -> LintReport:
    """Of the measured model with another row at a glance."""
    files, was = measured_model(), RIVAL_ROW if row.startswith("| Best") else OWN_ROW
    files["README.md"] = files["README.md"].replace(was.encode(), row.encode())
    return lint(files)


@pytest.mark.parametrize(
    "row",
    [
        OWN_ROW,
        RIVAL_ROW,
        "| Mean of 3 tasks (ara-sts), 16 numbers | 71.78 |",
        "| Mean of 3 tasks, 8 numbers | 72.90 [68.8, 76.1] |",
        "| Mean of 3 tasks | 72.90 |",
        "| Mean of 2 tasks | 73.15 |",
        "| Mean of 2 tasks | 73.55 |",
        "| Mean of 3 tasks, 16 numbers | 0.7177 |",
        "| Mean length of a text | 12.5 |",
        "| Best rival measured beside it | <bdi>قاعدة\\_base</bdi>: 45.29 [38.2, 51.4] |",
        "| Best rival | another model, measured elsewhere: 99.99 |",
        "| Best rival | LaBSE |",
    ],
)
def test_means_that_our_scores_have_are_fine_at_a_glance(row: str) -> None:
    assert said(glance(row)) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "| Mean of 3 tasks (ara-sts), 16 numbers | **99.99 [67.6, 75.1]** |",
            "a mean of 99.99, and zoo/scores.json has 71.77",
        ),
        (
            "| Mean of 3 tasks (ara-sts), 16 numbers | **72.90 [67.6, 75.1]** |",
            "a mean of 72.90, and zoo/scores.json has 71.77",
        ),
        ("| Mean of 3 tasks | **73.15** |", "a mean of 73.15, and zoo/scores.json has 71.77, 72.90"),
        (
            "| Mean of 3 tasks (ara-sts), 16 numbers | **71.77 [71.6, 75.1]** |",
            "an interval [71.6, 75.1], and zoo/scores.json has [67.6, 75.1], for the mean of 71.77",
        ),
        (
            "| Best rival measured beside it | character TF-IDF: 16.65 [50.4, 62.0] |",
            "a mean of 16.65 for 'character TF-IDF', and zoo/scores.json has 56.65",
        ),
        (
            "| Best rival measured beside it | <bdi>قاعدة\\_base</bdi>: 45.82 [38.2, 51.4] |",
            "a mean of 45.82 for 'قاعدة_base', and zoo/scores.json has 45.29",
        ),
        (
            "| Best rival measured beside it | character TF-IDF: 56.65 [50.4, 92.0] |",
            "an interval [50.4, 92.0], and zoo/scores.json has [50.4, 62.0], for the mean of 56.65 for 'character TF-IDF'",
        ),
    ],
)
def test_a_mean_at_a_glance_that_our_scores_do_not_have_is_found(row: str, message: str) -> None:
    report = glance(row)
    assert [(one.rule, one.message) for one in report.findings] == [("L29", message)]
    assert report.findings[0].hint == "zoo build good --scale mini --force card"


def test_a_mean_over_all_results_is_wrong_however_far_it_is_from_them() -> None:
    files = good_model()
    files["README.md"] = files["README.md"].replace(b"**71.77 [67.6", b"**99.99 [67.6")
    assert [one.message for one in lint(files).findings] == ["a mean of 99.99, and the results have 71.77"]


@pytest.mark.parametrize("key", ["title", "dims", "means", "tasks", "low", "value", "subjects"])
@pytest.mark.parametrize("value", [None, 5, "x", [], [5], {}, [{}], True])
def test_scores_of_any_content_end_in_findings(key: str, value: Any) -> None:
    files = measured_model()
    scores = json.loads(files["zoo/scores.json"])
    for part in (scores, *scores["subjects"], *scores["means"]):
        if key in part:
            part[key] = value
    readable = value == 5 and key in ("low", "value")  # then the card says other numbers; the rest is no score file
    assert found(lint(files | {"zoo/scores.json": json.dumps(scores).encode()})) == (["L29", "L29"] if readable else [])


def test_a_stale_card_comes_with_the_way_to_a_fresh_one_wherever_it_is(tmp_path: Path) -> None:
    files = measured_model()
    files["README.md"] = files["README.md"].replace(b"license: apache-2.0", b"license: mit")

    def hint(repo: Any) -> str | None:
        return next(one.hint for one in check_repository(repo).findings if one.rule == "L38")

    listed, folder = sources.held_files(files), written(files, tmp_path / "my model")
    assert hint(of_files(listed, Shelf())) == (
        "correct the recipe, or take its card: zoo build good --scale mini --force card"
    )
    assert hint(of_folder(folder, Shelf())) == (
        f"correct the recipe, or take its card: zoo card good --scale mini > '{folder}/README.md'"
    )
    assert hint(of_files(listed, Shelf(), kind="model", repo_id="lab/Good-Matryoshka")) == (
        "correct the recipe, or take its card: zoo publish good --scale mini --overwrite lab/Good-Matryoshka:README.md"
    )
    nameless = sources.held_files(files | {"zoo/recipe.yaml": b"release: {license: apache-2.0}\n"})
    assert hint(of_files(nameless, Shelf())) == "license: apache-2.0"


# ---- hostile input -------------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{chr(ord(name) - 1)}'] * 9)}]\n" for name in "bcdefghij"
)
HOSTILE = {
    "alias bomb": f"---\n{BOMB}---\n# x\n",
    "self": "---\na: &a [*a]\n---\n# x\n",
    "depth": "---\na: " + "[" * 5000 + "]" * 5000 + "\n---\n",
    "blocks": "---\n" + "- " * 3000 + "x\n---\n",
    "not a mapping": "---\n- a\n- b\n---\n",
    "scalar": "---\nhello\n---\n",
    "tab": "---\na:\n\t- b\n---\n",
    "tag": "---\na: !!python/object/apply:os.system ['true']\n---\n",
    "date": "---\na: 2024-13-45\n---\n",
    "int": "---\na: !!int ''\n---\n",
    "bool": "---\na: !!bool zz\n---\n",
    "timestamp": "---\na: !!timestamp zz\n---\n",
    "unhashable": "---\n? {a: b}\n: c\n---\n",
    "no front matter": "# Only a title\n",
    "empty": "",
    "no end": "---\nlicense: mit\n",
    "long": "---\na: " + "x" * 3_000_000 + "\n---\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_front_matter_is_one_finding(name: str) -> None:
    report = lint({**good_model(), "README.md": HOSTILE[name].encode()})
    assert found(report) == ["L41"], said(report)
    assert len(report.findings[0].message) < 200
    assert "L18" in report.unchecked


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary\x00" * 50, b"x" * 6_000_000], ids=["binary", "long"])
def test_a_readme_that_is_no_text_is_one_finding(content: bytes) -> None:
    assert found(lint({**good_model(), "README.md": content})) == ["L41"]


NOTHING: dict[str, list[str]] = {"model": [], "dataset": [], "space": []}
MISSING = {"model": ["L09"], "dataset": ["L09"], "space": ["L45"]}
ODD_VALUES = {
    **dict.fromkeys(["5", "{a: [b]}", "true", "2024-01-01"], NOTHING),
    **dict.fromkeys(["[1, 2]", "[null, {}]", "[[a], {b: c}]"], NOTHING | {"model": ["L05"]}),
    "null": MISSING,
    "''": MISSING | {"model": ["L09", "L38", "L38"]},
}


@pytest.mark.parametrize("value", ODD_VALUES)
def test_values_of_any_type_end_in_findings(value: str) -> None:
    keys = (
        "license",
        "tags",
        "datasets",
        "base_model",
        "model-index",
        "library_name",
        "language",
        "configs",
        "dataset_info",
    )
    front = "".join(f"{key}: {value}\n" for key in (*keys, "size_categories", "sdk", "models"))
    for kind, good in GOOD.items():
        files = {**good(), "README.md": f"---\n{front}---\n# x\n| a | STS17 |\n|--|--|\n| x |\n".encode()}
        rules = [rule for rule in found(lint(files, kind=kind)) if rule != "L46"]  # the Hub refuses most of them
        assert rules == ODD_VALUES[value][kind], kind


@pytest.mark.parametrize(
    "value", ["5", "[]", "[1]", "null", '"x"', "{}", '{"prompts": 3, "dtype": 4}', "[" * 20000, "{", "NaN"]
)
def test_configs_of_any_content_end_in_findings(value: str) -> None:
    for path in good_model():
        if path.endswith((".json", ".yaml")):
            length = ["L10"] if path == "sentence_bert_config.json" else []  # the card's, which nothing bears out now
            syntax = ["L42"] if value in ("[" * 20000, "{") else []
            assert found(lint({**good_model(), path: value.encode()})) == length + syntax, path


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0{}", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_weights_that_are_none_are_no_traceback(content: bytes) -> None:
    assert said(lint({**good_model(), "model.safetensors": content})) == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff" * 100 + b"\x10\0\0\0PAR1"])
def test_parquet_that_is_none_is_no_traceback(content: bytes) -> None:
    assert said(lint({**GOOD["dataset"](), "data/first.parquet": content})) == []


LONG = {
    "digits": "1" * 1_000_000,
    "decimals": "1." * 500_000,
    "word": "a" * 1_000_000,
    "words": "a " * 500_000,
    "sentences": "Ab. " * 250_000,
    "lines": "Ab.\n" * 100_000,
    "brackets": "[" * 500_000,
    "links": "[a](" * 200_000,
    "fences": "```x\n" * 200_000,
    "comments": "<!--" * 200_000,
    "hashes": "# " * 300_000,
    "pipes": "|" * 500_000,
    "rows": "| a | STS17 |\n|--|--|\n" + "| Good-Matryoshka | 1.5 |\n" * 12_000,
    "slashes": "a/" * 400_000,
    "braces": "{{ a |" + " " * 500_000,
    "web tokens": "eyJ-" * 200_000,
    "addresses": "a+" * 400_000 + "://a:",
    "addresses with colons": "ab://a:bbbbbbbb" * 50_000,
    "underscores": "a_" * 400_000,
    "asterisks": "*" * 500_000,
    "licence": "license " + "*" * 300_000,
}


@pytest.mark.parametrize("name", LONG)
def test_time_grows_with_a_hostile_text_and_not_with_its_square(name: str) -> None:
    """Four times the text takes about four times as long; patterns that go back and forth would take sixteen."""
    text = LONG[name][: len(LONG[name]) // 2]
    whole, quarter = linted(text), linted(text[: len(text) // 4])
    assert whole < 10 * max(quarter, 0.1)


def linted(text: str) -> float:
    """Seconds of this process."""
    began = time.process_time()
    lint({**good_model(), "README.md": f"{CARD}\n{text}\n".encode(), "notes.txt": text.encode()[:999_999]})
    return time.process_time() - began


@pytest.mark.parametrize("key", ["num_examples: 40", "value: 78.0862"])
def test_numbers_of_any_size_end_in_findings(key: str) -> None:
    kind = "dataset" if "examples" in key else "model"
    negative = {"dataset": [], "model": ["L30", "L29", "L30"]}[kind]  # the card's table and mean say something else
    for number in ("9" * 4000, "9" * 9000, ".inf", ".nan", "1e400", "-1"):
        files = GOOD[kind]()
        text = files["README.md"].decode().replace(key, f"{key.split()[0]} {number}")
        rules = found(lint({**files, "README.md": text.encode()}))
        broken = {"9" * 4000: ["L41"], "9" * 9000: ["L41"], ".inf": ["L46"], ".nan": ["L46"]}
        assert rules == {**broken, "-1": negative}.get(number, []), number[:9]


def test_what_findings_quote_cannot_drive_a_terminal() -> None:
    files = good_model()
    files["README.md"] += "\n<your \u202eevil name>\n".encode() + b"\n<your \x1b[31m thing>\n"
    files["a\u202eb\x1b[2J.pkl"] = PICKLE
    shown = json.dumps([vars(one) for one in lint(files).findings], default=str, ensure_ascii=False)
    assert "\u202e" not in shown
    assert "\\u001b" not in shown


def test_links_and_pipes_are_listed_and_never_read(tmp_path: Path) -> None:
    folder = written(good_model(), tmp_path / "repo")
    (folder / "notes.md").symlink_to("/etc/hostname")
    (folder / "nowhere.md").symlink_to("/nowhere")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.md")
    report = check_repository(of_folder(folder, Shelf()))
    assert sorted((one.rule, one.file) for one in report.findings) == [
        ("L40", name) for name in ("loop", "notes.md", "nowhere.md", "pipe.md")
    ]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a b", "error: 'a b' is neither a folder nor an id"),
        ("https://huggingface.co/a/b/c", "error: 'https://huggingface.co/a/b/c' is neither a folder nor an id"),
        ("datasets/a/b/c", "error: 'datasets/a/b/c' is neither a folder nor an id"),
        ("lab/not-there", "error: cannot look at model 'lab/not-there': no such repository on "),
    ],
)
def test_a_target_that_is_none_is_one_error(target: str, message: str, zoo: Zoo) -> None:
    code, _, err = zoo("lint", target)
    assert code == 1
    assert err.startswith(message)


@pytest.mark.parametrize(
    "target", ["/nonexistent", "./nope", "../nope", "../../etc/x/y", "~/nope", "runs/mni/x", "nope/", "lab/nope/"]
)
def test_a_folder_that_is_not_there_is_not_asked_of_the_hub(
    target: str, zoo: Zoo, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    code, _, err = zoo("lint", target, cwd=tmp_path / "a" / "b")
    assert (code, err) == (1, f"error: there is no folder '{target}'\nhint: name the folder that holds README.md\n")
    assert asked == []


def test_a_misspelt_folder_comes_with_the_nearest(zoo: Zoo, tmp_path: Path) -> None:
    (tmp_path / "runs" / "mini" / "x").mkdir(parents=True)
    code, _, err = zoo("lint", "runs/mni/x", cwd=tmp_path)
    assert (code, err) == (1, "error: there is no folder 'runs/mni/x'\nhint: did you mean 'runs/mini'?\n")


def test_an_empty_folder_and_a_file_are_errors(zoo: Zoo, tmp_path: Path) -> None:
    assert "is empty" in zoo("lint", str(tmp_path))[2]
    (tmp_path / "README.md").write_text("x")
    assert "is a file" in zoo("lint", str(tmp_path / "README.md"))[2]


def test_a_misspelt_recipe_comes_with_the_nearest(zoo: Zoo) -> None:
    code, _, err = zoo("lint", "arabert-matryoska")
    assert code == 1
    assert err.splitlines()[1] == "hint: did you mean 'arabert-matryoshka'?"


def test_a_recipe_that_is_not_built_says_how_to_build_it(zoo: Zoo, tmp_path: Path) -> None:
    from conftest import workspace_in

    code, _, err = zoo("lint", "e5-hybrid", "--scale", "mini", cwd=workspace_in(tmp_path).root)
    assert code == 1
    assert err == "error: recipe 'e5-hybrid' has no finished stage 'train'\nhint: zoo build e5-hybrid --scale mini\n"


def test_linting_needs_no_workspace(zoo: Zoo, tmp_path: Path) -> None:
    folder = written(good_model(), tmp_path)
    assert zoo("lint", ".", "--offline", cwd=folder)[0] == 0


def test_addresses_are_targets() -> None:
    assert split_target("https://huggingface.co/datasets/lab/pairs") == ("dataset", "lab/pairs")
    assert split_target("spaces/lab/demo") == ("space", "lab/demo")
    assert split_target("distilroberta-base") == ("model", "distilroberta-base")
    with pytest.raises(ZooError, match="neither a folder nor an id"):
        split_target("datasets/ع/x")


# ---- the Hub -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(hub: Any) -> str:
    """The three good repositories, what they name, and a bad model, on the local Hub; the account that holds them."""
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    account = api.whoami()["name"]

    def put(kind: str, name: str, files: Files) -> None:
        api.create_repo(
            f"{account}/{name}", repo_type=kind, exist_ok=True, **({"space_sdk": "gradio"} if kind == "space" else {})
        )
        renamed = {
            path: content.replace(b"lab/", f"{account}/".encode()) if path.endswith((".md", ".yaml")) else content
            for path, content in files.items()
        }
        operations = [CommitOperationAdd(path, content) for path, content in renamed.items()]
        api.create_commit(f"{account}/{name}", operations, commit_message="put", repo_type=kind)

    put("model", "base-encoder", {"README.md": b"---\nlicense: apache-2.0\n---\n# base\n", "config.json": b"{}"})
    put("dataset", "arabic-pairs", GOOD["dataset"]())
    card = CARD.replace("- mteb/sts17-crosslingual-sts\n", "")
    put("model", "Good-Matryoshka", good_model() | {"README.md": card.encode()})
    put("space", "similarity", GOOD["space"]())
    looped = card.replace("lab/base-encoder", "lab/Bad-Matryoshka").replace("Good-", "Bad-")
    recipe = b"base: {model: lab/Bad-Matryoshka}\n"
    put("model", "Bad-Matryoshka", good_model() | {"README.md": looped.encode(), "zoo/recipe.yaml": recipe})
    lost = card.replace("lab/base-encoder", "lab/base-encoderr").replace("Good-", "Lost-")
    put("model", "Lost-Matryoshka", good_model() | {"README.md": lost.encode(), "zoo/recipe.yaml": b"{}\n"})
    return str(account)


@pytest.mark.parametrize("path", ["Good-Matryoshka", "datasets/arabic-pairs", "spaces/similarity"])
def test_a_good_repository_on_a_hub_is_clean(path: str, published: str, zoo: Zoo) -> None:
    first, _, name = path.rpartition("/")
    target = f"{first}/{published}/{name}".lstrip("/")
    code, out, err = zoo("lint", target)
    assert (code, err) == (0, "")
    assert "not checked" not in out


def test_a_bad_repository_on_a_hub_is_found_out(published: str, zoo: Zoo) -> None:
    code, out, _ = zoo("lint", f"{published}/Bad-Matryoshka")
    assert code == 1
    assert f"L01 base_model is the model itself: '{published}/Bad-Matryoshka'" in out
    assert "1 finding;" in out


def test_an_unknown_id_comes_with_the_nearest_one(published: str, zoo: Zoo) -> None:
    code, out, _ = zoo("lint", f"{published}/Lost-Matryoshka")
    assert code == 1
    assert f"L28 base_model '{published}/base-encoderr' is not on the Hub" in out
    assert f"did you mean '{published}/base-encoder'?" in out


def test_a_hub_target_is_never_fixed(published: str, zoo: Zoo) -> None:
    code, _, err = zoo("lint", f"{published}/Good-Matryoshka", "--fix")
    assert code == 1
    assert "--fix changes folders" in err


def test_weights_on_a_hub_are_not_downloaded(published: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.lint.files import HubFile
    from zoo.lint.target import of_hub

    repo = of_hub(f"{published}/Good-Matryoshka")
    asked: list[int] = []
    ranged = HubFile._ranged
    monkeypatch.setattr(
        HubFile, "_ranged", lambda self, start, count: asked.append(count) or ranged(self, start, count)
    )
    monkeypatch.setattr("zoo.lint.files.MOST_BYTES", 1000)
    assert repo.parameters == 20_000
    assert sum(asked) < 200


# ---- snippets, speed, our own --------------------------------------------------------------------------------------


def test_snippets_run_only_when_asked_and_a_dead_one_is_found(tmp_path: Path) -> None:
    files = good_model()
    card = (
        CARD.split("```python")[0]
        + "```python\nanswer = 6 * 7\n```\n\ntext\n\n```python\nassert answer == 43, 'no'\n```\n"
    )
    folder = written(files | {"README.md": card.encode()}, tmp_path)
    assert "L36" not in found(check_repository(of_folder(folder, Shelf())))
    [one] = [
        one for one in check_repository(of_folder(folder, Shelf(), run_snippets=True)).findings if one.rule == "L36"
    ]
    assert one.message == "the snippet fails: AssertionError: no"
    assert one.line == card.split("assert")[0].count("\n") + 1


def test_snippets_see_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    card = CARD.split("```python")[0] + "```python\nimport os\nassert 'HF_TOKEN' not in os.environ\n```\n"
    folder = written(good_model() | {"README.md": card.encode()}, tmp_path)
    assert "L36" not in found(check_repository(of_folder(folder, Shelf(), run_snippets=True)))


def test_linting_a_folder_imports_nothing_heavy(tmp_path: Path) -> None:
    folder = written(good_model(), tmp_path)
    code = (
        "import sys\nfrom zoo.cli import main\n"
        f"sys.argv = ['zoo', 'lint', {str(folder)!r}, '--offline']\n"
        "try:\n    main()\nfinally:\n    print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "torch",
        "transformers",
        "sentence_transformers",
        "mteb",
        "datasets",
        "huggingface_hub",
        "numpy",
        "pyarrow",
    }
    assert not heavy & set(re.findall(r"'(\w+)'", done.stderr.splitlines()[-1]))


def test_our_own_cards_are_clean(lab: Any) -> None:
    from zoo.cli.lint import release_files

    for name in ("arabert-matryoshka", "arabert-hybrid"):
        report = check_repository(of_files(sources.held_files(release_files(lab.again(), name)), NoHub()))
        assert said(report) == []


def test_what_is_published_together_may_name_each_other_before_it_is(lab: Any, zoo: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ZOO_NAMESPACE", "someone-new")
    lab.again().card(lab.workspace.recipe("arabert-hybrid", scale="mini"))
    code, out, _ = zoo("lint", "arabert-hybrid", "--scale", "mini", cwd=lab.workspace.root)
    monkeypatch.delenv("ZOO_NAMESPACE")
    lab.again().card(lab.workspace.recipe("arabert-hybrid", scale="mini"))
    assert (code, out) == (0, "arabert-hybrid: nothing found; 50 rules looked\n")
