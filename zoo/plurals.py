"""Numbers of things in words: one of them, or many."""


def how_many(count: int, one: str, many: str = "") -> str:
    """Return a number of things in words: '1 recipe', '2 recipes', '1,200 rows'.

    Args:
        many: the plural, where it is not `one` with an 's'.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
