"""In which precision a phase trains here: what the recipe asks for, where the device has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers.utils import is_torch_bf16_gpu_available

from zoo.errors import TrainError
from zoo.recipe.schema import Recipe
from zoo.recipe.training import NamedPhase

Kind = Literal["fp32", "bf16", "fp16"]

# Instructions that multiply bf16: AVX-512 and AMX of x86, NEON and SVE of Arm.
BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


@dataclass(frozen=True)
class Precision:
    """The precision that a recipe asks for and the one that is used, on a device 'cpu', 'cuda', 'mps' or 'xpu'."""

    asked: Kind
    used: Kind
    device: str

    @property
    def remarkable(self) -> bool:
        """True when people should hear of it: it is not what they asked for, or the processor trains in less."""
        return self.used != self.asked or (self.device == "cpu" and self.used != "fp32")

    @property
    def told(self) -> str:
        """The precision in words that follow the name of a phase: 'trains in fp32 on the CPU, which has no bf16'."""
        where = "on the CPU" if self.device == "cpu" else f"on {self.device}"
        why = f", which has no {self.asked}" if self.used != self.asked else ""
        return f"trains in {self.used} {where}{why}"


def effective(recipe: Recipe, phase: NamedPhase, device: str | None) -> Precision:
    """The precision in which the phase trains on `device` (null: the best there is).

    Raises:
        TrainError: fp16 is asked for and the device is the CPU.
    """
    asked, kind = phase.train.precision, kind_of(device)
    if asked == "fp16" and kind == "cpu":
        where = f"phase '{phase.name}' of '{recipe.name}'"
        hint = f"--set phases.{phase.name}.train.precision=bf16 (which is fp32 where the processor has no bf16)"
        raise TrainError(f"{where} asks for precision 'fp16', in which a CPU cannot train", hint=hint)
    return decide(asked, kind, bf16=asked == "bf16" and has_bf16(kind))


def decide(asked: Kind, kind: str, *, bf16: bool) -> Precision:
    """bf16 becomes fp32 where the device does not have it: the same sums, slower and more exact."""
    return Precision(asked, "fp32" if asked == "bf16" and not bf16 else asked, kind)


def kind_of(device: str | None) -> str:
    """The kind of `device`; of the one that the Trainer would choose when it is null."""
    if device is not None:
        return torch.device(device).type
    best = torch.accelerator.current_accelerator(check_available=True)
    return best.type if best else "cpu"


def has_bf16(kind: str) -> bool:
    """True when the device multiplies bf16 faster than fp32, so that autocast is of use."""
    return cpu_has_bf16(capabilities()) if kind == "cpu" else bool(is_torch_bf16_gpu_available())


def cpu_has_bf16(found: Mapping[str, Any]) -> bool:
    """True when the processor has the instructions and torch the library that uses them; on a Mac it has none."""
    library = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(library) and any(found.get(name) for name in BF16)


def capabilities() -> Mapping[str, Any]:
    """Instructions that the processor has, by name; none from a torch that is too old to say."""
    ask = getattr(torch.cpu, "get_capabilities", dict)
    found: Mapping[str, Any] = ask()
    return found


def require_used(precision: Precision, mixed: str) -> None:
    """Raise a TrainError when the Trainer would train in another precision than the log will say.

    `mixed` is accelerate's word for it, 'no' for fp32. Its environment variable wins where a recipe asks for fp32.
    """
    used = "fp32" if mixed == "no" else mixed
    if used != precision.used:
        hint = "unset ACCELERATE_MIXED_PRECISION, or ask for it in the recipe"
        raise TrainError(f"accelerate is set to '{used}', and the recipe trains in '{precision.used}'", hint=hint)


def refuse_precision(recipes: Iterable[Recipe], device: str | None) -> None:
    """Raise before anything is built when a phase of these recipes cannot train on `device`.

    Raises:
        TrainError: it asks for fp16 and the device is the CPU.
    """
    for recipe in recipes:
        for phase in recipe.phases:
            effective(recipe, phase, device)
