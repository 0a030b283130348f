"""`python -m zoo.hub --root DIR`: serve a store until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

_SERVER: dict[str, Any] = {
    "http": "h11",  # limits headers to 64 KB, which its rival does not
    "loop": "asyncio",  # the one that everybody has; uvicorn would take another where some package brings it
    "log_level": "warning",
    "access_log": False,
    "timeout_keep_alive": 75,  # seconds; during a push, clients think for longer than uvicorn's 5 between requests
    "timeout_graceful_shutdown": 2,
    "lifespan": "off",
}
_PATIENCE = 30  # seconds until a worker that does not answer counts as hung; on a busy machine they start slowly


def main(arguments: list[str] | None = None) -> int:
    """Serve a store as the command line asks, until told to stop; returns the exit code."""
    options = _options(arguments)
    os.umask(0o077)  # what is in the store is for this user only
    try:
        listener = _listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "a port is a number up to 65535"
        print(f"cannot listen on {options.host} port {options.port}: {why}", file=sys.stderr)
        return 1
    try:
        return _serve(options, listener)
    except KeyboardInterrupt:
        return 130


def _serve(options: argparse.Namespace, listener: socket.socket) -> int:
    import uvicorn

    from zoo.hub.faults import Faulty, read_rules
    from zoo.hub.server import create_app
    from zoo.hub.store import Store

    try:
        rules = read_rules(options.faults) if options.faults else []
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    store = Store(options.root)
    store.add_user(options.user)
    app = create_app(store, options.hosts)  # imports much, so before the address is told: clients use it at once
    _announce(options, listener, store.issue_token(options.user))
    if options.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    if options.workers > 1:
        _serve_together(options, listener)
    else:
        config = uvicorn.Config(Faulty(app, rules) if rules else app, **_SERVER)
        uvicorn.Server(config).run(sockets=[listener])
    store.close()
    return 0


def _serve_together(options: argparse.Namespace, listener: socket.socket) -> None:
    """Run several processes that answer at one socket. One that dies is replaced.

    All end when this one ends, even when it is killed.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from zoo.hub.server import create_worker

    class Team(Multiprocess):
        def keep_subprocess_alive(self) -> None:
            # Our copies of the workers' ends of the pipes are closed: while they are open, a worker that dies during
            # a health check looks like one that has not answered yet.
            for worker in self.processes:
                worker.child_conn.close()
            super().keep_subprocess_alive()

    app = partial(create_worker, options.root, options.hosts)
    config = uvicorn.Config(app, factory=True, workers=options.workers, timeout_worker_healthcheck=_PATIENCE, **_SERVER)
    Team(config, sockets=[listener]).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where it reads TCP here; otherwise every answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Many that send faster than we write must not fill the memory; this is enough for the fastest single one.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    listener.bind((host, port))
    listener.listen(128)  # from here on connections wait for us, so the address can be told
    return listener


def _announce(options: argparse.Namespace, listener: socket.socket, token: str) -> None:
    """Print address, user and token as one line of JSON on stdout. The token is printed nowhere else."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    print(json.dumps({"url": url, "user": options.user, "token": token}), flush=True)


def _end_with_parent() -> None:
    """Stop this process as soon as stdin ends, which it does when the process that started us is gone."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error("--workers is at least 1")
    if options.faults and options.workers > 1:
        parser.error("--faults needs --workers 1: how often a fault strikes is counted in one process")
    options.hosts = [options.host, *options.allow_host]
    return options


class _Parser(argparse.ArgumentParser):
    """Leaves with 1 when it is called wrongly, as `zoo` does."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m zoo.hub", description="Serve a local Hugging Face Hub.")
    parser.add_argument("--root", type=Path, required=True, help="folder of the store; made when it is missing")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name to answer to, beside localhost"
    )
    parser.add_argument("--user", default="lab", help="gets a new write token at every start")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that answer")
    parser.add_argument("--faults", type=Path, help="rules for faults to make on request; see zoo/hub/faults.py")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
