"""Options of what recipes name: a registered function's keyword arguments become the keys that stand beside its name.

Names, types and defaults of the arguments are the schema, so that a misspelt option is found before torch is imported.
What may be named is looked up when a recipe is read, not when this is imported: plugins come and go with workspaces.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.json_schema import JsonSchemaValue, models_json_schema
from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema

from zoo.characters import brief
from zoo.errors import did_you_mean
from zoo.registry import EXTENSIBLE, RegistrationError, Registry

NAME = r"[a-z][a-z0-9_]*"
MARK, NAMES = "x-registered", "x-registered-name"  # in a JSON schema until `json_schema` puts the entries there


class Options(BaseModel):
    """The part of a recipe that names a registered entry and configures it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, protected_namespaces=())

    registry: ClassVar[Registry[Any]]

    type: str

    def __eq__(self, other: object) -> bool:
        """True for the same entry and values, also when its plugin was imported again in between."""
        return isinstance(other, Options) and self.registry is other.registry and vars(self) == vars(other)

    def given(self) -> dict[str, Any]:
        """The options alone, as the registered function takes them."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "type"}


@dataclass(frozen=True)
class Entry:
    """A registered function, its options, and the first sentence of its docstring."""

    build: Callable[..., Any]
    options: type[Options]
    says: str


def require_name(kind: str, name: object) -> None:
    """Refuse a decorator without its brackets, which would register nothing and say nothing.

    Raises:
        RegistrationError: the name is a function.
    """
    if callable(name):
        function = getattr(name, "__name__", kind)
        raise RegistrationError(f"the decorator of '{function}' has no name; write @{kind}(\"{function}\")")


def place_of(registry: Registry[Any], name: str) -> str:
    """The file and line that define a registered function, for people: `plugins/huber.py, line 8`."""
    code = getattr(inspect.unwrap(registry[name].build), "__code__", None)
    title = registry.origin(name).title
    return f"{title}, line {code.co_firstlineno}" if code else title


def options_of(
    registry: Registry[Any], name: str, function: Callable[..., Any], *, takes: Sequence[str]
) -> type[Options]:
    """The options of a function, from its keyword-only arguments.

    Args:
        takes: what the function is given by position.

    Raises:
        RegistrationError: the name is none, an argument is neither an option nor one of `takes`, an option has no type,
            or a default is not of it.
    """
    if not re.fullmatch(NAME, name):
        raise RegistrationError(
            f"'{brief(name)}' is no name of a {registry.kind}: a-z, 0-9 and '_' are, the first of them a letter"
        )
    _check_positional(f"{registry.kind} '{name}'", function, takes)
    arguments = [
        argument
        for argument in inspect.signature(function).parameters.values()
        if argument.kind is argument.KEYWORD_ONLY
    ]
    if bare := [argument.name for argument in arguments if argument.annotation is argument.empty]:
        raise RegistrationError(f"option '{bare[0]}' of {registry.kind} '{name}' has no type, as in '{bare[0]}: float'")
    annotations = SimpleNamespace(__annotations__={argument.name: argument.annotation for argument in arguments})
    hints = get_type_hints(annotations, getattr(function, "__globals__", {}), include_extras=True)
    fields: dict[str, Any] = {"type": (Literal[name], ...)}
    fields |= {
        argument.name: (hints[argument.name], ... if argument.default is argument.empty else argument.default)
        for argument in arguments
    }
    title = "".join(part.title() for part in (*name.split("_"), registry.kind))
    model = create_model(title, __base__=Options, __module__=function.__module__, **fields)
    model.registry = registry
    _check_defaults(model, registry.kind, name)
    return model


def _check_positional(what: str, function: Callable[..., Any], takes: Sequence[str]) -> None:
    arguments = inspect.signature(function).parameters.values()
    first = [one for one in arguments if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    for at, argument in enumerate(first):
        if at >= len(takes) or argument.default is not argument.empty:
            raise RegistrationError(f"argument '{argument.name}' of {what} is no option: put it after '*'")
    if len(first) < len(takes) and not any(one.kind is one.VAR_POSITIONAL for one in arguments):
        given = ", ".join(takes)
        raise RegistrationError(f"{what} takes {len(first)} arguments before '*', and is given {len(takes)}: {given}")


def _check_defaults(model: type[Options], kind: str, name: str) -> None:
    try:
        model.model_validate({"type": name})
    except ValidationError as error:
        for problem in error.errors():
            if problem["type"] != "missing":
                option = ".".join(map(str, problem["loc"]))
                raise RegistrationError(
                    f"the default of option '{option}' of {kind} '{name}' is not of its type"
                ) from None


def sentence(kind: str, name: str, text: str | None) -> str:
    """The first line of a docstring, which `zoo ls` shows.

    Raises:
        RegistrationError: there is none.
    """
    first = (text or "").strip().split("\n")[0]
    if not first:
        raise RegistrationError(f"{kind} '{name}' does not say what it is for: begin its function with a docstring")
    return first


@dataclass(frozen=True)
class Chosen:
    """Annotates a recipe's key that names an entry of a registry: `{type: name, option: value}`, or its name alone.

    Without options of its own an entry is written back as its name.
    """

    registry: Registry[Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(_written, info_arg=True)
        return core_schema.no_info_plain_validator_function(self._options, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {MARK: self.registry.kind}

    def _options(self, value: Any) -> Options:
        if isinstance(value, Options) and value.registry is self.registry:
            return value
        if isinstance(value, str):
            value = {"type": value}
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        name = value.get("type")
        if name is None:
            raise PydanticCustomError("no_type", "missing 'type'; {near}", {"near": self._without_type(value)})
        if not isinstance(name, str) or name not in self.registry:
            told = {"kind": self.registry.kind, "name": brief(name), "near": self._near(str(name))}
            raise PydanticCustomError("no_such_entry", "no {kind} '{name}'; {near}", told)
        entry: Entry = self.registry[name]
        return entry.options.model_validate(value)

    def _without_type(self, value: Mapping[Any, Any]) -> str:
        """A way out for {unique: {normalised: true}} and {name: unique}."""
        for key, inside in value.items():
            if key in self.registry:
                more = ", …" if isinstance(inside, Mapping) and inside else ""
                return f"write {{type: {key}{more}}}" + (", with its options beside it" if more else "")
            if isinstance(inside, str) and inside in self.registry:
                return f"write type: {inside}"
        return self._near("")

    def _near(self, name: str) -> str:
        return did_you_mean(name, self.registry) or "see `zoo ls -h`"


def _written(options: Options, info: core_schema.SerializationInfo) -> Any:
    found = options.model_dump(mode=info.mode, by_alias=info.by_alias)
    return options.type if len(found) == 1 else found


@dataclass(frozen=True)
class NameOf:
    """Annotates a recipe's key that holds a name of a registry and no options; editors complete it."""

    registry: Registry[Any]

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), NAMES: self.registry.kind}


def later(default: Any) -> Any:
    """Annotates an option that earlier versions lack: left out of what is written where it has its default.

    Receipts of what they made stay valid so.
    """
    return Field(exclude_if=lambda value: bool(value == default))


def chosen(part: Any) -> Iterator[Options]:
    """Every entry that a part of a recipe names, also those inside of others."""
    if isinstance(part, Options):
        yield part
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from chosen(getattr(part, name))
    elif isinstance(part, list | tuple):
        for one in part:
            yield from chosen(one)
    elif isinstance(part, Mapping):
        for one in part.values():
            yield from chosen(one)


def digests(*parts: Any) -> dict[str, dict[str, str]]:
    """The ingredient {"plugins": {"loss 'huber'": digest of its file}} of what parts of a recipe name, or {}."""
    found: dict[str, str] = {}
    for one in chosen(parts):
        found |= one.registry.digests([one.type])
    return {"plugins": found} if found else {}


def json_schema(*models: type[BaseModel], **extra: Any) -> dict[str, Any]:
    """The JSON schema of the models, with every entry that may be named at this moment."""
    _, schema = models_json_schema([(model, "validation") for model in models], **extra)
    definitions = schema.setdefault("$defs", {})
    wanted = list(_resolved(schema))
    while wanted:
        if (kind := wanted.pop()) not in definitions:
            found, inside = _entries(EXTENSIBLE[kind])
            wanted += _resolved(found) + _resolved(inside)
            definitions |= {kind: found, **inside}
    schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def _resolved(schema: Any) -> list[str]:
    """Put references and names in place of the marks; the kinds that are referred to."""
    if isinstance(schema, list):
        return [kind for part in schema for kind in _resolved(part)]
    if not isinstance(schema, dict):
        return []
    found = []
    if (kind := schema.pop(MARK, None)) is not None:
        schema["$ref"] = f"#/$defs/{kind}"
        found.append(kind)
    if (kind := schema.pop(NAMES, None)) is not None:
        schema["enum"] = list(EXTENSIBLE[kind])
    return found + [kind for part in schema.values() for kind in _resolved(part)]


def _entries(registry: Registry[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The choice among all entries of a registry, and the definitions that it refers to."""
    definitions: dict[str, Any] = {}
    for name in registry:
        found = registry[name].options.model_json_schema()
        definitions |= found.pop("$defs", {})
        definitions[found["title"]] = {"description": registry[name].says, **found}
    titles = {name: f"#/$defs/{registry[name].options.__name__}" for name in registry}
    alone = [name for name in registry if set(definitions[registry[name].options.__name__]["required"]) == {"type"}]
    choices: list[dict[str, Any]] = [{"$ref": title} for title in titles.values()]
    choice = {"oneOf": choices, "discriminator": {"propertyName": "type", "mapping": titles}}
    return {**choice, "oneOf": [{"enum": alone}, *choices] if alone else choices}, definitions
