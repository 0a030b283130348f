"""What the miniature hands to a Hub: the files of one repository at one revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Repository:
    """Files to store under a real id.

    Attributes:
        revision: 40 hex digits that a client will ask for, where one is pinned; None: whatever commit the Hub makes.
        files: path inside the repository to content.
    """

    kind: Literal["dataset", "model"]
    id: str
    revision: str | None
    files: Mapping[str, bytes]
