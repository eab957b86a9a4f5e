"""A report in sections of sentences, tables and pictures, made from `figures` only; how it is set is somebody else's matter.

A sentence whose figure is not known says so or is not written. No person is named. What is marked for publication tells no
small number (`hiding`), neither in a table nor in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.alerts.reporting import Worked
from monitoring.checklist import BY_NUMBER
from monitoring.labels import feed_titles
from monitoring.language import Language, number, share
from monitoring.reports import figures, hiding
from monitoring.reports.figures import Movement
from monitoring.warehouse import Warehouse

UNKNOWN = "不明"
_NUMERALS = "一二三四五六七八九十"
QUARTER_ENDS = {6: "4至6月", 9: "7至9月", 12: "10至12月"}
QUARTER_SOURCE = "《社会救助兜底脱贫行动实施方案》四（三）：6月底、9月底、12月底报送"


class NoQuarter(ValueError):
    """A quarterly report was asked for a month in which none is due."""


@dataclass(frozen=True)
class Table:
    """All columns but the first hold figures or short words. `total`: the last row sums up."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: bool = False


@dataclass(frozen=True)
class Picture:
    """Horizontal bars: label, value, what is written beside it. The table of the same section holds the same figures."""

    title: str
    bars: list[tuple[str, float, str]]
    unit: str


@dataclass(frozen=True)
class Section:
    heading: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    picture: Picture | None = None


@dataclass(frozen=True)
class Report:
    """`told`: what stands below the title (period, data age, …); `closing`: run, packs, who made it when."""

    title: str
    told: list[str]
    sections: list[Section]
    closing: list[str]
    publication: bool
    name: str  # the file's, without suffix


@dataclass(frozen=True)
class Made:
    """Who makes the report, when (the county's clock), for which place."""

    by: str
    at: str
    place: str
    publication: bool


def months_of(kind: str, as_of: date) -> list[str]:
    """The periods that a report covers: the month, or the three of its quarter. Raises NoQuarter."""
    if kind == "monthly":
        return [f"{as_of:%Y-%m}"]
    if as_of.month not in QUARTER_ENDS:
        raise NoQuarter(f"季度报告只在6月、9月、12月出（{QUARTER_SOURCE}），{as_of.year}年{as_of.month}月没有")
    return [f"{as_of.year}-{month:02d}" for month in range(as_of.month - 2, as_of.month + 1)]


def compose(
    kind: str, warehouse: Warehouse, scope: Scope, pair: Warehouse | None, worked: Worked, made: Made, missing: Sequence[str] = ()
) -> Report:  # fmt: skip
    """`pair`: the run before the report's first month beside this one; None where nothing earlier is published. `missing`:
    months of the quarter without a published run."""
    run = figures.run_of(warehouse, scope)
    months = months_of(kind, run.as_of)
    writer = _Writer(warehouse, scope, made.publication, run, months)
    moved = None if pair is None else figures.movement(pair, scope)
    sections = [
        writer.categories(), writer.movement(moved), writer.gaps(), writer.alerts(worked), writer.drivers(), writer.places(),
        writer.money(), writer.exits(moved), writer.checklist(), writer.sources(), writer.quality(),
    ]  # fmt: skip
    year, month = run.as_of.year, run.as_of.month
    span = f"{year}年{month}月" if kind == "monthly" else f"{year}年{QUARTER_ENDS[month]}"
    title = (
        f"{made.place}低收入人口动态监测{span}月报"
        if kind == "monthly"
        else f"{made.place}社会救助兜底保障{span}季度报告"
    )
    told = [f"数据截至 {run.as_of:%Y年%m月%d日}；办理情况截至 {worked.until:%Y年%m月%d日}。"]
    if moved is not None:
        told.append(f"“新增”“停保”等是与 {_month(moved.before)} 已发布结果比较。")
    if missing:
        told.append(
            f"本季度没有发布结果的月份：{'、'.join(_month(m) for m in missing)}；这些月份的变化只能从季末结果看到。"
        )
    if kind == "quarterly":
        told.append(f"依据{QUARTER_SOURCE}。")
    if run.sample:
        told.append("样例县：人和事都是编造的，只供演示。")
    closing = [
        f"数据结果编号：{run.run}；政策包：{run.pack}。",
        f"制表：{made.by}　{made.at}。文中数字全部由系统从已发布结果查询得出；不明的如实写明，不作为没有困难。",
        "本报告不含个人信息。" + (f"供公开：不足{hiding.LEAST}的人数、户数不列出。" if made.publication else "内部资料：含小数字，公开前请用“公开版”。"),
    ]  # fmt: skip
    name = f"{made.place}{span}{'月报' if kind == 'monthly' else '季度报告'}{'_公开版' if made.publication else ''}"
    return Report(title, told, [section for section in sections if section], closing, made.publication, name)


def numeral(number: int) -> str:
    """1 -> 一, 11 -> 十一: as sections of official documents are numbered."""
    return _NUMERALS[number - 1] if number <= 10 else f"十{_NUMERALS[number - 11]}"


def _month(period: str) -> str:
    return Language("zh").month(period)


class _Writer:
    """The sections of one report, each from its own question."""

    def __init__(
        self, warehouse: Warehouse, scope: Scope, publication: bool, run: figures.Run, months: list[str]
    ) -> None:
        self.warehouse, self.scope, self.publication, self.run, self.months = warehouse, scope, publication, run, months

    # --- figures in words

    def n(self, value: int | None, unit: str) -> str:
        if value is None:
            return UNKNOWN
        if self.publication and unit in ("人", "户", "件", "户次", "笔") and hiding.small(value):
            return f"{hiding.SMALL}{unit}"
        return f"{number(value)} {unit}"

    def rate(self, part: int, whole: int, unit: str) -> str:
        """A share with its denominator; "" where there is none, or where it would tell a small number."""
        if not whole or (self.publication and (hiding.small(part) or hiding.small(whole - part))):
            return ""
        return f"{share(part, whole)}（{number(part)}／{number(whole)} {unit}）"

    def cells(self, frame: pl.DataFrame, columns: Sequence[str], total: bool) -> list[list[str]]:
        """The columns' figures as text, a list a row, with their sums as a last row; small ones hidden where it is published."""
        made = []
        for name in columns:
            values = [None if v is None else int(v) for v in frame[name].to_list()]
            instead, hide_total = hiding.column(values) if self.publication else ([None] * len(values), False)
            texts = [put or (UNKNOWN if v is None else number(v)) for put, v in zip(instead, values, strict=True)]
            if total:
                whole = sum(v or 0 for v in values)
                texts.append(hiding.HIDDEN if hide_total else UNKNOWN if None in values else number(whole))
            made.append(texts)
        return [list(row) for row in zip(*made, strict=True)]

    # --- sections

    def categories(self) -> Section:
        found = figures.categories(self.warehouse, self.scope)
        all_of, unknown = found.row(-1, named=True), figures.income_unknown(self.warehouse, self.scope)
        lacking = found.filter(pl.col("persons").is_null())["title"].to_list()
        known = "在册低收入人口" if not lacking else "有台账的几类低收入人口"
        said = [f"全部户籍人口 {number(self.run.persons)} 人、{number(self.run.households)} 户；{known} {self.n(all_of['persons'], '人')}，{self.n(all_of['households'], '户')}（一人列入几类的只计一次）。"]  # fmt: skip
        if not lacking and (part := self.rate(all_of["persons"], self.run.persons, "人")):
            said.append(f"占户籍人口 {part}。")
        if lacking:
            said.append(f"没有台账、人数不明的类别：{'、'.join(lacking)}。")
        if unknown:
            said.append(f"另有 {self.n(unknown, '户')}收入情况不明，不能判断是否属于低收入家庭。")
        cells = self.cells(found, ("households", "persons"), total=False)
        if self.publication:  # overlapping classes have no column sum: each figure by itself
            cells = [[self._alone(row["households"]), self._alone(row["persons"])] for row in found.to_dicts()]
        table = Table(
            "六类低收入人口", ("类别", "户数", "人数"),
            [(title, *row) for title, row in zip(found["title"], cells, strict=True)], total=True,
        )  # fmt: skip
        bars = [
            (row["title"], float(row["persons"] or 0), self._alone(row["persons"])) for row in found.head(-1).to_dicts()
        ]
        return Section("低收入人口基本情况", said, [table], Picture("六类低收入人口（人）", self._drawable(bars), "人"))

    def movement(self, moved: Movement | None) -> Section:
        if moved is None:
            return Section("新增、停保和变动", ["没有更早的已发布结果，不能比较，本期变动不明。"])
        late = moved.new.filter(pl.col("说明") != "").height
        grants = moved.temporary
        said = [
            f"新增在册 {self.n(moved.new.height, '人')}" + (f"，其中补录（起始日期早于上期）{self.n(late, '人')}" if late else "") + f"；停保 {self.n(moved.ended.height, '人')}，其中因死亡 {self.n(self._dead(moved.ended), '人')}。",
            f"保障金增发 {self.n(moved.increased.height, '户')}{self._yuan(moved.increased, '月增发金额', '每月共增')}；减发 {self.n(moved.decreased.height, '户')}{self._yuan(moved.decreased, '月减发金额', '每月共减')}。",
            f"自然减员 {self.n(moved.died.height, '人')}" + self._still_listed(moved.died) + "。",
            f"按临时救助台账，新发放 {self.n(grants.height, '笔')}{self._yuan(grants, '救助金额', '共')}" + (f"，另有金额不明 {number(grants['救助金额'].null_count())} 笔" if grants["救助金额"].null_count() else "") + "。",
        ]  # fmt: skip
        said += [f"{feed_titles()[feed]}不能比较：{why}，有关人数不明。" for feed, why in moved.not_compared.items()]
        said += [f"{text}。" for text in moved.came_anew]
        kinds = _count(moved.new, "类别", "新增").join(
            _count(moved.ended, "类别", "停保"), on="类别", how="full", coalesce=True
        )
        kinds = kinds.fill_null(0).sort("类别")
        tables = []
        if kinds.height:
            cells = self.cells(kinds, ("新增", "停保"), total=True)
            names = [*kinds["类别"].to_list(), "合计"]
            tables = [Table("按类别", ("类别", "新增（人）", "停保（人）"), [(name, *row) for name, row in zip(names, cells, strict=True)], total=True)]  # fmt: skip
        return Section("新增、停保和变动", said, tables)

    def gaps(self) -> Section:
        found = figures.gaps(self.warehouse, self.scope)
        judged = found.filter(pl.col("judged"))
        off = found.filter(~pl.col("judged"))["title"].to_list()
        with_gap = judged.filter(pl.col("gap") > 0).sort("gap", descending=True)
        said = []
        if with_gap.height:
            first = with_gap.row(0, named=True)
            said.append(f"{len(with_gap)} 项救助有应保未保、应享未享的疑似对象，最多的是“{first['title']}”，{self.n(first['gap'], _unit(first))}，请逐户核实。")  # fmt: skip
        else:
            said.append("各项救助没有发现疑似应保未保、应享未享的对象。")
        unknown = judged.filter(pl.col("unknown") > 0).sort("unknown", descending=True)
        if unknown.height:
            most = unknown.row(0, named=True)
            said.append(f"{len(unknown)} 项救助有缺数据不能判断的对象，最多的是“{most['title']}”，{self.n(most['unknown'], _unit(most))}；不明不等于没有。")  # fmt: skip
        if off:
            said.append(f"没有启用规则、因而不明的项目：{'、'.join(off)}。")
        rows = []
        for row in judged.to_dicts():
            figures_of = [self._alone(row[name]) for name in ("eligible", "covered", "gap", "unknown")]
            rate = "" if not row["eligible"] else share(row["covered"], row["eligible"])
            if self.publication and (hiding.small(row["gap"]) or hiding.small(row["covered"])):
                rate, figures_of[0] = hiding.HIDDEN, hiding.HIDDEN  # else the small one is the difference
            rate = f"至多 {rate}" if rate and row["unknown"] and rate != hiding.HIDDEN else rate
            rows.append((f"{row['title']}（{_unit(row)}）", *figures_of, rate or "没有对象"))
        return Section(
            "应保尽保", said, [Table("各项救助", ("项目", "应覆盖", "已覆盖", "缺口", "不明", "覆盖率"), rows)]
        )

    def alerts(self, worked: Worked) -> Section:
        total = worked.total
        if not total["opened"]:
            return Section(
                "预警处置", [f"办理系统中，截至 {worked.until:%Y-%m-%d} 没有属于本报告期的预警，处置情况不明。"]
            )
        said = [
            f"本期新开需要办理的预警 {self.n(total['opened'], '件')}，应核实（已到期限或已核实）{self.n(total['due'], '件')}。"
        ]
        rate = self.rate(total["in_time"], total["due"], "件")
        said.append((f"按时核实率 {rate}；" if rate else "") + f"已核实 {self.n(total['verified'], '件')}，逾期未核实 {self.n(total['overdue'], '件')}，已落实帮扶 {self.n(total['helped'], '件')}，已办结 {self.n(total['closed'], '件')}。")  # fmt: skip
        names = ("opened", "due", "verified", "in_time", "overdue", "helped")
        cells = self.cells(worked.by_township, names, total=True)
        places = [*(name or "地点不明" for name in worked.by_township["township"]), "合计"]
        table = Table(
            "各乡镇", ("乡镇", "新开", "应核实", "已核实", "按时核实", "逾期", "已帮扶"),
            [(place, *row) for place, row in zip(places, cells, strict=True)], total=True,
        )  # fmt: skip
        return Section("预警处置", said, [table])

    def drivers(self) -> Section:
        found = figures.drivers(self.warehouse, self.scope)
        if found.is_empty():
            return Section("主要风险和问题", ["本期没有缺口和风险信号。"])
        first = found.row(0, named=True)
        said = [f"涉及户数最多的是“{first['title_zh']}”，{self.n(first['households'], '户')}。"]
        rows = [(row["title_zh"], self._alone(row["households"])) for row in found.to_dicts()]
        bars = [(row["title_zh"], float(row["households"]), self._alone(row["households"])) for row in found.to_dicts()]
        return Section("主要风险和问题", said, [Table("涉及户数最多的问题", ("问题", "户数"), rows)], Picture("涉及户数最多的问题（户）", self._drawable(bars), "户"))  # fmt: skip

    def places(self) -> Section:
        found = figures.by_township(self.warehouse, self.scope)
        names = ("alerts", "red", "gap", "unknown")
        cells = self.cells(found, names, total=True)
        places = [*(name or "地点不明" for name in found["place"]), "合计"]
        table = Table(
            "各地情况", ("地方", "预警户", "红色预警户", "缺口户", "收入不明户"),
            [(place, *row) for place, row in zip(places, cells, strict=True)], total=True,
        )  # fmt: skip
        return Section("各地情况", [], [table])

    def money(self) -> Section:
        first, last = date.fromisoformat(f"{self.months[0]}-01"), date.fromisoformat(f"{self.months[-1]}-01")
        found = figures.money(self.warehouse, self.scope, first, last)
        span = _month(self.months[0]) if first == last else f"{_month(self.months[0])}至{_month(self.months[-1])}"
        if found.is_empty():
            return Section("资金发放", [f"没有收到 {span}的资金发放明细，发放情况不明。"])
        paid = sum(found["yuan"].to_list(), Decimal(0))
        failed = int(found["failed"].sum())
        said = [f"按资金发放明细，{span}各项救助和补贴发放成功 {number(paid)} 元。"]
        if failed:
            said.append(f"失败或退回 {self.n(failed, '笔')}，请核对账户并补发。")
        if int(found["blank"].sum()):
            said.append(f"另有 {number(int(found['blank'].sum()))} 笔没有写金额，不在合计内。")
        rows = []
        for row in found.to_dicts():
            hide = self.publication and hiding.small(row["persons"])
            rows.append((row["item"], self._alone(row["persons"]), hiding.HIDDEN if hide else number(row["payments"]), hiding.HIDDEN if hide else number(row["yuan"]), self._alone(row["failed"])))  # fmt: skip
        return Section("资金发放", said, [Table("按项目", ("项目", "到账人数", "到账笔数", "到账金额（元）", "失败退回（笔）"), rows)])  # fmt: skip

    def exits(self, moved: Movement | None) -> Section:
        if moved is None:
            return Section("退出及兜底", ["没有更早的已发布结果，退出情况不明。"])
        found = moved.netted
        if found.is_empty():
            return Section("退出及兜底", ["近12个月没有低保、特困人员退出的记录。"])
        into = [(name, found.filter(pl.col(name) == "√").height) for name in found.columns if name.startswith("纳入")]
        dead, straight = self._dead(found), found.filter(pl.col("直接退出") == "√").height
        parts = [*into, ("已去世", dead), ("没有转入上述救助", straight)]
        instead, hide_total = hiding.column([n for _, n in parts]) if self.publication else ([None] * len(parts), False)
        told = {name: put or number(n) for put, (name, n) in zip(instead, parts, strict=True)}
        went = "、".join(f"{name} {told[name]} 人" for name, n in into if n) or "没有人转入其他救助"
        whole = "" if hide_total else f" {self.n(found.height, '人')}"
        said = [f"近12个月退出低保、特困{whole}：{went}，已去世 {told['已去世']} 人，没有转入上述救助 {told['没有转入上述救助']} 人，请逐户核实生活情况。"]  # fmt: skip
        rows = [(name, told[name]) for name, n in parts if n]
        return Section("退出及兜底", said, [Table("退出后的去向（一人可有几项）", ("去向", "人数"), rows)])

    def checklist(self) -> Section:
        found = figures.sets(self.warehouse, self.scope)
        silent = found.filter(pl.col("no_data"))
        short = found.filter(pl.col("missing") > 0)
        said = [f"“不漏一户”{found.height} 项中，有遗漏的 {short.height} 项，没有数据、不明的 {silent.height} 项。"]
        rows: list[tuple[str, ...]] = []
        for row in found.to_dicts():
            item = BY_NUMBER[row["number"]]
            if row["no_data"]:
                rows.append((f"{item.number} {item.title}", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN))
                continue
            shown = [self._alone(row[name]) for name in ("members", "covered", "missing", "unknown")]
            if self.publication and any(hiding.small(row[name]) for name in ("covered", "missing", "unknown")):
                shown[0] = hiding.HIDDEN
            rows.append((f"{item.number} {item.title}", *shown))
        return Section("不漏一户", said, [Table("各项", ("项目", "应覆盖", "已覆盖", "缺", "不明"), rows)])

    def sources(self) -> Section:
        late = figures.late_feeds(self.warehouse, self.scope)
        if not late:
            return Section("数据到位", ["各部门的数据本期全部到位。"])
        needed = [row for row in late if row["matching_set"]]
        said = [f"本期没有送到的数据 {len(late)} 种" + (f"，其中比对必需的 {len(needed)} 种" if needed else "") + "；沿用以前各期的，所判断的情况可能已经变化。"]  # fmt: skip
        rows = [
            (row["title"], row["department"], "是" if row["matching_set"] else "否", _month(str(row["last_period"])) if row["last_period"] else "从未送到")
            for row in late
        ]  # fmt: skip
        return Section("数据到位", said, [Table("未到的数据", ("数据", "部门", "比对必需", "最近一期"), rows)])

    def quality(self) -> Section:
        found = figures.quality(self.warehouse, self.scope)
        said = []
        if rate := self.rate(found["usable"], found["persons"], "人"):
            said.append(f"证件号码可用率 {rate}。")
        said.append(f"身份待确认的数据 {number(found['undecided'])} 行，请人工确认。")
        if self.scope.whole_county:
            said.append(f"本期文件 {number(found['rows_read'])} 行：载入 {number(found['loaded'])}，重复 {number(found['duplicate'])}，隔离 {number(found['quarantined'])}，其余为标题、合计等非数据行。")  # fmt: skip
        return Section("数据质量", said)

    # --- small parts

    def _alone(self, value: int | None) -> str:
        """A figure that is not part of a told sum."""
        if value is None:
            return UNKNOWN
        return hiding.SMALL if self.publication and hiding.small(value) else number(value)

    def _drawable(self, bars: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
        """A bar of a hidden figure has no length that would tell it."""
        return [(name, 0.0 if said == hiding.SMALL else value, said) for name, value, said in bars]

    def _yuan(self, frame: pl.DataFrame, column: str, word: str) -> str:
        if frame.is_empty() or (self.publication and hiding.small(frame.height)):
            return ""
        return f"，{word} {number(frame[column].sum() or 0)} 元"

    def _dead(self, frame: pl.DataFrame) -> int:
        return frame.filter(pl.col("停保原因") == "人员死亡").height

    def _still_listed(self, frame: pl.DataFrame) -> str:
        still = frame.filter(pl.col("本期情况") != "已停").height
        return f"，其中 {self.n(still, '人')}仍在册，请先核实" if still else ""


def _count(frame: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    return frame.group_by(by).agg(pl.len().cast(pl.Int64).alias(name))


def _unit(row: dict[str, Any]) -> str:
    return "户" if row["subject"] == "household" else "人"
