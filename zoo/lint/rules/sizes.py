"""Dims, lengths and parameter counts of the text against configs and the headers of the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zoo.lint.card import CardLine
from zoo.lint.finding import Fix, Problem
from zoo.lint.printed import COUNT, Printed, counted
from zoo.lint.repo import ID, CheckedRepo
from zoo.lint.rule import rule
from zoo.lint.weights import DTYPES

LENGTH = re.compile(
    r"(?i)(?:\bmax(?:imum)?[ _]?(?:seq(?:uence)?|input|token)?[ _]len(?:gth)?\b|\blongest input\b"
    r"|\bmax(?:imum)? (?:input )?tokens\b|(?P<context>\bcontext length\b))"
    r"[^\d\n]{0,20}?(?P<length>\d{1,3}(?:,\d{3})+|\d{2,7}|\d{1,3}(?=k\b))(?P<thousands>k\b)?"
    r"(?![\w.,]{0,8}\d|\w)(?!\s*(?:→|->|to)\s*\d)"
)
TRAINING = re.compile(
    r"(?i)\b(train|fine-?tun|recipe|hyper|optimi|batch|phase|epoch|encoded with|evaluat|test|speed|measur|"
    r"(?:was|were|we|our|not|cannot|isn't|doesn't)\b)"
)
WIDE = re.compile(
    r"(?i)\b(\d{2,5})[- ]dim(?:ension)?(?:s|al)?\b"
    r"|\b(?:(?:output )?dim(?:ension)?(?:s|ality)?|(?:embedding|vector|output) (?:size|width))[\s|*:]+(\d{2,5})\b"
)
OUT = re.compile(
    r"(?i)vector space|\boutput (?:dim|size|width|vector|embedding)|\bmaps\b|\bdimensionality|^\W*dimensions?\b|"
    r"\bembeddings? (?:size|dim|width|(?:of|with|ha[sv]e?) )|"
    r"\b(?:produc|generat|return|encod)\w*(?: \S+){0,6}? \d+[- ]dim"
)
INNER = re.compile(
    r"(?i)\b(heads?|feed-?forward|hidden|intermediate|inner|layers?|project\w*|pca|t-sne|umap|index\w*|per)\b"
)
SIZES = re.compile(r"(?i)^\W*(?:embedding sizes|matryoshka dim\w*)\W+([\d,\s]+)")
SHAPE = re.compile(  # `print(embeddings.shape)  # (3, 384)`, or the same on the next line
    r"(?i)(?:(?:embedding|vector|vec|emb)s?|\.encode\([^()\n]{0,200}\))\.shape\)?[ \t]*\n?[ \t]*#[ \t=>-]*"
    r"(?:torch\.Size\()?[\[(]\d{1,4}, ?(\d{2,5})[\])]"
)
CUT = re.compile(r"\btruncate_dim\b|\[[^\[\]]*:\s*\w+\]|token_embeddings")
PART = re.compile(
    r"(?i)\b(without|excluding|alone|trainable|active|adapters?|lora|head|(?:token|word) embeddings|non-?embedding|"
    r"embedding (?:matrix|layer|table)|encoder (?:blocks?|layers?))\b"
)
PARAMETERS = re.compile(rf"(?i){COUNT}[ -]?param(?:eter)?s?\b|\bparameters[\s|*:]+{COUNT}(?![\w.])")
OTHER_MODEL = re.compile(rf"(?i)\b(than|vs\.?|versus|compared|baseline|teacher|instead of|unlike)\b|{ID}")
SLACK = 0.03  # of a parameter count: some leave the pooler or the embeddings of types out


def _statements(repo: CheckedRepo) -> Iterator[CardLine]:
    """Find sentences and two-column facts about this model; rows of larger tables are about whatever they are about."""
    pairs = ((table, row) for table in repo.card.tables for row in table.rows if len(row.cells) == 2)
    facts = [CardLine(row.line, " | ".join(row.cells), table.heading) for table, row in pairs]
    return (line for line in [*repo.card.sentences, *facts] if not OTHER_MODEL.search(line.text))


@rule("L08", "training-size", severity="warning", kinds=("model",))
def training_size(repo: CheckedRepo) -> Iterator[Problem]:
    """The tag `dataset_size:` and the text give different numbers of training rows.

    Not flagged: texts that give several numbers, or none that is called what the model was trained on.
    """
    tags = {tag: int(tag[13:]) for tag in repo.strings("tags") if re.fullmatch(r"dataset_size:\d+", tag)}
    pattern = re.compile(
        rf"(?i)\btrained on (?:about |over )?{COUNT}\s+(?:\w+\s)?(?:samples|triplets|pairs|examples|rows)"
    )
    said = [(line, counted(found[1], found[2])) for line, found in repo.places(pattern)]
    if len(tags) == 1 and len({shown.value for _, shown in said}) == 1:
        (tag, size), (line, shown) = *tags.items(), said[0]
        if not _roughly(shown, size):
            yield Problem(f"trained on {shown.text} rows here, and the tag is '{tag}'", line)


def _roughly(shown: Printed, exact: float) -> bool:
    return shown.rounds(exact) or abs(shown.value - exact) <= SLACK * exact


@rule("L10", "wrong-max-length", severity="warning", kinds=("model",))
def wrong_max_length(repo: CheckedRepo) -> Iterator[Problem]:
    """The text gives another longest input than the configs.

    Not flagged: lengths of training or evaluation, other models' lengths, models whose configs name no limit, the
    context of models that write text.
    """
    right = {repo.longest_input, (repo.longest_input or 0) - 2}  # RoBERTa keeps two positions for itself
    for line in _statements(repo) if repo.longest_input else ():
        found = LENGTH.search(line.text)
        if not found or (found["context"] and "modules.json" not in repo.files):
            continue
        said = found["length"] + (found["thousands"] or "")
        count = int(found["length"].replace(",", ""))
        meant = {1000 * count, 1024 * count} if found["thousands"] else {count}
        if right.isdisjoint(meant) and not TRAINING.search(f"{line.heading} {line.text}"):
            yield Problem(f"a longest input of {said} tokens, and the configs say {repo.longest_input}", line.number)


@rule("L11", "wrong-parameter-count", severity="warning", kinds=("model",))
def wrong_parameter_count(repo: CheckedRepo) -> Iterator[Problem]:
    """The text gives another number of parameters than the headers of the safetensors files add up to.

    Not flagged: a rounded count, one within 3 %, a part of the model, other models' counts, weights that are not
    safetensors.
    """
    exact = repo.parameters or 0
    for line in _statements(repo) if exact else ():
        for found in PARAMETERS.finditer(line.text):
            shown = counted(found[1] or found[3], found[2] or found[4])
            part = PART.search(line.text) and shown.value < exact
            if shown.value >= 1e4 and not part and not _roughly(shown, exact):
                yield Problem(f"{shown.text} parameters, and the weights have {exact:,}", line.number)
    yield from _in_tables(repo)


def _in_tables(repo: CheckedRepo) -> Iterator[Problem]:
    for table in repo.card.tables if repo.parameters else ():
        at = table.column(re.compile(r"(?i)#?\s?param"), start=1)
        for row in table.rows:
            found = re.fullmatch(rf"(?i){COUNT}", row.cell(at).strip())
            shown = counted(found[1], found[2]) if found and repo.own(row.cells[0]) else None
            if shown and shown.value >= 1e4 and not _roughly(shown, repo.parameters or 0):
                yield Problem(f"{shown.text} parameters, and the weights have {repo.parameters:,}", row.line)


@rule("L35", "wrong-dims", severity="warning", kinds=("model",))
def wrong_dims(repo: CheckedRepo) -> Iterator[Problem]:
    """The text gives embeddings another width than the modules' configs.

    Not flagged: smaller sizes of Matryoshka models and of cut vectors, widths inside the model, other models' widths.
    """
    yield from _printed_shapes(repo) if repo.width else ()
    for line in _statements(repo) if repo.width else ():
        for found in WIDE.finditer(line.text):
            dim = int(found[1] or found[2])
            is_cut = dim < (repo.width or 0) and _may_be_cut(repo, dim)
            if dim != repo.width and OUT.search(line.text) and not INNER.search(line.text) and not is_cut:
                yield Problem(f"{dim} dimensions, and the model has {repo.width}", line.number)
        if sizes := SIZES.match(line.text):
            wide = [int(one) for one in re.findall(r"\d+", sizes[1]) if int(one) > (repo.width or 0)]
            if wide:
                yield Problem(f"an embedding size of {wide[0]}, and the model has {repo.width}", line.number)


def _printed_shapes(repo: CheckedRepo) -> Iterator[Problem]:
    """Find shapes that a snippet prints for what this model alone has encoded."""
    for code in repo.card.snippets:
        loaded = [name for line, name in repo.loaded_ids if code.line <= line <= code.line + code.text.count("\n")]
        if "SentenceTransformer(" not in code.text or set(loaded) != {repo.id} or CUT.search(code.text):
            continue
        for found in SHAPE.finditer(code.text):
            if int(found[1]) != repo.width and not _may_be_cut(repo, int(found[1])):
                line = code.line + code.text[: found.start(1)].count("\n")
                yield Problem(f"a shape with {found[1]} dimensions, and the model has {repo.width}", line)


def _may_be_cut(repo: CheckedRepo, dim: int) -> bool:
    return dim in repo.dims or (not repo.dims and "matryoshka" in repo.card.text.lower())


@rule("L44", "wrong-dtype", severity="warning", kinds=("model",), card=False, fixable=True)
def wrong_dtype(repo: CheckedRepo) -> Iterator[Problem]:
    """config.json names another dtype than the weights have, and loaders follow config.json.

    Not flagged: weights of several dtypes, quantised models, a config that names none.
    """
    config = repo.mapping("config.json")
    stored = {DTYPES.get(dtype, "") for path, one in repo.headers.items() if "/" not in path for dtype in one.dtypes}
    right = stored.pop() if len(stored) == 1 and not config.get("quantization_config") else ""
    for key in ("dtype", "torch_dtype"):
        said = config.get(key)
        if isinstance(said, str) and right and right != said and said in DTYPES.values():
            yield Problem(f"{key} is '{said}', and the weights are {right}", *_dtype_fix(repo, key, said, right))


def _dtype_fix(repo: CheckedRepo, key: str, said: str, right: str) -> tuple[int, str, None, Fix | None]:
    text = repo.text("config.json") or ""
    found = list(re.finditer(rf'"{key}"\s*:\s*"({said})"', text))
    line = text[: found[0].start()].count("\n") + 1 if found else 1
    did = f"config.json: {key} is {right}"
    fix = Fix("config.json", found[0].start(1), found[0].end(1), right, did) if len(found) == 1 else None
    return line, "config.json", None, fix
