"""What each export holds: its query over the published warehouse, its masks and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitoring.exporting import masking
from monitoring.exporting.comparing import comparison_sql
from monitoring.language import Language
from monitoring.queries.programmes import PROGRAMMES, figures_sql

SIGNAL_COLUMNS = (
    "period", "rule", "kind", "level", "subject", "household_id", "person_id", "id_number", "name", "township", "village",
    "department", "due_date", "evidence", "clause", "message", "record_key",
)  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """One export. `query` gives SQL in the clear for a language; `masks` stand in for columns while it is masked.

    `order` comes first, then every column, so that rows have one order. `hidden` columns cannot be filtered by while
    masked. `spread` names a JSON column (heading -> text) that becomes one column a heading.
    """

    title: str
    title_en: str
    query: Callable[[str], str]
    order: str
    masks: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    spread: str = ""


def _signals(lang: str) -> str:
    columns = ", ".join("message_en AS message" if lang == "en" and c == "message" else c for c in SIGNAL_COLUMNS)
    return f"SELECT {columns} FROM signal WHERE period = (SELECT period FROM run)"


def _quarantine(lang: str) -> str:
    """Rows, and after them files and sheets that could not be read or recognised, which have no row of their own."""
    return """
        SELECT part.file, part.sheet, q."row", q.feed, q.department, q.reasons, q.raw
        FROM quarantine AS q JOIN part USING (delivered, part) WHERE part.this_period
        UNION ALL
        SELECT file, sheet, NULL, NULL, NULL, reason, NULL FROM part
        WHERE this_period AND feed IS NULL AND coalesce(reason, '') <> ''
            AND NOT EXISTS (FROM quarantine AS q WHERE q.delivered = part.delivered AND q.part = part.part)
    """


def _ledger(lang: str) -> str:
    return """
        SELECT (SELECT period FROM run) AS period, file, sheet, feed, layout, format, encoding, heading_rows,
            rows_read, loaded, duplicate, quarantined, not_data,
            rows_read - loaded - duplicate - quarantined - not_data AS difference,
            reason, unknown_headings, sha256
        FROM part WHERE this_period
    """


def _coverage(lang: str) -> str:
    """One row a programme and place; what its rule did not judge, and what no rule looks for, is blank and never 0."""
    t = Language(lang)
    named = ", ".join(
        f"('{one.key}', '{t(one.title).replace(chr(39), chr(39) * 2)}', '{t(one.unit)}', '{one.rule}')"
        for one in PROGRAMMES
    )
    return f"""
        SELECT (SELECT period FROM run) AS period, programme, title, unit, rule, township, village,
            CASE WHEN gap IS NOT NULL THEN covered + gap END AS eligible, covered, gap, unknown, over AS to_check,
            CASE WHEN covered + gap > 0 THEN round(covered / (covered + gap), 4) END AS share_covered_at_most
        FROM ({figures_sql()}) JOIN (VALUES {named}) AS n(programme, title, unit, rule) USING (programme)
    """


_KEYS = ", ".join(f"'{one.key}'" for one in PROGRAMMES)


def _alerts(lang: str) -> str:
    return f"""
        SELECT (SELECT period FROM run) AS period, alert, subject, household_id, name, township, village, level,
            status_{lang} AS status, emergency, opened_on, due_date, overdue_days, holder, waiting_for,
            outcome_{lang} AS outcome, verified_on, decided_on, closed_on, rules, departments
        FROM alert_list
    """


# Over the case store's list (`monitoring.alerts.listing.case_work`), not over a published warehouse.
CASE_WORK: dict[str, Definition] = {
    "alerts": Definition(
        title="预警办理",
        title_en="Alerts",
        query=_alerts,
        order="list_position(['red', 'orange', 'yellow', 'blue'], level), due_date NULLS LAST, alert",
        masks={"household_id": masking.household("household_id"), "name": masking.subject_name("name")},
        hidden=("name",),
    ),
}

EXPORTS: dict[str, Definition] = {
    "signals": Definition(
        title="预警信号",
        title_en="Signals",
        query=_signals,
        order="list_position(['red', 'orange', 'yellow', 'blue'], level), rule, township, village, household_id, person_id, record_key",
        masks={
            "household_id": masking.household("household_id"),
            "id_number": masking.number("id_number"),
            "name": masking.subject_name("name"),
            "evidence": masking.evidence(),
            "message": masking.sentence(),
            "record_key": masking.record_key(),
        },
        hidden=("id_number", "name", "evidence", "message", "record_key"),
    ),
    "quarantine": Definition(
        title="隔离数据",
        title_en="Quarantine",
        query=_quarantine,
        order='file, sheet, "row"',
        masks={"reasons": masking.runs("reasons")},
        hidden=("raw", "reasons"),
        spread="raw",
    ),
    "ledger": Definition(title="数据台账", title_en="Ledger", query=_ledger, order="file, sheet"),
    "comparison": Definition(
        title="三类名单比对",
        title_en="Register comparison",
        query=comparison_sql,
        order="township, village, household_id, person_id",
        masks={
            "household_id": masking.household("household_id"),
            "id_number": masking.number("id_number"),
            "name": masking.name("name"),
        },
        hidden=("id_number", "name"),
    ),
    "coverage": Definition(
        title="应保未保",
        title_en="Coverage",
        query=_coverage,
        order=f"list_position([{_KEYS}], programme), township, village",
    ),
}
