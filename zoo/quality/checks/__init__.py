"""The checks of a dataset, a file for each thing that they look at; importing this one registers all."""

from __future__ import annotations

from zoo.quality.checks import artefacts, characters, contamination, labels, personal, rows, wording

IN_ORDER = (
    rows.empty,
    rows.duplicates,
    rows.two_answers,
    rows.shared_rows_of_splits,
    rows.shared_groups,
    contamination.contaminated,
    labels.balance,
    artefacts.one_text_alone,
    artefacts.length_alone,
    personal.personal,
    characters.invisible,
    characters.encoding,
    wording.fragments,
    wording.scripts,
    wording.languages,
    wording.lengths,
)
"""The order in which they look and are told."""
