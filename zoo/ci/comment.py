"""A plan as Markdown for the comment on a pull request, and what became of it.

Whatever comes from the Hub or from a card stands in code, where nothing is markup and nobody is mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from zoo.characters import brief, clean, visible
from zoo.ci.inline import LONGEST, inline
from zoo.lint.leaks import redacted
from zoo.markdown import fence
from zoo.plurals import how_many
from zoo.publish.desired.release import CARD
from zoo.publish.plan.change import PlannedChange, way_out
from zoo.publish.plan.difference import metadata_changes, split_card, text_changes
from zoo.publish.plan.files import OURS

if TYPE_CHECKING:
    from zoo.errors import HubError
    from zoo.publish.apply.rollout import Published
    from zoo.publish.plan.everything import FleetPlan
    from zoo.publish.plan.repository import Plan

MARK = "<!-- zoo plan -->"
"""The first line, by which a workflow finds its comment again."""
MOST = 65_000  # characters: GitHub takes 65,536
MOST_ROWS = 100  # repositories in the table
MOST_SAID = 30  # files of a repository, problems, notes
SIGNS = {"create": "➕", "add": "➕", "delete": "➖", "conflict": "⚠️", "missing": "⚠️", "keep": "="}


def plan_as_markdown(found: FleetPlan, refused: HubError | None = None) -> str:
    """The plan as Markdown of at most `MOST` characters: what does not fit is counted, and `zoo plan` shows it.

    Args:
        refused: why it cannot be published from here.
    """
    head = "\n\n".join([MARK, _title(found), *_parts(found, refused)])
    return _fitted(head, [_folded(found, one) for one in found.plans if found.changes(one) or one.changes])


def outcomes_as_markdown(done: Sequence[Published]) -> str:
    """The outcome for each repository and collection, as Markdown for the summary of a step."""
    failed = sum(outcome.missed for outcome in done)
    title = f"### zoo publish: {failed} of {len(done)} were not published" if failed else "### zoo publish: done"
    lines = [
        " ".join([f"- {one.did} {one.kind} {inline(one.id)}", *(inline(more) for more in (one.url, one.why) if more)])
        for one in done
    ]
    return "\n".join([title, "", *lines])


def _fitted(head: str, folded: Sequence[str]) -> str:
    """The head and the folded parts, as many as there is room for."""
    parts, left, out = [head], MOST - len(head) - 100, 0
    for part in folded:
        if len(part) + 2 <= left:
            parts.append(part)
            left -= len(part) + 2
        else:
            out += 1
    if out:
        parts.append(f"No room here for {'one more' if out == 1 else f'{out} more'}: `zoo plan` shows all.")
    return "\n\n".join(parts)[:MOST] + "\n"


def _title(found: FleetPlan) -> str:
    said = f"{found.changed} of {found.count} would change" if found.changed else "nothing to publish"
    return f"### zoo plan: {said}"


def _parts(found: FleetPlan, refused: HubError | None) -> Iterator[str]:
    if rows := [*_rows(found)]:
        more = [f"\n\n… and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
        yield "\n".join(["| | | would |", "|---|---|---|", *rows[:MOST_ROWS]]) + "".join(more)
    if blocked := [*_blocked(found)]:
        yield "\n".join(["**Cannot be published as they are:**", "", *_some(blocked)])
    if scores := [*_scores(found)]:
        yield "\n".join(["| model | score | now | then |", "|---|---|--:|--:|", *_some(scores)])
    notes = [*found.fleet.notes, *([f"not from here: {refused.message}"] if refused and found.changed else [])]
    if notes:
        yield "\n".join(_some([f"- {inline(note)}" for note in notes]))


def _some(lines: Sequence[str]) -> list[str]:
    """The first of many lines of one kind."""
    row = lines[0].startswith("|") if lines else False
    more = f"… and {len(lines) - MOST_SAID} more"
    return [*lines[:MOST_SAID], *([f"| {more} | | | |" if row else f"- {more}"] if len(lines) > MOST_SAID else [])]


def _rows(found: FleetPlan) -> Iterator[str]:
    for one in found.plans:
        changes, blocked = found.changes(one), one.conflicts or one.problems
        if changes or blocked:
            yield _row(one.release.kind, one.release.id, _said(one, changes), blocked=bool(blocked))
    for listed in found.collections:
        if listed.pending or listed.problems:
            did = "create" if listed.slug is None else "update"
            yield _row("collection", listed.title, f"{did} ({_count(listed.pending)})", blocked=bool(listed.problems))


def _row(kind: str, name: str, said: str, *, blocked: bool) -> str:
    return f"| {'⚠️' if blocked else '➕' if said.startswith('create') else '✏️'} {kind} | {inline(name)} | {said} |"


def _said(plan: Plan, changes: Sequence[PlannedChange]) -> str:
    """Say in a few words of ours what would be done to a repository."""
    if not changes:
        return "be left alone"
    size = sum(change.size for change in changes)
    there = f"add to pull request #{plan.target.number}" if plan.target.number else "update"
    did = "create" if plan.head is None else there
    return f"{did} ({_count(changes)}{f', {_bytes(size)}' if size else ''}){', private' if plan.private else ''}"


def _count(changes: Sequence[PlannedChange]) -> str:
    told = [change for change in changes if change.path not in OURS] or changes
    return how_many(len(told), "change")


def _bytes(size: int) -> str:
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return f"{size} bytes"


def _blocked(found: FleetPlan) -> Iterator[str]:
    for one in found.plans:
        for change in one.conflicts:
            yield f"- {inline(one.release.id)}: {inline(change.path)} {inline(change.note or 'changed on both sides')}"
            yield f"  {inline(way_out(one.release, change.path))}"
        yield from (f"- {inline(one.release.id)}: {inline(problem)}" for problem in one.problems)
    for listed in found.collections:
        yield from (f"- {inline(listed.title)}: {inline(problem)}" for problem in listed.problems)


def _scores(found: FleetPlan) -> Iterator[str]:
    """A row for each score of a model's card that would be another one; those of a new model have nothing before."""
    for one in found.plans:
        if one.release.kind != "model" or CARD not in one.sent:
            continue
        was = _scores_in(one.card[0]) if one.card else {}
        for score, value in _scores_in(one.bytes(CARD).decode("utf-8", "replace")).items():
            if was.get(score) != value:
                before = f"{was[score]:.2f}" if score in was else "-"
                yield f"| {inline(one.release.name)} | {inline(score)} | {before} | {value:.2f} |"


def _scores_in(card: str) -> dict[str, float]:
    """{dataset and metric: value} of the model-index. Others may have written it: what has another form is left out."""
    found: dict[str, float] = {}
    for model in _list(split_card(card)[0].get("model-index")):
        for result in _list(_get(model, "results")):
            dataset = _get(_get(result, "dataset"), "name")
            for metric in _list(_get(result, "metrics")):
                value = _get(metric, "value")
                if isinstance(value, int | float):
                    found[f"{dataset}, {_get(metric, 'type')}"] = float(value)
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _folded(found: FleetPlan, plan: Plan) -> str:
    """A folded part with the files of a repository, its settings, and how its card differs."""
    changes = [*plan.changes, *found.beside(plan)]
    told = [change for change in changes if change.path not in OURS or len(changes) == 1]
    blocks = ["\n".join(_some([_line(change) for change in told])), *_card(plan)]
    body = "\n\n".join(block for block in blocks if block)
    title = f"{plan.release.kind} <code>{escape(brief(redacted(plan.release.id), LONGEST))}</code>"
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _line(change: PlannedChange) -> str:
    size = f" {_bytes(change.size)}" if change.size else ""
    note = f" {inline(change.note)}" if change.note else ""
    return f"- {change.action} {inline(change.path)}{size}{note}"


def _card(plan: Plan) -> Iterator[str]:
    cards = plan.card or plan.drift
    if cards and not plan.conflicts:
        metadata = [line for key, old, new in metadata_changes(*cards) for line in (f"-{key}: {old}", f"+{key}: {new}")]
        lines = [*metadata, *text_changes(*cards)]
        if lines:
            yield _difference(lines)
    for change in plan.conflicts:
        for clash in change.clashes:
            both = [*(f"-{line}" for line in clash.theirs), *(f"+{line}" for line in clash.ours)]
            yield _difference([f"@@ line {clash.line} on the Hub: theirs, ours @@", *both])


def _difference(lines: Sequence[str]) -> str:
    """A block of lines that begin with ' ', '+', '-' or '@@'. None of them can end it, and it is of a bounded size."""
    shown: list[str] = []
    left = MOST // 4
    for line in lines:
        one = brief(_on_one_line(redacted(line)), LONGEST)
        if (left := left - len(one) - 1) < 0:
            shown.append(f"… {len(lines) - len(shown)} more lines")
            break
        shown.append(one)
    return str(fence("\n".join(shown), "diff"))


def _on_one_line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", visible(clean(text.rstrip("\r\n"))))
