"""The front matter: whether it can be read, and whether what it says agrees with itself and the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from zoo.hub.frontmatter import BYTE_ORDER_MARK
from zoo.hub.vocabulary import LICENSES
from zoo.licences import family, forbids, named
from zoo.lint.finding import CARD, Fix, Problem, Severity
from zoo.lint.repo import CheckedRepo, Unreadable
from zoo.lint.rule import rule
from zoo.metadata import metadata_problems

LISTS = ("tags", "datasets", "language", "base_model", "metrics", "models", "task_categories")
LICENCE = re.compile(
    r"(?i)^[\s|*-]*licen[cs]e[\s|*:]+(?P<value>[^|]+)"
    r"|\b(?:is|are) (?:released|licen[cs]ed|distributed|published|available) under (?P<under>.+)"
)
FOREIGN = re.compile(r"(?i)\b(base model|upstream|dataset|data|code|backbone|original)\b")
LOSS_CLASS = re.compile(r"\b([A-Z][A-Za-z0-9]*Loss)\b")
SHORT_LOSSES = {"multiplenegativesranking": "mnrl", "cachedmultiplenegativesranking": "mnrl", "mnr": "mnrl"}


@rule("L05", "two-model-indexes", kinds=("model",), fixable=True)
def two_model_indexes(repo: CheckedRepo) -> Iterator[Problem]:
    """`model-index` has more than one entry, so that readers and leaderboards see two models, or two sets of results.

    Not flagged: nothing; the Hub's format allows more, and a repository holds one model.
    """
    index = repo.front.get("model-index")
    if not isinstance(index, list) or len(index) < 2:
        return
    fix, front = None, repo.card.front
    if all(_same(one, index[0]) for one in index):
        did = f"model-index: {len(index) - 1} repeated entry removed"
        fix = front.without(repo.card.text, ("model-index",), range(1, len(index)), did)
    hint = "merge them by hand: they hold different results" if fix is None else None
    yield Problem(f"model-index has {len(index)} entries", front.line("model-index", 1), hint=hint, fix=fix)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (
        isinstance(one, dict) and isinstance(other, dict) and one.get("results") == other.get("results") is not None
    )


@rule("L06", "other-loss", severity="warning", kinds=("model",))
def other_loss(repo: CheckedRepo) -> Iterator[Problem]:
    """A `loss:` tag names a loss that the card does not, though its text names others.

    Not flagged: a text that names no loss by its class; the losses of a recipe that the repository carries.
    """
    written = {_loss(found[1]) for _, found in repo.places(LOSS_CLASS)}
    known = written | {_loss(name) for code in repo.card.code for name in LOSS_CLASS.findall(code.text)}
    known |= set(re.findall(r"type: (\w+)", repr(repo.recipe).replace("'", "")))
    for index, tag in enumerate(repo.strings("tags")):
        if tag.startswith("loss:") and written and _loss(tag[5:]) not in known:
            message = f"tag '{tag}', and the text names {', '.join(sorted(written))}"
            yield Problem(message, repo.card.front.line("tags", index))


def _loss(name: str) -> str:
    short = name.lower().removesuffix("loss")
    return SHORT_LOSSES.get(short, short)


@rule("L09", "no-licence", kinds=("model", "dataset"))
def no_licence(repo: CheckedRepo) -> Iterator[Problem]:
    """The metadata has no `license`, so that nobody knows whether the repository may be used.

    Not flagged: Spaces.
    """
    if not repo.front.get("license"):
        yield Problem("no license in the metadata", 1, hint="license: apache-2.0, or whichever the base allows")


@rule("L18", "licence-contradiction")
def licence_contradiction(repo: CheckedRepo) -> Iterator[Problem]:
    """The text or the LICENSE file states another licence than the metadata.

    Not flagged: the licence of a base model, of data or of code; names that are no licence of the Hub's list; with
    `license: other`, a LICENSE file, which may quote any.
    """
    mine = _licences(repo) or ({"other"} if repo.strings("license") == ["other"] else set())
    for line, file, text in _stated(repo) if mine else ():
        said = named(text)
        if said and not said & mine and (file == CARD or "other" not in mine):
            message = f"the licence is '{', '.join(sorted(said))}' here and '{', '.join(sorted(mine))}' in the metadata"
            yield Problem(message, line, file, doubtful=file == CARD)


def _licences(repo: CheckedRepo) -> set[str]:
    """Return the families of the licences in the metadata that the Hub knows; of others rule L46 says what they are."""
    return {family(one) for one in repo.strings("license") if one in LICENSES} - {"other", "unknown"}


def _stated(repo: CheckedRepo) -> Iterator[tuple[int, str, str]]:
    for line in repo.card.prose:
        found = LICENCE.search(line.text)
        if found and (found["value"] or not FOREIGN.search(line.text)):
            yield line.number, CARD, found["value"] or found["under"]
        elif re.fullmatch(r"(?i)licen[cs]e", line.heading) and not re.match(r"\s*#", line.text):
            yield line.number, CARD, "" if FOREIGN.search(line.text) else line.text
    for file in ("LICENSE", "LICENSE.md", "LICENSE.txt"):
        if file in repo.files:
            yield 1, file, repo.files[file].head(400).decode("utf-8", "replace")


@rule("L32", "licence-of-base", kinds=("model",), hub=True)
def licence_of_base(repo: CheckedRepo) -> Iterator[Problem]:
    """The base's licence does not allow the one that the metadata gives: share-alike, non-commercial, no derivatives.

    Not flagged: bases without a licence or under one of their own making ('other').
    """
    mine = _licences(repo)
    for base in repo.strings("base_model") if mine else ():
        known = repo.facts.known("model", base)
        theirs = {family(one) for one in known.licenses} if known else set()
        reasons = {reason for one in theirs if (reason := forbids(one, mine))}
        if theirs and reasons and len(theirs) == 1:
            message = f"'{', '.join(sorted(mine))}', but the base '{base}' is '{theirs.pop()}': {reasons.pop()}"
            yield Problem(message, repo.card.front.line("license"))


@rule("L41", "front-matter", card=False, fixable=True)
def front_matter(repo: CheckedRepo) -> Iterator[Problem]:
    """The README is missing or not text, its front matter is missing, hidden or not YAML, or a key stands in it twice.

    Not flagged: keys that the Hub does not know; it keeps them.
    """
    try:
        if repo.text(CARD) is None:
            yield Problem("there is no README.md", hint="the card's metadata goes on top of it, between lines of '---'")
            return
    except Unreadable as problem:
        if CARD not in repo.pointers:
            yield Problem(f"README.md {problem}")
        return
    if repo.card.front.broken:
        line, what = repo.card.front.broken
        yield Problem(what, line, fix=repo.card.front.mended)
    elif repo.card.text.startswith(BYTE_ORDER_MARK):
        fix = Fix(CARD, 0, len(BYTE_ORDER_MARK), "", "the byte order mark before the front matter removed")
        yield Problem("a byte order mark stands before the front matter, and hides it from the Hub", 1, fix=fix)
    for line, key in repo.card.front.twice:
        yield Problem(f"'{key}' stands twice", line, hint="the Hub refuses it; keep one")


@rule("L46", "refused-metadata", fixable=True)
def refused_metadata(repo: CheckedRepo) -> Iterator[Problem]:
    """The Hub refuses the metadata: an unknown licence or language, an id that is none, a value of the wrong kind.

    Not flagged: keys that the Hub does not know; it keeps them.
    """
    yield from _of_the_hub(repo, "error")


@rule("L47", "unofficial-metadata", severity="warning", fixable=True)
def unofficial_metadata(repo: CheckedRepo) -> Iterator[Problem]:
    """The Hub takes the metadata but does not know a task, a size or a library in them, or reads a version as a number.

    Not flagged: libraries whose names are like none that the Hub knows.
    """
    yield from _of_the_hub(repo, "warning")


def _of_the_hub(repo: CheckedRepo, severity: Severity) -> Iterator[Problem]:
    """Find what the Hub says of the metadata; where no doubt is left of what was meant, with the edit."""
    front = repo.card.front
    for one in metadata_problems(front.data, repo.kind):
        fix = None
        if one.meant is not None:
            fix = front.replaced(repo.card.text, one.path, one.meant, f"{one.path[0]}: '{one.meant}'")
        if one.severity == severity:
            yield Problem(one.sentence, front.line(*one.path), hint=one.hint, fix=fix)


@rule("L43", "repeated-value", severity="warning", fixable=True)
def repeated_value(repo: CheckedRepo) -> Iterator[Problem]:
    """A list of the metadata holds a value twice.

    Not flagged: values that differ in case.
    """
    front = repo.card.front
    for key in LISTS:
        values = repo.front.get(key)
        texts = values if isinstance(values, list) and all(isinstance(one, str) for one in values) else []
        for at, value in enumerate(texts):
            if value in texts[:at]:
                fix = front.without(repo.card.text, (key,), range(at, at + 1), f"{key}: '{value}' once")
                yield Problem(f"{key} holds '{value}' twice", front.line(key, at), fix=fix)
