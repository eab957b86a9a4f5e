"""Schemes as files: reads `data/policy/schemes/*.toml` and HOME/policy/schemes/*.toml (add or replace by file name).

A scheme names the rules whose hit means "entitled and missing" rather than writing their condition again; `_inputs.toml`
says which facts of a household can change and in which words, `_stacking.toml` which schemes exclude each other. Loaded
strictly: every complaint of every file at once, as one `PolicyError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitoring.entitlement.facts import COLUMNS
from monitoring.entitlement.schemes import (
    AMOUNTS,
    MOVES,
    PAYS,
    SUBJECTS,
    Amount,
    Apart,
    Exclusion,
    Input,
    Paper,
    Scheme,
    Schemes,
    Sentences,
)
from monitoring.parameters import Pack
from monitoring.policy import SHIPPED, read_packs
from monitoring.rules.expressions import Expression, Scope, check_expression
from monitoring.rules.loading import parameter_kinds
from monitoring.rules.model import PRACTICE
from monitoring.rules.sentences import read_sentence
from monitoring.rules.trial import try_expressions
from monitoring.strict_toml import Bilingual, Complaint, PolicyError, Table, did_you_mean, policy_files, read_toml

FOLDER = "schemes"
INPUTS, STACKING = "_inputs", "_stacking"
WITH_HOUSEHOLD = "person with household"  # what stands for a fact of a person may rest on the household's


@lru_cache(maxsize=4)
def load_schemes(home: Path | None = None) -> Schemes:
    """All schemes in order; raises `PolicyError` with every complaint of every file."""
    complaints: list[Complaint] = []
    packs = read_packs(home, complaints)
    reader = _Reader(packs, complaints)
    files = policy_files(FOLDER, SHIPPED, home)
    tables = {name: table for name, path in files.items() if (table := read_toml(path, complaints)) is not None}
    found = [reader.scheme(name, table) for name, table in tables.items() if name not in (INPUTS, STACKING)]
    inputs, fixed = reader.inputs(tables[INPUTS]) if INPUTS in tables else ({}, frozenset())
    keys = [scheme.key for scheme in found]
    apart, rank = reader.stacking(tables[STACKING], keys) if STACKING in tables else ((), ())
    reader.try_all()
    if complaints:
        raise PolicyError(complaints)
    ordered = sorted(found, key=lambda scheme: (scheme.order, scheme.key))
    return Schemes(tuple(ordered), inputs, fixed, apart, rank, packs)


class _Reader:
    """Reads the tables; keeps every expression to try it on rows in the end."""

    def __init__(self, packs: Mapping[str, Pack], complaints: list[Complaint]) -> None:
        self.packs, self.complaints = packs, complaints
        self.kinds = parameter_kinds(packs)
        self.scopes = {subject: Scope(COLUMNS[subject], self.kinds) for subject in SUBJECTS}
        self.scopes[WITH_HOUSEHOLD] = Scope({**COLUMNS["household"], **COLUMNS["person"]}, self.kinds)
        self.tried: list[tuple[Table, str, Expression]] = []

    def scheme(self, key: str, table: Table) -> Scheme:
        subject = table.choice("subject", SUBJECTS) or SUBJECTS[0]
        order = table.raw("order")
        if not isinstance(order, int):
            table.complain(f"order = {order!r}", "order = 10（整数，小的在前）")
            order = 0
        rules = self._names(table, "rules")
        entitled = self._expression(table, "entitled", subject)
        if not rules and entitled is None:
            table.complain("rules 和 entitled 都没有写", 'rules = ["GAP-DIBAO"]，或 entitled = "条件"')
        now = table.text("now", required=False)
        if now and now not in COLUMNS[subject]:
            table.complain(f"now 中没有列 {now}{did_you_mean(now, COLUMNS[subject])}", "一个金额列")
        scheme = Scheme(
            key=key,
            order=order,
            subject=subject,
            pays=table.choice("pays", PAYS),
            title=table.bilingual("title") or Bilingual("", ""),
            rules=rules,
            provided=self._expression(table, "provided", subject),
            entitled=entitled,
            receives=self._expression(table, "receives", subject),
            as_if=self._as_if(table, subject),
            now=now,
            amount=self._amount(table, subject),
            note=table.bilingual("note", required=False),
            missing=self._sentences(table, "missing", subject) or {},
            received=self._sentences(table, "received", subject, required=False),
            unrecorded=table.bilingual("unrecorded", required=False),
            clause=self._clause(table),
            exclusions=tuple(e for part in table.tables("exclusion") if (e := self._exclusion(part, subject))),
            papers=tuple(self._paper(part, subject) for part in table.tables("document")),
        )
        table.close()
        return scheme

    def inputs(self, table: Table) -> tuple[dict[tuple[str, str], Input], frozenset[str]]:
        known = set(COLUMNS["household"]) | set(COLUMNS["person"])
        fixed = self._names(table, "fixed")
        for name in fixed:
            if name not in known:
                table.complain(f"fixed 中没有列 {name}{did_you_mean(name, known)}", "快照中的列")
        found: dict[tuple[str, str], Input] = {}
        for part in table.tables("input"):
            subject, column = part.choice("subject", SUBJECTS) or SUBJECTS[0], part.text("column")
            part.where = f"{subject} {column}"
            if column not in COLUMNS[subject]:
                part.complain(f"没有列 {column}{did_you_mean(column, COLUMNS[subject])}", "快照中的列")
            weight = part.raw("weight")
            words = {move: said for move in MOVES if (said := part.bilingual(move, required=False)) is not None}
            found[subject, column] = Input(
                subject,
                column,
                self._expression(part, "stands_for", WITH_HOUSEHOLD if subject == "person" else subject),
                weight if isinstance(weight, int) else 1,
                words,
            )
            part.close()
        table.close()
        return found, frozenset(fixed)

    def stacking(self, table: Table, keys: Sequence[str]) -> tuple[tuple[Apart, ...], tuple[str, ...]]:
        rank = self._names(table, "rank")
        apart = []
        for part in table.tables("apart"):
            pair = self._names(part, "schemes")
            if len(pair) != 2:
                part.complain("schemes 须写两项", 'schemes = ["dibao", "tekun"]')
                pair = ("", "")
            between, by_rule = part.choice("between", SUBJECTS), part.flag("by_rule")
            says, clause = part.bilingual("says") or Bilingual("", ""), self._clause(part)
            for name in pair:
                self._known_scheme(part, name, keys)
            apart.append(Apart((pair[0], pair[1]), between, by_rule, says, clause))
            part.close()
        for name in rank:
            self._known_scheme(table, name, keys)
        table.close()
        return tuple(apart), rank

    def try_all(self) -> None:
        """Every condition has to be BOOLEAN and to run on rows of the tables' types."""
        columns = {subject: scope.columns for subject, scope in self.scopes.items()}
        problems = try_expressions([(subject, e) for _, subject, e in self.tried], columns, self.kinds)
        for (table, _, expression), problem in zip(self.tried, problems, strict=True):
            if problem:
                table.complain(f"{expression.text} 在样行上执行失败：{problem}", "类型相合的条件")

    def _known_scheme(self, table: Table, name: str, keys: Sequence[str]) -> None:
        if name not in keys:
            table.complain(f"没有救助项目 {name}{did_you_mean(name, keys)}", "救助项目的文件名")

    def _expression(self, table: Table, key: str, subject: str) -> Expression | None:
        text = table.text(key, required=False)
        if not text:
            return None
        found = check_expression(text, self.scopes[subject], table.complain)
        if found is not None:
            self.tried.append((table, subject, found))
        return found

    def _sentences(self, table: Table, key: str, subject: str, required: bool = True) -> Sentences | None:
        text = table.bilingual(key, required=required)
        if text is None:
            return None
        scope = self.scopes[subject]
        return {lang: read_sentence(text.to(lang), scope, table.complain) for lang in ("zh", "en")}

    def _exclusion(self, table: Table, subject: str) -> Exclusion | None:
        if not table.has("when"):
            table.complain("when 缺失", 'when = "income_pc >= standard"')
        when = self._expression(table, "when", subject)
        because, clause = self._sentences(table, "because", subject) or {}, self._clause(table)
        table.close()
        return None if when is None else Exclusion(when, because, clause)

    def _paper(self, table: Table, subject: str) -> Paper:
        what = table.bilingual("what") or Bilingual("", "")
        found = Paper(what, self._expression(table, "when", subject), self._clause(table))
        table.close()
        return found

    def _amount(self, table: Table, subject: str) -> Amount | None:
        raw = table.raw("amount")
        if raw is None:
            return None
        if not isinstance(raw, dict) or raw.get("kind") not in AMOUNTS:
            table.complain(f"amount = {raw!r}", f"amount = {{ kind = {'、'.join(AMOUNTS)} 之一 }}")
            return None
        part = Table(raw, table.file, f"{table.where} amount".strip(), self.complaints)
        kind = part.choice("kind", AMOUNTS)
        found = Amount(
            kind,
            part.text("parameter", required=kind != "difference" and not part.has("choices")),
            part.text("urban", required=False),
            part.text("by", required=part.has("choices")),
            self._choices(part, "choices"),
            part.text("care_by", required=part.has("care")),
            self._choices(part, "care"),
        )
        for column in (found.by, found.care_by):
            if column and column not in COLUMNS[subject]:
                part.complain(f"没有列 {column}{did_you_mean(column, COLUMNS[subject])}", "快照中的列")
        part.close()
        return found

    def _choices(self, table: Table, key: str) -> Mapping[str, str] | None:
        raw = table.raw(key)
        if raw is None:
            return None
        if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
            table.complain(f"{key} = {raw!r}", f'{key} = {{ "列的值" = "参数名" }}')
            return None
        return raw

    def _as_if(self, table: Table, subject: str) -> Mapping[str, Any]:
        raw = table.raw("as_if")
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            table.complain(f"as_if = {raw!r}", "as_if = { 列 = 值 }")
            return {}
        for name in raw:
            if name not in COLUMNS[subject]:
                table.complain(f"as_if 中没有列 {name}{did_you_mean(name, COLUMNS[subject])}", "快照中的列")
        return raw

    def _names(self, table: Table, key: str) -> tuple[str, ...]:
        raw = table.raw(key)
        if raw is None:
            return ()
        if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
            table.complain(f"{key} 不是名称的列表", f'{key} = ["…"]')
            return ()
        return tuple(raw)

    def _clause(self, table: Table) -> Mapping[str, str]:
        raw = table.raw("clause")
        known = [*(pack.short for pack in self.packs.values() if pack.short), PRACTICE]
        right = f'clause = {{ MF = "二（二）" }}，键取 {"、".join(known)}'
        if not isinstance(raw, dict) or not raw or not all(isinstance(t, str) and t.strip() for t in raw.values()):
            table.complain("clause 缺失或为空", right)
            return {}
        for short in raw:
            if short not in known:
                table.complain(f"clause 中没有文件 {short}{did_you_mean(short, known)}", right)
        return raw
