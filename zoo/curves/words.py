"""Facts about a training in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from zoo.plurals import how_many


def facts_in_words(facts: Mapping[str, Any]) -> str:
    """Return facts for people, those that are there: 'loss 1.234, dev 0.812, 64 rows/s, 2,100 tokens/s, 1.9 GB'."""
    forms: Mapping[str, Callable[[float], str]] = {
        "loss": lambda value: f"loss {value:.4g}",
        "dev": lambda value: f"dev {value:.3f}",
        "rows_per_second": lambda value: f"{value:,.0f} rows/s",
        "tokens_per_second": lambda value: f"{value:,.0f} tokens/s",
        "memory": amount,
        "device_memory": lambda value: f"{amount(value)} on the GPU",
        "seconds_left": lambda value: f"{duration(value)} left",
    }
    return ", ".join(form(facts[name]) for name, form in forms.items() if facts.get(name) is not None)


def amount(size: float) -> str:
    """Return a number of bytes for people: '1.9 GB', '350 MB'."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Return a time for people: '8 s', '12 min', '3 h 20 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def told(entry: Mapping[str, Any]) -> str:
    """Return an entry of a journal as a line, in local time: '12:04:31  triplets  120/4358  loss 1.234, 64 rows/s'."""
    when = _local(entry)
    time = when.strftime("%H:%M:%S") if when else "        "
    return f"{time}  {entry['phase']}  {entry['step']}/{entry.get('of', '?')}  {_said(entry)}"


def _local(entry: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(entry.get("time"))).astimezone()
    except ValueError:
        return None


def _said(entry: Mapping[str, Any]) -> str:
    event = str(entry["event"])
    if event in ("begin", "resume"):
        precision, when = (entry.get("precision") or {}).get("used"), _local(entry)
        did = "goes on" if event == "resume" else "begins"
        parts = [f"{did} on {when.date()}" if when else did, machine(entry.get("hardware") or {}), precision]
        return ", ".join(str(part) for part in parts if part)
    if event == "dev":
        return ", ".join(f"{_name(key)} {value:.4f}" for key, value in entry.items() if _is_score(key, value))
    if event == "end":
        facts = {name: entry.get(name) for name in ("memory", "device_memory")}
        tokens = f"{entry.get('tokens', 0):,} tokens"
        energy = f"{entry['kwh']:.3g} kWh" if "kwh" in entry else ""
        ended = f"over after {duration(entry.get('seconds', 0))}"
        return ", ".join(part for part in (ended, tokens, energy, facts_in_words(facts)) if part)
    if event == "stopped":
        return f"stopped: {entry.get('why')}"
    return facts_in_words(entry) if event == "log" else event


def _is_score(key: str, value: Any) -> bool:
    return key.startswith("eval_") and isinstance(value, int | float)


def _name(key: str) -> str:
    """A score's name without what all have: 'eval_dev_256_spearman_cosine' -> 'dev 256 spearman'."""
    return key.removeprefix("eval_").removesuffix("_cosine").replace("_", " ")


def machine(hardware: Mapping[str, Any]) -> str:
    """Return what a training ran on: '2 x NVIDIA H200', 'AMD EPYC, 2 threads'; empty when it is not known."""
    if gpus := hardware.get("gpus"):
        used = hardware.get("processes", 1)
        return f"{used} x {gpus[0]}" if used > 1 else str(gpus[0])
    if not hardware.get("cpu"):
        return ""
    threads = hardware.get("threads", 1) * hardware.get("processes", 1)
    return f"{hardware['cpu']}, {how_many(threads, 'thread')}"


def spent_in_words(facts: Mapping[str, Any]) -> str:
    """Return the facts of `zoo.curves.journal.Spent` as '12 min on AMD EPYC, 2 threads; 2,100 tokens/s; 0.02 kWh'."""
    if not facts:
        return ""
    machines = ", then ".join(dict.fromkeys(machine(one) for one in facts["hardware"]))
    speed, energy = facts.get("tokens_per_second"), facts.get("energy")
    parts = [f"{duration(facts['seconds'])} on {machines}", f"{speed:,.0f} tokens/s" if speed else ""]
    if energy:
        carbon = f" ({_about(energy['kg_co2'], 'kg CO2')})" if "kg_co2" in energy else ""
        parts.append(f"{_about(energy['kwh'], 'kWh')}{carbon}")
    return "; ".join(part for part in parts if part)


def _about(number: float, unit: str) -> str:
    """A measured number as people write it, never as '4.79e-06'."""
    return f"about {number:,.3f} {unit}" if number >= 0.001 else f"under 0.001 {unit}"
