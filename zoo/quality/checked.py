"""What a check of a dataset is, and what it says: a verdict, a figure in words, and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from zoo.say import Progress

if TYPE_CHECKING:
    from zoo.quality.material import Material

FORMAT = 1  # one more whenever a report says other things, or checks look otherwise
Outcome = Literal["ok", "warning", "problem", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("problem", "warning", "ok", "skipped")  # worst first


@dataclass(frozen=True)
class ShownRow:
    """A row that shows what a check found. Its texts are short, and personal data in them is masked."""

    split: str
    row: int | None
    """Its place in the split, from 0; None where it is not known."""
    texts: list[str]
    note: str


@dataclass(frozen=True)
class Checked:
    """The result of one check."""

    verdict: Outcome
    figure: str
    """The numbers in words, or why it was skipped."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The numbers for machines."""
    examples: Sequence[ShownRow] = ()
    advice: str = ""
    """The edit or the command that puts it right."""


Run = Callable[["Material", Progress], Checked]


@dataclass(frozen=True)
class QualityCheck:
    """A check: its name, the sentence that says what it finds, and the function that looks."""

    name: str
    says: str
    run: Run


CHECKS: dict[str, QualityCheck] = {}
"""{name: check}."""


def quality_check(name: str, says: str) -> Callable[[Run], Run]:
    """Register the decorated function as a check."""

    def add(run: Run) -> Run:
        CHECKS[name] = QualityCheck(name, says, run)
        return run

    return add


@dataclass(frozen=True)
class CheckReport:
    """All that the checks said of a dataset."""

    target: str
    rows: Mapping[str, int]
    """{split: its rows}."""
    roles: Mapping[str, Any]
    """What its columns were taken for."""
    checks: Mapping[str, Checked]
    miniature: bool = False

    def count(self, verdict: Outcome) -> int:
        """The number of checks with a verdict."""
        return sum(one.verdict == verdict for one in self.checks.values())

    def as_json(self) -> dict[str, Any]:
        """The report as plain data: {format, target, rows, roles, miniature, verdicts: {verdict: its checks}, checks:
        [{check, says, verdict, figure, advice, facts, examples: [{split, row, texts, note}]}]}."""
        verdicts = Counter(one.verdict for one in self.checks.values())
        return {
            "format": FORMAT,
            "target": self.target,
            "rows": dict(self.rows),
            "roles": dict(self.roles),
            "miniature": self.miniature,
            "verdicts": {one: verdicts[one] for one in OUTCOMES},
            "checks": [{"check": name, "says": CHECKS[name].says, **asdict(one)} for name, one in self.checks.items()],
        }


def of_many(part: int, whole: int) -> str:
    """A count of a whole in words: '12 of 3,000 (0.4 %)'."""
    if not whole:
        return "0 of 0"
    share = 100 * part / whole
    told = f"{share:.1f}" if share >= 0.1 or not part else "under 0.1"
    return f"{part:,} of {whole:,} ({told} %)"


def verdict_on(part: int, whole: int, *, warn: float = 0.0, problem: float = 1.0) -> Outcome:
    """The verdict on a count of a whole: ok up to the share `warn`, a problem above the share `problem`."""
    share = part / whole if whole else 0.0
    if share > problem:
        return "problem"
    return "warning" if share > warn else "ok"


def worst(verdicts: Sequence[Outcome]) -> Outcome:
    """The worst of some verdicts; ok when there are none."""
    return min(verdicts, key=OUTCOMES.index, default="ok")
