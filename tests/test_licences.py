"""A dataset's own licence keeps to those of the works that its rows come from, or it is told and not published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TestHub

from zoo.errors import RecipeError
from zoo.recipe import Workspace
from zoo.recipe.chain import licence_mistakes
from zoo.recipe.dataset import Dataset

SA4, SA3, NC, ND = "cc-by-sa-4.0", "cc-by-sa-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"
SAME, COMMERCE = "what is made from it must have the same licence", "it allows no commercial use"
PAIRS = {"anchor": {"type": "text"}, "positive": {"type": "text"}}
NO_WAY = "no licence serves all of release.origins, so leave one of them out"


def dataset(mine: str, *origins: Any, steps: list[Any] | None = None, source: str = "a/b") -> Dataset:
    """A dataset under a licence; an origin is a licence, or one with more to say."""
    works = [one if isinstance(one, dict) else {"license": one} for one in origins]
    release = {"repo": "A", "title": "A", "summary": "Some.", "license": mine}
    release["origins"] = [{"title": f"Work {place}", **one} for place, one in enumerate(works, 1)]
    chosen = {} if steps is None else {"steps": steps}
    return Dataset.model_validate({"source": {"dataset": source}, "columns": PAIRS, "release": release, **chosen})


CONTRADICTIONS: dict[str, tuple[Dataset, str | None]] = {
    "no works": (dataset("apache-2.0"), None),
    "the same": (dataset(SA4, SA4), None),
    "a later version": (dataset(SA4, SA3), None),
    "an earlier version": (dataset(SA3, SA4), f"'{SA3}', but 'Work 1' is under '{SA4}': {SAME}; write license: {SA4}"),
    "shared alike": (dataset("mit", SA4), f"'mit', but 'Work 1' is under '{SA4}': {SAME}; write license: {SA4}"),
    "the second work": (
        dataset("mit", "mit", SA4, "other"),
        f"'mit', but 'Work 2' is under '{SA4}': {SAME}; write license: {SA4}",
    ),
    "copyleft": (
        dataset(SA4, "gpl-3.0"),
        f"'{SA4}', but 'Work 1' is under 'gpl-3.0': {SAME}; write license: gpl-3.0",
    ),
    "a database's copyleft": (
        dataset("mit", "odbl"),
        f"'mit', but 'Work 1' is under 'odbl': {SAME}; write license: odbl",
    ),
    "two that exclude each other": (
        dataset(SA4, SA4, "cc-by-nc-sa-4.0"),
        f"'{SA4}', but 'Work 2' is under 'cc-by-nc-sa-4.0': {SAME}; {NO_WAY}",
    ),
    "no commerce": (dataset("mit", NC), f"'mit', but 'Work 1' is under '{NC}': {COMMERCE}; write license: {NC}"),
    "no commerce either": (dataset("cc-by-nc-sa-4.0", NC), None),
    "no commerce, terms of one's own": (dataset("other", NC), None),
    "said to share alike": (
        dataset("mit", {"license": "other", "share_alike": True}),
        f"'mit', but 'Work 1' is under 'other': {SAME}; write license: other",
    ),
    "said not to": (dataset("mit", {"license": SA4, "share_alike": False}), None),
    "unchanged": (dataset(ND, ND, steps=["not_empty", "unique"]), None),
    "changed": (
        dataset(ND, ND, steps=["not_empty", {"type": "mine", "model": "a/b"}]),
        f"'Work 1' is under '{ND}', which allows no changed versions, and step 'mine' changes rows; leave that work out",
    ),
    "passed on as one's own": (
        dataset("mit", ND, steps=["unique"]),
        f"'mit', but 'Work 1' is under '{ND}': {SAME}; write license: {ND}",
    ),
    "never published": (dataset("mit", SA4).model_copy(update={"release": None}), None),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_licence_keeps_to_those_of_its_works(case: str) -> None:
    given, problem = CONTRADICTIONS[case]
    assert list(licence_mistakes(given)) == ([(("release", "license"), problem)] if problem else [])


def lab(folder: Path, **datasets: Any) -> Workspace:
    """A workspace with these datasets, of pairs from the Hub where they say no other source."""
    (folder / "recipes" / "datasets").mkdir(parents=True)
    (folder / "recipes" / "family.yaml").write_text(
        "name: lab\nsuite: own\nsuites: {own: [STS17-ar]}\nphases: {}\n", "utf-8"
    )
    for name, given in datasets.items():
        source = {} if "sources" in given else {"source": {"dataset": "lab/english"}}
        text = yaml.safe_dump({**source, "columns": PAIRS, **given}, sort_keys=False)
        (folder / "recipes" / "datasets" / f"{name}.yaml").write_text(text, "utf-8")
    return Workspace(folder)


def release(repo: str, licence: str, *origins: dict[str, Any]) -> dict[str, Any]:
    told = {"repo": repo, "title": repo, "summary": "Some.", "license": licence}
    return {"release": {**told, **({"origins": list(origins)} if origins else {})}}


SNLI = {"title": "SNLI", "license": SA4}


def test_works_of_a_dataset_are_those_of_what_is_made_from_it(tmp_path: Path) -> None:
    """Through one that is not published, and one that names no works is a work itself."""
    space = lab(
        tmp_path,
        first=release("First", SA4, SNLI),
        own=release("Own", "mit"),
        middle={"source": {"from": "first"}},
        last={
            "sources": [{"from": "middle"}, {"from": "own"}],
            **release("Last", SA4, {"title": "MultiNLI", "license": "other"}),
        },
    )
    made = space.dataset("last").release
    assert made is not None
    assert [origin.title for origin in made.origins] == ["MultiNLI", "Own", "SNLI"]
    middle = tmp_path / "recipes" / "datasets" / "last.yaml"
    middle.write_text(middle.read_text("utf-8").replace(SA4, "mit"), "utf-8")
    with pytest.raises(RecipeError) as caught:
        Workspace(tmp_path).dataset("last")
    assert caught.value.message == (
        f"{middle}, line 13: release.license: 'mit', but 'SNLI' is under '{SA4}': {SAME}; write license: {SA4}"
    )


def test_a_source_whose_card_says_another_licence_is_a_doubt(hub: TestHub) -> None:
    from zoo.hub.store import Store
    from zoo.inquiry.licence import ask_licences

    said = {"none": "", "open": "license: mit\n", "nc": f"license: {NC}\n", "mixed": "license: [other, mit]\n"}
    for name, line in said.items():
        card = f"---\n{line}language: ar\n---\n# A\n"
        Store(hub.root).import_commit("dataset", f"licences/{name}", {"README.md": card.encode()})

    def doubts(source: str, *origins: Any) -> list[Any]:
        return list(ask_licences(dataset("mit", *origins, source=f"licences/{source}")).doubts)

    here = {"url": "https://huggingface.co/datasets/licences/nc", "license": "cc-by-4.0"}
    assert [doubts(name) for name in ("none", "open", "mixed")] == [[], [], []]
    what = f"the card of 'licences/nc' says '{NC}'"
    way = "name the work in release.origins, with its licence"
    assert doubts("nc") == [(("release", "license"), f"{what}, which 'mit' does not keep to; {way}")]
    assert doubts("nc", here) == [(("release", "origins"), f"{what}, and release.origins says 'cc-by-4.0'")]


def test_steps_that_leave_rows_as_they_are_exist() -> None:
    from zoo.recipe.chain import CHOOSING
    from zoo.steps import STEPS

    assert set(STEPS) >= CHOOSING
