"""What `buluo rules …` and `buluo packs …` print: rows for tables and lines of text, no terminal and no clock in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from monitoring.language import Words
from monitoring.parameters import Pack, Value, diff
from monitoring.rules.cases import CaseResult, run_cases
from monitoring.rules.compiling import clause_for, compile_rules
from monitoring.rules.loading import load_policy, load_shadows
from monitoring.rules.model import LEVEL_ZH, OUTCOME_ZH, Rule, Snapshots, Version
from monitoring.strict_toml import PolicyError
from monitoring.tables import SNAPSHOTS

SUBJECT_ZH = {
    "household": "户",
    "person": "人",
    "record": "记录",
    "institution": "机构",
    "feed": "台账",
    "policy": "政策包",
}
KIND_ZH = {"gap": "应保未保", "risk": "风险", "exit": "退出复核", "process": "办理", "data": "数据", "policy": "政策"}

RULE_HEADINGS = ("规则", "名称", "类别", "对象", "级别", "部门", "状态", "依据")
PACK_HEADINGS = ("政策包", "名称", "文件", "上级", "自有参数", "全部参数")
DIFF_HEADINGS = ("参数", "含义", "单位", "甲", "甲的依据", "乙", "乙的依据")


def rule_rows(rules: Mapping[str, Rule], pack: Pack, as_of: date) -> list[tuple[str, ...]]:
    """One row a rule (`RULE_HEADINGS`), in kind's order and by code; 停用 names the parameter that is off."""
    compiled = {rule.code: rule for rule in compile_rules(rules, pack.in_force(as_of), as_of)}
    rows: list[tuple[str, ...]] = []
    for code, rule in sorted(rules.items(), key=lambda item: (list(KIND_ZH).index(item[1].kind), item[0])):
        ready = compiled.get(code)
        version = rule.in_force(as_of) or rule.latest
        state = "未生效" if ready is None else f"停用（{'、'.join(ready.disabled)}）" if ready.disabled else "有效"
        rows.append(
            (
                code,
                rule.title.zh,
                KIND_ZH[rule.kind],
                SUBJECT_ZH[rule.subject],
                "／".join(LEVEL_ZH[level] for level in version.levels),
                rule.department,
                state,
                clause_for(version.clause, pack),
            )
        )
    return rows


def rule_lines(rule: Rule, pack: Pack, as_of: date, snapshots: Snapshots = SNAPSHOTS) -> list[str]:
    """One rule in full: what it asks, what it reads, the values in force with their clauses, sentence and cases."""
    lines = [
        f"{rule.code}  {rule.title.zh}（{rule.title.en}）",
        f"类别 {KIND_ZH[rule.kind]}  对象 {SUBJECT_ZH[rule.subject]}  部门 {rule.department}",
    ]
    lines.append(f"文件 {rule.file.name}  指纹 {rule.sha256[:12]}")
    version = rule.in_force(as_of)
    if version is None:
        return [*lines, f"{as_of} 没有生效的版本；最近的版本：{rule.latest.span}"]
    compiled = compile_rules({rule.code: rule}, pack.in_force(as_of), as_of, snapshots)[0]
    lines += [f"版本 {version.span}", f"依据 {compiled.clause}", "条件", *_indented(version.when.text)]
    lines += ["级别", *_level_lines(version)]
    lines += ["读取的列"]
    columns = snapshots[rule.subject]
    for name in compiled.shown:
        column = columns[name]
        sources = f"（{'、'.join(column.sources)}）" if column.sources else ""
        lines.append(f"  {name}  {column.zh}{sources}")
    lines += [f"参数（{pack.name}，{as_of}）" if compiled.parameters else "参数 无"]
    lines += [
        f"  {name} = {value.shown} {value.unit.zh}  {value.span}  {value.citation}"
        for name, value in compiled.parameters.items()
    ]
    if compiled.disabled:
        lines.append(f"本政策包停用本规则：{'、'.join(compiled.disabled)} 已停用")
    lines += ["句子", f"  {version.sentences['zh'].text}", f"  {version.sentences['en'].text}"]
    return [*lines, f"示例 {len(rule.cases)} 个", *(f"  {OUTCOME_ZH[case.expect]}  {case.name}" for case in rule.cases)]


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _level_lines(version: Version) -> list[str]:
    others = [f"  {LEVEL_ZH[level]}，如果 {expression.text}" for level, expression in version.level_when]
    return [*others, f"  {LEVEL_ZH[version.level]}{'，其他情形' if others else ''}"]


def check_lines(home: Path | None) -> tuple[bool, list[Words]]:
    """Whether every pack, rule and case holds, and what to print: each complaint, or one line that all is well."""
    try:
        packs, rules = load_policy(home)
        shadows = load_shadows(home, packs)
    except PolicyError as error:
        count = Words("政策文件有 {n} 处需要改正：", n=len(error.complaints))
        return False, [count, *(complaint.words for complaint in error.complaints)]
    results = [*run_cases(rules, packs), *run_cases(shadows, packs)]
    wrong = [result for result in results if not result.holds]
    if wrong:
        return False, [Words("示例有 {n} 个不符：", n=len(wrong)), *map(case_line, wrong)]
    right = Words(
        "{packs} 个政策包、{rules} 条规则{beside}、{cases} 个示例全部正确。",
        packs=len(packs),
        rules=len(rules),
        beside=Words("（另有 {n} 条影子规则）", n=len(shadows)) if shadows else "",
        cases=len(results),
    )
    return True, [right]


def case_line(result: CaseResult) -> Words:
    mark = "✓" if result.holds else "✗"
    told = result.problem or f"{OUTCOME_ZH[result.got]}{f'（{LEVEL_ZH[result.level]}）' if result.level else ''}"
    return Words("{mark} {code}  {case}：{told}", mark=mark, code=result.code, case=result.case, told=told)


def result_lines(results: Iterable[CaseResult]) -> list[str]:
    """Every case, then how many hold."""
    found = list(results)
    wrong = sum(not result.holds for result in found)
    return [
        *map(case_line, found),
        f"{len(found)} 个示例，{wrong} 个不符。" if wrong else f"{len(found)} 个示例全部相符。",
    ]


def pack_rows(packs: Mapping[str, Pack]) -> list[tuple[str, ...]]:
    """One row a pack (`PACK_HEADINGS`)."""
    return [
        (
            name,
            pack.title.zh,
            pack.document or "—",
            pack.parent.name if pack.parent else "—",
            str(len(pack.own)),
            str(len(pack.names())),
        )
        for name, pack in packs.items()
    ]


def diff_rows(a: Pack, b: Pack, as_of: date) -> list[tuple[str, ...]]:
    """One row a parameter that differs on that day (`DIFF_HEADINGS`)."""
    rows: list[tuple[str, ...]] = []
    for found in diff(a, b, as_of):
        meaning, unit = next((value.meaning.zh, value.unit.zh) for value in (found.a, found.b) if value)
        rows.append((found.name, meaning, unit, *_told(found.a), *_told(found.b)))
    return rows


def _told(value: Value | None) -> tuple[str, str]:
    return (value.shown, value.citation) if value else ("没有", "—")
