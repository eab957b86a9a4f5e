"""Small numbers of persons and households in what is published: hidden, and so that nobody can work them out from a total."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 5  # fewer than so many are not told
SMALL = f"不足{LEAST}"
HIDDEN = "不公开"


def small(value: int | None) -> bool:
    return value is not None and 0 < value < LEAST


def hidden(values: Sequence[int | None]) -> tuple[list[bool], bool]:
    """Which parts of a column with a total must not be shown, and whether the total must go as well.

    One hidden part could be found by subtraction, and several whose sum is small too: the smallest others go with them.
    Where nothing is left to hide behind, the total is not told either.
    """
    away = [small(value) for value in values]
    while any(away):
        together = sum(value or 0 for value, gone in zip(values, away, strict=True) if gone)
        if sum(away) > 1 and together >= LEAST:
            break
        others = [(value, place) for place, value in enumerate(values) if value and not away[place]]
        if not others:
            return away, True
        away[min(others)[1]] = True
    return away, False


def column(values: Sequence[int | None]) -> tuple[list[str | None], bool]:
    """What stands in place of each part (None: it may be told), and whether the total is hidden."""
    away, total = hidden(values)
    return [
        None if not gone else SMALL if small(value) else HIDDEN for value, gone in zip(values, away, strict=True)
    ], total
