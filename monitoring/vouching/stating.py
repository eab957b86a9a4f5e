"""SQL that says in which state every household of the roster is: the run's facts and what people did since, in one statement.

`stated(live)` gives the text of common table expressions, the last of which is `stated`: one row a household with `state` and
what it rests on. The order of the states is the rule of `monitoring.vouching`; nothing else decides it.
"""

from __future__ import annotations

from typing import Any

from monitoring.vouching.live import Live

OPEN, HELPED, VISITED, CLEARED, NOBODY = STATES = ("open", "helped", "visited", "cleared", "nobody")

# What people did, as tables that are laid beside the run's own for one question.
_DID = """
did_alert as (
    select household_id, count(*)::INTEGER as alerts, min(due) as due, list(alert order by alert) as alert_ids
    from live_alert group by household_id),
did_visit as (
    select household_id, max(day) as day, arg_max(visitor, (day, place)) as visitor, arg_max(good, (day, place)) as good
    from live_visit group by household_id),
did_help as (
    select household_id, string_agg(distinct kind, ' ' order by kind) as kinds from live_help group by household_id),
did_decide as (select household_id, max(day) as day from live_decision group by household_id),
did_answer as (from live_answered),
did_clue as (from live_clue),
did_verify as (from live_verified),
late_place as (
    select township, list(feed order by feed) filter (late) as late from vouching_feed group by township)"""

_STATED = f"""{_DID},
known as (
    select v.*, coalesce(a.alerts, 0) as alerts, a.due, a.alert_ids, h.kinds as help_kinds, l.late,
           case when w.day is not null and w.day >= coalesce(v.visited_date, w.day) then w.day else v.visited_date end as seen_date,
           case when w.day is not null and w.day >= coalesce(v.visited_date, w.day) then w.visitor else v.visitor end as seen_by,
           case when w.day is not null and w.day >= coalesce(v.visited_date, w.day) then w.good
                else v.visited_date > r.as_of - to_days(s.visit_days) end as seen_well
    from vouching v cross join run r cross join vouching_setting s
    left join did_alert a on a.household_id = v.household_id
    left join did_visit w on w.household_id = v.household_id
    left join did_help h on h.household_id = v.household_id
    left join late_place l on l.township is not distinct from v.township),
stated as (
    select *, case when alerts > 0 or open_request or (not $taken and signals > 0) then '{OPEN}'
                   when help <> '' or help_kinds is not null then '{HELPED}'
                   when seen_well then '{VISITED}'
                   when needs = 0 and blind_rules = 0 and late is null then '{CLEARED}'
                   else '{NOBODY}' end as state
    from known)"""


def stated(live: Live) -> tuple[str, dict[str, Any]]:
    """The expressions (to stand behind `with`) and their values."""
    return _STATED, {**did_params(live), "taken": live.taken}


def did(live: Live) -> tuple[str, dict[str, Any]]:
    """What people did, alone."""
    return _DID, did_params(live)


def did_params(live: Live) -> dict[str, Any]:
    return {
        "live_alert": live.alerts, "live_visit": live.visits.with_row_index("place"), "live_help": live.help,
        "live_decision": live.decisions, "live_answered": live.answered, "live_clue": live.clues, "live_verified": live.verified,
    }  # fmt: skip
