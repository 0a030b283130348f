"""The card's code: whether it compiles, runs, is safe to run, and uses the model as the model wants it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from zoo.lint import execution
from zoo.lint.card import Code
from zoo.lint.finding import Problem
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule
from zoo.lint.rules.carriedcode import named_classes

PINNED = re.compile(r"""(?:code_)?revision\s*=\s*["'][0-9a-f]{40}["']""")
BY_CONTENT = [re.compile(one) for one in (r"\bsnapshot_download\(", r"\bsha256\b", r"""["'][0-9a-f]{64}["']""")]
CALL = re.compile(r"\btrust_remote_code\s*=\s*True\b")
E5 = re.compile(r"(?i)(?:^|[/_-])e5-(?:small|base|large|mistral)")
PREFIXED = re.compile(r"""["'](?:query|passage|Query|Instruct)\s?:""")
PROMPTED = re.compile(r"\bprompts?(?:_name)?\s*=|\bdefault_prompt_name\s*=|\bencode_(?:query|document)\(")
CUT = re.compile(r"\[\s*(?::|\.\.\.)\s*,\s*:\s*(?:\d+|\w+)\s*\]|\[\s*:\s*(?:\d{2,4}|\w*dim\w*)\s*\]")
DOT = re.compile(r"\bnp\.dot\(|\bdot_score\(|\w\s@\s\w|\.dot\(|\binner\(")
SCALED = re.compile(
    r"(?i)normali[sz]e|cos_sim|cosine|\bnorm\(|similarity\(|\bsqrt\(|\*\*\s*(?:0?\.5|-0?\.5|\(1 ?/ ?2\))"
)


@rule("L03", "unpinned-remote-code", kinds=("model",))
def unpinned_remote_code(repo: CheckedRepo) -> Iterator[Problem]:
    """A snippet runs code from the Hub without a pinned revision, or a config takes code from another repository.

    Not flagged: `trust_remote_code=True` beside a `revision` or `code_revision` of 40 hex digits, or for a folder that
    was downloaded and whose files the code before it compares with a sha256.
    """
    before = ""
    for code in repo.card.snippets:
        for found in CALL.finditer(code.text):
            call = code.text[code.text.rfind("(", 0, found.start()) : code.text.find(")", found.end())]
            if not PINNED.search(call) and not _compared(before + code.text[: found.start()], call):
                line = code.line + code.text[: found.start()].count("\n")
                hint = 'add revision="<40 hex digits>": what runs is then what was read'
                yield Problem("remote code without a pinned revision", line, hint=hint)
        before += code.text
    for file, name, value in named_classes(repo):
        if "--" in value and value.split("--")[0] != repo.id:
            yield Problem(f"{name} is code of '{value.split('--')[0]}'", 1, file, "copy the code here, or pin it")


def _compared(before: str, call: str) -> bool:
    """Return whether what a call loads is no id, and the code before it downloads and compares by content."""
    return not re.match(r"""\(\s*(?:\w+\s*=\s*)?["']""", call) and all(one.search(before) for one in BY_CONTENT)


@rule("L24", "missing-prompts", kinds=("model",))
def missing_prompts(repo: CheckedRepo) -> Iterator[Problem]:
    """The model wants a prompt before each text (E5, or prompts in its config), and the snippets give none.

    Not flagged: a default prompt in the config, texts with the prefix, `prompt_name`, `encode_query`; empty prompts.
    """
    config = repo.mapping("config_sentence_transformers.json")
    prompts = config.get("prompts") if isinstance(config.get("prompts"), dict) else {}
    wanted = [name for name, text in (prompts or {}).items() if text]
    like_e5 = [base for base in repo.strings("base_model") if E5.search(base)]
    encodes = [code for code in repo.card.snippets if re.search(r"\.encode\(", code.text)]
    used = any(PREFIXED.search(code.text) or PROMPTED.search(code.text) for code in repo.card.snippets)
    if (wanted or like_e5) and encodes and not used and not config.get("default_prompt_name"):
        why = (
            f"the config has prompts ({', '.join(wanted)})"
            if wanted
            else f"'{like_e5[0]}' wants 'query: ' before texts"
        )
        hint = 'encode(texts, prompt_name="query")' if wanted else 'encode(["query: …"])'
        yield Problem(f"{why}, and no snippet uses one", encodes[0].line, hint=hint, doubtful=not wanted)


@rule("L31", "dot-on-cut-vectors", severity="warning", kinds=("model",))
def dot_on_cut_vectors(repo: CheckedRepo) -> Iterator[Problem]:
    """A snippet cuts embeddings and compares them with a dot product, without scaling them back to length 1.

    Not flagged: cosine similarity, or any normalisation in the same snippet.
    """
    for code in repo.card.snippets:
        cut = CUT.search(code.text)
        if cut and DOT.search(code.text) and not SCALED.search(code.text):
            line = code.line + code.text[: cut.start()].count("\n")
            yield Problem("cut embeddings are compared by dot product", line, hint="normalise them after the cut")


@rule("L36", "dead-snippet")
def dead_snippet(repo: CheckedRepo) -> Iterator[Problem]:
    """A Python snippet does not compile or, with `--snippets`, fails when it is run against the Hub in use.

    Not flagged: notebook commands (`!pip`, `%time`), sessions with `>>>`, and code in other languages.
    """
    broken = [problem for code in repo.card.snippets if (problem := _compiled(code))]
    yield from broken
    if repo.run_snippets and not broken and (problem := execution.run_snippets(repo)):
        yield problem


def _compiled(code: Code) -> Problem | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(execution.python(code))  # only parsed: a notebook's `await` at the top is fine
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = code.line + (getattr(error, "lineno", None) or 1) - 1
        return Problem(f"the snippet does not compile: {getattr(error, 'msg', error)}", line)
    return None
