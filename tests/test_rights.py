"""What the account may do on the Hub, and what the Hub shows: told by the plan, before anything is sent."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE, SCALE, Begin, Lab, TestHub
from publish_world import fleet
from small_fleet import card, commits, publish, release

from zoo.errors import HubError
from zoo.evidence.scores import ScoreFile
from zoo.hub.local import LocalHub
from zoo.hub.store import Store
from zoo.publish.desired.evalresults import eval_results, not_shown, shown_tasks
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.plan.rights import why_refused, why_token_refused
from zoo.publish.versions.history import NamedRepository
from zoo.publish.versions.rollback import roll_back, way_back
from zoo.publish.versions.version import draft_version, publish_version
from zoo.remote import api, endpoint, explained

SITE = "https://huggingface.co"


def me(role: str = "write", *, orgs: dict[str, str] | None = None, **token: Any) -> dict[str, Any]:
    """What huggingface.co answers to whoami."""
    listed = [{"type": "org", "name": name, "roleInOrg": role} for name, role in (orgs or {}).items()]
    return {"name": "ann", "orgs": listed, "auth": {"accessToken": {"role": role, **token}}}


def fine(*scopes: tuple[str, str]) -> dict[str, Any]:
    scoped = [{"entity": {"name": name}, "permissions": ["repo.content.read", *more.split()]} for name, more in scopes]
    return me("fineGrained", orgs={"lab": "admin"}, fineGrained={"global": [], "scoped": scoped})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (me(), "'ann' may not publish as 'lab'"),
        (me(orgs={"Lab": "admin"}), "the account 'lab' is called 'Lab'"),
        (me(orgs={"lab": "read"}), "'ann' may only read in the organisation 'lab'"),
        (me(orgs={"lab": "contributor"}), None),
        (me(orgs={"lab": "write"}), None),
        (me("read", orgs={"lab": "admin"}), "the token of 'ann' may only read"),
        (fine(("lab", "")), "the fine-grained token may not write to 'lab/a'"),
        (fine(("lab", "repo.write")), None),
        (fine(("lab/a", "repo.write")), "the fine-grained token may not write to 'lab/b'"),
        (fine(("lab/a", "repo.write"), ("lab/b", "repo.write")), None),
    ],
)
def test_what_the_real_hub_says_of_a_token_is_understood(answer: dict[str, Any], told: str | None) -> None:
    refused = why_token_refused(answer, "lab", {"lab/a", "lab/b"}, anywhere=False)
    assert (refused and refused.message) == told
    assert refused is None or refused.hint
    proposed = why_token_refused(answer, "lab", {"lab/a"}, anywhere=True)
    assert (proposed and proposed.message) == (told if told and "of 'ann'" in told else None)


def login(hub: LocalHub, monkeypatch: pytest.MonkeyPatch, user: str, role: str = "write") -> None:
    with closing(Store(hub.root)) as store:
        store.add_user(user)
        monkeypatch.setenv("HF_TOKEN", store.issue_token(user, role=role))


def test_a_member_without_the_right_to_a_repository_is_told(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the answer about the token says so: each repository that would change is asked for."""
    hub = begin({"path": "models/lab/parent/auth-check/write", "fault": "403"})
    api().create_repo("lab/parent")
    assert why_refused(plan_fleet(fleet(1, tmp_path))).message == "the token may not write to model 'lab/parent'"  # type: ignore[union-attr]
    assert why_refused(plan_fleet(fleet(1, tmp_path))) is None
    login(hub, monkeypatch, "stranger")
    refused = why_refused(plan_fleet(fleet(1, tmp_path)))
    assert refused
    assert refused.message == "'stranger' may not publish as 'lab'"
    assert refused.hint == "set ZOO_NAMESPACE to an account of yours, or propose it with --pr"


SAID = {
    "Private repository storage limit reached, please upgrade your plan to increase your private storage limit.": (
        "make room or take a larger plan: {}/settings/billing; public repositories are free"
    ),
    "Your storage patterns tripped our internal systems! Please contact us at website@huggingface.co": (
        "write to website@huggingface.co, which unlocks storage for public repositories"
    ),
    "You must add a payment method to your account to upgrade your space's hardware.": (
        "pay: {}/settings/billing; or `hardware: null` in recipes/family.yaml"
    ),
    'You don\'t have the rights to create a model under the namespace "lab"': (
        "ask its admins for the role 'write', or set ZOO_NAMESPACE to your account"
    ),
    "Please enable access to public gated repositories in your fine-grained token settings": (
        "tick what it may do at {}/settings/tokens, then hf auth login"
    ),
    "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request": "propose it instead: --pr",
    "No": "use a token with write access, or set ZOO_NAMESPACE to an account of yours",
}


@pytest.mark.parametrize(
    ("user", "role", "told"),
    [
        (None, "", "no token for"),
        ("lab", "read", "the token of 'lab' may only read"),
        ("versions-guest", "write", "may not publish as"),
    ],
)
def test_a_version_is_refused_before_anything_is_sent_and_not_led_to_an_option_that_it_lacks(
    hub: TestHub, monkeypatch: pytest.MonkeyPatch, user: str | None, role: str, told: str
) -> None:
    one = release({"README.md": card()}, "lab/versions-right")
    publish(one)
    other = release({"README.md": card("# Other\n")}, "lab/versions-right")
    publish(other)
    repository = NamedRepository("model", one.id, one.name)
    draft = draft_version(other, repository, "v1.0.0")
    way = way_back(repository, api().list_repo_commits(one.id)[1].commit_id)
    before = commits(one.id)
    if user is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        login(hub.running, monkeypatch, user, role)
    for change in (lambda: publish_version(draft), lambda: roll_back(way)):
        with pytest.raises(HubError, match=told) as refused:
            change()
        assert "--pr" not in str(refused.value.hint)
    assert commits(one.id) == before


def test_a_refusal_has_a_hint_of_its_own(begin: Begin) -> None:
    paid = {"path": "/repos/create", "fault": "402", "message": "Payment Required"}
    begin(*({"path": "/repos/create", "fault": "403", "message": said} for said in SAID), paid)
    for said, hint in SAID.items():
        with pytest.raises(HubError) as caught, explained("make model 'lab/x'"):
            api().create_repo("lab/x")
        assert (caught.value.message, caught.value.hint) == (
            f"cannot make model 'lab/x': {said}",
            hint.format(endpoint()),
        )
    with pytest.raises(HubError, match="cannot make it: Payment Required") as caught, explained("make it"):
        api().create_repo("lab/x")
    assert str(caught.value.hint).startswith("pay: ")


def test_the_plan_says_what_cannot_be_done_from_here(
    lab: Lab, begin: Begin, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = begin()
    monkeypatch.setenv("ZOO_NAMESPACE", "lab")
    plan = ("plan", RECIPE, "--scale", SCALE)
    monkeypatch.delenv("HF_TOKEN")
    code, out, err = zoo(*plan, cwd=lab.workspace.root)
    assert code == 2, err
    assert f"it cannot be published from here: no token for {hub.url}" in out
    assert "hint: hf auth login, or set HF_TOKEN" in err
    found = json.loads(zoo(*plan, "--json")[1])
    assert found["refused"] == {"error": f"no token for {hub.url}", "hint": "hf auth login, or set HF_TOKEN"}
    assert zoo("status", "--scale", SCALE)[0] == 2
    login(hub, monkeypatch, "stranger")
    assert json.loads(zoo(*plan, "--json")[1])["refused"]["error"] == "'stranger' may not publish as 'lab'"
    monkeypatch.delenv("ZOO_NAMESPACE")
    monkeypatch.delenv("HF_TOKEN")
    code, _, err = zoo(*plan)
    assert (code, err.splitlines()[-1]) == (1, "hint: hf auth login, or set HF_TOKEN; to look, ZOO_NAMESPACE is enough")
    login(hub, monkeypatch, "lab")
    assert json.loads(zoo(*plan, "--json")[1])["refused"] is None

    # nobody has registered a benchmark on this Hub
    code, out, _ = zoo(*plan)
    note = "the Hub will not show results of STS17-ar, STS22-ar, STS22v2-ar beside the card: the data are no registered"
    assert f"note: {note} benchmark (https://huggingface.co/docs/hub/eval-results)" in out
    assert ".eval_results" not in out


def test_results_are_written_for_registered_benchmarks_only(seeded: TestHub, lab: Lab) -> None:
    tasks = ["STS17-ar", "STS22-ar", "XNLI-ar"]
    shown = shown_tasks(tasks)
    assert shown == {"STS17-ar", "STS22-ar"}
    assert not_shown(["STS17-ar"], shown) is None
    scores: ScoreFile = lab.build.scores(RECIPE)
    assert eval_results(scores, "lab/m", shown).keys() == {
        ".eval_results/STS17-ar.yaml",
        ".eval_results/STS22-ar.yaml",
    }
    assert eval_results(scores, "lab/m", ()) == {}


def test_a_registration_that_does_not_name_the_task_is_none(begin: Begin) -> None:
    name, card = "mteb/sts17-crosslingual-sts", b"---\ntags: ['benchmark:official']\n---\n"
    with closing(Store(begin().root)) as store:
        for broken in (None, b"", b"\xff", b"[" * 9000, b"tasks: 3", b"tasks: [x]", b"tasks: [{id: another}]"):
            files = {"README.md": card, **({"eval.yaml": broken} if broken is not None else {})}
            store.import_commit("dataset", name, files)
            assert shown_tasks(["STS17-ar"]) == set(), broken
        store.import_commit("dataset", name, {"README.md": card, "eval.yaml": b"tasks: [{id: STS17_ar-ar_test}]"})
    assert shown_tasks(["STS17-ar", "STS17-en"]) == {"STS17-ar"}
