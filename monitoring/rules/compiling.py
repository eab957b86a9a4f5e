"""Rules and one pack's parameters on one day become DuckDB expressions over one snapshot table.

Parameters stand in the SQL as typed literals, so that all rules of a subject can run in one pass. Besides condition and
level, a compiled rule gives the text of its evidence (JSON) and of its sentence (`texts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlglot import exp

from monitoring.language import Words
from monitoring.parameters import Pack, Parameters, Value
from monitoring.rules import texts
from monitoring.rules.binding import bind, settled, to_sql
from monitoring.rules.expressions import Scope
from monitoring.rules.loading import parameter_kinds
from monitoring.rules.model import LEVELS, PRACTICE, Rule, Snapshots, Version
from monitoring.strict_toml import Bilingual, Complaint, PolicyError
from monitoring.tables import NONE_IF_ABSENT, RESTS_ON, SNAPSHOTS

_REFERRED = "参照"


@dataclass(frozen=True)
class CompiledRule:
    """One rule for one pack and day; a disabled one has its reason in `disabled` and no SQL.

    `inputs` are the columns of the condition in order of appearance (a NULL among them can make the outcome unknown),
    `level_inputs` those that only the level reads, `shown` every column of the evidence, these first; `read` all columns that
    any of its SQL reads, the companions of what is shown as well; `read_of_hit` those that level, evidence and sentences read
    where the condition is true: not those whose value it settles. `lines`: parameters that decide a word of the condition.
    """

    code: str
    kind: str
    subject: str
    record: str
    department: str
    title: Bilingual
    clause: str
    sha256: str
    levels: tuple[str, ...]
    inputs: tuple[str, ...]
    level_inputs: tuple[str, ...]
    shown: tuple[str, ...]
    read: tuple[str, ...]
    read_of_hit: tuple[str, ...]
    parameters: Mapping[str, Value]
    lines: Mapping[str, Value]
    disabled: tuple[str, ...]
    condition_sql: str = ""
    level_sql: str = ""
    evidence_sql: str = ""
    messages: Mapping[str, str] = field(default_factory=dict, repr=False)
    tree: exp.Expr | None = field(default=None, repr=False)

    def message_sql(self, lang: str = "zh") -> str:
        return self.messages[lang]


def compile_rules(
    rules: Mapping[str, Rule], parameters: Parameters, as_of: date | None = None, snapshots: Snapshots = SNAPSHOTS
) -> list[CompiledRule]:
    """The rules in force on the day, by code; raises `PolicyError` where a parameter has no value on that day."""
    day = as_of or parameters.as_of
    kinds = parameter_kinds({pack.name: pack for pack in parameters.pack.chain()})
    complaints: list[Complaint] = []
    compiled = []
    for code, rule in sorted(rules.items()):
        version = rule.in_force(day)
        if version is None:
            continue
        missing = [name for name in version.parameters if name not in parameters.by_placeholder]
        for name in missing:
            complaints.append(
                Complaint(
                    parameters.pack.file.name,
                    f"${name}",
                    Words("规则 {code} 用到它，但 {day} 没有有效的值", code=code, day=day),
                    "写上包含这一天的值",
                )
            )
        if not missing:
            compiled.append(_compile(rule, version, parameters, Scope(snapshots[rule.subject], kinds)))
    if complaints:
        raise PolicyError(complaints)
    return compiled


def tell_not_compared(compiled: Sequence[CompiledRule], loaded: frozenset[str]) -> list[CompiledRule]:
    """The rules with evidence that names what counted as none for want of any file; `loaded`: feeds with one in the home."""
    return [_tell_not_compared(c, NONE_IF_ABSENT - loaded) for c in compiled]


def _tell_not_compared(c: CompiledRule, absent: frozenset[str]) -> CompiledRule:
    columns = SNAPSHOTS[c.subject]
    behind = {feed for name in c.shown for feed in columns[name].sources}
    if c.subject == "household":
        behind.add("deaths")  # who counts as a member
    silent = absent & behind
    if c.disabled or not silent:
        return c
    told = texts.evidence_sql(
        c.shown, (*c.parameters.values(), *c.lines.values()), columns, settled(c.tree) if c.tree else {}, silent
    )
    return replace(c, evidence_sql=told)


def clause_for(clause: Mapping[str, str], pack: Pack) -> str:
    """The clause of the pack's own document, else of those it extends, else that of another, marked as a reference."""
    for above in pack.chain():
        if above.short in clause:
            return f"{above.document} {clause[above.short]}"
    others = [(short, text) for short, text in clause.items() if short != PRACTICE]
    if not others:
        return clause[PRACTICE]
    short, text = others[0]
    return f"{_REFERRED} {pack.documents.get(short, short)} {text}"


def _compile(rule: Rule, version: Version, parameters: Parameters, scope: Scope) -> CompiledRule:
    read = {value.name: value for value in (parameters.by_placeholder[name] for name in version.parameters)}
    level_inputs = _ordered(c for _, expression in version.level_when for c in expression.columns)
    told = _ordered(column for sentence in version.sentences.values() for column in sentence.columns)
    shown = _ordered((*version.when.columns, *level_inputs, *version.also, *told))
    companions = _ordered(beside for name in shown for beside in scope.columns[name].companions)
    disabled = tuple(name for name, value in read.items() if value.off)
    # Of a word that is yes or no nobody could see the line: its parameters are evidence, and do not disable the rule.
    behind = _ordered(
        name
        for column in (*version.when.columns, *level_inputs)
        if scope.columns[column].type == "BOOLEAN"
        for name in RESTS_ON.get(column, ())
    )
    compiled = CompiledRule(
        code=rule.code,
        kind=rule.kind,
        subject=rule.subject,
        record=rule.record,
        department=rule.department,
        title=rule.title,
        clause=clause_for(version.clause, parameters.pack),
        sha256=rule.sha256,
        levels=version.levels,
        inputs=version.when.columns,
        level_inputs=tuple(column for column in level_inputs if column not in version.when.columns),
        shown=shown,
        read=_ordered((*shown, *companions)),
        read_of_hit=(),
        parameters=read,
        lines={
            name: found for name in behind if (found := parameters.get(name)) and name not in read and not found.off
        },
        disabled=disabled,
    )
    if disabled:
        return compiled
    values = {name: (scope.kinds[name], value.value) for name, value in parameters.by_placeholder.items()}
    tree = bind(version.when, values)
    known = settled(tree)
    return replace(
        compiled,
        read_of_hit=_ordered((*(name for name in shown if name not in known), *level_inputs, *told, *companions)),
        condition_sql=to_sql(tree),
        level_sql=texts.by_level(version, values, {level: texts.quoted(level) for level in LEVELS}),
        evidence_sql=texts.evidence_sql(shown, (*read.values(), *compiled.lines.values()), scope.columns, known),
        messages={
            lang: texts.message_sql(s, lang, version, parameters, values, scope.columns)
            for lang, s in version.sentences.items()
        },
        tree=tree,
    )


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
