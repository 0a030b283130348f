"""Labels and sources, in English and Arabic."""

from __future__ import annotations

from zoo.leaderboard.table import Column, Source, Text

PAPER = Source("paper", Text("paper", "الورقة"), ours=False)
COMPUTED = Source("computed", Text("computed from the paper", "محسوب من الورقة"), ours=False)
MTEB = Source("mteb", Text("mteb results repository", "مستودع نتائج mteb"), ours=False)
MEASURED = Source("measured", Text("measured", "قياسنا"), ours=True)
RECIPES = Source("recipes", Text("our recipes", "وصفاتنا"), ours=True)

MODEL = Column("model", Text("Model", "النموذج"), numeric=False)
DIM = Column("dim", Text("Dim", "البُعد"))
PARAMETERS = Text("Parameters", "المعاملات")
SPEED = Text("Tokens/s", "رموز/ثانية")
AVERAGE = Text("Average", "المتوسط")
MEAN = Text("Mean", "المتوسط")
RANK = Text("Rank", "الرتبة")


def without(names: str) -> Text:
    return Text(f"Mean without {names}", f"المتوسط دون {names}")
