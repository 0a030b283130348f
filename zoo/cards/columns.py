"""What the columns of a dataset mean, for its card: told from their names, their types and where they are read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from zoo.recipe import Dataset
from zoo.recipe.dataset import Column


class InBoth(NamedTuple):
    """A sentence in English, and the same in Arabic."""

    en: str
    ar: str


KNOWN: Mapping[str, InBoth] = {
    "anchor": InBoth("the text that the others are compared with", "النص الذي يقارَن به غيره"),
    "positive": InBoth("a text close in meaning to the anchor", "نص قريب المعنى من النص الأول"),
    "negative": InBoth("a text that does not mean what the anchor means", "نص لا يوافق معناه معنى النص الأول"),
    "premise": InBoth("the sentence that is taken as true", "الجملة التي يُسلَّم بصحتها"),
    "hypothesis": InBoth("the sentence that is judged by the premise", "الجملة التي يُحكم عليها بالأولى"),
    "sentence1": InBoth("the first sentence of the pair", "الجملة الأولى من الزوج"),
    "sentence2": InBoth("the second sentence of the pair", "الجملة الثانية من الزوج"),
    "query": InBoth("what is searched for", "نص البحث"),
    "source": InBoth("the sentence in its first language", "الجملة بلغتها الأولى"),
    "target": InBoth("the same sentence in the other language", "الجملة نفسها باللغة الأخرى"),
}
"""{name of a text column that many datasets have: what it means}."""
OF_TYPE: Mapping[str, InBoth] = {
    "text": InBoth("a text", "نص"),
    "class": InBoth("how the texts belong together", "العلاقة بين النصين"),
    "score": InBoth(
        "how alike the texts are: 0 = nothing in common, 1 = the same meaning",
        "درجة التشابه: الصفر يعني ألّا شيء مشترك، والواحد يعني أن المعنى واحد",
    ),
}
"""{type of a column: what columns of that type mean}, for those with other names."""
INFERRED: Mapping[str, InBoth] = {
    "positive": InBoth("a sentence that follows from the anchor", "جملة تلزم عن الأولى"),
    "negative": InBoth("a sentence that contradicts the anchor", "جملة تناقض الأولى"),
}
"""What the step `triplets` makes of labelled pairs."""
CLASSES = {"entailment": "تلزم عنها", "neutral": "لا تلزم ولا تناقض", "contradiction": "تناقضها"}
"""{class of pairs of sentences: in Arabic, said of the second one}."""


def meaning(name: str, dataset: Dataset) -> InBoth:
    """Return what a column of a dataset means, in both languages of cards."""
    column = dataset.columns[name]
    if column.type != "text":
        return OF_TYPE[column.type]
    inferred = INFERRED if any(step.type == "triplets" for step in dataset.steps) else {}
    plain = name.rstrip("_0123456789")  # negative_2 is a negative
    return inferred.get(plain) or KNOWN.get(name) or KNOWN.get(plain) or OF_TYPE["text"]


def is_read_from(name: str, column: Column) -> list[str]:
    """Return phrases of a column's way from the source, as the recipe has it; empty: it is there as it is here."""
    found = [f"called '{column.source}' at the source"] if column.source and column.source != name else []
    if column.ends:
        found.append(f"{column.ends[0]:g} to {column.ends[1]:g} at the source")
    if column.made_by:
        found.append(f"made by the step '{column.made_by}'")
    if column.values:
        found.append(
            "read as "
            + ", ".join(f"'{key}' = {'nothing' if value is None else value}" for key, value in column.values.items())
        )
    return found
