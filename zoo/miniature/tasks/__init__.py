"""Data of the wide suites' tasks, made only when one is asked for: a file per kind, each with its `BLUEPRINTS`."""

from zoo.miniature.tasks import bitext, classification, pairs, retrieval, synonyms, topics

WIDE = (
    *pairs.BLUEPRINTS,
    *classification.BLUEPRINTS,
    *topics.BLUEPRINTS,
    *retrieval.BLUEPRINTS,
    *bitext.BLUEPRINTS,
    *synonyms.BLUEPRINTS,
)
