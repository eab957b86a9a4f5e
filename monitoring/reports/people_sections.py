"""The sections about people: who is poor, who came and left, who is not covered, how alerts are dealt with, what drives them."""

from __future__ import annotations

import polars as pl

from monitoring.alerts.reporting import Worked
from monitoring.labels import feed_titles
from monitoring.language import number, share
from monitoring.reports import figures, hiding
from monitoring.reports.figures import Movement
from monitoring.reports.shape import Picture, Section, Table
from monitoring.reports.wording import Writer, count_by, unit_of


class PeopleSections(Writer):
    """Each section from its own question."""

    def categories(self) -> Section:
        people = figures.population(self.warehouse, self.scope)
        found = people.categories
        lacking = found.filter(pl.col("persons").is_null())["title"].to_list()
        known = "低收入人口" if not lacking else "有台账的几类低收入人口"
        said = [f"全部户籍人口 {number(self.run.persons)} 人、{number(self.run.households)} 户；{known} {self.n(people.persons, '人')}，{self.n(people.households, '户')}（每人、每户只计主要的一类）。"]  # fmt: skip
        if not lacking and (part := self.rate(people.persons, self.run.persons, "人")):
            said.append(f"占户籍人口 {part}。")
        if lacking:
            said.append(f"没有台账、人数不明的类别：{'、'.join(lacking)}。")
        if people.by_income and not self._tells_small(people.by_income, found["persons"][-1]):
            said.append(f"其他困难人员中 {self.n(people.by_income, '人')}只是按收入测算，还没有哪一册认定。")
        if people.unknown:
            said.append(f"另有 {self.n(people.unknown, '户')}收入情况不明，不能判断是否属于低收入家庭。")
        cells = self.cells(found, ("households", "persons"), total=True)
        rows = [
            (title, *row, self._listed(listed, persons))
            for title, row, listed, persons in zip(
                found["title"], cells, found["listed"], found["persons"], strict=False
            )
        ]
        table = Table(
            "六类低收入人口", ("类别", "户数（主要的一类）", "人数（主要的一类）", "列入人数（兼有的重复计）"),
            [*rows, ("合计", *cells[-1], "不相加")], total=True,
        )  # fmt: skip
        bars = [
            (title, float(persons or 0), row[1])
            for title, persons, row in zip(found["title"], found["persons"], cells, strict=False)
        ]
        return Section("低收入人口基本情况", said, [table], Picture("六类低收入人口（人，按主要的一类）", self._drawable(bars), "人"))  # fmt: skip

    def _listed(self, listed: int | None, persons: int | None) -> str:
        """Who stands in a category: published only where the difference to those of its own tells no small number."""
        if listed is not None and self._tells_small(persons or 0, listed):
            return hiding.HIDDEN
        return self.alone(listed)

    def _tells_small(self, part: int, whole: int | None) -> bool:
        """Whether, published beside the whole, a part would tell a small number."""
        return self.publication and (hiding.small(part) or hiding.small((whole or 0) - part))

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
        kinds = count_by(moved.new, "类别", "新增").join(
            count_by(moved.ended, "类别", "停保"), on="类别", how="full", coalesce=True
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
            said.append(f"{len(with_gap)} 项救助有应保未保、应享未享的疑似对象，最多的是“{first['title']}”，{self.n(first['gap'], unit_of(first))}，请逐户核实。")  # fmt: skip
        else:
            said.append("各项救助没有发现疑似应保未保、应享未享的对象。")
        unknown = judged.filter(pl.col("unknown") > 0).sort("unknown", descending=True)
        if unknown.height:
            most = unknown.row(0, named=True)
            said.append(f"{len(unknown)} 项救助有缺数据不能判断的对象，最多的是“{most['title']}”，{self.n(most['unknown'], unit_of(most))}；不明不等于没有。")  # fmt: skip
        if off:
            said.append(f"没有启用规则、因而不明的项目：{'、'.join(off)}。")
        rows = []
        for row in judged.to_dicts():
            figures_of = [self.alone(row[name]) for name in ("eligible", "covered", "gap", "unknown")]
            rate = "" if not row["eligible"] else share(row["covered"], row["eligible"])
            if self.publication and (hiding.small(row["gap"]) or hiding.small(row["covered"])):
                rate, figures_of[0] = hiding.HIDDEN, hiding.HIDDEN  # else the small one is the difference
            rate = f"至多 {rate}" if rate and row["unknown"] and rate != hiding.HIDDEN else rate
            rows.append((f"{row['title']}（{unit_of(row)}）", *figures_of, rate or "没有对象"))
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
        rows = [(row["title_zh"], self.alone(row["households"])) for row in found.to_dicts()]
        bars = [(row["title_zh"], float(row["households"]), self.alone(row["households"])) for row in found.to_dicts()]
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
