"""A training's journal grows while it trains, survives what cuts it off, and is told to people by `zoo logs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import TestHub
from training import Heard, PowerCut, Trainings

from zoo.curves.journal import read_journal, settled
from zoo.layout import JOURNAL


@pytest.fixture(scope="module")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(seeded, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(trainings: Trainings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a training was cut off after its sixth step, and went on."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.raises(KeyboardInterrupt):
        trainings.run(folder, progress=PowerCut(after=6))
    return trainings.run(folder)


def test_x(trained):
    for e in read_journal(trained / JOURNAL):
        print(e)
