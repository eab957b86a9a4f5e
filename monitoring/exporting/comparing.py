"""The monthly comparison of three registers (dibao, tekun, monitoring list), one row per living person on any of them.

Each person gets one code, the first that applies, and a sentence that says what to look into. A register that nobody
ever delivered is not compared: who is missing from it is unknown, not absent.
"""

from __future__ import annotations

_COVERED = "(on_dibao OR on_tekun)"
# code: condition, Chinese, English; in order of urgency, the first that holds counts. `{{income}}` is filled per row.
_FINDINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "both_dibao_tekun",
        "on_dibao AND on_tekun",
        "同时在低保和特困名单：不得重复享受，核实后保留一项。",
        "On both dibao and tekun: only one may be paid; verify and keep one.",
    ),
    (
        "not_compared",
        f"monitored AND at_risk AND NOT {_COVERED} AND missing_aid <> ''",
        "在监测名单，未见于低保、特困，但有台账未提供，不能断定未享受。",
        "Monitored and not seen on dibao or tekun, but a register was not delivered: not known to be uncovered.",
    ),
    (
        "household_dibao_member_missing",
        f"monitored AND at_risk AND NOT {_COVERED} AND whole_household_dibao",
        "在监测名单，所在户为整户低保，本人却不在低保名单：核实是否漏登或新增人口未纳入。",
        "Monitored; the household is on whole-household dibao but this member is not listed: verify whether left out.",
    ),
    (
        "monitored_not_covered",
        f"monitored AND at_risk AND NOT {_COVERED}",
        "在监测名单（风险未消除），不在低保、特困：可能应保未保，核实收入和财产。{income}",
        "Monitored (risk not removed), on neither dibao nor tekun: perhaps eligible and not covered; verify means. {income}",
    ),
    (
        "urban_not_monitored",
        f"{_COVERED} AND NOT monitored AND urban",
        "城镇对象，不在农村监测名单：属正常情形，无须处理。",
        "Urban recipient, not in the rural monitoring list: as expected, nothing to do.",
    ),
    (
        "not_compared",
        f"{_COVERED} AND NOT monitored AND missing_monitored <> ''",
        "享受低保或特困；监测名单未提供，未能比对。",
        "On dibao or tekun; the monitoring list was not delivered, so not compared.",
    ),
    (
        "tekun_not_monitored",
        "on_tekun AND NOT monitored",
        "农村特困人员，不在监测或脱贫名单：核对名单，核实是否有返贫致贫风险应纳入监测。",
        "Rural tekun person, not in the monitoring list: compare the lists; verify whether monitoring is due.",
    ),
    (
        "dibao_not_monitored",
        "on_dibao AND NOT monitored",
        "农村低保对象，不在监测或脱贫名单：核对名单，核实是否有返贫致贫风险应纳入监测。",
        "Rural dibao recipient, not in the monitoring list: compare the lists; verify whether monitoring is due.",
    ),
    (
        "single_dibao_in_monitored",
        "on_dibao AND monitored AND at_risk AND NOT whole_household_dibao AND size > 1",
        "监测户中只有部分成员按单人户享受低保：核实同户其他成员是否符合整户纳入。",
        "At-risk household with single-person dibao only: verify whether the whole household is due.",
    ),
    (
        "monitored_stable",
        f"monitored AND NOT {_COVERED}",
        "脱贫户或风险已消除，不在低保、特困：属一般情形，收入下降时及时核实。",
        "Lifted out of poverty or risk removed, on neither dibao nor tekun: usual; verify when income falls.",
    ),
    (
        "consistent",
        "TRUE",
        "各名单一致。",
        "The registers agree.",
    ),
)
_INCOME = {
    "zh": "CASE WHEN income_pc IS NULL THEN '收入不明。' WHEN income_pc < standard "
    "THEN concat('月人均收入 ', round(income_pc, 2), ' 元，低于标准 ', standard, ' 元。') "
    "ELSE concat('月人均收入 ', round(income_pc, 2), ' 元，不低于标准 ', standard, ' 元。') END",
    "en": "CASE WHEN income_pc IS NULL THEN 'Income unknown.' WHEN income_pc < standard "
    "THEN concat('Income ', round(income_pc, 2), ' yuan a head and month, below the standard ', standard, '.') "
    "ELSE concat('Income ', round(income_pc, 2), ' yuan a head and month, not below the standard ', standard, '.') END",
}
_MISSING = {
    "zh": "concat('未比对（无文件）：', missing, '。')",
    "en": "concat(' Not compared (no file): ', missing, '.')",
}
COMPARISON_CODES = tuple(dict.fromkeys(code for code, *_ in _FINDINGS))


def comparison_sql(lang: str) -> str:
    """The query; columns in the order of the export. Reads person_snapshot, household_snapshot, feed_snapshot, run."""
    code = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition, _, _ in _FINDINGS)
    told = " ".join(
        f"WHEN {condition} THEN {_sentence((zh, en)[lang == 'en'], lang)}" for _, condition, zh, en in _FINDINGS
    )
    return f"""
        WITH missing AS (
            SELECT coalesce(string_agg(feed, '、' ORDER BY feed), '') AS missing,
                coalesce(string_agg(feed, '、' ORDER BY feed) FILTER (feed <> 'monitored'), '') AS missing_aid,
                coalesce(string_agg(feed, '、' ORDER BY feed) FILTER (feed = 'monitored'), '') AS missing_monitored
            FROM feed_snapshot WHERE feed IN ('dibao', 'tekun', 'monitored') AND last_period IS NULL
        ), person AS (
            SELECT p.township, p.village, p.household_id, p.person_id, p.number AS id_number, p.name,
                coalesce(p.on_dibao, FALSE) AS on_dibao, coalesce(p.on_tekun, FALSE) AS on_tekun,
                coalesce(p.monitored_household, FALSE) AS monitored, coalesce(p.whole_household_dibao, FALSE) AS whole_household_dibao,
                coalesce(h.at_risk, FALSE) AS at_risk, coalesce(h.urban, FALSE) AS urban,
                h.monitored_kind, coalesce(h.risk_removed, FALSE) AS risk_removed, h.size, h.income_pc, h.standard
            FROM person_snapshot AS p LEFT JOIN household_snapshot AS h USING (household_key)
            WHERE p.alive
        )
        SELECT (SELECT period FROM run) AS period, township, village, household_id, person_id, id_number, name,
            on_dibao, CASE WHEN NOT on_dibao THEN '' WHEN whole_household_dibao THEN '整户' ELSE '单人户' END AS dibao_form,
            on_tekun, monitored, coalesce(monitored_kind, '') AS monitored_kind, risk_removed, urban,
            CASE {code} END AS code,
            concat(CASE {told} END, CASE WHEN missing <> '' THEN {_MISSING[lang]} ELSE '' END) AS why
        FROM person CROSS JOIN missing
        WHERE on_dibao OR on_tekun OR monitored
    """


def _sentence(text: str, lang: str) -> str:
    before, slot, _ = text.partition("{income}")
    return f"concat('{before}', {_INCOME[lang]})" if slot else f"'{text}'"
