"""Licences by the Hub's ids: what a text calls them, and what they ask of that which is made from a work."""

from __future__ import annotations

import re

NAMES = {
    r"apache(?: licen[cs]e)?,?[ -]*(?:version |v)?2(?:\.0)?": "apache-2.0",
    r"\bmit licen[cs]e|^\W*mit\W*$|\bunder (?:the )?mit\b": "mit",
    r"\bcc0(?:[ -]1\.0)?\b": "cc0-1.0",
    r"\bagpl[ -]*v?3(?:\.0)?|affero general public": "agpl-3.0",
    r"\blgpl[ -]*v?3(?:\.0)?|lesser general public": "lgpl-3.0",
    r"\bgpl[ -]*v?3(?:\.0)?\b": "gpl-3.0",
}
CREATIVE = re.compile(r"(?i)\bcc[ -]by((?:[ -](?:nc|sa|nd))*)[ -]*(?:v)?(\d\.\d)?")
ALIKE = {"agpl-3.0", "cdla-sharing-1.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "odbl"}
"""Licences beside Creative Commons' that what is made from a work must carry too."""
FREE = {
    *NAMES.values(),
    *ALIKE,
    "bsd",
    "bsd-2-clause",
    "bsd-3-clause",
    "bsl-1.0",
    "cdla-permissive-2.0",
    "isc",
    "lgpl",
    "lgpl-2.1",
    "mpl-2.0",
    "unlicense",
    "wtfpl",
    "zlib",
}
"""Licences beside Creative Commons' under which a work may be passed on to anybody."""
WORDS = (
    ("noncommercial", "nc"),
    ("non-commercial", "nc"),
    ("sharealike", "sa"),
    ("share-alike", "sa"),
    ("noderivat", "nd"),
)


def family(licence: str) -> str:
    """Return an id without its version, where versions say the same: cc-by-sa-3.0 and -4.0 are one."""
    licence = licence.strip().lower()
    return re.sub(r"-\d\.\d$", "", licence) if licence.startswith("cc-by") else licence


def named(text: str) -> set[str]:
    """Return the licences that a text names, as families."""
    text = " ".join(text.split())
    found = {licence for pattern, licence in NAMES.items() if re.search(rf"(?i){pattern}", text)}
    found -= {"gpl-3.0"} if found & {"agpl-3.0", "lgpl-3.0"} else set()
    for one in CREATIVE.finditer(text):
        found.add("cc-by" + re.sub(r"[ -]+", "-", one[1].lower()))
    if re.search(r"(?i)creative commons attribution", text):
        parts = dict.fromkeys(short for word, short in WORDS if word in text.lower())
        found.add("-".join(["cc-by", *parts]))
    return found


def clauses(licence: str) -> set[str]:
    """Return which of nc, nd and sa a Creative Commons licence asks for; of other licences nothing."""
    return set(licence.split("-")) & {"nc", "nd", "sa"} if licence.startswith("cc-by") else set()


def may_be_passed_on(licence: str) -> bool:
    """Return whether a licence, by its id, is known to allow to publish a work that is under it."""
    return licence in FREE or licence.startswith("cc-by")


def shares_alike(licence: str) -> bool:
    """Return whether what is made from a work under this family must carry the same licence."""
    return "sa" in clauses(licence) or licence in ALIKE


def forbids(base: str, mine: set[str]) -> str | None:
    """Return why a model under `mine` may not come from a base under `base` (both are families); None: it may."""
    parts = clauses(base)
    if "nd" in parts:
        return "it allows no derivatives"
    if "nc" in parts and not any("nc" in one.split("-") for one in mine):
        return "it allows no commercial use"
    if shares_alike(base) and base not in mine:
        return "what is made from it must carry the same licence"
    return None
