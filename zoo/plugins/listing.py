"""What recipes can name, in rows for people: ours, and what the plugins in use add."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticUndefined

from zoo.options import Options
from zoo.registry import EXTENSIBLE
from zoo.tasks import Task


def listed(kind: str) -> list[dict[str, Any]]:
    """A row for each entry of a kind: its name, its options or facts, what it is for, and where it comes from."""
    registry = EXTENSIBLE[kind]
    rows = []
    for name in registry:
        entry = registry[name]
        facts = _facts(entry) if isinstance(entry, Task) else {"kind": kind, "options": _options(entry.options)}
        rows.append({"name": name, **facts, "what": entry.says, "from": registry.origin(name).title})
    return rows


def _facts(task: Task) -> dict[str, Any]:
    return {"kind": task.kind, "metric": task.metric, "rows": task.rows, "data": task.dataset}


def _options(options: type[Options]) -> list[str]:
    """`scale: float = 20.0` for each."""
    found = []
    for name, field in options.model_fields.items():
        if name != "type":
            default = "" if field.default is PydanticUndefined else f" = {field.default}"
            found.append(f"{name}: {_type(options, name)}{default}")
    return found


def _type(options: type[Options], name: str) -> str:
    """The type of an option as people write it: from the JSON schema, which has no `Annotated`."""
    return _named(options.model_json_schema()["properties"][name])


def _named(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_named(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_named(schema.get('items', {}))}"
    if schema.get("$ref", "").endswith("/ModelRef"):
        return "model"
    return {"x-registered": "", **schema}.get("x-registered") or TYPES.get(schema.get("type", ""), "any")


TYPES = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "object": "dict", "null": "none"}
