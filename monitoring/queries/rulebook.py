"""The rules as a run judged by them: figures, history, what the unknown ones lack, parameters with their dates and clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlglot

from monitoring.access import Scope
from monitoring.parameters import placeholder
from monitoring.queries.conditions import in_words
from monitoring.queries.verdicts import parameters_in_force
from monitoring.rules import Rule, load_shadows
from monitoring.rules.sentences import DAYS, Slot
from monitoring.simulating.ground import CannotSimulate, ground, home_of
from monitoring.strict_toml import PolicyError
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse

KIND_ORDER = ("gap", "risk", "exit", "process", "data", "policy")
MONTHS = 12


def rulebook(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row a rule of the run: rule, kind, subject, record, level, titles, clause, when_text, disabled, judged, hit, clear, unknown,
    trend (hits of the last months, the oldest first)."""
    where = scope.limit()
    return warehouse.frame(
        f"""with o as (select rule, sum(judged)::BIGINT as judged, sum(hit)::BIGINT as hit, sum(clear)::BIGINT as clear,
                       sum(unknown)::BIGINT as unknown from rule_outcome {where.where} group by rule),
                 m as (select distinct period from history_signal order by period desc limit {MONTHS}),
                 c as (select rule, period, count(*) as n from history_signal group by all),
                 t as (select r.rule, list(coalesce(c.n, 0)::DOUBLE order by m.period) as trend
                       from rule r cross join m left join c on c.rule = r.rule and c.period = m.period group by r.rule)
            select r.rule, r.kind, r.subject, r.record, r.level, r.title_zh, r.title_en, r.clause, r.department, r.when_text, r.disabled,
                   coalesce(o.judged, 0) as judged, coalesce(o.hit, 0) as hit, coalesce(o.clear, 0) as clear,
                   coalesce(o.unknown, 0) as unknown, t.trend
            from rule r left join o using (rule) left join t using (rule)
            order by list_position({list(KIND_ORDER)}, r.kind), hit desc, r.rule""",
        where.params,
    )


def months(warehouse: Warehouse, rule: str) -> list[tuple[str, int]]:
    """(period, hits) of the last months of the whole county, the oldest first; a month without a hit is 0."""
    rows = warehouse.rows(
        f"""with m as (select distinct period from history_signal order by period desc limit {MONTHS})
            select m.period, count(s.rule) as n from m left join history_signal s on s.period = m.period and s.rule = $rule
            group by m.period order by m.period""",
        {"rule": rule},
    )
    return [(row["period"], row["n"]) for row in rows]


def lacking(warehouse: Warehouse, scope: Scope, rule: str) -> list[dict[str, Any]]:
    """For want of which inputs the rule could not judge: missing (column), subjects; most first."""
    where = scope.limit()
    return warehouse.rows(
        f"""select missing, sum(subjects)::BIGINT as subjects from rule_unknown where rule = $rule{where.also}
            group by missing order by subjects desc, missing""",
        {"rule": rule, **where.params},
    )


def in_force(warehouse: Warehouse, rule: str) -> list[dict[str, Any]]:
    """The parameters that the rule or its facts name, with value, unit, dates, clause and document."""
    judged = ground(warehouse).rules.get(rule)
    named = judged.parameters if judged else ()  # the model's pointer rests on none
    rows = warehouse.rows("select * from parameter order by name")
    return [row for row in rows if placeholder(row["name"]) in named]


def told(warehouse: Warehouse, subject: str, when: str, say: Any, english: bool) -> list[str]:
    """The condition's parts (joined by AND) as people say them; none of the model's pointer, which has no condition."""
    if not when.strip():
        return []
    known = parameters_in_force(warehouse)
    tree = sqlglot.parse_one(when, dialect="duckdb")
    parts = []
    while tree is not None:
        inner = tree.unnest()
        if not isinstance(inner, sqlglot.exp.And):
            parts.append(inner)
            break
        parts.append(inner.expression)
        tree = inner.this
    return [in_words(part, subject, known, say, english) for part in reversed(parts)]


def in_shadow(warehouse: Warehouse) -> dict[str, Rule]:
    """The rules that are in shadow now, by code. Raises CannotSimulate where a file cannot be used."""
    try:
        return load_shadows(home_of(warehouse), ground(warehouse).packs)
    except PolicyError as error:
        raise CannotSimulate([str(complaint) for complaint in error.complaints]) from error


@dataclass(frozen=True)
class RuleFile:
    """Where a rule stands: its file's text, whether the county's own, its condition there, and the sentence with its slots
    said in words. `changed`: the file was changed since the run."""

    text: str
    own: bool
    when: str
    sentence_zh: str
    sentence_en: str
    changed: bool


def rule_file(warehouse: Warehouse, rule: str) -> RuleFile | None:
    """None where the files hold the rule no more. Raises CannotSimulate where they cannot be used."""
    found = ground(warehouse).files.get(rule)
    if found is None:
        return None
    run = warehouse.row("select as_of, (select sha256 from rule where rule = $rule) as sha256 from run", {"rule": rule})
    version = found.in_force(run["as_of"]) or found.latest
    names = SNAPSHOTS[found.subject]
    parameters = parameters_in_force(warehouse)

    def slot(piece: str | Slot, lang: str) -> str:
        if isinstance(piece, str):
            return piece
        if piece.parameter:
            known = parameters.get(piece.name)
            return f"〔{(known.meaning_en if lang == 'en' else known.meaning_zh) if known else piece.name}〕"
        if piece.name == DAYS:
            return "〔working days〕" if lang == "en" else "〔几〕"
        if piece.choices:
            return "／".join(choice for choice in piece.choices[:2] if choice)
        column = names.get(piece.name)
        return f"〔{(column.en if lang == 'en' else column.zh) if column else piece.name}〕"

    sentences = {lang: "".join(slot(piece, lang) for piece in version.sentences[lang].pieces) for lang in ("zh", "en")}
    return RuleFile(
        found.text, found.file.is_relative_to(home_of(warehouse)), version.when.text.strip(), sentences["zh"], sentences["en"],
        found.sha256 != run["sha256"],
    )  # fmt: skip
