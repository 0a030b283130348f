"""The data of CAMeL Tools, which fast_disambig reads: where the user has it. It is GPLv2 and never travels with zoo."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

DATABASE = "calima-msa-r13"
PARTS = ("morphology.db", "model.json")
SEARCHED = ("FAST_DISAMBIG_DATA_DIR", "CAMELTOOLS_DATA")
"""Variables that name the folder which holds the database's, in the order in which fast_disambig looks."""
FETCH = 'python -c "from fast_disambig.camel import Stemmer; Stemmer()"'
"""fast_disambig fetches what is missing from the CAMeL Lab as soon as it is used."""


def camel_data() -> Path | None:
    """The folder that holds the database, as fast_disambig wants it named; None: the user has none."""
    return next((place for place in camel_places() if _is_whole(place / DATABASE)), None)


def camel_places() -> Iterator[Path]:
    """Yield the folders in which the database may be."""
    yield from (Path(os.environ[name]) for name in SEARCHED if os.environ.get(name))
    yield Path.home() / ".camel_tools" / "data"


def lend_camel_data(folder: Path) -> dict[str, str]:
    """Lay the database into a new folder, as a link, and return the variables by which fast_disambig finds it there.

    fast_disambig writes locks beside what it reads, and the user's folder is not for that. Where there is no database
    nothing is made, and no variable is set.
    """
    found = camel_data()
    if found is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / DATABASE
    if not link.exists():
        link.symlink_to((found / DATABASE).resolve(), target_is_directory=True)
    return dict.fromkeys(SEARCHED, str(folder))


def _is_whole(folder: Path) -> bool:
    return all((folder / part).is_file() for part in PARTS)
