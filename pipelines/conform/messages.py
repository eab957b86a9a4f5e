"""What to say to the department about a cell: short, Chinese, with an example of what is right."""

from __future__ import annotations

import polars as pl

from monitoring.feeds import Column, Feed

_EXPECTED = {
    "date": "不是日期，应如 2026-03-05",
    "month": "不是年月，应如 2026-03",
    "year": "不是年度，应如 2026",
    "amount": "不是金额，应如 1234.56",
    "count": "不是整数，应如 12",
    "yesno": "不是“是”或“否”",
    "phone": "不是电话号码",
}
# A list that takes in only part of the county: a value outside it is mostly no slip of the pen.
_UNLISTED = {("monitored", "household_kind"): "，该户不在监测或脱贫名单内（名单内应为：{}）"}
_SHOWN = 40  # characters of a cell that a reason quotes
_LISTED = 8  # values of a code list that a reason names

NUMBER_PROBLEMS = {
    "damaged": "已被表格软件改坏（科学计数，或末几位变成 000），无法还原；改按姓名、出生日期和住址核对",
    "invalid": "不是有效的证件号码（位数、出生日期或校验码不对）；改按姓名、出生日期和住址核对",
}
BIRTH_DIFFERS = "与证件号码中的出生日期不一致"
SEX_DIFFERS = "与证件号码中的性别不一致"
TOTAL_DIFFERS = "不等于各项之和；按各项的金额载入"
SHARED_HEADINGS = {"birth_date": "出生日期", "sex": "性别"}


def missing(column: Column) -> str:
    """A required cell that is blank."""
    return f"缺少必填项“{column.heading}”"


def what_is_wrong(feed: Feed, column: Column) -> str:
    """Why a cell of this column was not understood: the end of the sentence that `about` begins."""
    if column.type not in ("code", "codes"):
        return _EXPECTED.get(column.type, "看不懂")
    known = "、".join(list(column.codes)[:_LISTED]) + ("……" if len(column.codes) > _LISTED else "")
    return _UNLISTED.get((feed.id, column.name), "不在可填的值中（{}）").format(known)


def about(column: Column, raw: pl.Expr, problem: str) -> pl.Expr:
    """The full sentence, with the cell as written."""
    quoted = raw.str.replace_all(r"\s+", " ").str.strip_chars().str.slice(0, _SHOWN)
    # Not pl.format: Polars 2.1 panics on it where the column beside the literals has nulls.
    return pl.concat_str(pl.lit(f"“{column.heading}”填写的“"), quoted, pl.lit(f"”{problem}"))
