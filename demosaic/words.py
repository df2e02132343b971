"""Numbers with what they count."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 step` or `2 steps`; `many` for words like people."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
