"""Identity numbers: 18 digits by GB 11643, and what becomes of everything else that stands in an id column.

Reads the text of a cell, writes `number` (18 characters, usable to say who somebody is, else null) and `state`:
`valid` · `converted` (15 digits, century and check character added) · `damaged` (a spreadsheet rounded it; never
repaired) · `invalid` · `missing` (blank, or a placeholder such as 999999…). Refuses to guess: a number whose check
character does not hold is never usable. A number ending in 000 whose check holds is `valid` here; only linking, which
sees the whole county, can tell whether it was rounded.
"""

import functools
import operator
from collections.abc import Sequence
from datetime import date

import polars as pl

from pipelines.identity.text import _BLANK_OR_INVISIBLE, means_nothing

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_PLACEHOLDER_AREA = "999999"
_PLACEHOLDER = rf"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)X?$|^{_PLACEHOLDER_AREA}"
# No clock is asked: "plausible" is this range, and a birth date after the period is the snapshot's business.
_BORN_FROM, _BORN_TO = date(1900, 1, 1), date(2099, 12, 31)
_BORN_BEGINS = 19000101
_MIX_1, _MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

STATES = ("valid", "converted", "damaged", "invalid", "missing")


def id_text(raw: pl.Expr) -> pl.Expr:
    """A cell of an id column without what does not belong to the number: blanks, invisible marks, quotes, the `.0` of
    a numeric cell; `x` and the letters that look like it as `X`; null where the cell means nothing."""
    cleaned = (
        raw.str.normalize("NFKC")
        .str.replace_all(_BLANK_OR_INVISIBLE, "")
        .str.replace_all(r"['‘’′`´\"“”]|^=", "")
        .str.to_uppercase()
        .str.replace(r"^([0-9]{17}(?:[0-9][0-9])?)[×ХΧ✕]", "${1}X")
        .str.replace(r"^([0-9]+)\.0*$", "$1")
    )
    return pl.when(~means_nothing(cleaned)).then(cleaned)


def _sums(weights: Sequence[int]) -> pl.Series:
    """The sum of digit x weight of every number of so many digits, to be looked up."""
    digits = pl.int_range(10 ** len(weights), eager=True)
    sums = [digits // 10 ** (len(weights) - 1 - at) % 10 * weight for at, weight in enumerate(weights)]
    return pl.Series(sum(sums, start=digits * 0))


# The 17 digits in groups: what to divide by to get at one, and the sums of its digits x weights.
_GROUPS = [(10 ** (17 - end), _sums(_WEIGHTS[start:end])) for start, end in ((0, 5), (5, 9), (9, 13), (13, 17))]


def _weighted_sum(seventeen: pl.Expr) -> pl.Expr:
    """Sum of digit x weight of a 17-digit Int64 (GB 11643), looked up by groups of digits: faster than one by one."""
    first, *others = (pl.lit(sums).gather(seventeen // place % sums.len()) for place, sums in _GROUPS)
    return functools.reduce(operator.add, others, first)


def _check_value(number: pl.Expr) -> pl.Expr:
    """The value of the last of 18 characters; X is ten."""
    last = number.str.tail(1)
    return pl.when(last == "X").then(10).otherwise(last.cast(pl.Int64, strict=False))


@functools.cache
def _days_of_birth() -> pl.Series:
    """The days on which somebody alive could be born, each at the place of its YYYYMMDD; null at all other places.
    A birth date is looked up here: reading it out of the text takes ten times as long."""
    days = pl.date_range(_BORN_FROM, _BORN_TO, eager=True)
    places = days.dt.strftime("%Y%m%d").cast(pl.Int32) - _BORN_BEGINS
    table = pl.repeat(None, int(places[-1]) + 1, dtype=pl.Int32, eager=True)
    return table.scatter(places, days.to_physical()).cast(pl.Date)


def _plausible_birth(digits: pl.Expr) -> pl.Expr:
    """Birth date out of YYYYMMDD; null where there is no such day or nobody alive could be born on it."""
    place = digits.cast(pl.Int32, strict=False) - _BORN_BEGINS
    inside = pl.when(place.is_between(0, len(_days_of_birth()) - 1)).then(place)
    return inside.map_batches(lambda places: _days_of_birth().gather(places).alias(places.name), return_dtype=pl.Date)


def plain_number(raw: pl.Expr) -> pl.Expr:
    """`parse_numbers` of cells that hold a valid number as it stands; null for all others."""
    seventeen = raw.str.head(17).cast(pl.UInt64, strict=False)
    # Without a pattern, which costs more than all the rest: 17 digits that begin with one, and one character more.
    fits = (raw.str.len_bytes() == 18) & (seventeen >= 10**16) & (seventeen // 10**11 != int(_PLACEHOLDER_AREA))
    born = _plausible_birth(raw.str.slice(6, 8)).is_not_null()  # also keeps out 111111…
    return pl.when(fits & ((_weighted_sum(seventeen) + _check_value(raw)) % 11 == 1) & born).then(raw)


def parse_numbers(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Adds `number` and `state` to a frame with `text` (an `id_text`). Each stage reads the columns of the one
    before, so that nothing is computed twice."""
    text = pl.col("text")
    card = text.str.extract(r"^([0-9]{17}[0-9X])[1-7][1-4](?:B[0-9])?$")  # disability card: id, kind, grade, reissue
    old = text.str.extract(r"^([0-9]{15})$")
    body = pl.coalesce(card, text.str.extract(r"^([0-9]{17}[0-9X])$"), old.str.head(6) + "19" + old.str.tail(9))
    total = _weighted_sum(pl.col("_body").str.head(17).cast(pl.Int64))
    check_character = pl.lit(_CHECK_CHARACTERS).str.slice(pl.col("_total") % 11, 1)
    is_placeholder = text.str.contains(_PLACEHOLDER)
    converted = pl.col("_body").str.len_bytes() == 17
    holds = (pl.col("_total") + _check_value(pl.col("_body"))) % 11 == 1
    born = _plausible_birth(pl.col("_body").str.slice(6, 8)).is_not_null()
    damaged = text.str.contains(r"^[0-9](?:\.[0-9]*)?E\+?[0-9]{1,2}$|^[0-9]{15}0{3}$|^[0-9]{15}0{5}$")
    return (
        frame.with_columns(_body=pl.when(~is_placeholder).then(body))
        .with_columns(_total=total)
        .with_columns(
            state=pl.when(text.is_null() | is_placeholder)
            .then(pl.lit("missing"))
            .when(converted & born)
            .then(pl.lit("converted"))
            .when(~converted & holds & born)
            .then(pl.lit("valid"))
            .when(damaged)
            .then(pl.lit("damaged"))
            .otherwise(pl.lit("invalid"))
        )
        .with_columns(
            number=pl.when(pl.col("state") == "valid")
            .then(pl.col("_body"))
            .when(pl.col("state") == "converted")
            .then(pl.col("_body") + check_character)
        )
        .drop("_body", "_total")
    )


def person_id_of(number: pl.Expr) -> pl.Expr:
    """The person's integer key: the 17 leading digits through the splitmix64 finaliser, without its lowest four bits.

    The same number gives the same key in every run and version, the key alone does not show the number, and
    neighbouring numbers do not get neighbouring keys. Polars multiplies UInt64 modulo 2**64, which the finaliser needs
    (a test holds it against plain Python)."""
    return number.str.head(17).cast(pl.UInt64).map_batches(_mixed, return_dtype=pl.Int64)


def _mixed(leading: pl.Series) -> pl.Series:
    """The finaliser on whole columns, step by step: as one expression every step would compute all before it again."""
    for shift, factor in ((30, _MIX_1), (27, _MIX_2)):
        leading = (leading ^ (leading // 2**shift)) * pl.Series([factor], dtype=pl.UInt64)
    leading = leading ^ (leading // 2**31)
    return (leading // 16).cast(pl.Int64)


def birth_date_of(number: pl.Expr) -> pl.Expr:
    """Birth date that a usable 18-digit number states."""
    return _plausible_birth(number.str.slice(6, 8))


def sex_of(number: pl.Expr) -> pl.Expr:
    """男 or 女 by the 17th digit of a usable 18-digit number."""
    odd = number.str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1
    return pl.when(odd).then(pl.lit("男")).when(odd.not_()).then(pl.lit("女"))
