"""`make reference`: docs/recipes.md from the schema of recipe files, and docs/commands.md from the commands.

What keys mean stands under them in the code, what options mean in the docstring of the function that takes them; an
example of each part is in reference.yaml, beside this file, and is checked when the page is written.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel, ValidationError

from zoo.cli import cli
from zoo.cli.session import hub_option, json_option
from zoo.options import Options
from zoo.recipe.family import BaseFile, Described, Family
from zoo.recipe.jsonschema import text as schema_text
from zoo.registry import EXTENSIBLE
from zoo.tasks import TASKS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MADE = "<!-- made by `make reference`: edit the code, not this page -->\n"
EXAMPLES = Path(__file__).with_name("reference.yaml")
FILES = {
    "Family": "recipes/family.yaml",
    "BaseFile": "recipes/<base>.yaml",
    "Dataset": "recipes/datasets/<name>.yaml",
}
CHOICES = {
    "loss": "Losses",
    "step": "Steps of datasets",
    "encoder": "Encoders",
    "pooling": "Poolings",
    "module": "Modules",
}
TAKEN = ("Variant", "BaseFile")
"""Sections that take from their file or their family what they leave out."""
LIMITS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "above {}",
    "maximum": "{} at most",
    "exclusiveMaximum": "below {}",
}
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
COMMON = [str(option.help) for option in (json_option(), hub_option())]


# docs/recipes.md ------------------------------------------------------------------------------------------------------


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text())["$defs"]
    return found


@cache
def examples() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(EXAMPLES.read_text("utf-8"))
    return found


def recipes_page() -> str:
    parts = [
        f"# Recipe files, key by key\n\n{MADE}",
        "Every key that files in `recipes/` may have. `zoo check` finds what is none of them, with its line, and "
        "`recipes/schema.json` gives editors the same (`zoo schema`). A key without a default must be written; \"from above\" is the base file's or the family's.",
    ]
    seen: set[str] = set()
    for name, file in FILES.items():
        parts.append(f"## `{file}`\n\n{section(name)}")
        seen.add(name)
        for below in sections_below(name):
            if below not in seen:
                parts.append(f"### {heading(below)}\n\n{section(below)}")
                seen.add(below)
    for kind, title in CHOICES.items():
        parts.append(f"## {title}\n\n{written_as(kind)}")
        parts += [entry(kind, name) for name in EXTENSIBLE[kind]]
    return "\n\n".join(parts) + "\n"


def written_as(kind: str) -> str:
    name = next(iter(EXTENSIBLE[kind]))
    return f"Written as a name, `{name}`, or with options, `{{type: {name}, ...}}`. Those of `plugins/` stand beside these (`zoo ls`)."


def section(name: str) -> str:
    definition = schema()[name]
    above = Described.model_fields if name in TAKEN else ()
    return "\n\n".join([told(definition.get("description", "")), table(definition, above), block(name)])


def entry(kind: str, name: str) -> str:
    title = EXTENSIBLE[kind][name].options.__name__
    definition = schema()[title]
    options = {key: found for key, found in definition["properties"].items() if key != "type"}
    rows = table({**definition, "properties": options}) if options else ""
    return "\n\n".join(filter(None, [f"### {name}", EXTENSIBLE[kind][name].says, rows, block(title)]))


def told(text: str) -> str:
    """A text in one line. A path with a part in angle brackets is code: else a page would take that for HTML."""
    return re.sub(r"(?<!`)\brecipes/\S*<\w+>[^\s;:,]*(?<!\.)", r"`\g<0>`", " ".join(text.split()))


def table(definition: dict[str, Any], above: Collection[str] = ()) -> str:
    """A row for each key; of those in `above` what is left out is taken from the file above."""
    rows = ["| key | what | default | meaning |", "|---|---|---|---|"]
    for key, found in definition["properties"].items():
        default = "from above" if key in above else shown_default(found)
        default = "" if key in definition.get("required", ()) else default
        cells = [f"`{key}`", in_words(found), default, told(meaning(found))]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def meaning(found: dict[str, Any]) -> str:
    """The key's own sentence, or that of the section that stands there."""
    if said := str(found.get("description", "")):
        return said if re.split(r"\W", said)[0] in found.get("enum", ()) else said[0].upper() + said[1:]
    told = (schema()[name].get("description", "") for name in references(found) if name not in CHOICES)
    return next((one.replace("\n", " ").split(". ")[0].rstrip(".") + "." for one in told if one), "")


def shown_default(found: dict[str, Any]) -> str:
    if "default" not in found:
        return "none"
    return "its defaults" if "$ref" in found else f"`{flow(found['default'])}`"


def flow(value: Any) -> str:
    """YAML in one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=9999)
        .removesuffix("...\n")
        .strip()
    )


def in_words(found: dict[str, Any]) -> str:
    """The type of a value, for people."""
    if found.get("enum") == list(TASKS):
        return "evaluation task"
    if "const" in found or "enum" in found:
        return ", ".join(f"`{one}`" for one in found.get("enum", [found.get("const")]))
    if "$ref" in found:
        return linked(found["$ref"].rpartition("/")[2])
    for way in ("anyOf", "oneOf"):
        if way in found:
            return " or ".join(dict.fromkeys(in_words(one) for one in found[way]))
    kind = found.get("type")
    if kind == "array":
        if "prefixItems" in found:
            return f"list of {len(found['prefixItems'])}"
        return f"list of {in_words(found.get('items', {})) or 'values'}"
    if kind == "object":
        inside = found.get("additionalProperties") or next(iter(found.get("patternProperties", {}).values()), None)
        return f"{{name: {in_words(inside)}}}" if isinstance(inside, dict) and inside else "{name: value}"
    limits = [words.format(found[limit]) for limit, words in LIMITS.items() if limit in found]
    return ", ".join([WORDS.get(str(kind), ""), *limits])


def linked(name: str) -> str:
    if name in CHOICES:
        return f"[{name}](#{anchor(CHOICES[name])})"
    return f"[{heading(name).lower()}](#{anchor(FILES.get(name) or heading(name))})"


def heading(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return words[0] + words[1:].lower()


def anchor(title: str) -> str:
    """The name under which GitHub and the Hub know a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


def sections_below(name: str) -> list[str]:
    """Sections that one refers to, and those that these refer to, in their order."""
    found: list[str] = []
    for other in references(schema()[name].get("properties", {})):
        if other not in CHOICES and other not in found:
            found += [one for one in [other, *sections_below(other)] if one not in found]
    return found


def block(name: str) -> str:
    return "\n\n".join(f"```yaml\n{text}```" for text in examples_of(name))


def examples_of(name: str) -> list[str]:
    """A part of a recipe as it may be written, of which the code says that it is one; several where keys are at odds."""
    model, known = models()[name], examples().get(name)
    alone = issubclass(model, Options) and set(schema()[name]["required"]) == {"type"}
    if known is None and not alone:
        raise SystemExit(f"{EXAMPLES.name} has no example of '{name}': write one, as `{name}: |` and YAML below it")
    texts = known if isinstance(known, list) else [known or flow(with_defaults(schema()[name]["properties"])) + "\n"]
    for text in texts:
        try:
            model.model_validate(yaml.safe_load(text))
        except ValidationError as error:
            raise SystemExit(f"the example of '{name}' in {EXAMPLES.name} is none: {error}") from None
    return texts


def with_defaults(properties: dict[str, Any]) -> dict[str, Any]:
    """An entry with its options as they are when nobody writes them; those that are null are left out."""
    given = {key: found.get("default") for key, found in properties.items() if key != "type"}
    return {"type": properties["type"]["const"], **{key: value for key, value in given.items() if value}}


@cache
def models() -> dict[str, type[BaseModel]]:
    """{name in the schema: its class}."""
    entries = [registry[name] for registry in EXTENSIBLE.values() for name in registry]
    options = {entry.options.__name__: entry.options for entry in entries if hasattr(entry, "options")}
    sections = {model.__name__: model for model in subclasses(BaseModel) if model.__name__ in schema()}
    return {**sections, **options, "Family": Family, "BaseFile": BaseFile}


def subclasses(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        if not issubclass(model, Options) and model.__module__.startswith("zoo"):
            yield model
        yield from subclasses(model)


def untold() -> list[str]:
    """Keys without a meaning, and keys of sections that no example shows."""
    found = []
    for name, definition in schema().items():
        if name in CHOICES:
            continue
        keys = {
            key: one for key, one in definition.get("properties", {}).items() if key != "type" or "const" not in one
        }
        found += [f"{name}.{key}: no meaning" for key, one in keys.items() if not meaning(one)]
        if not issubclass(models()[name], Options):
            shown = {key for text in examples_of(name) for key in yaml.safe_load(text)}
            found += [f"{name}.{key}: in no example" for key in keys if key not in shown]
    return found


# docs/commands.md -----------------------------------------------------------------------------------------------------


def commands_page() -> str:
    about = (
        "Every command with its options, as `-h` shows them. All take `--json` and `-h`; those that ask a Hub take `--hub`. "
        "The exit code is 0 when it is done, 1 when something is wrong, 130 when it was stopped, and 2 says only that "
        "there are changes (`zoo plan`, `zoo status`)."
    )
    parts = [f"# Commands\n\n{MADE}", about, *(command_part(path, command) for path, command in every_command(cli))]
    return "\n\n".join(parts) + "\n"


def every_command(group: click.Group, above: str = "zoo") -> Iterator[tuple[str, click.Command]]:
    """(words that are typed, command) of all commands, groups before what is in them."""
    for name, command in group.commands.items():
        yield f"{above} {name}", command
        if isinstance(command, click.Group):
            yield from every_command(command, f"{above} {name}")


def command_part(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    said, shown = help_and_examples(command)
    group = isinstance(command, click.Group)
    parts = [f"##{'' if path.count(' ') == 1 else '#'} {path}", said]
    parts += [] if group else [f"    {usage}", options_table(command, context)]
    return "\n\n".join(filter(None, [*parts, "```bash\n" + "\n".join(shown) + "\n```" if shown else ""]))


def help_and_examples(command: click.Command) -> tuple[str, list[str]]:
    """What a command does, in paragraphs, and lines that show it; `\\b` begins a paragraph of such lines."""
    paragraphs = [part for part in inspect.cleandoc(command.help or "").split("\n\n") if part]
    shown = [line.strip() for part in paragraphs if part.startswith("\b") for line in part.splitlines()[1:]]
    said = "\n\n".join(" ".join(part.split()) for part in paragraphs if not part.startswith("\b"))
    shown += (command.epilog or "").removeprefix("Example: ").splitlines()
    return said, [re.sub(r"^(zoo [^#]*?), (.+)$", r"\1  # \2", line) for line in shown if line.startswith("zoo ")]


def options_table(command: click.Command, context: click.Context) -> str:
    found = [record for param in command.params if (record := param.get_help_record(context)) and record[1]]
    found = [(name, told) for name, told in found if told not in COMMON]
    return "\n".join(["| option | does |", "|---|---|", *(row_of(name, told) for name, told in found)]) if found else ""


def row_of(name: str, told: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", " ".join(told.split()))) + " |"


PAGES = {"recipes.md": recipes_page, "commands.md": commands_page}

if __name__ == "__main__":
    if missing := untold():
        raise SystemExit("what a key means stands under it in the code:\n" + "\n".join(missing))
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
