"""Services that run commands: comments on pull requests, annotations, reports, the workflow, and runs kept on the Hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub, workspace_in
from markdown_it import MarkdownIt
from small_fleet import BODY, card, edit, fleet_of, publish, release

from zoo.ci.comment import MOST, plan_as_markdown
from zoo.ci.github import annotation
from zoo.ci.placed import PlacedFinding
from zoo.errors import HubError
from zoo.publish.desired.release import CARD
from zoo.publish.plan.everything import plan_fleet

Zoo = Callable[..., Any]
EVIL = "</details> @lab/owners <img src=x onerror=alert(1)> | `` ` [x](javascript:alert(1)) \u202e"


def scored(value: float) -> bytes:
    metrics = {"task": {"type": "STS"}, "dataset": {"name": "STS17 (ar-ar)", "type": "mteb/sts17"}}
    results = [{**metrics, "metrics": [{"type": "cosine_spearman", "value": value}]}]
    return card(**{"model-index": [{"name": "small", "results": results}]})


# A plan as Markdown --------------------------------------------------------------------------------------------------


def test_a_plan_as_markdown_says_what_is_made_changed_and_scored(hub: TestHub) -> None:
    publish(release({CARD: scored(71.5), "a.txt": b"1"}, "lab/commented"))
    changed = release({CARD: scored(72.25), "a.txt": b"12"}, "lab/commented")
    new = release({CARD: scored(60.0)}, "lab/comment-new")
    plan = plan_fleet(fleet_of(changed, new))
    assert plan_as_markdown(plan, HubError("the token of 'lab' may only read")) == (
        "<!-- zoo plan -->\n\n"
        "### zoo plan: 2 of 2 would change\n\n"
        "| | | would |\n"
        "|---|---|---|\n"
        f"| ✏️ model | `lab/commented` | update (2 changes, {size(plan, 0)}) |\n"
        f"| ➕ model | `lab/comment-new` | create (2 changes, {size(plan, 1)}) |\n\n"
        "| model | score | now | then |\n"
        "|---|---|--:|--:|\n"
        "| `commented` | `STS17 (ar-ar), cosine_spearman` | 71.50 | 72.25 |\n"
        "| `comment-new` | `STS17 (ar-ar), cosine_spearman` | - | 60.00 |\n\n"
        "- `not from here: the token of 'lab' may only read`\n\n"
        "<details><summary>model <code>lab/commented</code></summary>\n\n"
        f"- update `README.md` {len(scored(72.25))} bytes\n"
        "- update `a.txt` 2 bytes\n\n"
        "```diff\n"
        "-model-index[0].results[0].metrics[0].value: 71.5\n"
        "+model-index[0].results[0].metrics[0].value: 72.25\n"
        "```\n\n"
        "</details>\n\n"
        "<details><summary>model <code>lab/comment-new</code></summary>\n\n"
        "- create `lab/comment-new`\n"
        f"- add `README.md` {len(scored(60.0))} bytes\n\n"
        "</details>\n"
    )


def size(plan: Any, number: int) -> str:
    total = sum(change.size for change in plan.changes(plan.plans[number]))
    return f"{total / 1000:.1f} kB" if total >= 1000 else f"{total} bytes"


def test_nothing_from_the_hub_is_markup_and_nobody_is_mentioned(hub: TestHub) -> None:
    """Whatever a parser finds in the comment besides code and our own HTML is ours."""
    first = {CARD: card(BODY, note="-"), "a.txt": b"1"}
    publish(release(first, "lab/evil"), release(first, "lab/evil2"))
    edit("lab/evil", CARD, card(BODY.replace("One.", f"# {EVIL}\n\n```\n{EVIL}\n````\n"), note=EVIL))
    edit("lab/evil2", CARD, card(BODY.replace("One.", f"# {EVIL}"), note="-"))
    ours = {CARD: card(BODY.replace("One.", "Won."), note="-")}
    plan = plan_fleet(fleet_of(release(first, "lab/evil"), release({**first, **ours}, "lab/evil2")))
    text = plan_as_markdown(plan)
    assert text.count("@lab/owners") >= 3  # it is shown
    tokens = [
        one
        for token in MarkdownIt("commonmark").enable("table").parse(text)
        for one in (token, *(token.children or ()))
    ]
    markup = {one.content.strip() for one in tokens if one.type in ("html_block", "html_inline")}
    assert markup == {
        "<!-- zoo plan -->",
        "<details><summary>model <code>lab/evil</code></summary>",
        "<details><summary>model <code>lab/evil2</code></summary>",
        "</details>",
    }
    words = "".join(one.content for one in tokens if one.type == "text")
    assert not set(words) & set("@<>`[]")
    assert not [one for one in tokens if one.type in ("link_open", "image")]
    assert "\u202e" not in text


def test_secrets_are_not_in_the_comment(hub: TestHub) -> None:
    token = "hf_" + "aBcD1234" * 4 + "xY"
    publish(release({CARD: card()}, "lab/told"))
    edit("lab/told", CARD, card(f"{BODY}\nkey: {token}\n", note=token))
    text = plan_as_markdown(plan_fleet(fleet_of(release({CARD: card(BODY + "More.\n")}, "lab/told"))))
    assert token not in text
    assert token[10:20] not in text


def test_a_comment_is_no_longer_than_github_takes(hub: TestHub) -> None:
    many = [
        release({CARD: card(), **{f"{file:0180}.txt": b"1" for file in range(50)}}, f"lab/many{number}")
        for number in range(30)
    ]
    text = plan_as_markdown(plan_fleet(fleet_of(*many)))
    assert MOST - 8000 < len(text) <= MOST
    assert text.count("| ➕ model | `lab/many") == 30
    assert "… and 22 more" in text
    assert text.rstrip().endswith("more: `zoo plan` shows all.")


# GitHub and GitLab ---------------------------------------------------------------------------------------------------


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As inside of a step of a workflow; the file of its summary."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    return summary


@pytest.fixture
def mistaken(tmp_path: Path) -> Path:
    """A lab in a folder of a larger checkout, with two mistakes in one file."""
    lab = tmp_path / "lab"
    workspace_in(lab)
    path = lab / "recipes" / "arabert.yaml"
    path.write_text(path.read_text("utf-8").replace("pooling: mean", "poolin: mean\n  widht: 1"), "utf-8")
    return lab


def test_mistakes_are_annotated_where_they_are(zoo: Zoo, actions: Path, mistaken: Path) -> None:
    code, _, err = zoo("check", cwd=mistaken)
    assert code == 1
    found = [line for line in err.splitlines() if line.startswith("::")]
    assert found[:2] == [
        "::error file=lab/recipes/arabert.yaml,line=6,title=zoo recipe::base.poolin: unknown key 'poolin'; did you mean 'pooling'?",
        "::error file=lab/recipes/arabert.yaml,line=7,title=zoo recipe::base.widht: unknown key 'widht'; did you mean 'width'?",
    ]
    assert "### zoo check: 2 mistakes" in actions.read_text("utf-8")
    assert "- ❌ `recipe` `recipes/arabert.yaml:6` `base.poolin:" in actions.read_text("utf-8")


def test_gitlab_gets_a_code_quality_report(zoo: Zoo, mistaken: Path) -> None:
    code, out, _ = zoo("check", "--format", "gitlab", cwd=mistaken)
    report = json.loads(out)
    assert code == 1
    assert report[0] == {
        "description": "base.poolin: unknown key 'poolin'; did you mean 'pooling'?",
        "check_name": "recipe",
        "fingerprint": report[0]["fingerprint"],
        "severity": "major",
        "location": {"path": "recipes/arabert.yaml", "lines": {"begin": 6}},
    }
    assert len({one["fingerprint"] for one in report}) == len(report)
    path = mistaken / "recipes" / "arabert.yaml"
    path.write_text("# a line above\n" + path.read_text("utf-8"), "utf-8")
    again = json.loads(zoo("check", "--format", "gitlab", cwd=mistaken)[1])
    assert [one["fingerprint"] for one in again] == [one["fingerprint"] for one in report]
    assert again[0]["location"]["lines"]["begin"] == 7


def test_findings_of_the_linter_are_annotated_and_reported(zoo: Zoo, actions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / CARD).write_bytes(card("# Model\n\nbase: 12\n", license="nonsense"))
    code, out, err = zoo("lint", "model", "--offline", "--kind", "model", "--format", "gitlab", cwd=tmp_path)
    report = json.loads(out)
    assert code == 1
    assert {one["location"]["path"] for one in report} == {"model/README.md"}
    assert all(one["check_name"].startswith("L") for one in report)
    lines = [line for line in err.splitlines() if line.startswith("::")]
    assert len(lines) == len(report)
    assert all("file=model/README.md,line=" in line for line in lines)
    assert f"### zoo lint: {len(report)} finding" in actions.read_text("utf-8")


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (
            PlacedFinding("recipe", "error", "a\n::set-env name=X::1"),
            "::error title=zoo recipe::a%0A::set-env name=X::1",
        ),
        (PlacedFinding("L01", "warning", "50 %\r"), "::warning title=zoo L01::50 %25%0D"),
        (
            PlacedFinding("L01", "error", "b", "a,b:c.md", 3),
            "::error file=a%2Cb%3Ac.md,line=3,title=zoo L01::b",
        ),
    ],
)
def test_an_annotation_cannot_begin_another_command(found: PlacedFinding, command: str) -> None:
    assert annotation(found) == command


def test_other_errors_are_annotated_too_and_only_there(
    zoo: Zoo, actions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, err = zoo("show", "nothing", cwd=tmp_path)
    assert "::error title=zoo recipe::" in err
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::" not in zoo("show", "nothing", cwd=tmp_path)[2]
