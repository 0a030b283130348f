"""Half a minute of `make fuzz`: people at random against our publishing; two of these seeds once found a fault."""

from __future__ import annotations

from pathlib import Path

import people_fuzz
import pytest
from conftest import TestHub


@pytest.mark.parametrize("seed", [5, 7, 13, 17, 444515, 958956])
def test_nothing_of_a_persons_is_lost_and_publishing_does_what_the_plan_says(
    hub: TestHub, tmp_path: Path, seed: int
) -> None:
    account = f"people{seed}"
    with people_fuzz.account_of(hub.root, account):
        people_fuzz.run(seed, people_fuzz.STEPS, tmp_path, account)
