"""The workflow that a lab begins with: its steps run here, in order, in a light install against the local Hub."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import SCALE, USER, Lab, TestHub, workspace_in
from test_install import PROJECT, environment, metadata  # noqa: F401  (a fixture)

from zoo.ci.workflow import PLACE, github_workflow
from zoo.pipeline.build import Build
from zoo.recipe import Workspace
from zoo.remote import api

WORKFLOW = yaml.safe_load(github_workflow())
PULL_REQUEST = {
    "vars.ZOO_NAMESPACE": USER,
    "github.token": "of-github",
    "github.event.pull_request.number": "7",
}
NEED_THE_HUB = {"Check the recipes", "Fetch what was built", "Plan", "Publish"}
FORK = "github.event.pull_request.head.repo.full_name == github.repository"

ASKED_FOR = """
import importlib.util

def asked_for(name, package=None, real=importlib.util.find_spec):
    try:
        return real(name, package)
    except ModuleNotFoundError:
        return None

importlib.util.find_spec = asked_for  # as where it is really absent: `datasets` asks so whether there is torch
"""


def steps(job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = WORKFLOW["jobs"][job]["steps"]
    return found


def test_the_workflow_asks_for_no_more_than_it_needs() -> None:
    assert PLACE == ".github/workflows/zoo.yml"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    jobs = WORKFLOW["jobs"]
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "plan": {"contents": "read", "pull-requests": "write"},
        "publish": None,
    }
    assert jobs["plan"]["concurrency"]["cancel-in-progress"]
    assert not jobs["publish"]["concurrency"]["cancel-in-progress"]
    assert WORKFLOW[True] == {"pull_request": None, "push": {"branches": ["main"]}}  # YAML's `on`
    assert "secrets.HF_TOKEN" not in str(jobs["plan"])  # code of a pull request must not see what may write
    assert "secrets" not in str([job.get("env") for job in (WORKFLOW, *jobs.values())])  # packages are installed there
    for job in jobs:
        assert {one["name"] for one in steps(job) if "secrets" in str(one)} <= NEED_THE_HUB
        assert not [
            one for one in steps(job) if "${{" in one.get("run", "")
        ]  # what others write is no part of a script
        assert all(
            one["with"] == {"persist-credentials": False} for one in steps(job) if "checkout" in one.get("uses", "")
        )
        for one in steps(job):
            done = subprocess.run(["bash", "-n"], input=one.get("run", ""), text=True, capture_output=True)
            assert (done.returncode, done.stderr) == (0, "")


class Runner:
    """As GitHub runs a job: each step by bash, with what the job and the step put into the environment."""

    def __init__(self, folder: Path, metadata: Path, hub: TestHub, secrets: dict[str, str]) -> None:  # noqa: F811
        self.folder, self.secrets = folder, secrets
        tools = folder / "bin"
        self.log = folder / "tools.log"
        self.summary = folder / "summary.md"
        _script(tools / "zoo", f'exec {sys.executable} -m zoo.cli "$@"')
        _script(tools / "pip", f'echo "pip $*" >> {self.log}')
        _script(tools / "gh", f'echo "gh $*" >> {self.log}; case "$*" in *--jq*) cat {folder}/comments;; esac')
        (folder / "comments").write_text("")
        light = environment(folder / "light", metadata, *PROJECT["optional-dependencies"]["data"])
        with (folder / "light" / "sitecustomize.py").open("a") as file:
            file.write(ASKED_FOR)
        self.environment = {
            **light,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HF_ENDPOINT": hub.running.url,
            "HF_HOME": str(folder / "client"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "lab/recipes",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def run(self, job: str, cwd: Path, *, fork: bool = False) -> dict[str, Any]:
        """{name of a step: what came of it}; the first that fails ends the job."""
        values = {**PULL_REQUEST, **{f"secrets.{name}": token for name, token in self.secrets.items()}}
        done = {}
        for step in steps(job):
            if "run" not in step or (step.get("if") and fork):
                assert step.get("if", FORK) == FORK
                continue
            given = {**WORKFLOW["env"], **WORKFLOW["jobs"][job].get("env", {}), **step.get("env", {})}
            variables = {name: _evaluated(value, values) for name, value in given.items()}
            env = {**self.environment, "GITHUB_WORKSPACE": str(cwd), **variables}
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done[step["name"]] = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
            if done[step["name"]].returncode:
                break
        return done


def _evaluated(value: str, values: dict[str, str]) -> str:
    return re.sub(
        r"\$\{\{ (\S+) \}\}",
        lambda found: values.get(found[1], "") if "secrets" in found[1] else values[found[1]],
        value,
    )


def _script(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def as_full(lab: Lab, folder: Path) -> Build:
    """The trained lab as if its small scale were the full one: workflows say no scale."""
    shutil.copytree(lab.workspace.recipes, folder / "recipes")
    shutil.copytree(lab.workspace.root / "runs" / SCALE, folder / "runs")
    path = folder / "recipes" / "family.yaml"
    family = yaml.safe_load(path.read_text("utf-8"))
    small = family["scales"][SCALE]
    for name, phase in family["phases"].items():
        phase["train"] = {**phase.get("train", {}), **small["train"], **small["phases"].get(name, {})}
    path.write_text(yaml.safe_dump(family, allow_unicode=True, sort_keys=False), "utf-8")
    for name in lab.workspace.datasets:
        file = folder / "recipes" / "datasets" / f"{name}.yaml"
        dataset = yaml.safe_load(file.read_text("utf-8"))
        dataset["rows"] = dict(lab.workspace.dataset(name, scale=SCALE).rows)
        file.write_text(yaml.safe_dump(dataset, allow_unicode=True, sort_keys=False), "utf-8")
    return Build(Workspace(folder), "full")


@pytest.mark.slow
def test_the_workflow_plans_on_a_pull_request_and_publishes_on_merge(
    lab: Lab,
    hub: TestHub,
    metadata: Path,  # noqa: F811
    tmp_path: Path,
    zoo: Any,
) -> None:
    """A workstation builds and pushes; the runner has a fresh clone, no torch, and publishes what was built."""
    workstation = as_full(lab, tmp_path / "workstation")
    root = workstation.workspace.root
    code, out, err = zoo("runs", "push", "arabert-hybrid", "--yes", cwd=root)
    assert code == 0, err
    assert out.splitlines()[-1] == "pushed 11 stages to dataset 'lab/zoo-runs'"
    clone = tmp_path / "clone"
    shutil.copytree(root / "recipes", clone / "recipes")
    secrets = {"HF_READ_TOKEN": hub.running.token, "HF_TOKEN": hub.running.token}
    runner = Runner(tmp_path / "runner", metadata, hub, secrets)
    done = runner.run("plan", clone)
    assert list(done) == [step["name"] for step in steps("plan") if "run" in step]
    assert all(one.returncode == 0 for one in done.values())
    comment = (clone / "plan.md").read_text("utf-8")
    assert comment.startswith("<!-- zoo plan -->\n\n### zoo plan: 7 of 7 would change")
    assert comment in runner.summary.read_text("utf-8")
    calls = runner.log.read_text().splitlines()
    assert calls[0] == "pip install hub-zoo[data]"
    assert calls[-1] == "gh api --silent repos/lab/recipes/issues/7/comments --field body=@plan.md"
    (runner.folder / "comments").write_text("41\n42\n")
    again = runner.run("plan", clone)
    assert again["Comment"].returncode == 0
    assert runner.log.read_text().splitlines()[-1] == (
        "gh api --silent --method PATCH repos/lab/recipes/issues/comments/42 --field body=@plan.md"
    )
    merged = tmp_path / "merged"
    shutil.copytree(root / "recipes", merged / "recipes")
    published = runner.run("publish", merged)
    assert all(one.returncode == 0 for one in published.values()), published["Publish"].stderr
    assert api().repo_exists(f"{USER}/GATE-AraBert-v1")
    assert "### zoo publish: done" in runner.summary.read_text("utf-8")
    built = Build(Workspace(merged), "full")
    assert {one.did for one in built.plan(built.workspace.recipe("arabert-hybrid"))} == {"kept"}


@pytest.mark.slow
def test_a_fork_plans_without_a_token_and_a_workflow_without_rights_says_so(
    hub: TestHub,
    metadata: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    clone = workspace_in(tmp_path / "clone").root
    runner = Runner(tmp_path / "runner", metadata, hub, {})
    done = runner.run("plan", clone, fork=True)
    assert [(name, one.returncode) for name, one in done.items()] == [
        ("Install", 0),
        ("Check the recipes", 0),
        ("Fetch what was built", 0),
        ("Lint what would be published", 0),
        ("Plan", 0),
    ]
    assert (
        "there are no runs in dataset 'lab/zoo-runs', or this token may not read them"
        in done["Fetch what was built"].stderr
    )
    assert (
        clone / "plan.md"
    ).read_text() == "<!-- zoo plan -->\nNothing is built yet: `zoo build`, then `zoo runs push`.\n"
    runner = Runner(tmp_path / "other", metadata, hub, {"HF_TOKEN": "hf_" + "x" * 34})
    done = runner.run("publish", clone)
    assert list(done) == ["Install", "Check the recipes", "Fetch what was built"]
    last = done["Fetch what was built"]
    assert last.returncode == 1
    assert "error: cannot look at dataset 'lab/zoo-runs': the token is not accepted" in last.stderr
    assert "hint: " in last.stderr
    assert "::error title=zoo" in last.stderr
