"""What alerts, signals and households are called: keys that stay the same from run to run, and names for the journal.

A signal's subject is known across runs by its key: `h:` household_id, `p:` person_id, `r:` person_id `:` record, `i:`
institution, `f:` feed, `y:` policy pack. An alert's subject is the household, or else what the signal itself is about.
"""

from __future__ import annotations

from monitoring.alerts.cards import digest

HOUSEHOLD = "household"
LONGEST_KEY = 100


def household_object(household_id: str) -> str:
    """A household as the journal names it: never by its number, which may be made from an identity number."""
    return f"household:{digest(household_id)}"


def alert_object(alert_id: int) -> str:
    """An alert as the journal names it."""
    return f"alert:{alert_id}"


def signal_key() -> str:
    """SQL over the warehouse's table `signal`: the key of a signal's subject.

    What a record is told apart by may hold an identity number or a phone, so that a long run of digits becomes a digest.
    A record without a person is told apart by name and township as well (as the balance `signals_unique` has it).
    """
    nobody = nobody_key("record_key", "name", "township")
    return f"""CASE subject
        WHEN 'household' THEN 'h:' || household_id
        WHEN 'person' THEN 'p:' || person_id
        WHEN 'record' THEN 'r:' || CASE WHEN person_id IS NULL THEN ':' || {nobody}
            ELSE person_id || ':' || {_short("coalesce(record_key, '')")} END
        WHEN 'institution' THEN 'i:' || {_short("coalesce(record_key, name)")}
        WHEN 'feed' THEN 'f:' || {_short("name")}
        ELSE 'y:' || {_short("name")} END"""


def nobody_key(record: str, name: str, township: str) -> str:
    """SQL: what tells a record apart of which nobody knows whose it is."""
    return f"left(sha256(concat_ws(chr(31), {record}, {name}, {township})), 32)"


def review_record(table: str) -> str:
    """SQL over `link_review`: by what an undecided row is told apart as a record."""
    return f"concat_ws(' ', {', '.join(f'{table}.{name}' for name in ('feed', 'number_raw', 'birth_date', 'phone', 'village'))})"


def alert_subject() -> str:
    """SQL over `signal`: household, institution, feed, policy, or record (what belongs to no household)."""
    return f"""CASE WHEN household_id IS NOT NULL THEN '{HOUSEHOLD}'
        WHEN subject IN ('institution', 'feed', 'policy') THEN subject ELSE 'record' END"""


def alert_key(key: str) -> str:
    """SQL: the key of the alert that a signal belongs to; `key` is the signal's own."""
    return f"coalesce(household_id, substr({key}, 3))"


def _short(text: str) -> str:
    told = f"length({text}) > {LONGEST_KEY} OR regexp_matches({text}, '[0-9]{{11,}}')"
    return f"CASE WHEN {told} THEN left(sha256({text}), 32) ELSE {text} END"
