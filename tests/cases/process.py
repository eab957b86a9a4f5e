"""Process and data: what is late or was not done, and what stops us from knowing."""

from __future__ import annotations

from tests.cases.building import LATE, County, Person


def tell(c: County) -> None:
    aid(c)
    reviews(c)
    visits(c)
    records(c)
    persons(c)
    families(c)


def aid(c: County) -> None:
    """2026-09-07 and 2026-11-16 are Mondays; 2026-11-30 is one too."""
    urgent = {"救助类型": "急难型", "救助金额": "800"}
    for case, columns, outcome in (
        ("paid after 3 working days", {"受理日期": "2026-09-07", "发放日期": "2026-09-10"}, False),
        ("after 4", {"受理日期": "2026-09-07", "发放日期": "2026-09-11"}, True),
        (
            "found the Friday before",
            {"受理日期": "2026-09-07", "发现日期": "2026-09-04", "发放日期": "2026-09-10"},
            True,
        ),
        ("a weekend between", {"受理日期": "2026-09-10", "发放日期": "2026-09-15"}, False),
        ("not paid", {"受理日期": "2026-09-07"}, True),
        ("refused", {"受理日期": "2026-09-07", "审批日期": "2026-09-08", "救助金额": "0"}, False),
        ("支出型", {"受理日期": "2026-09-07", "救助类型": "支出型"}, False),
        ("begun a year ago", {"受理日期": "2025-11-30"}, False),
        ("begun within the year", {"受理日期": "2025-12-01"}, True),
        ("the national holiday between", {"受理日期": "2026-09-30", "发放日期": "2026-10-09"}, False),
    ):
        h = c.house(case).check(5000).row("temporary_aid", **{**urgent, **columns})
        h.says("PROC-EMERGENCY", lambda p, o=outcome: o if p.emergency else None, h.head, level="red")
    for paid, columns, outcome in (
        ("2026-11-16", {}, False), ("2026-11-13", {}, True), ("2026-11-13", {"补充说明日期": "2026-11-20"}, False), ("2026-11-13", {"先行救助": "否"}, False),
        ("2025-11-30", {}, False), ("2025-12-01", {}, True), ("2026-11-13", {"补充说明日期": "2026-12-20"}, True),
    ):  # fmt: skip
        first = {"先行救助": "是", **columns}
        h = c.house(f"aid first, {paid} {columns}").check(5000).aid(paid, **first)
        h.says("PROC-SUPPLEMENT", outcome, h.head, level="yellow")


def reviews(c: County) -> None:
    for rank, day, outcome in (
        ("A", "2025-11-30", False), ("A", "2025-11-29", True), ("B", "2026-05-30", False), ("B", "2026-05-29", True), ("", "2026-05-30", False),
        ("", "2026-05-29", True), ("C", "2026-08-30", False), ("C", "2026-08-29", True), ("C", "2026-12-30", False),
    ):  # fmt: skip
        h = c.house(f"class {rank} reviewed {day}").check(400).dibao(类别=rank, 最近复核日期=day)
        h.says("PROC-REVIEW", outcome, level="yellow")
    c.house("never reviewed, old").check(400).dibao(最近复核日期="").says("PROC-REVIEW", "hit")
    c.house("never reviewed, new").check(400).dibao(最近复核日期="", 享受起始日期="2026-06-01").says(
        "PROC-REVIEW", "clear"
    )
    c.house("the township writes no reviews", town=LATE).check(400).dibao().says("PROC-REVIEW", "unknown")
    for died, review, outcome in (
        ("2026-08-31", "2026-08-30", True), ("2026-09-01", "2026-08-30", False), ("2025-11-30", "2025-11-29", True), ("2025-11-29", "2025-11-28", False),
        ("2026-06-06", "2026-06-06", False), ("2026-06-06", "2026-06-05", True), ("2026-06-06", "", True),
    ):  # fmt: skip
        h = c.house(f"died {died}, reviewed {review}", "1981-05-05", "1950-01-01")
        h.died(h.members[1], died).check(400).dibao(h.head, 最近复核日期=review, 类别="A", 享受起始日期="2026-01-01")
        h.says("PROC-DEATH-RECHECK", outcome, level="orange")
    h = c.house("died, single dibao", "1981-05-05", "1950-01-01").check(400)
    h.died(h.members[1], "2026-06-06").dibao(h.head, 保障方式="单人户", 最近复核日期="2026-01-01").says(
        "PROC-DEATH-RECHECK", "clear"
    )


def visits(c: County) -> None:
    alone = {"供养方式": "分散供养"}
    for day, mode, outcome in (
        ("2026-11-01", "入户", False), ("2026-10-31", "入户", True), ("2026-11-20", "电话", True), ("2026-11-20", "", False), ("2026-12-01", "入户", True),
    ):  # fmt: skip
        h = (
            c.house(f"tekun visited {day} {mode}", "1950-01-01")
            .check(400)
            .tekun(**alone)
            .row("visits", 走访日期=day, 走访方式=mode)
        )
        h.says("PROC-VISIT-TEKUN", outcome, h.head, level="orange")
    h = c.house("the household visited", "1950-01-01").check(400).tekun(**alone)
    c.rows["visits"].append({"走访日期": "2026-11-20", "户编号": h.code, "走访方式": "入户", "乡镇": h.town})
    h.says("PROC-VISIT-TEKUN", "clear", h.head)
    h = c.house("somebody else of the household visited", "1950-01-01", "1951-01-01").check(400).tekun(**alone)
    h.row("visits", h.members[1], 走访日期="2026-11-20", 走访方式="入户", 户编号=h.code).says(
        "PROC-VISIT-TEKUN", "hit", h.head
    )
    h = c.house("never visited, in an institution", "1950-01-01").check(400).tekun()
    h.says("PROC-VISIT-TEKUN", "clear", h.head)
    h = c.house("tekun, the township is late", "1950-01-01", town=LATE).check(400).tekun(**alone)
    h.says("PROC-VISIT-TEKUN", "unknown", h.head)
    for kind, day, outcome in (
        ("留守老人", "2026-09-02", False), ("留守老人", "2026-09-01", True), ("孤儿", "", True), ("留守妇女", "", True), ("易流浪走失人员", "", False),
    ):  # fmt: skip
        h = (
            c.house(f"{kind} visited {day}", "1950-01-01")
            .check(5000)
            .row("care_groups", 类别=kind, 起始日期="2020-01-01", 监护人="儿子")
        )
        if day:
            h.row("visits", 走访日期=day, 走访方式="视频")
        h.says("PROC-VISIT-CARE", outcome, h.head, level="yellow")
    h = (
        c.house("care, the township is late", "1950-01-01", town=LATE)
        .check(5000)
        .row("care_groups", 类别="留守老人", 起始日期="2020-01-01")
    )
    h.says("PROC-VISIT-CARE", "unknown", h.head)
    for told, seen, town, outcome in (
        ("2026-09-02", "", "全报镇", "clear"), ("2026-09-01", "", "全报镇", "hit"), ("", "", "全报镇", "hit"), ("", "2026-09-02", "全报镇", "clear"),
        ("", "2026-09-01", "全报镇", "hit"), ("", "", LATE, "unknown"), ("2026-01-01", "", LATE, "hit"), ("2026-12-12", "", LATE, "clear"),
    ):  # fmt: skip
        h = c.house(f"monitored, told {told}, seen {seen}, {town}", town=town).check(5000).monitored(最近走访日期=told)
        if seen:
            h.row("visits", 走访日期=seen, 走访方式="电话")
        h.says("PROC-VISIT-MONITORED", outcome, level="yellow")
    c.house("脱贫户 never visited").check(5000).monitored("脱贫户").says("PROC-VISIT-MONITORED", "clear")


def records(c: County) -> None:
    for case, columns, outcome in (
        ("due yesterday", {"办理期限": "2026-11-29"}, "hit"), ("due today", {"办理期限": "2026-11-30"}, "clear"),
        ("concluded", {"办理期限": "2026-10-01", "办结日期": "2026-11-01"}, "clear"), ("concluded later", {"办理期限": "2026-10-01", "办结日期": "2026-12-01"}, "hit"),
        ("no deadline", {}, "unknown"), ("concluded, no deadline", {"办结日期": "2026-11-01"}, "clear"),
    ):  # fmt: skip
        h = c.house(f"clue {case}").check(5000)
        h.row("clues", 线索编号=f"X{h.code}", 来源="信访", 登记日期="2026-09-01", **columns).says(
            "PROC-CLUE", outcome, h.head, level="red"
        )
    failed = {"项目": "低保", "发放年月": "2026-10", "发放状态": "失败"}
    for case, others, outcome in (
        ("failed", (), True), ("returned", ({"发放状态": "退回"},), True), ("paid again", ({"发放状态": "成功"},), False),
        ("another item paid", ({"发放状态": "成功", "项目": "特困"},), True), ("another month paid", ({"发放状态": "成功", "发放年月": "2026-11"},), True),
    ):  # fmt: skip
        h = c.house(f"payment {case}").check(5000).row("payments", **failed)
        for other in others:
            h.row("payments", **{**failed, **other})
        h.says("PROC-PAYMENT", outcome, h.head, level="red")
    for month, outcome in (("2025-12", True), ("2025-11", False)):
        h = c.house(f"payment failed {month}").check(5000).row("payments", **{**failed, "发放年月": month})
        h.says("PROC-PAYMENT", outcome, h.head)
    for day, outcome in (("2026-09-30", False), ("2026-10-01", True)):
        h = c.house(f"payment failed, died {day}", "1981-05-05", "1950-01-01").check(5000)
        h.died(h.members[1], day).row("payments", h.members[1], **failed).says("PROC-PAYMENT", outcome, h.members[1])

    def kinship(case: str, filed: str, outcome: bool, on_dibao: bool = True) -> None:
        h = c.house(case, "1981-05-05", "1950-01-01").check(400)
        h = h.dibao(h.members[1]) if on_dibao else h
        named = {
            "近亲属姓名": h.members[1].name,
            "近亲属证件号码": h.members[1].number,
            "关系": "父亲",
            "备案日期": filed,
        }
        c.rows["officials"].append({"干部姓名": h.head.name, "干部证件号码": h.head.number, **named})
        h.says("PROC-KINSHIP", outcome, h.members[1], level="red")

    kinship("relative on dibao, not filed", "", True)
    kinship("relative on dibao, filed", "2026-11-30", False)
    kinship("relative on dibao, filed later", "2026-12-01", True)
    kinship("relative not on dibao", "", False, on_dibao=False)


def persons(c: County) -> None:
    def unnumbered(case: str, born: str, outcome: bool, written: str = "") -> None:
        h = c.house(case).check(5000)
        person = h.add(born, 证件号码=written, 出生日期=born)
        h.says("DQ-ID", outcome, Person(person.name, "", born), level="yellow")

    unnumbered("no number", "1981-05-05", True)
    unnumbered("a wrong check character", "1981-05-05", True, "500998198105059999")
    unnumbered("rounded by Excel", "1981-05-05", True, "5.00998E+17")
    unnumbered("newborn", "2025-12-01", False)
    unnumbered("a year old", "2025-11-30", True)
    h = c.house("a good number").check(5000)
    h.says("DQ-ID", "clear", h.head).says("DQ-NAME", "clear", h.head).says("DQ-TWO-HOUSEHOLDS", "clear", h.head)
    h.says("DQ-UNREGISTERED", "clear", h.head)
    h = (
        c.house("another name")
        .check(5000)
        .row("payments", 项目="低保", 发放年月="2026-11", 姓名="别名儿", 发放状态="成功")
    )
    h.says("DQ-NAME", "hit", h.head, level="yellow")
    h = c.house("the name with blanks").check(5000)
    h.row("payments", 项目="低保", 发放年月="2026-11", 发放状态="成功", 姓名=" ".join(h.head.name)).says(
        "DQ-NAME", "clear", h.head
    )
    h = c.house("another name in a row of later").check(5000)
    h.row("medical", 结算日期="2026-12-02", 姓名="别名儿", 个人自付="1").says("DQ-NAME", "clear", h.head)
    for feed, columns, outcome in (
        ("clues", {"线索编号": "XU1", "来源": "信访", "登记日期": "2026-09-01"}, True), ("payments", {"项目": "低保", "发放年月": "2026-11", "发放状态": "成功"}, True),
        ("vehicles", {"车辆类型": "汽车", "状态": "正常"}, False),
    ):  # fmt: skip
        stranger = c.person("1981-05-05")
        h = c.house(f"a stranger's {feed}").check(5000).row(feed, stranger, **columns)
        h.says("DQ-UNREGISTERED", outcome, stranger, level="orange")
    h, other = c.house("in two households").check(5000), c.house("the other one").check(5000)
    row = {"户编号": other.code, "与户主关系": "其他", "姓名": h.head.name, "证件号码": h.head.number, **other.place}
    c.rows["registry"].append(row)
    h.says("DQ-TWO-HOUSEHOLDS", "hit", h.head, level="orange").says("DQ-TWO-HOUSEHOLDS", "clear", other.head)
    clue = {"来源": "信访", "登记日期": "2026-09-01"}
    h = c.house("a clue by name and village only").check(5000)
    nameless = Person(h.head.name, "", "")
    h.row("clues", nameless, 线索编号="XL1", **clue).says("DQ-LINK", "hit", nameless, level="yellow")
    h = c.house("a clue by name and birth date").check(5000)
    h.row("clues", Person(h.head.name, "", ""), 线索编号="XL2", 出生日期=h.head.born, 办理期限="2026-11-01", **clue)
    h.says("DQ-LINK", None, Person(h.head.name, "", "")).says("PROC-CLUE", "hit", h.head)


def families(c: County) -> None:
    rule = "DQ-INCOME-UNKNOWN"
    c.house("on dibao, income unknown").dibao().says(rule, "hit", level="yellow")
    c.house("listed, income unknown").listed().says(rule, "hit")
    c.house("at risk, income unknown").monitored().says(rule, "hit")
    c.house("脱贫户, income unknown").monitored("脱贫户").says(rule, "clear")
    c.house("nothing known of it").says(rule, "clear")
    c.house("on dibao, income known").dibao().check(400).says(rule, "clear")
    for done, outcome in (("", True), ("2026-11-30", False), ("2026-12-01", True)):
        h = c.house(f"clue done {done}")
        h.row("clues", 线索编号=f"X{h.code}", 来源="信访", 登记日期="2026-09-01", 办结日期=done).says(rule, outcome)
    for result, done, outcome in (
        ("办理中", "", True),
        ("批准", "", False),
        ("不予批准", "", False),
        ("", "2026-10-10", False),
        ("批准", "2026-12-01", True),
    ):
        h = c.house(f"application {result} {done}")
        h.row("applications", 申请事项="低保", 申请日期="2026-09-01", 审批结果=result, 办结日期=done).says(
            rule, outcome
        )
    four = ("1981-05-05", "1982-06-06", "2010-01-01", "2012-01-01")
    for listed, outcome in ((4, False), (3, False), (2, True), (1, False)):
        h = c.house(f"{listed} of four listed", *four).check(400)
        h.dibao(*h.members[:listed]).says("DQ-FAMILY", outcome, level="yellow")
    h = c.house("two of four listed one by one", *four).check(400)
    h.dibao(*h.members[:2], 保障方式="单人户").says("DQ-FAMILY", "clear")
    h = c.house("the dead are not missing", *four).check(400)
    h.died(h.members[3], "2026-01-01").dibao(*h.members[:2]).says("DQ-FAMILY", "clear")
