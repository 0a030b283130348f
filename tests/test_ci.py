"""Services that run commands: comments on pull requests, annotations, reports, the workflow, and runs kept on the Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from built_by_hand import NAME, STAGES_BY_HAND, built, clone, content, edit, lab, make, said
from conftest import Begin, TestHub, workspace_in
from markdown_it import MarkdownIt
from small_fleet import BODY, card, fleet_of, publish, release, there
from small_fleet import edit as edit_on_hub

from zoo import say
from zoo.ci.comment import MOST, plan_as_markdown
from zoo.ci.github import annotation
from zoo.ci.placed import PlacedFinding, of_doubts
from zoo.depot.here import nodes_of
from zoo.depot.kept import INDEX, KeptStage, index_text, read_index
from zoo.depot.pull import ToPull, pull_stages, stages_to_pull
from zoo.depot.push import push_stages, stages_to_push
from zoo.depot.repository import RunsRepository, look_at
from zoo.errors import HubError, PublishError
from zoo.layout import CONTAMINATION, DATA, TRAIN
from zoo.pipeline.build import Build
from zoo.publish.desired.release import CARD
from zoo.publish.plan.everything import plan_fleet
from zoo.remote import api

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
    edit_on_hub("lab/evil", CARD, card(BODY.replace("One.", f"# {EVIL}\n\n```\n{EVIL}\n````\n"), note=EVIL))
    edit_on_hub("lab/evil2", CARD, card(BODY.replace("One.", f"# {EVIL}"), note="-"))
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
    edit_on_hub("lab/told", CARD, card(f"{BODY}\nkey: {token}\n", note=token))
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


def test_doubts_and_broken_yaml_have_their_lines_too(zoo: Zoo, actions: Path, mistaken: Path) -> None:
    assert of_doubts(["recipes/a.yaml, line 3: a doubt: 2", "no place"]) == [
        PlacedFinding("recipe", "warning", "a doubt: 2", "recipes/a.yaml", 3),
        PlacedFinding("recipe", "warning", "no place"),
    ]
    (mistaken / "recipes" / "arabert.yaml").write_text("base: {model: [\n", "utf-8")
    found = zoo("check", cwd=mistaken)[2]
    assert "::error file=lab/recipes/arabert.yaml,line=2,title=zoo recipe::not YAML: " in found


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


def test_words_of_others_are_no_commands_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "said:\n  ::add-mask::a\n##[group]b :: c"
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    say.line(words)
    assert capsys.readouterr().out == f"{words}\n"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for tell in (say.line, say.note):
        tell(words)
        assert "".join(capsys.readouterr()) == "said:\n  : :add-mask::a\n# #[group]b :: c\n"


def test_other_errors_are_annotated_too_and_only_there(
    zoo: Zoo, actions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, err = zoo("show", "nothing", cwd=tmp_path)
    assert "::error title=zoo recipe::" in err
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::" not in zoo("show", "nothing", cwd=tmp_path)[2]


# Runs on the Hub -----------------------------------------------------------------------------------------------------


def pushed(build: Build, repo: str, **options: Any) -> str | None:
    to = RunsRepository(repo)
    return push_stages(build, stages_to_push(build, [NAME], to, **options), **options)


def pulled(build: Build, repo: str, *names: str) -> ToPull:
    asked = stages_to_pull(build, names or [NAME], RunsRepository(repo))
    pull_stages(build, asked)
    return asked


def listed(repo: str) -> set[str]:
    return set(api().list_repo_files(repo, repo_type="dataset"))


def test_what_one_machine_built_another_one_has(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a")
    assert pushed(first, "lab/runs-round") is not None
    assert api().repo_info("lab/runs-round", repo_type="dataset").private
    second = clone(first, tmp_path / "b")
    assert len(pulled(second, "lab/runs-round").new) == STAGES_BY_HAND
    assert content(second) == content(first)
    for node in nodes_of(first, [NAME]):
        if first.folder(node.name).finished(node.stage):
            was, now = (one.receipt(node.name, node.stage) for one in (first, second))
            assert (was.made_from, was.made, was.seconds) == (now.made_from, now.made, now.seconds)
            assert second.folder(node.name).stale(node.stage, was.made_from) is None
    assert not list(second.runs.rglob(".*.pulled"))


def test_nothing_is_pushed_or_pulled_twice(hub: TestHub, tmp_path: Path, asked: list[str]) -> None:
    first = built(tmp_path / "a")
    pushed(first, "lab/runs-twice")
    asked.clear()
    assert pushed(first, "lab/runs-twice") is None
    second = clone(first, tmp_path / "b")
    pulled(second, "lab/runs-twice")
    assert pushed(second, "lab/runs-twice") is None  # the same content, by other hands
    assert not [one for one in asked if one.startswith(("POST", "PUT"))]
    asked.clear()
    found = pulled(second, "lab/runs-twice")
    assert (len(found.new), len(found.here)) == (0, STAGES_BY_HAND)
    assert not [one for one in asked if "/made/" in one]


def test_each_recipe_gets_the_version_that_was_built_of_it(hub: TestHub, tmp_path: Path) -> None:
    """A branch pushes its own build; main still pulls what main's recipe says, and a third version is told stale."""
    main = built(tmp_path / "main", "as main has it")
    pushed(main, "lab/runs-versions")
    branch = edit(clone(main, tmp_path / "branch"), "family.yaml", *LESS)
    make(branch, "as the branch has it")
    pushed(branch, "lab/runs-versions")
    for name, build, words in (("m", main, b'"as main has it"'), ("b", branch, b'"as the branch has it"')):
        other = clone(build, tmp_path / name)
        assert pulled(other, "lab/runs-versions").stale == {}
        assert content(other)[f"{NAME}/train/made.json"] == words
    third = edit(clone(branch, tmp_path / "third"), "family.yaml", LESS[1], "triplets: {max_steps: 20,")
    found = pulled(third, "lab/runs-versions")
    assert list(found.stale) == [NAME]
    assert "max_steps changed (40 -> 20)" in found.stale[NAME]
    assert {one.stage for one in found.new} == {DATA, CONTAMINATION}
    assert not third.folder(NAME).finished(TRAIN)


LESS = ("triplets: {max_steps: 60,", "triplets: {max_steps: 40,")


def test_what_stood_in_the_place_of_a_pulled_stage_is_put_aside(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a", "theirs")
    pushed(first, "lab/runs-aside")
    second = edit(clone(first, tmp_path / "b"), "family.yaml", *LESS)
    make(second, "mine, of another recipe")
    second = edit(second, "family.yaml", *reversed(LESS))
    pulled(second, "lab/runs-aside")
    found = content(second)
    assert found[f"{NAME}/train/made.json"] == b'"theirs"'
    assert found[f"{NAME}/train.before/made.json"] == b'"mine, of another recipe"'


def test_a_stage_that_somebody_changed_on_the_hub_is_refused_whole(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a")
    pushed(first, "lab/runs-tampered")
    path = next(one for one in listed("lab/runs-tampered") if "/train/" in one and one.endswith("weights.bin"))
    edit_on_hub("lab/runs-tampered", path, b"other weights", "dataset")
    second = clone(first, tmp_path / "b")
    with pytest.raises(PublishError, match="is not what the receipt of 'arabert-matryoshka' says") as told:
        pulled(second, "lab/runs-tampered")
    assert "zoo runs push again" in said(told)
    assert not second.folder(NAME).stage(TRAIN).exists()
    index = json.loads(there("lab/runs-tampered", INDEX, "dataset"))
    for change in ({"doubts": ["none"]}, {"made": {"../../../evil": "0" * 64}}, {"name": "../evil"}):
        wrong = {**index, "stages": [{**index["stages"][0], **change}]}
        edit_on_hub("lab/runs-tampered", INDEX, json.dumps(wrong).encode(), "dataset")
        with pytest.raises(PublishError, match=f"'{INDEX}' of dataset 'lab/runs-tampered' is not as zoo wrote it"):
            stages_to_pull(second, [NAME], RunsRepository("lab/runs-tampered"))
    edit_on_hub("lab/runs-tampered", INDEX, b'{"format": 99}', "dataset")
    with pytest.raises(PublishError, match="was written by a newer zoo"):
        stages_to_pull(second, [NAME], RunsRepository("lab/runs-tampered"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"made": {"receipt.json": "0" * 64}}, "'receipt.json' is no file that a stage makes"),
        ({"made": {"a": "0" * 64, "a/b": "0" * 64}}, "'a' is a file and a folder"),
        ({"rows": {f"mteb/hub/results/other/{'0' * 40}/x.npz": "0" * 64}}, "is not among the results"),
        ({"rows": {f"mteb/hub/samples/other/{'0' * 40}/full/x.npz": "0" * 64}}, "is not of the model of 'm'"),
        ({"made_from": {"needs": {"train": ["m"]}}}, "'needs'|valid dictionary"),
    ],
)
def test_a_stage_with_files_that_are_not_its_own_is_refused(change: dict[str, Any], told: str) -> None:
    needs = {"needs": {"train": {"m": "1" * 64}}}
    stage = {"scale": "mini", "name": "m", "stage": "evaluate", "made_from": needs, "made": {}, "seconds": 1.0}
    mine = {f"mteb/hub/samples/lab__m/{'1' * 40}/abc/full/x.npz": "0" * 64}
    assert KeptStage.model_validate({**stage, "rows": mine}).rows == mine
    entry = {"folder": "any", **stage, **change}
    with pytest.raises(PublishError, match=told):
        read_index(json.dumps({"format": 1, "stages": [entry]}).encode(), "the Hub")


def test_stages_that_need_each_other_are_nobodys(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a")
    pushed(first, "lab/runs-circle")
    _, kept = look_at(RunsRepository("lab/runs-circle"))
    circle = [
        one.model_copy(update={"made_from": {**one.made_from, "needs": {one.stage: {one.name: one.receipt.digest}}}})
        for one in kept
    ]
    edit_on_hub("lab/runs-circle", INDEX, index_text(circle).encode(), "dataset")
    second = clone(first, tmp_path / "b")
    found = stages_to_pull(second, [NAME], RunsRepository("lab/runs-circle"))
    assert (found.new, set(found.stale)) == ([], {node.name for node in nodes_of(first, [NAME])})


def test_a_journal_that_names_a_folder_of_this_machine_stays_here(hub: TestHub, tmp_path: Path) -> None:
    build = built(tmp_path / "a")
    journal = build.folder(NAME).stage(TRAIN) / "journal.jsonl"
    journal.write_text(json.dumps({"why": f"no space left on the disk of '{journal}'"}), "utf-8")
    pushed(build, "lab/runs-journal")
    journals = {path.split("/")[2] for path in listed("lab/runs-journal") if path.endswith("journal.jsonl")}
    assert journals == {DATA, CONTAMINATION}


def test_what_must_not_leave_is_refused_before_anything_is_sent(
    hub: TestHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built(tmp_path / "a")
    api().create_repo("lab/runs-open", repo_type="dataset", private=False)
    with pytest.raises(PublishError, match="dataset 'lab/runs-open' is public") as told:
        pushed(build, "lab/runs-open")
    assert said(told).endswith("make it private in its settings, or add --public")
    assert pushed(build, "lab/runs-open", public=True) is not None
    with monkeypatch.context() as stranger:  # a pull request from a fork
        stranger.delenv("HF_TOKEN")
        assert len(pulled(clone(build, tmp_path / "fork"), "lab/runs-open").new) == STAGES_BY_HAND
    publish(release({CARD: card(), "a.csv": b"1"}, "lab/no-runs", kind="dataset"))
    with pytest.raises(PublishError, match="dataset 'lab/no-runs' is no repository of runs: it has 'README.md'"):
        pushed(build, "lab/no-runs", public=True)
    make(build, f"read from {build.workspace.root}/data")
    with pytest.raises(PublishError, match="names '.*' of this machine") as told:
        pushed(build, "lab/runs-place")
    make(build, "hf_" + "aBcD1234" * 4 + "xY")
    with pytest.raises(PublishError, match="holds a secret"):
        pushed(build, "lab/runs-secret")
    assert not api().repo_exists("lab/runs-place", repo_type="dataset")
    (build.folder(NAME).stage(TRAIN) / "made.json").write_text("edited", "utf-8")
    with pytest.raises(PublishError, match="'runs/mini/arabert-matryoshka/train/made.json' is not as zoo made it"):
        pushed(build, "lab/runs-secret")


def test_a_push_that_was_refused_goes_on(begin: Begin, tmp_path: Path, asked: list[str]) -> None:
    begin({"method": "POST", "path": "/commit/", "fault": "403", "message": "no"})
    build = built(tmp_path / "a")
    with pytest.raises(HubError, match="cannot push runs to dataset 'lab/runs-cut': no"):
        pushed(build, "lab/runs-cut")
    assert "runs.json" not in listed("lab/runs-cut")
    asked.clear()
    assert pushed(build, "lab/runs-cut") is not None
    assert INDEX in listed("lab/runs-cut")
    assert not [one for one in asked if one.startswith("PUT")]  # what was sent is there already


def test_two_that_push_at_once_both_arrive(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a", "one")
    to = RunsRepository("lab/runs-both")
    mine = stages_to_push(first, [NAME], to)
    other = built(tmp_path / "b", "two")
    pushed(other, to.id)
    push_stages(first, mine)
    _, kept = look_at(to)
    assert len(kept) == 2 * STAGES_BY_HAND


def test_a_pull_that_was_killed_goes_on(hub: TestHub, tmp_path: Path) -> None:
    first = built(tmp_path / "a")
    pushed(first, "lab/runs-killed")
    second = clone(first, tmp_path / "b")
    code = (
        "from killing import die_at_file; die_at_file(6, '.pulled')\n"
        "from zoo.cli import main; import sys\n"
        f"sys.argv = ['zoo', 'runs', 'pull', '{NAME}', '--scale', 'mini', '--from', 'lab/runs-killed']\nmain()"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=second.workspace.root, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == -9
    assert len(list(second.runs.rglob("receipt.json"))) < STAGES_BY_HAND
    pulled(second, "lab/runs-killed")
    assert content(second) == content(first)


def test_runs_that_are_not_there_say_what_to_do(
    zoo: Zoo, hub: TestHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = lab(tmp_path / "a")
    code, _, err = zoo("runs", "push", NAME, "--scale", "mini", "--yes", cwd=build.workspace.root)
    assert (code, err) == (
        1,
        "error: nothing is built at scale 'mini'\nhint: zoo build arabert-matryoshka --scale mini\n",
    )
    code, _, err = zoo("runs", "pull", "--scale", "mini", "--from", "lab/nowhere", cwd=build.workspace.root)
    assert (code, err) == (
        1,
        "error: there are no runs in dataset 'lab/nowhere', or this token may not read them\n"
        "hint: zoo runs push on the machine that builds; a private repository needs HF_TOKEN with the right to read\n",
    )
    make(build, "one")
    code, out, _ = zoo("runs", "push", NAME, "--scale", "mini", "--yes", cwd=build.workspace.root)
    assert (code, out.splitlines()[-1]) == (0, "pushed 4 stages to dataset 'lab/zoo-runs'")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    code, _, err = zoo("runs", "push", NAME, "--to", "lab/others", "--scale", "mini", "--yes", cwd=build.workspace.root)
    assert (code, err.splitlines()[-1]) == (1, "hint: hf auth login")
    assert "the token is not accepted" in err


@pytest.mark.parametrize(("place", "command"), [("lab/zoo-runs", ("runs", "pull", "--from")), ("lab", ("doctor",))])
def test_trusted_publishing_without_its_permission_is_one_sentence(
    zoo: Zoo, hub: TestHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, command: tuple[str, ...]
) -> None:
    build = lab(tmp_path / "a")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("HF_OIDC_RESOURCE", f"datasets/{place}")
    words = (*command, place) if command[-1] == "--from" else command
    code, out, err = zoo(*words, cwd=build.workspace.root)
    assert code == 1
    assert "no token by HF_OIDC_RESOURCE: Cannot request an OIDC id token from GitHub Actions" in out + err
    assert "id-token: write" in err
