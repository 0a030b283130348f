"""The card against the rest of the repository: recipe, scores, configs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from zoo.ids import is_folder
from zoo.lint.finding import Problem
from zoo.lint.printed import own_unit
from zoo.lint.repo import CheckedRepo, Unreadable
from zoo.lint.results import index_values
from zoo.lint.rule import rule

UNLOADABLE = re.compile(
    r"(?i)(?:can(?:not|'t)|(?:does|is) not|isn't|not a) (?:be )?(?:load\w* (?:via|with|by|through|in|directly)|drop-in)"
    r"[\s`*]*sentence[ -]?transformers?"
)
CONFIGS = (
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
    "zoo/recipe.yaml",
    "zoo/scores.json",
)


@rule("L27", "wrong-library", kinds=("model",))
def wrong_library(repo: CheckedRepo) -> Iterator[Problem]:
    """`library_name` is not the library that the files are for, or the text says that it cannot load the model.

    Not flagged: cross-encoders, repositories without weights, and a model that snippets load with transformers too.
    """
    library, line = repo.front.get("library_name"), repo.card.front.line("library_name")
    weights = any(path.endswith((".safetensors", ".bin", ".onnx")) for path in repo.files)
    needed = {"sentence-transformers": "modules.json", "peft": "adapter_config.json"}.get(str(library))
    adapter = "adapter_config.json" in repo.files
    if weights and needed and needed not in repo.files and not adapter and not repo.is_cross_encoder:
        yield Problem(f"library_name is {library}, and there is no {needed}", line)
    if library == "transformers" and "modules.json" in repo.files and _loads_with_modules_alone(repo):
        message = "library_name is transformers, and modules.json and the snippets are sentence-transformers'"
        yield Problem(message, line, hint="library_name: sentence-transformers", doubtful=True)
    for at, found in repo.places(UNLOADABLE) if library == "sentence-transformers" else ():
        message = f"'{found[0]}', and library_name is sentence-transformers"
        yield Problem(message, at, hint="library_name: transformers", doubtful=True)


def _loads_with_modules_alone(repo: CheckedRepo) -> bool:
    code = " ".join(code.text for code in repo.card.snippets)
    return "SentenceTransformer(" in code and not re.search(r"\bAuto\w+|\bpipeline\(", code)


@rule("L38", "stale-card", kinds=("model",))
def stale_card(repo: CheckedRepo) -> Iterator[Problem]:
    """The card's metadata is not what the recipe or the scores in the repository say.

    Not flagged: tags that people add; numbers that round to the scores.
    """
    again = repo.card_again
    for key, wanted in _recipe_says(repo):
        have = repo.strings(key)
        if have and wanted not in ([one.rpartition("/")[2] for one in have] if "/" not in wanted else have):
            message = f"{key} is '{', '.join(have)}', and zoo/recipe.yaml says '{wanted}'"
            hint = f"correct the recipe, or take its card: {again}" if again else f"{key}: {wanted}"
            yield Problem(message, repo.card.front.line(key), hint=hint)
    for line, dataset, metric in index_values(repo.card.front):
        known = repo.scores.values(str(dataset.get("type")), str(dataset.get("revision")), str(metric.get("type")))
        value, unit = float(metric["value"]), own_unit(float(metric["value"]))
        if known and not any(abs(exact - value) <= 0.5 * max(unit, 0.01) + 1e-9 for exact in known):
            message = f"model-index has {value:g}, and zoo/scores.json {', '.join(f'{one:.2f}' for one in known)}"
            yield Problem(message, line, hint=again or f"value: {known[0]:.2f}")


def _recipe_says(repo: CheckedRepo) -> Iterator[tuple[str, str]]:
    release, parent, base = (_mapping(repo.recipe.get(key)) for key in ("release", "parent", "base"))
    if release.get("license"):
        yield "license", str(release["license"])
    start = base.get("origin") if is_folder(str(base.get("model"))) else base.get("model")
    came_from = _mapping(parent.get("release")).get("repo") if parent else start
    if came_from:
        yield "base_model", str(came_from)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@rule("L42", "broken-config", card=False)
def broken_config(repo: CheckedRepo) -> Iterator[Problem]:
    """A config that loaders read is not JSON, not YAML, or far too long.

    Not flagged: JSON that nothing here reads.
    """
    pools = [path for path in repo.files if re.fullmatch(r"\d+_\w+/config\.json", path)]
    entries = [path for path in repo.files if re.fullmatch(r"\.eval_results/[^/]+\.ya?ml", path)]
    for path in (one for one in [*CONFIGS, *sorted(pools), *sorted(entries)] if one not in repo.pointers):
        try:
            repo.parsed(path)
        except Unreadable as problem:
            yield Problem(f"{path} {problem}", 1, path)
