"""Mistakes in variants: phases, sizes and parents that a model cannot have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from zoo.hub.frontmatter import KeyPath
from zoo.ids import ModelRef, shown_model
from zoo.plurals import how_many
from zoo.recipe.family import BaseFile, Trial, Variant
from zoo.recipe.fits import Sized, order_mistake, size_mistake, width_mistakes
from zoo.recipe.found import Found, or_, under
from zoo.recipe.schema import Base
from zoo.recipe.training import Phase
from zoo.recipe.trials import trial_mistakes


def variant_mistakes(
    variant: Variant,
    file: BaseFile,
    name: str,
    line: Sequence[Sequence[Sized]] | None,
    parent: str | None,
    phases: Mapping[str, Phase],
    namespace: str | None,
) -> Found:
    """Mistakes in a variant; places from its file on.

    Args:
        line: the phases of its parents, then its own, each with its alternatives; None where one is not known.
        parent: what is wrong with its parent, in words.
        phases: all that it may name.
        namespace: the account that the lab publishes under.
    """
    at: KeyPath = ("variants", name)
    if parent:
        yield (*at, "from"), parent
    if f"{namespace}/{variant.repo}".lower() == file.base.model.lower():
        what = f"'{namespace}/{variant.repo}' is the base model, which would be overwritten"
        yield (*at, "repo"), f"{what}; choose another name"
    placed = list(_placed(variant))
    yield from under((*at, "phases"), _phase_names(placed, phases))
    if variant.dims is not None:
        yield from under(at, dims_mistakes(variant.dims, file.base))
    known = [(place, phase) for place, phase in placed if phase in phases]
    own: list[Sized] = [(phase, phases[phase], variant.dims or file.dims) for _, phase in known]
    for number, wide in width_mistakes(own, file.base.width):
        yield (*at, "phases", *known[number][0]), wide
    trials = [(trial, [phases[name] for name in trial if name in phases]) for trial in variant.trials]
    for index, (names, tried_ones) in enumerate(trials):
        tried = isinstance(variant.phases[index], Trial)
        found = trial_mistakes(names, tried_ones, tried=tried) if len(names) == len(tried_ones) else ()
        for number, problem in found:
            yield (*at, "phases", index, "try", number), problem
    if line is None:  # what is trained cannot be told yet
        return
    dims, place = variant.dims or file.dims, f"variants.{name}"
    if lacking := promise_mistake(dims, file.base.width, line, f"variant '{name}'", place):
        yield (*at, "dims") if variant.dims is not None else ("dims",), lacking


def promise_mistake(
    dims: Sequence[int], width: int, line: Sequence[Sequence[Sized]], what: str, place: str
) -> str | None:
    """The reason why a recipe may not promise its sizes, whichever of its alternatives is kept."""
    return next(filter(None, (size_mistake(dims, width, way, what, place) for way in product(*line))), None)


def _placed(variant: Variant) -> Iterator[tuple[KeyPath, str]]:
    """Every phase of a variant, with its place in `phases`."""
    for index, trial in enumerate(variant.trials):
        for number, phase in enumerate(trial):
            yield ((index, "try", number) if isinstance(variant.phases[index], Trial) else (index,)), phase


def _phase_names(placed: Sequence[tuple[KeyPath, str]], phases: Mapping[str, Phase]) -> Found:
    for number, (at, phase) in enumerate(placed):
        if phase not in phases:
            yield at, f"no phase '{phase}' in family.yaml; {or_(phase, phases)}"
        elif phase in [earlier for _, earlier in placed[:number]]:
            what = f"'{phase}' stands twice, and would be trained once"
            yield at, f"{what}; raise its epochs, or add a phase of another name"


def dims_mistakes(dims: Sequence[int], base: Base) -> Found:
    """Mistakes in a list of dims: out of order, or wider than the model."""
    if problem := order_mistake(dims):
        yield ("dims",), problem
    if too_wide := [dim for dim in dims if dim > base.width]:
        left = [dim for dim in dims if dim <= base.width] or [base.width]
        yield ("dims",), f"'{too_wide[0]}' is wider than the model ({base.width}); write {left}"


def rival_mistakes(
    rivals: Sequence[str | ModelRef], measured: Mapping[str | None, str], known: Collection[str] | None
) -> Found:
    """Mistakes in a list of rivals; places from the list on. Two recipes may be rivals of each other.

    Args:
        measured: what is measured anyway, by its name or id: 'the parent'.
        known: the names of all recipes; None where they cannot be told.
    """
    names = [one if isinstance(one, str) else one.model for one in rivals]
    titles = {shown_model(name): name for name in reversed([*filter(None, measured), *names])}
    for index, (rival, name) in enumerate(zip(rivals, names, strict=True)):
        if name in measured:
            yield (index,), f"'{name}' is {measured[name]}, which is measured anyway; take it out"
        elif name in names[:index]:
            yield (index,), f"'{name}' stands twice; take one out"
        elif (other := titles[shown_model(name)]) != name:
            yield (index,), f"'{name}' and '{other}' would have one name in tables; give one folder another name"
        elif isinstance(rival, str) and known is not None and rival not in known:
            yield (index,), f"no recipe '{rival}'; {or_(rival, known)}"


def parent_mistake(name: str, parents: Mapping[str, str | None], bases: Mapping[str, tuple[str, Base]]) -> str | None:
    """The reason why a recipe's parent cannot be its parent; None when it can.

    Args:
        parents: every recipe's parent.
        bases: every recipe's base model, and the name of its file.
    """
    line, parent = [name], parents[name]
    while parent is not None:
        if parent not in parents:
            return f"no recipe '{parent}'; {or_(parent, parents)}" if len(line) == 1 else None
        if parent in line:
            circle = " -> ".join([*line, parent])
            return f"'{parents[name]}' descends from itself: {circle}; take one `from` out"
        line.append(parent)
        parent = parents[parent]
    return _other_base(line[1], bases[line[1]], bases[name][1]) if len(line) > 1 else None


def _other_base(parent: str, its: tuple[str, Base], own: Base) -> str | None:
    """The reason why a model cannot go on from one of another base model, whose weights it would have."""
    file, base = its
    for fact in ("model", "revision", "width", "encoder", "pooling", "modules"):
        if (theirs := getattr(base, fact)) != (ours := getattr(own, fact)):
            what = f"'{parent}' is made of '{theirs}', and this file is of '{ours}'"
            if fact != "model":
                what = f"'{parent}' has base.{fact} '{theirs}', and this file '{ours}'"
            return f"{what}; put this variant into recipes/{file}.yaml"
    if _consented(base) != _consented(own):
        what = f"'{parent}' has {_consent_told(base)}, and this file {_consent_told(own)}"
        return f"{what}; `zoo trust {own.model}` writes the same into both files"
    return None


def _consented(base: Base) -> dict[str, str] | None:
    """The files that a recipe consents to; whatever commit brought them, they are the same code."""
    return base.remote_code.files if base.remote_code else None


def _consent_told(base: Base) -> str:
    consent = base.remote_code
    what = f"consent to {how_many(len(consent.files), 'file')} of commit '{consent.revision[:8]}'" if consent else ""
    return what or "no consent to code"
