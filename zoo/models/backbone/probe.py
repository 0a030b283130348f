"""Loads a model in two processes, one after the other, and keeps what they find. Light: `work` beside it measures.

Libraries load some models without a word and wrongly: with an empty vocabulary, with memory as it happened to be in
place of rotary angles, with weights drawn anew. Such a model trains and gets scores.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.characters import brief
from zoo.isolation import (
    consented_environment,
    last_line,
    own_environment,
    proxies,
    run_to_its_end,
    temporary_folder,
    with_package,
)
from zoo.models.backbone.report import OF_CODE, BackboneReport, Language
from zoo.models.foreign.asked import kind_of_error
from zoo.models.identity import ModelSource
from zoo.modules.encoders import CUSTOM
from zoo.plugins.loading import root_in_use
from zoo.remote import host
from zoo.run import versions

SECONDS = 1800  # for one process
FORMAT = 1  # one more whenever other things are measured, or otherwise


def probe_backbone(source: ModelSource, language: Language | None) -> BackboneReport:
    """Load a model in two processes, one after the other, and report what it does with words, padding and positions.

    Raises:
        ZooError: it cannot be fetched, or its code is not what consent was given to. All else is in the report.
    """
    return probe_backbones([(source, language)])[0]


def probe_backbones(models: Sequence[tuple[ModelSource, Language | None]]) -> list[BackboneReport]:
    """Report on several models as `probe_backbone` does. Those that bring no code share two processes."""
    plain = [place for place, (source, _) in enumerate(models) if source.remote_code is None]
    groups = [plain] if plain else []
    groups += [[place] for place in range(len(models)) if place not in plain]
    found: dict[int, BackboneReport] = {}
    for group in groups:
        found |= zip(group, _by_two([models[place] for place in group]), strict=True)
    return [found[place] for place in range(len(models))]


def _by_two(models: Sequence[tuple[ModelSource, Language | None]]) -> list[BackboneReport]:
    source = models[0][0]
    with temporary_folder("zoo-backbone-") as folder:
        root = root_in_use()
        task = {
            "workspace": str(root) if root else None,
            "models": [[source.model_dump(mode="json"), language] for source, language in models],
        }
        (folder / "task.json").write_text(json.dumps(task), "utf-8")
        with _checked(source) as checked:
            said = [_run(folder, "first", checked)]
            if any("failed" not in _left(path) for path in (folder / "first").glob("*.json")):
                said.append(_run(folder, "second", checked))
        return [_report(folder, place, said, *one) for place, one in enumerate(models)]


def _checked(source: ModelSource) -> Any:
    from zoo.models.foreign.consent import checked_folder

    return nullcontext(None) if source.remote_code is None else checked_folder(source)


def _run(folder: Path, time: str, checked: Path | None) -> str | None:
    """Let a process do its half; None, or what is to be said of its end."""
    place = folder / time
    place.mkdir()
    command = [sys.executable, "-P", "-m", "zoo.models.backbone.work", str(folder / "task.json"), time]
    log = place / "log"
    code = run_to_its_end(command, place, _environment(place, checked), log, seconds=SECONDS, watches=True)
    if code == 0:
        return None
    last = last_line(log)
    ended = f"took longer than {SECONDS // 60} minutes" if code is None else f"ended with code {code}"
    return f"the process that loads it {ended}" + (f" ({brief(last, 200)})" if last else "")


def _environment(place: Path, checked: Path | None) -> dict[str, str]:
    if checked is not None:
        found = consented_environment(place, checked)
    else:
        from huggingface_hub import constants, get_token

        cache = {"HF_HUB_CACHE": constants.HF_HUB_CACHE}  # what was fetched once is there
        found = {**own_environment(place, get_token()), **proxies(), **cache}
    return with_package(found)


def _report(
    folder: Path, place: int, said: Sequence[str | None], source: ModelSource, language: Language | None
) -> BackboneReport:
    begun: dict[str, Any] = {"model": source.place, "language": language, "loaded": _way(source)}
    first, second = (_left(folder / time / f"{place}.json") for time in ("first", "second"))
    try:
        report = BackboneReport.model_validate({**begun, **first})
    except ValidationError:
        return BackboneReport(**begun, failed="the process that loads it left no report", hint=OF_CODE)
    if report.failed or not first or not second:
        failed = report.failed or second.get("failed") or next((one for one in said if one), None)
        return report.model_copy(update={"failed": brief(str(failed or "it left no report"), 400)})
    finite = bool(report.finite and second.get("finite"))
    apart = second.get("processes")
    return report.model_copy(update={"finite": finite, "processes": apart if isinstance(apart, float) else None})


def _way(source: ModelSource) -> str:
    given = source.whole.encoder
    encoder = given["type"] if isinstance(given, dict) else given
    if encoder == CUSTOM:
        return "rebuilt"
    return "stock" if source.remote_code is None else "code"


def _left(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def refuse_broken(source: ModelSource, report: BackboneReport) -> None:
    """Refuse a model that cannot be built on, with the first reason.

    Raises:
        TrainError, EvaluationError: it is broken.
    """
    for _, what, hint in report.troubles():
        raise kind_of_error(source.kind)(f"model '{source.place}' is broken: {what}", hint=hint)


def kept_backbone(source: ModelSource, language: Language | None, folder: Path) -> BackboneReport:
    """The report on a model; one that is kept for its identity, this Hub and this language is not made again.

    Args:
        folder: where reports are kept; it is made.
    """
    kept = _left(_place(source, language, folder))
    if kept.get("made_from") == _made_from(source, language):
        return BackboneReport.model_validate(kept["report"])
    report = probe_backbone(source, language)
    keep_backbone(report, source, language, folder)
    return report


def keep_backbone(report: BackboneReport, source: ModelSource, language: Language | None, folder: Path) -> None:
    """Keep a report for `kept_backbone`, in place of an older one."""
    path, facts = _place(source, language, folder), report.model_dump(mode="json")
    folder.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    beside.write_text(json.dumps({"made_from": _made_from(source, language), "report": facts}, indent=1), "utf-8")
    beside.replace(path)


def _place(source: ModelSource, language: Language | None, folder: Path) -> Path:
    return folder / f"{source.identity.digest}-{language or 'any'}.json"


def _made_from(source: ModelSource, language: Language | None) -> dict[str, Any]:
    libraries = versions("torch", "transformers", "tokenizers", "sentence-transformers")
    facts = {"format": FORMAT, "hub": host(), "language": language, "versions": libraries}
    return {**facts, "source": source.model_dump(mode="json")}
