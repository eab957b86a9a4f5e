"""Rows that are not data: totals, signatures, notes, headings repeated on each page, blank rows.

A row is asked only when a required column is blank in it, or when a colon stands where a name should be (填表人：…, with the day
of signing under a date); any other row with them all filled is data, whatever it begins with.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl

from pipelines.reading.model import INVISIBLE, ROWS_SCHEMA

# of a text without blanks, after NFKC
_TOTAL = r"^.{0,15}?(?:合计|小计|总计|累计|共计)(?:数|人数|户数|金额)?(?:[:(/\d].*)?\**$"
_SIGNED = (
    r"(?:填表|制表|审核|审批|复核|经办|填报|统计|负责|主管|分管|报送|打印|导出|领款|联系)(?:人员?|单位|部门|日期|时间|领导|人签字|人签名|电话)*"
    r"|(?:单位|部门|科室|乡镇|镇街|村|社区)?(?:负责人|主要领导|分管领导|盖章|公章|签字|签章)(?:签字|签名|签章|盖章)?|制表|审核|单位|填报"
)
_NOTE = rf"^(?:备?注|说明|附注|填表说明|温馨提示|注意|特别说明|{_SIGNED})(?:\([^)]*\))?[:;].*$|^(?:{_SIGNED})(?:\([^)]*\))?$"
_FILLED_IN = r"^(?:填表|制表|审核|审批|复核|经办|填报|统计|打印|导出)(?:人员?|单位|部门|日期|时间).{0,40}$"
_NUMBERED = r"^(?:备?注|说明)\d*[.、:].*$|^(?:人民币|金额)*\(?大写\)?:.*$"
_PAGE = r"^(?:第\d+页.*|共\d+页.*|-?\d+/\d+页?-?|.{0,30}第\d+页.{0,3}共\d+页|\(?续表?\d*\)?|[-—*=(]*(?:以下空白|以下无正文|此页无正文)[-—*=)]*)$"
_NOTES = re.compile(f"{_TOTAL}|{_NOTE}|{_FILLED_IN}|{_NUMBERED}|{_PAGE}")
# a lone text below the data: a sentence, a seal, a date, an office
_CLOSING = (
    r"\p{Han}{9,}|\p{Han}{2,}[,:;!。、]|^\(?(?:盖章|公章|签章)\)?$|^\d{4}年\d{1,2}月\d{1,2}日$"
    r"|(?:办|局|所|镇|乡|街道|委员会)$"
)
# written where there is nothing; total rows carry them under the columns that have no sum
EMPTY_WORDS = ("", "-", "--", "—", "——", "/", "\\", "无", "\\N", "null", "NULL", "*")


def is_note_text(text: str) -> bool:
    """Whether a text could open a total, signature, note or page row."""
    return _NOTES.match(re.sub(r"\s", "", unicodedata.normalize("NFKC", text))) is not None


def stripped(column: str) -> pl.Expr:
    """A cell without the blanks around it; null where nothing is left."""
    text = pl.col(column).str.strip_chars(INVISIBLE)
    return pl.when(text != "").then(text)


def unusable(column: str) -> pl.Expr:
    """Whether a required cell holds nothing."""
    return pl.col(column).str.strip_chars(INVISIBLE).fill_null("").is_in(EMPTY_WORDS)


def total_in(column: str) -> pl.Expr:
    """Whether a cell opens a total row (asked of rows in which every required column is filled, as sums are)."""
    return _key(pl.col(column)).str.contains(_TOTAL).fill_null(False)


def note_in(column: str) -> pl.Expr:
    """Whether a cell opens a total, signature or note row (asked of a feed with a single required column)."""
    return _key(pl.col(column)).str.contains(_NOTES.pattern).fill_null(False)


def _key(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.replace_all(r"[\s\u200b-\u200f\u2060\ufeff]", "")


def classify(
    rows: pl.DataFrame, columns: list[str], headings: list[list[str]], titles: set[str], wide: set[int], last_data: int
) -> pl.DataFrame:
    """Of the rows that might not be data (see above), those that are not: row, why, text.

    `headings`: cells of the heading rows; `titles`: texts of the rows above them; `wide`: rows with a cell merged
    across several columns; `last_data`: the last row that is data beyond doubt.
    """
    if not rows.height:
        return pl.DataFrame(schema=ROWS_SCHEMA)
    filled = pl.concat_list([stripped(column) for column in columns]).list.drop_nulls()
    rows = rows.with_columns(filled.alias("filled"))
    first, second = (_key(pl.col("filled").list.get(i, null_on_oob=True)) for i in (0, 1))
    count = pl.col("filled").list.len()
    text = pl.col("filled").list.join(" | ")
    same = [
        pl.sum_horizontal((stripped(c) == h).cast(pl.Int32) for c, h in zip(columns, cells, strict=False) if h)
        for cells in headings
        if any(cells)
    ]
    repeated = pl.any_horizontal([(s >= 2) & (s * 5 >= count * 4) for s in same]) if same else pl.lit(False)
    alone = (count == 1) & (pl.col("row") > last_data) & first.str.contains(_CLOSING)
    why = (
        pl.when(count == 0)
        .then(pl.lit("空行"))
        .when(repeated)
        .then(pl.lit("重复的表头"))
        .when(first.str.contains(_TOTAL) | second.str.contains(_TOTAL))
        .then(pl.lit("合计行"))
        .when(first.str.contains(f"{_NOTE}|{_NUMBERED}"))
        .then(pl.lit("签名或说明行"))
        .when(first.str.contains(_PAGE))
        .then(pl.lit("页码行"))
        .when(text.is_in(list(titles)))
        .then(pl.lit("重复的标题行"))
        .when(((count == 1) & pl.col("row").is_in(list(wide))) | alone)
        .then(pl.lit("签名或说明行"))
    )
    return rows.select("row", why.alias("why"), text.alias("text")).filter(pl.col("why").is_not_null())
