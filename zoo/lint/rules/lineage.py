"""Where a repository comes from: base models, datasets, and the ids by which they are named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from zoo.lint.finding import Fix, Problem
from zoo.lint.repo import ID, Repo
from zoo.lint.rule import rule
from zoo.remote import Kind

HOPS = 10
NEARLY = 0.85  # alike enough to be a misspelling of one's own name
LINKED = rf"\[?`?(?:https://huggingface\.co/)?({ID})"
BASED = re.compile(
    r"(?i)(?:\bbase[ -]model\W{1,8}|\bfine-?tuned (?:from|version of)\W{1,6}|\btrained from\b[\s|*:]{0,8})" + LINKED
)
TRAINED_ON = re.compile(r"(?i)\b(?:fine-?tuned|trained) on (?:the )?\**" + LINKED.replace("co/)", "co/datasets/)"))


@rule("L01", "base-model-loop", kinds=("model",), hub=True)
def base_model_loop(repo: Repo) -> Iterator[Problem]:
    """`base_model` leads back to the model itself, so that the Hub cannot draw the model tree.

    Not flagged: a base of the same name under another account; a folder whose id nothing tells.
    """
    me = (repo.id or "").lower()
    line = repo.card.front.line("base_model")
    bases = repo.strings("base_model")
    if me and me in [base.lower() for base in bases]:
        yield Problem(
            f"base_model is the model itself: '{repo.id}'", line, hint="name the model that training began with"
        )
        return
    if me and (trail := _trail(repo, me, bases)):
        yield Problem(f"base_model leads back to the model itself: {' -> '.join(trail)}", line)


def _trail(repo: Repo, me: str, bases: list[str]) -> list[str] | None:
    for base in bases:
        trail = [base]
        while len(trail) < HOPS and (known := repo.facts.known("model", trail[-1])) and known.bases:
            trail.append(known.bases[0])
            if trail[-1].lower() == me:
                return trail
            if trail[-1] in trail[:-1]:
                break
    return None


@rule("L14", "other-training-data", severity="warning", kinds=("model",))
def other_training_data(repo: Repo) -> Iterator[Problem]:
    """The text says that the model was trained on a dataset that `datasets` does not list.

    Not flagged: datasets named without their owner, or a card whose metadata lists none.
    """
    listed = {one.lower() for one in repo.strings("datasets")}
    for line, found in repo.places(TRAINED_ON) if listed else ():
        id = found[1].rstrip(".")
        if id.lower() not in listed | {base.lower() for base in repo.strings("base_model")}:
            hint = f"the metadata lists {', '.join(sorted(listed))}"
            yield Problem(f"trained on '{id}', which datasets does not list", line, hint=hint)


@rule("L15", "snippet-id", kinds=("model",), hub=True)
def snippet_id(repo: Repo) -> Iterator[Problem]:
    """A snippet loads a model id that is nearly this model's own, or one that is not on the Hub.

    Not flagged: other models that the Hub has, bases, and in a folder ids that do not look like its own.
    """
    allowed = {repo.id, *repo.strings("base_model")}
    for line, id in repo.loaded:
        if id in allowed:
            continue
        if repo.name and _alike(id, repo.id or f"{id.split('/')[0]}/{repo.name}"):
            yield Problem(f"the snippet loads '{id}', and this is '{repo.id or repo.name}'", line)
        elif repo.given_id and repo.facts.known("model", id) is None:
            yield Problem(
                f"the snippet loads '{id}', which the Hub does not have", line, hint=_nearest(repo, "model", id)
            )


def _alike(one: str, other: str) -> bool:
    return one != other and SequenceMatcher(None, one.lower(), other.lower()).ratio() > NEARLY


@rule("L16", "other-base-model", kinds=("model",))
def other_base_model(repo: Repo) -> Iterator[Problem]:
    """The text names another base model than `base_model` does.

    Not flagged: a text that names the metadata's base as well, or names without their owner.
    """
    bases = {one.lower() for one in repo.strings("base_model")}
    named = [(line, found[1].rstrip(".")) for line, found in repo.places(BASED)]
    if bases and named and not bases & {id.lower() for _, id in named}:
        line, id = named[0]
        yield Problem(f"the text says that the base model is '{id}', the metadata '{', '.join(sorted(bases))}'", line)


@rule("L28", "unknown-id", hub=True, fixable=True)
def unknown_id(repo: Repo) -> Iterator[Problem]:
    """The metadata names a model or dataset that is not on the Hub, or spells it otherwise.

    Not flagged: ids under which the Hub still finds a repository that was renamed.
    """
    named: list[tuple[str, Kind]] = [("base_model", "model"), ("datasets", "dataset"), ("models", "model")]
    for key, kind in named:
        for index, id in enumerate(repo.strings(key)):
            if not re.fullmatch(rf"{ID}|[\w.-]+", id) or (repo.id and id.lower() == repo.id.lower()):
                continue
            known = repo.facts.known(kind, id)
            near = [known.id] if known else repo.facts.near(kind, id)
            if known and (known.id == id or known.id.lower() != id.lower()):
                continue
            yield _unknown(repo, key, index, id, near)


def _unknown(repo: Repo, key: str, index: int, id: str, near: list[str]) -> Problem:
    front = repo.card.front
    same = [one for one in near if one.lower() == id.lower()]
    fix: Fix | None = None
    if len(same) == 1:
        value = repo.front[key]
        renamed = same[0] if isinstance(value, str) else [same[0] if one == id else one for one in value]
        fix = front.replaced(repo.card.text, key, renamed, f"{key}: '{id}' is '{same[0]}'")
    hint = f"did you mean '{near[0]}'?" if near else "correct the id, or publish it first"
    return Problem(f"{key} '{id}' is not on the Hub", front.line(key, index) or front.line(key), hint=hint, fix=fix)


def _nearest(repo: Repo, kind: Kind, id: str) -> str | None:
    near = repo.facts.near(kind, id)
    return f"did you mean '{near[0]}'?" if near else None
