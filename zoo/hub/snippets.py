"""How does one use a repository? Lines to copy, by what its card says that it was made with."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zoo.hub.repos import Repo


@dataclass(frozen=True)
class Snippet:
    """Lines of code with a heading, and the language they are in: python or bash."""

    title: str
    language: str
    code: str


def snippets(repo: Repo, data: Mapping[str, object], base: str, has: Callable[[str], bool]) -> list[Snippet]:
    """Lines to use a repository of the Hub at address `base`.

    People paste them, so that nothing which others wrote may get out of its quotes.

    Args:
        data: its card's front matter.
        has: whether there is a file or folder at a path.
    """
    if repo.kind == "space":
        made = _of_space(repo, data, base, has)
    else:
        made = (_of_model if repo.kind == "model" else _of_dataset)(repo, data, base)
    kind = "" if repo.kind == "model" else f" --repo-type {repo.kind}"
    folder = repo.name.split("/")[1]
    fetch = f"{_shell(base)}\nhf download {repo.name}{kind} --local-dir {folder}"
    return [*made, Snippet("Download all files", "bash", fetch)]


def _shell(base: str) -> str:
    return f"export HF_ENDPOINT={shlex.quote(base)}"


def _python(base: str) -> str:
    return f'import os\n\nos.environ["HF_ENDPOINT"] = {json.dumps(base)}  # before the libraries are imported\n\n'


def _of_model(repo: Repo, data: Mapping[str, object], base: str) -> list[Snippet]:
    tags = data.get("tags")
    library = str(data.get("library_name") or "")
    if not library and isinstance(tags, list):
        library = next((name for name in ("sentence-transformers", "transformers") if name in tags), "")
    code = ", trust_remote_code=True" if isinstance(tags, list) and "custom_code" in tags else ""
    if library == "sentence-transformers":
        lines = (
            "from sentence_transformers import SentenceTransformer\n\n"
            f'model = SentenceTransformer("{repo.name}"{code})\n'
            'embeddings = model.encode(["first text", "second text"])\n'
            "print(model.similarity(embeddings, embeddings))"
        )
        return [Snippet("Use with sentence-transformers", "python", _python(base) + lines)]
    if library == "transformers":
        lines = (
            "from transformers import AutoModel, AutoTokenizer\n\n"
            f'tokenizer = AutoTokenizer.from_pretrained("{repo.name}"{code})\n'
            f'model = AutoModel.from_pretrained("{repo.name}"{code})'
        )
        return [Snippet("Use with transformers", "python", _python(base) + lines)]
    return []


def _of_dataset(repo: Repo, data: Mapping[str, object], base: str) -> list[Snippet]:
    configs = data.get("configs")
    first = configs[0] if isinstance(configs, list) and configs and isinstance(configs[0], dict) else {}
    name = first.get("config_name", "default")
    chosen = (
        f", {json.dumps(name, ensure_ascii=not name.isprintable())}"
        if isinstance(name, str) and name != "default"
        else ""
    )
    lines = f'from datasets import load_dataset\n\nrows = load_dataset("{repo.name}"{chosen})\nprint(rows)'
    return [Snippet("Use with datasets", "python", _python(base) + lines)]


def _of_space(repo: Repo, data: Mapping[str, object], base: str, has: Callable[[str], bool]) -> list[Snippet]:
    folder, sdk = repo.name.split("/")[1], str(data.get("sdk") or repo.sdk)
    fetch = f"{_shell(base)}\nhf download {repo.name} --repo-type space --local-dir {folder}"
    if sdk == "static":
        return [
            Snippet(
                "Open it on this machine",
                "bash",
                f"{fetch}\npython -m http.server --bind 127.0.0.1 --directory {folder}",
            )
        ]
    if sdk != "gradio":
        return []
    app, version = str(data.get("app_file") or "app.py"), str(data.get("sdk_version") or "")
    gradio = f"gradio=={version}" if re.fullmatch(r"[0-9][0-9a-z.]{0,30}", version) else "gradio"
    packages = f"-r {folder}/requirements.txt {gradio}" if has("requirements.txt") else gradio
    run = f"pip install {packages}\n(cd {folder} && python {shlex.quote(f'./{app}')})"
    return [Snippet("Run it on this machine", "bash", f"{fetch}\n{run}")]
