"""The local Hub with the real client: a large file through Xet and LFS, downloads, many small files, memory, lists.

Peers run in the same minute on the same disk: `cp` and sha256 for uploads, `python -m http.server` for downloads.
The peer of LFS takes turns with it, round by round, and neither pays for what the other wrote. The client reads and
hashes a file before it sends it, which is part of what is measured and nothing that a server can take away.
Lists are measured in `hub_lists`, by the server's CPU time in a full store and in a small one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench import hub_lists

MEGABYTES = 500
SMALL_FILES, READERS, ROUNDS, LFS_ROUNDS = 5000, 200, 3, 7
REPO = "lab/m"
BARS = {  # at most
    "Xet upload, of the 80 MB/s it shall reach": 1.0,
    "LFS upload, end to end : cp + fsync + sha256": 2.5,
    "download : http.server": 1.3,
    f"{SMALL_FILES} small files in one commit, of 2 s": 1.0,
    "server peak memory, of 150 MB": 1.0,
    "lists, the worst of them : the same in a small store": hub_lists.BAR,
}


def client(script: str, environment: dict[str, str], *arguments: str) -> float:
    """Seconds that a client process, Python started and everything imported, needs for the script."""
    code = (
        "import sys, time, pathlib\nfrom huggingface_hub import CommitOperationAdd, HfApi\nimport hf_xet\n"
        f"api, repo = HfApi(), {REPO!r}\nbegan = time.perf_counter()\n{script}\nprint(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout.split()[-1])


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write(path: Path) -> Path:
    """Bytes that no compression and no earlier round makes smaller."""
    with path.open("wb") as file:
        for _ in range(MEGABYTES // 10):
            file.write(os.urandom(10**7))
    return path


def keep(source: Path, target: Path) -> None:
    """What keeping a file needs at least: a copy that is on disk, and its hash."""
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())


def settle(source: Path, spare: Path) -> None:
    """Nothing is on its way to the disk any more, and there is memory for another copy that was in use before.

    The second matters on virtual machines: memory touched for the first time can take three times as long as the work.
    """
    keep(source, spare)
    spare.unlink()
    os.sync()


def curl(url: str, target: Path, token: str = "") -> None:
    """The same plain client for both servers."""
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    subprocess.run(["curl", "-sfL", *header, "-o", str(target), url], check=True)


UPLOAD = "api.upload_file(path_or_fileobj=sys.argv[1], path_in_repo='model.safetensors', repo_id=repo)"
UPLOAD_SMALL = (
    f"files = [CommitOperationAdd(f'd{{n % 50}}/{{n}}.txt', b'%d' % n) for n in range({SMALL_FILES})]\n"
    "began = time.perf_counter()\napi.create_commit(repo, files, commit_message='many')"
)


def lfs_uploads(environment: dict[str, str], folder: Path) -> dict[str, list[float]]:
    """Ours and the peer's, in the order of the rounds; they begin by turns, and both keep what they wrote."""
    source, spare, kept = write(folder / "model.safetensors"), folder / "copy", iter(range(LFS_ROUNDS))
    works: dict[str, Callable[[], float]] = {
        "LFS upload": partial(client, UPLOAD, environment | {"HF_HUB_DISABLE_XET": "1"}, str(source)),
        "cp + sha256 + fsync": lambda: timed(partial(keep, source, folder / f"kept-{next(kept)}")),
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(LFS_ROUNDS):
        with source.open("r+b") as file:
            file.write(os.urandom(32))  # enough to be another file for LFS
        for name in sorted(works, reverse=turn % 2 == 1):
            settle(source, spare)
            seconds[name].append(works[name]())
    return seconds


def xet_uploads(environment: dict[str, str], folder: Path) -> dict[str, list[float]]:
    sources = (write(folder / "model.safetensors") for _ in range(ROUNDS))
    return {"Xet upload": [client(UPLOAD, environment, str(source)) for source in sources]}


def downloads(url: str, token: str, folder: Path) -> dict[str, list[float]]:
    """Of the file that was uploaded last, which still lies in `folder`."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    peer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert peer.stdout
    port = peer.stdout.readline().split(" port ")[1].split()[0]
    seconds: dict[str, list[float]] = {"download": [], "http.server": []}
    try:
        for _ in range(ROUNDS + 1):  # the first is not counted
            ours, theirs = f"{url}/{REPO}/resolve/main/model.safetensors", f"http://127.0.0.1:{port}/model.safetensors"
            seconds["download"].append(timed(partial(curl, ours, folder / "got", token)))
            seconds["http.server"].append(timed(partial(curl, theirs, folder / "got")))
    finally:
        peer.terminate()
        peer.wait()
    return {name: found[1:] for name, found in seconds.items()}


def readers(url: str, token: str) -> int:
    """How many of `READERS` at once got another answer than the file."""
    import urllib.request

    def read(_: int) -> bool:
        request = urllib.request.Request(f"{url}/{REPO}/resolve/main/d0/0.txt")
        request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request) as answer:
            return bool(answer.read() == b"0")

    with ThreadPoolExecutor(READERS) as pool:
        return READERS - sum(pool.map(read, range(READERS)))


def peak(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    from zoo.hub.local import local_hub

    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as place, local_hub(Path(place) / "hub") as hub:
        folder = Path(place)
        environment = {**hub.environment(), "HF_HOME": f"{place}/home", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        client("api.create_repo(repo)", environment)
        seconds = lfs_uploads(environment, folder) | xet_uploads(environment, folder)
        seconds |= downloads(hub.url, hub.token, folder)
        seconds[f"{SMALL_FILES} small files"] = [client(UPLOAD_SMALL, environment)]
        failed, memory = readers(hub.url, hub.token), peak(hub.process.pid)
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as place:
        worst = max(hub_lists.ratios(Path(place)).values())
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, found in seconds.items():
        rate = "" if "small" in name else f"{MEGABYTES / medians[name]:>10.0f} MB/s"
        print(f"{name:<28}{medians[name]:>8.2f} s  ({min(found):.2f} … {max(found):.2f}){rate}")
    print(f"{'server peak memory':<28}{memory:>8.0f} MB")
    print(f"{READERS} readers at once: {failed} without the file")
    rounds = [ours / peer for ours, peer in zip(seconds["LFS upload"], seconds["cp + sha256 + fsync"], strict=True)]
    print(f"LFS upload : cp + sha256 + fsync, by round: {' '.join(f'{ratio:.2f}' for ratio in rounds)}")
    values = (
        medians["Xet upload"] * 80 / MEGABYTES,
        statistics.median(rounds),
        medians["download"] / medians["http.server"],
        medians[f"{SMALL_FILES} small files"] / 2,
        memory / 150,
        worst,
    )
    missed = [failed > 0]
    for (what, bar), value in zip(BARS.items(), values, strict=True):
        missed.append(value > bar)
        print(f"{what}: {value:.2f}x (bar: at most {bar:g}x)")
    sys.exit(1 if any(missed) else 0)


if __name__ == "__main__":
    main()
