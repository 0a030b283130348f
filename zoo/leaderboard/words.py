"""Labels and sources, in English and Arabic."""

from __future__ import annotations

from zoo.leaderboard.table import Provenance, TableColumn, Text
from zoo.tasks import MeasureName

PAPER = Provenance("paper", Text("paper", "الورقة"), ours=False)
COMPUTED = Provenance("computed", Text("computed from the paper", "محسوب من الورقة"), ours=False)
MTEB = Provenance("mteb", Text("mteb results repository", "مستودع نتائج mteb"), ours=False)
MEASURED = Provenance("measured", Text("measured", "قياسنا"), ours=True)

MODEL = TableColumn("model", Text("Model", "النموذج"), numeric=False)
DIM = TableColumn("dim", Text("Dim", "البُعد"))
PARAMETERS = Text("Parameters", "المعاملات")
SPEED = Text("Tokens/s", "رموز/ثانية")
PAPERS_MEAN = Text("Paper's mean", "متوسط الورقة")
MEAN = Text("Mean", "المتوسط")
RANK = Text("Rank", "الرتبة")


def without(names: str) -> Text:
    """Return the label of a mean that leaves tasks out."""
    return Text(f"Mean without {names}", f"المتوسط دون {names}")


def beside_score(column: str, name: MeasureName) -> Text:
    """Return the label of what stands beside the score of a task."""
    en, ar = {"margin": ("margin", "الهامش"), "ties": ("ties, %", "التعادلات، %")}[name]
    return Text(f"{column}: {en}", f"{column}: {ar}")
