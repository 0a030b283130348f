"""Text that should not be there: placeholders, remains of templates, addresses that lead elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zoo.lint.finding import CARD, Fix, Problem
from zoo.lint.repo import CheckedRepo
from zoo.lint.rule import rule

HOSTS = (
    r"hf-mirror\.com|hf-cn\d*\.pages\.dev|huggingface-mirror\.\w+|hf\.aitopatom\.com|hf-api\.gitee\.com|"
    r"modelstorage\.[\w.-]+|(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?"
)
MIRROR = re.compile(
    rf"\b(https?://(?:{HOSTS}))/((?:datasets/|spaces/)?[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?=[/\s)\]}}\"'>#?,.]|$)"
)
SERVICES = re.compile(r"^(v\d|api|gradio_api|static|embed|docs)/")
PLACEHOLDERS = re.compile(
    r"\[(?:More Information Needed|optional)\]|\b(?:TODO|FIXME|TBD)\b(?=:|\s*$|\s*\||\))|(?i:\blorem ipsum\b)"
    r"|\b[Yy]our[ _-]?(?:[Uu]sername|org(?:anization)?-name|[Nn]ame and [Cc]o-?authors|model-name|repo-name)\b"
    r"|\bConference Name\b|\bTitle of the Paper\b|\{(?:MODEL|REPO|DATASET)_(?:NAME|ID)\}"
    r"|\{\{ [\w.]{1,99}(?: \|[^{}]{0,200})? \}\}"
    r"|<(?:your|insert|fill)[ _-][\w -]{1,60}>|\bYOUR[_-](?:NAME|MODEL|ORG|USERNAME|REPO)\w*"
)
BIBTEX = re.compile(r"\b[Yy]our [Nn]ame(?: and [Cc]o-?authors)?\b|\bConference Name\b|\bTitle of the Paper\b")
NOT_FILLED = re.compile(
    r"(?i)^(?:sentence_transformers|cross_encoder|sparse_encoder)_model_id$|^\{.{1,60}\}$|^<.{1,60}>$"
    r"|\byour[_-]?(?:user)?(?:name|model|org|account|repo)|^(?:user(?:name)?|org(?:anization)?)/"
)
"""What stands where a repository's own id belongs."""
ADDRESS = re.compile(
    r"https?://(?:huggingface\.co|github\.com)/(?:datasets/|spaces/)?(?P<name>[\w{}<>.-]+/[\w{}<>.-]+)"
)
SPAN = re.compile(r"(`+)(?:(?!\1).)+\1")
RESIDUE = re.compile(r"(?i)\bdimensionality\W{1,6}\d+ tokens\b|\b[a-z]+-n_li-[a-z]+\b")


@rule("L02", "mirror-address", severity="warning", fixable=True)
def mirror_address(repo: CheckedRepo) -> Iterator[Problem]:
    """An address of a repository leads to a mirror or to a machine of one's own instead of the Hub.

    Not flagged: `HF_ENDPOINT=…` in instructions, and local services (`localhost:8080/v1/embeddings`).
    """
    text = repo.card.text
    for found in MIRROR.finditer(text):
        if not SERVICES.match(found[2]):
            line = text[: found.start()].count("\n") + 1
            fix = Fix(
                CARD, found.start(1), found.end(1), "https://huggingface.co", f"{found[1]} is https://huggingface.co"
            )
            yield Problem(f"'{found[0]}' is not on the Hub", line, hint=f"https://huggingface.co/{found[2]}", fix=fix)


@rule("L17", "matryoshka-without-loss", severity="warning", kinds=("model",))
def matryoshka_without_loss(repo: CheckedRepo) -> Iterator[Problem]:
    """The name or the tags say Matryoshka, but the `loss:` tags name no Matryoshka loss.

    Not flagged: cards without `loss:` tags, models trained from a Matryoshka model, a text that names MatryoshkaLoss.
    """
    losses = [tag for tag in repo.strings("tags") if tag.startswith("loss:")]
    says = re.search(r"(?i)matryoshka", f"{repo.name} {' '.join(repo.strings('tags'))}")
    inherited = any("matryoshka" in base.lower() for base in repo.strings("base_model")) or repo.recipe.get("parent")
    if (
        losses
        and says
        and not inherited
        and not re.search(r"(?i)matryoshka\w*[ -]?loss|loss:matryoshka", repo.card.text)
    ):
        where = repo.card.front.line("tags", repo.strings("tags").index(losses[0]))
        yield Problem(f"Matryoshka by name, and the losses are {', '.join(losses)}", where)


@rule("L19", "template-residue", severity="warning", kinds=("model",))
def template_residue(repo: CheckedRepo) -> Iterator[Problem]:
    """Remains of an old card template: dimensions counted in tokens, dataset names broken by its spelling rules.

    Not flagged: anything inside code.
    """
    for line, found in repo.places(RESIDUE):
        yield Problem(f"'{found[0].strip()}' comes from an old card template", line, hint="write what is meant")


@rule("L25", "placeholder")
def placeholder(repo: CheckedRepo) -> Iterator[Problem]:
    """Text of a template that its author meant to replace: in the prose, in a citation, or as the id that code loads.

    Not flagged: what readers are to replace in code (`token="YOUR_TOKEN"`, `push_to_hub("your-name/model")`), HTML
    comments, and words such as TODO in the middle of a sentence.
    """
    for prose in repo.card.prose:
        for found in PLACEHOLDERS.finditer(SPAN.sub(" ", prose.text)):
            yield Problem(f"'{found[0]}' is a template's, and still to be written", prose.number, doubtful=True)
    for line, name in (*repo.loaded, *_addresses(repo)):
        if NOT_FILLED.search(name):
            yield Problem(f"'{name}' is a template's: the id of this repository belongs there", line)
    for code in repo.card.code:
        for found in BIBTEX.finditer(code.text):
            line = code.line + code.text[: found.start()].count("\n")
            yield Problem(f"'{found[0]}' is a template's, and still to be written", line, doubtful=True)


def _addresses(repo: CheckedRepo) -> Iterator[tuple[int, str]]:
    for code in repo.card.code:
        for found in ADDRESS.finditer(code.text):
            yield code.line + code.text[: found.start()].count("\n"), found["name"]
