"""The linter on cards in the manner of real ones: what it finds, what it leaves alone, and what `--fix` may touch."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import random
import subprocess
import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from lint_repos import as_json
from real_cards import POINTER, REAL_CARDS, encoder

from zoo.errors import ZooError
from zoo.lint.card import ParsedCard
from zoo.lint.check import LintReport, check_repository
from zoo.lint.facts import NoHub
from zoo.lint.files import Held, folder_files, held_files
from zoo.lint.finding import Finding
from zoo.lint.fix import fix
from zoo.lint.front import read_front
from zoo.lint.pickled import runs_code
from zoo.lint.printed import single
from zoo.lint.rules import rules
from zoo.lint.target import of_files, of_folder
from zoo.publish.plan.guard import contradictions


@cache
def report(name: str) -> LintReport:
    return check_repository(REAL_CARDS[name].repo())


def ids(found: list[Finding]) -> set[str]:
    return {one.rule for one in found}


def card(text: str, *, front: str = "license: mit\nlanguage: ar\n", **options: Any) -> list[Finding]:
    """What is found in a card of a 96-dimensional model called lab/noor."""
    files = encoder(96) | {"README.md": f"---\n{front}---\n# noor\n\n{text}\n".encode()} | options.pop("files", {})
    return check_repository(of_files(held_files(files), NoHub(), kind="model", repo_id="lab/noor", **options)).findings


# ---- precision and recall ------------------------------------------------------------------------------------------


def test_half_of_the_cards_are_clean() -> None:
    assert len(REAL_CARDS) >= 30
    assert sum(not one.found for one in REAL_CARDS.values()) * 2 == len(REAL_CARDS)


@pytest.mark.parametrize("name", REAL_CARDS)
def test_a_card_has_the_findings_that_a_careful_reader_has(name: str) -> None:
    shown = [(one.rule, one.line, one.message) for one in report(name).findings]
    assert ids(report(name).findings) == REAL_CARDS[name].found, shown


def test_no_rule_cries_wolf_and_each_finds_nearly_all() -> None:
    """Counted by card and rule; the table goes to the screen with `pytest -s`."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for name, one in REAL_CARDS.items():
        found = ids(report(name).findings)
        right.update(found & one.found)
        wrong.update(found - one.found)
        missed.update(one.found - found)
    rows = [(rule, right[rule], wrong[rule], missed[rule]) for rule in sorted(rules())]
    print(f"\n{'rule':<28}{'found':>6}{'false':>6}{'missed':>7}")
    for rule, *counts in rows:
        print(f"{rule} {rules()[rule].name:<24}" + "".join(f"{count:>6}" for count in counts))
    precision, recall = (right.total() / (right.total() + other.total()) for other in (wrong, missed))
    print(f"{len(REAL_CARDS)} cards: precision {precision:.3f}, recall {recall:.3f}")
    assert precision == 1
    assert all(found >= 0.95 * (found + gone) for _, found, _, gone in rows)


def test_nearly_every_rule_that_needs_no_hub_is_in_the_cards() -> None:
    seen = set().union(*(one.found for one in REAL_CARDS.values()))
    needed = {"L55", "L56"}  # a tokenizer, and weights that can be loaded
    assert set(rules()) - seen == {"L21", "L28", "L32", "L38"} | needed  # two ask the Hub, one reads our recipes


# ---- prose is doubtful ---------------------------------------------------------------------------------------------

DOUBTFUL = """
It maps sentences to a 96-dimensional vector space.
The architecture has a maximum sequence length of 512 tokens, longer texts are cut.
Texts were cut to a maximum length of 64 tokens in our speed test.
- **v1.1**: max length 64 → 512 tokens, the 64-dim head was dropped
- It outperforms 1024-dimensional models such as BGE-M3 (568M parameters).

Inside, the feed-forward layers are 384-dimensional and attention has 12 heads.
Each head is 32-dimensional; the output is normalised.
We projected the vectors down to 2 dimensions with t-SNE and to 50 dimensions with PCA for the figure.
Retrieval indexes with 1024-dimensional vectors are slower. A mean score of -4.28 was the lowest.

| Model | Synonyms | Pairs | Mean |
|---|---|---|---|
| noor | 80.0 | -60.0 | 10.0 |
| other/model | 70.0 | −50.0 | 10.0 |
| third/model | -4.28 | +4.28 | 0.0 |

```python
vectors = model.encode(["a", "b"])[:, :48]
vectors = vectors / (vectors ** 2).sum(1, keepdims=True) ** 0.5
print(vectors @ vectors.T)
```
"""


def test_true_sentences_and_negative_scores_are_left_alone() -> None:
    assert card(DOUBTFUL) == []


PROSE = {
    "It maps texts to a 768-dimensional vector space.": "L35",
    "It has a maximum sequence length of 768 tokens.": "L10",
    "The model is finetuned from lab/other-base.": "L16",
    "- License: CC BY-NC 4.0": "L18",
    "[More Information Needed]": "L25",
    "It cannot be loaded with SentenceTransformer.": "L27",
    "It scores 70.0 on STS17.": "L30",
    "It has an average score of 75.2 over 2 tasks.": "L29",
}
FRONT = """license: mit
language: ar
library_name: sentence-transformers
base_model: lab/base
model-index:
- name: noor
  results:
  - task: {type: STS}
    dataset: {name: MTEB STS17, type: mteb/sts17, split: test}
    metrics: [{type: cosine_spearman, value: 80.25}]
  - task: {type: STS}
    dataset: {name: MTEB STS22, type: mteb/sts22, split: test}
    metrics: [{type: cosine_spearman, value: 60.0}]
"""


@pytest.mark.parametrize("sentence", PROSE)
def test_what_a_sentence_seems_to_say_is_a_warning_and_no_reason_for_a_conflict(sentence: str) -> None:
    (one,) = card(sentence, front=FRONT)
    assert (one.rule, one.severity) == (PROSE[sentence], "warning")
    text = f"---\n{FRONT}---\n# noor\n\n{sentence}\n".encode()
    assert contradictions("model", "lab/noor", encoder(96), text) == []


SAID: dict[str, set[str]] = {  # of a model of 96 dimensions that reads 512 tokens
    "- **Context length:** 8192 tokens": {"L10"},
    "- **Context length:** 8,192 tokens": {"L10"},
    "| Max tokens | 8k |\n|---|---|\n| Max tokens | 8k |": {"L10"},
    "Its maximum sequence length is 131,072 tokens.": {"L10"},
    "- Max tokens: 0.5k": set(),
    "- Max sequence length: 512": set(),
    "- Max tokens (input): 510": set(),
    "A sliding context window of 128 tokens covers long texts.": set(),
    "The maximum length of 8192 tokens of v2.0 is not available here.": set(),
    "- Embedding size: 128": {"L35"},
    "- Embedding dim: 96": set(),
    "<table><tr><td>Embedding dimension</td><td>128</td></tr>\n<tr><td>Max tokens</td><td>512</td></tr></table>": {
        "L35"
    },
    "<table><tr><td>Embedding dimension</td><td>96</td></tr>\n<tr><td>Max tokens</td><td>768</td></tr></table>": {
        "L10"
    },
    "| Model | A | B | Avg |\n|-|-|-|-|\n| x | 60.0 | 70.0 | 65.0 |\n| noor | 70.0 | 80.0 | 77.0 |": {"L29"},
    "| Model | A | B | Avg |\n|-|-|-|-|\n| x | 60.0 | 70.0 | 61.0 |\n| noor | 70.0 | 80.0 | 77.0 |": set(),
    "| Model | A | B | Avg (9) |\n|-|-|-|-|\n| x | 60.0 | 70.0 | 65.0 |\n| noor | 70.0 | 80.0 | 77.0 |": set(),
    "| Model | A | B | B.v2 | Avg |\n|-|-|-|-|-|\n| x | 60.0 | 70.0 | 65.0 | 65.0 |\n| noor | 70.0 | 80.0 | 90.0 | 75.0 |\n"
    "\nThe mean counts B once, not both.": set(),
    "```python\nm = SentenceTransformer('lab/noor')\nprint(m.encode(['a']).shape)  # (1, 384)\n```": {"L35"},
    "```python\nm = SentenceTransformer('lab/noor')\nembeddings = m.encode(['a'])\nprint(embeddings.shape)\n# [1, 96]\n"
    "print(m.similarity(embeddings, embeddings).shape)\n# [1, 10]\n```": set(),
    "```python\nm = SentenceTransformer('lab/noor', truncate_dim=48)\nprint(m.encode(['a']).shape)  # (1, 48)\n```": set(),
    "The model is distributed under the Apache 2.0 license.": {"L18"},
}


@pytest.mark.parametrize("text", SAID)
def test_what_is_said_of_sizes_means_and_the_licence(text: str) -> None:
    found = card(text)
    assert ids(found) == SAID[text]
    assert {one.severity for one in found} <= {"warning"}


def test_a_licence_of_ones_own_is_not_one_of_the_list() -> None:
    """A LICENSE file of one's own may quote any."""
    own = "license: other\nlanguage: ar\n"
    assert ids(card("The model is released under the Apache 2.0 license.", front=own)) == {"L18"}
    assert card("The code is Apache 2.0.", front=own, files={"LICENSE": b"Based on the Apache License 2.0"}) == []


def test_how_many_tokens_a_model_writes_is_no_longest_input() -> None:
    files = {"config.json": as_json({"max_position_embeddings": 32768}), "README.md": b""}
    text = b"---\nlicense: mit\nlanguage: ar\n---\n# x\n\n- Context Length: Full 131,072 tokens\n"
    listed = held_files(files | {"README.md": text, "model.safetensors": b""})
    assert check_repository(of_files(listed, NoHub(), kind="model")).findings == []


def test_what_a_table_says_of_the_model_is_an_error() -> None:
    (one,) = card("| Model | STS17 |\n|---|---|\n| noor | 70.0 |", front=FRONT)
    assert (one.rule, one.severity, one.line) == ("L30", "error", 20)


CELLS: dict[str, float | None] = {
    "-4.28": -4.28, "−4.28": -4.28, "–4.28": -4.28, "+4.28": 4.28, "**-4.28** [-9.1, 0.2]": -4.28, "-0.031": -0.031,
    "-": None, "–": None, "1,204": 1204, "-1,204": -1204, "82.47 (-1.2)": 82.47, "1 of 3": None, "n/a": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_the_number_that_it_shows(cell: str) -> None:
    found = single(ParsedCard(f"|a|\n|-|\n|{cell}|\n").tables[0].rows[0].cells[0])
    assert (found and found.value) == CELLS[cell]


HTML = """# x

<table align="center"><thead>
<tr><th rowspan="2">Model</th><th colspan="2">Scores<br>here</th><th rowspan=2>Size</th></tr>
<tr><th>A</th><th><b>B</b></th></tr>
</thead>

<tr><td rowspan="2"><a href="x">one</a></td><td>1</td><td>-2</td><td>3</td></tr>
<tr><td>4<td>5<td>6
<tr></table>

```html
<table><tr><td>1</td></tr><tr><td>2</td></tr></table>
```
<!-- <table><tr><td>1</td></tr><tr><td>2</td></tr></table> -->
<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>
"""


def test_tables_in_html_are_read_as_they_are_shown() -> None:
    first, second = ParsedCard(HTML).tables
    assert (first.heading, first.header) == ("x", ["Model", "A", "B", "Size"])
    assert [(row.line, row.cells) for row in first.rows] == [
        (8, ["one", "1", "-2", "3"]),
        (9, ["one", "4", "5", "6"]),
        (10, []),
    ]
    assert (second.header, [row.cells for row in second.rows]) == (["", ""], [["a", "b"], ["c"]])


# ---- Markdown ------------------------------------------------------------------------------------------------------

MARKDOWN = """---
license: mit
---
Under a line
============

1. In a list:

   ~~~{.python}
   x = 1

   y = 2
   ~~~

> | a | `b \\| c` |
> |---|---|
> | **1** [two](x) | a<br>b |
text

<!-- | no | table |
|---|---|
```python
hidden = True
``` -->
<details><summary>More</summary>

#### Deep `code` *and* more ####

    indented = code

</details>
"""


def test_markdown_is_read_as_it_is_shown() -> None:
    read = ParsedCard(MARKDOWN)
    assert read.title == "Under a line"
    assert [(one.language, one.line, one.text) for one in read.code] == [
        ("python", 10, "x = 1\n\ny = 2\n"),
        ("", 29, "indented = code\n"),
    ]
    (table,) = read.tables
    assert (table.heading, table.header, table.rows[0].line, table.rows[0].cells) == (
        "Under a line",
        ["a", "b | c"],
        17,
        ["1 two", "a b"],
    )
    prose = {line.number: (line.text, line.heading) for line in read.prose}
    assert prose[18] == ("text", "Under a line")
    assert prose[27] == ("#### Deep `code` *and* more ####", "Deep code and more")
    assert not any("hidden" in line.text or "x = 1" in line.text for line in read.prose)


# ---- edits ---------------------------------------------------------------------------------------------------------

EDITS = (  # YAML, path, YAML after; the value put there is 'ar' or, where that says so, '~x'
    ("language:   AR   # why", ("language",), "language:   ar   # why"),
    ("language: 'AR'\n\n# end", ("language",), "language: 'ar'\n\n# end"),
    ('a: ~\nlanguage: ["en",  "AR",fr ]  # three', ("language", 1), 'a: ~\nlanguage: ["en",  "ar",fr ]  # three'),
    (
        "معنى: قيمة\nlanguage:\n-   AR # x\n# y\n-   en",
        ("language", 0),
        "معنى: قيمة\nlanguage:\n-   ar # x\n# y\n-   en",
    ),
    ("language: # soon\nb: 1", ("language",), "language: ar # soon\nb: 1"),
    ("language: |\n  AR\nb: 0.10", ("language",), "language: ar\nb: 0.10"),
    ("a: &a AR\nlanguage: *a", ("a",), None),
    ("a: &a AR\nlanguage: *a", ("language",), None),
    ("a: 1", ("language",), None),
)


@pytest.mark.parametrize(("yaml", "path", "after"), EDITS)
def test_an_edit_touches_the_characters_of_one_value(yaml: str, path: Any, after: str | None) -> None:
    for newline in ("\n", "\r\n"):
        text = f"---\n{yaml}\n---\n# x\n".replace("\n", newline)
        edit = read_front(text)[0].replaced(text, path, "ar", "")
        made = edit and text[: edit.start] + edit.text + text[edit.end :]
        assert made == (after and f"---\n{after}\n---\n# x\n".replace("\n", newline))


REMOVALS = (
    (
        "tags:\n  - a   # first\n  # about a\n  - a  # again\n  - b\nx: 1",
        "tags:\n  - a   # first\n  # about a\n  - b\nx: 1",
    ),
    ("tags: [a,  a, 'b']  # c", "tags: [a, 'b']  # c"),
    ("tags:\n- a\n-   a\n\n# end", "tags:\n- a\n\n# end"),
    ("tags: [a, # one\n  a, b]", None),
)


@pytest.mark.parametrize(("yaml", "after"), REMOVALS)
def test_a_removal_takes_the_lines_of_one_item(yaml: str, after: str | None) -> None:
    text = f"---\n{yaml}\n---\n"
    edit = read_front(text)[0].without(text, ("tags",), range(1, 2), "")
    assert (edit and text[: edit.start] + edit.text + text[edit.end :]) == (after and f"---\n{after}\n---\n")


def mended(folder: Path, text: str) -> tuple[list[str], str, set[str]]:
    for path, content in (encoder(96) | {"README.md": text.encode()}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    did, left = fix(folder, lambda: check_repository(of_folder(folder, NoHub())))
    return did, (folder / "README.md").read_bytes().decode(), ids(left.findings)


def test_front_matter_below_a_title_is_moved_up_as_it_is(tmp_path: Path) -> None:
    front = "---\nlicense:  mit # free\nlanguage: [ar]\n---\n"
    did, text, left = mended(tmp_path, f"\n# noor\n\n{front}\nText.\n")
    assert did == ["the front matter moved to the top"]
    assert text == f"{front}\n# noor\n\n\nText.\n"
    assert left == set()


def test_spaces_after_the_first_rule_hide_the_front_matter_and_are_removed(tmp_path: Path) -> None:
    """It ended in a StopIteration."""
    did, after, left = mended(tmp_path, "---  \nlicense: mit  # ours\nlanguage: ar\n---  \n# noor\n")
    assert did == ["the spaces after the first '---' removed"]
    assert after == "---\nlicense: mit  # ours\nlanguage: ar\n---  \n# noor\n"
    assert "L41" not in left


def test_of_a_key_that_stands_twice_the_last_value_is_mended(tmp_path: Path) -> None:
    """It ended in an IndexError: the values were of the last, and their places were looked for in the first."""
    text = "---\nlicense: mit\nlanguage: ar\ntags: [a]\ntags:\n- b\n- b\n---\n# noor\n"
    did, after, left = mended(tmp_path, text)
    assert did == ["tags: 'b' once"]
    assert after == text.replace("- b\n- b\n", "- b\n")
    assert "L41" in left


def test_everything_that_fix_mends_leaves_the_rest_byte_for_byte(tmp_path: Path) -> None:
    text = (
        "---\r\n# of the lab\r\nlicense:   apache 2   # as the base\r\nlanguage: [ 'Arabic',en ]\r\ntags:\r\n"
        '    - a\r\n    - a\r\n    # last\r\n    - "b"\r\nx: {y: 1 , z: 0.10}\r\n---\r\n# noor\r\n'
    )
    _, after, left = mended(tmp_path, text)
    assert after == text.replace("apache 2 ", "apache-2.0 ").replace("'Arabic'", "'ar'").replace("    - a\r\n", "", 1)
    assert left == set()


@pytest.mark.parametrize(
    "text", ["```yaml\n---\nlicense: mit\n---\n```\n", "# x\n\n---\n\nText: more\n\n---\n", "# x\n"]
)
def test_lines_between_rules_are_no_front_matter(text: str) -> None:
    assert read_front(text)[0].broken == (
        1,
        "there is no front matter: the card's metadata, in YAML between two lines of '---'",
    )


# ---- placeholders, pointers, pickles -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    ['login(token="YOUR_TOKEN")', 'm.push_to_hub("your-username/noor")', 'm.encode("<your query>")', 'f"{MODEL_NAME}"'],
)
def test_what_readers_are_to_replace_is_no_placeholder(code: str) -> None:
    assert card(f"Write `<your query>` there.\n\n```python\n{code}\n```") == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('SentenceTransformer("sentence_transformers_model_id")', "'sentence_transformers_model_id' is a template's"),
        ("SentenceTransformer('{MODEL_NAME}')", "'{MODEL_NAME}' is a template's"),
        ('SentenceTransformer("YOUR_NAME/noor")', "'YOUR_NAME/noor' is a template's"),
        ('AutoModel.from_pretrained("username/noor")', "'username/noor' is a template's"),
        ("# see https://huggingface.co/yourusername/noor", "'yourusername/noor' is a template's"),
    ],
)
def test_an_id_that_the_author_did_not_write_is_an_error(code: str, message: str) -> None:
    (one,) = (one for one in card(f"```python\n{code}\n```") if one.rule == "L25")
    assert (one.message, one.severity, one.line) == (f"{message}: the id of this repository belongs there", "error", 8)


@pytest.mark.parametrize("path", ["README.md", "config.json", "model.safetensors", "onnx/model.onnx", "notes.txt"])
def test_a_pointer_is_named_as_what_it_is_wherever_it_lies(path: str) -> None:
    (one,) = card("Text.", files={path: POINTER})
    assert (one.rule, one.file, one.severity) == ("L48", path, "error")
    assert one.message == f"'{path}' is a pointer of git LFS, not the file itself"


STATE = OrderedDict(weights=[1.0] * 3000)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("held", [os.system, [STATE, os.system], [["long" * 9, i] for i in range(900)] + [os.system]])
def test_a_pickle_that_imports_something_is_one(held: Any, protocol: int) -> None:
    assert runs_code(Held(pickle.dumps(held, protocol)))
    assert runs_code(Held(pickle.dumps(10, 2) + pickle.dumps(held, 2)))  # torch wrote several in a row


@pytest.mark.parametrize(
    "pack", [zlib.compress, partial(zlib.compress, level=9), gzip.compress, bz2.compress, lzma.compress]
)
def test_a_packed_pickle_is_one(pack: Callable[[bytes], bytes]) -> None:
    """As joblib writes it with `compress=3`."""
    assert runs_code(Held(pack(pickle.dumps([os.system, "x" * 9999]))))
    assert not runs_code(Held(pack(pickle.dumps({"a": 1}))))
    assert not runs_code(Held(pack(b"{}")[:6] + b"\0" * 50))


def test_bytes_that_only_begin_like_a_pickle_are_none() -> None:
    chance = random.Random(3)
    texts = [b"", b"\x80\x04", b"\x80\x04N.", b"\x80\x02\x00\x01", b"import _virtualenv\n", b"cython_x\nfoo\n/usr\n"]
    noise = [
        b"\x80" + bytes([chance.randrange(2, 6)]) + chance.randbytes(chance.choice([2, 50, 5000])) for _ in range(2000)
    ]
    plain = pickle.dumps({"a": [1, 2.5, "b c"]}, 4)
    assert [one for one in (*texts, *noise, plain, b"PK\x03\x04" + b"x" * 50) if runs_code(Held(one))] == []


# ---- whose card is it ----------------------------------------------------------------------------------------------

LOAD = '```python\nfrom sentence_transformers import SentenceTransformer\nmodel = SentenceTransformer("{}")\n```'


@pytest.mark.parametrize(
    ("loaded", "found"),
    [
        ("lab/noor", set()),
        ("./noor", set()),
        ("output/noor", set()),
        ("lab/nour", {"L15"}),  # a slip
        ("lab/noor-v2", {"L50"}),  # a sibling
        ("other/thing", {"L50"}),
        ("noor", {"L51"}),
    ],
)
def test_a_snippet_loads_this_repository(loaded: str, found: set[str]) -> None:
    assert ids(card(LOAD.format(loaded))) == found


def test_a_snippet_may_load_others_beside_it() -> None:
    assert card(f"{LOAD.format('lab/noor')}\n\n{LOAD.format('other/thing')}") == []


@pytest.mark.parametrize(
    ("printed", "config", "found"),
    [
        ("(0): Transformer({'max_seq_length': 512}) with Transformer model: BertModel", "BertForMaskedLM", set()),
        ("(0): Transformer({'max_seq_length': 512}) with Transformer model: BertModel", "RobertaModel", {"L49"}),
        ("(0): Transformer({'max_seq_length': 128, 'architecture': 'BertModel'})", "BertModel", {"L49"}),
        ("(1): Pooling({'word_embedding_dimension': 768})", "BertModel", {"L49"}),
        ("(1): Pooling({'word_embedding_dimension': 96, 'unknown': 3})", "BertModel", set()),
        ("(2): Normalize()", "BertModel", set()),
        ("(0): Transformer({__import__('os')})", "BertModel", set()),
    ],
)
def test_the_printed_architecture_is_that_of_the_configs(printed: str, config: str, found: set[str]) -> None:
    files = {"config.json": as_json({"architectures": [config], "hidden_size": 96})}
    assert ids(card(f"```\nSentenceTransformer(\n  {printed}\n)\n```", files=files)) == found


# ---- the files that git would take ---------------------------------------------------------------------------------

IGNORE = "*.log\n!keep.log\n/build\nlogs/\nb/*.txt\n!b/yes.txt\n# c\n\\#hash\ntrail   \ndoc/**/x.md\n"
TREE = (
    "a.log keep.log build b/a.md b/readme.md b/x.log b/no.txt b/yes.txt b/c/n.md b/c/no.txt logs/a logs/keep.log "
    "logs/deep/z #hash trail doc/e/f/x.md doc/x.md b/build/z c.md"
)


def test_the_files_of_a_folder_are_those_that_git_would_take(tmp_path: Path) -> None:
    for name in TREE.split(" "):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".gitignore").write_text(IGNORE)
    (tmp_path / "b" / ".gitignore").write_text("*.md\n!readme.md\n!x.log\n")
    git = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run(["git", "init", "-q", "."], **git)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], **git).stdout  # type: ignore[call-overload]
    assert sorted(folder_files(tmp_path)) == sorted(listed.splitlines())


def test_a_file_that_is_gone_or_closed_is_one_sentence(tmp_path: Path) -> None:
    """It ended in a traceback."""
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    listed = of_folder(tmp_path, NoHub())
    (tmp_path / "README.md").unlink()
    with pytest.raises(ZooError, match="README.md' cannot be read: No such file"):
        check_repository(listed)


def test_folders_of_tools_are_named_and_not_walked(tmp_path: Path) -> None:
    for name in ("node_modules/x/y.js", "env/pyvenv.cfg", "env/lib/z.pth", "sub/.venv/q", ".git/config", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("---\nlicense: mit\n---\n" if name == "README.md" else "")
    assert sorted(folder_files(tmp_path)) == ["README.md", "env/", "node_modules/", "sub/.venv/"]
    left = check_repository(of_folder(tmp_path, NoHub())).findings
    assert [(one.rule, one.message) for one in left] == [
        ("L40", f"'{name}' is a tool's own folder") for name in ("env/", "node_modules/", "sub/.venv/")
    ]


def test_a_folder_that_is_named_is_looked_at_although_git_leaves_it_out(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "README.md").write_text("# x\n")
    assert list(folder_files(tmp_path / "runs")) == ["README.md"]
