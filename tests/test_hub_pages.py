"""The local Hub in a browser."""

import ast
import gzip
import json
import re
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from html import unescape
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browser import PHONE, findings, offline, open_browser
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from playwright.sync_api import Page, expect

from zoo.hub import rendering, snippets, tensors, trees
from zoo.hub import rows as rows_of
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.objects import Objects
from zoo.hub.repos import Repo

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
CARD = """---
license: mit
tags: [arabic, "<b>bold</b>"]
model-index:
- name: m
  results: []
---
# نموذج عربي

<script>alert("from the card")</script>
<img src="figure.png" onerror="alert(1)"> [weights](model.safetensors) [bad](javascript:alert(1)) [site](https://example.org)

| مهمة | درجة |
|---|---|
| STS17 | 81.5 |
"""

BEFORE = "".join(f"line {number}\n" for number in range(1, 31))
AFTER = BEFORE.replace("line 12\n", "<b>line</b> 12\nسطر جديد\n").replace("line 30", "line 30 " + "long " * 100)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("lab/m")
        api.create_repo("lab/hidden", private=True)
        api.upload_file(
            path_or_fileobj=CARD.encode(), path_in_repo="README.md", repo_id="lab/m", commit_message="بطاقة"
        )
        files = {"code.py": BEFORE, "old.txt": "moved", "gone.txt": "gone", "w.bin": "a" * 50, "raw.dat": b"\0raw"}
        push(
            api,
            "first files",
            {"figures/pixel.png": PIXEL, "notes/ar.md": "# ملاحظة\n<script>x</script>", "empty.md": "", **files},
        )
        push(api, "تعديل", {"code.py": AFTER, "new.txt": "moved", "w.bin": "b" * 60}, "gone.txt", "old.txt")
        api.create_branch("lab/m", branch="fix/فرع")
        api.create_tag("lab/m", tag="v1.0")
        api.create_repo("lab/rows", repo_type="dataset")
        api.create_repo("lab/long")
        for number in range(55):
            push(api, f"commit number {number}", {"a.txt": str(number)}, repo="lab/long")
        api.create_discussion("lab/m", title="سؤال", description="**why** <script>alert(2)</script>")
        collection = api.create_collection("Family <i>", namespace="lab", description="كل النماذج")
        api.add_collection_item(collection.slug, "lab/m", "model", note="the first")
        api.add_collection_item(collection.slug, "lab/hidden", "model")
        yield hub


def push(api: HfApi, message: str, files: dict[str, str | bytes], *deleted: str, repo: str = "lab/m") -> None:
    contents = {path: content if isinstance(content, bytes) else content.encode() for path, content in files.items()}
    added = [CommitOperationAdd(path, content) for path, content in contents.items()]
    api.create_commit(repo, [*added, *map(CommitOperationDelete, deleted)], commit_message=message)


def page(hub: LocalHub, path: str) -> tuple[str, str]:
    """(HTML, content security policy)"""
    with urllib.request.urlopen(hub.url + path) as answer:
        return answer.read().decode(), answer.headers["Content-Security-Policy"]


def test_a_card_is_shown_without_its_scripts(hub: LocalHub) -> None:
    html, policy = page(hub, "/lab/m")
    assert '<h1 dir="rtl">نموذج عربي</h1>' in html
    assert '<table dir="rtl" tabindex="0">' in html
    assert "<td>81.5</td>" in html
    for danger in ("<script", "onerror", '="javascript:', 'alert("from'):
        assert danger not in html
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/lab/nothing", 401, "Invalid username or password."),
        ("/lab/hidden", 401, "Invalid username or password."),
        ("/lab/m/blob/main/nothing.txt", 404, "Entry not found"),
        ("/lab/m/resolve/main/nothing.txt", 404, "Entry not found"),
        ("/lab/m/tree/%3Cb%3E", 404, "Invalid rev id: &lt;b&gt;"),
        ("/no/such/page/here", 404, "This Hub has nothing at GET /no/such/page/here"),
        ("/collections/lab/none", 404, "Collection not found"),
        ("/lfs/download/forged", 403, "This link is not valid"),
        ("/api/models/lab/nothing", 401, "Invalid username or password."),
    ],
)
def test_a_browser_gets_a_page_that_says_what_is_wrong(hub: LocalHub, path: str, status: int, message: str) -> None:
    for accepted, kind in (
        (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ):
        request = urllib.request.Request(hub.url + path, headers={"Accept": accepted})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        answer = refused.value
        text = answer.read().decode()
        assert (answer.code, answer.headers["Content-Type"], bool(answer.headers["X-Error-Message"])) == (
            status,
            kind,
            True,
        )
        if accepted == BROWSER:
            assert message in text
            assert '<link rel="stylesheet" href="/style.css">' in text
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_browser_gets_a_page_for_content_that_is_gone_and_for_our_own_mistakes(tmp_path: Path) -> None:
    with local_hub(tmp_path) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("lab/m")
        push(api, "file", {"w.bin": b"\0" * 50})
        for folder in ("objects", "xorbs"):
            shutil.rmtree(tmp_path / folder)
        with closing(sqlite3.connect(tmp_path / "hub.db")) as db:
            db.execute("ALTER TABLE discussions RENAME TO mislaid")
        told = {"/lab/m/resolve/main/w.bin": "has lost object", "/lab/m": "<h1>500 Internal Server Error</h1>"}
        for path, words in told.items():
            request = urllib.request.Request(hub.url + path, headers={"Accept": BROWSER})
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            text = refused.value.read().decode()
            assert (refused.value.code, words in text) == (500 if "500" in words else 404, True)
    assert "Traceback" in (tmp_path / "hub.log").read_text("utf-8")
    assert "Traceback" not in text


def test_front_matter_is_shown_as_facts_not_as_text(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/m")
    assert "license: mit" not in html
    assert '<a class="pill" href="/models?license=mit" dir="auto">mit</a>' in html
    assert 'href="/models?other=%3Cb%3Ebold%3C%2Fb%3E"' in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<summary>model-index</summary>" in html


def test_links_in_a_card_lead_into_the_repository(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/m")
    assert 'href="/lab/m/resolve/' in html
    assert "/model.safetensors" in html
    assert "/figure.png" in html
    assert 'href="https://example.org"' in html


def test_links_to_what_is_on_this_hub_stay_here(hub: LocalHub) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    slug = next(iter(api.list_collections(owner="lab"))).slug
    far = "https://huggingface.co"
    stay = {
        f"{far}/lab/m": "/lab/m",
        f"{far}/LAB/M/tree/main?x=1#y": "/lab/m/tree/main?x=1#y",
        "https://hf.co/datasets/lab/rows/viewer": "/datasets/lab/rows/viewer",
        f"{far}/collections/{slug}": f"/collections/{slug}",
        f"{far}/lab": "/lab",
        f"{far}/models?library=x": "/models?library=x",
    }
    leave = [f"{far}/lab/hidden", f"{far}/lab/none", f"{far}/datasets/lab/m", f"{far}/docs/hub", f"{far}/papers/2402.1"]
    leave += [f"{far}.evil.example/lab/m", "https://arxiv.org/abs/1"]
    text = "\n\n".join(f"[x]({address}) <a href='{address}'>y</a>" for address in [*stay, *leave])
    api.create_repo("lab/links")
    push(api, "links", {"README.md": text}, repo="lab/links")
    html, _ = page(hub, "/lab/links")
    article = html.split("<article")[1].split("</article>")[0]
    found = re.findall('href="(.*?)"', article)
    assert found == [there for there in [*stay.values(), *leave] for _ in range(2)]


# Lists and owners ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "there", "not_there"),
    [
        ("/models", ["lab/m", "lab/long", '<option value="mit">mit</option>'], ["lab/hidden"]),
        ("/models?license=mit", ["lab/m", "selected>mit<", ">All models</a>"], ["lab/long"]),
        ("/models?other=arabic&search=M", ["lab/m", 'name="other" value="arabic"'], ["lab/long"]),
        ("/models?search=long&sort=lastModified", ["lab/long"], ["/lab/m"]),
        ("/models?other=<script>&sort=likes", ["Nothing fits", "&lt;script&gt;"], ["<script>"]),
        ("/datasets?author=lab", ["lab/rows"], []),
        ("/collections", ["Family &lt;i&gt;"], []),
        ("/lab", ["lab/m", "lab/rows", "Family &lt;i&gt;"], ["lab/hidden"]),
    ],
)
def test_lists_can_be_searched_sorted_and_filtered(
    hub: LocalHub, path: str, there: list[str], not_there: list[str]
) -> None:
    html, policy = page(hub, path.replace("<", "%3C").replace(">", "%3E"))
    assert [text for text in there if text not in html] == []
    assert [text for text in not_there if text in html.split("<main")[1]] == []
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


@pytest.mark.parametrize("path", ["/models?search={}", "/models?other={}", "/api/models?filter={}"])
def test_a_search_for_a_thousand_things_is_refused(hub: LocalHub, path: str) -> None:
    name = path.split("?")[1].split("=")[0]
    between = "+" if name == "search" else f"&{name}="
    assert page(hub, path.format(between.join(["m"] * 1_500)))  # the same thing
    with pytest.raises(urllib.error.HTTPError) as refused:
        page(hub, path.format(between.join(map(str, range(1_500)))))
    assert (refused.value.code, "at most 100 words and tags" in refused.value.read().decode()) == (400, True)


def test_only_pages_with_a_form_of_ours_let_forms_be_sent(hub: LocalHub) -> None:
    policies = {path: page(hub, path)[1] for path in ("/", "/lab/m", "/lab/m/blob/main/notes/ar.md", "/models")}
    assert [path for path, policy in policies.items() if "form-action 'self'" in policy] == ["/models"]
    assert all("form-action" in policy for policy in policies.values())


# Rows of datasets and weights ------------------------------------------------------------------------------------------
ROWS = {
    "README.md": """---
language: ar
configs:
- config_name: pairs
  default: true
  data_files:
  - {split: train, path: "pairs/*.parquet"}
  - {split: test, path: t.csv}
- config_name: lists
  data_files: [{split: train, path: [l.jsonl, z.jsonl.gz]}]
- config_name: odd
  data_files:
  - {split: broken, path: broken.parquet}
  - {split: gone, path: gone.parquet}
---
# أزواج

```python
def f(): return "<b>"
```
""",
    "t.csv": 'text,score\nنص,1\n"<script>x</script>",2\n',
    "l.jsonl": '{"a": "one", "b": [1, 2]}\n{"a": null}\n',
    "z.jsonl.gz": gzip.compress(b'{"a": "zipped"}\n'),
    "broken.parquet": b"PAR1" + b"\xff" * 50 + b"PAR1",
}


@pytest.fixture(scope="module")
def rows(hub: LocalHub) -> str:
    """The path of a dataset in several formats."""
    parquet = BytesIO()
    table = pa.table({"anchor": [f"جملة {number}" for number in range(120)], "score": [0.5] * 120})
    pq.write_table(table, parquet, row_group_size=40)
    files = {**ROWS, "pairs/a.parquet": parquet.getvalue(), "pairs/b.parquet": parquet.getvalue()}
    contents = [
        CommitOperationAdd(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()
    ]
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_commit("lab/rows", contents, repo_type="dataset", commit_message="rows")
    return "/datasets/lab/rows"


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("", ["pairs / train · 240 in all", '<div class="cell" dir="auto">جملة 49</div>', 'href="?p=1"', "0.5"]),
        ("?p=2", ["جملة 100", '<td class="number">121</td>', "جملة 29<", 'href="?p=3"', 'href="?p=1"']),
        ("?p=4", ["جملة 119", "Rows before"]),
        ("?p=9", ["No rows are here any more"]),
        ("?p=0&q=%D8%AC%D9%85%D9%84%D8%A9%201", ["11 of the 50 rows", "جملة 19"]),
        ("/pairs/test", ["&lt;script&gt;x", "نص"]),
        ("/lists/train", ["[1, 2]", "none", "zipped"]),
        ("/odd/broken", ["These rows cannot be read: "]),
        ("/odd/gone", ["No file of this split has a format that is shown here"]),
    ],
)
def test_rows_of_each_configuration_and_split_are_shown(hub: LocalHub, rows: str, path: str, there: list[str]) -> None:
    html = re.sub("</?bdi>", "", page(hub, f"{rows}/viewer{path}")[0])
    assert [text for text in there if text not in html] == []


def test_a_dataset_without_configurations_is_shown_by_the_names_of_its_files() -> None:
    found = rows_of.splits({}, ["README.md", "data/train-00000.parquet", "data/my-test.csv", "data/dev.jsonl", "x.bin"])
    assert [(one.name, one.patterns) for one in found] == [
        ("train", ("data/train-00000.parquet",)), ("validation", ("data/dev.jsonl",)), ("test", ("data/my-test.csv",)),
    ]  # fmt: skip
    assert rows_of.splits({"configs": [7, {"data_files": {"a": 1}}]}, []) == [
        rows_of.Split("default", "train", ("**",))
    ]


def test_names_that_datasets_refuses_are_no_splits() -> None:
    """Long ones made a page of gigabytes out of a card, and others are no part of an address."""
    bad = ["", "..", "a/b", "n" * 101]
    configs = [{"config_name": name, "data_files": "x.csv"} for name in [*bad, "a b"]]
    configs += [{"config_name": "c", "data_files": [{"split": name, "path": "x.csv"}]} for name in [*bad, "a.b"]]
    found = [(one.config, one.name) for one in rows_of.splits({"configs": configs}, ["x.csv"])]
    assert found == [("a b", "train"), ("c", "a.b")]
    assert [one.name for one in rows_of.splits({"configs": configs[:2]}, ["test.csv"])] == ["test"]


def test_values_are_written_as_they_are(tmp_path: Path) -> None:
    parquet = BytesIO()
    pq.write_table(pa.table({"n": [1234567.0, 0.1], "image": [{"bytes": b"\x89PNG"}] * 2}), parquet)
    for name, content, columns, first in (
        ("a.parquet", parquet.getvalue(), ["n", "image"], ["1234567", '{"bytes": "4 bytes"}']),
        ("a.jsonl", b'{"\\ud800x": "\\ud800", "b": {"\\ud800": 1}}', ["?x", "b"], ["?", '{"?": 1}']),
        ("a.csv", b"a,a,b\n1,2,3,4\n", ["a", "a (2)", "b", "…"], ["1", "2", "3", '["4"]']),
    ):
        blob = trees.Blob("", len(content), content, None, is_lfs=False)
        found = rows_of.read({name: blob}, Objects(tmp_path), skip=0, limit=5)
        assert (found.columns, found.rows[0]) == (columns, first)


def test_many_look_at_rows_at_once(tmp_path: Path) -> None:
    """Nobody is sent away by twenty of them, and a page that was just read is not read again."""
    objects = Objects(tmp_path)

    def read(number: int) -> str | None:
        content = f'{{"a": {number}}}\n'.encode()
        blob = trees.Blob("", len(content), content, None, is_lfs=False)
        return rows_of.read({"a.jsonl": blob}, objects, skip=0, limit=5).rows[0][0]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(read, range(20))) == [str(number) for number in range(20)]
    start = time.monotonic()
    assert [read(19) for _ in range(50)] == ["19"] * 50
    assert time.monotonic() - start < 0.5


def test_rows_of_many_files_are_those_of_the_first(hub: LocalHub) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("lab/shards", repo_type="dataset")
    parquet = BytesIO()
    pq.write_table(pa.table({"a": [1]}), parquet)
    shards = [CommitOperationAdd("train-000.parquet", parquet.getvalue())]
    shards += [CommitOperationAdd(f"train-{number:03}.csv", b"a\n1\n") for number in range(1, 101)]
    api.create_commit("lab/shards", shards, repo_type="dataset", commit_message="rows")
    html, _ = page(hub, "/datasets/lab/shards/viewer?p=1")
    assert "Only rows of the first 100 files of this split are shown." in html
    assert "in all" not in html
    assert html.count('<td class="number">') == 50


# What people paste -----------------------------------------------------------------------------------------------------
def repo_of(kind: str) -> Repo:
    return Repo(1, kind, "lab/x", private=False, gated="", sdk="gradio", created="", modified="", runtime={})


def test_lines_to_paste_run_nothing_that_others_wrote(tmp_path: Path) -> None:
    """Neither a card nor the name by which a link calls this machine gets out of its quotes."""
    name = 'a", x=__import__("os").system("id"), y="\u202e\n'
    base = "http://$(touch pwned)`touch pwned`\"'.localhost:1"
    card = {"configs": [{"config_name": name}], "app_file": "src/a b';touch pwned;'.py", "sdk_version": "6;touch pwned"}
    python = snippets.snippets(repo_of("dataset"), card, base, lambda _: True)[0].code
    tree = ast.parse(python)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {name, base} <= texts
    assert "\u202e" not in python
    shell = "\n".join(one.code for one in snippets.snippets(repo_of("space"), card, base, lambda _: True))
    (tmp_path / "x").mkdir()
    told = 'pip() { echo "pip $*"; }; python() { echo "python $*"; }; hf() { echo "hf $HF_ENDPOINT"; }\n'
    ran = subprocess.run(["bash", "-c", told + shell], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"hf {base}" in ran.stdout
    assert "python ./src/a b';touch pwned;'.py" in ran.stdout
    assert "pip install -r x/requirements.txt gradio\n" in ran.stdout
    assert list(tmp_path.rglob("pwned")) == []


def test_a_space_is_run_with_what_it_has() -> None:
    card = {"sdk": "gradio", "sdk_version": "6.31.0", "app_file": "src/app.py"}
    code = snippets.snippets(repo_of("space"), card, "http://localhost", lambda _: False)[0].code
    static = snippets.snippets(repo_of("space"), {"sdk": "static"}, "http://localhost", lambda _: True)[0].code
    assert "http.server --bind 127.0.0.1 " in static  # its default is to serve the whole network
    assert code.endswith("pip install gradio==6.31.0\n(cd x && python ./src/app.py)")


def test_files_that_would_harm_the_server_are_read_elsewhere(tmp_path: Path) -> None:
    """Memory, time and crashes of a reader are no trouble of the server's."""
    objects = Objects(tmp_path)
    endless = gzip.compress(b"[" + b" " * (100 << 20))
    long_line = b'{"a": "' + b"x" * (2 << 20)
    for name, content, told in (
        ("bomb.json.gz", endless, "larger than 32 MB"),
        ("line.jsonl", long_line, "longer than a megabyte"),
        ("deep.json", b"[" * 200_000, "cannot be read"),
        ("footer.parquet", b"PAR1" + b"\xff\xff\xff\x7fPAR1", "footer is too large"),
        ("no.csv", b"\0\xff,\n", None),
    ):
        blob = trees.Blob("", len(content), content, None, is_lfs=False)
        if told is None:
            assert rows_of.read({name: blob}, objects, skip=0, limit=5).rows == []
            continue
        with pytest.raises(ValueError, match=told):
            rows_of.read({name: blob}, objects, skip=0, limit=5)


def test_a_card_of_a_dataset_is_arabic_where_it_is_and_its_code_is_coloured(hub: LocalHub, rows: str) -> None:
    html, _ = page(hub, rows)
    assert '<h1 dir="rtl" lang="ar">أزواج</h1>' in html
    assert '<span class="k">def</span> <span class="f">f</span>' in html
    (block,) = re.findall("<pre (.*?)><code", html)
    assert set(block.split()) == {'tabindex="0"', 'dir="ltr"'}
    assert "load_dataset" in html
    assert f"HF_ENDPOINT={hub.url}" in html


def weights(header: object, more: bytes = b"\0" * 8) -> bytes:
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(content).to_bytes(8, "little") + content + more


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is broken"),
        (b"\xff" * 8, "is broken"),
        (weights(b"{" * 50), "is broken"),
        (weights({"a": {"dtype": "F32", "shape": [-1]}}), "what tensor 'a' is"),
        (weights({"a": {"dtype": "F32", "shape": [10**400]}}), "what tensor 'a' is"),
        (weights({"a": {"dtype": "F32", "shape": [1] * 99}}), "what tensor 'a' is"),
        (weights({"a": 7}), "what tensor 'a' is"),
        (weights(b'{"a": [' + b"[]," * 200_000 + b"[]]}"), "too many values"),
        (weights(b" " * (5 << 20)), "too many to be shown"),
    ],
)
def test_a_hostile_header_of_weights_is_told(content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tensors.read_weights(BytesIO(content), len(content))


def test_tensors_of_weights_are_shown(hub: LocalHub) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    header = {"__metadata__": {"format": "pt"}, "w<b>": {"dtype": "F32", "shape": [1024, 3], "data_offsets": [0, 1]}}
    header |= {"one": {"dtype": "I64", "shape": [], "data_offsets": [0, 1]}}
    api.create_repo("lab/weights")
    push(api, "w", {"model.safetensors": weights(header), "bad.safetensors": b"bad"}, repo="lab/weights")
    html, _ = page(hub, "/lab/weights/blob/main/model.safetensors")
    for text in ("<b>3,073</b> parameters in 2 tensors: 3,072 F32, 1 I64", "w&lt;b&gt;", "1024 × 3", "pt"):
        assert text in html
    assert "is broken" in page(hub, "/lab/weights/blob/main/bad.safetensors")[0]


def test_every_link_of_every_page_leads_somewhere(hub: LocalHub, rows: str) -> None:
    """From the first page on; links of the cards of this test lead away or nowhere on purpose."""
    seen, wanted = set(), ["/", rows]
    while wanted and len(seen) < 150:
        path = wanted.pop()
        if path in seen or "/resolve/" in path or "lab/links" in path:
            continue
        seen.add(path)
        html, _ = page(hub, path)
        around = re.sub("(?s)<article.*?</article>", "", html)
        links = [unescape(link) for link in re.findall('href="(.*?)"', around)]
        assert [link for link in links if not link.startswith(("/", "?", "#"))] == [], path
        wanted += [link if link[0] == "/" else path.split("?")[0] + link for link in links if link[0] != "#"]
    assert len(seen) > 60


def test_files_commits_and_discussions_are_listed(hub: LocalHub) -> None:
    told = {
        "/lab/m": ("/lab/m/tree/main", "/lab/m/commits/main", 'Community <span class="count">1</span>'),
        "/lab/m/tree/main": ("README.md", ".gitattributes", "1.5 KB", 'href="/lab/m/tree/main/figures"', "70 B"),
        "/lab/m/tree/main/figures": ("pixel.png", 'href="/lab/m/tree/main"', "download"),
        "/lab/m/commits/main": ("بطاقة", "initial commit"),
        "/lab/m/discussions": ("/lab/m/discussions/1", "سؤال"),
    }
    for path, texts in told.items():
        html, _ = page(hub, path)
        assert [text for text in texts if text not in html] == [], path
    talk, _ = page(hub, "/lab/m/discussions/1")
    assert "<strong>why</strong>" in talk
    assert "<script" not in talk


def test_the_first_page_lists_what_is_public(hub: LocalHub) -> None:
    html, _ = page(hub, "/")
    assert 'href="/lab/m"' in html
    assert "lab/hidden" not in html
    assert "Family &lt;i&gt;" in html
    slug = html.split('href="/collections/')[1].split('"')[0]
    collection, _ = page(hub, f"/collections/{slug}")
    assert "the first" in collection
    assert "كل النماذج" in collection
    assert "lab/hidden" not in collection
    assert page(hub, "/style.css")[0].startswith(":root")


def test_what_is_not_there_or_private_is_not_shown(hub: LocalHub) -> None:
    for path in ("/lab/none", "/lab/hidden", "/datasets/lab/m", "/collections/lab/none", "/favicon.ico",
        *(f"/lab/hidden/{page}/main" for page in ("commits", "commit", "blob", "tree")), "/lab/hidden/blob/main/README.md",
        "/lab/m/blob/main/none", "/lab/m/blob/main/figures", "/lab/m/commit/none", "/lab/m/commits/main%00"):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as error:
            page(hub, path)
        assert error.value.code in (401, 404)
        error.value.close()


# Commits, diffs and files ----------------------------------------------------------------------------------------------
def latest(hub: LocalHub) -> str:
    """The page of the last commit to lab/m."""
    html, _ = page(hub, "/lab/m/commits/main")
    return page(hub, html.split('<li><a href="')[1].split('"')[0])[0]


def code(html: str) -> list[str]:
    """Lines of a page's first box of code: kind, old and new number, mark and text, as far as there are any."""
    box = html.split('<div class="code"')[1].split("</div>")[0]
    rows = [
        (kind, re.findall("<td[^>]*>(.*?)</td>", re.sub("</?span.*?>", "", row)))
        for kind, row in re.findall('<tr class="(.*?)">(.*)</tr>', box)
    ]
    return [" ".join(filter(None, [kind, *cells])) for kind, cells in rows]


def test_all_commits_are_there_page_by_page(hub: LocalHub) -> None:
    first, policy = page(hub, "/lab/long/commits/main")
    assert first.count("<li>") == 50
    assert policy.startswith("default-src 'none'")
    assert "commit number 54" in first
    assert 'href="?p=1"' in first
    second, _ = page(hub, "/lab/long/commits/main?p=1")
    assert second.count("<li>") == 6
    assert "initial commit" in second
    assert ('href="?p=0"' in second, 'href="?p=2"' in second) == (True, False)


def test_a_commit_shows_which_lines_changed(hub: LocalHub) -> None:
    html = latest(hub)
    assert code(html)[:8] == [
        "gap @@ -9 +9 @@",
        "same 9 9 line 9",
        "same 10 10 line 10",
        "same 11 11 line 11",
        "minus 12 − line 12",
        "plus 12 + &lt;b&gt;line&lt;/b&gt; 12",
        "plus 13 + سطر جديد",
        "same 13 14 line 13",
    ]
    assert '<td dir="auto">سطر جديد</td>' in html


def test_a_commit_says_what_became_of_every_file(hub: LocalHub) -> None:
    html = latest(hub)
    for text in (
        '<span class="how changed">changed</span>',
        '<span class="how deleted">deleted</span> <span dir="auto">gone.txt</span>',
        '<span class="how renamed">renamed</span> <span dir="auto">old.txt</span> → ',
        "4 B → nothing",
    ):
        assert text in html
    assert re.search("LFS · 50 B <code title=.*</code> → 60 B <code title=", html)
    assert html.count('class="change"') == 4


def test_the_first_commit_is_compared_with_nothing(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/long/commits/main?p=1")
    oid = html.split("/lab/long/commit/")[-1].split('"')[0]
    first, _ = page(hub, f"/lab/long/commit/{oid}")
    assert "nothing → 1.5 KB" in first
    assert "plus 1 + *.7z filter=lfs diff=lfs merge=lfs -text" in code(first)


def test_a_text_is_shown_with_numbers_and_markdown_as_a_page(hub: LocalHub) -> None:
    html, policy = page(hub, "/lab/m/blob/main/code.py")
    assert code(html)[11:13] == ["same 12 &lt;b&gt;line&lt;/b&gt; 12", "same 13 سطر جديد"]
    assert policy.startswith("default-src 'none'")
    card, _ = page(hub, "/lab/m/blob/main/notes/ar.md")
    assert '<h1 dir="rtl">ملاحظة</h1>' in card
    assert "<script" not in card
    assert "is not shown here" not in page(hub, "/lab/m/blob/main/empty.md")[0]


def test_an_image_is_shown_and_what_is_no_text_can_be_downloaded(hub: LocalHub) -> None:
    image, _ = page(hub, "/lab/m/blob/main/figures/pixel.png")
    source = image.split('<img src="')[1].split('"')[0]
    with urllib.request.urlopen(hub.url + source) as answer:
        assert answer.read() == PIXEL
    for path in ("raw.dat", "w.bin"):
        html, _ = page(hub, f"/lab/m/blob/main/{path}")
        assert "is not shown here" in html
        assert re.search(f'/resolve/[0-9a-f]{{40}}/{path}" download', html)
    assert "sha256" in html


def test_branches_tags_and_pull_requests_are_linked(hub: LocalHub) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    request = api.create_pull_request("lab/long", title="proposal")
    assert (
        f'href="/lab/long/tree/refs%2Fpr%2F{request.num}" dir="auto">#{request.num}</a>'
        in page(hub, "/lab/long/tree/main")[0]
    )
    html, _ = page(hub, "/lab/m/tree/main")
    assert 'href="/lab/m/tree/fix%2F%D9%81%D8%B1%D8%B9" dir="auto">fix/فرع</a>' in html
    assert 'href="/lab/m/tree/v1.0" dir="auto">v1.0</a>' in html
    assert page(hub, "/lab/m/commits/fix%2F%D9%81%D8%B1%D8%B9")[0].count("<li>") == 4


def test_what_turns_the_direction_of_writing_is_visible_in_code() -> None:
    assert rendering.text("if admin\u202e: \u2066x".encode()) == "if admin[U+202E]: [U+2066]x"
    assert [rendering.text(content) for content in (b"\0", b"\xff", b"")] == [None, None, ""]


def test_a_diff_of_line_ends_has_no_lines() -> None:
    assert list(rendering.diff("a\r\nb", "a\nb\n")) == []
    assert [line.text for line in rendering.diff("", "a\n")] == ["@@ -1 +1 @@", "a"]


def test_a_card_that_would_take_minutes_is_shown_as_it_is() -> None:
    assert rendering.card_html("<div>" * 20_000, files="/").startswith("<pre>&lt;div&gt;")
    assert rendering.card_html("a" * 400_000, files="/").startswith("<pre>a")
    assert rendering.card_html("[" * 200_000, files="/").startswith("<pre>[")


def test_the_direction_of_many_blocks_without_a_text_is_soon_known() -> None:
    """Each of them would look through all that is below it: minutes for such a card."""
    start = time.monotonic()
    html = rendering.card_html("-\n+\n" * 3_000 + "\nنص", files="/")
    assert html.count('<ul dir="rtl">') == 6_000
    assert time.monotonic() - start < 5


def fits(tab: Page) -> bool:
    return bool(tab.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", PHONE["width"])])
def test_on_a_phone_one_clicks_from_the_first_page_to_a_diff_and_a_file(hub: LocalHub, scheme: str, width: int) -> None:
    with open_browser() as browser:
        phone = offline(browser, viewport={**PHONE, "width": width}, color_scheme=scheme)
        tab = phone.new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(hub.url)
        for link, heading in (
            ("lab/m", "lab/m"), ("Commits", "Commits"), ("تعديل", "تعديل"), ("code.py", "code.py")
        ):  # fmt: skip
            assert fits(tab), tab.url
            tab.get_by_role("link", name=link, exact=True).first.click()
            expect(tab.get_by_role("heading", level=1, name=heading).first).to_be_visible()
        assert fits(tab), tab.url
        box = tab.locator(".code")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth"), "the long line scrolls in its box"
        assert errors == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_used_by_everybody(hub: LocalHub, rows: str, scheme: str) -> None:
    """No serious finding of axe at a phone's width, where boxes scroll."""
    paths = ["/models", rows, f"{rows}/viewer", "/lab/m/tree/main", "/lab/m/blob/main/code.py", "/lab/m"]
    with open_browser() as browser:
        tab = offline(browser, viewport={**PHONE, "width": 360}, color_scheme=scheme).new_page()
        for path in paths:
            tab.goto(hub.url + path)
            # the card of lab/m has a picture without words on purpose
            assert [one for one in findings(tab) if one[0] != "image-alt"] == [], path
            assert fits(tab), path


def test_sizes_read_as_people_write_them() -> None:
    assert [rendering.size(count) for count in (0, 999, 1500, 3_000_000, 2 * 10**15)] == [
        "0 B", "999 B", "1.5 KB", "3.0 MB", "2000.0 TB",
    ]  # fmt: skip
