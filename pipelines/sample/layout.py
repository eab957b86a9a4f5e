"""The 27 feeds as departments know them: file title, columns that may not be blank, and what else headings are called.

Taken from `feeds.md`; the order of columns is that of the feed builders.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SHARED: dict[str, tuple[str, ...]] = {
    "姓名": ("名字", "人员姓名", "对象姓名"),
    "证件号码": ("身份证号", "身份证号码", "公民身份号码", "居民身份证号", "身份证"),
    "户主姓名": ("户主", "申请人姓名"),
    "户主证件号码": ("户主身份证号", "户主身份证号码", "户主身份证"),
    "与户主关系": ("关系", "家庭关系", "成员关系"),
    "乡镇": ("镇街", "乡镇街道", "所属乡镇", "乡（镇）", "街道"),
    "村": ("行政村", "村社区", "村（社区）", "村居", "所属村"),
    "出生日期": ("出生年月", "生日"),
    "联系电话": ("电话", "手机", "手机号"),
}


@dataclass(frozen=True)
class Layout:
    """One feed's file title, required columns and further aliases; `remote` feeds hold neither place nor birth date."""

    title: str
    required: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remote: bool = False

    def called(self, column: str) -> tuple[str, ...]:
        """The heading of a column and its aliases."""
        return (column, *self.aliases.get(column, ()), *SHARED.get(column, ()))


FEEDS: dict[str, Layout] = {
    "registry": Layout(
        "农户基本信息台账",
        ("户编号", "与户主关系", "姓名", "乡镇", "村"),
        {"户编号": ("户号", "家庭编号"), "村民小组": ("组",), "住址": ("家庭住址", "地址")},
    ),
    "dibao": Layout(
        "最低生活保障对象台账",
        ("救助证编号", "姓名", "享受起始日期"),
        {
            "救助证编号": ("低保证号", "保障证号"),
            "户月保障金额": ("保障金额", "月低保金"),
            "享受起始日期": ("起始日期", "批准日期"),
            "终止日期": ("停发日期",),
            "最近复核日期": ("复核日期",),
            "致贫原因": ("致困原因",),
        },
    ),
    "tekun": Layout("特困人员供养台账", ("姓名", "供养方式", "享受起始日期"), {"照料服务人": ("照料护理人",)}),
    "low_income": Layout("低收入家庭认定台账", ("类别", "姓名", "认定日期")),
    "temporary_aid": Layout("临时救助台账", ("姓名", "救助类型", "受理日期")),
    "applications": Layout("社会救助申请与核对结果", ("姓名", "申请事项", "申请日期")),
    "income": Layout(
        "家庭经济状况核对",
        ("户主证件号码", "核对日期"),
        {"经营净收入": ("生产经营性收入",), "财产净收入": ("财产性收入",), "转移净收入": ("转移性收入",)},
        remote=True,
    ),
    "monitored": Layout(
        "防止返贫监测与脱贫户信息",
        ("户编号", "户类型", "姓名"),
        {"识别日期": ("纳入监测日期",), "风险类型": ("致贫返贫风险",)},
    ),
    "disability": Layout("持证残疾人", ("姓名", "残疾类别", "残疾等级"), remote=True),
    "disability_subsidy": Layout("残疾人两项补贴发放", ("姓名", "补贴类型", "发放年月"), remote=True),
    "medical": Layout("医疗费用结算", ("姓名", "结算日期"), {"个人自付": ("自付费用",)}, remote=True),
    "insurance": Layout("基本医保参保", ("姓名", "参保年度", "参保状态"), remote=True),
    "education": Layout("在校生与资助", ("姓名", "学段", "学籍状态"), remote=True),
    "social_insurance": Layout("养老保险与就业", ("姓名", "险种", "参保状态"), remote=True),
    "vehicles": Layout("车辆登记", ("姓名", "车辆类型"), remote=True),
    "real_estate": Layout("不动产登记", ("姓名", "房屋性质"), remote=True),
    "business": Layout("市场主体", ("姓名", "状态"), remote=True),
    "deaths": Layout("死亡登记", ("姓名", "死亡日期"), remote=True),
    "disasters": Layout("受灾与救灾", ("户主姓名", "受灾日期")),
    "clues": Layout("主动发现线索", ("线索编号", "来源", "登记日期", "姓名")),
    "care_groups": Layout("特殊群体", ("姓名", "类别")),
    "visits": Layout("走访记录", ("走访日期",)),
    "payments": Layout("资金发放明细", ("项目", "发放年月", "姓名", "发放状态"), remote=True),
    "housing": Layout("住房安全与饮水", ("户主姓名",)),
    "institutions": Layout("供养服务机构", ("机构名称", "入住人数", "护理员人数")),
    "officials": Layout("近亲属享受低保备案", ("干部姓名", "近亲属姓名"), remote=True),
    "graduates": Layout("离校未就业毕业生", ("姓名", "毕业日期", "就业状态"), remote=True),
}

MONEY = (
    "金额",
    "收入",
    "支出",
    "费用",
    "支付",
    "自付",
    "医疗救助",
    "成本",
    "资产",
    "养老金",
    "资本",
    "基数",
    "生活费",
    "护理费",
)


def is_money(column: str) -> bool:
    """Yuan may carry thousands separators and 元; years and counts may not."""
    return any(word in column for word in MONEY)
