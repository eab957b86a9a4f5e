"""SQL that says in which state every household of the roster is: the run's facts and what people did since, in one statement.

`stated(live)` gives the text of common table expressions, the last of which is `stated`: one row a household with `state` and
what it rests on. The order of the states is the rule of `monitoring.vouching`; nothing else decides it.
"""

from __future__ import annotations

from typing import Any

from monitoring.vouching.live import Live

OPEN, HELPED, VISITED, CLEARED, NOBODY = STATES = ("open", "helped", "visited", "cleared", "nobody")

# What people did, as tables: one array a column, so that any number of rows is one statement.
_DID = """
did_alert as (
    select household_id, count(*)::INTEGER as alerts, min(due) as due, list(alert order by alert) as alert_ids
    from (select unnest($alert_households::VARCHAR[]) as household_id, unnest($alert_ids::BIGINT[]) as alert,
                 unnest($alert_due::DATE[]) as due) group by household_id),
did_visit as (
    select household_id, max(day) as day, arg_max(visitor, (day, place)) as visitor, arg_max(good, (day, place)) as good
    from (select unnest($visit_households::VARCHAR[]) as household_id, unnest($visit_days::DATE[]) as day,
                 unnest($visitors::VARCHAR[]) as visitor, unnest($visit_good::BOOLEAN[]) as good,
                 generate_subscripts($visit_days::DATE[], 1) as place) group by household_id),
did_help as (
    select household_id, string_agg(distinct kind, ' ' order by kind) as kinds
    from (select unnest($help_households::VARCHAR[]) as household_id, unnest($help_kinds::VARCHAR[]) as kind) group by household_id),
did_decide as (
    select household_id, max(day) as day
    from (select unnest($decided_households::VARCHAR[]) as household_id, unnest($decided_days::DATE[]) as day) group by household_id),
did_answer as (select unnest($answered::VARCHAR[]) as household_id),
did_clue as (
    select unnest($clue_households::VARCHAR[]) as household_id, unnest($clue_townships::VARCHAR[]) as township,
           unnest($clue_villages::VARCHAR[]) as village, unnest($clue_how::VARCHAR[]) as how),
did_verify as (
    select unnest($verified_townships::VARCHAR[]) as township, unnest($verified_villages::VARCHAR[]) as village,
           unnest($verified_how::VARCHAR[]) as how, unnest($verified_n::BIGINT[]) as n),
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
        "alert_households": live.alerts["household_id"].to_list(), "alert_ids": live.alerts["alert"].to_list(),
        "alert_due": live.alerts["due"].to_list(),
        "visit_households": live.visits["household_id"].to_list(), "visit_days": live.visits["day"].to_list(),
        "visitors": live.visits["visitor"].to_list(), "visit_good": live.visits["good"].to_list(),
        "help_households": live.help["household_id"].to_list(), "help_kinds": live.help["kind"].to_list(),
        "decided_households": live.decisions["household_id"].to_list(), "decided_days": live.decisions["day"].to_list(),
        "answered": live.answered["household_id"].to_list(),
        "clue_households": live.clues["household_id"].to_list(), "clue_townships": live.clues["township"].to_list(),
        "clue_villages": live.clues["village"].to_list(), "clue_how": live.clues["how"].to_list(),
        "verified_townships": live.verified["township"].to_list(), "verified_villages": live.verified["village"].to_list(),
        "verified_how": live.verified["how"].to_list(), "verified_n": live.verified["n"].to_list(),
    }  # fmt: skip
