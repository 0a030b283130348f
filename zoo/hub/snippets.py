"""How does one use a repository? Lines to copy, by what its card says that it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoo.hub.repos import Repo


@dataclass(frozen=True)
class Snippet:
    """Lines of code with a heading, and the language they are in: python or bash."""

    title: str
    language: str
    code: str


def snippets(repo: Repo, data: Mapping[str, object], base: str) -> list[Snippet]:
    """Lines to use a repository of the Hub at address `base`; `data` is its card's front matter."""
    made = {"model": _of_model, "dataset": _of_dataset, "space": _of_space}[repo.kind](repo, data, base)
    kind = "" if repo.kind == "model" else f" --repo-type {repo.kind}"
    folder = repo.name.split("/")[1]
    fetch = f"{_shell(base)}\nhf download {repo.name}{kind} --local-dir {folder}"
    return [*made, Snippet("Download all files", "bash", fetch)]


def _shell(base: str) -> str:
    return f"export HF_ENDPOINT={base}"


def _python(base: str) -> str:
    return f'import os\n\nos.environ["HF_ENDPOINT"] = "{base}"  # before the libraries are imported\n\n'


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
    chosen = f', "{name}"' if isinstance(name, str) and name != "default" and name.isprintable() else ""
    lines = f'from datasets import load_dataset\n\nrows = load_dataset("{repo.name}"{chosen})\nprint(rows)'
    return [Snippet("Use with datasets", "python", _python(base) + lines)]


def _of_space(repo: Repo, data: Mapping[str, object], base: str) -> list[Snippet]:
    folder, sdk = repo.name.split("/")[1], str(data.get("sdk") or repo.sdk)
    fetch = f"{_shell(base)}\nhf download {repo.name} --repo-type space --local-dir {folder}"
    if sdk == "static":
        return [Snippet("Open it on this machine", "bash", f"{fetch}\npython -m http.server --directory {folder}")]
    if sdk != "gradio":
        return []
    app = data.get("app_file")
    file = app if isinstance(app, str) and app.replace("_", "").replace(".", "").isalnum() else "app.py"
    run = f"pip install -r {folder}/requirements.txt gradio\n(cd {folder} && python {file})"
    return [Snippet("Run it on this machine", "bash", f"{fetch}\n{run}")]
