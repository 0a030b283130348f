"""Whose card is it? What a copy of another repository's card leaves behind: ids, titles, a printed architecture."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from zoo.lint.finding import Problem
from zoo.lint.repo import ID, CheckedRepo
from zoo.lint.results import folded
from zoo.lint.rule import rule
from zoo.lint.rules.lineage import is_misspelt

MODULE = re.compile(r"^\s*\((\d{1,2})\): \w+\((\{.{1,2000}\})\)(?: with Transformer model: (\w+))?", re.MULTILINE)
HEADS = re.compile(r"(?:Model|For\w+|LMHeadModel)$")
ACCOUNTS = ("", "sentence-transformers/")  # the latter is where SentenceTransformer looks for a name alone
SAVED = r"""(?:save\w*|output_dir|output_path)\W{1,5}["'](?:[^"']*/)?%s["']"""
CITED = re.compile(rf"""\burl\s*=\s*[{{"']+\s*https?://[\w.-]+/({ID})""")


@rule("L49", "wrong-architecture", kinds=("model",))
def wrong_architecture(repo: CheckedRepo) -> Iterator[Problem]:
    """The architecture that the card prints is not the one in config.json and the modules' configs.

    Not flagged: keys that the configs do not have, and the head on a model (`BertModel`, `BertForMaskedLM`).
    """
    modules = repo.config("modules.json")
    for code in repo.card.code:
        for found in MODULE.finditer(code.text) if isinstance(modules, list) else ():
            line = code.line + code.text[: found.start(1)].count("\n")
            for message in _differences(repo, modules, int(found[1]), _literal(found[2]), found[3]):
                yield Problem(message, line, hint="print(model) again")


def _differences(
    repo: CheckedRepo, modules: list[Any], index: int, shown: dict[str, Any], architecture: str | None
) -> Iterator[str]:
    module = modules[index] if index < len(modules) and isinstance(modules[index], dict) else {}
    path = str(module.get("path", ""))
    file = f"{path}/config.json" if path else "sentence_bert_config.json"
    config = repo.mapping(file)
    for key in shown.keys() & config.keys():
        if shown[key] != config[key]:
            yield f"the printed architecture has {key} {shown[key]}, and {file} {config[key]}"
    said = architecture or str(shown.get("architecture") or "")
    right = repo.mapping("config.json").get("architectures")
    known = [one for one in right if isinstance(one, str)] if isinstance(right, list) else []
    if said and known and HEADS.sub("", said) not in {HEADS.sub("", one) for one in known}:
        yield f"the printed architecture is {said}, and config.json has {', '.join(known)}"


def _literal(text: str) -> dict[str, Any]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return {}
    return value if isinstance(value, dict) else {}


@rule("L50", "foreign-snippet", kinds=("model", "dataset"))
def foreign_snippet(repo: CheckedRepo) -> Iterator[Problem]:
    """The snippets load other repositories, and none loads this one.

    Not flagged: a folder whose id nothing tells but the card, and code that names this repository anywhere.
    """
    name = repo.certain_name
    foreign = [(line, one) for line, one in repo.loaded_ids if not (repo.id and is_misspelt(one, repo.id))]
    own = re.compile(rf"(?i)(?<![\w-]){re.escape(name or '')}(?![\w-]|\.\w)")
    if not name or not foreign or any(own.search(code.text) for code in repo.card.code):
        return
    line, loaded = foreign[0]
    is_base = loaded in repo.strings("base_model")
    yield Problem(f"the snippet loads '{loaded}', and nothing loads '{repo.given_id or name}'", line, doubtful=is_base)


@rule("L51", "id-without-account", kinds=("model", "dataset"), hub=True)
def id_without_account(repo: CheckedRepo) -> Iterator[Problem]:
    """A name without its account stands where an id belongs, so that nothing can be loaded by it.

    Not flagged: names that the Hub knows without one (`gpt2`), and what the code itself saved under that name.
    """
    bare = [(line, name) for line, name in repo.loaded if re.fullmatch(r"\w[\w.-]*", name)]
    for line, name in bare:
        if name.lower() == (repo.name or "").lower():
            yield Problem(f"the snippet loads '{name}', which has no account", line, hint=repo.id or f"account/{name}")
    for key in ("base_model", "datasets"):
        for at, name in enumerate(repo.strings(key)):
            if "/" not in name and (whole := _whole_id(repo, name)):
                place = repo.card.front.line(key, at) or repo.card.front.line(key)
                yield Problem(f"{key} '{name}' has no account", place, hint=f"did you mean '{whole}'?", doubtful=True)
    code = "\n".join(code.text for code in repo.card.snippets)
    for line, name in bare if repo.given_id else ():
        is_own = name.lower() == (repo.name or "").lower() or re.search(SAVED % re.escape(name), code)
        if not is_own and not any(repo.facts.known(repo.kind, f"{account}{name}") for account in ACCOUNTS):
            yield Problem(f"the snippet loads '{name}', which has no account and is not on the Hub", line)


def _whole_id(repo: CheckedRepo, name: str) -> str | None:
    """Return the id that the text has for a name; None: it has none, or several."""
    found = {one[0].rstrip(".") for _, one in repo.places(re.compile(rf"{ID}"))}
    fitting = {one for one in found if one.rpartition("/")[2] == name and "." not in one.split("/")[0]}
    return fitting.pop() if len(fitting) == 1 else None


@rule("L52", "copied-card", severity="warning", kinds=("model", "dataset"))
def copied_card(repo: CheckedRepo) -> Iterator[Problem]:
    """The title, the model-index or the citation is that of another repository, from which the card was copied.

    Not flagged: titles that are no repository's name, shorter names, and a folder whose id nothing tells but the card.
    """
    name, front = repo.certain_name, repo.card.front
    index = repo.front.get("model-index")
    first = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else {}
    named = (
        ("title", repo.card.title, repo.card.title_line),
        ("model-index", first.get("name"), front.line("model-index")),
    )
    for what, title, line in named if name else ():
        if isinstance(title, str) and _is_another(repo, title, str(name)):
            yield Problem(f"the {what} is '{title}', and this is '{repo.given_id or name}'", line)
    for code in repo.card.code if repo.given_id else ():
        for found in CITED.finditer(code.text):
            if _is_siblings(repo, found[1]):
                line = code.line + code.text[: found.start()].count("\n")
                yield Problem(f"the citation is of '{found[1]}', and this is '{repo.given_id}'", line)


def _is_another(repo: CheckedRepo, title: str, name: str) -> bool:
    """Return whether a title is the name of another repository: one that the card names, or a sibling by its words."""
    words, own = _words(title), _words(name)
    if not re.fullmatch(r"[\w.-]{4,96}", title) or len(words) < 2 or set(words) <= set(own):
        return False
    others = {one for _, one in repo.loaded_ids} | set(repo.strings("base_model"))
    if any(folded(one.rpartition("/")[2]) == folded(title) for one in others):
        return True
    shared = set(words) & set(own)
    return len(words) == len(own) and 2 * len(shared) >= len(words) and not is_misspelt(title, name)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_.]", name.lower()) if word]


def _is_siblings(repo: CheckedRepo, cited: str) -> bool:
    mine = (repo.given_id or "").lower()
    known = {one.lower() for key in ("base_model", "datasets") for one in repo.strings(key)}
    return cited.lower() not in {mine, *known} and cited.lower().split("/")[0] == mine.split("/")[0]
