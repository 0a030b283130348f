"""What translation models are told, family by family: how a sentence becomes tokens, and how it names the languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import DataError

END = "</s>"
FILES = ("*.spm", "*.model", "*.json")  # of a repository, all but its weights
SPECIAL = ("additional_special_tokens", "extra_special_tokens")  # of a tokenizer, by versions of transformers
LONGEST = 512  # tokens, of models that do not say what they can read

NAMES: tuple[tuple[str, ...], ...] = (
    ("ar", "ara", "arb", "arb_Arab"),
    ("de", "deu", "ger", "deu_Latn"),
    ("en", "eng", "eng_Latn"),
    ("es", "spa", "spa_Latn"),
    ("fa", "fas", "pes", "pes_Arab"),
    ("fr", "fra", "fre", "fra_Latn"),
    ("he", "heb", "heb_Hebr"),
    ("hi", "hin", "hin_Deva"),
    ("id", "ind", "ind_Latn"),
    ("it", "ita", "ita_Latn"),
    ("ja", "jpn", "jpn_Jpan"),
    ("ko", "kor", "kor_Hang"),
    ("ms", "zsm", "msa", "zsm_Latn"),
    ("nl", "nld", "dut", "nld_Latn"),
    ("pt", "por", "por_Latn"),
    ("ru", "rus", "rus_Cyrl"),
    ("sw", "swa", "swh", "swh_Latn"),
    ("tr", "tur", "tur_Latn"),
    ("ur", "urd", "urd_Arab"),
    ("zh", "zho", "cmn", "zho_Hans"),
)
"""Names that models have for one language. Others are written in the recipe as the model has them: `arz_Arab`."""


@dataclass(frozen=True)
class Codec:
    """The two ways between sentences and a model's tokens."""

    source: Any
    target: Any
    """SentencePiece processors of the two languages; of most models they are one."""
    longest: int
    """Tokens that the model can read."""
    first: tuple[str, ...] = ()
    """Tokens before those of the sentence."""
    prefix: tuple[str, ...] = ()
    """Tokens that every translation begins with, and that are no part of its text."""

    def tokens(self, texts: Sequence[str]) -> list[list[str]]:
        """The tokens of sentences, as the model reads them."""
        pieces = self.source.encode(list(texts), out_type=str)
        return [[*self.first, *one, END] for one in pieces]

    def texts(self, translations: Sequence[Sequence[str]]) -> list[str]:
        """The sentences that a model's tokens spell."""
        skip = len(self.prefix)
        found: list[str] = self.target.decode([list(tokens[skip:]) for tokens in translations])
        return [text.strip() for text in found]


def codec_of(model: str, folder: Path, source: str, target: str) -> Codec:
    """The codec of a model for a pair of languages.

    Args:
        model: its id, for messages.
        folder: all files of its repository but the weights.

    Raises:
        DataError: it is no translation model of a known family, or has not both languages.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        problem = f"model '{model}' has no config.json that can be read, so it is none that transformers made"
        raise DataError(problem, hint=_suggestion()) from None
    family = FAMILIES.get(kind := str(config.get("model_type")))
    if family is None:
        raise DataError(f"model '{model}' is of the type '{kind}', which does not translate", hint=_suggestion())
    try:
        return family(_Asked(model, folder, config, source, target))
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise DataError(f"model '{model}' has no '{name}', as models of its type have", hint=_suggestion()) from None


def language_names(language: str) -> list[str]:
    """The names that models may have for a language, its own one first."""
    same = next((names for names in NAMES if language in names), ())
    return list(dict.fromkeys([language, *same]))


@dataclass(frozen=True)
class _Asked:
    model: str
    folder: Path
    config: dict[str, Any]
    source: str
    target: str

    def read(self, name: str) -> Any:
        """A JSON file of the repository; {} when there is none."""
        try:
            return json.loads((self.folder / name).read_text("utf-8"))
        except FileNotFoundError:
            return {}

    def pieces(self, name: str) -> Any:
        """A SentencePiece model of the repository."""
        from sentencepiece import SentencePieceProcessor

        with (self.folder / name).open("rb") as file:
            return SentencePieceProcessor(model_proto=file.read())

    def name_of(self, language: str, known: Collection[str]) -> str:
        """The model's own name for a language.

        Raises:
            DataError: it has none.
        """
        found = next((name for name in language_names(language) if name in known), None)
        return found or self.refuse(language, known)

    def refuse(self, language: str, known: Collection[str]) -> str:
        """Say that the model has not this language, and which it has."""
        pair = f"{self.source} to {self.target}"
        some = ", ".join(sorted(known)[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
        option = "source_language" if language == self.source else "target_language"
        problem = f"model '{self.model}' does not translate from {pair}: it knows no '{language}'"
        raise DataError(problem, hint=f"name another model, or write {option} as this one has it: {some}")


def _marian(asked: _Asked) -> Codec:
    """A model of opus-mt: of one pair, or of several targets that `>>ara<<` before the sentence chooses from."""
    said, vocabulary = asked.read("tokenizer_config.json"), asked.read("vocab.json")
    targets = {token[2:-2] for token in vocabulary if token.startswith(">>") and token.endswith("<<")}
    first: tuple[str, ...] = ()
    if isinstance(one := said.get("source_lang"), str) and one not in ("mul", ""):
        asked.name_of(asked.source, [one])
    if targets:
        first = (f">>{asked.name_of(asked.target, targets)}<<",)
    elif isinstance(one := said.get("target_lang"), str):
        asked.name_of(asked.target, [one])
    longest = int(asked.config.get("max_position_embeddings", LONGEST))
    return Codec(asked.pieces("source.spm"), asked.pieces("target.spm"), longest, first=first)


def _nllb(asked: _Asked) -> Codec:
    """NLLB and M2M-100: the sentence begins with its language's token, and the translation with that of its own."""
    said = [asked.read(name) for name in ("special_tokens_map.json", "tokenizer_config.json")]
    special = [token for one in said for key in SPECIAL for token in one.get(key) or []]
    listed = [one["content"] if isinstance(one, dict) else one for one in special]
    listed += [one["content"] for one in asked.read("tokenizer.json").get("added_tokens", [])]
    known = {token.strip("_"): token for token in listed if token not in (END, "<s>", "<pad>", "<unk>", "<mask>")}
    source, target = asked.name_of(asked.source, known), asked.name_of(asked.target, known)
    pieces = asked.pieces("sentencepiece.bpe.model")
    longest = int(asked.config.get("max_position_embeddings", LONGEST))
    return Codec(pieces, pieces, longest, first=(known[source],), prefix=(known[target],))


def _madlad(asked: _Asked) -> Codec:
    """MADLAD: `<2ar>` before the sentence names the target; the model sees itself what the source is."""
    pieces = asked.pieces("spiece.model")
    every = (pieces.id_to_piece(number) for number in range(pieces.get_piece_size()))
    known = {piece[2:-1] for piece in every if piece.startswith("<2") and piece.endswith(">")}
    if not known:
        problem = f"model '{asked.model}' has no tokens for languages, so it is a T5 that does not translate by them"
        raise DataError(problem, hint=_suggestion())
    longest = int(asked.config.get("n_positions", LONGEST))
    return Codec(pieces, pieces, longest, first=(f"<2{asked.name_of(asked.target, known)}>",))


FAMILIES: dict[str, Callable[[_Asked], Codec]] = {"marian": _marian, "m2m_100": _nllb, "t5": _madlad}
"""{type in a model's config.json: what makes its codec}."""


def _suggestion() -> str:
    return "name one of opus-mt, NLLB or MADLAD, as model: Helsinki-NLP/opus-mt-en-ar"
