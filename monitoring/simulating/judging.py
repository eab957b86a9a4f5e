"""Judges the published county by the run's world and by a scenario's, in one pass a subject, and counts what differs.

Rules that read the same in both worlds are not judged again: their figures are the published ones. Everything runs in DuckDB
over the published snapshots, with the conditions bound and printed as the run does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import polars as pl
import sqlglot
from sqlglot import exp

from monitoring.access import Scope
from monitoring.facts import households
from monitoring.facts.frame import Facts
from monitoring.parameters import Parameters
from monitoring.rules.binding import bind, to_sql
from monitoring.rules.expressions import Expression
from monitoring.simulating.ground import Ground, Judged
from monitoring.simulating.scenario import Scenario, World, run_world, world
from monitoring.simulating.snapshots import CHECK_ITEMS, Changed, change, new, rename

MASK_BITS = 62
KEYS = {
    "household": ("household_key", "NULL::BIGINT"),
    "person": ("household_key", "person_id"),
    "record": ("household_key", "person_id"),
    "institution": ("NULL::BIGINT", "NULL::BIGINT"),
    "feed": ("NULL::BIGINT", "NULL::BIGINT"),
    "policy": ("NULL::BIGINT", "NULL::BIGINT"),
}
# Categories on the merits: the rule's condition of somebody who stands in no list yet.
UNLISTED = {
    "whole_household_dibao": False, "any_dibao": False, "any_tekun": False, "all_tekun": False, "any_low_income": False,
    "any_rigid": False, "on_dibao": False, "on_tekun": False,
}  # fmt: skip
CATEGORY_RULES = {"tekun": "GAP-TEKUN", "dibao": "GAP-DIBAO", "edge": "GAP-MARGINAL", "rigid": "GAP-RIGID"}
CATEGORIES = (*CATEGORY_RULES, "none", "unknown")
PROGRAMMES = ("dibao", "tekun")
MONTHS = 12


@dataclass(frozen=True)
class Simulation:
    """What a scenario would change, within a scope.

    rules: rule, kind, subject, title_zh, title_en, township, judged, affected, hit_before, hit_after, come, go, unknown_before,
    unknown_after. categories: before, after, households, persons. money (a year): township, programme, subjects_before,
    subjects_after, yuan_before, yuan_after. changed, one row a household: household_key, township, village, size,
    category_before, category_after, yuan_before, yuan_after, come, go (codes). moves: rule, household_key, person_id, moved.
    """

    scenario: Scenario
    rules: pl.DataFrame
    categories: pl.DataFrame
    money: pl.DataFrame
    changed: pl.DataFrame
    moves: pl.DataFrame


def simulate(ground: Ground, scope: Scope, scenario: Scenario) -> Simulation:
    """Raises CannotSimulate."""
    before, after = run_world(ground), world(ground, scenario)
    with ground.warehouse.workspace() as con:
        return Pass(ground, scope, before, after, con).all(scenario)


def facts_of(ground: Ground, con: duckdb.DuckDBPyConnection, parameters: Parameters) -> Facts:
    return Facts(con, ground.as_of, ground.as_of.replace(day=1), parameters, ground.loaded)


def condition(ground: Ground, parameters: Parameters, rule: Judged, when: Expression | None) -> exp.Expr | None:
    """The bound tree, as the run binds it."""
    if when is None:
        return None
    values = {name: (ground.kinds[name], value.value) for name, value in parameters.by_placeholder.items()}
    return bind(when, values)


@dataclass(frozen=True)
class _Pair:
    """One rule in both worlds: SQL over a source that has both values of a changed column; None where it is not judged."""

    rule: Judged
    before: str | None
    after: str | None

    @property
    def same(self) -> bool:
        return self.before == self.after


class Pass:
    """One pass over one county on one connection. `rise`: as if every known income were so much higher, per head and month."""

    def __init__(
        self,
        ground: Ground,
        scope: Scope,
        before: World,
        after: World,
        con: duckdb.DuckDBPyConnection,
        rise: Decimal | None = None,
    ) -> None:
        self.ground, self.scope, self.before, self.after, self.con = ground, scope, before, after, con
        self.facts = facts_of(ground, con, after.parameters)
        self.rise = rise
        self.changed: Changed = change(con, before.parameters, self.facts, rise)
        self.where = scope.limit()

    def all(self, scenario: Scenario) -> Simulation:
        pairs = [
            self._pair(
                self.after.rules[code][0], self.before.rules.get(code, (None, None))[1], self.after.rules[code][1]
            )
            for code in self.after.rules
        ]
        moved = [pair for pair in pairs if not pair.same]
        counted = [self._judge(subject, [p for p in moved if p.rule.subject == subject]) for subject in KEYS]
        self.settle_households()
        return Simulation(
            scenario,
            self._rules(pairs, pl.concat([c for c in counted if c is not None]) if any(c is not None for c in counted) else None),
            self.frame("""SELECT category_before AS before, category_after AS after, count(*) AS households,
                sum(size)::BIGINT AS persons FROM w_household GROUP BY ALL ORDER BY ALL"""),
            self._money(),
            self._changed(moved),
            self._moves(moved),
        )  # fmt: skip

    def moved(
        self, rule: Judged, before: Expression | None, after: Expression | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One rule by two conditions (None: it hits nobody and leaves nobody unknown): its figures by township, and who comes
        and goes: rule, household_key, person_id, moved, one row a subject."""
        self._begin_moves()
        counted = self._judge_some(rule.subject, [self._pair(rule, before, after)])
        return counted, self._moves([])

    def frame(self, query: str) -> pl.DataFrame:
        found: pl.DataFrame = self.con.sql(query).pl()
        return found

    # --- rules

    def _sql(self, tree: exp.Expr | None, subject: str, renew: bool) -> str | None:
        if tree is None:
            return None
        columns = {"household": self.changed.household_columns, "person": set(self.changed.person)}.get(subject, set())
        return to_sql(rename(tree, columns) if renew else tree)

    def _pair(self, rule: Judged, before: Expression | None, after: Expression | None) -> _Pair:
        ground, subject = self.ground, rule.subject
        return _Pair(
            rule,
            self._sql(condition(ground, self.before.parameters, rule, before), subject, renew=False),
            self._sql(condition(ground, self.after.parameters, rule, after), subject, renew=True),
        )

    def source(self, subject: str) -> str:
        if subject == "household":
            return self.changed.household_source()
        if subject == "person":
            return self.changed.person_source()
        if subject == "record":
            return "record_snapshot"
        village = ", NULL::VARCHAR AS village"
        place = village if subject == "institution" else f", NULL::VARCHAR AS township{village}"
        return f"(SELECT *{place} FROM {subject}_snapshot)"

    def _judge(self, subject: str, pairs: Sequence[_Pair]) -> pl.DataFrame | None:
        """Counts by rule and township; `w_moved` gets one row a subject and rule whose outcome differs."""
        if subject == "household":
            self._begin_moves()
        if not pairs:
            return None
        if len(pairs) > MASK_BITS:
            parts = [self._judge_some(subject, pairs[n : n + MASK_BITS]) for n in range(0, len(pairs), MASK_BITS)]
            return pl.concat(parts)
        return self._judge_some(subject, pairs)

    def _begin_moves(self) -> None:
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE w_moved (rule VARCHAR, household_key BIGINT, person_id BIGINT, moved VARCHAR)"
        )

    def _judge_some(self, subject: str, pairs: Sequence[_Pair]) -> pl.DataFrame:
        household, person = KEYS[subject]
        verdicts = "".join(
            f", {_condition(pair.rule, sql)} AS {side}{n}"
            for n, pair in enumerate(pairs)
            for side, sql in (("b", pair.before), ("a", pair.after))
        )
        masks = ", ".join(
            f"{_mask([f'{side}{n}{test}' for n in range(len(pairs))])} AS {name}"
            for name, side, test in (("hb", "b", ""), ("ub", "b", " IS NULL"), ("ha", "a", ""), ("ua", "a", " IS NULL"))
        )
        record = "record" if subject == "record" else "''"
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE w_judged AS
            SELECT household_key, person_id, township, record, {masks} FROM (
                SELECT {household} AS household_key, {person} AS person_id, township, {record} AS record{verdicts}
                FROM {self.source(subject)} {self.where.where})""",
            self.where.params or None,
        )
        bits = ", ".join(f"('{pair.rule.code}', '{pair.rule.record}', {1 << n})" for n, pair in enumerate(pairs))
        self.con.execute(f"""
            INSERT INTO w_moved
            SELECT rule, household_key, person_id, CASE WHEN hb & bit = 0 THEN 'come' ELSE 'go' END
            FROM (FROM w_judged WHERE hb <> ha) JOIN (VALUES {bits}) AS r(rule, record, bit) USING (record)
            WHERE (hb & bit) <> (ha & bit)""")
        return self.frame(f"""
            SELECT rule, township, sum(n)::BIGINT AS judged,
                {_count("hb & bit <> 0")} AS hit_before, {_count("ha & bit <> 0")} AS hit_after,
                {_count("hb & bit = 0 AND ha & bit <> 0")} AS come, {_count("hb & bit <> 0 AND ha & bit = 0")} AS go,
                {_count("ub & bit <> 0")} AS unknown_before, {_count("ua & bit <> 0")} AS unknown_after
            FROM (SELECT record, township, hb, ub, ha, ua, count(*) AS n FROM w_judged GROUP BY ALL)
            JOIN (VALUES {bits}) AS r(rule, record, bit) USING (record) GROUP BY ALL""")

    def _rules(self, pairs: Sequence[_Pair], counted: pl.DataFrame | None) -> pl.DataFrame:
        """The figures of every rule: counted anew where it differs, else those that the run published."""
        published = self.ground.warehouse.frame(
            f"""select rule, township, sum(judged)::BIGINT as judged, sum(hit)::BIGINT as hit_before, sum(hit)::BIGINT as hit_after,
                    0::BIGINT as come, 0::BIGINT as go, sum(unknown)::BIGINT as unknown_before, sum(unknown)::BIGINT as unknown_after
                from rule_outcome {self.where.where} group by all""",
            self.where.params,
        )
        again = [pair.rule.code for pair in pairs if not pair.same]
        figures = published.filter(~pl.col("rule").is_in(again))
        if counted is not None:
            figures = pl.concat([figures, counted.select(figures.columns)])
        known = pl.DataFrame(
            [
                (p.rule.code, p.rule.kind, p.rule.subject, p.rule.title.zh, p.rule.title.en, not p.same, p.after is not None)
                for p in pairs
            ],
            schema=["rule", "kind", "subject", "title_zh", "title_en", "affected", "on"], orient="row",
        )  # fmt: skip
        return known.join(figures, on="rule", how="left").sort("rule", "township")

    # --- households: category, money

    def merits(self, category: str, side: str) -> str:
        """Whether a household (a person, for tekun) belongs into the category on the merits, whatever lists it stands in.
        False where the rule that says so is off."""
        made, later = (self.before, False) if side == "before" else (self.after, True)
        rule, when = made.rules.get(CATEGORY_RULES[category], (None, None))
        tree = None if rule is None else condition(self.ground, made.parameters, rule, when)
        if rule is None or tree is None:
            return "false"
        return unlisted(self._sql(tree, rule.subject, renew=later) or "false")

    def settle_households(self) -> None:
        """`w_household`: one row a household, its category and the money of a year in both worlds."""
        listed = {side: self.merits("tekun", side) for side in ("before", "after")}
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE w_tekun AS
            SELECT household_key, {_tekun("b")}, {_tekun("a")} FROM (
                SELECT household_key, on_tekun, {listed["before"]} AS b, {listed["after"]} AS a
                FROM {self.source("person")} {self.where.where})
            WHERE on_tekun OR b IS DISTINCT FROM false OR a IS DISTINCT FROM false GROUP BY household_key""",
            self.where.params or None,
        )
        columns = ", ".join(
            f"{self.merits(category, side)} AS {category}_{side}"
            for category in ("dibao", "edge", "rigid")
            for side in ("before", "after")
        )
        years = ", ".join(self._year(side) for side in ("before", "after"))
        ratios = {side: self._ratio(made.parameters) for side, made in (("before", self.before), ("after", self.after))}
        standards = {"before": "standard", "after": new("standard") if self._renewed("standard") else "standard"}
        amounts = ", ".join(
            f"""CASE WHEN dibao_{s} THEN greatest(0, "{standards[s]}" * {MONTHS} * greatest(size - coalesce(covered_{s[0]}, 0), 0) - year_{s})
                ELSE 0 END::DECIMAL(18,2) AS dibao_yuan_{s}, CASE WHEN dibao_{s} THEN greatest(size - coalesce(covered_{s[0]}, 0), 0)
                ELSE 0 END AS dibao_persons_{s},
                coalesce(tekun_{s[0]}, 0) AS tekun_persons_{s},
                (coalesce(tekun_{s[0]}, 0) * {MONTHS} * (ceil({ratios[s]} * "{standards[s]}" * 100) / 100))::DECIMAL(18,2) AS tekun_yuan_{s},
                {_category(s)} AS category_{s}"""
            for s in ("before", "after")
        )  # fmt: skip
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE w_household AS
            SELECT household_key, township, village, size, {amounts} FROM (
                SELECT h.*, {years}, {columns} FROM {self.source("household")} AS h {self.where.where})
            LEFT JOIN w_tekun USING (household_key)""",
            self.where.params or None,
        )

    def _renewed(self, column: str) -> bool:
        return column in self.changed.household_columns

    def _year(self, side: str) -> str:
        """The family's assessed income in a year: summed as the pack counts it, never divided and multiplied back."""
        made = self.before if side == "before" else self.after
        total = households.assessed(facts_of(self.ground, self.con, made.parameters), "h", CHECK_ITEMS)
        more = f" + {self.rise} * {MONTHS} * size" if self.rise is not None and side == "after" else ""
        return f"""CASE WHEN income_source = '{households.FROM_CHECK}' THEN greatest(0, {total})
            WHEN net_income_per_head_year IS NOT NULL THEN greatest(0, net_income_per_head_year * size)
            ELSE income_pc * {MONTHS} * size END{more} AS year_{side}"""

    def _ratio(self, parameters: Parameters) -> str:
        found = parameters.get("tekun.standard_ratio")
        return "NULL" if found is None or found.value is None else f"CAST('{found.value}' AS DECIMAL(14,4))"

    def _money(self) -> pl.DataFrame:
        """Sums first; what is shown is rounded once."""
        return self.frame(
            " UNION ALL ".join(
                f"""SELECT township, '{p}' AS programme, sum({p}_persons_before)::BIGINT AS persons_before,
                    sum({p}_persons_after)::BIGINT AS persons_after,
                    count(*) FILTER ({p}_persons_before > 0) AS households_before, count(*) FILTER ({p}_persons_after > 0) AS households_after,
                    sum({p}_yuan_before)::DECIMAL(18,2) AS yuan_before, sum({p}_yuan_after)::DECIMAL(18,2) AS yuan_after
                    FROM w_household GROUP BY township"""
                for p in PROGRAMMES
            )
            + " ORDER BY programme, township"
        )

    def _changed(self, moved: Sequence[_Pair]) -> pl.DataFrame:
        """Households with anything that differs: category, money, a rule's hit."""
        return self.frame("""
            WITH rules AS (SELECT household_key, string_agg(DISTINCT rule, ',' ORDER BY rule) FILTER (moved = 'come') AS come,
                    string_agg(DISTINCT rule, ',' ORDER BY rule) FILTER (moved = 'go') AS go
                FROM w_moved WHERE household_key IS NOT NULL GROUP BY household_key)
            SELECT household_key, township, village, size, category_before, category_after,
                coalesce(dibao_yuan_before, 0) + coalesce(tekun_yuan_before, 0) AS yuan_before,
                coalesce(dibao_yuan_after, 0) + coalesce(tekun_yuan_after, 0) AS yuan_after, come, go
            FROM w_household LEFT JOIN rules USING (household_key)
            WHERE come IS NOT NULL OR go IS NOT NULL OR category_before <> category_after
                OR dibao_yuan_before IS DISTINCT FROM dibao_yuan_after OR tekun_yuan_before IS DISTINCT FROM tekun_yuan_after
            ORDER BY household_key""")

    def _moves(self, moved: Sequence[_Pair]) -> pl.DataFrame:
        return self.frame("SELECT * FROM w_moved ORDER BY ALL")


def _condition(rule: Judged, sql: str | None) -> str:
    if sql is None:
        return "false"
    return f"(record = '{rule.record}' AND ({sql}))" if rule.record else f"({sql})"


def _mask(conditions: Iterable[str]) -> str:
    return (
        " + ".join(f"(CASE WHEN {c} THEN {1 << n} ELSE 0 END)::BIGINT" for n, c in enumerate(conditions)) or "0::BIGINT"
    )


def _count(condition: str) -> str:
    return f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT"


def _tekun(side: str) -> str:
    """Of a household's persons those due tekun, those whom dibao does not cover beside them, and whether any is unknown."""
    return f"""count(*) FILTER ({side}) AS tekun_{side}, count(*) FILTER (on_tekun OR {side}) AS covered_{side},
        bool_or({side} IS NULL) AS tekun_unknown_{side}"""


def _category(side: str) -> str:
    """The main category: tekun before dibao before edge before rigid; unknown where nothing is sure and something open."""
    s = side[0]
    return f"""CASE WHEN tekun_{s} > 0 THEN 'tekun' WHEN dibao_{side} THEN 'dibao' WHEN edge_{side} THEN 'edge'
        WHEN rigid_{side} THEN 'rigid'
        WHEN tekun_unknown_{s} OR dibao_{side} IS NULL OR edge_{side} IS NULL OR rigid_{side} IS NULL THEN 'unknown'
        ELSE 'none' END"""


def unlisted(sql: str, values: Mapping[str, bool] = UNLISTED) -> str:
    """The condition of somebody who stands in no list."""
    tree = exp.Paren(this=sqlglot.parse_one(sql, dialect="duckdb"))
    for node in list(tree.find_all(exp.Column)):
        if node.name in values:
            node.replace(exp.Boolean(this=values[node.name]))
    return tree.sql("duckdb", comments=False, identify=True)
