"""Small tokenizers of the three families that our base models use, learnt from the grammar's own sentences.

Only BPE training gives the same result in every process (`tokenizers` 0.23: WordPiece numbers its pieces and Unigram
sums its floats in hash order), so pieces are learnt with BPE and then arranged as each family wants them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import log
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from zoo.miniature.bundles.neoarabert.marks import Stemmer, marks_behind, normalised
from zoo.miniature.diacritics import diacritised
from zoo.miniature.frames import draw
from zoo.miniature.grammar import render
from zoo.miniature.lexicon import Language

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

TokenizerFamily = Literal["wordpiece", "bpe", "unigram"]

PIECES = 2200  # the embedding table is a quarter of a stand-in's file at this size
SENTENCES = 6000
MAX_LENGTH = 512
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
JOINT = "[+]"
"""Stands between the parts of a word that the NeoAraBERT stand-in's tokenizer cuts off."""
MARKED_LETTERS = [*"\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u25cc"]
MARKED_TIMES = 20
"""How often each diacritised word counts, beside the sentences."""


def tokenizer(family: TokenizerFamily, language: Language, *, seed: int) -> PreTrainedTokenizerBase:
    """A tokenizer of transformers' own class for the family, so that it loads as the real one does.

    An Arabic tokenizer knows some English too; an English one knows only English.
    """
    build = {"wordpiece": _wordpiece, "bpe": _byte_level, "unigram": _unigram}[family]
    return build(list(_corpus(language, seed)))


def _corpus(language: Language, seed: int) -> Iterator[str]:
    rng = Random(f"{seed} corpus {language}")
    for number in range(SENTENCES):
        yield render(draw(rng), "ar" if language == "ar" and number % 3 else "en", rng)


def _learn(texts: list[str], pre_tokenizer: Any, alphabet: list[str]) -> Any:
    """A plain BPE tokenizer, learnt from the texts."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    learnt = Tokenizer(BPE())
    learnt.pre_tokenizer = pre_tokenizer
    learnt.train_from_iterator(texts, BpeTrainer(vocab_size=PIECES, initial_alphabet=alphabet, show_progress=False))
    return learnt


def _wordpiece(texts: list[str]) -> PreTrainedTokenizerBase:
    """A cased WordPiece tokenizer that keeps accents.

    Stripping them would take the hamza off its alif and the tanwin off its word.
    """
    from transformers import BertTokenizer

    vocab = _wordpieces(texts)
    return BertTokenizer(vocab=vocab, do_lower_case=False, strip_accents=False, model_max_length=MAX_LENGTH)


def _wordpieces(texts: list[str], special: Sequence[str] = SPECIAL) -> dict[str, int]:
    from tokenizers.pre_tokenizers import BertPreTokenizer

    words = BertPreTokenizer()
    learnt = _learn(texts, words, [])
    counts: Counter[str] = Counter()
    for word in (word for text in texts for word, _ in words.pre_tokenize_str(text)):
        first, *rest = learnt.encode(word).tokens
        counts.update([first, *("##" + piece for piece in rest)])
    letters = sorted({letter for text in texts for letter in text if not letter.isspace()})
    pieces = [*letters, *("##" + letter for letter in letters), *_by_frequency(counts)]
    return {piece: number for number, piece in enumerate(dict.fromkeys((*special, *pieces)))}


@cache
def marked_vocabulary(*, seed: int) -> Mapping[str, int]:
    """WordPieces of Arabic words and of the marks that the NeoAraBERT stand-in's tokenizer puts behind them."""
    stemmer = Stemmer()
    texts = [*_corpus("ar", seed), *(word for word in diacritised() for _ in range(MARKED_TIMES))]
    made = (marks_behind(normalised(stemmer.stem(text, sep=" "))) for text in texts)
    return _wordpieces([*made, *MARKED_LETTERS], (*SPECIAL, JOINT))


def wordpiece_backend(vocabulary: Mapping[str, int]) -> Tokenizer:
    """A tokenizer of these pieces that changes no letter, with [CLS] before a text and [SEP] behind it."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import WordPiece as Joined
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    backend = Tokenizer(WordPiece(dict(vocabulary), unk_token=SPECIAL[1], max_input_chars_per_word=100))
    backend.pre_tokenizer = BertPreTokenizer()
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    backend.decoder = Joined(prefix="##")
    backend.add_special_tokens(list(SPECIAL))
    backend.add_tokens([AddedToken(JOINT, normalized=False)])
    return backend


def _unigram(texts: list[str]) -> PreTrainedTokenizerBase:
    """A Unigram tokenizer whose pieces are scored by how often BPE uses them.

    A letter that is never used still gets a (low) score.
    """
    from tokenizers.pre_tokenizers import Metaspace, Punctuation, Sequence, WhitespaceSplit
    from transformers import XLMRobertaTokenizer

    words = Sequence([WhitespaceSplit(), Metaspace(), Punctuation()])
    learnt = _learn(texts, words, [])
    counts = Counter(piece for text in texts for piece in learnt.encode(text).tokens)
    counts.update({letter for text in texts for letter in text if not letter.isspace()} | {"▁"})
    total = counts.total()
    scored = [(piece, round(log(counts[piece] / total), 4)) for piece in _by_frequency(counts)]
    special = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    return XLMRobertaTokenizer(vocab=[*special, *scored, ("<mask>", 0.0)], model_max_length=MAX_LENGTH)


def _byte_level(texts: list[str]) -> PreTrainedTokenizerBase:
    from json import loads

    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import RobertaTokenizer

    learnt = loads(_learn(texts, ByteLevel(add_prefix_space=False), sorted(ByteLevel.alphabet())).to_str())["model"]
    special = ("<s>", "<pad>", "</s>", "<unk>")
    vocab = {piece: number for number, piece in enumerate((*special, *learnt["vocab"], "<mask>"))}
    merges = [tuple(merge) for merge in learnt["merges"]]
    return RobertaTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_LENGTH)


def _by_frequency(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda piece: (-counts[piece], piece))
