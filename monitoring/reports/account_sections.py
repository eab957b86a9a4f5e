"""The sections that give account: the money, where those went who left, the checklist, what came late, how good the data are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from monitoring.checklist import BY_NUMBER
from monitoring.desk.due import WAITING
from monitoring.language import number
from monitoring.reports import figures, hiding
from monitoring.reports.figures import Movement
from monitoring.reports.shape import Section, Table
from monitoring.reports.wording import UNKNOWN, Writer, month
from monitoring.strict_toml import PolicyError
from monitoring.vouching.live import Live


class AccountSections(Writer):
    """Each section from its own question."""

    def money(self) -> Section:
        first, last = date.fromisoformat(f"{self.months[0]}-01"), date.fromisoformat(f"{self.months[-1]}-01")
        found = figures.money(self.warehouse, self.scope, first, last)
        span = month(self.months[0]) if first == last else f"{month(self.months[0])}至{month(self.months[-1])}"
        if found.is_empty():
            return Section("资金发放", [f"没有收到 {span}的资金发放明细，发放情况不明。"])
        paid = sum(found["yuan"].to_list(), Decimal(0))
        failed = int(found["failed"].sum())
        if self.publication and any(hiding.small(persons) for persons in found["persons"]):
            # one hidden programme could be found by subtraction
            said = [
                f"按资金发放明细（临时救助按其台账），{span}各项救助和补贴发放情况见表；人数{hiding.SMALL}的项目不列金额，合计也不列出。"
            ]
        else:
            said = [f"按资金发放明细（临时救助按其台账），{span}各项救助和补贴发放成功 {number(paid)} 元。"]
        if failed:
            said.append(f"失败或退回 {self.n(failed, '笔')}，请核对账户并补发。")
        if int(found["blank"].sum()):
            said.append(f"另有 {number(int(found['blank'].sum()))} 笔没有写金额，不在合计内。")
        rows = []
        for row in found.to_dicts():
            hide = self.publication and hiding.small(row["persons"])
            rows.append((row["item"], self.alone(row["persons"]), hiding.HIDDEN if hide else number(row["payments"]), hiding.HIDDEN if hide else number(row["yuan"]), self.alone(row["failed"])))  # fmt: skip
        return Section("资金发放", said, [Table("按项目", ("项目", "到账人数", "到账笔数", "到账金额（元）", "失败退回（笔）"), rows)])  # fmt: skip

    def exits(self, moved: Movement | None) -> Section:
        if moved is None:
            return Section("退出及兜底", ["没有更早的已发布结果，退出情况不明。"])
        found = moved.netted
        if found.is_empty():
            return Section("退出及兜底", ["近12个月没有低保、特困人员退出的记录。"])
        into = [(name, found.filter(pl.col(name) == "√").height) for name in found.columns if name.startswith("纳入")]
        dead, straight = self._dead(found), found.filter(pl.col("直接退出") == "√").height
        unsure = found.filter(pl.col("说明").str.starts_with("去向不明")).height
        parts = [*into, ("已去世", dead), ("没有转入上述救助或监测", straight - unsure), ("去向不明", unsure)]
        instead, hide_total = hiding.column([n for _, n in parts]) if self.publication else ([None] * len(parts), False)
        told = {name: put or number(n) for put, (name, n) in zip(instead, parts, strict=True)}
        went = "、".join(f"{name} {told[name]} 人" for name, n in into if n) or "没有人转入其他救助或防返贫监测"
        maybe = f"，去向不明 {told['去向不明']} 人" if unsure else ""
        whole = "" if hide_total else f" {self.n(found.height, '人')}"
        said = [f"近12个月退出低保、特困{whole}：{went}，已去世 {told['已去世']} 人，没有转入上述救助或监测 {told['没有转入上述救助或监测']} 人{maybe}，请逐户核实生活情况。"]  # fmt: skip
        rows = [(name, told[name]) for name, n in parts if n]
        return Section("退出及兜底", said, [Table("退出后的去向（一人可有几项）", ("去向", "人数"), rows)])

    def checklist(self, done: Live) -> Section:
        found = figures.sets(self.warehouse, self.scope, done)
        silent = found.filter(pl.col("no_data"))
        short = found.filter(pl.col("missing") > 0)
        said = [f"“不漏一户”{found.height} 项中，有遗漏的 {short.height} 项，没有数据、不明的 {silent.height} 项。"]
        rows: list[tuple[str, ...]] = []
        for row in found.to_dicts():
            item = BY_NUMBER[row["number"]]
            if row["no_data"]:
                rows.append((f"{item.number} {item.title}", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN))
                continue
            shown = [self.alone(row[name]) for name in ("members", "covered", "missing", "unknown")]
            if self.publication and any(hiding.small(row[name]) for name in ("covered", "missing", "unknown")):
                shown[0] = hiding.HIDDEN
            rows.append((f"{item.number} {item.title}", *shown))
        return Section("不漏一户", said, [Table("各项", ("项目", "应覆盖", "已覆盖", "缺", "不明"), rows)])

    def sources(self, today: date) -> Section:
        try:
            late, stands = figures.late_feeds(self.warehouse, today)
        except PolicyError:
            return Section("数据到位", ["报送期限的设置不能用，哪些数据该到没到不明。"])
        waiting = f"还没到报送期限、尚未送到的 {len(stands.of(WAITING))} 种。" if stands.of(WAITING) else ""
        if not late:
            whole = f"本期应报的 {stands.asked} 种数据，已到 {stands.here} 种，没有过期未报的。"
            return Section("数据到位", [whole, *([waiting] if waiting else [])])
        needed = [row for row in late if row["matching_set"]]
        said = [f"本期应报的 {stands.asked} 种数据，过期没有送到的 {len(late)} 种" + (f"，其中比对必需的 {len(needed)} 种" if needed else "") + "；沿用以前各期的，所判断的情况可能已经变化。"]  # fmt: skip
        if waiting:
            said.append(waiting)
        rows = [
            (row["title"], row["department"], "是" if row["matching_set"] else "否", month(str(row["last_period"])) if row["last_period"] else "从未送到")
            for row in late
        ]  # fmt: skip
        return Section("数据到位", said, [Table("过期未报的数据", ("数据", "部门", "比对必需", "最近一期"), rows)])

    def quality(self) -> Section:
        found = figures.quality(self.warehouse, self.scope)
        said = []
        if rate := self.rate(found["usable"], found["persons"], "人"):
            said.append(f"证件号码可用率 {rate}。")
        said.append(f"身份待确认的数据 {number(found['undecided'])} 行，请人工确认。")
        if self.scope.whole_county:
            said.append(f"本期文件 {number(found['rows_read'])} 行：载入 {number(found['loaded'])}，重复 {number(found['duplicate'])}，隔离 {number(found['quarantined'])}，其余为标题、合计等非数据行。")  # fmt: skip
        return Section("数据质量", said)
