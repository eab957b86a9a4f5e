"""Forecast: scores the run's households with the model of its period, where there is one; without one nothing is written.

Reads the snapshot tables, `signal` and HOME/model; writes `model` (which model, its figures), `risk_score` (one row a
household that nobody helps yet), `model_drift`, and MODEL-RISK signals with their rule and outcomes. The score orders and
adds: households that no rule flagged, but that rank in the top of their township, get a yellow signal; no signal is taken away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from monitoring.forecast import HORIZON, RULE
from monitoring.forecast.features import BY_NAME, features_sql
from monitoring.forecast.words import plainly
from monitoring.parameters import Parameters
from monitoring.working_days import add_working_days

if TYPE_CHECKING:  # scikit-learn takes a second to load: only where there is a model
    from monitoring.forecast.keeping import Kept
    from monitoring.forecast.scoring import Scored

SHARE = "model.list_share"
TITLE = ("模型提示：可能陷入困难", "The model points here: may come to need help")
MOST_LIKELY = 0.999  # shown as "at most": nothing is certain


@dataclass(frozen=True)
class Forecast:
    """The model that a run uses; None where there is none that is trained on what was known by its period."""

    kept: Kept | None

    @property
    def mark(self) -> str:
        """What tells two runs over the same files apart that used different models."""
        return self.kept.id if self.kept else ""


def forecast_of(home: Path, period: str) -> Forecast:
    """Raises keeping.Altered where a model's files are not the recorded ones."""
    if not (home / "model").is_dir():
        return Forecast(None)
    from monitoring.forecast.keeping import of_period

    return Forecast(of_period(home, period))


def forecast(
    con: duckdb.DuckDBPyConnection, told: Forecast, parameters: Parameters, period: str, as_of: date
) -> None:  # fmt: skip
    """Does the whole step on the run's connection."""
    kept = told.kept
    if kept is None:
        return
    con.execute("CREATE TABLE model (id VARCHAR, usable BOOLEAN, why VARCHAR, until VARCHAR, manifest VARCHAR)")
    con.execute(
        "INSERT INTO model VALUES (?, ?, ?, ?, ?)",
        [kept.id, kept.usable, kept.manifest["why"], kept.period, json.dumps(kept.manifest, ensure_ascii=False, sort_keys=True)],
    )  # fmt: skip
    if not kept.usable:
        return
    from monitoring.forecast.keeping import load
    from monitoring.forecast.scoring import scored

    con.execute(
        "CREATE TEMP TABLE run AS SELECT ? AS period, ?::DATE AS as_of", [period, as_of]
    )  # the run's own comes last
    rows = con.sql(features_sql()).pl()
    con.execute("DROP TABLE temp.run")
    found = scored(load(kept), rows, kept.manifest["reference"])
    scores, drift = found.scores, pl.DataFrame(
        {"period": [period] * len(found.drift), "feature": list(found.drift), "psi": list(found.drift.values())}
    )  # fmt: skip
    con.register("scored", scores.to_arrow())
    con.register("drifted", drift.to_arrow())
    con.execute("""
        CREATE TABLE risk_score AS SELECT household_key, household_id, township, village, score, band, rank_in_township::INTEGER AS rank_in_township,
            of_township::INTEGER AS of_township, contributions FROM scored ORDER BY household_key""")
    con.execute("CREATE TABLE model_drift AS SELECT period, feature, psi FROM drifted ORDER BY feature")
    con.unregister("scored")
    con.unregister("drifted")
    _signals(con, kept, found, rows, parameters, period, as_of)


def _signals(
    con: duckdb.DuckDBPyConnection, kept: Kept, found: Scored, rows: pl.DataFrame, parameters: Parameters, period: str, as_of: date
) -> None:  # fmt: skip
    share, days = parameters.number(SHARE), parameters.whole("alert.working_days_yellow") or 0
    flagged = con.sql("SELECT DISTINCT household_key FROM signal WHERE household_key IS NOT NULL").pl()
    most = pl.max_horizontal((pl.col("of_township") * float(share or 0)).round(), pl.lit(1 if share else 0))
    listed = (
        found.scores.filter(pl.col("rank_in_township") <= most, pl.col("township").is_not_null())
        .join(flagged, on="household_key", how="anti")
        .sort("household_key")
    )
    clause = f"模型 {kept.id}（只用于安排走访，不作认定或停发的依据）"
    told = [_told(row, days) for row in listed.iter_rows(named=True)]
    names = listed.select("household_key").with_columns(
        message=pl.Series([one[0] for one in told], dtype=pl.String),
        message_en=pl.Series([one[1] for one in told], dtype=pl.String),
        evidence=pl.Series([one[2] for one in told], dtype=pl.String),
    )
    con.register("listed", names.to_arrow())
    con.execute(
        f"""INSERT INTO signal
            SELECT $period, '{RULE}', 'risk', 'yellow', 'household', h.household_id, h.head_person_id, p.number, p.name, h.township, h.village,
                '民政', $due::DATE, l.evidence, $clause, l.message, NULL, l.message_en, h.household_key, 3
            FROM listed l JOIN household_snapshot h USING (household_key) LEFT JOIN resident p ON p.person_id = h.head_person_id
            ORDER BY h.township, h.village, h.household_id""",
        {"period": period, "due": add_working_days(as_of, days), "clause": clause},
    )
    con.unregister("listed")
    con.execute(
        f"""INSERT INTO rule_outcome
            SELECT '{RULE}', s.township, s.village, count(*), count(g.household_key), count(*) - count(g.household_key), 0
            FROM risk_score s LEFT JOIN (SELECT household_key FROM signal WHERE rule = '{RULE}') g USING (household_key)
            GROUP BY s.township, s.village ORDER BY ALL"""
    )
    con.execute(
        "INSERT INTO rule VALUES (?, 'risk', 'model', NULL, 'yellow', '民政', ?, ?, ?, '', false, ?, ?)",
        [RULE, *TITLE, clause, ",".join(BY_NAME), kept.manifest["sha256"]],
    )


def _told(row: dict[str, object], days: int) -> tuple[str, str, str]:
    """The sentence in Chinese and English, and the evidence, of one listed household."""
    parts = json.loads(str(row["contributions"]))
    zh, en = (plainly(parts, language, most=3) for language in ("zh", "en"))
    chance = min(float(str(row["score"])), MOST_LIKELY)
    place, place_rank, count = row["township"], row["rank_in_township"], row["of_township"]
    message = (
        f"没有规则命中该户，但模型估计它今后 {HORIZON} 个月陷入困难的可能为 {chance:.1%}，在{place}未享受救助的 {count:,} 户中排第 {place_rank}。"
        f"主要因素：{zh}。请 {days} 个工作日内入户看一看；这只是提示，不影响任何待遇。"
    )
    message_en = (
        f"No rule flags this household, but the model puts its chance of coming to need help within {HORIZON} months at {chance:.1%}: "
        f"number {place_rank} of the {count:,} households of {place} that get no help. Mainly: {en}. Visit within {days} working days; "
        "this is a pointer only and changes no benefit."
    )
    evidence = {term[0]: term[1] for term in parts["terms"] if term[0] in SHOWN}
    return message, message_en, json.dumps(evidence, ensure_ascii=False)


# Features that stand as columns of the household snapshot under the same meaning: shown as evidence with their sources.
SHOWN = frozenset(
    {
        "medical_12m",
        "rigid_12m",
        "size",
        "homes",
        "businesses",
        "dibao_ended_days",
        "dwelling_unsafe",
        "water_unsafe",
        "earner_died",
    }
)
