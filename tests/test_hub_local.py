"""Starting and stopping the local Hub."""

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from zoo.hub.local import local_hub

ROOT = Path(__file__).parents[1]


def serve(*arguments: str, **options) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "zoo.hub", *arguments], cwd=ROOT, **pipes, **options)


def test_it_says_where_it_listens_in_one_line_and_stops_on_sigterm(tmp_path: Path) -> None:
    process = serve("--root", str(tmp_path), "--user", "omar")
    started = json.loads(process.stdout.readline())
    assert (sorted(started), started["user"]) == (["token", "url", "user"], "omar")
    request = urllib.request.Request(f"{started['url']}/api/whoami-v2")
    request.add_header("Authorization", f"Bearer {started['token']}")
    assert json.load(urllib.request.urlopen(request))["name"] == "omar"
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert rest == ""


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    process = serve("--root", str(tmp_path), "--with-parent")
    assert process.stdout.readline()
    process.stdin.close()
    process.wait(timeout=60)
    process.stdout.close()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = f"the local Hub did not start: cannot listen on 127.0.0.1 port {port}: Address already in use"
        with pytest.raises(RuntimeError, match=message), local_hub(tmp_path, port=port):
            pass


def test_a_second_one_at_the_same_port_says_where_the_first_is(tmp_path: Path, zoo: Callable[..., Any]) -> None:
    with local_hub(tmp_path / "first") as hub:
        port = hub.url.rpartition(":")[2]
        code, out, err = zoo("hub", "serve", "--root", str(tmp_path / "second"), "--port", port)
        assert (code, out) == (1, "")
        assert err == (
            f"error: a local Hub is already at '{hub.url}'\n"
            f"hint: use it: export HF_ENDPOINT={hub.url}; or `zoo hub serve --port 0` for another one\n"
        )


class Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>Something else</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("speaks", [True, False])
def test_a_port_that_somebody_else_took_is_told_as_taken(
    tmp_path: Path, zoo: Callable[..., Any], *, speaks: bool
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        if speaks:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        code, _, err = zoo("hub", "serve", "--root", str(tmp_path), "--port", str(port))
        if speaks:
            server.shutdown()
    assert code == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use\nhint: zoo hub serve --port 0" in err


def test_ctrl_c_ends_it_without_asking_to_go_on(tmp_path: Path) -> None:
    # Python hears Ctrl-C only where nobody told it to ignore it, as shells do with what runs in the background.
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from zoo.cli import main; main()"
    command = [sys.executable, "-c", script, "hub", "serve", "--root", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not process.stdout.readline().startswith("export HF_HOME"):
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "stopped\n")


def test_the_environment_is_all_a_client_needs_and_hides_the_token(tmp_path: Path) -> None:
    with local_hub(tmp_path) as hub:
        environment = hub.environment()
        assert hub.token not in repr(hub)
    assert environment["HF_ENDPOINT"] == hub.url
    assert environment["HF_TOKEN"] == hub.token
    assert "HF_HOME" not in environment
    assert hub.process.poll() is not None
    assert hub.token.encode() not in (tmp_path / "hub.log").read_bytes()


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    process = serve("--root", str(tmp_path))
    started = json.loads(process.stdout.readline())
    api = HfApi(endpoint=started["url"], token=started["token"])
    api.create_repo("lab/m")
    commit = api.upload_file(path_or_fileobj=b"kept", path_in_repo="a.txt", repo_id="lab/m").oid
    process.kill()
    process.communicate()
    with local_hub(tmp_path) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        assert api.model_info("lab/m").sha == commit
        assert Path(api.hf_hub_download("lab/m", "a.txt", cache_dir=tmp_path / "cache")).read_text() == "kept"


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("zoo.hub.local", ("starlette", "huggingface_hub", "yaml")),
        ("zoo.hub.server", ("huggingface_hub", "datasets", "zoo.errors", "zoo.say")),
    ],
)
def test_it_imports_only_what_it_needs(module: str, strangers: tuple[str, ...]) -> None:
    script = f"import sys, {module}; print([name for name in {strangers} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
