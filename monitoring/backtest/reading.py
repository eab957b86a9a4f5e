"""What one published period knew, from its own file alone: nothing that was handed in later is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import polars as pl

from monitoring.access import Scope
from monitoring.forecast.features import features_sql
from monitoring.forecast.history import Leak, known_then
from monitoring.periods import has, opened
from monitoring.simulating.ground import CannotSimulate, Ground, Judged, ground_once, home_of
from monitoring.simulating.replaying import hits_then
from monitoring.simulating.scenario import run_world
from monitoring.warehouse import Published, Warehouse

KINDS = ("gap", "risk")  # rules that look for need, as the features' `rules_hit`
SHARE = "model.list_share"
HOME = (
    "(hash(h.household_id) >> 1)::BIGINT"  # of two runs, in the same program: an integer is joined faster than a text
)

# Who is helped at the period's end, by what: the programmes of `forecast.features.HELPED`; a test holds the two together.
HELPED_BY = " UNION ALL ".join([
    *(f"SELECT person_id, '{programme}' AS programme FROM person_snapshot WHERE alive AND {flag}" for programme, flag in
      (("dibao", "on_dibao"), ("tekun", "on_tekun"), ("low_income", "on_low_income"), ("at_risk", "at_risk_household"))),
    """SELECT DISTINCT p.person_id, 'temporary' FROM std_temporary_aid a JOIN person_snapshot p USING (person_id) CROSS JOIN run
       WHERE a.counts AND p.alive AND a.accepted_date > run.as_of - INTERVAL 1 MONTH AND a.accepted_date <= run.as_of""",
])  # fmt: skip


@dataclass(frozen=True)
class Then:
    """One period. `homes`: home, household_id, township, village of those in the scope whom nobody helped; `members`: person_id,
    home of theirs; `helped`: person_id, programme, of all; `seen`: home, rule, of `homes`; `listed`: home of those on the model's
    list, None where no model of that period is there. `home` is made from the household's number, and the same in every period."""

    period: str
    homes: pl.DataFrame = field(repr=False)
    members: pl.DataFrame = field(repr=False)
    helped: pl.DataFrame = field(repr=False)
    seen: pl.DataFrame = field(repr=False)
    listed: pl.DataFrame | None = field(repr=False)


def read(runs: Sequence[Published], scope: Scope) -> list[Then]:
    """All periods, judged by the rules of the last one. Raises CannotSimulate; also where a file knows more than its period
    could, or a model is not the recorded one."""
    rules: Mapping[str, Judged] = {}
    for _, warehouse in opened(runs[-1:]):
        rules = looking(ground_once(warehouse))
    thens: list[Then] = []
    for run, warehouse in opened(runs):
        thens.append(read_one(run, warehouse, rules, scope))
        if len(thens) > 1:  # of the period before only those are kept who are helped now: they may have entered
            before, helped = thens[-2], thens[-1].helped
            thens[-2] = replace(before, members=before.members.join(helped, on="person_id", how="semi"))
    return thens


def looking(of: Ground) -> dict[str, Judged]:
    """The run's rules that look for need and were not disabled, by code."""
    on = run_world(of).rules
    return {code: rule for code, rule in of.rules.items() if rule.kind in KINDS and on[code][1] is not None}


def read_one(run: Published, warehouse: Warehouse, rules: Mapping[str, Judged], scope: Scope) -> Then:
    where = scope.limit(table="h")
    with warehouse.workspace() as con:
        _only_known_then(con, run.period)
        con.execute(f"CREATE TEMP TABLE b_helped AS {HELPED_BY}")
        con.execute(
            f"""CREATE TEMP TABLE b_home AS
                SELECT h.household_key, {HOME} AS home, h.household_id, h.township, h.village FROM household_snapshot h
                ANTI JOIN (SELECT p.household_key FROM b_helped JOIN person_snapshot p USING (person_id)) k USING (household_key)
                {where.where} ORDER BY h.household_key""",
            where.params or None,
        )
        homes = con.sql("FROM b_home").pl()
        members = con.sql("""
            SELECT m.person_id, b.home FROM membership m JOIN b_home b USING (household_key) WHERE m.alive AND m.belongs
            ORDER BY ALL""").pl()
        helped = con.sql("FROM b_helped ORDER BY ALL").pl()
        signals = con.sql("""
            SELECT DISTINCT b.home, s.rule FROM signal s JOIN b_home b USING (household_key) ORDER BY ALL""").pl()
    of = ground_once(warehouse)
    same = [code for code, rule in rules.items() if _reads_alike(of.rules.get(code), rule)]
    seen = [signals.filter(pl.col("rule").is_in(same))]
    for code, rule in rules.items():
        if code not in same:
            hits = hits_then(of, scope, warehouse, rule).join(homes, on="household_key")
            seen.append(hits.select("home", rule=pl.lit(code)))
    listed = model_list(home_of(warehouse), run.period, warehouse, of)
    if listed is not None:
        listed = listed.join(homes, on="household_key").select("home").sort("home")
    homes = homes.drop("household_key")
    return Then(run.period, homes, members, helped, pl.concat(seen).sort("home", "rule"), listed)


def _only_known_then(con: duckdb.DuckDBPyConnection, period: str) -> None:
    try:
        known_then(con, period)
    except Leak as leak:
        raise CannotSimulate(str(leak)) from leak


def _reads_alike(then: Judged | None, now: Judged) -> bool:
    """Whether what the period's run stored is what the rule of today would have given."""
    return then is not None and (then.subject, then.record, then.expression.tree) == (
        now.subject,
        now.record,
        now.expression.tree,
    )


def model_list(home: Path, period: str, warehouse: Warehouse, of: Ground) -> pl.DataFrame | None:
    """household_key of those in the top of their township by the model of that period: the run's own scores, else those of a
    model that was trained on what was known by then. None where there is none."""
    share = float(of.parameters.number(SHARE) or 0)
    if has(warehouse, "risk_score"):
        scores = warehouse.frame("select household_key, township, rank_in_township, of_township from risk_score")
    elif (home / "model").is_dir():
        found = _scored_then(home, period, warehouse)
        if found is None:
            return None
        scores = found
    else:
        return None
    most = pl.max_horizontal((pl.col("of_township") * share).round(), pl.lit(1 if share else 0))
    on_it = scores.filter(pl.col("rank_in_township") <= most, pl.col("township").is_not_null())
    return on_it.select("household_key").sort("household_key")


def _scored_then(home: Path, period: str, warehouse: Warehouse) -> pl.DataFrame | None:
    from monitoring.forecast.keeping import Altered, load, of_period  # scikit-learn takes seconds to load
    from monitoring.forecast.scoring import scored

    try:
        kept = of_period(home, period)
        if kept is None or not kept.usable:
            return None
        with warehouse.workspace() as con:
            rows = con.sql(features_sql()).pl()
        return scored(load(kept), rows, kept.manifest["reference"]).scores
    except Altered as altered:
        raise CannotSimulate(str(altered)) from altered


def blind(runs: Sequence[Published], asked: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """For want of what the rules that look for need could not judge some households then: period, household_id, subject,
    missing (column). `asked`: household numbers by period."""
    told = [pl.DataFrame(schema=dict.fromkeys(("period", "household_id", "subject", "missing"), pl.String))]
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    for run, warehouse in opened([run for run in runs if run.period in asked]):
        found = warehouse.frame(
            f"""with lacking as (
                    select distinct k.kind, k.subject, m.missing from unjudged_kind k, unnest(k.rules) r(rule), unnest(k.missing) m(missing)
                    join rule on rule.rule = r.rule and rule.kind in ({kinds}) and list_contains(string_split(rule.inputs, ','), m.missing))
                select distinct h.household_id, l.subject, l.missing from unjudged u join lacking l using (kind)
                join household h using (household_key)
                where h.household_id in (select unnest($numbers::VARCHAR[])) order by all""",
            {"numbers": list(asked[run.period])},
        )
        told.append(found.select(pl.lit(run.period).alias("period"), "household_id", "subject", "missing"))
    return pl.concat(told)
