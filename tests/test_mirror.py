"""`zoo hub import`: what is brought in has the same bytes under the same commit, or is not brought in at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub

from zoo.errors import HubError
from zoo.hub import history, repos, trees
from zoo.hub.gitobjects import EMPTY_TREE, encode_pointer
from zoo.hub.local import LocalHub, local_hub
from zoo.hub.store import Store
from zoo.mirror import import_folder, import_repository

ID = "lab/mirrored"
WEIGHTS = b"\0\1\2" * 500_000


@pytest.fixture(scope="module")
def commits(hub: TestHub) -> dict[str, str]:
    """A repository without a .gitattributes, with a tag on its first commit and a second commit on main."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    from zoo.remote import api

    api().create_repo(ID)
    small = [CommitOperationAdd(f"deep/{n}.txt", b"text %d" % n) for n in range(12)]
    card = CommitOperationAdd("README.md", "---\nlicense: mit\n---\n\nنص\n".encode())
    weights = CommitOperationAdd("model.safetensors", WEIGHTS)
    gone = CommitOperationDelete(".gitattributes")
    first = str(api().create_commit(ID, [*small, card, weights, gone], commit_message="one").oid)
    api().create_tag(ID, tag="v1.0.0", revision=first)
    second = str(api().create_commit(ID, [CommitOperationAdd("deep/0.txt", b"new")], commit_message="two").oid)
    return {"v1": first, "main": second}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store"


def listed(hub: LocalHub, revision: str = "main", repo_id: str = ID) -> tuple[str, dict[str, Any]]:
    """The commit and {path: (git id, sha256 of a large file)} as a client sees them."""
    from huggingface_hub import HfApi

    info = HfApi(hub.url, token=False).model_info(repo_id, revision=revision, files_metadata=True)
    files = {one.rfilename: (one.blob_id, one.lfs.sha256 if one.lfs else None) for one in info.siblings or ()}
    return str(info.sha), files


def test_everything_is_the_same_under_the_same_commit(
    hub: TestHub, commits: dict[str, str], target: Path, tmp_path: Path
) -> None:
    from huggingface_hub import snapshot_download

    made = import_repository(target, "model", ID)
    assert (made.commit, made.added, made.files, made.private) == (commits["main"], True, 14, False)
    assert not list((target / "imports").iterdir())
    with local_hub(target) as there:
        assert listed(there) == listed(hub.running)
        options = {"endpoint": there.url, "token": False, "revision": commits["main"]}
        folder = Path(snapshot_download(ID, cache_dir=tmp_path / "cache", **options))
        assert folder.name == commits["main"]
        assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_a_second_time_nothing_is_fetched_and_an_older_commit_does_not_move_main(
    hub: TestHub, commits: dict[str, str], target: Path
) -> None:
    import_repository(target, "model", ID)
    assert not import_repository(target, "model", ID).added
    made = import_repository(target, "model", ID, revision="v1.0.0")
    assert (made.commit, made.refs) == (commits["v1"], ("refs/tags/v1.0.0",))
    with local_hub(target) as there:
        for revision in ("main", "v1.0.0", commits["v1"]):
            assert listed(there, revision) == listed(hub.running, revision)


def test_a_newer_commit_moves_main_even_when_it_is_known(hub: TestHub, commits: dict[str, str], target: Path) -> None:
    import_repository(target, "model", ID, revision=commits["v1"])  # new: its main is this one
    import_repository(target, "model", ID)
    with local_hub(target) as there:
        assert listed(there)[0] == commits["main"]


def test_what_was_cut_off_is_finished_and_what_is_damaged_is_fetched_again(
    hub: TestHub, commits: dict[str, str], target: Path
) -> None:
    from zoo.remote import api

    place = target / "imports" / f"model-{commits['main']}"
    for path in ("model.safetensors", "README.md"):
        api().hf_hub_download(ID, path, revision=commits["main"], local_dir=place)
    (place / "README.md").write_bytes(b"damaged")
    stamp = (place / "README.md").stat()
    os.utime(place / "README.md", (stamp.st_atime, 0))
    import_repository(target, "model", ID)
    with local_hub(target) as there:
        assert listed(there) == listed(hub.running)


def test_bytes_that_are_not_what_the_other_hub_lists_are_refused(hub: TestHub, target: Path, tmp_path: Path) -> None:
    with local_hub(tmp_path / "bad") as bad:
        import hashlib

        from huggingface_hub import HfApi

        client = HfApi(bad.url, token=bad.token)
        client.create_repo("lab/bad")
        client.upload_file(path_or_fileobj=WEIGHTS, path_in_repo="model.safetensors", repo_id="lab/bad")
        sha256 = hashlib.sha256(WEIGHTS).hexdigest()
        stored = tmp_path / "bad" / "objects" / sha256[:2] / sha256[2:4] / sha256
        stored.write_bytes(WEIGHTS[:-1] + b"!")
        done = zoo("hub", "import", "lab/bad", "--from", bad.url, "--root", str(target), "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "'model.safetensors' of model 'lab/bad'" in json.loads(done.stdout)["error"]
    with local_hub(target) as there:
        from huggingface_hub import HfApi

        assert not HfApi(there.url, token=False).repo_exists("lab/bad")


def test_an_id_that_others_use_here_is_refused(hub: TestHub, commits: dict[str, str], target: Path) -> None:
    with local_hub(target) as there:
        from huggingface_hub import HfApi

        client = HfApi(there.url, token=there.token)
        client.create_repo(ID)
        client.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=ID, commit_message="by hand")
        before = listed(there)
        with pytest.raises(HubError, match="no import put it there: 'by hand'") as told:
            import_repository(target, "model", ID)
        assert "--root" in str(told.value.hint)
        assert listed(there) == before


@pytest.fixture
def cached(hub: TestHub, commits: dict[str, str], tmp_path: Path) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(ID, cache_dir=tmp_path / "cache", revision=commits["main"]))


def test_a_clients_cache_is_a_source_whose_bytes_are_checked(
    hub: TestHub, commits: dict[str, str], target: Path, cached: Path
) -> None:
    assert import_folder(target, "model", ID, cached).commit == commits["main"]
    with local_hub(target) as there:
        assert listed(there)[0] == commits["main"]
        assert listed(there)[1] == listed(hub.running)[1]
    place = (cached / "README.md").resolve()
    place.chmod(0o600)
    place.write_bytes(b"damaged")
    with pytest.raises(HubError, match=r"'README.md' of model 'lab/other' has other bytes"):
        import_folder(target, "model", "lab/other", cached)


def test_the_same_commit_with_other_files_is_refused(target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"a")
    commit = "0123456789" * 4
    assert import_folder(target, "dataset", "lab/data", folder, revision=commit).commit == commit
    (folder / "a.txt").write_bytes(b"b")
    with pytest.raises(HubError, match=f"commit {commit} of lab/data is already here with other files"):
        import_folder(target, "dataset", "lab/data", folder, revision=commit)
    with pytest.raises(HubError, match="'v1' is not a commit"):
        import_folder(target, "dataset", "lab/data", folder, revision="v1")


def test_our_token_goes_to_no_other_hub(hub: TestHub, commits: dict[str, str], tmp_path: Path) -> None:
    """One that knows no such token refuses it: what is public comes all the same, without."""
    with local_hub(tmp_path / "other") as other:
        from huggingface_hub import HfApi

        client = HfApi(other.url, token=other.token)
        client.create_repo("lab/public")
        done = zoo("hub", "import", "lab/public", "--from", other.url, "--root", str(tmp_path / "new"), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        client.update_repo_settings("lab/public", private=True)
        done = zoo("hub", "import", "lab/public", "--from", other.url, "--root", str(tmp_path / "newer"), cwd=tmp_path)
        assert (done.returncode, "no such repository" in done.stderr) == (1, True)


# Sources that lie ------------------------------------------------------------------------------------------------------
LIES = {  # id -> paths, commit (None: git's own), refs, what is said
    "lab/up": (["ok.txt", "../../../../pwned.txt"], None, "has a file that cannot be kept here: Invalid path: '../.."),
    "lab/git": ([".git/hooks/post-checkout"], None, "has a file that cannot be kept here: Invalid path: '.git"),
    "lab/sha": (["ok.txt"], "../../../victim", "'../../../victim' is not a commit of 40 hex digits"),
}


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A Hub whose store somebody has doctored."""
    root = tmp_path_factory.mktemp("liar")
    with closing(Store(root)) as store:
        for repo_id, (paths, oid, _) in LIES.items():
            store.import_commit("model", repo_id, {"a.txt": b"a"})
            with store.write() as db:
                repo, blob = repos.find(db, "model", repo_id), trees.stage(b"x", store.objects)
                assert repo
                trees.save(db, [blob], store.objects)
                tree = trees.edit(db, EMPTY_TREE, dict.fromkeys(paths, blob.oid))
                new = history.record(db, repo, tree=tree, parents=[], title="lies", author="lab", oid=oid)
                for ref in (repos.MAIN, new, "refs/heads/x/../y", "refs/pr/7", "refs/tags/v1"):
                    repos.point(db, repo, ref, new)
    with local_hub(root) as hub:
        yield hub


@pytest.mark.parametrize("repo_id", LIES)
def test_what_a_source_lists_never_becomes_a_path_outside_the_store(
    liar: LocalHub, target: Path, tmp_path: Path, repo_id: str
) -> None:
    done = zoo("hub", "import", repo_id, "--from", liar.url, "--root", str(target), "--json", cwd=tmp_path)
    assert (done.returncode, LIES[repo_id][2] in json.loads(done.stdout)["error"]) == (1, True), done.stdout
    assert {path.name for path in tmp_path.rglob("*")}.isdisjoint({"pwned.txt", "victim"})


def test_a_renamed_repository_is_not_brought_in_under_a_name_that_nobody_asked_for(
    hub: TestHub, target: Path, tmp_path: Path
) -> None:
    from zoo.remote import api

    api().create_repo("lab/earlier-name")
    api().move_repo("lab/earlier-name", "lab/later-name")
    with pytest.raises(HubError, match="'lab/earlier-name' is called 'lab/later-name' there") as told:
        import_repository(target, "model", "lab/earlier-name")
    assert str(told.value.hint) == "import it by that name: lab/later-name"


def test_a_gated_repository_is_asked_for_on_its_page(hub: TestHub, target: Path, tmp_path: Path) -> None:
    from zoo.remote import api

    api().create_repo("lab/gated-source")
    api().update_repo_settings("lab/gated-source", gated="manual")
    url = hub.running.url
    environment = {**os.environ, "HF_TOKEN": ""}
    command = [sys.executable, "-m", "zoo.cli", "hub", "import", "lab/gated-source", "--from", url]
    done = subprocess.run(
        [*command, "--root", str(target)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, f"hint: ask for access at {url}/lab/gated-source\n" in done.stderr) == (1, True), (
        done.stderr
    )


def test_a_clone_without_its_large_files_is_refused(target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(encode_pointer("ab" * 32, 10))
    with pytest.raises(HubError, match=r"'model.safetensors' is a Git LFS pointer, not the file itself") as told:
        import_folder(target, "model", "lab/clone", folder)
    assert "git lfs pull" in str(told.value.hint)


@pytest.mark.parametrize("name", ["lab", "lab/..", "lab/a/b", "/", "lab/-x"])
def test_an_id_that_is_none_is_told(target: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    with pytest.raises(HubError, match=f"'{name}' is not the id of a repository"):
        import_folder(target, "model", name, tmp_path)


def test_two_imports_at_once_bring_it_in_once(hub: TestHub, commits: dict[str, str], target: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: import_repository(target, "model", ID), range(3)))
    assert sorted(one.added for one in made) == [False, False, True]
    assert not list((target / "imports").iterdir())
    with local_hub(target) as there:
        assert listed(there) == listed(hub.running)


def zoo(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zoo.cli", *words]
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
