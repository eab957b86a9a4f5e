"""What a published run says, as the case store keeps it: its signals, and the households that they are about.

Sentences and evidence are masked here, where they are read; names and the ends of numbers are kept in the clear for search,
and masked again by whoever shows them. Nothing is left out: a signal that looks like another keeps a key of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from monitoring.access import Scope
from monitoring.alerts.naming import alert_key, alert_subject, signal_key
from monitoring.exporting import masking
from monitoring.warehouse import Warehouse

MASKED = Scope()
CHILD_BELOW, ELDER_FROM = 16, 60  # full years: left-behind child; elder who lives alone
LONGEST_PLACE, LONGEST_NAME = 64, 128  # columns of the case store


# Every signal with its key, and every notice (`monitoring.vouching.notices`); one that looks like another gets a number.
_KEYED = f"""
    said as (from signal {{notices}}),
    keyed as (select *, {signal_key()} as key, {alert_subject()} as about, right(id_number, 4) as tail from said),
    told as (
        select * exclude (key), key || case when place > 1 then ' #' || place else '' end as subject_key,
               {alert_key("key")} as alert_key
        from (select *, row_number() over (partition by rule, key order by evidence, message, name) as place from keyed))"""


def _keyed(warehouse: Warehouse) -> str:
    """The expressions for a run; one that an older version published has no notices."""
    has = warehouse.row("select count(*) as tables from duckdb_tables() where table_name = 'notice'")["tables"]
    return _KEYED.replace("{notices}", "union all by name from notice" if has else "")


def signals_of_run(warehouse: Warehouse) -> pl.DataFrame:
    """One row is a signal: its key (rule, subject_key), its alert (subject, alert_key), and what the store keeps of it.

    `supported`: the household is in full support (whole household on dibao, or all its members on tekun).
    """
    return warehouse.frame(f"""
        with {_keyed(warehouse)}
        select rule, subject_key, about as subject, alert_key, s.household_id, left(s.township, {LONGEST_PLACE}) as township,
               left(s.village, {LONGEST_PLACE}) as village, kind, level, level_order, department, person_id,
               {_record_shown()} as record_key, {MASKED.sentence("message")} as message,
               {MASKED.sentence("message_en")} as message_en, clause, {MASKED.evidence("evidence")} as evidence, due_date,
               coalesce(h.whole_household_dibao, false) or coalesce(h.all_tekun, false) as supported,
               left(coalesce(f.title, s.name), {LONGEST_NAME}) as name, tail
        from told s
        left join household_snapshot h on h.household_key = s.household_key
        left join feed_snapshot f on about = 'feed' and f.feed = s.name
        order by level_order, rule, subject_key""")


def keys_of_run(warehouse: Warehouse) -> pl.DataFrame:
    """The key of every signal: rule, subject_key."""
    return warehouse.frame(f"with {_keyed(warehouse)} select rule, subject_key from told")


def conditions_of_run(warehouse: Warehouse) -> dict[str, str]:
    """The condition of every rule, as the run judged it."""
    return {row["rule"]: row["when_text"] or "" for row in warehouse.rows("select rule, when_text from rule")}


def households(warehouse: Warehouse, ids: Sequence[str]) -> pl.DataFrame:
    """One row is a household: what its alert is called, found by and weighed with. One that the run does not know is left out.

    household_id, head, find (names, ends of numbers), township, village, children (below 16), elder_alone (60 or older),
    severe (severely disabled members), score (the model's, 0-1; null where there is none).
    """
    scored = warehouse.row("select count(*) as tables from duckdb_tables() where table_name = 'risk_score'")["tables"]
    scores = "select household_key, max(score)::DOUBLE as score from risk_score group by household_key"
    if not scored:
        scores = "select null::BIGINT as household_key, null::DOUBLE as score where false"
    return warehouse.frame(
        f"""
        with wanted as (select * from household where household_id in (select unnest($ids))),
        members as (
            select p.household_key, string_agg(distinct p.name, ' ' order by p.name) as names,
                   string_agg(distinct right(p.number, 4), ' ' order by right(p.number, 4)) as tails,
                   count(*) filter (p.alive and p.age < {CHILD_BELOW}) as children,
                   count(*) filter (p.alive and p.age >= {ELDER_FROM} and (p.lives_alone or h.size = 1)) > 0 as elder_alone,
                   count(*) filter (p.alive and p.severe) as severe
            from person_snapshot p semi join wanted using (household_key)
            left join household_snapshot h on h.household_key = p.household_key group by p.household_key)
        select w.household_id, left(p.name, {LONGEST_NAME}) as head, left(w.township, {LONGEST_PLACE}) as township,
               left(w.village, {LONGEST_PLACE}) as village, concat_ws(' ', m.names, m.tails) as find,
               coalesce(m.children, 0) as children, coalesce(m.elder_alone, false) as elder_alone,
               coalesce(m.severe, 0) as severe, s.score
        from wanted w left join members m using (household_key) left join ({scores}) s using (household_key)
        left join person_snapshot p on p.person_id = w.head_person_id
        order by w.household_id""",
        {"ids": list(ids)},
    )


def _record_shown() -> str:
    """SQL: what a record is told apart by, as it may be shown; that of an undecided row holds a number, birth date and phone."""
    digits = (
        f"""regexp_replace({MASKED.sentence("record_key")}, '[0-9]{{7,}}([0-9]{{3}}[0-9Xx])', '********\\1', 'g')"""
    )
    return f"""case when person_id is not null then {digits}
        else {masking.undecided(MASKED.sentence("record_key"))} end"""
