"""The local Hub in a browser."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi

from zoo.hub import rendering
from zoo.hub.local import LocalHub, local_hub

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


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("lab/m")
        api.create_repo("lab/hidden", private=True)
        api.upload_file(
            path_or_fileobj=CARD.encode(), path_in_repo="README.md", repo_id="lab/m", commit_message="بطاقة"
        )
        api.create_discussion("lab/m", title="سؤال", description="**why** <script>alert(2)</script>")
        collection = api.create_collection("Family <i>", namespace="lab", description="كل النماذج")
        api.add_collection_item(collection.slug, "lab/m", "model", note="the first")
        api.add_collection_item(collection.slug, "lab/hidden", "model")
        yield hub


def page(hub: LocalHub, path: str) -> tuple[str, str]:
    """(HTML, content security policy)"""
    with urllib.request.urlopen(hub.url + path) as answer:
        return answer.read().decode(), answer.headers["Content-Security-Policy"]


def test_a_card_is_shown_without_its_scripts(hub: LocalHub) -> None:
    html, policy = page(hub, "/lab/m")
    assert '<h1 dir="rtl">نموذج عربي</h1>' in html
    assert '<table dir="rtl">' in html
    assert "<td>81.5</td>" in html
    for danger in ("<script", "onerror", '="javascript:', 'alert("from'):
        assert danger not in html
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_front_matter_is_shown_as_facts_not_as_text(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/m")
    assert "license: mit" not in html
    assert '<span class="pill" dir="auto">mit</span>' in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<summary>model-index</summary>" in html


def test_links_in_a_card_lead_into_the_repository(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/m")
    assert 'href="/lab/m/resolve/' in html
    assert "/model.safetensors" in html
    assert "/figure.png" in html
    assert 'href="https://example.org"' in html


def test_files_commits_and_discussions_are_listed(hub: LocalHub) -> None:
    html, _ = page(hub, "/lab/m")
    for text in ("README.md", ".gitattributes", "1.5 KB", "بطاقة", "initial commit", "/lab/m/discussions/1"):
        assert text in html
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
    for path in ("/lab/none", "/lab/hidden", "/datasets/lab/m", "/collections/lab/none", "/favicon.ico"):
        with pytest.raises(urllib.error.HTTPError) as error:
            page(hub, path)
        assert error.value.code in (401, 404)
        error.value.close()


def test_sizes_read_as_people_write_them() -> None:
    assert [rendering.size(count) for count in (0, 999, 1500, 3_000_000, 2 * 10**15)] == [
        "0 B", "999 B", "1.5 KB", "3.0 MB", "2000.0 TB",
    ]  # fmt: skip
