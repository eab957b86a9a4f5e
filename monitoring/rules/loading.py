"""Rules as files: reads `data/policy/rules/*.toml` and HOME/policy/rules/*.toml (add or replace by file name).

The file name is the rule's code. A rule has one or more dated versions (condition, level, sentence, clauses) and cases
that prove it. All complaints of all rule and pack files are raised together, as one `PolicyError`.

A file in HOME/policy/shadow/ is a rule **in shadow**: whole and just as strict, judged by every run beside the rule of its
code that counts (or beside none), without a signal. So that it comes to count, the file moves: nothing in it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monitoring.language import Words
from monitoring.parameters import Pack, kind_of, placeholder
from monitoring.policy import SHIPPED, read_packs
from monitoring.rules.expressions import Scope, check_expression
from monitoring.rules.model import KINDS, LEVELS, OUTCOMES, PRACTICE, Case, Rule, Snapshots, Version
from monitoring.rules.sentences import read_sentence
from monitoring.rules.trial import try_expressions
from monitoring.strict_toml import (
    Bilingual,
    Complaint,
    PolicyError,
    Span,
    Table,
    complain_of_overlaps,
    did_you_mean,
    policy_files,
    read_toml,
)
from monitoring.tables import SNAPSHOTS, Column

SHADOW = "shadow"


def load_policy(home: Path | None = None, snapshots: Snapshots = SNAPSHOTS) -> tuple[dict[str, Pack], dict[str, Rule]]:
    """All packs and rules by name; raises `PolicyError` with every complaint of every file."""
    complaints: list[Complaint] = []
    packs = read_packs(home, complaints)
    rules = _read_rules(home, packs, snapshots, complaints)
    if complaints:
        raise PolicyError(complaints)
    return packs, rules


def load_rules(home: Path | None, packs: Mapping[str, Pack], snapshots: Snapshots = SNAPSHOTS) -> dict[str, Rule]:
    """All rules by code, checked against packs already loaded; raises `PolicyError`."""
    complaints: list[Complaint] = []
    rules = _read_rules(home, packs, snapshots, complaints)
    if complaints:
        raise PolicyError(complaints)
    return rules


def shadow_files(home: Path | None) -> dict[str, Path]:
    """The files of the rules in shadow, by code; the county's own only."""
    return {} if home is None else {path.stem: path for path in sorted((home / "policy" / SHADOW).glob("*.toml"))}


def load_shadows(home: Path | None, packs: Mapping[str, Pack], snapshots: Snapshots = SNAPSHOTS) -> dict[str, Rule]:
    """The rules in shadow by code, checked as those that count; raises `PolicyError`, which names them shadow/CODE.toml."""
    complaints: list[Complaint] = []
    rules = _read_files(shadow_files(home), packs, snapshots, complaints)
    if complaints:
        raise PolicyError([replace(complaint, file=f"{SHADOW}/{complaint.file}") for complaint in complaints])
    return rules


def parameter_kinds(packs: Mapping[str, Pack]) -> dict[str, str]:
    """Kind of every parameter by its name in expressions; a number where every pack has it off or none."""
    kinds: dict[str, str] = {}
    for pack in packs.values():
        for name, values in pack.own.items():
            found = next((kind_of(value.value) for value in values if value.value is not None), "")
            kinds[placeholder(name)] = kinds.get(placeholder(name)) or found
    return {name: kind or "number" for name, kind in kinds.items()}


def _read_rules(
    home: Path | None, packs: Mapping[str, Pack], snapshots: Snapshots, complaints: list[Complaint]
) -> dict[str, Rule]:
    return _read_files(policy_files("rules", SHIPPED, home), packs, snapshots, complaints)


def _read_files(
    files: Mapping[str, Path], packs: Mapping[str, Pack], snapshots: Snapshots, complaints: list[Complaint]
) -> dict[str, Rule]:
    kinds = parameter_kinds(packs)
    rules: dict[str, Rule] = {}
    for code, path in files.items():
        table = read_toml(path, complaints)
        if table is not None:
            before = len(complaints)
            rule = _read_rule(code, path, table, packs, snapshots, kinds)
            if rule is not None and len(complaints) == before:
                rules[code] = rule
    _check_parameters_present(rules, packs, complaints)
    if rules:
        _try_on_rows(rules, snapshots, kinds, complaints)
    return rules


def _read_rule(
    code: str, path: Path, table: Table, packs: Mapping[str, Pack], snapshots: Snapshots, kinds: Mapping[str, str]
) -> Rule | None:
    kind, subject = table.choice("kind", KINDS), table.choice("subject", tuple(snapshots))
    record = table.text("record", required=subject == "record")
    if record and subject != "record":
        table.complain(
            Words("subject = {subject} 时不写 record", subject=subject), '删去 record，或 subject = "record"'
        )
    department, title = table.text("department"), table.bilingual("title") or Bilingual("", "")
    scope = Scope(snapshots.get(subject, {}), kinds)
    tables = table.tables("version")
    read = [_read_version(version, scope, packs) for version in tables]
    complain_of_overlaps(tables, [span for span, _ in read], "版本")
    cases = [_read_case(case, scope, packs) for case in table.tables("case", required=False)]
    table.close()
    versions = tuple(version for _, version in read if version is not None)
    text = path.read_text(encoding="utf-8-sig")
    return (
        Rule(code, kind, subject, record, department, title, versions, tuple(cases), path, text) if versions else None
    )


def _read_version(table: Table, scope: Scope, packs: Mapping[str, Pack]) -> tuple[Span, Version | None]:
    span = table.span()
    when = check_expression(table.text("when"), scope, table.complain)
    level = table.choice("level", LEVELS)
    level_when = []
    for part in table.tables("level_when", required=False):
        other, expression = part.choice("level", LEVELS), check_expression(part.text("when"), scope, part.complain)
        if expression is not None:
            level_when.append((other, expression))
        part.close()
    reason = table.bilingual("reason") or Bilingual("", "")
    sentences = {lang: read_sentence(reason.to(lang), scope, table.complain) for lang in ("zh", "en")}
    clause = _read_clause(table, packs)
    also = _read_names(table, "also", scope.columns)
    needs = _read_names(table, "needs", {name for pack in packs.values() for name in pack.own})
    table.close()
    if when is None:
        return span, None
    return span, Version(span, when, level, tuple(level_when), sentences, clause, also, needs)


def _read_clause(table: Table, packs: Mapping[str, Pack]) -> dict[str, str]:
    found = table.raw("clause")
    known = [*(pack.short for pack in packs.values() if pack.short), PRACTICE]
    right = Words('clause = {{ MF = "二（二）" }}，键取 {known}', known=known)
    if not isinstance(found, dict) or not found or not all(isinstance(t, str) and t.strip() for t in found.values()):
        table.complain("clause 缺失或为空", right)
        return {}
    for short in found:
        if short not in known:
            table.complain(
                Words("clause 中没有文件 {short}{hint}", short=short, hint=did_you_mean(short, known)), right
            )
    return found


def _read_names(table: Table, key: str, known: Mapping[str, Column] | set[str]) -> tuple[str, ...]:
    found = table.raw(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        table.complain(Words("{key} 不是名称的列表", key=key), f'{key} = ["…"]')
        return ()
    for name in found:
        if name not in known:
            table.complain(
                Words("{key} 中没有 {name}{hint}", key=key, name=name, hint=did_you_mean(name, known)),
                Words("{key} 中写已有的{what}", key=key, what=Words("参数（带点号）" if key == "needs" else "列")),
            )
    return tuple(dict.fromkeys(found))


def _read_case(table: Table, scope: Scope, packs: Mapping[str, Pack]) -> Case:
    name = table.text("name")
    table.where = f"{table.where}（{name}）"
    given, parameters = table.raw("given") or {}, table.raw("parameters") or {}
    for key, values, known in (("given", given, scope.columns), ("parameters", parameters, scope.kinds)):
        if not isinstance(values, dict):
            table.complain(Words("{key} 不是表", key=key), Words("{key} = {{ 名称 = 值 }}", key=key))
            continue
        for named in values:
            if named not in known:
                table.complain(
                    Words("{key} 中没有 {named}{hint}", key=key, named=named, hint=did_you_mean(named, known)),
                    Words("{key} 中写已有的{what}", key=key, what=Words("列" if key == "given" else "参数")),
                )
    pack = table.choice("pack", tuple(packs), required=False) or "national-2020"
    case = Case(
        name,
        given,
        parameters,
        pack,
        table.day("as_of"),
        table.choice("expect", OUTCOMES),
        table.choice("level", LEVELS, required=False),
    )
    table.close()
    return case


def _check_parameters_present(
    rules: Mapping[str, Rule], packs: Mapping[str, Pack], complaints: list[Complaint]
) -> None:
    """A pack does not load when a rule names a parameter that it lacks.

    A shipped pack cannot know the parameters of a county's own rules: for such a pair `compile_rules` refuses.
    """
    for pack in packs.values():
        held = {placeholder(name) for name in pack.names()}
        for rule in rules.values():
            if _is_shipped(pack.file) and not _is_shipped(rule.file):
                continue
            for name in sorted({n for version in rule.versions for n in version.parameters} - held):
                wrong = Words("规则 {code} 用到参数 ${name}，本政策包（不限日期）没有", code=rule.code, name=name)
                complaints.append(Complaint(pack.file.name, f"${name}", wrong, "在政策包中写上它的值、日期和 clause"))


def _is_shipped(path: Path) -> bool:
    return path.is_relative_to(SHIPPED)


def _try_on_rows(
    rules: Mapping[str, Rule], snapshots: Snapshots, kinds: Mapping[str, str], complaints: list[Complaint]
) -> None:
    """Every expression has to be BOOLEAN and to run on rows of the snapshot's types."""
    asked = [
        (rule, label, rule.subject, expression)
        for rule in rules.values()
        for number, version in enumerate(rule.versions, 1)
        for label, expression in (
            (f"version {number} when", version.when),
            *((f"version {number} level_when {level}", expression) for level, expression in version.level_when),
        )
    ]
    for (rule, label, _, _), problem in zip(
        asked, try_expressions([a[2:] for a in asked], snapshots, kinds), strict=True
    ):
        if problem:
            complaints.append(
                Complaint(
                    rule.file.name,
                    label,
                    Words("在样行上执行失败：{problem}", problem=problem),
                    "类型相合、不会溢出的条件",
                )
            )
