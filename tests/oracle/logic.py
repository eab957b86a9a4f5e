"""Three-valued logic with None for unknown, as SQL has it: an unknown only matters where the rest does not decide."""

from collections.abc import Iterable
from fractions import Fraction

Truth = bool | None
Number = Fraction | int


def not_(a: Truth) -> Truth:
    return None if a is None else not a


def any_(values: Iterable[Truth]) -> Truth:
    """True where one is true; unknown where none is true but one is unknown."""
    seen = list(values)
    if any(v is True for v in seen):
        return True
    return None if any(v is None for v in seen) else False


def all_(values: Iterable[Truth]) -> Truth:
    """False where one is false; unknown where none is false but one is unknown."""
    seen = list(values)
    if any(v is False for v in seen):
        return False
    return None if any(v is None for v in seen) else True


def or_(*values: Truth) -> Truth:
    return any_(values)


def and_(*values: Truth) -> Truth:
    return all_(values)


def at_least(count: int, values: Iterable[Truth]) -> Truth:
    """At least `count` of the conditions hold; unknown where the unknown ones could still make up the number."""
    seen = list(values)
    sure = sum(v is True for v in seen)
    if sure >= count:
        return True
    return None if sure + sum(v is None for v in seen) >= count else False


def less(a: Number | None, b: Number | None) -> Truth:
    return None if a is None or b is None else a < b


def at_most(a: Number | None, b: Number | None) -> Truth:
    return None if a is None or b is None else a <= b


def is_(value: object, wanted: object) -> Truth:
    """A column equals a value: unknown where the column is blank."""
    return None if value is None else value == wanted


def within(value: object, wanted: Iterable[object]) -> Truth:
    return None if value is None else value in set(wanted)
