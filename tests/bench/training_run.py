"""A whole run of 60 steps: rows read, trainer made, dev scored at five sizes, checkpoints written, best model saved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.bench.train import BATCH, Bench, bar, batches, contest, tokens
from tests.bench.training_rows import save_model

LAYERS, WIDTH = 2, 256  # the peer needs a sixteenth of the time that it needs at the width of AraBERT
STEPS, EVERY = 60, 30
DEV = 300  # pairs
SIZES = [256, 192, 128, 64, 32]


def whole(folder: Path, words: Any, text: Path | None) -> list[bool]:
    """The CPU seconds of both runs, beside the gain of a step of the same model."""
    bench = Bench(
        save_model(folder / "run", layers=LAYERS, width=WIDTH, words=words), folder, text, LAYERS, WIDTH, SIZES
    )
    rows, dev = bench.rows("triplets", STEPS * BATCH), bench.rows("cosent", DEV)
    few = batches(rows.select(range(10 * BATCH)), BATCH)
    peer = bench.peer("triplets", rows)
    padded, reals = tokens(peer, few)
    gained = contest(f"{LAYERS} layers x {WIDTH}, tokens {padded / reals:.2f}", peer, bench.ours("triplets", rows), few)
    spent = {"peer": seconds(run_peer, bench, rows, dev), "ours": seconds(run_ours, bench, rows, dev)}
    ratio = spent["peer"] / spent["ours"]
    print(f"whole run of {STEPS} steps: {spent['peer']:.0f} s : {spent['ours']:.0f} s = {ratio:.2f}")
    return [bar("speed : 0.7 of the step's", ratio / (0.7 * gained), 1)]


def seconds(run: Any, *given: Any) -> float:
    began = time.process_time()
    run(*given)
    return time.process_time() - began


def run_peer(bench: Bench, rows: Any, dev: Any) -> None:
    """The plain script."""
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer import losses
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator, SequentialEvaluator

    model = bench.loaded()
    pairs = list(dev["sentence1"]), list(dev["sentence2"]), list(dev["label"])
    scores = [EmbeddingSimilarityEvaluator(*pairs, name=f"dev-{dim}", truncate_dim=dim) for dim in bench.dims]
    args = SentenceTransformerTrainingArguments(
        output_dir=str(bench.folder / "plain-run"),
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        warmup_steps=0.1,
        use_cpu=True,
        batch_sampler="no_duplicates",
        eval_strategy="steps",
        eval_steps=EVERY,
        save_steps=EVERY,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=args,
        train_dataset=rows,
        loss=losses.MatryoshkaLoss(model, losses.MultipleNegativesRankingLoss(model), bench.dims),
        evaluator=SequentialEvaluator(scores, main_score_function=lambda found: found[0]),
    )
    trainer.train()
    model.save_pretrained(str(bench.folder / "plain-final"))


def run_ours(bench: Bench, rows: Any, dev: Any) -> None:
    """A phase, as `zoo build` runs it."""
    from zoo.recipe.schema import Recipe
    from zoo.say import SILENT
    from zoo.train.ingredients import HEADS
    from zoo.train.phases import PhaseRun
    from zoo.train.precision import effective

    plain = bench.recipe("triplets").model_dump(mode="json", by_alias=True)
    plain["phases"][0]["train"] |= {"max_steps": STEPS, "eval_steps": EVERY}
    recipe = Recipe.model_validate(plain)
    phase = recipe.phases[0]
    folder = bench.folder / "our-run"
    (folder / HEADS).mkdir(parents=True)
    rows.to_parquet(folder / "train.parquet")
    dev.rename_column("label", "score").to_parquet(folder / "dev.parquet")
    splits = {phase.data[0].dataset: {"train": str(folder / "train.parquet")}}
    splits[str(phase.dev)] = {"validation": str(folder / "dev.parquet")}

    def start(device: str | None) -> Any:
        model = bench.loaded()
        model.similarity_fn_name = "cosine"
        return model

    used = effective(recipe, phase, "cpu")
    PhaseRun(recipe, phase, start, "cpu", folder, splits, used, [], SILENT, {}).run()
