"""The command line: what users type, mistakes included."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import ROOT, TestHub

from zoo.errors import of_the_disk

ZOO = (sys.executable, "-m", "zoo.cli")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    from conftest import workspace_in

    return workspace_in(tmp_path).root


def test_help_lists_commands_under_headings_in_the_order_of_the_flow(zoo: Any) -> None:
    from zoo.cli import COMMANDS

    code, out, _ = zoo("--help")
    assert code == 0
    places = [out.index(f"\n{heading}:\n") for heading in COMMANDS]
    assert places == sorted(places)
    for command in (command for commands in COMMANDS.values() for command in commands):
        assert f"\n  {command.name} " in out
    assert "..." not in out.split("Recipes:")[1], "a sentence is cut"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["build", "arabert-hybird"],
            "error: no recipe 'arabert-hybird' in recipes/\nhint: did you mean 'arabert-hybrid'?\n",
        ),
        (
            ["show", "arabert-hybrid", "--scale", "mni"],
            "error: no scale 'mni' in recipes/family.yaml\nhint: did you mean 'mini'?\n",
        ),
        (
            ["data", "build", "arabic-stbs"],
            "error: no dataset 'arabic-stbs' in recipes/datasets/\nhint: did you mean 'arabic-stsb'?\n",
        ),
        (
            ["build", "--recipe", "gone.yaml"],
            "error: cannot read 'gone.yaml': No such file or directory\nhint: check the path\n",
        ),
        (["card", "arabert-hybrid"], "error: recipe 'arabert-hybrid' is not built\nhint: zoo build arabert-hybrid\n"),
        (
            ["plan", "--scale", "mini"],
            "error: nothing is built at scale 'mini'\nhint: zoo build arabert-matryoshka --scale mini\n",
        ),
        (["eval", "arabert-hybrid"], "error: recipe 'arabert-hybrid' is not trained\nhint: zoo build arabert-hybrid\n"),
        (
            ["eval", "x/y", "--dims", "64,big"],
            "error: --dims: 'big' is not a size\nhint: for example --dims 768,256,64\n",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_a_hint(workspace: Path, zoo: Any, arguments: list[str], told: str) -> None:
    assert zoo(*arguments, cwd=workspace) == (1, "", told)


@pytest.mark.usefixtures("hub")
def test_a_repository_that_does_not_exist_is_told(workspace: Path, zoo: Any) -> None:
    code, _, err = zoo("eval", "nobody/nothing", cwd=workspace)
    assert code == 1
    assert err.startswith("error: cannot look up model 'nobody/nothing': no such repository on http://127.0.0.1:")


def test_global_options_mean_the_same_before_and_after_the_command(workspace: Path, zoo: Any) -> None:
    before, after = zoo("--json", "ls", cwd=workspace), zoo("ls", "--json", cwd=workspace)
    assert before == after
    assert json.loads(before[1])["scale"] == "full"
    assert zoo("--hub", "nowhere", "plan", cwd=workspace)[0] == 1


def test_the_file_of_a_base_model_is_no_resolved_recipe(workspace: Path, zoo: Any) -> None:
    assert zoo("build", "--recipe", "recipes/arabert.yaml", cwd=workspace) == (
        1,
        "",
        "error: 'recipes/arabert.yaml' is the file of a base model, not a resolved recipe\n"
        "hint: zoo show arabert-matryoshka > mine.yaml\n",
    )


@pytest.mark.parametrize(
    ("typed", "told", "hint"),
    [
        ("bulid", "no such command 'bulid'", "did you mean 'build'?"),
        ("frobnicate", "no such command 'frobnicate'", "zoo --help"),
        ("serve", "no such command 'serve'", "zoo space serve, or zoo hub serve"),
        (
            "leaderboard --format htm",
            "--format: 'htm' is not one of 'md', 'csv', 'tex', 'html', 'json', 'png', 'svg'",
            "did you mean 'html'?",
        ),
        ("hub srve", "no such command 'srve'", "did you mean 'serve'?"),
        ("ls --scael mini", "no such option '--scael'", "did you mean '--scale'?"),
        ("ls --famlies", "no such option '--famlies'", "zoo ls --help"),
        ("init", "missing argument DIR", "zoo init --help"),
        (
            "build x --force trian",
            "--force: 'trian' is not one of 'data', 'train', 'contamination', 'evaluate', 'card'",
            "did you mean 'train'?",
        ),
        ("show", "missing argument RECIPE", "zoo show --help"),
        ("show a b", "unexpected argument 'b'", "zoo show --help"),
        ("build", "give names of recipes, or --recipe FILE (zoo ls lists the names)", "zoo build --help"),
        ("--hub lokal ls", "--hub: 'lokal' is neither a URL nor 'local'", "zoo --help"),
        (
            "hub import a/b --from ftp://x",
            "--from: 'ftp://x' is neither the URL of a Hub nor a folder",
            "zoo hub import --help",
        ),
        ("plan --hub nowhere", "--hub: 'nowhere' is neither a URL nor 'local'", "zoo plan --help"),
        (
            "lint --format xml",
            "--format: 'xml' is not one of 'text', 'json', 'sarif', 'gitlab'",
            "zoo lint --help",
        ),
        (
            "hub serve --port 99999",
            "--port: 99999 is not in the range 0<=x<=65535",
            "zoo hub serve --help",
        ),
        ("rollback x", "NAME@TAG_OR_COMMIT: 'x' is not NAME@TAG or NAME@COMMIT", "zoo rollback --help"),
        ("rollback x@", "NAME@TAG_OR_COMMIT: 'x@' is not NAME@TAG or NAME@COMMIT", "zoo rollback --help"),
    ],
)
def test_wrong_usage_is_told_as_all_else_and_leaves_with_1(
    workspace: Path, zoo: Any, typed: str, told: str, hint: str
) -> None:
    assert zoo(*typed.split(), cwd=workspace) == (1, "", f"error: {told}\nhint: {hint}\n")
    yes = ["--yes"] if typed.startswith("rollback") else []
    for arguments in (["--json", *typed.split(), *yes], [*typed.split(), *yes, "--json"]):
        code, out, err = zoo(*arguments, cwd=workspace)
        assert (code, json.loads(out), err) == (1, {"error": told, "hint": hint}, "")


def test_json_after_two_dashes_is_a_word(workspace: Path, zoo: Any) -> None:
    code, out, err = zoo("show", "--scael", "--", "--json", cwd=workspace)
    assert (code, out, err.splitlines()[0]) == (1, "", "error: no such option '--scael'")


@pytest.mark.parametrize("group", [(), ("hub",), ("space",)])
def test_without_a_command_the_help_is_shown(zoo: Any, group: tuple[str, ...]) -> None:
    from zoo.cli import cli

    command = cli.commands[group[0]] if group else cli
    command.get_help(click.Context(command))  # as who writes a reference asks: click keeps the option of the first time
    code, out, err = zoo(*group)
    assert (code, out) == (1, "")
    assert "-h, --help" in err
    assert err.endswith(f"error: no command was given\nhint: {' '.join(['zoo', *group])} --help\n")


def test_a_reader_that_has_seen_enough_sees_no_traceback(workspace: Path) -> None:
    for command in (["ls"], ["schema", "--json"]):
        ours, theirs = os.pipe()
        os.close(ours)
        done = subprocess.run([*ZOO, *command], cwd=workspace, stdout=theirs, stderr=subprocess.PIPE, check=False)
        os.close(theirs)
        assert (done.returncode, done.stderr) == (1, b"")


def test_an_answer_of_no_is_not_done_and_not_an_interruption(
    workspace: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    from zoo.cli.session import confirm

    ask = click.Command("ask", callback=lambda: confirm("go on?"))
    monkeypatch.setitem(sys.modules["zoo.cli"].cli.commands, "ask", ask)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    code, _, err = zoo("ask", cwd=workspace)
    assert (code, err) == (1, "stopped; run the same command to go on\n")


def test_the_processes_behind_leave_alike(tmp_path: Path) -> None:
    def leave(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.splitlines()[-1]

    assert leave("zoo.work") == (1, "usage: python -m zoo.work SPEC.json")
    missing = "python -m zoo.hub: error: the following arguments are required: --root"
    assert leave("zoo.hub") == (1, missing)
    told = "cannot listen on 127.0.0.1 port 99999: a port is a number up to 65535"
    assert leave("zoo.hub", "--root", str(tmp_path), "--port", "99999") == (1, told)


def test_a_local_hub_that_ends_by_itself_is_told(workspace: Path, tmp_path: Path) -> None:
    command = [*ZOO, "hub", "serve", "--port", "0", "--root", str(tmp_path / "hub")]
    process = subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    log = tmp_path / "hub" / "hub.log"
    assert (process.returncode, err) == (1, f"error: the local Hub ended: killed by SIGKILL\nhint: {log} says more\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("publish", "friday.json", "--pr"), "a saved plan says what goes where, without '--pr' beside it"),
        (("publish", "friday.json", "--scale", "mini"), "without '--scale' beside it"),
        (("publish", "friday.json", "arabert-hybrid"), "without another name beside it"),
        (("plan", "--out", "friday.plan"), "'friday.plan' does not end in '.json'"),
        (("plan", "--revision", "a..b"), "'a..b' is not the name of a branch"),
        (("plan", "--revision", "0" * 40), "is not the name of a branch"),
        (("plan", "--revision", "next", "--pr"), "give one of them"),
    ],
)
def test_what_would_be_taken_for_something_else_is_wrong_usage(
    workspace: Path, zoo: Any, arguments: tuple[str, ...], said: str
) -> None:
    code, _, err = zoo(*arguments, cwd=workspace)
    assert (code, said in " ".join(err.split())) == (1, True), err


def test_an_account_that_the_hub_cannot_have_is_told(
    workspace: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_NAMESPACE", "my lab")
    code, _, err = zoo("rollback", "arabert-hybrid@v1.0.0", cwd=workspace)
    assert (code, err) == (
        1,
        "error: 'my lab' is not the name of an account\nhint: letters, digits and '-', e.g. my-lab\n",
    )


def test_an_address_with_a_password_is_not_taken(workspace: Path, zoo: Any) -> None:
    code, _, err = zoo("status", "--hub", "http://me:secret@127.0.0.1:9", cwd=workspace)
    assert (code, "secret" in err) == (1, False)
    assert err.startswith("error: the address of the Hub '127.0.0.1' has a name or a password in it\n")


def test_an_endpoint_without_its_scheme_is_told(workspace: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "localhost:8642")
    assert zoo("status", cwd=workspace) == (
        1,
        "",
        "error: HF_ENDPOINT is 'localhost:8642', which is no URL\nhint: begin it with http:// or https://\n",
    )


def test_without_a_workspace_there_is_a_way_to_one(tmp_path: Path, zoo: Any) -> None:
    code, _, err = zoo("ls", cwd=tmp_path)
    assert code == 1
    assert err.startswith("error: no recipes/family.yaml in '")
    assert err.endswith("hint: zoo init my-lab && cd my-lab\n")


def test_init_starts_a_workspace_and_does_not_touch_one_that_is_there(tmp_path: Path, zoo: Any) -> None:
    code, _, _ = zoo("init", "my-lab", "--like", "gate", cwd=tmp_path)
    assert code == 0
    code, out, _ = zoo("ls", "--json", cwd=tmp_path / "my-lab")
    assert code == 0
    assert len(json.loads(out)["recipes"]) == 12
    code, _, err = zoo("init", "my-lab", "--like", "gate", cwd=tmp_path)
    assert (code, err) == (1, "error: 'my-lab' has recipes already\nhint: cd my-lab && zoo ls\n")


def test_errors_are_json_when_asked(workspace: Path, zoo: Any) -> None:
    code, out, err = zoo("show", "nothing", "--json", cwd=workspace)
    assert (code, err) == (1, "")
    assert json.loads(out)["error"] == "no recipe 'nothing' in recipes/"


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("typed", "also"),
    [("check nothing neither", "recipes"), ("eval arabert-hybrid e5-hybrid", "errors"), ("doctor", "checks")],
)
def test_what_is_wrong_and_what_is_not_are_one_document(
    workspace: Path, zoo: Any, monkeypatch: pytest.MonkeyPatch, typed: str, also: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    code, out, err = zoo(*typed.split(), "--json", cwd=workspace)
    found = json.loads(out)
    assert (code, err) == (1, "")
    assert {"error", "hint", also} <= found.keys()


@pytest.mark.parametrize(
    ("hint", "typed", "completed"),
    [
        ("zoo publish space", "--scale mini", "zoo publish space --scale mini"),
        ("zoo publish a-b, or set X", "--scale mini --hub local", "zoo publish a-b --scale mini --hub local, or set X"),
        ("zoo release a v1.0.1", "--hub http://h:1", "zoo release a v1.0.1 --hub http://h:1"),
        ("zoo publish a --overwrite b/c:d.md; so", "--hub local", "zoo publish a --overwrite b/c:d.md --hub local; so"),
        ("make one: zoo plan --out FILE", "--scale mini", "make one: zoo plan --out FILE --scale mini"),
        ("zoo data build d --scale mini", "--scale mini --hub local", "zoo data build d --scale mini --hub local"),
        ("zoo rollback a@v1", "--scale mini --hub local", "zoo rollback a@v1 --hub local"),
        ("zoo hub serve, or drop HF_ENDPOINT", "--hub local --scale mini", "zoo hub serve, or drop HF_ENDPOINT"),
        ("edit it, then `zoo check`", "--scale mini", "edit it, then `zoo check`"),
        ("`zoo check a --probe` tries", "--scale mini", "`zoo check a --probe --scale mini` tries"),
        ("zoo publish a", "", "zoo publish a"),
    ],
)
def test_a_command_in_a_hint_names_the_hub_and_the_scale_that_were_typed(hint: str, typed: str, completed: str) -> None:
    from zoo.cli import cli
    from zoo.cli.session import as_typed

    root = cli.make_context("zoo", ["plan", *typed.split()])
    with root, cli.commands["plan"].make_context("plan", typed.split(), parent=root):
        assert as_typed(hint) == completed


def test_check_finds_mistakes_of_several_files(workspace: Path, zoo: Any) -> None:
    for name in ("labse", "mpnet"):
        path = workspace / "recipes" / f"{name}.yaml"
        path.write_text(path.read_text("utf-8").replace("[triplets]", "[triplet]"), "utf-8")
    code, _, err = zoo("check", cwd=workspace)
    assert code == 1
    assert (
        "recipes/labse.yaml, line 12: variants.matryoshka.phases.0: no phase 'triplet' in family.yaml; did you mean"
        in err
    )
    assert "recipes/mpnet.yaml, line 12: variants.matryoshka.phases.0: no phase 'triplet'" in err
    assert "are not trained" not in err, "a mistake of its parent's is none of the variant's"


ELSEWHERE = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "1"}


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, for what depends on the environment at start."""
    command = [sys.executable, "-c", "from zoo.cli import main; main()", *arguments]
    variables = {**os.environ, **ELSEWHERE, **environment}
    variables = {name: value for name, value in variables.items() if value}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)


def test_a_hub_that_is_down_is_told(workspace: Path) -> None:
    done = run("build", "arabert-hybrid", "--scale", "mini", cwd=workspace, HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "hint: zoo hub serve, or drop HF_ENDPOINT" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (workspace / "runs").exists(), "nothing half-written"


@pytest.mark.parametrize("command", [["eval", "lab/model"], ["build", "arabert-hybrid"]])
def test_a_machine_that_is_told_to_stay_offline_is_told_how_to_go_on(workspace: Path, command: list[str]) -> None:
    done = run(*command, cwd=workspace, HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    assert "HF_HUB_OFFLINE keeps" in done.stderr
    assert done.stderr.endswith("hint: unset HF_HUB_OFFLINE\n")


def test_the_first_command_on_a_local_hub_fills_it_and_uses_it(workspace: Path) -> None:
    """From nothing: start, seed and read in one process, which must not look at the real Hub's address before."""
    for path in (workspace / "recipes").glob("*.yaml"):
        if path.name not in ("family.yaml", "arabert.yaml"):
            path.unlink()  # one stand-in is enough
    done = run(
        "--hub",
        "local",
        "data",
        "build",
        "arabic-stsb",
        "--scale",
        "mini",
        cwd=workspace,
        HF_ENDPOINT="",
        HF_TOKEN="",
        HF_HOME="",
    )
    assert done.returncode == 0, done.stderr
    assert "seeded the local Hub with 13 generated repositories" in done.stderr
    assert (workspace / "runs" / "mini" / "arabic-stsb" / "data" / "train.parquet").is_file()
    assert (workspace / ".zoo" / "hub" / "client").is_dir(), "its cache is apart from the real Hub's"


def test_publishing_without_a_token_is_told(workspace: Path, tmp_path: Path) -> None:
    done = run("status", "--scale", "mini", cwd=workspace, HF_TOKEN="", HF_HOME=str(tmp_path / "empty"))
    assert done.returncode == 0, "nothing is built, so nothing needs a token"
    from zoo.errors import HubError

    code = "from zoo.remote import namespace; namespace(None)"
    variables = {**os.environ, "HF_HOME": str(tmp_path / "empty")}
    variables.pop("HF_TOKEN")
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    assert f"{HubError.__module__}.HubError: no token for http://127.0.0.1:" in done.stderr


@pytest.mark.usefixtures("hub")
def test_a_wrong_token_is_told_and_never_shown(workspace: Path, tmp_path: Path) -> None:
    secret = "hf_" + "x" * 34
    done = run("doctor", cwd=workspace, HF_TOKEN=secret)
    assert done.returncode == 1
    assert "the token is not accepted by http://127.0.0.1:" in done.stdout + done.stderr
    assert secret not in done.stdout + done.stderr


@pytest.mark.usefixtures("hub")
def test_the_doctor_is_content_here(zoo: Any, workspace: Path) -> None:
    code, out, err = zoo("doctor", "--json", cwd=workspace)
    found = {check["what"]: check for check in json.loads(out)["checks"]}
    assert found["token"]["found"] == "of 'lab'"
    assert code == 0, err


def test_a_port_that_is_taken_is_told(workspace: Path, hub: TestHub, zoo: Any) -> None:
    port = hub.running.url.rsplit(":", 1)[1]
    code, _, err = zoo("hub", "serve", "--root", str(workspace / "hub"), "--port", port, cwd=workspace)
    assert code == 1
    assert err.startswith(f"error: a local Hub is already at '{hub.running.url}'\n")
    assert "zoo hub serve --port 0" in err


def test_rehearsals_do_not_leave_this_machine(workspace: Path, monkeypatch: pytest.MonkeyPatch, zoo: Any) -> None:
    from zoo.errors import PublishError
    from zoo.pipeline.build import Build
    from zoo.pipeline.fleet import fleet
    from zoo.recipe import Workspace

    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co")
    space = Workspace(workspace)
    with pytest.raises(PublishError, match="rehearsals do not go to https://huggingface.co: models of scale 'mini'"):
        fleet(Build(space, "mini"), [space.recipe("arabert-hybrid", scale="mini")])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--device", "gpu"), "'gpu' is none of cpu, cuda, cuda:1 (or another number), mps and xpu"),
        (("--device", "cuda:"), "'cuda:' is none of cpu"),
        (("--report-to", "wandbb"), "'wandbb' is not one of 'clearml', "),
    ],
)
def test_what_no_machine_has_is_wrong_usage(workspace: Path, zoo: Any, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = zoo("build", "arabert-hybrid", *arguments, cwd=workspace)
    assert (code, said in " ".join(err.split())) == (1, True), err


def test_a_device_that_is_not_here_is_told_before_the_data_are_built(
    workspace: Path, seeded: TestHub, zoo: Any
) -> None:
    told = zoo("build", "arabert-hybrid", "--scale", "mini", "--device", "cuda:99", cwd=workspace)
    assert told[0] == 1
    assert told[2].startswith("error: this machine has no device 'cuda:99'\nhint: --device takes one of: cpu")
    assert not (workspace / "runs").exists()


def test_a_tracker_that_is_not_installed_is_told_before_the_data_are_built(
    workspace: Path, seeded: TestHub, zoo: Any
) -> None:
    told = zoo("build", "arabert-hybrid", "--scale", "mini", "--report-to", "neptune", cwd=workspace)
    assert told == (1, "", "error: tracker 'neptune' is not installed\nhint: pip install neptune\n")
    assert not (workspace / "runs").exists()


def test_transformers_reports_to_every_tracker_that_we_take() -> None:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    from zoo.cli.build import TRACKERS

    assert set(TRACKERS) <= INTEGRATION_TO_CALLBACK.keys()


def test_a_recipe_file_keeps_its_scale(workspace: Path, zoo: Any) -> None:
    (workspace / "mine.yaml").write_text(zoo("show", "arabert-hybrid", "--scale", "mini", cwd=workspace)[1], "utf-8")
    code, _, err = zoo("build", "--recipe", "mine.yaml", "--scale", "full")
    assert code == 1
    assert "'mine.yaml' is of scale 'mini', which '--scale full' beside it cannot change" in " ".join(err.split())


def test_what_is_built_of_a_recipe_file_is_planned_at_its_scale(lab: Any, zoo: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(zoo("show", "arabert-hybrid", "--scale", "mini", cwd=lab.workspace.root)[1], "utf-8")
    for scale in ([], ["--scale", "mini"]):
        code, _, err = zoo("build", "--recipe", str(mine), *scale)
        assert (code, err.splitlines()[-1]) == (0, "hint: zoo plan arabert-hybrid --scale mini")


def test_a_device_is_not_asked_for_when_all_is_built(lab: Any, zoo: Any) -> None:
    """That would take torch, and seconds."""
    code, out, _ = zoo("build", "arabert-hybrid", "--scale", "mini", "--device", "cuda:99", cwd=lab.workspace.root)
    assert (code, out) == (0, "nothing to do: every stage is up to date\n")


def test_a_file_that_may_not_be_written_is_told(workspace: Path, zoo: Any) -> None:
    schema = workspace / "recipes" / "schema.json"
    schema.unlink()
    schema.symlink_to("/sys/kernel/zoo.json")  # not even root may
    code, _, err = zoo("schema", "--write", cwd=workspace)
    assert (code, err.startswith(f"error: cannot use '{schema}': ")) == (1, True), err
    assert err.endswith(f"hint: ls -ld {schema.parent} shows who may write there\n")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "a b/c"),
            ("cannot use 'a b/c': Permission denied", "'a b'"),
        ),
        (OSError(errno.EROFS, "Read-only file system", b"lab/c"), ("cannot use 'lab/c': Read-only file system", "lab")),
    ],
)
def test_a_read_only_disk_is_something_to_put_right(problem: OSError, told: tuple[str, str]) -> None:
    found = of_the_disk(problem)
    assert found
    assert (found.message, found.hint) == (told[0], f"ls -ld {told[1]} shows who may write there")


@pytest.mark.parametrize(
    "problem",
    [PermissionError(errno.EACCES, "Permission denied"), FileNotFoundError(errno.ENOENT, "No such file", "x")],
)
def test_our_own_mistakes_keep_their_traceback(problem: OSError) -> None:
    assert of_the_disk(problem) is None


@pytest.mark.usefixtures("hub")
def test_the_doctor_tells_a_refused_token_apart_from_a_hub_that_is_down(workspace: Path) -> None:
    done = run("doctor", "--json", cwd=workspace, HF_TOKEN="hf_" + "x" * 34)
    checks = {check["what"]: check["ok"] for check in json.loads(done.stdout)["checks"]}
    assert (checks["Hub"], checks["token"]) == (True, False)


@pytest.mark.usefixtures("hub")
def test_the_doctor_names_every_check_that_failed(workspace: Path) -> None:
    (workspace / "recipes" / "labse.yaml").write_text("", "utf-8")
    done = run("doctor", cwd=workspace, HF_TOKEN="hf_" + "x" * 34)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "error: 2 of 12 checks failed: 'token', 'workspace'",
        "hint: hf auth login; edit recipes/labse.yaml, then `zoo check`",
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_lacks_characters_gets_an_answer_and_a_file_gets_utf8(encoding: str, workspace: Path) -> None:
    def said(*arguments: str) -> bytes:
        variables = {**os.environ, "PYTHONIOENCODING": encoding}
        return subprocess.run([*ZOO, *arguments], cwd=workspace, env=variables, capture_output=True, check=False).stdout

    assert "عرض" in said("leaderboard", "--format", "html").decode("utf-8")
    assert json.loads(said("show", "عربي", "--json").decode("utf-8"))["error"].startswith("no recipe 'عربي'")
    assert said("ls").decode(encoding).count("arabert-hybrid") == 1


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_whoever_closes_a_stream_gets_no_traceback(closed: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m zoo.cli ls --losses {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_lab_without_a_recipe_is_told_and_so_is_a_broken_family(zoo: Any, tmp_path: Path) -> None:
    assert zoo("init", "lab", "--empty", cwd=tmp_path)[0] == 0
    code, out, err = zoo("ls", cwd=tmp_path / "lab")
    assert (code, out, err) == (0, "no recipe yet\n", "hint: zoo add base ID|FOLDER\n")
    (tmp_path / "lab" / "recipes" / "family.yaml").write_text("name: [", "utf-8")
    code, _, err = zoo("ls", cwd=tmp_path / "lab")
    assert code == 1
    assert "recipes/family.yaml, line" in err
