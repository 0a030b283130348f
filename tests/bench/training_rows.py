"""What `make bench-train` trains on: rows whose texts are as long as those of SNLI and MultiNLI, and a random model."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

WORDS = 64_000  # of the vocabulary
LONGEST = 190  # words
# Words of a premise, log-normal: three in five as in SNLI's captions, the others as in MultiNLI, which has speeches and
# letters too. With begin and end: mean 13.5 tokens, 95 % up to 29, 99 % up to 56, the longest 190.
PREMISES = ((0.6, 9.0, 0.35), (0.4, 10.0, 0.85))  # share, median, spread
HYPOTHESES = ((1.0, 6.0, 0.45),)
SEED = 4  # padded to real tokens of its ten batches of triplets: 6.1, the median of many; by chance they are 5.3 to 6.8


def lexicon() -> list[str]:
    """Made-up words, each a token of its own."""
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
    return [
        letters[n % 28] + letters[n // 28 % 28] + letters[n // 784 % 28] + letters[n // 21952] for n in range(WORDS)
    ]


def text(random: Random, words: list[str], lengths: Any) -> str:
    _, median, spread = random.choices(lengths, [share for share, *_ in lengths])[0]
    count = min(LONGEST - 2, max(1, round(median * 2.718281828 ** random.gauss(0, spread))))
    return " ".join(random.choices(words[5:], k=count))


def synthetic(kind: str, count: int, seed: int = SEED) -> Any:
    """Rows as `kind` of loss reads them: triplets, labelled pairs, or scored pairs."""
    from datasets import Dataset

    random, words = Random(seed), lexicon()
    long = [text(random, words, PREMISES) for _ in range(count)]
    also = [text(random, words, PREMISES) for _ in range(count)]
    short = [text(random, words, HYPOTHESES) for _ in range(count)]
    columns: dict[str, dict[str, list[Any]]] = {
        "triplets": {"anchor": long, "positive": also, "negative": short},
        "softmax": {"premise": long, "hypothesis": short, "label": [random.randrange(3) for _ in long]},
        "cosent": {"sentence1": long, "sentence2": also, "label": [random.random() for _ in long]},
    }
    return Dataset.from_dict(columns[kind])


def real(folder: Path, kind: str) -> Any:
    """Triplets of the folder's *_triplets.tsv, which names its columns in the first line; as labelled or scored too."""
    from datasets import Dataset

    (file,) = folder.glob("*_triplets.tsv")
    _, *lines = (line.split("\t") for line in file.read_text("utf-8").splitlines())
    anchor, positive, negative = zip(*(line[:3] for line in lines), strict=True)
    columns: dict[str, dict[str, Any]] = {
        "triplets": {"anchor": anchor, "positive": positive, "negative": negative},
        "softmax": {"premise": anchor, "hypothesis": positive, "label": [n % 3 for n in range(len(anchor))]},
        "cosent": {"sentence1": anchor, "sentence2": positive, "label": [n % 7 / 6 for n in range(len(anchor))]},
    }
    return Dataset.from_dict({name: list(column) for name, column in columns[kind].items()})


def tokenizer(file: Path | None) -> Any:
    """A word of the lexicon is a token; or those of a tokenizer.json with `<unk>` in it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    if file:
        made = Tokenizer.from_file(str(file))
        made.add_special_tokens(["[PAD]", "[CLS]", "[SEP]"])
    else:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
        vocabulary = {word: place for place, word in enumerate([*special, *lexicon()[: WORDS - len(special)]])}
        made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    marks = [(mark, made.token_to_id(mark)) for mark in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="<unk>" if file else "[UNK]",
        model_max_length=512,
    )


def save_model(folder: Path, *, layers: int, width: int, words: Any, dropout: float = 0.1) -> Path:
    """A BERT of AraBERT's shape but for its number of layers, random, with mean pooling."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=words.pad_token_id,
    )
    BertModel(config).save_pretrained(folder / "plain")
    words.save_pretrained(folder / "plain")
    modules = [Transformer(str(folder / "plain")), Pooling(width, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"), create_model_card=False)
    return folder / "model"
