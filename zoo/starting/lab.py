"""A lab of one's own: every file of it, made from what a base model and data say, and written all or none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zoo.characters import HIDDEN, brief
from zoo.ci.workflow import PLACE, github_workflow
from zoo.errors import DataError, RecipeError, WorkspaceError
from zoo.recipe.dataset import SplitRule
from zoo.recipe.jsonschema import text as schema_text
from zoo.recipe.section import ALLOWED
from zoo.recipe.start import first_steps, with_ignored
from zoo.recipe.words import Language, RepoName
from zoo.starting.base import BaseFacts
from zoo.starting.choices import SAYS, PhaseChoice, held_out, phase_for, sizes_from, split_for
from zoo.starting.roles import slug
from zoo.starting.rows import DataFacts
from zoo.templates import as_plain

TEMPLATES = Path(__file__).parent / "templates"
SUITES = {"en": ("eng-sts", ["STS17-en", "STSB-en"]), "ar": ("ara-sts", ["STS17-ar", "STS22-ar", "STS22v2-ar"])}
"""{language: a suite of zoo's tasks for it}."""
HELD_OUT = "Held-out"
UNSPOKEN = "und-Zyyy"
"""mteb's code for a language that is not in the list below."""
CODES = {
    "cs": "ces-Latn",
    "da": "dan-Latn",
    "de": "deu-Latn",
    "es": "spa-Latn",
    "fi": "fin-Latn",
    "fr": "fra-Latn",
    "hu": "hun-Latn",
    "id": "ind-Latn",
    "it": "ita-Latn",
    "nl": "nld-Latn",
    "no": "nor-Latn",
    "pl": "pol-Latn",
    "pt": "por-Latn",
    "ro": "ron-Latn",
    "sv": "swe-Latn",
    "sw": "swa-Latn",
    "tr": "tur-Latn",
    "vi": "vie-Latn",
    "bg": "bul-Cyrl",
    "ru": "rus-Cyrl",
    "uk": "ukr-Cyrl",
    "bn": "ben-Beng",
    "el": "ell-Grek",
    "fa": "fas-Arab",
    "ur": "urd-Arab",
    "he": "heb-Hebr",
    "hi": "hin-Deva",
    "ja": "jpn-Jpan",
    "ko": "kor-Hang",
    "ta": "tam-Taml",
    "te": "tel-Telu",
    "th": "tha-Thai",
    "zh": "zho-Hans",
}
"""{language as the Hub has it: as mteb has it}."""
SHORT = {"eng": "en", "ara": "ar"} | {code.partition("-")[0]: language for language, code in CODES.items()}
"""{code of three letters: of two}."""
UNTOUCHED = {".git", ".gitignore", ".gitattributes", ".hg", ".svn", ".venv", "LICENSE", ".DS_Store"}
"""What may stand in a folder in which a lab is begun."""
PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)(\.{0,2}/)*[A-Za-z_][\w-]*([./-]+[\w-]+)*")
"""Texts that YAML reads as they are."""


@dataclass(frozen=True)
class Wishes:
    """The wishes of somebody who begins a lab, beside its base model and data."""

    language: str | None
    """As the Hub has it; null only of an empty lab."""
    name: str
    """The model's repository, without the account."""
    namespace: str | None = None
    ci: str | None = None
    """Where a workflow is wanted for: github."""


@dataclass(frozen=True)
class Suite:
    """Tasks that models are measured by."""

    name: str
    tasks: list[str]
    own: bool = False
    """True when it is of rows that are held out."""


Files = Mapping[str, str]
"""{path in the lab: content}."""


def lab_files(folder: Path, wishes: Wishes, base: BaseFacts, data: DataFacts) -> dict[str, str]:
    """Every file of a lab, but its .gitignore.

    Args:
        folder: where the lab will be; nothing is written there.

    Raises:
        RecipeError: a wish that the Hub does not know. DataError: too few rows to hold some out.
    """
    language = known_language(str(wishes.language))
    repo = known_word(RepoName, "name", wishes.name)
    suites = _suites(language)
    own = suites[0].own
    dataset, phase = dataset_file(folder, data, language, repo, held=own, longest=base.length)
    recipe = f"{slug(repo)}-{data.shape.kind}"
    held = _held_files(data, language) if own else {}
    return {
        **_shared_files(
            folder, replace(wishes, language=language), suites, recipe=recipe, license=base.license, phase=phase
        ),
        f"recipes/{slug(repo)}.yaml": base_file(
            folder, base, repo, data.shape.kind, sizes_from(base.width, data.shape.kind)
        ),
        f"recipes/datasets/{data.name}.yaml": dataset,
        **held,
    }


def empty_lab_files(folder: Path, wishes: Wishes) -> dict[str, str]:
    """Every file of a lab without a base model and data, but its .gitignore.

    Raises:
        RecipeError: a wish that the Hub does not know.
    """
    wishes = replace(wishes, language=wishes.language and known_language(wishes.language))
    suites = _suites(wishes.language) if wishes.language else _suites(*SUITES)
    return _shared_files(folder, wishes, suites, recipe=None, license=None, phase=None)


def _shared_files(folder: Path, wishes: Wishes, suites: Sequence[Suite], **facts: Any) -> dict[str, str]:
    """The files of a lab that are of no base model and of no dataset."""
    lab = folder.resolve().name or "lab"
    account = known_word(RepoName, "namespace", wishes.namespace) if wishes.namespace else None
    facts |= {"lab": lab, "title": lab[:59], "language": wishes.language, "namespace": account, "suites": suites}
    return {
        "recipes/family.yaml": _filled("family.yaml", space=f"{slug(wishes.name)}-demo", **facts),
        "recipes/schema.json": schema_text(),
        "README.md": _filled("README.md", **facts),
        "plugins/README.md": _filled("plugins.md"),
        **({PLACE: github_workflow()} if wishes.ci == "github" else {}),
    }


def base_file(
    folder: Path, base: BaseFacts, repo: str, variant: str, dims: Sequence[int], phase: Mapping[str, Any] | None = None
) -> str:
    """The file of a base model with one variant.

    Args:
        folder: the lab's.
        variant: its name, and that of the phase that it is trained by.
        dims: the embedding sizes.
        phase: the phase, where the family has none of that name.
    """
    return _filled(
        "base.yaml",
        base=base,
        recipe=f"{slug(repo)}-{variant}",
        model=base.written(folder),
        dims=list(dims),
        repo=repo,
        variant=variant,
        phases=[variant],
        phase=phase,
        modules=", ".join(one.partition(":")[0] for one in base.modules),
        summary=f"{Path(base.model).name}, trained on {SAYS.get(variant, variant)}.",
    )


def dataset_file(
    folder: Path,
    data: DataFacts,
    language: str,
    repo: str,
    *,
    name: str | None = None,
    held: bool = False,
    longest: int = 512,
    alone: bool = False,
) -> tuple[str, dict[str, Any]]:
    """The file of a dataset, and the phase that trains on it.

    Args:
        folder: the lab's.
        repo: of a model or of the dataset, to call its own repository by.
        name: of the dataset; None = as its files are called.
        held: rows of it are an evaluation task, and are taken out of it.
        longest: tokens that the model reads of a text.
        alone: the phase is written into the file too, as a comment.
    """
    called = name or data.name
    rule = None if "validation" in data.splits else split_for(data.shape, data.rows)
    source, cut = data.source(folder.resolve() / "recipes" / "datasets"), list(data.splits) == ["train"]
    if rule and not cut and data.dataset:  # the Hub cuts splits
        train = data.splits["train"]
        source["splits"] = {**data.splits, "train": f"{train}[:95%]", "validation": f"{train}[95%:]"}
    validated = "validation" in source.get("splits", data.splits) or bool(rule and cut)
    shape = data.shape
    chosen = phase_for(
        called,
        shape.kind,
        len(shape.classes),
        validated=validated,
        longest=longest,
        rows=data.rows,
        whole=data.whole,
    )
    phase = phase_text(chosen)
    written = _filled(
        "dataset.yaml",
        data=data,
        name=called,
        kind=SAYS[shape.kind],
        source=source,
        split=_written(rule) if rule and cut else None,
        steps=["not_empty", "unique", *([{"type": "dedupe_against", "tasks": [HELD_OUT]}] if held else [])],
        held=held,
        unread=[f"'{brief(one)}'" for one in data.unread],
        repo=repo,
        language=language,
        phase=phase if alone else None,
    )
    return written, phase


def phase_text(phase: PhaseChoice) -> dict[str, Any]:
    """A phase's name, the tokens that it reads of a text, and what it is in YAML."""
    text = _filled("phase.yaml", phase=asdict(phase)).rstrip("\n")
    return {"name": phase.name, "length": phase.train["max_seq_length"], "text": text}


def _written(rule: SplitRule) -> dict[str, Any]:
    return rule.model_dump(mode="json", exclude_defaults=True)


def _suites(*languages: str) -> list[Suite]:
    """Suites for languages; of one for which there are no tasks, rows of its own data."""
    known = [Suite(*SUITES[language]) for language in languages if language in SUITES]
    return known or [Suite("held-out", [HELD_OUT], own=True)]


def _held_files(data: DataFacts, language: str) -> dict[str, str]:
    held = held_out(data.shape, data.rows, data.tested)
    if len({score for _, _, score in held}) < 2:
        problem = f"'{data.title}' has {len(data.rows)} rows, too few to hold some out that models are measured by"
        raise DataError(problem, hint="name data with more rows")
    lines = ["sentence1\tsentence2\tscore", *(f"{first}\t{second}\t{score:g}" for first, second, score in held)]
    says = f"Rows of {data.title} that were held out: {SAYS[data.shape.kind]}."
    code = CODES.get(language, UNSPOKEN)
    return {
        "data/held-out.tsv": "\n".join(lines) + "\n",
        "plugins/held_out.py": _filled("held_out.py", title=data.title, says=says, code=code),
    }


def known_word(kind: Any, what: str, value: str) -> str:
    """A word of the Hub's as it is, after it was checked.

    Args:
        kind: the type that checks it.
        what: the option that it was given with.

    Raises:
        RecipeError: the Hub does not know it.
    """
    try:
        return str(TypeAdapter(kind).validate_python(value))
    except ValidationError as error:
        [problem, *_] = error.errors()
        facts = problem.get("ctx", {})
        told = str(facts.get("error") or ALLOWED.get(str(facts.get("pattern")), problem["msg"]))
        sentence, _, hint = told.partition("; ")
        raise RecipeError(f"--{what} '{value}': {sentence}", hint=hint or f"correct --{what}") from None


def known_language(code: str) -> str:
    """A language as the Hub has it; of one that has a code of two letters too, that one: en for eng.

    Raises:
        RecipeError: it is none, or there are several.
    """
    if "," in code:
        problem = f"--language '{code}': one language here; cards and suites follow it"
        raise RecipeError(
            problem, hint=f"--language {code.partition(',')[0].strip()}; family.yaml takes others beside it"
        )
    return known_word(Language, "language", SHORT.get(code, code))


def begin_lab(folder: Path, files: Files) -> list[str]:
    """Write the files of a lab, all or none; returns their paths.

    Raises:
        WorkspaceError: the folder has files, or nothing can be made there.
    """
    require_empty(folder)
    made = {_first_missing(folder / path) for path in (*files, ".gitignore")} - {None}
    try:
        ignore = with_ignored(folder / ".gitignore")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, "utf-8")
        (folder / ".gitignore").write_bytes(ignore)
    except BaseException as error:
        from zoo.run import remove

        for place in filter(None, made):
            remove(place)
        if not isinstance(error, OSError):
            raise
        raise _refused(folder, error) from None
    return [*files, ".gitignore"]


def _first_missing(path: Path) -> Path | None:
    """The topmost of a path and its folders that is not there; None when all are."""
    return next((place for place in reversed((path, *path.parents)) if not place.exists()), None)


def require_empty(folder: Path) -> None:
    """Refuse a folder that has files beside those of version control.

    Raises:
        WorkspaceError: it has, it is a file, or it cannot be read.
    """
    try:
        if folder.is_file():
            raise WorkspaceError(f"'{folder}' is a file, not a folder", hint="zoo init my-lab")
        if (folder / "recipes").exists():
            raise WorkspaceError(f"'{folder}' has recipes already", hint=first_steps(folder))
        found = sorted({path.name for path in folder.iterdir()} - UNTOUCHED) if folder.exists() else []
    except OSError as error:
        raise _refused(folder, error) from None
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise WorkspaceError(
            f"'{folder}' has files already: '{found[0]}'{more}", hint="zoo init in a folder of its own"
        )


def _refused(folder: Path, error: OSError) -> WorkspaceError:
    hint = "zoo init in a folder that you may write to"
    return WorkspaceError(f"cannot start a workspace in '{folder}': {error.strerror}", hint=hint)


def _filled(template: str, **facts: Any) -> str:
    return as_plain(
        f"{template}.j2",
        [TEMPLATES],
        {"yaml": flow, "commented": commented, "on_a_line": on_a_line, "string": json.dumps},
        **facts,
    )


def flow(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    if isinstance(value, float):
        return re.sub(r"e-0", "e-", f"{value:.1e}") if 0 < abs(value) < 1e-3 else f"{value:g}"
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    return HIDDEN.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    """The escape of a character that YAML would refuse, or read as the end of a line."""
    return f"\\U{ord(found[0]):08X}"


def commented(text: str) -> str:
    """A text of which every line is a comment."""
    return "\n".join(f"# {line}" for line in text.splitlines())


def on_a_line(text: object) -> str:
    """Text of others for a comment, a docstring or a heading: on one line, none of which ends what it stands in."""
    return brief(text, 200).replace("\\", "/").replace('"', "'")
