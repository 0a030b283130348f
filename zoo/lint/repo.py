"""A repository as the rules see it: what kind it is, its files, its card and configs, and what the Hub knows."""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.hub.frontmatter import BrokenYaml, load_yaml
from zoo.lint.card import ParsedCard
from zoo.lint.facts import Facts, NoHub
from zoo.lint.files import MOST_BYTES, File, Files, HubFile
from zoo.lint.finding import CARD
from zoo.lint.results import Result, Scores, folded, read_results, stored_scores
from zoo.lint.weights import Header, safetensors
from zoo.models.identity import ModelSource
from zoo.remote import Kind

ID = r"(?<![\w.-])[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"
NAMED = r"""\s*["'](?P<name>[^"'\n]{1,200})["']"""
LOADED: dict[Kind, re.Pattern[str]] = {
    "model": re.compile(
        r"(?:\b(?:SentenceTransformer|CrossEncoder|SparseEncoder|from_pretrained)\(\s*(?:\w+\s*=)?"
        r"|\bpipeline\([^()]{0,200}?\bmodel\s*=|\bHuggingFace\w{0,40}\([^()]{0,200}?\bmodel_name\s*=)" + NAMED
    ),
    "dataset": re.compile(r"\bload_dataset\(\s*(?:path\s*=)?" + NAMED),
}
PLACE = re.compile(r"(?i)\.|(?:path|output|outputs|models?|results|checkpoints?|runs|content|your\w*|my\w*)/")
"""What a path on the reader's disk begins with."""
POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\r?\n(?:ext-.*\r?\n)*oid sha256:[0-9a-f]{64}\r?\nsize \d+"
)
DATA = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".csv.gz", ".jsonl.gz", ".json.gz")


class Unreadable(Exception):  # noqa: N818 - the message is what a rule reports
    """A text or a config that cannot be read, and why."""


@dataclass
class CheckedRepo:
    """A repository that rules look at; each part is read when it is asked for, and once."""

    kind: Kind
    files: Files
    given_id: str | None = None
    facts: Facts = field(default_factory=NoHub)
    folder: Path | None = None
    run_snippets: bool = False
    """Whether to run the card's code in a process of its own."""
    model: ModelSource | None = None
    """The model to load in processes of their own; null: it is not loaded."""

    def text(self, path: str) -> str | None:
        """Return a file's text; None: there is no such file.

        Raises:
            Unreadable: not UTF-8, or too long for a text.
        """
        if path not in self.files:
            return None
        if path in self.pointers:
            raise Unreadable("is a pointer of git LFS, not the file itself")
        if self.files[path].size > MOST_BYTES:
            raise Unreadable(f"has {self.files[path].size:,} bytes: too long to be a text")
        try:
            return self.files[path].head(MOST_BYTES).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(f"is not UTF-8: byte {error.start} ({error.reason})") from None

    def config(self, path: str) -> Any:
        """Return a JSON or YAML file's content; None when it is not there or cannot be read (rule L42 says so)."""
        try:
            return self.parsed(path)
        except Unreadable:
            return None

    def parsed(self, path: str) -> Any:
        """Return a JSON or YAML file's content; None when it is not there.

        Raises:
            Unreadable: it is neither.
        """
        text = self.text(path)
        if text is None:
            return None
        try:
            if path.endswith(".json"):
                return json.loads(text)
            return load_yaml(text).data
        except BrokenYaml as problem:
            raise Unreadable(f"is not YAML: {problem.what}") from None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"is not JSON: {error}") from None

    def mapping(self, path: str) -> dict[str, Any]:
        """Return a JSON or YAML file's mapping; empty when it is none."""
        found = self.config(path)
        return found if isinstance(found, dict) else {}

    @cached_property
    def card(self) -> ParsedCard:
        """The README, taken apart; of an empty text when it cannot be read (rule L41 says so)."""
        try:
            return ParsedCard(self.text(CARD) or "")
        except Unreadable:
            return ParsedCard("")

    @property
    def front(self) -> dict[str, Any]:
        """The values of the front matter."""
        return self.card.front.data

    def strings(self, key: str) -> list[str]:
        """Return the texts of a front matter value, which may be a text or a list of texts."""
        value = self.front.get(key)
        return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The recipe that the repository carries, if it is one of ours."""
        return self.mapping("zoo/recipe.yaml")

    @cached_property
    def card_again(self) -> str | None:
        """The command that puts our card there, from the recipe and its scores; None when the recipe has no name."""
        if not isinstance(name := self.recipe.get("name"), str):
            return None
        scale = self.recipe.get("scale", "full")
        recipe = shlex.quote(name) + (f" --scale {shlex.quote(str(scale))}" if scale != "full" else "")
        if self.given_id:
            return f"zoo publish {recipe} --overwrite {self.given_id}:{CARD}"
        if self.folder:
            return f"zoo card {recipe} > {shlex.quote(str(self.folder / CARD))}"
        return f"zoo build {recipe} --force card"

    @cached_property
    def scores(self) -> Scores:
        """The scores in `zoo/scores.json`; empty when there is no such file."""
        return stored_scores(self.mapping("zoo/scores.json"))

    @cached_property
    def results(self) -> list[Result]:
        """The model's results, wherever it keeps them."""
        entries = [(path, self.config(path)) for path in sorted(self.files) if path.startswith(".eval_results/")]
        return read_results(self.card.front, entries, self.scores)

    @cached_property
    def results_by_name(self) -> tuple[dict[str, list[Result]], dict[str, list[Result]]]:
        """The results by task and configuration, and by task alone; names folded."""
        exact: dict[str, list[Result]] = defaultdict(list)
        short: dict[str, list[Result]] = defaultdict(list)
        for one in self.results:
            exact[folded(one.task + one.config)].append(one)
            short[folded(one.task)].append(one)
        return exact, short

    @cached_property
    def name(self) -> str | None:
        """The last part of its id, as far as that is known."""
        release = self.recipe.get("release")
        index = self.front.get("model-index")
        first = index[0] if isinstance(index, list) and index and isinstance(index[0], dict) else {}
        choices = (
            (self.given_id or "").rpartition("/")[2],
            release.get("repo") if isinstance(release, dict) else None,
            first.get("name"),
            self.card.title,
        )
        return next((str(one) for one in choices if one and re.fullmatch(r"[\w.-]+", str(one))), None)

    @cached_property
    def certain_name(self) -> str | None:
        """The last part of its id, unless only the card tells it: cards are copied."""
        release = self.recipe.get("release")
        repo = release.get("repo") if isinstance(release, dict) else None
        return (self.given_id or str(repo or "")).rpartition("/")[2] or None

    @cached_property
    def pointers(self) -> list[str]:
        """The files of which only git LFS's pointer is there."""
        return [
            path for path, file in self.files.items() if _may_be_pointer(path, file) and POINTER.match(file.head(200))
        ]

    @cached_property
    def id(self) -> str | None:
        """The id that was given; else, for a folder, the id that its snippets load under its own name."""
        if self.given_id:
            return self.given_id
        loaded = {repo_id for _, repo_id in self.loaded_ids if repo_id.rpartition("/")[2] == self.name}
        return loaded.pop() if len(loaded) == 1 else None

    @cached_property
    def loaded(self) -> list[tuple[int, str]]:
        """The (line, name) of every model that the card's code loads, or every dataset if the repository is one.

        A constant's name counts as its value.
        """
        found = []
        for code in self.card.snippets if self.kind in LOADED else ():
            text = code.text
            for name, value in re.findall(r"""^(\w+)\s*=\s*["'](""" + ID + r""")["']\s*$""", text, re.MULTILINE):
                text = re.sub(rf"\b{name}\b(?!\s*=)", f'"{value}"', text)
            matches = LOADED[self.kind].finditer(text)
            found += [(code.line + text[: one.start()].count("\n"), one["name"]) for one in matches]
        return found

    @cached_property
    def loaded_ids(self) -> list[tuple[int, str]]:
        """The (line, id) of what it loads by an id: an account and a name."""
        return [(line, name) for line, name in self.loaded if re.fullmatch(ID, name) and not PLACE.match(name)]

    def own(self, cell: str) -> bool:
        """Return whether a table's cell names this repository."""
        text = cell.split(" (")[0].strip().casefold()
        return text in {(self.name or "").casefold(), (self.id or "").casefold(), "this model", "ours"} - {""}

    @cached_property
    def width(self) -> int | None:
        """The numbers per embedding, from the modules' configs; None of sparse ones, as wide as a vocabulary."""
        modules = self.config("modules.json")
        if re.search(r"(?i)sparse|splade", str(modules)):
            return None
        widths = []
        for module in modules if isinstance(modules, list) else []:
            path = f"{module.get('path', '')}/config.json".lstrip("/") if isinstance(module, dict) else ""
            config = self.mapping(path)
            keys = ("out_features", "embedding_dimension", "word_embedding_dimension", "hidden_size")
            widths += [config[key] for key in keys if isinstance(config.get(key), int)][:1]
        plain = self.mapping("config.json").get("hidden_size")
        found = [*([plain] if isinstance(plain, int) else []), *widths]
        return found[-1] if found else None

    @property
    def is_cross_encoder(self) -> bool:
        """Whether it gives a pair of texts a score instead of a text a vector."""
        task = self.front.get("pipeline_tag")
        return task in ("text-ranking", "text-classification") or "cross-encoder" in self.strings("tags")

    @cached_property
    def dims(self) -> set[int]:
        """The sizes to which embeddings may be cut, where a file says so."""
        listed = self.recipe.get("dims") or self.mapping("config.json").get("matryoshka_dimensions")
        return {dim for dim in listed if isinstance(dim, int)} if isinstance(listed, list) else set()

    @cached_property
    def longest_input(self) -> int | None:
        """The most tokens of a text.

        What sentence-transformers cuts at, else the tokenizer's limit or the number of the model's positions.
        """
        own = self.mapping("sentence_bert_config.json").get("max_seq_length")
        positions = self.mapping("config.json").get("max_position_embeddings")
        limits = [self.mapping("tokenizer_config.json").get("model_max_length"), positions]
        known = [one for one in limits if isinstance(one, int) and 0 < one < 10**6]
        return own if isinstance(own, int) else min(known, default=None)

    @cached_property
    def headers(self) -> dict[str, Header]:
        """The headers of the model's safetensors files, adapters and ONNX exports left out."""
        paths = [path for path in self.files if re.search(r"(^|/)(model|pytorch_model)[^/]*\.safetensors$", path)]
        found = ((path, safetensors(self.files[path])) for path in paths)
        return {path: header for path, header in found if header}

    @property
    def parameters(self) -> int | None:
        """The number of parameters in those files; None: there are none."""
        return sum(header.parameters for header in self.headers.values()) or None

    @cached_property
    def data_files(self) -> list[str]:
        """The dataset's own files; JSON and the like at the top may be about it rather than of it."""
        about = {"dataset_infos.json", "dataset_dict.json", "package.json", "vocab.json", "tokenizer.json"}
        return [
            path
            for path in self.files
            if path.endswith(DATA) and path not in about and not path.startswith(("zoo/", ".")) and "/." not in path
        ]

    def places(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
        """Find (line, match) in prose, tables included."""
        for line in self.card.prose:
            for found in pattern.finditer(line.text):
                yield line.number, found


def _may_be_pointer(path: str, file: File) -> bool:
    """Return whether to look into a file: pointers are short, and on a Hub every look is a request."""
    return 100 < file.size < 1000 and (
        not isinstance(file, HubFile) or not path.endswith((".md", ".json", ".txt", ".py"))
    )


def repo_kind(files: Files, metadata: dict[str, Any]) -> Kind:
    """Return what a folder would be on the Hub."""
    names = {path.rpartition("/")[2] for path in files}
    if "sdk" in metadata or ("app.py" in files and "config.json" not in files):
        return "space"
    if names & {"config.json", "modules.json", "adapter_config.json"} or any(
        name.endswith(".safetensors") for name in names
    ):
        return "model"
    keys = {"dataset_info", "configs", "size_categories", "task_categories", "task_ids", "annotations_creators"}
    data = any(name.endswith((".parquet", ".csv", ".jsonl", ".arrow", ".tsv")) for name in names)
    return "dataset" if keys & metadata.keys() or data else "model"
