"""What changed between two published runs: which households entered, left, rose or fell, in which measure, and why.

`changed` gives the changed households only, from one query over a `Pair`; `tally` and `pick` count and list them, so that a
figure and its list are the same rows. `why` says which facts of the household changed meanwhile; a change for which none is
found says so. A household of which one run does not know the answer (low income) is neither entered nor left: it became
unknown, or known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import LEVELS
from monitoring.language import number
from monitoring.warehouse import Warehouse

# Measure -> its Chinese title; whether households are in it (SQL over one side), and the column that may rise or fall (None: none).
MEASURES: dict[str, tuple[str, str, str | None]] = {
    "alert": ("预警级别", "level_order is not null", "level_order"),
    "dibao": ("低保", "any_dibao", "dibao_amount"),
    "tekun": ("特困供养", "any_tekun", "tekun_amount"),
    "marginal": ("低保边缘等低收入名单", "any_low_income and not any_rigid", None),
    "rigid": ("刚性支出困难家庭", "any_rigid", None),
    "at_risk": ("防止返贫监测对象（风险未消除）", "at_risk", None),
    "low_income": ("低收入家庭", "low_income_household", None),
}
DIRECTIONS = {
    "entered": "新进", "left": "移出", "rose": "上升", "fell": "下降", "unknown": "变为不明", "known": "由不明转为已知",
}  # fmt: skip
FITS: dict[bool | None, str] = {True: "符合规定", False: "超出规定", None: "不明"}
_REGISTERS = ("dibao", "tekun", "marginal", "rigid", "at_risk")
Said = tuple[str, dict[str, str]]


LEVEL_OF = {str(place): level for place, level in enumerate(LEVELS, 1)}  # as `before` and `now` tell a level


@dataclass(frozen=True)
class Runs:
    """The two runs, and what is different between them for everybody: rules and parameters."""

    before: str
    now: str
    rules: tuple[dict[str, Any], ...]  # rule, title_zh, title_en, how: revised, added, removed, on, off
    parameters: tuple[dict[str, Any], ...]  # name, meaning_zh, meaning_en, unit, before, now
    packs: tuple[str, str]


def runs(warehouse: Warehouse, scope: Scope) -> Runs:
    """Of the whole county: rules and parameters have no place."""
    told = warehouse.row(
        """select e.period as before, l.period as now, e.pack as first, l.pack as second
           from earlier.run e cross join later.run l"""
    )
    rules = warehouse.rows(
        """select rule, coalesce(l.title_zh, e.title_zh) as title_zh, coalesce(l.title_en, e.title_en) as title_en,
                  case when e.rule is null then 'added' when l.rule is null then 'removed'
                       when e.disabled and not l.disabled then 'on' when l.disabled and not e.disabled then 'off'
                       else 'revised' end as how
           from earlier.rule e full join later.rule l using (rule)
           where e.rule is null or l.rule is null or e.sha256 is distinct from l.sha256 or e.disabled is distinct from l.disabled
           order by rule"""
    )
    parameters = warehouse.rows(
        """select name, coalesce(l.meaning_zh, e.meaning_zh) as meaning_zh, coalesce(l.meaning_en, e.meaning_en) as meaning_en,
                  coalesce(l.unit, e.unit) as unit, e.value as before, l.value as now
           from earlier.parameter e full join later.parameter l using (name)
           where e.value is distinct from l.value order by name"""
    )
    return Runs(told["before"], told["now"], tuple(rules), tuple(parameters), (told["first"], told["second"]))


def rule_titles(warehouse: Warehouse, scope: Scope) -> dict[str, tuple[str, str]]:
    """Rule -> its Chinese and English title, of the rules of both runs."""
    rows = warehouse.rows(
        """select rule, coalesce(l.title_zh, e.title_zh) as zh, coalesce(l.title_en, e.title_en) as en
           from earlier.rule e full join later.rule l using (rule)"""
    )
    return {row["rule"]: (row["zh"], row["en"]) for row in rows}


def changed(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a household and measure that changed: measure, direction, before, now (level, amount; text), household_key
    (the later run's; None where it has no such household), household_id, name, township, village (as now, else as before), and the facts on which `why` stands.

    A household belongs where the later run has it, else where the earlier one had it.
    """
    places = scope.limit(Filter().add(" or ".join(f"in_{key}_before is distinct from in_{key}_now" for key in MEASURES)
                                      + " or " + " or ".join(f"{c}_before is distinct from {c}_now" for c in _SIZES)))  # fmt: skip
    facts = ", ".join(f"e.{name} as {name}_before, l.{name} as {name}_now" for name in _FACTS)
    joined = warehouse.frame(
        f"""with e as ({_side("earlier")}), l as ({_side("later")}), joined as (
                select k.household_key, household_id,
                       case when l.household_key is null then e.township else l.township end as township,
                       case when l.household_key is null then e.village else l.village end as village,
                       l.head_person_id as head, e.head_person_id as head_before, e.household_key is null as new_household,
                       l.household_key is null as gone, e.household_key is not null and l.household_key is not null
                           and (e.township, e.village) is distinct from (l.township, l.village) as moved, {facts}
                from e full join l using (household_id)
                     left join (select household_id, household_key from later.household) k using (household_id))
            select j.* exclude (head, head_before), {scope.name("coalesce(l.name, e.name)")} as name
            from (from joined {places.where}) j left join (select person_id, name from later.person_snapshot) l on l.person_id = j.head
                 left join (select person_id, name from earlier.person_snapshot) e on e.person_id = j.head_before
            order by household_id""",
        places.params,
    )
    if scope.masked:
        joined = _without_made_numbers(joined)
    frame = pl.concat([_of_measure(joined, key) for key in MEASURES])
    order = pl.col("direction").replace_strict({d: n for n, d in enumerate(DIRECTIONS)}, return_dtype=pl.Int64)
    measure = pl.col("measure").replace_strict({m: n for n, m in enumerate(MEASURES)}, return_dtype=pl.Int64)
    return frame.sort(measure, order, "township", "village", nulls_last=True, maintain_order=True)


def tally(frame: pl.DataFrame) -> pl.DataFrame:
    """One row is a measure: measure, and the households of each direction."""
    counted = frame.group_by("measure", "direction").len().pivot("direction", index="measure", values="len")
    every = pl.DataFrame({"measure": list(MEASURES)}).join(counted, on="measure", how="left", maintain_order="left")
    absent = [pl.lit(0).alias(name) for name in DIRECTIONS if name not in every.columns]
    return every.with_columns(*absent).select(
        "measure", *(pl.col(name).fill_null(0).cast(pl.Int64) for name in DIRECTIONS)
    )


def pick(frame: pl.DataFrame, measure: str, direction: str, page: int = 1, size: int = 50) -> tuple[pl.DataFrame, int]:
    """One page of the households behind a figure of the tally, and how many there are."""
    rows = frame.filter((pl.col("measure") == measure) & (pl.col("direction") == direction))
    return rows.slice(size * (max(page, 1) - 1), size), rows.height


def why(row: dict[str, Any]) -> list[Said]:
    """The facts of a household that changed between the two runs, as texts of the interface with their values."""
    found: list[Said] = []
    if row["new_household"]:
        found.append(("上期没有这一户", {}))
    if row["gone"]:
        found.append(("本期没有这一户：在世成员不在任何台账，或均已死亡", {}))
    if not row["new_household"] and not row["gone"]:
        found += _compared(row)
    for column, text in (("started", "台账写明开始：{day}"), ("ended", "台账写明终止：{day}")):
        if row[f"{column}_now"] is not None and row[f"{column}_now"] != row[f"{column}_before"]:
            found.append((text, {"day": row[f"{column}_now"].isoformat()}))
    if row["moved"]:
        found.append(("居住地变动", {}))
    return found or [("没有找到变化的事实：原因不明，请核对台账", {})]


def rules_of(row: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Of a household: the rules that hit now and did not before, and the other way round."""
    before, now = set(row["rules_before"] or []), set(row["rules_now"] or [])
    return sorted(now - before), sorted(before - now)


def _compared(row: dict[str, Any]) -> list[Said]:
    found: list[Said] = []
    if row["income_pc_before"] != row["income_pc_now"]:
        found.append(("月人均收入 {before} → {now}", {"before": _yuan(row["income_pc_before"]), "now": _yuan(row["income_pc_now"])}))  # fmt: skip
    if row["standard_before"] != row["standard_now"]:
        found.append(("低保标准 {before} → {now}", {"before": _yuan(row["standard_before"]), "now": _yuan(row["standard_now"])}))  # fmt: skip
    if row["size_before"] != row["size_now"]:
        found.append(("家庭人口 {before} → {now}", {"before": number(row["size_before"]), "now": number(row["size_now"])}))  # fmt: skip
    for column, text in (
        ("dead", "成员死亡 {n} 人"),
        ("certificates", "新增有效残疾证 {n} 人"),
        ("ill", "新增重病患者 {n} 人"),
    ):
        more = (row[f"{column}_now"] or 0) - (row[f"{column}_before"] or 0)
        if more > 0:
            found.append((text, {"n": number(more)}))
    if row["property_fits_before"] != row["property_fits_now"]:
        found.append(("财产状况：{before} → {now}", {"before": FITS[row["property_fits_before"]], "now": FITS[row["property_fits_now"]]}))  # fmt: skip
    for key in _REGISTERS:
        was, now = row[f"in_{key}_before"], row[f"in_{key}_now"]
        if was != now and key != row["measure"]:
            found.append(("列入“{register}”" if now else "退出“{register}”", {"register": MEASURES[key][0]}))
    return found


def _yuan(value: Any) -> str:
    return "?" if value is None else number(value)


_FACTS = (
    "income_pc", "standard", "size", "property_fits", "dead", "certificates", "ill", "rules", "started", "ended", *(f"in_{key}" for key in MEASURES),
    "level_order", "dibao_amount", "tekun_amount",
)  # fmt: skip
_SIZES = ("level_order", "dibao_amount", "tekun_amount")


def _side(side: str) -> str:
    """One run's households with everything that is compared. Programmes' amounts are those of the rows in force."""
    active = "counts and start_date <= r.as_of and (end_date is null or end_date > r.as_of)"
    inside = ", ".join(f"({test}) as in_{key}" for key, (_, test, _) in MEASURES.items())
    return f"""
        with r as (select as_of from {side}.run),
             p as (select household_key, count(*) filter (not alive) as dead,
                          count(*) filter (alive and has_certificate) as certificates,
                          count(*) filter (alive and seriously_ill) as ill
                   from {side}.person_snapshot where not alive or has_certificate or seriously_ill group by household_key),
             s as (select household_key, min(level_order) as level_order, list(distinct rule) as rules
                   from {side}.signal where household_key is not null group by household_key),
             d as (select household_key, sum(amount)::DECIMAL(14,2) as dibao_amount from (
                       select q.household_key, b.certificate, max(b.household_amount) as amount
                       from {side}.std_dibao b cross join r join {side}.person_snapshot q using (person_id)
                       where b.{active.replace("counts and", "counts and b.")} group by all) group by household_key),
             rows as (select person_id, start_date as started, end_date as ended from {side}.std_dibao where counts
                      union all select person_id, start_date, end_date from {side}.std_tekun where counts
                      union all select person_id, recognised_date, end_date from {side}.std_low_income where counts),
             x as (select q.household_key, max(b.started) filter (b.started <= r.as_of) as started,
                          max(b.ended) filter (b.ended <= r.as_of) as ended
                   from rows b cross join r join {side}.person_snapshot q using (person_id) group by all),
             k as (select q.household_key, sum(coalesce(b.basic_amount, 0) + coalesce(b.care_amount, 0))::DECIMAL(14,2) as tekun_amount
                   from {side}.std_tekun b cross join r join {side}.person_snapshot q using (person_id)
                   where b.{active.replace("counts and", "counts and b.")} group by all),
             h as (select household_key, household_id, township, village, head_person_id, size, income_pc, standard, property_fits, any_dibao,
                          any_tekun, any_low_income, any_rigid, at_risk, low_income_household
                   from {side}.household_snapshot)
        select h.*, coalesce(p.dead, 0) as dead, coalesce(p.certificates, 0) as certificates,
               coalesce(p.ill, 0) as ill, s.level_order, s.rules, d.dibao_amount, k.tekun_amount, x.started, x.ended, {inside}
        from h left join p using (household_key) left join s using (household_key) left join d using (household_key)
             left join k using (household_key) left join x using (household_key)"""


def _of_measure(joined: pl.DataFrame, key: str) -> pl.DataFrame:
    """The households whose state in one measure changed, with the direction and both values as text."""
    size = MEASURES[key][2]
    was = pl.when("new_household").then(False).otherwise(pl.col(f"in_{key}_before"))
    now = pl.when("gone").then(False).otherwise(pl.col(f"in_{key}_now"))
    value = (pl.col(f"{size}_before"), pl.col(f"{size}_now")) if size else (pl.lit(None), pl.lit(None))
    more, less = (value[1] > value[0], value[1] < value[0]) if size else (pl.lit(False), pl.lit(False))
    if key == "alert":  # level 1 is the most urgent
        more, less = less, more
    direction = (
        pl.when(was.is_null() & now.is_null()).then(None)
        .when(was.is_null()).then(pl.lit("known"))
        .when(now.is_null()).then(pl.lit("unknown"))
        .when(now & ~was).then(pl.lit("entered"))
        .when(was & ~now).then(pl.lit("left"))
        .when(was & now & more).then(pl.lit("rose"))
        .when(was & now & less).then(pl.lit("fell"))
    )  # fmt: skip
    shown = [side.cast(pl.String).alias(name) for side, name in zip(value, ("before", "now"), strict=True)]
    return joined.select(pl.lit(key).alias("measure"), direction.alias("direction"), *shown, *joined.columns).filter(
        pl.col("direction").is_not_null()
    )


def _without_made_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """A household's number that was made from an identity number is not told (its key is enough for a link)."""
    made = pl.col("household_id").str.starts_with("U-")
    return frame.with_columns(household_id=pl.when(made).then(None).otherwise(pl.col("household_id")))
