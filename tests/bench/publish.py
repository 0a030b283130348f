"""Publishing: a plan of a fleet in which nothing changed, and a large model against the client's own commit.

python -m tests.bench.publish
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zoo.run import file_digest

REPOSITORIES, FILES, MEGABYTES, ROUNDS = 30, 20, 500, 5
BARS = {
    "no-change plan, s": 3.0,
    "requests per repository, first look": 3.0,
    "files read again": 0.0,
    "torch imported": 0.0,
    "publish : create_commit": 1.15,
}

RELEASES = """
import sys, time
from pathlib import Path
began = time.perf_counter()
from zoo.cli.session import prepare
prepare()
import httpx2
asked = []
real = httpx2.HTTPTransport.handle_request
def note(self, request):
    asked.append(str(request.url))
    return real(self, request)
httpx2.HTTPTransport.handle_request = note
from zoo.publish.desired.digests import Digests
from zoo.publish.desired.fleet import Fleet
from zoo.publish.plan.everything import plan_fleet
from zoo.publish.desired.release import Release, sealed
from zoo.publish.apply.rollout import Rollout
root = Path(sys.argv[1])
known = Digests(root / "digests.sqlite")
def release(folder):
    files = {path.name: path for path in sorted(folder.iterdir())}
    for path in files.values():
        if path.suffix == ".safetensors":  # as after a build: its receipt says what it is
            known.learn(path, sys.argv[3], path.stat().st_mtime_ns)
    return sealed(Release("model", f"lab/{folder.name}", folder.name, files, digests=known))
"""
PLAN = """
import json
releases = [release(folder) for folder in sorted((root / "fleet").iterdir())]
found = plan_fleet(Fleet("lab", releases))
if sys.argv[2] == "publish":
    assert not any(one.missed for one in Rollout(found).run())
else:
    assert found.changed == 0
print(json.dumps({"seconds": time.perf_counter() - began, "requests": len(asked), "hashed": known.hashed,
                  "torch": int("torch" in sys.modules)}))
"""
OURS = """
from huggingface_hub import CommitOperationAdd, HfApi
import hf_xet
began = time.perf_counter()
found = plan_fleet(Fleet("lab", [release(Path(sys.argv[2]))]))
(outcome,) = Rollout(found).run()
assert outcome.did == "created", outcome
print(time.perf_counter() - began)
"""
PEER = """
import sys, time
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi
import hf_xet
api = HfApi()
folder = Path(sys.argv[2])
began = time.perf_counter()
api.create_repo(f"lab/{folder.name}")
adds = [CommitOperationAdd(path.name, str(path)) for path in sorted(folder.iterdir())]
api.create_commit(f"lab/{folder.name}", adds, commit_message="model")
print(time.perf_counter() - began)
"""


def run(code: str, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.splitlines()[-1]


def fill(root: Path) -> None:
    for repository in range(REPOSITORIES):
        folder = root / "fleet" / f"model-{repository:02}"
        folder.mkdir(parents=True)
        (folder / "README.md").write_text(f"---\nlicense: mit\n---\n\n# Model {repository}\n")
        for number in range(FILES - 3):  # with the card, its copy and the manifest: twenty
            (folder / f"config-{number}.json").write_text(json.dumps({"repository": repository, "number": number}))


def plans(root: Path, environment: dict[str, str]) -> dict[str, float]:
    fill(root)
    time.sleep(3)  # what was written just now is not remembered
    run(RELEASES + PLAN, environment, str(root), "publish")
    elsewhere = {**environment, "HF_HOME": str(root / "another-home")}
    first = json.loads(run(RELEASES + PLAN, elsewhere, str(root), "plan"))
    found = [json.loads(run(RELEASES + PLAN, environment, str(root), "plan")) for _ in range(ROUNDS)]
    seconds = [one["seconds"] for one in found]
    print(f"no-change plan of {REPOSITORIES} repositories x {FILES} files, start-up and all:", end=" ")
    print(f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} … {max(seconds):.2f}),", end=" ")
    print(
        f"{found[-1]['requests']} requests; the first time on a machine {first['seconds']:.2f} s, {first['requests']}"
    )
    return {
        "no-change plan, s": statistics.median(seconds),
        "requests per repository, first look": first["requests"] / REPOSITORIES,
        "files read again": max(one["hashed"] for one in found),
        "torch imported": max(one["torch"] for one in found),
    }


def model(folder: Path) -> Path:
    """Bytes that no compression and no earlier round makes smaller."""
    folder.mkdir()
    (folder / "config.json").write_text("{}\n")
    with (folder / "model.safetensors").open("wb") as file:
        for _ in range(MEGABYTES // 10):
            file.write(os.urandom(10**7))
    return folder


def uploads(root: Path, environment: dict[str, str]) -> float:
    scripts = {"publish": RELEASES + OURS, "create_commit": PEER}
    ratios = []
    for number in range(ROUNDS + 1):  # the first is not counted
        seconds = {}
        for name in sorted(scripts, reverse=number % 2 == 1):
            folder = model(root / f"{name.replace('_', '-')}-{number}")
            os.sync()
            time.sleep(2.5)  # the file is older than what counts as this very moment
            sha256 = file_digest(folder / "model.safetensors")
            seconds[name] = float(run(scripts[name], environment, str(root), str(folder), sha256))
            (folder / "model.safetensors").unlink()
        ratio = seconds["publish"] / seconds["create_commit"]
        print(
            f"{MEGABYTES} MB: publish {seconds['publish']:.2f} s, create_commit {seconds['create_commit']:.2f} s,",
            end=" ",
        )
        print(f"{ratio:.2f}x" + ("" if number else " (not counted)"))
        ratios += [ratio] if number else []
    return statistics.median(ratios)


def main() -> None:
    from zoo.hub.local import local_hub

    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as place, local_hub(Path(place) / "hub") as hub:
        root = Path(place)
        environment = {**hub.environment(), "HF_HOME": f"{place}/home", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        values = {**plans(root, environment), "publish : create_commit": uploads(root, environment)}
    for what, bar in BARS.items():
        print(f"{what}: {values[what]:.2f} (bar: at most {bar:g})")
    sys.exit(1 if any(values[what] > bar for what, bar in BARS.items()) else 0)


if __name__ == "__main__":
    main()
