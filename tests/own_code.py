"""Stand-ins with code of their own in folders, some of them spoilt: for tests of the module that loads such models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from zoo.miniature.withcode import FOLDER, files_with_code

WIDTH = 32
WORDS = [
    "قلم",
    "دفتر",
    "نافذة",
    "بحر",
    "جبل",
    "طريق",
    "حديقة",
    "سوق",
    "نهر",
    "قمر",
    "شجرة",
    "باب",
    "مطر",
    "صديق",
    "رسالة",
]
TEXTS = ["قَلَمٌ في الدفتر", "البحر والجبل", "شجرة الحديقة قرب النهر الكبير", "باب"]

_MODEL = (FOLDER / "neoarabert" / "model.py").read_text("utf-8")
ROUGH = {
    "model.py": _MODEL.replace("nn.init.ones_(module.weight)", "module.weight.data.uniform_(-1, 1)")
    .replace("nn.RMSNorm", "Norm")
    .replace(
        "class EncoderBlock",
        """class Norm(nn.RMSNorm):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.register_buffer("one", torch.ones(1), persistent=False)


class EncoderBlock""",
    )
}
"""Initialises in place, in modules with a buffer that no checkpoint holds: from_pretrained does it after loading too."""

_TOKENIZER = (FOLDER / "neoarabert" / "tokenizer.py").read_text("utf-8")
REAL_STEMMER = {
    "tokenizer.py": _TOKENIZER.replace(
        "from .marks import Stemmer,", "from fast_disambig.camel import Stemmer\n\nfrom .marks import"
    )
}
"""Takes its stemmer from fast_disambig, as NeoAraBERT's tokenizer does."""
BROKEN_STEMMER = {
    "tokenizer.py": _TOKENIZER.replace("Stemmer()", "Broken()")
    + "\n\nclass Broken:\n    def __init__(self):\n        raise RuntimeError('no dictionary of stems')\n"
}


@cache
def _files(bundle: Literal["neoarabert", "modern"]) -> Mapping[str, bytes]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return files_with_code(bundle, "wordpiece", width=WIDTH, heads=2, language="ar", seed=0)


def write_toy(
    folder: Path, code: Mapping[str, str] | None = None, *, bundle: Literal["neoarabert", "modern"] = "neoarabert"
) -> Path:
    """Write a stand-in.

    Args:
        code: {file: source} in addition, or in the place of the stand-in's.
        bundle: neoarabert with a tokenizer of its own, or modern with an ordinary one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _files(bundle).items():
        (folder / name).write_bytes(content)
    for name, source in (code or {}).items():
        (folder / name).write_text(source, "utf-8")
    return folder


STEMS = {"قلم": "قَلَم", "دفتر": "دَفتَر", "بحر": "بَحر", "جبل": "جَبَل", "شجرة": "شَجَرَة", "حديقة": "حَدِيقَة"}


def write_mini_camel(folder: Path) -> Path:
    """Write a morphological database of a few words in CAMeL's format, as fast_disambig reads it."""
    place = folder / "calima-msa-r13"
    place.mkdir(parents=True)
    free = ("diac", "lex", "d3tok", "bw", "gloss")
    lines = ["###DEFINES###", "DEFINE pos pos:noun pos:noun_prop", *(f"DEFINE {one} {one}:*open*" for one in free)]
    lines += [
        "###DEFAULTS###",
        *(f"DEFAULT pos:{pos} diac:* lex:* bw:* gloss:* d3tok:*" for pos in ("noun", "noun_prop")),
    ]
    lines += ["###ORDER###", "ORDER diac lex bw gloss pos d3tok d3seg"]
    lines += ["###TOKENIZATIONS###", "TOKENIZATION d3tok d3seg", "###STEMBACKOFF###", "STEMBACKOFF NOAN_PROP Nall"]
    lines += ["###PREFIXES###", "\tP0\tdiac: bw: gloss: d3tok: d3seg:"]
    lines += ["ال\tPAl\tdiac:ال bw:Al/DET+ gloss:the d3tok:ال+_ d3seg:ال+_"]
    lines += ["###SUFFIXES###", "\tS0\tdiac: bw: gloss: d3tok: d3seg:", "###STEMS###"]
    for word, marked in STEMS.items():
        facts = f"diac:{marked} lex:{marked}_1 bw:{marked}/NOUN gloss:w pos:noun d3tok:{marked} d3seg:{marked}"
        lines.append(f"{word}\tN\t{facts} pos_logprob:-1.0 lex_logprob:-2.0 pos_lex_logprob:-2.0")
    lines += ["###TABLE AB###", "P0 N", "PAl N", "###TABLE BC###", "N S0", "###TABLE AC###", "P0 S0", "PAl S0"]
    (place / "morphology.db").write_text("\n".join(lines) + "\n", "utf-8")
    (place / "model.json").write_text("{}")
    return folder
