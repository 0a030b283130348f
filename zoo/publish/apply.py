"""Applies a plan: large files first, then one commit that changes everything or nothing."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import HubError
from zoo.publish.plan import CollectionPlan, Plan
from zoo.publish.release import Release
from zoo.remote import api, explained


def apply(plan: Plan, *, private: bool = False) -> str | None:
    """The commit made (40 hex); None when there was nothing to do.

    A push that is cut off changes nothing that readers see; run again, it sends what is missing.

    Raises:
        HubError: the Hub refused, or the repository changed since the plan was made.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    if not plan.changes:
        return None
    release = plan.release
    added = [change.path for change in plan.changes if change.action in ("add", "update")]
    adds = [CommitOperationAdd(path, _source(release, path)) for path in added]
    deletes = [CommitOperationDelete(change.path) for change in plan.changes if change.action == "delete"]
    with explained(f"publish {release.kind} '{release.id}'"):
        head = plan.head or _create(release, private=private)
        api().preupload_lfs_files(release.id, adds, repo_type=release.kind)
        try:
            made = api().create_commit(
                release.id,
                [*adds, *deletes],
                commit_message=_message(plan),
                repo_type=release.kind,
                parent_commit=head,
            )
        except HfHubHTTPError as error:
            if error.response is not None and error.response.status_code == 412:
                problem = f"{release.kind} '{release.id}' changed on the Hub while it was being published"
                raise HubError(problem, hint="zoo plan, then publish again") from None
            raise
    return made.oid


def _source(release: Release, path: str) -> str | bytes:
    content = release.files[path]
    return str(content) if isinstance(content, Path) else content


def _create(release: Release, *, private: bool) -> str:
    sdk = "gradio" if release.kind == "space" else None
    api().create_repo(release.id, repo_type=release.kind, private=private, exist_ok=True, space_sdk=sdk)
    return str(api().repo_info(release.id, repo_type=release.kind).sha)


def _message(plan: Plan) -> str:
    counts = {action: sum(change.action == action for change in plan.changes) for action in ("add", "update", "delete")}
    return f"{plan.release.name}: " + ", ".join(f"{action} {count}" for action, count in counts.items() if count)


def apply_collection(plan: CollectionPlan, *, private: bool = False) -> str:
    """The collection's slug, with everything in it that the plan wants."""
    with explained(f"publish collection '{plan.title}'"):
        slug = plan.slug
        if slug is None:
            made = api().create_collection(
                plan.title,
                namespace=plan.namespace,
                description=plan.description or None,
                private=private,
                exists_ok=True,
            )
            slug = made.slug
        for kind, id in plan.missing:
            api().add_collection_item(slug, id, kind, exists_ok=True)  # type: ignore[arg-type]
    return slug
