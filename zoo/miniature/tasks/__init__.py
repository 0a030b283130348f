"""Data of the wide suites' tasks, made only when one is asked for: a file per kind, each with its `SOURCES`."""

from zoo.miniature.tasks import bitext, classification, pairs, retrieval, synonyms, topics

WIDE = (
    *pairs.SOURCES,
    *classification.SOURCES,
    *topics.SOURCES,
    *retrieval.SOURCES,
    *bitext.SOURCES,
    *synonyms.SOURCES,
)
