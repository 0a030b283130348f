"""The leaderboard as a Space: who is on it, what is published, its proof, and the page in a browser."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import findings, offline, open_browser
from conftest import TestHub, workspace_in
from playwright.sync_api import Browser, Page, expect
from simulated import BASE, BASELINE, HYBRID, PARENT, Model, measure
from small_fleet import card, edit, publish, release

from zoo.cli.space import lead_to_hub
from zoo.errors import PublishError, RecipeError
from zoo.pipeline.boards import leaderboard_space
from zoo.pipeline.build import Build
from zoo.pipeline.spaces import Publication
from zoo.publish.desired.digests import Digests
from zoo.publish.desired.release import Release
from zoo.publish.proof.prove import ProofError, prove_repository
from zoo.recipe import Workspace
from zoo.remote import endpoint

BOARD = "lab/arabic-leaderboard"
STORIES = """
name: Stories
language: [en]
suites: {sts: [STS17-ar, STS22-ar, STS22v2-ar]}
suite: sts
leaderboard: {repo: stories-board, title: "Stories <b>", summary: "a | b"}
"""
OTHER = Model("zoo/arabert-matryoshka", "Arabic-Triplet-Matryoshka-V2", "self", 0.3)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two models are built and measured."""
    workspace = workspace_in(tmp_path_factory.mktemp("board"))
    measure(workspace, "arabert-hybrid", [HYBRID, PARENT, BASE, BASELINE])
    measure(workspace, "arabert-matryoshka", [OTHER, BASE, BASELINE])
    return workspace


def board_of(workspace: Workspace, *going: str) -> Release:
    """The leaderboard when these recipes are published, and both are built."""
    members = [workspace.recipe(name, scale="mini") for name in going]
    ready = {"arabert-hybrid", "arabert-matryoshka"}
    publication = Publication(Build(workspace, "mini"), "lab", members, ready, Digests())
    return leaderboard_space(publication, workspace.boards["arabic-leaderboard"])


def numbers(board: Release) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(board.bytes("leaderboard.csv").decode())))


@pytest.fixture(scope="module")
def board(hub: TestHub, measured: Workspace) -> Release:
    return board_of(measured, "arabert-hybrid")


@pytest.fixture(scope="module")
def published(hub: TestHub, measured: Workspace, board: Release) -> Iterator[str]:
    """The commit of the leaderboard, after its model. Both are gone afterwards: other tests publish them themselves."""
    from zoo.remote import api

    scores = (measured.root / "runs" / "mini" / "arabert-hybrid" / "evaluate" / "scores.json").read_bytes()
    model = release({"README.md": card(), "zoo/scores.json": scores}, "lab/GATE-AraBert-v1")
    outcomes = publish(model, board)
    assert [one.missed for one in outcomes] == [False, False]
    yield str(outcomes[-1].commit)
    api().delete_repo("lab/GATE-AraBert-v1")
    api().delete_repo(BOARD, repo_type="space")


def test_only_what_is_published_or_goes_along_is_on_it(board: Release) -> None:
    ours = {row["model"].split("/")[-1] for row in numbers(board) if row["source"].startswith("rehearsal")}
    assert "Arabic-Triplet-Matryoshka-V2" not in ours, "it is built, and not published"
    assert ours == {"GATE-AraBert-v1", "bert-base-arabertv02", "character TF-IDF"}
    assert json.loads(board.bytes("models.json")) == [{"id": "lab/GATE-AraBert-v1"}]
    assert (board.sdk, board.needs) == ("static", {"lab/GATE-AraBert-v1"})
    text = board.bytes("README.md").decode()
    assert "sdk: static" in text
    assert "**Rehearsal.**" in text
    assert 'role="note"' in board.bytes("index.html").decode()


def test_equal_scores_give_equal_files(measured: Workspace, board: Release) -> None:
    assert board_of(measured, "arabert-hybrid").ids == board.ids


def test_without_a_published_model_there_is_no_leaderboard(hub: TestHub, tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    measure(workspace, "marbert-hybrid", [Model("zoo/marbert-hybrid", "M", "self", 0.2), BASELINE])
    publication = Publication(Build(workspace, "mini"), "nobody", [], set(), Digests())
    with pytest.raises(PublishError, match="leaderboard 'nobody/arabic-leaderboard' would show no model"):
        leaderboard_space(publication, workspace.boards["arabic-leaderboard"])


def test_a_model_that_is_gone_from_the_hub_is_gone_from_it(published: str, measured: Workspace) -> None:
    from zoo.remote import api

    workspace = measured
    scores = (workspace.root / "runs" / "mini" / "arabert-matryoshka" / "evaluate" / "scores.json").read_bytes()
    publish(release({"README.md": card(), "zoo/scores.json": scores}, f"lab/{OTHER.title}"))
    both = [{"id": f"lab/{OTHER.title}"}, {"id": "lab/GATE-AraBert-v1"}]
    assert json.loads(board_of(workspace, "arabert-hybrid").bytes("models.json")) == both
    api().delete_repo(f"lab/{OTHER.title}")
    assert json.loads(board_of(workspace, "arabert-hybrid").bytes("models.json")) == both[1:], (
        "though it is in the cache"
    )


def test_a_stranger_finds_every_number_in_the_data_and_in_the_models_scores(published: str, board: Release) -> None:
    proof = prove_repository("space", BOARD, published)
    assert proof.numbers
    assert proof.said == f"loaded back, {proof.numbers} numbers as in its data and models"
    assert publish(board)[0].did == "unchanged"


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("index.html", lambda text: text.replace(b'data-value="1"', b'data-value="77.77"', 1), "the page has no data"),
        ("index.html", lambda text: text.replace(b"<bdi>100.0</bdi>", b"<bdi>101.0</bdi>", 1), "has no data for '101.0' of"),
        ("index.html", lambda text: re.sub(rb"(<small[^>]*>)\[\d", rb"\1[9", text, count=1), "the page has no data for"),
        ("index.html", lambda text: text.replace(b"<tbody>", b'<tbody><tr><td data-value="1"><bdi>1</bdi></td></tr>', 1), "is not that of leaderboard.json"),
        ("leaderboard.json", lambda text: text.replace(b'"value": 1,', b'"value": 4,', 1), "leaderboard.json has other figures"),
        ("leaderboard.csv", lambda text: text.replace(b",768,STS17,rehearsal: generated data,", b",768,STS17,rehearsal: generated data,1", 1), "leaderboard.csv has no"),
    ],
)  # fmt: skip
def test_a_changed_number_is_found(published: str, path: str, change: Callable[[bytes], bytes], told: str) -> None:
    from zoo.remote import api

    there = Path(api().hf_hub_download(BOARD, path, repo_type="space", revision=published)).read_bytes()
    assert change(there) != there
    commit = edit(BOARD, path, change(there), kind="space")
    with pytest.raises(ProofError, match=told):
        prove_repository("space", BOARD, commit)
    edit(BOARD, path, there, kind="space")


def test_a_leaderboard_has_a_name_of_its_own(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    path = workspace.recipes / "family.yaml"
    path.write_text(path.read_text("utf-8").replace("repo: arabic-leaderboard", "repo: arabic-similarity"), "utf-8")
    with pytest.raises(RecipeError, match="'arabic-similarity' is what a recipe, a dataset or a Space goes by"):
        Workspace(tmp_path).suite  # noqa: B018


def test_where_it_is_served_its_links_lead_to_the_local_hub(hub: TestHub, board: Release, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(board.bytes("index.html"))
    assert '<a href="/lab/GATE-AraBert-v1"' in page.read_text("utf-8"), "no port in what is published: it changes"
    lead_to_hub(page)
    assert f'<a href="{endpoint()}/lab/GATE-AraBert-v1"' in page.read_text("utf-8")


def test_a_family_of_one_model_has_a_board_of_its_own_in_its_own_language(hub: TestHub, tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    (workspace.recipes / "families").mkdir(exist_ok=True)
    (workspace.recipes / "families" / "stories.yaml").write_text(STORIES, "utf-8")
    base = workspace.recipes / "distilroberta.yaml"
    base.write_text(base.read_text("utf-8").replace("suite: eng-sts", "family: stories"), "utf-8")
    workspace = Workspace(tmp_path)
    hostile = "<img src=x onerror=alert(1)>"
    rival = Model("zoo/arabert-hybrid", "GATE-AraBert-v1", "rival", 0.2)
    measure(
        workspace, "distilroberta-allnli", [Model("zoo/distilroberta-allnli", hostile, "self", 0.3), rival, BASELINE]
    )
    members = [workspace.recipe("distilroberta-allnli", scale="mini")]
    publication = Publication(Build(workspace, "mini"), "lab", members, {"distilroberta-allnli"}, Digests())
    made = leaderboard_space(publication, workspace.boards["stories-board"])
    page = made.bytes("index.html").decode()
    assert set(workspace.boards) == {"arabic-leaderboard", "stories-board"}
    assert {row["model"] for row in numbers(made)} == {hostile, "character TF-IDF"}, "no rival that is unpublished"
    assert {row["table"] for row in numbers(made)} == {"models-ara-sts", "retention"}, "no table of a paper"
    assert hostile not in page
    assert re.search("[\u0600-\u06ff]", page + made.bytes("README.md").decode()) is None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


@pytest.fixture(scope="module")
def address(board: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Space's files on loopback."""
    folder = tmp_path_factory.mktemp("served")
    board.write(folder)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()


@pytest.mark.parametrize(
    ("width", "theme", "locale"), [pytest.param(1280, "light", "ar", marks=pytest.mark.slow), (360, "dark", "en-US")]
)
def test_the_page_is_for_everybody(browser: Browser, address: str, width: int, theme: Any, locale: str) -> None:
    size = {"width": width, "height": 740}
    with offline(browser, viewport=size, color_scheme=theme, locale=locale) as context:
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert findings(page) == []
        assert said == []
        for column in (2, 3):  # rank and mean
            box = page.locator(f"section th:nth-child({column})").first.bounding_box()
            assert box
            assert 0 <= box["x"] < box["x"] + box["width"] <= width


def rows(page: Page) -> int:
    return page.locator("#models-ara-sts tbody tr:visible").count()


def test_sizes_fold_and_what_is_chosen_stands_in_the_address(browser: Browser, address: str) -> None:
    with offline(browser, locale="en-US") as context:
        page = context.new_page()
        page.goto(address)
        assert rows(page) == 3
        page.locator(".fold").first.click()
        assert rows(page) == 3 + 4
        page.locator("#models-ara-sts th[data-key='measured:STS17-ar'] button").click()
        page.locator("#dim").select_option("128")
        page.locator("#language").click()
        chosen = parse_qs(urlsplit(page.url).query)
        assert chosen == {"dim": ["128"], "lang": ["ar"], "sort": ["models-ara-sts~measured:STS17-ar~descending"]}
        again = context.new_page()
        again.goto(page.url)
        expect(again.locator("html")).to_have_attribute("dir", "rtl")
        expect(again.locator("#dim")).to_have_value("128")
        assert (
            again.locator("#models-ara-sts th[aria-sort=descending]").get_attribute("data-key") == "measured:STS17-ar"
        )


def test_a_heading_that_is_jumped_to_is_not_covered(browser: Browser, address: str) -> None:
    with offline(browser, locale="en-US", viewport={"width": 1280, "height": 740}) as context:
        page = context.new_page()
        page.goto(f"{address}#figure2")
        heading, bar = (page.locator(one).bounding_box() for one in ("#figure2-title", ".controls"))
        assert heading
        assert bar
        assert heading["y"] >= bar["y"] + bar["height"]


def test_without_scripts_everything_is_there(browser: Browser, address: str) -> None:
    with offline(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        assert rows(page) == 5 + 5 + 1
        assert page.locator(".controls, .fold, #language").filter(visible=True).count() == 0
