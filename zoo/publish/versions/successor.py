"""Tells readers of an older model of its successor, in the metadata of its card."""

from __future__ import annotations

from zoo.errors import PublishError
from zoo.hub.frontmatter import BLOCK, BYTE_ORDER_MARK
from zoo.lint.front import read_front
from zoo.publish.apply.commit import NextCommit, explained_sending, push
from zoo.publish.desired.digests import of_bytes
from zoo.publish.desired.release import CARD
from zoo.publish.versions.history import NamedRepository, moved, text_at
from zoo.remote import api, explained


def supersede(old: str, repository: NamedRepository) -> str | None:
    """Write `new_version` into the metadata of model `old`'s card and return the commit; None: it says so already.

    Raises:
        PublishError: they are not two models of one account, or the card cannot be read. HubError: the Hub refused.
    """
    from huggingface_hub import CommitOperationAdd

    check_superseded(old, repository)
    model = NamedRepository("model", old, repository.name)
    with explained(f"look up {model}"):
        head = str(api().model_info(old).sha)
    card = text_at(model, CARD, head)
    new = naming(card, repository.id, str(model))
    if new == card:
        return None
    commit = NextCommit(
        model,
        f"superseded by {repository.id}",
        head,
        [CommitOperationAdd(CARD, new.encode())],
        {CARD: of_bytes(new.encode())},
        moved(model, f"zoo release {repository.name} again"),
    )
    with explained_sending(f"change {model}"):
        return push(commit).commit


def naming(card: str, successor: str, what: str = "it") -> str:
    """Return the card with `new_version`; all that people wrote into its metadata stays as they wrote it.

    Raises:
        PublishError: the metadata cannot be read.
    """
    if card.startswith(BYTE_ORDER_MARK):
        return BYTE_ORDER_MARK + naming(card.removeprefix(BYTE_ORDER_MARK), successor, what)
    block = BLOCK.match(card)
    if block is None:
        return f"---\nnew_version: {successor}\n---\n\n{card}"
    found, _ = read_front(card)
    if found.broken:
        raise PublishError(f"the card of {what}, line {found.broken[0]}: {found.broken[1]}", hint="correct it there")
    if "new_version" in found.data:
        fix = found.replaced(card, ("new_version",), successor, "")
        if fix is None:
            problem = f"the card of {what}, line {found.line('new_version')}: 'new_version' refers to another key"
            raise PublishError(problem, hint="correct it there")
        return card[: fix.start] + fix.text + card[fix.end :]
    newline = "\r\n" if "\r\n" in card[: block.start(1)] else "\n"
    return f"{card[: block.start(1)]}new_version: {successor}{newline}{card[block.start(1) :]}"


def check_superseded(old: str, repository: NamedRepository) -> None:
    """Refuse what `supersede` would refuse, before anything is changed.

    Raises:
        PublishError: they are not two models of one account. HubError: the Hub cannot be asked.
    """
    account = repository.id.split("/")[0]
    if repository.kind != "model":
        raise PublishError(f"{repository} supersedes no model", hint="only models have a newer version")
    if old == repository.id:
        raise PublishError(f"{repository} cannot supersede itself", hint="name the older model")
    if old.split("/")[0] != account:
        raise PublishError(f"model '{old}' is not of the account '{account}'", hint=f"{account}/NAME")
    with explained(f"look up model '{old}'"):
        api().model_info(old)
