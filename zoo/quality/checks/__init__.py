"""The checks of a dataset, a file for each thing that they look at; importing this one registers all."""

from __future__ import annotations

from zoo.quality.checks import artefacts, characters, contamination, labels, personal, rows, wording

FILES = (rows, contamination, labels, artefacts, personal, characters, wording)
"""The files in the order in which their checks look and are told; those of one file go as they stand there."""
