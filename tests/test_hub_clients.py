"""The real clients, each in a process of its own, against the local Hub."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zoo.hub.local import LocalHub, local_hub
from zoo.hub.store import Store
from zoo.hub.sweep import sweep

PINNED = "0123456789abcdef0123456789abcdef01234567"
Client = Callable[..., str]

UPLOAD = """
    import os
    from pathlib import Path
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.utils._runtime import is_xet_available

    assert is_xet_available() is (os.environ.get("HF_HUB_DISABLE_XET") != "1")
    api, folder = HfApi(), Path("model")
    (folder / "1_Pooling").mkdir(parents=True)
    weights = os.urandom(300_000) + bytes(2_000_000) + os.urandom(300_000)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "copy.safetensors").write_bytes(weights)
    (folder / "بيانات.bin").write_bytes(os.urandom(1000))
    (folder / "1_Pooling/config.json").write_text("{}")
    (folder / "README.md").write_text("---\\nlicense: mit\\n---\\n# نموذج\\n")
    repo = api.create_repo(os.environ["REPO"]).repo_id
    api.upload_folder(repo_id=repo, folder_path=folder)
    first = api.model_info(repo).sha

    api.upload_folder(repo_id=repo, folder_path=folder)
    assert api.model_info(repo).sha == first, "nothing new, no commit"

    for revision in ("main", first):
        local = Path(snapshot_download(repo, revision=revision, cache_dir=f"cache-{revision}"))
        files = [path.relative_to(local) for path in local.rglob("*") if path.is_file()]
        assert len(files) == 6, files
        for path in files:
            if path.name != ".gitattributes":
                assert (local / path).read_bytes() == (folder / path).read_bytes(), path

    with open(folder / "model.safetensors", "rb") as file:  # what is open already goes through LFS in any case
        api.upload_file(path_or_fileobj=file, path_in_repo="again.safetensors", repo_id=repo)
    files = api.get_paths_info(repo, ["model.safetensors", "again.safetensors"])
    print([(file.size, bool(file.lfs), bool(file.xet_hash)) for file in files])
"""

PASSING_BY = """
    from pathlib import Path
    from huggingface_hub import HfApi

    api, weights = HfApi(), Path("weights.safetensors")
    weights.write_bytes(bytes(range(256)) * 20_000)
    api.create_repo("lab/passing")
    api.upload_file(path_or_fileobj=weights, path_in_repo="w.safetensors", repo_id="lab/passing")
    got = api.hf_hub_download("lab/passing", "w.safetensors", force_download=True)
    assert Path(got).read_bytes() == weights.read_bytes()
    api.delete_repo("lab/passing")
"""

DATASETS = """
    import os
    from datasets import Dataset, get_dataset_config_names, load_dataset

    pairs = Dataset.from_dict({"premise": ["قطة", "كلب"] * 50, "label": [0, 1] * 50})
    pairs.push_to_hub("lab/nli", "pairs", split="train")
    pairs.select(range(10)).push_to_hub("lab/nli", "small", split="test")
    assert sorted(get_dataset_config_names("lab/nli")) == ["pairs", "small"]
    loaded = load_dataset("lab/nli", "pairs", split="train")
    assert loaded["premise"][:2] == ["قطة", "كلب"] and len(loaded) == 100
    assert next(iter(load_dataset("lab/nli", "small", split="test", streaming=True)))["label"] == 0

    pinned = load_dataset("mteb/sts17", revision=os.environ["PINNED"], split="test")
    later = load_dataset("mteb/sts17", split="test")
    print(pinned["score"], later["score"])
"""

OLDER = """
    import os
    from pathlib import Path
    from huggingface_hub import HfApi, __version__, snapshot_download

    api, folder = HfApi(), Path("model")
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(os.urandom(3_000_000))
    (folder / "README.md").write_text("---\\nlicense: mit\\n---\\n# card\\n")
    repo = api.create_repo("lab/by-older-client").repo_id
    api.upload_folder(repo_id=repo, folder_path=folder)
    api.create_tag(repo, tag="v1")
    loaded = Path(snapshot_download(repo, revision="v1", cache_dir="cache"))
    assert (loaded / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    api.delete_repo(repo)
    print(__version__)
"""

PINNED_DOWNLOADS = """
    import os
    from pathlib import Path
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    pinned, api = os.environ["PINNED"], HfApi()
    path = hf_hub_download("mteb/sts17", "test.csv", repo_type="dataset", revision=pinned)
    assert f"/snapshots/{pinned}/" in path, path
    folder = Path(snapshot_download("mteb/sts17", repo_type="dataset", revision=pinned))
    assert folder.name == pinned and (folder / "test.csv").read_text().endswith("4.0\\n")
    assert api.dataset_info("mteb/sts17", revision=pinned).sha == pinned
    print([commit.title for commit in api.list_repo_commits("mteb/sts17", repo_type="dataset")])
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    root = tmp_path_factory.mktemp("hub")
    store = Store(root)
    for score, commit_id in (("4.0", PINNED), ("5.0", None)):
        rows = f"sentence1,sentence2,score\nجملة,أخرى,{score}\n".encode()
        created = datetime(2024, 1, int(float(score)), tzinfo=UTC)
        message = f"score {score}"
        store.import_commit(
            "dataset", "mteb/sts17", {"test.csv": rows}, commit_id=commit_id, message=message, created=created
        )
    store.close()
    with local_hub(root) as hub:
        yield hub


@pytest.fixture
def client(hub: LocalHub, tmp_path: Path) -> Client:
    """Runs a script, or a command, as a client of the Hub with a home of its own; its stdout."""

    def run(script: str = "", *command: str, **environment: str) -> str:
        arguments = list(command) or [sys.executable, "-c", textwrap.dedent(script)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PINNED": PINNED}
        env = {**clean, **home, **hub.environment(), **environment}
        done = subprocess.run(arguments, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_a_model_goes_up_and_comes_down_through_xet(client: Client) -> None:
    assert (
        client(UPLOAD, REPO="lab/by-xet").strip().splitlines()[-1] == "[(2600000, True, True), (2600000, True, True)]"
    )


@pytest.mark.parametrize("forget_caches", [False, True])
def test_what_was_swept_can_be_uploaded_again_with_a_warm_cache(
    client: Client, hub: LocalHub, forget_caches: bool
) -> None:
    client(PASSING_BY)
    with closing(Store(hub.root)) as store:
        swept = sweep(store, grace=0, forget_caches=forget_caches)
    assert (swept.objects, swept.xorbs > 0) == (1, forget_caches)
    client(PASSING_BY)


def test_a_model_goes_up_and_comes_down_through_lfs(client: Client) -> None:
    printed = client(UPLOAD, REPO="lab/by-lfs", HF_HUB_DISABLE_XET="1")
    assert printed.strip().splitlines()[-1] == "[(2600000, True, False), (2600000, True, False)]"


def test_datasets_are_pushed_loaded_streamed_and_pinned(client: Client) -> None:
    assert client(DATASETS).strip().splitlines()[-1] == "Column([4.0]) Column([5.0])"


def test_an_imported_commit_is_what_clients_get(client: Client) -> None:
    assert client(PINNED_DOWNLOADS).strip() == "['score 5.0', 'score 4.0']"


def test_the_hf_command_uploads_and_downloads(client: Client, tmp_path: Path) -> None:
    hf = str(Path(sys.executable).with_name("hf"))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("مرحبا")
    client("", hf, "upload", "lab/by-hf", "notes", ".", "--commit-message", "notes")
    client("", hf, "download", "lab/by-hf", "--local-dir", "down")
    assert (tmp_path / "down/a.txt").read_text() == "مرحبا"


@pytest.mark.network
@pytest.mark.parametrize("disable_xet", ["0", "1"])
def test_a_model_goes_up_and_down_with_the_client_before_this_one(
    client: Client, tmp_path: Path, disable_xet: str
) -> None:
    """huggingface_hub 1.x, unmodified, in an environment of its own."""
    old = tmp_path / "old"
    subprocess.run([sys.executable, "-m", "venv", old], check=True)
    subprocess.run([old / "bin" / "pip", "install", "--quiet", "huggingface_hub<2"], check=True)
    (tmp_path / "upload.py").write_text(textwrap.dedent(OLDER), "utf-8")
    printed = client("", str(old / "bin" / "python"), "upload.py", HF_HUB_DISABLE_XET=disable_xet)
    assert printed.strip().splitlines()[-1].startswith("1.")


def test_files_survive_a_restart_of_the_hub(tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    with local_hub(tmp_path / "root") as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("lab/kept", repo_type="space", space_sdk="static")
        api.upload_file(path_or_fileobj=b"hi", path_in_repo="index.html", repo_id="lab/kept", repo_type="space")
        api.add_space_variable("lab/kept", "A", "1")
        api.create_collection("kept", namespace="lab")
        api.create_discussion("lab/kept", title="kept", repo_type="space")
        before, old_token = api.space_info("lab/kept"), hub.token
    with local_hub(tmp_path / "root") as hub:
        api = HfApi(endpoint=hub.url, token=old_token)
        assert hub.token != old_token
        assert api.whoami()["name"] == "lab"
        assert api.space_info("lab/kept").sha == before.sha
        assert api.get_space_variables("lab/kept")["A"].value == "1"
        assert [found.title for found in api.list_collections(owner="lab")] == ["kept"]
        assert [found.title for found in api.get_repo_discussions("lab/kept", repo_type="space")] == ["kept"]
        found = api.hf_hub_download("lab/kept", "index.html", repo_type="space", cache_dir=tmp_path / "cache")
        assert Path(found).read_text() == "hi"
