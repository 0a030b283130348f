"""The licence of a dataset's sources on the Hub against what its recipe says of its licence chain."""

from __future__ import annotations

from collections.abc import Iterator

from zoo.inquiry.answers import Answers, Inquiry
from zoo.licences import family
from zoo.recipe.chain import UNTOLD, allows
from zoo.recipe.dataset import Dataset, DatasetRelease, SourceWork
from zoo.remote import api, explained


def ask_licences(dataset: Dataset) -> Inquiry:
    """Read what the cards of the sources say; licences that the release does not keep to are doubts.

    Raises:
        HubError: a source is not there, or not open to this token.
    """
    return Inquiry(doubts=list(_doubts(dataset.release, dataset.hub_ids)) if dataset.release else [])


def _doubts(release: DatasetRelease, sources: list[str]) -> Answers:
    for source in sources:
        named = next((origin for origin in release.origins if origin.url and origin.url.endswith(source)), None)
        for licence in _licences(source):
            what = f"the card of '{source}' says '{licence}'"
            if named and family(named.license) != family(licence):
                yield ("release", "origins"), f"{what}, and release.origins says '{named.license}'"
            elif not allows(release.license, SourceWork(title=source, license=licence)):
                told = f"{what}, which '{release.license}' does not keep to"
                yield ("release", "license"), f"{told}; name the work in release.origins, with its licence"


def _licences(source: str) -> Iterator[str]:
    with explained(f"read the card of dataset '{source}'"):
        card = api().dataset_info(source).card_data
    said = card.get("license") if card else None
    yield from (one for one in ([said] if isinstance(said, str) else said or []) if one not in UNTOLD)
