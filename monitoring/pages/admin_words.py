"""What the journal says, in words: events, objects, and what stands beside them. The codes stay where they are searched by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from monitoring.alerts.choices import CHOICES
from monitoring.alerts.clue_effects import CHANNELS
from monitoring.alerts.moves import VERBS
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.verifying import FINDINGS
from monitoring.exporting.definitions import CASE_WORK, EXPORTS
from monitoring.labels import LEVEL_ZH, feed_titles
from monitoring.language import Language
from monitoring.misses.results import RESULTS as AT_THE_DOOR
from monitoring.people import ROLES
from monitoring.vouching.exporting import STATE_WORDS

STATES = {"active": "启用", "pending": "待审批", "disabled": "已停用"}
RESULTS = {"ok": "完成", "denied": "拒绝", "failed": "失败"}
# What events are called, by how they begin; the first that fits.
EVENTS = {
    "login.failed": "登录失败",
    "login.denied": "登录被拒（合计）",
    "login.second_factor": "第二重验证失败",
    "login": "登录",
    "logout": "退出",
    "gate.denied": "未登录访问被拒（合计）",
    "password": "修改密码",
    "second_factor": "设置第二重验证",
    "account": "账号管理",
    "self": "本人操作",
    "household.view": "查看户档案",
    "household.search": "查找户",
    "household.unmask": "查看完整信息",
    "export": "导出",
    "report": "打印报表",
    "sheet": "打印走访单",
    "alert": "预警处置",
    "clue": "线索",
    "journal": "操作日志",
    "setting": "系统设置",
    "scenario": "保存测算方案",
    "rule.change": "修改规则",
    "rule.taken_back": "撤回规则",
    "rule.shadow": "规则影子运行",
    "rule.shadow_counts": "影子规则转为计入",
    "rule.shadow_dropped": "影子规则停掉",
    "checklist": "签字封存",
    "link": "对人复核",
    "list": "风险名单",
    "feed": "表头对应",
    "file.upload": "上传文件",
    "run": "运行",
    "sample": "漏判抽查",
    "digest": "发送摘要",
    "store": "备份和恢复",
    "page": "打开页面",
}


# What the journal says beside an event, in words; roles, states and results among the values too.
DETAILS = {
    "role": "角色", "places": "负责", "state": "状态", "stage": "还须", "way": "方式", "locked": "已锁定", "why": "原因",
    "path": "访问的地址", "more": "同类另有", "rows": "行数", "what": "内容", "masked": "已遮蔽", "purpose": "用途",
    "problems": "问题数", "second_factor": "含第二重验证", "change": "变更", "publication": "公开版",
    "title": "标题", "changes": "改动", "reason": "理由", "before": "修改前指纹", "after": "修改后指纹",
    "found": "找到", "period": "期", "name": "名称", "bytes": "字节", "sha256": "文件指纹", "pack": "政策包", "accept": "接受减少",
    "household": "户", "seed": "抽取种子", "size": "抽多少", "drawn": "抽中", "of": "从多少户里", "dropped": "换下", "added": "补上",
    "sample": "抽查编号", "alert": "预警", "instead": "补上的抽查编号", "bits": "相符位数", "channel": "来源", "level": "级别",
    "emergency": "急难", "to": "交给", "sent": "送达", "failures": "未送达", "outcome": "结论", "decision": "决定编号",
    "visit": "走访编号", "finding": "走访结论", "department": "部门", "signed_run": "签字时的运行", "township": "乡镇",
    "village": "村（社区）", "households": "户数", "nobody": "无人担保", "sets": "项数", "facts": "不再相符", "set": "项", "now": "现在",
    "headings": "表头", "shared": "共用", "fields": "条件", "run": "运行", "kind": "种类", "verdict": "结论", "pair": "对象指纹",
}  # fmt: skip
SAID = STATES | {
    "change": "修改密码", "totp": "第二重验证", "enrol": "设置第二重验证", "password": "密码", "oidc": "统一认证",
    "session": "没有登录", "host": "主机名不对", "origin": "来自别的网站", "hidden": "不开放的地址", "clear text": "没有加密",
    "unknown": "没有这个账号", "too many": "次数太多", "Denied": "没有权限", "SessionOver": "会话已失效", "journal": "操作日志",
}  # fmt: skip
# What an event's object is called, by the word before its colon.
OBJECTS = {
    "account": "账号", "household": "户", "alert": "预警", "clue": "线索", "export": "导出", "feed": "数据源", "file": "文件", "list": "名单",
    "lists": "月报清单", "period": "期", "quarantine": "隔离行", "report": "报表", "rule": "规则", "run": "运行", "sample": "漏判抽查",
    "scenario": "测算方案", "seal": "签字", "link": "对人决定", "digest": "摘要", "journal": "操作日志", "page": "页面",
}  # fmt: skip
_FINE: dict[str, str] = {
    "account.add": "新建账号", "account.change": "修改账号", "account.ask_change": "申请修改账号", "account.approve": "批准账号",
    "account.reject": "驳回账号申请", "account.disable": "停用账号", "account.enable": "启用账号", "account.reset": "重置密码",
    "alert.view": "查看预警", "clue.register": "登记线索", "clue.conclude": "办结线索", "clue.reveal": "查看反映人",
    "export.offer": "生成导出文件", "export.take": "取走导出文件", "export.full": "导出完整信息", "export.list": "导出风险名单",
    "export.trace": "追查外传的名单", "journal.prove": "核对日志", "checklist.sign": "签字封存", "link.decide": "对人复核决定",
    "link.take_back": "撤回对人决定", "link.weigh": "计算把握程度", "list.keep": "保存名单", "list.drop": "删去名单",
    "sample.draw": "抽取抽查户", "sample.redraw": "补抽抽查户", "sample.visit": "登记抽查走访",
}  # fmt: skip
# Keys whose values are codes: how these are said.
_CODED: dict[str, Mapping[str, tuple[str, str]]] = {
    "outcome": {code: (one.zh, one.en) for code, one in OUTCOMES.items()},
    "finding": FINDINGS,
    "channel": {code: (one.zh, one.en) for code, one in CHANNELS.items()},
    "found": {code: (one.zh, one.en) for code, one in AT_THE_DOOR.items()},
}
_MORE = {
    "monthly": "月报", "quarterly": "季度报告", "report.monthly": "月报", "report.quarterly": "季度报告", "month lists": "月报清单",
    "corrections": "更正表", "checklist": "不漏一户", "same": "是同一个人", "different": "不是同一个人", "row": "一行", "person": "一人两号",
    **{state: zh for state, (zh, _) in STATE_WORDS.items()},
    "household": "重复的户", "county": "县", "township": "乡镇", "village": "村（社区）", "risk-list": "风险名单", "risk_list": "风险名单",
    **{name: one.title for name, one in (EXPORTS | CASE_WORK).items()},
}  # fmt: skip


def event_words(event: str, t: Language) -> str:
    """What happened; an event that has no words of its own by how it begins."""
    area, _, verb = event.partition(".")
    if event in _FINE:
        return t(_FINE[event])
    if area == "alert" and verb in VERBS:
        return t.named(t("预警"), t.pick(*VERBS[verb]))
    return next((t(said) for begins, said in EVENTS.items() if event.startswith(begins)), t("其他"))


def object_words(name: str, t: Language) -> str:
    """ "alert:12" as 预警 12; a choice of the county by what it means."""
    if name in CHOICES:
        return t(CHOICES[name].zh)
    kind, _, rest = name.partition(":")
    if kind not in OBJECTS:
        return name
    parts = [t(_MORE[part]) if part in _MORE else part for part in rest.split(":") if part]
    if kind == "feed" and rest in feed_titles():
        parts = [t(feed_titles()[rest])]
    return " ".join([t(OBJECTS[kind]), *parts])


def object_asked(text: str, t: Language) -> str:
    """What was typed to look for an object, as the journal has it: 预警 12 is alert:12."""
    words = text.strip()
    for kind, said in OBJECTS.items():
        if words.startswith(t(said)):
            return f"{kind}:{words.removeprefix(t(said)).strip()}"
    return words


def detail_words(text: str, t: Language) -> str:
    told: dict[str, Any] = json.loads(text)
    return t.clauses(t.named(t(DETAILS.get(key, "其他")), _value(key, value, t)) for key, value in told.items())


def _value(key: str, value: Any, t: Language) -> str:
    if isinstance(value, list):
        return t.listed(_value(key, part, t) for part in value) or t("无")
    if isinstance(value, dict):
        return t.listed(t.named(t(DETAILS.get(name, "其他")), _value(name, one, t)) for name, one in value.items())
    if not isinstance(value, str):
        return t.value(value)
    if value in _CODED.get(key, {}):
        return t.pick(*_CODED[key][value])
    if value in LEVEL_ZH:
        return t(LEVEL_ZH[value])
    if key == "household":
        return value.removeprefix("household:")
    if value in SAID or value in _MORE:
        return t(SAID.get(value) or _MORE[value])
    return role_words(value, t)


def role_words(role: str, t: Language) -> str:
    if role == "operator":
        return t("命令行操作员")
    return t.pick(ROLES[role].zh, ROLES[role].en) if role in ROLES else role
