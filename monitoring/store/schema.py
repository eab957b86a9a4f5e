"""What stands in the case store, table by table. Changes go through a migration (`migrations/versions`); a test compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; aware in Python, and refused where it is not, so that no local time slips in."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment in the case store needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def _id() -> Column[Any]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _account(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, ForeignKey("account.id"), nullable=nullable)


def _alert(index: bool = True) -> Column[Any]:
    return Column("alert_id", ForeignKey("alert.id"), nullable=False, index=index)


# --- people

account = Table(
    "account",
    metadata,
    _id(),
    Column("name", String(64), nullable=False, unique=True),  # lower case; what is typed at log-in
    Column("person", String(64), nullable=False),  # the person's name: accounts are not shared
    Column("role", String(24), nullable=False),
    Column("state", String(12), nullable=False),  # pending, active, disabled
    Column("password_hash", Text),  # Argon2id; NULL for those who come by OIDC only
    Column("must_change", Boolean, nullable=False),
    Column("password_changed_at", Moment),
    Column("oidc_subject", String(255), unique=True),
    Column("totp_secret", Text),  # encrypted with the home's key; NULL until a second factor is set up
    Column("totp_step", BigInteger),  # the last step used: a code works once
    Column("visits_per_week", Integer),  # what this worker can do; NULL is the role's default
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("approved_at", Moment),
    Column("approved_by", String(64)),
    Column("last_seen_at", Moment),
    Column("version", Integer, nullable=False, server_default=text("1")),
)

# The places of an account; without rows the role's own reach holds. A blank village is the whole township.
account_place = Table(
    "account_place",
    metadata,
    _id(),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("township", String(64), nullable=False),
    Column("village", String(64)),
)

# A change of role or places that waits for the security officer; until then the account is as it was.
account_change = Table(
    "account_change",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("role", String(24), nullable=False),
    Column("places", JSON, nullable=False),  # [[township, village or null], …]
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", Moment, nullable=False),
)

password_history = Table(
    "password_history",
    metadata,
    _id(),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("password_hash", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# Failures by typed name, known or unknown alike.
throttle = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Moment, nullable=False),  # the last one; they are forgotten after a while
    Column("locked_until", Moment),
)

session = Table(
    "session",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie's value
    Column("public", String(32), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("address", String(64), nullable=False),
    Column("stage", String(12), nullable=False),  # full, or what is still asked for: totp, enrol, change
    Column("by_provider", Boolean, nullable=False, server_default=text("false")),  # no password of ours was asked for
    Column("ended_at", Moment),
)

# Who may see one person's or household's full numbers, why, and until when; it ends with the session.
unmasking = Table(
    "unmasking",
    metadata,
    _id(),
    Column("session", String(32), nullable=False, index=True),
    _account("account_id"),
    Column("household_id", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
)

# A file that waits for one download by the person who asked for it.
download = Table(
    "download",
    metadata,
    Column("id", String(43), primary_key=True),
    _account("account_id"),
    Column("session", String(32), nullable=False),
    Column("what", String(64), nullable=False),
    Column("action", String(32), nullable=False),  # the permission that was needed, asked again at the download
    Column("path", Text, nullable=False),
    Column("name", String(128), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("taken_at", Moment),
)

# --- the journal: rows are appended only (triggers refuse the rest), each bound to the one before by a keyed digest

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("who", String(64), nullable=False),  # account name; "cli:" and the system user at the command line
    Column("role", String(24), nullable=False),
    Column("address", String(64), nullable=False),
    Column("event", String(48), nullable=False, index=True),
    Column("object", String(128), nullable=False, index=True),
    Column("result", String(12), nullable=False),  # ok, denied, failed
    Column("detail", Text, nullable=False),  # JSON, sorted keys; never a full number
    Column("before", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
)
Index("ix_journal_who_at", journal.c.who, journal.c.at)

# One row: the end of the chain. Writers take its lock, so that the chain has one order.
journal_head = Table(
    "journal_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("mac", String(64), nullable=False),
)

# --- alerts

# One row is one alert: a household with its signals, or an institution, a source, a policy matter, or a record of no household.
alert = Table(
    "alert",
    metadata,
    _id(),
    Column("subject", String(16), nullable=False),  # household, institution, feed, policy, record
    Column("subject_key", String(160), nullable=False),  # household_id; else the signal's record_key or name
    Column("household_id", String(64), index=True),
    Column("township", String(64)),
    Column("village", String(64)),
    Column("name", String(128)),  # head of the household, or the institution, source, …
    Column("find", Text, nullable=False),  # names, last four characters of numbers, village: what a search looks in
    Column("level", String(8), nullable=False),
    Column("level_order", Integer, nullable=False),
    Column("signals", Integer, nullable=False),  # standing ones that raise work
    Column("headline", Text, nullable=False),  # sentence of the most urgent signal (masked)
    Column("headline_en", Text),
    Column("rules", Text, nullable=False),  # codes of the standing signals, blank-separated
    Column("kinds", String(64), nullable=False),  # their kinds, blank-separated
    Column("departments", Text, nullable=False),
    Column(
        "raises_work", Boolean, nullable=False
    ),  # False: shown only (all signals are of kinds that full support answers)
    Column("emergency", Boolean, nullable=False),  # the three-working-day track
    Column("offers_closing", Boolean, nullable=False),  # no condition holds any more
    Column("status", String(12), nullable=False),  # monitoring.alerts.moves
    Column("outcome", String(1)),
    Column("assignee", ForeignKey("account.id")),
    Column("assigned_at", Moment),
    Column("waiting_for", String(64)),  # department that was asked; NULL otherwise
    Column("due_date", Date),  # what is due next: verification, a department's answer, a follow-up
    Column("verify_due_date", Date),  # verification's own limit, for the rate "verified in time"
    Column("points", Integer, nullable=False),  # priority without waiting time
    Column("why", JSON, nullable=False),  # what the points are made of: [[part, points, value], …]
    Column("rank", Integer, nullable=False),  # points less the day of opening: waiting adds a point a day by itself
    Column("score", Numeric(6, 4)),  # the model's, where there is one
    Column("opened_period", String(7), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("verified_at", Moment),
    Column("decided_at", Moment),
    Column("helped_at", Moment),
    Column("closed_at", Moment),
    Column("closed_by", ForeignKey("account.id")),
    Column("previous_id", ForeignKey("alert.id")),  # the closed alert of the same subject before this one
    Column("origin", String(8), nullable=False),  # run, clue
    Column("version", Integer, nullable=False, server_default=text("1")),
)
Index("ux_alert_open", alert.c.subject, alert.c.subject_key, unique=True,
      sqlite_where=alert.c.closed_at.is_(None), postgresql_where=alert.c.closed_at.is_(None))  # fmt: skip
Index("ix_alert_assignee", alert.c.assignee, alert.c.status, sqlite_where=alert.c.assignee.is_not(None),
      postgresql_where=alert.c.assignee.is_not(None))  # fmt: skip
# What nobody has, for taking the next one.
Index("ix_alert_free", alert.c.rank, alert.c.id, sqlite_where=alert.c.assignee.is_(None),
      postgresql_where=alert.c.assignee.is_(None))  # fmt: skip
# All that the queue filters, counts and sorts by: it reads the wide rows of one page only (`find` stays within 500 characters,
# since PostgreSQL's index entries are limited).
Index("ix_alert_work", *(alert.c[name] for name in (
    "closed_at", "township", "village", "emergency", "due_date", "rank", "status", "assignee", "raises_work", "offers_closing",
    "level", "subject", "verified_at", "kinds", "rules", "departments", "waiting_for", "find", "household_id", "id")))  # fmt: skip

# One row is one episode of one signal: from when a rule's condition began to hold for a subject until it no longer did.
alert_signal = Table(
    "alert_signal",
    metadata,
    _id(),
    _alert(),
    Column("rule", String(32), nullable=False),
    Column(
        "subject_key", String(160), nullable=False
    ),  # household, person, record, institution, … that the rule judged
    Column("episode", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # standing, gone, settled (still holds after a decision), shown
    Column("kind", String(12), nullable=False),
    Column("level", String(8), nullable=False),
    Column("level_order", Integer, nullable=False),
    Column("department", String(64), nullable=False),
    Column("person_id", BigInteger),
    Column("record_key", Text),
    Column("message", Text, nullable=False),  # masked
    Column("message_en", Text),
    Column("clause", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # masked JSON, as the run wrote it
    Column("due_date", Date),
    Column("first_period", String(7), nullable=False),
    Column("last_period", String(7), nullable=False),
    Column("gone_period", String(7)),
    UniqueConstraint("rule", "subject_key", "episode"),
)
Index("ix_alert_signal_standing", alert_signal.c.state, alert_signal.c.rule, alert_signal.c.subject_key)

# After a decision the same rule and subject stay quiet until a day, unless the evidence gets worse.
quiet = Table(
    "quiet",
    metadata,
    _id(),
    _alert(),
    Column("rule", String(32), nullable=False),
    Column("subject_key", String(160), nullable=False),
    Column("until", Date, nullable=False),
    Column("level_order", Integer, nullable=False),
    Column("evidence", Text, nullable=False),  # as it was when decided
    Column("outcome", String(1), nullable=False),
    Column("at", Moment, nullable=False),
)
Index("ix_quiet_rule_subject", quiet.c.rule, quiet.c.subject_key)

# What was done, in order; nothing here is ever changed.
alert_event = Table(
    "alert_event",
    metadata,
    _id(),
    _alert(),
    Column("at", Moment, nullable=False),
    Column("account_id", ForeignKey("account.id")),  # NULL: the run
    Column("by", String(64), nullable=False),  # the person's name then
    Column("event", String(24), nullable=False),
    Column("status", String(12), nullable=False),  # after it
    Column("note", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

visit = Table(
    "visit",
    metadata,
    _id(),
    _alert(),
    Column("household_id", String(64), index=True),
    Column("date", Date, nullable=False),
    Column("visitor", String(64), nullable=False),
    Column("met", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("finding", String(12), nullable=False),  # confirmed, not_so, unclear
    _account("account_id"),
    Column("at", Moment, nullable=False),
)

Index("ix_visit_date", visit.c.date, visit.c.account_id)

decision = Table(
    "decision",
    metadata,
    _id(),
    _alert(),
    Column("outcome", String(1), nullable=False),  # A-P, monitoring.alerts.outcomes
    Column("reason", Text, nullable=False),
    Column("visit_id", ForeignKey("visit.id")),
    Column("went_to", String(24)),  # the exit safety net: what an ended household went to
    Column("particulars", Text),  # a refusal in its own words; the new address or the day of death
    Column("until", Date),  # when a household that is watched is looked at again
    _account("account_id"),
    Column("at", Moment, nullable=False),
)

measure = Table(
    "measure",
    metadata,
    _id(),
    _alert(),
    Column("household_id", String(64), index=True),
    Column("kind", String(24), nullable=False),
    Column("amount", Numeric(14, 2)),  # yuan; NULL where it is no money
    Column("monthly", Boolean, nullable=False),
    Column("start", Date, nullable=False),
    Column("responsible", String(64), nullable=False),
    Column("note", Text, nullable=False),
    _account("account_id"),
    Column("at", Moment, nullable=False),
)

referral = Table(
    "referral",
    metadata,
    _id(),
    _alert(),
    Column("department", String(64), nullable=False),
    Column("asked", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    _account("account_id"),
    Column("at", Moment, nullable=False),
    Column("answered_on", Date),
    Column("answer", Text),
    Column("answered_by", ForeignKey("account.id")),
)

conference = Table(
    "conference",
    metadata,
    _id(),
    _alert(),
    Column("date", Date, nullable=False),
    Column("present", Text, nullable=False),
    Column("decision", Text),
    _account("account_id"),
    Column("at", Moment, nullable=False),
    Column("decided_at", Moment),
)

comment = Table(
    "comment",
    metadata,
    _id(),
    _alert(),
    Column("text", Text, nullable=False),
    _account("account_id"),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

clue = Table(
    "clue",
    metadata,
    _id(),
    Column("number", String(64), unique=True),  # a department's own, of one that came as a file; NULL for typed ones
    Column("alert_id", ForeignKey("alert.id"), index=True),  # NULL: concluded already when its file came
    Column("channel", String(24), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("caller", String(64), nullable=False),
    Column("phone", Text),  # encrypted with the home's key
    Column(
        "caller_key", String(64), nullable=False, index=True
    ),  # keyed digest of phone or number: tells repeat callers
    Column("household_id", String(64)),
    Column("person", String(64), nullable=False),  # who is meant
    Column("township", String(64)),
    Column("village", String(64)),
    Column("text", Text, nullable=False),
    Column("emergency", Boolean, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("concluded_on", Date),
    Column("result", Text),
    _account("account_id", nullable=True),  # NULL: came as a file
    Column("at", Moment, nullable=False),
)

# --- runs whose signals were taken in, and settings that a county changes

taken_in = Table(
    "taken_in",
    metadata,
    _id(),  # the order in which they were taken in; the last one is what the alerts stand on
    Column("run_id", String(40), nullable=False, index=True),
    Column("period", String(7), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("at", Moment, nullable=False),
    Column("signals", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("joined", Integer, nullable=False),
    Column("gone", Integer, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

# --- what leaders are told of a time's alerts (monitoring.alerts.funnel reads this index alone)

Index("ix_alert_funnel", *(alert.c[name] for name in (
    "opened_period", "township", "village", "level", "verify_due_date", "opened_on", "verified_at", "decided_at", "helped_at", "closed_at",
    "outcome", "raises_work", "status")))  # fmt: skip
# --- sign-off of the checklist: one row a signature, none is ever changed; the last one of a place and period counts

seal = Table(
    "seal",
    metadata,
    _id(),
    Column("period", String(7), nullable=False),
    Column("level", String(8), nullable=False),  # village, township, county
    Column("township", String(64)),  # NULL: the county
    Column("village", String(64)),  # NULL: the township, or the county
    Column("run_id", String(40), nullable=False),  # what was published when it was signed
    Column(
        "content", Text, nullable=False
    ),  # canonical JSON: states, sets, the digest of the rows, the seals it rests on
    Column(
        "rows", Text, nullable=False
    ),  # the ledger's rows that were signed, one a line: household, state, what it rests on
    Column("sha256", String(64), nullable=False),  # of the content
    Column("households", Integer, nullable=False),
    Column("nobody", Integer, nullable=False),  # the remainder that was stated: households for which nobody can vouch
    Column("note", Text, nullable=False),  # what is done about them
    _account("account_id"),
    Column("by", String(64), nullable=False),  # the person's name then
    Column("role", String(24), nullable=False),
    Column("at", Moment, nullable=False),
)
Index("ix_seal_place", seal.c.period, seal.c.township, seal.c.village)
# --- risk lists: those that were kept, and every one that left with its mark (monitoring.lists)

saved_list = Table(
    "saved_list",
    metadata,
    _id(),
    Column("name", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("content", Text, nullable=False),  # the filter as JSON
    Column("shared", Boolean, nullable=False),
    _account("account_id"),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("removed_at", Moment),
)

list_export = Table(
    "list_export",
    metadata,
    _id(),
    Column("mark", String(32), nullable=False, unique=True),  # the key of the export's mark is made from it
    _account("account_id", nullable=True),  # NULL: the operator at the command line
    Column("account", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("name", Text, nullable=False),  # what the file was called
    Column("run_id", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("masked", Boolean, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

# --- linkage: what people decided about rows without a person, persons with two numbers, households listed twice (0005)

# One row is one decision; it holds until it is taken back. Nothing else in it is ever changed.
link_decision = Table(
    "link_decision",
    metadata,
    _id(),
    Column("kind", String(12), nullable=False),  # row, person, household
    Column("one", String(64), nullable=False, index=True),  # row: the digest of its content; else a person or household
    Column("other", String(64), nullable=False),  # the person or household; "" where a row is nobody that is known
    Column("verdict", String(12), nullable=False),  # same, different
    Column("why", Text, nullable=False),
    Column("seen", JSON, nullable=False),  # both sides as the person saw them, masked
    Column("weight", Numeric(8, 2)),  # the model's then; NULL where nothing was weighed
    Column("probability", Numeric(8, 6)),
    Column("run_id", String(40), nullable=False),  # what was published when it was decided
    Column("township", String(64)),
    Column("village", String(64)),
    _account("account_id", nullable=True),  # NULL: the operator at the command line
    Column("by", String(64), nullable=False),  # the person's name then
    Column("role", String(24), nullable=False),
    Column("at", Moment, nullable=False),
    Column("back_at", Moment),  # when it was taken back
    Column("back_by", String(64)),
    Column("back_why", Text),
)
Index("ux_link_decision_standing", link_decision.c.kind, link_decision.c.one, link_decision.c.other, unique=True,
      sqlite_where=link_decision.c.back_at.is_(None), postgresql_where=link_decision.c.back_at.is_(None))  # fmt: skip

# --- what nothing flagged: households drawn for a visit, and what was found there (0006, monitoring.misses)

# One row is one period's draw; nothing of it but the run changes.
audit_draw = Table(
    "audit_draw",
    metadata,
    _id(),
    Column("period", String(7), nullable=False, unique=True),
    Column("run_id", String(40), nullable=False),  # the newest run of the period that was taken in
    Column(
        "seed", String(64), nullable=False
    ),  # from the home's key and the period: anybody who has both can draw again
    Column("size", Integer, nullable=False),  # the dial as it stood: visits
    Column("due_date", Date, nullable=False),
    Column("bands", JSON, nullable=False),  # [[title, title in English, below or null, rate], …] as they were in force
    Column("model", Boolean, nullable=False),  # whether the run had a model
    Column("drawn_on", Date, nullable=False),
    Column("at", Moment, nullable=False),
)

# How many households could be drawn, and how many were to be, of each township and band.
audit_stratum = Table(
    "audit_stratum",
    metadata,
    _id(),
    Column("draw_id", ForeignKey("audit_draw.id"), nullable=False, index=True),
    Column("township", String(64)),
    Column("band", Integer, nullable=False),
    Column("households", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
)

audit_sample = Table(
    "audit_sample",
    metadata,
    _id(),
    Column("draw_id", ForeignKey("audit_draw.id"), nullable=False),
    Column("household_id", String(64), nullable=False, index=True),
    Column("township", String(64)),
    Column("village", String(64)),
    Column("name", String(128)),  # the head's; masked where it is read
    Column("band", Integer, nullable=False),
    Column("share", Numeric(6, 4), nullable=False),  # of the rules that could not judge it
    Column("place", Integer, nullable=False),  # the order in its township and band
    Column("state", String(8), nullable=False),  # drawn, reserve, dropped (left before a visit)
    Column("why", String(12)),  # of a dropped one: flagged, helped, gone
    UniqueConstraint("draw_id", "household_id"),
)

# What was found at a door; rows are added only, the last one counts.
audit_visit = Table(
    "audit_visit",
    metadata,
    _id(),
    Column("sample_id", ForeignKey("audit_sample.id"), nullable=False, index=True),
    Column("date", Date, nullable=False),
    Column("visitor", String(64), nullable=False),
    Column("result", String(12), nullable=False),  # monitoring.misses.visiting.RESULTS
    Column("note", Text, nullable=False),
    Column("alert_id", ForeignKey("alert.id")),  # the case that a household in difficulty became
    _account("account_id"),
    Column("by", String(64), nullable=False),  # the person's name then
    Column("at", Moment, nullable=False),
)

# Households that a rule flagged in the period and that stood on the model's list as well.
audit_listed = Table(
    "audit_listed",
    metadata,
    _id(),
    Column("draw_id", ForeignKey("audit_draw.id"), nullable=False, index=True),
    Column("household_id", String(64), nullable=False),
)
