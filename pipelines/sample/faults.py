"""The mess of real files: harmless spellings in a few rows of a hundred, real faults in a few of a thousand.

A frame comes in with true values and types and a `_key` that says whom a row is about; it leaves as text. What sits in
a department's database hangs on the key, so it is the same next month. Feeds without place and birth date (`remote`)
get few faults of identity: nothing could be found out about such a row, and a county of puzzles is not believable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Chance, Ints
from pipelines.sample.layout import Layout, is_money

DATE_STYLES = (
    "%Y-%m-%d",
    "%Y/%-m/%-d",
    "%Y.%-m.%-d",
    "%Y%m%d",
    "%Y年%-m月%-d日",
    "%Y-%m-%d 00:00:00",
    "serial",
    "%Y/%m/%d",
)
MONTH_STYLES = ("%Y-%m", "%Y%m", "%Y-%m-%d", "%Y/%-m/%-d")
EMPTY = ("-", "/", "无", "null", "\\N")
TRUTH = (("Y", "N"), ("1", "0"), ("√", "否"))
LOOKALIKES = dict(
    zip(
        "丽芳华国平玉明志建英兰红军文春秀燕梅伟云清浩轩子涵欣怡",
        "莉方花囯萍钰铭智健瑛蓝虹君纹椿绣艳美玮芸青皓宣梓函新宜",
        strict=True,
    )
)
WIDE = dict(zip("0123456789", "０１２３４５６７８９", strict=True))
CHARACTERS = "10X98765432"
WRONG_CHECK = {character: CHARACTERS[(place + 4) % 11] for place, character in enumerate(CHARACTERS)}
FAULTS = (
    "number missing",
    "number as 5.1E+17",
    "number rounded to 000",
    "number with wrong check",
    "number of 15 digits",
    "number with small x",
    "number with apostrophe",
    "number in full width",
    "number with blanks",
    "name with blanks",
    "name differs",
    "required value blank",
    "date that is none",
    "township blank",
    "row twice",
    "date spelled otherwise",
    "amount with separators",
    "amount with yuan",
    "digits in full width",
    "truth spelled otherwise",
    "empty spelled out",
)


def altered(values: pl.Series, rows: Ints, change: Callable[[pl.Series], pl.Series] | str | None) -> pl.Series:
    """The column with some rows changed; only those rows are computed. A word (or None) stands in all of them."""
    if not len(rows):
        return values
    if change is None or isinstance(change, str):
        word = pl.Series([change], dtype=pl.String).new_from_index(0, len(rows))
        return values.clone().scatter(pl.Series(rows), word)
    return values.clone().scatter(pl.Series(rows), change(values.gather(pl.Series(rows))))


def replaced(series: pl.Series, table: dict[str, str]) -> pl.Series:
    """Characters replaced by a table."""
    return series.to_frame("v").select(pl.col("v").str.replace_many(list(table), list(table.values()))).to_series()


def spaced(series: pl.Series, gap: str) -> pl.Series:
    """A gap after the first character, as forms have it for names of two."""
    return series.str.slice(0, 1) + gap + series.str.slice(1)


NUMBER_FAULTS: dict[str, Callable[[pl.Series], pl.Series] | str | None] = {
    "number with small x": lambda s: s.str.replace("X", "x"),
    "number in full width": lambda s: replaced(s, WIDE),
    "number with blanks": lambda s: s.str.slice(0, 6) + " " + s.str.slice(6, 8) + " " + s.str.slice(14),
    "number with apostrophe": lambda s: "'" + s,
    "number of 15 digits": lambda s: s.str.slice(0, 6) + s.str.slice(8, 9),
    "number missing": None,
    "number as 5.1E+17": "5.00999E+17",
    "number rounded to 000": lambda s: s.str.slice(0, 15) + "000",
    "number with wrong check": lambda s: s.str.slice(0, 17) + replaced(s.str.slice(17), WRONG_CHECK),
}


def dates_as(series: pl.Series, style: str) -> pl.Series:
    """Dates as text; `serial` counts days as Excel does."""
    if style == "serial":
        return (series.to_physical().cast(pl.Int64) + 25569).cast(pl.String)
    return series.dt.strftime(style)


class Mess:
    """Spoils the frames of one county and counts what it did."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.counts: Counter[str] = Counter()

    def text(self, feed: str, layout: Layout, frame: pl.DataFrame, date_style: str) -> pl.DataFrame:
        """The frame as a department would hand it in, all columns text, `_key` gone."""
        key = frame["_key"].to_numpy()
        columns = {name: frame[name] for name in frame.columns if name != "_key"}

        def rows(fault: str, share: float, among: Bools | None = None) -> Ints:
            hit = self.chance.share(f"{feed}/{fault}", key) < share
            return np.flatnonzero(hit if among is None else hit & among)

        odd_dates, odd_money, wide = rows("dates", 0.02), rows("money", 0.03), rows("wide", 0.007)
        odd_truth, empty = rows("truth", 0.02), rows("empty", 0.02)
        for name, values in columns.items():
            if values.dtype == pl.Date:
                columns[name] = self._dates(feed, name, values, date_style, odd_dates, key)
            elif values.dtype == pl.Boolean:
                columns[name] = self._truths(values, odd_truth, key)
            elif values.dtype.is_numeric():
                columns[name] = self._amounts(name, values, odd_money, wide, key)
        self._names(columns, layout, rows)
        self._numbers(columns, feed, layout, rows)
        self._gaps(columns, feed, layout, rows, key, empty)
        table = pl.DataFrame(columns)
        twice = rows("twice", 0.004 if feed == "registry" else 0.008)
        self.counts["row twice"] += len(twice)
        if len(twice):
            order = np.sort(np.concatenate([np.arange(len(key)), twice]))
            table = table[pl.Series(order)]
        return table

    def _dates(self, feed: str, name: str, values: pl.Series, style: str, odd: Ints, key: Ints) -> pl.Series:
        month = name == "发放年月"
        styles = MONTH_STYLES if month else DATE_STYLES
        base = styles[int(self.chance.whole(0, 1, f"{feed} month style")[0])] if month else style
        text = dates_as(values, base)
        turn = key[odd] % len(styles)
        for index, other in enumerate(styles):
            some = odd[turn == index]
            if other != base and len(some):
                text = text.clone().scatter(pl.Series(some), dates_as(values.gather(pl.Series(some)), other))
                self.counts["date spelled otherwise"] += len(some)
        return text

    def _truths(self, values: pl.Series, odd: Ints, key: Ints) -> pl.Series:
        def spelled(series: pl.Series, yes: str, no: str) -> pl.Series:
            return (
                series.to_frame("v")
                .select(pl.when(pl.col("v")).then(pl.lit(yes)).when(~pl.col("v")).then(pl.lit(no)).alias("v"))
                .to_series()
            )

        text = spelled(values, "是", "否")
        for index, (yes, no) in enumerate(TRUTH):
            some = odd[key[odd] % len(TRUTH) == index]
            if len(some):
                text = text.clone().scatter(pl.Series(some), spelled(values.gather(pl.Series(some)), yes, no))
                self.counts["truth spelled otherwise"] += len(some)
        return text

    def _amounts(self, name: str, values: pl.Series, odd: Ints, wide: Ints, key: Ints) -> pl.Series:
        text = values.cast(pl.String).str.replace(r"\.0$", "")
        if is_money(name):
            large = odd[(values.gather(pl.Series(odd)).fill_null(0).to_numpy() >= 1000)]
            self.counts["amount with separators"] += len(large)
            text = altered(text, large, lambda s: s.str.replace(r"^(\d+)(\d{3})(\.\d+)?$", "$1,$2$3"))
            yuan = odd[key[odd] % 4 == 0]
            self.counts["amount with yuan"] += len(yuan)
            text = altered(text, yuan, lambda s: s + "元")
        self.counts["digits in full width"] += len(wide)
        return altered(text, wide, lambda s: replaced(s, WIDE))

    def _names(self, columns: dict[str, pl.Series], layout: Layout, rows: Callable[..., Ints]) -> None:
        if "姓名" not in columns:
            return
        short = columns["姓名"].str.len_chars().fill_null(0).to_numpy() == 2
        for fault, gap in (("blank", " "), ("wide blank", "　")):
            some = rows(fault, 0.03, short)
            self.counts["name with blanks"] += len(some)
            columns["姓名"] = altered(columns["姓名"], some, partial(spaced, gap=gap))
        if layout.title == "农户基本信息台账":
            return
        before = columns["姓名"]
        some = rows("lookalike", 0.0006 if layout.remote else 0.004)
        columns["姓名"] = altered(before, some, lambda s: s.str.head(1) + replaced(s.str.slice(1), LOOKALIKES))
        self.counts["name differs"] += int((before != columns["姓名"]).sum())

    def _numbers(self, columns: dict[str, pl.Series], feed: str, layout: Layout, rows: Callable[..., Ints]) -> None:
        column = next((name for name in ("证件号码", "户主证件号码", "近亲属证件号码") if name in columns), None)
        if column is None:
            return
        numbers = columns[column]
        share = 0.0001 if layout.remote else 0.0008 if feed == "registry" else 0.0014
        nineteens = (numbers.str.slice(6, 2) == "19").fill_null(False).to_numpy()
        small = numbers.str.ends_with("X").fill_null(False).to_numpy()
        fifteen = 0.001 if layout.remote else share * 2
        hit = {
            "number with wrong check": rows("check", share),
            "number rounded to 000": rows("rounded", share),
            "number as 5.1E+17": rows("exponent", share),
            "number missing": rows("missing", share * 1.5),
            "number of 15 digits": rows("fifteen", fifteen, nineteens),
            "number with apostrophe": rows("apostrophe", 0.015),
            "number with blanks": rows("gaps", 0.004),
            "number in full width": rows("wide number", 0.004),
            "number with small x": rows("small x", 0.25, small),
        }
        taken = numbers.is_null().to_numpy().copy()
        for fault, some in hit.items():  # one fault a number, the worst first
            free = some[~taken[some]]
            taken[free] = True
            self.counts[fault] += len(free)
            numbers = altered(numbers, free, NUMBER_FAULTS[fault])
        columns[column] = numbers

    def _gaps(
        self,
        columns: dict[str, pl.Series],
        feed: str,
        layout: Layout,
        rows: Callable[..., Ints],
        key: Ints,
        empty: Ints,
    ) -> None:
        optional = [name for name in columns if name not in layout.required and "证件号码" not in name]
        blanks = pl.DataFrame([columns[name].alias(name) for name in optional]).select(pl.all().gather(empty).is_null())
        for name in optional:
            blank = empty[blanks[name].to_numpy()]
            word = EMPTY[len(name) * 7 % len(EMPTY)]
            self.counts["empty spelled out"] += len(blank)
            columns[name] = altered(columns[name], blank, word)
        lost = rows("required", 0.0012 if feed == "registry" or layout.remote else 0.003)
        for index, name in enumerate(layout.required):
            some = lost[key[lost] % len(layout.required) == index]
            self.counts["required value blank"] += len(some)
            columns[name] = altered(columns[name], some, None)
        when = next((name for name in layout.required if "日期" in name or name == "发放年月"), None)
        if when:
            some = rows("no date", 0.001)
            self.counts["date that is none"] += len(some)
            columns[when] = altered(columns[when], some, "2026-02-30")
        if "乡镇" in columns and "乡镇" not in layout.required:
            some = rows("no township", 0.008)
            self.counts["township blank"] += len(some)
            columns["乡镇"] = altered(columns["乡镇"], some, None)
