"""The snapshots as they would stand with other parameters: for every column that would differ, its expression.

By the texts of `monitoring.facts`, which the run uses too. What rests on the parameters that were changed is computed anew
from the published tables; nothing else is. A column's new value stands beside the old one, under `new(column)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb
import sqlglot
from sqlglot import exp

from monitoring.facts import households, persons
from monitoring.facts.frame import Facts
from monitoring.parameters import Parameters
from monitoring.simulating.ground import CannotSimulate
from monitoring.tables import HOUSEHOLD, PERSON

STANDARD = {"dibao.standard_rural", "dibao.standard_urban"}
INCOME = {"income.deduct_employment_cost", "income.deduct_rigid", "income.exclude_basic_pension"}
REVIEW = {"review.months_a", "review.months_b", "review.months_c"}
CHECK_ITEMS = {"medical_self_paid": "medical_cost"}  # what the snapshot calls otherwise than the check
FROM_HOUSEHOLD = ("standard", "income_pc", "low_income_household")  # columns of a person that are the household's


def new(column: str) -> str:
    return f"{column}__new"


@dataclass
class Changed:
    """`household` and `person`: column -> expression of its new value, over the sources below."""

    household: dict[str, str] = field(default_factory=dict)
    person: dict[str, str] = field(default_factory=dict)
    household_joins: list[str] = field(default_factory=list)
    person_joins: list[str] = field(default_factory=list)
    derived: dict[str, str] = field(default_factory=dict)  # household columns that rest on new ones

    def household_source(self) -> str:
        """A table expression: the household snapshot with the new values beside."""
        first = "".join(f', {expression} AS "{new(c)}"' for c, expression in self.household.items())
        inner = f"SELECT h.*{first} FROM household_snapshot h {' '.join(self.household_joins)}"
        if not self.derived:
            return f"({inner})"
        known = set(self.household)
        later = "".join(f', {renamed(expression, known)} AS "{new(c)}"' for c, expression in self.derived.items())
        return f"(SELECT *{later} FROM ({inner}))"

    def person_source(self) -> str:
        values = "".join(f', {expression} AS "{new(c)}"' for c, expression in self.person.items())
        return f"(SELECT o.*{values} FROM person_snapshot o {' '.join(self.person_joins)})"

    @property
    def household_columns(self) -> set[str]:
        return {*self.household, *self.derived}


def renamed(sql: str, columns: Iterable[str]) -> str:
    """The condition with these columns read as their new values."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return rename(tree, set(columns)).sql("duckdb", comments=False)


def rename(tree: exp.Expr, columns: set[str]) -> exp.Expr:
    for node in list(tree.find_all(exp.Column)):
        if node.name in columns:
            node.this.replace(exp.to_identifier(new(node.name), quoted=True))
    return tree


def differing(before: Parameters, after: Parameters) -> set[str]:
    return {
        name
        for name in {*before, *after}
        if name not in before
        or name not in after
        or (before[name].value, before[name].off) != (after[name].value, after[name].off)
    }


def change(con: duckdb.DuckDBPyConnection, before: Parameters, facts: Facts, rise: Decimal | None = None) -> Changed:
    """Which columns differ in a world of `facts` from the run's, whose parameters are `before`; makes temporary tables for
    those that rest on the departments' rows. `rise`: every known income is so many yuan per head and month higher."""
    differs = differing(before, facts.parameters)
    made = Changed()
    _income(made, facts, differs, rise)
    _property(con, made, facts, differs)
    _dibao(con, made, facts, differs)
    if "aid.follow_up_days" in differs:
        _shocks(con, made, facts)
    _visits(con, made, facts, differs)
    _certificates(con, made, facts, differs)
    _labour(con, made, facts, differs)
    _typed(made)
    return made


def _table(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _typed(made: Changed) -> None:
    for columns, documented in ((made.household, HOUSEHOLD), (made.derived, HOUSEHOLD), (made.person, PERSON)):
        for name, expression in columns.items():
            columns[name] = f"CAST({expression} AS {documented[name].type})"


def _income(made: Changed, facts: Facts, differs: set[str], rise: Decimal | None) -> None:
    if differs & STANDARD:
        made.household["standard"] = households.standard(facts, "h.urban")
    if differs & INCOME:
        total = households.assessed(facts, "h", CHECK_ITEMS)
        checked = f"h.income_source = '{households.FROM_CHECK}'"
        made.household["income_pc"] = (
            f"CASE WHEN {checked} THEN {households.income_of_check(total, 'h.size')} ELSE h.income_pc END"
        )
        made.household["line_income"] = f"""CASE WHEN {checked} AND h.net_income_per_head_year IS NULL
            THEN {households.line_income_of_check(total, "h.size")} ELSE h.line_income END"""
    if rise is not None:
        made.household["income_pc"] = f"{made.household.get('income_pc', 'h.income_pc')} + {rise}"
    if rise is not None or differs & (STANDARD | INCOME | {"low_income.ceiling"}):
        poor = households.listed_as_poor("monitored_kind", "risk_removed")
        made.derived["low_income_household"] = households.low_income(facts, poor)
    shared = [c for c in FROM_HOUSEHOLD if c in made.household_columns]
    if shared:
        picked = ", ".join(f'"{new(c)}"' for c in shared)
        only = Changed(dict(made.household), derived=dict(made.derived))
        _typed(only)
        made.person_joins.append(
            f"LEFT JOIN (SELECT household_key, {picked} FROM {only.household_source()}) hs ON hs.household_key = o.household_key"
        )
        made.person |= {c: f'hs."{new(c)}"' for c in shared}


def _property(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts, differs: set[str]) -> None:
    if "property.vehicle_types" in differs:
        _table(con, "p_vehicle", persons.vehicles(facts))
        _table(con, "h_vehicles", households.household_vehicles())
        made.household["barred_vehicles"] = "coalesce(ve.barred_vehicles, 0)"
        made.household_joins.append("LEFT JOIN h_vehicles ve ON ve.household_key = h.household_key")
        made.person |= {
            "barred_vehicle": "coalesce(ve.barred_vehicles > 0, false)",
            "barred_vehicle_cancelled": "coalesce(ve.all_cancelled, false)",
            "plates": "ve.plates",
        }
        made.person_joins.append("LEFT JOIN p_vehicle ve ON ve.person_id = o.person_id")
    if "property.recent_home_years" in differs:
        _table(con, "home_title", persons.home_titles(facts))
        _table(con, "h_titles", households.household_titles())
        made.household |= {
            "recent_home": "coalesce(ti.recent_home, false)",
            "recent_home_date": "ti.recent_home_date",
        }
        made.household_joins.append("LEFT JOIN h_titles ti ON ti.household_key = h.household_key")
    if differs & {"property.vehicle_types", "property.recent_home_years", "property.max_homes"}:
        made.derived["property_fits"] = households.property_fits(facts)


def _dibao(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts, differs: set[str]) -> None:
    if "dibao.exit_months" in differs:
        made.household |= {
            "gradual_exit_over": households.gradual_exit_over(facts, "h.gradual_exit_date"),
            "gradual_exit_until": households.gradual_exit_until(facts),
        }
    if differs & REVIEW:
        _table(con, "dibao_active", households.dibao_active(facts))
        _table(con, "reviewing_township", households.reviewing_townships())
        _table(con, "dibao_row", households.dibao_rows(facts))
        _table(
            con, "h_review",
            f"SELECT household_key, {households.REVIEW_OVERDUE} AS review_overdue FROM dibao_row GROUP BY household_key",
        )  # fmt: skip
        made.household["review_overdue"] = "CASE WHEN d.household_key IS NULL THEN false ELSE d.review_overdue END"
        made.household_joins.append("LEFT JOIN h_review d ON d.household_key = h.household_key")


def _shocks(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts) -> None:
    _table(con, "hit", households.disasters(facts))
    _table(con, "aid_row", households.aid_rows(facts))
    _table(con, "aid_county", households.county_aid(facts))
    _table(con, "h_aid", households.household_aid())
    _table(con, "shock", households.shocks(persons="person_snapshot"))
    _table(con, "h_shock", households.shocks_without_aid(facts))
    made.household |= {
        "shock_without_aid": "CASE WHEN sh.household_key IS NULL THEN false ELSE sh.shock_without_aid END",
        "shock_date": "sh.shock_date",
    }
    made.household_joins.append("LEFT JOIN h_shock sh ON sh.household_key = h.household_key")


def _visits(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts, differs: set[str]) -> None:
    kinds = [name for name, (parameter, _) in persons.SCOPED_VISITS.items() if parameter in differs]
    if not kinds:
        return
    _table(con, "visit", persons.visits(facts))
    for name in kinds:
        _table(con, f"t_{name}", persons.visited_townships(facts, name))
    if "visit_monitored" in kinds:
        _table(
            con, "h_seen",
            """SELECT household_key, max(visited_date) AS own_visit FROM visit JOIN membership m USING (person_id)
               WHERE m.alive GROUP BY household_key""",
        )  # fmt: skip
        _table(
            con, "h_monitor_seen",
            f"""SELECT household_key, max(visited_date) AS monitor_visit FROM ({households.monitored_rows(facts)})
                GROUP BY household_key""",
        )  # fmt: skip
        made.household["visited_recently"] = households.visited_recently(
            facts, "sv.own_visit", "sm.monitor_visit", "t_visit_monitored"
        )
        made.household_joins += [
            "LEFT JOIN h_seen sv ON sv.household_key = h.household_key",
            "LEFT JOIN h_monitor_seen sm ON sm.household_key = h.household_key",
        ]
    if "visit_tekun" in kinds:
        made.person["tekun_visited"] = persons.visited(
            facts, "visit_tekun", "o.last_home_visit_date", _served("t_visit_tekun")
        )
    if "visit_care" in kinds:
        made.person["care_visited"] = persons.visited(facts, "visit_care", "o.last_visit_date", _served("t_visit_care"))


def _served(townships: str) -> str:
    return f"o.township IN (SELECT township FROM {townships})"


def _certificates(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts, differs: set[str]) -> None:
    if "disability.severe_extra_grades" in differs:
        if not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'certificate_news'").fetchall():
            raise CannotSimulate(
                "本期结果是旧版本发布的，缺少测算残疾等级所需的数据（disability.severe_extra_grades）；请重新运行本期"
            )
        _table(con, "certificate", persons.certificates(facts))
        _table(con, "p_severe", persons.severe_persons())
        _table(con, "p_new_certificate", persons.new_certificates(facts))
        made.person |= {
            "severe": facts.known("disability", "coalesce(c.severe, false)"),
            "new_severe_certificate": facts.known("disability", "nc.person_id IS NOT NULL"),
            "certificate_date": "nc.certificate_date",
        }
        made.person_joins += [
            "LEFT JOIN p_severe c ON c.person_id = o.person_id",
            "LEFT JOIN p_new_certificate nc ON nc.person_id = o.person_id",
        ]
        _table(
            con, "h_severe",
            """SELECT DISTINCT m.household_key FROM membership m JOIN p_severe USING (person_id) WHERE m.alive AND severe""",
        )  # fmt: skip
        made.household["severe_member"] = facts.known("disability", "se.household_key IS NOT NULL")
        made.household_joins.append("LEFT JOIN h_severe se ON se.household_key = h.household_key")
    if "illness.needs_medical_aid" in differs:
        _table(
            con, "p_ill",
            f"SELECT person_id, {persons.seriously_ill(facts)} AS seriously_ill FROM {persons.settlements(facts)} GROUP BY person_id",
        )  # fmt: skip
        made.person["seriously_ill"] = facts.known(
            "medical", "CASE WHEN il.person_id IS NULL THEN false ELSE il.seriously_ill END"
        )
        made.person_joins.append("LEFT JOIN p_ill il ON il.person_id = o.person_id")


def _labour(con: duckdb.DuckDBPyConnection, made: Changed, facts: Facts, differs: set[str]) -> None:
    if "tekun.minor_age" not in differs:
        return
    own = f"(no_labour OR {persons.below_tekun_age(facts, 'age')})"
    _table(
        con,
        "household_labour",
        persons.household_labour(f"(SELECT person_id, {own} AS no_labour_or_minor FROM person_snapshot)"),
    )
    mine = f"(o.no_labour OR {persons.below_tekun_age(facts, 'o.age')})"
    made.person |= {"no_labour_or_minor": mine, "others_no_labour": persons.others_no_labour(mine, "o.alive")}
    made.person_joins.append("LEFT JOIN household_labour hl ON hl.household_key = o.household_key")


def whole(changed: Changed, subject: str, columns: Mapping[str, object]) -> str:
    """The whole snapshot of a subject as it would be published: a test holds it against a full run."""
    source = changed.household_source() if subject == "household" else changed.person_source()
    differing_columns = changed.household_columns if subject == "household" else set(changed.person)
    picked = ", ".join(f'"{new(c)}" AS {c}' if c in differing_columns else c for c in columns)
    return f"SELECT {picked} FROM {source}"
