"""Vouch: what the run's files say of every household of the roster, and the 18 sets of the checklist, each computed once.

Reads the snapshots, `signal`, `unjudged`, `feed_township`; writes
`vouching_setting` (what was in force, with its clause), `vouching_feed` (one row a source that clearing rests on and
township: last delivery, whether it is late), `rule_feed` (which of them a rule reads), `vouching` (one row a household of
the roster: facts), `roster_place` (households and living persons by village), `checklist_member` (one row a member of a
set), `checklist_place` (how many of them by village and how), `notice` (matters for the county office that no rule judges) and three more measures of `history_figure`.

What a row of facts means is decided where it is asked for, together with what people did since (`monitoring.vouching`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from monitoring.checklist import SETS
from monitoring.rules import CompiledRule
from monitoring.tables import SNAPSHOTS
from monitoring.vouching.notices import notice_sql
from monitoring.vouching.settings import Vouching

# Ledgers of continuing help: what stands in the snapshot, what it is called, the source that must be fresh.
HELP = (
    ("any_dibao", "低保", "dibao"),
    ("any_tekun", "特困供养", "tekun"),
    ("any_low_income", "低收入家庭", "low_income"),
    ("at_risk AND NOT measures_missing", "监测帮扶", "monitored"),
)


def vouch(
    con: duckdb.DuckDBPyConnection,
    compiled: Sequence[CompiledRule],
    setting: Vouching,
    period: str,
    as_of: date,
    due: date,
) -> None:
    """Does the whole step on the run's connection; `due` is the day by which the county office looks at a notice."""
    _settings(con, compiled, setting)
    _feeds(con, setting, period)
    _facts(con, setting, as_of)
    _members(con, compiled, as_of)
    _figures(con, setting, period)
    con.execute(notice_sql(setting, period, due))


def _settings(con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], setting: Vouching) -> None:
    """What was in force, and which rules and sources clearing rests on."""
    con.execute(f"""
        CREATE TABLE vouching_setting AS SELECT {setting.visit_days} AS visit_days, {_list(setting.visit_modes)} AS visit_modes,
            {_text(setting.visit_clause)} AS visit_clause, {setting.help_months} AS help_months,
            {_text(setting.help_clause)} AS help_clause, {_list(setting.kinds)} AS kinds""")
    named = {due.feed for due in setting.feeds}
    exempt = {each.rule: each.reason for each in setting.exempt}
    read = [
        (c.code, feed)
        for c in compiled
        if c.subject in ("household", "person") and not c.disabled
        for feed in sorted({f for column in c.inputs for f in SNAPSHOTS[c.subject][column].sources} & named)
    ]
    _table(con, "rule_feed", {"rule": [r for r, _ in read], "feed": [f for _, f in read]})
    _table(
        con, "vouching_exempt",
        {"rule": list(exempt), "reason_zh": [r.zh for r in exempt.values()], "reason_en": [r.en for r in exempt.values()]},
    )  # fmt: skip


def _feeds(con: duckdb.DuckDBPyConnection, setting: Vouching, period: str) -> None:
    """A source is late for a township where it never came, or its last delivery is more months ago than it may be."""
    year, month = period.split("-")
    now = int(year) * 12 + int(month)
    rows = ", ".join(f"({_text(d.feed)}, {d.months}, {d.by == 'township'}, {_text(d.clause)})" for d in setting.feeds)
    con.execute(f"""
        CREATE TABLE vouching_feed AS
        SELECT *, coalesce({now} - (last_period // 100 * 12 + last_period % 100) > months, true) AS late
        FROM (SELECT f.feed, p.township, f.months, f.by_township, f.clause,
                CASE WHEN f.by_township THEN t.last_period ELSE s.last_period END AS last_period
            FROM (VALUES {rows}) AS f(feed, months, by_township, clause)
            CROSS JOIN (SELECT DISTINCT township FROM household_snapshot) AS p
            LEFT JOIN feed_snapshot AS s ON s.feed = f.feed
            LEFT JOIN feed_township AS t ON t.feed = f.feed AND t.township IS NOT DISTINCT FROM p.township)
        ORDER BY feed, township""")


def _facts(con: duckdb.DuckDBPyConnection, setting: Vouching, as_of: date) -> None:
    """One row a household with a living member. `help` and `help_late` name the ledgers of help that are fresh, and late."""
    fresh = ", ".join(
        f"coalesce(bool_and(late) FILTER (feed = '{feed}'), true) AS late_{n}" for n, (_, _, feed) in enumerate(HELP)
    )
    names, late_names = (
        ", ".join(
            f"CASE WHEN {flag} AND {'' if late else 'NOT '}late_{n} THEN '{name}' END"
            for n, (flag, name, _) in enumerate(HELP)
        )
        for late in (False, True)
    )
    day = f"DATE '{as_of.isoformat()}'"
    modes, kinds = ", ".join(map(_text, setting.visit_modes)), ", ".join(map(_text, setting.kinds))
    exempt = ", ".join(_text(e.rule) for e in setting.exempt) or "''"
    con.execute(f"""
        CREATE TABLE vouching AS
        WITH place AS (SELECT township, {fresh} FROM vouching_feed GROUP BY township),
        seen AS (
            SELECT m.household_key, s.visited_date, s.visitor FROM std_visits AS s JOIN membership AS m USING (person_id)
            WHERE s.counts AND s.visited_date <= {day} AND s.visit_mode IN ({modes})
            UNION ALL
            SELECT h.household_key, s.visited_date, s.visitor FROM std_visits AS s JOIN household AS h ON h.household_id = s.household_number
            WHERE s.person_id IS NULL AND s.counts AND s.visited_date <= {day} AND s.visit_mode IN ({modes})
            UNION ALL
            SELECT m.household_key, s.visited_date, s.responsible FROM std_monitored AS s JOIN membership AS m USING (person_id)
            WHERE s.counts AND s.visited_date <= {day}),
        visit AS (SELECT household_key, max(visited_date) AS visited_date,
            arg_max(visitor, (visited_date, coalesce(visitor, ''))) AS visitor FROM seen GROUP BY household_key),
        hit AS (SELECT household_key, count(*) AS signals, count(*) FILTER (kind = 'risk') AS risks,
            count(*) FILTER (kind IN ({kinds})) AS needs FROM signal WHERE household_key IS NOT NULL GROUP BY household_key),
        kind AS MATERIALIZED (SELECT kind, len(rules) AS rules, len(list_intersect(rules,
            (SELECT coalesce(list(rule), []) FROM rule WHERE kind IN ({kinds}) AND rule NOT IN ({exempt})))) AS needed FROM unjudged_kind),
        blind AS (SELECT household_key, sum(rules)::INTEGER AS unknown_rules, sum(needed)::INTEGER AS blind_rules
            FROM unjudged JOIN kind USING (kind) WHERE living GROUP BY household_key)
        SELECT h.household_key, h.household_id, h.township, h.village, h.head_person_id, h.registered,
            concat_ws('、', {names}) AS help, concat_ws('、', {late_names}) AS help_late, v.visited_date, v.visitor,
            (coalesce(hit.signals, 0) - CASE WHEN coalesce(h.whole_household_dibao, false) OR coalesce(h.all_tekun, false)
                THEN coalesce(hit.risks, 0) ELSE 0 END)::INTEGER AS signals,
            coalesce(hit.needs, 0)::INTEGER AS needs, h.open_request, coalesce(b.unknown_rules, 0) AS unknown_rules,
            coalesce(b.blind_rules, 0) AS blind_rules
        FROM household_snapshot AS h JOIN place AS p ON p.township IS NOT DISTINCT FROM h.township
        LEFT JOIN visit AS v USING (household_key) LEFT JOIN hit USING (household_key) LEFT JOIN blind AS b USING (household_key)
        ORDER BY h.household_key""")
    con.execute("""
        CREATE TABLE roster_place AS
        SELECT township, village, count(DISTINCT household_key) AS households, count(*) AS persons
        FROM person_snapshot WHERE alive GROUP BY ALL ORDER BY ALL""")


def _members(con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], as_of: date) -> None:
    """All sets in one statement; a rule that is off or absent says nothing of anybody (NULL)."""
    hits = {c.code: f"({c.condition_sql})" for c in compiled if not c.disabled}
    pieces = [
        f'SELECT {item.number}::INTEGER AS "set", * FROM ({_bound(item.select, hits, as_of)})'
        for item in SETS
        if item.select
    ]
    con.execute(f"CREATE TABLE checklist_member AS {' UNION ALL '.join(pieces)} ORDER BY ALL")
    con.execute("""
        CREATE TABLE checklist_place AS
        SELECT "set", township, village, how, count(*) AS n FROM checklist_member GROUP BY ALL
        UNION ALL
        SELECT 18, township, village, CASE WHEN unknown_rules = 0 THEN '各项规则均已判断' ELSE '有规则不能判断' END, count(*)
        FROM vouching GROUP BY ALL
        ORDER BY ALL""")


def _bound(select: str, hits: Mapping[str, str], as_of: date) -> str:
    text = select.replace("{as_of}", f"DATE '{as_of.isoformat()}'")
    return re.sub(r"\{hit:([A-Z-]+)\}", lambda found: hits.get(found[1], "NULL::BOOLEAN"), text)


def _figures(con: duckdb.DuckDBPyConnection, setting: Vouching, period: str) -> None:
    """By township: outcomes of the rules that clearing needs, those of them that nobody could judge, and their signals."""
    kinds = ", ".join(map(_text, setting.kinds))
    con.execute(f"""
        INSERT INTO history_figure
        WITH late AS (SELECT DISTINCT r.rule, f.township FROM rule_feed AS r JOIN vouching_feed AS f USING (feed) WHERE f.late),
        outcome AS (SELECT o.township, sum(o.judged) AS judged, sum(o.unknown + CASE WHEN l.rule IS NULL THEN 0 ELSE o.clear END) AS blind
            FROM rule_outcome AS o JOIN (SELECT DISTINCT rule, kind FROM rule) AS r USING (rule)
            LEFT JOIN late AS l ON l.rule = o.rule AND l.township IS NOT DISTINCT FROM o.township
            WHERE r.kind IN ({kinds}) AND o.rule NOT IN (SELECT rule FROM vouching_exempt) GROUP BY o.township),
        need AS (SELECT township, count(*) AS signals FROM signal WHERE kind IN ({kinds}) AND household_key IS NOT NULL GROUP BY township)
        SELECT '{period}', outcome.township, unnest(['outcomes_needed', 'outcomes_blind', 'signals_needed']),
            unnest([judged, blind, coalesce(signals, 0)])::DOUBLE
        FROM outcome LEFT JOIN need ON need.township IS NOT DISTINCT FROM outcome.township
        ORDER BY ALL""")


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Sequence[str]]) -> None:
    picked = ", ".join(f"unnest(${n}::VARCHAR[]) AS {column}" for n, column in enumerate(columns, 1))
    con.execute(f"CREATE TABLE {name} AS SELECT {picked}", [list(values) for values in columns.values()])


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]::VARCHAR[]"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
