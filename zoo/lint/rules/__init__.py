"""The rules, a file per subject. L01-L26 are mistakes found in real cards; ids are never given twice."""

from zoo.lint.rule import REGISTRY, LintRule
from zoo.lint.rules import (  # noqa: F401
    backbones,
    carriedcode,
    copies,
    data,
    lineage,
    metadata,
    results,
    safety,
    sizes,
    snippets,
    space,
    stale,
    wording,
)
from zoo.registry import Registry


def rules() -> Registry[LintRule]:
    """Return every rule by its id. The imports above have registered them."""
    return REGISTRY
