"""A file that no feed recognises: what it might be, column by column, for a person to confirm; and how it would load then.

Headings are compared with the headings and aliases of every feed (synonyms of the trade made one, then rapidfuzz), and the
values with what a column holds: identity numbers, dates, amounts, code lists, names, places. The best feed is the one whose
own columns are explained best. Nothing here decides: what is proposed is loaded by nobody before it is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from rapidfuzz import fuzz

from monitoring.feeds import Column, Feed, normalise_heading
from pipelines.conform import conform_part
from pipelines.reading import read_file
from pipelines.reading.model import Sheet, Unreadable
from pipelines.reading.sniff import sniff
from pipelines.reading.text import read_text, to_utf8
from pipelines.reading.workbook import read_workbook

LOOKED_AT = 200  # rows of values
HEAD_ROWS = 30
ENOUGH = 0.52  # below it a column is left for a person to say
# Words that departments use for one another, longest first. Applied to both sides before they are compared.
_SYNONYMS = (
    ("公民身份号码", "证件号码"), ("居民身份证", "证件"), ("身份证件", "证件"), ("身份证", "证件"), ("身份号码", "证件号码"), ("证件号", "证件号码"), ("证件编号", "证件号码"),
    ("号码码", "号码"), ("编码", "编号"), ("户籍号", "户编号"), ("家庭号", "户编号"), ("起止", "起始"), ("开始", "起始"), ("生效", "起始"), ("纳入", "起始"), ("停止", "终止"),
    ("截止", "终止"), ("结束", "终止"), ("退出", "终止"), ("时间", "日期"), ("年月日", "日期"), ("日子", "日期"), ("种类", "类别"), ("类型", "类别"), ("分类", "类别"),
    ("级别", "等级"), ("程度", "等级"), ("级次", "等级"), ("补助", "金额"), ("款额", "金额"), ("钱数", "金额"), ("总额", "总费用"), ("数额", "金额"), ("费用", "费"),
    ("户主家长", "户主"), ("家庭负责人", "户主"), ("户代表", "户主"), ("联系方式", "联系电话"), ("手机号码", "联系电话"), ("现状", "状态"), ("情况", "状态"), ("状况", "状态"),
    ("就读", "在读"), ("院校", "学校"), ("学历层次", "学段"), ("教育阶段", "学段"), ("就学阶段", "学段"), ("镇街道", "乡镇"), ("乡镇街道", "乡镇"), ("镇乡", "乡镇"),
    ("村居委会", "村"), ("村委会", "村"), ("村居", "村"), ("社区", "村"), ("残疾人证", "残疾证"), ("签发", "发证"), ("颁发", "发证"), ("核发", "发证"),
    ("到期", "有效期至"), ("探访", "走访"), ("访问", "走访"), ("入户人员", "走访人"), ("人员", "人"), ("核查", "核对"), ("名称", "名"),
)  # fmt: skip
# What a ledger is called in the name of its file or sheet, beside its title.
_CALLED = {
    "dibao": ("低保", "最低生活保障"), "tekun": ("特困", "五保"), "low_income": ("低收入", "边缘家庭", "刚性支出", "支出型"),
    "temporary_aid": ("临时救助",), "applications": ("救助申请",), "monitored": ("防返贫", "防止返贫", "监测对象", "监测户", "脱贫"),
    "disability": ("残疾人", "持证", "残联"), "disability_subsidy": ("两项补贴",), "care_groups": ("孤儿", "留守", "事实无人抚养", "困境儿童", "流浪"),
    "clues": ("线索",), "deaths": ("死亡", "火化", "殡葬"), "vehicles": ("车辆", "机动车"), "real_estate": ("不动产", "房产"),
    "business": ("市场主体", "工商", "个体户"), "housing": ("危房", "住房安全", "饮水"), "medical": ("医疗费", "住院", "医保结算"),
    "insurance": ("参保", "城乡医保"), "education": ("在校", "学生", "资助"), "graduates": ("毕业生",), "income": ("经济状况", "经济核对"),
    "institutions": ("敬老院", "养老机构", "供养机构"), "officials": ("近亲属",), "payments": ("发放明细", "发放表"), "registry": ("户籍", "农户", "花名册"),
    "social_insurance": ("养老保险", "社保", "就业"), "visits": ("走访", "探访"), "disasters": ("受灾", "救灾", "灾情"),
}  # fmt: skip
LITTLE = 1.0  # columns of its own that a feed must explain for its columns to say more than the file's name
_NOISE = re.compile(r"^(本人|对象|所在|所属|现居|户籍|居住|被?救助|受助|当前|具体)|[的之]")
_ID = r"^[1-9]\d{16}[\dXx]$|^[1-9]\d{14}$"
_DATE = r"^(19|20)\d{2}([-/.年]\d{1,2}([-/.月]\d{1,2}日?)?月?|\d{2}(\d{2})?)( .*)?$"
_NUMBER = r"^-?[\d,]+(\.\d+)?\s*(元|万元)?$"
_NAME = r"^[\p{Han}·]{2,4}$"
_PHONE = r"^(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{7,8})$"
_YES_NO = ("是", "否", "有", "无", "√", "×", "Y", "N", "1", "0")
_TOWN, _VILLAGE = r"(镇|乡|街道|办事处)$", r"(村|社区|居委会)$"


@dataclass(frozen=True)
class Guess:
    """One column of the file: its heading, what it is taken for (None: unknown), how sure (0 to 1), some values."""

    heading: str
    column: str | None
    sure: float
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What a sheet might be. `feeds`: the likeliest, best first; `lacks`: required columns that nothing was found for."""

    sheet: str
    heading_row: int
    feed: str
    feeds: tuple[str, ...]
    columns: tuple[Guess, ...]
    lacks: tuple[str, ...]

    @property
    def aliases(self) -> dict[str, list[str]]:
        """Standard name -> headings of the file that lead to it."""
        found: dict[str, list[str]] = {}
        for one in self.columns:
            if one.column is not None:
                found.setdefault(one.column, []).append(one.heading)
        return found


@dataclass(frozen=True)
class Tried:
    """How the file would load with a mapping: the feed it is then, the first rows, and the counts with reasons."""

    feed: str | None
    reason: str
    rows: pl.DataFrame
    loaded: int
    quarantined: int
    reasons: tuple[str, ...]
    issues: int


def sheets_of(path: Path) -> list[Sheet]:
    """The tables of a file as they stand. Raises Unreadable."""
    data = path.read_bytes()
    if sniff(data) == "csv":
        text, _, damaged = to_utf8(data)
        return [read_text(text, damaged, lambda heads: (max(heads, key=lambda s: heads[s].grid.width), ()))]
    return [one for one in read_workbook(path, len(data)) if isinstance(one, Sheet)]


def propose(sheet: Sheet, feeds: Mapping[str, Feed], hint: str = "", feed: str | None = None) -> Proposal | None:
    """What a sheet might be, of all feeds or as the feed that is named; None where it has no heading with values below."""
    row = heading_row(sheet)
    if row is None:
        return None
    headings = [text.strip() for text in sheet.head()[row]]
    places = [place for place, heading in enumerate(headings) if heading]
    below = sheet.grid.slice(row + 1, LOOKED_AT)
    held = {place: _held(below, place) for place in places}
    ranked = _ranked(headings, places, held, feeds, hint)
    best = feed or ranked[0]
    chosen = _assigned(headings, places, held, feeds[best])
    columns = tuple(_guess(headings[place], chosen.get(place), held[place]) for place in places)
    known = {one.column for one in columns}
    lacks = tuple(name for name in feeds[best].required if name not in known)
    return Proposal(sheet.name, row + 1, best, tuple(ranked[:3]), columns, lacks)


def _guess(heading: str, found: tuple[str, float] | None, values: tuple[str, ...]) -> Guess:
    name, sure = found or (None, 0.0)
    return Guess(heading, name, sure, values[:3])


def heading_row(sheet: Sheet) -> int | None:
    """The first of the upper rows that is as good as full, of different short words, with something below (0-based)."""
    head = sheet.head()[:HEAD_ROWS]
    filled = [[cell.strip() for cell in row if cell.strip()] for row in head]
    most = max(map(len, filled), default=0)
    for place, cells in enumerate(filled):
        words = [cell for cell in cells if len(cell) <= 30 and not re.match(r"^[\d.,/\-]+$", cell)]
        if (
            len(cells) >= 3
            and len(cells) >= 0.7 * most
            and len(words) >= 0.9 * len(cells)
            and len(set(cells)) >= 0.9 * len(cells)
            and place + 1 < sheet.grid.height
        ):
            return place
    return None


def with_aliases(feeds: Mapping[str, Feed], feed: str, aliases: Mapping[str, Sequence[str]]) -> dict[str, Feed]:
    """The feeds as they would be with further aliases of one."""
    columns = tuple(replace(c, aliases=(*c.aliases, *aliases.get(c.name, ()))) for c in feeds[feed].columns)
    return {**feeds, feed: replace(feeds[feed], columns=columns)}


def try_mapping(
    path: Path,
    feeds: Mapping[str, Feed],
    feed: str,
    aliases: Mapping[str, Sequence[str]],
    sheet: str = "",
    first: int = 10,
) -> Tried:
    """Reads the file as it would be read were the mapping kept."""
    known = with_aliases(feeds, feed, aliases)
    reading = read_file(path, known)
    part = next((one for one in reading.parts if one.sheet == sheet), None)
    if part is None or part.feed is None or part.feed not in known:
        reason = reading.problem if part is None else part.reason
        return Tried(None, reason or "", pl.DataFrame(), 0, 0, (), 0)
    done = conform_part(known[part.feed], part.frame, part.layout, part.scale)
    shown = [column.name for column in known[part.feed].columns]
    names = {"id_number": "number", "head_id_number": "head_number"}
    columns = [
        (column.heading, names.get(column.name, column.name))
        for column in known[part.feed].columns
        if column.name in shown and column.name in part.headings
    ]
    rows = done.rows.head(first).select(
        pl.col(name).cast(pl.String).alias(heading) for heading, name in columns if name in done.rows.columns
    )
    reasons = tuple(dict.fromkeys(done.quarantine["reasons"].head(50).to_list()))[:5]
    return Tried(
        part.feed, "", rows, done.rows.height, done.quarantine.height + part.broken.height, reasons, done.issues.height
    )


def told(
    path: Path, feeds: Mapping[str, Feed], feed: str | None = None, mapping: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """All of it as plain values (JSON) for the page. `mapping`: heading -> standard name as a person changed it."""
    try:
        sheets = sheets_of(path)
    except Unreadable as problem:
        return {"file": path.name, "problem": str(problem), "sheets": []}
    found = []
    for sheet in sheets:
        one = propose(sheet, feeds, f"{path.stem} {sheet.name}", feed)
        if one is None:
            continue
        if mapping is not None:
            one = replace(one, columns=tuple(replace(c, column=mapping.get(c.heading, c.column)) for c in one.columns))
            one = replace(one, lacks=tuple(name for name in feeds[one.feed].required if name not in one.aliases))
        known, tried = feeds[one.feed].std_columns(), try_mapping(path, feeds, one.feed, one.aliases, sheet.name)
        found.append({
            "sheet": one.sheet, "heading_row": one.heading_row, "feed": one.feed, "feeds": list(one.feeds), "lacks": list(one.lacks),
            "columns": [{"heading": c.heading, "column": c.column, "sure": round(c.sure, 2), "examples": list(c.examples), "type": known[c.column].type if c.column in known else ""} for c in one.columns],
            "tried": {"feed": tried.feed, "reason": tried.reason, "rows": tried.rows.to_dicts(), "loaded": tried.loaded,
                      "quarantined": tried.quarantined, "reasons": list(tried.reasons), "issues": tried.issues},
        })  # fmt: skip
    return {
        "file": path.name,
        "problem": "" if found else "没有找到一行表头：前 30 行里没有三个以上不同的列名",
        "sheets": found,
    }


# --- how alike


@lru_cache(maxsize=65536)
def plain(heading: str) -> str:
    """A heading with the trade's synonyms made one."""
    text = normalise_heading(unicodedata.normalize("NFKC", heading))
    for word, other in _SYNONYMS:
        text = text.replace(word, other)
    while "号码号码" in text or "码码" in text:
        text = text.replace("号码号码", "号码").replace("码码", "码")
    return _NOISE.sub("", text) or text


@lru_cache(maxsize=65536)
def alike(heading: str, other: str) -> float:
    """How alike two headings are: 1 the same, 0 nothing in common."""
    a, b = plain(heading), plain(other)
    if a == b:
        return 1.0
    whole, part = fuzz.ratio(a, b) / 100, fuzz.partial_ratio(a, b) / 100
    shared = len(set(a) & set(b)) / max(1, len(set(a) | set(b)))
    shorter = min(len(a), len(b))
    inside = 0.9 * part * min(1.0, shorter / 2) if shorter >= 2 else 0.5 * part
    return max(whole, 0.55 * inside + 0.45 * max(shared, whole))


def _held(below: pl.DataFrame, place: int) -> tuple[str, ...]:
    if place >= below.width:
        return ()
    values = below[below.columns[place]].cast(pl.String).str.strip_chars()
    return tuple(values.filter(values.is_not_null() & (values != "") & ~values.is_in(["-", "/", "无"])).to_list())


@lru_cache(maxsize=4096)
def _share(values: tuple[str, ...], pattern: str) -> float:
    return float(pl.Series(values, dtype=pl.String).str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]


def _fits(column: Column, values: tuple[str, ...]) -> float:
    """What the values say: from -1 (cannot be this) over 0 (say nothing) to 1 (just what it holds)."""
    if not values:
        return 0.0
    ids = _share(values, _ID)
    if column.type == "id":
        return 2 * ids - 1
    if ids > 0.5:
        return -1.0
    dates, numbers, names = _share(values, _DATE), _share(values, _NUMBER), _share(values, _NAME)
    if column.type in ("code", "codes"):
        words = {word for code, others in column.codes.items() for word in (code, *others)}
        share = sum(
            value in words or any(part in words for part in re.split(r"[、,，;；]", value)) for value in values
        ) / len(values)
        return share if share > 0.3 else -0.6
    if column.type in ("date", "month"):
        return 1.6 * dates - 0.8
    if column.type == "year":
        return 1.0 if _share(values, r"^(19|20)\d{2}年?$") > 0.7 else -0.8
    if column.type in ("amount", "count"):
        return 0.7 * numbers if numbers > 0.5 and dates < 0.9 else -0.8
    if column.type == "yesno":
        return 2 * sum(value in _YES_NO for value in values) / len(values) - 1
    if column.type == "phone":
        return 1.6 * _share(values, _PHONE) - 0.8
    if column.type == "name":
        return 1.4 * names - 0.7
    return _text_fits(column, values, dates, numbers)


def _text_fits(column: Column, values: tuple[str, ...], dates: float, numbers: float) -> float:
    if column.name == "township":
        return 1.6 * _share(values, _TOWN) - 0.6
    if column.name == "village":
        return 1.6 * _share(values, _VILLAGE) - 0.6
    if column.name == "relation":
        return 0.8 if _share(values, r"^(户主|本人|配偶|之?妻|夫|.*[子女父母媳婿孙])$") > 0.7 else -0.5
    if values[:4] == ("1", "2", "3", "4")[: len(values)]:
        return -1.0  # a running number says nothing of anybody
    coded = any(word in column.heading for word in ("号", "编", "代码"))
    if coded:
        return 0.3 if _share(values, r"\d") > 0.7 else -0.4
    return -0.5 if dates > 0.7 or numbers > 0.9 else 0.05


def _score(heading: str, values: tuple[str, ...], column: Column) -> float:
    names = (column.heading, *column.aliases, *column.first_filled)
    named, fits = max(alike(heading, other) for other in names), _fits(column, values)
    if named > 0.97:  # the heading itself: values speak against it only where they cannot be it
        return 1.0 + 0.1 * fits if fits > -0.7 else 0.6
    return 0.72 * named + 0.28 * fits + (0.1 if fits > 0.8 and named > 0.3 else 0.0)


def _assigned(
    headings: Sequence[str], places: Sequence[int], held: Mapping[int, tuple[str, ...]], feed: Feed
) -> dict[int, tuple[str, float]]:
    """Each column of the file to one of the feed's, the surest first, none twice."""
    scores = sorted(
        (
            (_score(headings[place], held[place], column), place, column.name)
            for place in places
            for column in feed.columns
        ),
        key=lambda s: (-s[0], s[1]),
    )
    taken: dict[int, tuple[str, float]] = {}
    given: set[str] = set()
    for score, place, name in scores:
        if score < ENOUGH:
            break
        if place not in taken and name not in given:
            taken[place] = (name, min(1.0, score))
            given.add(name)
    return taken


def _ranked(
    headings: Sequence[str], places: Sequence[int], held: Mapping[int, tuple[str, ...]], feeds: Mapping[str, Feed], hint: str
) -> list[str]:  # fmt: skip
    """The feeds by how well they explain the file. Where no feed's own columns do, the name of file and sheet comes first."""
    called = _called(hint, feeds)
    own, weighed = dict[str, float](), dict[str, float]()
    for id, feed in feeds.items():
        own[id], weight = _weighed(headings, places, held, feed)
        titled = fuzz.partial_ratio(feed.title, hint) / 100 if hint.strip() else 0.0
        weighed[id] = weight + 0.8 * max(titled, float(id == called))
    ranked = sorted(weighed, key=lambda id: weighed[id], reverse=True)
    if called and own[ranked[0]] < LITTLE:
        ranked.remove(called)
        ranked.insert(0, called)
    return ranked


def _called(hint: str, feeds: Mapping[str, Feed]) -> str:
    """The feed that the names of file and sheet say, "" where they say none. Of several words the last one names the thing
    (低保户车辆信息 are vehicles), the others only whose it is."""
    ends = {
        id: max((hint.rfind(word) + len(word) for word in _CALLED.get(id, ()) if word in hint), default=0)
        for id in feeds
    }
    return max(ends, key=lambda id: ends[id], default="") if any(ends.values()) else ""


def _weighed(
    headings: Sequence[str], places: Sequence[int], held: Mapping[int, tuple[str, ...]], feed: Feed
) -> tuple[float, float]:
    """How much a feed explains by columns of its own, and how well it explains the file: these count most, missing required
    ones against it."""
    found = dict(_assigned(headings, places, held, feed).values())
    names = {column.name for column in feed.own_columns()}
    own = sum(sure for name, sure in found.items() if name in names)
    explained = own + 0.35 * sum(sure for name, sure in found.items() if name not in names)
    missing = sum(name not in found for name in feed.required)
    return own, explained - 0.8 * missing + 0.4 * explained / max(1, len(places))
