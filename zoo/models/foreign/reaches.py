"""Where code of others reaches beyond tensors: read from its syntax, for people to look at.

It is information and no verdict: code that wants to hide something can.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from zoo.characters import HIDDEN

REACHING = {
    "asyncio": "network",
    "ctypes": "compiled code",
    "ftplib": "network",
    "http": "network",
    "httpx": "network",
    "huggingface_hub": "network",
    "importlib": "other code",
    "marshal": "other code",
    "multiprocessing": "processes",
    "pickle": "other code",
    "pty": "processes",
    "requests": "network",
    "runpy": "other code",
    "shutil": "files",
    "socket": "network",
    "ssl": "network",
    "subprocess": "processes",
    "tempfile": "files",
    "urllib": "network",
}
"""{a package: what it reaches}."""
OF_OS = {
    **dict.fromkeys(("environ", "environb", "getenv", "putenv"), "environment"),
    **dict.fromkeys(
        ("system", "popen", "fork", "kill", "execv", "execve", "execvp", "spawnv", "posix_spawn"), "processes"
    ),
    **dict.fromkeys(("remove", "unlink", "rename", "replace", "rmdir", "makedirs", "open", "walk", "listdir"), "files"),
}
"""{a name in `os`: what it reaches}."""
BUILTINS = {
    "open": "files",
    **dict.fromkeys(("eval", "exec", "compile", "__import__"), "other code"),
    **dict.fromkeys(("globals", "vars"), "names of others"),
}
METHODS = {
    **dict.fromkeys(("write_text", "write_bytes", "read_text", "read_bytes"), "files"),
    **dict.fromkeys(("hf_hub_download", "snapshot_download", "cached_file", "load_url", "urlopen"), "network"),
}
"""{a method, or a function of a library: what it reaches}."""


@dataclass(frozen=True)
class Reach:
    """A place where code reaches beyond tensors."""

    file: str
    line: int
    name: str
    """What stands there: `os.environ`."""
    what: str
    """What it reaches: environment, files, network, processes, other code."""


def reaches(files: Mapping[str, bytes]) -> list[Reach]:
    """Return where files of code reach for the environment, the network, processes, files or other code.

    Each name is told once for a file, at its first line; a file that is no Python is told too, and characters that
    nobody sees, which can make code look like other code.
    """
    found = {
        (one.file, one.name): one for path in sorted(files) if path.endswith(".py") for one in _unseen(path, files)
    }
    for path, tree in _parsed(files):
        if tree is None:
            found[path, ""] = Reach(path, 1, "no Python", "cannot be read")
            continue
        for line, name, what in sorted(_of_tree(tree)):
            found.setdefault((path, name), Reach(path, line, name, what))
    return list(found.values())


def _parsed(files: Mapping[str, bytes]) -> Iterator[tuple[str, ast.Module | None]]:
    for path in sorted(files):
        if path.endswith(".py"):
            try:
                yield path, ast.parse(files[path])
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                yield path, None


def _of_tree(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [(name, _of_import(name)) for name in _imported(node)]
        elif isinstance(node, ast.Attribute):
            named = [_of_attribute(node)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = node.func.id
            named = [(f"{called}()", BUILTINS.get(called) or METHODS.get(called))]
        else:
            continue
        yield from ((node.lineno, name, what) for name, what in named if what)


def _of_import(name: str) -> str | None:
    top, _, rest = name.partition(".")
    return OF_OS.get(rest) if top == "os" else REACHING.get(top)


def _of_attribute(node: ast.Attribute) -> tuple[str, str | None]:
    dotted = ast.unparse(node) if isinstance(node.value, ast.Name) else f"(...).{node.attr}"
    return dotted, OF_OS.get(node.attr) if dotted == f"os.{node.attr}" else METHODS.get(node.attr)


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Dotted names that an import brings; none of the repository's own files."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if node.module and node.level == 0 else []


def _unseen(path: str, files: Mapping[str, bytes]) -> Iterator[Reach]:
    text = files[path].decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\f", " ")
    for number, line in enumerate(text.split("\n"), 1):
        if found := HIDDEN.search(line):
            yield Reach(path, number, f"U+{ord(found[0]):04X}", "a character that nobody sees")
            return
