"""Who can vouch for a household: every household of the roster is in exactly one state each period.

The states, and why they come in this order (the first that holds is the household's):

1. **open**: an open alert that raises work, an application or clue without an end, or a signal that the case store has not
   seen yet. It comes before everything else, also before help: a household on dibao whose new hardship waits for somebody is
   not vouched for by the dibao. A wrong silence is worse than a wrong alarm.
2. **helped**: a living member stands in a ledger of continuing help (dibao, tekun, low-income list, monitored with measures
   and somebody responsible), and that ledger is fresh; or a decision recorded help that has begun and is not too old. Aid paid
   once, and subsidies for one person (disability, orphans, insurance), do not speak for the household.
3. **visited**: somebody was at the door in the days that `vouching.toml` names. A visit of the case store speaks only if
   somebody was met and found no difficulty; where it is the latest one and found otherwise, no older visit speaks.
4. **cleared**: by fresh data: no gap or risk rule hit the household or a living member, every one of them could be judged
   (but for the exceptions that `vouching.toml` names with their reason), and every source that they read is fresh for the
   township.
5. **nobody**: nobody can vouch. Never hidden, never rounded away: the sources that are missing or late and the rules that
   could not be judged are named, and a level that signs states the remainder.

What rests on files is computed once a run (`pipelines.vouch`, tables `vouching`, `vouching_feed`, `unjudged`); what people
did since (alerts, visits, decisions, help) is joined when asked, from the case store (`monitoring.vouching.live`).
"""
