"""Matters for the county office that no rule judges: what a run sees in itself.

One today: **blindness**. Where signals of need fell since the last period while outcomes that nobody could judge rose, the
fall is no good news: a source has gone quiet. One notice names all such townships. It stands in the table `notice`, which
has the columns of `signal`, and becomes an alert like a signal about policy; it goes when a run finds it no more.
"""

from __future__ import annotations

from datetime import date

from monitoring.vouching.settings import Vouching

NOTICE = "NOTICE-BLIND"
NAME = "看不清的乡镇"


def notice_sql(setting: Vouching, period: str, due: date) -> str:
    """CREATE TABLE notice, from this period's and the last known period's figures."""
    fall, rise, clause = (
        setting.notice_fall_percent,
        setting.notice_rise_points,
        setting.notice_clause.replace("'", "''"),
    )
    return f"""
        CREATE TABLE notice AS
        WITH figure AS (
            SELECT period, coalesce(township, '地点不明') AS township, max(value) FILTER (measure = 'outcomes_needed') AS judged,
                max(value) FILTER (measure = 'outcomes_blind') AS blind, max(value) FILTER (measure = 'signals_needed') AS signals
            FROM history_figure WHERE measure IN ('outcomes_needed', 'outcomes_blind', 'signals_needed') GROUP BY ALL),
        last AS (FROM figure WHERE period = (SELECT max(period) FROM figure WHERE period < '{period}')),
        blinder AS (
            SELECT n.township, l.period AS before, l.signals::INTEGER AS signals_before, n.signals::INTEGER AS signals_now,
                round(100 * l.blind / nullif(l.judged, 0), 1) AS blind_before, round(100 * n.blind / nullif(n.judged, 0), 1) AS blind_now
            FROM figure AS n JOIN last AS l USING (township)
            WHERE n.period = '{period}' AND n.signals < l.signals AND 100 * (l.signals - n.signals) >= {fall} * l.signals
                AND 100 * n.blind / nullif(n.judged, 0) - 100 * l.blind / nullif(l.judged, 0) >= {rise}),
        told AS (
            SELECT count(*) AS townships, string_agg(township || ' 信号 ' || signals_before || '→' || signals_now || ' 条、不能判断 '
                    || blind_before || '%→' || blind_now || '%', '；' ORDER BY township) AS zh,
                string_agg(township || ': signals ' || signals_before || '→' || signals_now || ', not judged '
                    || blind_before || '%→' || blind_now || '%', '; ' ORDER BY township) AS en,
                json_object('townships', count(*), 'compared_with', max(before), 'signals_before', sum(signals_before)::INTEGER,
                    'signals_now', sum(signals_now)::INTEGER)::VARCHAR AS evidence,
                max(before) AS before FROM blinder)
        SELECT '{period}' AS period, '{NOTICE}' AS rule, 'data' AS kind, 'orange' AS level, 'policy' AS subject,
            NULL::VARCHAR AS household_id, NULL::BIGINT AS person_id, NULL::VARCHAR AS id_number, '{NAME}' AS name,
            NULL::VARCHAR AS township, NULL::VARCHAR AS village, '民政' AS department, DATE '{due.isoformat()}' AS due_date, evidence,
            '{clause}' AS clause,
            '预警少了而看不清的多了，不是好转：' || zh || '（与 ' || before || ' 比）。请核实哪个部门的数据没有报全，补报后重新比对。' AS message,
            NULL::VARCHAR AS record_key,
            'Fewer signals while more could not be judged: that is no improvement. ' || en || ' (against ' || before
                || '). Find which department''s data are incomplete, have them delivered and run again.' AS message_en,
            NULL::BIGINT AS household_key, 2::INTEGER AS level_order
        FROM told WHERE townships > 0"""
