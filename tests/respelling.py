"""The same rows written as departments write them: any encoding, format, heading, spelling, order and split of files."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import xlsxwriter
import xlwt

from monitoring.feeds import Column, Feed
from tests.oracle.reading import NUMBERS, is_date, valid_number
from tests.runs import Tables

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
YES, NO = ("是", "√", "1", "Y", "有"), ("否", "0", "N")
HINTS = ("{}", "{}", "*{}", "{}（必填）", " {} ", "{}\n")
Row = Mapping[str, str]


class Writer:
    """Chooses a spelling for everything it writes; the same seed chooses the same ones."""

    def __init__(self, feeds: Mapping[str, Feed], seed: int) -> None:
        self.feeds, self.rng = feeds, random.Random(seed)

    def write(self, tables: Tables, folder: Path) -> Path:
        """Every feed in one file or several, in folders or not."""
        for feed, rows in tables.items():
            for number, part in enumerate(self.parts(rows)):
                place = folder / self.rng.choice((".", ".", "民政", "各镇/上报"))
                place.mkdir(parents=True, exist_ok=True)
                self.file(
                    self.feeds[feed], part, place / f"{self.rng.randrange(1000)}_{self.feeds[feed].title}_{number}"
                )
        return folder

    def parts(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows in another order, some of them twice, in one to three files or one a township."""
        mixed = [*rows, *self.rng.sample(list(rows), len(rows) // 10)]
        self.rng.shuffle(mixed)
        if self.rng.random() < 0.3 and all(row.get("乡镇") for row in mixed):
            return [[row for row in mixed if row["乡镇"] == town] for town in sorted({row["乡镇"] for row in mixed})]
        count = self.rng.choice((1, 1, 2, 3))
        return [part for start in range(count) if (part := mixed[start::count])]

    def file(self, feed: Feed, rows: Sequence[Row], path: Path) -> None:
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        self.rng.shuffle(headings)
        table = [[self.heading(feed, h) for h in headings]]
        table += [[self.value(h, row.get(h, "")) for h in headings] for row in rows]
        if self.rng.random() < 0.4:  # a column that nobody knows
            table = [[*line, "核对人签章" if not n else "甲"] for n, line in enumerate(table)]
        if self.rng.random() < 0.5:
            table = [[f"2026年{feed.title}"], *([[]] if self.rng.random() < 0.5 else []), *table]
        if self.rng.random() < 0.5:
            table += [self.total(headings, len(rows)), ["填表人：王五"], ["注：本表一式两份"]]
        kind = self.rng.choice(("csv", "csv", "csv", "xlsx", "xls"))
        getattr(self, kind)(table, path.with_suffix(f".{kind}"))

    def total(self, headings: Sequence[str], rows: int) -> list[str]:
        """A total row: the word in the first column, a figure under the first column of numbers, if any."""
        at = next((n for n, heading in enumerate(headings) if n and heading in NUMBERS and heading != "参保年度"), None)
        return ["合计"] if at is None else ["合计", *[""] * (at - 1), str(rows)]

    def csv(self, table: Sequence[Sequence[str]], path: Path) -> None:
        out = io.StringIO(newline="")
        end = self.rng.choice(("\n", "\r\n"))
        quoting = self.rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        writer = csv.writer(out, delimiter=self.rng.choice(",\t;"), lineterminator=end, quoting=quoting)
        width = max(map(len, table))
        writer.writerows([*line, *[""] * (width - len(line))] for line in table)
        path.write_bytes(out.getvalue().encode(self.rng.choice(ENCODINGS)))

    def xlsx(self, table: Sequence[Sequence[str]], path: Path) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet("名册")
            for row, line in enumerate(table):
                for column, value in enumerate(line):
                    if value:
                        sheet.write_string(row, column, value)

    def xls(self, table: Sequence[Sequence[str]], path: Path) -> None:
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet("名册")
        for row, line in enumerate(table):
            for column, value in enumerate(line):
                if value:
                    sheet.write(row, column, value)
        book.save(str(path))

    # -- cells ------------------------------------------------------------------------------------------------------

    def heading(self, feed: Feed, heading: str) -> str:
        column = next((c for c in feed.std_columns().values() if c.heading == heading), None)
        names = [heading, *self.aliases(feed, column)] if column else [heading]
        return self.rng.choice(HINTS).format(self.rng.choice(names))

    @staticmethod
    def aliases(feed: Feed, column: Column) -> list[str]:
        """Other headings of the column that mean nothing else in this feed."""
        others = {name for c in feed.std_columns().values() if c is not column for name in (c.heading, *c.aliases)}
        return [alias for alias in column.aliases if alias not in others]

    def value(self, heading: str, text: str) -> str:
        if not text:
            return self.rng.choice(("", "", "-", "/", "null", "\\N", " "))
        if valid_number(text) and len(text) == 18:
            return self.rng.choice((text, text.lower(), f"'{text}", text.translate(FULL_WIDTH), f" {text} "))
        if is_date(heading):
            return self.date(text)
        if heading in NUMBERS and re.fullmatch(r"\d+(\.\d+)?", text):
            return self.amount(heading, text)
        if text in ("是", "否"):
            return self.rng.choice(YES if text == "是" else NO)
        if heading in ("姓名", "户主姓名"):
            return self.rng.choice((text, text, " ".join(text), f"{text} "))
        return self.rng.choice((text, text, f" {text}"))

    def date(self, text: str) -> str:
        year, month, *day = text.split("-")
        if not day:
            return self.rng.choice((text, f"{year}{month}", f"{year}年{int(month)}月", f"{year}/{int(month)}"))
        short = f"{int(month)}", f"{int(day[0])}"
        spellings = (text, f"{year}/{short[0]}/{short[1]}", f"{year}.{short[0]}.{short[1]}", f"{year}{month}{day[0]}")
        return self.rng.choice((*spellings, f"{year}年{short[0]}月{short[1]}日", f"{text} 00:00:00"))

    def amount(self, heading: str, text: str) -> str:
        if heading.endswith("年度"):
            return text
        whole, _, cents = text.partition(".")
        exact = f"{int(whole):,}" + (f".{cents}" if cents else "")
        return self.rng.choice((text, exact, text.translate(FULL_WIDTH), f" {text}"))
