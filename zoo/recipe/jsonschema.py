"""recipes/schema.json: gives editors completion and checks while typing. Generated; a test holds it to the code."""

from __future__ import annotations

import json

from zoo.options import json_schema
from zoo.recipe.dataset import Dataset
from zoo.recipe.family import BaseFile, Family
from zoo.recipe.meanings import with_meanings


def text() -> str:
    """One schema for all recipe files, a base's, the family's or a dataset's, with what plugins in use add."""
    kinds = (BaseFile, Family, Dataset)
    schema = with_meanings(json_schema(*kinds, title="zoo recipe files"))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["anyOf"] = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds]
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
