"""Dates, amounts, yes/no and codes: the text of a cell -> a typed value, null where it can't be understood.

Every function takes a frame with `text` (a `filled` key: half-width, no blanks, upper case, null where the cell means
nothing) and adds `value`. Two things are never guessed: a century (26-3-5) and what a spreadsheet may have cut off
(2026.1 is January or October).
Digits are written [0-9] throughout: `\\d` would take in those of other scripts.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import TypeVar

import polars as pl

from pipelines.identity.text import key

T = TypeVar("T")

FIRST_DAY, LAST_DAY = pl.date(1900, 1, 1), pl.date(2100, 12, 31)
OPEN_END = (
    "长期", "长期有效", "永久", "永久有效", "无期限", "无固定期限", "99991231", "9999-12-31", "9999/12/31",
    "9999.12.31",
)  # fmt: skip
AMOUNT = pl.Decimal(14, 2)

_SECONDS = r"[0-5]?[0-9](?:\.[0-9]+)?"
_CLOCK = rf"(?:上午|下午|[AP]M)?(?:[01]?[0-9]|2[0-4])[:时点](?:[0-5]?[0-9](?:[:分](?:{_SECONDS})?)?秒?)?"
_TIME = rf"(?:T?{_CLOCK}(?:[AP]M)?(?:Z|[+-][0-9][0-9]:?[0-9][0-9])?)?"
_LONG = rf"^([0-9]{{4}})[-/.年]([0-9]{{1,2}})(?:[-/.月]([0-9]{{1,2}})[日号]?{_TIME}|月)?$"
_SHORT = rf"^([0-9]{{4}})([0-9][0-9])(?:([0-9][0-9])(?:{_TIME}|T?(?:[01][0-9]|2[0-4])[0-5][0-9](?:[0-5][0-9])?))?$"
_CUT_OFF = r"^[0-9]{4}\.1$"
_SERIAL = r"^([0-9]{5})(?:\.[0-9]+)?$"

_YES = ("是", "有", "√", "✓", "✔", "☑", "1", "Y", "YES", "T", "TRUE", "对", "已", "是的", "愿意", "已参加", "已享受")
_NO = ("否", "无", "×", "✗", "✘", "✕", "✖", "☒", "X", "0", "N", "NO", "F", "FALSE", "不", "未", "没有", "不是", "非",
       "不愿意", "未参加", "未享受")  # fmt: skip
_YES_BEFORE, _NO_BEFORE = ("", "已", "有", "是"), ("未", "不", "没", "没有", "无", "否", "非", "不是")

_NUMBER = r"([0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"


def date_text(raw: pl.Expr) -> pl.Expr:
    """A cell of a date column: like `key`, but a blank between two digits becomes the T of ISO 8601, so that the time
    after it stays apart from the day."""
    dashed = raw.str.normalize("NFKC").str.strip_chars().str.replace_all(r"[\p{Pd}−]", "-")
    return key(dashed.str.replace(r"([0-9])\s+([0-9]{1,2}[:时点])", "${1}T${2}"))


def parse_dates(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Adds `value` (Date): the spellings of the contract, with or without a time; a month is its first day.

    Only days that exist between 1900-01-01 and 2100-12-31."""
    text = pl.col("text")
    long, short = text.str.extract_groups(_LONG), text.str.extract_groups(_SHORT)
    part = pl.when(text.str.contains(_LONG) & ~text.str.contains(_CUT_OFF)).then(long).otherwise(short)
    serial = text.str.extract(_SERIAL).cast(pl.Int32)
    return (
        frame.with_columns(_part=part, _serial=serial)
        .with_columns(
            _day=pl.concat_str(
                pl.col("_part").struct.field("1"),
                pl.col("_part").struct.field("2").str.zfill(2),
                pl.col("_part").struct.field("3").fill_null("01").str.zfill(2),
            )
        )
        .with_columns(
            value=pl.coalesce(
                pl.col("_day").str.to_date("%Y%m%d", strict=False),
                pl.date(1899, 12, 30) + pl.duration(days=pl.col("_serial")),
            )
        )
        .with_columns(value=pl.when(pl.col("value").is_between(FIRST_DAY, LAST_DAY)).then(pl.col("value")))
        .drop("_part", "_serial", "_day")
    )


def plain_date(raw: pl.Expr) -> pl.Expr:
    """`parse_dates` of cells that are ISO dates as they stand; null for all others, and for days that do not exist."""
    iso = raw.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    day = pl.when(iso).then(raw).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(day.is_between(FIRST_DAY, LAST_DAY)).then(day)


def parse_months(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Adds `value` (Date, the month's first day): a month or a full date in any spelling of `parse_dates`."""
    return parse_dates(frame).with_columns(pl.col("value").dt.truncate("1mo"))


def parse_years(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Adds `value` (Int32): 2026, 2026年(度), a school year 2025-2026学年 by its first year, or the year of a date
    that is written out. A bare 2025-2026 is two years, and a serial number is no year: neither is understood."""
    text = pl.col("text")
    written = pl.when(~text.str.contains(_SERIAL)).then(pl.col("value").dt.year())
    year = text.str.extract(r"^([0-9]{4})(?:年度?|[-/—~至](?:[0-9]{4}|[0-9][0-9])学年度?|学年度?)?$").cast(pl.Int32)
    plausible = pl.when(year.is_between(1900, 2100)).then(year)
    return parse_dates(frame).with_columns(value=pl.coalesce(plausible, written).cast(pl.Int32))


def _parse_decimals(frame: pl.LazyFrame, scale: int, suffixes: Iterable[str]) -> pl.LazyFrame:
    """Adds `value` (Decimal(38,10)). `scale` is a power of ten out of the heading (万元: 10000); a unit that the cell
    itself states (元, 万) wins over it. The shift goes into the exponent of the text: no float touches money."""
    pattern = rf"^(\()?([-+]?){_NUMBER}(E[-+]?[0-9]{{1,2}})?(亿|万|千)?(元|圆|%|{'|'.join(suffixes) or '元'})?整?(\))?$"
    text = pl.col("text").str.replace_many(["−", "¥", "RMB", "CNY", "人民币", "负"], ["-", "", "", "", "", "-"])
    opened, sign, digits, exponent, unit, yuan, closed = (pl.col("_part").struct.field(str(n)) for n in range(1, 8))
    own_unit = unit.is_not_null() | yuan.is_in(["元", "圆"]).fill_null(False)
    shift = (
        pl.when(own_unit)
        .then(unit.replace_strict({"亿": 8, "万": 4, "千": 3}, default=0, return_dtype=pl.Int32))
        .otherwise(len(str(scale)) - 1)
    )
    power = exponent.str.strip_prefix("E").cast(pl.Int32, strict=False).fill_null(0) + shift
    sound = (opened.is_null() == closed.is_null()) & (opened.is_null() | (sign == ""))
    signed = pl.when(opened.is_not_null()).then(pl.lit("-")).otherwise(sign.str.replace("+", "", literal=True))
    return (
        frame.with_columns(_part=text.str.extract_groups(pattern))
        .with_columns(
            value=pl.when(sound).then(
                pl.concat_str(signed, digits.str.replace_all(",", "", literal=True), pl.lit("E"), power.cast(pl.String))
            )
        )
        .with_columns(value=pl.col("value").cast(pl.Decimal(38, 10), strict=False))
        .drop("_part")
    )


def parse_amounts(frame: pl.LazyFrame, scale: int = 1, suffixes: Iterable[str] = ()) -> pl.LazyFrame:
    """Adds `value` (Decimal(14,2)): half a cent goes away from zero; 1.2万元, thousands separators (only in threes:
    `12,5` is no 125), brackets or a minus for negatives."""
    rounded = pl.col("value").round(2, mode="half_away_from_zero").cast(AMOUNT, strict=False)
    return _parse_decimals(frame, scale, suffixes).with_columns(value=rounded)


def parse_counts(frame: pl.LazyFrame, suffixes: Iterable[str] = ("人", "名", "张", "个", "户", "次")) -> pl.LazyFrame:
    """Adds `value` (Int64): a whole number, also written 12.0 or 12人; 1.5 is no count."""
    number = pl.col("value")
    whole = pl.when(number == number.round(0)).then(number.cast(pl.Int64, strict=False))
    return _parse_decimals(frame, 1, suffixes).with_columns(value=whole)


def yes_no_words(heading: str) -> dict[str, bool]:
    """What may stand in a yes/no column: the usual words and signs, and what its own heading names
    (住房是否安全: 安全, 不安全)."""
    stem = heading.rpartition("是否")[2]
    own = {p + stem: True for p in _YES_BEFORE} | {p + stem: False for p in _NO_BEFORE}
    return own | dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)


def spellings(codes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Every spelling of a code list, as `key` -> canonical; a canonical value wins over another one's alias."""
    pairs = [(alias, code) for code, aliases in codes.items() for alias in aliases] + [(code, code) for code in codes]
    keys = _keys(tuple(spelling for spelling, _ in pairs))
    return dict(zip(keys, (code for _, code in pairs), strict=True))


def plain_words(words: Mapping[str, T]) -> dict[str, T]:
    """Those of the words that are found as they stand: each is its own `key`."""
    return {word: words[word] for word, key_ in zip(words, _keys(tuple(words)), strict=True) if word == key_}


@functools.lru_cache(maxsize=4096)
def _keys(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The `key` of each text. Kept: every part of a feed asks for the same lists, and a small query takes as long as
    the cells of a small file."""
    return tuple(pl.Series("s", texts, dtype=pl.String).to_frame().select(key(pl.col("s"))).to_series().to_list())


def several(text: pl.Expr) -> pl.Expr:
    """The members of a cell with several values; `text` is not a `key` (blanks separate here)."""
    return text.str.normalize("NFKC").str.replace_all(r"[、,;/|\s+且]+", "、").str.strip_chars("、").str.split("、")
