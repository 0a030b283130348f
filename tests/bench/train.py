"""Steps of training, zoo's Trainer against the plain script that people write: same model, rows and process.

The peer is sentence-transformers' Trainer with MatryoshkaLoss around MultipleNegativesRankingLoss, batch 128, nothing
tuned. CPU time of one thread, a step of each in turn, over fixed batches: tokenising, forward, backward, clipping,
optimizer. What packing gains is the ratio of padded to real tokens, so that is printed beside every ratio.

    python -m tests.bench.train [--only step,hybrid] [--layers 12] [--text FOLDER [--tokenizer FILE]] [--whole]

`--text` puts real triplets, of FOLDER/*_triplets.tsv, in the place of generated ones. The lines without `--whole` take
about 20 minutes of a core (estimated from two batches of one layer). `--whole` adds two runs of 60 steps on a smaller model.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench import measure
from tests.bench.training_rows import real, save_model, synthetic, tokenizer

DIMS = [768, 512, 256, 128, 64]
BATCH, HYBRID_BATCH = 128, 64  # of the triplets' and the hybrid phase in recipes/family.yaml
LINES = ("step", "hybrid", "bf16", "memory", "equal", "gpu")


@dataclass
class Side:
    """A trainer, and the steps that it has done."""

    trainer: Any
    around: Callable[[], Any] = nullcontext
    """What the steps are done in: oneDNN's switch."""

    def step(self, rows: list[dict[str, Any]]) -> float:
        """Train on the rows; the CPU seconds."""
        import torch

        trainer, model = self.trainer, self.trainer.model
        began = time.process_time()
        with self.around():
            model.train()
            trainer.training_step(model, trainer.data_collator(rows))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            trainer.optimizer.step()
            model.zero_grad()
        return time.process_time() - began


@dataclass(frozen=True)
class Bench:
    """A saved model, the rows for it, and a folder to work in."""

    model: Path
    folder: Path
    text: Path | None
    layers: int
    width: int
    dims: list[int] = field(default_factory=lambda: DIMS)
    device: str = "cpu"

    def rows(self, kind: str, count: int) -> Any:
        if self.text is None:
            return synthetic(kind, count)
        found = real(self.text, kind)  # again from the start where there are too few
        return found.select([row % len(found) for row in range(count)])

    def loaded(self) -> Any:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(self.model), device=self.device)
        model.model_card_data.widget = [{"text": ""}]  # or the Trainer reads the rows for examples
        return model

    def peer(self, kind: str, rows: Any, *, bf16: bool = False) -> Side:
        from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
        from sentence_transformers.sentence_transformer import losses

        model = self.loaded()
        loss = {
            "triplets": lambda: losses.MatryoshkaLoss(model, losses.MultipleNegativesRankingLoss(model), self.dims),
            "softmax": lambda: losses.SoftmaxLoss(model, model.get_embedding_dimension(), 3),
            "cosent": lambda: losses.CoSENTLoss(model),
        }[kind]()
        args = SentenceTransformerTrainingArguments(
            output_dir=str(self.folder / "peer"), use_cpu=self.device == "cpu", bf16=bf16, report_to="none"
        )
        trainer = SentenceTransformerTrainer(model=model, args=args, train_dataset=rows, loss=loss)
        return Side(ready(trainer))

    def ours(self, kind: str, rows: Any, *, precision: str = "fp32") -> Side:
        """zoo's Trainer as a phase makes it."""
        from zoo.losses import build_loss
        from zoo.train.arguments import arguments
        from zoo.train.gemm import onednn
        from zoo.train.precision import effective
        from zoo.train.speedups import Training, set_speedups
        from zoo.train.trainer import Trainer

        recipe = self.recipe(kind, precision)
        phase, model = recipe.phases[0], self.loaded()
        loss = build_loss(phase.data[0].loss, model)
        used = effective(recipe, phase, self.device)
        place = Path(tempfile.mkdtemp(dir=self.folder))
        columns = [name for name in rows.column_names if name != "label"]
        texts = [(rows.select_columns(columns), dict.fromkeys(columns, ""))]
        speedups = set_speedups(place, Training(model, [loss], phase.train, used, texts), print)
        args = arguments(recipe, phase, used, place, [])
        trainer = Trainer(model=model, args=args, train_dataset=rows, loss=loss, comparing=set(), speedups=speedups)
        return Side(ready(trainer), lambda: onednn(speedups.onednn))

    def recipe(self, kind: str, precision: str = "fp32") -> Any:
        from zoo.recipe import Workspace
        from zoo.recipe.schema import Recipe

        plain = Workspace.find().recipe("arabert-matryoshka").model_dump(mode="json", by_alias=True)
        phase = plain["phases"][0]
        losses: dict[str, Any] = {
            "triplets": {"type": "matryoshka", "inner": {"type": "mnrl"}, "dims": self.dims},
            "softmax": {"type": "softmax", "num_labels": 3},
            "cosent": {"type": "cosent"},
        }
        phase["data"][0]["loss"] = losses[kind]
        phase["train"] |= {"precision": precision, "batch_size": BATCH if kind == "triplets" else HYBRID_BATCH}
        return Recipe.model_validate({**plain, "dims": self.dims, "base": {**plain["base"], "width": self.width}})


def ready(trainer: Any) -> Any:
    """A trainer as `train` makes it ready for its first step."""
    trainer.create_optimizer()
    trainer.model, trainer.optimizer = trainer.accelerator.prepare(trainer.model, trainer.optimizer)
    trainer.current_gradient_accumulation_steps = 1
    return trainer


def batches(rows: Any, size: int) -> list[list[dict[str, Any]]]:
    listed = rows.to_list()
    return [listed[start : start + size] for start in range(0, len(listed) - size + 1, size)]


def tokens(side: Side, found: Sequence[list[dict[str, Any]]]) -> tuple[int, int]:
    """Padded and real tokens of batches, as the peer makes them: its second column and those after share a length."""
    words, padded, reals = side.trainer.model.tokenizer, 0, 0
    for rows in found:
        names = [name for name in rows[0] if name != "label"]
        first, *others = ([len(ids) for ids in words([row[name] for row in rows])["input_ids"]] for name in names)
        padded += len(rows) * (max(first) + len(others) * max(map(max, others)))
        reals += sum(first) + sum(map(sum, others))
    return padded, reals


def contest(what: str, one: Side, other: Side, found: Sequence[list[dict[str, Any]]]) -> float:
    """The sum of the CPU seconds of one side by that of the other, a batch in turn, after a step that is not counted."""
    spent: tuple[list[float], list[float]] = ([], [])
    for number, rows in enumerate([found[0][:8], *found]):
        both = one.step(rows), other.step(rows)
        for seconds, step in zip(spent, both, strict=True):
            seconds.extend([step] if number else [])
    ratios = [first / second for first, second in zip(*spent, strict=True)]
    print(f"{what}: {len(found)} batches of {len(found[0])}, {sum(spent[0]):.1f} s : {sum(spent[1]):.1f} s; "
          f"of one batch {min(ratios):.2f} … {statistics.median(ratios):.2f} … {max(ratios):.2f}", flush=True)  # fmt: skip
    return sum(spent[0]) / sum(spent[1])


def bar(what: str, value: float, bound: float, *, most: bool = False) -> bool:
    kept = value <= bound if most else value >= bound
    print(
        f"  {'pass' if kept else 'FAIL'}  {what}: {value:.3g} (bar: at {'most' if most else 'least'} {bound:.3g})",
        flush=True,
    )
    return kept


def step(bench: Bench, count: int) -> list[bool]:
    from zoo.train import gemm

    rows = bench.rows("triplets", BATCH * count)
    peer, ours, found = bench.peer("triplets", rows), bench.ours("triplets", rows), batches(rows, BATCH)
    padded, reals = tokens(peer, found)
    gained = contest(f"step, fp32, triplets, tokens {padded / reals:.2f}", peer, ours, found)
    if bench.text is None:
        return [bar("speed : 0.95 of the tokens", gained / (0.95 * padded / reals), 1), bar("speed", gained, 5.5)]
    kept = [bar("speed : 0.9 of the tokens", gained / (0.9 * padded / reals), 1)]
    return [*kept, bar("speed, as oneDNN is", gained, 3)] if (gemm.factor() or 0) >= 1.6 else kept


def hybrid(bench: Bench, count: int) -> list[bool]:
    kept = []
    for kind in ("softmax", "cosent"):
        rows = bench.rows(kind, HYBRID_BATCH * count)
        peer, ours, found = bench.peer(kind, rows), bench.ours(kind, rows), batches(rows, HYBRID_BATCH)
        padded, reals = tokens(peer, found)
        gained = contest(f"step, fp32, {kind}, tokens {padded / reals:.2f}", peer, ours, found)
        kept.append(bar("speed : 0.9 of the tokens", gained / (0.9 * padded / reals), 1))
    return kept


def bf16(bench: Bench, count: int) -> list[bool]:
    rows = bench.rows("triplets", BATCH * count)
    single, half = bench.ours("triplets", rows), bench.ours("triplets", rows, precision="bf16")
    gained = contest("step, bf16 against our own fp32", single, half, batches(rows, BATCH))
    return [bar("speed", gained, 1.6)]


def memory(bench: Bench, count: int) -> list[bool]:
    """Two steps in processes of their own."""
    spent = {}
    for side in ("peer", "ours"):
        told = {"model": str(bench.model), "text": bench.text and str(bench.text), "layers": bench.layers, "side": side,
                "width": bench.width}  # fmt: skip
        spent[side] = measure.run([sys.executable, "-m", "tests.bench.train", "--memory", json.dumps(told)]).megabytes
    print(f"peak memory of two steps: {spent['peer']:.0f} MB : {spent['ours']:.0f} MB")
    return [bar("memory", spent["ours"] / spent["peer"], 0.45, most=True)]


def two_steps(told: dict[str, Any]) -> None:
    text, side = told.pop("text"), told.pop("side")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(told.pop("model")), Path(folder), Path(text) if text else None, **told)
        rows = bench.rows("triplets", 2 * BATCH)
        trained = getattr(bench, side)("triplets", rows)
        for batch in batches(rows, BATCH):
            trained.step(batch)


def equal(bench: Bench, count: int) -> list[bool]:
    """Losses in fp32 and gradients in float64 without dropout: 3 layers, 16 rows a batch."""
    import torch

    rows = bench.rows("triplets", 16 * count)
    sides = [bench.peer("triplets", rows), bench.ours("triplets", rows)]
    for side in sides:
        for part in side.trainer.model.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        side.trainer.model[0].model.config.attention_probs_dropout_prob = 0.0
        for layer in side.trainer.model[0].model.encoder.layer:
            layer.attention.self.dropout.p = 0.0
    worst = 0.0
    for batch in batches(rows, 16):
        with torch.no_grad():
            one, other = (loss_of(side, batch).item() for side in sides)
        worst = max(worst, abs(one - other) / abs(one))
    kept = [bar("losses without dropout, relative", worst, 1e-6, most=True)]
    gradients = []
    for side in sides:
        side.trainer.model.double()
        loss_of(side, batches(rows, 16)[0]).backward()
        gradients.append(
            torch.cat([part.grad.flatten() for part in side.trainer.model.parameters() if part.grad is not None])
        )
    off = ((gradients[0] - gradients[1]).norm() / gradients[0].norm()).item()
    return [*kept, bar("gradients in float64, relative", off, 1e-9, most=True)]


def loss_of(side: Side, rows: list[dict[str, Any]]) -> Any:
    trainer = side.trainer
    trainer.model.train()
    inputs = trainer._prepare_inputs(trainer.data_collator(rows))
    with side.around():
        return trainer.compute_loss(trainer.model, inputs)


def gpu(bench: Bench, count: int) -> list[bool]:
    """Seconds of steps with bf16 on both sides, after one of each that is not counted; only where there is a GPU."""
    import torch

    if not torch.cuda.is_available():
        print("GPU: none here, left out")
        return []
    there = replace(bench, device="cuda")
    rows = there.rows("triplets", BATCH * count)
    found, spent = batches(rows, BATCH), {}
    sides = {"peer": there.peer("triplets", rows, bf16=True), "ours": there.ours("triplets", rows, precision="bf16")}
    for name, side in sides.items():
        for number, batch in enumerate([*found, *found]):
            if number == count:
                torch.cuda.synchronize()
                began = time.perf_counter()
            side.step(batch)
        torch.cuda.synchronize()
        spent[name] = time.perf_counter() - began
    padded, reals = tokens(sides["peer"], found)
    print(f"GPU ({torch.cuda.get_device_name()}), bf16, tokens {padded / reals:.2f}: {reals / spent['ours']:,.0f} tokens/s, "
          f"{6 * bench.layers * 12 * bench.width**2 * reals / spent['ours'] / 1e12:.1f} TFLOP/s")  # fmt: skip
    return [bar("speed", spent["peer"] / spent["ours"], 2)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", default=",".join(LINES), help=f"of {','.join(LINES)}")
    asked.add_argument("--layers", type=int, default=3)
    asked.add_argument("--batches", type=int, default=10)
    asked.add_argument("--text", type=Path)
    asked.add_argument("--tokenizer", type=Path)
    asked.add_argument("--whole", action="store_true")
    asked.add_argument("--memory", type=json.loads, help=argparse.SUPPRESS)
    given = asked.parse_args()
    quiet()
    if given.memory:
        two_steps(given.memory)
        return
    from zoo.train import gemm

    print(f"{processor()}; load {os.getloadavg()[0]:.1f}; oneDNN {gemm.factor() or 1:.2f}x in the probe")
    kept: list[bool] = []
    with tempfile.TemporaryDirectory(prefix="zoo-bench-") as folder:
        words = tokenizer(given.tokenizer)
        model = save_model(Path(folder), layers=given.layers, width=DIMS[0], words=words)
        bench = Bench(model, Path(folder), given.text, given.layers, DIMS[0])
        for line in given.only.split(","):
            kept += {"step": step, "hybrid": hybrid, "bf16": bf16, "memory": memory, "equal": equal, "gpu": gpu}[line](
                bench, given.batches
            )
        if given.whole:
            from tests.bench.training_run import whole

            kept += whole(Path(folder), words, given.text)
    sys.exit(0 if all(kept) else 1)


def quiet() -> None:
    import logging
    import warnings

    import torch
    from transformers.utils import logging as theirs

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    logging.disable(logging.WARNING)


def processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return names[0] if names else "unknown processor"


if __name__ == "__main__":
    main()
