"""The local Hub as `HfApi` sees it: repositories, commits, branches, tokens, collections, Spaces, discussions."""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from zoo.hub.local import LocalHub, local_hub
from zoo.hub.store import Store

_numbers = itertools.count()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def other(hub: LocalHub) -> HfApi:
    """Somebody else, with a token of their own."""
    store = Store(hub.root)
    store.add_user("other")
    token = store.issue_token("other")
    store.close()
    return HfApi(endpoint=hub.url, token=token)


@pytest.fixture
def repo(api: HfApi) -> str:
    """A new model repository."""
    return api.create_repo(f"lab/repo-{next(_numbers)}").repo_id


def add(path: str, content: str | bytes = "x") -> CommitOperationAdd:
    return CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)


def commit(api: HfApi, repo: str, *operations, **options) -> str:
    return api.create_commit(repo, list(operations), commit_message=options.pop("message", "change"), **options).oid


# Repositories ---------------------------------------------------------------------------------------------------------
def test_a_repository_is_created_once_and_exist_ok_finds_it(hub: LocalHub, api: HfApi) -> None:
    url = api.create_repo("lab/once", repo_type="dataset")
    assert str(url) == f"{hub.url}/datasets/lab/once"
    assert api.create_repo("lab/once", repo_type="dataset", exist_ok=True) == url
    with pytest.raises(HfHubHTTPError, match="You already created this dataset repo: lab/once"):
        api.create_repo("lab/Once", repo_type="dataset")
    assert api.repo_exists("LAB/once", repo_type="dataset")
    assert not api.repo_exists("lab/once")


def test_a_deleted_repository_is_gone(api: HfApi, repo: str) -> None:
    api.create_tag(repo, tag="v1")
    api.create_discussion(repo, title="hello", description="there")
    api.delete_repo(repo)
    with pytest.raises(RepositoryNotFoundError, match="Repository Not Found"):
        api.repo_info(repo)
    api.delete_repo(repo, missing_ok=True)


def test_a_moved_repository_answers_under_both_names(api: HfApi, repo: str, tmp_path: Path) -> None:
    commit(api, repo, add("a.txt", "moved"))
    api.create_repo("lab/taken", exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="A model repository called lab/taken already exists"):
        api.move_repo(repo, "lab/taken")
    api.move_repo(repo, f"{repo}-new")
    assert api.model_info(repo).id == f"{repo}-new"
    assert Path(api.hf_hub_download(repo, "a.txt", cache_dir=tmp_path)).read_text() == "moved"


def test_names_that_no_repository_may_have_are_refused(api: HfApi) -> None:
    for name in ("a--b", "a..b", "x.git"):
        with pytest.raises(HfHubHTTPError, match="is not a name for a repository") as error:
            _create_unchecked(api, name)
        assert error.value.response.status_code == 400


def _create_unchecked(api: HfApi, name: str) -> None:
    """The client would refuse these names itself."""
    from huggingface_hub.utils import get_session, hf_raise_for_status

    url = f"{api.endpoint}/api/repos/create"
    hf_raise_for_status(get_session().post(url, json={"name": name}, headers=api._build_hf_headers()))


def test_lists_search_filter_and_stop_at_the_limit(api: HfApi) -> None:
    for name, language in (("find-one", "ar"), ("find-two", "en")):
        api.create_repo(f"lab/{name}", repo_type="dataset")
        card = f"---\nlanguage: {language}\ntask_categories: [sentence-similarity]\n---\n"
        api.upload_file(
            path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=f"lab/{name}", repo_type="dataset"
        )
    assert {info.id for info in api.list_datasets(search="find-")} == {"lab/find-one", "lab/find-two"}
    assert [info.id for info in api.list_datasets(search="find-", filter="language:ar")] == ["lab/find-one"]
    assert [info.id for info in api.list_datasets(search="find-", filter="task_categories:x")] == []
    assert len(list(api.list_datasets(search="find-", limit=1))) == 1
    assert list(api.list_datasets(author="nobody")) == []
    assert "language" not in api.get_dataset_tags() or api.get_dataset_tags()


def test_info_says_what_was_asked_for(api: HfApi, repo: str) -> None:
    commit(api, repo, add("README.md", "---\nlicense: mit\npipeline_tag: sentence-similarity\n---\n# hi\n"))
    info = api.model_info(repo, files_metadata=True)
    readme = next(file for file in info.siblings or [] if file.rfilename == "README.md")
    assert (info.pipeline_tag, info.card_data.license, readme.size) == ("sentence-similarity", "mit", 60)
    short = api.model_info(repo, expand=["tags"])
    assert (short.tags, short.siblings) == (["license:mit", "sentence-similarity", "region:us"], None)


def test_eval_results_come_back_from_their_files(api: HfApi, repo: str) -> None:
    result = "- dataset: {id: mteb/sts17, task_id: sts17}\n  value: 81.5\n"
    commit(api, repo, add(".eval_results/sts17.yaml", result), add(".eval_results/bad.yaml", "[oops"))
    found = api.model_info(repo, expand=["evalResults"]).eval_results or []
    assert [entry.value for entry in found] == [81.5]


# Commits --------------------------------------------------------------------------------------------------------------
def test_a_commit_on_an_old_parent_is_refused_and_changes_nothing(api: HfApi, repo: str) -> None:
    before = api.model_info(repo).sha
    head = commit(api, repo, add("a.txt"), parent_commit=before)
    with pytest.raises(HfHubHTTPError, match="The branch was updated since you opened this page") as error:
        commit(api, repo, add("b.txt"), parent_commit=before)
    assert error.value.response.status_code == 412
    assert api.model_info(repo).sha == head
    assert "b.txt" not in api.list_repo_files(repo)


def test_files_and_folders_are_deleted_and_replaced_in_one_commit(api: HfApi, repo: str) -> None:
    commit(api, repo, add("d/a"), add("d/b"), add("e"))
    commit(api, repo, CommitOperationDelete("d/"), CommitOperationDelete("e"), add("d/new"))
    assert api.list_repo_files(repo) == [".gitattributes", "d/new"]
    with pytest.raises(EntryNotFoundError, match="A file with this name doesn't exist: e"):
        commit(api, repo, CommitOperationDelete("e"))


def test_a_readme_with_wrong_metadata_is_refused_with_the_reason(api: HfApi, repo: str) -> None:
    with pytest.raises((ValueError, BadRequestError), match='"license" must be one of'):
        commit(api, repo, add("README.md", "---\nlicense: nonsense\n---\n"))


def test_listings_show_folders_sizes_and_last_commits(api: HfApi, repo: str) -> None:
    commit(api, repo, add("a.txt", "12345"), add("d/e/f.txt"), message="first")
    commit(api, repo, add("d/g.txt"), message="second")
    entries = {entry.path: entry for entry in api.list_repo_tree(repo, recursive=True, expand=True)}
    assert sorted(entries) == [".gitattributes", "a.txt", "d", "d/e", "d/e/f.txt", "d/g.txt"]
    titles = {path: entry.last_commit.title for path, entry in entries.items()}
    assert (titles["a.txt"], titles["d"], titles["d/e"]) == ("first", "second", "first")
    assert entries["a.txt"].size == 5
    assert [entry.path for entry in api.list_repo_tree(repo, "d")] == ["d/e", "d/g.txt"]
    found = api.get_paths_info(repo, ["a.txt", "d/e", "missing"])
    assert [entry.path for entry in found] == ["a.txt", "d/e"]
    with pytest.raises(EntryNotFoundError, match="missing does not exist"):
        list(api.list_repo_tree(repo, "missing"))


def test_history_is_told_newest_first(api: HfApi, repo: str) -> None:
    for number in range(3):
        commit(api, repo, add("n", str(number)), message=f"العدد {number}")
    commits = api.list_repo_commits(repo)
    assert [entry.title for entry in commits] == ["العدد 2", "العدد 1", "العدد 0", "initial commit"]
    assert commits[0].authors == ["lab"]
    api.super_squash_history(repo, commit_message="all in one")
    assert [entry.title for entry in api.list_repo_commits(repo)] == ["all in one"]
    assert "n" in api.list_repo_files(repo)


def test_branches_and_tags_stay_where_they_were_put(api: HfApi, repo: str) -> None:
    first = commit(api, repo, add("a"))
    api.create_branch(repo, branch="exp/one")
    api.create_tag(repo, tag="v1.0", revision=first[:8])
    commit(api, repo, add("b"), revision="exp/one")
    assert "b" not in api.list_repo_files(repo)
    assert "b" in api.list_repo_files(repo, revision="exp/one")
    refs = api.list_repo_refs(repo)
    assert [tag.target_commit for tag in refs.tags] == [first]
    assert {branch.name for branch in refs.branches} == {"main", "exp/one"}
    with pytest.raises(HfHubHTTPError, match="Reference refs/heads/exp/one already exists"):
        api.create_branch(repo, branch="exp/one")
    with pytest.raises(HfHubHTTPError, match="Cannot delete refs/heads/main"):
        api.delete_branch(repo, branch="main")
    api.delete_branch(repo, branch="exp/one")
    api.delete_tag(repo, tag="v1.0")
    with pytest.raises(RevisionNotFoundError, match=r"Invalid rev id: v1\.0"):
        api.model_info(repo, revision="v1.0")


# Who may do what ------------------------------------------------------------------------------------------------------
def test_an_unknown_token_is_nobody_not_anonymous(hub: LocalHub, repo: str) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as error:
        HfApi(endpoint=hub.url, token="hf_unknown").model_info(repo)
    assert error.value.response.status_code == 401


def test_a_token_for_reading_does_not_write(hub: LocalHub, api: HfApi) -> None:
    store = Store(hub.root)
    reader = HfApi(endpoint=hub.url, token=store.issue_token("lab", role="read"))
    store.close()
    api.create_repo("lab/readable", private=True)
    assert reader.model_info("lab/readable").private
    with pytest.raises(HfHubHTTPError, match="you need a write token") as error:
        commit(reader, "lab/readable", add("a"))
    assert error.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError, match="don't have the rights to create a model"):
        reader.create_repo("lab/by-reader")


def test_private_repositories_do_not_exist_for_others(hub: LocalHub, api: HfApi, other: HfApi) -> None:
    api.create_repo("lab/secret", private=True)
    for stranger in (other, HfApi(endpoint=hub.url, token=False)):
        assert not stranger.repo_exists("lab/secret")
        assert "lab/secret" not in [info.id for info in stranger.list_models()]
    assert "lab/secret" in [info.id for info in api.list_models()]


def test_others_cannot_write_but_may_propose(api: HfApi, other: HfApi, repo: str) -> None:
    with pytest.raises(HfHubHTTPError, match="create_pr=1"):
        commit(other, repo, add("theirs"))
    proposal = other.create_commit(repo, [add("theirs")], commit_message="please", create_pr=True)
    assert proposal.pr_num == 1
    assert "theirs" not in api.list_repo_files(repo)
    assert "theirs" in api.list_repo_files(repo, revision="refs/pr/1")
    with pytest.raises(HfHubHTTPError, match="a member of 'lab' to merge"):
        other.merge_pull_request(repo, 1)
    commit(api, repo, add("ours"))
    api.merge_pull_request(repo, 1)
    assert {"theirs", "ours"} <= set(api.list_repo_files(repo))
    assert api.get_discussion_details(repo, 1).status == "merged"


def test_a_proposal_that_collides_is_not_merged(api: HfApi, repo: str) -> None:
    api.create_commit(repo, [add("same", "theirs")], commit_message="please", create_pr=True)
    commit(api, repo, add("same", "ours"))
    assert api.get_discussion_details(repo, 1).conflicting_files == ["same"]
    with pytest.raises(HfHubHTTPError, match="main changed the same files meanwhile: same"):
        api.merge_pull_request(repo, 1)


def test_discussions_are_held(api: HfApi, repo: str) -> None:
    discussion = api.create_discussion(repo, title="سؤال", description="لماذا؟")
    comment = api.comment_discussion(repo, discussion.num, comment="because")
    api.edit_discussion_comment(repo, discussion.num, comment.id, new_content="because!")
    api.rename_discussion(repo, discussion.num, new_title="question")
    api.change_discussion_status(repo, discussion.num, new_status="closed")
    details = api.get_discussion_details(repo, discussion.num)
    assert (details.title, details.status) == ("question", "closed")
    assert [event.type for event in details.events] == ["comment", "comment", "title-change", "status-change"]
    assert [found.num for found in api.get_repo_discussions(repo, discussion_status="closed")] == [discussion.num]


def test_a_gated_repository_lets_in_whom_its_owner_granted(api: HfApi, other: HfApi, repo: str) -> None:
    commit(api, repo, add("a"))
    api.update_repo_settings(repo, gated="manual")
    assert other.model_info(repo).gated == "manual"
    with pytest.raises(GatedRepoError, match="is restricted"):
        other.list_repo_files(repo) and list(other.list_repo_tree(repo))
    api.grant_access(repo, "other")
    assert [entry.path for entry in other.list_repo_tree(repo)] == [".gitattributes", "a"]


def test_likes_count(api: HfApi, repo: str) -> None:
    from huggingface_hub.utils import get_session

    get_session().post(f"{api.endpoint}/api/models/{repo}/like", headers=api._build_hf_headers())
    assert api.model_info(repo).likes == 1
    api.unlike(repo)
    assert api.model_info(repo).likes == 0


# Collections and Spaces -----------------------------------------------------------------------------------------------
def test_collections_keep_their_order_and_notes(api: HfApi, repo: str) -> None:
    collection = api.create_collection("GATE models", namespace="lab", description="Arabic")
    again = api.create_collection("GATE models", namespace="lab", exists_ok=True)
    assert again.slug == collection.slug
    for item in (repo, "lab/second"):
        api.create_repo(item, exist_ok=True)
        api.add_collection_item(collection.slug, item, "model", note=f"note on {item}")
    with pytest.raises(HfHubHTTPError, match="This item is in the collection already"):
        api.add_collection_item(collection.slug, repo, "model")
    with pytest.raises(HfHubHTTPError, match="There is no model lab/missing to put into the collection"):
        api.add_collection_item(collection.slug, "lab/missing", "model")
    items = api.get_collection(collection.slug).items
    assert [(item.item_id, item.note) for item in items] == [
        (repo, f"note on {repo}"),
        ("lab/second", "note on lab/second"),
    ]
    api.update_collection_item(collection.slug, items[1].item_object_id, position=0)
    renamed = api.update_collection_metadata(collection.slug, title="العائلة", theme="green")
    assert renamed.slug.startswith("lab/")
    found = api.get_collection(collection.slug)
    assert (found.title, [item.item_id for item in found.items]) == ("العائلة", ["lab/second", repo])
    api.delete_collection_item(collection.slug, items[0].item_object_id)
    assert [len(one.items) for one in api.list_collections(owner="lab")] == [1]
    api.delete_collection(collection.slug)
    api.delete_collection(collection.slug, missing_ok=True)


def test_the_secrets_of_a_space_are_neither_shown_nor_kept(hub: LocalHub, api: HfApi) -> None:
    secret = {"key": "TOKEN", "value": "s3cr3t-at-birth"}
    api.create_repo("lab/demo", repo_type="space", space_sdk="gradio", space_secrets=[secret])
    api.add_space_secret("lab/demo", "TOKEN", "s3cr3t-later", description="for the API")
    api.add_space_variable("lab/demo", "MODE", "fast")
    assert api.get_space_variables("lab/demo")["MODE"].value == "fast"
    assert api.get_space_secrets("lab/demo")["TOKEN"].description == "for the API"
    with sqlite3.connect(hub.root / "hub.db") as db:
        assert "s3cr3t" not in "\n".join(db.iterdump())
    api.delete_space_secret("lab/demo", "TOKEN")
    api.delete_space_variable("lab/demo", "MODE")
    assert (api.get_space_secrets("lab/demo"), api.get_space_variables("lab/demo")) == ({}, {})


def test_the_runtime_of_a_space_is_on_record(api: HfApi) -> None:
    api.create_repo("lab/app", repo_type="space", space_sdk="gradio")
    assert api.get_space_runtime("lab/app").stage == "NO_APP_FILE"
    api.upload_file(path_or_fileobj=b"print()", path_in_repo="app.py", repo_id="lab/app", repo_type="space")
    assert api.get_space_runtime("lab/app").stage == "RUNNING"
    assert api.request_space_hardware("lab/app", "t4-small", sleep_time=300).requested_hardware == "t4-small"
    assert api.set_space_sleep_time("lab/app", 60).sleep_time == 60
    assert api.pause_space("lab/app").stage == "PAUSED"
    assert api.restart_space("lab/app").stage == "RUNNING"
    assert api.space_info("lab/app").sdk == "gradio"
