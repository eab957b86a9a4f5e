"""The outcomes A-P of a verification (single choice with a reason), what each requires, and what closing then needs.

Families are the four ways in which 国办发〔2023〕39号 三（四） has a warning disposed of, and a fifth for what needs no help now:
deliver (a policy not fully delivered), admit (not assisted but eligible), confer (complex: one case one meeting), exit
(perhaps no longer eligible: verified first), none. A program never chooses one: a named person does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from monitoring.language import Words

FAMILIES: dict[str, tuple[str, str]] = {
    "deliver": ("落实政策", "Deliver the policy"),
    "admit": ("纳入救助帮扶", "Admit to assistance"),
    "confer": ("一事一议", "Case conference"),
    "exit": ("核实退出或更正", "Verified exit or correction"),
    "none": ("无需帮扶或继续观察", "No help needed, or keep watching"),
}

# The exit safety net (退出对象兜底情况): what a household went to whose benefit ended or was corrected.
WENT_TO: dict[str, tuple[str, str]] = {
    "dibao": ("纳入低保", "Dibao"),
    "tekun": ("纳入特困供养", "Tekun"),
    "edge": ("纳入低保边缘", "Dibao-edge"),
    "rigid": ("纳入刚性支出困难", "Rigid expenditure"),
    "gradual": ("给予渐退期", "Gradual exit period"),
    "monitoring": ("纳入防止返贫监测", "Monitored against return to poverty"),
    "kept": ("更正后继续享受", "Kept, corrected"),
    "nothing": ("直接退出，须说明理由", "Left directly, with a reason"),
}

MEASURES: dict[str, tuple[str, str]] = {
    "dibao": ("低保金", "Dibao"),
    "tekun": ("特困供养", "Tekun support"),
    "edge": ("低保边缘认定", "Dibao-edge recognition"),
    "rigid": ("刚性支出困难认定", "Rigid-expenditure recognition"),
    "temporary": ("临时救助", "Temporary aid"),
    "medical": ("医疗救助", "Medical aid"),
    "education": ("教育资助", "Education aid"),
    "housing": ("住房安全", "Housing"),
    "employment": ("就业帮扶", "Employment help"),
    "disaster": ("受灾救助", "Disaster relief"),
    "disability": ("残疾人两项补贴", "Disability subsidies"),
    "child": ("儿童福利保障", "Child allowance"),
    "care": ("照料服务", "Care service"),
    "water": ("饮水安全", "Drinking water"),
    "charity": ("慈善和社会帮扶", "Charity and social help"),
    "other": ("其他措施", "Other"),
}
SPECIAL = ("medical", "education", "housing", "employment", "disaster", "disability", "child", "care", "water")

# Those whom cases go to most; another one can be typed.
DEPARTMENTS = (
    "民政", "乡村振兴", "人社", "教育", "医保", "卫健", "残联", "住建", "水利", "应急", "公安", "财政", "自然资源",
    "市场监管", "妇联", "团委", "慈善会", "乡镇",
)  # fmt: skip

_HOME = ("household", "record")
_ALL = ("household", "record", "institution", "feed", "policy")
QUIET_DAYS, FALSE_ALARM_DAYS = 60, 90  # 90: domain's recheck of a false alarm


@dataclass(frozen=True)
class Outcome:
    """`needs` beside the reason: visit, went_to, department, conference, measure, particulars, until.

    `kinds`: measures of which one is needed: at the decision where `needs` says measure, else before closing. `amount`: that
    measure has yuan. `asks` is what `particulars` must tell. `then`: the limit (limits.LIMITS) that begins with the decision
    of one whose help is followed up; "" where it may be closed at once.
    """

    code: str
    zh: str
    en: str
    family: str
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    amount: bool = False
    asks: str = ""
    then: str = ""
    false_alarm: bool = False
    subjects: tuple[str, ...] = _HOME

    @property
    def helps(self) -> bool:
        """Help follows and is followed up, so that the alert stays open."""
        return bool(self.then)


OUTCOMES: dict[str, Outcome] = {
    outcome.code: outcome
    for outcome in (
        Outcome("A", "纳入低保", "Admitted to dibao", "admit", kinds=("dibao",), amount=True, then="admit"),
        Outcome("B", "纳入特困供养", "Admitted to tekun", "admit", kinds=("tekun",), amount=True, then="admit"),
        Outcome("C", "参照单人户纳入低保", "Single-person dibao", "admit", kinds=("dibao",), amount=True, then="admit"),
        Outcome("D", "认定低保边缘家庭", "Dibao-edge", "admit", kinds=("edge",), then="admit"),
        Outcome("E", "认定刚性支出困难家庭", "Rigid expenditure", "admit", kinds=("rigid",), then="admit"),
        Outcome("F", "给予临时救助", "Temporary aid", "admit", ("measure",), ("temporary",), amount=True, then="pay"),
        Outcome("G", "给予专项救助", "Special aid", "deliver", ("measure",), SPECIAL, then="help"),
        Outcome("H", "纳入防止返贫监测并落实措施", "Monitoring target with measures", "admit", ("measure",), tuple(MEASURES), then="help"),
        Outcome("I", "转部门办理", "Referred to a department", "deliver", ("department",), subjects=_ALL),
        Outcome("J", "一事一议", "Case conference", "confer", ("conference",), then="help", subjects=_ALL),
        Outcome("K", "终止或更正待遇", "Benefit ended or corrected", "exit", ("went_to",)),
        Outcome("L", "核实无困难", "No difficulty", "none", ("visit",), false_alarm=True, subjects=(*_HOME, "institution")),
        Outcome("M", "数据有误", "Data error", "none", false_alarm=True, subjects=_ALL),
        Outcome("N", "联系不上、迁出或死亡", "Cannot be reached, moved or dead", "none", ("particulars",),
                asks="现住址、死亡日期，或几次联系、何时联系未果"),
        Outcome("O", "本人拒绝救助", "Refuses help", "none", ("particulars",), asks="本人拒绝的原话"),
        Outcome("P", "潜在对象，继续观察", "Potential, keep watching", "none", ("until",), then="until", subjects=_ALL),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a decision has to show. `visit`: None, or whether it tells anything (somebody was met, and the finding is clear).

    `measures`: (kind, whether it has an amount) of what was recorded before or comes with the decision. `referred`: a
    department was asked before or is asked with it. `conferred`: a conference of this alert has decided.
    """

    reason: str = ""
    visit: bool | None = None
    measures: Collection[tuple[str, bool]] = ()
    went_to: str | None = None
    referred: bool = False
    conferred: bool = False
    particulars: str = ""
    until: date | None = None


def missing(outcome: Outcome, given: Given) -> list[str]:
    """What the outcome requires and the decision lacks, in words for who must add it; empty where it can stand."""
    lacks: list[str] = [] if given.reason.strip() else ["请写明理由"]
    for need in outcome.needs:
        if need == "visit":
            lacks += _visit(given.visit)
        elif need == "measure":
            lacks += unhelped(outcome, given.measures)
        elif need == "went_to" and given.went_to not in WENT_TO:
            lacks.append("请选择退出后的去向（退出对象兜底情况）")
        elif need == "department" and not given.referred:
            lacks.append("请写明转给哪个部门、要求办什么")
        elif need == "conference" and not given.conferred:
            lacks.append("一事一议会议还没有作出决定，请先登记会议日期和决定")
        elif need == "particulars" and not given.particulars.strip():
            lacks.append(Words("请写明{asks}", asks=Words(outcome.asks)))
        elif need == "until" and given.until is None:
            lacks.append("请定下回访日期")
    return lacks


def unhelped(outcome: Outcome, measures: Collection[tuple[str, bool]]) -> list[str]:
    """What help the outcome promises and no measure shows yet, in words."""
    if not outcome.kinds or any(kind in outcome.kinds and (amount or not outcome.amount) for kind, amount in measures):
        return []
    if len(outcome.kinds) == len(MEASURES):
        return [Words("请登记帮扶措施")]
    named = [MEASURES[kind] for kind in outcome.kinds]
    text = "请登记帮扶措施（{kinds}）和金额" if outcome.amount else "请登记帮扶措施（{kinds}）"
    return [Words(text, kinds=named)]


def outcomes_for(subject: str) -> list[Outcome]:
    """The outcomes that an alert's subject can have, A to P."""
    return [outcome for outcome in OUTCOMES.values() if subject in outcome.subjects]


def _visit(visit: bool | None) -> list[str]:
    if visit is None:
        return ["“核实无困难”必须有入户走访：日期、走访人和走访记录"]
    return [] if visit else ["这次走访没有见到人，或情况仍不清楚，不能据此认定“无困难”"]
