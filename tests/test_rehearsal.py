from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import TestHub
from training import Trainings


@pytest.fixture(scope="module")
def trainings(seeded: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(seeded, tmp_path_factory.mktemp("rehearsals"))


def test_a_phase_is_rehearsed_on_its_rows_and_on_the_longest(trainings: Trainings, tmp_path: Path) -> None:
    from zoo.train.rehearsal import rehearse

    found = rehearse(trainings.spec(device="cpu"), "hybrid", tmp_path, steps=5)
    print(asdict(found), found.seconds)
    assert 0
