"""Packed batches give what padded ones give: embeddings, losses, gradients, files; where they cannot, it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from datasets import Dataset as Rows
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from training import made

from zoo.miniature import vocabularies
from zoo.train import gemm, packing
from zoo.train.attention import PACKED
from zoo.train.speedups import KEPT_IN, Training, padding, set_speedups

WIDTH = 32
OFFSET = {"max_position_embeddings": 130}  # RoBERTa counts from the padding id
DENSE = (Dense(WIDTH, WIDTH), Normalize())
Make = Callable[..., SentenceTransformer]

FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {"config": "Bert", "words": "wordpiece"},
    "bert-cls-dense": {"config": "Bert", "words": "wordpiece", "pooling": "cls", "more": DENSE},
    "roberta": {"config": "Roberta", "words": "bpe", **OFFSET},
    "xlm-roberta": {"config": "XLMRoberta", "words": "unigram", **OFFSET},
    "modernbert": {
        "config": "ModernBert",
        "words": "wordpiece",
        "local_attention": 16,
        "global_attn_every_n_layers": 2,
    },
}
FALLBACKS: list[tuple[dict[str, Any], str]] = [
    ({"config": "MPNet", "words": "wordpiece", **OFFSET}, "its attention is 'eager', not 'sdpa'"),
    (
        {"config": "T5", "words": "unigram", "d_model": WIDTH, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4},
        "packed embeddings are off by ",
    ),
]
# Texts of many lengths, one longer than ModernBERT's window here, one that is cut, one empty.
ROWS = [
    [f"كتاب {number} " + "نهر باب " * (number % 7), "river " * (3 * number % 40), f"{number} door " * (number % 3)]
    for number in range(12)
]
ROWS[3][1] = "book " * 200


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A function that makes a tiny model, the same every time."""
    tokenizer_of = cache(lambda family: vocabularies.tokenizer(family, "ar", seed=0))

    def model(
        *, config: str, words: Any, pooling: str = "mean", more: tuple[Any, ...] = (), seed: int = 0, **options: Any
    ) -> SentenceTransformer:
        tokenizer = tokenizer_of(words)
        names = ("pad", "bos", "eos", "cls", "sep")
        ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in names}
        shape = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
        shape |= {"vocab_size": len(tokenizer), "max_position_embeddings": 128, **ids}
        folder = tmp_path_factory.mktemp("model")
        torch.manual_seed(seed)
        made = getattr(transformers, f"{config}Config")(**{**shape, **options})
        transformers.AutoModel.from_config(made).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        parts = [Transformer(str(folder), max_seq_length=128), Pooling(WIDTH, pooling_mode=pooling), *more]
        return SentenceTransformer(modules=parts, device="cpu")

    return model


@pytest.fixture(scope="module")
def bert(make: Make) -> Make:
    return lambda **options: make(**{**FAMILIES["bert"], **options})


def columns(model: SentenceTransformer, count: int = 3) -> list[dict[str, Any]]:
    return [model.preprocess([row[column] for row in ROWS]) for column in range(count)]


def learnt(
    model: SentenceTransformer, loss: torch.nn.Module, labels: Any, count: int = 3
) -> tuple[float, torch.Tensor]:
    """The loss of a batch, and the gradient of all weights; nothing is dropped out."""
    model.eval()
    model.zero_grad()
    transformers.set_seed(0)  # of the layers that AdaptiveLayerLoss draws
    value = loss(columns(model, count), labels)
    value.backward()
    return value.item(), torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


@pytest.mark.parametrize("name", FAMILIES)
def test_packed_gives_what_padded_gives(name: str, make: Make) -> None:
    model = make(**FAMILIES[name])
    texts = [*packing.probe_texts(128), *(text for row in ROWS for text in row)]
    padded, random = model.encode(texts, convert_to_tensor=True), torch.get_rng_state()
    assert packing.pack(model) is None
    assert (torch.get_rng_state() == random).all()
    assert "cu_seq_lens_q" in model.preprocess(texts)
    packed = model.encode(texts, convert_to_tensor=True)
    assert (packed - padded).norm() < 1e-6 * padded.norm()

    model.double()
    loss = losses.MatryoshkaLoss(model, losses.MultipleNegativesRankingLoss(model), matryoshka_dims=[WIDTH, 16])
    value, gradient = learnt(model, loss, None)
    packing.unpack(model)
    assert "cu_seq_lens_q" not in model.preprocess(texts)
    stock, true = learnt(model, loss, None)
    assert value == pytest.approx(stock, rel=1e-9)
    assert (gradient - true).norm() < 1e-9 * true.norm()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])  # in bfloat16 alone nobody could see what T5 loses
@pytest.mark.parametrize(("options", "why"), FALLBACKS, ids=lambda one: one["config"] if isinstance(one, dict) else "")
def test_a_model_that_cannot_be_packed_stays_padded_and_says_why(
    options: Any, why: str, dtype: torch.dtype, make: Make
) -> None:
    model = make(**options).to(dtype)
    before = model.encode(["نهر", "a book"], convert_to_tensor=True)
    assert str(packing.pack(model)).startswith(why)
    assert not model[0].can_flatten_inputs
    assert (model.encode(["نهر", "a book"], convert_to_tensor=True) == before).all()


def test_adapters_and_weights_of_few_bits_are_packed_too(bert: Make) -> None:
    from peft import LoraConfig

    model = bert()
    model[0].model.add_adapter(LoraConfig(r=2, target_modules="all-linear"))
    assert packing.pack(model.to(torch.bfloat16)) is None
    assert model.dtype == torch.bfloat16
    assert model[0].can_flatten_inputs


def test_what_is_known_without_trying(bert: Make) -> None:
    model = bert()
    model[0].unpad_inputs = False
    assert packing.pack(model) == "its configuration says unpad_inputs: false"
    model[0].unpad_inputs = None
    model[0].tokenizer.backend_tokenizer.post_processor = None  # no special tokens
    assert packing.pack(model) == "its tokenizer gives an empty text no token at all"
    model[0].model.set_attn_implementation("eager")
    assert packing.pack(model) == "its attention is 'eager', not 'sdpa'"


LOSSES: dict[str, tuple[Callable[[Any], torch.nn.Module], int, Any]] = {
    "matryoshka": (lambda m: losses.MatryoshkaLoss(m, losses.MultipleNegativesRankingLoss(m), [WIDTH, 8]), 3, None),
    "cached": (lambda m: losses.CachedMultipleNegativesRankingLoss(m, mini_batch_size=5), 3, None),
    "softmax": (lambda m: losses.SoftmaxLoss(m, WIDTH, 3), 2, torch.arange(12) % 3),
    "cosent": (lambda m: losses.CoSENTLoss(m), 2, torch.arange(12) / 12),
    "adaptive_layer": (lambda m: losses.AdaptiveLayerLoss(m, losses.MultipleNegativesRankingLoss(m)), 3, None),
    "matryoshka_2d": (
        lambda m: losses.Matryoshka2dLoss(m, losses.MultipleNegativesRankingLoss(m), [WIDTH, 8]),
        3,
        None,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_those_of_padded_batches(name: str, bert: Make) -> None:
    build, count, labels = LOSSES[name]
    found = []
    for packed in (False, True):
        model = bert()
        torch.manual_seed(1)
        loss = build(model)
        assert packed is False or packing.pack(model) is None
        found.append(learnt(model, loss, labels, count))
    (stock, true), (value, gradient) = found
    assert value == pytest.approx(stock, rel=1e-6)
    assert (gradient - true).norm() < 1e-4 * true.norm()


def test_prompts_and_their_pooling_are_kept(bert: Make) -> None:
    model = bert()
    model[1].include_prompt = False
    padded = model.encode(["نهر", "a book"], prompt="query: ")
    assert packing.pack(model) is None
    assert abs(model.encode(["نهر", "a book"], prompt="query: ") - padded).max() < 1e-6


def test_a_saved_model_has_the_bytes_of_one_that_never_was_packed(bert: Make, tmp_path: Path) -> None:
    for name in ("stock", "block", "after"):
        model = bert()
        if name != "stock":
            packing.pack(model)
        model.encode(["نهر", "a book"])
        if name == "after":
            packing.unpack(model)
        with packing.padded(model):
            model.save_pretrained(str(tmp_path / name), create_model_card=False)
        assert model[0].can_flatten_inputs == (name == "block")
    assert made(tmp_path / "block") == made(tmp_path / "after") == made(tmp_path / "stock")
    assert SentenceTransformer(str(tmp_path / "block"))[0].model.config._attn_implementation == "sdpa"


# A guide


def gist(model: SentenceTransformer, guide: SentenceTransformer) -> torch.nn.Module:
    loss: torch.nn.Module = losses.GISTEmbedLoss(model, guide, temperature=0.1)
    return loss


def test_a_guide_that_reads_the_same_batches_is_packed_too(bert: Make) -> None:
    model, guide = bert(), bert(seed=5)
    loss = gist(model, guide)
    stock, true = learnt(model, loss, None)
    assert packing.readers(model, [loss]) == [guide]
    assert packing.pack_together(model, guide) is None
    value, gradient = learnt(model, loss, None)
    assert value == pytest.approx(stock, rel=1e-6)
    assert (gradient - true).norm() < 1e-4 * true.norm()


def test_a_guide_that_cannot_be_packed_leaves_both_padded(bert: Make, make: Make) -> None:
    model, guide = bert(), bert(seed=5)
    guide[0].model.set_attn_implementation("eager")
    why = packing.pack_together(model, guide)
    assert why == "the model that its loss reads cannot be packed: its attention is 'eager', not 'sdpa'"
    assert not model[0].can_flatten_inputs
    other = make(**FAMILIES["xlm-roberta"])
    assert packing.readers(model, [gist(model, other)]) == [], "the loss gives it texts, not tokens"


# A phase


def training(model: SentenceTransformer, **train: Any) -> Training:
    from zoo.recipe.training import Train
    from zoo.train.precision import Precision

    rows = Rows.from_dict({"a": [row[0] for row in ROWS], "b": [row[1] for row in ROWS], "c": [row[2] for row in ROWS]})
    return Training(
        model, [], Train(batch_size=4, **train), Precision("fp32", "fp32", "cpu"), [(rows, dict.fromkeys("abc", ""))]
    )


def test_a_phase_goes_on_as_it_was_begun(bert: Make, tmp_path: Path) -> None:
    told: list[str] = []
    begun = set_speedups(tmp_path, training(bert()), told.append)
    assert begun.packed
    assert begun.padding is not None
    assert begun.padding > 1.5
    again = bert()
    assert set_speedups(tmp_path, training(again, packing=False), told.append, begins=False) == begun
    assert again[0].can_flatten_inputs
    assert told == ["goes on with packed batches, as it was begun; --force train starts anew"]
    told.clear()

    (tmp_path / KEPT_IN).write_text(
        json.dumps({**json.loads((tmp_path / KEPT_IN).read_text()), "packed": False, "why": "x"})
    )
    other = bert()
    assert not set_speedups(tmp_path, training(other), told.append).packed
    assert not other[0].can_flatten_inputs
    (tmp_path / KEPT_IN).write_text("")  # the power went
    assert set_speedups(tmp_path, training(bert()), told.append) == begun
    (tmp_path / KEPT_IN).unlink()
    assert (
        set_speedups(tmp_path, training(bert()), told.append, begins=False).why == "an earlier version of zoo began it"
    )
    assert told == []


@pytest.mark.parametrize(
    ("settings", "why", "told"),
    [
        ({"packing": False}, "the recipe says packing: false", []),
        (
            {"torch_compile": True},
            "torch_compile would compile anew for every batch",
            ["computes padding too, because torch_compile would compile anew for every batch"],
        ),
    ],
)
def test_a_padded_phase_is_told_unless_it_was_asked_for(
    settings: Any, why: str, told: list[str], bert: Make, tmp_path: Path
) -> None:
    heard: list[str] = []
    model = bert()
    (tmp_path / "packed").mkdir()
    choice = set_speedups(tmp_path, training(model, **settings), heard.append)
    same = set_speedups(tmp_path / "packed", training(bert()), heard.append).padding
    assert choice.logged == {"packing": {"used": False, "why": why, "padding": same}, "onednn": choice.onednn}
    assert heard == told
    assert model[0].model.config._attn_implementation != PACKED


# oneDNN


def test_a_dataset_counts_as_often_as_it_is_trained_on(bert: Make) -> None:
    one = training(bert())
    none = Rows.from_dict({"a": ["book"] * 4, "b": ["river"] * 4})  # nothing to pad
    few, many = ((none.select(list(range(4)) * times), {"a": "", "b": ""}) for times in (1, 50))
    alone, with_few, with_many = (
        padding(replace(one, texts=texts)) for texts in (one.texts, [*one.texts, few], [*one.texts, many])
    )
    assert alone > with_few > with_many > 1
    round_robin = replace(one, train=one.train.model_copy(update={"mix": "round_robin"}))
    assert padding(replace(round_robin, texts=[*one.texts, few])) == padding(
        replace(round_robin, texts=[*one.texts, many])
    )


def test_onednn_is_used_inside_a_block_only() -> None:
    switch = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    with pytest.raises(KeyError), gemm.onednn():
        assert switch.fp32_precision == "bf16"
        raise KeyError
    assert switch.fp32_precision == before
    with gemm.onednn(used=False):
        assert switch.fp32_precision == before


def test_onednn_must_be_exact_and_clearly_faster() -> None:
    assert gemm.factor() is None or gemm.is_exact()
    assert gemm.pays() == ((gemm.factor() or 0) >= gemm.CLEARLY)
    assert gemm.factor() == gemm.factor(), "measured once in a process"
