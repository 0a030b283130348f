"""Where a repository comes from: base models, datasets, and the ids by which they are named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from zoo.lint.finding import Fix, Problem
from zoo.lint.repo import ID, CheckedRepo
from zoo.lint.rule import rule
from zoo.remote import Kind

HOPS = 10
NEARLY = 0.6  # two words are alike enough for a slip: v0 and 0, matryoska and matryoshka; not arabert and marbert
LINKED = rf"\[?`?(?:https://huggingface\.co/)?({ID})"
BASED = re.compile(
    r"(?i)(?:\bbase[ -]model\W{1,8}|\bfine-?tuned (?:from|version of)\W{1,6}|\btrained from\b[\s|*:]{0,8})" + LINKED
)
TRAINED_ON = re.compile(r"(?i)\b(?:fine-?tuned|trained) on (?:the )?\**" + LINKED.replace("co/)", "co/datasets/)"))


@rule("L01", "base-model-loop", kinds=("model",), hub=True)
def base_model_loop(repo: CheckedRepo) -> Iterator[Problem]:
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


def _trail(repo: CheckedRepo, me: str, bases: list[str]) -> list[str] | None:
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
def other_training_data(repo: CheckedRepo) -> Iterator[Problem]:
    """The text says that the model was trained on a dataset that `datasets` does not list.

    Not flagged: datasets named without their owner, or a card whose metadata lists none.
    """
    listed = {one.lower() for one in repo.strings("datasets")}
    for line, found in repo.places(TRAINED_ON) if listed else ():
        repo_id = found[1].rstrip(".")
        if repo_id.lower() not in listed | {base.lower() for base in repo.strings("base_model")}:
            hint = f"the metadata lists {', '.join(sorted(listed))}"
            yield Problem(f"trained on '{repo_id}', which datasets does not list", line, hint=hint)


@rule("L15", "snippet-id", kinds=("model", "dataset"), hub=True)
def snippet_id(repo: CheckedRepo) -> Iterator[Problem]:
    """A snippet loads an id that is this repository's own, misspelt, or one that is not on the Hub.

    Not flagged: others that the Hub has, bases, siblings, and in a folder ids that do not look like its own.
    """
    allowed = {repo.id, *repo.strings("base_model")}
    for line, repo_id in repo.loaded_ids:
        if repo_id in allowed:
            continue
        if repo.name and is_misspelt(repo_id, repo.id or f"{repo_id.split('/')[0]}/{repo.name}"):
            yield Problem(f"the snippet loads '{repo_id}', and this is '{repo.id or repo.name}'", line)
        elif repo.given_id and repo.facts.known(repo.kind, repo_id) is None:
            yield Problem(
                f"the snippet loads '{repo_id}', which the Hub does not have",
                line,
                hint=_nearest(repo, repo.kind, repo_id),
            )


def is_misspelt(one: str, other: str) -> bool:
    """Return whether two ids are one, but for a slip; siblings differ in a number or in a whole word."""
    words, others = (re.split(r"[-_./]", name.lower()) for name in (one, other))
    return one != other and len(words) == len(others) and all(map(_is_slip, words, others))


def _is_slip(word: str, other: str) -> bool:
    digits = (re.sub(r"\D", "", name) for name in (word, other))
    return word == other or (len(set(digits)) == 1 and SequenceMatcher(None, word, other).ratio() >= NEARLY)


@rule("L16", "other-base-model", severity="warning", kinds=("model",))
def other_base_model(repo: CheckedRepo) -> Iterator[Problem]:
    """The text names another base model than `base_model` does.

    Not flagged: a text that names the metadata's base as well, or names without their owner.
    """
    bases = {one.lower() for one in repo.strings("base_model")}
    named = [(line, found[1].rstrip(".")) for line, found in repo.places(BASED)]
    known = {repo_id.lower() for _, repo_id in named} | {repo_id.lower().split("/")[1] for _, repo_id in named}
    if bases and named and not bases & known:
        line, repo_id = named[0]
        yield Problem(
            f"the text says that the base model is '{repo_id}', the metadata '{', '.join(sorted(bases))}'", line
        )


@rule("L28", "unknown-id", hub=True, fixable=True)
def unknown_id(repo: CheckedRepo) -> Iterator[Problem]:
    """The metadata names a model or dataset that is not on the Hub, or spells it otherwise.

    Not flagged: ids under which the Hub still finds a repository that was renamed.
    """
    named: list[tuple[str, Kind]] = [("base_model", "model"), ("datasets", "dataset"), ("models", "model")]
    for key, kind in named:
        for index, repo_id in enumerate(repo.strings(key)):
            if not re.fullmatch(rf"{ID}|[\w.-]+", repo_id) or (repo.id and repo_id.lower() == repo.id.lower()):
                continue
            known = repo.facts.known(kind, repo_id)
            near = [known.id] if known else repo.facts.near(kind, repo_id)
            if known and (known.id == repo_id or known.id.lower() != repo_id.lower()):
                continue
            yield _unknown(repo, key, index, repo_id, near)


def _unknown(repo: CheckedRepo, key: str, index: int, repo_id: str, near: list[str]) -> Problem:
    front = repo.card.front
    same = [one for one in near if one.lower() == repo_id.lower()]
    fix: Fix | None = None
    if len(same) == 1:
        path = (key,) if isinstance(repo.front[key], str) else (key, index)
        fix = front.replaced(repo.card.text, path, same[0], f"{key}: '{repo_id}' is '{same[0]}'")
    hint = f"did you mean '{near[0]}'?" if near else "correct the id, or publish it first"
    return Problem(
        f"{key} '{repo_id}' is not on the Hub", front.line(key, index) or front.line(key), hint=hint, fix=fix
    )


def _nearest(repo: CheckedRepo, kind: Kind, repo_id: str) -> str | None:
    near = repo.facts.near(kind, repo_id)
    return f"did you mean '{near[0]}'?" if near else None
